//! The form in which a memoir stands in a file: lists of numbers, checked as they are read.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Memoir, MemoirError};
use crate::model::{Cholesky, Component, Gaussian, Mixture};
use crate::training::guard::Guard;
use crate::training::numbers::Numbers;
use crate::training::run::{Beginning, Stretch};
use crate::training::{BranchId, Moment, Record};

/// Numbers of a record.
const RECORD: usize = 6;

/// Numbers of a component: log weight, both coordinates of the mean, and the factor of the covariance.
const PER_COMPONENT: usize = 6;

/// Numbers of a step: its record, and a mixture of so many components.
pub(super) fn numbers_of_a_moment(component_count: usize) -> usize {
    RECORD.saturating_add(component_count.saturating_mul(PER_COMPONENT))
}

/// A memoir as it stands in a file.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Written {
    run: BranchId,
    n_components: usize,
    beginning: Beginning,
    /// Settings, and how many steps were taken with them.
    #[serde(with = "super::stretches")]
    past: Vec<Stretch>,
    /// K × 6: log weight, mean, l11, l21 and l22 of each component.
    start: Numbers,
    /// Steps × (6 + K × 6): a record, and the mixture.
    moments: Numbers,
    /// One of them.
    best: Numbers,
    /// Steps × 6, in the order of [`Record::COLUMNS`].
    records: Numbers,
    recent: Numbers,
    guard: Numbers,
    judging_secs: f64,
    #[serde(default)]
    finish: serde_json::Value,
}

impl From<Memoir> for Written {
    fn from(memoir: Memoir) -> Written {
        let moments = memoir.moments.iter().flat_map(numbers_of).collect();
        let records = memoir.records.iter().flat_map(Record::row).collect();
        Written {
            run: memoir.id,
            n_components: memoir.start.components().len(),
            start: Numbers(numbers_of_mixture(&memoir.start).collect()),
            moments: Numbers(moments),
            best: Numbers(numbers_of(&memoir.best).collect()),
            records: Numbers(records),
            recent: Numbers(memoir.recent),
            guard: Numbers(memoir.guard.numbers().to_vec()),
            judging_secs: memoir.judging_secs,
            // Nothing in it that JSON could not express is worth losing the rest.
            finish: serde_json::to_value(&memoir.finish).unwrap_or_default(),
            beginning: memoir.beginning,
            past: memoir.past,
        }
    }
}

impl TryFrom<Written> for Memoir {
    type Error = MemoirError;

    fn try_from(written: Written) -> Result<Memoir, MemoirError> {
        let (run, count) = (written.run, written.n_components);
        let first = written.beginning.step;
        let parts = Parts { run, count };
        let Some(start) = parts.mixture(&written.start.0) else {
            return Err(MemoirError::Mixture { run, step: first });
        };
        let moments = parts.moments("moments", &written.moments.0)?;
        let best = parts.moments("best", &written.best.0)?;
        let records = parts.records(&written.records.0)?;
        let steps = moments.iter().map(|moment| moment.record.step);
        parts.check_order("moments", first, steps)?;
        parts.check_order("records", first, records.iter().map(|record| record.step))?;
        let [Some(newest), Some(best)] = [moments.last(), best.last()] else {
            return Err(MemoirError::Empty { run, what: "moments" });
        };
        let recorded = records.last().map_or(first, |record| record.step);
        if recorded != newest.record.step {
            return Err(MemoirError::End { run, recorded, newest: newest.record.step });
        }
        let lead = steps_of(&written.beginning.lead);
        if lead > first {
            return Err(MemoirError::Lead { run, lead, first });
        }
        let counted = steps_of(&written.past);
        let taken = newest.record.step - first;
        if counted != taken {
            return Err(MemoirError::Steps { run, counted, taken });
        }
        // Why it stopped is told again where it cannot be read.
        let finish = serde_json::from_value(written.finish).unwrap_or(None);
        let guard = <[f64; 5]>::try_from(written.guard.0).ok();
        let guard = guard.map(|numbers| Guard::of_numbers(numbers, finish.as_ref()));
        if written.recent.0.is_empty() {
            return Err(MemoirError::Empty { run, what: "recent" });
        }
        Ok(Memoir {
            id: run,
            beginning: written.beginning,
            start: Arc::new(start),
            past: written.past,
            recent: written.recent.0,
            judging_secs: written.judging_secs,
            guard: guard.unwrap_or_default(),
            finish,
            best: best.clone(),
            moments,
            records,
        })
    }
}

