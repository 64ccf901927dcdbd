//! Tally: what the runs of a sweep come to. Chooses by the validation data, and averages over seeds.

use super::spread::mean_and_deviation;
use super::sweep::{Job, Sweep, is_seed};
use crate::settings::Value;

/// What came out of a job: its best step, in the units of the data's source.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// The best step.
    pub step: usize,
    /// Mean negative log-likelihood of the training points there, in nats per point.
    pub train_nll: f64,
    /// The same for the validation points; NaN where there are none.
    pub val_nll: f64,
    /// What went wrong in training, if anything did, in a word or two.
    pub trouble: Option<String>,
}

impl Outcome {
    /// What settings are chosen by: validation NLL, or training NLL without validation data.
    #[must_use]
    pub fn judged_by(&self) -> f64 {
        if self.val_nll.is_nan() { self.train_nll } else { self.val_nll }
    }
}

/// Runs that differ in their seeds only.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// The swept keys apart from seeds and selected ones, and their values.
    pub place: Vec<(String, Value)>,
    /// The selected keys and the values that were best on the validation data.
    pub chosen: Vec<(String, Value)>,
    /// The jobs with these values, as places in the list of all.
    pub jobs: Vec<usize>,
    /// How many of them are done.
    pub done: usize,
    /// Validation log-likelihood of the best steps in nats per point, mean and standard deviation over the runs.
    pub validation: Option<(f64, f64)>,
    /// The same for the training points.
    pub training: Option<(f64, f64)>,
    /// The best steps.
    pub step: Option<(f64, f64)>,
    /// What went wrong, and how often.
    pub troubles: Vec<(String, usize)>,
}

/// Jobs with the same values of some keys, in the order in which they come first.
fn grouped(jobs: &[Job], numbers: &[usize], counts: impl Fn(&str) -> bool) -> Vec<Vec<usize>> {
    let key = |number: usize| -> Vec<&(String, Value)> {
        jobs[number].place.iter().filter(|(key, _)| counts(key)).collect()
    };
    let mut groups: Vec<Vec<usize>> = Vec::new();
    for &number in numbers {
        match groups.iter_mut().find(|group| key(group[0]) == key(number)) {
            Some(group) => group.push(number),
            None => groups.push(vec![number]),
        }
    }
    groups
}

/// A row for all values of the keys that are neither seeds nor selected over: of the selected keys' values those with the
/// best mean validation likelihood, as in section 4.1.1 of the thesis. `outcomes` has one for each job that is done.
#[must_use]
pub fn tally(sweep: &Sweep, jobs: &[Job], outcomes: &[Option<Outcome>]) -> Vec<Row> {
    let is_selected = |key: &str| sweep.select.iter().any(|selected| selected == key);
    let all: Vec<usize> = (0..jobs.len()).collect();
    let row = |group: Vec<usize>| {
        let candidates = grouped(jobs, &group, |key| !is_seed(key) || is_selected(key));
        let quality = |candidate: &Vec<usize>| {
            // One lucky seed says less than ten.
            let missing = candidate.iter().filter(|&&number| outcomes[number].is_none()).count();
            let judged = over(candidate, outcomes, Outcome::judged_by);
            (missing, judged.map_or(f64::INFINITY, |(mean, _)| mean))
        };
        // Of equally good ones the first.
        let best = candidates.iter().min_by(|a, b| {
            let (a, b) = (quality(a), quality(b));
            a.0.cmp(&b.0).then(a.1.total_cmp(&b.1))
        });
        let best = best.cloned().unwrap_or(group);
        let place = &jobs[best[0]].place;
        let part = |is_chosen: bool| {
            let wanted = |key: &str| {
                if is_chosen { is_selected(key) } else { !is_selected(key) && !is_seed(key) }
            };
            place.iter().filter(|(key, _)| wanted(key)).cloned().collect()
        };
        let mut troubles: Vec<(String, usize)> = Vec::new();
        let done = best.iter().filter_map(|&number| outcomes[number].as_ref());
        for trouble in done.filter_map(|outcome| outcome.trouble.as_ref()) {
            match troubles.iter_mut().find(|(known, _)| known == trouble) {
                Some((_, count)) => *count += 1,
                None => troubles.push((trouble.clone(), 1)),
            }
        }
        Row {
            place: part(false),
            chosen: part(true),
            done: best.iter().filter(|&&number| outcomes[number].is_some()).count(),
            validation: over(&best, outcomes, |outcome| -outcome.val_nll),
            training: over(&best, outcomes, |outcome| -outcome.train_nll),
            step: over(&best, outcomes, |outcome| outcome.step as f64),
            troubles,
            jobs: best,
        }
    };
    let groups = grouped(jobs, &all, |key| !is_seed(key) && !is_selected(key));
    groups.into_iter().map(row).collect()
}

