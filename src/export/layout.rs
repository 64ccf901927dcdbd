//! Where everything of a figure goes: margins, title, legend rows and the rectangle inside the axes.

use super::svg::POINTS_RESOLUTION;
use super::text::text_width;
use crate::figures::ticks::{Tick, ticks};
use crate::figures::{Axis, Layer, Plot};
use crate::model::{Bounds, Point};

/// A rectangle on the figure, in pixels from its upper left corner.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Area {
    pub left: f64,
    pub top: f64,
    pub width: f64,
    pub height: f64,
}

/// One legend entry and where it begins.
pub(super) struct Entry<'a> {
    pub layer: &'a Layer,
    pub x: f64,
    /// Middle of its row.
    pub y: f64,
}

/// A figure, measured.
pub(super) struct Layout<'a> {
    /// Size of axis labels in pixels; everything else follows from it.
    pub em: f64,
    /// What a mark's pixel is here: 1, and less in a small figure.
    pub unit: f64,
    /// Pixels of a picture of points for each unit of the figure.
    pub resolution: f64,
    /// Tells this plot from others in the document.
    pub name: String,
    /// Inside of the axes.
    pub area: Area,
    /// What is shown there, in plain values.
    pub view: Bounds,
    pub x_ticks: Vec<Tick>,
    pub y_ticks: Vec<Tick>,
    /// False where a neighbour's numbers stand for these as well.
    pub labels_x: bool,
    pub labels_y: bool,
    /// Empty where a label of the whole figure stands for it.
    pub x_label: &'a str,
    pub y_label: &'a str,
    /// Its lines, and where the first begins on its baseline.
    pub title: Vec<String>,
    pub title_at: Point,
    pub title_size: f64,
    pub legend: Vec<Entry<'a>>,
    pub plot: &'a Plot,
}

/// Size of labels in the pixels in which marks are measured.
pub(super) const EM_OF_MARKS: f64 = 17.0;
/// Font sizes in em.
pub(super) const TITLE: f64 = 1.3;
pub(super) const TICK: f64 = 0.9;
pub(super) const LEGEND: f64 = 0.95;
/// Width of the sample before a legend entry, and the space behind it, in em.
pub(super) const SWATCH: f64 = 1.5;
pub(super) const SWATCH_GAP: f64 = 0.5;
pub(super) const ENTRY_GAP: f64 = 1.6;
pub(super) const LEGEND_ROW: f64 = 1.6;

