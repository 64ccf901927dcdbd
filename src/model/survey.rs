//! Survey: a known density at the nodes of its cells, where models are compared with it.

use super::quadrature::{Integrals, NODES, Nodes, over_cell};
use super::{Bounds, Density, Gaussian, Point};

/// How large a cell may be for a component of a model to be seen, in its standard deviations: nodes are then at most
/// 2.6 of them apart. Whether what is seen is exact enough, the rules say.
pub(super) const COARSE: f64 = 12.0;

/// Cells that are computed at a time: few enough for the processor's cache.
pub(super) const CELLS_AT_ONCE: usize = 64;

/// What is known of a density p at nodes.
#[derive(Debug, Clone, Default)]
pub(super) struct Survey {
    pub nodes: Nodes,
    /// p times the area that the node stands for.
    weights: Vec<f64>,
    log_density: Vec<f64>,
    score: Vec<Point>,
}

impl Survey {
    /// The density at the nodes of cells.
    pub fn at(density: &dyn Density, cells: Vec<Bounds>) -> Survey {
        let nodes = Nodes::over(density, cells);
        let values = density.scores(&nodes.places);
        let (log_density, score): (Vec<f64>, Vec<Point>) = values.into_iter().unzip();
        let weights = log_density.iter().zip(&nodes.areas).map(|(log, area)| area * log.exp());
        Survey { weights: weights.collect(), nodes, log_density, score }
    }

    /// Of every cell whether a thin component that it meets could be missed.
    pub fn is_coarse(&self, thin: &[Gaussian]) -> Vec<bool> {
        let is_missed = |(size, bounds): ([f64; 2], Option<Bounds>)| {
            let Some(bounds) = bounds else { return false };
            thin.iter().any(|gaussian| {
                let allowed = gaussian.allowed(&bounds).map(|side| side.map(|s| s * COARSE / 3.0));
                allowed.is_some_and(|allowed| size[0] > allowed[0] || size[1] > allowed[1])
            })
        };
        if thin.is_empty() {
            return vec![false; self.nodes.cells.len()];
        }
        let bounds = self.nodes.places.chunks_exact(NODES).map(Bounds::around);
        self.nodes.sizes().zip(bounds).map(is_missed).collect()
    }

    /// Adds the cells of another survey after these.
    pub fn append(&mut self, other: &Survey) {
        self.nodes.append(&other.nodes);
        self.weights.extend_from_slice(&other.weights);
        self.log_density.extend_from_slice(&other.log_density);
        self.score.extend_from_slice(&other.score);
    }

    /// All but these cells, whose numbers are sorted.
    pub fn without(self, cells: &[usize]) -> Survey {
        let nodes: Vec<usize> = cells.iter().flat_map(|&cell| Nodes::of_cell(cell)).collect();
        let Survey { nodes: mut all, mut weights, mut log_density, mut score } = self;
        remove(&mut all.cells, cells);
        remove(&mut all.places, &nodes);
        remove(&mut all.areas, &nodes);
        remove(&mut weights, &nodes);
        remove(&mut log_density, &nodes);
        remove(&mut score, &nodes);
        Survey { nodes: all, weights, log_density, score }
    }

    /// Mass, entropy and information in a cell.
    pub fn own_integrals(&self, cell: usize) -> Integrals<3> {
        let range = Nodes::of_cell(cell);
        let (log_density, score) = (&self.log_density[range.clone()], &self.score[range.clone()]);
        over_cell(&self.weights[range], |i| [1.0, -log_density[i], 0.5 * square(score[i])])
    }

    /// Over every cell the integrals of a [`super::Divergence`] of a model.
    pub fn integrals(&self, model: &dyn Density) -> Vec<Integrals<4>> {
        let mut integrals = Vec::with_capacity(self.nodes.cells.len());
        for places in self.nodes.places.chunks(CELLS_AT_ONCE * NODES) {
            let values = model.values(places);
            for cell in 0..places.len() / NODES {
                let first = integrals.len() * NODES;
                integrals.push(over_cell(&self.weights[first..first + NODES], |i| {
                    let (p, q) = (first + i, cell * NODES + i);
                    let (s, t) = (self.score[p], values.score[q]);
                    let [h11, _, h22] = values.hessian[q];
                    let kl = self.log_density[p] - values.log_density[q];
                    let fisher = 0.5 * square([s[0] - t[0], s[1] - t[1]]);
                    let implicit = h11 + h22 + 0.5 * square(t);
                    [kl, fisher, implicit, fisher - implicit]
                }));
            }
        }
        integrals
    }
}

/// Removes the entries at sorted places, and keeps the order of the others.
pub(super) fn remove<T>(entries: &mut Vec<T>, sorted: &[usize]) {
    let mut places = sorted.iter().peekable();
    let mut place = 0;
    entries.retain(|_| {
        let is_there = places.next_if_eq(&&place).is_some();
        place += 1;
        !is_there
    });
}

pub(super) fn square(x: Point) -> f64 {
    x[0] * x[0] + x[1] * x[1]
}
