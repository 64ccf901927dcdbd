//! Loss landscape: the objective of a run over two directions in the space of θ, through the mixture of one step.

use std::sync::{Arc, OnceLock};

use super::principal::{dot, principal_directions};
use super::survey::{Cell, Survey, around_path, square_around};
use super::{Experiment, Moment, Prepared};
use crate::algorithms::Look;
use crate::model::{Bounds, CovarianceType, Mixture, Parameters, Point};
use crate::objectives::{Batch, ExplicitScoreMatching, Objective};

/// Which two numbers are varied. Components are counted from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Directions {
    /// Both coordinates of a component's mean.
    Mean(usize),
    /// The first coordinates of two components' means.
    Pair(usize, usize),
    /// The two main directions of the path so far.
    Path,
}

/// What a landscape is made of.
#[derive(Debug, Clone)]
pub struct Scene {
    /// What is being run.
    pub experiment: Arc<Experiment>,
    /// Its data and its start.
    pub prepared: Prepared,
    /// The step that the landscape passes through.
    pub shown: Moment,
    /// What the run evaluated at that step; `None` where nobody knows it: then it is drawn as if no setting had changed.
    pub look: Option<Look>,
    /// The steps so far, from the start on.
    pub path: Vec<Moment>,
    /// What is varied.
    pub directions: Directions,
}

/// Why there is no landscape.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LandscapeError {
    /// The path has no two directions.
    #[error("the path has no two main directions yet: train some steps first, or choose a mean")]
    ShortPath,
    /// A component is not there.
    #[error("there is no component {0}: choose another one")]
    NoComponent(usize),
}

/// A plane through θ: the objective's arguments are two coordinates.
#[derive(Debug, Clone)]
pub struct Slice {
    /// The θ of the step that it passes through.
    origin: Parameters,
    /// That θ as one vector.
    vector: Vec<f64>,
    /// Where coordinates are counted from.
    zero: Vec<f64>,
    /// Two directions of length one, at right angles.
    directions: [Vec<f64>; 2],
    objective: Arc<dyn Objective>,
    points: Arc<[Point]>,
    /// Names of both coordinates.
    pub labels: [String; 2],
    /// The coordinates of the step that it passes through.
    pub here: Point,
    /// The objective there.
    pub value: f64,
    /// The rectangle of coordinates that is looked at.
    pub square: Bounds,
    /// True if both coordinates are places on the plane of the data.
    pub is_on_plane: bool,
}

/// Most steps that main directions are made of.
const MOST_STEPS: usize = 500;

/// A weight that has vanished counts as e to this power: −∞ has no direction.
const LEAST_LOGIT: f64 = -30.0;

/// θ as one vector.
fn vector_of(parameters: &Parameters) -> Vec<f64> {
    let mut vector = parameters.to_vector();
    for logit in &mut vector[..parameters.logits.len()] {
        *logit = logit.max(LEAST_LOGIT);
    }
    vector
}

impl Slice {
    /// Finds the directions and what to evaluate. The objective is that of the run's algorithm at the step shown, on all
    /// training points; slices of sliced score matching are those of that step, the same for every cell: others would
    /// roughen the landscape with their own noise.
    ///
    /// # Errors
    /// [`LandscapeError`] if a component is not there, or the path too short.
    pub fn new(scene: &Scene) -> Result<Slice, LandscapeError> {
        let Scene { experiment, prepared, shown, look, path, directions } = scene;
        let (kind, floor) = (experiment.covariance_type(), prepared.floor);
        let origin = Parameters::of(&shown.mixture, kind, floor);
        let vector = vector_of(&origin);
        let frame = match *directions {
            Directions::Path => main_directions(path, kind, floor)?,
            Directions::Mean(k) => along_means(&origin, [(k, 0), (k, 1)])?,
            Directions::Pair(j, k) => along_means(&origin, [(j, 0), (k, 0)])?,
        };
        let Frame { zero, directions: along, labels } = frame;
        let info = experiment.algorithm_info();
        // Where it needs the true scores, the run that is shown has them.
        let objective = match (look, prepared.true_scores(experiment)) {
            (Some(look), _) => look.objective.clone(),
            (None, Ok(Some(true_scores))) => Arc::new(ExplicitScoreMatching::new(true_scores)),
            (None, _) => info.objective_at(&experiment.algorithm, shown.record.step),
        };
        let data = prepared.dataset.bounds;
        let square = match *directions {
            Directions::Mean(_) => square_around(data),
            // Both axes are x₁.
            Directions::Pair(..) => {
                square_around(Bounds { min: [data.min[0]; 2], max: [data.max[0]; 2] })
            }
            Directions::Path => data,
        };
        let mut slice = Slice {
            origin,
            vector,
            zero,
            directions: along,
            objective,
            points: prepared.dataset.train.clone(),
            labels,
            here: [0.0; 2],
            value: f64::NAN,
            square,
            is_on_plane: matches!(directions, Directions::Mean(_)),
        };
        slice.here = slice.place_of(&shown.mixture);
        if *directions == Directions::Path {
            slice.square = around_path(&slice.places(path.iter().map(|moment| &*moment.mixture)));
        }
        slice.value = slice.value_at(slice.here);
        Ok(slice)
    }

