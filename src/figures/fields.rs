//! Fields: what is shown of a density on the plane besides itself, and which color says what.

#![expect(clippy::unreadable_literal, reason = "0xRRGGBB is how colors are read")]

use std::sync::Arc;

use super::tone::swatch;
use super::{Color, ColorMap, Layer, Mark, Picture, Theme};
use crate::model::{Field, Point, Symmetric};
use crate::objectives::Term;

/// What is shown of a density at every place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quantity {
    /// p(x).
    Density,
    /// log p(x), in nats.
    LogDensity,
    /// ½‖s(x)‖² with s = ∇ₓ log p.
    Norm,
    /// tr ∇s(x).
    Trace,
    /// tr ∇s(x) + ½‖s(x)‖², of which exact score matching is the mean.
    Term,
}

impl Quantity {
    /// All, in the order of menus.
    pub const ALL: [Quantity; 5] =
        [Quantity::Density, Quantity::LogDensity, Quantity::Norm, Quantity::Trace, Quantity::Term];

    /// Its name below the canvas.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Quantity::Density => "density",
            Quantity::LogDensity => "log density",
            Quantity::Norm => "½‖s‖²",
            Quantity::Trace => "tr ∇s",
            Quantity::Term => "tr ∇s + ½‖s‖²",
        }
    }

    /// Its name in legends of figures.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Quantity::Density => "Density p(x)",
            Quantity::LogDensity => "Log density log p(x)",
            Quantity::Norm => "½‖s(x)‖²",
            Quantity::Trace => "tr ∇s(x)",
            Quantity::Term => "tr ∇s(x) + ½‖s(x)‖²",
        }
    }

    /// What it says, in a sentence.
    #[must_use]
    pub fn help(self) -> &'static str {
        match self {
            Quantity::Density => "The model's density p(x) as a field of color.",
            Quantity::LogDensity => "log p(x), in nats: what likelihood adds up over the points.",
            Quantity::Norm => {
                "Half the squared length of the score: zero at modes, large in tails."
            }
            Quantity::Trace => {
                "The divergence of the score, the Laplacian of log p: below zero where the density curves down."
            }
            Quantity::Term => {
                "What a point at each place would add to the loss of exact score matching: blue lowers it."
            }
        }
    }

    /// The next one in the list, or the one before; round and round.
    #[must_use]
    pub fn next(self, is_forwards: bool) -> Quantity {
        let count = Quantity::ALL.len();
        let place = Quantity::ALL.iter().position(|other| *other == self).unwrap_or(0);
        Quantity::ALL[(place + if is_forwards { 1 } else { count - 1 }) % count]
    }

    /// Its value, from log density, score and Hessian at a place.
    #[must_use]
    pub fn value(self, log_density: f64, score: Point, hessian: Symmetric) -> f64 {
        let term = Term::of(score, hessian);
        match self {
            Quantity::Density => log_density.exp(),
            Quantity::LogDensity => log_density,
            Quantity::Norm => term.norm,
            Quantity::Trace => term.trace,
            Quantity::Term => term.total(),
        }
    }

    /// Its values at the cells of a field, in their order.
    #[must_use]
    pub fn values(self, field: &Field) -> Vec<f64> {
        let cells = field.log_density.iter().zip(&field.score).zip(&field.hessian);
        cells
            .map(|((&log_density, &score), &hessian)| self.value(log_density, score, hessian))
            .collect()
    }

    /// The shade for values of it: clipped where few or uninteresting ones would take all colors. `None` without finite
    /// values.
    #[must_use]
    pub fn shade(self, values: &[f64]) -> Option<Shade> {
        let sorted = few_sorted(values);
        let (&lowest, &highest) = (sorted.first()?, sorted.last()?);
        let at = |share: f64| sorted[((sorted.len() - 1) as f64 * share).round() as usize];
        let [low, high] = match self {
            Quantity::Density => [0.0, highest],
            Quantity::LogDensity => [lowest.max(highest - DEEPEST), highest],
            // Tails would take all colors otherwise: they rise without bound, and a window shows much of them.
            Quantity::Norm => [0.0, rounded(at(0.9))],
            Quantity::Trace | Quantity::Term => {
                // As far above zero as the components reach below it; where none is in view, as far as most do.
                let deepest = -1.2 * at(0.01);
                let limit = if deepest > 0.0 { deepest } else { at(0.9) };
                let limit = rounded(limit);
                [-limit, limit]
            }
        };
        let is_signed = matches!(self, Quantity::Trace | Quantity::Term);
        let is_rooted = is_signed || self == Quantity::Norm;
        let (has_lower, has_higher) = (lowest < low, highest > high);
        Some(Shade { low, high, has_lower, has_higher, is_signed, is_rooted })
    }
}

