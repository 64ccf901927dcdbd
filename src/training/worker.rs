//! Worker: the thread that drives the runs of an experiment. Commands go in; events, in order, and the latest snapshots
//! come out.

use std::any::Any;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, TryRecvError, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::tree::{SharedTimeline, locked};
use super::{
    Activity, BranchId, Experiment, ExperimentError, Memoir, Moment, News, Prepared, Run, Snapshot,
    Timeline, Tree, Who,
};
use crate::data::Dataset;

/// What a worker can be told.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Step these runs until paused, converged, or at a multiple of `max_iter` steps. The number is told when all have
    /// stopped, so that an end is not taken for that of a later play.
    Play(Who, usize),
    /// Stop stepping.
    Pause,
    /// Take one step, then pause.
    Step(Who),
    /// Go back to where these runs begin, and pause there.
    Rewind(Who),
    /// Steps per second while playing; `None` for as fast as it goes.
    Pace(Option<f64>),
    /// Stop when something goes wrong that can be told, or go on regardless.
    Guard(bool),
    /// Go on with this experiment, which has the same start: other algorithms, live settings or branches.
    Follow(Box<Experiment>),
    /// Tell all that is known of the runs, between two steps.
    Recount(Listener),
}

/// All that is known of the runs of an experiment.
#[derive(Debug, Clone, PartialEq)]
pub struct Account {
    /// What is being run.
    pub experiment: Experiment,
    /// The runs that have begun.
    pub memoirs: Vec<Memoir>,
}

/// Whoever wants to hear an [`Account`]. No two are equal.
#[derive(Debug, Clone)]
pub struct Listener(pub Sender<Account>);

impl PartialEq for Listener {
    fn eq(&self, _: &Listener) -> bool {
        false
    }
}

/// What a worker reports. Nothing is lost, and everything comes in order.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// Something happened to a run.
    Run(BranchId, News),
    /// All runs of this play have stopped by themselves.
    Stopped(usize),
    /// The experiment is now the one that was asked for; or runs that were taken up are ready to go on.
    Followed,
    /// There is nothing to run.
    Failed {
        /// What is wrong.
        message: String,
        /// The data, if they were not what is wrong.
        dataset: Option<Arc<Dataset>>,
    },
}

/// Wakes whoever watches; called from the worker's thread.
pub type Wake = Box<dyn Fn() + Send>;

/// A running worker. Dropping it ends its thread after the current step.
pub struct Worker {
    commands: Sender<Command>,
    events: Receiver<Event>,
    board: Arc<Mutex<Board>>,
}

/// What the thread shows of its runs.
#[derive(Default)]
struct Board {
    runs: BTreeMap<BranchId, Shown>,
    /// How long it has been stepping.
    busy: Duration,
}

struct Shown {
    timeline: SharedTimeline,
    latest: Option<Arc<Snapshot>>,
}

impl Worker {
    /// Starts a thread that prepares the experiment, on its data where they are at hand, and then waits for commands.
    ///
    /// # Errors
    /// An I/O error if the system gives no thread.
    pub fn spawn(
        experiment: Experiment,
        dataset: Option<Arc<Dataset>>,
        wake: Wake,
    ) -> std::io::Result<Worker> {
        Worker::take_up(experiment, dataset, Vec::new(), wake)
    }

    /// The same, going on where the memoirs of runs end that another program has trained.
    ///
    /// # Errors
    /// As [`Worker::spawn`].
    pub fn take_up(
        experiment: Experiment,
        dataset: Option<Arc<Dataset>>,
        memoirs: Vec<Memoir>,
        wake: Wake,
    ) -> std::io::Result<Worker> {
        let (commands, command_receiver) = channel();
        let (event_sender, events) = channel();
        let board = Arc::<Mutex<Board>>::default();
        let mut driver = Driver {
            commands: command_receiver,
            events: event_sender,
            board: board.clone(),
            wake,
            last_wake: None,
        };
        std::thread::Builder::new().name("training".to_owned()).spawn(move || {
            let result = catch_unwind(AssertUnwindSafe(|| driver.run(&experiment, dataset, &memoirs)));
            if let Err(panic) = result {
                let message = format!(
                    "training stopped because of a bug in ScoreScope ({}): please report it, and press Rewind \
                     to start again",
                    panic_text(&*panic)
                );
                driver.fail(message, None);
            }
        })?;
        Ok(Worker { commands, events, board })
    }

