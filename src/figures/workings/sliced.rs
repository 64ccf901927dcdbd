//! Workings of sliced score matching: the slices v on the points, and how much of the score lies along them.

use super::{Ends, Frame, Subject, arrows, reach, with_rims};
use crate::figures::{Layer, Mark, Palette};
use crate::model::{Density, Point};
use crate::objectives::N_SLICES;

/// Points that are drawn at most; fewer where each has many slices.
const MOST_POINTS: usize = 150;

/// Slices that are drawn at most, of all points together.
const MOST_SLICES: usize = 400;

/// The slices of this very step, as lines of length ∝ ‖v‖ through the points; the score s(x) as thin arrows; and its part
/// along each slice, (vᵀs/‖v‖²) v, which is all that plain sliced score matching sees of it.
///
/// Thinned: of the points in view every 2ⁿ-th is drawn, so that there are at most [`MOST_POINTS`] of them with at most
/// [`MOST_SLICES`] slices.
pub fn layers(subject: &Subject, frame: Frame, palette: &Palette) -> Vec<Layer> {
    let most = (MOST_SLICES / subject.settings.integer(&N_SLICES)).clamp(6, MOST_POINTS);
    let (places, every) = subject.thinned(frame, most);
    let slices = subject.draws_at(&places);
    let points: Vec<Point> = places.iter().map(|&place| subject.batch().point(place)).collect();
    let scores: Vec<Point> = subject.mixture.scores(&points).into_iter().map(|(_, s)| s).collect();
    let width = frame.bounds.size()[0];
    let unit = unit(&scores, 0.05 * width);
    let longest = 0.14 * width;
    let (mut lines, mut wholes, mut parts) = (Vec::new(), Vec::new(), Vec::new());
    for ((&x, &s), slices) in points.iter().zip(&scores).zip(&slices) {
        // A score that is too long is shortened together with its parts: they keep their angles.
        let unit = unit.min(longest / s[0].hypot(s[1]));
        wholes.push(reach(x, s, unit, longest));
        for &v in slices {
            // A slice of typical length √2 is as long as its point needs room.
            let half = 0.014 * width;
            lines.push(
                [-1.0, 1.0].map(|side| [x[0] + side * half * v[0], x[1] + side * half * v[1]]),
            );
            parts.push(reach(x, projected(s, v), unit, longest));
        }
    }
    let [of_slices, of_parts] = [palette.categorical[5], palette.categorical[2]];
    let layer = |id, label, color, marks| Layer { id, label, color, marks };
    let slices = lines.into_iter().map(|[from, to]: Ends| Mark::Line {
        points: vec![from, to],
        width: 1.8,
        color: of_slices,
        is_dashed: false,
    });
    let layers = vec![
        layer(
            "workings-slices",
            format!("slices v of this step, {}", subject.points_words(every)),
            of_slices,
            slices.collect(),
        ),
        layer(
            "workings-score",
            "score s(x)".to_owned(),
            palette.score,
            arrows(&wholes, 1.2, palette.score.with_opacity(0.75)),
        ),
        layer(
            "workings-part",
            "its part along v".to_owned(),
            of_parts,
            arrows(&parts, 2.4, of_parts),
        ),
    ];
    with_rims(layers, palette)
}

/// The part of s along v.
fn projected(s: Point, v: Point) -> Point {
    let share = (s[0] * v[0] + s[1] * v[1]) / (v[0] * v[0] + v[1] * v[1]);
    v.map(|v| share * v)
}

