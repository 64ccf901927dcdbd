//! Target: the density that particles walk on.

use std::sync::Arc;

use super::choices::Target;
use crate::app::session::Session;
use crate::data::{Dataset, Scaling, generators};
use crate::model::{Density, Mixture};
use crate::settings::Settings;
use crate::training::{Experiment, Source};

/// The density of the data, or why it is not known.
pub type Known = Result<Arc<dyn Density>, &'static str>;

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
        let density = known(experiment, &dataset.scaling);
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
    pub fn known(&self) -> Result<&Arc<dyn Density>, &'static str> {
        let truth = self.known.as_ref().ok_or("there are no data yet")?;
        truth.density.as_ref().map_err(|reason| *reason)
    }

    /// The density that is asked for; the model where that of the data is not known.
    pub fn density(&self, target: Target) -> Option<Arc<dyn Density>> {
        match (target, self.known()) {
            (Target::Data, Ok(density)) => Some(density.clone()),
            _ => self.model.clone().map(|model| model as Arc<dyn Density>),
        }
    }
}

/// The density that points come from, in the units of the scaled ones.
fn known(experiment: &Experiment, scaling: &Scaling) -> Known {
    let Source::Generator(id) = &experiment.source else {
        return Err("points from a file or from a hand have no known density");
    };
    if !experiment.strokes.is_empty() {
        return Err("points that a hand has changed have no known density");
    }
    let density = generators::find(id).and_then(|generator| generator.density);
    let density = density.ok_or("the density of this data set is not known")?;
    let density = density(&experiment.data).ok_or("without noise these points have no density")?;
    Ok(scaling.apply_density(density))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::spray::{Stroke, Tool};

    #[test]
    fn a_density_is_in_the_units_of_the_scaled_points_or_says_why_there_is_none() {
        let mut experiment = Experiment::default();
        let scaling = Scaling { offset: [1.0, 2.0], unit: [2.0, 0.5] };
        let moons = known(&experiment, &scaling).ok().unwrap();
        let plain = known(&experiment, &Scaling::NONE).ok().unwrap();
        let at = [0.3, 0.4];
        let expected = plain.log_density(scaling.undo(at)) + scaling.log_unit_area();
        assert!((moons.log_density(at) - expected).abs() < 1e-12);
        let check = |experiment: &Experiment, word: &str| {
            let reason = known(experiment, &scaling).err().unwrap();
            assert!(reason.contains(word), "{reason}");
        };
        let mut drawn = experiment.clone();
        drawn.strokes.push(Stroke {
            tool: Tool::Airbrush,
            path: vec![[0.0; 2]],
            radius: 1.0,
            count: 10,
            seed: 0,
        });
        check(&drawn, "a hand has changed");
        experiment.choose_source(Source::Generator("pinwheel".to_owned()));
        check(&experiment, "not known");
        experiment.choose_source(Source::Nothing);
        check(&experiment, "from a hand");
        experiment.choose_source(Source::Generator("halfmoons".to_owned()));
        experiment.set("noise", "0").unwrap();
        check(&experiment, "without noise");
    }
}
