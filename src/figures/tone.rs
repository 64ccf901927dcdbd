//! Tone: how the values of a map become colors, and which color says what.

use super::ticks::ticks;
use super::{Axis, Color, Layer, Mark, Spacing};

/// From the lowest value, which is bright, to the highest, which is dark: what is minimized shines where it is best.
///
/// Viridis (Smith and van der Walt 2015): equal steps look equal, also without red or green vision and in print.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tone {
    /// The value of the brightest color; lower ones have it too.
    pub low: f64,
    /// The value of the darkest color; higher ones have it too.
    pub high: f64,
    /// True if there are lower values.
    pub has_lower: bool,
    /// True if there are higher values.
    pub has_higher: bool,
    /// True if colors go by the root of the way up: evenly in the distance from the bottom of a bowl.
    pub is_rooted: bool,
}

/// Of the highest values, this share has the darkest color: a few far up would make all others equally bright.
const HIGHEST: f64 = 0.1;

/// Values further below the lowest twentieth than this many times what lies between it and the highest tenth have the
/// brightest color: an objective may fall without bound near a collapse.
const DEEPEST: f64 = 2.0;

impl Tone {
    /// A tone for these values; what is not finite is left out. `None` without values.
    #[must_use]
    pub fn of(values: impl Iterator<Item = f64>, is_rooted: bool) -> Option<Tone> {
        let mut values: Vec<f64> = values.filter(|value| value.is_finite()).collect();
        values.sort_by(f64::total_cmp);
        let (&lowest, &highest) = (values.first()?, values.last()?);
        let at = |share: f64| values[((values.len() - 1) as f64 * share).round() as usize];
        let (twentieth, high) = (at(0.05), at(1.0 - HIGHEST));
        let low = lowest.max(twentieth - DEEPEST * (high - twentieth));
        // Where most are equal, all that differ are seen.
        let high = if high > low { high } else { highest };
        Some(Tone { low, high, has_lower: lowest < low, has_higher: highest > high, is_rooted })
    }

    /// An even tone from the lowest value to the highest, or to `least` above the lowest. `None` if they are not finite.
    #[must_use]
    pub fn between([low, high]: [f64; 2], least: f64) -> Option<Tone> {
        let high = high.max(low + least);
        let tone = Tone { low, high, has_lower: false, has_higher: false, is_rooted: false };
        low.is_finite().then_some(tone)
    }

    /// Where a value lies between the brightest color (0) and the darkest (1).
    #[must_use]
    pub fn share(&self, value: f64) -> f64 {
        let size = self.high - self.low;
        let way = if size > 0.0 { ((value - self.low) / size).clamp(0.0, 1.0) } else { 0.0 };
        if self.is_rooted { way.sqrt() } else { way }
    }

    /// The value at a share; undoes [`Tone::share`].
    #[must_use]
    pub fn value(&self, share: f64) -> f64 {
        let way = if self.is_rooted { share * share } else { share };
        self.low + way * (self.high - self.low)
    }

    /// The color of a value.
    #[must_use]
    pub fn color(&self, value: f64) -> Color {
        color_of(self.share(value))
    }

    /// A few values evenly spread over the colors, as they are written: as many digits as tell them apart.
    #[must_use]
    pub fn marks(&self, count: usize) -> Vec<(f64, String)> {
        let last = count.saturating_sub(1).max(1);
        let shares = (0..count).map(|i| i as f64 / last as f64);
        let size = (self.high - self.low).max(1e-12);
        let decimals = (2.0 - size.log10().floor()).clamp(0.0, 6.0) as usize;
        let text = |share: f64| {
            let sign = match share {
                0.0 if self.has_lower => "≤ ",
                1.0 if self.has_higher => "≥ ",
                _ => "",
            };
            format!("{sign}{:.decimals$}", self.value(share)).replace('-', "−")
        };
        shares.map(|share| (share, text(share))).collect()
    }

    /// Values at which contours are drawn: evenly spread over the colors.
    #[must_use]
    pub fn levels(&self, count: usize) -> Vec<f64> {
        if self.high > self.low {
            (1..count).map(|i| self.value(i as f64 / count as f64)).collect()
        } else {
            Vec::new()
        }
    }

    /// The colors of a few values at an opacity, as the legend of an exported figure.
    #[must_use]
    pub fn legend(&self, name: &str, opacity: f64) -> Vec<Layer> {
        let marks = self.marks(5).into_iter().enumerate();
        let layer = |(i, (share, text)): (usize, (f64, String))| {
            let label = if i == 0 { format!("{name}: {text}") } else { text };
            swatch("tone", label, color_of(share).with_opacity(opacity))
        };
        marks.map(layer).collect()
    }
}

