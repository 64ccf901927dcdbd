//! How far a model is from a density that is known: KL and Fisher divergence by quadrature.

use std::sync::Arc;

pub use super::quadrature::Estimate;
use super::quadrature::{Integrals, NODES, Nodes, over_cell, total, worst};
use super::{Bounds, Density, Gaussian, Mixture, Point};

/// A known density p, prepared for comparisons: where it has its mass, how much, and its score there.
///
/// Preparing takes a while, comparing a model only milliseconds: the places are the same for all models, unless a model
/// is thinner than they are dense, where it gets places of its own.
#[derive(Clone)]
pub struct Truth {
    density: Arc<dyn Density>,
    known: Known,
    /// ∫ p dx: one, as far as the quadrature sees.
    pub mass: Estimate,
    /// −E log p(x), in nats: no model's expected NLL is below it.
    pub entropy: Estimate,
    /// ½ E‖∇ log p(x)‖²: by this the explicit objective of score matching exceeds the implicit one, for every model
    /// (Hyvärinen 2005, theorem 1).
    pub information: Estimate,
}

/// What is known of p at nodes.
#[derive(Debug, Clone, Default)]
struct Known {
    nodes: Nodes,
    /// p times the area that the node stands for.
    weights: Vec<f64>,
    log_density: Vec<f64>,
    score: Vec<Point>,
}

/// How far a model q is from the truth p; every E is over p.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Divergence {
    /// KL(p ‖ q) = E log p(x) − log q(x), in nats (Kullback and Leibler 1951).
    pub kl: Estimate,
    /// ½ E‖∇ log p(x) − ∇ log q(x)‖², the Fisher divergence: the explicit objective of score matching (Hyvärinen 2005,
    /// eq. 2).
    pub fisher: Estimate,
    /// E tr ∇² log q(x) + ½‖∇ log q(x)‖², its implicit objective, which does not need ∇ log p (eq. 4).
    pub implicit: Estimate,
    /// Explicit minus implicit objective: the same for all models where p is smooth and goes to zero at its edges.
    pub constant: Estimate,
}

/// Cells that a model may have cut into four, in one comparison.
const MAX_CUTS: usize = 100;

/// Cells that a truth may have cut into four.
const MAX_OWN_CUTS: usize = 20_000;

/// What every error should stay below, as a share of one plus the value.
const TOLERANCE: f64 = 1e-5;

/// What the error of a Fisher divergence should stay below, as a share of the value.
const RELATIVE_TOLERANCE: f64 = 2e-3;

/// How large a cell may be for a component of a model to be seen, in its standard deviations: three nodes within two of
/// them.
const COARSE: f64 = 6.0;

/// Cells with less than this share of the mass are left out.
const NEGLIGIBLE: f64 = 1e-20;

/// Cells that are computed at a time: few enough for the processor's cache.
const CELLS_AT_ONCE: usize = 64;

impl Truth {
    /// Finds the places at which models will be compared with the density: in its own cells, which are cut where its
    /// mass, entropy or information is not exact enough.
    #[must_use]
    pub fn new(density: Arc<dyn Density>) -> Truth {
        let mut done = Known::default();
        let mut own: Vec<Integrals<3>> = Vec::new();
        let mut next = density.cells();
        let mut cuts = 0;
        loop {
            for cells in next.chunks(CELLS_AT_ONCE) {
                let known = Known::at(&*density, cells.to_vec());
                own.extend((0..cells.len()).map(|cell| known.own_integrals(cell)));
                done.append(&known);
            }
            let totals = total(&own);
            let limits = limits(&totals);
            let may_cut = cuts < MAX_OWN_CUTS && is_too_rough(&totals, &limits);
            let bad = if may_cut { worst(&own, limits, MAX_OWN_CUTS - cuts) } else { Vec::new() };
            if bad.is_empty() {
                break;
            }
            cuts += bad.len();
            next = bad.iter().flat_map(|&cell| quarters(done.nodes.cells[cell])).collect();
            done = done.without(&bad);
            remove(&mut own, &bad);
        }
        let negligible = |&cell: &usize| own[cell].values[0] <= NEGLIGIBLE;
        let negligible: Vec<usize> = (0..own.len()).filter(negligible).collect();
        let [mass, entropy, information] = total(&own);
        Truth { density, known: done.without(&negligible), mass, entropy, information }
    }

    /// The density itself.
    #[must_use]
    pub fn density(&self) -> &Arc<dyn Density> {
        &self.density
    }

    /// At how many places a model is evaluated, those aside that it gets for itself.
    #[must_use]
    pub fn place_count(&self) -> usize {
        self.known.nodes.places.len()
    }

