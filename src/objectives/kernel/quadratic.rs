//! Objectives that are quadratic in the score: (1/N) Σ tr(AH) + ½ sᵀBs, or (1/N) Σ ½‖s + t‖² with a target t; s is the
//! score and H the Hessian of log p.

use std::ops::Range;

use pulp::Simd;

use super::forms::{Forms, FormsOfTile, form, times, trace};
use super::gradient::write_gradient;
use super::moments::responsibilities;
use super::tile::{
    LaneSums, Tile, add_lanes, group_of, lane_sums, lane_sums_len, log_joints, log_likelihood,
    set_group, splat_2, tiles,
};
use super::{Pass, SUMS, TILE, Whitener, components, over_chunks, with_whiteners};
use crate::lanes::{GROUP, Group, Lanes, groups_mut, load};
use crate::model::Parameters;
use crate::objectives::{Batch, Evaluation};

/// (1/N) Σ tr(AH) + ½ sᵀBs with its gradient; s is the score at the point, H the Hessian of log p.
///
/// Exact score matching is A = B = I; one slice v is A = vvᵀ with B = I (reduced variance) or B = vvᵀ; several
/// slices are the mean of their forms and cost the same as one. Regression to a target is ½‖s + t‖², at points that
/// may have been moved.
///
/// With g = −Σ⁻¹d the score of a component, q = gᵀAg − tr(AΣ⁻¹), m = Σ rq and w = ∂ℓ/∂s = (B − 2A)s + t:
/// ℓ = m − sᵀAs + ½ sᵀBs, c = r((q + wᵀg) − (m + wᵀs)), h = r(2Ag + w) and F = rA (see `gradient.rs`).
pub(in crate::objectives) fn quadratic<F: Forms>(
    parameters: &Parameters,
    batch: Batch<'_>,
    forms: &F,
    evaluation: &mut Evaluation,
) {
    quadratic_of_blurred(parameters, Blur::NONE, batch, forms, 1.0, evaluation);
}

/// How a mixture is seen: with so much added to the diagonal of every covariance.
#[derive(Debug, Clone, Copy)]
pub(in crate::objectives) struct Blur(pub f64);

impl Blur {
    pub const NONE: Blur = Blur(0.0);
}

/// The same, times a weight, of the mixture blurred; the log-likelihood is that of the mixture itself.
pub(in crate::objectives) fn quadratic_of_blurred<F: Forms>(
    parameters: &Parameters,
    Blur(variance): Blur,
    batch: Batch<'_>,
    forms: &F,
    weight: f64,
    evaluation: &mut Evaluation,
) {
    let component_count = parameters.logits.len();
    let floor = parameters.floor + variance;
    let sharp_count = if variance > 0.0 { component_count } else { 0 };
    let seen = components(parameters, floor).map(Whitener::new);
    let sharp = components(parameters, parameters.floor).map(Whitener::new).take(sharp_count);
    with_whiteners(seen.chain(sharp), |whiteners| {
        let (whiteners, sharp) = whiteners.split_at(component_count);
        let sharp = if sharp.is_empty() { whiteners } else { sharp };
        let pass = Quadratic { whiteners, sharp, batch, forms };
        over_chunks(batch.len(), component_count, &pass, |totals| {
            let share = weight / (batch.len() * forms.draw_count()) as f64;
            let gradient = &mut evaluation.gradient;
            write_gradient(parameters, floor, share, totals.components(), gradient);
            evaluation.value = share * totals.value();
            evaluation.log_likelihood = totals.log_likelihood() / batch.len() as f64;
        });
    });
}

pub(super) struct Quadratic<'a, F> {
    pub whiteners: &'a [Whitener],
    /// The components whose log-likelihood is wanted, where the points are moved.
    pub sharp: &'a [Whitener],
    pub batch: Batch<'a>,
    pub forms: &'a F,
}

/// What is known of a tile's points once all components have been seen. With p = −½g:
struct Points<'a> {
    /// W = 2w.
    w1: &'a mut [f64],
    w2: &'a mut [f64],
    /// m + wᵀs. Unused where there are targets.
    base: &'a mut [f64],
    /// t = −½s. Used where there are targets.
    t1: &'a mut [f64],
    t2: &'a mut [f64],
    /// Used where they differ from point to point.
    forms: FormsOfTile<'a>,
}

impl<'a> Points<'a> {
    const LEN: usize = 13 * TILE;

