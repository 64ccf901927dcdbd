//! Spread: what the runs of an ensemble have in common, and how far they lie apart.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Member, Record};

/// Which likelihood runs are compared by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Likelihood {
    /// Of the points that were trained on: which optimum was reached.
    Training,
    /// Of the points that were kept back: how well it generalizes.
    Validation,
}

impl Likelihood {
    /// The mean negative log-likelihood, in nats per point.
    #[must_use]
    pub fn of(self, record: &Record) -> f64 {
        match self {
            Likelihood::Training => record.train_nll,
            Likelihood::Validation => record.val_nll,
        }
    }

    /// Its name.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Likelihood::Training => "training",
            Likelihood::Validation => "validation",
        }
    }

    /// The last value of every run, in their order.
    #[must_use]
    pub fn finals(self, members: &[Arc<Member>]) -> Vec<f64> {
        members.iter().map(|member| self.of(member.last())).collect()
    }
}

/// Mean and standard deviation over the runs at one step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spread {
    /// The step.
    pub step: usize,
    /// Mean over the runs.
    pub mean: f64,
    /// Standard deviation, with n − 1 below the root; 0 for a single run.
    pub deviation: f64,
}

/// Mean and standard deviation of the NLL at the steps that all curves have, and at the last step of the longest.
///
/// A run that stopped early keeps its last value from there on. Values that are not finite are left out; where there
/// are no others, so is the step.
#[must_use]
pub fn spread(members: &[Arc<Member>], likelihood: Likelihood) -> Vec<Spread> {
    let stride = members.iter().map(|member| member.stride).max().unwrap_or(1);
    let Some(last) = members.iter().map(|member| member.last().step).max() else {
        return Vec::new();
    };
    // Where each curve has been read up to.
    let mut places = vec![0; members.len()];
    let mut values = Vec::with_capacity(members.len());
    let steps = (0..last).step_by(stride).chain([last]);
    steps
        .filter_map(|step| {
            values.clear();
            for (member, place) in members.iter().zip(&mut places) {
                while member.curve.get(*place + 1).is_some_and(|next| next.step <= step) {
                    *place += 1;
                }
                values.push(likelihood.of(&member.curve[*place]));
            }
            values.retain(|value| value.is_finite());
            let (mean, deviation) = mean_and_deviation(&values)?;
            Some(Spread { step, mean, deviation })
        })
        .collect()
}

/// Mean, and standard deviation with n − 1 below the root (0 for a single value); `None` without values.
#[must_use]
pub fn mean_and_deviation(values: &[f64]) -> Option<(f64, f64)> {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    (count > 0.0).then(|| (mean, (squares / (count - 1.0).max(1.0)).sqrt()))
}

/// The lowest of some values; `None` if none is finite.
#[must_use]
pub fn best(values: &[f64]) -> Option<f64> {
    values.iter().copied().filter(|value| value.is_finite()).min_by(f64::total_cmp)
}

/// How many values lie no more than a margin above the lowest one, itself among them.
#[must_use]
pub fn near_best(values: &[f64], margin: f64) -> usize {
    best(values).map_or(0, |best| values.iter().filter(|&&value| value <= best + margin).count())
}

/// How many values lie in each of equally wide bins.
#[derive(Debug, Clone, PartialEq)]
pub struct Histogram {
    /// Where the first bin begins: at the lowest value.
    pub start: f64,
    /// Width of each bin.
    pub width: f64,
    /// Values in each bin. A value between two bins counts for the upper one, the highest value for the last.
    pub counts: Vec<usize>,
}

/// Bins are not made narrower than this, in nats: nobody would call such runs different.
const LEAST_BIN: f64 = 1e-4;

