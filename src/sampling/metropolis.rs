//! Sampler: Metropolis–Hastings with a Gaussian random walk.

use std::sync::Arc;

use super::langevin::moved;
use super::{Group, Kernel, Sampler, Told};
use crate::model::{Density, Point};
use crate::settings::{Kind, Setting};

/// Metropolis–Hastings.
pub static INFO: Sampler = Sampler {
    id: "metropolis",
    label: "Metropolis–Hastings",
    short: "Metropolis",
    help: "A step in a random direction, taken for sure uphill and with the ratio of the densities downhill; needs no \
           score.",
    settings: &[&PROPOSAL_STD],
    kernel: |settings, density| {
        Ok(Box::new(Metropolis { density, proposal_std: settings.number(&PROPOSAL_STD) }))
    },
};

static PROPOSAL_STD: Setting = Setting {
    key: "proposal_std",
    label: "Proposal",
    help: "Standard deviation of a proposed step in both coordinates: small steps are accepted and lead nowhere.",
    kind: Kind::Number { default: 0.5, min: 0.001, max: 20.0, is_logarithmic: true },
    is_live: true,
};

/// Metropolis et al. (1953); Hastings (1970). The proposal is symmetric, so that only densities count.
struct Metropolis {
    density: Arc<dyn Density>,
    proposal_std: f64,
}

impl Kernel for Metropolis {
    fn advance(&self, group: &mut Group, _step: usize, watched: Option<usize>) -> Option<Told> {
        let here = group.known(|points| self.density.scores(points)).to_vec();
        let noise = group.noise();
        let step = |(&x, z): (&Point, Point)| moved(x, z, self.proposal_std);
        let proposals: Vec<Point> = group.points().iter().zip(noise).map(step).collect();
        let there = self.density.scores(&proposals);
        let mut told = None;
        for (i, proposal) in proposals.into_iter().enumerate() {
            let from = group.points()[i];
            let log_ratio = there[i].0 - here[i].0;
            let is_accepted = group.decide(i, proposal, there[i], log_ratio);
            if watched == Some(i) {
                let log_acceptance = Some(log_ratio);
                told = Some(Told { log_acceptance, is_accepted, ..Told::moved(from, proposal) });
            }
        }
        told
    }
}
