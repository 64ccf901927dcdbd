//! Experiment files: those of the disk.

use std::fs;
use std::path::Path;

use anyhow::Context;

/// Its name and its text.
pub(super) fn read(path: &Path) -> anyhow::Result<(String, String)> {
    let name = path.display().to_string();
    let text = fs::read_to_string(path).with_context(|| format!("{name} cannot be read"))?;
    Ok((name, text))
}
