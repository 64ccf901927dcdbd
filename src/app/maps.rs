//! Maps: the basin map and the loss landscape of the window, and how they are begun.

use egui_plot::PlotTransform;

use super::action::Action;
use super::basin_map::BasinMap;
use super::document::Document;
use super::grip::{on_plane, on_screen};
use super::landscape_map::{LandscapeMap, thinned};
use super::plot::Textures;
use super::session::Session;
use super::view::{MapKind, Plots, View};
use super::{App, Notice, views};
use crate::figures::{Layer, basin};
use crate::model::Point;
use crate::training::basin::Basin;
use crate::training::landscape::Scene;
use crate::training::survey::{Cell, square_around, square_within};
use crate::training::{BranchId, Change, Experiment};

/// Both maps, where there are any.
#[derive(Default)]
pub struct Maps {
    basin: Option<BasinMap>,
    landscape: Option<LandscapeMap>,
    /// Pictures of the panel's plots.
    pub(super) textures: Textures,
    /// True once a click has loaded a start: the hand needs no more hints.
    is_known: bool,
}

impl Maps {
    /// Takes in what arrived since the last frame.
    pub fn drain(&mut self) {
        self.basin.iter_mut().for_each(BasinMap::drain);
        self.landscape.iter_mut().for_each(LandscapeMap::drain);
    }

    /// Stops a basin map of an experiment that is no longer on the table, and looks where the run has gone.
    pub fn follow(&mut self, experiment: &Experiment, session: &Session, ctx: &egui::Context) {
        if let Some(map) = self.basin.as_mut().filter(|map| !map.basin().is_of(experiment)) {
            map.cancel();
        }
        if let Some(map) = &mut self.landscape {
            map.follow(session, ctx);
        }
    }

    /// Stops what still runs.
    pub fn cancel(&mut self) {
        self.basin.iter_mut().for_each(BasinMap::cancel);
        self.landscape.iter_mut().for_each(LandscapeMap::cancel);
    }

    /// The basin map.
    #[must_use]
    pub fn basin(&self) -> Option<&BasinMap> {
        self.basin.as_ref()
    }

    /// The loss landscape.
    #[must_use]
    pub fn landscape(&self) -> Option<&LandscapeMap> {
        self.landscape.as_ref()
    }

    /// The loss landscape, to be drawn, and the pictures of its plot.
    pub fn landscape_to_draw(&mut self) -> (Option<&mut LandscapeMap>, &mut Textures) {
        (self.landscape.as_mut(), &mut self.textures)
    }

    /// True while the basin map takes the density's place: while its tab is open, and if it is one of these data.
    #[must_use]
    pub fn is_on_canvas(&self, document: &Document, view: &View) -> bool {
        let map = self.basin.as_ref().filter(|_| view.shows_basin());
        map.is_some_and(|map| {
            map.basin().is_of_data_of(&document.experiment) && map.ends().cells.count() > 0
        })
    }

    /// The basin map on the canvas: the field of color that takes the density's place, and where the mean starts now.
    /// Nothing while another tab is open, or where the map is one of other data.
    pub fn canvas_layers(
        &mut self,
        document: &Document,
        view: &View,
        ctx: &egui::Context,
    ) -> Vec<Layer> {
        let experiment = &document.experiment.alone(view.run);
        let is_shown = view.shown.density && self.is_on_canvas(document, view);
        let Some(map) = self.basin.as_mut().filter(|_| is_shown) else { return Vec::new() };
        let mut layers = vec![(*map.layer(view.maps.color_by, view.theme, ctx)).clone()];
        let component = map.basin().component;
        let start = map.basin().start_in(experiment);
        layers.extend(start.map(|at| basin::place(at, component, view.theme.palette())));
        layers
    }

    /// Answers the pointer on the canvas: a card with what a start there reaches, and a click that loads it. `is_free`
    /// if nothing else takes the click.
    pub fn canvas_ui(
        &mut self,
        brush: &egui::Painter,
        transform: &PlotTransform,
        response: &egui::Response,
        is_free: bool,
        (document, view): (&mut Document, &View),
    ) {
        let Some(map) = self.basin.as_ref().filter(|_| is_free) else {
            return;
        };
        let is_shown = view.shown.density && self.is_on_canvas(document, view);
        if !is_shown || !map.basin().is_of(&document.experiment.alone(view.run)) {
            return;
        }
        let Some(pointer) = response.hover_pos() else { return };
        let Some((cell, outcome)) = map.at(on_plane(transform, pointer)) else { return };
        let place = cell.place(map.basin().square);
        let mut words = views::outcome_words(map, place, outcome);
        if !self.is_known {
            words += "\nclick to start there";
        }
        // The pixel itself, where it is larger than the pointer's tip.
        brush.circle_stroke(
            on_screen(transform, place),
            4.0,
            egui::Stroke::new(1.5, super::plot::color32(view.theme.palette().text)),
        );
        views::card_ui(brush, pointer, words, view.theme.palette());
        response.ctx.set_cursor_icon(egui::CursorIcon::PointingHand);
        if response.clicked() {
            let experiment = map.experiment_of(cell);
            self.is_known = true;
            load(document, view.run, experiment);
        }
    }

