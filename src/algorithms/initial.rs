//! Starting mixtures: where the means begin, how heavy and how wide the components are.

use std::borrow::Cow;

use rand::RngExt;
use rand::seq::index;

use crate::data::{Dataset, moments};
use crate::model::{Bounds, Mixture, Point, Symmetric};
use crate::random::{Purpose, Rng, generator};
use crate::settings::{Kind, Setting, Settings};

/// Where the means begin.
pub static INIT_PARAMS: Setting = Setting {
    key: "init_params",
    label: "Means",
    help: "k-means: cluster centers, as in the thesis. k-means++: its spread-out seeds alone; of more than 20,000 \
           points, both look at 20,000 drawn at random. Random points: drawn from the data. Random: from a normal \
           distribution as wide as the data. One spot: all at the data's mean, but for 1% of their standard deviation \
           at random, because equal components stay equal for ever. One far away: k-means++ seeds, the last one moved \
           beyond the corner of the data by half their size. Grid: evenly over the data's rectangle. Ring: evenly on an \
           ellipse as wide as the data.",
    kind: Kind::Choice {
        default: "kmeans",
        options: &[
            ("kmeans", "k-means"),
            ("k-means++", "k-means++ seeds"),
            ("random_from_data", "random data points"),
            ("random", "random places"),
            ("one_spot", "all at one spot"),
            ("one_far", "one far away"),
            ("grid", "on a grid"),
            ("ring", "on a ring"),
        ],
    },
    is_live: false,
};

/// How heavy the components begin.
pub static INIT_WEIGHTS: Setting = Setting {
    key: "init_weights",
    label: "Weights",
    help: "Uniform: all 1/K. Random: uniform numbers, divided by their sum. Cluster: each cluster's share of the points.",
    kind: Kind::Choice {
        default: "uniform",
        options: &[("uniform", "uniform"), ("random", "random"), ("cluster", "cluster's own")],
    },
    is_live: false,
};

/// How wide the components begin.
pub static INIT_COVARIANCES: Setting = Setting {
    key: "init_covariances",
    label: "Covariances",
    help: "Identity: Σ = I, as in the thesis. Cluster: the covariance of the points nearest to each mean.",
    kind: Kind::Choice {
        default: "identity",
        options: &[("identity", "identity"), ("cluster", "cluster's own")],
    },
    is_live: false,
};

/// Seed of the start.
pub static RANDOM_STATE: Setting = Setting {
    key: "random_state",
    label: "Seed of the start",
    help: "Random choices of the start are drawn from this seed.",
    kind: Kind::Seed,
    is_live: false,
};

/// All knobs of a start.
pub static SETTINGS: &[&Setting] = &[&INIT_PARAMS, &INIT_WEIGHTS, &INIT_COVARIANCES, &RANDOM_STATE];

/// k-means looks at this many points at most: where centers go, more would hardly change, and it takes its time for
/// each of them.
const MOST_CLUSTERED: usize = 20_000;

/// Why there is no start.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum StartError {
    /// More components than points.
    #[error(
        "{components} components need at least {components} training points, and there {}: \
         lower K, or add points",
        if *points == 1 { "is 1".to_owned() } else { format!("are {points}") }
    )]
    TooFewPoints {
        /// K.
        components: usize,
        /// Number of training points.
        points: usize,
    },
}

