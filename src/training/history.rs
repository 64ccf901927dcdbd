//! What is remembered of a run: a record a step, a thinned curve of them, and the best step so far.

use std::sync::Arc;

use crate::model::Mixture;

/// One step, after it was taken.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Record {
    /// How many steps have been taken; 0 is the start.
    pub step: usize,
    /// Seconds of the algorithm's own computing so far, without validation and drawing.
    pub seconds: f64,
    /// The objective at this step's mixture.
    pub objective: f64,
    /// Mean negative log-likelihood of the training points, in nats per point.
    pub train_nll: f64,
    /// The same for the validation points; NaN where there are none.
    pub val_nll: f64,
}

impl Record {
    /// Column names of [`Record::row`].
    pub const COLUMNS: [&'static str; 5] = ["step", "seconds", "objective", "train_nll", "val_nll"];

    /// The record as a row of a table.
    #[must_use]
    pub fn row(&self) -> [f64; 5] {
        [self.step as f64, self.seconds, self.objective, self.train_nll, self.val_nll]
    }

    /// What the best step is chosen by: validation NLL, or training NLL without validation data.
    #[must_use]
    pub fn judged_by(&self) -> f64 {
        if self.val_nll.is_nan() { self.train_nll } else { self.val_nll }
    }
}

/// The best step on the validation data so far.
#[derive(Debug, Clone, PartialEq)]
pub struct Best {
    /// Its record.
    pub record: Record,
    /// Its mixture.
    pub mixture: Arc<Mixture>,
}

/// Records that a curve keeps at most; a screen cannot show more.
const CURVE_LENGTH: usize = 8_000;

/// All records of a run, and a curve of few that shows them all.
#[derive(Debug, Default)]
pub struct History {
    records: Vec<Record>,
    curve: Vec<Record>,
    /// Every second record of the curve stands for this many steps.
    stride: usize,
    /// The steps since the curve's last record.
    pending: Vec<Record>,
}

impl History {
    /// Remembers a step.
    pub fn push(&mut self, record: Record) {
        self.records.push(record);
        self.pending.push(record);
        let group = 2 * self.stride.max(1);
        if self.pending.len() >= group {
            self.curve.extend(extremes(&self.pending));
            self.pending.clear();
        }
        if self.curve.len() >= CURVE_LENGTH {
            self.curve = self.curve.chunks(4).flat_map(extremes).collect();
            self.stride = 2 * self.stride.max(1);
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

    /// Few records that show all of them: of every stretch those with the lowest and the highest objective, so that a
    /// spike of one step stays; the newest ones all.
    #[must_use]
    pub fn curve(&self) -> Vec<Record> {
        [&self.curve[..], &self.pending].concat()
    }
}

/// The records with the lowest and the highest objective, in order of time; both, where there are two.
fn extremes(records: &[Record]) -> Vec<Record> {
    let by_objective =
        |a: &usize, b: &usize| records[*a].objective.total_cmp(&records[*b].objective);
    let lowest = (0..records.len()).min_by(by_objective);
    let highest = (0..records.len()).max_by(by_objective);
    let (Some(lowest), Some(highest)) = (lowest, highest) else { return Vec::new() };
    let mut kept = vec![records[lowest.min(highest)]];
    if lowest != highest {
        kept.push(records[lowest.max(highest)]);
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_curve_stays_short_and_keeps_spikes() {
        let mut history = History::default();
        for step in 0..200_000 {
            let objective = if step == 123_457 { 99.0 } else { 1.0 / (1.0 + step as f64) };
            let record = Record { step, seconds: 0.0, objective, train_nll: 0.0, val_nll: 0.0 };
            history.push(record);
        }
        let curve = history.curve();
        assert!(curve.len() <= CURVE_LENGTH + 200, "{}", curve.len());
        assert!(curve.len() > CURVE_LENGTH / 4, "{}", curve.len());
        assert!(curve.iter().any(|record| record.objective == 99.0));
        assert!(curve.windows(2).all(|pair| pair[0].step < pair[1].step));
        assert_eq!(curve.last().unwrap().step, 199_999);
        assert_eq!(history.records().len(), 200_000);
    }

    #[test]
    fn a_short_curve_is_all_there_is() {
        let mut history = History::default();
        for step in 0..101 {
            let record =
                Record { step, seconds: 0.0, objective: 0.0, train_nll: 0.0, val_nll: 0.0 };
            history.push(record);
        }
        // Equal objectives too: the first and the last of them remain.
        assert_eq!(history.curve().len(), 101);
    }
}
