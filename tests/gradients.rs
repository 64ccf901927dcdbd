//! Derivatives against differences of the very functions they belong to, and sums against their terms.

#[path = "support/theta.rs"]
mod theta;

use std::sync::Arc;

use scorescope::model::{Density, Mixture, Parameters, Point};
use scorescope::objectives::{
    Batch, Evaluation, NegativeLogLikelihood, OBJECTIVES, Objective, ScoreMatching, Sliced, kernel,
};
use scorescope::random::{Purpose, generator};
use scorescope::settings::Settings;

/// Objectives that listed ones become by their settings.
const VARIANTS: [(&str, &[(&str, &str)]); 7] = [
    ("ssm", &[("control_variate", "0.4"), ("slice_distribution", "sphere"), ("n_slices", "2")]),
    ("ssm_plain", &[("slice_distribution", "rademacher"), ("redraw", "false")]),
    ("dsm", &[("sigma", "0.5"), ("n_draws", "3"), ("noise_pairs", "true")]),
    ("dsm", &[("n_levels", "3"), ("sigma_weight", "true"), ("sigma_max", "0.4")]),
    ("dsm", &[("n_levels", "2"), ("noised_model", "true"), ("sigma", "0.3")]),
    ("csm", &[("order", "x2_x1")]),
    ("nce", &[("shift", "0.7"), ("n_slices", "3")]),
];

/// Every objective of the list as menus start it, the variants, and one with slices of our own.
fn objectives(point_count: usize) -> Vec<(String, Arc<dyn Objective>)> {
    let slices = theta::slices(point_count, 3, 7);
    let fixed: Arc<dyn Objective> = Arc::new(Sliced::new(slices.iter().map(|v| &v[..])));
    let listed = OBJECTIVES.iter().map(|info| (info.id, &[][..]));
    let prepared = listed.chain(VARIANTS).map(|(id, chosen)| {
        let info = OBJECTIVES.iter().find(|info| info.id == id).unwrap();
        let mut settings = Settings::default();
        for (key, text) in chosen {
            let setting = info.settings.iter().find(|setting| setting.key == *key).unwrap();
            settings.set(key, setting.parse(text).unwrap());
        }
        let mut rng = generator(5, Purpose::Slices);
        (format!("{id} {chosen:?}"), (info.prepare)(&settings, &mut rng))
    });
    prepared.chain([("fixed slices".to_owned(), fixed)]).collect()
}

/// f′(0) by central differences of fourth order.
fn derivative(f: impl Fn(f64) -> f64) -> f64 {
    let h = 4e-4;
    (8.0 * (f(h) - f(-h)) - (f(2.0 * h) - f(-2.0 * h))) / (12.0 * h)
}

#[track_caller]
fn check(what: &str, got: f64, expected: f64, tolerance: f64) {
    let allowed = tolerance * expected.abs().max(1.0);
    assert!((got - expected).abs() <= allowed, "{what}: {got:e}, not {expected:e} ± {allowed:e}");
}

/// All coordinates of θ, in the order of [`flat_gradient`].
fn coordinates(parameters: &mut Parameters) -> impl Iterator<Item = &mut f64> {
    let means = parameters.means.as_flattened_mut().iter_mut();
    parameters.logits.iter_mut().chain(means).chain(&mut parameters.factors)
}

fn flat_gradient(evaluation: &Evaluation) -> Vec<f64> {
    let gradient = &evaluation.gradient;
    [&gradient.logits[..], gradient.means.as_flattened(), &gradient.factors].concat()
}

#[test]
fn gradients_are_those_of_the_values() {
    let points = theta::points(37, 1);
    for floor in [0.0, 0.03] {
        let parameters = theta::parameters(4, floor, 2);
        for (id, objective) in objectives(points.len()) {
            let evaluation = objective.evaluate(&parameters, Batch::all(&points));
            let gradient = flat_gradient(&evaluation);
            assert_eq!(gradient.len(), 6 * 4, "{id}");
            for (i, got) in gradient.into_iter().enumerate() {
                let expected = derivative(|h| {
                    let mut moved = parameters.clone();
                    *coordinates(&mut moved).nth(i).unwrap() += h;
                    objective.evaluate(&moved, Batch::all(&points)).value
                });
                check(&format!("{id}, floor {floor}, coordinate {i}"), got, expected, 1e-7);
            }
        }
    }
}

#[test]
fn score_and_hessian_are_derivatives_of_the_log_density() {
    for seed in 0..5 {
        let mixture = theta::parameters(5, 0.0, seed).mixture();
        for x in theta::points(20, seed) {
            let along = |axis: usize, h: f64| {
                let mut moved: Point = x;
                moved[axis] += h;
                moved
            };
            let (score, hessian) = (mixture.score(x), mixture.hessian(x));
            for (axis, (score, row)) in score
                .into_iter()
                .zip([[hessian[0], hessian[1]], [hessian[1], hessian[2]]])
                .enumerate()
            {
                let expected = derivative(|h| mixture.log_density(along(axis, h)));
                check(&format!("seed {seed}, {x:?}, score {axis}"), score, expected, 1e-8);
                for (other, got) in row.into_iter().enumerate() {
                    let expected = derivative(|h| mixture.score(along(axis, h))[other]);
                    check(
                        &format!("seed {seed}, {x:?}, Hessian {axis}{other}"),
                        got,
                        expected,
                        1e-8,
                    );
                }
            }
        }
    }
}

