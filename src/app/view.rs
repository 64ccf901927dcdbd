//! View: how things are looked at. Not part of the document: changing it is no change to undo.

use serde::{Deserialize, Serialize};

use super::particles::SamplingView;
use super::playback::Playback;
use super::predict::Prediction;
use crate::data::spray::Tool;
use crate::figures::basin::ColorBy;
pub use crate::figures::canvas::Shown;
use crate::figures::fields::Quantity;
use crate::figures::learning::{Landmarks, TimeAxis};
use crate::figures::{Scale, Spacing, Theme, bars};
use crate::training::landscape::Directions;
use crate::training::spread::Likelihood;
use crate::training::{BranchId, Record};

/// Where in time the view is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Position {
    /// It follows the newest step.
    Newest,
    /// It follows the best step on the validation data.
    Best,
    /// It stays at a step, or at the nearest one that is kept.
    At(usize),
}

impl Position {
    /// At a step of those that there are; at the last of them, following what comes.
    #[must_use]
    pub fn of(step: usize, newest: usize) -> Position {
        if step >= newest { Position::Newest } else { Position::At(step) }
    }
}

/// How things are looked at.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct View {
    /// Light or dark.
    pub theme: Theme,
    /// Which layers the canvas shows.
    pub shown: Shown,
    /// True to color the density by its logarithm.
    pub has_log_density: bool,
    /// What is shown in the density's place.
    pub quantity: Quantity,
    /// Color map of the density, by its id; `None` for the theme's own.
    #[serde(skip)]
    pub color_map: Option<&'static str>,
    /// How many samples are drawn from the model.
    pub sample_count: usize,
    /// Steps or seconds, below the curves.
    pub time_axis: TimeAxis,
    /// Spacing of the horizontal axis of the curves.
    pub time_spacing: Spacing,
    /// Spacing of the NLL axis.
    pub nll_spacing: Spacing,
    /// Which run is looked at and changed.
    pub run: BranchId,
    /// How runs are compared.
    pub race: RaceView,
    /// What the audience expects.
    pub prediction: Prediction,
    /// Which step is shown.
    pub position: Position,
    /// How that changes by itself.
    pub(super) playback: Playback,
    /// The component that keys and the table act on, counted from 0.
    pub selected: Option<usize>,
    /// What the panel on the right shows.
    pub plots: Plots,
    /// How many starts are looked at.
    pub seeds: SeedsView,
    /// Which maps are looked at.
    pub maps: MapsView,
    /// Spacing of the distances from the known density.
    pub truth_spacing: Spacing,
    /// How particles are sent over a density.
    pub sampling: SamplingView,
    /// The drawing tool; `None` moves the view.
    pub tool: Option<Tool>,
    /// Radius of the tools, as a share of the shorter side of the canvas.
    pub tool_radius: f64,
    /// Points that a stroke adds: per stroke, or per second for the airbrush.
    pub tool_points: usize,
    /// Position of the speed slider: 2ᵛ steps per second; [`View::FASTEST`] for no limit.
    pub speed: f64,
    /// Whether training stops when something goes wrong with it that can be told.
    pub guard: Guard,
    /// True with the side panels open.
    pub has_panels: bool,
    /// True with the help page open.
    #[serde(skip)]
    pub has_help: bool,
    /// Where the workings of composite score matching cut the plane, across x₁ and across x₂; `None` through the middle
    /// of the data.
    pub cut: [Option<f64>; 2],
}

/// Whether training stops when something goes wrong with it that can be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Guard {
    /// It stops, and says why.
    On,
    /// It goes on regardless, as a teacher may want.
    Off,
}

/// What the panel on the right shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Plots {
    /// Likelihood, objective and weights of the run on the canvas.
    Run,
    /// Many starts of the same experiment.
    Seeds,
    /// A map over a square of starts, or of parameters.
    Maps,
    /// The loss of exact score matching, taken apart point by point.
    Terms,
    /// How far the runs are from the known density.
    Truth,
    /// Particles that walk on a density.
    Sample,
}

/// Which map.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum MapKind {
    /// Where training ends from every start of one mean.
    Basin,
    /// The objective over two directions.
    Landscape,
}

/// Which directions a landscape has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Over {
    /// Both coordinates of a mean.
    Mean,
    /// The first coordinates of two means.
    Pair,
    /// The main directions of the path.
    Path,
}

/// Which maps are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct MapsView {
    /// Which of them.
    pub kind: MapKind,
    /// The component whose mean is varied, counted from 0.
    pub component: usize,
    /// The second one, where two are.
    pub other: usize,
    /// What the colors of the basin map say.
    pub color_by: ColorBy,
    /// Cells of the basin map from one side to the other.
    pub basin_detail: usize,
    /// True for a basin map of what the canvas shows, false for one of all data.
    pub is_zoomed: bool,
    /// Which directions the landscape has.
    pub over: Over,
    /// Cells of the landscape from one side to the other.
    pub landscape_detail: usize,
}

