//! Style: how large a figure is, in inches and points, and what it shows besides its plots.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::ExportError;
use crate::figures::{Palette, Theme};

/// How a sheet looks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "they are independent of each other")]
pub struct Style {
    /// In inches.
    pub width: f64,
    /// In inches; `None` for as high as what is on it asks for.
    pub height: Option<f64>,
    /// In which lengths are written.
    pub unit: Unit,
    /// Pixels for each inch of a PNG, and of the pictures of points in all formats.
    pub dpi: f64,
    /// Size of labels in points, 1/72 inch; numbers and captions are a little smaller.
    pub font_size: f64,
    /// On what it is drawn.
    pub background: Background,
    /// Panels side by side.
    pub columns: usize,
    /// True if panels of one kind have one range, and numbers at the outer ones only.
    pub shares_axes: bool,
    /// True for (a), (b), (c) … where there is more than one panel.
    pub has_letters: bool,
    /// True with a legend.
    pub has_legend: bool,
    /// True with a color bar, where colors stand for values.
    pub has_color_bar: bool,
    /// True with a caption.
    pub has_caption: bool,
}

/// On what a figure is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Background {
    /// Dark on white.
    Light,
    /// Light on black.
    Dark,
    /// Dark on whatever lies below.
    Transparent,
}

impl Background {
    /// All, in the order of menus.
    pub const ALL: [Background; 3] = [Background::Light, Background::Dark, Background::Transparent];

    /// Name in files and on the command line.
    #[must_use]
    pub fn id(self) -> &'static str {
        match self {
            Background::Light => "light",
            Background::Dark => "dark",
            Background::Transparent => "transparent",
        }
    }

    /// The background of that name.
    #[must_use]
    pub fn from_id(id: &str) -> Option<Background> {
        Background::ALL.into_iter().find(|background| background.id() == id)
    }

    /// The theme whose colors the plots of such a figure need.
    #[must_use]
    pub fn theme(self) -> Theme {
        if self == Background::Dark { Theme::Dark } else { Theme::Light }
    }
}

impl From<Theme> for Background {
    fn from(theme: Theme) -> Background {
        if theme == Theme::Dark { Background::Dark } else { Background::Light }
    }
}

/// A unit of length.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Unit {
    /// 72 points.
    Inch,
    /// 72/2.54 points.
    Centimeter,
}

impl Unit {
    /// Both.
    pub const ALL: [Unit; 2] = [Unit::Inch, Unit::Centimeter];

    /// As it is written behind a number.
    #[must_use]
    pub fn symbol(self) -> &'static str {
        match self {
            Unit::Inch => "in",
            Unit::Centimeter => "cm",
        }
    }

    /// How many of them an inch is.
    #[must_use]
    pub fn per_inch(self) -> f64 {
        match self {
            Unit::Inch => 1.0,
            Unit::Centimeter => 2.54,
        }
    }

    /// A length in points, as SVG wants it: `3.3in`.
    pub(super) fn written(self, points: f64) -> String {
        let text = format!("{:.4}", points / 72.0 * self.per_inch());
        format!("{}{}", text.trim_end_matches('0').trim_end_matches('.'), self.symbol())
    }
}

/// A length in inches from a number with its unit, `3.3in`, `8.4 cm`, `240 pt` or `60mm`; inches without one.
///
/// # Errors
/// A sentence that says what is wrong.
pub fn inches(text: &str) -> Result<f64, String> {
    let text = text.trim();
    let (number, unit) = text.split_at(text.trim_end_matches(|c: char| c.is_alphabetic()).len());
    let per_inch = match unit {
        "" | "in" => 1.0,
        "cm" => 2.54,
        "mm" => 25.4,
        "pt" => 72.0,
        _ => return Err(format!("\"{text}\": lengths are in in, cm, mm or pt")),
    };
    match number.trim().parse::<f64>() {
        Ok(number) if number.is_finite() => Ok(number / per_inch),
        _ => Err(format!("\"{text}\" is no length: write for instance 3.3in or 8.4cm")),
    }
}

/// A size that people need often.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Preset {
    /// A column of a journal with two of them.
    Column,
    /// The width of both.
    Columns,
    /// A slide, 1920 × 1080 pixels.
    Slide,
    /// A figure of a poster.
    Poster,
}

impl Preset {
    /// All, in the order of menus.
    pub const ALL: [Preset; 4] = [Preset::Column, Preset::Columns, Preset::Slide, Preset::Poster];

