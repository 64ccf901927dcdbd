//! Handles: components as objects on the canvas, to be dragged by their mean, their axes, a knob and a ring.

use egui::{Align2, Color32, CursorIcon, FontId, Id, Key, Modifiers, PointerButton, Pos2, Rect};
use egui::{Shape, Stroke as Pen, Vec2, vec2};
use egui_plot::PlotTransform;

use super::document::Document;
use super::grip::{Grip, Handle, RING_RADIUS, around, ends, on_plane, on_screen, places};
use super::plot::color32;
use super::session::Session;
use super::start::{self, Editable};
use super::theme;
use super::view::View;
use crate::algorithms::given;
use crate::model::{Mixture, Point};

/// A press that moves by less than this is a click. In points of the screen, as everything below.
const DRAG_THRESHOLD: f32 = 4.0;

/// Within this distance a handle is grasped.
const GRASP: f32 = 9.0;

/// Within this distance of a mean or an outline, a component shows its handles.
const NEARNESS: f32 = 14.0;

/// The handles and what holds them.
#[derive(Default)]
pub struct Handles {
    /// Where the plot was in the last frame: what the pointer of this one aims at.
    plot: Option<(PlotTransform, Id)>,
    hovered: Option<usize>,
    grip: Option<Grip>,
    /// True in the frame in which the button let go of a handle.
    has_let_go: bool,
    /// True while the pointer is on a handle.
    is_over_handle: bool,
    /// True once a hand has dragged something: it needs no more hints.
    is_known: bool,
}

impl Handles {
    /// True while a component is being dragged.
    #[must_use]
    pub fn is_dragging(&self) -> bool {
        self.grip.as_ref().is_some_and(|grip| grip.is_moving)
    }

    /// True if a click on the canvas is not one on a handle.
    #[must_use]
    pub fn leaves_clicks(&self) -> bool {
        self.grip.is_none() && !self.has_let_go && !self.is_over_handle
    }

    /// Turns the pointer into changes of the start; true if the plot must not follow it. Call it before the plot.
    ///
    /// Every movement counts: a hand faster than a frame still presses where it pressed.
    pub fn follow(
        &mut self,
        ui: &egui::Ui,
        document: &mut Document,
        session: &Session,
        view: &mut View,
    ) -> bool {
        self.has_let_go = false;
        let Some((transform, id)) = self.plot else { return false };
        let is_on = view.shown.components && view.tool.is_none();
        let found = is_on.then(|| start::editable(document, session, view)).flatten();
        let Some(editable) = found else {
            (self.grip, self.hovered) = (None, None);
            return false;
        };
        view.selected = view.selected.filter(|k| *k < editable.components.len());
        let is_over = ui.ctx().read_response(id).is_some_and(|r| r.contains_pointer());
        for event in ui.input(|input| input.events.clone()) {
            match event {
                egui::Event::PointerButton {
                    pos,
                    button: PointerButton::Primary,
                    pressed: true,
                    ..
                } if is_over && transform.frame().contains(pos) => {
                    self.grip = self.grip_at(pos, &transform, &editable, view);
                    if self.grip.is_some() {
                        // Typing ends here, or the keys would go on to a field.
                        ui.memory_mut(egui::Memory::stop_text_input);
                    }
                }
                egui::Event::PointerMoved(pos) => {
                    if let Some(grip) = &mut self.grip {
                        if !grip.is_moving && pos.distance(grip.pressed_at) >= DRAG_THRESHOLD {
                            document.mark();
                            (grip.is_moving, self.is_known) = (true, true);
                        }
                        if grip.is_moving {
                            let moved = grip.moved(pos, &transform, &editable);
                            if !start::put(document, view, moved, grip.step.take()) {
                                self.grip = None;
                            }
                        }
                    }
                }
                egui::Event::PointerButton {
                    button: PointerButton::Primary,
                    pressed: false,
                    ..
                } => {
                    if let Some(grip) = self.grip.take() {
                        self.has_let_go = true;
                        view.selected = Some(grip.index);
                        if grip.is_moving {
                            document.mark();
                        }
                    }
                }
                _ => {}
            }
        }
        if self.grip.is_none() {
            let at = ui.input(|input| input.pointer.hover_pos()).filter(|_| is_over);
            self.hovered = at.and_then(|at| self.near(at, &transform, &editable.shown));
        }
        self.grip.is_some() || self.has_let_go
    }

