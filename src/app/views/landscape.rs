//! View: the objective over two directions, with the path of the training.

use egui_plot::PlotTransform;

use super::card_ui;
use super::maps::{component_ui, detail_ui, former_ui, remark_ui, run_ui, tone_ui};
use crate::app::action::Action;
use crate::app::document::Document;
use crate::app::grip::on_plane;
use crate::app::landscape_map::LandscapeMap;
use crate::app::maps::Maps;
use crate::app::plot::{self, Textures};
use crate::app::session::Session;
use crate::app::view::{MapsView, Over, View};
use crate::figures::tone::{Tone, reading};
use crate::figures::{Palette, Plot, landscape};

/// Draws the view.
pub fn landscape_ui(
    ui: &mut egui::Ui,
    document: &mut Document,
    session: &Session,
    maps: &mut Maps,
    view: &mut View,
    actions: &mut Vec<Action>,
) {
    let palette = view.theme.palette();
    let before = view.maps;
    directions_ui(ui, session, &mut view.maps);
    let (map, textures) = maps.landscape_to_draw();
    let (known, awaited) =
        map.as_ref().map_or((0, 0), |map| (map.chart().count(), map.awaited().unwrap_or(0)));
    run_ui(ui, Action::RunLandscape, [known, awaited], session.snapshot().is_some(), actions);
    let Some(map) = map else {
        let text = "Computes the objective over two directions through the step that is shown, on all training points: \
                    contours, colors, and the path of the training over them.";
        return remark_ui(ui, text);
    };
    // It takes a moment only, so another choice is another landscape.
    if view.maps != before {
        actions.push(Action::RunLandscape);
    }
    if let Some(problem) = map.problem() {
        ui.colored_label(ui.visuals().warn_fg_color, problem);
    }
    if !map.is_of(&document.experiment.alone(view.run)) {
        former_ui(ui);
    }
    if let Some((shown, Some(tone))) = map.plot(view.theme, ui.ctx()) {
        let height = (ui.available_height() - 190.0).clamp(120.0, ui.available_width());
        let drawn = plot_ui(ui, &shown, height, palette, textures);
        hover_ui(ui, map, &drawn, &tone, palette);
        tone_ui(ui, "objective", &tone, 1.0, palette);
    }
    caption_ui(ui, session, map);
}

/// Which directions, and through which means.
fn directions_ui(ui: &mut egui::Ui, session: &Session, chosen: &mut MapsView) {
    let count = session.snapshot().map_or(1, |snapshot| snapshot.mixture.components().len());
    let options = [
        (Over::Mean, "x₁ and x₂ of one mean", "One mean; all else as at the step shown."),
        (Over::Pair, "x₁ of two means", "Two means; all else as at the step shown."),
        (
            Over::Path,
            "main directions of the path",
            "The two directions in the space of all parameters along which the path so far varies most.",
        ),
    ];
    ui.horizontal(|ui| {
        let label = ui.label("Over");
        let current = options.iter().find(|option| option.0 == chosen.over);
        let choice = egui::ComboBox::from_id_salt("over")
            .selected_text(current.map_or("", |option| option.1))
            .width(ui.available_width())
            .show_ui(ui, |ui| {
                for (over, name, help) in options {
                    ui.selectable_value(&mut chosen.over, over, name).on_hover_text(help);
                }
            });
        choice.response.labelled_by(label.id);
    });
    ui.horizontal(|ui| {
        match chosen.over {
            Over::Mean => {
                component_ui(ui, "Mean", &mut chosen.component, count);
            }
            Over::Pair => {
                component_ui(ui, "Means", &mut chosen.component, count);
                component_ui(ui, "and", &mut chosen.other, count);
            }
            Over::Path => {}
        }
        detail_ui(ui, &mut chosen.landscape_detail);
    });
}

/// Draws the plot; gives where it was drawn and its response.
fn plot_ui(
    ui: &mut egui::Ui,
    shown: &Plot,
    height: f32,
    palette: &Palette,
    textures: &mut Textures,
) -> (PlotTransform, egui::Response) {
    let bounds = plot::plot_bounds(shown);
    let mut frame = plot::frame(shown, palette, 12.5, 0.0)
        .height(height)
        .show_background(false)
        .allow_drag(false)
        .allow_zoom(false)
        .allow_scroll(false)
        .allow_axis_zoom_drag(false);
    if shown.has_equal_aspect {
        frame = frame.data_aspect(1.0);
    }
    let drawn = frame.show(ui, |plot_ui| plot_ui.set_plot_bounds(bounds));
    let painter = ui.painter().with_clip_rect(*drawn.transform.frame());
    let axes = [&shown.x, &shown.y];
    plot::paint_layers(&painter, &drawn.transform, axes, &shown.layers, palette, textures);
    drawn.response.widget_info(|| {
        egui::WidgetInfo::labeled(egui::Role::Figure, true, format!("Plot: {}", shown.title))
    });
    (drawn.transform, drawn.response)
}

/// Reads the value below the pointer.
fn hover_ui(
    ui: &egui::Ui,
    map: &LandscapeMap,
    (transform, response): &(PlotTransform, egui::Response),
    tone: &Tone,
    palette: &Palette,
) {
    let (Some(pointer), Some(slice)) = (response.hover_pos(), map.slice()) else { return };
    let place = on_plane(transform, pointer);
    let Some(value) = landscape::value_at(map.chart(), slice.square, place) else { return };
    let [x, y] = [0, 1].map(|i| reading(place[i], [slice.square.min[i], slice.square.max[i]]));
    let value = if value.is_finite() {
        format!("objective {}", reading(value, [tone.low, tone.high]))
    } else {
        "the objective is not finite".to_owned()
    };
    let painter = ui.painter().with_clip_rect(*transform.frame());
    card_ui(&painter, pointer, format!("{value}\nat ({x}, {y})"), palette);
}

/// What it is a landscape of, and what is at the dot.
fn caption_ui(ui: &mut egui::Ui, session: &Session, map: &LandscapeMap) {
    let Some(slice) = map.slice() else { return };
    let info = map.experiment().algorithm_info();
    let words = format!("Objective of {} at step {}: {:.6}", info.short, map.step(), slice.value);
    ui.label(words).on_hover_text(
        "On all training points, all that the axes do not vary as at this step. The slices of sliced score matching \
         are those of this step, too.",
    );
    let shown = session.shown().map(|shown| shown.record.step);
    if let Some(shown) = shown.filter(|shown| *shown != map.step()) {
        let text = format!(
            "The large dot is step {shown}: run the landscape again to see it through that step."
        );
        remark_ui(ui, text);
    } else {
        remark_ui(ui, "The path is projected: what the axes do not vary was different on the way.");
    }
}
