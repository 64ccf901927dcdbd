//! Memoir: all that is known of a run, so that another program can show it and go on with it.

pub(super) mod stretches;
mod written;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use self::written::Written;
use super::revival::{Resting, Revival};
use super::{Beginning, Finish, Prepared, Run, Stretch};
use crate::algorithms::Start;
use crate::model::Mixture;
use crate::training::guard::Guard;
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
    /// A step that is no count.
    #[error("run {run}: a step of {what} is no whole number")]
    Step {
        /// Which run, counted from 1.
        run: BranchId,
        /// Which list.
        what: &'static str,
    },
    /// Records that end elsewhere than the run.
    #[error("run {run}: the records end at step {recorded}, but the run at step {newest}")]
    End {
        /// Which run, counted from 1.
        run: BranchId,
        /// Step of the last record.
        recorded: usize,
        /// Step of the last mixture.
        newest: usize,
    },
    /// More steps taken over than there were before.
    #[error("run {run}: it takes over {lead} steps, but it begins at step {first}")]
    Lead {
        /// Which run, counted from 1.
        run: BranchId,
        /// How many it takes over.
        lead: usize,
        /// Where it begins.
        first: usize,
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

    /// The step that it began at.
    #[must_use]
    pub fn first_step(&self) -> usize {
        self.beginning.step
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
        let each = 8 * written::numbers_of_a_moment(self.start.components().len());
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
            stretch
                .map_or_else(|| experiment.algorithm.clone(), |(settings, _)| (**settings).clone())
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
