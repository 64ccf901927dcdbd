//! Generator: a rolled-up line, the flat cut through scikit-learn's `make_swiss_roll`.

use std::f64::consts::PI;
use std::sync::Arc;

use rand::RngExt;

use super::{Generator, noisy};
use crate::model::known::{Curve, along};
use crate::model::{Density, Point};
use crate::random::Rng;
use crate::settings::{Kind, Setting, Settings};

/// The Swiss roll.
pub static INFO: Generator = Generator {
    id: "swissroll",
    label: "Swiss roll",
    help: "A single line rolled up one and a half times, denser towards its inner end.",
    settings: &[&NOISE],
    generate,
    density: Some(density),
};

static NOISE: Setting = Setting {
    key: "noise",
    label: "Noise",
    help: "Standard deviation of the noise around the line.",
    kind: Kind::Number { default: 0.1, min: 0.0, max: 1.0, is_logarithmic: false },
    is_live: false,
};

/// The roll ends at radius 4.5 π; divided by this it is as large as the other sets. FFJORD's choice.
const SHRINK: f64 = 5.0;

fn generate(settings: &Settings, count: usize, rng: &mut Rng) -> Vec<Point> {
    let noise = settings.number(&NOISE);
    (0..count).map(|_| noisy(on_roll(rng.random()), noise, rng)).collect()
}

/// The point at a share t of the roll's angle.
fn on_roll(t: f64) -> Point {
    let angle = 1.5 * PI * (1.0 + 2.0 * t);
    let (sin, cos) = angle.sin_cos();
    let radius = angle / SHRINK;
    [radius * cos, radius * sin]
}

fn density(settings: &Settings) -> Option<Arc<dyn Density>> {
    let noise = settings.number(&NOISE);
    Some(Arc::new(Curve::new(&along(on_roll, |_| 1.0, noise), noise)?))
}
