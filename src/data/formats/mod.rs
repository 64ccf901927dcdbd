//! Files as points: tables, `NumPy` arrays and pictures, recognized by their content.

mod input;
mod npy;
mod picture;
mod table;

use std::fs::File;
use std::path::Path;

use image::ImageFormat;

pub use input::{Progress, Watch, unwatched};
pub use picture::PICTURE_POINTS;

use input::Input;

use crate::data::memory::{self, Shortage};
use crate::model::Point;

/// A file as points, and what a person should know about how it was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Loaded {
    /// The points, in the order of the file. At least one, all finite.
    pub points: Vec<Point>,
    /// Names of all columns, "column 1" and so on where the file has none; empty for pictures.
    pub columns: Vec<String>,
    /// Which two columns became x₁ and x₂, counted from 0.
    pub chosen: [usize; 2],
    /// Whole sentences such as: `moons.csv: 1 of 400 rows was skipped: row 17, column 2: "n/a" is not a number`.
    pub notes: Vec<String>,
}

/// Most bytes that are kept of what does not tell its size, such as a pipe; one that never ends must not fill the memory.
const MOST_UNSIZED: u64 = 1_000_000_000;

/// Why a file did not become points: what is wrong, where, and what to try.
#[derive(Debug, thiserror::Error)]
pub enum FormatError {
    /// The file cannot be opened or read.
    #[error("{path} could not be read: {source}")]
    Read {
        /// The path as it was given.
        path: String,
        /// What the system says.
        source: std::io::Error,
    },
    /// Whoever watched did not want the rest.
    #[error("{name} was not read to its end, because that was cancelled")]
    Cancelled {
        /// The file.
        name: String,
    },
    /// What is in it does not fit into memory. Nothing was allocated for it.
    #[error("{name}: {what} {shortage}: {advice}")]
    TooLarge {
        /// The file.
        name: String,
        /// What needs so much.
        what: String,
        /// How much that is, and how much there is.
        shortage: Shortage,
        /// What to try.
        advice: &'static str,
    },
    /// More than is kept of what does not tell its size.
    #[error(
        "{name}: a pipe may hold {} GB at most: save it as a file and open that",
        MOST_UNSIZED / 1_000_000_000
    )]
    LongPipe {
        /// The pipe.
        name: String,
    },
    /// A row without an end in sight.
    #[error(
        "{name}: the row that begins on line {line} goes on for more than {megabytes} MB: look there for a quotation mark that is never closed, or save one point a row"
    )]
    LongRow {
        /// The file.
        name: String,
        /// Where it begins, counted from 1.
        line: usize,
        /// More than any row has, in megabytes.
        megabytes: usize,
    },
    /// Nothing in it, or nothing but blank lines and comments.
    #[error("{name} is empty: a file needs at least one row with two numbers")]
    Empty {
        /// The file.
        name: String,
    },
    /// Text in an encoding other than UTF-8.
    #[error("{name} is UTF-16 text: save it as UTF-8 (in a spreadsheet program: CSV UTF-8)")]
    Utf16 {
        /// The file.
        name: String,
    },
    /// Not a format that is known here.
    #[error(
        "{name} is neither text nor an .npy array nor a picture (PNG, JPEG, BMP, GIF, WebP): save the points as CSV"
    )]
    Unknown {
        /// The file.
        name: String,
    },
    /// Several files in one.
    #[error("{name} is an archive of several arrays: save the one array with np.save as .npy")]
    Npz {
        /// The file.
        name: String,
    },
    /// A spreadsheet or another packed file.
    #[error(
        "{name} is a packed file, such as a spreadsheet or an archive: save the points in it as CSV"
    )]
    Packed {
        /// The file.
        name: String,
    },
    /// A point needs two coordinates.
    #[error("{name} has only one column: a point needs two numbers in every row")]
    OneColumn {
        /// The file.
        name: String,
    },
    /// A column was asked for that is not there.
    #[error("{name} has {count} columns, so there is no column {column}: choose others")]
    NoColumn {
        /// The file.
        name: String,
        /// How many columns there are.
        count: usize,
        /// Which one was asked for, counted from 1.
        column: usize,
    },
    /// Not one row became a point.
    #[error(
        "{name} has no row with two finite numbers ({problem}): choose other columns, or check how they are separated"
    )]
    NoRows {
        /// The file.
        name: String,
        /// What is wrong with the first row.
        problem: String,
    },
    /// The array is damaged or not a table of numbers.
    #[error("{name}: {problem}")]
    Npy {
        /// The file.
        name: String,
        /// What is wrong, and what to try.
        problem: String,
    },
    /// The picture is damaged, too large or of a kind that cannot be read.
    #[error("{name} could not be read as a picture: {problem}; try to save it again as PNG")]
    Picture {
        /// The file.
        name: String,
        /// What the decoder says.
        problem: String,
    },
    /// A picture where every pixel is light or transparent.
    #[error(
        "{name} has no dark pixels: points come from dark ink on a light or transparent ground"
    )]
    NoInk {
        /// The file.
        name: String,
    },
}

