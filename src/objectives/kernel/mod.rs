//! The fused loops over points and components that the objectives share.
//!
//! One pass over the data gives value and gradient. Points are taken eight (`LANES`) at a time, so that the compiler can
//! use vector registers over points: each `Pass` is compiled for several instruction sets, and the widest that the
//! machine has is chosen at run time. Products are never fused with sums, so all of them give the same bits. Chunks of
//! 512 points are spread over the threads and their sums are added in order, so any number of threads does too.
//!
//! What runs inside a pass is marked `inline(always)`: only what is inlined is compiled for the wider registers.
//!
//! For each point and component, with d = x − µ: y = L⁻¹d, a = log π − log 2π|L| − ½‖y‖², r = softmax(a) and the
//! component's score g = −L⁻ᵀy. Here are the blocks of points and the passes over them; `gradient.rs` differentiates
//! objectives, `expectation.rs` is EM's E-step.

#![expect(clippy::inline_always, reason = "only inlined code is compiled for wider registers")]

use std::ops::Range;

use rayon::prelude::*;

mod exp;
mod expectation;
mod floor;
mod gradient;

pub use expectation::{Moments, expectation};
pub use floor::{LEAST_WORK_PAIRS, least_work};
pub(super) use gradient::{Forms, negative_log_likelihood, quadratic};

use exp::exp_nonpositive;

use super::Batch;
use crate::model::{Cholesky, Mixture, Point, Symmetric};

/// Points that are computed side by side.
const LANES: usize = 8;

/// Points that one task computes, in order.
const CHUNK: usize = 512;

type Lanes = [f64; LANES];

/// What the loops need to know of a component.
#[derive(Debug, Clone, Copy)]
struct Whitener {
    mean: Point,
    /// 1/L₁₁, L₂₁, 1/L₂₂ of the covariance's factor.
    inverse11: f64,
    l21: f64,
    inverse22: f64,
    /// log π − log 2π − log L₁₁ − log L₂₂.
    log_scale: f64,
}

impl Whitener {
    fn new(log_weight: f64, mean: Point, factor: Cholesky) -> Whitener {
        Whitener {
            mean,
            inverse11: 1.0 / factor.l11,
            l21: factor.l21,
            inverse22: 1.0 / factor.l22,
            log_scale: log_weight - std::f64::consts::TAU.ln() - factor.log_sqrt_determinant(),
        }
    }

    fn of_mixture(mixture: &Mixture) -> Vec<Whitener> {
        let whitener = |c: &crate::model::Component| {
            Whitener::new(c.log_weight, c.gaussian.mean, c.gaussian.cholesky)
        };
        mixture.components().iter().map(whitener).collect()
    }

    /// Σ⁻¹ = L⁻ᵀL⁻¹.
    #[inline(always)]
    fn precision(&self) -> Symmetric {
        let below = -self.l21 * self.inverse11 * self.inverse22;
        [
            self.inverse11 * self.inverse11 + below * below,
            below * self.inverse22,
            self.inverse22 * self.inverse22,
        ]
    }

    #[inline(always)]
    fn whiten(&self, x: &Lanes, y: &Lanes) -> (Lanes, Lanes) {
        let (mut y1, mut y2) = ([0.0; LANES], [0.0; LANES]);
        for l in 0..LANES {
            y1[l] = (x[l] - self.mean[0]) * self.inverse11;
            y2[l] = (y[l] - self.mean[1] - self.l21 * y1[l]) * self.inverse22;
        }
        (y1, y2)
    }
}

/// The points that are computed side by side, and what is known of them for each component.
struct Block {
    x: Lanes,
    y: Lanes,
    /// 1 for a point, 0 for a lane that only fills up the block.
    is_live: Lanes,
    y1: Vec<Lanes>,
    y2: Vec<Lanes>,
    /// Responsibilities; 0 where the lane is not live.
    r: Vec<Lanes>,
    /// log p(x); 0 where the lane is not live.
    log_density: Lanes,
}

impl Block {
    fn new(component_count: usize) -> Block {
        let lanes = || vec![[0.0; LANES]; component_count];
        Block {
            x: [0.0; LANES],
            y: [0.0; LANES],
            is_live: [0.0; LANES],
            y1: lanes(),
            y2: lanes(),
            r: lanes(),
            log_density: [0.0; LANES],
        }
    }

