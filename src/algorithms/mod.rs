//! How an objective is minimized. [`ALGORITHMS`] is the list; every [`Algorithm`] starts from a mixture and steps.

mod adam;
pub mod em;
pub mod given;
mod gradient;
pub mod initial;
mod look;

mod operation;
pub mod plain;

pub use gradient::{BATCH_SIZE, Gradient, LEARNING_RATE, MAX_GRAD_NORM, Prepare};
pub use look::Look;

use std::sync::{Arc, LazyLock};

use serde::{Deserialize, Serialize};

use crate::model::{CovarianceType, Mixture, Point};
use crate::objectives::{
    ExplicitScoreMatching, NegativeLogLikelihood, OBJECTIVES, Objective, ObjectiveInfo,
    pass_evaluations,
};
use crate::random::{Purpose, generator};
use crate::settings::{Kind, Setting, Settings};

/// When training stops by itself.
pub static MAX_ITER: Setting = Setting {
    key: "max_iter",
    label: "Most steps",
    help: "Training pauses after this many steps, and again after as many more.",
    kind: Kind::Integer { default: 1_000, min: 1, max: 1_000_000 },
    is_live: true,
};

/// When training counts as converged.
pub static TOL: Setting = Setting {
    key: "tol",
    label: "Tolerance",
    help: "Training has converged when the objective changed by less than this in each of the last ten steps; \
           0 never stops.",
    kind: Kind::Number { default: 1e-6, min: 0.0, max: 0.1, is_logarithmic: true },
    is_live: true,
};

/// Seed of everything random in the training itself.
pub static RANDOM_STATE: Setting = Setting {
    key: "random_state",
    label: "Seed of the training",
    help: "Slices, noise and mini-batches are drawn from this seed.",
    kind: Kind::Seed,
    is_live: false,
};

/// All algorithms, in the order of menus: EM, gradient descent on every objective, and on the distance from the true
/// score.
pub static ALGORITHMS: LazyLock<Vec<AlgorithmInfo>> = LazyLock::new(|| {
    let gradients = OBJECTIVES.iter().map(|objective| gradient::info(objective));
    std::iter::once(em::info()).chain(gradients).chain([gradient::explicit_info()]).collect()
});

/// The algorithm with this id.
#[must_use]
pub fn find(id: &str) -> Option<&'static AlgorithmInfo> {
    ALGORITHMS.iter().find(|info| info.id == id)
}

/// What menus, files and the command line need to know of an algorithm.
pub struct AlgorithmInfo {
    /// Name in files and on the command line.
    pub id: &'static str,
    /// Name in menus.
    pub label: &'static str,
    /// A few letters for plots.
    pub short: &'static str,
    /// What it minimizes with the default settings, as text.
    pub formula: &'static str,
    /// What it does, in one sentence.
    pub help: &'static str,
    /// Its knobs.
    pub settings: Vec<&'static Setting>,
    follows: Follows,
}

/// Whose gradient an algorithm follows.
#[derive(Clone, Copy)]
enum Follows {
    /// None: EM.
    Nothing,
    /// That of an objective which asks for points only.
    Objective(&'static ObjectiveInfo),
    /// That of [`ExplicitScoreMatching`], which asks for the true scores at the points.
    TrueScores,
}

/// Where an algorithm starts.
#[derive(Debug, Clone)]
pub struct Start {
    /// The first mixture.
    pub mixture: Mixture,
    /// The points to learn from. At least one.
    pub points: Arc<[Point]>,
    /// Which covariances the components may have.
    pub covariance_type: CovarianceType,
    /// Added to the diagonal of every covariance, in squared units of the data.
    pub floor: f64,
    /// The score ∇ log p of the known density at every point, for algorithms that need it
    /// ([`AlgorithmInfo::needs_density`]); without it their objective is NaN.
    pub true_scores: Option<Arc<[Point]>>,
}

/// Why a step could not be taken. The algorithm stays at its last good mixture.
#[derive(Debug, Clone, PartialEq, thiserror::Error, Serialize, Deserialize)]
pub enum StepError {
    /// A covariance became singular.
    #[error(
        "component {index} has collapsed onto a point or a line near ({}, {}), where the objective has no bound: \
         raise the covariance floor (reg_covar), or start again elsewhere",
        rounded(.near[0]), rounded(.near[1])
    )]
    Collapsed {
        /// Which component, counted from 1.
        index: usize,
        /// Its last mean.
        near: Point,
    },
    /// A number became NaN or infinite.
    #[error(
        "the objective or its gradient is no longer finite: lower the learning rate, clip the gradient \
         (max_grad_norm), or raise the covariance floor (reg_covar)"
    )]
    NotFinite,
}

