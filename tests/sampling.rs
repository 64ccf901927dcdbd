//! Samplers: where their particles end, and by which laws they move.

use std::sync::Arc;

use scorescope::model::known::{Banana, Boxes, Donut};
use scorescope::model::{Bounds, Density, Mixture, Point};
use scorescope::random::{Purpose, generator};
use scorescope::sampling::{
    Kernel, SAMPLERS, SamplerError, Walk, energy_distance, find, mode_shares, spread,
};
use scorescope::settings::{Kind, Settings};

fn mixture() -> Mixture {
    let covariances = [[0.5, 0.2, 0.4], [0.3, -0.1, 0.6], [0.8, 0.0, 0.2]];
    Mixture::new(&[0.5, 0.3, 0.2], &[[-0.8, 0.0], [1.0, 0.7], [0.3, -1.0]], &covariances).unwrap()
}

/// A kernel with its knobs written as text.
fn kernel(id: &str, knobs: &[(&str, &str)], density: Arc<dyn Density>) -> Box<dyn Kernel> {
    let sampler = find(id).unwrap();
    let mut settings = Settings::default();
    for (key, value) in knobs {
        let setting = sampler.settings.iter().find(|setting| setting.key == *key).unwrap();
        settings.set(key, setting.parse(value).unwrap());
    }
    (sampler.kernel)(&settings, density).unwrap()
}

/// Samplers that leave every density exactly as it is, with good knobs for densities of size one.
const EXACT: [(&str, &[(&str, &str)]); 5] = [
    ("metropolis", &[("proposal_std", "0.8")]),
    ("mala", &[("step_size", "0.4")]),
    ("hmc", &[("step_size", "0.2"), ("leapfrog_steps", "6")]),
    ("gibbs", &[("scheme", "coordinate")]),
    ("gibbs", &[("scheme", "component")]),
];

fn square(half: f64) -> Bounds {
    Bounds { min: [-half; 2], max: [half; 2] }
}

fn walked(kernel: Box<dyn Kernel>, start: &[Point], steps: usize) -> Walk {
    let mut walk = Walk::new(kernel, start, 5);
    for _ in 0..steps {
        walk.step();
    }
    walk
}

type OfPoint = fn(Point) -> f64;

/// Mean of a function over points, and its standard error.
fn mean(points: &[Point], f: impl Fn(Point) -> f64) -> (f64, f64) {
    let n = points.len() as f64;
    let mean = points.iter().map(|&x| f(x)).sum::<f64>() / n;
    let variance = points.iter().map(|&x| (f(x) - mean).powi(2)).sum::<f64>() / n;
    (mean, (variance / n).sqrt())
}

#[test]
fn every_sampler_says_what_it_is_and_tells_its_steps() {
    let density: Arc<dyn Density> = Arc::new(mixture());
    for sampler in SAMPLERS {
        let same = SAMPLERS.iter().filter(|other| other.id == sampler.id).count();
        assert_eq!(same, 1, "{}", sampler.id);
        assert!(!sampler.short.is_empty() && sampler.short.len() <= 10, "{}", sampler.id);
        assert!(sampler.help.ends_with('.') && !sampler.settings.is_empty(), "{}", sampler.id);
        for setting in sampler.settings {
            assert!(setting.help.ends_with('.'), "{}", setting.key);
            assert!(!matches!(setting.kind, Kind::Seed), "{}", setting.key);
        }
        let start = spread(square(3.0), 600, 1);
        let new = || (sampler.kernel)(&Settings::default(), density.clone()).unwrap();
        let (mut walk, mut other) = (Walk::new(new(), &start, 9), Walk::new(new(), &start, 9));
        for step in 0..20 {
            let before = walk.points()[300];
            let told = walk.tell(300).unwrap();
            other.step();
            assert_eq!(walk.step_count(), step + 1);
            let after = walk.points();
            // To watch a step does not change it.
            assert_eq!(after, other.points(), "{}", sampler.id);
            assert_eq!((told.from, told.to()), (before, after[300]), "{}", sampler.id);
            assert_eq!(told.path.first(), Some(&before), "{}", sampler.id);
            assert_eq!(told.path.last(), Some(&told.proposal), "{}", sampler.id);
            assert!(told.is_accepted || told.log_acceptance.unwrap() < 0.0, "{}", sampler.id);
            if let [first, .., last] = told.energies[..] {
                assert!((told.log_acceptance.unwrap() - (first - last)).abs() < 1e-12);
            }
        }
        assert_eq!(walk.tell(600), None);
        let is_adjusted = ["metropolis", "mala", "hmc"].contains(&sampler.id);
        assert_eq!(walk.acceptance().is_some(), is_adjusted, "{}", sampler.id);
    }
}

