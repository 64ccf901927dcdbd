//! Redrawing: estimates a step again and again on a thread in the background.

use super::crew::Crew;
use super::redraws::{Estimates, Expectation, Redraws};

/// The number of the piece of work that is the expectation: after some estimates, because it may take longer than them.
const EXPECTATION: usize = 20;

/// What the thread has found.
enum Finding {
    Estimate(f64),
    Expectation(Expectation),
}

/// Estimates on their way. Dropping it ends its thread after what it computes at the moment.
pub struct Redrawing {
    /// `None` once it was stopped.
    crew: Option<Crew<Finding>>,
    estimates: Estimates,
    /// How many are wanted.
    count: usize,
    /// Findings that are still to come.
    awaited: usize,
    problem: Option<String>,
}

impl Redrawing {
    /// Begins to draw so many estimates after those that there are, and their expectation. `wake` is called after every
    /// one.
    ///
    /// # Errors
    /// An I/O error if the system gives no thread.
    pub fn spawn(
        redraws: Redraws,
        estimates: Estimates,
        count: usize,
        wake: impl Fn() + Clone + Send + 'static,
    ) -> std::io::Result<Redrawing> {
        let place = EXPECTATION.min(count);
        let work = move |number: usize, is_wanted: &dyn Fn() -> bool| {
            if number == place {
                return Ok(redraws.expectation(is_wanted).map(Finding::Expectation));
            }
            let number = if number > place { number - 1 } else { number };
            Ok(Some(Finding::Estimate(redraws.estimate(number as u64))))
        };
        let crew = Some(Crew::spawn(count + 1, 1, work, wake)?);
        Ok(Redrawing { crew, estimates, count, awaited: count + 1, problem: None })
    }

    /// Takes in what arrived since the last call.
    pub fn drain(&mut self) {
        let found: Vec<_> = self.crew.iter().flat_map(Crew::drain).collect();
        for found in found {
            self.take(found);
        }
    }

    /// Waits for all that is to come.
    pub fn wait(&mut self) {
        let found: Vec<_> = self.crew.iter().flat_map(Crew::wait).collect();
        for found in found {
            self.take(found);
        }
    }

    fn take(&mut self, found: Result<(usize, Finding), String>) {
        self.awaited = self.awaited.saturating_sub(1);
        match found {
            Ok((_, Finding::Estimate(value))) if value.is_finite() => {
                self.estimates.values.push(value);
            }
            Ok((_, Finding::Estimate(_))) => {}
            Ok((_, Finding::Expectation(value))) => self.estimates.expectation = Some(value),
            Err(message) => (self.problem, self.awaited) = (Some(message), 0),
        }
    }

    /// Wants nothing more; what has been found stays.
    pub fn stop(&mut self) {
        (self.crew, self.awaited) = (None, 0);
    }

    /// What has been found.
    #[must_use]
    pub fn estimates(&self) -> &Estimates {
        &self.estimates
    }

    /// How many estimates are wanted.
    #[must_use]
    pub fn count(&self) -> usize {
        self.count
    }

    /// True while more are to come.
    #[must_use]
    pub fn is_growing(&self) -> bool {
        self.awaited > 0
    }

    /// Why there will be no more.
    #[must_use]
    pub fn problem(&self) -> Option<&str> {
        self.problem.as_deref()
    }
}
