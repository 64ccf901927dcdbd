//! Columns of numbers as CSV: training curves, benchmarks.

use std::fmt::Write;

use super::ExportError;

/// A header and rows of numbers; a number that is not there (NaN) becomes an empty field. Shape of `rows`: any
/// number × columns; they may be made as they are written.
///
/// # Errors
/// [`ExportError::Encoding`] if a row is not as long as the header.
pub fn csv<R: AsRef<[f64]>>(
    header: &[&str],
    rows: impl IntoIterator<Item = R>,
) -> Result<String, ExportError> {
    let encoding = |error: &dyn std::fmt::Display| ExportError::Encoding {
        what: "table",
        reason: error.to_string(),
    };
    let mut writer = ::csv::Writer::from_writer(Vec::new());
    writer.write_record(header).map_err(|error| encoding(&error))?;
    let mut field = String::new();
    for row in rows {
        for v in row.as_ref() {
            field.clear();
            // Shortest digits that read back as the same number; whole numbers without a point.
            if !v.is_nan() {
                let _ = write!(field, "{v:?}");
            }
            let text = field.strip_suffix(".0").unwrap_or(&field);
            writer.write_field(text).map_err(|error| encoding(&error))?;
        }
        writer.write_record(None::<&[u8]>).map_err(|error| encoding(&error))?;
    }
    let bytes = writer.into_inner().map_err(|error| encoding(&error))?;
    String::from_utf8(bytes).map_err(|error| encoding(&error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_can_be_read_back() {
        let rows = vec![vec![0.0, 1.0 / 3.0], vec![1.0, f64::NAN], vec![2.0, 1e-300]];
        let text = csv(&["step", "NLL, training"], &rows).unwrap();
        assert_eq!(text, "step,\"NLL, training\"\n0,0.3333333333333333\n1,\n2,1e-300\n");
        let mut reader = ::csv::Reader::from_reader(text.as_bytes());
        let back: Vec<Vec<Option<f64>>> = reader.deserialize().map(Result::unwrap).collect();
        assert_eq!(back[0], [Some(0.0), Some(1.0 / 3.0)]);
        assert_eq!(back[1], [Some(1.0), None]);
    }

    #[test]
    fn rows_must_fit_the_header() {
        assert!(csv(&["step", "loss"], [[1.0]]).is_err());
    }
}
