//! Objective: denoising score matching, at one level of noise or at several.

use std::ops::Range;
use std::sync::Arc;

use super::directions::{Directions, MAX_COUNT, REDRAW};
use super::kernel::{self, Blur, Forms, FormsOfTile, TILE, Tile};
use super::parts::dot;
use super::{Batch, Evaluation, Expected, Objective, ObjectiveInfo, Part};
use crate::model::{Density, Mixture, Parameters, Point};
use crate::random::Rng;
use crate::settings::{Kind, Setting, Settings, Value};

/// How strong the noise is.
pub static SIGMA: Setting = Setting {
    key: "sigma",
    label: "Noise σ",
    help: "Standard deviation of the noise, in units of the data. What is learned is the density of the noised data.",
    kind: Kind::Number { default: 0.1, min: 1e-3, max: 100.0, is_logarithmic: true },
    is_live: true,
};

/// How often each point is noised.
pub static N_DRAWS: Setting = Setting {
    key: "n_draws",
    label: "Draws per point",
    help: "How many noised copies of each point are averaged over.",
    kind: Kind::Integer { default: 1, min: 1, max: MAX_COUNT as i64 },
    is_live: true,
};

/// Whether noise comes with its opposite.
pub static NOISE_PAIRS: Setting = Setting {
    key: "noise_pairs",
    label: "Draw pairs ±z",
    help: "Each draw of noise z is used as z and as −z: what grows like 1/σ cancels. As σ → 0 this becomes SSM-VR.",
    kind: Kind::Switch { default: false },
    is_live: true,
};

/// How the levels are weighted.
pub static SIGMA_WEIGHT: Setting = Setting {
    key: "sigma_weight",
    label: "Weight by σ²",
    help: "Multiplies the objective by σ²: it stays of order 1, and several levels of noise count alike.",
    kind: Kind::Switch { default: false },
    is_live: true,
};

/// How many levels of noise.
pub static N_LEVELS: Setting = Setting {
    key: "n_levels",
    label: "Levels of noise",
    help: "Averages over so many σ: a geometric ladder between σ and the largest σ.",
    kind: Kind::Integer { default: 1, min: 1, max: 16 },
    is_live: true,
};

/// The other end of the ladder.
pub static SIGMA_MAX: Setting = Setting {
    key: "sigma_max",
    label: "Largest σ",
    help: "Where the ladder of noise ends; without meaning for a single level.",
    kind: Kind::Number { default: 1.0, min: 1e-3, max: 100.0, is_logarithmic: true },
    is_live: true,
};

/// Whether the model is noised like the data.
pub static NOISED_MODEL: Setting = Setting {
    key: "noised_model",
    label: "Noise the mixture, too",
    help: "Compares the noised data with the mixture noised alike, Σ + σ²I: then the density of the data themselves is \
           learned, not that of the noised data.",
    kind: Kind::Switch { default: false },
    is_live: true,
};

/// (1/NM) Σₙ Σₘ ½‖s(x̃) + (x̃ − xₙ)/σ²‖² with x̃ = xₙ + σz and z from N(0, I); Vincent (2011). Several levels of
/// noise are averaged, each weighted by λ(σ), which is 1 or σ²; Song and Ermon (2019), eq. 6.
///
/// Of ½‖s + z/σ‖² the part ½‖z‖²/σ² does not depend on θ. Where the objective itself draws z, the mean 1/σ² takes its
/// place in the value, so that the curve shows the fit and not how long the noise happened to be.
#[derive(Debug)]
pub struct Denoising {
    noise: Noise,
    /// σ and its weight λ(σ)/L for each of L levels.
    levels: Vec<[f64; 2]>,
    /// Whether every z is used as −z, too.
    has_pairs: bool,
    /// Whether s is the score of the mixture with σ²I added to its covariances.
    noises_model: bool,
}

/// Where z comes from.
#[derive(Debug)]
enum Noise {
    /// Shape: draws × points; the same at every level.
    Given(Vec<Vec<Point>>),
    Drawn(Directions),
}

