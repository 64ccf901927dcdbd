//! The window. Nothing outside this folder knows egui. [`App`] and the order of one frame.

mod action;
mod apply;
mod autosave;
mod basin_map;
mod canvas;
mod caption;
mod dialog;
mod document;
mod drawing;
mod errand;
mod exports;
mod filming;
mod grip;
mod handles;
mod jobs;
mod keeping;
mod kept_view;
mod known;
mod landscape_map;
mod legend;
mod maps;
mod material;
mod painter;
mod painting;
mod pane;
mod panels;
mod particles;
mod playback;
mod plot;
mod predict;
mod printing;
mod probe;
mod recent;
mod redraw;
mod redrawn;
mod rehearsal;
mod remedy;
mod runs;
mod seeds;
mod session;
mod sheets;
mod stage;
mod start;
mod storage;
mod taken_apart;
mod theme;
mod track;
mod truth;
mod view;
mod views;
mod workings;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use action::Action;
use anyhow::bail;
use canvas::Canvas;
use dialog::Dialog;
use document::Document;
use errand::Errand;
use filming::Filming;
use jobs::{Job, Jobs, Opened, Outcome};
use keeping::Keeping;
use maps::Maps;
use particles::Particles;
use printing::Printing;
use redrawn::Redrawn;
use seeds::Seeds;
use session::{Followed, Session};
use truth::Truths;

pub use particles::{ParticleStart, Report, SamplingView, Target};
pub use predict::{Guess, Prediction};
pub use rehearsal::{FRAME_COMPONENTS, FrameCost, Rehearsal, frame_cost};
pub use view::{Guard, MapKind, MapsView, Over, Plots, Position, SeedsView, Shown, View};

use crate::model::COVARIANCE_TYPE;
use crate::settings::Value;
use crate::training::{BranchId, Experiment, Moment};

/// The program in its window.
pub struct App {
    document: Document,
    session: Session,
    seeds: Seeds,
    maps: Maps,
    truth: Truths,
    redrawn: Redrawn,
    particles: Particles,
    view: View,
    canvas: Canvas,
    thumbnails: panels::Thumbnails,
    dialog: Option<Dialog>,
    /// How figures were exported last.
    printing: Printing,
    jobs: Jobs,
    keeping: Keeping,
    checks: panels::Checks,
    /// The file that is being read.
    reading: Option<Errand>,
    filming: Option<Filming>,
    notice: Option<Notice>,
    /// True if the last message came in this frame.
    has_news: bool,
    /// The job that reads it.
    opening: Option<Job>,
    /// True once the user has said that nothing needs saving.
    may_close: bool,
    window_size: egui::Vec2,
    pulse: Pulse,
}

/// How fast the window draws, for `RUST_LOG=scorescope=debug`.
#[derive(Default)]
struct Pulse {
    since: Option<Instant>,
    frame_count: u32,
    own_time: Duration,
    total_secs: f32,
}

impl Pulse {
    /// Counts a frame: the time of its layout, and the time of the one before with tessellation and painting.
    fn beat(&mut self, own_time: Duration, last_frame_secs: Option<f32>) {
        let since = *self.since.get_or_insert_with(Instant::now);
        self.frame_count += 1;
        self.own_time += own_time;
        self.total_secs += last_frame_secs.unwrap_or_default();
        if since.elapsed() >= Duration::from_secs(1) {
            log::debug!(
                "{:.0} frames/s, {:.2} ms layout, {:.2} ms with tessellation and painting",
                f64::from(self.frame_count) / since.elapsed().as_secs_f64(),
                1e3 * self.own_time.as_secs_f64() / f64::from(self.frame_count),
                1e3 * f64::from(self.total_secs) / f64::from(self.frame_count),
            );
            *self = Pulse::default();
        }
    }
}

/// The last message, for the status bar.
#[derive(Debug, Clone, PartialEq)]
pub struct Notice {
    /// One sentence.
    pub text: String,
    /// True if something did not work.
    pub is_problem: bool,
}

