//! Run: the training loop without threads. One experiment, stepped by its caller.

mod memoir;
mod revival;

pub use memoir::{Memoir, MemoirError};

use std::sync::{Arc, OnceLock};
use std::time::Instant;

use serde::{Deserialize, Serialize};

pub use self::revival::MOST_SECS_AGAIN;
use self::revival::Revival;
use super::guard::Symptom;
use super::{Best, Course, Experiment, ExperimentError, Record, Stretch};
use crate::algorithms::{Algorithm, MAX_ITER, Start, StepError, TOL, given, initial};
use crate::data::Dataset;
use crate::model::{Mixture, Parameters, Point};
use crate::objectives::kernel::{in_pool, mean_log_likelihood};
use crate::settings::Settings;

/// Steps whose change of the objective has to be below `tol` for a run to count as converged.
const CONVERGED_STEPS: usize = 10;

/// An experiment's data and first mixture: what every run of it shares.
#[derive(Debug, Clone)]
pub struct Prepared {
    /// The points, split and scaled.
    pub dataset: Arc<Dataset>,
    /// The mixture that training starts from.
    pub start: Arc<Mixture>,
    /// Added to the diagonal of every covariance, in squared units of the data.
    pub floor: f64,
    /// See [`Prepared::true_scores`]; computed for the first algorithm that asks.
    true_scores: Arc<OnceLock<Arc<[Point]>>>,
}

impl Prepared {
    /// From its parts.
    #[must_use]
    pub fn of(dataset: Arc<Dataset>, start: Arc<Mixture>, floor: f64) -> Prepared {
        Prepared { dataset, start, floor, true_scores: Arc::default() }
    }

    /// The same data with another start.
    #[must_use]
    pub fn with_start(&self, start: Arc<Mixture>) -> Prepared {
        Prepared { start, ..self.clone() }
    }

    /// The score of the known density at every training point, if the experiment's algorithm needs it. All runs on these
    /// data share it.
    ///
    /// # Errors
    /// [`ExperimentError::NoDensity`] if it is needed and nobody knows it.
    pub fn true_scores(
        &self,
        experiment: &Experiment,
    ) -> Result<Option<Arc<[Point]>>, ExperimentError> {
        let info = experiment.algorithm_info();
        if !info.needs_density() {
            return Ok(None);
        }
        let absent = |absence| ExperimentError::NoDensity { algorithm: info.label, absence };
        let density = experiment.known_density(&self.dataset.scaling).map_err(absent)?;
        let compute = || density.scores(&self.dataset.train).into_iter().map(|(_, s)| s).collect();
        Ok(Some(self.true_scores.get_or_init(compute).clone()))
    }

    /// Makes or reads the data, and finds the start.
    ///
    /// # Errors
    /// [`ExperimentError`] if there are no points, or no start.
    pub fn new(experiment: &Experiment) -> Result<Prepared, ExperimentError> {
        Prepared::on(experiment, Arc::new(experiment.dataset()?))
    }

    /// Finds the start on data that are at hand.
    ///
    /// # Errors
    /// [`ExperimentError`] if there is no start.
    pub fn on(experiment: &Experiment, dataset: Arc<Dataset>) -> Result<Prepared, ExperimentError> {
        experiment.check()?;
        let floor = experiment.floor(&dataset);
        let covariance_type = experiment.covariance_type();
        // As θ can express it, whatever the algorithm: all of them begin at the same mixture.
        let start = if experiment.given.is_empty() {
            let component_count = experiment.model.integer(&crate::model::N_COMPONENTS);
            let start = initial::start(&dataset, component_count, floor, &experiment.start)?;
            Parameters::of(&start, covariance_type, floor).mixture()
        } else {
            given::start(&experiment.given, &dataset.scaling, covariance_type, floor)?
        };
        Ok(Prepared::of(dataset, Arc::new(start), floor))
    }
}

/// Why a run stopped by itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Finish {
    /// The objective no longer changes by more than `tol`.
    Converged,
    /// `max_iter` steps were taken.
    MaxIter,
    /// Something goes wrong that can be told: a component collapses, say. The steps so far are good.
    Broken(Symptom),
    /// There was no finite next step; the last good mixture is kept.
    Failed(StepError),
}

impl std::fmt::Display for Finish {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Finish::Converged => write!(f, "converged: the objective changed by less than tol"),
            Finish::MaxIter => write!(f, "max_iter steps are done"),
            Finish::Broken(symptom) => write!(f, "{symptom}"),
            Finish::Failed(error) => write!(f, "{error}"),
        }
    }
}

