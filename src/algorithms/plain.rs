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
use crate::objectives::{Evaluation, Gradient, Order};

/// −(1/N) Σ log p(xₙ), its gradient, and the mean log-likelihood. θ has full covariances.
#[must_use]
pub fn negative_log_likelihood(parameters: &Parameters, points: &[Point]) -> Evaluation {
    evaluate(parameters, points, |_, fields| -fields.log_density.clone().mean())
}

/// (1/N) Σ tr ∇s(xₙ) + ½‖s(xₙ)‖² (Hyvärinen 2005, eq. 4), its gradient, and the mean log-likelihood. θ has full
/// covariances.
#[must_use]
pub fn score_matching(parameters: &Parameters, points: &[Point]) -> Evaluation {
    evaluate(parameters, points, |_, fields| (fields.trace() + fields.square_norm() * 0.5).mean())
}

/// The mean of vᵀ∇s(xₙ)v + ½(1−β)(vᵀs(xₙ))² + ½β‖s(xₙ)‖² over points and slices (Song et al. 2019, eq. 7 for β = 0,
/// eq. 8 for β = 1), its gradient, and the mean log-likelihood. θ has full covariances; every point has equally many
/// slices v, at least one. Shape: N × M.
#[must_use]
pub fn sliced(
    parameters: &Parameters,
    points: &[Point],
    slices: &[Vec<Point>],
    control_variate: f64,
) -> Evaluation {
    let slice_count = slices.first().map_or(0, Vec::len);
    evaluate(parameters, points, |_, fields| {
        let mut sum = fields.square_norm() * (0.5 * control_variate * slice_count as f64);
        for m in 0..slice_count {
            let along = |axis: usize| column(slices.iter().map(|slices| slices[m][axis]));
            let v = [along(0), along(1)];
            let square = fields.score_along(&v).square();
            sum = sum + fields.curvature(&v) + square * (0.5 * (1.0 - control_variate));
        }
        // Not divided: burn 0.22.1 differentiates a division by a number in single precision.
        sum.mean() * (1.0 / slice_count as f64)
    })
}

/// The mean of ½‖s(x̃) + (x̃ − xₙ)/σ²‖² with x̃ = xₙ + σz over points and draws (Vincent 2011), its gradient, and
/// the mean log-likelihood of the points themselves. s is the score of the mixture with `blur` added to the diagonal
/// of every covariance. θ has full covariances; there is at least one draw. Shape of z: M × N.
#[must_use]
pub fn denoising(
    parameters: &Parameters,
    points: &[Point],
    noise: &[Vec<Point>],
    sigma: f64,
    blur: f64,
) -> Evaluation {
    evaluate(parameters, points, |theta, _| {
        let terms = noise.iter().map(|noise| {
            let moved = moved(points, noise, sigma);
            let fields = Fields::of(&theta.blurred(blur), &moved);
            let [s1, s2] = fields.score;
            let back = |axis: usize| {
                let pairs = moved.iter().zip(points);
                column(pairs.map(|(moved, point)| (moved[axis] - point[axis]) / (sigma * sigma)))
            };
            (s1 + back(0)).square() + (s2 + back(1)).square()
        });
        mean(terms) * 0.5
    })
}

/// (1/N) Σ ½s₁² + ∂₁s₁ + ½s₂² + ∂₂s₂ for the scores of the coordinates, one after the other (Meng et al. 2020, eq. 5),
/// its gradient, and the mean log-likelihood. θ has full covariances.
#[must_use]
pub fn composite(parameters: &Parameters, points: &[Point], order: Order) -> Evaluation {
    evaluate(parameters, points, |theta, fields| {
        let (first, last) = match order {
            Order::FirstThenSecond => (0, 1),
            Order::SecondThenFirst => (1, 0),
        };
        let unit = |axis: usize| column(points.iter().map(|_| f64::from(axis == last)));
        let conditional =
            fields.curvature(&[unit(0), unit(1)]) + fields.score[last].clone().square() * 0.5;
        (conditional + marginal_score_matching(theta, points, first)).mean()
    })
}

/// The mean of −log h(xₙ) − log(1 − h(xₙ + v)) with h(x) = p(x) / (p(x) + p(x − v)) over points and draws (Song et al.
/// 2019, eq. 10), its gradient, and the mean log-likelihood. θ has full covariances; there is at least one draw. Shape
/// of the shifts v: M × N.
#[must_use]
pub fn contrastive(parameters: &Parameters, points: &[Point], shifts: &[Vec<Point>]) -> Evaluation {
    evaluate(parameters, points, |theta, fields| {
        let beside = |shifts, sign| Fields::of(theta, &moved(points, shifts, sign)).log_density;
        mean(shifts.iter().map(|shifts| {
            let here = fields.log_density.clone();
            let log_h = here.clone() - log_sum(here.clone(), beside(shifts, -1.0));
            let log_other = here.clone() - log_sum(beside(shifts, 1.0), here);
            -log_h - log_other
        }))
    })
}