    /// The coordinates of a mixture: those of the nearest point of the plane, because the other parameters differ.
    #[must_use]
    pub fn place_of(&self, mixture: &Mixture) -> Point {
        let Parameters { covariance_type, floor, .. } = self.origin;
        let vector = vector_of(&Parameters::of(mixture, covariance_type, floor));
        let from_zero: Vec<f64> = vector.iter().zip(&self.zero).map(|(v, zero)| v - zero).collect();
        [0, 1].map(|axis| dot(&from_zero, &self.directions[axis]))
    }

    /// How many components its mixtures have.
    #[must_use]
    pub fn component_count(&self) -> usize {
        self.origin.logits.len()
    }

    /// The coordinates of every step of a path.
    #[must_use]
    pub fn places<'a>(&self, path: impl IntoIterator<Item = &'a Mixture>) -> Vec<Point> {
        path.into_iter().map(|mixture| self.place_of(mixture)).collect()
    }

    /// θ at these coordinates; all that they do not change is as at the step that the plane passes through.
    #[must_use]
    pub fn parameters_at(&self, place: Point) -> Parameters {
        let [da, db] = [place[0] - self.here[0], place[1] - self.here[1]];
        let [a, b] = &self.directions;
        let moved = self.vector.iter().zip(a.iter().zip(b)).map(|(v, (a, b))| v + da * a + db * b);
        self.origin.with_vector(&moved.collect::<Vec<f64>>())
    }

    /// The objective at these coordinates; NaN where it is not finite.
    #[must_use]
    pub fn value_at(&self, place: Point) -> f64 {
        let parameters = self.parameters_at(place).with_full_covariances();
        let value = self.objective.evaluate(&parameters, Batch::all(&self.points)).value;
        if value.is_finite() { value } else { f64::NAN }
    }
}

/// Where coordinates begin, in which directions they go, and what they are called.
struct Frame {
    zero: Vec<f64>,
    directions: [Vec<f64>; 2],
    labels: [String; 2],
}

/// Along coordinates of means: of which component, and which axis. Coordinates are those of the plane.
fn along_means(origin: &Parameters, chosen: [(usize, usize); 2]) -> Result<Frame, LandscapeError> {
    let count = origin.logits.len();
    let length = 3 * count + origin.factors.len();
    if let Some((k, _)) = chosen.into_iter().find(|(k, _)| *k >= count) {
        return Err(LandscapeError::NoComponent(k + 1));
    }
    let directions = chosen.map(|(k, axis)| {
        let mut direction = vec![0.0; length];
        direction[count + 2 * k + axis] = 1.0;
        direction
    });
    let labels = chosen.map(|(k, axis)| format!("{} of mean {}", ["x₁", "x₂"][axis], k + 1));
    Ok(Frame { zero: vec![0.0; length], directions, labels })
}

/// The two main directions of a path in the space of θ: its first two principal components (Li et al. 2018, section 7),
/// counted from its first step, with the shares of its variance that they explain.
fn main_directions(
    path: &[Moment],
    kind: CovarianceType,
    floor: f64,
) -> Result<Frame, LandscapeError> {
    let every = path.len().div_ceil(MOST_STEPS).max(1);
    let of = |moment: &Moment| vector_of(&Parameters::of(&moment.mixture, kind, floor));
    let mut rows: Vec<Vec<f64>> = path.iter().step_by(every).map(of).collect();
    let zero = rows.first().cloned().ok_or(LandscapeError::ShortPath)?;
    let mean: Vec<f64> = (0..zero.len())
        .map(|i| rows.iter().map(|row| row[i]).sum::<f64>() / rows.len() as f64)
        .collect();
    for row in &mut rows {
        for (value, mean) in row.iter_mut().zip(&mean) {
            *value -= mean;
        }
    }
    let (directions, shares) = principal_directions(&rows).ok_or(LandscapeError::ShortPath)?;
    let label = |name: &str, share: f64| {
        format!("{name} direction ({:.0} % of the variance)", 100.0 * share)
    };
    let labels = [label("first", shares[0]), label("second", shares[1])];
    Ok(Frame { zero, directions, labels })
}

