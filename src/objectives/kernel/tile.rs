//! Tile: points that are computed together, and what is known of them for each component.

use std::ops::Range;

use pulp::Simd;

use super::{SUMS, TILE, Whitener};
use crate::lanes::{GROUP, Group, Lanes, MAX_LANES, groups, groups_mut, load};
use crate::model::Point;
use crate::objectives::Batch;

/// Coordinates of a tile's points, and the share of each: what turns its components' numbers into responsibilities.
pub(in crate::objectives) struct Tile<'a> {
    pub x: &'a mut [f64],
    pub y: &'a mut [f64],
    /// 1 for a point, 0 for a place that only fills up the tile.
    pub is_live: &'a mut [f64],
    pub share: &'a mut [f64],
}

impl<'a> Tile<'a> {
    /// Numbers that it takes.
    pub const LEN: usize = 4 * TILE;

    #[inline(always)]
    pub fn new(scratch: &'a mut [f64]) -> Tile<'a> {
        let (x, scratch) = scratch.split_at_mut(TILE);
        let (y, scratch) = scratch.split_at_mut(TILE);
        let (is_live, scratch) = scratch.split_at_mut(TILE);
        Tile { x, y, is_live, share: &mut scratch[..TILE] }
    }

    /// Fills in the points of a range; places beyond its end repeat its last point.
    #[inline(always)]
    pub fn load(&mut self, batch: Batch<'_>, range: Range<usize>) {
        for (l, index) in range.clone().enumerate() {
            [self.x[l], self.y[l]] = batch.point(index);
        }
        let count = range.len();
        self.is_live[..count].fill(1.0);
        self.is_live[count..].fill(0.0);
        let (x, y) = (self.x[count - 1], self.y[count - 1]);
        self.x[count..].fill(x);
        self.y[count..].fill(y);
    }
}

/// A chunk's tiles.
#[inline(always)]
pub(super) fn tiles(range: Range<usize>) -> impl Iterator<Item = Range<usize>> {
    let end = range.end;
    range.step_by(TILE).map(move |start| start..(start + TILE).min(end))
}

/// A tile's numbers as groups, with the instruction set that computes them.
#[inline(always)]
pub(super) fn group_of<S: Simd>(simd: S, numbers: &[f64], index: usize) -> Group<S> {
    load(simd, &groups::<S>(numbers)[index])
}

#[inline(always)]
pub(super) fn set_group<S: Simd>(numbers: &mut [f64], index: usize, group: Group<S>) {
    let registers = &mut groups_mut::<S>(numbers)[index];
    for v in 0..GROUP {
        registers[v] = group[v].register;
    }
}

/// Sums of every component, side by side: the lanes are added only when a chunk is done.
pub(super) type LaneSums<S> = [<S as Simd>::f64s; SUMS];

/// Numbers that the sums of so many components take, on any machine.
pub(super) const fn lane_sums_len(component_count: usize) -> usize {
    SUMS * MAX_LANES * component_count
}

/// Empty sums of so many components, in the first part of `memory`, and the rest of it.
#[inline(always)]
pub(super) fn lane_sums<S: Simd>(
    memory: &mut [f64],
    component_count: usize,
) -> (&mut [LaneSums<S>], &mut [f64]) {
    let (sums, rest) = memory.split_at_mut(lane_sums_len(component_count));
    sums.fill(0.0);
    let sums = pulp::as_arrays_mut(S::as_mut_simd_f64s(sums).0).0;
    (&mut sums[..component_count], rest)
}

/// Adds the lanes of every component's sums, each times its factor, to a chunk's totals.
#[inline(always)]
pub(super) fn add_lanes<S: Simd>(
    simd: S,
    sums: &[LaneSums<S>],
    factors: [f64; SUMS],
    totals: &mut [f64],
) {
    for (totals, sums) in totals.chunks_exact_mut(SUMS).zip(sums) {
        for i in 0..SUMS {
            totals[i] += factors[i] * Lanes::of(simd, sums[i]).sum();
        }
    }
}

/// A vector in every lane.
#[inline(always)]
pub(super) fn splat_2<S: Simd>(simd: S, [a, b]: Point) -> [Lanes<S>; 2] {
    [Lanes::splat(simd, a), Lanes::splat(simd, b)]
}

/// The components' log joint densities log π N(x) for one group of points, in the order of components, and the largest.
///
/// `also` sees every register's z = L⁻¹d/√2.
#[inline(always)]
pub(super) fn log_joints<S: Simd>(
    simd: S,
    whiteners: &[Whitener],
    x: Group<S>,
    y: Group<S>,
    joints: &mut [[S::f64s; GROUP]],
    mut also: impl FnMut(usize, usize, Lanes<S>, Lanes<S>),
) -> Group<S> {
    let mut max = [Lanes::splat(simd, f64::NEG_INFINITY); GROUP];
    for (k, (whitener, joint)) in whiteners.iter().zip(joints).enumerate() {
        let [mean_x, mean_y] = splat_2(simd, whitener.mean);
        let w1 = Lanes::splat(simd, whitener.z1);
        let w21 = Lanes::splat(simd, whitener.z21);
        let w2 = Lanes::splat(simd, whitener.z2);
        let log_scale = Lanes::splat(simd, whitener.log_scale);
        for v in 0..GROUP {
            let z1 = (x[v] - mean_x) * w1;
            let z2 = w21.mul_sub_from(z1, y[v] - mean_y) * w2;
            let a = z2.mul_sub_from(z2, z1.mul_sub_from(z1, log_scale));
            max[v] = max[v].max(a);
            joint[v] = a.register;
            also(k, v, z1, z2);
        }
    }
    max
}

/// Σ log p over a group's live points, from the largest joint and Σ exp(joint − largest) of each.
///
/// One logarithm for all of them, of a product of [`MAX_GROUP_LANES`](crate::lanes::MAX_GROUP_LANES) factors, which are
/// from 1 to K.
#[inline(always)]
pub(super) fn log_likelihood<S: Simd>(max: Group<S>, sum: Group<S>, is_live: Group<S>) -> f64 {
    let mut product = sum[0].where_positive(is_live[0], 1.0);
    let mut total = max[0].where_positive(is_live[0], 0.0);
    for v in 1..GROUP {
        product = product * sum[v].where_positive(is_live[v], 1.0);
        total += max[v].where_positive(is_live[v], 0.0);
    }
    total.sum() + product.product().ln()
}