impl Notice {
    fn info(text: impl Into<String>) -> Notice {
        Notice { text: text.into(), is_problem: false }
    }

    fn problem(text: impl Into<String>) -> Notice {
        Notice { text: text.into(), is_problem: true }
    }
}

/// Opens the window, on a file or an experiment where one is given.
///
/// # Errors
/// If there is no display, or the system lacks something that a window needs.
pub fn run(open: Option<PathBuf>) -> anyhow::Result<()> {
    let viewport = egui::ViewportBuilder::default()
        .with_title("ScoreScope")
        .with_app_id("scorescope")
        .with_inner_size([1440.0, 900.0])
        .with_min_inner_size([900.0, 600.0]);
    // Dithering costs a fifth of a frame without a GPU, and our gradients are made of few colors anyway.
    let options = eframe::NativeOptions { viewport, dithering: false, ..Default::default() };
    // One core stays free for drawing: results do not depend on the number of threads, smoothness does.
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    rayon::ThreadPoolBuilder::new().num_threads(cores.saturating_sub(1).max(1)).build_global()?;
    let window = std::panic::AssertUnwindSafe(|| {
        eframe::run_native(
            "scorescope",
            options,
            Box::new(move |creation| {
                let mut app = App::new(&creation.egui_ctx, open)?;
                if let Some(folder) = storage::folder() {
                    app.keep_in(&folder, COPY_PAUSE);
                }
                Ok(Box::new(app))
            }),
        )
    });
    // winit panics where it misses a library at run time.
    match std::panic::catch_unwind(window) {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => {
            log::info!("{error}");
            bail!("there is no window, because no display answers or a library is missing. {NEEDS}")
        }
        Err(_) => bail!("there is no window: the windowing library gave up (see above). {NEEDS}"),
    }
}

/// From one copy of the session to the next, where something changed.
const COPY_PAUSE: Duration = Duration::from_secs(30);

/// What a window needs, for those who have none.
const NEEDS: &str = "A window needs a display (X11 or Wayland) and, on a bare Debian, `apt-get install libx11-6 \
    libx11-xcb1 libxcursor1 libxi6 libxrandr2 libxkbcommon-x11-0 libgl1`. Without a display, train with \
    `scorescope run` (see `scorescope --help`), or start the window on a virtual one with `xvfb-run scorescope`";

impl eframe::App for App {
    fn logic(&mut self, _: &egui::Context, _: &mut eframe::Frame) {
        self.receive();
    }

    fn on_exit(&mut self, _: Option<&eframe::glow::Context>) {
        self.end_filming();
        self.end();
    }

    fn clear_color(&self, _: &egui::Visuals) -> [f32; 4] {
        // The panels have no fill of their own: clearing is the cheapest way to paint, above all without a GPU.
        App::clear_color(self).to_normalized_gamma_f32()
    }

    fn ui(&mut self, ui: &mut egui::Ui, frame: &mut eframe::Frame) {
        let began = Instant::now();
        self.frame_ui(ui);
        self.pulse.beat(began.elapsed(), frame.info().cpu_usage);
    }
}

impl App {
    /// The program at its start, showing halfmoons, or opening a file.
    ///
    /// # Errors
    /// If the system gives no threads.
    pub fn new(ctx: &egui::Context, open: Option<PathBuf>) -> anyhow::Result<App> {
        theme::install(ctx);
        let view = View::default();
        theme::apply(ctx, view.theme);
        let document = Document::new(Experiment::default());
        let mut app = App {
            session: Session::new(&document.experiment, ctx.clone()),
            document,
            seeds: Seeds::default(),
            maps: Maps::default(),
            truth: Truths::default(),
            redrawn: Redrawn::default(),
            particles: Particles::default(),
            view,
            canvas: Canvas::new(ctx.clone()),
            thumbnails: panels::Thumbnails::new(),
            dialog: None,
            printing: Printing::default(),
            jobs: Jobs::new(ctx.clone()),
            keeping: Keeping::default(),
            checks: panels::Checks::default(),
            reading: None,
            filming: None,
            notice: None,
            has_news: false,
            opening: None,
            may_close: false,
            window_size: egui::Vec2::ZERO,
            pulse: Pulse::default(),
        };
        if let Some(path) = open {
            app.open(path, None);
        }
        Ok(app)
    }

