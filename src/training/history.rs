//! What is remembered of a run: a record a step, a thinned curve of them, and the best step so far.

use super::Moment;

/// One step, after it was taken.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Record {
    /// How many steps have been taken; 0 is the start.
    pub step: usize,
    /// Seconds of the algorithm's own computing so far, without validation and drawing.
    pub seconds: f64,
    /// Gradient evaluations so far, in passes over the training points; the one at the start is the first. A step of EM
    /// counts as one: its E-step is the gradient of the likelihood (Fisher's identity). A mini-batch counts as its share
    /// of a pass.
    pub evaluations: f64,
    /// The objective at this step's mixture.
    pub objective: f64,
    /// Mean negative log-likelihood of the training points, in nats per point.
    pub train_nll: f64,
    /// The same for the validation points; NaN where there are none.
    pub val_nll: f64,
}

impl Record {
    /// Column names of [`Record::row`].
    pub const COLUMNS: [&'static str; 6] =
        ["step", "seconds", "objective", "train_nll", "val_nll", "evaluations"];

    /// The record as a row of a table.
    #[must_use]
    pub fn row(&self) -> [f64; 6] {
        let Record { step, seconds, objective, train_nll, val_nll, evaluations } = *self;
        [step as f64, seconds, objective, train_nll, val_nll, evaluations]
    }

    /// What the best step is chosen by: validation NLL, or training NLL without validation data.
    #[must_use]
    pub fn judged_by(&self) -> f64 {
        if self.val_nll.is_nan() { self.train_nll } else { self.val_nll }
    }
}

/// The best step on the validation data so far.
pub type Best = Moment;

/// Stretches that a curve is made of at most; a screen cannot show more. Noise leaves six records of each, so that a
/// curve has 8,000 at most.
const MAX_STRETCHES: usize = 1300;

/// All records of a run, and a curve of few that shows them all.
#[derive(Debug)]
pub struct History {
    records: Vec<Record>,
    /// Stretches of equally many steps.
    stretches: Vec<Stretch>,
    /// What remains of them, in order of time.
    curve: Vec<Record>,
    /// Steps in a stretch: a power of two.
    stretch_length: usize,
    /// The steps since the last stretch, as one, and how many they are.
    pending: Option<Stretch>,
    pending_count: usize,
}

impl Default for History {
    fn default() -> History {
        History {
            records: Vec::new(),
            stretches: Vec::new(),
            curve: Vec::new(),
            stretch_length: 1,
            pending: None,
            pending_count: 0,
        }
    }
}

impl History {
    /// Remembers a step.
    pub fn push(&mut self, record: Record) {
        self.records.push(record);
        let one = Stretch::of(record);
        let stretch = self.pending.take().map_or(one, |pending| pending.joined(&one));
        self.pending_count += 1;
        if self.pending_count < self.stretch_length {
            self.pending = Some(stretch);
            return;
        }
        self.pending_count = 0;
        self.stretches.push(stretch);
        stretch.append_to(&mut self.curve);
        if self.stretches.len() >= MAX_STRETCHES {
            let pairs = self.stretches.as_chunks::<2>().0;
            self.stretches = pairs.iter().map(|[a, b]| a.joined(b)).collect();
            self.stretch_length *= 2;
            self.curve.clear();
            for stretch in &self.stretches {
                stretch.append_to(&mut self.curve);
            }
        }
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        *self = History::default();
    }

    /// A record a step.
    #[must_use]
    pub fn records(&self) -> &[Record] {
        &self.records
    }

    /// Few records that show all of them: of every stretch those with the lowest and the highest objective and
    /// likelihoods, so that a spike of one step stays; the first one and the newest one. At most 8,000.
    #[must_use]
    pub fn curve(&self) -> Vec<Record> {
        let mut curve = Vec::with_capacity(self.curve.len() + 8);
        curve.extend(self.records.first());
        curve.extend_from_slice(&self.curve);
        if let Some(pending) = &self.pending {
            pending.append_to(&mut curve);
        }
        curve.extend(self.records.last());
        curve.dedup_by_key(|record| record.step);
        curve
    }
}

/// The curves that are drawn of a record.
const CURVES: [fn(&Record) -> f64; 3] =
    [|record| record.objective, |record| record.train_nll, |record| record.val_nll];

/// Of some steps in a row, the records with the lowest and the highest value of each curve.
#[derive(Debug, Clone, Copy)]
struct Stretch {
    lowest: [Record; 3],
    highest: [Record; 3],
}

impl Stretch {
    fn of(record: Record) -> Stretch {
        Stretch { lowest: [record; 3], highest: [record; 3] }
    }

