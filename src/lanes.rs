//! Lanes: numbers that are computed side by side, and an exponential that vectorizes.
//!
//! Loops over `Lanes` become vector instructions without `unsafe`: the code is `inline(always)` and run by
//! `pulp::Arch::dispatch`, which compiles what is inlined into it for every instruction set and takes the widest that
//! the machine has.

/// Numbers that are computed side by side: as many as the widest registers hold.
pub(crate) const LANES: usize = 8;

/// One number for each of them.
pub(crate) type Lanes = [f64; LANES];

/// eˣ for x ≤ 0, exact to 2 units in the last place down to the smallest subnormal numbers; 0 below −746.
///
/// Written without branches or calls, so that loops over lanes become vector instructions, which the standard
/// library's `exp` does not. x = n ln 2 + r, and eʳ by its Taylor polynomial, whose remainder for
/// |r| ≤ ½ ln 2 is below 5·10⁻¹⁸.
#[inline(always)]
pub(crate) fn exp_nonpositive(x: f64) -> f64 {
    // 1.5·2⁵² pushes the fraction out of the mantissa: adding it rounds, and leaves n in the lowest bits.
    const ROUND: f64 = 6_755_399_441_055_744.0;
    // ln 2 in two parts (Cody and Waite): n · LN2_HIGH is exact.
    const LN2_HIGH: f64 = 6.931_471_803_691_238e-1;
    const LN2_LOW: f64 = 1.908_214_929_270_587_7e-10;
    const SMALL: f64 = 1.0 / (1_u128 << 127) as f64 / 2.0;
    let clamped = if x > -746.0 { x } else { -746.0 };
    let rounded = clamped * std::f64::consts::LOG2_E + ROUND;
    let n = rounded - ROUND;
    let r = clamped - n * LN2_HIGH - n * LN2_LOW;
    let mut p = 1.0 / 6_227_020_800.0;
    p = p * r + 1.0 / 479_001_600.0;
    p = p * r + 1.0 / 39_916_800.0;
    p = p * r + 1.0 / 3_628_800.0;
    p = p * r + 1.0 / 362_880.0;
    p = p * r + 1.0 / 40_320.0;
    p = p * r + 1.0 / 5_040.0;
    p = p * r + 1.0 / 720.0;
    p = p * r + 1.0 / 120.0;
    p = p * r + 1.0 / 24.0;
    p = p * r + 1.0 / 6.0;
    p = p * r + 0.5;
    p = p * r + 1.0;
    p = p * r + 1.0;
    // In two factors, 2ⁿ⁺¹²⁸ · 2⁻¹²⁸, because 2ⁿ alone may be too small for a normal number.
    let power = f64::from_bits(rounded.to_bits().wrapping_add(1023 + 128) << 52);
    if x > -746.0 { p * power * SMALL } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exp_is_exact_to_two_units_in_the_last_place() {
        for i in 0..200_000 {
            let x = -745.0 * f64::from(i) / 200_000.0;
            let (got, want) = (exp_nonpositive(x), x.exp());
            let ulp = f64::from_bits(want.to_bits() + 1) - want;
            assert!((got - want).abs() <= 2.0 * ulp, "exp({x}): {got:e}, not {want:e}");
        }
        assert_eq!(exp_nonpositive(0.0), 1.0);
        assert_eq!(exp_nonpositive(-800.0), 0.0);
        assert_eq!(exp_nonpositive(f64::NEG_INFINITY), 0.0);
    }
}
