//! Canvas: the main plot. Shows the layers and turns the pointer into strokes.

use egui::{Align2, Color32, FontId, PointerButton, Stroke as Pen};
use egui_plot::PlotBounds;

use super::action::Action;
use super::document::Document;
use super::drawing::{Drawing, Hand};
use super::handles::Handles;
use super::legend;
use super::maps::Maps;
use super::painter::Painter;
use super::painting::{PointSet, Request, point_sets};
use super::plot::{self, Textures, color32};
use super::session::Session;
use super::start;
use super::theme;
use super::view::{Shown, View};
use crate::data::{Dataset, Scaling};
use crate::figures::cloud::{is_crowd, pixels};
use crate::figures::{Layer, Mark, Palette, plane};
use crate::model::{Bounds, Mixture};
use crate::training::Source;

/// What is shown before there are points.
const EMPTY_VIEW: Bounds = Bounds { min: [-3.0, -3.0], max: [3.0, 3.0] };

/// The main plot and what the hand is doing on it.
pub struct Canvas {
    painter: Painter,
    textures: Textures,
    bounds: Bounds,
    /// True until the view has been fitted to the data.
    wants_fit: bool,
    /// The rectangle that is kept in view, whatever the size of the window, until a hand moves the view.
    home: Option<Bounds>,
    /// The data that the view was fitted to, by where they come from and how they were scaled.
    fitted_to: Option<(Source, bool)>,
    drawing: Drawing,
    handles: Handles,
}

impl Canvas {
    /// An empty canvas and its painter.
    #[must_use]
    pub fn new(painter: Painter) -> Canvas {
        Canvas {
            painter,
            textures: Textures::default(),
            bounds: EMPTY_VIEW,
            wants_fit: true,
            home: None,
            fitted_to: None,
            drawing: Drawing::default(),
            handles: Handles::default(),
        }
    }
}

/// Points as layers, as far as they are shown; without crowds, which the painter paints.
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
    const ORDER: [&str; 8] =
        ["density", "basin", "train", "validation", "samples", "score", "place", "components"];
    layers.sort_by_key(|layer| ORDER.iter().position(|id| *id == layer.id));
}

impl Canvas {
    /// Shows all of the data from the next frame on.
    pub fn fit(&mut self) {
        self.wants_fit = true;
    }

    /// Shows a rectangle from the next frame on.
    pub fn look_at(&mut self, bounds: Bounds) {
        (self.wants_fit, self.home) = (false, Some(bounds));
    }

    /// True while a component is being dragged.
    #[must_use]
    pub fn is_dragging(&self) -> bool {
        self.handles.is_dragging()
    }

    /// Lets the keys move the selected component; those that do are consumed.
    pub fn follow_keys(
        &self,
        ctx: &egui::Context,
        document: &mut Document,
        session: &Session,
        view: &mut View,
    ) {
        self.handles.follow_keys(ctx, document, session, view);
    }

    /// True once everything that was asked for is painted in full.
    #[must_use]
    pub fn is_painted(&self) -> bool {
        self.painter.is_done()
    }

    /// The rectangle that is shown.
    #[must_use]
    pub fn bounds(&self) -> Bounds {
        self.bounds
    }

    /// Draws the canvas and the legend below it.
    pub fn show_ui(
        &mut self,
        ui: &mut egui::Ui,
        document: &mut Document,
        session: &Session,
        maps: &mut Maps,
        view: &mut View,
        actions: &mut Vec<Action>,
    ) {
        let palette = view.theme.palette();
        let fill = color32(palette.plot_background);
        let legend = egui::Frame::new().fill(fill).inner_margin(egui::Margin::symmetric(12, 8));
        egui::Panel::bottom("legend").frame(legend).show_separator_line(false).show(ui, |ui| {
            let has_map = maps.is_on_canvas(document, view);
            legend::legend_ui(ui, view, has_map, actions);
        });
        let frame = egui::Frame::new().fill(fill).inner_margin(egui::Margin {
            top: 10,
            right: 10,
            left: 4,
            bottom: 0,
        });
        egui::CentralPanel::no_frame()
            .frame(frame)
            .show(ui, |ui| self.plot_ui(ui, document, session, maps, view));
    }

