//! A density on a grid, fast.

#![expect(clippy::inline_always, reason = "only inlined code is compiled for wider registers")]

use pulp::Simd;

use super::{Bounds, Component, Gaussian, Mixture, Point};
use crate::lanes::{MAX_GROUP_LANES, WithSimd, exp_all, widest};

/// Values of a field at the centers of `width` × `height` cells.
#[derive(Debug, Clone, PartialEq)]
pub struct Raster {
    /// The rectangle that the cells fill.
    pub bounds: Bounds,
    /// Cells in a row.
    pub width: usize,
    /// Number of rows.
    pub height: usize,
    /// Row after row, the topmost (largest x₂) first. Length `width` × `height`.
    pub values: Vec<f64>,
}

impl Raster {
    /// The largest finite value; 0 if there is none above it.
    #[must_use]
    pub fn max(&self) -> f64 {
        let larger = |max: f64, v: f64| if v > max && v < f64::INFINITY { v } else { max };
        // Side by side, or each comparison would wait for the one before.
        let (chunks, rest) = self.values.as_chunks::<STRIDE>();
        let mut max = [0.0; STRIDE];
        for chunk in chunks {
            for (max, &v) in max.iter_mut().zip(chunk) {
                *max = larger(*max, v);
            }
        }
        max.iter().chain(rest).copied().fold(0.0, larger)
    }

    /// Sum of values times the area of a cell: the integral over the rectangle by the midpoint rule.
    #[must_use]
    pub fn integral(&self) -> f64 {
        let [width, height] = self.bounds.size();
        let cell = width * height / (self.width * self.height) as f64;
        self.values.iter().sum::<f64>() * cell
    }
}

/// Evaluates any field at the center of every cell.
#[must_use]
pub fn raster(bounds: Bounds, width: usize, height: usize, field: impl Fn(Point) -> f64) -> Raster {
    let [step_x, step_y] = steps(bounds, width, height);
    let mut values = Vec::with_capacity(width * height);
    for row in 0..height {
        let y = bounds.max[1] - (row as f64 + 0.5) * step_y;
        for column in 0..width {
            values.push(field([bounds.min[0] + (column as f64 + 0.5) * step_x, y]));
        }
    }
    Raster { bounds, width, height, values }
}

fn steps(bounds: Bounds, width: usize, height: usize) -> [f64; 2] {
    let size = bounds.size();
    [size[0] / width as f64, size[1] / height as f64]
}

/// Exponent at which a component is left out, ten standard deviations from its mean: there it has fallen to 2·10⁻²² of
/// its peak.
const NEGLIGIBLE: f64 = -50.0;

/// Columns that are computed side by side: more than a register holds, so that products need not wait for each other.
const STRIDE: usize = MAX_GROUP_LANES;

/// The density of a mixture on a grid.
///
/// Along a row a Gaussian is exp(quadratic in the column), so values `STRIDE` columns apart follow from each other by
/// two multiplications: vᵢ₊ₛ = vᵢ rᵢ, rᵢ₊ₛ = rᵢ q. A rounding error of r grows with the square of the steps, of which
/// even 4096 columns take but 256. Columns where a component is negligible are skipped.
pub(super) fn mixture_raster(
    mixture: &Mixture,
    bounds: Bounds,
    width: usize,
    height: usize,
) -> Raster {
    let [step, _] = steps(bounds, width, height);
    let ridges = mixture.components().iter().filter_map(|component| Ridge::new(component, step));
    let ridges = ridges.collect();
    let values = widest(Rows { ridges, bounds, width, height });
    Raster { bounds, width, height, values }
}

/// A component as rows cut it: exp(`across` (y − µ₂)² + `along` (x − peak)²) with the peak at µ₁ + `slope` (y − µ₂).
struct Ridge {
    mean: Point,
    amplitude: f64,
    slope: f64,
    /// −½ / Σ₂₂.
    across: f64,
    /// −½ (Σ⁻¹)₁₁.
    along: f64,
    /// How far from the peak it is negligible, for every unit of √(exponent left).
    reach: f64,
    /// q.
    quotient: f64,
}

impl Ridge {
    /// For columns `step` apart; `None` if it is nowhere to be seen.
    fn new(component: &Component, step: f64) -> Option<Ridge> {
        let Gaussian { mean, cholesky } = component.gaussian;
        let amplitude = component.log_joint(mean).exp();
        let [p11, _, _] = cholesky.precision();
        let [_, s12, s22] = cholesky.covariance();
        let stride = STRIDE as f64 * step;
        (amplitude > 0.0).then(|| Ridge {
            mean,
            amplitude,
            slope: s12 / s22,
            across: -0.5 / s22,
            along: -0.5 * p11,
            reach: (2.0 / p11).sqrt(),
            quotient: (-p11 * stride * stride).exp(),
        })
    }
}

