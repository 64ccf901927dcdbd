//! Streamlines: paths along the score, evenly spaced over a rectangle of the plane.

use super::{Layer, Mark, Palette};
use crate::model::{Bounds, Density, Point};

/// Steps that are taken from one line to the next.
const STEPS_APART: f64 = 8.0;

/// A line ends where it comes nearer to another than this share of the distance that is wanted; Jobard and Lefer (1997)
/// find that a half looks best.
const NEAREST: f64 = 0.5;

/// Lines shorter than this many times the distance between lines say nothing.
const SHORTEST: f64 = 0.8;

/// Places that are tried as seeds, for every cell of lines that fit side by side.
const SEEDS_PER_CELL: f64 = 2.5;

/// Seeds whose lines are followed side by side.
const SIDE: usize = 16;

/// Every so many steps a corner is kept.
const STEPS_PER_CORNER: usize = 3;

/// Paths of ẋ = s(x)/‖s(x)‖ with s = ∇ₓ log p, uphill, so that `columns` fit side by side from left to right and none
/// comes much nearer to another; after Jobard and Lefer (1997), with seeds from a sequence that fills the rectangle
/// evenly. At most a few for every cell; at most 64 columns.
#[must_use]
pub fn streamlines(density: &dyn Density, bounds: Bounds, columns: usize) -> Vec<Vec<Point>> {
    let [width, height] = bounds.size();
    let apart = width / columns.clamp(1, 64) as f64;
    let mut taken = Taken::new(bounds, apart);
    let cell_count = (width / apart * (height / apart).min(256.0)).max(1.0);
    let mut seeds = (0..(SEEDS_PER_CELL * cell_count) as usize).map(|i| seed(bounds, i));
    let mut lines = Vec::new();
    loop {
        let free = seeds.by_ref().filter(|seed| !taken.is_near(*seed, apart)).take(SIDE);
        let free: Vec<Point> = free.collect();
        if free.is_empty() {
            return lines;
        }
        for whole in traces(density, bounds, &free, apart / STEPS_APART) {
            // Others of the same turn may have come near since.
            if taken.is_near(whole.seed(), apart) {
                continue;
            }
            let line = whole.until(|at| taken.is_near(at, NEAREST * apart));
            if line.len() as f64 >= SHORTEST * STEPS_APART {
                for &at in &line {
                    taken.add(at);
                }
                lines.push(thinned(&line));
            }
        }
    }
}

/// The streamlines of the score as a layer, each with a head that points uphill.
#[must_use]
pub fn layer(density: &dyn Density, bounds: Bounds, columns: usize, palette: &Palette) -> Layer {
    let color = palette.score.with_opacity(0.85);
    let mut marks = Vec::new();
    for points in streamlines(density, bounds, columns) {
        let line =
            |width, color| Mark::Line { points: points.clone(), width, color, is_dashed: false };
        // A rim of the background, to be seen on any color.
        marks.push(line(3.4, palette.plot_background.with_opacity(0.45)));
        marks.push(line(1.4, color));
        let middle = points.len() / 2;
        if let [from, to] = points[middle - 1..=middle] {
            marks.push(Mark::Arrow { from, to, width: 1.5, color });
        }
    }
    let label = "Streamlines of the score".to_owned();
    Layer { id: "streamlines", label, color: palette.score, marks }
}

/// The nth place of a sequence that fills the rectangle evenly, wherever it stops: Roberts' R₂ (2018), steps by the
/// powers of the plastic number.
fn seed(bounds: Bounds, n: usize) -> Point {
    const PLASTIC: f64 = 1.324_717_957_244_746;
    let size = bounds.size();
    let share = |power: i32| (0.5 + n as f64 * PLASTIC.powi(-power)).fract();
    [bounds.min[0] + size[0] * share(1), bounds.min[1] + size[1] * share(2)]
}

/// A line through a seed.
struct Trace {
    /// From the seed uphill, the seed first.
    up: Vec<Point>,
    /// From the seed downhill, without it.
    down: Vec<Point>,
}

impl Trace {
    fn seed(&self) -> Point {
        self.up[0]
    }

    /// The part around the seed, uphill, up to the first places that are too near to something.
    fn until(&self, is_near: impl Fn(Point) -> bool) -> Vec<Point> {
        let up = self.up.iter().take_while(|at| !is_near(**at));
        let down: Vec<&Point> = self.down.iter().take_while(|at| !is_near(**at)).collect();
        down.into_iter().rev().chain(up).copied().collect()
    }
}

/// One end of a line that is followed.
struct Head {
    /// Which seed it comes from.
    seed: usize,
    /// 1 uphill, −1 downhill.
    way: f64,
    /// Where it is.
    at: Point,
    /// The direction of its last step.
    last: Option<Point>,
}