    /// What a press at this place would hold: handles that are shown, then the nearest mean.
    fn grip_at(
        &self,
        at: Pos2,
        transform: &PlotTransform,
        editable: &Editable,
        view: &View,
    ) -> Option<Grip> {
        let distance = |place: Pos2| place.distance(at);
        let nearest = |places: Vec<(usize, Handle, Pos2)>| {
            let near = places.into_iter().filter(|place| distance(place.2) <= GRASP);
            near.min_by(|a, b| distance(a.2).total_cmp(&distance(b.2)))
        };
        let of = |k: usize| {
            let is_selected = view.selected == Some(k);
            let places = places(editable, k, is_selected, transform);
            places.into_iter().map(move |(handle, place)| (k, handle, place))
        };
        let means = || {
            let components = editable.shown.components().iter().enumerate();
            components.map(|(k, c)| (k, Handle::Mean, on_screen(transform, c.gaussian.mean)))
        };
        let (index, handle, _) = nearest(view.selected.into_iter().flat_map(of).collect())
            .or_else(|| nearest(self.hovered.into_iter().flat_map(of).collect()))
            .or_else(|| nearest(means().collect()))?;
        let gaussian = editable.shown.components().get(index)?.gaussian;
        Some(Grip {
            handle,
            index,
            pressed_at: at,
            from: on_plane(transform, at),
            is_moving: false,
            before: editable.components.clone(),
            mean: gaussian.mean,
            ellipse: gaussian.cholesky.ellipse(1.0),
            weight: editable.components.get(index)?.weight,
            step: editable.step,
        })
    }

    /// The component that the pointer is near: the one it was near before while it is on its handles, then the nearest
    /// mean, then the nearest outline.
    fn near(&self, at: Pos2, transform: &PlotTransform, mixture: &Mixture) -> Option<usize> {
        let components = mixture.components();
        let is_on_handle = |k: &usize| {
            components.get(*k).is_some_and(|c| {
                let ellipse = c.gaussian.cholesky.ellipse(1.0);
                let ends = ends(transform, c.gaussian.mean, ellipse);
                ends.into_iter().any(|(_, place)| place.distance(at) <= NEARNESS)
            })
        };
        if let Some(k) = self.hovered.filter(is_on_handle) {
            return Some(k);
        }
        let means = components.iter().map(|c| on_screen(transform, c.gaussian.mean).distance(at));
        let near_mean = nearest_within(means, NEARNESS);
        near_mean.or_else(|| {
            let pixels = transform.dpos_dvalue_x().abs();
            let outlines = components.iter().map(|c| {
                // One standard deviation away along the ray from the mean; as near as it matters.
                let place = on_plane(transform, at);
                let [a, b] = c.gaussian.whiten(place);
                let [dx, dy] = [place[0] - c.gaussian.mean[0], place[1] - c.gaussian.mean[1]];
                let radius = a.hypot(b).max(f64::MIN_POSITIVE);
                ((1.0 - 1.0 / radius).abs() * dx.hypot(dy) * pixels) as f32
            });
            nearest_within(outlines, NEARNESS / 2.0)
        })
    }

