//! Format: tables of text, with commas, semicolons, tabs or spaces between the columns.

use csv::{ByteRecord, Reader, ReaderBuilder};

use super::{FormatError, Input, Loaded, Skipped, check_columns, note_on_choice};
use crate::data::memory;
use crate::model::Point;

/// What stands between two columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Delimiter {
    Semicolon,
    Tab,
    Comma,
    Whitespace,
}

/// In the order that decides between equals: `1,5;2,5` splits at the semicolon.
const DELIMITERS: [Delimiter; 4] =
    [Delimiter::Semicolon, Delimiter::Tab, Delimiter::Comma, Delimiter::Whitespace];

/// The layout of a table is judged by this many rows at most, of its first block.
const HEAD_ROWS: usize = 1000;

/// No row has more bytes than this: a quotation mark that is never closed makes one of the rest of the file.
const MAX_ROW: usize = 16 << 20;

/// What to try where there are too many rows.
const FEWER_ROWS: &str = "save a part of the rows";

/// Longest piece of a file that a message quotes, in characters.
const QUOTE_LENGTH: usize = 40;

/// How a table is laid out, as far as its beginning shows.
struct Layout {
    delimiter: Delimiter,
    /// How many columns most rows have.
    width: usize,
    /// Which of the rows is the header, and the names in it.
    header: Option<(usize, Vec<String>)>,
    /// The first two columns that hold numbers.
    numeric: [usize; 2],
}

/// Points from a table; `head` is its first block.
pub(super) fn read(
    input: &mut Input<'_, '_>,
    mut head: Vec<u8>,
    columns: Option<[usize; 2]>,
) -> Result<Loaded, FormatError> {
    let name = input.name;
    if head.starts_with(b"\xef\xbb\xbf") {
        head.drain(..3);
    }
    let beginning = if input.has_more() { whole_lines(&head) } else { &head };
    let Some(layout) = layout(beginning) else {
        return Err(FormatError::Empty { name: name.to_owned() });
    };
    let chosen = columns.unwrap_or(layout.numeric);
    check_columns(name, layout.width, chosen)?;
    let row_count = row_estimate(&head, input.size);
    let what = || format!("about {row_count} rows");
    input.afford(memory::of_points(row_count), what, FEWER_ROWS)?;

    let header_row = layout.header.as_ref().map(|(row, _)| *row);
    let mut points = Vec::new();
    let mut skipped = Skipped::default();
    let mut has_decimal_comma = false;
    let mut row = 0;
    each_block(input, head, layout.delimiter, |text, record, lines_before| {
        if header_row != Some(row) {
            match point(record, layout.width, chosen, &mut has_decimal_comma) {
                Ok(point) => points.push(point),
                Err(problem) => skipped
                    .add(|| format!("row {}, {problem}", lines_before + line_of(text, record))),
            }
        }
        row += 1;
        points.len()
    })?;
    points.shrink_to_fit();

    let names = match layout.header {
        Some((_, names)) => names,
        None => (1..=layout.width).map(|i| format!("column {i}")).collect(),
    };
    let mut notes = Vec::new();
    notes.extend(skipped.note(name, points.len())?);
    if columns.is_none() {
        notes.extend(note_on_choice(name, &names, chosen));
    }
    if has_decimal_comma {
        notes.push(format!("{name}: a comma within a number was read as a decimal point"));
    }
    Ok(Loaded { points, columns: names, chosen, notes })
}

/// How many rows a file of `size` bytes has, if all of it is like its beginning.
fn row_estimate(head: &[u8], size: u64) -> u64 {
    let breaks = line_breaks(head, head.len()).max(1);
    (size as f64 / head.len().max(1) as f64 * breaks as f64) as u64
}

