//! The panel on the right: likelihood, objective, weights.

use crate::app::document::Document;
use crate::app::session::Session;
use crate::app::view::View;
use crate::app::views;

/// Draws the panel.
pub fn plots_ui(ui: &mut egui::Ui, document: &Document, session: &Session, view: &mut View) {
    let width = (ui.available_width() * 0.27).clamp(330.0, 560.0);
    let frame =
        super::frame(ui).inner_margin(egui::Margin { right: 14, ..egui::Margin::symmetric(8, 2) });
    egui::Panel::right("plots").frame(frame).exact_size(width).resizable(false).show(ui, |ui| {
        ui.add_space(4.0);
        // Likelihood is what the room looks at.
        let room = ui.available_height() - 164.0;
        views::nll_ui(ui, 0.42 * room, session, view);
        ui.separator();
        views::objective_ui(ui, 0.33 * room, document, session, view);
        ui.separator();
        views::weights_ui(ui, 0.25 * room, session, view);
    });
}
