//! Session: keeps the worker in step with the document, and collects what it reports.

mod taking_up;

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::track::Track;
use super::view::Position;
use crate::data::Dataset;
use crate::model::Mixture;
use crate::training::{
    Branch, BranchId, Change, Command, Event, Experiment, Finish, History, Memoir, Moment, News,
    Record, Snapshot, Source, Timeline, Who, Worker,
};

/// The running experiment as the window knows it. What it tells of a run is told of the chosen one.
pub struct Session {
    worker: Option<Worker>,
    running: Experiment,
    readiness: Readiness,
    /// When the worker began to prepare.
    began: Instant,
    wants_to_play: bool,
    /// Which play is on, or was the last.
    play_number: usize,
    pace: Option<f64>,
    /// True while running to the end, where the pace is not kept.
    is_rushing: bool,
    /// All runs; those that branch off come after the one that they leave.
    tracks: Vec<Track>,
    chosen: BranchId,
    /// True where all runs are stepped, in turn.
    is_race: bool,
    dataset: Option<Arc<Dataset>>,
    problem: Option<String>,
    /// What the worker was told of the guard.
    guard: Option<bool>,
    /// What has been heard of runs that another program has trained.
    legacy: Legacy,
    ctx: egui::Context,
}

/// How far the worker is. It is told nothing more before it has answered, so that dragging a slider never piles up work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Readiness {
    /// It makes data and start.
    Preparing,
    /// It takes up another algorithm or other branches.
    Following,
    /// It repeats the steps of runs that another program has trained, so that they can go on.
    Repeating,
    /// It does what it is told.
    Ready,
}

/// What has been heard of runs that another program has trained.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Legacy {
    /// There are none, or they are as if trained here.
    None,
    /// The worker takes them up.
    Awaited,
    /// The memory of one begins anew, and nobody has been told.
    Forgotten,
}

