//! Objective: sliced score matching with reduced variance (SSM-VR).

use std::ops::Range;
use std::sync::Arc;

use rand::{RngExt, SeedableRng};
use rand_distr::{Distribution, StandardNormal};

use super::kernel::{self, Forms, FormsOfTile, IDENTITY, TILE};
use super::{Batch, Evaluation, Objective, ObjectiveInfo};
use crate::model::{Parameters, Point, Symmetric};
use crate::random::Rng;
use crate::settings::{Kind, Setting, Settings};

/// How many slices each point gets.
pub static N_SLICES: Setting = Setting {
    key: "n_slices",
    label: "Slices per point",
    help: "How many random directions v look at each point; many slices approach exact score matching.",
    kind: Kind::Integer { default: 1, min: 1, max: 64 },
    is_live: true,
};

/// What the slices are drawn from.
pub static SLICE_DISTRIBUTION: Setting = Setting {
    key: "slice_distribution",
    label: "Slice distribution",
    help: "Gaussian: v from N(0, I), as in the thesis. Rademacher: both coordinates ±1, with less variance.",
    kind: Kind::Choice {
        default: "gaussian",
        options: &[("gaussian", "Gaussian"), ("rademacher", "Rademacher")],
    },
    is_live: true,
};

/// (1/NM) Σₙ Σₘ vᵀ∇s(xₙ)v + ½‖s(xₙ)‖² for given slices; Song et al. (2019), eq. 8; thesis eqs. 2.11, 3.7.
#[derive(Debug, Clone)]
pub struct Sliced {
    slices: Slices,
}

/// Where the slices come from.
#[derive(Debug, Clone)]
enum Slices {
    /// (1/M) Σₘ vvᵀ of every point: all that the objective needs of its slices. Length N.
    Given(Vec<Symmetric>),
    Drawn(Drawn),
}

/// Slices that are drawn where they are needed, with a stream of random numbers for every tile of points.
#[derive(Debug, Clone)]
struct Drawn {
    seed: [u8; 32],
    slice_count: usize,
    is_rademacher: bool,
}

pub(super) static INFO: ObjectiveInfo = ObjectiveInfo {
    id: "ssm",
    label: "Sliced score matching",
    short: "SSM",
    formula: "(1/NM) ΣΣ vᵀ∇s(x)v + ½‖s(x)‖²",
    help: "Score matching that looks at the score's slope along random directions v only (reduced variance).",
    settings: &[&N_SLICES, &SLICE_DISTRIBUTION],
    prepare: |settings, _, rng| {
        Arc::new(Sliced { slices: Slices::Drawn(Drawn::new(settings, rng)) })
    },
};

/// The slices of the objective that these settings and this generator prepare. Shape: points × slices.
#[must_use]
pub fn slices(settings: &Settings, point_count: usize, rng: &mut Rng) -> Vec<Vec<Point>> {
    let drawn = Drawn::new(settings, rng);
    let mut slices = Vec::with_capacity(point_count);
    for start in (0..point_count).step_by(TILE) {
        let mut rng = drawn.rng(start);
        let count = TILE.min(point_count - start);
        slices.extend((0..count).map(|_| drawn.point(&mut rng).collect::<Vec<_>>()));
    }
    slices
}

impl Sliced {
    /// From the slices themselves: for each point its M vectors.
    #[must_use]
    pub fn new<'a>(slices: impl IntoIterator<Item = &'a [Point]>) -> Sliced {
        let forms = slices.into_iter().map(|slices| mean_outer_product(slices.iter().copied()));
        Sliced { slices: Slices::Given(forms.collect()) }
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
}

impl Forms for Sliced {
    fn fill(&self, places: Range<usize>, forms: &mut FormsOfTile<'_>) {
        forms.set_all_b(IDENTITY);
        match &self.slices {
            Slices::Given(given) => {
                for (l, &a) in given[places].iter().enumerate() {
                    forms.set_a(l, a);
                }
            }
            Slices::Drawn(drawn) => {
                let mut rng = drawn.rng(places.start);
                for l in 0..places.len() {
                    forms.set_a(l, mean_outer_product(drawn.point(&mut rng)));
                }
            }
        }
    }
}

impl Drawn {
    fn new(settings: &Settings, rng: &mut Rng) -> Drawn {
        Drawn {
            seed: rng.random(),
            slice_count: settings.integer(&N_SLICES),
            is_rademacher: settings.choice(&SLICE_DISTRIBUTION) == "rademacher",
        }
    }

    /// The random numbers of the tile that starts at this place.
    fn rng(&self, start: usize) -> Rng {
        let mut rng = Rng::from_seed(self.seed);
        rng.set_stream(start as u64);
        rng
    }

    /// The slices of the tile's next point.
    fn point(&self, rng: &mut Rng) -> impl ExactSizeIterator<Item = Point> {
        (0..self.slice_count).map(|_| {
            if self.is_rademacher {
                // One random number for both signs.
                let bits: u32 = rng.random();
                [0, 1].map(|i| if bits >> i & 1 == 1 { 1.0 } else { -1.0 })
            } else {
                [StandardNormal.sample(rng), StandardNormal.sample(rng)]
            }
        })
    }
}

fn mean_outer_product(slices: impl ExactSizeIterator<Item = Point>) -> Symmetric {
    let share = 1.0 / slices.len() as f64;
    let mut sum = [0.0; 3];
    for [a, b] in slices {
        sum[0] += a * a;
        sum[1] += a * b;
        sum[2] += b * b;
    }
    sum.map(|entry| share * entry)
}
