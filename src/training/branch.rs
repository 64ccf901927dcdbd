//! Branch: a run that leaves another at one of its steps and goes on in its own way ("what would EM have done from
//! here?"). Racers are branches that leave the first run, the trunk, at its start.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{Experiment, ExperimentError};
use crate::algorithms::given::{self, GivenComponent};
use crate::algorithms::{self, AlgorithmInfo};
use crate::data::Scaling;
use crate::model::N_COMPONENTS;
use crate::settings::{Settings, Value};

/// Which run of an experiment. Branches have larger numbers than the run that they leave.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct BranchId(u32);

impl BranchId {
    /// The run that is there before there are branches.
    pub const TRUNK: BranchId = BranchId(0);

    /// Its place in the order in which runs were made: 0 for the trunk.
    #[must_use]
    pub fn number(self) -> usize {
        self.0 as usize
    }
}

impl std::fmt::Display for BranchId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // As people count.
        write!(f, "{}", self.0 + 1)
    }
}

/// Runs that an experiment has at most: as many as can be told apart side by side.
pub const MAX_RUNS: usize = 6;

/// Numbers of runs stay below this.
const MOST_NUMBER: u32 = 1_000_000;

/// A run that leaves another. Data, mixture settings and the start are those of the experiment.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Branch {
    /// Which one.
    pub id: BranchId,
    /// The run that it leaves.
    pub parent: BranchId,
    /// The step at which it does.
    pub step: usize,
    /// Its algorithm, by its id.
    pub algorithm_id: String,
    /// Knobs of the algorithm.
    pub algorithm: Settings,
    /// What a hand made of the mixture at that step, in the units of the source; empty where it is as it was.
    pub given: Vec<GivenComponent>,
}

impl Experiment {
    /// All runs, the trunk first; a run comes after the one that it leaves.
    pub fn runs(&self) -> impl Iterator<Item = BranchId> {
        std::iter::once(BranchId::TRUNK).chain(self.branches.iter().map(|branch| branch.id))
    }

    /// A branch; `None` for the trunk, and for what is not there.
    #[must_use]
    pub fn branch(&self, id: BranchId) -> Option<&Branch> {
        self.branches.iter().find(|branch| branch.id == id)
    }

    /// A branch to change.
    #[must_use]
    pub fn branch_mut(&mut self, id: BranchId) -> Option<&mut Branch> {
        self.branches.iter_mut().find(|branch| branch.id == id)
    }

    /// The first step of a run.
    #[must_use]
    pub fn first_step(&self, id: BranchId) -> usize {
        self.branch(id).map_or(0, |branch| branch.step)
    }

