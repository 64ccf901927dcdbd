//! The loss landscape: an objective over two directions of θ, as colors and contours, with paths of training.

use std::sync::Arc;

use super::basin::picture;
use super::contours::Grid;
use super::tone::Tone;
use super::{Anchor, Axis, Color, Layer, Mark, Palette, Plot, Spacing, Theme};
use crate::model::{Bounds, Mixture, Point};
use crate::training::BranchId;
use crate::training::landscape::Slice;
use crate::training::survey::{Cell, Chart, FINEST, LEVELS, order};

/// A path of training over a landscape.
#[derive(Debug, Clone, PartialEq)]
pub struct Trail {
    /// Whose it is.
    pub label: String,
    /// Which of the categorical colors it has.
    pub color: usize,
    /// Where it was, from the start on.
    pub points: Vec<Point>,
    /// Where it is looked at.
    pub here: Point,
}

/// Where a landscape lies.
#[derive(Debug, Clone, PartialEq)]
pub struct Ground {
    /// Heading.
    pub title: String,
    /// What both coordinates are.
    pub labels: [String; 2],
    /// The rectangle.
    pub square: Bounds,
    /// True if both coordinates have the same unit.
    pub has_equal_aspect: bool,
}

impl Ground {
    /// Of the objective of this name, on a plane through this step.
    #[must_use]
    pub fn new(slice: &Slice, objective: &str, step: usize) -> Ground {
        Ground {
            title: format!("Loss landscape: objective of {objective} through step {step}"),
            labels: slice.labels.clone(),
            square: slice.square,
            has_equal_aspect: slice.is_on_plane,
        }
    }
}

impl Trail {
    /// The path of a run and where it is looked at; `None` where the plane has no place for as many components.
    #[must_use]
    pub fn new(
        slice: &Slice,
        id: BranchId,
        short: &str,
        path: &[&Mixture],
        here: &Mixture,
    ) -> Option<Trail> {
        let has_place = |mixture: &Mixture| mixture.components().len() == slice.component_count();
        has_place(here).then(|| Trail {
            label: format!("Path of {short}"),
            color: id.number(),
            points: slice.places(path.iter().copied().filter(|mixture| has_place(mixture))),
            here: slice.place_of(here),
        })
    }
}

/// How many colors lie between contours.
const CONTOUR_STEPS: usize = 14;

/// Colors and contours, without paths.
#[derive(Debug, Clone, PartialEq)]
pub struct Terrain {
    /// Which color is which value; `None` before anything is known.
    pub tone: Option<Tone>,
    /// Colors, and contours above them.
    pub layers: Vec<Layer>,
}

/// The colors and contours of what is known.
#[must_use]
pub fn terrain(chart: &Chart<f64>, square: Bounds, theme: Theme) -> Terrain {
    let palette = theme.palette();
    let tone = Tone::of(chart.values().copied(), true);
    let mut layers = Vec::new();
    if let Some(tone) = tone {
        let lost = palette.grid;
        let color = |value: &f64| if value.is_finite() { tone.color(*value) } else { lost };
        let picture = Arc::new(picture(chart, color));
        let marks = vec![Mark::Raster { bounds: square, picture }];
        layers.push(Layer { id: "field", label: String::new(), color: palette.grid, marks });
        layers.push(contour_layer(chart, square, &tone));
    }
    Terrain { tone, layers }
}

/// The landscape as far as it is known, with paths above it.
#[must_use]
pub fn landscape(ground: &Ground, terrain: &Terrain, trails: &[Trail], palette: &Palette) -> Plot {
    let mut layers = terrain.layers.clone();
    layers.extend(trails.iter().map(|trail| trail_layer(trail, palette)));
    let axis = |i: usize| Axis {
        label: ground.labels[i].clone(),
        spacing: Spacing::Linear,
        range: Some([ground.square.min[i], ground.square.max[i]]),
    };
    Plot {
        id: "landscape",
        title: ground.title.clone(),
        x: axis(0),
        y: axis(1),
        has_equal_aspect: ground.has_equal_aspect,
        layers,
        has_legend: true,
    }
}

/// The same with the values of its colors as a legend, for export.
#[must_use]
pub fn with_legend(mut plot: Plot, terrain: &Terrain, name: &str) -> Plot {
    plot.layers.extend(terrain.tone.iter().flat_map(|tone| tone.legend(name, 1.0)));
    plot
}

/// Cells from one side to the other that contours are made of at most: more would be no smoother, and take a while.
const CONTOUR_DETAIL: usize = 64;

/// Contours evenly spread over the colors, of the finest level that is known as a whole.
fn contour_layer(chart: &Chart<f64>, square: Bounds, tone: &Tone) -> Layer {
    let color = Color::hex(0xff_ff_ff).with_opacity(0.45);
    let is_whole = |level: &&usize| *level * *level <= chart.count() && **level <= CONTOUR_DETAIL;
    let whole = LEVELS.iter().rev().find(is_whole);
    let grid = whole.map(|&level| grid(chart, level, square));
    let lines = grid.iter().flat_map(|grid| {
        tone.levels(CONTOUR_STEPS).into_iter().flat_map(|level| grid.contours(level))
    });
    let marks =
        lines.map(|points| Mark::Line { points, width: 1.0, color, is_dashed: false }).collect();
    Layer { id: "contours", label: String::new(), color, marks }
}

/// A level of a chart as a grid.
fn grid(chart: &Chart<f64>, level: usize, square: Bounds) -> Grid {
    let mut cells: Vec<Cell> = order(level).collect();
    cells.sort_by_key(|cell| (cell.row, cell.column));
    let place = |cell: &Cell| cell.place(square);
    Grid {
        xs: cells.iter().take(level).map(|cell| place(cell)[0]).collect(),
        ys: cells.iter().step_by(level).map(|cell| place(cell)[1]).collect(),
        values: cells.iter().map(|&cell| chart.get(cell).copied().unwrap_or(f64::NAN)).collect(),
    }
}

