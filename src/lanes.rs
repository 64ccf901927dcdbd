//! Numbers computed side by side, in the widest registers that the machine has.
//!
//! [`Lanes`] is one register of `f64`, with the operators of a number, so that vectorized formulas read like the
//! formulas. What is written once with it is compiled for every instruction set (AVX-512, AVX2 with FMA, NEON, and
//! one number at a time), and [`widest`] picks the best at run time. The crate `pulp` holds the instructions and the
//! `unsafe` that they need.
//!
//! The machine decides how many lanes there are and whether a product and a sum round once or twice, so the last bits
//! of a sum differ between kinds of machine; on one machine they never do.

#![expect(clippy::inline_always, reason = "only inlined code is compiled for wider registers")]

use std::ops::{Add, AddAssign, Mul, Neg, Sub};

use pulp::Simd;
use pulp::bytemuck::cast;

/// A computation that is compiled for every instruction set. Everything it calls is `inline(always)`.
pub(crate) use pulp::WithSimd;

/// Runs a computation with the widest registers that the machine has.
#[inline]
pub(crate) fn widest<W: WithSimd>(computation: W) -> W::Output {
    #[cfg(test)]
    match tests::FORCED.get() {
        None => {}
        Some(tests::Forced::Scalar) => return pulp::Scalar.vectorize(computation),
        #[cfg(target_arch = "x86_64")]
        Some(tests::Forced::Avx2) => {
            if let Some(avx2) = pulp::x86::V3::try_new() {
                return Simd::vectorize(avx2, computation);
            }
        }
    }
    pulp::Arch::new().dispatch(computation)
}

#[cfg(test)]
pub(crate) use tests::by_every_instruction_set;

/// Registers that loops compute side by side, so that one's waiting time is another's work.
pub(crate) const GROUP: usize = 2;

/// Most lanes that a register has, on any machine.
pub(crate) const MAX_LANES: usize = 8;

/// Most lanes that a group of registers has, on any machine.
pub(crate) const MAX_GROUP_LANES: usize = MAX_LANES * GROUP;

/// Numbers in groups of [`GROUP`] registers. Their count must be a multiple of [`MAX_GROUP_LANES`].
#[inline(always)]
pub(crate) fn groups<S: Simd>(numbers: &[f64]) -> &[[S::f64s; GROUP]] {
    debug_assert_eq!(numbers.len() % MAX_GROUP_LANES, 0);
    pulp::as_arrays(S::as_simd_f64s(numbers).0).0
}

/// The same, to be written.
#[inline(always)]
pub(crate) fn groups_mut<S: Simd>(numbers: &mut [f64]) -> &mut [[S::f64s; GROUP]] {
    debug_assert_eq!(numbers.len() % MAX_GROUP_LANES, 0);
    pulp::as_arrays_mut(S::as_mut_simd_f64s(numbers).0).0
}

/// A group's registers, one number a lane.
pub(crate) type Group<S> = [Lanes<S>; GROUP];

/// Registers from memory.
#[inline(always)]
pub(crate) fn load<S: Simd, const N: usize>(simd: S, registers: &[S::f64s; N]) -> [Lanes<S>; N] {
    // Not `map`: it is not always inlined.
    let mut loaded = [Lanes::of(simd, registers[0]); N];
    for i in 1..N {
        loaded[i] = Lanes::of(simd, registers[i]);
    }
    loaded
}

/// The exponentials of numbers ≤ 0, in their place. See [`Lanes::exp_nonpositive`].
#[inline(always)]
pub(crate) fn exp_all<S: Simd>(simd: S, numbers: &mut [f64]) {
    for group in groups_mut::<S>(numbers) {
        for register in group {
            *register = Lanes::of(simd, *register).exp_nonpositive().register;
        }
    }
}

/// One register of numbers.
#[derive(Clone, Copy)]
pub(crate) struct Lanes<S: Simd> {
    /// The instruction set; takes no memory.
    simd: S,
    pub register: S::f64s,
}

impl<S: Simd> Lanes<S> {
    /// What a register holds.
    #[inline(always)]
    pub fn of(simd: S, register: S::f64s) -> Lanes<S> {
        Lanes { simd, register }
    }

    /// The same number in every lane.
    #[inline(always)]
    pub fn splat(simd: S, number: f64) -> Lanes<S> {
        Lanes { simd, register: simd.splat_f64s(number) }
    }

    /// self · factor + summand, rounded once where the machine can.
    #[inline(always)]
    pub fn mul_add(self, factor: Lanes<S>, summand: Lanes<S>) -> Lanes<S> {
        let register = self.simd.mul_add_e_f64s(self.register, factor.register, summand.register);
        Lanes { register, ..self }
    }

