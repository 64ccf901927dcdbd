//! Plots in the window: draws the same [`Plot`] that the exporters draw, with egui_plot for axes and panning.

use std::collections::HashMap;
use std::sync::Arc;

use egui::{
    Align2, Color32, FontId, Mesh, Painter, Pos2, Rect, Shape, Stroke, TextureHandle,
    TextureOptions, Vec2, pos2, vec2,
};
use egui_plot::{AxisHints, GridInput, GridMark, PlotBounds, PlotPoint, PlotTransform};

use super::painting::{Image, color_image};
use crate::figures::ticks::ticks;
use crate::figures::{Anchor, Axis, Color, Layer, Mark, Palette, Picture, Plot, arrow_head};
use crate::model::Point;

/// A color of the figures as egui's.
#[must_use]
pub fn color32(color: Color) -> Color32 {
    Color32::from_rgba_unmultiplied(color.r, color.g, color.b, color.a)
}

/// Pictures on the graphics card, one per name; replaced when the picture is another one.
#[derive(Default)]
pub struct Textures {
    by_name: HashMap<&'static str, (Arc<Picture>, TextureHandle)>,
    ready: Vec<Image>,
}

impl Textures {
    /// Pictures that may come next, in the form in which the graphics card wants them.
    pub fn offer(&mut self, images: &[Image]) {
        self.ready.clear();
        self.ready.extend_from_slice(images);
    }

    fn id(
        &mut self,
        ctx: &egui::Context,
        name: &'static str,
        picture: &Arc<Picture>,
    ) -> egui::TextureId {
        let image = || {
            let ready = self.ready.iter().find(|(ready, _)| Arc::ptr_eq(ready, picture));
            ready.map_or_else(|| Arc::new(color_image(picture)), |(_, image)| image.clone())
        };
        let (shown, texture) = self.by_name.entry(name).or_insert_with(|| {
            (picture.clone(), ctx.load_texture(name, image(), TextureOptions::LINEAR))
        });
        if !Arc::ptr_eq(shown, picture) {
            texture.set(image(), TextureOptions::LINEAR);
            *shown = picture.clone();
        }
        texture.id()
    }
}

/// egui_plot's frame for a plot: axes, ticks and grid, without content. The vertical axis is at least `gutter` points
/// wide.
#[must_use]
pub fn frame<'a>(
    plot: &'a Plot,
    palette: &Palette,
    font_size: f32,
    gutter: f32,
) -> egui_plot::Plot<'a> {
    let hints = |axis: &'a Axis, hints: AxisHints<'a>| {
        hints
            .label(
                egui::RichText::new(&axis.label).size(font_size).color(color32(palette.weak_text)),
            )
            .formatter(|mark, range| tick_label(axis, mark, [*range.start(), *range.end()]))
            .tick_label_color(color32(palette.weak_text))
            .tick_label_font(FontId::proportional(font_size))
            // Every mark of ours is meant to have its label.
            .label_spacing(egui::Rangef::new(1.0, 2.0))
    };
    egui_plot::Plot::new(plot.id)
        .custom_x_axes(vec![hints(&plot.x, AxisHints::new_x())])
        .custom_y_axes(vec![hints(
            &plot.y,
            AxisHints::new_y().min_thickness(gutter.max(2.6 * font_size)),
        )])
        .x_grid_spacer(|input| grid(&plot.x, &input, TICK_DISTANCE[0]))
        .y_grid_spacer(|input| grid(&plot.y, &input, TICK_DISTANCE[1]))
        .grid_spacing(egui::Rangef::new(SMALLEST_STEP, 2.0 * SMALLEST_STEP))
        .grid_color(color32(palette.grid))
        .show_x(false)
        .show_y(false)
        .show_crosshair(false)
        .allow_boxed_zoom(false)
        .allow_double_click_reset(false)
}

/// Least pixels from a tick to the next, to the right and upwards.
const TICK_DISTANCE: [f64; 2] = [48.0, 30.0];

