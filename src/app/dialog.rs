//! Dialog: asks for a path. It can always be typed; the system's own dialog is one click away, and the window does not
//! wait for it.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use super::exports::{Format, What};
use super::jobs::{Jobs, Outcome};
use super::printing::{Preview, Printing};
use crate::training::parse_columns;

/// The question that is open.
pub struct Dialog {
    /// Tells this dialog from those before it.
    number: u64,
    question: Question,
    path: String,
    /// True if saving there would replace a file; looked up whenever the path changes.
    replaces: bool,
    is_new: bool,
}

enum Question {
    Leave,
    Open { columns: String },
    SaveSession,
    SaveExperiment,
    Export { printing: Box<Printing>, options: Vec<What>, preview: Preview },
}

/// What was answered.
pub enum Answer {
    /// Nothing is to happen.
    Cancelled,
    /// The drawing is to be saved before the window closes.
    SaveFirst,
    /// The window is to close without that.
    Quit,
    /// Open this file.
    Open {
        /// Which one.
        path: PathBuf,
        /// Two columns, counted from 0; `None` for the first two with numbers.
        columns: Option<[usize; 2]>,
    },
    /// Save the session there.
    SaveSession(PathBuf),
    /// Save the experiment there.
    SaveExperiment(PathBuf),
    /// Export something there.
    Export {
        /// What, and how.
        printing: Printing,
        /// Where.
        path: PathBuf,
    },
    /// Put a figure on the clipboard. The dialog stays open.
    Copy(Printing),
    /// Draw a small picture of what would be exported. The dialog stays open.
    Preview(Printing),
}

impl Dialog {
    fn new(question: Question, path: String) -> Dialog {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        Dialog {
            number: COUNT.fetch_add(1, Ordering::Relaxed),
            question,
            replaces: PathBuf::from(&path).exists(),
            path,
            is_new: true,
        }
    }

    /// What is to become of the drawing when the window closes?
    #[must_use]
    pub fn leave() -> Dialog {
        Dialog::new(Question::Leave, String::new())
    }

    /// Which file is to be opened?
    #[must_use]
    pub fn open() -> Dialog {
        Dialog::new(Question::Open { columns: String::new() }, String::new())
    }

    /// Where is the session to be saved?
    #[must_use]
    pub fn save_session(path: &Path) -> Dialog {
        Dialog::new(Question::SaveSession, path.display().to_string())
    }

    /// Where is the experiment to be saved?
    #[must_use]
    pub fn save_experiment() -> Dialog {
        Dialog::new(Question::SaveExperiment, "experiment.toml".to_owned())
    }

    /// Which of these is to be exported, and where? Begins with what was asked for last.
    #[must_use]
    pub fn export(printing: &Printing, options: Vec<What>) -> Dialog {
        let mut printing = Box::new(printing.clone());
        if !options.contains(&printing.what) {
            (printing.what, printing.format) = (What::Canvas, Format::Png);
        }
        let path = PathBuf::from(printing.what.stem()).with_extension(printing.format.extension());
        let path = path.display().to_string();
        let question = Question::Export { printing, options, preview: Preview::default() };
        Dialog::new(question, path)
    }

    /// True if a small picture of what would be exported is there.
    #[must_use]
    pub fn has_preview(&self) -> bool {
        matches!(&self.question, Question::Export { preview, .. } if preview.is_drawn())
    }

    /// Takes the small picture that was asked for.
    pub fn take_preview(&mut self, picture: anyhow::Result<egui::ColorImage>, ctx: &egui::Context) {
        if let Question::Export { preview, .. } = &mut self.question {
            preview.take(picture, ctx);
        }
    }

    /// True if it asks what is to become of the session or experiment on the table.
    #[must_use]
    pub fn is_about_document(&self) -> bool {
        match self.question {
            Question::Leave | Question::SaveSession | Question::SaveExperiment => true,
            Question::Open { .. } | Question::Export { .. } => false,
        }
    }

