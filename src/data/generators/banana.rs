//! Generator: a Gaussian bent along a parabola.

use std::sync::Arc;

use super::Generator;
use crate::model::Density;
use crate::model::known::Banana;
use crate::settings::{Kind, Setting, Settings};

/// The banana.
pub static INFO: Generator = Generator {
    id: "banana",
    label: "Banana",
    help: "A Gaussian bent along a parabola: no mixture of few Gaussians fits it; the true density is known.",
    settings: &[&LENGTH, &BEND, &THICKNESS],
    generate: |settings, count, rng| banana(settings).sample(count, rng),
    density: Some(|settings| Some(Arc::new(banana(settings)))),
};

static LENGTH: Setting = Setting {
    key: "length",
    label: "Length",
    help: "Standard deviation of the first coordinate.",
    kind: Kind::Number { default: 1.5, min: 0.1, max: 3.0, is_logarithmic: true },
    is_live: false,
};

static BEND: Setting = Setting {
    key: "bend",
    label: "Bend",
    help: "How much the banana bends; 0 leaves a Gaussian.",
    kind: Kind::Number { default: 0.5, min: 0.0, max: 2.0, is_logarithmic: false },
    is_live: false,
};

static THICKNESS: Setting = Setting {
    key: "thickness",
    label: "Thickness",
    help: "Standard deviation of the second coordinate where the first one is given.",
    kind: Kind::Number { default: 0.4, min: 0.05, max: 2.0, is_logarithmic: true },
    is_live: false,
};

fn banana(settings: &Settings) -> Banana {
    Banana {
        length: settings.number(&LENGTH),
        bend: settings.number(&BEND),
        thickness: settings.number(&THICKNESS),
    }
}
