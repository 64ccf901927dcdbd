//! Playback: moving through the steps that were taken, forwards, backwards, or round and round in a range.

use serde::{Deserialize, Serialize};

use super::view::Position;

/// Which way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Towards the start.
    Backwards,
    /// Towards the newest step.
    Forwards,
}

/// How the view moves through time by itself.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Playback {
    #[serde(skip)]
    motion: Option<Motion>,
    /// First and last step of what is played round and round; the first comes before the last.
    range: Option<[usize; 2]>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Motion {
    direction: Direction,
    step: usize,
    /// The part of a step that has gone by since.
    progress: f64,
    /// When that was, in seconds of the window.
    time_secs: f64,
}

/// A frame that took longer than this stands still, so that nothing is skipped after a pause of the window.
const LONGEST_FRAME_SECS: f64 = 0.25;

impl Playback {
    /// Starts to move from a step.
    pub fn start(&mut self, direction: Direction, step: usize, time_secs: f64) {
        self.motion = Some(Motion { direction, step, progress: 0.0, time_secs });
    }

    /// Stops moving; the range stays.
    pub fn stop(&mut self) {
        self.motion = None;
    }

    /// Which way it moves, if it does.
    #[must_use]
    pub fn direction(&self) -> Option<Direction> {
        self.motion.map(|motion| motion.direction)
    }

    /// The first and the last step of what is played round and round.
    #[must_use]
    pub fn range(&self) -> Option<[usize; 2]> {
        self.range
    }

    /// Plays these steps round and round from now on, or with `None` everything once. False, and nothing changes, if
    /// the first does not come before the last.
    pub fn set_range(&mut self, range: Option<[usize; 2]>) -> bool {
        let is_range = range.is_none_or(|[from, to]| from < to);
        if is_range {
            self.range = range;
        }
        is_range
    }

    /// Where the view has moved by now, at so many steps a second; `None` where it does not move. Stops at the ends.
    pub fn advance(
        &mut self,
        time_secs: f64,
        steps_per_second: f64,
        newest: usize,
    ) -> Option<Position> {
        let motion = self.motion.as_mut()?;
        let elapsed = time_secs - motion.time_secs;
        motion.time_secs = time_secs;
        if elapsed <= LONGEST_FRAME_SECS {
            motion.progress += elapsed * steps_per_second;
        }
        let steps = motion.progress.floor().max(0.0);
        motion.progress -= steps;
        let steps = steps as usize;
        if let Some([from, to]) = self.range {
            let to = to.min(newest).max(from);
            let length = to - from + 1;
            let place = motion.step.clamp(from, to) - from;
            let moved = match motion.direction {
                Direction::Forwards => (place + steps) % length,
                Direction::Backwards => (place + length - steps % length) % length,
            };
            motion.step = from + moved;
            return Some(Position::At(motion.step));
        }
        let (step, is_at_end) = match motion.direction {
            Direction::Forwards => (motion.step + steps, motion.step + steps >= newest),
            Direction::Backwards => (motion.step.saturating_sub(steps), motion.step <= steps),
        };
        motion.step = step;
        if is_at_end {
            self.motion = None;
        }
        Some(Position::of(step, newest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Where the view is after each tenth of a second, at ten steps a second.
    fn places(playback: &mut Playback, frames: usize, newest: usize) -> Vec<Option<Position>> {
        (1..=frames).map(|i| playback.advance(0.1 * i as f64 + 1e-9, 10.0, newest)).collect()
    }

    fn at(steps: &[usize]) -> Vec<Option<Position>> {
        steps.iter().map(|&step| Some(Position::At(step))).collect()
    }

    #[test]
    fn it_stops_at_both_ends() {
        let mut playback = Playback::default();
        playback.start(Direction::Backwards, 3, 0.0);
        let mut expected = at(&[2, 1, 0]);
        expected.push(None);
        assert_eq!(places(&mut playback, 4, 9), expected);
        playback.start(Direction::Forwards, 7, 0.0);
        let expected = [Some(Position::At(8)), Some(Position::Newest), None];
        assert_eq!(places(&mut playback, 3, 9), expected);
    }

    #[test]
    fn a_range_goes_round_and_round_both_ways() {
        let mut playback = Playback::default();
        assert!(playback.set_range(Some([2, 4])));
        playback.start(Direction::Forwards, 3, 0.0);
        assert_eq!(places(&mut playback, 5, 9), at(&[4, 2, 3, 4, 2]));
        playback.start(Direction::Backwards, 3, 0.0);
        assert_eq!(places(&mut playback, 5, 9), at(&[2, 4, 3, 2, 4]));
        // From outside it goes in.
        playback.start(Direction::Forwards, 8, 0.0);
        assert_eq!(places(&mut playback, 2, 9), at(&[2, 3]));
        assert!(!playback.set_range(Some([4, 4])));
        assert_eq!(playback.range(), Some([2, 4]));
    }

    #[test]
    fn slow_playback_takes_its_time_and_a_pause_of_the_window_skips_nothing() {
        let mut playback = Playback::default();
        playback.start(Direction::Backwards, 5, 0.0);
        assert_eq!(playback.advance(0.2, 3.0, 9), Some(Position::At(5)));
        assert_eq!(playback.advance(0.4, 3.0, 9), Some(Position::At(4)));
        assert_eq!(playback.advance(60.0, 3.0, 9), Some(Position::At(4)));
    }
}
