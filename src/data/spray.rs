//! Drawing tools as arithmetic: a stroke becomes points, the eraser removes some.

use std::f64::consts::TAU;

use rand::RngExt;
use rand_distr::{Distribution, StandardNormal};
use serde::{Deserialize, Serialize};

use crate::model::{Bounds, Point};
use crate::random::{Purpose, Rng, generator};

/// What a stroke is drawn with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tool {
    /// Even within a disc that moves along the path.
    Brush,
    /// Gaussian around the path, more where the pointer rested.
    Airbrush,
    /// Straight from where the pointer went down to where it went up.
    Line,
    /// The ellipse in the box between where the pointer went down and up.
    Ellipse,
    /// Removes points near the path.
    Eraser,
}

impl Tool {
    /// Every tool, in the order of the toolbar.
    pub const ALL: [Tool; 5] =
        [Tool::Brush, Tool::Airbrush, Tool::Line, Tool::Ellipse, Tool::Eraser];

    /// Name on screen.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Tool::Brush => "Brush",
            Tool::Airbrush => "Airbrush",
            Tool::Line => "Line",
            Tool::Ellipse => "Ellipse",
            Tool::Eraser => "Eraser",
        }
    }

    /// One sentence for the tooltip.
    #[must_use]
    pub fn help(self) -> &'static str {
        match self {
            Tool::Brush => "Spreads points evenly along the path.",
            Tool::Airbrush => "Sprays points around the pointer; hold it still to spray more.",
            Tool::Line => "Draws points along a straight line.",
            Tool::Ellipse => "Draws points along an ellipse from corner to corner.",
            Tool::Eraser => "Removes the points that the pointer touches.",
        }
    }
}

/// One movement of a tool over the plane; equal strokes give equal points.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Stroke {
    /// What it was drawn with.
    pub tool: Tool,
    /// Where the pointer was, in order, in the units of the data. While the airbrush is held, one place a tick.
    pub path: Vec<Point>,
    /// Size of the tool in the units of the data: of the brush's and the eraser's disc, standard deviation of
    /// the airbrush, three standard deviations of the jitter around a line or an ellipse.
    pub radius: f64,
    /// How many points it adds, at most [`MAX_COUNT`]; the eraser does not look at it.
    pub count: usize,
    /// Seed of the points.
    pub seed: u64,
}

/// More points than this one stroke does not add: a slip in a saved file must not fill the memory.
pub const MAX_COUNT: usize = 1_000_000;

/// Straight pieces per ellipse: more than a screen can tell apart.
const ELLIPSE_PIECES: usize = 256;

/// Path points that share one box when the eraser looks for what it touches.
const ERASER_BLOCK: usize = 16;

/// How many points this stroke adds at most.
#[must_use]
pub fn most_points(stroke: &Stroke) -> usize {
    if stroke.tool == Tool::Eraser { 0 } else { stroke.count.min(MAX_COUNT) }
}

/// The points that this stroke adds: none for the eraser, or for an empty path.
///
/// Points come in the order of the path. While a stroke grows and `count` grows with it, the points that the
/// brush and the airbrush have made stay where they are, up to rounding.
#[must_use]
pub fn spray(stroke: &Stroke) -> Vec<Point> {
    let (Some(&first), Some(&last)) = (stroke.path.first(), stroke.path.last()) else {
        return Vec::new();
    };
    let count = most_points(stroke);
    let jitter = stroke.radius / 3.0;
    let rng = &mut generator(stroke.seed, Purpose::Spray);
    match stroke.tool {
        Tool::Brush => along(&stroke.path, count, rng, |rng| in_disc(stroke.radius, rng)),
        Tool::Airbrush => (0..count)
            .map(|i| {
                // Path points count alike, however near: time, not length, is what sprays.
                let center = stroke.path[i * stroke.path.len() / count];
                plus(center, gaussian(stroke.radius, rng))
            })
            .collect(),
        Tool::Line => along(&[first, last], count, rng, |rng| gaussian(jitter, rng)),
        Tool::Ellipse => along(&ellipse(first, last), count, rng, |rng| gaussian(jitter, rng)),
        Tool::Eraser => Vec::new(),
    }
}

