//! Workings of denoising score matching: the noise on the points, the way back, and what the noise does to covariances.

use std::sync::Arc;

use super::{Ends, Frame, Subject, arrows, dashed, number_words, reach, with_rims};
use crate::figures::{Layer, Palette};
use crate::model::{Density, Gaussian, Mixture, Point};
use crate::objectives::{NOISED_MODEL, levels};
use crate::settings::Settings;

/// Points that are drawn at most.
const MOST_POINTS: usize = 90;

/// Arrows from the points x to their noised copies y = x + σz of this very step, and at y two arrows that the objective
/// compares: the target −(y − x)/σ² and the model's score s(y). Both are drawn times σ²: the target then ends where the
/// point was, and the model's arrow at y + σ²s(y), where the model expects it to have been (Tweedie's formula; Robbins
/// 1956, Vincent 2011).
///
/// Dashed: what the noise does to covariances, and the predicted optimum, see [`ellipses`].
///
/// Thinned: every 2ⁿ-th of the points in view, at most [`MOST_POINTS`]; of several draws the first, and of several levels
/// of noise the smallest.
pub fn layers(subject: &Subject, frame: Frame, palette: &Palette) -> Vec<Layer> {
    let Subject { settings, mixture, .. } = subject;
    let sigma = smallest_sigma(settings);
    let (places, every) = subject.thinned(frame, MOST_POINTS);
    let noise = subject.draws_at(&places);
    let points: Vec<Point> = places.iter().map(|&place| subject.batch().point(place)).collect();
    let noised: Vec<Point> = (points.iter().zip(noise.iter().flatten()))
        .map(|(x, z)| [x[0] + sigma * z[0], x[1] + sigma * z[1]])
        .collect();
    let compared = settings.switch(&NOISED_MODEL).then(|| mixture.convolved([sigma; 2]));
    let scores = compared.as_ref().unwrap_or(mixture).scores(&noised);
    let longest = 0.3 * frame.bounds.size()[0];
    let (mut ways, mut targets, mut models) = (Vec::<Ends>::new(), Vec::new(), Vec::new());
    for ((&x, &y), (_, score)) in points.iter().zip(&noised).zip(scores) {
        ways.push([x, y]);
        let target = [0, 1].map(|axis| -(y[axis] - x[axis]) / (sigma * sigma));
        targets.push(reach(y, target, sigma * sigma, longest));
        models.push(reach(y, score, sigma * sigma, longest));
    }
    let layer = |id, label: String, color, marks| Layer { id, label, color, marks };
    let noise =
        format!("noise σ = {}: x → y, {}", number_words(sigma), subject.points_words(every));
    let [of_noise, of_target] = [palette.weak_text, palette.categorical[2]];
    let mut layers = vec![
        // Wide, because the target leads back on the same way.
        layer("workings-noise", noise, of_noise, arrows(&ways, 3.4, of_noise.with_opacity(0.6))),
        layer(
            "workings-target",
            "target · σ²".to_owned(),
            of_target,
            arrows(&targets, 1.7, of_target),
        ),
        layer(
            "workings-model",
            "model score s(y) · σ²".to_owned(),
            palette.score,
            arrows(&models, 2.0, palette.score),
        ),
    ];
    layers.extend(ellipses(subject, sigma, palette));
    with_rims(layers, palette)
}

/// The σ of the smallest of the noise's levels.
fn smallest_sigma(settings: &Settings) -> f64 {
    levels(settings).into_iter().fold(f64::INFINITY, f64::min)
}

