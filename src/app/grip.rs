//! Grip: where the handles of a component are, and what dragging one does to it.

use egui::{Pos2, Vec2, vec2};
use egui_plot::{PlotPoint, PlotTransform};

use super::start::Editable;
use crate::algorithms::given::{self, GivenComponent};
use crate::model::{CovarianceType, Ellipse, Point};

/// What of a component can be dragged.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Handle {
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
    /// What a hand that does not know it yet is told.
    #[must_use]
    pub fn hint(self) -> &'static str {
        match self {
            Handle::Mean => "Drag to move it, click for its weight; arrow keys move it by a pixel",
            Handle::Axis(..) => "Drag to stretch it",
            Handle::Turn => "Drag to turn it",
            Handle::Weight => "Drag around to make it heavier",
        }
    }
}

/// What the pressed button holds.
pub struct Grip {
    /// Which handle.
    pub handle: Handle,
    /// Of which component, counted from 0.
    pub index: usize,
    /// Where on screen the button went down.
    pub pressed_at: Pos2,
    /// The same place on the plane.
    pub from: Point,
    /// True once it is a drag and no longer a click.
    pub is_moving: bool,
    /// All components as they were when the button went down.
    pub before: Vec<GivenComponent>,
    /// The held one's mean then, as shown.
    pub mean: Point,
    /// Its ellipse at one standard deviation then.
    pub ellipse: Ellipse,
    /// Its weight, as far as it has been turned.
    pub weight: f64,
    /// The step that the components were trained to, until it has been passed on.
    pub step: Option<usize>,
}

impl Grip {
    /// All components once the pointer is here.
    #[must_use]
    pub fn moved(
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
                // Past the top it stays full, or empty; straight across the ring it follows.
                if self.weight > 0.75 && weight < 0.25 {
                    weight = 1.0;
                } else if self.weight < 0.25 && weight > 0.75 {
                    weight = 0.0;
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

/// Ends of axes keep this distance from the mean, so that a small component can be grasped.
const LEAST_REACH: f32 = 28.0;

/// From the end of the longer axis to the knob that turns.
const KNOB_DISTANCE: f32 = 24.0;

/// Radius of the ring whose filled part is the weight.
pub const RING_RADIUS: f32 = 16.0;

/// Where a place on the plane is on screen.
#[must_use]
pub fn on_screen(transform: &PlotTransform, [x, y]: Point) -> Pos2 {
    transform.position_from_point(&PlotPoint::new(x, y))
}

/// Undoes [`on_screen`].
#[must_use]
pub fn on_plane(transform: &PlotTransform, at: Pos2) -> Point {
    let value = transform.value_from_position(at);
    [value.x, value.y]
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
#[must_use]
pub fn ends(transform: &PlotTransform, mean: Point, ellipse: Ellipse) -> Vec<(Handle, Pos2)> {
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
#[must_use]
pub fn places(
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
#[must_use]
pub fn around(share: f64) -> Vec2 {
    let (sin, cos) = (share * std::f64::consts::TAU).sin_cos();
    vec2(sin as f32, -cos as f32)
}
