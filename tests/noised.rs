//! Known densities under Gaussian noise, on which annealed Langevin walks: held against quadrature over the plane of the
//! noise, against central differences, and against samples.

use std::f64::consts::TAU;
use std::sync::Arc;

use scorescope::model::known::{Banana, Donut, Funnel};
use scorescope::model::{Density, Point, Truth};
use scorescope::random::{Purpose, generator};
use scorescope::sampling::{SAMPLERS, SamplerError};
use scorescope::settings::{Settings, Value};

/// The densities, the noise, and places: in their middle, at their edge and outside.
fn cases() -> Vec<(String, Arc<dyn Density>, Vec<Point>)> {
    let banana = |length, bend, thickness| Banana { length, bend, thickness };
    let mut cases: Vec<(String, Arc<dyn Density>, Vec<Point>)> = Vec::new();
    let places = [[0.0, 0.0], [1.2, -0.5], [-2.5, 1.8], [3.0, 4.5], [0.3, -3.0], [-4.0, 5.0]];
    for shape in [banana(1.5, 0.5, 0.4), banana(1.0, 1.5, 0.1), banana(2.0, 0.0, 0.7)] {
        cases.push((format!("{shape:?}"), Arc::new(shape), places.to_vec()));
    }
    for spread in [1.0, 0.3, 3.0] {
        let shape = Funnel { spread };
        let places = [[0.0, 0.0], [1.5, 1.0], [-0.2, -1.5], [3.0, 2.0], [-2.0, -2.0], [0.5, 3.0]];
        cases.push((format!("{shape:?}"), Arc::new(shape), places.to_vec()));
    }
    for (radius, thickness) in [(2.5, 0.25), (1.0, 0.1), (4.0, 1.0)] {
        let places = [[0.0, 0.0], [1e-9, 0.0], [radius, 0.0], [-1.0, 0.7], [2.0, -3.5], [0.1, 0.2]];
        let name = format!("donut {radius} {thickness}");
        cases.push((name, Arc::new(Donut::new(radius, thickness)), places.to_vec()));
    }
    cases
}

/// ∫ p(y − ε) N(ε | 0, D) dε by equal steps over eight and a half standard deviations of the noise.
fn by_plane(density: &dyn Density, y: Point, noise: [f64; 2], half_count: i32) -> f64 {
    let step = 8.5 / f64::from(half_count);
    let mut sum = 0.0;
    for i in -half_count..=half_count {
        for j in -half_count..=half_count {
            let [z1, z2] = [i, j].map(|i| f64::from(i) * step);
            let weight = (-0.5 * (z1 * z1 + z2 * z2)).exp() * step * step / TAU;
            let x = [y[0] - noise[0] * z1, y[1] - noise[1] * z2];
            sum += weight * density.log_density(x).exp();
        }
    }
    sum
}

#[test]
fn the_density_under_noise_is_the_mean_over_the_noise() {
    for (what, density, places) in cases() {
        let is_donut = what.starts_with("donut");
        for noise in [[0.05, 0.05], [0.4, 0.4], [1.5, 1.5], [0.6, 0.2]] {
            let Some(noised) = density.blurred(noise) else {
                assert!(is_donut && noise[0] != noise[1], "{what} {noise:?}");
                continue;
            };
            for &y in &places {
                let expected = by_plane(&*density, y, noise, 700);
                let got = noised.log_density(y).exp();
                // The donut has a kink at the origin, which the steps over the plane do not see exactly; far outside the
                // noise would have to be longer than the sum above has it.
                let allowed = if is_donut { 1e-7 } else { 1e-9 };
                let off = (got - expected).abs();
                assert!(
                    off <= allowed * expected + 1e-14,
                    "{what} {noise:?} {y:?}: {got} {expected}"
                );
            }
        }
    }
}

