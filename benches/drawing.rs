//! What is drawn: rasters and fields at K = 100, colors, clouds of a million points, curves of 100,000 steps, and
//! whole frames of the window.
//!
//! `cargo bench --bench drawing`, or `cargo bench --bench drawing -- raster` for one of them.

use std::hint::black_box;
use std::sync::Arc;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use scorescope::app::Rehearsal;
use scorescope::data::generators;
use scorescope::figures::cloud::{Cloud, Pixels, cloud};
use scorescope::figures::learning::{self, Landmarks, TimeAxis};
use scorescope::figures::{ColorMap, Scale, Spacing, Theme, plane};
use scorescope::model::{Bounds, Density, Mixture, Point};
use scorescope::random::{Purpose, generator};
use scorescope::settings::Settings;
use scorescope::training::{History, Record};

/// A mixture of 100 circles of that radius at points of the half moons, and a rectangle around it.
fn mixture(radius: f64) -> (Mixture, Bounds) {
    let moons = generators::find("halfmoons").expect("the half moons are a generator");
    let means: Arc<[Point]> =
        (moons.generate)(&Settings::default(), 100, &mut generator(0, Purpose::Data)).into();
    let bounds = Bounds::around(&means).expect("there are points").with_margin(0.2);
    let covariance = [radius * radius, 0.3 * radius * radius, radius * radius];
    let mixture = Mixture::new(&[0.01; 100], &means, &[covariance; 100]);
    (mixture.expect("equal weights and positive covariances"), bounds)
}

fn fields(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("K=100");
    for radius in [0.3, 0.05] {
        let (mixture, bounds) = mixture(radius);
        group.bench_function(BenchmarkId::new("density 512x512, radius", radius), |bencher| {
            bencher.iter(|| black_box(mixture.raster(bounds, 512, 512)));
        });
    }
    let (mixture, bounds) = mixture(0.3);
    group.bench_function("score and Hessian, 64x64", |bencher| {
        bencher.iter(|| black_box(mixture.field(bounds, 64, 64)));
    });
    let raster = mixture.raster(bounds, 512, 512);
    let map = ColorMap::from_id("inferno", Theme::Dark);
    for (name, scale) in
        [("linear", Scale::Linear), ("logarithmic", Scale::Logarithmic { decades: 4.0 })]
    {
        group.bench_function(BenchmarkId::new("colors 512x512", name), |bencher| {
            bencher.iter(|| black_box(plane::density(&raster, map, scale, Theme::Dark)));
        });
    }
    group.finish();
}

fn clouds(criterion: &mut Criterion) {
    let moons = generators::find("halfmoons").expect("the half moons are a generator");
    let mut rng = generator(0, Purpose::Data);
    let points: Arc<[Point]> = (moons.generate)(&Settings::default(), 1_000_000, &mut rng).into();
    let bounds = Bounds::around(&points).expect("there are points");
    let pixels = Pixels { size: [700, 600], dot: 1.3 };
    let color = Theme::Dark.palette().train;
    let mut group = criterion.benchmark_group("cloud of 1,000,000 points");
    for (name, every) in [("full", 1), ("coarse", 8)] {
        let asked =
            Cloud { id: "train", label: "Data", points: &points, bounds, pixels, color, every };
        group.bench_function(name, |bencher| bencher.iter(|| black_box(cloud(&asked))));
    }
    group.finish();
}

fn curves(criterion: &mut Criterion) {
    let mut history = History::default();
    for step in 0..100_000 {
        let train_nll = 1.5 + 1.0 / (1.0 + step as f64);
        let val_nll = train_nll + 0.02 * (0.37 * step as f64).sin();
        history.push(Record {
            step,
            seconds: 0.0,
            evaluations: 0.0,
            objective: train_nll,
            train_nll,
            val_nll,
        });
    }
    let palette = Theme::Dark.palette();
    criterion.bench_function("curve of 100,000 steps", |bencher| {
        bencher.iter(|| {
            let spacings = [Spacing::Linear; 2];
            let landmarks = Landmarks::default();
            black_box(learning::nll(
                &history.curve(),
                &landmarks,
                TimeAxis::Steps,
                spacings,
                palette,
            ))
        });
    });
}

fn frames(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("frame with every layer");
    group.sample_size(50);
    for point_count in [10_000, 1_000_000] {
        let mut rehearsal = Rehearsal::new(point_count).expect("the system gives threads");
        for (name, is_moving) in [("still", false), ("moving", true)] {
            group.bench_function(BenchmarkId::new(name, point_count), |bencher| {
                bencher.iter(|| rehearsal.frame(is_moving));
            });
        }
        rehearsal.remember(100_000);
        group.bench_function(BenchmarkId::new("still, 100,000 steps", point_count), |bencher| {
            bencher.iter(|| rehearsal.frame(false));
        });
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20);
    targets = fields, clouds, curves, frames
}
criterion_main!(benches);
