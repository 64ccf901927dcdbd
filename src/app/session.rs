//! Session: keeps the worker in step with the document, and collects what it reports.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::view::Position;
use crate::data::Dataset;
use crate::training::{
    Activity, Change, Command, Event, Experiment, Finish, History, Moment, Record, Snapshot,
    Source, Worker,
};

/// The running experiment as the window knows it.
pub struct Session {
    worker: Option<Worker>,
    running: Experiment,
    /// False while the worker prepares; it is not replaced before it has answered, so that dragging a slider never
    /// piles up threads.
    is_prepared: bool,
    /// When the worker began to prepare.
    began: Instant,
    wants_to_play: bool,
    pace: Option<f64>,
    /// True while running to the end, where the pace is not kept.
    is_rushing: bool,
    history: History,
    snapshot: Option<Arc<Snapshot>>,
    /// What all views show in this frame.
    shown: Option<Moment>,
    /// The step that was looked up for it, if it was.
    looked_up: Option<usize>,
    dataset: Option<Arc<Dataset>>,
    problem: Option<String>,
    finish: Option<Finish>,
    /// When how many steps had been taken, of the last second.
    speed: VecDeque<(Instant, usize)>,
    ctx: egui::Context,
}

/// What is kept of the steps, for going back in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Memory {
    /// Steps kept, with the start.
    pub kept: usize,
    /// Steps taken, with the start.
    pub all: usize,
    /// What the kept ones take.
    pub bytes: usize,
}

/// How far the worker has followed the document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Followed {
    /// It runs what the document says, with live settings as they are.
    Same,
    /// A new run has just begun.
    Restarted,
    /// The worker still prepares the change before this one; ask again soon.
    Waiting,
}

impl Session {
    /// Starts to run an experiment.
    #[must_use]
    pub fn new(experiment: &Experiment, ctx: egui::Context) -> Session {
        let mut session = Session {
            worker: None,
            running: experiment.clone(),
            is_prepared: false,
            began: Instant::now(),
            wants_to_play: false,
            pace: None,
            is_rushing: false,
            history: History::default(),
            snapshot: None,
            shown: None,
            looked_up: None,
            dataset: None,
            problem: None,
            finish: None,
            speed: VecDeque::new(),
            ctx,
        };
        session.restart();
        session
    }

    fn restart(&mut self) {
        let ctx = self.ctx.clone();
        let wake = Box::new(move || ctx.request_repaint());
        let same_data =
            |snapshot: &&Arc<Snapshot>| self.running.has_same_data(&snapshot.experiment);
        let dataset = self.snapshot.as_ref().filter(same_data).map(|s| s.prepared.dataset.clone());
        match Worker::spawn(self.running.clone(), dataset, wake) {
            Ok(worker) => {
                self.worker = Some(worker);
                self.send_pace();
                self.is_prepared = false;
                self.began = Instant::now();
                self.problem = None;
                self.finish = None;
            }
            Err(error) => self.problem = Some(format!("no thread could be started: {error}")),
        }
    }

    /// Takes in what the worker reported since the last frame; true if a run has begun, or begun again.
    pub fn drain(&mut self) -> bool {
        let Some(worker) = &self.worker else { return false };
        let mut has_begun = false;
        for event in worker.drain() {
            match event {
                Event::Started(record) => {
                    has_begun = true;
                    self.looked_up = None;
                    self.history.clear();
                    self.history.push(record);
                    self.speed.clear();
                    self.finish = None;
                    if !self.is_prepared {
                        self.is_prepared = true;
                        if self.wants_to_play {
                            worker.send(Command::Play);
                        }
                    }
                }
                Event::Recorded(record) => self.history.push(record),
                Event::Finished(finish) => {
                    self.wants_to_play = false;
                    self.finish = Some(finish);
                }
                Event::Failed { message, dataset } => {
                    self.is_prepared = true;
                    self.wants_to_play = false;
                    self.problem = Some(message);
                    self.snapshot = None;
                    self.history.clear();
                    self.dataset = dataset;
                }
            }
        }
        // Kept while a new worker prepares, so that the canvas does not flash.
        if self.problem.is_none()
            && let Some(snapshot) = worker.latest()
        {
            self.dataset = Some(snapshot.prepared.dataset.clone());
            self.snapshot = Some(snapshot);
        }
        if self.finish.is_some() && self.is_rushing {
            self.is_rushing = false;
            self.send_pace();
        }
        let now = Instant::now();
        if let Some(record) = self.history.records().last() {
            self.speed.push_back((now, record.step));
        }
        while self.speed.front().is_some_and(|(then, _)| now - *then > Duration::from_secs(1)) {
            self.speed.pop_front();
        }
        has_begun
    }

    /// Goes to a position in time, once a frame, so that all views show the same step.
    pub fn look(&mut self, position: Position) {
        let Some(snapshot) = &self.snapshot else {
            (self.shown, self.looked_up) = (None, None);
            return;
        };
        let wanted = match position {
            Position::At(step) => Some(step),
            Position::Newest | Position::Best => None,
        };
        // A step that is looked at stays, even if the timeline is thinned meanwhile.
        if wanted.is_some() && wanted == self.looked_up && self.shown.is_some() {
            return;
        }
        self.looked_up = wanted;
        self.shown = Some(match position {
            Position::Newest => snapshot.newest(),
            Position::Best => snapshot.best.clone(),
            Position::At(step) => {
                let worker = self.worker.as_ref();
                let kept = worker.and_then(|worker| worker.timeline().at(step).cloned());
                kept.unwrap_or_else(|| snapshot.newest())
            }
        });
    }

