//! Objective: composite score matching, in either order of the coordinates.

use std::sync::Arc;

use super::parts::mean;
use super::{Batch, Evaluation, Expected, Objective, ObjectiveInfo, Part, kernel};
use crate::model::{Density, Mixture, Parameters, Values, log_sum_exp};
use crate::settings::{Kind, Setting};

/// Which coordinate comes first.
pub static ORDER: Setting = Setting {
    key: "order",
    label: "Order",
    help: "Which coordinate is modelled alone, by its marginal; the other one is modelled given it.",
    kind: Kind::Choice {
        default: "x1_x2",
        options: &[("x1_x2", "x₁, then x₂ given x₁"), ("x2_x1", "x₂, then x₁ given x₂")],
    },
    is_live: true,
};

/// The order in which composite score matching takes the coordinates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// x₁ by its marginal, then x₂ given x₁.
    FirstThenSecond,
    /// x₂ by its marginal, then x₁ given x₂.
    SecondThenFirst,
}

/// (1/N) Σₙ ½s₁² + ∂s₁/∂x₁ + ½s₂² + ∂s₂/∂x₂ at xₙ with s₁ = ∂ log p(x₁)/∂x₁ and s₂ = ∂ log p(x₂|x₁)/∂x₂, or with the
/// coordinates in the other order; Meng et al. (2020), eq. 5.
#[derive(Debug)]
pub struct Composite(pub Order);

pub(super) static INFO: ObjectiveInfo = ObjectiveInfo {
    id: "csm",
    label: "Composite score matching",
    short: "CSM",
    formula: |settings| match Order::of(&settings.choice(&ORDER)) {
        Order::FirstThenSecond => {
            "(1/N) Σ ½s₁² + ∂₁s₁ + ½s₂² + ∂₂s₂ with s₁ = ∂₁ log p(x₁), s₂ = ∂₂ log p(x₂|x₁)"
        }
        Order::SecondThenFirst => {
            "(1/N) Σ ½s₂² + ∂₂s₂ + ½s₁² + ∂₁s₁ with s₂ = ∂₂ log p(x₂), s₁ = ∂₁ log p(x₁|x₂)"
        }
    },
    help: "Matches one coordinate after the other: the score of a marginal, then that of the other coordinate given it.",
    settings: &[&ORDER],
    prepare: |settings, _| Arc::new(Composite(Order::of(&settings.choice(&ORDER)))),
    expected: Expected::Itself,
};

impl Order {
    /// From the id that files and [`ORDER`] use.
    #[must_use]
    pub fn of(id: &str) -> Order {
        if id == "x2_x1" { Order::SecondThenFirst } else { Order::FirstThenSecond }
    }
}

impl Objective for Composite {
    fn evaluate_into(
        &self,
        parameters: &Parameters,
        batch: Batch<'_>,
        evaluation: &mut Evaluation,
    ) {
        match self.0 {
            Order::FirstThenSecond => kernel::composite::<0>(parameters, batch, evaluation),
            Order::SecondThenFirst => kernel::composite::<1>(parameters, batch, evaluation),
        }
    }

    fn parts(&self, parameters: &Parameters, batch: Batch<'_>) -> Vec<Part> {
        let (mixture, points) = (parameters.mixture(), batch.to_vec());
        let (first, symbols) = match self.0 {
            Order::FirstThenSecond => (0, ["½s₁²", "∂₁s₁", "½s₂²", "∂₂s₂"]),
            Order::SecondThenFirst => (1, ["½s₂²", "∂₂s₂", "½s₁²", "∂₁s₁"]),
        };
        let last = 1 - first;
        let marginals: Vec<[f64; 2]> =
            points.iter().map(|x| marginal_score(&mixture, first, x[first])).collect();
        // Of the conditional: log p(y|x) and log p(x, y) differ by what y plays no part in.
        let Values { score, hessian, .. } = mixture.values(&points);
        let values = [
            mean(marginals.iter().map(|[s, _]| 0.5 * s * s)),
            mean(marginals.iter().map(|[_, slope]| *slope)),
            mean(score.iter().map(|s| 0.5 * s[last] * s[last])),
            mean(hessian.iter().map(|h| h[2 * last])),
        ];
        let part = |(symbol, value)| Part::new(format!("(1/N) Σ {symbol}"), value);
        symbols.into_iter().zip(values).map(part).collect()
    }
}

/// The first and the second derivative of log p of a coordinate, counted from 0, at one of its values: the mixture's
/// marginal is the mixture of its components' marginals.
fn marginal_score(mixture: &Mixture, coordinate: usize, x: f64) -> [f64; 2] {
    let pulls = mixture.components().iter().map(|component| {
        let variance = component.gaussian.cholesky.covariance()[2 * coordinate];
        (x - component.gaussian.mean[coordinate], variance, component.log_weight)
    });
    let pulls: Vec<(f64, f64, f64)> = pulls.collect();
    let joints = pulls.iter().map(|(d, variance, log_weight)| {
        log_weight - 0.5 * (d * d / variance + (std::f64::consts::TAU * variance).ln())
    });
    let joints: Vec<f64> = joints.collect();
    let log_density = log_sum_exp(&joints);
    let (mut score, mut slope) = (0.0, 0.0);
    for (joint, (d, variance, _)) in joints.iter().zip(&pulls) {
        let (r, g) = ((joint - log_density).exp(), -d / variance);
        score += r * g;
        slope += r * (g * g - variance.recip());
    }
    [score, slope - score * score]
}
