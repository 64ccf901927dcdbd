//! Sheet: one or several plots for print or a slide, at a size in inches with a font in points.

use std::fmt::Write;

use super::grid::{Grid, Letter, Words};
use super::layout::TICK;
use super::marks::{CENTER, fill, number, stroke};
use super::style::{Background, Style};
use super::svg::{Svg, begin};
use super::text::escaped;
use super::{ExportError, pdf, png};
use crate::figures::cloud::{self, Pixels};
use crate::figures::color_bar::ColorBar;
use crate::figures::{Anchor, Color, Palette, Picture, Plot};
use crate::model::Bounds;

/// What is to be drawn on one page. Equal sheets give equal bytes.
#[derive(Debug, Clone, PartialEq)]
pub struct Sheet {
    /// Row by row, in the order of reading; [`Style::columns`] says where rows end.
    pub panels: Vec<Plot>,
    /// What the colors of all panels' fields say, if the style shows it.
    pub color_bar: Option<ColorBar>,
    /// Above everything; may be empty. A single panel's own title then stands below it.
    pub title: String,
    /// A sentence below everything, if the style shows it; may be empty.
    pub caption: String,
    /// Size, fonts and what is shown besides the panels.
    pub style: Style,
}

/// How a sheet is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileFormat {
    /// A picture of pixels, which knows how many of them make an inch.
    Png,
    /// A picture of shapes and text.
    Svg,
    /// A page of shapes and text with its fonts.
    Pdf,
}

impl FileFormat {
    /// All, in the order of menus.
    pub const ALL: [FileFormat; 3] = [FileFormat::Png, FileFormat::Svg, FileFormat::Pdf];

    /// The ending of file names.
    #[must_use]
    pub fn extension(self) -> &'static str {
        match self {
            FileFormat::Png => "png",
            FileFormat::Svg => "svg",
            FileFormat::Pdf => "pdf",
        }
    }

    /// The format of that ending, in capitals or not.
    #[must_use]
    pub fn from_extension(extension: &str) -> Option<FileFormat> {
        FileFormat::ALL.into_iter().find(|f| f.extension().eq_ignore_ascii_case(extension))
    }
}

impl Sheet {
    /// A sheet of one plot, or of several in as many columns as the style says.
    #[must_use]
    pub fn new(panels: Vec<Plot>, style: Style) -> Sheet {
        let (title, caption) = (String::new(), String::new());
        Sheet { panels, color_bar: None, title, caption, style }
    }

    /// The bytes of a file.
    ///
    /// # Errors
    /// [`ExportError::Style`] if a size cannot be or nothing fits on it; [`ExportError::Size`] for too many pixels;
    /// [`ExportError::Encoding`] if a library refuses, a bug of ours.
    pub fn bytes(&self, format: FileFormat) -> Result<Vec<u8>, ExportError> {
        let svg = self.svg()?;
        match format {
            FileFormat::Svg => Ok(svg.into_bytes()),
            FileFormat::Png => png::png_at(&svg, self.style.dpi),
            FileFormat::Pdf => pdf::pdf(&svg),
        }
    }

    /// The pixels that a PNG would have: a frame of a film.
    ///
    /// # Errors
    /// As [`Sheet::bytes`].
    pub fn picture(&self) -> Result<Picture, ExportError> {
        png::pixels_at(&self.svg()?, self.style.dpi)
    }

    /// The sheet as an SVG document, in which a unit is a point, 1/72 inch.
    ///
    /// # Errors
    /// [`ExportError::Style`] if a size cannot be, or nothing fits on it.
    pub fn svg(&self) -> Result<String, ExportError> {
        let style = &self.style;
        style.check()?;
        let panels = self.prepared();
        let bar = self.shown_bar();
        let grid = Grid::new(&panels, style, bar, self.words())?;
        let palette = style.palette();
        let [width, height] = [grid.width, grid.height].map(number);
        let mut text = begin(
            [&style.unit.written(grid.width), &style.unit.written(grid.height)],
            [&width, &height],
        );
        let first = panels.first().map_or("", |plot| &plot.title);
        let title = if self.title.is_empty() { first } else { &*self.title };
        let _ = writeln!(text, "<title>{}</title>", escaped(title));
        if style.background != Background::Transparent {
            let fill = fill(palette.background);
            let _ = writeln!(text, "<rect width=\"{width}\" height=\"{height}\"{fill}/>");
        }
        for layout in &grid.panels {
            let mut out = Svg { text, layout, palette: &palette };
            out.panel();
            text = out.text;
        }
        let Some(first) = grid.panels.first() else { return Ok(text + "</svg>\n") };
        let mut out = Svg { text, layout: first, palette: &palette };
        words(&mut out, &grid);
        if let Some(bar) = bar {
            color_bar(&mut out, bar, &grid);
        }
        Ok(out.text + "</svg>\n")
    }