    /// What the window is cleared to before anything is drawn.
    #[must_use]
    pub fn clear_color(&self) -> egui::Color32 {
        theme::panel_fill(self.view.theme)
    }

    /// Everything that must go on while the window is hidden: events of the worker, results of jobs.
    pub fn receive(&mut self) {
        // Of a session that is opened the end is no news.
        let had_finished = self.session.finish().is_some() || self.session.is_taking_up();
        if self.session.drain() {
            // The steps of before are gone.
            self.view.forget_past();
        }
        if let (false, Some(finish)) = (had_finished, self.session.finish()) {
            let is_problem = matches!(
                finish,
                crate::training::Finish::Failed(_) | crate::training::Finish::Broken(_)
            );
            let step = self.session.last_step();
            let text = if is_problem {
                format!("Stopped at step {step}: {finish}")
            } else if self.session.is_playing() {
                format!("This run has stopped at step {step}: {finish}")
            } else {
                format!("Stopped at step {step}: {finish}; Play goes on")
            };
            self.notice = Some(Notice { text, is_problem });
        }
        if self.session.take_forgotten() {
            let text = "These steps cannot be repeated here in a moment: training goes on from the mixture shown, without \
                        the momentum that led there";
            self.notice = Some(Notice::info(text));
        }
        self.copy_in_time();
        self.seeds.drain();
        self.maps.drain();
        self.truth.drain();
        self.redrawn.drain();
        self.particles.drain();
        for outcome in self.jobs.drain() {
            self.take_in(outcome);
        }
        self.end_saving();
        if !self.jobs.is_busy() {
            self.reading = None;
            self.filming = None;
        }
    }