/// Shows every row of a file that is neither a comment nor blank, with the text of its block and the number of lines
/// before it; `show` says how many points there are now. Only a block is in memory, and a row that does not end in it
/// begins the next one.
fn each_block(
    input: &mut Input<'_, '_>,
    head: Vec<u8>,
    delimiter: Delimiter,
    mut show: impl FnMut(&[u8], &ByteRecord, usize) -> usize,
) -> Result<(), FormatError> {
    let mut separator = Separator::new(delimiter);
    let mut point_count = 0;
    let (mut block, mut text, mut lines_before) = (head, Vec::new(), 0);
    loop {
        // Text has no zeros.
        if block.contains(&0) {
            return Err(FormatError::Unknown { name: input.name.to_owned() });
        }
        separator.append(&block, &mut text);
        block.clear();
        // Twice as much as remained: a long row is looked through a few times, not once a block.
        let is_last = !input.read(input.block.max(text.len()), &mut block)? && block.is_empty();
        let mut last_begins = 0;
        each_row(&text, delimiter, |record, is_whole| {
            last_begins = record_begins(record);
            if (is_whole || is_last) && !record.iter().all(is_blank) {
                point_count = show(&text, record, lines_before);
            }
            true
        });
        // The estimate goes by the first block, which may be all comments.
        let what = || format!("the first {point_count} rows");
        input.afford(memory::of_points(point_count as u64), what, FEWER_ROWS)?;
        if is_last {
            return Ok(());
        }
        lines_before += line_breaks(&text, last_begins);
        text.drain(..last_begins);
        if text.len() > MAX_ROW {
            return Err(FormatError::LongRow {
                name: input.name.to_owned(),
                line: lines_before + 1,
                megabytes: MAX_ROW >> 20,
            });
        }
    }
}

/// The point in a row, or what is wrong with the row.
fn point(
    record: &ByteRecord,
    width: usize,
    chosen: [usize; 2],
    has_decimal_comma: &mut bool,
) -> Result<Point, String> {
    if record.len() != width {
        let plural = if record.len() == 1 { "" } else { "s" };
        return Err(format!("which has {} column{plural} instead of {width}", record.len()));
    }
    let mut point = [0.0; 2];
    for (v, column) in point.iter_mut().zip(chosen) {
        let cell = &record[column];
        let problem = |what| format!("column {}: {} {what}", column + 1, quoted(cell));
        *v = match number(cell) {
            Some(Number { value, .. }) if !value.is_finite() => {
                return Err(problem("is not finite"));
            }
            Some(Number { value, is_decimal_comma }) => {
                *has_decimal_comma |= is_decimal_comma;
                value
            }
            None => return Err(problem("is not a number")),
        };
    }
    Ok(point)
}

/// A cell that is a number, perhaps an infinite one or NaN.
struct Number {
    value: f64,
    is_decimal_comma: bool,
}

fn number(cell: &[u8]) -> Option<Number> {
    let text = std::str::from_utf8(cell).ok()?.trim();
    if let Ok(value) = text.parse() {
        return Some(Number { value, is_decimal_comma: false });
    }
    // What the csv crate leaves of ` "1.5"`, where a space precedes the quotes.
    let text = text.strip_prefix('"').and_then(|t| t.strip_suffix('"')).unwrap_or(text);
    let (whole, fraction) = text.split_once(',').unwrap_or((text, ""));
    let is_decimal_comma = fraction.starts_with(|c: char| c.is_ascii_digit())
        && fraction.bytes().all(|b| b.is_ascii_digit() || b"eE+-".contains(&b))
        && whole.bytes().all(|b| b.is_ascii_digit() || b"+-".contains(&b));
    let value = if is_decimal_comma {
        format!("{whole}.{fraction}").parse().ok()?
    } else {
        text.parse().ok()?
    };
    Some(Number { value, is_decimal_comma })
}

fn is_finite_number(cell: &[u8]) -> bool {
    number(cell).is_some_and(|number| number.value.is_finite())
}

fn is_blank(cell: &[u8]) -> bool {
    cell.trim_ascii().is_empty()
}

/// A cell for a message, shortened.
fn quoted(cell: &[u8]) -> String {
    let text = String::from_utf8_lossy(cell.trim_ascii());
    if text.chars().count() > QUOTE_LENGTH {
        let start: String = text.chars().take(QUOTE_LENGTH).collect();
        return format!("{start:?}…");
    }
    // Debug, so that a line break or a control character does not break the message.
    format!("{text:?}")
}

