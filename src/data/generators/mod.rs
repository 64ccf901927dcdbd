//! Generators: toy data sets, one file each, and the list of them all.

mod banana;
mod blobs;
mod board;
mod donut;
mod funnel;
mod gaussian;
mod halfmoons;
mod pinwheel;
mod ring;
mod rings;
mod spirals;
mod square;
mod swissroll;
mod two_gaussians;

use std::sync::Arc;

use rand_distr::{Distribution, StandardNormal};

use crate::model::known::Node;
use crate::model::{Density, Point};
use crate::random::Rng;
use crate::settings::{Kind, Setting, Settings};

/// A toy data set: what it is called, its knobs, and how its points are made.
#[derive(Debug)]
pub struct Generator {
    /// Name in files and on the command line.
    pub id: &'static str,
    /// Name on screen.
    pub label: &'static str,
    /// One sentence for the tooltip and for `scorescope list`.
    pub help: &'static str,
    /// Its own knobs; [`N_SAMPLES`] and [`RANDOM_STATE`] belong to all and are not repeated here.
    pub settings: &'static [&'static Setting],
    /// Makes exactly this many independent points.
    pub generate: fn(&Settings, usize, &mut Rng) -> Vec<Point>,
    /// The density that the points come from, in their units, for generators that know it. `None` for settings under
    /// which it is out of reach: points without noise on a curve have no density.
    ///
    /// For scaled points, see [`crate::data::Scaling::apply_density`].
    pub density: Option<KnownDensity>,
}

/// Makes the known density of a generator with these settings.
pub type KnownDensity = fn(&Settings) -> Option<Arc<dyn Density>>;

/// Every generator, in the order of menus. The first three are the sets of the thesis.
pub static GENERATORS: &[&Generator] = &[
    &halfmoons::INFO,
    &spirals::INFO,
    &board::INFO,
    &ring::INFO,
    &rings::INFO,
    &pinwheel::INFO,
    &swissroll::INFO,
    &blobs::INFO,
    &two_gaussians::INFO,
    &gaussian::INFO,
    &banana::INFO,
    &donut::INFO,
    &funnel::INFO,
    &square::INFO,
];

/// How many points a generator makes.
pub static N_SAMPLES: Setting = Setting {
    key: "n_samples",
    label: "Points",
    help: "How many points are made, for training and validation together. A million takes a second; the limit is \
           the machine's memory, of which a million needs 48 MB.",
    kind: Kind::Integer { default: 4000, min: 10, max: 1_000_000_000 },
    is_live: false,
};

/// The seed that a generator's points are made from.
pub static RANDOM_STATE: Setting = Setting {
    key: "random_state",
    label: "Seed",
    help: "Equal seeds give equal points; another seed gives other points from the same density.",
    kind: Kind::Seed,
    is_live: false,
};

/// The generator with this id.
#[must_use]
pub fn find(id: &str) -> Option<&'static Generator> {
    GENERATORS.iter().copied().find(|generator| generator.id == id)
}

/// The point plus independent Gaussian noise in both coordinates.
fn noisy(point: Point, standard_deviation: f64, rng: &mut Rng) -> Point {
    point.map(|v| v + standard_deviation * normal(rng))
}

/// Nodes of one of two equal parts.
fn half(nodes: Vec<Node>) -> Vec<Node> {
    nodes.into_iter().map(|(place, share)| (place, 0.5 * share)).collect()
}

