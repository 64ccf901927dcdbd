//! Choices: what is asked for of the particles. Not part of the document: changing it is no change to undo.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::figures::Spacing;
use crate::model::Point;
use crate::sampling::{self, Sampler};
use crate::settings::Settings;

/// On which density particles walk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Target {
    /// The model at the step shown.
    Model,
    /// The known density of the data.
    Data,
}

/// Where particles start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ParticleStart {
    /// Evenly over what the canvas shows.
    Spread,
    /// From a Gaussian around the origin.
    Cloud,
    /// All at one place.
    Place,
}

/// How particles are sent over a density.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct SamplingView {
    /// Over which.
    pub target: Target,
    /// The sampler, by its id.
    #[serde(skip)]
    pub sampler: &'static str,
    /// Knobs of the samplers, by their ids.
    #[serde(skip)]
    pub knobs: BTreeMap<&'static str, Settings>,
    /// How many particles there are.
    pub count: usize,
    /// Where they start.
    pub start: ParticleStart,
    /// Standard deviation of the cloud.
    pub scale: f64,
    /// The one place.
    pub place: Point,
    /// Seed of the start, of the steps and of the exact samples.
    pub seed: u64,
    /// Position of the speed slider: 2ᵛ steps per second; [`SamplingView::FASTEST`] for no limit.
    pub speed: f64,
    /// A walk pauses at multiples of this many steps.
    pub stretch: usize,
    /// The particle whose step is told, counted from 0.
    pub particle: usize,
    /// True with the particles on the canvas.
    pub has_particles: bool,
    /// True with exact samples beside them.
    pub has_exact: bool,
    /// Spacing of the steps below the energy distance.
    pub spacing: Spacing,
}

impl SamplingView {
    /// The end of the speed slider, where there is no limit.
    pub const FASTEST: f64 = 12.0;

    /// The sampler that is chosen.
    #[must_use]
    pub fn sampler(&self) -> &'static Sampler {
        sampling::find(self.sampler).unwrap_or(sampling::SAMPLERS[0])
    }

    /// Its knobs.
    #[must_use]
    pub fn settings(&self) -> Settings {
        self.knobs.get(self.sampler).cloned().unwrap_or_default()
    }

    /// Steps per second that the speed slider asks for; `None` for as fast as it goes.
    #[must_use]
    pub fn pace(&self) -> Option<f64> {
        (self.speed < SamplingView::FASTEST).then(|| self.speed.exp2())
    }
}

impl Default for SamplingView {
    fn default() -> SamplingView {
        SamplingView {
            target: Target::Model,
            sampler: sampling::SAMPLERS[0].id,
            knobs: BTreeMap::new(),
            count: 1000,
            start: ParticleStart::Spread,
            scale: 1.0,
            place: [0.0; 2],
            seed: 0,
            speed: 5.0,
            stretch: 1000,
            particle: 0,
            has_particles: true,
            has_exact: true,
            spacing: Spacing::Linear,
        }
    }
}
