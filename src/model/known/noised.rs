//! Densities: the banana and the funnel under Gaussian noise, by quadrature along the coordinate that they are made of.

use std::f64::consts::TAU;
use std::sync::Arc;

use super::{Banana, Funnel, REACH, equal_cells, normal};
use crate::model::{Bounds, Density, Point, Symmetric, Values};
use crate::random::Rng;

/// x + ε with ε ~ N(0, diag(d₁², d₂²)), where one coordinate of x is u ~ N(0, a²) and the other, given u, is Gaussian.
///
/// Given u, both coordinates of x + ε are independent Gaussians, and what the first of them says of u is a Gaussian
/// again: with m = y a² / (a² + d²) and v = a² d² / (a² + d²)
///
/// p(y, z) = N(y | 0, a² + d²) ∫ N(u | m, v) N(z | M(u), V(u)) du.
///
/// The integral is a sum over equal steps, which for smooth peaks is the best of all rules (Trefethen and Weideman 2014).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Noised {
    shape: Shape,
    /// d₁ and d₂.
    noise: [f64; 2],
}

/// What is noised.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Shape {
    Banana(Banana),
    Funnel(Funnel),
}

/// How far below its largest value the logarithm of an integrand may lie to be counted: e⁻³⁴ is 10⁻¹⁵.
const DEPTH: f64 = 34.0;

/// How far below it the steps still have to be fine: what lies deeper adds nothing that could be wrong by much.
const FINE_DEPTH: f64 = 8.0;

/// A step in standard deviations of the narrowest peak there may be: the sum is then off by exp(−2π²/0.7²) = 10⁻¹⁷.
const STEP: f64 = 0.7;

/// Most steps. Where more are wanted, far outside, the integrand is a narrow peak somewhere in its reach, which is
/// narrowed to it first.
const MOST_STEPS: f64 = 1000.0;

/// How often at most.
const MOST_NARROWINGS: usize = 3;

/// A place as the integral sees it.
struct Look {
    /// Which coordinate is u with noise.
    axis: usize,
    /// a² + d², and d².
    variances: [f64; 2],
    /// m and v.
    mean: f64,
    variance: f64,
    y: f64,
    z: f64,
}

/// The integrand's logarithm at equal steps.
struct Logs {
    /// u, and the logarithm there.
    at: Vec<(f64, f64)>,
    largest: f64,
    step: f64,
}

/// Sums over u with the weights of the integrand.
#[derive(Default)]
struct Sums {
    weight: f64,
    /// Of the pulls (u − y) / d² and (M − z) / V.
    pulls: Point,
    /// Of their products.
    products: Symmetric,
    /// Of 1 / V.
    precision: f64,
}

impl Noised {
    /// A banana under noise; both deviations above zero.
    #[must_use]
    pub fn banana(banana: Banana, noise: [f64; 2]) -> Noised {
        Noised { shape: Shape::Banana(banana), noise }
    }

    /// A funnel under noise; both deviations above zero.
    #[must_use]
    pub fn funnel(funnel: Funnel, noise: [f64; 2]) -> Noised {
        Noised { shape: Shape::Funnel(funnel), noise }
    }

    /// Which coordinate is u, and a.
    fn latent(&self) -> (usize, f64) {
        match &self.shape {
            Shape::Banana(banana) => (0, banana.length),
            Shape::Funnel(funnel) => (1, funnel.spread),
        }
    }

    fn look(&self, x: Point) -> Look {
        let (axis, a) = self.latent();
        let (prior, noise) = (a * a, self.noise[axis] * self.noise[axis]);
        let share = prior / (prior + noise);
        let (y, z) = (x[axis], x[1 - axis]);
        let variances = [prior + noise, noise];
        Look { axis, variances, mean: share * y, variance: share * noise, y, z }
    }

    /// M(u) and V(u).
    fn given(&self, u: f64) -> [f64; 2] {
        match &self.shape {
            Shape::Banana(banana) => {
                [banana.ridge(u), banana.thickness.powi(2) + self.noise[1].powi(2)]
            }
            Shape::Funnel(_) => [0.0, u.exp() + self.noise[0].powi(2)],
        }
    }

    /// log N(z | M(u), V(u)) less what is the same for all u, [`Noised::log_scale`].
    fn log_given(&self, u: f64, z: f64) -> f64 {
        let [mean, variance] = self.given(u);
        let varying = match &self.shape {
            Shape::Banana(_) => 0.0,
            Shape::Funnel(_) => variance.ln(),
        };
        -0.5 * ((z - mean).powi(2) / variance + varying)
    }

    fn log_scale(&self) -> f64 {
        let constant = match &self.shape {
            Shape::Banana(_) => self.given(0.0)[1],
            Shape::Funnel(_) => 1.0,
        };
        -0.5 * (TAU * constant).ln()
    }