pub(super) static INFO: ObjectiveInfo = ObjectiveInfo {
    id: "dsm",
    label: "Denoising score matching",
    short: "DSM",
    // Not x̃: the window's font has no tilde to put on it.
    formula: |_| "(1/NM) ΣΣ ½‖s(y) + (y − x)/σ²‖², y = x + σz",
    help: "The score at a noised point has to point back to where the point came from; no second derivatives.",
    settings: &[
        &SIGMA,
        &N_DRAWS,
        &NOISE_PAIRS,
        &N_LEVELS,
        &SIGMA_MAX,
        &SIGMA_WEIGHT,
        &NOISED_MODEL,
        &REDRAW,
    ],
    prepare: |settings, rng| {
        let mut denoising = Denoising::new(Vec::new(), levels(settings));
        denoising.noise = Noise::Drawn(directions(settings, rng));
        denoising.has_pairs = settings.switch(&NOISE_PAIRS);
        denoising.noises_model = settings.switch(&NOISED_MODEL);
        if settings.switch(&SIGMA_WEIGHT) {
            denoising = denoising.weighted_by_variance();
        }
        Arc::new(denoising)
    },
    // Pairs have the same mean and scatter less.
    expected: Expected::ManyDraws(|settings, count| {
        settings.set(N_DRAWS.key, Value::Integer(count.clamp(1, MAX_COUNT) as i64));
        settings.set(NOISE_PAIRS.key, Value::Switch(true));
    }),
};

/// The noise z of the objective that these settings and this generator prepare, for a level counted from 0. Pairs are
/// two draws. Shape: draws × points.
#[must_use]
pub fn noise(
    settings: &Settings,
    point_count: usize,
    level: usize,
    rng: &mut Rng,
) -> Vec<Vec<Point>> {
    let directions = directions(settings, rng);
    let mut draws = Vec::new();
    for draw in 0..directions.count {
        let mut z = vec![[0.0; 2]; point_count];
        directions.fill(0..point_count, draw | level << LEVEL_BITS, &mut z);
        let opposite = settings.switch(&NOISE_PAIRS).then(|| z.iter().map(|z| z.map(|v| -v)));
        let opposite: Option<Vec<Point>> = opposite.map(Iterator::collect);
        draws.push(z);
        draws.extend(opposite);
    }
    draws
}

/// The ladder of σ that these settings describe: geometric, from σ to the largest one.
#[must_use]
pub fn levels(settings: &Settings) -> Vec<f64> {
    let (sigma, largest) = (settings.number(&SIGMA), settings.number(&SIGMA_MAX));
    let count = settings.integer(&N_LEVELS);
    let at = |i: usize| {
        let share = if count == 1 { 0.0 } else { i as f64 / (count - 1) as f64 };
        sigma * (largest / sigma).powf(share)
    };
    (0..count).map(at).collect()
}

fn directions(settings: &Settings, rng: &mut Rng) -> Directions {
    Directions::gaussian(settings.integer(&N_DRAWS), settings, rng)
}

/// Levels have streams beyond those of the draws.
const LEVEL_BITS: u32 = 16;

impl Denoising {
    /// From the noise z itself, the same at all levels σ, at least one draw and one level. Shape: draws × points.
    #[must_use]
    pub fn new(noise: Vec<Vec<Point>>, sigmas: Vec<f64>) -> Denoising {
        let share = 1.0 / sigmas.len() as f64;
        Denoising {
            noise: Noise::Given(noise),
            levels: sigmas.into_iter().map(|sigma| [sigma, share]).collect(),
            has_pairs: false,
            noises_model: false,
        }
    }

    /// Every level times its σ².
    #[must_use]
    pub fn weighted_by_variance(mut self) -> Denoising {
        for [sigma, weight] in &mut self.levels {
            *weight *= *sigma * *sigma;
        }
        self
    }

    /// Uses every z as −z, too.
    #[must_use]
    pub fn in_pairs(mut self) -> Denoising {
        self.has_pairs = true;
        self
    }

    /// Compares with the mixture noised alike.
    #[must_use]
    pub fn of_noised_model(mut self) -> Denoising {
        self.noises_model = true;
        self
    }

