//! Canvas: the main plot, or one for each run, with linked views. Turns the pointer into strokes and changes of
//! components.

use std::collections::BTreeMap;
use std::sync::Arc;

use egui::{Key, Modifiers, PointerButton, Pos2, Rect, UiBuilder};
use egui_plot::PlotBounds;

use super::action::Action;
use super::caption::{caption_ui, hint_ui};
use super::document::Document;
use super::drawing::{Drawing, Hand};
use super::handles::Handles;
use super::maps::Maps;
use super::pane::{Pane, Scene};
use super::particles::Particles;
use super::plot::{self, color32};
use super::predict::Flags;
use super::probe::probe_ui;
use super::session::Session;
use super::stage::{
    Motion, SIZES, Spot, Stage, bounds_of, components, is_blank, pan_by_other_buttons, path_layer,
    places, scene, zoom_by_wheel,
};
use super::taken_apart::Breakdown;
use super::track::Track;
use super::view::View;
use super::workings::{Workings, frame_of, row_ui};
use super::{legend, remedy, runs, start};
use crate::data::{Dataset, Scaling};
use crate::figures::workings::Subject;
use crate::figures::{Layer, Plot, plane};
use crate::model::Bounds;
use crate::training::{BranchId, Source};

/// What is shown before there are points.
const EMPTY_VIEW: Bounds = Bounds { min: [-3.0, -3.0], max: [3.0, 3.0] };

/// The main plot and what the hand is doing on it.
pub struct Canvas {
    ctx: egui::Context,
    /// What paints each run.
    panes: BTreeMap<BranchId, Pane>,
    bounds: Bounds,
    /// Width ÷ height of what was fitted last.
    shape: f32,
    /// Where it is on screen.
    area: Rect,
    /// Where the component is that has stopped training.
    culprit: Option<Pos2>,
    /// True until the view has been fitted to the data.
    wants_fit: bool,
    /// The rectangle that is kept in view, whatever the size of the window, until a hand moves the view.
    home: Option<Bounds>,
    /// The run on whose plot a hand has moved the view since, and where to: the others follow it.
    moved: Option<(BranchId, Bounds)>,
    /// The data that the view was fitted to, by where they come from and how they were scaled.
    fitted_to: Option<(Source, bool)>,
    /// What is to be shown of the data of a session, once they are there.
    awaited: Option<Bounds>,
    /// Width of the vertical axes.
    gutter: f32,
    drawing: Drawing,
    handles: Handles,
    flags: Flags,
    workings: Workings,
    /// True once a click has chosen a run: the hand needs no more hints.
    knows_choice: bool,
}

impl Canvas {
    /// An empty canvas in a window.
    #[must_use]
    pub fn new(ctx: egui::Context) -> Canvas {
        Canvas {
            ctx,
            panes: BTreeMap::new(),
            bounds: EMPTY_VIEW,
            shape: 1.0,
            area: Rect::ZERO,
            culprit: None,
            wants_fit: true,
            home: None,
            moved: None,
            gutter: 0.0,
            fitted_to: None,
            awaited: None,
            drawing: Drawing::default(),
            handles: Handles::default(),
            flags: Flags::default(),
            workings: Workings::default(),
            knows_choice: false,
        }
    }

    /// Shows all of the data from the next frame on.
    pub fn fit(&mut self) {
        self.wants_fit = true;
    }

    /// Shows this many times as much from the next frame on, around the same middle.
    pub fn zoom(&mut self, factor: f64) {
        let Bounds { min, max } = self.bounds;
        let moved = |i: usize, side: f64| {
            f64::midpoint(min[i], max[i]) + side * factor * (max[i] - min[i]) / 2.0
        };
        self.look_at(Bounds {
            min: [0, 1].map(|i| moved(i, -1.0)),
            max: [0, 1].map(|i| moved(i, 1.0)),
        });
    }

    /// Moves the view by Ctrl and the arrow keys, a tenth of it at a time.
    fn follow_arrows(&mut self, ctx: &egui::Context) {
        if ctx.egui_wants_keyboard_input() {
            return;
        }
        let mut way = [0.0, 0.0];
        ctx.input_mut(|input| {
            for (key, axis, sign) in [
                (Key::ArrowLeft, 0, -1.0),
                (Key::ArrowRight, 0, 1.0),
                (Key::ArrowDown, 1, -1.0),
                (Key::ArrowUp, 1, 1.0),
            ] {
                let count = input.count_and_consume_key(Modifiers::COMMAND, key);
                way[axis] += 0.1 * sign * count as f64;
            }
        });
        if way != [0.0, 0.0] {
            let (Bounds { mut min, mut max }, size) = (self.bounds, self.bounds.size());
            for i in 0..2 {
                min[i] += way[i] * size[i];
                max[i] += way[i] * size[i];
            }
            self.look_at(Bounds { min, max });
        }
    }

