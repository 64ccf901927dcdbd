//! How far a model is from a density that is known: KL and Fisher divergence by quadrature.

use std::sync::Arc;

pub use super::quadrature::Estimate;
use super::quadrature::{Integrals, total, worst};
use super::survey::{CELLS_AT_ONCE, COARSE, Survey, remove};
use super::{Bounds, Density, Gaussian, Mixture};

/// A known density p, prepared for comparisons: where it has its mass, how much, and its score there.
///
/// Preparing takes a while, comparing a model only milliseconds: the places are the same for all models, unless a model
/// is thinner than they are dense, where it gets places of its own.
#[derive(Clone)]
pub struct Truth {
    density: Arc<dyn Density>,
    survey: Survey,
    /// ∫ p dx: one, as far as the quadrature sees.
    pub mass: Estimate,
    /// −E log p(x), in nats: no model's expected NLL is below it.
    pub entropy: Estimate,
    /// ½ E‖∇ log p(x)‖²: by this the explicit objective of score matching exceeds the implicit one, for every model
    /// (Hyvärinen 2005, theorem 1).
    pub information: Estimate,
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

/// Cells with less than this share of the mass are left out.
const NEGLIGIBLE: f64 = 1e-20;

impl Truth {
    /// Finds the places at which models will be compared with the density: in its own cells, which are cut where its
    /// mass, entropy or information is not exact enough.
    #[must_use]
    pub fn new(density: Arc<dyn Density>) -> Truth {
        Truth::prepare(density, &|| true)
    }

    /// The same, unless nobody wants it any more: that is asked for every few milliseconds. `None` once it is so.
    #[must_use]
    pub fn while_wanted(density: Arc<dyn Density>, is_wanted: &dyn Fn() -> bool) -> Option<Truth> {
        let truth = Truth::prepare(density, is_wanted);
        is_wanted().then_some(truth)
    }

    /// Finds the places; incomplete once nobody wants them.
    fn prepare(density: Arc<dyn Density>, is_wanted: &dyn Fn() -> bool) -> Truth {
        let mut done = Survey::default();
        let mut own: Vec<Integrals<3>> = Vec::new();
        let mut next = density.cells();
        let mut cuts = 0;
        loop {
            for cells in next.chunks(CELLS_AT_ONCE).take_while(|_| is_wanted()) {
                let survey = Survey::at(&*density, cells.to_vec());
                own.extend((0..cells.len()).map(|cell| survey.own_integrals(cell)));
                done.append(&survey);
            }
            let totals = total(&own);
            let limits = limits(&totals);
            let may_cut = cuts < MAX_OWN_CUTS && is_too_rough(&totals, &limits) && is_wanted();
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
        Truth { density, survey: done.without(&negligible), mass, entropy, information }
    }

    /// The density itself.
    #[must_use]
    pub fn density(&self) -> &Arc<dyn Density> {
        &self.density
    }

    /// At how many places a model is evaluated, those aside that it gets for itself.
    #[must_use]
    pub fn place_count(&self) -> usize {
        self.survey.nodes.places.len()
    }

    /// KL and Fisher divergence of a model, and both objectives of score matching.
    #[must_use]
    pub fn compare(&self, model: &dyn Density) -> Divergence {
        let mut cells = self.survey.nodes.cells.clone();
        let mut integrals = self.survey.integrals(model);
        let thin = self.thin_components(model);
        let mut is_coarse = self.survey.is_coarse(&thin);
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
            let survey = Survey::at(&*self.density, quarters);
            remove(&mut cells, &bad);
            remove(&mut integrals, &bad);
            remove(&mut is_coarse, &bad);
            integrals.extend(survey.integrals(model));
            is_coarse.extend(survey.is_coarse(&thin));
            cells.extend(survey.nodes.cells);
        }
        for (cell, _) in integrals.iter_mut().zip(is_coarse).filter(|(_, is_coarse)| *is_coarse) {
            // What may still hide a component is not known at all.
            cell.errors = cell.values.map(f64::abs);
        }
        let [kl, fisher, implicit, constant] = total(&integrals);
        Divergence { kl, fisher, implicit, constant }
    }

