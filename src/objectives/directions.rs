//! Directions: the random vectors that objectives draw for every point, as slices or as shifts.

use std::ops::Range;

use rand::{RngExt, SeedableRng};
use rand_distr::{Distribution, StandardNormal};

use super::kernel::TILE;
use crate::model::Point;
use crate::random::Rng;
use crate::settings::{Kind, Setting, Settings};

/// Most vectors of a point.
pub(super) const MAX_COUNT: usize = 64;

/// Points that share a stream of random numbers: a new stream costs as much as a few numbers. Another value would be
/// other vectors for the same seed.
const POINTS_PER_STREAM: usize = 32;

/// Tiles begin where streams begin.
const _: () = assert!(TILE.is_multiple_of(POINTS_PER_STREAM));

/// How many slices each point gets.
pub static N_SLICES: Setting = Setting {
    key: "n_slices",
    label: "Slices per point",
    help: "How many random directions v look at each point; many slices approach exact score matching.",
    kind: Kind::Integer { default: 1, min: 1, max: MAX_COUNT as i64 },
    is_live: true,
};

/// What the slices are drawn from.
pub static SLICE_DISTRIBUTION: Setting = Setting {
    key: "slice_distribution",
    label: "Slice distribution",
    help: "Gaussian: v from N(0, I), as in the thesis. Rademacher: both coordinates ±1, with less variance. \
           Sphere: any direction, always of length √2, so that E[vvᵀ] = I as for the others.",
    kind: Kind::Choice {
        default: "gaussian",
        options: &[("gaussian", "Gaussian"), ("rademacher", "Rademacher"), ("sphere", "sphere")],
    },
    is_live: true,
};

/// Whether every step draws anew.
pub static REDRAW: Setting = Setting {
    key: "redraw",
    label: "Draw anew at every step",
    help: "Off: the random vectors of the last step are kept, and the objective becomes one smooth function.",
    kind: Kind::Switch { default: true },
    is_live: true,
};

/// Random vectors with E[vvᵀ] = I that are drawn where they are needed, with a stream of random numbers for every
/// [`POINTS_PER_STREAM`] points.
#[derive(Debug, Clone)]
pub(super) struct Directions {
    seed: [u8; 32],
    pub count: usize,
    kind: Draw,
}

/// What vectors are drawn from.
#[derive(Debug, Clone, Copy)]
pub(super) enum Draw {
    Gaussian,
    Rademacher,
    /// Of length √2.
    Sphere,
}

impl Directions {
    /// As many as the settings of slices say, and from what they say.
    pub fn new(settings: &Settings, rng: &mut Rng) -> Directions {
        let kind = match settings.choice(&SLICE_DISTRIBUTION).as_str() {
            "rademacher" => Draw::Rademacher,
            "sphere" => Draw::Sphere,
            _ => Draw::Gaussian,
        };
        Directions { seed: seed(settings, rng), count: settings.integer(&N_SLICES), kind }
    }

    /// So many for each point, from N(0, I).
    pub fn gaussian(count: usize, settings: &Settings, rng: &mut Rng) -> Directions {
        Directions { seed: seed(settings, rng), count, kind: Draw::Gaussian }
    }

    /// Calls `then` with the index in the range and the vectors of every point at a range of places, which starts at a
    /// multiple of [`POINTS_PER_STREAM`].
    pub fn for_each(&self, places: Range<usize>, mut then: impl FnMut(usize, &[Point])) {
        let mut memory = [[0.0; 2]; MAX_COUNT];
        let vectors = &mut memory[..self.count];
        for start in places.clone().step_by(POINTS_PER_STREAM) {
            let mut rng = self.stream(start as u64);
            for place in start..(start + POINTS_PER_STREAM).min(places.end) {
                vectors.fill_with(|| self.vector(&mut rng));
                then(place - places.start, vectors);
            }
        }
    }

