//! How good is a fit?

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn criteria_agree_with_scikit_learn() {
        // GaussianMixture.bic and .aic: −2 · score · N + parameters · ln N, and + 2 · parameters.
        assert!((bic(-1.5, 11, 200) - (600.0 + 11.0 * 200_f64.ln())).abs() < 1e-12);
        assert_eq!(aic(-1.5, 11, 200), 622.0);
    }
}