/// What the noise does to covariances, beside the components as they are.
///
/// The objective is least where the model is the density of the noised points (Vincent 2011), which for points of a
/// mixture is that mixture with Σ + σ²I. So a learned Σₖ is inflated, and Σₖ − σ²I is what it says of the points
/// themselves, where that is positive definite; and where the points' mixture is known, its Σ + σ²I is what is learned
/// from infinitely many points, if the model can become it: with full covariances and as many components. If the mixture
/// is noised, too, Σₖ + σ²I is what is compared with the noised points, and the optimum is the points' own Σ. Several
/// levels of noise have no such optimum together, and no one σ²I to subtract, unless the mixture is noised by each.
fn ellipses(subject: &Subject, sigma: f64, palette: &Palette) -> Vec<Layer> {
    let variance = sigma * sigma;
    let is_noised = subject.settings.switch(&NOISED_MODEL);
    if !is_noised && levels(&subject.settings).len() > 1 {
        return Vec::new();
    }
    let components = subject.mixture.components().iter().map(|component| component.gaussian);
    let sign = if is_noised { -1.0 } else { 1.0 };
    let own: Vec<Gaussian> = components.filter_map(|g| g.narrowed(sign * variance)).collect();
    let count = subject.mixture.components().len();
    let words = match (is_noised, own.len() == count) {
        (true, _) => "Σ + σ²I: noised mixture".to_owned(),
        (false, true) => "Σ − σ²I: without noise".to_owned(),
        (false, false) => format!("Σ − σ²I: without noise ({} of {count})", own.len()),
    };
    let [of_own, of_optimum] = [palette.categorical[5], palette.categorical[3]];
    let mut layers = vec![Layer {
        id: "workings-ellipses",
        label: words,
        color: of_own,
        marks: dashed(&own, of_own),
    }];
    let has_room = |truth: &&Arc<Mixture>| truth.components().len() <= count;
    if let Some(truth) = subject.truth.as_ref().filter(has_room) {
        let (optimum, words) = if is_noised {
            (None, "population optimum: data's Σ")
        } else {
            (Some(truth.convolved([sigma; 2])), "population optimum: data's Σ + σ²I")
        };
        let gaussians = gaussians(optimum.as_ref().unwrap_or(truth));
        layers.push(Layer {
            id: "workings-optimum",
            label: words.to_owned(),
            color: of_optimum,
            marks: dashed(&gaussians, of_optimum),
        });
    }
    // None of them may be wide enough.
    layers.retain(|layer| !layer.marks.is_empty());
    layers
}

fn gaussians(mixture: &Mixture) -> Vec<Gaussian> {
    mixture.components().iter().map(|component| component.gaussian).collect()
}

#[cfg(test)]
mod tests {
    use super::super::tests::{FRAME, ends, layer, set, subject, subject_with};
    use super::*;
    use crate::figures::{Mark, Theme};
    use crate::model::{Bounds, CovarianceType, Parameters};
    use crate::objectives::{Batch, Denoising, N_LEVELS, Objective, SIGMA, SIGMA_MAX};
    use crate::settings::Value;

    fn near(a: Point, b: Point) -> bool {
        (a[0] - b[0]).abs() < 1e-12 && (a[1] - b[1]).abs() < 1e-12
    }

    #[test]
    fn targets_lead_back_and_the_model_to_where_it_expects_the_point() {
        let subject = subject_with("dsm", &[(&SIGMA, Value::Number(0.3))]);
        let layers = layers(&subject, FRAME, Theme::Dark.palette());
        let [ways, targets, models] =
            ["noise", "target", "model"].map(|id| ends(layer(&layers, id)));
        assert!(ways.len() > 40 && ways.len() <= MOST_POINTS, "{}", ways.len());
        for ((way, target), model) in ways.iter().zip(&targets).zip(&models) {
            assert!(near(target[0], way[1]) && near(target[1], way[0]));
            let s = subject.mixture.score(way[1]);
            let expected = [way[1][0] + 0.09 * s[0], way[1][1] + 0.09 * s[1]];
            assert!(near(model[0], way[1]) && near(model[1], expected), "{model:?}");
        }
    }

    #[test]
    fn noise_is_that_which_the_objective_of_this_step_draws() {
        let subject = subject_with("dsm", &[(&SIGMA, Value::Number(0.3))]);
        let ways = ends(layer(&layers(&subject, FRAME, Theme::Dark.palette()), "noise"));
        let (places, _) = subject.thinned(FRAME, MOST_POINTS);
        let theta = Parameters::of(&subject.mixture, CovarianceType::Full, 0.0);
        let info = crate::algorithms::find("dsm").unwrap();
        let whole = info.objective_at(&subject.settings, subject.step);
        // The mean 1/σ² stands for ½‖z‖²/σ² in the value of a drawn objective: the same in the gradient alone.
        let gradient = |points: &[Point], objective: &dyn Objective| {
            let evaluation = objective.evaluate(&theta, Batch::all(points));
            evaluation.gradient.means.map_all(points.len() as f64)
        };
        let place = places[4];
        let [x, y] = ways[4];
        let z = [0, 1].map(|axis| (y[axis] - x[axis]) / 0.3);
        let drawn = Denoising::new(vec![vec![z]], vec![0.3]);
        let got = gradient(&[x], &drawn);
        let [until, before] =
            [place + 1, place].map(|end| gradient(&subject.points[..end], &*whole));
        for (k, got) in got.iter().enumerate() {
            for axis in 0..2 {
                let expected = until[k][axis] - before[k][axis];
                assert!((got[axis] - expected).abs() < 1e-9, "{k} {got:?} {expected}");
            }
        }
    }

