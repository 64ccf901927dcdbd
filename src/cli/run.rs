//! `scorescope run`: trains one experiment and writes what came out.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, bail};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;

use super::{RunArguments, reading};
use crate::algorithms::initial;
use crate::data::Scaling;
use crate::export::{POINTS_RESOLUTION, inside, model, png, svg, table, write_file};
use crate::figures::cloud::{Cloud, cloud, pixels};
use crate::figures::colors::{ColorMap, Scale, Theme};
use crate::figures::plane;
use crate::model::{Density, Divergence, Estimate, Mixture, Truth, aic, bic};
use crate::training::spread::{Likelihood, mean_and_deviation};
use crate::training::{
    BranchId, Ensemble, Experiment, Finish, LoadedFile, Member, News, Prepared, Record, Run,
    Source, Tree, Who, parse_columns,
};

/// Trains and writes.
pub(super) fn run(arguments: &RunArguments) -> anyhow::Result<()> {
    if let Some(threads) = arguments.threads {
        rayon::ThreadPoolBuilder::new().num_threads(threads).build_global()?;
    }
    let mut experiment = experiment(arguments)?;
    let notes = load(&mut experiment)?;
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
    let known = Known { notes: &notes, truth: truth.as_ref() };
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

/// What is known of the data, beyond the data themselves.
struct Known<'a> {
    /// How they were read.
    notes: &'a [String],
    /// The density that they come from.
    truth: Option<&'a Truth>,
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
    write(&out, arguments.last, &file, run, history, finish, known)?;
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

pub(super) fn experiment(arguments: &RunArguments) -> anyhow::Result<Experiment> {
    let mut experiment = match &arguments.experiment {
        Some(path) => Experiment::read(path)?,
        None => Experiment::default(),
    };
    if let Some(id) = &arguments.dataset {
        experiment.choose_source(Source::Generator(id.clone()));
    } else if let Some(path) = &arguments.data {
        if path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("toml")) {
            bail!("{} is an experiment: try `scorescope run {0}` without --data", path.display());
        }
        let columns = parse_columns(arguments.columns.as_deref().unwrap_or_default())
            .map_err(anyhow::Error::msg)?;
        experiment.choose_source(Source::File { path: path.clone(), columns, loaded: None });
    } else if arguments.experiment.is_none() {
        bail!(
            "nothing to train: give an experiment file, --dataset ID or --data FILE (see `scorescope list`)"
        );
    }
    if let Some(id) = &arguments.algorithm {
        experiment.choose_algorithm(id);
    }
    experiment.check()?;
    for setting in &arguments.settings {
        let Some((key, value)) = setting.split_once('=') else {
            bail!("--set {setting}: write it as KEY=VALUE, for instance --set n_components=12");
        };
        experiment.set(key.trim(), value)?;
    }
    Ok(experiment)
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
                News::Finished(_) | News::Waits | News::Stuck(_) => {}
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
    let experiment = (**run.experiment()).clone();
    let first_seed = experiment.start.integer(&initial::RANDOM_STATE) as u32;
    let dataset = Some(run.prepared().dataset.clone());
    let threads = rayon::current_num_threads();
    let ensemble = Ensemble::spawn(experiment, dataset, first_seed, count, threads, || ())?;
    let bar = ProgressBar::new(count as u64);
    bar.set_style(
        ProgressStyle::with_template("{bar:30} start {pos} of {len}  {eta} left")
            .unwrap_or_else(|_| ProgressStyle::default_bar()),
    );
    let mut members = Vec::new();
    for member in ensemble.wait() {
        members.push(member.map_err(anyhow::Error::msg)?);
        bar.inc(1);
    }
    bar.finish_and_clear();
    // They arrive as they are done; the seeds may begin again at 0 after the last one.
    members.sort_by_key(|member| member.seed.wrapping_sub(first_seed));
    let finals = Likelihood::Training.finals(&members);
    if let Some((mean, deviation)) = mean_and_deviation(&finals) {
        eprintln!("{count} starts: training NLL {mean:.4} ± {deviation:.4} nats per point");
    }
    let rows: Vec<_> = members.iter().map(|member| member.row().to_vec()).collect();
    Ok(table::csv(&Member::COLUMNS, &rows)?)
}

fn write(
    out: &Path,
    is_last: bool,
    file: &Experiment,
    run: &Run,
    history: &[Record],
    finish: &Finish,
    known: &Known<'_>,
) -> anyhow::Result<()> {
    let experiment = run.experiment();
    let rows: Vec<_> = history.iter().map(|record| record.row().to_vec()).collect();
    write_file(&out.join("metrics.csv"), table::csv(&Record::COLUMNS, &rows)?.as_bytes())?;
    let (mixture, record) = if is_last {
        (run.mixture(), run.record())
    } else {
        (&*run.best().mixture, run.best().record)
    };
    let scaling = &run.prepared().dataset.scaling;
    let has_converged = *finish == Finish::Converged;
    let (model, info) = model::trained(experiment, scaling, mixture, &record, has_converged);
    write_file(&out.join("model.json"), model::write(&model, &info)?.as_bytes())?;
    write_file(&out.join("density.png"), &picture(run, mixture, &record)?)?;
    write_file(&out.join("experiment.toml"), file.to_toml()?.as_bytes())?;
    write_file(
        &out.join("manifest.json"),
        manifest(run, (&model, &record), finish, known)?.as_bytes(),
    )?;
    Ok(())
}

