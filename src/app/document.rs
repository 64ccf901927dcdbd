//! Document: what save and undo are about.

use egui::util::undoer::{Settings, Undoer};

use crate::algorithms::given::GivenComponent;
use crate::data::spray::Stroke;
use crate::training::{Experiment, Source};

/// The experiment, with its past and its future.
pub struct Document {
    /// What is on the table. Panels edit it directly.
    pub experiment: Experiment,
    /// What a change brought about beyond itself, until somebody has been told.
    pub news: Option<String>,
    /// The strokes that a file holds, where they were drawn over, and the start that was set by hand.
    saved: Work,
    undoer: Undoer<Experiment>,
}

impl Document {
    /// A document without a past.
    #[must_use]
    pub fn new(experiment: Experiment) -> Document {
        let mut undoer = Undoer::with_settings(Settings {
            max_undos: 200,
            stable_time: 0.6,
            ..Settings::default()
        });
        undoer.feed_state(0.0, &experiment);
        let saved = work(&experiment);
        Document { experiment, news: None, saved, undoer }
    }

    /// Puts an experiment that a file holds on the table.
    pub fn open(&mut self, experiment: Experiment) {
        self.mark();
        self.experiment = experiment;
        self.keep_saved(&self.experiment.clone());
    }

    /// Takes note that a file now holds this experiment.
    pub fn keep_saved(&mut self, experiment: &Experiment) {
        self.saved = work(experiment);
    }

    /// True if something drawn or set by hand would be lost with the window. Everything else is a few clicks.
    #[must_use]
    pub fn has_unsaved_work(&self) -> bool {
        let work = work(&self.experiment);
        let is_nothing = work.strokes.is_empty() && work.given.iter().all(Vec::is_empty);
        !(work == self.saved || is_nothing)
    }

    /// Marks a point to come back to, before a change that is one thing of its own: a stroke, another data set.
    pub fn mark(&mut self) {
        self.undoer.add_undo(&self.experiment);
    }

    /// Removes everything drawn.
    pub fn clear_drawing(&mut self) {
        self.mark();
        self.experiment.strokes.clear();
    }

    /// Lets a slider that moves become one change once it rests. Call it every frame.
    pub fn remember(&mut self, time_secs: f64) {
        self.undoer.feed_state(time_secs, &self.experiment);
    }

    /// True while a change has not yet become one to undo: the window should look again soon.
    #[must_use]
    pub fn is_in_flux(&self) -> bool {
        self.undoer.is_in_flux()
    }

    /// True if there is something to take back.
    #[must_use]
    pub fn can_undo(&self) -> bool {
        self.undoer.has_undo(&self.experiment)
    }

    /// True if something was taken back.
    #[must_use]
    pub fn can_redo(&self) -> bool {
        self.undoer.has_redo(&self.experiment)
    }

    /// Takes the last change back.
    pub fn undo(&mut self) {
        if let Some(experiment) = self.undoer.undo(&self.experiment) {
            self.experiment = experiment.clone();
        }
    }

    /// Makes it again.
    pub fn redo(&mut self) {
        if let Some(experiment) = self.undoer.redo(&self.experiment) {
            self.experiment = experiment.clone();
        }
    }
}

/// What of an experiment is made by hand, and on what.
#[derive(PartialEq)]
struct Work {
    source: Source,
    strokes: Vec<Stroke>,
    /// What each run begins with, where a hand has set it.
    given: Vec<Vec<GivenComponent>>,
}

fn work(experiment: &Experiment) -> Work {
    Work {
        source: experiment.source.clone(),
        strokes: experiment.strokes.clone(),
        given: experiment.runs().map(|id| experiment.given_of(id).to_vec()).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_marked_change_is_undone_by_itself() {
        let mut document = Document::new(Experiment::default());
        for k in ["3", "4", "5"] {
            document.mark();
            document.experiment.set("n_components", k).unwrap();
            document.remember(0.01);
        }
        let components =
            |document: &Document| document.experiment.model.integer(&crate::model::N_COMPONENTS);
        let mut seen = Vec::new();
        while document.can_undo() {
            document.undo();
            seen.push(components(&document));
        }
        assert_eq!(seen, [4, 3, 12]);
        while document.can_redo() {
            document.redo();
        }
        assert_eq!(components(&document), 5);
    }

    #[test]
    fn a_start_set_by_hand_is_work_until_it_is_saved() {
        let mut document = Document::new(Experiment::default());
        assert!(!document.has_unsaved_work());
        let component = GivenComponent { weight: 1.0, mean: [0.0; 2], covariance: [1.0, 0.0, 1.0] };
        document.experiment.give_start(vec![component]);
        assert!(document.has_unsaved_work());
        document.keep_saved(&document.experiment.clone());
        assert!(!document.has_unsaved_work());
        document.experiment.name_start();
        assert!(!document.has_unsaved_work());
    }
}
