//! Figures: pictures as plain shapes in data coordinates, so that window, exporters and tests draw the same thing.
//!
//! A [`Plot`] is axes and [`Layer`]s; a layer is what one legend entry stands for; a [`Mark`] is one shape.
//! Nothing here knows egui or files.

pub mod bars;
pub mod basin;
pub mod canvas;
pub mod cloud;
pub mod color_bar;
pub mod colors;
pub mod contours;
pub mod curves;
pub mod fan;
pub mod fields;
pub mod landscape;
pub mod learning;
pub mod plane;
pub mod race;
pub mod redraws;
pub mod shade;
pub mod story;
pub mod streamlines;
pub mod substitute;
pub mod terms;
pub mod ticks;
pub mod tone;
pub mod truth;
pub mod walks;
pub mod workings;

use std::sync::Arc;

pub use colors::{Color, ColorMap, Palette, Scale, Theme};

use serde::{Deserialize, Serialize};

use crate::model::{Bounds, Point};

/// One shape. Places are in data coordinates; widths, radii and text sizes are pixels at scale 1.
#[derive(Debug, Clone, PartialEq)]
pub enum Mark {
    /// Equal dots.
    Points {
        /// Where they are.
        points: Arc<[Point]>,
        /// Radius of each, in pixels.
        radius: f32,
        /// Fill; dots that overlap add up where it is translucent.
        color: Color,
    },
    /// An open path; a point that is not finite leaves a gap.
    Line {
        /// Its corners.
        points: Vec<Point>,
        /// Width in pixels.
        width: f32,
        /// Stroke.
        color: Color,
        /// True for dashes.
        is_dashed: bool,
    },
    /// A filled outline, closed by itself.
    Polygon {
        /// Its corners.
        points: Vec<Point>,
        /// Inside.
        fill: Color,
        /// Width of the outline in pixels; 0 for none.
        stroke_width: f32,
        /// Outline.
        stroke: Color,
    },
    /// What lies between two curves.
    Band {
        /// From left to right: the place, the lower and the upper curve there. All finite.
        points: Vec<[f64; 3]>,
        /// Fill.
        color: Color,
    },
    /// What lies between two curves that go upwards.
    SideBand {
        /// Upwards: the place, the left and the right curve there. All finite.
        points: Vec<[f64; 3]>,
        /// Fill.
        color: Color,
    },
    /// An arrow; [`arrow_head`] gives its tip.
    Arrow {
        /// Tail.
        from: Point,
        /// Tip.
        to: Point,
        /// Width of the shaft in pixels.
        width: f32,
        /// Shaft and head.
        color: Color,
    },
    /// A picture that fills a rectangle.
    Raster {
        /// The rectangle.
        bounds: Bounds,
        /// What fills it.
        picture: Arc<Picture>,
    },
    /// A line of text, centered vertically. Drawn over a thin halo of the plot's background, to stay legible
    /// on whatever lies below.
    Text {
        /// The place it belongs to.
        at: Point,
        /// Pixels from there to the text, to the right and down.
        offset: [f32; 2],
        /// The words.
        text: String,
        /// Font size in pixels.
        size: f32,
        /// Fill.
        color: Color,
        /// Which part of the text lies at the place.
        anchor: Anchor,
    },
}

/// Which part of a text lies at its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Anchor {
    /// The text begins there.
    Start,
    /// The text is centered there.
    Middle,
    /// The text ends there.
    End,
}

/// Pixels. Length of `rgba`: `width` × `height` × 4.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// Pixels in a row.
    pub width: usize,
    /// Number of rows.
    pub height: usize,
    /// Red, green, blue and straight alpha of each pixel; top row first.
    pub rgba: Vec<u8>,
}

/// What one legend entry stands for.
#[derive(Debug, Clone, PartialEq)]
pub struct Layer {
    /// Name in files.
    pub id: &'static str,
    /// Name in the legend; empty for layers that need no entry.
    pub label: String,
    /// Color of the legend entry.
    pub color: Color,
    /// Its shapes, the lowest first.
    pub marks: Vec<Mark>,
}

impl Layer {
    /// True if it shows points, be it as dots or as a picture of a crowd.
    #[must_use]
    pub fn is_of_points(&self) -> bool {
        ["train", "validation", "samples"].contains(&self.id)
    }
}

