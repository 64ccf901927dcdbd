//! Survey: something computed at every cell of a square, coarse first, in the background.
//!
//! Cells are those of a 256 × 256 grid, whatever the detail, and every level of detail computes all of the level before
//! and as much between: 8², 16², 32² and so on. A cell of a coarse level stands for the block around it. So nothing is
//! computed twice, and a finer survey goes on where a coarser one has ended.

use std::collections::BTreeMap;

use super::crew::Crew;
use crate::model::{Bounds, Point};

/// Cells from one side of the square to the other in the finest level.
pub const FINEST: usize = 256;

/// The levels of detail, in cells from one side to the other.
pub const LEVELS: [usize; 6] = [8, 16, 32, 64, 128, 256];

/// A cell of the finest level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Cell {
    /// From the left.
    pub column: u16,
    /// From the bottom.
    pub row: u16,
}

impl Cell {
    /// Its center, where the square has these bounds.
    #[must_use]
    pub fn place(self, square: Bounds) -> Point {
        let [width, height] = square.size();
        let along = |index: u16, from: f64, size: f64| {
            from + (f64::from(index) + 0.5) / FINEST as f64 * size
        };
        [along(self.column, square.min[0], width), along(self.row, square.min[1], height)]
    }

    /// The cell at a place; `None` outside the square.
    #[must_use]
    pub fn at(place: Point, square: Bounds) -> Option<Cell> {
        let size = square.size();
        let index = |axis: usize| {
            let share = (place[axis] - square.min[axis]) / size[axis];
            let is_inside = (0.0..1.0).contains(&share);
            is_inside.then(|| ((share * FINEST as f64) as usize).min(FINEST - 1) as u16)
        };
        Some(Cell { column: index(0)?, row: index(1)? })
    }

    fn index(self) -> usize {
        usize::from(self.row) * FINEST + usize::from(self.column)
    }
}

/// The square around these bounds, with a little room.
#[must_use]
pub fn square_around(bounds: Bounds) -> Bounds {
    let bounds = bounds.with_margin(0.08);
    let (center, size) = (bounds.center(), bounds.size());
    let half = 0.5 * size[0].max(size[1]);
    Bounds { min: center.map(|v| v - half), max: center.map(|v| v + half) }
}

/// The largest square in the middle of these bounds.
#[must_use]
pub fn square_within(bounds: Bounds) -> Bounds {
    let (center, size) = (bounds.center(), bounds.size());
    let half = 0.5 * size[0].min(size[1]);
    Bounds { min: center.map(|v| v - half), max: center.map(|v| v + half) }
}

/// A path keeps this share of its extent as room around it.
const ROOM: f64 = 0.3;

/// A rectangle around a path. Both sides have a length of their own: a path goes much further along its first direction.
#[must_use]
pub fn around_path(places: &[Point]) -> Bounds {
    let bounds = Bounds::around(places).unwrap_or(Bounds { min: [-1.0; 2], max: [1.0; 2] });
    let size = bounds.size();
    let longer = size[0].max(size[1]);
    let room = size.map(|side| ROOM * side.max(0.2 * longer).max(f64::MIN_POSITIVE.sqrt()));
    let corner = |from: Point, sign: f64| [0, 1].map(|axis| from[axis] + sign * room[axis]);
    Bounds { min: corner(bounds.min, -1.0), max: corner(bounds.max, 1.0) }
}

/// Which of the cells of a block is computed for it. Near its middle, and for the blocks within it the same one: bits
/// 1, 0, 1, 0 and so on.
fn offset(stride: usize) -> usize {
    0b0101_0101 % stride
}