    /// Makes the worker run this experiment.
    pub fn follow(&mut self, experiment: &Experiment) -> Followed {
        let change = experiment.change_since(&self.running);
        match change {
            Change::Nothing => {}
            Change::Tune => {
                self.running = experiment.clone();
                self.send(Command::Tune(experiment.algorithm.clone()));
            }
            Change::Restart if !self.is_prepared => {}
            Change::Restart => {
                self.running = experiment.clone();
                self.restart();
                return Followed::Restarted;
            }
        }
        if change == Change::Restart { Followed::Waiting } else { Followed::Same }
    }

    fn send(&self, command: Command) {
        if let Some(worker) = &self.worker {
            worker.send(command);
        }
    }

    fn send_pace(&self) {
        self.send(Command::Pace(if self.is_rushing { None } else { self.pace }));
    }

    /// Starts or goes on stepping; `rush` ignores the pace.
    pub fn play(&mut self, rush: bool) {
        self.wants_to_play = true;
        self.is_rushing = rush;
        self.finish = None;
        self.send_pace();
        // A worker that still prepares is told as soon as it has.
        if self.is_prepared {
            self.send(Command::Play);
        }
    }

    /// Stops stepping.
    pub fn pause(&mut self) {
        self.wants_to_play = false;
        self.is_rushing = false;
        self.send(Command::Pause);
        self.send_pace();
    }

    /// One step.
    pub fn step(&mut self) {
        self.pause();
        self.finish = None;
        self.send(Command::Step);
    }

    /// Back to the same start. A worker that failed is replaced.
    pub fn rewind(&mut self) {
        self.pause();
        if self.problem.is_some() {
            self.restart();
        } else {
            self.send(Command::Rewind);
        }
    }

    /// Steps per second from now on; `None` for as fast as it goes.
    pub fn set_pace(&mut self, pace: Option<f64>) {
        if self.pace != pace {
            self.pace = pace;
            self.send_pace();
        }
    }

    /// True if it steps, or will as soon as it is prepared.
    #[must_use]
    pub fn is_playing(&self) -> bool {
        self.wants_to_play
    }

    /// For how long data and start have been in the making; `None` if they are made.
    #[must_use]
    pub fn preparing_for(&self) -> Option<Duration> {
        (!self.is_prepared).then(|| self.began.elapsed())
    }

    /// Adds a step to what was recorded.
    pub(super) fn remember(&mut self, record: Record) {
        self.history.push(record);
    }

    /// What was recorded of the steps.
    #[must_use]
    pub fn history(&self) -> &History {
        &self.history
    }

    /// How many steps the run has been seen to take.
    #[must_use]
    pub fn step_count(&self) -> usize {
        self.history.records().last().map_or(0, |record| record.step)
    }

    /// The newest snapshot.
    #[must_use]
    pub fn snapshot(&self) -> Option<&Arc<Snapshot>> {
        self.snapshot.as_ref()
    }

    /// What all views show: a step and its mixture.
    #[must_use]
    pub fn shown(&self) -> Option<&Moment> {
        self.shown.as_ref()
    }

    /// The newest step that can be shown.
    #[must_use]
    pub fn newest_step(&self) -> usize {
        self.snapshot.as_ref().map_or(0, |snapshot| snapshot.record.step)
    }

    /// The last step before the one shown that is kept.
    #[must_use]
    pub fn step_before(&self) -> Option<usize> {
        let shown = self.shown.as_ref()?.record.step;
        let timeline = self.worker.as_ref()?.timeline();
        timeline.before(shown).map(|moment| moment.record.step)
    }

    /// The first step after the one shown that is kept.
    #[must_use]
    pub fn step_after(&self) -> Option<usize> {
        let shown = self.shown.as_ref()?.record.step;
        let timeline = self.worker.as_ref()?.timeline();
        timeline.after(shown).map(|moment| moment.record.step)
    }

    /// What is kept of the steps; `None` before there are any.
    #[must_use]
    pub fn memory(&self) -> Option<Memory> {
        let timeline = self.worker.as_ref()?.timeline();
        let all = timeline.newest()?.record.step + 1;
        Some(Memory { kept: timeline.len(), all, bytes: timeline.bytes() })
    }

    /// The data, also where nothing can run on them.
    #[must_use]
    pub fn dataset(&self) -> Option<&Arc<Dataset>> {
        self.dataset.as_ref()
    }

    /// Where those data come from; `None` while others are being made.
    #[must_use]
    pub fn source(&self) -> Option<&Source> {
        self.is_prepared.then_some(&self.running.source)
    }

    /// Why there is nothing to run.
    #[must_use]
    pub fn problem(&self) -> Option<&str> {
        self.problem.as_deref()
    }

    /// Why stepping stopped by itself.
    #[must_use]
    pub fn finish(&self) -> Option<&Finish> {
        self.finish.as_ref()
    }

    /// Steps per second over the last second, while playing.
    #[must_use]
    pub fn steps_per_second(&self) -> Option<f64> {
        let is_stepping = self.snapshot.as_ref().is_some_and(|s| s.activity == Activity::Playing);
        let ((first, from), (last, to)) = (self.speed.front()?, self.speed.back()?);
        let seconds = (*last - *first).as_secs_f64();
        (is_stepping && seconds > 0.2).then(|| to.saturating_sub(*from) as f64 / seconds)
    }

    /// All steps of the run that are kept, from the start on.
    #[must_use]
    pub fn trail(&self) -> Vec<Moment> {
        let worker = self.worker.as_ref();
        worker.map_or_else(Vec::new, |worker| worker.timeline().moments().cloned().collect())
    }
}
