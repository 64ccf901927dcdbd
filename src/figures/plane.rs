//! The plane: density, data, components, samples and score field, one layer each.

use std::sync::Arc;

use super::cloud::dot_opacity;
use super::colors::{ColorMap, Palette, Scale, Theme, rgba};
use super::{Anchor, Axis, Color, Layer, Mark, Plot, Spacing};
use crate::model::{Bounds, Component, Density, Mixture, Point, Raster};

/// A plot of layers on the plane, x₁ to the right and x₂ upwards; the axes say if the data were scaled.
#[must_use]
pub fn plane(
    title: impl Into<String>,
    bounds: Bounds,
    is_scaled: bool,
    layers: Vec<Layer>,
) -> Plot {
    let unit = if is_scaled { " (standard deviations from the mean)" } else { "" };
    let axis = |label, i| Axis {
        label: format!("{label}{unit}"),
        spacing: Spacing::Linear,
        range: Some([bounds.min[i], bounds.max[i]]),
    };
    Plot {
        id: "plane",
        title: title.into(),
        x: axis("x₁", 0),
        y: axis("x₂", 1),
        has_equal_aspect: true,
        layers,
        has_legend: true,
    }
}

/// What a picture of a trained mixture is called.
#[must_use]
pub fn title(algorithm: &str, mixture: &Mixture, step: usize) -> String {
    format!("{algorithm}, K = {}, step {step}", mixture.components().len())
}

/// The density as a colored field.
#[must_use]
pub fn density(raster: &Raster, map: &ColorMap, scale: Scale, theme: Theme) -> Layer {
    density_up_to(raster, raster.max(), map, scale, theme)
}

/// The same, with the strongest color for a density of `highest`, so that several can be compared.
#[must_use]
pub fn density_up_to(
    raster: &Raster,
    highest: f64,
    map: &ColorMap,
    scale: Scale,
    theme: Theme,
) -> Layer {
    let picture = Arc::new(rgba(raster, highest, map, scale, theme));
    Layer {
        id: "density",
        label: "Density p(x)".to_owned(),
        color: map.color(0.7, theme),
        marks: vec![Mark::Raster { bounds: raster.bounds, picture }],
    }
}

/// Points as dots, translucent so that crowds look denser.
#[must_use]
pub fn points(
    id: &'static str,
    label: impl Into<String>,
    points: Arc<[Point]>,
    color: Color,
    radius: f32,
) -> Layer {
    let opacity = dot_opacity(points.len());
    Layer {
        id,
        label: label.into(),
        color,
        marks: vec![Mark::Points { points, radius, color: color.with_opacity(opacity) }],
    }
}

/// Points drawn from the model.
#[must_use]
pub fn samples(samples: Arc<[Point]>, palette: &Palette) -> Layer {
    points("samples", "Samples", samples, palette.samples, 2.0)
}

