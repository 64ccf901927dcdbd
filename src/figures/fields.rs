//! Fields: what is shown of a density on the plane besides itself.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::shade::{Shade, few_sorted, rounded};
use super::{Color, ColorMap, Layer, Mark, Picture, Theme};
use crate::model::{Field, Point, Symmetric};
use crate::objectives::Term;

/// What is shown of a density at every place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Quantity {
    /// p(x).
    Density,
    /// log p(x), in nats.
    LogDensity,
    /// ½‖s(x)‖² with s = ∇ₓ log p.
    Norm,
    /// tr ∇s(x).
    Trace,
    /// tr ∇s(x) + ½‖s(x)‖², of which exact score matching is the mean.
    Term,
    /// ‖s(x) − ∇ₓ log p(x)‖ with the score s of the model and the known density p of the data.
    ScoreError,
}

impl Quantity {
    /// All, in the order of menus.
    pub const ALL: [Quantity; 6] = [
        Quantity::Density,
        Quantity::LogDensity,
        Quantity::Norm,
        Quantity::Trace,
        Quantity::Term,
        Quantity::ScoreError,
    ];

    /// Its name below the canvas.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Quantity::Density => "density",
            Quantity::LogDensity => "log density",
            Quantity::Norm => "½‖s‖²",
            Quantity::Trace => "tr ∇s",
            Quantity::Term => "tr ∇s + ½‖s‖²",
            Quantity::ScoreError => "score error",
        }
    }

    /// Its name in legends of figures.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Quantity::Density => "Density p(x)",
            Quantity::LogDensity => "Log density log p(x)",
            Quantity::Norm => "½‖s(x)‖²",
            Quantity::Trace => "tr ∇s(x)",
            Quantity::Term => "tr ∇s(x) + ½‖s(x)‖²",
            Quantity::ScoreError => "‖model score − true score‖",
        }
    }

    /// What it says, in a sentence.
    #[must_use]
    pub fn help(self) -> &'static str {
        match self {
            Quantity::Density => "The model's density p(x) as a field of color.",
            Quantity::LogDensity => "log p(x), in nats: what likelihood adds up over the points.",
            Quantity::Norm => {
                "Half the squared length of the score: zero at modes, large in tails."
            }
            Quantity::Trace => {
                "The divergence of the score, the Laplacian of log p: below zero where the density curves down."
            }
            Quantity::Term => {
                "What a point at each place would add to the loss of exact score matching: blue lowers it."
            }
            Quantity::ScoreError => {
                "How far the model's score is from that of the known density of the data; the score's arrows then are \
                 the difference, from the true to the model's."
            }
        }
    }

    /// True if it exists only where the density of the data is known.
    #[must_use]
    pub fn needs_density(self) -> bool {
        self == Quantity::ScoreError
    }

    /// The next one in the list, or the one before, of those that there are; round and round.
    #[must_use]
    pub fn next(self, is_forwards: bool, knows_density: bool) -> Quantity {
        let count = Quantity::ALL.len();
        let place = Quantity::ALL.iter().position(|other| *other == self).unwrap_or(0);
        let way = if is_forwards { 1 } else { count - 1 };
        let next = Quantity::ALL[(place + way) % count];
        if next.needs_density() && !knows_density {
            return next.next(is_forwards, knows_density);
        }
        next
    }

    /// Its value, from log density, score and Hessian at a place, and the true score there; NaN where that is needed and
    /// not known.
    #[must_use]
    fn value(
        self,
        (log_density, score, hessian): (f64, Point, Symmetric),
        true_score: Option<Point>,
    ) -> f64 {
        let term = Term::of(score, hessian);
        match self {
            Quantity::Density => log_density.exp(),
            Quantity::LogDensity => log_density,
            Quantity::Norm => term.norm,
            Quantity::Trace => term.trace,
            Quantity::Term => term.total(),
            Quantity::ScoreError => true_score
                .map_or(f64::NAN, |truth| (score[0] - truth[0]).hypot(score[1] - truth[1])),
        }
    }

    /// Its values at the cells of a field, in their order, with the true scores there if they are known. NaN where one is
    /// needed and missing.
    #[must_use]
    pub fn values(self, field: &Field, true_scores: Option<&[Point]>) -> Vec<f64> {
        let truth = |i: usize| true_scores.and_then(|scores| scores.get(i)).copied();
        let cell = |i: usize| (field.log_density[i], field.score[i], field.hessian[i]);
        (0..field.score.len()).map(|i| self.value(cell(i), truth(i))).collect()
    }

    /// The shade for values of it: clipped where few or uninteresting ones would take all colors. `None` without finite
    /// values.
    #[must_use]
    pub fn shade(self, values: &[f64]) -> Option<Shade> {
        let sorted = few_sorted(values);
        let (&lowest, &highest) = (sorted.first()?, sorted.last()?);
        let at = |share: f64| sorted[((sorted.len() - 1) as f64 * share).round() as usize];
        let [low, high] = match self {
            Quantity::Density => [0.0, highest],
            Quantity::LogDensity => [lowest.max(highest - DEEPEST), highest],
            // Tails would take all colors otherwise: they rise without bound, and a window shows much of them.
            Quantity::Norm | Quantity::ScoreError => [0.0, rounded(at(0.9))],
            Quantity::Trace | Quantity::Term => {
                // As far above zero as the components reach below it; where none is in view, as far as most do.
                let deepest = -1.2 * at(0.01);
                let limit = if deepest > 0.0 { deepest } else { at(0.9) };
                let limit = rounded(limit);
                [-limit, limit]
            }
        };
        let is_signed = matches!(self, Quantity::Trace | Quantity::Term);
        let is_rooted = is_signed || matches!(self, Quantity::Norm | Quantity::ScoreError);
        let (has_lower, has_higher) = (lowest < low, highest > high);
        Some(Shade { low, high, has_lower, has_higher, is_signed, is_rooted })
    }
}

