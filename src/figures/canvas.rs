//! Canvas: the layers of a step on the plane, for the window, the exporters and the command line alike.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::cloud::{Cloud, Pixels, cloud, is_crowd};
use super::colors::ColorMap;
use super::{Color, Layer, Palette, Scale, Theme, plane, streamlines};
use crate::data::Dataset;
use crate::model::{Bounds, Density, Mixture, Point};
use crate::random::{Purpose, generator};

/// Which layers the canvas shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "one switch a layer")]
pub struct Shown {
    /// The density as a colored field.
    pub density: bool,
    /// The score field as arrows.
    pub score: bool,
    /// Training points.
    pub train: bool,
    /// Validation points.
    pub validation: bool,
    /// Samples of the model.
    pub samples: bool,
    /// Components as ellipses.
    pub components: bool,
    /// The paths of their means from the start to the step shown.
    pub paths: bool,
    /// Streamlines of the score field.
    pub streamlines: bool,
    /// What the running objective does with its points.
    pub workings: bool,
}

impl Shown {
    /// True if the layer of this id is on.
    #[must_use]
    pub fn has(&self, id: &str) -> bool {
        match id {
            "density" => self.density,
            "score" => self.score,
            "paths" => self.paths,
            "train" | "terms" | "largest" => self.train,
            "streamlines" => self.streamlines,
            "validation" => self.validation,
            "samples" => self.samples,
            id if id.starts_with("workings") => self.workings,
            _ => self.components,
        }
    }
}

/// How a model is looked at.
#[derive(Debug, Clone, Copy)]
pub struct Look {
    /// Which layers.
    pub shown: Shown,
    /// The rectangle of the plane.
    pub bounds: Bounds,
    /// Cells of the density's raster, in a row and in a column.
    pub size: [usize; 2],
    /// Pixels of a picture of points.
    pub pixels: Pixels,
    /// Colors of the density.
    pub color_map: &'static ColorMap,
    /// Linear or logarithmic.
    pub scale: Scale,
    /// Light or dark.
    pub theme: Theme,
    /// How many samples.
    pub sample_count: usize,
    /// The density that has the strongest color; `None` for the highest in view. Several canvases with one color bar have
    /// one.
    pub highest: Option<f64>,
}

/// What of density, score field, streamlines and samples is shown. Samples are drawn from the step's own seed, so that the
/// same step shows the same samples.
#[must_use]
pub fn model_layers(mixture: &Mixture, step: usize, look: &Look) -> Vec<Layer> {
    let Look { shown, bounds, size: [width, height], .. } = *look;
    let palette = look.theme.palette();
    let mut layers = Vec::new();
    if shown.density {
        let raster = mixture.raster(bounds, width, height);
        let highest = look.highest.unwrap_or_else(|| raster.max());
        layers.push(plane::density_up_to(&raster, highest, look.color_map, look.scale, look.theme));
    }
    if shown.score {
        layers.push(plane::score_field(mixture, bounds, SCORE_COLUMNS, palette));
    }
    if shown.streamlines {
        let columns = streamline_columns(look.pixels);
        layers.push(streamlines::layer(mixture, bounds, columns, palette));
    }
    if shown.samples {
        let mut rng = generator(step as u64, Purpose::Samples);
        let samples = mixture.sample(look.sample_count, &mut rng);
        layers.push(plane::samples(samples.into(), palette));
    }
    layers
}

/// The crowds of points that are shown, as pictures, of every n-th point only where there is a hurry.
#[must_use]
pub fn crowd_layers(
    dataset: &Dataset,
    shown: Shown,
    (bounds, pixels): (Bounds, Pixels),
    every: usize,
    palette: &Palette,
) -> Vec<Layer> {
    point_sets(dataset, shown, palette)
        .filter(|set| is_crowd(set.points))
        .map(|PointSet { id, label, points, color }| {
            cloud(&Cloud { id, label, points, bounds, pixels, color, every })
        })
        .collect()
}

/// Points as layers, as far as they are shown; without crowds, of which [`crowd_layers`] makes pictures.
#[must_use]
pub fn data_layers(dataset: &Dataset, shown: Shown, palette: &Palette) -> Vec<Layer> {
    let radius = |count: usize| if count > 3_000 { 1.3 } else { 1.9 };
    point_sets(dataset, shown, palette)
        .filter(|set| !is_crowd(set.points))
        .map(|PointSet { id, label, points, color }| {
            plane::points(id, label, points.clone(), color, radius(points.len()))
        })
        .collect()
}

/// Brings layers into the order in which they are drawn.
pub fn sort(layers: &mut [Layer]) {
    const ORDER: [&str; 13] = [
        "density",
        "basin",
        "train",
        "terms",
        "validation",
        "samples",
        "score",
        "streamlines",
        "paths",
        "place",
        "workings",
        "components",
        "largest",
    ];
    // All layers of the workings lie together, in their own order.
    let is_it =
        |id: &str, layer: &Layer| id == layer.id || (id == "workings" && layer.id.starts_with(id));
    layers.sort_by_key(|layer| ORDER.iter().position(|id| is_it(id, layer)));
}

/// Points in the colors of their terms take the place of those in one color.
pub fn hide_plain_points(layers: &mut Vec<Layer>) {
    if layers.iter().any(|layer| layer.id == "terms") {
        layers.retain(|layer| layer.id != "train");
    }
}

/// Points of a data set that make a layer.
pub struct PointSet<'a> {
    /// Name of the layer.
    pub id: &'static str,
    /// Its name in the legend.
    pub label: &'static str,
    /// All of them.
    pub points: &'a Arc<[Point]>,
    /// Their color.
    pub color: Color,
}

/// The points of a data set that are shown.
pub fn point_sets<'a>(
    dataset: &'a Dataset,
    shown: Shown,
    palette: &Palette,
) -> impl Iterator<Item = PointSet<'a>> + use<'a> {
    let Dataset { train, validation, .. } = dataset;
    let sets = [
        PointSet { id: "train", label: "Training data", points: train, color: palette.train },
        PointSet {
            id: "validation",
            label: "Validation data",
            points: validation,
            color: palette.validation,
        },
    ];
    sets.into_iter().filter(move |set| shown.has(set.id))
}

/// Arrows of the score field from left to right.
pub const SCORE_COLUMNS: usize = 28;

/// Streamlines that fit side by side from left to right: as far apart on any canvas, so many times the radius of a dot.
fn streamline_columns(pixels: Pixels) -> usize {
    (pixels.size[0] as f64 / (17.0 * pixels.dot)).clamp(8.0, 48.0) as usize
}
