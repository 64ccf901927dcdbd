//! Generator: a circle with a Gaussian profile across.

use std::sync::Arc;

use super::Generator;
use crate::model::Density;
use crate::model::known::Donut;
use crate::settings::{Kind, Setting, Settings};

/// The donut.
pub static INFO: Generator = Generator {
    id: "donut",
    label: "Donut",
    help: "A circle with a hole that walkers have to go around; the true density is known.",
    settings: &[&RADIUS, &THICKNESS],
    generate: |settings, count, rng| donut(settings).sample(count, rng),
    density: Some(|settings| Some(Arc::new(donut(settings)))),
};

static RADIUS: Setting = Setting {
    key: "radius",
    label: "Radius",
    help: "Radius of the circle on which the density is largest.",
    kind: Kind::Number { default: 2.5, min: 1.0, max: 10.0, is_logarithmic: false },
    is_live: false,
};

static THICKNESS: Setting = Setting {
    key: "thickness",
    label: "Thickness",
    help: "Standard deviation of the profile across the circle.",
    kind: Kind::Number { default: 0.25, min: 0.05, max: 1.0, is_logarithmic: true },
    is_live: false,
};

fn donut(settings: &Settings) -> Donut {
    Donut::new(settings.number(&RADIUS), settings.number(&THICKNESS))
}
