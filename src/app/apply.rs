//! What each action does.

use std::path::Path;

use super::action::Action;
use super::dialog::Answer;
use super::jobs::Outcome;
use super::playback::Direction;
use super::start::{self, Editable};
use super::view::{Plots, Position};
use super::{App, Notice, panels, theme};
use crate::algorithms::{given, initial};
use crate::export::write_file;
use crate::figures::Theme;
use crate::settings::Value;
use crate::training::checks::checks;
use crate::training::{BranchId, Prepared};

impl App {
    pub(super) fn apply(&mut self, ctx: &egui::Context, action: Action) {
        self.has_news = true;
        // Buttons of these are gray without a run; their keys do nothing either.
        let can_try_again = action == Action::Rewind && self.session.problem().is_some();
        if action.needs_run() && self.session.snapshot().is_none() && !can_try_again {
            return;
        }
        self.copy_before(action);
        match action {
            Action::Open
            | Action::CancelReading
            | Action::SaveSession
            | Action::SaveSessionAs
            | Action::SaveExperiment => self.handle_file(action),
            Action::Export => self.ask_to_export(),
            Action::CopyFigure => self.copy_last_figure(),
            Action::CopyCommandLine => self.copy_command_line(ctx),
            Action::Quit => ctx.send_viewport_cmd(egui::ViewportCommand::Close),
            Action::Undo => self.undo(),
            Action::Redo => self.document.redo(),
            Action::ClearDrawing => self.document.clear_drawing(),
            Action::PlayPause => {
                if self.session.is_playing() || self.view.playback.direction().is_some() {
                    self.view.playback.stop();
                    self.session.pause();
                } else {
                    self.notice = None;
                    self.view.leave_past();
                    self.session.play(false);
                }
            }
            Action::Step => self.step(),
            Action::StepBack
            | Action::PlayBackwards
            | Action::Replay
            | Action::FollowNewest
            | Action::ToggleLoop
            | Action::LoopFromHere
            | Action::LoopToHere => self.travel(ctx, action),
            Action::Rewind => {
                self.notice = None;
                self.session.rewind();
            }
            Action::RunToEnd => {
                self.notice = None;
                self.view.leave_past();
                self.session.play(true);
            }
            Action::NewStart => {
                self.document.mark();
                self.document.experiment.name_start();
                let start = &mut self.document.experiment.start;
                let seed = (start.integer(&initial::RANDOM_STATE) as i64 + 1) % (1 << 32);
                start.set(initial::RANDOM_STATE.key, Value::Integer(seed));
                self.notice = Some(Notice::info(format!("New start, seed {seed}")));
            }
            Action::ToggleBest => {
                self.view.playback.stop();
                self.view.position = match self.view.position {
                    Position::Best => Position::Newest,
                    Position::Newest | Position::At(_) => Position::Best,
                };
            }
            Action::StartFromFit
            | Action::AddComponent
            | Action::CopyComponent
            | Action::MirrorComponent
            | Action::AlignComponent
            | Action::DeleteComponent => self.change_start(action),
            Action::RunSeeds => self.run_seeds(ctx),
            Action::CancelSeeds => self.seeds.cancel(),
            Action::Fork
            | Action::Race
            | Action::ToggleRace
            | Action::NextRun
            | Action::PreviousRun
            | Action::RemoveRun
            | Action::Bet => self.change_runs(action),
            Action::Predict => self.predict(),
            Action::TogglePaths => self.view.shown.paths = !self.view.shown.paths,
            Action::RunBasin | Action::RunLandscape | Action::CancelMap => self.map(ctx, action),
            Action::Walk | Action::WalkStep | Action::TellStep | Action::RestartWalk => {
                self.sample(ctx, action);
            }
            Action::Fit => self.canvas.fit(),
            Action::ZoomIn => self.canvas.zoom(0.8),
            Action::ZoomOut => self.canvas.zoom(1.25),
            Action::ToggleTheme => self.toggle_theme(ctx),
            Action::TogglePanels => self.view.has_panels = !self.view.has_panels,
            Action::ToggleLogDensity => self.view.has_log_density = !self.view.has_log_density,
            Action::Check => self.check_formulas(),
            Action::ToggleHelp => self.view.has_help = !self.view.has_help,
            Action::NextField
            | Action::PreviousField
            | Action::ToggleStreamlines
            | Action::ShowTerms => self.take_apart(action),
            Action::ToggleWorkings
            | Action::CutBack
            | Action::CutForward
            | Action::SwapOrder
            | Action::SubtractNoise => self.work(action),
        }
    }