    /// One level of the ladder.
    fn evaluate_level(
        &self,
        level: usize,
        parameters: &Parameters,
        batch: Batch<'_>,
        evaluation: &mut Evaluation,
    ) {
        let [sigma, weight] = self.levels[level];
        let blur = if self.noises_model { Blur(sigma * sigma) } else { Blur::NONE };
        let forms = Level { denoising: self, index: level, sigma };
        kernel::quadratic_of_blurred(parameters, blur, batch, &forms, weight, evaluation);
    }
}

impl Denoising {
    /// How the parts are written.
    fn symbols(&self) -> [String; 3] {
        let count = self.levels.len();
        let is_weighted = self.levels.iter().any(|[_, weight]| *weight * count as f64 != 1.0);
        let lambda = if is_weighted { "σ²·" } else { "" };
        let (all, of_levels) =
            if count > 1 { ("(1/LNM) ΣΣΣ", "(1/L) Σ ") } else { ("(1/NM) ΣΣ", "") };
        let is_drawn = matches!(self.noise, Noise::Drawn(_));
        let target = if is_drawn {
            // The mean that takes the place of what was drawn.
            format!("{of_levels}{lambda}½E‖(y − x)/σ²‖²")
        } else {
            format!("{all} {lambda}½‖(y − x)/σ²‖²")
        };
        [format!("{all} {lambda}½‖s(y)‖²"), format!("{all} {lambda}s(y)ᵀ(y − x)/σ²"), target]
    }
}

impl Objective for Denoising {
    fn evaluate_into(
        &self,
        parameters: &Parameters,
        batch: Batch<'_>,
        evaluation: &mut Evaluation,
    ) {
        self.evaluate_level(0, parameters, batch, evaluation);
        let mut other = Evaluation::default();
        for level in 1..self.levels.len() {
            self.evaluate_level(level, parameters, batch, &mut other);
            evaluation.value += other.value;
            evaluation.gradient.add(&other.gradient);
        }
    }

    fn parts(&self, parameters: &Parameters, batch: Batch<'_>) -> Vec<Part> {
        let (mixture, points) = (parameters.mixture(), batch.to_vec());
        let mut sums = [0.0; 3];
        for (index, &[sigma, weight]) in self.levels.iter().enumerate() {
            let level = Level { denoising: self, index, sigma };
            let seen = if self.noises_model { Some(mixture.convolved([sigma; 2])) } else { None };
            let of_level = level.parts(seen.as_ref().unwrap_or(&mixture), &points);
            for (sum, part) in sums.iter_mut().zip(of_level) {
                *sum += weight * part;
            }
        }
        let symbols = self.symbols();
        symbols.into_iter().zip(sums).map(|(symbol, sum)| Part::new(symbol, sum)).collect()
    }

    fn draws_at(&self, places: &[usize]) -> Vec<Vec<Point>> {
        let Noise::Drawn(directions) = &self.noise else { return Vec::new() };
        let all = self.levels.iter().enumerate();
        let smallest = all.min_by(|a, b| a.1[0].total_cmp(&b.1[0])).map_or(0, |(level, _)| level);
        let noise = |&place: &usize| directions.in_draw(place, smallest << LEVEL_BITS);
        places.iter().map(|place| vec![noise(place)]).collect()
    }
}

/// A level of noise.
struct Level<'a> {
    denoising: &'a Denoising,
    /// Counted from 0.
    index: usize,
    sigma: f64,
}

