//! The panel on the left: data, model, start, algorithm.

use std::path::{Path, PathBuf};

use egui::RichText;
use egui_material_icons::icons;

use super::components::components_ui;
use super::settings::{row_ui, setting_ui, settings_ui, short};
use super::thumbnails::{Choice, Thumbnails};
use crate::algorithms::{ALGORITHMS, AlgorithmInfo, MAX_ITER, TOL, initial};
use crate::app::action::Action;
use crate::app::document::Document;
use crate::app::session::Session;
use crate::app::view::View;
use crate::data::formats::Loaded;
use crate::data::generators;
use crate::data::spray::Tool;
use crate::figures::cloud::is_crowd;
use crate::model::{N_COMPONENTS, REG_COVAR};
use crate::settings::{Kind, Setting, Value};
use crate::training::{BranchId, DATA_SETTINGS, LoadedFile, MODEL_SETTINGS, Source};

/// Draws the panel; edits the document. Gives a file that is to be opened with other columns.
pub fn controls_ui(
    ui: &mut egui::Ui,
    document: &mut Document,
    session: &Session,
    view: &mut View,
    thumbnails: &Thumbnails,
    actions: &mut Vec<Action>,
) -> Option<Reopen> {
    let panel = egui::Panel::left("controls").frame(super::frame(ui)).exact_size(318.0);
    let shown = panel.resizable(false).show(ui, |ui| {
        let scrolled = egui::ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
            // Room for the scroll bar.
            ui.set_max_width(ui.available_width() - 6.0);
            ui.add_space(2.0);
            ui.spacing_mut().item_spacing.y = 4.0;
            let reopen = data_ui(ui, document, session, view, thumbnails, actions);
            divider_ui(ui);
            draw_ui(ui, document, view, actions);
            divider_ui(ui);
            algorithm_ui(ui, document, view);
            section_ui(ui, "Mixture");
            mixture_ui(ui, document, session);
            section_ui(ui, "Start");
            start_ui(ui, document, actions);
            components_ui(ui, document, session, view, actions);
            ui.add_space(8.0);
            reopen
        });
        scrolled.inner
    });
    shown.inner
}

fn divider_ui(ui: &mut egui::Ui) {
    ui.add_space(2.0);
    ui.add(egui::Separator::default().spacing(6.0));
}

fn section_ui(ui: &mut egui::Ui, title: &str) {
    divider_ui(ui);
    ui.label(RichText::new(title).heading());
}

fn data_ui(
    ui: &mut egui::Ui,
    document: &mut Document,
    session: &Session,
    view: &mut View,
    thumbnails: &Thumbnails,
    actions: &mut Vec<Action>,
) -> Option<Reopen> {
    ui.horizontal(|ui| {
        ui.label(RichText::new("Data").heading());
        let name = match &document.experiment.source {
            Source::Generator(id) => generators::find(id).map_or("", |generator| generator.label),
            Source::File { .. } => "File",
            Source::Nothing => "Empty canvas",
        };
        ui.label(RichText::new(name).color(ui.visuals().weak_text_color()));
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            if ui.button("Open file…").on_hover_text(Action::Open.hint(ui.ctx())).clicked() {
                actions.push(Action::Open);
            }
        });
    });
    let chosen = match &document.experiment.source {
        Source::Generator(id) => generators::find(id).map(Choice::Generator),
        Source::Nothing => Some(Choice::Empty),
        Source::File { .. } => None,
    };
    if let Some(clicked) = thumbnails.grid_ui(ui, chosen, view.theme) {
        document.mark();
        document.experiment.choose_source(match clicked {
            Choice::Generator(generator) => Source::Generator(generator.id.to_owned()),
            Choice::Empty => Source::Nothing,
        });
        if matches!(clicked, Choice::Empty) && view.tool.is_none() {
            view.tool = Some(Tool::Brush);
        }
    }
    let mut reopened = None;
    let experiment = &mut document.experiment;
    match (&experiment.source, experiment.generator()) {
        (_, Some(generator)) => {
            setting_ui(ui, &generators::N_SAMPLES, &mut experiment.data);
            settings_ui(ui, generator.settings, &mut experiment.data);
        }
        (Source::File { path, loaded, .. }, None) => {
            let name = path.file_name().map_or_else(String::new, |name| name.display().to_string());
            ui.label(name).on_hover_text(path.display().to_string());
            if let Some(LoadedFile(file)) = loaded {
                reopened = columns_ui(ui, path, file);
            }
        }
        _ => {}
    }
    if let Some(dataset) = session.dataset() {
        let [train, validation] = [dataset.train.len(), dataset.validation.len()];
        let mut text = format!("Points: {train} training, {validation} validation");
        if is_crowd(&dataset.train) || is_crowd(&dataset.validation) {
            text = format!("{text}\nAll are drawn; zoom in for single points");
        }
        ui.label(RichText::new(text).color(ui.visuals().weak_text_color()));
    }
    egui::CollapsingHeader::new("Split, scale and seed").show_unindented(ui, |ui| {
        settings_ui(ui, DATA_SETTINGS, &mut experiment.data);
    });
    reopened
}

