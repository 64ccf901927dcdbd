//! Runs: what the trunk and its branches are called, and the order in which they are listed.

use crate::training::{BranchId, Experiment};

/// What a run is called: its algorithm, with its number where others have the same.
#[must_use]
pub fn name(experiment: &Experiment, id: BranchId) -> String {
    let short = |id| experiment.algorithm_of(id).short;
    let is_only_one = experiment.runs().filter(|other| short(*other) == short(id)).count() == 1;
    if is_only_one { short(id).to_owned() } else { format!("{} ({id})", short(id)) }
}

/// All runs as a tree is read: each followed by those that leave it. With how deep they lie.
#[must_use]
pub fn listed(experiment: &Experiment) -> Vec<(BranchId, usize)> {
    let mut listed = Vec::new();
    list(experiment, BranchId::TRUNK, 0, &mut listed);
    listed
}

fn list(experiment: &Experiment, id: BranchId, depth: usize, listed: &mut Vec<(BranchId, usize)>) {
    listed.push((id, depth));
    for branch in experiment.branches.iter().filter(|branch| branch.parent == id) {
        list(experiment, branch.id, depth + 1, listed);
    }
}

/// The run so many places farther down the list, round and round.
#[must_use]
pub fn neighbor(experiment: &Experiment, id: BranchId, places: isize) -> BranchId {
    let listed = listed(experiment);
    let place = listed.iter().position(|(of, _)| *of == id).unwrap_or(0);
    let wanted = (place as isize + places).rem_euclid(listed.len() as isize) as usize;
    listed[wanted].0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_is_read_from_the_trunk_to_its_tips() {
        let mut experiment = Experiment::default();
        let trunk = BranchId::TRUNK;
        assert_eq!(name(&experiment, trunk), "EM");
        let first = experiment.fork(trunk, 5).unwrap();
        let second = experiment.fork(trunk, 9).unwrap();
        let third = experiment.fork(first, 7).unwrap();
        assert_eq!(listed(&experiment), [(trunk, 0), (first, 1), (third, 2), (second, 1)]);
        assert_eq!(name(&experiment, third), "EM (4)");
        experiment.choose_algorithm_of(third, "sm");
        assert_eq!(name(&experiment, third), "SM");
        assert_eq!(neighbor(&experiment, trunk, -1), second);
        assert_eq!(neighbor(&experiment, first, 1), third);
    }
}
