//! Redraw: keeps a picture of something that grows, and makes it anew now and then.

use std::time::{Duration, Instant};

/// While something grows, it is drawn at most this often.
const LEAST_WAIT: Duration = Duration::from_millis(150);

/// The last picture `P`, and how `K` it was drawn.
pub struct Redraw<K, P> {
    last: Option<(K, usize, Instant, P)>,
}

impl<K, P> Default for Redraw<K, P> {
    fn default() -> Redraw<K, P> {
        Redraw { last: None }
    }
}

impl<K: PartialEq, P: Clone> Redraw<K, P> {
    /// The picture of `count` things drawn like this; the last one if it still is right, or was right a moment ago and
    /// more is to come.
    pub fn get(
        &mut self,
        key: K,
        count: usize,
        is_growing: bool,
        ctx: &egui::Context,
        draw: impl FnOnce() -> P,
    ) -> P {
        if let Some((last_key, last_count, drawn_at, picture)) = &self.last
            && *last_key == key
        {
            let is_soon = is_growing && drawn_at.elapsed() < LEAST_WAIT;
            if *last_count == count {
                return picture.clone();
            }
            if is_soon {
                ctx.request_repaint_after(LEAST_WAIT);
                return picture.clone();
            }
        }
        let picture = draw();
        self.last = Some((key, count, Instant::now(), picture.clone()));
        picture
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_draws_what_changed_and_waits_while_more_is_to_come() {
        let ctx = egui::Context::default();
        let mut redraw = Redraw::default();
        let mut drawn = 0;
        let mut get = |key, count, is_growing| {
            redraw.get(key, count, is_growing, &ctx, || {
                drawn += 1;
                (drawn, count)
            })
        };
        assert_eq!(get('a', 1, true), (1, 1));
        assert_eq!(get('a', 1, true), (1, 1));
        assert_eq!(get('a', 2, true), (1, 1), "too soon");
        assert_eq!(get('a', 2, false), (2, 2), "nothing more is to come");
        assert_eq!(get('b', 2, true), (3, 2), "another look");
        std::thread::sleep(LEAST_WAIT);
        assert_eq!(get('b', 3, true), (4, 3));
    }
}
