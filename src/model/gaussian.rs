//! A Gaussian on the plane: Cholesky factor, log density, ellipse.

use super::{Bounds, Point, Symmetric};

/// How far integrals look, in standard deviations.
const REACH: f64 = 8.0;

/// Lower triangular factor L of a covariance Σ = LLᵀ; the diagonal is positive.
///
/// Factor, not inverse: it stays accurate when a component becomes thin.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cholesky {
    /// First diagonal entry.
    pub l11: f64,
    /// Entry below the diagonal.
    pub l21: f64,
    /// Second diagonal entry.
    pub l22: f64,
}

impl Cholesky {
    /// Factors a covariance; `None` if it is not positive definite or not finite.
    #[must_use]
    pub fn of([s11, s12, s22]: Symmetric) -> Option<Cholesky> {
        let l11 = s11.sqrt();
        let l21 = s12 / l11;
        let l22 = (s22 - l21 * l21).sqrt();
        let is_factor =
            l11 > 0.0 && l22 > 0.0 && l11.is_finite() && l22.is_finite() && l21.is_finite();
        is_factor.then_some(Cholesky { l11, l21, l22 })
    }

    /// Σ = LLᵀ.
    #[must_use]
    pub fn covariance(&self) -> Symmetric {
        let Cholesky { l11, l21, l22 } = *self;
        [l11 * l11, l11 * l21, l21 * l21 + l22 * l22]
    }

    /// L⁻¹d.
    #[must_use]
    pub fn whiten(&self, d: Point) -> Point {
        let y1 = d[0] / self.l11;
        [y1, (d[1] - self.l21 * y1) / self.l22]
    }

    /// L⁻ᵀy, so that `whiten_transposed(whiten(d))` is Σ⁻¹d.
    #[must_use]
    pub fn whiten_transposed(&self, y: Point) -> Point {
        let z2 = y[1] / self.l22;
        [(y[0] - self.l21 * z2) / self.l11, z2]
    }

    /// Ly: turns a standard normal vector into one with covariance Σ.
    #[must_use]
    pub fn color(&self, y: Point) -> Point {
        [self.l11 * y[0], self.l21 * y[0] + self.l22 * y[1]]
    }

    /// Σ⁻¹.
    #[must_use]
    pub fn precision(&self) -> Symmetric {
        let column1 = self.whiten_transposed(self.whiten([1.0, 0.0]));
        let column2 = self.whiten_transposed(self.whiten([0.0, 1.0]));
        [column1[0], column2[0], column2[1]]
    }

    /// log √|Σ|.
    #[must_use]
    pub fn log_sqrt_determinant(&self) -> f64 {
        self.l11.ln() + self.l22.ln()
    }

    /// The ellipse that lies `radius` standard deviations from its center.
    #[must_use]
    pub fn ellipse(&self, radius: f64) -> Ellipse {
        let [s11, s12, s22] = self.covariance();
        let mean = f64::midpoint(s11, s22);
        let difference = (s11 - s22) / 2.0;
        let spread = difference.hypot(s12);
        let major = mean + spread;
        // The product of the eigenvalues is |Σ|: no cancellation in the smaller one.
        let determinant = (self.l11 * self.l22).powi(2);
        let minor = if major > 0.0 { determinant / major } else { 0.0 };
        Ellipse {
            semi_axes: [radius * major.sqrt(), radius * minor.sqrt()],
            angle: s12.atan2(difference) / 2.0,
        }
    }
}

/// An ellipse around the origin.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ellipse {
    /// Half the longer and half the shorter axis, in the units of the data.
    pub semi_axes: [f64; 2],
    /// Direction of the longer axis from the first coordinate, in radians.
    pub angle: f64,
}

impl Ellipse {
    /// Points along the ellipse around a center, the first one repeated at the end.
    #[must_use]
    pub fn outline(&self, center: Point, count: usize) -> Vec<Point> {
        let (sin, cos) = self.angle.sin_cos();
        (0..=count)
            .map(|i| {
                let turn = i as f64 / count as f64 * std::f64::consts::TAU;
                let (a, b) = (self.semi_axes[0] * turn.cos(), self.semi_axes[1] * turn.sin());
                [center[0] + a * cos - b * sin, center[1] + a * sin + b * cos]
            })
            .collect()
    }
}

