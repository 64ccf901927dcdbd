//! View: the loss of exact score matching taken apart: two bars that add up, the formula with its values, and the
//! points that weigh most.

use egui::{Align2, Color32, FontId, Rect, RichText, Stroke, pos2, vec2};

use super::redraws::redraws_ui;
use super::{heading_ui, small_plot_ui};
use crate::app::plot::color32;
use crate::app::redrawn::Redrawn;
use crate::app::taken_apart::{Breakdown, Running, Taken};
use crate::app::view::View;
use crate::figures::shade::{alike, hue, number};
use crate::figures::{Theme, terms};
use crate::objectives::Term;

/// Draws the view.
pub fn terms_ui(ui: &mut egui::Ui, breakdown: Option<&Breakdown>, redrawn: &Redrawn, view: &View) {
    let Some(breakdown) = breakdown else {
        let text = "Shows what every training point adds to the loss of exact score matching, once there is a model \
                    whose terms are finite.";
        ui.label(RichText::new(text).color(ui.visuals().weak_text_color()));
        return;
    };
    egui::ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
        heading_ui(ui, "Score matching", |ui| {
            let count = breakdown.points().len();
            ui.label(weak(ui, format!("step {}, {count} points", breakdown.step)));
        });
        bars_ui(ui, breakdown.terms.mean, view.theme);
        ui.separator();
        match &breakdown.running {
            Some(Taken::Apart(running)) => {
                running_ui(ui, running, breakdown, view.theme);
                ui.separator();
            }
            Some(Taken::TooMuch) => {
                let text = "Too many draws of too many points to take the running objective apart.";
                ui.label(weak(ui, text.to_owned()));
                ui.separator();
            }
            Some(Taken::Unknown) | None => {}
        }
        redraws_ui(ui, redrawn, breakdown.step, view);
        heading_ui(ui, "Terms", |ui| {
            let end = number(breakdown.shade.high);
            ui.label(weak(ui, format!("dashed: mean; bars end at ±{end}")));
        });
        let palette = view.theme.palette();
        let plot = terms::histogram(&breakdown.terms, &breakdown.shade, view.theme);
        let room = (ui.available_height() - 270.0).clamp(124.0, 260.0);
        small_plot_ui(ui, &plot, room, palette);
        ui.separator();
        largest_ui(ui, breakdown, view.theme);
    });
}

fn weak(ui: &egui::Ui, text: String) -> RichText {
    RichText::new(text).color(ui.visuals().weak_text_color())
}

/// A bar of the sum: what it stands for, where it begins and what it adds.
struct Bar {
    name: &'static str,
    from: f64,
    value: f64,
    color: Color32,
}

/// The bars of the mean term: the trace from zero, the norm from where the trace ends, and both together.
fn bars(mean: Term, theme: Theme) -> [Bar; 3] {
    let color = |value: f64| color32(hue(value.signum(), theme));
    let Term { trace, norm } = mean;
    let sum = color32(theme.palette().categorical[2]);
    [
        Bar { name: "tr ∇s(x)", from: 0.0, value: trace, color: color(trace) },
        Bar { name: "½‖s(x)‖²", from: trace, value: norm, color: color(norm) },
        Bar { name: "sum", from: 0.0, value: mean.total(), color: sum },
    ]
}

/// Height of a bar with the space to the next.
const ROW: f32 = 27.0;

/// Draws the bars below each other, so that the second begins where the first ends, and the third where it all began.
fn bars_ui(ui: &mut egui::Ui, mean: Term, theme: Theme) {
    let bars = bars(mean, theme);
    let palette = theme.palette();
    let ends = bars.iter().flat_map(|bar| [bar.from, bar.from + bar.value]);
    let (low, high) =
        ends.fold((0.0_f64, 0.0_f64), |(low, high), end| (low.min(end), high.max(end)));
    let size = if (high - low).is_finite() { (high - low).max(1e-12) } else { 1.0 };
    let wanted = vec2(ui.available_width(), 3.0 * ROW + 4.0);
    let (area, response) = ui.allocate_exact_size(wanted, egui::Sense::hover());
    let numbers = alike(&[mean.trace, mean.norm, mean.total()]);
    let text = bars.iter().zip(&numbers).map(|(bar, number)| format!("{} {number}", bar.name));
    let text = text.collect::<Vec<_>>().join(", ");
    response.widget_info(|| {
        egui::WidgetInfo::labeled(egui::Role::Figure, true, format!("Bars: {text}"))
    });
    let brush = ui.painter();
    let inside = Rect::from_x_y_ranges(area.left() + 74.0..=area.right() - 66.0, area.y_range());
    let x = |value: f64| inside.left() + ((value - low) / size) as f32 * inside.width();
    let weak = color32(palette.weak_text);
    brush.vline(x(0.0), inside.y_range(), Stroke::new(1.0, weak));
    let font = FontId::proportional(14.0);
    for (i, (bar, number)) in (0_u8..).zip(bars.iter().zip(numbers)) {
        let middle = area.top() + (f32::from(i) + 0.5) * ROW + 2.0;
        let (from, to) = (x(bar.from), x(bar.from + bar.value));
        let rect = Rect::from_x_y_ranges(
            from.min(to)..=from.max(to).max(from.min(to) + 1.0),
            middle - 8.0..=middle + 8.0,
        );
        brush.rect_filled(rect, 2.0, bar.color);
        // To where the next bar begins, or ends.
        if i < 2 {
            let down = middle + 8.0..=middle + ROW - 8.0;
            brush.vline(to, down, Stroke::new(1.0, weak));
        }
        let at = pos2(area.left(), middle);
        brush.text(at, Align2::LEFT_CENTER, bar.name, font.clone(), color32(palette.text));
        let at = pos2(area.right(), middle);
        brush.text(at, Align2::RIGHT_CENTER, number, font.clone(), color32(palette.text));
    }
}

