//! Component weights as bars.

use super::{Axis, Layer, Mark, Palette, Plot, Spacing};
use crate::model::Mixture;

/// The weight πₖ of each component, in their order, with a line at 1/K where all would be equal.
#[must_use]
pub fn weights(mixture: &Mixture, palette: &Palette) -> Plot {
    let weights = mixture.weights();
    let count = weights.len() as f64;
    let bars = weights
        .iter()
        .enumerate()
        .map(|(i, &weight)| {
            let (left, right) = (i as f64 + 0.6, i as f64 + 1.4);
            Mark::Polygon {
                points: vec![[left, 0.0], [left, weight], [right, weight], [right, 0.0]],
                fill: palette.accent,
                stroke_width: 0.0,
                stroke: palette.accent,
            }
        })
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
}
