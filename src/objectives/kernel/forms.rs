//! Forms: what a quadratic objective asks of each point's score and Hessian.

use std::ops::Range;

use pulp::Simd;

use super::tile::{Tile, group_of};
use crate::lanes::{GROUP, Group, Lanes};
use crate::model::Symmetric;

/// The identity, as entries 11, 12, 22.
pub(in crate::objectives) const IDENTITY: Symmetric = [1.0, 0.0, 1.0];

/// What is taken at a batch's points: tr(AH) + ½ sᵀBs with matrices A and B, or ½‖s + t‖² with a target t.
pub(in crate::objectives) trait Forms: Sync {
    /// The diagonal of A, where it is diagonal and the same for all points, which saves a third of the work.
    const A: Option<[f64; 2]> = None;
    /// Likewise of B.
    const B: Option<[f64; 2]> = None;
    /// True for ½‖s + t‖², which needs no Hessian; A is 0 and B is the identity there.
    const HAS_TARGETS: bool = false;

    /// How many looks are taken at every point; the objective is their mean.
    fn draw_count(&self) -> usize {
        1
    }

    /// The mean of ½‖t‖² over the targets that could have been drawn, if it is to stand in for that of those that were:
    /// the difference does not depend on θ, and its scatter would hide what does.
    fn mean_of_targets(&self) -> Option<f64> {
        None
    }

    /// Writes the forms of the points at a range of places, which starts at a multiple of the tile's length. Only where
    /// there are targets, it may move the points, too.
    fn fill(
        &self,
        places: Range<usize>,
        draw: usize,
        tile: &mut Tile<'_>,
        forms: &mut FormsOfTile<'_>,
    );
}

/// The forms of a tile's points, one number a point: entries 11, 12, 22 of A and of B, coordinates of t.
pub(in crate::objectives) struct FormsOfTile<'a> {
    pub a: [&'a mut [f64]; 3],
    pub b: [&'a mut [f64]; 3],
    pub target: [&'a mut [f64]; 2],
}

impl FormsOfTile<'_> {
    /// Sets A of the point at place `l` of the tile.
    #[inline(always)]
    pub fn set_a(&mut self, l: usize, [a11, a12, a22]: Symmetric) {
        self.a[0][l] = a11;
        self.a[1][l] = a12;
        self.a[2][l] = a22;
    }

    /// Sets B of the point at place `l` of the tile.
    #[inline(always)]
    pub fn set_b(&mut self, l: usize, [b11, b12, b22]: Symmetric) {
        self.b[0][l] = b11;
        self.b[1][l] = b12;
        self.b[2][l] = b22;
    }

    /// Sets B of all points.
    #[inline(always)]
    pub fn set_all_b(&mut self, b: Symmetric) {
        for (entries, b) in self.b.iter_mut().zip(b) {
            entries.fill(b);
        }
    }

    /// Clears what lies beyond so many points: another pass may have left NaN there.
    #[inline(always)]
    pub(super) fn clear_beyond(&mut self, count: usize) {
        for entries in self.a.iter_mut().chain(&mut self.b).chain(&mut self.target) {
            entries[count..].fill(0.0);
        }
    }
}

/// The forms' entries 11, 12, 22 for a group of points; whatever where all are the same.
#[inline(always)]
pub(super) fn form<S: Simd>(
    simd: S,
    diagonal: Option<[f64; 2]>,
    entries: &[&mut [f64]; 3],
    group: usize,
) -> [Group<S>; 3] {
    if diagonal.is_some() {
        return [[Lanes::splat(simd, 0.0); GROUP]; 3];
    }
    [
        group_of(simd, entries[0], group),
        group_of(simd, entries[1], group),
        group_of(simd, entries[2], group),
    ]
}

/// A times a vector, in register v of a group. The diagonal is known when this is compiled.
#[inline(always)]
pub(super) fn times<S: Simd>(
    simd: S,
    diagonal: Option<[f64; 2]>,
    a: &[Group<S>; 3],
    v: usize,
    p1: Lanes<S>,
    p2: Lanes<S>,
) -> (Lanes<S>, Lanes<S>) {
    match diagonal {
        Some([a11, a22]) => (scaled(simd, a11, p1), scaled(simd, a22, p2)),
        None => (a[0][v].mul_add(p1, a[1][v] * p2), a[1][v].mul_add(p1, a[2][v] * p2)),
    }
}

/// tr(AΣ⁻¹) in register v of a group, with entries 11, 12, 22 of Σ⁻¹.
#[inline(always)]
pub(super) fn trace<S: Simd>(
    simd: S,
    diagonal: Option<[f64; 2]>,
    a: &[Group<S>; 3],
    v: usize,
    [s11, s12, s22]: [Lanes<S>; 3],
) -> Lanes<S> {
    match diagonal {
        Some([1.0, 0.0]) => s11,
        Some([0.0, 1.0]) => s22,
        Some([a11, a22]) => scaled(simd, a11, s11) + scaled(simd, a22, s22),
        None => {
            let twice = a[1][v] + a[1][v];
            a[0][v].mul_add(s11, twice.mul_add(s12, a[2][v] * s22))
        }
    }
}

#[inline(always)]
fn scaled<S: Simd>(simd: S, factor: f64, lanes: Lanes<S>) -> Lanes<S> {
    if factor == 1.0 {
        lanes
    } else if factor == 0.0 {
        Lanes::splat(simd, 0.0)
    } else {
        lanes * Lanes::splat(simd, factor)
    }
}
