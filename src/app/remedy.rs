//! Remedy: what the window says when training breaks, and what it offers against it.

use egui::{Align2, RichText, Shape, Stroke as Pen, vec2};
use egui_plot::PlotTransform;

use super::grip::on_screen;
use super::plot::color32;
use super::session::Session;
use super::view::{Guard, View};
use super::{App, start, theme};
use crate::algorithms::given::{self, GivenComponent};
use crate::algorithms::{LEARNING_RATE, MAX_GRAD_NORM};
use crate::figures::Palette;
use crate::model::{Density, REG_COVAR};
use crate::settings::Value;
use crate::training::guard::Symptom;

/// What may help.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remedy {
    /// No axis may become that short: begin again with a floor.
    Floor,
    /// Go on from here by denoising, which smooths every point.
    Denoise,
    /// Go on with half the learning rate.
    SmallerSteps,
    /// Go on with a clipped gradient.
    Clip,
    /// Put the component somewhere else and go on.
    Restart,
    /// Go on as it is.
    GoOn,
    /// Go on, and never stop for this again.
    Off,
}

/// The floor that is offered, as a share of the data's variance: the default.
const FLOOR: f64 = 1e-4;

/// The norm to which gradients are clipped.
const CLIP: f64 = 10.0;

impl Remedy {
    fn label(self) -> &'static str {
        match self {
            Remedy::Floor => "Start again with a floor",
            Remedy::Denoise => "Fork with denoising",
            Remedy::SmallerSteps => "Halve the steps",
            Remedy::Clip => "Clip the gradient",
            Remedy::Restart => "Restart this component",
            Remedy::GoOn => "Go on",
            Remedy::Off => "Never stop",
        }
    }

    fn help(self) -> &'static str {
        match self {
            Remedy::Floor => {
                "Adds a ten-thousandth of the data's variance to the diagonal of every covariance, so that no component \
                 can shrink onto a point; training begins again."
            }
            Remedy::Denoise => {
                "Another run leaves at the step shown and goes on by denoising score matching: with noise on the points \
                 there is no point left to shrink onto."
            }
            Remedy::SmallerSteps => "Goes on with half the learning rate.",
            Remedy::Clip => "Goes on with the gradient's norm cut off at 10.",
            Remedy::Restart => {
                "Another run leaves at the step shown, where this component is put on the data afresh: at the training \
                 point that the mixture explains least, as wide as the others."
            }
            Remedy::GoOn => {
                "Goes on as it is; this component, or this cause, is not told of again."
            }
            Remedy::Off => {
                "Goes on, and training no longer stops when something goes wrong; Train, Guard switches it on again."
            }
        }
    }

    /// What helps against a symptom.
    fn against(symptom: &Symptom) -> Vec<Remedy> {
        let own: &[Remedy] = match symptom {
            Symptom::Collapse { .. } => &[Remedy::Floor, Remedy::Denoise, Remedy::Restart],
            Symptom::DeadWeight { .. } => &[Remedy::Restart],
            Symptom::Divergence { .. } | Symptom::Explosion { .. } | Symptom::NotFinite => {
                &[Remedy::SmallerSteps, Remedy::Clip, Remedy::Floor]
            }
        };
        own.iter().copied().chain([Remedy::GoOn, Remedy::Off]).collect()
    }
}

/// Why the objective rewards a symptom, where it does.
fn reason(symptom: &Symptom, algorithm_id: &str) -> &'static str {
    match symptom {
        Symptom::Collapse { .. } if ["em", "nll"].contains(&algorithm_id) => {
            "A density may be as high as it likes on a single point: the likelihood grows there without bound, though \
             only like −log r as the radius r shrinks."
        }
        Symptom::Collapse { .. } => {
            "Score matching rewards this without bound: of n points, one that a component of radius r sits on lowers the \
             loss like −2/(n r²), where the likelihood would gain only −log r."
        }
        Symptom::DeadWeight { .. } => "A component that owns no point has nothing to learn from.",
        Symptom::Divergence { .. } | Symptom::Explosion { .. } | Symptom::NotFinite => {
            "Far from the points the gradient tells little about where they are."
        }
    }
}

/// What is wrong with the chosen run, if that has stopped it.
fn symptom(session: &Session) -> Option<Symptom> {
    Symptom::of(session.finish()?, &session.shown()?.mixture)
}

/// Circles the culprit; gives where it is on screen.
pub fn culprit_ui(
    brush: &egui::Painter,
    transform: &PlotTransform,
    session: &Session,
    palette: &Palette,
) -> Option<egui::Pos2> {
    let component = symptom(session).and_then(|symptom| symptom.component());
    let shown = session.shown().map(|moment| &moment.mixture);
    let culprit = component.zip(shown).and_then(|(k, mixture)| mixture.components().get(k));
    let at = on_screen(transform, culprit?.gaussian.mean);
    for (width, color) in [(6.0, palette.plot_background), (3.0, palette.categorical[1])] {
        brush.add(Shape::circle_stroke(at, 22.0, Pen::new(width, color32(color))));
    }
    Some(at)
}

