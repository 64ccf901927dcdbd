//! Ticks: round numbers along an axis, and how they are written.

use super::{Axis, Spacing};

/// One tick.
#[derive(Debug, Clone, PartialEq)]
pub struct Tick {
    /// Its value, in plain units on every axis.
    pub value: f64,
    /// The value as it is written.
    pub label: String,
}

/// Round numbers within a range, about `count` of them and hardly ever more.
#[must_use]
pub fn ticks(axis: &Axis, [min, max]: [f64; 2], count: usize) -> Vec<Tick> {
    if !(min.is_finite() && max.is_finite() && min < max) {
        return Vec::new();
    }
    let count = count.max(2);
    match axis.spacing {
        Spacing::Linear => linear(min, max, step(max - min, count)),
        Spacing::Whole => linear(min, max, step(max - min, count).max(1.0)),
        Spacing::Logarithmic if min > 0.0 => logarithmic(min, max, count),
        Spacing::Logarithmic => Vec::new(),
    }
}

/// The smallest of 1, 2 or 5 times a power of ten that cuts `size` into at most `count` pieces.
fn step(size: f64, count: usize) -> f64 {
    let rough = size / count as f64;
    let power = 10_f64.powf(rough.log10().floor());
    // A little slack, or rounding would turn 0.2 into 0.5.
    let factor = [1.0, 2.0, 5.0].into_iter().find(|f| f * power >= rough * (1.0 - 1e-9));
    factor.unwrap_or(10.0) * power
}

fn linear(min: f64, max: f64, step: f64) -> Vec<Tick> {
    let slack = 1e-9 * (max - min);
    let first = ((min - slack) / step).ceil();
    let last = ((max + slack) / step).floor();
    let largest = first.abs().max(last.abs()) * step;
    // Values so close together that f64 hardly tells them apart have no sensible ticks.
    let is_sane = (last - first).is_finite() && largest <= step * 1e12;
    let count = if is_sane { (last - first + 1.0) as usize } else { 0 };
    (0..count)
        .map(|i| {
            let value = (first + i as f64) * step;
            Tick { value, label: label(value, step, largest) }
        })
        .collect()
}

/// Powers of ten; between them 2 and 5 times a power where there is room; plain round numbers if that leaves
/// less than three.
fn logarithmic(min: f64, max: f64, count: usize) -> Vec<Tick> {
    let slack = 1e-9;
    let (low, high) = (min.log10() - slack, max.log10() + slack);
    let decades = high - low;
    let multiples: &[f64] =
        if decades * 3.0 <= count as f64 + 0.01 { &[1.0, 2.0, 5.0] } else { &[1.0] };
    let stride = ((decades - 3.0 * slack) / count as f64).ceil().max(1.0);
    // One style for all: 0.01, 0.1, 1 or 10⁻⁶, 10⁻³, 1.
    let largest = if min < 0.9e-3 || max >= 1e6 { f64::INFINITY } else { max };
    let mut ticks = Vec::new();
    let mut exponent = (low.floor() / stride).floor() * stride;
    while exponent <= high {
        for multiple in multiples {
            let value = multiple * 10_f64.powf(exponent);
            if (low..=high).contains(&value.log10()) {
                ticks.push(Tick { value, label: label(value, value, largest) });
            }
        }
        exponent += stride;
    }
    if ticks.len() < 3 && decades < 1.5 { linear(min, max, step(max - min, count)) } else { ticks }
}

/// A value as it is written on an axis whose ticks are `step` apart and at most `largest`.
fn label(value: f64, step: f64, largest: f64) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    if !(1e-3..1e6).contains(&largest) {
        return power_of_ten(value, step);
    }
    fixed(value, (-(step * (1.0 + 1e-9)).log10().floor()).max(0.0) as usize)
}

/// A number with this many decimals and the true minus sign.
#[must_use]
pub fn fixed(value: f64, decimals: usize) -> String {
    let text = format!("{value:.decimals$}");
    match text.strip_prefix('-') {
        // No "−0.0".
        Some(digits) if digits.bytes().any(|b| b.is_ascii_digit() && b != b'0') => {
            format!("−{digits}")
        }
        Some(digits) => digits.to_owned(),
        None => text,
    }
}

