//! Exports: what can be saved of what is on screen, redrawn at full resolution.

use std::sync::Arc;

use anyhow::bail;

use super::maps::Maps;
use super::painting::{Care, Request, crowd_layers, model_layers};
use super::particles::Particles;
use super::redrawn::Redrawn;
use super::seeds::Seeds;
use super::taken_apart::figure_layers;
use super::truth::Truths;
use super::view::View;
use super::{pane, seeds};
use crate::data::Scaling;
use crate::export::{POINTS_RESOLUTION, inside, model, png, points, svg, table};
use crate::figures::cloud::pixels;
use crate::figures::landscape::{self, Ground, Trail};
use crate::figures::race::{self, Look, Racer};
use crate::figures::truth::{self, Judged, Measure};
use crate::figures::workings::{self, Subject};
use crate::figures::{self, Layer, Plot, bars, learning, plane};
use crate::model::{Bounds, Density, Point};
use crate::random::{Purpose, generator};
use crate::training::basin::Basin;
use crate::training::optima::Ends;
use crate::training::redraws::Estimates;
use crate::training::survey::Chart;
use crate::training::{BranchId, Member, Moment, Record, Snapshot, Verdict};

/// What is saved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// The canvas with the layers that are on.
    Canvas,
    /// The likelihood curves.
    Nll,
    /// The objective's curve.
    Objective,
    /// The bars of the weights.
    Weights,
    /// The curves of many starts.
    Seeds,
    /// Where they ended, as bars.
    Finals,
    /// Where they ended, as numbers.
    SeedTable,
    /// All curves as numbers.
    Curves,
    /// The basin map.
    Basin,
    /// The loss landscape.
    Landscape,
    /// The training and validation points.
    Data,
    /// Samples of the model.
    Samples,
    /// The mixture of the best step on the validation data.
    Model,
    /// The mixture of the step that is shown.
    ShownModel,
    /// Curves of the distance from the known density.
    Distance(Measure),
    /// The same as numbers.
    Distances,
    /// The particles that walk on a density.
    Particles,
    /// The objective with other draws.
    Redraws,
}

/// How it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// A picture of pixels.
    Png,
    /// A picture of shapes.
    Svg,
    /// A table as text.
    Csv,
    /// A `NumPy` array.
    Npy,
    /// A tree of names and numbers.
    Json,
}

impl What {
    /// In the order of the menu.
    pub const ALL: [What; 20] = [
        What::Canvas,
        What::Nll,
        What::Objective,
        What::Weights,
        What::Curves,
        What::Data,
        What::Samples,
        What::Model,
        What::ShownModel,
        What::Seeds,
        What::Finals,
        What::SeedTable,
        What::Basin,
        What::Landscape,
        What::Distances,
        What::Distance(Measure::Kl),
        What::Distance(Measure::Fisher),
        What::Distance(Measure::Constant),
        What::Particles,
        What::Redraws,
    ];

    /// What there is to be saved: many seeds, maps and particles only where there are some.
    #[must_use]
    pub fn available(
        seeds: &Seeds,
        maps: &Maps,
        truth: &Truths,
        particles: &Particles,
        redrawn: &Redrawn,
    ) -> Vec<What> {
        let is_there = |what: &What| match what {
            What::Seeds | What::Finals | What::SeedTable => !seeds.members().is_empty(),
            What::Basin | What::Landscape => MapMaterial::of(*what, maps).is_some(),
            What::Distance(_) | What::Distances => truth.has_verdicts(),
            What::Particles => !particles.points().is_empty(),
            What::Redraws => redrawn.estimates().is_some(),
            _ => true,
        };
        What::ALL.into_iter().filter(is_there).collect()
    }

