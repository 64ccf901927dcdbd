//! A mixture of Gaussians: log density, responsibilities, score, Hessian, samples.

use std::sync::Arc;

use rand::RngExt;
use rand_distr::{Distribution, StandardNormal};

use super::cells::fitted;
use super::field::{mixture_field, mixture_scores, mixture_values};
use super::raster::mixture_raster;
use super::{Bounds, Cholesky, Density, Field, Gaussian, Point, Raster, Symmetric, Values};
use crate::random::Rng;

/// One Gaussian and its share of the mixture.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Component {
    /// log πₖ; −∞ is allowed.
    pub log_weight: f64,
    /// N(µₖ, Σₖ).
    pub gaussian: Gaussian,
}

impl Component {
    /// πₖ.
    #[must_use]
    pub fn weight(&self) -> f64 {
        self.log_weight.exp()
    }

    /// log πₖ N(x | µₖ, Σₖ).
    #[must_use]
    pub fn log_joint(&self, x: Point) -> f64 {
        self.log_weight + self.gaussian.log_density(x)
    }
}

/// Why numbers do not describe a mixture.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum MixtureError {
    /// A mixture without components has no density.
    #[error("a mixture needs at least one component")]
    Empty,
    /// Arrays of different length.
    #[error(
        "{weights} weights, {means} means and {covariances} covariances do not belong together"
    )]
    Lengths {
        /// How many weights there are.
        weights: usize,
        /// How many means.
        means: usize,
        /// How many covariances.
        covariances: usize,
    },
    /// Weights must be shares.
    #[error("the weights must be at least 0 and sum to 1; they sum to {sum}")]
    Weights {
        /// What they sum to.
        sum: f64,
    },
    /// A mean is NaN or infinite.
    #[error("the mean of component {index} is not a finite point")]
    Mean {
        /// Which component, counted from 1.
        index: usize,
    },
    /// A covariance has no Cholesky factor.
    #[error("the covariance of component {index} is not positive definite")]
    Covariance {
        /// Which component, counted from 1.
        index: usize,
    },
}

/// A mixture of K Gaussians, p(x) = Σₖ πₖ N(x | µₖ, Σₖ); thesis eq. 2.3. Weights sum to one.
#[derive(Debug, PartialEq)]
pub struct Mixture {
    components: Vec<Component>,
}

impl Clone for Mixture {
    fn clone(&self) -> Mixture {
        Mixture { components: self.components.clone() }
    }

    /// Uses the memory of `self` again, which a derived implementation does not.
    fn clone_from(&mut self, source: &Mixture) {
        self.components.clone_from(&source.components);
    }
}

impl Mixture {
    /// A mixture from weights, means and covariances. Shapes: K, K × 2, K × 3.
    ///
    /// # Errors
    /// [`MixtureError`] if the numbers do not describe a mixture. Weights are divided by their sum, which has
    /// to be within 1e-6 of one.
    pub fn new(
        weights: &[f64],
        means: &[Point],
        covariances: &[Symmetric],
    ) -> Result<Mixture, MixtureError> {
        if weights.is_empty() {
            return Err(MixtureError::Empty);
        }
        if weights.len() != means.len() || weights.len() != covariances.len() {
            return Err(MixtureError::Lengths {
                weights: weights.len(),
                means: means.len(),
                covariances: covariances.len(),
            });
        }
        let sum: f64 = weights.iter().sum();
        // Written so that NaN fails.
        let are_shares = weights.iter().all(|&w| w >= 0.0) && (sum - 1.0).abs() <= 1e-6;
        if !are_shares {
            return Err(MixtureError::Weights { sum });
        }
        let mut mixture = Mixture { components: Vec::with_capacity(weights.len()) };
        let shares = weights.iter().map(|weight| weight / sum);
        mixture.refill(shares.zip(means).zip(covariances).map(|((w, &m), &c)| (w, m, c)))?;
        Ok(mixture)
    }

