//! `scorescope run SWEEP.toml`: trains every job that is not done yet, on all cores, and collects them.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use anyhow::{Context, bail};
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::jobs::{Refusal, is_done, work};
use super::results::{Known, data_hash};
use super::{RunArguments, collect, print, run};
use crate::data::Dataset;
use crate::export::write_file;
use crate::settings::{Settings, Value};
use crate::training::sweep::{ALGORITHM, Axis};
use crate::training::{Crew, Experiment, Job, Prepared, Source, Sweep, quoted};

/// Trains and collects, or lists the jobs.
pub(super) fn sweep(arguments: &RunArguments, name: &str, text: &str) -> anyhow::Result<()> {
    let mut sweep = read(arguments, name, text)?;
    let out = &arguments.out;
    fs::create_dir_all(out)
        .with_context(|| format!("the folder {} cannot be made", out.display()))?;
    // First of all, so that what was interrupted can be collected.
    let plan = sweep.to_toml()?;
    if arguments.list_jobs {
        let jobs = sweep.jobs()?;
        write_file(&collect::plan_of(out), plan.as_bytes())?;
        return list(&jobs, out);
    }
    let notes = run::load(&mut sweep.base)?;
    let jobs = sweep.jobs()?;
    write_file(&collect::plan_of(out), plan.as_bytes())?;
    let data_hash = data_hash(&sweep.base.source);
    let is_open = |job: &&Job| {
        !is_done(&collect::folder_of(out, job), &job.fingerprint, data_hash.as_deref())
    };
    let open: Vec<Job> = jobs.iter().filter(is_open).cloned().collect();
    let done = jobs.len() - open.len();
    if done > 0 {
        eprintln!("{done} of {} jobs are done already", jobs.len());
    }
    let threads = arguments.threads.unwrap_or_else(rayon::current_num_threads);
    let failures = train(open, out, threads, notes, data_hash)?;
    for (name, why) in &failures {
        eprintln!("scorescope: {name} cannot be trained: {why}");
    }
    collect::conclude(&sweep, &jobs, out)?;
    eprintln!("{} jobs, table and figures in {}", jobs.len(), out.display());
    if !failures.is_empty() {
        bail!("{} of {} jobs cannot be trained", failures.len(), jobs.len());
    }
    Ok(())
}

/// The sweep, with what the command line says.
fn read(arguments: &RunArguments, name: &str, text: &str) -> anyhow::Result<Sweep> {
    if arguments.last {
        bail!("--last is not for a sweep: its table compares the best steps");
    }
    if arguments.seeds.is_some() {
        bail!("--seeds is not for a sweep: write start.random_state = [0, 1, 2] in [sweep]");
    }
    let mut sweep = Sweep::from_toml(name, text, arguments.quick)?;
    if let Source::File { path, .. } = &mut sweep.base.source {
        let folder = Path::new(name).parent().unwrap_or(Path::new(""));
        *path = std::path::absolute(folder.join(&*path))?;
    }
    let mut axes = Vec::new();
    if let Some(id) = &arguments.subject.algorithm {
        axes.push(Axis { key: ALGORITHM.to_owned(), values: vec![Value::Choice(id.clone())] });
    }
    for setting in &arguments.subject.settings {
        let (key, text) = run::key_and_value(setting)?;
        if !key.contains('.') {
            bail!("--set {setting}: with a sweep, write the section too, such as model.{key}");
        }
        axes.push(Axis { key: key.to_owned(), values: vec![Value::guess(text)] });
    }
    for axis in &axes {
        sweep.replace(axis);
        if axis.key != ALGORITHM && sweep.jobs()?.iter().all(|job| job.at(&axis.key).is_none()) {
            bail!("--set {}: no job of the sweep has this setting", axis.key);
        }
    }
    Ok(sweep)
}

/// How this program was called: by its name where it is found on the path, else by its whole path.
fn program() -> anyhow::Result<String> {
    let called = std::env::args_os().next().map_or_else(|| "scorescope".into(), PathBuf::from);
    let is_name = called.components().count() == 1;
    let called = if is_name { called } else { std::path::absolute(called)? };
    Ok(called.display().to_string())
}

/// Prints a command a line; each trains one job, whatever the others do.
fn list(jobs: &[Job], out: &Path) -> anyhow::Result<()> {
    // They may be run in another folder, or on another machine that sees the same disk.
    let out = &std::path::absolute(out)?;
    if out.to_str().is_none() {
        bail!("{} has letters that no command can name: choose another --out", out.display());
    }
    let program = program()?;
    let mut text = String::new();
    for job in jobs {
        let folder = collect::folder_of(out, job);
        let words = if let Some(words) = job.experiment.command_words() {
            words
        } else {
            // Strokes and given starts have no words: they need a file.
            let path = out.join("experiments").join(format!("{}.toml", job.name));
            fs::create_dir_all(out.join("experiments"))?;
            write_file(&path, job.experiment.to_toml()?.as_bytes())?;
            vec![path.display().to_string()]
        };
        let mut command = vec![program.clone(), "run".to_owned()];
        command.extend(words);
        command.extend(["--as-job", "--out"].map(str::to_owned));
        command.push(folder.display().to_string());
        let line = command.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" ");
        if line.contains('\n') {
            bail!(
                "a path has a line break, and a command has to be one line: choose another --out"
            );
        }
        text.push_str(&line);
        text.push('\n');
    }
    print(&text)
}