    /// Tells this dialog from those before it.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.number
    }

    /// Takes the path that the system's dialog gave.
    pub fn take_path(&mut self, path: Option<PathBuf>) {
        if let Some(path) = path {
            self.path = path.display().to_string();
            self.replaces = path.exists();
        }
    }

    fn title(&self) -> &'static str {
        match self.question {
            Question::Leave => "The drawing is not saved",
            Question::Open { .. } => "Open file",
            Question::SaveSession => "Save session",
            Question::SaveExperiment => "Save experiment",
            Question::Export { .. } => "Export",
        }
    }

    /// Shows the dialog; gives the answer once there is one.
    pub fn show_ui(&mut self, ctx: &egui::Context, jobs: &mut Jobs) -> Option<Answer> {
        let mut answer = None;
        let modal = egui::Modal::new(egui::Id::unique("dialog")).show(ctx, |ui| {
            let is_export = matches!(self.question, Question::Export { .. });
            ui.set_width(if is_export { 540.0 } else { 460.0 });
            ui.heading(self.title());
            ui.add_space(6.0);
            if matches!(self.question, Question::Leave) {
                answer = leave_ui(ui);
                return;
            }
            let path_before = self.path.clone();
            self.choices_ui(ui);
            let submitted = self.path_ui(ui, jobs);
            if self.path != path_before {
                self.replaces = PathBuf::from(self.path.trim()).exists();
            }
            let saves = !matches!(self.question, Question::Open { .. });
            if saves && self.replaces {
                ui.colored_label(
                    ui.visuals().warn_fg_color,
                    "This file exists and will be replaced.",
                );
            }
            let problem = self.problem();
            if let Some(problem) = &problem
                && !self.path.is_empty()
            {
                ui.colored_label(ui.visuals().warn_fg_color, problem);
            }
            ui.add_space(8.0);
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                let verb = match (saves, self.replaces) {
                    (false, _) => "Open",
                    (true, false) => "Save",
                    (true, true) => "Replace",
                };
                let clicked = ui.add_enabled(problem.is_none(), egui::Button::new(verb)).clicked();
                // Another program may have made such a file meanwhile.
                let is_news = saves && !self.replaces && PathBuf::from(self.path.trim()).exists();
                if (clicked || submitted) && is_news {
                    self.replaces = true;
                } else if (clicked || submitted) && problem.is_none() {
                    answer = Some(self.answer());
                }
                if ui.button("Cancel").clicked() {
                    answer = Some(Answer::Cancelled);
                }
                if let Question::Export { printing, .. } = &self.question
                    && printing.what.is_figure()
                {
                    let copy =
                        ui.add_enabled(printing.problem().is_none(), egui::Button::new("Copy"));
                    let copy = copy.on_hover_text("Put the figure on the clipboard as a picture");
                    if copy.clicked() {
                        answer = Some(Answer::Copy((**printing).clone()));
                    }
                }
            });
            if answer.is_none() {
                answer = self.wanted_preview();
            }
        });
        if modal.should_close() && answer.is_none() {
            answer = Some(Answer::Cancelled);
        }
        self.is_new = false;
        answer
    }

    fn choices_ui(&mut self, ui: &mut egui::Ui) {
        match &mut self.question {
            Question::Leave => {}
            Question::Open { columns } => {
                ui.label("A session, points (CSV, TSV, NPY, a picture), an experiment (TOML) or a model (JSON).");
                ui.horizontal(|ui| {
                    let label = ui.label("Columns");
                    let field = egui::TextEdit::singleline(columns)
                        .hint_text("first two with numbers, or 1,2");
                    ui.add(field.desired_width(f32::INFINITY)).labelled_by(label.id);
                });
            }
            Question::SaveSession => {
                ui.label("Everything on screen, trained as far as it is. Opens on any machine.");
            }
            Question::SaveExperiment => {
                ui.label(
                    "Opens here again, and runs without a window: scorescope run FILE --out DIR",
                );
            }
            Question::Export { printing, options, preview } => {
                let before = (printing.what, printing.format);
                printing.what_ui(ui, options);
                if printing.what == What::Samples {
                    printing.samples_ui(ui);
                }
                let now = (printing.what, printing.format);
                if before != now {
                    self.path = renamed(&self.path, before, now);
                }
                if printing.what.is_drawn() {
                    ui.separator();
                    printing.style_ui(ui);
                    ui.separator();
                    preview.show_ui(ui);
                    ui.separator();
                }
            }
        }
    }

    /// Asks for a small picture of what would be exported, if what there is shows something else.
    fn wanted_preview(&mut self) -> Option<Answer> {
        let Question::Export { printing, preview, .. } = &mut self.question else { return None };
        let can_be = printing.what.is_drawn() && printing.problem().is_none();
        (can_be && preview.asks(printing)).then(|| Answer::Preview((**printing).clone()))
    }

    /// The path and the button for the system's dialog. True if Enter was pressed.
    fn path_ui(&mut self, ui: &mut egui::Ui, jobs: &mut Jobs) -> bool {
        ui.horizontal(|ui| {
            let label = ui.label("Path");
            let browse = ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                let browse = ui.button("Browse…").on_hover_text("The system's own dialog");
                let field = egui::TextEdit::singleline(&mut self.path).desired_width(f32::INFINITY);
                let response = ui.add(field).labelled_by(label.id);
                if self.is_new {
                    response.request_focus();
                }
                let enter = ui.input(|input| input.key_pressed(egui::Key::Enter));
                (browse.clicked(), response.lost_focus() && enter)
            });
            let (wants_browser, submitted) = browse.inner;
            if wants_browser {
                let is_open = matches!(self.question, Question::Open { .. });
                let (name, number) = (self.path.clone(), self.number);
                jobs.start(move || {
                    let dialog = rfd::FileDialog::new();
                    let path = if is_open {
                        dialog.pick_file()
                    } else {
                        dialog.set_file_name(name).save_file()
                    };
                    Outcome::Chosen { dialog: number, path }
                });
            }
            submitted
        })
        .inner
    }

    /// Why this cannot be answered yet.
    fn problem(&self) -> Option<String> {
        if self.path.trim().is_empty() {
            return Some("A path is needed.".to_owned());
        }
        match &self.question {
            Question::Open { columns } => parse_columns(columns).err(),
            Question::Export { printing, preview, .. } => {
                let drawn = preview.problem().filter(|_| printing.what.is_drawn());
                let taken = self.replaces && printing.format == Format::Frames;
                let taken =
                    taken.then(|| "This folder is there already: choose a new name.".to_owned());
                taken.or_else(|| printing.problem()).or_else(|| drawn.map(str::to_owned))
            }
            Question::Leave | Question::SaveSession | Question::SaveExperiment => None,
        }
    }

    fn answer(&self) -> Answer {
        let path = PathBuf::from(self.path.trim());
        match &self.question {
            Question::Open { columns } => {
                Answer::Open { path, columns: parse_columns(columns).ok().flatten() }
            }
            Question::Leave => Answer::Cancelled,
            Question::SaveSession => Answer::SaveSession(path),
            Question::SaveExperiment => Answer::SaveExperiment(path),
            Question::Export { printing, .. } => {
                Answer::Export { printing: (**printing).clone(), path }
            }
        }
    }
}

