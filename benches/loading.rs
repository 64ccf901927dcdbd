//! A million points from a file, and a start on them.
//!
//! `cargo bench --bench loading`, or with a name behind it: read, data set, start.

use std::hint::black_box;
use std::path::{Path, PathBuf};

use criterion::{Criterion, criterion_group, criterion_main};
use scorescope::algorithms::initial;
use scorescope::data::{Dataset, formats, generators};
use scorescope::export::points;
use scorescope::model::Point;
use scorescope::random::{Purpose, generator};
use scorescope::settings::Settings;

const POINT_COUNT: usize = 1_000_000;

fn moons() -> Vec<Point> {
    let moons = generators::find("halfmoons").expect("the half moons are a generator");
    (moons.generate)(&Settings::default(), POINT_COUNT, &mut generator(0, Purpose::Data))
}

/// An array as `NumPy` writes it, of numbers of this type.
fn array(descr: &str, is_fortran: bool, numbers: impl Iterator<Item = Vec<u8>>) -> Vec<u8> {
    let order = if is_fortran { "True" } else { "False" };
    let shape = format!("({POINT_COUNT}, 2)");
    let header = format!("{{'descr': '{descr}', 'fortran_order': {order}, 'shape': {shape}, }}\n");
    let length = (header.len() as u16).to_le_bytes();
    let head = [b"\x93NUMPY\x01\x00", &length[..], header.as_bytes()].concat();
    head.into_iter().chain(numbers.flatten()).collect()
}

/// The same points in every format, with what it is called.
fn files(folder: &Path) -> Vec<(&'static str, PathBuf)> {
    let moons = moons();
    let by_rows = || moons.iter().flatten().copied();
    let by_columns = || (0..2).flat_map(|axis| moons.iter().map(move |point| point[axis]));
    let double = |v: f64| v.to_le_bytes().to_vec();
    let single = |v: f64| (v as f32).to_le_bytes().to_vec();
    let table = points::csv(&moons);
    let contents = [
        ("table.csv", table.clone().into_bytes()),
        ("spaces.txt", table.replace(',', "  ").into_bytes()),
        ("rows of f64.npy", array("<f8", false, by_rows().map(double))),
        ("rows of f32.npy", array("<f4", false, by_rows().map(single))),
        ("columns of f64.npy", array("<f8", true, by_columns().map(double))),
        ("columns of f32.npy", array("<f4", true, by_columns().map(single))),
    ];
    let written = contents.into_iter().map(|(name, bytes)| {
        let path = folder.join(name);
        std::fs::write(&path, bytes).expect("the temporary folder takes some hundred megabytes");
        (name, path)
    });
    written.collect()
}

fn read(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().expect("there is a temporary folder");
    let mut group = criterion.benchmark_group("read");
    for (name, path) in files(folder.path()) {
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let loaded = formats::read(&path, None, &mut formats::unwatched);
                assert_eq!(loaded.map(|loaded| loaded.points.len()).ok(), Some(POINT_COUNT));
            });
        });
    }
}

fn prepare(criterion: &mut Criterion) {
    let moons = moons();
    let dataset = || Dataset::new(moons.clone(), 0.5, true, 0).expect("moons are finite");
    criterion.bench_function("data set", |bencher| bencher.iter(|| black_box(dataset())));
    let dataset = dataset();
    let mut group = criterion.benchmark_group("start");
    for component_count in [24, 200] {
        group.bench_function(component_count.to_string(), |bencher| {
            bencher.iter(|| initial::start(&dataset, component_count, 1e-4, &Settings::default()));
        });
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(10);
    targets = read, prepare
}
criterion_main!(benches);
