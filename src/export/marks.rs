//! Marks as SVG: shapes stay shapes, crowds of points and fields become embedded pictures.

use std::fmt::Write;

use base64::Engine;
use image::ImageEncoder;
use resvg::tiny_skia;

use super::layout::Area;
use super::svg::{Svg, put};
use super::text::text_width;
use crate::figures::{Anchor, Color, Mark, Picture, arrow_head, cloud};
use crate::model::{Bounds, Point};

/// Above this many, the points of a mark become one picture: as shapes they would make a huge and slow file.
const MAX_DRAWN_POINTS: usize = 5000;

/// No text among the data is smaller than this, in em.
const SMALLEST: f64 = 0.8;

impl Svg<'_> {
    /// One shape, inside the axes.
    pub(super) fn mark(&mut self, mark: &Mark) {
        let screen = |point: &Point| self.layout.screen_from_data(*point);
        let pixels = |size: f32| f64::from(size) * self.layout.unit;
        match mark {
            Mark::Points { points, radius, color } => {
                let radius = pixels(*radius);
                let points: Vec<Point> = points
                    .iter()
                    .map(screen)
                    .filter(|point| self.layout.contains(*point, radius))
                    .collect();
                self.points(&points, radius, *color);
            }
            Mark::Line { points, width, color, is_dashed } => {
                let points: Vec<Point> = points.iter().map(screen).collect();
                let is_finite = |point: &Point| point.iter().all(|v| v.is_finite());
                for piece in points.split(|point| !is_finite(point)) {
                    self.path(piece, pixels(*width), *color, *is_dashed);
                }
            }
            Mark::Polygon { points, fill: inside, stroke_width, stroke: outline } => {
                let points: Vec<Point> = points.iter().map(screen).collect();
                let Some(corners) = coordinates(&points) else { return };
                let outline = match stroke_width {
                    0.0 => String::new(),
                    width => stroke(*outline, pixels(*width)),
                };
                put!(self, "<path d=\"{corners}Z\"{}{outline}/>\n", fill(*inside));
            }
            Mark::Band { points, color } => {
                let upper = points.iter().map(|&[x, _, high]| screen(&[x, high]));
                let lower = points.iter().rev().map(|&[x, low, _]| screen(&[x, low]));
                let outline: Vec<Point> = upper.chain(lower).collect();
                let Some(corners) = coordinates(&outline) else { return };
                put!(self, "<path d=\"{corners}Z\"{}/>\n", fill(*color));
            }
            Mark::Arrow { from, to, width, color } => {
                self.arrow(screen(from), screen(to), pixels(*width), *color);
            }
            Mark::Raster { bounds, picture } => self.raster(*bounds, picture),
            Mark::Text { at, offset, text, size, color, anchor } => {
                let [x, y] = screen(at);
                let at = [x + pixels(offset[0]), y + pixels(offset[1])];
                let size = pixels(*size).max(SMALLEST * self.layout.em);
                self.remark(at, text, size, *color, *anchor);
            }
        }
    }

    /// Text among the data: with a halo, and moved inside where it would be cut off.
    fn remark(&mut self, [x, y]: Point, text: &str, size: f64, color: Color, anchor: Anchor) {
        if !(x.is_finite() && y.is_finite() && self.layout.contains([x, y], 2.0 * size)) {
            return;
        }
        let Area { left, top, width, height } = self.layout.area;
        let text_width = text_width(text, size);
        // Space that the text takes to the left of its place.
        let before = match anchor {
            Anchor::Start => 0.0,
            Anchor::Middle => text_width / 2.0,
            Anchor::End => text_width,
        };
        let inside = |low: f64, value: f64, high: f64| value.min(high).max(low);
        let gap = 4.0 * self.layout.unit;
        let x = inside(left + before + gap, x, left + width - text_width + before - gap);
        let y = inside(top + 0.7 * size, y, top + height - 0.7 * size);
        let halo = 4.0 * self.layout.unit;
        let halo = format!(
            "{} stroke-linejoin=\"round\" paint-order=\"stroke\"",
            stroke(self.palette.plot_background.with_opacity(0.85), halo)
        );
        self.words(text, [x, y + CENTER * size], size, color, anchor, &halo);
    }

    /// A filled disc.
    pub(super) fn circle(&mut self, [x, y]: Point, radius: f64, color: Color) {
        let (x, y, r) = (number(x), number(y), number(radius));
        put!(self, "<circle cx=\"{x}\" cy=\"{y}\" r=\"{r}\"{}/>\n", fill(color));
    }

    fn points(&mut self, points: &[Point], radius: f64, color: Color) {
        if points.len() > MAX_DRAWN_POINTS
            && let Some(picture) =
                dots(points, radius, color, self.layout.area, self.layout.resolution)
        {
            self.image(self.layout.area, &picture);
            return;
        }
        put!(self, "<g{}>\n", fill(color));
        let r = number(radius);
        for [x, y] in points {
            put!(self, "<circle cx=\"{}\" cy=\"{}\" r=\"{r}\"/>\n", number(*x), number(*y));
        }
        put!(self, "</g>\n");
    }

    /// An open line.
    pub(super) fn path(&mut self, points: &[Point], width: f64, color: Color, is_dashed: bool) {
        let Some(path) = coordinates(points) else { return };
        let [dash, gap] = [7.0, 5.0].map(|length| number(length * self.layout.unit));
        let dashes =
            if is_dashed { format!(" stroke-dasharray=\"{dash} {gap}\"") } else { String::new() };
        let line = stroke(color, width);
        put!(self, "<path d=\"{path}\" fill=\"none\" stroke-linejoin=\"round\"{line}{dashes}/>\n");
    }

    /// Shaft and head as one shape, so that a translucent arrow is not darker where they meet.
    pub(super) fn arrow(&mut self, from: Point, to: Point, width: f64, color: Color) {
        if !from.iter().chain(&to).all(|v| v.is_finite()) {
            return;
        }
        let to_f32 = |point: Point| point.map(|v| v as f32);
        let head = arrow_head(to_f32(from), to_f32(to), width as f32);
        let [tip, left, right] = head.map(|corner| corner.map(f64::from));
        let (dx, dy) = (to[0] - from[0], to[1] - from[1]);
        let length = dx.hypot(dy).max(f64::MIN_POSITIVE);
        let side = [-dy / length * width / 2.0, dx / length * width / 2.0];
        let neck = [f64::midpoint(left[0], right[0]), f64::midpoint(left[1], right[1])];
        let shifted = |p: Point, sign: f64| [p[0] + sign * side[0], p[1] + sign * side[1]];
        let corners = [
            shifted(from, 1.0),
            shifted(neck, 1.0),
            right,
            tip,
            left,
            shifted(neck, -1.0),
            shifted(from, -1.0),
        ];
        if let Some(path) = coordinates(&corners) {
            put!(self, "<path d=\"{path}Z\"{}/>\n", fill(color));
        }
    }

    fn raster(&mut self, bounds: Bounds, picture: &Picture) {
        let [left, bottom] = self.layout.screen_from_data(bounds.min);
        let [right, top] = self.layout.screen_from_data(bounds.max);
        let (width, height) = (right - left, bottom - top);
        if width > 0.0 && height > 0.0 {
            self.image(Area { left, top, width, height }, picture);
        }
    }

    fn image(&mut self, area: Area, picture: &Picture) {
        let Ok(bytes) = encode(picture) else { return };
        put!(
            self,
            "<image x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" preserveAspectRatio=\"none\" \
             href=\"data:image/png;base64,{}\"/>\n",
            number(area.left),
            number(area.top),
            number(area.width),
            number(area.height),
            base64::engine::general_purpose::STANDARD.encode(bytes)
        );
    }
}
/// From the baseline to the middle of digits and capitals, as a share of the font size.
pub(super) const CENTER: f64 = 0.35;