/// The three ways to leave.
fn leave_ui(ui: &mut egui::Ui) -> Option<Answer> {
    ui.label("What you have drawn or set by hand would be gone with the window.");
    ui.add_space(8.0);
    let buttons = ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
        let save = ui.button("Save first…").clicked().then_some(Answer::SaveFirst);
        let quit = ui.button("Quit without saving").clicked().then_some(Answer::Quit);
        let stay = ui.button("Cancel").clicked().then_some(Answer::Cancelled);
        save.or(quit).or(stay)
    });
    buttons.inner
}

/// The path with the new ending, and with the new proposed name where it still had the old one.
fn renamed(path: &str, (old, _): (What, Format), (what, format): (What, Format)) -> String {
    let path = Path::new(path);
    let is_proposed = path.file_stem().is_none_or(|stem| stem == old.stem());
    let renamed = if is_proposed { path.with_file_name(what.stem()) } else { path.to_owned() };
    renamed.with_extension(format.extension()).display().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ending_follows_the_format_and_a_chosen_name_stays() {
        let check = |path: &str, expected: &str| {
            let got = renamed(path, (What::Canvas, Format::Png), (What::Nll, Format::Svg));
            assert_eq!(got, expected);
        };
        check("out/canvas.png", "out/nll.svg");
        check("out/figure3.png", "out/figure3.svg");
        check("", "nll.svg");
    }
}
