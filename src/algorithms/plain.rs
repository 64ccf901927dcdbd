//! The objectives as plain burn tensors, differentiated by burn's autodiff: the reference form.
//!
//! Nothing is shared with the fused kernels: covariances are inverted by cofactors instead of Cholesky factors, and no
//! derivative with respect to θ is written by hand. So kernels are held to it (`tests/plain_tensors.rs`), and
//! `scorescope bench` says how much faster they are. It keeps a graph of N × K numbers for every operation: nothing to
//! train a million points with.
//!
//! Shapes: N points × K components.

use burn::tensor::{DType, Tensor, TensorData};

use super::operation::{device, numbers};
use crate::model::{Parameters, Point};
use crate::objectives::{Evaluation, Gradient};

/// −(1/N) Σ log p(xₙ), its gradient, and the mean log-likelihood. θ has full covariances.
#[must_use]
pub fn negative_log_likelihood(parameters: &Parameters, points: &[Point]) -> Evaluation {
    evaluate(parameters, points, |fields| -fields.log_density.clone().mean())
}

/// (1/N) Σ tr ∇s(xₙ) + ½‖s(xₙ)‖² (Hyvärinen 2005, eq. 4), its gradient, and the mean log-likelihood. θ has full
/// covariances.
#[must_use]
pub fn score_matching(parameters: &Parameters, points: &[Point]) -> Evaluation {
    evaluate(parameters, points, |fields| (fields.trace() + fields.square_norm() * 0.5).mean())
}

/// The mean of vᵀ∇s(xₙ)v + ½‖s(xₙ)‖² over points and slices (Song et al. 2019, eq. 8), its gradient, and the mean
/// log-likelihood. θ has full covariances; every point has equally many slices v, at least one. Shape: N × M.
#[must_use]
pub fn sliced(parameters: &Parameters, points: &[Point], slices: &[Vec<Point>]) -> Evaluation {
    let slice_count = slices.first().map_or(0, Vec::len);
    evaluate(parameters, points, |fields| {
        let mut sum = fields.square_norm() * (0.5 * slice_count as f64);
        for m in 0..slice_count {
            let along = |axis: usize| column(slices.iter().map(|slices| slices[m][axis]));
            sum = sum + fields.curvature(&[along(0), along(1)]);
        }
        // Not divided: burn 0.22.1 differentiates a division by a number in single precision.
        sum.mean() * (1.0 / slice_count as f64)
    })
}

fn evaluate(
    parameters: &Parameters,
    points: &[Point],
    objective: impl Fn(&Fields) -> Tensor<1>,
) -> Evaluation {
    let theta = Theta::of(parameters);
    let fields = Fields::of(&theta, points);
    let value = objective(&fields);
    let mut gradients = value.backward();
    // A leaf without a gradient does not occur in the graph.
    let [logits, means, factors] = [&theta.logits, &theta.means, &theta.factors].map(|leaf| {
        let zeros = || vec![0.0; leaf.shape().num_elements()];
        leaf.grad_remove(&mut gradients).map_or_else(zeros, numbers)
    });
    Evaluation {
        value: numbers(value)[0],
        log_likelihood: numbers(fields.log_density.mean())[0],
        gradient: Gradient { logits, means: means.as_chunks().0.to_vec(), factors },
    }
}

/// θ as tensors whose gradient is wanted. Shapes: 1 × K, K × 2, K × 3.
struct Theta {
    logits: Tensor<2>,
    means: Tensor<2>,
    factors: Tensor<2>,
    floor: f64,
}

impl Theta {
    fn of(parameters: &Parameters) -> Theta {
        let k = parameters.logits.len();
        Theta {
            logits: tensor(parameters.logits.clone(), [1, k]).require_grad(),
            means: tensor(parameters.means.as_flattened().to_vec(), [k, 2]).require_grad(),
            factors: tensor(parameters.factors.clone(), [k, 3]).require_grad(),
            floor: parameters.floor,
        }
    }
}