fn picture(run: &Run, mixture: &Mixture, record: &Record) -> anyhow::Result<Vec<u8>> {
    let (theme, dataset) = (Theme::Light, &run.prepared().dataset);
    let palette = theme.palette();
    let bounds = dataset.bounds.with_margin(0.08);
    let raster = mixture.raster(bounds, 512, 512);
    let size = [960.0, 720.0];
    let layers = vec![
        plane::density(&raster, ColorMap::from_id("", theme), Scale::Linear, theme),
        plane::components(mixture, palette),
    ];
    let title = plane::title(run.experiment().algorithm_info().label, mixture, record.step);
    let mut plot = plane::plane(title, bounds, dataset.scaling != Scaling::NONE, layers);
    let data = cloud(&Cloud {
        id: "train",
        label: "Training data",
        points: &dataset.train,
        bounds,
        pixels: pixels(bounds, inside(&plot, size), POINTS_RESOLUTION),
        color: palette.train,
        every: 1,
    });
    plot.layers.insert(1, data);
    Ok(png(&svg(&plot, size, palette), 1.5)?)
}

/// How far a model is from the known density, each number with how far it may be off.
fn distances(truth: &Truth, model: &Mixture) -> serde_json::Value {
    let Divergence { kl, fisher, implicit, constant } = truth.compare(model);
    let number = |Estimate { value, error }| json!({ "value": value, "error": error });
    json!({
        "kl": number(kl),
        "fisher": number(fisher),
        "implicit": number(implicit),
        "constant": number(constant),
    })
}

/// Everything that a reader needs to know where the numbers come from; nothing that differs from run to run.
fn manifest(
    run: &Run,
    (model, record): (&Mixture, &Record),
    finish: &Finish,
    known: &Known<'_>,
) -> anyhow::Result<String> {
    let experiment = run.experiment();
    let mut settings = serde_json::Map::new();
    for (section, chosen, declared) in experiment.sections() {
        let values = declared.iter().map(|s| (s.key.to_owned(), json!(chosen.value(s))));
        settings.insert(section.to_owned(), values.collect::<serde_json::Map<_, _>>().into());
    }
    if !experiment.given.is_empty() {
        // The knobs had no say.
        settings.insert("start".to_owned(), json!({ "component": experiment.given }));
    }
    let dataset = &run.prepared().dataset;
    let component_count = run.mixture().components().len();
    let parameters = experiment.covariance_type().free_parameter_count(component_count);
    let points = dataset.train.len();
    // As in model.json: of the points in the units of their source.
    let log_unit_area = dataset.scaling.log_unit_area();
    let [train_nll, val_nll] = [record.train_nll, record.val_nll].map(|nll| nll + log_unit_area);
    let source = match &experiment.source {
        Source::Generator(id) => json!({ "dataset": id }),
        Source::File { path, columns, .. } => {
            json!({ "file": path.display().to_string(), "columns": columns.map(|c| c.map(|c| c + 1)) })
        }
        Source::Nothing => json!({ "drawn": true }),
    };
    let manifest = json!({
        "program": "scorescope",
        "version": env!("CARGO_PKG_VERSION"),
        "source": source,
        "notes": known.notes,
        "strokes": experiment.strokes.len(),
        "algorithm": experiment.algorithm_id,
        "settings": settings,
        "n_train": points,
        "n_validation": dataset.validation.len(),
        "scaling": { "offset": dataset.scaling.offset, "unit": dataset.scaling.unit },
        "covariance_floor": run.prepared().floor,
        "finish": match finish {
            Finish::Converged => "converged".to_owned(),
            Finish::MaxIter => "max_iter".to_owned(),
            Finish::Broken(symptom) => format!("stopped: {symptom}"),
            Finish::Failed(error) => format!("stopped: {error}"),
        },
        "first_step": run.first_step(),
        "last_step": run.record().step,
        "model": {
            "step": record.step,
            "train_nll": train_nll,
            "val_nll": val_nll,
            "free_parameters": parameters,
            "bic": bic(-train_nll, parameters, points),
            "aic": aic(-train_nll, parameters, points),
            "truth": known.truth.map(|truth| distances(truth, model)),
        },
    });
    Ok(serde_json::to_string_pretty(&manifest)? + "\n")
}
