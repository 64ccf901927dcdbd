//! Colors: the two palettes, and color maps that turn a field into a picture.

#![expect(clippy::unreadable_literal, reason = "0xRRGGBB is how colors are read")]

use colorous::Gradient;
use serde::{Deserialize, Serialize};

use super::Picture;
use crate::model::Raster;

/// An sRGB color with straight alpha.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Color {
    /// Red.
    pub r: u8,
    /// Green.
    pub g: u8,
    /// Blue.
    pub b: u8,
    /// Opacity.
    pub a: u8,
}

impl Color {
    /// An opaque color from its hexadecimal form, `0xRRGGBB`.
    #[must_use]
    pub const fn hex(rgb: u32) -> Color {
        Color { r: (rgb >> 16) as u8, g: (rgb >> 8) as u8, b: rgb as u8, a: 255 }
    }

    /// The same color at an opacity from 0 to 1.
    #[must_use]
    pub fn with_opacity(self, opacity: f64) -> Color {
        Color { a: (opacity * 255.0).round() as u8, ..self }
    }
}

/// Light or dark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Theme {
    /// Dark on white, for paper and bright rooms.
    Light,
    /// Light on black, for projectors and evenings.
    Dark,
}

impl Theme {
    /// The colors of this theme.
    #[must_use]
    pub fn palette(self) -> &'static Palette {
        match self {
            Theme::Light => &LIGHT,
            Theme::Dark => &DARK,
        }
    }
}

/// A color for each role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Palette {
    /// Window and margins of a figure.
    pub background: Color,
    /// Inside of the axes.
    pub plot_background: Color,
    /// Headings and values.
    pub text: Color,
    /// Tick labels and hints.
    pub weak_text: Color,
    /// Grid lines.
    pub grid: Color,
    /// The one color that asks for attention: bars, chosen things.
    pub accent: Color,
    /// Training points.
    pub train: Color,
    /// Validation points.
    pub validation: Color,
    /// Points drawn from a model.
    pub samples: Color,
    /// Outlines of components.
    pub ellipse: Color,
    /// Arrows of a score field.
    pub score: Color,
    /// Eight colors that remain distinct without red or green vision: Okabe and Ito's order of hues, moved
    /// until each has a contrast of 3:1 on the plot background and all keep apart (see the tests).
    pub categorical: [Color; 8],
}

static LIGHT: Palette = Palette {
    background: Color::hex(0xffffff),
    plot_background: Color::hex(0xffffff),
    text: Color::hex(0x1b1f26),
    weak_text: Color::hex(0x555d6b),
    grid: Color::hex(0xe6e9ee),
    accent: Color::hex(0x224497),
    train: Color::hex(0x20262e),
    validation: Color::hex(0x007a59),
    samples: Color::hex(0xc02f9b),
    ellipse: Color::hex(0xc24e00),
    score: Color::hex(0x5a3fb0),
    categorical: [
        Color::hex(0x224497),
        Color::hex(0xb24f1a),
        Color::hex(0x1e776e),
        Color::hex(0xb58900),
        Color::hex(0xde32b8),
        Color::hex(0x398df1),
        Color::hex(0x713b1b),
        Color::hex(0x1f232a),
    ],
};

static DARK: Palette = Palette {
    background: Color::hex(0x1b1e24),
    plot_background: Color::hex(0x12141a),
    text: Color::hex(0xeef1f6),
    weak_text: Color::hex(0xa9b1be),
    grid: Color::hex(0x262a33),
    accent: Color::hex(0x4d9bff),
    train: Color::hex(0xe9edf3),
    validation: Color::hex(0x89aaff),
    samples: Color::hex(0x43e0a0),
    ellipse: Color::hex(0x56d4f0),
    score: Color::hex(0xd8f06a),
    categorical: [
        Color::hex(0x3583ff),
        Color::hex(0xca4a0c),
        Color::hex(0x20c798),
        Color::hex(0xff8c18),
        Color::hex(0xb35ca7),
        Color::hex(0xb4aefe),
        Color::hex(0xf9da4d),
        Color::hex(0xf2f4f7),
    ],
};

/// A way from "nothing" to "much" in colors. Each serves both themes: it is turned so that "nothing" is the
/// end nearer to the background.
pub struct ColorMap {
    /// Name in files.
    pub id: &'static str,
    /// Name on screen.
    pub label: &'static str,
    gradient: Gradient,
}

