//! Recent: the files that were opened or saved last.

use std::path::{Path, PathBuf};

use crate::export::write_file;

/// How many are remembered.
pub const MOST_RECENT: usize = 10;

/// A file that was opened or saved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecentFile {
    /// Where it is, or was.
    pub path: PathBuf,
    /// True if it was there when somebody looked.
    pub is_there: bool,
}

/// Those in a list on disk, the last one first. Without a list, or with one that cannot be read, there are none.
#[must_use]
pub fn read(list: &Path) -> Vec<RecentFile> {
    let paths = std::fs::read(list).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
    let paths: Vec<PathBuf> = paths.unwrap_or_default();
    let file = |path: PathBuf| RecentFile { is_there: path.exists(), path };
    paths.into_iter().take(MOST_RECENT).map(file).collect()
}

/// Puts a file at the top of the list, and gives the new list. Other programs may have changed it meanwhile; of two that
/// write at the same time the last one stays.
///
/// # Errors
/// If the list cannot be written.
pub fn add(list: &Path, path: &Path) -> anyhow::Result<Vec<RecentFile>> {
    let path = std::path::absolute(path)?;
    let mut files = read(list);
    files.retain(|file| file.path != path);
    files.insert(0, RecentFile { is_there: path.exists(), path });
    files.truncate(MOST_RECENT);
    let paths: Vec<&PathBuf> = files.iter().map(|file| &file.path).collect();
    if let Some(folder) = list.parent() {
        std::fs::create_dir_all(folder)?;
    }
    write_file(list, &serde_json::to_vec_pretty(&paths)?)?;
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_files_are_remembered_the_last_first_and_each_once() {
        let folder = tempfile::tempdir().unwrap();
        let list = folder.path().join("data/recent.json");
        assert_eq!(read(&list), []);
        let here = folder.path().join("a b #1%.csv");
        std::fs::write(&here, "1,2\n").unwrap();
        add(&list, &here).unwrap();
        for i in 0..12 {
            add(&list, &folder.path().join(format!("{i}.csv"))).unwrap();
        }
        assert_eq!(read(&list).len(), MOST_RECENT);
        let files = add(&list, &here).unwrap();
        assert_eq!(files, read(&list));
        assert_eq!(files[0], RecentFile { path: here.clone(), is_there: true });
        assert!(files[1].path.ends_with("11.csv") && !files[1].is_there);
        let twice = add(&list, &here).unwrap();
        assert_eq!(twice, files);
        std::fs::write(&list, "rubbish").unwrap();
        assert_eq!(read(&list), []);
    }
}
