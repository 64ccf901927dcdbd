//! Algorithm: gradient descent on an objective. θ as burn tensors, the objective as a burn operation, an optimizer
//! of burn's.

use std::sync::{Arc, Mutex, PoisonError};

use burn::module::{Module, Param, ParamId};
use burn::optim::momentum::MomentumConfig;
use burn::optim::{GradientsParams, ModuleOptimizer, SgdConfig};
use burn::tensor::{DType, Tensor, TensorData};
use rand::RngExt;

use super::adam::adam;
use super::operation::{Sight, Task, device, evaluate, numbers};
use super::{Algorithm, AlgorithmInfo, Follows, MAX_ITER, RANDOM_STATE, Start, StepError, TOL};
use crate::model::{CovarianceType, Mixture, Parameters};
use crate::objectives::kernel::between_passes;
use crate::objectives::{ExplicitScoreMatching, Objective, ObjectiveInfo};
use crate::random::{Purpose, Rng, generator};
use crate::settings::{Kind, Setting, Settings};

/// Which optimizer turns gradients into steps.
pub static OPTIMIZER: Setting = Setting {
    key: "optimizer",
    label: "Optimizer",
    help: "Adam adapts the step of every parameter; momentum (0.9) and plain SGD follow the gradient itself.",
    kind: Kind::Choice {
        default: "adam",
        options: &[("adam", "Adam"), ("momentum", "momentum"), ("sgd", "SGD")],
    },
    is_live: false,
};

/// Step size.
pub static LEARNING_RATE: Setting = Setting {
    key: "learning_rate",
    label: "Learning rate",
    help: "How far one step goes.",
    kind: Kind::Number { default: 0.03, min: 1e-6, max: 10.0, is_logarithmic: true },
    is_live: true,
};

/// How fast the learning rate falls.
pub static LR_HALF_LIFE: Setting = Setting {
    key: "lr_half_life",
    label: "Rate half-life",
    help: "The learning rate falls by half in this many steps; 0 keeps it constant.",
    kind: Kind::Integer { default: 0, min: 0, max: 100_000 },
    is_live: true,
};

/// Where the gradient is cut off.
pub static MAX_GRAD_NORM: Setting = Setting {
    key: "max_grad_norm",
    label: "Gradient clip",
    help: "A longer gradient is shortened to this Euclidean norm over all parameters; 0 never clips.",
    kind: Kind::Number { default: 0.0, min: 0.0, max: 1e6, is_logarithmic: true },
    is_live: true,
};

/// How many points each step looks at.
pub static BATCH_SIZE: Setting = Setting {
    key: "batch_size",
    label: "Mini-batch",
    help: "Each step looks at this many points drawn at random; 0 looks at all of them.",
    kind: Kind::Integer { default: 0, min: 0, max: 100_000 },
    is_live: true,
};