    /// Lets the keys move and release the selected component; those that do are consumed.
    pub fn follow_keys(
        &self,
        ctx: &egui::Context,
        document: &mut Document,
        session: &Session,
        view: &mut View,
    ) {
        let Some((transform, _)) = self.plot else { return };
        let Some(selected) = view.selected.filter(|_| !ctx.egui_wants_keyboard_input()) else {
            return;
        };
        if !view.shown.components || view.tool.is_some() {
            return;
        }
        if ctx.input_mut(|input| input.consume_key(Modifiers::NONE, Key::Escape)) {
            view.selected = None;
            return;
        }
        let mut pixels = Vec2::ZERO;
        ctx.input_mut(|input| {
            for (key, direction) in [
                (Key::ArrowLeft, vec2(-1.0, 0.0)),
                (Key::ArrowRight, vec2(1.0, 0.0)),
                (Key::ArrowUp, vec2(0.0, -1.0)),
                (Key::ArrowDown, vec2(0.0, 1.0)),
            ] {
                // The longer shortcut first, or the shorter would take it.
                for (modifiers, length) in [(Modifiers::SHIFT, 10.0), (Modifiers::NONE, 1.0)] {
                    let count = input.count_and_consume_key(modifiers, key);
                    pixels += direction * length * count as f32;
                }
            }
        });
        if pixels == Vec2::ZERO {
            return;
        }
        let Some(Editable { mut components, scaling, step, .. }) =
            start::editable(document, session, view)
        else {
            return;
        };
        let Some(component) = components.get_mut(selected) else { return };
        let [x, y] = scaling.apply(component.mean);
        let [right, up] = transform.dpos_dvalue();
        component.mean =
            scaling.undo([x + f64::from(pixels.x) / right, y + f64::from(pixels.y) / up]);
        // Quick presses are one change.
        if !document.is_in_flux() {
            document.mark();
        }
        start::put(document, view, components, step);
    }

    /// Takes note of where the plot is, answers clicks beside all handles, and draws the handles. Call it after the plot.
    pub fn show_ui(
        &mut self,
        brush: &egui::Painter,
        transform: &PlotTransform,
        response: &egui::Response,
        (document, session): (&mut Document, &Session),
        view: &mut View,
    ) {
        self.plot = Some((*transform, response.id));
        self.is_over_handle = false;
        if !view.shown.components || view.tool.is_some() {
            return;
        }
        let is_beside = !self.has_let_go && self.grip.is_none();
        if is_beside && response.clicked() {
            view.selected = None;
        }
        if is_beside
            && response.double_clicked()
            && !view.shows_basin()
            && let Some(at) = response.interact_pointer_pos()
        {
            add(on_plane(transform, at), document, session, view);
        }
        let Some(editable) = start::editable(document, session, view) else { return };
        let mut shown: Vec<usize> = view.selected.into_iter().collect();
        let hovered = self.grip.as_ref().map(|grip| grip.index).or(self.hovered);
        shown.extend(hovered.filter(|k| view.selected != Some(*k)));
        for k in shown {
            draw(brush, transform, &editable, k, view);
        }
        if let Some(at) = response.hover_pos().or(self.grip.as_ref().map(|grip| grip.pressed_at)) {
            let handle = match &self.grip {
                Some(grip) => Some(grip.handle),
                None => self.grip_at(at, transform, &editable, view).map(|grip| grip.handle),
            };
            self.is_over_handle = handle.is_some();
            if let Some(handle) = handle {
                let icon = if handle == Handle::Mean { CursorIcon::Move } else { CursorIcon::Grab };
                let icon = if self.is_dragging() { CursorIcon::Grabbing } else { icon };
                response.ctx.set_cursor_icon(icon);
                if !self.is_known && self.grip.is_none() {
                    hint_ui(brush, at, handle.hint(), view);
                }
            }
        }
    }
}

/// Adds a component at a place on the plane, and selects it.
fn add(place: Point, document: &mut Document, session: &Session, view: &mut View) {
    let Some(Editable { mut components, scaling, step, .. }) =
        start::editable(document, session, view)
    else {
        return;
    };
    if start::has_room(components.len()) {
        document.mark();
        given::add(&mut components, scaling.undo(place));
        view.selected = Some(components.len() - 1);
        start::put(document, view, components, step);
    }
}

fn nearest_within(distances: impl Iterator<Item = f32>, reach: f32) -> Option<usize> {
    let near = distances.enumerate().filter(|(_, distance)| *distance <= reach);
    near.min_by(|a, b| a.1.total_cmp(&b.1)).map(|(k, _)| k)
}