/// Nats below the highest log density that have colors: e⁻¹² is nothing on any scale.
const DEEPEST: f64 = 12.0;

/// Values that a shade is made from, at most.
const MOST_VALUES: usize = 8192;

/// Some of the finite values, evenly spread, in their order by size.
fn few_sorted(values: &[f64]) -> Vec<f64> {
    // Odd, or it would look at the same columns of every row.
    let every = (values.len() / MOST_VALUES) | 1;
    let finite = values.iter().copied().step_by(every).filter(|value| value.is_finite());
    let mut sorted: Vec<f64> = finite.collect();
    sorted.sort_by(f64::total_cmp);
    sorted
}

/// Upwards to two digits.
fn rounded(limit: f64) -> f64 {
    let limit = limit.max(1e-12);
    let unit = 10_f64.powf(limit.log10().floor() - 1.0);
    (limit / unit - 1e-9).ceil() * unit
}

/// Which color stands for which value of a field: from nothing, which is transparent, to much; or to both sides of zero.
#[derive(Debug, Clone, Copy, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "they are independent of each other")]
pub struct Shade {
    /// Lower values have its color, too.
    pub low: f64,
    /// Higher values have its color, too.
    pub high: f64,
    /// True if there are lower values.
    pub has_lower: bool,
    /// True if there are higher values.
    pub has_higher: bool,
    /// True for two hues, below and above a zero in the middle.
    pub is_signed: bool,
    /// True if colors go by the root of the way from zero, which shows what is near it.
    pub is_rooted: bool,
}

impl Shade {
    /// The colors of points' terms: zero is in the middle, and all but the largest twentieth have colors of their own.
    #[must_use]
    pub fn of_terms(totals: &[f64]) -> Option<Shade> {
        let sizes: Vec<f64> = totals.iter().map(|total| total.abs()).collect();
        let sorted = few_sorted(&sizes);
        let limit = rounded(*sorted.get((0.95 * sorted.len() as f64) as usize)?);
        Some(Shade {
            low: -limit,
            high: limit,
            has_lower: totals.iter().any(|total| *total < -limit),
            has_higher: totals.iter().any(|total| *total > limit),
            is_signed: true,
            is_rooted: true,
        })
    }

    /// The same colors over other values.
    #[must_use]
    pub fn over(self, values: &[f64]) -> Shade {
        let has_lower = values.iter().any(|value| *value < self.low);
        let has_higher = values.iter().any(|value| *value > self.high);
        Shade { has_lower, has_higher, ..self }
    }

    /// Where a value lies on the color bar, from 0 to 1. NaN lies at nothing.
    #[must_use]
    pub fn share(&self, value: f64) -> f64 {
        let size = self.high - self.low;
        let rooted = |way: f64| if self.is_rooted { way.sqrt() } else { way };
        if self.is_signed {
            let way = if size > 0.0 { (2.0 * value / size).clamp(-1.0, 1.0) } else { 0.0 };
            let way = if way.is_nan() { 0.0 } else { way };
            return 0.5 + 0.5 * way.signum() * rooted(way.abs());
        }
        let way = if size > 0.0 { ((value - self.low) / size).clamp(0.0, 1.0) } else { 0.0 };
        if way.is_nan() { 0.0 } else { rooted(way) }
    }

