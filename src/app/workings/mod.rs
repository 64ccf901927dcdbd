//! Workings on the canvas: what each run's objective does with its points, and what a hand may do about it.

mod cut;
mod row;
mod subtract;

use std::collections::BTreeMap;
use std::sync::Arc;

use cut::Cut;
pub use cut::cut_of;
pub use row::row_ui;
pub use subtract::button_ui as subtract_ui;

use super::action::Action;
use super::document::Document;
use super::session::Session;
use super::stage::bounds_of;
use super::view::View;
use super::{App, Notice};
use crate::data::Dataset;
use crate::figures::workings::{Family, Frame, Subject, cut_axis, layers, true_mixture};
use crate::figures::{Layer, Theme};
use crate::model::Mixture;
use crate::objectives::ORDER;
use crate::settings::Value;
use crate::training::{BranchId, Experiment, Snapshot};

/// The workings of all runs that are shown, drawn anew where something changed.
#[derive(Default)]
pub struct Workings {
    drawn: BTreeMap<BranchId, Drawn>,
    /// The mixture that the data come from, where it is known, and which data.
    truth: Option<(Arc<Dataset>, Option<Arc<Mixture>>)>,
    cut: Cut,
}

/// Layers, and what they are of.
struct Drawn {
    subject: Subject,
    frame: Frame,
    theme: Theme,
    layers: Vec<Layer>,
}

/// Whether a run that is looked at has workings.
///
/// # Errors
/// Why the chosen one has none, in one sentence.
pub fn available(experiment: &Experiment, view: &View) -> Result<(), &'static str> {
    let family = |id| Family::of(experiment.algorithm_of(id).id);
    if view.race.is_on && experiment.runs().any(|id| family(id).is_ok()) {
        return Ok(());
    }
    family(view.run).map(|_| ())
}

/// Where a plot draws its workings.
pub fn frame_of(transform: &egui_plot::PlotTransform) -> Frame {
    Frame { bounds: bounds_of(transform), width: f64::from(transform.frame().width()) }
}

impl Workings {
    /// The workings of a run with this model, as layers; none where they are switched off or there are none.
    pub fn layers(
        &mut self,
        id: BranchId,
        mixture: Option<&Arc<Mixture>>,
        frame: Frame,
        (document, session): (&Document, &Session),
        view: &View,
    ) -> Vec<Layer> {
        let mixture = mixture.filter(|_| view.shown.workings);
        let subject =
            mixture.and_then(|m| self.subject(id, m, &document.experiment, session, view));
        let Some((mut subject, snapshot)) = subject else {
            self.drawn.remove(&id);
            return Vec::new();
        };
        let theme = view.theme;
        let is_current = |d: &&Drawn| (d.frame, d.theme) == (frame, theme) && d.subject == subject;
        if let Some(drawn) = self.drawn.get(&id).filter(is_current) {
            return drawn.layers.clone();
        }
        // Only where something changed: what was drawn before it has to be passed over.
        subject.look = if subject.has_draws() { snapshot.quick_look(subject.step) } else { None };
        let layers = layers(&subject, frame, theme.palette());
        self.drawn.insert(id, Drawn { subject, frame, theme, layers: layers.clone() });
        layers
    }

