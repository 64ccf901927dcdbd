//! View: how far the runs are from the known density of the data, and the line that stays flat.

use egui::{RichText, Stroke};
use egui_plot::{PlotPoint, PlotTransform};

use super::{card_ui, heading_ui, log_switch_ui, small_plot_ui};
use crate::app::document::Document;
use crate::app::plot::color32;
use crate::app::runs;
use crate::app::session::Session;
use crate::app::truth::Truths;
use crate::app::view::View;
use crate::figures::race::run_color;
use crate::figures::truth::{Judged, Look, Measure, distance, words};
use crate::figures::{Palette, Plot};
use crate::model::{Estimate, Truth};
use crate::training::{Record, Verdict};

/// Draws the view.
pub fn truth_ui(
    ui: &mut egui::Ui,
    document: &Document,
    session: &Session,
    truths: &Truths,
    view: &mut View,
) {
    if let Some(problem) = truths.problem() {
        ui.colored_label(ui.visuals().warn_fg_color, problem);
    }
    if let Some(absence) = truths.absence() {
        heading_ui(ui, "No truth to compare with", |_| ());
        // A sentence begins with a capital.
        let text = absence.to_string();
        let first = text.chars().next().map_or(0, char::len_utf8);
        ui.label(format!("{}{}.", text[..first].to_uppercase(), &text[first..]));
        return;
    }
    let Some(truth) = truths.truth() else {
        if truths.is_growing() {
            ui.horizontal(|ui| {
                ui.spinner();
                ui.label("Preparing the known density for comparisons…");
            });
        }
        return;
    };
    let palette = view.theme.palette();
    numbers_ui(ui, document, session, truths, palette);
    let look = look(session, view, truth);
    let judged = truths.judged(document, palette);
    let words = explanation(truth);
    // What remains is headings, axes and the sentence below.
    let height = ((ui.available_height() - 205.0) / 3.0).max(80.0);
    for measure in Measure::ALL {
        heading_ui(ui, heading(measure), |ui| switches_ui(ui, measure, view));
        let plot = distance(&judged, measure, &look, palette);
        let drawn = small_plot_ui(ui, &plot, height, palette);
        let pointed_at = hover_ui(ui, &plot, &drawn, measure, &judged, &look, palette);
        let is_pressed = drawn.1.clicked() || drawn.1.dragged();
        if let Some(record) = pointed_at.filter(|_| is_pressed) {
            view.go_to(record.step, session.newest_step());
        }
    }
    ui.label(RichText::new(words).color(ui.visuals().weak_text_color()));
}

/// How the curves are looked at.
pub fn look(session: &Session, view: &View, truth: &Truth) -> Look {
    Look {
        time: view.time_axis,
        spacings: [view.time_spacing, view.truth_spacing],
        shown: view.landmarks(None, session.shown().map(|shown| shown.record)),
        information: truth.information,
    }
}

/// What the flat line says, or why it is not flat.
fn explanation(truth: &Truth) -> String {
    let [value, error] = words(truth.information);
    if truth.information.value == 0.0 {
        return "Not flat, because this density has sharp edges: inside them the true score is zero, and the implicit \
                objective leaves out what flows through them (Hyvärinen 2005). Noise blurs the edges, and the line \
                is flat again."
            .to_owned();
    }
    format!(
        "Flat at ½ E‖∇ log p‖² = {value} {error}, dashed: explicit = implicit + constant for every mixture (Hyvärinen \
         2005), so whoever lowers the implicit objective, without knowing p, lowers the Fisher divergence."
    )
}

/// Beside the switches there is little room.
fn heading(measure: Measure) -> &'static str {
    if measure == Measure::Kl { "KL" } else { measure.title() }
}

fn switches_ui(ui: &mut egui::Ui, measure: Measure, view: &mut View) {
    match measure {
        Measure::Kl => {
            let help =
                "Logarithmic axis of both divergences; values at or below zero are left out.";
            log_switch_ui(ui, "log y", help, &mut view.truth_spacing);
            super::nll::time_axis_ui(ui, view);
        }
        Measure::Fisher | Measure::Constant => {}
    }
}

