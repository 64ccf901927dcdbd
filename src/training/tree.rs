//! Tree: the runs of an experiment without threads: the trunk, and the branches that leave it or one another.
//!
//! All runs share data, start and one caller, who steps them in turn. Every run counts its own computing only, so their
//! clocks can be compared. A branch waits until the run that it leaves has come to its step.

mod memoirs;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::guard::Guard;
use super::{
    Branch, BranchId, Change, Experiment, ExperimentError, Finish, Moment, Prepared, Record, Run,
    TIMELINE_BYTES, Timeline,
};
use crate::algorithms::given;

/// What happens to a run. Nothing is lost, and everything comes in order.
#[derive(Debug, Clone, PartialEq)]
pub enum News {
    /// It is at its start, for the first time or again.
    Started(Record),
    /// It took a step.
    Recorded(Record),
    /// It stopped by itself.
    Finished(Finish),
    /// It waits for the run that it leaves.
    Waits,
    /// It cannot begin, and why.
    Stuck(String),
    /// It goes on where another program left it, but its memory (momentum, what was drawn) begins anew.
    Forgot,
}

/// Which runs are stepped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Who {
    /// One of them.
    One(BranchId),
    /// All of them, in turn: those that are behind catch up first.
    All,
}

impl Who {
    /// True if this run is one of them.
    #[must_use]
    pub fn has(self, id: BranchId) -> bool {
        match self {
            Who::One(one) => one == id,
            Who::All => true,
        }
    }
}

/// The steps of a run so far, which others may look at meanwhile.
pub type SharedTimeline = Arc<Mutex<Timeline>>;

/// What is in a mutex. A thread that panicked has left nothing half done: all are changed in one go.
pub(super) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A run and what is kept of it.
struct Entry {
    state: State,
    finish: Option<Finish>,
    guard: Guard,
    timeline: SharedTimeline,
}

enum State {
    /// For the run that it leaves.
    Waiting,
    Running(Box<Run>),
    /// It could not begin, and why.
    Stuck(String),
}

/// The runs of an experiment.
pub struct Tree {
    experiment: Experiment,
    prepared: Prepared,
    entries: BTreeMap<BranchId, Entry>,
    /// True where runs stop when something goes wrong with them that can be told.
    is_guarded: bool,
    /// What happened since somebody asked.
    news: Vec<(BranchId, News)>,
}

impl Tree {
    /// All runs of an experiment at their start, as far as they can begin.
    ///
    /// # Errors
    /// [`ExperimentError`] if the trunk has no first evaluation.
    pub fn new(experiment: &Experiment, prepared: Prepared) -> Result<Tree, ExperimentError> {
        let trunk = Run::new(&experiment.alone(BranchId::TRUNK), prepared.clone())?;
        let mut tree = Tree::empty(experiment, prepared);
        for id in tree.experiment.runs().collect::<Vec<_>>() {
            tree.await_parent(id);
        }
        tree.begin(BranchId::TRUNK, trunk);
        tree.share_memory();
        tree.grow();
        Ok(tree)
    }

    /// A tree without runs.
    fn empty(experiment: &Experiment, prepared: Prepared) -> Tree {
        Tree {
            experiment: experiment.clone(),
            prepared,
            entries: BTreeMap::new(),
            is_guarded: false,
            news: Vec::new(),
        }
    }

    /// Lets runs stop when something goes wrong with them that can be told, or lets them go on.
    pub fn guard(&mut self, is_on: bool) {
        self.is_guarded = is_on;
    }

    /// What happened since the last call, in order.
    pub fn take_news(&mut self) -> Vec<(BranchId, News)> {
        std::mem::take(&mut self.news)
    }

    /// The runs that have begun.
    pub fn runs(&self) -> impl Iterator<Item = (BranchId, &Run)> {
        self.entries.iter().filter_map(|(id, entry)| match &entry.state {
            State::Running(run) => Some((*id, &**run)),
            State::Waiting | State::Stuck(_) => None,
        })
    }

