//! The demonstration "Initialization": how often EM finds a ring of Gaussians, by how it starts.
//!
//! References, computed with numpy before this project began: the ring of 8 Gaussians (radius 2, standard deviation 0.2,
//! equal weights), 800 points drawn afresh for each of 300 starts, full covariances, uniform weights, 200 iterations,
//! 1e-4 added to the diagonal in every M-step. Share of the starts whose training NLL comes within 0.03 nats of the
//! density's entropy or below.

use std::sync::Arc;

use rand_distr::{Distribution, StandardNormal};
use scorescope::algorithms::{Start, find, initial};
use scorescope::data::{Dataset, generators};
use scorescope::model::{CovarianceType, Mixture, Point};
use scorescope::random::{Purpose, generator};
use scorescope::settings::{Settings, Value};

/// Entropy of the ring in nats, by quadrature.
const ENTROPY: f64 = 1.6984;

const STARTS: u64 = 300;

/// The three kinds of starts: where the means begin, and the variance of the circles around them.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind {
    /// Means from N(0, I), Σ = I.
    Normal,
    /// Data points, Σ = ½ I.
    DataPoints,
    /// Seeds of k-means++, Σ = ½ I.
    SpreadSeeds,
}

fn start(kind: Kind, data: &Dataset, component_count: usize, seed: u64) -> Mixture {
    let named = |id: &str| -> Vec<Point> {
        let mut settings = Settings::default();
        settings.set(initial::INIT_PARAMS.key, Value::Choice(id.to_owned()));
        settings.set(initial::RANDOM_STATE.key, Value::Integer(seed as i64));
        let start = initial::start(data, component_count, 0.0, &settings).unwrap();
        start.components().iter().map(|c| c.gaussian.mean).collect()
    };
    let (means, variance) = match kind {
        Kind::Normal => {
            let mut rng = generator(seed, Purpose::Start);
            let mut normal = || StandardNormal.sample(&mut rng);
            ((0..component_count).map(|_| [normal(), normal()]).collect(), 1.0)
        }
        Kind::DataPoints => (named("random_from_data"), 0.5),
        Kind::SpreadSeeds => (named("k-means++"), 0.5),
    };
    let weights = vec![1.0 / component_count as f64; component_count];
    Mixture::new(&weights, &means, &vec![[variance, 0.0, variance]; component_count]).unwrap()
}

/// True if EM comes near enough.
fn finds_the_ring(kind: Kind, component_count: usize, seed: u64) -> bool {
    let ring = generators::find("ring").unwrap();
    let mut rng = generator(seed, Purpose::Data);
    let points = (ring.generate)(&Settings::default(), 800, &mut rng);
    let data = Dataset::new(points, 0.0, false, seed).unwrap();
    let start = Start {
        mixture: start(kind, &data, component_count, seed),
        points: data.train.clone(),
        covariance_type: CovarianceType::Full,
        floor: 1e-4,
        true_scores: None,
    };
    let settings = Settings::default();
    let mut em = find("em").unwrap().start(start, &settings).unwrap();
    // EM does not lower the likelihood: once it is near enough it stays there.
    (0..200).any(|_| {
        em.step(&settings).unwrap();
        em.objective() <= ENTROPY + 0.03
    })
}

/// How many of the starts find the ring. Each thread has its own pool, so that it computes whole runs.
fn found(kind: Kind, component_count: usize) -> usize {
    let thread_count = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let part = |first: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
        let mut seeds = (first as u64..STARTS).step_by(thread_count);
        pool.install(|| {
            seeds.by_ref().filter(|&seed| finds_the_ring(kind, component_count, seed)).count()
        })
    };
    std::thread::scope(|scope| {
        let parts: Vec<_> =
            (0..thread_count).map(|first| scope.spawn(move || part(first))).collect();
        parts.into_iter().map(|part| part.join().unwrap()).sum()
    })
}

#[test]
fn the_entropy_is_that_of_the_ring() {
    let ring = generators::find("ring").unwrap();
    let density = ring.density.unwrap()(&Settings::default()).unwrap();
    let points: Arc<[Point]> = density.sample(200_000, &mut generator(0, Purpose::Samples)).into();
    let entropy = -points.iter().map(|&x| density.log_density(x)).sum::<f64>() / 200_000.0;
    // Four standard errors: the log density of a Gaussian on the plane has standard deviation 1.
    assert!((entropy - ENTROPY).abs() < 0.009, "{entropy}");
}

#[test]
fn how_em_starts_decides_what_it_finds() {
    let mut found_and_expected = Vec::new();
    for (component_count, expected) in [(8, [24.0, 15.0, 62.0]), (9, [53.0, 40.0, 88.0])] {
        let kinds = [Kind::Normal, Kind::DataPoints, Kind::SpreadSeeds];
        for (kind, expected) in kinds.into_iter().zip(expected) {
            let share = 100.0 * found(kind, component_count) as f64 / STARTS as f64;
            found_and_expected.push((component_count, kind, share.round(), expected));
        }
    }
    let is_near =
        |&(_, _, share, expected): &(usize, Kind, f64, f64)| (share - expected).abs() <= 10.0;
    assert!(found_and_expected.iter().all(is_near), "{found_and_expected:?}");
}
