//! Maps on the command line: where training ends from every start of a mean, and the objective over two directions.

use std::sync::Arc;

use anyhow::{Context, bail};
use clap::{Args, ValueEnum};

use super::figure::FigureArguments;
use super::run::counting_bar;
use super::trained::{MOST_OF_TRAIL, Trained};
use crate::export::canvases::{Exhibit, Outlook};
use crate::export::maps::{self, BasinMap};
use crate::export::sheet::Sheet;
use crate::export::style::Style;
use crate::figures::basin::ColorBy;
use crate::figures::landscape::{Ground, Trail};
use crate::model::N_COMPONENTS;
use crate::training::basin::Basin;
use crate::training::landscape::{Directions, Landscape, Scene};
use crate::training::survey::{Chart, LEVELS};
use crate::training::{BranchId, Experiment};

/// Which map.
#[derive(Args)]
pub(super) struct MapArguments {
    /// Cells of a map from one side to the other: 8, 16, 32, 64, 128 or 256
    #[arg(long, value_name = "N", default_value = "64", value_parser = cells)]
    cells: usize,
    /// The component whose mean is varied in a map, counted from 1
    #[arg(long, value_name = "K", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    component: u32,
    /// The second component of --over pair
    #[arg(long, value_name = "K", default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..))]
    other: u32,
    /// What is varied in a loss landscape
    #[arg(long, default_value = "mean")]
    over: Over,
    /// What the colors of a basin map say
    #[arg(long, default_value = "optimum")]
    color_by: Colored,
}

/// What is varied.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Over {
    /// Both coordinates of a mean
    Mean,
    /// The first coordinates of two means
    Pair,
    /// The main directions of the path
    Path,
}

/// What colors say.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Colored {
    /// Which optimum is reached
    Optimum,
    /// The likelihood that is reached
    Nll,
    /// How many steps it takes
    Steps,
}

fn cells(text: &str) -> Result<usize, String> {
    let known = LEVELS.map(|level| level.to_string()).join(", ");
    let cells = text.parse().ok().filter(|cells| LEVELS.contains(cells));
    cells.ok_or_else(|| format!("it is one of {known}"))
}

impl MapArguments {
    /// Whether there are the components of a basin map.
    ///
    /// # Errors
    /// A sentence that says which one is not there.
    pub(super) fn check_basin(&self, experiment: &Experiment) -> anyhow::Result<()> {
        is_there(self.component, "--component", experiment)
    }

    /// The same of a loss landscape.
    ///
    /// # Errors
    /// As for a basin map; or if both components are the same.
    pub(super) fn check_landscape(&self, experiment: &Experiment) -> anyhow::Result<()> {
        if self.over == Over::Path {
            return Ok(());
        }
        is_there(self.component, "--component", experiment)?;
        if self.over == Over::Pair {
            is_there(self.other, "--other", experiment)?;
            if self.component == self.other {
                bail!(
                    "a pair has two components: choose different ones by --component and --other"
                );
            }
        }
        Ok(())
    }

    /// Trains from every cell, and draws where that ends.
    pub(super) fn basin(
        &self,
        trained: &Trained,
        exhibits: &[Exhibit],
        outlook: &Outlook,
        style: &Style,
    ) -> anyhow::Result<Sheet> {
        let experiment = trained.experiment.alone(BranchId::TRUNK);
        let basin = Basin::new(&experiment, trained.tree.prepared(), place(self.component));
        let basin = Arc::new(basin.context("there is no such component")?);
        let mut ends = basin.ends();
        let bar = counting_bar(self.cells * self.cells, "start");
        let watched = bar.clone();
        let wake = move || watched.inc(1);
        let mut survey = basin.survey(0, self.cells, rayon::current_num_threads(), wake)?;
        for result in survey.wait() {
            let (cell, end) = result.map_err(anyhow::Error::msg)?;
            ends.push(cell, end);
        }
        bar.finish_and_clear();
        let color_by = match self.color_by {
            Colored::Optimum => ColorBy::Optimum,
            Colored::Nll => ColorBy::Nll,
            Colored::Steps => ColorBy::Steps,
        };
        let start = basin.start_in(&experiment);
        let map = BasinMap { basin: &basin, ends: &ends, color_by, start };
        Ok(maps::basin(map, exhibits, outlook, style)?)
    }

    /// Evaluates the objective at every cell, and draws it with the paths of all runs, that of the trunk on top.
    pub(super) fn landscape(
        &self,
        trained: &Trained,
        arguments: &FigureArguments,
        style: Style,
    ) -> anyhow::Result<Sheet> {
        let shown = trained.moment(BranchId::TRUNK, arguments.step)?;
        let step = shown.record.step;
        let experiment = Arc::new(trained.experiment.alone(BranchId::TRUNK));
        let objective = experiment.algorithm_info().short;
        let directions = match self.over {
            Over::Mean => Directions::Mean(place(self.component)),
            Over::Pair => Directions::Pair(place(self.component), place(self.other)),
            Over::Path => Directions::Path,
        };
        let path = trained.path(BranchId::TRUNK, step, MOST_OF_TRAIL);
        let prepared = trained.tree.prepared().clone();
        let trunk = trained.tree.run(BranchId::TRUNK);
        let look = trunk.and_then(|run| run.course().look(&experiment, &prepared, step));
        let scene = Scene { experiment, prepared, shown, look, path, directions };
        let bar = counting_bar(self.cells * self.cells, "cell");
        let watched = bar.clone();
        let wake = move || watched.inc(1);
        let threads = rayon::current_num_threads();
        let mut landscape = Landscape::spawn(scene, self.cells, threads, wake)?;
        let mut chart = Chart::default();
        for result in landscape.wait() {
            let (cell, value) = result.map_err(anyhow::Error::msg)?;
            chart.push(cell, value);
        }
        bar.finish_and_clear();
        let slice = landscape.slice().context("the landscape has no plane")?;
        let mut runs: Vec<BranchId> = trained.experiment.runs().collect();
        runs.sort_by_key(|id| *id == BranchId::TRUNK);
        let trails = runs.into_iter().filter_map(|id| {
            let here = trained.moment_by(id, arguments.step)?;
            let path = trained.path(id, here.record.step, MOST_OF_TRAIL);
            let path: Vec<_> = path.iter().map(|moment| &*moment.mixture).collect();
            let short = trained.experiment.algorithm_of(id).short;
            Trail::new(slice, id, short, &path, &here.mixture)
        });
        let trails: Vec<Trail> = trails.collect();
        let ground = Ground::new(slice, objective, step);
        Ok(maps::landscape(&ground, &chart, &trails, style))
    }
}

/// A component counted from 0.
fn place(number: u32) -> usize {
    number as usize - 1
}

fn is_there(number: u32, option: &str, experiment: &Experiment) -> anyhow::Result<()> {
    let count = experiment.model.integer(&N_COMPONENTS);
    if place(number) >= count {
        bail!("{option} {number}: there is no such component, they are 1 to {count}");
    }
    Ok(())
}