    /// A run; `None` where it has not begun.
    #[must_use]
    pub fn run(&self, id: BranchId) -> Option<&Run> {
        self.runs().find(|(of, _)| *of == id).map(|(_, run)| run)
    }

    /// A branch as it is being run; `None` for the trunk.
    #[must_use]
    pub fn branch(&self, id: BranchId) -> Option<&Branch> {
        self.experiment.branch(id)
    }

    /// Why a run cannot begin, if it cannot.
    #[must_use]
    pub fn problem(&self, id: BranchId) -> Option<&str> {
        match &self.entries.get(&id)?.state {
            State::Stuck(message) => Some(message),
            State::Waiting | State::Running(_) => None,
        }
    }

    /// Why a run stopped by itself, if it did.
    #[must_use]
    pub fn finish(&self, id: BranchId) -> Option<&Finish> {
        self.entries.get(&id)?.finish.as_ref()
    }

    /// The steps of each run.
    pub fn timelines(&self) -> impl Iterator<Item = (BranchId, &SharedTimeline)> {
        self.entries.iter().map(|(id, entry)| (*id, &entry.timeline))
    }

    /// The newest step of a run.
    #[must_use]
    pub fn newest(&self, id: BranchId) -> Option<Moment> {
        locked(&self.entries.get(&id)?.timeline).newest().cloned()
    }

    /// The experiment that is run.
    #[must_use]
    pub fn experiment(&self) -> &Experiment {
        &self.experiment
    }

    /// The data and the first mixture.
    #[must_use]
    pub fn prepared(&self) -> &Prepared {
        &self.prepared
    }

    /// Goes on with another experiment on the same start. Runs whose live settings changed take them over; runs that
    /// changed otherwise begin again, and with them those that leave them later than at the common start.
    ///
    /// # Errors
    /// [`ExperimentError`] if the trunk has no first evaluation any more.
    pub fn follow(&mut self, experiment: &Experiment) -> Result<(), ExperimentError> {
        let before = std::mem::replace(&mut self.experiment, experiment.clone());
        let wanted: BTreeSet<BranchId> = experiment.runs().collect();
        self.entries.retain(|id, _| wanted.contains(id));
        let mut made_again = BTreeSet::new();
        for id in wanted {
            match self.change(id, &before, &made_again) {
                Change::Nothing => {}
                // What is stuck may begin with other settings.
                Change::Tune if self.is_stuck(id) => self.await_parent(id),
                Change::Tune => self.tune(id)?,
                Change::Restart => {
                    made_again.insert(id);
                    if id == BranchId::TRUNK {
                        let alone = experiment.alone(id);
                        let run = Run::new(&alone, self.prepared.clone())?;
                        self.begin(id, run);
                    } else {
                        self.await_parent(id);
                    }
                }
            }
        }
        self.share_memory();
        self.grow();
        Ok(())
    }

    /// What has to happen to a run, now that the experiment is another one.
    fn change(&self, id: BranchId, before: &Experiment, made_again: &BTreeSet<BranchId>) -> Change {
        if !self.entries.contains_key(&id) {
            return Change::Restart;
        }
        let leaves = |of: &Experiment| of.branch(id).map(|b| (b.parent, b.step, b.given.clone()));
        let is_rootless = self.experiment.branch(id).is_some_and(|branch| {
            made_again.contains(&branch.parent)
                && (branch.parent, branch.step) != (BranchId::TRUNK, 0)
        });
        if is_rootless || leaves(&self.experiment) != leaves(before) {
            return Change::Restart;
        }
        self.experiment.alone(id).change_since(&before.alone(id))
    }

