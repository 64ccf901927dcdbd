//! Verdicts: how far steps of a run are from the truth, and which step is to be judged next.

use std::collections::{BTreeMap, BTreeSet};

use super::{Moment, Record, Timeline};
use crate::model::{Divergence, Estimate};

/// A step of a run, held against the known density.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Verdict {
    /// What was recorded of the step.
    pub record: Record,
    /// How far its mixture is from the known density.
    pub divergence: Divergence,
}

impl Verdict {
    /// Column names of [`Verdict::row`].
    pub const COLUMNS: [&'static str; 11] = [
        "step",
        "seconds",
        "evaluations",
        "kl",
        "kl_error",
        "fisher",
        "fisher_error",
        "implicit",
        "implicit_error",
        "constant",
        "constant_error",
    ];

    /// The verdict as a row of a table.
    #[must_use]
    pub fn row(&self) -> [f64; 11] {
        let Record { step, seconds, evaluations, .. } = self.record;
        let Divergence { kl, fisher, implicit, constant } = self.divergence;
        let pair = |estimate: Estimate| [estimate.value, estimate.error];
        let [[a, b], [c, d], [e, f], [g, h]] = [kl, fisher, implicit, constant].map(pair);
        [step as f64, seconds, evaluations, a, b, c, d, e, f, g, h]
    }
}

/// A curve is done once no gap in it is wider than its share of so many. Gaps are measured in roots of steps: the first
/// steps lie densely, because most happens there.
const MOST_GAPS: usize = 160;

/// More verdicts than these are thinned.
const MOST_KEPT: usize = 2_000;

/// What is known of a run so far.
#[derive(Debug, Clone, Default)]
pub struct Verdicts {
    by_step: BTreeMap<usize, Verdict>,
    /// The steps that were judged, or are on their way to the judge.
    asked: BTreeSet<usize>,
}

impl Verdicts {
    /// Takes in a verdict.
    pub fn insert(&mut self, verdict: Verdict) {
        self.asked.insert(verdict.record.step);
        self.by_step.insert(verdict.record.step, verdict);
        if self.by_step.len() > MOST_KEPT {
            self.thin();
        }
    }

    /// Drops those that lie so close to others that no plot could tell.
    fn thin(&mut self) {
        let (Some(&first), Some(&last)) =
            (self.by_step.keys().next(), self.by_step.keys().next_back())
        else {
            return;
        };
        let least = root(first, last) / (8 * MOST_GAPS) as f64;
        let mut kept = first;
        self.by_step.retain(|&step, _| {
            let is_kept =
                step == first || step == last || root(first, step) - root(first, kept) >= least;
            if is_kept {
                kept = step;
            }
            is_kept
        });
        self.asked = self.by_step.keys().copied().collect();
    }

    /// Remembers that a step is on its way to the judge; false if it was asked for before.
    pub fn ask(&mut self, step: usize) -> bool {
        self.asked.insert(step)
    }

    /// All verdicts, in the order of their steps.
    pub fn iter(&self) -> impl Iterator<Item = &Verdict> {
        self.by_step.values()
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.by_step.len()
    }

    /// True before the first one.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_step.is_empty()
    }

    /// The verdict on the step nearest to this one.
    #[must_use]
    pub fn nearest(&self, step: usize) -> Option<&Verdict> {
        let before = self.by_step.range(..=step).next_back();
        let after = self.by_step.range(step..).next();
        let both = before.into_iter().chain(after);
        both.min_by_key(|(at, _)| at.abs_diff(step)).map(|(_, verdict)| verdict)
    }

    /// The kept step of a run that its curve misses most: its ends first, then what is nearest to the middle of the
    /// widest gap. `None` once the curve is done.
    #[must_use]
    pub fn wanted<'a>(&self, timeline: &'a Timeline) -> Option<&'a Moment> {
        let (first, newest) = (timeline.moments().next()?, timeline.newest()?);
        if let Some(end) =
            [newest, first].into_iter().find(|end| !self.asked.contains(&end.record.step))
        {
            return Some(end);
        }
        let [first, last] = [first.record.step, newest.record.step];
        let least = root(first, last) / MOST_GAPS as f64;
        let steps: Vec<usize> = self.asked.range(first..=last).copied().collect();
        let width = |&[from, to]: &[usize; 2]| root(first, to) - root(first, from);
        let gaps = steps.windows(2).map(|pair| [pair[0], pair[1]]);
        let mut gaps: Vec<[usize; 2]> =
            gaps.filter(|gap| gap[1] > gap[0] + 1 && width(gap) > least).collect();
        gaps.sort_by(|a, b| width(b).total_cmp(&width(a)));
        gaps.into_iter().find_map(|[from, to]| {
            let middle = f64::midpoint(root(first, from), root(first, to)).powi(2).round();
            let middle = (first + middle as usize).clamp(from + 1, to - 1);
            // Where steps are missing, whatever lies inside.
            let near = [timeline.at(middle), timeline.after(from), timeline.before(to)];
            let is_inside = |moment: &&Moment| (from + 1..to).contains(&moment.record.step);
            near.into_iter().flatten().find(is_inside)
        })
    }
}

