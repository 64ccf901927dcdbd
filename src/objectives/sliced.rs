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

/// Most slices of a point.
const MAX_SLICE_COUNT: usize = 64;

/// Points that share a stream of random numbers: a new stream costs as much as a few numbers. Another value would be
/// other slices for the same seed.
const POINTS_PER_STREAM: usize = 32;

/// Tiles begin where streams begin.
const _: () = assert!(TILE.is_multiple_of(POINTS_PER_STREAM));

/// How many slices each point gets.
pub static N_SLICES: Setting = Setting {
    key: "n_slices",
    label: "Slices per point",
    help: "How many random directions v look at each point; many slices approach exact score matching.",
    kind: Kind::Integer { default: 1, min: 1, max: MAX_SLICE_COUNT as i64 },
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

/// Slices that are drawn where they are needed, with a stream of random numbers for every [`POINTS_PER_STREAM`] points.
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
    prepare: |settings, rng| Arc::new(Sliced { slices: Slices::Drawn(Drawn::new(settings, rng)) }),
};

/// The slices of the objective that these settings and this generator prepare. Shape: points × slices.
#[must_use]
pub fn slices(settings: &Settings, point_count: usize, rng: &mut Rng) -> Vec<Vec<Point>> {
    let drawn = Drawn::new(settings, rng);
    let mut slices = Vec::with_capacity(point_count);
    drawn.for_each(0..point_count, |_, of_point| slices.push(of_point.to_vec()));
    slices
}

impl Sliced {
    /// From the slices themselves: for each point its M vectors.
    #[must_use]
    pub fn new<'a>(slices: impl IntoIterator<Item = &'a [Point]>) -> Sliced {
        let forms = slices.into_iter().map(mean_outer_product);
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
                drawn.for_each(places, |l, slices| forms.set_a(l, mean_outer_product(slices)));
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

    /// Calls `then` with the index in the range and the slices of every point at a range of places, which starts at a
    /// multiple of [`POINTS_PER_STREAM`].
    fn for_each(&self, places: Range<usize>, mut then: impl FnMut(usize, &[Point])) {
        let mut memory = [[0.0; 2]; MAX_SLICE_COUNT];
        let slices = &mut memory[..self.slice_count];
        for start in places.clone().step_by(POINTS_PER_STREAM) {
            let mut rng = Rng::from_seed(self.seed);
            rng.set_stream(start as u64);
            for place in start..(start + POINTS_PER_STREAM).min(places.end) {
                slices.fill_with(|| self.slice(&mut rng));
                then(place - places.start, slices);
            }
        }
    }

    fn slice(&self, rng: &mut Rng) -> Point {
        if self.is_rademacher {
            // One random number for both signs.
            let bits: u32 = rng.random();
            [0, 1].map(|i| if bits >> i & 1 == 1 { 1.0 } else { -1.0 })
        } else {
            [StandardNormal.sample(rng), StandardNormal.sample(rng)]
        }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Purpose, generator};

    #[test]
    fn equal_seeds_give_equal_slices_whatever_is_asked_for() {
        let drawn = Drawn::new(&Settings::default(), &mut generator(0, Purpose::Slices));
        let of = |places: Range<usize>| {
            let mut all = Vec::new();
            drawn.for_each(places, |l, slices| all.push((l, slices.to_vec())));
            all
        };
        let (all, later) = (of(0..100), of(64..100));
        assert_eq!(all.len(), 100);
        for (l, slices) in later {
            assert_eq!(all[64 + l].1, slices);
        }
        assert_ne!(all[0].1, all[32].1);
        // For ever: what a seed gave once, it gives in all later versions.
        let first = slices(&Settings::default(), 1, &mut generator(0, Purpose::Slices));
        assert_eq!(first, vec![vec![FIRST]]);
    }

    const FIRST: Point = [-1.051_816_020_550_436_3, 1.094_513_720_733_993];
}