    /// The errors that a comparison may have. The Fisher divergence also by its own size, because between modes far
    /// apart it is tiny and yet the point of the lesson; rounding limits that.
    fn limits(&self, totals: &[Estimate; 4]) -> [f64; 4] {
        let mut limits = limits(totals);
        let rounding = 1e-13 * (1.0 + self.information.value);
        limits[1] = limits[1].min(RELATIVE_TOLERANCE * totals[1].value).max(rounding);
        limits
    }

    /// The components of a model that the cells might miss.
    fn thin_components(&self, model: &dyn Density) -> Vec<Gaussian> {
        let largest = self.survey.nodes.sizes().flatten().fold(0.0, f64::max);
        let components = model.modes().map_or(&[][..], Mixture::components);
        if components.len() == 1 {
            // The logarithm of a single one is a parabola, however thin.
            return Vec::new();
        }
        let gaussians = components.iter().filter(|c| c.log_weight > -40.0).map(|c| c.gaussian);
        gaussians
            .filter(|gaussian| COARSE * gaussian.cholesky.ellipse(1.0).semi_axes[1] < largest)
            .collect()
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

fn quarters(cell: Bounds) -> [Bounds; 4] {
    let [left, right] = cell.halves(0);
    let ([a, b], [c, d]) = (left.halves(1), right.halves(1));
    [a, b, c, d]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::known::{Boxes, Donut};
    use crate::model::survey::square;
    use crate::model::{Point, Symmetric};

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

    /// KL(p ‖ q) by the midpoint rule over a square around `center`, outside of which p/q is known.
    fn by_midpoints(
        [p, q]: [&Mixture; 2],
        outside: f64,
        center: Point,
        half: f64,
        count: usize,
    ) -> f64 {
        let bounds = Bounds { min: center.map(|v| v - half), max: center.map(|v| v + half) };
        let (p, q) = (p.field(bounds, count, count), q.field(bounds, count, count));
        let cell = (2.0 * half / count as f64).powi(2);
        let term = |i: usize| {
            p.log_density[i].exp() * (p.log_density[i] - q.log_density[i] - outside) * cell
        };
        outside + (0..count * count).map(term).sum::<f64>()
    }

    #[test]
    fn a_component_thinner_than_the_cells_is_found() {
        let p = gaussian([0.0; 2], [1.0, 0.0, 1.0]);
        let truth = Truth::new(Arc::new(p.clone()));
        let model = |covariance: Symmetric| {
            let covariances = [[1.0, 0.0, 1.0], covariance];
            Mixture::new(&[0.7, 0.3], &[[0.0; 2], [0.3, 0.2]], &covariances).unwrap()
        };
        // Beyond the thin component, log p − log q is −log 0.7.
        let outside = -(0.7_f64).ln();
        for deviation in [0.2, 0.05, 0.01, 1e-3] {
            let q = model([deviation * deviation, 0.0, deviation * deviation]);
            let expected = by_midpoints([&p, &q], outside, [0.3, 0.2], 12.0 * deviation, 600);
            let got = truth.compare(&q).kl;
            let off = (got.value - expected).abs();
            assert!(off <= got.error + 1e-7 && got.error < 1e-3, "{deviation}: {got:?} {expected}");
        }
        // Semi-axes 1 and 0.03, turned by 45°: as long as the truth is wide.
        let q = model([0.500_45, 0.499_55, 0.500_45]);
        let expected = by_midpoints([&p, &q], outside, [0.3, 0.2], 9.0, 1800);
        let got = truth.compare(&q).kl;
        assert!((got.value - expected).abs() <= got.error + 1e-6, "{got:?} {expected}");
        assert!(got.error < 0.03, "{got:?}");
    }
}
