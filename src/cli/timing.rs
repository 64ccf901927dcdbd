//! Timing: how often something is repeated, and what is told of its times.

use std::time::{Duration, Instant};

/// What is compared takes turns, this many, so that a machine that slows down slows all of it.
pub(super) const ROUNDS: usize = 5;

/// A turn lasts at least this long and at least [`TURN_COUNT`] repetitions …
const TURN_AT_LEAST: Duration = Duration::from_millis(60);
const TURN_COUNT: usize = 3;
/// … but no longer than this, apart from the last repetition, …
const TURN_AT_MOST: Duration = Duration::from_millis(600);
/// … and no more repetitions: a median needs no more, and steps stay near the start.
const TURN_COUNT_AT_MOST: usize = 100;

/// How long something took, again and again, in milliseconds.
#[derive(Debug, Default, Clone)]
pub(super) struct Times(Vec<f64>);

impl Times {
    /// One turn of repetitions.
    ///
    /// # Errors
    /// The first error of `work`, which ends the turn.
    pub(super) fn take_turn<E>(
        &mut self,
        mut work: impl FnMut() -> Result<(), E>,
    ) -> Result<(), E> {
        let turn = Instant::now();
        for count in 1..=TURN_COUNT_AT_MOST {
            let began = Instant::now();
            work()?;
            self.0.push(1e3 * began.elapsed().as_secs_f64());
            let elapsed = turn.elapsed();
            if elapsed >= TURN_AT_MOST || (elapsed >= TURN_AT_LEAST && count >= TURN_COUNT) {
                break;
            }
        }
        Ok(())
    }

    /// The time in the middle, in milliseconds; `None` if nothing was timed.
    pub(super) fn median(&self) -> Option<f64> {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        let last = sorted.len().checked_sub(1)?;
        Some(f64::midpoint(sorted[last / 2], sorted[last.div_ceil(2)]))
    }

    /// The shortest time, in milliseconds; `None` if nothing was timed.
    pub(super) fn min(&self) -> Option<f64> {
        self.0.iter().copied().min_by(f64::total_cmp)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_and_the_shortest_are_told() {
        let check = |times: &[f64], median, min| {
            let times = Times(times.to_vec());
            assert_eq!((times.median(), times.min()), (median, min), "{times:?}");
        };
        check(&[], None, None);
        check(&[2.0], Some(2.0), Some(2.0));
        check(&[4.0, 2.0], Some(3.0), Some(2.0));
        check(&[9.0, 1.0, 2.0], Some(2.0), Some(1.0));
    }

    #[test]
    fn a_turn_repeats_and_ends_at_an_error() {
        let mut times = Times::default();
        assert_eq!(times.take_turn(|| Ok::<_, ()>(())), Ok(()));
        assert_eq!(times.0.len(), TURN_COUNT_AT_MOST);
        assert_eq!(times.take_turn(|| Err("enough")), Err("enough"));
        assert_eq!(times.0.len(), TURN_COUNT_AT_MOST);
    }
}