/// Reads a file; `columns` chooses two columns, counted from 0, of a file that has more. `watch` is told how far it is,
/// and may stop it.
///
/// # Errors
/// [`FormatError`], one sentence that names the file and says what to try.
pub fn read(
    path: &Path,
    columns: Option<[usize; 2]>,
    watch: &mut Watch<'_>,
) -> Result<Loaded, FormatError> {
    let unreadable = |source| FormatError::Read { path: path.display().to_string(), source };
    let mut file = File::open(path).map_err(unreadable)?;
    let metadata = file.metadata().map_err(unreadable)?;
    let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
    let available = memory::available();
    let size = if metadata.is_file() { metadata.len() } else { 0 };
    if size > 0 {
        return points(&mut Input::new(&name, &mut file, size, available, watch), columns);
    }
    // A pipe, say, does not tell its size: it is known once all of it is there.
    let mut bytes = Vec::new();
    let mut pipe = Input::new(&name, &mut file, 0, available, watch);
    pipe.read_all(&mut bytes, "save it as a file and open that")?;
    let (size, mut source) = (bytes.len() as u64, &bytes[..]);
    let available = available.saturating_sub(size);
    points(&mut Input::new(&name, &mut source, size, available, watch), columns)
}

/// Reads the content of a file; `name` is for messages, and its extension decides where the content does not.
///
/// # Errors
/// [`FormatError`]; whatever the bytes are, there is no panic.
pub fn parse(name: &str, bytes: &[u8], columns: Option<[usize; 2]>) -> Result<Loaded, FormatError> {
    let (size, mut source) = (bytes.len() as u64, bytes);
    let (available, watch) = (memory::available(), &mut unwatched);
    points(&mut Input::new(name, &mut source, size, available, watch), columns)
}

/// Reads an input in the format that its beginning says.
fn points(input: &mut Input<'_, '_>, columns: Option<[usize; 2]>) -> Result<Loaded, FormatError> {
    let owned = || input.name.to_owned();
    let extension = Path::new(input.name).extension().unwrap_or_default().to_string_lossy();
    let extension = extension.to_lowercase();
    if input.size == 0 {
        return Err(FormatError::Empty { name: owned() });
    }
    if extension == "npz" {
        return Err(FormatError::Npz { name: owned() });
    }
    let mut head = Vec::new();
    input.read(input.block, &mut head)?;
    let owned = || input.name.to_owned();
    if head.starts_with(b"PK\x03\x04") {
        return Err(FormatError::Packed { name: owned() });
    }
    if extension == "npy" || head.starts_with(npy::MAGIC) {
        return npy::read(input, head, columns);
    }
    if let Some(format) = picture_format(&extension, &head) {
        return picture::read(input, head, format);
    }
    if head.starts_with(b"\xff\xfe") || head.starts_with(b"\xfe\xff") {
        return Err(FormatError::Utf16 { name: owned() });
    }
    table::read(input, head, columns)
}

/// The picture format that the content, or else the extension, says.
fn picture_format(extension: &str, bytes: &[u8]) -> Option<ImageFormat> {
    let is_known = |format: &ImageFormat| {
        use ImageFormat::{Bmp, Gif, Jpeg, Png, WebP};
        matches!(format, Bmp | Gif | Jpeg | Png | WebP)
    };
    let named = ImageFormat::from_extension(extension).filter(is_known);
    let seen = image::guess_format(bytes)
        .ok()
        .filter(is_known)
        // A bitmap's mark is two letters only, with which the head of a table may begin as well ("BMI,age").
        .filter(|format| *format != ImageFormat::Bmp || bytes.contains(&0));
    seen.or(named)
}

