//! Errand: something long that a job does, seen from the window: how far it is, and that nobody wants it any more.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

use crate::data::formats::Progress;

/// Something on its way. Dropping it ends the work at the next occasion.
pub struct Errand {
    /// What is done: "Reading", "Filming".
    pub doing: &'static str,
    /// What the file is called.
    pub name: String,
    /// When it was asked for.
    pub began: Instant,
    shared: Arc<Shared>,
}

/// What the job's thread and the window's thread share.
#[derive(Default)]
struct Shared {
    done: AtomicU64,
    in_all: AtomicU64,
    is_unwanted: AtomicBool,
}

impl Errand {
    /// Work on a file that has just been asked for.
    #[must_use]
    pub fn new(doing: &'static str, path: &Path) -> Errand {
        let name = path.file_name().unwrap_or(path.as_os_str()).display().to_string();
        Errand { doing, name, began: Instant::now(), shared: Arc::default() }
    }

    /// What the job tells of its progress: how much is done, of how much. Gives false once nobody wants it any more.
    pub fn teller(&self) -> impl FnMut(u64, u64) -> bool + Send + use<> {
        let shared = self.shared.clone();
        move |done, in_all| {
            // Each value stands for itself: no order between them matters.
            shared.done.store(done, Ordering::Relaxed);
            shared.in_all.store(in_all, Ordering::Relaxed);
            !shared.is_unwanted.load(Ordering::Relaxed)
        }
    }

    /// The same as a file is read.
    pub fn watch(&self) -> impl FnMut(Progress) -> ControlFlow<()> + Send + use<> {
        let mut tell = self.teller();
        move |progress| {
            if tell(progress.bytes_read, progress.bytes_in_all) {
                ControlFlow::Continue(())
            } else {
                ControlFlow::Break(())
            }
        }
    }

    /// How much is done, and of how much; 0 of 0 where that is not known.
    #[must_use]
    pub fn progress(&self) -> (u64, u64) {
        (self.shared.done.load(Ordering::Relaxed), self.shared.in_all.load(Ordering::Relaxed))
    }
}

impl Drop for Errand {
    fn drop(&mut self) {
        self.shared.is_unwanted.store(true, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_errand_that_is_dropped_stops_its_job() {
        let reading = Errand::new("Reading", Path::new("folder/points.csv"));
        assert_eq!((reading.name.as_str(), reading.progress()), ("points.csv", (0, 0)));
        let (mut watch, mut tell) = (reading.watch(), reading.teller());
        let progress = Progress { bytes_read: 30, bytes_in_all: 40 };
        assert_eq!(watch(progress), ControlFlow::Continue(()));
        assert_eq!(reading.progress(), (30, 40));
        assert!(tell(31, 40));
        drop(reading);
        assert_eq!(watch(progress), ControlFlow::Break(()));
        assert!(!tell(32, 40));
    }
}
