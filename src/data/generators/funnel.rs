//! Generator: Neal's funnel.

use std::sync::Arc;

use super::Generator;
use crate::model::Density;
use crate::model::known::Funnel;
use crate::settings::{Kind, Setting, Settings};

/// The funnel.
pub static INFO: Generator = Generator {
    id: "funnel",
    label: "Funnel",
    help: "Neal's funnel: its neck is so narrow that no step size of a sampler fits everywhere; the true density is \
           known.",
    settings: &[&SPREAD],
    generate: |settings, count, rng| funnel(settings).sample(count, rng),
    density: Some(|settings| Some(Arc::new(funnel(settings)))),
};

static SPREAD: Setting = Setting {
    key: "spread",
    label: "Spread",
    help: "Standard deviation of the second coordinate, the logarithm of the first one's variance; Neal's is 3.",
    kind: Kind::Number { default: 1.0, min: 0.1, max: 3.0, is_logarithmic: false },
    is_live: false,
};

fn funnel(settings: &Settings) -> Funnel {
    Funnel { spread: settings.number(&SPREAD) }
}
