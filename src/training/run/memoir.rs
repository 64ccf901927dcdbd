//! Memoir: all that is known of a run, so that another program can show it and go on with it.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::revival::{Resting, Revival};
use super::{Beginning, Finish, Prepared, Run, Stretch};
use crate::algorithms::Start;
use crate::model::{Cholesky, Component, Gaussian, Mixture};
use crate::training::guard::Guard;
use crate::training::numbers::Numbers;
use crate::training::{Best, BranchId, Experiment, ExperimentError, Moment, Record};

/// What is known of a run: where it began, the steps that are kept, and what the next step depends on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct Memoir {
    id: BranchId,
    beginning: Beginning,
    start: Arc<Mixture>,
    past: Vec<Stretch>,
    recent: Vec<f64>,
    judging_secs: f64,
    guard: Guard,
    finish: Option<Finish>,
    best: Best,
    /// At least one; the last is where the run is.
    moments: Vec<Moment>,
    /// One a step, or fewer, from the first step to the last.
    records: Vec<Record>,
}

/// Why numbers are no memoir of a run.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum MemoirError {
    /// A list has not as many numbers as its parts need.
    #[error("run {run}: {what} has {count} numbers, which is no multiple of {each}")]
    Length {
        /// Which run, counted from 1.
        run: BranchId,
        /// Which list.
        what: &'static str,
        /// How many numbers it has.
        count: usize,
        /// How many each of its parts takes.
        each: usize,
    },
    /// Nothing where something has to be.
    #[error("run {run}: {what} is empty")]
    Empty {
        /// Which run, counted from 1.
        run: BranchId,
        /// Which list.
        what: &'static str,
    },
    /// Numbers that are no mixture.
    #[error(
        "run {run}: the mixture at step {step} is none: a number is not finite, or a width not positive"
    )]
    Mixture {
        /// Which run, counted from 1.
        run: BranchId,
        /// At which step.
        step: usize,
    },
    /// Steps out of order.
    #[error("run {run}: step {step} of {what} comes too late, or before the run began")]
    Order {
        /// Which run, counted from 1.
        run: BranchId,
        /// Which list.
        what: &'static str,
        /// Which step.
        step: usize,
    },
    /// More or fewer steps than the run is said to have taken.
    #[error("run {run}: {counted} steps were taken, but it is {taken} steps from its beginning")]
    Steps {
        /// Which run, counted from 1.
        run: BranchId,
        /// What its settings say.
        counted: usize,
        /// What its last step says.
        taken: usize,
    },
}

impl Memoir {
    /// Which run it is about.
    #[must_use]
    pub fn id(&self) -> BranchId {
        self.id
    }

    /// The mixture that the run began with.
    #[must_use]
    pub fn start(&self) -> &Arc<Mixture> {
        &self.start
    }

    /// The steps that are kept with their mixtures, the last one being where the run is.
    #[must_use]
    pub fn moments(&self) -> &[Moment] {
        &self.moments
    }

    /// What was recorded of the steps, in order: each, or some that show them all.
    #[must_use]
    pub fn records(&self) -> &[Record] {
        &self.records
    }

    /// Why it stopped by itself, if it did.
    #[must_use]
    pub fn finish(&self) -> Option<&Finish> {
        self.finish.as_ref()
    }

    /// What was seen of it.
    pub(in crate::training) fn guard(&self) -> &Guard {
        &self.guard
    }

    /// Takes what was recorded of the steps, as far as it is of this run.
    #[must_use]
    pub fn with_records(self, records: &[Record]) -> Memoir {
        let (first, last) = (self.beginning.step, self.newest().record.step);
        let is_own = |record: &&Record| (first..=last).contains(&record.step);
        let mut own: Vec<Record> = records.iter().filter(is_own).copied().collect();
        // Steps that were taken meanwhile.
        let known = own.last().map_or(first, |record| record.step + 1);
        let later = self.moments.iter().map(|moment| moment.record);
        own.extend(later.filter(|record| record.step >= known));
        Memoir { records: own, ..self }
    }

    /// Keeps at most so many bytes of mixtures, evenly spread over the steps: always the first, the newest, and those at
    /// the steps that are asked for.
    #[must_use]
    pub fn thinned(mut self, most_bytes: usize, asked_for: &[usize]) -> Memoir {
        let each = 8 * (RECORD + PER_COMPONENT * self.start.components().len());
        let (count, room) = (self.moments.len(), (most_bytes / each).max(2));
        if count <= room {
            return self;
        }
        let last = count - 1;
        let mut places: Vec<usize> = (0..room).map(|i| i * last / (room - 1)).collect();
        for step in asked_for {
            let place = self.moments.partition_point(|moment| moment.record.step < *step);
            places.push(place.min(last));
        }
        places.sort_unstable();
        places.dedup();
        self.moments = places.into_iter().map(|place| self.moments[place].clone()).collect();
        self
    }

