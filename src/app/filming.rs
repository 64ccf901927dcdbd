//! Filming: the training on the canvas as a moving picture, made by a job.

use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use egui::{DragValue, Ui};
use serde::{Deserialize, Serialize};

use super::apply::saved_as;
use super::errand::Errand;
use super::exports::{Format, What};
use super::jobs::{Job, Outcome};
use super::material::{MOST_OF_PATH, exhibit_title};
use super::printing::Printing;
use super::sheets::of_canvases;
use super::track::Track;
use super::{App, Notice, runs};
use crate::data::Dataset;
use crate::export::ExportError;
use crate::export::canvases::Exhibit;
use crate::export::film::{self, Length, Reel};
use crate::figures::plane;
use crate::training::spread::Likelihood;
use crate::training::{BranchId, Moment};

/// How a film looks and how long it is.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Film {
    /// Width and height of a frame.
    pub pixels: [u32; 2],
    /// Size of labels in pixels.
    pub font_size: f64,
    /// Frames a second.
    pub per_second: u32,
    /// Which steps are shown.
    pub length: Length,
    /// The last step that there is.
    #[serde(skip)]
    pub last_step: usize,
}

impl Default for Film {
    fn default() -> Film {
        let length = Length::Seconds(10.0);
        Film { pixels: [800, 600], font_size: 16.0, per_second: 30, length, last_step: 0 }
    }
}

/// Sides of a frame, in pixels.
const SIDES: RangeInclusive<u32> = 160..=4096;
/// Sizes of labels, in pixels.
const FONT_SIZES: RangeInclusive<f64> = 6.0..=96.0;
/// Frames a second.
const SPEEDS: RangeInclusive<u32> = 1..=50;
/// How long films are, in seconds.
const SECONDS: RangeInclusive<f64> = 0.5..=600.0;
/// A frame every so many steps.
const STRIDES: RangeInclusive<usize> = 1..=100_000;

impl Film {
    /// True if every number is one that the dialog could have given.
    #[must_use]
    pub fn is_possible(&self) -> bool {
        let is_length = match self.length {
            Length::EveryNth(n) => STRIDES.contains(&n),
            Length::Seconds(seconds) => SECONDS.contains(&seconds),
        };
        is_length
            && self.pixels.iter().all(|side| SIDES.contains(side))
            && FONT_SIZES.contains(&self.font_size)
            && SPEEDS.contains(&self.per_second)
    }

    /// The step of every frame.
    #[must_use]
    pub fn steps(&self) -> Vec<usize> {
        film::steps(0, self.last_step, self.length, self.per_second)
    }

    /// Size, length and speed.
    pub fn choices_ui(&mut self, ui: &mut Ui) {
        let label = ui.label("Size");
        ui.horizontal(|ui| {
            let [width, height] = &mut self.pixels;
            let side = |value| DragValue::new(value).range(SIDES).suffix(" px");
            ui.add(side(width)).labelled_by(label.id).on_hover_text("Width of a frame");
            ui.label("×");
            ui.add(side(height)).labelled_by(label.id).on_hover_text("Height of a frame");
            let label = ui.label("labels");
            let size = DragValue::new(&mut self.font_size).range(FONT_SIZES).speed(0.2);
            ui.add(size.suffix(" px")).labelled_by(label.id);
        });
        ui.end_row();
        ui.label("Length");
        ui.horizontal(|ui| self.length_ui(ui));
        ui.end_row();
        let label = ui.label("Frames");
        ui.horizontal(|ui| self.speed_ui(ui, label.id));
        ui.end_row();
    }

    fn length_ui(&mut self, ui: &mut Ui) {
        let is_every = matches!(self.length, Length::EveryNth(_));
        if ui.selectable_label(!is_every, "seconds").clicked() && is_every {
            self.length = Length::Seconds(10.0);
        }
        if ui.selectable_label(is_every, "every nth step").clicked() && !is_every {
            self.length = Length::EveryNth((self.last_step / 300).max(1));
        }
        match &mut self.length {
            Length::Seconds(seconds) => {
                let field = DragValue::new(seconds).range(SECONDS).speed(0.1).suffix(" s");
                ui.add(field).on_hover_text("Steps are spread evenly over them");
            }
            Length::EveryNth(n) => {
                let field = DragValue::new(n).range(STRIDES).prefix("n = ");
                ui.add(field).on_hover_text("A frame every so many steps");
            }
        }
    }

    fn speed_ui(&mut self, ui: &mut Ui, label: egui::Id) {
        let field = DragValue::new(&mut self.per_second).range(SPEEDS).suffix(" a second");
        ui.add(field).labelled_by(label).on_hover_text("Frames a second");
        let count = self.steps().len();
        let seconds = count as f64 / f64::from(self.per_second);
        ui.weak(format!("{count} frames, {seconds:.1} s"));
    }
}

/// Why a film cannot be made in this format here.
#[must_use]
pub fn problem(printing: &Printing) -> Option<String> {
    // Looked up once: this is asked in every frame. What is installed later needs a restart.
    static HAS_ENCODER: LazyLock<bool> = LazyLock::new(film::has_encoder);
    let needs_encoder = printing.format == Format::Mp4 && !*HAS_ENCODER;
    needs_encoder.then(|| film::without_encoder(printing.film.per_second))
}

