//! Objectives: sliced score matching, as it is (SSM) and with reduced variance (SSM-VR).

use std::ops::Range;
use std::sync::Arc;

use super::directions::{Directions, N_SLICES, REDRAW, SLICE_DISTRIBUTION};
use super::kernel::{self, Forms, FormsOfTile, IDENTITY, Tile};
use super::parts::dot;
use super::{Batch, Evaluation, Expected, Objective, ObjectiveInfo, Part};
use crate::model::{Density, Parameters, Point, Symmetric, Values};
use crate::random::Rng;
use crate::settings::{Kind, Setting, Settings};

/// How much of the control variate is taken off.
pub static CONTROL_VARIATE: Setting = Setting {
    key: "control_variate",
    label: "Control variate β",
    help: "Takes β times ½(vᵀs)² − ½‖s‖², whose mean is zero, off every slice's term: 1 is SSM-VR, 0 plain SSM; \
           another β may scatter less.",
    kind: Kind::Number { default: 1.0, min: -1.0, max: 3.0, is_logarithmic: false },
    is_live: true,
};

/// (1/NM) Σₙ Σₘ vᵀ∇s(xₙ)v + ½(vᵀs(xₙ))² − β(½(vᵀs(xₙ))² − ½‖s(xₙ)‖²); Song et al. (2019), eq. 7 for β = 0, eq. 8 for
/// β = 1 (thesis eqs. 2.11, 3.7), appendix D for β between.
#[derive(Debug, Clone)]
pub struct Sliced {
    slices: Slices,
    /// β.
    control_variate: f64,
}

/// Where the slices come from.
#[derive(Debug, Clone)]
enum Slices {
    /// (1/M) Σₘ vvᵀ of every point: all that the objective needs of its slices. Length N.
    Given(Vec<Symmetric>),
    Drawn(Directions),
}

const PLAIN_FORMULA: &str = "(1/NM) ΣΣ vᵀ∇s(x)v + ½(vᵀs(x))²";

pub(super) static PLAIN_INFO: ObjectiveInfo = ObjectiveInfo {
    id: "ssm_plain",
    label: "Sliced score matching",
    short: "SSM",
    formula: |_| PLAIN_FORMULA,
    help: "Score matching that looks at the score along random directions v only.",
    settings: &[&N_SLICES, &SLICE_DISTRIBUTION, &REDRAW],
    prepare: |settings, rng| Arc::new(Sliced::drawn(settings, rng, 0.0)),
    expected: Expected::ScoreMatching,
};

pub(super) static INFO: ObjectiveInfo = ObjectiveInfo {
    id: "ssm",
    label: "SSM with reduced variance",
    short: "SSM-VR",
    formula: |settings| match settings.number(&CONTROL_VARIATE) {
        1.0 => "(1/NM) ΣΣ vᵀ∇s(x)v + ½‖s(x)‖²",
        0.0 => PLAIN_FORMULA,
        _ => "(1/NM) ΣΣ vᵀ∇s(x)v + ½(vᵀs(x))² − β(½(vᵀs(x))² − ½‖s(x)‖²)",
    },
    help: "Sliced score matching in which the mean over v of the second term, ½‖s‖², takes its place.",
    settings: &[&N_SLICES, &SLICE_DISTRIBUTION, &CONTROL_VARIATE, &REDRAW],
    prepare: |settings, rng| {
        Arc::new(Sliced::drawn(settings, rng, settings.number(&CONTROL_VARIATE)))
    },
    expected: Expected::ScoreMatching,
};

/// The slices of the sliced objective that these settings and this generator prepare. Shape: points × slices.
#[must_use]
pub fn slices(settings: &Settings, point_count: usize, rng: &mut Rng) -> Vec<Vec<Point>> {
    let mut slices = Vec::with_capacity(point_count);
    let drawn = Directions::new(settings, rng);
    drawn.for_each(0..point_count, |_, of_point| slices.push(of_point.to_vec()));
    slices
}