/// Which two columns of a table become x₁ and x₂; gives the file to open again with others.
fn columns_ui(ui: &mut egui::Ui, path: &Path, file: &Loaded) -> Option<Reopen> {
    if file.columns.len() < 3 {
        return None;
    }
    let mut columns = file.chosen;
    for (label, column) in ["Column of x₁", "Column of x₂"].into_iter().zip(&mut columns) {
        row_ui(ui, label, |ui| {
            egui::ComboBox::from_id_salt(label)
                .selected_text(&file.columns[*column])
                .width(ui.available_width())
                .show_ui(ui, |ui| {
                    for (i, name) in file.columns.iter().enumerate() {
                        ui.selectable_value(column, i, name);
                    }
                })
                .response
        });
    }
    (columns != file.chosen).then(|| Reopen { path: path.to_owned(), columns })
}

/// A file that is to be opened with other columns.
pub struct Reopen {
    /// Which file.
    pub path: PathBuf,
    /// Its two columns, counted from 0.
    pub columns: [usize; 2],
}

fn draw_ui(ui: &mut egui::Ui, document: &Document, view: &mut View, actions: &mut Vec<Action>) {
    ui.horizontal(|ui| {
        // As high as the buttons, so that the word stands in their middle.
        ui.set_min_height(30.0);
        ui.label(RichText::new("Draw").heading());
        ui.spacing_mut().item_spacing.x = 4.0;
        let look = (
            None,
            icons::ICON_PAN_TOOL,
            "Move the view",
            "Drag to move, scroll to zoom; nothing is drawn.",
        );
        let tools = [
            (Tool::Brush, icons::ICON_BRUSH),
            (Tool::Airbrush, icons::ICON_BLUR_ON),
            (Tool::Line, icons::ICON_HORIZONTAL_RULE),
            (Tool::Ellipse, icons::ICON_CIRCLE),
            (Tool::Eraser, icons::ICON_INK_ERASER),
        ];
        let tools = tools.map(|(tool, icon)| (Some(tool), icon, tool.label(), tool.help()));
        for (tool, icon, label, help) in std::iter::once(look).chain(tools) {
            let is_chosen = view.tool == tool;
            let button = egui::Button::new(icon.rich_text().size(20.0)).selected(is_chosen);
            let response = ui.add(button.min_size(egui::vec2(36.0, 30.0)));
            response.widget_info(|| {
                egui::WidgetInfo::selected(egui::Role::RadioButton, true, is_chosen, label)
            });
            if response.on_hover_text(format!("{label}. {help}")).clicked() {
                view.tool = tool;
            }
        }
    });
    if view.tool.is_some() {
        row_ui(ui, "Reach", |ui| {
            ui.add(
                egui::Slider::new(&mut view.tool_radius, 0.005..=0.3)
                    .logarithmic(true)
                    .custom_formatter(|share, _| format!("{:.1} %", 100.0 * share)),
            )
        })
        .on_hover_text("Radius of the tool, in per cent of the canvas's shorter side.");
        if view.tool != Some(Tool::Eraser) {
            row_ui(ui, "Points", |ui| {
                ui.add(egui::Slider::new(&mut view.tool_points, 1..=5_000).logarithmic(true))
            })
            .on_hover_text(
                "Brush: points on ten radii of its path. Airbrush: points a second. Line and ellipse: points in all.",
            );
        }
    }
    if !document.experiment.strokes.is_empty() {
        ui.horizontal(|ui| {
            let count = document.experiment.strokes.len();
            let strokes =
                if count == 1 { "1 stroke".to_owned() } else { format!("{count} strokes") };
            ui.label(strokes);
            if ui.button("Undo").on_hover_text(Action::Undo.hint(ui.ctx())).clicked() {
                actions.push(Action::Undo);
            }
            if ui
                .button("Clear drawing")
                .on_hover_text(Action::ClearDrawing.info().tooltip)
                .clicked()
            {
                actions.push(Action::ClearDrawing);
            }
        });
    }
}

