//! Principal directions: along which a cloud of vectors varies most.

/// Most rounds of the iteration below.
const MAX_ROUNDS: usize = 300;

/// The two directions of largest variance of centered rows, and their shares of all of it; the first one points from
/// the first row to the last. `None` without two directions.
///
/// Subspace iteration: two vectors are multiplied by `XᵀX` and made orthonormal until they stay, then turned so that their
/// own 2 × 2 matrix is diagonal (Golub and Van Loan 2013, section 8.2.4).
#[must_use]
pub fn principal_directions(rows: &[Vec<f64>]) -> Option<([Vec<f64>; 2], [f64; 2])> {
    let all: f64 = rows.iter().map(|row| dot(row, row)).sum();
    // Starts that no main direction is at right angles to, but for bad luck: the longest rows.
    let first = rows.iter().max_by(|a, b| dot(a, a).total_cmp(&dot(b, b)))?;
    let mut a = normalized(first.clone(), all)?;
    let rest = |row: &Vec<f64>| without(row.clone(), &a);
    let rests = rows.iter().map(rest).max_by(|a, b| dot(a, a).total_cmp(&dot(b, b)))?;
    let mut b = normalized(rests, all)?;
    for _ in 0..MAX_ROUNDS {
        let next_a = normalized(squared_times(rows, &a), 0.0)?;
        let next_b = normalized(without(squared_times(rows, &b), &next_a), 0.0)?;
        let stayed = dot(&a, &next_a).abs().min(dot(&b, &next_b).abs());
        (a, b) = (next_a, next_b);
        if stayed > 1.0 - 1e-14 {
            break;
        }
    }
    let (along_a, along_b) = (squared_times(rows, &a), squared_times(rows, &b));
    let [aa, ab, bb] = [dot(&a, &along_a), dot(&a, &along_b), dot(&b, &along_b)];
    // The rotation that makes [aa, ab; ab, bb] diagonal, the larger entry first.
    let (sin, cos) = (0.5 * (2.0 * ab).atan2(aa - bb)).sin_cos();
    let turned =
        |x: f64, y: f64| -> Vec<f64> { a.iter().zip(&b).map(|(a, b)| x * a + y * b).collect() };
    let mut directions = [turned(cos, sin), turned(-sin, cos)];
    let shares = [
        (cos * cos * aa + 2.0 * sin * cos * ab + sin * sin * bb) / all,
        (sin * sin * aa - 2.0 * sin * cos * ab + cos * cos * bb) / all,
    ];
    let (start, end) = (rows.first()?, rows.last()?);
    for direction in &mut directions {
        if dot(direction, end) < dot(direction, start) {
            for v in direction.iter_mut() {
                *v = -*v;
            }
        }
    }
    Some((directions, shares))
}

/// A vector of length one; `None` if it is nothing beside `scale`, a squared length.
fn normalized(mut vector: Vec<f64>, scale: f64) -> Option<Vec<f64>> {
    let square = dot(&vector, &vector);
    // A millionth of the way is rounding and noise, not a direction.
    if !(square > 1e-12 * scale && square > 0.0 && square.is_finite()) {
        return None;
    }
    let length = square.sqrt();
    for v in &mut vector {
        *v /= length;
    }
    Some(vector)
}

/// The vector less its part along a direction.
fn without(mut vector: Vec<f64>, direction: &[f64]) -> Vec<f64> {
    let along = dot(&vector, direction);
    vector.iter_mut().zip(direction).for_each(|(v, d)| *v -= along * d);
    vector
}

/// `XᵀX` v.
fn squared_times(rows: &[Vec<f64>], v: &[f64]) -> Vec<f64> {
    let mut sum = vec![0.0; v.len()];
    for row in rows {
        let along = dot(row, v);
        sum.iter_mut().zip(row).for_each(|(sum, x)| *sum += along * x);
    }
    sum
}

/// The inner product.
pub(super) fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn main_directions_are_those_of_a_path_made_by_hand() {
        // Along e = (3, 4, 0)/5 up to 10, across it along f = (0, 0, 1) up to ±1, and nowhere else.
        let rows: Vec<Vec<f64>> = (-50..=50)
            .map(|i| {
                let (along, across) = (f64::from(i) / 5.0, (f64::from(i) / 8.0).cos());
                vec![0.6 * along, 0.8 * along, across]
            })
            .collect();
        let mean = rows.iter().map(|row| row[2]).sum::<f64>() / 101.0;
        let centered: Vec<Vec<f64>> =
            rows.iter().map(|row| vec![row[0], row[1], row[2] - mean]).collect();
        let (directions, shares) = principal_directions(&centered).unwrap();
        for (got, expected) in directions.iter().zip([[0.6, 0.8, 0.0], [0.0, 0.0, 1.0]]) {
            let along: f64 = got.iter().zip(expected).map(|(a, b)| a * b).sum();
            assert!((along.abs() - 1.0).abs() < 1e-9, "{got:?}");
        }
        assert!(dot(&directions[0], &[0.6, 0.8, 0.0]) > 0.0, "it points to the end");
        let variance =
            |axis: fn(&Vec<f64>) -> f64| centered.iter().map(|r| axis(r).powi(2)).sum::<f64>();
        let across =
            variance(|row| row[2]) / (variance(|r| r[0]) + variance(|r| r[1]) + variance(|r| r[2]));
        assert!((shares[1] - across).abs() < 1e-9, "{shares:?} {across}");
        assert!((shares[0] + shares[1] - 1.0).abs() < 1e-9, "{shares:?}");
        // A straight path has one direction only, and a point none.
        let straight: Vec<Vec<f64>> =
            (-5..=5).map(|i| vec![f64::from(i), 2.0 * f64::from(i)]).collect();
        assert!(principal_directions(&straight).is_none());
        assert!(principal_directions(&[vec![0.0, 0.0]]).is_none());
    }
}