    /// Name in files and on the command line.
    #[must_use]
    pub fn id(self) -> &'static str {
        match self {
            Preset::Column => "column",
            Preset::Columns => "columns",
            Preset::Slide => "slide",
            Preset::Poster => "poster",
        }
    }

    /// Name on screen.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Preset::Column => "one column, 3.3 in",
            Preset::Columns => "two columns, 6.9 in",
            Preset::Slide => "16:9 slide",
            Preset::Poster => "poster, 24 in",
        }
    }

    /// The preset of that name.
    #[must_use]
    pub fn from_id(id: &str) -> Option<Preset> {
        Preset::ALL.into_iter().find(|preset| preset.id() == id)
    }

    /// Width and height in inches, dots per inch, and the font size in points.
    fn sizes(self) -> (f64, Option<f64>, f64, f64) {
        match self {
            Preset::Column => (3.3, None, 300.0, 8.0),
            Preset::Columns => (6.9, None, 300.0, 8.0),
            // 13⅓ × 7½ inches is what presentation programs call 16:9.
            Preset::Slide => (40.0 / 3.0, Some(7.5), 144.0, 20.0),
            Preset::Poster => (24.0, None, 150.0, 36.0),
        }
    }

    /// Gives a style the sizes of this preset; everything else stays.
    pub fn apply(self, style: &mut Style) {
        (style.width, style.height, style.dpi, style.font_size) = self.sizes();
    }

    /// The preset whose sizes a style has, if it has those of one.
    #[must_use]
    pub fn of(style: &Style) -> Option<Preset> {
        let sizes = (style.width, style.height, style.dpi, style.font_size);
        Preset::ALL.into_iter().find(|preset| preset.sizes() == sizes)
    }
}

impl Style {
    /// A frame of so many pixels with labels of so many, as films have it.
    #[must_use]
    pub fn of_screen(pixels: [u32; 2], font_size: f64, background: Background) -> Style {
        // A pixel of CSS is 1/96 inch, and 3/4 of a point.
        let [width, height] = pixels.map(|side| f64::from(side) / 96.0);
        let font_size = 0.75 * font_size;
        let height = Some(height);
        Style { width, height, dpi: 96.0, font_size, background, ..Style::of(Preset::Slide) }
    }

    /// The preset on a light page with everything that explains the figure but a caption.
    #[must_use]
    pub fn of(preset: Preset) -> Style {
        let (width, height, dpi, font_size) = preset.sizes();
        Style {
            width,
            height,
            unit: Unit::Inch,
            dpi,
            font_size,
            background: Background::Light,
            columns: if preset == Preset::Column { 2 } else { 3 },
            shares_axes: true,
            has_letters: true,
            has_legend: true,
            has_color_bar: true,
            has_caption: false,
        }
    }

    /// Pixels of a PNG from left to right and from top to bottom; what is on it decides about the latter if no height is
    /// given.
    #[must_use]
    pub fn pixels(&self) -> [Option<f64>; 2] {
        [Some(self.width), self.height].map(|side| side.map(|side| (side * self.dpi).round()))
    }

    /// Says what cannot be.
    ///
    /// # Errors
    /// [`ExportError::Style`] with what is wrong and what would be right.
    pub fn check(&self) -> Result<(), ExportError> {
        let check = |what: &'static str, value: f64, [low, high]: [f64; 2], unit: &'static str| {
            if (low..=high).contains(&value) {
                return Ok(());
            }
            let problem = format!("{value} {unit} is not possible: it takes {low} to {high}");
            Err(ExportError::Style { what, problem })
        };
        let inches = [0.5, 120.0];
        check("width", self.width, inches, "in")?;
        check("height", self.height.unwrap_or(1.0), inches, "in")?;
        check("resolution", self.dpi, [18.0, 2400.0], "dots per inch")?;
        check("font size", self.font_size, [2.0, 400.0], "points")
    }

    /// The colors of axes and words; without a background where there is none.
    pub(super) fn palette(&self) -> Cow<'static, Palette> {
        let palette = self.background.theme().palette();
        if self.background != Background::Transparent {
            return Cow::Borrowed(palette);
        }
        let clear = palette.background.with_opacity(0.0);
        Cow::Owned(Palette { background: clear, plot_background: clear, ..palette.clone() })
    }
}