/// Says what is wrong over the canvas, and offers what may help; gives what was chosen.
pub fn remedy_ui(
    ctx: &egui::Context,
    canvas: egui::Rect,
    culprit: Option<egui::Pos2>,
    session: &Session,
    view: &View,
) -> Option<Remedy> {
    let symptom = symptom(session)?;
    let algorithm = session.snapshot().map_or("", |s| s.experiment.algorithm_id.as_str());
    let palette = view.theme.palette();
    let mut chosen = None;
    // In the other half, not to hide what it is about.
    let (pivot, at) = if culprit.is_some_and(|at| at.y > canvas.center().y) {
        (Align2::CENTER_TOP, canvas.center_top() + vec2(0.0, 10.0))
    } else {
        (Align2::CENTER_BOTTOM, canvas.center_bottom() - vec2(0.0, 10.0))
    };
    egui::Area::new(egui::Id::unique("remedy"))
        .pivot(pivot)
        .fixed_pos(at)
        .order(egui::Order::Middle)
        .show(ctx, |ui| {
            let frame = egui::Frame::popup(ui.style())
                .fill(theme::panel_fill(view.theme))
                .inner_margin(14.0);
            frame.show(ui, |ui| {
                ui.set_max_width((canvas.width() - 60.0).min(620.0));
                let words = symptom.to_string();
                let mut letters = words.chars();
                let first = letters.next().map(|c| c.to_uppercase().to_string());
                let words = format!("{}{}.", first.unwrap_or_default(), letters.as_str());
                ui.label(RichText::new(words).strong().size(16.0));
                let reason = RichText::new(reason(&symptom, algorithm));
                ui.label(reason.color(color32(palette.weak_text)));
                ui.add_space(6.0);
                ui.horizontal_wrapped(|ui| {
                    for remedy in Remedy::against(&symptom) {
                        let needs_gradient = matches!(remedy, Remedy::SmallerSteps | Remedy::Clip);
                        if needs_gradient && algorithm == "em" {
                            continue;
                        }
                        let button = ui.button(remedy.label());
                        if button.on_hover_text(remedy.help()).clicked() {
                            chosen = Some(remedy);
                        }
                    }
                });
            });
        });
    chosen
}

impl App {
    /// Does what was chosen against a symptom.
    pub(super) fn apply_remedy(&mut self, remedy: Remedy) {
        let symptom = symptom(&self.session);
        let run = self.view.run;
        self.document.mark();
        match remedy {
            Remedy::Floor => {
                let floor = self.document.experiment.model.number(&REG_COVAR).max(FLOOR / 10.0);
                let floor = Value::Number((10.0 * floor).min(0.1));
                self.document.experiment.model.set(REG_COVAR.key, floor);
                return;
            }
            Remedy::Denoise => {
                let step = self.session.shown().map_or(0, |moment| moment.record.step);
                if start::fork(&mut self.document, &mut self.view, step) {
                    self.document.experiment.choose_algorithm_of(self.view.run, "dsm");
                }
                return;
            }
            Remedy::Restart => {
                if let Some(component) = symptom.and_then(|symptom| symptom.component()) {
                    self.restart_component(component);
                }
                return;
            }
            Remedy::SmallerSteps => {
                let experiment = &mut self.document.experiment;
                let halved = experiment.settings_of(run).number(&LEARNING_RATE) / 2.0;
                experiment.settings_of(run).set(LEARNING_RATE.key, Value::Number(halved));
            }
            Remedy::Clip => {
                let settings = self.document.experiment.settings_of(run);
                settings.set(MAX_GRAD_NORM.key, Value::Number(CLIP));
            }
            Remedy::GoOn => {}
            Remedy::Off => self.view.guard = Guard::Off,
        }
        self.notice = None;
        self.view.leave_past();
        self.session.play(false);
    }

    /// Puts a component on the data afresh, in a run that leaves at the step shown.
    fn restart_component(&mut self, component: usize) {
        let Some(editable) = start::editable(&self.document, &self.session, &self.view) else {
            return;
        };
        let Some(dataset) = self.session.dataset() else { return };
        let mut components = editable.components;
        let mixture = &editable.shown;
        let least = dataset
            .train
            .iter()
            .min_by(|a, b| mixture.log_density(**a).total_cmp(&mixture.log_density(**b)));
        let Some(place) = least.map(|place| editable.scaling.undo(*place)) else { return };
        if components.len() < 2 || component >= components.len() {
            return;
        }
        let others: Vec<GivenComponent> = components
            .iter()
            .enumerate()
            .filter(|(k, _)| *k != component)
            .map(|(_, c)| *c)
            .collect();
        let mut fresh = others;
        given::add(&mut fresh, place);
        // In its own place again, so that its number stays.
        if let Some(added) = fresh.pop() {
            fresh.insert(component, added);
            components = fresh;
        }
        start::put(&mut self.document, &mut self.view, components, editable.step);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::training::Experiment;

    #[test]
    fn every_symptom_has_a_reason_and_a_way_on() {
        let symptoms = [
            Symptom::Collapse { component: 0, near: [0.0; 2], radius: 1e-4 },
            Symptom::DeadWeight { component: 1, weight: 1e-9 },
            Symptom::Divergence { best: 1.0, now: 9.0 },
            Symptom::Explosion { norm: 1e9, usual: 1.0 },
        ];
        for symptom in symptoms {
            let remedies = Remedy::against(&symptom);
            assert!(remedies.contains(&Remedy::GoOn) && remedies.len() > 2, "{symptom}");
            assert!(reason(&symptom, "sm").len() > 20);
        }
        let collapse = Symptom::Collapse { component: 0, near: [0.0; 2], radius: 1e-4 };
        assert_ne!(reason(&collapse, "em"), reason(&collapse, "sm"));
        let experiment = Experiment::default();
        assert!(experiment.model.number(&REG_COVAR) >= FLOOR);
    }
}
