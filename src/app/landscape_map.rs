//! Loss landscape in the window: what has come of it so far, and the path over it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::redraw::Redraw;
use super::session::Session;
use super::track::Track;
use crate::figures::landscape::{self, Ground, Terrain, Trail};
use crate::figures::tone::Tone;
use crate::figures::{Plot, Theme};
use crate::model::Mixture;
use crate::training::landscape::{Landscape, Scene, Slice};
use crate::training::survey::Chart;
use crate::training::{Change, Experiment, Moment};

/// A loss landscape on its way, or done.
pub struct LandscapeMap {
    landscape: Option<Landscape>,
    chart: Chart<f64>,
    /// What it is a landscape of.
    experiment: Arc<Experiment>,
    /// The step that it passes through.
    step: usize,
    detail: usize,
    problem: Option<String>,
    path: Path,
    drawn: Redraw<Theme, Arc<Terrain>>,
}

/// The paths of the runs so far, in the coordinates of the landscape.
#[derive(Default)]
struct Path {
    trails: Vec<Trail>,
    /// The newest step and the step shown when it was made, and when that was.
    made_of: Option<([usize; 2], Instant)>,
}

/// Most steps of a path that are drawn: more than a plot has pixels.
const MOST_STEPS: usize = 1000;

/// While a run trains, its path is looked up this often.
const LEAST_WAIT: Duration = Duration::from_millis(120);

/// Some of many steps, evenly, with the first and the last.
#[must_use]
pub fn thinned(mut path: Vec<Moment>) -> Vec<Moment> {
    let (every, last) = (path.len().div_ceil(MOST_STEPS).max(1), path.len().saturating_sub(1));
    let mut place = 0;
    path.retain(|_| {
        place += 1;
        (place - 1) % every == 0 || place - 1 == last
    });
    path
}

impl LandscapeMap {
    /// Begins to compute a landscape of so many cells from one side to the other.
    #[must_use]
    pub fn new(scene: Scene, detail: usize, ctx: egui::Context) -> LandscapeMap {
        let (experiment, step) = (scene.experiment.clone(), scene.shown.record.step);
        let wake = move || ctx.request_repaint();
        let mut map = LandscapeMap {
            landscape: None,
            chart: Chart::default(),
            experiment,
            step,
            detail,
            problem: None,
            path: Path::default(),
            drawn: Redraw::default(),
        };
        match Landscape::spawn(scene, detail, rayon::current_num_threads(), wake) {
            Ok(landscape) => map.landscape = Some(landscape),
            Err(error) => map.problem = Some(format!("no thread could be started: {error}")),
        }
        map
    }

    /// Takes in what arrived since the last frame.
    pub fn drain(&mut self) {
        let Some(landscape) = &mut self.landscape else { return };
        for result in landscape.drain() {
            match result {
                Ok((cell, value)) => self.chart.push(cell, value),
                Err(message) => self.problem = Some(message),
            }
        }
    }

    /// Its plane through θ, once it is found.
    #[must_use]
    pub fn slice(&self) -> Option<&Slice> {
        self.landscape.as_ref()?.slice()
    }

    /// The step that it passes through.
    #[must_use]
    pub fn step(&self) -> usize {
        self.step
    }

    /// The objective at every cell that is known.
    #[must_use]
    pub fn chart(&self) -> &Chart<f64> {
        &self.chart
    }

    /// What it is a landscape of.
    #[must_use]
    pub fn experiment(&self) -> &Experiment {
        &self.experiment
    }

    /// Why there are no more cells.
    #[must_use]
    pub fn problem(&self) -> Option<&str> {
        self.problem.as_deref()
    }

    /// How many cells there are to be, while some are on their way.
    #[must_use]
    pub fn awaited(&self) -> Option<usize> {
        let is_done = self.landscape.as_ref().is_none_or(Landscape::is_done);
        (self.problem.is_none() && !is_done).then_some(self.detail * self.detail)
    }

