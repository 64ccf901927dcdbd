//! Objective: explicit score matching, against the score of a density that is known.

use std::ops::Range;
use std::sync::Arc;

use super::kernel::{self, Forms, FormsOfTile, Tile};
use super::parts::{dot, mean};
use super::{Batch, Evaluation, Objective, Part};
use crate::model::{Density, Parameters, Point};

/// (1/N) Σ ½‖s(xₙ) − ∇ log p(xₙ)‖² with the score s of the mixture and the true score at every point; Hyvärinen
/// (2005), eq. 2, as a mean over points of p.
///
/// All other kinds of score matching do without ∇ log p and approximate this one. It has no list of settings to be
/// prepared from, as those have: what it needs is a property of the data.
#[derive(Debug)]
pub struct ExplicitScoreMatching {
    true_scores: Arc<[Point]>,
}

impl ExplicitScoreMatching {
    /// From ∇ log p at each of the points that it will be evaluated on. Where one is missing, the value is NaN.
    #[must_use]
    pub fn new(true_scores: Arc<[Point]>) -> ExplicitScoreMatching {
        ExplicitScoreMatching { true_scores }
    }
}

impl Objective for ExplicitScoreMatching {
    fn evaluate_into(
        &self,
        parameters: &Parameters,
        batch: Batch<'_>,
        evaluation: &mut Evaluation,
    ) {
        let targets = Targets { true_scores: &self.true_scores, batch };
        kernel::quadratic(parameters, batch, &targets, evaluation);
    }

    fn parts(&self, parameters: &Parameters, batch: Batch<'_>) -> Vec<Part> {
        let scores = parameters.mixture().scores(&batch.to_vec());
        let targets = Targets { true_scores: &self.true_scores, batch };
        let pairs = || scores.iter().enumerate().map(|(n, (_, s))| (*s, targets.true_score(n)));
        vec![
            Part::new("(1/N) Σ ½‖s(x)‖²", mean(pairs().map(|(s, _)| 0.5 * dot(s, s)))),
            Part::new("(1/N) Σ −s(x)ᵀ∇ log p(x)", mean(pairs().map(|(s, t)| -dot(s, t)))),
            Part::new("(1/N) Σ ½‖∇ log p(x)‖²", mean(pairs().map(|(_, t)| 0.5 * dot(t, t)))),
        ]
    }
}

/// The true scores at the points of a batch.
struct Targets<'a> {
    true_scores: &'a [Point],
    batch: Batch<'a>,
}

impl Targets<'_> {
    /// ∇ log p at the nth point of the batch; NaN where it is missing.
    fn true_score(&self, n: usize) -> Point {
        self.true_scores.get(self.batch.index(n)).copied().unwrap_or([f64::NAN; 2])
    }
}

impl Forms for Targets<'_> {
    const A: Option<[f64; 2]> = Some([0.0; 2]);
    const B: Option<[f64; 2]> = Some([1.0; 2]);
    const HAS_TARGETS: bool = true;

    fn fill(&self, places: Range<usize>, _: usize, _: &mut Tile<'_>, forms: &mut FormsOfTile<'_>) {
        for (l, n) in places.enumerate() {
            let [t1, t2] = self.true_score(n);
            forms.target[0][l] = -t1;
            forms.target[1][l] = -t2;
        }
    }
}
