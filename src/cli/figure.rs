//! `scorescope figure`: trains one experiment and draws one figure of it, for print or a slide.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::{Args, ValueEnum};

use super::{RunArguments, run};
use crate::export::canvases::{Exhibit, Extra, Outlook, canvases};
use crate::export::caption::{caption, shared_caption};
use crate::export::sheet::{FileFormat, Sheet};
use crate::export::style::{Background, Preset, Style, inches};
use crate::export::write_file;
use crate::figures::canvas::Shown;
use crate::figures::colors::COLOR_MAPS;
use crate::figures::learning::{Landmarks, TimeAxis};
use crate::figures::race::{Look, Racer, run_color, run_name};
use crate::figures::shade::Shade;
use crate::figures::truth::{Judged, Measure};
use crate::figures::{Plot, Scale, Spacing, bars, learning, plane, race, terms, truth};
use crate::model::{Bounds, Truth};
use crate::objectives::{Term, Terms};
use crate::training::spread::Likelihood;
use crate::training::{BranchId, Experiment, Moment, Prepared, Record, Timeline, Tree, Verdict};

/// What is trained, what is drawn of it, and how.
#[derive(Args)]
pub(super) struct FigureArguments {
    #[command(flatten)]
    subject: Subject,
    /// What is drawn
    #[arg(long, default_value = "canvas")]
    what: What,
    /// The step to draw; the last one if left out
    #[arg(long)]
    step: Option<usize>,
    /// The file; its ending says how it is written: .pdf, .svg or .png
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Write it even if there is a file of that name already
    #[arg(long)]
    replace: bool,
    /// Width, height, resolution and font size together: column, columns, slide or poster
    #[arg(long, default_value = "column", value_parser = preset)]
    preset: Preset,
    /// Width, as 3.3in or 8.4cm
    #[arg(long, value_parser = inches)]
    width: Option<f64>,
    /// Height; what is on the figure decides if left out
    #[arg(long, value_parser = inches)]
    height: Option<f64>,
    /// Pixels for each inch, of a PNG and of crowds of points
    #[arg(long)]
    dpi: Option<f64>,
    /// Size of labels in points
    #[arg(long, value_name = "POINTS")]
    font_size: Option<f64>,
    /// light, dark or transparent
    #[arg(long, default_value = "light", value_parser = background)]
    background: Background,
    /// Panels side by side, where there are several
    #[arg(long, value_name = "N")]
    panels: Option<usize>,
    #[command(flatten)]
    canvas: CanvasArguments,
    /// Color the density, and space NLL and divergences, by their logarithm
    #[arg(long)]
    log: bool,
    /// Add a sentence with data, algorithm, settings, seeds and step
    #[arg(long)]
    caption: bool,
    /// Leave out the legend
    #[arg(long)]
    no_legend: bool,
    /// Leave out the color bar
    #[arg(long)]
    no_color_bar: bool,
}

/// What is trained.
#[derive(Args)]
pub(super) struct Subject {
    /// An experiment file, as the window saves it
    experiment: Option<PathBuf>,
    /// A built-in data set (see `scorescope list datasets`)
    #[arg(long, conflicts_with_all = ["data", "experiment"])]
    dataset: Option<String>,
    /// A file of points: CSV, TSV, NPY or a picture
    #[arg(long, conflicts_with = "experiment")]
    data: Option<PathBuf>,
    /// Two columns of the file, counted from 1
    #[arg(long, requires = "data", value_name = "X,Y")]
    columns: Option<String>,
    /// The algorithm (see `scorescope list algorithms`)
    #[arg(long)]
    algorithm: Option<String>,
    /// Set a knob, as in `scorescope run`. May be repeated
    #[arg(long = "set", value_name = "KEY=VALUE")]
    settings: Vec<String>,
}

/// What canvases show.
#[derive(Args)]
pub(super) struct CanvasArguments {
    /// What canvases show, separated by commas
    #[arg(long, value_delimiter = ',', value_name = "LAYER", default_values = ["density", "data", "components"])]
    layers: Vec<CanvasLayer>,
    /// Colors of the density; the background's own if left out
    #[arg(long, value_parser = color_map)]
    color_map: Option<&'static str>,
}

/// What can be drawn.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum What {
    /// The plane at one step
    Canvas,
    /// The planes of all runs of a race, as panels
    Race,
    /// Negative log-likelihoods over steps
    Nll,
    /// The objective over steps
    Objective,
    /// The weights at one step
    Weights,
    /// A histogram of the points' terms of score matching
    Terms,
    /// KL divergence from the known density over steps
    Kl,
    /// Fisher divergence from it
    Fisher,
    /// Explicit minus implicit objective
    Constant,
}

/// A layer of the plane.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum CanvasLayer {
    /// The density as a field of color
    Density,
    /// Training points
    Data,
    /// Validation points
    Validation,
    /// Components as ellipses
    Components,
    /// Points drawn from the model
    Samples,
    /// The score as arrows
    Score,
    /// The score as streamlines
    Streamlines,
    /// The paths of the means
    Paths,
}

fn preset(text: &str) -> Result<Preset, String> {
    Preset::from_id(text).ok_or_else(|| one_of(Preset::ALL.map(Preset::id)))
}

pub(super) fn background(text: &str) -> Result<Background, String> {
    Background::from_id(text).ok_or_else(|| one_of(Background::ALL.map(Background::id)))
}

