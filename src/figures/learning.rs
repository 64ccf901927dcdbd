//! The curves of a training run: likelihood and objective over steps or seconds.

use serde::{Deserialize, Serialize};

use super::curves::{Marker, Series, curves};
use super::{Axis, Palette, Plot, Spacing};
use crate::training::Record;

/// What the horizontal axis counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum TimeAxis {
    /// Steps taken.
    Steps,
    /// Gradient evaluations, in passes over the training points.
    Evaluations,
    /// Milliseconds of the algorithm's own computing.
    Milliseconds,
}

impl TimeAxis {
    /// Where a record lies.
    #[must_use]
    pub fn of(self, record: &Record) -> f64 {
        match self {
            TimeAxis::Steps => record.step as f64,
            TimeAxis::Evaluations => record.evaluations,
            TimeAxis::Milliseconds => 1e3 * record.seconds,
        }
    }

    /// A record's place in words, with its unit.
    #[must_use]
    pub fn words(self, record: &Record) -> String {
        match self {
            TimeAxis::Steps => format!("step {}", record.step),
            TimeAxis::Evaluations => format!("{:.0} evaluations", record.evaluations),
            TimeAxis::Milliseconds => format!("{:.1} ms", 1e3 * record.seconds),
        }
    }

    pub(super) fn axis(self, spacing: Spacing) -> Axis {
        match (self, spacing) {
            (TimeAxis::Steps, Spacing::Logarithmic) => Axis::new("step", Spacing::Logarithmic),
            (TimeAxis::Steps, _) => Axis::new("step", Spacing::Whole),
            (TimeAxis::Evaluations, spacing) => Axis::new("gradient evaluations", spacing),
            (TimeAxis::Milliseconds, spacing) => Axis::new("ms of its own computing", spacing),
        }
    }
}

/// The steps that curves point out.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Landmarks {
    /// The best step on the validation data: a dot.
    pub best: Option<Record>,
    /// The step that is looked at: a line with its numbers.
    pub shown: Option<Record>,
}

/// Mean negative log-likelihood of training and validation points, with the best step and the one shown marked.
#[must_use]
pub fn nll(
    history: &[Record],
    landmarks: &Landmarks,
    time: TimeAxis,
    spacings: [Spacing; 2],
    palette: &Palette,
) -> Plot {
    let points = |value: fn(&Record) -> f64| {
        history.iter().map(|record| [time.of(record), value(record)]).collect()
    };
    let mut series = vec![Series {
        label: "Training".to_owned(),
        color: palette.categorical[0],
        is_dashed: false,
        points: points(|record| record.train_nll),
    }];
    if history.iter().any(|record| record.val_nll.is_finite()) {
        series.push(Series {
            label: "Validation".to_owned(),
            color: palette.categorical[1],
            is_dashed: true,
            points: points(|record| record.val_nll),
        });
    }
    let words = |record: &Record| {
        let training = format!("training {:.4}", record.train_nll);
        match record.val_nll {
            value if value.is_nan() => training,
            value => format!("{training}\nvalidation {value:.4}"),
        }
    };
    let markers = markers(landmarks, time, Record::judged_by, words, palette);
    let y = Axis::new("NLL (nats per point)", spacings[1]);
    curves("nll", "Negative log-likelihood", time.axis(spacings[0]), y, &series, &markers)
}

/// The marks of the best step, at its value, and of the step that is shown, with its numbers in words.
pub(super) fn markers(
    landmarks: &Landmarks,
    time: TimeAxis,
    value: impl Fn(&Record) -> f64,
    words: impl Fn(&Record) -> String,
    palette: &Palette,
) -> Vec<Marker> {
    let best = landmarks.best.iter().map(|best| Marker {
        x: time.of(best),
        y: Some(value(best)),
        label: format!("best: step {}", best.step),
        color: palette.text,
    });
    let shown = landmarks.shown.iter().map(|shown| Marker {
        x: time.of(shown),
        y: None,
        label: format!("step {}\n{}", shown.step, words(shown)).trim_end().to_owned(),
        color: palette.text,
    });
    best.chain(shown).collect()
}

/// The objective that is being minimized, with the best step on the validation data and the one shown
/// marked.
#[must_use]
pub fn objective(
    history: &[Record],
    landmarks: &Landmarks,
    formula: &str,
    time: TimeAxis,
    spacing: Spacing,
    palette: &Palette,
) -> Plot {
    let series = Series {
        label: "Objective".to_owned(),
        color: palette.accent,
        is_dashed: false,
        points: history.iter().map(|record| [time.of(record), record.objective]).collect(),
    };
    let words = |record: &Record| format!("objective {:.6}", record.objective);
    let markers = markers(landmarks, time, |record| record.objective, words, palette);
    let y = Axis::new("objective", Spacing::Linear);
    curves("objective", format!("Objective: {formula}"), time.axis(spacing), y, &[series], &markers)
}