    /// How far from m the integrand can be within a depth of its largest value, by what it is at m: elsewhere the other
    /// coordinate is no likelier than at the center of its narrowest Gaussian.
    fn reach(&self, look: &Look, depth: f64) -> f64 {
        let likeliest = match &self.shape {
            Shape::Banana(_) => 0.0,
            Shape::Funnel(_) => -self.noise[0].ln(),
        };
        let gain = (likeliest - self.log_given(look.mean, look.z)).max(0.0);
        (2.0 * look.variance * (gain + depth)).sqrt()
    }

    /// The largest curvature that the logarithm of the integrand may have downwards where it matters.
    fn sharpness(&self, look: &Look) -> f64 {
        let reach = self.reach(look, FINE_DEPTH);
        let off = 0.5 * reach * reach / look.variance;
        let of_other = match &self.shape {
            Shape::Banana(banana) => {
                let [_, variance] = self.given(0.0);
                let slope = 2.0 * banana.bend * (look.mean.abs() + reach);
                (slope * slope + 2.0 * banana.bend * (2.0 * variance * off).sqrt()) / variance
            }
            // With ρ = eᵘ/V: −½ρ(1−ρ) + ½ρ(1−2ρ) z²/V.
            Shape::Funnel(_) => 0.125 + off,
        };
        1.0 / look.variance + of_other
    }

    /// The integrand's logarithm at both ends of so many equal steps.
    fn logs(&self, look: &Look, [from, to]: [f64; 2], count: f64) -> Logs {
        let step = (to - from) / count;
        let places = (0..=count as usize).map(|i| from + i as f64 * step);
        let log = |u: f64| {
            let off = u - look.mean;
            self.log_given(u, look.z) - 0.5 * off * off / look.variance
        };
        let logs: Vec<(f64, f64)> = places.map(|u| (u, log(u))).collect();
        let largest = logs.iter().fold(f64::NEG_INFINITY, |largest, (_, log)| largest.max(*log));
        Logs { at: logs, largest, step }
    }

    /// Where in a range the integrand can be within [`DEPTH`] of its largest value, by what it is at [`MOST_STEPS`] steps.
    fn narrowed(&self, look: &Look, range: [f64; 2], sharpness: f64) -> [f64; 2] {
        let Logs { at: logs, largest, step } = self.logs(look, range, MOST_STEPS);
        // So much may a peak rise above both places beside it: two peaks alike may look as different as that.
        let unseen = 0.125 * sharpness * step * step;
        let counts = |(_, log): &(f64, f64)| *log > largest - DEPTH - unseen;
        let first = logs.iter().position(counts).unwrap_or(0);
        let last = logs.iter().rposition(counts).unwrap_or(logs.len() - 1);
        [logs[first.saturating_sub(1)].0, logs[(last + 1).min(logs.len() - 1)].0]
    }

    /// log p, its score and its Hessian.
    fn at(&self, x: Point) -> (f64, Point, Symmetric) {
        let look = self.look(x);
        let reach = self.reach(&look, DEPTH);
        let sharpness = self.sharpness(&look);
        let wanted = STEP / sharpness.sqrt();
        let mut range = [look.mean - reach, look.mean + reach];
        for _ in 0..MOST_NARROWINGS {
            if (range[1] - range[0]) / wanted <= MOST_STEPS {
                break;
            }
            range = self.narrowed(&look, range, sharpness);
        }
        let count = ((range[1] - range[0]) / wanted).ceil().clamp(8.0, MOST_STEPS);
        let Logs { at: logs, largest, step } = self.logs(&look, range, count);
        let mut sums = Sums::default();
        for (u, log) in logs.into_iter().filter(|(_, log)| *log > largest - DEPTH) {
            let [mean, variance] = self.given(u);
            let pulls = [(u - look.y) / look.variances[1], (mean - look.z) / variance];
            sums.add((log - largest).exp(), pulls, variance.recip());
        }
        let outer = -0.5 * (look.y.powi(2) / look.variances[0] + (TAU * look.variances[0]).ln());
        let inner = self.log_scale() + largest + (sums.weight * step).ln()
            - 0.5 * (TAU * look.variance).ln();
        let (score, hessian) = sums.derivatives(look.variances[1]);
        let (score, hessian) = match (look.axis, score, hessian) {
            (0, score, hessian) => (score, hessian),
            (_, [s1, s2], [h11, h12, h22]) => ([s2, s1], [h22, h12, h11]),
        };
        (outer + inner, score, hessian)
    }
}

impl Sums {
    fn add(&mut self, weight: f64, [a, b]: Point, precision: f64) {
        self.weight += weight;
        self.pulls = [self.pulls[0] + weight * a, self.pulls[1] + weight * b];
        let products = [a * a, a * b, b * b];
        for (sum, product) in self.products.iter_mut().zip(products) {
            *sum += weight * product;
        }
        self.precision += weight * precision;
    }

