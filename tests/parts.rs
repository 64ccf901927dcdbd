//! Every objective as the sum of what its formula adds up, and what a run drew at a step, drawn again.

use std::sync::Arc;

use scorescope::model::{CovarianceType, Density, Mixture, Parameters, Point};
use scorescope::objectives::{
    Batch, Composite, Contrastive, Denoising, ExplicitScoreMatching, OBJECTIVES, Objective, Order,
    Part, Sliced,
};
use scorescope::random::{Purpose, generator};
use scorescope::settings::Settings;
use scorescope::training::{Experiment, Prepared, Run};

fn mixture() -> Mixture {
    let means = [[0.0, 0.0], [1.5, -1.0], [-1.0, 1.2]];
    let covariances = [[0.3, 0.1, 0.2], [1.0, 0.9, 1.0], [0.5, -0.3, 0.4]];
    Mixture::new(&[0.5, 0.3, 0.2], &means, &covariances).unwrap()
}

/// Points of another density, so that no part is zero by chance.
fn points(count: usize) -> Vec<Point> {
    let other = Mixture::new(&[1.0], &[[0.2, -0.1]], &[[1.5, 0.2, 0.8]]).unwrap();
    other.sample(count, &mut generator(5, Purpose::Samples))
}

/// The parts of an objective, all points and of a mini-batch, add up to its value.
#[track_caller]
fn check(what: &str, objective: &dyn Objective, count: usize) -> Vec<Part> {
    let parameters = Parameters::of(&mixture(), CovarianceType::Full, 0.02);
    let points = points(333);
    let indices: Vec<u32> = (0..200).map(|i| i * 7 % 333).collect();
    let mut all = Vec::new();
    for batch in [Batch::of(&points, &indices), Batch::all(&points)] {
        let value = objective.evaluate(&parameters, batch).value;
        all = objective.parts(&parameters, batch);
        let sum: f64 = all.iter().map(|part| part.value).sum();
        let size = all.iter().fold(1.0, |size: f64, part| size.max(part.value.abs()));
        assert!((sum - value).abs() <= 1e-9 * size, "{what}: {sum} is not {value}: {all:?}");
        assert_eq!(all.len(), count, "{what}: {all:?}");
    }
    all
}

fn prepared(id: &str, chosen: &[(&str, &str)]) -> Arc<dyn Objective> {
    let info = OBJECTIVES.iter().find(|info| info.id == id).unwrap();
    let mut settings = Settings::default();
    for (key, value) in chosen {
        let setting = info.settings.iter().find(|setting| setting.key == *key).unwrap();
        settings.set(key, setting.parse(value).unwrap());
    }
    (info.prepare)(&settings, &mut generator(3, Purpose::Slices))
}

/// An objective, its settings, and how many parts it has.
type Case = (&'static str, &'static [(&'static str, &'static str)], usize);

#[test]
fn parts_add_up_to_every_objective_with_all_settings_that_matter() {
    let cases: [Case; 20] = [
        ("nll", &[], 1),
        ("sm", &[], 2),
        ("ssm_plain", &[], 2),
        ("ssm_plain", &[("n_slices", "7"), ("slice_distribution", "rademacher")], 2),
        ("ssm_plain", &[("slice_distribution", "sphere"), ("redraw", "false")], 2),
        ("ssm", &[], 2),
        ("ssm", &[("n_slices", "64"), ("slice_distribution", "sphere")], 2),
        ("ssm", &[("control_variate", "0")], 2),
        ("ssm", &[("control_variate", "0.7"), ("n_slices", "3")], 3),
        ("ssm", &[("control_variate", "-0.5")], 3),
        ("dsm", &[], 3),
        ("dsm", &[("sigma", "0.02"), ("n_draws", "3"), ("noise_pairs", "true")], 3),
        ("dsm", &[("sigma_weight", "true"), ("n_draws", "5")], 3),
        ("dsm", &[("n_levels", "4"), ("sigma_weight", "true"), ("noised_model", "true")], 3),
        ("dsm", &[("n_levels", "3"), ("noise_pairs", "true"), ("redraw", "false")], 3),
        ("csm", &[], 4),
        ("csm", &[("order", "x2_x1")], 4),
        ("nce", &[], 2),
        ("nce", &[("shift", "3"), ("n_slices", "5")], 2),
        ("nce", &[("shift", "0.001"), ("slice_distribution", "rademacher")], 2),
    ];
    for (id, chosen, count) in cases {
        check(&format!("{id} {chosen:?}"), &*prepared(id, chosen), count);
    }
    for info in OBJECTIVES {
        assert!(cases.iter().any(|(id, ..)| *id == info.id), "{} is not tried", info.id);
    }
}