    fn toggle_theme(&mut self, ctx: &egui::Context) {
        self.view.theme = match self.view.theme {
            Theme::Light => Theme::Dark,
            Theme::Dark => Theme::Light,
        };
        theme::apply(ctx, self.view.theme);
    }

    /// Looks at steps that were trained before.
    fn travel(&mut self, ctx: &egui::Context, action: Action) {
        match action {
            Action::StepBack => {
                if let Some(step) = self.session.step_before(self.time()) {
                    self.view.go_to(step, self.session.newest_step());
                }
            }
            Action::PlayBackwards => self.play_history(ctx, Direction::Backwards),
            Action::Replay => self.play_history(ctx, Direction::Forwards),
            Action::FollowNewest => self.view.follow_newest(),
            Action::ToggleLoop => {
                let all = [0, self.session.newest_step()];
                let range = if self.view.playback.range().is_some() { None } else { Some(all) };
                self.loop_over(range);
            }
            Action::LoopFromHere => {
                let [_, to] = self.looped();
                let newest = self.session.newest_step();
                let from = self.time();
                self.loop_over(Some([from, if to > from { to } else { newest }]));
            }
            Action::LoopToHere => {
                let [from, _] = self.looped();
                let to = self.time();
                self.loop_over(Some([if from < to { from } else { 0 }, to]));
            }
            _ => {}
        }
    }

    /// The step at which the view is.
    fn time(&self) -> usize {
        self.session.step_at(self.view.position)
    }

    /// The step that is shown of the chosen run.
    pub(super) fn shown_step(&self) -> usize {
        self.session.shown().map_or(0, |moment| moment.record.step)
    }

    /// The next step: one that was taken, or a new one.
    fn step(&mut self) {
        let newest = self.session.newest_step();
        let is_past = self.view.position != Position::Newest && self.time() < newest;
        match self.session.step_after(self.time()) {
            Some(step) if is_past => self.view.go_to(step, newest),
            _ => {
                self.view.follow_newest();
                self.session.step();
            }
        }
    }

    /// Plays the steps that were taken, or stops if it already does.
    fn play_history(&mut self, ctx: &egui::Context, direction: Direction) {
        let is_moving = self.view.playback.direction() == Some(direction);
        let (shown, newest) = (self.time(), self.session.newest_step());
        if is_moving || newest == 0 {
            self.view.playback.stop();
            return;
        }
        // At the end it begins again, as films do.
        let from = if direction == Direction::Forwards && shown >= newest { 0 } else { shown };
        self.view.go_to(from, newest);
        self.view.playback.start(direction, from, ctx.input(|input| input.time));
    }

    /// The first and last step of what is looped, or would be.
    fn looped(&self) -> [usize; 2] {
        self.view.playback.range().unwrap_or([0, self.session.newest_step()])
    }

    fn loop_over(&mut self, range: Option<[usize; 2]>) {
        if !self.view.playback.set_range(range) {
            let text = "There is nothing to loop: its end has to come after its start";
            self.notice = Some(Notice::info(text));
        }
    }

    /// Checks all formulas on what is shown, in the background.
    fn check_formulas(&mut self) {
        let (Some(snapshot), Some(shown)) = (self.session.snapshot(), self.session.shown()) else {
            return;
        };
        self.checks =
            panels::Checks { is_open: true, step: Some(shown.record.step), results: None };
        let (prepared, mixture) = (snapshot.prepared.clone(), shown.mixture.clone());
        let settings = snapshot.experiment.algorithm.clone();
        self.jobs.start(move || {
            let Prepared { dataset, floor, .. } = prepared;
            Outcome::Checked(checks(&mixture, &dataset.train, floor, &settings))
        });
    }

