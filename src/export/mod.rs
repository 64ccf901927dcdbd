//! Export: figures, points, tables and models as bytes, one file each, and writing them without harm.

pub mod canvases;
pub mod caption;
pub mod film;
pub mod keepsake;
pub mod maps;
pub mod model;
pub mod points;
pub mod sheet;
pub mod style;
pub mod summary;
pub mod table;

mod grid;
mod layout;
mod marks;
mod pdf;
mod png;
mod svg;
mod text;

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

pub use png::png;
pub use svg::{POINTS_RESOLUTION, inside, svg};

/// Why something was not exported, or a model not read.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// A picture without pixels, or with too many.
    #[error(
        "a picture of {width} × {height} pixels is not possible: both sides take 1 to {MAX_PIXELS}"
    )]
    Size {
        /// Pixels in a row.
        width: f64,
        /// Number of rows.
        height: f64,
    },
    /// A figure whose sizes are not possible.
    #[error("the figure's {what}: {problem}")]
    Style {
        /// Which size.
        what: &'static str,
        /// What is wrong with it.
        problem: String,
    },
    /// A library refused; a bug of ours.
    #[error("the {what} could not be made: {reason}")]
    Encoding {
        /// What was to be made.
        what: &'static str,
        /// What the library said.
        reason: String,
    },
    /// JSON has no NaN and no infinity.
    #[error(
        "{field} contains a number that is not finite, so there is no model to save: go back to an earlier step"
    )]
    NotFinite {
        /// Which field.
        field: &'static str,
    },
    /// A model file with something missing or wrong.
    #[error("{field}: {problem}")]
    Model {
        /// Which field.
        field: &'static str,
        /// What is wrong with it.
        problem: String,
    },
    /// A film that cannot be made here.
    #[error("{0}")]
    Film(String),
    /// The file system refused.
    #[error("{} was not written: {source}; {advice}", path.display())]
    Write {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
        /// What to try.
        advice: &'static str,
    },
}

/// The longest side of a picture.
const MAX_PIXELS: f64 = 16_384.0;

/// Writes a file all at once: after an error, or a power cut, the old one is still there.
///
/// # Errors
/// [`ExportError::Write`] with the path and what to try.
pub fn write_file(path: &Path, bytes: &[u8]) -> Result<(), ExportError> {
    write_file_by(path, |file| file.write_all(bytes))
}

/// The same, with a file that is written bit by bit.
///
/// # Errors
/// As [`write_file`], and what `write` gives.
pub fn write_file_by(
    path: &Path,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<(), ExportError> {
    replace(path, write).map_err(|source| refusal(path, source))
}

/// Whether a file could be written there, before anything is computed for it. Leaves nothing behind.
///
/// # Errors
/// As [`write_file`], the disk being full aside.
pub fn check_place(path: &Path) -> Result<(), ExportError> {
    beside(path).map(drop).map_err(|source| refusal(path, source))
}

/// What the system said, and what to try.
fn refusal(path: &Path, source: io::Error) -> ExportError {
    let advice = match source.kind() {
        io::ErrorKind::NotFound => "create the folder first, or choose another",
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            "choose a folder that you may write to"
        }
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            "free some space, or choose another disk"
        }
        io::ErrorKind::IsADirectory => "this is a folder, choose the name of a file",
        _ => "choose another folder or name",
    };
    ExportError::Write { path: path.to_owned(), source, advice }
}

fn replace(path: &Path, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let (target, mut file) = beside(path)?;
    let mut out = io::BufWriter::new(&mut file);
    write(&mut out)?;
    out.flush()?;
    drop(out);
    if let Ok(metadata) = fs::metadata(&target) {
        file.as_file().set_permissions(metadata.permissions())?;
    }
    file.as_file().sync_all()?;
    file.persist(&target)?;
    Ok(())
}

/// The file that a path means, and an empty one beside it that is gone when nobody holds it.
fn beside(path: &Path) -> io::Result<(PathBuf, tempfile::NamedTempFile)> {
    if path.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    // A link stays a link: its target is replaced.
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let folder = target.parent().filter(|folder| !folder.as_os_str().is_empty());
    let mut builder = tempfile::Builder::new();
    // Temporary files are private; a file people asked for has the usual permissions, or those it had.
    #[cfg(unix)]
    let usual = std::os::unix::fs::PermissionsExt::from_mode(0o666);
    #[cfg(unix)]
    builder.permissions(usual);
    let file = builder.tempfile_in(folder.unwrap_or(Path::new(".")))?;
    Ok((target, file))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_written_and_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("points.csv");
        for bytes in [&b"first"[..], b"second"] {
            write_file(&path, bytes).unwrap();
            assert_eq!(fs::read(&path).unwrap(), bytes);
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_place_is_checked_without_a_trace() {
        let folder = tempfile::tempdir().unwrap();
        check_place(&folder.path().join("figure.pdf")).unwrap();
        let error = check_place(&folder.path().join("no/figure.pdf")).unwrap_err().to_string();
        assert!(error.contains("no/figure.pdf was not written: "), "{error}");
        assert!(check_place(folder.path()).is_err());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_file_that_is_not_written_to_its_end_leaves_the_old_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("points.csv");
        write_file(&path, b"old").unwrap();
        let error = write_file_by(&path, |file| {
            file.write_all(&vec![b'1'; 100_000])?;
            Err(io::ErrorKind::StorageFull.into())
        });
        let error = error.unwrap_err().to_string();
        assert!(error.ends_with("; free some space, or choose another disk"), "{error}");
        assert_eq!(fs::read(&path).unwrap(), b"old");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn errors_name_the_path_and_what_to_try() {
        let folder = tempfile::tempdir().unwrap();
        let error = write_file(&folder.path().join("no/points.csv"), b"").unwrap_err().to_string();
        assert!(error.contains("no/points.csv was not written: "), "{error}");
        assert!(error.ends_with("; create the folder first, or choose another"), "{error}");
        let error = write_file(folder.path(), b"").unwrap_err().to_string();
        assert!(error.ends_with("; this is a folder, choose the name of a file"), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn links_and_permissions_stay() {
        use std::os::unix::fs::{PermissionsExt, symlink};
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("a"), folder.path().join("b"));
        write_file(&file, b"old").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
        symlink(&file, &link).unwrap();
        write_file(&link, b"new").unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read(&file).unwrap(), b"new");
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o640);
    }
}
