//! Objective: sliced score matching with reduced variance (SSM-VR).

use std::sync::Arc;

use rand::RngExt;
use rand_distr::{Distribution, StandardNormal};

use super::{Batch, Evaluation, Objective, ObjectiveInfo, kernel};
use crate::model::{Parameters, Point, Symmetric};
use crate::random::Rng;
use crate::settings::{Kind, Setting, Settings};

/// How many slices each point gets.
pub static N_SLICES: Setting = Setting {
    key: "n_slices",
    label: "Slices per point",
    help: "How many random directions v look at each point; many slices approach exact score matching.",
    kind: Kind::Integer { default: 1, min: 1, max: 64 },
    is_live: true,
};

/// What the slices are drawn from.
pub static SLICE_DISTRIBUTION: Setting = Setting {
    key: "slice_distribution",
    label: "Slice distribution",
    help: "Gaussian: v from N(0, I), as in the thesis. Rademacher: both coordinates ±1, with less variance.",
    kind: Kind::Choice {
        default: "gaussian",
        options: &[("gaussian", "Gaussian"), ("rademacher", "Rademacher")],
    },
    is_live: true,
};

/// (1/NM) Σₙ Σₘ vᵀ∇s(xₙ)v + ½‖s(xₙ)‖² for given slices; Song et al. (2019), eq. 8; thesis eqs. 2.11, 3.7.
#[derive(Debug, Clone, PartialEq)]
pub struct Sliced {
    /// (1/M) Σₘ vvᵀ of every point: all that the objective needs of its slices. Length N.
    forms: Vec<Symmetric>,
}

pub(super) static INFO: ObjectiveInfo = ObjectiveInfo {
    id: "ssm",
    label: "Sliced score matching",
    short: "SSM",
    formula: "(1/NM) ΣΣ vᵀ∇s(x)v + ½‖s(x)‖²",
    help: "Score matching that looks at the score's slope along random directions v only (reduced variance).",
    settings: &[&N_SLICES, &SLICE_DISTRIBUTION],
    prepare: |settings, count, rng| Arc::new(draw(settings, count, rng)),
};

impl Sliced {
    /// From the slices themselves: for each point its M vectors.
    #[must_use]
    pub fn new<'a>(slices: impl IntoIterator<Item = &'a [Point]>) -> Sliced {
        Sliced { forms: slices.into_iter().map(mean_outer_product).collect() }
    }
}

impl Objective for Sliced {
    fn evaluate(&self, parameters: &Parameters, batch: Batch<'_>) -> Evaluation {
        debug_assert_eq!(self.forms.len(), batch.len());
        kernel::quadratic(parameters, batch, |n| kernel::Forms {
            a: self.forms[n],
            b: [1.0, 0.0, 1.0],
        })
    }
}

fn draw(settings: &Settings, count: usize, rng: &mut Rng) -> Sliced {
    let slice_count = settings.integer(&N_SLICES);
    let is_rademacher = settings.choice(&SLICE_DISTRIBUTION) == "rademacher";
    let mut slices = vec![[0.0; 2]; slice_count];
    let forms = (0..count).map(|_| {
        for v in slices.as_flattened_mut() {
            *v = if is_rademacher {
                if rng.random::<bool>() { 1.0 } else { -1.0 }
            } else {
                StandardNormal.sample(rng)
            };
        }
        mean_outer_product(&slices)
    });
    Sliced { forms: forms.collect() }
}

fn mean_outer_product(slices: &[Point]) -> Symmetric {
    let mut sum = [0.0; 3];
    for [a, b] in slices {
        sum[0] += a * a;
        sum[1] += a * b;
        sum[2] += b * b;
    }
    sum.map(|entry| entry / slices.len() as f64)
}
