//! Generator: circles around each other.

use std::f64::consts::TAU;
use std::sync::Arc;

use rand::RngExt;

use super::{Generator, noisy};
use crate::model::known::{Curve, around};
use crate::model::{Density, Point};
use crate::random::Rng;
use crate::settings::{Kind, Setting, Settings};

/// The concentric rings.
pub static INFO: Generator = Generator {
    id: "rings",
    label: "Rings",
    help: "Circles around each other, each with the same number of points.",
    settings: &[&N_RINGS, &NOISE],
    generate,
    density: Some(density),
};

static N_RINGS: Setting = Setting {
    key: "n_rings",
    label: "Rings",
    help: "How many circles there are; the outermost has radius 3.",
    kind: Kind::Integer { default: 4, min: 1, max: 10 },
    is_live: false,
};

static NOISE: Setting = Setting {
    key: "noise",
    label: "Noise",
    help: "Standard deviation of the noise around the circles.",
    kind: Kind::Number { default: 0.08, min: 0.0, max: 1.0, is_logarithmic: false },
    is_live: false,
};

const OUTERMOST: f64 = 3.0;

fn generate(settings: &Settings, count: usize, rng: &mut Rng) -> Vec<Point> {
    let (rings, noise) = (settings.integer(&N_RINGS), settings.number(&NOISE));
    (0..count)
        .map(|_| {
            let radius = OUTERMOST * rng.random_range(1..=rings) as f64 / rings as f64;
            let (sin, cos) = (TAU * rng.random::<f64>()).sin_cos();
            noisy([radius * cos, radius * sin], noise, rng)
        })
        .collect()
}

fn density(settings: &Settings) -> Option<Arc<dyn Density>> {
    let (rings, noise) = (settings.integer(&N_RINGS), settings.number(&NOISE));
    let circles = (1..=rings).flat_map(|ring| {
        let circle = around([0.0; 2], OUTERMOST * ring as f64 / rings as f64, noise);
        circle.into_iter().map(move |(place, share)| (place, share / rings as f64))
    });
    Some(Arc::new(Curve::new(&circles.collect::<Vec<_>>(), noise)?))
}
