//! How far runs are from the known density: curves over training, with what the quadrature is not sure of as a band.

use serde::{Deserialize, Serialize};

use super::curves::{Series, curves};
use super::learning::{Landmarks, TimeAxis, markers};
use super::{Axis, Color, Layer, Mark, Palette, Plot, Spacing};
use crate::model::{Divergence, Estimate};
use crate::training::{BranchId, Record, Verdict};

/// A run and what is known of it.
#[derive(Debug, Clone)]
pub struct Judged {
    /// Which run.
    pub run: BranchId,
    /// What it is called.
    pub label: String,
    /// Its color.
    pub color: Color,
    /// In the order of their steps.
    pub verdicts: Vec<Verdict>,
}

/// What is measured; see [`Divergence`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Measure {
    /// KL divergence.
    Kl,
    /// Fisher divergence, the explicit objective of score matching.
    Fisher,
    /// Explicit minus implicit objective.
    Constant,
}

impl Measure {
    /// In the order of the tab.
    pub const ALL: [Measure; 3] = [Measure::Kl, Measure::Fisher, Measure::Constant];

    /// Its name.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Measure::Kl => "KL divergence",
            Measure::Fisher => "Fisher divergence",
            Measure::Constant => "Explicit − implicit",
        }
    }

    /// What it is, in one sentence.
    #[must_use]
    pub fn help(self) -> &'static str {
        match self {
            Measure::Kl => {
                "KL(p ‖ q) = E log p(x) − log q(x) in nats, of the known density p and the mixture q. No NLL is \
                 lower than that of p, and this is by how much the mixture's is higher."
            }
            Measure::Fisher => {
                "½ E‖∇ log p(x) − ∇ log q(x)‖²: how far the mixture's score is from the true one, in squared inverse \
                 units of the data. The explicit objective of score matching."
            }
            Measure::Constant => {
                "The explicit objective ½ E‖∇ log p − ∇ log q‖² minus the implicit one, E tr ∇² log q + ½‖∇ log q‖², \
                 which does without the true score; in squared inverse units of the data."
            }
        }
    }

    /// What stands at its axis.
    #[must_use]
    pub fn axis_label(self) -> &'static str {
        match self {
            Measure::Kl => "KL (nats)",
            Measure::Fisher => "Fisher",
            Measure::Constant => "difference",
        }
    }

    /// Its value, and how far that may be off.
    #[must_use]
    pub fn of(self, divergence: &Divergence) -> Estimate {
        match self {
            Measure::Kl => divergence.kl,
            Measure::Fisher => divergence.fisher,
            Measure::Constant => divergence.constant,
        }
    }

    /// Its name in files.
    #[must_use]
    pub fn id(self) -> &'static str {
        match self {
            Measure::Kl => "kl",
            Measure::Fisher => "fisher",
            Measure::Constant => "constant",
        }
    }
}

/// How the curves are looked at.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Look {
    /// Along which clock.
    pub time: TimeAxis,
    /// Spacing along the clock and of the divergences; the difference is always spaced evenly.
    pub spacings: [Spacing; 2],
    /// The step that is looked at, if the view stays at one.
    pub shown: Landmarks,
    /// ½ E‖∇ log p‖²: what the difference is where the density is smooth.
    pub information: Estimate,
}

/// The curves of all runs, each within a band of its error.
#[must_use]
pub fn distance(runs: &[Judged], measure: Measure, look: &Look, palette: &Palette) -> Plot {
    let Look { time, spacings, .. } = *look;
    let series: Vec<Series> = runs
        .iter()
        .map(|run| Series {
            label: run.label.clone(),
            color: run.color,
            is_dashed: false,
            points: (run.verdicts.iter())
                .map(|v| [time.of(&v.record), measure.of(&v.divergence).value])
                .collect(),
        })
        .collect();
    let is_constant = measure == Measure::Constant;
    let spacing = if is_constant { Spacing::Linear } else { spacings[1] };
    let mut y = Axis::new(measure.axis_label(), spacing);
    y.range = range(runs, measure, look.information, spacing);
    let shown = Landmarks { best: None, ..look.shown };
    let markers = markers(&shown, time, Record::judged_by, |_| String::new(), palette);
    let x = time.axis(spacings[0]);
    let mut plot = curves(measure.id(), measure.title(), x, y, &series, &markers);
    // What is drawn below ends where the curves do.
    let view = plot.view();
    plot.x.range = Some([view.min[0], view.max[0]]);
    let bands = runs.iter().filter_map(|run| band(run, measure, time, &plot));
    let mut below: Vec<Layer> = bands.collect();
    if is_constant {
        below.push(level(look.information.value, &plot, palette));
    }
    plot.layers.splice(0..0, below);
    plot
}