impl<'a> Layout<'a> {
    /// Measures a plot for a figure of this size in pixels.
    pub fn new(plot: &'a Plot, [width, height]: [f64; 2]) -> Layout<'a> {
        let unit = (width.min(height) / 480.0).clamp(0.55, 1.0);
        let em = EM_OF_MARKS * unit;
        let margin = 0.9 * em;
        let title = if plot.title.is_empty() { 0.0 } else { TITLE * em * 1.45 };
        let x_label = if plot.x.label.is_empty() { 0.0 } else { 1.7 * em };
        let y_label = if plot.y.label.is_empty() { 0.0 } else { 1.6 * em };
        let bottom = margin + x_label + 1.6 * em;
        let mut layout = Layout::bare(plot, em);
        layout.area = Area { left: margin, top: margin, width, height };
        (layout.x_label, layout.y_label) = (&plot.x.label, &plot.y.label);
        layout.title.extend((!plot.title.is_empty()).then(|| plot.title.clone()));
        // The legend's rows take height, height decides the ticks, ticks decide the left margin, and that decides
        // how many rows the legend needs: three rounds settle it.
        for _ in 0..3 {
            let row_top = margin + title;
            layout.place_legend(row_top, width - margin);
            let rows = layout.legend.last().map_or(0.0, |last| last.y - row_top + 1.1 * em);
            let top = margin + title + rows + if title + rows > 0.0 { 0.3 * em } else { 0.0 };
            layout.area.top = top;
            layout.area.height = (height - top - bottom).max(em);
            layout.place_ticks();
            let left = margin + y_label + layout.y_ticks_width() + 0.6 * em;
            // Half of the last tick's label hangs over.
            let right = margin.max(0.5 * layout.x_ticks_width() + 0.4 * em);
            layout.area.left = left;
            layout.area.width = (width - left - right).max(em);
            if plot.has_equal_aspect {
                layout.shrink();
            }
        }
        layout.place_ticks();
        layout.title_at = [layout.area.left, margin + 0.8 * TITLE * em];
        layout
    }

    /// A plot that has no place yet, with numbers at its axes and no other words, for labels of this size.
    pub fn bare(plot: &'a Plot, em: f64) -> Layout<'a> {
        Layout {
            em,
            unit: em / EM_OF_MARKS,
            resolution: POINTS_RESOLUTION,
            name: plot.id.to_owned(),
            area: Area { left: 0.0, top: 0.0, width: em, height: em },
            view: plot.view(),
            x_ticks: Vec::new(),
            y_ticks: Vec::new(),
            labels_x: true,
            labels_y: true,
            x_label: "",
            y_label: "",
            title: Vec::new(),
            title_at: [0.0; 2],
            title_size: TITLE * em,
            legend: Vec::new(),
            plot,
        }
    }

    /// Width of the widest number at the vertical axis.
    pub fn y_ticks_width(&self) -> f64 {
        self.widest(&self.y_ticks)
    }

    /// Width of the widest number at the horizontal axis.
    pub fn x_ticks_width(&self) -> f64 {
        self.widest(&self.x_ticks)
    }

    fn widest(&self, ticks: &[Tick]) -> f64 {
        let size = TICK * self.em;
        ticks.iter().map(|tick| text_width(&tick.label, size)).fold(0.0, f64::max)
    }

    /// Makes the area smaller, around its center, until units are equally long on both axes.
    pub fn shrink(&mut self) {
        let [view_width, view_height] = self.view.size();
        let unit = (self.area.width / view_width).min(self.area.height / view_height);
        let (width, height) = ((unit * view_width).max(1.0), (unit * view_height).max(1.0));
        self.area.left += (self.area.width - width) / 2.0;
        self.area.top += (self.area.height - height) / 2.0;
        (self.area.width, self.area.height) = (width, height);
    }

    pub fn place_ticks(&mut self) {
        let Bounds { min, max } = self.view;
        let y_count = (self.area.height / (2.0 * self.em)) as usize;
        self.y_ticks = ticks(&self.plot.y, [min[1], max[1]], y_count.clamp(2, 8));
        // As many as fit side by side, measured by the widest label of a first try.
        let mut x_count = 9;
        loop {
            self.x_ticks = ticks(&self.plot.x, [min[0], max[0]], x_count);
            // From the first to the last, whose labels may hang over.
            let place = |tick: Option<&Tick>| {
                tick.map_or(0.0, |t| self.screen_from_data([t.value, min[1]])[0])
            };
            let room = place(self.x_ticks.last()) - place(self.x_ticks.first());
            let needed = self.x_ticks_width() + 0.8 * self.em;
            let gaps = self.x_ticks.len().saturating_sub(1) as f64;
            if x_count <= 2 || gaps * needed <= room {
                break;
            }
            x_count -= 1;
        }
    }

    /// Rows of entries below the title, wrapped where they would leave the figure.
    fn place_legend(&mut self, top: f64, right: f64) {
        self.legend.clear();
        if !self.plot.has_legend {
            return;
        }
        let em = self.em;
        let (mut x, mut y) = (self.area.left, top + 0.7 * em);
        let layers = self.plot.layers.iter();
        for layer in layers.filter(|layer| !layer.label.is_empty() && !layer.marks.is_empty()) {
            let width = (SWATCH + SWATCH_GAP) * em + text_width(&layer.label, LEGEND * em);
            if x > self.area.left && x + width > right {
                x = self.area.left;
                y += LEGEND_ROW * em;
            }
            self.legend.push(Entry { layer, x, y });
            x += width + ENTRY_GAP * em;
        }
    }

    /// Where the words of a legend entry begin.
    pub fn entry_text_x(&self, entry: &Entry) -> f64 {
        entry.x + (SWATCH + SWATCH_GAP) * self.em
    }

    /// Where a point of the data lies on the figure, in pixels; far outside is cut off at a safe distance.
    pub fn screen_from_data(&self, point: Point) -> Point {
        let share = |axis: &Axis, i: usize| {
            let [low, high] = [self.view.min[i], self.view.max[i]].map(|v| axis.position(v));
            ((axis.position(point[i]) - low) / (high - low)).clamp(-20.0, 21.0)
        };
        let area = self.area;
        [
            area.left + share(&self.plot.x, 0) * area.width,
            area.top + (1.0 - share(&self.plot.y, 1)) * area.height,
        ]
    }

    /// True if a pixel lies inside the axes, or at most `margin` pixels outside.
    pub fn contains(&self, [x, y]: Point, margin: f64) -> bool {
        let Area { left, top, width, height } = self.area;
        (left - margin..=left + width + margin).contains(&x)
            && (top - margin..=top + height + margin).contains(&y)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::{Spacing, plane};

    #[test]
    fn equal_aspect_keeps_circles_round() {
        let bounds = Bounds { min: [-4.0, -1.0], max: [4.0, 2.0] };
        let plot = plane::plane("A title", bounds, false, Vec::new());
        for size in [[900.0, 600.0], [300.0, 900.0], [900.0, 300.0], [80.0, 60.0]] {
            let layout = Layout::new(&plot, size);
            let [a, b, c] =
                [[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]].map(|x| layout.screen_from_data(x));
            assert!(((b[0] - a[0]) - (a[1] - c[1])).abs() < 1e-6, "{size:?}");
        }
    }

    #[test]
    fn the_area_lies_inside_the_figure() {
        let mut plot = plane::plane("", Bounds { min: [0.0; 2], max: [1.0; 2] }, false, Vec::new());
        plot.has_equal_aspect = false;
        plot.y = Axis::new("Loss", Spacing::Logarithmic);
        plot.y.range = Some([1e-12, 1e12]);
        let layout = Layout::new(&plot, [900.0, 600.0]);
        let Area { left, top, width, height } = layout.area;
        assert!(left > 0.0 && top > 0.0 && left + width < 900.0 && top + height < 600.0);
        let corners = [plot.view().min, plot.view().max].map(|x| layout.screen_from_data(x));
        assert!((corners[0][0] - left).abs() < 1e-9 && (corners[1][1] - top).abs() < 1e-9);
        assert!(layout.screen_from_data([0.5, 1e300])[1].is_finite());
    }
}
