//! Redraws: the objective of one step estimated again and again, with other slices, noise, shifts and mini-batches, and
//! what all of these are on average.

use std::sync::Arc;

use super::{Course, Experiment, Moment, Prepared, Run, Snapshot};
use crate::algorithms::{AlgorithmInfo, BATCH_SIZE};
use crate::model::{CovarianceType, Parameters, Point};
use crate::objectives::{Expected, N_LEVELS};
use crate::settings::{Settings, Value};

/// How often a step is estimated again.
pub const REDRAW_COUNT: usize = 200;

/// One step, to be estimated again.
#[derive(Clone)]
pub struct Redraws {
    info: &'static AlgorithmInfo,
    settings: Arc<Settings>,
    parameters: Parameters,
    points: Arc<[Point]>,
    true_scores: Option<Arc<[Point]>>,
}

/// The mean over everything that could have been drawn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Expectation {
    /// In closed form.
    Exact(f64),
    /// As the mean over many draws.
    Estimated {
        /// That mean.
        value: f64,
        /// Its standard error.
        standard_error: f64,
        /// Draws of every point, at every level of noise; a draw and its opposite are one.
        draw_count: usize,
    },
}

impl Expectation {
    /// What it is, as far as it is known.
    #[must_use]
    pub fn value(&self) -> f64 {
        match self {
            Expectation::Exact(value) | Expectation::Estimated { value, .. } => *value,
        }
    }
}

/// What is known of a step's objective under other draws.
#[derive(Debug, Clone, PartialEq)]
pub struct Estimates {
    /// Which step.
    pub step: usize,
    /// What the run itself saw there.
    pub own: f64,
    /// What is estimated, in a few letters.
    pub short: &'static str,
    /// What it would have seen with other draws, those that are finite.
    pub values: Vec<f64>,
    /// What that is on average over all draws.
    pub expectation: Option<Expectation>,
    /// What the average is, in words.
    pub meaning: &'static str,
}

impl Estimates {
    /// Mean and standard deviation of the values; `None` for fewer than two.
    #[must_use]
    pub fn spread(&self) -> Option<[f64; 2]> {
        spread(&self.values)
    }
}

/// Mean and standard deviation; `None` for fewer than two numbers.
fn spread(values: &[f64]) -> Option<[f64; 2]> {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    (values.len() > 1).then(|| [mean, (squares / (count - 1.0)).sqrt()])
}

/// Evaluations whose scatter gives the standard error of an estimated expectation.
const ROUNDS: u64 = 16;

/// Pairs of a draw and a component that are looked at for an expectation without a closed form: a second or two.
const MOST_PAIRS: f64 = 4e8;

impl Redraws {
    /// Of a step of a run; `None` where nothing is drawn, so that every estimate would be the same, or for a step that is
    /// not its own.
    #[must_use]
    pub fn of(snapshot: &Snapshot, moment: &Moment) -> Option<Redraws> {
        let Snapshot { experiment, prepared, course, .. } = snapshot;
        Redraws::new(experiment, prepared, course, moment)
    }

    /// The same of a run that somebody holds.
    #[must_use]
    pub fn of_run(run: &Run, moment: &Moment) -> Option<Redraws> {
        Redraws::new(run.experiment(), run.prepared(), &run.course(), moment)
    }

    /// Whether an algorithm draws anything from so many points at a step.
    #[must_use]
    pub fn are_different(info: &AlgorithmInfo, settings: &Settings, point_count: usize) -> bool {
        let has_batches = info.settings.iter().any(|setting| setting.key == BATCH_SIZE.key)
            && (1..point_count).contains(&settings.integer(&BATCH_SIZE));
        has_batches || !matches!(info.expected(), Expected::Itself)
    }

    fn new(
        experiment: &Experiment,
        prepared: &Prepared,
        course: &Course,
        moment: &Moment,
    ) -> Option<Redraws> {
        let settings = course.settings_at(moment.record.step)?;
        let info = experiment.algorithm_info();
        let points = prepared.dataset.train.clone();
        if !Redraws::are_different(info, &settings, points.len()) {
            return None;
        }
        let true_scores = prepared.true_scores(experiment).ok()?;
        let parameters = Parameters::of(&moment.mixture, CovarianceType::Full, 0.0);
        Some(Redraws { info, settings, parameters, points, true_scores })
    }