    fn plot_ui(
        &mut self,
        ui: &mut egui::Ui,
        document: &mut Document,
        session: &Session,
        maps: &mut Maps,
        view: &mut View,
    ) {
        let palette = view.theme.palette();
        let is_held = self.handles.follow(ui, document, session, view);
        let dataset = session.dataset().filter(|_| !is_blank(document, session)).cloned();
        self.fit_new_data(session);
        let is_scaled = dataset.as_ref().is_some_and(|dataset| dataset.scaling != Scaling::NONE);
        let empty = plane::plane("", self.bounds, is_scaled, Vec::new());
        if self.wants_fit {
            let data = dataset.as_ref().map_or(EMPTY_VIEW, |d| d.bounds.with_margin(0.08));
            (self.wants_fit, self.home) = (false, Some(data));
        }
        let home = self.home;
        let largest = dataset.as_ref().map_or(1.0, |dataset| {
            let size = dataset.bounds.with_margin(0.0).size();
            size[0].max(size[1])
        });
        let is_drawing = view.tool.is_some();
        let shown = plot::frame(&empty, palette, 13.0)
            .data_aspect(1.0)
            .show_background(false)
            .allow_drag(!is_drawing && !is_held)
            .pan_pointer_button(PointerButton::Primary)
            .allow_zoom(false)
            .allow_scroll(false)
            .show(ui, |plot_ui| {
                let is_moved = zoom_by_wheel(plot_ui, largest)
                    | if is_drawing {
                        pan_by_other_buttons(plot_ui)
                    } else {
                        !is_held && plot_ui.response().dragged_by(PointerButton::Primary)
                    };
                if let (Some(home), false) = (home, is_moved) {
                    plot_ui.set_plot_bounds(PlotBounds::from_min_max(home.min, home.max));
                }
                is_moved
            });
        if shown.inner {
            self.home = None;
        }
        let (transform, response) = (shown.transform, shown.response);
        response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Canvas, true, "Canvas"));
        let area = *transform.frame();
        let (min, max) = (transform.bounds().min(), transform.bounds().max());
        self.bounds = Bounds { min, max };
        let scaling = dataset.as_ref().map_or(Scaling::NONE, |dataset| dataset.scaling);

        let snapshot = session.snapshot();
        let side = |length: f32| ((length / 2.5) as usize).clamp(256, 640);
        let [width, height] = [area.width(), area.height()];
        let scale = f64::from(ui.pixels_per_point());
        let pixels = pixels(self.bounds, [width, height].map(f64::from), scale);
        let size = [side(width), side(height)];
        // Where there is nothing to paint as well, or what was painted before would stay in memory.
        let mut layers: Vec<Layer> = maps.canvas_layers(document, view, ui.ctx());
        let has_map = maps.is_on_canvas(document, view);
        let mut request =
            Request::new(session.shown(), dataset.as_ref(), view, self.bounds, size, pixels);
        // The map takes the density's place.
        request.shown.density &= !has_map;
        self.painter.request(request);
        if let Some(painting) = self.painter.painting() {
            let is_of_these_data = dataset.as_ref().is_some_and(|data| painting.is_of(data));
            let is_current = |layer: &&Layer| match layer.id {
                // Crowds of the data before are nothing to lay over the new ones.
                "train" | "validation" => is_of_these_data,
                _ => snapshot.is_some(),
            };
            let is_covered = |layer: &&Layer| has_map && layer.id == "density";
            let shown = painting.layers.iter().filter(|layer| view.shown.has(layer.id));
            layers.extend(shown.filter(is_current).filter(|layer| !is_covered(layer)).cloned());
            self.textures.offer(&painting.images);
        }
        if let (Some(snapshot), Some(shown), true) =
            (snapshot, session.shown(), view.shown.components)
        {
            let is_held = self.handles.is_dragging();
            let mixture = start::shown(document, snapshot, shown, is_held);
            layers.push(components(&mixture, view));
        }
        if let Some(dataset) = &dataset {
            layers.extend(data_layers(dataset, view.shown, palette));
        }
        sort(&mut layers);
        let brush = ui.painter().with_clip_rect(area);
        plot::paint_layers(
            &brush,
            &transform,
            [&empty.x, &empty.y],
            &layers,
            palette,
            &mut self.textures,
        );
        if let Some(tool) = view.tool {
            let size = self.bounds.size();
            let reach = view.tool_radius * size[0].min(size[1]);
            let hand = Hand { response: &response, transform: &transform, tool, reach, scaling };
            self.drawing.follow(ui, &hand, document, view);
            self.drawing.show_ui(ui, &brush, &hand, view);
        }
        self.handles.show_ui(&brush, &transform, &response, (document, session), view);
        let is_free = view.tool.is_none() && self.handles.leaves_clicks();
        maps.canvas_ui(&brush, &transform, &response, is_free, (document, view));
        // On a map there is something to see already.
        if !has_map || session.problem().is_some() {
            hint_ui(&brush, document, session, view);
        }
    }

    /// Another data set is shown whole; strokes and other settings leave the view where it is.
    fn fit_new_data(&mut self, session: &Session) {
        let Some(source) = session.source() else { return };
        let is_scaled = session.dataset().is_some_and(|data| data.scaling != Scaling::NONE);
        if self.fitted_to.as_ref().is_none_or(|(of, scaled)| of != source || *scaled != is_scaled) {
            self.fitted_to = Some((source.clone(), is_scaled));
            self.wants_fit = true;
        }
    }
}