fn algorithm_ui(ui: &mut egui::Ui, document: &mut Document, view: &View) {
    let run = view.run;
    let weak = ui.visuals().weak_text_color();
    ui.horizontal(|ui| {
        ui.label(RichText::new("Algorithm").heading());
        ui.label(RichText::new(document.experiment.algorithm_of(run).label).color(weak));
    });
    for row in ALGORITHMS.chunks(ALGORITHMS_IN_ROW) {
        algorithms_ui(ui, document, run, row);
    }
    let experiment = &mut document.experiment;
    let info = experiment.algorithm_of(run);
    let settings = experiment.settings_of(run);
    ui.label(RichText::new(format!("minimizes {}", info.formula_with(settings))).color(weak));
    // The first knob is what a lecture turns; stop rules and the rest fold away.
    let is_stop = |setting: &&&'static Setting| [MAX_ITER.key, TOL.key].contains(&setting.key);
    let own: Vec<&'static Setting> =
        info.settings.iter().filter(|s| !is_stop(s)).copied().collect();
    let (first, rest) = own.split_at(own.len().min(3));
    settings_ui(ui, first, settings);
    egui::CollapsingHeader::new("Stop rule and more").show_unindented(ui, |ui| {
        settings_ui(ui, &[&MAX_ITER, &TOL], settings);
        settings_ui(ui, rest, settings);
    });
}

/// How many algorithms stand side by side.
const ALGORITHMS_IN_ROW: usize = 5;

/// A row of algorithms, one of which may be the chosen one.
fn algorithms_ui(ui: &mut egui::Ui, document: &mut Document, run: BranchId, row: &[AlgorithmInfo]) {
    let chosen = document.experiment.algorithm_of(run).id;
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 4.0;
        // The longest name fits.
        ui.spacing_mut().button_padding.x = 1.0;
        let gaps = 4.0 * (ALGORITHMS_IN_ROW - 1) as f32;
        let width = (ui.available_width() - gaps) / ALGORITHMS_IN_ROW as f32;
        for info in row {
            let is_chosen = info.id == chosen;
            let button = egui::Button::new(RichText::new(info.short).strong())
                .selected(is_chosen)
                .min_size(egui::vec2(width, 28.0));
            let absence = info.needs_density().then(|| document.experiment.knows_density());
            let absence = absence.and_then(Result::err);
            let is_possible = absence.is_none();
            let response = ui.add_enabled(is_possible, button);
            response.widget_info(|| {
                let role = egui::Role::RadioButton;
                egui::WidgetInfo::selected(role, is_possible, is_chosen, info.label)
            });
            if let Some(absence) = absence {
                let why =
                    format!("{} needs the true score of the data, and {absence}.", info.label);
                response.on_disabled_hover_text(why);
                continue;
            }
            if response.on_hover_text(format!("{}. {}", info.label, info.help)).clicked() {
                document.mark();
                document.experiment.choose_algorithm_of(run, info.id);
            }
        }
    });
}