/// How a table that begins like this is laid out; `None` if it has no rows.
fn layout(head: &[u8]) -> Option<Layout> {
    let mut best: Option<(Fit, Delimiter, Vec<ByteRecord>)> = None;
    for delimiter in DELIMITERS {
        let mut rows = Vec::new();
        let mut text = Vec::new();
        Separator::new(delimiter).append(head, &mut text);
        each_row(&text, delimiter, |record, _| {
            if !record.iter().all(is_blank) {
                rows.push(record.clone());
            }
            rows.len() < HEAD_ROWS
        });
        let fit = fit(&rows);
        if !rows.is_empty() && best.as_ref().is_none_or(|(most, ..)| fit > *most) {
            best = Some((fit, delimiter, rows));
        }
    }
    let (_, delimiter, rows) = best?;
    let width = width(&rows);
    let header = header(&rows, width);
    let body: Vec<&ByteRecord> = rows
        .iter()
        .enumerate()
        .filter(|(i, row)| row.len() == width && header.as_ref().is_none_or(|(h, _)| h != i))
        .map(|(_, row)| row)
        .collect();
    let numeric = numeric_columns(&body, width, header.as_ref().map(|(_, names)| names));
    let header = header.map(|(row, names)| (row, named(names)));
    Some(Layout { delimiter, width, header, numeric })
}

/// The beginning of a text up to its last line break, if it has one.
fn whole_lines(text: &[u8]) -> &[u8] {
    match text.iter().rposition(|&b| b == b'\n') {
        Some(end) => &text[..=end],
        None => text,
    }
}

/// How well rows were split, to be compared: how many have the usual width and two numbers, the share of
/// numbers among their cells, and the width.
type Fit = (usize, f64, usize);

fn fit(rows: &[ByteRecord]) -> Fit {
    let width = width(rows);
    let (mut good, mut numbers, mut cells) = (0, 0, 0);
    for row in rows.iter().filter(|row| row.len() == width) {
        let count = row.iter().filter(|cell| is_finite_number(cell)).count();
        if count >= 2 {
            good += 1;
            numbers += count;
            cells += row.len();
        }
    }
    (good, numbers as f64 / cells.max(1) as f64, width)
}

/// The most frequent number of columns, among rows with two numbers if there are any.
fn width(rows: &[ByteRecord]) -> usize {
    let has_numbers =
        |row: &&ByteRecord| row.iter().filter(|cell| number(cell).is_some()).count() > 1;
    let mut widths: Vec<usize> = rows.iter().filter(has_numbers).map(ByteRecord::len).collect();
    if widths.is_empty() {
        widths = rows.iter().map(ByteRecord::len).collect();
    }
    widths.sort_unstable();
    // Of equally frequent ones, the smallest: trailing text is more common than missing cells.
    let runs = widths.chunk_by(|a, b| a == b);
    runs.rev().max_by_key(|run| run.len()).map_or(0, |run| run[0])
}

/// The header among the rows that precede the first number, with the raw names in it.
fn header(rows: &[ByteRecord], width: usize) -> Option<(usize, Vec<String>)> {
    for (i, row) in rows.iter().enumerate() {
        if row.iter().any(|cell| number(cell).is_some()) {
            return None;
        }
        let mut names: Vec<String> = row
            .iter()
            .map(|cell| {
                let text = String::from_utf8_lossy(cell.trim_ascii());
                text.trim_matches('"').to_owned()
            })
            .collect();
        // R names every column but that of the row names.
        if names.len() + 1 == width && width > 2 {
            names.insert(0, String::new());
        }
        if names.len() == width {
            return Some((i, names));
        }
    }
    None
}

/// The first two columns that are numbers in most rows; those with a name first, because what has none is
/// usually a row number.
fn numeric_columns(rows: &[&ByteRecord], width: usize, names: Option<&Vec<String>>) -> [usize; 2] {
    let count = |column: usize| {
        rows.iter().filter(|row| row.get(column).is_some_and(is_finite_number)).count()
    };
    let is_unnamed = |column: usize| names.is_some_and(|names| names[column].is_empty());
    let mut ranked: Vec<(bool, bool, usize, usize)> = (0..width)
        .map(|column| {
            let count = count(column);
            let is_mostly_numeric = count > 0 && 2 * count >= rows.len();
            // Where most rows will do, the order of the file decides; else the number of numbers.
            let missing = if is_mostly_numeric { 0 } else { rows.len() - count };
            (!is_mostly_numeric, is_unnamed(column), missing, column)
        })
        .collect();
    ranked.sort_unstable();
    let mut chosen = [0, 1].map(|i| ranked.get(i).map_or(i, |r| r.3));
    chosen.sort_unstable();
    chosen
}

