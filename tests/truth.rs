//! Known densities against the points of their generators, against themselves, and against theorems.

use std::sync::Arc;
use std::time::Instant;

use scorescope::data::Scaling;
use scorescope::data::generators::{GENERATORS, Generator};
use scorescope::model::{Bounds, Density, Estimate, Mixture, Point, Truth};
use scorescope::random::{Purpose, generator};
use scorescope::settings::Settings;

type Case = (String, &'static Generator, Settings, Arc<dyn Density>);

/// Every generator with a known density as it is, and some of them otherwise.
fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for info in GENERATORS {
        let variants: &[&[(&str, &str)]] = match info.id {
            "halfmoons" => &[&[], &[("noise", "0.03")], &[("noise", "1")]],
            "spirals" => &[&[], &[("noise", "0.05"), ("turns", "0.5")]],
            "board" => &[&[], &[("noise", "0.15")], &[("squares", "3"), ("noise", "1")]],
            "rings" => &[&[], &[("n_rings", "1"), ("noise", "0.05")]],
            "ring" => &[&[], &[("centers", "1")]],
            "blobs" => &[&[], &[("centers", "30"), ("cluster_std", "0.1")]],
            "two_gaussians" => &[&[], &[("weight", "1")]],
            "gaussian" => &[&[], &[("std_major", "3"), ("std_minor", "0.05"), ("angle", "30")]],
            "banana" => &[&[], &[("length", "2"), ("bend", "1"), ("thickness", "0.3")]],
            "donut" => &[&[], &[("radius", "1"), ("thickness", "1")]],
            "funnel" => &[&[], &[("spread", "3")]],
            "square" => &[&[], &[("noise", "0.02")], &[("noise", "1"), ("side", "1")]],
            _ => &[&[]],
        };
        for variant in variants {
            let mut settings = Settings::default();
            for (key, value) in *variant {
                let setting = info.settings.iter().find(|setting| setting.key == *key).unwrap();
                settings.set(key, setting.parse(value).unwrap());
            }
            if let Some(density) = info.density.and_then(|density| density(&settings)) {
                cases.push((format!("{} {variant:?}", info.id), *info, settings, density));
            }
        }
    }
    assert!(cases.len() > 20);
    cases
}

fn draw(info: &Generator, settings: &Settings, count: usize) -> Vec<Point> {
    (info.generate)(settings, count, &mut generator(11, Purpose::Data))
}

/// True if the density ends at an edge.
fn is_sharp(density: &dyn Density) -> bool {
    density.log_density([1e6, 1e6]) == f64::NEG_INFINITY
}

/// The rectangle that holds all but two in a thousand of the points, in both coordinates.
fn middle(points: &[Point]) -> Bounds {
    let quantile = |axis: usize, share: f64| {
        let mut values: Vec<f64> = points.iter().map(|p| p[axis]).collect();
        values.sort_by(f64::total_cmp);
        values[(share * (values.len() - 1) as f64) as usize]
    };
    let at = |share| [quantile(0, share), quantile(1, share)];
    Bounds { min: at(0.001), max: at(0.999) }
}

/// Boxes of the grid over the middle, in each direction.
const BOXES: usize = 20;

/// Places in a box, in each direction: plenty beside a standard deviation of 0.02 in most sets.
const PLACES: usize = 16;

/// What is expected in every box of a grid, by the midpoint rule.
fn shares(density: &dyn Density, bounds: Bounds) -> Vec<f64> {
    let count = BOXES * PLACES;
    let raster = density.raster(bounds, count, count);
    let [width, height] = bounds.size();
    let cell = width * height / (count * count) as f64;
    let mut shares = vec![0.0; BOXES * BOXES];
    for (i, value) in raster.values.iter().enumerate() {
        let (column, row) = (i % count / PLACES, i / count / PLACES);
        shares[row * BOXES + column] += value * cell;
    }
    shares
}

