//! The fused loops over points and components that the objectives share.
//!
//! One pass over the data gives value and gradient. Points are taken eight (`LANES`) at a time, so that the compiler can
//! use vector registers over points: each [`Pass`] is compiled for several instruction sets, and the widest that the
//! machine has is chosen at run time. Products are never fused with sums, so all of them give the same bits. Chunks of
//! 512 points are spread over the threads and their sums are added in order, so any number of threads does too.
//!
//! What runs inside a pass is marked `inline(always)`: only what is inlined is compiled for the wider registers.
//!
//! For each point and component, with d = x − µ: y = L⁻¹d, a = log π − log 2π|L| − ½‖y‖², r = softmax(a) and the
//! component's score g = −L⁻ᵀy. An objective is differentiated by what it passes back to a, g and Σ⁻¹; see
//! `Sums`.

#![expect(clippy::inline_always, reason = "only inlined code is compiled for wider registers")]

use std::ops::Range;

use rayon::prelude::*;

use super::{Batch, Evaluation, Gradient};
use crate::model::{Cholesky, Mixture, Parameters, Point, Symmetric, log_sum_exp, raised};

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

/// eˣ for x ≤ 0, exact to 2 units in the last place down to the smallest subnormal numbers; 0 below −746.
///
/// Written without branches or calls, so that loops over lanes become vector instructions, which the standard
/// library's `exp` does not. x = n ln 2 + r, and eʳ by its Taylor polynomial, whose remainder for
/// |r| ≤ ½ ln 2 is below 5·10⁻¹⁸.
#[inline(always)]
fn exp_nonpositive(x: f64) -> f64 {
    // 1.5·2⁵² pushes the fraction out of the mantissa: adding it rounds, and leaves n in the lowest bits.
    const ROUND: f64 = 6_755_399_441_055_744.0;
    // ln 2 in two parts (Cody and Waite): n · LN2_HIGH is exact.
    const LN2_HIGH: f64 = 6.931_471_803_691_238e-1;
    const LN2_LOW: f64 = 1.908_214_929_270_587_7e-10;
    const SMALL: f64 = 1.0 / (1_u128 << 127) as f64 / 2.0;
    let clamped = if x > -746.0 { x } else { -746.0 };
    let rounded = clamped * std::f64::consts::LOG2_E + ROUND;
    let n = rounded - ROUND;
    let r = clamped - n * LN2_HIGH - n * LN2_LOW;
    let mut p = 1.0 / 6_227_020_800.0;
    p = p * r + 1.0 / 479_001_600.0;
    p = p * r + 1.0 / 39_916_800.0;
    p = p * r + 1.0 / 3_628_800.0;
    p = p * r + 1.0 / 362_880.0;
    p = p * r + 1.0 / 40_320.0;
    p = p * r + 1.0 / 5_040.0;
    p = p * r + 1.0 / 720.0;
    p = p * r + 1.0 / 120.0;
    p = p * r + 1.0 / 24.0;
    p = p * r + 1.0 / 6.0;
    p = p * r + 0.5;
    p = p * r + 1.0;
    p = p * r + 1.0;
    // In two factors, 2ⁿ⁺¹²⁸ · 2⁻¹²⁸, because 2ⁿ alone may be too small for a normal number.
    let power = f64::from_bits(rounded.to_bits().wrapping_add(1023 + 128) << 52);
    if x > -746.0 { p * power * SMALL } else { 0.0 }
}

/// What an objective passes back to one component, summed over points.
///
/// With c = ∂ℓ/∂a, h = ∂ℓ/∂g and ∂ℓ/∂Σ⁻¹ = −rA where ℓ holds −tr(AΣ⁻¹) (A, B as in [`quadratic`]):
/// ∂ℓ/∂µ = L⁻ᵀ u with u = cy + L⁻¹h, and in the basis where Σ is the identity
/// ∂ℓ/∂Σ⁻¹ = ½c(I − yyᵀ) − sym(L⁻¹h yᵀ) − r L⁻¹AL⁻ᵀ.
#[derive(Debug, Clone, Copy)]
struct Sums<T> {
    c: T,
    u: [T; 2],
    /// ½c yyᵀ + sym(L⁻¹h yᵀ), entries 11, 12, 22.
    spread: [T; 3],
    /// rA, entries 11, 12, 22.
    form: [T; 3],
}

const ZERO_LANES: Sums<Lanes> = Sums {
    c: [0.0; LANES],
    u: [[0.0; LANES]; 2],
    spread: [[0.0; LANES]; 3],
    form: [[0.0; LANES]; 3],
};

