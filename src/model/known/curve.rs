//! Density: points on a curve plus Gaussian noise, by quadrature along the curve.

use std::f64::consts::TAU;
use std::sync::Arc;

use crate::model::{Bounds, Density, Field, Mixture, Point, Raster, Symmetric, Values};
use crate::random::Rng;

/// A place on a curve, and the share of the points that it stands for.
pub type Node = (Point, f64);

/// Least noise, in the units of the data, of which densities along curves are computed: they have as many nodes as the
/// curve is long in standard deviations of the noise.
pub const LEAST_NOISE: f64 = 0.02;

/// ∫ N(x | c(t), σ²I) dt: a point on a curve plus isotropic Gaussian noise.
///
/// The quadrature along the curve is a mixture of as many equal Gaussians as it has nodes, and computed as one. Its
/// components mean nothing: [`Density::modes`] does not tell of them.
#[derive(Debug, Clone, PartialEq)]
pub struct Curve {
    mixture: Mixture,
}

impl Curve {
    /// From nodes whose shares sum to one; `None` if the noise is less than [`LEAST_NOISE`].
    #[must_use]
    pub fn new(nodes: &[Node], noise: f64) -> Option<Curve> {
        if noise < LEAST_NOISE {
            return None;
        }
        let (places, shares): (Vec<Point>, Vec<f64>) = nodes.iter().copied().unzip();
        let variance = noise * noise;
        let mixture = Mixture::new(&shares, &places, &vec![[variance, 0.0, variance]; nodes.len()]);
        mixture.ok().map(|mixture| Curve { mixture })
    }
}

impl Density for Curve {
    fn log_density(&self, x: Point) -> f64 {
        self.mixture.log_density(x)
    }

    fn score(&self, x: Point) -> Point {
        self.mixture.score(x)
    }

    fn hessian(&self, x: Point) -> Symmetric {
        self.mixture.hessian(x)
    }

    fn sample(&self, count: usize, rng: &mut Rng) -> Vec<Point> {
        self.mixture.sample(count, rng)
    }

    fn raster(&self, bounds: Bounds, width: usize, height: usize) -> Raster {
        self.mixture.raster(bounds, width, height)
    }

    fn field(&self, bounds: Bounds, width: usize, height: usize) -> Field {
        self.mixture.field(bounds, width, height)
    }

    fn values(&self, points: &[Point]) -> Values {
        self.mixture.values(points)
    }

    fn scores(&self, points: &[Point]) -> Vec<(f64, Point)> {
        self.mixture.scores(points)
    }

    fn cells(&self) -> Vec<Bounds> {
        self.mixture.cells()
    }

    fn blurred(&self, deviations: [f64; 2]) -> Option<Arc<dyn Density>> {
        Some(Arc::new(Curve { mixture: self.mixture.convolved(deviations) }))
    }
}

/// Nodes along the curve c(t), 0 ≤ t ≤ 1, on which points lie with density `share(t)` in t.
///
/// Panels no longer than 3.5 standard deviations of the noise, each with ten nodes of Gauss and Legendre: what is left
/// out is 10⁻⁷ of the density, or less.
pub fn along(place: impl Fn(f64) -> Point, share: impl Fn(f64) -> f64, noise: f64) -> Vec<Node> {
    let mut nodes = Vec::new();
    for [start, end] in panels(&place, 3.5 * noise.max(LEAST_NOISE)) {
        let (middle, half) = (f64::midpoint(start, end), 0.5 * (end - start));
        for (x, w) in GAUSS_LEGENDRE {
            for t in [middle - half * x, middle + half * x] {
                nodes.push((place(t), half * w * share(t)));
            }
        }
    }
    nodes
}

