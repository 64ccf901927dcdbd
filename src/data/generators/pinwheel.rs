//! Generator: a pinwheel of bent arms (Johnson et al., 2016).

use std::f64::consts::TAU;

use rand::RngExt;

use super::{Generator, normal};
use crate::model::Point;
use crate::random::Rng;
use crate::settings::{Kind, Setting, Settings};

/// The pinwheel.
pub static INFO: Generator = Generator {
    id: "pinwheel",
    label: "Pinwheel",
    help: "Thin Gaussians around the center, each bent into an arm.",
    settings: &[&ARMS, &RATE, &RADIAL_STD, &TANGENTIAL_STD],
    generate,
    // Where arms bend strongly, several places along one are the same point: there is no simple inverse.
    density: None,
};

static ARMS: Setting = Setting {
    key: "arms",
    label: "Arms",
    help: "How many arms the pinwheel has.",
    kind: Kind::Integer { default: 5, min: 1, max: 12 },
    is_live: false,
};

static RATE: Setting = Setting {
    key: "rate",
    label: "Bend",
    help: "How much the arms bend; 0 leaves them straight.",
    kind: Kind::Number { default: 0.25, min: 0.0, max: 1.0, is_logarithmic: false },
    is_live: false,
};

static RADIAL_STD: Setting = Setting {
    key: "radial_std",
    label: "Length",
    help: "Standard deviation along an arm.",
    kind: Kind::Number { default: 0.3, min: 0.0, max: 1.0, is_logarithmic: false },
    is_live: false,
};

static TANGENTIAL_STD: Setting = Setting {
    key: "tangential_std",
    label: "Width",
    help: "Standard deviation across an arm.",
    kind: Kind::Number { default: 0.1, min: 0.0, max: 1.0, is_logarithmic: false },
    is_live: false,
};

/// Makes the pinwheel as large as the other sets; FFJORD's choice.
const SCALE: f64 = 2.0;

fn generate(settings: &Settings, count: usize, rng: &mut Rng) -> Vec<Point> {
    let (arms, rate) = (settings.integer(&ARMS), settings.number(&RATE));
    let (along, across) = (settings.number(&RADIAL_STD), settings.number(&TANGENTIAL_STD));
    (0..count)
        .map(|_| {
            let arm = rng.random_range(0..arms) as f64;
            let (u, v) = (1.0 + along * normal(rng), across * normal(rng));
            let (sin, cos) = (TAU * arm / arms as f64 + rate * u.exp()).sin_cos();
            [SCALE * (cos * u + sin * v), SCALE * (cos * v - sin * u)]
        })
        .collect()
}
