//! Shade: how the values of a field become colors, on both sides of zero or from nothing to much.

#![expect(clippy::unreadable_literal, reason = "0xRRGGBB is how colors are read")]

use super::tone::swatch;
use super::{Color, ColorMap, Layer, Theme};

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
    pub fn legend(&self, name: &str, map: &ColorMap, theme: Theme) -> Vec<Layer> {
        let marks = self.marks().into_iter().enumerate();
        let layer = |(i, (share, text)): (usize, (f64, String))| {
            let label = if i == 0 { format!("{name}: {text}") } else { text };
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
pub(super) fn neutral(theme: Theme) -> Color {
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

/// Values that a shade is made from, at most.
const MOST_VALUES: usize = 8192;

/// Some of the finite values, evenly spread, in their order by size.
pub(super) fn few_sorted(values: &[f64]) -> Vec<f64> {
    // Odd, or it would look at the same columns of every row.
    let every = (values.len() / MOST_VALUES) | 1;
    let finite = values.iter().copied().step_by(every).filter(|value| value.is_finite());
    let mut sorted: Vec<f64> = finite.collect();
    sorted.sort_by(f64::total_cmp);
    sorted
}

/// Upwards to two digits.
pub(super) fn rounded(limit: f64) -> f64 {
    let limit = limit.max(1e-12);
    let unit = 10_f64.powf(limit.log10().floor() - 1.0);
    (limit / unit - 1e-9).ceil() * unit
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_few_digits() {
        let texts = [0.0, -12.345, 0.5, 1234.4, 0.012_34, -3e7].map(number);
        assert_eq!(texts, ["0", "−12.3", "0.50", "1234", "0.0123", "−3.00e7"]);
        assert_eq!(alike(&[-100.31, 51.3, -49.01]), ["−100.3", "51.3", "−49.0"]);
        assert_eq!(alike(&[0.25, -1e-9]), ["0.2500", "0.0000"]);
        assert_eq!(alike(&[-2e9, 1.0]), ["−2.00e9", "1.00"]);
    }

    #[test]
    fn terms_below_and_above_zero_have_hues_of_their_own() {
        for theme in [Theme::Light, Theme::Dark] {
            let shade = Shade::of_terms(&[-2.0, 0.0, 1.0, f64::NAN]).unwrap();
            assert_eq!((shade.low, shade.high), (-2.0, 2.0));
            let [low, none, high] = [-2.0, 0.0, 2.0].map(|value| shade.point_color(value, theme));
            assert!(low.b > low.r && high.r > high.b && none == neutral(theme));
        }
        assert_eq!(Shade::of_terms(&[]), None);
        assert_eq!([0.0312, 1.0, 12.1, 1234.0].map(rounded), [0.032, 1.0, 13.0, 1300.0]);
    }
}