/// Cuts 0..1 into parts, all about equally long on the curve and none longer than `longest`; at least four, because
/// where there is much noise it is the bends that count.
fn panels(place: &impl Fn(f64) -> Point, longest: f64) -> Vec<[f64; 2]> {
    const FINE: usize = 20_000;
    let at = |i: usize| place(i as f64 / FINE as f64);
    let mut lengths = vec![0.0; FINE + 1];
    for i in 0..FINE {
        let (a, b) = (at(i), at(i + 1));
        lengths[i + 1] = lengths[i] + (b[0] - a[0]).hypot(b[1] - a[1]);
    }
    let count = (lengths[FINE] / longest).ceil().max(4.0) as usize;
    let cut = |k: usize| {
        let length = lengths[FINE] * k as f64 / count as f64;
        lengths.partition_point(|&l| l < length).min(FINE) as f64 / FINE as f64
    };
    (0..count).map(|k| [cut(k), if k + 1 == count { 1.0 } else { cut(k + 1) }]).collect()
}

/// Nodes around a circle that stand for all points together.
///
/// Equal steps, on a closed curve the best of all rules: with h = 0.8 σ its error is 2 exp(−2π²σ²/h²) = 8·10⁻¹⁴
/// (Trefethen and Weideman 2014).
#[must_use]
pub fn around(center: Point, radius: f64, noise: f64) -> Vec<Node> {
    let count = (TAU * radius / (0.8 * noise.max(LEAST_NOISE))).ceil().max(24.0) as usize;
    let node = |i: usize| {
        let (sin, cos) = (i as f64 / count as f64 * TAU).sin_cos();
        ([center[0] + radius * cos, center[1] + radius * sin], 1.0 / count as f64)
    };
    (0..count).map(node).collect()
}

/// Positive nodes and weights of the rule of Gauss and Legendre with ten nodes (DLMF 3.5.v).
const GAUSS_LEGENDRE: [(f64, f64); 5] = [
    (0.148_874_338_981_631_22, 0.295_524_224_714_752_87),
    (0.433_395_394_129_247_2, 0.269_266_719_309_996_4),
    (0.679_409_568_299_024_4, 0.219_086_362_515_982_04),
    (0.865_063_366_688_984_5, 0.149_451_349_150_580_6),
    (0.973_906_528_517_171_7, 0.066_671_344_308_688_14),
];

#[cfg(test)]
mod tests {
    use super::*;

    /// Against plain sums over many more nodes.
    #[test]
    fn few_nodes_are_as_good_as_many() {
        let check = |what: &str, curve: &Curve, fine: &dyn Fn(f64) -> Point, noise: f64| {
            let count = 400_000;
            for x in [[0.3, 0.8], [-1.0, 0.0], [0.95, 0.05], [1.3, -0.4], [0.0, 1.5]] {
                let mut sum = 0.0;
                for i in 0..count {
                    let c = fine((f64::from(i) + 0.5) / f64::from(count));
                    let square = (x[0] - c[0]).powi(2) + (x[1] - c[1]).powi(2);
                    sum += (-0.5 * square / (noise * noise)).exp();
                }
                let expected = (sum / f64::from(count) / (TAU * noise * noise)).ln();
                let got = curve.log_density(x);
                let is_far = expected < -100.0;
                let allowed = if is_far { 1e-3 } else { 1e-7 };
                assert!((got - expected).abs() < allowed, "{what} {noise} {x:?}: {got} {expected}");
            }
        };
        let circle = |t: f64| [(TAU * t).cos(), (TAU * t).sin()];
        let arc = |t: f64| [(3.0 * t * t).cos(), (3.0 * t * t).sin()];
        for noise in [0.1, 0.3, 1.0] {
            check(
                "circle",
                &Curve::new(&around([0.0; 2], 1.0, noise), noise).unwrap(),
                &circle,
                noise,
            );
            check("arc", &Curve::new(&along(arc, |_| 1.0, noise), noise).unwrap(), &arc, noise);
        }
        assert_eq!(Curve::new(&around([0.0; 2], 1.0, 0.01), 0.01), None);
    }

    #[test]
    fn shares_sum_to_one() {
        let spiral = |t: f64| [t * (9.0 * t).cos(), t * (9.0 * t).sin()];
        let sum: f64 = along(spiral, |t| 2.0 * t, 0.1).iter().map(|node| node.1).sum();
        assert!((sum - 1.0).abs() < 1e-12, "{sum}");
    }
}