/// The root of the number of steps from one to another.
fn root(from: usize, to: usize) -> f64 {
    (to.saturating_sub(from) as f64).sqrt()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::model::Mixture;

    fn record(step: usize) -> Record {
        let (seconds, evaluations) = (0.0, 0.0);
        let (objective, train_nll, val_nll) = (0.0, 0.0, f64::NAN);
        Record { step, seconds, evaluations, objective, train_nll, val_nll }
    }

    fn timeline(first: usize, count: usize, limit: usize) -> Timeline {
        let mixture = Arc::new(Mixture::new(&[1.0], &[[0.0; 2]], &[[1.0, 0.0, 1.0]]).unwrap());
        let mut timeline = Timeline::within(limit);
        for step in first..first + count {
            timeline.push(Moment { record: record(step), mixture: mixture.clone() });
        }
        timeline
    }

    fn verdict(step: usize) -> Verdict {
        let number = |value| Estimate { value, error: 0.5 };
        let divergence = Divergence {
            kl: number(1.0),
            fisher: number(2.0),
            implicit: number(3.0),
            constant: number(4.0),
        };
        Verdict { record: record(step), divergence }
    }

    /// The steps in the order in which they are asked for.
    fn asked(timeline: &Timeline) -> Vec<usize> {
        let (mut verdicts, mut order) = (Verdicts::default(), Vec::new());
        while let Some(moment) = verdicts.wanted(timeline) {
            let step = moment.record.step;
            assert!(verdicts.ask(step), "{step} twice");
            verdicts.insert(verdict(step));
            order.push(step);
        }
        order
    }

    #[test]
    fn short_runs_are_judged_at_every_step() {
        let mut all = asked(&timeline(7, 20, 64_000_000));
        assert_eq!(all[..2], [26, 7], "the ends first");
        all.sort_unstable();
        assert!(all.into_iter().eq(7..27));
        assert!(asked(&Timeline::default()).is_empty());
        assert_eq!(asked(&timeline(3, 1, 64_000_000)), [3]);
    }

    #[test]
    fn long_runs_are_judged_evenly_and_only_at_kept_steps() {
        for limit in [64_000_000, 2_000_000] {
            let timeline = timeline(0, 50_000, limit);
            let mut steps = asked(&timeline);
            assert!((100..400).contains(&steps.len()), "{}", steps.len());
            // A few of them already show the whole curve.
            let mut few = steps[..17].to_vec();
            few.sort_unstable();
            let roots = |pair: &[usize]| root(0, pair[1]) - root(0, pair[0]);
            let widest = few.windows(2).map(roots).fold(0.0, f64::max);
            assert!(widest < 0.25 * root(0, 50_000), "{few:?}");
            steps.sort_unstable();
            assert!(steps.iter().all(|&s| timeline.at(s).unwrap().record.step == s));
            if limit > 10_000_000 {
                let widest = steps.windows(2).map(roots).fold(0.0, f64::max);
                assert!(widest <= root(0, 49_999) / 160.0 + 1.0, "{widest}");
            }
        }
    }

    #[test]
    fn what_is_judged_all_the_time_stays_bounded() {
        let mut verdicts = Verdicts::default();
        for step in 0..30_000 {
            verdicts.insert(verdict(step));
        }
        assert!(verdicts.len() <= MOST_KEPT);
        let steps: Vec<usize> = verdicts.iter().map(|verdict| verdict.record.step).collect();
        assert_eq!((steps[0], steps[steps.len() - 1]), (0, 29_999));
        let nearest = |step| verdicts.nearest(step).unwrap().record.step;
        for wanted in [0, 1, 17, 12_345, 29_998, 90_000] {
            let expected = steps.iter().copied().min_by_key(|step| step.abs_diff(wanted)).unwrap();
            assert_eq!(nearest(wanted).abs_diff(wanted), expected.abs_diff(wanted), "{wanted}");
        }
    }

    #[test]
    fn a_row_has_every_number_under_its_name() {
        let expected = [9.0, 0.0, 0.0, 1.0, 0.5, 2.0, 0.5, 3.0, 0.5, 4.0, 0.5];
        assert_eq!(verdict(9).row(), expected);
        assert_eq!(Verdict::COLUMNS.len(), expected.len());
    }
}
