//! Seeds: runs of one experiment from many starts in the background, and what has come of them so far.

use std::sync::Arc;

use super::view::SeedsView;
use crate::data::Dataset;
use crate::figures::fan::{Look, fan};
use crate::figures::{Plot, Theme, bars};
use crate::training::ensemble::with_seed;
use crate::training::{Ensemble, Experiment, Member};

/// The seeds are this one and those after it: equal for everybody, and New start walks through the same ones.
const FIRST_SEED: u32 = 0;

/// The runs as the window knows them.
#[derive(Default)]
pub struct Seeds {
    ensemble: Option<Ensemble>,
    /// What they are runs of, with any seed.
    experiment: Option<Experiment>,
    /// Those that are done, by their seeds.
    members: Vec<Arc<Member>>,
    problem: Option<String>,
    /// The last figures, and what they show.
    drawn: Option<(Shown, Figures)>,
}

/// What the figures depend on, the runs aside.
type Shown = (SeedsView, Option<u32>, Theme);

/// The figures of many runs.
#[derive(Clone)]
pub struct Figures {
    /// Their curves.
    pub fan: Arc<Plot>,
    /// Where they ended.
    pub finals: Arc<Plot>,
}

impl Seeds {
    /// Begins that many runs, on the data where they are at hand; forgets those before.
    pub fn run(
        &mut self,
        experiment: &Experiment,
        dataset: Option<Arc<Dataset>>,
        count: usize,
        ctx: egui::Context,
    ) {
        *self = Seeds { experiment: Some(experiment.clone()), ..Seeds::default() };
        let wake = move || ctx.request_repaint();
        // As many as compute everything else: one core stays free for drawing.
        let threads = rayon::current_num_threads();
        match Ensemble::spawn(experiment.clone(), dataset, FIRST_SEED, count, threads, wake) {
            Ok(ensemble) => self.ensemble = Some(ensemble),
            Err(error) => self.problem = Some(format!("no thread could be started: {error}")),
        }
    }

    /// Takes in what arrived since the last frame.
    pub fn drain(&mut self) {
        let Some(ensemble) = &self.ensemble else { return };
        let results: Vec<_> = ensemble.drain().collect();
        let mut is_done = false;
        for result in results {
            self.drawn = None;
            match result {
                Ok(member) => {
                    let place = self.members.partition_point(|other| other.seed < member.seed);
                    self.members.insert(place, member);
                }
                Err(message) => {
                    self.problem = Some(message);
                    is_done = true;
                }
            }
        }
        if is_done || self.members.len() == ensemble.count() {
            self.ensemble = None;
        }
    }

    /// Stops what still runs; what is done stays.
    pub fn cancel(&mut self) {
        self.ensemble = None;
    }

    /// Stops runs of an experiment that is no longer on the table.
    pub fn follow(&mut self, experiment: &Experiment) {
        if self.ensemble.is_some() && !self.are_of(experiment) {
            self.cancel();
        }
    }

    /// How many runs there will be, while some are on their way.
    #[must_use]
    pub fn awaited(&self) -> Option<usize> {
        self.ensemble.as_ref().map(Ensemble::count)
    }

    /// Those that are done, by their seeds.
    #[must_use]
    pub fn members(&self) -> &[Arc<Member>] {
        &self.members
    }

    /// Why there are no more.
    #[must_use]
    pub fn problem(&self) -> Option<&str> {
        self.problem.as_deref()
    }

    /// True if they are runs of this experiment, whatever its seed.
    #[must_use]
    pub fn are_of(&self, experiment: &Experiment) -> bool {
        let own = self.experiment.as_ref();
        own.is_some_and(|own| with_seed(own, 0) == with_seed(experiment, 0))
    }

    /// Their figures; made anew only where something changed.
    pub fn figures(&mut self, view: SeedsView, chosen: Option<u32>, theme: Theme) -> Figures {
        let shown = (view, chosen, theme);
        match &self.drawn {
            Some((drawn, figures)) if *drawn == shown => figures.clone(),
            _ => {
                let figures = figures(&self.members, view, chosen, theme);
                self.drawn = Some((shown, figures.clone()));
                figures
            }
        }
    }
}

/// The figures of these runs.
#[must_use]
pub fn figures(
    members: &[Arc<Member>],
    view: SeedsView,
    chosen: Option<u32>,
    theme: Theme,
) -> Figures {
    let SeedsView { margin, has_band, likelihood, spacing, .. } = view;
    let palette = theme.palette();
    let finals = likelihood.finals(members);
    let look = Look { likelihood, has_band, spacing, chosen };
    Figures {
        fan: Arc::new(fan(members, look, palette)),
        finals: Arc::new(bars::final_values(&finals, likelihood, margin, palette)),
    }
}