/// All color maps, the best for a lecture first. The first is the default of the dark theme.
pub static COLOR_MAPS: &[ColorMap] = &[
    ColorMap { id: "inferno", label: "Inferno", gradient: colorous::INFERNO },
    ColorMap { id: "viridis", label: "Viridis", gradient: colorous::VIRIDIS },
    ColorMap { id: "magma", label: "Magma", gradient: colorous::MAGMA },
    ColorMap { id: "cividis", label: "Cividis", gradient: colorous::CIVIDIS },
    ColorMap { id: "blues", label: "Blues", gradient: colorous::BLUES },
    ColorMap { id: "greens", label: "Greens", gradient: colorous::GREENS },
    ColorMap { id: "greys", label: "Greys", gradient: colorous::GREYS },
];

/// The share of a map that is used: its far end would swallow points and text drawn above.
const USED_SHARE: f64 = 0.85;

/// Values below this share of the largest fade into the background.
const FADED_SHARE: f64 = 0.12;

impl ColorMap {
    /// The map of that id; the theme's own if there is none.
    #[must_use]
    pub fn from_id(id: &str, theme: Theme) -> &'static ColorMap {
        let default = if theme == Theme::Dark { "inferno" } else { "blues" };
        let find = |id: &str| COLOR_MAPS.iter().find(|map| map.id == id);
        find(id).or_else(|| find(default)).unwrap_or(&COLOR_MAPS[0])
    }

    /// The color of `share`, from 0 for nothing to 1 for the largest value. Nothing is fully transparent.
    #[must_use]
    pub fn color(&self, share: f64, theme: Theme) -> Color {
        let share = if share.is_nan() { 0.0 } else { share.clamp(0.0, 1.0) };
        let ends = [0.0, 1.0].map(|t| luminance(opaque(self.gradient.eval_continuous(t))));
        let is_turned = (ends[0] < ends[1]) != (theme == Theme::Dark);
        let along = USED_SHARE * share;
        let color =
            opaque(self.gradient.eval_continuous(if is_turned { 1.0 - along } else { along }));
        let fade = (share / FADED_SHARE).min(1.0);
        color.with_opacity(fade * fade * (3.0 - 2.0 * fade))
    }
}

impl std::fmt::Debug for ColorMap {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ColorMap({})", self.id)
    }
}

/// How values become colors.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Scale {
    /// In proportion to the largest value.
    Linear,
    /// By the logarithm, from the largest value down this many powers of ten; 4 shows tails well.
    Logarithmic {
        /// Powers of ten.
        decades: f64,
    },
}

impl Scale {
    /// Where a value lies between nothing (0) and the largest (1). NaN counts as nothing.
    #[must_use]
    pub fn share(self, value: f64, max: f64) -> f64 {
        if value.is_nan() || value <= 0.0 || max <= 0.0 {
            return 0.0;
        }
        let share = match self {
            Scale::Linear => value / max,
            Scale::Logarithmic { decades } => 1.0 + (value / max).log10() / decades,
        };
        share.clamp(0.0, 1.0)
    }
}

/// Colors a field that is not negative, with the strongest color for `max`. Where it is zero (or NaN) the picture is
/// transparent, so that the empty plane is the plot's own background.
#[must_use]
pub fn rgba(raster: &Raster, max: f64, map: &ColorMap, scale: Scale, theme: Theme) -> Picture {
    let table: [[u8; 4]; 256] = std::array::from_fn(|i| {
        let Color { r, g, b, a } = map.color(i as f64 / 255.0, theme);
        [r, g, b, a]
    });
    let mut rgba = vec![0; 4 * raster.values.len()];
    let pixels = rgba.as_chunks_mut::<4>().0.iter_mut().zip(&raster.values);
    match scale {
        Scale::Linear => {
            for (pixel, &value) in pixels {
                *pixel = table[usize::from(level(scale.share(value, max)))];
            }
        }
        Scale::Logarithmic { decades } => {
            let levels = logarithmic_levels(decades);
            for (pixel, &value) in pixels {
                // What is no share counts as nothing, as in `Scale::share`.
                let share = if max > 0.0 { (value / max).min(1.0) } else { 0.0 };
                let below = leading_bits(1.0).wrapping_sub(leading_bits(share)) as usize;
                let level = levels.get(below).filter(|_| value > 0.0);
                *pixel = table[usize::from(level.copied().unwrap_or(0))];
            }
        }
    }
    Picture { width: raster.width, height: raster.height, rgba }
}