#[test]
fn particles_do_not_depend_on_each_other_nor_on_threads() {
    let density: Arc<dyn Density> = Arc::new(mixture());
    let start = spread(square(3.0), 700, 2);
    for sampler in SAMPLERS {
        let new = || (sampler.kernel)(&Settings::default(), density.clone()).unwrap();
        let all = walked(new(), &start, 15).points();
        let few = walked(new(), &start[..300], 15).points();
        assert_eq!(all[..256], few[..256], "{}", sampler.id);
        assert_ne!(all[..256], all[256..512], "{}", sampler.id);
        // Group after group, the last one first, as threads might.
        let mut walk = Walk::new(new(), &start, 5);
        let (groups, kernel, step) = walk.parts();
        for group in groups.iter_mut().rev() {
            for i in step..step + 15 {
                kernel.advance(group, i, None);
            }
        }
        walk.count_steps(15);
        assert_eq!(walk.points(), all, "{}", sampler.id);
    }
}

#[test]
fn what_a_sampler_cannot_do_it_says() {
    let donut: Arc<dyn Density> = Arc::new(Donut::new(2.0, 0.2));
    let make = |id: &str| (find(id).unwrap().kernel)(&Settings::default(), donut.clone()).err();
    assert_eq!(make("annealed_langevin"), None);
    assert_eq!(make("gibbs"), Some(SamplerError::NotMixture));
    assert_eq!(make("langevin"), None);
}

/// From a start that knows nothing: moments and shares of the modes within four standard errors of independent
/// particles.
#[test]
fn particles_come_to_have_the_moments_and_the_modes_of_the_density() {
    let truth = mixture();
    let exact = truth.sample(400_000, &mut generator(3, Purpose::Samples));
    let start = spread(square(4.0), 8000, 3);
    for (id, knobs) in EXACT {
        let walk = walked(kernel(id, knobs, Arc::new(truth.clone())), &start, 150);
        let points = walk.points();
        let functions: [(&str, OfPoint); 5] = [
            ("x", |x| x[0]),
            ("y", |x| x[1]),
            ("xx", |x| x[0] * x[0]),
            ("xy", |x| x[0] * x[1]),
            ("yy", |x| x[1] * x[1]),
        ];
        for (name, f) in functions {
            let ((got, error), (want, other)) = (mean(&points, f), mean(&exact, f));
            let allowed = 4.0 * error.hypot(other);
            assert!((got - want).abs() < allowed, "{id} {knobs:?} {name}: {got} {want} {allowed}");
        }
        for (k, mode) in mode_shares(&truth, &points).iter().enumerate() {
            let off = (mode.share - mode.weight).abs();
            assert!(off < 4.0 * mode.standard_error, "{id} {knobs:?} mode {k}: {mode:?}");
        }
        let distance = energy_distance(&points, &exact).unwrap();
        assert!(distance.value.abs() < 4.0 * distance.standard_error, "{id}: {distance:?}");
        let at_start = energy_distance(&start, &exact).unwrap();
        assert!(at_start.value > 10.0 * at_start.standard_error, "{id}: {at_start:?}");
    }
}

/// On N(0, 1), x ← (1 − α/2) x + √α z has the variance α / (1 − (1 − α/2)²) = 1 / (1 − α/4): too wide by a known share.
#[test]
fn unadjusted_langevin_spreads_as_wide_as_its_step_says() {
    let unit: Arc<dyn Density> =
        Arc::new(Mixture::new(&[1.0], &[[0.0; 2]], &[[1.0, 0.0, 1.0]]).unwrap());
    for (step_size, steps) in [("0.1", 120), ("1", 30), ("2", 20)] {
        let start = vec![[3.0, -3.0]; 20_000];
        let kernel = kernel("langevin", &[("step_size", step_size)], unit.clone());
        let points = walked(kernel, &start, steps).points();
        let alpha: f64 = step_size.parse().unwrap();
        for axis in 0..2 {
            let (variance, error) = mean(&points, |x| x[axis] * x[axis]);
            let expected = 1.0 / (1.0 - alpha / 4.0);
            assert!(
                (variance - expected).abs() < 4.0 * error,
                "{step_size}: {variance} {expected}"
            );
        }
    }
}

/// Squares of (flow there − flow back) over all pairs of cells, over their expectation, and how many pairs there are.
fn imbalance(kernel: Box<dyn Kernel>, density: &dyn Density) -> (f64, f64) {
    const SIDE: usize = 6;
    let cell = |x: Point| {
        let [column, row] = x.map(|v| ((v + 3.0).clamp(0.0, 5.999)) as usize);
        row * SIDE + column
    };
    let start = density.sample(150_000, &mut generator(4, Purpose::Samples));
    let after = walked(kernel, &start, 1).points();
    let mut flow = vec![[0.0_f64; SIDE * SIDE]; SIDE * SIDE];
    for (&from, &to) in start.iter().zip(&after) {
        flow[cell(from)][cell(to)] += 1.0;
    }
    let (mut sum, mut pairs) = (0.0, 0.0);
    for (i, row) in flow.iter().enumerate() {
        for (there, other) in row.iter().zip(&flow[..i]) {
            let (back, both) = (other[i], there + other[i]);
            if both >= 10.0 {
                sum += (there - back).powi(2) / both;
                pairs += 1.0;
            }
        }
    }
    (sum, pairs)
}

