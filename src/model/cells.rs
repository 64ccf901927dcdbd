//! Cells: the plane cut into rectangles, finer where a density has finer features.

use super::Bounds;

/// How often a rectangle is cut in two at most: 2⁴⁰ to 1 is the quotient of the largest scale and the smallest.
const MAX_DEPTH: u32 = 40;

/// Cuts a rectangle until no cell is larger than what every feature in it allows; leaves out cells without features.
///
/// `allowed` says how wide and high a cell may be where it meets a feature, or `None` where it does not.
pub(super) fn fitted<F>(
    bounds: Bounds,
    features: &[F],
    allowed: impl Fn(&F, &Bounds) -> Option<[f64; 2]>,
) -> Vec<Bounds> {
    let mut cells = Vec::new();
    cut(bounds, features.iter().collect(), &allowed, MAX_DEPTH, &mut cells);
    cells
}

fn cut<F>(
    cell: Bounds,
    mut features: Vec<&F>,
    allowed: &impl Fn(&F, &Bounds) -> Option<[f64; 2]>,
    depth: u32,
    cells: &mut Vec<Bounds>,
) {
    let mut side = [f64::INFINITY; 2];
    features.retain(|feature| {
        let Some(allowed) = allowed(feature, &cell) else { return false };
        side = [side[0].min(allowed[0]), side[1].min(allowed[1])];
        true
    });
    if features.is_empty() {
        return;
    }
    let size = cell.size();
    let excess = [size[0] / side[0], size[1] / side[1]];
    if depth == 0 || excess[0].max(excess[1]) <= 1.0 {
        cells.push(cell);
        return;
    }
    let [lower, upper] = cell.halves(usize::from(excess[1] > excess[0]));
    cut(lower, features.clone(), allowed, depth - 1, cells);
    cut(upper, features, allowed, depth - 1, cells);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_as_small_as_what_they_meet_and_do_not_overlap() {
        let bounds = Bounds { min: [-4.0, -4.0], max: [12.0, 4.0] };
        // Two squares: a cell that meets one may be as large as its number.
        let features = [([0.0, 0.0], 1.0), ([5.0, 1.0], 0.25)];
        let meets = |&(corner, side): &([f64; 2], f64), cell: &Bounds| {
            let is_inside =
                (0..2).all(|a| cell.max[a] > corner[a] && cell.min[a] < corner[a] + 2.0);
            is_inside.then_some([side, 2.0 * side])
        };
        let cells = fitted(bounds, &features, meets);
        let mut area = 0.0;
        for (i, cell) in cells.iter().enumerate() {
            let [width, height] = cell.size();
            area += width * height;
            let met: Vec<_> = features.iter().filter_map(|f| meets(f, cell)).collect();
            assert!(!met.is_empty(), "{cell:?}");
            assert!(met.iter().all(|side| width <= side[0] && height <= side[1]), "{cell:?}");
            for other in &cells[..i] {
                let apart =
                    (0..2).any(|a| cell.min[a] >= other.max[a] || cell.max[a] <= other.min[a]);
                assert!(apart, "{cell:?} {other:?}");
            }
        }
        // Both squares lie on the lines of the cells.
        assert_eq!(area, 8.0);
        assert!(fitted::<([f64; 2], f64)>(bounds, &[], meets).is_empty());
    }
}