/// The smallest step that egui_plot is told to consider, in pixels.
const SMALLEST_STEP: f32 = 0.5;

fn grid(axis: &Axis, input: &GridInput, tick_distance: f64) -> Vec<GridMark> {
    let (low, high) = input.bounds;
    let step = input.base_step_size / f64::from(SMALLEST_STEP) * tick_distance;
    let count = ((high - low) / step).clamp(2.0, 10.0) as usize;
    ticks(axis, [axis.value(low), axis.value(high)], count)
        .iter()
        // The step is passed on for the label, which needs to know how many ticks there are.
        .map(|tick| GridMark {
            value: axis.position(tick.value),
            step_size: (high - low) / count as f64,
        })
        .collect()
}

/// The label of the tick that [`grid`] has put there.
fn tick_label(axis: &Axis, mark: GridMark, [low, high]: [f64; 2]) -> String {
    let count = ((high - low) / mark.step_size).round() as usize;
    let is_it = |value: f64| (axis.position(value) - mark.value).abs() <= 1e-6 * (high - low);
    let all = ticks(axis, [axis.value(low), axis.value(high)], count);
    all.into_iter().find(|tick| is_it(tick.value)).map_or_else(String::new, |tick| tick.label)
}

/// The rectangle that a plot shows, as egui_plot wants it.
#[must_use]
pub fn plot_bounds(plot: &Plot) -> PlotBounds {
    let view = plot.view();
    let position = |[x, y]: Point| [plot.x.position(x), plot.y.position(y)];
    PlotBounds::from_min_max(position(view.min), position(view.max))
}

/// Draws layers over a plot's frame.
pub fn paint_layers(
    painter: &Painter,
    transform: &PlotTransform,
    axes: [&Axis; 2],
    layers: &[Layer],
    palette: &Palette,
    textures: &mut Textures,
) {
    let screen = |[x, y]: Point| {
        transform.position_from_point(&PlotPoint::new(axes[0].position(x), axes[1].position(y)))
    };
    for layer in layers {
        for mark in &layer.marks {
            paint_mark(painter, &screen, layer.id, mark, palette, textures);
        }
    }
}

/// Below this radius in pixels a disc cannot be told from a square, which costs a fifth without a GPU.
const SMALLEST_DISC: f32 = 1.5;

/// Small squares as one mesh, for crowds.
#[must_use]
pub fn dots(places: impl Iterator<Item = Pos2>, radius: f32, color: Color32) -> Mesh {
    // A square of the disc's area.
    let half = radius * std::f32::consts::PI.sqrt() / 2.0;
    let mut mesh = Mesh::default();
    let count = places.size_hint().1.unwrap_or_default();
    mesh.reserve_vertices(4 * count);
    mesh.reserve_triangles(2 * count);
    for at in places {
        mesh.add_colored_rect(Rect::from_center_size(at, Vec2::splat(2.0 * half)), color);
    }
    mesh
}

/// A strip of triangles between pairs of places: egui fills convex outlines only.
fn strip(edges: impl Iterator<Item = [Pos2; 2]>, color: Color32) -> Mesh {
    let mut mesh = Mesh::default();
    for (i, [from, to]) in (0..).zip(edges) {
        mesh.colored_vertex(from, color);
        mesh.colored_vertex(to, color);
        if i > 0 {
            mesh.add_triangle(2 * i - 2, 2 * i - 1, 2 * i);
            mesh.add_triangle(2 * i - 1, 2 * i, 2 * i + 1);
        }
    }
    mesh
}

