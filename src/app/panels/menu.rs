//! The bar at the top: name, menus, theme.

use std::path::PathBuf;

use egui_material_icons::icons;

use crate::app::action::{Action, icon_button_ui, menu_item_ui, state_button_ui};
use crate::app::document::Document;
use crate::app::recent::RecentFile;
use crate::app::session::Session;
use crate::app::view::{Guard, View};
use crate::app::workings::available;
use crate::figures::Theme;
use crate::figures::colors::COLOR_MAPS;

/// Draws the bar; gives the recent file that was chosen, if one was.
pub fn menu_ui(
    ui: &mut egui::Ui,
    document: &Document,
    session: &Session,
    view: &mut View,
    recent: &[RecentFile],
    actions: &mut Vec<Action>,
) -> Option<PathBuf> {
    let mut chosen = None;
    let has_run = session.snapshot().is_some();
    egui::Panel::top("menu").frame(super::frame(ui)).show(ui, |ui| {
        ui.add_space(1.0);
        egui::MenuBar::new().ui(ui, |ui| {
            ui.add_space(4.0);
            ui.label(egui::RichText::new("ScoreScope").size(17.0).strong());
            ui.add_space(10.0);
            ui.menu_button("File", |ui| {
                menu_item_ui(ui, Action::Open, true, actions);
                chosen = recent_ui(ui, recent);
                menu_item_ui(ui, Action::SaveSession, true, actions);
                menu_item_ui(ui, Action::SaveSessionAs, true, actions);
                menu_item_ui(ui, Action::SaveExperiment, true, actions);
                menu_item_ui(ui, Action::CopyCommandLine, true, actions);
                ui.separator();
                menu_item_ui(ui, Action::Export, has_run, actions);
                menu_item_ui(ui, Action::CopyFigure, has_run, actions);
                ui.separator();
                menu_item_ui(ui, Action::Quit, true, actions);
            });
            ui.menu_button("Edit", |ui| edit_ui(ui, document, has_run, view, actions));
            ui.menu_button("View", |ui| {
                for action in [
                    Action::Fit,
                    Action::ZoomIn,
                    Action::ZoomOut,
                    Action::TogglePanels,
                    Action::ToggleTheme,
                    Action::ToggleBest,
                ] {
                    menu_item_ui(ui, action, true, actions);
                }
                ui.separator();
                menu_item_ui(ui, Action::ToggleLogDensity, true, actions);
                menu_item_ui(ui, Action::TogglePaths, true, actions);
                for action in [
                    Action::NextField,
                    Action::PreviousField,
                    Action::ToggleStreamlines,
                    Action::ShowTerms,
                ] {
                    menu_item_ui(ui, action, true, actions);
                }
                workings_ui(ui, document, view, actions);
                ui.menu_button("Color map", |ui| {
                    ui.radio_value(&mut view.color_map, None, "The theme's own");
                    for map in COLOR_MAPS {
                        ui.radio_value(&mut view.color_map, Some(map.id), map.label);
                    }
                });
                ui.horizontal(|ui| {
                    let label = ui.label("Samples shown");
                    let value =
                        egui::DragValue::new(&mut view.sample_count).range(10..=10_000).speed(10.0);
                    ui.add(value).labelled_by(label.id);
                });
            });
            ui.menu_button("Train", |ui| train_ui(ui, document, has_run, view, actions));
            ui.menu_button("Time", |ui| {
                for action in Action::PAST {
                    menu_item_ui(ui, action, has_run, actions);
                }
            });
            ui.menu_button("Help", |ui| {
                menu_item_ui(ui, Action::ToggleHelp, true, actions);
                menu_item_ui(ui, Action::Check, has_run, actions);
            });
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                icon_button_ui(ui, Action::ToggleHelp, 18.0, true, actions);
                let theme = match view.theme {
                    Theme::Light => icons::ICON_DARK_MODE,
                    Theme::Dark => icons::ICON_LIGHT_MODE,
                };
                state_button_ui(ui, Action::ToggleTheme, theme, 18.0, true, actions);
                let panels = if view.has_panels {
                    icons::ICON_FULLSCREEN
                } else {
                    icons::ICON_FULLSCREEN_EXIT
                };
                state_button_ui(ui, Action::TogglePanels, panels, 18.0, true, actions);
                icon_button_ui(ui, Action::Export, 18.0, has_run, actions);
                icon_button_ui(ui, Action::Redo, 18.0, document.can_redo(), actions);
                icon_button_ui(ui, Action::Undo, 18.0, document.can_undo(), actions);
            });
        });
        ui.add_space(1.0);
    });
    chosen
}

