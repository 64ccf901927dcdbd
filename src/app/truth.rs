//! Truth in the window: a judge of the known density, which steps it is asked for, and what it has found.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::App;
use super::document::Document;
use super::runs;
use super::session::Session;
use super::track::Track;
use crate::data::Scaling;
use crate::figures::Palette;
use crate::figures::race::run_color;
use crate::figures::truth::Judged;
use crate::model::Truth;
use crate::training::judge::{Judge, Round};
use crate::training::{BranchId, Experiment, Moment, NoDensity, Verdicts};

/// How far all runs are from the known density, as far as that is known yet.
#[derive(Default)]
pub struct Truths {
    /// Whose data the judge judges by.
    of: Option<Experiment>,
    judge: Option<Judge>,
    absence: Option<NoDensity>,
    problem: Option<String>,
    /// The last round of every run.
    runs: BTreeMap<BranchId, (Round, Verdicts)>,
    /// True while curves have gaps.
    is_growing: bool,
}

/// Cases that a judge is given at once. It is asked again when it has done all, so that it never lags behind.
const BATCH: usize = 8;

impl Truths {
    /// Takes in what arrived since the last frame.
    pub fn drain(&mut self) {
        let Some(judge) = &mut self.judge else { return };
        for (round, verdict) in judge.drain() {
            if let Some((of, verdicts)) = self.runs.get_mut(&round.run)
                && *of == round
            {
                verdicts.insert(verdict);
            }
        }
    }

    /// Asks for verdicts on the steps that are shown, on the newest ones, and then on what the curves miss most.
    pub fn follow(&mut self, document: &Document, session: &Session, ctx: &egui::Context) {
        self.follow_data(document, session, ctx);
        self.follow_runs(session);
        let is_free = |judge: &Judge| judge.truth().is_some() && judge.awaited() == 0;
        let Some(judge) = self.judge.as_mut().filter(|judge| is_free(judge)) else { return };
        for track in session.tracks() {
            let Some((round, verdicts)) = self.runs.get_mut(&track.id()) else { continue };
            if let Some(shown) = shown(session, track).filter(|m| verdicts.ask(m.record.step)) {
                judge.ask(*round, shown);
            }
        }
        // While runs train, most of its time is theirs.
        let batch = if session.is_playing() { 1 } else { BATCH };
        let mut gap_count = 0;
        for _ in 0..batch {
            for (id, (round, verdicts)) in &mut self.runs {
                let wanted =
                    session.in_timeline(*id, |timeline| verdicts.wanted(timeline).cloned());
                if let Some(moment) = wanted.flatten().filter(|m| verdicts.ask(m.record.step)) {
                    judge.ask(*round, moment);
                    gap_count += 1;
                }
            }
            if gap_count >= batch {
                break;
            }
        }
        self.is_growing = judge.awaited() > 0;
    }

    /// Begins anew where the data are others.
    fn follow_data(&mut self, document: &Document, session: &Session, ctx: &egui::Context) {
        let (experiment, scaling) = match session.snapshot_of(BranchId::TRUNK) {
            Some(snapshot) => (&*snapshot.experiment, snapshot.prepared.dataset.scaling),
            // An empty canvas, say.
            None if session.problem().is_some() => (&document.experiment, Scaling::NONE),
            None => return,
        };
        let is_same = |of: &Experiment| of.has_same_data(experiment);
        // Not for every value that a slider is dragged across.
        let is_held = ctx.input(|input| input.pointer.any_down());
        if self.of.as_ref().is_some_and(is_same) || is_held {
            return;
        }
        *self = Truths { of: Some(experiment.clone()), ..Truths::default() };
        match experiment.known_density(&scaling) {
            Err(absence) => self.absence = Some(absence),
            Ok(density) => {
                let ctx = ctx.clone();
                match Judge::spawn(density, move || ctx.request_repaint()) {
                    Ok(judge) => (self.judge, self.is_growing) = (Some(judge), true),
                    Err(error) => {
                        self.problem = Some(format!("no thread could be started: {error}"));
                    }
                }
            }
        }
    }

    /// Forgets what runs were before they began again, and runs that are gone.
    fn follow_runs(&mut self, session: &Session) {
        self.runs.retain(|id, _| session.track(*id).is_some());
        for track in session.tracks() {
            let round = track.round();
            let entry = self.runs.entry(track.id());
            let (of, verdicts) = entry.or_insert_with(|| (round, Verdicts::default()));
            if *of != round {
                (*of, *verdicts) = (round, Verdicts::default());
            }
        }
    }

    /// The truth, once it is prepared.
    #[must_use]
    pub fn truth(&self) -> Option<&Arc<Truth>> {
        self.judge.as_ref()?.truth()
    }

    /// Why there is none.
    #[must_use]
    pub fn absence(&self) -> Option<&NoDensity> {
        self.absence.as_ref()
    }

    /// What went wrong.
    #[must_use]
    pub fn problem(&self) -> Option<&str> {
        self.problem.as_deref().or_else(|| self.judge.as_ref()?.problem())
    }

    /// True while the truth is being prepared, or curves have gaps.
    #[must_use]
    pub fn is_growing(&self) -> bool {
        self.is_growing && self.problem().is_none()
    }

    /// What is known of a run.
    #[must_use]
    pub fn verdicts(&self, id: BranchId) -> Option<&Verdicts> {
        self.runs.get(&id).map(|(_, verdicts)| verdicts).filter(|verdicts| !verdicts.is_empty())
    }

    /// True where something is known of a run.
    #[must_use]
    pub fn has_verdicts(&self) -> bool {
        self.truth().is_some() && self.runs.keys().any(|id| self.verdicts(*id).is_some())
    }

    /// All runs of which something is known, to be drawn.
    #[must_use]
    pub fn judged(&self, document: &Document, palette: &Palette) -> Vec<Judged> {
        let runs = document.experiment.runs();
        let judged = |run| {
            let verdicts = self.verdicts(run)?.iter().copied().collect();
            let label = runs::name(&document.experiment, run);
            Some(Judged { run, label, color: run_color(run, palette), verdicts })
        };
        runs.filter_map(judged).collect()
    }
}

/// The step that is shown of a run, as it is kept: what is shown may still be of the round before.
fn shown(session: &Session, track: &Track) -> Option<Moment> {
    let step = track.shown()?.record.step;
    session.in_timeline(track.id(), |timeline| timeline.at(step).cloned())?
}

impl App {
    /// What is known of how far a run is from the known density.
    #[must_use]
    pub fn verdicts(&self, id: BranchId) -> Option<&Verdicts> {
        self.truth.verdicts(id)
    }

    /// The known density of the data, prepared for comparisons; `None` until it is, or where nobody knows it.
    #[must_use]
    pub fn truth(&self) -> Option<&Arc<Truth>> {
        self.truth.truth()
    }

    /// True while verdicts are on their way.
    #[must_use]
    pub fn is_judging(&self) -> bool {
        self.truth.is_growing()
    }
}