    /// The algorithm of a run.
    #[must_use]
    pub fn algorithm_of(&self, id: BranchId) -> &'static AlgorithmInfo {
        let branch = self.branch(id).and_then(|branch| algorithms::find(&branch.algorithm_id));
        branch.unwrap_or_else(|| self.algorithm_info())
    }

    /// The knobs of a run's algorithm, to be changed.
    #[must_use]
    pub fn settings_of(&mut self, id: BranchId) -> &mut Settings {
        match self.branches.iter_mut().find(|branch| branch.id == id) {
            Some(branch) => &mut branch.algorithm,
            None => &mut self.algorithm,
        }
    }

    /// The knobs of a run's algorithm.
    #[must_use]
    pub fn knobs_of(&self, id: BranchId) -> &Settings {
        self.branch(id).map_or(&self.algorithm, |branch| &branch.algorithm)
    }

    /// Chooses a run's algorithm; settings that it has too are kept.
    pub fn choose_algorithm_of(&mut self, id: BranchId, algorithm_id: &str) {
        match self.branch_mut(id) {
            None => self.choose_algorithm(algorithm_id),
            Some(branch) => {
                algorithm_id.clone_into(&mut branch.algorithm_id);
                let settings = self.algorithm_of(id).settings.clone();
                let own = self.settings_of(id);
                *own = own.only(&settings);
            }
        }
    }

    /// True for a branch that begins where the trunk does.
    #[must_use]
    pub fn is_racer(&self, id: BranchId) -> bool {
        self.branch(id).is_some_and(|branch| {
            (branch.parent, branch.step) == (BranchId::TRUNK, 0) && branch.given.is_empty()
        })
    }

    /// The components that a run begins with, where a hand has set them.
    #[must_use]
    pub fn given_of(&self, id: BranchId) -> &[GivenComponent] {
        match self.branch(id).filter(|_| !self.is_racer(id)) {
            Some(branch) => &branch.given,
            None => &self.given,
        }
    }

    /// Makes these components what a run begins with. Racers share the start: what is one's is everybody's.
    pub fn give_to(&mut self, id: BranchId, components: Vec<GivenComponent>) {
        let is_racer = self.is_racer(id);
        match self.branch_mut(id).filter(|_| !is_racer) {
            Some(branch) => branch.given = components,
            None => self.give_start(components),
        }
    }

    /// The run that was at this step where a branch of it was not yet one: itself or one that it comes from.
    #[must_use]
    pub fn owner_of(&self, id: BranchId, step: usize) -> BranchId {
        match self.branch(id) {
            Some(branch) if step < branch.step => self.owner_of(branch.parent, step),
            _ => id,
        }
    }

    /// Adds a branch that leaves a run at a step, with the same algorithm; `None` if there are [`MAX_RUNS`].
    pub fn fork(&mut self, id: BranchId, step: usize) -> Option<BranchId> {
        if self.branches.len() + 1 >= MAX_RUNS {
            return None;
        }
        let parent = self.owner_of(id, step);
        let new = BranchId(self.runs().map(|id| id.0).max().unwrap_or(0) + 1);
        let algorithm_id = self.algorithm_of(id).id.to_owned();
        let algorithm = self.settings_of(id).clone();
        // At the first step of a branch that was set by hand the hand's work is what goes on.
        let given = match self.branch(parent) {
            Some(branch) if branch.step == step => branch.given.clone(),
            _ => Vec::new(),
        };
        self.branches.push(Branch { id: new, parent, step, algorithm_id, algorithm, given });
        Some(new)
    }

    /// Removes a branch and those that leave it. The trunk stays.
    pub fn prune(&mut self, id: BranchId) {
        if self.branch(id).is_none() {
            return;
        }
        let mut gone = BTreeSet::from([id]);
        self.branches.retain(|branch| {
            if gone.contains(&branch.parent) {
                gone.insert(branch.id);
            }
            !gone.contains(&branch.id)
        });
    }

    /// Makes every run one of the given algorithms from the same start: the trunk keeps its own, and the others of them
    /// race it. Racers that are there already keep their settings; all other branches go.
    pub fn race(&mut self, algorithm_ids: &[&str]) {
        let trunk = self.algorithm_id.clone();
        self.branches.retain(|branch| {
            let is_racer = branch.parent == BranchId::TRUNK && branch.step == 0;
            is_racer && branch.given.is_empty() && branch.algorithm_id != trunk
        });
        let mut known = BTreeSet::from([trunk]);
        self.branches.retain(|branch| known.insert(branch.algorithm_id.clone()));
        for id in algorithm_ids {
            if known.insert((*id).to_owned())
                && let Some(racer) = self.fork(BranchId::TRUNK, 0)
            {
                self.choose_algorithm_of(racer, id);
            }
        }
    }

    /// One run as an experiment of its own: without branches, and with K as it begins.
    #[must_use]
    pub fn alone(&self, id: BranchId) -> Experiment {
        let mut alone = Experiment { branches: Vec::new(), ..self.clone() };
        if let Some(branch) = self.branch(id) {
            alone.algorithm_id.clone_from(&branch.algorithm_id);
            alone.algorithm.clone_from(&branch.algorithm);
            if !branch.given.is_empty() {
                alone.give_start(branch.given.clone());
            }
        }
        alone
    }

    /// True if the trunks of both begin with the same mixture on the same data.
    #[must_use]
    pub fn has_same_start(&self, other: &Experiment) -> bool {
        self.has_same_data(other)
            && self.model == other.model
            && self.start == other.start
            && self.given == other.given
    }

    /// Checks the branches: that they leave runs which are there, and that their settings and components are possible.
    pub(super) fn check_branches(&self) -> Result<(), ExperimentError> {
        if self.branches.len() >= MAX_RUNS {
            return Err(ExperimentError::TooManyRuns { count: self.branches.len() + 1 });
        }
        let mut known = BTreeSet::from([BranchId::TRUNK]);
        for branch in &self.branches {
            let has_parent = known.contains(&branch.parent);
            if !has_parent || branch.step < self.first_step(branch.parent) {
                return Err(ExperimentError::LooseBranch { branch: branch.id.number() });
            }
            let is_after_all =
                branch.id.0 < MOST_NUMBER && known.last().is_some_and(|last| *last < branch.id);
            if !is_after_all {
                return Err(ExperimentError::BranchOrder { branch: branch.id.number() });
            }
            known.insert(branch.id);
            let info = super::experiment::find_algorithm(&branch.algorithm_id)?;
            branch
                .algorithm
                .check(&info.settings)
                .map_err(|error| ExperimentError::Setting { section: "branch", error })?;
            if !branch.given.is_empty() {
                given::mixture(&branch.given, &Scaling::NONE)?;
                let count = Value::Integer(branch.given.len() as i64);
                N_COMPONENTS
                    .check(&count)
                    .map_err(|error| ExperimentError::Setting { section: "branch", error })?;
            }
        }
        Ok(())
    }
}

