//! Autosave: copies of the session against a crash, three generations of them, in a folder of this program's own.
//!
//! Every running program has a folder and holds a lock in it, which the system lets go of however the program ends. A
//! folder whose lock is free was left by a crash: programs that end take theirs away.

use std::cmp::Reverse;
use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use anyhow::anyhow;

use crate::export::write_file;

/// How many copies there are.
pub const GENERATIONS: u64 = 3;

/// Folders that crashes have left are kept up to this number.
const MOST_LEFT: usize = 5;

/// Says in a folder that somebody has been offered what is in it, and has answered.
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
            let name = state.folder.display().to_string();
            let unwritable = |error: std::io::Error| anyhow!("{name} cannot be written: {error}");
            fs::create_dir_all(&state.folder).map_err(unwritable)?;
            let lock = File::create(state.folder.join(LOCK)).map_err(unwritable)?;
            // Not every file system has locks: copies that nobody is offered are better than none.
            let _ = lock.lock();
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
        if let Some(lock) = state.lock.take() {
            // Under the lock, so that a program that begins now is offered nothing.
            let _ = fs::remove_dir_all(&state.folder);
            drop(lock);
            // Some systems keep a locked file until now.
            let _ = fs::remove_dir_all(&state.folder);
        }
    }
}

fn copy(folder: &Path, number: u64) -> PathBuf {
    folder.join(format!("{number}.scorescope"))
}

/// A copy that a crash has left.
#[derive(Debug)]
pub struct Left {
    /// Where it is.
    pub path: PathBuf,
    /// How long ago it was written.
    pub age: Duration,
    /// The lock of its folder: as long as nobody has answered, no other program offers it or takes it away.
    _lock: File,
}

/// The newest copy that a crash has left and nobody has answered about. Of many folders the oldest go, those with an
/// answer first. What cannot be read or removed is no reason to offer nothing.
#[must_use]
pub fn left_by_crashes(dens: &Path) -> Option<Left> {
    // Where nothing was ever kept there is no folder.
    let folders = fs::read_dir(dens).ok()?.filter_map(|entry| Some(entry.ok()?.path()));
    let found = folders.filter_map(|folder| {
        // Held until all is looked at, so that two programs that begin at once do not offer the same.
        let lock = abandoned(&folder)?;
        let (path, written) = newest_copy(&folder)?;
        let is_answered = folder.join(OFFERED).exists();
        Some((is_answered, Reverse(written), path, folder, lock))
    });
    let mut left: Vec<_> = found.collect();
    left.sort_by_key(|(is_answered, written, ..)| (*is_answered, *written));
    for (.., folder, _) in left.iter().skip(MOST_LEFT) {
        let _ = fs::remove_dir_all(folder);
    }
    let (is_answered, Reverse(written), path, _, lock) = left.into_iter().next()?;
    let age = SystemTime::now().duration_since(written).unwrap_or_default();
    (!is_answered).then_some(Left { path, age, _lock: lock })
}

/// Takes note that somebody has answered, so that nobody is asked again.
pub fn keep_answered(left: &Left) {
    if let Some(folder) = left.path.parent() {
        // Being asked once more does no harm.
        let _ = write_file(&folder.join(OFFERED), b"");
    }
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
    fn three_generations_are_kept_and_a_crash_leaves_the_last_to_be_offered_until_there_is_an_answer()
     {
        let folder = tempfile::tempdir().unwrap();
        let dens = folder.path().join("autosave");
        assert!(left_by_crashes(&dens).is_none(), "there is no folder yet");
        let (first, second, unused) = (Den::new(&dens), Den::new(&dens), Den::new(&dens));
        for text in ["one", "two", "three", "four", "five"] {
            first.write(text.as_bytes()).unwrap();
        }
        second.write(b"another").unwrap();
        // Both still run.
        assert!(left_by_crashes(&dens).is_none());
        crash(first);
        let left = left_by_crashes(&dens).unwrap();
        assert_eq!(fs::read(&left.path).unwrap(), b"five");
        assert!(left.age < Duration::from_mins(1));
        assert!(left_by_crashes(&dens).is_none(), "it is being offered");
        // Whoever was offered it has crashed as well, or never answered.
        drop(left);
        let left = left_by_crashes(&dens).unwrap();
        keep_answered(&left);
        let copies = fs::read_dir(left.path.parent().unwrap()).unwrap();
        assert_eq!(copies.count() as u64, GENERATIONS + 2, "three, a lock, and the answer");
        drop(left);
        assert!(left_by_crashes(&dens).is_none(), "it was answered");
        // One that ends as it should leaves nothing, and writes nothing afterwards.
        second.close();
        second.write(b"late").unwrap();
        unused.close();
        assert_eq!(fs::read_dir(&dens).unwrap().count(), 1);
    }

    #[test]
    fn of_many_crashes_each_is_offered_and_the_oldest_are_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        // Seconds apart, as file systems do not tell less.
        let crashed = |(second, text): (u64, &str)| {
            let den = Den::new(folder.path());
            den.write(text.as_bytes()).unwrap();
            let written = copy(&den.0.lock().unwrap().folder, 0);
            let file = File::options().write(true).open(written).unwrap();
            file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(second)).unwrap();
            crash(den);
        };
        (1..).zip(["a", "b", "c", "d", "e", "f", "g"]).for_each(crashed);
        for expected in ["g", "f", "e", "d", "c"] {
            let left = left_by_crashes(folder.path()).unwrap();
            assert_eq!(fs::read_to_string(&left.path).unwrap(), expected);
            assert_eq!(fs::read_dir(folder.path()).unwrap().count(), MOST_LEFT);
            keep_answered(&left);
        }
        assert!(left_by_crashes(folder.path()).is_none());
        // What has an answer goes first, however new it is.
        crashed((0, "h"));
        let left = left_by_crashes(folder.path()).unwrap();
        assert_eq!(fs::read_to_string(&left.path).unwrap(), "h");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), MOST_LEFT);
    }

    #[test]
    fn copies_that_cannot_be_written_name_their_folder() {
        let folder = tempfile::tempdir().unwrap();
        let dens = folder.path().join("no folder");
        fs::write(&dens, "a file").unwrap();
        let error = Den::new(&dens).write(b"one").unwrap_err().to_string();
        assert!(error.contains(&dens.display().to_string()), "{error}");
        assert!(left_by_crashes(&dens).is_none());
    }
}
