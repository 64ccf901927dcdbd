//! Crew: numbered pieces of work in the background, each computed whole on one thread.
//!
//! Small computations gain nothing from several threads, so every thread has a pool of its own where passes over the
//! data are sequential. A piece gives the same bits wherever it is computed; only the order in which pieces arrive
//! depends on the machine.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};

use rayon::{ThreadPool, ThreadPoolBuilder};

/// A piece of work, or what is wrong with all of them.
type Piece<T> = Result<(usize, T), String>;

/// Work on its way. Dropping it ends every piece as soon as the piece asks whether it is wanted.
pub struct Crew<T> {
    count: usize,
    results: Receiver<Piece<T>>,
    is_unwanted: Arc<AtomicBool>,
    /// Threads end with their pools.
    _pools: Vec<ThreadPool>,
}

/// What the threads share.
struct Plan<W> {
    count: usize,
    /// How many pieces have been begun.
    begun: AtomicUsize,
    is_unwanted: Arc<AtomicBool>,
    /// Gives a piece; `None` if it was told that nobody wants it any more.
    work: W,
}

impl<T: Send + 'static> Crew<T> {
    /// Begins `count` pieces in the background, on so many threads. `work` is given the number of a piece, from 0, and
    /// a way to ask whether it is still wanted, to which it answers with `None` once it is not. An error ends all.
    /// `wake` is called after every result.
    ///
    /// # Errors
    /// An I/O error if the system gives no threads.
    pub fn spawn(
        count: usize,
        thread_count: usize,
        work: impl Fn(usize, &dyn Fn() -> bool) -> Result<Option<T>, String> + Send + Sync + 'static,
        wake: impl Fn() + Clone + Send + 'static,
    ) -> std::io::Result<Crew<T>> {
        let is_unwanted = Arc::new(AtomicBool::new(false));
        let begun = AtomicUsize::new(0);
        let plan = Arc::new(Plan { count, begun, is_unwanted: is_unwanted.clone(), work });
        let pools = (0..thread_count.clamp(1, count.max(1)))
            .map(|_| ThreadPoolBuilder::new().num_threads(1).build())
            .collect::<Result<Vec<_>, _>>()
            .map_err(std::io::Error::other)?;
        let (sender, results) = channel();
        for pool in &pools {
            let (plan, sender, wake) = (plan.clone(), sender.clone(), wake.clone());
            pool.spawn(move || plan.work_off(&sender, wake));
        }
        Ok(Crew { count, results, is_unwanted, _pools: pools })
    }

    /// How many pieces there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.count
    }

    /// What arrived since the last call, with its number; an error says why nothing more will.
    pub fn drain(&self) -> impl Iterator<Item = Result<(usize, T), String>> {
        self.results.try_iter()
    }

    /// All that is still to come; waits for it.
    pub fn wait(&self) -> impl Iterator<Item = Result<(usize, T), String>> {
        self.results.iter()
    }
}

impl<T> Drop for Crew<T> {
    fn drop(&mut self) {
        self.is_unwanted.store(true, Ordering::Relaxed);
    }
}

impl<W> Plan<W> {
    /// Computes one piece after the other until all have been begun.
    fn work_off<T>(&self, results: &Sender<Piece<T>>, wake: impl Fn())
    where
        W: Fn(usize, &dyn Fn() -> bool) -> Result<Option<T>, String>,
    {
        let is_wanted = || !self.is_unwanted.load(Ordering::Relaxed);
        while is_wanted() {
            let number = self.begun.fetch_add(1, Ordering::Relaxed);
            if number >= self.count {
                return;
            }
            let bug = |_| Err(format!("number {number} stopped because of a bug in ScoreScope"));
            let work = AssertUnwindSafe(|| (self.work)(number, &is_wanted));
            let result = match catch_unwind(work).unwrap_or_else(bug) {
                Ok(None) => return,
                Ok(Some(value)) => Ok((number, value)),
                Err(message) => {
                    // What is wrong with one is wrong with all: too few points, say.
                    self.is_unwanted.store(true, Ordering::Relaxed);
                    Err(message)
                }
            };
            // Nobody may be listening any more.
            let _ = results.send(result);
            wake();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_piece_is_done_once_whatever_the_number_of_threads() {
        for threads in [1, 2, 5] {
            let crew = Crew::spawn(100, threads, |i, _| Ok(Some(i * i)), || ()).unwrap();
            let mut pieces: Vec<_> = crew.wait().map(Result::unwrap).collect();
            pieces.sort_unstable();
            assert!(pieces.into_iter().eq((0..100).map(|i| (i, i * i))), "{threads}");
        }
    }

    #[test]
    fn a_panic_is_a_message_and_ends_all() {
        let work = |i: usize, _: &dyn Fn() -> bool| {
            assert!(i < 3, "as it should");
            Ok(Some(i))
        };
        let crew = Crew::spawn(1_000_000, 1, work, || ()).unwrap();
        let results: Vec<_> = crew.wait().collect();
        assert_eq!(results[..3], [Ok((0, 0)), Ok((1, 1)), Ok((2, 2))]);
        let [Err(message)] = &results[3..] else { panic!("{results:?}") };
        assert_eq!(message, "number 3 stopped because of a bug in ScoreScope");
    }
}
