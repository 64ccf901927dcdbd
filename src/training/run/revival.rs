//! Revival: how a run that another program has trained goes on here.
//!
//! EM depends on the mixture alone. Gradient descent remembers more (momentum, what was drawn), and burn reads an
//! optimizer's memory back in 32 bits only: the same steps are taken again instead, which gives the same bits, where
//! that is a matter of seconds.

use std::time::Instant;

use super::{Record, Run, Stretch};
use crate::algorithms::{Algorithm, AlgorithmInfo, Start, StepError};
use crate::model::Mixture;
use crate::objectives::kernel::in_pool;
use crate::settings::Settings;

/// Seconds of computing that are spent again at most, by all runs together.
pub const MOST_SECS_AGAIN: f64 = 20.0;

/// Steps that are taken again at most.
const MOST_STEPS: usize = 1_000_000;

/// What has to be done before the next step.
pub(super) struct Revival {
    pub info: &'static AlgorithmInfo,
    /// Where it began.
    pub start: Start,
    /// The settings of all steps so far, those of the run that it leaves first.
    pub stretches: Vec<Stretch>,
    /// What it came to.
    pub mixture: Mixture,
    /// Seconds of computing that led there, on the machine that did it.
    pub seconds: f64,
}

impl Revival {
    /// The algorithm as it was there, and true if it remembers all that it did.
    fn revive(
        self,
        now: &Settings,
        most_secs: f64,
    ) -> Result<(Box<dyn Algorithm>, bool), StepError> {
        let Revival { info, start, stretches, mixture, seconds } = self;
        let counts = stretches.iter().map(|(_, count)| *count);
        let step_count = counts.fold(0, usize::saturating_add);
        let is_short = seconds <= most_secs && step_count <= MOST_STEPS;
        if info.has_memory()
            && is_short
            && let Some(algorithm) = again(info, &start, &stretches, most_secs)
            // On another kind of processor, or in another version, the last bits may be others.
            && *algorithm.mixture() == mixture
        {
            return Ok((algorithm, true));
        }
        let algorithm = info.start(Start { mixture, ..start }, now)?;
        Ok((algorithm, !info.has_memory() || step_count == 0))
    }
}

/// The same steps, taken again; `None` if one of them fails, or if they take more than so many seconds on this machine.
fn again(
    info: &AlgorithmInfo,
    start: &Start,
    stretches: &[Stretch],
    most_secs: f64,
) -> Option<Box<dyn Algorithm>> {
    let began = Instant::now();
    let (first, _) = stretches.first()?;
    let mut algorithm = info.start(start.clone(), first).ok()?;
    for (settings, count) in stretches {
        for _ in 0..*count {
            if began.elapsed().as_secs_f64() > most_secs {
                return None;
            }
            in_pool(|| algorithm.step(settings)).ok()?;
        }
    }
    Some(algorithm)
}

impl Run {
    /// Makes a run that another program has trained ready to go on; others are. True if it goes on to the bit as it
    /// would have there, false if its memory (momentum, what was drawn) begins anew, because it would take more than so
    /// many seconds to gain it again, or because it ends elsewhere here.
    ///
    /// # Errors
    /// [`StepError`] if the objective is not finite where it is.
    pub fn wake(&mut self, most_secs: f64) -> Result<bool, StepError> {
        let Some(revival) = self.revival.take() else { return Ok(true) };
        let (algorithm, has_memory) = revival.revive(&self.settings, most_secs)?;
        self.algorithm = algorithm;
        Ok(has_memory)
    }
}

/// A run that has not been revived yet: it shows where it is, and cannot step.
pub(super) struct Resting {
    pub mixture: Mixture,
    pub record: Record,
}

impl Algorithm for Resting {
    fn step(&mut self, _: &Settings) -> Result<(), StepError> {
        Err(StepError::NotFinite)
    }

    fn mixture(&self) -> &Mixture {
        &self.mixture
    }

    fn objective(&self) -> f64 {
        self.record.objective
    }

    fn gradient_norm(&self) -> Option<f64> {
        None
    }

    fn evaluated_points(&self) -> usize {
        0
    }

    fn train_log_likelihood(&self) -> Option<f64> {
        Some(-self.record.train_nll)
    }
}
