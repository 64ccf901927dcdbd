//! Worker: the thread that drives one run. Commands go in; events, in order, and the latest snapshot come out.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, TryRecvError, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::{Activity, Experiment, Finish, Moment, Prepared, Record, Run, Snapshot, Timeline};
use crate::data::Dataset;
use crate::settings::Settings;

/// What a worker can be told.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Step until paused, converged, or at a multiple of `max_iter` steps.
    Play,
    /// Stop stepping.
    Pause,
    /// Take one step, then pause.
    Step,
    /// Go back to the start, and pause there.
    Rewind,
    /// Steps per second while playing; `None` for as fast as it goes.
    Pace(Option<f64>),
    /// Go on with these live settings.
    Tune(Settings),
}

/// What a worker reports. Nothing is lost, and everything comes in order.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// The run is at its start, for the first time or again; this is step 0.
    Started(Record),
    /// A step was taken.
    Recorded(Record),
    /// Stepping stopped by itself.
    Finished(Finish),
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
    latest: Arc<Mutex<Option<Arc<Snapshot>>>>,
    timeline: Arc<Mutex<Timeline>>,
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
        let (commands, command_receiver) = channel();
        let (event_sender, events) = channel();
        let latest = Arc::new(Mutex::new(None));
        let timeline = Arc::new(Mutex::new(Timeline::default()));
        let mut driver = Driver {
            commands: command_receiver,
            events: event_sender,
            latest: latest.clone(),
            timeline: timeline.clone(),
            wake,
            last_wake: None,
        };
        std::thread::Builder::new().name("training".to_owned()).spawn(move || {
            let result = catch_unwind(AssertUnwindSafe(|| driver.run(&experiment, dataset)));
            if let Err(panic) = result {
                let message = format!(
                    "training stopped because of a bug in ScoreScope ({}): please report it, and press Rewind \
                     to start again",
                    panic_text(&*panic)
                );
                driver.fail(message, None);
            }
        })?;
        Ok(Worker { commands, events, latest, timeline })
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

    /// The newest snapshot; `None` until the experiment is prepared.
    #[must_use]
    pub fn latest(&self) -> Option<Arc<Snapshot>> {
        locked(&self.latest).clone()
    }

    /// The steps so far, with what was at each; at least those that events have told of. Training waits while somebody
    /// holds on to it: look something up and let go.
    pub fn timeline(&self) -> MutexGuard<'_, Timeline> {
        locked(&self.timeline)
    }
}

/// What is in a mutex. A thread that panicked has left nothing half done: all are changed in one go.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
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
    latest: Arc<Mutex<Option<Arc<Snapshot>>>>,
    timeline: Arc<Mutex<Timeline>>,
    wake: Wake,
    last_wake: Option<Instant>,
}

/// No display shows more pictures than this in a second.
const SHORTEST_WAKE: Duration = Duration::from_millis(12);

