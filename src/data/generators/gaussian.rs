//! Generator: one Gaussian, N(0, I) until somebody stretches it.

use std::sync::Arc;

use super::Generator;
use crate::model::{Density, Mixture};
use crate::settings::{Kind, Setting, Settings};

/// The Gaussian.
pub static INFO: Generator = Generator {
    id: "gaussian",
    label: "Gaussian",
    help: "One Gaussian, the standard one until it is stretched and turned; the true density is known.",
    settings: &[&STD_MAJOR, &STD_MINOR, &ANGLE],
    generate: |settings, count, rng| mixture(settings).sample(count, rng),
    density: Some(|settings| Some(Arc::new(mixture(settings)))),
};

static STD_MAJOR: Setting = Setting {
    key: "std_major",
    label: "Along",
    help: "Standard deviation along the first axis.",
    kind: Kind::Number { default: 1.0, min: 0.05, max: 4.0, is_logarithmic: true },
    is_live: false,
};

static STD_MINOR: Setting = Setting {
    key: "std_minor",
    label: "Across",
    help: "Standard deviation along the second axis, at right angles to the first.",
    kind: Kind::Number { default: 1.0, min: 0.05, max: 4.0, is_logarithmic: true },
    is_live: false,
};

static ANGLE: Setting = Setting {
    key: "angle",
    label: "Angle in degrees",
    help: "How far the first axis is turned from the horizontal, counterclockwise.",
    kind: Kind::Number { default: 0.0, min: -90.0, max: 90.0, is_logarithmic: false },
    is_live: false,
};

fn mixture(settings: &Settings) -> Mixture {
    let [a, b] = [&STD_MAJOR, &STD_MINOR].map(|setting| settings.number(setting).powi(2));
    let (sin, cos) = settings.number(&ANGLE).to_radians().sin_cos();
    let covariance =
        [a * cos * cos + b * sin * sin, (a - b) * sin * cos, a * sin * sin + b * cos * cos];
    Mixture::new(&[1.0], &[[0.0; 2]], &[covariance]).expect("positive variances")
}