fn color_map(text: &str) -> Result<&'static str, String> {
    let known = COLOR_MAPS.iter().map(|map| map.id);
    known.clone().find(|id| *id == text).ok_or_else(|| one_of(known))
}

fn one_of(known: impl IntoIterator<Item = &'static str>) -> String {
    format!("it is one of {}", known.into_iter().collect::<Vec<_>>().join(", "))
}

/// Trains and draws.
pub(super) fn figure(arguments: &FigureArguments) -> anyhow::Result<()> {
    let format = format(arguments)?;
    // Before minutes of training.
    let style = style(arguments);
    style.check()?;
    let out = &arguments.out;
    if out.exists() && !arguments.replace {
        bail!("{} is there already: choose another name, or add --replace", out.display());
    }
    let trained = arguments.subject.train()?;
    let sheet = sheet(arguments, &trained, style)?;
    write_file(out, &sheet.bytes(format)?)?;
    eprintln!("{} written", out.display());
    Ok(())
}

fn format(arguments: &FigureArguments) -> anyhow::Result<FileFormat> {
    let extension = arguments.out.extension().unwrap_or_default().to_string_lossy();
    FileFormat::from_extension(&extension).with_context(|| {
        let out = arguments.out.display();
        format!("{out}: the name of a figure ends in .pdf, .svg or .png")
    })
}

fn style(arguments: &FigureArguments) -> Style {
    let mut style = Style::of(arguments.preset);
    if let Some(width) = arguments.width {
        // The height of a slide belongs to its width.
        (style.width, style.height) = (width, None);
    }
    style.height = arguments.height.or(style.height);
    style.dpi = arguments.dpi.unwrap_or(style.dpi);
    style.font_size = arguments.font_size.unwrap_or(style.font_size);
    style.background = arguments.background;
    style.columns = arguments.panels.unwrap_or(style.columns);
    style.has_caption = arguments.caption;
    style.has_legend = !arguments.no_legend;
    style.has_color_bar = !arguments.no_color_bar;
    style
}

impl Subject {
    /// Trains it as `scorescope run` does.
    pub(super) fn train(&self) -> anyhow::Result<Trained> {
        let mut experiment = run::experiment(&RunArguments {
            experiment: self.experiment.clone(),
            dataset: self.dataset.clone(),
            data: self.data.clone(),
            columns: self.columns.clone(),
            algorithm: self.algorithm.clone(),
            settings: self.settings.clone(),
            ..RunArguments::default()
        })?;
        run::load(&mut experiment)?;
        let mut tree = Tree::new(&experiment, Prepared::new(&experiment)?)?;
        let histories = run::train(&mut tree);
        Ok(Trained { experiment, tree, histories })
    }
}

/// What came out of the training.
pub(super) struct Trained {
    pub experiment: Experiment,
    pub tree: Tree,
    histories: BTreeMap<BranchId, Vec<Record>>,
}

fn sheet(arguments: &FigureArguments, trained: &Trained, style: Style) -> anyhow::Result<Sheet> {
    let Trained { experiment, tree, .. } = trained;
    let dataset = &tree.prepared().dataset;
    let moment = trained.moment(BranchId::TRUNK, arguments.step)?;
    let mut sheet = match arguments.what {
        What::Canvas | What::Race => {
            let is_race = arguments.what == What::Race;
            let canvas = &arguments.canvas;
            let exhibits = trained.exhibits(is_race, canvas, arguments.step)?;
            let outlook = canvas.outlook(dataset.bounds.with_margin(0.08), arguments.log);
            canvases(&exhibits, &outlook, &style, |_, _, _| Extra::default())?
        }
        _ => Sheet::new(vec![trained.plot(arguments, &moment)?], style),
    };
    let names: Vec<String> = experiment.runs().map(|id| run_name(experiment, id)).collect();
    let is_of_all =
        !matches!(arguments.what, What::Canvas | What::Objective | What::Weights | What::Terms);
    sheet.caption = if is_of_all && names.len() > 1 {
        shared_caption(experiment, dataset, &names)
    } else {
        caption(experiment, dataset, moment.record.step)
    };
    Ok(sheet)
}

impl CanvasArguments {
    fn has(&self, layer: CanvasLayer) -> bool {
        self.layers.contains(&layer)
    }

    /// How all canvases are looked at.
    pub(super) fn outlook(&self, bounds: Bounds, is_log: bool) -> Outlook {
        let has = |layer| self.has(layer);
        Outlook {
            shown: Shown {
                density: has(CanvasLayer::Density),
                score: has(CanvasLayer::Score),
                train: has(CanvasLayer::Data),
                validation: has(CanvasLayer::Validation),
                samples: has(CanvasLayer::Samples),
                components: has(CanvasLayer::Components),
                paths: has(CanvasLayer::Paths),
                streamlines: has(CanvasLayer::Streamlines),
            },
            bounds,
            color_map: self.color_map,
            scale: if is_log { Scale::Logarithmic { decades: 4.0 } } else { Scale::Linear },
            sample_count: 500,
        }
    }
}

/// Steps whose distance from the known density is computed.
const MOST_JUDGED: usize = 120;

/// Mixtures on the way of a path at most.
const MOST_OF_PATH: usize = 300;

impl Trained {
    /// A step of a run, or its last.
    fn moment(&self, id: BranchId, step: Option<usize>) -> anyhow::Result<Moment> {
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
    fn plot(&self, arguments: &FigureArguments, moment: &Moment) -> anyhow::Result<Plot> {
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
                let formula = experiment.algorithm_info().formula;
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