fn numbers_of_mixture(mixture: &Mixture) -> impl Iterator<Item = f64> + '_ {
    mixture.components().iter().flat_map(|component| {
        let Gaussian { mean: [x1, x2], cholesky: Cholesky { l11, l21, l22 } } = component.gaussian;
        [component.log_weight, x1, x2, l11, l21, l22]
    })
}

fn numbers_of(moment: &Moment) -> impl Iterator<Item = f64> + '_ {
    moment.record.row().into_iter().chain(numbers_of_mixture(&moment.mixture))
}

/// How many steps these are; of too many to count, as many as can be.
fn steps_of(stretches: &[Stretch]) -> usize {
    stretches.iter().map(|(_, count)| *count).fold(0, usize::saturating_add)
}

/// Beyond this not every whole number is an f64.
const MOST_STEPS: f64 = 9e15;

/// A record, if its step is one.
fn record_of(row: [f64; RECORD]) -> Option<Record> {
    let [step, seconds, objective, train_nll, val_nll, evaluations] = row;
    let is_count = step.fract() == 0.0 && (0.0..MOST_STEPS).contains(&step);
    is_count.then_some(Record {
        step: step as usize,
        seconds,
        evaluations,
        objective,
        train_nll,
        val_nll,
    })
}

/// What numbers of one run are made of.
#[derive(Clone, Copy)]
struct Parts {
    run: BranchId,
    /// How many components its mixtures have.
    count: usize,
}

impl Parts {
    /// A mixture, if these are the numbers of one.
    fn mixture(self, numbers: &[f64]) -> Option<Mixture> {
        let (components, []) = numbers.as_chunks::<PER_COMPONENT>() else { return None };
        if components.is_empty() || components.len() != self.count {
            return None;
        }
        let component = |[log_weight, x1, x2, l11, l21, l22]: &[f64; PER_COMPONENT]| Component {
            log_weight: *log_weight,
            gaussian: Gaussian {
                mean: [*x1, *x2],
                cholesky: Cholesky { l11: *l11, l21: *l21, l22: *l22 },
            },
        };
        let mixture = Mixture::from_components(components.iter().map(component).collect());
        mixture.is_finite().then_some(mixture)
    }

    fn moments(self, what: &'static str, numbers: &[f64]) -> Result<Vec<Moment>, MemoirError> {
        let run = self.run;
        let each = numbers_of_a_moment(self.count);
        if !numbers.len().is_multiple_of(each) {
            return Err(MemoirError::Length { run, what, count: numbers.len(), each });
        }
        let moment = |numbers: &[f64]| {
            let (row, mixture) = numbers.split_first_chunk().unwrap_or((&[0.0; RECORD], &[]));
            let record = record_of(*row).ok_or(MemoirError::Step { run, what })?;
            let step = record.step;
            let mixture = self.mixture(mixture).ok_or(MemoirError::Mixture { run, step })?;
            Ok(Moment { record, mixture: Arc::new(mixture) })
        };
        numbers.chunks(each).map(moment).collect()
    }

    fn records(self, numbers: &[f64]) -> Result<Vec<Record>, MemoirError> {
        let (run, what) = (self.run, "records");
        let (rows, []) = numbers.as_chunks::<RECORD>() else {
            return Err(MemoirError::Length { run, what, count: numbers.len(), each: RECORD });
        };
        if rows.is_empty() {
            return Err(MemoirError::Empty { run, what });
        }
        let record = |row: &[f64; RECORD]| record_of(*row);
        let records: Option<Vec<Record>> = rows.iter().map(record).collect();
        records.ok_or(MemoirError::Step { run, what })
    }

    /// Steps come one after the other, from the run's first on.
    fn check_order(
        self,
        what: &'static str,
        first: usize,
        steps: impl Iterator<Item = usize>,
    ) -> Result<(), MemoirError> {
        let mut least = first;
        for step in steps {
            if step < least {
                return Err(MemoirError::Order { run: self.run, what, step });
            }
            least = step.saturating_add(1);
        }
        Ok(())
    }
}
