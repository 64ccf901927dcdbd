//! `scorescope run`: trains one experiment and writes what came out.

use std::fs;
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
use crate::model::{Density, Mixture, aic, bic};
use crate::training::spread::{Likelihood, mean_and_deviation};
use crate::training::{
    Ensemble, Experiment, Finish, LoadedFile, Member, Prepared, Record, Run, Source, parse_columns,
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
    let mut run = Run::new(&experiment, prepared)?;
    let (history, finish) = train(&mut run);
    write(arguments, &run, &history, &finish, &notes)?;
    let best = run.best().record;
    eprintln!(
        "{}: {} steps; best at step {} with {:.4} nats per point; results in {}",
        experiment.algorithm_info().label,
        run.record().step,
        best.step,
        best.judged_by(),
        arguments.out.display(),
    );
    if let Some(count) = arguments.seeds {
        let table = train_seeds(&run, count.get())?;
        write_file(&arguments.out.join("seeds.csv"), table.as_bytes())?;
    }
    if let Finish::Failed(error) = finish {
        bail!("stopped after step {}, whose results are kept: {error}", run.record().step);
    }
    Ok(())
}

/// Reads the experiment's file, if it has one; gives what a person should know about how it was read.
fn load(experiment: &mut Experiment) -> anyhow::Result<Vec<String>> {
    let Source::File { path, columns, loaded } = &mut experiment.source else {
        return Ok(Vec::new());
    };
    let file = Arc::new(reading::read(path, *columns)?);
    let notes = file.notes.clone();
    *loaded = Some(LoadedFile(file));
    Ok(notes)
}

fn experiment(arguments: &RunArguments) -> anyhow::Result<Experiment> {
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

/// Steps until the run stops by itself, with a bar where somebody watches.
fn train(run: &mut Run) -> (Vec<Record>, Finish) {
    let bar = ProgressBar::new(run.max_iter() as u64);
    bar.set_style(
        ProgressStyle::with_template("{bar:30} step {pos} of {len}  {msg}  {eta} left")
            .unwrap_or_else(|_| ProgressStyle::default_bar()),
    );
    let mut history = vec![run.record()];
    let finish = loop {
        if run.record().step >= run.max_iter() {
            break Finish::MaxIter;
        }
        match run.step() {
            Err(error) => break Finish::Failed(error),
            Ok(record) => {
                bar.inc(1);
                bar.set_message(format!("NLL {:.4}", record.judged_by()));
                history.push(record);
            }
        }
        if run.has_converged() {
            break Finish::Converged;
        }
    };
    bar.finish_and_clear();
    (history, finish)
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
    arguments: &RunArguments,
    run: &Run,
    history: &[Record],
    finish: &Finish,
    notes: &[String],
) -> anyhow::Result<()> {
    let RunArguments { out, last, .. } = arguments;
    let experiment = run.experiment();
    let rows: Vec<_> = history.iter().map(|record| record.row().to_vec()).collect();
    write_file(&out.join("metrics.csv"), table::csv(&Record::COLUMNS, &rows)?.as_bytes())?;
    let (mixture, record) = if *last {
        (run.mixture(), run.record())
    } else {
        (&*run.best().mixture, run.best().record)
    };
    let scaling = &run.prepared().dataset.scaling;
    let has_converged = *finish == Finish::Converged;
    let (model, info) = model::trained(experiment, scaling, mixture, &record, has_converged);
    write_file(&out.join("model.json"), model::write(&model, &info)?.as_bytes())?;
    write_file(&out.join("density.png"), &picture(run, mixture, &record)?)?;
    write_file(&out.join("experiment.toml"), experiment.to_toml()?.as_bytes())?;
    write_file(&out.join("manifest.json"), manifest(run, &record, finish, notes)?.as_bytes())?;
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

/// Everything that a reader needs to know where the numbers come from; nothing that differs from run to run.
fn manifest(
    run: &Run,
    record: &Record,
    finish: &Finish,
    notes: &[String],
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
        "notes": notes,
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
            Finish::Failed(error) => format!("stopped: {error}"),
        },
        "last_step": run.record().step,
        "model": {
            "step": record.step,
            "train_nll": train_nll,
            "val_nll": val_nll,
            "free_parameters": parameters,
            "bic": bic(-train_nll, parameters, points),
            "aic": aic(-train_nll, parameters, points),
        },
    });
    Ok(serde_json::to_string_pretty(&manifest)? + "\n")
}
