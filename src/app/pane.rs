//! Pane: one run on the canvas, its layers and the painter that makes the expensive ones.

use std::sync::Arc;

use egui_plot::PlotTransform;

use super::painter::Painter;
use super::painting::Request;
use super::plot::{self, Textures};
use super::taken_apart::{Breakdown, shade_ui};
use super::view::View;
use crate::data::Dataset;
use crate::figures::canvas::{data_layers, hide_plain_points, sort};
use crate::figures::cloud::pixels;
use crate::figures::fields::Quantity;
use crate::figures::{Layer, Plot};
use crate::model::Bounds;
use crate::training::{Moment, Snapshot};

/// What paints one run.
pub struct Pane {
    painter: Painter,
    textures: Textures,
}

/// What a pane shows.
pub struct Scene<'a> {
    /// The step that is shown, where there is one.
    pub moment: Option<&'a Moment>,
    /// The run that took that step.
    pub snapshot: Option<&'a Arc<Snapshot>>,
    /// True for the run that the panels speak of.
    pub is_chosen: bool,
    /// The data.
    pub dataset: Option<&'a Arc<Dataset>>,
    /// The rectangle of the plane.
    pub bounds: Bounds,
    /// Layers that cost nothing to make: components, paths.
    pub layers: Vec<Layer>,
    /// True if one of these layers takes the density's place.
    pub has_map: bool,
}

impl Pane {
    /// A pane without a picture; `wake` is called when there is one.
    ///
    /// # Errors
    /// An I/O error if the system gives no thread.
    pub fn new(wake: impl Fn() + Send + 'static) -> std::io::Result<Pane> {
        Ok(Pane { painter: Painter::spawn(wake)?, textures: Textures::default() })
    }

    /// True once everything that was asked for is painted in full.
    #[must_use]
    pub fn is_painted(&self) -> bool {
        self.painter.is_done()
    }

    /// Draws a scene into the frame of a plot, with the newest painting that there is of it.
    pub fn show_ui(
        &mut self,
        brush: &egui::Painter,
        transform: &PlotTransform,
        frame: &Plot,
        scene: Scene<'_>,
        view: &View,
    ) {
        let Scene { moment, snapshot, is_chosen, dataset, bounds, mut layers, has_map } = scene;
        let palette = view.theme.palette();
        let area = *transform.frame();
        let side = |length: f32| ((length / 2.5) as usize).clamp(256, 640);
        let [width, height] = [area.width(), area.height()];
        let scale = f64::from(brush.ctx().pixels_per_point());
        let pixels = pixels(bounds, [width, height].map(f64::from), scale);
        let size = [side(width), side(height)];
        // Where there is nothing to paint as well, or what was painted before would stay in memory.
        let mut request = Request::new(moment, dataset, view, bounds, size, pixels);
        request.shown.density &= !has_map;
        request.snapshot = snapshot.cloned();
        request.has_running = is_chosen && request.has_terms;
        self.painter.request(request);
        if let Some(painting) = self.painter.painting() {
            let is_of_these_data = dataset.is_some_and(|data| painting.is_of(data));
            let is_current = |layer: &&Layer| match layer.id {
                // Crowds of the data before are nothing to lay over the new ones.
                "train" | "validation" => is_of_these_data,
                "terms" | "largest" => is_of_these_data && moment.is_some(),
                _ => moment.is_some(),
            };
            let shown = painting.layers.iter().filter(|layer| view.shown.has(layer.id));
            let is_covered = |layer: &&Layer| has_map && layer.id == "density";
            layers.extend(shown.filter(is_current).filter(|layer| !is_covered(layer)).cloned());
            self.textures.offer(&painting.images);
        }
        if let Some(dataset) = dataset {
            layers.extend(data_layers(dataset, view.shown, palette));
        }
        hide_plain_points(&mut layers);
        sort(&mut layers);
        let axes = [&frame.x, &frame.y];
        plot::paint_layers(brush, transform, axes, &layers, palette, &mut self.textures);
        let painting = self.painter.painting().filter(|_| moment.is_some() && !has_map);
        if let Some(shade) =
            painting.filter(|painting| painting.shows(view)).and_then(|painting| painting.shade)
            && view.shown.density
            && view.quantity != Quantity::Density
        {
            shade_ui(brush, &shade, view);
        }
    }

    /// The loss taken apart, as far as it is known.
    #[must_use]
    pub fn breakdown(&self) -> Option<Arc<Breakdown>> {
        self.painter.painting()?.breakdown.clone()
    }
}
