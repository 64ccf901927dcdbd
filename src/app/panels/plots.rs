//! The panel on the right: likelihood, objective and weights of a run, many runs, or maps.

use crate::app::action::Action;
use crate::app::document::Document;
use crate::app::maps::Maps;
use crate::app::particles::Particles;
use crate::app::redrawn::Redrawn;
use crate::app::seeds::Seeds;
use crate::app::session::Session;
use crate::app::taken_apart::Breakdown;
use crate::app::truth::Truths;
use crate::app::view::{Plots, View};
use crate::app::views;

/// What the panel shows beside the runs themselves.
pub struct Beside<'a> {
    /// Many starts.
    pub seeds: &'a mut Seeds,
    /// Maps over a square.
    pub maps: &'a mut Maps,
    /// The loss taken apart, once it is.
    pub breakdown: Option<&'a Breakdown>,
    /// The objective with other draws.
    pub redrawn: &'a Redrawn,
    /// How far runs are from the known density.
    pub truth: &'a Truths,
    /// Particles that walk.
    pub particles: &'a Particles,
}

/// Draws the panel.
pub fn plots_ui(
    ui: &mut egui::Ui,
    document: &mut Document,
    session: &Session,
    Beside { seeds, maps, breakdown, redrawn, truth, particles }: Beside<'_>,
    view: &mut View,
    actions: &mut Vec<Action>,
) {
    let width = (ui.available_width() * 0.27).clamp(330.0, 560.0);
    let frame =
        super::frame(ui).inner_margin(egui::Margin { right: 14, ..egui::Margin::symmetric(8, 2) });
    egui::Panel::right("plots").frame(frame).exact_size(width).resizable(false).show(ui, |ui| {
        ui.add_space(4.0);
        ui.horizontal_wrapped(|ui| {
            // All of them in one row.
            ui.spacing_mut().item_spacing.x = 2.0;
            ui.spacing_mut().button_padding.x = 5.0;
            let terms = Action::ShowTerms.hint(ui.ctx());
            for (plots, word, name, help) in [
                (
                    Plots::Run,
                    "Run",
                    "This run",
                    "Likelihood, objective and weights of the run on the canvas; forks and races.",
                ),
                (
                    Plots::Seeds,
                    "Seeds",
                    "Many seeds",
                    "The same experiment from many starts: a fan of curves, and where they end.",
                ),
                (
                    Plots::Maps,
                    "Maps",
                    "Maps",
                    "Where training ends from every start of a mean, and the objective as a landscape.",
                ),
                (Plots::Terms, "Terms", "Terms", &*terms),
                (
                    Plots::Truth,
                    "Truth",
                    "Truth",
                    "How far the runs are from the known density of the data: KL and Fisher divergence.",
                ),
                (
                    Plots::Sample,
                    "Sample",
                    "Sample",
                    "Particles that walk on a density by Langevin, Metropolis and others, beside exact samples.",
                ),
            ] {
                let is_chosen = view.plots == plots;
                let response = ui.selectable_label(is_chosen, word);
                response.widget_info(|| {
                    egui::WidgetInfo::selected(egui::Role::Tab, true, is_chosen, name)
                });
                if response.on_hover_text(help).clicked() {
                    view.plots = plots;
                }
            }
        });
        if view.plots == Plots::Sample {
            let can_walk = session.snapshot().is_some();
            return views::sample_ui(ui, particles, view, can_walk, actions);
        }
        if view.plots == Plots::Terms {
            return views::terms_ui(ui, breakdown, redrawn, view);
        }
        if view.plots == Plots::Maps {
            return views::maps_ui(ui, document, session, maps, view, actions);
        }
        if view.plots == Plots::Truth {
            egui::ScrollArea::vertical()
                .show(ui, |ui| views::truth_ui(ui, document, session, truth, view));
            return;
        }
        if view.plots == Plots::Seeds {
            let can_run = session.snapshot().is_some();
            return views::seeds_ui(ui, document, seeds, view, can_run, actions);
        }
        views::runs_ui(ui, document, session, view, actions);
        views::guesses_ui(ui, session, view);
        // Likelihood is what the room looks at. What remains is headings, legends and axes.
        if session.tracks().len() > 1 {
            let room = ui.available_height() - 110.0;
            views::race_ui(ui, 0.62 * room, document, session, view);
            ui.separator();
            views::objective_ui(ui, 0.38 * room, document, session, view);
            return;
        }
        let room = ui.available_height() - 158.0;
        views::nll_ui(ui, 0.42 * room, session, view);
        ui.separator();
        views::objective_ui(ui, 0.33 * room, document, session, view);
        ui.separator();
        views::weights_ui(ui, 0.25 * room, session, view);
    });
}
