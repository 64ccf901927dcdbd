//! View: the runs as a small tree: which leaves which and where, how good each is at the step shown, and when it came to
//! the stopwatch's likelihood.

use egui::{Align, Color32, Layout, RichText, Sense, Stroke, pos2, vec2};
use egui_material_icons::icons;

use super::heading_ui;
use crate::app::action::Action;
use crate::app::document::Document;
use crate::app::plot::color32;
use crate::app::runs;
use crate::app::session::Session;
use crate::app::track::Track;
use crate::app::view::View;
use crate::figures::race::run_color;
use crate::training::BranchId;

/// How far the name of a branch stands in from the run that it leaves.
const INDENT: f32 = 14.0;

/// Draws the view.
pub fn runs_ui(
    ui: &mut egui::Ui,
    document: &mut Document,
    session: &Session,
    view: &mut View,
    actions: &mut Vec<Action>,
) {
    let has_run = session.snapshot().is_some();
    let has_branches = !document.experiment.branches.is_empty();
    heading_ui(ui, "Runs", |ui| {
        ui.add_enabled_ui(has_run, |ui| {
            for (action, word, is_on) in [
                (Action::ToggleRace, "side by side", view.race.is_on),
                (Action::Race, "race", false),
                (Action::Fork, "fork", false),
            ] {
                if action == Action::ToggleRace && !has_branches {
                    continue;
                }
                let response = ui.selectable_label(is_on, word);
                response.widget_info(|| {
                    egui::WidgetInfo::selected(
                        egui::Role::Button,
                        has_run,
                        is_on,
                        action.info().label,
                    )
                });
                if response.on_hover_text(action.hint(ui.ctx())).clicked() {
                    actions.push(action);
                }
            }
        });
    });
    if !has_branches {
        return;
    }
    let winner = winner(session, view);
    ui.spacing_mut().item_spacing.y = 1.0;
    for (id, depth) in runs::listed(&document.experiment) {
        row_ui(ui, id, depth, winner, document, session, view);
    }
}

/// The guesses as numbers: where each mean was said to go, and how far off that is.
pub fn guesses_ui(ui: &mut egui::Ui, session: &Session, view: &mut View) {
    let mut unwanted = None;
    for (i, guess) in view.prediction.guesses.iter_mut().enumerate() {
        ui.horizontal(|ui| {
            ui.spacing_mut().item_spacing.x = 4.0;
            ui.label(format!("Guess for {}", guess.component + 1));
            for (axis, name) in ["x₁", "x₂"].into_iter().enumerate() {
                let field = egui::DragValue::new(&mut guess.place[axis]).speed(0.01);
                let response = ui.add(field.max_decimals(3).prefix(format!("{name} ")));
                response.widget_info(|| {
                    let label =
                        format!("{name} of the guess for component {}", guess.component + 1);
                    egui::WidgetInfo::labeled(egui::Role::SpinButton, true, label)
                });
            }
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                let close = egui::Button::new(icons::ICON_CLOSE.rich_text().size(13.0));
                let response = ui.add(close.frame_when_inactive(false));
                response.widget_info(|| {
                    let label = format!("Remove the guess for component {}", guess.component + 1);
                    egui::WidgetInfo::labeled(egui::Role::Button, true, label)
                });
                if response.on_hover_text("Take the flag away.").clicked() {
                    unwanted = Some(i);
                }
                if let Some(distance) = session.shown().and_then(|moment| guess.distance(moment)) {
                    ui.label(RichText::new(format!("{distance:.3} off")).strong())
                        .on_hover_text("From the flag to the mean at the step shown.");
                }
            });
        });
    }
    if let Some(i) = unwanted {
        view.prediction.guesses.remove(i);
    }
}

/// The run that came to the stopwatch's likelihood first, by the clock of the plot.
fn winner(session: &Session, view: &View) -> Option<BranchId> {
    let times = session.tracks().iter().filter_map(|track| {
        let reached = track.reached(view.race)?;
        Some((track.id(), view.time_axis.of(&reached)))
    });
    times.min_by(|a, b| a.1.total_cmp(&b.1)).map(|(id, _)| id)
}

fn row_ui(
    ui: &mut egui::Ui,
    id: BranchId,
    depth: usize,
    winner: Option<BranchId>,
    document: &mut Document,
    session: &Session,
    view: &mut View,
) {
    let palette = view.theme.palette();
    let color = color32(run_color(id, palette));
    let is_chosen = view.run == id;
    let name = runs::name(&document.experiment, id);
    let row = vec2(ui.available_width(), 24.0);
    ui.allocate_ui_with_layout(row, Layout::left_to_right(Align::Center), |ui| {
        ui.set_min_height(row.y);
        ui.spacing_mut().item_spacing.x = 5.0;
        ui.add_space(INDENT * depth as f32);
        let (rect, _) = ui.allocate_exact_size(vec2(20.0, 14.0), Sense::hover());
        if depth > 0 {
            // The corner that joins it to the run above.
            let weak = Stroke::new(1.0, color32(palette.weak_text).gamma_multiply(0.7));
            let corner = pos2(rect.left() - 6.0, rect.center().y);
            ui.painter().line_segment([pos2(corner.x, corner.y - 15.0), corner], weak);
            ui.painter().line_segment([corner, pos2(rect.left(), corner.y)], weak);
        }
        let line = [rect.left_center(), rect.right_center()];
        ui.painter().line_segment(line, Stroke::new(3.0, color));
        let mut words = name.clone();
        if let Some(branch) = document.experiment.branch(id).filter(|branch| branch.step > 0) {
            words = format!("{words} from {}", branch.step);
        }
        let label = ui.selectable_label(is_chosen, RichText::new(words).strong());
        label.widget_info(|| {
            let label = format!("Run {id}: {name}");
            egui::WidgetInfo::selected(egui::Role::RadioButton, true, is_chosen, label)
        });
        if label.on_hover_text(help(document, id, &name)).clicked() {
            view.run = id;
        }
        if view.prediction.bet == Some(id) {
            bet_ui(ui, session, view);
        }
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            if id == BranchId::TRUNK {
                ui.add_space(22.0);
            } else {
                remove_ui(ui, id, &name, document);
            }
            if session.has_started() {
                numbers_ui(ui, session.track(id), winner == Some(id), view);
            }
        });
    });
}