#[test]
fn parts_add_up_where_the_draws_are_given() {
    let draw = |seed: u64| {
        let normal = Mixture::new(&[1.0], &[[0.0; 2]], &[[1.0, 0.0, 1.0]]).unwrap();
        normal.sample(333, &mut generator(seed, Purpose::Samples))
    };
    let slices: Vec<Vec<Point>> = draw(1).iter().zip(draw(2)).map(|(a, b)| vec![*a, b]).collect();
    for (beta, count) in [(0.0, 2), (0.5, 3), (1.0, 2)] {
        let sliced = Sliced::with_control_variate(slices.iter().map(Vec::as_slice), beta);
        check("given slices", &sliced, count);
    }
    let noise = || vec![draw(3), draw(4)];
    let denoising = Denoising::new(noise(), vec![0.3, 0.1]);
    let [_, _, target] = &check("given noise", &denoising, 3)[..] else { panic!() };
    // By hand: the mean of ½‖z‖²/σ² over points, draws and levels.
    let squares = |sigma: f64| {
        let all = noise().concat();
        all.iter().map(|z| 0.5 * (z[0] * z[0] + z[1] * z[1]) / (sigma * sigma)).sum::<f64>() / 666.0
    };
    assert!((target.value - 0.5 * (squares(0.3) + squares(0.1))).abs() < 1e-9 * target.value);
    check("in pairs", &Denoising::new(noise(), vec![0.2]).in_pairs(), 3);
    check("weighted", &Denoising::new(noise(), vec![0.2, 0.5]).weighted_by_variance(), 3);
    check("noised model", &Denoising::new(noise(), vec![0.2]).of_noised_model(), 3);
    let shifts = Contrastive::new(vec![draw(5), draw(6)]);
    check("given shifts", &shifts, 2);
}

#[test]
fn explicit_score_matching_is_both_squares_and_what_they_share() {
    let points = points(333);
    let truth = Mixture::new(&[1.0], &[[0.2, -0.1]], &[[1.5, 0.2, 0.8]]).unwrap();
    let scores: Vec<Point> = points.iter().map(|&x| truth.score(x)).collect();
    let parts = check("esm", &ExplicitScoreMatching::new(scores.clone().into()), 3);
    // The last part knows nothing of θ.
    let square: f64 = scores.iter().map(|s| 0.5 * (s[0] * s[0] + s[1] * s[1])).sum();
    assert!((parts[2].value - square / 333.0).abs() < 1e-12 * square);
}

/// Each coordinate's pair by central differences of log p(x₁), by quadrature over x₂, and of log p(x₂|x₁).
#[test]
fn the_parts_of_a_composite_are_those_of_a_marginal_and_of_a_conditional() {
    let [first, last] = [Order::FirstThenSecond, Order::SecondThenFirst]
        .map(|order| check("csm", &Composite(order), 4).iter().map(|p| p.value).collect());
    let (first, last): (Vec<f64>, Vec<f64>) = (first, last);
    let seen = Parameters::of(&mixture(), CovarianceType::Full, 0.02).mixture();
    let points = points(333);
    for (axis, parts) in [(0, first), (1, last)] {
        let mut sums = [0.0; 4];
        let at = |x: f64, y: f64| if axis == 0 { [x, y] } else { [y, x] };
        let marginal = |x: f64| {
            let h = 0.02;
            let values = (-600..=600).map(|i| seen.log_density(at(x, f64::from(i) * h)).exp() * h);
            values.sum::<f64>().ln()
        };
        for point in &points {
            let (x, y, h) = (point[axis], point[1 - axis], 1e-3);
            let [before, here, after] = [-h, 0.0, h].map(|d| marginal(x + d));
            let score = (after - before) / (2.0 * h);
            sums[0] += 0.5 * score * score;
            sums[1] += (after - 2.0 * here + before) / (h * h);
            let [before, here, after] = [-h, 0.0, h].map(|d| seen.log_density(at(x, y + d)));
            let score = (after - before) / (2.0 * h);
            sums[2] += 0.5 * score * score;
            sums[3] += (after - 2.0 * here + before) / (h * h);
        }
        for (got, sum) in parts.iter().zip(sums) {
            let expected = sum / 333.0;
            assert!((got - expected).abs() < 1e-4 * (1.0 + expected.abs()), "{got} {expected}");
        }
    }
}

