//! Painter: makes the canvas's expensive layers on its own thread. The last request wins.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::painting::{Care, Painting, Request};

/// The painting thread. Dropping it ends the thread after its current picture.
///
/// Where a hand moves the view faster than pictures can be painted, a coarse one comes first. The full one follows when
/// no other request has come for as long as it will take, and now and then in any case. What only trains is painted in
/// full: sharp and blurred pictures in turns would flicker, and brightness follows the raster's largest value.
pub struct Painter {
    desk: Arc<Desk>,
    last_request: Option<Request>,
}

/// What window and thread share.
#[derive(Default)]
struct Desk {
    tray: Mutex<Tray>,
    has_work: Condvar,
}

#[derive(Default)]
struct Tray {
    request: Option<Request>,
    painting: Option<Arc<Painting>>,
    is_closed: bool,
}

/// A hand that never rests sees a full picture this often; a slow one less often, so that it takes a quarter of the time.
const LONGEST_BLUR: Duration = Duration::from_millis(250);

impl Painter {
    /// Starts the thread; `wake` is called when a painting is done.
    ///
    /// # Errors
    /// An I/O error if the system gives no thread.
    pub fn spawn(wake: impl Fn() + Send + 'static) -> std::io::Result<Painter> {
        let desk = Arc::new(Desk::default());
        let theirs = desk.clone();
        std::thread::Builder::new().name("painting".to_owned()).spawn(move || {
            let mut patience = Duration::ZERO;
            let mut last_full = Instant::now();
            let mut last_request: Option<Request> = None;
            while let Some((request, had_to_wait)) = theirs.take() {
                let before = last_request.replace(request.clone());
                let is_moved = before.is_some_and(|before| !before.has_same_view(&request));
                if had_to_wait && is_moved {
                    theirs.paint(&request, Care::Coarse);
                    wake();
                    let is_due = last_full.elapsed() > LONGEST_BLUR.max(3 * patience);
                    if !is_due && theirs.is_interrupted(patience) {
                        continue;
                    }
                }
                let began = Instant::now();
                theirs.paint(&request, Care::Full);
                (patience, last_full) = (began.elapsed(), Instant::now());
                wake();
            }
        })?;
        Ok(Painter { desk, last_request: None })
    }

    /// Asks for a painting, if it differs from the one asked for last.
    pub fn request(&mut self, request: Request) {
        if self.last_request.as_ref() == Some(&request) {
            return;
        }
        self.last_request = Some(request.clone());
        self.desk.tray().request = Some(request);
        self.desk.has_work.notify_one();
    }

    /// True once the newest painting is all that was asked for last.
    #[must_use]
    pub fn is_done(&self) -> bool {
        let painting = self.painting();
        let Some(last) = &self.last_request else { return true };
        painting.is_some_and(|painting| painting.is_all_of(last))
    }

    /// The newest painting.
    #[must_use]
    pub fn painting(&self) -> Option<Arc<Painting>> {
        self.desk.tray().painting.clone()
    }
}

impl Desk {
    fn tray(&self) -> MutexGuard<'_, Tray> {
        self.tray.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a request; says if it was there before. `None` once the painter is dropped.
    fn take(&self) -> Option<(Request, bool)> {
        let mut tray = self.tray();
        let had_to_wait = tray.request.is_some();
        loop {
            if tray.is_closed {
                return None;
            }
            if let Some(request) = tray.request.take() {
                return Some((request, had_to_wait));
            }
            tray = self.has_work.wait(tray).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Waits for that long; true if there is something else to do.
    fn is_interrupted(&self, patience: Duration) -> bool {
        let is_idle = |tray: &mut Tray| tray.request.is_none() && !tray.is_closed;
        let waited = self.has_work.wait_timeout_while(self.tray(), patience, is_idle);
        let (mut tray, _) = waited.unwrap_or_else(PoisonError::into_inner);
        !is_idle(&mut tray)
    }

    /// Paints, and puts the painting where the window looks for it.
    fn paint(&self, request: &Request, care: Care) {
        let last = self.tray().painting.clone();
        // A bug in painting costs this picture, not all that follow; the panic itself goes to the log.
        let work = || Painting::new(request.clone(), care, last.as_deref());
        if let Ok(painting) = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work)) {
            self.tray().painting = Some(Arc::new(painting));
        }
    }
}

