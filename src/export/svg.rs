//! A plot as SVG: text stays text, crowds of points and densities become embedded pictures.

use std::fmt::Write;

use super::layout::{Area, Entry, LEGEND, Layout, SWATCH, TICK};
use super::marks::{CENTER, fill, number, stroke};
use super::text::{escaped, spans};
use crate::figures::{Anchor, Color, Mark, Palette, Plot};
use crate::model::Point;

/// Pixels of a picture of points for each pixel of the figure.
pub const POINTS_RESOLUTION: f64 = 2.0;

/// The plot as an SVG document of this size in pixels. Equal plots give equal bytes.
#[must_use]
pub fn svg(plot: &Plot, size: [f32; 2], palette: &Palette) -> String {
    let size = size.map(|side| f64::from(side).max(1.0));
    let layout = Layout::new(plot, size);
    let [width, height] = size.map(number);
    let mut text = begin([&width, &height], [&width, &height]);
    let name = if plot.title.is_empty() { plot.id } else { &plot.title };
    let background = fill(palette.background);
    let _ = write!(
        text,
        "<title>{}</title>\n<rect width=\"{width}\" height=\"{height}\"{background}/>\n",
        escaped(name)
    );
    let mut out = Svg { text, layout: &layout, palette };
    out.panel();
    out.text + "</svg>\n"
}

/// The root element: its size with units, and the size in the units of everything inside.
pub(super) fn begin([width, height]: [&str; 2], [columns, rows]: [&str; 2]) -> String {
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {columns} {rows}\" font-family=\"Ubuntu Light, Ubuntu, sans-serif\" \
         font-weight=\"300\">\n"
    )
}

/// Width and height of the rectangle inside the axes, where the plot is drawn at this size in pixels.
#[must_use]
pub fn inside(plot: &Plot, size: [f32; 2]) -> [f64; 2] {
    let Area { width, height, .. } =
        Layout::new(plot, size.map(|side| f64::from(side).max(1.0))).area;
    [width, height]
}

/// The document so far, and what every part of it needs.
pub(super) struct Svg<'a> {
    pub text: String,
    pub layout: &'a Layout<'a>,
    pub palette: &'a Palette,
}

/// Appends formatted text; writing to a `String` cannot fail.
macro_rules! put {
    ($out:expr, $($format:tt)*) => {
        let _ = write!($out.text, $($format)*);
    };
}
pub(super) use put;

impl Svg<'_> {
    /// One plot with its axes, title and legend.
    pub(super) fn panel(&mut self) {
        let (plot, name) = (self.layout.plot, &self.layout.name);
        let Area { left, top, width, height } = self.layout.area;
        let frame = format!(
            "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"",
            number(left),
            number(top),
            number(width),
            number(height)
        );
        put!(self, "<clipPath id=\"inside-{name}\">{frame}/></clipPath>\n");
        if self.palette.plot_background.a > 0 {
            put!(self, "{frame}{}/>\n", fill(self.palette.plot_background));
        }
        self.grid();
        put!(self, "<g clip-path=\"url(#inside-{name})\">\n");
        for layer in &plot.layers {
            put!(self, "<g class=\"{}-{}\">\n", plot.id, layer.id);
            for mark in &layer.marks {
                self.mark(mark);
            }
            put!(self, "</g>\n");
        }
        put!(self, "</g>\n");
        let line = stroke(self.palette.weak_text.with_opacity(0.55), self.layout.unit);
        put!(self, "{frame} fill=\"none\"{line}/>\n");
        self.labels();
        for entry in &self.layout.legend {
            self.entry(entry);
        }
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
        if !path.is_empty() {
            let line = stroke(self.palette.grid, self.layout.unit);
            put!(self, "<path d=\"{path}\"{line}/>\n");
        }
    }

    /// Title, tick labels and axis labels.
    fn labels(&mut self) {
        let em = self.layout.em;
        let (text, weak) = (self.palette.text, self.palette.weak_text);
        let Area { left, top, width, height } = self.layout.area;
        let bottom = top + height;
        let view = self.layout.view;
        let [title_x, mut title_y] = self.layout.title_at;
        for line in &self.layout.title {
            let size = self.layout.title_size;
            self.words(line, [title_x, title_y], size, text, Anchor::Start, "");
            title_y += TITLE_LINE * size;
        }
        for tick in self.layout.x_ticks.iter().filter(|_| self.layout.labels_x) {
            let [x, _] = self.layout.screen_from_data([tick.value, view.min[1]]);
            let at = [x, bottom + 1.25 * em];
            self.words(&tick.label, at, TICK * em, weak, Anchor::Middle, "");
        }
        for tick in self.layout.y_ticks.iter().filter(|_| self.layout.labels_y) {
            let [_, y] = self.layout.screen_from_data([view.min[0], tick.value]);
            let at = [left - 0.5 * em, y + CENTER * TICK * em];
            self.words(&tick.label, at, TICK * em, weak, Anchor::End, "");
        }
        let at = [left + width / 2.0, bottom + 2.9 * em];
        self.words(self.layout.x_label, at, em, text, Anchor::Middle, "");
        let at = [left - 1.2 * em - self.layout.y_ticks_width(), top + height / 2.0];
        self.upright(self.layout.y_label, at, em);
    }

    /// A line of text from below to above, with its middle at a place.
    pub(super) fn upright(&mut self, text: &str, at: Point, size: f64) {
        let turn = format!(" transform=\"rotate(-90 {} {})\"", number(at[0]), number(at[1]));
        self.words(text, at, size, self.palette.text, Anchor::Middle, &turn);
    }

    /// One line of text; `at` lies on its baseline.
    pub(super) fn words(
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
        let (em, unit) = (self.layout.em, self.layout.unit);
        let (color, y) = (entry.layer.color, entry.y);
        let (from, to) = ([entry.x, y], [entry.x + SWATCH * em, y]);
        let center = [entry.x + SWATCH * em / 2.0, y];
        match entry.layer.marks.iter().find(|mark| !matches!(mark, Mark::Text { .. })) {
            Some(Mark::Points { .. }) => self.circle(center, 0.28 * em, color),
            Some(Mark::Raster { .. }) if entry.layer.is_of_points() => {
                self.circle(center, 0.28 * em, color);
            }
            Some(Mark::Line { is_dashed, .. }) => {
                self.path(&[from, to], 3.0 * unit, color, *is_dashed);
            }
            Some(Mark::Arrow { .. }) => self.arrow(from, to, 2.0 * unit, color),
            _ => {
                let (x, y) = (number(from[0]), number(y - 0.4 * em));
                let (w, h) = (number(SWATCH * em), number(0.8 * em));
                put!(
                    self,
                    "<rect x=\"{x}\" y=\"{y}\" width=\"{w}\" height=\"{h}\" rx=\"{}\"{}/>\n",
                    number(2.0 * unit),
                    fill(color)
                );
            }
        }
        let at = [self.layout.entry_text_x(entry), y + CENTER * LEGEND * em];
        let color = self.palette.text;
        self.words(&entry.layer.label, at, LEGEND * em, color, Anchor::Start, "");
    }
}

/// From a line of a title to the next, as a share of the font size.
pub(super) const TITLE_LINE: f64 = 1.25;

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
