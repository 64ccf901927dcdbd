//! Generator: the dark squares of a checkerboard on [−4, 4]².

use std::sync::Arc;

use rand::RngExt;

use super::{Generator, noisy};
use crate::model::Point;
use crate::model::known::Boxes;
use crate::random::Rng;
use crate::settings::{Kind, Setting, Settings};

/// The checkerboard.
pub static INFO: Generator = Generator {
    id: "board",
    label: "Checkerboard",
    help: "Points spread evenly over the dark squares of a board: sharp edges, and no Gaussian anywhere.",
    settings: &[&SQUARES, &NOISE],
    generate,
    density: Some(|settings| Some(Arc::new(blurred_squares(settings)))),
};

static SQUARES: Setting = Setting {
    key: "squares",
    label: "Squares per side",
    help: "How many squares the board has in each direction; its side is always 8.",
    kind: Kind::Integer { default: 4, min: 1, max: 16 },
    is_live: false,
};

static NOISE: Setting = Setting {
    key: "noise",
    label: "Noise",
    help: "Standard deviation of the noise that blurs the edges.",
    kind: Kind::Number { default: 0.0, min: 0.0, max: 1.0, is_logarithmic: false },
    is_live: false,
};

const HALF_SIDE: f64 = 4.0;

fn generate(settings: &Settings, count: usize, rng: &mut Rng) -> Vec<Point> {
    let (squares, noise) = (settings.integer(&SQUARES), settings.number(&NOISE));
    (0..count).map(|_| noisy(on_dark_square(squares, rng), noise, rng)).collect()
}

/// A point on a dark square; the lower left one is dark, as on a chessboard.
fn on_dark_square(squares: usize, rng: &mut Rng) -> Point {
    loop {
        let [column, row] = [0; 2].map(|_: i32| rng.random_range(0..squares));
        if (column + row) % 2 == 0 {
            let side = 2.0 * HALF_SIDE / squares as f64;
            return [column, row].map(|i| (i as f64 + rng.random::<f64>()) * side - HALF_SIDE);
        }
    }
}

fn blurred_squares(settings: &Settings) -> Boxes {
    let (squares, noise) = (settings.integer(&SQUARES), settings.number(&NOISE));
    let side = 2.0 * HALF_SIDE / squares as f64;
    let dark: Vec<Point> = (0..squares * squares)
        .map(|i| [i % squares, i / squares])
        .filter(|[column, row]| (column + row) % 2 == 0)
        .map(|at| at.map(|i| (i as f64 + 0.5) * side - HALF_SIDE))
        .collect();
    let share = 1.0 / dark.len() as f64;
    let boxes = dark.into_iter().map(|center| (center, share)).collect();
    Boxes::new(boxes, [side; 2], [noise; 2])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Purpose, generator};

    #[test]
    fn only_dark_squares_are_filled() {
        let some = generate(&Settings::default(), 8000, &mut generator(0, Purpose::Data));
        let mut counts = [[0_i32; 4]; 4];
        for point in some {
            let [column, row] = point.map(|v| (v / 2.0 + 2.0) as usize);
            counts[row][column] += 1;
        }
        for (row, counts) in counts.iter().enumerate() {
            for (column, &count) in counts.iter().enumerate() {
                // 1000 expected, standard deviation 30.
                let expected = if (row + column) % 2 == 0 { 1000 } else { 0 };
                assert!((count - expected).abs() < 150, "row {row}, column {column}: {count}");
            }
        }
    }
}