/// A path with its start and the place that is looked at, on a casing that keeps it apart from every color.
fn trail_layer(trail: &Trail, palette: &Palette) -> Layer {
    let color = trail_color(trail.color);
    let casing = Color::hex(0x00_00_00).with_opacity(0.75);
    let line =
        |width, color| Mark::Line { points: trail.points.clone(), width, color, is_dashed: false };
    let dot = |at: Point, radius, color| Mark::Points { points: Arc::from([at]), radius, color };
    let mut marks = vec![line(4.5, casing), line(2.5, color)];
    if let Some(&start) = trail.points.first() {
        marks.extend([dot(start, 5.0, casing), dot(start, 3.5, color), dot(start, 1.8, casing)]);
        if start != trail.here {
            marks.push(words(start, "start", palette));
        }
    }
    marks.extend([dot(trail.here, 7.0, casing), dot(trail.here, 5.5, color)]);
    Layer { id: "trail", label: trail.label.clone(), color, marks }
}

fn words(at: Point, text: &str, palette: &Palette) -> Mark {
    Mark::Text {
        at,
        offset: [9.0, 0.0],
        text: text.to_owned(),
        size: 13.0,
        color: palette.text,
        anchor: Anchor::Start,
    }
}

/// Colors of paths: apart from all of viridis and from each other. Red, white, orange, magenta.
const TRAIL_COLORS: [u32; 4] = [0xff_4d_4d, 0xff_ff_ff, 0xff_9f_1c, 0xff_5c_f0];

/// The color of the nth path.
#[must_use]
pub fn trail_color(index: usize) -> Color {
    Color::hex(TRAIL_COLORS[index % TRAIL_COLORS.len()])
}

/// The value of the cell at a place, where it is known.
#[must_use]
pub fn value_at(chart: &Chart<f64>, square: Bounds, place: Point) -> Option<f64> {
    Some(*chart.nearest(Cell::at(place, square)?)?.1)
}

const _: () = assert!(LEVELS[LEVELS.len() - 1] == FINEST);

#[cfg(test)]
mod tests {
    use super::*;

    fn bowl(detail: usize, count: usize, square: Bounds) -> Chart<f64> {
        let mut chart = Chart::default();
        for cell in order(detail).take(count) {
            let [x, y] = cell.place(square);
            chart.push(cell, x * x + 4.0 * y * y);
        }
        chart
    }

    fn ground(square: Bounds) -> Ground {
        Ground {
            title: "A bowl".to_owned(),
            labels: ["a".to_owned(), "b".to_owned()],
            square,
            has_equal_aspect: true,
        }
    }

    #[test]
    fn contours_are_those_of_the_function_at_every_detail() {
        let square = Bounds { min: [-2.0, -2.0], max: [2.0, 2.0] };
        for (detail, count) in [(32, 32 * 32), (64, 64 * 64), (128, 64 * 64 + 100)] {
            let chart = bowl(detail, count, square);
            let tone = terrain(&chart, square, Theme::Dark).tone.unwrap();
            let levels = tone.levels(CONTOUR_STEPS);
            let layer = contour_layer(&chart, square, &tone);
            assert!(layer.marks.len() >= levels.len(), "{detail}");
            for mark in &layer.marks {
                let Mark::Line { points, .. } = mark else { panic!("{mark:?}") };
                for [x, y] in points {
                    let value = x * x + 4.0 * y * y;
                    let near = levels.iter().map(|v| (v - value).abs()).fold(9.0, f64::min);
                    assert!(near < 0.05, "{detail}: {value}");
                }
            }
            assert_eq!(value_at(&chart, square, [9.0, 0.0]), None);
            let here = value_at(&chart, square, [0.5, 0.5]).unwrap();
            assert!((here - 1.25).abs() < 0.5, "{here}");
        }
    }

    #[test]
    fn every_path_is_a_layer_of_its_own_with_its_start_and_where_it_is() {
        let square = Bounds { min: [-2.0, -2.0], max: [2.0, 2.0] };
        let points = vec![[1.0, 1.0], [0.5, 0.2], [0.0, 0.0]];
        let trail = |color| Trail {
            label: format!("run {color}"),
            color,
            points: points.clone(),
            here: [0.5, 0.2],
        };
        let chart = bowl(16, 256, square);
        let palette = Theme::Light.palette();
        let known = terrain(&chart, square, Theme::Light);
        let plot = landscape(&ground(square), &known, &[trail(0), trail(1)], palette);
        let ids: Vec<_> = plot.layers.iter().map(|layer| layer.id).collect();
        assert_eq!(ids, ["field", "contours", "trail", "trail"]);
        assert_ne!(plot.layers[2].color, plot.layers[3].color);
        let has = |at: Point| {
            plot.layers[2]
                .marks
                .iter()
                .any(|mark| matches!(mark, Mark::Points { points, .. } if points[..] == [at]))
        };
        assert!(has([1.0, 1.0]) && has([0.5, 0.2]) && !has([0.0, 0.0]));
        assert_eq!(plot.view(), square);
        let exported = with_legend(plot, &known, "NLL");
        let named = exported.layers.iter().filter(|layer| !layer.label.is_empty());
        assert_eq!(named.count(), 2 + 5);
        // Before anything is known, the paths are there all the same.
        let nothing = terrain(&Chart::default(), square, Theme::Light);
        let empty = landscape(&ground(square), &nothing, &[trail(0)], palette);
        assert_eq!(empty.layers.len(), 1);
    }
}
