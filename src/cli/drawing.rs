//! The `[[figure]]` blocks of a sweep: grids of densities and samples, starts, and curves with bands over seeds.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, bail};

use super::collect::folder_of;
use super::curve_files::{Curve, band, read_curve};
use crate::algorithms::{self, initial};
use crate::data::generators;
use crate::export::sheet::{FileFormat, Sheet};
use crate::export::style::{Preset, Style};
use crate::export::{model, write_file};
use crate::figures::curves::{Series, curves};
use crate::figures::{Axis, ColorMap, Layer, Mark, Plot, Scale, Spacing, Theme, plane};
use crate::model::{Bounds, Density, Mixture, Point, Raster};
use crate::random::{Purpose, generator};
use crate::settings::{Kind, Value};
use crate::training::figure_spec::{FigureSpec, Over, Show};
use crate::training::sweep::{ALGORITHM, DATASET};
use crate::training::tally::{Outcome, Row};
use crate::training::{Job, Prepared};

/// What there is to draw from.
pub(super) struct Results<'a> {
    pub(super) jobs: &'a [Job],
    pub(super) outcomes: &'a [Option<Outcome>],
    pub(super) rows: &'a [Row],
    /// The sweep's folder.
    pub(super) out: &'a Path,
}

const THEME: Theme = Theme::Light;
/// Points drawn from a model.
const SAMPLES: usize = 2000;
/// Cells of a density's raster along its longer side.
const CELLS: f64 = 320.0;
/// Colors reach up to this many times the median of the densities' highest values: a component that has collapsed would
/// leave nothing else to be seen.
const HEADROOM: f64 = 1.25;

/// Draws a figure and writes it.
pub(super) fn draw(spec: &FigureSpec, results: &Results<'_>) -> anyhow::Result<()> {
    let path = results.out.join(&spec.file);
    let rows: Vec<&Row> =
        results.rows.iter().filter(|row| row.done > 0 && is_wanted(spec, row)).collect();
    if rows.is_empty() {
        bail!("{}: no run that is done has what `only` asks for", path.display());
    }
    let [down, across] = [&spec.rows, &spec.columns].map(|key| values(key.as_deref(), &rows));
    let mut panels = Vec::new();
    for row_value in &down {
        // A row of each kind, where there are two.
        let kind_count = if spec.show == Show::DensityAndSamples { 2 } else { 1 };
        let mut kinds: Vec<Vec<Panel>> = (0..kind_count).map(|_| Vec::new()).collect();
        for column_value in &across {
            let has = |row: &Row| {
                has_value(row, spec.rows.as_deref(), row_value.as_ref())
                    && has_value(row, spec.columns.as_deref(), column_value.as_ref())
            };
            let here: Vec<&Row> = rows.iter().copied().filter(|row| has(row)).collect();
            for (kind, plots) in kinds.iter_mut().enumerate() {
                plots.push(results.panel(spec, &here, kind)?);
            }
        }
        panels.extend(kinds.into_iter().flatten());
    }
    level(&mut panels);
    let mut style = Style::of(Preset::Columns);
    style.columns = across.len();
    style.has_letters = false;
    style.dpi = spec.dpi;
    style.width = spec.width;
    let plots = panels.into_iter().map(|panel| panel.plot).collect();
    let format = path.extension().and_then(|e| FileFormat::from_extension(&e.to_string_lossy()));
    let bytes = Sheet::new(plots, style).bytes(format.unwrap_or(FileFormat::Png))?;
    Ok(write_file(&path, &bytes)?)
}

/// A plot, and the density in it, which is colored when all are known.
struct Panel {
    plot: Plot,
    raster: Option<Raster>,
}

impl From<Plot> for Panel {
    fn from(plot: Plot) -> Panel {
        Panel { plot, raster: None }
    }
}

/// Gives all densities one scale.
fn level(panels: &mut [Panel]) {
    let mut highest: Vec<f64> =
        panels.iter().filter_map(|panel| panel.raster.as_ref()).map(Raster::max).collect();
    highest.sort_by(f64::total_cmp);
    let Some(median) = highest.get(highest.len() / 2) else { return };
    let map = ColorMap::from_id("", THEME);
    for Panel { plot, raster } in panels {
        if let Some(raster) = raster {
            let top = HEADROOM * median;
            let layer = plane::density_up_to(raster, top, map, Scale::Linear, THEME);
            plot.layers.insert(0, Layer { label: String::new(), ..layer });
        }
    }
}