    /// Sends a command. A worker that has ended ignores it.
    pub fn send(&self, command: Command) {
        // The thread ends only after Failed, which its owner has been told.
        let _ = self.commands.send(command);
    }

    /// The events since the last call, in order.
    pub fn drain(&self) -> impl Iterator<Item = Event> {
        self.events.try_iter()
    }

    /// The newest snapshot of a run; `None` until it has begun.
    #[must_use]
    pub fn latest(&self, id: BranchId) -> Option<Arc<Snapshot>> {
        locked(&self.board).runs.get(&id)?.latest.clone()
    }

    /// Looks something up in the steps of a run so far, with what was at each; at least those that events have told
    /// of. Training waits meanwhile: look something up and let go.
    pub fn timeline<T>(&self, id: BranchId, look: impl FnOnce(&Timeline) -> T) -> Option<T> {
        let timeline = locked(&self.board).runs.get(&id)?.timeline.clone();
        let timeline = locked(&timeline);
        Some(look(&timeline))
    }

    /// For how long it has been stepping: what the clocks of all runs, and the judging of them, add up to.
    #[must_use]
    pub fn busy(&self) -> Duration {
        locked(&self.board).busy
    }
}

/// What a panic said.
fn panic_text(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no message")
}

/// The worker's side of the channels.
struct Driver {
    commands: Receiver<Command>,
    events: Sender<Event>,
    board: Arc<Mutex<Board>>,
    wake: Wake,
    last_wake: Option<Instant>,
}

/// No display shows more pictures than this in a second.
const SHORTEST_WAKE: Duration = Duration::from_millis(12);

/// What is being played, and when the next step is due.
#[derive(Clone, Copy)]
struct Playing {
    who: Who,
    number: usize,
    due: Instant,
}

impl Driver {
    fn run(&mut self, experiment: &Experiment, dataset: Option<Arc<Dataset>>, memoirs: &[Memoir]) {
        let dataset = match dataset.map_or_else(|| experiment.dataset().map(Arc::new), Ok) {
            Ok(dataset) => dataset,
            Err(error) => return self.fail(error.to_string(), None),
        };
        let tree = prepared(experiment, dataset.clone(), memoirs)
            .and_then(|prepared| Tree::taken_up(experiment, prepared, memoirs));
        let result = tree.and_then(|tree| self.drive(tree, !memoirs.is_empty()));
        if let Err(error) = result {
            self.fail(error.to_string(), Some(dataset));
        }
    }

    /// Does what it is told until nobody listens any more.
    fn drive(&mut self, mut tree: Tree, is_taken_up: bool) -> Result<(), ExperimentError> {
        self.report(&mut tree, None);
        if is_taken_up {
            // What another program has trained is on screen by now.
            tree.wake();
            self.report(&mut tree, None);
            self.tell(Event::Followed);
            self.wake();
        }
        let mut interval = Duration::ZERO;
        let mut playing: Option<Playing> = None;
        loop {
            let command = match playing {
                None => self.commands.recv().map_err(|_| RecvTimeoutError::Disconnected),
                Some(Playing { due, .. }) => match due.checked_duration_since(Instant::now()) {
                    Some(wait) => self.commands.recv_timeout(wait),
                    None => self.commands.try_recv().map_err(|error| match error {
                        TryRecvError::Empty => RecvTimeoutError::Timeout,
                        TryRecvError::Disconnected => RecvTimeoutError::Disconnected,
                    }),
                },
            };
            match command {
                Err(RecvTimeoutError::Disconnected) => return Ok(()),
                Err(RecvTimeoutError::Timeout) => {
                    let Some(Playing { who, number, due }) = &mut playing else { continue };
                    let number = *number;
                    // From when it was due, so that the pace is kept; but never catch up on missed steps.
                    *due = (*due + interval).max(Instant::now());
                    if self.turn(&mut tree, *who) {
                        self.report(&mut tree, Some(*who));
                    } else {
                        playing = None;
                        self.report(&mut tree, None);
                        self.tell(Event::Stopped(number));
                        self.wake();
                    }
                    continue;
                }
                Ok(Command::Play(who, number)) => {
                    tree.go_on(who);
                    playing = Some(Playing { who, number, due: Instant::now() });
                }
                Ok(Command::Pause) => playing = None,
                Ok(Command::Step(who)) => {
                    playing = None;
                    tree.go_on(who);
                    self.turn(&mut tree, who);
                    // A single step stops by itself whatever it reaches.
                    tree.forgive(who);
                }
                Ok(Command::Pace(pace)) => {
                    interval = pace.map_or(Duration::ZERO, |p| Duration::from_secs_f64(1.0 / p));
                    if let Some(Playing { due, .. }) = &mut playing {
                        *due = (*due).min(Instant::now() + interval);
                    }
                }
                Ok(Command::Guard(is_on)) => {
                    tree.guard(is_on);
                    continue;
                }
                Ok(Command::Recount(Listener(listener))) => {
                    let (experiment, memoirs) = (tree.experiment().clone(), tree.memoirs());
                    // Who asked may be gone.
                    let _ = listener.send(Account { experiment, memoirs });
                    continue;
                }
                Ok(Command::Rewind(who)) => {
                    playing = None;
                    tree.rewind(who)?;
                }
                Ok(Command::Follow(experiment)) => {
                    tree.follow(&experiment)?;
                    self.report(&mut tree, playing.map(|playing| playing.who));
                    self.tell(Event::Followed);
                }
            }
            self.report(&mut tree, playing.map(|playing| playing.who));
            self.wake();
        }
    }

