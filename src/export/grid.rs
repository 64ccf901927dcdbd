//! Grid: where everything of a sheet goes. Panels of one size in rows and columns, with labels, a color bar, a legend
//! and a caption around them. All lengths are points.

use super::ExportError;
use super::layout::{
    Area, EM_OF_MARKS, ENTRY_GAP, Entry, LEGEND, LEGEND_ROW, Layout, SWATCH, SWATCH_GAP, TICK,
    TITLE,
};
use super::style::Style;
use super::svg::TITLE_LINE;
use super::text::{text_width, wrapped};
use crate::figures::color_bar::ColorBar;
use crate::figures::{Axis, Layer, Plot};
use crate::model::Point;

/// A sheet, measured.
pub(super) struct Grid<'a> {
    pub width: f64,
    pub height: f64,
    /// The first one has the legend of all.
    pub panels: Vec<Layout<'a>>,
    /// A label that all panels share, and its place.
    pub x_label: Option<(&'a str, Point)>,
    pub y_label: Option<(&'a str, Point)>,
    /// Of a single panel, above its legend.
    pub title: Vec<Letter>,
    pub caption: Vec<Letter>,
    /// Where colors are explained, if they are, and the baseline of the words there.
    pub bar: Area,
    pub bar_label_x: f64,
}

/// What is written above and below the panels; either may be empty.
#[derive(Clone, Copy)]
pub(super) struct Words<'a> {
    pub title: &'a str,
    pub caption: &'a str,
}

/// One line of text and where it begins.
pub(super) struct Letter {
    pub text: String,
    pub at: Point,
    pub size: f64,
}

/// Font sizes in em, as in [`Layout`].
const PANEL_TITLE: f64 = 1.05;
const CAPTION: f64 = 0.92;
/// Distances in em.
const MARGIN: f64 = 0.5;
const COLUMN_GAP: f64 = 0.9;
const ROW_GAP: f64 = 0.7;
const BAR_GAP: f64 = 1.0;
const BAR_WIDTH: f64 = 0.9;
/// Height of an area where nothing else asks for one, as a share of its width: about the golden ratio.
const NATURAL: f64 = 0.66;
/// Plots of the plane are neither flatter nor taller than this in a figure of natural height.
const SHAPES: [f64; 2] = [0.3, 1.6];
/// In areas with shorter sides, in em, lines are thinner and dots smaller, or they would hide each other.
const ROOMY: f64 = 18.0;
/// An area with shorter sides, in em, shows nothing.
const LEAST_SIDE: f64 = 3.0;

/// What of the sheet's width and height is taken by other things than panels.
#[derive(Default)]
struct Edges {
    left: f64,
    right: f64,
    top: f64,
    bottom: f64,
}

