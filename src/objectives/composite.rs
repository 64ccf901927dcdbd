//! Objective: composite score matching, in either order of the coordinates.

use std::sync::Arc;

use super::{Batch, Evaluation, Objective, ObjectiveInfo, kernel};
use crate::model::Parameters;
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
    formula: "(1/N) Σ ½s₁² + ∂₁s₁ + ½s₂² + ∂₂s₂ with s₁ = ∂₁ log p(x₁), s₂ = ∂₂ log p(x₂|x₁)",
    help: "Matches one coordinate after the other: the score of a marginal, then that of the other coordinate given it.",
    settings: &[&ORDER],
    prepare: |settings, _| Arc::new(Composite(Order::of(&settings.choice(&ORDER)))),
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
}
