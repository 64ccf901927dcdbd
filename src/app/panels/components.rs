//! The table of components: exact numbers for everything that a hand can drag.

use egui::RichText;

use super::settings::short;
use crate::algorithms::given::{self, GivenComponent};
use crate::app::action::Action;
use crate::app::document::Document;
use crate::app::session::Session;
use crate::app::start::{self, Editable};
use crate::app::view::View;
use crate::app::workings;
use crate::model::{CovarianceType, Ellipse};

/// What the columns hold: heading and tooltip.
const COLUMNS: [(&str, &str); 6] = [
    ("%", "Weight in per cent; the others share the rest."),
    ("x₁", "First coordinate of the mean."),
    ("x₂", "Second coordinate of the mean."),
    ("σ₁", "Standard deviation along the longer axis."),
    ("σ₂", "Standard deviation along the shorter axis."),
    ("∠°", "Direction of the longer axis, in degrees from x₁."),
];

/// Draws the table, folded; a number that is changed makes all of them the start.
pub fn components_ui(
    ui: &mut egui::Ui,
    document: &mut Document,
    session: &Session,
    view: &mut View,
    actions: &mut Vec<Action>,
) {
    let table = egui::CollapsingHeader::new("Set by hand").show(ui, |ui| {
        let Some(editable) = start::editable(document, session, view) else {
            ui.label(RichText::new("There is no mixture yet.").weak());
            return;
        };
        let mut components = editable.components.clone();
        egui::ScrollArea::vertical().max_height(300.0).show(ui, |ui| {
            ui.spacing_mut().interact_size.x = 37.0;
            ui.spacing_mut().button_padding.x = 2.0;
            ui.style_mut().override_text_style = Some(egui::TextStyle::Small);
            let grid = egui::Grid::new("components").num_columns(7).spacing([3.0, 2.0]);
            grid.min_col_width(0.0).show(ui, |ui| {
                ui.label("");
                for (heading, help) in COLUMNS {
                    ui.label(RichText::new(heading).weak()).on_hover_text(help);
                }
                ui.end_row();
                for k in 0..components.len() {
                    row_ui(ui, k, &mut components, editable.covariance_type, view);
                    ui.end_row();
                }
            });
        });
        let sum: f64 = components.iter().map(|component| component.weight).sum();
        ui.label(RichText::new(format!("Weights sum to {}", short(sum))).weak());
        buttons_ui(ui, components.len(), view, actions);
        if document.experiment.algorithm_of(view.run).id == "dsm" {
            workings::subtract_ui(ui, (document, session), view, actions);
        }
        let Editable { components: before, step, .. } = editable;
        if components != before {
            // Numbers that are dragged become one change once they rest.
            if !document.is_in_flux() {
                document.mark();
            }
            start::put(document, view, components, step);
        }
    });
    table.header_response.on_hover_text(
        "Every number of every component. On the canvas: drag a mean, the ends of the axes or the knob, and \
         double-click to add a component.",
    );
}

fn row_ui(
    ui: &mut egui::Ui,
    k: usize,
    components: &mut [GivenComponent],
    covariance_type: CovarianceType,
    view: &mut View,
) {
    let is_selected = view.selected == Some(k);
    let name = ui.selectable_label(is_selected, format!("{}", k + 1));
    name.widget_info(|| {
        let label = format!("Component {}", k + 1);
        egui::WidgetInfo::selected(egui::Role::RadioButton, true, is_selected, label)
    });
    if name.clicked() {
        view.selected = (!is_selected).then_some(k);
    }
    let component = components[k];
    let mut percent = 100.0 * component.weight;
    if number_ui(ui, k, 0, &mut percent, 0.2, components.len() > 1) {
        given::set_weight(components, k, percent / 100.0);
    }
    let ellipse = component.ellipse();
    let speed = (0.01 * ellipse.semi_axes[0]).max(f64::MIN_POSITIVE);
    for axis in 0..2 {
        number_ui(ui, k, 1 + axis, &mut components[k].mean[axis], speed, true);
    }
    let Ellipse { mut semi_axes, angle } = ellipse;
    let mut degrees = angle.to_degrees();
    let mut is_changed = false;
    for axis in 0..2 {
        if number_ui(ui, k, 3 + axis, &mut semi_axes[axis], speed, true) {
            is_changed = true;
            if covariance_type == CovarianceType::Spherical {
                semi_axes = [semi_axes[axis]; 2];
            }
        }
    }
    let can_turn = matches!(covariance_type, CovarianceType::Full | CovarianceType::Tied);
    is_changed |= number_ui(ui, k, 5, &mut degrees, 0.5, can_turn);
    if is_changed && semi_axes.iter().all(|axis| *axis > 0.0) {
        let covariance = given::covariance(Ellipse { semi_axes, angle: degrees.to_radians() });
        given::set_covariance(components, k, covariance, covariance_type);
    }
}

/// A field for one number; true if it was changed.
fn number_ui(
    ui: &mut egui::Ui,
    k: usize,
    column: usize,
    value: &mut f64,
    speed: f64,
    is_enabled: bool,
) -> bool {
    let before = *value;
    let field = egui::DragValue::new(value)
        .speed(speed)
        .range(-1e12..=1e12)
        .update_while_editing(false)
        .custom_formatter(|value, _| short(value));
    let response = ui.add_enabled(is_enabled, field);
    let (heading, help) = COLUMNS[column];
    ui.ctx().accesskit_node_builder(response.id, |node| {
        node.set_label(format!("{heading} of component {}", k + 1));
    });
    response.on_hover_text(help);
    // A field that was entered and left shows fewer digits than the number has: that is no change.
    let is_same = *value == before || short(before).parse() == Ok(*value);
    if is_same {
        *value = before;
    }
    !is_same
}

fn buttons_ui(ui: &mut egui::Ui, count: usize, view: &View, actions: &mut Vec<Action>) {
    let has_selection = view.selected.is_some();
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = 4.0;
        for (action, word, is_enabled) in [
            (Action::AddComponent, "Add", start::has_room(count)),
            (Action::CopyComponent, "Copy", has_selection && start::has_room(count)),
            (Action::MirrorComponent, "Mirror", has_selection),
            (Action::AlignComponent, "Align", has_selection && count > 1),
            (Action::DeleteComponent, "Delete", has_selection && count > 1),
        ] {
            let button = ui.add_enabled(is_enabled, egui::Button::new(word));
            if button.on_hover_text(action.hint(ui.ctx())).clicked() {
                actions.push(action);
            }
        }
    });
}
