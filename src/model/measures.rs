//! How good is a fit?

use super::{Density, Point};

/// Mean log-likelihood of points, (1/N) Σ log p(xₙ), in nats per point. NaN without points.
#[must_use]
pub fn mean_log_likelihood(density: &dyn Density, points: &[Point]) -> f64 {
    points.iter().map(|&x| density.log_density(x)).sum::<f64>() / points.len() as f64
}

/// Bayesian information criterion: free parameters · ln N − 2 ln L (Schwarz 1978). Smaller is better.
#[must_use]
pub fn bic(mean_log_likelihood: f64, free_parameters: usize, point_count: usize) -> f64 {
    let n = point_count as f64;
    free_parameters as f64 * n.ln() - 2.0 * n * mean_log_likelihood
}

/// Akaike information criterion: 2 · free parameters − 2 ln L (Akaike 1974). Smaller is better.
#[must_use]
pub fn aic(mean_log_likelihood: f64, free_parameters: usize, point_count: usize) -> f64 {
    2.0 * free_parameters as f64 - 2.0 * point_count as f64 * mean_log_likelihood
}
