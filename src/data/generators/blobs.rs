//! Generator: a mixture of Gaussians that is itself drawn at random.

use std::f64::consts::PI;
use std::sync::Arc;

use rand::RngExt;

use super::{Generator, normal};
use crate::model::{Density, Mixture, Point, Symmetric};
use crate::random::{Purpose, Rng, generator};
use crate::settings::{Kind, Setting, Settings};

/// The random mixture.
pub static INFO: Generator = Generator {
    id: "blobs",
    label: "Random blobs",
    help: "A mixture of Gaussians drawn at random; the true density is known.",
    settings: &[&CENTERS, &CLUSTER_STD, &BLOB_SEED],
    generate: |settings, count, rng| mixture(settings).sample(count, rng),
    density: Some(|settings| Some(Arc::new(mixture(settings)))),
};

static CENTERS: Setting = Setting {
    key: "centers",
    label: "Gaussians",
    help: "How many Gaussians the mixture has.",
    kind: Kind::Integer { default: 6, min: 1, max: 200 },
    is_live: false,
};

static CLUSTER_STD: Setting = Setting {
    key: "cluster_std",
    label: "Standard deviation",
    help: "Typical standard deviation of a Gaussian; each is up to twice as wide or half as wide.",
    kind: Kind::Number { default: 0.5, min: 0.01, max: 2.0, is_logarithmic: true },
    is_live: false,
};

static BLOB_SEED: Setting = Setting {
    key: "blob_seed",
    label: "Mixture",
    help: "Which random mixture; random_state draws other points from the same one.",
    kind: Kind::Seed,
    is_live: false,
};

/// Standard deviation of the means around the origin.
const SPREAD: f64 = 2.0;

/// Beyond every `random_state`: the mixture and the points never share their random numbers.
const SEED_OFFSET: u64 = 1 << 32;

fn mixture(settings: &Settings) -> Mixture {
    let count = settings.integer(&CENTERS);
    let typical = settings.number(&CLUSTER_STD);
    let seed = settings.integer(&BLOB_SEED) as u64 + SEED_OFFSET;
    let rng = &mut generator(seed, Purpose::Data);
    let mut weights = Vec::new();
    let mut means: Vec<Point> = Vec::new();
    let mut covariances = Vec::new();
    for _ in 0..count {
        // One at a time: with one more Gaussian, the others stay where they are.
        weights.push(rng.random_range(0.5..1.5));
        means.push([SPREAD * normal(rng), SPREAD * normal(rng)]);
        covariances.push(covariance(typical, rng));
    }
    let sum: f64 = weights.iter().sum();
    for weight in &mut weights {
        *weight /= sum;
    }
    Mixture::new(&weights, &means, &covariances).expect("shares and positive variances")
}

/// An ellipse in a random direction, both semi-axes within a factor of two of the typical one.
fn covariance(typical: f64, rng: &mut Rng) -> Symmetric {
    let [a, b] = [0; 2].map(|_: i32| (typical * rng.random_range(-1.0_f64..1.0).exp2()).powi(2));
    let (sin, cos) = (PI * rng.random::<f64>()).sin_cos();
    [a * cos * cos + b * sin * sin, (a - b) * sin * cos, a * sin * sin + b * cos * cos]
}
