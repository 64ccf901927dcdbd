//! A renderer of egui's shapes on the CPU, so that pictures of the window need no GPU, display or driver.
//!
//! It draws what `egui_glow` draws: triangles with premultiplied colors, blended in gamma space, without multisampling
//! and without dithering. Mipmaps and paint callbacks are left out.

use std::collections::HashMap;

use egui::epaint::{ImageData, ImageDelta, Primitive, Vertex};
use egui::{
    Color32, Context, FullOutput, Rect, TextureFilter, TextureId, TextureOptions, TextureWrapMode,
    TexturesDelta,
};
use egui_kittest::TestRenderer;
use image::RgbaImage;

/// Draws frames of a harness; give it to `Harness::builder().renderer(…)`.
#[derive(Default)]
pub struct Renderer {
    textures: HashMap<TextureId, Texture>,
    /// Freed by the last frame, which may still show them.
    freed: Vec<TextureId>,
}

impl TestRenderer for Renderer {
    fn handle_delta(&mut self, delta: &mut TexturesDelta) {
        for id in self.freed.drain(..) {
            self.textures.remove(&id);
        }
        for (id, changes) in delta.set.drain() {
            for change in changes {
                match self.textures.get_mut(&id) {
                    Some(texture) if !change.is_whole() => texture.update(&change),
                    _ => drop(self.textures.insert(id, Texture::new(&change))),
                }
            }
        }
        self.freed.extend(delta.free.drain());
    }

    fn render(&mut self, ctx: &Context, output: &FullOutput) -> Result<RgbaImage, String> {
        let pixels_per_point = output.pixels_per_point;
        let size = ctx.content_rect().size() * pixels_per_point;
        let (width, height) = (size.x.round() as u32, size.y.round() as u32);
        let mut canvas = Canvas { width, pixels: vec![[0; 4]; (width * height) as usize] };
        for clipped in ctx.tessellate(output.shapes.clone(), pixels_per_point) {
            let Primitive::Mesh(mesh) = clipped.primitive else { continue };
            let texture = self
                .textures
                .get(&mesh.texture_id)
                .ok_or_else(|| format!("texture {:?} was never set", mesh.texture_id))?;
            let clip = Clip::new(clipped.clip_rect, pixels_per_point, [width, height]);
            for corners in mesh.indices.as_chunks().0 {
                let corners = corners.map(|index| mesh.vertices[index as usize]);
                if let Some(triangle) = Triangle::new(corners, pixels_per_point, texture) {
                    canvas.draw(&triangle, texture, clip);
                }
            }
        }
        RgbaImage::from_raw(width, height, canvas.pixels.into_flattened())
            .ok_or_else(|| "a picture as large as its pixels".to_owned())
    }
}

/// Four channels, premultiplied, from 0 to 255.
type Color = [f32; 4];

fn color(color: Color32) -> Color {
    color.to_array().map(f32::from)
}

/// The product of two colors as shares of 255.
fn product(a: Color, b: Color) -> Color {
    std::array::from_fn(|channel| a[channel] * b[channel] * (1.0 / 255.0))
}

struct Texture {
    size: [usize; 2],
    pixels: Vec<Color32>,
    options: TextureOptions,
}

impl Texture {
    fn new(whole: &ImageDelta) -> Texture {
        let ImageData::Color(image) = &whole.image;
        Texture { size: image.size, pixels: image.pixels.clone(), options: whole.options }
    }

    fn update(&mut self, part: &ImageDelta) {
        let ImageData::Color(image) = &part.image;
        let [left, top] = part.pos.unwrap_or([0, 0]);
        self.options = part.options;
        for (row, pixels) in image.pixels.chunks_exact(image.width()).enumerate() {
            let start = (top + row) * self.size[0] + left;
            self.pixels[start..start + pixels.len()].copy_from_slice(pixels);
        }
    }

    /// The pixel in a column and row, which may lie outside.
    fn texel(&self, column: i32, row: i32) -> Color {
        let [width, height] = self.size;
        let x = wrapped(column, width, self.options.wrap_mode);
        let y = wrapped(row, height, self.options.wrap_mode);
        color(self.pixels[y * width + x])
    }

    /// The color at a place that is measured in texels from the top left.
    fn sample(&self, [u, v]: [f32; 2], filter: TextureFilter) -> Color {
        if filter == TextureFilter::Nearest {
            return self.texel(u.floor() as i32, v.floor() as i32);
        }
        let (u, v) = (u - 0.5, v - 0.5);
        let (left, top) = (u.floor(), v.floor());
        let (right_share, lower_share) = (u - left, v - top);
        let (x, y) = (left as i32, top as i32);
        let upper = blend(self.texel(x, y), self.texel(x + 1, y), right_share);
        let lower = blend(self.texel(x, y + 1), self.texel(x + 1, y + 1), right_share);
        blend(upper, lower, lower_share)
    }
}