    /// minuend − self · factor, rounded once where the machine can.
    #[inline(always)]
    pub fn mul_sub_from(self, factor: Lanes<S>, minuend: Lanes<S>) -> Lanes<S> {
        let register =
            self.simd.negate_mul_add_e_f64s(self.register, factor.register, minuend.register);
        Lanes { register, ..self }
    }

    /// The larger number of each lane.
    #[inline(always)]
    pub fn max(self, other: Lanes<S>) -> Lanes<S> {
        Lanes { register: self.simd.max_f64s(self.register, other.register), ..self }
    }

    /// The reciprocal, correctly rounded.
    #[inline(always)]
    pub fn recip(self) -> Lanes<S> {
        let one = self.simd.splat_f64s(1.0);
        Lanes { register: self.simd.div_f64s(one, self.register), ..self }
    }

    /// This number where `switch` is above zero, else `other`.
    #[inline(always)]
    pub fn where_positive(self, switch: Lanes<S>, other: f64) -> Lanes<S> {
        let is_on = self.simd.greater_than_f64s(switch.register, self.simd.splat_f64s(0.0));
        let other = self.simd.splat_f64s(other);
        Lanes { register: self.simd.select_f64s(is_on, self.register, other), ..self }
    }

    /// Sum over the lanes.
    #[inline(always)]
    pub fn sum(self) -> f64 {
        self.simd.reduce_sum_f64s(self.register)
    }

    /// Product over the lanes.
    #[inline(always)]
    pub fn product(self) -> f64 {
        self.simd.reduce_product_f64s(self.register)
    }

    /// eˣ for x ≤ 0, within 2 units in the last place down to [`EXP_LEAST`]; 0 below it. NaN stays NaN.
    ///
    /// x = n ln 2 + r; eʳ = 1 + r + r²Q(r), where Q of degree 9 has the least greatest error on |r| ≤ ½ ln 2 (Remez'
    /// exchange, in 60 digits): 3.6·10⁻¹⁸ of eʳ.
    #[inline(always)]
    pub fn exp_nonpositive(self) -> Lanes<S> {
        let simd = self.simd;
        let splat = |number| Lanes::splat(simd, number);
        let round = splat(ROUND);
        let rounded = self.mul_add(splat(std::f64::consts::LOG2_E), round);
        let n = rounded - round;
        let r = n.mul_sub_from(splat(LN2_HIGH), self);
        let r = n.mul_sub_from(splat(LN2_LOW), r);
        let mut p = splat(EXP_COEFFICIENTS[0]);
        for &coefficient in &EXP_COEFFICIENTS[1..] {
            p = p.mul_add(r, splat(coefficient));
        }
        let power = p * rounded.power_of_two();
        let is_negligible = simd.less_than_f64s(self.register, simd.splat_f64s(EXP_LEAST));
        let zero = simd.splat_f64s(0.0);
        Lanes { register: simd.select_f64s(is_negligible, zero, power.register), simd }
    }

    /// 2ⁿ of a number n + [`ROUND`]: its lowest bits are n + 1023, which become the exponent.
    #[inline(always)]
    fn power_of_two(self) -> Lanes<S> {
        let bits = self.simd.transmute_u64s_f64s(self.register);
        // pulp shifts no 64-bit lanes; arrays of fixed length become one vector shift.
        let shifted = match S::F64_LANES {
            8 => cast(cast::<_, [u64; 8]>(bits).map(|bits| bits << 52)),
            4 => cast(cast::<_, [u64; 4]>(bits).map(|bits| bits << 52)),
            2 => cast(cast::<_, [u64; 2]>(bits).map(|bits| bits << 52)),
            _ => cast(cast::<_, [u64; 1]>(bits).map(|bits| bits << 52)),
        };
        Lanes { register: self.simd.transmute_f64s_u64s(shifted), ..self }
    }
}

/// Where the exponential ends, at 3·10⁻²⁶¹: its products with small numbers are no subnormal numbers yet, each of which
/// would take a hundred times as long as a normal one.
pub(crate) const EXP_LEAST: f64 = -600.0;

/// Adding 1.5·2⁵² pushes the fraction out of the mantissa, which rounds; the bias of the exponent comes along.
const ROUND: f64 = 6_755_399_441_055_744.0 + 1023.0;

/// ln 2 in two parts (Cody and Waite 1980): n · `LN2_HIGH` is exact.
const LN2_HIGH: f64 = 6.931_471_803_691_238e-1;
const LN2_LOW: f64 = 1.908_214_929_270_587_7e-10;