/// A landscape on its way: its plane once that is found, and its cells.
pub struct Landscape {
    slice: Arc<OnceLock<Result<Slice, LandscapeError>>>,
    /// `None` once it was cancelled.
    survey: Option<Survey<f64>>,
}

impl Landscape {
    /// Begins to evaluate the objective at every cell of this detail, in the background, on so many threads. Cells that
    /// have no finite objective are NaN. `wake` is called after every cell.
    ///
    /// # Errors
    /// An I/O error if the system gives no threads.
    pub fn spawn(
        scene: Scene,
        detail: usize,
        thread_count: usize,
        wake: impl Fn() + Clone + Send + 'static,
    ) -> std::io::Result<Landscape> {
        let slice: Arc<OnceLock<Result<Slice, LandscapeError>>> = Arc::default();
        let theirs = slice.clone();
        let value = move |cell: Cell, is_wanted: &dyn Fn() -> bool| {
            let slice = theirs.get_or_init(|| Slice::new(&scene));
            let slice = slice.as_ref().map_err(ToString::to_string)?;
            Ok(is_wanted().then(|| slice.value_at(cell.place(slice.square))))
        };
        let survey = Some(Survey::spawn(0, detail, thread_count, value, wake)?);
        Ok(Landscape { slice, survey })
    }

    /// Its plane, once it is found.
    #[must_use]
    pub fn slice(&self) -> Option<&Slice> {
        self.slice.get()?.as_ref().ok()
    }

    /// What arrived since the last call; an error says why nothing more will come.
    pub fn drain(&mut self) -> Vec<Result<(Cell, f64), String>> {
        self.survey.as_mut().map(Survey::drain).unwrap_or_default()
    }

    /// All that is still to come; waits for it.
    pub fn wait(&mut self) -> Vec<Result<(Cell, f64), String>> {
        self.survey.as_mut().map(Survey::wait).unwrap_or_default()
    }

    /// Stops what is still to come; its plane stays.
    pub fn cancel(&mut self) {
        self.survey = None;
    }

    /// True once every cell has been passed on, or it was cancelled.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.survey.as_ref().is_none_or(Survey::is_done)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::algorithms::ALGORITHMS;
    use crate::training::{Record, Run};

    fn scene(id: &str, covariance_type: &str, steps: usize, directions: Directions) -> Scene {
        let mut experiment = Experiment::default();
        experiment.choose_algorithm(id);
        for (key, value) in
            [("n_samples", "300"), ("n_components", "4"), ("covariance_type", covariance_type)]
        {
            experiment.set(key, value).unwrap();
        }
        let prepared = Prepared::new(&experiment).unwrap();
        let mut run = Run::new(&experiment, prepared.clone()).unwrap();
        let moment =
            |run: &Run| Moment { record: run.record(), mixture: Arc::new(run.mixture().clone()) };
        let mut path = vec![moment(&run)];
        for _ in 0..steps {
            run.step().unwrap();
            path.push(moment(&run));
        }
        let shown = moment(&run);
        let experiment = Arc::new(experiment);
        Scene { experiment, prepared, shown, look: None, path, directions }
    }

    fn is_near(a: f64, b: f64) -> bool {
        (a - b).abs() <= 1e-9 * (1.0 + b.abs())
    }

    #[test]
    fn at_the_step_it_passes_through_it_is_the_objective_of_the_run() {
        for info in &*ALGORITHMS {
            for covariance_type in ["full", "diag", "spherical", "tied"] {
                for directions in [Directions::Mean(1), Directions::Pair(0, 3), Directions::Path] {
                    let scene = scene(info.id, covariance_type, 12, directions);
                    let slice = Slice::new(&scene).unwrap();
                    let what = format!("{} {covariance_type} {directions:?}", info.id);
                    let objective = scene.shown.record.objective;
                    assert!(is_near(slice.value, objective), "{what}: {} {objective}", slice.value);
                    let last = *slice
                        .places(scene.path.iter().map(|moment| &*moment.mixture))
                        .last()
                        .unwrap();
                    assert_eq!(last, slice.here, "{what}");
                }
            }
        }
    }