impl Level<'_> {
    /// Writes the noise z of one draw at a range of places.
    fn draw(&self, places: Range<usize>, draw: usize, noise: &mut [Point]) {
        let (draw, is_opposite) =
            if self.denoising.has_pairs { (draw / 2, draw % 2 == 1) } else { (draw, false) };
        match &self.denoising.noise {
            Noise::Given(draws) => noise.copy_from_slice(&draws[draw][places]),
            Noise::Drawn(directions) => {
                directions.fill(places, draw | self.index << LEVEL_BITS, noise);
            }
        }
        if is_opposite {
            for z in noise.as_flattened_mut() {
                *z = -*z;
            }
        }
    }

    /// ½‖s(y)‖², s(y)ᵀz/σ and ½‖z/σ‖², means over points and draws, for the score s of a mixture.
    fn parts(&self, mixture: &Mixture, points: &[Point]) -> [f64; 3] {
        let mut sums = [0.0; 3];
        let mut noise = vec![[0.0; 2]; points.len()];
        for draw in 0..self.draw_count() {
            self.draw(0..points.len(), draw, &mut noise);
            let moved = points.iter().zip(&noise);
            let moved = moved.map(|(x, z)| [x[0] + self.sigma * z[0], x[1] + self.sigma * z[1]]);
            let scores = mixture.scores(&moved.collect::<Vec<Point>>());
            for ((_, s), z) in scores.into_iter().zip(&noise) {
                let target = z.map(|z| z / self.sigma);
                sums[0] += 0.5 * dot(s, s);
                sums[1] += dot(s, target);
                sums[2] += 0.5 * dot(target, target);
            }
        }
        let [square, cross, target] =
            sums.map(|sum| sum / (points.len() * self.draw_count()).max(1) as f64);
        [square, cross, self.mean_of_targets().unwrap_or(target)]
    }
}

impl Forms for Level<'_> {
    const A: Option<[f64; 2]> = Some([0.0; 2]);
    const B: Option<[f64; 2]> = Some([1.0; 2]);
    const HAS_TARGETS: bool = true;

    fn draw_count(&self) -> usize {
        let draws = match &self.denoising.noise {
            Noise::Given(draws) => draws.len(),
            Noise::Drawn(directions) => directions.count,
        };
        if self.denoising.has_pairs { 2 * draws } else { draws }
    }

    fn mean_of_targets(&self) -> Option<f64> {
        // E½‖z‖²/σ² in two dimensions.
        let is_drawn = matches!(self.denoising.noise, Noise::Drawn(_));
        is_drawn.then_some(1.0 / (self.sigma * self.sigma))
    }

    fn fill(
        &self,
        places: Range<usize>,
        draw: usize,
        tile: &mut Tile<'_>,
        forms: &mut FormsOfTile<'_>,
    ) {
        let mut memory = [[0.0; 2]; TILE];
        let noise = &mut memory[..places.len()];
        self.draw(places, draw, noise);
        for (l, &[z1, z2]) in noise.iter().enumerate() {
            tile.x[l] += self.sigma * z1;
            tile.y[l] += self.sigma * z2;
            forms.target[0][l] = z1 / self.sigma;
            forms.target[1][l] = z2 / self.sigma;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn single_places_have_the_noise_that_all_together_have() {
        use crate::random::{Purpose, generator};
        let mut settings = Settings::default();
        settings.set(NOISE_PAIRS.key, Value::Switch(true));
        let (places, rng) = ([0, 40, 63], || generator(3, Purpose::Slices));
        // Of a ladder downwards the last level is the smallest.
        for (levels, largest, level) in [(1, 1.0, 0), (3, 1.0, 0), (3, 0.01, 2)] {
            settings.set(N_LEVELS.key, Value::Integer(levels));
            settings.set(SIGMA_MAX.key, Value::Number(largest));
            let all = noise(&settings, 64, level, &mut rng());
            let expected = places.map(|place| vec![all[0][place]]);
            let drawn = (INFO.prepare)(&settings, &mut rng()).draws_at(&places);
            assert_eq!(drawn, expected, "{levels} {largest}");
        }
    }

    #[test]
    fn a_ladder_is_geometric() {
        let mut settings = Settings::default();
        settings.set(SIGMA.key, Value::Number(0.1));
        settings.set(SIGMA_MAX.key, Value::Number(10.0));
        assert_eq!(levels(&settings), [0.1]);
        settings.set(N_LEVELS.key, Value::Integer(3));
        let got = levels(&settings);
        for (got, expected) in got.iter().zip([0.1, 1.0, 10.0]) {
            assert!((got - expected).abs() < 1e-12, "{got} {expected}");
        }
        assert_eq!(got.len(), 3);
    }
}
