//! Plan: which steps of a training a film shows.

use serde::{Deserialize, Serialize};

/// How long a film is.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub enum Length {
    /// A frame every so many steps.
    EveryNth(usize),
    /// So many seconds, with steps spread evenly over them.
    Seconds(f64),
}

/// The most frames: more than five minutes at 30 a second.
pub const MAX_FRAMES: usize = 10_000;

/// The step of every frame, from the first to the last step, both included; at most [`MAX_FRAMES`].
#[must_use]
pub fn steps(first: usize, last: usize, length: Length, per_second: u32) -> Vec<usize> {
    let all = last.saturating_sub(first);
    match length {
        Length::EveryNth(n) => {
            let n = n.max(all.div_ceil(MAX_FRAMES - 1)).max(1);
            let mut steps: Vec<usize> = (first..=first + all).step_by(n).collect();
            // The result belongs to a film even where it falls between.
            if steps.last() != Some(&(first + all)) {
                steps.push(first + all);
            }
            steps
        }
        Length::Seconds(seconds) => {
            let wanted = (seconds * f64::from(per_second)).round();
            // In this order NaN is 2 as well.
            let count = wanted.max(2.0).min(MAX_FRAMES as f64) as usize;
            let share = |i: usize| i as f64 / (count - 1) as f64;
            (0..count).map(|i| first + (share(i) * all as f64).round() as usize).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn films_begin_at_the_start_and_end_with_the_result() {
        assert_eq!(steps(0, 10, Length::EveryNth(3), 30), [0, 3, 6, 9, 10]);
        assert_eq!(steps(5, 9, Length::EveryNth(2), 30), [5, 7, 9]);
        assert_eq!(steps(7, 7, Length::EveryNth(1), 30), [7]);
        let three = steps(0, 1000, Length::Seconds(3.0), 30);
        assert_eq!((three.len(), three[0], three[89]), (90, 0, 1000));
        assert!(three.windows(2).all(|pair| (11..=12).contains(&(pair[1] - pair[0]))));
        // Fewer steps than frames: they stay longer.
        let slow = steps(0, 4, Length::Seconds(1.0), 30);
        assert_eq!((slow.len(), slow[0], slow[29]), (30, 0, 4));
    }

    #[test]
    fn films_have_a_bounded_number_of_frames() {
        for length in [Length::EveryNth(1), Length::EveryNth(0), Length::Seconds(1e9)] {
            let all = steps(0, 1_000_000, length, 30);
            assert!(all.len() <= MAX_FRAMES && *all.last().unwrap() == 1_000_000, "{length:?}");
        }
        assert_eq!(steps(0, 9, Length::Seconds(f64::NAN), 30).len(), 2);
    }
}
