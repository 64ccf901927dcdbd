//! A race: the likelihood curves of several runs in one plot, a color each, with a stopwatch line across them.

use std::sync::Arc;

use super::curves::{Series, curves};
use super::learning::{Landmarks, TimeAxis};
use super::{Axis, Color, Layer, Mark, Palette, Plot, Spacing};
use crate::training::spread::Likelihood;
use crate::training::{BranchId, Experiment, Record};

/// The color of a run: the same in all plots, on its canvas, and in the list of runs.
#[must_use]
pub fn run_color(id: BranchId, palette: &Palette) -> Color {
    palette.categorical[id.number() % palette.categorical.len()]
}

/// What a run is called: its algorithm in a few letters, and its number where another one has the same.
#[must_use]
pub fn run_name(experiment: &Experiment, id: BranchId) -> String {
    let short = |id| experiment.algorithm_of(id).short;
    let is_only_one = experiment.runs().filter(|other| short(*other) == short(id)).count() == 1;
    if is_only_one { short(id).to_owned() } else { format!("{} ({id})", short(id)) }
}

/// One run in a race.
pub struct Racer {
    /// What it is called.
    pub label: String,
    /// Its color.
    pub color: Color,
    /// Its curve. A branch begins at the step at which it leaves another.
    pub curve: Vec<Record>,
    /// The first step whose likelihood is as good as the stopwatch asks for.
    pub reached: Option<Record>,
}

/// How a race is looked at.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Look {
    /// Of which points.
    pub likelihood: Likelihood,
    /// Along which clock.
    pub time: TimeAxis,
    /// Spacing along the clock and of the NLL.
    pub spacings: [Spacing; 2],
    /// The NLL that stops the watch, in nats per point.
    pub target: Option<f64>,
    /// The step that is looked at, if the view stays at one.
    pub shown: Landmarks,
}

/// The curves of all runs; on each a dot where it reached the stopwatch's likelihood first.
///
/// A start that is far worse than everything after it would make all ends one line, so that the axis ends where these
/// can be told apart; curves come in from above.
#[must_use]
pub fn race(racers: &[Racer], look: &Look, palette: &Palette) -> Plot {
    let Look { likelihood, time, spacings, target, .. } = *look;
    let series: Vec<Series> = racers
        .iter()
        .map(|racer| Series {
            label: racer.label.clone(),
            color: racer.color,
            is_dashed: false,
            points: racer.curve.iter().map(|r| [time.of(r), likelihood.of(r)]).collect(),
        })
        .collect();
    let label = format!("{} NLL (nats/point)", likelihood.label());
    let mut y = Axis::new(label, spacings[1]);
    y.range = range(racers, likelihood, target);
    let markers = super::learning::markers(
        // The best step is another one for every run.
        &Landmarks { best: None, ..look.shown },
        time,
        Record::judged_by,
        |_| String::new(),
        palette,
    );
    let mut plot = curves("nll", "Race", time.axis(spacings[0]), y, &series, &markers);
    let view = plot.view();
    if let Some(target) = target {
        plot.layers.push(Layer {
            id: "stopwatch",
            label: "Stopwatch".to_owned(),
            color: palette.text,
            marks: vec![Mark::Line {
                points: vec![[view.min[0], target], [view.max[0], target]],
                width: 1.5,
                color: palette.text,
                is_dashed: true,
            }],
        });
    }
    let dots = racers.iter().filter_map(|racer| {
        let at = racer.reached.map(|record| [time.of(&record), likelihood.of(&record)])?;
        let points: Arc<[_]> = Arc::from([at]);
        let dot = |radius, color| Mark::Points { points: points.clone(), radius, color };
        Some([dot(6.5, palette.plot_background), dot(5.0, racer.color)])
    });
    plot.layers.push(Layer {
        id: "reached",
        label: String::new(),
        color: palette.text,
        marks: dots.flatten().collect(),
    });
    plot
}

/// Curves take at least this share of the axis after the start.
const SHARE_OF_ENDS: f64 = 0.4;