impl Driver {
    fn run(&mut self, experiment: &Experiment, dataset: Option<Arc<Dataset>>) {
        let dataset = match dataset.map_or_else(|| experiment.dataset().map(Arc::new), Ok) {
            Ok(dataset) => dataset,
            Err(error) => return self.fail(error.to_string(), None),
        };
        let prepared = Prepared::on(experiment, dataset.clone());
        let mut run = match prepared.and_then(|prepared| Run::new(experiment, prepared)) {
            Ok(run) => run,
            Err(error) => return self.fail(error.to_string(), Some(dataset)),
        };
        self.begin(&run, Activity::Paused);
        let mut interval = Duration::ZERO;
        // When the next step is due, while it plays.
        let mut due: Option<Instant> = None;
        loop {
            let command = match due {
                None => self.commands.recv().map_err(|_| RecvTimeoutError::Disconnected),
                Some(due) => match due.checked_duration_since(Instant::now()) {
                    Some(wait) => self.commands.recv_timeout(wait),
                    None => self.commands.try_recv().map_err(|error| match error {
                        TryRecvError::Empty => RecvTimeoutError::Timeout,
                        TryRecvError::Disconnected => RecvTimeoutError::Disconnected,
                    }),
                },
            };
            match command {
                Err(RecvTimeoutError::Disconnected) => return,
                Err(RecvTimeoutError::Timeout) => {
                    // From when it was due, so that the pace is kept; but never catch up on missed steps.
                    due = due.map(|due| (due + interval).max(Instant::now()));
                    if let Some(finish) = self.step(&mut run) {
                        due = None;
                        self.set_latest(&run, Activity::Finished(finish.clone()));
                        self.report(Event::Finished(finish));
                    }
                }
                Ok(Command::Play) => {
                    run.forget_convergence();
                    due = Some(Instant::now());
                    self.publish(&run, Activity::Playing);
                }
                Ok(Command::Pause) => {
                    due = None;
                    self.publish(&run, Activity::Paused);
                }
                Ok(Command::Step) => {
                    due = None;
                    if let Some(finish @ Finish::Failed(_)) = self.step(&mut run) {
                        self.set_latest(&run, Activity::Finished(finish.clone()));
                        self.report(Event::Finished(finish));
                    } else {
                        self.publish(&run, Activity::Paused);
                    }
                }
                Ok(Command::Pace(pace)) => {
                    interval = pace.map_or(Duration::ZERO, |p| Duration::from_secs_f64(1.0 / p));
                    due = due.map(|due| due.min(Instant::now() + interval));
                }
                Ok(Command::Rewind) => {
                    due = None;
                    match run.rewound() {
                        Ok(start) => run = start,
                        Err(error) => return self.fail(error.to_string(), Some(dataset)),
                    }
                    self.begin(&run, Activity::Paused);
                }
                Ok(Command::Tune(settings)) => {
                    run.tune(settings);
                    // The start has been evaluated with the old values, slices for instance: nothing is lost by doing it
                    // again, and the run is then the one that a saved experiment repeats.
                    if run.record().step == 0 {
                        match run.rewound() {
                            Ok(start) => run = start,
                            Err(error) => return self.fail(error.to_string(), Some(dataset)),
                        }
                        let activity =
                            if due.is_some() { Activity::Playing } else { Activity::Paused };
                        self.begin(&run, activity);
                    }
                }
            }
        }
    }

    /// Tells that a run is at its start.
    fn begin(&mut self, run: &Run, activity: Activity) {
        // Taken out first: to free many mixtures takes longer than anybody should wait for the lock.
        let past = std::mem::take(&mut *locked(&self.timeline));
        drop(past);
        self.keep(run);
        // The snapshot first: who hears of the start wants to see it.
        self.set_latest(run, activity);
        self.report(Event::Started(run.record()));
    }

    /// Adds the step to the timeline.
    fn keep(&self, run: &Run) {
        let moment = Moment { record: run.record(), mixture: Arc::new(run.mixture().clone()) };
        locked(&self.timeline).push(moment);
    }

    /// Takes one step; says why playing ends with it, if it does.
    fn step(&mut self, run: &mut Run) -> Option<Finish> {
        match run.step() {
            Err(error) => Some(Finish::Failed(error)),
            Ok(record) => {
                // First: who hears of a step can look it up.
                self.keep(run);
                let _ = self.events.send(Event::Recorded(record));
                if run.has_converged() {
                    return Some(Finish::Converged);
                }
                // Again after as many further steps, where somebody plays on.
                if record.step % run.max_iter() == 0 {
                    return Some(Finish::MaxIter);
                }
                self.set_latest(run, Activity::Playing);
                if self.last_wake.is_none_or(|last| last.elapsed() >= SHORTEST_WAKE) {
                    self.wake();
                }
                None
            }
        }
    }

    fn publish(&mut self, run: &Run, activity: Activity) {
        self.set_latest(run, activity);
        self.wake();
    }

    fn set_latest(&self, run: &Run, activity: Activity) {
        let Some(newest) = locked(&self.timeline).newest().cloned() else { return };
        let snapshot = Snapshot {
            experiment: run.experiment().clone(),
            prepared: run.prepared().clone(),
            record: newest.record,
            mixture: newest.mixture,
            best: run.best().clone(),
            activity,
        };
        *locked(&self.latest) = Some(Arc::new(snapshot));
    }

    /// Sends an event and wakes the watcher. A watcher that is gone ends the loop at the next command.
    fn report(&mut self, event: Event) {
        let _ = self.events.send(event);
        self.wake();
    }

    fn fail(&mut self, message: String, dataset: Option<Arc<Dataset>>) {
        self.report(Event::Failed { message, dataset });
    }

