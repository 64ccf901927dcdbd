//! What each action does.

use std::path::Path;

use super::action::Action;
use super::dialog::{Answer, Dialog};
use super::exports::{Material, export};
use super::jobs::Outcome;
use super::view::Plots;
use super::{App, Notice, theme};
use crate::algorithms::initial;
use crate::export::write_file;
use crate::figures::Theme;
use crate::settings::Value;

impl App {
    pub(super) fn apply(&mut self, ctx: &egui::Context, action: Action) {
        self.has_news = true;
        // Buttons of these are gray without a run; their keys do nothing either.
        let can_try_again = action == Action::Rewind && self.session.problem().is_some();
        if action.needs_run() && self.session.snapshot().is_none() && !can_try_again {
            return;
        }
        match action {
            Action::Open => self.dialog = Some(Dialog::open()),
            Action::CancelReading => self.cancel_reading(),
            Action::SaveExperiment => self.dialog = Some(Dialog::save_experiment()),
            Action::Export => {
                self.dialog = Some(Dialog::export(!self.seeds.members().is_empty()));
            }
            Action::CopyCommandLine => self.copy_command_line(ctx),
            Action::Quit => ctx.send_viewport_cmd(egui::ViewportCommand::Close),
            Action::Undo => self.document.undo(),
            Action::Redo => self.document.redo(),
            Action::ClearDrawing => {
                self.document.mark();
                self.document.experiment.strokes.clear();
            }
            Action::PlayPause => {
                if self.session.is_playing() {
                    self.session.pause();
                } else {
                    self.notice = None;
                    self.session.play(false);
                }
            }
            Action::Step => self.session.step(),
            Action::Rewind => {
                self.notice = None;
                self.session.rewind();
            }
            Action::RunToEnd => {
                self.notice = None;
                self.session.play(true);
            }
            Action::NewStart => {
                self.document.mark();
                let start = &mut self.document.experiment.start;
                let seed = (start.integer(&initial::RANDOM_STATE) as i64 + 1) % (1 << 32);
                start.set(initial::RANDOM_STATE.key, Value::Integer(seed));
                self.notice = Some(Notice::info(format!("New start, seed {seed}")));
            }
            Action::RunSeeds => self.run_seeds(ctx),
            Action::CancelSeeds => self.seeds.cancel(),
            Action::ToggleBest => self.view.shows_best = !self.view.shows_best,
            Action::Fit => self.canvas.fit(),
            Action::ToggleTheme => {
                self.view.theme = match self.view.theme {
                    Theme::Light => Theme::Dark,
                    Theme::Dark => Theme::Light,
                };
                theme::apply(ctx, self.view.theme);
            }
            Action::TogglePanels => self.view.has_panels = !self.view.has_panels,
            Action::ToggleLogDensity => self.view.has_log_density = !self.view.has_log_density,
            Action::ToggleHelp => self.view.has_help = !self.view.has_help,
        }
    }

    fn run_seeds(&mut self, ctx: &egui::Context) {
        (self.view.plots, self.view.has_panels) = (Plots::Seeds, true);
        let experiment = &self.document.experiment;
        let snapshot = self.session.snapshot().filter(|s| experiment.has_same_data(&s.experiment));
        let dataset = snapshot.map(|snapshot| snapshot.prepared.dataset.clone());
        self.seeds.run(experiment, dataset, self.view.seeds.count, ctx.clone());
    }

    fn copy_command_line(&mut self, ctx: &egui::Context) {
        let Some(command) = self.document.experiment.command_line() else {
            let text = "Drawn points do not fit on a command line: save the experiment and run \
                        `scorescope run FILE.toml --out results`";
            self.notice = Some(Notice::problem(text));
            return;
        };
        self.notice = Some(Notice::info(format!("Copied: {command}")));
        ctx.copy_text(command);
    }

    /// Does what a dialog was asked for, and closes it.
    pub(super) fn answer(&mut self, ctx: &egui::Context, answer: Answer) {
        self.dialog = None;
        match answer {
            Answer::Cancelled => {}
            Answer::SaveFirst => self.dialog = Some(Dialog::save_experiment()),
            Answer::Quit => {
                self.may_close = true;
                ctx.send_viewport_cmd(egui::ViewportCommand::Close);
            }
            Answer::Open { path, columns } => self.open(path, columns),
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
            Answer::Export { what, format, path } => {
                let Some(snapshot) = self.session.snapshot().cloned() else {
                    self.notice = Some(Notice::problem("There is nothing to export yet"));
                    return;
                };
                let material = Material {
                    snapshot,
                    history: self.session.history().records().to_vec(),
                    view: self.view.clone(),
                    bounds: self.canvas.bounds(),
                    seeds: self.seeds.members().to_vec(),
                };
                self.jobs.start(move || {
                    let written = export(what, format, &material)
                        .and_then(|bytes| Ok(write_file(&path, &bytes)?));
                    saved_as(what.label(), &path, written)
                });
            }
        }
    }
}

/// What to say of something that was to be saved. The whole path: a program started from an icon runs anywhere.
fn saved_as(what: &str, path: &Path, result: anyhow::Result<()>) -> Outcome {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    Outcome::Saved(result.map(|()| format!("Saved {what} as {}", path.display())))
}