    /// Its name.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            What::Canvas => "canvas",
            What::Nll => "NLL plot",
            What::Objective => "objective plot",
            What::Weights => "weights plot",
            What::Seeds => "many seeds: curves",
            What::Finals => "many seeds: final values",
            What::SeedTable => "many seeds as numbers",
            What::Basin => "basin map",
            What::Landscape => "loss landscape",
            What::Curves => "curves as numbers",
            What::Data => "data",
            What::Samples => "samples",
            What::Model => "model (best step)",
            What::ShownModel => "model (step shown)",
            What::Distance(Measure::Kl) => "truth: KL divergence",
            What::Distance(Measure::Fisher) => "truth: Fisher divergence",
            What::Distance(Measure::Constant) => "truth: explicit − implicit",
            What::Distances => "truth: numbers",
            What::Particles => "walking particles",
            What::Redraws => "objective with other draws",
        }
    }

    /// The file name that is proposed, without ending.
    #[must_use]
    pub fn stem(self) -> &'static str {
        match self {
            What::Canvas => "canvas",
            What::Nll => "nll",
            What::Objective => "objective",
            What::Weights => "weights",
            What::Seeds | What::SeedTable => "seeds",
            What::Finals => "finals",
            What::Basin => "basin",
            What::Landscape => "landscape",
            What::Curves => "metrics",
            What::Data => "data",
            What::Samples => "samples",
            What::Model | What::ShownModel => "model",
            What::Distance(measure) => measure.id(),
            What::Distances => "truth",
            What::Particles => "particles",
            What::Redraws => "redraws",
        }
    }

    /// How it can be written; the first is proposed.
    #[must_use]
    pub fn formats(self) -> &'static [Format] {
        match self {
            What::Canvas
            | What::Nll
            | What::Objective
            | What::Weights
            | What::Seeds
            | What::Finals
            | What::Basin
            | What::Landscape
            | What::Distance(_)
            | What::Redraws => &[Format::Png, Format::Svg],
            What::Curves | What::SeedTable | What::Distances => &[Format::Csv],
            What::Data | What::Samples | What::Particles => &[Format::Csv, Format::Npy],
            What::Model | What::ShownModel => &[Format::Json],
        }
    }
}

impl Format {
    /// The ending of file names.
    #[must_use]
    pub fn extension(self) -> &'static str {
        match self {
            Format::Png => "png",
            Format::Svg => "svg",
            Format::Csv => "csv",
            Format::Npy => "npy",
            Format::Json => "json",
        }
    }
}

/// What exports are made of.
pub struct Material {
    /// The run at this step.
    pub snapshot: Arc<Snapshot>,
    /// The step that is shown.
    pub shown: Moment,
    /// A record a step.
    pub history: Vec<Record>,
    /// How it is looked at.
    pub view: View,
    /// The rectangle that the canvas shows.
    pub bounds: Bounds,
    /// All runs and how they are compared, where there are several.
    pub race: Option<(Vec<Racer>, Look)>,
    /// A record a step of every run, with its number.
    pub runs: Vec<(BranchId, Vec<Record>)>,
    /// Runs from many starts, where there are any.
    pub seeds: Vec<Arc<Member>>,
    /// The map that is exported, if one is.
    pub map: Option<MapMaterial>,
    /// How far all runs are from the known density and how that is looked at, where it is known.
    pub truth: Option<(Vec<Judged>, truth::Look)>,
    /// Where the particles are.
    pub particles: Arc<[Point]>,
    /// Their layers, where the canvas shows them.
    pub walk: Vec<Layer>,
    /// The objective with other draws, as far as it has been drawn again.
    pub estimates: Option<Estimates>,
    /// Whose workings are drawn on the canvas, if they are.
    pub workings: Option<Subject>,
}

/// What a map is drawn of.
pub enum MapMaterial {
    /// Where training ends.
    Basin {
        /// What its cells share.
        basin: Basin,
        /// Where they ended.
        ends: Box<Ends>,
    },
    /// The objective over two directions.
    Landscape {
        /// Where it lies.
        ground: Ground,
        /// What is known of it.
        chart: Chart<f64>,
        /// Paths over it.
        trails: Vec<Trail>,
    },
}

impl MapMaterial {
    /// The map that is to be exported, as far as it is known; `None` if there is none, or if it is no map.
    #[must_use]
    pub fn of(what: What, maps: &Maps) -> Option<MapMaterial> {
        match what {
            What::Basin => {
                let map = maps.basin().filter(|map| map.ends().cells.count() > 0)?;
                let (basin, ends) = (map.basin().clone(), Box::new(map.ends().clone()));
                Some(MapMaterial::Basin { basin, ends })
            }
            What::Landscape => {
                let map = maps.landscape().filter(|map| map.chart().count() > 0)?;
                let (ground, chart) = (map.ground()?, map.chart().clone());
                Some(MapMaterial::Landscape { ground, chart, trails: map.trails().to_vec() })
            }
            _ => None,
        }
    }
}

/// Pixels of an exported figure at scale 1; PNG has twice as many.
const FIGURE_SIZE: [f32; 2] = [960.0, 720.0];

