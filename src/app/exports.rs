//! Exports: what can be saved of what is on screen, redrawn at full resolution.

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::bail;
use serde::{Deserialize, Serialize};

use super::maps::Maps;
use super::particles::Particles;
use super::redrawn::Redrawn;
use super::seeds::Seeds;
use super::sheets::sheet;
use super::truth::Truths;
use super::view::View;
use crate::export::canvases::Exhibit;
use crate::export::film::FilmFormat;
use crate::export::sheet::FileFormat;
use crate::export::style::Style;
use crate::export::{model, points, table};
use crate::figures::Layer;
use crate::figures::landscape::{Ground, Trail};
use crate::figures::race::{Look, Racer};
use crate::figures::truth::{self, Judged, Measure};
use crate::figures::workings::Subject;
use crate::model::{Bounds, Density, Point};
use crate::random::{Purpose, generator};
use crate::training::basin::Basin;
use crate::training::optima::Ends;
use crate::training::redraws::Estimates;
use crate::training::survey::Chart;
use crate::training::{BranchId, Member, Moment, Record, Snapshot, Verdict};

/// What is saved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
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
    /// The canvases of all runs, side by side.
    Race,
    /// The terms of the points, as a histogram.
    Terms,
    /// The training on the canvas, as a moving picture.
    Film,
    /// The same of all runs, side by side.
    RaceFilm,
}

impl What {
    /// True if it is a picture, be it moving or not.
    #[must_use]
    pub fn is_drawn(self) -> bool {
        self.is_figure() || self.is_film()
    }

    /// True if it moves.
    #[must_use]
    pub fn is_film(self) -> bool {
        matches!(self, What::Film | What::RaceFilm)
    }

    /// What stands still of it: of a film what is on every frame.
    #[must_use]
    pub fn still(self) -> What {
        match self {
            What::Film => What::Canvas,
            What::RaceFilm => What::Race,
            other => other,
        }
    }

    /// True if it is drawn, not written.
    #[must_use]
    pub fn is_figure(self) -> bool {
        self.formats().contains(&Format::Pdf)
    }
}

/// How it is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Format {
    /// A picture of pixels.
    Png,
    /// A picture of shapes.
    Svg,
    /// A page for print.
    Pdf,
    /// A table as text.
    Csv,
    /// A `NumPy` array.
    Npy,
    /// A tree of names and numbers.
    Json,
    /// A moving picture that every program plays.
    Gif,
    /// The same with exact times.
    Apng,
    /// A video.
    Mp4,
    /// A folder of numbered pictures.
    Frames,
}

impl What {
    /// In the order of the menu.
    pub const ALL: [What; 24] = [
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
        What::Race,
        What::Terms,
        What::Film,
        What::RaceFilm,
    ];

    /// What there is to be saved: many seeds, maps and particles only where there are some.
    #[must_use]
    pub fn available(
        seeds: &Seeds,
        maps: &Maps,
        truth: &Truths,
        particles: &Particles,
        redrawn: &Redrawn,
        run_count: usize,
    ) -> Vec<What> {
        let is_there = |what: &What| match what {
            What::Seeds | What::Finals | What::SeedTable => !seeds.members().is_empty(),
            What::Basin | What::Landscape => MapMaterial::of(*what, maps).is_some(),
            What::Distance(_) | What::Distances => truth.has_verdicts(),
            What::Particles => !particles.points().is_empty(),
            What::Redraws => redrawn.estimates().is_some(),
            What::Race | What::RaceFilm => run_count > 1,
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
            What::Race => "canvases of all runs",
            What::Terms => "terms of score matching",
            What::Film => "film of the training",
            What::RaceFilm => "film of all runs",
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
            What::Race | What::RaceFilm => "race",
            What::Terms => "terms",
            What::Film => "training",
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
            | What::Redraws
            | What::Race
            | What::Terms => &[Format::Png, Format::Svg, Format::Pdf],
            What::Curves | What::SeedTable | What::Distances => &[Format::Csv],
            What::Data | What::Samples | What::Particles => &[Format::Csv, Format::Npy],
            What::Model | What::ShownModel => &[Format::Json],
            What::Film | What::RaceFilm => {
                &[Format::Gif, Format::Apng, Format::Mp4, Format::Frames]
            }
        }
    }
}

impl Format {
    /// The same as a format of figures; `None` for numbers.
    #[must_use]
    pub fn of_figures(self) -> Option<FileFormat> {
        FileFormat::from_extension(self.extension())
    }

    /// The same as a format of films; `None` for what does not move.
    #[must_use]
    pub fn of_films(self) -> Option<FilmFormat> {
        match self {
            Format::Gif => Some(FilmFormat::Gif),
            Format::Apng => Some(FilmFormat::Apng),
            Format::Mp4 => Some(FilmFormat::Mp4),
            Format::Frames => Some(FilmFormat::Frames),
            _ => None,
        }
    }

    /// Its name in the dialog.
    #[must_use]
    pub fn label(self) -> String {
        if self == Format::Frames { "PNGs".to_owned() } else { self.extension().to_uppercase() }
    }

    /// The ending of file names; empty for a folder.
    #[must_use]
    pub fn extension(self) -> &'static str {
        match self {
            Format::Png => "png",
            Format::Svg => "svg",
            Format::Pdf => "pdf",
            Format::Csv => "csv",
            Format::Npy => "npy",
            Format::Json => "json",
            Format::Gif => "gif",
            Format::Apng => "apng",
            Format::Mp4 => "mp4",
            Format::Frames => "",
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
    /// What is on the canvases: of one run, or of all.
    pub exhibits: Vec<Exhibit>,
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
    /// What else is known of every run on the canvases.
    pub annexes: BTreeMap<BranchId, Annex>,
    /// How figures look.
    pub style: Style,
}

/// What is known of a run besides what is on its canvas.
pub struct Annex {
    /// The run at the end of what leads to the step that is shown.
    pub snapshot: Option<Arc<Snapshot>>,
    /// What its workings are drawn of, if they are.
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

/// The bytes of a file.
///
/// # Errors
/// If the model is not finite, or the picture cannot be drawn.
pub fn export(what: What, format: Format, material: &Material) -> anyhow::Result<Vec<u8>> {
    if let Some(format) = format.of_figures() {
        return Ok(sheet(what, material)?.bytes(format)?);
    }
    let Material { snapshot, shown, history, view, .. } = material;
    match what {
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
        What::Distances => {
            let Some((judged, _)) = &material.truth else { bail!("no density is known here") };
            let number = |run: &Judged| (run.run.number() + 1) as f64;
            let rows = judged.iter().flat_map(|run| {
                let row = |verdict: &Verdict| [&[number(run)], &verdict.row()[..]].concat();
                run.verdicts.iter().map(row)
            });
            let columns: Vec<&str> = std::iter::once("run").chain(Verdict::COLUMNS).collect();
            Ok(table::csv(&columns, rows.collect::<Vec<_>>())?.into_bytes())
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
        figure => bail!("{} is a picture, not a table", figure.label()),
    }
}

fn point_table(all: &[Point], format: Format) -> anyhow::Result<Vec<u8>> {
    Ok(match format {
        Format::Npy => points::npy(all)?,
        _ => points::csv(all).into_bytes(),
    })
}
