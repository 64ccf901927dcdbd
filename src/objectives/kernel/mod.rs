//! The fused loops over points and components that the objectives share.
//!
//! One pass over the data gives value and gradient. What every pass adds up for a component is of order 0, 1 and 2 in
//! d = x − µ (`Sums`); the passes differ in the weights:
//!
//! | file | pass | who reads the sums |
//! | --- | --- | --- |
//! | `moments.rs` | Σ r, Σ r d, Σ r ddᵀ, with r = softmax(log π − log 2π|L| − ½‖L⁻¹d‖²) | EM's M-step, the NLL's gradient |
//! | `quadratic.rs` | the same with what a quadratic objective of the score passes back | score matching: exact, sliced, denoising |
//! | `composite.rs` | two of these at once: the conditional's and the marginal's | composite score matching |
//! | `contrast.rs` | moments at a point and at two shifted ones, weighted by how they compare | noise-contrastive estimation |
//! | `gradient.rs` | – | turns sums into the gradient with respect to θ |
//!
//! # How a pass runs
//!
//! The data are cut into chunks whose length depends on their number alone. Threads compute chunks in any order, each
//! into its own place; the places are added in order, so any number of threads gives the same bits. A chunk is computed
//! in tiles of `TILE` points (`tile.rs`), small enough that what is known of a tile's points for all components stays
//! in the cache: first all components' densities for a `GROUP` of registers of points, then one
//! component's sums over the tile.
//!
//! Nothing is allocated once a thread has computed with as many components and chunks: tiles and places are kept by
//! the thread. `pool.rs` keeps the other threads at hand.
//!
//! What runs inside a pass is marked `inline(always)`: only what is inlined is compiled for the wider registers.

#![expect(clippy::inline_always, reason = "only inlined code is compiled for wider registers")]

use std::cell::RefCell;
use std::ops::Range;

use pulp::Simd;
use rayon::prelude::*;

mod composite;
mod contrast;
mod forms;
mod gradient;
mod least_work;
mod moments;
mod pool;
mod quadratic;
mod tile;

pub(super) use composite::composite;
pub(super) use contrast::{Shifts, contrast};
pub(super) use forms::{Forms, FormsOfTile, IDENTITY};
pub use least_work::{LEAST_WORK_PAIRS, least_work};
pub(super) use moments::negative_log_likelihood;
pub use moments::{Moments, expectation, mean_log_likelihood};
pub(crate) use pool::{between_passes, in_pool};
pub(super) use quadratic::{Blur, quadratic, quadratic_of_blurred};
pub(super) use tile::Tile;

use crate::lanes::{MAX_GROUP_LANES, WithSimd, widest};
use crate::model::{Cholesky, Mixture, Parameters, Point, log_sum_exp, raised};

/// Points that share what is loaded of a component.
pub(super) const TILE: usize = 2 * MAX_GROUP_LANES;

/// Fewest points that one task computes.
const CHUNK: usize = 512;

/// Most chunks, so that their sums stay small beside the data.
const MAX_CHUNK_COUNT: usize = 512;

/// What the loops need to know of a component.
///
/// With z = L⁻¹d/√2 the log density falls by ‖z‖², and p = ½Σ⁻¹d is half the way back along the score.
#[derive(Debug, Clone, Copy)]
struct Whitener {
    mean: Point,
    /// z₁ = `z1` · d₁.
    z1: f64,
    /// z₂ = `z2` · (d₂ − `z21` · z₁).
    z21: f64,
    z2: f64,
    /// p₂ = `p2` · z₂.
    p2: f64,
    /// p₁ = `p1` · z₁ − `p12` · p₂.
    p1: f64,
    p12: f64,
    /// log π − log 2π − log L₁₁ − log L₂₂.
    log_scale: f64,
    /// Σ⁻¹, entries 11, 12, 22.
    precision: [f64; 3],
}

