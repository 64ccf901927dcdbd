//! Curves over training: one line a series, markers such as the best step, thinned to what a screen can show.

use std::sync::Arc;

use super::{Anchor, Axis, Color, Layer, Mark, Plot, Spacing};
use crate::model::{Bounds, Point};

/// One line and its name.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// Name in the legend.
    pub label: String,
    /// Color of the line.
    pub color: Color,
    /// True for dashes, as for validation data.
    pub is_dashed: bool,
    /// Its points, from left to right.
    pub points: Vec<Point>,
}

/// A remark on a plot: at a point, or at a vertical line.
#[derive(Debug, Clone, PartialEq)]
pub struct Marker {
    /// Where along the horizontal axis.
    pub x: f64,
    /// The height of the point; `None` for a vertical line.
    pub y: Option<f64>,
    /// The words beside it; beside a line there may be several lines of them.
    pub label: String,
    /// Color of dot or line, and of the words.
    pub color: Color,
}

/// Points kept of each series: about two for each pixel of a wide plot.
const MAX_POINTS: usize = 2000;

/// A plot of series over training. With more than one series it has a legend.
///
/// On a logarithmic axis values that are not positive are left out; where nothing is positive, the axis becomes
/// linear.
#[must_use]
pub fn curves(
    id: &'static str,
    title: impl Into<String>,
    mut x: Axis,
    mut y: Axis,
    series: &[Series],
    markers: &[Marker],
) -> Plot {
    for (i, axis) in [&mut x, &mut y].into_iter().enumerate() {
        let has_positive =
            || series.iter().flat_map(|s| &s.points).any(|p| p[i] > 0.0 && p[i].is_finite());
        if axis.spacing == Spacing::Logarithmic && !has_positive() {
            axis.spacing = Spacing::Linear;
        }
    }
    let layers = series
        .iter()
        .map(|series| {
            let is_shown =
                |p: &&Point| x.position(p[0]).is_finite() && y.position(p[1]).is_finite();
            let points: Vec<Point> = series.points.iter().filter(is_shown).copied().collect();
            Layer {
                id: "series",
                label: series.label.clone(),
                color: series.color,
                marks: vec![if points.len() == 1 {
                    // A line of one point would be invisible.
                    Mark::Points { points: points.into(), radius: 4.0, color: series.color }
                } else {
                    Mark::Line {
                        points: thin(&points, MAX_POINTS),
                        width: 2.5,
                        color: series.color,
                        is_dashed: series.is_dashed,
                    }
                }],
            }
        })
        .collect();
    let mut plot = Plot {
        id,
        title: title.into(),
        x,
        y,
        has_equal_aspect: false,
        layers,
        has_legend: series.len() > 1,
    };
    let view = plot.view();
    // The start has no place on a logarithmic axis.
    let has_place = |marker: &&Marker| plot.x.position(marker.x).is_finite();
    let markers: Vec<Layer> =
        markers.iter().filter(has_place).map(|marker| marked(marker, &plot, view)).collect();
    plot.layers.extend(markers);
    plot
}

/// Pixels from a line of words to the next.
const LINE_HEIGHT: f32 = 18.0;

/// A marker as a layer of its own, without a legend entry: its words stand beside it.
fn marked(marker: &Marker, plot: &Plot, view: Bounds) -> Layer {
    let text = |words: &str, y, offset, anchor| Mark::Text {
        at: [marker.x, y],
        offset,
        text: words.to_owned(),
        size: 15.0,
        color: marker.color,
        anchor,
    };
    let marks = if let Some(y) = marker.y {
        // Curves are steep where they are far from their end: away from the middle there is room.
        let middle = f64::midpoint(plot.y.position(view.min[1]), plot.y.position(view.max[1]));
        let is_low = plot.y.position(y) < middle;
        let dot = Arc::from([[marker.x, y]]);
        vec![
            Mark::Points { points: dot, radius: 5.0, color: marker.color },
            text(&marker.label, y, [0.0, if is_low { -18.0 } else { 18.0 }], Anchor::Middle),
        ]
    } else {
        // Curves fall on the left: words stand there only where the right has no room for them.
        let [first, last] = [view.min[0], view.max[0]].map(|x| plot.x.position(x));
        let is_left = plot.x.position(marker.x) < first + 0.55 * (last - first);
        let (shift, anchor) = if is_left { (7.0, Anchor::Start) } else { (-7.0, Anchor::End) };
        let words = marker.label.lines().enumerate().map(|(i, line)| {
            text(line, view.max[1], [shift, 12.0 + LINE_HEIGHT * i as f32], anchor)
        });
        let line = Mark::Line {
            points: vec![[marker.x, view.min[1]], [marker.x, view.max[1]]],
            width: 1.5,
            color: marker.color,
            is_dashed: true,
        };
        std::iter::once(line).chain(words).collect()
    };
    Layer { id: "marker", label: String::new(), color: marker.color, marks }
}

