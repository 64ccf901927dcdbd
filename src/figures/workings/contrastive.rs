//! Workings of noise-contrastive estimation: the shifted copy of the points that the model learns to tell from them.

use super::{Ends, Frame, Subject, arrows, number_words, with_rims};
use crate::figures::{Layer, Mark, Palette};
use crate::model::Point;
use crate::objectives::SHIFT;

/// Points that are drawn at most.
const MOST_POINTS: usize = 150;

/// Arrows from the points x to their noise x + v of this very step. Thinned: every 2ⁿ-th of the points in view, at most
/// [`MOST_POINTS`]; of several draws the first.
pub fn layers(subject: &Subject, frame: Frame, palette: &Palette) -> Vec<Layer> {
    let (places, every) = subject.thinned(frame, MOST_POINTS);
    let shifts = subject.draws_at(&places);
    let ways: Vec<Ends> = (places.iter().zip(shifts.iter().flatten()))
        .map(|(&place, v)| {
            let x = subject.batch().point(place);
            [x, [x[0] + v[0], x[1] + v[1]]]
        })
        .collect();
    let noise: Vec<Point> = ways.iter().map(|ends| ends[1]).collect();
    let [of_shift, of_noise] = [palette.categorical[5], palette.categorical[2]];
    let shift = number_words(subject.settings.number(&SHIFT));
    let layers = vec![
        Layer {
            id: "workings-shift",
            label: format!("shift ε = {shift}: x → x + v, {}", subject.points_words(every)),
            color: of_shift,
            marks: arrows(&ways, 1.8, of_shift),
        },
        Layer {
            id: "workings-noise",
            label: "noise x + v".to_owned(),
            color: of_noise,
            marks: vec![Mark::Points { points: noise.into(), radius: 3.0, color: of_noise }],
        },
    ];
    with_rims(layers, palette)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{FRAME, ends, layer, subject};
    use super::*;
    use crate::figures::Theme;
    use crate::objectives::shifts;
    use crate::random::{Purpose, Rng, generator};

    #[test]
    fn shifts_are_those_of_the_step() {
        let subject = subject("nce");
        let ways = ends(layer(&layers(&subject, FRAME, Theme::Dark.palette()), "shift"));
        // One evaluation after the other, as a run draws them.
        let mut rng: Rng = generator(0, Purpose::Slices);
        let mut all = Vec::new();
        for _ in 0..=subject.step {
            all = shifts(&subject.settings, subject.points.len(), &mut rng);
        }
        let (places, _) = subject.thinned(FRAME, MOST_POINTS);
        assert_eq!(ways.len(), places.len());
        for (way, place) in ways.iter().zip(places) {
            let v = all[0][place];
            assert!((0..2).all(|axis| (way[1][axis] - way[0][axis] - v[axis]).abs() < 1e-12));
        }
    }
}