    /// Score and Hessian of the integral's logarithm by (y, z): the mean pull, and the pulls' covariance less the mean
    /// precisions.
    fn derivatives(&self, noise: f64) -> (Point, Symmetric) {
        let [a, b] = self.pulls.map(|sum| sum / self.weight);
        let [aa, ab, bb] = self.products.map(|sum| sum / self.weight);
        let precision = self.precision / self.weight;
        ([a, b], [aa - a * a - noise.recip(), ab - a * b, bb - b * b - precision])
    }
}

impl Density for Noised {
    fn log_density(&self, x: Point) -> f64 {
        self.at(x).0
    }

    fn score(&self, x: Point) -> Point {
        self.at(x).1
    }

    fn hessian(&self, x: Point) -> Symmetric {
        self.at(x).2
    }

    fn sample(&self, count: usize, rng: &mut Rng) -> Vec<Point> {
        let mut points = match &self.shape {
            Shape::Banana(banana) => banana.sample(count, rng),
            Shape::Funnel(funnel) => funnel.sample(count, rng),
        };
        for point in &mut points {
            *point = [0, 1].map(|axis| point[axis] + self.noise[axis] * normal(rng));
        }
        points
    }

    fn values(&self, points: &[Point]) -> Values {
        Values::of(points, |x| self.at(x))
    }

    fn scores(&self, points: &[Point]) -> Vec<(f64, Point)> {
        let score = |&x: &Point| {
            let (log_density, score, _) = self.at(x);
            (log_density, score)
        };
        points.iter().map(score).collect()
    }

    /// Strips across u, as wide as the noise and each as long as its Gaussian reaches.
    fn cells(&self) -> Vec<Bounds> {
        let (axis, a) = self.latent();
        let half = REACH * a.hypot(self.noise[axis]);
        let width = (0.5 * self.noise[axis].max(0.25 * a)).min(half);
        let count = (2.0 * half / width).ceil() as usize;
        let strip = |i: usize| {
            let [from, to] = [i, i + 1].map(|i| -half + 2.0 * half * i as f64 / count as f64);
            // Whatever u may have been there.
            let far = REACH * self.noise[axis];
            let ends = [from - far, 0.5 * (from + to), to + far].map(|u| u.clamp(-half, half));
            let turns = ends.into_iter().chain((from - far < 0.0 && to + far > 0.0).then_some(0.0));
            let (mut low, mut high, mut deviation) = (f64::MAX, f64::MIN, f64::MAX);
            for [mean, variance] in turns.map(|u| self.given(u)) {
                let reach = REACH * variance.sqrt();
                (low, high) = (low.min(mean - reach), high.max(mean + reach));
                deviation = deviation.min(variance.sqrt());
            }
            let place = |u: f64, z: f64| if axis == 0 { [u, z] } else { [z, u] };
            let bounds = Bounds { min: place(from, low), max: place(to, high) };
            let side = place(to - from, 2.0 * deviation);
            equal_cells(bounds, side)
        };
        (0..count).flat_map(strip).collect()
    }

    fn blurred(&self, deviations: [f64; 2]) -> Option<Arc<dyn Density>> {
        let noise = [0, 1].map(|axis| self.noise[axis].hypot(deviations[axis]));
        Some(Arc::new(Noised { noise, ..*self }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Against sums of a hundred thousand and more steps of the same integrals.
    #[test]
    fn far_outside_the_narrow_peak_of_the_integrand_is_found() {
        let banana = Banana { length: 3.0, bend: 2.0, thickness: 0.05 };
        for (noise, x, log_density, slope) in [
            (1.0, [0.0, 40.0], -21.383_199_558_110, -0.286_443_971_473),
            (0.2, [4.97, -3.24], -67.053_737_588_906, 5.041_779_577_798),
        ] {
            let noised = Noised::banana(banana, [noise; 2]);
            let (got, score, hessian) = noised.at(x);
            assert!((got - log_density).abs() < 1e-9, "{x:?}: {got}");
            assert!((score[1] - slope).abs() < 1e-9, "{x:?}: {score:?}");
            // The score is the slope of the logarithm, and the Hessian that of the score.
            for axis in 0..2 {
                let moved = |by: f64| {
                    let mut moved = x;
                    moved[axis] += by;
                    noised.at(moved)
                };
                let (before, after) = (moved(-1e-5), moved(1e-5));
                let expected = (after.0 - before.0) / 2e-5;
                assert!((score[axis] - expected).abs() < 1e-4, "{x:?}: {score:?} {expected}");
                let expected = (after.1[1] - before.1[1]) / 2e-5;
                let off = (hessian[1 + axis] - expected).abs();
                assert!(off < 1e-4 * (1.0 + expected.abs()), "{x:?}: {hessian:?} {expected}");
            }
        }
    }
}
