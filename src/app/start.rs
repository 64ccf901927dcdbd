//! Start: the components that a hand may change, and how a change becomes the start of the experiment.

use std::sync::Arc;

use super::document::Document;
use super::session::Session;
use super::track::Track;
use super::view::View;
use crate::algorithms::given::{self, GivenComponent};
use crate::data::Scaling;
use crate::model::{CovarianceType, Mixture, N_COMPONENTS};
use crate::settings::Value;
use crate::training::{Branch, BranchId, MAX_RUNS};

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
pub fn editable(document: &Document, session: &Session, view: &View) -> Option<Editable> {
    let experiment = &document.experiment;
    let trunk = session.snapshot_of(BranchId::TRUNK)?;
    let is_followed = is_followed(document, session, view.run);
    let given = experiment.given_of(view.run);
    if !experiment.has_same_data(&trunk.experiment) || (given.is_empty() && !is_followed) {
        return None;
    }
    let moment = session.track(view.run).and_then(Track::shown);
    let first = experiment.first_step(view.run);
    let step = moment.map_or(first, |moment| moment.record.step);
    let is_start = step == first || !is_followed;
    let shown = shown(document, session, view, false)?;
    let (scaling, covariance_type) = (trunk.prepared.dataset.scaling, experiment.covariance_type());
    let mut components = if !given.is_empty() && is_start {
        given.to_vec()
    } else {
        given::components(&shown, &scaling)
    };
    if covariance_type != CovarianceType::Full {
        // What is seen is what a hand takes hold of.
        for (component, shown) in components.iter_mut().zip(given::components(&shown, &scaling)) {
            component.covariance = shown.covariance;
        }
    }
    let step = (!is_start).then_some(step);
    Some(Editable { components, shown, step, scaling, covariance_type })
}

/// True if the worker runs what the document says of how a run begins.
fn is_followed(document: &Document, session: &Session, id: BranchId) -> bool {
    let experiment = &document.experiment;
    let has_same_start = session.snapshot_of(BranchId::TRUNK).is_some_and(|trunk| {
        let running = &trunk.experiment;
        experiment.given == running.given
            && experiment.start == running.start
            && experiment.model == running.model
    });
    let wanted = experiment.branch(id);
    let running = session.snapshot_of(id).map(|snapshot| snapshot.branch.as_ref());
    let leaves_there = |branch: &Branch| (branch.parent, branch.step, branch.given.clone());
    has_same_start
        && running.is_some_and(|running| running.map(leaves_there) == wanted.map(leaves_there))
}

/// The mixture to show: the one of the step that is looked at, or what a hand made of it that the worker has not taken up
/// yet. While a hand holds a component, what it makes, whatever the worker does.
#[must_use]
pub fn shown(
    document: &Document,
    session: &Session,
    view: &View,
    is_held: bool,
) -> Option<Arc<Mixture>> {
    let experiment = &document.experiment;
    let given = experiment.given_of(view.run);
    let moment = session.track(view.run).and_then(Track::shown).or(session.shown());
    if !given.is_empty()
        && (is_held || !is_followed(document, session, view.run))
        && let Some(trunk) = session.snapshot_of(BranchId::TRUNK)
        && experiment.has_same_data(&trunk.experiment)
    {
        let (scaling, floor) = (&trunk.prepared.dataset.scaling, trunk.prepared.floor);
        if let Ok(start) = given::start(given, scaling, experiment.covariance_type(), floor) {
            return Some(Arc::new(start));
        }
    }
    moment.map(|moment| moment.mixture.clone())
}

/// Makes components what the run begins with; where they were trained to a step, a branch that leaves it there. False,
/// and nothing changes, if there is no room for another run.
pub fn put(
    document: &mut Document,
    view: &mut View,
    components: Vec<GivenComponent>,
    step: Option<usize>,
) -> bool {
    if let Some(step) = step
        && !fork(document, view, step)
    {
        return false;
    }
    document.experiment.give_to(view.run, components);
    true
}

/// Lets a branch leave the chosen run at a step, and chooses it. False, and nothing changes, if there is no room for it.
pub fn fork(document: &mut Document, view: &mut View, step: usize) -> bool {
    let parent = document.experiment.owner_of(view.run, step);
    let Some(branch) = document.experiment.fork(view.run, step) else {
        document.news = Some(format!(
            "{MAX_RUNS} runs are the most that can be told apart: remove one to begin another"
        ));
        return false;
    };
    document.news = Some(format!(
        "Run {branch} leaves run {parent} at step {step} and begins there; undo takes it back"
    ));
    view.run = branch;
    view.follow_newest();
    true
}

/// True if there may be one component more.
#[must_use]
pub fn has_room(count: usize) -> bool {
    N_COMPONENTS.check(&Value::Integer(count as i64 + 1)).is_ok()
}
