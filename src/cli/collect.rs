//! `scorescope collect`: what the jobs of a sweep come to, as tables and figures.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use rayon::prelude::*;

use super::drawing::{Results, draw};
use super::results::VERSION;
use super::{jobs, print};
use crate::export::summary::{Cell, Summary};
use crate::export::write_file;
use crate::training::sweep::{ALGORITHM, DATASET};
use crate::training::tally::{Outcome, Row, tally};
use crate::training::{Experiment, Job, Sweep};

/// The folder of a job.
pub(super) fn folder_of(out: &Path, job: &Job) -> PathBuf {
    out.join("jobs").join(&job.name)
}

/// Where the sweep itself stands, as it was run.
pub(super) fn plan_of(out: &Path) -> PathBuf {
    out.join("sweep.toml")
}

/// Merges what the jobs in a folder wrote.
pub(super) fn collect(out: &Path) -> anyhow::Result<()> {
    let path = plan_of(out);
    let text = fs::read_to_string(&path).with_context(|| {
        let advice = "`scorescope run SWEEP.toml --list-jobs --out DIR` writes it";
        format!("{} cannot be read: {advice}", path.display())
    })?;
    let sweep = Sweep::from_plan(&path.display().to_string(), &text)?;
    conclude(&sweep, &sweep.jobs()?, out)
}

/// Writes tables and figures of what is there, and prints the table.
pub(super) fn conclude(sweep: &Sweep, jobs: &[Job], out: &Path) -> anyhow::Result<()> {
    let outcomes = outcomes(jobs, out)?;
    let missing: Vec<&str> =
        jobs.iter().zip(&outcomes).filter(|(_, o)| o.is_none()).map(|(j, _)| &*j.name).collect();
    if let Some(first) = missing.first() {
        let (count, all) = (missing.len(), jobs.len());
        eprintln!("scorescope: {count} of {all} jobs are not done, {first} for instance");
        if count == all {
            bail!("nothing to collect in {}", out.display());
        }
    }
    let rows = tally(sweep, jobs, &outcomes);
    let summary = summary(sweep, jobs, &rows);
    let markdown = summary.markdown();
    write_file(&out.join("table.md"), markdown.as_bytes())?;
    write_file(&out.join("table.csv"), summary.csv()?.as_bytes())?;
    let results = Results { jobs, outcomes: &outcomes, rows: &rows, out };
    print(&markdown)?;
    // A figure of which nothing is done yet must not cost the others.
    let drawn = sweep.figures.iter().map(|figure| draw(figure, &results));
    let problems: Vec<String> =
        drawn.filter_map(Result::err).map(|error| format!("{error:#}")).collect();
    if missing.is_empty() && !problems.is_empty() {
        bail!("{}", problems.join("; "));
    }
    for problem in &problems {
        eprintln!("scorescope: {problem}");
    }
    Ok(())
}

/// What came out of every job; `None` for those that are not done.
fn outcomes(jobs: &[Job], out: &Path) -> anyhow::Result<Vec<Option<Outcome>>> {
    let mut data_hashes = BTreeMap::new();
    let mut outcomes = Vec::with_capacity(jobs.len());
    for job in jobs {
        let folder = folder_of(out, job);
        let Some(manifest) = jobs::manifest(&folder) else {
            outcomes.push(None);
            continue;
        };
        let version = manifest["version"].as_str().unwrap_or("of its own");
        if version != VERSION {
            bail!(
                "{} was written by version {version}, and this is {VERSION}: run its job again, or collect with that \
                 version",
                folder.display()
            );
        }
        if manifest["fingerprint"] != *job.fingerprint {
            bail!("{} has results of another experiment: run its job again", folder.display());
        }
        data_hashes.entry(manifest["data_hash"].to_string()).or_insert(folder);
        outcomes.push(jobs::outcome(&manifest));
    }
    let mut folders = data_hashes.values();
    if let (Some(first), Some(second)) = (folders.next(), folders.next())
        && data_hashes.keys().all(|hash| hash != "null")
    {
        bail!(
            "{} and {} were trained on different points of the same file: run them again",
            first.display(),
            second.display()
        );
    }
    Ok(outcomes)
}

