//! Densities that are known in closed form, or by quadrature along a curve, and are no Gaussian mixtures.

mod banana;
mod boxes;
mod curve;
mod donut;
mod funnel;
mod noised;
mod noised_donut;
mod normal;

pub use banana::Banana;
pub use boxes::Boxes;
pub use curve::{Curve, LEAST_NOISE, Node, along, around};
pub use donut::Donut;
pub use funnel::Funnel;
pub use noised::Noised;
pub use noised_donut::NoisedDonut;

use rand_distr::{Distribution, StandardNormal};

use super::Bounds;
use crate::random::Rng;

/// A standard normal number.
fn normal(rng: &mut Rng) -> f64 {
    StandardNormal.sample(rng)
}

/// Half the width of what counts of a normal distribution, in standard deviations: beyond lie 10⁻¹⁵ of its mass.
const REACH: f64 = 8.0;

/// A rectangle in equal cells, row after row; the fewest that are nowhere larger than `side`.
fn equal_cells(bounds: Bounds, side: [f64; 2]) -> Vec<Bounds> {
    let size = bounds.size();
    let [columns, rows] = [0, 1].map(|axis| (size[axis] / side[axis]).ceil().max(1.0) as usize);
    let edge = |axis: usize, i: usize, count: usize| {
        bounds.min[axis] + size[axis] * i as f64 / count as f64
    };
    let cell = |i: usize| {
        let (column, row) = (i % columns, i / columns);
        Bounds {
            min: [edge(0, column, columns), edge(1, row, rows)],
            max: [edge(0, column + 1, columns), edge(1, row + 1, rows)],
        }
    };
    (0..columns * rows).map(cell).collect()
}
