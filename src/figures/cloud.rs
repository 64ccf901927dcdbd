//! Clouds: points as a layer, however many. A crowd becomes a picture, and single dots again where few are in view.

use std::sync::Arc;

use super::plane::points;
use super::{Color, Layer, Mark, Picture};
use crate::model::{Bounds, Point};

/// More points than this in view become a picture: dots would cost frames, and on a screen look the same.
pub const MOST_DOTS: usize = 20_000;

/// True if a window had better not draw these points one by one in every frame.
#[must_use]
pub fn is_crowd(points: &[Point]) -> bool {
    points.len() > MOST_DOTS
}

/// What a cloud is a cloud of, and how it is looked at.
#[derive(Debug, Clone, Copy)]
pub struct Cloud<'a> {
    /// Name of the layer in files.
    pub id: &'static str,
    /// Its name in the legend.
    pub label: &'static str,
    /// All of the points.
    pub points: &'a Arc<[Point]>,
    /// The rectangle that is in view.
    pub bounds: Bounds,
    /// Pixels of a picture of it, in a row and in a column.
    pub size: [usize; 2],
    /// Color of every point.
    pub color: Color,
    /// 1, or for a rough picture in a hurry: count every so manyth point, for so many.
    pub every: usize,
}

/// The points in view: as dots, or as a picture in which as many translucent dots lie on each other as there are
/// points, so that no point is left out.
#[must_use]
pub fn cloud(cloud: &Cloud<'_>) -> Layer {
    let Cloud { id, label, points: all, color, .. } = *cloud;
    // Dots of one look, whether they are drawn one by one or counted.
    let as_dots = |some| points(id, label, some, color, DOT_RADIUS);
    if !is_crowd(all) {
        return as_dots(all.clone());
    }
    let counts = Counts::of(cloud);
    if counts.total <= MOST_DOTS {
        return as_dots(in_view(cloud));
    }
    let picture = Arc::new(counts.picture(color));
    let marks = vec![Mark::Raster { bounds: cloud.bounds, picture }];
    Layer { id, label: label.to_owned(), color, marks }
}

/// Radius of a dot in pixels. The pattern of [`Counts::picture`] covers as much.
const DOT_RADIUS: f32 = 1.3;

/// The points in the rectangle and a little around it, for dots at its edge.
fn in_view(cloud: &Cloud<'_>) -> Arc<[Point]> {
    let Bounds { min, max } = cloud.bounds.with_margin(0.01);
    let is_inside = |p: &&Point| (0..2).all(|axis| min[axis] <= p[axis] && p[axis] <= max[axis]);
    cloud.points.iter().filter(is_inside).copied().collect()
}

/// How many points lie in each pixel, with a border of one pixel around the picture.
struct Counts {
    width: usize,
    height: usize,
    /// Length (`width` + 2) × (`height` + 2), from the top.
    cells: Vec<u32>,
    /// Their sum.
    total: usize,
}

impl Counts {
    fn of(cloud: &Cloud<'_>) -> Counts {
        let [width, height] = cloud.size.map(|side| side.max(1));
        let [view_width, view_height] = cloud.bounds.size();
        let (scale_x, scale_y) = (width as f64 / view_width, height as f64 / view_height);
        // Pixel 0 is the border's.
        let (left, top) =
            (cloud.bounds.min[0] - 1.0 / scale_x, cloud.bounds.max[1] + 1.0 / scale_y);
        let (right, bottom) = ((width + 2) as f64, (height + 2) as f64);
        let mut cells = vec![0; (width + 2) * (height + 2)];
        let (mut total, weight) = (0, cloud.every.max(1) as u32);
        for point in cloud.points.iter().step_by(cloud.every.max(1)) {
            let (x, y) = ((point[0] - left) * scale_x, (top - point[1]) * scale_y);
            // Written so that NaN fails.
            if x >= 0.0 && x < right && y >= 0.0 && y < bottom {
                cells[(y as u32 as usize) * (width + 2) + x as u32 as usize] += weight;
                total += weight as usize;
            }
        }
        Counts { width, height, cells, total }
    }

    /// Every point as a soft dot of 3 × 3 pixels, which covers as much as a disc of [`DOT_RADIUS`].
    fn picture(&self, color: Color) -> Picture {
        let table = opacities(f64::from(color.a) / 255.0, self.total);
        let mut rgba = Vec::with_capacity(4 * self.width * self.height);
        let rows: Vec<&[u32]> = self.cells.chunks_exact(self.width + 2).collect();
        for rows in rows.windows(3) {
            for x in 1..=self.width {
                let corners = rows[0][x - 1] + rows[0][x + 1] + rows[2][x - 1] + rows[2][x + 1];
                let edges = rows[0][x] + rows[1][x - 1] + rows[1][x + 1] + rows[2][x];
                let quarters = (4 * rows[1][x] + 3 * edges + corners) as usize;
                let opacity = table[quarters.min(table.len() - 1)];
                rgba.extend_from_slice(&[color.r, color.g, color.b, opacity]);
            }
        }
        Picture { width: self.width, height: self.height, rgba }
    }
}