impl Sums<Lanes> {
    fn total(&self) -> Sums<f64> {
        let sum = |lanes: Lanes| lanes.iter().sum::<f64>();
        Sums {
            c: sum(self.c),
            u: self.u.map(sum),
            spread: self.spread.map(sum),
            form: self.form.map(sum),
        }
    }
}

impl Sums<f64> {
    fn add(&mut self, other: &Sums<f64>) {
        self.c += other.c;
        for i in 0..2 {
            self.u[i] += other.u[i];
        }
        for i in 0..3 {
            self.spread[i] += other.spread[i];
            self.form[i] += other.form[i];
        }
    }
}

/// What a chunk of points adds up to.
struct ChunkSums {
    value: f64,
    log_likelihood: f64,
    components: Vec<Sums<f64>>,
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

/// −(1/N) Σ log p(xₙ) with its gradient: c = −r, and nothing else is passed back.
pub(super) fn negative_log_likelihood(parameters: &Parameters, batch: Batch<'_>) -> Evaluation {
    evaluate(parameters, batch, NegativeLogLikelihood)
}

struct NegativeLogLikelihood;

impl Terms for NegativeLogLikelihood {
    #[inline(always)]
    fn add(&self, block: &Block, _: &[Whitener], sums: &mut [Sums<Lanes>], _: usize) -> f64 {
        for (k, sums) in sums.iter_mut().enumerate() {
            let (r, y1, y2) = (&block.r[k], &block.y1[k], &block.y2[k]);
            for l in 0..LANES {
                let c = -r[l];
                let (c1, c2) = (c * y1[l], c * y2[l]);
                sums.c[l] += c;
                sums.u[0][l] += c1;
                sums.u[1][l] += c2;
                sums.spread[0][l] += 0.5 * c1 * y1[l];
                sums.spread[1][l] += 0.5 * c1 * y2[l];
                sums.spread[2][l] += 0.5 * c2 * y2[l];
            }
        }
        -block.log_density.iter().sum::<f64>()
    }
}

/// The quadratic forms of one point's objective: see [`quadratic`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Forms {
    /// A, entries 11, 12, 22.
    pub a: Symmetric,
    /// B, entries 11, 12, 22.
    pub b: Symmetric,
}

/// (1/N) Σ tr(AH) + ½ sᵀBs with its gradient; s is the score at the point, H the Hessian of log p.
///
/// Exact score matching is A = B = I; one slice v is A = vvᵀ with B = I (reduced variance) or B = vvᵀ; several
/// slices are the mean of their forms and cost the same as one. `forms(n)` gives those of the nth point.
///
/// With q = gᵀAg − tr(AΣ⁻¹), m = Σ rq and w = ∂ℓ/∂s = (B − 2A)s: ℓ = m − sᵀAs + ½ sᵀBs,
/// c = r((q + wᵀg) − (m + wᵀs)) and h = r(2Ag + w).
pub(super) fn quadratic(
    parameters: &Parameters,
    batch: Batch<'_>,
    forms: impl Fn(usize) -> Forms + Sync,
) -> Evaluation {
    evaluate(parameters, batch, Quadratic { forms, count: batch.len() })
}

struct Quadratic<F> {
    forms: F,
    count: usize,
}

