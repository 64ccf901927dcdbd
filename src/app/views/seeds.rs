//! View: many starts of one experiment, as a fan of curves and a histogram of where they end.

use egui::{Color32, RichText, Stroke};

use super::{card_ui, heading_ui, log_switch_ui, small_plot_ui};
use crate::algorithms::initial::RANDOM_STATE;
use crate::app::action::Action;
use crate::app::document::Document;
use crate::app::plot::color32;
use crate::app::seeds::Seeds;
use crate::app::view::{SeedsView, View};
use crate::figures::{Mark, Palette, Plot};
use crate::training::ensemble::with_seed;
use crate::training::spread::{Likelihood, near_best};
use crate::training::{Finish, Member};

/// Draws the view.
pub fn seeds_ui(
    ui: &mut egui::Ui,
    document: &mut Document,
    seeds: &mut Seeds,
    view: &mut View,
    can_run: bool,
    actions: &mut Vec<Action>,
) {
    let has_validation = seeds.members().first().is_none_or(|m| m.last().val_nll.is_finite());
    let shown = &mut view.seeds;
    if !has_validation {
        shown.likelihood = Likelihood::Training;
    }
    heading_ui(ui, "NLL", |ui| {
        let help = "Logarithmic axis of the steps; the start, at zero, is left out.";
        log_switch_ui(ui, "log x", help, &mut shown.spacing);
        if has_validation {
            ui.selectable_value(&mut shown.likelihood, Likelihood::Validation, "validation")
                .on_hover_text("Compare runs by the validation points: how well they generalize.");
            ui.selectable_value(&mut shown.likelihood, Likelihood::Training, "training")
                .on_hover_text("Compare runs by the training points: which optimum they reached.");
        }
    });
    run_ui(ui, seeds, shown, can_run, actions);
    if let Some(problem) = seeds.problem() {
        ui.colored_label(ui.visuals().warn_fg_color, problem);
    }
    if seeds.members().is_empty() {
        if seeds.awaited().is_none() {
            let text = "Trains this experiment from many starts, each with a seed of its own, and shows how much the \
                        start decides. Data and settings are the same for all.";
            ui.label(RichText::new(text).color(ui.visuals().weak_text_color()));
        }
        return;
    }
    let is_current = seeds.are_of(&document.experiment.alone(view.run));
    if !is_current {
        let text = "Of the experiment before it was changed: undo the change, or run them again.";
        ui.colored_label(ui.visuals().warn_fg_color, text);
    }
    let chosen = is_current.then(|| document.experiment.start.integer(&RANDOM_STATE) as u32);
    let figures = seeds.figures(*shown, chosen, view.theme);
    let palette = view.theme.palette();
    // What stands between the plots, and below them.
    let room = ui.available_height() - 160.0;
    let mut wanted = fan_ui(ui, &figures.fan, 0.62 * room, seeds, *shown, is_current, palette);
    legend_ui(ui, shown, chosen.filter(|seed| has_seed(seeds, *seed)), palette);
    ui.separator();
    share_ui(ui, seeds, shown, palette);
    small_plot_ui(ui, &figures.finals, 0.38 * room, palette);
    wanted = wanted.or(choice_ui(ui, seeds, *shown, chosen, is_current));
    if let Some(seed) = wanted.filter(|seed| Some(*seed) != chosen) {
        document.mark();
        document.experiment = with_seed(&document.experiment, seed);
    }
}

/// How many, and the button that begins or stops them.
fn run_ui(
    ui: &mut egui::Ui,
    seeds: &Seeds,
    shown: &mut SeedsView,
    can_run: bool,
    actions: &mut Vec<Action>,
) {
    ui.horizontal(|ui| {
        if let Some(count) = seeds.awaited() {
            let done = seeds.members().len();
            let width = (ui.available_width() - 90.0).max(60.0);
            let bar = egui::ProgressBar::new(done as f32 / count as f32).desired_width(width);
            let bar = ui.add(bar.text(format!("{done} of {count} starts")));
            bar.widget_info(|| {
                let label = format!("Many seeds: {done} of {count} starts are done");
                egui::WidgetInfo::labeled(egui::Role::ProgressIndicator, true, label)
            });
            let cancel = ui.button("Cancel");
            cancel.widget_info(|| {
                let label = Action::CancelSeeds.info().label;
                egui::WidgetInfo::labeled(egui::Role::Button, true, label)
            });
            if cancel.on_hover_text(Action::CancelSeeds.hint(ui.ctx())).clicked() {
                actions.push(Action::CancelSeeds);
            }
        } else {
            let label = ui.label("Starts");
            ui.add(egui::DragValue::new(&mut shown.count).range(10..=200).speed(0.5))
                .labelled_by(label.id)
                .on_hover_text(
                    "How many starts: from 10 to 200. Their seeds are 0, 1, 2 and so on.",
                );
            let button = egui::Button::new(Action::RunSeeds.info().label);
            let response = ui.add_enabled(can_run, button);
            if response.on_hover_text(Action::RunSeeds.hint(ui.ctx())).clicked() {
                actions.push(Action::RunSeeds);
            }
        }
    });
}

/// How near a pointer has to come to a line, in points.
const REACH: f32 = 10.0;

