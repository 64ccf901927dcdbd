//! Dialog: asks for a path. It can always be typed; the system's own dialog is one click away, and the window does not
//! wait for it.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use super::exports::{Format, What};
use super::jobs::{Jobs, Outcome};
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
    /// How many samples an export of them has.
    sample_count: usize,
}

/// An export of samples has at most so many.
const MOST_SAMPLES: usize = 1_000_000;

enum Question {
    Leave,
    Open { columns: String },
    SaveSession,
    SaveExperiment,
    Export { what: What, format: Format, options: Vec<What> },
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
        /// What.
        what: What,
        /// How.
        format: Format,
        /// How many samples, where they are what is exported.
        sample_count: usize,
        /// Where.
        path: PathBuf,
    },
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
            sample_count: 0,
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

    /// Which of these is to be exported, and where?
    #[must_use]
    pub fn export(options: Vec<What>, sample_count: usize) -> Dialog {
        let question = Question::Export { what: What::Canvas, format: Format::Png, options };
        Dialog { sample_count, ..Dialog::new(question, "canvas.png".to_owned()) }
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
            ui.set_width(460.0);
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
            });
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
            Question::Export { what, format, options } => {
                let before = (*what, *format);
                ui.horizontal(|ui| {
                    let label = ui.label("What");
                    egui::ComboBox::from_id_salt("what")
                        .selected_text(what.label())
                        .height(600.0)
                        .show_ui(ui, |ui| {
                            for &option in &*options {
                                ui.selectable_value(what, option, option.label());
                            }
                        })
                        .response
                        .labelled_by(label.id);
                    if !what.formats().contains(format) {
                        *format = what.formats()[0];
                    }
                    for &option in what.formats() {
                        ui.selectable_value(format, option, option.extension().to_uppercase());
                    }
                });
                if *what == What::Samples {
                    ui.horizontal(|ui| {
                        let label = ui.label("How many");
                        let field = egui::DragValue::new(&mut self.sample_count);
                        ui.add(field.range(1..=MOST_SAMPLES).speed(50.0)).labelled_by(label.id);
                    });
                }
                if before != (*what, *format) {
                    self.path = renamed(&self.path, before, (*what, *format));
                }
            }
        }
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
            Question::Leave
            | Question::SaveSession
            | Question::SaveExperiment
            | Question::Export { .. } => None,
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
            Question::Export { what, format, .. } => {
                let sample_count = self.sample_count;
                Answer::Export { what: *what, format: *format, sample_count, path }
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
