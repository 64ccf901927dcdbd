//! Demonstrations of lectures whose numbers are known: collapse, rotation, blindness to weights, what denoising learns,
//! and how the forms of score matching become each other.
//!
//! The references were computed with numpy before this project began; where a closed form is known it stands beside.

#[path = "support/theta.rs"]
mod theta;

use std::sync::Arc;

use rand::RngExt;
use rand_distr::{Distribution, StandardNormal};
use scorescope::algorithms::{self, Start};
use scorescope::model::{CovarianceType, Density, Mixture, Parameters, Point, Symmetric, Truth};
use scorescope::objectives::{
    Batch, Composite, Contrastive, Denoising, Evaluation, NegativeLogLikelihood, Objective, Order,
    ScoreMatching, Sliced,
};
use scorescope::random::{Purpose, Rng, generator};
use scorescope::settings::{Settings, Value};

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

fn rademacher(rng: &mut Rng) -> Point {
    [rng.random(), rng.random()].map(|up| if up { 1.0 } else { -1.0 })
}

fn gaussian(rng: &mut Rng) -> Point {
    [StandardNormal.sample(rng), StandardNormal.sample(rng)]
}

/// Length √2, so that E[vvᵀ] = I as for the others.
fn circle(rng: &mut Rng) -> Point {
    let (sin, cos) = (std::f64::consts::TAU * rng.random::<f64>()).sin_cos();
    [cos, sin].map(|v| std::f64::consts::SQRT_2 * v)
}

