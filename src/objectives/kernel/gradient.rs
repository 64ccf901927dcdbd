//! Value and gradient of an objective in one pass: what it passes back to each component, summed over points.

use std::ops::Range;

use super::{Block, LANES, Lanes, Pass, Whitener, blocks, over_chunks};
use crate::model::{Cholesky, Parameters, Symmetric, log_sum_exp, raised};
use crate::objectives::{Batch, Evaluation, Gradient};

/// −(1/N) Σ log p(xₙ) with its gradient: c = −r, and nothing else is passed back.
pub(in crate::objectives) fn negative_log_likelihood(
    parameters: &Parameters,
    batch: Batch<'_>,
) -> Evaluation {
    evaluate(parameters, batch, NegativeLogLikelihood)
}

struct NegativeLogLikelihood;

impl Terms for NegativeLogLikelihood {
    #[inline(always)]
    fn add(&self, block: &Block, _: &[Whitener], sums: &mut [Sums<Lanes>], _: usize) -> f64 {
        for (k, sums) in sums.iter_mut().enumerate() {
            let (r, y1, y2) = (&block.r[k], &block.y1[k], &block.y2[k]);
            for l in 0..LANES {
                let c = -r[l];
                let (c1, c2) = (c * y1[l], c * y2[l]);
                sums.c[l] += c;
                sums.u[0][l] += c1;
                sums.u[1][l] += c2;
                sums.spread[0][l] += 0.5 * c1 * y1[l];
                sums.spread[1][l] += 0.5 * c1 * y2[l];
                sums.spread[2][l] += 0.5 * c2 * y2[l];
            }
        }
        -block.log_density.iter().sum::<f64>()
    }
}

/// The quadratic forms of one point's objective: see [`quadratic`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::objectives) struct Forms {
    /// A, entries 11, 12, 22.
    pub a: Symmetric,
    /// B, entries 11, 12, 22.
    pub b: Symmetric,
}

/// (1/N) Σ tr(AH) + ½ sᵀBs with its gradient; s is the score at the point, H the Hessian of log p.
///
/// Exact score matching is A = B = I; one slice v is A = vvᵀ with B = I (reduced variance) or B = vvᵀ; several
/// slices are the mean of their forms and cost the same as one. `forms(n)` gives those of the nth point.
///
/// With q = gᵀAg − tr(AΣ⁻¹), m = Σ rq and w = ∂ℓ/∂s = (B − 2A)s: ℓ = m − sᵀAs + ½ sᵀBs,
/// c = r((q + wᵀg) − (m + wᵀs)) and h = r(2Ag + w).
pub(in crate::objectives) fn quadratic(
    parameters: &Parameters,
    batch: Batch<'_>,
    forms: impl Fn(usize) -> Forms + Sync,
) -> Evaluation {
    evaluate(parameters, batch, Quadratic { forms, count: batch.len() })
}

struct Quadratic<F> {
    forms: F,
    count: usize,
}