/// Components as ellipses, stronger where the weight is larger, with means as dots. A few are drawn at one and two
/// standard deviations, with their weights in per cent; a crowd at one, thinly, or it would hide what it explains.
#[must_use]
pub fn components(mixture: &Mixture, palette: &Palette) -> Layer {
    let mut marks = Vec::new();
    let largest = mixture.weights().into_iter().fold(f64::MIN_POSITIVE, f64::max);
    let is_crowd = mixture.components().len() > MAX_LABELED_COMPONENTS;
    for component in mixture.components() {
        // The root, because a component of a tenth of the weight should not be a tenth as visible.
        let strength = (component.weight() / largest).sqrt();
        let outline = |radius, width: f64, opacity, color: Color| Mark::Line {
            points: component
                .gaussian
                .cholesky
                .ellipse(radius)
                .outline(component.gaussian.mean, if is_crowd { 40 } else { 72 }),
            width: width as f32,
            color: color.with_opacity(opacity),
            is_dashed: false,
        };
        if is_crowd {
            marks.push(outline(1.0, 1.4, 0.15 + 0.75 * strength, palette.ellipse));
            continue;
        }
        for (radius, opacity) in [(2.0, 0.08 + 0.3 * strength), (1.0, 0.3 + 0.7 * strength)] {
            let width = 2.2 - 0.6 * radius + 0.6 * strength;
            // A casing in the color of the background keeps outlines apart from a bright density.
            marks.push(outline(radius, width + 2.0, 0.5 * opacity, palette.plot_background));
            marks.push(outline(radius, width, opacity, palette.ellipse));
        }
    }
    let means: Arc<[Point]> = mixture.components().iter().map(|c| c.gaussian.mean).collect();
    let radius = if is_crowd { 2.0 } else { 3.0 };
    marks.push(Mark::Points {
        points: means.clone(),
        radius: radius + 1.5,
        color: palette.plot_background.with_opacity(0.7),
    });
    marks.push(Mark::Points { points: means, radius, color: palette.ellipse });
    marks.extend(labeled(mixture).into_iter().map(|component| Mark::Text {
        at: component.gaussian.mean,
        offset: [8.0, 0.0],
        text: format!("{:.0}%", 100.0 * component.weight()),
        size: 15.0,
        color: palette.text,
        anchor: Anchor::Start,
    }));
    Layer { id: "components", label: "Components".to_owned(), color: palette.ellipse, marks }
}

/// The paths of the means over time, a line each; `moments` in order. Paths that jump to another number of components
/// end there.
#[must_use]
pub fn paths(moments: &[&Mixture], color: Color, palette: &Palette) -> Layer {
    let count = moments.last().map_or(0, |last| last.components().len());
    let mut marks = Vec::new();
    for k in 0..count {
        let alike = moments.iter().rev().take_while(|m| m.components().len() == count);
        let mut points: Vec<Point> = alike.map(|m| m.components()[k].gaussian.mean).collect();
        points.reverse();
        let line =
            |width, color| Mark::Line { points: points.clone(), width, color, is_dashed: false };
        let begin: Arc<[Point]> = points.first().copied().into_iter().collect();
        marks.push(line(4.5, palette.plot_background.with_opacity(0.6)));
        marks.push(line(2.0, color));
        // Where it came from.
        marks.push(Mark::Points { points: begin, radius: 3.0, color });
    }
    Layer { id: "paths", label: "Paths of the means".to_owned(), color, marks }
}

const MAX_LABELED_COMPONENTS: usize = 24;
const MIN_LABELED_WEIGHT: f64 = 0.03;

/// Components whose weight is written beside them: not too many, none negligible, and where two would cover each
/// other, the heavier one.
fn labeled(mixture: &Mixture) -> Vec<&Component> {
    let means: Vec<Point> = mixture.components().iter().map(|c| c.gaussian.mean).collect();
    let Some(bounds) = Bounds::around(&means) else { return Vec::new() };
    if means.len() > MAX_LABELED_COMPONENTS {
        return Vec::new();
    }
    let extent = bounds.size()[0].max(bounds.size()[1]);
    let mut candidates: Vec<&Component> =
        mixture.components().iter().filter(|c| c.weight() >= MIN_LABELED_WEIGHT).collect();
    candidates.sort_by(|a, b| b.log_weight.total_cmp(&a.log_weight));
    let mut kept: Vec<&Component> = Vec::new();
    for candidate in candidates {
        let is_free = kept.iter().all(|other| {
            let (a, b) = (candidate.gaussian.mean, other.gaussian.mean);
            (a[0] - b[0]).abs() > 0.12 * extent || (a[1] - b[1]).abs() > 0.05 * extent
        });
        if is_free {
            kept.push(candidate);
        }
    }
    kept
}