    /// Takes on other components, using its memory again: weights that sum to one, means and covariances.
    ///
    /// # Errors
    /// [`MixtureError`] if a mean is not finite or a covariance not positive definite; the mixture then holds only
    /// the components before it.
    pub(crate) fn refill(
        &mut self,
        components: impl Iterator<Item = (f64, Point, Symmetric)>,
    ) -> Result<(), MixtureError> {
        self.components.clear();
        for (i, (weight, mean, covariance)) in components.enumerate() {
            if !mean.iter().all(|v| v.is_finite()) {
                return Err(MixtureError::Mean { index: i + 1 });
            }
            let cholesky =
                Cholesky::of(covariance).ok_or(MixtureError::Covariance { index: i + 1 })?;
            let gaussian = Gaussian { mean, cholesky };
            self.components.push(Component { log_weight: weight.ln(), gaussian });
        }
        Ok(())
    }

    /// A mixture from components whose logarithmic weights are already normalized.
    pub(crate) fn from_components(components: Vec<Component>) -> Mixture {
        debug_assert!(!components.is_empty());
        Mixture { components }
    }

    /// The components. Length K.
    #[must_use]
    pub fn components(&self) -> &[Component] {
        &self.components
    }

    /// The mixture of x + ε with ε ~ N(0, diag(d₁², d₂²)): every covariance Σₖ becomes Σₖ + diag(d₁², d₂²).
    #[must_use]
    pub fn convolved(&self, deviations: [f64; 2]) -> Mixture {
        let mut mixture = self.clone();
        for component in &mut mixture.components {
            let [s11, s12, s22] = component.gaussian.cholesky.covariance();
            let wider = [s11 + deviations[0].powi(2), s12, s22 + deviations[1].powi(2)];
            // A sum of positive definite matrices is one; rounding may leave a thin one as it was.
            component.gaussian.cholesky =
                Cholesky::of(wider).unwrap_or(component.gaussian.cholesky);
        }
        mixture
    }

    /// The mixture that this one is the noised copy of: variance · I subtracted from every Σₖ. Undoes
    /// [`Mixture::convolved`] with equal deviations.
    ///
    /// # Errors
    /// [`MixtureError::Covariance`] with the first component that is too narrow for that.
    pub fn narrowed(&self, variance: f64) -> Result<Mixture, MixtureError> {
        let mut mixture = self.clone();
        for (i, component) in mixture.components.iter_mut().enumerate() {
            let narrowed = component.gaussian.narrowed(variance);
            component.gaussian = narrowed.ok_or(MixtureError::Covariance { index: i + 1 })?;
        }
        Ok(mixture)
    }

    /// The weights πₖ; they sum to one. Length K.
    #[must_use]
    pub fn weights(&self) -> Vec<f64> {
        self.components.iter().map(Component::weight).collect()
    }

    /// True if every number in it is finite (a weight may be zero).
    #[must_use]
    pub fn is_finite(&self) -> bool {
        self.components.iter().all(|component| {
            let Gaussian { mean, cholesky } = component.gaussian;
            !component.log_weight.is_nan()
                && component.log_weight < f64::INFINITY
                && mean.iter().all(|v| v.is_finite())
                && [cholesky.l11, cholesky.l22].iter().all(|&l| l > 0.0 && l.is_finite())
                && cholesky.l21.is_finite()
        })
    }

    /// Chance that each component produced this point, and log p(x). Sums to one over K.
    #[must_use]
    pub fn responsibilities(&self, x: Point) -> (Vec<f64>, f64) {
        let mut r: Vec<f64> = self.components.iter().map(|c| c.log_joint(x)).collect();
        let log_density = log_sum_exp(&r);
        for r in &mut r {
            *r = (*r - log_density).exp();
        }
        (r, log_density)
    }
}

/// log Σ exp(aₖ) without overflow; thesis eq. 3.3.
#[must_use]
pub(crate) fn log_sum_exp(a: &[f64]) -> f64 {
    let max = a.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if max == f64::NEG_INFINITY {
        return max;
    }
    max + a.iter().map(|a| (a - max).exp()).sum::<f64>().ln()
}

impl Density for Mixture {
    fn log_density(&self, x: Point) -> f64 {
        // Two passes instead of a buffer: this is called for single points, from many places.
        let max = self.components.iter().map(|c| c.log_joint(x)).fold(f64::NEG_INFINITY, f64::max);
        let sum: f64 = self.components.iter().map(|c| (c.log_joint(x) - max).exp()).sum();
        max + sum.ln()
    }

