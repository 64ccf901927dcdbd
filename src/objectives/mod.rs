//! What is being minimized. One file each: an objective's value and its gradient with respect to θ.
//!
//! All of them are sums over points of closed forms, computed by the fused loops of `kernel/`. To add one, write
//! its file and add its two words below; it then is an algorithm with all its settings.

mod composite;
mod contrastive;
mod denoising;
mod directions;
mod explicit;
pub mod kernel;
mod nll;
mod parts;
mod score_matching;
mod sliced;
mod terms;

pub use composite::{Composite, ORDER, Order};
pub use contrastive::{Contrastive, SHIFT, shifts};
pub use denoising::{
    Denoising, N_DRAWS, N_LEVELS, NOISE_PAIRS, NOISED_MODEL, SIGMA, SIGMA_MAX, SIGMA_WEIGHT,
    levels, noise,
};
pub use directions::{N_SLICES, REDRAW, SLICE_DISTRIBUTION, pass_evaluations};
pub use explicit::ExplicitScoreMatching;
pub use nll::NegativeLogLikelihood;
pub use parts::Part;
pub use score_matching::ScoreMatching;
pub use sliced::{CONTROL_VARIATE, Sliced, slices};
pub use terms::{Term, Terms};

use std::sync::Arc;

use crate::model::{Parameters, Point};
use crate::random::Rng;
use crate::settings::{Setting, Settings};

/// All objectives, in the order of menus.
pub static OBJECTIVES: &[&ObjectiveInfo] = &[
    &nll::INFO,
    &score_matching::INFO,
    &sliced::PLAIN_INFO,
    &sliced::INFO,
    &denoising::INFO,
    &composite::INFO,
    &contrastive::INFO,
];

/// What menus, files and the command line need to know of an objective.
pub struct ObjectiveInfo {
    /// Name in files and on the command line.
    pub id: &'static str,
    /// Name in menus.
    pub label: &'static str,
    /// A few letters for plots.
    pub short: &'static str,
    /// Its definition with these settings, as text.
    pub formula: fn(&Settings) -> &'static str,
    /// What it measures, in one sentence.
    pub help: &'static str,
    /// Its knobs.
    pub settings: &'static [&'static Setting],
    /// The objective of one step; draws whatever is random about it.
    pub prepare: fn(&Settings, &mut Rng) -> Arc<dyn Objective>,
    /// What it is on average over what it draws.
    pub expected: Expected,
}

/// What an objective is on average over what it draws, at given points.
#[derive(Debug, Clone, Copy)]
pub enum Expected {
    /// Itself: it draws nothing.
    Itself,
    /// Exact score matching, because E vvᵀ is the identity (Song et al. 2019, eqs. 7 and 8).
    ScoreMatching,
    /// What has no closed form: the mean over many draws approaches it. Sets the knobs so that many are averaged in one
    /// evaluation.
    ManyDraws(fn(&mut Settings, usize)),
}

/// A function of θ and of points.
pub trait Objective: std::fmt::Debug + Send + Sync {
    /// Value and gradient at full-covariance parameters, into an evaluation whose memory is used again.
    fn evaluate_into(&self, parameters: &Parameters, batch: Batch<'_>, evaluation: &mut Evaluation);

    /// Value and gradient at full-covariance parameters.
    fn evaluate(&self, parameters: &Parameters, batch: Batch<'_>) -> Evaluation {
        let mut evaluation = Evaluation::default();
        self.evaluate_into(parameters, batch, &mut evaluation);
        evaluation
    }

    /// The summands of that value as its formula has them, with all that was drawn for it. They are for looking at: slow
    /// beside the value itself.
    fn parts(&self, parameters: &Parameters, batch: Batch<'_>) -> Vec<Part>;

    /// The vectors that it has drawn for the points at these places of the batch, without drawing the others': slices v, or
    /// of its first draw the noise z at the smallest σ, or the shift v. Empty where it draws nothing. Shape: places ×
    /// vectors.
    fn draws_at(&self, _places: &[usize]) -> Vec<Vec<Point>> {
        Vec::new()
    }
}

/// An objective at one θ.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Evaluation {
    /// Mean of the objective's terms over the points.
    pub value: f64,
    /// Mean log-likelihood of the same points, in nats per point: every objective passes by it.
    pub log_likelihood: f64,
    /// Gradient of `value`.
    pub gradient: Gradient,
}

/// The gradient with respect to θ of a mixture with full covariances.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Gradient {
    /// With respect to the logits. Length K.
    pub logits: Vec<f64>,
    /// With respect to the means. Length K.
    pub means: Vec<Point>,
    /// With respect to [log L₁₁, L₂₁, log L₂₂] of every component. Length 3K.
    pub factors: Vec<f64>,
}

/// Some of the points: all, or those at given places.
#[derive(Debug, Clone, Copy)]
pub struct Batch<'a> {
    points: &'a [Point],
    indices: Option<&'a [u32]>,
}

impl Evaluation {
    /// True if value, likelihood and gradient are finite numbers.
    #[must_use]
    pub fn is_finite(&self) -> bool {
        let Gradient { logits, means, factors } = &self.gradient;
        self.value.is_finite()
            && self.log_likelihood.is_finite()
            && [logits, means.as_flattened(), factors].into_iter().flatten().all(|v| v.is_finite())
    }
}

impl Gradient {
    /// Empties it, keeping its memory.
    fn clear(&mut self) {
        self.logits.clear();
        self.means.clear();
        self.factors.clear();
    }

    /// Adds another one, of as many components.
    fn add(&mut self, other: &Gradient) {
        let means = self.means.as_flattened_mut().iter_mut().zip(other.means.as_flattened());
        let logits = self.logits.iter_mut().zip(&other.logits);
        for (sum, number) in logits.chain(means).chain(self.factors.iter_mut().zip(&other.factors))
        {
            *sum += number;
        }
    }
}

impl<'a> Batch<'a> {
    /// All points.
    #[must_use]
    pub fn all(points: &'a [Point]) -> Batch<'a> {
        Batch { points, indices: None }
    }

    /// The points at these places; every index must be one of `points`.
    #[must_use]
    pub fn of(points: &'a [Point], indices: &'a [u32]) -> Batch<'a> {
        Batch { points, indices: Some(indices) }
    }

    /// How many points.
    #[must_use]
    pub fn len(&self) -> usize {
        self.indices.map_or(self.points.len(), <[u32]>::len)
    }

    /// True without points.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The nth point.
    #[must_use]
    pub fn point(&self, n: usize) -> Point {
        self.points[self.index(n)]
    }

    /// The points, in their order.
    #[must_use]
    pub fn to_vec(&self) -> Vec<Point> {
        (0..self.len()).map(|n| self.point(n)).collect()
    }

    /// The place of the nth point among all points.
    #[must_use]
    pub fn index(&self, n: usize) -> usize {
        self.indices.map_or(n, |indices| indices[n] as usize)
    }
}