/// One experiment in training.
pub struct Run {
    experiment: Arc<Experiment>,
    prepared: Prepared,
    settings: Settings,
    algorithm: Box<dyn Algorithm>,
    record: Record,
    best: Best,
    /// The objective at the last few steps, newest last; one more than [`CONVERGED_STEPS`].
    recent: Vec<f64>,
    beginning: Beginning,
    /// Which settings it took its own steps with, and how many; the last ones are those of now.
    past: Vec<Stretch>,
    /// Seconds spent on likelihoods that the algorithm itself has no need of.
    judging_secs: f64,
    /// What has to be done before the next step, where another program took those so far.
    revival: Option<Revival>,
}

/// Where a run begins.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct Beginning {
    /// Its first step.
    step: usize,
    /// Seconds of computing until then.
    seconds: f64,
    /// Gradient evaluations until then.
    evaluations: f64,
    /// Steps of the run that it leaves, where it takes over that one's memory (momentum, what was drawn) by taking
    /// them again.
    #[serde(with = "memoir::stretches")]
    lead: Vec<Stretch>,
}

impl Run {
    /// A run at its start, step 0.
    ///
    /// # Errors
    /// [`ExperimentError`] if the data, the start or the first evaluation fail.
    pub fn new(experiment: &Experiment, prepared: Prepared) -> Result<Run, ExperimentError> {
        Run::begin(experiment, prepared, Beginning::default())
    }

    /// A run that goes on from a step of another: from the mixture there, which `prepared` has as its start.
    ///
    /// # Errors
    /// [`ExperimentError`] if the first evaluation fails.
    pub fn leaving(
        record: &Record,
        experiment: &Experiment,
        prepared: Prepared,
    ) -> Result<Run, ExperimentError> {
        let Record { step, seconds, evaluations, .. } = *record;
        let lead = Vec::new();
        Run::begin(experiment, prepared, Beginning { step, seconds, evaluations, lead })
    }

    /// A run that goes on from a step of this one with all that it remembers there (momentum, what was drawn), and with
    /// other live settings: takes the steps up to there again, which gives the same bits.
    ///
    /// # Errors
    /// [`ExperimentError`] if one of them fails.
    pub fn continued(
        &self,
        record: &Record,
        experiment: &Experiment,
    ) -> Result<Run, ExperimentError> {
        let Record { step, seconds, evaluations, .. } = *record;
        let mut lead = self.beginning.lead.clone();
        let mut missing = step.saturating_sub(self.beginning.step);
        for (settings, count) in &self.past {
            let taken = missing.min(*count);
            lead.push((settings.clone(), taken));
            missing -= taken;
        }
        let beginning = Beginning { step, seconds, evaluations, lead };
        Run::begin(experiment, self.prepared.clone(), beginning)
    }

    /// This run at one of its earlier steps: taken again from its start, which gives the same bits.
    ///
    /// # Errors
    /// [`ExperimentError`] if one of the steps fails.
    pub fn again_to(&self, step: usize) -> Result<Run, ExperimentError> {
        let first = self.past.first().map_or(&self.settings, |(settings, _)| &**settings);
        let experiment = Experiment { algorithm: first.clone(), ..(*self.experiment).clone() };
        let mut run = Run::begin(&experiment, self.prepared.clone(), self.beginning.clone())?;
        for (settings, count) in &self.past {
            run.tune((**settings).clone());
            for _ in 0..*count {
                if run.record.step == step {
                    return Ok(run);
                }
                run.step()?;
            }
        }
        Ok(run)
    }

