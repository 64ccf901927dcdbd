//! Canvases: runs on the plane as panels of one sheet, as the window shows them, redrawn at the sheet's resolution.

use std::sync::Arc;

use super::ExportError;
use super::sheet::Sheet;
use super::style::Style;
use crate::data::{Dataset, Scaling};
use crate::figures::canvas::{self, Look, Shown};
use crate::figures::cloud::Pixels;
use crate::figures::color_bar::ColorBar;
use crate::figures::fields::Quantity;
use crate::figures::race::run_color;
use crate::figures::shade::Shade;
use crate::figures::{ColorMap, Layer, Scale, Theme, plane};
use crate::model::{Bounds, Density, Mixture};
use crate::training::{BranchId, Moment};

/// One run at one step.
pub struct Exhibit {
    /// What stands above it.
    pub title: String,
    /// Which run, which decides the color of its paths.
    pub id: BranchId,
    /// The step.
    pub moment: Moment,
    /// The mixtures on the way there, if paths are shown.
    pub path: Vec<Arc<Mixture>>,
    /// The data.
    pub dataset: Arc<Dataset>,
}

/// How all of them are looked at.
#[derive(Debug, Clone, Copy)]
pub struct Outlook {
    /// Which layers.
    pub shown: Shown,
    /// The rectangle of the plane.
    pub bounds: Bounds,
    /// Colors of the density, by id; `None` for the theme's own.
    pub color_map: Option<&'static str>,
    /// Linear or logarithmic.
    pub scale: Scale,
    /// How many samples.
    pub sample_count: usize,
}

/// What a canvas shows besides the usual layers: a field in the density's place, say.
#[derive(Default)]
pub struct Extra {
    /// Layers; a density among them takes the place of the usual one.
    pub layers: Vec<Layer>,
    /// Layers that are legend entries only, above all others.
    pub legend: Vec<Layer>,
    /// What their colors say.
    pub bar: Option<ColorBar>,
}

impl Extra {
    /// Layers that have the colors of these shades: each has its values in the legend; where there is one, it has a color
    /// bar as well.
    #[must_use]
    pub fn shaded(
        layers: Vec<Layer>,
        shades: &[(Quantity, Shade)],
        map: &ColorMap,
        theme: Theme,
    ) -> Extra {
        let legend = shades.iter().flat_map(|(of, shade)| shade.legend(of.label(), map, theme));
        let bar = match shades {
            [(of, shade)] => Some(ColorBar::of_shade(of.label(), shade, map, theme)),
            _ => None,
        };
        Extra { layers, legend: legend.collect(), bar }
    }
}

/// Cells of a density in a row or in a column at most: it is smooth.
const MOST_CELLS: f64 = 1000.0;

/// Several densities have one color bar where their highest values are at most so many times apart; else the lower ones
/// would be invisible, and each has its own scale.
const MOST_APART: f64 = 4.0;