/// The value of a key in a row, be it given or chosen.
fn value<'a>(row: &'a Row, key: &str) -> Option<&'a Value> {
    let all = row.place.iter().chain(&row.chosen);
    all.into_iter().find(|(name, _)| name == key).map(|(_, value)| value)
}

fn has_value(row: &Row, key: Option<&str>, wanted: Option<&Value>) -> bool {
    key.is_none_or(|key| value(row, key) == wanted)
}

/// Numbers are equal however they are written.
fn is_wanted(spec: &FigureSpec, row: &Row) -> bool {
    spec.restrictions().all(|(key, wanted)| {
        value(row, &key).is_some_and(|value| value.to_string() == wanted.to_string())
    })
}

/// The values of a key among some rows, in their order; a single nothing without a key.
fn values(key: Option<&str>, rows: &[&Row]) -> Vec<Option<Value>> {
    let Some(key) = key else { return vec![None] };
    let mut values = Vec::new();
    for row in rows {
        let value = value(row, key).cloned();
        if !values.contains(&value) {
            values.push(value);
        }
    }
    values
}

/// What a row is called by some of its keys: `EM, K = 6`.
fn name(row: &Row, is_told: impl Fn(&str) -> bool) -> String {
    let told = row.place.iter().filter(|(key, _)| is_told(key));
    let mut words: Vec<(bool, String)> = told.map(|(key, value)| word(key, value)).collect();
    // The algorithm first.
    words.sort_by_key(|(is_algorithm, _)| !is_algorithm);
    words.into_iter().map(|(_, word)| word).collect::<Vec<_>>().join(", ")
}

/// A key and its value as people say it, and whether it is the algorithm.
fn word(key: &str, value: &Value) -> (bool, String) {
    let value = value.to_string();
    let bare = key.split_once('.').map_or(key, |(_, bare)| bare);
    let word = match key {
        ALGORITHM => algorithms::find(&value).map_or(value, |info| info.short.to_owned()),
        DATASET => generators::find(&value).map_or(value, |info| info.label.to_owned()),
        "model.n_components" => format!("K = {value}"),
        _ => {
            let declared = initial::SETTINGS.iter().find(|setting| setting.key == bare);
            match declared.map(|setting| &setting.kind) {
                Some(Kind::Choice { options, .. }) => {
                    let label = options.iter().find(|(id, _)| *id == value);
                    label.map_or(value, |(_, label)| (*label).to_owned())
                }
                _ => format!("{bare} {value}"),
            }
        }
    };
    (key == ALGORITHM, word)
}