/// Pearson's chi-square: squares over expectations of all boxes in which at least ten are expected, and of the rest of
/// the plane.
#[test]
fn points_lie_where_the_density_says() {
    const COUNT: usize = 100_000;
    for (what, info, settings, density) in cases() {
        if what.contains("spread") {
            // The neck is far thinner than any grid over the whole of it; its entropy is checked.
            continue;
        }
        let points = draw(info, &settings, COUNT);
        let bounds = if is_sharp(&*density) {
            let cells = density.cells();
            let corners: Vec<Point> = cells.iter().flat_map(|cell| [cell.min, cell.max]).collect();
            Bounds::around(&corners).unwrap()
        } else {
            middle(&points)
        };
        let shares = shares(&*density, bounds);
        let [width, height] = bounds.size();
        let mut counts = vec![0.0; BOXES * BOXES];
        for p in &points {
            let column = ((p[0] - bounds.min[0]) / width * BOXES as f64).floor();
            let row = ((bounds.max[1] - p[1]) / height * BOXES as f64).floor();
            let is_inside = [column, row].iter().all(|&i| i >= 0.0 && i < BOXES as f64);
            if is_inside {
                counts[row as usize * BOXES + column as usize] += 1.0;
            }
        }
        let n = COUNT as f64;
        let mut rest = (n, n);
        let (mut chi_square, mut used) = (0.0, 0.0);
        for (share, count) in shares.iter().zip(counts) {
            let expected = n * share;
            if expected >= 10.0 {
                chi_square += (count - expected).powi(2) / expected;
                used += 1.0;
                rest = (rest.0 - count, rest.1 - expected);
            }
        }
        chi_square += (rest.0 - rest.1).powi(2) / rest.1.max(10.0);
        // Five standard deviations of a chi-square with `used` degrees of freedom.
        let allowed = used + 5.0 * (2.0_f64 * used).sqrt() + 10.0;
        assert!(used >= 15.0, "{what}: {used} boxes");
        assert!(chi_square < allowed, "{what}: {chi_square} over {used} boxes, {rest:?} outside");
    }
}

/// Mean of a function over points, and its standard error.
fn mean(points: &[Point], f: impl Fn(Point) -> f64) -> (f64, f64) {
    let n = points.len() as f64;
    let terms: Vec<f64> = points.iter().map(|&x| f(x)).collect();
    let mean = terms.iter().sum::<f64>() / n;
    let variance = terms.iter().map(|t| (t - mean).powi(2)).sum::<f64>() / n;
    (mean, (variance / n).sqrt())
}

/// What the quadrature says of a density: its mass; its entropy and how far a model is, against means over points;
/// and Hyvärinen's constant, which is the same for different models unless the density has edges.
#[test]
fn integrals_are_what_they_should_be() {
    const COUNT: usize = 10_000;
    for (what, info, settings, density) in cases() {
        let truth = Truth::new(density.clone());
        let mass = truth.mass;
        assert!((mass.value - 1.0).abs() < 1e-6, "{what}: {mass:?}, {}", truth.place_count());
        println!(
            "{what}: {} places, mass {:?}, entropy {:?}, information {:?}",
            truth.place_count(),
            truth.mass,
            truth.entropy,
            truth.information
        );
        let points = draw(info, &settings, COUNT);
        let check = |name: &str, got: Estimate, f: &dyn Fn(Point) -> f64| {
            let (mean, error) = mean(&points, f);
            let allowed = 5.0 * error + got.error + 1e-9;
            assert!((mean - got.value).abs() < allowed, "{what} {name}: {mean} {got:?} {allowed}");
        };
        check("entropy", truth.entropy, &|x| -density.log_density(x));
        let variances = Scaling::of(&points).unit.map(|unit| unit * unit);
        let covariances = [[variances[0], 0.0, variances[1]]; 2];
        let model = Mixture::new(&[0.6, 0.4], &[points[0], points[1]], &covariances).unwrap();
        let got = truth.compare(&model);
        check("KL", got.kl, &|x| density.log_density(x) - model.log_density(x));
        check("explicit", got.fisher, &|x| {
            let (s, t) = (density.score(x), model.score(x));
            0.5 * ((s[0] - t[0]).powi(2) + (s[1] - t[1]).powi(2))
        });
        check("implicit", got.implicit, &|x| {
            let ([a, b], [h11, _, h22]) = (model.score(x), model.hessian(x));
            h11 + h22 + 0.5 * (a * a + b * b)
        });
        check_constant(&what, &truth);
    }
}

