//! A plot as SVG: text stays text, crowds of points and densities become embedded pictures.

use std::fmt::Write;

use base64::Engine;
use image::ImageEncoder;
use resvg::tiny_skia;

use super::layout::{Area, Entry, LEGEND, Layout, SWATCH, TICK, TITLE};
use super::text::{escaped, spans, text_width};
use crate::figures::{Anchor, Color, Mark, Palette, Picture, Plot, arrow_head, cloud};
use crate::model::{Bounds, Point};

/// Above this many, the points of a mark become one picture: as shapes they would make a huge and slow file.
const MAX_DRAWN_POINTS: usize = 5000;

/// Pixels of a picture of points for each pixel of the figure.
pub const POINTS_RESOLUTION: f64 = 2.0;

/// The plot as an SVG document of this size in pixels. Equal plots give equal bytes.
#[must_use]
pub fn svg(plot: &Plot, size: [f32; 2], palette: &Palette) -> String {
    let size = size.map(|side| f64::from(side).max(1.0));
    let layout = Layout::new(plot, size);
    let mut out = Svg { text: String::new(), layout: &layout, palette };
    out.document(plot, size);
    out.text
}

/// Width and height of the rectangle inside the axes, where the plot is drawn at this size in pixels.
#[must_use]
pub fn inside(plot: &Plot, size: [f32; 2]) -> [f64; 2] {
    let Area { width, height, .. } =
        Layout::new(plot, size.map(|side| f64::from(side).max(1.0))).area;
    [width, height]
}

/// The document so far, and what every part of it needs.
struct Svg<'a> {
    text: String,
    layout: &'a Layout<'a>,
    palette: &'a Palette,
}

/// Appends formatted text; writing to a `String` cannot fail.
macro_rules! put {
    ($out:expr, $($format:tt)*) => {
        let _ = write!($out.text, $($format)*);
    };
}

