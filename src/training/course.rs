//! Course: with which settings a run took its steps. What it drew at each of them can be drawn again.

use std::sync::Arc;

use super::{Experiment, Prepared};
use crate::algorithms::{BATCH_SIZE, Look};
use crate::settings::Settings;

/// Indices of points that are drawn again in a frame: as many as take about a millisecond.
const MOST_INDICES: usize = 300_000;

/// Steps in a row that were taken with the same settings.
pub type Stretch = (Arc<Settings>, usize);

/// With which settings a run took its steps so far.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Course {
    /// The step that it began at.
    pub first_step: usize,
    /// What it took again of the run that it leaves, so as to remember what that one remembers.
    pub lead: Vec<Stretch>,
    /// Its own steps.
    pub own: Vec<Stretch>,
}

impl Course {
    /// The stretches up to one of its steps, in order: the start was evaluated with the settings of the first one. `None`
    /// for steps before its first one or after its last.
    #[must_use]
    pub fn up_to(&self, step: usize) -> Option<Vec<Stretch>> {
        let mut missing = step.checked_sub(self.first_step)?;
        // Of a lead without steps nothing was evaluated.
        let has_lead = self.lead.iter().any(|(_, count)| *count > 0);
        let mut stretches = if has_lead { self.lead.clone() } else { Vec::new() };
        for (settings, count) in &self.own {
            let taken = missing.min(*count);
            stretches.push((settings.clone(), taken));
            missing -= taken;
        }
        (missing == 0 && !stretches.is_empty()).then_some(stretches)
    }

    /// The settings that one of its steps was taken and evaluated with: those of the last stretch that has steps, or at the
    /// start the first ones. `None` as for [`Course::up_to`].
    #[must_use]
    pub fn settings_at(&self, step: usize) -> Option<Arc<Settings>> {
        let stretches = self.up_to(step)?;
        let last = stretches.iter().rfind(|(_, count)| *count > 0).or(stretches.first());
        last.map(|(settings, _)| settings.clone())
    }

    /// What a run of this experiment evaluated at a step, with all that it drew. `None` as for [`Course::up_to`], or where
    /// the objective needs scores that nobody knows.
    #[must_use]
    pub fn look(&self, of: &Experiment, prepared: &Prepared, step: usize) -> Option<Look> {
        let stretches = self.up_to(step)?;
        let true_scores = prepared.true_scores(of).ok()?;
        let point_count = prepared.dataset.train.len();
        of.algorithm_info().look(&stretches, point_count, true_scores.as_ref())
    }

    /// The same in a time that a frame has: of all points where too many mini-batches were drawn before it.
    #[must_use]
    pub fn quick_look(&self, of: &Experiment, prepared: &Prepared, step: usize) -> Option<Look> {
        let stretches = self.up_to(step)?;
        let count_of = |(settings, count): &Stretch| count * settings.integer(&BATCH_SIZE);
        if stretches.iter().map(count_of).sum::<usize>() <= MOST_INDICES {
            return self.look(of, prepared, step);
        }
        let true_scores = prepared.true_scores(of).ok()?;
        of.algorithm_info().look_at_all(&stretches, true_scores.as_ref())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_course_ends_where_it_is_asked_to() {
        let stretch = |count| (Arc::new(Settings::default()), count);
        let course =
            Course { first_step: 5, lead: vec![stretch(5)], own: vec![stretch(3), stretch(4)] };
        let counts = |step| {
            let stretches = course.up_to(step)?;
            Some(stretches.into_iter().map(|(_, count)| count).collect::<Vec<_>>())
        };
        assert_eq!(counts(4), None);
        assert_eq!(counts(5), Some(vec![5, 0, 0]));
        assert_eq!(counts(9), Some(vec![5, 3, 1]));
        assert_eq!(counts(12), Some(vec![5, 3, 4]));
        assert_eq!(counts(13), None);
        assert_eq!(Course::default().up_to(0), None);
    }
}
