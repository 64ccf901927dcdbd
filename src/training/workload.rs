//! Workload: the computation that times are measured on, in `benches/` and by `scorescope bench`.
//!
//! Half moons scaled to unit variance, no validation points, and a mixture of K circles around the first K points:
//! every algorithm starts there, with full covariances and its settings as they are unless chosen otherwise.

use std::sync::Arc;

use super::{Experiment, ExperimentError, Prepared, Run};
use crate::algorithms::initial::StartError;
use crate::algorithms::{RANDOM_STATE, plain};
use crate::data::Dataset;
use crate::data::generators::N_SAMPLES;
use crate::model::{Mixture, N_COMPONENTS, Parameters, Point};
use crate::objectives::kernel::expectation;
use crate::objectives::{
    Batch, CONTROL_VARIATE, Evaluation, ExplicitScoreMatching, N_LEVELS, NOISED_MODEL, OBJECTIVES,
    ORDER, Objective, Order, SIGMA, SIGMA_WEIGHT, noise, shifts, slices,
};
use crate::random::{Purpose, Rng, generator};
use crate::settings::{Setting, Settings};

/// Variance of the circles that training starts from, in units of the data's.
const VARIANCE: f64 = 0.09;

/// The half moons that times are measured on, scaled to unit variance; all of them for training.
///
/// # Errors
/// [`ExperimentError`] if there are no half moons of that many points.
pub fn half_moons(point_count: usize) -> Result<Arc<Dataset>, ExperimentError> {
    let mut experiment = Experiment::default();
    set(&mut experiment, &N_SAMPLES, point_count)?;
    workload_data(&experiment.points()?)
}

/// Points as data to measure on, in their order: scaled to unit variance, all of them for training.
///
/// # Errors
/// [`ExperimentError`] if there are no points.
pub fn workload_data(points: &[Point]) -> Result<Arc<Dataset>, ExperimentError> {
    Ok(Arc::new(Dataset::from_parts(points, &[], true)?))
}

/// Data and a start, for any algorithm.
#[derive(Debug, Clone)]
pub struct Workload {
    experiment: Experiment,
    prepared: Prepared,
}

/// Something to time. Gives the objective, so that it has to be computed.
pub type Timed = Box<dyn FnMut() -> f64 + Send>;

impl Workload {
    /// A mixture of K circles around the first K points.
    ///
    /// # Errors
    /// [`ExperimentError`] if K is out of range, or if there are fewer points.
    pub fn new(dataset: Arc<Dataset>, component_count: usize) -> Result<Workload, ExperimentError> {
        let mut experiment = Experiment::default();
        set(&mut experiment, &N_COMPONENTS, component_count)?;
        let points = dataset.train.len();
        let Some(means) = dataset.train.get(..component_count) else {
            return Err(StartError::TooFewPoints { components: component_count, points }.into());
        };
        let weights = vec![1.0 / component_count as f64; component_count];
        let circles = vec![[VARIANCE, 0.0, VARIANCE]; component_count];
        let Ok(start) = Mixture::new(&weights, means, &circles) else {
            unreachable!("equal weights, finite points and circles are a mixture")
        };
        let floor = experiment.floor(&dataset);
        // As θ can express it: all algorithms begin at the same mixture.
        let start = Parameters::of(&start, experiment.covariance_type(), floor).mixture();
        let prepared = Prepared::of(dataset, Arc::new(start), floor);
        Ok(Workload { experiment, prepared })
    }

    /// The same for one algorithm, with settings of its own as `key` and `value`.
    ///
    /// # Errors
    /// [`ExperimentError`] if there is no such algorithm, or if it has no such setting.
    pub fn of_algorithm(
        &self,
        id: &str,
        settings: &[(String, String)],
    ) -> Result<Workload, ExperimentError> {
        let mut workload = self.clone();
        workload.experiment.choose_algorithm(id);
        workload.experiment.check()?;
        for (key, value) in settings {
            workload.experiment.set(&format!("algorithm.{key}"), value)?;
        }
        Ok(workload)
    }

