//! View: the components' weights.

use super::{heading_ui, small_plot_ui};
use crate::app::session::Session;
use crate::app::view::View;
use crate::figures::bars;

/// Draws the view.
pub fn weights_ui(ui: &mut egui::Ui, height: f32, session: &Session, view: &View) {
    heading_ui(ui, "Weights", |ui| {
        if session.shown().is_none() {
            return;
        }
        ui.label(
            egui::RichText::new("dashed: equal weights").color(ui.visuals().weak_text_color()),
        );
    });
    let Some(shown) = session.shown() else { return };
    let palette = view.theme.palette();
    small_plot_ui(ui, &bars::weights(&shown.mixture, palette), height, palette);
}