    /// What is to be drawn, but for its draws, and the run that took the step: before a fork that is the one which is left
    /// there.
    fn subject<'a>(
        &mut self,
        id: BranchId,
        mixture: &Arc<Mixture>,
        experiment: &Experiment,
        session: &'a Session,
        view: &View,
    ) -> Option<(Subject, &'a Arc<Snapshot>)> {
        let moment = session.track(id)?.shown()?;
        let snapshot = session.snapshot_at(id, moment.record.step)?;
        let dataset = &snapshot.prepared.dataset;
        let truth = || self.truth_of(dataset, &snapshot.experiment);
        let run = (&*snapshot.experiment, &snapshot.course);
        let mut subject =
            Subject::of(run, moment, dataset, truth, cut_of(view, dataset)).ok()??;
        subject.mixture = mixture.clone();
        if subject.family == Family::Composite && is_cut(experiment, id) {
            // Nothing is drawn at random: another order may be looked at before a step is taken with it.
            subject.settings = Arc::new(experiment.knobs_of(id).clone());
        }
        Some((subject, snapshot))
    }

    /// The mixture that the data come from; looked up once for each data set.
    fn truth_of(
        &mut self,
        dataset: &Arc<Dataset>,
        experiment: &Experiment,
    ) -> Option<Arc<Mixture>> {
        if self.truth.as_ref().is_none_or(|(of, _)| !Arc::ptr_eq(of, dataset)) {
            self.truth = Some((dataset.clone(), true_mixture(experiment, dataset)));
        }
        self.truth.as_ref().and_then(|(_, truth)| truth.clone())
    }

    /// What was drawn last of a run, for an export; `None` while nothing is.
    #[must_use]
    pub fn drawn(&self, id: BranchId) -> Option<(&Subject, &[Layer])> {
        self.drawn.get(&id).map(|drawn| (&drawn.subject, &*drawn.layers))
    }

    /// Forgets the runs that are not shown.
    pub fn keep(&mut self, shown: &[BranchId]) {
        self.drawn.retain(|id, _| shown.contains(id));
    }

    /// Lets a hand drag the cut; true if nobody else must follow it. `is_free` if there is no other handle below the
    /// pointer. Call it before the plot.
    pub fn follow(
        &mut self,
        ui: &egui::Ui,
        is_free: bool,
        (document, session): (&Document, &Session),
        view: &mut View,
    ) -> bool {
        let axis = shown_cut(&document.experiment, view);
        let dataset = session.dataset().filter(|_| view.tool.is_none());
        self.cut.follow(ui, is_free, axis.zip(dataset.map(|dataset| &**dataset)), view)
    }

    /// Draws the knob of the cut, if there is one. Call it after the plot.
    pub fn show_ui(
        &mut self,
        brush: &egui::Painter,
        transform: &egui_plot::PlotTransform,
        response: &egui::Response,
        (document, session): (&Document, &Session),
        view: &View,
    ) {
        let axis = shown_cut(&document.experiment, view);
        let dataset = session.dataset().map(|dataset| &**dataset);
        self.cut.show_ui(brush, (transform, response), axis.zip(dataset), view);
    }

    /// True while a hand holds the cut, and in the frame in which it lets go.
    #[must_use]
    pub fn is_engaged(&self) -> bool {
        self.cut.is_engaged()
    }
}

/// The axis across which the chosen run is cut, while that is shown.
fn shown_cut(experiment: &Experiment, view: &View) -> Option<usize> {
    let is_shown = view.shown.workings && is_cut(experiment, view.run);
    is_shown.then(|| cut_axis(experiment.knobs_of(view.run)))
}

/// True if a run takes one coordinate after the other.
fn is_cut(experiment: &Experiment, id: BranchId) -> bool {
    Family::of(experiment.algorithm_of(id).id) == Ok(Family::Composite)
}

impl App {
    /// Switches the workings, moves the cut, swaps the order, or subtracts the noise.
    pub(super) fn work(&mut self, action: Action) {
        let experiment = &self.document.experiment;
        match action {
            Action::ToggleWorkings => match available(experiment, &self.view) {
                Ok(()) => self.view.shown.workings = !self.view.shown.workings,
                Err(reason) => self.notice = Some(Notice::info(reason.trim_end_matches('.'))),
            },
            Action::CutBack | Action::CutForward => {
                let Some(axis) = shown_cut(experiment, &self.view) else { return };
                let way = if action == Action::CutBack { -0.01 } else { 0.01 };
                let way = way * self.canvas.bounds().size()[axis];
                if let Some(dataset) = self.session.dataset() {
                    cut::put(&mut self.view, axis, dataset, |at| at + way);
                }
            }
            Action::SwapOrder => self.swap_order(),
            _ => self.subtract_noise(),
        }
    }

    /// Lets composite score matching take the other coordinate first.
    fn swap_order(&mut self) {
        let run = self.view.run;
        let experiment = &mut self.document.experiment;
        if !is_cut(experiment, run) {
            let text = "Only composite score matching takes one coordinate after the other";
            self.notice = Some(Notice::info(text));
            return;
        }
        let other = if cut_axis(experiment.knobs_of(run)) == 0 { "x2_x1" } else { "x1_x2" };
        self.document.mark();
        let settings = self.document.experiment.settings_of(run);
        settings.set(ORDER.key, Value::Choice(other.to_owned()));
    }

    /// What is drawn of the workings of the chosen run, as layers; `None` while nothing is.
    #[must_use]
    pub fn workings(&self) -> Option<(&Subject, &[Layer])> {
        self.workings_of(self.session.chosen())
    }

    /// The same of another run.
    #[must_use]
    pub fn workings_of(&self, id: BranchId) -> Option<(&Subject, &[Layer])> {
        self.canvas.workings(id)
    }
}