/// A standard normal number.
fn normal(rng: &mut Rng) -> f64 {
    StandardNormal.sample(rng)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Bounds;
    use crate::random::{Purpose, generator};
    use crate::settings::{LARGEST_SEED, Value};

    fn points(info: &Generator, settings: &Settings, count: usize, seed: u64) -> Vec<Point> {
        (info.generate)(settings, count, &mut generator(seed, Purpose::Data))
    }

    fn is_sane(points: &[Point]) -> bool {
        points.iter().flatten().all(|v| v.is_finite() && v.abs() < 1000.0)
    }

    #[test]
    fn every_id_is_found_once() {
        for info in GENERATORS {
            let same = GENERATORS.iter().filter(|other| other.id == info.id).count();
            assert_eq!(same, 1, "{}", info.id);
            assert_eq!(find(info.id).unwrap().label, info.label);
            assert!(info.help.ends_with('.'), "{}", info.id);
        }
        assert!(find("full moons").is_none());
    }

    #[test]
    fn every_generator_makes_what_is_asked_for() {
        let settings = Settings::default();
        for info in GENERATORS {
            for count in [0, 1, 2, 10, 1001] {
                assert_eq!(points(info, &settings, count, 0).len(), count, "{}", info.id);
            }
            let some = points(info, &settings, 5000, 1);
            let bounds = Bounds::around(&some).unwrap();
            let [width, height] = bounds.size();
            assert!(is_sane(&some) && width > 1.0 && height > 1.0, "{}: {bounds:?}", info.id);
            assert!(width < 25.0 && height < 25.0, "{}: {bounds:?}", info.id);
            assert_eq!(some, points(info, &settings, 5000, 1), "{}", info.id);
            assert_ne!(some, points(info, &settings, 5000, 2), "{}", info.id);
        }
    }

    #[test]
    fn every_setting_works_at_its_ends() {
        for info in GENERATORS {
            for setting in info.settings {
                let ends = match setting.kind {
                    Kind::Integer { min, max, .. } => [min.to_string(), max.to_string()],
                    Kind::Seed => ["0".to_owned(), LARGEST_SEED.to_string()],
                    Kind::Number { min, max, .. } => [min.to_string(), max.to_string()],
                    Kind::Choice { .. } | Kind::Switch { .. } => continue,
                };
                for end in ends {
                    let mut settings = Settings::default();
                    settings.set(setting.key, setting.parse(&end).unwrap());
                    let some = points(info, &settings, 2000, 5);
                    assert!(is_sane(&some), "{}: {} = {end}", info.id, setting.key);
                    assert_eq!(some.len(), 2000);
                    if let Some(density) = info.density {
                        let Some(density) = density(&settings) else { continue };
                        let is_finite = |&x: &Point| density.log_density(x).is_finite();
                        assert!(some.iter().all(is_finite), "{}: {end}", info.id);
                    }
                }
            }
        }
    }

    #[test]
    fn all_but_one_know_their_density() {
        let unknown: Vec<_> =
            GENERATORS.iter().filter(|info| info.density.is_none()).map(|info| info.id).collect();
        assert_eq!(unknown, ["pinwheel"]);
        for info in GENERATORS {
            let Some(density) = info.density else { continue };
            assert!(density(&Settings::default()).is_some(), "{}", info.id);
            // Without noise, points on a curve have none.
            let mut settings = Settings::default();
            settings.set("noise", Value::Number(0.0));
            let is_curve = ["halfmoons", "spirals", "rings", "swissroll"].contains(&info.id);
            assert_eq!(density(&settings).is_none(), is_curve, "{}", info.id);
        }
    }

    /// Mean and covariance [c₁₁, c₁₂, c₂₂] of the reference points made before this project began with numpy
    /// (tests/reference/data/*_train.npy, 10,000 points each), and how often a square is filled.
    #[test]
    fn the_sets_of_the_thesis_have_the_moments_of_its_points() {
        let references: [(&str, Point, [f64; 3]); 3] = [
            ("halfmoons", [0.4987, 0.2467], [0.7660, -0.1941, 0.2529]),
            ("spirals", [-0.0089, -0.0112], [2.6310, 0.5865, 2.4881]),
            ("board", [0.0001, -0.0127], [5.4241, 0.9672, 5.3023]),
        ];
        for (id, mean, covariance) in references {
            let some = points(find(id).unwrap(), &Settings::default(), 40_000, 3);
            let n = some.len() as f64;
            let average = |f: &dyn Fn(&Point) -> f64| some.iter().map(f).sum::<f64>() / n;
            let m = [average(&|p| p[0]), average(&|p| p[1])];
            let cov = |i: usize, j: usize| average(&|p| (p[i] - m[i]) * (p[j] - m[j]));
            let got = [cov(0, 0), cov(0, 1), cov(1, 1)];
            // Five standard errors of the reference's 10,000 points, and a bit.
            for axis in 0..2 {
                let allowed = 0.06 * covariance[2 * axis].sqrt();
                assert!((m[axis] - mean[axis]).abs() < allowed, "{id}: mean {m:?}");
            }
            let scale = covariance[0].max(covariance[2]);
            for (got, want) in got.iter().zip(covariance) {
                assert!((got - want).abs() < 0.06 * scale, "{id}: {got} against {want}");
            }
        }
    }
}
