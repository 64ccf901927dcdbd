//! Objective: Hyvärinen's implicit score matching.

use std::ops::Range;
use std::sync::Arc;

use super::kernel::{self, Forms, FormsOfTile, Tile};
use super::{Batch, Evaluation, Expected, Objective, ObjectiveInfo, Part, Term, Terms};
use crate::model::Parameters;

/// (1/N) Σ tr ∇s(xₙ) + ½‖s(xₙ)‖² with s = ∇ₓ log p; Hyvärinen (2005), eq. 4; thesis eq. 3.6.
#[derive(Debug)]
pub struct ScoreMatching;

pub(super) static INFO: ObjectiveInfo = ObjectiveInfo {
    id: "sm",
    label: "Exact score matching",
    short: "SM",
    formula: |_| "(1/N) Σ tr ∇s(x) + ½‖s(x)‖²",
    help: "Matches the score s = ∇ log p of the model to that of the data; the density's normalization plays no part.",
    settings: &[],
    prepare: |_, _| Arc::new(ScoreMatching),
    expected: Expected::Itself,
};

impl Objective for ScoreMatching {
    fn evaluate_into(
        &self,
        parameters: &Parameters,
        batch: Batch<'_>,
        evaluation: &mut Evaluation,
    ) {
        kernel::quadratic(parameters, batch, self, evaluation);
    }

    fn parts(&self, parameters: &Parameters, batch: Batch<'_>) -> Vec<Part> {
        let Term { trace, norm } = Terms::at(&parameters.mixture(), &batch.to_vec()).mean;
        vec![Part::new("(1/N) Σ tr ∇s(x)", trace), Part::new("(1/N) Σ ½‖s(x)‖²", norm)]
    }
}

impl Forms for ScoreMatching {
    const A: Option<[f64; 2]> = Some([1.0; 2]);
    const B: Option<[f64; 2]> = Some([1.0; 2]);

    fn fill(&self, _: Range<usize>, _: usize, _: &mut Tile<'_>, _: &mut FormsOfTile<'_>) {}
}