impl<'a> Grid<'a> {
    /// Measures a sheet.
    ///
    /// # Errors
    /// [`ExportError::Style`] if there is no room for the panels.
    pub fn new(
        plots: &'a [Plot],
        style: &Style,
        bar: Option<&ColorBar>,
        words: Words<'_>,
    ) -> Result<Grid<'a>, ExportError> {
        let em = style.font_size;
        let width = style.width * 72.0;
        let inner = width - 2.0 * MARGIN * em;
        let columns = style.columns.clamp(1, plots.len().max(1));
        let mut grid = Grid {
            width,
            height: style.height.map_or(0.0, |height| height * 72.0),
            panels: plots.iter().map(|plot| Layout::bare(plot, em)).collect(),
            x_label: None,
            y_label: None,
            title: lines(words.title, TITLE * em, inner),
            caption: lines(words.caption, CAPTION * em, inner),
            bar: Area { left: 0.0, top: 0.0, width: 0.0, height: 0.0 },
            bar_label_x: 0.0,
        };
        let has_heading = !grid.title.is_empty();
        grid.name_panels(style, columns, inner);
        grid.place_legend(style, inner);
        let common = |axis: fn(&Plot) -> &Axis| {
            let mut labels = plots.iter().map(|plot| &*axis(plot).label);
            let first = labels.next().filter(|_| plots.len() > 1 && style.shares_axes)?;
            (!first.is_empty() && labels.all(|label| label == first)).then_some(first)
        };
        grid.x_label = common(|plot| &plot.x).map(|label| (label, [0.0; 2]));
        grid.y_label = common(|plot| &plot.y).map(|label| (label, [0.0; 2]));
        // Areas decide the ticks, their widths decide the margins, and those the areas: three rounds settle it.
        for _ in 0..3 {
            let has_titles = plots.len() > 1 || has_heading;
            grid.place(style, columns, bar, has_titles)?;
        }
        Ok(grid)
    }

    /// Letters, titles, resolution, and which panels have numbers at their axes.
    fn name_panels(&mut self, style: &Style, columns: usize, inner: f64) {
        let count = self.panels.len();
        let em = style.font_size;
        for i in 0..count {
            let letter = letter(i);
            let below = (i + columns..count).step_by(columns).map(|j| self.panels[j].plot);
            let row = i - i % columns;
            let hides_x = style.shares_axes
                && below.clone().next().is_some()
                && below.clone().all(|other| has_same_axis(self.panels[i].plot, other, 0));
            let hides_y = style.shares_axes
                && i > row
                && (row..i).all(|j| has_same_axis(self.panels[i].plot, self.panels[j].plot, 1));
            let panel = &mut self.panels[i];
            panel.resolution = style.dpi / 72.0;
            (panel.labels_x, panel.labels_y) = (!hides_x, !hides_y);
            panel.title_size = PANEL_TITLE * em;
            if count > 1 {
                panel.name = format!("{}-{letter}", panel.plot.id);
            }
        }
        if let [panel] = &self.panels[..]
            && self.title.is_empty()
        {
            self.title = lines(&panel.plot.title, TITLE * em, inner);
        }
    }

    /// One legend for all panels, in rows below the title: what has the same name is explained once.
    fn place_legend(&mut self, style: &Style, inner: f64) {
        let em = style.font_size;
        let left = MARGIN * em;
        let title = self.title.len() as f64 * TITLE_LINE * TITLE * em;
        let (mut x, mut y) = (left, left + title + 0.7 * em);
        let mut entries: Vec<Entry<'a>> = Vec::new();
        let plots: Vec<&'a Plot> = self.panels.iter().map(|panel| panel.plot).collect();
        let plots = plots.into_iter().filter(|plot| style.has_legend && plot.has_legend);
        for layer in plots.flat_map(|plot| &plot.layers) {
            let is_known = |entry: &Entry<'a>| is_alike(entry.layer, layer);
            if layer.label.is_empty() || layer.marks.is_empty() || entries.iter().any(is_known) {
                continue;
            }
            let width = (SWATCH + SWATCH_GAP) * em + text_width(&layer.label, LEGEND * em);
            if x > left && x + width > left + inner {
                (x, y) = (left, y + LEGEND_ROW * em);
            }
            entries.push(Entry { layer, x, y });
            x += width + ENTRY_GAP * em;
        }
        if let Some(first) = self.panels.first_mut() {
            first.legend = entries;
        }
    }

    /// One round: areas from the ticks that there are, then ticks for these areas.
    fn place(
        &mut self,
        style: &Style,
        columns: usize,
        bar: Option<&ColorBar>,
        has_titles: bool,
    ) -> Result<(), ExportError> {
        let em = style.font_size;
        let rows = self.panels.len().div_ceil(columns).max(1);
        let edges = self.edges(em, columns, bar);
        let pads: Vec<f64> = (0..columns).map(|column| self.pad(column, columns, em)).collect();
        let taken = edges.left + edges.right + pads.iter().sum::<f64>();
        let mut width = (self.width - taken) / columns as f64;
        if has_titles {
            self.wrap_titles(style, width);
        }
        let heads: Vec<f64> = (0..rows).map(|row| self.head(row, columns)).collect();
        let feet: Vec<f64> = (0..rows).map(|row| self.foot(row, columns, em)).collect();
        let taken = edges.top + edges.bottom + heads.iter().chain(&feet).sum::<f64>();
        let shape = self.shape();
        let mut height = match style.height {
            Some(_) => (self.height - taken) / rows as f64,
            None => width * shape.map_or(NATURAL, |shape| shape.clamp(SHAPES[0], SHAPES[1])),
        };
        // Plots of the plane do not fill any area: titles need what they leave beside them, nobody what is left below.
        let full = [width, height * rows as f64];
        if let Some(shape) = shape {
            (width, height) = (width.min(height / shape), height.min(width * shape));
        }
        if width.min(height) < LEAST_SIDE * em {
            return Err(crowded());
        }
        if style.height.is_none() {
            self.height = taken + height * rows as f64;
        }
        let left = edges.left + (full[0] - width) / 2.0;
        let spare = if style.height.is_some() { full[1] - height * rows as f64 } else { 0.0 };
        let mut top = edges.top + spare / 2.0;
        for row in 0..rows {
            top += heads[row];
            let mut x = left;
            for (column, pad) in pads.iter().enumerate() {
                x += pad;
                let area = Area { left: x, top, width, height };
                x += full[0];
                let Some(panel) = self.panels.get_mut(row * columns + column) else { continue };
                panel.area = area;
                if panel.plot.has_equal_aspect {
                    panel.shrink();
                }
                let side = panel.area.width.min(panel.area.height);
                let size = (side / (ROOMY * em)).clamp(0.55, 1.0);
                panel.unit = size * em / EM_OF_MARKS;
                let above = panel.title.len() as f64 - 1.0;
                let baseline = panel.area.top - 0.4 * em - above * TITLE_LINE * panel.title_size;
                panel.title_at = [panel.area.left, baseline];
                panel.place_ticks();
            }
            top += height + feet[row];
        }
        self.place_words(em, bar);
        Ok(())
    }

    /// What is around all panels.
    fn edges(&self, em: f64, columns: usize, bar: Option<&ColorBar>) -> Edges {
        let margin = MARGIN * em;
        let title = self.title.len() as f64 * TITLE_LINE * TITLE * em;
        let legend = self.panels.first().and_then(|panel| panel.legend.last());
        let top = legend.map_or(margin + title, |last| last.y + 1.1 * em);
        let caption = match self.caption.len() {
            0 => 0.0,
            count => (count as f64 * TITLE_LINE * CAPTION + 0.4) * em,
        };
        let x_label = if self.x_label.is_some() { 1.4 * em } else { 0.0 };
        let y_label = if self.y_label.is_some() { 1.5 * em } else { 0.0 };
        // Half of the last number hangs over.
        let last = self.panels.iter().skip(columns - 1).step_by(columns);
        let numbers = last.chain(self.panels.last()).filter(|panel| panel.labels_x);
        let over = numbers.map(|panel| 0.5 * panel.x_ticks_width()).fold(0.0, f64::max);
        let right = bar.map_or(margin.max(over + 0.2 * em), |bar| {
            margin + (BAR_GAP + BAR_WIDTH) * em + bar_words(bar, em)
        });
        Edges {
            left: margin + y_label,
            right,
            top: if top > margin { top + 0.2 * em } else { margin },
            bottom: margin + caption + x_label,
        }
    }

    /// Room to the left of a column: its numbers and labels, and the gap to the column before.
    fn pad(&self, column: usize, columns: usize, em: f64) -> f64 {
        let panels = self.panels.iter().skip(column).step_by(columns);
        let words = panels.map(|panel| {
            let is_own = panel.labels_y && self.y_label.is_none();
            let label = if is_own && !panel.plot.y.label.is_empty() { 1.6 * em } else { 0.0 };
            let numbers = if panel.labels_y { panel.y_ticks_width() + 0.6 * em } else { 0.0 };
            label + numbers
        });
        let words = words.fold(0.0, f64::max);
        if column == 0 {
            return words;
        }
        // The numbers below two neighbours meet between them.
        let numbers = self.panels.iter().filter(|panel| panel.labels_x);
        let numbers = numbers.map(|panel| panel.x_ticks_width() + 0.5 * em).fold(0.0, f64::max);
        (words + COLUMN_GAP * em).max(numbers)
    }

    /// Room above a row: its titles.
    fn head(&self, row: usize, columns: usize) -> f64 {
        let panels = self.panels.iter().skip(row * columns).take(columns);
        let lines = panels.map(|panel| panel.title.len() as f64 * TITLE_LINE * panel.title_size);
        lines.fold(0.0, f64::max)
    }

    /// Room below a row: its numbers and labels, and the gap to the next.
    fn foot(&self, row: usize, columns: usize, em: f64) -> f64 {
        let panels = self.panels.iter().skip(row * columns).take(columns);
        let words = panels.map(|panel| match (panel.labels_x, self.x_label) {
            (false, _) => 0.0,
            (true, None) if !panel.plot.x.label.is_empty() => 3.1 * em,
            (true, _) => 1.5 * em,
        });
        let is_last = (row + 1) * columns >= self.panels.len();
        words.fold(0.0, f64::max) + if is_last { 0.0 } else { ROW_GAP * em }
    }

    /// Letters and titles of several panels, in lines that are not wider than their areas.
    fn wrap_titles(&mut self, style: &Style, width: f64) {
        let has_letters = style.has_letters && self.panels.len() > 1;
        for (i, panel) in self.panels.iter_mut().enumerate() {
            let letter = if has_letters { format!("({}) ", letter(i)) } else { String::new() };
            let title = format!("{letter}{}", panel.plot.title);
            panel.title = wrapped(title.trim(), panel.title_size, width);
        }
    }

    /// Height over width that all plots of the plane can have; `None` where there is another one.
    fn shape(&self) -> Option<f64> {
        let shapes = self.panels.iter().map(|panel| {
            let [width, height] = panel.view.size();
            panel.plot.has_equal_aspect.then_some(height / width)
        });
        shapes.collect::<Option<Vec<f64>>>()?.into_iter().reduce(f64::max)
    }

    /// Words and the color bar around the panels' areas.
    fn place_words(&mut self, em: f64, bar: Option<&ColorBar>) {
        let areas = || self.panels.iter().map(|panel| panel.area);
        let left = areas().map(|area| area.left).fold(f64::INFINITY, f64::min);
        let right = areas().map(|area| area.left + area.width).fold(0.0, f64::max);
        let top = areas().map(|area| area.top).fold(f64::INFINITY, f64::min);
        let bottom = areas().map(|area| area.top + area.height).fold(0.0, f64::max);
        let numbers = self.panels.iter().filter(|panel| panel.labels_y);
        let numbers = numbers.map(|panel| panel.area.left - panel.y_ticks_width());
        let x = numbers.fold(left, f64::min) - 1.2 * em;
        if let Some((_, at)) = &mut self.x_label {
            *at = [f64::midpoint(left, right), bottom + 2.8 * em];
        }
        if let Some((_, at)) = &mut self.y_label {
            *at = [x, f64::midpoint(top, bottom)];
        }
        let has_own = (self.x_label.is_none(), self.y_label.is_none());
        for panel in &mut self.panels {
            panel.x_label = if has_own.0 && panel.labels_x { &panel.plot.x.label } else { "" };
            panel.y_label = if has_own.1 && panel.labels_y { &panel.plot.y.label } else { "" };
        }
        let x = right + BAR_GAP * em;
        self.bar = Area { left: x, top, width: BAR_WIDTH * em, height: bottom - top };
        let words = bar.map_or(0.0, |bar| bar_words(bar, em));
        self.bar_label_x = x + BAR_WIDTH * em + words - 0.3 * em;
        let mut y = (MARGIN + 0.8 * TITLE) * em;
        for line in &mut self.title {
            line.at = [left.min(MARGIN * em), y];
            y += TITLE_LINE * line.size;
        }
        let count = self.caption.len() as f64;
        let mut y = self.height - (MARGIN + 0.2) * em - (count - 1.0) * TITLE_LINE * CAPTION * em;
        for line in &mut self.caption {
            line.at = [MARGIN * em, y];
            y += TITLE_LINE * line.size;
        }
    }
}

