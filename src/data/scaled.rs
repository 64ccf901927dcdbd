//! A known density in the units of scaled points.

use std::sync::Arc;

use super::Scaling;
use crate::model::{Bounds, Density, Point, Symmetric, Values};
use crate::random::Rng;

/// The density of scaled points, z = (x − offset) / unit: p(z) = u₁u₂ p(x), with the Jacobian determinant u₁u₂.
///
/// Scores are multiplied by the units, Hessians by both of theirs.
#[derive(Clone)]
pub struct Scaled {
    /// The density in the units of the source.
    pub density: Arc<dyn Density>,
    /// How its points were scaled.
    pub scaling: Scaling,
}

impl Scaled {
    fn undo_all(&self, points: &[Point]) -> Vec<Point> {
        points.iter().map(|&point| self.scaling.undo(point)).collect()
    }

    fn scale_score(&self, [a, b]: Point) -> Point {
        let [u1, u2] = self.scaling.unit;
        [u1 * a, u2 * b]
    }

    fn scale_hessian(&self, [h11, h12, h22]: Symmetric) -> Symmetric {
        let [u1, u2] = self.scaling.unit;
        [u1 * u1 * h11, u1 * u2 * h12, u2 * u2 * h22]
    }
}

impl Density for Scaled {
    fn log_density(&self, z: Point) -> f64 {
        self.density.log_density(self.scaling.undo(z)) + self.scaling.log_unit_area()
    }

    fn score(&self, z: Point) -> Point {
        self.scale_score(self.density.score(self.scaling.undo(z)))
    }

    fn hessian(&self, z: Point) -> Symmetric {
        self.scale_hessian(self.density.hessian(self.scaling.undo(z)))
    }

    fn sample(&self, count: usize, rng: &mut Rng) -> Vec<Point> {
        let points = self.density.sample(count, rng);
        points.into_iter().map(|point| self.scaling.apply(point)).collect()
    }

    fn values(&self, points: &[Point]) -> Values {
        let mut values = self.density.values(&self.undo_all(points));
        let log_unit_area = self.scaling.log_unit_area();
        for log_density in &mut values.log_density {
            *log_density += log_unit_area;
        }
        for score in &mut values.score {
            *score = self.scale_score(*score);
        }
        for hessian in &mut values.hessian {
            *hessian = self.scale_hessian(*hessian);
        }
        values
    }

    fn scores(&self, points: &[Point]) -> Vec<(f64, Point)> {
        let log_unit_area = self.scaling.log_unit_area();
        let scores = self.density.scores(&self.undo_all(points));
        let scaled = |(log, score): (f64, Point)| (log + log_unit_area, self.scale_score(score));
        scores.into_iter().map(scaled).collect()
    }

    /// The cells of the source: only their places are scaled.
    fn cells(&self) -> Vec<Bounds> {
        self.density.cells()
    }

    fn unfold(&self, u: Point) -> (Point, f64) {
        let (place, stretch) = self.density.unfold(u);
        (self.scaling.apply(place), stretch / (self.scaling.unit[0] * self.scaling.unit[1]))
    }

    fn blurred(&self, [d1, d2]: [f64; 2]) -> Option<Arc<dyn Density>> {
        let [u1, u2] = self.scaling.unit;
        let density = self.density.blurred([d1 * u1, d2 * u2])?;
        Some(Arc::new(Scaled { density, scaling: self.scaling }))
    }
}
