//! Orders: what the particles' thread is asked for, and what it reports.

use std::sync::Arc;

use super::sheet::Sheet;
use crate::figures::Layer;
use crate::model::{Density, Point};
use crate::sampling::{Checkpoint, ModeShare, Sampler, Told};
use crate::settings::Settings;

/// On what the particles walk, and how.
#[derive(Clone)]
pub struct Plan {
    /// The sampler.
    pub sampler: &'static Sampler,
    /// Its knobs.
    pub settings: Settings,
    /// The density.
    pub density: Arc<dyn Density>,
}

/// What the thread is asked for.
pub enum Order {
    /// New particles at these places, with this seed.
    Begin(Plan, Vec<Point>, u64),
    /// Go on with the same particles in another way.
    Retune(Plan),
    /// Walk until the step count is a multiple of `stretch`, or annealing at its end if that is later.
    Play {
        /// Steps per second; `None` for as many as it can.
        pace: Option<f64>,
        /// That many steps.
        stretch: usize,
    },
    /// Stop.
    Pause,
    /// One step.
    Step,
    /// One step, and the story of this particle.
    Tell(usize),
    /// A picture of the density; the walk goes on.
    Paint(Sheet),
}

/// The particles after a step, and what is known of them.
#[derive(Clone, Default)]
pub struct Report {
    /// How many orders had been carried out.
    pub answered: u64,
    /// How many steps have been made.
    pub step: usize,
    /// Where the particles are.
    pub points: Arc<[Point]>,
    /// Where they were before, and what happened to the one that was asked for, if the last order was to tell.
    pub told: Option<(Arc<[Point]>, Told)>,
    /// Exact samples of the density.
    pub exact: Arc<[Point]>,
    /// How far both were apart, over the steps.
    pub curve: Vec<Checkpoint>,
    /// How the particles are spread over the modes of a mixture.
    pub shares: Vec<ModeShare>,
    /// Share of the proposals that were accepted, where some may not be.
    pub acceptance: Option<f64>,
    /// Mean |energy error| of the proposals, where there is an energy.
    pub energy_error: Option<f64>,
    /// Noise by which the density is blurred.
    pub noise: f64,
    /// The picture that was asked for last; `None` where the blurred density is not known.
    pub picture: Option<Layer>,
    /// True while more steps follow by themselves.
    pub is_playing: bool,
    /// Why nothing walks.
    pub problem: Option<String>,
}
