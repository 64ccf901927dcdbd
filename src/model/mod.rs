//! Densities on the plane: plain f64, no tensors, no threads, no files, no window.
//!
//! Views and samplers speak to [`Density`]. [`Mixture`] is the first one; circuits and energy networks come later.

mod cells;
mod conditional;
mod divergence;
mod field;
mod gaussian;
pub mod known;
mod measures;
mod mixture;
mod parameters;
mod quadrature;
mod raster;
mod survey;

pub use conditional::{Bell, LineMixture};
pub use divergence::{Divergence, Estimate, Truth};
pub use field::{Field, Values, field};
pub use gaussian::{Cholesky, Ellipse, Gaussian};
pub use measures::{aic, bic};
pub(crate) use mixture::log_sum_exp;
pub use mixture::{Component, Mixture, MixtureError};
pub(crate) use parameters::raised;
pub use parameters::{COVARIANCE_TYPE, CovarianceType, N_COMPONENTS, Parameters, REG_COVAR};
pub use raster::{Raster, raster};

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::random::Rng;

/// A place on the plane, (x₁, x₂).
pub type Point = [f64; 2];

/// A symmetric 2×2 matrix as its entries [m₁₁, m₁₂, m₂₂].
pub type Symmetric = [f64; 3];

/// What every view may ask of a model. Points and values are in the units of the data.
pub trait Density: Send + Sync {
    /// log p(x), in nats.
    fn log_density(&self, x: Point) -> f64;

    /// The score ∇ₓ log p(x).
    fn score(&self, x: Point) -> Point;

    /// The Hessian of log p at x.
    fn hessian(&self, x: Point) -> Symmetric;

    /// Independent points drawn from the density.
    fn sample(&self, count: usize, rng: &mut Rng) -> Vec<Point>;

    /// The density on a grid. Shape: `height` rows (from the top) × `width` columns.
    fn raster(&self, bounds: Bounds, width: usize, height: usize) -> Raster {
        raster(bounds, width, height, |x| self.log_density(x).exp())
    }

    /// Log density, score and Hessian on a grid. Shape: `height` rows (from the top) × `width` columns.
    fn field(&self, bounds: Bounds, width: usize, height: usize) -> Field {
        let at = |x| (self.log_density(x), self.score(x), self.hessian(x));
        field(bounds, width, height, at)
    }

    /// Log density, score and Hessian at many points, in their order.
    fn values(&self, points: &[Point]) -> Values {
        Values::of(points, |x| (self.log_density(x), self.score(x), self.hessian(x)))
    }

    /// Log density and score at many points, in their order: what a sampler asks for at every step.
    fn scores(&self, points: &[Point]) -> Vec<(f64, Point)> {
        points.iter().map(|&x| (self.log_density(x), self.score(x))).collect()
    }

    /// Disjoint rectangles that hold all the mass but 10⁻¹², small enough that the density is tame in each. They lie on
    /// the plane of [`Density::unfold`].
    fn cells(&self) -> Vec<Bounds>;

    /// The place of a point of the cells' plane, and how much larger areas are there (the Jacobian determinant).
    ///
    /// Most densities are integrated where they are; a funnel is integrated where it is a Gaussian.
    fn unfold(&self, u: Point) -> (Point, f64) {
        (u, 1.0)
    }

    /// The density of x + ε with ε ~ N(0, diag(d₁², d₂²)) for deviations d above zero; `None` where it is not
    /// known.
    fn blurred(&self, _deviations: [f64; 2]) -> Option<Arc<dyn Density>> {
        None
    }

    /// The mixture whose components are the density's modes, if it is one.
    fn modes(&self) -> Option<&Mixture> {
        None
    }
}

/// An axis-parallel rectangle on the plane.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Bounds {
    /// Lower left corner.
    pub min: Point,
    /// Upper right corner.
    pub max: Point,
}

impl Bounds {
    /// The smallest rectangle that holds all points; `None` without points.
    #[must_use]
    pub fn around(points: &[Point]) -> Option<Bounds> {
        let first = *points.first()?;
        let mut bounds = Bounds { min: first, max: first };
        for point in points {
            bounds.min = [bounds.min[0].min(point[0]), bounds.min[1].min(point[1])];
            bounds.max = [bounds.max[0].max(point[0]), bounds.max[1].max(point[1])];
        }
        Some(bounds)
    }

    /// Width and height.
    #[must_use]
    pub fn size(&self) -> [f64; 2] {
        [self.max[0] - self.min[0], self.max[1] - self.min[1]]
    }

    /// The point in the middle.
    #[must_use]
    pub fn center(&self) -> Point {
        [f64::midpoint(self.min[0], self.max[0]), f64::midpoint(self.min[1], self.max[1])]
    }

    /// Both halves, cut across the first coordinate (axis 0) or the second (axis 1).
    #[must_use]
    pub fn halves(&self, axis: usize) -> [Bounds; 2] {
        let (mut lower, mut upper) = (*self, *self);
        let middle = self.center()[axis];
        lower.max[axis] = middle;
        upper.min[axis] = middle;
        [lower, upper]
    }

    /// The rectangle with a margin on every side, as a share of its larger side; never empty.
    #[must_use]
    pub fn with_margin(&self, share: f64) -> Bounds {
        let [width, height] = self.size();
        let larger = width.max(height);
        // All points equal: show a unit square around them.
        let margin = if larger > 0.0 { larger * share } else { 0.5 };
        Bounds {
            min: [self.min[0] - margin, self.min[1] - margin],
            max: [self.max[0] + margin, self.max[1] + margin],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_of_nothing_and_of_single_places_are_what_single_points_say() {
        let point = Bounds { min: [0.1; 2], max: [0.1; 2] };
        let line = Bounds { min: [-3.0, 0.1], max: [3.0, 0.1] };
        let near = Mixture::new(&[0.4, 0.6], &[[0.0; 2], [1.0, 2.0]], &[[0.5, 0.2, 0.3]; 2]);
        // So far away that no density is above zero; its logarithm is known all the same.
        let far = Mixture::new(&[0.4, 0.6], &[[60.0; 2], [70.0, 2.0]], &[[0.1, 0.0, 0.1]; 2]);
        for mixture in [near.unwrap(), far.unwrap()] {
            for (width, height) in [(0, 0), (0, 5), (5, 0), (5, 4)] {
                for bounds in [point, line] {
                    let got = mixture.field(bounds, width, height);
                    let lengths = [got.log_density.len(), got.score.len(), got.hessian.len()];
                    assert_eq!(lengths, [width * height; 3], "{bounds:?}");
                    for i in 0..width * height {
                        let x = got.place(i);
                        let (log_density, score) = (mixture.log_density(x), mixture.score(x));
                        let is_near = |a: f64, b: f64| (a - b).abs() <= 1e-9 * b.abs() + 1e-12;
                        assert!(is_near(got.log_density[i], log_density), "{x:?}");
                        assert!((0..2).all(|k| is_near(got.score[i][k], score[k])), "{x:?}");
                    }
                }
            }
        }
    }
}