    fn wake(&mut self) {
        self.last_wake = Some(Instant::now());
        (self.wake)();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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

    #[test]
    fn it_plays_rewinds_and_repeats_itself() {
        let worker = Worker::spawn(quick(), None, Box::new(|| ())).unwrap();
        wait_for(&worker, |e| matches!(e, Event::Started(_)));
        let play = || {
            worker.send(Command::Play);
            wait_for(&worker, |e| matches!(e, Event::Finished(_)))
        };
        let objectives = |events: &[Event]| -> Vec<f64> {
            let objective = |e: &Event| match e {
                Event::Recorded(record) => Some(record.objective),
                _ => None,
            };
            events.iter().filter_map(objective).collect()
        };
        let first = play();
        assert_eq!(objectives(&first).len(), 25);
        assert_eq!(first.last(), Some(&Event::Finished(Finish::MaxIter)));
        worker.send(Command::Rewind);
        wait_for(&worker, |e| matches!(e, Event::Started(record) if record.step == 0));
        assert_eq!(objectives(&play()), objectives(&first));
        // Playing on takes another round.
        assert_eq!(objectives(&play()).len(), 25);
        assert_eq!(worker.latest().unwrap().record.step, 50);
    }

    #[test]
    fn every_step_that_was_told_of_can_be_looked_up() {
        let worker = Worker::spawn(quick(), None, Box::new(|| ())).unwrap();
        wait_for(&worker, |e| matches!(e, Event::Started(_)));
        worker.send(Command::Play);
        for event in wait_for(&worker, |e| matches!(e, Event::Finished(_))) {
            let Event::Recorded(record) = event else { continue };
            let timeline = worker.timeline();
            assert_eq!(timeline.at(record.step).unwrap().record, record);
        }
        let experiment = quick();
        let mut run = Run::new(&experiment, Prepared::new(&experiment).unwrap()).unwrap();
        for step in 0..=25 {
            let moment = worker.timeline().at(step).unwrap().clone();
            assert_eq!((moment.record.step, &*moment.mixture), (step, run.mixture()));
            run.step().unwrap();
        }
        // The snapshot shares the newest one's memory.
        let newest = worker.timeline().newest().unwrap().clone();
        assert!(Arc::ptr_eq(&newest.mixture, &worker.latest().unwrap().mixture));
        worker.send(Command::Rewind);
        wait_for(&worker, |e| matches!(e, Event::Started(_)));
        assert_eq!(worker.timeline().len(), 1);
    }

    #[test]
    fn tuning_at_the_start_gives_the_run_that_the_tuned_experiment_describes() {
        let mut experiment = quick();
        experiment.choose_algorithm("ssm");
        let mut tuned = experiment.clone();
        tuned.set("n_slices", "16").unwrap();
        tuned.set("learning_rate", "0.1").unwrap();
        let objectives = |experiment: Experiment, tune: Option<Settings>| {
            let worker = Worker::spawn(experiment, None, Box::new(|| ())).unwrap();
            wait_for(&worker, |e| matches!(e, Event::Started(_)));
            if let Some(settings) = tune {
                worker.send(Command::Tune(settings));
                wait_for(&worker, |e| matches!(e, Event::Started(_)));
            }
            worker.send(Command::Play);
            let events = wait_for(&worker, |e| matches!(e, Event::Finished(_)));
            let objective = |e: &Event| match e {
                Event::Recorded(record) => Some(record.objective),
                _ => None,
            };
            events.iter().filter_map(objective).collect::<Vec<f64>>()
        };
        let expected = objectives(tuned.clone(), None);
        assert_eq!(objectives(experiment, Some(tuned.algorithm)), expected);
    }

    #[test]
    fn it_steps_once_and_keeps_a_slow_pace() {
        let worker = Worker::spawn(quick(), None, Box::new(|| ())).unwrap();
        worker.send(Command::Step);
        wait_for(&worker, |e| matches!(e, Event::Recorded(record) if record.step == 1));
        worker.send(Command::Pace(Some(1.0)));
        worker.send(Command::Play);
        wait_for(&worker, |e| matches!(e, Event::Recorded(record) if record.step == 2));
        worker.send(Command::Pause);
        std::thread::sleep(Duration::from_millis(50));
        assert_eq!(worker.latest().unwrap().activity, Activity::Paused);
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
        assert!(worker.latest().is_none());
    }
}
