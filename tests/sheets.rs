//! Figures for print and slides: sizes, bytes, text that stays text, and what does not fit.
//!
//! `SCORESCOPE_WRITE_FIGURES=DIR` keeps what the tests draw, to be looked at.

#[path = "support/pdf.rs"]
mod pdf;

use std::sync::Arc;

use scorescope::export::sheet::{FileFormat, Sheet};
use scorescope::export::style::{Background, Preset, Style, Unit, inches};
use scorescope::figures::color_bar::ColorBar;
use scorescope::figures::curves::{Series, curves};
use scorescope::figures::{Axis, ColorMap, Plot, Scale, Spacing, Theme, cloud, plane};
use scorescope::model::{Bounds, Density, Mixture, Point};
use scorescope::random::{Purpose, generator};

fn mixture() -> Mixture {
    Mixture::new(
        &[0.5, 0.35, 0.15],
        &[[-1.2, 0.3], [1.4, -0.4], [0.6, 1.8]],
        &[[0.5, 0.25, 0.3], [0.25, -0.15, 0.6], [0.05, 0.02, 0.08]],
    )
    .unwrap()
}

const BOUNDS: Bounds = Bounds { min: [-4.0, -3.0], max: [4.0, 3.0] };

/// A density with points, components and scores, and its color bar.
fn canvas(title: &str, theme: Theme, count: usize) -> (Plot, ColorBar) {
    let (mixture, palette) = (mixture(), theme.palette());
    let raster = mixture.raster(BOUNDS, 256, 192);
    let map = ColorMap::from_id("", theme);
    let train: Arc<[Point]> = mixture.sample(count, &mut generator(1, Purpose::Samples)).into();
    let layers = vec![
        plane::density(&raster, map, Scale::Linear, theme),
        plane::points("train", "Training data", train, palette.train, 1.3),
        plane::score_field(&mixture, BOUNDS, 24, palette),
        plane::components(&mixture, palette),
    ];
    let bar = ColorBar::of_density(raster.max(), map, Scale::Linear, theme);
    (plane::plane(title, BOUNDS, false, layers), bar)
}

fn training(title: &str, theme: Theme, floor: f64) -> Plot {
    let palette = theme.palette();
    let curve = |label: &str, above: f64, i: usize, is_dashed| Series {
        label: label.to_owned(),
        color: palette.categorical[i],
        is_dashed,
        points: (0..420)
            .map(f64::from)
            .map(|i| [i, floor + above + 3.0 * (-i / 40.0).exp()])
            .collect(),
    };
    let series = [curve("Training", 0.0, 0, false), curve("Validation", 0.08, 1, true)];
    let (x, y) =
        (Axis::new("Step", Spacing::Whole), Axis::new("NLL (nats per point)", Spacing::Linear));
    curves("nll", title, x, y, &series, &[])
}

const CAPTION: &str = "Half moons (10,000 points, noise 0.1, seed 0), K = 8 with full covariances, means from k-means \
     (seed 3), exact score matching with Adam (learning rate 0.01): step 137 of 420.";

/// A race of five runs in three columns.
fn race(background: Background, preset: Preset) -> Sheet {
    let theme = background.theme();
    let panels =
        ["EM", "NLL by Adam", "Exact score matching", "Sliced score matching", "Denoising"]
            .map(|name| canvas(&format!("{name}, step 137"), theme, 600).0);
    let mut sheet = Sheet::new(panels.into(), Style::of(preset));
    sheet.style.background = background;
    sheet.style.has_caption = true;
    sheet.style.columns = 3;
    sheet.color_bar = Some(canvas("", theme, 10).1);
    CAPTION.clone_into(&mut sheet.caption);
    sheet
}

fn single(background: Background, preset: Preset) -> Sheet {
    let (plot, bar) = canvas("EM, K = 3, step 137", background.theme(), 600);
    let mut sheet = Sheet::new(vec![plot], Style::of(preset));
    sheet.style.background = background;
    sheet.color_bar = Some(bar);
    CAPTION.clone_into(&mut sheet.caption);
    sheet.style.has_caption = true;
    sheet
}

fn curve_grid(columns: usize) -> Sheet {
    let panels =
        [1.0, 1.4, 0.8, 2.0].map(|floor| training(&format!("Board {floor}"), Theme::Light, floor));
    let mut sheet = Sheet::new(panels.into(), Style::of(Preset::Column));
    sheet.style.columns = columns;
    sheet
}

/// Keeps a picture for people, where they ask for it.
fn keep(name: &str, sheet: &Sheet) {
    let Ok(folder) = std::env::var("SCORESCOPE_WRITE_FIGURES") else { return };
    for format in FileFormat::ALL {
        let path = format!("{folder}/{name}.{}", format.extension());
        std::fs::write(path, sheet.bytes(format).unwrap()).unwrap();
    }
}