    /// Gives a run its new live settings.
    fn tune(&mut self, id: BranchId) -> Result<(), ExperimentError> {
        let settings = self.experiment.alone(id).algorithm;
        let Some(Entry { state: State::Running(run), .. }) = self.entries.get_mut(&id) else {
            return Ok(());
        };
        run.tune(settings);
        // Its first mixture has been evaluated with the old values, slices for instance: nothing is lost by doing it
        // again, and the run is then the one that a saved experiment repeats.
        if run.record().step == run.first_step() && !run.has_lead() {
            return self.begin_again(id);
        }
        Ok(())
    }

    fn is_stuck(&self, id: BranchId) -> bool {
        self.entries.get(&id).is_some_and(|entry| matches!(entry.state, State::Stuck(_)))
    }

    /// Puts a run back to where it begins. A branch that cannot is stuck, and the others go on without it.
    fn begin_again(&mut self, id: BranchId) -> Result<(), ExperimentError> {
        let Some(run) = self.run(id) else { return Ok(()) };
        match run.rewound() {
            Ok(run) => self.begin(id, run),
            Err(error) if id == BranchId::TRUNK => return Err(error),
            Err(error) => self.give_up(id, &error),
        }
        Ok(())
    }

    /// Takes note that a branch cannot begin.
    fn give_up(&mut self, id: BranchId, error: &ExperimentError) {
        if let Some(entry) = self.entries.get_mut(&id) {
            entry.state = State::Stuck(error.to_string());
        }
        self.news.push((id, News::Stuck(error.to_string())));
    }

    /// Sends runs back to where they begin.
    ///
    /// # Errors
    /// [`ExperimentError`] if the first evaluation of one fails.
    pub fn rewind(&mut self, who: Who) -> Result<(), ExperimentError> {
        for id in self.entries.keys().copied().filter(|id| who.has(*id)).collect::<Vec<_>>() {
            if self.is_stuck(id) {
                self.await_parent(id);
            }
            self.begin_again(id)?;
        }
        self.grow();
        Ok(())
    }

    /// Lets runs go on that stopped by themselves, unless others of them still go.
    pub fn go_on(&mut self, who: Who) {
        if self.can_turn(who) {
            return;
        }
        for (_, entry) in self.entries.iter_mut().filter(|(id, _)| who.has(**id)) {
            entry.finish = None;
            if let State::Running(run) = &mut entry.state {
                run.forget_convergence();
            }
        }
    }

    /// Forgets that a run has stopped by itself, unless there was no next step: somebody takes its steps one by one.
    pub fn forgive(&mut self, who: Who) {
        for (id, entry) in self.entries.iter_mut().filter(|(id, _)| who.has(**id)) {
            if matches!(entry.finish, Some(Finish::Converged | Finish::MaxIter)) {
                entry.finish = None;
                self.news.retain(|(of, news)| of != id || !matches!(news, News::Finished(_)));
            }
        }
    }

    /// Those that are really stepped: for a run that waits, the one that it waits for.
    fn stepped(&self, who: Who) -> Who {
        let Who::One(mut id) = who else { return who };
        while self.entries.get(&id).is_some_and(Entry::is_waiting)
            && let Some(branch) = self.experiment.branch(id)
        {
            id = branch.parent;
        }
        Who::One(id)
    }

    /// The step of the run that is farthest behind among those of these that go on.
    fn least_step(&self, who: Who) -> Option<usize> {
        let who = self.stepped(who);
        let entries = self.entries.iter().filter(|(id, _)| who.has(**id));
        entries.filter_map(|(_, entry)| entry.next_from()).min()
    }

    /// True if one of these runs goes on.
    #[must_use]
    pub fn can_turn(&self, who: Who) -> bool {
        self.least_step(who).is_some()
    }

    /// Takes a step with each of these runs that is as far behind as any.
    pub fn turn(&mut self, who: Who) {
        let least = self.least_step(who);
        let who = self.stepped(who);
        for (id, entry) in self.entries.iter_mut().filter(|(id, _)| who.has(**id)) {
            if least.is_some() && entry.next_from() == least {
                let news = entry.step(self.is_guarded);
                self.news.extend(news.into_iter().flatten().map(|news| (*id, news)));
            }
        }
        self.grow();
    }

