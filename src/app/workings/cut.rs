//! Cut: the line across which composite score matching is looked at, and the hand that drags it.

use egui::{CursorIcon, Id, PointerButton, Pos2, Stroke as Pen, pos2};
use egui_plot::PlotTransform;

use crate::app::grip::{on_plane, on_screen};
use crate::app::handles::hint_ui;
use crate::app::plot::color32;
use crate::app::view::View;
use crate::data::Dataset;
use crate::model::Point;

/// Within this distance the line is grasped, in points of the screen.
const GRASP: f32 = 5.0;

/// Radius of the knob at its end.
const KNOB: f32 = 8.0;

/// From the knob's center to the edge of the canvas.
const FROM_EDGE: f32 = 16.0;

/// The cut may leave the points by this share of what they span.
const MARGIN: f64 = 0.25;

/// Where the plane is cut: across x₁, and across x₂. Without a choice through the middle of the data.
#[must_use]
pub fn cut_of(view: &View, dataset: &Dataset) -> Point {
    let bounds = dataset.bounds.with_margin(MARGIN);
    let middle = dataset.bounds.center();
    [0, 1].map(|axis| {
        let wanted = view.cut[axis].unwrap_or(middle[axis]);
        wanted.clamp(bounds.min[axis], bounds.max[axis])
    })
}

/// Moves the cut across an axis, as far as there are data.
pub fn put(view: &mut View, axis: usize, dataset: &Dataset, moved: impl FnOnce(f64) -> f64) {
    view.cut[axis] = Some(moved(cut_of(view, dataset)[axis]));
    // Not farther than it is drawn, or the way back would begin with nothing.
    view.cut[axis] = Some(cut_of(view, dataset)[axis]);
}

/// The hand on the cut.
#[derive(Default)]
pub struct Cut {
    /// Where the plot was in the last frame.
    plot: Option<(PlotTransform, Id)>,
    is_held: bool,
    /// True in the frame in which the button let go of it.
    has_let_go: bool,
    /// True once a hand has dragged it: it needs no more hints.
    is_known: bool,
}

impl Cut {
    /// True while a hand holds it, and in the frame in which it lets go.
    #[must_use]
    pub fn is_engaged(&self) -> bool {
        self.is_held || self.has_let_go
    }

    /// Turns the pointer into another cut across an axis, if there is one; true if nobody else must follow it.
    pub fn follow(
        &mut self,
        ui: &egui::Ui,
        is_free: bool,
        shown: Option<(usize, &Dataset)>,
        view: &mut View,
    ) -> bool {
        self.has_let_go = false;
        let (Some((axis, dataset)), Some((transform, id))) = (shown, self.plot) else {
            self.is_held = false;
            return false;
        };
        let is_over = ui.ctx().read_response(id).is_some_and(|r| r.contains_pointer());
        for event in ui.input(|input| input.events.clone()) {
            match event {
                egui::Event::PointerButton {
                    pos,
                    button: PointerButton::Primary,
                    pressed: true,
                    ..
                } if is_over => {
                    let line = place(&transform, axis, cut_of(view, dataset)[axis]);
                    self.is_held = is_at(pos, line, axis, is_free);
                }
                egui::Event::PointerMoved(pos) if self.is_held => {
                    self.is_known = true;
                    put(view, axis, dataset, |_| on_plane(&transform, pos)[axis]);
                }
                egui::Event::PointerButton {
                    button: PointerButton::Primary,
                    pressed: false,
                    ..
                } => self.has_let_go |= std::mem::take(&mut self.is_held),
                _ => {}
            }
        }
        self.is_engaged()
    }

    /// Draws the knob at the end of the line, and what to do with it.
    pub fn show_ui(
        &mut self,
        brush: &egui::Painter,
        (transform, response): (&PlotTransform, &egui::Response),
        shown: Option<(usize, &Dataset)>,
        view: &View,
    ) {
        self.plot = Some((*transform, response.id));
        let Some((axis, dataset)) = shown else { return };
        let palette = view.theme.palette();
        let center = place(transform, axis, cut_of(view, dataset)[axis]);
        let (accent, back) = (color32(palette.accent), color32(palette.plot_background));
        let hovered = response.hover_pos().filter(|at| is_at(*at, center, axis, true));
        let radius = if self.is_held || hovered.is_some() { KNOB + 1.5 } else { KNOB };
        brush.circle(center, radius, accent, Pen::new(2.0, back));
        // Two arrow heads say which way it goes.
        for sign in [-1.0, 1.0] {
            let tip = |along: f32, across: f32| {
                let (dx, dy) =
                    if axis == 0 { (sign * along, across) } else { (across, sign * along) };
                center + egui::vec2(dx, dy)
            };
            let head = vec![tip(5.5, 0.0), tip(2.0, 3.0), tip(2.0, -3.0)];
            brush.add(egui::Shape::convex_polygon(head, back, Pen::NONE));
        }
        if let Some(at) = hovered.filter(|_| view.tool.is_none()) {
            let icons = [CursorIcon::ResizeHorizontal, CursorIcon::ResizeVertical];
            response.ctx.set_cursor_icon(icons[axis]);
            if !self.is_known && !self.is_held {
                hint_ui(brush, at, "Drag the cut; comma and period move it, too", view);
            }
        }
    }
}

/// The knob's center: on the line, at the upper or the right edge.
fn place(transform: &PlotTransform, axis: usize, cut: f64) -> Pos2 {
    let frame = transform.frame();
    let at = on_screen(transform, [cut; 2]);
    if axis == 0 {
        pos2(at.x, frame.top() + FROM_EDGE)
    } else {
        pos2(frame.right() - FROM_EDGE, at.y)
    }
}

/// True if a place is on the knob, or on the line where that is free.
fn is_at(at: Pos2, knob: Pos2, axis: usize, is_free: bool) -> bool {
    let from_line = if axis == 0 { (at.x - knob.x).abs() } else { (at.y - knob.y).abs() };
    at.distance(knob) <= KNOB + 4.0 || (is_free && from_line <= GRASP)
}