impl<F: Fn(usize) -> Forms + Sync> Terms for Quadratic<F> {
    #[inline(always)]
    fn add(
        &self,
        block: &Block,
        whiteners: &[Whitener],
        sums: &mut [Sums<Lanes>],
        first: usize,
    ) -> f64 {
        let (mut a, mut b) = ([[0.0; LANES]; 3], [[0.0; LANES]; 3]);
        for l in 0..LANES {
            let forms = (self.forms)((first + l).min(self.count - 1));
            for i in 0..3 {
                a[i][l] = forms.a[i];
                b[i][l] = forms.b[i];
            }
        }
        let (mut s1, mut s2, mut m) = ([0.0; LANES], [0.0; LANES], [0.0; LANES]);
        for (k, whitener) in whiteners.iter().enumerate() {
            let [p11, p12, p22] = whitener.precision();
            let (r, y1, y2) = (&block.r[k], &block.y1[k], &block.y2[k]);
            for l in 0..LANES {
                let g2 = -y2[l] * whitener.inverse22;
                let g1 = (-y1[l] - whitener.l21 * g2) * whitener.inverse11;
                let ag1 = a[0][l] * g1 + a[1][l] * g2;
                let ag2 = a[1][l] * g1 + a[2][l] * g2;
                let trace = a[0][l] * p11 + 2.0 * a[1][l] * p12 + a[2][l] * p22;
                s1[l] += r[l] * g1;
                s2[l] += r[l] * g2;
                m[l] += r[l] * (g1 * ag1 + g2 * ag2 - trace);
            }
        }
        let (mut w1, mut w2) = ([0.0; LANES], [0.0; LANES]);
        let (mut base, mut value) = ([0.0; LANES], 0.0);
        for l in 0..LANES {
            let as1 = a[0][l] * s1[l] + a[1][l] * s2[l];
            let as2 = a[1][l] * s1[l] + a[2][l] * s2[l];
            let bs1 = b[0][l] * s1[l] + b[1][l] * s2[l];
            let bs2 = b[1][l] * s1[l] + b[2][l] * s2[l];
            let (s_as, s_bs) = (s1[l] * as1 + s2[l] * as2, s1[l] * bs1 + s2[l] * bs2);
            w1[l] = bs1 - 2.0 * as1;
            w2[l] = bs2 - 2.0 * as2;
            base[l] = m[l] + w1[l] * s1[l] + w2[l] * s2[l];
            value += block.is_live[l] * (m[l] - s_as + 0.5 * s_bs);
        }
        for (k, whitener) in whiteners.iter().enumerate() {
            let [p11, p12, p22] = whitener.precision();
            let (r, y1, y2, sums) = (&block.r[k], &block.y1[k], &block.y2[k], &mut sums[k]);
            for l in 0..LANES {
                let g2 = -y2[l] * whitener.inverse22;
                let g1 = (-y1[l] - whitener.l21 * g2) * whitener.inverse11;
                let ag1 = a[0][l] * g1 + a[1][l] * g2;
                let ag2 = a[1][l] * g1 + a[2][l] * g2;
                let trace = a[0][l] * p11 + 2.0 * a[1][l] * p12 + a[2][l] * p22;
                let q = g1 * ag1 + g2 * ag2 - trace;
                let c = r[l] * (q + w1[l] * g1 + w2[l] * g2 - base[l]);
                // h in the whitened basis, L⁻¹h.
                let h1 = r[l] * (2.0 * ag1 + w1[l]) * whitener.inverse11;
                let h2 = (r[l] * (2.0 * ag2 + w2[l]) - whitener.l21 * h1) * whitener.inverse22;
                let (c1, c2) = (0.5 * c * y1[l], 0.5 * c * y2[l]);
                sums.c[l] += c;
                sums.u[0][l] += c * y1[l] + h1;
                sums.u[1][l] += c * y2[l] + h2;
                sums.spread[0][l] += (c1 + h1) * y1[l];
                sums.spread[1][l] += (c1 + 0.5 * h1) * y2[l] + 0.5 * h2 * y1[l];
                sums.spread[2][l] += (c2 + h2) * y2[l];
                sums.form[0][l] += r[l] * a[0][l];
                sums.form[1][l] += r[l] * a[1][l];
                sums.form[2][l] += r[l] * a[2][l];
            }
        }
        value
    }
}

/// What an objective adds for each block of points. Implementations are `inline(always)`.
trait Terms: Sync {
    /// Adds what a block passes back to the components' sums, and returns the sum of its points' values. `first` is
    /// the index of the block's first point.
    fn add(
        &self,
        block: &Block,
        whiteners: &[Whitener],
        sums: &mut [Sums<Lanes>],
        first: usize,
    ) -> f64;
}

/// An objective's terms over a batch.
struct Evaluate<'a, T> {
    whiteners: Vec<Whitener>,
    batch: Batch<'a>,
    terms: T,
}

impl<T: Terms> Pass for Evaluate<'_, T> {
    type Output = ChunkSums;

    #[inline(always)]
    fn chunk(&self, range: Range<usize>) -> ChunkSums {
        let Evaluate { whiteners, batch, terms } = self;
        let mut block = Block::new(whiteners.len());
        let mut sums = vec![ZERO_LANES; whiteners.len()];
        let (mut value, mut log_likelihood) = (0.0, 0.0);
        for range in blocks(range) {
            let first = range.start;
            block.load(*batch, range);
            block.compute_responsibilities(whiteners);
            value += terms.add(&block, whiteners, &mut sums, first);
            log_likelihood += block.log_density.iter().sum::<f64>();
        }
        let components = sums.iter().map(Sums::total).collect();
        ChunkSums { value, log_likelihood, components }
    }
}

/// Sums an objective's terms over a batch, and turns the sums into the gradient with respect to θ.
fn evaluate(parameters: &Parameters, batch: Batch<'_>, terms: impl Terms) -> Evaluation {
    let log_total = log_sum_exp(&parameters.logits);
    let log_weights: Vec<f64> = parameters.logits.iter().map(|logit| logit - log_total).collect();
    let factors: Vec<_> = parameters
        .factors
        .chunks_exact(3)
        .map(|f| raised([f[0], f[1], f[2]], parameters.floor))
        .collect();
    let whiteners: Vec<Whitener> = log_weights
        .iter()
        .zip(&parameters.means)
        .zip(&factors)
        .map(|((&log_weight, &mean), &(factor, _))| Whitener::new(log_weight, mean, factor))
        .collect();
    let pass = Evaluate { whiteners, batch, terms };
    let chunks = over_chunks(batch.len(), &pass);

    let mut total = vec![ZERO_LANES.total(); factors.len()];
    for chunk in &chunks {
        for (total, sums) in total.iter_mut().zip(&chunk.components) {
            total.add(sums);
        }
    }
    let per_point = 1.0 / batch.len() as f64;
    let c_total: f64 = total.iter().map(|sums| sums.c).sum();
    let mut gradient = Gradient::default();
    for ((sums, log_weight), &(factor, raw)) in total.iter().zip(log_weights).zip(&factors) {
        // Through softmax: ∂aₖ/∂logitⱼ = [j = k] − πⱼ.
        gradient.logits.push(per_point * (sums.c - log_weight.exp() * c_total));
        gradient.means.push(factor.whiten_transposed(sums.u).map(|v| per_point * v));
        let factor_gradient = factor_gradient(sums, factor, raw, parameters.floor);
        gradient.factors.extend(factor_gradient.map(|v| per_point * v));
    }
    Evaluation {
        value: per_point * chunks.iter().map(|chunk| chunk.value).sum::<f64>(),
        log_likelihood: per_point * chunks.iter().map(|chunk| chunk.log_likelihood).sum::<f64>(),
        gradient,
    }
}

