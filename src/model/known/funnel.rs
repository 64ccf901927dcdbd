//! Density: Neal's funnel.

use std::f64::consts::TAU;
use std::sync::Arc;

use super::{Noised, REACH, equal_cells, normal};
use crate::model::{Bounds, Density, Point, Symmetric};
use crate::random::Rng;

/// x₂ ~ N(0, a²) and x₁ ~ N(0, exp(x₂)): the funnel of Neal (2003), section 8, with one coordinate of its nine.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Funnel {
    /// a, the standard deviation of the logarithmic variance x₂; 3 in the paper. Above zero.
    pub spread: f64,
}

impl Density for Funnel {
    fn log_density(&self, [x, v]: Point) -> f64 {
        let u = v / self.spread;
        -0.5 * (u * u + x * x * (-v).exp() + v) - (TAU * self.spread).ln()
    }

    fn score(&self, [x, v]: Point) -> Point {
        let precision = (-v).exp();
        [-x * precision, -v / self.spread.powi(2) + 0.5 * (x * x * precision - 1.0)]
    }

    fn hessian(&self, [x, v]: Point) -> Symmetric {
        let precision = (-v).exp();
        [-precision, x * precision, -self.spread.powi(-2) - 0.5 * x * x * precision]
    }

    fn sample(&self, count: usize, rng: &mut Rng) -> Vec<Point> {
        let point = |_| {
            let v = self.spread * normal(rng);
            [(0.5 * v).exp() * normal(rng), v]
        };
        (0..count).map(point).collect()
    }

    /// Cells over (z, x₂) with x₁ = exp(x₂ / 2) z, where it is a Gaussian.
    fn cells(&self) -> Vec<Bounds> {
        let half = [REACH, REACH * self.spread];
        let bounds = Bounds { min: half.map(|h| -h), max: half };
        equal_cells(bounds, [2.0, self.spread.min(1.5)])
    }

    fn unfold(&self, [z, v]: Point) -> (Point, f64) {
        let deviation = (0.5 * v).exp();
        ([deviation * z, v], deviation)
    }

    fn blurred(&self, deviations: [f64; 2]) -> Option<Arc<dyn Density>> {
        Some(Arc::new(Noised::funnel(*self, deviations)))
    }
}
