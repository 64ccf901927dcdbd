//! Small pictures of the data sets, one click each.

use egui::{Rect, Sense, Stroke, Vec2, pos2, vec2};

use crate::app::plot::color32;
use crate::app::theme;
use crate::data::generators::{GENERATORS, Generator};
use crate::figures::Theme;
use crate::model::{Bounds, Point};
use crate::random::{Purpose, generator};
use crate::settings::Settings;

/// What the grid offers.
#[derive(Clone, Copy)]
pub enum Choice {
    /// A data set.
    Generator(&'static Generator),
    /// A canvas to draw on.
    Empty,
}

/// A few points of every data set.
pub struct Thumbnails {
    points: Vec<Vec<Point>>,
}

const POINT_COUNT: usize = 160;

impl Thumbnails {
    /// Draws a few points of every generator with its default settings.
    #[must_use]
    pub fn new() -> Thumbnails {
        let points = GENERATORS.iter().map(|info| {
            let mut rng = generator(0, Purpose::Data);
            unit_square(&(info.generate)(&Settings::default(), POINT_COUNT, &mut rng))
        });
        Thumbnails { points: points.collect() }
    }

    /// A grid of pictures; gives the one that was clicked.
    pub fn grid_ui(
        &self,
        ui: &mut egui::Ui,
        chosen: Option<Choice>,
        theme: Theme,
    ) -> Option<Choice> {
        let mut clicked = None;
        let columns = 5;
        let gap = 10.0;
        let side = ((ui.available_width() - gap * (columns - 1) as f32) / columns as f32).floor();
        egui::Grid::new("data sets").spacing([gap, gap]).min_col_width(side).show(ui, |ui| {
            for (i, info) in GENERATORS.iter().enumerate() {
                let is_chosen =
                    matches!(chosen, Some(Choice::Generator(chosen)) if chosen.id == info.id);
                let response = picture_ui(ui, side, &self.points[i], is_chosen, info.label, theme);
                if response.on_hover_text(format!("{}. {}", info.label, info.help)).clicked() {
                    clicked = Some(Choice::Generator(info));
                }
                if (i + 1) % columns == 0 {
                    ui.end_row();
                }
            }
            let is_chosen = matches!(chosen, Some(Choice::Empty));
            let response = picture_ui(ui, side, &[], is_chosen, "Empty canvas", theme);
            ui.painter().text(
                response.rect.center(),
                egui::Align2::CENTER_CENTER,
                egui_material_icons::icons::ICON_DRAW.codepoint,
                egui::FontId::new(side * 0.5, egui_material_icons::icons::ICON_DRAW.font_family()),
                ui.visuals().text_color(),
            );
            if response.on_hover_text("Empty canvas. Draw your own points.").clicked() {
                clicked = Some(Choice::Empty);
            }
        });
        clicked
    }
}

fn picture_ui(
    ui: &mut egui::Ui,
    side: f32,
    points: &[Point],
    is_chosen: bool,
    label: &str,
    theme: Theme,
) -> egui::Response {
    let (rect, response) = ui.allocate_exact_size(Vec2::splat(side), Sense::click());
    response.widget_info(|| {
        egui::WidgetInfo::selected(egui::Role::RadioButton, true, is_chosen, label)
    });
    let palette = theme.palette();
    let background = color32(palette.plot_background);
    let line = if is_chosen {
        Stroke::new(2.0, color32(palette.accent))
    } else if response.hovered() || response.has_focus() {
        Stroke::new(1.0, color32(palette.weak_text))
    } else {
        Stroke::new(1.0, theme::mix(background, color32(palette.weak_text), 0.3))
    };
    ui.painter().rect(rect, 6.0, background, line, egui::StrokeKind::Inside);
    let inside = rect.shrink(side * 0.14);
    let color =
        color32(if is_chosen { palette.accent } else { palette.train }).gamma_multiply(0.85);
    for &[x, y] in points {
        ui.painter().circle_filled(place(inside, x, y), 1.0, color);
    }
    response
}

fn place(rect: Rect, x: f64, y: f64) -> egui::Pos2 {
    pos2(rect.left(), rect.bottom()) + vec2(x as f32 * rect.width(), -y as f32 * rect.height())
}

/// The points moved and scaled into the unit square, without distortion.
fn unit_square(points: &[Point]) -> Vec<Point> {
    let Some(bounds) = Bounds::around(points) else { return Vec::new() };
    let size = bounds.size();
    let side = size[0].max(size[1]).max(f64::MIN_POSITIVE);
    let center = bounds.center();
    points
        .iter()
        .map(|p| std::array::from_fn(|axis| 0.5 + (p[axis] - center[axis]) / side))
        .collect()
}
