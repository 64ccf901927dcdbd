//! Judge: holds steps of runs against the known density, on a thread in the background.
//!
//! Preparing the truth takes up to seconds, comparing a mixture with it milliseconds: neither belongs into a frame.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::crew::Crew;
use super::{BranchId, Moment, Verdict};
use crate::model::{Density, Truth};

/// Which run a step is one of. A run that begins again begins another round, so that verdicts on what it was before are
/// told from verdicts on what it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Round {
    /// The run.
    pub run: BranchId,
    /// How often it has begun.
    pub count: usize,
}

/// What a judge has found.
pub enum Finding {
    /// It is ready to compare.
    Ready(Arc<Truth>),
    /// How far a step is from the truth.
    Verdict(Round, Verdict),
}

/// A judge of one known density. Dropping it ends its thread at once while it prepares, and else after the verdict that it
/// computes at the moment.
pub struct Judge {
    crew: Crew<Finding>,
    cases: Sender<(Round, Moment)>,
    truth: Option<Arc<Truth>>,
    /// Cases that are on their way.
    awaited: usize,
    problem: Option<String>,
}

impl Judge {
    /// Begins to prepare the truth in the background. `wake` is called after every finding.
    ///
    /// # Errors
    /// An I/O error if the system gives no thread.
    pub fn spawn(
        density: Arc<dyn Density>,
        wake: impl Fn() + Clone + Send + 'static,
    ) -> std::io::Result<Judge> {
        let (cases, received) = channel();
        let bench = Bench { density, truth: OnceLock::new(), cases: Mutex::new(received) };
        // The first piece of work is the truth itself; then it goes on until there are no more cases.
        let work =
            move |number: usize, is_wanted: &dyn Fn() -> bool| Ok(bench.work(number, is_wanted));
        let crew = Crew::spawn(usize::MAX, 1, work, wake)?;
        Ok(Judge { crew, cases, truth: None, awaited: 0, problem: None })
    }

    /// Asks for a verdict.
    pub fn ask(&mut self, round: Round, moment: Moment) {
        // A thread that has ended has left its message.
        if self.cases.send((round, moment)).is_ok() {
            self.awaited += 1;
        }
    }

    /// The verdicts that came since the last call.
    pub fn drain(&mut self) -> Vec<(Round, Verdict)> {
        let found: Vec<_> = self.crew.drain().collect();
        found.into_iter().filter_map(|found| self.take(found)).collect()
    }

    /// The next verdict; waits for it. `None` if none is on its way.
    pub fn wait(&mut self) -> Option<(Round, Verdict)> {
        while self.awaited > 0 && self.problem.is_none() {
            let found = self.crew.wait().next()?;
            if let Some(verdict) = self.take(found) {
                return Some(verdict);
            }
        }
        None
    }

    fn take(&mut self, found: Result<(usize, Finding), String>) -> Option<(Round, Verdict)> {
        match found {
            Ok((_, Finding::Ready(truth))) => self.truth = Some(truth),
            Ok((_, Finding::Verdict(round, verdict))) => {
                self.awaited -= 1;
                return Some((round, verdict));
            }
            Err(message) => (self.problem, self.awaited) = (Some(message), 0),
        }
        None
    }

    /// The truth, once it is prepared.
    #[must_use]
    pub fn truth(&self) -> Option<&Arc<Truth>> {
        self.truth.as_ref()
    }

    /// How many verdicts are on their way.
    #[must_use]
    pub fn awaited(&self) -> usize {
        self.awaited
    }

    /// Why there will be no more.
    #[must_use]
    pub fn problem(&self) -> Option<&str> {
        self.problem.as_deref()
    }
}

/// What the thread works with.
struct Bench {
    density: Arc<dyn Density>,
    truth: OnceLock<Arc<Truth>>,
    cases: Mutex<Receiver<(Round, Moment)>>,
}

