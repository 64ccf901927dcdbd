//! Runs: what the trunk and its branches are called, the order in which they are listed, and what is done with them.

use super::action::Action;
use super::view::Plots;
use super::{App, Notice, start};
use crate::figures::race::run_name;
use crate::training::{BranchId, Experiment};

/// What a run is called: its algorithm, with its number where others have the same.
#[must_use]
pub fn name(experiment: &Experiment, id: BranchId) -> String {
    run_name(experiment, id)
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

impl App {
    /// Adds, removes or chooses runs.
    pub(super) fn change_runs(&mut self, action: Action) {
        match action {
            Action::Fork => {
                let step = self.shown_step();
                self.document.mark();
                start::fork(&mut self.document, &mut self.view, step);
            }
            Action::Race => self.race(),
            Action::ToggleRace => self.view.race.is_on = !self.view.race.is_on,
            Action::RemoveRun => {
                self.document.mark();
                self.document.experiment.prune(self.view.run);
            }
            Action::Bet => {
                let bet = &mut self.view.prediction.bet;
                *bet = if *bet == Some(self.view.run) { None } else { Some(self.view.run) };
            }
            _ => {
                let places = if action == Action::NextRun { 1 } else { -1 };
                self.view.run = neighbor(&self.document.experiment, self.view.run, places);
            }
        }
    }

    /// One click from one algorithm to the race of all that a first lecture knows.
    fn race(&mut self) {
        self.document.mark();
        self.document.experiment.race(&["em", "nll", "sm", "ssm"]);
        (self.view.race.is_on, self.view.run) = (true, BranchId::TRUNK);
        (self.view.plots, self.view.has_panels) = (Plots::Run, true);
        self.view.leave_past();
    }

    /// Plants a flag for the selected component.
    pub(super) fn predict(&mut self) {
        let (Some(selected), Some(shown)) = (self.view.selected, self.session.shown()) else {
            let text = "Click a component first: the flag says where its mean will go";
            self.notice = Some(Notice::info(text));
            return;
        };
        let width = self.canvas.bounds().size()[0];
        self.view.prediction.toggle(selected, shown, width);
        // What is selected would hide the flag's place.
        self.view.selected = None;
    }
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
