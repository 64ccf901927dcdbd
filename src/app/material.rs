//! Material: what of the window's state an export is made of, and the jobs that make it.

use std::path::PathBuf;

use egui::ColorImage;

use super::apply::saved_as;
use super::exports::{MapMaterial, Material, What, export};
use super::jobs::Outcome;
use super::printing::{Printing, small};
use super::redrawn::sheet;
use super::track::Track;
use super::{App, Notice, runs, views};
use crate::export::canvases::Exhibit;
use crate::export::sheet::FileFormat;
use crate::export::style::Style;
use crate::export::write_file;
use crate::figures::plane;

/// Mixtures on the way of a path at most.
const MOST_OF_PATH: usize = 300;

impl App {
    /// What there is to be exported.
    pub(super) fn exportable(&self) -> Vec<What> {
        let Self { seeds, maps, truth, particles, session, .. } = self;
        let begun = session.tracks().iter().filter(|track| track.shown().is_some());
        What::available(seeds, maps, truth, particles, begun.count())
    }

    /// What something is made of; `None` before there is a run.
    fn material(&self, what: What, style: Style) -> Option<Material> {
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

    /// The run on the canvas, or all runs.
    fn exhibits(&self, what: What) -> Vec<Exhibit> {
        let chosen = self.session.chosen();
        let is_all = what == What::Race;
        let tracks = self.session.tracks().iter();
        let tracks = tracks.filter(|track| is_all || track.id() == chosen);
        let exhibit = |track: &Track| {
            let (moment, snapshot) = (track.shown()?.clone(), track.snapshot()?);
            let (id, step) = (track.id(), moment.record.step);
            let title = if is_all {
                let name = runs::name(&self.document.experiment, id);
                let nll = self.view.race.likelihood.of(&moment.record);
                format!("{name}, step {step}, NLL {nll:.3}").replace('-', "−")
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
        let Some(material) = self.material(what, printing.style(self.view.theme)) else {
            self.notice = Some(Notice::problem("There is nothing to export yet"));
            return;
        };
        self.jobs.start(move || {
            let written =
                export(what, format, &material).and_then(|bytes| Ok(write_file(&path, &bytes)?));
            saved_as(what.label(), &path, written)
        });
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
        let what = printing.what;
        let style = small(&printing.style(self.view.theme), ctx.pixels_per_point());
        let Some(material) = self.material(what, style) else { return };
        let Some(number) = self.dialog.as_ref().map(super::dialog::Dialog::number) else { return };
        self.jobs
            .start(move || Outcome::Previewed { dialog: number, picture: image(what, &material) });
    }
}

/// The figure as pixels.
fn image(what: What, material: &Material) -> anyhow::Result<ColorImage> {
    let bytes = sheet(what, material)?.bytes(FileFormat::Png)?;
    let picture = image::load_from_memory(&bytes)?.to_rgba8();
    let size = [picture.width(), picture.height()].map(|side| side as usize);
    Ok(ColorImage::from_rgba_unmultiplied(size, &picture))
}