    /// A run at the start. Its steps are what people wait for: optimizer, kernel and bookkeeping.
    ///
    /// # Errors
    /// [`ExperimentError`] if the objective is not finite at the start.
    pub fn run(&self) -> Result<Run, ExperimentError> {
        Run::new(&self.experiment, self.prepared.clone())
    }

    /// Only the fused kernel of a step, again and again at the start, with the slices that it draws.
    #[must_use]
    pub fn kernel(&self) -> Timed {
        let Prepared { dataset, start, .. } = self.prepared.clone();
        let points = dataset.train.clone();
        let id = &self.experiment.algorithm_id;
        // Half moons know their density.
        if let Ok(Some(true_scores)) = self.prepared.true_scores(&self.experiment) {
            return self.timed(Arc::new(ExplicitScoreMatching::new(true_scores)));
        }
        let Some(info) = OBJECTIVES.iter().find(|info| info.id == id) else {
            let mut moments = Vec::new();
            return Box::new(move || -expectation(&start, &points, &mut moments));
        };
        let settings = &self.experiment.algorithm;
        self.timed((info.prepare)(settings, &mut slice_rng(settings)))
    }

    /// An objective at the start.
    fn timed(&self, objective: Arc<dyn Objective>) -> Timed {
        let points = self.prepared.dataset.train.clone();
        let parameters = self.parameters();
        let mut evaluation = Evaluation::default();
        Box::new(move || {
            objective.evaluate_into(&parameters, Batch::all(&points), &mut evaluation);
            evaluation.value
        })
    }

    /// The same value and gradient as plain burn tensors, where that form exists. It keeps dozens of N × K numbers.
    #[must_use]
    pub fn plain_tensors(&self) -> Option<Timed> {
        let points = self.prepared.dataset.train.clone();
        let parameters = self.parameters();
        let settings = &self.experiment.algorithm;
        Some(match self.experiment.algorithm_id.as_str() {
            "nll" => Box::new(move || plain::negative_log_likelihood(&parameters, &points).value)
                as Timed,
            "sm" => Box::new(move || plain::score_matching(&parameters, &points).value),
            "ssm" | "ssm_plain" => {
                let slices = slices(settings, points.len(), &mut slice_rng(settings));
                let is_plain = self.experiment.algorithm_id == "ssm_plain";
                let beta = if is_plain { 0.0 } else { settings.number(&CONTROL_VARIATE) };
                Box::new(move || plain::sliced(&parameters, &points, &slices, beta).value)
            }
            "dsm" if settings.integer(&N_LEVELS) == 1 => {
                let noise = noise(settings, points.len(), 0, &mut slice_rng(settings));
                let sigma = settings.number(&SIGMA);
                let blur = if settings.switch(&NOISED_MODEL) { sigma * sigma } else { 0.0 };
                let weight = if settings.switch(&SIGMA_WEIGHT) { sigma * sigma } else { 1.0 };
                // Drawn noise counts with its mean length.
                let squares = noise.iter().flatten().map(|z| z[0] * z[0] + z[1] * z[1]);
                let mean = squares.sum::<f64>() / (noise.len() * points.len()) as f64;
                let offset = (1.0 - 0.5 * mean) / (sigma * sigma);
                Box::new(move || {
                    let plain = plain::denoising(&parameters, &points, &noise, sigma, blur);
                    weight * (plain.value + offset)
                })
            }
            "csm" => {
                let order = Order::of(&settings.choice(&ORDER));
                Box::new(move || plain::composite(&parameters, &points, order).value)
            }
            "nce" => {
                let shifts = shifts(settings, points.len(), &mut slice_rng(settings));
                Box::new(move || plain::contrastive(&parameters, &points, &shifts).value)
            }
            _ => return None,
        })
    }

