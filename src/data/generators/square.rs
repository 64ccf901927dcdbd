//! Generator: an even square, on which the identity behind score matching breaks.

use std::sync::Arc;

use super::Generator;
use crate::model::Density;
use crate::model::known::Boxes;
use crate::settings::{Kind, Setting, Settings};

/// The square.
pub static INFO: Generator = Generator {
    id: "square",
    label: "Square",
    help: "Points spread evenly over a square. Its score is zero inside, and implicit score matching leaves out what \
           happens on the edges: without noise, explicit minus implicit objective is no constant.",
    settings: &[&SIDE, &NOISE],
    generate: |settings, count, rng| square(settings).sample(count, rng),
    density: Some(|settings| Some(Arc::new(square(settings)))),
};

static SIDE: Setting = Setting {
    key: "side",
    label: "Side",
    help: "Length of a side.",
    kind: Kind::Number { default: 4.0, min: 1.0, max: 10.0, is_logarithmic: false },
    is_live: false,
};

static NOISE: Setting = Setting {
    key: "noise",
    label: "Noise",
    help: "Standard deviation of the noise that blurs the edges; with noise, score matching is right again.",
    kind: Kind::Number { default: 0.0, min: 0.0, max: 1.0, is_logarithmic: false },
    is_live: false,
};

fn square(settings: &Settings) -> Boxes {
    let (side, noise) = (settings.number(&SIDE), settings.number(&NOISE));
    Boxes::new(vec![([0.0; 2], 1.0)], [side; 2], [noise; 2])
}
