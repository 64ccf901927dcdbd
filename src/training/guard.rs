//! Guard: sees training break while it still can be told why, and by which component.

use serde::{Deserialize, Serialize};

use super::{Finish, Run};
use crate::algorithms::StepError;
use crate::model::{Component, Mixture, Point};

/// What goes wrong.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Symptom {
    /// A component shrinks onto a point or a line.
    Collapse {
        /// Which one, counted from 0.
        component: usize,
        /// Where it is.
        near: Point,
        /// Standard deviation along its shorter axis.
        radius: f64,
    },
    /// A component's weight goes to 0.
    DeadWeight {
        /// Which one, counted from 0.
        component: usize,
        /// What is left of it.
        weight: f64,
    },
    /// The likelihood gets worse and worse.
    Divergence {
        /// Training NLL at its best, in nats per point.
        best: f64,
        /// Training NLL now.
        now: f64,
    },
    /// The gradient grows beyond measure.
    Explosion {
        /// Its Euclidean norm now.
        norm: f64,
        /// The largest norm of the first steps.
        usual: f64,
    },
    /// There is no finite next step.
    NotFinite,
}

impl Symptom {
    /// Its name, in a word or two.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Symptom::Collapse { .. } => "collapse",
            Symptom::DeadWeight { .. } => "dead weight",
            Symptom::Divergence { .. } => "divergence",
            Symptom::Explosion { .. } => "exploding gradient",
            Symptom::NotFinite => "not finite",
        }
    }

    /// The component that it is about, counted from 0.
    #[must_use]
    pub fn component(&self) -> Option<usize> {
        match self {
            Symptom::Collapse { component, .. } | Symptom::DeadWeight { component, .. } => {
                Some(*component)
            }
            Symptom::Divergence { .. } | Symptom::Explosion { .. } | Symptom::NotFinite => None,
        }
    }

    /// What a run has that stopped, if it stopped for something that goes wrong with it.
    #[must_use]
    pub fn of(finish: &Finish, mixture: &Mixture) -> Option<Symptom> {
        match finish {
            Finish::Broken(symptom) => Some(symptom.clone()),
            Finish::Failed(StepError::Collapsed { index, near }) => {
                let component = index.saturating_sub(1);
                let axes = mixture.components().get(component)?.gaussian.cholesky.ellipse(1.0);
                let radius = axes.semi_axes[1];
                Some(Symptom::Collapse { component, near: *near, radius })
            }
            Finish::Failed(StepError::NotFinite) => Some(Symptom::NotFinite),
            Finish::Converged | Finish::MaxIter => None,
        }
    }

    /// True if both are the same thing going wrong, whatever its numbers are by now.
    fn is_like(&self, other: &Symptom) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(other)
            && self.component() == other.component()
    }
}

impl std::fmt::Display for Symptom {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Symptom::Collapse { component, near: [x, y], radius } => write!(
                f,
                "component {} collapses onto a point or a line near ({x:.3}, {y:.3}): its shorter axis is down to \
                 {radius:.1e}",
                component + 1
            ),
            Symptom::DeadWeight { component, weight } => write!(
                f,
                "component {} has died: its weight, {weight:.1e}, is less than a tenth of a point, and little pulls \
                 it back",
                component + 1
            ),
            Symptom::Divergence { best, now } => write!(
                f,
                "the loss diverges: the NLL has risen from {best:.3} to {now:.3} nats per point; the steps are too long"
            ),
            Symptom::NotFinite => {
                write!(
                    f,
                    "there is no finite next step: the objective or its gradient has become infinite"
                )
            }
            Symptom::Explosion { norm, usual } => write!(
                f,
                "the gradient explodes: its norm, {norm:.1e}, is {:.0e} times what it was in the first steps",
                norm / usual
            ),
        }
    }
}

/// A component whose shorter axis is shorter than this share of the data's standard deviation has collapsed. The default
/// floor keeps every axis at five times as much, so that only a teacher who lowers it meets this.
const LEAST_RADIUS: f64 = 2e-3;

