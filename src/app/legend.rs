//! Legend: the line below the canvas whose words switch the layers.

use egui::containers::menu::MenuButton;
use egui::{Color32, Stroke as Pen};
use egui_material_icons::icons;

use super::action::{Action, icon_button_ui};
use super::plot::color32;
use super::view::{Plots, View};
use crate::figures::colors::ColorMap;
use crate::figures::fields::Quantity;
use crate::figures::race::run_color;
use crate::figures::shade::hue;
use crate::figures::story::particle_color;
use crate::training::NoDensity;

/// Draws the line. With a map on the canvas its first word switches that, and not the density.
/// `absence` says why nobody knows the density of the data, where that is so.
pub fn legend_ui(
    ui: &mut egui::Ui,
    view: &mut View,
    has_map: bool,
    absence: Option<&NoDensity>,
    actions: &mut Vec<Action>,
) {
    let palette = view.theme.palette();
    let density =
        ColorMap::from_id(view.color_map.unwrap_or_default(), view.theme).color(0.7, view.theme);
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = 0.0;
        ui.spacing_mut().button_padding.x = 4.0;
        // Signed fields are blue and orange.
        let is_signed = matches!(view.quantity, Quantity::Trace | Quantity::Term);
        let density = if is_signed { hue(-1.0, view.theme) } else { density };
        let shown = &mut view.shown;
        let field = if has_map {
            ("map", palette.categorical[0], "Where training ends from every start of a mean.")
        } else {
            let help = match view.plots {
                Plots::Sample => "The density that the particles walk on, as a field of color.",
                _ => view.quantity.help(),
            };
            (view.quantity.name(), density, help)
        };
        for (is_on, label, color, help) in [
            (&mut shown.density, field.0, field.1, field.2),
            (&mut shown.train, "data", palette.train, "The points that the model learns from."),
            (
                &mut shown.validation,
                "validation",
                palette.validation,
                "The points that it never learns from.",
            ),
            (
                &mut shown.components,
                "components",
                palette.ellipse,
                "Each Gaussian at one and two standard deviations, with its weight.",
            ),
            (
                &mut shown.paths,
                "paths",
                run_color(view.run, palette),
                "The way of every mean from the start to the step shown.",
            ),
            (
                &mut shown.samples,
                "samples",
                palette.samples,
                "Points drawn from the model at this step.",
            ),
            (
                &mut shown.score,
                "score",
                palette.score,
                "Arrows along ∇ₓ log p(x): the way to denser places.",
            ),
        ] {
            if legend_entry_ui(ui, *is_on, label, color32(color)).on_hover_text(help).clicked() {
                *is_on = !*is_on;
            }
        }
        // A word less where most have no use for it.
        if view.shown.streamlines
            && legend_entry_ui(ui, true, "streamlines", color32(palette.score))
                .on_hover_text(Action::ToggleStreamlines.hint(ui.ctx()))
                .clicked()
        {
            actions.push(Action::ToggleStreamlines);
        }
        if view.plots == Plots::Sample {
            particles_ui(ui, view);
        }
        ui.separator();
        field_choice_ui(ui, view, absence);
        let log = ui.selectable_label(view.has_log_density, "log");
        if log.on_hover_text(Action::ToggleLogDensity.hint(ui.ctx())).clicked() {
            actions.push(Action::ToggleLogDensity);
        }
        icon_button_ui(ui, Action::Fit, 17.0, true, actions);
    });
}

/// A menu of what is shown in the density's place.
fn field_choice_ui(ui: &mut egui::Ui, view: &mut View, absence: Option<&NoDensity>) {
    let icon = icons::ICON_LAYERS.rich_text().size(17.0);
    let button = egui::Button::new(icon).frame_when_inactive(false);
    let (response, _) = MenuButton::from_button(button).ui(ui, |ui| {
        for quantity in Quantity::ALL {
            let absence = absence.filter(|_| quantity.needs_density());
            let entry = egui::RadioButton::new(view.quantity == quantity, quantity.label());
            let mut entry = ui.add_enabled(absence.is_none(), entry).on_hover_text(quantity.help());
            if let Some(absence) = absence {
                entry = entry.on_disabled_hover_text(absence.to_string());
            }
            if entry.clicked() {
                view.quantity = quantity;
                view.shown.density = true;
                ui.close();
            }
        }
        ui.separator();
        let lines = ui.checkbox(&mut view.shown.streamlines, "Streamlines of the score");
        lines.on_hover_text(Action::ToggleStreamlines.hint(ui.ctx()));
    });
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, "field"));
    response.on_hover_text(Action::NextField.hint(ui.ctx()));
}

/// The entries of particles and of the exact samples beside them.
fn particles_ui(ui: &mut egui::Ui, view: &mut View) {
    let palette = view.theme.palette();
    let shown = &mut view.sampling;
    for (is_on, label, color, help) in [
        (
            &mut shown.has_particles,
            "particles",
            particle_color(palette),
            "The particles that walk on the density.",
        ),
        (
            &mut shown.has_exact,
            "exact samples",
            palette.samples,
            "As many independent points of the density on which the particles walk.",
        ),
    ] {
        if legend_entry_ui(ui, *is_on, label, color32(color)).on_hover_text(help).clicked() {
            *is_on = !*is_on;
        }
    }
}

/// A word that is a switch, with a dot in the color of what it switches.
pub fn legend_entry_ui(
    ui: &mut egui::Ui,
    is_on: bool,
    label: &str,
    color: Color32,
) -> egui::Response {
    let weak = ui.visuals().weak_text_color();
    let text =
        egui::RichText::new(label).color(if is_on { ui.visuals().text_color() } else { weak });
    // Room for the dot before the word.
    let button =
        egui::Button::new(egui::RichText::new(format!("     {label}")).color(Color32::TRANSPARENT))
            .selected(is_on)
            .frame_when_inactive(false);
    let response = ui.add(button);
    response.widget_info(|| egui::WidgetInfo::selected(egui::Role::CheckBox, true, is_on, label));
    let dot = response.rect.left_center() + egui::vec2(13.0, 0.0);
    if is_on {
        ui.painter().circle_filled(dot, 5.0, color);
    } else {
        ui.painter().circle_stroke(dot, 4.5, Pen::new(1.5, weak));
    }
    let galley =
        egui::WidgetText::from(text).into_galley(ui, None, f32::INFINITY, egui::TextStyle::Button);
    let at = egui::pos2(dot.x + 11.0, response.rect.center().y - galley.size().y / 2.0);
    ui.painter().galley(at, galley, Color32::PLACEHOLDER);
    response
}