/// The formula of the running objective with a value under each of its terms.
fn running_ui(ui: &mut egui::Ui, running: &Running, breakdown: &Breakdown, theme: Theme) {
    let Running { info, parts, point_count, is_of_step, has_draws } = running;
    heading_ui(ui, &format!("Objective of {}", info.short), |ui| {
        if *point_count < breakdown.points().len() {
            ui.label(weak(ui, format!("mini-batch of {point_count}")));
        }
    });
    let sum: f64 = parts.iter().map(|part| part.value).sum();
    let values: Vec<f64> = parts.iter().map(|part| part.value).chain([sum]).collect();
    let numbers = alike(&values);
    ui.horizontal_wrapped(|ui| {
        for (i, (part, number)) in parts.iter().zip(&numbers).enumerate() {
            if i > 0 {
                // A symbol may bring a minus of its own.
                let sign = if part.symbol.starts_with('−') { "" } else { "+" };
                column_ui(ui, sign, "+", theme);
            }
            column_ui(ui, &part.symbol, number, theme);
        }
        if parts.len() > 1 {
            column_ui(ui, "=", "=", theme);
            column_ui(ui, info.short, &numbers[parts.len()], theme);
        }
    });
    if !is_of_step && breakdown.objective.is_finite() {
        let saw = number(breakdown.objective);
        let text = if *has_draws {
            format!("with draws of its own; the run saw {saw} with others")
        } else {
            // The parts are summed in another order than the objective.
            format!("the run saw {saw}, rounded otherwise in a thin component")
        };
        ui.label(weak(ui, text));
    }
}

/// A piece of a formula with its value below, both centered.
fn column_ui(ui: &mut egui::Ui, symbol: &str, value: &str, theme: Theme) {
    let palette = theme.palette();
    let layout = |text: &str, size: f32, width: f32| {
        ui.painter().layout(
            text.to_owned(),
            FontId::proportional(size),
            Color32::PLACEHOLDER,
            width,
        )
    };
    let wide = ui.available_size_before_wrap().x.max(ui.max_rect().width());
    let (above, below) = (layout(symbol, 13.5, wide), layout(value, 15.0, wide));
    let size = vec2(above.size().x.max(below.size().x), above.size().y + below.size().y + 3.0);
    let (rect, response) = ui.allocate_exact_size(size, egui::Sense::hover());
    let words = format!("{symbol}: {value}");
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Label, true, &words));
    let place =
        |galley: &egui::Galley, top: f32| pos2(rect.center().x - galley.size().x / 2.0, top);
    let (first, second) =
        (place(&above, rect.top()), place(&below, rect.top() + above.size().y + 3.0));
    ui.painter().galley(first, above, color32(palette.weak_text));
    ui.painter().galley(second, below, color32(palette.text));
}

/// The points that weigh most, as a table.
fn largest_ui(ui: &mut egui::Ui, breakdown: &Breakdown, theme: Theme) {
    let Breakdown { terms, largest, .. } = breakdown;
    let size = |i: usize| terms.of_points[i].total().abs();
    let all: f64 = (0..terms.of_points.len()).map(size).filter(|size| size.is_finite()).sum();
    let share = 100.0 * largest.iter().map(|&i| size(i)).sum::<f64>() / all.max(f64::MIN_POSITIVE);
    heading_ui(ui, "Largest terms", |ui| {
        let help = "Share of the sizes of all terms, be they above or below zero.";
        ui.label(weak(ui, format!("circled; {share:.1} % of all"))).on_hover_text(help);
    });
    // Many rows, of which none is pressed.
    ui.spacing_mut().interact_size.y = 0.0;
    let spacing = [14.0, 3.0];
    egui::Grid::new("largest").num_columns(4).spacing(spacing).striped(true).show(ui, |ui| {
        for heading in ["point", "tr ∇s", "½‖s‖²", "sum"] {
            ui.label(weak(ui, heading.to_owned()).size(13.0));
        }
        ui.end_row();
        for &i in largest {
            let term = terms.of_points[i];
            let [x, y] = breakdown.points()[i].map(|v| format!("{v:.2}").replace('-', "−"));
            ui.label(RichText::new(format!("({x}, {y})")).size(13.0));
            let numbers = alike(&[term.trace, term.norm, term.total()]);
            for number in &numbers[..2] {
                ui.label(RichText::new(number).size(13.0));
            }
            let color = color32(breakdown.shade.point_color(term.total(), theme));
            ui.label(RichText::new(&numbers[2]).size(13.0).strong().color(color));
            ui.end_row();
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_begin_where_the_others_end() {
        for (trace, norm) in [(-3.0, 1.2), (0.5, 0.7), (-1.0, 4.0)] {
            let [first, second, sum] = bars(Term { trace, norm }, Theme::Dark);
            assert_eq!((first.from, first.value), (0.0, trace));
            assert_eq!(second.from, first.from + first.value);
            assert_eq!((sum.from, sum.value), (0.0, second.from + second.value));
            assert_eq!(first.color == second.color, trace > 0.0);
        }
    }
}
