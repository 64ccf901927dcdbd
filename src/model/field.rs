//! Log density, score and Hessian on a grid, fast.

#![expect(clippy::inline_always, reason = "only inlined code is compiled for wider registers")]

use pulp::Simd;

use super::{Bounds, Cholesky, Gaussian, Mixture, Point, Symmetric};
use crate::lanes::{GROUP, Lanes, MAX_GROUP_LANES, WithSimd, groups, groups_mut, widest};

/// Log density and its derivatives at the centers of `width` × `height` cells. Values come row after row, the topmost
/// (largest x₂) first. Length of each: `width` × `height`.
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    /// The rectangle that the cells fill.
    pub bounds: Bounds,
    /// Cells in a row.
    pub width: usize,
    /// Number of rows.
    pub height: usize,
    /// log p(x), in nats.
    pub log_density: Vec<f64>,
    /// The score ∇ₓ log p(x).
    pub score: Vec<Point>,
    /// The Hessian of log p at x.
    pub hessian: Vec<Symmetric>,
}

/// Log density and its derivatives at points, in their order. Length of each: the number of points.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Values {
    /// log p(x), in nats.
    pub log_density: Vec<f64>,
    /// The score ∇ₓ log p(x).
    pub score: Vec<Point>,
    /// The Hessian of log p at x.
    pub hessian: Vec<Symmetric>,
}

impl Values {
    /// From what is known at single points: log density, score and Hessian.
    #[must_use]
    pub fn of(points: &[Point], at: impl Fn(Point) -> (f64, Point, Symmetric)) -> Values {
        let mut values = Values::with_capacity(points.len());
        for &point in points {
            let (log_density, score, hessian) = at(point);
            values.log_density.push(log_density);
            values.score.push(score);
            values.hessian.push(hessian);
        }
        values
    }

    fn with_capacity(count: usize) -> Values {
        Values {
            log_density: Vec::with_capacity(count),
            score: Vec::with_capacity(count),
            hessian: Vec::with_capacity(count),
        }
    }
}

impl Field {
    fn empty(bounds: Bounds, width: usize, height: usize) -> Field {
        Field::from_values(bounds, width, height, Values::default())
    }

    fn from_values(bounds: Bounds, width: usize, height: usize, values: Values) -> Field {
        let Values { log_density, score, hessian } = values;
        Field { bounds, width, height, log_density, score, hessian }
    }

    /// The centers of the cells of a field, row after row from the top.
    #[must_use]
    pub fn places(bounds: Bounds, width: usize, height: usize) -> Vec<Point> {
        let cells = Field::empty(bounds, width, height);
        (0..width * height).map(|i| cells.place(i)).collect()
    }

    /// The center of a cell, counted row after row.
    #[must_use]
    pub fn place(&self, index: usize) -> Point {
        let [width, height] = self.bounds.size();
        let (column, row) = (index % self.width, index / self.width);
        [
            self.bounds.min[0] + (column as f64 + 0.5) * width / self.width as f64,
            self.bounds.max[1] - (row as f64 + 0.5) * height / self.height as f64,
        ]
    }
}

/// A field from what is known at single points: log density, score and Hessian.
#[must_use]
pub fn field(
    bounds: Bounds,
    width: usize,
    height: usize,
    at: impl Fn(Point) -> (f64, Point, Symmetric),
) -> Field {
    let places = Field::places(bounds, width, height);
    Field::from_values(bounds, width, height, Values::of(&places, at))
}

/// The field of a mixture; the same formulas as for single points, for neighbours side by side.
pub(super) fn mixture_field(
    mixture: &Mixture,
    bounds: Bounds,
    width: usize,
    height: usize,
) -> Field {
    let cells = Field::empty(bounds, width, height);
    let place = |i| cells.place(i);
    let values = widest(Cells { forms: forms(mixture), count: width * height, place });
    Field::from_values(bounds, width, height, values)
}

/// The values of a mixture at points, side by side.
pub(super) fn mixture_values(mixture: &Mixture, points: &[Point]) -> Values {
    widest(Cells { forms: forms(mixture), count: points.len(), place: |i: usize| points[i] })
}

/// Log density and score of a mixture at points, side by side.
pub(super) fn mixture_scores(mixture: &Mixture, points: &[Point]) -> Vec<(f64, Point)> {
    widest(Scores { forms: forms(mixture), points })
}

/// A component: log πN(x) = `log_peak` − ½‖L⁻¹(x − µ)‖².
struct Form {
    mean: Point,
    cholesky: Cholesky,
    log_peak: f64,
}

fn forms(mixture: &Mixture) -> Vec<Form> {
    let forms = mixture.components().iter().map(|component| {
        let Gaussian { mean, cholesky } = component.gaussian;
        Form { mean, cholesky, log_peak: component.log_joint(mean) }
    });
    forms.collect()
}

