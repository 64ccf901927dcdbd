//! Drawing from a density by walking on it: samplers, one file each, and the list of them all.
//!
//! A [`Sampler`] is the declaration (name, help, knobs), a [`Kernel`] is one with its knobs chosen and its density
//! known, and a [`Walk`] is many particles that follow it.

mod annealed;
mod distance;
mod gibbs;
mod hmc;
mod langevin;
mod mala;
mod metropolis;
mod study;
mod walk;

pub use distance::{EnergyDistance, ModeShare, energy_distance, mode_shares};
pub use study::{Checkpoint, Study};
pub use walk::{Group, Told, Walk, cloud, spread};

use std::sync::Arc;

use crate::model::Density;
use crate::settings::{Setting, Settings};

/// A way of walking on a density: what it is called, its knobs, and how it is made.
#[derive(Debug)]
pub struct Sampler {
    /// Name in files and on the command line.
    pub id: &'static str,
    /// Name on screen.
    pub label: &'static str,
    /// Its short name on screen, where names stand side by side.
    pub short: &'static str,
    /// One sentence for the tooltip and for lists.
    pub help: &'static str,
    /// Its knobs.
    pub settings: &'static [&'static Setting],
    /// Makes the sampler of a density, or says why this density has none.
    pub kernel: fn(&Settings, Arc<dyn Density>) -> MadeKernel,
}

/// A sampler that is ready to walk, or why there is none.
pub type MadeKernel = Result<Box<dyn Kernel>, SamplerError>;

/// Why a sampler cannot walk on a density.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SamplerError {
    /// Annealing needs the score of the blurred density.
    #[error(
        "annealed Langevin needs the density under added noise, which is not known for a donut whose coordinates are \
         stretched differently: switch scaling off, or choose other data"
    )]
    NotBlurred,
    /// Gibbs sampling needs conditional distributions.
    #[error(
        "Gibbs sampling needs a mixture of Gaussians, whose conditional distributions are known"
    )]
    NotMixture,
}

/// A sampler of one density with chosen knobs: how particles move in one step.
pub trait Kernel: Send + Sync {
    /// Moves every particle of a group by one step, and tells the story of one of them if somebody watches it.
    ///
    /// `step` counts from 0 and `watched` is a place in the group.
    fn advance(&self, group: &mut Group, step: usize, watched: Option<usize>) -> Option<Told>;

    /// By how much noise the density is blurred on which it walks in this step, as a standard deviation; zero for all
    /// but annealing. [`Density::blurred`] is that density.
    fn noise(&self, _step: usize) -> f64 {
        0.0
    }

    /// After how many steps it is done; `None` if it goes on for ever.
    fn length(&self) -> Option<usize> {
        None
    }
}

/// Every sampler, in the order of menus.
pub static SAMPLERS: &[&Sampler] =
    &[&langevin::INFO, &annealed::INFO, &metropolis::INFO, &mala::INFO, &hmc::INFO, &gibbs::INFO];

/// The sampler with this id.
#[must_use]
pub fn find(id: &str) -> Option<&'static Sampler> {
    SAMPLERS.iter().copied().find(|sampler| sampler.id == id)
}
