//! View: the components' weights.

use super::{heading_ui, small_plot_ui};
use crate::app::session::Session;
use crate::app::view::View;
use crate::figures::bars;

/// Draws the view.
pub fn weights_ui(ui: &mut egui::Ui, height: f32, session: &Session, view: &View) {
    heading_ui(ui, "Weights", |ui| {
        if session.snapshot().is_none() {
            return;
        }
        ui.label(
            egui::RichText::new("dashed: equal weights").color(ui.visuals().weak_text_color()),
        );
    });
    let Some(snapshot) = session.snapshot() else { return };
    let palette = view.theme.palette();
    let (mixture, _) = view.chosen(snapshot);
    small_plot_ui(ui, &bars::weights(&mixture, palette), height, palette);
}
