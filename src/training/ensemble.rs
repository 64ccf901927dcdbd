//! Ensemble: many runs of one experiment that differ in the seed of their start, and in nothing else.
//!
//! Data, settings and the seed of the training itself are the same for all. A crew computes them, a whole run on a
//! thread: a run gives the same bits wherever it is computed.

use std::sync::{Arc, OnceLock};

use super::crew::Crew;
use super::{Experiment, ExperimentError, Finish, Prepared, Record, Run};
use crate::algorithms::initial;
use crate::data::Dataset;
use crate::model::Mixture;
use crate::settings::Value;

/// One run of an ensemble, at its end.
#[derive(Debug, Clone)]
pub struct Member {
    /// The seed of its start.
    pub seed: u32,
    /// The record of every `stride`-th step from the start on, then of the last one.
    pub curve: Vec<Record>,
    /// Steps from one record to the next: a power of two, the same for equally long runs, so that curves can be
    /// averaged step by step.
    pub stride: usize,
    /// Why it stopped.
    pub finish: Finish,
    /// What it found.
    pub mixture: Mixture,
}

/// Most records of a curve, the last one aside.
const MAX_RECORDS: usize = 2048;

impl Member {
    /// Column names of [`Member::row`].
    pub const COLUMNS: [&'static str; 6] =
        ["seed", "steps", "converged", "objective", "train_nll", "val_nll"];

    /// Trains the experiment from the start of this seed until it stops by itself; `None` once nobody wants it any
    /// more, which is asked before every step.
    ///
    /// # Errors
    /// [`ExperimentError`] if there is no start, or if the objective is not finite there.
    pub fn train(
        experiment: &Experiment,
        dataset: Arc<Dataset>,
        seed: u32,
        is_wanted: impl Fn() -> bool,
    ) -> Result<Option<Member>, ExperimentError> {
        if !is_wanted() {
            return Ok(None);
        }
        let experiment = with_seed(experiment, seed);
        let mut run = Run::new(&experiment, Prepared::on(&experiment, dataset)?)?;
        let (mut curve, mut stride) = (vec![run.record()], 1);
        let remember = |record: Record| {
            if record.step.is_multiple_of(stride) {
                curve.push(record);
            }
            if curve.len() > MAX_RECORDS {
                stride *= 2;
                curve.retain(|record| record.step % stride == 0);
            }
        };
        let Some(finish) = train_to_end(&mut run, is_wanted, remember) else { return Ok(None) };
        let last = run.record();
        if curve.last().is_none_or(|record| record.step < last.step) {
            curve.push(last);
        }
        Ok(Some(Member { seed, curve, stride, finish, mixture: run.mixture().clone() }))
    }

    /// The record of the last step.
    ///
    /// # Panics
    /// Never: a curve has its start at least.
    #[must_use]
    pub fn last(&self) -> &Record {
        self.curve.last().unwrap_or_else(|| panic!("a run has a start"))
    }

    /// Its end as a row of a table.
    #[must_use]
    pub fn row(&self) -> [f64; 6] {
        let Record { step, objective, train_nll, val_nll, .. } = *self.last();
        let has_converged = f64::from(u8::from(self.finish == Finish::Converged));
        [f64::from(self.seed), step as f64, has_converged, objective, train_nll, val_nll]
    }
}

/// Steps until the run stops by itself, and says why; `None` once nobody wants it any more, which is asked before every
/// step. `then` is given the record of every step.
pub(super) fn train_to_end(
    run: &mut Run,
    is_wanted: impl Fn() -> bool,
    mut then: impl FnMut(Record),
) -> Option<Finish> {
    loop {
        if !is_wanted() {
            return None;
        }
        match run.step() {
            Err(error) => return Some(Finish::Failed(error)),
            Ok(record) => then(record),
        }
        if run.has_converged() {
            return Some(Finish::Converged);
        }
        if run.record().step >= run.max_iter() {
            return Some(Finish::MaxIter);
        }
    }
}

/// The same experiment with another seed of its start.
#[must_use]
pub fn with_seed(experiment: &Experiment, seed: u32) -> Experiment {
    let mut experiment = experiment.clone();
    experiment.start.set(initial::RANDOM_STATE.key, Value::Integer(i64::from(seed)));
    experiment
}

/// Runs on their way. Dropping it ends each of them after its current step.
pub struct Ensemble(Crew<Arc<Member>>);

impl Ensemble {
    /// Begins `count` runs in the background, on so many threads: the seeds are `first_seed` and those after it. The
    /// data are made once, where they are not at hand. `wake` is called after every result.
    ///
    /// # Errors
    /// An I/O error if the system gives no threads.
    pub fn spawn(
        experiment: Experiment,
        dataset: Option<Arc<Dataset>>,
        first_seed: u32,
        count: usize,
        thread_count: usize,
        wake: impl Fn() + Clone + Send + 'static,
    ) -> std::io::Result<Ensemble> {
        // The data once somebody needed them, or what is wrong with them.
        let dataset: OnceLock<Result<Arc<Dataset>, String>> =
            dataset.map_or_else(OnceLock::new, |dataset| OnceLock::from(Ok(dataset)));
        let work = move |number: usize, is_wanted: &dyn Fn() -> bool| {
            let seed = first_seed.wrapping_add(number as u32);
            let dataset = dataset.get_or_init(|| {
                let dataset = experiment.dataset();
                dataset.map(Arc::new).map_err(|error| error.to_string())
            });
            let member = Member::train(&experiment, dataset.clone()?, seed, is_wanted);
            Ok(member.map_err(|error| error.to_string())?.map(Arc::new))
        };
        Ok(Ensemble(Crew::spawn(count, thread_count, work, wake)?))
    }

