//! View: the likelihood of all runs in one plot, and the stopwatch that is dragged over it.

use egui::{CursorIcon, RichText, Stroke};
use egui_plot::{PlotPoint, PlotTransform};

use super::{card_ui, heading_ui, small_plot_ui};
use crate::app::document::Document;
use crate::app::plot::color32;
use crate::app::runs;
use crate::app::session::Session;
use crate::app::track::Track;
use crate::app::view::{RaceView, View};
use crate::figures::race::{Look, Racer, race, run_color};
use crate::figures::{Palette, Plot};
use crate::training::Record;
use crate::training::spread::Likelihood;

/// How near a pointer has to come to a line, in points.
const REACH: f32 = 8.0;

/// Draws the view.
pub fn race_ui(
    ui: &mut egui::Ui,
    height: f32,
    document: &Document,
    session: &Session,
    view: &mut View,
) {
    let palette = view.theme.palette();
    heading_ui(ui, "NLL", |ui| super::nll::clocks_ui(ui, view));
    if !has_validation(session) {
        view.race.likelihood = Likelihood::Training;
    }
    let racers = racers(document, session, view.race, palette);
    let plot = race(&racers, &look(session, view), palette);
    let drawn = small_plot_ui(ui, &plot, height, palette);
    let is_on_line = stopwatch_ui(ui, &plot, &drawn, view);
    if !is_on_line {
        let pointed_at = hover_ui(ui, &plot, &drawn, &racers, view);
        let is_pressed = drawn.1.clicked() || drawn.1.dragged();
        if let Some(record) = pointed_at.filter(|_| is_pressed) {
            view.go_to(record.step, session.newest_step());
        }
    }
    switches_ui(ui, &plot, session, view);
}

fn has_validation(session: &Session) -> bool {
    session.dataset().is_none_or(|dataset| !dataset.validation.is_empty())
}

/// How the race is looked at.
pub fn look(session: &Session, view: &View) -> Look {
    Look {
        likelihood: view.race.likelihood,
        time: view.time_axis,
        spacings: [view.time_spacing, view.nll_spacing],
        target: view.race.target,
        shown: view.landmarks(None, session.shown().map(|shown| shown.record)),
    }
}

/// All runs that have begun.
pub fn racers(
    document: &Document,
    session: &Session,
    view: RaceView,
    palette: &Palette,
) -> Vec<Racer> {
    let tracks = session.tracks().iter().filter(|track| track.has_begun());
    let racer = |track: &Track| Racer {
        label: runs::name(&document.experiment, track.id()),
        color: run_color(track.id(), palette),
        curve: track.history().curve(),
        reached: track.reached(view),
    };
    tracks.map(racer).collect()
}

/// Moves the stopwatch's line with the pointer; true if the pointer is on it.
fn stopwatch_ui(
    ui: &egui::Ui,
    plot: &Plot,
    (transform, response): &(PlotTransform, egui::Response),
    view: &mut View,
) -> bool {
    let Some(target) = view.race.target else { return false };
    let height =
        |value: f64| transform.position_from_point(&PlotPoint::new(0.0, plot.y.position(value))).y;
    let id = response.id.with("stopwatch");
    let is_near = |at: egui::Pos2| (at.y - height(target)).abs() <= REACH;
    let pressed_at = ui.input(|input| input.pointer.press_origin());
    let is_begun = response.drag_started() && pressed_at.is_some_and(is_near);
    let is_held =
        is_begun || (response.dragged() && ui.data(|data| data.get_temp(id) == Some(true)));
    ui.data_mut(|data| data.insert_temp(id, is_held));
    let is_hovered = response.hover_pos().is_some_and(is_near);
    if let Some(at) = response.interact_pointer_pos().filter(|_| is_held) {
        let value = plot.y.value(transform.value_from_position(at).y);
        if value.is_finite() {
            view.race.target = Some(value);
        }
    }
    if is_held || is_hovered {
        ui.ctx().set_cursor_icon(CursorIcon::ResizeVertical);
        let at = response.hover_pos().unwrap_or(response.rect.center());
        let words =
            format!("stopwatch: NLL {:.4}\ndrag it up or down", view.race.target.unwrap_or(target));
        card_ui(&ui.painter().with_clip_rect(*transform.frame()), at, words, view.theme.palette());
    }
    is_held || is_hovered
}

