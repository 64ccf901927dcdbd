//! Reel: frames drawn on a few threads, and shown in order.

use std::io;
use std::num::NonZeroUsize;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use super::super::ExportError;
use crate::figures::Picture;

/// The frames of a film. All are equally large and opaque.
pub struct Reel<'a> {
    /// How many.
    pub count: usize,
    /// Frames a second, 1 to 50.
    pub per_second: u32,
    /// Draws one, counted from 0; may be called from several threads.
    pub draw: &'a (dyn Fn(usize) -> Result<Picture, ExportError> + Sync),
}

/// More threads would wait for the one that encodes.
const MOST_THREADS: usize = 4;
/// Frames that a thread is ahead of the encoder: bounds memory.
const AHEAD: usize = 2;
/// Seconds that the last frame stays before a film begins again: long enough to look at the result.
pub(super) const LAST_FRAME_SECS: f64 = 2.0;
/// Frames whose colors decide for the others.
const SAMPLE_COUNT: usize = 6;

type Drawn = Result<Picture, ExportError>;

impl Reel<'_> {
    /// Some frames from start to end, to know the colors of all.
    ///
    /// # Errors
    /// What drawing gives.
    pub(super) fn samples(&self) -> io::Result<Vec<Picture>> {
        let count = SAMPLE_COUNT.min(self.count);
        let last = self.count.saturating_sub(1);
        let at = |i: usize| i * last / count.saturating_sub(1).max(1);
        (0..count).map(|i| (self.draw)(at(i)).map_err(io::Error::other)).collect()
    }

    /// Shows every frame in order; `watch` hears how many are done, and gives false to stop.
    ///
    /// # Errors
    /// What drawing and showing give; [`io::ErrorKind::Interrupted`] if it was stopped.
    pub(super) fn play(
        &self,
        watch: &mut dyn FnMut(usize) -> bool,
        show: &mut dyn FnMut(Picture) -> io::Result<()>,
    ) -> io::Result<()> {
        let cores = thread::available_parallelism().map_or(1, NonZeroUsize::get);
        let thread_count = cores.min(MOST_THREADS).min(self.count.max(1));
        thread::scope(|scope| {
            let mut drawers = Vec::new();
            let mut receivers = Vec::new();
            for number in 0..thread_count {
                let (sender, receiver) = sync_channel(AHEAD);
                let name = format!("frames {number}");
                let draw = move || self.draw_every(number, thread_count, &sender);
                drawers.push(thread::Builder::new().name(name).spawn_scoped(scope, draw)?);
                receivers.push(receiver);
            }
            let outcome = (0..self.count).try_for_each(|i| {
                show(next(&receivers[i % thread_count])?)?;
                if watch(i + 1) { Ok(()) } else { Err(io::ErrorKind::Interrupted.into()) }
            });
            // Nobody listens any more: drawers that are still at work end.
            drop(receivers);
            // All of them have to be waited for, whatever the first says.
            let ended: Vec<bool> =
                drawers.into_iter().map(|drawer| drawer.join().is_ok()).collect();
            let all_ended = ended.iter().all(|ended| *ended);
            if all_ended { outcome } else { outcome.and_then(|()| Err(bug())) }
        })
    }

    /// Draws every frame that is this thread's turn.
    fn draw_every(&self, first: usize, stride: usize, sender: &SyncSender<Drawn>) {
        for i in (first..self.count).step_by(stride) {
            if sender.send((self.draw)(i)).is_err() {
                return;
            }
        }
    }
}

/// The next frame of a thread.
fn next(receiver: &Receiver<Drawn>) -> io::Result<Picture> {
    receiver.recv().map_err(|_| bug())?.map_err(io::Error::other)
}

/// A drawer panicked.
fn bug() -> io::Error {
    io::Error::other("a frame could not be drawn because of a bug in ScoreScope")
}