impl Legacy {
    /// What remains to be said once the worker is ready.
    fn once_ready(self) -> Legacy {
        match self {
            Legacy::None | Legacy::Awaited => Legacy::None,
            Legacy::Forgotten => Legacy::Forgotten,
        }
    }
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
    /// A run has just begun again.
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
            readiness: Readiness::Preparing,
            began: Instant::now(),
            wants_to_play: false,
            play_number: 0,
            pace: None,
            is_rushing: false,
            tracks: Vec::new(),
            chosen: BranchId::TRUNK,
            is_race: false,
            dataset: None,
            problem: None,
            guard: None,
            legacy: Legacy::None,
            ctx,
        };
        session.restart(Vec::new());
        session
    }

    fn restart(&mut self, memoirs: Vec<Memoir>) {
        let ctx = self.ctx.clone();
        let wake = Box::new(move || ctx.request_repaint());
        let same_data =
            |snapshot: &&Arc<Snapshot>| self.running.has_same_data(&snapshot.experiment);
        let trunk = self.track(BranchId::TRUNK).and_then(Track::snapshot);
        let dataset = trunk.filter(same_data).map(|s| s.prepared.dataset.clone());
        self.keep_tracks();
        self.legacy = if memoirs.is_empty() { Legacy::None } else { Legacy::Awaited };
        match Worker::take_up(self.running.clone(), dataset, memoirs, wake) {
            Ok(worker) => {
                self.worker = Some(worker);
                self.send_pace();
                (self.readiness, self.guard) = (Readiness::Preparing, None);
                self.began = Instant::now();
                self.problem = None;
            }
            Err(error) => self.problem = Some(format!("no thread could be started: {error}")),
        }
    }

    /// Makes a track for each run, and forgets those of runs that are gone.
    fn keep_tracks(&mut self) {
        let mut before = std::mem::take(&mut self.tracks);
        for id in self.running.runs() {
            let place = before.iter().position(|track| track.id() == id);
            self.tracks.push(place.map_or_else(|| Track::new(id), |i| before.swap_remove(i)));
        }
    }

    /// Takes in what the worker reported since the last frame; true if the chosen run has begun, or begun again.
    pub fn drain(&mut self) -> bool {
        let Some(worker) = &self.worker else { return false };
        let mut has_begun = false;
        for event in worker.drain() {
            match event {
                Event::Run(id, news) => {
                    if let News::Started(_) = news {
                        // The view of a session is that of its past.
                        has_begun |= id == self.chosen && self.legacy != Legacy::Awaited;
                        if self.readiness == Readiness::Preparing {
                            // What is taken up says when it is ready.
                            self.readiness = match self.legacy {
                                Legacy::Awaited => Readiness::Repeating,
                                Legacy::None | Legacy::Forgotten => Readiness::Ready,
                            };
                            self.began = Instant::now();
                            if self.wants_to_play {
                                worker.send(Command::Play(
                                    who(self.is_race, self.chosen),
                                    self.play_number,
                                ));
                            }
                        }
                    }
                    if news == News::Forgot {
                        self.legacy = Legacy::Forgotten;
                    }
                    // Of a run that is gone, nobody wants to hear.
                    if let Some(track) = self.tracks.iter_mut().find(|track| track.id() == id) {
                        track.hear(news);
                    }
                }
                // The end of an earlier play is none of this one.
                Event::Stopped(number) if number != self.play_number => {}
                Event::Stopped(_) => self.wants_to_play = false,
                Event::Followed => {
                    self.readiness = Readiness::Ready;
                    // Not before: the worker may still be telling of one run after the other when a frame looks.
                    self.legacy = self.legacy.once_ready();
                }
                Event::Failed { message, dataset } => {
                    self.readiness = Readiness::Ready;
                    self.legacy = self.legacy.once_ready();
                    self.wants_to_play = false;
                    self.problem = Some(message);
                    self.tracks.iter_mut().for_each(|track| track.hear(News::Waits));
                    self.dataset = dataset;
                }
            }
        }
        if self.problem.is_none() {
            for track in &mut self.tracks {
                track.refresh(worker);
            }
            if let Some(snapshot) = self.snapshot_of(BranchId::TRUNK) {
                self.dataset = Some(snapshot.prepared.dataset.clone());
            }
        }
        if !self.wants_to_play && self.is_rushing {
            self.is_rushing = false;
            self.send_pace();
        }
        has_begun
    }

    /// Chooses what it tells of, and how many runs are stepped. Play goes on with them.
    pub fn choose(&mut self, chosen: BranchId, is_race: bool) {
        let before = self.who();
        // A branch that has just been made is there as soon as the worker has been told.
        let is_there = |id: &BranchId| self.track(*id).is_some();
        let chosen = [chosen, self.chosen].into_iter().find(is_there);
        (self.chosen, self.is_race) = (chosen.unwrap_or(BranchId::TRUNK), is_race);
        if before != self.who() && self.wants_to_play && self.is_prepared() {
            self.go_on();
            self.play_number += 1;
            self.send(Command::Play(self.who(), self.play_number));
        }
    }

    fn is_prepared(&self) -> bool {
        self.readiness != Readiness::Preparing
    }

    /// The runs that are stepped.
    fn who(&self) -> Who {
        who(self.is_race, self.chosen)
    }

    /// Goes to a position in time, once a frame, so that all views show the same step.
    pub fn look(&mut self, position: Position) {
        for i in 0..self.tracks.len() {
            let branch = self.running.branch(self.tracks[i].id());
            let before = branch.and_then(|branch| self.before(branch, position));
            self.tracks[i].look(position, before.as_ref(), self.worker.as_ref());
        }
    }

    /// The run that a branch leaves, at a position in time, or at the step where it does if that is earlier.
    fn before(&self, branch: &Branch, position: Position) -> Option<Moment> {
        let wanted = match position {
            Position::At(step) => step.min(branch.step),
            Position::Newest | Position::Best => branch.step,
        };
        let parent = self.track(branch.parent)?.shown()?;
        if parent.record.step <= wanted {
            return Some(parent.clone());
        }
        let look = |timeline: &Timeline| timeline.at(wanted).cloned();
        let kept = self.worker.as_ref()?.timeline(branch.parent, look)?;
        kept.or_else(|| Some(parent.clone()))
    }

    /// Makes the worker run this experiment.
    pub fn follow(&mut self, experiment: &Experiment) -> Followed {
        if *experiment == self.running {
            return Followed::Same;
        }
        let has_same_start = experiment.has_same_start(&self.running) && self.problem.is_none();
        let is_answered = match self.readiness {
            Readiness::Preparing => false,
            // A new start needs a new worker, which waits for nobody.
            Readiness::Following | Readiness::Repeating => !has_same_start,
            Readiness::Ready => true,
        };
        if !is_answered {
            return Followed::Waiting;
        }
        let before = std::mem::replace(&mut self.running, experiment.clone());
        if !has_same_start {
            self.restart(Vec::new());
            return Followed::Restarted;
        }
        self.keep_tracks();
        (self.readiness, self.began) = (Readiness::Following, Instant::now());
        self.send(Command::Follow(Box::new(experiment.clone())));
        let change = experiment.alone(self.chosen).change_since(&before.alone(self.chosen));
        let is_new = before.runs().all(|id| id != self.chosen);
        if change == Change::Restart && !is_new { Followed::Restarted } else { Followed::Same }
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
        self.go_on();
        self.send_pace();
        // A worker that still prepares is told as soon as it has.
        if self.is_prepared() {
            self.play_number += 1;
            self.send(Command::Play(self.who(), self.play_number));
        }
    }

    fn go_on(&mut self) {
        let who = self.who();
        let stepped = || self.tracks.iter().filter(|track| who.has(track.id()));
        // While others go on, those that have stopped stay where they are.
        if stepped().all(|track| track.finish().is_some() || !track.has_begun()) {
            self.tracks.iter_mut().filter(|track| who.has(track.id())).for_each(Track::go_on);
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
        self.go_on();
        self.send(Command::Step(self.who()));
    }

    /// Back to the same start. A worker that failed is replaced.
    pub fn rewind(&mut self) {
        self.pause();
        if self.problem.is_some() {
            self.restart(Vec::new());
        } else {
            self.send(Command::Rewind(self.who()));
        }
    }

    /// Steps per second from now on; `None` for as fast as it goes.
    pub fn set_pace(&mut self, pace: Option<f64>) {
        if self.pace != pace {
            self.pace = pace;
            self.send_pace();
        }
    }

    /// Lets runs stop when something goes wrong with them that can be told, or lets them go on.
    pub fn set_guard(&mut self, is_on: bool) {
        if self.guard != Some(is_on) {
            self.guard = Some(is_on);
            self.send(Command::Guard(is_on));
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
        (self.readiness != Readiness::Ready).then(|| self.began.elapsed())
    }

    /// Adds a step to what was recorded.
    pub(super) fn remember(&mut self, record: Record) {
        let chosen = self.chosen;
        if let Some(track) = self.tracks.iter_mut().find(|track| track.id() == chosen) {
            track.remember(record);
        }
    }

    /// All runs; those that branch off come after the one that they leave.
    #[must_use]
    pub fn tracks(&self) -> &[Track] {
        &self.tracks
    }

    /// A run.
    #[must_use]
    pub fn track(&self, id: BranchId) -> Option<&Track> {
        self.tracks.iter().find(|track| track.id() == id)
    }

    /// Which run is chosen.
    #[must_use]
    pub fn chosen(&self) -> BranchId {
        self.chosen
    }

    fn chosen_track(&self) -> &Track {
        let place = self.tracks.iter().position(|track| track.id() == self.chosen);
        // The trunk is always there.
        &self.tracks[place.unwrap_or(0)]
    }

    /// The run that a branch leaves; the trunk for the trunk, and for what is not known.
    #[must_use]
    pub fn parent_of(&self, id: BranchId) -> BranchId {
        self.running.branch(id).map_or(BranchId::TRUNK, |branch| branch.parent)
    }

    /// What was recorded of the steps.
    #[must_use]
    pub fn history(&self) -> &History {
        self.chosen_track().history()
    }

    /// How many steps the run has been seen to take.
    #[must_use]
    pub fn step_count(&self) -> usize {
        self.chosen_track().step_count()
    }

    /// The last step that the run has been seen to take.
    #[must_use]
    pub fn last_step(&self) -> usize {
        self.chosen_track().last_step()
    }

    /// The newest snapshot; of a branch that has not begun that of the run it leaves.
    #[must_use]
    pub fn snapshot(&self) -> Option<&Arc<Snapshot>> {
        let mut track = self.chosen_track();
        while track.snapshot().is_none() && track.problem().is_none() {
            let parent = self.running.branch(track.id())?.parent;
            track = self.track(parent)?;
        }
        track.snapshot()
    }

    /// The newest snapshot of a run; `None` until it has begun.
    #[must_use]
    pub fn snapshot_of(&self, id: BranchId) -> Option<&Arc<Snapshot>> {
        self.track(id)?.snapshot()
    }

    /// The newest snapshot of the run that took this step of a run: before its own first step of the one that it leaves.
    #[must_use]
    pub fn snapshot_at(&self, id: BranchId, step: usize) -> Option<&Arc<Snapshot>> {
        let mut of = id;
        loop {
            let own = self.snapshot_of(of).filter(|snapshot| snapshot.course.first_step <= step);
            if own.is_some() {
                return own;
            }
            of = self.running.branch(of)?.parent;
        }
    }

    /// What all views show: a step and its mixture.
    #[must_use]
    pub fn shown(&self) -> Option<&Moment> {
        self.chosen_track().shown()
    }

    /// The newest step that can be shown: in a race that of the run that is ahead.
    #[must_use]
    pub fn newest_step(&self) -> usize {
        let who = self.who();
        let steps = self.tracks.iter().filter(|track| who.has(track.id()));
        let steps = steps.filter_map(|track| Some(track.snapshot()?.record.step));
        steps.max().unwrap_or(0)
    }

    /// At most so many mixtures on the way of a run to the step that is shown of it, from the start on.
    #[must_use]
    pub fn path(&self, id: BranchId, most: usize) -> Vec<Arc<Mixture>> {
        let (Some(track), Some(worker)) = (self.track(id), &self.worker) else {
            return Vec::new();
        };
        let Some(shown) = track.shown().map(|moment| moment.record.step) else {
            return Vec::new();
        };
        let own = |(id, last): (BranchId, usize)| {
            let mixtures = |timeline: &Timeline| -> Vec<Arc<Mixture>> {
                timeline.path(last, most).into_iter().map(|m| m.mixture.clone()).collect()
            };
            worker.timeline(id, mixtures).unwrap_or_default()
        };
        self.line(id, shown).into_iter().flat_map(own).collect()
    }

    /// The step at a position in time, which in a race need not be one of the chosen run.
    #[must_use]
    pub fn step_at(&self, position: Position) -> usize {
        match position {
            Position::At(step) => step.min(self.newest_step()),
            Position::Newest => self.newest_step(),
            Position::Best => self.shown().map_or(0, |moment| moment.record.step),
        }
    }

    /// The last kept step before this one, of the runs that are stepped and those that they come from.
    #[must_use]
    pub fn step_before(&self, step: usize) -> Option<usize> {
        let before = |timeline: &Timeline| timeline.before(step).map(|moment| moment.record.step);
        self.look_up(before).max()
    }

    /// The first kept step after this one, of the runs that are stepped and those that they come from.
    #[must_use]
    pub fn step_after(&self, step: usize) -> Option<usize> {
        let after = |timeline: &Timeline| timeline.after(step).map(|moment| moment.record.step);
        let newest = self.newest_step();
        self.look_up(after).min().filter(|step| *step <= newest)
    }

    /// What this finds in the steps of the runs that are stepped, and of those that they come from.
    fn look_up<'a, T>(
        &'a self,
        find: impl Fn(&Timeline) -> Option<T> + 'a,
    ) -> impl Iterator<Item = T> + 'a {
        let who = self.who();
        let is_of = move |id: &BranchId| who.has(*id) || self.comes_from(self.chosen, *id);
        let ids = self.tracks.iter().map(Track::id).filter(is_of);
        ids.filter_map(move |id| self.worker.as_ref()?.timeline(id, &find)?)
    }

    /// True if a run comes from another.
    fn comes_from(&self, id: BranchId, ancestor: BranchId) -> bool {
        let branch = self.running.branch(id);
        branch.is_some_and(|b| b.parent == ancestor || self.comes_from(b.parent, ancestor))
    }

    /// What is kept of the steps; `None` before there are any.
    #[must_use]
    pub fn memory(&self) -> Option<Memory> {
        let worker = self.worker.as_ref()?;
        let mut memory = Memory { kept: 0, all: 0, bytes: 0 };
        for track in self.tracks.iter().filter(|track| track.has_begun()) {
            worker.timeline(track.id(), |timeline| {
                memory.kept += timeline.len();
                memory.bytes += timeline.bytes();
            });
            memory.all += track.step_count() + 1;
        }
        (memory.kept > 0).then_some(memory)
    }

    /// The data, also where nothing can run on them.
    #[must_use]
    pub fn dataset(&self) -> Option<&Arc<Dataset>> {
        self.dataset.as_ref()
    }

    /// Where those data come from; `None` while others are being made.
    #[must_use]
    pub fn source(&self) -> Option<&Source> {
        self.is_prepared().then_some(&self.running.source)
    }

    /// Why there is nothing to run.
    #[must_use]
    pub fn problem(&self) -> Option<&str> {
        self.problem.as_deref().or_else(|| self.chosen_track().problem())
    }

    /// True if there are data and a start, so that the trunk at least is there.
    #[must_use]
    pub fn has_started(&self) -> bool {
        self.problem.is_none()
    }

    /// Why stepping stopped by itself.
    #[must_use]
    pub fn finish(&self) -> Option<&Finish> {
        self.chosen_track().finish()
    }

    /// Steps per second over the last second, while playing.
    #[must_use]
    pub fn steps_per_second(&self) -> Option<f64> {
        self.chosen_track().steps_per_second()
    }

    /// All steps of the run that are kept, from the start on, with those of the runs that it comes from.
    #[must_use]
    pub fn trail(&self) -> Vec<Moment> {
        self.trail_of(self.chosen)
    }

    /// The same of any run.
    #[must_use]
    pub fn trail_of(&self, id: BranchId) -> Vec<Moment> {
        let own = |(id, last): (BranchId, usize)| {
            let moments = |timeline: &Timeline| -> Vec<Moment> {
                timeline.moments().take_while(|m| m.record.step <= last).cloned().collect()
            };
            self.worker.as_ref()?.timeline(id, moments)
        };
        let line = self.line(id, usize::MAX);
        line.into_iter().filter_map(own).flatten().collect()
    }

    /// What this finds in the steps of a run; `None` until there is a worker that knows it.
    #[must_use]
    pub fn in_timeline<T>(&self, id: BranchId, find: impl FnOnce(&Timeline) -> T) -> Option<T> {
        self.worker.as_ref()?.timeline(id, find)
    }

    /// A run and those that it comes from, the trunk first, each with the last step that counts.
    fn line(&self, id: BranchId, last: usize) -> Vec<(BranchId, usize)> {
        let (mut line, mut of) = (vec![(id, last)], id);
        while let Some(branch) = self.running.branch(of) {
            line.push((branch.parent, branch.step.min(last)));
            of = branch.parent;
        }
        line.reverse();
        line
    }
}

fn who(is_race: bool, chosen: BranchId) -> Who {
    if is_race { Who::All } else { Who::One(chosen) }
}
