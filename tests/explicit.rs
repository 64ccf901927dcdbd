//! Explicit score matching: its gradient, its optimum, and that it is the implicit objective plus a constant.

#[path = "support/theta.rs"]
mod theta;

use std::sync::Arc;

use scorescope::algorithms::{self, Start};
use scorescope::data::generators;
use scorescope::model::{CovarianceType, Density, Mixture, Parameters, Point};
use scorescope::objectives::{Batch, Evaluation, ExplicitScoreMatching, Objective, ScoreMatching};
use scorescope::random::{Purpose, generator};
use scorescope::settings::{Settings, Value};
use scorescope::training::{Experiment, Prepared, Run, Source, Tree};

fn known(id: &str) -> Arc<dyn Density> {
    generators::find(id).unwrap().density.unwrap()(&Settings::default()).unwrap()
}

fn true_scores(density: &dyn Density, points: &[Point]) -> Arc<[Point]> {
    points.iter().map(|&x| density.score(x)).collect()
}

fn flat_gradient(evaluation: &Evaluation) -> Vec<f64> {
    let gradient = &evaluation.gradient;
    [&gradient.logits[..], gradient.means.as_flattened(), &gradient.factors].concat()
}

/// f′(0) by central differences of fourth order.
fn derivative(f: impl Fn(f64) -> f64) -> f64 {
    let h = 4e-4;
    (8.0 * (f(h) - f(-h)) - (f(2.0 * h) - f(-2.0 * h))) / (12.0 * h)
}

#[test]
fn the_gradient_is_that_of_the_value_and_the_value_is_the_mean_square() {
    let points = theta::points(37, 1);
    for id in ["two_gaussians", "halfmoons", "donut"] {
        let density = known(id);
        let objective = ExplicitScoreMatching::new(true_scores(&*density, &points));
        for floor in [0.0, 0.03] {
            let parameters = theta::parameters(4, floor, 2);
            let evaluation = objective.evaluate(&parameters, Batch::all(&points));
            let mixture = parameters.mixture();
            let half_square = |x: Point| {
                let (s, t) = (mixture.score(x), density.score(x));
                0.5 * ((s[0] - t[0]).powi(2) + (s[1] - t[1]).powi(2))
            };
            let mean = points.iter().map(|&x| half_square(x)).sum::<f64>() / points.len() as f64;
            assert!((evaluation.value - mean).abs() < 1e-12 * mean, "{id}");
            for (i, got) in flat_gradient(&evaluation).into_iter().enumerate() {
                let expected = derivative(|h| {
                    let mut moved = parameters.clone();
                    let means = moved.means.as_flattened_mut().iter_mut();
                    let mut all = moved.logits.iter_mut().chain(means).chain(&mut moved.factors);
                    *all.nth(i).unwrap() += h;
                    objective.evaluate(&moved, Batch::all(&points)).value
                });
                let allowed = 1e-7 * expected.abs().max(1.0) * mean.max(1.0);
                assert!((got - expected).abs() < allowed, "{id} {floor} {i}: {got} {expected}");
            }
        }
    }
}

#[test]
fn a_batch_is_compared_with_the_scores_of_its_own_points() {
    let points = theta::points(2_000, 3);
    let density = known("ring");
    let all = ExplicitScoreMatching::new(true_scores(&*density, &points));
    let indices: Vec<u32> = (0..777).map(|i| (i * 1_237 + i % 5) % 2_000).collect();
    let picked: Vec<Point> = indices.iter().map(|&i| points[i as usize]).collect();
    let alone = ExplicitScoreMatching::new(true_scores(&*density, &picked));
    let parameters = theta::parameters(6, 1e-3, 3);
    let batch = all.evaluate(&parameters, Batch::of(&points, &indices));
    assert_eq!(batch, alone.evaluate(&parameters, Batch::all(&picked)));
    // What is not known is no number.
    let nothing = ExplicitScoreMatching::new(Arc::default());
    assert!(nothing.evaluate(&parameters, Batch::all(&points)).value.is_nan());
}