    /// Takes a step with the runs that are behind, on the clock; false if none of them goes on after it.
    fn turn(&mut self, tree: &mut Tree, who: Who) -> bool {
        let began = Instant::now();
        tree.turn(who);
        let busy = began.elapsed();
        locked(&self.board).busy += busy;
        tree.can_turn(who)
    }

    /// Shows the runs as they are now, then tells what happened to them, and wakes the watcher if it has had time to
    /// fall asleep.
    fn report(&mut self, tree: &mut Tree, playing: Option<Who>) {
        let news = tree.take_news();
        self.show(tree, playing);
        let is_more_than_steps = news.iter().any(|(_, news)| !matches!(news, News::Recorded(_)));
        for (id, news) in news {
            self.tell(Event::Run(id, news));
        }
        let is_due = self.last_wake.is_none_or(|last| last.elapsed() >= SHORTEST_WAKE);
        if is_due || is_more_than_steps {
            self.wake();
        }
    }

    /// Puts the runs on the board.
    fn show(&self, tree: &Tree, playing: Option<Who>) {
        let mut latest: BTreeMap<BranchId, Arc<Snapshot>> = tree
            .runs()
            .filter_map(|(id, run)| Some((id, Arc::new(snapshot(tree, id, run, playing)?))))
            .collect();
        let shown = tree.timelines().map(|(id, timeline)| {
            let latest = latest.remove(&id);
            (id, Shown { timeline: timeline.clone(), latest })
        });
        let shown = shown.collect();
        let before = std::mem::replace(&mut locked(&self.board).runs, shown);
        // Not under the lock: the last owner of many mixtures takes its time to free them.
        drop(before);
    }

    /// Sends an event. A watcher that is gone ends the loop at the next command.
    fn tell(&self, event: Event) {
        let _ = self.events.send(event);
    }

    fn fail(&mut self, message: String, dataset: Option<Arc<Dataset>>) {
        self.tell(Event::Failed { message, dataset });
        self.wake();
    }

    fn wake(&mut self) {
        self.last_wake = Some(Instant::now());
        (self.wake)();
    }
}

/// Data and start of an experiment; the start of the trunk where its memoir tells it.
fn prepared(
    experiment: &Experiment,
    dataset: Arc<Dataset>,
    memoirs: &[Memoir],
) -> Result<Prepared, ExperimentError> {
    let Some(trunk) = memoirs.iter().find(|memoir| memoir.id() == BranchId::TRUNK) else {
        return Prepared::on(experiment, dataset);
    };
    experiment.check()?;
    let floor = experiment.floor(&dataset);
    Ok(Prepared::of(dataset, trunk.start().clone(), floor))
}

