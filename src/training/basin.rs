//! Basin map: every cell of a square is a start of one component's mean; where does training end from there?

use std::sync::Arc;

use super::ensemble::train_to_end;
use super::optima::Ends;
use super::survey::{Cell, Survey, square_around};
use super::{Experiment, ExperimentError, Finish, Prepared, Run};
use crate::algorithms::given::{self, GivenComponent};
use crate::data::Dataset;
use crate::model::{Bounds, Mixture, Point};

/// What every cell of a basin map shares.
#[derive(Debug, Clone)]
pub struct Basin {
    experiment: Experiment,
    dataset: Arc<Dataset>,
    /// The start of the experiment, component by component, in the units of the source.
    start: Vec<GivenComponent>,
    /// The component whose mean starts at the cells, counted from 0.
    pub component: usize,
    /// Where the cells lie, on the plane that training sees.
    pub square: Bounds,
}

/// Where training ended from one cell.
#[derive(Debug, Clone, PartialEq)]
pub struct End {
    /// Mean negative log-likelihood of the training points, in nats per point; NaN if there is no first step.
    pub train_nll: f64,
    /// How many steps were taken.
    pub steps: usize,
    /// Why it stopped.
    pub finish: Finish,
    /// What it found; the start if there is no first step.
    pub mixture: Mixture,
}

impl Basin {
    /// The starts of this experiment that differ in one component's mean: anywhere in a square around the data.
    ///
    /// `None` if there is no such component.
    #[must_use]
    pub fn new(experiment: &Experiment, prepared: &Prepared, component: usize) -> Option<Basin> {
        let start = if experiment.given.is_empty() {
            given::components(&prepared.start, &prepared.dataset.scaling)
        } else {
            experiment.given.clone()
        };
        // Validation points decide nothing here, and would take as long as the training.
        let dataset = Dataset { validation: Arc::from([]), ..(*prepared.dataset).clone() };
        let square = square_around(dataset.bounds);
        (component < start.len()).then(|| Basin {
            experiment: experiment.clone(),
            dataset: Arc::new(dataset),
            start,
            component,
            square,
        })
    }

    /// The experiment whose component starts with its mean at this place on the plane that training sees; all else is
    /// the same. A cell of the map is a run of this, to the bit.
    #[must_use]
    pub fn experiment_at(&self, place: Point) -> Experiment {
        self.with_mean(self.dataset.scaling.undo(place))
    }

    /// The same in the units of the source.
    fn with_mean(&self, mean: Point) -> Experiment {
        let mut start = self.start.clone();
        start[self.component].mean = mean;
        let mut experiment = self.experiment.clone();
        experiment.give_start(start);
        experiment
    }

    /// True if the map is that of this experiment too: it is the one that the map was made of, or one of its starts.
    #[must_use]
    pub fn is_of(&self, experiment: &Experiment) -> bool {
        let is_start = |given: &GivenComponent| self.with_mean(given.mean) == *experiment;
        self.experiment == *experiment || experiment.given.get(self.component).is_some_and(is_start)
    }

    /// True if the map's data are those of this experiment.
    #[must_use]
    pub fn is_of_data_of(&self, experiment: &Experiment) -> bool {
        self.experiment.has_same_data(experiment)
    }

    /// Where the component's mean starts in this experiment, on the plane that training sees; `None` if the map is not
    /// one of this experiment.
    #[must_use]
    pub fn start_in(&self, experiment: &Experiment) -> Option<Point> {
        let start = if experiment.given.is_empty() { &self.start } else { &experiment.given };
        let mean = self.is_of(experiment).then(|| start[self.component].mean)?;
        Some(self.dataset.scaling.apply(mean))
    }

    /// Trains from this place until it stops by itself; `None` once nobody wants it any more.
    ///
    /// # Errors
    /// [`ExperimentError`] if no start at all can be trained. One whose first step fails is an end like any other.
    pub fn end_of(
        &self,
        place: Point,
        is_wanted: impl Fn() -> bool,
    ) -> Result<Option<End>, ExperimentError> {
        let experiment = self.experiment_at(place);
        let prepared = Prepared::on(&experiment, self.dataset.clone())?;
        let start = prepared.start.clone();
        let mut run = match Run::new(&experiment, prepared) {
            Err(ExperimentError::FirstStep(error)) => {
                let (finish, mixture) = (Finish::Failed(error), (*start).clone());
                return Ok(Some(End { train_nll: f64::NAN, steps: 0, finish, mixture }));
            }
            run => run?,
        };
        let finish = train_to_end(&mut run, is_wanted, |_| ());
        let (record, mixture) = (run.record(), run.mixture().clone());
        Ok(finish.map(|finish| End {
            train_nll: record.train_nll,
            steps: record.step,
            finish,
            mixture,
        }))
    }