impl<F: Fn(usize) -> Forms + Sync> Terms for Quadratic<F> {
    #[inline(always)]
    fn add(
        &self,
        block: &Block,
        whiteners: &[Whitener],
        sums: &mut [Sums<Lanes>],
        first: usize,
    ) -> f64 {
        let (mut a, mut b) = ([[0.0; LANES]; 3], [[0.0; LANES]; 3]);
        for l in 0..LANES {
            let forms = (self.forms)((first + l).min(self.count - 1));
            for i in 0..3 {
                a[i][l] = forms.a[i];
                b[i][l] = forms.b[i];
            }
        }
        let (mut s1, mut s2, mut m) = ([0.0; LANES], [0.0; LANES], [0.0; LANES]);
        for (k, whitener) in whiteners.iter().enumerate() {
            let [p11, p12, p22] = whitener.precision();
            let (r, y1, y2) = (&block.r[k], &block.y1[k], &block.y2[k]);
            for l in 0..LANES {
                let g2 = -y2[l] * whitener.inverse22;
                let g1 = (-y1[l] - whitener.l21 * g2) * whitener.inverse11;
                let ag1 = a[0][l] * g1 + a[1][l] * g2;
                let ag2 = a[1][l] * g1 + a[2][l] * g2;
                let trace = a[0][l] * p11 + 2.0 * a[1][l] * p12 + a[2][l] * p22;
                s1[l] += r[l] * g1;
                s2[l] += r[l] * g2;
                m[l] += r[l] * (g1 * ag1 + g2 * ag2 - trace);
            }
        }
        let (mut w1, mut w2) = ([0.0; LANES], [0.0; LANES]);
        let (mut base, mut value) = ([0.0; LANES], 0.0);
        for l in 0..LANES {
            let as1 = a[0][l] * s1[l] + a[1][l] * s2[l];
            let as2 = a[1][l] * s1[l] + a[2][l] * s2[l];
            let bs1 = b[0][l] * s1[l] + b[1][l] * s2[l];
            let bs2 = b[1][l] * s1[l] + b[2][l] * s2[l];
            let (s_as, s_bs) = (s1[l] * as1 + s2[l] * as2, s1[l] * bs1 + s2[l] * bs2);
            w1[l] = bs1 - 2.0 * as1;
            w2[l] = bs2 - 2.0 * as2;
            base[l] = m[l] + w1[l] * s1[l] + w2[l] * s2[l];
            value += block.is_live[l] * (m[l] - s_as + 0.5 * s_bs);
        }
        for (k, whitener) in whiteners.iter().enumerate() {
            let [p11, p12, p22] = whitener.precision();
            let (r, y1, y2, sums) = (&block.r[k], &block.y1[k], &block.y2[k], &mut sums[k]);
            for l in 0..LANES {
                let g2 = -y2[l] * whitener.inverse22;
                let g1 = (-y1[l] - whitener.l21 * g2) * whitener.inverse11;
                let ag1 = a[0][l] * g1 + a[1][l] * g2;
                let ag2 = a[1][l] * g1 + a[2][l] * g2;
                let trace = a[0][l] * p11 + 2.0 * a[1][l] * p12 + a[2][l] * p22;
                let q = g1 * ag1 + g2 * ag2 - trace;
                let c = r[l] * (q + w1[l] * g1 + w2[l] * g2 - base[l]);
                // h in the whitened basis, L⁻¹h.
                let h1 = r[l] * (2.0 * ag1 + w1[l]) * whitener.inverse11;
                let h2 = (r[l] * (2.0 * ag2 + w2[l]) - whitener.l21 * h1) * whitener.inverse22;
                let (c1, c2) = (0.5 * c * y1[l], 0.5 * c * y2[l]);
                sums.c[l] += c;
                sums.u[0][l] += c * y1[l] + h1;
                sums.u[1][l] += c * y2[l] + h2;
                sums.spread[0][l] += (c1 + h1) * y1[l];
                sums.spread[1][l] += (c1 + 0.5 * h1) * y2[l] + 0.5 * h2 * y1[l];
                sums.spread[2][l] += (c2 + h2) * y2[l];
                sums.form[0][l] += r[l] * a[0][l];
                sums.form[1][l] += r[l] * a[1][l];
                sums.form[2][l] += r[l] * a[2][l];
            }
        }
        value
    }
}

/// What an objective adds for each block of points. Implementations are `inline(always)`.
trait Terms: Sync {
    /// Adds what a block passes back to the components' sums, and returns the sum of its points' values. `first` is
    /// the index of the block's first point.
    fn add(
        &self,
        block: &Block,
        whiteners: &[Whitener],
        sums: &mut [Sums<Lanes>],
        first: usize,
    ) -> f64;
}

/// An objective's terms over a batch.
struct Evaluate<'a, T> {
    whiteners: Vec<Whitener>,
    batch: Batch<'a>,
    terms: T,
}

impl<T: Terms> Pass for Evaluate<'_, T> {
    type Output = ChunkSums;

    #[inline(always)]
    fn chunk(&self, range: Range<usize>) -> ChunkSums {
        let Evaluate { whiteners, batch, terms } = self;
        let mut block = Block::new(whiteners.len());
        let mut sums = vec![ZERO_LANES; whiteners.len()];
        let (mut value, mut log_likelihood) = (0.0, 0.0);
        for range in blocks(range) {
            let first = range.start;
            block.load(*batch, range);
            block.compute_responsibilities(whiteners);
            value += terms.add(&block, whiteners, &mut sums, first);
            log_likelihood += block.log_density.iter().sum::<f64>();
        }
        let components = sums.iter().map(Sums::total).collect();
        ChunkSums { value, log_likelihood, components }
    }
}