/// How the value of one slice scatters, by what slices are drawn from and by how the data is turned.
#[test]
fn slices_scatter_by_rotation() {
    // Hessian diag(−4, −¼) is that of a Gaussian with covariance diag(¼, 4); turned by 45°, its inverse's entries
    // are the mean 2.125 and half the difference 1.875.
    let straight = Mixture::new(&[1.0], &[[0.0, 0.0]], &[[0.25, 0.0, 4.0]]).unwrap();
    let turned = Mixture::new(&[1.0], &[[0.0, 0.0]], &[[2.125, -1.875, 2.125]]).unwrap();
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

/// Value and gradient as numbers.
fn numbers(evaluation: &Evaluation) -> Vec<f64> {
    let gradient = &evaluation.gradient;
    let means = gradient.means.as_flattened();
    [&[evaluation.value], &gradient.logits[..], means, &gradient.factors].concat()
}

/// The largest difference of two evaluations, as a share of the reference's largest number.
fn distance(got: &[f64], reference: &[f64]) -> f64 {
    assert_eq!(got.len(), reference.len());
    let largest = reference.iter().fold(0.0, |max: f64, v| max.max(v.abs()));
    let differences = got.iter().zip(reference).map(|(got, want)| (got - want).abs());
    differences.fold(0.0, f64::max) / largest
}

/// What slices are drawn from does not matter once there are enough of them.
#[test]
fn many_slices_are_exact_score_matching() {
    let (parameters, points) = (theta::parameters(4, 0.0, 1), theta::points(10, 1));
    let batch = Batch::all(&points);
    let exact = numbers(&ScoreMatching.evaluate(&parameters, batch));
    for (name, draw) in
        [("Gaussian", gaussian as Draw), ("Rademacher", rademacher), ("circle", circle)]
    {
        let mut rng = generator(1, Purpose::Slices);
        let slices: Vec<Vec<Point>> =
            points.iter().map(|_| (0..100_000).map(|_| draw(&mut rng)).collect()).collect();
        // The projected score scatters much more than its length, which takes its place.
        for (what, beta, share) in [("SSM-VR", 1.0, 0.005), ("SSM", 0.0, 0.03)] {
            let sliced = Sliced::with_control_variate(slices.iter().map(|v| &v[..]), beta);
            let got = numbers(&sliced.evaluate(&parameters, batch));
            check(&format!("{what}, {name}"), got[0], exact[0], share * exact[0].abs());
            let distance = distance(&got, &exact);
            assert!(distance < 2.0 * share, "{what}, {name}: the gradient is off by {distance}");
        }
    }
}

/// With Gaussian slices the term of one slice is vᵀMv with M = H + ½(1 − β)ssᵀ, whose variance is 2 tr M²: least at
/// 1 − β = −2 sᵀHs/‖s‖⁴, so that a control variate never has to be worse than SSM or SSM-VR (Song et al. 2019,
/// appendix D).
#[test]
fn a_control_variate_takes_variance_away() {
    let mixture = theta::parameters(3, 0.0, 5).mixture();
    let x: Point = [0.4, -0.3];
    let (s, h) = (mixture.score(x), mixture.hessian(x));
    let curvature = s[0] * (h[0] * s[0] + h[1] * s[1]) + s[1] * (h[1] * s[0] + h[2] * s[1]);
    let length = s[0] * s[0] + s[1] * s[1];
    let best = 1.0 + 2.0 * curvature / (length * length);
    let squares = h[0] * h[0] + 2.0 * h[1] * h[1] + h[2] * h[2];
    let law = |beta: f64| {
        let rest = 1.0 - beta;
        2.0 * squares + 2.0 * rest * curvature + 0.5 * rest * rest * length * length
    };
    let count = 50_000;
    let variance = |beta: f64| {
        let mut rng = generator(2, Purpose::Slices);
        let values: Vec<f64> = (0..count)
            .map(|_| {
                let slices = [gaussian(&mut rng)];
                value(&Sliced::with_control_variate([&slices[..]], beta), &mixture, &[x])
            })
            .collect();
        let mean = values.iter().sum::<f64>() / f64::from(count);
        values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / f64::from(count)
    };
    for beta in [0.0, 1.0, best] {
        check(&format!("β = {beta}"), variance(beta), law(beta), 0.05 * law(beta));
    }
    assert!(variance(best) < 0.95 * variance(0.0).min(variance(1.0)), "{best}");
}

/// ½‖s(x ± σz) ± z/σ‖² less ½‖z‖²/σ² is zᵀ∇s z + ½‖s‖² + O(σ²) for a pair: denoising becomes sliced score matching
/// with reduced variance, whose slices are the noise.
#[test]
fn denoising_becomes_sliced_score_matching_as_the_noise_vanishes() {
    let (parameters, points) = (theta::parameters(3, 0.0, 3), theta::points(40, 3));
    let batch = Batch::all(&points);
    let z = theta::points(points.len(), 4);
    let slices: Vec<[Point; 1]> = z.iter().map(|&z| [z]).collect();
    let sliced = Sliced::new(slices.iter().map(|v| &v[..])).evaluate(&parameters, batch);
    let square: f64 = z.as_flattened().iter().map(|v| v * v).sum::<f64>() / z.len() as f64;
    let apart = |sigma: f64| {
        let denoising = Denoising::new(vec![z.clone()], vec![sigma]).in_pairs();
        let mut got = numbers(&denoising.evaluate(&parameters, batch));
        got[0] -= 0.5 * square / (sigma * sigma);
        distance(&got, &numbers(&sliced))
    };
    assert!(apart(1e-3) < 1e-4, "{}", apart(1e-3));
    // Of second order.
    check("order", apart(4e-3) / apart(2e-3), 4.0, 0.1);
}

/// −E log h − E log(1 − h) = 2 log 2 + ½(vᵀ∇s v + ½(vᵀs)²) + o(‖v‖²): with the data's shifted copy as noise, learning to
/// tell them apart becomes sliced score matching (Song et al. 2019, section 4.3, where the factor is ¼).
#[test]
fn contrast_with_a_shifted_copy_becomes_sliced_score_matching() {
    let (parameters, points) = (theta::parameters(3, 0.0, 3), theta::points(40, 3));
    let batch = Batch::all(&points);
    let v = theta::points(points.len(), 4);
    let slices: Vec<[Point; 1]> = v.iter().map(|&v| [v]).collect();
    let slices = slices.iter().map(|v| &v[..]);
    let sliced = Sliced::with_control_variate(slices, 0.0).evaluate(&parameters, batch);
    let apart = |length: f64| {
        let shifts = v.iter().map(|v| v.map(|v| length * v)).collect();
        let mut got = numbers(&Contrastive::new(vec![shifts]).evaluate(&parameters, batch));
        got[0] -= 2.0 * std::f64::consts::LN_2;
        for number in &mut got {
            *number *= 2.0 / (length * length);
        }
        distance(&got, &numbers(&sliced))
    };
    assert!(apart(1e-3) < 1e-4, "{}", apart(1e-3));
    check("order", apart(8e-3) / apart(4e-3), 4.0, 0.1);
}

/// Exact: ½‖s‖² + tr ∇s. Composite: the same for the second coordinate, since ∂²log p(x₁, x₂)/∂x₂² is
/// ∂²log p(x₂|x₁)/∂x₂²; for the first one the marginal's instead of the joint density's.
#[test]
fn composite_differs_from_exact_in_the_first_coordinate_only() {
    for (order, first) in [(Order::FirstThenSecond, 0), (Order::SecondThenFirst, 1)] {
        let mixture = theta::parameters(4, 0.0, 6).mixture();
        let points = theta::points(50, 6);
        // log p(x₁), by differences: nothing of it is shared with the kernel.
        let log_marginal = |t: f64| {
            let density = mixture.components().iter().map(|component| {
                let covariance = component.gaussian.cholesky.covariance();
                let (mean, variance) = (component.gaussian.mean[first], covariance[2 * first]);
                let norm = (std::f64::consts::TAU * variance).sqrt();
                component.weight() * (-0.5 * (t - mean).powi(2) / variance).exp() / norm
            });
            density.sum::<f64>().ln()
        };
        let step = 1e-3;
        let difference = |x: &Point| {
            let t = x[first];
            let [far, before, here, after, further] =
                [-2.0, -1.0, 0.0, 1.0, 2.0].map(|i| log_marginal(t + i * step));
            let slope = (8.0 * (after - before) - (further - far)) / (12.0 * step);
            let second =
                (16.0 * (after + before) - (further + far) - 30.0 * here) / (12.0 * step * step);
            let of_marginal = 0.5 * slope * slope + second;
            let (score, hessian) = (mixture.score(*x), mixture.hessian(*x));
            of_marginal - (0.5 * score[first].powi(2) + hessian[2 * first])
        };
        let expected = points.iter().map(difference).sum::<f64>() / points.len() as f64;
        let exact = value(&ScoreMatching, &mixture, &points);
        let composite = value(&Composite(order), &mixture, &points);
        check(&format!("{order:?}"), composite - exact, expected, 1e-7);
        assert!(expected.abs() > 0.1, "{order:?}: {expected}");

        // Where the coordinates are independent, the marginal's term is the joint density's.
        let upright = Mixture::new(&[1.0], &[[0.3, -0.2]], &[[0.5, 0.0, 2.0]]).unwrap();
        let exact = value(&ScoreMatching, &upright, &points);
        check("independent", value(&Composite(order), &upright, &points), exact, 1e-12);
    }
}

/// Where denoising score matching ends on 100,000 points, from a mixture with as many components.
fn denoised(data: &Mixture, start: &Mixture, sigma: f64, noised_model: bool) -> Mixture {
    let start = Start {
        mixture: start.clone(),
        points: data.sample(100_000, &mut generator(0, Purpose::Data)).into(),
        covariance_type: CovarianceType::Full,
        floor: 0.0,
        true_scores: None,
    };
    let mut settings = Settings::default();
    settings.set("sigma", Value::Number(sigma));
    settings.set("noise_pairs", Value::Switch(true));
    settings.set("noised_model", Value::Switch(noised_model));
    settings.set("lr_half_life", Value::Integer(40));
    let mut denoising = algorithms::find("dsm").unwrap().start(start, &settings).unwrap();
    for _ in 0..250 {
        denoising.step(&settings).unwrap();
    }
    denoising.mixture().clone()
}

#[track_caller]
fn check_covariances(what: &str, got: &Mixture, expected: &Mixture, share: f64) {
    for (k, (got, expected)) in got.components().iter().zip(expected.components()).enumerate() {
        let got = got.gaussian.cholesky.covariance();
        let [s11, s12, s22] = expected.gaussian.cholesky.covariance();
        let scales = [s11, (s11 * s22).sqrt(), s22];
        for ((got, expected), scale) in got.into_iter().zip([s11, s12, s22]).zip(scales) {
            check(&format!("{what}, component {k}"), got, expected, share * scale);
        }
    }
}

/// The optimum is the density of the noised data: the data's mixture with Σ + σ²I. If the mixture is noised, too, it is
/// the data's mixture itself.
#[test]
fn denoising_learns_the_noised_data() {
    let (weights, means) = ([0.4, 0.6], [[-2.0, 0.0], [1.5, 0.5]]);
    let sigma = 0.5;
    let (first, second) = ([0.6, 0.3, 0.5], [0.4, -0.1, 0.8]);
    let noised = |[s11, s12, s22]: Symmetric| [s11 + sigma * sigma, s12, s22 + sigma * sigma];
    let sharp = Mixture::new(&weights, &means, &[first, second]).unwrap();
    let blurred = Mixture::new(&weights, &means, &[noised(first), noised(second)]).unwrap();
    check_covariances("Σ + σ²I", &denoised(&sharp, &sharp, sigma, false), &blurred, 0.02);
    check_covariances("Σ", &denoised(&sharp, &blurred, sigma, true), &sharp, 0.04);
}