    fn begin(
        experiment: &Experiment,
        prepared: Prepared,
        beginning: Beginning,
    ) -> Result<Run, ExperimentError> {
        let settings = experiment.algorithm.clone();
        let start = Start {
            mixture: (*prepared.start).clone(),
            points: prepared.dataset.train.clone(),
            covariance_type: experiment.covariance_type(),
            floor: prepared.floor,
            true_scores: prepared.true_scores(experiment)?,
        };
        let is_repeated = beginning.lead.iter().any(|(_, count)| *count > 0);
        // Where no step is taken again, what was in force before does not matter.
        let lead = beginning.lead.first().filter(|_| is_repeated);
        let first_settings = lead.map_or(&settings, |(first, _)| &**first);
        let began = Instant::now();
        let mut algorithm = experiment.algorithm_info().start(start, first_settings)?;
        let seconds = began.elapsed().as_secs_f64();
        for (settings, count) in &beginning.lead {
            for _ in 0..*count {
                in_pool(|| algorithm.step(settings))?;
            }
        }
        let Judged { train_nll, val_nll, seconds: judging_secs } =
            judged(&*algorithm, &prepared.dataset);
        let record = Record {
            step: beginning.step,
            seconds: beginning.seconds + if is_repeated { 0.0 } else { seconds },
            evaluations: beginning.evaluations
                + if is_repeated { 0.0 } else { passes(&*algorithm, &prepared) },
            objective: algorithm.objective(),
            train_nll,
            val_nll,
        };
        let best = Best { record, mixture: Arc::new(algorithm.mixture().clone()) };
        Ok(Run {
            experiment: Arc::new(experiment.clone()),
            prepared,
            past: vec![(Arc::new(settings.clone()), 0)],
            settings,
            algorithm,
            record,
            best,
            recent: vec![record.objective],
            beginning,
            judging_secs,
            revival: None,
        })
    }

    /// The same run at its start again: equal to the bit.
    ///
    /// # Errors
    /// [`ExperimentError`] if the first evaluation fails.
    pub fn rewound(&self) -> Result<Run, ExperimentError> {
        let experiment =
            Experiment { algorithm: self.settings.clone(), ..(*self.experiment).clone() };
        Run::begin(&experiment, self.prepared.clone(), self.beginning.clone())
    }

    /// Takes one step and judges it.
    ///
    /// # Errors
    /// [`StepError`] if there is no finite next mixture; the run stays where it was.
    pub fn step(&mut self) -> Result<Record, StepError> {
        in_pool(|| self.take_step())
    }

    fn take_step(&mut self) -> Result<Record, StepError> {
        self.wake(MOST_SECS_AGAIN)?;
        let began = Instant::now();
        self.algorithm.step(&self.settings)?;
        let seconds = began.elapsed().as_secs_f64();
        if let Some((_, count)) = self.past.last_mut() {
            *count += 1;
        }
        let judged = judged(&*self.algorithm, &self.prepared.dataset);
        self.judging_secs += judged.seconds;
        self.record = Record {
            step: self.record.step + 1,
            seconds: self.record.seconds + seconds,
            evaluations: self.record.evaluations + passes(&*self.algorithm, &self.prepared),
            objective: self.algorithm.objective(),
            train_nll: judged.train_nll,
            val_nll: judged.val_nll,
        };
        if self.record.judged_by() < self.best.record.judged_by() {
            self.best.record = self.record;
            // Somebody may be looking at the last best one; else its memory serves again.
            match Arc::get_mut(&mut self.best.mixture) {
                Some(mixture) => mixture.clone_from(self.algorithm.mixture()),
                None => self.best.mixture = Arc::new(self.algorithm.mixture().clone()),
            }
        }
        if self.recent.len() > CONVERGED_STEPS {
            self.recent.remove(0);
        }
        self.recent.push(self.record.objective);
        Ok(self.record)
    }

    /// Forgets how the objective changed so far, so that a run that stopped can go on.
    pub fn forget_convergence(&mut self) {
        self.recent.drain(..self.recent.len() - 1);
    }

    /// True if the objective changed by less than `tol` in each of the last ten steps.
    #[must_use]
    pub fn has_converged(&self) -> bool {
        let tolerance = self.settings.number(&TOL);
        self.recent.len() > CONVERGED_STEPS
            && self.recent.windows(2).all(|pair| (pair[1] - pair[0]).abs() < tolerance)
    }

    /// How many steps are to be taken at most.
    #[must_use]
    pub fn max_iter(&self) -> usize {
        self.settings.integer(&MAX_ITER)
    }

    /// Takes new values of live settings from the next step on.
    pub fn tune(&mut self, settings: Settings) {
        // What a slider passes on its way took no step; the first ones stay, for the start was evaluated with them.
        if self.past.len() > 1 && self.past.last().is_some_and(|(_, count)| *count == 0) {
            self.past.pop();
        }
        self.past.push((Arc::new(settings.clone()), 0));
        self.settings = settings;
    }

    /// One of its records, for a run that leaves it there. At its first step that run begins beside it, not after it:
    /// the clocks of both begin alike.
    #[must_use]
    pub fn left_at(&self, record: Record) -> Record {
        let Beginning { step, seconds, evaluations, .. } = self.beginning;
        if record.step == step { Record { seconds, evaluations, ..record } } else { record }
    }

