//! Density: equal boxes with an even density inside, sharp or blurred by Gaussian noise.

use std::sync::Arc;

use rand::RngExt;

use super::normal::Interval;
use super::{Node, REACH, equal_cells, normal};
use crate::model::cells::fitted;
use crate::model::{Bounds, Density, Point, Symmetric, Values, log_sum_exp};
use crate::random::Rng;

/// A point spread evenly over one of several boxes of equal size, plus Gaussian noise: Σ wᵢ Aᵢ(x₁) Bᵢ(x₂) / area with
/// A(x) = Φ((x − low) / σ) − Φ((x − high) / σ).
///
/// Without noise it is even inside and zero outside: its score is zero inside and no number on the edges, so that
/// score matching, which integrates by parts, forgets what happens there (Hyvärinen 2005, theorem 1, asks for a density
/// that goes to zero at the boundary).
#[derive(Debug, Clone, PartialEq)]
pub struct Boxes {
    /// Centers, and shares that sum to one.
    centers: Vec<Node>,
    /// Width and height of every box.
    side: [f64; 2],
    /// Standard deviation of the noise in both coordinates.
    noise: [f64; 2],
}

/// How much farther outside than the nearest one a box no longer matters, in squared standard deviations: there it has
/// fallen to 10⁻¹³ of the nearest.
const NEGLIGIBLE: f64 = 60.0;

/// One box as seen from a point.
struct Term {
    /// log w A B / area.
    log_joint: f64,
    /// A′/A and B′/B.
    score: Point,
    /// A″/A and B″/B.
    curvature: Point,
}

impl Boxes {
    /// From centers with shares that sum to one, the boxes' width and height, and the noise, which may be zero if the
    /// boxes do not overlap.
    #[must_use]
    pub fn new(centers: Vec<Node>, side: [f64; 2], noise: [f64; 2]) -> Boxes {
        Boxes { centers, side, noise }
    }

    /// How far outside of a box a point lies, squared, in standard deviations of the noise.
    fn square_distance(&self, center: Point, x: Point) -> f64 {
        let along = |axis: usize| {
            let outside = (x[axis] - center[axis]).abs() - 0.5 * self.side[axis];
            // Not 0/0 where there is no noise.
            if outside <= 0.0 { 0.0 } else { (outside / self.noise[axis]).powi(2) }
        };
        along(0) + along(1)
    }

    /// The boxes that matter at a point; empty where the density is zero.
    fn terms(&self, x: Point) -> Vec<Term> {
        let distances: Vec<f64> =
            self.centers.iter().map(|node| self.square_distance(node.0, x)).collect();
        let nearest = distances.iter().copied().fold(f64::INFINITY, f64::min);
        if nearest == f64::INFINITY {
            return Vec::new();
        }
        let matters = |square: f64| square <= nearest + NEGLIGIBLE;
        let near = self.centers.iter().zip(distances).filter(|(_, square)| matters(*square));
        near.map(|(&(center, share), _)| self.term(center, share, x)).collect()
    }

    fn term(&self, center: Point, share: f64, x: Point) -> Term {
        let mut term = Term { log_joint: share.ln(), score: [0.0; 2], curvature: [0.0; 2] };
        for axis in 0..2 {
            let (half, noise) = (0.5 * self.side[axis], self.noise[axis]);
            let from_center = x[axis] - center[axis];
            term.log_joint -= self.side[axis].ln();
            if noise == 0.0 {
                continue;
            }
            let (low, high) = ((from_center - half) / noise, (from_center + half) / noise);
            let Interval { log_share, ends: [at_low, at_high] } = Interval::new(low, high);
            term.log_joint += log_share;
            term.score[axis] = (at_high - at_low) / noise;
            term.curvature[axis] = (low * at_low - high * at_high) / (noise * noise);
        }
        term
    }

    /// Log density, score and Hessian of its logarithm.
    fn at(&self, x: Point) -> (f64, Point, Symmetric) {
        let terms = self.terms(x);
        let joints: Vec<f64> = terms.iter().map(|term| term.log_joint).collect();
        let log_density = log_sum_exp(&joints);
        let mut s = [0.0; 2];
        let mut h = [0.0; 3];
        for term in &terms {
            let r = (term.log_joint - log_density).exp();
            let [a, b] = term.score;
            s = [s[0] + r * a, s[1] + r * b];
            h = [h[0] + r * term.curvature[0], h[1] + r * a * b, h[2] + r * term.curvature[1]];
        }
        (log_density, s, [h[0] - s[0] * s[0], h[1] - s[0] * s[1], h[2] - s[1] * s[1]])
    }

    /// How large a cell may be where it meets the box around a center.
    fn allowed(&self, center: Point, cell: &Bounds) -> Option<[f64; 2]> {
        let along = |axis: usize| {
            let (half, reach) = (0.5 * self.side[axis], REACH * self.noise[axis]);
            let (low, high) = (cell.min[axis] - center[axis], cell.max[axis] - center[axis]);
            if low > half + reach || high < -half - reach {
                return None;
            }
            let meets = |edge: f64| low < edge + reach && high > edge - reach;
            let is_at_an_edge = meets(half) || meets(-half);
            let side = 0.25 * self.side[axis];
            Some(if is_at_an_edge { 3.0 * self.noise[axis] } else { side })
        };
        Some([along(0)?, along(1)?])
    }
}

impl Density for Boxes {
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
        let mut ends: Vec<f64> = self.centers.iter().map(|node| node.1).collect();
        for i in 1..ends.len() {
            ends[i] += ends[i - 1];
        }
        let point = |_| {
            let u: f64 = rng.random();
            let i = ends.partition_point(|&end| end <= u).min(ends.len() - 1);
            std::array::from_fn(|axis| {
                let inside = self.side[axis] * (rng.random::<f64>() - 0.5);
                self.centers[i].0[axis] + inside + self.noise[axis] * normal(rng)
            })
        };
        (0..count).map(point).collect()
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

    fn cells(&self) -> Vec<Bounds> {
        let centers: Vec<Point> = self.centers.iter().map(|node| node.0).collect();
        let around = |center: Point, reach: f64| Bounds {
            min: [0, 1].map(|a| center[a] - 0.5 * self.side[a] - reach * self.noise[a]),
            max: [0, 1].map(|a| center[a] + 0.5 * self.side[a] + reach * self.noise[a]),
        };
        if self.noise.contains(&0.0) {
            let cells = |&center: &Point| {
                equal_cells(around(center, 0.0), self.side.map(|side| 0.25 * side))
            };
            return centers.iter().flat_map(cells).collect();
        }
        let ends = centers.iter().flat_map(|&center| {
            let Bounds { min, max } = around(center, REACH);
            [min, max]
        });
        let Some(bounds) = Bounds::around(&ends.collect::<Vec<_>>()) else { return Vec::new() };
        fitted(bounds, &centers, |&center, cell| self.allowed(center, cell))
    }

    fn blurred(&self, deviations: [f64; 2]) -> Option<Arc<dyn Density>> {
        let noise = [0, 1].map(|axis| self.noise[axis].hypot(deviations[axis]));
        Some(Arc::new(Boxes { noise, ..self.clone() }))
    }
}
