//! Density: a Gaussian bent along a parabola.

use std::f64::consts::TAU;
use std::sync::Arc;

use super::{Noised, REACH, equal_cells, normal};
use crate::model::{Bounds, Density, Point, Symmetric};
use crate::random::Rng;

/// x₁ ~ N(0, a²) and x₂ = b (x₁² − a²) + s z with z ~ N(0, 1): the twisted Gaussian of Haario, Saksman and Tamminen
/// (1999), whose mean is the origin.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Banana {
    /// a, the standard deviation of x₁; above zero.
    pub length: f64,
    /// b; 0 leaves a Gaussian.
    pub bend: f64,
    /// s, the standard deviation of x₂ at a given x₁; above zero.
    pub thickness: f64,
}

impl Banana {
    /// What x₂ is at x₁ without the noise.
    pub(super) fn ridge(&self, x1: f64) -> f64 {
        self.bend * (x1 * x1 - self.length * self.length)
    }
}

impl Density for Banana {
    fn log_density(&self, x: Point) -> f64 {
        let (u, z) = (x[0] / self.length, (x[1] - self.ridge(x[0])) / self.thickness);
        -0.5 * (u * u + z * z) - (TAU * self.length * self.thickness).ln()
    }

    fn score(&self, x: Point) -> Point {
        let pull = (x[1] - self.ridge(x[0])) / self.thickness.powi(2);
        [-x[0] / self.length.powi(2) + 2.0 * self.bend * x[0] * pull, -pull]
    }

    fn hessian(&self, x: Point) -> Symmetric {
        let precision = self.thickness.powi(-2);
        let (slope, curvature) = (2.0 * self.bend * x[0], 2.0 * self.bend);
        let pull = (x[1] - self.ridge(x[0])) * precision;
        let h11 = -self.length.powi(-2) + curvature * pull - slope * slope * precision;
        [h11, slope * precision, -precision]
    }

    fn sample(&self, count: usize, rng: &mut Rng) -> Vec<Point> {
        let point = |_| {
            let x1 = self.length * normal(rng);
            [x1, self.ridge(x1) + self.thickness * normal(rng)]
        };
        (0..count).map(point).collect()
    }

    /// Cells over (x₁, z), where it is a Gaussian.
    fn cells(&self) -> Vec<Bounds> {
        let half = [REACH * self.length, REACH];
        let bounds = Bounds { min: half.map(|h| -h), max: half };
        equal_cells(bounds, [1.5 * self.length, 2.0])
    }

    fn unfold(&self, [x1, z]: Point) -> (Point, f64) {
        ([x1, self.ridge(x1) + self.thickness * z], self.thickness)
    }

    fn blurred(&self, deviations: [f64; 2]) -> Option<Arc<dyn Density>> {
        Some(Arc::new(Noised::banana(*self, deviations)))
    }
}