    fn newest(&self) -> &Moment {
        // A memoir has at least one moment.
        &self.moments[self.moments.len() - 1]
    }
}

impl Run {
    /// What is known of this run, with the steps that were kept of it.
    pub(in crate::training) fn memoir(
        &self,
        id: BranchId,
        moments: Vec<Moment>,
        guard: Guard,
        finish: Option<Finish>,
    ) -> Option<Memoir> {
        (moments.last()?.record.step == self.record.step).then(|| Memoir {
            id,
            beginning: self.beginning.clone(),
            start: self.prepared.start.clone(),
            past: self.past.clone(),
            recent: self.recent.clone(),
            judging_secs: self.judging_secs,
            guard,
            finish,
            best: self.best.clone(),
            records: moments.iter().map(|moment| moment.record).collect(),
            moments,
        })
    }

    /// The run that a memoir tells of, where it was; [`Run::wake`] makes it ready to go on, and so does its next step.
    ///
    /// # Errors
    /// [`ExperimentError`] if the algorithm needs a density that nobody knows.
    pub(in crate::training) fn taken_up(
        memoir: &Memoir,
        experiment: &Experiment,
        prepared: &Prepared,
    ) -> Result<Run, ExperimentError> {
        let Memoir { beginning, start, past, recent, judging_secs, best, .. } = memoir;
        let Moment { record, mixture } = memoir.newest().clone();
        let settings = |stretch: Option<&Stretch>| {
            stretch.map_or_else(|| experiment.algorithm.clone(), |(settings, _)| settings.clone())
        };
        let experiment = Experiment { algorithm: settings(past.first()), ..experiment.clone() };
        let prepared = prepared.with_start(start.clone());
        let is_led = beginning.lead.iter().any(|(_, count)| *count > 0);
        let lead = beginning.lead.iter().filter(|_| is_led);
        let revival = Revival {
            info: experiment.algorithm_info(),
            start: Start {
                mixture: (**start).clone(),
                points: prepared.dataset.train.clone(),
                covariance_type: experiment.covariance_type(),
                floor: prepared.floor,
                true_scores: prepared.true_scores(&experiment)?,
            },
            stretches: lead.chain(past).cloned().collect(),
            mixture: (*mixture).clone(),
            seconds: record.seconds,
        };
        Ok(Run {
            settings: settings(past.last()),
            experiment: Arc::new(experiment),
            prepared,
            algorithm: Box::new(Resting { mixture: (*mixture).clone(), record }),
            record,
            best: best.clone(),
            recent: recent.clone(),
            beginning: beginning.clone(),
            past: past.clone(),
            judging_secs: *judging_secs,
            revival: Some(revival),
        })
    }
}

/// Numbers of a record.
const RECORD: usize = 6;

/// Numbers of a component: log weight, both coordinates of the mean, and the factor of the covariance.
const PER_COMPONENT: usize = 6;

/// A memoir as it stands in a file.
#[derive(Clone, Serialize, Deserialize)]
struct Written {
    run: BranchId,
    n_components: usize,
    beginning: Beginning,
    /// Settings, and how many steps were taken with them.
    past: Vec<Stretch>,
    /// K × 6: log weight, mean, l11, l21 and l22 of each component.
    start: Numbers,
    /// Steps × (6 + K × 6): a record, and the mixture.
    moments: Numbers,
    /// One of them.
    best: Numbers,
    /// Steps × 6: step, seconds, objective, train_nll, val_nll, evaluations.
    records: Numbers,
    recent: Numbers,
    guard: Numbers,
    judging_secs: f64,
    #[serde(default)]
    finish: serde_json::Value,
}

impl From<Memoir> for Written {
    fn from(memoir: Memoir) -> Written {
        let moments = memoir.moments.iter().flat_map(numbers_of).collect();
        let records = memoir.records.iter().flat_map(Record::row).collect();
        Written {
            run: memoir.id,
            n_components: memoir.start.components().len(),
            start: Numbers(numbers_of_mixture(&memoir.start).collect()),
            moments: Numbers(moments),
            best: Numbers(numbers_of(&memoir.best).collect()),
            records: Numbers(records),
            recent: Numbers(memoir.recent),
            guard: Numbers(memoir.guard.numbers().to_vec()),
            judging_secs: memoir.judging_secs,
            // Nothing in it that JSON could not express is worth losing the rest.
            finish: serde_json::to_value(&memoir.finish).unwrap_or_default(),
            beginning: memoir.beginning,
            past: memoir.past,
        }
    }
}

impl TryFrom<Written> for Memoir {
    type Error = MemoirError;