/// Sums an objective's terms over a batch, and turns the sums into the gradient with respect to θ.
fn evaluate(parameters: &Parameters, batch: Batch<'_>, terms: impl Terms) -> Evaluation {
    let log_total = log_sum_exp(&parameters.logits);
    let log_weights: Vec<f64> = parameters.logits.iter().map(|logit| logit - log_total).collect();
    let factors: Vec<_> = parameters
        .factors
        .chunks_exact(3)
        .map(|f| raised([f[0], f[1], f[2]], parameters.floor))
        .collect();
    let whiteners: Vec<Whitener> = log_weights
        .iter()
        .zip(&parameters.means)
        .zip(&factors)
        .map(|((&log_weight, &mean), &(factor, _))| Whitener::new(log_weight, mean, factor))
        .collect();
    let pass = Evaluate { whiteners, batch, terms };
    let chunks = over_chunks(batch.len(), &pass);

    let mut total = vec![ZERO_LANES.total(); factors.len()];
    for chunk in &chunks {
        for (total, sums) in total.iter_mut().zip(&chunk.components) {
            total.add(sums);
        }
    }
    let per_point = 1.0 / batch.len() as f64;
    let c_total: f64 = total.iter().map(|sums| sums.c).sum();
    let mut gradient = Gradient::default();
    for ((sums, log_weight), &(factor, raw)) in total.iter().zip(log_weights).zip(&factors) {
        // Through softmax: ∂aₖ/∂logitⱼ = [j = k] − πⱼ.
        gradient.logits.push(per_point * (sums.c - log_weight.exp() * c_total));
        gradient.means.push(factor.whiten_transposed(sums.u).map(|v| per_point * v));
        let factor_gradient = factor_gradient(sums, factor, raw, parameters.floor);
        gradient.factors.extend(factor_gradient.map(|v| per_point * v));
    }
    Evaluation {
        value: per_point * chunks.iter().map(|chunk| chunk.value).sum::<f64>(),
        log_likelihood: per_point * chunks.iter().map(|chunk| chunk.log_likelihood).sum::<f64>(),
        gradient,
    }
}

/// ∂ℓ/∂[log L₁₁, L₂₁, log L₂₂] of the raw factor L, where the covariance is Σ = LLᵀ + floor · I = MMᵀ.
///
/// In the whitened basis G = ∂ℓ/∂Σ⁻¹ = ½cI − spread − M⁻¹(form)M⁻ᵀ; ∂ℓ/∂Σ = −M⁻ᵀGM⁻¹ and
/// ∂ℓ/∂L = 2 ∂ℓ/∂Σ L = −2 M⁻ᵀ G (M⁻¹L), lower triangle.
fn factor_gradient(sums: &Sums<f64>, factor: Cholesky, raw: Cholesky, floor: f64) -> [f64; 3] {
    let [f11, f12, f22] = sums.form;
    let first = factor.whiten([f11, f12]);
    let second = factor.whiten([f12, f22]);
    let [w11, w12] = factor.whiten([first[0], second[0]]);
    let [_, w22] = factor.whiten([first[1], second[1]]);
    let g11 = 0.5 * sums.c - sums.spread[0] - w11;
    let g12 = -sums.spread[1] - w12;
    let g22 = 0.5 * sums.c - sums.spread[2] - w22;
    // M⁻¹L, lower triangular; the identity without a floor. Its entry below the diagonal is L₂₁ − M₂₁ t₁₁ over
    // M₂₂, written without the difference.
    let t11 = raw.l11 / factor.l11;
    let t21 = raw.l21 * floor / (factor.l11 * factor.l11 * factor.l22);
    let t22 = raw.l22 / factor.l22;
    let column1 = factor.whiten_transposed([g11 * t11 + g12 * t21, g12 * t11 + g22 * t21]);
    let column2 = factor.whiten_transposed([g12 * t22, g22 * t22]);
    [-2.0 * column1[0] * raw.l11, -2.0 * column1[1], -2.0 * column2[1] * raw.l22]
}

/// What the E-step tells the M-step of one component.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Moments {
    /// nₖ = Σ rₙₖ.
    pub count: f64,
    /// (1/nₖ) Σ r x; meaningless where `count` is 0.
    pub mean: Point,
    /// Σ r (x − mean)(x − mean)ᵀ, not divided by nₖ.
    pub scatter: Symmetric,
}

impl Moments {
    /// Of both sets of points together (Chan, Golub and LeVeque 1983, pairwise update).
    fn merged(&self, other: &Moments) -> Moments {
        if self.count == 0.0 {
            return *other;
        }
        if other.count == 0.0 {
            return *self;
        }
        let count = self.count + other.count;
        let share = other.count / count;
        let d = [other.mean[0] - self.mean[0], other.mean[1] - self.mean[1]];
        let between = self.count * share;
        Moments {
            count,
            mean: [self.mean[0] + share * d[0], self.mean[1] + share * d[1]],
            scatter: [
                self.scatter[0] + other.scatter[0] + between * d[0] * d[0],
                self.scatter[1] + other.scatter[1] + between * d[0] * d[1],
                self.scatter[2] + other.scatter[2] + between * d[1] * d[1],
            ],
        }
    }
}

