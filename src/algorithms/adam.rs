//! Optimizer: Adam in f64, as one of burn's optimizers.
//!
//! burn's own Adam keeps its constants and bias corrections in f32, which moves a trajectory by parts in 10⁵ within
//! the first steps; numbers on screen should not depend on that.

use burn::optim::{AdaptiveMomentumState, LearningRate, ModuleOptimizer, Optimizer};
use burn::tensor::{Device, Tensor};

/// Kingma and Ba (2015), algorithm 1, with their constants.
#[derive(Debug, Clone)]
struct Adam;

const BETA1: f64 = 0.9;
const BETA2: f64 = 0.999;
const EPSILON: f64 = 1e-8;

/// Adam for a whole module.
pub(super) fn adam() -> ModuleOptimizer {
    ModuleOptimizer::from(Adam)
}

impl Optimizer for Adam {
    type State<const D: usize> = AdaptiveMomentumState<D>;

    fn step<const D: usize>(
        &self,
        learning_rate: LearningRate,
        tensor: Tensor<D>,
        gradient: Tensor<D>,
        state: Option<Self::State<D>>,
    ) -> (Tensor<D>, Option<Self::State<D>>) {
        let squares = gradient.clone().square();
        let state = state.unwrap_or_else(|| {
            let zeros = gradient.zeros_like();
            AdaptiveMomentumState::new(0, zeros.clone(), zeros)
        });
        let time = state.time + 1;
        // θ − η (s₁/s₂) m / (√v + ε/s₂), with m = Σ β₁ᵗ⁻ⁱgᵢ, v = Σ β₂ᵗ⁻ⁱgᵢ², s₁ = (1 − β₁)/(1 − β₁ᵗ) and
        // s₂² = (1 − β₂)/(1 − β₂ᵗ): the paper's, with the constant factors at the end, which makes fewer tensors.
        let moment_1 = state.moment_1.mul_scalar(BETA1) + gradient;
        let moment_2 = state.moment_2.mul_scalar(BETA2) + squares;
        let scale_1 = (1.0 - BETA1) / (1.0 - BETA1.powf(time as f64));
        let scale_2 = ((1.0 - BETA2) / (1.0 - BETA2.powf(time as f64))).sqrt();
        let direction = moment_1.clone() / moment_2.clone().sqrt().add_scalar(EPSILON / scale_2);
        let step = direction.mul_scalar(learning_rate * scale_1 / scale_2);
        (tensor - step, Some(AdaptiveMomentumState::new(time, moment_1, moment_2)))
    }

    fn to_device<const D: usize>(state: Self::State<D>, device: &Device) -> Self::State<D> {
        state.to_device(device)
    }
}
