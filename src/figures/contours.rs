//! Contours: the lines on which a field on a grid has a given value.

use std::collections::BTreeMap;

use crate::model::Point;

/// A field on a grid.
#[derive(Debug, Clone, PartialEq)]
pub struct Grid {
    /// Where the columns are, from left to right.
    pub xs: Vec<f64>,
    /// Where the rows are, from the bottom.
    pub ys: Vec<f64>,
    /// Row after row, the lowest first. Length: columns × rows.
    pub values: Vec<f64>,
}

/// An edge of the grid: from this node to the right (0) or upwards (1).
type Edge = (usize, usize);

impl Grid {
    fn point(&self, node: usize) -> Point {
        [self.xs[node % self.xs.len()], self.ys[node / self.xs.len()]]
    }

    /// Where along an edge the field has this value, by linear interpolation.
    fn crossing(&self, (node, direction): Edge, level: f64) -> Point {
        let other = node + if direction == 0 { 1 } else { self.xs.len() };
        let (a, b) = (self.values[node], self.values[other]);
        let share = (level - a) / (b - a);
        let ([ax, ay], [bx, by]) = (self.point(node), self.point(other));
        [ax + share * (bx - ax), ay + share * (by - ay)]
    }

    /// The pieces of a contour in the square above and to the right of a node, each from an edge to another.
    ///
    /// Marching squares (Lorensen and Cline 1987, in two dimensions). Where two opposite corners lie above the level, the
    /// mean of all four decides which of them are connected.
    fn pieces(&self, node: usize, level: f64) -> Vec<[Edge; 2]> {
        let width = self.xs.len();
        let corners = [node, node + 1, node + width + 1, node + width].map(|i| self.values[i]);
        if corners.iter().any(|value| !value.is_finite()) {
            return Vec::new();
        }
        // Counterclockwise, the edge after each corner.
        let edges = [(node, 0), (node + 1, 1), (node + width, 0), (node, 1)];
        let above = corners.map(|value| value > level);
        let crossed: Vec<Edge> =
            (0..4).filter(|&i| above[i] != above[(i + 1) % 4]).map(|i| edges[i]).collect();
        match *crossed {
            [a, b] => vec![[a, b]],
            [a, b, c, d] => {
                let is_high = corners.iter().sum::<f64>() / 4.0 > level;
                // Edges `a` and `d` meet at the first corner, which is cut off unless it is like the middle.
                if is_high == above[0] { vec![[a, b], [c, d]] } else { vec![[d, a], [b, c]] }
            }
            _ => Vec::new(),
        }
    }

    /// The lines on which the field has this value: closed ones end where they begin, others at the edge of the grid or
    /// of what is finite.
    #[must_use]
    pub fn contours(&self, level: f64) -> Vec<Vec<Point>> {
        let (width, height) = (self.xs.len(), self.ys.len());
        let mut neighbors: BTreeMap<Edge, Vec<Edge>> = BTreeMap::new();
        for row in 1..height {
            for column in 1..width {
                for [a, b] in self.pieces((row - 1) * width + column - 1, level) {
                    neighbors.entry(a).or_default().push(b);
                    neighbors.entry(b).or_default().push(a);
                }
            }
        }
        let mut lines = Vec::new();
        // Open lines first, from their ends; what remains is closed.
        let ends = neighbors.iter().filter(|(_, others)| others.len() == 1).map(|(edge, _)| *edge);
        let starts: Vec<Edge> = ends.chain(neighbors.keys().copied()).collect();
        for start in starts {
            let mut edges = vec![start];
            let mut last = start;
            while let Some(next) = neighbors.get_mut(&last).and_then(Vec::pop) {
                if let Some(back) = neighbors.get_mut(&next)
                    && let Some(i) = back.iter().position(|edge| *edge == last)
                {
                    back.swap_remove(i);
                }
                edges.push(next);
                last = next;
            }
            if edges.len() > 1 {
                lines.push(edges.into_iter().map(|edge| self.crossing(edge, level)).collect());
            }
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grid(count: usize, field: impl Fn(f64, f64) -> f64) -> Grid {
        let at: Vec<f64> = (0..count).map(|i| -2.0 + 4.0 * i as f64 / (count - 1) as f64).collect();
        let values = at.iter().flat_map(|&y| at.iter().map(move |&x| (x, y)));
        let values = values.map(|(x, y)| field(x, y)).collect();
        Grid { xs: at.clone(), ys: at, values }
    }

    #[test]
    fn a_bowl_has_circles_of_the_right_length() {
        let grid = grid(81, |x, y| x * x + y * y);
        for radius in [0.5_f64, 1.0, 1.7] {
            let lines = grid.contours(radius * radius);
            let [line] = &*lines else { panic!("{} lines", lines.len()) };
            assert_eq!(line.first(), line.last(), "closed");
            for [x, y] in line {
                assert!((x.hypot(*y) - radius).abs() < 1e-3, "{x} {y}");
            }
            let length: f64 =
                line.windows(2).map(|p| (p[1][0] - p[0][0]).hypot(p[1][1] - p[0][1])).sum();
            assert!((length / (std::f64::consts::TAU * radius) - 1.0).abs() < 2e-3, "{length}");
        }
        assert!(grid.contours(100.0).is_empty());
    }

    #[test]
    fn a_saddle_has_two_branches_that_do_not_cross() {
        let grid = grid(40, |x, y| x * y);
        for (level, sign) in [(0.01, 1.0), (-0.01, -1.0)] {
            let lines = grid.contours(level);
            assert_eq!(lines.len(), 2, "{level}");
            for line in lines {
                // Within one quadrant and a half of its cell, from edge to edge.
                assert!(line.iter().all(|[x, y]| x * y * sign > -0.02), "{line:?}");
                let [a, b] = [line[0], line[line.len() - 1]];
                let is_at_edge = |p: Point| p.iter().any(|v| v.abs() > 1.999);
                assert!(is_at_edge(a) && is_at_edge(b));
            }
        }
        // Four nodes, opposite corners high: the mean decides.
        let four = |corner: f64| Grid {
            xs: vec![0.0, 1.0],
            ys: vec![0.0, 1.0],
            values: vec![corner, 0.0, 0.0, corner],
        };
        for corner in [1.2, 3.0] {
            let lines = four(corner).contours(1.0);
            assert_eq!(lines.len(), 2);
            let is_high = corner / 2.0 > 1.0;
            for line in lines {
                // Around the low corners if the high ones are connected.
                let [x, y] = [0, 1].map(|axis| f64::midpoint(line[0][axis], line[1][axis]));
                assert_eq!((x - 0.5) * (y - 0.5) < 0.0, is_high, "{corner}: {line:?}");
            }
        }
    }

    #[test]
    fn what_is_not_finite_is_left_out() {
        let grid = grid(41, |x, y| if x > 0.5 { f64::NAN } else { x * x + y * y });
        let lines = grid.contours(1.0);
        assert_eq!(lines.len(), 1);
        assert!(lines[0].iter().flatten().all(|v| v.is_finite()));
        assert!(lines[0].iter().all(|p| p[0] <= 0.5));
        let empty = Grid { xs: vec![], ys: vec![], values: vec![] };
        assert!(empty.contours(1.0).is_empty());
    }
}