    /// Loads the start of a cell of the basin map.
    pub fn load(&mut self, document: &mut Document, view: &View, cell: Cell) {
        let experiment = document.experiment.alone(view.run);
        if let Some(map) = self.basin.as_ref().filter(|map| map.basin().is_of(&experiment)) {
            load(document, view.run, map.experiment_of(cell));
        }
    }
}

/// Makes the start of another experiment what the run begins with, as one change: a branch that a hand has set where it
/// leaves keeps to its place, all others begin at the common start.
fn load(document: &mut Document, run: BranchId, experiment: Experiment) {
    document.mark();
    let is_set = document.experiment.branch(run).is_some_and(|branch| !branch.given.is_empty());
    let run = if is_set { run } else { BranchId::TRUNK };
    document.experiment.give_to(run, experiment.given);
    document.mark();
}

impl App {
    /// Begins a map, or stops what runs.
    pub(super) fn map(&mut self, ctx: &egui::Context, action: Action) {
        match action {
            Action::RunBasin => self.run_basin(ctx),
            Action::RunLandscape => self.run_landscape(ctx),
            _ => self.maps.cancel(),
        }
    }

    /// Begins the basin map that is asked for, or goes on with it.
    fn run_basin(&mut self, ctx: &egui::Context) {
        (self.view.plots, self.view.has_panels) = (Plots::Maps, true);
        self.view.maps.kind = MapKind::Basin;
        let experiment = &self.document.experiment.alone(self.view.run);
        let is_prepared = |s: &&_| is_of(s, experiment);
        let Some(snapshot) = self.session.snapshot().filter(is_prepared) else {
            let text = "Data and start are still being prepared: ask for the map again in a moment";
            self.notice = Some(Notice::info(text));
            return;
        };
        // A choice of before may be of more components than there are.
        let last = snapshot.prepared.start.components().len().saturating_sub(1);
        let wanted = &mut self.view.maps;
        wanted.component = wanted.component.min(last);
        let data = snapshot.prepared.dataset.bounds;
        let square = if wanted.is_zoomed {
            square_within(self.canvas.bounds())
        } else {
            square_around(data)
        };
        let is_same = |map: &&mut BasinMap| {
            let basin = map.basin();
            basin.is_of(experiment) && (basin.component, basin.square) == (wanted.component, square)
        };
        if let Some(map) = self.maps.basin.as_mut().filter(is_same) {
            map.run(wanted.basin_detail, ctx.clone());
        } else if let Some(mut basin) = Basin::new(experiment, &snapshot.prepared, wanted.component)
        {
            basin.square = square;
            let map = self.maps.basin.insert(BasinMap::new(basin));
            map.run(wanted.basin_detail, ctx.clone());
        }
    }

    /// Begins the loss landscape that is asked for, through the step shown.
    fn run_landscape(&mut self, ctx: &egui::Context) {
        (self.view.plots, self.view.has_panels) = (Plots::Maps, true);
        self.view.maps.kind = MapKind::Landscape;
        let (Some(snapshot), Some(shown)) = (self.session.snapshot(), self.session.shown()) else {
            return;
        };
        // Before a fork the run that is left there took the step.
        let step = shown.record.step;
        let snapshot = self.session.snapshot_at(self.session.chosen(), step).unwrap_or(snapshot);
        let scene = Scene {
            experiment: snapshot.experiment.clone(),
            prepared: snapshot.prepared.clone(),
            shown: shown.clone(),
            // Of all points, whatever mini-batch was looked at.
            look: snapshot.quick_look(step),
            path: thinned(self.session.trail()),
            directions: self.view.maps.directions(),
        };
        let detail = self.view.maps.landscape_detail;
        self.maps.landscape = Some(LandscapeMap::new(scene, detail, ctx.clone()));
    }

    /// The basin map, where there is one.
    #[must_use]
    pub fn basin(&self) -> Option<(&Basin, &crate::training::optima::Ends)> {
        self.maps.basin().map(|map| (map.basin(), map.ends()))
    }

    /// The loss landscape's plane and the objective at its cells, once the plane is found.
    #[must_use]
    pub fn landscape(
        &self,
    ) -> Option<(&crate::training::landscape::Slice, &crate::training::survey::Chart<f64>)> {
        self.maps.landscape().and_then(|map| Some((map.slice()?, map.chart())))
    }

    /// True while cells of a map are on their way.
    #[must_use]
    pub fn is_mapping(&self) -> bool {
        let basin = self.maps.basin().and_then(BasinMap::awaited);
        let landscape = self.maps.landscape().and_then(LandscapeMap::awaited);
        basin.or(landscape).is_some()
    }
}

/// True if data and start of a snapshot are those of this experiment.
fn is_of(snapshot: &std::sync::Arc<crate::training::Snapshot>, experiment: &Experiment) -> bool {
    experiment.change_since(&snapshot.experiment) != Change::Restart
}

/// A place as it is written.
#[must_use]
pub fn place_words([x, y]: Point) -> String {
    format!("({x:.3}, {y:.3})").replace('-', "−")
}