#[test]
fn score_and_hessian_under_noise_are_central_differences() {
    for (what, density, places) in cases() {
        for noise in [0.03, 0.3, 1.0, 8.0] {
            let noised = density.blurred([noise; 2]).unwrap();
            // Much noise makes the density flat, and its differences small.
            let h = 1e-4 * noise.clamp(0.1, 1.0);
            // Where the noise is little, the density far outside is zero, and its score a matter of taste.
            let outside: &[Point] = if noise < 1.0 { &[] } else { &[[7.0, 9.0], [-12.0, -10.0]] };
            for &[x, y] in places.iter().chain(outside) {
                let slope = |ahead: Point, behind: Point, of: &dyn Fn(Point) -> f64| {
                    (of(ahead) - of(behind)) / (2.0 * h)
                };
                let log = |x| noised.log_density(x);
                let [right, left, up, down] = [[x + h, y], [x - h, y], [x, y + h], [x, y - h]];
                let score = noised.score([x, y]);
                let expected = [slope(right, left, &log), slope(up, down, &log)];
                let size = 1.0 + score[0].hypot(score[1]);
                for (got, expected) in score.into_iter().zip(expected) {
                    let off = (got - expected).abs();
                    assert!(off < 1e-5 * size, "{what} {noise} {x} {y}: {score:?} {expected}");
                }
                let of_score = |i: usize| {
                    let noised = noised.clone();
                    move |x: Point| noised.score(x)[i]
                };
                let hessian = noised.hessian([x, y]);
                let expected = [
                    slope(right, left, &of_score(0)),
                    slope(up, down, &of_score(0)),
                    slope(up, down, &of_score(1)),
                ];
                let size = 1.0 + hessian.iter().fold(0.0, |size: f64, h| size.max(h.abs()));
                for (got, expected) in hessian.into_iter().zip(expected) {
                    let off = (got - expected).abs();
                    assert!(off < 2e-5 * size, "{what} {noise} {x} {y}: {hessian:?} {expected}");
                }
            }
        }
    }
}

/// Where there is next to no noise, the density is all but itself.
#[test]
fn without_much_noise_nothing_changes() {
    for (what, density, places) in cases() {
        let noised = density.blurred([1e-3; 2]).unwrap();
        for &x in &places {
            // log(p + ½σ²Δp) to the first order, and where that is small.
            let ([s1, s2], [h11, _, h22]) = (density.score(x), density.hessian(x));
            let laplacian = h11 + h22 + s1 * s1 + s2 * s2;
            let first = 0.5e-6 * laplacian;
            // Not at the donut's kink either.
            if laplacian.is_nan() || laplacian.abs() > 1e4 {
                continue;
            }
            let off = (noised.log_density(x) - density.log_density(x) - first).abs();
            assert!(off < 1e-4, "{what} {x:?}: {off}");
            // All in one go, as samplers ask for them.
            let (log, score) = noised.scores(&[x])[0];
            assert_eq!((log, score), (noised.log_density(x), noised.score(x)));
        }
    }
}

#[test]
fn noise_adds_up_and_the_mass_stays() {
    for (what, density, places) in cases() {
        let at_once = density.blurred([0.5; 2]).unwrap();
        let twice = density.blurred([0.3; 2]).unwrap().blurred([0.4; 2]).unwrap();
        for &x in &places {
            let (a, b) = (at_once.log_density(x), twice.log_density(x));
            assert!((a - b).abs() < 1e-9 * (1.0 + a.abs()), "{what} {x:?}: {a} {b}");
        }
        // The others are so long that they have very many cells.
        let is_short = ["length: 2.0", "spread: 0.3", "donut"].iter().any(|w| what.contains(w));
        if !is_short {
            continue;
        }
        let truth = Truth::new(at_once);
        let off = (truth.mass.value - 1.0).abs();
        assert!(off < 1e-6 + truth.mass.error, "{what}: {:?}", truth.mass);
    }
}

#[test]
fn samples_under_noise_have_its_score_on_average_zero() {
    for (what, density, _) in cases() {
        let noised = density.blurred([0.5; 2]).unwrap();
        let points = noised.sample(20_000, &mut generator(4, Purpose::Samples));
        let scores = noised.scores(&points);
        let count = scores.len() as f64;
        // E s = 0 and E[x s] = −1 (Stein) for every smooth density.
        for axis in 0..2 {
            for (power, expected) in [(0, 0.0), (1, -1.0)] {
                let values = scores.iter().zip(&points);
                let values = values.map(|((_, s), x)| s[axis] * x[axis].powi(power));
                let (mut sum, mut squares) = (0.0, 0.0);
                for value in values {
                    sum += value;
                    squares += value * value;
                }
                let mean = sum / count;
                let error = ((squares / count - mean * mean) / count).sqrt();
                let off = (mean - expected).abs();
                assert!(off < 4.5 * error, "{what} {axis} {power}: {mean} ± {error}");
            }
        }
    }
}

#[test]
fn annealed_langevin_walks_on_all_of_them() {
    let annealed = SAMPLERS.iter().find(|sampler| sampler.id == "annealed_langevin").unwrap();
    let mut settings = Settings::default();
    settings.set("sigma_min", Value::Number(0.05));
    for (what, density, _) in cases() {
        assert!((annealed.kernel)(&settings, density).is_ok(), "{what}");
    }
    let scaling = scorescope::data::Scaling { offset: [0.0; 2], unit: [1.0, 1.1] };
    let scaled = scaling.apply_density(Arc::new(Donut::new(2.0, 0.2)));
    let refused = (annealed.kernel)(&settings, scaled).err();
    assert_eq!(refused, Some(SamplerError::NotBlurred));
}