/// What the objectives are made of.
struct Fields {
    /// log p. Shape: N × 1.
    log_density: Tensor<2>,
    /// Responsibilities. Shape: N × K.
    r: Tensor<2>,
    /// Scores of the components, both coordinates. Shape: N × K.
    g: [Tensor<2>; 2],
    /// Σ⁻¹, entries 11, 12, 22. Shape: 1 × K.
    precision: [Tensor<2>; 3],
    /// The score, both coordinates. Shape: N × 1.
    score: [Tensor<2>; 2],
}

impl Fields {
    fn of(theta: &Theta, points: &[Point]) -> Fields {
        let row = |matrix: &Tensor<2>, column| matrix.clone().narrow(1, column, 1).swap_dims(0, 1);
        let (l11, l22) = (row(&theta.factors, 0).exp(), row(&theta.factors, 2).exp());
        let l21 = row(&theta.factors, 1);
        // Σ = LLᵀ + floor · I.
        let s11 = l11.clone() * l11.clone() + theta.floor;
        let s12 = l11 * l21.clone();
        let s22 = l21.clone() * l21 + l22.clone() * l22 + theta.floor;
        let determinant = s11.clone() * s22.clone() - s12.clone() * s12.clone();
        let p11 = s22 / determinant.clone();
        let p12 = -s12 / determinant.clone();
        let p22 = s11 / determinant.clone();
        let d1 = column(points.iter().map(|point| point[0])) - row(&theta.means, 0);
        let d2 = column(points.iter().map(|point| point[1])) - row(&theta.means, 1);
        let g1 = -(p11.clone() * d1.clone() + p12.clone() * d2.clone());
        let g2 = -(p12.clone() * d1.clone() + p22.clone() * d2.clone());
        let log_weights = theta.logits.clone() - log_sum_exp(theta.logits.clone());
        let log_scale = log_weights - determinant.log() * 0.5 - std::f64::consts::TAU.ln();
        let a = (g1.clone() * d1 + g2.clone() * d2) * 0.5 + log_scale;
        let log_density = log_sum_exp(a.clone());
        let r = (a - log_density.clone()).exp();
        let score = [&g1, &g2].map(|g| (r.clone() * g.clone()).sum_dim(1));
        Fields { log_density, r, g: [g1, g2], precision: [p11, p12, p22], score }
    }

    /// tr ∇s(x) = Σₖ rₖ(‖gₖ‖² − tr Σₖ⁻¹) − ‖s‖². Shape: N × 1.
    fn trace(&self) -> Tensor<2> {
        let [g1, g2] = self.g.clone();
        let [p11, _, p22] = self.precision.clone();
        let terms = self.r.clone() * (g1.square() + g2.square() - (p11 + p22));
        terms.sum_dim(1) - self.square_norm()
    }

    /// vᵀ∇s(x)v = Σₖ rₖ((v·gₖ)² − vᵀΣₖ⁻¹v) − (v·s)². Shapes: N × 1.
    fn curvature(&self, [v1, v2]: &[Tensor<2>; 2]) -> Tensor<2> {
        let along = |[a, b]: &[Tensor<2>; 2]| v1.clone() * a.clone() + v2.clone() * b.clone();
        let [p11, p12, p22] = self.precision.clone();
        let form = v1.clone() * v1.clone() * p11
            + v1.clone() * v2.clone() * p12 * 2.0
            + v2.clone() * v2.clone() * p22;
        let terms = self.r.clone() * (along(&self.g).square() - form);
        terms.sum_dim(1) - along(&self.score).square()
    }

    /// ‖s(x)‖². Shape: N × 1.
    fn square_norm(&self) -> Tensor<2> {
        let [s1, s2] = self.score.clone();
        s1.square() + s2.square()
    }
}

/// log Σ exp over the components. Shape: N × K → N × 1.
fn log_sum_exp(a: Tensor<2>) -> Tensor<2> {
    let max = a.clone().max_dim(1).detach();
    (a - max.clone()).exp().sum_dim(1).log() + max
}

fn tensor<const D: usize>(values: Vec<f64>, shape: [usize; D]) -> Tensor<D> {
    Tensor::from_data(TensorData::new(values, shape), (&device(), DType::F64))
}

/// Numbers as a column.
fn column(values: impl ExactSizeIterator<Item = f64>) -> Tensor<2> {
    let shape = [values.len(), 1];
    tensor(values.collect(), shape)
}