/// A number as m × 10ᵉ, with as many decimals as a step asks for.
fn power_of_ten(value: f64, step: f64) -> String {
    let exponent = (value.abs() * (1.0 + 1e-9)).log10().floor();
    let step_exponent = (step * (1.0 + 1e-9)).log10().floor();
    let decimals = (exponent - step_exponent).max(0.0) as usize;
    let mantissa = fixed(value / 10_f64.powf(exponent), decimals);
    let mantissa =
        if decimals > 0 { mantissa.trim_end_matches('0').trim_end_matches('.') } else { &mantissa };
    if exponent == 0.0 {
        return mantissa.to_owned();
    }
    if exponent == 1.0 && decimals == 0 {
        return format!("{mantissa}0");
    }
    let power: String = format!("{exponent}").chars().map(superscript).collect();
    match mantissa {
        "1" => format!("10{power}"),
        "−1" => format!("−10{power}"),
        _ => format!("{mantissa}×10{power}"),
    }
}

fn superscript(digit: char) -> char {
    match digit {
        '0' => '⁰',
        '1' => '¹',
        '2' => '²',
        '3' => '³',
        '4' => '⁴',
        '5' => '⁵',
        '6' => '⁶',
        '7' => '⁷',
        '8' => '⁸',
        '9' => '⁹',
        _ => '⁻',
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(spacing: Spacing, range: [f64; 2], count: usize, expected: &str) {
        let labels: Vec<_> = ticks(&Axis::new("", spacing), range, count)
            .into_iter()
            .map(|tick| tick.label)
            .collect();
        assert_eq!(labels.join(" "), expected, "{spacing:?} {range:?} {count}");
    }

    #[test]
    fn linear_ticks_are_round() {
        let check = |range, count, expected| check(Spacing::Linear, range, count, expected);
        check([0.0, 1.0], 5, "0 0.2 0.4 0.6 0.8 1.0");
        check([-1.0, 1.0], 4, "−1.0 −0.5 0 0.5 1.0");
        check([-3.2, 3.7], 6, "−2 0 2");
        check([-3.2, 3.7], 7, "−3 −2 −1 0 1 2 3");
        check([0.0, 10.0], 2, "0 5 10");
        check([1.03, 1.09], 3, "1.04 1.06 1.08");
        check([0.0, 1234.0], 6, "0 500 1000");
        check([0.0, 3e6], 3, "0 10⁶ 2×10⁶ 3×10⁶");
        check([0.0, 1.4e6], 3, "0 5×10⁵ 10⁶");
        check([-2e-5, 2e-5], 2, "−2×10⁻⁵ 0 2×10⁻⁵");
        check([1e6, 1.5e6], 5, "10⁶ 1.1×10⁶ 1.2×10⁶ 1.3×10⁶ 1.4×10⁶ 1.5×10⁶");
        check([1.0, 1.0], 5, "");
        check([f64::NAN, 1.0], 5, "");
        check([1e15, 1e15 + 0.25], 5, "");
    }

    #[test]
    fn whole_ticks_skip_fractions() {
        check(Spacing::Whole, [0.5, 2.5], 6, "1 2");
        check(Spacing::Whole, [0.0, 420.0], 5, "0 100 200 300 400");
    }

    #[test]
    fn logarithmic_ticks_are_powers_of_ten_where_possible() {
        let check = |range, count, expected| check(Spacing::Logarithmic, range, count, expected);
        check([1.0, 1000.0], 5, "1 10 100 1000");
        check([0.01, 1.0], 6, "0.01 0.02 0.05 0.1 0.2 0.5 1");
        check([0.01, 1.0], 5, "0.01 0.1 1");
        check([1e-6, 1e6], 4, "10⁻⁶ 10⁻³ 1 10³ 10⁶");
        check([1e-3, 2e6], 4, "10⁻³ 1 10³ 10⁶");
        check([1e-7, 10.0], 10, "10⁻⁷ 10⁻⁶ 10⁻⁵ 10⁻⁴ 10⁻³ 10⁻² 10⁻¹ 1 10");
        check([0.95, 4.2], 6, "1 2 3 4");
        check([1.0, 10.0], 6, "1 2 5 10");
        check([2.1, 2.9], 4, "2.2 2.4 2.6 2.8");
        check([0.0, 1.0], 4, "");
    }

    #[test]
    fn ticks_stay_inside_and_few() {
        for spacing in [Spacing::Linear, Spacing::Whole, Spacing::Logarithmic] {
            for exponent in -40..40 {
                for span in [1.01, 1.7, 3.0, 12.0, 999.0, 1e9] {
                    let min = 1.3 * 10_f64.powi(exponent);
                    let max = min * span;
                    let ticks = ticks(&Axis::new("", spacing), [min, max], 6);
                    assert!(ticks.len() <= 9, "{spacing:?} {min} {max}: {}", ticks.len());
                    for tick in ticks {
                        let outside = (min - tick.value).max(tick.value - max);
                        assert!(outside <= 1e-8 * (max - min), "{spacing:?} {tick:?}");
                    }
                }
            }
        }
    }
}
