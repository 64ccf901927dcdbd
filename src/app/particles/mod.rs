//! Particles: a walk on a density as the window knows it: what is asked for, where the particles are, and the story of
//! one step.

mod choices;
mod orders;
mod scene;
mod sheet;
mod target;
mod worker;

use std::sync::Arc;

pub use choices::{ParticleStart, SamplingView, Target};
pub use orders::Report;
use orders::{Order, Plan};
use sheet::Sheet;
use target::Targets;
use worker::Worker;

use super::action::Action;
use super::session::Session;
use super::view::{Plots, View};
use super::{App, Notice};
use crate::figures::story::{Part, parts};
use crate::model::{Bounds, Density, Point};
use crate::sampling::{Told, cloud, spread};

/// The particles.
#[derive(Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is true for a time of its own")]
pub struct Particles {
    worker: Option<Worker>,
    targets: Targets,
    report: Arc<Report>,
    /// What the thread was asked for last.
    wish: Option<Wish>,
    /// True from play to pause, or to the end of the stretch.
    is_playing: bool,
    /// The pace that the thread was told.
    pace: Option<f64>,
    story: Option<Story>,
    /// What was painted last, or is about to be.
    sheet: Option<Sheet>,
    /// True from asking for a story until it is there.
    awaits_story: bool,
    /// True while the tab is open.
    is_open: bool,
    /// True if the data stepped aside when the tab was opened.
    has_hidden_data: bool,
    /// Why there is no thread.
    problem: Option<String>,
}

/// One step, told slowly.
pub struct Story {
    /// Where the particles were before it.
    pub before: Arc<[Point]>,
    /// What happened.
    pub told: Told,
    /// To which particle, counted from 0.
    pub particle: usize,
    /// Its parts.
    pub parts: Vec<Part>,
    /// How many of them have been told.
    pub shown: usize,
}

impl Story {
    /// True once all of it has been told.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.shown == self.parts.len()
    }
}

/// Everything that decides a walk.
#[derive(Clone)]
struct Wish {
    density: Arc<dyn Density>,
    view: SamplingView,
    /// What the canvas showed when the walk began.
    bounds: Bounds,
}

impl Wish {
    /// True if the particles are the same ones, whatever moves them.
    fn has_same_start(&self, other: &SamplingView) -> bool {
        let own = &self.view;
        let is_same_place = match own.start {
            ParticleStart::Spread => true,
            ParticleStart::Cloud => own.scale == other.scale,
            ParticleStart::Place => own.place == other.place,
        };
        is_same_place && (own.start, own.count, own.seed) == (other.start, other.count, other.seed)
    }

    /// True if the same moves them.
    fn has_same_walk(&self, other: &SamplingView, density: &Arc<dyn Density>) -> bool {
        Arc::ptr_eq(&self.density, density)
            && self.view.sampler == other.sampler
            && self.view.settings() == other.settings()
    }

    fn plan(&self) -> Plan {
        Plan {
            sampler: self.view.sampler(),
            settings: self.view.settings(),
            density: self.density.clone(),
        }
    }

    /// Where the particles start.
    fn start(&self) -> Vec<Point> {
        let SamplingView { count, start, scale, place, seed, .. } = self.view;
        match start {
            ParticleStart::Spread => spread(self.bounds, count, seed),
            ParticleStart::Cloud => cloud(scale, count, seed),
            ParticleStart::Place => vec![place; count],
        }
    }
}

impl Particles {
    /// Takes in what arrived since the last frame.
    pub fn drain(&mut self) {
        let Some(worker) = &self.worker else { return };
        let report = worker.latest();
        if Arc::ptr_eq(&report, &self.report) {
            return;
        }
        let is_answered = worker.is_answered_by(&report);
        if is_answered {
            self.is_playing = report.is_playing;
        }
        if let (Some((before, told)), true) = (&report.told, is_answered && self.awaits_story) {
            self.awaits_story = false;
            let particle = self.wish.as_ref().map_or(0, |wish| wish.view.particle);
            let (told, before) = (told.clone(), before.clone());
            let parts = parts(&told);
            self.story = Some(Story { before, told, particle, parts, shown: 1 });
        }
        self.report = report;
    }

    /// Does what the tab asks for while it is open; rests while it is closed. `bounds` is what the canvas shows.
    pub fn follow(
        &mut self,
        session: &Session,
        view: &mut View,
        bounds: Bounds,
        ctx: &egui::Context,
    ) {
        let is_open = view.plots == Plots::Sample;
        if is_open != self.is_open {
            self.is_open = is_open;
            self.open_or_close(view);
            ctx.request_repaint();
        }
        if !is_open {
            return;
        }
        self.targets.look(session);
        let Some(density) = self.targets.density(view.sampling.target) else { return };
        let wanted = &view.sampling;
        match &self.wish {
            Some(wish) if wish.has_same_start(wanted) => {
                let is_same = wish.has_same_walk(wanted, &density);
                // One after the other: a model that learns would ask for more than can be done.
                if !is_same && self.is_answered() {
                    let wish = Wish { density, view: wanted.clone(), bounds: wish.bounds };
                    self.retune(wish, ctx);
                }
            }
            _ => self.begin(Wish { density, view: wanted.clone(), bounds }, ctx),
        }
        if self.is_playing && self.pace != wanted.pace() {
            self.play(wanted, ctx);
        }
        self.paint(view, bounds, ctx);
    }