/// Draws the fan; gives the seed of the line that was clicked.
fn fan_ui(
    ui: &mut egui::Ui,
    fan: &Plot,
    height: f32,
    seeds: &Seeds,
    shown: SeedsView,
    is_current: bool,
    palette: &Palette,
) -> Option<u32> {
    let (transform, response) = small_plot_ui(ui, fan, height, palette);
    let pointer = response.hover_pos()?;
    let screen = |[x, y]: [f64; 2]| {
        transform.position_from_point(&egui_plot::PlotPoint::new(fan.x.position(x), y))
    };
    let lines = fan.layers.first()?.marks.iter().zip(seeds.members());
    let mut nearest: Option<(f32, Vec<egui::Pos2>, &Member)> = None;
    for (mark, member) in lines {
        let Mark::Line { points, .. } = mark else { continue };
        let path: Vec<_> = points.iter().copied().map(screen).collect();
        let distance = distance_to_path(pointer, &path);
        if distance < nearest.as_ref().map_or(REACH, |nearest| nearest.0) {
            nearest = Some((distance, path, member));
        }
    }
    let (_, path, member) = nearest?;
    let painter = ui.painter().with_clip_rect(*transform.frame());
    painter.line(path, Stroke::new(2.5, color32(palette.text)));
    let value = shown.likelihood.of(member.last());
    let mut words = format!(
        "seed {}\n{} NLL {value:.4} after {} steps",
        member.seed,
        shown.likelihood.label(),
        member.last().step
    );
    words += match (&member.finish, is_current) {
        (Finish::Failed(_), _) => "\nstopped: no finite next step",
        (_, true) => "\nclick to load this run",
        (_, false) => "",
    };
    card_ui(&painter, pointer, words, palette);
    if !is_current {
        return None;
    }
    ui.set_cursor_icon(egui::CursorIcon::PointingHand);
    response.clicked().then_some(member.seed)
}

/// The shortest way from a place to a path of straight pieces.
fn distance_to_path(place: egui::Pos2, path: &[egui::Pos2]) -> f32 {
    let to_piece = |piece: &[egui::Pos2]| {
        let along = piece[1] - piece[0];
        let share = (place - piece[0]).dot(along) / along.length_sq().max(f32::MIN_POSITIVE);
        place.distance(piece[0] + share.clamp(0.0, 1.0) * along)
    };
    path.windows(2).map(to_piece).fold(f32::INFINITY, f32::min)
}

fn has_seed(seeds: &Seeds, seed: u32) -> bool {
    seeds.members().iter().any(|member| member.seed == seed)
}

/// Which line is which; the band's entry is its switch.
fn legend_ui(ui: &mut egui::Ui, shown: &mut SeedsView, chosen: Option<u32>, palette: &Palette) {
    let sample_ui = |ui: &mut egui::Ui, color: Color32| {
        let (rect, _) = ui.allocate_exact_size(egui::vec2(18.0, 14.0), egui::Sense::hover());
        ui.painter()
            .line_segment([rect.left_center(), rect.right_center()], Stroke::new(2.5, color));
    };
    ui.horizontal(|ui| {
        ui.add_space(30.0);
        ui.checkbox(&mut shown.has_band, RichText::new("mean ± sd").small()).on_hover_text(
            "Mean and standard deviation over the runs at every step; a run that stopped early keeps its last value.",
        );
        sample_ui(ui, color32(palette.categorical[0]));
        if let Some(seed) = chosen {
            ui.add_space(6.0);
            sample_ui(ui, color32(palette.categorical[1]));
            ui.label(RichText::new(format!("seed {seed}, on the canvas")).small());
        }
    });
}

/// How many runs came near the best.
fn share_ui(ui: &mut egui::Ui, seeds: &Seeds, shown: &mut SeedsView, palette: &Palette) {
    let finals = shown.likelihood.finals(seeds.members());
    let (near, count) = (near_best(&finals, shown.margin), finals.len());
    let percent = 100.0 * near as f64 / count as f64;
    heading_ui(ui, "Final NLL", |ui| {
        let share = format!("{near} of {count} ({percent:.0} %)");
        ui.label(RichText::new(share).heading().color(color32(palette.categorical[2])));
    });
    ui.horizontal(|ui| {
        ui.label("are within");
        let margin = egui::DragValue::new(&mut shown.margin);
        let margin = ui.add(margin.range(0.0..=10.0).speed(0.002).max_decimals(3));
        margin.widget_info(|| {
            let label = "Margin in nats per point";
            egui::WidgetInfo::labeled(egui::Role::SpinButton, true, label)
        });
        margin.on_hover_text(
            "Runs whose final NLL lies no more than this above the best count as equally good; nats per point.",
        );
        ui.label("nats per point of the best");
    });
}

/// All runs by name, the best first: what a click on a line does, for those who use the keyboard.
fn choice_ui(
    ui: &mut egui::Ui,
    seeds: &Seeds,
    shown: SeedsView,
    chosen: Option<u32>,
    is_current: bool,
) -> Option<u32> {
    let value = |member: &Member| shown.likelihood.of(member.last());
    let words = |member: &Member| format!("seed {} · {:.4}", member.seed, value(member));
    let mut ranked: Vec<&Member> = seeds.members().iter().map(|member| &**member).collect();
    ranked.sort_by(|a, b| value(a).total_cmp(&value(b)));
    let current = ranked.iter().find(|member| Some(member.seed) == chosen);
    let mut wanted = None;
    ui.horizontal(|ui| {
        let label = ui.label("Load a run");
        ui.add_enabled_ui(is_current, |ui| {
            let choice = egui::ComboBox::from_id_salt("seeds")
                .selected_text(current.map_or_else(|| "best first…".to_owned(), |m| words(m)))
                .width(ui.available_width())
                .show_ui(ui, |ui| {
                    for member in &ranked {
                        let is_chosen = Some(member.seed) == chosen;
                        if ui.selectable_label(is_chosen, words(member)).clicked() {
                            wanted = Some(member.seed);
                        }
                    }
                });
            choice.response.labelled_by(label.id).on_hover_text(
                "All runs, the best first. Choosing one restarts training at its very start; undo goes back.",
            );
        });
    });
    wanted
}
