//! Checks: the formulas of this program held to independent computations, on the mixture and the points at hand.

use std::sync::Arc;

use crate::model::{CovarianceType, Density, Mixture, Parameters, Point, Truth};
use crate::objectives::{Batch, OBJECTIVES, Objective, ObjectiveInfo};
use crate::random::{Purpose, generator};
use crate::settings::Settings;

/// One formula against another computation of the same.
#[derive(Debug, Clone, PartialEq)]
pub struct Check {
    /// What is checked.
    pub what: String,
    /// Against what.
    pub against: &'static str,
    /// How far both are apart, as a share of the larger where that is more than 1.
    pub error: f64,
    /// How far they may be: what the other computation is good for.
    pub allowed: f64,
}

impl Check {
    /// True if both agree.
    #[must_use]
    pub fn is_good(&self) -> bool {
        // Not `error > allowed`: NaN is never good.
        self.error <= self.allowed
    }
}

/// Points that derivatives are checked at.
const MOST_POINTS: usize = 100;

/// Coordinates of θ that derivatives are checked along.
const MOST_COORDINATES: usize = 40;

/// All checks of a mixture on points: every objective's gradient, score and Hessian, the density's mass, what score
/// matching says of the mixture itself, and samples. `settings` are the knobs of the algorithm at hand.
#[must_use]
pub fn checks(mixture: &Mixture, points: &[Point], floor: f64, settings: &Settings) -> Vec<Check> {
    let points: Vec<Point> = spread(points, MOST_POINTS).copied().collect();
    let mut checks = Vec::new();
    if !points.is_empty() {
        // θ describes what lies above the floor.
        let parameters = Parameters::of(mixture, CovarianceType::Full, floor);
        checks.extend(OBJECTIVES.iter().map(|info| gradient(info, &parameters, &points, settings)));
        checks.extend(derivatives(mixture, &points));
    }
    checks.extend(integrals(mixture));
    checks
}

/// Some of many, evenly.
fn spread<T>(all: &[T], most: usize) -> impl Iterator<Item = &T> {
    all.iter().step_by(all.len().div_ceil(most.max(1)).max(1))
}

/// f′(0) by central differences of fourth order: exact to h⁴.
fn derivative(h: f64, f: impl Fn(f64) -> f64) -> f64 {
    (8.0 * (f(h) - f(-h)) - (f(2.0 * h) - f(-2.0 * h))) / (12.0 * h)
}

/// An objective's gradient against differences of its value, along coordinates of θ.
fn gradient(
    info: &ObjectiveInfo,
    parameters: &Parameters,
    points: &[Point],
    settings: &Settings,
) -> Check {
    let mut rng = generator(1, Purpose::Slices);
    let objective: Arc<dyn Objective> = (info.prepare)(settings, &mut rng);
    let at =
        |vector: &[f64]| objective.evaluate(&parameters.with_vector(vector), Batch::all(points));
    let theta = parameters.to_vector();
    let evaluation = at(&theta);
    let own = [
        &evaluation.gradient.logits[..],
        evaluation.gradient.means.as_flattened(),
        &evaluation.gradient.factors,
    ]
    .concat();
    let largest = own.iter().fold(0.0_f64, |max, value| max.max(value.abs()));
    let coordinates: Vec<usize> = (0..theta.len()).collect();
    let mut error = 0.0_f64;
    for &i in spread(&coordinates, MOST_COORDINATES) {
        let h = 3e-4 * unit(parameters, i);
        let value = |shift: f64| {
            let mut moved = theta.clone();
            moved[i] += shift;
            at(&moved).value
        };
        let distance = (derivative(h, value) - own[i]).abs();
        // NaN must not vanish in a maximum.
        error = if distance.is_nan() { f64::NAN } else { error.max(distance / largest.max(1.0)) };
    }
    let what = format!("gradient of {}", info.short);
    Check { what, against: "central differences", error, allowed: 1e-6 }
}

/// How far a coordinate of θ may be moved before much changes: logits and logarithms by 1, means and the mixed entry of a
/// factor by the shorter axis.
fn unit(parameters: &Parameters, coordinate: usize) -> f64 {
    let count = parameters.logits.len();
    let (k, is_length) = match coordinate {
        i if i < count => (i, false),
        i if i < 3 * count => ((i - count) / 2, true),
        i => ((i - 3 * count) / 3, (i - 3 * count) % 3 == 1),
    };
    let [log_l11, _, log_l22] =
        [0, 1, 2].map(|j| parameters.factors.get(3 * k + j).copied().unwrap_or(0.0));
    if is_length { log_l11.min(log_l22).exp().min(1.0) } else { 1.0 }
}