/// The files that were opened or saved last; those that are gone are gray.
fn recent_ui(ui: &mut egui::Ui, recent: &[RecentFile]) -> Option<PathBuf> {
    let mut chosen = None;
    ui.add_enabled_ui(!recent.is_empty(), |ui| {
        ui.menu_button("Open recent", |ui| {
            for file in recent {
                let name = file.path.file_name().unwrap_or(file.path.as_os_str());
                let button = egui::Button::new(name.to_string_lossy());
                let response = ui.add_enabled(file.is_there, button);
                let path = file.path.display();
                let hint = if file.is_there { path.to_string() } else { format!("{path} is gone") };
                if response.on_hover_text(&hint).on_disabled_hover_text(&hint).clicked() {
                    chosen = Some(file.path.clone());
                    ui.close();
                }
            }
        });
    });
    chosen
}

/// The switch of the workings; gray, with the reason, where there are none.
fn workings_ui(ui: &mut egui::Ui, document: &Document, view: &View, actions: &mut Vec<Action>) {
    let reason = available(&document.experiment, view).err();
    let entry = ui.add_enabled_ui(reason.is_none(), |ui| {
        menu_item_ui(ui, Action::ToggleWorkings, reason.is_none(), actions);
    });
    entry.response.on_disabled_hover_text(reason.unwrap_or_default());
}

/// The entries about training, and about the runs.
fn train_ui(
    ui: &mut egui::Ui,
    document: &Document,
    has_run: bool,
    view: &mut View,
    actions: &mut Vec<Action>,
) {
    for action in [
        Action::PlayPause,
        Action::Step,
        Action::Rewind,
        Action::RunToEnd,
        Action::NewStart,
        Action::RunSeeds,
        Action::RunBasin,
        Action::RunLandscape,
        Action::Walk,
        Action::TellStep,
    ] {
        menu_item_ui(ui, action, has_run, actions);
    }
    ui.separator();
    let has_branches = !document.experiment.branches.is_empty();
    for (action, is_enabled) in [
        (Action::Fork, has_run),
        (Action::Race, has_run),
        (Action::ToggleRace, has_branches),
        (Action::NextRun, has_branches),
        (Action::PreviousRun, has_branches),
        (Action::Bet, has_branches),
        (Action::RemoveRun, document.experiment.branch(view.run).is_some()),
    ] {
        menu_item_ui(ui, action, is_enabled, actions);
    }
    ui.separator();
    let mut is_on = view.guard == Guard::On;
    let label = "Guard: stop when something breaks, and say why";
    if ui.checkbox(&mut is_on, label).clicked() {
        view.guard = if is_on { Guard::On } else { Guard::Off };
    }
}

/// The entries about the drawing and the components.
fn edit_ui(
    ui: &mut egui::Ui,
    document: &Document,
    has_run: bool,
    view: &View,
    actions: &mut Vec<Action>,
) {
    menu_item_ui(ui, Action::Undo, document.can_undo(), actions);
    menu_item_ui(ui, Action::Redo, document.can_redo(), actions);
    ui.separator();
    let has_drawing = !document.experiment.strokes.is_empty();
    menu_item_ui(ui, Action::ClearDrawing, has_drawing, actions);
    ui.separator();
    for action in [Action::StartFromFit, Action::AddComponent] {
        menu_item_ui(ui, action, has_run, actions);
    }
    let has_selection = has_run && view.selected.is_some();
    for action in [
        Action::CopyComponent,
        Action::MirrorComponent,
        Action::AlignComponent,
        Action::DeleteComponent,
        Action::Predict,
    ] {
        menu_item_ui(ui, action, has_selection, actions);
    }
}