    /// One frame: look, draw, act, follow, remember. See the map in `lib.rs`.
    pub fn frame_ui(&mut self, ui: &mut egui::Ui) {
        let ctx = ui.ctx().clone();
        theme::fit_zoom(&ctx, &mut self.window_size);
        let wants_to_close = ctx.input(|input| input.viewport().close_requested());
        if wants_to_close && self.waits_for_saving() {
            ctx.send_viewport_cmd(egui::ViewportCommand::CancelClose);
        } else if wants_to_close && !self.may_close && self.document.has_unsaved_work() {
            ctx.send_viewport_cmd(egui::ViewportCommand::CancelClose);
            self.dialog = Some(Dialog::leave());
        }
        let dropped = ctx.input(|input| input.raw.dropped_files.clone());
        if !dropped.is_empty() && self.dialog.is_some() {
            // What the dialog asks is about what is on the table.
            let text = "Nothing was opened: close the dialog first, then drop the file again";
            self.notice = Some(Notice::info(text));
        } else if let Some(file) = dropped.first() {
            self.open(file.path().to_owned(), None);
        }
        if self.dialog.is_none() && self.reading.is_none() {
            // Before the actions: their keys do something else to a selected component.
            self.canvas.follow_keys(&ctx, &mut self.document, &self.session, &mut self.view);
        }
        let has_errand = self.reading.is_some() || self.filming.is_some();
        let mut actions = match self.dialog {
            None => {
                // Help and menus close first.
                let is_covered = self.view.has_help || egui::Popup::is_any_open(&ctx);
                action::pressed(&ctx, has_errand && !is_covered)
            }
            Some(_) => Vec::new(),
        };
        self.play_back(&ctx);
        self.session.look(self.view.position);
        self.keep_field();
        self.panels_ui(ui, &mut actions);
        if let Some(dialog) = &mut self.dialog
            && let Some(answer) = dialog.show_ui(&ctx, &mut self.jobs)
        {
            self.answer(&ctx, answer);
        }
        if self.view.has_help {
            panels::help_ui(&ctx, &mut self.view.has_help);
        }
        panels::checks_ui(&ctx, &mut self.checks);
        for action in actions {
            self.apply(&ctx, action);
        }
        let area = self.canvas.area();
        let has_room = self.dialog.is_none() && !self.view.has_help;
        if has_room
            && let Some(remedy) =
                remedy::remedy_ui(&ctx, area, self.canvas.culprit(), &self.session, &self.view)
        {
            self.apply_remedy(remedy);
        }
        self.session.set_guard(self.view.guard == Guard::On);
        if let Some(text) = self.document.news.take() {
            (self.notice, self.has_news) = (Some(Notice::info(text)), true);
            self.session.pause();
        }
        if self.canvas.is_dragging() && self.session.is_playing() {
            self.session.pause();
        }
        self.copy_before_other_data();
        self.choose_run();
        self.session.set_pace(self.view.pace());
        let had_steps = self.session.step_count() > 0;
        match self.session.follow(&self.document.experiment) {
            Followed::Waiting => ctx.request_repaint_after(Duration::from_millis(20)),
            // What a file or an action had to say is worth more than this.
            Followed::Restarted if had_steps && !self.has_news => {
                let first = self.document.experiment.first_step(self.view.run);
                let text = format!("Changed what is trained: started again from step {first}");
                self.notice = Some(Notice::info(text));
            }
            Followed::Same | Followed::Restarted => self.has_news = false,
        }
        self.save_wanted();
        let View { run, race, .. } = &self.view;
        self.session.choose(*run, race.is_on);
        let chosen = self.document.experiment.alone(self.view.run);
        self.seeds.follow(&chosen);
        self.maps.follow(&chosen, &self.session, &ctx);
        if self.view.shows_truth() {
            self.truth.follow(&self.document, &self.session, &ctx);
        }
        self.redrawn.follow(&self.session, &self.view, &ctx);
        self.particles.follow(&self.session, &mut self.view, self.canvas.bounds(), &ctx);
        if !self.canvas.is_dragging() {
            // What a hand holds becomes one change when it lets go.
            self.document.remember(ctx.input(|input| input.time));
        }
        if self.document.is_in_flux() {
            ctx.request_repaint_after(Duration::from_millis(300));
        }
    }

    /// Keeps the view at a run that there is: where one was taken back, at the one that it left, and pauses there.
    fn choose_run(&mut self) {
        let experiment = &self.document.experiment;
        let is_there = |id: BranchId| experiment.runs().any(|of| of == id);
        let View { run, race, prediction, .. } = &mut self.view;
        prediction.bet = prediction.bet.filter(|bet| is_there(*bet));
        if !is_there(*run) {
            self.session.pause();
        }
        while !is_there(*run) {
            *run = self.session.parent_of(*run);
        }
        race.is_on &= !experiment.branches.is_empty();
    }

    /// Moves through time, where the view does so by itself.
    fn play_back(&mut self, ctx: &egui::Context) {
        let now = ctx.input(|input| input.time);
        let (pace, newest) = (self.view.playback_pace(), self.session.newest_step());
        if let Some(position) = self.view.playback.advance(now, pace, newest) {
            self.view.position = position;
            ctx.request_repaint();
        }
    }

