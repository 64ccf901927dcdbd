//! Stage: what plots on the canvas are drawn from, where they lie, and how a hand moves what they show.

use egui::{PointerButton, Rect, vec2};

use super::document::Document;
use super::maps::Maps;
use super::pane::Scene;
use super::particles::Particles;
use super::session::Session;
use super::track::Track;
use super::view::View;
use crate::figures::race::run_color;
use crate::figures::{Layer, Mark, plane};
use crate::model::{Bounds, Mixture};
use crate::training::{BranchId, Source};

/// What a run's plot shows.
pub fn scene<'a>(
    id: BranchId,
    bounds: Bounds,
    layers: Vec<Layer>,
    has_map: bool,
    (document, session): (&Document, &'a Session),
) -> Scene<'a> {
    let moment = session.track(id).and_then(Track::shown);
    Scene {
        moment,
        snapshot: moment.and_then(|moment| session.snapshot_at(id, moment.record.step)),
        is_chosen: id == session.chosen(),
        dataset: session.dataset().filter(|_| !is_blank(document, session)),
        bounds,
        layers,
        has_map,
    }
}

/// The paths of a run's means, if they are shown.
pub fn path_layer(id: BranchId, session: &Session, view: &View) -> Option<Layer> {
    if !view.shown.paths {
        return None;
    }
    let count = session.track(id)?.shown()?.mixture.components().len();
    // As many segments as can be drawn in a frame, whatever K.
    let mixtures =
        session.path(id, (6_000 / (count * session.tracks().len()).max(1)).clamp(20, 300));
    let mixtures: Vec<&Mixture> = mixtures.iter().map(|mixture| &**mixture).collect();
    let palette = view.theme.palette();
    Some(plane::paths(&mixtures, run_color(id, palette), palette))
}

/// All that plots are drawn from and a hand may change.
pub struct Stage<'a> {
    /// What is changed.
    pub document: &'a mut Document,
    /// What is run.
    pub session: &'a Session,
    /// Maps, one of which may lie on the canvas.
    pub maps: &'a mut Maps,
    /// Particles that walk.
    pub particles: &'a Particles,
    /// How it is looked at.
    pub view: &'a mut View,
}

/// A plot among others.
#[derive(Clone, Copy)]
pub struct Spot {
    /// Which run it shows.
    pub id: BranchId,
    /// Where it lies.
    pub rect: Rect,
    /// True if it is the only one.
    pub is_alone: bool,
}

/// What a hand does to the view.
#[derive(Clone, Copy)]
pub struct Motion {
    /// True with a tool in the hand.
    pub is_drawing: bool,
    /// True while the hand holds something else.
    pub is_held: bool,
}

/// Room between plots side by side.
const GAP: f32 = 8.0;

/// Equal places for so many plots, in as many columns as bring them nearest to the shape (width ÷ height) of what they
/// show.
pub fn places(area: Rect, count: usize, shape: f32) -> impl Iterator<Item = Rect> {
    let unlikeness = |columns: &usize| {
        let rows = count.div_ceil(*columns);
        let ratio = (area.width() / *columns as f32) / (area.height() / rows as f32) / shape;
        // An empty place costs as much as plots half as long again.
        let empty = (rows * columns - count) as f32;
        ratio.max(1.0 / ratio) + 0.5 * empty
    };
    let best = (1..=count.max(1)).min_by(|a, b| unlikeness(a).total_cmp(&unlikeness(b)));
    let columns = best.unwrap_or(1);
    let rows = count.div_ceil(columns).max(1);
    let size = vec2(
        (area.width() - GAP * (columns - 1) as f32) / columns as f32,
        (area.height() - GAP * (rows - 1) as f32) / rows as f32,
    );
    (0..count).map(move |i| {
        let (row, column) = (i / columns, i % columns);
        let shift = vec2((size.x + GAP) * column as f32, (size.y + GAP) * row as f32);
        Rect::from_min_size(area.min + shift, size)
    })
}

pub fn bounds_of(transform: &egui_plot::PlotTransform) -> Bounds {
    Bounds { min: transform.bounds().min(), max: transform.bounds().max() }
}

/// The components as a layer.
pub fn components(mixture: &Mixture, view: &View) -> Layer {
    let mut layer = plane::components(mixture, view.theme.palette());
    if view.tool.is_none()
        && let Some(selected) = view.selected.and_then(|k| mixture.components().get(k))
    {
        // Its weight stands beside its ring.
        let mean = selected.gaussian.mean;
        layer.marks.retain(|mark| !matches!(mark, Mark::Text { at, .. } if *at == mean));
    }
    layer
}

/// True if the canvas is to be empty although data of before may still be around.
pub fn is_blank(document: &Document, session: &Session) -> bool {
    document.experiment.source == Source::Nothing
        && document.experiment.strokes.is_empty()
        && session.snapshot().is_none()
}

/// How large what is shown may be, in sizes of the data: far out they are a dot; far in, coordinates lose their digits.
pub const SIZES: std::ops::RangeInclusive<f64> = 1e-6..=1e3;

/// Zooms by wheel or pinch; true if it did. `largest` is the size of the data.
pub fn zoom_by_wheel(plot_ui: &mut egui_plot::PlotUi<'_>, largest: f64) -> bool {
    if !plot_ui.response().contains_pointer() {
        return false;
    }
    let factor = plot_ui
        .ctx()
        .input(|input| (input.smooth_scroll_delta().y / 300.0).exp() * input.zoom_delta());
    if factor == 1.0 {
        return false;
    }
    let size = plot_ui.plot_bounds().width().max(plot_ui.plot_bounds().height()) / largest;
    if (size > *SIZES.end() && factor < 1.0) || (size < *SIZES.start() && factor > 1.0) {
        return false;
    }
    plot_ui.zoom_bounds_around_hovered(egui::Vec2::splat(factor));
    true
}

/// While the left button draws, the others move the view; true if they did.
pub fn pan_by_other_buttons(plot_ui: &mut egui_plot::PlotUi<'_>) -> bool {
    let response = plot_ui.response();
    let is_panning =
        response.dragged_by(PointerButton::Middle) || response.dragged_by(PointerButton::Secondary);
    if is_panning {
        let delta = plot_ui.pointer_coordinate_drag_delta();
        plot_ui.translate_bounds(-delta);
    }
    is_panning
}