/// The score ∇ₓ log p(x) as arrows on a regular grid of `columns` square cells in a row.
///
/// Directions are exact. Lengths are compressed, |s| / (|s| + median), or the far tails, where the score is
/// largest, would dwarf everything else.
#[must_use]
pub fn score_field(
    density: &dyn Density,
    bounds: Bounds,
    columns: usize,
    palette: &Palette,
) -> Layer {
    let [width, height] = bounds.size();
    let cell = width / columns.max(1) as f64;
    let rows = ((height / cell).round() as usize).clamp(1, 4 * columns.max(1));
    let field = density.field(bounds, columns, rows);
    let arrows = field.score.iter().enumerate().map(|(i, &score)| {
        let magnitude = score[0].hypot(score[1]);
        (field.place(i), score, magnitude)
    });
    let is_shown =
        |(_, _, magnitude): &(Point, Point, f64)| magnitude.is_finite() && *magnitude > 0.0;
    let arrows: Vec<_> = arrows.filter(is_shown).collect();
    let mut magnitudes: Vec<f64> = arrows.iter().map(|arrow| arrow.2).collect();
    magnitudes.sort_by(f64::total_cmp);
    let median = magnitudes.get(magnitudes.len() / 2).copied().unwrap_or(1.0);
    let marks = arrows
        .into_iter()
        .map(|(from, score, magnitude)| {
            // length / |s|, with the two |s| cancelled.
            let factor = 0.9 * cell / (magnitude + median);
            let to = [from[0] + factor * score[0], from[1] + factor * score[1]];
            Mark::Arrow { from, to, width: 1.5, color: palette.score.with_opacity(0.85) }
        })
        .collect();
    Layer { id: "score", label: "Score ∇ log p(x)".to_owned(), color: palette.score, marks }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mixture(weights: &[f64], means: &[Point]) -> Mixture {
        Mixture::new(weights, means, &vec![[0.2, 0.05, 0.1]; weights.len()]).unwrap()
    }

    fn texts(layer: &Layer) -> Vec<&str> {
        let text = |mark: &'_ Mark| matches!(mark, Mark::Text { .. });
        let marks = layer.marks.iter().filter(|mark| text(mark));
        marks
            .filter_map(
                |mark| if let Mark::Text { text, .. } = mark { Some(&**text) } else { None },
            )
            .collect()
    }

    #[test]
    fn weights_are_written_where_they_can_be_read() {
        let palette = Theme::Dark.palette();
        let few =
            mixture(&[0.5, 0.29, 0.2, 0.01], &[[0.0, 0.0], [0.01, 0.0], [4.0, 0.0], [0.0, 4.0]]);
        assert_eq!(texts(&components(&few, palette)), ["50%", "20%"]);
        let count = 25;
        let means: Vec<Point> = (0..count).map(|i| [f64::from(i), 0.0]).collect();
        let many = mixture(&[1.0 / 25.0; 25], &means);
        assert!(texts(&components(&many, palette)).is_empty());
    }

    #[test]
    fn arrows_point_along_the_score_and_stay_in_their_cell() {
        let mixture = mixture(&[0.6, 0.4], &[[0.0, 0.0], [2.0, 1.0]]);
        let bounds = Bounds { min: [-4.0, -2.0], max: [4.0, 2.0] };
        let layer = score_field(&mixture, bounds, 16, Theme::Light.palette());
        assert_eq!(layer.marks.len(), 16 * 8);
        for mark in &layer.marks {
            let Mark::Arrow { from, to, .. } = mark else { panic!("{mark:?}") };
            let score = mixture.score(*from);
            let [dx, dy] = [to[0] - from[0], to[1] - from[1]];
            assert!((dx * score[1] - dy * score[0]).abs() < 1e-9 * score[0].hypot(score[1]));
            assert!(dx * score[0] + dy * score[1] > 0.0);
            assert!(dx.hypot(dy) <= 0.45 + 1e-12);
        }
    }

    #[test]
    fn a_plane_shows_exactly_its_bounds() {
        let bounds = Bounds { min: [-4.0, -2.0], max: [4.0, 2.0] };
        assert_eq!(plane("", bounds, false, Vec::new()).view(), bounds);
    }
}