/// At the truth the objective is zero and so is its gradient, whatever points were drawn; from beside it, descent
/// comes back to within a hair, which the sampling error of the implicit objective would not allow.
#[test]
fn the_optimum_is_the_truth_itself() {
    let density = known("two_gaussians");
    let truth = density.modes().unwrap();
    let points: Arc<[Point]> = density.sample(500, &mut generator(1, Purpose::Data)).into();
    let scores = true_scores(&*density, &points);
    let at = |mixture: &Mixture| {
        let parameters = Parameters::of(mixture, CovarianceType::Full, 0.0);
        ExplicitScoreMatching::new(scores.clone()).evaluate(&parameters, Batch::all(&points))
    };
    let there = at(truth);
    assert!(there.value.abs() < 1e-24, "{}", there.value);
    assert!(flat_gradient(&there).iter().all(|v| v.abs() < 1e-11));
    let components = truth.components().iter();
    let means: Vec<Point> =
        components.map(|c| [c.gaussian.mean[0] + 0.3, c.gaussian.mean[1] - 0.2]).collect();
    let beside = Mixture::new(&[0.5, 0.5], &means, &[[0.7, 0.1, 1.3]; 2]).unwrap();
    let start = Start {
        mixture: beside,
        points: points.clone(),
        covariance_type: CovarianceType::Full,
        floor: 0.0,
        true_scores: Some(scores.clone()),
    };
    let mut settings = Settings::default();
    settings.set("lr_half_life", Value::Integer(300));
    let mut run = algorithms::find("esm").unwrap().start(start, &settings).unwrap();
    let before = run.objective();
    for _ in 0..3_000 {
        run.step(&settings).unwrap();
    }
    assert!(run.objective() < 1e-8 * before, "{before} {}", run.objective());
    for (got, want) in run.mixture().components().iter().zip(truth.components()) {
        for axis in 0..2 {
            let off = got.gaussian.mean[axis] - want.gaussian.mean[axis];
            assert!(off.abs() < 1e-3, "{:?} {:?}", got.gaussian.mean, want.gaussian.mean);
        }
    }
}

/// Hyvärinen (2005), theorem 1, over points drawn from the density: explicit − implicit is the mean of ½‖∇ log p‖² up to
/// −s·∇ log p − tr ∇s, which is zero in expectation.
#[test]
fn over_many_points_it_is_the_implicit_objective_plus_a_constant() {
    for id in ["ring", "halfmoons", "donut"] {
        let density = known(id);
        let points = density.sample(100_000, &mut generator(7, Purpose::Data));
        let scores = true_scores(&*density, &points);
        let squares = scores.iter().map(|s| 0.5 * (s[0] * s[0] + s[1] * s[1]));
        let constant = squares.sum::<f64>() / points.len() as f64;
        let parameters = theta::parameters(4, 0.05, 5);
        let mixture = parameters.mixture();
        let explicit = ExplicitScoreMatching::new(scores.clone());
        let explicit = explicit.evaluate(&parameters, Batch::all(&points)).value;
        let implicit = ScoreMatching.evaluate(&parameters, Batch::all(&points)).value;
        let terms: Vec<f64> = (points.iter().zip(&*scores))
            .map(|(&x, t)| {
                let (s, [h11, _, h22]) = (mixture.score(x), mixture.hessian(x));
                -s[0] * t[0] - s[1] * t[1] - h11 - h22
            })
            .collect();
        let count = terms.len() as f64;
        let mean = terms.iter().sum::<f64>() / count;
        let variance = terms.iter().map(|t| (t - mean).powi(2)).sum::<f64>() / count;
        let error = (variance / count).sqrt();
        let gap = explicit - implicit - constant;
        assert!((gap - mean).abs() < 1e-9 * explicit.abs(), "{id}: {gap} {mean}");
        assert!(gap.abs() < 5.0 * error, "{id}: {gap} ± {error}");
        assert!(error < 0.05 * constant, "{id}: {error} says little beside {constant}");
    }
}

fn experiment(source: Source) -> Experiment {
    let mut experiment = Experiment::default();
    experiment.choose_source(source);
    experiment.choose_algorithm("esm");
    experiment.set("max_iter", "5").unwrap();
    experiment
}

#[test]
fn it_trains_where_the_density_is_known_scaled_or_not() {
    for scale in ["false", "true"] {
        let mut experiment = experiment(Source::Generator("halfmoons".to_owned()));
        experiment.set("scale", scale).unwrap();
        let mut run = Run::new(&experiment, Prepared::new(&experiment).unwrap()).unwrap();
        let before = run.record().objective;
        for _ in 0..30 {
            run.step().unwrap();
        }
        assert!(run.record().objective < 0.9 * before, "{scale}");
        // The same as by hand, in the units of the scaled points.
        let dataset = &run.prepared().dataset;
        let density = experiment.known_density(&dataset.scaling).unwrap();
        let mean = |mixture: &Mixture| {
            let terms = dataset.train.iter().map(|&x| {
                let (s, t) = (mixture.score(x), density.score(x));
                0.5 * ((s[0] - t[0]).powi(2) + (s[1] - t[1]).powi(2))
            });
            terms.sum::<f64>() / dataset.train.len() as f64
        };
        let expected = mean(run.mixture());
        assert!((run.record().objective - expected).abs() < 1e-9 * expected, "{scale}");
    }
}

#[test]
fn elsewhere_it_says_what_to_choose() {
    let experiment = experiment(Source::Generator("pinwheel".to_owned()));
    let prepared = Prepared::new(&experiment).unwrap();
    let error = Tree::new(&experiment, prepared).err().unwrap().to_string();
    let expected = "Explicit score matching needs the true score of the data, and Pinwheel has no density in closed \
                    form: choose another data set";
    assert_eq!(error, expected);
}
