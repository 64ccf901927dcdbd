//! What came out of a training: its steps as figures.

use std::collections::BTreeMap;

use anyhow::{Context, bail};

use super::figure::{CanvasArguments, CanvasLayer, FigureArguments, What};
use super::run;
use crate::export::canvases::Exhibit;
use crate::export::caption::seeds_caption;
use crate::export::sheet::Sheet;
use crate::export::style::Style;
use crate::figures::learning::{Landmarks, TimeAxis};
use crate::figures::race::{Look, Racer, run_color, run_name};
use crate::figures::shade::Shade;
use crate::figures::truth::{Judged, Measure};
use crate::figures::{self, Plot, Spacing, bars, fan, learning, plane, race, terms, truth};
use crate::model::Truth;
use crate::objectives::{Term, Terms};
use crate::training::redrawing::Redrawing;
use crate::training::redraws::{Estimates, REDRAW_COUNT, Redraws};
use crate::training::spread::Likelihood;
use crate::training::{BranchId, Experiment, Moment, Prepared, Record, Timeline, Tree, Verdict};

/// What came out of the training.
pub(super) struct Trained {
    pub experiment: Experiment,
    pub tree: Tree,
    pub histories: BTreeMap<BranchId, Vec<Record>>,
}

/// Steps whose distance from the known density is computed.
const MOST_JUDGED: usize = 120;

/// Mixtures on the way of a path at most.
const MOST_OF_PATH: usize = 300;

/// Steps of a path over a landscape at most.
pub(super) const MOST_OF_TRAIL: usize = 1000;

impl Trained {
    /// All runs at their start.
    pub(super) fn new(experiment: Experiment, prepared: Prepared) -> anyhow::Result<Trained> {
        let tree = Tree::new(&experiment, prepared)?;
        Ok(Trained { experiment, tree, histories: BTreeMap::new() })
    }

    /// Trains them as `scorescope run` does.
    pub(super) fn train(&mut self) {
        self.histories = run::train(&mut self.tree);
    }

    /// A step of a run, or its last.
    pub(super) fn moment(&self, id: BranchId, step: Option<usize>) -> anyhow::Result<Moment> {
        let name = run_name(&self.experiment, id);
        if let Some(problem) = self.tree.problem(id) {
            bail!("{name} cannot begin: {problem}");
        }
        let newest = self.tree.newest(id).with_context(|| format!("{name} never began"))?;
        let Some(step) = step else { return Ok(newest) };
        if step > newest.record.step {
            bail!("{name} has no step {step}: its last one is {}", newest.record.step);
        }
        let nearest = self.timeline(id, |timeline| timeline.at(step).cloned()).flatten();
        Ok(nearest.unwrap_or(newest))
    }

    /// The same of a run that began, at its last step where it has stopped before.
    pub(super) fn moment_by(&self, id: BranchId, step: Option<usize>) -> Option<Moment> {
        let last = self.tree.newest(id)?.record.step;
        self.moment(id, step.map(|step| step.min(last))).ok()
    }

    /// At most so many steps of a run up to this one.
    pub(super) fn path(&self, id: BranchId, step: usize, most: usize) -> Vec<Moment> {
        let path = self.timeline(id, |timeline| {
            timeline.path(step, most).into_iter().cloned().collect::<Vec<Moment>>()
        });
        path.unwrap_or_default()
    }

    fn timeline<T>(&self, id: BranchId, find: impl FnOnce(&Timeline) -> T) -> Option<T> {
        let (_, timeline) = self.tree.timelines().find(|(other, _)| *other == id)?;
        // Nobody else is left who could have left it half written.
        let timeline = timeline.lock().ok()?;
        Some(find(&timeline))
    }

    /// The trunk, or all runs that began.
    pub(super) fn exhibits(
        &self,
        is_race: bool,
        canvas: &CanvasArguments,
        step: Option<usize>,
    ) -> anyhow::Result<Vec<Exhibit>> {
        let mut exhibits = Vec::new();
        for id in self.experiment.runs().filter(|id| is_race || *id == BranchId::TRUNK) {
            let last = self.tree.newest(id).map(|moment| moment.record.step);
            // A racer that has stopped stays where it stopped.
            let of_racer = step.map(|step| last.map_or(step, |last| step.min(last)));
            let moment = self.moment(id, if is_race { of_racer } else { step })?;
            let step = moment.record.step;
            let title = if is_race {
                let nll = moment.record.train_nll;
                let name = run_name(&self.experiment, id);
                format!("{name}, step {step}, NLL {nll:.3}").replace('-', "−")
            } else {
                plane::title(self.experiment.algorithm_of(id).label, &moment.mixture, step)
            };
            let path = if canvas.has(CanvasLayer::Paths) {
                let path = self.path(id, step, MOST_OF_PATH).into_iter();
                path.map(|moment| moment.mixture).collect()
            } else {
                Vec::new()
            };
            let dataset = self.tree.prepared().dataset.clone();
            exhibits.push(Exhibit { title, id, moment, path, dataset });
        }
        Ok(exhibits)
    }

