//! Parts: the value of an objective as the sum of what its formula adds up.
//!
//! They are computed point by point from the mixture's log density, score and Hessian, not by the fused kernels: what
//! adds up has been computed twice.

use std::borrow::Cow;

use super::Batch;
use crate::model::{Parameters, Point};

/// A summand of an objective.
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    /// How it is written, with its sign.
    pub symbol: Cow<'static, str>,
    /// What it is at one θ, with its sign: the values of all parts add up to the objective.
    pub value: f64,
}

impl Part {
    /// A summand and its value.
    pub(super) fn new(symbol: impl Into<Cow<'static, str>>, value: f64) -> Part {
        Part { symbol: symbol.into(), value }
    }
}

/// −(1/N) Σ log p(xₙ), the only part of the negative log-likelihood.
pub(super) fn of_likelihood(parameters: &Parameters, batch: Batch<'_>) -> Vec<Part> {
    use crate::model::Density;

    let scores = parameters.mixture().scores(&batch.to_vec());
    vec![Part::new("−(1/N) Σ log p(x)", -mean(scores.iter().map(|(log_density, _)| *log_density)))]
}

/// The mean of some numbers; zero where there are none.
pub(super) fn mean(numbers: impl Iterator<Item = f64>) -> f64 {
    let (sum, count) = numbers.fold((0.0, 0_usize), |(sum, count), v| (sum + v, count + 1));
    sum / count.max(1) as f64
}

/// aᵀb.
pub(super) fn dot(a: Point, b: Point) -> f64 {
    a[0].mul_add(b[0], a[1] * b[1])
}