impl Results<'_> {
    /// One panel of the runs that belong there.
    fn panel(&self, spec: &FigureSpec, rows: &[&Row], kind: usize) -> anyhow::Result<Panel> {
        if spec.show == Show::Nll {
            return Ok(self.curves(spec, rows)?.into());
        }
        let Some((row, number)) = rows.iter().find_map(|row| Some((*row, self.best(row)?))) else {
            let nothing = Bounds { min: [0.0; 2], max: [1.0; 2] };
            return Ok(plane::plane("", nothing, false, Vec::new()).into());
        };
        let job = &self.jobs[number];
        if spec.show == Show::Start {
            return Ok(start(job, &self.name_of(spec, row))?.into());
        }
        let points = job.experiment.points()?;
        let bounds = Bounds::around(&points).context("there are no points")?.with_margin(0.04);
        let mixture = self.mixture(job)?;
        let is_samples = spec.show == Show::Samples || kind == 1;
        // The rows below each other are of the same run: its name stands above the first.
        let title = if kind == 1 { String::new() } else { self.title(spec, row, number) };
        let mut plot = plane::plane(title, bounds, false, Vec::new());
        plot.has_legend = false;
        if is_samples {
            let mut rng = generator(0, Purpose::Samples);
            let samples: Arc<[Point]> = mixture.sample(SAMPLES, &mut rng).into();
            let color = THEME.palette().categorical[0];
            plot.layers.push(plane::points("samples", "", samples, color, 1.0));
            return Ok(plot.into());
        }
        let size = bounds.size();
        let [width, height] = size.map(|side| (CELLS * side / size[0].max(size[1])) as usize);
        Ok(Panel { raster: Some(mixture.raster(bounds, width, height)), plot })
    }

    /// The name of a row, of what differs within the figure. A start is the same for all algorithms.
    fn name_of(&self, spec: &FigureSpec, row: &Row) -> String {
        if spec.show == Show::Start {
            return name(row, |key| spec.rows.iter().chain(&spec.columns).any(|k| k == key));
        }
        let shown = || self.rows.iter().filter(|other| is_wanted(spec, other));
        name(row, |key| shown().any(|other| value(other, key) != value(row, key)))
    }

    /// A run's name and the likelihood that it reached on the validation data.
    fn title(&self, spec: &FigureSpec, row: &Row, number: usize) -> String {
        let likelihood = self.outcomes[number].as_ref().map(|outcome| -outcome.judged_by());
        let likelihood = likelihood.map(|ll| format!("{ll:.3}").replace('-', "−"));
        let likelihood = format!("LL {}", likelihood.unwrap_or_default());
        match self.name_of(spec, row) {
            name if name.is_empty() => likelihood,
            name => format!("{name}: {likelihood}"),
        }
    }

    /// The best of a row's runs on the validation data.
    fn best(&self, row: &Row) -> Option<usize> {
        let judged = |number: &usize| Some(self.outcomes[*number].as_ref()?.judged_by());
        let done = row.jobs.iter().filter_map(|number| Some((judged(number)?, *number)));
        done.min_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, number)| number)
    }

    fn mixture(&self, job: &Job) -> anyhow::Result<Mixture> {
        let path = folder_of(self.out, job).join("model.json");
        let text = std::fs::read_to_string(&path)
            .with_context(|| format!("{} cannot be read", path.display()))?;
        Ok(model::read(&text).with_context(|| path.display().to_string())?.0)
    }

    /// A curve for every row; with mean and standard deviation over its runs where there are several.
    fn curves(&self, spec: &FigureSpec, rows: &[&Row]) -> anyhow::Result<Plot> {
        let palette = THEME.palette();
        let mut series = Vec::new();
        let mut bands = Vec::new();
        for (i, row) in rows.iter().enumerate() {
            let color = palette.categorical[i % palette.categorical.len()];
            let done = row.jobs.iter().filter(|number| self.outcomes[**number].is_some());
            let runs = done
                .map(|&number| read_curve(&folder_of(self.out, &self.jobs[number]), spec.over))
                .collect::<anyhow::Result<Vec<Curve>>>()?;
            let band = band(&runs, spec.over);
            let mut label = self.name_of(spec, row);
            if runs.len() > 1 {
                label = format!("{label} (mean ± sd of {} runs)", runs.len());
                let edges = band.iter().map(|b| [b.x, b.mean - b.deviation, b.mean + b.deviation]);
                bands.push(Layer {
                    id: "band",
                    label: String::new(),
                    color,
                    marks: vec![Mark::Band {
                        points: edges.collect(),
                        color: color.with_opacity(0.25),
                    }],
                });
            }
            let points = band.iter().map(|b| [b.x, b.mean]).collect();
            series.push(Series { label, color, is_dashed: false, points });
        }
        Ok(plotted(spec, &series, bands))
    }
}

/// The plot of curves over their bands.
fn plotted(spec: &FigureSpec, series: &[Series], bands: Vec<Layer>) -> Plot {
    let label = match spec.over {
        Over::Steps => "step",
        Over::Seconds => "seconds of the algorithm’s own computing",
    };
    let x = Axis::new(label, Spacing::Logarithmic);
    let mut y = Axis::new("validation NLL (nats per point)", Spacing::Linear);
    y.range = spec.range;
    let mut plot = curves("nll", spec.title.clone(), x, y, series, &[]);
    plot.has_legend = true;
    plot.layers.splice(0..0, bands);
    plot
}

/// Where the means begin, over the training points.
fn start(job: &Job, name: &str) -> anyhow::Result<Plot> {
    let prepared = Prepared::new(&job.experiment)?;
    let dataset = &prepared.dataset;
    let bounds = dataset.bounds.with_margin(0.04);
    let palette = THEME.palette();
    let some: Arc<[Point]> = dataset.train.iter().take(SAMPLES).copied().collect();
    let means: Arc<[Point]> =
        prepared.start.components().iter().map(|component| component.gaussian.mean).collect();
    let dots = |radius, color| Mark::Points { points: means.clone(), radius, color };
    let layers = vec![
        plane::points("train", "Training data", some, palette.train, 1.0),
        Layer {
            id: "means",
            label: "Means at the start".to_owned(),
            color: palette.categorical[1],
            marks: vec![dots(5.5, palette.plot_background), dots(4.0, palette.categorical[1])],
        },
    ];
    let is_scaled = dataset.scaling != crate::data::Scaling::NONE;
    Ok(plane::plane(name, bounds, is_scaled, layers))
}
