//! Sampler: annealed Langevin, which walks on ever less blurred densities.

use std::sync::Arc;

use super::{Group, Kernel, Sampler, SamplerError, Told, langevin};
use crate::model::Density;
use crate::settings::{Kind, Setting, Settings};

/// Annealed Langevin.
pub static INFO: Sampler = Sampler {
    id: "annealed_langevin",
    label: "Annealed Langevin",
    short: "Annealed",
    help: "Langevin on the density blurred by much noise, then by less and less: finds every mode in its share.",
    settings: &[&STEP_SIZE, &SIGMA_MAX, &SIGMA_MIN, &LEVELS, &STEPS_PER_LEVEL],
    kernel: |settings, density| Ok(Box::new(Annealed::new(settings, &*density)?)),
};

// The constants of the toy experiment in the code of Song and Ermon (2019).
static STEP_SIZE: Setting = Setting {
    key: "step_size",
    label: "Step size",
    help: "α of the last level; on a level with noise σ it is α (σ / last σ)².",
    kind: Kind::Number { default: 0.1, min: 1e-4, max: 4.0, is_logarithmic: true },
    is_live: true,
};

static SIGMA_MAX: Setting = Setting {
    key: "sigma_max",
    label: "First noise",
    help: "Standard deviation of the noise on the first level: about as large as the data is wide.",
    kind: Kind::Number { default: 20.0, min: 0.01, max: 100.0, is_logarithmic: true },
    is_live: true,
};

static SIGMA_MIN: Setting = Setting {
    key: "sigma_min",
    label: "Last noise",
    help: "Standard deviation of the noise on the last level; the particles end on the density with this noise.",
    kind: Kind::Number { default: 1.0, min: 0.001, max: 10.0, is_logarithmic: true },
    is_live: true,
};

static LEVELS: Setting = Setting {
    key: "levels",
    label: "Levels",
    help: "How many levels there are from the first noise to the last; each has the same share of the one before.",
    kind: Kind::Integer { default: 10, min: 1, max: 100 },
    is_live: true,
};

static STEPS_PER_LEVEL: Setting = Setting {
    key: "steps_per_level",
    label: "Steps per level",
    help: "How many Langevin steps are made on every level.",
    kind: Kind::Integer { default: 100, min: 1, max: 10_000 },
    is_live: true,
};

/// Song and Ermon (2019), algorithm 1.
struct Annealed {
    levels: Vec<Level>,
    steps_per_level: usize,
}

struct Level {
    /// σ.
    noise: f64,
    /// The density of x + ε with ε ~ N(0, σ²I).
    density: Arc<dyn Density>,
    /// α (σ / last σ)².
    step_size: f64,
}

impl Annealed {
    fn new(settings: &Settings, density: &dyn Density) -> Result<Annealed, SamplerError> {
        let (first, last) = (settings.number(&SIGMA_MAX), settings.number(&SIGMA_MIN));
        let count = settings.integer(&LEVELS);
        let level = |i: usize| {
            let share = if count > 1 { i as f64 / (count - 1) as f64 } else { 1.0 };
            let noise = first.powf(1.0 - share) * last.powf(share);
            let step_size = settings.number(&STEP_SIZE) * (noise / last).powi(2);
            density.blurred([noise; 2]).map(|density| Level { noise, density, step_size })
        };
        let levels: Option<Vec<_>> = (0..count).map(level).collect();
        Ok(Annealed {
            levels: levels.ok_or(SamplerError::NotBlurred)?,
            steps_per_level: settings.integer(&STEPS_PER_LEVEL),
        })
    }

    /// The level of a step; after its end it stays on the last one.
    fn level(&self, step: usize) -> &Level {
        &self.levels[(step / self.steps_per_level).min(self.levels.len() - 1)]
    }
}

impl Kernel for Annealed {
    fn advance(&self, group: &mut Group, step: usize, watched: Option<usize>) -> Option<Told> {
        let Level { density, step_size, .. } = self.level(step);
        langevin::advance(&**density, *step_size, group, watched)
    }

    fn noise(&self, step: usize) -> f64 {
        self.level(step).noise
    }

    fn length(&self) -> Option<usize> {
        Some(self.levels.len() * self.steps_per_level)
    }
}