fn mixture_ui(ui: &mut egui::Ui, document: &mut Document, session: &Session) {
    let mut model = document.experiment.model.clone();
    settings_ui(ui, MODEL_SETTINGS, &mut model);
    let given_count = document.experiment.given.len();
    if given_count > 0 && model.integer(&N_COMPONENTS) != given_count {
        // Of the work of a hand, nothing is lost.
        document.mark();
        document.experiment.name_start();
    }
    document.experiment.model = model;
    let weak = ui.visuals().weak_text_color();
    if document.experiment.model.number(&REG_COVAR) == 0.0 {
        let warning =
            "No floor: a component may collapse onto a point, and its density grow without bound.";
        ui.colored_label(ui.visuals().warn_fg_color, warning);
    } else if let Some(snapshot) = session.snapshot() {
        let floor = snapshot.prepared.floor;
        let text = format!("floor {} · no axis shorter than {}", short(floor), short(floor.sqrt()));
        if snapshot.prepared.dataset.variance == 0.0 {
            let warning =
                "All points are equal: the floor is a share of 1 instead of their variance.";
            ui.colored_label(ui.visuals().warn_fg_color, warning);
        }
        ui.label(RichText::new(text).color(weak)).on_hover_text(
            "Added to the diagonal of every covariance, in squared units of the data; its root is the shortest \
             standard deviation a component can have.",
        );
    }
}

fn start_ui(ui: &mut egui::Ui, document: &mut Document, actions: &mut Vec<Action>) {
    means_ui(ui, document);
    if !document.experiment.given.is_empty() {
        let text = "Set by hand; another K or way puts it aside, undo brings it back.";
        ui.label(RichText::new(text).color(ui.visuals().weak_text_color()));
        return;
    }
    let start = &mut document.experiment.start;
    egui::CollapsingHeader::new("Weights, covariances and seed").show_unindented(ui, |ui| {
        settings_ui(ui, &[&initial::INIT_WEIGHTS, &initial::INIT_COVARIANCES], start);
        let seed = &initial::RANDOM_STATE;
        row_ui(ui, seed.label, |ui| {
            let mut value = start.integer(seed) as i64;
            let field = ui.add(egui::DragValue::new(&mut value).range(0..=4_294_967_295_i64));
            if field.changed() {
                start.set(seed.key, Value::Integer(value));
            }
            if ui.button("New start").on_hover_text(Action::NewStart.hint(ui.ctx())).clicked() {
                actions.push(Action::NewStart);
            }
            field
        })
        .on_hover_text(seed.help);
    });
}

/// How the means begin: one of the named ways, or by hand. Choosing a way puts a start that was given aside.
fn means_ui(ui: &mut egui::Ui, document: &mut Document) {
    let setting = &initial::INIT_PARAMS;
    let Kind::Choice { options, .. } = &setting.kind else { return };
    let is_given = !document.experiment.given.is_empty();
    let chosen = document.experiment.start.choice(setting);
    let label = options.iter().find(|(id, _)| *id == chosen).map_or("", |option| option.1);
    let mut clicked = None;
    row_ui(ui, setting.label, |ui| {
        egui::ComboBox::from_id_salt((setting.key, setting.label))
            .selected_text(if is_given { "by hand" } else { label })
            .width(ui.available_width())
            // All of them, without scrolling.
            .height(400.0)
            .show_ui(ui, |ui| {
                for (id, label) in *options {
                    if ui.selectable_label(!is_given && chosen == *id, *label).clicked() {
                        clicked = Some(*id);
                    }
                }
            })
            .response
    })
    .on_hover_text(format!("{}\nChanging it starts training again.", setting.help));
    if let Some(id) = clicked {
        document.mark();
        document.experiment.start.set(setting.key, Value::Choice(id.to_owned()));
        document.experiment.name_start();
    }
}
