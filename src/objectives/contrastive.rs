//! Objective: noise-contrastive estimation with a shifted copy of the data as noise.

use std::ops::Range;
use std::sync::Arc;

use super::directions::{Directions, MAX_COUNT, N_SLICES, REDRAW, SLICE_DISTRIBUTION};
use super::kernel::{self, Shifts};
use super::{Batch, Evaluation, Expected, Objective, ObjectiveInfo, Part};
use crate::model::{Density, Mixture, Parameters, Point};
use crate::random::Rng;
use crate::settings::{Kind, Setting, Settings, Value};

/// How far the noise is shifted.
pub static SHIFT: Setting = Setting {
    key: "shift",
    label: "Shift ε",
    help: "The noise is the data moved by ε times a random direction v, in units of the data. As ε → 0 this becomes \
           sliced score matching.",
    kind: Kind::Number { default: 0.1, min: 1e-3, max: 100.0, is_logarithmic: true },
    is_live: true,
};

/// −E[log h(x)] − E[log(1 − h(x + v))] over the points x and their shifts v, with h(x) = p(x) / (p(x) + p(x − v)): how
/// well the density tells the data from the data moved by v. Song et al. (2019), eq. 10; Gutmann and Hyvärinen (2010).
///
/// Both terms together are log(1 + p(x−v)/p(x)) + log(1 + p(x+v)/p(x)), which is 2 log 2 + ½(vᵀ∇s v + ½(vᵀs)²) +
/// o(‖v‖²). (The paper writes the noise as p(x + v) and the factor as ¼; with the h it defines, whose noise is p(x − v),
/// the factor is ½. `tests/demonstrations.rs` holds it.)
#[derive(Debug)]
pub struct Contrastive {
    shifts: Source,
}

/// Where the shifts come from.
#[derive(Debug)]
enum Source {
    /// The shifts of every draw. Shape: draws × points.
    Given(Vec<Vec<Point>>),
    Drawn {
        directions: Directions,
        /// ε.
        length: f64,
    },
}

pub(super) static INFO: ObjectiveInfo = ObjectiveInfo {
    id: "nce",
    label: "Noise-contrastive estimation",
    short: "NCE",
    formula: |_| "−E log h(x) − E log(1 − h(x + v)), h(x) = p(x) / (p(x) + p(x − v))",
    help: "Learns to tell the data from a copy of it that is shifted by v = ε times a random direction.",
    settings: &[&SHIFT, &N_SLICES, &SLICE_DISTRIBUTION, &REDRAW],
    prepare: |settings, rng| {
        let directions = Directions::new(settings, rng);
        let shifts = Source::Drawn { directions, length: settings.number(&SHIFT) };
        Arc::new(Contrastive { shifts })
    },
    expected: Expected::ManyDraws(|settings, count| {
        settings.set(N_SLICES.key, Value::Integer(count.clamp(1, MAX_COUNT) as i64));
    }),
};

/// The shifts of the objective that these settings and this generator prepare. Shape: draws × points.
#[must_use]
pub fn shifts(settings: &Settings, point_count: usize, rng: &mut Rng) -> Vec<Vec<Point>> {
    let directions = Directions::new(settings, rng);
    let drawn = Source::Drawn { directions, length: settings.number(&SHIFT) };
    let mut shifts = vec![vec![[0.0; 2]; point_count]; drawn.draw_count()];
    for (draw, shifts) in shifts.iter_mut().enumerate() {
        drawn.fill(0..point_count, draw, shifts);
    }
    shifts
}

impl Contrastive {
    /// From the shifts themselves, at least one draw. Shape: draws × points.
    #[must_use]
    pub fn new(shifts: Vec<Vec<Point>>) -> Contrastive {
        Contrastive { shifts: Source::Given(shifts) }
    }
}

impl Objective for Contrastive {
    fn evaluate_into(
        &self,
        parameters: &Parameters,
        batch: Batch<'_>,
        evaluation: &mut Evaluation,
    ) {
        kernel::contrast(parameters, batch, &self.shifts, evaluation);
    }

    fn parts(&self, parameters: &Parameters, batch: Batch<'_>) -> Vec<Part> {
        let (mixture, points) = (parameters.mixture(), batch.to_vec());
        let here = mixture.scores(&points);
        let mut shifts = vec![[0.0; 2]; points.len()];
        let mut sums = [0.0; 2];
        let draw_count = self.shifts.draw_count();
        for draw in 0..draw_count {
            self.shifts.fill(0..points.len(), draw, &mut shifts);
            for (sum, sign) in sums.iter_mut().zip([-1.0, 1.0]) {
                let there = log_densities(&mixture, &points, &shifts, sign);
                // log(1 + p(x ± v) / p(x))
                let terms = here.iter().zip(there).map(|((here, _), there)| softplus(there - here));
                *sum += terms.sum::<f64>();
            }
        }
        let [of_data, of_noise] = sums.map(|sum| sum / (points.len() * draw_count).max(1) as f64);
        vec![Part::new("−E log h(x)", of_data), Part::new("−E log(1 − h(x + v))", of_noise)]
    }

    fn draws_at(&self, places: &[usize]) -> Vec<Vec<Point>> {
        let Source::Drawn { directions, length } = &self.shifts else { return Vec::new() };
        let shift = |&place: &usize| directions.in_draw(place, 0).map(|v| length * v);
        places.iter().map(|place| vec![shift(place)]).collect()
    }
}

/// log p at points moved by their shifts.
fn log_densities(mixture: &Mixture, points: &[Point], shifts: &[Point], sign: f64) -> Vec<f64> {
    let moved = points.iter().zip(shifts).map(|(x, v)| [x[0] + sign * v[0], x[1] + sign * v[1]]);
    let moved: Vec<Point> = moved.collect();
    mixture.scores(&moved).into_iter().map(|(log_density, _)| log_density).collect()
}

/// log(1 + exp u), where exp u may be beyond all numbers.
fn softplus(u: f64) -> f64 {
    u.max(0.0) + (-u.abs()).exp().ln_1p()
}

impl Shifts for Source {
    fn draw_count(&self) -> usize {
        match self {
            Source::Given(shifts) => shifts.len(),
            Source::Drawn { directions, .. } => directions.count,
        }
    }

    fn fill(&self, places: Range<usize>, draw: usize, shifts: &mut [Point]) {
        match self {
            Source::Given(given) => shifts.copy_from_slice(&given[draw][places]),
            Source::Drawn { directions, length } => {
                directions.fill(places, draw, shifts);
                for shift in shifts.as_flattened_mut() {
                    *shift *= length;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Purpose, generator};

    #[test]
    fn single_places_have_the_shifts_that_all_together_have() {
        let (settings, rng) = (Settings::default(), || generator(3, Purpose::Slices));
        let places = [0, 40, 63];
        let all = shifts(&settings, 64, &mut rng());
        let expected = places.map(|place| vec![all[0][place]]);
        assert_eq!((INFO.prepare)(&settings, &mut rng()).draws_at(&places), expected);
    }
}