impl Svg<'_> {
    fn document(&mut self, plot: &Plot, [width, height]: [f64; 2]) {
        let (w, h) = (number(width), number(height));
        put!(
            self,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{w}\" height=\"{h}\" \
             viewBox=\"0 0 {w} {h}\" font-family=\"Ubuntu Light, Ubuntu, sans-serif\" \
             font-weight=\"300\">\n"
        );
        let name = if plot.title.is_empty() { plot.id } else { &plot.title };
        put!(self, "<title>{}</title>\n", escaped(name));
        let background = fill(self.palette.background);
        put!(self, "<rect width=\"{w}\" height=\"{h}\"{background}/>\n");
        let Area { left, top, width, height } = self.layout.area;
        let frame = format!(
            "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"",
            number(left),
            number(top),
            number(width),
            number(height)
        );
        put!(self, "<clipPath id=\"inside-{}\">{frame}/></clipPath>\n", plot.id);
        put!(self, "{frame}{}/>\n", fill(self.palette.plot_background));
        self.grid();
        put!(self, "<g clip-path=\"url(#inside-{})\">\n", plot.id);
        for layer in &plot.layers {
            put!(self, "<g class=\"{}-{}\">\n", plot.id, layer.id);
            for mark in &layer.marks {
                self.mark(mark);
            }
            put!(self, "</g>\n");
        }
        put!(self, "</g>\n");
        let line = stroke(self.palette.weak_text.with_opacity(0.55), 1.0);
        put!(self, "{frame} fill=\"none\"{line}/>\n");
        self.labels(plot);
        for entry in &self.layout.legend {
            self.entry(entry);
        }
        put!(self, "</svg>\n");
    }

    fn grid(&mut self) {
        let Area { left, top, width, height } = self.layout.area;
        let view = self.layout.view;
        let mut path = String::new();
        for tick in &self.layout.x_ticks {
            let x = number(self.layout.screen_from_data([tick.value, view.min[1]])[0]);
            let _ = write!(path, "M{x} {}v{}", number(top), number(height));
        }
        for tick in &self.layout.y_ticks {
            let y = number(self.layout.screen_from_data([view.min[0], tick.value])[1]);
            let _ = write!(path, "M{} {y}h{}", number(left), number(width));
        }
        put!(self, "<path d=\"{path}\"{}/>\n", stroke(self.palette.grid, 1.0));
    }

    /// Title, tick labels and axis labels.
    fn labels(&mut self, plot: &Plot) {
        let em = self.layout.em;
        let (text, weak) = (self.palette.text, self.palette.weak_text);
        let Area { left, top, width, height } = self.layout.area;
        let bottom = top + height;
        let view = self.layout.view;
        self.words(&plot.title, [left, self.layout.title_y], TITLE * em, text, Anchor::Start, "");
        for tick in &self.layout.x_ticks {
            let [x, _] = self.layout.screen_from_data([tick.value, view.min[1]]);
            let at = [x, bottom + 1.25 * em];
            self.words(&tick.label, at, TICK * em, weak, Anchor::Middle, "");
        }
        for tick in &self.layout.y_ticks {
            let [_, y] = self.layout.screen_from_data([view.min[0], tick.value]);
            let at = [left - 0.5 * em, y + CENTER * TICK * em];
            self.words(&tick.label, at, TICK * em, weak, Anchor::End, "");
        }
        let at = [left + width / 2.0, bottom + 2.9 * em];
        self.words(&plot.x.label, at, em, text, Anchor::Middle, "");
        let ticks = self.layout.y_ticks.iter().map(|tick| text_width(&tick.label, TICK * em));
        let at = [left - 1.2 * em - ticks.fold(0.0, f64::max), top + height / 2.0];
        let turn = format!(" transform=\"rotate(-90 {} {})\"", number(at[0]), number(at[1]));
        self.words(&plot.y.label, at, em, text, Anchor::Middle, &turn);
    }

    /// One line of text; `at` lies on its baseline.
    fn words(
        &mut self,
        text: &str,
        at: Point,
        size: f64,
        color: Color,
        anchor: Anchor,
        attributes: &str,
    ) {
        if text.is_empty() {
            return;
        }
        let anchor = match anchor {
            Anchor::Start => "",
            Anchor::Middle => " text-anchor=\"middle\"",
            Anchor::End => " text-anchor=\"end\"",
        };
        let (x, y, font_size) = (number(at[0]), number(at[1]), number(size));
        put!(
            self,
            "<text x=\"{x}\" y=\"{y}\" font-size=\"{font_size}\"{anchor}{}{attributes}>{}</text>\n",
            fill(color),
            spans(text, size)
        );
    }

    /// A legend entry: a sample of its layer's first mark, and its name.
    fn entry(&mut self, entry: &Entry) {
        let em = self.layout.em;
        let (color, y) = (entry.layer.color, entry.y);
        let (from, to) = ([entry.x, y], [entry.x + SWATCH * em, y]);
        let center = [entry.x + SWATCH * em / 2.0, y];
        match entry.layer.marks.iter().find(|mark| !matches!(mark, Mark::Text { .. })) {
            Some(Mark::Points { .. }) => self.circle(center, 0.28 * em, color),
            Some(Mark::Raster { .. }) if entry.layer.is_of_points() => {
                self.circle(center, 0.28 * em, color);
            }
            Some(Mark::Line { is_dashed, .. }) => self.path(&[from, to], 3.0, color, *is_dashed),
            Some(Mark::Arrow { .. }) => self.arrow(from, to, 2.0, color),
            _ => {
                let (x, y) = (number(from[0]), number(y - 0.4 * em));
                let (w, h) = (number(SWATCH * em), number(0.8 * em));
                put!(
                    self,
                    "<rect x=\"{x}\" y=\"{y}\" width=\"{w}\" height=\"{h}\" rx=\"2\"{}/>\n",
                    fill(color)
                );
            }
        }
        let at = [self.layout.entry_text_x(entry), y + CENTER * LEGEND * em];
        let color = self.palette.text;
        self.words(&entry.layer.label, at, LEGEND * em, color, Anchor::Start, "");
    }

    fn mark(&mut self, mark: &Mark) {
        let screen = |point: &Point| self.layout.screen_from_data(*point);
        let pixels = |size: f32| f64::from(size) * self.layout.unit;
        match mark {
            Mark::Points { points, radius, color } => {
                let radius = pixels(*radius);
                let points: Vec<Point> = points
                    .iter()
                    .map(screen)
                    .filter(|point| self.layout.contains(*point, radius))
                    .collect();
                self.points(&points, radius, *color);
            }
            Mark::Line { points, width, color, is_dashed } => {
                let points: Vec<Point> = points.iter().map(screen).collect();
                let is_finite = |point: &Point| point.iter().all(|v| v.is_finite());
                for piece in points.split(|point| !is_finite(point)) {
                    self.path(piece, pixels(*width), *color, *is_dashed);
                }
            }
            Mark::Polygon { points, fill: inside, stroke_width, stroke: outline } => {
                let points: Vec<Point> = points.iter().map(screen).collect();
                let Some(corners) = coordinates(&points) else { return };
                let outline = match stroke_width {
                    0.0 => String::new(),
                    width => stroke(*outline, pixels(*width)),
                };
                put!(self, "<path d=\"{corners}Z\"{}{outline}/>\n", fill(*inside));
            }
            Mark::Band { points, color } => {
                let upper = points.iter().map(|&[x, _, high]| screen(&[x, high]));
                let lower = points.iter().rev().map(|&[x, low, _]| screen(&[x, low]));
                let outline: Vec<Point> = upper.chain(lower).collect();
                let Some(corners) = coordinates(&outline) else { return };
                put!(self, "<path d=\"{corners}Z\"{}/>\n", fill(*color));
            }
            Mark::SideBand { points, color } => {
                let right = points.iter().map(|&[y, _, right]| screen(&[right, y]));
                let left = points.iter().rev().map(|&[y, left, _]| screen(&[left, y]));
                let outline: Vec<Point> = right.chain(left).collect();
                let Some(corners) = coordinates(&outline) else { return };
                put!(self, "<path d=\"{corners}Z\"{}/>\n", fill(*color));
            }
            Mark::Arrow { from, to, width, color } => {
                self.arrow(screen(from), screen(to), pixels(*width), *color);
            }
            Mark::Raster { bounds, picture } => self.raster(*bounds, picture),
            Mark::Text { at, offset, text, size, color, anchor } => {
                let [x, y] = screen(at);
                let at = [x + pixels(offset[0]), y + pixels(offset[1])];
                self.remark(at, text, pixels(*size), *color, *anchor);
            }
        }
    }

    /// Text among the data: with a halo, and moved inside where it would be cut off.
    fn remark(&mut self, [x, y]: Point, text: &str, size: f64, color: Color, anchor: Anchor) {
        if !(x.is_finite() && y.is_finite() && self.layout.contains([x, y], 2.0 * size)) {
            return;
        }
        let Area { left, top, width, height } = self.layout.area;
        let text_width = text_width(text, size);
        // Space that the text takes to the left of its place.
        let before = match anchor {
            Anchor::Start => 0.0,
            Anchor::Middle => text_width / 2.0,
            Anchor::End => text_width,
        };
        let inside = |low: f64, value: f64, high: f64| value.min(high).max(low);
        let x = inside(left + before + 4.0, x, left + width - text_width + before - 4.0);
        let y = inside(top + 0.7 * size, y, top + height - 0.7 * size);
        let halo = format!(
            "{} stroke-linejoin=\"round\" paint-order=\"stroke\"",
            stroke(self.palette.plot_background.with_opacity(0.85), 4.0)
        );
        self.words(text, [x, y + CENTER * size], size, color, anchor, &halo);
    }

    fn circle(&mut self, [x, y]: Point, radius: f64, color: Color) {
        let (x, y, r) = (number(x), number(y), number(radius));
        put!(self, "<circle cx=\"{x}\" cy=\"{y}\" r=\"{r}\"{}/>\n", fill(color));
    }

    fn points(&mut self, points: &[Point], radius: f64, color: Color) {
        if points.len() > MAX_DRAWN_POINTS
            && let Some(picture) = dots(points, radius, color, self.layout.area)
        {
            self.image(self.layout.area, &picture);
            return;
        }
        put!(self, "<g{}>\n", fill(color));
        let r = number(radius);
        for [x, y] in points {
            put!(self, "<circle cx=\"{}\" cy=\"{}\" r=\"{r}\"/>\n", number(*x), number(*y));
        }
        put!(self, "</g>\n");
    }

    fn path(&mut self, points: &[Point], width: f64, color: Color, is_dashed: bool) {
        let Some(path) = coordinates(points) else { return };
        let dashes = if is_dashed { " stroke-dasharray=\"7 5\"" } else { "" };
        let line = stroke(color, width);
        put!(self, "<path d=\"{path}\" fill=\"none\" stroke-linejoin=\"round\"{line}{dashes}/>\n");
    }

    /// Shaft and head as one shape, so that a translucent arrow is not darker where they meet.
    fn arrow(&mut self, from: Point, to: Point, width: f64, color: Color) {
        if !from.iter().chain(&to).all(|v| v.is_finite()) {
            return;
        }
        let to_f32 = |point: Point| point.map(|v| v as f32);
        let head = arrow_head(to_f32(from), to_f32(to), width as f32);
        let [tip, left, right] = head.map(|corner| corner.map(f64::from));
        let (dx, dy) = (to[0] - from[0], to[1] - from[1]);
        let length = dx.hypot(dy).max(f64::MIN_POSITIVE);
        let side = [-dy / length * width / 2.0, dx / length * width / 2.0];
        let neck = [f64::midpoint(left[0], right[0]), f64::midpoint(left[1], right[1])];
        let shifted = |p: Point, sign: f64| [p[0] + sign * side[0], p[1] + sign * side[1]];
        let corners = [
            shifted(from, 1.0),
            shifted(neck, 1.0),
            right,
            tip,
            left,
            shifted(neck, -1.0),
            shifted(from, -1.0),
        ];
        if let Some(path) = coordinates(&corners) {
            put!(self, "<path d=\"{path}Z\"{}/>\n", fill(color));
        }
    }

    fn raster(&mut self, bounds: Bounds, picture: &Picture) {
        let [left, bottom] = self.layout.screen_from_data(bounds.min);
        let [right, top] = self.layout.screen_from_data(bounds.max);
        let (width, height) = (right - left, bottom - top);
        if width > 0.0 && height > 0.0 {
            self.image(Area { left, top, width, height }, picture);
        }
    }

    fn image(&mut self, area: Area, picture: &Picture) {
        let Ok(bytes) = encode(picture) else { return };
        put!(
            self,
            "<image x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" preserveAspectRatio=\"none\" \
             href=\"data:image/png;base64,{}\"/>\n",
            number(area.left),
            number(area.top),
            number(area.width),
            number(area.height),
            base64::engine::general_purpose::STANDARD.encode(bytes)
        );
    }
}