impl MapsView {
    /// The directions of the landscape that is asked for.
    #[must_use]
    pub fn directions(&self) -> Directions {
        match self.over {
            Over::Mean => Directions::Mean(self.component),
            Over::Pair => Directions::Pair(self.component, self.other),
            Over::Path => Directions::Path,
        }
    }
}

impl Default for MapsView {
    fn default() -> MapsView {
        MapsView {
            kind: MapKind::Basin,
            component: 0,
            other: 1,
            color_by: ColorBy::Optimum,
            basin_detail: 256,
            is_zoomed: false,
            over: Over::Mean,
            landscape_detail: 64,
        }
    }
}

/// How runs are compared.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct RaceView {
    /// True with all runs side by side, trained in turn.
    pub is_on: bool,
    /// By which points.
    pub likelihood: Likelihood,
    /// The NLL that stops the watch of the run which comes to it, in nats per point.
    pub target: Option<f64>,
}

/// How many starts are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct SeedsView {
    /// How many are run.
    pub count: usize,
    /// Nats above the best up to which a run counts as equally good.
    pub margin: f64,
    /// True with mean and standard deviation.
    pub has_band: bool,
    /// By which points runs are compared.
    pub likelihood: Likelihood,
    /// Spacing of the steps.
    pub spacing: Spacing,
}

impl View {
    /// The end of the speed slider, where there is no limit.
    pub const FASTEST: f64 = 10.0;

    /// Steps per second that the speed slider asks for; `None` for as fast as it goes.
    #[must_use]
    pub fn pace(&self) -> Option<f64> {
        (self.speed < View::FASTEST).then(|| self.speed.exp2())
    }

    /// Steps per second at which time is played; without a limit as fast as the slider is just before its end.
    #[must_use]
    pub fn playback_pace(&self) -> f64 {
        self.speed.exp2()
    }

    /// Goes to a step of those that there are, and stays there.
    pub fn go_to(&mut self, step: usize, newest: usize) {
        self.playback.stop();
        self.position = Position::of(step, newest);
    }

    /// The first and the last step of what is played round and round, if something is.
    #[must_use]
    pub fn playback_range(&self) -> Option<[usize; 2]> {
        self.playback.range()
    }

    /// Follows the newest step.
    pub fn follow_newest(&mut self) {
        self.playback.stop();
        self.position = Position::Newest;
    }

    /// Goes from an older step to the newest; the best one stays.
    pub fn leave_past(&mut self) {
        self.playback.stop();
        if let Position::At(_) = self.position {
            self.position = Position::Newest;
        }
    }

    /// Shows nothing of the past any more, because there is none.
    pub fn forget_past(&mut self) {
        self.leave_past();
        self.playback = Playback::default();
    }

    /// True while the basin map takes the density's place on the canvas.
    #[must_use]
    pub fn shows_basin(&self) -> bool {
        self.plots == Plots::Maps && self.maps.kind == MapKind::Basin
    }

    /// True while training points have the colors of their terms.
    #[must_use]
    pub fn shows_terms(&self) -> bool {
        self.plots == Plots::Terms
    }

    /// True while distances from the known density are looked at.
    #[must_use]
    pub fn shows_truth(&self) -> bool {
        self.plots == Plots::Truth && self.has_panels
    }

    /// What the curves point out: the best step, and the one shown where the view stays at one.
    #[must_use]
    pub fn landmarks(&self, best: Option<Record>, shown: Option<Record>) -> Landmarks {
        let stays = matches!(self.position, Position::At(_));
        Landmarks { best, shown: shown.filter(|_| stays) }
    }

    /// How densities become colors.
    #[must_use]
    pub fn density_scale(&self) -> Scale {
        if self.has_log_density { Scale::Logarithmic { decades: 4.0 } } else { Scale::Linear }
    }
}

impl Default for View {
    fn default() -> View {
        View {
            theme: Theme::Dark,
            shown: Shown {
                density: true,
                score: false,
                train: true,
                validation: false,
                samples: false,
                components: true,
                paths: false,
                streamlines: false,
                workings: false,
            },
            has_log_density: false,
            quantity: Quantity::Density,
            color_map: None,
            sample_count: 500,
            time_axis: TimeAxis::Steps,
            time_spacing: Spacing::Linear,
            nll_spacing: Spacing::Linear,
            run: BranchId::TRUNK,
            race: RaceView { is_on: false, likelihood: Likelihood::Training, target: None },
            prediction: Prediction::default(),
            position: Position::Newest,
            playback: Playback::default(),
            selected: None,
            plots: Plots::Run,
            seeds: SeedsView {
                count: 50,
                margin: bars::MARGIN,
                has_band: true,
                likelihood: Likelihood::Training,
                spacing: Spacing::Linear,
            },
            maps: MapsView::default(),
            truth_spacing: Spacing::Logarithmic,
            sampling: SamplingView::default(),
            tool: None,
            tool_radius: 0.04,
            tool_points: 200,
            speed: 4.5,
            guard: Guard::On,
            has_panels: true,
            has_help: false,
            cut: [None; 2],
        }
    }
}
