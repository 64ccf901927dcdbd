//! Workings: what the running objective does with its points, drawn on the plane. One file each family of objectives.

mod composite;
mod contrastive;
mod denoising;
mod sliced;

use std::sync::Arc;

use super::{Color, Layer, Mark, Palette};
use crate::algorithms::{BATCH_SIZE, Look};
use crate::data::Dataset;
use crate::model::{Bounds, CovarianceType, Gaussian, Mixture, Point};
use crate::objectives::{Batch, ORDER, Order};
use crate::settings::Settings;
use crate::training::{Course, Experiment, Moment};

/// Objectives whose workings are drawn alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// Random directions at every point, and the score's part along them.
    Sliced,
    /// Noised points, and the way back.
    Denoising,
    /// A marginal, and a cut through the conditional.
    Composite,
    /// A shifted copy of the points.
    Contrastive,
}

const OF_EM: &str =
    "EM has no workings to draw: it averages over the points, each by its responsibilities.";
const OF_LIKELIHOOD: &str = "The likelihood has no workings to draw: it looks at log p(x) of every point and at nothing \
                             else.";
const OF_EXACT: &str = "Exact score matching has no workings to draw: its fields (F2) and its terms (E) show all that it \
                        looks at.";
const OF_EXPLICIT: &str = "Explicit score matching has no workings to draw: it compares the score with the true one at every point.";

impl Family {
    /// The family of an algorithm.
    ///
    /// # Errors
    /// Why there is nothing to draw, in one sentence.
    pub fn of(algorithm_id: &str) -> Result<Family, &'static str> {
        Ok(match algorithm_id {
            "ssm_plain" | "ssm" => Family::Sliced,
            "dsm" => Family::Denoising,
            "csm" => Family::Composite,
            "nce" => Family::Contrastive,
            "em" => return Err(OF_EM),
            "nll" => return Err(OF_LIKELIHOOD),
            "sm" => return Err(OF_EXACT),
            "esm" => return Err(OF_EXPLICIT),
            _ => return Err("This algorithm has no workings to draw."),
        })
    }
}

/// Whose workings are drawn, and at which step.
#[derive(Debug, Clone)]
pub struct Subject {
    /// What kind of workings.
    pub family: Family,
    /// The knobs that the algorithm took and evaluated that step with.
    pub settings: Arc<Settings>,
    /// Which step it is.
    pub step: usize,
    /// What was evaluated there, with all that was drawn; `None` where nothing of that is drawn on the plane, or nobody
    /// knows it.
    pub look: Option<Look>,
    /// The model at that step.
    pub mixture: Arc<Mixture>,
    /// The points that it learns from.
    pub points: Arc<[Point]>,
    /// The mixture that the points come from, where it is known and the model's covariances can be like its own.
    pub truth: Option<Arc<Mixture>>,
    /// Where the plane is cut: across x₁, and across x₂.
    pub cut: Point,
}

/// Where workings are drawn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Frame {
    /// What is seen of the plane.
    pub bounds: Bounds,
    /// How wide that is on screen or paper, in pixels at scale 1.
    pub width: f64,
}

/// As wide as a canvas has to be for all that there is room for on a usual one, in pixels.
const USUAL_WIDTH: f64 = 500.0;

impl PartialEq for Subject {
    /// Mixtures and points are equal if they are the same in memory. What was drawn follows from the rest.
    fn eq(&self, other: &Subject) -> bool {
        Arc::ptr_eq(&self.mixture, &other.mixture)
            && Arc::ptr_eq(&self.points, &other.points)
            && self.truth.as_ref().map(Arc::as_ptr) == other.truth.as_ref().map(Arc::as_ptr)
            && (self.family, self.step, self.cut) == (other.family, other.step, other.cut)
            && self.settings == other.settings
    }
}