    /// Starts the branches whose parents have come to their step.
    fn grow(&mut self) {
        for branch in self.experiment.branches.clone() {
            let is_waiting = self.entries.get(&branch.id).is_some_and(Entry::is_waiting);
            let parent = self.run(branch.parent);
            if let Some(parent) = parent.filter(|p| is_waiting && p.record().step >= branch.step) {
                match self.sprout(&branch, parent) {
                    Ok(run) => self.begin(branch.id, run),
                    Err(error) => self.give_up(branch.id, &error),
                }
            }
        }
    }

    /// The run of a branch whose parent has come to its step.
    fn sprout(&self, branch: &Branch, parent: &Run) -> Result<Run, ExperimentError> {
        let experiment = self.experiment.alone(branch.id);
        if (branch.parent, branch.step) == (BranchId::TRUNK, 0) && branch.given.is_empty() {
            // A racer begins beside the trunk, whatever that one has made of the start.
            return Run::new(&experiment, self.prepared.clone());
        }
        let moment = self.moment(branch, parent)?;
        let record = parent.left_at(moment.record);
        let Prepared { dataset, floor, .. } = &self.prepared;
        if branch.given.is_empty() {
            let has_memory = experiment.algorithm_info().has_memory();
            let is_same = experiment.change_since(parent.experiment()) != Change::Restart;
            if has_memory && is_same {
                return parent.continued(&record, &experiment);
            }
            let prepared = self.prepared.with_start(moment.mixture);
            return Run::leaving(&record, &experiment, prepared);
        }
        let covariance_type = experiment.covariance_type();
        let start = given::start(&branch.given, &dataset.scaling, covariance_type, *floor)?;
        let prepared = self.prepared.with_start(Arc::new(start));
        Run::leaving(&record, &experiment, prepared)
    }

    /// The parent at the step where a branch leaves it: kept, or else computed again.
    fn moment(&self, branch: &Branch, parent: &Run) -> Result<Moment, ExperimentError> {
        let kept = self.entries.get(&branch.parent).and_then(|entry| {
            let timeline = locked(&entry.timeline);
            timeline.at(branch.step).filter(|moment| moment.record.step == branch.step).cloned()
        });
        if let Some(moment) = kept {
            return Ok(moment);
        }
        let again = parent.again_to(branch.step)?;
        Ok(Moment { record: again.record(), mixture: again.mixture().clone().into() })
    }

    /// Puts a run that has just begun in its place.
    fn begin(&mut self, id: BranchId, run: Run) {
        let Some(entry) = self.entries.get_mut(&id) else { return };
        // Taken out first: to free many mixtures takes longer than anybody should wait for the lock.
        let past = locked(&entry.timeline).take();
        drop(past);
        entry.finish = None;
        entry.guard = Guard::default();
        self.news.push((id, News::Started(run.record())));
        entry.state = State::Running(Box::new(run));
        entry.keep();
    }

    /// Makes a run wait for the one that it leaves.
    fn await_parent(&mut self, id: BranchId) {
        let timeline = self.entries.remove(&id).map(|entry| entry.timeline).unwrap_or_default();
        let past = locked(&timeline).take();
        drop(past);
        self.entries.insert(
            id,
            Entry { state: State::Waiting, finish: None, guard: Guard::default(), timeline },
        );
        if id != BranchId::TRUNK {
            self.news.push((id, News::Waits));
        }
    }

    /// Shares the memory of the past among the runs.
    fn share_memory(&self) {
        let limit = TIMELINE_BYTES / self.entries.len().max(1);
        for entry in self.entries.values() {
            // What is thinned is freed after the lock is.
            let thinned = locked(&entry.timeline).set_limit(limit);
            drop(thinned);
        }
    }
}

