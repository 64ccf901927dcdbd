//! Look: what a run evaluated at one of its steps, drawn again.

use std::sync::Arc;

use super::{AlgorithmInfo, Follows, RANDOM_STATE, gradient};
use crate::model::{Parameters, Point};
use crate::objectives::{
    Batch, Evaluation, Expected, ExplicitScoreMatching, NegativeLogLikelihood, Objective, Part,
    ScoreMatching,
};
use crate::random::{Purpose, generator, generator_of_part};
use crate::settings::Settings;

/// What was evaluated at a step: the objective with all that it drew, and which points it looked at.
#[derive(Debug, Clone)]
pub struct Look {
    /// With its slices, noise or shifts.
    pub objective: Arc<dyn Objective>,
    /// The mini-batch; `None` for all points.
    pub indices: Option<Arc<[u32]>>,
}

impl Look {
    /// The points that it looks at.
    #[must_use]
    pub fn batch<'a>(&'a self, points: &'a [Point]) -> Batch<'a> {
        match &self.indices {
            Some(indices) => Batch::of(points, indices),
            None => Batch::all(points),
        }
    }

    /// The objective at parameters with full covariances.
    #[must_use]
    pub fn evaluate(&self, parameters: &Parameters, points: &[Point]) -> Evaluation {
        self.objective.evaluate(parameters, self.batch(points))
    }

    /// Its summands there.
    #[must_use]
    pub fn parts(&self, parameters: &Parameters, points: &[Point]) -> Vec<Part> {
        self.objective.parts(parameters, self.batch(points))
    }
}

impl AlgorithmInfo {
    /// What a run of so many points evaluated last, after it was started with the first of these settings and took so
    /// many steps with each of them. `true_scores` are those of the points, for algorithms that need them.
    ///
    /// All draws before it are drawn again, which takes as long as drawing takes, a tenth of a millisecond for a
    /// thousand steps without mini-batches.
    #[must_use]
    pub fn look(
        &self,
        stretches: &[(Arc<Settings>, usize)],
        point_count: usize,
        true_scores: Option<&Arc<[Point]>>,
    ) -> Option<Look> {
        let (first, _) = stretches.first()?;
        let mut prepare = match self.follows {
            Follows::Nothing => {
                return Some(Look { objective: Arc::new(NegativeLogLikelihood), indices: None });
            }
            Follows::Objective(objective) => gradient::prepare(objective, first),
            Follows::TrueScores => {
                let objective = Arc::new(ExplicitScoreMatching::new(true_scores?.clone()));
                Box::new(move |_: &Settings| objective.clone() as Arc<dyn Objective>)
            }
        };
        let mut batches = generator(first.integer(&RANDOM_STATE) as u64, Purpose::Batches);
        // In the order of `gradient.rs`: the objective first.
        let mut look = |settings: &Settings| Look {
            objective: prepare(settings),
            indices: gradient::mini_batch(settings, point_count, &mut batches),
        };
        let mut last = look(first);
        for (settings, count) in stretches {
            for _ in 0..*count {
                last = look(settings);
            }
        }
        Some(last)
    }

    /// What a run with these settings could have evaluated as well: the same with draws of its own, the nth of many.
    #[must_use]
    pub fn another_look(
        &self,
        settings: &Settings,
        point_count: usize,
        true_scores: Option<&Arc<[Point]>>,
        number: u64,
    ) -> Option<Look> {
        let part =
            |purpose| generator_of_part(settings.integer(&RANDOM_STATE) as u64, purpose, number);
        let objective: Arc<dyn Objective> = match self.follows {
            Follows::Nothing => {
                return Some(Look { objective: Arc::new(NegativeLogLikelihood), indices: None });
            }
            Follows::Objective(objective) => {
                (objective.prepare)(settings, &mut part(Purpose::Slices))
            }
            Follows::TrueScores => Arc::new(ExplicitScoreMatching::new(true_scores?.clone())),
        };
        let indices = gradient::mini_batch(settings, point_count, &mut part(Purpose::Batches));
        Some(Look { objective, indices })
    }

    /// What its objective is on average over its draws.
    #[must_use]
    pub fn expected(&self) -> Expected {
        match self.follows {
            Follows::Objective(objective) => objective.expected,
            Follows::Nothing | Follows::TrueScores => Expected::Itself,
        }
    }

    /// What it evaluates on average over its draws, of all points; `None` where that has no closed form.
    #[must_use]
    pub fn mean_look(
        &self,
        settings: &Settings,
        point_count: usize,
        true_scores: Option<&Arc<[Point]>>,
    ) -> Option<Look> {
        let objective: Arc<dyn Objective> = match self.expected() {
            Expected::Itself => self.another_look(settings, point_count, true_scores, 0)?.objective,
            Expected::ScoreMatching => Arc::new(ScoreMatching),
            Expected::ManyDraws(_) => return None,
        };
        Some(Look { objective, indices: None })
    }
}