/// Places of which log density, score and Hessian are computed.
struct Cells<F> {
    forms: Vec<Form>,
    count: usize,
    place: F,
}

/// Places that are computed side by side.
const SIDE: usize = MAX_GROUP_LANES;

impl<F: Fn(usize) -> Point> WithSimd for Cells<F> {
    type Output = Values;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Values {
        let Cells { forms, count, place } = self;
        let mut values = Values::with_capacity(count);
        // Of every component its share and its score at the places.
        let mut pairs = vec![[0.0; SIDE]; 3 * forms.len()];
        for start in (0..count).step_by(SIDE) {
            let places: [Point; SIDE] = std::array::from_fn(|l| place((start + l).min(count - 1)));
            let pairs = pairs.as_flattened_mut();
            let [max, sum, s1, s2, h11, h12, h22] =
                side_by_side::<S, true>(simd, &forms, &places, pairs);
            for l in 0..SIDE.min(count - start) {
                values.log_density.push(max[l] + sum[l].ln());
                values.score.push([s1[l], s2[l]]);
                values.hessian.push([h11[l], h12[l], h22[l]]);
            }
        }
        values
    }
}

/// Points at which log density and score are computed.
struct Scores<'a> {
    forms: Vec<Form>,
    points: &'a [Point],
}

impl WithSimd for Scores<'_> {
    type Output = Vec<(f64, Point)>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Vec<(f64, Point)> {
        let Scores { forms, points } = self;
        let mut scores = Vec::with_capacity(points.len());
        let mut pairs = vec![[0.0; SIDE]; 3 * forms.len()];
        for points in points.chunks(SIDE) {
            let places: [Point; SIDE] = std::array::from_fn(|l| points[l.min(points.len() - 1)]);
            let pairs = pairs.as_flattened_mut();
            let [max, sum, s1, s2, ..] = side_by_side::<S, false>(simd, &forms, &places, pairs);
            let score = |l: usize| (max[l] + sum[l].ln(), [s1[l], s2[l]]);
            scores.extend((0..points.len()).map(score));
        }
        scores
    }
}

/// Largest log joint density, Σ exp(joint − largest), score and (if asked for) Hessian at neighbouring places.
#[inline(always)]
fn side_by_side<S: Simd, const HESSIAN: bool>(
    simd: S,
    forms: &[Form],
    places: &[Point; SIDE],
    pairs: &mut [f64],
) -> [[f64; SIDE]; 7] {
    let (mut x, mut y) = ([0.0; SIDE], [0.0; SIDE]);
    for l in 0..SIDE {
        [x[l], y[l]] = places[l];
    }
    let mut cells = [[0.0; SIDE]; 7];
    for group in 0..groups::<S>(&x).len() {
        neighbours::<S, HESSIAN>(simd, forms, &x, &y, group, pairs, &mut cells);
    }
    cells
}

