//! Format: `NumPy`'s `.npy`, a header in Python's words and then the plain numbers.
//!
//! The header is read here rather than by npyz, which multiplies a shape without looking (a lying header would
//! overflow) and reads nested Python without a limit. See `numpy.lib.format` for the format.

use super::{FormatError, Loaded, Skipped, check_columns, note_on_choice};

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

/// Points from an array.
pub(super) fn parse(
    name: &str,
    bytes: &[u8],
    columns: Option<[usize; 2]>,
) -> Result<Loaded, FormatError> {
    let refuse = |problem| FormatError::Npy { name: name.to_owned(), problem };
    let (header, data) = split(bytes)
        .ok_or_else(|| refuse("this is not an .npy array, or only a part of one".to_owned()))
        .and_then(|(text, data)| Ok((read_header(text).map_err(refuse)?, data)))?;
    let Header { element, is_column_major, shape: [rows, width] } = header;
    let chosen = columns.unwrap_or([0, 1]);
    check_columns(name, width, chosen)?;
    let needed = rows.checked_mul(width).and_then(|count| count.checked_mul(element.size));
    // Before anything is allocated: a header may promise more than there is.
    if needed.is_none_or(|needed| needed > data.len()) {
        return Err(refuse(format!(
            "its header promises {rows} × {width} numbers of {} bytes, but only {} bytes follow: save or copy the file again",
            element.size,
            data.len()
        )));
    }

    let at = |row: usize, column: usize| {
        let index = if is_column_major { column * rows + row } else { row * width + column };
        element.read(&data[index * element.size..][..element.size])
    };
    let mut points = Vec::with_capacity(rows);
    let mut skipped = Skipped::default();
    for row in 0..rows {
        let point = chosen.map(|column| at(row, column));
        match point.iter().position(|v| !v.is_finite()) {
            None => points.push(point),
            Some(axis) => skipped.add(|| {
                let (column, value) = (chosen[axis] + 1, point[axis]);
                format!("row {}, column {column}: {value} is not finite", row + 1)
            }),
        }
    }
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
        parse("x.npy", bytes, None).unwrap()
    }

    fn refused(bytes: &[u8]) -> String {
        parse("x.npy", bytes, None).unwrap_err().to_string()
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
        let chosen = parse("x.npy", &bytes, Some([2, 1])).unwrap();
        assert_eq!(chosen.points, [[3.0, 2.0], [6.0, 5.0]]);
        let error = parse("x.npy", &bytes, Some([0, 3])).unwrap_err().to_string();
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
    fn a_part_of_an_array_never_panics() {
        let bytes = written(&[1.0, 2.0, 3.0, 4.0], &[2, 2], Order::C);
        for end in 0..bytes.len() {
            assert!(parse("x.npy", &bytes[..end], None).is_err(), "{end}");
        }
        // Every byte of the header, changed.
        for i in 0..bytes.len() - 32 {
            for value in [0, b'9', b'(', b'\'', 0xff] {
                let mut changed = bytes.clone();
                changed[i] = value;
                let _ = parse("x.npy", &changed, None);
            }
        }
    }
}
