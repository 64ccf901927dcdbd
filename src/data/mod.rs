//! Points and where they come from.

pub mod formats;
pub mod generators;
pub mod memory;
mod scaled;
pub mod spray;

pub use scaled::Scaled;

use std::sync::Arc;

use rand::seq::SliceRandom;

use crate::model::{Bounds, Cholesky, Component, Density, Gaussian, Mixture, Point};
use crate::random::{Purpose, generator};

/// Shared points that nobody changes: all of them, and how they are split and scaled.
#[derive(Debug, Clone, PartialEq)]
pub struct Dataset {
    /// The points that a model is trained on, scaled. At least one.
    pub train: Arc<[Point]>,
    /// The points that it is judged by, scaled. May be empty.
    pub validation: Arc<[Point]>,
    /// How the points were scaled; undoes to the units of the source.
    pub scaling: Scaling,
    /// The rectangle around all scaled points.
    pub bounds: Bounds,
    /// Mean of the variances of the training points' two coordinates.
    pub variance: f64,
}

/// Why points do not make a data set.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum DatasetError {
    /// Nothing to learn from.
    #[error(
        "there are no points to learn from: draw some on the canvas, choose a data set or open a file"
    )]
    Empty,
    /// A coordinate is NaN, infinite, or so large that its square would be.
    #[error(
        "point {index} is not finite, or beyond 10¹⁰⁰: remove it from the data, or scale the data"
    )]
    NotFinite {
        /// Which point, counted from 1.
        index: usize,
    },
}

impl Dataset {
    /// Splits points at random and scales them if asked.
    ///
    /// The split depends on `seed` and on the number of points only. Both parts get at least one point where
    /// there are two or more and the fraction is not zero.
    ///
    /// # Errors
    /// [`DatasetError`] without points, or with a point that is not finite.
    pub fn new(
        mut points: Vec<Point>,
        validation_fraction: f64,
        scale_to_unit_variance: bool,
        seed: u64,
    ) -> Result<Dataset, DatasetError> {
        // NaN is not below anything.
        let is_usable = |p: &Point| p.iter().all(|v| v.abs() < 1e100);
        if let Some(index) = points.iter().position(|p| !is_usable(p)) {
            return Err(DatasetError::NotFinite { index: index + 1 });
        }
        points.shuffle(&mut generator(seed, Purpose::Split));
        let mut validation_count = (points.len() as f64 * validation_fraction).round() as usize;
        if validation_fraction > 0.0 {
            validation_count = validation_count.max(1);
        }
        let (validation, train) =
            points.split_at(validation_count.min(points.len().saturating_sub(1)));
        Dataset::from_parts(train, validation, scale_to_unit_variance)
    }

    /// A data set whose split is given.
    ///
    /// # Errors
    /// [`DatasetError::Empty`] without training points.
    pub fn from_parts(
        train: &[Point],
        validation: &[Point],
        scale_to_unit_variance: bool,
    ) -> Result<Dataset, DatasetError> {
        if train.is_empty() {
            return Err(DatasetError::Empty);
        }
        let scaling = if scale_to_unit_variance { Scaling::of(train) } else { Scaling::NONE };
        // Straight to where they stay: a million points are copied once.
        let scaled = |points: &[Point]| -> Arc<[Point]> {
            points.iter().map(|&point| scaling.apply(point)).collect()
        };
        let (train, validation) = (scaled(train), scaled(validation));
        let mut bounds = Bounds::around(&train).ok_or(DatasetError::Empty)?;
        if let Some(other) = Bounds::around(&validation) {
            for axis in 0..2 {
                bounds.min[axis] = bounds.min[axis].min(other.min[axis]);
                bounds.max[axis] = bounds.max[axis].max(other.max[axis]);
            }
        }
        let (_, variances) = moments(&train);
        let variance = f64::midpoint(variances[0], variances[1]);
        Ok(Dataset { train, validation, scaling, bounds, variance })
    }
}

/// x ↦ (x − offset) / unit in each coordinate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scaling {
    /// What becomes the origin.
    pub offset: Point,
    /// What becomes one.
    pub unit: [f64; 2],
}

impl Scaling {
    /// Leaves points as they are.
    pub const NONE: Scaling = Scaling { offset: [0.0; 2], unit: [1.0; 2] };

    /// The scaling that gives points mean 0 and variance 1; a coordinate without variance is only shifted.
    #[must_use]
    pub fn of(points: &[Point]) -> Scaling {
        let (offset, variances) = moments(points);
        let unit = variances.map(|v| if v > 0.0 { v.sqrt() } else { 1.0 });
        Scaling { offset, unit }
    }

    /// From the units of the source to those of the model.
    #[must_use]
    pub fn apply(&self, x: Point) -> Point {
        std::array::from_fn(|axis| (x[axis] - self.offset[axis]) / self.unit[axis])
    }

    /// A mixture over scaled points as one over the points of the source: means µ·unit + offset, covariances scaled by
    /// both units.
    #[must_use]
    pub fn undo_mixture(&self, mixture: &Mixture) -> Mixture {
        map_mixture(mixture, self.unit, |mean| self.undo(mean))
    }

