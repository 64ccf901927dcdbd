//! Noise contrast: how a point's density compares with that of two points beside it.

use std::ops::Range;

use pulp::Simd;

use super::gradient::write_gradient;
use super::moments::{add_moments, responsibilities};
use super::tile::{
    Tile, add_lanes, group_of, lane_sums, lane_sums_len, log_likelihood, set_group, tiles,
};
use super::{Pass, SUMS, TILE, Whitener, over_chunks, with_parameters};
use crate::lanes::groups_mut;
use crate::model::{Parameters, Point};
use crate::objectives::{Batch, Evaluation};

/// The shifts of a batch's points.
pub(in crate::objectives) trait Shifts: Sync {
    /// How many shifts each point has; the objective is the mean over them.
    fn draw_count(&self) -> usize;

    /// Writes one shift of every point at a range of places, which starts at a multiple of the tile's length.
    fn fill(&self, places: Range<usize>, draw: usize, shifts: &mut [Point]);
}

/// (1/N) Σ log(1 + p(x−v)/p(x)) + log(1 + p(x+v)/p(x)) with its gradient, the mean over the shifts v of every point.
///
/// With u± = log p(x±v) − log p(x) and the logistic function h± = 1/(1 + exp(−u±)): ℓ = Σ± log(1 + exp u±), so that
/// log p(x±v) passes back h±, and log p(x) passes back −(h₊ + h₋).
pub(in crate::objectives) fn contrast<H: Shifts>(
    parameters: &Parameters,
    batch: Batch<'_>,
    shifts: &H,
    evaluation: &mut Evaluation,
) {
    with_parameters(parameters, |whiteners| {
        let pass = Contrast { whiteners, batch, shifts };
        over_chunks(batch.len(), whiteners.len(), &pass, |totals| {
            let share = 1.0 / (batch.len() * shifts.draw_count()) as f64;
            let gradient = &mut evaluation.gradient;
            write_gradient(parameters, parameters.floor, share, totals.components(), gradient);
            evaluation.value = share * totals.value();
            evaluation.log_likelihood = totals.log_likelihood() / batch.len() as f64;
        });
    });
}

struct Contrast<'a, H> {
    whiteners: &'a [Whitener],
    batch: Batch<'a>,
    shifts: &'a H,
}

/// What is known of a tile's points.
struct Centers<'a> {
    /// Largest joint and log p, here and at the point itself.
    max: &'a mut [f64],
    log_density: &'a mut [f64],
    /// The share of the point itself (see [`Tile`]).
    share: &'a mut [f64],
    /// Σ h over all that was compared with it.
    passed: &'a mut [f64],
}

impl<H: Shifts> Pass for Contrast<'_, H> {
    fn scratch_len(&self, component_count: usize) -> usize {
        lane_sums_len(component_count) + Tile::LEN + 4 * TILE + 2 * TILE * component_count
    }

    #[inline(always)]
    fn chunk<S: Simd>(
        &self,
        simd: S,
        range: Range<usize>,
        scratch: &mut [f64],
        totals: &mut [f64],
    ) {
        let component_count = self.whiteners.len();
        let (sums, scratch) = lane_sums::<S>(scratch, component_count);
        let (tile, scratch) = scratch.split_at_mut(Tile::LEN);
        let mut tile = Tile::new(tile);
        let (max, scratch) = scratch.split_at_mut(TILE);
        let (log_density, scratch) = scratch.split_at_mut(TILE);
        let (share, scratch) = scratch.split_at_mut(TILE);
        let (passed, scratch) = scratch.split_at_mut(TILE);
        let mut centers = Centers { max, log_density, share, passed };
        let (own, other) = scratch.split_at_mut(TILE * component_count);
        let (totals, values) = totals.split_at_mut(SUMS * component_count);
        for range in tiles(range) {
            let count = range.len();
            tile.load(self.batch, range.clone());
            values[1] += self.look(simd, &mut tile, centers.max, own);
            centers.share.copy_from_slice(tile.share);
            centers.passed.fill(0.0);
            for l in 0..count {
                centers.log_density[l] = centers.max[l] - tile.share[l].ln();
            }
            let mut shifts = [[0.0; 2]; TILE];
            for draw in 0..self.shifts.draw_count() {
                self.shifts.fill(range.clone(), draw, &mut shifts[..count]);
                for sign in [-1.0, 1.0] {
                    tile.load(self.batch, range.clone());
                    for (l, shift) in shifts[..count].iter().enumerate() {
                        tile.x[l] += sign * shift[0];
                        tile.y[l] += sign * shift[1];
                    }
                    self.look(simd, &mut tile, centers.max, other);
                    values[0] += centers.compare(&mut tile, count);
                    let joints = groups_mut::<S>(other);
                    add_moments(simd, self.whiteners, &tile, joints, sums);
                }
            }
            tile.load(self.batch, range);
            for l in 0..TILE {
                tile.share[l] = -centers.passed[l] * centers.share[l];
            }
            add_moments(simd, self.whiteners, &tile, groups_mut::<S>(own), sums);
        }
        add_lanes(simd, sums, [1.0, 1.0, 1.0, 0.5, 0.5, 0.5], totals);
    }
}

impl<H: Shifts> Contrast<'_, H> {
    /// Fills in the joints, the largest ones and the shares of a tile's points; returns Σ log p.
    #[inline(always)]
    fn look<S: Simd>(
        &self,
        simd: S,
        tile: &mut Tile<'_>,
        largest: &mut [f64],
        joints: &mut [f64],
    ) -> f64 {
        let mut total = 0.0;
        let by_group = groups_mut::<S>(joints).chunks_exact_mut(self.whiteners.len());
        for (group, joints) in by_group.enumerate() {
            let (max, sum) = responsibilities(simd, self.whiteners, tile, group, joints);
            set_group(largest, group, max);
            total += log_likelihood(max, sum, group_of(simd, tile.is_live, group));
        }
        total
    }
}

impl Centers<'_> {
    /// Compares a tile of other points with this one: turns the others' shares into what they pass back, and returns
    /// the sum of the terms.
    #[inline(always)]
    fn compare(&mut self, others: &mut Tile<'_>, count: usize) -> f64 {
        let mut total = 0.0;
        for l in 0..count {
            // A share is the reciprocal of Σ exp(joint − largest).
            let difference = (self.max[l] - others.share[l].ln()) - self.log_density[l];
            let small = (-difference.abs()).exp();
            let term = difference.max(0.0) + small.ln_1p();
            let h = if difference > 0.0 { 1.0 / (1.0 + small) } else { small / (1.0 + small) };
            others.share[l] *= h;
            self.passed[l] += h;
            total += term;
        }
        total
    }
}