/// Names of columns, with "column 3" where there is none.
fn named(names: Vec<String>) -> Vec<String> {
    let or_number = |(i, name): (usize, String)| match name.as_str() {
        "" => format!("column {}", i + 1),
        _ => name,
    };
    names.into_iter().enumerate().map(or_number).collect()
}

/// Puts a single byte between columns: runs of spaces become one tab, and lines stay lines.
struct Separator {
    delimiter: Delimiter,
    is_line_start: bool,
    is_gap: bool,
}

impl Separator {
    fn new(delimiter: Delimiter) -> Separator {
        Separator { delimiter, is_line_start: true, is_gap: false }
    }

    /// Appends the next part of a file to a text.
    fn append(&mut self, part: &[u8], text: &mut Vec<u8>) {
        if self.delimiter != Delimiter::Whitespace {
            text.extend_from_slice(part);
            return;
        }
        for &byte in part {
            match byte {
                b' ' | b'\t' => self.is_gap = true,
                b'\n' | b'\r' => {
                    text.push(byte);
                    (self.is_line_start, self.is_gap) = (true, false);
                }
                _ => {
                    if self.is_gap && !self.is_line_start {
                        text.push(b'\t');
                    }
                    text.push(byte);
                    (self.is_line_start, self.is_gap) = (false, false);
                }
            }
        }
    }
}

fn reader(text: &[u8], delimiter: Delimiter) -> Reader<&[u8]> {
    let byte = match delimiter {
        Delimiter::Semicolon => b';',
        Delimiter::Comma => b',',
        Delimiter::Tab | Delimiter::Whitespace => b'\t',
    };
    ReaderBuilder::new()
        .delimiter(byte)
        .has_headers(false)
        .flexible(true)
        .comment(Some(b'#'))
        .from_reader(text)
}

/// Shows every row that is no comment, until told to stop, and whether another follows: else it may go on in the next
/// block.
fn each_row(text: &[u8], delimiter: Delimiter, mut show: impl FnMut(&ByteRecord, bool) -> bool) {
    let mut reader = reader(text, delimiter);
    let (mut record, mut next) = (ByteRecord::new(), ByteRecord::new());
    // Reading from memory, flexible rows and bytes of any kind: no error remains to be reported.
    let mut has_row = reader.read_byte_record(&mut record).unwrap_or(false);
    while has_row {
        let has_next = reader.read_byte_record(&mut next).unwrap_or(false);
        if !show(&record, has_next) {
            return;
        }
        std::mem::swap(&mut record, &mut next);
        has_row = has_next;
    }
}

/// Where in its text a row begins, or where the row before ended: line breaks and comments may lie between.
fn record_begins(record: &ByteRecord) -> usize {
    record.position().map_or(0, |position| position.byte() as usize)
}

/// The line of the text on which a row begins, counted from 1.
fn line_of(text: &[u8], record: &ByteRecord) -> usize {
    let mut start = record_begins(record).min(text.len());
    loop {
        let rest = &text[start..];
        match rest.first() {
            Some(b'\n' | b'\r') => start += 1,
            Some(b'#') => start += rest.iter().position(|&b| b == b'\n').unwrap_or(rest.len()),
            _ => break,
        }
    }
    1 + line_breaks(text, start)
}