/// How the run that was bet on fares.
fn bet_ui(ui: &mut egui::Ui, session: &Session, view: &View) {
    let words = match view.prediction.rank(session, view) {
        None => "bet".to_owned(),
        Some((1, _)) => "bet: 1st".to_owned(),
        Some((place, behind)) => {
            let ordinal = match place {
                2 => "2nd".to_owned(),
                3 => "3rd".to_owned(),
                _ => format!("{place}th"),
            };
            format!("bet: {ordinal} +{behind:.3}")
        }
    };
    let color = color32(view.theme.palette().categorical[4]);
    ui.label(RichText::new(words).small().color(color)).on_hover_text(
        "You said that this run will have the lowest NLL: its place among all at the step shown, and how many nats it is behind \
         the first.",
    );
}

fn help(document: &Document, id: BranchId, name: &str) -> String {
    let info = document.experiment.algorithm_of(id);
    match document.experiment.branch(id) {
        None => format!("Run {id}: {}. Click to look at it and change it.", info.label),
        Some(branch) => {
            let parent = runs::name(&document.experiment, branch.parent);
            let hand = if branch.given.is_empty() { "" } else { ", changed by hand there" };
            format!(
                "Run {id}: {name} leaves {parent} at step {}{hand}: {}. Click to look at it and change it.",
                branch.step, info.label
            )
        }
    }
}

fn remove_ui(ui: &mut egui::Ui, id: BranchId, name: &str, document: &mut Document) {
    let close = egui::Button::new(icons::ICON_CLOSE.rich_text().size(13.0));
    let response = ui.add(close.frame_when_inactive(false));
    response.widget_info(|| {
        egui::WidgetInfo::labeled(egui::Role::Button, true, format!("Remove run {id}: {name}"))
    });
    let hint = "Remove this run and those that leave it; undo brings them back.";
    if response.on_hover_text(hint).clicked() {
        document.mark();
        document.experiment.prune(id);
    }
}

/// The likelihood at the step shown, and when the stopwatch stopped.
fn numbers_ui(ui: &mut egui::Ui, track: Option<&Track>, is_winner: bool, view: &View) {
    let palette = view.theme.palette();
    let weak = color32(palette.weak_text);
    let Some(track) = track else { return };
    if let Some(problem) = track.problem() {
        let text = RichText::new("cannot begin").color(ui.visuals().warn_fg_color);
        ui.label(text).on_hover_text(problem);
        return;
    }
    if !track.has_begun() {
        ui.label(RichText::new("waits").color(weak))
            .on_hover_text("It leaves as soon as the run before it has come to its step.");
        return;
    }
    let Some(shown) = track.shown() else { return };
    let value = view.race.likelihood.of(&shown.record);
    ui.label(RichText::new(format!("{value:.4}")).monospace()).on_hover_text(format!(
        "{} NLL at step {}, in nats per point",
        view.race.likelihood.label(),
        shown.record.step
    ));
    if view.race.target.is_some() {
        let (words, color) = match track.reached(view.race) {
            Some(record) if is_winner => (view.time_axis.words(&record), color32(palette.text)),
            Some(record) => (view.time_axis.words(&record), weak),
            None => ("–".to_owned(), weak),
        };
        let (flag, _) = ui.allocate_exact_size(vec2(14.0, 14.0), Sense::hover());
        let text = RichText::new(words).color(color);
        ui.label(if is_winner { text.strong() } else { text })
            .on_hover_text("When it came to the stopwatch's likelihood.");
        if is_winner {
            flag_ui(ui, flag.center(), color32(palette.text));
        }
    }
}

/// A small flag for the first one.
fn flag_ui(ui: &egui::Ui, at: egui::Pos2, color: Color32) {
    let pole = [at + vec2(-4.0, -6.0), at + vec2(-4.0, 6.0)];
    ui.painter().line_segment(pole, Stroke::new(1.5, color));
    let cloth = vec![at + vec2(-4.0, -6.0), at + vec2(6.0, -3.0), at + vec2(-4.0, 0.5)];
    ui.painter().add(egui::Shape::convex_polygon(cloth, color, Stroke::NONE));
}