impl Bench {
    /// The truth, or the next verdict; waits for a case. `None` once nobody asks any more.
    fn work(&self, number: usize, is_wanted: &dyn Fn() -> bool) -> Option<Finding> {
        if number == 0 {
            let truth = Arc::new(Truth::while_wanted(self.density.clone(), is_wanted)?);
            return Some(Finding::Ready(self.truth.get_or_init(|| truth).clone()));
        }
        let truth = self.truth.get()?;
        let cases = self.cases.lock().unwrap_or_else(PoisonError::into_inner);
        let (round, Moment { record, mixture }) = cases.recv().ok()?;
        let divergence = truth.compare(&*mixture);
        Some(Finding::Verdict(round, Verdict { record, divergence }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Bounds, Mixture, Point, Symmetric};
    use crate::random::Rng;
    use crate::training::Record;

    fn gaussian(mean: f64) -> Arc<Mixture> {
        Arc::new(Mixture::new(&[1.0], &[[mean, 0.0]], &[[1.0, 0.0, 1.0]]).unwrap())
    }

    fn moment(step: usize) -> Moment {
        let (seconds, evaluations) = (0.0, 0.0);
        let (objective, train_nll, val_nll) = (0.0, 0.0, f64::NAN);
        let record = Record { step, seconds, evaluations, objective, train_nll, val_nll };
        Moment { record, mixture: gaussian(step as f64) }
    }

    /// Between unit Gaussians whose means are d apart, KL and Fisher divergence are both d²/2.
    #[test]
    fn every_case_gets_its_verdict_in_order() {
        let mut judge = Judge::spawn(gaussian(0.0), || ()).unwrap();
        let round = |count| Round { run: BranchId::TRUNK, count };
        for step in 0..5 {
            judge.ask(round(step / 2), moment(step));
        }
        assert_eq!(judge.awaited(), 5);
        for step in 0..5 {
            let (of, verdict) = judge.wait().unwrap();
            assert_eq!((of, verdict.record.step), (round(step / 2), step));
            let expected = 0.5 * (step * step) as f64;
            for got in [verdict.divergence.kl, verdict.divergence.fisher] {
                assert!((got.value - expected).abs() <= got.error + 1e-9, "{got:?} {expected}");
            }
        }
        assert!(judge.wait().is_none() && judge.problem().is_none());
        assert!((judge.truth().unwrap().information.value - 1.0).abs() < 1e-6);
    }

    /// A density that takes its time, in many cells.
    struct Slow(Mixture);

    impl Density for Slow {
        fn log_density(&self, x: Point) -> f64 {
            self.0.log_density(x)
        }

        fn score(&self, x: Point) -> Point {
            self.0.score(x)
        }

        fn hessian(&self, x: Point) -> Symmetric {
            self.0.hessian(x)
        }

        fn sample(&self, count: usize, rng: &mut Rng) -> Vec<Point> {
            self.0.sample(count, rng)
        }

        fn scores(&self, points: &[Point]) -> Vec<(f64, Point)> {
            std::thread::sleep(std::time::Duration::from_millis(20));
            self.0.scores(points)
        }

        /// All of it would take four minutes.
        fn cells(&self) -> Vec<Bounds> {
            let side = 0.01;
            let cell = |i: usize| {
                let min = [(i % 1000) as f64 * side - 5.0, (i / 1000) as f64 * side - 4.0];
                Bounds { min, max: min.map(|v| v + side) }
            };
            (0..800_000).map(cell).collect()
        }
    }

    #[test]
    fn a_judge_who_still_prepares_ends_at_once() {
        let density: Arc<dyn Density> = Arc::new(Slow((*gaussian(0.0)).clone()));
        let judge = Judge::spawn(density.clone(), || ()).unwrap();
        std::thread::sleep(std::time::Duration::from_millis(100));
        drop(judge);
        ends_soon(&density);
    }

    #[test]
    fn a_judge_whom_nobody_asks_ends() {
        let density: Arc<dyn Density> = gaussian(0.0);
        let mut judge = Judge::spawn(density.clone(), || ()).unwrap();
        judge.ask(Round { run: BranchId::TRUNK, count: 0 }, moment(1));
        assert!(judge.wait().is_some());
        drop(judge);
        ends_soon(&density);
    }

    #[track_caller]
    fn ends_soon(density: &Arc<dyn Density>) {
        let began = std::time::Instant::now();
        // Its thread holds the density as long as it lives.
        while Arc::strong_count(density) > 1 {
            assert!(began.elapsed().as_secs() < 30, "it still waits");
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
    }
}
