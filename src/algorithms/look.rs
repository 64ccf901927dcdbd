//! Look: what a run evaluated at one of its steps, drawn again.

use std::sync::Arc;

use super::{AlgorithmInfo, Follows, RANDOM_STATE, gradient};
use crate::model::{Parameters, Point};
use crate::objectives::{
    Batch, Evaluation, Expected, ExplicitScoreMatching, NegativeLogLikelihood, Objective, Part,
    ScoreMatching, pass_evaluations,
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
    /// Of random vectors what was drawn before is passed over; mini-batches are drawn again, some nanoseconds each index.
    #[must_use]
    pub fn look(
        &self,
        stretches: &[(Arc<Settings>, usize)],
        point_count: usize,
        true_scores: Option<&Arc<[Point]>>,
    ) -> Option<Look> {
        let look = self.look_at_all(stretches, true_scores)?;
        if matches!(self.follows, Follows::Nothing) {
            return Some(look);
        }
        let Evaluations { before, last, random_state } = Evaluations::of(stretches)?;
        let mut batches = generator(random_state, Purpose::Batches);
        for (settings, count) in before {
            gradient::pass_batches(settings, count, point_count, &mut batches);
        }
        Some(Look { indices: gradient::mini_batch(last, point_count, &mut batches), ..look })
    }

    /// The same objective, but of all points where a run looked at a mini-batch.
    #[must_use]
    pub fn look_at_all(
        &self,
        stretches: &[(Arc<Settings>, usize)],
        true_scores: Option<&Arc<[Point]>>,
    ) -> Option<Look> {
        let objective: Arc<dyn Objective> = match self.follows {
            Follows::Nothing => Arc::new(NegativeLogLikelihood),
            Follows::Objective(objective) => {
                let Evaluations { before, last, random_state } = Evaluations::of(stretches)?;
                let mut rng = generator(random_state, Purpose::Slices);
                for (settings, count) in before {
                    pass_evaluations(settings, count, &mut rng);
                }
                (objective.prepare)(last, &mut rng)
            }
            Follows::TrueScores => Arc::new(ExplicitScoreMatching::new(true_scores?.clone())),
        };
        Some(Look { objective, indices: None })
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

/// What a run evaluated: once at its start, and once after every step.
struct Evaluations<'a> {
    /// With which settings, and how often, all but the last one.
    before: Vec<(&'a Settings, usize)>,
    /// The settings of the last one.
    last: &'a Settings,
    random_state: u64,
}

impl Evaluations<'_> {
    fn of(stretches: &[(Arc<Settings>, usize)]) -> Option<Evaluations<'_>> {
        let (first, _) = stretches.first()?;
        let of_steps = stretches.iter().map(|(settings, count)| (&**settings, *count));
        let all = std::iter::once((&**first, 1)).chain(of_steps);
        let mut before: Vec<_> = all.filter(|(_, count)| *count > 0).collect();
        let (last, count) = before.last_mut()?;
        *count -= 1;
        let last = *last;
        Some(Evaluations { before, last, random_state: first.integer(&RANDOM_STATE) as u64 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::algorithms::ALGORITHMS;
    use crate::settings::Value;

    /// One evaluation after the other, as a run draws them.
    fn drawn_one_by_one(
        info: &AlgorithmInfo,
        stretches: &[(Arc<Settings>, usize)],
        point_count: usize,
    ) -> Option<Look> {
        let Follows::Objective(objective) = info.follows else { return None };
        let first = &stretches[0].0;
        let random_state = first.integer(&RANDOM_STATE) as u64;
        let [mut rng, mut batches] =
            [Purpose::Slices, Purpose::Batches].map(|purpose| generator(random_state, purpose));
        let mut look = |settings: &Settings| Look {
            objective: (objective.prepare)(settings, &mut rng),
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

    #[test]
    fn what_is_passed_over_is_as_if_it_had_been_drawn() {
        let settings = |redraw: bool, batch_size: i64| {
            let mut settings = Settings::default();
            settings.set("redraw", Value::Switch(redraw));
            settings.set("batch_size", Value::Integer(batch_size));
            Arc::new(settings)
        };
        let [drawing, frozen, all] = [settings(true, 30), settings(false, 7), settings(true, 0)];
        let stretch = |settings: &Arc<Settings>, count| (settings.clone(), count);
        for counts in [[0, 0, 0, 0], [3, 0, 0, 0], [0, 2, 0, 0], [0, 3, 1, 0], [4, 2, 3, 5]] {
            for order in [[&drawing, &frozen, &all, &drawing], [&frozen, &drawing, &frozen, &all]] {
                let stretches = [0, 1, 2, 3].map(|i| stretch(order[i], counts[i]));
                for info in &*ALGORITHMS {
                    let Some(expected) = drawn_one_by_one(info, &stretches, 100) else { continue };
                    let look = info.look(&stretches, 100, None).unwrap();
                    assert_eq!(look.indices, expected.indices, "{} {counts:?}", info.id);
                    let of = |look: &Look| format!("{:?}", look.objective);
                    assert_eq!(of(&look), of(&expected), "{} {counts:?}", info.id);
                }
            }
        }
    }
}
