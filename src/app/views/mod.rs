//! One file per live plot.

mod basin;
mod landscape;
mod maps;
mod nll;
mod objective;
mod race;
mod redraws;
mod runs;
mod sample;
mod seeds;
mod terms;
mod truth;
mod weights;

pub use basin::outcome_words;
pub use maps::maps_ui;
pub use nll::nll_ui;
pub use objective::objective_ui;
pub use race::{look as race_look, race_ui, racers};
pub use runs::{guesses_ui, runs_ui};
pub use sample::{sample_ui, story_card_ui};
pub use seeds::seeds_ui;
pub use terms::terms_ui;
pub use truth::{look as truth_look, truth_ui};
pub use weights::weights_ui;

use egui::{Align2, FontId, Stroke, pos2, vec2};
use egui_plot::{PlotPoint, PlotTransform};

use super::plot::{self, Textures, color32};
use super::session::Session;
use super::view::View;
use crate::figures::learning::Landmarks;
use crate::figures::{Palette, Plot, Spacing};
use crate::training::Record;

/// The best step so far, where there is another to be better than, and the step that is looked at.
fn landmarks(session: &Session, view: &View) -> Landmarks {
    let snapshot = session.snapshot().filter(|_| session.step_count() > 0);
    let best = snapshot.map(|snapshot| snapshot.best.record);
    view.landmarks(best, session.shown().map(|shown| shown.record))
}

/// Goes to the step at the pointer while the button is down on a plot over time.
fn scrub(
    view: &mut View,
    session: &Session,
    response: &egui::Response,
    pointed_at: Option<Record>,
) {
    let is_pressed = response.clicked() || response.dragged();
    if let Some(record) = pointed_at.filter(|_| is_pressed) {
        view.go_to(record.step, session.newest_step());
    }
}

/// A small plot that always shows all of its data. Gives where it was drawn and the plot's response.
fn small_plot_ui(
    ui: &mut egui::Ui,
    shown: &Plot,
    height: f32,
    palette: &Palette,
) -> (PlotTransform, egui::Response) {
    let bounds = plot::plot_bounds(shown);
    let drawn = plot::frame(shown, palette, 12.5, 0.0)
        .height(height)
        .show_background(false)
        .allow_drag(false)
        .allow_zoom(false)
        .allow_scroll(false)
        .allow_axis_zoom_drag(false)
        .show(ui, |plot_ui| plot_ui.set_plot_bounds(bounds));
    let painter = ui.painter().with_clip_rect(*drawn.transform.frame());
    // None of these plots holds a raster, so there are no textures to keep.
    let mut textures = Textures::default();
    let axes = [&shown.x, &shown.y];
    plot::paint_layers(&painter, &drawn.transform, axes, &shown.layers, palette, &mut textures);
    drawn.response.widget_info(|| {
        egui::WidgetInfo::labeled(egui::Role::Figure, true, format!("Plot: {}", shown.title))
    });
    (drawn.transform, drawn.response)
}

/// Reads the values below the pointer: the record nearest to it, in words, with a line through it. Gives that record.
fn hover_ui(
    ui: &egui::Ui,
    shown: &Plot,
    (transform, response): &(PlotTransform, egui::Response),
    history: &[Record],
    place: impl Fn(&Record) -> f64,
    words: impl Fn(&Record) -> String,
    palette: &Palette,
) -> Option<Record> {
    let pointer = response.hover_pos()?;
    let wanted = shown.x.value(transform.value_from_position(pointer).x);
    // Both steps and seconds only grow.
    let after = history.partition_point(|record| place(record) < wanted);
    let distance = |record: &&Record| (place(record) - wanted).abs();
    let around = &history[after.saturating_sub(1)..(after + 1).min(history.len())];
    let record = around.iter().min_by(|a, b| distance(a).total_cmp(&distance(b)))?;
    let x = transform.position_from_point(&PlotPoint::new(shown.x.position(place(record)), 0.0)).x;
    let area = *transform.frame();
    let painter = ui.painter().with_clip_rect(area);
    painter.vline(x, area.y_range(), Stroke::new(1.0, color32(palette.weak_text)));
    card_ui(&painter, pos2(x, area.top()), words(record), palette);
    Some(*record)
}

/// Words on a card beside and below a place, on the side with more room.
pub(super) fn card_ui(
    painter: &egui::Painter,
    place: egui::Pos2,
    words: String,
    palette: &Palette,
) {
    let galley = painter.layout_no_wrap(words, FontId::proportional(13.0), color32(palette.text));
    let area = painter.clip_rect();
    let is_right = place.x > area.center().x;
    let anchor = if is_right { Align2::RIGHT_TOP } else { Align2::LEFT_TOP };
    let shift = vec2(if is_right { -12.0 } else { 12.0 }, 12.0);
    let mut rect = anchor.anchor_size(place + shift, galley.size());
    // Above the place where there is no room below.
    if rect.bottom() > area.bottom() - 8.0 {
        rect = rect.translate(vec2(0.0, -galley.size().y - 2.0 * shift.y));
    }
    let card = rect.expand(6.0);
    painter.rect(
        card,
        5.0,
        color32(palette.background),
        Stroke::new(1.0, color32(palette.grid)),
        egui::StrokeKind::Inside,
    );
    painter.galley(rect.min, galley, color32(palette.text));
}

/// The heading of a plot, and switches to its right.
fn heading_ui(ui: &mut egui::Ui, title: &str, switches: impl FnOnce(&mut egui::Ui)) {
    ui.horizontal(|ui| {
        ui.add(egui::Label::new(egui::RichText::new(title).heading()).truncate());
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            ui.spacing_mut().item_spacing.x = 4.0;
            switches(ui);
        });
    });
}

/// A switch between linear and logarithmic.
fn log_switch_ui(ui: &mut egui::Ui, label: &str, help: &str, spacing: &mut Spacing) {
    let is_log = *spacing == Spacing::Logarithmic;
    if ui.selectable_label(is_log, label).on_hover_text(help).clicked() {
        *spacing = if is_log { Spacing::Linear } else { Spacing::Logarithmic };
    }
}
