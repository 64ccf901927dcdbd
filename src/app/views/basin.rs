//! View: the basin map's colors, and the starts behind them. The map itself is on the canvas.

use egui::{RichText, vec2};

use super::maps::{component_ui, detail_ui, former_ui, remark_ui, run_ui, tone_ui};
use crate::app::action::Action;
use crate::app::basin_map::BasinMap;
use crate::app::document::Document;
use crate::app::maps::{Maps, place_words};
use crate::app::plot::color32;
use crate::app::session::Session;
use crate::app::view::View;
use crate::figures::Palette;
use crate::figures::basin::{self, ColorBy, Entry};
use crate::model::Point;
use crate::training::Finish;
use crate::training::optima::Outcome;
use crate::training::survey::Cell;

/// Draws the view.
pub fn basin_ui(
    ui: &mut egui::Ui,
    document: &mut Document,
    session: &Session,
    maps: &mut Maps,
    view: &mut View,
    actions: &mut Vec<Action>,
) {
    let palette = view.theme.palette();
    let count = session.snapshot().map_or(1, |s| s.prepared.start.components().len());
    ui.horizontal(|ui| {
        component_ui(ui, "Start of mean", &mut view.maps.component, count);
        ui.add_space(6.0);
        detail_ui(ui, &mut view.maps.basin_detail);
    });
    ui.checkbox(&mut view.maps.is_zoomed, "Of what the canvas shows").on_hover_text(
        "Off: of a square around all data. On: of the largest square that the canvas shows now; zoom in with the \
         wheel first, because boundaries between basins have details at every size.",
    );
    let (known, awaited) =
        maps.basin().map_or((0, 0), |map| (map.ends().cells.count(), map.awaited().unwrap_or(0)));
    run_ui(ui, Action::RunBasin, [known, awaited], session.snapshot().is_some(), actions);
    let Some(map) = maps.basin() else {
        let text = "Starts this mean at every pixel of a square around the data, all else equal, trains each start to \
                    its end, and colors the plane by where it ended. Then click a pixel to start there.";
        return remark_ui(ui, text);
    };
    if let Some(problem) = map.problem() {
        ui.colored_label(ui.visuals().warn_fg_color, problem);
    }
    let is_current = map.basin().is_of(&document.experiment.alone(view.run));
    if !is_current {
        former_ui(ui);
    } else if map.basin().component != view.maps.component {
        let text = format!("On the canvas is the map of mean {}.", map.basin().component + 1);
        remark_ui(ui, text);
    }
    if known == 0 {
        return;
    }
    ui.separator();
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 4.0;
        ui.label("Color by");
        let color_by = &mut view.maps.color_by;
        ui.selectable_value(color_by, ColorBy::Optimum, "optimum").on_hover_text(
            "Ends with equal NLL and equal means, whatever their order, are one optimum.",
        );
        ui.selectable_value(color_by, ColorBy::Nll, "final NLL")
            .on_hover_text("The training likelihood at the end.");
        ui.selectable_value(color_by, ColorBy::Steps, "steps")
            .on_hover_text("How many steps it took until training stopped by itself.");
    });
    let wanted = match basin::tone(map.ends(), view.maps.color_by) {
        Some(tone) => {
            tone_ui(ui, basin::value_name(view.maps.color_by), &tone, basin::OPACITY, palette);
            None
        }
        None => legend_ui(ui, map, is_current, palette),
    };
    start_ui(ui, map, document);
    if let Some(cell) = wanted {
        maps.load(document, view, cell);
    }
}

/// The optima, the best first, each with its share; gives the start of the one that was clicked.
fn legend_ui(
    ui: &mut egui::Ui,
    map: &BasinMap,
    is_current: bool,
    palette: &Palette,
) -> Option<Cell> {
    let entries = basin::entries(map.ends(), palette);
    let mut wanted = None;
    for entry in &entries {
        let optimum = entry.optimum.filter(|_| is_current);
        if entry_ui(ui, entry, optimum.is_some(), palette)
            && let Some(optimum) = optimum
        {
            wanted = Some(map.ends().optima[optimum].first);
        }
    }
    wanted
}

/// A line of the legend; true if it was clicked.
fn entry_ui(ui: &mut egui::Ui, entry: &Entry, is_button: bool, palette: &Palette) -> bool {
    ui.horizontal(|ui| {
        let (rect, _) = ui.allocate_exact_size(vec2(22.0, 14.0), egui::Sense::hover());
        // As it looks on the canvas.
        ui.painter().rect_filled(rect, 3.0, color32(palette.plot_background));
        ui.painter().rect_filled(rect, 3.0, color32(entry.color.with_opacity(basin::OPACITY)));
        let words = entry.words();
        if !is_button {
            ui.add_space(ui.spacing().button_padding.x);
            ui.label(words);
            return false;
        }
        let button = egui::Button::new(RichText::new(words)).frame_when_inactive(false);
        let help = "The share of the square that ends there. A click loads a start that does; undo goes back.";
        ui.add(button).on_hover_text(help).clicked()
    })
    .inner
}

/// Where the mean starts now, and what that reaches.
fn start_ui(ui: &mut egui::Ui, map: &BasinMap, document: &Document) {
    let Some(start) = map.basin().start_in(&document.experiment) else { return };
    ui.separator();
    let component = map.basin().component + 1;
    let words = match map.at(start) {
        Some((cell, outcome)) => outcome_words(map, cell.place(map.basin().square), outcome),
        None => "beyond the square".to_owned(),
    };
    ui.label(format!("Mean {component} starts at {}. The pixel there:", place_words(start)));
    remark_ui(ui, words);
    remark_ui(
        ui,
        "Click a pixel of the canvas to start there, or drag the mean; selected, arrow keys move it.",
    );
}

/// What a start at this place reaches.
#[must_use]
pub fn outcome_words(map: &BasinMap, place: Point, outcome: &Outcome) -> String {
    let ends = map.ends();
    let rank = |optimum: usize| {
        let ranked = ends.ranked();
        ranked.iter().position(|&other| other == optimum).map_or(0, |place| place + 1)
    };
    let end = match outcome.optimum {
        Some(optimum) => format!("optimum {}", rank(optimum)),
        None => "no finite next step".to_owned(),
    };
    let why = match outcome.finish {
        Finish::Converged => "converged",
        Finish::MaxIter => "stopped by max_iter",
        Finish::Broken(_) | Finish::Failed(_) => "stopped",
    };
    format!(
        "start {}\n{end}: training NLL {:.4}\n{why} after {} steps",
        place_words(place),
        outcome.train_nll,
        outcome.steps
    )
}
