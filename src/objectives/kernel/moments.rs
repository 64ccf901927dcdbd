//! Moments of every component under the responsibilities: all that the likelihood asks of the data.

use std::ops::Range;

use pulp::Simd;

use super::gradient::{Through, write_gradient};
use super::tile::{
    LaneSums, Tile, add_lanes, group_of, lane_sums, lane_sums_len, log_joints, log_likelihood,
    set_group, splat_2, tiles,
};
use super::{Pass, SUMS, Sums, TILE, Whitener, over_chunks, with_mixture, with_parameters};
use crate::lanes::{GROUP, Group, Lanes, groups, groups_mut, load};
use crate::model::{Mixture, Parameters, Point, Symmetric};
use crate::objectives::{Batch, Evaluation};

/// What the E-step tells the M-step of one component.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Moments {
    /// nₖ = Σ rₙₖ.
    pub count: f64,
    /// (1/nₖ) Σ r x; the component's own mean where `count` is 0.
    pub mean: Point,
    /// Σ r (x − mean)(x − mean)ᵀ, not divided by nₖ.
    pub scatter: Symmetric,
}

impl Moments {
    /// From the sums around the component's present mean; the scatter follows by the shift to the new one.
    ///
    /// What cancels there is of the order of the square of the shift, which vanishes as EM converges: the covariance's
    /// relative error is ε(1 + shift²/σ²). Only a component that shrinks by eight orders of magnitude in one step loses
    /// all its digits, which a covariance floor forbids.
    fn new(mean: Point, sums: Sums) -> Moments {
        let count = sums.zeroth;
        if count == 0.0 {
            return Moments { count, mean, scatter: [0.0; 3] };
        }
        let shift = sums.first.map(|sum| sum / count);
        let [s11, s12, s22] = sums.second;
        Moments {
            count,
            mean: [mean[0] + shift[0], mean[1] + shift[1]],
            scatter: [
                s11 - sums.first[0] * shift[0],
                s12 - sums.first[0] * shift[1],
                s22 - sums.first[1] * shift[1],
            ],
        }
    }
}

/// The E-step: moments of every component under the responsibilities into `moments`; returns the mean log-likelihood
/// in nats per point, NaN without points.
pub fn expectation(mixture: &Mixture, points: &[Point], moments: &mut Vec<Moments>) -> f64 {
    with_mixture(mixture, |whiteners| {
        let pass = MomentSums::<true> { whiteners, batch: Batch::all(points) };
        over_chunks(points.len(), whiteners.len(), &pass, |totals| {
            moments.clear();
            let components = totals.components().zip(whiteners);
            moments.extend(components.map(|(sums, whitener)| Moments::new(whitener.mean, sums)));
            totals.log_likelihood() / points.len() as f64
        })
    })
}

/// −(1/N) Σ log p(xₙ) with its gradient: the chain rule on the moments, c = −r.
pub(in crate::objectives) fn negative_log_likelihood(
    parameters: &Parameters,
    batch: Batch<'_>,
    evaluation: &mut Evaluation,
) {
    with_parameters(parameters, |whiteners| {
        let pass = MomentSums::<true> { whiteners, batch };
        over_chunks(batch.len(), whiteners.len(), &pass, |totals| {
            let through = totals.components().map(|sums| Through {
                zeroth: -sums.zeroth,
                first: sums.first.map(|sum| -sum),
                second: sums.second.map(|sum| -0.5 * sum),
            });
            let per_point = 1.0 / batch.len() as f64;
            let gradient = &mut evaluation.gradient;
            write_gradient(parameters, parameters.floor, per_point, through, gradient);
            evaluation.log_likelihood = totals.log_likelihood() / batch.len() as f64;
            evaluation.value = -evaluation.log_likelihood;
        });
    });
}

/// Mean log-likelihood of points, in nats per point. NaN without points.
#[must_use]
pub fn mean_log_likelihood(mixture: &Mixture, points: &[Point]) -> f64 {
    with_mixture(mixture, |whiteners| {
        let pass = MomentSums::<false> { whiteners, batch: Batch::all(points) };
        over_chunks(points.len(), whiteners.len(), &pass, |totals| {
            totals.log_likelihood() / points.len() as f64
        })
    })
}

