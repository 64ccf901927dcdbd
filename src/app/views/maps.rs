//! View: the maps, one at a time, and what both have: how they are begun, and what their colors say.

use egui::{Align2, FontId, Mesh, RichText, Stroke, pos2, vec2};

use super::basin::basin_ui;
use super::landscape::landscape_ui;
use crate::app::action::Action;
use crate::app::document::Document;
use crate::app::maps::Maps;
use crate::app::plot::color32;
use crate::app::session::Session;
use crate::app::view::{MapKind, View};
use crate::figures::Palette;
use crate::figures::tone::{Tone, color_of};
use crate::training::survey::LEVELS;

/// Draws the view.
pub fn maps_ui(
    ui: &mut egui::Ui,
    document: &mut Document,
    session: &Session,
    maps: &mut Maps,
    view: &mut View,
    actions: &mut Vec<Action>,
) {
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 4.0;
        ui.selectable_value(&mut view.maps.kind, MapKind::Basin, "Basin map").on_hover_text(
            "Where training ends from every start of one mean. It is on the canvas.",
        );
        ui.selectable_value(&mut view.maps.kind, MapKind::Landscape, "Loss landscape")
            .on_hover_text("The objective over two directions, with the path of the training.");
    });
    ui.separator();
    // A choice of before may be of more components than there are.
    if let Some(snapshot) = session.snapshot() {
        let last = snapshot.mixture.components().len() - 1;
        let chosen = &mut view.maps;
        (chosen.component, chosen.other) = (chosen.component.min(last), chosen.other.min(last));
    }
    match view.maps.kind {
        MapKind::Basin => {
            // Many optima in a low window.
            egui::ScrollArea::vertical()
                .auto_shrink(false)
                .show(ui, |ui| basin_ui(ui, document, session, maps, view, actions));
        }
        MapKind::Landscape => landscape_ui(ui, document, session, maps, view, actions),
    }
}

/// A choice among the components; true if another one was chosen.
pub(super) fn component_ui(
    ui: &mut egui::Ui,
    name: &str,
    component: &mut usize,
    count: usize,
) -> bool {
    let before = *component;
    let label = ui.label(name);
    let choice = egui::ComboBox::from_id_salt(name)
        .selected_text(format!("{}", before + 1))
        .width(44.0)
        .show_ui(ui, |ui| {
            for k in 0..count {
                ui.selectable_value(component, k, format!("{}", k + 1));
            }
        });
    choice.response.labelled_by(label.id);
    *component != before
}

/// How fine a map is to be; true if it was changed.
pub(super) fn detail_ui(ui: &mut egui::Ui, detail: &mut usize) -> bool {
    let before = *detail;
    let label = ui.label("Detail");
    let name = |level: usize| format!("{level} × {level}");
    let choice = egui::ComboBox::from_id_salt("detail")
        .selected_text(name(before))
        .width(92.0)
        .show_ui(ui, |ui| {
            for level in LEVELS.into_iter().filter(|level| *level >= 32) {
                ui.selectable_value(detail, level, name(level));
            }
        });
    choice.response.labelled_by(label.id).on_hover_text(
        "Pixels from one side to the other. Coarse ones come first, and finer ones keep what is known.",
    );
    *detail != before
}

/// The button that begins a map; while it is on its way, how far it is and a button that stops it.
pub(super) fn run_ui(
    ui: &mut egui::Ui,
    action: Action,
    [known, awaited]: [usize; 2],
    can_run: bool,
    actions: &mut Vec<Action>,
) {
    ui.horizontal(|ui| {
        if awaited == 0 {
            let button = egui::Button::new(action.info().label);
            let response = ui.add_enabled(can_run, button);
            if response.on_hover_text(action.hint(ui.ctx())).clicked() {
                actions.push(action);
            }
            return;
        }
        let width = (ui.available_width() - 90.0).max(60.0);
        let bar = egui::ProgressBar::new(known as f32 / awaited as f32).desired_width(width);
        let bar = ui.add(bar.text(format!("{known} of {awaited} pixels")));
        bar.widget_info(|| {
            let label = format!("Map: {known} of {awaited} pixels are done");
            egui::WidgetInfo::labeled(egui::Role::ProgressIndicator, true, label)
        });
        let cancel = ui.button("Cancel");
        cancel.widget_info(|| {
            let label = Action::CancelMap.info().label;
            egui::WidgetInfo::labeled(egui::Role::Button, true, label)
        });
        if cancel.on_hover_text(Action::CancelMap.hint(ui.ctx())).clicked() {
            actions.push(Action::CancelMap);
        }
    });
}

/// That a map is one of something else.
pub(super) fn former_ui(ui: &mut egui::Ui) {
    let text = "Of the experiment before it was changed: undo the change, or run it again.";
    ui.colored_label(ui.visuals().warn_fg_color, text);
}

/// Words in small, weak type.
pub(super) fn remark_ui(ui: &mut egui::Ui, text: impl Into<String>) {
    ui.label(RichText::new(text).color(ui.visuals().weak_text_color()));
}

/// How many pieces a color bar is made of.
const PIECES: u16 = 64;

/// Which color is which value, as a bar with a few values below it. The opacity is that of the map.
pub(super) fn tone_ui(ui: &mut egui::Ui, name: &str, tone: &Tone, opacity: f64, palette: &Palette) {
    remark_ui(ui, format!("{name}: bright is low"));
    let wanted = vec2(ui.available_width(), 34.0);
    let (rect, response) = ui.allocate_exact_size(wanted, egui::Sense::hover());
    let bar = egui::Rect::from_min_max(
        rect.min + vec2(2.0, 0.0),
        pos2(rect.right() - 2.0, rect.top() + 14.0),
    );
    let mut mesh = Mesh::default();
    for i in 0..PIECES {
        let [from, to] = [i, i + 1].map(|i| f32::from(i) / f32::from(PIECES));
        let piece = egui::Rect::from_x_y_ranges(
            bar.left() + from * bar.width()..=bar.left() + to * bar.width(),
            bar.y_range(),
        );
        mesh.add_colored_rect(
            piece,
            color32(color_of((f64::from(i) + 0.5) / f64::from(PIECES)).with_opacity(opacity)),
        );
    }
    let painter = ui.painter();
    painter.rect_filled(bar, 0.0, color32(palette.plot_background));
    painter.add(mesh);
    // Long numbers need more room.
    let is_long = tone.marks(4).iter().any(|mark| mark.1.chars().count() > 7);
    let marks = tone.marks(if is_long { 3 } else { 4 });
    let text: Vec<&str> = marks.iter().map(|mark| &*mark.1).collect();
    response.widget_info(|| {
        let label = format!("Colors: {name} {}", text.join(", "));
        egui::WidgetInfo::labeled(egui::Role::Label, true, label)
    });
    for (share, text) in &marks {
        let x = bar.left() + *share as f32 * bar.width();
        painter.vline(
            x.clamp(bar.left() + 0.5, bar.right() - 0.5),
            bar.bottom()..=bar.bottom() + 3.0,
            Stroke::new(1.0, color32(palette.weak_text)),
        );
        let anchor = match *share {
            0.0 => Align2::LEFT_TOP,
            1.0 => Align2::RIGHT_TOP,
            _ => Align2::CENTER_TOP,
        };
        let at = pos2(x, bar.bottom() + 4.0);
        painter.text(at, anchor, text, FontId::proportional(12.5), color32(palette.weak_text));
    }
}