/// Applies strokes in order: the eraser removes what lies within `radius` of its path, the others add.
pub fn apply(points: &mut Vec<Point>, strokes: &[Stroke]) {
    for stroke in strokes {
        match stroke.tool {
            Tool::Eraser => erase(points, &stroke.path, stroke.radius),
            Tool::Brush | Tool::Airbrush | Tool::Line | Tool::Ellipse => {
                points.extend(spray(stroke));
            }
        }
    }
}

/// Points along a path, evenly by length, each moved by its own offset.
fn along(
    path: &[Point],
    count: usize,
    rng: &mut Rng,
    mut offset: impl FnMut(&mut Rng) -> Point,
) -> Vec<Point> {
    let ends = lengths(path);
    let total = ends.last().copied().unwrap_or(0.0);
    let mut piece = 0;
    (0..count)
        .map(|i| {
            // One point per equal share of the path, anywhere within it: even, and without a beat.
            let wanted = (i as f64 + rng.random::<f64>()) / count as f64 * total;
            while piece + 1 < ends.len() && ends[piece] < wanted {
                piece += 1;
            }
            plus(place(path, &ends, piece, wanted), offset(rng))
        })
        .collect()
}

/// Length of the path up to the end of every piece between two of its points.
fn lengths(path: &[Point]) -> Vec<f64> {
    let mut total = 0.0;
    path.windows(2)
        .map(|ends| {
            total += (ends[1][0] - ends[0][0]).hypot(ends[1][1] - ends[0][1]);
            total
        })
        .collect()
}

/// The place on one piece of the path, `wanted` from the path's start.
fn place(path: &[Point], ends: &[f64], piece: usize, wanted: f64) -> Point {
    let Some(&end) = ends.get(piece) else { return path[0] };
    let start = if piece == 0 { 0.0 } else { ends[piece - 1] };
    let share = if end > start { ((wanted - start) / (end - start)).clamp(0.0, 1.0) } else { 0.0 };
    let (a, b) = (path[piece], path[piece + 1]);
    [a[0] + share * (b[0] - a[0]), a[1] + share * (b[1] - a[1])]
}

/// The outline of the axis-parallel ellipse between two corners, closed.
fn ellipse(corner: Point, opposite: Point) -> Vec<Point> {
    let bounds = Bounds { min: corner, max: opposite };
    let (center, [width, height]) = (bounds.center(), bounds.size());
    (0..=ELLIPSE_PIECES)
        .map(|i| {
            let (sin, cos) = (i as f64 / ELLIPSE_PIECES as f64 * TAU).sin_cos();
            [center[0] + width / 2.0 * cos, center[1] + height / 2.0 * sin]
        })
        .collect()
}

/// Uniform within a disc around the origin.
fn in_disc(radius: f64, rng: &mut Rng) -> Point {
    loop {
        let [x, y] = [0; 2].map(|_: i32| rng.random_range(-1.0..1.0));
        if x * x + y * y <= 1.0 {
            return [radius * x, radius * y];
        }
    }
}

/// Normal around the origin, the same in all directions.
fn gaussian(standard_deviation: f64, rng: &mut Rng) -> Point {
    [0; 2].map(|_: i32| {
        let z: f64 = StandardNormal.sample(rng);
        standard_deviation * z
    })
}

fn plus(a: Point, b: Point) -> Point {
    [a[0] + b[0], a[1] + b[1]]
}

/// Removes the points within `radius` of the path.
fn erase(points: &mut Vec<Point>, path: &[Point], radius: f64) {
    // Neighbouring blocks share a path point, so that no piece between two is lost.
    let starts = (0..path.len().max(2) - 1).step_by(ERASER_BLOCK);
    let blocks: Vec<(Bounds, &[Point])> = starts
        .filter_map(|start| {
            let block = &path[start..path.len().min(start + ERASER_BLOCK + 1)];
            Some((reach(block, radius)?, block))
        })
        .collect();
    let Some(all) = reach(path, radius) else { return };
    points.retain(|&x| {
        let is_touched = contains(&all, x)
            && blocks
                .iter()
                .any(|(bounds, block)| contains(bounds, x) && touches(block, x, radius));
        !is_touched
    });
}