    fn try_from(written: Written) -> Result<Memoir, MemoirError> {
        let (run, count) = (written.run, written.n_components);
        let first = written.beginning.step;
        let parts = Parts { run, count };
        let Some(start) = parts.mixture(first, &written.start.0) else {
            return Err(MemoirError::Mixture { run, step: first });
        };
        let moments = parts.moments("moments", &written.moments.0)?;
        let best = parts.moments("best", &written.best.0)?;
        let records = parts.records(&written.records.0)?;
        let steps = moments.iter().map(|moment| moment.record.step);
        parts.check_order("moments", first, steps)?;
        parts.check_order("records", first, records.iter().map(|record| record.step))?;
        let [Some(newest), Some(best)] = [moments.last(), best.last()] else {
            return Err(MemoirError::Empty { run, what: "moments" });
        };
        let steps = written.past.iter().map(|(_, count)| *count);
        let counted = steps.fold(0_usize, usize::saturating_add);
        let taken = newest.record.step - first;
        if counted != taken {
            return Err(MemoirError::Steps { run, counted, taken });
        }
        // Why it stopped is told again where it cannot be read.
        let finish = serde_json::from_value(written.finish).unwrap_or(None);
        let guard = <[f64; 5]>::try_from(written.guard.0).ok();
        let guard = guard.map(|numbers| Guard::of_numbers(numbers, finish.as_ref()));
        if written.recent.0.is_empty() {
            return Err(MemoirError::Empty { run, what: "recent" });
        }
        Ok(Memoir {
            id: run,
            beginning: written.beginning,
            start: Arc::new(start),
            past: written.past,
            recent: written.recent.0,
            judging_secs: written.judging_secs,
            guard: guard.unwrap_or_default(),
            finish,
            best: best.clone(),
            moments,
            records,
        })
    }
}

fn numbers_of_mixture(mixture: &Mixture) -> impl Iterator<Item = f64> + '_ {
    mixture.components().iter().flat_map(|component| {
        let Gaussian { mean: [x1, x2], cholesky: Cholesky { l11, l21, l22 } } = component.gaussian;
        [component.log_weight, x1, x2, l11, l21, l22]
    })
}

fn numbers_of(moment: &Moment) -> impl Iterator<Item = f64> + '_ {
    moment.record.row().into_iter().chain(numbers_of_mixture(&moment.mixture))
}

fn record_of(row: [f64; RECORD]) -> Record {
    let [step, seconds, objective, train_nll, val_nll, evaluations] = row;
    Record { step: step as usize, seconds, evaluations, objective, train_nll, val_nll }
}

/// What numbers of one run are made of.
#[derive(Clone, Copy)]
struct Parts {
    run: BranchId,
    /// How many components its mixtures have.
    count: usize,
}

impl Parts {
    /// A mixture, if these are the numbers of one.
    fn mixture(self, _step: usize, numbers: &[f64]) -> Option<Mixture> {
        let (components, []) = numbers.as_chunks::<PER_COMPONENT>() else { return None };
        if components.is_empty() || components.len() != self.count {
            return None;
        }
        let component = |[log_weight, x1, x2, l11, l21, l22]: &[f64; PER_COMPONENT]| Component {
            log_weight: *log_weight,
            gaussian: Gaussian {
                mean: [*x1, *x2],
                cholesky: Cholesky { l11: *l11, l21: *l21, l22: *l22 },
            },
        };
        let mixture = Mixture::from_components(components.iter().map(component).collect());
        mixture.is_finite().then_some(mixture)
    }

    fn moments(self, what: &'static str, numbers: &[f64]) -> Result<Vec<Moment>, MemoirError> {
        let run = self.run;
        let each = RECORD.saturating_add(self.count.saturating_mul(PER_COMPONENT));
        if !numbers.len().is_multiple_of(each) {
            return Err(MemoirError::Length { run, what, count: numbers.len(), each });
        }
        let moment = |numbers: &[f64]| {
            let (row, mixture) = numbers.split_first_chunk().unwrap_or((&[0.0; RECORD], &[]));
            let record = record_of(*row);
            let step = record.step;
            let mixture = self.mixture(step, mixture).ok_or(MemoirError::Mixture { run, step })?;
            Ok(Moment { record, mixture: Arc::new(mixture) })
        };
        numbers.chunks(each).map(moment).collect()
    }

    fn records(self, numbers: &[f64]) -> Result<Vec<Record>, MemoirError> {
        let (run, what) = (self.run, "records");
        let (rows, []) = numbers.as_chunks::<RECORD>() else {
            return Err(MemoirError::Length { run, what, count: numbers.len(), each: RECORD });
        };
        if rows.is_empty() {
            return Err(MemoirError::Empty { run, what });
        }
        Ok(rows.iter().map(|row| record_of(*row)).collect())
    }

    /// Steps come one after the other, from the run's first on.
    fn check_order(
        self,
        what: &'static str,
        first: usize,
        steps: impl Iterator<Item = usize>,
    ) -> Result<(), MemoirError> {
        let mut least = first;
        for step in steps {
            if step < least {
                return Err(MemoirError::Order { run: self.run, what, step });
            }
            least = step.saturating_add(1);
        }
        Ok(())
    }
}