    fn panels_ui(&mut self, ui: &mut egui::Ui, actions: &mut Vec<Action>) {
        let App {
            document,
            session,
            seeds,
            maps,
            truth,
            redrawn,
            particles,
            view,
            canvas,
            thumbnails,
            notice,
            reading,
            filming,
            keeping,
            ..
        } = self;
        let mut reopen = None;
        let recent = panels::menu_ui(ui, document, session, view, &keeping.recent, actions);
        let busy = match reading {
            Some(reading) => panels::Busy::Errand(reading),
            None if let Some(filming) = filming => panels::Busy::Errand(&filming.errand),
            None if self.jobs.is_busy() => panels::Busy::Working,
            None => panels::Busy::Idle,
        };
        panels::status_ui(ui, session, notice, &busy, actions);
        let left = keeping.left.as_ref().and_then(|left| panels::left_ui(ui, left));
        panels::transport_ui(ui, session, view, actions);
        if view.has_panels {
            reopen = panels::controls_ui(ui, document, session, view, thumbnails, actions);
            // In a narrow window the canvas is worth more than the plots.
            if ui.available_width() > 680.0 {
                let breakdown = canvas.breakdown(session.chosen());
                let breakdown = breakdown.as_deref();
                let beside = panels::Beside { seeds, maps, breakdown, redrawn, truth, particles };
                panels::plots_ui(ui, document, session, beside, view, actions);
            }
        }
        panels::time_ui(ui, session, view, actions);
        canvas.show_ui(ui, document, session, (maps, particles), view, actions);
        if let Some(panels::Reopen { path, columns }) = reopen {
            self.open(path, Some(columns));
        }
        if let Some(path) = recent {
            self.open(path, None);
        }
        if let Some(wants_it) = left {
            self.answer_left(wants_it);
        }
    }

    /// Reads a file off this thread; what is in it arrives later. Another one that is being read is no longer wanted.
    pub fn open(&mut self, path: PathBuf, columns: Option<[usize; 2]>) {
        self.notice = Some(Notice::info(format!("Opening {}…", path.display())));
        self.abandon_reading();
        let reading = Errand::new("Reading", &path);
        let mut watch = reading.watch();
        self.reading = Some(reading);
        let work = move || Outcome::Opened(jobs::open(path, columns, &mut watch));
        self.opening = Some(self.jobs.start(work));
    }

    /// Stops reading a file, or filming; everything stays as it was.
    fn cancel_reading(&mut self) {
        let text = if let Some(reading) = self.abandon_reading() {
            format!("Stopped reading {}: everything is as it was", reading.name)
        } else if let Some(name) = self.stop_filming() {
            format!("Stopped filming {name}: no file was changed")
        } else {
            return;
        };
        self.notice = Some(Notice::info(text));
    }

    /// What was being read, of which nothing will come.
    fn abandon_reading(&mut self) -> Option<Errand> {
        if let Some(job) = self.opening.take() {
            self.jobs.abandon(job);
        }
        self.reading.take()
    }

    fn take_in(&mut self, outcome: Outcome) {
        self.has_news = true;
        match outcome {
            Outcome::Opened(Ok(opened)) => {
                self.reading = None;
                self.put_on_table(opened);
            }
            Outcome::Opened(Err(error)) => {
                self.reading = None;
                self.notice = Some(Notice::problem(error.to_string()));
            }
            Outcome::Saved(Err(error)) => {
                self.notice = Some(Notice::problem(error.to_string()));
            }
            Outcome::Saved(Ok(text)) => self.notice = Some(Notice::info(text)),
            Outcome::SavedExperiment(experiment, text) => {
                self.document.keep_saved(&experiment);
                self.notice = Some(Notice::info(text));
            }
            Outcome::SavedSession(saved) => self.take_saved_session(*saved),
            Outcome::ChangedMeanwhile { table, path } => self.take_changed_meanwhile(table, &path),
            Outcome::Answered | Outcome::Noted => self.has_news = false,
            Outcome::BackedUp(copied) => {
                self.has_news = false;
                self.take_copied(copied);
            }
            Outcome::Kept { recent, left, printing } => {
                self.has_news = false;
                if let Some(last) = printing {
                    self.printing.take_up(*last);
                }
                self.keeping.recent = recent;
                self.keeping.left = self.keeping.left.take().or(left);
            }
            Outcome::Filmed(saved) => self.take_film(saved),
            Outcome::Checked(results) => {
                self.checks.results = Some(results);
                self.has_news = false;
            }
            Outcome::Copied(Ok((what, image))) => {
                self.jobs.context().copy_image(image);
                self.notice = Some(Notice::info(format!("Copied {what} as a picture")));
            }
            Outcome::Copied(Err(error)) => {
                self.notice = Some(Notice::problem(format!("{error:#}")));
            }
            Outcome::Previewed { dialog, picture } => {
                self.has_news = false;
                if let Some(open) = self.dialog.as_mut().filter(|open| open.number() == dialog) {
                    open.take_preview(picture, self.jobs.context());
                }
            }
            Outcome::Chosen { dialog, path } => {
                if let Some(open) = self.dialog.as_mut().filter(|open| open.number() == dialog) {
                    open.take_path(path);
                }
            }
        }
    }

