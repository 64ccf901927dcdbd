//! Format: `NumPy`'s `.npy`, a header in Python's words and then the plain numbers.
//!
//! The header is read here rather than by npyz, which multiplies a shape without looking (a lying header would
//! overflow) and reads nested Python without a limit. See `numpy.lib.format` for the format.

use super::{FormatError, Input, Loaded, Skipped, check_columns, note_on_choice};
use crate::data::memory;
use crate::model::Point;

/// What every `.npy` file begins with.
pub(super) const MAGIC: &[u8] = b"\x93NUMPY";

/// What the header says. Shape: points × columns.
struct Header {
    element: Element,
    is_column_major: bool,
    shape: [usize; 2],
}

/// How one number is stored.
#[derive(Debug, Clone, Copy)]
struct Element {
    kind: Kind,
    size: usize,
    is_big_endian: bool,
}

/// What kind of number.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Float,
    Signed,
    Unsigned,
}

/// Memory that a column costs at most, for its name.
const BYTES_PER_COLUMN: u64 = 64;

/// Points from an array; `head` is what has been read of it already.
pub(super) fn read(
    input: &mut Input<'_, '_>,
    mut head: Vec<u8>,
    columns: Option<[usize; 2]>,
) -> Result<Loaded, FormatError> {
    let name = input.name;
    let refuse = |problem| FormatError::Npy { name: name.to_owned(), problem };
    let (header, data) = split(&head)
        .ok_or_else(|| refuse("this is not an .npy array, or only a part of one".to_owned()))
        .and_then(|(text, data)| Ok((read_header(text).map_err(refuse)?, data)))?;
    let Header { element, shape: [rows, width], .. } = header;
    let chosen = columns.unwrap_or([0, 1]);
    check_columns(name, width, chosen)?;
    let promised = rows.checked_mul(width).and_then(|count| count.checked_mul(element.size));
    let data_begins = head.len() - data.len();
    let following = input.size - data_begins as u64;
    // Before anything is allocated: a header may promise more than there is.
    if promised.is_none_or(|promised| promised as u64 > following) {
        return Err(refuse(format!(
            "its header promises {rows} × {width} numbers of {} bytes, but only {following} bytes follow: save or copy the file again",
            element.size,
        )));
    }
    // The points, the names of the columns, and a whole row while it is read.
    let needed = memory::of_points(rows as u64)
        .saturating_add((width as u64).saturating_mul(BYTES_PER_COLUMN + element.size as u64));
    let what = || format!("{rows} × {width} numbers");
    input.afford(needed, what, "save a part of the rows, or two columns only")?;

    head.drain(..data_begins);
    let mut points = if header.is_column_major {
        by_columns(input, head, &header, chosen)?
    } else {
        by_rows(input, head, &header, chosen)?
    };
    let skipped = keep_finite(&mut points, chosen);
    let names: Vec<String> = (1..=width).map(|i| format!("column {i}")).collect();
    let mut notes = Vec::new();
    notes.extend(skipped.note(name, points.len())?);
    if columns.is_none() {
        notes.extend(note_on_choice(name, &names, chosen));
        if rows == 2 && width > 2 {
            notes
                .push(format!("{name} has 2 rows: if it holds {width} points, save its transpose"));
        }
    }
    Ok(Loaded { points, columns: names, chosen, notes })
}

/// Points whose numbers are stored row after row; `data` is the beginning of them.
fn by_rows(
    input: &mut Input<'_, '_>,
    mut data: Vec<u8>,
    header: &Header,
    chosen: [usize; 2],
) -> Result<Vec<Point>, FormatError> {
    let Header { element, shape: [rows, width], .. } = *header;
    let row_size = width * element.size;
    let places = chosen.map(|column| column * element.size);
    let mut points = Vec::with_capacity(rows);
    loop {
        let whole = (data.len() / row_size).min(rows - points.len());
        let point = |row: &[u8]| places.map(|place| element.read(&row[place..][..element.size]));
        points.extend(data.chunks_exact(row_size).take(whole).map(point));
        if points.len() == rows {
            return Ok(points);
        }
        data.drain(..whole * row_size);
        if !input.read(input.block.max(row_size), &mut data)? && data.len() < row_size {
            return Err(cut_short(input));
        }
    }
}