/// The mixture that training starts from. Of more than 20,000 training points, k-means and its seeds look at 20,000 that
/// are drawn at random; the clusters' own weights and covariances are those of all points.
///
/// # Errors
/// [`StartError`] if there are fewer training points than components.
///
/// # Panics
/// Never: weights, means and covariances are valid by construction.
pub fn start(
    data: &Dataset,
    component_count: usize,
    floor: f64,
    settings: &Settings,
) -> Result<Mixture, StartError> {
    let points = &*data.train;
    if points.len() < component_count {
        return Err(StartError::TooFewPoints { components: component_count, points: points.len() });
    }
    let mut rng = generator(settings.integer(&RANDOM_STATE) as u64, Purpose::Start);
    let means = match settings.choice(&INIT_PARAMS).as_str() {
        "k-means++" => spread_seeds(&some(points, &mut rng), component_count, &mut rng),
        "random_from_data" => index::sample(&mut rng, points.len(), component_count)
            .into_iter()
            .map(|i| points[i])
            .collect(),
        "random" => {
            let spread = data.variance.sqrt();
            let center = data.bounds.center();
            let normal = rand_distr::StandardNormal;
            (0..component_count)
                .map(|_| center.map(|c| c + spread * rng.sample::<f64, _>(normal)))
                .collect()
        }
        "one_spot" => one_spot(points, component_count, &mut rng),
        "one_far" => {
            let mut seeds = spread_seeds(&some(points, &mut rng), component_count, &mut rng);
            let (far, size) = (data.bounds.max, data.bounds.size());
            if let Some(last) = seeds.last_mut() {
                *last = [far[0] + 0.5 * size[0], far[1] + 0.5 * size[1]];
            }
            seeds
        }
        "grid" => grid(data.bounds.with_margin(0.0), component_count),
        "ring" => ring(points, component_count),
        _ => {
            let points = some(points, &mut rng);
            let seeds = spread_seeds(&points, component_count, &mut rng);
            lloyd(&points, seeds)
        }
    };
    let (weights, covariances) =
        (settings.choice(&INIT_WEIGHTS), settings.choice(&INIT_COVARIANCES));
    // It takes its time, and most starts do not ask.
    let owners = if [&weights, &covariances].contains(&&"cluster".to_owned()) {
        nearest(points, &means)
    } else {
        Vec::new()
    };
    let mut weights = match weights.as_str() {
        // 1 − u lies in (0, 1]: no component starts without any weight.
        "random" => (0..component_count).map(|_| 1.0 - rng.random::<f64>()).collect(),
        "cluster" => {
            let mut counts = vec![0.0; component_count];
            for &owner in &owners {
                counts[owner as usize] += 1.0;
            }
            // A mean that owns no point still counts as one, or EM could never move it.
            counts.into_iter().map(|count: f64| count.max(1.0)).collect()
        }
        _ => vec![1.0; component_count],
    };
    let total: f64 = weights.iter().sum();
    for weight in &mut weights {
        *weight /= total;
    }
    let covariances = match covariances.as_str() {
        "cluster" => cluster_covariances(points, &means, &owners, data.variance, floor),
        _ => vec![[1.0, 0.0, 1.0]; component_count],
    };
    Ok(Mixture::new(&weights, &means, &covariances)
        .unwrap_or_else(|error| panic!("a start must be a mixture: {error}")))
}

/// All at the data's mean, but for a hundredth of their standard deviation: equal components would stay equal.
fn one_spot(points: &[Point], count: usize, rng: &mut Rng) -> Vec<Point> {
    let (center, variances) = moments(points);
    let mut near = |axis: usize| {
        let offset: f64 = rng.sample(rand_distr::StandardNormal);
        center[axis] + 0.01 * variances[axis].sqrt() * offset
    };
    (0..count).map(|_| [near(0), near(1)]).collect()
}

/// Row by row in the middle of equal cells, as square as they can be; the last row, which may be shorter, is centered.
fn grid(bounds: Bounds, count: usize) -> Vec<Point> {
    let [width, height] = bounds.size();
    let columns = (count as f64 * width / height).sqrt().round().clamp(1.0, count as f64) as usize;
    let rows = count.div_ceil(columns);
    (0..count)
        .map(|i| {
            let (row, column) = (i / columns, i % columns);
            let in_row = columns.min(count - row * columns);
            let left = 0.5 + 0.5 * (columns - in_row) as f64;
            [
                bounds.min[0] + width * (left + column as f64) / columns as f64,
                bounds.max[1] - height * (0.5 + row as f64) / rows as f64,
            ]
        })
        .collect()
}

/// Evenly on an ellipse around the data's mean that is as wide as the data: the standard deviation of a circle of radius
/// r is r / √2 in each coordinate.
fn ring(points: &[Point], count: usize) -> Vec<Point> {
    let (center, variances) = moments(points);
    let radii = variances.map(|variance| (2.0 * variance).sqrt());
    (0..count)
        .map(|i| {
            let (sin, cos) = (i as f64 / count as f64 * std::f64::consts::TAU).sin_cos();
            [center[0] + radii[0] * cos, center[1] + radii[1] * sin]
        })
        .collect()
}

fn square_distance(a: Point, b: Point) -> f64 {
    (a[0] - b[0]).powi(2) + (a[1] - b[1]).powi(2)
}

