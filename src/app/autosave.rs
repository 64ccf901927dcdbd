//! Autosave: copies of the session against a crash, three generations of them, in a folder of this program's own.
//!
//! Every running program has a folder and holds a lock in it, which the system lets go of however the program ends. A
//! folder whose lock is free was left by a crash: programs that end take theirs away.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use crate::export::write_file;

/// How many copies there are.
pub const GENERATIONS: u64 = 3;

/// Folders that crashes have left are kept up to this number.
const MOST_LEFT: usize = 5;

/// Says in a folder that somebody has been offered what is in it.
const OFFERED: &str = "offered";

const LOCK: &str = "lock";

/// The folder of one running program, from its first copy to its end.
#[derive(Debug, Clone)]
pub struct Den(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    folder: PathBuf,
    /// Held as long as the program runs; `None` before the first copy.
    lock: Option<File>,
    count: u64,
    is_closed: bool,
}

impl Den {
    /// A den among those in this folder. Nothing is written yet.
    #[must_use]
    pub fn new(dens: &Path) -> Den {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        // The system gives numbers of processes again, and a program may have several windows in its tests.
        let name = format!("{}-{}", std::process::id(), now.as_nanos());
        let state = State { folder: dens.join(name), lock: None, count: 0, is_closed: false };
        Den(Arc::new(Mutex::new(state)))
    }

    /// Writes a copy, and removes the one before the last three.
    ///
    /// # Errors
    /// If the folder or the file cannot be written.
    pub fn write(&self, bytes: &[u8]) -> anyhow::Result<()> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if state.is_closed {
            return Ok(());
        }
        if state.lock.is_none() {
            fs::create_dir_all(&state.folder)?;
            let lock = File::create(state.folder.join(LOCK))?;
            lock.lock()?;
            state.lock = Some(lock);
        }
        write_file(&copy(&state.folder, state.count), bytes)?;
        state.count += 1;
        if let Some(old) = state.count.checked_sub(GENERATIONS + 1) {
            // One copy more does no harm.
            let _ = fs::remove_file(copy(&state.folder, old));
        }
        Ok(())
    }

    /// Takes the folder away: the program ends as it should.
    pub fn close(&self) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.is_closed = true;
        if state.lock.take().is_some() {
            let _ = fs::remove_dir_all(&state.folder);
        }
    }
}

fn copy(folder: &Path, number: u64) -> PathBuf {
    folder.join(format!("{number}.scorescope"))
}

/// A copy that a crash has left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Left {
    /// Where it is.
    pub path: PathBuf,
    /// How long ago it was written.
    pub age: Duration,
}

/// The newest copy that a crash has left and nobody has been offered; from now on all of them have been. The oldest
/// folders go.
///
/// # Errors
/// If the folders cannot be listed.
pub fn left_by_crashes(dens: &Path) -> anyhow::Result<Option<Left>> {
    let mut left = Vec::new();
    for entry in fs::read_dir(dens)? {
        let folder = entry?.path();
        // Held until all is looked at, so that two programs that begin at once do not offer the same.
        let Some(lock) = abandoned(&folder) else { continue };
        let Some((path, written)) = newest_copy(&folder) else { continue };
        left.push((written, path, folder, lock));
    }
    left.sort_by_key(|(written, ..)| std::cmp::Reverse(*written));
    for (_, _, folder, _) in left.iter().skip(MOST_LEFT) {
        fs::remove_dir_all(folder)?;
    }
    left.truncate(MOST_LEFT);
    left.retain(|(_, _, folder, _)| !folder.join(OFFERED).exists());
    for (_, _, folder, _) in &left {
        write_file(&folder.join(OFFERED), b"")?;
    }
    Ok(left.into_iter().next().map(|(written, path, ..)| Left {
        path,
        age: SystemTime::now().duration_since(written).unwrap_or_default(),
    }))
}

/// The lock of a folder that no running program holds.
fn abandoned(folder: &Path) -> Option<File> {
    let lock = File::options().write(true).open(folder.join(LOCK)).ok()?;
    match lock.try_lock() {
        Ok(()) => Some(lock),
        // Where locks are not to be had, nobody knows: leave it alone.
        Err(TryLockError::WouldBlock | TryLockError::Error(_)) => None,
    }
}

/// The copy in a folder that was written last, and when.
fn newest_copy(folder: &Path) -> Option<(PathBuf, SystemTime)> {
    let number = |path: &Path| -> Option<u64> {
        let is_copy = path.extension().is_some_and(|extension| extension == "scorescope");
        path.file_stem().filter(|_| is_copy)?.to_str()?.parse().ok()
    };
    let paths = fs::read_dir(folder).ok()?.filter_map(|entry| Some(entry.ok()?.path()));
    let newest = paths.filter(|path| number(path).is_some()).max_by_key(|path| number(path))?;
    let written = fs::metadata(&newest).and_then(|metadata| metadata.modified()).ok()?;
    Some((newest, written))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As a crash does it: the lock is gone, the folder is not.
    fn crash(den: Den) {
        drop(den);
    }

    #[test]
    fn three_generations_are_kept_and_a_crash_leaves_the_last_to_be_offered_once() {
        let folder = tempfile::tempdir().unwrap();
        let dens = folder.path().join("autosave");
        assert!(left_by_crashes(&dens).is_err(), "there is no folder yet");
        let (first, second, unused) = (Den::new(&dens), Den::new(&dens), Den::new(&dens));
        for text in ["one", "two", "three", "four", "five"] {
            first.write(text.as_bytes()).unwrap();
        }
        second.write(b"another").unwrap();
        // Both still run.
        assert_eq!(left_by_crashes(&dens).unwrap(), None);
        crash(first);
        let left = left_by_crashes(&dens).unwrap().unwrap();
        assert_eq!(fs::read(&left.path).unwrap(), b"five");
        assert!(left.age < Duration::from_mins(1));
        assert_eq!(left_by_crashes(&dens).unwrap(), None, "it was offered");
        let copies = fs::read_dir(left.path.parent().unwrap()).unwrap();
        assert_eq!(
            copies.count() as u64,
            GENERATIONS + 2,
            "three, a lock, and that it was offered"
        );
        // One that ends as it should leaves nothing, and writes nothing afterwards.
        second.close();
        second.write(b"late").unwrap();
        unused.close();
        assert_eq!(fs::read_dir(&dens).unwrap().count(), 1);
    }

    #[test]
    fn old_crashes_are_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        for text in ["a", "b", "c", "d", "e", "f", "g"] {
            let den = Den::new(folder.path());
            den.write(text.as_bytes()).unwrap();
            crash(den);
        }
        assert!(left_by_crashes(folder.path()).unwrap().is_some());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), MOST_LEFT);
        assert_eq!(left_by_crashes(folder.path()).unwrap(), None);
    }
}