    #[test]
    fn settings_that_changed_on_the_way_are_those_of_the_step() {
        let mut experiment = Experiment::default();
        experiment.choose_algorithm("dsm");
        experiment.set("n_samples", "300").unwrap();
        let prepared = Prepared::new(&experiment).unwrap();
        let mut run = Run::new(&experiment, prepared.clone()).unwrap();
        for sigma in ["0.2", "0.5"] {
            for _ in 0..3 {
                run.step().unwrap();
            }
            let mut tuned = experiment.clone();
            tuned.set("sigma", sigma).unwrap();
            tuned.set("redraw", "false").unwrap();
            run.tune(tuned.algorithm);
        }
        let record = run.record();
        let info = experiment.algorithm_info();
        let look = info.look(&run.course().up_to(record.step).unwrap(), 300, None);
        let shown = Moment { record, mixture: Arc::new(run.mixture().clone()) };
        let directions = Directions::Mean(0);
        let experiment = run.experiment().clone();
        let scene = Scene { experiment, prepared, shown, look, path: Vec::new(), directions };
        let value = Slice::new(&scene).unwrap().value;
        assert!(is_near(value, record.objective), "{value} {}", record.objective);
    }

    #[test]
    fn every_cell_is_the_objective_with_these_means() {
        let scene = scene("em", "full", 5, Directions::Pair(2, 0));
        let mut landscape = Landscape::spawn(scene.clone(), 8, 2, || ()).unwrap();
        let cells = landscape.wait();
        assert!(landscape.is_done() && cells.len() == 64);
        let square = landscape.slice().unwrap().square;
        let components = scene.shown.mixture.components();
        for (cell, value) in cells.into_iter().map(Result::unwrap) {
            let place = cell.place(square);
            let weights: Vec<f64> = scene.shown.mixture.weights();
            let mut means: Vec<Point> = components.iter().map(|c| c.gaussian.mean).collect();
            (means[2][0], means[0][0]) = (place[0], place[1]);
            let covariances: Vec<_> =
                components.iter().map(|c| c.gaussian.cholesky.covariance()).collect();
            let moved = Mixture::new(&weights, &means, &covariances).unwrap();
            let points = &scene.prepared.dataset.train;
            let sum: f64 =
                points.iter().map(|&x| crate::model::Density::log_density(&moved, x)).sum();
            let expected = -sum / points.len() as f64;
            assert!(is_near(value, expected), "{place:?}: {value} {expected}");
        }
    }

    #[test]
    fn the_path_lies_in_its_rectangle_and_begins_at_zero() {
        let scene = scene("nll", "full", 40, Directions::Path);
        let slice = Slice::new(&scene).unwrap();
        let places = slice.places(scene.path.iter().map(|moment| &*moment.mixture));
        assert!(places[0].iter().all(|v| v.abs() < 1e-12), "{:?}", places[0]);
        let Bounds { min, max } = slice.square;
        for place in places {
            assert!((0..2).all(|axis| min[axis] < place[axis] && place[axis] < max[axis]));
        }
        let [first, second] = slice.labels.clone().map(|label| {
            let digits: String = label.chars().filter(char::is_ascii_digit).collect();
            digits.parse::<f64>().unwrap()
        });
        assert!(first >= second && first + second <= 100.5, "{:?}", slice.labels);
    }

    #[test]
    fn what_is_not_there_says_so() {
        let no_path = scene("em", "full", 0, Directions::Path);
        assert_eq!(Slice::new(&no_path).unwrap_err(), LandscapeError::ShortPath);
        let no_mean = Scene { directions: Directions::Pair(0, 4), ..no_path };
        assert_eq!(Slice::new(&no_mean).unwrap_err(), LandscapeError::NoComponent(5));
        let mut landscape = Landscape::spawn(no_mean, 8, 2, || ()).unwrap();
        let results = landscape.wait();
        assert!(results.iter().any(|r| r.as_ref().is_err_and(|e| e.contains("component 5"))));
        assert!(landscape.slice().is_none());
    }

    #[test]
    fn a_weight_that_has_vanished_has_a_finite_direction() {
        let mut scene = scene("em", "full", 6, Directions::Path);
        let mixture =
            Mixture::new(&[1.0, 0.0], &[[0.0; 2], [1.0; 2]], &[[1.0, 0.0, 1.0]; 2]).unwrap();
        let record = Record { step: 7, ..scene.shown.record };
        let all = |x: f64| {
            let mixture =
                Mixture::new(&[0.5, 0.5], &[[x, 0.0], [x * x, 1.0]], &[[1.0, 0.0, 1.0]; 2]);
            Moment { record, mixture: Arc::new(mixture.unwrap()) }
        };
        scene.shown = Moment { record, mixture: Arc::new(mixture) };
        scene.path = vec![all(0.0), all(1.0), all(2.0), scene.shown.clone()];
        let slice = Slice::new(&scene).unwrap();
        assert!(slice.here.iter().all(|v| v.is_finite()) && slice.value.is_finite(), "{slice:?}");
    }
}
