//! Many seeds: 100 starts of EM on 1,000 points, K = 8, 100 iterations each, on one thread and on all.
//!
//! `cargo bench --bench seeds`. From the data to the last result, with the starts by k-means.

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use scorescope::training::{Ensemble, Experiment};

fn seeds(criterion: &mut Criterion) {
    let mut experiment = Experiment::default();
    for (key, value) in [
        ("n_samples", "1000"),
        ("validation_fraction", "0"),
        ("n_components", "8"),
        ("max_iter", "100"),
        ("tol", "0"),
    ] {
        experiment.set(key, value).expect("these settings exist");
    }
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let mut group = criterion.benchmark_group("100 starts of EM");
    for threads in [1, cores] {
        group.bench_function(BenchmarkId::new("threads", threads), |bencher| {
            bencher.iter(|| {
                let ensemble = Ensemble::spawn(experiment.clone(), None, 0, 100, threads, || ())
                    .expect("the system gives threads");
                assert_eq!(ensemble.wait().flatten().count(), 100);
            });
        });
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(10);
    targets = seeds
}
criterion_main!(benches);