/// How values are spread along an axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Spacing {
    /// Evenly.
    Linear,
    /// Evenly, with ticks at whole numbers only: steps, indices.
    Whole,
    /// By their logarithm. Marks carry plain values; what is not positive is not shown.
    Logarithmic,
}

/// One axis of a plot.
#[derive(Debug, Clone, PartialEq)]
pub struct Axis {
    /// What is shown, with its unit where it has one.
    pub label: String,
    /// How values are spread.
    pub spacing: Spacing,
    /// From where to where; `None` to fit the data.
    pub range: Option<[f64; 2]>,
}

impl Axis {
    /// An axis that fits the data.
    #[must_use]
    pub fn new(label: impl Into<String>, spacing: Spacing) -> Axis {
        Axis { label: label.into(), spacing, range: None }
    }

    /// Where a value lies: itself, or its log₁₀ on a logarithmic axis (NaN or −∞ if it has none).
    #[must_use]
    pub fn position(&self, value: f64) -> f64 {
        if self.spacing == Spacing::Logarithmic { value.log10() } else { value }
    }

    /// The value at a position; undoes [`Axis::position`].
    #[must_use]
    pub fn value(&self, position: f64) -> f64 {
        if self.spacing == Spacing::Logarithmic { 10_f64.powf(position) } else { position }
    }

    /// The shown range: the given one, or `data` with a margin. Never empty.
    fn view(&self, data: Option<[f64; 2]>) -> [f64; 2] {
        let is_usable = |range: &[f64; 2]| {
            let [low, high] = range.map(|value| self.position(value));
            low.is_finite() && high.is_finite() && low < high
        };
        if let Some(range) = self.range.filter(is_usable) {
            return range;
        }
        let [low, high] = data
            .map(|range| range.map(|value| self.position(value)))
            .filter(|[low, high]| low.is_finite() && high.is_finite())
            .unwrap_or([0.0, 1.0]);
        let size = high - low;
        // One value only: show it in the middle of a unit, or of what can be told apart around large values.
        let margin = if size > 0.0 { MARGIN * size } else { 0.5_f64.max(low.abs() * 1e-6) };
        [self.value(low - margin), self.value(high + margin)]
    }
}

/// Space left around the data where an axis fits it, as a share of their range.
const MARGIN: f64 = 0.04;

/// A picture with axes.
#[derive(Debug, Clone, PartialEq)]
pub struct Plot {
    /// Name in files.
    pub id: &'static str,
    /// Heading; may be empty.
    pub title: String,
    /// The horizontal axis.
    pub x: Axis,
    /// The vertical axis.
    pub y: Axis,
    /// True if a unit must be as long upwards as to the right, so that circles stay circles.
    pub has_equal_aspect: bool,
    /// What is shown, the lowest layer first.
    pub layers: Vec<Layer>,
    /// True to explain the layers.
    pub has_legend: bool,
}

impl Plot {
    /// The smallest rectangle around all marks, in plain values. Leaves out what is not finite, and what is
    /// not positive on a logarithmic axis. `None` if nothing remains.
    #[must_use]
    pub fn bounds(&self) -> Option<Bounds> {
        let is_shown =
            |p: &&Point| self.x.position(p[0]).is_finite() && self.y.position(p[1]).is_finite();
        let mut corners = Vec::new();
        for mark in self.layers.iter().flat_map(|layer| &layer.marks) {
            let ends;
            let edges: Vec<Point>;
            let points: &[Point] = match mark {
                Mark::Points { points, .. } => points,
                Mark::Line { points, .. } | Mark::Polygon { points, .. } => points,
                Mark::Band { points, .. } => {
                    edges = points.iter().flat_map(|&[x, a, b]| [[x, a], [x, b]]).collect();
                    &edges
                }
                Mark::SideBand { points, .. } => {
                    edges = points.iter().flat_map(|&[y, a, b]| [[a, y], [b, y]]).collect();
                    &edges
                }
                Mark::Arrow { from, to, .. } => {
                    ends = [*from, *to];
                    &ends
                }
                Mark::Raster { bounds, .. } => {
                    ends = [bounds.min, bounds.max];
                    &ends
                }
                Mark::Text { at, .. } => std::slice::from_ref(at),
            };
            let shown: Vec<Point> = points.iter().filter(is_shown).copied().collect();
            corners.extend(Bounds::around(&shown).into_iter().flat_map(|b| [b.min, b.max]));
        }
        Bounds::around(&corners)
    }