impl Subject {
    /// The workings of a run at one of its steps, but for what it drew there. `truth` is asked for the mixture that the
    /// data come from, if that is drawn. `None` where nobody knows with which settings the step was taken.
    ///
    /// # Errors
    /// Why its algorithm has none, in one sentence.
    pub fn of(
        (experiment, course): (&Experiment, &Course),
        moment: &Moment,
        dataset: &Dataset,
        truth: impl FnOnce() -> Option<Arc<Mixture>>,
        cut: Point,
    ) -> Result<Option<Subject>, &'static str> {
        let family = Family::of(experiment.algorithm_info().id)?;
        let step = moment.record.step;
        let has_optimum =
            family == Family::Denoising && experiment.covariance_type() == CovarianceType::Full;
        let subject = |settings| Subject {
            family,
            settings,
            step,
            look: None,
            mixture: moment.mixture.clone(),
            points: dataset.train.clone(),
            truth: if has_optimum { truth() } else { None },
            cut,
        };
        Ok(course.settings_at(step).map(subject))
    }

    /// True if what was drawn at random is drawn on the plane.
    #[must_use]
    pub fn has_draws(&self) -> bool {
        self.family != Family::Composite
    }

    /// The coordinate that composite score matching takes first, across which the plane is cut: 0 for x₁.
    #[must_use]
    pub fn cut_axis(&self) -> usize {
        cut_axis(&self.settings)
    }

    /// The points that the step looked at.
    fn batch(&self) -> Batch<'_> {
        self.look.as_ref().map_or(Batch::all(&self.points), |look| look.batch(&self.points))
    }

    /// Which points are drawn, in words: every how many-th, and of which.
    fn points_words(&self, every: usize) -> String {
        let share = share_words(every);
        let is_part = self.look.as_ref().is_some_and(|look| look.indices.is_some());
        if is_part {
            format!("{share} of the mini-batch")
        } else if (1..self.points.len()).contains(&self.settings.integer(&BATCH_SIZE)) {
            format!("{share}, as if all points were looked at")
        } else {
            share
        }
    }

    /// What was drawn for the points at these places of the batch; empty where nobody knows it. Shape: places × vectors.
    fn draws_at(&self, places: &[usize]) -> Vec<Vec<Point>> {
        self.look.as_ref().map_or_else(Vec::new, |look| look.objective.draws_at(places))
    }

    /// At most so many of the points in view, and fewer in a small frame, evenly chosen: every 2ⁿ-th, so that they stay
    /// the same while the view moves a little. Their places in the batch, and every how many-th that is.
    fn thinned(&self, Frame { bounds, width }: Frame, most: usize) -> (Vec<usize>, usize) {
        let most = (most as f64 * (width / USUAL_WIDTH).min(1.0).powi(2)).max(4.0) as usize;
        let batch = self.batch();
        let is_in_view = |i: &usize| {
            let point = batch.point(*i);
            (0..2).all(|axis| (bounds.min[axis]..=bounds.max[axis]).contains(&point[axis]))
        };
        let mut every = (batch.len() / MOST_SEARCHED).max(1).next_power_of_two();
        let all = (0..batch.len()).step_by(every);
        let mut places: Vec<usize> = all.filter(is_in_view).collect();
        while places.len() > most {
            every *= 2;
            places.retain(|place| place % every == 0);
        }
        (places, every)
    }
}

/// The mixture that these data come from, where it is known that they come from one.
#[must_use]
pub fn true_mixture(experiment: &Experiment, dataset: &Dataset) -> Option<Arc<Mixture>> {
    let density = experiment.known_density(&dataset.scaling).ok()?;
    density.modes().cloned().map(Arc::new)
}

/// The coordinate that composite score matching takes first with these settings: 0 for x₁.
#[must_use]
pub fn cut_axis(settings: &Settings) -> usize {
    match Order::of(&settings.choice(&ORDER)) {
        Order::FirstThenSecond => 0,
        Order::SecondThenFirst => 1,
    }
}

/// The workings as layers, the lowest first; their ids begin with `workings`.
#[must_use]
pub fn layers(subject: &Subject, frame: Frame, palette: &Palette) -> Vec<Layer> {
    match subject.family {
        Family::Sliced => sliced::layers(subject, frame, palette),
        Family::Denoising => denoising::layers(subject, frame, palette),
        Family::Composite => composite::layers(subject, frame.bounds, palette),
        Family::Contrastive => contrastive::layers(subject, frame, palette),
    }
}

