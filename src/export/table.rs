//! Columns of numbers as CSV: training curves, benchmarks.

use std::fmt::Write as _;
use std::io;

use super::ExportError;

/// Writes a header and rows of numbers; a number that is not there (NaN) becomes an empty field. Shape of `rows`: any
/// number × columns; they may be made as they are written, so that a large table is never in memory.
///
/// # Errors
/// What `out` refuses, or if a row is not as long as the header.
pub fn write<R: AsRef<[f64]>>(
    out: impl io::Write,
    header: &[&str],
    rows: impl IntoIterator<Item = R>,
) -> io::Result<()> {
    let mut writer = ::csv::Writer::from_writer(out);
    writer.write_record(header).map_err(plain)?;
    let mut field = String::new();
    for row in rows {
        for v in row.as_ref() {
            field.clear();
            // Shortest digits that read back as the same number; whole numbers without a point.
            if !v.is_nan() {
                let _ = write!(field, "{v:?}");
            }
            let text = field.strip_suffix(".0").unwrap_or(&field);
            writer.write_field(text).map_err(plain)?;
        }
        writer.write_record(None::<&[u8]>).map_err(plain)?;
    }
    writer.flush()
}

/// What the system said, as it said it: who writes may want to know its kind.
fn plain(error: ::csv::Error) -> io::Error {
    match error.into_kind() {
        ::csv::ErrorKind::Io(error) => error,
        ::csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            io::Error::other(format!("a row has {len} numbers instead of {expected_len}"))
        }
        other => io::Error::other(format!("{other:?}")),
    }
}

/// The same as text, for small tables.
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
    let mut bytes = Vec::new();
    write(&mut bytes, header, rows).map_err(|error| encoding(&error))?;
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
        let error = csv(&["step", "loss"], [[1.0]]).unwrap_err().to_string();
        assert!(error.ends_with("a row has 1 numbers instead of 2"), "{error}");
    }

    /// Remembers how many bytes came, and the most that came at once; refuses more than it may take.
    struct Sink {
        taken: usize,
        most_at_once: usize,
        room: usize,
    }

    impl io::Write for Sink {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            if self.taken + bytes.len() > self.room {
                return Err(io::ErrorKind::BrokenPipe.into());
            }
            self.taken += bytes.len();
            self.most_at_once = self.most_at_once.max(bytes.len());
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_large_table_goes_out_as_it_is_made_and_stops_where_nobody_reads() {
        let made = std::cell::Cell::new(0);
        let row = |i| {
            made.set(made.get() + 1);
            [f64::from(i), 0.25]
        };
        let rows = || (0..100_000).map(row);
        let mut sink = Sink { taken: 0, most_at_once: 0, room: usize::MAX };
        write(&mut sink, &["a", "b"], rows()).unwrap();
        assert!(sink.taken > 1_000_000 && sink.most_at_once < 100_000, "{}", sink.most_at_once);
        let mut sink = Sink { taken: 0, most_at_once: 0, room: 20_000 };
        let error = write(&mut sink, &["a", "b"], rows()).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
        assert!(made.get() < 110_000, "{made:?}");
    }
}