/// How long a unit of the score is drawn, so that three in four arrows are shorter than this.
fn unit(scores: &[Point], longest: f64) -> f64 {
    let lengths = scores.iter().map(|s| s[0].hypot(s[1])).filter(|length| length.is_finite());
    let mut lengths: Vec<f64> = lengths.collect();
    lengths.sort_by(f64::total_cmp);
    let long = lengths.get(lengths.len() * 3 / 4).copied().unwrap_or(1.0);
    longest / long.max(f64::MIN_POSITIVE)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::tests::{FRAME, ends, layer, subject, subject_with};
    use super::*;
    use crate::algorithms::{BATCH_SIZE, Look};
    use crate::figures::Theme;
    use crate::model::{CovarianceType, Mixture, Parameters};
    use crate::objectives::{Batch, Objective, Sliced};
    use crate::settings::Value;

    #[test]
    fn lines_are_the_slices_that_the_objective_of_this_step_draws() {
        let subject = subject_with("ssm_plain", &[(&N_SLICES, Value::Integer(3))]);
        let layers = layers(&subject, FRAME, Theme::Dark.palette());
        let lines: Vec<[Point; 2]> = (layer(&layers, "slices").marks.iter())
            .map(|mark| match mark {
                Mark::Line { points, .. } => [points[0], points[1]],
                _ => panic!("{mark:?}"),
            })
            .collect();
        let (places, _) = subject.thinned(FRAME, MOST_SLICES / 3);
        assert_eq!(lines.len(), 3 * places.len());
        // What the step's own objective says of one point alone is what the drawn slices give.
        let theta = Parameters::of(&subject.mixture, CovarianceType::Full, 0.0);
        let place = places[5];
        let slices: Vec<Point> = (15..18)
            .map(|i| {
                let [from, to] = lines[i];
                [0, 1].map(|axis| (to[axis] - from[axis]) / (2.0 * 0.014 * 8.0))
            })
            .collect();
        let drawn = Sliced::with_control_variate([&slices[..]], 0.0);
        let got = drawn.evaluate(&theta, Batch::all(&subject.points[place..=place])).value;
        let info = crate::algorithms::find("ssm_plain").unwrap();
        let whole = info.objective_at(&subject.settings, subject.step);
        let of_first = |count: usize| {
            whole.evaluate(&theta, Batch::all(&subject.points[..count])).value * count as f64
        };
        let expected = of_first(place + 1) - of_first(place);
        assert!((got - expected).abs() < 1e-9 * (1.0 + expected.abs()), "{got} {expected}");
    }

    #[test]
    fn parts_lie_along_their_slices_and_leave_the_score_at_a_right_angle() {
        // Near the thin component scores are long.
        let covariances = [[0.4, 0.1, 0.3], [0.01, 0.0, 0.01]];
        let means = [[-1.0, 0.3], [1.0, -0.4]];
        let mixture = Mixture::new(&[0.4, 0.6], &means, &covariances).unwrap();
        let subject = Subject { mixture: Arc::new(mixture), ..subject("ssm") };
        let layers = layers(&subject, FRAME, Theme::Light.palette());
        let (parts, wholes) = (ends(layer(&layers, "part")), ends(layer(&layers, "score")));
        assert_eq!(parts.len(), wholes.len());
        let lines = &layer(&layers, "slices").marks;
        let length = |ends: &Ends| (ends[1][0] - ends[0][0]).hypot(ends[1][1] - ends[0][1]);
        assert!(wholes.iter().any(|whole| length(whole) > 1.119), "none is cut off");
        for ((part, whole), line) in parts.iter().zip(&wholes).zip(lines) {
            let Mark::Line { points, .. } = line else { panic!("{line:?}") };
            let along = |ends: &[Point]| [ends[1][0] - ends[0][0], ends[1][1] - ends[0][1]];
            let (p, s, v) = (along(part), along(whole), along(points));
            assert!((p[0] * v[1] - p[1] * v[0]).abs() < 1e-9);
            // Also where the score is cut off.
            let rest = [s[0] - p[0], s[1] - p[1]];
            assert!((rest[0] * v[0] + rest[1] * v[1]).abs() < 1e-9, "{p:?} {s:?} {v:?}");
        }
    }

    #[test]
    fn many_slices_leave_room_for_few_points() {
        let subject = subject_with("ssm", &[(&N_SLICES, Value::Integer(64))]);
        let layers = layers(&subject, FRAME, Theme::Dark.palette());
        let count = layer(&layers, "slices").marks.len();
        assert!(count > 0 && count <= MOST_SLICES, "{count}");
        assert!(layer(&layers, "slices").label.contains("every 256th point"));
    }

    #[test]
    fn of_a_mini_batch_its_own_points_have_the_slices() {
        let subject = subject_with("ssm", &[(&BATCH_SIZE, Value::Integer(40))]);
        let look = subject.look.as_ref().unwrap();
        let indices = look.indices.clone().unwrap();
        let layers = layers(&subject, FRAME, Theme::Dark.palette());
        let slices = layer(&layers, "slices");
        assert_eq!(slices.label, "slices v of this step, every point in view of the mini-batch");
        let middles: Vec<Point> = (slices.marks.iter())
            .filter_map(|mark| match mark {
                Mark::Line { points, .. } => {
                    Some([0, 1].map(|axis| 0.5 * (points[0][axis] + points[1][axis])))
                }
                _ => None,
            })
            .collect();
        let seen: Vec<Point> = indices.iter().map(|&i| subject.points[i as usize]).collect();
        let (places, _) = subject.thinned(FRAME, MOST_POINTS);
        assert_eq!(middles.len(), places.len());
        for (middle, place) in middles.iter().zip(places) {
            let off = (0..2).map(|axis| (middle[axis] - seen[place][axis]).abs());
            assert!(off.fold(0.0, f64::max) < 1e-12, "{place}");
        }
        // Where the batch would take too long to find out, all points are drawn, and that is said.
        let all = Look { indices: None, ..look.clone() };
        let subject = Subject { look: Some(all), ..subject };
        let layers = super::layers(&subject, FRAME, Theme::Dark.palette());
        let label = &layer(&layers, "slices").label;
        assert!(label.ends_with("as if all points were looked at"), "{label}");
    }
}
