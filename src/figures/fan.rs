//! A fan: the curves of many runs, with mean and standard deviation over them.

use std::sync::Arc;

use super::{Axis, Layer, Mark, Palette, Plot, Spacing};
use crate::model::Point;
use crate::training::Member;
use crate::training::spread::{Likelihood, Spread, spread};

/// How a fan is looked at.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Look {
    /// Of which points.
    pub likelihood: Likelihood,
    /// True with mean and standard deviation over the curves.
    pub has_band: bool,
    /// Spacing of the steps.
    pub spacing: Spacing,
    /// The seed of the run that stands out.
    pub chosen: Option<u32>,
}

/// The runs' curves and, over them, their mean ± one standard deviation; the chosen run on top.
///
/// The likelihood axis ends where the ends of all runs can be told apart: the first steps of a bad start would make
/// everything else flat, so they come in from above.
#[must_use]
pub fn fan(members: &[Arc<Member>], look: Look, palette: &Palette) -> Plot {
    let Look { likelihood, has_band, spacing, chosen } = look;
    let bands = spread(members, likelihood);
    let label = match spacing {
        Spacing::Logarithmic => Axis::new("step", Spacing::Logarithmic),
        _ => Axis::new("step", Spacing::Whole),
    };
    let y_label = format!("{} NLL (nats per point)", likelihood.label());
    let mut plot = Plot {
        id: "seeds",
        title: format!("Many seeds: {} starts", members.len()),
        x: label,
        y: Axis::new(y_label, Spacing::Linear),
        has_equal_aspect: false,
        layers: Vec::new(),
        has_legend: true,
    };
    plot.y.range = range(members, likelihood, &bands);
    if let (Spacing::Logarithmic, Some(last)) = (spacing, bands.last()) {
        // Step 0 has no place there.
        plot.x.range = Some([1.0, last.step.max(2) as f64]);
    }
    let [low, high] = plot.y.range.unwrap_or([0.0, 1.0]);
    let tolerance = (high - low) / RESOLUTION;
    let line = |member: &Member, width, color| Mark::Line {
        points: places(member, likelihood, &plot.x, tolerance),
        width,
        color,
        is_dashed: false,
    };
    // Many lines add up: each is the fainter the more there are.
    let opacity = (12.0 / members.len().max(1) as f64).sqrt().clamp(0.3, 0.8);
    let run_color = palette.weak_text.with_opacity(opacity);
    let mut layers = vec![Layer {
        id: "runs",
        label: "One run".to_owned(),
        color: palette.weak_text,
        marks: members.iter().map(|member| line(member, 1.0, run_color)).collect(),
    }];
    if has_band && members.len() > 1 {
        let color = palette.categorical[0];
        layers.push(Layer {
            id: "band",
            label: "Mean ± standard deviation".to_owned(),
            color,
            marks: band_marks(&bands, &plot.x, color, tolerance),
        });
    }
    let chosen = members.iter().find(|member| Some(member.seed) == chosen);
    layers.extend(chosen.map(|member| Layer {
        id: "chosen",
        label: format!("Seed {}", member.seed),
        color: palette.categorical[1],
        marks: vec![line(member, 2.0, palette.categorical[1])],
    }));
    plot.layers = layers;
    plot
}

/// A curve may be drawn off by this share of the axis: less than half a pixel.
const RESOLUTION: f64 = 1000.0;

/// A run's curve, as few points as show it; what has no place on the axis is left out.
#[must_use]
pub fn places(member: &Member, likelihood: Likelihood, x: &Axis, tolerance: f64) -> Vec<Point> {
    let points = member.curve.iter().map(|r| [r.step as f64, likelihood.of(r)]);
    straightened(points, x, tolerance)
}

fn band_marks(bands: &[Spread], x: &Axis, color: super::Color, tolerance: f64) -> Vec<Mark> {
    let shown: Vec<&Spread> =
        bands.iter().filter(|band| x.position(band.step as f64).is_finite()).collect();
    let mean = shown.iter().map(|band| [band.step as f64, band.mean]);
    let edges = shown
        .iter()
        .map(|band| [band.step as f64, band.mean - band.deviation, band.mean + band.deviation]);
    vec![
        Mark::Band { points: edges.collect(), color: color.with_opacity(0.3) },
        Mark::Line {
            points: straightened(mean, x, tolerance),
            width: 2.5,
            color,
            is_dashed: false,
        },
    ]
}

/// The ends take at least this share of the axis, where the starts lie far above them.
const SHARE_OF_ENDS: f64 = 0.45;

/// From the lowest value up to the mean start, or to where the ends are still told apart; a little more on both sides.
fn range(members: &[Arc<Member>], likelihood: Likelihood, bands: &[Spread]) -> Option<[f64; 2]> {
    let values = members.iter().flat_map(|m| m.curve.iter().map(|record| likelihood.of(record)));
    let low = values.filter(|value| value.is_finite()).fold(f64::INFINITY, f64::min);
    let ends = likelihood.finals(members).into_iter().filter(|value| value.is_finite());
    let worst = ends.fold(f64::NEG_INFINITY, f64::max);
    let start = bands.first().map_or(worst, |band| band.mean);
    // Where all end alike, the way there is what remains to be seen.
    let least = low + 0.15 * (start - low);
    let high = (low + (worst - low) / SHARE_OF_ENDS).max(least).min(start).max(worst);
    let margin = 0.04 * (high - low);
    (low < high && high.is_finite()).then_some([low - margin, high + margin])
}

