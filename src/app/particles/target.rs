//! Target: the density that particles walk on.

use std::sync::Arc;

use super::choices::Target;
use crate::app::session::Session;
use crate::data::Dataset;
use crate::model::{Density, Mixture};
use crate::settings::Settings;
use crate::training::{Experiment, NoDensity, Source};

/// The density of the data, or why it is not known.
type Known = Result<Arc<dyn Density>, NoDensity>;

/// The densities that particles can walk on, kept while they are the same.
#[derive(Default)]
pub struct Targets {
    model: Option<Arc<Mixture>>,
    known: Option<Truth>,
}

/// The density of some data, and what it was made from.
struct Truth {
    dataset: Arc<Dataset>,
    source: Source,
    data: Settings,
    has_strokes: bool,
    density: Known,
}

impl Truth {
    fn new(dataset: Arc<Dataset>, experiment: &Experiment) -> Truth {
        let density = experiment.known_density(&dataset.scaling);
        let has_strokes = !experiment.strokes.is_empty();
        let (source, data) = (experiment.source.clone(), experiment.data.clone());
        Truth { dataset, source, data, has_strokes, density }
    }

    /// True if these data have the same density, although they may lie elsewhere in memory.
    fn is_of(&self, dataset: &Arc<Dataset>, experiment: &Experiment) -> bool {
        self.source == experiment.source
            && self.data == experiment.data
            && self.has_strokes != experiment.strokes.is_empty()
            && self.dataset.scaling == dataset.scaling
    }
}

impl Targets {
    /// Takes in what is on the canvas now.
    pub fn look(&mut self, session: &Session) {
        let shown = session.shown().map(|moment| &moment.mixture);
        // Equal mixtures stay the same one, or a walk would begin again where nothing has changed.
        if self.model.as_ref() != shown {
            self.model = shown.cloned();
        }
        let Some(snapshot) = session.snapshot() else { return };
        let dataset = &snapshot.prepared.dataset;
        match &mut self.known {
            Some(truth) if Arc::ptr_eq(&truth.dataset, dataset) => {}
            Some(truth) if truth.is_of(dataset, &snapshot.experiment) => {
                truth.dataset = dataset.clone();
            }
            truth => *truth = Some(Truth::new(dataset.clone(), &snapshot.experiment)),
        }
    }

    /// The density of the data, or why there is none.
    pub fn known(&self) -> Result<&Arc<dyn Density>, String> {
        let truth = self.known.as_ref().ok_or("there are no data yet")?;
        truth.density.as_ref().map_err(ToString::to_string)
    }

    /// The density that is asked for; the model where that of the data is not known.
    pub fn density(&self, target: Target) -> Option<Arc<dyn Density>> {
        match (target, self.known()) {
            (Target::Data, Ok(density)) => Some(density.clone()),
            _ => self.model.clone().map(|model| model as Arc<dyn Density>),
        }
    }
}
