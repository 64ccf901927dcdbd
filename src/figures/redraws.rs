//! Redraws: how an estimated objective scatters around what it is on average, and where a step's own estimate lies.

use super::shade::alike;
use super::{Axis, Color, Layer, Mark, Plot, Spacing, Theme};
use crate::training::redraws::{Estimates, Expectation};

/// Bins of the histogram.
const BINS: usize = 25;

/// The estimates as a histogram over a band of their mean ± standard deviation; dashed what they are on average, and as
/// a full line what the step itself saw. The legend has the numbers.
#[must_use]
pub fn redraws(estimates: &Estimates, theme: Theme) -> Plot {
    let palette = theme.palette();
    let Estimates { values, own, expectation, .. } = estimates;
    let expected = expectation.map(|expectation| expectation.value());
    let seen = || values.iter().chain([own]).chain(&expected).copied().filter(|v| v.is_finite());
    let [low, high] = [f64::min, f64::max].map(|pick| seen().reduce(pick).unwrap_or(0.0));
    let counts = Counts::of(values);
    let top = 1.1 * counts.most();
    let numbers = numbers(estimates);
    let mut layers = Vec::new();
    if let (Some([mean, deviation]), [from, sd, ..]) = (estimates.spread(), &numbers[..]) {
        let color = palette.text.with_opacity(0.13);
        let [left, right] = [mean - deviation, mean + deviation];
        let points = vec![[left, 0.0, top], [right, 0.0, top]];
        let marks = vec![Mark::Band { points, color }, line(mean, top, palette.weak_text, false)];
        let label = format!("mean {from} ± {sd} standard deviation");
        layers.push(Layer { id: "band", label, color: palette.weak_text, marks });
    }
    let color = palette.categorical[5];
    let label = format!("{} redraws", values.len());
    layers.push(Layer { id: "redraws", label, color, marks: counts.bars(color.with_opacity(0.8)) });
    if let (Some(expectation), Some(number)) = (expectation, numbers.get(2)) {
        let label = format!("{}: {number}", expected_words(estimates.meaning, expectation));
        let marks = vec![line(expectation.value(), top, palette.ellipse, true)];
        layers.push(Layer { id: "expected", label, color: palette.ellipse, marks });
    }
    if let (true, Some(number)) = (own.is_finite(), numbers.get(3)) {
        let label = format!("step {} itself: {number}", estimates.step);
        let marks = vec![line(*own, top, palette.text, false)];
        layers.push(Layer { id: "own", label, color: palette.text, marks });
    }
    let mut x = Axis::new(format!("objective of {}", estimates.short), Spacing::Linear);
    let margin = (0.04 * (high - low)).max(1e-9 * (1.0 + high.abs()));
    x.range = Some([low - margin, high + margin]);
    let mut y = Axis::new("redraws", Spacing::Whole);
    y.range = Some([0.0, top]);
    Plot {
        id: "redraws",
        title: format!("{} at step {} with other draws", estimates.short, estimates.step),
        x,
        y,
        has_equal_aspect: false,
        layers,
        has_legend: true,
    }
}

/// What the dashed line is, and how sure.
fn expected_words(meaning: &str, expectation: &Expectation) -> String {
    match expectation {
        Expectation::Exact(_) => meaning.to_owned(),
        Expectation::Estimated { standard_error, draw_count, .. } => {
            let error = super::shade::number(*standard_error);
            format!("mean over {draw_count} draws (± {error})")
        }
    }
}

/// Mean, standard deviation, expectation and own estimate, with equally many digits; NaN where one is not known.
fn numbers(estimates: &Estimates) -> Vec<String> {
    let [mean, deviation] = estimates.spread().unwrap_or([f64::NAN; 2]);
    let expected = estimates.expectation.map_or(f64::NAN, |expectation| expectation.value());
    alike(&[mean, deviation, expected, estimates.own])
}

fn line(x: f64, top: f64, color: Color, is_dashed: bool) -> Mark {
    Mark::Line { points: vec![[x, 0.0], [x, top]], width: 2.0, color, is_dashed }
}