impl Whitener {
    fn new((log_weight, mean, factor): (f64, Point, Cholesky)) -> Whitener {
        use std::f64::consts::{FRAC_1_SQRT_2, SQRT_2, TAU};
        Whitener {
            mean,
            z1: FRAC_1_SQRT_2 / factor.l11,
            z21: SQRT_2 * factor.l21,
            z2: FRAC_1_SQRT_2 / factor.l22,
            p2: FRAC_1_SQRT_2 / factor.l22,
            p1: FRAC_1_SQRT_2 / factor.l11,
            p12: factor.l21 / factor.l11,
            log_scale: log_weight - TAU.ln() - factor.log_sqrt_determinant(),
            precision: factor.precision(),
        }
    }
}

/// What a pass adds up for one component: a number, a vector and a symmetric matrix (entries 11, 12, 22).
#[derive(Debug, Clone, Copy)]
struct Sums {
    zeroth: f64,
    first: Point,
    second: [f64; 3],
}

/// Numbers in a [`Sums`].
const SUMS: usize = 6;

impl Sums {
    fn of(numbers: &[f64]) -> Sums {
        Sums {
            zeroth: numbers[0],
            first: [numbers[1], numbers[2]],
            second: [numbers[3], numbers[4], numbers[5]],
        }
    }
}

/// A computation over points. Implementations are `inline(always)`.
trait Pass: Sync {
    /// Numbers that a tile of this many components needs as scratch.
    fn scratch_len(&self, component_count: usize) -> usize;

    /// Computes the points of a chunk and adds to `totals`: the sums of every component, then the objective's value
    /// and the log-likelihood.
    fn chunk<S: Simd>(&self, simd: S, range: Range<usize>, scratch: &mut [f64], totals: &mut [f64]);
}

/// A pass over one chunk, in the form in which it is compiled for every instruction set.
struct Task<'a, P> {
    pass: &'a P,
    range: Range<usize>,
    scratch: &'a mut [f64],
    totals: &'a mut [f64],
}

impl<P: Pass> WithSimd for Task<'_, P> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        self.pass.chunk(simd, self.range, self.scratch, self.totals);
    }
}

/// What a pass found.
struct Totals<'a> {
    /// [`SUMS`] numbers of every component, then the two below.
    numbers: &'a [f64],
}

impl Totals<'_> {
    fn components(&self) -> impl Iterator<Item = Sums> + Clone {
        self.numbers[..self.numbers.len() - 2].chunks_exact(SUMS).map(Sums::of)
    }

    /// Sum of the objective's terms.
    fn value(&self) -> f64 {
        self.numbers[self.numbers.len() - 2]
    }

    /// Sum of log p.
    fn log_likelihood(&self) -> f64 {
        self.numbers[self.numbers.len() - 1]
    }
}

thread_local! {
    /// A tile's numbers, for the chunks that this thread computes. Borrowed during a chunk, in which nothing may wait for
    /// the pool: a waiting thread may be given another chunk.
    static SCRATCH: RefCell<Vec<f64>> = const { RefCell::new(Vec::new()) };
    /// The chunks' totals, for the passes that this thread asks for.
    static TOTALS: RefCell<Vec<f64>> = const { RefCell::new(Vec::new()) };
    /// The components, likewise.
    static WHITENERS: RefCell<Vec<Whitener>> = const { RefCell::new(Vec::new()) };
}

#[cfg(test)]
thread_local! {
    /// How many points each pass went over that this thread asked for.
    static PASSES: RefCell<Vec<usize>> = const { RefCell::new(Vec::new()) };
}

/// How many points each pass goes over that this work asks for.
#[cfg(test)]
pub(crate) fn passes_of(work: impl FnOnce() + Send) -> Vec<usize> {
    // Alone in its pool, one thread asks for all of them.
    let pool =
        rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("a pool of one thread");
    pool.install(|| {
        PASSES.take();
        work();
        PASSES.take()
    })
}