/// The bytes of a file.
///
/// # Errors
/// If the model is not finite, or the picture cannot be drawn.
pub fn export(what: What, format: Format, material: &Material) -> anyhow::Result<Vec<u8>> {
    let Material { snapshot, shown, history, view, .. } = material;
    let palette = view.theme.palette();
    let time = view.time_axis;
    let landmarks = view.landmarks(Some(snapshot.best.record), Some(shown.record));
    let info = snapshot.experiment.algorithm_info();
    match what {
        What::Canvas => picture(&canvas_plot(material), format, view),
        What::Nll if let Some((racers, look)) = &material.race => {
            picture(&race::race(racers, look, palette), format, view)
        }
        What::Nll => {
            let spacings = [view.time_spacing, view.nll_spacing];
            picture(&learning::nll(history, &landmarks, time, spacings, palette), format, view)
        }
        What::Objective => {
            let plot = learning::objective(
                history,
                &landmarks,
                info.formula,
                time,
                view.time_spacing,
                palette,
            );
            picture(&plot, format, view)
        }
        What::Weights => picture(&bars::weights(&shown.mixture, palette), format, view),
        What::Seeds | What::Finals => {
            let figures = seeds::figures(&material.seeds, view.seeds, None, view.theme);
            let plot = if what == What::Seeds { figures.fan } else { figures.finals };
            picture(&plot, format, view)
        }
        What::Basin | What::Landscape => {
            let Some(plot) = map_plot(material) else { bail!("there is no map to save") };
            picture(&plot, format, view)
        }
        What::SeedTable => {
            let rows: Vec<_> = material.seeds.iter().map(|member| member.row().to_vec()).collect();
            Ok(table::csv(&Member::COLUMNS, &rows)?.into_bytes())
        }
        What::Curves => {
            if material.race.is_none() {
                let rows: Vec<_> = history.iter().map(|record| record.row().to_vec()).collect();
                return Ok(table::csv(&Record::COLUMNS, &rows)?.into_bytes());
            }
            let row = |id: BranchId, record: &Record| {
                let number = (id.number() + 1) as f64;
                std::iter::once(number).chain(record.row()).collect::<Vec<f64>>()
            };
            let rows = material.runs.iter().flat_map(|(id, all)| all.iter().map(|r| row(*id, r)));
            let columns: Vec<&str> = std::iter::once("run").chain(Record::COLUMNS).collect();
            Ok(table::csv(&columns, rows.collect::<Vec<_>>())?.into_bytes())
        }
        What::Distance(_) | What::Distances => {
            let Some((judged, look)) = &material.truth else { bail!("no density is known here") };
            if let What::Distance(measure) = what {
                return picture(&truth::distance(judged, measure, look, palette), format, view);
            }
            let number = |run: &Judged| (run.run.number() + 1) as f64;
            let rows = judged.iter().flat_map(|run| {
                let row = |verdict: &Verdict| [&[number(run)], &verdict.row()[..]].concat();
                run.verdicts.iter().map(row)
            });
            let columns: Vec<&str> = std::iter::once("run").chain(Verdict::COLUMNS).collect();
            Ok(table::csv(&columns, rows.collect::<Vec<_>>())?.into_bytes())
        }
        What::Redraws => {
            let Some(estimates) = &material.estimates else { bail!("nothing was drawn again") };
            picture(&figures::redraws::redraws(estimates, view.theme), format, view)
        }
        What::Data => {
            let dataset = &snapshot.prepared.dataset;
            let all = dataset.train.iter().chain(&*dataset.validation);
            // In the units of the source, whatever the model was trained in.
            let all: Vec<_> = all.map(|&x| dataset.scaling.undo(x)).collect();
            point_table(&all, format)
        }
        What::Samples => {
            let mut rng = generator(shown.record.step as u64, Purpose::Samples);
            let samples = shown.mixture.sample(view.sample_count, &mut rng);
            let scaling = snapshot.prepared.dataset.scaling;
            let samples: Vec<_> = samples.into_iter().map(|x| scaling.undo(x)).collect();
            point_table(&samples, format)
        }
        What::Particles => {
            let scaling = snapshot.prepared.dataset.scaling;
            let all: Vec<_> = material.particles.iter().map(|&x| scaling.undo(x)).collect();
            point_table(&all, format)
        }
        What::Model | What::ShownModel => {
            let Moment { record, mixture } =
                if what == What::Model { &snapshot.best } else { shown };
            let scaling = &snapshot.prepared.dataset.scaling;
            // A step in the middle of the training has converged to nothing.
            let is_result = what == What::Model || record.step == snapshot.record.step;
            let has_converged = is_result && snapshot.has_converged();
            let (mixture, info) =
                model::trained(&snapshot.experiment, scaling, mixture, record, has_converged);
            Ok(model::write(&mixture, &info)?.into_bytes())
        }
    }
}