/// Two columns of a table, checked.
fn check_columns(name: &str, count: usize, chosen: [usize; 2]) -> Result<(), FormatError> {
    if count == 1 {
        return Err(FormatError::OneColumn { name: name.to_owned() });
    }
    match chosen.into_iter().find(|&column| column >= count) {
        Some(column) => {
            Err(FormatError::NoColumn { name: name.to_owned(), count, column: column + 1 })
        }
        None => Ok(()),
    }
}

/// Rows that did not become points: how many, and what is wrong with the first.
#[derive(Debug, Default)]
struct Skipped {
    count: usize,
    first: Option<String>,
}

impl Skipped {
    /// Counts a row; the problem is only put into words if it is the first.
    fn add(&mut self, problem: impl FnOnce() -> String) {
        self.count += 1;
        self.first.get_or_insert_with(problem);
    }

    /// What a person should know about the skipped rows; an error if no row is left.
    fn note(self, name: &str, kept: usize) -> Result<Option<String>, FormatError> {
        let Some(first) = self.first else {
            let empty = || FormatError::Empty { name: name.to_owned() };
            return if kept > 0 { Ok(None) } else { Err(empty()) };
        };
        if kept == 0 {
            return Err(FormatError::NoRows { name: name.to_owned(), problem: first });
        }
        let total = kept + self.count;
        Ok(Some(match self.count {
            1 => format!("{name}: 1 of {total} rows was skipped: {first}"),
            n => format!("{name}: {n} of {total} rows were skipped; the first is {first}"),
        }))
    }
}

/// Says which columns became points where a person might want others.
fn note_on_choice(name: &str, columns: &[String], chosen: [usize; 2]) -> Option<String> {
    let [a, b] = chosen.map(|column| &columns[column]);
    (columns.len() > 2)
        .then(|| format!("{name} has {} columns; \"{a}\" and \"{b}\" were read", columns.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The error that some bytes give, in words.
    fn error(name: &str, bytes: &[u8]) -> String {
        parse(name, bytes, None).unwrap_err().to_string()
    }

    #[test]
    fn what_cannot_be_read_says_what_to_try() {
        let unknown = "x.dat is neither text nor an .npy array nor a picture (PNG, JPEG, BMP, GIF, WebP): save the points as CSV";
        let packed = "x.xlsx is a packed file, such as a spreadsheet or an archive: save the points in it as CSV";
        let utf16 = "x.csv is UTF-16 text: save it as UTF-8 (in a spreadsheet program: CSV UTF-8)";
        let npz = "x.npz is an archive of several arrays: save the one array with np.save as .npy";
        let empty = "x.csv is empty: a file needs at least one row with two numbers";
        let check = |name, bytes: &[u8], expected| assert_eq!(error(name, bytes), expected);
        check("x.csv", b"", empty);
        check("x.dat", b"1,2\x00\n", unknown);
        check("x.csv", b"\xff\xfe1\x00,\x002\x00", utf16);
        check("x.xlsx", b"PK\x03\x04....", packed);
        check("x.npz", b"PK\x03\x04....", npz);
        let missing =
            read(Path::new("/no/such/file.csv"), None, &mut unwatched).unwrap_err().to_string();
        assert!(missing.starts_with("/no/such/file.csv could not be read: "), "{missing}");
    }

    #[test]
    fn the_content_decides_before_the_extension() {
        let is_picture = |name, bytes: &[u8]| error(name, bytes).contains("as a picture");
        assert!(is_picture("x.csv", b"\x89PNG\r\n\x1a\nrubbish"));
        assert!(is_picture("x.png", b"rubbish"));
        assert_eq!(parse("x.csv", b"BMI,age\n22.5,31\n", None).unwrap().points, [[22.5, 31.0]]);
        assert!(error("x.npy", b"1,2\n").contains("not an .npy array"));
    }

    #[test]
    fn files_are_read_from_disk() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("two points.csv");
        std::fs::write(&path, "x,y\n1,2\n3,4\n").unwrap();
        let loaded = read(&path, None, &mut unwatched).unwrap();
        assert_eq!(loaded.points, [[1.0, 2.0], [3.0, 4.0]]);
        assert!(read(folder.path(), None, &mut unwatched).is_err());
    }
}
