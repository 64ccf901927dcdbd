//! The basin map: where training ends from every start of one mean, as a field of color on the plane.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::color_bar::ColorBar;
use super::tone::{Tone, swatch};
use super::{Color, Layer, Mark, Palette, Picture, Theme};
use crate::model::{Bounds, Point};
use crate::training::optima::{Ends, Outcome, SAME_NLL};
use crate::training::survey::{Cell, Chart, FINEST};

/// What the colors of a basin map say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum ColorBy {
    /// Which optimum was reached.
    Optimum,
    /// The likelihood that was reached.
    Nll,
    /// How many steps it took.
    Steps,
}

/// A line of the legend of optima.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Its color.
    pub color: Color,
    /// What it stands for: which of [`Ends::optima`]; `None` for several, or for none.
    pub optimum: Option<usize>,
    /// Its place among all by its NLL, from 1.
    pub rank: Option<usize>,
    /// Its name and its NLL.
    pub label: String,
    /// Its share of the square, from 0 to 1.
    pub share: f64,
}

impl Entry {
    /// Name and share.
    #[must_use]
    pub fn words(&self) -> String {
        let percent = 100.0 * self.share;
        if percent > 0.0 && percent < 0.05 {
            format!("{} · < 0.1 %", self.label)
        } else {
            format!("{} · {percent:.1} %", self.label)
        }
    }
}

/// Optima that get a color of their own: the largest. The eighth color is that of text.
const MOST_COLORS: usize = 7;

/// How much of a color covers the background, so that points above stay legible.
pub const OPACITY: f64 = 0.62;

/// The optima that have a color, the best first; then the others as one, and the starts that reached none.
#[must_use]
pub fn entries(ends: &Ends, palette: &Palette) -> Vec<Entry> {
    let ranked = ends.ranked();
    let mut largest = ranked.clone();
    largest.sort_by_key(|&optimum| std::cmp::Reverse(ends.optima[optimum].count));
    largest.truncate(MOST_COLORS);
    let own = ranked.iter().enumerate().filter(|(_, optimum)| largest.contains(optimum));
    let mut entries: Vec<Entry> = own
        .zip(palette.categorical)
        .map(|((i, &optimum), color)| Entry {
            color,
            optimum: Some(optimum),
            rank: Some(i + 1),
            label: format!("optimum {}: NLL {:.4}", i + 1, ends.optima[optimum].train_nll),
            share: ends.share(optimum),
        })
        .collect();
    let few = |color, label, share| Entry { color, optimum: None, rank: None, label, share };
    let other_count = ranked.len() - entries.len();
    if other_count > 0 {
        let named: f64 = entries.iter().map(|entry| entry.share).sum();
        let lost = ends.lost_count as f64 / ends.cells.count() as f64;
        let label =
            if other_count == 1 { "1 other".into() } else { format!("{other_count} others") };
        entries.push(few(palette.weak_text, label, (1.0 - named - lost).max(0.0)));
    }
    if ends.lost_count > 0 {
        let share = ends.lost_count as f64 / ends.cells.count() as f64;
        entries.push(few(palette.grid, "no finite next step".to_owned(), share));
    }
    entries
}

/// What the values of a map are called where colors are values.
#[must_use]
pub fn value_name(color_by: ColorBy) -> &'static str {
    match color_by {
        ColorBy::Optimum | ColorBy::Nll => "final training NLL",
        ColorBy::Steps => "steps until it stopped",
    }
}

/// The value that a color stands for.
fn value(outcome: &Outcome, color_by: ColorBy) -> f64 {
    match color_by {
        ColorBy::Optimum | ColorBy::Nll => outcome.train_nll,
        ColorBy::Steps => outcome.steps as f64,
    }
}

/// The tone of a map whose colors are values; `None` where they are optima, or where there are none.
#[must_use]
pub fn tone(ends: &Ends, color_by: ColorBy) -> Option<Tone> {
    match color_by {
        ColorBy::Optimum => None,
        // What differs by less is one optimum, and no more than where training stopped.
        ColorBy::Nll => Tone::between(ends.nll_range, SAME_NLL),
        ColorBy::Steps => Tone::between(ends.step_range, 1.0),
    }
}

/// The color bar of a map whose colors are values.
#[must_use]
pub fn bar(ends: &Ends, color_by: ColorBy) -> Option<ColorBar> {
    let tone = tone(ends, color_by)?;
    Some(ColorBar::of_tone(value_name(color_by), &tone, OPACITY))
}

/// The map as a field of color, translucent, for the plane below data and components.
#[must_use]
pub fn layer(ends: &Ends, square: Bounds, color_by: ColorBy, theme: Theme) -> Layer {
    let palette = theme.palette();
    let tone = tone(ends, color_by);
    let mut colors = vec![palette.weak_text; ends.optima.len()];
    for entry in entries(ends, palette) {
        if let Some(optimum) = entry.optimum {
            colors[optimum] = entry.color;
        }
    }
    let color = |outcome: &Outcome| match (&tone, outcome.optimum) {
        (Some(tone), Some(_)) => tone.color(value(outcome, color_by)).with_opacity(OPACITY),
        (None, Some(optimum)) => colors[optimum].with_opacity(OPACITY),
        _ => palette.grid.with_opacity(OPACITY),
    };
    let picture = Arc::new(picture(&ends.cells, color));
    let label = match color_by {
        ColorBy::Optimum => "Basin map: the optimum that a start here reaches".to_owned(),
        _ => format!("Basin map: {}", value_name(color_by)),
    };
    let marks = vec![Mark::Raster { bounds: square, picture }];
    Layer { id: "basin", label, color: palette.categorical[0], marks }
}

