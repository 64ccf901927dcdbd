//! Numbered pictures: a folder of PNGs, for programs that cut films.

use std::fs;
use std::io;
use std::path::Path;

use super::super::{ExportError, marks, write_file};
use super::reel::Reel;

/// The name of a frame, counted from 1, as [`super::command_line`] reads it.
fn name(number: usize) -> String {
    format!("frame-{number:05}.png")
}

/// Writes all frames into a new folder, which appears once all of them are there.
///
/// # Errors
/// [`ExportError::Write`]: what drawing, watching and writing give; a folder that has something in it is left alone.
pub(super) fn write(
    path: &Path,
    reel: &Reel<'_>,
    watch: &mut dyn FnMut(usize) -> bool,
) -> Result<(), ExportError> {
    write_folder(path, reel, watch).map_err(|source| {
        let advice = match source.kind() {
            io::ErrorKind::AlreadyExists | io::ErrorKind::DirectoryNotEmpty => {
                "choose another name, for a new folder"
            }
            _ => "choose another folder or name",
        };
        ExportError::Write { path: path.to_owned(), source, advice }
    })
}

fn write_folder(
    path: &Path,
    reel: &Reel<'_>,
    watch: &mut dyn FnMut(usize) -> bool,
) -> io::Result<()> {
    if path.is_file() || path.is_dir() && fs::read_dir(path)?.next().is_some() {
        return Err(io::ErrorKind::AlreadyExists.into());
    }
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    let mut builder = tempfile::Builder::new();
    // Temporary folders are private; one that people asked for is not.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o755));
    let folder = builder.tempdir_in(parent.unwrap_or(Path::new(".")))?;
    let mut number = 0;
    reel.play(watch, &mut |picture| {
        number += 1;
        let bytes = marks::encode(&picture).map_err(io::Error::other)?;
        write_file(&folder.path().join(name(number)), &bytes).map_err(|error| match error {
            ExportError::Write { source, .. } => source,
            error => io::Error::other(error),
        })
    })?;
    if path.is_dir() {
        fs::remove_dir(path)?;
    }
    fs::rename(folder.path(), path)?;
    // It has another name now, and is to stay.
    let _ = folder.keep();
    Ok(())
}