/// Points that are looked at for those in view: of larger data sets some are never drawn.
const MOST_SEARCHED: usize = 20_000;

/// What is drawn of how many, in words.
fn share_words(every: usize) -> String {
    match every {
        1 => "every point in view".to_owned(),
        _ if every % 10 == 2 && every % 100 != 12 => format!("every {every}nd point"),
        _ => format!("every {every}th point"),
    }
}

/// Both ends of an arrow.
type Ends = [Point; 2];

/// From a place by so many units along a vector, no farther than `longest`: what is cut off there would cross the whole
/// plane.
fn reach(from: Point, vector: Point, unit: f64, longest: f64) -> Ends {
    let length = unit * vector[0].hypot(vector[1]);
    let unit = if length > longest { unit * longest / length } else { unit };
    [from, [from[0] + unit * vector[0], from[1] + unit * vector[1]]]
}

/// Arrows; those that are not finite are left out.
fn arrows(all: &[Ends], width: f32, color: Color) -> Vec<Mark> {
    let is_finite = |ends: &&Ends| ends.iter().flatten().all(|v| v.is_finite());
    let shown = all.iter().filter(is_finite);
    shown.map(|&[from, to]| Mark::Arrow { from, to, width, color }).collect()
}

/// Dashed ellipses at one standard deviation.
fn dashed(gaussians: &[Gaussian], color: Color) -> Vec<Mark> {
    let line = |gaussian: &Gaussian| Mark::Line {
        points: gaussian.cholesky.ellipse(1.0).outline(gaussian.mean, 72),
        width: 3.0,
        color,
        is_dashed: true,
    };
    gaussians.iter().map(line).collect()
}

/// A rim in the color of the background below every arrow and every line of these layers, to keep them apart from a
/// bright density. A layer of its own, because the legend takes its samples from what a layer begins with.
fn with_rims(layers: Vec<Layer>, palette: &Palette) -> Vec<Layer> {
    let color = palette.plot_background.with_opacity(0.6);
    let rim = |mark: &Mark| {
        let (points, width) = match mark {
            Mark::Arrow { from, to, width, .. } => (vec![*from, *to], *width),
            Mark::Line { points, width, .. } => (points.clone(), *width),
            _ => return None,
        };
        Some(Mark::Line { points, width: width + 2.2, color, is_dashed: false })
    };
    let marks = layers.iter().flat_map(|layer| &layer.marks).filter_map(rim).collect();
    let rims = Layer { id: "workings-rims", label: String::new(), color, marks };
    std::iter::once(rims).chain(layers).collect()
}

