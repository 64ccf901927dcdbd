//! Printing: how figures are exported, as the dialog asks for it and as it is remembered.

mod kept;

use std::ops::RangeInclusive;

use egui::{ColorImage, ComboBox, DragValue, TextureHandle, Ui, vec2};
use serde::{Deserialize, Serialize};

use super::exports::{Format, What};
use super::filming::{self, Film};
use crate::export::style::{Background, Preset, Style, Unit};
use crate::figures::Theme;

/// What is exported, in which format and in which style.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Printing {
    /// What.
    pub what: What,
    /// How it is written.
    pub format: Format,
    /// How many samples an export of them has; begins with as many as are on screen.
    #[serde(skip)]
    pub sample_count: Option<usize>,
    /// Size and length of a film.
    pub film: Film,
    /// Sizes, and what is shown besides the plots.
    style: Style,
    /// On what it is drawn; `None` for what the window has.
    background: Option<Background>,
}

/// An export of samples has at most so many.
const MOST_SAMPLES: usize = 1_000_000;

/// Panels side by side.
const COLUMNS: RangeInclusive<usize> = 1..=6;

impl Default for Printing {
    fn default() -> Printing {
        Printing {
            what: What::Canvas,
            format: Format::Png,
            sample_count: None,
            film: Film::default(),
            style: Style::of(Preset::Columns),
            background: None,
        }
    }
}

impl Printing {
    /// How figures look beside a window with this theme.
    #[must_use]
    pub fn style(&self, theme: Theme) -> Style {
        let background = self.background.unwrap_or(theme.into());
        let style = Style { background, ..self.style.clone() };
        if !self.what.is_film() {
            return style;
        }
        // Nothing lies below a film.
        let background = Background::from(background.theme());
        let Film { pixels, font_size, .. } = self.film;
        let Style { width, height, unit, dpi, font_size, .. } =
            Style::of_screen(pixels, font_size, background);
        Style {
            width,
            height,
            unit,
            dpi,
            font_size,
            background,
            // Its numbers would change with every frame, and push the panels about.
            has_color_bar: false,
            has_caption: false,
            ..style
        }
    }

    /// Why it cannot be drawn like that.
    #[must_use]
    pub fn problem(&self) -> Option<String> {
        let is_drawn = self.what.is_drawn();
        let error = self.style(Theme::Light).check().err().filter(|_| is_drawn);
        error.map(|error| error.to_string()).or_else(|| filming::problem(self))
    }

    /// What, among what there is, and the format, among those that it has.
    pub fn what_ui(&mut self, ui: &mut Ui, options: &[What]) {
        if !options.contains(&self.what) {
            self.what = options.first().copied().unwrap_or(What::Canvas);
        }
        ui.horizontal(|ui| {
            let label = ui.label("What");
            ComboBox::from_id_salt("what")
                .selected_text(self.what.label())
                .height(600.0)
                .show_ui(ui, |ui| {
                    for &option in options {
                        ui.selectable_value(&mut self.what, option, option.label());
                    }
                })
                .response
                .labelled_by(label.id);
            if !self.what.formats().contains(&self.format) {
                self.format = self.what.formats()[0];
            }
            for &option in self.what.formats() {
                ui.selectable_value(&mut self.format, option, option.label());
            }
        });
    }

    /// How many samples are exported.
    pub fn samples_ui(&mut self, ui: &mut Ui) {
        ui.horizontal(|ui| {
            let label = ui.label("How many");
            let count = self.sample_count.get_or_insert(1);
            let field = DragValue::new(count).range(1..=MOST_SAMPLES).speed(50.0);
            ui.add(field).labelled_by(label.id);
        });
    }