/// Follows the lines through seeds, both ways, by steps of this length: the classical Runge–Kutta method, all side by
/// side. A line ends outside the rectangle, and where it would turn back: at a mode, a saddle or a ridge thinner than
/// a step.
fn traces(density: &dyn Density, bounds: Bounds, seeds: &[Point], step: f64) -> Vec<Trace> {
    let mut traces: Vec<Trace> =
        seeds.iter().map(|&at| Trace { up: vec![at], down: Vec::new() }).collect();
    let head = |seed: usize, way| Head { seed, way, at: seeds[seed], last: None };
    let mut heads: Vec<Head> =
        (0..seeds.len()).flat_map(|seed| [head(seed, 1.0), head(seed, -1.0)]).collect();
    let is_inside =
        |at: Point| (0..2).all(|axis| bounds.min[axis] <= at[axis] && at[axis] <= bounds.max[axis]);
    let [width, height] = bounds.size();
    for _ in 0..(2.0 * (width + height) / step) as usize {
        let moves = runge_kutta(density, &heads, step);
        let mut moves = moves.into_iter();
        heads.retain_mut(|head| {
            let Some((direction, next)) = moves.next().flatten() else { return false };
            if head.last.is_some_and(|last| dot(last, direction) < 0.0) {
                return false;
            }
            (head.at, head.last) = (next, Some(direction));
            let trace = &mut traces[head.seed];
            let line = if head.way > 0.0 { &mut trace.up } else { &mut trace.down };
            line.push(next);
            is_inside(next)
        });
        if heads.is_empty() {
            break;
        }
    }
    traces
}

/// For every head the direction in which it sets out and where it comes by one step; `None` where the field has no
/// direction, or turns back within the step.
fn runge_kutta(density: &dyn Density, heads: &[Head], step: f64) -> Vec<Option<(Point, Point)>> {
    let directions = |places: &[Point]| -> Vec<Option<Point>> {
        let scores = density.scores(places).into_iter().zip(heads);
        scores.map(|((_, score), head)| unit(score, head.way)).collect()
    };
    let starts: Vec<Point> = heads.iter().map(|head| head.at).collect();
    let ahead = |by: f64, slopes: &[Option<Point>]| -> Vec<Point> {
        let moved = |(at, slope): (&Point, &Option<Point>)| match slope {
            Some([x, y]) => [at[0] + by * x, at[1] + by * y],
            None => *at,
        };
        starts.iter().zip(slopes).map(moved).collect()
    };
    let first = directions(&starts);
    let second = directions(&ahead(0.5 * step, &first));
    let third = directions(&ahead(0.5 * step, &second));
    let fourth = directions(&ahead(step, &third));
    let moved = |i: usize| {
        let (a, b, c, d) = (first[i]?, second[i]?, third[i]?, fourth[i]?);
        let along = |axis: usize| (a[axis] + 2.0 * (b[axis] + c[axis]) + d[axis]) / 6.0;
        let at = starts[i];
        let next = [at[0] + step * along(0), at[1] + step * along(1)];
        (dot(a, d) > 0.0).then_some((a, next))
    };
    (0..heads.len()).map(moved).collect()
}

/// The direction of a score, or the opposite one.
fn unit([x, y]: Point, way: f64) -> Option<Point> {
    let length = x.hypot(y);
    let is_direction = length > 0.0 && length.is_finite();
    is_direction.then(|| [way * x / length, way * y / length])
}

fn dot(a: Point, b: Point) -> f64 {
    a[0] * b[0] + a[1] * b[1]
}

/// Few corners, both ends among them.
fn thinned(line: &[Point]) -> Vec<Point> {
    let last = line.len() - 1;
    let is_kept = |i: &usize| i.is_multiple_of(STEPS_PER_CORNER) || *i == last;
    (0..line.len()).filter(is_kept).map(|i| line[i]).collect()
}

/// Where lines are already, by the cells of a grid.
struct Taken {
    corner: Point,
    /// Side of a cell: the largest distance that is asked for.
    side: f64,
    columns: usize,
    rows: usize,
    cells: Vec<Vec<Point>>,
}

impl Taken {
    fn new(bounds: Bounds, side: f64) -> Taken {
        let [width, height] = bounds.size();
        let [columns, rows] =
            [width, height].map(|length| (length / side).clamp(0.0, 1e3) as usize + 1);
        Taken { corner: bounds.min, side, columns, rows, cells: vec![Vec::new(); columns * rows] }
    }

    /// Column and row; what lies outside belongs to the nearest cell.
    fn cell(&self, at: Point) -> [usize; 2] {
        let along = |axis: usize| ((at[axis] - self.corner[axis]) / self.side).max(0.0) as usize;
        [along(0).min(self.columns - 1), along(1).min(self.rows - 1)]
    }