#[test]
fn pictures_for_people() {
    for preset in Preset::ALL {
        keep(&format!("single-{}", preset.id()), &single(Background::Light, preset));
        keep(&format!("race-{}", preset.id()), &race(Background::Light, preset));
    }
    keep("single-dark", &single(Background::Dark, Preset::Column));
    keep("race-dark", &race(Background::Dark, Preset::Slide));
    keep("single-transparent", &single(Background::Transparent, Preset::Column));
    keep("curves", &curve_grid(2));
    let mut sheet = curve_grid(2);
    sheet.style.shares_axes = false;
    sheet.style.width = 6.9;
    keep("curves-own", &sheet);
}

/// Everything on a sheet that is seldom together.
fn all_kinds() -> Vec<(&'static str, Sheet)> {
    vec![
        ("single", single(Background::Light, Preset::Column)),
        ("dark", single(Background::Dark, Preset::Slide)),
        ("transparent", single(Background::Transparent, Preset::Columns)),
        ("race", race(Background::Light, Preset::Columns)),
        ("curves", curve_grid(2)),
    ]
}

#[test]
fn the_same_sheet_gives_the_same_bytes() {
    for (name, sheet) in all_kinds() {
        for format in FileFormat::ALL {
            let again = sheet.clone().bytes(format).unwrap();
            assert!(sheet.bytes(format).unwrap() == again, "{name} as {format:?}");
        }
    }
}

/// The text between two others.
fn between<'a>(text: &'a str, before: &str, after: &str) -> &'a str {
    let from = text.find(before).unwrap_or_else(|| panic!("no {before}")) + before.len();
    &text[from..from + text[from..].find(after).unwrap()]
}

/// Pixels, and pixels a meter from the chunk pHYs of a PNG (W3C PNG, third edition, 11.3.4.3).
fn png_sizes(png: &[u8]) -> ([u32; 2], [u32; 2]) {
    let number = |at: usize| u32::from_be_bytes(png[at..at + 4].try_into().unwrap());
    let dots = png.windows(4).position(|window| window == b"pHYs").unwrap() + 4;
    assert_eq!(png[dots + 8], 1, "the unit is the meter");
    ([number(16), number(20)], [number(dots), number(dots + 4)])
}

#[test]
fn sizes_are_those_that_were_asked_for() {
    let mut sheet = single(Background::Light, Preset::Column);
    sheet.style.height = Some(2.5);
    let text = |sheet: &Sheet| sheet.svg().unwrap();
    let svg = text(&sheet);
    assert_eq!(between(&svg, "width=\"", "\""), "3.3in");
    assert_eq!(between(&svg, "height=\"", "\""), "2.5in");
    assert_eq!(between(&svg, "viewBox=\"", "\""), "0 0 237.6 180");
    sheet.style.unit = Unit::Centimeter;
    let svg = text(&sheet);
    assert_eq!(between(&svg, "width=\"", "\""), "8.382cm");
    assert_eq!(between(&svg, "height=\"", "\""), "6.35cm");
    let png = sheet.bytes(FileFormat::Png).unwrap();
    // 3.3 and 2.5 inches at 300 dots each, 300 / 0.0254 in a meter.
    assert_eq!(png_sizes(&png), ([990, 750], [11811, 11811]));
    let pdf = sheet.bytes(FileFormat::Pdf).unwrap();
    let pdf = String::from_utf8_lossy(&pdf);
    let page: Vec<f64> = between(&pdf, "/MediaBox", "]")
        .trim_start_matches([' ', '['])
        .split_whitespace()
        .map(|number| number.parse().unwrap())
        .collect();
    for (got, expected) in page.iter().zip([0.0, 0.0, 237.6, 180.0]) {
        assert!((got - expected).abs() < 0.01, "{page:?}");
    }
}

#[test]
fn presets_have_the_widths_that_they_are_named_for() {
    for (preset, width, pixels) in [
        (Preset::Column, 3.3, 990),
        (Preset::Columns, 6.9, 2070),
        (Preset::Slide, 40.0 / 3.0, 1920),
        (Preset::Poster, 24.0, 3600),
    ] {
        let sheet = curve_grid(2);
        let sheet = Sheet { style: Style { columns: 2, ..Style::of(preset) }, ..sheet };
        assert_eq!(Preset::of(&sheet.style), Some(preset));
        assert_eq!((Preset::from_id(preset.id()), sheet.style.width), (Some(preset), width));
        let ([columns, rows], _) = png_sizes(&sheet.bytes(FileFormat::Png).unwrap());
        assert_eq!(columns, pixels, "{preset:?}");
        if preset == Preset::Slide {
            assert_eq!(rows, 1080);
        }
    }
}