/// Nats below the highest log density that have colors: e⁻¹² is nothing on any scale.
const DEEPEST: f64 = 12.0;

/// A field of color for the density's place, below all other layers.
#[must_use]
pub fn layer(
    quantity: Quantity,
    field: &Field,
    values: &[f64],
    shade: &Shade,
    map: &ColorMap,
    theme: Theme,
) -> Layer {
    let table: [[u8; 4]; 256] = std::array::from_fn(|i| {
        let Color { r, g, b, a } = shade.color_at(i as f64 / 255.0, map, theme);
        [r, g, b, a]
    });
    let rgba = values.iter().flat_map(|&value| table[(255.0 * shade.share(value) + 0.5) as usize]);
    let picture = Picture { width: field.width, height: field.height, rgba: rgba.collect() };
    Layer {
        id: "density",
        label: quantity.label().to_owned(),
        color: shade.color_at(if shade.is_signed { 1.0 } else { 0.7 }, map, theme),
        marks: vec![Mark::Raster { bounds: field.bounds, picture: Arc::new(picture) }],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Bounds, Density, Mixture};

    const BOUNDS: Bounds = Bounds { min: [-3.0, -2.5], max: [3.5, 3.0] };

    fn mixture() -> Mixture {
        let covariances = [[0.3, 0.1, 0.2], [0.5, -0.3, 0.4]];
        Mixture::new(&[0.6, 0.4], &[[0.0, 0.0], [1.5, -1.0]], &covariances).unwrap()
    }

    #[test]
    fn fields_are_central_differences_of_the_log_density() {
        let mixture = mixture();
        let field = mixture.field(BOUNDS, 21, 17);
        let h = 1e-4;
        for i in 0..field.score.len() {
            let [x, y] = field.place(i);
            let f = |x, y| mixture.log_density([x, y]);
            let around = [f(x + h, y), f(x - h, y), f(x, y + h), f(x, y - h)];
            let trace = (around.iter().sum::<f64>() - 4.0 * f(x, y)) / (h * h);
            let slope = [around[0] - around[1], around[2] - around[3]].map(|d| d / (2.0 * h));
            let norm = 0.5 * (slope[0].powi(2) + slope[1].powi(2));
            for (quantity, expected) in [
                (Quantity::Density, f(x, y).exp()),
                (Quantity::LogDensity, f(x, y)),
                (Quantity::Norm, norm),
                (Quantity::Trace, trace),
                (Quantity::Term, trace + norm),
            ] {
                let got = quantity.values(&field, None)[i];
                let tolerance = 1e-4 * (1.0 + expected.abs() + trace.abs());
                assert!((got - expected).abs() < tolerance, "{quantity:?} {got} {expected}");
            }
        }
    }

    #[test]
    fn shades_say_what_they_clip_and_have_zero_in_the_middle() {
        let field = mixture().field(BOUNDS, 40, 40);
        for quantity in Quantity::ALL {
            let values = quantity.values(&field, Some(&true_scores(&field)));
            let shade = quantity.shade(&values).unwrap();
            for (share, text) in shade.marks() {
                let is_clipped = text.starts_with('≤') || text.starts_with('≥');
                let is_beyond = values.iter().any(|&value| {
                    (share == 0.0 && value < shade.low) || (share == 1.0 && value > shade.high)
                });
                // A shade looks at some of the values only.
                assert!(!is_clipped || is_beyond, "{quantity:?} {share} {text}");
                let value = shade.value(share);
                assert!((shade.share(value) - share).abs() < 1e-9, "{quantity:?} {share}");
            }
            let is_signed = matches!(quantity, Quantity::Trace | Quantity::Term);
            assert_eq!(shade.is_signed, is_signed, "{quantity:?}");
            if is_signed {
                assert_eq!(shade.share(0.0), 0.5);
                assert!(shade.share(-1.0) < 0.5 && 0.5 < shade.share(1.0));
            }
            assert!(values.iter().all(|value| (0.0..=1.0).contains(&shade.share(*value))));
            assert_eq!(quantity.shade(&[f64::NAN]), None);
        }
    }

    #[test]
    fn nothing_is_transparent_and_both_sides_of_zero_differ() {
        let field = mixture().field(BOUNDS, 30, 20);
        for theme in [Theme::Light, Theme::Dark] {
            let map = ColorMap::from_id("", theme);
            for quantity in Quantity::ALL {
                let values = quantity.values(&field, Some(&true_scores(&field)));
                let shade = quantity.shade(&values).unwrap();
                let layer = layer(quantity, &field, &values, &shade, map, theme);
                let Mark::Raster { picture, bounds } = &layer.marks[0] else { panic!("{layer:?}") };
                assert_eq!((picture.rgba.len(), *bounds), (4 * 30 * 20, BOUNDS));
                for (value, pixel) in values.iter().zip(picture.rgba.as_chunks::<4>().0) {
                    let exact = shade.color_at(shade.share(*value), map, theme);
                    let is_near = |a: u8, b: u8| a.abs_diff(b) <= 8;
                    assert!(is_near(pixel[3], exact.a), "{quantity:?} {value} {pixel:?} {exact:?}");
                    if shade.is_signed && pixel[3] > 128 {
                        assert_eq!(pixel[2] > pixel[0], *value < 0.0, "{quantity:?} {value}");
                    }
                }
                assert_eq!(shade.legend(quantity.label(), map, theme).len(), 3);
            }
        }
    }

    #[test]
    fn quantities_go_round_past_those_that_are_not_there() {
        for quantity in Quantity::ALL {
            assert_eq!(quantity.next(true, true).next(false, true), quantity);
        }
        let next = |quantity: Quantity, _: &Quantity| quantity.next(true, true);
        assert_eq!(Quantity::ALL.iter().fold(Quantity::Norm, next), Quantity::Norm);
        assert_eq!(Quantity::Term.next(true, true), Quantity::ScoreError);
        assert_eq!(Quantity::Term.next(true, false), Quantity::Density);
        assert_eq!(Quantity::Density.next(false, false), Quantity::Term);
    }

    /// Scores of another density, which the model's are held against.
    fn true_scores(field: &Field) -> Vec<Point> {
        let truth = Mixture::new(&[1.0], &[[0.3, -0.2]], &[[0.5, 0.1, 0.7]]).unwrap();
        let places = Field::places(field.bounds, field.width, field.height);
        places.into_iter().map(|x| truth.score(x)).collect()
    }

    /// Between Gaussians, s − s* = −Σ⁻¹(x − µ) + Σ*⁻¹(x − µ*) by hand.
    #[test]
    fn the_score_error_of_gaussians_is_what_a_hand_computes() {
        let model = Mixture::new(&[1.0], &[[1.0, 0.0]], &[[0.5, 0.0, 2.0]]).unwrap();
        let truth = Mixture::new(&[1.0], &[[0.0, 0.0]], &[[1.0, 0.0, 1.0]]).unwrap();
        let field = model.field(BOUNDS, 9, 7);
        let places = Field::places(BOUNDS, 9, 7);
        let scores: Vec<Point> = places.iter().map(|&x| truth.score(x)).collect();
        let got = Quantity::ScoreError.values(&field, Some(&scores));
        for (got, [x, y]) in got.into_iter().zip(places) {
            let expected = (-(x - 1.0) / 0.5 + x).hypot(-y / 2.0 + y);
            assert!((got - expected).abs() < 1e-9 * (1.0 + expected), "{got} {expected}");
        }
        assert!(Quantity::ScoreError.values(&field, None).iter().all(|value| value.is_nan()));
    }
}