impl Entry {
    fn is_waiting(&self) -> bool {
        matches!(self.state, State::Waiting)
    }

    /// The step from which it would go on; `None` where it does not.
    fn next_from(&self) -> Option<usize> {
        match &self.state {
            State::Running(run) if self.finish.is_none() => Some(run.record().step),
            _ => None,
        }
    }

    /// Adds the step to the timeline.
    fn keep(&self) {
        if let State::Running(run) = &self.state {
            let moment = Moment { record: run.record(), mixture: run.mixture().clone().into() };
            locked(&self.timeline).push(moment);
        }
    }

    /// Takes one step; says what came of it.
    fn step(&mut self, is_guarded: bool) -> [Option<News>; 2] {
        let State::Running(run) = &mut self.state else { return [None, None] };
        let (recorded, finish) = match run.step() {
            Err(error) => (None, Some(Finish::Failed(error))),
            Ok(record) => {
                let broken = if is_guarded { self.guard.look(run) } else { None };
                let finish = if broken.is_some() {
                    broken
                } else if run.has_converged() {
                    Some(Finish::Converged)
                } else {
                    // Again after as many further steps, where somebody plays on.
                    (record.step % run.max_iter() == 0).then_some(Finish::MaxIter)
                };
                (Some(record), finish)
            }
        };
        if recorded.is_some() {
            // First: who hears of a step can look it up.
            self.keep();
        }
        self.finish.clone_from(&finish);
        [recorded.map(News::Recorded), finish.map(News::Finished)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Mixture;

    const TRUNK: BranchId = BranchId::TRUNK;

    fn small(id: &str) -> Experiment {
        let mut experiment = Experiment::default();
        experiment.choose_algorithm(id);
        for (key, value) in
            [("n_samples", "400"), ("n_components", "4"), ("max_iter", "60"), ("tol", "0")]
        {
            experiment.set(key, value).unwrap();
        }
        experiment
    }

    fn tree(experiment: &Experiment) -> Tree {
        Tree::new(experiment, Prepared::new(experiment).unwrap()).unwrap()
    }

    fn play(tree: &mut Tree, who: Who, steps: usize) {
        for _ in 0..steps {
            tree.turn(who);
        }
    }

    fn at(tree: &Tree, id: BranchId, step: usize) -> Moment {
        let (_, timeline) = tree.timelines().find(|(of, _)| *of == id).unwrap();
        let moment = locked(timeline).at(step).cloned().unwrap();
        assert_eq!(moment.record.step, step);
        moment
    }

    fn mixture(tree: &Tree, id: BranchId) -> Mixture {
        tree.run(id).unwrap().mixture().clone()
    }

    #[test]
    fn a_fork_that_changes_nothing_goes_on_as_its_parent_did_to_the_bit() {
        for (id, settings) in [
            ("em", vec![]),
            ("nll", vec![("optimizer", "adam")]),
            ("sm", vec![("optimizer", "momentum"), ("lr_half_life", "20")]),
            ("ssm", vec![("batch_size", "50"), ("n_slices", "2")]),
        ] {
            let mut experiment = small(id);
            for (key, value) in settings {
                experiment.set(key, value).unwrap();
            }
            let mut tree = tree(&experiment);
            play(&mut tree, Who::All, 50);
            let fork = experiment.fork(TRUNK, 37).unwrap();
            tree.follow(&experiment).unwrap();
            assert_eq!(tree.run(fork).unwrap().record().step, 37, "{id}");
            // Neither did the parent lose anything.
            assert_eq!(tree.run(TRUNK).unwrap().record().step, 50, "{id}");
            play(&mut tree, Who::One(fork), 13);
            for step in 37..=50 {
                let [forked, parent] = [fork, TRUNK].map(|id| at(&tree, id, step));
                assert_eq!(forked.mixture, parent.mixture, "{id} {step}");
                assert_eq!(forked.record.train_nll, parent.record.train_nll, "{id} {step}");
                // EM has to look once more at the mixture that it goes on from.
                let more = if id == "em" { 1.0 } else { 0.0 };
                let counts = [forked, parent].map(|moment| moment.record.evaluations);
                assert_eq!(counts[0], counts[1] + more, "{id} {step}");
            }
            // Rewound, it is where it left, and takes the same way again.
            let end = mixture(&tree, fork);
            tree.rewind(Who::One(fork)).unwrap();
            assert_eq!(tree.run(fork).unwrap().record().step, 37, "{id}");
            play(&mut tree, Who::One(fork), 13);
            assert_eq!(mixture(&tree, fork), end, "{id}");
        }
    }

    #[test]
    fn another_algorithm_goes_on_from_the_very_mixture() {
        let mut experiment = small("nll");
        let mut tree = tree(&experiment);
        play(&mut tree, Who::All, 40);
        let fork = experiment.fork(TRUNK, 37).unwrap();
        experiment.choose_algorithm_of(fork, "em");
        tree.follow(&experiment).unwrap();
        let (left, begun) = (at(&tree, TRUNK, 37), at(&tree, fork, 37));
        assert_eq!(begun.mixture, left.mixture);
        assert_eq!(begun.record.train_nll, left.record.train_nll);
        // The clocks go on, and the new algorithm has to look once.
        assert!(begun.record.seconds > left.record.seconds);
        assert_eq!(begun.record.evaluations, left.record.evaluations + 1.0);
        play(&mut tree, Who::One(fork), 5);
        // As a run that starts at that mixture.
        let prepared = tree.prepared().with_start(left.mixture);
        let mut fresh = Run::new(&experiment.alone(fork), prepared).unwrap();
        for _ in 0..5 {
            fresh.step().unwrap();
        }
        assert_eq!(mixture(&tree, fork), *fresh.mixture());
    }

    #[test]
    fn a_lower_rate_from_here_is_the_run_that_was_tuned_here() {
        let mut experiment = small("nll");
        let mut tree = tree(&experiment);
        play(&mut tree, Who::All, 40);
        let fork = experiment.fork(TRUNK, 25).unwrap();
        experiment.settings_of(fork).set("learning_rate", crate::settings::Value::Number(0.001));
        tree.follow(&experiment).unwrap();
        play(&mut tree, Who::One(fork), 15);
        let mut tuned = Run::new(&small("nll"), tree.prepared().clone()).unwrap();
        for step in 0..40 {
            if step == 25 {
                tuned.tune(experiment.alone(fork).algorithm);
            }
            tuned.step().unwrap();
        }
        assert_eq!(mixture(&tree, fork), *tuned.mixture());
        assert_ne!(mixture(&tree, fork), mixture(&tree, TRUNK));
        // And a fork of that fork knows that it was tuned.
        let second = experiment.fork(fork, 33).unwrap();
        tree.follow(&experiment).unwrap();
        play(&mut tree, Who::One(second), 7);
        assert_eq!(mixture(&tree, second), *tuned.mixture());
    }

    #[test]
    fn what_a_hand_made_of_a_step_goes_on_from_there() {
        let mut experiment = small("em");
        let mut tree = tree(&experiment);
        play(&mut tree, Who::All, 10);
        let fork = experiment.fork(TRUNK, 6).unwrap();
        let scaling = tree.prepared().dataset.scaling;
        let mut components = given::components(&at(&tree, TRUNK, 6).mixture, &scaling);
        components[0].mean = [0.25, -0.5];
        given::remove(&mut components, 3);
        experiment.give_to(fork, components);
        tree.follow(&experiment).unwrap();
        let begun = at(&tree, fork, 6);
        assert_eq!(begun.mixture.components().len(), 3);
        let mean = begun.mixture.components()[0].gaussian.mean;
        assert!((mean[0] - 0.25).hypot(mean[1] + 0.5) < 1e-12);
        play(&mut tree, Who::All, 20);
        // Those that are behind catch up first.
        assert_eq!(tree.run(fork).unwrap().record().step, tree.run(TRUNK).unwrap().record().step);
    }

    #[test]
    fn only_what_changed_begins_again_and_what_has_lost_its_root_waits() {
        let mut experiment = small("em");
        experiment.race(&["nll", "sm"]);
        let [nll, sm] = [0, 1].map(|i| experiment.branches[i].id);
        let mut tree = tree(&experiment);
        play(&mut tree, Who::All, 12);
        let fork = experiment.fork(nll, 8).unwrap();
        tree.follow(&experiment).unwrap();
        let _ = tree.take_news();
        let step = |tree: &Tree, id| tree.run(id).map(|run| run.record().step);
        experiment.choose_algorithm_of(nll, "ssm");
        tree.follow(&experiment).unwrap();
        let ends = [TRUNK, nll, sm, fork].map(|id| step(&tree, id));
        assert_eq!(ends, [Some(12), Some(0), Some(12), None]);
        let waits = tree.take_news().into_iter().any(|news| news == (fork, News::Waits));
        assert!(waits);
        // As soon as its parent has come to its step, it leaves.
        play(&mut tree, Who::One(nll), 8);
        assert_eq!(step(&tree, fork), Some(8));
        // θ holds logarithms, so that the last digit may be another.
        let [left, begun] = [nll, fork].map(|id| at(&tree, id, 8).record.train_nll);
        assert!((left - begun).abs() < 1e-12, "{left} {begun}");
        // Racers do not depend on what the trunk is.
        experiment.choose_algorithm("nll");
        tree.follow(&experiment).unwrap();
        let ends = [TRUNK, nll, sm].map(|id| step(&tree, id));
        assert_eq!(ends, [Some(0), Some(8), Some(12)]);
        experiment.prune(nll);
        tree.follow(&experiment).unwrap();
        assert_eq!(tree.runs().map(|(id, _)| id).collect::<Vec<_>>(), [TRUNK, sm]);
    }

    #[test]
    fn a_step_that_is_no_longer_kept_is_taken_again() {
        let mut experiment = small("nll");
        experiment.set("max_iter", "100000").unwrap();
        let mut tree = tree(&experiment);
        for (_, timeline) in tree.timelines() {
            locked(timeline).set_limit(1);
        }
        play(&mut tree, Who::All, 2_100);
        let timeline = tree.timelines().next().unwrap().1.clone();
        assert_ne!(locked(&timeline).at(1_050).unwrap().record.step, 1_050);
        let fork = experiment.fork(TRUNK, 1_050).unwrap();
        experiment.choose_algorithm_of(fork, "em");
        tree.follow(&experiment).unwrap();
        let mut fresh = Run::new(&small("nll"), tree.prepared().clone()).unwrap();
        for _ in 0..1_050 {
            fresh.step().unwrap();
        }
        let forked = tree.run(fork).unwrap();
        assert_eq!((forked.mixture(), forked.record().step), (fresh.mixture(), 1_050));
        assert_eq!(forked.record().evaluations, fresh.record().evaluations + 1.0);
    }

    #[test]
    fn runs_stop_one_by_one_and_go_on_together() {
        let mut experiment = small("em");
        experiment.race(&["nll"]);
        let nll = experiment.branches[0].id;
        experiment.settings_of(nll).set("max_iter", crate::settings::Value::Integer(7));
        let mut tree = tree(&experiment);
        let mut turns = 0;
        while tree.can_turn(Who::All) {
            tree.turn(Who::All);
            turns += 1;
        }
        assert_eq!(turns, 60);
        assert_eq!(tree.run(nll).unwrap().record().step, 7);
        assert_eq!(tree.finish(nll), Some(&Finish::MaxIter));
        tree.go_on(Who::All);
        tree.turn(Who::All);
        assert_eq!(tree.run(nll).unwrap().record().step, 8);
    }
}