/// A run with all its steps.
struct Filmed {
    id: BranchId,
    /// What it is called among several, and whose likelihood is told there; else which algorithm it is.
    name: Result<(String, Likelihood), &'static str>,
    trail: Vec<Moment>,
    dataset: Arc<Dataset>,
}

impl Filmed {
    fn last_step(&self) -> Option<usize> {
        self.trail.last().map(|moment| moment.record.step)
    }

    /// What is on its canvas at the last kept step that is not after this one.
    fn exhibit(&self, step: usize, has_path: bool) -> Option<Exhibit> {
        let end = self.trail.partition_point(|moment| moment.record.step <= step).max(1);
        let moment = self.trail.get(end - 1)?.clone();
        let step = moment.record.step;
        let title = match &self.name {
            Ok((name, likelihood)) => exhibit_title(name, *likelihood, &moment.record),
            Err(label) => plane::title(label, &moment.mixture, step),
        };
        let stride = end.div_ceil(MOST_OF_PATH).max(1);
        // From the end, which must not be left out.
        let path = self.trail[..end].iter().rev().step_by(stride);
        let path = path.take(if has_path { end } else { 0 });
        let mut path: Vec<_> = path.map(|moment| moment.mixture.clone()).collect();
        path.reverse();
        Some(Exhibit { title, id: self.id, moment, path, dataset: self.dataset.clone() })
    }
}

/// A film on its way.
pub struct Filming {
    /// How far it is.
    pub errand: Errand,
    job: Job,
}

impl App {
    /// Films the run on the canvas, or all runs, as the dialog asked for it.
    pub(super) fn film(&mut self, printing: &Printing, path: PathBuf) {
        let (what, film) = (printing.what, printing.film);
        let Some(format) = printing.format.of_films() else { return };
        let style = printing.style(self.view.theme);
        let Some(mut material) = self.material(what.still(), style) else {
            self.notice = Some(Notice::problem("There is nothing to film yet"));
            return;
        };
        material.stay_with_the_run();
        let runs = self.filmed(what);
        let mut film = film;
        // A run that has stopped is not filmed on while others run.
        film.last_step = runs.iter().filter_map(Filmed::last_step).max().unwrap_or(0);
        let steps = film.steps();
        self.stop_filming();
        let errand = Errand::new("Filming", &path);
        let mut tell = errand.teller();
        let job = self.jobs.start(move || {
            let has_paths = material.view.shown.paths;
            let draw = |i: usize| -> Result<_, ExportError> {
                let exhibit = |run: &Filmed| run.exhibit(steps[i], has_paths);
                let exhibits: Vec<Exhibit> = runs.iter().filter_map(exhibit).collect();
                of_canvases(&material, &exhibits)?.picture()
            };
            let count = steps.len();
            let reel = Reel { count, per_second: film.per_second, draw: &draw };
            let mut watch = |done| tell(done as u64, count as u64);
            let written = film::film(&path, format, &reel, &mut watch);
            Outcome::Filmed(
                match saved_as(what.label(), &path, written.map(drop).map_err(Into::into)) {
                    Outcome::Saved(saved) => saved,
                    _ => Ok(String::new()),
                },
            )
        });
        self.filming = Some(Filming { errand, job });
    }

    /// The run on the canvas, or all runs, with all their steps.
    fn filmed(&self, what: What) -> Vec<Filmed> {
        let is_all = what == What::RaceFilm;
        let chosen = self.session.chosen();
        let tracks = self.session.tracks().iter();
        let tracks = tracks.filter(|track| is_all || track.id() == chosen);
        let filmed = |track: &Track| {
            let (id, snapshot) = (track.id(), track.snapshot()?);
            let name = if is_all {
                Ok((runs::name(&self.document.experiment, id), self.view.race.likelihood))
            } else {
                Err(snapshot.experiment.algorithm_info().label)
            };
            let dataset = snapshot.prepared.dataset.clone();
            Some(Filmed { id, name, trail: self.session.trail_of(id), dataset })
        };
        tracks.filter_map(filmed).collect()
    }

    /// Stops filming when the window closes, and waits a moment until it has tidied up.
    pub(super) fn end_filming(&mut self) {
        if let Some(Filming { errand, job }) = self.filming.take() {
            drop(errand);
            self.jobs.wait_for(job, Duration::from_secs(2));
        }
    }

    /// Takes a film that is done, or why there is none.
    pub(super) fn take_film(&mut self, saved: anyhow::Result<String>) {
        self.filming = None;
        self.notice = Some(match saved {
            Ok(text) => Notice::info(text),
            Err(error) => Notice::problem(error.to_string()),
        });
    }

    /// Stops filming, if somebody does; what was there before stays. Gives what the file would have been called.
    pub(super) fn stop_filming(&mut self) -> Option<String> {
        let Filming { errand, job } = self.filming.take()?;
        self.jobs.abandon(job);
        Some(errand.name.clone())
    }

    /// True while a film is being made.
    #[must_use]
    pub fn is_filming(&self) -> bool {
        self.filming.is_some()
    }
}
