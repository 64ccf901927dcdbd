//! Handles: components as objects on the canvas, to be dragged by their mean, their axes, a knob and a ring.

use egui::{Align2, Color32, CursorIcon, FontId, Id, Key, Modifiers, PointerButton, Pos2, Rect};
use egui::{Shape, Stroke as Pen, Vec2, vec2};
use egui_plot::{PlotPoint, PlotTransform};

use super::document::Document;
use super::plot::color32;
use super::session::Session;
use super::start::{self, Editable};
use super::theme;
use super::view::View;
use crate::algorithms::given::{self, GivenComponent};
use crate::model::{CovarianceType, Ellipse, Mixture, Point};

/// A press that moves by less than this is a click. In points of the screen, as everything below.
const DRAG_THRESHOLD: f32 = 4.0;

/// Within this distance a handle is grasped.
const GRASP: f32 = 9.0;

/// Within this distance of a mean or an outline, a component shows its handles.
const NEARNESS: f32 = 14.0;

/// Ends of axes keep this distance from the mean, so that a small component can be grasped.
const LEAST_REACH: f32 = 28.0;

/// From the end of the longer axis to the knob that turns.
const KNOB_DISTANCE: f32 = 24.0;

/// Radius of the ring whose filled part is the weight.
const RING_RADIUS: f32 = 16.0;

/// What of a component can be dragged.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Handle {
    /// Its mean.
    Mean,
    /// An end of its longer (0) or shorter (1) axis, and on which side.
    Axis(usize, f64),
    /// The knob that turns it.
    Turn,
    /// The end of the arc that is its weight.
    Weight,
}

impl Handle {
    fn hint(self) -> &'static str {
        match self {
            Handle::Mean => "Drag to move it, click for its weight; arrow keys move it by a pixel",
            Handle::Axis(..) => "Drag to stretch it",
            Handle::Turn => "Drag to turn it",
            Handle::Weight => "Drag around to make it heavier",
        }
    }
}

/// What the pressed button holds.
struct Grip {
    handle: Handle,
    index: usize,
    pressed_at: Pos2,
    /// The same place on the plane.
    from: Point,
    is_moving: bool,
    /// All components as they were when the button went down.
    before: Vec<GivenComponent>,
    /// The held one's mean and ellipse then, as shown.
    mean: Point,
    ellipse: Ellipse,
    weight: f64,
    step: Option<usize>,
}

/// The handles and what holds them.
#[derive(Default)]
pub struct Handles {
    /// Where the plot was in the last frame: what the pointer of this one aims at.
    plot: Option<(PlotTransform, Id)>,
    hovered: Option<usize>,
    grip: Option<Grip>,
    /// True in the frame in which the button let go of a handle.
    has_let_go: bool,
    /// True once a hand has dragged something: it needs no more hints.
    is_known: bool,
}

