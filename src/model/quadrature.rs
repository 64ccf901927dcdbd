//! Integrals over cells, each by two rules of different order.
//!
//! In every cell stand 7 × 7 nodes of Kronrod's rule, exact up to degree 11 in each coordinate; 3 × 3 of them are those
//! of Gauss, exact up to degree 5 (Kronrod 1965; the nodes are those of QUADPACK's family, Piessens et al. 1983).

use std::ops::Range;

use super::{Bounds, Density, Point};

/// Nodes of one cell.
pub(super) const NODES: usize = 49;

/// Kronrod's nodes on [−1, 1], and the weights of both rules; Gauss has every other node.
const RULE: [(f64, f64, f64); 7] = [
    (-0.960_491_268_708_020_3, 0.104_656_226_026_467_27, 0.0),
    (-0.774_596_669_241_483_4, 0.268_488_089_868_333_44, 5.0 / 9.0),
    (-0.434_243_749_346_802_56, 0.401_397_414_775_962_2, 0.0),
    (0.0, 0.450_916_538_658_474_14, 8.0 / 9.0),
    (0.434_243_749_346_802_56, 0.401_397_414_775_962_2, 0.0),
    (0.774_596_669_241_483_4, 0.268_488_089_868_333_44, 5.0 / 9.0),
    (0.960_491_268_708_020_3, 0.104_656_226_026_467_27, 0.0),
];

/// A number from quadrature, and how far it may be off.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// The number, by the finer rule.
    pub value: f64,
    /// How far it may be off: a cautious guess, as long as nothing is thinner than the cells.
    pub error: f64,
}

/// Where N integrands are evaluated: [`NODES`] places for each cell, in the order of the cells.
#[derive(Debug, Clone, Default)]
pub(super) struct Nodes {
    pub cells: Vec<Bounds>,
    /// Places on the plane of the data.
    pub places: Vec<Point>,
    /// What areas on the plane of the data the nodes stand for, by the finer rule.
    pub areas: Vec<f64>,
}

impl Nodes {
    /// Nodes in cells of a density.
    pub fn over(density: &dyn Density, cells: Vec<Bounds>) -> Nodes {
        let count = cells.len() * NODES;
        let mut nodes = Nodes {
            cells: Vec::new(),
            places: Vec::with_capacity(count),
            areas: Vec::with_capacity(count),
        };
        for cell in &cells {
            let ([x, y], [width, height]) = (cell.center(), cell.size());
            for (v, weight_v, _) in RULE {
                for (u, weight_u, _) in RULE {
                    let on_cells = [x + 0.5 * width * u, y + 0.5 * height * v];
                    let (place, stretch) = density.unfold(on_cells);
                    nodes.places.push(place);
                    nodes.areas.push(0.25 * width * height * weight_u * weight_v * stretch);
                }
            }
        }
        Nodes { cells, ..nodes }
    }
}

/// N integrals over one cell, by the finer rule, and how far each may be off.
///
/// The coarser rule is off by about its difference d to the finer one; the finer one, whose order is twice as high, by
/// about d²/A with A the integral of the absolute value. As in QUADPACK (Piessens et al. 1983) the guess is
/// d^1.5/A^0.5, between both, and never above d.
#[derive(Debug, Clone, Copy)]
pub(super) struct Integrals<const N: usize> {
    pub values: [f64; N],
    pub errors: [f64; N],
}

/// N integrals over one cell from the weights of its nodes (area times density) and the integrands there.
///
/// Nodes without weight are left out: there is nothing where the density's logarithm is no number.
pub(super) fn over_cell<const N: usize>(
    weights: &[f64],
    integrands: impl Fn(usize) -> [f64; N],
) -> Integrals<N> {
    let (mut values, mut coarse, mut absolute) = ([0.0; N], [0.0; N], [0.0; N]);
    for (i, &weight) in weights.iter().enumerate() {
        if weight == 0.0 {
            continue;
        }
        let ((_, fine_u, coarse_u), (_, fine_v, coarse_v)) = (RULE[i % 7], RULE[i / 7]);
        let quotient = coarse_u * coarse_v / (fine_u * fine_v);
        for (n, integrand) in integrands(i).into_iter().enumerate() {
            values[n] += weight * integrand;
            coarse[n] += weight * quotient * integrand;
            absolute[n] += weight * integrand.abs();
        }
    }
    let error = |n: usize| {
        let difference: f64 = coarse[n] - values[n];
        let share = (difference.abs() / absolute[n].max(f64::MIN_POSITIVE)).min(1.0);
        // Rounding of so many summands comes on top.
        difference.abs() * share.sqrt() + 1e-14 * absolute[n]
    };
    Integrals { values, errors: std::array::from_fn(error) }
}

