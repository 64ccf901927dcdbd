//! The normal distribution's tails and intervals, in logarithms.

use std::f64::consts::{FRAC_1_SQRT_2, TAU};

/// log P(Z > t) of a standard normal Z.
///
/// Far out, where the error function is no longer above zero, by its asymptotic series (DLMF 7.12.1); its sixth term
/// is 10⁻¹¹ of the first there.
pub(super) fn log_tail(t: f64) -> f64 {
    if t < 25.0 {
        return (0.5 * libm::erfc(t * FRAC_1_SQRT_2)).ln();
    }
    let u = 1.0 / (t * t);
    let series = -u * (1.0 - 3.0 * u * (1.0 - 5.0 * u * (1.0 - 7.0 * u * (1.0 - 9.0 * u))));
    -0.5 * t * t - (t * TAU.sqrt()).ln() + series.ln_1p()
}

/// log P(low < Z < high) of a standard normal Z. Accurate on both sides, because it subtracts tails, never shares near
/// one.
fn log_interval(low: f64, high: f64) -> f64 {
    if high < 0.0 {
        return log_interval(-high, -low);
    }
    if low <= 0.0 {
        return (-(0.5 * (libm::erfc(high * FRAC_1_SQRT_2) + libm::erfc(-low * FRAC_1_SQRT_2))))
            .ln_1p();
    }
    let near = log_tail(low);
    near + (-(log_tail(high) - near).exp()).ln_1p()
}

/// A share A of the standard normal distribution between two places.
pub(super) struct Interval {
    /// log A.
    pub log_share: f64,
    /// φ(low) / A and φ(high) / A.
    pub ends: [f64; 2],
}

impl Interval {
    /// Between `low` and `high`, in standard deviations.
    pub fn new(low: f64, high: f64) -> Interval {
        // On the side where tails are small, so that their difference is accurate.
        let [near, far] = if low + high > 0.0 { [low, high] } else { [-high, -low] };
        let share = 0.5 * (libm::erfc(near * FRAC_1_SQRT_2) - libm::erfc(far * FRAC_1_SQRT_2));
        if share > 1e-250 {
            let bell = |t: f64| (-0.5 * t * t).exp() / (TAU.sqrt() * share);
            return Interval { log_share: share.ln(), ends: [bell(low), bell(high)] };
        }
        let log_share = log_interval(low, high);
        let bell = |t: f64| (-0.5 * t * t - 0.5 * TAU.ln() - log_share).exp();
        Interval { log_share, ends: [bell(low), bell(high)] }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tails_and_intervals_are_those_of_mpmath() {
        // mpmath 1.3, 40 digits: log(ncdf(-t)), and log(ncdf(b) - ncdf(a)).
        for (t, expected) in TAILS {
            let got = log_tail(t);
            assert!((got - expected).abs() <= 1e-11 * (1.0 + expected.abs()), "{t}: {got}");
        }
        for (low, high, expected) in INTERVALS {
            let both = [(low, high), (-high, -low)];
            let logs = both.map(|(low, high)| log_interval(low, high));
            let others = both.map(|(low, high)| Interval::new(low, high).log_share);
            for got in [logs, others].concat() {
                let allowed = 1e-10 * (1.0 + expected.abs());
                assert!((got - expected).abs() <= allowed, "{low} {high}: {got}, not {expected}");
            }
        }
    }

    const TAILS: [(f64, f64); 9] = [
        (-3.0, -0.001_350_809_964_748_193_8),
        (0.0, -std::f64::consts::LN_2),
        (0.5, -1.175_911_761_593_618_5),
        (4.0, -10.360_101_486_527_292),
        (10.0, -53.231_285_150_512_47),
        (24.9, -314.140_412_761_613_16),
        (25.1, -319.148_387_405_888_6),
        (40.0, -804.608_442_013_753_8),
        (300.0, -45_006.622_732_118_66),
    ];

    const INTERVALS: [(f64, f64, f64); 8] = [
        (-1.0, 1.0, -0.381_715_146_302_126_05),
        (-9.0, 0.01, -0.685_200_129_557_115_5),
        (0.25, 0.5, -2.377_781_427_757_043),
        (3.0, 3.1, -7.869_318_471_076_653),
        (8.0, 20.0, -35.013_437_159_914_55),
        (26.0, 26.5, -342.178_510_887_134_4),
        (-0.001, 0.002, -6.728_082_023_518_55),
        (60.0, 60.5, -1_805.013_560_680_567_3),
    ];
}