    /// N.
    #[must_use]
    pub fn point_count(&self) -> usize {
        self.prepared.dataset.train.len()
    }

    /// K.
    #[must_use]
    pub fn component_count(&self) -> usize {
        self.prepared.start.components().len()
    }

    fn parameters(&self) -> Parameters {
        let Prepared { start, floor, .. } = &self.prepared;
        Parameters::of(start, self.experiment.covariance_type(), *floor)
    }
}

fn slice_rng(settings: &Settings) -> Rng {
    generator(settings.integer(&RANDOM_STATE) as u64, Purpose::Slices)
}

fn set(
    experiment: &mut Experiment,
    setting: &Setting,
    count: usize,
) -> Result<(), ExperimentError> {
    experiment.set(setting.key, &count.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::algorithms::ALGORITHMS;

    #[test]
    fn what_is_timed_together_computes_the_same_numbers() {
        let workload = Workload::new(half_moons(300).unwrap(), 3).unwrap();
        for info in &*ALGORITHMS {
            let workload = workload.of_algorithm(info.id, &[]).unwrap();
            let mut run = workload.run().unwrap();
            let objective = run.record().objective;
            assert!((workload.kernel()() - objective).abs() < 1e-12, "{}", info.id);
            if let Some(mut plain) = workload.plain_tensors() {
                let value = plain();
                assert!((value - objective).abs() < 1e-12, "{}: {value} {objective}", info.id);
            }
            assert!(run.record().val_nll.is_nan(), "{}", info.id);
            for _ in 0..20 {
                run.step().unwrap();
            }
            assert!(run.record().objective < objective, "{}", info.id);
        }
    }

    #[test]
    fn plain_tensors_follow_the_settings() {
        let workload = Workload::new(half_moons(300).unwrap(), 3).unwrap();
        let check = |id: &str, settings: &[(&str, &str)]| {
            let owned = |&(key, value): &(&str, &str)| (key.to_owned(), value.to_owned());
            let settings: Vec<_> = settings.iter().map(owned).collect();
            let workload = workload.of_algorithm(id, &settings).unwrap();
            let (plain, fused) = (workload.plain_tensors().unwrap()(), workload.kernel()());
            assert!((plain - fused).abs() < 1e-11, "{id} {settings:?}: {plain} {fused}");
        };
        check("ssm", &[("control_variate", "0.3"), ("slice_distribution", "sphere")]);
        check("ssm_plain", &[("n_slices", "5"), ("slice_distribution", "rademacher")]);
        check("dsm", &[("noise_pairs", "true"), ("n_draws", "3"), ("noised_model", "true")]);
        check("dsm", &[("sigma_weight", "true"), ("sigma", "0.7"), ("redraw", "false")]);
        check("csm", &[("order", "x2_x1")]);
        check("nce", &[("shift", "0.5"), ("n_slices", "4"), ("slice_distribution", "sphere")]);
    }

    #[test]
    fn what_cannot_be_measured_is_refused() {
        let few = half_moons(10).unwrap();
        let check = |error: ExperimentError, expected: &str| {
            assert!(error.to_string().contains(expected), "{error}");
        };
        check(half_moons(2_000_000_000).unwrap_err(), "n_samples = 2000000000 is not possible");
        check(workload_data(&[]).unwrap_err(), "no points");
        check(Workload::new(few.clone(), 0).unwrap_err(), "n_components = 0 is not possible");
        check(Workload::new(few.clone(), 11).unwrap_err(), "need at least 11 training points");
        let workload = Workload::new(few, 2).unwrap();
        check(workload.of_algorithm("gd", &[]).unwrap_err(), "there is no algorithm \"gd\"");
        let slices = [("n_slices".to_owned(), "2".to_owned())];
        check(
            workload.of_algorithm("nll", &slices).unwrap_err(),
            "no setting \"algorithm.n_slices\"",
        );
        assert!(workload.of_algorithm("ssm", &slices).is_ok());
    }
}