/// All cells in the order of a survey: every level of detail up to this one begins with the level before. Less detail
/// gives the first of the same cells.
pub fn order(detail: usize) -> impl Iterator<Item = Cell> {
    LEVELS.into_iter().enumerate().filter(move |(_, level)| *level <= detail).flat_map(
        |(i, level)| {
            let stride = FINEST / level;
            let cells = (0..level * level).map(move |n| {
                let along = |index: usize| (index * stride + offset(stride)) as u16;
                // From the top, as one reads.
                Cell { column: along(n % level), row: along(level - 1 - n / level) }
            });
            let is_of_before = move |cell: &Cell| {
                let is_on = |index: u16| usize::from(index) % (2 * stride) == offset(2 * stride);
                i > 0 && is_on(cell.column) && is_on(cell.row)
            };
            cells.filter(move |cell| !is_of_before(cell))
        },
    )
}

/// What is known of a square so far. It knows the first cells of [`order`].
#[derive(Debug, Clone)]
pub struct Chart<T> {
    cells: Vec<Option<T>>,
    count: usize,
}

impl<T> Default for Chart<T> {
    fn default() -> Chart<T> {
        Chart { cells: (0..FINEST * FINEST).map(|_| None).collect(), count: 0 }
    }
}

impl<T> Chart<T> {
    /// Takes in the value of the next cell.
    pub fn push(&mut self, cell: Cell, value: T) {
        self.cells[cell.index()] = Some(value);
        self.count += 1;
    }

    /// How many cells are known.
    #[must_use]
    pub fn count(&self) -> usize {
        self.count
    }

    /// The value of a cell, where it is known.
    #[must_use]
    pub fn get(&self, cell: Cell) -> Option<&T> {
        self.cells[cell.index()].as_ref()
    }

    /// The known cell that stands for this one: itself, or that of the smallest block around it.
    #[must_use]
    pub fn nearest(&self, cell: Cell) -> Option<(Cell, &T)> {
        LEVELS.iter().rev().find_map(|level| {
            let stride = FINEST / level;
            let of_block =
                |index: u16| (usize::from(index) / stride * stride + offset(stride)) as u16;
            let known = Cell { column: of_block(cell.column), row: of_block(cell.row) };
            Some((known, self.get(known)?))
        })
    }

    /// All that is known.
    pub fn values(&self) -> impl Iterator<Item = &T> {
        self.cells.iter().flatten()
    }

    /// All cells that are known, with their values, row after row from the bottom.
    pub fn known(&self) -> impl Iterator<Item = (Cell, &T)> {
        self.cells.iter().enumerate().filter_map(|(i, value)| {
            let cell = Cell { column: (i % FINEST) as u16, row: (i / FINEST) as u16 };
            Some((cell, value.as_ref()?))
        })
    }
}

/// Cells on their way. Dropping it ends each of them as soon as it asks whether it is wanted.
pub struct Survey<T> {
    crew: Crew<T>,
    cells: Vec<Cell>,
    /// How many were passed on.
    passed: usize,
    /// Those that came before an earlier one.
    early: BTreeMap<usize, T>,
}