    /// Size, font, background, and what is shown besides the plots.
    pub fn style_ui(&mut self, ui: &mut Ui) {
        egui::Grid::new("style").num_columns(2).spacing([12.0, 6.0]).show(ui, |ui| {
            if self.what.is_film() {
                self.film.choices_ui(ui);
            } else {
                self.sizes_ui(ui);
            }
            ui.label("Colors");
            ui.horizontal(|ui| self.background_ui(ui));
            ui.end_row();
            ui.label("With");
            ui.horizontal(|ui| {
                let style = &mut self.style;
                ui.checkbox(&mut style.has_legend, "legend");
                if self.what.is_film() {
                    return;
                }
                ui.checkbox(&mut style.has_color_bar, "color bar")
                    .on_hover_text("Where colors stand for values: of densities, fields and maps");
                ui.checkbox(&mut style.has_caption, "caption")
                    .on_hover_text("Data, algorithm, settings, seeds and step in one sentence");
            });
            ui.end_row();
            if self.what.still() == What::Race {
                let label = ui.label("Panels");
                ui.horizontal(|ui| self.panels_ui(ui, label.id));
                ui.end_row();
            }
        });
    }

    /// Size on paper and of the text.
    fn sizes_ui(&mut self, ui: &mut Ui) {
        let label = ui.label("Size");
        ui.horizontal(|ui| {
            self.preset_ui(ui, label.id);
            self.unit_ui(ui);
        });
        ui.end_row();
        ui.label("");
        ui.horizontal(|ui| self.sides_ui(ui));
        ui.end_row();
        let label = ui.label("Text");
        ui.horizontal(|ui| self.resolution_ui(ui, label.id));
        ui.end_row();
    }

    fn preset_ui(&mut self, ui: &mut Ui, label: egui::Id) {
        let current = Preset::of(&self.style);
        let mut chosen = current;
        let name = current.map_or("own size", Preset::label);
        let shown = ComboBox::from_id_salt("preset").selected_text(name).width(170.0);
        let shown = shown.show_ui(ui, |ui| {
            for preset in Preset::ALL {
                ui.selectable_value(&mut chosen, Some(preset), preset.label());
            }
        });
        shown.response.labelled_by(label);
        if let Some(preset) = chosen.filter(|_| chosen != current) {
            preset.apply(&mut self.style);
        }
    }

    fn unit_ui(&mut self, ui: &mut Ui) {
        for unit in Unit::ALL {
            ui.selectable_value(&mut self.style.unit, unit, unit.symbol());
        }
    }

    /// Width and height; by itself, a figure is as high as what is on it asks for.
    fn sides_ui(&mut self, ui: &mut Ui) {
        let style = &mut self.style;
        let unit = style.unit;
        let label = ui.label("width");
        length_ui(ui, &mut style.width, unit, label.id);
        let mut is_given = style.height.is_some();
        let switch = ui.checkbox(&mut is_given, "height");
        let switch = switch.on_hover_text("Off, a figure is as high as what is on it asks for");
        if is_given != style.height.is_some() {
            style.height = is_given.then_some((0.75 * style.width * 100.0).round() / 100.0);
        }
        if let Some(height) = &mut style.height {
            length_ui(ui, height, unit, switch.id);
        }
    }

    fn resolution_ui(&mut self, ui: &mut Ui, label: egui::Id) {
        let style = &mut self.style;
        let size = DragValue::new(&mut style.font_size).range(4.0..=200.0).speed(0.2).suffix(" pt");
        ui.add(size).labelled_by(label).on_hover_text("Size of labels; 72 points are an inch");
        let name = if self.format == Format::Png { "pixels per inch" } else { "crowds per inch" };
        let label = ui.label(name);
        let dpi = DragValue::new(&mut style.dpi).range(36.0..=1200.0).speed(2.0).max_decimals(0);
        ui.add(dpi).labelled_by(label.id).on_hover_text(
            "Of a PNG, and of more than 5,000 points in a PDF or SVG, where all else has no pixels",
        );
        let [width, height] = style.pixels();
        if self.format == Format::Png {
            let words = match (width, height) {
                (Some(width), Some(height)) => format!("{width} × {height} px"),
                (width, _) => format!("{} px wide", width.unwrap_or_default()),
            };
            ui.weak(words);
        }
    }