/// A sheet with a panel for every run. `extra` gives what else is on it, for the cells of a field and the pixels of a
/// picture of points.
///
/// # Errors
/// [`ExportError::Style`] if nothing fits on the sheet.
pub fn canvases(
    exhibits: &[Exhibit],
    outlook: &Outlook,
    style: &Style,
    extra: impl Fn(&Exhibit, [usize; 2], Pixels) -> Extra,
) -> Result<Sheet, ExportError> {
    let theme = style.background.theme();
    let blank = |exhibit: &Exhibit| {
        let is_scaled = exhibit.dataset.scaling != Scaling::NONE;
        plane::plane(&*exhibit.title, outlook.bounds, is_scaled, Vec::new())
    };
    let mut sheet = Sheet::new(exhibits.iter().map(blank).collect(), style.clone());
    let pixels = sheet.pixels(outlook.bounds)?;
    let size = cells(pixels);
    let extras: Vec<Extra> = exhibits.iter().map(|exhibit| extra(exhibit, size, pixels)).collect();
    let has_field = |extra: &Extra| extra.layers.iter().any(|layer| layer.id == "density");
    let shows_density = outlook.shown.density && !extras.iter().any(has_field);
    let map = ColorMap::from_id(outlook.color_map.unwrap_or_default(), theme);
    let common = if shows_density { highest(exhibits, outlook, size) } else { Highest::Own };
    let mut look = Look {
        shown: Shown { density: shows_density, ..outlook.shown },
        bounds: outlook.bounds,
        size,
        pixels,
        color_map: map,
        scale: outlook.scale,
        theme,
        sample_count: outlook.sample_count,
        highest: None,
    };
    if let Highest::Common(value) = common {
        look.highest = Some(value);
    }
    sheet.color_bar = shows_density.then(|| density_bar(&common, map, outlook.scale, theme));
    for ((plot, exhibit), extra) in sheet.panels.iter_mut().zip(exhibits).zip(extras) {
        plot.layers = layers(exhibit, &look);
        plot.layers.extend(extra.layers);
        canvas::hide_plain_points(&mut plot.layers);
        canvas::sort(&mut plot.layers);
        plot.layers.extend(extra.legend);
        sheet.color_bar = sheet.color_bar.take().or(extra.bar);
    }
    Ok(sheet)
}

/// The usual layers, in any order.
fn layers(exhibit: &Exhibit, look: &Look) -> Vec<Layer> {
    let Exhibit { moment, dataset, path, id, .. } = exhibit;
    let palette = look.theme.palette();
    let mut layers = canvas::model_layers(&moment.mixture, moment.record.step, look);
    layers.extend(canvas::data_layers(dataset, look.shown, palette));
    let place = (look.bounds, look.pixels);
    layers.extend(canvas::crowd_layers(dataset, look.shown, place, 1, palette));
    if look.shown.components {
        layers.push(plane::components(&moment.mixture, palette));
    }
    if look.shown.paths && !path.is_empty() {
        let mixtures: Vec<&Mixture> = path.iter().map(|mixture| &**mixture).collect();
        layers.push(plane::paths(&mixtures, run_color(*id, palette), palette));
    }
    layers
}

/// Half as many cells as a picture of points has pixels: neighbours are mixed on the way to paper.
fn cells(pixels: Pixels) -> [usize; 2] {
    let sides = pixels.size.map(|side| side as f64 / 2.0);
    let factor = (MOST_CELLS / sides[0].max(sides[1])).min(1.0);
    sides.map(|side| ((side * factor) as usize).max(64))
}

/// The density that has the strongest color.
enum Highest {
    /// One for all.
    Common(f64),
    /// Every panel has its own.
    Own,
}

/// What the strongest color stands for in all panels, where that can be one value.
fn highest(exhibits: &[Exhibit], outlook: &Outlook, size: [usize; 2]) -> Highest {
    let peaks = exhibits.iter().map(|exhibit| {
        // A single one is drawn from the same raster; of several, a quarter of the cells says enough.
        let part = if exhibits.len() == 1 { 1 } else { 2 };
        exhibit.moment.mixture.raster(outlook.bounds, size[0] / part, size[1] / part).max()
    });
    let peaks: Vec<f64> = peaks.filter(|peak| peak.is_finite() && *peak > 0.0).collect();
    let [low, high] = [f64::min, f64::max].map(|pick| peaks.iter().copied().reduce(pick));
    match (low, high) {
        (Some(low), Some(high)) if high <= MOST_APART * low => Highest::Common(high),
        _ => Highest::Own,
    }
}

fn density_bar(highest: &Highest, map: &ColorMap, scale: Scale, theme: Theme) -> ColorBar {
    match highest {
        Highest::Common(value) => ColorBar::of_density(*value, map, scale, theme),
        Highest::Own => ColorBar {
            label: "Density ÷ highest of its panel".to_owned(),
            ..ColorBar::of_density(1.0, map, scale, theme)
        },
    }
}