impl<T: Send + 'static> Survey<T> {
    /// Begins to compute the cells of this detail in the background, on so many threads, all but the first `known` ones.
    /// `value` is given a cell and a way to ask whether it is still wanted, to which it answers with `None` once it is
    /// not. `wake` is called after every cell.
    ///
    /// # Errors
    /// An I/O error if the system gives no threads.
    pub fn spawn(
        known: usize,
        detail: usize,
        thread_count: usize,
        value: impl Fn(Cell, &dyn Fn() -> bool) -> Result<Option<T>, String> + Send + Sync + 'static,
        wake: impl Fn() + Clone + Send + 'static,
    ) -> std::io::Result<Survey<T>> {
        let cells: Vec<Cell> = order(detail).skip(known).collect();
        let theirs = cells.clone();
        let work =
            move |number: usize, is_wanted: &dyn Fn() -> bool| value(theirs[number], is_wanted);
        let crew = Crew::spawn(cells.len(), thread_count, work, wake)?;
        Ok(Survey { crew, cells, passed: 0, early: BTreeMap::new() })
    }

    /// What arrived since the last call, always in the [`order`] of cells, so that what is made of it one by one does
    /// not depend on the machine either. An error says why nothing more will come.
    pub fn drain(&mut self) -> Vec<Result<(Cell, T), String>> {
        let arrived: Vec<_> = self.crew.drain().collect();
        self.in_order(arrived)
    }

    /// All that is still to come; waits for it.
    pub fn wait(&mut self) -> Vec<Result<(Cell, T), String>> {
        let arrived: Vec<_> = self.crew.wait().collect();
        self.in_order(arrived)
    }

    fn in_order(
        &mut self,
        arrived: Vec<Result<(usize, T), String>>,
    ) -> Vec<Result<(Cell, T), String>> {
        let mut passed_on = Vec::new();
        for result in arrived {
            match result {
                Ok((number, value)) => {
                    self.early.insert(number, value);
                }
                Err(message) => passed_on.push(Err(message)),
            }
            while let Some(value) = self.early.remove(&self.passed) {
                passed_on.push(Ok((self.cells[self.passed], value)));
                self.passed += 1;
            }
        }
        passed_on
    }

    /// True once every cell has been passed on.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.passed == self.cells.len()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_level_holds_the_one_before_and_stands_for_all_of_the_square() {
        let all: Vec<Cell> = order(FINEST).collect();
        assert_eq!(all.len(), FINEST * FINEST);
        assert_eq!(all.iter().collect::<HashSet<_>>().len(), all.len(), "none twice");
        let mut chart = Chart::default();
        for level in LEVELS {
            let count = level * level;
            assert!(order(level).eq(all[..count].iter().copied()), "{level}");
            for &cell in &all[chart.count()..count] {
                chart.push(cell, cell);
            }
            let stride = FINEST / level;
            for &cell in all.iter().step_by(7) {
                let (known, &value) = chart.nearest(cell).unwrap();
                assert_eq!(known, value);
                let block = |index: u16| usize::from(index) / stride;
                assert_eq!(
                    [block(known.column), block(known.row)],
                    [block(cell.column), block(cell.row)]
                );
                // Near the middle of the block: never more than a quarter of it away.
                let middle = |index: u16| (block(index) as f64 + 0.5) * stride as f64;
                let away = f64::from(known.column) + 0.5 - middle(known.column);
                assert!(away.abs() <= 0.25 * stride as f64, "{level}: {away}");
            }
        }
        assert_eq!(chart.values().count(), FINEST * FINEST);
    }

    #[test]
    fn a_cell_is_where_its_center_is() {
        let square = Bounds { min: [-3.0, 10.0], max: [1.0, 14.0] };
        for cell in order(32) {
            assert_eq!(Cell::at(cell.place(square), square), Some(cell));
        }
        assert_eq!(Cell::at([1.5, 12.0], square), None);
        assert_eq!(Cell::at([f64::NAN, 12.0], square), None);
        let corner = Cell { column: 0, row: 0 };
        assert_eq!(corner.place(square), [-3.0 + 2.0 / 256.0, 10.0 + 2.0 / 256.0]);
    }

    #[test]
    fn cells_arrive_in_order_whatever_the_number_of_threads_and_go_on_where_they_ended() {
        // The first of them take the longest, so that others overtake them.
        let value = |cell: Cell, _: &dyn Fn() -> bool| {
            if cell.row > 200 {
                std::thread::sleep(std::time::Duration::from_millis(2));
            }
            Ok(Some(cell))
        };
        for threads in [1, 3] {
            let mut survey = Survey::spawn(0, 16, threads, value, || ()).unwrap();
            let cells: Vec<_> = survey.wait().into_iter().map(Result::unwrap).collect();
            assert!(survey.is_done());
            assert!(order(16).map(|cell| (cell, cell)).eq(cells), "{threads} threads");
            let mut rest = Survey::spawn(100, 16, threads, value, || ()).unwrap();
            let cells: Vec<_> = rest.wait().into_iter().map(|result| result.unwrap().0).collect();
            assert!(order(16).skip(100).eq(cells), "{threads} threads");
        }
    }
}