    /// The pixels for a picture of points in a panel that shows a rectangle of the plane: as many as the sheet's dots
    /// per inch ask for.
    ///
    /// # Errors
    /// [`ExportError::Style`] as [`Sheet::svg`].
    pub fn pixels(&self, bounds: Bounds) -> Result<Pixels, ExportError> {
        self.style.check()?;
        let panels = self.prepared();
        let grid = Grid::new(&panels, &self.style, self.shown_bar(), self.words())?;
        let Some(first) = grid.panels.first() else {
            return Ok(cloud::pixels(bounds, [1.0; 2], 1.0));
        };
        // Dots are measured in the pixels of marks, not in points.
        let area = [first.area.width, first.area.height].map(|side| side / first.unit);
        Ok(cloud::pixels(bounds, area, first.unit * first.resolution))
    }

    /// The panels with what they share.
    fn prepared(&self) -> Vec<Plot> {
        let mut panels = self.panels.clone();
        if self.shown_bar().is_some() {
            for plot in &mut panels {
                plot.layers.retain(|layer| !ColorBar::replaces(layer));
            }
        }
        if self.style.shares_axes {
            share_ranges(&mut panels);
        }
        panels
    }

    fn shown_bar(&self) -> Option<&ColorBar> {
        self.color_bar.as_ref().filter(|_| self.style.has_color_bar)
    }

    fn words(&self) -> Words<'_> {
        let caption = if self.style.has_caption { &*self.caption } else { "" };
        Words { title: &self.title, caption }
    }
}

/// Gives plots of the same kind the same ranges. Those of the plane keep theirs, or circles would change their size.
fn share_ranges(panels: &mut [Plot]) {
    let before: Vec<Plot> = panels.iter().filter(|plot| !plot.has_equal_aspect).cloned().collect();
    let joined = |axis: usize, plot: &Plot| {
        let of = |plot: &Plot| if axis == 0 { plot.x.clone() } else { plot.y.clone() };
        let own = of(plot);
        let alike = before.iter().filter(|other| {
            let other = of(other);
            (&other.label, other.spacing) == (&own.label, own.spacing)
        });
        let views: Vec<Bounds> = alike.map(Plot::view).collect();
        let low = views.iter().map(|view| view.min[axis]).reduce(f64::min)?;
        let high = views.iter().map(|view| view.max[axis]).reduce(f64::max)?;
        Some([low, high])
    };
    for plot in panels.iter_mut().filter(|plot| !plot.has_equal_aspect) {
        (plot.x.range, plot.y.range) = (joined(0, plot), joined(1, plot));
    }
}

/// What is written around the panels: labels of all of them and the caption.
fn words(out: &mut Svg<'_>, grid: &Grid<'_>) {
    let (em, palette) = (out.layout.em, out.palette);
    if let Some((label, at)) = grid.x_label {
        out.words(label, at, em, palette.text, Anchor::Middle, "");
    }
    if let Some((label, at)) = grid.y_label {
        out.upright(label, at, em);
    }
    for Letter { text, at, size } in grid.caption.iter().chain(&grid.title) {
        out.words(text, *at, *size, palette.text, Anchor::Start, "");
    }
}

/// The colors from the lowest at the bottom to the highest, the values beside them, and what they say.
fn color_bar(out: &mut Svg<'_>, bar: &ColorBar, grid: &Grid<'_>) {
    let (em, unit, palette) = (out.layout.em, out.layout.unit, out.palette);
    let area = grid.bar;
    let last = bar.colors.len().saturating_sub(1).max(1) as f64;
    let mut stops = String::new();
    for (i, color) in bar.colors.iter().enumerate() {
        let Color { r, g, b, .. } = over(*color, palette);
        let offset = format!("{:.4}", i as f64 / last);
        let _ = write!(stops, "<stop offset=\"{offset}\" stop-color=\"#{r:02x}{g:02x}{b:02x}\"/>");
    }
    let [x, y, width, height] = [area.left, area.top, area.width, area.height].map(number);
    let line = stroke(palette.weak_text.with_opacity(0.55), unit);
    let _ = write!(
        out.text,
        "<linearGradient id=\"colors\" x1=\"0\" y1=\"1\" x2=\"0\" y2=\"0\">{stops}</linearGradient>\n\
         <rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" fill=\"url(#colors)\"{line}/>\n"
    );
    let right = area.left + area.width;
    for (share, text) in &bar.marks {
        let y = area.top + (1.0 - share) * area.height;
        out.path(&[[right, y], [right + 0.25 * em, y]], unit, palette.weak_text, false);
        let at = [right + 0.45 * em, y + CENTER * TICK * em];
        out.words(text, at, TICK * em, palette.weak_text, Anchor::Start, "");
    }
    out.upright(&bar.label, [grid.bar_label_x, area.top + area.height / 2.0], em);
}

/// A color as it looks on the plot's background.
fn over(color: Color, palette: &Palette) -> Color {
    let below = palette.plot_background;
    // Where there is no background a page is white.
    let below = if below.a == 0 { Color::hex(0x00ff_ffff) } else { below };
    let share = f64::from(color.a) / 255.0;
    let mix = |a: u8, b: u8| (share * f64::from(a) + (1.0 - share) * f64::from(b)).round() as u8;
    Color { r: mix(color.r, below.r), g: mix(color.g, below.g), b: mix(color.b, below.b), a: 255 }
}