/// Central differences, at places of the points and around them, also where hardly any are.
#[test]
fn scores_and_hessians_are_derivatives() {
    for (what, info, settings, density) in cases() {
        let points = draw(info, &settings, 60);
        let spread = Scaling::of(&points).unit;
        let is_sharp = is_sharp(&*density);
        for (i, point) in points.iter().enumerate() {
            let far = if is_sharp { 0.0 } else { 1e-3 + (i % 3) as f64 };
            let x: Point = std::array::from_fn(|axis| point[axis] + far * spread[axis]);
            let h = 1e-5;
            let along = |axis: usize| {
                let mut sides = [x, x];
                (sides[0][axis], sides[1][axis]) = (x[axis] + h, x[axis] - h);
                sides
            };
            let slope = |a: f64, b: f64| (a - b) / (2.0 * h);
            let (score, hessian) = (density.score(x), density.hessian(x));
            let check = |name: &str, got: f64, want: f64, size: f64| {
                let allowed = 2e-5 * (1.0 + size);
                assert!((got - want).abs() < allowed, "{what} {x:?} {name}: {got} {want}");
            };
            let size = score[0].hypot(score[1]);
            let curvature = hessian.iter().map(|h| h.abs()).sum::<f64>();
            for axis in 0..2 {
                let [up, down] = along(axis);
                let want = slope(density.log_density(up), density.log_density(down));
                check("score", score[axis], want, size + curvature * 1e-2);
                let (up, down) = (density.score(up), density.score(down));
                for other in 0..2 {
                    let want = slope(up[other], down[other]);
                    check("Hessian", hessian[axis + other], want, curvature + size);
                }
            }
            let values = density.values(&[x]);
            let (log_density, s) = density.scores(&[x])[0];
            let want = density.log_density(x);
            assert!((values.log_density[0] - want).abs() < 1e-9 * (1.0 + want.abs()), "{what}");
            assert!((log_density - want).abs() < 1e-9 * (1.0 + want.abs()), "{what}");
            for axis in 0..2 {
                check("score of many", s[axis], score[axis], size);
                check("score of values", values.score[0][axis], score[axis], size);
            }
            for (got, want) in values.hessian[0].iter().zip(hessian) {
                check("Hessian of values", *got, want, curvature);
            }
        }
    }
}

/// The density of scaled points is that of the points times the Jacobian determinant, and so on.
#[test]
fn scaled_densities_are_those_of_scaled_points() {
    for (what, info, settings, density) in cases() {
        if !what.ends_with("[]") {
            continue;
        }
        let points = draw(info, &settings, 2000);
        let scaling = Scaling::of(&points);
        let scaled = scaling.apply_density(density.clone());
        assert_eq!(scaled.modes().is_some(), density.modes().is_some(), "{what}");
        for &x in points.iter().take(20) {
            let z = scaling.apply(x);
            let want = density.log_density(x) + scaling.unit[0].ln() + scaling.unit[1].ln();
            let got = scaled.log_density(z);
            assert!((got - want).abs() < 1e-7 * (1.0 + want.abs()), "{what}: {got} {want}");
            let (score, want) = (scaled.score(z), density.score(x));
            for axis in 0..2 {
                let want = scaling.unit[axis] * want[axis];
                assert!((score[axis] - want).abs() < 1e-6 * (1.0 + want.abs()), "{what}");
            }
        }
        let (truth, own) = (Truth::new(scaled), Truth::new(density));
        assert!((truth.mass.value - 1.0).abs() < 1e-6, "{what}: {:?}", truth.mass);
        let want = own.entropy.value - scaling.log_unit_area();
        let allowed = truth.entropy.error + own.entropy.error + 1e-6;
        assert!((truth.entropy.value - want).abs() < allowed, "{what}: {:?} {want}", truth.entropy);
        // The KL divergence does not depend on units.
        let model =
            Mixture::new(&[0.4, 0.6], &[[0.5, 0.0], [-0.5, 0.1]], &[[1.0, 0.2, 0.8]; 2]).unwrap();
        let there = truth.compare(&model).kl;
        let here = own.compare(&scaling.undo_mixture(&model)).kl;
        let allowed = there.error + here.error + 1e-6;
        assert!((there.value - here.value).abs() < allowed, "{what}: {there:?} {here:?}");
    }
}