/// Leaves out points that lie within `tolerance` of the line through those that stay. Drops what is not finite.
fn straightened(points: impl Iterator<Item = Point>, x: &Axis, tolerance: f64) -> Vec<Point> {
    let position = |point: &Point| [x.position(point[0]), point[1]];
    let mut shown = points.filter(|point| position(point).iter().all(|v| v.is_finite()));
    let Some(first) = shown.next() else { return Vec::new() };
    let mut kept = vec![first];
    let mut last = first;
    // Slopes at which a line from the last kept point passes close enough to all points since.
    let mut slopes = [f64::NEG_INFINITY, f64::INFINITY];
    for point in shown {
        let rise = |from: Point, shift: f64| {
            let ([x0, y0], [x1, y1]) = (position(&from), position(&point));
            (y1 + shift - y0) / (x1 - x0)
        };
        let mut anchor = kept[kept.len() - 1];
        let slope = rise(anchor, 0.0);
        if !(slopes[0] <= slope && slope <= slopes[1]) {
            kept.push(last);
            anchor = last;
            slopes = [f64::NEG_INFINITY, f64::INFINITY];
        }
        slopes[0] = slopes[0].max(rise(anchor, -tolerance));
        slopes[1] = slopes[1].min(rise(anchor, tolerance));
        last = point;
    }
    if kept[kept.len() - 1] != last {
        kept.push(last);
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::Theme;
    use crate::training::{Experiment, Member};

    fn members() -> Vec<Arc<Member>> {
        let mut experiment = Experiment::default();
        for (key, value) in [("n_samples", "200"), ("n_components", "4"), ("init_params", "random")]
        {
            experiment.set(key, value).unwrap();
        }
        let dataset = Arc::new(experiment.dataset().unwrap());
        let train = |seed| Member::train(&experiment, dataset.clone(), seed, || true);
        (0..6).map(|seed| Arc::new(train(seed).unwrap().unwrap())).collect()
    }

    fn look(spacing: Spacing) -> Look {
        Look { likelihood: Likelihood::Training, has_band: true, spacing, chosen: Some(4) }
    }

    #[test]
    fn every_run_is_a_line_and_the_band_is_mean_and_deviation() {
        let members = members();
        let palette = Theme::Dark.palette();
        let plot = fan(&members, look(Spacing::Linear), palette);
        let ids: Vec<_> = plot.layers.iter().map(|layer| layer.id).collect();
        assert_eq!(ids, ["runs", "band", "chosen"]);
        assert_eq!(plot.layers[0].marks.len(), 6);
        for (mark, member) in plot.layers[0].marks.iter().zip(&members) {
            let Mark::Line { points, .. } = mark else { panic!("{mark:?}") };
            let last = member.last();
            assert_eq!(points.last(), Some(&[last.step as f64, last.train_nll]));
        }
        let Mark::Band { points, .. } = &plot.layers[1].marks[0] else { panic!("no band") };
        let bands = spread(&members, Likelihood::Training);
        assert_eq!(points.len(), bands.len());
        for (point, band) in points.iter().zip(&bands) {
            assert!((point[2] - point[1] - 2.0 * band.deviation).abs() < 1e-12);
            assert!((point[1] + band.deviation - band.mean).abs() < 1e-12);
        }
        let view = plot.view();
        let ends = Likelihood::Training.finals(&members);
        assert!(ends.iter().all(|end| (view.min[1]..view.max[1]).contains(end)));

        let without = Look { has_band: false, chosen: Some(99), ..look(Spacing::Logarithmic) };
        let plot = fan(&members, without, palette);
        assert_eq!(plot.layers.len(), 1);
        assert!(plot.view().min[0] > 0.0);
        assert!(fan(&[], look(Spacing::Linear), palette).layers[0].marks.is_empty());
    }

    #[test]
    fn few_points_are_drawn_and_none_is_far_from_the_line() {
        let curve =
            |i: u32| 3.0 * (-0.01 * f64::from(i)).exp() + 0.2 * (0.002 * f64::from(i)).sin();
        for spacing in [Spacing::Whole, Spacing::Logarithmic] {
            let axis = Axis::new("step", spacing);
            let points: Vec<Point> = (1..2000).map(|i| [f64::from(i), curve(i)]).collect();
            let kept = straightened(points.iter().copied(), &axis, 0.003);
            assert!(kept.len() < 60, "{spacing:?}: {}", kept.len());
            assert_eq!((kept[0], kept[kept.len() - 1]), (points[0], points[1998]));
            for pair in kept.windows(2) {
                let [x0, x1] = [pair[0], pair[1]].map(|p| axis.position(p[0]));
                for point in points.iter().filter(|p| pair[0][0] <= p[0] && p[0] <= pair[1][0]) {
                    let share = (axis.position(point[0]) - x0) / (x1 - x0);
                    let line = pair[0][1] + share * (pair[1][1] - pair[0][1]);
                    assert!((line - point[1]).abs() < 0.00301, "{spacing:?} {point:?}: {line}");
                }
            }
        }
        let spike = [[0.0, 1.0], [1.0, 1.0], [2.0, f64::NAN], [3.0, 9.0], [4.0, 1.0], [5.0, 1.0]];
        let axis = Axis::new("step", Spacing::Whole);
        let kept = straightened(spike.into_iter(), &axis, 0.1);
        assert_eq!(kept, [[0.0, 1.0], [1.0, 1.0], [3.0, 9.0], [4.0, 1.0], [5.0, 1.0]]);
    }
}