    /// How many runs it has.
    #[must_use]
    pub fn count(&self) -> usize {
        self.0.count()
    }

    /// What arrived since the last call; an error says why nothing more will.
    pub fn drain(&self) -> impl Iterator<Item = Result<Arc<Member>, String>> {
        self.0.drain().map(|result| Ok(result?.1))
    }

    /// All that is still to come; waits for it.
    pub fn wait(&self) -> impl Iterator<Item = Result<Arc<Member>, String>> {
        self.0.wait().map(|result| Ok(result?.1))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    fn small(id: &str) -> Experiment {
        let mut experiment = Experiment::default();
        experiment.choose_algorithm(id);
        for (key, value) in [
            ("n_samples", "1300"),
            ("n_components", "5"),
            ("max_iter", "30"),
            ("init_params", "random"),
        ] {
            experiment.set(key, value).unwrap();
        }
        experiment
    }

    fn trained(experiment: &Experiment, first_seed: u32, thread_count: usize) -> Vec<Arc<Member>> {
        let ensemble =
            Ensemble::spawn(experiment.clone(), None, first_seed, 7, thread_count, || ());
        let mut members: Vec<_> = ensemble.unwrap().wait().map(Result::unwrap).collect();
        members.sort_by_key(|member| member.seed);
        members
    }

    /// All but the seconds.
    fn numbers(curve: &[Record]) -> Vec<[u64; 4]> {
        let bits = |r: &Record| {
            [r.step as u64, r.objective.to_bits(), r.train_nll.to_bits(), r.val_nll.to_bits()]
        };
        curve.iter().map(bits).collect()
    }

    #[test]
    fn any_number_of_threads_gives_the_same_bits_and_each_is_the_run_of_its_seed() {
        for id in ["em", "ssm"] {
            let experiment = small(id);
            let [one, two] = [1, 2].map(|threads| trained(&experiment, 3, threads));
            assert_eq!((one.len(), two.len()), (7, 7), "{id}");
            for (seed, (a, b)) in (3..).zip(one.iter().zip(&two)) {
                assert_eq!((a.seed, b.seed), (seed, seed), "{id}");
                assert_eq!(numbers(&a.curve), numbers(&b.curve), "{id}, seed {seed}");
                assert_eq!(a.mixture, b.mixture, "{id}, seed {seed}");

                let alone = with_seed(&experiment, seed);
                let mut run = Run::new(&alone, Prepared::new(&alone).unwrap()).unwrap();
                let mut records = vec![run.record()];
                while !run.has_converged() && run.record().step < 30 {
                    records.push(run.step().unwrap());
                }
                assert_eq!(numbers(&a.curve), numbers(&records), "{id}, seed {seed}");
                assert_eq!(a.mixture, *run.mixture(), "{id}, seed {seed}");
                let expected =
                    if run.has_converged() { Finish::Converged } else { Finish::MaxIter };
                assert_eq!(a.finish, expected, "{id}, seed {seed}");
            }
            assert!(one.windows(2).all(|pair| pair[0].mixture != pair[1].mixture), "{id}");
        }
    }

    #[test]
    fn long_curves_keep_every_second_step_then_every_fourth() {
        let mut experiment = small("em");
        for (key, value) in [("n_samples", "20"), ("tol", "0"), ("n_components", "2")] {
            experiment.set(key, value).unwrap();
        }
        let dataset = Arc::new(experiment.dataset().unwrap());
        for (max_iter, stride) in [(2047, 1), (2049, 2), (4097, 4)] {
            experiment.set("max_iter", &max_iter.to_string()).unwrap();
            let member = Member::train(&experiment, dataset.clone(), 0, || true).unwrap().unwrap();
            assert_eq!((member.stride, member.last().step), (stride, max_iter));
            let (_, regular) = member.curve.split_last().unwrap();
            for (i, record) in regular.iter().enumerate() {
                assert_eq!(record.step, i * stride, "{max_iter}");
            }
            assert!(member.curve.len() <= MAX_RECORDS + 1, "{max_iter}");
        }
    }

    #[test]
    fn cancelling_stops_within_a_step() {
        let mut experiment = small("em");
        experiment.set("max_iter", "1000000").unwrap();
        experiment.set("tol", "0").unwrap();
        let dataset = Arc::new(experiment.dataset().unwrap());
        let asked = AtomicUsize::new(0);
        let member =
            Member::train(&experiment, dataset, 0, || asked.fetch_add(1, Ordering::Relaxed) < 9);
        assert!(member.unwrap().is_none());
        assert_eq!(asked.into_inner(), 10);

        // A run of an hour or so: its threads let go of the data soon after it is dropped.
        let witness = Arc::new(());
        let kept = witness.clone();
        let wake = move || drop(kept.clone());
        let ensemble = Ensemble::spawn(experiment, None, 0, 200, 2, wake).unwrap();
        drop(ensemble);
        while Arc::strong_count(&witness) > 1 {
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
    }

    #[test]
    fn what_cannot_run_says_why_once() {
        let mut experiment = small("em");
        experiment.set("n_samples", "10").unwrap();
        experiment.set("n_components", "50").unwrap();
        let ensemble = Ensemble::spawn(experiment, None, 0, 50, 1, || ()).unwrap();
        let results: Vec<_> = ensemble.wait().collect();
        let [Err(message)] = &*results else { panic!("{results:?}") };
        assert!(message.contains("50 components need at least 50 training points"), "{message}");
    }
}