/// Mean and standard deviation of what is finite; `None` if nothing is.
fn over(
    numbers: &[usize],
    outcomes: &[Option<Outcome>],
    value: impl Fn(&Outcome) -> f64,
) -> Option<(f64, f64)> {
    let values = numbers.iter().filter_map(|&number| outcomes[number].as_ref()).map(value);
    mean_and_deviation(&values.filter(|value| value.is_finite()).collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(val_nll: f64) -> Outcome {
        Outcome { step: 7, train_nll: val_nll - 0.5, val_nll, trouble: None }
    }

    fn sweep(select: &str) -> (Sweep, Vec<Job>) {
        let text = format!(
            "[data]\ndataset='board'\n[sweep]\nmodel.n_components=[3,5]\nalgorithms=['em','ssm']\n\
             algorithm.learning_rate=[0.01,0.1]\nstart.random_state=[0,1,2]\n{select}"
        );
        let sweep = Sweep::from_toml("s.toml", &text, false).unwrap();
        let jobs = sweep.jobs().unwrap();
        (sweep, jobs)
    }

    #[test]
    fn the_best_rate_is_chosen_by_its_mean_over_seeds() {
        let (sweep, jobs) = sweep("select=['algorithm.learning_rate']");
        // 2 K × (3 runs of EM, 2 × 3 of sliced score matching).
        assert_eq!(jobs.len(), 18);
        let value = |job: &Job| match job.at("algorithm.learning_rate") {
            // One lucky run does not make the smaller rate the better one.
            Some(Value::Number(rate)) if *rate < 0.05 => [1.0, 6.0, 8.0][seed(job)],
            Some(_) => [2.0, 3.0, 4.0][seed(job)],
            None => 2.5,
        };
        let outcomes: Vec<_> = jobs.iter().map(|job| Some(outcome(value(job)))).collect();
        let rows = tally(&sweep, &jobs, &outcomes);
        assert_eq!(rows.len(), 4);
        let ssm = &rows[1];
        assert_eq!(ssm.place[1].1, Value::Choice("ssm".to_owned()));
        assert_eq!(ssm.chosen, [("algorithm.learning_rate".to_owned(), Value::Number(0.1))]);
        assert_eq!((ssm.jobs.len(), ssm.done), (3, 3));
        // Mean and deviation of 2, 3 and 4; the sample's, with n − 1 below the root.
        assert_eq!(ssm.validation, Some((-3.0, 1.0)));
        assert_eq!(ssm.training, Some((-2.5, 1.0)));
        assert_eq!(ssm.step, Some((7.0, 0.0)));
        assert_eq!((rows[0].chosen.len(), rows[0].validation), (0, Some((-2.5, 0.0))));
    }

    fn seed(job: &Job) -> usize {
        match job.at("start.random_state") {
            Some(Value::Integer(seed)) => *seed as usize,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn without_selection_every_value_has_a_row_and_what_is_missing_is_counted() {
        let (sweep, jobs) = sweep("");
        let mut outcomes: Vec<_> = jobs.iter().map(|_| Some(outcome(1.0))).collect();
        outcomes[0] = None;
        if let Some(first) = &mut outcomes[1] {
            first.trouble = Some("collapses".to_owned());
        }
        let rows = tally(&sweep, &jobs, &outcomes);
        assert_eq!(rows.len(), 2 * (1 + 2));
        assert_eq!((rows[0].jobs.len(), rows[0].done), (3, 2));
        assert_eq!(rows[0].troubles, [("collapses".to_owned(), 1)]);
        assert!(rows[1].troubles.is_empty());
        let nothing = tally(&sweep, &jobs, &vec![None; jobs.len()]);
        assert_eq!((nothing[0].done, nothing[0].validation), (0, None));
    }
}
