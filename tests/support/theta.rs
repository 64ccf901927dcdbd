//! Random θ and points, from a seed, for the tests of objectives.

#![allow(dead_code, reason = "every test program uses the parts that it needs")]

use rand_distr::{Distribution, StandardNormal};
use scorescope::model::{CovarianceType, Parameters, Point};
use scorescope::random::{Purpose, Rng, generator};

/// θ of K full-covariance components that overlap: logits from N(0, ¼), means from N(0, I), standard deviations
/// around ½, and correlations of both signs.
pub fn parameters(component_count: usize, floor: f64, seed: u64) -> Parameters {
    let mut rng = generator(seed, Purpose::Start);
    Parameters {
        covariance_type: CovarianceType::Full,
        floor,
        logits: (0..component_count).map(|_| 0.5 * normal(&mut rng)).collect(),
        means: points_from(&mut rng, component_count),
        factors: (0..component_count)
            .flat_map(|_| {
                let [a, b] = [normal(&mut rng), normal(&mut rng)].map(|v| 0.5_f64.ln() + 0.3 * v);
                [a, 0.3 * normal(&mut rng), b]
            })
            .collect(),
    }
}

/// Points from N(0, I).
pub fn points(count: usize, seed: u64) -> Vec<Point> {
    points_from(&mut generator(seed, Purpose::Data), count)
}

/// For each point `slice_count` slices from N(0, I).
pub fn slices(count: usize, slice_count: usize, seed: u64) -> Vec<Vec<Point>> {
    let mut rng = generator(seed, Purpose::Slices);
    (0..count).map(|_| points_from(&mut rng, slice_count)).collect()
}

fn points_from(rng: &mut Rng, count: usize) -> Vec<Point> {
    (0..count).map(|_| [normal(rng), normal(rng)]).collect()
}

fn normal(rng: &mut Rng) -> f64 {
    StandardNormal.sample(rng)
}