/// A dashed line at ½ E‖∇ log p‖².
fn level(value: f64, plot: &Plot, palette: &Palette) -> Layer {
    let view = plot.view();
    let points = vec![[view.min[0], value], [view.max[0], value]];
    let color = palette.weak_text;
    let line = Mark::Line { points, width: 1.5, color, is_dashed: true };
    Layer { id: "information", label: "½ E‖∇ log p‖²".to_owned(), color, marks: vec![line] }
}

/// What the values may be off by, as far as the plot shows it.
fn band(run: &Judged, measure: Measure, time: TimeAxis, plot: &Plot) -> Option<Layer> {
    let view = plot.view();
    let edges = run.verdicts.iter().filter_map(|verdict| {
        let Estimate { value, error } = measure.of(&verdict.divergence);
        let edges = [value - error, value + error].map(|v| v.clamp(view.min[1], view.max[1]));
        let edges = [time.of(&verdict.record), edges[0], edges[1]];
        let is_shown = plot.x.position(edges[0]).is_finite() && value.is_finite();
        (is_shown && edges.iter().all(|v| v.is_finite())).then_some(edges)
    });
    let points: Vec<[f64; 3]> = edges.collect();
    let color = run.color.with_opacity(0.3);
    let marks = vec![Mark::Band { points, color }];
    (run.verdicts.len() > 1).then(|| Layer { id: "error", label: String::new(), color, marks })
}

/// A difference that varies by less than this share of its size is drawn as flat as it is.
const FLAT: f64 = 0.1;

/// From the lowest to the highest value, without errors: those may be as large as they like. Around the difference there
/// is room, so that what is flat looks flat.
fn range(
    runs: &[Judged],
    measure: Measure,
    information: Estimate,
    spacing: Spacing,
) -> Option<[f64; 2]> {
    let is_constant = measure == Measure::Constant;
    let values = runs.iter().flat_map(|run| &run.verdicts);
    let values = values.map(|verdict| measure.of(&verdict.divergence).value);
    let is_usable = |v: &f64| v.is_finite() && (spacing != Spacing::Logarithmic || *v > 0.0);
    let known = values.filter(is_usable).chain(is_constant.then_some(information.value));
    let [low, high] = known.fold([f64::INFINITY, f64::NEG_INFINITY], |[low, high], value| {
        [low.min(value), high.max(value)]
    });
    if spacing == Spacing::Logarithmic {
        // At least a factor of ten, and a little more on both sides.
        let room = (10.0 / (high / low)).max(1.0).sqrt() * 1.15;
        return (low <= high).then_some([low / room, high * room]);
    }
    let least = if is_constant { FLAT * (low.abs().max(high.abs()) + 0.1) } else { 0.0 };
    let margin = (0.06 * (high - low)).max(least);
    (margin > 0.0 && margin.is_finite()).then_some([low - margin, high + margin])
}

