//! The least work that a pair of a point and a component can be, to hold the kernels' times against.

use super::exp::exp_nonpositive;

/// Points that are computed side by side, as in the kernels.
const LANES: usize = 8;

/// So few points and components that all of them stay in the fastest cache.
const BLOCK_COUNT: usize = 64;
const COMPONENT_COUNT: usize = 64;

/// How many pairs one call of [`least_work`] computes.
pub const LEAST_WORK_PAIRS: usize = LANES * BLOCK_COUNT * COMPONENT_COUNT;

/// One exponential and eight multiplications for each of [`LEAST_WORK_PAIRS`] pairs: y = L⁻¹(x − µ), e = exp(−½‖y‖²),
/// and the sums of e, e y₁ and e y₂ over all pairs. On one thread, with the widest registers that the machine has;
/// nothing is normalized, stored or read from memory. `scale` is 1/L₁₁; it decides the numbers, not the time.
#[must_use]
pub fn least_work(scale: f64) -> f64 {
    pulp::Arch::new().dispatch(LeastWork { scale })
}

struct LeastWork {
    scale: f64,
}

impl pulp::NullaryFnOnce for LeastWork {
    type Output = f64;

    #[inline(always)]
    fn call(self) -> f64 {
        let spread = |i: usize, count: usize| 2.0 * i as f64 / count as f64 - 1.0;
        let mut sums = [[0.0; LANES]; 3];
        for block in 0..BLOCK_COUNT {
            let y: f64 = spread(block, BLOCK_COUNT);
            let x: [f64; LANES] = std::array::from_fn(|l| y + 0.1 * spread(l, LANES));
            for k in 0..COMPONENT_COUNT {
                let mean = spread(k, COMPONENT_COUNT);
                for l in 0..LANES {
                    let y1 = (x[l] - mean) * self.scale;
                    let y2 = (y - mean - 0.5 * y1) * self.scale;
                    let e = exp_nonpositive(-0.5 * (y1 * y1 + y2 * y2));
                    sums[0][l] += e;
                    sums[1][l] += e * y1;
                    sums[2][l] += e * y2;
                }
            }
        }
        sums.iter().flatten().sum()
    }
}