/// A weight has died when the component owns less than this share of a point.
const LEAST_SHARE_OF_A_POINT: f64 = 0.1;

/// Nats per point above its best at which a likelihood that still rises counts as diverging.
const MOST_RISE: f64 = 3.0;

/// Steps in a row that it has to have risen for that.
const RISING_STEPS: usize = 5;

/// A gradient this many times as long as in the first steps has exploded.
const MOST_GROWTH: f64 = 1e4;

/// Steps that tell how long gradients usually are.
const FIRST_STEPS: usize = 20;

/// What has been seen of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct Guard {
    /// The lowest training NLL.
    best: f64,
    /// The last one, and for how many steps in a row it has risen.
    last: f64,
    rising_steps: usize,
    /// The largest norm of the gradient in the first steps, and how many were seen.
    usual_norm: f64,
    seen_steps: usize,
    /// What somebody has been told.
    told: Vec<Symptom>,
}

impl Default for Guard {
    fn default() -> Guard {
        Guard {
            best: f64::INFINITY,
            last: f64::INFINITY,
            rising_steps: 0,
            usual_norm: 0.0,
            seen_steps: 0,
            told: Vec::new(),
        }
    }
}

impl Guard {
    /// What has been seen, as numbers: lowest and last NLL, rising steps, longest gradient, and steps.
    pub(super) fn numbers(&self) -> [f64; 5] {
        let [rising, seen] = [self.rising_steps, self.seen_steps].map(|count| count as f64);
        [self.best, self.last, rising, self.usual_norm, seen]
    }

    /// Undoes [`Guard::numbers`]; of what was told, it knows why the run has stopped.
    pub(super) fn of_numbers(numbers: [f64; 5], finish: Option<&Finish>) -> Guard {
        let [best, last, rising, usual_norm, seen] = numbers;
        let told = match finish {
            Some(Finish::Broken(symptom)) => vec![symptom.clone()],
            _ => Vec::new(),
        };
        let [rising_steps, seen_steps] = [rising, seen].map(|count| count as usize);
        Guard { best, last, rising_steps, usual_norm, seen_steps, told }
    }