/// The numbers of all runs at the step that is shown, or at the nearest one that was judged.
fn numbers_ui(
    ui: &mut egui::Ui,
    document: &Document,
    session: &Session,
    truths: &Truths,
    palette: &Palette,
) {
    let weak = ui.visuals().weak_text_color();
    egui::Grid::new("distances").num_columns(4).spacing([18.0, 3.0]).show(ui, |ui| {
        ui.label(RichText::new("run").small().color(weak));
        for measure in Measure::ALL {
            let name = ["KL (nats)", "Fisher", "expl. − impl."][measure as usize];
            ui.label(RichText::new(name).small().color(weak)).on_hover_text(measure.help());
        }
        ui.end_row();
        for (id, _) in runs::listed(&document.experiment) {
            let step = session.track(id).and_then(|track| track.shown()).map(|m| m.record.step);
            let verdict = truths.verdicts(id).zip(step).and_then(|(all, step)| all.nearest(step));
            let Some(verdict) = verdict else { continue };
            let name = RichText::new(runs::name(&document.experiment, id)).strong();
            let step = RichText::new(format!("step {}", verdict.record.step)).small().color(weak);
            two_lines_ui(ui, [name.color(color32(run_color(id, palette))), step]);
            for measure in Measure::ALL {
                estimate_ui(ui, measure.of(&verdict.divergence), weak);
            }
            ui.end_row();
        }
    });
}

/// A number, and how far it may be off.
fn estimate_ui(ui: &mut egui::Ui, estimate: Estimate, weak: egui::Color32) {
    let [value, error] = words(estimate);
    two_lines_ui(ui, [RichText::new(value).strong(), RichText::new(error).small().color(weak)]);
}

fn two_lines_ui(ui: &mut egui::Ui, lines: [RichText; 2]) {
    ui.vertical(|ui| {
        ui.spacing_mut().item_spacing.y = 0.0;
        for line in lines {
            ui.label(line);
        }
    });
}

/// Reads the curves below the pointer: all runs at the step nearest to it. Gives the step of the nearest curve.
fn hover_ui(
    ui: &egui::Ui,
    plot: &Plot,
    (transform, response): &(PlotTransform, egui::Response),
    measure: Measure,
    judged: &[Judged],
    look: &Look,
    palette: &Palette,
) -> Option<Record> {
    let pointer = response.hover_pos()?;
    let wanted = plot.x.value(transform.value_from_position(pointer).x);
    let distance = |v: &&Verdict| (look.time.of(&v.record) - wanted).abs();
    let nearest = |run: &'_ Judged| {
        run.verdicts.iter().min_by(|a, b| distance(a).total_cmp(&distance(b))).copied()
    };
    let read: Vec<(&Judged, Verdict)> =
        judged.iter().filter_map(|run| Some((run, nearest(run)?))).collect();
    let place = |verdict: &Verdict| {
        let value = measure.of(&verdict.divergence).value;
        let x = plot.x.position(look.time.of(&verdict.record));
        transform.position_from_point(&PlotPoint::new(x, plot.y.position(value)))
    };
    let off = |read: &(&Judged, Verdict)| {
        let off = place(&read.1).distance(pointer);
        if off.is_nan() { f32::INFINITY } else { off }
    };
    let (run, meant) = read.iter().min_by(|a, b| off(a).total_cmp(&off(b)))?;
    let at = place(meant);
    let painter = ui.painter().with_clip_rect(*transform.frame());
    let line = Stroke::new(1.0, color32(palette.weak_text));
    painter.vline(at.x, transform.frame().y_range(), line);
    painter.circle(at, 4.0, color32(run.color), Stroke::new(1.5, color32(palette.plot_background)));
    let rows = read.iter().map(|(run, verdict)| {
        let [value, error] = words(measure.of(&verdict.divergence));
        format!("{}  {value} {error}", run.label)
    });
    let rows: Vec<String> = rows.collect();
    let words = format!("{}\n{}", look.time.words(&meant.record), rows.join("\n"));
    let at = egui::pos2(at.x, pointer.y);
    card_ui(&painter, at, words, palette);
    Some(meant.record)
}