    /// Nothing drawn yet.
    #[must_use]
    pub fn begin(&self, moment: &Moment) -> Estimates {
        let meaning = match self.info.expected() {
            Expected::ScoreMatching => "exact score matching",
            Expected::Itself => "of all points",
            Expected::ManyDraws(_) => "mean over many draws",
        };
        Estimates {
            step: moment.record.step,
            own: moment.record.objective,
            short: self.info.short,
            values: Vec::new(),
            expectation: None,
            meaning,
        }
    }

    /// The nth estimate, with draws of its own.
    #[must_use]
    pub fn estimate(&self, number: u64) -> f64 {
        self.value(&self.settings, number)
    }

    fn value(&self, settings: &Settings, number: u64) -> f64 {
        let scores = self.true_scores.as_ref();
        let look = self.info.another_look(settings, self.points.len(), scores, number);
        look.map_or(f64::NAN, |look| look.evaluate(&self.parameters, &self.points).value)
    }

    /// The mean of all estimates there could be: in closed form, or by many draws with pieces of work between which
    /// `is_wanted` is asked; `None` once it is not.
    #[must_use]
    pub fn expectation(&self, is_wanted: &dyn Fn() -> bool) -> Option<Expectation> {
        let scores = self.true_scores.as_ref();
        if let Some(look) = self.info.mean_look(&self.settings, self.points.len(), scores) {
            return Some(Expectation::Exact(look.evaluate(&self.parameters, &self.points).value));
        }
        let Expected::ManyDraws(average) = self.info.expected() else { return None };
        let has_levels = self.info.settings.iter().any(|setting| setting.key == N_LEVELS.key);
        let levels = if has_levels { self.settings.integer(&N_LEVELS) } else { 1 };
        let pairs = (self.points.len() * self.parameters.logits.len() * levels).max(1) as f64;
        let wanted = (MOST_PAIRS / (pairs * ROUNDS as f64 * 2.0)) as usize;
        let mut settings = (*self.settings).clone();
        settings.set(BATCH_SIZE.key, Value::Integer(0));
        let draws = wanted.clamp(1, MOST_DRAWS);
        average(&mut settings, draws);
        let mut values = Vec::new();
        for round in 0..ROUNDS {
            if !is_wanted() {
                return None;
            }
            // Beyond the numbers of the estimates: nothing is drawn twice.
            values.push(self.value(&settings, (1 << 32) + round));
        }
        let [value, deviation] = spread(&values)?;
        let standard_error = deviation / (ROUNDS as f64).sqrt();
        Some(Expectation::Estimated { value, standard_error, draw_count: draws * ROUNDS as usize })
    }
}

