//! One training step of every algorithm: 10,000 points of the half moons, K = 10, 24 and 100, full covariances.
//!
//! `cargo bench --bench steps`, or `cargo bench --bench steps -- nll` for one of them. A step is a whole one, with
//! optimizer, bookkeeping and history; `kernels.rs` measures what is inside.

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use scorescope::algorithms::ALGORITHMS;
use scorescope::training::History;
use scorescope::training::workload::{Workload, half_moons};

fn steps(criterion: &mut Criterion) {
    let points = half_moons(10_000).expect("the half moons are a generator");
    for info in ALGORITHMS.iter() {
        let mut group = criterion.benchmark_group(info.id);
        for component_count in [10, 24, 100] {
            let workload = Workload::new(points.clone(), component_count)
                .and_then(|workload| workload.of_algorithm(info.id, &[]))
                .expect("there are enough points");
            let mut run = workload.run().expect("the start is finite");
            let mut history = History::default();
            group.bench_function(BenchmarkId::from_parameter(component_count), |bencher| {
                bencher.iter(|| {
                    history.push(run.step().expect("the floor keeps the steps finite"));
                });
            });
        }
        group.finish();
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20);
    targets = steps
}
criterion_main!(benches);
