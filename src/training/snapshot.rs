//! Snapshot: a finished picture of a run that nobody changes any more.

use std::sync::Arc;

use super::{Best, Branch, Course, Experiment, Finish, Moment, Prepared, Record, Stretch};
use crate::algorithms::{BATCH_SIZE, Look};
use crate::model::Mixture;

/// What the worker is doing.
#[derive(Debug, Clone, PartialEq)]
pub enum Activity {
    /// Stepping.
    Playing,
    /// Waiting for a command.
    Paused,
    /// Stopped by itself, and why. Playing goes on from here.
    Finished(Finish),
}

/// Indices of points that are drawn again in a frame: as many as take about a millisecond.
const MOST_INDICES: usize = 300_000;

/// A run at one step.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// What is being run, as an experiment of its own.
    pub experiment: Arc<Experiment>,
    /// How it leaves another run; `None` for the trunk.
    pub branch: Option<Branch>,
    /// The data and the first mixture.
    pub prepared: Prepared,
    /// This step's record.
    pub record: Record,
    /// This step's mixture.
    pub mixture: Arc<Mixture>,
    /// The best step so far.
    pub best: Best,
    /// What the worker is doing.
    pub activity: Activity,
    /// With which settings it took its steps.
    pub course: Course,
}

impl Snapshot {
    /// This step's record and mixture.
    #[must_use]
    pub fn newest(&self) -> Moment {
        Moment { record: self.record, mixture: self.mixture.clone() }
    }

    /// What it evaluated at one of its steps so far, drawn again; `None` for steps that are not its own.
    #[must_use]
    pub fn look(&self, step: usize) -> Option<Look> {
        let stretches = self.course.up_to(step)?;
        let true_scores = self.prepared.true_scores(&self.experiment).ok()?;
        let point_count = self.prepared.dataset.train.len();
        self.experiment.algorithm_info().look(&stretches, point_count, true_scores.as_ref())
    }

    /// The same in a time that a frame has: of all points where too many mini-batches were drawn before it.
    #[must_use]
    pub fn quick_look(&self, step: usize) -> Option<Look> {
        let stretches = self.course.up_to(step)?;
        let of = |(settings, count): &Stretch| count * settings.integer(&BATCH_SIZE);
        if stretches.iter().map(of).sum::<usize>() <= MOST_INDICES {
            return self.look(step);
        }
        let true_scores = self.prepared.true_scores(&self.experiment).ok()?;
        self.experiment.algorithm_info().look_at_all(&stretches, true_scores.as_ref())
    }

    /// True if the run stopped because it converged.
    #[must_use]
    pub fn has_converged(&self) -> bool {
        self.activity == Activity::Finished(Finish::Converged)
    }
}
