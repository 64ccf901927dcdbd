//! What is remembered of a run: a record a step, and the best step so far.

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