/// A normal distribution on the plane.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Gaussian {
    /// Its mean µ.
    pub mean: Point,
    /// The Cholesky factor of its covariance.
    pub cholesky: Cholesky,
}

impl Gaussian {
    /// L⁻¹(x − µ): the point in standard deviations.
    #[must_use]
    pub fn whiten(&self, x: Point) -> Point {
        self.cholesky.whiten([x[0] - self.mean[0], x[1] - self.mean[1]])
    }

    /// Opposite corners of the rectangle around the ellipse that holds all the mass but 10⁻¹⁴.
    pub(super) fn ends(&self) -> [Point; 2] {
        let [s11, _, s22] = self.cholesky.covariance();
        let half = [s11, s22].map(|variance| REACH * variance.sqrt());
        [-1.0, 1.0].map(|sign| [0, 1].map(|axis| self.mean[axis] + sign * half[axis]))
    }

    /// How large a cell of a quadrature may be: three standard deviations along each axis, the other coordinate being
    /// fixed; `None` if the cell lies out of reach.
    pub(super) fn allowed(&self, cell: &Bounds) -> Option<[f64; 2]> {
        let norm = |y: Point| y[0].hypot(y[1]);
        let [width, height] = cell.size();
        // ‖L⁻¹d‖ over the cell is at least that of its center minus that of the farthest corner from there.
        let corners = [[width, height], [width, -height]];
        let corner = corners.map(|d| 0.5 * norm(self.cholesky.whiten(d)));
        let nearest = norm(self.whiten(cell.center())) - corner[0].max(corner[1]);
        let [p11, _, p22] = self.cholesky.precision();
        (nearest <= REACH).then(|| [p11, p22].map(|precision| 3.0 / precision.sqrt()))
    }

    /// What this Gaussian is the noised copy of: the same with variance · I subtracted from Σ; `None` where that is not
    /// positive definite.
    #[must_use]
    pub fn narrowed(&self, variance: f64) -> Option<Gaussian> {
        let [s11, s12, s22] = self.cholesky.covariance();
        let cholesky = Cholesky::of([s11 - variance, s12, s22 - variance])?;
        Some(Gaussian { cholesky, ..*self })
    }

    /// log N(x | µ, Σ) in nats; thesis eq. 3.4.
    #[must_use]
    pub fn log_density(&self, x: Point) -> f64 {
        let y = self.whiten(x);
        -0.5 * (y[0] * y[0] + y[1] * y[1])
            - std::f64::consts::TAU.ln()
            - self.cholesky.log_sqrt_determinant()
    }

    /// ∇ₓ log N(x | µ, Σ) = −Σ⁻¹(x − µ).
    #[must_use]
    pub fn score(&self, x: Point) -> Point {
        let z = self.cholesky.whiten_transposed(self.whiten(x));
        [-z[0], -z[1]]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn factor_and_product_are_inverse() {
        let covariance = [2.0, -0.7, 0.9];
        let factor = Cholesky::of(covariance).unwrap();
        for (got, want) in factor.covariance().iter().zip(covariance) {
            assert!((got - want).abs() < 1e-15);
        }
        assert!(Cholesky::of([1.0, 1.0, 1.0]).is_none());
        assert!(Cholesky::of([f64::NAN, 0.0, 1.0]).is_none());
    }

    #[test]
    fn ellipse_points_lie_at_the_radius() {
        let gaussian =
            Gaussian { mean: [1.0, -2.0], cholesky: Cholesky::of([2.0, -0.7, 0.9]).unwrap() };
        for point in gaussian.cholesky.ellipse(2.0).outline(gaussian.mean, 16) {
            let [a, b] = gaussian.whiten(point);
            assert!((a.hypot(b) - 2.0).abs() < 1e-12);
        }
    }
}