/// A run as it is now.
fn snapshot(tree: &Tree, id: BranchId, run: &Run, playing: Option<Who>) -> Option<Snapshot> {
    let Moment { record, mixture } = tree.newest(id)?;
    let activity = match (tree.finish(id), playing) {
        (Some(finish), _) => Activity::Finished(finish.clone()),
        (None, Some(who)) if who.has(id) => Activity::Playing,
        _ => Activity::Paused,
    };
    Some(Snapshot {
        experiment: run.experiment().clone(),
        branch: tree.branch(id).cloned(),
        prepared: run.prepared().clone(),
        record,
        mixture,
        best: run.best().clone(),
        activity,
        course: run.course(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::training::{Finish, Record};

    const TRUNK: BranchId = BranchId::TRUNK;
    const ALONE: Who = Who::One(TRUNK);

    fn quick() -> Experiment {
        let mut experiment = Experiment::default();
        experiment.set("n_samples", "200").unwrap();
        experiment.set("n_components", "3").unwrap();
        experiment.set("max_iter", "25").unwrap();
        experiment.set("tol", "0").unwrap();
        experiment
    }

    /// Events until one fits.
    fn wait_for(worker: &Worker, fits: impl Fn(&Event) -> bool) -> Vec<Event> {
        let mut seen = Vec::new();
        loop {
            let event = worker.events.recv_timeout(Duration::from_secs(20)).unwrap();
            let is_last = fits(&event);
            seen.push(event);
            if is_last {
                return seen;
            }
        }
    }

    fn is_started(event: &Event) -> bool {
        matches!(event, Event::Run(_, News::Started(_)))
    }

    /// The step that an event tells of.
    fn recorded(event: &Event) -> Option<Record> {
        match event {
            Event::Run(_, News::Recorded(record)) => Some(*record),
            _ => None,
        }
    }

    #[test]
    fn it_plays_rewinds_and_repeats_itself() {
        let worker = Worker::spawn(quick(), None, Box::new(|| ())).unwrap();
        wait_for(&worker, is_started);
        let play = || {
            worker.send(Command::Play(ALONE, 0));
            wait_for(&worker, |e| *e == Event::Stopped(0))
        };
        let objectives = |events: &[Event]| -> Vec<f64> {
            events.iter().filter_map(recorded).map(|record| record.objective).collect()
        };
        let first = play();
        assert_eq!(objectives(&first).len(), 25);
        assert!(first.contains(&Event::Run(TRUNK, News::Finished(Finish::MaxIter))));
        worker.send(Command::Rewind(ALONE));
        wait_for(&worker, is_started);
        assert_eq!(objectives(&play()), objectives(&first));
        // Playing on takes another round.
        assert_eq!(objectives(&play()).len(), 25);
        assert_eq!(worker.latest(TRUNK).unwrap().record.step, 50);
    }

    #[test]
    fn every_step_that_was_told_of_can_be_looked_up() {
        let worker = Worker::spawn(quick(), None, Box::new(|| ())).unwrap();
        wait_for(&worker, is_started);
        let moment = |step| worker.timeline(TRUNK, |t| t.at(step).cloned()).flatten().unwrap();
        worker.send(Command::Play(ALONE, 0));
        for event in wait_for(&worker, |e| *e == Event::Stopped(0)) {
            let Some(record) = recorded(&event) else { continue };
            assert_eq!(moment(record.step).record, record);
        }
        let experiment = quick();
        let mut run = Run::new(&experiment, Prepared::new(&experiment).unwrap()).unwrap();
        for step in 0..=25 {
            let moment = moment(step);
            assert_eq!((moment.record.step, &*moment.mixture), (step, run.mixture()));
            run.step().unwrap();
        }
        // The snapshot shares the newest one's memory.
        let newest = moment(25);
        assert!(Arc::ptr_eq(&newest.mixture, &worker.latest(TRUNK).unwrap().mixture));
        worker.send(Command::Rewind(ALONE));
        wait_for(&worker, is_started);
        assert_eq!(worker.timeline(TRUNK, Timeline::len), Some(1));
    }

    #[test]
    fn tuning_at_the_start_gives_the_run_that_the_tuned_experiment_describes() {
        let mut experiment = quick();
        experiment.choose_algorithm("ssm");
        let mut tuned = experiment.clone();
        tuned.set("n_slices", "16").unwrap();
        tuned.set("learning_rate", "0.1").unwrap();
        let objectives = |experiment: Experiment, tuned: Option<Experiment>| {
            let worker = Worker::spawn(experiment, None, Box::new(|| ())).unwrap();
            wait_for(&worker, is_started);
            if let Some(tuned) = tuned {
                worker.send(Command::Follow(Box::new(tuned)));
                wait_for(&worker, is_started);
            }
            worker.send(Command::Play(ALONE, 0));
            let events = wait_for(&worker, |e| *e == Event::Stopped(0));
            events.iter().filter_map(recorded).map(|record| record.objective).collect::<Vec<f64>>()
        };
        let expected = objectives(tuned.clone(), None);
        assert_eq!(objectives(experiment, Some(tuned)), expected);
    }

    #[test]
    fn it_steps_once_and_keeps_a_slow_pace() {
        let worker = Worker::spawn(quick(), None, Box::new(|| ())).unwrap();
        worker.send(Command::Step(ALONE));
        wait_for(&worker, |e| recorded(e).is_some_and(|r| r.step == 1));
        worker.send(Command::Pace(Some(1.0)));
        worker.send(Command::Play(ALONE, 0));
        wait_for(&worker, |e| recorded(e).is_some_and(|r| r.step == 2));
        worker.send(Command::Pause);
        std::thread::sleep(Duration::from_millis(50));
        assert_eq!(worker.latest(TRUNK).unwrap().activity, Activity::Paused);
        assert!(worker.drain().next().is_none());
    }

    #[test]
    fn what_cannot_run_says_why() {
        let mut experiment = quick();
        experiment.set("n_samples", "10").unwrap();
        experiment.set("n_components", "50").unwrap();
        let worker = Worker::spawn(experiment, None, Box::new(|| ())).unwrap();
        let events = wait_for(&worker, |e| matches!(e, Event::Failed { .. }));
        let Some(Event::Failed { message, dataset: Some(_) }) = events.last() else {
            panic!("{events:?}")
        };
        assert!(message.contains("50 components need at least 50 training points"), "{message}");
        assert!(worker.latest(TRUNK).is_none());
    }

    #[test]
    fn the_clocks_of_a_race_add_up_to_the_time_that_the_worker_was_busy() {
        let mut experiment = quick();
        experiment.set("n_samples", "20000").unwrap();
        experiment.set("n_components", "12").unwrap();
        experiment.race(&["nll", "sm", "ssm"]);
        let prepared = Prepared::new(&experiment).unwrap();
        let clocks = |tree: &Tree| -> f64 {
            tree.runs().map(|(_, run)| run.record().seconds + run.judging_secs()).sum()
        };
        // A busy machine interrupts between two clocks, which can only widen what is between them: one quiet race of
        // several is enough.
        let shares = (0..8).map(|_| {
            let mut tree = Tree::new(&experiment, prepared.clone()).unwrap();
            let before = clocks(&tree);
            let (_commands, commands) = channel();
            let (events, _receiver) = channel();
            let (board, wake) = (Arc::<Mutex<Board>>::default(), Box::new(|| ()));
            let mut driver =
                Driver { commands, events, board: board.clone(), wake, last_wake: None };
            while driver.turn(&mut tree, Who::All) {}
            let counted = clocks(&tree) - before;
            let busy = locked(&board).busy.as_secs_f64();
            assert!(counted <= busy, "{counted} of {busy} s");
            // Each counts its own steps only.
            let own: Vec<f64> = tree.runs().map(|(_, run)| run.record().seconds).collect();
            assert!(own.len() == 4 && own.iter().all(|seconds| *seconds > 0.0), "{own:?}");
            counted / busy
        });
        // What remains is what it takes to keep the steps.
        let best = shares.fold(0.0, f64::max);
        assert!(best > 0.8, "{best}");
    }

    #[test]
    fn a_race_is_told_of_run_by_run() {
        let mut experiment = quick();
        experiment.race(&["nll", "sm"]);
        let worker = Worker::spawn(experiment.clone(), None, Box::new(|| ())).unwrap();
        worker.send(Command::Play(Who::All, 0));
        let events = wait_for(&worker, |e| *e == Event::Stopped(0));
        for id in experiment.runs() {
            let own: Vec<&News> = events
                .iter()
                .filter_map(|event| match event {
                    Event::Run(of, news) if *of == id => Some(news),
                    _ => None,
                })
                .collect();
            let steps = own.iter().filter(|news| matches!(news, News::Recorded(_))).count();
            assert_eq!(steps, 25, "{id}");
            assert_eq!(own.last(), Some(&&News::Finished(Finish::MaxIter)));
            let snapshot = worker.latest(id).unwrap();
            assert_eq!(snapshot.experiment.algorithm_id, experiment.algorithm_of(id).id);
            assert_eq!(snapshot.record.step, 25);
        }
        assert!(worker.busy() > Duration::ZERO);
    }
}