fn experiment(id: &str, chosen: &[(&str, &str)]) -> Experiment {
    let mut experiment = Experiment::default();
    experiment.choose_algorithm(id);
    for (key, value) in [("n_samples", "300"), ("n_components", "3"), ("tol", "0")] {
        experiment.set(key, value).unwrap();
    }
    for (key, value) in chosen {
        experiment.set(key, value).unwrap();
    }
    experiment
}

/// What a run looked at in its last step gives what it has recorded of it, and so do its parts.
#[track_caller]
fn check_look(what: &str, run: &Run) {
    let record = run.record();
    let stretches = run.course().up_to(record.step).unwrap();
    let prepared = run.prepared();
    let points = &prepared.dataset.train;
    let true_scores = prepared.true_scores(run.experiment()).unwrap();
    let info = run.experiment().algorithm_info();
    let look = info.look(&stretches, points.len(), true_scores.as_ref()).unwrap();
    let parameters = Parameters::of(run.mixture(), CovarianceType::Full, 0.0);
    let parts = look.parts(&parameters, points);
    let size = parts.iter().fold(1.0, |size: f64, part| size.max(part.value.abs()));
    let sum: f64 = parts.iter().map(|part| part.value).sum();
    for value in [sum, look.evaluate(&parameters, points).value] {
        let off = (value - record.objective).abs();
        assert!(off <= 1e-9 * size, "{what}, step {}: {value} {}", record.step, record.objective);
    }
}

#[test]
fn what_every_algorithm_drew_at_a_step_can_be_drawn_again() {
    for info in &*scorescope::algorithms::ALGORITHMS {
        for batch_size in ["0", "40"] {
            let chosen: &[_] = if info.id == "em" { &[] } else { &[("batch_size", batch_size)] };
            let experiment = experiment(info.id, chosen);
            let mut run = Run::new(&experiment, Prepared::new(&experiment).unwrap()).unwrap();
            for _ in 0..5 {
                check_look(info.id, &run);
                run.step().unwrap();
            }
            check_look(info.id, &run);
        }
    }
}

#[test]
fn so_it_can_where_settings_changed_on_the_way() {
    let start = experiment("ssm", &[("batch_size", "40"), ("redraw", "true")]);
    let mut run = Run::new(&start, Prepared::new(&start).unwrap()).unwrap();
    let changes: [&[(&str, &str)]; 5] = [
        &[("redraw", "false")],
        &[("redraw", "true"), ("n_slices", "3"), ("batch_size", "0")],
        &[("batch_size", "25"), ("control_variate", "0.5")],
        &[("redraw", "false"), ("batch_size", "60")],
        &[("redraw", "true")],
    ];
    let mut chosen = start.clone();
    for change in changes {
        for _ in 0..3 {
            run.step().unwrap();
            check_look("tuned", &run);
        }
        for (key, value) in change {
            chosen.set(key, value).unwrap();
        }
        run.tune(chosen.algorithm.clone());
    }
    // A run that goes on from a step of this one remembers what it had drawn; one that leaves it begins anew.
    let record = run.record();
    let mut continued = run.continued(&record, &chosen).unwrap();
    let at = Prepared::with_start(run.prepared(), Arc::new(run.mixture().clone()));
    let mut leaving = Run::leaving(&record, &chosen, at).unwrap();
    for _ in 0..4 {
        check_look("continued", &continued);
        check_look("leaving", &leaving);
        continued.step().unwrap();
        leaving.step().unwrap();
    }
    assert!(run.course().up_to(record.step + 1).is_none());
}