/// From the baseline to the middle of digits and capitals, as a share of the font size.
const CENTER: f64 = 0.35;

/// A picture as PNG.
pub(super) fn encode(picture: &Picture) -> image::ImageResult<Vec<u8>> {
    let mut bytes = Vec::new();
    image::codecs::png::PngEncoder::new(&mut bytes).write_image(
        &picture.rgba,
        picture.width as u32,
        picture.height as u32,
        image::ExtendedColorType::Rgba8,
    )?;
    Ok(bytes)
}

/// Dots as a picture of the area.
fn dots(points: &[Point], radius: f64, color: Color, area: Area) -> Option<Picture> {
    let sides = [area.width, area.height];
    let whole = Bounds { min: [0.0; 2], max: sides };
    let size = cloud::pixels(whole, sides, POINTS_RESOLUTION).size.map(|side| side as u32);
    let mut pixmap = tiny_skia::Pixmap::new(size[0], size[1])?;
    let mut paint = tiny_skia::Paint::default();
    paint.set_color_rgba8(color.r, color.g, color.b, color.a);
    let circle = tiny_skia::PathBuilder::from_circle(0.0, 0.0, radius as f32)?;
    // The picture is stretched to the area, whose sides need not be whole pixels.
    let [scale_x, scale_y] =
        [f64::from(size[0]) / area.width, f64::from(size[1]) / area.height].map(|s| s as f32);
    for [x, y] in points {
        let (x, y) = ((x - area.left) as f32 * scale_x, (y - area.top) as f32 * scale_y);
        let transform = tiny_skia::Transform::from_row(scale_x, 0.0, 0.0, scale_y, x, y);
        pixmap.fill_path(&circle, &paint, tiny_skia::FillRule::Winding, transform, None);
    }
    Some(straight(&pixmap))
}

