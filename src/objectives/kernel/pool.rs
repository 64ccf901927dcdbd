//! The threads that compute passes, kept at hand between them.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Does work on a thread of the pool, so that the passes in it need not wake one each. Alone in the pool, or on one of
/// its threads already, this only does the work.
pub(crate) fn in_pool<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    if rayon::current_thread_index().is_some() || rayon::current_num_threads() == 1 {
        return work();
    }
    rayon::scope(|_| work())
}

/// How long a thread waits at most: serial work between two passes takes a tenth of it.
const LONGEST_WAIT: Duration = Duration::from_micros(500);

/// Does serial work between two passes while one more thread of the pool waits for the next pass in a loop.
///
/// An idle thread of the pool falls asleep within microseconds, and to wake it costs more than the work that burn does
/// between two passes over ten thousand points. Outside a pool, or alone in it, this only does the work.
pub(crate) fn between_passes<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    let own_index = rayon::current_thread_index();
    if own_index.is_none() || rayon::current_num_threads() == 1 {
        return work();
    }
    let is_done = AtomicBool::new(false);
    let work = || {
        // Also if the work panics, nobody waits any longer.
        let _done = SetOnDrop(&is_done);
        work()
    };
    let wait = || {
        // On this very thread there is nobody to wait for.
        if rayon::current_thread_index() == own_index {
            return;
        }
        let began = Instant::now();
        while !is_done.load(Ordering::Acquire) && began.elapsed() < LONGEST_WAIT {
            std::hint::spin_loop();
        }
    };
    rayon::join(work, wait).0
}

struct SetOnDrop<'a>(&'a AtomicBool);

impl Drop for SetOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}

#[cfg(test)]
mod tests {
    use rayon::prelude::*;

    use super::*;
    use crate::model::Mixture;
    use crate::objectives::kernel::mean_log_likelihood;

    fn in_pools(test: impl Fn() + Sync) {
        for threads in [1, 2, 3] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(&test);
        }
    }

    #[test]
    fn work_is_done_and_its_panics_are_passed_on() {
        in_pools(|| {
            for i in 0..100 {
                assert_eq!(between_passes(|| in_pool(|| i)), i);
            }
            let parallel = || (0..100).into_par_iter().sum::<i32>();
            assert_eq!(between_passes(parallel), 4950);
            let panic = std::panic::catch_unwind(|| between_passes(|| panic!("as it should")));
            assert!(panic.is_err());
        });
        assert_eq!(between_passes(|| in_pool(|| 1)), 1);
    }

    #[test]
    fn many_passes_at_once_do_not_disturb_each_other() {
        let covariances = [[1.0, 0.3, 0.5], [0.2, 0.0, 0.1]];
        let mixture = Mixture::new(&[0.4, 0.6], &[[0.0, 0.0], [1.0, 2.0]], &covariances).unwrap();
        let points: Vec<_> =
            (0..5_000).map(|i| [f64::from(i % 71) / 9.0, f64::from(i % 13)]).collect();
        let alone = mean_log_likelihood(&mixture, &points);
        in_pools(|| {
            (0..64).into_par_iter().for_each(|_| {
                assert_eq!(mean_log_likelihood(&mixture, &points), alone);
            });
        });
    }
}
