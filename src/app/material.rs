//! Material: what of the window's state an export is made of, and the jobs that make it.

use std::collections::BTreeMap;
use std::path::PathBuf;

use egui::ColorImage;

use super::apply::saved_as;
use super::dialog::Dialog;
use super::exports::{Annex, MapMaterial, Material, What, export};
use super::jobs::Outcome;
use super::printing::{Printing, small};
use super::sheets::sheet;
use super::track::Track;
use super::{App, Notice, runs, views};
use crate::export::canvases::Exhibit;
use crate::export::sheet::FileFormat;
use crate::export::style::Style;
use crate::export::write_file;
use crate::figures::plane;
use crate::training::spread::Likelihood;
use crate::training::{BranchId, Record};

/// Mixtures on the way of a path at most.
pub(super) const MOST_OF_PATH: usize = 300;

impl App {
    /// What there is to be exported.
    pub(super) fn exportable(&self) -> Vec<What> {
        let Self { seeds, maps, truth, particles, redrawn, session, .. } = self;
        let begun = session.tracks().iter().filter(|track| track.shown().is_some());
        What::available(seeds, maps, truth, particles, redrawn, begun.count())
    }

    /// True while the dialog shows what it would export.
    #[must_use]
    pub fn has_preview(&self) -> bool {
        self.dialog.as_ref().is_some_and(Dialog::has_preview)
    }

    /// What something is made of; `None` before there is a run.
    pub(super) fn material(&self, what: What, style: Style) -> Option<Material> {
        let session = &self.session;
        let (snapshot, shown) = (session.snapshot()?, session.shown()?);
        let mut view = self.view.clone();
        view.theme = style.background.theme();
        let palette = view.theme.palette();
        let is_race = session.tracks().len() > 1;
        let race = is_race.then(|| {
            let racers = views::racers(&self.document, session, view.race, palette);
            (racers, views::race_look(session, &view))
        });
        let runs = session.tracks().iter();
        let runs = runs.map(|track| (track.id(), track.history().records().to_vec()));
        let truth = self.truth.truth().map(|truth| {
            let judged = self.truth.judged(&self.document, palette);
            (judged, views::truth_look(session, &view, truth))
        });
        Some(Material {
            race,
            runs: runs.filter(|_| is_race).collect(),
            exhibits: self.exhibits(what),
            annexes: self.annexes(),
            // Particles walk on the chosen run only, beside which a race has others.
            walk: if what == What::Canvas {
                self.particles.figure_layers(&view)
            } else {
                Vec::new()
            },
            estimates: self.redrawn.estimates().cloned(),
            snapshot: snapshot.clone(),
            shown: shown.clone(),
            history: session.history().records().to_vec(),
            view,
            bounds: self.canvas.bounds(),
            seeds: self.seeds.members().to_vec(),
            map: MapMaterial::of(what, &self.maps),
            truth,
            particles: self.particles.points().clone(),
            style,
        })
    }

    /// What is known of all runs besides what is on their canvases.
    fn annexes(&self) -> BTreeMap<BranchId, Annex> {
        let annex = |track: &Track| {
            let (id, step) = (track.id(), track.shown()?.record.step);
            let workings = self.canvas.workings(id).map(|(subject, _)| subject.clone());
            let snapshot = self.session.snapshot_at(id, step).cloned();
            Some((id, Annex { snapshot, workings }))
        };
        self.session.tracks().iter().filter_map(annex).collect()
    }