impl Drop for Painter {
    fn drop(&mut self) {
        self.desk.tray().is_closed = true;
        self.desk.has_work.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::view::{Shown, View};
    use crate::data::Dataset;
    use crate::figures::cloud::Pixels;
    use crate::model::{Mixture, Point};

    fn request(count: usize) -> Request {
        let grid = |i: usize| [(i % 500) as f64 / 50.0, (i / 500) as f64 / 50.0];
        let points: Vec<Point> = (0..count).map(grid).collect();
        let dataset = Dataset::from_parts(&points, &[[5.0, 5.0]; 10], false).unwrap();
        let means: Vec<Point> = (0..100).map(|i| [f64::from(i) / 10.0, 5.0]).collect();
        let mixture = Mixture::new(&[0.01; 100], &means, &[[4.0, 0.0, 4.0]; 100]).unwrap();
        let view = View {
            shown: Shown { validation: true, score: true, ..View::default().shown },
            ..View::default()
        };
        let pixels = Pixels { size: [320, 240], dot: 1.3 };
        let bounds = dataset.bounds;
        let dataset = Arc::new(dataset);
        let mut request = Request::new(None, Some(&dataset), &view, bounds, [640, 480], pixels);
        request.mixture = Some(Arc::new(mixture));
        request
    }

    fn painted(painter: &Painter, last: &Request) -> Arc<Painting> {
        let is_it = |painting: &Arc<Painting>| painting.is_all_of(last);
        let began = Instant::now();
        loop {
            let painting = painter.painting();
            if let Some(painting) = painting.filter(is_it) {
                return painting;
            }
            assert!(began.elapsed() < Duration::from_mins(1), "the last request was lost");
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    fn density_width(painting: &Painting) -> usize {
        painting.images[0].0.width
    }

    #[test]
    fn rasters_are_dropped_not_queued_and_the_last_one_is_full() {
        let (sender, wakes) = std::sync::mpsc::channel();
        let mut painter = Painter::spawn(move || sender.send(()).unwrap_or_default()).unwrap();
        let mut request = request(10);
        for i in 0..300 {
            request.bounds.max[0] += f64::from(i);
            painter.request(request.clone());
        }
        let painting = painted(&painter, &request);
        assert_eq!(density_width(&painting), 640);
        // The same again is no request.
        painter.request(request.clone());
        drop(painter);
        // Once the thread has ended, nobody can wake any more.
        let count = wakes.iter().count();
        assert_eq!(count, painting.number + 1);
        assert!(count < 100, "{count}");
    }

    /// Asks for something else every 5 ms, and gives the widths of the different densities that were seen, as soon as
    /// they are enough.
    fn watched(
        painter: &mut Painter,
        mut next: impl FnMut(usize) -> Request,
        is_enough: impl Fn(&[usize]) -> bool,
    ) -> Vec<usize> {
        let (mut widths, mut last) = (Vec::new(), None);
        // As often as takes ten seconds at least: who starves is found out.
        for i in 0..2_000 {
            painter.request(next(i));
            std::thread::sleep(Duration::from_millis(5));
            let Some(painting) = painter.painting() else { continue };
            if last != Some(painting.number) {
                widths.push(density_width(&painting));
                last = Some(painting.number);
            }
            if is_enough(&widths) {
                break;
            }
        }
        widths
    }

    #[test]
    fn training_faster_than_pictures_are_painted_starves_none_and_blurs_none() {
        let request = request(10);
        let mut painter = Painter::spawn(|| {}).unwrap();
        // As many samples as take a while to be drawn.
        let step = |step| Request {
            step,
            sample_count: 300_000,
            shown: Shown { samples: true, ..request.shown },
            ..request.clone()
        };
        let widths = watched(&mut painter, step, |widths| widths.len() == 6);
        assert_eq!(widths, [640; 6]);
    }

    #[test]
    fn a_view_that_moves_is_coarse_at_first_and_sharp_now_and_then() {
        let request = request(10);
        let mut painter = Painter::spawn(|| {}).unwrap();
        let moved = |i: usize| {
            let mut request = request.clone();
            request.shown.samples = true;
            // Slow enough that another request comes while it is painted, however busy the machine.
            request.sample_count = 2_000_000;
            request.bounds.max[0] += 0.01 * i as f64;
            request
        };
        let is_sharp_again = |widths: &[usize]| {
            let blurred = widths.iter().position(|&width| width == 214);
            blurred.is_some_and(|at| widths[at..].contains(&640))
        };
        let widths = watched(&mut painter, moved, is_sharp_again);
        assert!(is_sharp_again(&widths), "{widths:?}");
    }

    #[test]
    fn the_last_request_is_taken_and_knows_if_it_had_to_wait() {
        let desk = Desk::default();
        for step in 0..3 {
            desk.tray().request = Some(Request { step, ..request(10) });
        }
        let (taken, had_to_wait) = desk.take().unwrap();
        assert_eq!((taken.step, had_to_wait), (2, true));
        desk.paint(&taken, Care::Coarse);
        assert_eq!(density_width(desk.tray().painting.as_ref().unwrap()), 214);
        assert!(!desk.is_interrupted(Duration::ZERO));
        desk.tray().request = Some(taken.clone());
        assert!(desk.is_interrupted(Duration::from_mins(1)));
        desk.tray().is_closed = true;
        assert!(desk.take().is_none());
    }

    #[test]
    fn a_crowd_is_painted_once_for_many_steps() {
        let first = request(100_000);
        let mut painter = Painter::spawn(|| {}).unwrap();
        painter.request(first.clone());
        let before = painted(&painter, &first);
        let ids: Vec<&str> = before.layers.iter().map(|layer| layer.id).collect();
        // The validation points are few: the window draws them.
        assert_eq!(ids, ["density", "score", "train"]);
        assert_eq!(before.images.len(), 2);
        let next = Request { step: 1, ..first.clone() };
        painter.request(next.clone());
        let after = painted(&painter, &next);
        assert!(Arc::ptr_eq(&before.images[1].0, &after.images[1].0));
        assert!(Arc::ptr_eq(&before.images[1].1, &after.images[1].1));
        assert!(!Arc::ptr_eq(&before.images[0].0, &after.images[0].0));
        let mut moved = next.clone();
        moved.bounds.max[0] += 1.0;
        painter.request(moved.clone());
        assert!(!Arc::ptr_eq(&before.images[1].0, &painted(&painter, &moved).images[1].0));
    }
}