/// Which of 256 colors a share has. Not `round`, which is a call on most machines.
fn level(share: f64) -> u8 {
    (share * 255.0 + 0.5) as u8
}

/// Exponent and first ten bits of the fraction: positive numbers in steps of a thousandth.
fn leading_bits(value: f64) -> u64 {
    value.to_bits() >> (52 - LEADING)
}

const LEADING: u32 = 10;

/// Which color a share has on a logarithmic scale, by how far its leading bits are below those of 1: a logarithm for
/// every pixel would take longer than its density.
fn logarithmic_levels(decades: f64) -> Vec<u8> {
    let octaves = (decades * std::f64::consts::LOG2_10).clamp(0.0, 1000.0);
    let scale = Scale::Logarithmic { decades };
    (0..=(octaves + 1.0) as u64 * (1 << LEADING))
        .map(|below| f64::from_bits((leading_bits(1.0) - below) << (52 - LEADING)))
        .map(|share| level(scale.share(share * (1.0 + 0.5 / f64::from(1 << LEADING)), 1.0)))
        .collect()
}

fn opaque(color: colorous::Color) -> Color {
    Color { r: color.r, g: color.g, b: color.b, a: 255 }
}

/// Red, green and blue as amounts of light, each from 0 to 1.
fn linear_light(color: Color) -> [f64; 3] {
    [color.r, color.g, color.b].map(|channel| {
        let value = f64::from(channel) / 255.0;
        if value <= 0.040_45 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
    })
}