    /// A known density over the points of the source as the one over scaled points. Mixtures stay mixtures.
    #[must_use]
    pub fn apply_density(&self, density: Arc<dyn Density>) -> Arc<dyn Density> {
        if *self == Scaling::NONE {
            return density;
        }
        if let Some(mixture) = density.modes() {
            let scaled = map_mixture(mixture, self.unit.map(f64::recip), |mean| self.apply(mean));
            return Arc::new(scaled);
        }
        Arc::new(Scaled { density, scaling: *self })
    }

    /// What a log density over scaled points exceeds that over the source's points by: log(u₁u₂).
    #[must_use]
    pub fn log_unit_area(&self) -> f64 {
        self.unit[0].ln() + self.unit[1].ln()
    }

    /// From the units of the model back to those of the source.
    #[must_use]
    pub fn undo(&self, x: Point) -> Point {
        std::array::from_fn(|axis| x[axis] * self.unit[axis] + self.offset[axis])
    }
}

/// Means moved, and covariances scaled by both factors.
fn map_mixture(mixture: &Mixture, [u1, u2]: [f64; 2], mean: impl Fn(Point) -> Point) -> Mixture {
    let component = |component: &Component| {
        let Cholesky { l11, l21, l22 } = component.gaussian.cholesky;
        let cholesky = Cholesky { l11: u1 * l11, l21: u2 * l21, l22: u2 * l22 };
        let gaussian = Gaussian { mean: mean(component.gaussian.mean), cholesky };
        Component { log_weight: component.log_weight, gaussian }
    };
    Mixture::from_components(mixture.components().iter().map(component).collect())
}

/// Mean and (population) variance of both coordinates. Zeros without points.
pub(crate) fn moments(points: &[Point]) -> (Point, [f64; 2]) {
    let n = (points.len() as f64).max(1.0);
    let mean = std::array::from_fn(|axis| points.iter().map(|p| p[axis]).sum::<f64>() / n);
    let mean: Point = mean;
    let variance = std::array::from_fn(|axis| {
        points.iter().map(|p| (p[axis] - mean[axis]).powi(2)).sum::<f64>() / n
    });
    (mean, variance)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(count: usize) -> Vec<Point> {
        (0..count).map(|i| [i as f64, 2.0 * i as f64 + 100.0]).collect()
    }

    #[test]
    fn a_split_keeps_every_point_once() {
        let dataset = Dataset::new(line(101), 0.5, false, 3).unwrap();
        let mut all: Vec<_> = dataset.train.iter().chain(&*dataset.validation).copied().collect();
        all.sort_by(|a, b| a[0].total_cmp(&b[0]));
        assert_eq!(all, line(101));
        assert_eq!(dataset.validation.len(), 51);
        assert_eq!(dataset, Dataset::new(line(101), 0.5, false, 3).unwrap());
        assert_ne!(dataset, Dataset::new(line(101), 0.5, false, 4).unwrap());
    }

    #[test]
    fn small_sets_keep_a_point_on_both_sides() {
        let count = |n, fraction| {
            let dataset = Dataset::new(line(n), fraction, false, 0).unwrap();
            (dataset.train.len(), dataset.validation.len())
        };
        assert_eq!(count(1, 0.5), (1, 0));
        assert_eq!(count(2, 0.9), (1, 1));
        assert_eq!(count(10, 0.0), (10, 0));
        assert_eq!(Dataset::new(Vec::new(), 0.5, false, 0), Err(DatasetError::Empty));
        for bad in [f64::NAN, f64::INFINITY, 1e200] {
            let error = Dataset::new(vec![[0.0, 1.0], [bad, 0.0]], 0.5, false, 0).unwrap_err();
            assert_eq!(error, DatasetError::NotFinite { index: 2 });
        }
    }

    #[test]
    fn a_mixture_of_scaled_points_is_one_of_the_sources_points() {
        use crate::model::Density;
        let scaling = Scaling { offset: [3.0, -20.0], unit: [0.5, 40.0] };
        let scaled = Mixture::new(
            &[0.3, 0.7],
            &[[0.5, -1.0], [-1.0, 0.2]],
            &[[0.5, 0.2, 0.3], [1.0, -0.4, 0.8]],
        )
        .unwrap();
        let source = scaling.undo_mixture(&scaled);
        for z in [[0.0, 0.0], [1.0, -2.0], [0.4, 0.9]] {
            let expected = scaled.log_density(z) - scaling.log_unit_area();
            assert!((source.log_density(scaling.undo(z)) - expected).abs() < 1e-12);
        }
    }

    #[test]
    fn scaling_gives_unit_variance_and_is_undone() {
        let dataset = Dataset::new(line(50), 0.0, true, 0).unwrap();
        assert!((dataset.variance - 1.0).abs() < 1e-12);
        let back: Vec<_> = dataset.train.iter().map(|&x| dataset.scaling.undo(x)).collect();
        for point in back {
            assert!((point[1] - 2.0 * point[0] - 100.0).abs() < 1e-9);
        }
        // All points equal: nothing to divide by, nothing breaks.
        let equal = Dataset::new(vec![[3.0, 4.0]; 5], 0.0, true, 0).unwrap();
        assert_eq!(equal.train[0], [0.0, 0.0]);
    }
}
