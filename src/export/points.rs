//! Points as CSV and NPY.

use std::fmt::Write;

use npyz::WriterBuilder;

use super::ExportError;
use crate::model::Point;

/// A header `x1,x2` and one row a point. Reading it gives the same numbers to the last bit.
#[must_use]
pub fn csv(points: &[Point]) -> String {
    // Seventeen digits, a point and a sign are the most that most numbers have.
    let mut text = String::with_capacity(6 + 40 * points.len());
    text.push_str("x1,x2\n");
    for [x1, x2] in points {
        // Writing to a `String` cannot fail.
        let _ = writeln!(text, "{x1:?},{x2:?}");
    }
    text
}

/// A `NumPy` array of f64. Shape: points × 2.
///
/// # Errors
/// [`ExportError::Encoding`] if the library refuses.
pub fn npy(points: &[Point]) -> Result<Vec<u8>, ExportError> {
    let mut bytes = Vec::new();
    write_npy(points, &mut bytes)
        .map_err(|error| ExportError::Encoding { what: "NPY file", reason: error.to_string() })?;
    Ok(bytes)
}

fn write_npy(points: &[Point], bytes: &mut Vec<u8>) -> std::io::Result<()> {
    let options = npyz::WriteOptions::new().default_dtype().shape(&[points.len() as u64, 2]);
    let mut writer = options.writer(bytes).begin_nd()?;
    writer.extend(points.iter().flatten())?;
    writer.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    const POINTS: [Point; 4] =
        [[0.1, -2.0], [1.0 / 3.0, 5e-324], [f64::MAX, f64::MIN_POSITIVE], [-0.0, 1e21]];

    /// −0.0 and 0.0 are equal, their bits are not.
    fn bits(points: &[Point]) -> Vec<[u64; 2]> {
        points.iter().map(|p| p.map(f64::to_bits)).collect()
    }

    #[test]
    fn csv_keeps_every_bit() {
        let text = csv(&POINTS);
        assert!(text.starts_with("x1,x2\n0.1,-2.0\n0.3333333333333333,5e-324\n"), "{text}");
        let mut reader = ::csv::Reader::from_reader(text.as_bytes());
        let back: Vec<Point> = reader.deserialize().map(Result::unwrap).collect();
        assert_eq!(bits(&back), bits(&POINTS));
    }

    #[test]
    fn npy_keeps_every_bit_and_the_shape() {
        for points in [&POINTS[..], &[]] {
            let bytes = npy(points).unwrap();
            let file = npyz::NpyFile::new(&bytes[..]).unwrap();
            assert_eq!(file.shape(), [points.len() as u64, 2]);
            assert_eq!(file.order(), npyz::Order::C);
            let flat: Vec<f64> = file.into_vec().unwrap();
            let (back, _) = flat.as_chunks::<2>();
            assert_eq!(bits(back), bits(points));
        }
    }
}