    /// True if it takes steps of another run again before its first one.
    #[must_use]
    pub fn has_lead(&self) -> bool {
        self.beginning.lead.iter().any(|(_, count)| *count > 0)
    }

    /// Its first step: 0, or the one at which it left another run.
    #[must_use]
    pub fn first_step(&self) -> usize {
        self.beginning.step
    }

    /// Seconds spent so far on likelihoods that the algorithm itself has no need of.
    #[must_use]
    pub fn judging_secs(&self) -> f64 {
        self.judging_secs
    }

    /// What is being run, with its settings as they were at the start.
    #[must_use]
    pub fn experiment(&self) -> &Arc<Experiment> {
        &self.experiment
    }

    /// With which settings it took its steps.
    #[must_use]
    pub fn course(&self) -> Course {
        let Beginning { step, lead, .. } = &self.beginning;
        Course { first_step: *step, lead: lead.clone(), own: self.past.clone() }
    }

    /// The last step's record.
    #[must_use]
    pub fn record(&self) -> Record {
        self.record
    }

    /// The best step so far.
    #[must_use]
    pub fn best(&self) -> &Best {
        &self.best
    }

    /// The mixture reached so far.
    #[must_use]
    pub fn mixture(&self) -> &Mixture {
        self.algorithm.mixture()
    }

    /// The Euclidean norm of the gradient at that mixture, where the algorithm has one.
    #[must_use]
    pub fn gradient_norm(&self) -> Option<f64> {
        self.algorithm.gradient_norm()
    }

    /// The data and the first mixture.
    #[must_use]
    pub fn prepared(&self) -> &Prepared {
        &self.prepared
    }
}

/// What a mixture is judged by, in nats per point.
struct Judged {
    train_nll: f64,
    val_nll: f64,
    /// What that took.
    seconds: f64,
}

fn judged(algorithm: &dyn Algorithm, data: &Dataset) -> Judged {
    let began = Instant::now();
    let mixture = algorithm.mixture();
    let train = algorithm.train_log_likelihood();
    let train_nll = -train.unwrap_or_else(|| mean_log_likelihood(mixture, &data.train));
    let val_nll = -mean_log_likelihood(mixture, &data.validation);
    Judged { train_nll, val_nll, seconds: began.elapsed().as_secs_f64() }
}