/// Points whose numbers are stored column after column; `data` is the beginning of them.
fn by_columns(
    input: &mut Input<'_, '_>,
    mut data: Vec<u8>,
    header: &Header,
    chosen: [usize; 2],
) -> Result<Vec<Point>, FormatError> {
    let Header { element, shape: [rows, _], .. } = *header;
    let mut points = vec![[0.0; 2]; rows];
    let last = chosen[0].max(chosen[1]);
    let (mut column, mut row) = (0, 0);
    loop {
        let mut values = data.chunks_exact(element.size);
        while column <= last && (values.len() > 0 || rows == 0) {
            let count = values.len().min(rows - row);
            for axis in (0..2).filter(|&axis| chosen[axis] == column) {
                for (point, bytes) in points[row..row + count].iter_mut().zip(values.clone()) {
                    point[axis] = element.read(bytes);
                }
            }
            if let Some(skip) = count.checked_sub(1) {
                values.nth(skip);
            }
            row += count;
            if row == rows {
                (column, row) = (column + 1, 0);
            }
        }
        if column > last {
            return Ok(points);
        }
        data.drain(..data.len() - data.len() % element.size);
        if !input.read(input.block, &mut data)? && data.len() < element.size {
            return Err(cut_short(input));
        }
    }
}

/// A file that became shorter while it was read.
fn cut_short(input: &Input<'_, '_>) -> FormatError {
    let problem = "it ends before its last number: save or copy the file again".to_owned();
    FormatError::Npy { name: input.name.to_owned(), problem }
}

/// Removes the points that are not finite, and counts them.
fn keep_finite(points: &mut Vec<Point>, chosen: [usize; 2]) -> Skipped {
    let mut skipped = Skipped::default();
    let mut row = 0;
    points.retain(|point| {
        row += 1;
        let Some(axis) = point.iter().position(|v| !v.is_finite()) else { return true };
        skipped.add(|| {
            let (column, value) = (chosen[axis] + 1, point[axis]);
            format!("row {row}, column {column}: {value} is not finite")
        });
        false
    });
    skipped
}

/// The header's text and the bytes behind it; `None` if there is no whole header.
fn split(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let rest = bytes.strip_prefix(MAGIC)?;
    let (length, rest) = match rest {
        [1, _, a, b, rest @ ..] => (usize::from(u16::from_le_bytes([*a, *b])), rest),
        [2 | 3, _, a, b, c, d, rest @ ..] => (u32::from_le_bytes([*a, *b, *c, *d]) as usize, rest),
        _ => return None,
    };
    let (text, data) = rest.split_at_checked(length)?;
    Some((std::str::from_utf8(text).ok()?, data))
}

/// Reads `{'descr': '<f8', 'fortran_order': False, 'shape': (400, 2), }`, in any order.
fn read_header(text: &str) -> Result<Header, String> {
    let value = |key: &str| {
        let (_, rest) = text
            .split_once(&format!("'{key}'"))
            .or_else(|| text.split_once(&format!("\"{key}\"")))?;
        Some(rest.trim_start().strip_prefix(':')?.trim_start())
    };
    let damaged = |key| format!("its header has no readable '{key}': save the array again");
    let order = value("fortran_order").ok_or_else(|| damaged("fortran_order"))?;
    let shape = value("shape").and_then(dimensions).ok_or_else(|| damaged("shape"))?;
    let descr = value("descr").ok_or_else(|| damaged("descr"))?;
    let type_text =
        descr.strip_prefix(['\'', '"']).and_then(|rest| rest.split(['\'', '"']).next()).ok_or(
            "its columns have types of their own: save a plain array of points × 2".to_owned(),
        )?;
    let element = Element::of(type_text).ok_or_else(|| {
        format!("numbers of type {type_text:?} cannot be read: save the array as float64")
    })?;
    let is_column_major = order.starts_with("True");
    match *shape.as_slice() {
        [rows, width] if width > 0 => Ok(Header { element, is_column_major, shape: [rows, width] }),
        _ => {
            let shape: Vec<String> = shape.iter().map(ToString::to_string).collect();
            Err(format!("its shape is ({}): save an array of points × 2", shape.join(", ")))
        }
    }
}

/// The numbers in `(400, 2), …`.
fn dimensions(text: &str) -> Option<Vec<usize>> {
    let (inside, _) = text.strip_prefix('(')?.split_once(')')?;
    let parts = inside.split(',').map(str::trim).filter(|part| !part.is_empty());
    parts.map(|part| part.trim_end_matches('L').parse().ok()).collect()
}

impl Element {
    /// From `NumPy`'s type string, such as `<f8`; `None` if it is not a number that f64 can hold.
    fn of(text: &str) -> Option<Element> {
        let (order, rest) = text.split_at_checked(1)?;
        let (kind, size) = rest.split_at_checked(1)?;
        let is_big_endian = match order {
            "<" | "|" | "=" => false,
            ">" => true,
            _ => return None,
        };
        let (kind, size) = match (kind, size) {
            ("f", "4") => (Kind::Float, 4),
            ("f", "8") => (Kind::Float, 8),
            ("i", "1") => (Kind::Signed, 1),
            ("i", "2") => (Kind::Signed, 2),
            ("i", "4") => (Kind::Signed, 4),
            ("i", "8") => (Kind::Signed, 8),
            ("u" | "b", "1") => (Kind::Unsigned, 1),
            ("u", "2") => (Kind::Unsigned, 2),
            ("u", "4") => (Kind::Unsigned, 4),
            ("u", "8") => (Kind::Unsigned, 8),
            _ => return None,
        };
        Some(Element { kind, size, is_big_endian })
    }

