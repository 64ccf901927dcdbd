//! Painting: the canvas's expensive layers, what to paint of them, and how they come to the graphics card.

use std::sync::Arc;
use std::time::Instant;

use egui::ColorImage;

use super::known::Known;
use super::taken_apart::{Breakdown, breakdown, error_layer, field_layer, term_layers};
use super::view::{Shown, View};
use crate::data::Dataset;
use crate::figures::canvas::{self, Look};
use crate::figures::cloud::Pixels;
use crate::figures::fields::Quantity;
use crate::figures::shade::Shade;
use crate::figures::substitute::Wish;
use crate::figures::{Layer, Mark, Picture, Scale, Theme, colors::ColorMap};
use crate::model::{Bounds, Mixture};
use crate::training::{Moment, Snapshot};

/// What to paint.
#[derive(Clone)]
pub struct Request {
    /// The model; `None` where there are only data.
    pub mixture: Option<Arc<Mixture>>,
    /// Samples are drawn from this step's seed, so that the same step shows the same samples.
    pub step: usize,
    /// The data, of which crowds are painted; the window draws few points by itself.
    pub dataset: Option<Arc<Dataset>>,
    /// The rectangle on the canvas.
    pub bounds: Bounds,
    /// Cells of the density raster.
    pub size: [usize; 2],
    /// Pixels of a crowd's picture.
    pub pixels: Pixels,
    /// Which layers.
    pub shown: Shown,
    /// Colors of the density.
    pub color_map: &'static ColorMap,
    /// Linear or logarithmic.
    pub scale: Scale,
    /// Light or dark.
    pub theme: Theme,
    /// How many samples.
    pub sample_count: usize,
    /// What is shown in the density's place.
    pub quantity: Quantity,
    /// True to take the loss apart point by point.
    pub has_terms: bool,
    /// True to take the running objective apart as well: of one run, for there is one place that shows it.
    pub has_running: bool,
    /// The running objective at this step.
    pub objective: f64,
    /// The run that took the step.
    pub snapshot: Option<Arc<Snapshot>>,
}

impl PartialEq for Request {
    fn eq(&self, other: &Request) -> bool {
        is_same(self.mixture.as_ref(), other.mixture.as_ref())
            && self.has_same_crowds(other)
            && self.step == other.step
            && self.size == other.size
            && self.shown == other.shown
            && self.color_map.id == other.color_map.id
            && self.scale == other.scale
            && self.sample_count == other.sample_count
            && (self.quantity, self.has_terms) == (other.quantity, other.has_terms)
            && self.has_running == other.has_running
    }
}

/// True for two of the same, which saves comparing their insides.
pub(super) fn is_same<T>(a: Option<&Arc<T>>, b: Option<&Arc<T>>) -> bool {
    a.map(Arc::as_ptr) == b.map(Arc::as_ptr)
}

impl Request {
    /// What a view shows of a step and of data in a rectangle, with a density of so many cells, and crowds of so many
    /// pixels.
    #[must_use]
    pub fn new(
        moment: Option<&Moment>,
        dataset: Option<&Arc<Dataset>>,
        view: &View,
        bounds: Bounds,
        size: [usize; 2],
        pixels: Pixels,
    ) -> Request {
        Request {
            step: moment.map_or(0, |moment| moment.record.step),
            mixture: moment.map(|moment| moment.mixture.clone()),
            dataset: dataset.cloned(),
            bounds,
            size,
            pixels,
            shown: view.shown,
            color_map: ColorMap::from_id(view.color_map.unwrap_or_default(), view.theme),
            scale: view.density_scale(),
            theme: view.theme,
            sample_count: view.sample_count,
            quantity: view.quantity,
            has_terms: view.shows_terms(),
            has_running: false,
            objective: moment.map_or(f64::NAN, |moment| moment.record.objective),
            snapshot: None,
        }
    }

    /// The field that it asks for in the density's place.
    #[must_use]
    pub fn wish(&self, care: Care) -> Wish {
        let Request { quantity, bounds, size, color_map, theme, .. } = *self;
        let coarseness = if care == Care::Coarse { 3 } else { 1 };
        Wish { quantity, bounds, size, coarseness, color_map, theme }
    }

    /// True if both look at the same rectangle of the plane, on as many pixels.
    pub(super) fn has_same_view(&self, other: &Request) -> bool {
        (self.bounds, self.pixels, self.size) == (other.bounds, other.pixels, other.size)
    }

    /// True if crowds look the same in both.
    fn has_same_crowds(&self, other: &Request) -> bool {
        is_same(self.dataset.as_ref(), other.dataset.as_ref())
            && self.bounds == other.bounds
            && self.pixels == other.pixels
            && self.theme == other.theme
            && (self.shown.train, self.shown.validation)
                == (other.shown.train, other.shown.validation)
    }
}

/// How carefully to paint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Care {
    /// At a third of the resolution and from an eighth of the points, to follow a hand.
    Coarse,
    /// As it should be.
    Full,
}

