//! Known: the true score on the cells of a field, where somebody knows the density of the data.

use std::sync::Arc;

use super::painting::{Care, Request};
use crate::data::Scaling;
use crate::figures::fields::Quantity;
use crate::model::{Bounds, Density, Field, Point};
use crate::training::Experiment;

/// The known density and its score on the cells of a field. It is kept while the same is asked for: along a curve, a
/// density costs as much as a mixture of hundreds.
pub struct Known {
    experiment: Arc<Experiment>,
    scaling: Scaling,
    /// The density that the data come from.
    pub density: Arc<dyn Density>,
    bounds: Bounds,
    /// Cells in a row, and rows.
    pub cells: [usize; 2],
    /// ∇ log p in every cell, row after row from the top.
    pub scores: Arc<[Point]>,
}

/// Cells from one side to the other at least and at most.
const CELLS: [usize; 2] = [64, 256];

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
        let part = if care == Care::Coarse { 6 } else { 2 };
        let cells = request.size.map(|side| (side / part).clamp(CELLS[0], CELLS[1]));
        let bounds = request.bounds;
        if let Some(last) = last.filter(|last| (last.cells, last.bounds) == (cells, bounds)) {
            return Some(last.clone());
        }
        let density = match last {
            Some(last) => last.density.clone(),
            None => experiment.known_density(&scaling).ok()?,
        };
        let places = Field::places(bounds, cells[0], cells[1]);
        let scores = density.scores(&places).into_iter().map(|(_, score)| score).collect();
        let experiment = experiment.clone();
        Some(Arc::new(Known { experiment, scaling, density, bounds, cells, scores }))
    }
}