    #[inline(always)]
    fn load(&mut self, batch: Batch<'_>, range: Range<usize>) {
        for l in 0..LANES {
            let index = range.start + l;
            self.is_live[l] = if index < range.end { 1.0 } else { 0.0 };
            [self.x[l], self.y[l]] = batch.point(index.min(range.end - 1));
        }
    }

    /// Fills y₁, y₂, r and the log density.
    #[inline(always)]
    fn compute_responsibilities(&mut self, whiteners: &[Whitener]) {
        let mut max = [f64::NEG_INFINITY; LANES];
        for (k, whitener) in whiteners.iter().enumerate() {
            let (y1, y2) = whitener.whiten(&self.x, &self.y);
            let a = &mut self.r[k];
            for l in 0..LANES {
                a[l] = whitener.log_scale - 0.5 * (y1[l] * y1[l] + y2[l] * y2[l]);
                max[l] = if a[l] > max[l] { a[l] } else { max[l] };
            }
            self.y1[k] = y1;
            self.y2[k] = y2;
        }
        let mut sum = [0.0; LANES];
        for r in &mut self.r {
            for l in 0..LANES {
                r[l] = exp_nonpositive(r[l] - max[l]);
                sum[l] += r[l];
            }
        }
        let mut scale = [0.0; LANES];
        for l in 0..LANES {
            scale[l] = self.is_live[l] / sum[l];
            self.log_density[l] = self.is_live[l] * (max[l] + sum[l].ln());
        }
        for r in &mut self.r {
            for l in 0..LANES {
                r[l] *= scale[l];
            }
        }
    }
}

/// A computation over points, chunk by chunk. Implementations are `inline(always)`.
trait Pass: Sync {
    /// What a chunk gives.
    type Output: Send;

    /// Computes the points of a chunk, in order.
    fn chunk(&self, range: Range<usize>) -> Self::Output;
}

/// A pass on one chunk, in the form in which `pulp` compiles it for every instruction set.
struct Task<'a, P>(&'a P, Range<usize>);

impl<P: Pass> pulp::NullaryFnOnce for Task<'_, P> {
    type Output = P::Output;

    #[inline(always)]
    fn call(self) -> P::Output {
        self.0.chunk(self.1)
    }
}

/// Runs a pass on every chunk, in parallel; results come in order.
fn over_chunks<P: Pass>(count: usize, pass: &P) -> Vec<P::Output> {
    let arch = pulp::Arch::new();
    let chunk = |i: usize| arch.dispatch(Task(pass, i * CHUNK..((i + 1) * CHUNK).min(count)));
    let chunk_count = count.div_ceil(CHUNK);
    if chunk_count == 1 {
        return vec![chunk(0)];
    }
    (0..chunk_count).into_par_iter().map(chunk).collect()
}

#[inline(always)]
fn blocks(range: Range<usize>) -> impl Iterator<Item = Range<usize>> {
    let end = range.end;
    range.step_by(LANES).map(move |start| start..(start + LANES).min(end))
}

/// Mean log-likelihood of points, in nats per point. NaN without points.
#[must_use]
pub fn mean_log_likelihood(mixture: &Mixture, points: &[Point]) -> f64 {
    if points.is_empty() {
        return f64::NAN;
    }
    let pass = LogLikelihood { whiteners: Whitener::of_mixture(mixture), points };
    over_chunks(points.len(), &pass).iter().sum::<f64>() / points.len() as f64
}

/// Sums log p over points.
struct LogLikelihood<'a> {
    whiteners: Vec<Whitener>,
    points: &'a [Point],
}

impl Pass for LogLikelihood<'_> {
    type Output = f64;

    #[inline(always)]
    fn chunk(&self, range: Range<usize>) -> f64 {
        let mut block = Block::new(self.whiteners.len());
        let mut sum = 0.0;
        for range in blocks(range) {
            block.load(Batch::all(self.points), range);
            block.compute_responsibilities(&self.whiteners);
            sum += block.log_density.iter().sum::<f64>();
        }
        sum
    }
}
