//! Timeline: which mixture was at which step, in bounded memory.

use std::collections::VecDeque;
use std::sync::Arc;

use super::Record;
use crate::model::Mixture;

/// A run at one step: what was measured, and the mixture it was measured at.
#[derive(Debug, Clone, PartialEq)]
pub struct Moment {
    /// The step's record.
    pub record: Record,
    /// The step's mixture.
    pub mixture: Arc<Mixture>,
}

/// Bytes that a timeline may take: every one of 13,000 steps of a hundred components, or of 80,000 of twelve, in less
/// memory than a browser's tab.
pub const TIMELINE_BYTES: usize = 64_000_000;

/// Steps at either end that are never thinned: the first ones, where most happens, and the newest, which one goes back
/// to most.
pub const KEPT_AT_ENDS: usize = 1_000;

/// The moments of a run, for going back in time. The first and the last thousand are all there; when memory is full,
/// every second one of those between is dropped, so that the others stay evenly spread.
#[derive(Debug)]
pub struct Timeline {
    first: Vec<Moment>,
    /// Those whose step is a multiple of `stride`.
    middle: Vec<Moment>,
    last: VecDeque<Moment>,
    /// Steps from one in the middle to the next: a power of two.
    stride: usize,
    bytes: usize,
    limit: usize,
}

impl Default for Timeline {
    fn default() -> Timeline {
        Timeline::within(TIMELINE_BYTES)
    }
}

impl Timeline {
    /// An empty timeline that takes at most so many bytes, as far as its ends leave room for that.
    #[must_use]
    pub fn within(limit: usize) -> Timeline {
        let (first, middle, last) = (Vec::new(), Vec::new(), VecDeque::new());
        Timeline { first, middle, last, stride: 1, bytes: 0, limit }
    }

    /// Remembers a step. Steps come in order.
    pub fn push(&mut self, moment: Moment) {
        debug_assert!(self.newest().is_none_or(|last| last.record.step < moment.record.step));
        self.bytes += bytes_of(&moment);
        self.last.push_back(moment);
        let leaving = if self.last.len() > KEPT_AT_ENDS { self.last.pop_front() } else { None };
        let Some(leaving) = leaving else { return };
        if self.first.len() < KEPT_AT_ENDS {
            self.first.push(leaving);
        } else if leaving.record.step.is_multiple_of(self.stride) {
            self.middle.push(leaving);
        } else {
            self.bytes -= bytes_of(&leaving);
        }
        let _ = self.set_limit(self.limit);
    }

    /// Everything that was remembered; it is forgotten here.
    #[must_use]
    pub fn take(&mut self) -> Timeline {
        let limit = self.limit;
        std::mem::replace(self, Timeline::within(limit))
    }

    /// Takes at most so many bytes from now on; gives what there is no longer room for.
    pub fn set_limit(&mut self, limit: usize) -> Vec<Moment> {
        self.limit = limit;
        let mut thinned = Vec::new();
        while self.bytes > self.limit && !self.middle.is_empty() {
            self.thin(&mut thinned);
        }
        thinned
    }

    /// Doubles the stride of the middle, and gives what lies between.
    fn thin(&mut self, thinned: &mut Vec<Moment>) {
        self.stride *= 2;
        let stride = self.stride;
        let is_out = |moment: &mut Moment| !moment.record.step.is_multiple_of(stride);
        for moment in self.middle.extract_if(.., is_out) {
            self.bytes -= bytes_of(&moment);
            thinned.push(moment);
        }
    }

    /// The kept step nearest to this one; of two as near, the earlier.
    #[must_use]
    pub fn at(&self, step: usize) -> Option<&Moment> {
        let (before, from) = (self.before(step), self.get(self.count_before(step)));
        let distance = |moment: &&Moment| moment.record.step.abs_diff(step);
        // Of equal ones `min_by_key` takes the first.
        before.into_iter().chain(from).min_by_key(distance)
    }

    /// The last kept step before this one.
    #[must_use]
    pub fn before(&self, step: usize) -> Option<&Moment> {
        self.get(self.count_before(step).checked_sub(1)?)
    }

    /// The first kept step after this one.
    #[must_use]
    pub fn after(&self, step: usize) -> Option<&Moment> {
        self.get(self.count_before(step + 1))
    }

    /// The last step.
    #[must_use]
    pub fn newest(&self) -> Option<&Moment> {
        self.last.back()
    }

    /// The kept steps, in order.
    pub fn moments(&self) -> impl Iterator<Item = &Moment> {
        self.first.iter().chain(&self.middle).chain(&self.last)
    }

    /// At most so many of the kept steps, up to this one and with it: the first ones densely, where most happens.
    #[must_use]
    pub fn path(&self, last: usize, most: usize) -> Vec<&Moment> {
        let Some(end) = self.count_before(last + 1).checked_sub(1) else { return Vec::new() };
        let shares = (0..most).map(|i| i as f64 / (most.max(2) - 1) as f64);
        // Squares lie densely where they begin.
        let places = shares.map(|share| (share * share * end as f64).round() as usize);
        let mut places: Vec<usize> =
            if end < most { (0..=end).collect() } else { places.collect() };
        places.dedup();
        places.into_iter().filter_map(|place| self.get(place)).collect()
    }

    /// How many steps are kept.
    #[must_use]
    pub fn len(&self) -> usize {
        self.first.len() + self.middle.len() + self.last.len()
    }

    /// True before the first step.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.last.is_empty()
    }

    /// Bytes that the kept steps take.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    fn count_before(&self, step: usize) -> usize {
        let is_before = |moment: &Moment| moment.record.step < step;
        self.first.partition_point(is_before)
            + self.middle.partition_point(is_before)
            + self.last.partition_point(is_before)
    }

    fn get(&self, index: usize) -> Option<&Moment> {
        let middle = self.first.len();
        let last = middle + self.middle.len();
        match index {
            i if i < middle => self.first.get(i),
            i if i < last => self.middle.get(i - middle),
            i => self.last.get(i - last),
        }
    }
}

