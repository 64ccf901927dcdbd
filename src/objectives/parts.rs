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

#[cfg(test)]
mod tests {
    use crate::model::{CovarianceType, Mixture, Parameters};
    use crate::objectives::{Batch, CONTROL_VARIATE, OBJECTIVES, ORDER};
    use crate::random::{Purpose, generator};
    use crate::settings::{Setting, Settings, Value};

    #[test]
    fn formulas_have_their_parts_in_order_whatever_the_settings() {
        let choice = |id: &str| Value::Choice(id.to_owned());
        let cases: [(&str, &Setting, Value); 6] = [
            ("ssm", &CONTROL_VARIATE, Value::Number(1.0)),
            ("ssm", &CONTROL_VARIATE, Value::Number(0.0)),
            ("ssm", &CONTROL_VARIATE, Value::Number(0.5)),
            ("ssm_plain", &CONTROL_VARIATE, Value::Number(1.0)),
            ("csm", &ORDER, choice("x1_x2")),
            ("csm", &ORDER, choice("x2_x1")),
        ];
        let mixture = Mixture::new(&[1.0], &[[0.5, 0.2]], &[[0.4, 0.1, 0.3]]).unwrap();
        let theta = Parameters::of(&mixture, CovarianceType::Full, 0.0);
        for (id, setting, value) in cases {
            let mut settings = Settings::default();
            settings.set(setting.key, value.clone());
            let info = OBJECTIVES.iter().find(|info| info.id == id).unwrap();
            let objective = (info.prepare)(&settings, &mut generator(0, Purpose::Slices));
            let formula = (info.formula)(&settings).replace(' ', "");
            let places =
                objective.parts(&theta, Batch::all(&[[0.1, 0.3]])).into_iter().map(|part| {
                    let symbol = part.symbol.replace(' ', "");
                    let summand = symbol.rsplit('Σ').next().unwrap_or(&symbol).to_owned();
                    let place = formula.find(&summand);
                    place.unwrap_or_else(|| panic!("{id} {value:?}: {formula} has no {summand}"))
                });
            let places: Vec<usize> = places.collect();
            assert!(places.is_sorted(), "{id} {value:?}: {formula}");
        }
    }
}