    /// Trains from every cell in the background, but for the first `known` ones; see [`Survey::spawn`].
    ///
    /// # Errors
    /// An I/O error if the system gives no threads.
    pub fn survey(
        self: &Arc<Basin>,
        known: usize,
        detail: usize,
        thread_count: usize,
        wake: impl Fn() + Clone + Send + 'static,
    ) -> std::io::Result<Survey<End>> {
        let basin = self.clone();
        let value = move |cell: Cell, is_wanted: &dyn Fn() -> bool| {
            let end = basin.end_of(cell.place(basin.square), is_wanted);
            end.map_err(|error| error.to_string())
        };
        Survey::spawn(known, detail, thread_count, value, wake)
    }

    /// No ends yet.
    #[must_use]
    pub fn ends(&self) -> Ends {
        Ends::of_data(self.dataset.variance.sqrt())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::spray::{Stroke, Tool};
    use crate::training::Source;
    use crate::training::optima::are_same;

    /// Points in small heaps at these places.
    fn heaps(places: &[Point], components: Vec<GivenComponent>) -> Experiment {
        let mut experiment = Experiment::default();
        experiment.choose_source(Source::Nothing);
        experiment.strokes = (0..)
            .zip(places)
            .map(|(seed, &place)| Stroke {
                tool: Tool::Airbrush,
                path: vec![place],
                radius: 0.5,
                count: 60,
                seed,
            })
            .collect();
        experiment.give_start(components);
        experiment
    }

    fn component(weight: f64, mean: Point) -> GivenComponent {
        GivenComponent { weight, mean, covariance: [0.2, 0.0, 0.2] }
    }

    fn basin(experiment: &Experiment, component: usize) -> Arc<Basin> {
        let prepared = Prepared::new(experiment).unwrap();
        Arc::new(Basin::new(experiment, &prepared, component).unwrap())
    }

    fn ends(basin: &Arc<Basin>, detail: usize, threads: usize) -> Ends {
        let mut ends = basin.ends();
        for result in basin.survey(0, detail, threads, || ()).unwrap().wait() {
            let (cell, end) = result.unwrap();
            ends.push(cell, end);
        }
        assert_eq!(ends.cells.count(), detail * detail);
        ends
    }

    #[test]
    fn every_cell_is_the_run_of_its_start_to_the_bit_and_mirrored_ends_are_one_optimum() {
        let two = vec![component(0.5, [-3.0, 0.0]), component(0.5, [3.0, 0.0])];
        let mut experiment = heaps(&[[-3.0, 0.0], [3.0, 0.0]], two);
        let basin = basin(&experiment, 1);
        // Between both heaps, and mirrored: the first component starts in the middle.
        experiment.given[0].mean = [0.0; 2];
        let mirrored = self::basin(&experiment, 1);
        for (basin, threads) in [(&basin, 1), (&mirrored, 2)] {
            let found = ends(basin, 8, threads);
            for (cell, outcome) in found.cells.known() {
                let direct = basin.experiment_at(cell.place(basin.square));
                let mut run = Run::new(&direct, Prepared::new(&direct).unwrap()).unwrap();
                while !run.has_converged() && run.record().step < run.max_iter() {
                    run.step().unwrap();
                }
                assert_eq!(outcome.train_nll.to_bits(), run.record().train_nll.to_bits());
                assert_eq!(outcome.steps, run.record().step);
                assert_eq!(outcome.finish, Finish::Converged);
                let end = basin.end_of(cell.place(basin.square), || true).unwrap().unwrap();
                assert_eq!(end.mixture, *run.mixture(), "{cell:?}");
            }
        }
        // Starting left or right of the middle, the components end in either order: one optimum.
        let left = mirrored.end_of([-3.0, 0.0], || true).unwrap().unwrap().mixture;
        let right = mirrored.end_of([3.0, 0.0], || true).unwrap().unwrap().mixture;
        let mean = |mixture: &Mixture| mixture.components()[1].gaussian.mean[0];
        assert!(mean(&left) < -2.5 && mean(&right) > 2.5, "{left:?} {right:?}");
        assert!(are_same(&left, &right, 0.1));
        let found = ends(&mirrored, 8, 2);
        let best = found.ranked()[0];
        for place in [[-3.0, 0.0], [3.0, 0.0]] {
            let cell = Cell::at(place, mirrored.square).unwrap();
            let (_, outcome) = found.cells.nearest(cell).unwrap();
            assert_eq!(outcome.optimum, Some(best), "{place:?}");
        }
        assert_eq!(ends(&mirrored, 8, 1).optima, found.optima, "whatever the number of threads");
    }

    #[test]
    fn two_different_optima_are_told_apart() {
        // Three heaps and two components: one of them has to take two heaps, and which depends on the start.
        let two = vec![component(0.5, [0.0, 0.5]), component(0.5, [4.0, 0.0])];
        let mut experiment = heaps(&[[-4.0, 0.0], [0.0, 0.5], [4.0, 0.0]], two);
        experiment.set("reg_covar", "0.001").unwrap();
        let basin = basin(&experiment, 1);
        let found = ends(&basin, 16, 2);
        assert!(found.optima.len() >= 2, "{:?}", found.optima);
        let ranked = found.ranked();
        assert!(
            ranked
                .windows(2)
                .all(|pair| { found.optima[pair[0]].train_nll <= found.optima[pair[1]].train_nll })
        );
        let sum: f64 = ranked.iter().map(|&optimum| found.share(optimum)).sum();
        assert!((sum + found.lost_count as f64 / 256.0 - 1.0).abs() < 1e-12, "{sum}");
        // Beginning in the middle, the first component shares it with the heap that the second leaves over.
        let optimum_at = |place: Point| {
            let cell = Cell::at(place, basin.square).unwrap();
            found.cells.nearest(cell).unwrap().1.optimum.unwrap()
        };
        let (left, right) = (optimum_at([-4.0, 0.0]), optimum_at([4.0, 0.0]));
        assert_ne!(left, right);
        let [a, b] = [left, right].map(|k| found.optima[k].mixture.clone());
        assert!(!are_same(&a, &b, found.tolerance), "{a:?} {b:?}");
    }

    #[test]
    fn the_map_stays_that_of_its_experiment_while_only_the_mean_moves() {
        let mut experiment = Experiment::default();
        for (key, value) in [("n_samples", "200"), ("n_components", "3"), ("scale", "true")] {
            experiment.set(key, value).unwrap();
        }
        let basin = basin(&experiment, 2);
        assert!(basin.is_of(&experiment));
        let moved = basin.experiment_at([0.25, -0.5]);
        assert!(basin.is_of(&moved));
        let start = Prepared::new(&moved).unwrap().start;
        let mean = start.components()[2].gaussian.mean;
        assert!((mean[0] - 0.25).abs() < 1e-12 && (mean[1] + 0.5).abs() < 1e-12, "{mean:?}");
        // Undone, both are as they were; another component's mean is another map.
        let mut other = moved.clone();
        other.given[0].mean[0] += 0.1;
        assert!(!basin.is_of(&other));
        let mut other = moved;
        other.set("max_iter", "7").unwrap();
        assert!(!basin.is_of(&other));
        let size = basin.square.size();
        assert!((size[0] - size[1]).abs() < 1e-12 * size[0]);
    }

    #[test]
    fn a_start_without_a_first_step_is_an_end_and_not_an_error() {
        let mut experiment = heaps(&[[0.0, 0.0]], vec![component(1.0, [0.0, 0.0])]);
        experiment.choose_algorithm("sm");
        experiment.set("max_iter", "5").unwrap();
        let basin = basin(&experiment, 0);
        let far = basin.end_of([1e200, 0.0], || true).unwrap().unwrap();
        assert!(matches!(far.finish, Finish::Failed(_)), "{far:?}");
        let mut found = basin.ends();
        found.push(Cell { column: 0, row: 0 }, far);
        assert_eq!((found.optima.len(), found.lost_count), (0, 1));
        assert_eq!(basin.end_of([0.0; 2], || false).unwrap(), None);
    }
}