/// log(eᵃ + eᵇ).
fn log_sum(a: Tensor<2>, b: Tensor<2>) -> Tensor<2> {
    log_sum_exp(Tensor::cat(vec![a, b], 1))
}

/// The mean over terms of equal length, at least one.
fn mean(terms: impl ExactSizeIterator<Item = Tensor<2>>) -> Tensor<1> {
    let share = 1.0 / terms.len() as f64;
    let sum = terms.reduce(|sum, term| sum + term);
    sum.map_or_else(|| tensor(vec![f64::NAN], [1]), |sum| sum.mean() * share)
}

fn moved(points: &[Point], steps: &[Point], scale: f64) -> Vec<Point> {
    let pairs = points.iter().zip(steps);
    pairs.map(|(x, step)| [x[0] + scale * step[0], x[1] + scale * step[1]]).collect()
}

/// ½s² + ∂s of the mixture's marginal on a coordinate. Shape: N × 1.
fn marginal_score_matching(theta: &Theta, points: &[Point], axis: usize) -> Tensor<2> {
    let variance = if axis == 0 {
        theta.row(0).exp().square() + theta.floor
    } else {
        theta.row(1).square() + theta.row(2).exp().square() + theta.floor
    };
    let means = theta.means.clone().narrow(1, axis, 1).swap_dims(0, 1);
    let d = column(points.iter().map(|point| point[axis])) - means;
    let g = -(d.clone() / variance.clone());
    let a = g.clone() * d * 0.5 + theta.log_weights() - variance.clone().log() * 0.5;
    let r = (a.clone() - log_sum_exp(a)).exp();
    let score = (r.clone() * g.clone()).sum_dim(1);
    (r * (g.square() - variance.recip())).sum_dim(1) - score.square() * 0.5
}

fn evaluate(
    parameters: &Parameters,
    points: &[Point],
    objective: impl Fn(&Theta, &Fields) -> Tensor<1>,
) -> Evaluation {
    let theta = Theta::of(parameters);
    let fields = Fields::of(&theta, points);
    let value = objective(&theta, &fields);
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

    /// The same θ, seen with so much added to the diagonal of every covariance.
    fn blurred(&self, variance: f64) -> Theta {
        let [logits, means, factors] =
            [&self.logits, &self.means, &self.factors].map(Tensor::clone);
        Theta { logits, means, factors, floor: self.floor + variance }
    }

    /// One number of every component's factor. Shape: 1 × K.
    fn row(&self, number: usize) -> Tensor<2> {
        self.factors.clone().narrow(1, number, 1).swap_dims(0, 1)
    }

    /// log π. Shape: 1 × K.
    fn log_weights(&self) -> Tensor<2> {
        self.logits.clone() - log_sum_exp(self.logits.clone())
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
        let (l11, l21, l22) = (theta.row(0).exp(), theta.row(1), theta.row(2).exp());
        let mean = |axis| theta.means.clone().narrow(1, axis, 1).swap_dims(0, 1);
        // Σ = LLᵀ + floor · I.
        let s11 = l11.clone() * l11.clone() + theta.floor;
        let s12 = l11 * l21.clone();
        let s22 = l21.clone() * l21 + l22.clone() * l22 + theta.floor;
        let determinant = s11.clone() * s22.clone() - s12.clone() * s12.clone();
        let p11 = s22 / determinant.clone();
        let p12 = -s12 / determinant.clone();
        let p22 = s11 / determinant.clone();
        let d1 = column(points.iter().map(|point| point[0])) - mean(0);
        let d2 = column(points.iter().map(|point| point[1])) - mean(1);
        let g1 = -(p11.clone() * d1.clone() + p12.clone() * d2.clone());
        let g2 = -(p12.clone() * d1.clone() + p22.clone() * d2.clone());
        let log_scale = theta.log_weights() - determinant.log() * 0.5 - std::f64::consts::TAU.ln();
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
    fn curvature(&self, v: &[Tensor<2>; 2]) -> Tensor<2> {
        let [v1, v2] = v.clone();
        let [p11, p12, p22] = self.precision.clone();
        let form = v1.clone() * v1.clone() * p11
            + v1.clone() * v2.clone() * p12 * 2.0
            + v2.clone() * v2.clone() * p22;
        let [g1, g2] = self.g.clone();
        let terms = self.r.clone() * ((v1 * g1 + v2 * g2).square() - form);
        terms.sum_dim(1) - self.score_along(v).square()
    }

    /// v·s(x). Shapes: N × 1.
    fn score_along(&self, v: &[Tensor<2>; 2]) -> Tensor<2> {
        let ([v1, v2], [s1, s2]) = (v.clone(), self.score.clone());
        v1 * s1 + v2 * s2
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
