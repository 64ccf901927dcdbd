//! Basin map in the window: what has come of it so far, as a layer of the canvas.

use std::sync::Arc;

use super::redraw::Redraw;
use crate::figures::basin::{self, ColorBy};
use crate::figures::{Layer, Theme};
use crate::model::Point;
use crate::training::Experiment;
use crate::training::basin::{Basin, End};
use crate::training::optima::{Ends, Outcome};
use crate::training::survey::{Cell, Survey};

/// A basin map on its way, or done.
pub struct BasinMap {
    basin: Arc<Basin>,
    ends: Ends,
    survey: Option<Survey<End>>,
    /// Cells from one side to the other that were asked for last.
    detail: usize,
    problem: Option<String>,
    drawn: Redraw<(ColorBy, Theme), Arc<Layer>>,
}

impl BasinMap {
    /// Nothing known yet.
    #[must_use]
    pub fn new(basin: Basin) -> BasinMap {
        let ends = basin.ends();
        let basin = Arc::new(basin);
        BasinMap { basin, ends, survey: None, detail: 0, problem: None, drawn: Redraw::default() }
    }

    /// Begins, or goes on, until every cell of this detail is known.
    pub fn run(&mut self, detail: usize, ctx: egui::Context) {
        (self.survey, self.problem, self.detail) = (None, None, detail);
        let known = self.ends.cells.count();
        if known >= detail * detail {
            return;
        }
        let wake = move || ctx.request_repaint();
        // As many as compute everything else: one core stays free for drawing.
        match self.basin.survey(known, detail, rayon::current_num_threads(), wake) {
            Ok(survey) => self.survey = Some(survey),
            Err(error) => self.problem = Some(format!("no thread could be started: {error}")),
        }
    }

    /// Takes in what arrived since the last frame.
    pub fn drain(&mut self) {
        let Some(survey) = &mut self.survey else { return };
        let mut is_done = false;
        for result in survey.drain() {
            match result {
                Ok((cell, end)) => self.ends.push(cell, end),
                Err(message) => {
                    self.problem = Some(message);
                    is_done = true;
                }
            }
        }
        if is_done || survey.is_done() {
            self.survey = None;
        }
    }

    /// Stops what still runs; what is known stays, and running it again goes on there.
    pub fn cancel(&mut self) {
        self.survey = None;
    }

    /// What its cells share.
    #[must_use]
    pub fn basin(&self) -> &Basin {
        &self.basin
    }

    /// Where they ended.
    #[must_use]
    pub fn ends(&self) -> &Ends {
        &self.ends
    }

    /// How many cells there are to be, while some are on their way.
    #[must_use]
    pub fn awaited(&self) -> Option<usize> {
        self.survey.is_some().then_some(self.detail * self.detail)
    }

    /// Why there are no more.
    #[must_use]
    pub fn problem(&self) -> Option<&str> {
        self.problem.as_deref()
    }

    /// What is known of the start at a place: the cell that stands for it, and where it ended.
    #[must_use]
    pub fn at(&self, place: Point) -> Option<(Cell, &Outcome)> {
        self.ends.cells.nearest(Cell::at(place, self.basin.square)?)
    }

    /// The experiment that a cell is a run of.
    #[must_use]
    pub fn experiment_of(&self, cell: Cell) -> Experiment {
        self.basin.experiment_at(cell.place(self.basin.square))
    }

    /// The map as a layer; made anew only where something changed, and not too often while cells arrive.
    pub fn layer(&mut self, color_by: ColorBy, theme: Theme, ctx: &egui::Context) -> Arc<Layer> {
        let BasinMap { basin, ends, survey, drawn, .. } = self;
        drawn.get((color_by, theme), ends.cells.count(), survey.is_some(), ctx, || {
            Arc::new(basin::layer(ends, basin.square, color_by, theme))
        })
    }
}
