//! Log density, score and Hessian on a grid, fast.

#![expect(clippy::inline_always, reason = "only inlined code is compiled for wider registers")]

use super::{Bounds, Gaussian, Mixture, Point, Symmetric};
use crate::lanes::{LANES, Lanes, exp_nonpositive};

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

impl Field {
    fn empty(bounds: Bounds, width: usize, height: usize) -> Field {
        let count = width * height;
        Field {
            bounds,
            width,
            height,
            log_density: Vec::with_capacity(count),
            score: Vec::with_capacity(count),
            hessian: Vec::with_capacity(count),
        }
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
    let mut field = Field::empty(bounds, width, height);
    for index in 0..width * height {
        let (log_density, score, hessian) = at(field.place(index));
        field.log_density.push(log_density);
        field.score.push(score);
        field.hessian.push(hessian);
    }
    field
}

/// The field of a mixture; the same formulas as for single points, for neighbours side by side.
pub(super) fn mixture_field(
    mixture: &Mixture,
    bounds: Bounds,
    width: usize,
    height: usize,
) -> Field {
    let forms = mixture.components().iter().map(|component| {
        let Gaussian { mean, cholesky } = component.gaussian;
        Form { mean, precision: cholesky.precision(), log_peak: component.log_joint(mean) }
    });
    let forms: Vec<Form> = forms.collect();
    pulp::Arch::new().dispatch(Cells { forms, field: Field::empty(bounds, width, height) })
}

/// A component: log πN(x) = `log_peak` − ½ (x − µ)ᵀ Σ⁻¹ (x − µ).
struct Form {
    mean: Point,
    precision: Symmetric,
    log_peak: f64,
}

/// All cells of a field, in the form in which `pulp` compiles it for every instruction set.
struct Cells {
    forms: Vec<Form>,
    field: Field,
}

/// What a component is at neighbouring cells.
#[derive(Clone, Copy)]
struct Share {
    /// log πN, then its responsibility.
    r: Lanes,
    /// Its score g = −Σ⁻¹(x − µ).
    g1: Lanes,
    g2: Lanes,
}

impl pulp::NullaryFnOnce for Cells {
    type Output = Field;

    #[inline(always)]
    fn call(self) -> Field {
        let Cells { forms, mut field } = self;
        let count = field.width * field.height;
        let nothing = Share { r: [0.0; LANES], g1: [0.0; LANES], g2: [0.0; LANES] };
        let mut shares = vec![nothing; forms.len()];
        for start in (0..count).step_by(LANES) {
            let places: [Point; LANES] =
                std::array::from_fn(|l| field.place((start + l).min(count - 1)));
            let (x, y) = (places.map(|place| place[0]), places.map(|place| place[1]));
            let (log_density, score, hessian) = neighbours(&forms, &x, &y, &mut shares);
            let live = LANES.min(count - start);
            field.log_density.extend_from_slice(&log_density[..live]);
            field.score.extend((0..live).map(|l| score.map(|s| s[l])));
            field.hessian.extend((0..live).map(|l| hessian.map(|h| h[l])));
        }
        field
    }
}

/// Log density, score and Hessian at neighbouring cells.
#[inline(always)]
fn neighbours(
    forms: &[Form],
    x: &Lanes,
    y: &Lanes,
    shares: &mut [Share],
) -> (Lanes, [Lanes; 2], [Lanes; 3]) {
    let mut max = [f64::NEG_INFINITY; LANES];
    for (form, share) in forms.iter().zip(&mut *shares) {
        let [p11, p12, p22] = form.precision;
        for l in 0..LANES {
            let (d1, d2) = (x[l] - form.mean[0], y[l] - form.mean[1]);
            let (g1, g2) = (-(p11 * d1 + p12 * d2), -(p12 * d1 + p22 * d2));
            let a = form.log_peak + 0.5 * (d1 * g1 + d2 * g2);
            (share.r[l], share.g1[l], share.g2[l]) = (a, g1, g2);
            max[l] = if a > max[l] { a } else { max[l] };
        }
    }
    let mut sum = [0.0; LANES];
    let mut score = [[0.0; LANES]; 2];
    for share in &mut *shares {
        for l in 0..LANES {
            let r = exp_nonpositive(share.r[l] - max[l]);
            share.r[l] = r;
            sum[l] += r;
            score[0][l] += r * share.g1[l];
            score[1][l] += r * share.g2[l];
        }
    }
    let mut log_density = [0.0; LANES];
    for l in 0..LANES {
        log_density[l] = max[l] + sum[l].ln();
        score[0][l] /= sum[l];
        score[1][l] /= sum[l];
    }
    let mut hessian = [[0.0; LANES]; 3];
    for (form, share) in forms.iter().zip(shares) {
        let [p11, p12, p22] = form.precision;
        for l in 0..LANES {
            // Centered on the mixture's score: Σ rₖ(gₖ−s)(gₖ−s)ᵀ does not cancel far from the means.
            let (a, b) = (share.g1[l] - score[0][l], share.g2[l] - score[1][l]);
            hessian[0][l] += share.r[l] * (a * a - p11);
            hessian[1][l] += share.r[l] * (a * b - p12);
            hessian[2][l] += share.r[l] * (b * b - p22);
        }
    }
    for entry in &mut hessian {
        for l in 0..LANES {
            entry[l] /= sum[l];
        }
    }
    (log_density, score, hessian)
}

#[cfg(test)]
mod tests {
    use super::super::Density;
    use super::*;

    fn mixture() -> Mixture {
        Mixture::new(
            &[0.5, 0.3, 0.2, 0.0],
            &[[0.0, 0.0], [1.5, -1.0], [-1.0, 1.2], [0.3, 0.3]],
            &[[0.3, 0.1, 0.2], [0.01, 0.0099, 0.01], [0.5, -0.3, 0.4], [0.1, 0.0, 0.1]],
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