/// A picture as PNG.
pub(super) fn encode(picture: &Picture) -> image::ImageResult<Vec<u8>> {
    let mut bytes = Vec::new();
    image::codecs::png::PngEncoder::new(&mut bytes).write_image(
        &picture.rgba,
        picture.width as u32,
        picture.height as u32,
        image::ExtendedColorType::Rgba8,
    )?;
    Ok(bytes)
}

/// Dots as a picture of the area.
fn dots(
    points: &[Point],
    radius: f64,
    color: Color,
    area: Area,
    resolution: f64,
) -> Option<Picture> {
    let sides = [area.width, area.height];
    let whole = Bounds { min: [0.0; 2], max: sides };
    let size = cloud::pixels(whole, sides, resolution).size.map(|side| side as u32);
    let mut pixmap = tiny_skia::Pixmap::new(size[0], size[1])?;
    let mut paint = tiny_skia::Paint::default();
    paint.set_color_rgba8(color.r, color.g, color.b, color.a);
    let circle = tiny_skia::PathBuilder::from_circle(0.0, 0.0, radius as f32)?;
    // The picture is stretched to the area, whose sides need not be whole pixels.
    let [scale_x, scale_y] =
        [f64::from(size[0]) / area.width, f64::from(size[1]) / area.height].map(|s| s as f32);
    for [x, y] in points {
        let (x, y) = ((x - area.left) as f32 * scale_x, (y - area.top) as f32 * scale_y);
        let transform = tiny_skia::Transform::from_row(scale_x, 0.0, 0.0, scale_y, x, y);
        pixmap.fill_path(&circle, &paint, tiny_skia::FillRule::Winding, transform, None);
    }
    Some(straight(&pixmap))
}

/// A rendered picture with straight alpha.
pub(super) fn straight(pixmap: &tiny_skia::Pixmap) -> Picture {
    let rgba = pixmap
        .pixels()
        .iter()
        .flat_map(|pixel| {
            let color = pixel.demultiply();
            [color.red(), color.green(), color.blue(), color.alpha()]
        })
        .collect();
    Picture { width: pixmap.width() as usize, height: pixmap.height() as usize, rgba }
}

/// The `d` of a path through points; `None` for less than two or anything that is not finite.
fn coordinates(points: &[Point]) -> Option<String> {
    if points.len() < 2 || !points.iter().flatten().all(|v| v.is_finite()) {
        return None;
    }
    let mut path = String::new();
    for (i, [x, y]) in points.iter().enumerate() {
        let command = if i == 0 { 'M' } else { 'L' };
        let _ = write!(path, "{command}{} {}", number(*x), number(*y));
    }
    Some(path)
}

/// At most two decimals: a hundredth of a pixel is more than anyone sees.
pub(super) fn number(value: f64) -> String {
    let text = format!("{value:.2}");
    let short = text.trim_end_matches('0').trim_end_matches('.');
    if short == "-0" { "0".to_owned() } else { short.to_owned() }
}

/// A fill as attributes.
pub(super) fn fill(color: Color) -> String {
    paint("fill", color)
}

/// A stroke as attributes.
pub(super) fn stroke(color: Color, width: f64) -> String {
    format!("{} stroke-width=\"{}\"", paint("stroke", color), number(width))
}

fn paint(what: &str, Color { r, g, b, a }: Color) -> String {
    let color = format!(" {what}=\"#{r:02x}{g:02x}{b:02x}\"");
    match a {
        255 => color,
        _ => format!("{color} {what}-opacity=\"{}\"", number(f64::from(a) / 255.0)),
    }
}