/// All numbers of an evaluation, bit by bit.
fn bits(evaluation: &Evaluation) -> Vec<u64> {
    let mut numbers = flat_gradient(evaluation);
    numbers.extend([evaluation.value, evaluation.log_likelihood]);
    numbers.into_iter().map(f64::to_bits).collect()
}

#[test]
fn a_batch_is_its_points() {
    let points = theta::points(2_000, 3);
    let parameters = theta::parameters(6, 1e-3, 3);
    // Out of order, and some of them twice.
    let indices: Vec<u32> = (0..777).map(|i| (i * 1_237 + i % 5) % 2_000).collect();
    let picked: Vec<Point> = indices.iter().map(|&i| points[i as usize]).collect();
    for (id, objective) in objectives(picked.len()) {
        let batch = objective.evaluate(&parameters, Batch::of(&points, &indices));
        let alone = objective.evaluate(&parameters, Batch::all(&picked));
        assert_eq!(bits(&batch), bits(&alone), "{id}");
    }
}

#[test]
fn an_objective_is_the_mean_of_its_points() {
    let points = theta::points(700, 4);
    let parameters = theta::parameters(6, 1e-3, 4);
    let slices = theta::slices(points.len(), 2, 4);
    let sliced = |range: std::ops::Range<usize>| Sliced::new(slices[range].iter().map(|v| &v[..]));
    let check_mean = |id: &str,
                      whole: &dyn Objective,
                      single: &dyn Fn(usize) -> Arc<dyn Objective>| {
        let whole = whole.evaluate(&parameters, Batch::all(&points));
        let mut mean = vec![0.0; 6 * 6 + 2];
        for n in 0..points.len() {
            let index = [n as u32];
            let one = single(n).evaluate(&parameters, Batch::of(&points, &index));
            let numbers = flat_gradient(&one).into_iter().chain([one.value, one.log_likelihood]);
            for (mean, number) in mean.iter_mut().zip(numbers) {
                *mean += number / points.len() as f64;
            }
        }
        let numbers = flat_gradient(&whole).into_iter().chain([whole.value, whole.log_likelihood]);
        for (i, (got, expected)) in numbers.zip(mean).enumerate() {
            check(&format!("{id} {i}"), got, expected, 1e-12);
        }
    };
    check_mean("nll", &NegativeLogLikelihood, &|_| Arc::new(NegativeLogLikelihood));
    check_mean("sm", &ScoreMatching, &|_| Arc::new(ScoreMatching));
    check_mean("ssm", &sliced(0..points.len()), &|n| Arc::new(sliced(n..n + 1)));
}

#[test]
fn any_number_of_threads_gives_the_same_bits() {
    let points = theta::points(10_000, 6);
    let parameters = theta::parameters(9, 1e-4, 6);
    let mixture = parameters.mixture();
    for (id, objective) in objectives(points.len()) {
        let mut results = [1, 2, 3].map(|thread_count| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(thread_count).build().unwrap();
            pool.install(|| {
                let evaluation = objective.evaluate(&parameters, Batch::all(&points));
                let likelihood = kernel::mean_log_likelihood(&mixture, &points);
                let mut moments = Vec::new();
                kernel::expectation(&mixture, &points, &mut moments);
                let moments = moments.into_iter().flat_map(|m| {
                    [m.count, m.mean[0], m.mean[1], m.scatter[0], m.scatter[1], m.scatter[2]]
                });
                let mut all = bits(&evaluation);
                all.extend(moments.chain([likelihood]).map(f64::to_bits));
                all
            })
        });
        let first = results[0].clone();
        assert!(results.iter_mut().all(|result| *result == first), "{id}");
    }
}

#[test]
fn without_points_there_is_no_mean() {
    let mixture = Mixture::new(&[1.0], &[[0.0; 2]], &[[1.0, 0.0, 1.0]]).unwrap();
    let mut moments = Vec::new();
    assert!(kernel::mean_log_likelihood(&mixture, &[]).is_nan());
    assert!(kernel::expectation(&mixture, &[], &mut moments).is_nan());
    assert_eq!(moments[0].count, 0.0);
}

#[test]
fn the_mean_log_likelihood_is_that_of_the_density() {
    for seed in 0..5 {
        let parameters = theta::parameters(8, 1e-3, seed);
        let mixture = parameters.mixture();
        for count in [1, 7, 8, 9, 511, 512, 513, 3_000] {
            let points = theta::points(count, seed);
            let sum: f64 = points.iter().map(|&x| mixture.log_density(x)).sum();
            let expected = sum / points.len() as f64;
            let fused = kernel::mean_log_likelihood(&mixture, &points);
            check(&format!("seed {seed}, {count} points"), fused, expected, 1e-13);
            for (id, objective) in objectives(count) {
                let got = objective.evaluate(&parameters, Batch::all(&points)).log_likelihood;
                check(&format!("{id}, seed {seed}, {count} points"), got, expected, 1e-12);
            }
        }
    }
}