fn rounded(value: f64) -> String {
    format!("{value:.3}")
}

/// Something that improves a mixture step by step.
///
/// After every step the objective has been evaluated at the new mixture, so that what is shown belongs together.
pub trait Algorithm: Send {
    /// Takes one step. Settings may change from step to step where they are live.
    ///
    /// # Errors
    /// [`StepError`] if there is no finite next mixture; the last good one is kept.
    fn step(&mut self, settings: &Settings) -> Result<(), StepError>;

    /// The mixture reached so far.
    fn mixture(&self) -> &Mixture;

    /// The objective at that mixture; an estimate where slices or mini-batches are random.
    fn objective(&self) -> f64;

    /// The Euclidean norm of the objective's gradient there, before it is clipped; `None` where none is used.
    fn gradient_norm(&self) -> Option<f64>;

    /// How many training points the last evaluation of objective and gradient looked at.
    fn evaluated_points(&self) -> usize;

    /// The mean log-likelihood of all training points there, where the algorithm knows it anyway.
    fn train_log_likelihood(&self) -> Option<f64>;
}

impl AlgorithmInfo {
    /// True if a step depends on the steps before, by momentum or by what was drawn so far, and not on the mixture
    /// alone.
    #[must_use]
    pub fn has_memory(&self) -> bool {
        !matches!(self.follows, Follows::Nothing)
    }

    /// True if it compares with the true score, so that it exists only where the density of the data is known.
    #[must_use]
    pub fn needs_density(&self) -> bool {
        matches!(self.follows, Follows::TrueScores)
    }

    /// The algorithm at its start, the objective evaluated there.
    ///
    /// # Errors
    /// [`StepError::NotFinite`] if the objective is not finite at the start.
    pub fn start(
        &self,
        start: Start,
        settings: &Settings,
    ) -> Result<Box<dyn Algorithm>, StepError> {
        let prepare = match self.follows {
            Follows::Nothing => return Ok(Box::new(em::ExpectationMaximization::start(start)?)),
            Follows::Objective(objective) => gradient::prepare(objective, settings),
            Follows::TrueScores => gradient::explicit(&start),
        };
        Ok(Box::new(Gradient::start(start, settings, prepare)?))
    }

    /// What it minimizes with these settings, as text.
    #[must_use]
    pub fn formula_with(&self, settings: &Settings) -> &'static str {
        match self.follows {
            Follows::Objective(objective) => (objective.formula)(settings),
            Follows::Nothing | Follows::TrueScores => self.formula,
        }
    }

    /// What it minimizes, as a run with these settings evaluates it after this many steps: slices that are drawn are those of that step, and
    /// frozen. Of all points, also where a run looks at mini-batches. One that needs the true scores is NaN: make an
    /// [`ExplicitScoreMatching`] of them instead.
    #[must_use]
    pub fn objective_at(&self, settings: &Settings, step: usize) -> Arc<dyn Objective> {
        let objective = match self.follows {
            Follows::Nothing => return Arc::new(NegativeLogLikelihood),
            Follows::Objective(objective) => objective,
            Follows::TrueScores => return Arc::new(ExplicitScoreMatching::new(Arc::default())),
        };
        let mut rng = generator(settings.integer(&RANDOM_STATE) as u64, Purpose::Slices);
        pass_evaluations(settings, step, &mut rng);
        (objective.prepare)(settings, &mut rng)
    }
}
