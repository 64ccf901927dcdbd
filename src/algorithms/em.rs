//! Algorithm: expectation–maximization.

use super::{Algorithm, AlgorithmInfo, MAX_ITER, Start, StepError, TOL};
use crate::model::{CovarianceType, Mixture, Point, Symmetric};
use crate::objectives::kernel::{Moments, expectation};
use crate::settings::Settings;

pub(super) fn info() -> AlgorithmInfo {
    AlgorithmInfo {
        id: "em",
        label: "Expectation–maximization",
        short: "EM",
        formula: "−(1/N) Σ log p(x)",
        help: "Asks which component each point belongs to, then gives each component the mean and covariance of its \
               points. Without a covariance floor the likelihood never falls.",
        settings: vec![&MAX_ITER, &TOL],
        objective: None,
    }
}

/// EM with its E-step done at the current mixture.
pub struct ExpectationMaximization {
    start: Start,
    mixture: Mixture,
    moments: Vec<Moments>,
    log_likelihood: f64,
}

impl ExpectationMaximization {
    pub(super) fn start(start: Start) -> Result<ExpectationMaximization, StepError> {
        let mixture = start.mixture.clone();
        let (moments, log_likelihood) = expectation(&mixture, &start.points);
        if !log_likelihood.is_finite() {
            return Err(StepError::NotFinite);
        }
        Ok(ExpectationMaximization { start, mixture, moments, log_likelihood })
    }
}

impl Algorithm for ExpectationMaximization {
    fn step(&mut self, _: &Settings) -> Result<(), StepError> {
        let Start { points, covariance_type, floor, .. } = &self.start;
        let (weights, means, covariances) =
            maximization(&self.moments, &self.mixture, *covariance_type, *floor);
        let mixture = Mixture::new(&weights, &means, &covariances).map_err(|error| {
            use crate::model::MixtureError::Covariance;
            match error {
                Covariance { index } => StepError::Collapsed { index, near: means[index - 1] },
                _ => StepError::NotFinite,
            }
        })?;
        let (moments, log_likelihood) = expectation(&mixture, points);
        if !log_likelihood.is_finite() {
            return Err(StepError::NotFinite);
        }
        (self.mixture, self.moments, self.log_likelihood) = (mixture, moments, log_likelihood);
        Ok(())
    }

    fn mixture(&self) -> &Mixture {
        &self.mixture
    }

    fn objective(&self) -> f64 {
        -self.log_likelihood
    }

    fn train_log_likelihood(&self) -> Option<f64> {
        Some(self.log_likelihood)
    }
}

/// The M-step: weights, means and covariances; thesis section 3.1.1, algorithm 2, with `floor` on every diagonal.
///
/// A component that owns no point (nₖ = 0) keeps its mean and covariance and gets weight 0.
#[must_use]
pub fn maximization(
    moments: &[Moments],
    previous: &Mixture,
    covariance_type: CovarianceType,
    floor: f64,
) -> (Vec<f64>, Vec<Point>, Vec<Symmetric>) {
    let total: f64 = moments.iter().map(|m| m.count).sum();
    let weights = moments.iter().map(|m| m.count / total).collect();
    let old = previous.components().iter().map(|component| component.gaussian);
    let means = moments.iter().zip(old.clone());
    let means = means.map(|(m, old)| if m.count > 0.0 { m.mean } else { old.mean }).collect();
    let shared = match covariance_type {
        CovarianceType::Tied => {
            Some(std::array::from_fn(|i| moments.iter().map(|m| m.scatter[i]).sum::<f64>() / total))
        }
        _ => None,
    };
    let covariances = moments.iter().zip(old).map(|(m, old)| {
        if m.count == 0.0 && shared.is_none() {
            return old.cholesky.covariance();
        }
        let [s11, s12, s22] = shared.unwrap_or_else(|| m.scatter.map(|s| s / m.count));
        let s12 = match covariance_type {
            CovarianceType::Full | CovarianceType::Tied => s12,
            CovarianceType::Diagonal | CovarianceType::Spherical => 0.0,
        };
        let [s11, s22] = match covariance_type {
            CovarianceType::Spherical => [f64::midpoint(s11, s22); 2],
            _ => [s11, s22],
        };
        [s11 + floor, s12, s22 + floor]
    });
    (weights, means, covariances.collect())
}