    /// Shows a rectangle from the next frame on.
    pub fn look_at(&mut self, bounds: Bounds) {
        (self.wants_fit, self.home) = (false, Some(bounds));
    }

    /// The rectangle that is shown; `None` where that is all of the data.
    #[must_use]
    pub fn look(&self, dataset: Option<&Arc<Dataset>>) -> Option<Bounds> {
        let whole = dataset.map_or(EMPTY_VIEW, |dataset| dataset.bounds.with_margin(0.08));
        (self.home != Some(whole)).then_some(self.home.unwrap_or(self.bounds))
    }

    /// Shows the rectangle of a session once its data are there, or else all of them.
    pub fn look_again(&mut self, bounds: Option<Bounds>) {
        (self.fitted_to, self.awaited) = (None, bounds);
    }

    /// True while a component is being dragged.
    #[must_use]
    pub fn is_dragging(&self) -> bool {
        self.handles.is_dragging()
    }

    /// Lets the keys move the selected component; those that do are consumed.
    pub fn follow_keys(
        &mut self,
        ctx: &egui::Context,
        document: &mut Document,
        session: &Session,
        view: &mut View,
    ) {
        self.follow_arrows(ctx);
        self.handles.follow_keys(ctx, document, session, view);
    }

    /// True once everything that was asked for is painted in full.
    #[must_use]
    pub fn is_painted(&self) -> bool {
        self.panes.values().all(Pane::is_painted)
    }

    /// The loss of a run taken apart, as far as it is painted.
    #[must_use]
    pub fn breakdown(&self, id: BranchId) -> Option<Arc<Breakdown>> {
        self.panes.get(&id)?.breakdown()
    }

    /// What is drawn of the workings of a run: whose they are, and their layers.
    #[must_use]
    pub fn workings(&self, id: BranchId) -> Option<(&Subject, &[Layer])> {
        self.workings.drawn(id)
    }

    /// The rectangle that is shown.
    #[must_use]
    pub fn bounds(&self) -> Bounds {
        self.bounds
    }

    /// Where the chosen run's plot is on screen.
    #[must_use]
    pub fn area(&self) -> Rect {
        self.area
    }

    /// Where on screen the component is that has stopped training.
    #[must_use]
    pub fn culprit(&self) -> Option<Pos2> {
        self.culprit
    }

    /// Draws the canvas and the legend below it.
    pub fn show_ui(
        &mut self,
        ui: &mut egui::Ui,
        document: &mut Document,
        session: &Session,
        (maps, particles): (&mut Maps, &Particles),
        view: &mut View,
        actions: &mut Vec<Action>,
    ) {
        let palette = view.theme.palette();
        let fill = color32(palette.plot_background);
        let legend = egui::Frame::new().fill(fill).inner_margin(egui::Margin::symmetric(12, 8));
        egui::Panel::bottom("legend").frame(legend).show_separator_line(false).show(ui, |ui| {
            let has_map = maps.is_on_canvas(document, view);
            let absence = document.experiment.knows_density().err();
            legend::legend_ui(ui, view, has_map, absence.as_ref(), actions);
            row_ui(ui, &self.workings, (document, session), view, actions);
        });
        let frame = egui::Frame::new().fill(fill).inner_margin(egui::Margin {
            top: 10,
            right: 10,
            left: 4,
            bottom: 0,
        });
        egui::CentralPanel::no_frame().frame(frame).show(ui, |ui| {
            let stage = &mut Stage { document, session, maps, particles, view };
            self.plots_ui(ui, stage);
        });
    }

    /// The plot of the chosen run, or those of all runs side by side.
    fn plots_ui(&mut self, ui: &mut egui::Ui, stage: &mut Stage<'_>) {
        let Stage { document, session, view, .. } = stage;
        let is_free = self.handles.leaves_clicks();
        let is_held = self.flags.follow(ui, session, view)
            || self.workings.follow(ui, is_free, (document, session), view)
            || self.handles.follow(ui, document, session, view);
        self.fit_new_data(session);
        if self.wants_fit {
            let dataset = session.dataset().filter(|_| !is_blank(document, session));
            let data = dataset.map_or(EMPTY_VIEW, |d| d.bounds.with_margin(0.08));
            (self.wants_fit, self.home, self.gutter) = (false, Some(data), 0.0);
        }
        let shown: Vec<BranchId> = if view.race.is_on {
            session.tracks().iter().map(Track::id).collect()
        } else {
            vec![session.chosen()]
        };
        // Those that are not shown hold no pictures.
        self.panes.retain(|id, _| shown.contains(id));
        self.workings.keep(&shown);
        let chosen = session.chosen();
        let size = self.home.unwrap_or(self.bounds).size();
        // Of the view that a hand has moved to, the window already is the shape.
        let shape = if self.home.is_some() { (size[0] / size[1]) as f32 } else { self.shape };
        self.shape = shape.clamp(0.2, 5.0);
        let shape = self.shape;
        for (rect, id) in places(ui.available_rect_before_wrap(), shown.len(), shape).zip(&shown) {
            let builder = UiBuilder::new().max_rect(rect).id_salt(id.number());
            ui.scope_builder(builder, |ui| {
                let spot = Spot { id: *id, rect, is_alone: shown.len() == 1 };
                if *id == chosen {
                    self.chosen_ui(ui, spot, is_held, stage);
                } else {
                    self.other_ui(ui, spot, stage);
                }
            });
        }
    }