    /// This stretch and the one after it. Of equal records the first is the lowest and the last the highest; NaN is
    /// neither, where there is anything else.
    fn joined(&self, next: &Stretch) -> Stretch {
        let mut joined = *self;
        for (i, value) in CURVES.iter().enumerate() {
            let (low, high) = (value(&joined.lowest[i]), value(&joined.highest[i]));
            let (next_low, next_high) = (value(&next.lowest[i]), value(&next.highest[i]));
            if next_low < low || low.is_nan() {
                joined.lowest[i] = next.lowest[i];
            }
            if next_high >= high || high.is_nan() {
                joined.highest[i] = next.highest[i];
            }
        }
        joined
    }

    /// Its records, each once, in order of time.
    fn append_to(&self, curve: &mut Vec<Record>) {
        let start = curve.len();
        curve.extend(self.lowest);
        curve.extend(self.highest);
        curve[start..].sort_unstable_by_key(|record| record.step);
        let mut last = None;
        let mut end = start;
        for i in start..curve.len() {
            if last != Some(curve[i].step) {
                last = Some(curve[i].step);
                curve[end] = curve[i];
                end += 1;
            }
        }
        curve.truncate(end);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A curve of that many steps, with a spike upwards and one downwards in each of the three values.
    fn spiky(step_count: usize, spikes: [usize; 6]) -> History {
        let mut history = History::default();
        for step in 0..step_count {
            let value = |i: usize| match step {
                _ if step == spikes[2 * i] => 99.0,
                _ if step == spikes[2 * i + 1] => -99.0,
                _ => 1.0 / (1.0 + step as f64) + i as f64,
            };
            let [objective, train_nll, val_nll] = [0, 1, 2].map(value);
            history.push(Record {
                step,
                seconds: 0.0,
                evaluations: 0.0,
                objective,
                train_nll,
                val_nll,
            });
        }
        history
    }

    #[test]
    fn a_curve_stays_short_and_keeps_spikes() {
        let spikes = [123_457, 123_459, 77_777, 150_001, 4_097, 198_765];
        for step_count in [199_000, 200_000, 262_144] {
            let history = spiky(step_count, spikes);
            let curve = history.curve();
            assert!(curve.len() <= 3 * MAX_STRETCHES, "{}", curve.len());
            assert!(curve.len() >= MAX_STRETCHES, "{}", curve.len());
            for (spike, value) in spikes.chunks(2).zip(CURVES) {
                let has = |wanted: f64| curve.iter().any(|record| value(record) == wanted);
                assert!(has(99.0) && has(-99.0), "{spike:?}");
            }
            assert!(curve.windows(2).all(|pair| pair[0].step < pair[1].step));
            assert_eq!((curve[0].step, curve[curve.len() - 1].step), (0, step_count - 1));
            assert_eq!(history.records().len(), step_count);
        }
    }

    #[test]
    fn three_noisy_curves_stay_short_as_well() {
        let mut history = History::default();
        let noise = |step: usize, stride: f64| (step as f64 * stride).fract();
        let mut longest = 0;
        for step in 0..300_000 {
            let [objective, train_nll, val_nll] =
                [0.618_034, 0.754_878, 0.819_173].map(|stride| noise(step, stride));
            history.push(Record {
                step,
                seconds: 0.0,
                evaluations: 0.0,
                objective,
                train_nll,
                val_nll,
            });
            if step % 997 == 0 {
                longest = longest.max(history.curve().len());
            }
        }
        assert!((4_000..=8_000).contains(&longest), "{longest}");
    }

    #[test]
    fn what_is_not_a_number_hides_no_spike() {
        let mut history = History::default();
        for step in 0..10_000 {
            let objective = if step == 4_001 { 99.0 } else { f64::NAN };
            let record = Record {
                step,
                seconds: 0.0,
                evaluations: 0.0,
                objective,
                train_nll: 0.0,
                val_nll: f64::NAN,
            };
            history.push(record);
        }
        assert!(history.curve().iter().any(|record| record.objective == 99.0));
    }

    #[test]
    fn a_short_curve_is_all_there_is() {
        let mut history = History::default();
        for step in 0..101 {
            let record = Record {
                step,
                seconds: 0.0,
                evaluations: 0.0,
                objective: 0.0,
                train_nll: 0.0,
                val_nll: 0.0,
            };
            history.push(record);
        }
        // Equal objectives too: the first and the last of them remain.
        assert_eq!(history.curve().len(), 101);
    }
}