/// ∂ℓ/∂[log L₁₁, L₂₁, log L₂₂] of the raw factor L, where the covariance is Σ = LLᵀ + floor · I = MMᵀ.
///
/// In the whitened basis G = ∂ℓ/∂Σ⁻¹ = ½cI − spread − M⁻¹(form)M⁻ᵀ; ∂ℓ/∂Σ = −M⁻ᵀGM⁻¹ and
/// ∂ℓ/∂L = 2 ∂ℓ/∂Σ L = −2 M⁻ᵀ G (M⁻¹L), lower triangle.
fn factor_gradient(sums: &Sums<f64>, factor: Cholesky, raw: Cholesky, floor: f64) -> [f64; 3] {
    let [f11, f12, f22] = sums.form;
    let first = factor.whiten([f11, f12]);
    let second = factor.whiten([f12, f22]);
    let [w11, w12] = factor.whiten([first[0], second[0]]);
    let [_, w22] = factor.whiten([first[1], second[1]]);
    let g11 = 0.5 * sums.c - sums.spread[0] - w11;
    let g12 = -sums.spread[1] - w12;
    let g22 = 0.5 * sums.c - sums.spread[2] - w22;
    // M⁻¹L, lower triangular; the identity without a floor. Its entry below the diagonal is L₂₁ − M₂₁ t₁₁ over
    // M₂₂, written without the difference.
    let t11 = raw.l11 / factor.l11;
    let t21 = raw.l21 * floor / (factor.l11 * factor.l11 * factor.l22);
    let t22 = raw.l22 / factor.l22;
    let column1 = factor.whiten_transposed([g11 * t11 + g12 * t21, g12 * t11 + g22 * t21]);
    let column2 = factor.whiten_transposed([g12 * t22, g22 * t22]);
    [-2.0 * column1[0] * raw.l11, -2.0 * column1[1], -2.0 * column2[1] * raw.l22]
}

/// What an objective passes back to one component, summed over points.
///
/// With c = ∂ℓ/∂a, h = ∂ℓ/∂g and ∂ℓ/∂Σ⁻¹ = −rA where ℓ holds −tr(AΣ⁻¹) (A, B as in [`quadratic`]):
/// ∂ℓ/∂µ = L⁻ᵀ u with u = cy + L⁻¹h, and in the basis where Σ is the identity
/// ∂ℓ/∂Σ⁻¹ = ½c(I − yyᵀ) − sym(L⁻¹h yᵀ) − r L⁻¹AL⁻ᵀ.
#[derive(Debug, Clone, Copy)]
struct Sums<T> {
    c: T,
    u: [T; 2],
    /// ½c yyᵀ + sym(L⁻¹h yᵀ), entries 11, 12, 22.
    spread: [T; 3],
    /// rA, entries 11, 12, 22.
    form: [T; 3],
}

const ZERO_LANES: Sums<Lanes> = Sums {
    c: [0.0; LANES],
    u: [[0.0; LANES]; 2],
    spread: [[0.0; LANES]; 3],
    form: [[0.0; LANES]; 3],
};

impl Sums<Lanes> {
    fn total(&self) -> Sums<f64> {
        let sum = |lanes: Lanes| lanes.iter().sum::<f64>();
        Sums {
            c: sum(self.c),
            u: self.u.map(sum),
            spread: self.spread.map(sum),
            form: self.form.map(sum),
        }
    }
}

impl Sums<f64> {
    fn add(&mut self, other: &Sums<f64>) {
        self.c += other.c;
        for i in 0..2 {
            self.u[i] += other.u[i];
        }
        for i in 0..3 {
            self.spread[i] += other.spread[i];
            self.form[i] += other.form[i];
        }
    }
}

/// What a chunk of points adds up to.
struct ChunkSums {
    value: f64,
    log_likelihood: f64,
    components: Vec<Sums<f64>>,
}