    fn add(&mut self, at: Point) {
        let [column, row] = self.cell(at);
        self.cells[row * self.columns + column].push(at);
    }

    /// True if a line passes nearer than that; no more than the side of a cell.
    fn is_near(&self, at: Point, distance: f64) -> bool {
        let [column, row] = self.cell(at);
        let columns = column.saturating_sub(1)..=(column + 1).min(self.columns - 1);
        let mut rows = row.saturating_sub(1)..=(row + 1).min(self.rows - 1);
        rows.any(|row| {
            let cells = columns.clone().map(|column| &self.cells[row * self.columns + column]);
            cells.flatten().any(|other| (at[0] - other[0]).hypot(at[1] - other[1]) < distance)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::Theme;
    use crate::model::Mixture;

    const BOUNDS: Bounds = Bounds { min: [-3.0, -2.0], max: [3.0, 2.0] };

    fn mixture() -> Mixture {
        let covariances = [[0.5, 0.2, 0.4], [0.2, 0.0, 0.6]];
        Mixture::new(&[0.6, 0.4], &[[-1.0, 0.0], [1.2, 0.5]], &covariances).unwrap()
    }

    #[test]
    fn lines_go_uphill_along_the_score() {
        let mixture = mixture();
        let lines = streamlines(&mixture, BOUNDS, 20);
        assert!((30..400).contains(&lines.len()), "{}", lines.len());
        let mut corner_count = 0;
        for line in &lines {
            for pair in line.windows(2) {
                assert!(mixture.log_density(pair[1]) > mixture.log_density(pair[0]), "{pair:?}");
                let middle = [0, 1].map(|axis| f64::midpoint(pair[0][axis], pair[1][axis]));
                let chord = [pair[1][0] - pair[0][0], pair[1][1] - pair[0][1]];
                let cosine = unit(chord, 1.0).zip(unit(mixture.score(middle), 1.0));
                let cosine = cosine.map_or(0.0, |(a, b)| dot(a, b));
                // Near a mode or saddle a line may bend within a corner.
                corner_count += usize::from(cosine > 0.99);
            }
        }
        let total: usize = lines.iter().map(|line| line.len() - 1).sum();
        assert!(corner_count as f64 > 0.97 * total as f64, "{corner_count} of {total}");
    }

    #[test]
    fn a_lone_gaussian_has_straight_lines_that_end_at_its_mean() {
        let round = Mixture::new(&[1.0], &[[0.1, -0.2]], &[[0.5, 0.0, 0.5]]).unwrap();
        for line in streamlines(&round, BOUNDS, 16) {
            let seen = |at: &Point| unit([0.1 - at[0], -0.2 - at[1]], 1.0);
            let first = seen(&line[0]).unwrap();
            let far = line.iter().filter(|at| (at[0] - 0.1).hypot(at[1] + 0.2) > 0.05);
            assert!(far.filter_map(seen).all(|way| dot(way, first) > 1.0 - 1e-9), "{line:?}");
        }
    }

    #[test]
    fn lines_keep_apart_and_leave_no_gaps() {
        let lines = streamlines(&mixture(), BOUNDS, 20);
        let apart = 6.0 / 20.0;
        let distance = |at: Point, line: &[Point]| {
            line.iter().map(|b| (at[0] - b[0]).hypot(at[1] - b[1])).fold(f64::INFINITY, f64::min)
        };
        for (i, line) in lines.iter().enumerate() {
            for (j, other) in lines.iter().enumerate().filter(|(j, _)| *j != i) {
                for &at in line {
                    assert!(distance(at, other) >= 0.49 * apart, "{i} {j} {at:?}");
                }
            }
        }
        for n in 0..500 {
            let at = seed(BOUNDS, n);
            let nearest = lines.iter().map(|line| distance(at, line)).fold(f64::INFINITY, f64::min);
            assert!(nearest < 1.6 * apart, "{at:?}: {nearest}");
        }
    }

    #[test]
    fn what_has_no_direction_has_no_lines_and_heads_point_uphill() {
        // So far away that it is flat beyond what numbers can say.
        let nowhere = Bounds { min: [0.0; 2], max: [0.0; 2] };
        assert!(streamlines(&mixture(), nowhere, 20).is_empty());
        let layer = layer(&mixture(), BOUNDS, 12, Theme::Dark.palette());
        let mut heads = 0;
        for mark in &layer.marks {
            if let Mark::Arrow { from, to, .. } = mark {
                assert!(mixture().log_density(*to) > mixture().log_density(*from));
                heads += 1;
            }
        }
        assert_eq!(3 * heads, layer.marks.len());
    }
}