/// A color and what it stands for, as a layer that is a legend entry and nothing else.
#[must_use]
pub fn swatch(id: &'static str, label: String, color: Color) -> Layer {
    // Layers without marks have no entry.
    let nothing =
        Mark::Polygon { points: Vec::new(), fill: color, stroke_width: 0.0, stroke: color };
    Layer { id, label, color, marks: vec![nothing] }
}

/// The color at a share of the way from bright to dark.
#[must_use]
pub fn color_of(share: f64) -> Color {
    let colorous::Color { r, g, b } =
        colorous::VIRIDIS.eval_continuous(1.0 - share.clamp(0.0, 1.0));
    Color { r, g, b, a: 255 }
}

/// A value in as few digits as an axis over this range would write it with, and two more.
#[must_use]
pub fn reading(value: f64, [low, high]: [f64; 2]) -> String {
    let step = ticks(&Axis::new("", Spacing::Linear), [low, high], 5);
    let size = step.windows(2).map(|pair| pair[1].value - pair[0].value).next().unwrap_or(1.0);
    let decimals = (2.0 - size.abs().log10().floor()).clamp(0.0, 9.0) as usize;
    format!("{value:.decimals$}").replace('-', "−")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colors_go_from_bright_to_dark_and_back_to_their_values() {
        for is_rooted in [false, true] {
            let tone = Tone::of((0..=100).map(f64::from), is_rooted).unwrap();
            assert_eq!((tone.low, tone.high), (0.0, 90.0));
            assert!(tone.has_higher && !tone.has_lower);
            for value in [0.0, 1.0, 40.0, 90.0] {
                assert!((tone.value(tone.share(value)) - value).abs() < 1e-9, "{value}");
            }
            assert_eq!(tone.share(95.0), 1.0);
            let light = |value| {
                let Color { r, g, b, .. } = tone.color(value);
                u32::from(r) + u32::from(g) + u32::from(b)
            };
            assert!(light(0.0) > light(30.0) && light(30.0) > light(90.0));
            let levels = tone.levels(10);
            assert_eq!(levels.len(), 9);
            assert!(levels.iter().all(|level| 0.0 < *level && *level < 90.0));
        }
    }

    #[test]
    fn what_falls_without_bound_and_what_is_not_finite_hides_nothing() {
        let values = (0..100).map(f64::from).chain([-1e9, f64::NAN, f64::INFINITY, 1e9]);
        let tone = Tone::of(values, true).unwrap();
        assert!(tone.has_lower && tone.has_higher);
        assert!(tone.low > -200.0 && tone.high < 100.0, "{tone:?}");
        assert!(tone.marks(3)[0].1.starts_with("≤ −"), "{:?}", tone.marks(3));
        assert_eq!(Tone::of([f64::NAN].into_iter(), true), None);
        assert_eq!(Tone::between([f64::INFINITY, f64::NEG_INFINITY], 1.0), None);
        let noise = Tone::between([2.5, 2.5 + 1e-9], 0.005).unwrap();
        assert!(noise.share(2.5 + 1e-9) < 1e-6, "noise has no colors of its own");
        let two = Tone::between([2.5, 3.5], 0.005).unwrap();
        assert_eq!((two.share(2.5), two.share(3.0), two.share(3.5)), (0.0, 0.5, 1.0));
        let one = Tone::of([2.5; 9].into_iter(), false).unwrap();
        assert_eq!((one.share(2.5), one.levels(5).len()), (0.0, 0));
        // Nine of ten alike: the tenth is seen all the same.
        let most = Tone::of([1.0; 19].into_iter().chain([2.0]), false).unwrap();
        assert_eq!((most.share(1.0), most.share(2.0)), (0.0, 1.0));
    }

    #[test]
    fn numbers_have_the_digits_that_tell_them_apart() {
        let tone =
            Tone { low: 1.25, high: 1.35, has_lower: false, has_higher: true, is_rooted: false };
        let texts: Vec<String> = tone.marks(3).into_iter().map(|mark| mark.1).collect();
        assert_eq!(texts, ["1.250", "1.300", "≥ 1.350"]);
        assert_eq!(reading(-0.123_456, [-1.0, 1.0]), "−0.123");
        assert_eq!(reading(1234.5, [0.0, 10_000.0]), "1234");
    }
}