/// k-means++ (Arthur and Vassilvitskii 2007): every further seed is drawn with probability proportional to its
/// squared distance from the nearest seed so far.
fn spread_seeds(points: &[Point], count: usize, rng: &mut Rng) -> Vec<Point> {
    let mut seeds = vec![points[rng.random_range(0..points.len())]];
    let mut distances: Vec<f64> = points.iter().map(|&p| square_distance(p, seeds[0])).collect();
    while seeds.len() < count {
        let total: f64 = distances.iter().sum();
        let mut remaining = rng.random::<f64>() * total;
        let chosen = distances.iter().position(|d| {
            remaining -= d;
            remaining < 0.0
        });
        // All points are seeds already (some are equal): any will do.
        let seed = points[chosen.unwrap_or_else(|| rng.random_range(0..points.len()))];
        for (distance, &point) in distances.iter_mut().zip(points) {
            *distance = distance.min(square_distance(point, seed));
        }
        seeds.push(seed);
    }
    seeds
}

/// All points if they are few, else [`MOST_CLUSTERED`] of them, drawn without repetition.
fn some<'a>(points: &'a [Point], rng: &mut Rng) -> Cow<'a, [Point]> {
    if points.len() <= MOST_CLUSTERED {
        return Cow::Borrowed(points);
    }
    index::sample(rng, points.len(), MOST_CLUSTERED).into_iter().map(|i| points[i]).collect()
}

/// The index of the nearest center for every point; of equally near ones, the first.
fn nearest(points: &[Point], centers: &[Point]) -> Vec<u32> {
    // In the order of x₁, outwards from the point: once a center is too far in x₁ alone, those behind it are as well.
    let mut order: Vec<(Point, u32)> = centers.iter().copied().zip(0..).collect();
    order.sort_by(|a, b| a.0[0].total_cmp(&b.0[0]));
    let nearest_of = |&point: &Point| {
        let mut best = (f64::INFINITY, 0);
        let mut is_too_far = |&(center, k): &(Point, u32)| {
            let distance = square_distance(point, center);
            if distance < best.0 || distance == best.0 && k < best.1 {
                best = (distance, k);
            }
            (point[0] - center[0]).powi(2) > best.0
        };
        let (left, right) = order.split_at(order.partition_point(|c| c.0[0] < point[0]));
        let _ = right.iter().any(&mut is_too_far);
        let _ = left.iter().rev().any(&mut is_too_far);
        best.1
    };
    points.iter().map(nearest_of).collect()
}

/// Lloyd's algorithm: centers move to the mean of their points until nothing changes; at most 300 rounds, as in
/// scikit-learn. A center without points moves to the point that is worst served.
fn lloyd(points: &[Point], mut centers: Vec<Point>) -> Vec<Point> {
    let mut owners = Vec::new();
    for _ in 0..300 {
        let next = nearest(points, &centers);
        if next == owners {
            break;
        }
        owners = next;
        let mut sums = vec![([0.0; 2], 0.0); centers.len()];
        for (&owner, point) in owners.iter().zip(points) {
            let (sum, count) = &mut sums[owner as usize];
            sum[0] += point[0];
            sum[1] += point[1];
            *count += 1.0;
        }
        for k in 0..centers.len() {
            let (sum, count) = sums[k];
            centers[k] = if count > 0.0 {
                [sum[0] / count, sum[1] / count]
            } else {
                worst_served(points, &centers, &owners)
            };
        }
    }
    centers
}

fn worst_served(points: &[Point], centers: &[Point], owners: &[u32]) -> Point {
    let distance = |i: usize| square_distance(points[i], centers[owners[i] as usize]);
    let worst = (0..points.len()).max_by(|&a, &b| distance(a).total_cmp(&distance(b)));
    points[worst.unwrap_or(0)]
}