    /// Stops what still runs; what is known stays.
    pub fn cancel(&mut self) {
        self.landscape.iter_mut().for_each(Landscape::cancel);
    }

    /// True if it is one of this experiment, whatever can be tuned while it runs.
    #[must_use]
    pub fn is_of(&self, experiment: &Experiment) -> bool {
        experiment.change_since(&self.experiment) != Change::Restart
    }

    /// Looks up the path of the run, where that has changed.
    pub fn follow(&mut self, session: &Session, ctx: &egui::Context) {
        let is_of_run = session.snapshot().is_some_and(|snapshot| self.is_of(&snapshot.experiment));
        let (Some(slice), Some(shown), true) =
            (self.landscape.as_ref().and_then(Landscape::slice), session.shown(), is_of_run)
        else {
            return;
        };
        let key = [session.newest_step(), shown.record.step];
        if let Some((made_of, at)) = self.path.made_of
            && (made_of == key || at.elapsed() < LEAST_WAIT)
        {
            if made_of != key {
                ctx.request_repaint_after(LEAST_WAIT);
            }
            return;
        }
        // All runs whose mixtures have a place on it, the chosen one on top.
        let mut tracks: Vec<&Track> = session.tracks().iter().collect();
        tracks.sort_by_key(|track| track.id() == session.chosen());
        let trails = tracks.into_iter().filter_map(|track| {
            let here = &track.shown()?.mixture;
            let path = session.path(track.id(), MOST_STEPS);
            let path: Vec<&Mixture> = path.iter().map(|mixture| &**mixture).collect();
            let short = track.snapshot()?.experiment.algorithm_info().short;
            Trail::new(slice, track.id(), short, &path, here)
        });
        let trails = trails.collect();
        self.path = Path { trails, made_of: Some((key, Instant::now())) };
    }

    /// All paths over it.
    #[must_use]
    pub fn trails(&self) -> &[Trail] {
        &self.path.trails
    }

    /// Its name and its axes; `None` before its plane is found.
    #[must_use]
    pub fn ground(&self) -> Option<Ground> {
        let slice = self.slice()?;
        let objective = self.experiment.algorithm_info().short;
        Some(Ground::new(slice, objective, self.step))
    }

    /// The landscape as a figure and its colors; `None` before its plane is found.
    pub fn plot(&mut self, theme: Theme, ctx: &egui::Context) -> Option<(Plot, Option<Tone>)> {
        let ground = self.ground()?;
        let is_growing = self.awaited().is_some();
        let LandscapeMap { chart, path, drawn, .. } = self;
        let terrain = drawn.get(theme, chart.count(), is_growing, ctx, || {
            Arc::new(landscape::terrain(chart, ground.square, theme))
        });
        let trails = &path.trails;
        Some((landscape::landscape(&ground, &terrain, trails, theme.palette()), terrain.tone))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::training::Record;

    #[test]
    fn long_paths_keep_their_ends() {
        let mixture = Arc::new(Mixture::new(&[1.0], &[[0.0; 2]], &[[1.0, 0.0, 1.0]]).unwrap());
        for count in [0, 1, 999, 1000, 1001, 12_345] {
            let moment = |step| {
                let (objective, train_nll, val_nll) = (0.0, 0.0, 0.0);
                let (seconds, evaluations) = (0.0, 0.0);
                let record = Record { step, seconds, evaluations, objective, train_nll, val_nll };
                Moment { record, mixture: mixture.clone() }
            };
            let kept: Vec<usize> =
                thinned((0..count).map(moment).collect()).iter().map(|m| m.record.step).collect();
            assert!(kept.len() <= MOST_STEPS + 1, "{count}");
            assert_eq!(kept.len() < count, count > MOST_STEPS, "{count}");
            assert_eq!(
                (kept.first(), kept.last().map(|last| last + 1)),
                match count {
                    0 => (None, None),
                    _ => (Some(&0), Some(count)),
                }
            );
        }
    }
}