/// Where a density is known under added noise, it is the density of points with added noise: the mean of the density
/// over a point's neighbourhood.
#[test]
fn blurred_densities_are_averages_over_the_noise() {
    let noise = [0.7, 0.3];
    // Gauss and Hermite would be shorter; a plain sum over ±7 deviations cannot be wrong in the same way.
    let count = 141;
    let step = 0.1;
    for (what, info, settings, density) in cases() {
        let Some(blurred) = density.blurred(noise) else {
            assert!(["banana", "donut", "funnel"].contains(&info.id), "{what}");
            continue;
        };
        if what.contains("0.0") || is_sharp(&*density) {
            // Too thin, or too sharp, for a plain sum: their formula is the same.
            continue;
        }
        for x in draw(info, &settings, 2) {
            let mut sum = 0.0;
            for i in 0..count * count {
                let [a, b] =
                    [i % count, i / count].map(|i| (f64::from(i) - f64::from(count / 2)) * step);
                let there = [x[0] + noise[0] * a, x[1] + noise[1] * b];
                let bell = (-0.5 * (a * a + b * b)).exp() / std::f64::consts::TAU;
                sum += bell * step * step * density.log_density(there).exp();
            }
            let got = blurred.log_density(x).exp();
            assert!((got - sum).abs() < 1e-5 * sum, "{what}: {got} {sum}");
        }
    }
}

/// Explicit minus implicit objective (Hyvärinen 2005, theorem 1).
fn check_constant(what: &str, truth: &Truth) {
    let is_sharp = is_sharp(&**truth.density());
    let round = |v: f64| [v, 0.0, v];
    let models = [
        Mixture::new(&[1.0], &[[0.2, 0.1]], &[round(1.0)]),
        Mixture::new(&[1.0], &[[0.0, 0.0]], &[[4.0, 1.0, 3.0]]),
        Mixture::new(&[0.4, 0.6], &[[1.0, 0.0], [-1.0, 0.5]], &[round(0.5), round(1.5)]),
    ];
    for model in models {
        let got = truth.compare(&model.unwrap());
        let difference = (got.constant.value - truth.information.value).abs();
        let allowed = got.constant.error + truth.information.error + 1e-9;
        assert_eq!(difference > allowed, is_sharp, "{what}: {got:?} {:?}", truth.information);
    }
}

/// How long it takes to prepare a truth, and to compare a model of twelve components with it.
#[test]
#[ignore = "measures time"]
fn a_comparison_takes_milliseconds() {
    for info in GENERATORS {
        let Some(density) = info.density.and_then(|density| density(&Settings::default())) else {
            continue;
        };
        let points = draw(info, &Settings::default(), 2000);
        let means: Vec<Point> = points[..12].to_vec();
        let variance = Scaling::of(&points).unit.map(|unit| 0.05 * unit * unit);
        let covariances = vec![[variance[0], 0.0, variance[1]]; 12];
        let model = Mixture::new(&[1.0 / 12.0; 12], &means, &covariances).unwrap();
        let began = Instant::now();
        let truth = Truth::new(density);
        let prepared = began.elapsed().as_secs_f64();
        let began = Instant::now();
        let got = truth.compare(&model);
        let compared = began.elapsed().as_secs_f64();
        println!(
            "{:14} {:6} places, prepared in {:6.1} ms, compared in {:5.1} ms, KL {:.6} ± {:.0e}, Fisher {:.5} ± {:.0e}",
            info.id,
            truth.place_count(),
            1e3 * prepared,
            1e3 * compared,
            got.kl.value,
            got.kl.error,
            got.fisher.value,
            got.fisher.error
        );
    }
}