/// Runs a pass over so many points, in parallel, and reads what it found.
fn over_chunks<P: Pass, T>(
    count: usize,
    component_count: usize,
    pass: &P,
    read: impl FnOnce(Totals<'_>) -> T,
) -> T {
    #[cfg(test)]
    PASSES.with_borrow_mut(|passes| passes.push(count));
    let chunk_len = chunk_len(count);
    let width = SUMS * component_count + 2;
    let chunk = |(i, totals): (usize, &mut [f64])| {
        totals.fill(0.0);
        let range = i * chunk_len..((i + 1) * chunk_len).min(count);
        SCRATCH.with_borrow_mut(|scratch| {
            let scratch = aligned(scratch, pass.scratch_len(component_count));
            widest(Task { pass, range, scratch, totals });
        });
    };
    // Without points, one chunk that adds nothing.
    let chunk_count = count.div_ceil(chunk_len).max(1);
    // Taken, not borrowed: while this thread waits for the others, it may be given another pass.
    let mut memory = TOTALS.take();
    if memory.len() < chunk_count * width {
        memory.resize(chunk_count * width, 0.0);
    }
    let totals = &mut memory[..chunk_count * width];
    if chunk_count == 1 || rayon::current_num_threads() == 1 {
        // Handing the work to another thread would only cost time.
        totals.chunks_exact_mut(width).enumerate().for_each(chunk);
    } else {
        totals.par_chunks_exact_mut(width).enumerate().for_each(chunk);
    }
    let (sum, others) = totals.split_at_mut(width);
    for other in others.chunks_exact(width) {
        for (sum, other) in sum.iter_mut().zip(other) {
            *sum += other;
        }
    }
    let result = read(Totals { numbers: sum });
    TOTALS.set(memory);
    result
}

/// Points in a chunk, a multiple of [`TILE`] that depends on their number alone.
fn chunk_len(count: usize) -> usize {
    count.div_ceil(MAX_CHUNK_COUNT).next_multiple_of(TILE).max(CHUNK)
}

/// So many numbers that start with a cache line: a register that straddles two takes twice as long to load.
fn aligned(memory: &mut Vec<f64>, count: usize) -> &mut [f64] {
    const LINE: usize = 8;
    if memory.len() < count + LINE {
        memory.resize(count + LINE, 0.0);
    }
    let start = memory.as_ptr().align_offset(LINE * size_of::<f64>()).min(LINE);
    &mut memory[start..start + count]
}

/// The components of a mixture, as the loops need them.
fn with_mixture<T>(mixture: &Mixture, then: impl FnOnce(&[Whitener]) -> T) -> T {
    let components = mixture.components().iter();
    with_whiteners(
        components.map(|c| Whitener::new((c.log_weight, c.gaussian.mean, c.gaussian.cholesky))),
        then,
    )
}

/// The components that θ describes, as the loops need them.
fn with_parameters<T>(parameters: &Parameters, then: impl FnOnce(&[Whitener]) -> T) -> T {
    with_whiteners(components(parameters, parameters.floor).map(Whitener::new), then)
}

/// Log weight, mean and covariance factor of every component that θ describes, with this floor.
fn components(parameters: &Parameters, floor: f64) -> impl Iterator<Item = (f64, Point, Cholesky)> {
    let log_total = log_sum_exp(&parameters.logits);
    let factors = parameters.factors.as_chunks().0.iter();
    let components = parameters.logits.iter().zip(&parameters.means).zip(factors);
    components
        .map(move |((logit, &mean), &factor)| (logit - log_total, mean, raised(factor, floor).0))
}

fn with_whiteners<T>(
    components: impl Iterator<Item = Whitener>,
    then: impl FnOnce(&[Whitener]) -> T,
) -> T {
    // Taken, not borrowed, so that nothing forbids `then` to ask for another pass.
    let mut whiteners = WHITENERS.take();
    whiteners.clear();
    whiteners.extend(components);
    let result = then(&whiteners);
    WHITENERS.set(whiteners);
    result
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lanes::by_every_instruction_set;
    use crate::model::CovarianceType;
    use crate::objectives::{Batch, Evaluation, OBJECTIVES};
    use crate::random::{Purpose, generator};
    use crate::settings::Settings;

    /// K components on a spiral, the last of weight 0.
    fn mixture(component_count: usize) -> Mixture {
        let share = |k: usize| if k + 1 == component_count { 0.0 } else { 1.0 };
        let total: f64 = (0..component_count).map(share).sum();
        let weights: Vec<f64> = (0..component_count).map(|k| share(k) / total).collect();
        let means: Vec<Point> = (0..component_count)
            .map(|k| [0.1 * k as f64 * (k as f64).cos(), 0.1 * k as f64 * (k as f64).sin()])
            .collect();
        let covariances: Vec<_> =
            (0..component_count).map(|k| [0.1 + 0.01 * k as f64, 0.02, 0.05]).collect();
        Mixture::new(&weights, &means, &covariances).unwrap()
    }

    fn assert_close(got: &[f64], want: &[f64], what: &str) {
        let size = want.iter().fold(1.0, |size: f64, v| size.max(v.abs()));
        assert_eq!(got.len(), want.len());
        for (got, want) in got.iter().zip(want) {
            assert!((got - want).abs() <= 1e-12 * size, "{what}: {got} {want}");
        }
    }

    #[test]
    fn every_instruction_set_computes_the_same() {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
        pool.install(|| {
            for (component_count, count) in
                [(2, 1), (3, TILE - 1), (7, TILE), (7, TILE + 1), (200, 1_000), (24, 5_000)]
            {
                let mixture = mixture(component_count);
                let parameters = Parameters::of(&mixture, CovarianceType::Full, 1e-3);
                let point = |i: usize| [(i % 97) as f64 / 20.0 - 2.0, (i % 89) as f64 / 15.0 - 3.0];
                let points: Vec<Point> = (0..count).map(point).collect();
                for info in OBJECTIVES {
                    let mut rng = generator(0, Purpose::Slices);
                    let objective = (info.prepare)(&Settings::default(), &mut rng);
                    let all = by_every_instruction_set(|| {
                        let Evaluation { value, log_likelihood, gradient } =
                            objective.evaluate(&parameters, Batch::all(&points));
                        let numbers = [&gradient.logits, gradient.means.as_flattened()].concat();
                        [&[value, log_likelihood][..], &numbers, &gradient.factors].concat()
                    });
                    for numbers in &all[1..] {
                        let what = format!("{} K = {component_count} N = {count}", info.id);
                        assert!(numbers.iter().all(|v| v.is_finite()), "{what}");
                        assert_close(numbers, &all[0], &what);
                    }
                }
                let all = by_every_instruction_set(|| {
                    let mut moments = Vec::new();
                    let mut numbers = vec![expectation(&mixture, &points, &mut moments)];
                    for Moments { count, mean, scatter } in moments {
                        numbers.extend([&[count][..], &mean, &scatter].concat());
                    }
                    numbers
                });
                for numbers in &all[1..] {
                    assert_close(numbers, &all[0], &format!("K = {component_count} N = {count}"));
                }
            }
        });
    }

    /// Counts points.
    struct Count;

    impl Pass for Count {
        fn scratch_len(&self, _: usize) -> usize {
            0
        }

        fn chunk<S: Simd>(&self, _: S, range: Range<usize>, _: &mut [f64], totals: &mut [f64]) {
            totals[0] += range.len() as f64;
        }
    }

    /// As happens where a thread that waits for its last chunks takes on the next step of another run.
    #[test]
    fn a_thread_may_begin_another_pass_before_it_is_done_with_one() {
        let points: Vec<Point> = (0..3000).map(|i| [f64::from(i).sin(), 0.0]).collect();
        let mixture = Mixture::new(&[1.0], &[[0.0, 0.0]], &[[1.0, 0.0, 1.0]]).unwrap();
        let expected = mean_log_likelihood(&mixture, &points);
        let found = over_chunks(5000, 0, &Count, |totals| {
            let between = mean_log_likelihood(&mixture, &points);
            (totals.value(), between)
        });
        assert_eq!(found, (5000.0, expected));
    }
}
