//! Snapshot: a finished picture of a run that nobody changes any more.

use std::sync::Arc;

use super::{Best, Branch, Course, Experiment, Finish, Moment, Prepared, Record};
use crate::algorithms::Look;
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
        self.course.look(&self.experiment, &self.prepared, step)
    }

    /// The same in a time that a frame has: of all points where too many mini-batches were drawn before it.
    #[must_use]
    pub fn quick_look(&self, step: usize) -> Option<Look> {
        self.course.quick_look(&self.experiment, &self.prepared, step)
    }

    /// True if the run stopped because it converged.
    #[must_use]
    pub fn has_converged(&self) -> bool {
        self.activity == Activity::Finished(Finish::Converged)
    }
}
