//! Worker: the thread on which particles walk. Orders in, the latest report out.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rayon::iter::{IntoParallelRefMutIterator, ParallelIterator};

use super::orders::{Order, Plan, Report};
use crate::figures::Layer;
use crate::model::Point;
use crate::sampling::{Study, Told};

/// The thread. Dropping it ends the thread after its current steps.
pub struct Worker {
    orders: Sender<Order>,
    latest: Arc<Mutex<Arc<Report>>>,
    sent: u64,
}

impl Worker {
    /// Starts the thread; `wake` is called after every report.
    ///
    /// # Errors
    /// An I/O error if the system gives no thread.
    pub fn spawn(wake: impl Fn() + Send + 'static) -> std::io::Result<Worker> {
        let (orders, inbox) = channel();
        let latest = Arc::<Mutex<Arc<Report>>>::default();
        let theirs = latest.clone();
        // Threads of its own: training must not wait for particles in one queue, or its clocks would count them.
        let pool = rayon::ThreadPoolBuilder::new().num_threads(rayon::current_num_threads());
        let pool = pool.build().map_err(std::io::Error::other)?;
        std::thread::Builder::new().name("particles".to_owned()).spawn(move || {
            let publish = |report: Report| {
                *theirs.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(report);
                wake();
            };
            let mut walker = Walker::new(pool);
            let work = AssertUnwindSafe(|| walker.work(&inbox, &publish));
            if catch_unwind(work).is_err() {
                let problem = Some("the walk stopped because of a bug in ScoreScope".to_owned());
                publish(Report { problem, answered: u64::MAX, ..Report::default() });
            }
        })?;
        Ok(Worker { orders, latest, sent: 0 })
    }

    /// Asks for something.
    pub fn send(&mut self, order: Order) {
        self.sent += 1;
        // A thread that ended has said why.
        let _ = self.orders.send(order);
    }

    /// The newest report.
    #[must_use]
    pub fn latest(&self) -> Arc<Report> {
        self.latest.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// True if the report answers all that was asked for.
    #[must_use]
    pub fn is_answered_by(&self, report: &Report) -> bool {
        report.answered >= self.sent
    }
}

/// At most this long between two reports while playing.
const FRAME: Duration = Duration::from_millis(16);

/// What the thread knows.
struct Walker {
    pool: rayon::ThreadPool,
    study: Option<Study>,
    answered: u64,
    play: Option<Play>,
    told: Option<(Arc<[Point]>, Told)>,
    picture: Option<Layer>,
    problem: Option<String>,
}

/// A walk that goes on by itself.
struct Play {
    pace: Option<f64>,
    since: Instant,
    /// The step at which it began to go at this pace.
    from: usize,
    /// The step at which it stops.
    goal: usize,
}

impl Play {
    /// Steps that are due by now.
    fn due(&self, step: usize) -> usize {
        let due = match self.pace {
            None => self.goal,
            Some(pace) => self.from + (pace * self.since.elapsed().as_secs_f64()) as usize,
        };
        due.min(self.goal).saturating_sub(step)
    }

    /// How long it is until the next step.
    fn wait(&self, step: usize) -> Duration {
        let Some(pace) = self.pace else { return Duration::ZERO };
        let next = (step + 1 - self.from) as f64 / pace;
        Duration::from_secs_f64(next).saturating_sub(self.since.elapsed()).min(4 * FRAME)
    }
}

impl Walker {
    fn new(pool: rayon::ThreadPool) -> Walker {
        Walker {
            pool,
            study: None,
            answered: 0,
            play: None,
            told: None,
            picture: None,
            problem: None,
        }
    }