/// A rendered picture with straight alpha.
pub(super) fn straight(pixmap: &tiny_skia::Pixmap) -> Picture {
    let rgba = pixmap
        .pixels()
        .iter()
        .flat_map(|pixel| {
            let color = pixel.demultiply();
            [color.red(), color.green(), color.blue(), color.alpha()]
        })
        .collect();
    Picture { width: pixmap.width() as usize, height: pixmap.height() as usize, rgba }
}

/// The `d` of a path through points; `None` for less than two or anything that is not finite.
fn coordinates(points: &[Point]) -> Option<String> {
    if points.len() < 2 || !points.iter().flatten().all(|v| v.is_finite()) {
        return None;
    }
    let mut path = String::new();
    for (i, [x, y]) in points.iter().enumerate() {
        let command = if i == 0 { 'M' } else { 'L' };
        let _ = write!(path, "{command}{} {}", number(*x), number(*y));
    }
    Some(path)
}

/// At most two decimals: a hundredth of a pixel is more than anyone sees.
pub(super) fn number(value: f64) -> String {
    let text = format!("{value:.2}");
    let short = text.trim_end_matches('0').trim_end_matches('.');
    if short == "-0" { "0".to_owned() } else { short.to_owned() }
}

fn fill(color: Color) -> String {
    paint("fill", color)
}