    #[inline(always)]
    fn new(scratch: &'a mut [f64]) -> Points<'a> {
        let [w1, w2, base, t1, t2, a11, a12, a22, b11, b12, b22, target1, target2] =
            split(scratch, TILE);
        let target = [target1, target2];
        let forms = FormsOfTile { a: [a11, a12, a22], b: [b11, b12, b22], target };
        Points { w1, w2, base, t1, t2, forms }
    }
}

/// What is known of a tile's points for each component, group after group.
struct Pairs<'a, S: Simd> {
    /// exp(joint − largest joint).
    e: &'a mut [[S::f64s; GROUP]],
    /// p = −½g = ½Σ⁻¹d.
    p1: &'a mut [[S::f64s; GROUP]],
    p2: &'a mut [[S::f64s; GROUP]],
    q: &'a mut [[S::f64s; GROUP]],
}

#[inline(always)]
fn split<const N: usize>(mut memory: &mut [f64], len: usize) -> [&mut [f64]; N] {
    std::array::from_fn(|_| {
        let (first, rest) = std::mem::take(&mut memory).split_at_mut(len);
        memory = rest;
        first
    })
}

impl<F: Forms> Pass for Quadratic<'_, F> {
    fn scratch_len(&self, component_count: usize) -> usize {
        lane_sums_len(component_count) + Tile::LEN + Points::LEN + 4 * TILE * component_count
    }

    #[inline(always)]
    fn chunk<S: Simd>(
        &self,
        simd: S,
        range: Range<usize>,
        scratch: &mut [f64],
        totals: &mut [f64],
    ) {
        let (totals, values) = totals.split_at_mut(SUMS * self.whiteners.len());
        self.add_chunk(simd, range, scratch, totals, values);
    }
}