/// How opaque so many quarters of a dot are on each other, 1 − (1 − o)ⁿ, up to where nothing shines through.
fn opacities(strongest: f64, total: usize) -> Vec<u8> {
    let through = 1.0 - dot_opacity(total);
    let mut opacities = Vec::new();
    while opacities.last().is_none_or(|&last| last < 255) && opacities.len() < 100_000 {
        let opacity = 1.0 - through.powf(opacities.len() as f64 / 4.0);
        opacities.push((255.0 * opacity).round() as u8);
    }
    for opacity in &mut opacities {
        *opacity = (f64::from(*opacity) * strongest).round() as u8;
    }
    opacities
}

/// Below a few hundred points every single one counts; above, the crowd does. Beyond a crowd faster still, or it would
/// cover the density below it.
#[must_use]
pub(super) fn dot_opacity(count: usize) -> f64 {
    let beyond = (count as f64 / MOST_DOTS as f64).max(1.0).powf(-0.25);
    (30.0 / (count as f64).sqrt() * beyond).clamp(0.01, 0.9)
}

#[cfg(test)]
mod tests {
    use super::*;

    const VIEW: Bounds = Bounds { min: [0.0; 2], max: [40.0, 20.0] };

    fn of(points: &Arc<[Point]>, bounds: Bounds, every: usize) -> Layer {
        let (size, color) = ([80, 40], Color::hex(0x12_34_56));
        cloud(&Cloud { id: "train", label: "Data", points, bounds, size, color, every })
    }

    fn picture(layer: &Layer) -> &Picture {
        let Mark::Raster { picture, .. } = &layer.marks[0] else { panic!("no picture") };
        picture
    }

    fn opacity(picture: &Picture, column: usize, row: usize) -> u8 {
        picture.rgba[4 * (row * picture.width + column) + 3]
    }

    /// Many points in one place, and one more at each of the others.
    fn crowd(places: &[Point]) -> Arc<[Point]> {
        [&vec![[10.2, 10.2]; 50_000], places].concat().into()
    }

    #[test]
    fn every_point_is_in_the_picture_where_it_lies() {
        let points = crowd(&[[30.1, 19.9], [0.1, 0.1], [39.9, 5.1], [f64::NAN, 1.0], [90.0, 5.0]]);
        let layer = of(&points, VIEW, 1);
        let picture = picture(&layer);
        assert_eq!((picture.width, picture.height), (80, 40));
        for (column, row) in [(60, 0), (0, 39), (79, 29)] {
            assert!(opacity(picture, column, row) > 0, "{column} {row}");
        }
        assert_eq!(opacity(picture, 20, 19), 255);
        assert_eq!(opacity(picture, 40, 20), 0);
        let seen = picture.rgba.iter().skip(3).step_by(4).filter(|&&a| a > 0).count();
        // Four whole dots of nine pixels would be 36; those at edges are cut.
        assert_eq!(seen, 9 + 6 + 4 + 6);
    }

    #[test]
    fn few_in_view_are_dots_again_and_all_of_them() {
        let few: Vec<Point> = (0..1000).map(|i| [30.0 + 0.001 * f64::from(i), 15.0]).collect();
        let points = crowd(&few);
        for every in [1, 8] {
            let near = Bounds { min: [29.0, 14.0], max: [32.0, 16.0] };
            let layer = of(&points, near, every);
            let Mark::Points { points: shown, .. } = &layer.marks[0] else { panic!("{layer:?}") };
            assert_eq!(shown[..], few, "{every}");
            assert!(matches!(of(&points, VIEW, every).marks[0], Mark::Raster { .. }));
        }
        let small: Arc<[Point]> = few.into();
        let layer = of(&small, VIEW, 1);
        let Mark::Points { points: shown, .. } = &layer.marks[0] else { panic!("{layer:?}") };
        assert!(Arc::ptr_eq(shown, &small));
    }

    #[test]
    fn a_rough_picture_is_about_as_opaque() {
        // 200 × 200 points, each of a hurried picture's for two.
        let place = |i: u32| [0.2 * f64::from(i % 200), 0.1 * f64::from(i / 200)];
        let points: Arc<[Point]> = (0..40_000).map(place).collect();
        let mean = |every| {
            let layer = of(&points, VIEW, every);
            let opacities = picture(&layer).rgba.iter().skip(3).step_by(4);
            opacities.map(|&a| f64::from(a)).sum::<f64>() / 3200.0
        };
        assert!((mean(1) - mean(2)).abs() < 0.1 * mean(1), "{} {}", mean(1), mean(2));
    }
}