/// The E-step: moments of every component under the responsibilities, and the mean log-likelihood.
///
/// Second moments are taken around each chunk's own mean and merged, which is as accurate as a second pass over all
/// points and does not store N × K responsibilities.
#[must_use]
pub fn expectation(mixture: &Mixture, points: &[Point]) -> (Vec<Moments>, f64) {
    let pass = Expectation { whiteners: Whitener::of_mixture(mixture), points };
    let chunks = over_chunks(points.len(), &pass);
    let mut chunks = chunks.into_iter();
    let Some((mut moments, mut log_likelihood)) = chunks.next() else {
        return (Vec::new(), f64::NAN);
    };
    for (chunk, chunk_log_likelihood) in chunks {
        for (moments, chunk) in moments.iter_mut().zip(&chunk) {
            *moments = moments.merged(chunk);
        }
        log_likelihood += chunk_log_likelihood;
    }
    (moments, log_likelihood / points.len() as f64)
}

/// The E-step's moments.
struct Expectation<'a> {
    whiteners: Vec<Whitener>,
    points: &'a [Point],
}

impl Pass for Expectation<'_> {
    /// Moments of every component, and the sum of log p.
    type Output = (Vec<Moments>, f64);

    #[inline(always)]
    fn chunk(&self, range: Range<usize>) -> (Vec<Moments>, f64) {
        let component_count = self.whiteners.len();
        let mut block = Block::new(component_count);
        let mut places: Vec<(Lanes, Lanes)> = Vec::with_capacity(CHUNK / LANES);
        // Block after block, K responsibilities each.
        let mut responsibilities: Vec<Lanes> = Vec::with_capacity(CHUNK / LANES * component_count);
        let mut log_likelihood = 0.0;
        for range in blocks(range) {
            block.load(Batch::all(self.points), range);
            block.compute_responsibilities(&self.whiteners);
            log_likelihood += block.log_density.iter().sum::<f64>();
            places.push((block.x, block.y));
            responsibilities.extend_from_slice(&block.r);
        }
        let moments = (0..component_count).map(|k| {
            let r = responsibilities.iter().skip(k).step_by(component_count);
            moments(&places, r)
        });
        (moments.collect(), log_likelihood)
    }
}

/// The moments of one component over a chunk: around their own mean, in a second pass over what is still in cache.
#[inline(always)]
fn moments<'a>(
    places: &[(Lanes, Lanes)],
    responsibilities: impl Iterator<Item = &'a Lanes> + Clone,
) -> Moments {
    let (mut n, mut sx, mut sy) = ([0.0; LANES], [0.0; LANES], [0.0; LANES]);
    for ((x, y), r) in places.iter().zip(responsibilities.clone()) {
        for l in 0..LANES {
            n[l] += r[l];
            sx[l] += r[l] * x[l];
            sy[l] += r[l] * y[l];
        }
    }
    let sum = |lanes: Lanes| lanes.iter().sum::<f64>();
    let count = sum(n);
    if count == 0.0 {
        return Moments { count, mean: [0.0; 2], scatter: [0.0; 3] };
    }
    let mean = [sum(sx) / count, sum(sy) / count];
    let mut scatter = [[0.0; LANES]; 3];
    for ((x, y), r) in places.iter().zip(responsibilities) {
        for l in 0..LANES {
            let (dx, dy) = (x[l] - mean[0], y[l] - mean[1]);
            scatter[0][l] += r[l] * dx * dx;
            scatter[1][l] += r[l] * dx * dy;
            scatter[2][l] += r[l] * dy * dy;
        }
    }
    Moments { count, mean, scatter: scatter.map(sum) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exp_is_exact_to_two_units_in_the_last_place() {
        for i in 0..200_000 {
            let x = -745.0 * f64::from(i) / 200_000.0;
            let (got, want) = (exp_nonpositive(x), x.exp());
            let ulp = f64::from_bits(want.to_bits() + 1) - want;
            assert!((got - want).abs() <= 2.0 * ulp, "exp({x}): {got:e}, not {want:e}");
        }
        assert_eq!(exp_nonpositive(0.0), 1.0);
        assert_eq!(exp_nonpositive(-800.0), 0.0);
        assert_eq!(exp_nonpositive(f64::NEG_INFINITY), 0.0);
    }
}