/// Score against differences of the log density, Hessian against differences of the score.
fn derivatives(mixture: &Mixture, points: &[Point]) -> [Check; 2] {
    let shortest = mixture
        .components()
        .iter()
        .map(|c| c.gaussian.cholesky.ellipse(1.0).semi_axes[1])
        .fold(1.0, f64::min);
    let h = 1e-3 * shortest;
    let moved = |x: Point, axis: usize, shift: f64| {
        let mut moved = x;
        moved[axis] += shift;
        moved
    };
    let mut errors = [0.0_f64; 2];
    let mut keep = |i: usize, got: f64, wanted: f64| {
        let error = (got - wanted).abs() / wanted.abs().max(1.0);
        errors[i] = if error.is_nan() { f64::NAN } else { errors[i].max(error) };
    };
    for &x in points {
        let (score, [h11, h12, h22]) = (mixture.score(x), mixture.hessian(x));
        let rows = [[h11, h12], [h12, h22]];
        for axis in 0..2 {
            let slope = derivative(h, |shift| mixture.log_density(moved(x, axis, shift)));
            keep(0, slope, score[axis]);
            for (other, wanted) in rows[axis].into_iter().enumerate() {
                let slope = derivative(h, |shift| mixture.score(moved(x, axis, shift))[other]);
                keep(1, slope, wanted);
            }
        }
    }
    let against = "central differences";
    let [score, hessian] = errors;
    [
        Check { what: "score ∇ log p".to_owned(), against, error: score, allowed: 1e-6 },
        Check { what: "Hessian of log p".to_owned(), against, error: hessian, allowed: 1e-6 },
    ]
}

/// Samples for the check of sampling.
const SAMPLES: usize = 20_000;

/// What integrals over the plane have to be.
fn integrals(mixture: &Mixture) -> Vec<Check> {
    let truth = Truth::new(Arc::new(mixture.clone()));
    let itself = truth.compare(mixture);
    // Hyvärinen's theorem for a model that is the truth: E[tr H + ½‖s‖²] = −½E‖s‖².
    let theorem = itself.implicit.value + truth.information.value;
    let mut rng = generator(1, Purpose::Samples);
    let samples = mixture.sample(SAMPLES, &mut rng);
    let values: Vec<f64> = samples.iter().map(|x| mixture.log_density(*x)).collect();
    let mean = values.iter().sum::<f64>() / SAMPLES as f64;
    let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / SAMPLES as f64;
    let four_errors = 4.0 * (variance / SAMPLES as f64).sqrt();
    let check = |what: &str, against, error: f64, allowed: f64| Check {
        what: what.to_owned(),
        against,
        error: error.abs(),
        allowed,
    };
    let size = truth.information.value.abs().max(1.0);
    vec![
        check("density integrates to 1", "quadrature", truth.mass.value - 1.0, 1e-6),
        check(
            "E[tr ∇s + ½‖s‖²] = −½ E‖s‖²",
            "quadrature (Hyvärinen 2005)",
            theorem / size,
            1e-6 + (itself.implicit.error + truth.information.error) / size,
        ),
        check("KL divergence to itself is 0", "quadrature", itself.kl.value, 1e-9),
        check(
            "mean log p of 20,000 samples",
            "entropy by quadrature, 4 standard errors",
            mean + truth.entropy.value,
            four_errors + truth.entropy.error,
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::training::{Experiment, Prepared, Run};

    #[test]
    fn all_is_right_after_training_and_what_is_wrong_is_seen() {
        let mut experiment = Experiment::default();
        experiment.set("n_samples", "400").unwrap();
        experiment.set("n_components", "5").unwrap();
        let mut run = Run::new(&experiment, Prepared::new(&experiment).unwrap()).unwrap();
        for _ in 0..40 {
            run.step().unwrap();
        }
        let Prepared { dataset, floor, .. } = run.prepared().clone();
        let all = checks(run.mixture(), &dataset.train, floor, &Settings::default());
        assert_eq!(all.len(), OBJECTIVES.len() + 6);
        for check in &all {
            assert!(check.is_good(), "{check:?}");
        }
        let wrong = Check { error: f64::NAN, ..all[0].clone() };
        assert!(!wrong.is_good());
        // A gradient of another objective is seen to be wrong.
        let parameters = Parameters::of(run.mixture(), CovarianceType::Full, floor);
        let [nll, sm] = [OBJECTIVES[0], OBJECTIVES[1]];
        let good = gradient(nll, &parameters, &dataset.train[..50], &Settings::default());
        let value = |info: &ObjectiveInfo| {
            let mut rng = generator(1, Purpose::Slices);
            let objective = (info.prepare)(&Settings::default(), &mut rng);
            objective.evaluate(&parameters, Batch::all(&dataset.train)).value
        };
        assert!(good.is_good() && value(nll) != value(sm));
        assert_eq!(checks(run.mixture(), &[], floor, &Settings::default()).len(), 4);
    }
}