    /// KL and Fisher divergence of a model, and both objectives of score matching.
    #[must_use]
    pub fn compare(&self, model: &dyn Density) -> Divergence {
        let mut cells = self.known.nodes.cells.clone();
        let mut integrals = self.known.integrals(model);
        let thin = self.thin_components(model);
        let mut is_coarse = self.known.is_coarse(&thin);
        let mut cuts = 0;
        loop {
            // Rules that see nothing of a thin component agree; so its own cells come first.
            let mut bad: Vec<usize> = (0..cells.len()).filter(|&cell| is_coarse[cell]).collect();
            bad.truncate(MAX_CUTS - cuts);
            let totals = total(&integrals);
            let limits = self.limits(&totals);
            if bad.is_empty() && is_too_rough(&totals, &limits) {
                bad = worst(&integrals, limits, MAX_CUTS - cuts);
            }
            if bad.is_empty() {
                break;
            }
            cuts += bad.len();
            let quarters = bad.iter().flat_map(|&cell| quarters(cells[cell])).collect();
            let known = Known::at(&*self.density, quarters);
            remove(&mut cells, &bad);
            remove(&mut integrals, &bad);
            remove(&mut is_coarse, &bad);
            integrals.extend(known.integrals(model));
            is_coarse.extend(known.is_coarse(&thin));
            cells.extend(known.nodes.cells);
        }
        let [kl, fisher, implicit, constant] = total(&integrals);
        Divergence { kl, fisher, implicit, constant }
    }

    /// The errors that a comparison may have. The Fisher divergence also by its own size, because between modes far apart
    /// it is tiny and yet the point of the lesson; rounding limits that.
    fn limits(&self, totals: &[Estimate; 4]) -> [f64; 4] {
        let mut limits = limits(totals);
        let rounding = 1e-13 * (1.0 + self.information.value);
        limits[1] = limits[1].min(RELATIVE_TOLERANCE * totals[1].value).max(rounding);
        limits
    }

    /// The components of a model that the cells might miss.
    fn thin_components(&self, model: &dyn Density) -> Vec<Gaussian> {
        let largest = self.known.nodes.sizes().flatten().fold(0.0, f64::max);
        let components = model.modes().map_or(&[][..], Mixture::components).iter();
        let gaussians = components.filter(|c| c.log_weight > -40.0).map(|c| c.gaussian);
        gaussians
            .filter(|gaussian| COARSE * gaussian.cholesky.ellipse(1.0).semi_axes[1] < largest)
            .collect()
    }
}

impl Known {
    fn at(density: &dyn Density, cells: Vec<Bounds>) -> Known {
        let nodes = Nodes::over(density, cells);
        let values = density.scores(&nodes.places);
        let (log_density, score): (Vec<f64>, Vec<Point>) = values.into_iter().unzip();
        let weights = log_density.iter().zip(&nodes.areas).map(|(log, area)| area * log.exp());
        Known { weights: weights.collect(), nodes, log_density, score }
    }

