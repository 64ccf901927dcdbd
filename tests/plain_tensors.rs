//! The fused kernels against the same objectives written as plain burn tensors and differentiated by burn's autodiff.
//!
//! Nothing is shared with the kernels: covariances are inverted by cofactors instead of Cholesky factors, and no
//! derivative with respect to θ is written by hand. Shapes: N points × K components.

#![expect(
    deprecated,
    reason = "burn-ndarray is the backend of the program; see algorithms/operation.rs"
)]

#[path = "support/theta.rs"]
mod theta;

use burn::tensor::{DType, Device, Tensor, TensorData};
use scorescope::model::{Parameters, Point};
use scorescope::objectives::{Batch, NegativeLogLikelihood, Objective, ScoreMatching, Sliced};

/// How far a number may be from its reference, relative to the largest of its block.
const TOLERANCE: f64 = 1e-12;

fn tensor<const D: usize>(values: Vec<f64>, shape: [usize; D]) -> Tensor<D> {
    let device = Device::ndarray().autodiff();
    Tensor::from_data(TensorData::new(values, shape), (&device, DType::F64))
}

fn numbers<const D: usize>(tensor: Tensor<D>) -> Vec<f64> {
    tensor.into_data().iter::<f64>().collect()
}

/// One coordinate of every point, as a column. Shape: N × 1.
fn column(points: &[Point], axis: usize) -> Tensor<2> {
    tensor(points.iter().map(|point| point[axis]).collect(), [points.len(), 1])
}

/// log Σ exp over the components. Shape: N × K → N × 1.
fn log_sum_exp(a: Tensor<2>) -> Tensor<2> {
    let max = a.clone().max_dim(1).detach();
    (a - max.clone()).exp().sum_dim(1).log() + max
}

/// θ as tensors whose gradient is wanted.
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

/// What the three objectives are made of.
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
        let d1 = column(points, 0) - row(&theta.means, 0);
        let d2 = column(points, 1) - row(&theta.means, 1);
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

    /// vᵀ∇s(x)v = Σₖ rₖ((v·gₖ)² − vᵀΣₖ⁻¹v) − (v·s)². Shape: N × 1.
    fn curvature(&self, v: [Tensor<2>; 2]) -> Tensor<2> {
        let [v1, v2] = v;
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

/// Hyvärinen (2005), eq. 4: tr ∇s(x) + ½‖s(x)‖², the trace as a sum of curvatures along the axes.
fn score_matching(fields: &Fields, points: &[Point]) -> Tensor<1> {
    let along = |axis: Point| {
        fields
            .curvature([column(&vec![axis; points.len()], 0), column(&vec![axis; points.len()], 1)])
    };
    (along([1.0, 0.0]) + along([0.0, 1.0]) + fields.square_norm() * 0.5).mean()
}

/// Song et al. (2019), eq. 8: the mean of vᵀ∇s(x)v + ½‖s(x)‖² over slices.
fn sliced(fields: &Fields, slices: &[Vec<Point>]) -> Tensor<1> {
    let slice_count = slices[0].len();
    let mut sum = fields.square_norm() * (0.5 * slice_count as f64);
    for m in 0..slice_count {
        let v: Vec<Point> = slices.iter().map(|slices| slices[m]).collect();
        sum = sum + fields.curvature([column(&v, 0), column(&v, 1)]);
    }
    // Not divided: burn 0.22.1 differentiates a division by a number in single precision.
    sum.mean() * (1.0 / slice_count as f64)
}

#[track_caller]
fn check(what: &str, got: &[f64], reference: &[f64], scale: f64) {
    assert_eq!(got.len(), reference.len(), "{what}: length");
    for (i, (got, want)) in got.iter().zip(reference).enumerate() {
        let error = (got - want).abs() / scale;
        assert!(error <= TOLERANCE, "{what}[{i}]: {got:e}, not {want:e}; relative error {error:e}");
    }
}

/// Compares value, log-likelihood and gradient of an objective with those of a graph.
#[track_caller]
fn compare(
    what: &str,
    objective: &dyn Objective,
    parameters: &Parameters,
    points: &[Point],
    graph: impl Fn(&Fields) -> Tensor<1>,
) {
    let theta = Theta::of(parameters);
    let fields = Fields::of(&theta, points);
    let value = graph(&fields);
    let mut gradient = value.backward();
    let evaluation = objective.evaluate(parameters, Batch::all(points));

    let value = numbers(value);
    check(&format!("{what}: value"), &[evaluation.value], &value, value[0].abs().max(1.0));
    let log_likelihood = numbers(fields.log_density.mean());
    let scale = log_likelihood[0].abs().max(1.0);
    check(&format!("{what}: likelihood"), &[evaluation.log_likelihood], &log_likelihood, scale);

    let [logits, means, factors] = [theta.logits, theta.means, theta.factors]
        .map(|leaf| numbers(leaf.grad_remove(&mut gradient).expect("a gradient for every leaf")));
    let got = evaluation.gradient;
    for (block, got, reference) in [
        ("logits", got.logits, logits),
        ("means", got.means.into_flattened(), means),
        ("factors", got.factors, factors),
    ] {
        let largest = reference.iter().fold(0.0, |max: f64, v| max.max(v.abs()));
        check(&format!("{what}: {block}"), &got, &reference, largest.max(1e-3));
    }
}

#[test]
fn kernels_agree_with_plain_tensors() {
    for seed in 0..4 {
        for component_count in [1, 2, 5, 12] {
            for floor in [0.0, 1e-4, 0.05] {
                let parameters = theta::parameters(component_count, floor, seed);
                // Not a multiple of the points that the kernels take at a time, and more than one of their chunks.
                let points = theta::points(601, seed);
                let slices = theta::slices(points.len(), 3, seed);
                let what = |id| format!("{id}, seed {seed}, K = {component_count}, floor {floor}");
                compare(&what("nll"), &NegativeLogLikelihood, &parameters, &points, |fields| {
                    -fields.log_density.clone().mean()
                });
                compare(&what("sm"), &ScoreMatching, &parameters, &points, |fields| {
                    score_matching(fields, &points)
                });
                let ssm = Sliced::new(slices.iter().map(|v| &v[..]));
                compare(&what("ssm"), &ssm, &parameters, &points, |fields| sliced(fields, &slices));
            }
        }
    }
}