/// All rows of a raster.
struct Rows {
    ridges: Vec<Ridge>,
    bounds: Bounds,
    width: usize,
    height: usize,
}

impl WithSimd for Rows {
    type Output = Vec<f64>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Vec<f64> {
        let Rows { ridges, bounds, width, height } = self;
        let [step_x, step_y] = steps(bounds, width, height);
        let mut values = Vec::with_capacity(width * height);
        // The last stride may begin in the last column.
        let mut cells = vec![0.0; width + STRIDE];
        let mut slopes = vec![Slope::default(); ridges.len()];
        for row in 0..height {
            let y = bounds.max[1] - (row as f64 + 0.5) * step_y;
            // First all beginnings, then all the rest: neither waits for the other's long chains of products.
            for (slope, ridge) in slopes.iter_mut().zip(&ridges) {
                slope.begin(simd, ridge, y, [bounds.min[0], step_x, 1.0 / step_x], width);
            }
            cells.fill(0.0);
            for slope in &slopes {
                slope.add_to(&mut cells);
            }
            values.extend_from_slice(&cells[..width]);
        }
        values
    }
}

/// A component along one row, before its first stride.
#[derive(Clone, Copy, Default)]
struct Slope {
    /// The first column where it is not negligible.
    start: usize,
    /// How many strides until it is negligible again.
    stride_count: usize,
    /// vᵢ and rᵢ of the first stride.
    value: [f64; STRIDE],
    ratio: [f64; STRIDE],
    /// q.
    quotient: f64,
}

impl Slope {
    /// A component in the row at `y`, whose columns begin at `left`.
    #[inline(always)]
    fn begin<S: Simd>(
        &mut self,
        simd: S,
        ridge: &Ridge,
        y: f64,
        [left, step, per_step]: [f64; 3],
        width: usize,
    ) {
        self.stride_count = 0;
        let dy = y - ridge.mean[1];
        let exponent = ridge.across * dy * dy;
        if exponent <= NEGLIGIBLE {
            return;
        }
        let peak = ridge.mean[0] + ridge.slope * dy;
        let reach = ridge.reach * (exponent - NEGLIGIBLE).sqrt();
        // The first column whose center is not left of x.
        let column = |x: f64| ((x - left) * per_step + 0.5).max(0.0) as usize;
        let (start, end) = (column(peak - reach), column(peak + reach).min(width));
        if start >= end {
            return;
        }
        self.start = start;
        self.stride_count = (end - start).div_ceil(STRIDE);
        let from_peak = left + (start as f64 + 0.5) * step - peak;
        // log v(x + h) − log v(x) = −½ p₁₁ h (h + 2 (x − peak)): at most 50, for x lies no more than ten deviations
        // left of the peak.
        let stride = STRIDE as f64 * step;
        for i in 0..STRIDE {
            let distance = from_peak + i as f64 * step;
            self.value[i] = exponent + ridge.along * distance * distance;
            self.ratio[i] = ridge.along * stride * (stride + 2.0 * distance) - 64.0;
        }
        exp_all(simd, &mut self.value);
        exp_all(simd, &mut self.ratio);
        for i in 0..STRIDE {
            self.value[i] *= ridge.amplitude;
            self.ratio[i] *= EXP_64;
        }
        self.quotient = ridge.quotient;
    }

    /// Adds it to the cells of its row, which reach `STRIDE` beyond the right end.
    #[inline(always)]
    fn add_to(&self, cells: &mut [f64]) {
        let (mut value, mut ratio, quotient) = (self.value, self.ratio, self.quotient);
        let cells = &mut cells[self.start..self.start + self.stride_count * STRIDE];
        for cells in cells.as_chunks_mut::<STRIDE>().0 {
            for i in 0..STRIDE {
                cells[i] += value[i];
                value[i] *= ratio[i];
                ratio[i] *= quotient;
            }
        }
    }
}

/// e⁶⁴.
const EXP_64: f64 = 6.235_149_080_811_617e27;

#[cfg(test)]
mod tests {
    use super::super::Density;
    use super::*;

    fn mixture() -> Mixture {
        Mixture::new(
            &[0.5, 0.3, 0.2],
            &[[0.0, 0.0], [1.5, -1.0], [-1.0, 1.2]],
            &[[0.3, 0.1, 0.2], [0.01, 0.0099, 0.01], [0.5, -0.3, 0.4]],
        )
        .unwrap()
    }