    /// Writes one vector for every place of such a range: those of one draw, which has streams of its own, so that more
    /// draws do not change the first ones. Draws are fewer than 2³².
    pub fn fill(&self, places: Range<usize>, draw: usize, vectors: &mut [Point]) {
        let starts = places.step_by(POINTS_PER_STREAM);
        for (start, vectors) in starts.zip(vectors.chunks_mut(POINTS_PER_STREAM)) {
            let mut rng = self.stream(start as u64 | (draw as u64) << 32);
            vectors.fill_with(|| self.vector(&mut rng));
        }
    }

    /// The vectors of the point at one place, without drawing the others', as [`Directions::for_each`] gives them.
    pub fn at(&self, place: usize) -> Vec<Point> {
        let start = place - place % POINTS_PER_STREAM;
        let mut vectors = Vec::new();
        self.for_each(start..place + 1, |_, of_point| vectors = of_point.to_vec());
        vectors
    }

    /// The vector of the point at one place in one draw, as [`Directions::fill`] writes it.
    pub fn in_draw(&self, place: usize, draw: usize) -> Point {
        let start = place - place % POINTS_PER_STREAM;
        let mut vectors = [[0.0; 2]; POINTS_PER_STREAM];
        let vectors = &mut vectors[..=place - start];
        self.fill(start..place + 1, draw, vectors);
        vectors[place - start]
    }

    fn stream(&self, number: u64) -> Rng {
        let mut rng = Rng::from_seed(self.seed);
        rng.set_stream(number);
        rng
    }

    fn vector(&self, rng: &mut Rng) -> Point {
        match self.kind {
            Draw::Gaussian => [StandardNormal.sample(rng), StandardNormal.sample(rng)],
            Draw::Rademacher => {
                // One random number for both signs.
                let bits: u32 = rng.random();
                [0, 1].map(|i| if bits >> i & 1 == 1 { 1.0 } else { -1.0 })
            }
            Draw::Sphere => {
                let (sin, cos) = (std::f64::consts::TAU * rng.random::<f64>()).sin_cos();
                [std::f64::consts::SQRT_2 * cos, std::f64::consts::SQRT_2 * sin]
            }
        }
    }
}

/// Brings the generator of a run's random vectors from its beginning to where it is after so many evaluations with these
/// settings, without drawing what each of them drew: every seed takes as many words.
pub fn pass_evaluations(settings: &Settings, count: usize, rng: &mut Rng) {
    if count == 0 {
        return;
    }
    if !settings.switch(&REDRAW) {
        // All of them draw the seed before, or the first one.
        let _ = seed(settings, rng);
        return;
    }
    let before = rng.get_word_pos();
    let _: [u8; 32] = rng.random();
    let words = rng.get_word_pos() - before;
    rng.set_word_pos(before + words * count as u128);
}