    /// Times a number, entry by entry.
    trait MapAll {
        fn map_all(self, factor: f64) -> Vec<Point>;
    }

    impl MapAll for Vec<Point> {
        fn map_all(self, factor: f64) -> Vec<Point> {
            self.into_iter().map(|point| point.map(|v| factor * v)).collect()
        }
    }

    /// The half widths of a layer's ellipses along x₁.
    fn half_widths(layer: &Layer) -> Vec<f64> {
        let of = |mark: &Mark| match mark {
            Mark::Line { points, is_dashed: true, .. } => {
                let size = Bounds::around(points).unwrap().size();
                Some(size[0] / 2.0)
            }
            _ => None,
        };
        layer.marks.iter().filter_map(of).collect()
    }

    #[test]
    fn ellipses_are_narrower_by_the_noise_and_the_optimum_is_wider() {
        let mut subject = subject_with("dsm", &[(&SIGMA, Value::Number(0.3))]);
        subject.truth = Some(subject.mixture.clone());
        let of = |subject: &Subject, id: &str| {
            let layers = layers(subject, FRAME, Theme::Light.palette());
            (half_widths(layer(&layers, id)), layer(&layers, id).label.clone())
        };
        // Σ₁₁ = 0.4, σ² = 0.09; the outline has 72 corners.
        let is = |widths: &[f64], variance: f64| {
            widths.len() == 2 && widths.iter().all(|w| (w / variance.sqrt() - 1.0).abs() < 2e-3)
        };
        assert!(is(&of(&subject, "ellipses").0, 0.31));
        assert!(is(&of(&subject, "optimum").0, 0.49));
        set(&mut subject, &NOISED_MODEL, Value::Switch(true));
        assert!(is(&of(&subject, "ellipses").0, 0.49));
        assert!(is(&of(&subject, "optimum").0, 0.40));
        set(&mut subject, &NOISED_MODEL, Value::Switch(false));
        // One component is too narrow for σ² = 0.25.
        let covariances = [[0.4, 0.1, 0.3], [0.2, 0.0, 0.2]];
        let mixture = Mixture::new(&[0.5, 0.5], &[[0.0; 2], [1.0; 2]], &covariances).unwrap();
        subject.mixture = Arc::new(mixture);
        set(&mut subject, &SIGMA, Value::Number(0.48));
        let (widths, label) = of(&subject, "ellipses");
        assert_eq!((widths.len(), label.as_str()), (1, "Σ − σ²I: without noise (1 of 2)"));
    }

    #[test]
    fn of_a_ladder_the_smallest_level_is_drawn_and_no_optimum() {
        let ladder = [
            (&SIGMA, Value::Number(0.4)),
            (&SIGMA_MAX, Value::Number(0.1)),
            (&N_LEVELS, Value::Integer(3)),
        ];
        let mut subject = subject_with("dsm", &ladder);
        subject.truth = Some(subject.mixture.clone());
        assert!((smallest_sigma(&subject.settings) - 0.1).abs() < 1e-12);
        let layers = layers(&subject, FRAME, Theme::Dark.palette());
        assert!(layer(&layers, "noise").label.contains("σ = 0.10"));
        // Nor is there one σ²I to subtract.
        let has = |id| layers.iter().any(|layer| layer.id == id);
        assert!(!has("workings-optimum") && !has("workings-ellipses"));
        // Unless the mixture is noised by each.
        set(&mut subject, &NOISED_MODEL, Value::Switch(true));
        let layers = super::layers(&subject, FRAME, Theme::Dark.palette());
        assert_eq!(layer(&layers, "optimum").label, "population optimum: data's Σ");
        assert_eq!(half_widths(layer(&layers, "ellipses")).len(), 2);
    }

    #[test]
    fn what_the_model_has_too_few_components_for_is_no_optimum() {
        let mut subject = subject("dsm");
        subject.truth = Some(subject.mixture.clone());
        subject.mixture = Arc::new(Mixture::new(&[1.0], &[[0.0; 2]], &[[0.4, 0.1, 0.3]]).unwrap());
        let layers = layers(&subject, FRAME, Theme::Dark.palette());
        assert!(layers.iter().all(|layer| layer.id != "workings-optimum"));
    }
}
