//! Figures for print and slides: sizes, bytes, text that stays text, and what does not fit.
//!
//! `SCORESCOPE_WRITE_FIGURES=DIR` keeps what the tests draw, to be looked at.

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
    sheet.caption = CAPTION.to_owned();
    sheet
}

fn single(background: Background, preset: Preset) -> Sheet {
    let (plot, bar) = canvas("EM, K = 3, step 137", background.theme(), 600);
    let mut sheet = Sheet::new(vec![plot], Style::of(preset));
    sheet.style.background = background;
    sheet.color_bar = Some(bar);
    sheet.caption = CAPTION.to_owned();
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