fn blend(a: Color, b: Color, share: f32) -> Color {
    std::array::from_fn(|channel| a[channel] + share * (b[channel] - a[channel]))
}

fn wrapped(place: i32, count: usize, mode: TextureWrapMode) -> usize {
    let count = count as i32;
    let inside = match mode {
        TextureWrapMode::ClampToEdge => place.clamp(0, count - 1),
        TextureWrapMode::Repeat => place.rem_euclid(count),
        TextureWrapMode::MirroredRepeat => {
            let place = place.rem_euclid(2 * count);
            place.min(2 * count - 1 - place)
        }
    };
    inside as usize
}

/// The pixels that may be drawn on: `left..right` × `top..bottom`.
#[derive(Clone, Copy)]
struct Clip {
    left: i64,
    right: i64,
    top: i64,
    bottom: i64,
}

impl Clip {
    fn new(rect: Rect, pixels_per_point: f32, [width, height]: [u32; 2]) -> Clip {
        let pixel = |points: f32, size: u32| {
            ((points * pixels_per_point).round() as i64).clamp(0, i64::from(size))
        };
        Clip {
            left: pixel(rect.min.x, width),
            right: pixel(rect.max.x, width),
            top: pixel(rect.min.y, height),
            bottom: pixel(rect.max.y, height),
        }
    }
}

/// Parts of a pixel that corners are rounded to, as GPUs do: whole numbers make coverage exact.
const PARTS: i64 = 256;

/// How far away corners are kept, in pixels, so that products of whole numbers stay in range.
const FARTHEST: f32 = 1_048_576.0;

/// A line through two corners as a x + b y + c, which is at least zero on the inner side of it. In parts of a pixel.
#[derive(Clone, Copy)]
struct Edge {
    a: i64,
    b: i64,
    c: i64,
}

impl Edge {
    /// Keeps the triangle to the right of the direction of travel, where y points down.
    fn between([x1, y1]: [i64; 2], [x2, y2]: [i64; 2]) -> Edge {
        let (a, b) = (y1 - y2, x2 - x1);
        // A pixel on a shared edge belongs to the triangle whose top or left edge it is, and to no other.
        let is_top_or_left = a > 0 || (a == 0 && b > 0);
        Edge { a, b, c: -(a * x1 + b * y1) - i64::from(!is_top_or_left) }
    }

    /// The columns of a row whose centers lie on the inner side, cut out of `from..to`.
    fn columns(&self, row: i64, from: i64, to: i64) -> (i64, i64) {
        let half = PARTS / 2;
        // Inside where slope · column + rest is at least zero.
        let slope = self.a * PARTS;
        let rest = self.a * half + self.b * (row * PARTS + half) + self.c;
        match slope.signum() {
            1 => (from.max(-rest.div_euclid(slope)), to),
            -1 => (from, to.min(rest.div_euclid(-slope) + 1)),
            _ if rest >= 0 => (from, to),
            _ => (from, from),
        }
    }
}

/// A quantity that is linear over the picture: its value at the first corner and its change per pixel.
#[derive(Clone, Copy)]
struct Plane<const N: usize> {
    value: [f32; N],
    per_column: [f32; N],
    per_row: [f32; N],
}

impl<const N: usize> Plane<N> {
    fn at(&self, x: f32, y: f32) -> [f32; N] {
        std::array::from_fn(|i| self.value[i] + x * self.per_column[i] + y * self.per_row[i])
    }

    fn is_constant(&self) -> bool {
        self.per_column == [0.0; N] && self.per_row == [0.0; N]
    }
}

struct Triangle {
    edges: [Edge; 3],
    /// Rows that it may touch.
    rows: (i64, i64),
    /// The first corner, in pixels: planes count from here.
    origin: [f32; 2],
    color: Plane<4>,
    /// Place in the texture, in texels.
    place: Plane<2>,
    filter: TextureFilter,
}