/// From the lowest value, or the stopwatch, up to the start, or to where the ends of all are told apart.
fn range(racers: &[Racer], likelihood: Likelihood, target: Option<f64>) -> Option<[f64; 2]> {
    fn values(racer: &Racer, likelihood: Likelihood) -> impl DoubleEndedIterator<Item = f64> {
        let values = racer.curve.iter().map(move |record| likelihood.of(record));
        values.filter(|value| value.is_finite())
    }
    let values = |racer| values(racer, likelihood);
    let low = racers.iter().flat_map(values).chain(target).fold(f64::INFINITY, f64::min);
    let start = racers.iter().filter_map(|racer| values(racer).next()).fold(low, f64::max);
    // A run that diverges leaves the plot at its top.
    let ends =
        racers.iter().filter_map(|racer| values(racer).next_back()).filter(|end| *end <= start);
    let worst = ends.chain(target).fold(low, f64::max);
    let high = (low + (worst - low) / SHARE_OF_ENDS).max(low + 0.25 * (start - low)).min(start);
    let high = high.max(worst);
    let margin = 0.05 * (high - low);
    (low < high && high.is_finite()).then_some([low - margin, high + margin])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::Theme;

    fn record(step: usize, nll: f64) -> Record {
        let (seconds, evaluations) = (0.001 * step as f64, 0.5 * step as f64);
        let (objective, train_nll, val_nll) = (nll, nll, f64::NAN);
        Record { step, seconds, evaluations, objective, train_nll, val_nll }
    }

    fn racer(first: usize, values: &[f64], reached: Option<usize>) -> Racer {
        let curve: Vec<Record> =
            (first..).zip(values).map(|(step, nll)| record(step, *nll)).collect();
        let reached = reached.map(|i| curve[i]);
        Racer { label: "EM".to_owned(), color: Color::hex(0), curve, reached }
    }

    fn look(time: TimeAxis, target: Option<f64>) -> Look {
        let likelihood = Likelihood::Training;
        let spacings = [Spacing::Linear; 2];
        Look { likelihood, time, spacings, target, shown: Landmarks::default() }
    }

    #[test]
    fn every_run_is_a_line_that_begins_where_it_left_and_a_dot_where_the_watch_stops() {
        let racers = [
            racer(0, &[3.0, 2.0, 1.5, 1.2], Some(2)),
            racer(2, &[1.5, 1.4], None),
            racer(0, &[3.0, 9.0, 1e6], None),
        ];
        for (time, unit) in
            [(TimeAxis::Steps, 1.0), (TimeAxis::Milliseconds, 1.0), (TimeAxis::Evaluations, 0.5)]
        {
            let plot = race(&racers, &look(time, Some(1.6)), Theme::Light.palette());
            let lines: Vec<_> = plot.layers.iter().filter(|layer| layer.id == "series").collect();
            assert_eq!(lines.len(), 3);
            let Mark::Line { points, .. } = &lines[1].marks[0] else { panic!("no line") };
            assert_eq!(points[0], [2.0 * unit, 1.5]);
            let layer = |id| plot.layers.iter().find(|layer| layer.id == id).unwrap();
            let Mark::Points { points, .. } = &layer("reached").marks[1] else { panic!("no dot") };
            assert_eq!((points[0], layer("reached").marks.len()), ([2.0 * unit, 1.5], 2));
            let Mark::Line { points, .. } = &layer("stopwatch").marks[0] else { panic!() };
            assert!(points.iter().all(|point| point[1] == 1.6));
            // What diverges does not flatten the others.
            assert!(plot.view().max[1] < 3.5 && plot.view().min[1] < 1.2);
        }
    }

    #[test]
    fn a_race_that_has_not_begun_has_axes() {
        let plot =
            race(&[racer(0, &[3.0], None)], &look(TimeAxis::Steps, None), Theme::Dark.palette());
        let view = plot.view();
        assert!(view.min[1] < 3.0 && view.max[1] > 3.0);
        assert!(race(&[], &look(TimeAxis::Steps, None), Theme::Dark.palette()).view().max[0] > 0.0);
    }
}