/// A branch as it stands in a file: what is left out is the trunk's start and the branch's place in the list.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct WrittenBranch {
    #[serde(default)]
    id: Option<BranchId>,
    #[serde(default)]
    parent: BranchId,
    #[serde(default)]
    step: usize,
    name: String,
    #[serde(flatten)]
    algorithm: Settings,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    component: Vec<GivenComponent>,
}

impl WrittenBranch {
    /// The branches of a file, in order.
    pub fn read(written: Vec<WrittenBranch>) -> Vec<Branch> {
        let mut next = 1;
        let mut read = |written: WrittenBranch| {
            let WrittenBranch { id, parent, step, name, algorithm, component } = written;
            let id = id.unwrap_or(BranchId(next));
            next = id.0.saturating_add(1);
            Branch { id, parent, step, algorithm_id: name, algorithm, given: component }
        };
        written.into_iter().map(&mut read).collect()
    }
}

impl From<Branch> for WrittenBranch {
    fn from(branch: Branch) -> WrittenBranch {
        let Branch { id, parent, step, algorithm_id, algorithm, given } = branch;
        let id = Some(id);
        WrittenBranch { id, parent, step, name: algorithm_id, algorithm, component: given }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn forked() -> (Experiment, [BranchId; 3]) {
        let mut experiment = Experiment::default();
        let first = experiment.fork(BranchId::TRUNK, 37).unwrap();
        let second = experiment.fork(first, 50).unwrap();
        // Before the second branch was one, it was the trunk.
        let third = experiment.fork(second, 20).unwrap();
        (experiment, [first, second, third])
    }

    #[test]
    fn branches_leave_the_run_that_was_at_their_step() {
        let (mut experiment, [first, second, third]) = forked();
        let leaves = |id| experiment.branch(id).map(|branch| (branch.parent, branch.step)).unwrap();
        assert_eq!(leaves(first), (BranchId::TRUNK, 37));
        assert_eq!(leaves(second), (first, 50));
        assert_eq!(leaves(third), (BranchId::TRUNK, 20));
        experiment.check().unwrap();
        experiment.prune(first);
        assert_eq!(experiment.runs().collect::<Vec<_>>(), [BranchId::TRUNK, third]);
        // Its number is not given to another run while there are later ones.
        assert!(experiment.fork(BranchId::TRUNK, 1).unwrap() > third);
        experiment.prune(BranchId::TRUNK);
        assert_eq!(experiment.branches.len(), 2);
    }

    #[test]
    fn there_are_six_runs_at_most() {
        let mut experiment = Experiment::default();
        let made = (0..9).filter_map(|step| experiment.fork(BranchId::TRUNK, step)).count();
        assert_eq!(made, MAX_RUNS - 1);
        let mut crowded = experiment.clone();
        let branch = Branch { id: BranchId(99), ..experiment.branches[0].clone() };
        crowded.branches.push(branch);
        let error = crowded.check().unwrap_err().to_string();
        assert_eq!(error, "7 runs are too many: an experiment has up to 6 with its branches");
    }

    #[test]
    fn a_race_has_each_algorithm_once_and_keeps_what_was_set() {
        let mut experiment = Experiment::default();
        experiment.race(&["em", "nll", "sm", "ssm"]);
        let algorithms = |experiment: &Experiment| {
            let runs = experiment.runs().map(|id| experiment.algorithm_of(id).id);
            runs.collect::<Vec<_>>()
        };
        assert_eq!(algorithms(&experiment), ["em", "nll", "sm", "ssm"]);
        let sm = experiment.branches[1].id;
        experiment.settings_of(sm).set("learning_rate", Value::Number(0.5));
        experiment.fork(sm, 12);
        experiment.race(&["em", "nll", "sm", "ssm"]);
        assert_eq!(algorithms(&experiment), ["em", "nll", "sm", "ssm"]);
        assert_eq!(experiment.alone(sm).algorithm.iter().count(), 1);
        experiment.check().unwrap();
        // Another data set keeps the racers, and no branch that left later.
        experiment.fork(sm, 12);
        experiment.choose_source(crate::training::Source::Generator("rings".to_owned()));
        assert_eq!(algorithms(&experiment), ["em", "nll", "sm", "ssm"]);
    }

    #[test]
    fn branches_survive_a_file() {
        let (mut experiment, [first, second, _]) = forked();
        experiment.choose_algorithm_of(first, "ssm");
        experiment.settings_of(first).set("n_slices", Value::Integer(4));
        let component =
            GivenComponent { weight: 1.0, mean: [0.1, 0.2], covariance: [1.0, 0.0, 2.0] };
        experiment.give_to(second, vec![component]);
        let text = experiment.to_toml().unwrap();
        let read = Experiment::from_toml("x.toml", &text).unwrap();
        assert_eq!(read, experiment);
        assert_eq!(read.alone(second).model.integer(&N_COMPONENTS), 1);
        // A race written by hand needs no numbers.
        let race = "[data]\ndataset='rings'\n[[branch]]\nname='nll'\n[[branch]]\nname='sm'\nlearning_rate=0.1\n";
        let race = Experiment::from_toml("x.toml", race).unwrap();
        let ids: Vec<usize> = race.runs().map(BranchId::number).collect();
        assert_eq!(ids, [0, 1, 2]);
    }

    #[test]
    fn what_is_wrong_with_a_branch_is_said() {
        let check = |branch: &str, expected: &str| {
            let text = format!("[data]\ndataset='rings'\n[[branch]]\n{branch}");
            let error = Experiment::from_toml("x.toml", &text).unwrap_err().to_string();
            assert!(error.contains(expected), "{branch}: {error}");
        };
        check("name='gd'", "there is no algorithm \"gd\"");
        check("step=3", "missing field `name`");
        check("name='em'\nparent=7", "[[branch]] 1 leaves no run: parent must be 0");
        check("name='em'\nlearning_rate=1.0", "there is no setting \"learning_rate\"");
        check("name='nll'\nlearning_rate=-1.0", "[branch] learning_rate = -1");
        let early = "name='em'\nstep=9\n[[branch]]\nname='em'\nparent=1\nstep=8";
        check(early, "[[branch]] 2 leaves no run");
        check("name='em'\nid=3\n[[branch]]\nname='em'\nid=2", "comes too late");
    }
}