    /// Of every cell whether a thin component that it meets could be missed.
    fn is_coarse(&self, thin: &[Gaussian]) -> Vec<bool> {
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

    fn append(&mut self, other: &Known) {
        self.nodes.append(&other.nodes);
        self.weights.extend_from_slice(&other.weights);
        self.log_density.extend_from_slice(&other.log_density);
        self.score.extend_from_slice(&other.score);
    }

    /// All but these cells, whose numbers are sorted.
    fn without(self, cells: &[usize]) -> Known {
        let nodes: Vec<usize> = cells.iter().flat_map(|&cell| Nodes::of_cell(cell)).collect();
        let Known { nodes: mut all, mut weights, mut log_density, mut score } = self;
        remove(&mut all.cells, cells);
        remove(&mut all.places, &nodes);
        remove(&mut all.areas, &nodes);
        remove(&mut weights, &nodes);
        remove(&mut log_density, &nodes);
        remove(&mut score, &nodes);
        Known { nodes: all, weights, log_density, score }
    }

    /// Mass, entropy and information in a cell.
    fn own_integrals(&self, cell: usize) -> Integrals<3> {
        let range = Nodes::of_cell(cell);
        let (log_density, score) = (&self.log_density[range.clone()], &self.score[range.clone()]);
        over_cell(&self.weights[range], |i| [1.0, -log_density[i], 0.5 * square(score[i])])
    }

    /// The integrals of [`Divergence`] over every cell.
    fn integrals(&self, model: &dyn Density) -> Vec<Integrals<4>> {
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

/// The errors that totals may have.
fn limits<const N: usize>(totals: &[Estimate; N]) -> [f64; N] {
    totals.map(|total| TOLERANCE * (1.0 + total.value.abs()))
}

/// False also if a total is no number: more cells would not help.
fn is_too_rough<const N: usize>(totals: &[Estimate; N], limits: &[f64; N]) -> bool {
    let is_finite = totals.iter().all(|total| total.value.is_finite());
    is_finite && totals.iter().zip(limits).any(|(total, limit)| total.error > *limit)
}

/// Removes the entries at sorted places, and keeps the order of the others.
fn remove<T>(entries: &mut Vec<T>, sorted: &[usize]) {
    let mut places = sorted.iter().peekable();
    let mut place = 0;
    entries.retain(|_| {
        let is_there = places.next_if_eq(&&place).is_some();
        place += 1;
        !is_there
    });
}

fn quarters(cell: Bounds) -> [Bounds; 4] {
    let [left, right] = cell.halves(0);
    let ([a, b], [c, d]) = (left.halves(1), right.halves(1));
    [a, b, c, d]
}

fn square(x: Point) -> f64 {
    x[0] * x[0] + x[1] * x[1]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Symmetric;
    use crate::model::known::{Boxes, Donut};

    fn gaussian(mean: Point, covariance: Symmetric) -> Mixture {
        Mixture::new(&[1.0], &[mean], &[covariance]).unwrap()
    }

    #[track_caller]
    fn check(what: &str, got: Estimate, expected: f64) {
        let difference = (got.value - expected).abs();
        assert!(difference <= got.error + 1e-12, "{what}: {got:?}, not {expected}");
        assert!(got.error <= 1e-3 * (1.0 + expected.abs()), "{what}: {got:?}");
    }

    /// KL = ½ (tr Σ₂⁻¹Σ₁ + dᵀΣ₂⁻¹d − 2 + log |Σ₂| / |Σ₁|); Fisher = ½ E‖(Σ₂⁻¹ − Σ₁⁻¹)(x − µ₁) + Σ₂⁻¹d‖²
    /// = ½ (tr (Σ₂⁻¹ − Σ₁⁻¹)²Σ₁ + ‖Σ₂⁻¹d‖²) with d = µ₁ − µ₂.
    fn closed_forms(p: &Gaussian, q: &Gaussian) -> (f64, f64) {
        let [s11, s12, s22] = p.cholesky.covariance();
        let [a, b, c] = q.cholesky.precision();
        let [e, f, g] = p.cholesky.precision();
        let d = [p.mean[0] - q.mean[0], p.mean[1] - q.mean[1]];
        let pd = [a * d[0] + b * d[1], b * d[0] + c * d[1]];
        let trace = a * s11 + 2.0 * b * s12 + c * s22;
        let log = q.cholesky.log_sqrt_determinant() - p.cholesky.log_sqrt_determinant();
        let kl = 0.5 * (trace + d[0] * pd[0] + d[1] * pd[1] - 2.0) + log;
        let [u, v, w] = [a - e, b - f, c - g];
        let [m11, m12, m22] = [u * u + v * v, u * v + v * w, v * v + w * w];
        let fisher = 0.5 * (m11 * s11 + 2.0 * m12 * s12 + m22 * s22 + square(pd));
        (kl, fisher)
    }

    #[test]
    fn gaussians_have_closed_forms() {
        let shapes: [(Point, Symmetric); 5] = [
            ([0.0, 0.0], [1.0, 0.0, 1.0]),
            ([0.5, -0.3], [0.5, 0.2, 0.3]),
            ([-1.0, 2.0], [4.0, -1.5, 0.6]),
            ([1.0, 1.0], [0.01, 0.0, 0.02]),
            // Semi-axes 1 and 0.03, turned by 45°.
            ([0.0, 0.1], [0.500_45, 0.499_55, 0.500_45]),
        ];
        for (i, &(mean, covariance)) in shapes.iter().enumerate() {
            let p = gaussian(mean, covariance);
            let truth = Truth::new(Arc::new(p.clone()));
            check("mass", truth.mass, 1.0);
            let g = p.components()[0].gaussian;
            let entropy = 1.0 + std::f64::consts::TAU.ln() + g.cholesky.log_sqrt_determinant();
            check("entropy", truth.entropy, entropy);
            let [p11, _, p22] = g.cholesky.precision();
            check("information", truth.information, 0.5 * (p11 + p22));
            for (j, &(mean, covariance)) in shapes.iter().enumerate() {
                let q = gaussian(mean, covariance);
                let (kl, fisher) = closed_forms(&g, &q.components()[0].gaussian);
                let got = truth.compare(&q);
                check(&format!("KL {i} {j}"), got.kl, kl);
                check(&format!("Fisher {i} {j}"), got.fisher, fisher);
                check(&format!("constant {i} {j}"), got.constant, truth.information.value);
            }
        }
    }

    fn models() -> [Mixture; 4] {
        let round = |v: f64| [v, 0.0, v];
        [
            gaussian([0.1, 0.2], [1.0, 0.3, 2.0]),
            Mixture::new(&[0.5, 0.5], &[[1.0, 0.0], [-1.0, 0.5]], &[round(0.3), round(0.8)])
                .unwrap(),
            Mixture::new(
                &[0.2, 0.5, 0.3],
                &[[1.5, 1.5], [-1.0, 0.5], [0.0, -2.0]],
                &[round(0.1), [1.0, 0.9, 1.0], round(0.4)],
            )
            .unwrap(),
            gaussian([0.0; 2], round(10.0)),
        ]
    }

    /// Hyvärinen (2005), theorem 1.
    #[test]
    fn explicit_is_implicit_plus_a_constant_where_the_density_is_smooth() {
        let two = Mixture::new(&[0.7, 0.3], &[[1.0; 2], [-1.0; 2]], &[[0.4, 0.1, 0.3]; 2]).unwrap();
        let blurred = Boxes::new(vec![([0.0; 2], 1.0)], [4.0; 2], [0.2; 2]);
        let densities: [(&str, Arc<dyn Density>); 3] = [
            ("two", Arc::new(two)),
            ("donut", Arc::new(Donut::new(2.0, 0.2))),
            ("blurred square", Arc::new(blurred)),
        ];
        for (what, density) in densities {
            let truth = Truth::new(density);
            for model in models() {
                let got = truth.compare(&model);
                let difference = got.fisher.value - got.implicit.value - truth.information.value;
                let allowed = got.constant.error + truth.information.error;
                assert!(difference.abs() <= allowed + 1e-11, "{what}: {difference} {allowed}");
                assert!(allowed < 1e-4 * (1.0 + truth.information.value), "{what}: {allowed}");
            }
        }
    }

    /// On a sharp square the score of the truth is zero, so that explicit minus implicit is −E tr ∇² log q, which is up
    /// to the model: integrating by parts left out what flows through the edges.
    #[test]
    fn on_a_square_it_is_no_constant() {
        let truth = Truth::new(Arc::new(Boxes::new(vec![([0.0; 2], 1.0)], [4.0; 2], [0.0; 2])));
        check("mass", truth.mass, 1.0);
        check("entropy", truth.entropy, 16_f64.ln());
        assert_eq!(truth.information.value, 0.0);
        for variance in [0.5, 1.0, 3.0] {
            let got = truth.compare(&gaussian([0.3, 0.0], [variance, 0.0, variance]));
            check("explicit minus implicit", got.constant, 2.0 / variance);
            // E‖x − µ‖² = 2 · 4²/12 + 0.3².
            let fisher = 0.5 * (2.0 * 16.0 / 12.0 + 0.09) / (variance * variance);
            check("Fisher", got.fisher, fisher);
        }
    }

    #[test]
    fn a_component_thinner_than_the_cells_is_found() {
        let p = gaussian([0.0; 2], [1.0, 0.0, 1.0]);
        let truth = Truth::new(Arc::new(p));
        let v = 0.01_f64.powi(2);
        let q = |weight: f64| {
            let weights = [1.0 - weight, weight];
            Mixture::new(&weights, &[[0.0; 2], [0.3, 0.2]], &[[1.0, 0.0, 1.0], [v, 0.0, v]])
                .unwrap()
        };
        // By the midpoint rule over the square of ±12 deviations of the thin component, and a closed form without it:
        // outside, log p − log q is −log (1 − weight).
        let weight = 0.3;
        let model = q(weight);
        let (low, side, count) = (-0.12, 0.24, 600);
        let step = side / f64::from(count);
        let outside = -(1.0 - weight).ln();
        let mut expected = outside;
        for i in 0..count {
            for j in 0..count {
                let at = |k: i32| low + (f64::from(k) + 0.5) * step;
                let x = [0.3 + at(i), 0.2 + at(j)];
                let log_p = truth.density().log_density(x);
                let inside = log_p - model.log_density(x);
                expected += log_p.exp() * step * step * (inside - outside);
            }
        }
        let got = truth.compare(&model).kl;
        assert!((got.value - expected).abs() <= got.error, "{got:?} {expected}");
        assert!(got.error < 1e-4, "{got:?}");
    }
}
