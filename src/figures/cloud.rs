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
    /// The pixels of a picture of it.
    pub pixels: Pixels,
    /// Color of every point.
    pub color: Color,
    /// 1, or for a rough picture in a hurry n: take every n-th point and count it n times.
    pub every: usize,
}

/// The pixels of a picture of points.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pixels {
    /// How many there are in a row and in a column.
    pub size: [usize; 2],
    /// Radius of a dot in them.
    pub dot: f64,
}

impl Pixels {
    /// Their width in the pixels in which marks are measured.
    #[must_use]
    pub fn width_in_marks(&self) -> f64 {
        self.size[0] as f64 * f64::from(DOT_RADIUS) / self.dot
    }
}

/// No picture has more pixels in a row or in a column.
const MOST_PIXELS: f64 = 2048.0;

/// The pixels of a picture of a rectangle of the plane, for an area of that width and height in whose units a figure is
/// measured, and so many pixels for each of them; less where that would be too many. They are square on the plane.
#[must_use]
pub fn pixels(bounds: Bounds, area: [f64; 2], scale: f64) -> Pixels {
    let size = bounds.size();
    let units = (area[0] / size[0]).min(area[1] / size[1]);
    let sides = size.map(|side| side * units * scale);
    let factor = (MOST_PIXELS / sides[0].max(sides[1])).min(1.0);
    Pixels {
        size: sides.map(|side| ((side * factor).round() as usize).max(1)),
        dot: f64::from(DOT_RADIUS) * scale * factor,
    }
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
    let picture = Arc::new(counts.picture(cloud.pixels.dot, color));
    let marks = vec![Mark::Raster { bounds: cloud.bounds, picture }];
    Layer { id, label: label.to_owned(), color, marks }
}

/// Radius of a dot in pixels of a figure.
const DOT_RADIUS: f32 = 1.3;

/// The points in the rectangle and a little around it, for dots at its edge.
fn in_view(cloud: &Cloud<'_>) -> Arc<[Point]> {
    let Bounds { min, max } = cloud.bounds.with_margin(0.01);
    let is_inside = |p: &&Point| (0..2).all(|axis| min[axis] <= p[axis] && p[axis] <= max[axis]);
    cloud.points.iter().filter(is_inside).copied().collect()
}

/// How many points lie in each pixel, with a border around the picture from which dots reach into it.
struct Counts {
    width: usize,
    height: usize,
    border: usize,
    /// Length (`width` + 2 `border`) × (`height` + 2 `border`), from the top.
    cells: Vec<u32>,
    /// Their sum.
    total: usize,
}

impl Counts {
    fn of(cloud: &Cloud<'_>) -> Counts {
        let [width, height] = cloud.pixels.size.map(|side| side.max(1));
        let [view_width, view_height] = cloud.bounds.size();
        let (scale_x, scale_y) = (width as f64 / view_width, height as f64 / view_height);
        let border = reach(cloud.pixels.dot);
        let left = cloud.bounds.min[0] - border as f64 / scale_x;
        let top = cloud.bounds.max[1] + border as f64 / scale_y;
        let (columns, rows) = (width + 2 * border, height + 2 * border);
        let mut cells = vec![0; columns * rows];
        let (mut total, weight) = (0, cloud.every.max(1) as u32);
        for point in cloud.points.iter().step_by(cloud.every.max(1)) {
            let (x, y) = ((point[0] - left) * scale_x, (top - point[1]) * scale_y);
            // Written so that NaN fails.
            if x >= 0.0 && x < columns as f64 && y >= 0.0 && y < rows as f64 {
                cells[(y as u32 as usize) * columns + x as u32 as usize] += weight;
                total += weight as usize;
            }
        }
        Counts { width, height, border, cells, total }
    }

    /// Every point as a soft dot of this radius.
    fn picture(&self, radius: f64, color: Color) -> Picture {
        let table = opacities(f64::from(color.a) / 255.0, self.total);
        let pattern = pattern(radius);
        let columns = self.width + 2 * self.border;
        let mut rgba = Vec::with_capacity(4 * self.width * self.height);
        let mut quarters = vec![0; self.width];
        for top in 0..self.height {
            quarters.fill(0);
            for &(row, column, weight) in &pattern {
                let begin = (top + row) * columns + column;
                let cells = &self.cells[begin..begin + self.width];
                for (sum, &count) in quarters.iter_mut().zip(cells) {
                    // More on each other are not told apart, and would not fit.
                    *sum += weight * count.min(MOST_ON_EACH_OTHER);
                }
            }
            for &sum in &quarters {
                let opacity = table[(sum as usize).min(table.len() - 1)];
                rgba.extend_from_slice(&[color.r, color.g, color.b, opacity]);
            }
        }
        Picture { width: self.width, height: self.height, rgba }
    }
}

