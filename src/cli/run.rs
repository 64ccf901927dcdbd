//! `scorescope run`: trains one experiment and writes what came out.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, bail};
use indicatif::{ProgressBar, ProgressStyle};

use super::jobs::{Refusal, is_done, work};
use super::results::{Known, Results, Trouble, data_hash, write};
use super::{RunArguments, Subject, experiments, reading, sweep};
use crate::algorithms::initial;
use crate::data::Scaling;
use crate::export::{table, write_file};
use crate::model::Truth;
use crate::training::guard::Symptom;
use crate::training::spread::{Likelihood, mean_and_deviation};
use crate::training::{
    BranchId, Ensemble, Experiment, Finish, LoadedFile, Member, News, Prepared, Record, Run,
    Source, Sweep, Tree, Who, parse_columns,
};

/// Trains and writes.
pub(super) fn run(arguments: &RunArguments) -> anyhow::Result<()> {
    let threads = if arguments.as_job { Some(1) } else { arguments.threads };
    if let Some(threads) = threads {
        rayon::ThreadPoolBuilder::new().num_threads(threads).build_global()?;
    }
    if let Some(path) = &arguments.subject.experiment {
        let (name, text) = experiments::read(path)?;
        if Sweep::is_in(&text) {
            return sweep::sweep(arguments, &name, &text);
        }
    }
    if arguments.list_jobs || arguments.quick {
        bail!("--list-jobs and --quick are for an experiment file with [sweep] in it");
    }
    let mut experiment = experiment(&arguments.subject)?;
    let notes = load(&mut experiment)?;
    let data_hash = data_hash(&experiment.source);
    if arguments.as_job {
        return run_job(&experiment, &arguments.out, &notes, data_hash.as_deref());
    }
    fs::create_dir_all(&arguments.out)
        .with_context(|| format!("the folder {} cannot be made", arguments.out.display()))?;
    let prepared = Prepared::new(&experiment)?;
    // Split and scaled, the points are in `prepared`.
    if let Source::File { loaded, .. } = &mut experiment.source {
        *loaded = None;
    }
    let mut tree = Tree::new(&experiment, prepared)?;
    let histories = train(&mut tree);
    // In the units of the source, as the models are written.
    let truth = experiment.known_density(&Scaling::NONE).ok().map(Truth::new);
    let known = Known { notes: &notes, truth: truth.as_ref(), data_hash: data_hash.as_deref() };
    for id in experiment.runs() {
        conclude(arguments, &experiment, &tree, id, &histories, &known)?;
    }
    if let (Some(count), Some(run)) = (arguments.seeds, tree.run(BranchId::TRUNK)) {
        let table = train_seeds(run, count.get())?;
        write_file(&arguments.out.join("seeds.csv"), table.as_bytes())?;
    }
    for (id, run) in tree.runs() {
        if let Some(Finish::Failed(error)) = tree.finish(id) {
            let step = run.record().step;
            let what = if experiment.branches.is_empty() { "" } else { &format!("run {id} ") };
            bail!("{what}stopped after step {step}, whose results are kept: {error}");
        }
    }
    Ok(())
}

/// Trains a job that `--list-jobs` has told of, unless that has been done.
fn run_job(
    experiment: &Experiment,
    out: &Path,
    notes: &[String],
    data_hash: Option<&str>,
) -> anyhow::Result<()> {
    if is_done(out, &experiment.fingerprint()?, data_hash) {
        return Ok(());
    }
    let known = Known { notes, truth: None, data_hash };
    let prepared = Prepared::new(experiment)?;
    match work(experiment, prepared, out, &known, &|| true, &mut |_| {}) {
        Ok(_) => Ok(()),
        Err(Refusal::Start(why) | Refusal::Write(why)) => Err(why),
    }
}

/// Writes what came out of a run, and tells it: the trunk's into the folder itself, a branch's into one inside.
fn conclude(
    arguments: &RunArguments,
    experiment: &Experiment,
    tree: &Tree,
    id: BranchId,
    histories: &BTreeMap<BranchId, Vec<Record>>,
    known: &Known<'_>,
) -> anyhow::Result<()> {
    let label = experiment.algorithm_of(id).label;
    let (Some(run), Some(history)) = (tree.run(id), histories.get(&id)) else {
        if let Some(problem) = tree.problem(id) {
            bail!("run {id}, {label}, cannot begin: {problem}");
        }
        let step = experiment.first_step(id);
        eprintln!(
            "run {id}, {label}: never began, because the run that it leaves did not come to step {step}"
        );
        return Ok(());
    };
    let out = if id == BranchId::TRUNK {
        arguments.out.clone()
    } else {
        arguments.out.join(format!("run-{id}-{}", experiment.algorithm_of(id).id))
    };
    fs::create_dir_all(&out)
        .with_context(|| format!("the folder {} cannot be made", out.display()))?;
    let finish = tree.finish(id).unwrap_or(&Finish::MaxIter);
    // A racer is an experiment of its own; what left later is nothing without the run that it left.
    let is_racer = experiment.is_racer(id);
    let file = if is_racer { experiment.alone(id) } else { experiment.clone() };
    let symptom = Symptom::of(finish, run.mixture());
    let trouble = symptom.map(|symptom| Trouble { step: run.record().step, symptom });
    let results = Results {
        file: &file,
        run,
        history,
        finish,
        trouble: trouble.as_ref(),
        known,
        is_last: arguments.last,
        has_picture: true,
    };
    write(&out, &results)?;
    let best = run.best().record;
    let what = if experiment.branches.is_empty() { String::new() } else { format!("run {id}, ") };
    eprintln!(
        "{what}{label}: {} steps; best at step {} with {:.4} nats per point; results in {}",
        run.record().step,
        best.step,
        best.judged_by(),
        out.display(),
    );
    Ok(())
}