/// A number with its error, as many digits as the error leaves: "0.0523 ± 2e−6".
#[must_use]
pub fn words(estimate: Estimate) -> [String; 2] {
    let Estimate { value, error } = estimate;
    let size = value.abs().max(error);
    let value = match size {
        size if !size.is_finite() => "unknown".to_owned(),
        size if size >= 1e5 => format!("{value:.2e}"),
        size if size >= 100.0 => format!("{value:.1}"),
        size if size >= 10.0 => format!("{value:.2}"),
        size if size >= 0.01 => format!("{value:.4}"),
        0.0 => "0".to_owned(),
        _ => format!("{value:.2e}"),
    };
    let error = match error {
        error if !error.is_finite() => String::new(),
        0.0 => "± 0".to_owned(),
        error if error >= 1.0 => format!("± {error:.0}"),
        error if error >= 0.01 => format!("± {error:.2}"),
        error => format!("± {error:.0e}"),
    };
    [value, error].map(|text| text.replace('-', "−"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::Theme;

    fn verdict(step: usize, value: f64, error: f64) -> Verdict {
        let (seconds, evaluations) = (0.002 * step as f64, step as f64);
        let (objective, train_nll, val_nll) = (0.0, 0.0, f64::NAN);
        let record = Record { step, seconds, evaluations, objective, train_nll, val_nll };
        let estimate = Estimate { value, error };
        let divergence =
            Divergence { kl: estimate, fisher: estimate, implicit: estimate, constant: estimate };
        Verdict { record, divergence }
    }

    fn look(spacing: Spacing) -> Look {
        let (time, spacings) = (TimeAxis::Milliseconds, [Spacing::Linear, spacing]);
        let information = Estimate { value: 4.0, error: 1e-6 };
        Look { time, spacings, shown: Landmarks::default(), information }
    }

    fn plot(values: &[(f64, f64)], measure: Measure, spacing: Spacing) -> Plot {
        let verdicts = (0..).zip(values).map(|(step, &(v, e))| verdict(step, v, e)).collect();
        let (run, label) = (BranchId::TRUNK, "EM".to_owned());
        let run = Judged { run, label, color: Color::hex(0), verdicts };
        distance(&[run], measure, &look(spacing), Theme::Light.palette())
    }

    fn layer<'a>(plot: &'a Plot, id: &str) -> &'a Mark {
        &plot.layers.iter().find(|layer| layer.id == id).unwrap().marks[0]
    }

    #[test]
    fn a_curve_runs_within_its_band() {
        let plot = plot(&[(3.0, 0.5), (2.0, 0.25)], Measure::Kl, Spacing::Linear);
        let Mark::Band { points, .. } = layer(&plot, "error") else { panic!("no band") };
        // The axis ends at the values, not at their errors.
        assert_eq!(points[1][0], 2.0);
        assert!(points[0][1] < 3.0 && points[0][2] < 3.5 && points[1][2] == 2.25, "{points:?}");
        let Mark::Line { points, .. } = layer(&plot, "series") else { panic!("no line") };
        assert_eq!(points, &[[0.0, 3.0], [2.0, 2.0]]);
    }

    #[test]
    fn on_a_logarithmic_axis_errors_down_to_zero_have_a_place() {
        let values = [(1.0, 2.0), (1e-9, 1e-8), (0.0, 1e-12), (-1e-14, 1e-12)];
        let plot = plot(&values, Measure::Fisher, Spacing::Logarithmic);
        let Mark::Band { points, .. } = layer(&plot, "error") else { panic!("no band") };
        let heights = points.iter().flat_map(|[_, low, high]| [low, high]);
        assert!(heights.into_iter().all(|v| plot.y.position(*v).is_finite()), "{points:?}");
        let view = plot.view();
        assert!(view.min[1] > 0.0 && view.min[1] < 1e-9 && view.max[1] > 1.0, "{view:?}");
    }

    #[test]
    fn what_is_flat_looks_flat_and_what_is_not_does_not() {
        let tilt = |values: &[(f64, f64)]| {
            let plot = plot(values, Measure::Constant, Spacing::Logarithmic);
            assert_eq!(plot.y.spacing, Spacing::Linear);
            let [low, high] = [plot.view().min[1], plot.view().max[1]];
            assert!(low < 4.0 && high > 4.0, "the level is in view");
            let values = values.iter().map(|value| value.0);
            let spread = values.clone().fold(f64::NEG_INFINITY, f64::max)
                - values.fold(f64::INFINITY, f64::min);
            spread / (high - low)
        };
        assert!(tilt(&[(4.0, 1e-5), (4.000_02, 1e-5), (3.999_98, 1e-5)]) < 1e-3);
        assert!(tilt(&[(4.0, 1e-5), (1.0, 1e-5)]) > 0.5);
        assert!(tilt(&[]) < 0.0, "nothing yet");
    }

    #[test]
    fn numbers_are_as_long_as_they_are_worth() {
        let check = |value: f64, error: f64, expected: [&str; 2]| {
            assert_eq!(words(Estimate { value, error }), expected);
        };
        check(0.052_345, 2.1e-6, ["0.0523", "± 2e−6"]);
        check(1234.56, 0.01, ["1234.6", "± 0.01"]);
        check(12.345, 0.001, ["12.35", "± 1e−3"]);
        check(-3.25e-4, 1e-9, ["−3.25e−4", "± 1e−9"]);
        check(0.0, 0.0, ["0", "± 0"]);
        check(f64::NAN, f64::NAN, ["unknown", ""]);
    }
}
