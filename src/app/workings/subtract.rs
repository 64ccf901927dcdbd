//! Subtract σ²I: from what denoising score matching has learned to what it says of the points without noise.

use crate::algorithms::given;
use crate::app::App;
use crate::app::Notice;
use crate::app::action::Action;
use crate::app::document::Document;
use crate::app::session::Session;
use crate::app::start::{self, Editable};
use crate::app::track::Track;
use crate::app::view::View;
use crate::figures::workings::Family;
use crate::model::{Mixture, MixtureError};
use crate::objectives::{N_LEVELS, NOISED_MODEL, SIGMA};
use crate::training::BranchId;

/// The mixture shown with σ²I subtracted.
struct Narrowed {
    editable: Editable,
    mixture: Mixture,
    sigma: f64,
}

/// Subtracts σ²I from the covariances shown, with the σ that they were learned with.
///
/// # Errors
/// Why that cannot be done, in one sentence.
fn narrowed(document: &Document, session: &Session, view: &View) -> Result<Narrowed, String> {
    let nothing = || "There is no mixture yet.".to_owned();
    let shown = session.track(view.run).and_then(Track::shown).ok_or_else(nothing)?;
    let step = shown.record.step;
    let snapshot = session.snapshot_at(view.run, step).ok_or_else(nothing)?;
    if Family::of(snapshot.experiment.algorithm_info().id) != Ok(Family::Denoising) {
        return Err("Only denoising score matching learns σ²I with the covariances.".to_owned());
    }
    let settings = snapshot.course.settings_at(step).ok_or_else(nothing)?;
    if settings.switch(&NOISED_MODEL) {
        return Err(
            "The mixture is noised, too: its covariances are without the noise already.".to_owned()
        );
    }
    if settings.integer(&N_LEVELS) > 1 {
        return Err("Several levels of noise have no one σ² to subtract.".to_owned());
    }
    let editable = start::editable(document, session, view).ok_or_else(nothing)?;
    let floor = session.snapshot_of(BranchId::TRUNK).ok_or_else(nothing)?.prepared.floor;
    let sigma = settings.number(&SIGMA);
    let too_narrow = |error: MixtureError| match error {
        MixtureError::Covariance { index } => {
            format!(
                "Component {index} is narrower than the noise: σ²I, σ = {sigma}, cannot be subtracted."
            )
        }
        other => other.to_string(),
    };
    // What remains has to be above the floor, or training would widen it again.
    editable.shown.narrowed(sigma * sigma + floor).map_err(too_narrow)?;
    let mixture = editable.shown.narrowed(sigma * sigma).map_err(too_narrow)?;
    Ok(Narrowed { editable, mixture, sigma })
}

/// Draws the button; gray, with the reason, where it cannot be done.
pub fn button_ui(
    ui: &mut egui::Ui,
    (document, session): (&Document, &Session),
    view: &View,
    actions: &mut Vec<Action>,
) {
    let reason = narrowed(document, session, view).err();
    let label = Action::SubtractNoise.info().label;
    let button = ui.add_enabled(reason.is_none(), egui::Button::new(label));
    let button = button.on_disabled_hover_text(reason.unwrap_or_default());
    if button.on_hover_text(Action::SubtractNoise.hint(ui.ctx())).clicked() {
        actions.push(Action::SubtractNoise);
    }
}

impl App {
    /// Makes the mixture shown with σ²I subtracted what a run begins with: a fork in the middle of the training.
    pub(super) fn subtract_noise(&mut self) {
        let Narrowed { editable, mixture, sigma } =
            match narrowed(&self.document, &self.session, &self.view) {
                Ok(narrowed) => narrowed,
                Err(reason) => {
                    self.notice = Some(Notice::info(reason.trim_end_matches('.')));
                    return;
                }
            };
        let components = given::components(&mixture, &editable.scaling);
        self.document.mark();
        if start::put(&mut self.document, &mut self.view, components, editable.step) {
            let run = self.view.run;
            self.document.news = Some(format!(
                "Run {run} begins with σ²I subtracted, σ = {sigma}; undo takes it back"
            ));
        }
    }
}