/// What the last evaluation was, in passes over the training points.
fn passes(algorithm: &dyn Algorithm, prepared: &Prepared) -> f64 {
    algorithm.evaluated_points() as f64 / prepared.dataset.train.len().max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::algorithms::{ALGORITHMS, LEARNING_RATE};

    fn small(id: &str) -> Experiment {
        let mut experiment = Experiment::default();
        experiment.choose_algorithm(id);
        experiment.set("n_samples", "400").unwrap();
        experiment.set("n_components", "4").unwrap();
        experiment
    }

    fn run(experiment: &Experiment) -> Run {
        Run::new(experiment, Prepared::new(experiment).unwrap()).unwrap()
    }

    #[test]
    fn every_algorithm_improves_its_objective_and_repeats_to_the_bit() {
        for info in &*ALGORITHMS {
            let mut first = run(&small(info.id));
            let start = first.record();
            for _ in 0..30 {
                first.step().unwrap();
            }
            assert!(first.record().objective < start.objective, "{}", info.id);
            let mut second = first.rewound().unwrap();
            assert_eq!(second.record().objective, start.objective, "{}", info.id);
            for _ in 0..30 {
                second.step().unwrap();
            }
            assert_eq!(first.mixture(), second.mixture(), "{}", info.id);
            assert_eq!(first.best().mixture, second.best().mixture, "{}", info.id);
        }
    }

    #[test]
    fn covariance_types_and_mini_batches_work_everywhere() {
        for info in &*ALGORITHMS {
            for covariance_type in ["full", "diag", "spherical", "tied"] {
                let mut experiment = small(info.id);
                experiment.set("covariance_type", covariance_type).unwrap();
                if info.id != "em" {
                    experiment.set("batch_size", "50").unwrap();
                }
                let mut run = run(&experiment);
                for _ in 0..20 {
                    run.step().unwrap();
                }
                let what = format!("{} {covariance_type}", info.id);
                let [first, second] =
                    [0, 1].map(|k| run.mixture().components()[k].gaussian.cholesky.covariance());
                match covariance_type {
                    "diag" => assert_eq!(first[1], 0.0, "{what}"),
                    "spherical" => assert!((first[0] - first[2]).abs() < 1e-12, "{what}"),
                    "tied" => assert_eq!(first, second, "{what}"),
                    _ => assert!(first != second, "{what}"),
                }
            }
        }
    }

    #[test]
    fn em_never_lowers_the_likelihood() {
        for covariance_type in ["full", "diag", "spherical", "tied"] {
            let mut experiment = small("em");
            experiment.set("reg_covar", "0").unwrap();
            experiment.set("covariance_type", covariance_type).unwrap();
            let mut run = run(&experiment);
            for _ in 0..60 {
                let before = run.record().train_nll;
                let after = run.step().unwrap().train_nll;
                assert!(after <= before + 1e-12, "{covariance_type}: {before} {after}");
            }
        }
    }

    #[test]
    fn a_wild_learning_rate_stops_at_the_last_good_mixture() {
        let mut experiment = small("sm");
        experiment.set("learning_rate", "10").unwrap();
        experiment.set("reg_covar", "0").unwrap();
        experiment.set("optimizer", "sgd").unwrap();
        let mut run = run(&experiment);
        let error = (0..500).find_map(|_| run.step().err());
        assert_eq!(error, Some(StepError::NotFinite));
        assert!(run.mixture().is_finite());
        assert!(run.record().objective.is_finite());
    }

    #[test]
    fn a_step_is_one_pass_over_the_training_data_and_one_over_the_validation_data() {
        use crate::objectives::kernel::passes_of;

        for info in &*ALGORITHMS {
            let mut run = run(&small(info.id));
            let dataset = run.prepared().dataset.clone();
            let passes = passes_of(|| {
                run.step().unwrap();
            });
            assert_eq!(passes, [dataset.train.len(), dataset.validation.len()], "{}", info.id);
        }
    }

    #[test]
    fn a_slider_on_its_way_leaves_only_where_it_ends() {
        let mut run = run(&small("ssm"));
        let tune = |run: &mut Run, rate: &str| {
            let mut experiment = small("ssm");
            experiment.set("learning_rate", rate).unwrap();
            run.tune(experiment.algorithm);
        };
        for rate in ["0.01", "0.02", "0.04"] {
            tune(&mut run, rate);
        }
        run.step().unwrap();
        tune(&mut run, "0.05");
        tune(&mut run, "0.06");
        let course = run.course();
        assert_eq!(course.own.iter().map(|(_, count)| *count).collect::<Vec<_>>(), [0, 1, 0]);
        let rates = [0, 1].map(|step| course.settings_at(step).unwrap().number(&LEARNING_RATE));
        assert_eq!(rates, [0.03, 0.04]);
    }

    #[test]
    fn a_step_that_fails_leaves_the_draws_where_they_were() {
        let mut compared = 0;
        for (id, optimizer) in
            [("ssm_plain", "sgd"), ("ssm", "momentum"), ("ssm", "adam"), ("dsm", "momentum")]
        {
            let rated = |rate: &str, clip: &str| {
                let mut experiment = small(id);
                for (key, value) in [
                    ("optimizer", optimizer),
                    ("batch_size", "60"),
                    ("reg_covar", "0"),
                    ("learning_rate", rate),
                    ("max_grad_norm", clip),
                ] {
                    experiment.set(key, value).unwrap();
                }
                experiment
            };
            let [mut failing, mut other] = [0; 2].map(|_| run(&rated("10", "0")));
            let good = (0..500).take_while(|_| failing.step().is_ok()).count();
            if good == 500 {
                continue;
            }
            for _ in 0..good {
                other.step().unwrap();
            }
            for _ in 0..3 {
                // Gently, from next to where there is nothing finite.
                let [after, expected] = [&mut failing, &mut other].map(|run| {
                    run.tune(rated("0.000001", "1").algorithm);
                    run.step().map(|record| record.objective)
                });
                assert_eq!(after, expected, "{id} {optimizer}");
                compared += usize::from(after.is_ok());
            }
        }
        assert!(compared > 0, "no step that failed was followed by one that did not");
    }

    #[test]
    fn a_run_converges_by_tol() {
        let mut experiment = small("em");
        experiment.set("tol", "0.001").unwrap();
        let mut run = run(&experiment);
        let steps = (1..1000).find(|_| {
            run.step().unwrap();
            run.has_converged()
        });
        assert!(steps.is_some_and(|steps| steps > CONVERGED_STEPS), "{steps:?}");
        run.forget_convergence();
        assert!(!run.has_converged());
    }
}
