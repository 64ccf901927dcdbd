//! Scene: the particles, exact samples and the story on the canvas, and what the pointer does there.

use egui_plot::PlotTransform;

use super::{ParticleStart, Particles};
use crate::app::grip::{on_plane, on_screen};
use crate::app::plot::{self, Textures};
use crate::app::view::View;
use crate::app::views;
use crate::figures::story::{self, particle_color};
use crate::figures::{Axis, Layer, plane};

/// How near a click has to come to a particle, in points.
const REACH: f32 = 14.0;

impl Particles {
    /// Particles and exact samples as layers, those that are shown, and the story over them.
    #[must_use]
    pub fn layers(&self, view: &View) -> Vec<Layer> {
        let palette = view.theme.palette();
        let radius = |count: usize| if count > 3_000 { 1.1 } else { 2.1 };
        let mut layers = Vec::new();
        if view.sampling.has_exact {
            let exact = self.report.exact.clone();
            // Larger, because they lie below.
            let radius = 1.25 * radius(exact.len());
            layers.push(plane::points("exact", "Exact samples", exact, palette.samples, radius));
        }
        if view.sampling.has_particles {
            let points = self.points().clone();
            let (radius, color) = (radius(points.len()), particle_color(palette));
            layers.push(plane::points("particles", "Particles", points, color, radius));
        }
        let story = self.story.as_ref();
        layers.extend(story.map(|s| story::layer(&s.told, &s.parts[..s.shown], palette)));
        layers
    }

    /// The density that they walk on, where it takes the place of the model's.
    #[must_use]
    pub fn density_layer(&self) -> Option<Layer> {
        self.report.picture.clone().filter(|_| self.has_density())
    }

    /// All that lies on the canvas while the tab is open, for a figure of it: first the density in the model's place, if
    /// there is one.
    #[must_use]
    pub fn figure_layers(&self, view: &View) -> Vec<Layer> {
        if !self.is_open {
            return Vec::new();
        }
        let density = self.density_layer().filter(|_| view.shown.density);
        density.into_iter().chain(self.layers(view)).collect()
    }

    /// Draws the layers over the canvas, and answers the pointer: a click says where all particles start, or chooses
    /// the one whose step is told. `is_free` if nothing else takes the click.
    pub fn canvas_ui(
        &self,
        brush: &egui::Painter,
        (transform, axes): (&PlotTransform, [&Axis; 2]),
        response: &egui::Response,
        is_free: bool,
        view: &mut View,
    ) {
        if !self.is_open {
            return;
        }
        let palette = view.theme.palette();
        // None of these layers holds a raster, so there are no textures to keep.
        let mut textures = Textures::default();
        plot::paint_layers(brush, transform, axes, &self.layers(view), palette, &mut textures);
        if let Some(story) = &self.story {
            views::story_card_ui(brush, story, palette);
        }
        let Some(at) = response.interact_pointer_pos() else { return };
        if !is_free || !response.clicked() {
            return;
        }
        if view.sampling.start == ParticleStart::Place {
            view.sampling.place = on_plane(transform, at);
            return;
        }
        let distance = |i: &usize| on_screen(transform, self.points()[*i]).distance(at);
        let nearest = (0..self.points().len()).min_by(|a, b| distance(a).total_cmp(&distance(b)));
        if let Some(nearest) = nearest.filter(|i| distance(i) <= REACH) {
            view.sampling.particle = nearest;
        }
    }
}