/// At most `max_points` of the points (but never fewer than four): the first, the last, and the smallest and the
/// largest of each stretch between, so that a spike of a single step stays. Drops what is not finite.
#[must_use]
pub fn thin(points: &[Point], max_points: usize) -> Vec<Point> {
    let finite: Vec<Point> =
        points.iter().filter(|p| p.iter().all(|v| v.is_finite())).copied().collect();
    let max_points = max_points.max(4);
    let (Some((first, rest)), true) = (finite.split_first(), finite.len() > max_points) else {
        return finite;
    };
    let Some((last, inner)) = rest.split_last() else { return finite };
    let mut kept = vec![*first];
    for stretch in inner.chunks(inner.len().div_ceil((max_points - 2) / 2)) {
        let by_height = |a: &usize, b: &usize| stretch[*a][1].total_cmp(&stretch[*b][1]);
        let lowest = (0..stretch.len()).min_by(by_height).unwrap_or(0);
        let highest = (0..stretch.len()).max_by(by_height).unwrap_or(0);
        kept.push(stretch[lowest.min(highest)]);
        if lowest != highest {
            kept.push(stretch[lowest.max(highest)]);
        }
    }
    kept.push(*last);
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(points: &[Point]) -> Series {
        Series {
            label: "Training".into(),
            color: Color::hex(0),
            is_dashed: false,
            points: points.to_vec(),
        }
    }

    fn plot(spacing: Spacing, points: &[Point]) -> Plot {
        let (x, y) = (Axis::new("Step", Spacing::Whole), Axis::new("NLL", spacing));
        curves("nll", "", x, y, &[series(points)], &[])
    }

    fn line(plot: &Plot) -> &[Point] {
        let Mark::Line { points, .. } = &plot.layers[0].marks[0] else { panic!("no line") };
        points
    }

    #[test]
    fn thinning_keeps_spikes_and_both_ends() {
        let mut points: Vec<Point> =
            (0..10_000).map(|i| [f64::from(i), (f64::from(i) / 500.0).sin()]).collect();
        points[4321][1] = 99.0;
        points[7654][1] = -99.0;
        points[5][1] = f64::NAN;
        for max_points in [0, 5, 100, 101, 2000] {
            let thinned = thin(&points, max_points);
            assert!(thinned.len() <= max_points.max(4), "{max_points}: {}", thinned.len());
            assert!(thinned.contains(&[4321.0, 99.0]) && thinned.contains(&[7654.0, -99.0]));
            assert_eq!((thinned[0], thinned[thinned.len() - 1]), (points[0], points[9999]));
            assert!(thinned.windows(2).all(|pair| pair[0][0] < pair[1][0]), "{max_points}");
        }
        assert_eq!(thin(&points, 20_000).len(), 9_999);
        assert!(thin(&[], 10).is_empty());
    }

    #[test]
    fn a_logarithmic_axis_shows_what_is_positive() {
        let points = [[0.0, -1.0], [1.0, 0.0], [2.0, 0.5], [3.0, 0.1]];
        assert_eq!(line(&plot(Spacing::Logarithmic, &points)), &points[2..]);
        assert_eq!(line(&plot(Spacing::Linear, &points)), &points);
        let fallen_back = plot(Spacing::Logarithmic, &points[..2]);
        assert_eq!(fallen_back.y.spacing, Spacing::Linear);
        assert_eq!(line(&fallen_back), &points[..2]);
    }

    #[test]
    fn the_words_of_a_line_stand_below_each_other_on_the_side_with_room() {
        let words = |x: f64, spacing| {
            let marker = Marker { x, y: None, label: "step 3\n1.25".into(), color: Color::hex(0) };
            let (x, y) = (Axis::new("Step", spacing), Axis::new("NLL", Spacing::Linear));
            let plot = curves("nll", "", x, y, &[series(&[[0.0, 1.0], [10.0, 0.5]])], &[marker]);
            let marks = plot.layers.iter().skip(1).flat_map(|layer| layer.marks.clone());
            let texts = marks.filter_map(|mark| match mark {
                Mark::Text { text, offset, anchor, .. } => Some((text, offset, anchor)),
                _ => None,
            });
            texts.collect::<Vec<_>>()
        };
        for (x, shift, anchor) in [(3.0, 7.0, Anchor::Start), (8.0, -7.0, Anchor::End)] {
            let [first, second] = &words(x, Spacing::Linear)[..] else { panic!("{x}") };
            assert_eq!((first.0.as_str(), second.0.as_str()), ("step 3", "1.25"));
            assert_eq!((first.1[0], first.2), (shift, anchor));
            assert_eq!(second.1[1] - first.1[1], LINE_HEIGHT);
        }
        // The start is nowhere on a logarithmic axis.
        assert!(words(0.0, Spacing::Logarithmic).is_empty());
        assert_eq!(words(3.0, Spacing::Logarithmic).len(), 2);
    }

    #[test]
    fn markers_have_no_legend_entry() {
        let marker = |y| Marker { x: 2.0, y, label: "best step 2".into(), color: Color::hex(0) };
        let both = [marker(None), marker(Some(0.5))];
        let (x, y) = (Axis::new("Step", Spacing::Whole), Axis::new("NLL", Spacing::Linear));
        let plot = curves("nll", "", x, y, &[series(&[[0.0, 1.0], [4.0, 0.5]])], &both);
        assert_eq!(plot.layers.len(), 3);
        assert!(plot.layers[1..].iter().all(|layer| layer.label.is_empty()));
        assert!(!plot.has_legend);
    }
}