/// Adds up log p and, where they are wanted, the moments.
struct MomentSums<'a, const WITH_MOMENTS: bool> {
    whiteners: &'a [Whitener],
    batch: Batch<'a>,
}

impl<const WITH_MOMENTS: bool> Pass for MomentSums<'_, WITH_MOMENTS> {
    fn scratch_len(&self, component_count: usize) -> usize {
        lane_sums_len(component_count) + Tile::LEN + TILE * component_count
    }

    #[inline(always)]
    fn chunk<S: Simd>(
        &self,
        simd: S,
        range: Range<usize>,
        scratch: &mut [f64],
        totals: &mut [f64],
    ) {
        let (sums, scratch) = lane_sums::<S>(scratch, self.whiteners.len());
        let (tile, joints) = scratch.split_at_mut(Tile::LEN);
        let mut tile = Tile::new(tile);
        let joints = groups_mut::<S>(joints);
        let (totals, values) = totals.split_at_mut(SUMS * self.whiteners.len());
        for range in tiles(range) {
            tile.load(self.batch, range);
            let by_group = joints.chunks_exact_mut(self.whiteners.len());
            for (group, joints) in by_group.enumerate() {
                let (max, sum) = responsibilities(simd, self.whiteners, &mut tile, group, joints);
                let is_live = group_of(simd, tile.is_live, group);
                values[1] += log_likelihood(max, sum, is_live);
            }
            if WITH_MOMENTS {
                add_moments(simd, self.whiteners, &tile, joints, sums);
            }
        }
        add_lanes(simd, sums, [1.0; SUMS], totals);
    }
}

/// exp(joint − largest joint) of a group's points for all components, and their shares, so that the product of both is
/// the responsibility, 0 for a point that is not live. Returns the largest joints, and the sums of their
/// exponentials.
#[inline(always)]
pub(super) fn responsibilities<S: Simd>(
    simd: S,
    whiteners: &[Whitener],
    tile: &mut Tile<'_>,
    group: usize,
    joints: &mut [[S::f64s; GROUP]],
) -> (Group<S>, Group<S>) {
    let (x, y) = (group_of(simd, tile.x, group), group_of(simd, tile.y, group));
    let max = log_joints(simd, whiteners, x, y, joints, |_, _, _, _| {});
    let mut sum: Group<S> = [Lanes::splat(simd, 0.0); GROUP];
    for joint in joints {
        for v in 0..GROUP {
            let e = (Lanes::of(simd, joint[v]) - max[v]).exp_nonpositive();
            sum[v] += e;
            joint[v] = e.register;
        }
    }
    let is_live = group_of(simd, tile.is_live, group);
    let mut share = sum;
    for v in 0..GROUP {
        share[v] = is_live[v] * sum[v].recip();
    }
    set_group(tile.share, group, share);
    (max, sum)
}

/// Adds Σ r, Σ r d and Σ r ddᵀ of a tile's points to every component's sums, with r = e · share.
#[inline(always)]
pub(super) fn add_moments<S: Simd>(
    simd: S,
    whiteners: &[Whitener],
    tile: &Tile<'_>,
    joints: &[[S::f64s; GROUP]],
    sums: &mut [LaneSums<S>],
) {
    let (xs, ys) = (groups::<S>(tile.x), groups::<S>(tile.y));
    let shares = groups::<S>(tile.share);
    for (k, (whitener, sums)) in whiteners.iter().zip(sums).enumerate() {
        let [mean_x, mean_y] = splat_2(simd, whitener.mean);
        let mut total = load(simd, sums);
        let by_group = joints.chunks_exact(whiteners.len()).map(|joints| &joints[k]);
        for (((e, x), y), share) in by_group.zip(xs).zip(ys).zip(shares) {
            let (e, share) = (load(simd, e), load(simd, share));
            let (x, y) = (load(simd, x), load(simd, y));
            for v in 0..GROUP {
                let r = e[v] * share[v];
                let (d1, d2) = (x[v] - mean_x, y[v] - mean_y);
                let (r1, r2) = (r * d1, r * d2);
                total[0] += r;
                total[1] += r1;
                total[2] += r2;
                total[3] = r1.mul_add(d1, total[3]);
                total[4] = r1.mul_add(d2, total[4]);
                total[5] = r2.mul_add(d2, total[5]);
            }
        }
        for i in 0..SUMS {
            sums[i] = total[i].register;
        }
    }
}
