//! The least work that a pair of a point and a component can be, to hold the kernels' times against.

use pulp::Simd;

use crate::lanes::{Lanes, MAX_GROUP_LANES, WithSimd, groups, widest};

/// So few points and components that all of them stay in the fastest cache.
const POINT_COUNT: usize = 16 * MAX_GROUP_LANES;
const COMPONENT_COUNT: usize = 64;

/// How many pairs one call of [`least_work`] computes.
pub const LEAST_WORK_PAIRS: usize = POINT_COUNT * COMPONENT_COUNT;

/// One exponential and eight multiplications for each of [`LEAST_WORK_PAIRS`] pairs: z = L⁻¹(x − µ)/√2, e = exp(−‖z‖²),
/// and the sums of e, e z₁ and e z₂ over all pairs. On one thread, with the widest registers that the machine has;
/// nothing is normalized or stored. `scale` is a component's 1/L₁₁; it decides the numbers, not the time.
#[must_use]
pub fn least_work(scale: f64) -> f64 {
    widest(LeastWork { scale })
}

struct LeastWork {
    scale: f64,
}

impl WithSimd for LeastWork {
    type Output = f64;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> f64 {
        let splat = |number| Lanes::splat(simd, number);
        let spread = |i: usize, count: usize| 2.0 * i as f64 / count as f64 - 1.0;
        let points: [f64; POINT_COUNT] = std::array::from_fn(|i| spread(i, POINT_COUNT));
        let scale = splat(self.scale);
        let mut sums = [splat(0.0); 3];
        for x in groups::<S>(&points) {
            for k in 0..COMPONENT_COUNT {
                let mean = splat(spread(k, COMPONENT_COUNT));
                for &register in x {
                    let d = Lanes::of(simd, register) - mean;
                    let z1 = d * scale;
                    let z2 = splat(0.5).mul_sub_from(z1, d) * scale;
                    let e = (z1 * splat(-1.0)).mul_add(z1, -(z2 * z2)).exp_nonpositive();
                    sums[0] += e;
                    sums[1] = e.mul_add(z1, sums[1]);
                    sums[2] = e.mul_add(z2, sums[2]);
                }
            }
        }
        sums[0].sum() + sums[1].sum() + sums[2].sum()
    }
}
