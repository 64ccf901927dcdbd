//! Generator: equal Gaussians on a circle.

use std::f64::consts::TAU;
use std::sync::Arc;

use super::Generator;
use crate::model::{Density, Mixture, Point};
use crate::settings::{Kind, Setting, Settings};

/// The ring of Gaussians.
pub static INFO: Generator = Generator {
    id: "ring",
    label: "Ring of Gaussians",
    help: "Equal Gaussians on a circle; the true density is known.",
    settings: &[&CENTERS, &RADIUS, &CLUSTER_STD],
    generate: |settings, count, rng| mixture(settings).sample(count, rng),
    density: Some(|settings| Some(Arc::new(mixture(settings)))),
};

static CENTERS: Setting = Setting {
    key: "centers",
    label: "Gaussians",
    help: "How many Gaussians stand on the circle.",
    kind: Kind::Integer { default: 8, min: 1, max: 64 },
    is_live: false,
};

static RADIUS: Setting = Setting {
    key: "radius",
    label: "Radius",
    help: "Radius of the circle.",
    kind: Kind::Number { default: 2.0, min: 0.0, max: 10.0, is_logarithmic: false },
    is_live: false,
};

static CLUSTER_STD: Setting = Setting {
    key: "cluster_std",
    label: "Standard deviation",
    help: "Standard deviation of every Gaussian.",
    kind: Kind::Number { default: 0.2, min: 0.01, max: 2.0, is_logarithmic: true },
    is_live: false,
};

fn mixture(settings: &Settings) -> Mixture {
    let count = settings.integer(&CENTERS);
    let radius = settings.number(&RADIUS);
    let variance = settings.number(&CLUSTER_STD).powi(2);
    let means: Vec<Point> = (0..count)
        .map(|k| {
            let (sin, cos) = (k as f64 / count as f64 * TAU).sin_cos();
            [radius * cos, radius * sin]
        })
        .collect();
    let weights = vec![1.0 / count as f64; count];
    Mixture::new(&weights, &means, &vec![[variance, 0.0, variance]; count])
        .expect("equal weights and positive variances")
}
