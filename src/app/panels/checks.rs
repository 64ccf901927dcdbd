//! The checks page: every formula against an independent computation, on the mixture and the points that are shown.

use egui::RichText;

use crate::training::checks::Check;

/// What has been checked.
#[derive(Default)]
pub struct Checks {
    /// True with the page open.
    pub is_open: bool,
    /// Of which step; `None` before anything was asked for.
    pub step: Option<usize>,
    /// The results, once they are there.
    pub results: Option<Vec<Check>>,
}

/// Shows the page until it is closed.
pub fn checks_ui(ctx: &egui::Context, checks: &mut Checks) {
    if checks.is_open && ctx.input(|input| input.key_pressed(egui::Key::Escape)) {
        checks.is_open = false;
    }
    let Checks { is_open, step, results } = checks;
    egui::Window::new("Checks")
        .collapsible(false)
        .resizable(false)
        .open(is_open)
        .pivot(egui::Align2::CENTER_CENTER)
        .default_pos(ctx.content_rect().center())
        .default_height(0.85 * ctx.content_rect().height())
        .vscroll(true)
        .show(ctx, |ui| {
            ui.set_width(620.0);
            let step = step.unwrap_or(0);
            ui.label(format!(
                "Every formula against another way to compute it, on the mixture of step {step} and up to a hundred of \
                 your training points."
            ));
            ui.add_space(6.0);
            let Some(results) = results else {
                ui.horizontal(|ui| {
                    ui.spinner();
                    ui.label("Computing…");
                });
                return;
            };
            let wrong = results.iter().filter(|check| !check.is_good()).count();
            let verdict = match wrong {
                0 => format!("All {} agree.", results.len()),
                _ => format!("{wrong} of {} do not agree.", results.len()),
            };
            ui.label(RichText::new(verdict).heading());
            ui.add_space(4.0);
            egui::Grid::new("checks").num_columns(5).spacing([18.0, 5.0]).striped(true).show(
                ui,
                |ui| {
                    for heading in ["", "what", "against", "error", "allowed"] {
                        ui.label(RichText::new(heading).weak());
                    }
                    ui.end_row();
                    for check in results.iter() {
                        let (mark, color) = if check.is_good() {
                            ("ok", ui.visuals().text_color())
                        } else {
                            ("wrong", ui.visuals().error_fg_color)
                        };
                        ui.label(RichText::new(mark).color(color).strong());
                        ui.label(&check.what);
                        ui.label(check.against);
                        ui.monospace(format!("{:.1e}", check.error));
                        ui.monospace(format!("{:.1e}", check.allowed));
                        ui.end_row();
                    }
                },
            );
        });
}