impl Handles {
    /// True while a component is being dragged.
    #[must_use]
    pub fn is_dragging(&self) -> bool {
        self.grip.as_ref().is_some_and(|grip| grip.is_moving)
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
                            start::put(document, moved, grip.step.take());
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
        start::put(document, components, step);
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
        if !view.shown.components || view.tool.is_some() {
            return;
        }
        let is_beside = !self.has_let_go && self.grip.is_none();
        if is_beside && response.clicked() {
            view.selected = None;
        }
        if is_beside
            && response.double_clicked()
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

impl Grip {
    /// All components once the pointer is here.
    fn moved(
        &mut self,
        at: Pos2,
        transform: &PlotTransform,
        editable: &Editable,
    ) -> Vec<GivenComponent> {
        let mut moved = self.before.clone();
        let Editable { scaling, covariance_type, .. } = editable;
        let to = on_plane(transform, at);
        let [dx, dy] = [to[0] - self.from[0], to[1] - self.from[1]];
        let mut ellipse = self.ellipse;
        match self.handle {
            Handle::Mean => {
                moved[self.index].mean = scaling.undo([self.mean[0] + dx, self.mean[1] + dy]);
                return moved;
            }
            Handle::Weight => {
                let [right, up] = [at.x, at.y].map(f64::from);
                let center = on_screen(transform, self.mean);
                let turn = (right - f64::from(center.x)).atan2(f64::from(center.y) - up);
                let mut weight = turn.rem_euclid(std::f64::consts::TAU) / std::f64::consts::TAU;
                // Past the top it stays full, or empty.
                if (weight - self.weight).abs() > 0.5 {
                    weight = self.weight.round();
                }
                self.weight = weight;
                given::set_weight(&mut moved, self.index, weight);
                return moved;
            }
            Handle::Axis(axis, side) => {
                let (sin, cos) =
                    (ellipse.angle + axis as f64 * std::f64::consts::FRAC_PI_2).sin_cos();
                let least = 2.0 / transform.dpos_dvalue_x().abs();
                let length = ellipse.semi_axes[axis] + side * (dx * cos + dy * sin);
                ellipse.semi_axes[axis] = length.max(least);
                if *covariance_type == CovarianceType::Spherical {
                    ellipse.semi_axes = [ellipse.semi_axes[axis]; 2];
                }
            }
            Handle::Turn => {
                let angle = |p: Point| (p[1] - self.mean[1]).atan2(p[0] - self.mean[0]);
                ellipse.angle += angle(to) - angle(self.from);
            }
        }
        let covariance = given::covariance(ellipse);
        let scaled = GivenComponent { weight: self.weight, mean: self.mean, covariance };
        let covariance = scaled.unscaled(scaling).covariance;
        given::set_covariance(&mut moved, self.index, covariance, *covariance_type);
        moved
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
        start::put(document, components, step);
    }
}

fn on_screen(transform: &PlotTransform, [x, y]: Point) -> Pos2 {
    transform.position_from_point(&PlotPoint::new(x, y))
}

fn on_plane(transform: &PlotTransform, at: Pos2) -> Point {
    let value = transform.value_from_position(at);
    [value.x, value.y]
}

fn nearest_within(distances: impl Iterator<Item = f32>, reach: f32) -> Option<usize> {
    let near = distances.enumerate().filter(|(_, distance)| *distance <= reach);
    near.min_by(|a, b| a.1.total_cmp(&b.1)).map(|(k, _)| k)
}

/// Direction on screen and length of both axes.
fn axes(transform: &PlotTransform, ellipse: Ellipse) -> [(Vec2, f32); 2] {
    let (sin, cos) = ellipse.angle.sin_cos();
    let pixels = transform.dpos_dvalue_x().abs();
    let length = |axis: usize| ((ellipse.semi_axes[axis] * pixels) as f32).max(LEAST_REACH);
    let (sin, cos) = (sin as f32, cos as f32);
    [(vec2(cos, -sin), length(0)), (vec2(-sin, -cos), length(1))]
}

/// The ends of both axes and the knob that turns.
fn ends(transform: &PlotTransform, mean: Point, ellipse: Ellipse) -> Vec<(Handle, Pos2)> {
    let center = on_screen(transform, mean);
    let mut places = Vec::with_capacity(7);
    for (axis, (direction, length)) in axes(transform, ellipse).into_iter().enumerate() {
        for side in [1.0, -1.0] {
            places.push((Handle::Axis(axis, side), center + side as f32 * length * direction));
        }
    }
    let [(direction, length), _] = axes(transform, ellipse);
    places.push((Handle::Turn, center + (length + KNOB_DISTANCE) * direction));
    places
}

/// Where a component's handles are.
fn places(
    editable: &Editable,
    k: usize,
    is_selected: bool,
    transform: &PlotTransform,
) -> Vec<(Handle, Pos2)> {
    let (Some(shown), Some(given)) =
        (editable.shown.components().get(k), editable.components.get(k))
    else {
        return Vec::new();
    };
    let gaussian = shown.gaussian;
    let mut places = ends(transform, gaussian.mean, gaussian.cholesky.ellipse(1.0));
    let can_turn = matches!(editable.covariance_type, CovarianceType::Full | CovarianceType::Tied);
    places.retain(|(handle, _)| can_turn || *handle != Handle::Turn);
    let center = on_screen(transform, gaussian.mean);
    places.push((Handle::Mean, center));
    if is_selected && editable.components.len() > 1 {
        places.push((Handle::Weight, center + RING_RADIUS * around(given.weight)));
    }
    places
}

/// Clockwise from the top by a share of the full turn.
fn around(share: f64) -> Vec2 {
    let (sin, cos) = (share * std::f64::consts::TAU).sin_cos();
    vec2(sin as f32, -cos as f32)
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
fn hint_ui(brush: &egui::Painter, at: Pos2, text: &str, view: &View) {
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
