//! Start: the components that a hand may change, and how a change becomes the start of the experiment.

use std::sync::Arc;

use super::document::Document;
use super::session::Session;
use crate::algorithms::given::{self, GivenComponent};
use crate::data::Scaling;
use crate::model::{CovarianceType, Mixture, N_COMPONENTS};
use crate::settings::Value;
use crate::training::{Moment, Snapshot};

/// The components as a hand finds them.
pub struct Editable {
    /// In the units of the source; weights sum to one.
    pub components: Vec<GivenComponent>,
    /// The same as they are shown, on the plane that training sees.
    pub shown: Arc<Mixture>,
    /// The step that they were trained to; `None` where they are the start.
    pub step: Option<usize>,
    /// From the units of the source to those on screen.
    pub scaling: Scaling,
    /// What the covariances are restricted to.
    pub covariance_type: CovarianceType,
}

/// The components that are shown, if a hand may change them; `None` while something else is being prepared.
#[must_use]
pub fn editable(document: &Document, session: &Session) -> Option<Editable> {
    let snapshot = session.snapshot()?;
    let (experiment, running) = (&document.experiment, &snapshot.experiment);
    let is_followed = experiment.given == running.given
        && experiment.start == running.start
        && experiment.model == running.model;
    let has_given = !experiment.given.is_empty();
    if !experiment.has_same_data(running) || !(has_given || is_followed) {
        return None;
    }
    let moment = session.shown()?;
    let shown = shown(document, snapshot, moment, false);
    let (scaling, covariance_type) =
        (snapshot.prepared.dataset.scaling, experiment.covariance_type());
    let is_start = moment.record.step == 0 || !is_followed;
    let mut components = if has_given && is_start {
        experiment.given.clone()
    } else {
        given::components(&shown, &scaling)
    };
    if covariance_type != CovarianceType::Full {
        // What is seen is what a hand takes hold of.
        for (component, shown) in components.iter_mut().zip(given::components(&shown, &scaling)) {
            component.covariance = shown.covariance;
        }
    }
    let step = (!is_start).then_some(moment.record.step);
    Some(Editable { components, shown, step, scaling, covariance_type })
}

/// The mixture to show: the one of the step that is looked at, or a given start that the worker has not taken up yet. While a hand
/// holds a component, the start, whatever the worker does.
#[must_use]
pub fn shown(
    document: &Document,
    snapshot: &Snapshot,
    moment: &Moment,
    is_held: bool,
) -> Arc<Mixture> {
    let (experiment, running) = (&document.experiment, &snapshot.experiment);
    let is_followed = experiment.given == running.given && experiment.model == running.model;
    let (scaling, floor) = (&snapshot.prepared.dataset.scaling, snapshot.prepared.floor);
    if !experiment.given.is_empty()
        && (is_held || !is_followed)
        && experiment.has_same_data(running)
        && let Ok(start) =
            given::start(&experiment.given, scaling, experiment.covariance_type(), floor)
    {
        return Arc::new(start);
    }
    moment.mixture.clone()
}

/// Makes components the start. `step` is the step that they were trained to, if they were.
pub fn put(document: &mut Document, components: Vec<GivenComponent>, step: Option<usize>) {
    document.experiment.give_start(components);
    document.taken_from = step.or(document.taken_from);
}

/// True if there may be one component more.
#[must_use]
pub fn has_room(count: usize) -> bool {
    N_COMPONENTS.check(&Value::Integer(count as i64 + 1)).is_ok()
}