    /// Asks for a picture of what the particles walk on, where it is another density than the one that is shown anyway.
    fn paint(&mut self, view: &View, bounds: Bounds, ctx: &egui::Context) {
        let noise = self.report.noise;
        let is_other = view.sampling.target == Target::Data || noise > 0.0;
        let Some(wish) = self.wish.as_ref().filter(|_| is_other && view.shown.density) else {
            self.sheet = None;
            return;
        };
        let sheet = Sheet::new(wish.density.clone(), noise, bounds, view);
        if self.sheet.as_ref() != Some(&sheet) && self.is_answered() {
            self.send(Order::Paint(sheet.clone()), ctx);
            self.sheet = Some(sheet);
        }
    }

    /// True while the density of the particles takes the place of the model's.
    #[must_use]
    pub fn has_density(&self) -> bool {
        self.is_open && self.sheet.is_some() && self.report.picture.is_some()
    }

    /// Data points would hide the particles: they step aside while the tab is open.
    fn open_or_close(&mut self, view: &mut View) {
        if self.is_open {
            self.has_hidden_data = std::mem::take(&mut view.shown.train);
            return;
        }
        view.shown.train |= self.has_hidden_data;
        if self.is_playing {
            self.pause();
        }
    }

    fn is_answered(&self) -> bool {
        self.worker.as_ref().is_none_or(|worker| worker.is_answered_by(&self.report))
    }

    fn begin(&mut self, wish: Wish, ctx: &egui::Context) {
        (self.story, self.is_playing) = (None, false);
        self.send(Order::Begin(wish.plan(), wish.start(), wish.view.seed), ctx);
        self.wish = Some(wish);
    }

    fn retune(&mut self, wish: Wish, ctx: &egui::Context) {
        self.story = None;
        if self.report.points.is_empty() {
            // What could not begin begins now.
            return self.begin(wish, ctx);
        }
        self.send(Order::Retune(wish.plan()), ctx);
        self.wish = Some(wish);
    }

    fn send(&mut self, order: Order, ctx: &egui::Context) {
        if self.worker.is_none() {
            let ctx = ctx.clone();
            match Worker::spawn(move || ctx.request_repaint()) {
                Ok(worker) => self.worker = Some(worker),
                Err(error) => {
                    self.problem = Some(format!("no thread could be started: {error}"));
                }
            }
        }
        let Some(worker) = &mut self.worker else { return };
        worker.send(order);
    }

    fn play(&mut self, view: &SamplingView, ctx: &egui::Context) {
        self.pace = view.pace();
        self.send(Order::Play { pace: self.pace, stretch: view.stretch }, ctx);
        (self.is_playing, self.story) = (true, None);
    }

    fn pause(&mut self) {
        self.worker.iter_mut().for_each(|worker| worker.send(Order::Pause));
        self.is_playing = false;
    }

    /// The next part of the story, or another step to be told.
    fn tell(&mut self, view: &SamplingView, ctx: &egui::Context) {
        self.is_playing = false;
        if let Some(story) = self.story.as_mut().filter(|story| !story.is_over()) {
            story.shown += 1;
            return;
        }
        self.story = None;
        let particle = view.particle.min(view.count.saturating_sub(1));
        self.wish.iter_mut().for_each(|wish| wish.view.particle = particle);
        self.awaits_story = true;
        self.send(Order::Tell(particle), ctx);
    }

    /// The newest report.
    #[must_use]
    pub fn report(&self) -> &Report {
        &self.report
    }

    /// True while the particles walk by themselves.
    #[must_use]
    pub fn is_playing(&self) -> bool {
        self.is_playing
    }

    /// The step that is being told.
    #[must_use]
    pub fn story(&self) -> Option<&Story> {
        self.story.as_ref()
    }

    /// Why nothing walks.
    #[must_use]
    pub fn problem(&self) -> Option<&str> {
        self.problem.as_deref().or(self.report.problem.as_deref())
    }

    /// Why the density of the data cannot be walked on; `None` if it can.
    #[must_use]
    pub fn why_not_data(&self) -> Option<String> {
        self.targets.known().err()
    }

    /// Where the particles are, as far as the story has been told.
    #[must_use]
    pub fn points(&self) -> &Arc<[Point]> {
        match &self.story {
            Some(story) if !story.is_over() => &story.before,
            _ => &self.report.points,
        }
    }
}

impl App {
    /// Moves particles, and opens their tab.
    pub(super) fn sample(&mut self, ctx: &egui::Context, action: Action) {
        (self.view.plots, self.view.has_panels) = (Plots::Sample, true);
        let bounds = self.canvas.bounds();
        self.particles.follow(&self.session, &mut self.view, bounds, ctx);
        if let Some(problem) = self.particles.problem() {
            self.notice = Some(Notice::problem(problem));
            return;
        }
        let view = &self.view.sampling;
        match action {
            Action::Walk if self.particles.is_playing => self.particles.pause(),
            Action::Walk => self.particles.play(view, ctx),
            Action::WalkStep => {
                (self.particles.story, self.particles.is_playing) = (None, false);
                self.particles.send(Order::Step, ctx);
            }
            Action::TellStep => self.particles.tell(view, ctx),
            _ => {
                // The same start and the same seed give the same walk.
                self.particles.wish = None;
                self.particles.follow(&self.session, &mut self.view, bounds, ctx);
            }
        }
    }

    /// The newest report of the particles.
    #[must_use]
    pub fn walk(&self) -> &Report {
        self.particles.report()
    }

    /// True while particles walk by themselves.
    #[must_use]
    pub fn is_walking(&self) -> bool {
        self.particles.is_playing()
    }

    /// The step that is being told, and how many of its parts have been.
    #[must_use]
    pub fn story(&self) -> Option<(&Told, usize)> {
        self.particles.story().map(|story| (&story.told, story.shown))
    }
}
