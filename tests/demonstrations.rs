//! Demonstrations of lectures whose numbers are known: collapse, rotation, blindness to weights.
//!
//! The references were computed with numpy before this project began; where a closed form is known it stands beside.

use std::sync::Arc;

use rand::RngExt;
use rand_distr::{Distribution, StandardNormal};
use scorescope::model::{CovarianceType, Density, Mixture, Parameters, Point, Symmetric, Truth};
use scorescope::objectives::{Batch, NegativeLogLikelihood, Objective, ScoreMatching, Sliced};
use scorescope::random::{Purpose, Rng, generator};

#[track_caller]
fn check(what: &str, got: f64, expected: f64, allowed: f64) {
    assert!((got - expected).abs() <= allowed, "{what}: {got}, not {expected} ± {allowed}");
}

fn value(objective: &dyn Objective, mixture: &Mixture, points: &[Point]) -> f64 {
    let parameters = Parameters::of(mixture, CovarianceType::Full, 0.0);
    objective.evaluate(&parameters, Batch::all(points)).value
}

/// A component of weight 0.01 shrinks onto one of 300 points: the score-matching loss of this one point is
/// tr(−I / r²), so that the mean falls like −2 / (n r²), which the likelihood hardly sees.
#[test]
fn a_component_that_collapses_is_rewarded_by_score_matching() {
    let (left, right) = ([-2.0, 0.0], [2.0, 0.0]);
    let round: Symmetric = [0.49, 0.0, 0.49];
    for seed in 0..5 {
        let mut rng = generator(seed, Purpose::Data);
        let mut half =
            |mean| Mixture::new(&[1.0], &[mean], &[round]).unwrap().sample(150, &mut rng);
        let points = [half(left), half(right)].concat();
        let with_radius = |r: f64| {
            Mixture::new(
                &[0.495, 0.495, 0.01],
                &[left, right, points[0]],
                &[round, round, [r * r, 0.0, r * r]],
            )
            .unwrap()
        };
        let loss = |r| value(&ScoreMatching, &with_radius(r), &points);
        let nll = |r| value(&NegativeLogLikelihood, &with_radius(r), &points);
        for r in [0.003, 0.002, 0.001, 1e-4] {
            let law = -2.0 / (points.len() as f64 * r * r);
            check(&format!("seed {seed}, r = {r}"), loss(r), law, 0.01 * law.abs());
        }
        check(&format!("seed {seed}: before"), loss(0.7), -2.0, 0.3);
        check(&format!("seed {seed}: likelihood"), nll(0.7) - nll(0.003), 0.02, 0.008);
        // A small barrier makes it look safe.
        let barrier = [0.3, 0.2, 0.15, 0.1, 0.07].map(loss).into_iter().fold(f64::MIN, f64::max);
        assert!(barrier > loss(0.7), "seed {seed}: {barrier} {}", loss(0.7));
    }
}

/// Draws one slice.
type Draw = fn(&mut Rng) -> Point;

/// How the value of one slice scatters, by what slices are drawn from and by how the data is turned.
#[test]
fn slices_scatter_by_rotation() {
    // Hessian diag(−4, −¼) is that of a Gaussian with covariance diag(¼, 4); turned by 45°, its inverse's entries
    // are the mean 2.125 and half the difference 1.875.
    let straight = Mixture::new(&[1.0], &[[0.0, 0.0]], &[[0.25, 0.0, 4.0]]).unwrap();
    let turned = Mixture::new(&[1.0], &[[0.0, 0.0]], &[[2.125, -1.875, 2.125]]).unwrap();
    let rademacher =
        |rng: &mut Rng| [rng.random(), rng.random()].map(|up| if up { 1.0 } else { -1.0 });
    let gaussian = |rng: &mut Rng| [StandardNormal.sample(rng), StandardNormal.sample(rng)];
    // Length √2, so that E[vvᵀ] = I as for the others.
    let circle = |rng: &mut Rng| {
        let (sin, cos) = (std::f64::consts::TAU * rng.random::<f64>()).sin_cos();
        [cos, sin].map(|v| std::f64::consts::SQRT_2 * v)
    };
    let cases: [(&str, Draw, f64, f64); 3] = [
        ("Rademacher", rademacher, 0.0, 3.75),
        // √(2 tr H²) = 5.668 both times.
        ("Gaussian", gaussian, 5.65, 5.67),
        // 3.75 / √2 = 2.652 both times.
        ("circle", circle, 2.65, 2.65),
    ];
    let count = 100_000;
    for (name, draw, expected_straight, expected_turned) in cases {
        for (mixture, expected) in [(&straight, expected_straight), (&turned, expected_turned)] {
            let mut rng = generator(1, Purpose::Slices);
            // At the mean the score is zero, so that the value of one slice is vᵀHv.
            let values: Vec<f64> = (0..count)
                .map(|_| {
                    let slices = [draw(&mut rng)];
                    value(&Sliced::new([&slices[..]]), mixture, &[[0.0, 0.0]])
                })
                .collect();
            let mean = values.iter().sum::<f64>() / f64::from(count);
            let squares: f64 = values.iter().map(|v| (v - mean).powi(2)).sum();
            // Five standard errors for the Gaussian, whose squares have heavy tails.
            check(name, (squares / f64::from(count)).sqrt(), expected, 0.15);
            check(&format!("{name}: trace"), mean, -4.25, 0.1);
        }
    }
}

/// Two unit Gaussians at ±(a, a) with the weights swapped: the KL divergence sees it from afar, the Fisher divergence
/// ½ E‖∇log p − ∇log q‖² does not.
#[test]
fn fisher_divergence_is_blind_to_weights() {
    for (a, expected_kl, expected_fisher, digit) in [
        (1.0, 0.629, 0.256, 5e-4),
        (2.0, 0.825, 0.0281, 5e-5),
        (3.0, 0.832, 2.9e-4, 5e-6),
        (5.0, 0.832, 5.5e-11, 5e-13),
    ] {
        let unit: Symmetric = [1.0, 0.0, 1.0];
        let with_weights =
            |weights| Mixture::new(weights, &[[a, a], [-a, -a]], &[unit, unit]).unwrap();
        let (p, q) = (with_weights(&[0.8, 0.2]), with_weights(&[0.2, 0.8]));
        let got = Truth::new(Arc::new(p)).compare(&q);
        check(&format!("KL, a = {a}"), got.kl.value, expected_kl, 5e-4);
        check(&format!("Fisher, a = {a}"), got.fisher.value, expected_fisher, digit);
    }
}