/// Counts values in so many bins from the lowest to the highest. Leaves out what is not finite; `None` if nothing
/// remains.
#[must_use]
pub fn histogram(values: &[f64], bin_count: usize) -> Option<Histogram> {
    let start = best(values)?;
    let finite = || values.iter().copied().filter(|value| value.is_finite());
    let width = (finite().fold(start, f64::max) - start) / bin_count as f64;
    let width = width.max(LEAST_BIN);
    let mut counts = vec![0; bin_count];
    for value in finite() {
        counts[(((value - start) / width) as usize).min(bin_count - 1)] += 1;
    }
    Some(Histogram { start, width, counts })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Mixture;
    use crate::training::Finish;

    /// A run whose training NLL at each kept step is given, ending at step `last`.
    fn member(stride: usize, last: usize, value: impl Fn(usize) -> f64) -> Arc<Member> {
        let record = |step: usize| Record {
            step,
            seconds: 0.0,
            evaluations: 0.0,
            objective: 0.0,
            train_nll: value(step),
            val_nll: f64::NAN,
        };
        let curve = (0..last).step_by(stride).chain([last]).map(record).collect();
        let mixture = Mixture::new(&[1.0], &[[0.0, 0.0]], &[[1.0, 0.0, 1.0]]).unwrap();
        Arc::new(Member { seed: 0, curve, stride, finish: Finish::MaxIter, mixture })
    }

    #[test]
    fn bands_are_mean_and_deviation_step_by_step_and_short_runs_keep_their_last_value() {
        let lasts = [10, 4, 7];
        let value = |i: usize, step: usize| {
            let s = step as f64;
            [1.0 / (1.0 + s), 2.0 - 0.25 * s, 0.5][i]
        };
        let members: Vec<_> = (0..3).map(|i| member(1, lasts[i], |step| value(i, step))).collect();
        let found = spread(&members, Likelihood::Training);
        assert_eq!(found.len(), 11);
        for (step, found) in found.iter().enumerate() {
            let [a, b, c] = [0, 1, 2].map(|i| value(i, step.min(lasts[i])));
            let mean = (a + b + c) / 3.0;
            let variance = ((a - mean).powi(2) + (b - mean).powi(2) + (c - mean).powi(2)) / 2.0;
            assert_eq!(found.step, step);
            assert!((found.mean - mean).abs() < 1e-15, "{step}");
            assert!((found.deviation - variance.sqrt()).abs() < 1e-15, "{step}");
        }
        assert!(spread(&members, Likelihood::Validation).is_empty());
        assert!(spread(&[], Likelihood::Training).is_empty());
    }

    #[test]
    fn curves_of_different_strides_meet_at_the_steps_that_both_have() {
        let members = [member(4, 18, |s| s as f64), member(2, 9, |s| s as f64)];
        let found = spread(&members, Likelihood::Training);
        let (steps, means): (Vec<_>, Vec<_>) = found.iter().map(|s| (s.step, s.mean)).unzip();
        assert_eq!(steps, [0, 4, 8, 12, 16, 18]);
        assert_eq!(means, [0.0, 4.0, 8.0, 10.5, 12.5, 13.5]);
    }

    #[test]
    fn near_the_best_counts_the_best_itself() {
        let values = [1.25, 1.0, f64::NAN, 1.03125, 1.5, f64::INFINITY];
        let check = |margin: f64, expected: usize| assert_eq!(near_best(&values, margin), expected);
        check(0.0, 1);
        check(0.03, 1);
        check(0.03125, 2);
        check(0.25, 3);
        check(9.0, 4);
        assert_eq!(near_best(&[f64::NAN], 1.0), 0);
        assert_eq!(mean_and_deviation(&[3.0]), Some((3.0, 0.0)));
        assert_eq!(mean_and_deviation(&[]), None);
    }

    #[test]
    fn every_value_is_counted_in_its_bin() {
        let values: Vec<f64> = (0..500).map(|i| (f64::from(i * i)).sin() + 2.0).collect();
        let Histogram { start, width, counts } = histogram(&values, 20).unwrap();
        assert_eq!(counts.iter().sum::<usize>(), 500);
        for (bin, &count) in counts.iter().enumerate() {
            let low = start + bin as f64 * width;
            // The ends of the range belong to the outermost bins, whatever rounding does to them.
            let [low, high] = [low - 1e-12, low + width + 1e-12];
            let most = values.iter().filter(|&&v| low <= v && v <= high).count();
            let least = values.iter().filter(|&&v| low + 2e-12 < v && v < high - 2e-12).count();
            assert!((least..=most).contains(&count), "{bin}: {count} of {least} to {most}");
        }
        let check = |values: &[f64], expected: &[usize]| {
            assert_eq!(histogram(values, 4).unwrap().counts, expected);
        };
        check(&[0.0, 1.0, 2.0, 3.0, 4.0], &[1, 1, 1, 2]);
        check(&[5.0, 5.0, f64::NAN, 5.0 + 1e-9], &[3, 0, 0, 0]);
        assert_eq!(histogram(&[f64::INFINITY], 4), None);
    }
}