/// Room for the values beside a color bar and for what they are, in points.
fn bar_words(bar: &ColorBar, em: f64) -> f64 {
    let values = bar.marks.iter().map(|mark| text_width(&mark.1, TICK * em)).fold(0.0, f64::max);
    values + 0.7 * em + 1.2 * em
}

/// A text in lines, which have no place yet.
fn lines(text: &str, size: f64, width: f64) -> Vec<Letter> {
    let lines = wrapped(text, size, width).into_iter();
    lines.map(|text| Letter { text, at: [0.0; 2], size }).collect()
}

/// a to z, then aa, ab …
fn letter(i: usize) -> String {
    let last = char::from(b'a' + (i % 26) as u8);
    if i < 26 { last.to_string() } else { letter(i / 26 - 1) + &last.to_string() }
}

/// True if two entries of a legend would look the same.
fn is_alike(a: &Layer, b: &Layer) -> bool {
    (a.id, &a.label, a.color) == (b.id, &b.label, b.color)
}

/// True if the numbers at one axis (0 for the horizontal one) of a plot stand for another as well.
fn has_same_axis(a: &Plot, b: &Plot, axis: usize) -> bool {
    let (view_a, view_b) = (a.view(), b.view());
    if a.has_equal_aspect || b.has_equal_aspect {
        // The other axis decides how large they are.
        return a.has_equal_aspect == b.has_equal_aspect && view_a == view_b;
    }
    let of = |plot: &Plot| if axis == 0 { plot.x.clone() } else { plot.y.clone() };
    (of(a).label, of(a).spacing) == (of(b).label, of(b).spacing)
        && (view_a.min[axis], view_a.max[axis]) == (view_b.min[axis], view_b.max[axis])
}

fn crowded() -> ExportError {
    ExportError::Style {
        what: "size",
        problem:
            "the panels have no room on it: choose a larger figure, a smaller font or fewer columns"
                .to_owned(),
    }
}