/// Draws of a point in one evaluation.
const MOST_DRAWS: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::objectives::{Batch, Objective, ScoreMatching};
    use crate::training::Activity;
    use crate::training::redrawing::Redrawing;

    fn run(id: &str, chosen: &[(&str, &str)]) -> Run {
        let mut experiment = Experiment::default();
        experiment.choose_algorithm(id);
        for (key, value) in [("n_samples", "300"), ("n_components", "3"), ("tol", "0")] {
            experiment.set(key, value).unwrap();
        }
        for (key, value) in chosen {
            experiment.set(key, value).unwrap();
        }
        let mut run = Run::new(&experiment, Prepared::new(&experiment).unwrap()).unwrap();
        for _ in 0..20 {
            run.step().unwrap();
        }
        run
    }

    fn trained(id: &str, chosen: &[(&str, &str)]) -> (Snapshot, Moment) {
        let run = run(id, chosen);
        let snapshot = Snapshot {
            experiment: run.experiment().clone(),
            branch: None,
            prepared: run.prepared().clone(),
            record: run.record(),
            mixture: Arc::new(run.mixture().clone()),
            best: run.best().clone(),
            activity: Activity::Paused,
            course: run.course(),
        };
        let moment = snapshot.newest();
        (snapshot, moment)
    }

    fn redraws(id: &str, chosen: &[(&str, &str)]) -> Option<Redraws> {
        let (snapshot, moment) = trained(id, chosen);
        Redraws::of(&snapshot, &moment)
    }

    fn values(redraws: &Redraws, count: u64) -> Vec<f64> {
        (0..count).map(|number| redraws.estimate(number)).collect()
    }

    /// The mean of the estimates is the expectation within four and a half standard errors.
    #[test]
    fn estimates_scatter_around_their_expectation() {
        for (id, chosen) in [
            ("ssm_plain", &[][..]),
            ("ssm_plain", &[("slice_distribution", "sphere"), ("redraw", "false")]),
            ("ssm", &[("slice_distribution", "rademacher"), ("n_slices", "2")]),
            ("ssm", &[("control_variate", "0.5"), ("batch_size", "60")]),
            ("dsm", &[("sigma", "0.3")]),
            ("dsm", &[("n_levels", "3"), ("sigma_weight", "true"), ("batch_size", "100")]),
            ("nce", &[("shift", "0.3")]),
            ("nll", &[("batch_size", "60")]),
            ("sm", &[("batch_size", "60")]),
        ] {
            let redraws = redraws(id, chosen).unwrap();
            let [mean, deviation] = spread(&values(&redraws, 400)).unwrap();
            assert!(deviation > 0.0, "{id} {chosen:?}");
            let expectation = redraws.expectation(&|| true).unwrap();
            let own = match expectation {
                Expectation::Exact(_) => 0.0,
                Expectation::Estimated { standard_error, draw_count, .. } => {
                    assert_eq!(draw_count, 1024);
                    standard_error
                }
            };
            let error = own.hypot(deviation / 20.0);
            let off = (mean - expectation.value()).abs();
            assert!(off < 4.5 * error, "{id} {chosen:?}: {mean} {expectation:?} {error}");
        }
    }

    #[test]
    fn the_expectation_of_slices_is_exact_score_matching() {
        let (snapshot, moment) = trained("ssm", &[("batch_size", "60")]);
        let redraws = Redraws::of(&snapshot, &moment).unwrap();
        let points = &snapshot.prepared.dataset.train;
        let parameters = Parameters::of(&moment.mixture, CovarianceType::Full, 0.0);
        let exact = ScoreMatching.evaluate(&parameters, Batch::all(points)).value;
        assert_eq!(redraws.expectation(&|| true), Some(Expectation::Exact(exact)));
    }

    #[test]
    fn a_number_gives_the_same_estimate_again_and_what_draws_nothing_has_none() {
        let redraws = redraws("ssm", &[]).unwrap();
        let some = values(&redraws, 20);
        assert_eq!(some, values(&redraws, 20));
        assert!(some.windows(2).all(|pair| pair[0] != pair[1]));
        assert!(redraws_of_nothing());
        assert_eq!(self::redraws("dsm", &[]).unwrap().expectation(&|| false), None);
    }

    #[test]
    fn a_run_gives_the_estimates_of_its_snapshot() {
        let chosen = [("batch_size", "60")];
        let (snapshot, moment) = trained("ssm", &chosen);
        let of_snapshot = values(&Redraws::of(&snapshot, &moment).unwrap(), 5);
        let of_run = Redraws::of_run(&run("ssm", &chosen), &moment).unwrap();
        assert_eq!(values(&of_run, 5), of_snapshot);
        assert!(Redraws::of_run(&run("em", &[]), &moment).is_none());
    }

    fn redraws_of_nothing() -> bool {
        ["em", "nll", "sm", "csm", "esm"].iter().all(|id| redraws(id, &[]).is_none())
    }

    #[test]
    fn a_thread_draws_what_the_numbers_say() {
        for count in [5, 40] {
            let (snapshot, moment) = trained("ssm", &[]);
            let redraws = Redraws::of(&snapshot, &moment).unwrap();
            let begun = redraws.begin(&moment);
            assert_eq!((begun.own, begun.step), (moment.record.objective, 20));
            let mut redrawing = Redrawing::spawn(redraws.clone(), begun, count, || ()).unwrap();
            redrawing.wait();
            assert!(!redrawing.is_growing() && redrawing.problem().is_none());
            assert_eq!(redrawing.estimates().values, values(&redraws, count as u64));
            assert_eq!(redrawing.estimates().expectation, redraws.expectation(&|| true));
        }
    }

    #[test]
    fn a_thread_that_is_stopped_ends_and_lets_go_of_what_it_holds() {
        let (snapshot, moment) = trained("ssm", &[]);
        let redraws = Redraws::of(&snapshot, &moment).unwrap();
        let (token, begun) = (Arc::new(()), redraws.begin(&moment));
        let theirs = token.clone();
        let wake = move || drop(theirs.clone());
        let mut redrawing = Redrawing::spawn(redraws, begun, 1_000_000, wake).unwrap();
        assert!(Arc::strong_count(&token) > 1 && redrawing.is_growing());
        redrawing.stop();
        assert!(!redrawing.is_growing());
        let began = std::time::Instant::now();
        while Arc::strong_count(&token) > 1 {
            assert!(began.elapsed().as_secs() < 60, "its thread goes on");
            std::thread::yield_now();
        }
    }
}
