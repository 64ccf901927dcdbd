//! View: the objective of the step shown with other draws: a histogram, its band and what it is on average.

use egui::{RichText, vec2};

use super::{heading_ui, small_plot_ui};
use crate::app::plot::color32;
use crate::app::redrawn::Redrawn;
use crate::app::view::View;
use crate::figures::{Plot, redraws};

/// Height of the plot.
const HEIGHT: f32 = 112.0;

/// Draws the view, where something is drawn. `step` is the one that the rest of the panel shows.
pub fn redraws_ui(ui: &mut egui::Ui, redrawn: &Redrawn, step: usize, view: &View) {
    if redrawn.draws_nothing() {
        return;
    }
    let weak = ui.visuals().weak_text_color();
    let note = |text: String| RichText::new(text).color(weak);
    let Some(redrawing) = redrawn.redrawing() else {
        // One height, so that nothing below it jumps when the first numbers come.
        heading_ui(ui, "Other draws", |ui| {
            ui.label(note("once the step rests".to_owned()));
        });
        ui.separator();
        return;
    };
    let estimates = redrawing.estimates();
    heading_ui(ui, "Other draws", |ui| {
        let is_of_another = estimates.step != step;
        let of = if is_of_another { format!(" of step {}", estimates.step) } else { String::new() };
        let wanted = redrawing.count();
        let of_all = if redrawing.is_growing() { format!(" of {wanted}") } else { String::new() };
        let count = format!("{}{of_all}", estimates.values.len());
        let help = "The objective of one and the same mixture, estimated again with other slices, noise, shifts and \
                    mini-batches. They are drawn once a step has been shown for a moment.";
        ui.label(note(format!("{count} redraws{of}"))).on_hover_text(help);
    });
    if let Some(problem) = redrawing.problem() {
        ui.colored_label(ui.visuals().warn_fg_color, problem);
    }
    if !estimates.values.is_empty() {
        let plot = redraws::redraws(estimates, view.theme);
        small_plot_ui(ui, &plot, HEIGHT, view.theme.palette());
        legend_ui(ui, &plot);
    }
    ui.separator();
}

/// What the shapes are, with their numbers: a line each.
fn legend_ui(ui: &mut egui::Ui, plot: &Plot) {
    ui.scope(|ui| {
        ui.spacing_mut().item_spacing.y = 1.0;
        // Nothing here is pressed.
        ui.spacing_mut().interact_size.y = 0.0;
        for layer in plot.layers.iter().filter(|layer| layer.id != "redraws") {
            ui.horizontal(|ui| {
                let (swatch, _) = ui.allocate_exact_size(vec2(14.0, 14.0), egui::Sense::hover());
                let line = swatch.shrink2(vec2(0.0, if layer.id == "band" { 3.0 } else { 5.5 }));
                ui.painter().rect_filled(line, 1.0, color32(layer.color));
                ui.label(RichText::new(&layer.label).size(13.0));
            });
        }
    });
}