/// A line for each row: what it is, what was chosen, likelihoods, and what went wrong.
fn summary(sweep: &Sweep, jobs: &[Job], rows: &[Row]) -> Summary {
    let place_keys = present(sweep, |key| rows.iter().any(|row| has(&row.place, key)));
    let chosen_keys = present(sweep, |key| rows.iter().any(|row| has(&row.chosen, key)));
    let truths = known_likelihoods(jobs, rows);
    let has_truth = truths.iter().any(Option::is_some);
    let has_trouble = rows.iter().any(|row| !row.troubles.is_empty());
    let mut header: Vec<String> =
        place_keys.iter().chain(&chosen_keys).map(|key| title(key).to_owned()).collect();
    header.extend(["runs", "validation LL", "training LL"].map(str::to_owned));
    if has_truth {
        header.push("LL of the true density".to_owned());
    }
    header.push("best step".to_owned());
    if has_trouble {
        header.push("trouble".to_owned());
    }
    let line = |(row, truth): (&Row, &Option<f64>)| {
        let value = |values: &[(String, crate::settings::Value)], key: &str| {
            let found = values.iter().find(|(name, _)| name == key);
            found.map_or(Cell::Empty, |(_, value)| Cell::Text(value.to_string()))
        };
        let spread = |numbers: Option<(f64, f64)>, digits| {
            numbers.map_or(Cell::Empty, |(mean, deviation)| Cell::Spread {
                mean,
                deviation,
                count: row.done,
                digits,
            })
        };
        let mut cells: Vec<Cell> = place_keys.iter().map(|key| value(&row.place, key)).collect();
        cells.extend(chosen_keys.iter().map(|key| value(&row.chosen, key)));
        let (done, all) = (row.done, row.jobs.len());
        cells.push(Cell::Text(if done == all {
            all.to_string()
        } else {
            format!("{done} of {all}")
        }));
        cells.extend([spread(row.validation, 4), spread(row.training, 4)]);
        if has_truth {
            cells.push(truth.map_or(Cell::Empty, |truth| Cell::Number(truth, 4)));
        }
        cells.push(spread(row.step, 0));
        if has_trouble {
            let told = row.troubles.iter().map(|(what, count)| {
                if row.done < 2 { what.clone() } else { format!("{what} ({count} of {done})") }
            });
            cells.push(Cell::Text(told.collect::<Vec<_>>().join(", ")));
        }
        cells
    };
    Summary { header, rows: rows.iter().zip(&truths).map(line).collect() }
}

fn has(values: &[(String, crate::settings::Value)], key: &str) -> bool {
    values.iter().any(|(name, _)| name == key)
}

fn present(sweep: &Sweep, is_wanted: impl Fn(&str) -> bool) -> Vec<&str> {
    sweep.keys().into_iter().filter(|key| is_wanted(key)).collect()
}

/// What a column is called: the key without its section, which is clear enough.
fn title(key: &str) -> &str {
    match key {
        DATASET => "data",
        ALGORITHM => "algorithm",
        _ => key.split_once('.').map_or(key, |(_, key)| key),
    }
}

/// For each row the mean log-likelihood that the true density itself gives to the validation points of its first run, in
/// nats per point: what no model of other points exceeds by more than chance. `None` where nobody knows the density.
fn known_likelihoods(jobs: &[Job], rows: &[Row]) -> Vec<Option<f64>> {
    let mut known: BTreeMap<String, Option<f64>> = BTreeMap::new();
    let mut find = |experiment: &Experiment| -> Option<f64> {
        experiment.knows_density().ok()?;
        let data_alone = Experiment {
            source: experiment.source.clone(),
            data: experiment.data.clone(),
            ..Experiment::default()
        };
        let key = data_alone.fingerprint().ok()?;
        *known.entry(key).or_insert_with(|| known_likelihood(&data_alone))
    };
    rows.iter().map(|row| find(&jobs[*row.jobs.first()?].experiment)).collect()
}

fn known_likelihood(experiment: &Experiment) -> Option<f64> {
    let dataset = experiment.dataset().ok()?;
    let density = experiment.known_density(&dataset.scaling).ok()?;
    let points = &dataset.validation;
    // In their order, so that the sum is the same on any number of threads.
    let values: Vec<f64> = points.par_iter().map(|&point| density.log_density(point)).collect();
    let mean = values.iter().sum::<f64>() / points.len() as f64;
    let mean = mean - dataset.scaling.log_unit_area();
    mean.is_finite().then_some(mean)
}
