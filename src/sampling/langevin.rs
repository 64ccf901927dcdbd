//! Sampler: unadjusted Langevin, a walk along the score with noise.

use std::sync::Arc;

use super::{Group, Kernel, Sampler, Told};
use crate::model::{Density, Point};
use crate::settings::{Kind, Setting};

/// Langevin.
pub static INFO: Sampler = Sampler {
    id: "langevin",
    label: "Langevin",
    short: "Langevin",
    help: "Half a step along the score, then noise: needs the score only, and hardly ever crosses a gap between modes.",
    settings: &[&STEP_SIZE],
    kernel: |settings, density| {
        Ok(Box::new(Langevin { density, step_size: settings.number(&STEP_SIZE) }))
    },
};

static STEP_SIZE: Setting = Setting {
    key: "step_size",
    label: "Step size",
    help: "α in x ← x + α/2 · score + √α · noise; too large, and the particles spread wider than the density.",
    kind: Kind::Number { default: 0.1, min: 1e-4, max: 4.0, is_logarithmic: true },
    is_live: true,
};

/// x ← x + α/2 ∇log p(x) + √α z with z ~ N(0, I): Song and Ermon (2019), eq. 4; Roberts and Tweedie (1996).
struct Langevin {
    density: Arc<dyn Density>,
    step_size: f64,
}

impl Kernel for Langevin {
    fn advance(&self, group: &mut Group, _step: usize, watched: Option<usize>) -> Option<Told> {
        advance(&*self.density, self.step_size, group, watched)
    }
}

/// One step of the size α on a density.
pub(super) fn advance(
    density: &dyn Density,
    step_size: f64,
    group: &mut Group,
    watched: Option<usize>,
) -> Option<Told> {
    let scores = density.scores(group.points());
    let noise = group.noise();
    let mut told = None;
    for (i, ((_, score), z)) in scores.into_iter().zip(noise).enumerate() {
        let from = group.points()[i];
        let pushed = pushed(from, score, step_size);
        let to = moved(pushed, z, step_size.sqrt());
        if watched == Some(i) {
            told = Some(Told { pushed: Some(pushed), ..Told::moved(from, to) });
        }
        group.go(i, to);
    }
    told
}

/// Where half a step along the score leads.
pub(super) fn pushed(x: Point, score: Point, step_size: f64) -> Point {
    moved(x, score, 0.5 * step_size)
}

/// x + factor · d.
pub(super) fn moved(x: Point, d: Point, factor: f64) -> Point {
    [x[0] + factor * d[0], x[1] + factor * d[1]]
}
