//! What came out of a training: its steps as figures.

use std::collections::BTreeMap;

use anyhow::{Context, bail};

use super::figure::{CanvasArguments, CanvasLayer, FigureArguments, What};
use crate::export::canvases::Exhibit;
use crate::figures::learning::{Landmarks, TimeAxis};
use crate::figures::race::{Look, Racer, run_color, run_name};
use crate::figures::shade::Shade;
use crate::figures::truth::{Judged, Measure};
use crate::figures::{Plot, Spacing, bars, learning, plane, race, terms, truth};
use crate::model::Truth;
use crate::objectives::{Term, Terms};
use crate::training::spread::Likelihood;
use crate::training::{BranchId, Experiment, Moment, Record, Timeline, Tree, Verdict};

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

impl Trained {
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
                let path = self.timeline(id, |timeline| {
                    let path = timeline.path(step, MOST_OF_PATH).into_iter();
                    path.map(|moment| moment.mixture.clone()).collect()
                });
                path.unwrap_or_default()
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
            What::Canvas | What::Race => bail!("canvases have a plane"),
        })
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