    fn score(&self, x: Point) -> Point {
        let (r, _) = self.responsibilities(x);
        let mut score = [0.0; 2];
        for (component, r) in self.components.iter().zip(r) {
            let g = component.gaussian.score(x);
            score[0] += r * g[0];
            score[1] += r * g[1];
        }
        score
    }

    /// Σₖ rₖ(gₖgₖᵀ − Σₖ⁻¹) − ssᵀ with gₖ the score of component k and s the score of the mixture.
    fn hessian(&self, x: Point) -> Symmetric {
        let (r, _) = self.responsibilities(x);
        let mut score = [0.0; 2];
        let scores: Vec<Point> = self.components.iter().map(|c| c.gaussian.score(x)).collect();
        for (g, r) in scores.iter().zip(&r) {
            score[0] += r * g[0];
            score[1] += r * g[1];
        }
        let mut hessian = [0.0; 3];
        for ((component, g), r) in self.components.iter().zip(scores).zip(r) {
            let precision = component.gaussian.cholesky.precision();
            // Centered on the mixture's score: Σ rₖ(gₖ−s)(gₖ−s)ᵀ does not cancel far from the means.
            let (a, b) = (g[0] - score[0], g[1] - score[1]);
            hessian[0] += r * (a * a - precision[0]);
            hessian[1] += r * (a * b - precision[1]);
            hessian[2] += r * (b * b - precision[2]);
        }
        hessian
    }

    /// Ancestral sampling, thesis algorithm 5: first a component, then a point of it.
    fn sample(&self, count: usize, rng: &mut Rng) -> Vec<Point> {
        let mut cumulative = 0.0;
        let bounds: Vec<f64> = self
            .components
            .iter()
            .map(|component| {
                cumulative += component.weight();
                cumulative
            })
            .collect();
        (0..count)
            .map(|_| {
                let u = rng.random::<f64>() * cumulative;
                let k = bounds.partition_point(|&bound| bound <= u).min(bounds.len() - 1);
                let Gaussian { mean, cholesky } = self.components[k].gaussian;
                let noise = [StandardNormal.sample(rng), StandardNormal.sample(rng)];
                let [dx, dy] = cholesky.color(noise);
                [mean[0] + dx, mean[1] + dy]
            })
            .collect()
    }

    fn raster(&self, bounds: Bounds, width: usize, height: usize) -> Raster {
        mixture_raster(self, bounds, width, height)
    }

    fn field(&self, bounds: Bounds, width: usize, height: usize) -> Field {
        mixture_field(self, bounds, width, height)
    }

    fn values(&self, points: &[Point]) -> Values {
        mixture_values(self, points)
    }

    fn scores(&self, points: &[Point]) -> Vec<(f64, Point)> {
        mixture_scores(self, points)
    }

    fn cells(&self) -> Vec<Bounds> {
        let present = self.components.iter().filter(|component| component.log_weight > -40.0);
        let gaussians: Vec<Gaussian> = present.map(|component| component.gaussian).collect();
        let ends = gaussians.iter().flat_map(Gaussian::ends).collect::<Vec<_>>();
        let Some(bounds) = Bounds::around(&ends) else { return Vec::new() };
        fitted(bounds, &gaussians, Gaussian::allowed)
    }

    fn blurred(&self, deviations: [f64; 2]) -> Option<Arc<dyn Density>> {
        Some(Arc::new(self.convolved(deviations)))
    }

    fn modes(&self) -> Option<&Mixture> {
        Some(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noise_is_subtracted_where_there_is_room_for_it() {
        let clean = Mixture::new(&[0.3, 0.7], &[[0.0; 2], [1.0, 2.0]], &[[0.5, 0.2, 0.3]; 2]);
        let clean = clean.unwrap();
        let again = clean.convolved([0.4; 2]).narrowed(0.16).unwrap();
        for (got, want) in again.components().iter().zip(clean.components()) {
            let [got, want] = [got, want].map(|c| c.gaussian.cholesky.covariance());
            assert!((0..3).all(|i| (got[i] - want[i]).abs() < 1e-12), "{got:?}");
        }
        // The smaller eigenvalue of Σ is 0.4 − √0.05 = 0.1764.
        assert!(clean.narrowed(0.1763).is_ok());
        assert_eq!(clean.narrowed(0.1765), Err(MixtureError::Covariance { index: 1 }));
    }
}