impl Triangle {
    /// `None` if it covers nothing.
    fn new(mut corners: [Vertex; 3], pixels_per_point: f32, texture: &Texture) -> Option<Triangle> {
        let part = |points: f32| {
            let pixels = (points * pixels_per_point).clamp(-FARTHEST, FARTHEST);
            (pixels * PARTS as f32).round() as i64
        };
        let mut places = corners.map(|corner| [part(corner.pos.x), part(corner.pos.y)]);
        let doubled_area = |[p, q, r]: [[i64; 2]; 3]| {
            (q[0] - p[0]) * (r[1] - p[1]) - (q[1] - p[1]) * (r[0] - p[0])
        };
        let mut area = doubled_area(places);
        if area == 0 {
            return None;
        }
        // egui's meshes come in both directions.
        if area < 0 {
            corners.swap(1, 2);
            places.swap(1, 2);
            area = -area;
        }
        let [p, q, r] = places;
        let pixels = |difference: i64| difference as f32 / PARTS as f32;
        let scale = 1.0 / (area as f32 / (PARTS * PARTS) as f32);
        let (qx, qy) = (pixels(q[0] - p[0]), pixels(q[1] - p[1]));
        let (rx, ry) = (pixels(r[0] - p[0]), pixels(r[1] - p[1]));
        let [texture_width, texture_height] = texture.size.map(|size| size as f32);
        let place = plane(
            corners.map(|corner| [corner.uv.x * texture_width, corner.uv.y * texture_height]),
            [qx, qy, rx, ry],
            scale,
        );
        let ys = places.map(|place| place[1]);
        let first_row = ys.into_iter().min()?.div_euclid(PARTS);
        let last_row = ys.into_iter().max()?.div_euclid(PARTS);
        // Texels that one pixel spans, along a row or a column.
        let texels = |change: [f32; 2]| change[0].hypot(change[1]);
        let is_magnified = texels(place.per_column).max(texels(place.per_row)) <= 1.0;
        Some(Triangle {
            edges: [Edge::between(p, q), Edge::between(q, r), Edge::between(r, p)],
            rows: (first_row, last_row + 1),
            origin: p.map(pixels),
            color: plane(corners.map(|corner| color(corner.color)), [qx, qy, rx, ry], scale),
            place,
            filter: if is_magnified {
                texture.options.magnification
            } else {
                texture.options.minification
            },
        })
    }
}

/// The plane through values at three corners. `[qx, qy, rx, ry]` are the second and third corner seen from the first.
fn plane<const N: usize>(
    [p, q, r]: [[f32; N]; 3],
    [qx, qy, rx, ry]: [f32; 4],
    scale: f32,
) -> Plane<N> {
    let change = |i: usize, q_share: f32, r_share: f32| {
        scale * ((q[i] - p[i]) * q_share + (r[i] - p[i]) * r_share)
    };
    Plane {
        value: p,
        per_column: std::array::from_fn(|i| change(i, ry, -qy)),
        per_row: std::array::from_fn(|i| change(i, -rx, qx)),
    }
}

struct Canvas {
    width: u32,
    /// Row after row from the top, premultiplied.
    pixels: Vec<[u8; 4]>,
}

impl Canvas {
    fn draw(&mut self, triangle: &Triangle, texture: &Texture, clip: Clip) {
        let is_flat = triangle.place.is_constant();
        let texel = texture.sample(triangle.place.value, triangle.filter);
        let one_color =
            (is_flat && triangle.color.is_constant()).then(|| product(triangle.color.value, texel));
        for row in triangle.rows.0.max(clip.top)..triangle.rows.1.min(clip.bottom) {
            let (mut from, mut to) = (clip.left, clip.right);
            for edge in &triangle.edges {
                (from, to) = edge.columns(row, from, to);
            }
            if from >= to {
                continue;
            }
            let start = row as usize * self.width as usize;
            let pixels = &mut self.pixels[start + from as usize..start + to as usize];
            if let Some(color) = one_color {
                fill(pixels, color);
                continue;
            }
            let x = from as f32 + 0.5 - triangle.origin[0];
            let y = row as f32 + 0.5 - triangle.origin[1];
            for (column, pixel) in pixels.iter_mut().enumerate() {
                let x = x + column as f32;
                let texel = if is_flat {
                    texel
                } else {
                    texture.sample(triangle.place.at(x, y), triangle.filter)
                };
                cover(pixel, product(triangle.color.at(x, y), texel));
            }
        }
    }
}

/// Covers pixels with one color.
fn fill(pixels: &mut [[u8; 4]], color: Color) {
    if color[3] >= 255.0 {
        pixels.fill(color.map(rounded));
    } else {
        for pixel in pixels {
            cover(pixel, color);
        }
    }
}

/// Lays a premultiplied color over a pixel, in gamma space.
fn cover(pixel: &mut [u8; 4], color: Color) {
    let rest = 1.0 - color[3] * (1.0 / 255.0);
    for (channel, color) in pixel.iter_mut().zip(color) {
        *channel = rounded(color + rest * f32::from(*channel));
    }
}

fn rounded(channel: f32) -> u8 {
    (channel + 0.5) as u8
}
