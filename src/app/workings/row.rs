//! The line below the legend: what the layers of the workings are, and what a hand may do about them.

use egui::{Button, RichText, Sense, Shape, Stroke as Pen, vec2};

use super::{Workings, available, cut, subtract};
use crate::app::action::Action;
use crate::app::document::Document;
use crate::app::legend::legend_entry_ui;
use crate::app::plot::color32;
use crate::app::session::Session;
use crate::app::view::View;
use crate::figures::workings::{Family, Subject};
use crate::figures::{Layer, Mark, arrow_head};

/// Draws the line, if the chosen run has workings, or those of another one are shown.
pub fn row_ui(
    ui: &mut egui::Ui,
    workings: &Workings,
    (document, session): (&Document, &Session),
    view: &mut View,
    actions: &mut Vec<Action>,
) {
    let has_own = Family::of(document.experiment.algorithm_of(view.run).id).is_ok();
    let has_some = view.shown.workings && available(&document.experiment, view).is_ok();
    if !has_own && !has_some {
        return;
    }
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing = vec2(0.0, 2.0);
        ui.spacing_mut().button_padding.x = 4.0;
        let color = color32(view.theme.palette().categorical[5]);
        let word = legend_entry_ui(ui, view.shown.workings, "workings", color);
        if word.on_hover_text(Action::ToggleWorkings.hint(ui.ctx())).clicked() {
            actions.push(Action::ToggleWorkings);
        }
        let Some((subject, layers)) = workings.drawn(session.chosen()) else { return };
        ui.spacing_mut().item_spacing.x = 12.0;
        ui.add_space(10.0);
        for layer in layers.iter().filter(|layer| !layer.label.is_empty()) {
            entry_ui(ui, layer);
        }
        ui.spacing_mut().button_padding.x = 8.0;
        match subject.family {
            Family::Composite => {
                cut_ui(ui, subject, session, view);
                let button = ui.add(Button::new("Swap the order"));
                if button.on_hover_text(Action::SwapOrder.hint(ui.ctx())).clicked() {
                    actions.push(Action::SwapOrder);
                }
            }
            Family::Denoising => subtract::button_ui(ui, (document, session), view, actions),
            Family::Sliced | Family::Contrastive => {}
        }
    });
}

/// A layer's sample and its name, in one piece where lines break.
fn entry_ui(ui: &mut egui::Ui, layer: &Layer) {
    let text = RichText::new(&layer.label).size(14.0);
    let galley =
        egui::WidgetText::from(text).into_galley(ui, None, f32::INFINITY, egui::TextStyle::Body);
    let size = vec2(SAMPLE + 5.0 + galley.size().x, galley.size().y.max(18.0));
    let (rect, response) = ui.allocate_exact_size(size, Sense::hover());
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Label, true, &layer.label));
    sample(ui.painter(), rect, layer);
    let at = egui::pos2(rect.left() + SAMPLE + 5.0, rect.center().y - galley.size().y / 2.0);
    ui.painter().galley(at, galley, ui.visuals().text_color());
}

/// Width of a sample.
const SAMPLE: f32 = 20.0;

/// What the marks of a layer look like, at the left of a place.
fn sample(brush: &egui::Painter, place: egui::Rect, layer: &Layer) {
    let color = color32(layer.color);
    let from = place.left_center();
    let to = from + vec2(SAMPLE, 0.0);
    match layer.marks.iter().find(|mark| !matches!(mark, Mark::Text { .. })) {
        Some(Mark::Arrow { .. }) => {
            let head = arrow_head(from.into(), to.into(), 2.4).map(egui::Pos2::from);
            brush.line_segment([from, head[1] + (head[2] - head[1]) / 2.0], Pen::new(2.4, color));
            brush.add(Shape::convex_polygon(head.to_vec(), color, Pen::NONE));
        }
        Some(Mark::Line { is_dashed, .. }) => {
            let pen = Pen::new(2.6, color);
            let dash = if *is_dashed { 6.0 } else { SAMPLE };
            brush.extend(Shape::dashed_line(&[from, to], pen, dash, 4.0));
        }
        Some(Mark::Points { .. }) => {
            brush.circle_filled(from + vec2(SAMPLE / 2.0, 0.0), 4.5, color);
        }
        _ => {
            let rect = egui::Rect::from_center_size(from.lerp(to, 0.5), vec2(SAMPLE, 12.0));
            brush.rect_filled(rect, 2.0, color.gamma_multiply(0.8));
        }
    }
}

/// A field for where the cut is.
fn cut_ui(ui: &mut egui::Ui, subject: &Subject, session: &Session, view: &mut View) {
    let Some(dataset) = session.dataset() else { return };
    let axis = subject.cut_axis();
    let name = ["cut at x₁", "cut at x₂"][axis];
    let mut at = subject.cut[axis];
    let speed = 0.003 * dataset.bounds.size()[axis];
    let field = egui::DragValue::new(&mut at)
        .prefix(format!("{name} = "))
        .speed(speed)
        .fixed_decimals(2)
        .update_while_editing(false);
    let response = ui.add(field);
    ui.ctx().accesskit_node_builder(response.id, |node| node.set_label(name));
    let help =
        "Where the plane is cut; drag the line on the canvas, or move it by comma and period.";
    if response.on_hover_text(help).changed() {
        cut::put(view, axis, dataset, |_| at);
    }
}
