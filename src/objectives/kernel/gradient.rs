//! From a component's sums to the gradient with respect to θ.

use super::Sums;
use crate::model::{Cholesky, Parameters, log_sum_exp, raised};
use crate::objectives::Gradient;

/// What an objective passes back to one component, summed over points.
///
/// With a = log πN(x), g = −Σ⁻¹d the component's score, c = ∂ℓ/∂a, h = ∂ℓ/∂g, and ∂ℓ/∂Σ⁻¹ = −F where ℓ holds −tr(FΣ⁻¹):
/// `zeroth` is Σ c, `first` is Σ cd + h, `second` is Σ ½c ddᵀ + sym(hdᵀ) + F.
pub(super) type Through = Sums;

/// Writes the gradient of the sum over points, times `per_point`. The objective saw θ's covariances with this floor.
pub(super) fn write_gradient(
    parameters: &Parameters,
    floor: f64,
    per_point: f64,
    through: impl Iterator<Item = Through> + Clone,
    gradient: &mut Gradient,
) {
    let log_total = log_sum_exp(&parameters.logits);
    let c_total: f64 = through.clone().map(|sums| sums.zeroth).sum();
    let factors = parameters.factors.as_chunks().0.iter();
    gradient.clear();
    for ((sums, logit), &factor) in through.zip(&parameters.logits).zip(factors) {
        let (factor, raw) = raised(factor, floor);
        // Through softmax: ∂aₖ/∂logitⱼ = [j = k] − πⱼ.
        gradient.logits.push(per_point * (sums.zeroth - (logit - log_total).exp() * c_total));
        // ∂g/∂µ = Σ⁻¹ and ∂a/∂µ = Σ⁻¹d.
        let mean = factor.whiten_transposed(factor.whiten(sums.first));
        gradient.means.push(mean.map(|v| per_point * v));
        let factor = factor_gradient(&sums, factor, raw, floor);
        gradient.factors.extend(factor.map(|v| per_point * v));
    }
}

/// ∂ℓ/∂[log L₁₁, L₂₁, log L₂₂] of the raw factor L, where the covariance is Σ = LLᵀ + floor · I = MMᵀ.
///
/// In the basis where Σ is the identity G = ∂ℓ/∂Σ⁻¹ = ½cI − M⁻¹(second)M⁻ᵀ; ∂ℓ/∂Σ = −M⁻ᵀGM⁻¹ and
/// ∂ℓ/∂L = 2 ∂ℓ/∂Σ L = −2 M⁻ᵀ G (M⁻¹L), lower triangle.
fn factor_gradient(sums: &Through, factor: Cholesky, raw: Cholesky, floor: f64) -> [f64; 3] {
    let [s11, s12, s22] = sums.second;
    let first = factor.whiten([s11, s12]);
    let second = factor.whiten([s12, s22]);
    let [w11, w12] = factor.whiten([first[0], second[0]]);
    let [_, w22] = factor.whiten([first[1], second[1]]);
    let g11 = 0.5 * sums.zeroth - w11;
    let g12 = -w12;
    let g22 = 0.5 * sums.zeroth - w22;
    // M⁻¹L, lower triangular; the identity without a floor. Its entry below the diagonal is L₂₁ − M₂₁ t₁₁ over
    // M₂₂, written without the difference.
    let t11 = raw.l11 / factor.l11;
    let t21 = raw.l21 * floor / (factor.l11 * factor.l11 * factor.l22);
    let t22 = raw.l22 / factor.l22;
    let column1 = factor.whiten_transposed([g11 * t11 + g12 * t21, g12 * t11 + g22 * t21]);
    let column2 = factor.whiten_transposed([g12 * t22, g22 * t22]);
    [-2.0 * column1[0] * raw.l11, -2.0 * column1[1], -2.0 * column2[1] * raw.l22]
}
