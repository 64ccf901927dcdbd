//! Probe: a card with what the model says of the place at the pointer, or of the data point beside it.

use egui_plot::{PlotPoint, PlotTransform};

use super::maps::place_words;
use super::plot::color32;
use super::view::View;
use super::views;
use crate::data::Dataset;
use crate::figures::fields::Quantity;
use crate::figures::shade::{alike, number};
use crate::model::{Density, Mixture, Point};
use crate::objectives::Term;

/// How near the pointer has to come to a data point, in points of the screen.
const REACH: f32 = 7.0;

/// Data sets beyond this are not searched in every frame.
const MOST_SEARCHED: usize = 200_000;

/// Responsibilities that are told.
const MOST_COMPONENTS: usize = 3;

/// Draws the card while the objective is taken apart, or a field other than the density is shown.
pub fn probe_ui(
    brush: &egui::Painter,
    transform: &PlotTransform,
    response: &egui::Response,
    (mixture, dataset): (&Mixture, Option<&Dataset>),
    view: &View,
) {
    let is_wanted =
        view.shows_terms() || (view.shown.density && view.quantity != Quantity::Density);
    let is_pressed = response.ctx.input(|input| input.pointer.any_down());
    let Some(pointer) = response.hover_pos().filter(|_| is_wanted && !is_pressed) else { return };
    let searched = dataset.filter(|data| view.shown.train && data.train.len() <= MOST_SEARCHED);
    let nearest = searched.and_then(|data| nearest(transform, pointer, &data.train));
    let at = transform.value_from_position(pointer);
    let place = nearest.map_or([at.x, at.y], |(_, point)| point);
    let palette = view.theme.palette();
    if nearest.is_some() {
        let at = transform.position_from_point(&PlotPoint::new(place[0], place[1]));
        brush.circle_stroke(at, 5.5, egui::Stroke::new(3.5, color32(palette.plot_background)));
        brush.circle_stroke(at, 5.5, egui::Stroke::new(1.8, color32(palette.accent)));
    }
    let what = match nearest {
        Some((index, _)) => format!("training point {}", index + 1),
        None => "here".to_owned(),
    };
    views::card_ui(brush, pointer, words(mixture, place, &what), palette);
}

/// The training point nearest to the pointer, if one is near: its index and where it is.
fn nearest(
    transform: &PlotTransform,
    pointer: egui::Pos2,
    points: &[Point],
) -> Option<(usize, Point)> {
    let center = transform.value_from_position(pointer);
    // Circles stay circles on this plane: one scale for both axes.
    let reach = f64::from(REACH) * transform.dvalue_dpos()[0].abs();
    let distance = |[x, y]: Point| (x - center.x).hypot(y - center.y);
    let near = points.iter().enumerate().filter(|(_, point)| distance(**point) <= reach);
    let nearest = near.min_by(|(_, a), (_, b)| distance(**a).total_cmp(&distance(**b)));
    nearest.map(|(index, &point)| (index, point))
}

/// What the model says of a place: term, score, log density and the largest responsibilities.
#[must_use]
pub fn words(mixture: &Mixture, place: Point, what: &str) -> String {
    let (responsibilities, log_density) = mixture.responsibilities(place);
    let score = mixture.score(place);
    let term = Term::of(score, mixture.hessian(place));
    let mut order: Vec<usize> = (0..responsibilities.len()).collect();
    order.sort_by(|a, b| responsibilities[*b].total_cmp(&responsibilities[*a]));
    let shares: Vec<String> = order
        .iter()
        .take(MOST_COMPONENTS)
        .filter(|k| responsibilities[**k] >= 5e-4)
        .map(|&k| format!("{}: {:.1} %", k + 1, 100.0 * responsibilities[k]))
        .collect();
    let terms = alike(&[term.trace, term.norm, term.total()]);
    format!(
        "{what} {}\ntr ∇s + ½‖s‖² = {} + {} = {}\nscore s = ({})\nlog p = {}\nfrom component {}",
        place_words(place),
        terms[0],
        terms[1],
        terms[2],
        alike(&score).join(", "),
        number(log_density),
        shares.join("   "),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_card_tells_of_one_gaussian_what_can_be_computed_by_hand() {
        // s = −(x − µ) / 0.25, tr ∇s = −2 / 0.25, log p = −log(2π 0.25) − ½‖x − µ‖² / 0.25.
        let mixture = Mixture::new(&[1.0], &[[1.0, 2.0]], &[[0.25, 0.0, 0.25]]).unwrap();
        assert_eq!(
            words(&mixture, [1.5, 1.0], "here"),
            "here (1.500, 1.000)\ntr ∇s + ½‖s‖² = −8.00 + 10.00 = 2.00\nscore s = (−2.000, 4.000)\n\
             log p = −2.95\nfrom component 1: 100.0 %"
        );
    }

    #[test]
    fn the_largest_responsibilities_come_first_and_sum_to_one() {
        let means = [[0.0, 0.0], [1.0, 0.0], [0.3, 0.1], [0.0, 1.0]];
        let mixture = Mixture::new(&[0.25; 4], &means, &[[0.5, 0.0, 0.5]; 4]).unwrap();
        let text = words(&mixture, [0.4, 0.1], "here");
        let line = text.lines().last().unwrap().trim_start_matches("from component ");
        let shares: Vec<f64> = (line.split("   "))
            .map(|part| part.split_once(": ").unwrap().1.trim_end_matches(" %").parse().unwrap())
            .collect();
        assert_eq!(shares.len(), 3);
        assert!(shares.windows(2).all(|pair| pair[0] >= pair[1]), "{line}");
        let (all, _) = mixture.responsibilities([0.4, 0.1]);
        let least = all.iter().copied().fold(1.0, f64::min);
        assert!((shares.iter().sum::<f64>() - 100.0 * (1.0 - least)).abs() < 0.2, "{line}");
    }
}