    #[test]
    fn rows_by_recurrence_agree_with_single_points() {
        let mixture = mixture();
        let everywhere = Bounds { min: [-3.0, -3.0], max: [3.5, 3.0] };
        let nearby = Bounds { min: [1.2, -1.1], max: [1.21, -0.9] };
        let far = Bounds { min: [-300.0, -200.0], max: [300.0, 200.0] };
        for (bounds, width, height) in [
            (everywhere, 256, 200),
            (everywhere, 1501, 7),
            (nearby, 100, 3),
            (far, 301, 99),
            (far, 2, 1),
        ] {
            let fast = mixture.raster(bounds, width, height);
            let plain = raster(bounds, width, height, |x| mixture.log_density(x).exp());
            assert_eq!(fast.values.len(), plain.values.len());
            for (got, want) in fast.values.iter().zip(&plain.values) {
                assert!((got - want).abs() <= 1e-10 * want + 1e-20, "{bounds:?}: {got} {want}");
            }
            let max = plain.values.iter().copied().fold(0.0, f64::max);
            assert!((fast.max() - max).abs() <= 1e-10 * max + 1e-20, "{bounds:?}");
        }
    }

    #[test]
    fn components_thinner_than_a_cell_are_where_they_are() {
        // Standard deviations of a hundredth, a fifth and two cells; means beside and at the centers of cells.
        let bounds = Bounds { min: [0.0; 2], max: [64.0; 2] };
        for deviation in [0.01, 0.2, 2.0] {
            for x in [0.5, 7.5, 16.48, 31.5, 33.0, 63.5] {
                let variance = deviation * deviation;
                let mean = [x, 9.5];
                let mixture = Mixture::new(&[1.0], &[mean], &[[variance, 0.0, variance]]).unwrap();
                let fast = mixture.raster(bounds, 64, 64);
                let plain = raster(bounds, 64, 64, |x| mixture.log_density(x).exp());
                for (got, want) in fast.values.iter().zip(&plain.values) {
                    let peak = mixture.log_density(mean).exp();
                    assert!((got - want).abs() <= 1e-10 * want + 1e-20 * peak, "{x}: {got} {want}");
                }
            }
        }
    }

    #[test]
    fn the_largest_value_is_found_wherever_it_is_among_what_is_not_finite() {
        for count in [1, 7, 8, 16, 100] {
            for place in 0..count {
                let mut values = vec![f64::NAN; count];
                values[(place + 1) % count] = f64::INFINITY;
                values[(place + 2) % count] = -1.0;
                values[place] = 3.0;
                let bounds = Bounds { min: [0.0; 2], max: [1.0; 2] };
                let raster = Raster { bounds, width: count, height: 1, values };
                assert_eq!(raster.max(), 3.0, "{place} of {count}");
            }
        }
    }

    #[test]
    fn where_there_is_nothing_to_see_nothing_fails() {
        let everywhere = Bounds { min: [-3.0; 2], max: [3.0; 2] };
        let point = Bounds { min: [0.1; 2], max: [0.1; 2] };
        let line = Bounds { min: [-3.0, 0.1], max: [3.0, 0.1] };
        // So narrow and so light that nothing of it is above zero anywhere.
        let narrow = [1e-12, 0.0, 1e-12];
        let invisible = Mixture::new(&[1.0], &[[1e9, 1e9]], &[narrow]).unwrap();
        for (width, height) in [(0, 0), (0, 5), (5, 0), (5, 4)] {
            for bounds in [everywhere, point, line] {
                let raster = mixture().raster(bounds, width, height);
                assert_eq!(raster.values.len(), width * height, "{bounds:?}");
                assert!(raster.values.iter().all(|v| v.is_finite()), "{raster:?}");
                let dark = invisible.raster(bounds, width, height);
                assert_eq!(dark.max(), 0.0);
                assert_eq!(dark.values, vec![0.0; width * height]);
            }
        }
        let there = mixture().log_density([0.1; 2]).exp();
        for v in mixture().raster(point, 5, 4).values {
            assert!((v - there).abs() < 1e-10 * there, "{v} {there}");
        }
    }

    #[test]
    fn a_density_integrates_to_one() {
        let bounds = Bounds { min: [-6.0, -6.0], max: [6.0, 6.0] };
        let integral = mixture().raster(bounds, 2400, 2400).integral();
        assert!((integral - 1.0).abs() < 1e-9, "{integral}");
    }
}
