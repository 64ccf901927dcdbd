//! What a step is made of: the fused kernels alone, the same objectives as plain burn tensors, and the least work of
//! a pair. 10,000 points of the half moons, K = 10, 24 and 100, full covariances.
//!
//! `cargo bench --bench kernels`, or `cargo bench --bench kernels -- plain` for some of it.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use scorescope::algorithms::ALGORITHMS;
use scorescope::objectives::kernel::{LEAST_WORK_PAIRS, least_work};
use scorescope::training::workload::{Timed, Workload, half_moons};

const POINT_COUNT: usize = 10_000;

fn kernels(criterion: &mut Criterion) {
    compare(criterion, "kernel", |workload| Some(workload.kernel()));
}

fn plain(criterion: &mut Criterion) {
    compare(criterion, "plain", Workload::plain_tensors);
}

/// Measures a part of every algorithm that has it, per pair of point and component.
fn compare(criterion: &mut Criterion, name: &str, part: impl Fn(&Workload) -> Option<Timed>) {
    let points = half_moons(POINT_COUNT).expect("the half moons are a generator");
    for info in ALGORITHMS.iter() {
        let mut group = criterion.benchmark_group(format!("{name}/{}", info.id));
        for component_count in [10, 24, 100] {
            let workload = Workload::new(points.clone(), component_count)
                .and_then(|workload| workload.of_algorithm(info.id, &[]))
                .expect("there are enough points");
            let Some(mut evaluate) = part(&workload) else { continue };
            group.throughput(Throughput::Elements((POINT_COUNT * component_count) as u64));
            group.bench_function(BenchmarkId::from_parameter(component_count), |bencher| {
                bencher.iter(&mut evaluate);
            });
        }
        group.finish();
    }
}

fn floor(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("floor");
    group.throughput(Throughput::Elements(LEAST_WORK_PAIRS as u64));
    group.bench_function("pairs", |bencher| bencher.iter(|| least_work(black_box(1.5))));
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20);
    targets = kernels, plain, floor
}
criterion_main!(benches);
