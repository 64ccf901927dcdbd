//! Sheet: the density that particles walk on, as a field of color where the canvas has that of the model.

use std::sync::Arc;

use crate::app::view::View;
use crate::figures::{ColorMap, Layer, Scale, Theme, plane};
use crate::model::{Bounds, Density};

/// What is painted.
#[derive(Clone)]
pub struct Sheet {
    /// The density.
    pub density: Arc<dyn Density>,
    /// By how much noise it is blurred: on that density annealing walks.
    pub noise: f64,
    /// The rectangle on the canvas.
    pub bounds: Bounds,
    color_map: &'static ColorMap,
    scale: Scale,
    theme: Theme,
}

/// Cells of the raster from left to right.
const COLUMNS: f64 = 300.0;

impl Sheet {
    /// A density in a rectangle, in the colors of a view.
    #[must_use]
    pub fn new(density: Arc<dyn Density>, noise: f64, bounds: Bounds, view: &View) -> Sheet {
        let color_map = ColorMap::from_id(view.color_map.unwrap_or_default(), view.theme);
        let (scale, theme) = (view.density_scale(), view.theme);
        Sheet { density, noise, bounds, color_map, scale, theme }
    }

    /// Paints it; `None` if the blurred density is not known.
    #[must_use]
    pub fn painted(&self) -> Option<Layer> {
        let density = if self.noise > 0.0 {
            self.density.blurred([self.noise; 2])?
        } else {
            self.density.clone()
        };
        let [width, height] = self.bounds.size();
        let rows = (COLUMNS * height / width).clamp(1.0, 4.0 * COLUMNS) as usize;
        let raster = density.raster(self.bounds, COLUMNS as usize, rows);
        Some(plane::density(&raster, self.color_map, self.scale, self.theme))
    }
}

impl PartialEq for Sheet {
    fn eq(&self, other: &Sheet) -> bool {
        Arc::ptr_eq(&self.density, &other.density)
            && (self.noise, self.bounds) == (other.noise, other.bounds)
            && self.color_map.id == other.color_map.id
            && (self.scale, self.theme) == (other.scale, other.theme)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::Mark;
    use crate::model::Mixture;

    /// The brightness of the pixel in the middle, and of one at the edge.
    fn seen(noise: f64) -> [u32; 2] {
        let density = Mixture::new(&[1.0], &[[0.0; 2]], &[[0.04, 0.0, 0.04]]).unwrap();
        let bounds = Bounds { min: [-1.0, -0.5], max: [1.0, 0.5] };
        let layer = Sheet::new(Arc::new(density), noise, bounds, &View::default()).painted();
        let Mark::Raster { picture, .. } = &layer.unwrap().marks[0] else { panic!("no raster") };
        assert_eq!((picture.width, picture.height), (300, 150));
        [75 * 300 + 150, 75 * 300 + 75]
            .map(|i| picture.rgba[4 * i..4 * i + 4].iter().map(|v| u32::from(*v)).sum())
    }

    #[test]
    fn noise_blurs_what_is_painted() {
        let ([middle, edge], [_, blurred_edge]) = (seen(0.0), seen(0.5));
        assert!(middle > edge && blurred_edge > edge, "{middle} {edge} {blurred_edge}");
    }
}