/// Sums over all cells. Errors add up as if all had the same sign.
pub(super) fn total<const N: usize>(cells: &[Integrals<N>]) -> [Estimate; N] {
    std::array::from_fn(|n| {
        let sum = |f: &dyn Fn(&Integrals<N>) -> f64| cells.iter().map(f).sum::<f64>();
        Estimate { value: sum(&|cell| cell.values[n]), error: sum(&|cell| cell.errors[n]) }
    })
}

impl Nodes {
    /// The nodes of one cell, counted in the order of the cells.
    pub fn of_cell(cell: usize) -> Range<usize> {
        cell * NODES..(cell + 1) * NODES
    }

    /// Width and height of what the cells cover on the plane of the data, about.
    pub fn sizes(&self) -> impl Iterator<Item = [f64; 2]> {
        self.places
            .chunks_exact(NODES)
            .map(|places| Bounds::around(places).map_or([0.0; 2], |bounds| bounds.size()))
    }

    /// Adds other nodes after these.
    pub fn append(&mut self, other: &Nodes) {
        self.cells.extend_from_slice(&other.cells);
        self.places.extend_from_slice(&other.places);
        self.areas.extend_from_slice(&other.areas);
    }
}

/// The cells that are worst, no more than `count`: those whose errors are above their equal share of what is allowed.
/// Sorted. `allowed` are the errors that the totals may have.
pub(super) fn worst<const N: usize>(
    cells: &[Integrals<N>],
    allowed: [f64; N],
    count: usize,
) -> Vec<usize> {
    let badness = |i: usize| {
        let quotients = cells[i].errors.iter().zip(allowed).map(|(error, allowed)| error / allowed);
        quotients.fold(0.0, f64::max) * cells.len() as f64
    };
    let bad = (0..cells.len()).map(|i| (badness(i), i)).filter(|(badness, _)| *badness > 0.5);
    let mut bad: Vec<(f64, usize)> = bad.collect();
    bad.sort_unstable_by(|a, b| b.0.total_cmp(&a.0));
    bad.truncate(count);
    let mut indices: Vec<usize> = bad.into_iter().map(|(_, i)| i).collect();
    indices.sort_unstable();
    indices
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Mixture;

    #[test]
    fn the_rules_are_exact_up_to_their_degrees() {
        let plain = Mixture::new(&[1.0], &[[0.0; 2]], &[[1.0, 0.0, 1.0]]).unwrap();
        let cell = Bounds { min: [-1.0, 0.0], max: [2.0, 0.5] };
        let nodes = Nodes::over(&plain, vec![cell]);
        let power =
            |low: f64, high: f64, n: i32| (high.powi(n + 1) - low.powi(n + 1)) / f64::from(n + 1);
        for (a, b, is_coarse_exact) in [
            (0, 0, true),
            (5, 4, true),
            (3, 5, true),
            (6, 0, false),
            (11, 11, false),
            (8, 1, false),
        ] {
            let at = |i: usize| [nodes.places[i][0].powi(a) * nodes.places[i][1].powi(b)];
            let got = over_cell(&nodes.areas, at);
            let expected = power(-1.0, 2.0, a) * power(0.0, 0.5, b);
            assert!((got.values[0] / expected - 1.0).abs() < 1e-13, "{a} {b}: {got:?} {expected}");
            let is_exact = (got.errors[0] / expected).abs() < 1e-13;
            assert_eq!(is_exact, is_coarse_exact, "{a} {b}: {got:?}");
        }
        // The twelfth power is beyond both.
        let beyond = over_cell(&nodes.areas, |i| [nodes.places[i][0].powi(12)]).values[0];
        assert!((beyond / (power(-1.0, 2.0, 12) * 0.5) - 1.0).abs() > 1e-10);
    }
}
