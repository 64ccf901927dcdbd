//! Composite score matching: the conditional's term and the marginal's in one pass.

use std::f64::consts::{FRAC_1_SQRT_2, TAU};
use std::ops::Range;

use pulp::Simd;

use super::forms::{Forms, FormsOfTile};
use super::gradient::{Through, write_gradient};
use super::quadratic::Quadratic;
use super::tile::Tile;
use super::{Pass, SUMS, Whitener, components, over_chunks, with_whiteners};
use crate::model::{Cholesky, Parameters, Point, raised};
use crate::objectives::{Batch, Evaluation, Gradient};

/// ½s² + ∂s for the scores of log p(x) and of log p(y|x), where x is the coordinate `FIRST`, counted from 0, and y the
/// other one; the mean over points, with its gradient.
///
/// ∂ log p(y|x)/∂y = ∂ log p(x, y)/∂y: the conditional's term is the quadratic form of the joint density whose A = B
/// picks y. A mixture's marginal is the mixture of its components' marginals: its term is exact score matching on the
/// line.
pub(in crate::objectives) fn composite<const FIRST: usize>(
    parameters: &Parameters,
    batch: Batch<'_>,
    evaluation: &mut Evaluation,
) {
    let floor = parameters.floor;
    let component_count = parameters.logits.len();
    let joint = components(parameters, floor).map(Whitener::new);
    let marginals = components(parameters, floor).map(Whitener::of_marginal::<FIRST>);
    with_whiteners(joint.chain(marginals), |whiteners| {
        let (joint, marginals) = whiteners.split_at(component_count);
        let pass = Composite::<FIRST> {
            conditional: Quadratic { whiteners: joint, sharp: joint, batch, forms: &Last },
            marginal: Quadratic { whiteners: marginals, sharp: marginals, batch, forms: &Both },
        };
        over_chunks(batch.len(), 2 * component_count, &pass, |totals| {
            let per_point = 1.0 / batch.len() as f64;
            let gradient = &mut evaluation.gradient;
            let conditional = totals.components().take(component_count);
            write_gradient(parameters, floor, per_point, conditional, gradient);
            let marginal = totals.components().skip(component_count);
            add_marginal_gradient::<FIRST>(parameters, per_point, marginal, gradient);
            evaluation.value = per_point * totals.value();
            evaluation.log_likelihood = per_point * totals.log_likelihood();
        });
    });
}

struct Composite<'a, const FIRST: usize> {
    conditional: Quadratic<'a, Last<FIRST>>,
    marginal: Quadratic<'a, Both>,
}

/// A and B pick the coordinate that comes last.
struct Last<const FIRST: usize>;

impl<const FIRST: usize> Forms for Last<FIRST> {
    const A: Option<[f64; 2]> = Some(if FIRST == 0 { [0.0, 1.0] } else { [1.0, 0.0] });
    const B: Option<[f64; 2]> = Self::A;

    #[inline(always)]
    fn fill(&self, _: Range<usize>, _: usize, _: &mut Tile<'_>, _: &mut FormsOfTile<'_>) {}
}

/// A and B pick both coordinates, of which a marginal has but one.
struct Both;

impl Forms for Both {
    const A: Option<[f64; 2]> = Some([1.0; 2]);
    const B: Option<[f64; 2]> = Some([1.0; 2]);

    #[inline(always)]
    fn fill(&self, _: Range<usize>, _: usize, _: &mut Tile<'_>, _: &mut FormsOfTile<'_>) {}
}

impl<const FIRST: usize> Pass for Composite<'_, FIRST> {
    fn scratch_len(&self, _: usize) -> usize {
        self.conditional.scratch_len(self.conditional.whiteners.len())
    }

    #[inline(always)]
    fn chunk<S: Simd>(
        &self,
        simd: S,
        range: Range<usize>,
        scratch: &mut [f64],
        totals: &mut [f64],
    ) {
        let len = SUMS * self.conditional.whiteners.len();
        let (conditional, rest) = totals.split_at_mut(len);
        let (marginal, values) = rest.split_at_mut(len);
        self.conditional.add_chunk(simd, range.clone(), scratch, conditional, values);
        // The log-likelihood is that of the joint density.
        let mut of_marginal = [0.0; 2];
        self.marginal.add_chunk(simd, range, scratch, marginal, &mut of_marginal);
        values[0] += of_marginal[0];
    }
}

impl Whitener {
    /// A component's marginal on a coordinate: along the other one it is flat.
    fn of_marginal<const COORDINATE: usize>(
        (log_weight, mean, factor): (f64, Point, Cholesky),
    ) -> Whitener {
        let deviation = deviation::<COORDINATE>(factor);
        let scale = FRAC_1_SQRT_2 / deviation;
        let [scale1, scale2] = if COORDINATE == 0 { [scale, 0.0] } else { [0.0, scale] };
        let precision = (deviation * deviation).recip();
        Whitener {
            mean,
            z1: scale1,
            z21: 0.0,
            z2: scale2,
            p2: scale2,
            p1: scale1,
            p12: 0.0,
            log_scale: log_weight - 0.5 * TAU.ln() - deviation.ln(),
            precision: if COORDINATE == 0 { [precision, 0.0, 0.0] } else { [0.0, 0.0, precision] },
        }
    }
}

/// The standard deviation of a coordinate.
fn deviation<const COORDINATE: usize>(factor: Cholesky) -> f64 {
    if COORDINATE == 0 { factor.l11 } else { factor.l21.hypot(factor.l22) }
}

/// Adds the gradient that a coordinate's marginals pass back, as `gradient.rs` does for both coordinates.
///
/// With the variance V: ∂ℓ/∂V = −(½ Σc − `second`/V) / V. V is l₁₁² or l₂₁² + l₂₂², and the floor.
fn add_marginal_gradient<const COORDINATE: usize>(
    parameters: &Parameters,
    per_point: f64,
    through: impl Iterator<Item = Through> + Clone,
    gradient: &mut Gradient,
) {
    let c_total: f64 = through.clone().map(|sums| sums.zeroth).sum();
    let components = components(parameters, parameters.floor);
    let factors = parameters.factors.as_chunks().0.iter();
    let gradients = gradient.logits.iter_mut().zip(&mut gradient.means);
    let gradients = gradients.zip(gradient.factors.as_chunks_mut::<3>().0);
    for (((sums, (log_weight, _, factor)), factors), ((logit, mean), of_factors)) in
        through.zip(components).zip(factors).zip(gradients)
    {
        let deviation = deviation::<COORDINATE>(factor);
        *logit += per_point * (sums.zeroth - log_weight.exp() * c_total);
        mean[COORDINATE] += per_point * sums.first[COORDINATE] / deviation / deviation;
        let second = sums.second[2 * COORDINATE] / deviation / deviation;
        // −2∂ℓ/∂V times what V's derivatives hold besides 2.
        let along = |half: f64| {
            2.0 * per_point * (second - 0.5 * sums.zeroth) * (half / deviation / deviation)
        };
        let (_, raw) = raised(*factors, 0.0);
        if COORDINATE == 0 {
            of_factors[0] += along(raw.l11 * raw.l11);
        } else {
            of_factors[1] += along(raw.l21);
            of_factors[2] += along(raw.l22 * raw.l22);
        }
    }
}