    /// Carries out orders until nobody can give any more.
    fn work(&mut self, inbox: &Receiver<Order>, publish: &impl Fn(Report)) {
        loop {
            let order = match self.wait() {
                None => inbox.recv().map_err(|_| RecvTimeoutError::Disconnected),
                Some(time) => inbox.recv_timeout(time),
            };
            let has_order = order.is_ok();
            match order {
                Ok(order) => {
                    self.answered += 1;
                    self.obey(order);
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            // A slow walk wakes nobody between its steps.
            if self.play_on() || has_order {
                publish(self.report());
            }
        }
    }

    /// How long to wait for an order; `None` for as long as it takes.
    fn wait(&self) -> Option<Duration> {
        Some(self.play.as_ref()?.wait(self.study.as_ref()?.walk.step_count()))
    }

    fn obey(&mut self, order: Order) {
        if !matches!(order, Order::Paint(_)) {
            self.told = None;
        }
        match order {
            Order::Begin(plan, start, seed) => self.begin(&plan, &start, seed),
            Order::Retune(plan) => self.retune(&plan),
            Order::Play { pace, stretch } => self.play(pace, stretch),
            Order::Pause => self.play = None,
            Order::Paint(sheet) => self.picture = sheet.painted(),
            Order::Step => {
                self.play = None;
                if let Some(study) = self.study.as_mut().filter(|_| self.problem.is_none()) {
                    advance(study, 1, &self.pool);
                }
            }
            Order::Tell(particle) => {
                self.play = None;
                self.tell(particle);
            }
        }
        // What was stopped is compared where it stopped, too.
        if let (Some(study), None) = (&mut self.study, &self.play) {
            study.compare();
        }
    }

    fn begin(&mut self, plan: &Plan, start: &[Point], seed: u64) {
        self.play = None;
        match (plan.sampler.kernel)(&plan.settings, plan.density.clone()) {
            Ok(kernel) => {
                self.study = Some(Study::new(kernel, plan.density.clone(), start, seed));
                self.problem = None;
            }
            Err(error) => (self.study, self.problem) = (None, Some(error.to_string())),
        }
    }

    fn retune(&mut self, plan: &Plan) {
        let Some(study) = &mut self.study else { return };
        match (plan.sampler.kernel)(&plan.settings, plan.density.clone()) {
            Ok(kernel) => {
                study.retune(kernel, plan.density.clone());
                self.problem = None;
                if let Some(play) = &mut self.play {
                    (play.since, play.from) = (Instant::now(), 0);
                }
            }
            Err(error) => (self.play, self.problem) = (None, Some(error.to_string())),
        }
    }

    fn play(&mut self, pace: Option<f64>, stretch: usize) {
        let Some(study) = self.study.as_ref().filter(|_| self.problem.is_none()) else { return };
        let step = study.walk.step_count();
        let stretch = stretch.max(1);
        let next = (step / stretch + 1) * stretch;
        // Annealing that stops half-way has found nothing.
        let goal = next.max(study.walk.length().unwrap_or(0));
        self.play = Some(Play { pace, since: Instant::now(), from: step, goal });
    }

    fn tell(&mut self, particle: usize) {
        let Some(study) = self.study.as_mut().filter(|_| self.problem.is_none()) else { return };
        let before = study.walk.points().into();
        self.told = study.walk.tell(particle).map(|told| (before, told));
    }

    /// Makes the steps that are due, for at most the time of a frame; true if there were any.
    fn play_on(&mut self) -> bool {
        let (Some(study), Some(play)) = (&mut self.study, &self.play) else { return false };
        let first = study.walk.step_count();
        let began = Instant::now();
        let mut batch = 1;
        while began.elapsed() < FRAME {
            let due = play.due(study.walk.step_count());
            if due == 0 {
                break;
            }
            let count = due.min(batch).min(study.steps_until_compared());
            let is_compared = count == study.steps_until_compared();
            let batch_began = Instant::now();
            advance(study, count, &self.pool);
            // As many as make a quarter of a frame: a hand waits for no more.
            let secs_per_step = batch_began.elapsed().as_secs_f64() / count as f64;
            batch = (FRAME.as_secs_f64() / 4.0 / secs_per_step.max(1e-9)).max(1.0) as usize;
            if is_compared {
                study.compare();
            }
        }
        if study.walk.step_count() >= play.goal {
            study.compare();
            self.play = None;
            return true;
        }
        study.walk.step_count() > first
    }

    fn report(&self) -> Report {
        let known = Report {
            answered: self.answered,
            problem: self.problem.clone(),
            picture: self.picture.clone(),
            ..Report::default()
        };
        let Some(study) = &self.study else { return known };
        Report {
            step: study.walk.step_count(),
            points: study.walk.points().into(),
            told: self.told.clone(),
            exact: study.exact().clone(),
            curve: study.curve().to_vec(),
            shares: study.shares(),
            acceptance: study.walk.acceptance(),
            energy_error: study.walk.energy_error(),
            noise: study.walk.noise(),
            is_playing: self.play.is_some(),
            ..known
        }
    }
}

/// Moves all particles by so many steps: groups on all threads, each through all the steps, which gives the same
/// places as one after the other.
fn advance(study: &mut Study, count: usize, pool: &rayon::ThreadPool) {
    let (groups, kernel, step) = study.walk.parts();
    pool.install(|| {
        groups.par_iter_mut().for_each(|group| {
            for i in step..step + count {
                kernel.advance(group, i, None);
            }
        });
    });
    study.walk.count_steps(count);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Bounds, Mixture};
    use crate::sampling::{find, spread};
    use crate::settings::Settings;

    const SQUARE: Bounds = Bounds { min: [-6.0; 2], max: [6.0; 2] };

    fn plan(id: &str) -> Plan {
        let means = [[-2.0, 0.0], [2.0, 0.5]];
        let mixture = Mixture::new(&[0.3, 0.7], &means, &[[0.6, 0.1, 0.3]; 2]).unwrap();
        Plan {
            sampler: find(id).unwrap(),
            settings: Settings::default(),
            density: Arc::new(mixture),
        }
    }

    fn awaited(worker: &Worker, is_there: impl Fn(&Report) -> bool) -> Arc<Report> {
        let began = Instant::now();
        loop {
            let report = worker.latest();
            if worker.is_answered_by(&report) && is_there(&report) {
                return report;
            }
            assert!(began.elapsed() < Duration::from_secs(30), "no such report");
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// Particles one step after the other, on this thread.
    fn expected(id: &str, start: &[Point], steps: usize) -> Study {
        let plan = plan(id);
        let kernel = (plan.sampler.kernel)(&plan.settings, plan.density.clone()).unwrap();
        let mut study = Study::new(kernel, plan.density, start, 4);
        for _ in 0..steps {
            study.walk.step();
        }
        study.compare();
        study
    }

    #[test]
    fn places_do_not_depend_on_how_fast_and_by_which_orders_they_are_come_to() {
        let start = spread(SQUARE, 700, 4);
        for id in ["langevin", "hmc", "annealed_langevin"] {
            let by_paces = [None, Some(5000.0)].map(|pace| {
                let mut worker = Worker::spawn(|| ()).unwrap();
                worker.send(Order::Begin(plan(id), start.clone(), 4));
                worker.send(Order::Step);
                worker.send(Order::Tell(300));
                let report = awaited(&worker, |report| report.step == 2);
                let (before, told) = report.told.as_ref().unwrap();
                assert_eq!((told.from, told.to()), (before[300], report.points[300]), "{id}");
                worker.send(Order::Play { pace, stretch: 150 });
                awaited(&worker, |report| !report.is_playing)
            });
            // Annealing goes on to its end.
            let last = if id == "annealed_langevin" { 1000 } else { 150 };
            let expected = expected(id, &start, last);
            for report in by_paces {
                assert_eq!(report.step, last, "{id}");
                assert_eq!(*report.points, expected.walk.points()[..], "{id}");
                assert_eq!(report.acceptance, expected.walk.acceptance(), "{id}");
                assert_eq!(report.curve.last(), expected.curve().last(), "{id}");
                assert!(report.told.is_none(), "{id}");
                let has_energy = report.energy_error.is_some_and(|error| error > 0.0);
                assert_eq!(has_energy, id == "hmc");
            }
        }
    }

    #[test]
    fn a_pace_is_kept_and_pausing_stops() {
        let mut worker = Worker::spawn(|| ()).unwrap();
        worker.send(Order::Begin(plan("metropolis"), vec![[0.0; 2]; 50], 1));
        let began = Instant::now();
        worker.send(Order::Play { pace: Some(100.0), stretch: 1_000_000 });
        let report = awaited(&worker, |report| report.step >= 30);
        assert!(began.elapsed() >= Duration::from_millis(290), "{:?}", began.elapsed());
        assert!(report.is_playing);
        worker.send(Order::Pause);
        let paused = awaited(&worker, |report| !report.is_playing).step;
        std::thread::sleep(Duration::from_millis(50));
        assert_eq!(worker.latest().step, paused);
    }

    #[test]
    fn what_cannot_walk_says_why_and_another_sampler_goes_on() {
        let donut = Arc::new(crate::model::known::Donut::new(2.0, 0.3));
        let on_donut = |id| Plan { density: donut.clone(), ..plan(id) };
        let mut worker = Worker::spawn(|| ()).unwrap();
        worker.send(Order::Begin(on_donut("langevin"), vec![[1.0, 0.0]; 30], 1));
        worker.send(Order::Retune(on_donut("gibbs")));
        let report = awaited(&worker, |report| report.problem.is_some());
        assert!(report.problem.as_ref().unwrap().contains("needs a mixture"));
        worker.send(Order::Retune(on_donut("mala")));
        worker.send(Order::Step);
        let report = awaited(&worker, |report| report.step == 1);
        assert!(report.problem.is_none() && report.shares.is_empty());
    }
}