/// Trains jobs side by side, one thread each; gives those that cannot begin, and why.
fn train(
    jobs: Vec<Job>,
    out: &Path,
    threads: usize,
    notes: Vec<String>,
    data_hash: Option<String>,
) -> anyhow::Result<Vec<(String, String)>> {
    let bars = Arc::new(Bars::new(jobs.len()));
    let (out, count): (PathBuf, usize) = (out.to_owned(), jobs.len());
    let jobs = Arc::new(jobs);
    let (shared, state) = (Starts::default(), (bars.clone(), jobs.clone()));
    let train = move |number: usize, is_wanted: &dyn Fn() -> bool| {
        let (bars, jobs) = &state;
        let job = &jobs[number];
        let prepared = match shared.prepared(&job.experiment) {
            Ok(prepared) => prepared,
            Err(why) => return Ok(Some(Some(why))),
        };
        let known = Known { notes: &notes, truth: None, data_hash: data_hash.as_deref() };
        let folder = collect::folder_of(&out, job);
        let most = job.experiment.algorithm.integer(&crate::algorithms::MAX_ITER);
        let mut watch = |record: &crate::training::Record| {
            if record.step % 16 == 1 {
                bars.tell(number, &job.name, record.step, most);
            }
        };
        let done = work(&job.experiment, prepared, &folder, &known, is_wanted, &mut watch);
        bars.done(number);
        match done {
            Ok(None) => Ok(None),
            Ok(Some(())) => Ok(Some(None)),
            Err(Refusal::Start(why)) => Ok(Some(Some(format!("{why:#}")))),
            // A full disk: nothing else will go better.
            Err(Refusal::Write(why)) => Err(format!("{why:#}")),
        }
    };
    let crew = Crew::spawn(count, threads, train, || ())?;
    let mut failures = Vec::new();
    for result in crew.wait() {
        let (number, failure) = result.map_err(anyhow::Error::msg)?;
        failures.extend(failure.map(|why| (number, why)));
    }
    bars.clear();
    failures.sort_unstable();
    Ok(failures.into_iter().map(|(i, why)| (jobs[i].name.clone(), why)).collect())
}

/// A place for something that is computed once, by whoever needs it first.
type Once<T> = Arc<OnceLock<Result<T, String>>>;

/// How many data sets and starts are kept.
const MOST_KEPT: usize = 16;

/// Data and starts that several jobs share. Those that were asked for long ago are let go.
#[derive(Default)]
struct Starts {
    datasets: Mutex<Vec<(String, Once<Arc<Dataset>>)>>,
    starts: Mutex<Vec<(String, Once<Prepared>)>>,
}

impl Starts {
    fn prepared(&self, experiment: &Experiment) -> Result<Prepared, String> {
        // Any algorithm begins there, with any settings.
        let mut start = experiment.clone();
        "em".clone_into(&mut start.algorithm_id);
        start.algorithm = Settings::default();
        let mut data = start.clone();
        (data.model, data.start) = (Settings::default(), Settings::default());
        data.given.clear();
        let dataset = once(&self.datasets, &data, || experiment.dataset().map(Arc::new))?;
        once(&self.starts, &start, || Prepared::on(experiment, dataset))
    }
}

/// What an experiment stands for: at hand, or made now.
fn once<T: Clone>(
    kept: &Mutex<Vec<(String, Once<T>)>>,
    key: &Experiment,
    make: impl FnOnce() -> Result<T, crate::training::ExperimentError>,
) -> Result<T, String> {
    let key = key.fingerprint().map_err(|error| error.to_string())?;
    let place = {
        let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
        let found = kept.iter().position(|(known, _)| *known == key);
        let entry = found.map_or_else(|| (key, Once::default()), |at| kept.remove(at));
        kept.push(entry.clone());
        if kept.len() > MOST_KEPT {
            kept.remove(0);
        }
        entry.1
    };
    place.get_or_init(|| make().map_err(|error| error.to_string())).clone()
}

/// A bar for the whole and one for the current run: of those in training, the one that began first.
struct Bars {
    all: ProgressBar,
    current: ProgressBar,
    /// By number: name, step and the most steps.
    running: Mutex<BTreeMap<usize, (String, usize, usize)>>,
}

impl Bars {
    fn new(count: usize) -> Bars {
        let bars = MultiProgress::new();
        let style = |template: &str| {
            ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
        };
        let all = bars.add(ProgressBar::new(count as u64));
        all.set_style(style("{bar:30} job {pos} of {len}  {eta} left"));
        let current = bars.add(ProgressBar::new(1));
        current.set_style(style("{bar:30} step {pos} of {len}  {msg}"));
        Bars { all, current, running: Mutex::default() }
    }

    fn tell(&self, number: usize, name: &str, step: usize, most: usize) {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        running.insert(number, (name.to_owned(), step, most));
        if let Some((_, (name, step, most))) = running.first_key_value() {
            self.current.set_length(*most as u64);
            self.current.set_position(*step as u64);
            self.current.set_message(name.clone());
        }
    }

    fn done(&self, number: usize) {
        self.running.lock().unwrap_or_else(PoisonError::into_inner).remove(&number);
        self.all.inc(1);
    }

    fn clear(&self) {
        self.current.finish_and_clear();
        self.all.finish_and_clear();
    }
}