/// The seed of this step's vectors: a new one, or again the last one.
fn seed(settings: &Settings, rng: &mut Rng) -> [u8; 32] {
    let before = rng.get_word_pos();
    let seed = rng.random();
    if settings.switch(&REDRAW) {
        return seed;
    }
    // Where this generator gave the seed before this one; the first one stands for itself.
    let words = rng.get_word_pos() - before;
    rng.set_word_pos(before.saturating_sub(words));
    rng.random()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Purpose, generator};
    use crate::settings::Value;

    fn rng() -> Rng {
        generator(0, Purpose::Slices)
    }

    fn all(directions: &Directions, places: Range<usize>) -> Vec<Vec<Point>> {
        let mut all = Vec::new();
        directions.for_each(places, |_, vectors| all.push(vectors.to_vec()));
        all
    }

    #[test]
    fn equal_seeds_give_equal_vectors_whatever_is_asked_for() {
        let directions = Directions::new(&Settings::default(), &mut rng());
        let whole = all(&directions, 0..100);
        assert_eq!(whole.len(), 100);
        assert_eq!(whole[64..], all(&directions, 64..100));
        assert_ne!(whole[0], whole[32]);
        // For ever: what a seed gave once, it gives in all later versions.
        assert_eq!(whole[0], [[-1.051_816_020_550_436_3, 1.094_513_720_733_993]]);

        let mut draws = [[[0.0; 2]; 100]; 3];
        for (draw, vectors) in draws.iter_mut().enumerate() {
            directions.fill(0..100, draw, vectors);
        }
        assert_ne!(draws[0], draws[1]);
        let mut later = [[0.0; 2]; 36];
        directions.fill(64..100, 2, &mut later);
        assert_eq!(draws[2][64..], later);
    }

    #[test]
    fn single_places_have_the_vectors_that_all_together_have() {
        let mut settings = Settings::default();
        settings.set(N_SLICES.key, Value::Integer(3));
        let directions = Directions::new(&settings, &mut rng());
        let (whole, mut draws) = (all(&directions, 0..100), [[[0.0; 2]; 100]; 2]);
        for (draw, vectors) in draws.iter_mut().enumerate() {
            directions.fill(0..100, draw, vectors);
        }
        for place in [0, 1, 31, 32, 77, 99] {
            assert_eq!(directions.at(place), whole[place], "{place}");
            for (draw, vectors) in draws.iter().enumerate() {
                assert_eq!(directions.in_draw(place, draw), vectors[place], "{place} {draw}");
            }
        }
    }

    #[test]
    fn evaluations_are_passed_as_if_each_had_drawn() {
        for is_drawing in [true, false] {
            let mut settings = Settings::default();
            settings.set(REDRAW.key, Value::Switch(is_drawing));
            // Whatever the next ones are.
            for (count, draws_next) in
                [0, 1, 2, 57].into_iter().flat_map(|n| [(n, true), (n, false)])
            {
                let (mut one_by_one, mut at_once) = (rng(), rng());
                for _ in 0..count {
                    let _ = Directions::new(&settings, &mut one_by_one);
                }
                pass_evaluations(&settings, count, &mut at_once);
                let mut later = Settings::default();
                later.set(REDRAW.key, Value::Switch(draws_next));
                let next = |rng: &mut Rng| Directions::new(&later, rng).at(5);
                let what = format!("{is_drawing} {count} {draws_next}");
                assert_eq!(next(&mut one_by_one), next(&mut at_once), "{what}");
            }
        }
    }

    #[test]
    fn all_distributions_have_unit_second_moments() {
        for id in ["gaussian", "rademacher", "sphere"] {
            let mut settings = Settings::default();
            settings.set(SLICE_DISTRIBUTION.key, Value::Choice(id.to_owned()));
            let directions = Directions::new(&settings, &mut rng());
            let count = 20_000;
            let mut mean = [0.0; 3];
            for v in all(&directions, 0..count).concat() {
                for (mean, product) in mean.iter_mut().zip([v[0] * v[0], v[0] * v[1], v[1] * v[1]])
                {
                    *mean += product / count as f64;
                }
            }
            // Five standard errors of a squared normal number.
            let allowed = 5.0 * (2.0 / count as f64).sqrt();
            for (mean, expected) in mean.into_iter().zip([1.0, 0.0, 1.0]) {
                assert!((mean - expected).abs() < allowed, "{id}: {mean}");
            }
        }
    }

    #[test]
    fn frozen_vectors_are_those_of_the_last_step() {
        let (mut drawing, mut frozen) = (Settings::default(), Settings::default());
        drawing.set(REDRAW.key, Value::Switch(true));
        frozen.set(REDRAW.key, Value::Switch(false));
        let mut rng = rng();
        let mut next = |settings| all(&Directions::new(settings, &mut rng), 0..2);
        let first = next(&drawing);
        let second = next(&drawing);
        assert_ne!(first, second);
        assert_eq!(next(&frozen), second);
        assert_eq!(next(&frozen), second);
        let third = next(&drawing);
        assert!(third != second && third != first);
        // Frozen from the start, they are those of the first step.
        let mut rng = generator(0, Purpose::Slices);
        let mut next = |settings| all(&Directions::new(settings, &mut rng), 0..2);
        assert_eq!(next(&frozen), first);
        assert_eq!(next(&frozen), first);
    }
}
