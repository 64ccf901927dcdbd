//! The last line: numbers with names and units, and the last message.

use std::time::Duration;

use egui_material_icons::icons;

use crate::app::Notice;
use crate::app::action::Action;
use crate::app::errand::Errand;
use crate::app::session::Session;
use crate::data::Scaling;
use crate::data::memory::in_words;
use crate::training::Record;

/// A wait that a person notices.
const NOTICEABLE: Duration = Duration::from_millis(300);

/// What jobs are doing.
pub enum Busy<'a> {
    /// Nothing.
    Idle,
    /// Something that takes no time worth telling.
    Working,
    /// Reading a file, or filming.
    Errand(&'a Errand),
}

/// Draws the line.
pub fn status_ui(
    ui: &mut egui::Ui,
    session: &Session,
    notice: &mut Option<Notice>,
    busy: &Busy<'_>,
    actions: &mut Vec<Action>,
) {
    egui::Panel::bottom("status").frame(super::frame(ui)).show(ui, |ui| {
        ui.horizontal(|ui| {
            // The line stays as high as it is with buttons in it, so that nothing above it moves.
            ui.set_min_height(ui.spacing().interact_size.y + 2.0);
            if let (Some(snapshot), Some(shown)) = (session.snapshot(), session.shown()) {
                let is_scaled = snapshot.prepared.dataset.scaling != Scaling::NONE;
                ui.label(numbers(&shown.record, is_scaled));
                if let Some(speed) = session.steps_per_second() {
                    ui.label(format!("·  {speed:.0} steps/s"));
                }
                let best = snapshot.best.record;
                let has_choice = session.step_count() > 0;
                let label = format!("·  best {:.4} at step {}", best.judged_by(), best.step);
                let hint = Action::ToggleBest.hint(ui.ctx());
                let button = egui::Button::new(label).frame_when_inactive(false);
                if has_choice && ui.add(button).on_hover_text(hint).clicked() {
                    actions.push(Action::ToggleBest);
                }
            }
            // Most of the time it is done before anybody could read this.
            let is_slow = session.preparing_for().is_some_and(|time| time > NOTICEABLE);
            let errand = match busy {
                Busy::Errand(errand) if errand.began.elapsed() > NOTICEABLE => Some(errand),
                _ => None,
            };
            let is_busy = !matches!(busy, Busy::Idle) && errand.is_none();
            if is_busy || is_slow {
                ui.add(egui::Spinner::new().size(14.0));
                ui.label(match is_slow {
                    true if session.is_repeating() => "Repeating the steps of the saved runs…",
                    true => "Preparing data and start…",
                    false => "Working…",
                });
            } else if session.preparing_for().is_some() {
                ui.ctx().request_repaint_after(NOTICEABLE);
            }
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                if let Some(errand) = errand {
                    return errand_ui(ui, errand, actions);
                }
                let Some(shown) = notice.clone() else { return };
                let close = egui::Button::new(icons::ICON_CLOSE.rich_text().size(14.0));
                let response =
                    ui.add(close.frame_when_inactive(false)).on_hover_text("Dismiss this message");
                response.widget_info(|| {
                    egui::WidgetInfo::labeled(egui::Role::Button, true, "Dismiss message")
                });
                if response.clicked() {
                    *notice = None;
                }
                let mut text = egui::RichText::new(&shown.text);
                if shown.is_problem {
                    text = text.color(ui.visuals().warn_fg_color);
                }
                ui.add(egui::Label::new(text).truncate().selectable(true))
                    .on_hover_text(&shown.text);
            });
        });
    });
}

/// How far a file is read, and a button to stop it; from the right to the left.
fn errand_ui(ui: &mut egui::Ui, errand: &Errand, actions: &mut Vec<Action>) {
    let cancel = ui.button("Cancel").on_hover_text(Action::CancelReading.hint(ui.ctx()));
    let label = Action::CancelReading.info().label;
    cancel.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, label));
    if cancel.clicked() {
        actions.push(Action::CancelReading);
    }
    let (done, in_all) = errand.progress();
    let share = share(done, in_all);
    let bar = egui::ProgressBar::new(share).desired_width(140.0);
    let bar = ui.add(bar.text(how_far(done, in_all)));
    let label = ui.add(egui::Label::new(format!("{} {}…", errand.doing, errand.name)).truncate());
    bar.labelled_by(label.id);
    ui.ctx().request_repaint_after(Duration::from_millis(50));
}

/// The share that is done; of a pipe, which tells no size, how much has been read.
fn how_far(done: u64, in_all: u64) -> String {
    if in_all == 0 { in_words(done) } else { format!("{:.0} %", 100.0 * share(done, in_all)) }
}

/// The share that is done; 0 where nobody knows.
fn share(done: u64, in_all: u64) -> f32 {
    if in_all == 0 { 0.0 } else { done as f32 / in_all as f32 }
}

/// The likelihoods of a step, with name and unit.
fn numbers(record: &Record, is_scaled: bool) -> String {
    let of = if is_scaled { " of the scaled data" } else { "" };
    if record.val_nll.is_finite() {
        format!(
            "NLL validation {:.4}  ·  training {:.4} nats per point{of}",
            record.val_nll, record.train_nll
        )
    } else {
        format!("NLL training {:.4} nats per point{of}", record.train_nll)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pipe_shows_how_much_has_come() {
        let check = |bytes_read, bytes_in_all, expected: &str| {
            assert_eq!(how_far(bytes_read, bytes_in_all), expected);
        };
        check(0, 0, "0.0 kB");
        check(12_400_000, 0, "12 MB");
        check(12_400_000, 24_800_000, "50 %");
    }
}
