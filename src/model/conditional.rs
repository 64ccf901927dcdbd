//! Marginals and conditionals of a mixture: p(x₁), p(x₂), p(x₂|x₁) and p(x₁|x₂), which are mixtures on the line.

use super::mixture::log_sum_exp;
use super::{Gaussian, Mixture};

/// A mixture of Gaussians on the line.
#[derive(Debug, Clone, PartialEq)]
pub struct LineMixture {
    bells: Vec<Bell>,
}

/// One Gaussian on the line and its share.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bell {
    /// The logarithm of its share; the shares sum to one.
    pub log_weight: f64,
    /// Its mean.
    pub mean: f64,
    /// Its standard deviation.
    pub deviation: f64,
}

impl Bell {
    /// log wN(t | m, d²), in nats.
    fn log_joint(&self, t: f64) -> f64 {
        let z = (t - self.mean) / self.deviation;
        self.log_weight - 0.5 * (z * z + std::f64::consts::TAU.ln()) - self.deviation.ln()
    }
}

impl LineMixture {
    /// Its Gaussians, one of every component of the plane's mixture. Length K.
    #[must_use]
    pub fn bells(&self) -> &[Bell] {
        &self.bells
    }

    /// log p(t), in nats.
    #[must_use]
    pub fn log_density(&self, t: f64) -> f64 {
        let joints: Vec<f64> = self.bells.iter().map(|bell| bell.log_joint(t)).collect();
        log_sum_exp(&joints)
    }

    /// p(t), per unit of the data.
    #[must_use]
    pub fn density(&self, t: f64) -> f64 {
        self.log_density(t).exp()
    }
}

impl Mixture {
    /// The density of one coordinate alone, p(x₁) for axis 0 and p(x₂) for axis 1: Σₖ πₖ N(µₖ, Σₖ) of that coordinate;
    /// Bishop (2006), eq. 2.98.
    #[must_use]
    pub fn marginal(&self, axis: usize) -> LineMixture {
        let bell = |component: &super::Component| {
            let Gaussian { mean, .. } = component.gaussian;
            let deviation = along(&component.gaussian, axis).deviation;
            Bell { log_weight: component.log_weight, mean: mean[axis], deviation }
        };
        LineMixture { bells: self.components().iter().map(bell).collect() }
    }

    /// The density of the other coordinate where this one has a value: p(x₂|x₁) for axis 0, p(x₁|x₂) for axis 1. Every
    /// component has the share that it has of the marginal there, and is (for axis 0) a Gaussian with mean
    /// µ₂ + Σ₁₂/Σ₁₁ (value − µ₁) and variance Σ₂₂ − Σ₁₂²/Σ₁₁; Bishop (2006), eqs. 2.81 and 2.82.
    #[must_use]
    pub fn conditional(&self, axis: usize, value: f64) -> LineMixture {
        let marginal = self.marginal(axis);
        let log_density = marginal.log_density(value);
        let bells = self.components().iter().zip(marginal.bells).map(|(component, of_axis)| {
            let Along { slope, rest, .. } = along(&component.gaussian, axis);
            Bell {
                log_weight: of_axis.log_joint(value) - log_density,
                mean: component.gaussian.mean[1 - axis] + slope * (value - of_axis.mean),
                deviation: rest,
            }
        });
        LineMixture { bells: bells.collect() }
    }
}

/// A Gaussian as one coordinate, and the other given it.
struct Along {
    /// √Σ₁₁ for axis 0.
    deviation: f64,
    /// Σ₁₂ / Σ₁₁: how far the other coordinate's mean moves with this one.
    slope: f64,
    /// √(Σ₂₂ − Σ₁₂²/Σ₁₁).
    rest: f64,
}

/// From the factor, whose entries are roots: no difference of variances, which would cancel in thin components.
fn along(gaussian: &Gaussian, axis: usize) -> Along {
    let factor = gaussian.cholesky;
    if axis == 0 {
        return Along { deviation: factor.l11, slope: factor.l21 / factor.l11, rest: factor.l22 };
    }
    let deviation = factor.l21.hypot(factor.l22);
    let slope = factor.l11 * factor.l21 / (deviation * deviation);
    // |Σ| = (l₁₁l₂₂)² is the product of the marginal's and the conditional's variance.
    Along { deviation, slope, rest: factor.l11 * factor.l22 / deviation }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Density;

    fn mixture() -> Mixture {
        let means = [[-1.0, 0.5], [1.2, -0.3], [0.1, 1.4]];
        let covariances = [[0.4, 0.25, 0.3], [0.2, -0.1, 0.5], [0.9, 0.0, 0.05]];
        Mixture::new(&[0.5, 0.3, 0.2], &means, &covariances).unwrap()
    }

    /// The midpoint rule over a range that holds all the mass; for smooth functions that vanish at both ends its error
    /// falls faster than any power of the step.
    fn integral(f: impl Fn(f64) -> f64) -> f64 {
        let count = 4_000;
        let step = 16.0 / f64::from(count);
        (0..count).map(|i| step * f(-8.0 + (f64::from(i) + 0.5) * step)).sum()
    }

    #[test]
    fn marginals_and_conditionals_are_what_the_density_integrates_to() {
        let mixture = mixture();
        for axis in 0..2 {
            let place = |a: f64, b: f64| if axis == 0 { [a, b] } else { [b, a] };
            let marginal = mixture.marginal(axis);
            assert!((integral(|t| marginal.density(t)) - 1.0).abs() < 1e-12);
            for value in [-1.7, -0.2, 0.0, 0.9, 2.5] {
                let joint = |b: f64| mixture.log_density(place(value, b)).exp();
                let expected = integral(joint);
                assert!((marginal.density(value) / expected - 1.0).abs() < 1e-10, "{axis} {value}");
                let conditional = mixture.conditional(axis, value);
                assert!((integral(|t| conditional.density(t)) - 1.0).abs() < 1e-12);
                for b in [-1.0, 0.2, 1.3] {
                    let got = conditional.density(b);
                    assert!((got / (joint(b) / expected) - 1.0).abs() < 1e-9, "{axis} {value} {b}");
                }
            }
        }
    }

    #[test]
    fn far_from_all_mass_a_conditional_still_is_one() {
        let conditional = mixture().conditional(0, 400.0);
        let shares: f64 = conditional.bells().iter().map(|bell| bell.log_weight.exp()).sum();
        assert!((shares - 1.0).abs() < 1e-9, "{shares}");
        assert!(mixture().marginal(0).log_density(400.0).is_finite());
    }
}
