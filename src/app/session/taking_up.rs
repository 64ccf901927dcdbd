//! Runs that another program has trained, taken up here; and all that is known of those here, told for another program.

use std::sync::mpsc::{Receiver, channel};

use super::{Legacy, Readiness, Session};
use crate::training::{Account, Command, Experiment, Listener, Memoir};

impl Session {
    /// Shows runs where another program has left them, and goes on from there.
    pub fn take_up(&mut self, experiment: &Experiment, memoirs: Vec<Memoir>) {
        self.pause();
        self.running = experiment.clone();
        (self.tracks, self.dataset) = (Vec::new(), None);
        self.restart(memoirs);
    }

    /// True until runs that another program has trained have all been heard of, and can go on.
    #[must_use]
    pub fn is_taking_up(&self) -> bool {
        self.legacy == Legacy::Awaited
    }

    /// True while their steps are repeated; they are on screen, but cannot go on yet.
    #[must_use]
    pub fn is_repeating(&self) -> bool {
        self.readiness == Readiness::Repeating
    }

    /// True if one of them goes on without what it remembered, and nobody has been told.
    pub fn take_forgotten(&mut self) -> bool {
        let has_forgotten = self.legacy == Legacy::Forgotten;
        if has_forgotten {
            self.legacy = Legacy::None;
        }
        has_forgotten
    }

    /// What is being run.
    #[must_use]
    pub fn running(&self) -> &Experiment {
        &self.running
    }

    /// True if the worker runs this very experiment, and waits for nothing.
    #[must_use]
    pub fn is_following(&self, experiment: &Experiment) -> bool {
        self.readiness == Readiness::Ready && self.running == *experiment
    }

    /// Asks the worker for all that is known of the runs; the answer comes after the step that is under way.
    #[must_use]
    pub fn recount(&self) -> Option<Receiver<Account>> {
        let (listener, account) = channel();
        let is_running = self.problem.is_none() && self.readiness != Readiness::Preparing;
        self.worker.as_ref().filter(|_| is_running)?.send(Command::Recount(Listener(listener)));
        Some(account)
    }
}
