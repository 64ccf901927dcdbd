//! Track: one run of the experiment as the window knows it.

use std::cell::Cell;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::view::{Position, RaceView};
use crate::training::judge::Round;
use crate::training::{
    Activity, BranchId, Finish, History, Moment, News, Record, Snapshot, Worker,
};

/// How far the records have been searched for a likelihood.
#[derive(Clone, Copy)]
struct Search {
    wanted: RaceView,
    searched: usize,
    found: Option<Record>,
}

/// What has been heard of a run, and what is shown of it.
pub struct Track {
    id: BranchId,
    history: History,
    snapshot: Option<Arc<Snapshot>>,
    /// What all views show in this frame.
    shown: Option<Moment>,
    /// The step that was looked up for it, if it was.
    looked_up: Option<usize>,
    finish: Option<Finish>,
    problem: Option<String>,
    /// How often it has begun.
    round: usize,
    /// The first step as good as the stopwatch asks for, and how many records were searched for it.
    reached: Cell<Option<Search>>,
    /// When how many steps had been taken, of the last second.
    speed: VecDeque<(Instant, usize)>,
}

impl Track {
    /// A run of which nothing has been heard.
    #[must_use]
    pub fn new(id: BranchId) -> Track {
        Track {
            id,
            history: History::default(),
            snapshot: None,
            shown: None,
            looked_up: None,
            finish: None,
            problem: None,
            round: 0,
            reached: Cell::new(None),
            speed: VecDeque::new(),
        }
    }

    /// Takes in what happened.
    pub fn hear(&mut self, news: News) {
        match news {
            News::Started(record) => {
                // The snapshot stays until there is another, so that the canvas does not flash.
                self.forget();
                self.history.push(record);
            }
            News::Recorded(record) => self.history.push(record),
            News::Finished(finish) => self.finish = Some(finish),
            News::Forgot => {}
            News::Waits => {
                self.forget();
                self.snapshot = None;
            }
            News::Stuck(message) => {
                self.forget();
                (self.snapshot, self.problem) = (None, Some(message));
            }
        }
    }

    fn forget(&mut self) {
        self.history.clear();
        self.speed.clear();
        (self.looked_up, self.finish, self.problem) = (None, None, None);
        self.reached.set(None);
        self.round += 1;
    }

    /// Takes what the worker shows of it.
    pub fn refresh(&mut self, worker: &Worker) {
        if let Some(snapshot) = worker.latest(self.id).filter(|_| self.has_begun()) {
            self.snapshot = Some(snapshot);
        }
        let now = Instant::now();
        if let Some(record) = self.history.records().last() {
            self.speed.push_back((now, record.step));
        }
        while self.speed.front().is_some_and(|(then, _)| now - *then > Duration::from_secs(1)) {
            self.speed.pop_front();
        }
    }

    /// Goes to a position in time. `before` is what is shown of the run that it leaves, for steps before its own.
    pub fn look(&mut self, position: Position, before: Option<&Moment>, worker: Option<&Worker>) {
        let Some(snapshot) = &self.snapshot else {
            // Until it begins it is the run that it leaves, at the step where it does.
            (self.shown, self.looked_up) = (before.cloned(), None);
            return;
        };
        let first = snapshot.branch.as_ref().map_or(0, |branch| branch.step);
        let wanted = match position {
            Position::At(step) => Some(step),
            Position::Newest | Position::Best => None,
        };
        if let (Some(step), Some(before)) = (wanted, before)
            && step < first
        {
            (self.shown, self.looked_up) = (Some(before.clone()), None);
            return;
        }
        // A step that is looked at stays, even if the timeline is thinned meanwhile.
        let is_there = self.shown.as_ref().is_some_and(|shown| Some(shown.record.step) == wanted);
        if is_there && wanted == self.looked_up {
            return;
        }
        self.looked_up = wanted;
        self.shown = Some(match position {
            Position::Newest => snapshot.newest(),
            Position::Best => snapshot.best.clone(),
            Position::At(step) => {
                let look = |worker: &Worker| worker.timeline(self.id, |t| t.at(step).cloned());
                worker.and_then(look).flatten().unwrap_or_else(|| snapshot.newest())
            }
        });
    }

    /// Which run it is.
    #[must_use]
    pub fn id(&self) -> BranchId {
        self.id
    }

    /// True once it is at its start, or farther.
    #[must_use]
    pub fn has_begun(&self) -> bool {
        !self.history.records().is_empty()
    }

    /// What was recorded of the steps.
    #[must_use]
    pub fn history(&self) -> &History {
        &self.history
    }

    /// The first step whose likelihood is as good as the stopwatch asks for. Looks at every record once.
    #[must_use]
    pub fn reached(&self, wanted: RaceView) -> Option<Record> {
        let target = wanted.target?;
        let known = self.reached.get().filter(|search| search.wanted == wanted);
        let mut search = known.unwrap_or(Search { wanted, searched: 0, found: None });
        let records = self.history.records();
        if search.found.is_none() {
            let is_it = |record: &&Record| wanted.likelihood.of(record) <= target;
            search.found = records[search.searched..].iter().find(is_it).copied();
            search.searched = records.len();
        }
        self.reached.set(Some(search));
        search.found
    }

    /// Adds a step to what was recorded.
    pub fn remember(&mut self, record: Record) {
        self.history.push(record);
    }

    /// The last step that it has been seen to take.
    #[must_use]
    pub fn last_step(&self) -> usize {
        self.history.records().last().map_or(0, |record| record.step)
    }

    /// How many steps it has been seen to take itself.
    #[must_use]
    pub fn step_count(&self) -> usize {
        let first = self.history.records().first().map_or(0, |record| record.step);
        self.last_step() - first
    }

    /// The newest snapshot.
    #[must_use]
    pub fn snapshot(&self) -> Option<&Arc<Snapshot>> {
        self.snapshot.as_ref()
    }

    /// What is shown of it: a step and its mixture.
    #[must_use]
    pub fn shown(&self) -> Option<&Moment> {
        self.shown.as_ref()
    }

    /// Why stepping stopped by itself.
    #[must_use]
    pub fn finish(&self) -> Option<&Finish> {
        self.finish.as_ref()
    }

    /// Goes on after it has stopped by itself.
    pub fn go_on(&mut self) {
        self.finish = None;
    }

    /// Which run it is, and how often that has begun.
    #[must_use]
    pub fn round(&self) -> Round {
        Round { run: self.id, count: self.round }
    }

    /// Why it cannot begin.
    #[must_use]
    pub fn problem(&self) -> Option<&str> {
        self.problem.as_deref()
    }

    /// Steps per second over the last second, while playing.
    #[must_use]
    pub fn steps_per_second(&self) -> Option<f64> {
        let is_stepping = self.snapshot.as_ref().is_some_and(|s| s.activity == Activity::Playing);
        let ((first, from), (last, to)) = (self.speed.front()?, self.speed.back()?);
        let seconds = (*last - *first).as_secs_f64();
        (is_stepping && seconds > 0.2).then(|| to.saturating_sub(*from) as f64 / seconds)
    }
}