impl<F: Forms> Quadratic<'_, F> {
    /// Adds a chunk's sums of every component to `totals`; its objective and log-likelihood to `values`.
    #[inline(always)]
    pub fn add_chunk<S: Simd>(
        &self,
        simd: S,
        range: Range<usize>,
        scratch: &mut [f64],
        totals: &mut [f64],
        values: &mut [f64],
    ) {
        let component_count = self.whiteners.len();
        let (sums, scratch) = lane_sums::<S>(scratch, component_count);
        let (tile, scratch) = scratch.split_at_mut(Tile::LEN);
        let (points, scratch) = scratch.split_at_mut(Points::LEN);
        let (mut tile, mut points) = (Tile::new(tile), Points::new(points));
        let [e, p1, p2, q] = split(scratch, TILE * component_count).map(groups_mut::<S>);
        let mut pairs: Pairs<'_, S> = Pairs { e, p1, p2, q };
        let group_count = pairs.e.len() / component_count;
        for range in tiles(range) {
            tile.load(self.batch, range.clone());
            if F::HAS_TARGETS {
                let by_group = pairs.e.chunks_exact_mut(component_count);
                for (group, joints) in by_group.enumerate() {
                    let (max, sum) = responsibilities(simd, self.sharp, &mut tile, group, joints);
                    let is_live = group_of(simd, tile.is_live, group);
                    values[1] += log_likelihood(max, sum, is_live);
                }
            }
            for draw in 0..self.forms.draw_count() {
                if draw > 0 {
                    // Not where the last draw moved them.
                    tile.load(self.batch, range.clone());
                }
                self.forms.fill(range.clone(), draw, &mut tile, &mut points.forms);
                points.forms.clear_beyond(range.len());
                for group in 0..group_count {
                    let [value, log_likelihood] =
                        self.evaluate_group(simd, &mut tile, &mut points, group, &mut pairs);
                    values[0] += value;
                    if !F::HAS_TARGETS {
                        values[1] += log_likelihood;
                    }
                }
                self.add_gradients(simd, &tile, &points, &pairs, sums);
            }
        }
        add_lanes(simd, sums, [2.0, 1.0, 1.0, 1.0, 0.5, 1.0], totals);
    }

    /// Looks at all components from one group of points: fills in the group's pairs and points, and returns the sums of
    /// the objective's terms and of log p.
    #[inline(always)]
    fn evaluate_group<S: Simd>(
        &self,
        simd: S,
        tile: &mut Tile<'_>,
        points: &mut Points<'_>,
        group: usize,
        pairs: &mut Pairs<'_, S>,
    ) -> [f64; 2] {
        let splat = |number| Lanes::splat(simd, number);
        let zero: Group<S> = [splat(0.0); GROUP];
        let component_count = self.whiteners.len();
        let of_group = group * component_count..(group + 1) * component_count;
        let e = &mut pairs.e[of_group.clone()];
        let p1 = &mut pairs.p1[of_group.clone()];
        let p2 = &mut pairs.p2[of_group.clone()];
        let q = &mut pairs.q[of_group];

        let (x, y) = (group_of(simd, tile.x, group), group_of(simd, tile.y, group));
        let max = log_joints(
            simd,
            self.whiteners,
            x,
            y,
            e,
            #[inline(always)]
            |k, v, z1, z2| {
                let whitener = &self.whiteners[k];
                let second = z2 * splat(whitener.p2);
                let first = second.mul_sub_from(splat(whitener.p12), z1 * splat(whitener.p1));
                p1[k][v] = first.register;
                p2[k][v] = second.register;
            },
        );

        let a = form(simd, F::A, &points.forms.a, group);
        let (mut sum, mut t1, mut t2, mut m) = (zero, zero, zero, zero);
        for (k, whitener) in self.whiteners.iter().enumerate() {
            let [s11, s12, s22] = whitener.precision;
            let (s11, s12, s22) = (splat(s11), splat(s12), splat(s22));
            for v in 0..GROUP {
                let r = (Lanes::of(simd, e[k][v]) - max[v]).exp_nonpositive();
                let (p1, p2) = (Lanes::of(simd, p1[k][v]), Lanes::of(simd, p2[k][v]));
                sum[v] += r;
                t1[v] = r.mul_add(p1, t1[v]);
                t2[v] = r.mul_add(p2, t2[v]);
                e[k][v] = r.register;
                if !F::HAS_TARGETS {
                    // q = 4pᵀAp − tr(AΣ⁻¹)
                    let (ap1, ap2) = times(simd, F::A, &a, v, p1, p2);
                    let trace = trace(simd, F::A, &a, v, [s11, s12, s22]);
                    let p_ap = p1.mul_add(ap1, p2 * ap2);
                    let q_here = p_ap.mul_add(splat(4.0), -trace);
                    m[v] = r.mul_add(q_here, m[v]);
                    q[k][v] = q_here.register;
                }
            }
        }

        let is_live = group_of(simd, tile.is_live, group);
        let b = form(simd, F::B, &points.forms.b, group);
        let (mut target1, mut target2) = (zero, zero);
        if F::HAS_TARGETS {
            target1 = group_of(simd, points.forms.target[0], group);
            target2 = group_of(simd, points.forms.target[1], group);
        }
        let (mut share, mut w1, mut w2, mut base) = (zero, zero, zero, zero);
        let (mut center1, mut center2) = (zero, zero);
        let mut value = splat(0.0);
        for v in 0..GROUP {
            let reciprocal = sum[v].recip();
            let (t1, t2, m) = (t1[v] * reciprocal, t2[v] * reciprocal, m[v] * reciprocal);
            let term = if F::HAS_TARGETS {
                // With t = Σ rp = −½s and u = s + target: W = 2u, ℓ = ½‖u‖².
                let (u1, u2) = (target1[v] - (t1 + t1), target2[v] - (t2 + t2));
                w1[v] = u1 + u1;
                w2[v] = u2 + u2;
                let square = u1.mul_add(u1, u2 * u2);
                match self.forms.mean_of_targets() {
                    None => splat(0.5) * square,
                    Some(mean) => {
                        let drawn = target1[v].mul_add(target1[v], target2[v] * target2[v]);
                        (square - drawn).mul_add(splat(0.5), splat(mean))
                    }
                }
            } else {
                // Likewise W = 2w = 4(2A − B)t, ℓ = m − 4tᵀAt + 2tᵀBt.
                let (at1, at2) = times(simd, F::A, &a, v, t1, t2);
                let (bt1, bt2) = times(simd, F::B, &b, v, t1, t2);
                let (t_at, t_bt) = (t1.mul_add(at1, t2 * at2), t1.mul_add(bt1, t2 * bt2));
                w1[v] = splat(4.0) * (at1 + at1 - bt1);
                w2[v] = splat(4.0) * (at2 + at2 - bt2);
                t_at.mul_add(splat(-4.0), t_bt.mul_add(splat(2.0), m))
            };
            // m + wᵀs = m − Wᵀt
            base[v] = m - w1[v].mul_add(t1, w2[v] * t2);
            center1[v] = t1;
            center2[v] = t2;
            value += term * is_live[v];
            share[v] = splat(0.5) * is_live[v] * reciprocal;
        }
        set_group(tile.share, group, share);
        set_group(points.w1, group, w1);
        set_group(points.w2, group, w2);
        if F::HAS_TARGETS {
            set_group(points.t1, group, center1);
            set_group(points.t2, group, center2);
        } else {
            set_group(points.base, group, base);
        }
        [value.sum(), log_likelihood(max, sum, is_live)]
    }

    /// Adds what a tile's points pass back to every component: half of Σ c, twice the mixed entry of the second order.
    #[inline(always)]
    fn add_gradients<S: Simd>(
        &self,
        simd: S,
        tile: &Tile<'_>,
        points: &Points<'_>,
        pairs: &Pairs<'_, S>,
        sums: &mut [LaneSums<S>],
    ) {
        let splat = |number| Lanes::splat(simd, number);
        let zero: Group<S> = [splat(0.0); GROUP];
        let component_count = self.whiteners.len();
        for (k, (whitener, sums)) in self.whiteners.iter().zip(sums).enumerate() {
            let [mean_x, mean_y] = splat_2(simd, whitener.mean);
            let mut total = load(simd, sums);
            let mut r_total = splat(0.0);
            for group in 0..pairs.e.len() / component_count {
                let pair = group * component_count + k;
                let e = load(simd, &pairs.e[pair]);
                let mut q = zero;
                if !F::HAS_TARGETS {
                    q = load(simd, &pairs.q[pair]);
                }
                let (p1, p2) = (load(simd, &pairs.p1[pair]), load(simd, &pairs.p2[pair]));
                let (x, y) = (group_of(simd, tile.x, group), group_of(simd, tile.y, group));
                let share = group_of(simd, tile.share, group);
                let w1 = group_of(simd, points.w1, group);
                let w2 = group_of(simd, points.w2, group);
                let (mut base, mut t1, mut t2) = (zero, zero, zero);
                if F::HAS_TARGETS {
                    t1 = group_of(simd, points.t1, group);
                    t2 = group_of(simd, points.t2, group);
                } else {
                    base = group_of(simd, points.base, group);
                }
                let a = form(simd, F::A, &points.forms.a, group);
                for v in 0..GROUP {
                    // ½r, ½c = ½r(q − Wᵀp − base), h = ½r(W − 8Ap).
                    let r = e[v] * share[v];
                    let (d1, d2) = (x[v] - mean_x, y[v] - mean_y);
                    let q = if F::HAS_TARGETS {
                        // −Wᵀ(p − t): where one component owns the point, this is zero to the last digit.
                        let (apart1, apart2) = (p1[v] - t1[v], p2[v] - t2[v]);
                        -w1[v].mul_add(apart1, w2[v] * apart2)
                    } else {
                        w1[v].mul_sub_from(p1[v], w2[v].mul_sub_from(p2[v], q[v] - base[v]))
                    };
                    let c = r * q;
                    let (ap1, ap2) = times(simd, F::A, &a, v, p1[v], p2[v]);
                    let h1 = r * ap1.mul_sub_from(splat(8.0), w1[v]);
                    let h2 = r * ap2.mul_sub_from(splat(8.0), w2[v]);
                    // ½cd + h
                    let (b1, b2) = (c.mul_add(d1, h1), c.mul_add(d2, h2));
                    total[0] += c;
                    total[1] += c.mul_add(d1, b1);
                    total[2] += c.mul_add(d2, b2);
                    total[3] = b1.mul_add(d1, total[3]);
                    total[4] = b1.mul_add(d2, b2.mul_add(d1, total[4]));
                    total[5] = b2.mul_add(d2, total[5]);
                    if F::A.is_some() {
                        r_total += r;
                    } else {
                        let r = r + r;
                        total[3] = r.mul_add(a[0][v], total[3]);
                        total[4] = (r + r).mul_add(a[1][v], total[4]);
                        total[5] = r.mul_add(a[2][v], total[5]);
                    }
                }
            }
            if let Some([a11, a22]) = F::A {
                total[3] += (r_total + r_total) * splat(a11);
                total[5] += (r_total + r_total) * splat(a22);
            }
            for i in 0..SUMS {
                sums[i] = total[i].register;
            }
        }
    }
}
