//! A field on a grid, fast.

use super::{Bounds, Gaussian, Mixture, Point};

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
        self.values.iter().copied().filter(|v| v.is_finite()).fold(0.0, f64::max)
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

/// Where a component has fallen below this share of its own peak (11 standard deviations), it is left out.
const NEGLIGIBLE: f64 = 1e-26;

/// The density of a mixture on a grid.
///
/// Along a row a Gaussian is exp(quadratic in the column), so each value follows from its neighbour by two
/// multiplications: vᵢ₊₁ = vᵢ rᵢ, rᵢ₊₁ = rᵢ q. Starting at the row's peak, values only fall, so rounding stays
/// relative to the peak and whole rows and tails can be skipped.
pub(super) fn mixture_raster(
    mixture: &Mixture,
    bounds: Bounds,
    width: usize,
    height: usize,
) -> Raster {
    let [step_x, step_y] = steps(bounds, width, height);
    let mut values = vec![0.0; width * height];
    for component in mixture.components() {
        let Gaussian { mean, cholesky } = component.gaussian;
        let [p11, p12, _] = cholesky.precision();
        let peak = component.log_joint(mean).exp();
        if peak.is_nan() || peak <= 0.0 {
            continue;
        }
        let negligible = peak * NEGLIGIBLE;
        let q = (-p11 * step_x * step_x).exp();
        for (row, values) in values.chunks_exact_mut(width).enumerate() {
            let y = bounds.max[1] - (row as f64 + 0.5) * step_y;
            let peak_x = mean[0] - p12 / p11 * (y - mean[1]);
            let column = ((peak_x - bounds.min[0]) / step_x - 0.5).round();
            let start = column.clamp(0.0, (width - 1) as f64) as usize;
            let start_x = bounds.min[0] + (start as f64 + 0.5) * step_x;
            let start_value = component.log_joint([start_x, y]).exp();
            if start_value < negligible {
                continue;
            }
            values[start] += start_value;
            // log v(x + h) − log v(x) = −½ p₁₁ (h² + 2h (x − peak))
            let first_ratio = |h: f64| (-0.5 * p11 * h * (h + 2.0 * (start_x - peak_x))).exp();
            let spread = |cells: &mut dyn Iterator<Item = &mut f64>, mut ratio: f64| {
                let mut value = start_value;
                for cell in cells {
                    value *= ratio;
                    ratio *= q;
                    if value < negligible {
                        break;
                    }
                    *cell += value;
                }
            };
            let (left, right) = values.split_at_mut(start);
            spread(&mut right[1..].iter_mut(), first_ratio(step_x));
            spread(&mut left.iter_mut().rev(), first_ratio(-step_x));
        }
    }
    Raster { bounds, width, height, values }
}

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
        let bounds = Bounds { min: [-3.0, -3.0], max: [3.5, 3.0] };
        let fast = mixture.raster(bounds, 256, 200);
        let plain = raster(bounds, 256, 200, |x| mixture.log_density(x).exp());
        for (got, want) in fast.values.iter().zip(&plain.values) {
            assert!((got - want).abs() <= 1e-10 * want + 1e-20, "{got} {want}");
        }
    }

    #[test]
    fn a_density_integrates_to_one() {
        let bounds = Bounds { min: [-6.0, -6.0], max: [6.0, 6.0] };
        let integral = mixture().raster(bounds, 2400, 2400).integral();
        assert!((integral - 1.0).abs() < 1e-9, "{integral}");
    }
}
