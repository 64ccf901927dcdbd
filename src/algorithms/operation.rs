//! The burn operation: an objective of a mixture as a node in burn's autodiff graph.
//!
//! Value and gradient come out of one pass of the fused kernel, so the gradient is computed in the forward pass and
//! kept for the backward pass, which only scales it.

// burn-ndarray is deprecated in favour of Flex; the program's fixed choice of packages names it (see `device`).
#![expect(deprecated, reason = "burn-ndarray is one of the packages the program is built on")]

use std::sync::{Arc, Mutex, PoisonError};

use burn::backend::autodiff::checkpoint::{base::Checkpointer, strategy::CheckpointStrategy};
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{
    Autodiff, Backend, Dispatch, NdArray, TensorMetadata, backend_extension, try_read_sync,
};
use burn::tensor::{Device, Tensor, TensorData};

use crate::model::{CovarianceType, Parameters, Point};
use crate::objectives::{Batch, Evaluation, Objective};

/// Where tensors live: the one line to change for another backend.
#[must_use]
pub(super) fn device() -> Device {
    Device::ndarray().autodiff()
}

/// Which function of θ, and at which points.
#[derive(Debug, Clone)]
pub(super) struct Task {
    pub objective: Arc<dyn Objective>,
    pub points: Arc<[Point]>,
    /// The places of a mini-batch; `None` for all points.
    pub indices: Option<Arc<[u32]>>,
    /// Added to the diagonal of every covariance.
    pub floor: f64,
    /// Where the operation leaves what it saw.
    pub sight: Arc<Mutex<Sight>>,
}

/// What the operation saw of θ and of the objective on its way: reading a shared tensor back costs more than the
/// numbers in it. The evaluation's memory is used again from step to step.
#[derive(Debug, Clone)]
pub(super) struct Sight {
    /// θ with full covariances.
    pub parameters: Parameters,
    /// The objective there.
    pub evaluation: Evaluation,
}

impl Default for Sight {
    fn default() -> Sight {
        let parameters = Parameters {
            covariance_type: CovarianceType::Full,
            floor: 0.0,
            logits: Vec::new(),
            means: Vec::new(),
            factors: Vec::new(),
        };
        Sight { parameters, evaluation: Evaluation::default() }
    }
}

/// Evaluates an objective. Shapes: logits K, means K × 2, factors K × 3 ([log L₁₁, L₂₁, log L₂₂]); the result is one
/// number.
pub(super) fn evaluate(
    logits: Tensor<1>,
    means: Tensor<2>,
    factors: Tensor<2>,
    task: Task,
) -> Tensor<1> {
    Tensor::from_dispatch(<Dispatch as ObjectiveBackend>::objective(
        logits.into_dispatch(),
        means.into_dispatch(),
        factors.into_dispatch(),
        task,
    ))
}

/// A backend that can evaluate objectives of mixtures.
#[backend_extension(NdArray, Autodiff)]
pub(super) trait ObjectiveBackend: Backend {
    fn objective(
        logits: FloatTensor<Self>,
        means: FloatTensor<Self>,
        factors: FloatTensor<Self>,
        task: Task,
    ) -> FloatTensor<Self>;
}

impl ObjectiveBackend for NdArray {
    fn objective(
        logits: FloatTensor<Self>,
        means: FloatTensor<Self>,
        factors: FloatTensor<Self>,
        task: Task,
    ) -> FloatTensor<Self> {
        evaluated::<Self>(logits, means, factors, &task).0
    }
}

impl<B: Backend, C: CheckpointStrategy> ObjectiveBackend for Autodiff<B, C> {
    fn objective(
        logits: FloatTensor<Self>,
        means: FloatTensor<Self>,
        factors: FloatTensor<Self>,
        task: Task,
    ) -> FloatTensor<Self> {
        let (logits, logits_node) = logits.into_parts();
        let (means, means_node) = means.into_parts();
        let (factors, factors_node) = factors.into_parts();
        let (value, gradient) = evaluated::<B>(logits, means, factors, &task);
        let nodes = [logits_node, means_node, factors_node];
        let operation = ObjectiveGradient.prepare::<C>(nodes).compute_bound().stateful();
        match operation {
            OpsKind::Tracked(prepared) => prepared.finish(gradient, value),
            OpsKind::UnTracked(prepared) => prepared.finish(value),
        }
    }
}

#[derive(Debug)]
struct ObjectiveGradient;

impl<B: Backend> Backward<B, 3> for ObjectiveGradient {
    type State = [FloatTensor<B>; 3];

    fn backward(self, ops: Ops<Self::State, 3>, grads: &mut Gradients, _: &mut Checkpointer) {
        let upstream = grads.consume::<B>(&ops.node);
        for (parent, gradient) in ops.parents.into_iter().zip(ops.state) {
            let Some(parent) = parent else { continue };
            // One number, shaped so that it scales a gradient of any rank.
            let ones = vec![1; gradient.shape().num_dims()];
            let scale = B::float_reshape(upstream.clone(), ones.into());
            grads.register::<B>(parent.id, B::float_mul(gradient, scale));
        }
    }
}

/// The value, and the gradient for logits, means and factors.
fn evaluated<B: Backend>(
    logits: FloatTensor<B>,
    means: FloatTensor<B>,
    factors: FloatTensor<B>,
    task: &Task,
) -> (FloatTensor<B>, [FloatTensor<B>; 3]) {
    let device = logits.device();
    let mut sight = task.sight.lock().unwrap_or_else(PoisonError::into_inner);
    let Sight { parameters, evaluation } = &mut *sight;
    parameters.floor = task.floor;
    parameters.logits = primitive_numbers::<B>(logits);
    parameters.means.clear();
    parameters.means.extend_from_slice(primitive_numbers::<B>(means).as_chunks().0);
    parameters.factors = primitive_numbers::<B>(factors);
    let batch = match &task.indices {
        Some(indices) => Batch::of(&task.points, indices),
        None => Batch::all(&task.points),
    };
    task.objective.evaluate_into(parameters, batch, evaluation);
    let component_count = parameters.logits.len();
    let tensor = |values: Vec<f64>, shape: &[usize]| {
        B::float_from_data(TensorData::new(values, shape.to_vec()), &device)
    };
    let gradient = &evaluation.gradient;
    (
        tensor(vec![evaluation.value], &[1]),
        [
            tensor(gradient.logits.clone(), &[component_count]),
            tensor(gradient.means.as_flattened().to_vec(), &[component_count, 2]),
            tensor(gradient.factors.clone(), &[component_count, 3]),
        ],
    )
}

/// A tensor's numbers, row after row.
pub(super) fn numbers<const D: usize>(tensor: Tensor<D>) -> Vec<f64> {
    tensor.into_data().iter::<f64>().collect()
}

/// The same of a backend's own tensor.
fn primitive_numbers<B: Backend>(tensor: FloatTensor<B>) -> Vec<f64> {
    // The backends in use compute on this very thread: reading cannot be pending, and fails only if memory does.
    let data = try_read_sync(B::float_into_data(tensor)).and_then(Result::ok);
    let Some(Ok(numbers)) = data.map(TensorData::into_vec) else {
        panic!("a tensor of f64 in memory could not be read")
    };
    numbers
}