    /// Looks at a run after a step; what goes wrong is told once.
    pub fn look(&mut self, run: &Run) -> Option<Finish> {
        let nll = run.record().train_nll;
        self.rising_steps = if nll > self.last { self.rising_steps.saturating_add(1) } else { 0 };
        (self.last, self.best) = (nll, self.best.min(nll));
        let norm = run.gradient_norm().unwrap_or(0.0);
        self.seen_steps = self.seen_steps.saturating_add(1);
        if self.seen_steps <= FIRST_STEPS {
            self.usual_norm = self.usual_norm.max(norm);
        }
        let components = run.mixture().components();
        let dataset = &run.prepared().dataset;
        let deviation = dataset.variance.sqrt();
        let least_weight = LEAST_SHARE_OF_A_POINT / dataset.train.len().max(1) as f64;
        let radius = |component: &Component| component.gaussian.cholesky.ellipse(1.0).semi_axes[1];
        let collapsed = components.iter().enumerate().map(|(component, c)| {
            let near = c.gaussian.mean;
            Symptom::Collapse { component, near, radius: radius(c) }
        });
        let collapsed = collapsed.filter(|symptom| match symptom {
            Symptom::Collapse { radius, .. } => *radius < LEAST_RADIUS * deviation,
            _ => false,
        });
        let dead = components.iter().enumerate().filter(|(_, c)| c.weight() < least_weight);
        let dead = dead.map(|(component, c)| Symptom::DeadWeight { component, weight: c.weight() });
        let is_diverging = self.rising_steps >= RISING_STEPS && nll > self.best + MOST_RISE;
        let diverging = is_diverging.then_some(Symptom::Divergence { best: self.best, now: nll });
        let usual = self.usual_norm;
        let has_exploded =
            self.seen_steps > FIRST_STEPS && usual > 0.0 && norm > MOST_GROWTH * usual;
        let exploding = has_exploded.then_some(Symptom::Explosion { norm, usual });
        // What a component does is the cause, the rest its effect.
        let all = collapsed.chain(dead).chain(exploding).chain(diverging);
        let is_new = |symptom: &Symptom| !self.told.iter().any(|told| told.is_like(symptom));
        let found = all.into_iter().find(is_new)?;
        self.told.push(found.clone());
        Some(Finish::Broken(found))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::algorithms::given::GivenComponent;
    use crate::training::{Experiment, Prepared};

    fn broken(experiment: &Experiment, most: usize) -> (Option<Symptom>, Run) {
        let mut run = Run::new(experiment, Prepared::new(experiment).unwrap()).unwrap();
        let mut guard = Guard::default();
        for _ in 0..most {
            if run.step().is_err() {
                break;
            }
            if let Some(Finish::Broken(symptom)) = guard.look(&run) {
                // It is told once.
                assert_ne!(guard.look(&run), Some(Finish::Broken(symptom.clone())));
                return (Some(symptom), run);
            }
        }
        (None, run)
    }

    fn experiment(algorithm: &str, settings: &[(&str, &str)]) -> Experiment {
        let mut experiment = Experiment::default();
        experiment.choose_algorithm(algorithm);
        for (key, value) in [("n_samples", "400"), ("n_components", "5")].iter().chain(settings) {
            experiment.set(key, value).unwrap();
        }
        experiment
    }

    #[test]
    fn a_sound_run_is_left_alone() {
        for algorithm in ["em", "nll", "sm", "ssm", "dsm", "csm"] {
            let (symptom, run) = broken(&experiment(algorithm, &[]), 300);
            assert_eq!(symptom, None, "{algorithm} at step {}", run.record().step);
        }
    }

    #[test]
    fn a_component_that_shrinks_onto_a_point_is_named() {
        // Demonstration "Collapse": a light component centered on a point, without a floor.
        let mut experiment =
            experiment("sm", &[("reg_covar", "0"), ("tol", "0"), ("learning_rate", "0.0002")]);
        let point = experiment.dataset().unwrap().train[17];
        let component =
            |weight, mean, s: f64| GivenComponent { weight, mean, covariance: [s * s, 0.0, s * s] };
        experiment.give_start(vec![
            component(0.5, [0.0, 0.5], 0.7),
            component(0.49, [1.0, 0.0], 0.7),
            component(0.01, point, 0.004),
        ]);
        let (symptom, run) = broken(&experiment, 1500);
        let Some(Symptom::Collapse { component, near, radius }) = symptom else {
            panic!("{symptom:?} after step {}", run.record().step)
        };
        assert_eq!(component, 2);
        assert!((near[0] - point[0]).hypot(near[1] - point[1]) < 0.02);
        assert!(radius < 2e-3 && run.record().objective < -100.0, "{}", run.record().objective);
    }

    #[test]
    fn steps_that_are_too_long_are_named() {
        let settings = [("learning_rate", "10"), ("optimizer", "sgd")];
        let (symptom, _) = broken(&experiment("nll", &settings), 300);
        assert!(symptom.is_some());
        let words = symptom.unwrap().to_string();
        assert!(!words.is_empty() && !words.contains("NaN"), "{words}");
    }

    #[test]
    fn a_weight_that_dies_is_named() {
        let mut experiment = experiment("em", &[]);
        let far = GivenComponent { weight: 0.2, mean: [60.0, 60.0], covariance: [0.1, 0.0, 0.1] };
        let near = GivenComponent { weight: 0.8, mean: [0.5, 0.25], covariance: [0.5, 0.0, 0.5] };
        experiment.give_start(vec![near, far]);
        let (symptom, run) = broken(&experiment, 10);
        assert_eq!(symptom.as_ref().and_then(Symptom::component), Some(1), "{symptom:?}");
        assert_eq!(run.record().step, 1);
    }
}
