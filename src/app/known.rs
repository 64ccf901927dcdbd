//! Known: the true score on the cells of a field, where somebody knows the density of the data.

use std::sync::Arc;

use super::painting::{Care, Request};
use crate::data::Scaling;
use crate::figures::fields::Quantity;
use crate::figures::substitute::TrueField;
use crate::training::Experiment;

/// The true score on the cells of a field. It is kept while the same is asked for.
pub struct Known {
    experiment: Arc<Experiment>,
    scaling: Scaling,
    /// The score, and the density that it is of.
    pub field: TrueField,
}

impl Known {
    /// What a request needs of it, if it needs it and somebody knows it; as much of the last one as is still right.
    #[must_use]
    pub fn of(request: &Request, care: Care, last: Option<&Arc<Known>>) -> Option<Arc<Known>> {
        if request.quantity != Quantity::ScoreError {
            return None;
        }
        let snapshot = request.snapshot.as_ref()?;
        let (experiment, scaling) = (&snapshot.experiment, snapshot.prepared.dataset.scaling);
        let is_same = |last: &&Arc<Known>| {
            let is_same = Arc::ptr_eq(&last.experiment, experiment)
                || last.experiment.has_same_data(experiment);
            is_same && last.scaling == scaling
        };
        let last = last.filter(is_same);
        let wish = request.wish(care);
        let wanted = (wish.true_cells(), wish.bounds);
        if let Some(last) = last.filter(|last| (last.field.cells, last.field.bounds) == wanted) {
            return Some(last.clone());
        }
        let density = match last {
            Some(last) => last.field.density.clone(),
            None => experiment.known_density(&scaling).ok()?,
        };
        let field = wish.true_field(density);
        Some(Arc::new(Known { experiment: experiment.clone(), scaling, field }))
    }
}