    fn put_on_table(&mut self, opened: Opened) {
        self.copy_before_risk();
        self.remember_file(opened.path());
        let mut unsaved = None;
        if !matches!(opened, Opened::Model { .. }) {
            unsaved = self.leave_home();
            self.canvas.fit();
            // What was expected of other data is no longer asked.
            self.view.prediction = Prediction::default();
        }
        match opened {
            Opened::Model { path, components, covariance_type } => {
                self.document.mark();
                let count = components.len();
                let text = format!("{}: the start, {count} components", path.display());
                self.notice = Some(Notice::info(text));
                let experiment = &mut self.document.experiment;
                let id = Value::Choice(covariance_type.id().to_owned());
                experiment.model.set(COVARIANCE_TYPE.key, id);
                experiment.give_start(components);
            }
            Opened::Points { path, columns, loaded } => {
                self.document.mark();
                let mut text = format!("{}: {} points", path.display(), loaded.points.len());
                for note in &loaded.notes {
                    text = format!("{text}; {note}");
                }
                self.notice = Some(Notice::info(text));
                self.document.experiment.choose_source(crate::training::Source::File {
                    path,
                    columns,
                    loaded: Some(crate::training::LoadedFile(loaded.into())),
                });
            }
            Opened::Session { home, keepsake } => self.put_session_on_table(home, *keepsake),
            Opened::Experiment { experiment, .. } => {
                self.document.open(*experiment);
                self.notice = Some(Notice::info("Experiment opened; Space trains it"));
            }
        }
        self.tell_unsaved(unsaved);
    }

    /// The experiment on the table.
    #[must_use]
    pub fn experiment(&self) -> &Experiment {
        &self.document.experiment
    }

    /// The newest snapshot of its run.
    #[must_use]
    pub fn snapshot(&self) -> Option<&std::sync::Arc<crate::training::Snapshot>> {
        self.session.snapshot()
    }

    /// The step that is shown, with its mixture.
    #[must_use]
    pub fn shown(&self) -> Option<&Moment> {
        self.session.shown()
    }

    /// The newest snapshot of one of its runs; `None` until that run has begun.
    #[must_use]
    pub fn snapshot_of(&self, id: BranchId) -> Option<&std::sync::Arc<crate::training::Snapshot>> {
        self.session.snapshot_of(id)
    }

    /// The step that is shown of one of its runs, with its mixture.
    #[must_use]
    pub fn shown_of(&self, id: BranchId) -> Option<&Moment> {
        self.session.track(id)?.shown()
    }

    /// How things are looked at.
    #[must_use]
    pub fn view(&self) -> &View {
        &self.view
    }

    /// How things are looked at; tests and lessons may change it.
    pub fn view_mut(&mut self) -> &mut View {
        &mut self.view
    }

    /// The rectangle of the plane that the canvas shows.
    #[must_use]
    pub fn canvas_bounds(&self) -> crate::model::Bounds {
        self.canvas.bounds()
    }

    /// The runs from many starts that are done, by their seeds.
    #[must_use]
    pub fn seeds(&self) -> &[std::sync::Arc<crate::training::Member>] {
        self.seeds.members()
    }

    /// True while more of them are on their way.
    #[must_use]
    pub fn is_running_seeds(&self) -> bool {
        self.seeds.awaited().is_some()
    }

    /// Why nothing can be trained.
    #[must_use]
    pub fn problem(&self) -> Option<&str> {
        self.session.problem()
    }

    /// The last message.
    #[must_use]
    pub fn notice(&self) -> Option<&Notice> {
        self.notice.as_ref()
    }
}
