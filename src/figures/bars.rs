//! Bars: component weights, and where many runs ended.

use super::{Axis, Color, Layer, Mark, Palette, Plot, Spacing};
use crate::model::Mixture;
use crate::training::spread::{Histogram, Likelihood, best, histogram, near_best};

/// The weight πₖ of each component, in their order, with a line at 1/K where all would be equal.
#[must_use]
pub fn weights(mixture: &Mixture, palette: &Palette) -> Plot {
    let weights = mixture.weights();
    let count = weights.len() as f64;
    let bars = weights
        .iter()
        .enumerate()
        .map(|(i, &weight)| bar([i as f64 + 0.6, i as f64 + 1.4], weight, palette.accent))
        .collect();
    let (start, end) = (0.4, count + 0.6);
    let equal = vec![Mark::Line {
        points: vec![[start, 1.0 / count], [end, 1.0 / count]],
        width: 2.0,
        color: palette.categorical[1],
        is_dashed: true,
    }];
    let largest = weights.iter().copied().fold(1.0 / count, f64::max);
    Plot {
        id: "weights",
        title: "Component weights".to_owned(),
        x: Axis {
            label: "Component k".to_owned(),
            spacing: Spacing::Whole,
            range: Some([start, end]),
        },
        y: Axis {
            label: "Weight".to_owned(),
            spacing: Spacing::Linear,
            range: Some([0.0, 1.08 * largest]),
        },
        has_equal_aspect: false,
        layers: vec![
            Layer {
                id: "weights",
                label: "Weights".to_owned(),
                color: palette.accent,
                marks: bars,
            },
            Layer {
                id: "equal",
                label: "1/K, all equal".to_owned(),
                color: palette.categorical[1],
                marks: equal,
            },
        ],
        has_legend: true,
    }
}

/// Nats above the best up to which a run counts as equally good, unless somebody says otherwise.
pub const MARGIN: f64 = 0.03;

/// Bins of a histogram of final values.
const BINS: usize = 24;

/// How many runs ended with which NLL. Those within `margin` nats of the best stand out; where there are others, a
/// dashed line says where they begin.
#[must_use]
pub fn final_values(
    finals: &[f64],
    likelihood: Likelihood,
    margin: f64,
    palette: &Palette,
) -> Plot {
    let (near, far) = (palette.categorical[2], palette.weak_text.with_opacity(0.6));
    let mut bars = Vec::new();
    let mut most = 1;
    if let (Some(Histogram { start, width, counts }), Some(best)) =
        (histogram(finals, BINS), best(finals))
    {
        let limit = best + margin;
        for (i, &count) in counts.iter().enumerate().filter(|(_, count)| **count > 0) {
            let left = start + i as f64 * width;
            let right = left + width;
            // A bar that the limit cuts is drawn in both colors, in proportion to the runs on either side.
            let inside = (finals.iter())
                .filter(|&&value| value.is_finite() && value <= limit)
                .filter(|&&value| (((value - start) / width) as usize).min(BINS - 1) == i)
                .count();
            let gap = 0.08 * width;
            let ends = [left + gap, right - gap];
            bars.push(bar(ends, count as f64, far));
            if inside > 0 {
                bars.push(bar(ends, inside as f64, near));
            }
            most = most.max(count);
        }
        // Beyond the last bar it would only make the others narrow.
        let is_among_them = near_best(finals, margin) < near_best(finals, f64::INFINITY);
        bars.extend(is_among_them.then(|| Mark::Line {
            points: vec![[limit, 0.0], [limit, 1.1 * most as f64]],
            width: 1.5,
            color: near,
            is_dashed: true,
        }));
    }
    let title = format!(
        "{} of {} starts within {margin} nats of the best",
        near_best(finals, margin),
        finals.len()
    );
    Plot {
        id: "finals",
        title,
        x: Axis::new(format!("final {} NLL (nats per point)", likelihood.label()), Spacing::Linear),
        y: Axis {
            label: "runs".to_owned(),
            spacing: Spacing::Whole,
            range: Some([0.0, 1.1 * most as f64]),
        },
        has_equal_aspect: false,
        layers: vec![Layer { id: "finals", label: String::new(), color: near, marks: bars }],
        has_legend: false,
    }
}

/// An upright bar from zero.
fn bar([left, right]: [f64; 2], height: f64, color: Color) -> Mark {
    Mark::Polygon {
        points: vec![[left, 0.0], [left, height], [right, height], [right, 0.0]],
        fill: color,
        stroke_width: 0.0,
        stroke: color,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::Theme;

    #[test]
    fn bars_stand_at_their_index_and_are_as_high_as_the_weight() {
        let shares = [0.2, 0.7, 0.1];
        let means = [[0.0, 0.0], [1.0, 0.0], [2.0, 0.0]];
        let mixture = Mixture::new(&shares, &means, &[[1.0, 0.0, 1.0]; 3]).unwrap();
        let plot = weights(&mixture, Theme::Light.palette());
        for (i, mark) in plot.layers[0].marks.iter().enumerate() {
            let Mark::Polygon { points, .. } = mark else { panic!("{mark:?}") };
            assert!((points[0][0] + points[2][0] - 2.0 * (i as f64 + 1.0)).abs() < 1e-12);
            assert!((points[1][1] - shares[i]).abs() < 1e-12);
        }
        let view = plot.view();
        assert!(view.min[1] == 0.0 && view.max[1] > 0.7);
    }

    #[test]
    fn the_bars_of_final_values_add_up_to_the_runs_and_to_those_near_the_best() {
        let palette = Theme::Dark.palette();
        let finals: Vec<f64> = (0..97).map(|i| 1.0 + f64::from(i * i % 89) / 89.0).collect();
        for margin in [0.0, 0.03, 0.5, 2.0] {
            let plot = final_values(&finals, Likelihood::Training, margin, palette);
            let height = |fill: Color| -> f64 {
                let of = |mark: &Mark| match mark {
                    Mark::Polygon { points, fill: own, .. } if *own == fill => points[1][1],
                    _ => 0.0,
                };
                plot.layers[0].marks.iter().map(of).sum()
            };
            assert_eq!(height(palette.categorical[2]), near_best(&finals, margin) as f64);
            assert_eq!(height(palette.weak_text.with_opacity(0.6)), 97.0, "{margin}");
        }
        let nothing = final_values(&[], Likelihood::Validation, 0.1, palette);
        assert!(nothing.layers[0].marks.is_empty());
    }
}