    /// Changes the components that training starts from.
    fn change_start(&mut self, action: Action) {
        let Some(Editable { mut components, shown, step, scaling, .. }) =
            start::editable(&self.document, &self.session, &self.view)
        else {
            return;
        };
        let Some(dataset) = self.session.dataset() else { return };
        let middle = scaling.undo(dataset.bounds.center());
        let selected = self.view.selected.filter(|k| *k < components.len());
        let has_room = start::has_room(components.len());
        match (action, selected) {
            (Action::StartFromFit, _) => {
                let count = shown.components().len();
                let text = format!("These {count} components are the start now");
                self.notice = Some(Notice::info(text));
                self.document.mark();
                self.document.experiment.give_start(components);
                self.view.run = BranchId::TRUNK;
                return;
            }
            (Action::AddComponent, _) if has_room => {
                given::add(&mut components, middle);
                self.view.selected = Some(components.len() - 1);
            }
            (Action::CopyComponent, Some(k)) if has_room => {
                given::copy(&mut components, k);
                self.view.selected = Some(components.len() - 1);
            }
            (Action::MirrorComponent, Some(k)) => given::mirror(&mut components[k], middle[0]),
            (Action::AlignComponent, Some(k)) if components.len() > 1 => {
                given::align(&mut components, k);
            }
            (Action::DeleteComponent, Some(k)) if components.len() > 1 => {
                given::remove(&mut components, k);
                self.view.selected = None;
            }
            _ => return,
        }
        self.document.mark();
        start::put(&mut self.document, &mut self.view, components, step);
    }

    fn run_seeds(&mut self, ctx: &egui::Context) {
        (self.view.plots, self.view.has_panels) = (Plots::Seeds, true);
        let experiment = &self.document.experiment.alone(self.view.run);
        if !experiment.given.is_empty() {
            let text = "The start is set by hand, so all seeds would be the same run: choose how the means start first";
            self.notice = Some(Notice::problem(text));
            return;
        }
        let snapshot = self.session.snapshot().filter(|s| experiment.has_same_data(&s.experiment));
        let dataset = snapshot.map(|snapshot| snapshot.prepared.dataset.clone());
        self.seeds.run(experiment, dataset, self.view.seeds.count, ctx.clone());
    }

    fn copy_command_line(&mut self, ctx: &egui::Context) {
        let Some(command) = self.document.experiment.command_line() else {
            let text = "Drawings, starts set by hand, forks and races do not fit on a command line: save the experiment and run \
                        `scorescope run FILE.toml --out results`";
            self.notice = Some(Notice::problem(text));
            return;
        };
        self.notice = Some(Notice::info(format!("Copied: {command}")));
        ctx.copy_text(command);
    }

    /// Does what a dialog was asked for, and closes it.
    pub(super) fn answer(&mut self, ctx: &egui::Context, answer: Answer) {
        match &answer {
            Answer::Preview(printing) => return self.preview(ctx, printing),
            Answer::Copy(printing) => {
                self.copy_figure(printing);
                self.printing = printing.clone();
                return;
            }
            _ => self.dialog = None,
        }
        match answer {
            Answer::Cancelled | Answer::Copy(_) | Answer::Preview(_) => {}
            Answer::SaveFirst => self.ask_for_session(),
            Answer::Quit => {
                self.may_close = true;
                ctx.send_viewport_cmd(egui::ViewportCommand::Close);
            }
            Answer::Open { path, columns } => self.open(path, columns),
            Answer::SaveSession(path) => self.save_session_as(path),
            Answer::SaveExperiment(path) => {
                let experiment = self.document.experiment.clone();
                self.jobs.start(move || {
                    let saved = (experiment.to_toml().map_err(anyhow::Error::from))
                        .and_then(|text| Ok(write_file(&path, text.as_bytes())?));
                    match saved_as("the experiment", &path, saved) {
                        Outcome::Saved(Ok(text)) => {
                            Outcome::SavedExperiment(Box::new(experiment), text)
                        }
                        failed => failed,
                    }
                });
            }
            Answer::Export { printing, path } => {
                self.save(&printing, path);
                self.printing = printing;
                self.remember_printing();
            }
        }
    }
}

/// What to say of something that was to be saved. The whole path: a program started from an icon runs anywhere.
pub(super) fn saved_as(what: &str, path: &Path, result: anyhow::Result<()>) -> Outcome {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    Outcome::Saved(result.map(|()| format!("Saved {what} as {}", path.display())))
}