    /// The plot of the chosen run: what a hand does here changes something.
    fn chosen_ui(&mut self, ui: &mut egui::Ui, spot: Spot, is_held: bool, stage: &mut Stage<'_>) {
        let motion = Motion { is_drawing: stage.view.tool.is_some(), is_held };
        let (frame, drawn) = self.frame_ui(ui, spot, motion, stage);
        let Stage { document, session, maps, particles, view } = stage;
        let (transform, response) = (drawn.transform, drawn.response);
        response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Canvas, true, "Canvas"));
        self.bounds = bounds_of(&transform);
        let brush = ui.painter().with_clip_rect(*transform.frame());
        let mut layers = maps.canvas_layers(document, view, ui.ctx());
        layers.extend(particles.density_layer());
        let has_map = maps.is_on_canvas(document, view) || particles.has_density();
        layers.extend(path_layer(spot.id, session, view));
        let mixture = start::shown(document, session, view, self.handles.is_dragging());
        if let Some(mixture) = mixture.as_ref().filter(|_| view.shown.components) {
            layers.push(components(mixture, view));
        }
        let (shown, both) = (frame_of(&transform), (&**document, &**session));
        layers.extend(self.workings.layers(spot.id, mixture.as_ref(), shown, both, view));
        let scene = scene(spot.id, bounds_of(&transform), layers, has_map, (document, session));
        self.paint(&brush, (&transform, &frame), spot.id, scene, view);
        if let Some(tool) = view.tool {
            let size = self.bounds.size();
            let reach = view.tool_radius * size[0].min(size[1]);
            let scaling = session.dataset().map_or(Scaling::NONE, |dataset| dataset.scaling);
            let hand = Hand { response: &response, transform: &transform, tool, reach, scaling };
            self.drawing.follow(ui, &hand, document, view);
            self.drawing.show_ui(ui, &brush, &hand, view);
        }
        let selected = view.selected;
        self.handles.show_ui(&brush, &transform, &response, (document, session), view);
        self.workings.show_ui(&brush, &transform, &response, (document, session), view);
        if self.flags.is_engaged() || self.workings.is_engaged() {
            // The click was theirs.
            view.selected = selected;
        }
        self.culprit = remedy::culprit_ui(&brush, &transform, session, view.theme.palette());
        self.area = *transform.frame();
        self.flags.show_ui(&brush, &transform, &response, session.shown(), view);
        let is_free = view.tool.is_none()
            && self.handles.leaves_clicks()
            && !self.flags.is_engaged()
            && !self.workings.is_engaged();
        maps.canvas_ui(&brush, &transform, &response, is_free, (document, view));
        if let Some(shown) = session.shown().filter(|_| is_free && !has_map) {
            let seen = (&*shown.mixture, session.dataset().map(|dataset| &**dataset));
            probe_ui(&brush, &transform, &response, seen, view);
        }
        let axes = [&frame.x, &frame.y];
        particles.canvas_ui(&brush, (&transform, axes), &response, is_free, view);
        // On a map there is something to see already.
        if !spot.is_alone {
            caption_ui(&brush, spot.id, document, session, view);
        }
        if session.problem().is_some() || (spot.is_alone && !has_map) {
            hint_ui(&brush, document, session, view);
        }
    }

    /// The plot of another run: a click chooses it.
    fn other_ui(&mut self, ui: &mut egui::Ui, spot: Spot, stage: &mut Stage<'_>) {
        let motion = Motion { is_drawing: false, is_held: false };
        let (frame, drawn) = self.frame_ui(ui, spot, motion, stage);
        let Stage { document, session, view, .. } = stage;
        let (transform, response) = (drawn.transform, drawn.response);
        let name = runs::name(&document.experiment, spot.id);
        let label = format!("Canvas of run {}: {name}", spot.id);
        response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Canvas, true, &label));
        if response.clicked() {
            view.run = spot.id;
            self.knows_choice = true;
        }
        let brush = ui.painter().with_clip_rect(*transform.frame());
        let mut layers: Vec<Layer> = path_layer(spot.id, session, view).into_iter().collect();
        let shown = session.track(spot.id).and_then(Track::shown);
        layers.extend(
            shown
                .filter(|_| view.shown.components)
                .map(|shown| plane::components(&shown.mixture, view.theme.palette())),
        );
        let (mixture, at) = (shown.map(|shown| &shown.mixture), frame_of(&transform));
        layers.extend(self.workings.layers(spot.id, mixture, at, (document, session), view));
        let scene = scene(spot.id, bounds_of(&transform), layers, false, (document, session));
        self.paint(&brush, (&transform, &frame), spot.id, scene, view);
        caption_ui(&brush, spot.id, document, session, view);
        let response = response.on_hover_cursor(egui::CursorIcon::PointingHand);
        if !self.knows_choice {
            response.on_hover_text_at_pointer(
                "Click to choose this run: the panels then tell of it and change it.",
            );
        }
    }

    /// A plot without content, moved by the hand or following another one.
    fn frame_ui(
        &mut self,
        ui: &mut egui::Ui,
        spot: Spot,
        motion: Motion,
        Stage { document, session, view, .. }: &Stage<'_>,
    ) -> (Plot, egui_plot::PlotResponse<()>) {
        let palette = view.theme.palette();
        let Motion { is_drawing, is_held } = motion;
        let dataset = session.dataset().filter(|_| !is_blank(document, session));
        let is_scaled = dataset.is_some_and(|dataset| dataset.scaling != Scaling::NONE);
        let mut frame = plane::plane("", self.bounds, is_scaled, Vec::new());
        // Side by side there is no room for what everybody knows.
        if !spot.is_alone {
            frame.x.label.clear();
            frame.y.label.clear();
        }
        let largest = dataset.map_or(1.0, |dataset| largest_side(dataset));
        let others = self.moved.filter(|(mover, _)| *mover != spot.id).map(|(_, bounds)| bounds);
        let wanted = self.home.or(others);
        let font_size = if spot.is_alone { 13.0 } else { 12.0 };
        let shown = plot::frame(&frame, palette, font_size, self.gutter)
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
                if let (Some(wanted), false) = (wanted, is_moved) {
                    plot_ui.set_plot_bounds(PlotBounds::from_min_max(wanted.min, wanted.max));
                }
                is_moved
            });
        let egui_plot::PlotResponse { inner, response, transform, hovered_plot_item } = shown;
        // The widest that was needed: circles stay circles, so that the range shown depends on the room beside the axis,
        // and its labels on the range. Plots side by side are equally large, too.
        let needed = transform.frame().left() - spot.rect.left();
        self.gutter = self.gutter.max(needed);
        let is_mover = self.moved.is_some_and(|(mover, _)| mover == spot.id);
        if inner || (is_mover && self.home.is_none()) {
            self.home = None;
            self.moved = Some((spot.id, bounds_of(&transform)));
        }
        (frame, egui_plot::PlotResponse { inner: (), response, transform, hovered_plot_item })
    }

    /// The layers of a run, on its plot.
    fn paint(
        &mut self,
        brush: &egui::Painter,
        (transform, frame): (&egui_plot::PlotTransform, &Plot),
        id: BranchId,
        scene: Scene<'_>,
        view: &View,
    ) {
        let ctx = self.ctx.clone();
        if let std::collections::btree_map::Entry::Vacant(place) = self.panes.entry(id) {
            // Without a thread there are no densities; training goes on, and the next frame tries again.
            let wake = move || ctx.request_repaint();
            let Ok(pane) = Pane::new(wake) else { return };
            place.insert(pane);
        }
        let Some(pane) = self.panes.get_mut(&id) else { return };
        pane.show_ui(brush, transform, frame, scene, view);
    }

    /// Another data set is shown whole; strokes and other settings leave the view where it is.
    fn fit_new_data(&mut self, session: &Session) {
        let Some(source) = session.source() else { return };
        let is_scaled = session.dataset().is_some_and(|data| data.scaling != Scaling::NONE);
        if self.fitted_to.as_ref().is_none_or(|(of, scaled)| of != source || *scaled != is_scaled) {
            self.fitted_to = Some((source.clone(), is_scaled));
            self.wants_fit = true;
            let largest = session.dataset().map_or(1.0, |dataset| largest_side(dataset));
            // A rectangle that neither the wheel nor a window's shape could give was made by hand.
            let is_in_reach = |bounds: &Bounds| {
                bounds.size().iter().any(|size| SIZES.contains(&(size / largest)))
            };
            if let Some(bounds) = self.awaited.take().filter(is_in_reach) {
                self.look_at(bounds);
            }
        }
    }
}

/// The longer side of where the data are.
fn largest_side(dataset: &Dataset) -> f64 {
    let size = dataset.bounds.with_margin(0.0).size();
    size[0].max(size[1])
}
