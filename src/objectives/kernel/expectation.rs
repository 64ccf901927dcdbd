//! EM's E-step: the moments of every component under the responsibilities.

use std::ops::Range;

use super::{Block, CHUNK, LANES, Lanes, Pass, Whitener, blocks, over_chunks};
use crate::model::{Mixture, Point, Symmetric};
use crate::objectives::Batch;

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