    /// The run on the canvas, or all runs.
    fn exhibits(&self, what: What) -> Vec<Exhibit> {
        let chosen = self.session.chosen();
        let is_all = what == What::Race;
        let tracks = self.session.tracks().iter();
        let tracks = tracks.filter(|track| is_all || track.id() == chosen);
        let exhibit = |track: &Track| {
            let (moment, snapshot) = (track.shown()?.clone(), track.snapshot()?);
            let id = track.id();
            let step = moment.record.step;
            let title = if is_all {
                let name = runs::name(&self.document.experiment, id);
                exhibit_title(&name, self.view.race.likelihood, &moment.record)
            } else {
                let label = snapshot.experiment.algorithm_info().label;
                plane::title(label, &moment.mixture, step)
            };
            let has_path = self.view.shown.paths;
            let path = if has_path { self.session.path(id, MOST_OF_PATH) } else { Vec::new() };
            let dataset = snapshot.prepared.dataset.clone();
            Some(Exhibit { title, id, moment, path, dataset })
        };
        tracks.filter_map(exhibit).collect()
    }

    /// Saves something as the dialog asked for it.
    pub(super) fn save(&mut self, printing: &Printing, path: PathBuf) {
        let (what, format) = (printing.what, printing.format);
        if what.is_film() {
            return self.film(printing, path);
        }
        let Some(mut material) = self.material(what, printing.style(self.view.theme)) else {
            self.notice = Some(Notice::problem("There is nothing to export yet"));
            return;
        };
        if let Some(count) = printing.sample_count.filter(|_| what == What::Samples) {
            material.view.sample_count = count;
        }
        self.jobs.start(move || {
            let written =
                export(what, format, &material).and_then(|bytes| Ok(write_file(&path, &bytes)?));
            saved_as(what.label(), &path, written)
        });
    }

    /// Opens the dialog with what was asked for last.
    pub(super) fn ask_to_export(&mut self) {
        self.printing.sample_count.get_or_insert(self.view.sample_count);
        self.printing.film.last_step = self.session.newest_step();
        self.dialog = Some(Dialog::export(&self.printing, self.exportable()));
    }

    /// Draws the figure that was exported last, or the canvas, for the clipboard.
    pub(super) fn copy_last_figure(&mut self) {
        let mut printing = self.printing.clone();
        if !printing.what.is_figure() || !self.exportable().contains(&printing.what) {
            printing.what = What::Canvas;
        }
        self.copy_figure(&printing);
    }

    /// Draws a figure for the clipboard.
    pub(super) fn copy_figure(&mut self, printing: &Printing) {
        let what = printing.what;
        let Some(material) = self.material(what, printing.style(self.view.theme)) else {
            self.notice = Some(Notice::problem("There is nothing to copy yet"));
            return;
        };
        self.jobs.start(move || {
            Outcome::Copied(image(what, &material).map(|image| (what.label(), image)))
        });
    }

    /// Draws what the dialog would save, small.
    pub(super) fn preview(&mut self, ctx: &egui::Context, printing: &Printing) {
        let what = printing.what.still();
        let style = small(&printing.style(self.view.theme), ctx.pixels_per_point());
        let Some(mut material) = self.material(what, style) else { return };
        if printing.what.is_film() {
            material.stay_with_the_run();
        }
        let Some(number) = self.dialog.as_ref().map(Dialog::number) else { return };
        self.jobs
            .start(move || Outcome::Previewed { dialog: number, picture: image(what, &material) });
    }
}

/// What stands above a run among several.
pub(super) fn exhibit_title(name: &str, likelihood: Likelihood, record: &Record) -> String {
    let (step, nll) = (record.step, likelihood.of(record));
    format!("{name}, step {step}, NLL {nll:.3}").replace('-', "−")
}

impl Material {
    /// Leaves out what belongs to the step that is on screen alone: workings and particles.
    pub(super) fn stay_with_the_run(&mut self) {
        self.annexes.clear();
        self.walk.clear();
    }
}

/// The figure as pixels.
fn image(what: What, material: &Material) -> anyhow::Result<ColorImage> {
    let bytes = sheet(what, material)?.bytes(FileFormat::Png)?;
    let picture = image::load_from_memory(&bytes)?.to_rgba8();
    let size = [picture.width(), picture.height()].map(|side| side as usize);
    Ok(ColorImage::from_rgba_unmultiplied(size, &picture))
}