/// 1 + r + r²Q(r), the highest power first.
const EXP_COEFFICIENTS: [f64; 12] = [
    2.500_005_091_228_152_5e-8,
    2.763_026_284_487_134_5e-7,
    2.755_758_648_130_468e-6,
    2.480_149_306_160_486_3e-5,
    1.984_126_950_637_761_2e-4,
    1.388_888_894_366_255_1e-3,
    8.333_333_333_494_59e-3,
    4.166_666_666_653_005e-2,
    1.666_666_666_666_641_3e-1,
    5.000_000_000_000_011e-1,
    1.0,
    1.0,
];

impl<S: Simd> Add for Lanes<S> {
    type Output = Lanes<S>;

    #[inline(always)]
    fn add(self, other: Lanes<S>) -> Lanes<S> {
        Lanes { register: self.simd.add_f64s(self.register, other.register), ..self }
    }
}

impl<S: Simd> AddAssign for Lanes<S> {
    #[inline(always)]
    fn add_assign(&mut self, other: Lanes<S>) {
        *self = *self + other;
    }
}

impl<S: Simd> Sub for Lanes<S> {
    type Output = Lanes<S>;

    #[inline(always)]
    fn sub(self, other: Lanes<S>) -> Lanes<S> {
        Lanes { register: self.simd.sub_f64s(self.register, other.register), ..self }
    }
}

impl<S: Simd> Mul for Lanes<S> {
    type Output = Lanes<S>;

    #[inline(always)]
    fn mul(self, other: Lanes<S>) -> Lanes<S> {
        Lanes { register: self.simd.mul_f64s(self.register, other.register), ..self }
    }
}

impl<S: Simd> Neg for Lanes<S> {
    type Output = Lanes<S>;

    #[inline(always)]
    fn neg(self) -> Lanes<S> {
        Lanes { register: self.simd.neg_f64s(self.register), ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use std::cell::Cell;

    #[derive(Clone, Copy)]
    pub(super) enum Forced {
        Scalar,
        #[cfg(target_arch = "x86_64")]
        Avx2,
    }

    thread_local! {
        /// What this thread computes with instead of the widest registers.
        pub(super) static FORCED: Cell<Option<Forced>> = const { Cell::new(None) };
    }

    /// What is computed by every instruction set of this machine, the widest first; on this thread, so alone in a pool.
    pub(crate) fn by_every_instruction_set<T>(compute: impl Fn() -> T) -> Vec<T> {
        let sets = [
            None,
            Some(Forced::Scalar),
            #[cfg(target_arch = "x86_64")]
            Some(Forced::Avx2),
        ];
        let by_set = |set| {
            FORCED.set(set);
            let result = compute();
            FORCED.set(None);
            result
        };
        sets.into_iter().map(by_set).collect()
    }

    struct ExpOf<'a>(&'a mut [f64]);

    impl WithSimd for ExpOf<'_> {
        type Output = ();

        #[inline(always)]
        fn with_simd<S: Simd>(self, simd: S) {
            exp_all(simd, self.0);
        }
    }

    /// The exponentials by every instruction set of this machine.
    fn exponentials(x: &[f64]) -> Vec<Vec<f64>> {
        by_every_instruction_set(|| {
            let mut numbers = x.to_vec();
            numbers.resize(x.len().next_multiple_of(MAX_GROUP_LANES), 0.0);
            widest(ExpOf(&mut numbers));
            numbers.truncate(x.len());
            numbers
        })
    }

    #[test]
    fn exp_is_exact_to_two_units_in_the_last_place() {
        let reference: Vec<[f64; 3]> = include_str!("../tests/reference/exp.csv")
            .lines()
            .skip(2)
            .map(|line| {
                let mut numbers = line.split(',').map(|number| number.parse().unwrap());
                std::array::from_fn(|_| numbers.next().unwrap())
            })
            .collect();
        let in_range = reference.into_iter().filter(|row| row[0] >= EXP_LEAST);
        let reference: Vec<[f64; 3]> = in_range.collect();
        let x: Vec<f64> = reference.iter().map(|row| row[0]).collect();
        assert!(x.len() > 600);
        for exponentials in exponentials(&x) {
            for ([x, high, low], got) in reference.iter().zip(exponentials) {
                let ulp = f64::from_bits(high.to_bits() + 1) - high;
                let error = ((got - high) - low).abs() / ulp;
                assert!(error <= 2.0, "exp({x:e}) is {got:e}, off by {error} ulp");
            }
        }
    }

    #[test]
    fn exp_ends_at_zero_and_keeps_nan() {
        for got in exponentials(&[0.0, -600.5, -800.0, -1e300, f64::NEG_INFINITY, f64::NAN]) {
            assert_eq!(got[..5], [1.0, 0.0, 0.0, 0.0, 0.0]);
            assert!(got[5].is_nan());
        }
    }
}