/// The rectangle that holds all places within `radius` of the path.
fn reach(path: &[Point], radius: f64) -> Option<Bounds> {
    let Bounds { min, max } = Bounds::around(path)?;
    Some(Bounds { min: min.map(|v| v - radius), max: max.map(|v| v + radius) })
}

fn contains(bounds: &Bounds, x: Point) -> bool {
    (0..2).all(|axis| bounds.min[axis] <= x[axis] && x[axis] <= bounds.max[axis])
}

/// True if the point lies within `radius` of a path of one or more points.
fn touches(path: &[Point], x: Point, radius: f64) -> bool {
    let is_near = |a: Point, b: Point| squared_distance_to_segment(x, a, b) <= radius * radius;
    match path {
        [only] => is_near(*only, *only),
        _ => path.windows(2).any(|ends| is_near(ends[0], ends[1])),
    }
}

/// Squared distance from x to the nearest place between a and b.
fn squared_distance_to_segment(x: Point, a: Point, b: Point) -> f64 {
    let along = [b[0] - a[0], b[1] - a[1]];
    let from_a = [x[0] - a[0], x[1] - a[1]];
    let squared_length = along[0] * along[0] + along[1] * along[1];
    let share = if squared_length > 0.0 {
        ((from_a[0] * along[0] + from_a[1] * along[1]) / squared_length).clamp(0.0, 1.0)
    } else {
        0.0
    };
    let rest = [from_a[0] - share * along[0], from_a[1] - share * along[1]];
    rest[0] * rest[0] + rest[1] * rest[1]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stroke(tool: Tool, path: &[Point], radius: f64, count: usize) -> Stroke {
        Stroke { tool, path: path.to_vec(), radius, count, seed: 7 }
    }

    /// Distance from a point to a path.
    fn distance(x: Point, path: &[Point]) -> f64 {
        let of = |ends: &[Point]| squared_distance_to_segment(x, ends[0], ends[1]).sqrt();
        path.windows(2).map(of).fold(f64::INFINITY, f64::min)
    }

    const PATH: [Point; 3] = [[0.0, 0.0], [4.0, 0.0], [4.0, 2.0]];

    #[test]
    fn every_tool_makes_its_count_from_any_path() {
        for tool in Tool::ALL {
            assert!(!tool.label().is_empty() && tool.help().ends_with('.'));
            for path in [&PATH[..0], &PATH[..1], &PATH[..2], &PATH, &[[1.0, 1.0]; 5]] {
                for count in [0, 1, 2, 1000] {
                    let stroke = stroke(tool, path, 0.5, count);
                    let some = spray(&stroke);
                    let adds = tool != Tool::Eraser && !path.is_empty();
                    assert_eq!(some.len(), if adds { count } else { 0 }, "{tool:?}");
                    assert!(some.iter().flatten().all(|v| v.is_finite()), "{tool:?}");
                    assert_eq!(some, spray(&stroke), "{tool:?}");
                    let other = Stroke { seed: 8, ..stroke.clone() };
                    assert!(some.is_empty() || some != spray(&other), "{tool:?}");
                }
            }
        }
    }

    #[test]
    fn odd_numbers_never_panic() {
        for tool in Tool::ALL {
            for radius in [0.0, -1.0, f64::NAN, f64::INFINITY, 1e300] {
                for x in [0.0, f64::NAN, f64::INFINITY, 1e300] {
                    let path = [[0.0, x], [x, 1.0], [-x, 2.0]];
                    let mut points = vec![[0.0, 0.0]; 3];
                    apply(&mut points, &[stroke(tool, &path, radius, 20)]);
                }
            }
        }
        assert_eq!(spray(&stroke(Tool::Brush, &PATH, 1.0, usize::MAX)).len(), MAX_COUNT);
    }

    #[test]
    fn the_brush_stays_within_its_radius_and_is_even() {
        let some = spray(&stroke(Tool::Brush, &PATH, 0.3, 6000));
        assert!(some.iter().all(|&x| distance(x, &PATH) <= 0.3 + 1e-12));
        // The first four of six units of length lie on the axis.
        let on_first = some.iter().filter(|x| x[1] <= 0.3 && x[0] <= 3.7).count();
        assert!((3600..3900).contains(&on_first), "{on_first}");
    }

    #[test]
    fn the_airbrush_sprays_more_where_the_pointer_rested() {
        let path = [[0.0, 0.0], [10.0, 0.0], [10.0, 0.0], [10.0, 0.0]];
        let some = spray(&stroke(Tool::Airbrush, &path, 0.5, 4000));
        assert_eq!(some.iter().filter(|x| x[0] > 5.0).count(), 3000);
        let variance = some.iter().map(|x| x[1] * x[1]).sum::<f64>() / 4000.0;
        assert!((variance.sqrt() - 0.5).abs() < 0.03, "{variance}");
    }

    #[test]
    fn lines_and_ellipses_use_the_first_and_the_last_place() {
        let path = [[-1.0, -2.0], [50.0, 50.0], [3.0, 4.0]];
        for x in spray(&stroke(Tool::Line, &path, 0.0, 500)) {
            assert!(distance(x, &[path[0], path[2]]) < 1e-12);
        }
        // Center (1, 1), semi-axes 2 and 3; the chords run just inside.
        for [x, y] in spray(&stroke(Tool::Ellipse, &path, 0.0, 500)) {
            let r = ((x - 1.0) / 2.0).hypot((y - 1.0) / 3.0);
            assert!((0.999..=1.0 + 1e-12).contains(&r), "{r}");
        }
    }

    #[test]
    fn points_stay_while_a_stroke_grows() {
        for tool in [Tool::Brush, Tool::Airbrush] {
            let path: Vec<Point> = (0..=20).map(|i| [f64::from(i), 0.0]).collect();
            let take = if tool == Tool::Brush { 11 } else { 10 };
            let all = if tool == Tool::Brush { 21 } else { 20 };
            let before = spray(&stroke(tool, &path[..take], 0.5, 1000));
            let after = spray(&stroke(tool, &path[..all], 0.5, 2000));
            for (a, b) in before.iter().zip(&after) {
                assert!((a[0] - b[0]).hypot(a[1] - b[1]) < 1e-9, "{tool:?}: {a:?} {b:?}");
            }
        }
    }

    #[test]
    fn the_eraser_removes_what_lies_near_its_segments() {
        let grid: Vec<Point> =
            (0..100_i32).map(|i| [f64::from(i % 10) * 0.5, f64::from(i / 10) * 0.5]).collect();
        // Long enough for several blocks, and back again.
        let long: Vec<Point> =
            (0..50).map(|i| [2.0 + 2.0 * (f64::from(i) * 0.4).sin(), f64::from(i) * 0.1]).collect();
        for (path, radius) in
            [(&PATH[..], 0.6), (&PATH[..1], 0.6), (&long, 0.3), (&long, 0.0), (&long[..17], 0.4)]
        {
            let mut left = grid.clone();
            apply(&mut left, &[stroke(Tool::Eraser, path, radius, 0)]);
            let near = |x: Point| match path {
                [only] => (x[0] - only[0]).hypot(x[1] - only[1]) <= radius,
                _ => distance(x, path) <= radius,
            };
            let expected: Vec<Point> = grid.iter().copied().filter(|&x| !near(x)).collect();
            assert_eq!(left, expected, "{} path points, radius {radius}", path.len());
        }
    }

    #[test]
    fn strokes_are_applied_in_order() {
        let draw = stroke(Tool::Brush, &PATH, 0.3, 100);
        let erase = stroke(Tool::Eraser, &PATH, 1.0, 0);
        let mut points = vec![[9.0, 9.0]];
        apply(&mut points, &[draw.clone(), erase.clone()]);
        assert_eq!(points, [[9.0, 9.0]]);
        apply(&mut points, &[erase, draw]);
        assert_eq!(points.len(), 101);
    }

    #[test]
    fn a_stroke_survives_a_file() {
        let stroke = stroke(Tool::Airbrush, &PATH, 0.25, 40);
        let text = toml::to_string(&stroke).unwrap();
        assert!(text.contains("tool = \"airbrush\""), "{text}");
        assert_eq!(toml::from_str::<Stroke>(&text).unwrap(), stroke);
    }
}