/// Detailed balance on a target cut into 36 cells: among particles that are spread as the density says, as many go from
/// one cell to another as come back. The imbalance is a chi-square with one degree of freedom for every pair.
#[test]
fn as_many_particles_go_as_come_back() {
    let bent = Banana { length: 1.0, bend: 0.5, thickness: 0.5 };
    let sharp = Boxes::new(vec![([0.0; 2], 1.0)], [4.0; 2], [0.0; 2]);
    let densities: [Arc<dyn Density>; 4] =
        [Arc::new(mixture()), Arc::new(bent), Arc::new(sharp), Arc::new(Donut::new(2.0, 0.3))];
    for (i, density) in densities.into_iter().enumerate() {
        for (id, knobs) in EXACT {
            if id == "gibbs" && density.modes().is_none() {
                continue;
            }
            let (sum, pairs) = imbalance(kernel(id, knobs, density.clone()), &*density);
            let allowed = pairs + 4.0 * (2.0_f64 * pairs).sqrt();
            assert!(pairs > 20.0 && sum < allowed, "{id} {knobs:?} on {i}: {sum} of {pairs}");
        }
        // Unadjusted, with a step that is too large, is out of balance: the measure sees it.
        let wide = kernel("langevin", &[("step_size", "1.2")], density.clone());
        let (sum, pairs) = imbalance(wide, &*density);
        assert!(sum > 2.0 * pairs, "Langevin on {i}: {sum} of {pairs}");
    }
}

/// For one point against points around it: 2 E‖X − Y‖ − E‖Y − Y′‖, known in closed form for two places.
#[test]
fn the_energy_distance_is_that_of_two_places() {
    // X is always at 0; Y is at 1 or −1 in turn: 2 · 1 − E‖Y − Y′‖ with E‖Y − Y′‖ = n / (n − 1) over unequal pairs.
    let x = vec![[0.0; 2]; 400];
    let y: Vec<Point> = (0..400).map(|i| [if i % 2 == 0 { 1.0 } else { -1.0 }, 0.0]).collect();
    let got = energy_distance(&x, &y).unwrap();
    let n = 40.0;
    assert!((got.value - (2.0 - n / (n - 1.0))).abs() < 1e-12 && got.standard_error < 1e-12);
    assert_eq!(energy_distance(&x[..19], &y), None);
}

/// Toy constants of the code of Song and Ermon (2019): weights 0.8 and 0.2 at ±(5, 5). Plain Langevin takes its shares
/// from the start, annealed Langevin from the density.
#[test]
fn annealing_recovers_the_weights_that_plain_langevin_ignores() {
    let truth = Mixture::new(&[0.8, 0.2], &[[5.0; 2], [-5.0; 2]], &[[1.0, 0.0, 1.0]; 2]).unwrap();
    let start = spread(square(8.0), 2000, 7);
    let share = |id: &str, knobs: &[(&str, &str)]| {
        let kernel = kernel(id, knobs, Arc::new(truth.clone()));
        let is_annealed = id == "annealed_langevin";
        let noises = [0, 99, 999].map(|step| kernel.noise(step));
        let expected = if is_annealed { [20.0, 20.0, 1.0] } else { [0.0; 3] };
        assert!(noises.iter().zip(expected).all(|(got, want)| (got - want).abs() < 1e-12));
        let steps = kernel.length().unwrap_or(1000);
        assert_eq!(steps, 1000);
        mode_shares(&truth, &walked(kernel, &start, steps).points())[0].share
    };
    let plain = share("langevin", &[("step_size", "0.1")]);
    assert!((plain - 0.5).abs() < 0.06, "{plain}");
    let annealed = share("annealed_langevin", &[]);
    assert!((annealed - 0.8).abs() < 0.04, "{annealed}");
}

/// How long 10,000 particles take for 1,000 steps at K = 8: `cargo test --release … -- --ignored --nocapture`.
#[test]
#[ignore = "measures time"]
fn ten_thousand_particles_take_seconds_for_a_thousand_steps() {
    let ring: Vec<Point> = (0..8)
        .map(|k| (f64::from(k) / 8.0 * std::f64::consts::TAU).sin_cos())
        .map(|(sin, cos)| [2.0 * cos, 2.0 * sin])
        .collect();
    let ring = Mixture::new(&[0.125; 8], &ring, &[[0.04, 0.0, 0.04]; 8]).unwrap();
    let start = spread(square(3.0), 10_000, 1);
    for id in ["langevin", "annealed_langevin", "metropolis", "mala", "gibbs"] {
        let began = std::time::Instant::now();
        let walk = walked(kernel(id, &[], Arc::new(ring.clone())), &start, 1000);
        println!(
            "{id}: {:.2} s, acceptance {:?}",
            began.elapsed().as_secs_f64(),
            walk.acceptance()
        );
        assert!(began.elapsed().as_secs_f64() < 5.0, "{id}");
    }
}