/// Reads the experiment's file, if it has one; gives what a person should know about how it was read.
pub(super) fn load(experiment: &mut Experiment) -> anyhow::Result<Vec<String>> {
    let Source::File { path, columns, loaded } = &mut experiment.source else {
        return Ok(Vec::new());
    };
    let file = Arc::new(reading::read(path, *columns)?);
    let notes = file.notes.clone();
    *loaded = Some(LoadedFile(file));
    Ok(notes)
}

pub(super) fn experiment(subject: &Subject) -> anyhow::Result<Experiment> {
    let mut experiment = match &subject.experiment {
        Some(path) => Experiment::read(path)?,
        None => Experiment::default(),
    };
    if let Some(id) = &subject.dataset {
        experiment.choose_source(Source::Generator(id.clone()));
    } else if let Some(path) = &subject.data {
        if path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("toml")) {
            bail!("{} is an experiment: try `scorescope run {0}` without --data", path.display());
        }
        let columns = parse_columns(subject.columns.as_deref().unwrap_or_default())
            .map_err(anyhow::Error::msg)?;
        experiment.choose_source(Source::File { path: path.clone(), columns, loaded: None });
    } else if subject.experiment.is_none() {
        bail!(
            "nothing to train: give an experiment file, --dataset ID or --data FILE (see `scorescope list`)"
        );
    }
    if let Some(id) = &subject.algorithm {
        experiment.choose_algorithm(id);
    }
    experiment.check()?;
    for setting in &subject.settings {
        let (key, value) = key_and_value(setting)?;
        experiment.set(key, value)?;
    }
    Ok(experiment)
}

/// The two sides of a `--set`.
pub(super) fn key_and_value(setting: &str) -> anyhow::Result<(&str, &str)> {
    let sides = setting.split_once('=').map(|(key, value)| (key.trim(), value));
    sides.with_context(|| {
        format!("--set {setting}: write it as KEY=VALUE, for instance --set n_components=12")
    })
}

/// Steps until all runs have stopped by themselves, with a bar where somebody watches; gives a record a step of each.
pub(super) fn train(tree: &mut Tree) -> BTreeMap<BranchId, Vec<Record>> {
    let most = tree.runs().map(|(_, run)| run.max_iter()).max().unwrap_or(0);
    let bar = ProgressBar::new(most as u64);
    bar.set_style(
        ProgressStyle::with_template("{bar:30} step {pos} of {len}  {msg}  {eta} left")
            .unwrap_or_else(|_| ProgressStyle::default_bar()),
    );
    let mut histories: BTreeMap<BranchId, Vec<Record>> = BTreeMap::new();
    loop {
        for (id, news) in tree.take_news() {
            match news {
                News::Started(record) => {
                    histories.insert(id, vec![record]);
                }
                News::Recorded(record) => {
                    histories.entry(id).or_default().push(record);
                    bar.set_position(bar.position().max(record.step as u64));
                    bar.set_message(format!("NLL {:.4}", record.judged_by()));
                }
                News::Finished(_) | News::Waits | News::Stuck(_) | News::Forgot => {}
            }
        }
        if !tree.can_turn(Who::All) {
            break;
        }
        tree.turn(Who::All);
    }
    bar.finish_and_clear();
    histories
}

/// Trains from that many starts; where each ended, as a table, a row a seed.
fn train_seeds(run: &Run, count: usize) -> anyhow::Result<String> {
    let members = ensemble(run.experiment(), run.prepared(), count)?;
    let finals = Likelihood::Training.finals(&members);
    if let Some((mean, deviation)) = mean_and_deviation(&finals) {
        eprintln!("{count} starts: training NLL {mean:.4} ± {deviation:.4} nats per point");
    }
    let rows: Vec<_> = members.iter().map(|member| member.row().to_vec()).collect();
    Ok(table::csv(&Member::COLUMNS, &rows)?)
}

/// Trains from that many starts: with the seed of this start and those after it, in this order.
pub(super) fn ensemble(
    experiment: &Experiment,
    prepared: &Prepared,
    count: usize,
) -> anyhow::Result<Vec<Arc<Member>>> {
    let first_seed = experiment.start.integer(&initial::RANDOM_STATE) as u32;
    let dataset = Some(prepared.dataset.clone());
    let threads = rayon::current_num_threads();
    let experiment = experiment.clone();
    let ensemble = Ensemble::spawn(experiment, dataset, first_seed, count, threads, || ())?;
    let bar = counting_bar(count, "start");
    let mut members = Vec::new();
    for member in ensemble.wait() {
        members.push(member.map_err(anyhow::Error::msg)?);
        bar.inc(1);
    }
    bar.finish_and_clear();
    // They arrive as they are done; the seeds may begin again at 0 after the last one.
    members.sort_by_key(|member| member.seed.wrapping_sub(first_seed));
    Ok(members)
}

/// A bar that counts so many of these, where somebody watches.
pub(super) fn counting_bar(count: usize, what: &str) -> ProgressBar {
    let bar = ProgressBar::new(count as u64);
    let template = format!("{{bar:30}} {what} {{pos}} of {{len}}  {{eta}} left");
    bar.set_style(
        ProgressStyle::with_template(&template).unwrap_or_else(|_| ProgressStyle::default_bar()),
    );
    bar
}