/// A number for a label, with two decimals, or as many as show its first digit.
fn number_words(value: f64) -> String {
    let decimals = match value.abs() {
        v if v == 0.0 || v >= 0.1 => 2,
        v => (1.0 - v.log10().floor()).clamp(2.0, 9.0) as usize,
    };
    format!("{value:.decimals$}").replace('-', "−")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::algorithms::ALGORITHMS;
    use crate::figures::Theme;
    use crate::random::{Purpose, generator};
    use crate::settings::{Setting, Value};

    pub(super) const VIEW: Bounds = Bounds { min: [-4.0, -3.0], max: [4.0, 3.0] };
    pub(super) const FRAME: Frame = Frame { bounds: VIEW, width: 560.0 };

    /// A thousand points of two components, and these as the model.
    pub(super) fn subject(algorithm_id: &str) -> Subject {
        subject_with(algorithm_id, &[])
    }

    /// The same with knobs other than the defaults.
    pub(super) fn subject_with(algorithm_id: &str, chosen: &[(&Setting, Value)]) -> Subject {
        use crate::model::Density;
        let mut settings = Settings::default();
        for (setting, value) in chosen {
            settings.set(setting.key, value.clone());
        }
        let settings = Arc::new(settings);
        let info = crate::algorithms::find(algorithm_id).unwrap();
        let means = [[-1.0, 0.3], [1.0, -0.4]];
        let mixture = Mixture::new(&[0.4, 0.6], &means, &[[0.4, 0.1, 0.3]; 2]).unwrap();
        let points = mixture.sample(1_000, &mut generator(1, Purpose::Data));
        Subject {
            family: Family::of(algorithm_id).unwrap(),
            look: info.look(&[(settings.clone(), 7)], 1_000, None),
            settings,
            step: 7,
            mixture: Arc::new(mixture),
            points: points.into(),
            truth: None,
            cut: [0.5, -0.25],
        }
    }

    /// Turns a knob that has nothing to do with what is drawn at random.
    pub(super) fn set(subject: &mut Subject, setting: &Setting, value: Value) {
        Arc::make_mut(&mut subject.settings).set(setting.key, value);
    }

    pub(super) fn layer<'a>(layers: &'a [Layer], id: &str) -> &'a Layer {
        let found = layers.iter().find(|layer| layer.id == format!("workings-{id}"));
        found.unwrap_or_else(|| panic!("no layer {id}"))
    }

    /// The ends of all arrows of a layer.
    pub(super) fn ends(layer: &Layer) -> Vec<Ends> {
        let of = |mark: &Mark| match mark {
            Mark::Arrow { from, to, .. } => Some([*from, *to]),
            _ => None,
        };
        layer.marks.iter().filter_map(of).collect()
    }

    #[test]
    fn every_algorithm_has_workings_or_a_reason_why_not() {
        for info in ALGORITHMS.iter() {
            if let Err(reason) = Family::of(info.id) {
                assert!(
                    reason.ends_with('.') && reason != Family::of("").unwrap_err(),
                    "{}",
                    info.id
                );
                continue;
            }
            for theme in [Theme::Light, Theme::Dark] {
                let layers = layers(&subject(info.id), FRAME, theme.palette());
                assert!(layers.len() > 2, "{}", info.id);
                for layer in layers {
                    assert!(layer.id.starts_with("workings"), "{} {}", info.id, layer.id);
                    assert!(!layer.marks.is_empty(), "{} {}", info.id, layer.id);
                }
            }
        }
    }

    #[test]
    fn points_in_view_are_thinned_evenly() {
        let subject = subject("ssm");
        let (places, every) = subject.thinned(FRAME, 150);
        assert_eq!(every, 8);
        assert!(places.len() > 75 && places.len() <= 150, "{}", places.len());
        assert!(places.iter().all(|place| place % 8 == 0));
        // Closer, there are fewer points in view, and all of them have room.
        let near = Bounds { min: [0.9, -0.6], max: [1.2, -0.3] };
        let (places, every) = subject.thinned(Frame { bounds: near, ..FRAME }, 150);
        assert_eq!((share_words(every).as_str(), every), ("every point in view", 1));
        assert!(!places.is_empty() && places.len() < 150, "{}", places.len());
        // Half as wide, there is room for a quarter of them.
        let (places, every) = subject.thinned(Frame { width: 250.0, ..FRAME }, 150);
        assert_eq!((share_words(every).as_str(), every), ("every 32nd point", 32));
        assert!(places.len() <= 37, "{}", places.len());
        let words = [2, 8, 512].map(share_words);
        assert_eq!(words, ["every 2nd point", "every 8th point", "every 512th point"]);
    }

    #[test]
    fn subjects_differ_where_their_pictures_do() {
        let one = subject("csm");
        assert_eq!(one, one.clone());
        assert_ne!(one, Subject { cut: [0.4, -0.25], ..one.clone() });
        assert_ne!(one, Subject { step: 8, ..one.clone() });
        let mut other = one.clone();
        set(&mut other, &ORDER, Value::Choice("x2_x1".to_owned()));
        assert_ne!(one, other);
        assert_eq!((one.cut_axis(), other.cut_axis()), (0, 1));
        assert_ne!(one, Subject { mixture: Arc::new((*one.mixture).clone()), ..one.clone() });
    }

    #[test]
    fn numbers_have_the_digits_that_count() {
        for (value, words) in [(0.42, "0.42"), (-1.5, "−1.50"), (0.01, "0.010"), (0.0, "0.00")] {
            assert_eq!(number_words(value), words);
        }
    }
}
