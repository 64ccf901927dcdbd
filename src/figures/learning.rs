//! The curves of a training run: likelihood and objective over steps or seconds.

use super::curves::{Marker, Series, curves};
use super::{Axis, Palette, Plot, Spacing};
use crate::training::Record;

/// What the horizontal axis counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeAxis {
    /// Steps taken.
    Steps,
    /// Seconds of the algorithm's own computing.
    Seconds,
}

impl TimeAxis {
    /// Where a record lies.
    #[must_use]
    pub fn of(self, record: &Record) -> f64 {
        match self {
            TimeAxis::Steps => record.step as f64,
            TimeAxis::Seconds => record.seconds,
        }
    }

    fn axis(self, spacing: Spacing) -> Axis {
        match (self, spacing) {
            (TimeAxis::Steps, Spacing::Logarithmic) => Axis::new("step", Spacing::Logarithmic),
            (TimeAxis::Steps, _) => Axis::new("step", Spacing::Whole),
            (TimeAxis::Seconds, spacing) => Axis::new("seconds of training", spacing),
        }
    }
}

/// Mean negative log-likelihood of training and validation points, with the best step marked.
#[must_use]
pub fn nll(
    history: &[Record],
    best: Option<&Record>,
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
    let markers = best.map(|best| marker(best, best.judged_by(), time, palette));
    let y = Axis::new("NLL (nats per point)", spacings[1]);
    curves("nll", "Negative log-likelihood", time.axis(spacings[0]), y, &series, markers.as_slice())
}

/// The mark of the best step.
fn marker(best: &Record, y: f64, time: TimeAxis, palette: &Palette) -> Marker {
    Marker {
        x: time.of(best),
        y: Some(y),
        label: format!("best: step {}", best.step),
        color: palette.text,
    }
}

/// The objective that is being minimized, with the best step on the validation data marked.
#[must_use]
pub fn objective(
    history: &[Record],
    best: Option<&Record>,
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
    let markers = best.map(|best| marker(best, best.objective, time, palette));
    let y = Axis::new("objective", Spacing::Linear);
    curves(
        "objective",
        format!("Objective: {formula}"),
        time.axis(spacing),
        y,
        &[series],
        markers.as_slice(),
    )
}