/// How many lines end before a place in a text.
fn line_breaks(text: &[u8], end: usize) -> usize {
    let before = &text[..end];
    let feeds: usize = before.iter().map(|&b| usize::from(b == b'\n')).sum();
    if !before.contains(&b'\r') {
        return feeds;
    }
    // A line ends with \n, with \r\n or, in very old files, with \r alone.
    let nexts = text[1.min(text.len())..].iter().chain([&0]);
    feeds + before.iter().zip(nexts).filter(|&(&b, &next)| b == b'\r' && next != b'\n').count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::formats;

    const ONE_TWO: &[Point] = &[[1.5, 2.0], [3.0, -4.5]];

    fn load(text: &str) -> Loaded {
        formats::parse("x.csv", text.as_bytes(), None).unwrap_or_else(|e| panic!("{text:?}: {e}"))
    }

    /// The points and columns that a text gives.
    fn check(text: &str, points: &[Point], columns: &[&str]) {
        let loaded = load(text);
        assert_eq!(loaded.points, points, "{text:?}");
        assert_eq!(loaded.columns, columns, "{text:?}");
    }

    #[test]
    fn tables_of_many_kinds() {
        let plain: &[&str] = &["column 1", "column 2"];
        let named: &[&str] = &["x", "y"];
        check("1.5,2\n3,-4.5\n", ONE_TWO, plain);
        check("1.5,2\r\n3,-4.5", ONE_TWO, plain);
        check("1.5,2\r3,-4.5\r", ONE_TWO, plain);
        check("1.5;2\n3;-4.5\n", ONE_TWO, plain);
        check("1,5;2\n3;-4,5\n", ONE_TWO, plain);
        check("1.5\t2\n3\t-4.5\n", ONE_TWO, plain);
        check("1,5\t2,0\n3,0\t-4,5\n", ONE_TWO, plain);
        check("1.5 2\n3 -4.5\n", ONE_TWO, plain);
        check("1,5 2,0\n3,0 -4,5\n", ONE_TWO, plain);
        check("  1.5   2 \n\t3 \t -4.5\n", ONE_TWO, plain);
        check("1.5e0, 2\n 3 ,-45E-1\n", ONE_TWO, plain);
        check("\u{feff}x,y\n1.5,2\n3,-4.5\n", ONE_TWO, named);
        check("x;y\n1.5;2\n3;-4.5\n", ONE_TWO, named);
        check("x y\n1.5 2\n3 -4.5\n", ONE_TWO, named);
        check("# made by hand\nx,y\n#\n1.5,2\n\n3,-4.5\n#end", ONE_TWO, named);
        check("\"x\",\"y\"\n\"1.5\",\"2\"\n\"3\",\"-4.5\"\n", ONE_TWO, named);
        check("\"x\", \"y\"\n\"1.5\", \"2\"\n\"3\", \"-4.5\"\n", ONE_TWO, named);
        check("\"x\",\"y\"\n\"1,5\",\"2\"\n\"3\",\"-4,5\"\n", ONE_TWO, named);
        check("My data\n\nx,y\n1.5,2\n3,-4.5\n", ONE_TWO, named);
        check("1.5,2", &[[1.5, 2.0]], plain);
        check("x,y\n1.5,2\n,\n;\n3,-4.5\n , \n", ONE_TWO, named);
    }

    #[test]
    fn the_first_two_columns_of_numbers_are_read() {
        let check = |text: &str, chosen: [usize; 2]| {
            let loaded = load(text);
            assert_eq!(loaded.chosen, chosen, "{text:?}");
            assert_eq!(loaded.points, ONE_TWO, "{text:?}");
        };
        check("1.5,2,7\n3,-4.5,8\n", [0, 1]);
        check("a,1.5,b,2\nc,3,d,-4.5\n", [1, 3]);
        check("a\tb c\t1.5\t2\nc\td e\t3\t-4.5\n", [2, 3]);
        // The row numbers that pandas and R write.
        check(",x,y\n0,1.5,2\n1,3,-4.5\n", [1, 2]);
        check("\"x\" \"y\"\n\"1\" 1.5 2\n\"2\" 3 -4.5\n", [1, 2]);
        check("when,x,y\n2024-01-01 10:00:00,1.5,2\n2024-01-01 11:00:00,3,-4.5\n", [1, 2]);
        check("name;x;y\n\"a; b\n c\";1,5;2\nd;3;-4,5\n", [1, 2]);
        let note = "x.csv has 3 columns; \"column 1\" and \"column 2\" were read";
        assert_eq!(load("1,2,7\n3,4,8\n").notes, [note]);
        let chosen = formats::parse("x.csv", b"a,b,c\n1,2,3\n", Some([2, 0])).unwrap();
        assert_eq!((chosen.points, chosen.notes.len()), (vec![[3.0, 1.0]], 0));
        let error =
            formats::parse("x.csv", b"a,b,c\n1,2,3\n", Some([2, 3])).unwrap_err().to_string();
        assert_eq!(error, "x.csv has 3 columns, so there is no column 4: choose others");
    }

    #[test]
    fn rows_that_are_not_points_are_named() {
        let check = |text: &str, expected: &str| {
            let loaded = load(text);
            assert_eq!(loaded.notes.first().map_or("", |n| n), expected, "{text:?}");
            assert_eq!(loaded.points, ONE_TWO, "{text:?}");
        };
        let one = |what| format!("x.csv: 1 of 3 rows was skipped: {what}");
        check("x,y\n1.5,2\n3,n/a\n3,-4.5\n", &one("row 3, column 2: \"n/a\" is not a number"));
        check("n/a,2\n1.5,2\n3,-4.5\n", &one("row 1, column 1: \"n/a\" is not a number"));
        check("x y\n1.5 2\n3 nan\n3 -4.5\n", &one("row 3, column 2: \"nan\" is not finite"));
        check("1.5,2\n-inf,1\n3,-4.5\n", &one("row 2, column 1: \"-inf\" is not finite"));
        check("1.5,2\n1e400,1\n3,-4.5\n", &one("row 2, column 1: \"1e400\" is not finite"));
        check("1.5,2\n,1\n3,-4.5\n", &one("row 2, column 1: \"\" is not a number"));
        check("1.5,2\n1,2,3\n3,-4.5\n", &one("row 2, which has 3 columns instead of 2"));
        check("1.5,2\n3,-4.5\n7\n", &one("row 3, which has 1 column instead of 2"));
        check("1.5;2\n1.234,5;2\n3;-4.5\n", &one("row 2, column 1: \"1.234,5\" is not a number"));
        // Blank lines, comments and both kinds of line ends do not confuse the count.
        let first = "row 7, column 2: \"?\" is not a number";
        check("# a\r\nx,y\r\n1.5,2\r\n\r\n3,-4.5\r\n# b\r\n3,?\r\n", &one(first));
        check("\n\nx y\n1.5 2\n#\n3 -4.5\n  3 ?\n", &one(first));
        let two =
            "x.csv: 2 of 4 rows were skipped; the first is row 1, column 1: \"-\" is not a number";
        check("-,1\n1.5,2\n1,-\n3,-4.5\n", two);
        let long = "z".repeat(99);
        let short = "z".repeat(40);
        check(
            &format!("1.5,2\n3,{long}\n3,-4.5\n"),
            &one(&format!("row 2, column 2: \"{short}\"… is not a number")),
        );
        assert_eq!(
            load("1,5;2\n3;-4,5\n").notes,
            ["x.csv: a comma within a number was read as a decimal point"]
        );
    }

    #[test]
    fn tables_without_points_are_refused() {
        let check = |text: &str, expected: &str| {
            let error = formats::parse("x.csv", text.as_bytes(), None).unwrap_err().to_string();
            assert_eq!(error, expected, "{text:?}");
        };
        let empty = "x.csv is empty: a file needs at least one row with two numbers";
        check(" \n\r\n\t\n", empty);
        check("# only\n# comments\n", empty);
        check("\u{feff}", empty);
        check("x,y\n", empty);
        check("1\n2\n3\n", "x.csv has only one column: a point needs two numbers in every row");
        check(
            "x,y\na,1\nb,2\n",
            "x.csv has no row with two finite numbers (row 2, column 1: \"a\" is not a number): choose other columns, or check how they are separated",
        );
    }

    #[test]
    fn blocks_of_any_size_give_the_same_rows() {
        let text =
            "\r\n# c, \"d\r\nx,y\r\n1,\"2\n\n3\"\r\n \r\n#\n5,6\r7,\"8\"\n\n ,\n9,10\n\"11\n,\",12";
        for delimiter in DELIMITERS {
            let rows = |block: usize| {
                let (mut source, watch) = (text.as_bytes(), &mut formats::unwatched);
                let size = text.len() as u64;
                let mut input = Input::new("x.csv", &mut source, size, u64::MAX, watch);
                input.block = block;
                let mut rows = Vec::new();
                each_block(&mut input, Vec::new(), delimiter, |text, record, lines_before| {
                    let cells: Vec<Vec<u8>> = record.iter().map(<[u8]>::to_vec).collect();
                    rows.push((lines_before + line_of(text, record), cells));
                    rows.len()
                })
                .unwrap();
                rows
            };
            let whole = rows(1000);
            assert!(whole.len() >= 6, "{delimiter:?}: {whole:?}");
            if delimiter == Delimiter::Comma {
                let lines: Vec<usize> = whole.iter().map(|(line, _)| *line).collect();
                assert_eq!(lines, [3, 4, 9, 10, 13, 14]);
            }
            for block in 1..text.len() {
                assert_eq!(rows(block), whole, "{delimiter:?} in blocks of {block}");
            }
        }
    }

    #[test]
    fn a_table_that_is_longer_than_it_looked_stops_where_memory_ends() {
        // The first block is a comment, but for two rows.
        let text =
            "1,2\n3,4\n".to_owned() + "#" + &" ".repeat(990) + "\n" + &"5,6\n".repeat(10_000);
        let mut told = Vec::new();
        let mut watch = |progress: formats::Progress| {
            told.push(progress.bytes_read);
            std::ops::ControlFlow::Continue(())
        };
        let (mut source, size) = (text.as_bytes(), text.len() as u64);
        let available = memory::of_points(500);
        let mut input = Input::new("x.csv", &mut source, size, available, &mut watch);
        input.block = 1000;
        let error = formats::points(&mut input, None).unwrap_err().to_string();
        assert!(error.starts_with("x.csv: the first "), "{error}");
        assert!(error.ends_with(": save a part of the rows"), "{error}");
        // A thousand bytes of comment, then 250 rows a block.
        assert!(told.len() <= 6, "{told:?}");
    }

    #[test]
    fn a_quotation_mark_that_is_never_closed_is_found() {
        let text = "1,2\n".repeat(300_000) + "\"3,4\n" + &"5,6\n".repeat(MAX_ROW / 2);
        let error = formats::parse("x.csv", text.as_bytes(), None).unwrap_err().to_string();
        assert_eq!(
            error,
            "x.csv: the row that begins on line 300001 goes on for more than 16 MB: look there for a quotation mark that is never closed, or save one point a row"
        );
    }

    #[test]
    fn zeros_anywhere_are_no_text() {
        let text = "1,2\n".repeat(500_000) + "3,\0\n";
        let error = formats::parse("x.csv", text.as_bytes(), None).unwrap_err().to_string();
        assert!(error.starts_with("x.csv is neither text nor"), "{error}");
    }

    #[test]
    fn whatever_the_bytes_nothing_panics() {
        let texts: [&[u8]; 6] = [
            "\u{feff}# c\r\n\"x\";\"y\"\r\n1,5;\"2\"\r\n3;n/a\r\n\r\n-4,5;1e400\r\n".as_bytes(),
            b"\"\"\"\"\",\"\n\"1\"2,3\n\"\n\r\r\n#",
            b"x y\n 1 2\n\xff\xfe \x80\n\t\t\n3 4 5\n",
            b",,,\n;;;\n\t\t\t\n   \n",
            b"1,2\n#,3\n\"#\",4\n",
            b"e,-\n+,.\n-,+,\n,5\n5,\n",
        ];
        for text in texts {
            for end in 0..=text.len() {
                for columns in [None, Some([0, 1]), Some([7, usize::MAX])] {
                    if let Ok(loaded) = formats::parse("x.csv", &text[..end], columns) {
                        assert!(!loaded.points.is_empty());
                        assert!(loaded.points.iter().flatten().all(|v| v.is_finite()));
                    }
                }
            }
        }
    }
}