    /// The value at a place on the color bar; undoes [`Shade::share`].
    #[must_use]
    pub fn value(&self, share: f64) -> f64 {
        let squared = |way: f64| if self.is_rooted { way * way.abs() } else { way };
        if self.is_signed {
            return squared(2.0 * share - 1.0) * self.high;
        }
        self.low + squared(share) * (self.high - self.low)
    }

    /// The color at a place on the color bar, as a field that lies below all else. Where nothing is, it is transparent.
    #[must_use]
    pub fn color_at(&self, share: f64, map: &ColorMap, theme: Theme) -> Color {
        if !self.is_signed {
            return map.color(share, theme);
        }
        let way = 2.0 * share - 1.0;
        hue(way, theme).with_opacity((1.5 * way.abs()).min(1.0) * SIGNED_OPACITY)
    }

    /// The opaque color of a single point.
    #[must_use]
    pub fn point_color(&self, value: f64, theme: Theme) -> Color {
        let way = 2.0 * self.share(value) - 1.0;
        mixed(neutral(theme), hue(way, theme), (2.5 * way.abs()).min(1.0))
    }

    /// A few places on the color bar and the values there, as they are written.
    #[must_use]
    pub fn marks(&self) -> [(f64, String); 3] {
        let text = |share: f64| {
            let sign = match share {
                0.0 if self.has_lower => "≤ ",
                1.0 if self.has_higher => "≥ ",
                _ => "",
            };
            format!("{sign}{}", number(self.value(share)))
        };
        [0.0, 0.5, 1.0].map(|share| (share, text(share)))
    }

    /// The colors of a few values, as the legend of an exported figure.
    #[must_use]
    pub fn legend(&self, quantity: Quantity, map: &ColorMap, theme: Theme) -> Vec<Layer> {
        let marks = self.marks().into_iter().enumerate();
        let layer = |(i, (share, text)): (usize, (f64, String))| {
            let label = if i == 0 { format!("{}: {text}", quantity.label()) } else { text };
            swatch("shade", label, self.color_at(share, map, theme))
        };
        marks.map(layer).collect()
    }
}

/// How much of the strongest color of a signed field covers the background, so that points above stay legible.
const SIGNED_OPACITY: f64 = 0.62;

/// A value in three or four digits.
#[must_use]
pub fn number(value: f64) -> String {
    let text = match value.abs() {
        0.0 => "0".to_owned(),
        size if !(1e-3..1e5).contains(&size) => format!("{value:.2e}"),
        size if size >= 100.0 => format!("{value:.0}"),
        size if size >= 10.0 => format!("{value:.1}"),
        size if size >= 0.1 => format!("{value:.2}"),
        _ => format!("{value:.4}"),
    };
    text.replace('-', "−")
}

/// Values that are added up, with equally many digits behind the point, so that what is read adds up, too.
#[must_use]
pub fn alike(values: &[f64]) -> Vec<String> {
    let largest = values.iter().fold(0.0, |largest: f64, value| largest.max(value.abs()));
    if !(1e-3..1e7).contains(&largest) {
        return values.iter().copied().map(number).collect();
    }
    let decimals = (3.0 - largest.log10().floor()).clamp(0.0, 6.0) as usize;
    let text = |value: &f64| {
        let text = format!("{value:.decimals$}");
        // What is rounded to zero has no sign.
        let is_zero = !text.contains(|c: char| ('1'..='9').contains(&c));
        if is_zero { text.replace('-', "") } else { text.replace('-', "−") }
    };
    values.iter().map(text).collect()
}

/// Between both hues: a point whose term is zero.
fn neutral(theme: Theme) -> Color {
    let palette = theme.palette();
    mixed(palette.weak_text, palette.plot_background, 0.4)
}