/// A pixel for every cell of the finest level, in the color of what is known for it; transparent where nothing is.
pub(super) fn picture<T>(chart: &Chart<T>, color: impl Fn(&T) -> Color) -> Picture {
    let mut rgba = Vec::with_capacity(4 * FINEST * FINEST);
    for row in (0..FINEST as u16).rev() {
        for column in 0..FINEST as u16 {
            let known = chart.nearest(Cell { column, row });
            let Color { r, g, b, a } =
                known.map_or(Color { r: 0, g: 0, b: 0, a: 0 }, |(_, value)| color(value));
            rgba.extend([r, g, b, a]);
        }
    }
    Picture { width: FINEST, height: FINEST, rgba }
}

/// The place where the mean starts now: a ring around a hollow dot.
#[must_use]
pub fn place(at: Point, component: usize, palette: &Palette) -> Layer {
    let ring = |radius, color| Mark::Points { points: Arc::from([at]), radius, color };
    let marks = vec![
        ring(8.5, palette.plot_background),
        ring(7.0, palette.text),
        ring(4.5, palette.plot_background),
    ];
    let label = format!("Start of mean {}", component + 1);
    Layer { id: "place", label, color: palette.text, marks }
}

/// The legend of an exported map.
#[must_use]
pub fn legend(ends: &Ends, color_by: ColorBy, palette: &Palette) -> Vec<Layer> {
    if let Some(tone) = tone(ends, color_by) {
        return tone.legend(value_name(color_by), OPACITY);
    }
    let entries = entries(ends, palette).into_iter();
    let layer = |entry: Entry| swatch("optimum", entry.words(), entry.color.with_opacity(OPACITY));
    entries.map(layer).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Mixture;
    use crate::training::basin::{Basin, End};
    use crate::training::survey::order;
    use crate::training::{Experiment, Finish, Prepared};

    /// Ends that go round through so many optima, the later ones the better.
    fn ends(optimum_count: usize, is_lost: impl Fn(usize) -> bool) -> Ends {
        let mut experiment = Experiment::default();
        experiment.set("n_samples", "50").unwrap();
        let prepared = Prepared::new(&experiment).unwrap();
        let mut ends = Basin::new(&experiment, &prepared, 0).unwrap().ends();
        for (n, cell) in order(16).enumerate() {
            let which = n % optimum_count;
            let mean = [[which as f64 * 10.0, 0.0]];
            let mixture = Mixture::new(&[1.0], &mean, &[[1.0, 0.0, 1.0]]).unwrap();
            let error = crate::algorithms::StepError::NotFinite;
            let finish = if is_lost(n) { Finish::Failed(error) } else { Finish::Converged };
            ends.push(
                cell,
                End { train_nll: 2.0 - 0.01 * which as f64, steps: n, finish, mixture },
            );
        }
        ends
    }

    #[test]
    fn the_largest_optima_have_colors_the_best_comes_first_and_shares_sum_to_one() {
        let palette = Theme::Dark.palette();
        for (count, own, others) in [(2, 2, None), (7, 7, None), (10, 7, Some("3 others"))] {
            let entries = entries(&ends(count, |n| n % 11 == 0), palette);
            let named: Vec<&Entry> = entries.iter().filter(|e| e.optimum.is_some()).collect();
            assert_eq!(named.len(), own, "{count}");
            assert!(named.windows(2).all(|pair| pair[0].rank < pair[1].rank), "{count}");
            let sum: f64 = entries.iter().map(|entry| entry.share).sum();
            assert!((sum - 1.0).abs() < 1e-12, "{count}: {sum}");
            let rest: Vec<&str> = entries[own..].iter().map(|entry| &*entry.label).collect();
            let expected: Vec<&str> = others.into_iter().chain(["no finite next step"]).collect();
            assert_eq!(rest, expected, "{count}");
        }
        let two = entries(&ends(2, |_| false), palette);
        assert_eq!(two[0].words(), "optimum 1: NLL 1.9900 · 50.0 %");
        let tiny = Entry { share: 1e-4, ..two[0].clone() };
        assert_eq!(tiny.words(), "optimum 1: NLL 1.9900 · < 0.1 %");
        assert_eq!((two.len(), two[0].optimum, two[0].share), (2, Some(1), 0.5));
    }

    #[test]
    fn a_pixel_has_the_color_of_what_a_start_there_reaches() {
        let square = Bounds { min: [0.0; 2], max: [1.0; 2] };
        let ends = ends(3, |_| false);
        for theme in [Theme::Light, Theme::Dark] {
            let entries = entries(&ends, theme.palette());
            let layer = layer(&ends, square, ColorBy::Optimum, theme);
            let Mark::Raster { picture, .. } = &layer.marks[0] else { panic!("{layer:?}") };
            for (cell, outcome) in ends.cells.known() {
                let from_top = FINEST - 1 - usize::from(cell.row);
                let pixel = 4 * (from_top * FINEST + usize::from(cell.column));
                let entry = entries.iter().find(|entry| entry.optimum == outcome.optimum).unwrap();
                let Color { r, g, b, .. } = entry.color;
                assert_eq!(picture.rgba[pixel..pixel + 3], [r, g, b], "{cell:?}");
            }
            for color_by in [ColorBy::Nll, ColorBy::Steps] {
                let tone = tone(&ends, color_by).unwrap();
                let arrived = ends.cells.values().filter(|outcome| outcome.optimum.is_some());
                let values: Vec<f64> = arrived.map(|outcome| value(outcome, color_by)).collect();
                assert!(tone.low < tone.high && values.contains(&tone.high));
                assert!(values.iter().all(|v| (tone.low..=tone.high).contains(v)));
                assert_eq!(legend(&ends, color_by, theme.palette()).len(), 5);
            }
            assert_eq!(legend(&ends, ColorBy::Optimum, theme.palette()).len(), 3);
        }
    }
}
