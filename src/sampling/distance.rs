//! How far particles are from where they should be: shares of the modes, and the energy distance.

use crate::model::{Mixture, Point};

/// How many particles sit at one mode of a mixture.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ModeShare {
    /// Mean responsibility of the component over the particles.
    pub share: f64,
    /// Standard error of the share, for independent particles.
    pub standard_error: f64,
    /// What it should be, the component's weight: E rₖ(x) = πₖ.
    pub weight: f64,
}

/// Share of the particles at every component, by responsibility. Zero shares without particles. Length K.
#[must_use]
pub fn mode_shares(mixture: &Mixture, points: &[Point]) -> Vec<ModeShare> {
    let n = points.len().max(1) as f64;
    let mut sums = vec![[0.0; 2]; mixture.components().len()];
    for &x in points {
        for (sum, r) in sums.iter_mut().zip(mixture.responsibilities(x).0) {
            *sum = [sum[0] + r, sum[1] + r * r];
        }
    }
    let share = |([sum, squares], weight): ([f64; 2], f64)| {
        let share = sum / n;
        let variance = (squares / n - share * share).max(0.0);
        ModeShare { share, standard_error: (variance / n).sqrt(), weight }
    };
    sums.into_iter().zip(mixture.weights()).map(share).collect()
}

/// The squared energy distance of two sets of points, and its standard error.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EnergyDistance {
    /// 2 E‖X − Y‖ − E‖X − X′‖ − E‖Y − Y′‖, in the unit of the points; around zero, below it too, for equal
    /// distributions.
    pub value: f64,
    /// Its standard error, from the scatter over blocks of the points.
    pub standard_error: f64,
}

/// Into how many blocks points are divided.
const BLOCKS: usize = 10;

/// Most points of a block: the effort grows with the square.
const MAX_BLOCK: usize = 200;

/// How far two sets of independent points are apart: zero in the mean if and only if they come from the same
/// distribution (Székely and Rizzo 2013, eq. 5, with unbiased means over pairs).
///
/// Of both sets the same number of points is used, 2000 at most, in ten blocks, whose estimates are averaged. `None`
/// for sets of less than 20 points.
#[must_use]
pub fn energy_distance(x: &[Point], y: &[Point]) -> Option<EnergyDistance> {
    let size = (x.len().min(y.len()) / BLOCKS).min(MAX_BLOCK);
    if size < 2 {
        return None;
    }
    let blocks = x.chunks_exact(size).zip(y.chunks_exact(size)).take(BLOCKS);
    let values: Vec<f64> = blocks.map(|(x, y)| of_blocks(x, y)).collect();
    let n = BLOCKS as f64;
    let value = values.iter().sum::<f64>() / n;
    let variance = values.iter().map(|v| (v - value).powi(2)).sum::<f64>() / (n - 1.0);
    Some(EnergyDistance { value, standard_error: (variance / n).sqrt() })
}

/// The estimate from two blocks of one size.
fn of_blocks(x: &[Point], y: &[Point]) -> f64 {
    // Not hypot, which is several times slower: nothing here is near the ends of the numbers.
    let distance = |a: &Point, b: &Point| ((a[0] - b[0]).powi(2) + (a[1] - b[1]).powi(2)).sqrt();
    let n = x.len() as f64;
    let sum = |a: &[Point], b: &[Point]| -> f64 {
        a.iter().map(|a| b.iter().map(|b| distance(a, b)).sum::<f64>()).sum()
    };
    // A point's distance to itself is zero, so that n (n − 1) pairs are left.
    2.0 * sum(x, y) / (n * n) - (sum(x, x) + sum(y, y)) / (n * (n - 1.0))
}
