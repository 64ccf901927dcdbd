//! Generator: two interleaving half circles, as scikit-learn's `make_moons`.

use std::f64::consts::PI;
use std::sync::Arc;

use rand::RngExt;

use super::{Generator, half, noisy};
use crate::model::known::{Curve, along};
use crate::model::{Density, Point};
use crate::random::Rng;
use crate::settings::{Kind, Setting, Settings};

/// The half moons.
pub static INFO: Generator = Generator {
    id: "halfmoons",
    label: "Half moons",
    help: "Two interleaving half circles with noise, as scikit-learn's make_moons.",
    settings: &[&NOISE],
    generate,
    density: Some(density),
};

static NOISE: Setting = Setting {
    key: "noise",
    label: "Noise",
    help: "Standard deviation of the noise around the half circles of radius 1.",
    kind: Kind::Number { default: 0.1, min: 0.0, max: 1.0, is_logarithmic: false },
    is_live: false,
};

fn generate(settings: &Settings, count: usize, rng: &mut Rng) -> Vec<Point> {
    let noise = settings.number(&NOISE);
    (0..count)
        .map(|_| {
            let t = rng.random();
            let is_upper: bool = rng.random();
            noisy(on_half_circle(t, is_upper), noise, rng)
        })
        .collect()
}

/// The point at a share t of one of the half circles.
fn on_half_circle(t: f64, is_upper: bool) -> Point {
    let (sin, cos) = (PI * t).sin_cos();
    if is_upper { [cos, sin] } else { [1.0 - cos, 0.5 - sin] }
}

fn density(settings: &Settings) -> Option<Arc<dyn Density>> {
    let noise = settings.number(&NOISE);
    let nodes =
        [true, false].map(|is_upper| half(along(|t| on_half_circle(t, is_upper), |_| 1.0, noise)));
    Some(Arc::new(Curve::new(&nodes.concat(), noise)?))
}
