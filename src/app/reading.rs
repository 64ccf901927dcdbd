//! Reading: a file that a job reads, seen from the window: how far it is, and that nobody wants it any more.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

use crate::data::formats::Progress;

/// A file on its way. Dropping it ends the reading after the current block.
pub struct Reading {
    /// What the file is called.
    pub name: String,
    /// When it was asked for.
    pub began: Instant,
    shared: Arc<Shared>,
}

/// What the job's thread and the window's thread share.
#[derive(Default)]
struct Shared {
    bytes_read: AtomicU64,
    bytes_in_all: AtomicU64,
    is_unwanted: AtomicBool,
}

impl Reading {
    /// A file that has just been asked for.
    #[must_use]
    pub fn new(path: &Path) -> Reading {
        let name = path.file_name().unwrap_or(path.as_os_str()).display().to_string();
        Reading { name, began: Instant::now(), shared: Arc::default() }
    }

    /// What the job tells of its progress, and asks whether to go on.
    pub fn watch(&self) -> impl FnMut(Progress) -> ControlFlow<()> + Send + use<> {
        let shared = self.shared.clone();
        move |progress| {
            // Each value stands for itself: no order between them matters.
            shared.bytes_read.store(progress.bytes_read, Ordering::Relaxed);
            shared.bytes_in_all.store(progress.bytes_in_all, Ordering::Relaxed);
            if shared.is_unwanted.load(Ordering::Relaxed) {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        }
    }

    /// How much has been read.
    #[must_use]
    pub fn progress(&self) -> Progress {
        Progress {
            bytes_read: self.shared.bytes_read.load(Ordering::Relaxed),
            bytes_in_all: self.shared.bytes_in_all.load(Ordering::Relaxed),
        }
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        self.shared.is_unwanted.store(true, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reading_that_is_dropped_stops_its_job() {
        let reading = Reading::new(Path::new("folder/points.csv"));
        assert_eq!((reading.name.as_str(), reading.progress().share()), ("points.csv", 0.0));
        let mut watch = reading.watch();
        let progress = Progress { bytes_read: 30, bytes_in_all: 40 };
        assert_eq!(watch(progress), ControlFlow::Continue(()));
        assert_eq!(reading.progress(), progress);
        drop(reading);
        assert_eq!(watch(progress), ControlFlow::Break(()));
    }
}
