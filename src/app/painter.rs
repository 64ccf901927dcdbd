//! Painter: makes the canvas's expensive layers on its own thread. The last request wins.

use std::sync::{Arc, Condvar, Mutex, PoisonError};

use super::view::{Shown, View};
use crate::figures::{Layer, Scale, Theme, colors::ColorMap, plane};
use crate::model::{Bounds, Density, Mixture};
use crate::random::{Purpose, generator};
use crate::training::Snapshot;

/// What to paint.
#[derive(Clone)]
pub struct Request {
    /// The model.
    pub mixture: Arc<Mixture>,
    /// Samples are drawn from this step's seed, so that the same step shows the same samples.
    pub step: usize,
    /// The rectangle on the canvas.
    pub bounds: Bounds,
    /// Cells of the density raster.
    pub size: [usize; 2],
    /// Which layers.
    pub shown: Shown,
    /// Colors of the density.
    pub color_map: &'static ColorMap,
    /// Linear or logarithmic.
    pub scale: Scale,
    /// Light or dark.
    pub theme: Theme,
    /// How many samples.
    pub sample_count: usize,
}

impl PartialEq for Request {
    fn eq(&self, other: &Request) -> bool {
        Arc::ptr_eq(&self.mixture, &other.mixture)
            && self.step == other.step
            && self.bounds == other.bounds
            && self.size == other.size
            && self.shown == other.shown
            && self.color_map.id == other.color_map.id
            && self.scale == other.scale
            && self.theme == other.theme
            && self.sample_count == other.sample_count
    }
}

impl Request {
    /// What a view shows of a run in a rectangle, with a density of so many cells.
    #[must_use]
    pub fn new(snapshot: &Snapshot, view: &View, bounds: Bounds, size: [usize; 2]) -> Request {
        let (mixture, record) = view.chosen(snapshot);
        Request {
            mixture,
            step: record.step,
            bounds,
            size,
            shown: view.shown,
            color_map: ColorMap::from_id(view.color_map.unwrap_or_default(), view.theme),
            scale: view.density_scale(),
            theme: view.theme,
            sample_count: view.sample_count,
        }
    }
}

/// The layers of a request, the lowest first: what of density, score field and samples is shown.
#[must_use]
pub fn paint(request: &Request) -> Vec<Layer> {
    let Request { mixture, bounds, size: [width, height], shown, .. } = request;
    let palette = request.theme.palette();
    let mut layers = Vec::new();
    if shown.density {
        let raster = mixture.raster(*bounds, *width, *height);
        layers.push(plane::density(&raster, request.color_map, request.scale, request.theme));
    }
    if shown.score {
        layers.push(plane::score_field(&**mixture, *bounds, SCORE_COLUMNS, palette));
    }
    if shown.samples {
        let mut rng = generator(request.step as u64, Purpose::Samples);
        let samples = mixture.sample(request.sample_count, &mut rng);
        layers.push(plane::samples(samples.into(), palette));
    }
    layers
}

/// Arrows of the score field from left to right.
const SCORE_COLUMNS: usize = 28;

/// The painting thread. Dropping it ends the thread after its current picture.
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
    painting: Option<Arc<Vec<Layer>>>,
    is_closed: bool,
}

impl Painter {
    /// Starts the thread; `wake` is called when a painting is done.
    ///
    /// # Errors
    /// An I/O error if the system gives no thread.
    pub fn spawn(wake: impl Fn() + Send + 'static) -> std::io::Result<Painter> {
        let desk = Arc::new(Desk::default());
        let theirs = desk.clone();
        std::thread::Builder::new().name("painting".to_owned()).spawn(move || {
            while let Some(request) = theirs.take() {
                // A bug in painting costs this picture, not all that follow; the panic itself goes to the log.
                let work = std::panic::AssertUnwindSafe(|| paint(&request));
                let Ok(layers) = std::panic::catch_unwind(work) else { continue };
                let painting = Arc::new(layers);
                theirs.tray.lock().unwrap_or_else(PoisonError::into_inner).painting =
                    Some(painting);
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
        self.desk.tray.lock().unwrap_or_else(PoisonError::into_inner).request = Some(request);
        self.desk.has_work.notify_one();
    }

    /// The newest painting.
    #[must_use]
    pub fn painting(&self) -> Option<Arc<Vec<Layer>>> {
        self.desk.tray.lock().unwrap_or_else(PoisonError::into_inner).painting.clone()
    }
}

impl Desk {
    /// Waits for a request; `None` once the painter is dropped.
    fn take(&self) -> Option<Request> {
        let mut tray = self.tray.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if tray.is_closed {
                return None;
            }
            if let Some(request) = tray.request.take() {
                return Some(request);
            }
            tray = self.has_work.wait(tray).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl Drop for Painter {
    fn drop(&mut self) {
        self.desk.tray.lock().unwrap_or_else(PoisonError::into_inner).is_closed = true;
        self.desk.has_work.notify_one();
    }
}