fn point_table(all: &[Point], format: Format) -> anyhow::Result<Vec<u8>> {
    Ok(match format {
        Format::Npy => points::npy(all)?,
        _ => points::csv(all).into_bytes(),
    })
}

fn picture(plot: &Plot, format: Format, view: &View) -> anyhow::Result<Vec<u8>> {
    let svg = svg(plot, FIGURE_SIZE, view.theme.palette());
    Ok(match format {
        Format::Svg => svg.into_bytes(),
        _ => png(&svg, 2.0)?,
    })
}

/// The map, redrawn.
fn map_plot(material: &Material) -> Option<Plot> {
    let theme = material.view.theme;
    Some(match material.map.as_ref()? {
        MapMaterial::Basin { basin, ends } => {
            let color_by = material.view.maps.color_by;
            let palette = theme.palette();
            let mut plot = canvas_plot(material);
            plot.id = "basin";
            plot.title =
                format!("Basin map: every pixel is a start of mean {}", basin.component + 1);
            plot.layers.retain(|layer| {
                !["density", "score", "streamlines", "samples", "shade"].contains(&layer.id)
            });
            plot.layers.insert(0, figures::basin::layer(ends, basin.square, color_by, theme));
            // The colors are explained one by one.
            plot.layers[0].label.clear();
            let start = basin.start_in(&material.snapshot.experiment);
            plot.layers.extend(start.map(|at| figures::basin::place(at, basin.component, palette)));
            plot.layers.extend(figures::basin::legend(ends, color_by, palette));
            plot
        }
        MapMaterial::Landscape { ground, chart, trails } => {
            let terrain = landscape::terrain(chart, ground.square, theme);
            let plot = landscape::landscape(ground, &terrain, trails, theme.palette());
            landscape::with_legend(plot, &terrain, "objective")
        }
    })
}

/// The canvas as it is on screen, redrawn.
#[must_use]
pub fn canvas_plot(material: &Material) -> Plot {
    let Material { snapshot, shown, view, bounds, .. } = material;
    let palette = view.theme.palette();
    let dataset = &snapshot.prepared.dataset;
    let label = snapshot.experiment.algorithm_info().label;
    let title = plane::title(label, &shown.mixture, shown.record.step);
    let is_scaled = dataset.scaling != Scaling::NONE;
    let mut plot = plane::plane(title, *bounds, is_scaled, Vec::new());
    let whole = pixels(*bounds, FIGURE_SIZE.map(f64::from), POINTS_RESOLUTION);
    let mut request = Request::new(Some(shown), Some(dataset), view, *bounds, [800, 800], whole);
    request.snapshot = Some(snapshot.clone());
    // What particles walk on takes the density's place, and they lie above all else.
    let (ground, walk): (Vec<_>, Vec<_>) =
        material.walk.iter().cloned().partition(|layer| layer.id == "density");
    request.shown.density &= ground.is_empty();
    plot.layers.extend(ground);
    plot.layers.extend(model_layers(&request, Care::Full));
    plot.layers.extend(pane::data_layers(dataset, view.shown, palette));
    if view.shown.components {
        plot.layers.push(plane::components(&shown.mixture, palette));
    }
    // The legend above leaves less of the figure.
    request.pixels = pixels(*bounds, inside(&plot, FIGURE_SIZE), POINTS_RESOLUTION);
    plot.layers.extend(crowd_layers(&request, Care::Full));
    let (apart, legend) = figure_layers(&request);
    plot.layers.extend(apart);
    let subject = material.workings.as_ref();
    let frame = workings::Frame { bounds: *bounds, width: f64::from(FIGURE_SIZE[0]) };
    let workings = subject.map(|subject| workings::layers(subject, frame, palette));
    plot.layers.extend(workings.into_iter().flatten());
    pane::hide_plain_points(&mut plot.layers);
    pane::sort(&mut plot.layers);
    plot.layers.extend(walk);
    plot.layers.extend(legend);
    plot
}
