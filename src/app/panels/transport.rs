//! The bar below the canvas: play, step, rewind, speed.

use egui_material_icons::icons;

use crate::app::action::{Action, icon_button_ui, state_button_ui};
use crate::app::session::Session;
use crate::app::view::{Position, View};

/// Draws the bar.
pub fn transport_ui(
    ui: &mut egui::Ui,
    session: &Session,
    view: &mut View,
    actions: &mut Vec<Action>,
) {
    let has_run = session.snapshot().is_some();
    egui::Panel::bottom("transport").frame(super::frame(ui)).show(ui, |ui| {
        ui.add_space(2.0);
        let row = egui::vec2(ui.available_width(), 40.0);
        let left = egui::Layout::left_to_right(egui::Align::Center);
        ui.allocate_ui_with_layout(row, left, |ui| {
            ui.set_min_height(row.y);
            ui.spacing_mut().item_spacing.x = 4.0;
            let can_rewind = has_run || session.problem().is_some();
            icon_button_ui(ui, Action::Rewind, 26.0, can_rewind, actions);
            let is_moving = session.is_playing() || view.playback.direction().is_some();
            let play = if is_moving { icons::ICON_PAUSE } else { icons::ICON_PLAY_ARROW };
            state_button_ui(ui, Action::PlayPause, play, 30.0, has_run, actions);
            icon_button_ui(ui, Action::Step, 26.0, has_run, actions);
            icon_button_ui(ui, Action::RunToEnd, 26.0, has_run, actions);
            icon_button_ui(ui, Action::NewStart, 24.0, has_run, actions);
            ui.add_space(10.0);
            ui.spacing_mut().item_spacing.x = 8.0;
            let label = ui.label("Speed");
            ui.spacing_mut().slider_width = 160.0;
            let slider = egui::Slider::new(&mut view.speed, 0.0..=View::FASTEST)
                .custom_formatter(|speed, _| match speed {
                    s if s >= View::FASTEST => "as fast as it goes".to_owned(),
                    s => format!("{:.0} steps/s", s.exp2()),
                })
                .custom_parser(|text| {
                    let rate: f64 = text.split_whitespace().next()?.parse().ok()?;
                    Some(rate.max(1.0).log2())
                });
            ui.add(slider).labelled_by(label.id).on_hover_text(
                "How many steps a second are trained, or played again; at the right end training has no limit.",
            );
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                let best = egui::Button::new("Best step").selected(view.position == Position::Best);
                let response = ui.add_enabled(has_run, best);
                if response.on_hover_text(Action::ToggleBest.hint(ui.ctx())).clicked() {
                    actions.push(Action::ToggleBest);
                }
                if let Some(shown) = session.shown() {
                    let (step, newest) = (shown.record.step, session.newest_step());
                    let text = match view.position {
                        Position::Best => format!("best: step {step} of {newest}"),
                        Position::At(_) => format!("step {step} of {newest}"),
                        Position::Newest => format!("step {step}"),
                    };
                    ui.label(egui::RichText::new(text).size(19.0).strong());
                }
            });
        });
        ui.add_space(2.0);
    });
}
