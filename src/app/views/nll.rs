//! View: likelihood of training and validation data over the training.

use super::{heading_ui, hover_ui, landmarks, log_switch_ui, scrub, small_plot_ui};
use crate::app::plot::color32;
use crate::app::session::Session;
use crate::app::view::View;
use crate::figures::Palette;
use crate::figures::learning::{self, TimeAxis};

/// Draws the view.
pub fn nll_ui(ui: &mut egui::Ui, height: f32, session: &Session, view: &mut View) {
    let palette = view.theme.palette();
    heading_ui(ui, "NLL", |ui| clocks_ui(ui, view));
    let history = &session.history().curve();
    let landmarks = landmarks(session, view);
    let (time, spacings) = (view.time_axis, [view.time_spacing, view.nll_spacing]);
    let plot = learning::nll(history, &landmarks, time, spacings, palette);
    let drawn = small_plot_ui(ui, &plot, height, palette);
    let pointed_at = hover_ui(
        ui,
        &plot,
        &drawn,
        history,
        |record| time.of(record),
        |record| {
            format!(
                "step {} · {:.4} s\ntraining {:.4}\nvalidation {:.4}\nnats per point",
                record.step, record.seconds, record.train_nll, record.val_nll
            )
        },
        palette,
    );
    scrub(view, session, &drawn.1, pointed_at);
    legend_ui(ui, palette);
}

/// What the horizontal axis counts, and how both axes are spaced; from the right to the left.
pub(super) fn clocks_ui(ui: &mut egui::Ui, view: &mut View) {
    log_switch_ui(
        ui,
        "log y",
        "Logarithmic NLL axis; values at or below zero are left out.",
        &mut view.nll_spacing,
    );
    time_axis_ui(ui, view);
}

/// What the horizontal axis counts, and how it is spaced; from the right to the left.
pub(super) fn time_axis_ui(ui: &mut egui::Ui, view: &mut View) {
    log_switch_ui(
        ui,
        "log x",
        "Logarithmic time axis; the start, at zero, is left out.",
        &mut view.time_spacing,
    );
    for (time, word) in [
        (TimeAxis::Milliseconds, "ms"),
        (TimeAxis::Evaluations, "evals"),
        (TimeAxis::Steps, "steps"),
    ] {
        ui.selectable_value(&mut view.time_axis, time, word).on_hover_text(clock_help(time));
    }
}

/// What a clock counts.
fn clock_help(time: TimeAxis) -> &'static str {
    match time {
        TimeAxis::Steps => "Over the number of steps.",
        TimeAxis::Evaluations => {
            "Over gradient evaluations, in passes over the training points: a step of EM is one, a mini-batch its \
             share of one."
        }
        TimeAxis::Milliseconds => {
            "Over the time that the algorithm itself computed; each run counts its own steps only."
        }
    }
}

/// Which line is which; both always mean the same, so they stand below the plot and cover nothing.
fn legend_ui(ui: &mut egui::Ui, palette: &Palette) {
    ui.horizontal(|ui| {
        ui.add_space(48.0);
        for (label, color, is_dashed) in [
            ("training", palette.categorical[0], false),
            ("validation", palette.categorical[1], true),
        ] {
            let (rect, _) = ui.allocate_exact_size(egui::vec2(26.0, 14.0), egui::Sense::hover());
            let stroke = egui::Stroke::new(2.5, color32(color));
            let line = [rect.left_center(), rect.right_center()];
            if is_dashed {
                ui.painter().extend(egui::Shape::dashed_line(&line, stroke, 7.5, 5.0));
            } else {
                ui.painter().line_segment(line, stroke);
            }
            ui.label(egui::RichText::new(label).small());
            ui.add_space(6.0);
        }
    });
}
