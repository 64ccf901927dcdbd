//! Generator: two interleaving half circles, as scikit-learn's `make_moons`.

use std::f64::consts::PI;

use rand::RngExt;

use super::{Generator, noisy};
use crate::model::Point;
use crate::random::Rng;
use crate::settings::{Kind, Setting, Settings};

/// The half moons.
pub static INFO: Generator = Generator {
    id: "halfmoons",
    label: "Half moons",
    help: "Two interleaving half circles with noise, as scikit-learn's make_moons.",
    settings: &[&NOISE],
    generate,
    density: None,
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
            let (sin, cos) = (PI * rng.random::<f64>()).sin_cos();
            let is_upper: bool = rng.random();
            let on_circle = if is_upper { [cos, sin] } else { [1.0 - cos, 0.5 - sin] };
            noisy(on_circle, noise, rng)
        })
        .collect()
}
