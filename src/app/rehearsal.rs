//! Rehearsal: the window played without a screen, to see what its frames cost.

use std::time::{Duration, Instant};

use anyhow::bail;
use egui::{Context, Rect, pos2, vec2};

use super::App;
use super::view::Shown;
use crate::training::{Experiment, Record};

/// What one frame costs the window's thread, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FrameCost {
    /// From the input to shapes: panels, plots, canvas.
    pub layout_ms: f64,
    /// From shapes to triangles.
    pub tessellation_ms: f64,
}

impl FrameCost {
    /// Both together.
    #[must_use]
    pub fn total_ms(&self) -> f64 {
        self.layout_ms + self.tessellation_ms
    }
}

/// Components that a rehearsal shows.
pub const FRAME_COMPONENTS: usize = 24;

/// The cost of a frame at rest and of one while the view moves, each the best of many: `point_count` half moons,
/// [`FRAME_COMPONENTS`] components, every layer on, in a window of 1440 × 900. Needs no display; takes some seconds.
///
/// # Errors
/// If the system gives no threads, or if there is nothing to draw after a minute.
pub fn frame_cost(point_count: usize) -> anyhow::Result<[FrameCost; 2]> {
    let mut rehearsal = Rehearsal::new(point_count)?;
    let mut best = |is_moving| {
        let frames = (0..60).map(|_| rehearsal.frame(is_moving));
        frames.min_by(|a, b| a.total_ms().total_cmp(&b.total_ms()))
    };
    match (best(false), best(true)) {
        (Some(still), Some(moving)) => Ok([still, moving]),
        _ => bail!("no frame was drawn"),
    }
}

/// The program in a window that nobody sees.
pub struct Rehearsal {
    ctx: Context,
    app: App,
    frame_count: u32,
}

impl Rehearsal {
    /// The window with that many points, every layer on, after everything has been prepared and painted.
    ///
    /// # Errors
    /// As [`frame_cost`].
    pub fn new(point_count: usize) -> anyhow::Result<Rehearsal> {
        let ctx = Context::default();
        let mut app = App::new(&ctx, None)?;
        let mut experiment = Experiment::default();
        for (key, value) in [
            ("n_samples", point_count.to_string()),
            ("n_components", FRAME_COMPONENTS.to_string()),
            ("init_params", "random_from_data".to_owned()),
        ] {
            experiment.set(key, &value)?;
        }
        app.document.open(experiment);
        app.view.shown = Shown {
            density: true,
            score: true,
            train: true,
            validation: true,
            samples: true,
            components: true,
            paths: true,
            streamlines: true,
            workings: true,
        };
        let mut rehearsal = Rehearsal { ctx, app, frame_count: 0 };
        rehearsal.wait(point_count)?;
        Ok(rehearsal)
    }

    /// Draws frames until points, mixture and pictures are there.
    fn wait(&mut self, point_count: usize) -> anyhow::Result<()> {
        let began = Instant::now();
        let mut is_ready = false;
        while !is_ready {
            if began.elapsed() > Duration::from_mins(1) {
                bail!("{point_count} points were not ready to be drawn after a minute");
            }
            self.frame(false);
            std::thread::sleep(Duration::from_millis(5));
            let is_there = self.app.snapshot().is_some_and(|snapshot| {
                let dataset = &snapshot.prepared.dataset;
                dataset.train.len() + dataset.validation.len() == point_count
            });
            is_ready = is_there && self.app.canvas.is_painted();
        }
        Ok(())
    }

    /// As if that many more steps had been trained: fills the curves.
    pub fn remember(&mut self, step_count: usize) {
        for step in 1..=step_count {
            let train_nll = 1.5 + 1.0 / step as f64;
            let val_nll = train_nll + 0.02 * (0.37 * step as f64).sin();
            self.app.session.remember(Record {
                step,
                seconds: 1e-3 * step as f64,
                evaluations: step as f64,
                objective: train_nll,
                train_nll,
                val_nll,
            });
        }
    }

    /// Draws one frame and says what it cost; with the view moved a little, if `is_moving`.
    pub fn frame(&mut self, is_moving: bool) -> FrameCost {
        self.frame_count += 1;
        if is_moving {
            let mut bounds = self.app.canvas.bounds();
            let shift = if self.frame_count.is_multiple_of(2) { 0.01 } else { -0.01 };
            for end in [&mut bounds.min, &mut bounds.max] {
                end[0] += shift;
            }
            self.app.canvas.look_at(bounds);
        }
        let input = egui::RawInput {
            screen_rect: Some(Rect::from_min_size(pos2(0.0, 0.0), vec2(1440.0, 900.0))),
            time: Some(f64::from(self.frame_count) / 60.0),
            ..egui::RawInput::default()
        };
        let began = Instant::now();
        let app = &mut self.app;
        let mut output = self.ctx.run_ui(input, |ui| {
            app.receive();
            app.frame_ui(ui);
        });
        let layout = began.elapsed();
        let shapes = std::mem::take(&mut output.shapes);
        let triangles = self.ctx.tessellate(shapes, output.pixels_per_point);
        let total = began.elapsed();
        drop(triangles);
        output.drop_without_applying_deltas();
        let milliseconds = |duration: Duration| 1e3 * duration.as_secs_f64();
        FrameCost {
            layout_ms: milliseconds(layout),
            tessellation_ms: milliseconds(total.saturating_sub(layout)),
        }
    }
}