/// Bytes that a moment takes: twice its place in a list, which grows by doubling, and its mixture with two counts and
/// what an allocator adds to two allocations.
fn bytes_of(moment: &Moment) -> usize {
    let components = size_of_val(moment.mixture.components());
    2 * size_of::<Moment>() + size_of::<Mixture>() + components + 48
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Point;

    /// A moment whose numbers tell its step.
    fn moment(step: usize, component_count: usize) -> Moment {
        let weights = vec![1.0 / component_count as f64; component_count];
        let means: Vec<Point> = (0..component_count).map(|k| [step as f64, k as f64]).collect();
        let covariances = vec![[1.0, 0.3, 2.0]; component_count];
        let mixture = Mixture::new(&weights, &means, &covariances).unwrap();
        let value = 1.0 / (1.0 + step as f64);
        let record = Record {
            step,
            seconds: value,
            evaluations: value,
            objective: value,
            train_nll: value,
            val_nll: value,
        };
        Moment { record, mixture: Arc::new(mixture) }
    }

    fn filled(step_count: usize, component_count: usize, limit: usize) -> Timeline {
        let mut timeline = Timeline::within(limit);
        for step in 0..step_count {
            timeline.push(moment(step, component_count));
        }
        timeline
    }

    fn steps(timeline: &Timeline) -> Vec<usize> {
        timeline.moments().map(|moment| moment.record.step).collect()
    }

    #[test]
    fn two_hundred_thousand_steps_of_a_hundred_components_stay_within_the_bound() {
        let step_count = 200_000;
        let mut timeline = Timeline::default();
        let mut fullest = 0;
        for step in 0..step_count {
            timeline.push(moment(step, 100));
            fullest = fullest.max(timeline.bytes());
            assert!(timeline.bytes() <= TIMELINE_BYTES, "step {step}: {}", timeline.bytes());
        }
        // The memory is used, too.
        assert!(fullest > TIMELINE_BYTES / 10 * 9, "{fullest}");
        let steps = steps(&timeline);
        assert_eq!(steps.len(), timeline.len());
        assert!(steps.len() > 6_000, "{}", steps.len());
        let (first, rest) = steps.split_at(KEPT_AT_ENDS);
        let (middle, last) = rest.split_at(rest.len() - KEPT_AT_ENDS);
        assert!(first.iter().copied().eq(0..KEPT_AT_ENDS));
        assert!(last.iter().copied().eq(step_count - KEPT_AT_ENDS..step_count));
        // Evenly spread, from one end to the other.
        let gap = middle[1] - middle[0];
        assert!(gap > 1 && middle.windows(2).all(|pair| pair[1] - pair[0] == gap), "{gap}");
        assert!(middle[0] - first[KEPT_AT_ENDS - 1] <= gap);
        assert!(last[0] - middle[middle.len() - 1] <= gap);
        // What is kept is what was pushed, to the bit, and what is counted is what is there.
        for kept in timeline.moments() {
            assert_eq!(*kept, moment(kept.record.step, 100));
        }
        assert_eq!(timeline.bytes(), timeline.moments().map(bytes_of).sum::<usize>());
    }

    #[test]
    fn nothing_is_thinned_while_there_is_room() {
        let timeline = filled(5_310, 3, TIMELINE_BYTES);
        assert!(steps(&timeline).into_iter().eq(0..5_310));
        assert!(Timeline::default().is_empty());
        assert!(Timeline::default().at(0).is_none());
    }

    #[test]
    fn the_ends_stay_even_where_they_alone_are_too_large() {
        let timeline = filled(5_000, 3, 1_000);
        assert!(steps(&timeline).into_iter().eq((0..1_000).chain(4_000..5_000)));
    }

    #[test]
    fn a_path_goes_from_the_first_step_to_the_wanted_one() {
        let timeline = filled(900, 2, TIMELINE_BYTES);
        let path = |last, most| -> Vec<usize> {
            timeline.path(last, most).iter().map(|moment| moment.record.step).collect()
        };
        assert_eq!(path(5, 100), [0, 1, 2, 3, 4, 5]);
        let long = path(800, 50);
        assert!(long.len() > 40 && long.len() <= 50, "{}", long.len());
        assert_eq!((long[0], long[long.len() - 1]), (0, 800));
        assert!(long.windows(2).all(|pair| pair[0] < pair[1]));
        assert!(Timeline::default().path(3, 10).is_empty());
    }

    #[test]
    fn the_nearest_kept_step_is_found_and_its_neighbors() {
        let one = bytes_of(&moment(0, 3));
        for limit in [2_100 * one, 2_500 * one, TIMELINE_BYTES] {
            let timeline = filled(7_000, 3, limit);
            let steps = steps(&timeline);
            let step = |moment: Option<&Moment>| moment.map(|moment| moment.record.step);
            for wanted in (0..7_100).step_by(3) {
                let nearest = steps.iter().copied().min_by_key(|step| step.abs_diff(wanted));
                assert_eq!(step(timeline.at(wanted)), nearest, "{wanted}");
                let before = steps.iter().copied().rfind(|&step| step < wanted);
                assert_eq!(step(timeline.before(wanted)), before, "{wanted}");
                let after = steps.iter().copied().find(|&step| step > wanted);
                assert_eq!(step(timeline.after(wanted)), after, "{wanted}");
            }
            assert_eq!(step(timeline.newest()), Some(6_999));
        }
    }
}
