//! View: the objective that is being minimized.

use super::{heading_ui, hover_ui, landmarks, scrub, small_plot_ui};
use crate::app::document::Document;
use crate::app::session::Session;
use crate::app::view::View;
use crate::figures::learning;

/// Draws the view.
pub fn objective_ui(
    ui: &mut egui::Ui,
    height: f32,
    document: &Document,
    session: &Session,
    view: &mut View,
) {
    let palette = view.theme.palette();
    let running = session.snapshot().map(|snapshot| snapshot.experiment.algorithm_info());
    let info = running.unwrap_or_else(|| document.experiment.algorithm_of(view.run));
    let formula = info.formula_with(document.experiment.knobs_of(view.run));
    heading_ui(ui, &format!("Objective of {}", info.short), |ui| {
        // Whole or not at all; it stands beside the algorithm's knobs, too.
        let text = egui::RichText::new(formula).color(ui.visuals().weak_text_color());
        let wrap = Some(egui::TextWrapMode::Extend);
        let style = egui::TextStyle::Body;
        let text = egui::WidgetText::from(text).into_galley(ui, wrap, f32::INFINITY, style);
        if text.size().x <= ui.available_width() {
            ui.label(text);
        }
    });
    let time = view.time_axis;
    let history = session.history().curve();
    let landmarks = landmarks(session, view);
    let plot = learning::objective(&history, &landmarks, formula, time, view.time_spacing, palette);
    let drawn = small_plot_ui(ui, &plot, height, palette);
    let pointed_at = hover_ui(
        ui,
        &plot,
        &drawn,
        &history,
        |record| time.of(record),
        |record| format!("step {}\nobjective {:.6}", record.step, record.objective),
        palette,
    );
    scrub(view, session, &drawn.1, pointed_at);
}