/// The covariance of the points nearest to each mean; a circle of the overall variance over K where they are too few
/// to have one.
fn cluster_covariances(
    points: &[Point],
    means: &[Point],
    owners: &[u32],
    variance: f64,
    floor: f64,
) -> Vec<Symmetric> {
    let mut sums = vec![([0.0; 3], 0.0); means.len()];
    for (&owner, point) in owners.iter().zip(points) {
        let owner = owner as usize;
        let (d1, d2) = (point[0] - means[owner][0], point[1] - means[owner][1]);
        let (sum, count) = &mut sums[owner];
        sum[0] += d1 * d1;
        sum[1] += d1 * d2;
        sum[2] += d2 * d2;
        *count += 1.0;
    }
    let variance = if variance > 0.0 { variance } else { 1.0 };
    let circle = variance / means.len() as f64 + floor;
    sums.into_iter()
        .map(|(sum, count)| {
            let [s11, s12, s22] = sum.map(|s| s / count);
            let own = [s11 + floor, s12, s22 + floor];
            let is_wide = count >= 3.0 && s11 * s22 - s12 * s12 > 1e-9 * s11 * s22;
            if is_wide { own } else { [circle, 0.0, circle] }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Value;

    fn clusters() -> Dataset {
        let mut points = Vec::new();
        for i in 0..90 {
            let center = [[0.0, 0.0], [10.0, 0.0], [0.0, 10.0]][i % 3];
            let angle = i as f64;
            points.push([center[0] + 0.3 * angle.cos(), center[1] + 0.2 * angle.sin()]);
        }
        Dataset::new(points, 0.0, false, 0).unwrap()
    }

    #[test]
    fn k_means_finds_separated_clusters() {
        let data = clusters();
        for seed in 0..20 {
            let mut settings = Settings::default();
            settings.set("random_state", Value::Integer(seed));
            settings.set("init_covariances", Value::Choice("cluster".into()));
            let mixture = start(&data, 3, 0.0, &settings).unwrap();
            let mut means: Vec<_> =
                mixture.components().iter().map(|c| c.gaussian.mean.map(f64::round)).collect();
            means.sort_by(|a, b| a.partial_cmp(b).unwrap());
            assert_eq!(means, [[0.0, 0.0], [0.0, 10.0], [10.0, 0.0]], "seed {seed}");
            for component in mixture.components() {
                let axes = component.gaussian.cholesky.ellipse(1.0).semi_axes;
                assert!(axes[0] < 0.5 && axes[1] > 0.05, "{axes:?}");
            }
        }
    }

    #[test]
    fn the_nearest_center_is_the_first_of_the_nearest() {
        let mut rng = generator(3, Purpose::Start);
        // Few different places, so that many distances are equal.
        let mut place = || [0; 2].map(|_: i32| f64::from(rng.random_range(-4..=4)) * 0.5);
        for count in [1, 2, 7, 60] {
            let centers: Vec<Point> = (0..count).map(|_| place()).collect();
            let points: Vec<Point> = (0..200).map(|_| place()).collect();
            let expected: Vec<u32> = (points.iter())
                .map(|&point| {
                    let distance = |&k: &u32| square_distance(point, centers[k as usize]);
                    let compare = |a: &u32, b: &u32| distance(a).total_cmp(&distance(b));
                    (0..count).min_by(compare).unwrap()
                })
                .collect();
            assert_eq!(nearest(&points, &centers), expected, "{count} centers");
        }
    }

    #[test]
    fn k_means_looks_at_a_sample_of_many_points() {
        let line = |count: usize| -> Vec<Point> { (0..count).map(|i| [i as f64, 0.0]).collect() };
        let mut rng = generator(0, Purpose::Start);
        let few = line(MOST_CLUSTERED);
        assert_eq!(*some(&few, &mut rng), few);
        // Nothing was drawn: starts on few points stay as they are.
        assert_eq!(rng.random::<u64>(), generator(0, Purpose::Start).random::<u64>());
        let sample = some(&line(10 * MOST_CLUSTERED), &mut rng).into_owned();
        assert_eq!(sample.len(), MOST_CLUSTERED);
        let mean = sample.iter().map(|p| p[0]).sum::<f64>() / sample.len() as f64;
        // Four standard errors of 10 · 20,000 / √12 / √20,000.
        assert!((mean - 5.0 * MOST_CLUSTERED as f64).abs() < 1640.0, "{mean}");
    }

    #[test]
    fn named_starts_are_where_their_names_say() {
        let data = clusters();
        let means = |id: &str, count| -> Vec<Point> {
            let mut settings = Settings::default();
            settings.set("init_params", Value::Choice(id.to_owned()));
            let mixture = start(&data, count, 0.0, &settings).unwrap();
            mixture.components().iter().map(|c| c.gaussian.mean).collect()
        };
        let (center, variances) = moments(&data.train);
        let deviations = |mean: &Point| -> [f64; 2] {
            std::array::from_fn(|axis| (mean[axis] - center[axis]) / variances[axis].sqrt())
        };
        let spot = means("one_spot", 12);
        for (i, mean) in spot.iter().enumerate() {
            assert!(deviations(mean).iter().all(|d| d.abs() < 0.06), "{mean:?}");
            assert!(!spot[..i].contains(mean), "two at {mean:?}");
        }
        let outside = |mean: &&Point| (0..2).all(|axis| mean[axis] > data.bounds.max[axis] + 1.0);
        assert_eq!(means("one_far", 7).iter().filter(outside).count(), 1);
        for count in [1, 5, 12] {
            let ring = means("ring", count);
            for mean in &ring {
                let [a, b] = deviations(mean);
                assert!((a.hypot(b) - 2.0_f64.sqrt()).abs() < 1e-12, "{mean:?}");
            }
            let grid = means("grid", count);
            assert_eq!(grid.len(), count);
            for mean in &grid {
                let is_inside = |axis: usize| {
                    mean[axis] > data.bounds.min[axis] && mean[axis] < data.bounds.max[axis]
                };
                assert!(is_inside(0) && is_inside(1), "{mean:?}");
            }
        }
        // Nine on a square: three rows of three.
        let grid = means("grid", 9);
        assert_eq!(grid[0][1], grid[2][1]);
        assert!((grid[0][0] - grid[3][0]).abs() < 1e-12 && grid[3][1] < grid[0][1]);
    }

    #[test]
    fn a_start_on_many_points_is_that_on_a_sample_with_the_weights_of_all() {
        let mut rng = generator(5, Purpose::Data);
        let mut near = |[x, y]: Point| [x + rng.random::<f64>(), y + rng.random::<f64>()];
        let corners = [[0.0, 0.0], [10.0, 0.0], [0.0, 10.0]];
        // Six, three and one of ten points.
        let corner = |i: usize| corners[usize::from(i % 10 > 5) + usize::from(i % 10 > 8)];
        let points = (0..60_000).map(|i| near(corner(i))).collect();
        let data = Dataset::new(points, 0.0, false, 0).unwrap();
        for init in ["kmeans", "k-means++"] {
            let mut settings = Settings::default();
            settings.set("init_params", Value::Choice(init.into()));
            settings.set("init_weights", Value::Choice("cluster".into()));
            settings.set("random_state", Value::Integer(7));
            let mixture = start(&data, 3, 0.0, &settings).unwrap();
            let mut rng = generator(7, Purpose::Start);
            let sample = some(&data.train, &mut rng);
            assert_eq!(sample.len(), MOST_CLUSTERED);
            let seeds = spread_seeds(&sample, 3, &mut rng);
            let means = if init == "kmeans" { lloyd(&sample, seeds) } else { seeds };
            let started: Vec<Point> =
                mixture.components().iter().map(|c| c.gaussian.mean).collect();
            assert_eq!(started, means, "{init}");
            let mut weights = mixture.weights();
            weights.sort_by(f64::total_cmp);
            for (weight, expected) in weights.iter().zip([0.1, 0.3, 0.6]) {
                // A sample would have other shares.
                assert!((weight - expected).abs() < 1e-12, "{init}: {weights:?}");
            }
        }
    }

    #[test]
    fn every_start_is_a_mixture_even_of_equal_points() {
        let equal = Dataset::new(vec![[1.0, 2.0]; 9], 0.0, false, 0).unwrap();
        for data in [&equal, &clusters()] {
            for setting in SETTINGS {
                let Kind::Choice { options, .. } = &setting.kind else { continue };
                for (id, _) in *options {
                    let mut settings = Settings::default();
                    settings.set(setting.key, Value::Choice((*id).to_owned()));
                    let mixture = start(data, 9, 1e-4, &settings).unwrap();
                    assert!(mixture.is_finite(), "{} = {id}", setting.key);
                    assert_eq!(mixture.components().len(), 9);
                }
            }
        }
        let error = start(&equal, 10, 0.0, &Settings::default()).unwrap_err().to_string();
        assert!(error.starts_with("10 components need at least 10 training points"), "{error}");
    }
}
