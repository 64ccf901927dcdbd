//! The fused kernels against the same objectives written as plain burn tensors and differentiated by burn's autodiff
//! (`scorescope::algorithms::plain`), which share nothing with them.

#[path = "support/theta.rs"]
mod theta;

use scorescope::algorithms::plain;
use scorescope::model::Point;
use scorescope::objectives::{
    Batch, Composite, Contrastive, Denoising, Evaluation, NegativeLogLikelihood, Objective, Order,
    ScoreMatching, Sliced,
};

/// How far a number may be from its reference, relative to the largest of its block.
const TOLERANCE: f64 = 1e-12;

#[track_caller]
fn check(what: &str, got: &[f64], reference: &[f64], scale: f64) {
    assert_eq!(got.len(), reference.len(), "{what}: length");
    for (i, (got, want)) in got.iter().zip(reference).enumerate() {
        let error = (got - want).abs() / scale;
        assert!(error <= TOLERANCE, "{what}[{i}]: {got:e}, not {want:e}; relative error {error:e}");
    }
}

/// Compares value, log-likelihood and gradient.
#[track_caller]
fn compare(what: &str, got: &Evaluation, plain: &Evaluation) {
    for (number, got, want) in [
        ("value", got.value, plain.value),
        ("likelihood", got.log_likelihood, plain.log_likelihood),
    ] {
        check(&format!("{what}: {number}"), &[got], &[want], want.abs().max(1.0));
    }
    let (got, plain) = (&got.gradient, &plain.gradient);
    for (block, got, want) in [
        ("logits", &got.logits[..], &plain.logits[..]),
        ("means", got.means.as_flattened(), plain.means.as_flattened()),
        ("factors", &got.factors, &plain.factors),
    ] {
        let largest = want.iter().fold(0.0, |max: f64, v| max.max(v.abs()));
        check(&format!("{what}: {block}"), got, want, largest.max(1e-3));
    }
}

#[test]
fn kernels_agree_with_plain_tensors() {
    for seed in 0..4 {
        for component_count in [1, 2, 5, 12] {
            for floor in [0.0, 1e-4, 0.05] {
                let theta = theta::parameters(component_count, floor, seed);
                // Not a multiple of the points that the kernels take at a time, and more than one of their chunks.
                let points = theta::points(601, seed);
                let slices = theta::slices(points.len(), 3, seed);
                let batch = Batch::all(&points);
                let what =
                    |id: &str| format!("{id}, seed {seed}, K = {component_count}, floor {floor}");
                compare(
                    &what("nll"),
                    &NegativeLogLikelihood.evaluate(&theta, batch),
                    &plain::negative_log_likelihood(&theta, &points),
                );
                compare(
                    &what("sm"),
                    &ScoreMatching.evaluate(&theta, batch),
                    &plain::score_matching(&theta, &points),
                );
                for beta in [1.0, 0.0, 0.4] {
                    let given = slices.iter().map(|v| &v[..]);
                    compare(
                        &what(&format!("ssm with {beta}")),
                        &Sliced::with_control_variate(given, beta).evaluate(&theta, batch),
                        &plain::sliced(&theta, &points, &slices, beta),
                    );
                }
                for order in [Order::FirstThenSecond, Order::SecondThenFirst] {
                    compare(
                        &what(&format!("csm {order:?}")),
                        &Composite(order).evaluate(&theta, batch),
                        &plain::composite(&theta, &points, order),
                    );
                }
                let draws: Vec<Vec<Point>> =
                    (0..3).map(|draw| theta::points(points.len(), 100 + draw)).collect();
                let sigma = 0.4;
                let denoising = || Denoising::new(draws.clone(), vec![sigma]);
                compare(
                    &what("dsm"),
                    &denoising().evaluate(&theta, batch),
                    &plain::denoising(&theta, &points, &draws, sigma, 0.0),
                );
                compare(
                    &what("dsm of the noised model"),
                    &denoising().of_noised_model().evaluate(&theta, batch),
                    &plain::denoising(&theta, &points, &draws, sigma, sigma * sigma),
                );
                compare(
                    &what("nce"),
                    &Contrastive::new(draws.clone()).evaluate(&theta, batch),
                    &plain::contrastive(&theta, &points, &draws),
                );
            }
        }
    }
}

/// Levels are averaged, pairs are two draws, and weights multiply.
#[test]
fn a_ladder_of_noise_is_the_mean_of_its_levels() {
    let (theta, points) = (theta::parameters(4, 0.01, 1), theta::points(100, 1));
    let z = theta::points(points.len(), 2);
    let opposite: Vec<Point> = z.iter().map(|z| z.map(|v| -v)).collect();
    let pair = [z.clone(), opposite];
    let sigmas = [0.1, 0.3, 0.9];
    let mut expected = Evaluation::default();
    for sigma in sigmas {
        let level = plain::denoising(&theta, &points, &pair, sigma, sigma * sigma);
        let weight = sigma * sigma / 3.0;
        let add = |sum: &mut Vec<f64>, numbers: &[f64]| {
            sum.resize(numbers.len(), 0.0);
            sum.iter_mut().zip(numbers).for_each(|(sum, number)| *sum += weight * number);
        };
        let (sum, gradient) = (&mut expected.gradient, &level.gradient);
        expected.value += weight * level.value;
        expected.log_likelihood = level.log_likelihood;
        add(&mut sum.logits, &gradient.logits);
        add(&mut sum.factors, &gradient.factors);
        let mut means = sum.means.as_flattened().to_vec();
        add(&mut means, gradient.means.as_flattened());
        sum.means = means.as_chunks().0.to_vec();
    }
    let ladder = Denoising::new(vec![z], sigmas.to_vec());
    let got = ladder.in_pairs().weighted_by_variance().of_noised_model();
    compare("ladder", &got.evaluate(&theta, Batch::all(&points)), &expected);
}
