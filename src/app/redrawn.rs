//! Redrawn: the objective of the step that is shown, estimated again with other draws as soon as it rests.

use std::sync::Arc;
use std::time::Duration;

use super::App;
use super::session::Session;
use super::view::View;
use crate::model::Mixture;
use crate::training::redrawing::Redrawing;
use crate::training::redraws::{Estimates, REDRAW_COUNT, Redraws};

/// Seconds that a step has to stay before it is drawn again: while training plays, the thread belongs to it.
const REST: f64 = 0.3;

/// When to look again whether the last thread has ended.
const AGAIN: Duration = Duration::from_millis(50);

/// The estimates of a step, and what is shown meanwhile.
#[derive(Default)]
pub struct Redrawn {
    /// What is shown now, and since when.
    shown: Option<(Arc<Mixture>, f64)>,
    /// Of which mixture the estimates are.
    of: Option<Arc<Mixture>>,
    redrawing: Option<Redrawing>,
    /// False where nothing is drawn that could be drawn again.
    has_draws: bool,
    /// A thread that still computes holds another one of it.
    token: Arc<()>,
}

impl Redrawn {
    /// Takes in what arrived since the last frame.
    pub fn drain(&mut self) {
        if let Some(redrawing) = &mut self.redrawing {
            redrawing.drain();
        }
    }

    /// Asks for estimates of the step that is shown, once it has been shown for a while and somebody looks at them.
    pub fn follow(&mut self, session: &Session, view: &View, ctx: &egui::Context) {
        if !view.shows_terms() || !view.has_panels {
            *self = Redrawn { token: std::mem::take(&mut self.token), ..Redrawn::default() };
            return;
        }
        let Some(moment) = session.shown() else { return };
        let now = ctx.input(|input| input.time);
        let is_new = |(shown, _): &(Arc<Mixture>, f64)| !Arc::ptr_eq(shown, &moment.mixture);
        if self.shown.as_ref().is_none_or(is_new) {
            self.shown = Some((moment.mixture.clone(), now));
            // What was found of the step before stays until there is something of this one; more of it nobody wants.
            if let Some(redrawing) = self.redrawing.as_mut().filter(|r| r.is_growing()) {
                redrawing.stop();
                self.of = None;
            }
        }
        let since = self.shown.as_ref().map_or(now, |(_, since)| *since);
        if self.of.as_ref().is_some_and(|of| Arc::ptr_eq(of, &moment.mixture)) {
            return;
        }
        if now - since < REST {
            let wait = Duration::from_secs_f64(REST - (now - since));
            ctx.request_repaint_after(wait);
            return;
        }
        if Arc::strong_count(&self.token) > 1 {
            // One thread at a time: the last one ends with the piece that it has begun.
            ctx.request_repaint_after(AGAIN);
            return;
        }
        self.of = Some(moment.mixture.clone());
        // Where nothing is drawn, no thread will wake the window to say so.
        ctx.request_repaint();
        let step = moment.record.step;
        let snapshot = session.snapshot_at(session.chosen(), step);
        let redraws = snapshot.and_then(|snapshot| Redraws::of(snapshot, moment));
        self.has_draws = redraws.is_some();
        self.redrawing = redraws.and_then(|redraws| {
            let (begun, held) = (redraws.begin(moment), (self.token.clone(), ctx.clone()));
            let wake = move || {
                let (_token, ctx) = &held;
                ctx.request_repaint();
            };
            match Redrawing::spawn(redraws, begun, REDRAW_COUNT, wake) {
                Ok(redrawing) => Some(redrawing),
                Err(error) => {
                    log::warn!("no thread could be started: {error}");
                    None
                }
            }
        });
    }

    /// What has been found so far.
    #[must_use]
    pub fn redrawing(&self) -> Option<&Redrawing> {
        self.redrawing.as_ref()
    }

    /// True where nothing is drawn that could be drawn again, as far as that is known.
    #[must_use]
    pub fn draws_nothing(&self) -> bool {
        self.of.is_some() && !self.has_draws
    }

    /// The estimates, as far as there are some.
    #[must_use]
    pub fn estimates(&self) -> Option<&Estimates> {
        let estimates = self.redrawing()?.estimates();
        (!estimates.values.is_empty()).then_some(estimates)
    }
}

impl App {
    /// Estimates of a step with other draws; `None` until there are some.
    #[must_use]
    pub fn estimates(&self) -> Option<&Estimates> {
        self.redrawn.estimates()
    }

    /// True while more of them are on their way.
    #[must_use]
    pub fn is_redrawing(&self) -> bool {
        self.redrawn.redrawing().is_some_and(Redrawing::is_growing)
    }
}