/// Reads the curve below the pointer; gives the step there.
fn hover_ui(
    ui: &egui::Ui,
    plot: &Plot,
    (transform, response): &(PlotTransform, egui::Response),
    racers: &[Racer],
    view: &View,
) -> Option<Record> {
    let pointer = response.hover_pos()?;
    let palette = view.theme.palette();
    let wanted = plot.x.value(transform.value_from_position(pointer).x);
    let time = view.time_axis;
    // Of each run the record nearest along the clock; of these the nearest in height is the one that is meant.
    let nearest = |racer: &Racer| {
        let after = racer.curve.partition_point(|record| time.of(record) < wanted);
        let around = after.saturating_sub(1)..(after + 1).min(racer.curve.len());
        let distance = |record: &&Record| (time.of(record) - wanted).abs();
        racer.curve[around].iter().min_by(|a, b| distance(a).total_cmp(&distance(b))).copied()
    };
    let place = |record: &Record| {
        let [x, y] = [time.of(record), view.race.likelihood.of(record)];
        let place = PlotPoint::new(plot.x.position(x), plot.y.position(y));
        transform.position_from_point(&place)
    };
    let read: Vec<(&Racer, Record)> =
        racers.iter().filter_map(|racer| Some((racer, nearest(racer)?))).collect();
    let meant = read
        .iter()
        .min_by(|a, b| place(&a.1).distance(pointer).total_cmp(&place(&b.1).distance(pointer)))?;
    let at = place(&meant.1);
    let painter = ui.painter().with_clip_rect(*transform.frame());
    let line = Stroke::new(1.0, color32(palette.weak_text));
    painter.vline(at.x, transform.frame().y_range(), line);
    painter.circle(
        at,
        4.0,
        color32(meant.0.color),
        Stroke::new(1.5, color32(palette.plot_background)),
    );
    let words: Vec<String> = read
        .iter()
        .map(|(racer, record)| format!("{}  {:.4}", racer.label, view.race.likelihood.of(record)))
        .collect();
    let words = format!("{}\n{}", time.words(&meant.1), words.join("\n"));
    card_ui(&painter, at, words, palette);
    Some(meant.1)
}

/// Which points, and the stopwatch.
fn switches_ui(ui: &mut egui::Ui, plot: &Plot, session: &Session, view: &mut View) {
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 3.0;
        ui.spacing_mut().interact_size.x = 36.0;
        if has_validation(session) {
            for (likelihood, word, help) in [
                (Likelihood::Training, "training", "The likelihood of the points that they learn from."),
                (Likelihood::Validation, "validation", "The likelihood of the points that they never see."),
            ] {
                ui.selectable_value(&mut view.race.likelihood, likelihood, RichText::new(word).small())
                    .on_hover_text(help);
            }
        }
        let help = "Who first reaches a likelihood? Drag the dashed line in the plot; the list above tells when each \
                    run came to it.";
        let is_on = view.race.target.is_some();
        let shown = plot.view();
        if ui
            .selectable_label(is_on, RichText::new("stopwatch").small())
            .on_hover_text(help)
            .clicked()
        {
            // In the lower half, where runs differ.
            let [low, high] = [shown.min[1], shown.max[1]].map(|y| plot.y.position(y));
            let middle = plot.y.value(low + 0.3 * (high - low));
            view.race.target = (!is_on).then_some(middle);
        }
        if let Some(target) = &mut view.race.target {
            let speed = 0.002 * (shown.max[1] - shown.min[1]);
            let field = egui::DragValue::new(target).speed(speed).max_decimals(3);
            let response = ui.add(field).on_hover_text("The NLL that stops the watch, in nats per point.");
            response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::SpinButton, true, "Stopwatch"));
        }
    });
}