fn paint_mark(
    painter: &Painter,
    screen: &impl Fn(Point) -> Pos2,
    name: &'static str,
    mark: &Mark,
    palette: &Palette,
    textures: &mut Textures,
) {
    match mark {
        Mark::Points { points, radius, color } => {
            let (color, clip) = (color32(*color), painter.clip_rect().expand(*radius));
            let shown = points.iter().map(|&point| screen(point)).filter(|&at| clip.contains(at));
            if *radius < SMALLEST_DISC {
                painter.add(dots(shown, *radius, color));
            } else {
                painter.extend(shown.map(|at| Shape::circle_filled(at, *radius, color)));
            }
        }
        Mark::Line { points, width, color, is_dashed } => {
            let stroke = Stroke::new(*width, color32(*color));
            // A point that is not finite leaves a gap.
            for piece in points.split(|p| !p.iter().all(|v| v.is_finite())) {
                let path: Vec<Pos2> = piece.iter().map(|&point| screen(point)).collect();
                if *is_dashed {
                    painter.extend(Shape::dashed_line(&path, stroke, 3.0 * width, 2.0 * width));
                } else if path.len() > 1 {
                    painter.add(Shape::line(path, stroke));
                }
            }
        }
        Mark::Polygon { points, fill, stroke_width, stroke } => {
            let path = points.iter().map(|&point| screen(point)).collect();
            let stroke = Stroke::new(*stroke_width, color32(*stroke));
            painter.add(Shape::convex_polygon(path, color32(*fill), stroke));
        }
        Mark::Band { points, color } => {
            let edges = points.iter().map(|&[x, low, high]| [[x, low], [x, high]].map(screen));
            painter.add(Shape::mesh(strip(edges, color32(*color))));
        }
        Mark::SideBand { points, color } => {
            let edges = points.iter().map(|&[y, left, right]| [[left, y], [right, y]].map(screen));
            painter.add(Shape::mesh(strip(edges, color32(*color))));
        }
        Mark::Arrow { from, to, width, color } => {
            let (from, to, color) = (screen(*from), screen(*to), color32(*color));
            let head = arrow_head(from.into(), to.into(), *width).map(Pos2::from);
            let base = head[1] + (head[2] - head[1]) / 2.0;
            painter.line_segment([from, base], Stroke::new(*width, color));
            painter.add(Shape::convex_polygon(head.to_vec(), color, Stroke::NONE));
        }
        Mark::Raster { bounds, picture } => {
            let mut mesh = Mesh::with_texture(textures.id(painter.ctx(), name, picture));
            let rect = Rect::from_two_pos(screen(bounds.min), screen(bounds.max));
            let whole = Rect::from_min_max(pos2(0.0, 0.0), pos2(1.0, 1.0));
            mesh.add_rect_with_uv(rect, whole, Color32::WHITE);
            painter.add(Shape::mesh(mesh));
        }
        Mark::Text { at, offset, text, size, color, anchor } => {
            let anchor = match anchor {
                Anchor::Start => Align2::LEFT_CENTER,
                Anchor::Middle => Align2::CENTER_CENTER,
                Anchor::End => Align2::RIGHT_CENTER,
            };
            let font = FontId::proportional(*size);
            let galley = painter.layout_no_wrap(text.clone(), font, color32(*color));
            let mut rect = anchor.anchor_size(screen(*at) + Vec2::from(*offset), galley.size());
            let room = painter.clip_rect().shrink(2.0);
            if !room.contains(screen(*at)) {
                return;
            }
            // Words at an edge move inside rather than being cut.
            rect = rect.translate(vec2(
                (room.left() - rect.left()).max(0.0) - (rect.right() - room.right()).max(0.0),
                (room.top() - rect.top()).max(0.0) - (rect.bottom() - room.bottom()).max(0.0),
            ));
            let halo = color32(palette.plot_background).gamma_multiply(0.8);
            for shift in [vec2(-1.0, 0.0), vec2(1.0, 0.0), vec2(0.0, -1.0), vec2(0.0, 1.0)] {
                painter.galley_with_override_text_color(rect.min + shift, galley.clone(), halo);
            }
            painter.galley(rect.min, galley, color32(*color));
        }
    }
}
