//! Substitute: the field that is shown in the density's place, and the true score, which one of the fields needs.

use std::sync::Arc;

use super::canvas::SCORE_COLUMNS;
use super::fields::{self, Quantity};
use super::shade::Shade;
use super::{ColorMap, Layer, Palette, Theme, plane};
use crate::model::{Bounds, Density, Field, Mixture, Point};

/// What is wanted in the density's place.
#[derive(Debug, Clone, Copy)]
pub struct Wish {
    /// Which field.
    pub quantity: Quantity,
    /// The rectangle of the plane.
    pub bounds: Bounds,
    /// Cells that the density would have, in a row and in a column.
    pub size: [usize; 2],
    /// How many times wider and higher cells are than they should be, so as to follow a hand; 1 for none of that.
    pub coarseness: usize,
    /// Colors of fields without a sign.
    pub color_map: &'static ColorMap,
    /// Light or dark.
    pub theme: Theme,
}

/// The known density and its score on the cells of a field: along a curve, it costs as much as a mixture of hundreds.
pub struct TrueField {
    /// The density that the data come from.
    pub density: Arc<dyn Density>,
    /// The rectangle of the plane.
    pub bounds: Bounds,
    /// Cells in a row, and rows.
    pub cells: [usize; 2],
    /// ∇ log p in every cell, row after row from the top.
    pub scores: Arc<[Point]>,
}

/// Cells of a true field from one side to the other at least and at most.
const TRUE_CELLS: [usize; 2] = [64, 256];

/// Pairs of a cell and a component that are computed for a field: as many as take some milliseconds.
const MOST_PAIRS: f64 = 2e6;

impl Wish {
    /// Cells on which the true score is computed for it.
    #[must_use]
    pub fn true_cells(&self) -> [usize; 2] {
        let part = 2 * self.coarseness.max(1);
        self.size.map(|side| (side / part).clamp(TRUE_CELLS[0], TRUE_CELLS[1]))
    }

    /// The true score for it.
    #[must_use]
    pub fn true_field(&self, density: Arc<dyn Density>) -> TrueField {
        let (bounds, cells) = (self.bounds, self.true_cells());
        let places = Field::places(bounds, cells[0], cells[1]);
        let scores = density.scores(&places).into_iter().map(|(_, score)| score).collect();
        TrueField { density, bounds, cells, scores }
    }

    /// The field and what its colors say; `None` if it is the density itself, or nowhere finite. The field of terms has
    /// the colors of points by their terms, where these are shown.
    #[must_use]
    pub fn layer(
        &self,
        mixture: &Mixture,
        truth: Option<&TrueField>,
        of_points: Option<Shade>,
    ) -> Option<(Layer, Shade)> {
        let Wish { quantity, bounds, color_map, theme, .. } = *self;
        if quantity == Quantity::Density {
            return None;
        }
        let [width, height] =
            truth.map_or_else(|| self.cells(mixture.components().len()), |truth| truth.cells);
        let field = mixture.field(bounds, width, height);
        let values = quantity.values(&field, truth.map(|truth| &*truth.scores));
        let of_points = of_points.filter(|_| quantity == Quantity::Term);
        let shade =
            of_points.map(|shade| shade.over(&values)).or_else(|| quantity.shade(&values))?;
        Some((fields::layer(quantity, &field, &values, &shade, color_map, theme), shade))
    }

    /// Cells of a field in a row and in a column: more than of the density where components are few, for fields have
    /// sharp ridges; fewer where they are many, for score and Hessian cost more.
    fn cells(&self, component_count: usize) -> [usize; 2] {
        let size = self.size;
        let pairs = (size[0] * size[1] * component_count).max(1) as f64;
        let finer = (MOST_PAIRS / pairs).sqrt().clamp(0.5, 2.0) / self.coarseness.max(1) as f64;
        size.map(|side| ((side as f64 * finer) as usize).clamp(32, 1024))
    }
}

impl TrueField {
    /// The model's score minus the true one as arrows, beside the field of its size.
    #[must_use]
    pub fn errors(&self, mixture: &Mixture, palette: &Palette) -> Layer {
        plane::score_error([mixture, &*self.density], self.bounds, SCORE_COLUMNS, palette)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::Mark;

    fn wish(quantity: Quantity, size: [usize; 2], coarseness: usize) -> Wish {
        let bounds = Bounds { min: [-2.0, -1.0], max: [2.0, 1.0] };
        let color_map = ColorMap::from_id("", Theme::Light);
        Wish { quantity, bounds, size, coarseness, color_map, theme: Theme::Light }
    }

    fn mixture(mean: Point) -> Mixture {
        Mixture::new(&[1.0], &[mean], &[[0.5, 0.0, 0.5]]).unwrap()
    }

    #[test]
    fn cells_are_many_where_components_are_few_and_few_where_a_hand_waits() {
        let check = |size, coarseness, components, expected| {
            let wish = wish(Quantity::Trace, size, coarseness);
            assert_eq!(wish.cells(components), expected, "{size:?} {coarseness} {components}");
        };
        check([300, 200], 1, 4, [600, 400]);
        check([300, 200], 3, 4, [200, 133]);
        check([1000, 1000], 1, 100, [500, 500]);
        check([40, 40], 3, 100, [32, 32]);
        assert_eq!(wish(Quantity::ScoreError, [300, 200], 1).true_cells(), [150, 100]);
        assert_eq!(wish(Quantity::ScoreError, [900, 200], 3).true_cells(), [150, 64]);
    }

    /// Two equally wide Gaussians: their scores differ by the same vector everywhere, Σ⁻¹(μ₁ − μ₂).
    #[test]
    fn the_score_error_of_a_moved_gaussian_is_the_same_everywhere() {
        let wish = wish(Quantity::ScoreError, [200, 100], 1);
        let truth = wish.true_field(Arc::new(mixture([0.0, 0.0])));
        let moved = mixture([0.3, 0.4]);
        let (layer, shade) = wish.layer(&moved, Some(&truth), None).unwrap();
        assert!((shade.high - 1.0).abs() < 1e-9, "{shade:?}");
        let Mark::Raster { picture, .. } = &layer.marks[0] else { panic!("{layer:?}") };
        assert_eq!([picture.width, picture.height], truth.cells);
        assert!(picture.rgba.chunks(4).all(|pixel| pixel == &picture.rgba[..4]));
        assert!(wish.layer(&moved, None, None).is_none(), "nobody knows it");
        assert!(!truth.errors(&moved, Theme::Light.palette()).marks.is_empty());
    }
}