    /// A figure that has no plane.
    pub(super) fn plot(
        &self,
        arguments: &FigureArguments,
        moment: &Moment,
    ) -> anyhow::Result<Plot> {
        let Trained { experiment, tree, histories } = self;
        let theme = arguments.background.theme();
        let palette = theme.palette();
        let trunk = tree.run(BranchId::TRUNK).context("there is no run")?;
        let history = histories.get(&BranchId::TRUNK).map_or(&[][..], Vec::as_slice);
        let landmarks = Landmarks { best: Some(trunk.best().record), shown: None };
        let spacing = if arguments.log { Spacing::Logarithmic } else { Spacing::Linear };
        let spacings = [Spacing::Linear, spacing];
        let time = TimeAxis::Steps;
        Ok(match arguments.what {
            What::Nll if experiment.branches.is_empty() => {
                learning::nll(history, &landmarks, time, spacings, palette)
            }
            What::Nll => {
                let racers = histories.iter().map(|(&id, records)| Racer {
                    label: run_name(experiment, id),
                    color: run_color(id, palette),
                    curve: records.clone(),
                    reached: None,
                });
                let racers: Vec<Racer> = racers.collect();
                let likelihood = Likelihood::Training;
                let shown = Landmarks::default();
                race::race(
                    &racers,
                    &Look { likelihood, time, spacings, target: None, shown },
                    palette,
                )
            }
            What::Objective => {
                let formula = experiment.algorithm_info().formula_with(&experiment.algorithm);
                learning::objective(history, &landmarks, formula, time, Spacing::Linear, palette)
            }
            What::Weights => bars::weights(&moment.mixture, palette),
            What::Terms => {
                let terms = Terms::at(&*moment.mixture, &tree.prepared().dataset.train);
                let totals: Vec<f64> = terms.of_points.iter().map(Term::total).collect();
                let shade = Shade::of_terms(&totals).context("no term is finite here")?;
                terms::histogram(&terms, &shade, theme)
            }
            What::Kl => self.distance(Measure::Kl, arguments)?,
            What::Fisher => self.distance(Measure::Fisher, arguments)?,
            What::Constant => self.distance(Measure::Constant, arguments)?,
            What::Redraws => {
                let absent = "this step cannot be drawn again: choose one of the run's own";
                let redraws = Redraws::of_run(trunk, moment).context(absent)?;
                figures::redraws::redraws(&estimates(redraws, moment)?, theme)
            }
            _ => bail!("this figure is no plot"),
        })
    }

    /// Many starts of the trunk: their curves, or where they ended.
    pub(super) fn seeds(&self, arguments: &FigureArguments, style: Style) -> anyhow::Result<Sheet> {
        let experiment = self.experiment.alone(BranchId::TRUNK);
        let prepared = self.tree.prepared();
        let members = run::ensemble(&experiment, prepared, arguments.seeds.get())?;
        let palette = style.background.theme().palette();
        let likelihood = Likelihood::Training;
        let plot = if arguments.what == What::Finals {
            let finals = likelihood.finals(&members);
            bars::final_values(&finals, likelihood, bars::MARGIN, palette)
        } else {
            let spacing = if arguments.log { Spacing::Logarithmic } else { Spacing::Linear };
            fan::fan(
                &members,
                fan::Look { likelihood, has_band: true, spacing, chosen: None },
                palette,
            )
        };
        let mut sheet = Sheet::new(vec![plot], style);
        sheet.caption = seeds_caption(&experiment, &prepared.dataset, &members);
        Ok(sheet)
    }

    /// How far the runs are from the known density, at some of their steps.
    fn distance(&self, measure: Measure, arguments: &FigureArguments) -> anyhow::Result<Plot> {
        let Trained { experiment, tree, .. } = self;
        let palette = arguments.background.theme().palette();
        let truth = Truth::new(experiment.known_density(&tree.prepared().dataset.scaling)?);
        let judge = |moment: &Moment| Verdict {
            record: moment.record,
            divergence: truth.compare(&*moment.mixture),
        };
        let judged = experiment.runs().map(|id| {
            let last = tree.newest(id).map_or(0, |moment| moment.record.step);
            let verdicts = self.timeline(id, |timeline| {
                timeline.path(last, MOST_JUDGED).into_iter().map(judge).collect()
            });
            Judged {
                run: id,
                label: run_name(experiment, id),
                color: run_color(id, palette),
                verdicts: verdicts.unwrap_or_default(),
            }
        });
        let judged: Vec<Judged> = judged.collect();
        let spacing = if arguments.log { Spacing::Logarithmic } else { Spacing::Linear };
        let look = truth::Look {
            time: TimeAxis::Steps,
            spacings: [Spacing::Linear, spacing],
            shown: Landmarks::default(),
            information: truth.information,
        };
        Ok(truth::distance(&judged, measure, &look, palette))
    }
}

/// Estimates a step again and again.
fn estimates(redraws: Redraws, moment: &Moment) -> anyhow::Result<Estimates> {
    // Their mean is a piece of work, too.
    let bar = run::counting_bar(REDRAW_COUNT + 1, "redraw");
    let watched = bar.clone();
    let begun = redraws.begin(moment);
    let mut redrawing = Redrawing::spawn(redraws, begun, REDRAW_COUNT, move || watched.inc(1))?;
    redrawing.wait();
    bar.finish_and_clear();
    if let Some(problem) = redrawing.problem() {
        bail!("{problem}");
    }
    Ok(redrawing.estimates().clone())
}
