//! Basin map: 64 × 64 starts of EM on 1,000 points, K = 3, 100 iterations each, on one thread and on all.
//!
//! `cargo bench --bench maps`.

use std::sync::Arc;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use scorescope::training::basin::Basin;
use scorescope::training::{Experiment, Prepared};

fn maps(criterion: &mut Criterion) {
    let mut experiment = Experiment::default();
    for (key, value) in [
        ("n_samples", "1000"),
        ("validation_fraction", "0"),
        ("n_components", "3"),
        ("max_iter", "100"),
        ("tol", "0"),
    ] {
        experiment.set(key, value).expect("these settings exist");
    }
    let prepared = Prepared::new(&experiment).expect("the experiment has data and a start");
    let basin = Basin::new(&experiment, &prepared, 0).expect("there is a first component");
    let basin = Arc::new(basin);
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let mut group = criterion.benchmark_group("basin map of 64 x 64");
    for threads in [1, cores] {
        group.bench_function(BenchmarkId::new("threads", threads), |bencher| {
            bencher.iter(|| {
                let survey = basin.survey(0, 64, threads, || ());
                let cells = survey.expect("the system gives threads").wait();
                assert_eq!(cells.into_iter().flatten().count(), 64 * 64);
            });
        });
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(10);
    targets = maps
}
criterion_main!(benches);
