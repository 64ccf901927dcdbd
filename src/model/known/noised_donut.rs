//! Density: a donut under Gaussian noise, by quadrature around the circle.

use std::f64::consts::{PI, TAU};
use std::sync::Arc;

use super::normal::log_tail;
use super::{Donut, REACH, equal_cells, normal};
use crate::model::{Bounds, Density, Point, Symmetric, Values};
use crate::random::Rng;

/// x + ε for x from a donut, ε ~ N(0, d²I).
///
/// In every direction φ off that of the place at distance ρ, the integral along the radius has a closed form: with
/// A = 1/s² + 1/d² and b(φ) = (R/s² + ρ cos φ / d²) / √A
///
/// p(ρ) = exp(−R²/2s² − ρ²/2d²) / (mass · 2πd² A) ∫ E(b(φ)) dφ, E(b) = 1 + b √(2π) Φ(b) exp(b²/2).
///
/// Around the circle it is a sum over equal steps, on closed curves the best of all rules (Trefethen and Weideman 2014).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NoisedDonut {
    donut: Donut,
    noise: f64,
}

/// Steps from the direction of the place to where nothing more comes, or to the opposite one.
const STEPS: usize = 40;

/// How far below its largest value the logarithm of the integrand may lie to be counted.
const DEPTH: f64 = 36.0;

/// log E(b), and its first and second derivative: q + b and 2 − q² − bq with q = 1 / (b + 1/m) and
/// m = √(2π) Φ(b) exp(b²/2), because m′ = E.
fn log_radial(b: f64) -> [f64; 3] {
    if b > 9.0 {
        // 1/m is 10⁻¹⁸.
        return [0.5 * (TAU.ln() + b * b) + b.ln(), b.recip() + b, 1.0 - (b * b).recip()];
    }
    let log_m = 0.5 * TAU.ln() + log_tail(-b) + 0.5 * b * b;
    let shifted = (-log_m).exp() + b;
    let q = shifted.recip();
    [log_m + shifted.ln(), q + b, 2.0 - q * q - b * q]
}

impl NoisedDonut {
    /// A donut under noise of this standard deviation, above zero.
    #[must_use]
    pub fn new(donut: Donut, noise: f64) -> NoisedDonut {
        NoisedDonut { donut, noise }
    }

    /// √A.
    fn root(&self) -> f64 {
        self.donut.thickness.recip().hypot(self.noise.recip())
    }

    /// log p and its first and second derivative at a distance from the origin.
    fn along(&self, distance: f64) -> [f64; 3] {
        let Donut { radius, thickness, log_mass } = self.donut;
        let (root, precision) = (self.root(), self.noise.powi(-2));
        let (rest, reach) = (radius / thickness.powi(2) / root, distance * precision / root);
        let nearest = rest + reach;
        // E falls at least like exp(b²/2) does: beyond this angle by more than the depth.
        let fall = 2.0 * DEPTH / (nearest * reach);
        let end =
            if nearest * nearest > 2.0 * DEPTH && fall < 2.0 { (1.0 - fall).acos() } else { PI };
        let step = end / STEPS as f64;
        let places = (0..=STEPS).map(|i| {
            let cosine = (i as f64 * step).cos();
            let [log, first, second] = log_radial(rest + reach * cosine);
            // By the distance.
            let slope = cosine * precision / root;
            let share: f64 = if i == 0 || i == STEPS { 1.0 } else { 2.0 };
            (log, share, first * slope, second * slope * slope)
        });
        let [largest, ..] = log_radial(nearest);
        let mut sums = [0.0; 4];
        for (log, share, first, second) in places {
            let weight = share * (log - largest).exp();
            for (sum, value) in sums.iter_mut().zip([1.0, first, second, first * first]) {
                *sum += weight * value;
            }
        }
        let [weight, first, second, square] = sums;
        let [first, second, square] = [first, second, square].map(|sum| sum / weight);
        let outer = -0.5 * (radius / thickness).powi(2) - 0.5 * distance.powi(2) * precision;
        let scale = -log_mass - (TAU * self.noise.powi(2) * root * root).ln();
        let log_density = outer + scale + largest + (weight * step).ln();
        let curvature = second + square - first * first - precision;
        [log_density, first - distance * precision, curvature]
    }

    /// log p, its score and its Hessian: along n the second derivative, across it the first one by the distance.
    fn at(&self, x: Point) -> (f64, Point, Symmetric) {
        let distance = x[0].hypot(x[1]);
        let [log_density, first, second] = self.along(distance);
        // At the origin both are the same.
        let is_center = distance < 1e-6 * self.noise;
        let [n1, n2] = if is_center { [1.0, 0.0] } else { x.map(|v| v / distance) };
        let across = if is_center { second } else { first / distance };
        let entry = |product: f64, one: f64| second * product + across * (one - product);
        let hessian = [entry(n1 * n1, 1.0), entry(n1 * n2, 0.0), entry(n2 * n2, 1.0)];
        let score = if is_center { x.map(|v| second * v) } else { [first * n1, first * n2] };
        (log_density, score, hessian)
    }
}

impl Density for NoisedDonut {
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
        let points = self.donut.sample(count, rng);
        points.into_iter().map(|x| x.map(|v| v + self.noise * normal(rng))).collect()
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

    /// Cells over distance and angle.
    fn cells(&self) -> Vec<Bounds> {
        let (r, s) = (self.donut.radius, self.donut.thickness.hypot(self.noise));
        let bounds = Bounds { min: [(r - REACH * s).max(0.0), 0.0], max: [r + REACH * s, TAU] };
        equal_cells(bounds, [2.0 * s, TAU / 12.0])
    }

    fn unfold(&self, [r, angle]: Point) -> (Point, f64) {
        let (sin, cos) = angle.sin_cos();
        ([r * cos, r * sin], r)
    }

    fn blurred(&self, deviations: [f64; 2]) -> Option<Arc<dyn Density>> {
        let noise = isotropic(deviations)?;
        Some(Arc::new(NoisedDonut { noise: self.noise.hypot(noise), ..*self }))
    }
}

/// The one deviation of noise that is the same in both coordinates; `None` for other noise, under which a circle is none.
#[must_use]
pub fn isotropic([d1, d2]: [f64; 2]) -> Option<f64> {
    ((d1 - d2).abs() <= 1e-12 * d1).then_some(d1)
}