/// Pixels from the middle of a dot to the last that it touches.
fn reach(radius: f64) -> usize {
    (radius + 0.25) as usize
}

/// A disc as row, column and how many quarters of the pixel there it covers: all of those deep inside, less towards its
/// edge. 5 pixels for a radius of 1.3, as many as the disc's area.
fn pattern(radius: f64) -> Vec<(usize, usize, u32)> {
    let reach = reach(radius);
    let mut pattern = Vec::new();
    for row in 0..=2 * reach {
        for column in 0..=2 * reach {
            let distance = (row as f64 - reach as f64).hypot(column as f64 - reach as f64);
            let quarters = 4.0 * (radius + 0.5 - distance).clamp(0.0, 1.0);
            // Of the smallest dots something remains.
            let is_middle = (row, column) == (reach, reach);
            let weight = (quarters as u32).max(u32::from(is_middle));
            if weight > 0 {
                pattern.push((row, column, weight));
            }
        }
    }
    pattern
}

/// More dots than that on each other look like that many.
const MOST_ON_EACH_OTHER: u32 = 100_000;

/// How opaque so many quarters of a dot are on each other, 1 − (1 − o)ⁿ, up to where nothing shines through.
fn opacities(strongest: f64, total: usize) -> Vec<u8> {
    let through = 1.0 - dot_opacity(total);
    let mut opacities = Vec::new();
    while opacities.last().is_none_or(|&last| last < 255)
        && opacities.len() < MOST_ON_EACH_OTHER as usize
    {
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
        let (pixels, color) = (pixels(bounds, [80.0, 40.0], 1.0), Color::hex(0x12_34_56));
        cloud(&Cloud { id: "train", label: "Data", points, bounds, pixels, color, every })
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
        // Points that fill the view evenly, every eighth of them as well.
        let place = |i: u32| {
            let [x, y] = [0.754_877_666, 0.569_840_291].map(|step| (step * f64::from(i)).fract());
            [40.0 * x, 20.0 * y]
        };
        let points: Arc<[Point]> = (0..40_000).map(place).collect();
        let mean = |every| {
            let layer = of(&points, VIEW, every);
            let opacities = picture(&layer).rgba.iter().skip(3).step_by(4);
            opacities.map(|&a| f64::from(a)).sum::<f64>() / 3200.0
        };
        assert!((mean(1) - mean(8)).abs() < 0.1 * mean(1), "{} {}", mean(1), mean(8));
    }

    #[test]
    fn pixels_are_square_and_a_dot_is_as_large_at_every_scale() {
        let wide = Bounds { min: [-10.0, 0.0], max: [10.0, 1.0] };
        let tall = Bounds { min: [-1.0, 0.0], max: [1.0, 30.0] };
        for bounds in [VIEW, wide, tall] {
            for scale in [1.0, 1.5, 2.0, 3.0, 40.0] {
                let pixels = pixels(bounds, [600.0, 450.0], scale);
                let [width, height] = pixels.size.map(|side| side as f64);
                let [x, y] = bounds.size();
                // To half a pixel on either side.
                assert!((width / x * y - height).abs() <= 0.5 + 0.5 * y / x, "{pixels:?}");
                assert!(width.max(height) <= 2048.0, "{pixels:?}");
                // As large on the figure.
                let unit = (600.0 / x).min(450.0 / y);
                let per_unit = width.max(height) / (x.max(y) * unit);
                assert!((pixels.dot / per_unit - 1.3).abs() < 0.01, "{pixels:?}");
                let covered = f64::from(pattern(pixels.dot).iter().map(|cell| cell.2).sum::<u32>());
                let disc = std::f64::consts::PI * pixels.dot * pixels.dot;
                assert!((covered / 4.0 - disc).abs() < 0.2 * disc, "{pixels:?}: {covered}");
            }
        }
        assert_eq!(pixels(VIEW, [400.0, 400.0], 2.0).size, [800, 400]);
        // Nothing to look at is no reason to fail.
        let point = Bounds { min: [1.0; 2], max: [1.0; 2] };
        assert_eq!(pixels(point, [400.0, 400.0], 2.0).size, [1, 1]);
    }
}