/// The components as a layer.
fn components(mixture: &Mixture, view: &View) -> Layer {
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
fn is_blank(document: &Document, session: &Session) -> bool {
    document.experiment.source == Source::Nothing
        && document.experiment.strokes.is_empty()
        && session.snapshot().is_none()
}

/// Zooms by wheel or pinch; true if it did. `largest` is the size of the data.
fn zoom_by_wheel(plot_ui: &mut egui_plot::PlotUi<'_>, largest: f64) -> bool {
    if !plot_ui.response().contains_pointer() {
        return false;
    }
    let factor = plot_ui
        .ctx()
        .input(|input| (input.smooth_scroll_delta().y / 300.0).exp() * input.zoom_delta());
    if factor == 1.0 {
        return false;
    }
    // Far out the data are a dot; far in, coordinates lose their digits.
    let size = plot_ui.plot_bounds().width().max(plot_ui.plot_bounds().height()) / largest;
    if (size > 1e3 && factor < 1.0) || (size < 1e-6 && factor > 1.0) {
        return false;
    }
    plot_ui.zoom_bounds_around_hovered(egui::Vec2::splat(factor));
    true
}

/// While the left button draws, the others move the view; true if they did.
fn pan_by_other_buttons(plot_ui: &mut egui_plot::PlotUi<'_>) -> bool {
    let response = plot_ui.response();
    let is_panning =
        response.dragged_by(PointerButton::Middle) || response.dragged_by(PointerButton::Secondary);
    if is_panning {
        let delta = plot_ui.pointer_coordinate_drag_delta();
        plot_ui.translate_bounds(-delta);
    }
    is_panning
}

/// What to do, where there is nothing to see yet; what is wrong, where something is.
fn hint_ui(brush: &egui::Painter, document: &Document, session: &Session, view: &View) {
    let palette = view.theme.palette();
    let area = brush.clip_rect();
    let is_empty =
        document.experiment.source == Source::Nothing && document.experiment.strokes.is_empty();
    let (text, color) = if is_empty {
        ("Drag here to draw points; the tools are on the left.".to_owned(), palette.text)
    } else if let Some(problem) = session.problem() {
        (problem.to_owned(), palette.categorical[1])
    } else if session.snapshot().is_some_and(|snapshot| snapshot.record.step == 0)
        && !session.is_playing()
        && view.tool.is_none()
    {
        ("Press Space and watch the mixture learn.".to_owned(), palette.text)
    } else {
        return;
    };
    let galley = brush.layout(text, FontId::proportional(17.0), color32(color), area.width() * 0.8);
    let rect =
        Align2::CENTER_TOP.anchor_size(area.center_top() + egui::vec2(0.0, 18.0), galley.size());
    let card = rect.expand2(egui::vec2(14.0, 8.0));
    brush.rect(
        card,
        8.0,
        theme::panel_fill(view.theme).gamma_multiply(0.94),
        Pen::new(1.0, color32(palette.grid)),
        egui::StrokeKind::Inside,
    );
    brush.galley(rect.min, galley, Color32::PLACEHOLDER);
}
