//! Objective: the mean negative log-likelihood.

use std::sync::Arc;

use super::{Batch, Evaluation, Expected, Objective, ObjectiveInfo, Part, kernel, parts};
use crate::model::Parameters;

/// −(1/N) Σ log p(xₙ); thesis eq. 3.5 as a mean.
#[derive(Debug)]
pub struct NegativeLogLikelihood;

pub(super) static INFO: ObjectiveInfo = ObjectiveInfo {
    id: "nll",
    label: "Gradient descent on the NLL",
    short: "NLL",
    formula: |_| "−(1/N) Σ log p(x)",
    help: "Maximum likelihood by gradient descent: makes the data as probable as possible.",
    settings: &[],
    prepare: |_, _| Arc::new(NegativeLogLikelihood),
    expected: Expected::Itself,
};

impl Objective for NegativeLogLikelihood {
    fn evaluate_into(
        &self,
        parameters: &Parameters,
        batch: Batch<'_>,
        evaluation: &mut Evaluation,
    ) {
        kernel::negative_log_likelihood(parameters, batch, evaluation);
    }

    fn parts(&self, parameters: &Parameters, batch: Batch<'_>) -> Vec<Part> {
        parts::of_likelihood(parameters, batch)
    }
}