/// Relative luminance, WCAG 2.2; from 0 (black) to 1 (white).
fn luminance(color: Color) -> f64 {
    let [r, g, b] = linear_light(color);
    0.2126 * r + 0.7152 * g + 0.0722 * b
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Bounds;

    const THEMES: [Theme; 2] = [Theme::Light, Theme::Dark];

    /// Contrast ratio, WCAG 2.2: from 1 (equal) to 21 (black on white).
    fn contrast(a: Color, b: Color) -> f64 {
        let (a, b) = (luminance(a), luminance(b));
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    #[test]
    fn everything_stands_out_from_its_background() {
        assert!((contrast(Color::hex(0), Color::hex(0xffffff)) - 21.0).abs() < 1e-9);
        for theme in THEMES {
            let palette = theme.palette();
            let below = palette.plot_background;
            for (i, color) in palette.categorical.into_iter().enumerate() {
                assert!(contrast(color, below) >= 3.0, "{theme:?} categorical {i}");
            }
            let Palette { accent, train, validation, samples, ellipse, score, .. } =
                palette.clone();
            for color in [accent, train, validation, samples, ellipse, score] {
                assert!(contrast(color, below) >= 4.5, "{theme:?} {color:?}");
            }
            for below in [palette.background, below] {
                assert!(contrast(palette.text, below) >= 12.0, "{theme:?} text");
                assert!(contrast(palette.weak_text, below) >= 6.0, "{theme:?} weak text");
            }
        }
    }

    /// As seen without red (protan) or green (deutan) receptors; Machado et al. (2009), severity 1.
    const VISIONS: [[[f64; 3]; 3]; 3] = [
        [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]],
        [
            [0.152_286, 1.052_583, -0.204_868],
            [0.114_503, 0.786_281, 0.099_216],
            [-0.003_882, -0.048_116, 1.051_998],
        ],
        [
            [0.367_322, 0.860_646, -0.227_968],
            [0.280_085, 0.672_501, 0.047_413],
            [-0.011_820, 0.042_940, 0.968_881],
        ],
    ];

    /// Perceptual coordinates; Ottosson (2020), Oklab.
    fn oklab([r, g, b]: [f64; 3]) -> [f64; 3] {
        let l = (0.412_221_47 * r + 0.536_332_54 * g + 0.051_445_99 * b).cbrt();
        let m = (0.211_903_5 * r + 0.680_699_55 * g + 0.107_396_96 * b).cbrt();
        let s = (0.088_302_46 * r + 0.281_718_84 * g + 0.629_978_7 * b).cbrt();
        [
            0.210_454_26 * l + 0.793_617_79 * m - 0.004_072_05 * s,
            1.977_998_5 * l - 2.428_592_21 * m + 0.450_593_71 * s,
            0.025_904_04 * l + 0.782_771_77 * m - 0.808_675_77 * s,
        ]
    }

    #[test]
    fn categories_differ_without_red_or_green_vision() {
        for theme in THEMES {
            for vision in VISIONS {
                let seen = theme.palette().categorical.map(|color| {
                    let light = linear_light(color);
                    oklab(vision.map(|row| {
                        row.iter().zip(light).map(|(m, v)| m * v).sum::<f64>().clamp(0.0, 1.0)
                    }))
                });
                for (i, a) in seen.iter().enumerate() {
                    for (j, b) in seen.iter().enumerate().skip(i + 1) {
                        let distance = (0..3).map(|k| (a[k] - b[k]).powi(2)).sum::<f64>().sqrt();
                        assert!(distance > 0.09, "{theme:?}: {i} and {j}, {distance}");
                    }
                }
            }
        }
    }

    #[test]
    fn maps_lead_from_the_background_to_the_other_end() {
        for theme in THEMES {
            let below = luminance(theme.palette().plot_background);
            for map in COLOR_MAPS {
                assert_eq!(map.color(0.0, theme).a, 0, "{}", map.id);
                assert_eq!(map.color(f64::NAN, theme).a, 0, "{}", map.id);
                let lights: Vec<f64> =
                    [0.2, 0.6, 1.0].map(|t| luminance(map.color(t, theme))).to_vec();
                let is_leaving = lights.windows(2).all(|pair| {
                    let step = pair[1] - pair[0];
                    if theme == Theme::Dark { step > 0.0 } else { step < 0.0 }
                });
                assert!(is_leaving, "{} {theme:?} {lights:?} from {below}", map.id);
                assert_eq!(ColorMap::from_id(map.id, theme).id, map.id);
            }
        }
        assert_eq!(ColorMap::from_id("?", Theme::Light).id, "blues");
    }

    #[test]
    fn fields_of_any_values_can_be_colored() {
        let bounds = Bounds { min: [0.0; 2], max: [1.0; 2] };
        let map = &COLOR_MAPS[0];
        let values = vec![0.0, 1e-9, 2.0, f64::NAN, f64::INFINITY, f64::NEG_INFINITY];
        let raster = Raster { bounds, width: 3, height: 2, values };
        for scale in [Scale::Linear, Scale::Logarithmic { decades: 4.0 }] {
            let picture = rgba(&raster, raster.max(), map, scale, Theme::Dark);
            let alphas: Vec<u8> = picture.rgba.iter().skip(3).step_by(4).copied().collect();
            assert_eq!(alphas, [0, 0, 255, 0, 255, 0], "{scale:?}");
            let empty = Raster { values: vec![0.0; 6], ..raster.clone() };
            assert!(
                rgba(&empty, 0.0, map, scale, Theme::Light)
                    .rgba
                    .iter()
                    .skip(3)
                    .step_by(4)
                    .all(|&a| a == 0)
            );
        }
        // Colors on the logarithmic scale are looked up: never more than one beside the exact one.
        let values: Vec<f64> = (0..5000).map(|i| (-f64::from(i) / 400.0).exp()).collect();
        let raster = Raster { bounds, width: 50, height: 100, values };
        for decades in [0.5, 4.0, 12.0] {
            let scale = Scale::Logarithmic { decades };
            let picture = rgba(&raster, raster.max(), map, scale, Theme::Dark);
            let near = |i: i32| map.color(f64::from(i.clamp(0, 255)) / 255.0, Theme::Dark);
            for (value, got) in raster.values.iter().zip(picture.rgba.as_chunks::<4>().0) {
                let exact = (255.0 * scale.share(*value, 1.0)).round() as i32;
                let close = (exact - 1..=exact + 1).map(near);
                let is_close = close.map(|c| [c.r, c.g, c.b, c.a]).any(|color| color == *got);
                assert!(is_close, "{decades} decades, {value}: {got:?}");
            }
        }
        let decade = Scale::Logarithmic { decades: 4.0 }.share(0.1, 1.0);
        assert!((decade - 0.75).abs() < 1e-12);
        assert!(Scale::Linear.share(1.0, f64::MIN_POSITIVE).is_finite());
    }
}