    /// The number in `size` bytes.
    fn read(self, bytes: &[u8]) -> f64 {
        // As one unsigned number, whatever the order and the size.
        let fold = |bits: u64, byte: &u8| bits << 8 | u64::from(*byte);
        let bits = if self.is_big_endian {
            bytes.iter().fold(0, fold)
        } else {
            bytes.iter().rev().fold(0, fold)
        };
        let unused = 64 - 8 * self.size as u32;
        match (self.kind, self.size) {
            (Kind::Float, 4) => f64::from(f32::from_bits(bits as u32)),
            (Kind::Float, _) => f64::from_bits(bits),
            (Kind::Unsigned, _) => bits as f64,
            // Up and down again, which repeats the sign.
            (Kind::Signed, _) => ((bits << unused) as i64 >> unused) as f64,
        }
    }
}

#[cfg(test)]
mod tests {
    use npyz::{AutoSerialize, Order, WriterBuilder};

    use super::*;
    use crate::data::formats;

    /// A file as another program writes it.
    fn written<T: AutoSerialize + Copy>(values: &[T], shape: &[u64], order: Order) -> Vec<u8> {
        let mut bytes = Vec::new();
        let options = npyz::WriteOptions::new().default_dtype().shape(shape).order(order);
        let mut writer = options.writer(&mut bytes).begin_nd().unwrap();
        writer.extend(values.iter().copied()).unwrap();
        writer.finish().unwrap();
        bytes
    }

    /// A file with this header and data.
    fn by_hand(header: &str, data: &[u8]) -> Vec<u8> {
        let length = (header.len() as u16).to_le_bytes();
        [MAGIC, &[1, 0], &length, header.as_bytes(), data].concat()
    }

    fn header(descr: &str, is_fortran: &str, shape: &str) -> String {
        format!("{{'descr': {descr}, 'fortran_order': {is_fortran}, 'shape': {shape}, }}\n")
    }

    fn load(bytes: &[u8]) -> Loaded {
        formats::parse("x.npy", bytes, None).unwrap()
    }

    fn refused(bytes: &[u8]) -> String {
        formats::parse("x.npy", bytes, None).unwrap_err().to_string()
    }