#[test]
fn a_figure_of_natural_height_leaves_no_empty_paper() {
    for (name, sheet) in all_kinds() {
        let Some(rows) = sheet.style.height.is_none().then(|| rows_of_ink(&sheet)) else {
            continue;
        };
        let height = rows.len();
        let first = rows.iter().position(|ink| *ink).unwrap();
        let last = height - 1 - rows.iter().rev().position(|ink| *ink).unwrap();
        let em = (sheet.style.font_size / 72.0 * sheet.style.dpi) as usize;
        assert!(
            first <= em && height - last <= em + em / 2,
            "{name}: {first} to {last} of {height}"
        );
    }
}

/// Which rows of pixels have something on them.
fn rows_of_ink(sheet: &Sheet) -> Vec<bool> {
    let picture = image::load_from_memory(&sheet.bytes(FileFormat::Png).unwrap()).unwrap();
    let picture = picture.to_rgba8();
    let background = *picture.get_pixel(0, 0);
    let row = |mut row: image::buffer::Pixels<'_, image::Rgba<u8>>| row.any(|p| *p != background);
    picture.rows().map(row).collect()
}

#[test]
fn a_transparent_figure_has_no_paper() {
    let sheet = single(Background::Transparent, Preset::Column);
    assert!(!sheet.svg().unwrap().contains("<rect width"), "paper");
    assert!(single(Background::Light, Preset::Column).svg().unwrap().contains("<rect width"));
    let picture = image::load_from_memory(&sheet.bytes(FileFormat::Png).unwrap()).unwrap();
    let picture = picture.to_rgba8();
    assert_eq!(picture.get_pixel(0, 0).0[3], 0);
    assert!(picture.pixels().any(|pixel| pixel.0[3] == 255));
}

#[test]
fn panels_share_axes_legend_and_letters() {
    let svg = race(Background::Light, Preset::Columns).svg().unwrap();
    for letter in ["(a) EM,", "(b) NLL", "(c) Exact", "(d) Sliced", "(e) Denoising,"] {
        assert_eq!(svg.matches(&format!(">{letter}")).count(), 1, "{letter}");
    }
    // One label an axis, one legend entry a layer, one color bar for all.
    let count = |words: &str| svg.matches(words).count();
    assert_eq!(count("Training data</text>"), 1);
    assert_eq!(count("rotate(-90"), 2);
    assert_eq!(count(">x<tspan"), 2);
    assert_eq!(count("<linearGradient"), 1);
    // Numbers below the lowest panel of each column only, beside the first of each row only.
    let mut own = race(Background::Light, Preset::Columns);
    own.style.shares_axes = false;
    let own = own.svg().unwrap();
    assert!(own.matches("<text").count() > count("<text") + 20);
    assert_eq!(own.matches(">x<tspan").count(), 10);
}

#[test]
fn curves_of_one_kind_have_one_range() {
    let svg = curve_grid(4);
    let mut wide = svg.clone();
    wide.style.width = 12.0;
    let shared = wide.svg().unwrap();
    wide.style.shares_axes = false;
    let own = wide.svg().unwrap();
    // The highest start of all: 2 + 0.08 + 3.
    let count = |svg: &str| svg.matches(">5</text>").count();
    assert_eq!(count(&shared), 1, "beside the first only");
    assert!(
        own.matches("text-anchor=\"end\"").count() > shared.matches("text-anchor=\"end\"").count()
    );
}