impl Sliced {
    /// Reduced variance from the slices themselves: for each point its M vectors.
    #[must_use]
    pub fn new<'a>(slices: impl IntoIterator<Item = &'a [Point]>) -> Sliced {
        Sliced::with_control_variate(slices, 1.0)
    }

    /// The same with β; 0 is plain sliced score matching.
    #[must_use]
    pub fn with_control_variate<'a>(
        slices: impl IntoIterator<Item = &'a [Point]>,
        control_variate: f64,
    ) -> Sliced {
        let forms = slices.into_iter().map(mean_outer_product);
        Sliced { slices: Slices::Given(forms.collect()), control_variate }
    }

    fn drawn(settings: &Settings, rng: &mut Rng, control_variate: f64) -> Sliced {
        Sliced { slices: Slices::Drawn(Directions::new(settings, rng)), control_variate }
    }

    /// Calls `then` with the place in the range and the mean of vvᵀ of every point at a range of places.
    fn for_each(&self, places: Range<usize>, mut then: impl FnMut(usize, Symmetric)) {
        match &self.slices {
            Slices::Given(given) => {
                for (l, &a) in given[places].iter().enumerate() {
                    then(l, a);
                }
            }
            Slices::Drawn(drawn) => {
                drawn.for_each(places, |l, slices| then(l, mean_outer_product(slices)));
            }
        }
    }

    /// Sets A to the mean of vvᵀ, and B to (1 − β)A + βI.
    fn set(&self, forms: &mut FormsOfTile<'_>, l: usize, a: Symmetric) {
        forms.set_a(l, a);
        if self.control_variate != 1.0 {
            let beta = self.control_variate;
            let mut b = a;
            for (b, identity) in b.iter_mut().zip(IDENTITY) {
                *b = (1.0 - beta) * *b + beta * identity;
            }
            forms.set_b(l, b);
        }
    }
}

impl Objective for Sliced {
    fn evaluate_into(
        &self,
        parameters: &Parameters,
        batch: Batch<'_>,
        evaluation: &mut Evaluation,
    ) {
        kernel::quadratic(parameters, batch, self, evaluation);
    }

    fn parts(&self, parameters: &Parameters, batch: Batch<'_>) -> Vec<Part> {
        let Values { score, hessian, .. } = parameters.mixture().values(&batch.to_vec());
        // Of vᵀ∇s v, ½(vᵀs)² and ½‖s‖².
        let mut sums = [0.0; 3];
        self.for_each(0..batch.len(), |n, [a11, a12, a22]| {
            let ([s1, s2], [h11, h12, h22]) = (score[n], hessian[n]);
            sums[0] += a11 * h11 + 2.0 * a12 * h12 + a22 * h22;
            sums[1] += 0.5 * (a11 * s1 * s1 + 2.0 * a12 * s1 * s2 + a22 * s2 * s2);
            sums[2] += 0.5 * dot(score[n], score[n]);
        });
        let [trace, along, norm] = sums.map(|sum| sum / batch.len().max(1) as f64);
        let beta = self.control_variate;
        let mut parts = vec![Part::new("(1/NM) ΣΣ vᵀ∇s(x)v", trace)];
        if beta == 1.0 {
            parts.push(Part::new("(1/N) Σ ½‖s(x)‖²", norm));
            return parts;
        }
        parts.push(Part::new("(1/NM) ΣΣ ½(vᵀs(x))²", along));
        if beta != 0.0 {
            let symbol = "(1/NM) ΣΣ −β(½(vᵀs(x))² − ½‖s(x)‖²)";
            parts.push(Part::new(symbol, -beta * (along - norm)));
        }
        parts
    }

    fn draws_at(&self, places: &[usize]) -> Vec<Vec<Point>> {
        match &self.slices {
            Slices::Given(_) => Vec::new(),
            Slices::Drawn(drawn) => places.iter().map(|&place| drawn.at(place)).collect(),
        }
    }
}

impl Forms for Sliced {
    fn fill(&self, places: Range<usize>, _: usize, _: &mut Tile<'_>, forms: &mut FormsOfTile<'_>) {
        forms.set_all_b(IDENTITY);
        self.for_each(places, |l, a| self.set(forms, l, a));
    }
}

fn mean_outer_product(slices: &[Point]) -> Symmetric {
    let share = 1.0 / slices.len() as f64;
    let mut sum = [0.0; 3];
    for [a, b] in slices {
        sum[0] += a * a;
        sum[1] += a * b;
        sum[2] += b * b;
    }
    sum.map(|entry| share * entry)
}