/// An objective's knobs with those of the descent.
fn settings(own: &[&'static Setting]) -> Vec<&'static Setting> {
    // What a lecture turns comes first.
    let (first, rest) = own.split_at(own.len().min(2));
    let mut settings = first.to_vec();
    settings.push(&LEARNING_RATE);
    settings.extend(rest);
    settings.extend([&OPTIMIZER, &LR_HALF_LIFE, &MAX_GRAD_NORM, &BATCH_SIZE]);
    settings.extend([&MAX_ITER, &TOL, &RANDOM_STATE]);
    settings
}

/// Explicit score matching: no entry of the list of objectives, because it cannot be prepared from settings alone.
pub(super) fn explicit_info() -> AlgorithmInfo {
    AlgorithmInfo {
        id: "esm",
        label: "Explicit score matching",
        short: "ESM",
        formula: "(1/N) Σ ½‖s(x) − ∇ log p(x)‖²",
        help: "Follows the true score itself, where the density p of the data is known: what all other kinds of score \
               matching approximate without knowing it.",
        settings: settings(&[]),
        follows: Follows::TrueScores,
    }
}

pub(super) fn info(objective: &'static ObjectiveInfo) -> AlgorithmInfo {
    AlgorithmInfo {
        id: objective.id,
        label: objective.label,
        short: objective.short,
        formula: (objective.formula)(&Settings::default()),
        help: objective.help,
        settings: settings(objective.settings),
        follows: Follows::Objective(objective),
    }
}

/// Gives the objective of the next evaluation.
pub enum Prepare {
    /// A fresh one (with slices of its own, say) for every evaluation.
    Drawn(&'static ObjectiveInfo, Box<Rng>),
    /// The same again and again.
    Same(Arc<dyn Objective>),
}

impl Prepare {
    fn next(&mut self, settings: &Settings) -> Arc<dyn Objective> {
        match self {
            Prepare::Drawn(objective, rng) => (objective.prepare)(settings, rng),
            Prepare::Same(objective) => objective.clone(),
        }
    }

    /// Where its generator is.
    fn position(&self) -> u128 {
        match self {
            Prepare::Drawn(_, rng) => rng.get_word_pos(),
            Prepare::Same(_) => 0,
        }
    }

    /// Back to where its generator was.
    fn go_back_to(&mut self, position: u128) {
        if let Prepare::Drawn(_, rng) = self {
            rng.set_word_pos(position);
        }
    }
}

/// From the beginning of a run's random vectors.
pub(super) fn prepare(objective: &'static ObjectiveInfo, settings: &Settings) -> Prepare {
    let rng = generator(settings.integer(&RANDOM_STATE) as u64, Purpose::Slices);
    Prepare::Drawn(objective, Box::new(rng))
}

/// The distance from the true scores of a start.
pub(super) fn explicit(start: &Start) -> Prepare {
    let true_scores = start.true_scores.clone().unwrap_or_default();
    Prepare::Same(Arc::new(ExplicitScoreMatching::new(true_scores)))
}

/// The points of the next mini-batch, drawn with replacement; `None` for all points.
pub(super) fn mini_batch(
    settings: &Settings,
    point_count: usize,
    batches: &mut Rng,
) -> Option<Arc<[u32]>> {
    let batch_size = batch_size(settings, point_count)?;
    Some((0..batch_size).map(|_| batches.random_range(0..point_count as u32)).collect())
}

/// Brings the generator of mini-batches to where it is after so many of them.
pub(super) fn pass_batches(
    settings: &Settings,
    count: usize,
    point_count: usize,
    batches: &mut Rng,
) {
    for _ in 0..count * batch_size(settings, point_count).unwrap_or(0) {
        let _ = batches.random_range(0..point_count as u32);
    }
}

/// How many points a mini-batch has; `None` where all points are looked at.
fn batch_size(settings: &Settings, point_count: usize) -> Option<usize> {
    Some(settings.integer(&BATCH_SIZE)).filter(|size| (1..point_count).contains(size))
}

/// The learnable parameters. Shapes: K, K × 2 and [`CovarianceType::factor_shape`].
#[derive(Module, Debug)]
struct Theta {
    logits: Param<Tensor<1>>,
    means: Param<Tensor<2>>,
    factors: Param<Tensor<2>>,
}

/// Gradient descent with the objective and its gradient evaluated at the current mixture.
pub struct Gradient {
    start: Start,
    prepare: Prepare,
    batches: Rng,
    optimizer: ModuleOptimizer,
    theta: Theta,
    state: Evaluated,
    sight: Arc<Mutex<Sight>>,
    /// What the learning rate has fallen to, as a share of the chosen one.
    decay: f64,
}

/// What is known at one θ.
struct Evaluated {
    mixture: Mixture,
    objective: f64,
    /// Points that it was evaluated on.
    point_count: usize,
    log_likelihood: Option<f64>,
    gradient: GradientsParams,
}

impl Gradient {
    /// Gradient descent on the objectives that `prepare` gives.
    ///
    /// # Errors
    /// [`StepError::NotFinite`] if the objective or its gradient is not finite at the start.
    pub fn start(
        start: Start,
        settings: &Settings,
        mut prepare: Prepare,
    ) -> Result<Gradient, StepError> {
        let optimizer = match settings.choice(&OPTIMIZER).as_str() {
            "sgd" => SgdConfig::new().init(),
            // burn's default dampens the gradient by 0.1; textbook momentum does not.
            "momentum" => SgdConfig::new()
                .with_momentum(Some(MomentumConfig::new().with_momentum(0.9).with_dampening(0.0)))
                .init(),
            _ => adam(),
        };
        let mut batches = generator(settings.integer(&RANDOM_STATE) as u64, Purpose::Batches);
        let theta = Theta::of(&Parameters::of(&start.mixture, start.covariance_type, start.floor));
        let sight = Arc::default();
        let state = theta.evaluate(&start, settings, &mut prepare, &mut batches, &sight)?;
        Ok(Gradient { start, prepare, batches, optimizer, theta, state, sight, decay: 1.0 })
    }
}

impl Algorithm for Gradient {
    fn step(&mut self, settings: &Settings) -> Result<(), StepError> {
        let learning_rate = settings.number(&LEARNING_RATE) * self.decay;
        let gradient = self.theta.clipped(&self.state.gradient, settings.number(&MAX_GRAD_NORM));
        // A step that fails leaves nothing behind: else the draws and the optimizer's moments were those of a course with
        // one step more.
        let mut optimizer = self.optimizer.clone();
        let before = (self.prepare.position(), self.batches.get_word_pos());
        let theta = between_passes(|| optimizer.step(learning_rate, self.theta.clone(), gradient));
        // Only a θ with a finite objective replaces the last one.
        let Gradient { start, prepare, batches, sight, .. } = &mut *self;
        self.state = match theta.evaluate(start, settings, prepare, batches, sight) {
            Ok(state) => state,
            Err(error) => {
                self.prepare.go_back_to(before.0);
                self.batches.set_word_pos(before.1);
                return Err(error);
            }
        };
        (self.optimizer, self.theta) = (optimizer, theta);
        // Step by step, so that another half-life chosen on the way acts from here on.
        if let half_life @ 1.. = settings.integer(&LR_HALF_LIFE) {
            self.decay *= 0.5_f64.powf(1.0 / half_life as f64);
        }
        Ok(())
    }

    fn mixture(&self) -> &Mixture {
        &self.state.mixture
    }

    fn objective(&self) -> f64 {
        self.state.objective
    }

    fn gradient_norm(&self) -> Option<f64> {
        Some(self.theta.norm(&self.state.gradient))
    }

    fn evaluated_points(&self) -> usize {
        self.state.point_count
    }

    fn train_log_likelihood(&self) -> Option<f64> {
        self.state.log_likelihood
    }
}

impl Theta {
    fn of(parameters: &Parameters) -> Theta {
        let device = device();
        let component_count = parameters.logits.len();
        let shape = parameters.covariance_type.factor_shape(component_count);
        let means = parameters.means.as_flattened().to_vec();
        let options = (&device, DType::F64);
        let logits = TensorData::new(parameters.logits.clone(), [component_count]);
        let means = TensorData::new(means, [component_count, 2]);
        let factors = TensorData::new(parameters.factors.clone(), shape);
        Theta {
            logits: Param::from_tensor(Tensor::from_data(logits, options)),
            means: Param::from_tensor(Tensor::from_data(means, options)),
            factors: Param::from_tensor(Tensor::from_data(factors, options)),
        }
    }

    /// The factors of all components, [log L₁₁, L₂₁, log L₂₂] each, as a differentiable function of θ. Shape: K × 3.
    fn full_factors(&self, covariance_type: CovarianceType) -> Tensor<2> {
        let factors = self.factors.val();
        let zeros = |like: &Tensor<2>| like.zeros_like();
        match covariance_type {
            CovarianceType::Full => factors,
            CovarianceType::Tied => factors.repeat_dim(0, self.logits.dims()[0]),
            CovarianceType::Spherical => {
                Tensor::cat(vec![factors.clone(), zeros(&factors), factors], 1)
            }
            CovarianceType::Diagonal => {
                let first = factors.clone().narrow(1, 0, 1);
                let second = factors.narrow(1, 1, 1);
                Tensor::cat(vec![first.clone(), zeros(&first), second], 1)
            }
        }
    }

    fn evaluate(
        &self,
        start: &Start,
        settings: &Settings,
        prepare: &mut Prepare,
        batches: &mut Rng,
        sight: &Arc<Mutex<Sight>>,
    ) -> Result<Evaluated, StepError> {
        let point_count = start.points.len();
        let indices = mini_batch(settings, point_count, batches);
        let evaluated_count = indices.as_ref().map_or(point_count, |indices| indices.len());
        let task = Task {
            objective: prepare.next(settings),
            points: start.points.clone(),
            indices,
            floor: start.floor,
            sight: sight.clone(),
        };
        let is_whole = task.indices.is_none();
        let factors = self.full_factors(start.covariance_type);
        let value = evaluate(self.logits.val(), self.means.val(), factors, task);
        let (mixture, objective, log_likelihood) = {
            let Sight { parameters, evaluation } =
                &*sight.lock().unwrap_or_else(PoisonError::into_inner);
            let mixture = parameters.mixture();
            if !mixture.is_finite() || !evaluation.is_finite() {
                return Err(StepError::NotFinite);
            }
            (mixture, evaluation.value, evaluation.log_likelihood)
        };
        Ok(Evaluated {
            mixture,
            objective,
            point_count: evaluated_count,
            log_likelihood: is_whole.then_some(log_likelihood),
            gradient: between_passes(|| GradientsParams::from_grads(value.backward(), self)),
        })
    }

    /// The Euclidean norm of the whole gradient.
    fn norm(&self, gradient: &GradientsParams) -> f64 {
        let squares = square_sum(gradient.get::<1>(self.logits.id))
            + square_sum(gradient.get::<2>(self.means.id))
            + square_sum(gradient.get::<2>(self.factors.id));
        squares.sqrt()
    }

    /// The gradient, shortened to `max_norm` if it is longer; 0 never shortens.
    ///
    /// burn clips every tensor by its own norm; here, as in the literature (Pascanu et al. 2013), the norm is that of
    /// the whole gradient, so that its direction stays.
    fn clipped(&self, gradient: &GradientsParams, max_norm: f64) -> GradientsParams {
        let norm = if max_norm > 0.0 { self.norm(gradient) } else { 0.0 };
        let scale = if norm > max_norm { max_norm / norm } else { 1.0 };
        let mut clipped = GradientsParams::new();
        register(&mut clipped, self.logits.id, gradient.get::<1>(self.logits.id), scale);
        register(&mut clipped, self.means.id, gradient.get::<2>(self.means.id), scale);
        register(&mut clipped, self.factors.id, gradient.get::<2>(self.factors.id), scale);
        clipped
    }
}

fn square_sum<const D: usize>(tensor: Option<Tensor<D>>) -> f64 {
    tensor.map_or(0.0, |tensor| numbers(tensor).iter().map(|v| v * v).sum())
}

fn register<const D: usize>(
    gradient: &mut GradientsParams,
    id: ParamId,
    tensor: Option<Tensor<D>>,
    scale: f64,
) {
    if let Some(tensor) = tensor {
        gradient.register(id, if scale == 1.0 { tensor } else { tensor.mul_scalar(scale) });
    }
}
