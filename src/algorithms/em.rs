//! Algorithm: expectation–maximization.

use super::{Algorithm, AlgorithmInfo, Follows, MAX_ITER, Start, StepError, TOL};
use crate::model::{CovarianceType, Mixture, MixtureError, Point, Symmetric};
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
        follows: Follows::Nothing,
    }
}

/// EM with its E-step done at the current mixture. A step allocates nothing.
pub struct ExpectationMaximization {
    start: Start,
    /// What has been reached, and what the next step will try.
    current: State,
    next: State,
}

/// A mixture after its E-step.
struct State {
    mixture: Mixture,
    moments: Vec<Moments>,
    log_likelihood: f64,
}

impl State {
    fn of(mixture: Mixture) -> State {
        State { mixture, moments: Vec::new(), log_likelihood: f64::NAN }
    }

    fn expect(&mut self, start: &Start) -> Result<(), StepError> {
        self.log_likelihood = expectation(&self.mixture, &start.points, &mut self.moments);
        if self.log_likelihood.is_finite() { Ok(()) } else { Err(StepError::NotFinite) }
    }
}

impl ExpectationMaximization {
    pub(super) fn start(start: Start) -> Result<ExpectationMaximization, StepError> {
        let mut current = State::of(start.mixture.clone());
        current.expect(&start)?;
        let next = State::of(start.mixture.clone());
        Ok(ExpectationMaximization { start, current, next })
    }
}

impl Algorithm for ExpectationMaximization {
    fn step(&mut self, _: &Settings) -> Result<(), StepError> {
        let ExpectationMaximization { start, current, next } = self;
        let updates =
            maximization(&current.moments, &current.mixture, start.covariance_type, start.floor);
        next.mixture.refill(updates).map_err(|error| match error {
            MixtureError::Covariance { index } => {
                StepError::Collapsed { index, near: current.moments[index - 1].mean }
            }
            _ => StepError::NotFinite,
        })?;
        next.expect(start)?;
        std::mem::swap(current, next);
        Ok(())
    }

    fn mixture(&self) -> &Mixture {
        &self.current.mixture
    }

    fn objective(&self) -> f64 {
        -self.current.log_likelihood
    }

    fn gradient_norm(&self) -> Option<f64> {
        None
    }

    fn evaluated_points(&self) -> usize {
        self.start.points.len()
    }

    fn train_log_likelihood(&self) -> Option<f64> {
        Some(self.current.log_likelihood)
    }
}

/// The M-step: weight, mean and covariance of every component; thesis section 3.1.1, algorithm 2, with `floor` on every
/// diagonal.
///
/// A component that owns no point (nₖ = 0) keeps its mean and covariance and gets weight 0.
pub fn maximization<'a>(
    moments: &'a [Moments],
    previous: &'a Mixture,
    covariance_type: CovarianceType,
    floor: f64,
) -> impl Iterator<Item = (f64, Point, Symmetric)> + use<'a> {
    let total: f64 = moments.iter().map(|m| m.count).sum();
    let shared: Option<Symmetric> = match covariance_type {
        CovarianceType::Tied => {
            Some(std::array::from_fn(|i| moments.iter().map(|m| m.scatter[i]).sum::<f64>() / total))
        }
        _ => None,
    };
    moments.iter().zip(previous.components()).map(move |(m, old)| {
        let weight = m.count / total;
        if m.count == 0.0 && shared.is_none() {
            return (weight, old.gaussian.mean, old.gaussian.cholesky.covariance());
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
        (weight, m.mean, [s11 + floor, s12, s22 + floor])
    })
}