#[test]
fn what_does_not_fit_is_refused_in_words() {
    let check = |change: fn(&mut Sheet), expected: &str| {
        let mut sheet = race(Background::Light, Preset::Columns);
        change(&mut sheet);
        for format in FileFormat::ALL {
            let error = sheet.bytes(format).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    };
    check(|sheet| sheet.style.width = 0.1, "width: 0.1 in is not possible: it takes 0.5 to 120");
    check(|sheet| sheet.style.width = f64::NAN, "width: NaN in");
    check(|sheet| sheet.style.height = Some(1e9), "height: 1000000000 in");
    check(|sheet| sheet.style.font_size = 0.0, "font size: 0 points");
    check(|sheet| sheet.style.dpi = 1e6, "resolution: 1000000 dots per inch");
    check(|sheet| sheet.style.font_size = 60.0, "the panels have no room on it");
    check(|sheet| sheet.style.height = Some(0.6), "the panels have no room on it");
    let mut large = single(Background::Light, Preset::Poster);
    large.style.dpi = 1200.0;
    let error = large.bytes(FileFormat::Png).unwrap_err().to_string();
    assert!(error.contains("28800"), "{error}");
    assert!(large.bytes(FileFormat::Svg).is_ok(), "shapes have no pixels");
}

#[test]
fn nothing_to_draw_is_no_reason_to_fail() {
    let sheet = Sheet::new(Vec::new(), Style::of(Preset::Column));
    for format in FileFormat::ALL {
        assert!(sheet.bytes(format).is_ok(), "{format:?}");
    }
}

#[test]
fn lengths_are_read_with_their_units() {
    for (text, expected) in
        [("3.3", 3.3), ("3.3in", 3.3), (" 8.382 cm", 3.3), ("254mm", 10.0), ("36pt", 0.5)]
    {
        assert!((inches(text).unwrap() - expected).abs() < 1e-12, "{text}");
    }
    for text in ["", "cm", "3 feet", "x3in", "infcm", "NaN"] {
        assert!(inches(text).is_err(), "{text}");
    }
}

/// A million points in the way the window shows them.
fn million() -> Sheet {
    let points: Arc<[Point]> =
        mixture().sample(1_000_000, &mut generator(1, Purpose::Samples)).into();
    let (mut plot, bar) = canvas("One million points", Theme::Light, 10);
    let mut sheet = Sheet::new(vec![plot.clone()], Style::of(Preset::Columns));
    let pixels = sheet.pixels(BOUNDS).unwrap();
    plot.layers[1] = cloud::cloud(&cloud::Cloud {
        id: "train",
        label: "Training data",
        points: &points,
        bounds: BOUNDS,
        pixels,
        color: Theme::Light.palette().train,
        every: 1,
    });
    sheet.panels = vec![plot];
    sheet.color_bar = Some(bar);
    sheet
}

#[test]
fn a_million_points_make_a_small_page() {
    let began = std::time::Instant::now();
    let sheet = million();
    let made = began.elapsed();
    let pdf = sheet.bytes(FileFormat::Pdf).unwrap();
    println!("{} bytes in {:.2?}, points made in {made:.2?}", pdf.len(), began.elapsed());
    assert!(pdf.len() < 5_000_000, "{}", pdf.len());
    keep("million", &sheet);
    // Density and points are pictures, everything else is not.
    let svg = sheet.svg().unwrap();
    assert_eq!(svg.matches("<image").count(), 2);
}

#[test]
fn marks_are_measured_in_points_of_the_font() {
    // Twice the font on twice the paper is the same picture, twice as large.
    let mut small = curve_grid(2);
    small.style.height = Some(3.0);
    let mut large = small.clone();
    (large.style.width, large.style.height) = (6.6, Some(6.0));
    (large.style.font_size, large.style.dpi) = (16.0, 150.0);
    let [small, large] = [small, large].map(|sheet| {
        let picture = image::load_from_memory(&sheet.bytes(FileFormat::Png).unwrap()).unwrap();
        picture.to_rgba8()
    });
    assert_eq!(small.dimensions(), large.dimensions());
    let differing = (small.pixels().zip(large.pixels()))
        .filter(|(a, b)| a.0.iter().zip(b.0).any(|(a, b)| a.abs_diff(b) > 48))
        .count();
    // Positions are rounded to a hundredth of a point.
    assert!(differing < small.len() / 4 / 200, "{differing}");
    // At 8 points a line of 2.5 pixels beside labels of 17 is 1.18 points wide.
    assert!(curve_grid(2).svg().unwrap().contains("stroke-width=\"1.18\""));
}

#[test]
fn the_text_of_a_page_can_be_selected() {
    let mut sheet = race(Background::Light, Preset::Columns);
    sheet.title = "∇ₓ log p, µ and Σ of “half moons”".to_owned();
    let bytes = sheet.bytes(FileFormat::Pdf).unwrap();
    let text = pdf::text(&bytes);
    // Subscripts are set as small letters.
    for words in [
        "∇x log p, µ and Σ of “half moons”",
        "(b) NLL by Adam, step 137",
        "Score ∇x log p(x)",
        "Training data",
        "Density p(x)",
        "−2",
        "x1",
        "means from k-means",
    ] {
        assert!(text.contains(words), "{words} in {text}");
    }
    let fonts = pdf::embedded_fonts(&bytes);
    assert_eq!(fonts.len(), 2, "{fonts:?}");
    for name in ["Ubuntu", "Hack"] {
        // Six capitals and a plus say that it is a subset (ISO 32000-1, 9.6.4).
        let is_subset = |font: &String| font.contains(name) && font.chars().nth(6) == Some('+');
        assert!(fonts.iter().any(is_subset), "{fonts:?}");
    }
    assert!(bytes.len() < 800_000, "{}", bytes.len());
    // One density, the same on all panels; 600 points, ellipses and arrows are shapes.
    assert_eq!(pdf::picture_count(&bytes), 1);
}