    fn background_ui(&mut self, ui: &mut Ui) {
        ui.selectable_value(&mut self.background, None, "as on screen");
        // Nothing lies below a film.
        let is_film = self.what.is_film();
        let has = |option: &Background| !is_film || *option != Background::Transparent;
        for option in Background::ALL.into_iter().filter(has) {
            ui.selectable_value(&mut self.background, Some(option), option.id());
        }
    }

    fn panels_ui(&mut self, ui: &mut Ui, label: egui::Id) {
        let style = &mut self.style;
        let columns = DragValue::new(&mut style.columns).range(COLUMNS).suffix(" side by side");
        ui.add(columns).labelled_by(label);
        ui.checkbox(&mut style.shares_axes, "shared axes");
        ui.checkbox(&mut style.has_letters, "letters (a), (b)");
    }
}

/// A length that is kept in inches and shown in a unit.
fn length_ui(ui: &mut Ui, inches: &mut f64, unit: Unit, label: egui::Id) {
    let mut value = *inches * unit.per_inch();
    let range = [1.0, 60.0].map(|side| side * unit.per_inch());
    let suffix = format!(" {}", unit.symbol());
    let field = DragValue::new(&mut value).range(range[0]..=range[1]).speed(0.05);
    let field = field.max_decimals(2).suffix(suffix);
    if ui.add(field).labelled_by(label).changed() {
        *inches = value / unit.per_inch();
    }
}

/// A small picture of what would be saved, drawn by a job.
#[derive(Default)]
pub struct Preview {
    /// What it is, or will be, a picture of.
    asked: Option<Printing>,
    is_awaited: bool,
    shown: Option<Result<TextureHandle, String>>,
}

/// Longest sides of the preview on screen, in points.
const PREVIEW: [f32; 2] = [520.0, 280.0];

impl Preview {
    /// True if somebody should draw this; only one is drawn at a time, and the last one is never left out.
    pub fn asks(&mut self, printing: &Printing) -> bool {
        // The format makes no difference to the picture.
        let same = Printing { format: Format::Png, ..printing.clone() };
        if self.is_awaited || self.asked.as_ref() == Some(&same) {
            return false;
        }
        self.asked = Some(same);
        self.is_awaited = true;
        true
    }

    /// Takes the picture that was asked for, or why there is none.
    pub fn take(&mut self, picture: anyhow::Result<ColorImage>, ctx: &egui::Context) {
        self.is_awaited = false;
        let texture = |image| ctx.load_texture("preview", image, egui::TextureOptions::LINEAR);
        self.shown = Some(picture.map(texture).map_err(|error| error.to_string()));
    }

    /// True once the picture that was asked for last is there.
    #[must_use]
    pub fn is_drawn(&self) -> bool {
        !self.is_awaited && matches!(self.shown, Some(Ok(_)))
    }

    /// Why there is no picture.
    #[must_use]
    pub fn problem(&self) -> Option<&str> {
        self.shown.as_ref()?.as_ref().err().map(String::as_str)
    }

    /// Shows it in a place that does not change its size while pictures come.
    pub fn show_ui(&self, ui: &mut Ui) {
        let size = vec2(PREVIEW[0].min(ui.available_width()), PREVIEW[1]);
        ui.allocate_ui_with_layout(size, egui::Layout::top_down(egui::Align::Center), |ui| {
            ui.set_min_size(size);
            match &self.shown {
                Some(Ok(texture)) => {
                    let image = egui::Image::new(texture).max_size(size).shrink_to_fit();
                    ui.add(image.alt_text("Preview of the figure"));
                }
                Some(Err(_)) => {}
                None => {
                    ui.weak("drawing a preview…");
                }
            }
        });
    }
}

/// The style of a preview: the same figure with as many pixels as fit into the dialog.
#[must_use]
pub fn small(style: &Style, pixels_per_point: f32) -> Style {
    let dpi = f64::from(PREVIEW[0] * pixels_per_point) / style.width;
    Style { dpi: dpi.clamp(18.0, style.dpi.max(18.0)), ..style.clone() }
}