/// Blue below zero and orange above, the stronger the further: told apart without red or green vision, and from each
/// other's lightness by the side of the legend.
#[must_use]
pub fn hue(way: f64, theme: Theme) -> Color {
    let [near, far] = match (way < 0.0, theme) {
        (true, Theme::Dark) => [0x2457b8, 0x4fa3ff],
        (false, Theme::Dark) => [0xa8480c, 0xff9a3c],
        (true, Theme::Light) => [0x8ab6ee, 0x1f5fbf],
        (false, Theme::Light) => [0xf5b673, 0xc4560a],
    };
    mixed(Color::hex(near), Color::hex(far), way.abs().min(1.0))
}

/// The color a share of the way from one to another.
fn mixed(from: Color, to: Color, share: f64) -> Color {
    let channel =
        |a: u8, b: u8| (f64::from(a) + share * (f64::from(b) - f64::from(a))).round() as u8;
    Color { r: channel(from.r, to.r), g: channel(from.g, to.g), b: channel(from.b, to.b), a: 255 }
}

/// A field of color for the density's place, below all other layers.
#[must_use]
pub fn layer(
    quantity: Quantity,
    field: &Field,
    values: &[f64],
    shade: &Shade,
    map: &ColorMap,
    theme: Theme,
) -> Layer {
    let table: [[u8; 4]; 256] = std::array::from_fn(|i| {
        let Color { r, g, b, a } = shade.color_at(i as f64 / 255.0, map, theme);
        [r, g, b, a]
    });
    let rgba = values.iter().flat_map(|&value| table[(255.0 * shade.share(value) + 0.5) as usize]);
    let picture = Picture { width: field.width, height: field.height, rgba: rgba.collect() };
    Layer {
        id: "density",
        label: quantity.label().to_owned(),
        color: shade.color_at(if shade.is_signed { 1.0 } else { 0.7 }, map, theme),
        marks: vec![Mark::Raster { bounds: field.bounds, picture: Arc::new(picture) }],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Bounds, Density, Mixture};

    const BOUNDS: Bounds = Bounds { min: [-3.0, -2.5], max: [3.5, 3.0] };

    fn mixture() -> Mixture {
        let covariances = [[0.3, 0.1, 0.2], [0.5, -0.3, 0.4]];
        Mixture::new(&[0.6, 0.4], &[[0.0, 0.0], [1.5, -1.0]], &covariances).unwrap()
    }

    #[test]
    fn fields_are_central_differences_of_the_log_density() {
        let mixture = mixture();
        let field = mixture.field(BOUNDS, 21, 17);
        let h = 1e-4;
        for i in 0..field.score.len() {
            let [x, y] = field.place(i);
            let f = |x, y| mixture.log_density([x, y]);
            let around = [f(x + h, y), f(x - h, y), f(x, y + h), f(x, y - h)];
            let trace = (around.iter().sum::<f64>() - 4.0 * f(x, y)) / (h * h);
            let slope = [around[0] - around[1], around[2] - around[3]].map(|d| d / (2.0 * h));
            let norm = 0.5 * (slope[0].powi(2) + slope[1].powi(2));
            for (quantity, expected) in [
                (Quantity::Density, f(x, y).exp()),
                (Quantity::LogDensity, f(x, y)),
                (Quantity::Norm, norm),
                (Quantity::Trace, trace),
                (Quantity::Term, trace + norm),
            ] {
                let got = quantity.values(&field)[i];
                let tolerance = 1e-4 * (1.0 + expected.abs() + trace.abs());
                assert!((got - expected).abs() < tolerance, "{quantity:?} {got} {expected}");
            }
        }
    }

    #[test]
    fn shades_say_what_they_clip_and_have_zero_in_the_middle() {
        let field = mixture().field(BOUNDS, 40, 40);
        for quantity in Quantity::ALL {
            let values = quantity.values(&field);
            let shade = quantity.shade(&values).unwrap();
            for (share, text) in shade.marks() {
                let is_clipped = text.starts_with('≤') || text.starts_with('≥');
                let is_beyond = values.iter().any(|&value| {
                    (share == 0.0 && value < shade.low) || (share == 1.0 && value > shade.high)
                });
                // A shade looks at some of the values only.
                assert!(!is_clipped || is_beyond, "{quantity:?} {share} {text}");
                let value = shade.value(share);
                assert!((shade.share(value) - share).abs() < 1e-9, "{quantity:?} {share}");
            }
            let is_signed = matches!(quantity, Quantity::Trace | Quantity::Term);
            assert_eq!(shade.is_signed, is_signed, "{quantity:?}");
            if is_signed {
                assert_eq!(shade.share(0.0), 0.5);
                assert!(shade.share(-1.0) < 0.5 && 0.5 < shade.share(1.0));
            }
            assert!(values.iter().all(|value| (0.0..=1.0).contains(&shade.share(*value))));
            assert_eq!(quantity.shade(&[f64::NAN]), None);
        }
        assert_eq!([0.0312, 1.0, 12.1, 1234.0].map(rounded), [0.032, 1.0, 13.0, 1300.0]);
    }

    #[test]
    fn nothing_is_transparent_and_both_sides_of_zero_differ() {
        let field = mixture().field(BOUNDS, 30, 20);
        for theme in [Theme::Light, Theme::Dark] {
            let map = ColorMap::from_id("", theme);
            for quantity in Quantity::ALL {
                let values = quantity.values(&field);
                let shade = quantity.shade(&values).unwrap();
                let layer = layer(quantity, &field, &values, &shade, map, theme);
                let Mark::Raster { picture, bounds } = &layer.marks[0] else { panic!("{layer:?}") };
                assert_eq!((picture.rgba.len(), *bounds), (4 * 30 * 20, BOUNDS));
                for (value, pixel) in values.iter().zip(picture.rgba.as_chunks::<4>().0) {
                    let exact = shade.color_at(shade.share(*value), map, theme);
                    let is_near = |a: u8, b: u8| a.abs_diff(b) <= 8;
                    assert!(is_near(pixel[3], exact.a), "{quantity:?} {value} {pixel:?} {exact:?}");
                    if shade.is_signed && pixel[3] > 128 {
                        assert_eq!(pixel[2] > pixel[0], *value < 0.0, "{quantity:?} {value}");
                    }
                }
                assert_eq!(shade.legend(quantity, map, theme).len(), 3);
            }
            let shade = Shade::of_terms(&[-2.0, 0.0, 1.0, f64::NAN]).unwrap();
            assert_eq!((shade.low, shade.high), (-2.0, 2.0));
            let [low, none, high] = [-2.0, 0.0, 2.0].map(|value| shade.point_color(value, theme));
            assert!(low.b > low.r && high.r > high.b && none == neutral(theme));
        }
        assert_eq!(Shade::of_terms(&[]), None);
    }

    #[test]
    fn quantities_go_round() {
        for quantity in Quantity::ALL {
            assert_eq!(quantity.next(true).next(false), quantity);
        }
        let round = Quantity::ALL.iter().fold(Quantity::Norm, |quantity, _| quantity.next(true));
        assert_eq!(round, Quantity::Norm);
    }

    #[test]
    fn numbers_have_few_digits() {
        let texts = [0.0, -12.345, 0.5, 1234.4, 0.012_34, -3e7].map(number);
        assert_eq!(texts, ["0", "−12.3", "0.50", "1234", "0.0123", "−3.00e7"]);
        assert_eq!(alike(&[-100.31, 51.3, -49.01]), ["−100.3", "51.3", "−49.0"]);
        assert_eq!(alike(&[0.25, -1e-9]), ["0.2500", "0.0000"]);
        assert_eq!(alike(&[-2e9, 1.0]), ["−2.00e9", "1.00"]);
    }
}