/// What of density, score field and samples is shown; the canvas brings layers into their order.
#[must_use]
pub fn model_layers(request: &Request, care: Care) -> Vec<Layer> {
    let Some(mixture) = &request.mixture else { return Vec::new() };
    let part = if care == Care::Coarse { 3 } else { 1 };
    let mut shown = request.shown;
    shown.density &= request.quantity == Quantity::Density;
    // Beside the field of score errors, arrows are those errors.
    shown.score &= request.quantity != Quantity::ScoreError;
    let look = Look {
        shown,
        bounds: request.bounds,
        size: request.size.map(|side| side.div_ceil(part)),
        pixels: request.pixels,
        color_map: request.color_map,
        scale: request.scale,
        theme: request.theme,
        sample_count: request.sample_count,
        highest: None,
    };
    canvas::model_layers(mixture, request.step, &look)
}

/// The crowds of points that are shown, as pictures; few points are the canvas's own.
#[must_use]
pub fn crowd_layers(request: &Request, care: Care) -> Vec<Layer> {
    let Request { bounds, pixels, shown, .. } = *request;
    let Some(dataset) = &request.dataset else { return Vec::new() };
    let every = if care == Care::Coarse { 8 } else { 1 };
    canvas::crowd_layers(dataset, shown, (bounds, pixels), every, request.theme.palette())
}

/// A finished picture of a request.
pub struct Painting {
    /// Its layers: the model's, then the crowds of points. The canvas brings them into their order.
    pub layers: Vec<Layer>,
    /// Their pictures as the graphics card wants them: made here, because the window's thread has better things to do.
    pub images: Vec<Image>,
    /// What the colors of the field in the density's place say, where there is one.
    pub shade: Option<Shade>,
    /// The loss taken apart, if that was asked for.
    pub breakdown: Option<Arc<Breakdown>>,
    /// The true score, if that was asked for and is known.
    known: Option<Arc<Known>>,
    /// What it is a picture of.
    pub(super) request: Request,
    care: Care,
    care_of_crowds: Care,
    /// How many were painted before.
    pub(super) number: usize,
}

/// A picture in both forms.
pub type Image = (Arc<Picture>, Arc<ColorImage>);

impl Painting {
    /// Paints a request; takes from the last painting what is still right.
    pub(super) fn new(request: Request, care: Care, last: Option<&Painting>) -> Painting {
        let began = Instant::now();
        let mut layers = model_layers(&request, care);
        let breakdown = breakdown(&request, last.and_then(|last| last.breakdown.as_ref()));
        let known = Known::of(&request, care, last.and_then(|last| last.known.as_ref()));
        let field = field_layer(&request, breakdown.as_deref(), known.as_deref(), care);
        layers.extend(error_layer(&request, known.as_deref()));
        let shade = field.as_ref().map(|(_, shade)| *shade);
        layers.extend(field.map(|(layer, _)| layer));
        layers.extend(breakdown.iter().flat_map(|breakdown| term_layers(&request, breakdown)));
        let is_good = |last: &&Painting| {
            last.request.has_same_crowds(&request)
                && (last.care_of_crowds == Care::Full || care == Care::Coarse)
        };
        let last_crowds = last.filter(is_good);
        match last_crowds {
            Some(last) => {
                layers.extend(last.layers.iter().filter(|layer| is_of_data(layer)).cloned());
            }
            None => layers.extend(crowd_layers(&request, care)),
        }
        let care_of_crowds = last_crowds.map_or(care, |last| last.care_of_crowds);
        let pictures = layers.iter().flat_map(|layer| &layer.marks).filter_map(|mark| match mark {
            Mark::Raster { picture, .. } => Some(picture),
            _ => None,
        });
        let known_image = |picture: &Arc<Picture>| {
            let mut images = last.iter().flat_map(|last| &last.images);
            images.find(|(known, _)| Arc::ptr_eq(known, picture)).map(|(_, image)| image.clone())
        };
        let image = |picture: &Arc<Picture>| {
            let image = known_image(picture).unwrap_or_else(|| Arc::new(color_image(picture)));
            (picture.clone(), image)
        };
        let images = pictures.map(image).collect();
        let number = last.map_or(0, |last| last.number + 1);
        log::trace!("painting {number}, {care:?}, took {:.1?}", began.elapsed());
        Painting { layers, images, shade, breakdown, known, request, care, care_of_crowds, number }
    }

    /// True if this is what that request asks for, in full.
    #[must_use]
    pub fn is_all_of(&self, request: &Request) -> bool {
        self.care == Care::Full && self.request == *request
    }

    /// True if it shows the field that is wanted in the density's place.
    #[must_use]
    pub fn shows(&self, view: &View) -> bool {
        self.request.quantity == view.quantity
    }

    /// True if its crowds are those of these data.
    #[must_use]
    pub fn is_of(&self, dataset: &Arc<Dataset>) -> bool {
        is_same(self.request.dataset.as_ref(), Some(dataset))
    }
}

fn is_of_data(layer: &Layer) -> bool {
    ["train", "validation"].contains(&layer.id)
}

/// A picture as the graphics card wants it.
#[must_use]
pub fn color_image(picture: &Picture) -> ColorImage {
    ColorImage::from_rgba_unmultiplied([picture.width, picture.height], &picture.rgba)
}
