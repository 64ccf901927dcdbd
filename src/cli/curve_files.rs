//! Curves of finished runs, read back from their folders, and what several of them have in common.

use std::path::Path;

use anyhow::Context;

use crate::training::figure_spec::Over;
use crate::training::spread::mean_and_deviation;

/// A run's NLL: places on the horizontal axis, growing, and the nats per point there.
pub(super) type Curve = Vec<[f64; 2]>;

/// Mean and standard deviation of several curves at one place.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Spread {
    pub(super) x: f64,
    pub(super) mean: f64,
    pub(super) deviation: f64,
}

/// The validation NLL of a run (training NLL without validation data) as `metrics.csv` has it.
pub(super) fn read_curve(folder: &Path, over: Over) -> anyhow::Result<Curve> {
    let path = folder.join("metrics.csv");
    let text = std::fs::read_to_string(&path)
        .with_context(|| format!("{} cannot be read", path.display()))?;
    let mut lines = text.lines();
    let header: Vec<&str> = lines.next().unwrap_or_default().split(',').collect();
    let column = |name: &str| {
        let place = header.iter().position(|word| *word == name);
        place.with_context(|| format!("{} has no column {name}", path.display()))
    };
    let x = column(if over == Over::Steps { "step" } else { "seconds" })?;
    let (train, validation) = (column("train_nll")?, column("val_nll")?);
    let point = |line: &str| -> Option<[f64; 2]> {
        let fields: Vec<&str> = line.split(',').collect();
        let number = |at: usize| fields.get(at)?.parse::<f64>().ok();
        Some([number(x)?, number(validation).or_else(|| number(train))?])
    };
    Ok(lines.filter_map(point).collect())
}

/// Places at which curves over time are compared.
const PLACES: usize = 400;

/// Mean and deviation at every step, or at places that are evenly spread on a logarithmic clock. A run that stopped early
/// keeps its last value; no value is told of a time before the last run has taken its first step.
pub(super) fn band(runs: &[Curve], over: Over) -> Vec<Spread> {
    let ends = || runs.iter().filter_map(|run| Some(run.last()?[0]));
    let last = ends().fold(0.0, f64::max);
    // The start has no place on a logarithmic axis.
    let firsts = runs.iter().filter_map(|run| Some(run.get(1)?[0]));
    let first = firsts.fold(f64::MIN_POSITIVE, f64::max);
    let places: Vec<f64> = match over {
        Over::Steps => (1..=last as usize).map(|step| step as f64).collect(),
        Over::Seconds => {
            let share = |i: usize| i as f64 / (PLACES - 1) as f64;
            (0..PLACES).map(|i| first * (last / first).powf(share(i))).collect()
        }
    };
    let mut reached = vec![0; runs.len()];
    let at = |x: f64| {
        let mut values = Vec::with_capacity(runs.len());
        for (run, reached) in runs.iter().zip(&mut reached) {
            while run.get(*reached + 1).is_some_and(|next| next[0] <= x) {
                *reached += 1;
            }
            values.extend(run.get(*reached).map(|point| point[1]).filter(|nll| nll.is_finite()));
        }
        let (mean, deviation) = mean_and_deviation(&values)?;
        Some(Spread { x, mean, deviation })
    };
    places
        .into_iter()
        .filter_map({
            let mut at = at;
            move |x| at(x)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_band_is_mean_and_deviation_and_short_runs_keep_their_last_value() {
        let line = |slope: f64, last: i32| -> Curve {
            (0..=last).map(|i| [f64::from(i), 10.0 - slope * f64::from(i)]).collect()
        };
        let found = band(&[line(1.0, 6), line(2.0, 3)], Over::Steps);
        assert_eq!(found.len(), 6);
        for spread in &found {
            let values = [10.0 - spread.x, 10.0 - 2.0 * spread.x.min(3.0)];
            let mean = f64::midpoint(values[0], values[1]);
            assert_eq!(spread.mean, mean);
            let half = (values[0] - values[1]).abs() / 2.0;
            // Two values: √(2 h² / 1).
            assert!((spread.deviation - half * 2.0_f64.sqrt()).abs() < 1e-12, "{spread:?}");
        }
        assert!(band(&[], Over::Steps).is_empty());
    }

    #[test]
    fn over_time_every_place_has_the_value_of_the_last_step_before_it() {
        let run: Curve = vec![[0.0, 5.0], [0.01, 4.0], [0.1, 3.0], [1.0, 2.0]];
        let found = band(&[run.clone(), run], Over::Seconds);
        assert_eq!(found.len(), PLACES);
        assert_eq!((found[0].x, found[0].mean), (0.01, 4.0));
        assert!((found[PLACES - 1].x - 1.0).abs() < 1e-12);
        for spread in &found[..PLACES - 1] {
            let expected = if spread.x < 0.1 { 4.0 } else { 3.0 };
            assert_eq!((spread.mean, spread.deviation), (expected, 0.0), "{}", spread.x);
        }
    }

    #[test]
    fn curves_are_read_back_as_they_were_written() {
        let folder = tempfile::tempdir().unwrap();
        let write = |text: &str| std::fs::write(folder.path().join("metrics.csv"), text).unwrap();
        write("step,seconds,objective,train_nll,val_nll\n0,0,9,3.5,4\n1,0.25,8,3,\n");
        let read = |over| read_curve(folder.path(), over);
        assert_eq!(read(Over::Steps).unwrap(), [[0.0, 4.0], [1.0, 3.0]]);
        assert_eq!(read(Over::Seconds).unwrap(), [[0.0, 4.0], [0.25, 3.0]]);
        write("a,b\n");
        assert!(read(Over::Steps).unwrap_err().to_string().ends_with("has no column step"));
    }
}