fn stroke(color: Color, width: f64) -> String {
    format!("{} stroke-width=\"{}\"", paint("stroke", color), number(width))
}

fn paint(what: &str, Color { r, g, b, a }: Color) -> String {
    let color = format!(" {what}=\"#{r:02x}{g:02x}{b:02x}\"");
    match a {
        255 => color,
        _ => format!("{color} {what}-opacity=\"{}\"", number(f64::from(a) / 255.0)),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::png::{png, tree};
    use super::*;
    use crate::figures::colors::{ColorMap, Scale, Theme};
    use crate::figures::curves::{Marker, Series, curves};
    use crate::figures::{Axis, Layer, Spacing, bars, plane};
    use crate::model::{Density, Mixture};
    use crate::random::{Purpose, generator};

    fn mixture() -> Mixture {
        Mixture::new(
            &[0.5, 0.35, 0.15],
            &[[-1.2, 0.3], [1.4, -0.4], [0.6, 1.8]],
            &[[0.5, 0.25, 0.3], [0.25, -0.15, 0.6], [0.05, 0.02, 0.08]],
        )
        .unwrap()
    }

    fn example(theme: Theme) -> Plot {
        let (mixture, palette) = (mixture(), theme.palette());
        let bounds = Bounds { min: [-4.0, -3.0], max: [4.0, 3.0] };
        let raster = mixture.raster(bounds, 256, 192);
        let map = ColorMap::from_id("", theme);
        let train: Arc<[Point]> = mixture.sample(600, &mut generator(1, Purpose::Samples)).into();
        let layers = vec![
            plane::density(&raster, map, Scale::Linear, theme),
            plane::score_field(&mixture, bounds, 24, palette),
            plane::points("train", "Training data", train, palette.train, 2.0),
            plane::components(&mixture, palette),
        ];
        plane::plane("Mixture of 3 Gaussians, step 137", bounds, false, layers)
    }

    fn training(theme: Theme, spacing: Spacing) -> Plot {
        let palette = theme.palette();
        let curve = |label: &str, floor: f64, i: usize, is_dashed| Series {
            label: label.to_owned(),
            color: palette.categorical[i],
            is_dashed,
            points: (0..420)
                .map(f64::from)
                .map(|i| [i, floor + 3.0 * (-i / 40.0).exp() + 1e-6 * (i - 210.0).powi(2)])
                .collect(),
        };
        let series = [curve("Training", 1.0, 0, false), curve("Validation", 1.08, 1, true)];
        let best = Marker {
            x: 236.0,
            y: Some(1.09),
            label: "best step 236".to_owned(),
            color: palette.text,
        };
        let (x, y) =
            (Axis::new("Step", Spacing::Whole), Axis::new("NLL (nats per point)", spacing));
        curves("nll", "Negative log-likelihood", x, y, &series, &[best])
    }

    /// Every example figure in both themes.
    fn examples() -> Vec<(&'static str, Theme, Plot)> {
        let of = |theme| {
            [
                ("plane", theme, example(theme)),
                ("curves", theme, training(theme, Spacing::Linear)),
                ("log", theme, training(theme, Spacing::Logarithmic)),
                ("bars", theme, bars::weights(&mixture(), theme.palette())),
            ]
        };
        [of(Theme::Light), of(Theme::Dark)].concat()
    }

    #[test]
    fn figures_are_pictures_of_the_asked_size() {
        let folder = tempfile::tempdir().unwrap();
        for (name, theme, plot) in examples() {
            let palette = theme.palette();
            let svg = svg(&plot, [900.0, 640.0], palette);
            assert_eq!(svg, super::svg(&plot, [900.0, 640.0], palette), "{name}");
            let path = folder.path().join(format!("{name}-{theme:?}.png"));
            super::super::write_file(&path, &png(&svg, 1.5).unwrap()).unwrap();
            let picture = image::open(&path).unwrap().to_rgba8();
            assert_eq!(picture.dimensions(), (1350, 960), "{name}");
            let background = picture.get_pixel(0, 0).0;
            let expected = palette.background;
            assert_eq!(background, [expected.r, expected.g, expected.b, 255], "{name}");
            let drawn = picture.pixels().filter(|pixel| pixel.0 != background).count();
            assert!(drawn > 10_000, "{name} {theme:?}: {drawn}");
        }
    }

    #[test]
    fn labels_are_escaped_and_kept_as_text() {
        let mut plot = training(Theme::Light, Spacing::Linear);
        plot.title = "a < b & \"c\" > d\u{1}".to_owned();
        plot.layers[0].label = "<script>".to_owned();
        let svg = svg(&plot, [600.0, 400.0], Theme::Light.palette());
        assert!(svg.contains(">a &lt; b &amp; &quot;c&quot; &gt; d </text>"), "{svg}");
        assert!(svg.contains(">&lt;script&gt;</text>"));
        assert!(tree(&svg).is_ok());
    }

    #[test]
    fn nothing_that_is_not_finite_is_written() {
        let nan = f64::NAN;
        let color = Color::hex(0);
        let marks = vec![
            Mark::Points { points: Arc::from([[nan, 0.0], [1.0, 1.0]]), radius: 2.0, color },
            Mark::Line {
                points: vec![[0.0, 0.0], [1.0, f64::INFINITY], [nan, 1.0], [2.0, 1.0], [3.0, 1.0]],
                width: 1.0,
                color,
                is_dashed: false,
            },
            Mark::Arrow { from: [nan, 0.0], to: [1.0, 1.0], width: 1.0, color },
            Mark::Text {
                at: [nan, 1.0],
                offset: [0.0; 2],
                text: "lost".to_owned(),
                size: 12.0,
                color,
                anchor: Anchor::Middle,
            },
        ];
        let layer = Layer { id: "odd", label: "Odd".to_owned(), color, marks };
        let mut plot = training(Theme::Light, Spacing::Logarithmic);
        plot.layers.push(layer);
        for size in [[600.0, 400.0], [40.0, 30.0], [1.0, 1.0], [f32::NAN, 50.0]] {
            let svg = svg(&plot, size, Theme::Light.palette());
            assert!(
                !svg.contains("NaN") && !svg.contains("inf\"") && !svg.contains("lost"),
                "{size:?}"
            );
            assert!(tree(&svg).is_ok(), "{size:?}");
        }
        plot.layers.clear();
        assert!(tree(&svg(&plot, [600.0, 400.0], Theme::Light.palette())).is_ok());
    }

    #[test]
    fn crowds_of_points_become_one_picture() {
        let bounds = Bounds { min: [-4.0, -3.0], max: [4.0, 3.0] };
        let palette = Theme::Dark.palette();
        let document = |count| {
            let points = mixture().sample(count, &mut generator(1, Purpose::Samples));
            let layers = vec![plane::samples(points.into(), palette)];
            svg(&plane::plane("", bounds, false, layers), [900.0, 640.0], palette)
        };
        let (few, crowd) = (document(5000), document(50_000));
        assert_eq!(few.matches("<image").count(), 0);
        assert_eq!(crowd.matches("<image").count(), 1);
        // One circle remains in both: the legend's.
        assert_eq!(crowd.matches("<circle").count(), 1);
        assert!(few.matches("<circle").count() > 4900);
        assert!(crowd.len() < 1_500_000, "{}", crowd.len());
        // And where the window has made a picture of them already.
        let points: Arc<[Point]> =
            mixture().sample(50_000, &mut generator(1, Purpose::Samples)).into();
        let layer = cloud::cloud(&cloud::Cloud {
            id: "train",
            label: "Training data",
            points: &points,
            bounds,
            pixels: cloud::pixels(bounds, [900.0, 640.0], POINTS_RESOLUTION),
            color: palette.train,
            every: 1,
        });
        assert!(matches!(layer.marks[0], Mark::Raster { .. }));
        let plot = plane::plane("", bounds, false, vec![layer]);
        assert_eq!(svg(&plot, [900.0, 640.0], palette).matches("<circle").count(), 1);
    }

    #[test]
    fn numbers_are_short() {
        let check = |value, expected: &str| assert_eq!(number(value), expected);
        check(1.0, "1");
        check(0.125, "0.12");
        check(-0.001, "0");
        check(100.0, "100");
        check(-12.5, "-12.5");
    }
}