    /// The rectangle to show: the axes' ranges where they have one, else the data with a margin.
    #[must_use]
    pub fn view(&self) -> Bounds {
        let bounds = self.bounds();
        let x = self.x.view(bounds.map(|b| [b.min[0], b.max[0]]));
        let y = self.y.view(bounds.map(|b| [b.min[1], b.max[1]]));
        Bounds { min: [x[0], y[0]], max: [x[1], y[1]] }
    }
}

/// The head of an arrow on screen: tip, left and right corner. The shaft ends between the last two.
#[must_use]
pub fn arrow_head(from: [f32; 2], to: [f32; 2], width: f32) -> [[f32; 2]; 3] {
    let [dx, dy] = [to[0] - from[0], to[1] - from[1]];
    let length = dx.hypot(dy).max(f32::MIN_POSITIVE);
    let [ux, uy] = [dx / length, dy / length];
    // Short arrows keep a shaft, or their direction could not be seen.
    let head = (5.0 * width).min(0.55 * length);
    let base = [to[0] - head * ux, to[1] - head * uy];
    let half = 0.42 * head;
    [to, [base[0] + half * uy, base[1] - half * ux], [base[0] - half * uy, base[1] + half * ux]]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plot(x: Axis, y: Axis, points: &[Point]) -> Plot {
        let mark = Mark::Line {
            points: points.to_vec(),
            width: 1.0,
            color: Color::hex(0),
            is_dashed: false,
        };
        let layer =
            Layer { id: "line", label: "Line".into(), color: Color::hex(0), marks: vec![mark] };
        Plot {
            id: "test",
            title: String::new(),
            x,
            y,
            has_equal_aspect: false,
            layers: vec![layer],
            has_legend: false,
        }
    }

    #[test]
    fn bounds_ignore_what_cannot_be_shown() {
        let points = [[1.0, 2.0], [f64::NAN, 9.0], [3.0, -1.0], [2.0, f64::INFINITY], [9.0, 0.0]];
        let linear = || Axis::new("", Spacing::Linear);
        let all = plot(linear(), linear(), &points).bounds().unwrap();
        assert_eq!(all, Bounds { min: [1.0, -1.0], max: [9.0, 2.0] });
        let positive = plot(linear(), Axis::new("", Spacing::Logarithmic), &points);
        assert_eq!(positive.bounds().unwrap(), Bounds { min: [1.0, 2.0], max: [1.0, 2.0] });
        assert_eq!(plot(linear(), linear(), &[[f64::NAN, 0.0]]).bounds(), None);
    }

    #[test]
    fn a_view_is_never_empty() {
        for spacing in [Spacing::Linear, Spacing::Whole, Spacing::Logarithmic] {
            for points in [&[][..], &[[2.0, 1e9]], &[[-1.0, 0.0]], &[[1.0, 1e-9], [2.0, 1e9]]] {
                for range in [None, Some([1.0, 1.0]), Some([f64::NAN, 2.0]), Some([-3.0, -1.0])] {
                    let mut y = Axis::new("", spacing);
                    y.range = range;
                    let plot = plot(Axis::new("", Spacing::Linear), y, points);
                    let view = plot.view();
                    let [low, high] = [view.min[1], view.max[1]].map(|v| plot.y.position(v));
                    assert!(low.is_finite() && high.is_finite(), "{spacing:?} {view:?}");
                    assert!(low < high && view.min[0] < view.max[0], "{spacing:?} {view:?}");
                }
            }
        }
    }

    #[test]
    fn heads_are_at_the_tip_and_finite() {
        let [tip, left, right] = arrow_head([0.0, 0.0], [20.0, 0.0], 2.0);
        assert_eq!(tip, [20.0, 0.0]);
        assert_eq!((left[0], right[0]), (10.0, 10.0));
        assert!(left[1] < 0.0 && right[1] > 0.0);
        assert!(arrow_head([1.0, 1.0], [1.0, 1.0], 2.0).iter().flatten().all(|v| v.is_finite()));
    }
}
