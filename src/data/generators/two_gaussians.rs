//! Generator: two Gaussians far apart, the example of Song and Ermon (2019), section 3.2.2.

use std::sync::Arc;

use super::Generator;
use crate::model::{Density, Mixture};
use crate::settings::{Kind, Setting, Settings};

/// The two Gaussians.
pub static INFO: Generator = Generator {
    id: "two_gaussians",
    label: "Two Gaussians",
    help: "Two unit Gaussians so far apart that the score hardly shows their weights; the true density is known.",
    settings: &[&SEPARATION, &WEIGHT],
    generate: |settings, count, rng| mixture(settings).sample(count, rng),
    density: Some(|settings| Some(Arc::new(mixture(settings)))),
};

static SEPARATION: Setting = Setting {
    key: "separation",
    label: "Separation",
    help: "The means are at (s, s) and (−s, −s) for this s.",
    kind: Kind::Number { default: 5.0, min: 0.0, max: 10.0, is_logarithmic: false },
    is_live: false,
};

static WEIGHT: Setting = Setting {
    key: "weight",
    label: "Weight",
    help: "Share of the Gaussian at the upper right.",
    kind: Kind::Number { default: 0.8, min: 0.0, max: 1.0, is_logarithmic: false },
    is_live: false,
};

fn mixture(settings: &Settings) -> Mixture {
    let (s, weight) = (settings.number(&SEPARATION), settings.number(&WEIGHT));
    Mixture::new(&[weight, 1.0 - weight], &[[s, s], [-s, -s]], &[[1.0, 0.0, 1.0]; 2])
        .expect("shares and unit variances")
}
