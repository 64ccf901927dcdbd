//! Color bar: which color of a field stands for which value.

use super::shade::Shade;
use super::ticks::ticks;
use super::tone::{Tone, color_of};
use super::{Axis, Color, ColorMap, Layer, Scale, Spacing, Theme};

/// A strip of colors from the lowest value to the highest, and a few values beside it.
#[derive(Debug, Clone, PartialEq)]
pub struct ColorBar {
    /// What the colors say.
    pub label: String,
    /// At least two, evenly spread from the lowest value to the highest.
    pub colors: Vec<Color>,
    /// Places on the bar, from 0 to 1, and the values there as they are written.
    pub marks: Vec<(f64, String)>,
}

/// Colors of a bar; between them others are mixed.
const COLORS: u16 = 65;

impl ColorBar {
    /// The bar of a density whose largest value on the grid is `highest`. Equal colors are equal densities.
    #[must_use]
    pub fn of_density(highest: f64, map: &ColorMap, scale: Scale, theme: Theme) -> ColorBar {
        let highest = if highest.is_finite() && highest > 0.0 { highest } else { 1.0 };
        let (spacing, low) = match scale {
            Scale::Linear => (Spacing::Linear, 0.0),
            Scale::Logarithmic { decades } => {
                (Spacing::Logarithmic, highest * 10_f64.powf(-decades))
            }
        };
        let marks = ticks(&Axis::new("", spacing), [low, highest], 5);
        ColorBar {
            label: "Density p(x)".to_owned(),
            colors: colors(|share| map.color(share, theme)),
            marks: (marks.into_iter())
                .map(|tick| (scale.share(tick.value, highest), tick.label))
                .collect(),
        }
    }

    /// The bar of a field.
    #[must_use]
    pub fn of_shade(label: &str, shade: &Shade, map: &ColorMap, theme: Theme) -> ColorBar {
        ColorBar {
            label: label.to_owned(),
            colors: colors(|share| shade.color_at(share, map, theme)),
            marks: shade.marks().into(),
        }
    }

    /// The bar of a map whose colors go by a tone and are that opaque.
    #[must_use]
    pub fn of_tone(label: &str, tone: &Tone, opacity: f64) -> ColorBar {
        ColorBar {
            label: label.to_owned(),
            colors: colors(|share| color_of(share).with_opacity(opacity)),
            marks: tone.marks(5),
        }
    }

    /// True for a legend entry that says what a bar says.
    #[must_use]
    pub fn replaces(layer: &Layer) -> bool {
        ["shade", "tone"].contains(&layer.id)
    }
}

/// The colors of a bar, evenly spread.
fn colors(color: impl Fn(f64) -> Color) -> Vec<Color> {
    (0..COLORS).map(|i| color(f64::from(i) / f64::from(COLORS - 1))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_of_a_density_lie_at_the_color_of_their_value() {
        let map = ColorMap::from_id("", Theme::Light);
        let bar = ColorBar::of_density(0.47, map, Scale::Linear, Theme::Light);
        let texts: Vec<&str> = bar.marks.iter().map(|mark| &*mark.1).collect();
        assert_eq!(texts, ["0", "0.1", "0.2", "0.3", "0.4"]);
        assert!((bar.marks[2].0 - 0.2 / 0.47).abs() < 1e-12);
        let scale = Scale::Logarithmic { decades: 4.0 };
        let bar = ColorBar::of_density(1.0, map, scale, Theme::Dark);
        let at = |text: &str| bar.marks.iter().find(|mark| mark.1 == text).unwrap().0;
        assert!((at("10⁻²") - 0.5).abs() < 1e-9 && (at("1") - 1.0).abs() < 1e-9);
        assert_eq!(bar.colors[0].a, 0);
        assert_eq!(bar.colors.len(), usize::from(COLORS));
    }

    #[test]
    fn a_density_that_is_nowhere_has_a_bar_all_the_same() {
        for highest in [0.0, f64::NAN, f64::INFINITY] {
            let map = ColorMap::from_id("", Theme::Light);
            let bar = ColorBar::of_density(highest, map, Scale::Linear, Theme::Light);
            assert!(bar.marks.iter().all(|mark| (0.0..=1.0).contains(&mark.0)), "{highest}");
        }
    }
}