/// How many values lie in which bin.
struct Counts {
    low: f64,
    width: f64,
    heights: [usize; BINS],
}

impl Counts {
    fn of(values: &[f64]) -> Counts {
        let [low, high] =
            [f64::min, f64::max].map(|pick| values.iter().copied().reduce(pick).unwrap_or(0.0));
        let width = ((high - low) / BINS as f64).max(f64::MIN_POSITIVE);
        let mut counts = [0; BINS];
        for value in values {
            counts[(((value - low) / width) as usize).min(BINS - 1)] += 1;
        }
        Counts { low, width, heights: counts }
    }

    fn most(&self) -> f64 {
        self.heights.iter().copied().max().unwrap_or(0).max(1) as f64
    }

    fn bars(&self, fill: Color) -> Vec<Mark> {
        let bar = |(i, &count): (usize, &usize)| {
            let [left, right] =
                [0.04, 0.96].map(|share| self.low + (i as f64 + share) * self.width);
            let height = count as f64;
            let points = vec![[left, 0.0], [right, 0.0], [right, height], [left, height]];
            Mark::Polygon { points, fill, stroke_width: 0.0, stroke: fill }
        };
        self.heights.iter().enumerate().filter(|(_, count)| **count > 0).map(bar).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn estimates() -> Estimates {
        Estimates {
            step: 12,
            own: -1.5,
            short: "SSM",
            values: (0..200).map(|i| f64::from(i * 37 % 200) / 100.0 - 1.0).collect(),
            expectation: Some(Expectation::Exact(-0.25)),
            meaning: "exact score matching",
        }
    }

    fn place(plot: &Plot, id: &str) -> f64 {
        let layer = plot.layers.iter().find(|layer| layer.id == id).unwrap();
        let Mark::Line { points, .. } = layer.marks.last().unwrap() else { panic!("{layer:?}") };
        points[0][0]
    }

    #[test]
    fn every_redraw_is_counted_and_lines_are_where_the_numbers_are() {
        let plot = redraws(&estimates(), Theme::Dark);
        let bars = plot.layers.iter().find(|layer| layer.id == "redraws").unwrap();
        let heights = bars.marks.iter().map(|mark| match mark {
            Mark::Polygon { points, .. } => points[2][1],
            _ => panic!("{mark:?}"),
        });
        assert_eq!(heights.sum::<f64>(), 200.0);
        assert_eq!((place(&plot, "expected"), place(&plot, "own")), (-0.25, -1.5));
        // The mean of −1, −0.99, … 0.99.
        assert!((place(&plot, "band") + 0.005).abs() < 1e-12);
        let view = plot.view();
        assert!(view.min[0] < -1.5 && view.max[0] > 0.99);
        let labels: Vec<&str> = plot.layers.iter().map(|layer| layer.label.as_str()).collect();
        assert_eq!(
            labels,
            [
                "mean −0.005 ± 0.579 standard deviation",
                "200 redraws",
                "exact score matching: −0.250",
                "step 12 itself: −1.500",
            ]
        );
    }

    #[test]
    fn what_is_not_known_yet_is_not_drawn() {
        let begun = Estimates { values: vec![0.5], expectation: None, ..estimates() };
        let plot = redraws(&begun, Theme::Light);
        let ids: Vec<&str> = plot.layers.iter().map(|layer| layer.id).collect();
        assert_eq!(ids, ["redraws", "own"]);
        let nothing = Estimates { values: Vec::new(), own: f64::NAN, ..begun };
        let view = redraws(&nothing, Theme::Light).view();
        assert!(view.min[0] < view.max[0] && view.min[1] < view.max[1]);
    }

    #[test]
    fn an_estimated_mean_says_that_it_is_one() {
        let expectation =
            Expectation::Estimated { value: 0.1, standard_error: 0.002, draw_count: 1024 };
        let some = Estimates { expectation: Some(expectation), ..estimates() };
        let plot = redraws(&some, Theme::Light);
        let layer = plot.layers.iter().find(|layer| layer.id == "expected").unwrap();
        assert_eq!(layer.label, "mean over 1024 draws (± 0.0020): 0.100");
    }
}