    #[test]
    fn arrays_of_every_kind_are_read() {
        let expected = [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]];
        let check = |bytes: &[u8]| {
            let loaded = load(bytes);
            assert_eq!(loaded.points, expected);
            assert_eq!(loaded.columns, ["column 1", "column 2"]);
            assert!(loaded.notes.is_empty());
        };
        let (rows, columns) = ([1, 2, 3, 4, 5, 6_i8], [1, 3, 5, 2, 4, 6_i8]);
        check(&written(&rows.map(f64::from), &[3, 2], Order::C));
        check(&written(&rows.map(f32::from), &[3, 2], Order::C));
        check(&written(&rows.map(i64::from), &[3, 2], Order::C));
        check(&written(&rows.map(i32::from), &[3, 2], Order::C));
        check(&written(&rows.map(i16::from), &[3, 2], Order::C));
        check(&written(&rows, &[3, 2], Order::C));
        check(&written(&rows.map(|v| v as u8), &[3, 2], Order::C));
        check(&written(&columns.map(f64::from), &[3, 2], Order::Fortran));
        let big = |values: [i8; 6]| values.map(|v| f64::from(v).to_be_bytes()).concat();
        check(&by_hand(&header("'>f8'", "False", "(3, 2)"), &big(rows)));
        check(&by_hand(&header("\">f8\"", "True", "(3L, 2L)"), &big(columns)));
        let big = rows.map(|v| f32::from(v).to_be_bytes()).concat();
        check(&by_hand(&header("'>f4'", "False", "(3,2)"), &big));
        let negative = load(&written(&[-1_i16, i16::MIN, 7, -8], &[2, 2], Order::C));
        assert_eq!(negative.points, [[-1.0, -32768.0], [7.0, -8.0]]);
    }

    #[test]
    fn columns_are_chosen_and_rows_are_skipped() {
        let bytes = written(&[1.0, 2.0, 3.0, f64::NAN, 5.0, 6.0], &[2, 3], Order::C);
        let loaded = load(&bytes);
        assert_eq!(loaded.points, [[1.0, 2.0]]);
        assert_eq!(
            loaded.notes,
            [
                "x.npy: 1 of 2 rows was skipped: row 2, column 1: NaN is not finite",
                "x.npy has 3 columns; \"column 1\" and \"column 2\" were read",
                "x.npy has 2 rows: if it holds 3 points, save its transpose",
            ]
        );
        let chosen = formats::parse("x.npy", &bytes, Some([2, 1])).unwrap();
        assert_eq!(chosen.points, [[3.0, 2.0], [6.0, 5.0]]);
        let error = formats::parse("x.npy", &bytes, Some([0, 3])).unwrap_err().to_string();
        assert_eq!(error, "x.npy has 3 columns, so there is no column 4: choose others");
    }

    #[test]
    fn arrays_that_are_no_points_are_refused() {
        let check = |bytes: &[u8], expected: &str| assert_eq!(refused(bytes), expected);
        let with = |descr, shape| by_hand(&header(descr, "False", shape), &[0; 64]);
        check(b"rubbish", "x.npy: this is not an .npy array, or only a part of one");
        check(&with("'<f8'", "(8,)"), "x.npy: its shape is (8): save an array of points × 2");
        check(&with("'<f8'", "()"), "x.npy: its shape is (): save an array of points × 2");
        check(
            &with("'<f8'", "(2, 2, 2)"),
            "x.npy: its shape is (2, 2, 2): save an array of points × 2",
        );
        check(
            &with("'<f8'", "(8, 1)"),
            "x.npy has only one column: a point needs two numbers in every row",
        );
        check(
            &with("'<f8'", "(0, 2)"),
            "x.npy is empty: a file needs at least one row with two numbers",
        );
        check(
            &with("'<c16'", "(2, 2)"),
            "x.npy: numbers of type \"<c16\" cannot be read: save the array as float64",
        );
        check(
            &with("'|O'", "(2, 2)"),
            "x.npy: numbers of type \"|O\" cannot be read: save the array as float64",
        );
        check(
            &with("[('x', '<f8'), ('y', '<f8')]", "(4,)"),
            "x.npy: its columns have types of their own: save a plain array of points × 2",
        );
        check(
            &with("'<f8'", "(-1, 2)"),
            "x.npy: its header has no readable 'shape': save the array again",
        );
        let all_nan = written(&[f64::NAN; 4], &[2, 2], Order::C);
        check(
            &all_nan,
            "x.npy has no row with two finite numbers (row 1, column 1: NaN is not finite): choose other columns, or check how they are separated",
        );
    }

    #[test]
    fn a_lying_header_is_refused_before_anything_is_allocated() {
        for shape in [
            "(5, 2)",
            "(4000000000, 2)",
            "(9223372036854775807, 2)",
            "(18446744073709551615, 18446744073709551615)",
            "(2, 4000000000)",
        ] {
            let error = refused(&by_hand(&header("'<f8'", "False", shape), &[0; 64]));
            assert!(error.contains("its header promises"), "{shape}: {error}");
        }
        let huge = refused(&by_hand(&header("'<f8'", "False", "(18446744073709551616, 2)"), &[]));
        assert!(huge.contains("no readable 'shape'"), "{huge}");
    }

    #[test]
    fn an_array_that_memory_does_not_hold_is_refused_before_anything_is_allocated() {
        let refused = |shape: &str, size: u64| {
            let bytes = by_hand(&header("'|u1'", "True", shape), &[0; 64]);
            let (mut source, watch) = (&bytes[..], &mut formats::unwatched);
            let mut input = Input::new("x.npy", &mut source, size, 20_000_000_000, watch);
            formats::points(&mut input, None).unwrap_err().to_string()
        };
        assert_eq!(
            refused("(100000000000, 2)", 300_000_000_000),
            "x.npy: 100000000000 × 2 numbers would need 4.8 TB of memory, and only 20 GB can be had: save a part of the rows, or two columns only"
        );
        // Names of columns and a row take room as well.
        let wide = refused("(2, 1000000000)", 3_000_000_000);
        assert!(wide.contains("2 × 1000000000 numbers would need 65 GB"), "{wide}");
        // It became shorter since it was measured.
        let cut = refused("(1000, 2)", 3000);
        assert_eq!(cut, "x.npy: it ends before its last number: save or copy the file again");
    }

    #[test]
    fn a_part_of_an_array_never_panics() {
        let bytes = written(&[1.0, 2.0, 3.0, 4.0], &[2, 2], Order::C);
        for end in 0..bytes.len() {
            assert!(formats::parse("x.npy", &bytes[..end], None).is_err(), "{end}");
        }
        // Every byte of the header, changed.
        for i in 0..bytes.len() - 32 {
            for value in [0, b'9', b'(', b'\'', 0xff] {
                let mut changed = bytes.clone();
                changed[i] = value;
                let _ = formats::parse("x.npy", &changed, None);
            }
        }
    }
}
