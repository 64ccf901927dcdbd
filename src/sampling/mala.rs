//! Sampler: Metropolis-adjusted Langevin, whose steps are proposals.

use std::sync::Arc;

use super::langevin::{moved, pushed};
use super::{Group, Kernel, Sampler, Told};
use crate::model::{Density, Point};
use crate::settings::{Kind, Setting};

/// Metropolis-adjusted Langevin.
pub static INFO: Sampler = Sampler {
    id: "mala",
    label: "Adjusted Langevin",
    short: "MALA",
    help: "A Langevin step as a proposal, accepted or rejected so that the density is met exactly, whatever the step \
           size.",
    settings: &[&STEP_SIZE],
    kernel: |settings, density| {
        Ok(Box::new(Mala { density, step_size: settings.number(&STEP_SIZE) }))
    },
};

static STEP_SIZE: Setting = Setting {
    key: "step_size",
    label: "Step size",
    help: "α in x ← x + α/2 · score + √α · noise; best where a bit more than half of the proposals are accepted.",
    kind: Kind::Number { default: 0.2, min: 1e-4, max: 4.0, is_logarithmic: true },
    is_live: true,
};

/// Besag (1994); Roberts and Tweedie (1996), section 1.4.1: the proposal is N(x + α/2 ∇log p(x), αI).
struct Mala {
    density: Arc<dyn Density>,
    step_size: f64,
}

impl Mala {
    /// log of the density of a proposal, up to a constant.
    fn log_proposal(&self, to: Point, pushed: Point) -> f64 {
        let d = [to[0] - pushed[0], to[1] - pushed[1]];
        -0.5 * (d[0] * d[0] + d[1] * d[1]) / self.step_size
    }
}

impl Kernel for Mala {
    fn advance(&self, group: &mut Group, _step: usize, watched: Option<usize>) -> Option<Told> {
        let here = group.known(|points| self.density.scores(points)).to_vec();
        let noise = group.noise();
        let push = |(&x, &(_, score)): (&Point, &(f64, Point))| pushed(x, score, self.step_size);
        let forward: Vec<Point> = group.points().iter().zip(&here).map(push).collect();
        let step = |(&x, z): (&Point, Point)| moved(x, z, self.step_size.sqrt());
        let proposals: Vec<Point> = forward.iter().zip(noise).map(step).collect();
        let there = self.density.scores(&proposals);
        let mut told = None;
        for (i, proposal) in proposals.into_iter().enumerate() {
            let from = group.points()[i];
            let back = pushed(proposal, there[i].1, self.step_size);
            let log_ratio = there[i].0 - here[i].0 + self.log_proposal(from, back)
                - self.log_proposal(proposal, forward[i]);
            let is_accepted = group.decide(i, proposal, there[i], log_ratio);
            if watched == Some(i) {
                told = Some(Told {
                    pushed: Some(forward[i]),
                    log_acceptance: Some(log_ratio),
                    is_accepted,
                    ..Told::moved(from, proposal)
                });
            }
        }
        told
    }
}
