//! Density: a circle with a Gaussian profile across.

use std::f64::consts::{FRAC_1_SQRT_2, TAU};
use std::sync::Arc;

use rand::RngExt;

use super::noised_donut::isotropic;
use super::{NoisedDonut, REACH, equal_cells, normal};
use crate::model::{Bounds, Density, Point, Symmetric};
use crate::random::Rng;

/// p(x) ∝ exp(−(‖x‖ − R)² / 2s²), the donut of the MCMC gallery (chi-feng/mcmc-demo).
///
/// At the origin it has a kink, where it is all but zero for R well above s.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Donut {
    pub(super) radius: f64,
    pub(super) thickness: f64,
    pub(super) log_mass: f64,
}

impl Donut {
    /// A donut of radius R ≥ 0 and thickness s > 0.
    ///
    /// Its integral is 2π ∫₀^∞ r exp(−(r − R)² / 2s²) dr = 2π (s² exp(−R² / 2s²) + R s √(2π) Φ(R/s)).
    #[must_use]
    pub fn new(radius: f64, thickness: f64) -> Donut {
        let t = radius / thickness;
        let below = 0.5 * libm::erfc(-t * FRAC_1_SQRT_2);
        let mass = (-0.5 * t * t).exp() + t * TAU.sqrt() * below;
        Donut { radius, thickness, log_mass: (TAU * thickness.powi(2) * mass).ln() }
    }

    /// Distance from the origin, and the direction to there.
    fn polar(x: Point) -> (f64, Point) {
        let r = x[0].hypot(x[1]);
        // At the very origin no direction is better than another.
        if r > 0.0 { (r, [x[0] / r, x[1] / r]) } else { (f64::MIN_POSITIVE, [1.0, 0.0]) }
    }

    /// A distance from the origin: density ∝ r exp(−(r − R)² / 2s²).
    ///
    /// Rejection from N(m, s²) with the mode m = (R + √(R² + 4s²)) / 2; the quotient of the densities,
    /// ∝ r exp(−r / m), is largest at m.
    fn distance(&self, rng: &mut Rng) -> f64 {
        let (r, s) = (self.radius, self.thickness);
        let mode = f64::midpoint(r, r.hypot(2.0 * s));
        loop {
            let t = 1.0 + s * normal(rng) / mode;
            if rng.random::<f64>() < t * (1.0 - t).exp() {
                return mode * t;
            }
        }
    }
}

impl Density for Donut {
    fn log_density(&self, x: Point) -> f64 {
        let z = (x[0].hypot(x[1]) - self.radius) / self.thickness;
        -0.5 * z * z - self.log_mass
    }

    fn score(&self, x: Point) -> Point {
        let (r, direction) = Donut::polar(x);
        let pull = (self.radius - r) / self.thickness.powi(2);
        direction.map(|d| pull * d)
    }

    /// −nnᵀ / s² + (R/r − 1)(I − nnᵀ) / s² with the direction n.
    fn hessian(&self, x: Point) -> Symmetric {
        let (r, [n1, n2]) = Donut::polar(x);
        let precision = self.thickness.powi(-2);
        let along = (self.radius / r - 1.0) * precision;
        let entry = |product: f64, one: f64| -precision * product + along * (one - product);
        [entry(n1 * n1, 1.0), entry(n1 * n2, 0.0), entry(n2 * n2, 1.0)]
    }

    fn sample(&self, count: usize, rng: &mut Rng) -> Vec<Point> {
        let point = |_| {
            let r = self.distance(rng);
            let (sin, cos) = (TAU * rng.random::<f64>()).sin_cos();
            [r * cos, r * sin]
        };
        (0..count).map(point).collect()
    }

    /// Cells over distance and angle.
    fn cells(&self) -> Vec<Bounds> {
        let (r, s) = (self.radius, self.thickness);
        let bounds = Bounds { min: [(r - REACH * s).max(0.0), 0.0], max: [r + REACH * s, TAU] };
        equal_cells(bounds, [2.0 * s, TAU / 12.0])
    }

    fn unfold(&self, [r, angle]: Point) -> (Point, f64) {
        let (sin, cos) = angle.sin_cos();
        ([r * cos, r * sin], r)
    }

    fn blurred(&self, deviations: [f64; 2]) -> Option<Arc<dyn Density>> {
        Some(Arc::new(NoisedDonut::new(*self, isotropic(deviations)?)))
    }
}
