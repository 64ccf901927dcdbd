//! Reading a file of points, with a bar where somebody watches.

use std::ops::ControlFlow;
use std::path::Path;

use indicatif::{ProgressBar, ProgressStyle};

use crate::data::formats::{self, FormatError, Loaded, Progress};

/// Reads a file, and says what a person should know about how it was read.
pub(super) fn read(path: &Path, columns: Option<[usize; 2]>) -> Result<Loaded, FormatError> {
    let bar = ProgressBar::no_length();
    bar.set_style(
        ProgressStyle::with_template("{bar:30} {bytes} of {total_bytes} read  {eta} left")
            .unwrap_or_else(|_| ProgressStyle::default_bar()),
    );
    let loaded = formats::read(path, columns, &mut |progress: Progress| {
        // A pipe does not tell its size.
        if progress.bytes_in_all > 0 {
            bar.set_length(progress.bytes_in_all);
        }
        bar.set_position(progress.bytes_read);
        ControlFlow::Continue(())
    });
    bar.finish_and_clear();
    let loaded = loaded?;
    for note in &loaded.notes {
        eprintln!("scorescope: {note}");
    }
    Ok(loaded)
}
