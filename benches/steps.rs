//! One training step of every algorithm: 10,000 points of the half moons, K = 10, 24 and 100, full covariances.
//!
//! `cargo bench`, or `cargo bench -- nll` for one of them.

use std::hint::black_box;
use std::sync::Arc;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use scorescope::algorithms::{ALGORITHMS, Start};
use scorescope::data::generators;
use scorescope::model::{CovarianceType, Mixture, Point};
use scorescope::random::{Purpose, generator};
use scorescope::settings::Settings;

const POINT_COUNT: usize = 10_000;

fn steps(criterion: &mut Criterion) {
    let settings = Settings::default();
    let moons = generators::find("halfmoons").expect("the half moons are a generator");
    let points: Arc<[Point]> =
        (moons.generate)(&settings, POINT_COUNT, &mut generator(0, Purpose::Data)).into();
    for info in ALGORITHMS.iter() {
        let mut group = criterion.benchmark_group(info.id);
        for component_count in [10, 24, 100] {
            let start = Start {
                mixture: at_points(&points[..component_count]),
                points: points.clone(),
                covariance_type: CovarianceType::Full,
                floor: 1e-4,
            };
            let mut algorithm = info.start(start, &settings).expect("the start is finite");
            group.bench_function(BenchmarkId::from_parameter(component_count), |bencher| {
                bencher.iter(|| {
                    algorithm.step(&settings).expect("the floor keeps the steps finite");
                    black_box(algorithm.objective())
                });
            });
        }
        group.finish();
    }
}

/// Equal weights, a circle of radius 0.3 around every point.
fn at_points(means: &[Point]) -> Mixture {
    let weights = vec![1.0 / means.len() as f64; means.len()];
    let covariances = vec![[0.09, 0.0, 0.09]; means.len()];
    Mixture::new(&weights, means, &covariances).expect("equal weights and round covariances")
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20);
    targets = steps
}
criterion_main!(benches);
