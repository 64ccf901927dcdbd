//! Generator: two spiral arms, as in FFJORD (Grathwohl et al., 2019) and the thesis.

use std::f64::consts::{PI, TAU};
use std::sync::Arc;

use rand::RngExt;

use super::{Generator, half, noisy};
use crate::model::known::{Boxes, LEAST_NOISE, along};
use crate::model::{Density, Point};
use crate::random::Rng;
use crate::settings::{Kind, Setting, Settings};

/// The spirals.
pub static INFO: Generator = Generator {
    id: "spirals",
    label: "Spirals",
    help: "Two arms that wind around each other; the hardest set of the thesis.",
    settings: &[&TURNS, &NOISE],
    generate,
    density: Some(density),
};

static TURNS: Setting = Setting {
    key: "turns",
    label: "Turns",
    help: "How often each arm winds around the center; the arms always end at radius π.",
    kind: Kind::Number { default: 1.5, min: 0.25, max: 5.0, is_logarithmic: false },
    is_live: false,
};

static NOISE: Setting = Setting {
    key: "noise",
    label: "Noise",
    help: "Standard deviation of the noise around the arms.",
    kind: Kind::Number { default: 0.1, min: 0.0, max: 1.0, is_logarithmic: false },
    is_live: false,
};

/// Both coordinates of an arm move by up to this much, outward: half a unit in FFJORD, which then divides by 3.
const WIDTH: f64 = 0.5 / 3.0;

fn generate(settings: &Settings, count: usize, rng: &mut Rng) -> Vec<Point> {
    let (turns, noise) = (settings.number(&TURNS), settings.number(&NOISE));
    (0..count)
        .map(|_| {
            // The root spreads points evenly along the arm, whose length grows with the angle squared.
            let share = rng.random::<f64>().sqrt();
            let [x, y] = on_arm(share, turns).map(|v| v + WIDTH * rng.random::<f64>());
            let is_first: bool = rng.random();
            noisy(if is_first { [x, y] } else { [-x, -y] }, noise, rng)
        })
        .collect()
}

/// The inner corner of the first arm where its angle and radius are this share of their largest.
fn on_arm(share: f64, turns: f64) -> Point {
    let (sin, cos) = (share * turns * TAU).sin_cos();
    let radius = share * PI;
    [-cos * radius, sin * radius]
}

/// Every place of an arm is a box that is blurred by the noise.
fn density(settings: &Settings) -> Option<Arc<dyn Density>> {
    let (turns, noise) = (settings.number(&TURNS), settings.number(&NOISE));
    if noise < LEAST_NOISE {
        return None;
    }
    let arms = [1.0, -1.0].map(|sign| {
        let center = |t| on_arm(t, turns).map(|v| sign * (v + 0.5 * WIDTH));
        // The root of an even number has the density 2t.
        half(along(center, |t| 2.0 * t, noise))
    });
    Some(Arc::new(Boxes::new(arms.concat(), [WIDTH; 2], [noise; 2])))
}