/// Largest log joint density, Σ exp(joint − largest), score and Hessian at one group of neighbouring cells.
#[inline(always)]
fn neighbours<S: Simd, const HESSIAN: bool>(
    simd: S,
    forms: &[Form],
    x: &[f64; SIDE],
    y: &[f64; SIDE],
    group: usize,
    pairs: &mut [f64],
    cells: &mut [[f64; SIDE]; 7],
) {
    let splat = |number| Lanes::splat(simd, number);
    let load = |registers: &[S::f64s; GROUP], v: usize| Lanes::of(simd, registers[v]);
    let (x, y) = (&groups::<S>(x)[group], &groups::<S>(y)[group]);
    let pairs = pulp::as_arrays_mut::<3, _>(groups_mut::<S>(pairs)).0;
    let mut max = [splat(f64::NEG_INFINITY); GROUP];
    for (form, [a, g1, g2]) in forms.iter().zip(&mut *pairs) {
        let (mean_x, mean_y) = (splat(form.mean[0]), splat(form.mean[1]));
        let Cholesky { l11, l21, l22 } = form.cholesky;
        let (inverse_11, l21, inverse_22) = (splat(1.0 / l11), splat(l21), splat(1.0 / l22));
        for v in 0..GROUP {
            // y = L⁻¹d, g = −L⁻ᵀy
            let y1 = (load(x, v) - mean_x) * inverse_11;
            let y2 = l21.mul_sub_from(y1, load(y, v) - mean_y) * inverse_22;
            let second = -(y2 * inverse_22);
            let first = -(l21.mul_add(second, y1) * inverse_11);
            let square = y1.mul_add(y1, y2 * y2);
            let joint = square.mul_add(splat(-0.5), splat(form.log_peak));
            max[v] = max[v].max(joint);
            a[v] = joint.register;
            g1[v] = first.register;
            g2[v] = second.register;
        }
    }
    let zero = [splat(0.0); GROUP];
    let (mut sum, mut s1, mut s2) = (zero, zero, zero);
    for [a, g1, g2] in &mut *pairs {
        for v in 0..GROUP {
            let r = (load(a, v) - max[v]).exp_nonpositive();
            a[v] = r.register;
            sum[v] += r;
            s1[v] = r.mul_add(load(g1, v), s1[v]);
            s2[v] = r.mul_add(load(g2, v), s2[v]);
        }
    }
    let mut share = zero;
    for v in 0..GROUP {
        share[v] = sum[v].recip();
        s1[v] = s1[v] * share[v];
        s2[v] = s2[v] * share[v];
    }
    let (mut h11, mut h12, mut h22) = (zero, zero, zero);
    let with_hessian = if HESSIAN { forms } else { &[] };
    for (form, [r, g1, g2]) in with_hessian.iter().zip(pairs) {
        let [p11, p12, p22] = form.cholesky.precision();
        for v in 0..GROUP {
            // Centered on the mixture's score: Σ rₖ(gₖ−s)(gₖ−s)ᵀ does not cancel far from the means.
            let (a, b) = (load(g1, v) - s1[v], load(g2, v) - s2[v]);
            let r = load(r, v);
            h11[v] = r.mul_add(a.mul_add(a, splat(-p11)), h11[v]);
            h12[v] = r.mul_add(a.mul_add(b, splat(-p12)), h12[v]);
            h22[v] = r.mul_add(b.mul_add(b, splat(-p22)), h22[v]);
        }
    }
    for v in 0..GROUP {
        let found = [max[v], sum[v], s1[v], s2[v], h11[v], h12[v], h22[v]];
        for i in 0..7 {
            let is_mean = i >= 4;
            let number = if is_mean { found[i] * share[v] } else { found[i] };
            groups_mut::<S>(&mut cells[i])[group][v] = number.register;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Density;
    use super::*;

    fn mixture() -> Mixture {
        Mixture::new(
            &[0.5, 0.3, 0.2, 0.0],
            &[[0.0, 0.0], [1.5, -1.0], [-1.0, 1.2], [0.3, 0.3]],
            // The second is thin.
            &[[0.3, 0.1, 0.2], [1.0, 1.0 - 1e-6, 1.0], [0.5, -0.3, 0.4], [0.1, 0.0, 0.1]],
        )
        .unwrap()
    }

    const BOUNDS: Bounds = Bounds { min: [-3.0, -2.5], max: [3.5, 3.0] };

    #[test]
    fn neighbours_agree_with_single_points() {
        let mixture = mixture();
        let far = Bounds { min: [-300.0, -200.0], max: [300.0, 200.0] };
        for (bounds, width, height) in [(BOUNDS, 64, 64), (BOUNDS, 13, 5), (far, 9, 9), (far, 1, 1)]
        {
            let fast = mixture.field(bounds, width, height);
            let at = |x| (mixture.log_density(x), mixture.score(x), mixture.hessian(x));
            let plain = field(bounds, width, height, at);
            let check = |got: &[f64], want: &[f64], i: usize| {
                let size = want.iter().fold(1.0, |size: f64, v| size.max(v.abs()));
                for (got, want) in got.iter().zip(want) {
                    assert!((got - want).abs() <= 1e-9 * size, "{bounds:?} {i}: {got} {want}");
                }
            };
            assert_eq!(fast.hessian.len(), width * height);
            for i in 0..width * height {
                check(&[fast.log_density[i]], &[plain.log_density[i]], i);
                check(&fast.score[i], &plain.score[i], i);
                check(&fast.hessian[i], &plain.hessian[i], i);
            }
        }
    }

    #[test]
    fn scores_and_hessians_are_derivatives() {
        let mixture = mixture();
        let field = mixture.field(BOUNDS, 24, 24);
        let h = 1e-5;
        for i in 0..field.score.len() {
            let [x, y] = field.place(i);
            let [right, left] = [[x + h, y], [x - h, y]];
            let [up, down] = [[x, y + h], [x, y - h]];
            let slope = |a: f64, b: f64| (a - b) / (2.0 * h);
            let score = [
                slope(mixture.log_density(right), mixture.log_density(left)),
                slope(mixture.log_density(up), mixture.log_density(down)),
            ];
            let by_x = [mixture.score(right), mixture.score(left)];
            let by_y = [mixture.score(up), mixture.score(down)];
            let hessian = [
                slope(by_x[0][0], by_x[1][0]),
                slope(by_y[0][0], by_y[1][0]),
                slope(by_y[0][1], by_y[1][1]),
            ];
            let check = |got: &[f64], want: &[f64], tolerance: f64| {
                let size = want.iter().fold(1.0, |size: f64, v| size.max(v.abs()));
                for (got, want) in got.iter().zip(want) {
                    assert!((got - want).abs() <= tolerance * size, "{x} {y}: {got} {want}");
                }
            };
            check(&field.score[i], &score, 1e-5);
            check(&field.hessian[i], &hessian, 1e-5);
        }
    }
}
