//! What a run leaves in its folder.

use std::path::Path;

use serde_json::json;

use crate::data::Scaling;
use crate::export::{POINTS_RESOLUTION, inside, model, png, svg, table, write_file};
use crate::figures::cloud::{Cloud, cloud, pixels};
use crate::figures::colors::{ColorMap, Scale, Theme};
use crate::figures::plane;
use crate::model::{Density, Divergence, Estimate, Mixture, Truth, aic, bic};
use crate::training::guard::Symptom;
use crate::training::sweep::digest;
use crate::training::{Experiment, Finish, LoadedFile, Record, Run, Source};

/// The program's version, in every manifest.
pub(super) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// What is written of a run.
pub(super) struct Results<'a> {
    /// The file that repeats it.
    pub(super) file: &'a Experiment,
    pub(super) run: &'a Run,
    pub(super) history: &'a [Record],
    pub(super) finish: &'a Finish,
    /// The first thing that went wrong with it, whether or not it went on.
    pub(super) trouble: Option<&'a Trouble>,
    pub(super) known: &'a Known<'a>,
    /// The last step's model instead of the best one's.
    pub(super) is_last: bool,
    pub(super) has_picture: bool,
}

/// What is known of the data, beyond the data themselves.
pub(super) struct Known<'a> {
    /// How they were read.
    pub(super) notes: &'a [String],
    /// The density that they come from.
    pub(super) truth: Option<&'a Truth>,
    /// See [`data_hash`].
    pub(super) data_hash: Option<&'a str>,
}

/// Something that goes wrong in training, and when it was seen.
pub(super) struct Trouble {
    pub(super) step: usize,
    pub(super) symptom: Symptom,
}

/// Writes a run's files into a folder; the manifest last, so that a folder with one is complete.
pub(super) fn write(out: &Path, results: &Results<'_>) -> anyhow::Result<()> {
    let Results { file, run, history, finish, known, .. } = *results;
    let experiment = run.experiment();
    let rows: Vec<_> = history.iter().map(|record| record.row().to_vec()).collect();
    write_file(&out.join("metrics.csv"), table::csv(&Record::COLUMNS, &rows)?.as_bytes())?;
    let (mixture, record) = if results.is_last {
        (run.mixture(), run.record())
    } else {
        (&*run.best().mixture, run.best().record)
    };
    let scaling = &run.prepared().dataset.scaling;
    let has_converged = *finish == Finish::Converged;
    let (model, info) = model::trained(experiment, scaling, mixture, &record, has_converged);
    write_file(&out.join("model.json"), model::write(&model, &info)?.as_bytes())?;
    if results.has_picture {
        write_file(&out.join("density.png"), &picture(run, mixture, &record)?)?;
    }
    write_file(&out.join("experiment.toml"), file.to_toml()?.as_bytes())?;
    write_file(
        &out.join("manifest.json"),
        manifest(run, (&model, &record), finish, results.trouble, known)?.as_bytes(),
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
    trouble: Option<&Trouble>,
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
        "version": VERSION,
        "fingerprint": experiment.fingerprint()?,
        "source": source,
        "data_hash": known.data_hash,
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
        "trouble": trouble.map(|Trouble { step, symptom }| {
            json!({ "step": step, "kind": symptom.kind(), "what": symptom.to_string() })
        }),
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

/// The [`digest`] of the points of a file that has been read; `None` for other sources, whose settings say all.
pub(super) fn data_hash(source: &Source) -> Option<String> {
    let Source::File { loaded: Some(LoadedFile(file)), .. } = source else { return None };
    Some(digest(file.points.iter().flatten().flat_map(|v| v.to_bits().to_le_bytes())))
}