fn draw(
    brush: &egui::Painter,
    transform: &PlotTransform,
    editable: &Editable,
    k: usize,
    view: &View,
) {
    let palette = view.theme.palette();
    let (accent, back) = (color32(palette.accent), color32(palette.plot_background));
    let Some(component) = editable.shown.components().get(k) else { return };
    let is_selected = view.selected == Some(k);
    let gaussian = component.gaussian;
    let center = on_screen(transform, gaussian.mean);
    let outline = gaussian.cholesky.ellipse(1.0).outline(gaussian.mean, 72);
    let outline: Vec<Pos2> = outline.into_iter().map(|x| on_screen(transform, x)).collect();
    let width = if is_selected { 2.5 } else { 1.5 };
    brush.add(Shape::line(outline.clone(), Pen::new(width + 2.0, back.gamma_multiply(0.6))));
    brush.add(Shape::line(outline, Pen::new(width, accent)));
    let places = places(editable, k, is_selected, transform);
    for (handle, place) in &places {
        if let Handle::Axis(_, 1.0) | Handle::Turn = handle {
            brush.line_segment([center, *place], Pen::new(1.0, accent.gamma_multiply(0.6)));
        }
    }
    if let (true, Some(given)) = (is_selected, editable.components.get(k)) {
        brush.circle_stroke(center, RING_RADIUS, Pen::new(5.0, back.gamma_multiply(0.8)));
        brush.circle_stroke(center, RING_RADIUS, Pen::new(1.0, color32(palette.weak_text)));
        let arc =
            (0..=48).map(|i| center + RING_RADIUS * around(given.weight * f64::from(i) / 48.0));
        brush.add(Shape::line(arc.collect(), Pen::new(3.0, accent)));
        let text = format!("{:.1}%", 100.0 * given.weight);
        let font = FontId::proportional(15.0);
        let galley = brush.layout_no_wrap(text, font, color32(palette.text));
        let beside = center + vec2(RING_RADIUS + 9.0, 0.0);
        let rect = Align2::LEFT_CENTER.anchor_size(beside, galley.size());
        brush.rect_filled(rect.expand2(vec2(3.0, 0.0)), 3.0, back.gamma_multiply(0.7));
        brush.galley(rect.min, galley, Color32::PLACEHOLDER);
    }
    for (handle, place) in places {
        let rim = Pen::new(1.5, accent);
        match handle {
            Handle::Axis(..) => {
                let square = Rect::from_center_size(place, Vec2::splat(9.0));
                brush.rect(square, 1.5, back, rim, egui::StrokeKind::Middle);
            }
            Handle::Turn => {
                brush.circle(place, 5.5, back, rim);
            }
            Handle::Mean => {
                brush.circle(place, 5.5, accent, Pen::new(1.5, back));
            }
            Handle::Weight => {
                brush.circle(place, 4.5, accent, Pen::new(1.5, back));
            }
        }
    }
}

/// A line beside the pointer.
pub fn hint_ui(brush: &egui::Painter, at: Pos2, text: &str, view: &View) {
    let palette = view.theme.palette();
    let font = FontId::proportional(14.0);
    let galley = brush.layout_no_wrap(text.to_owned(), font, color32(palette.text));
    let rect = Align2::LEFT_TOP.anchor_size(at + vec2(16.0, 18.0), galley.size());
    let room = brush.clip_rect().shrink(12.0);
    let beyond =
        vec2((rect.right() - room.right()).max(0.0), (rect.bottom() - room.bottom()).max(0.0));
    let rect = rect.translate(-beyond);
    let fill = theme::panel_fill(view.theme).gamma_multiply(0.94);
    let edge = Pen::new(1.0, color32(palette.grid));
    brush.rect(rect.expand2(vec2(8.0, 5.0)), 6.0, fill, edge, egui::StrokeKind::Inside);
    brush.galley(rect.min, galley, Color32::PLACEHOLDER);
}
