//! `scorescope figure`: trains one experiment and draws one figure of it, for print or a slide.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::{Args, ValueEnum};

use super::extras::{CanvasField, Extras};
use super::maps::MapArguments;
use super::trained::Trained;
use super::{Subject, run};
use crate::export::canvases::{Outlook, canvases};
use crate::export::caption::{caption, shared_caption};
use crate::export::sheet::{FileFormat, Sheet};
use crate::export::style::{Background, Preset, Style, inches};
use crate::export::{check_place, write_file};
use crate::figures::Scale;
use crate::figures::canvas::Shown;
use crate::figures::colors::COLOR_MAPS;
use crate::figures::race::run_name;
use crate::model::Bounds;
use crate::training::redraws::Redraws;
use crate::training::{BranchId, Experiment, Prepared};

/// What is trained, what is drawn of it, and how.
#[derive(Args)]
#[expect(clippy::struct_excessive_bools, reason = "they are switches of the command line")]
pub(super) struct FigureArguments {
    #[command(flatten)]
    subject: Subject,
    /// What is drawn
    #[arg(long, default_value = "canvas")]
    pub what: What,
    /// The step to draw; the last one if left out
    #[arg(long)]
    pub step: Option<usize>,
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
    pub background: Background,
    /// Panels side by side, where there are several
    #[arg(long, value_name = "N")]
    panels: Option<usize>,
    #[command(flatten)]
    canvas: CanvasArguments,
    /// How many starts there are of `seeds` and `finals`: with the seed of the start and those after it
    #[arg(long, value_name = "N", default_value = "50")]
    pub seeds: NonZeroUsize,
    #[command(flatten)]
    map: MapArguments,
    /// Color the density, and space NLL and divergences, by their logarithm
    #[arg(long)]
    pub log: bool,
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

/// What canvases show.
#[derive(Args)]
pub(super) struct CanvasArguments {
    /// What canvases show, separated by commas
    #[arg(long, value_delimiter = ',', value_name = "LAYER", default_values = ["density", "data", "components"])]
    layers: Vec<CanvasLayer>,
    /// Colors of the density; the background's own if left out
    #[arg(long, value_parser = color_map)]
    pub color_map: Option<&'static str>,
    /// A field in the density's place
    #[arg(long, value_name = "FIELD", default_value = "density")]
    pub field: CanvasField,
    /// Where the workings of composite score matching cut the plane; through the middle of the data if left out
    #[arg(long, value_name = "X", allow_negative_numbers = true, value_parser = finite)]
    pub cut: Option<f64>,
}

/// What can be drawn.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum What {
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
    /// The curves of many starts
    Seeds,
    /// Where many starts end, as bars
    Finals,
    /// Where training ends from every start of one mean
    Basin,
    /// The objective over two directions
    Landscape,
    /// The objective at one step with other draws
    Redraws,
}

/// A layer of the plane.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum CanvasLayer {
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
    /// What the running objective does with its points
    Workings,
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

fn finite(text: &str) -> Result<f64, String> {
    let number = text.parse().ok().filter(|number: &f64| number.is_finite());
    number.ok_or_else(|| "this is no number".to_owned())
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
    check_place(out)?;
    let experiment = arguments.subject.experiment()?;
    let prepared = Prepared::new(&experiment)?;
    arguments.check(&experiment, &prepared)?;
    let mut trained = Trained::new(experiment, prepared)?;
    let sheet = if arguments.what.is_of_many_starts() {
        trained.seeds(arguments, style)?
    } else {
        trained.train();
        sheet(arguments, &trained, style)?
    };
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

impl What {
    /// True if no single run is shown.
    fn is_of_many_starts(self) -> bool {
        matches!(self, What::Seeds | What::Finals)
    }
}

impl FigureArguments {
    /// Whether there will be such a figure of this experiment.
    fn check(&self, experiment: &Experiment, prepared: &Prepared) -> anyhow::Result<()> {
        match self.what {
            What::Canvas | What::Race => {
                self.canvas.check(experiment, self.what == What::Race)?;
            }
            What::Kl | What::Fisher | What::Constant => experiment.knows_density()?,
            What::Seeds | What::Finals if self.step.is_some() => {
                bail!("many starts are drawn from their first step to their last: leave out --step")
            }
            What::Basin => self.map.check_basin(experiment)?,
            What::Landscape => self.map.check_landscape(experiment)?,
            What::Redraws => {
                let info = experiment.algorithm_info();
                let count = prepared.dataset.train.len();
                if !Redraws::are_different(info, &experiment.algorithm, count) {
                    bail!(
                        "{} draws nothing at random at a step, so there are no other draws: choose an algorithm \
                         that does, such as ssm, or set batch_size where there is one",
                        info.label
                    );
                }
            }
            _ => {}
        }
        Ok(())
    }
}

impl Subject {
    /// What is to be trained, with its file read.
    pub(super) fn experiment(&self) -> anyhow::Result<Experiment> {
        let mut experiment = run::experiment(self)?;
        run::load(&mut experiment)?;
        Ok(experiment)
    }
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
            let theme = style.background.theme();
            let extras = Extras::new(canvas, tree, outlook.bounds, theme)?;
            canvases(&exhibits, &outlook, &style, |exhibit, size, pixels| {
                extras.of(exhibit, size, pixels)
            })?
        }
        What::Basin => {
            let exhibits = trained.exhibits(false, &arguments.canvas, arguments.step)?;
            let outlook = arguments.canvas.outlook(dataset.bounds.with_margin(0.08), false);
            arguments.map.basin(trained, &exhibits, &outlook, &style)?
        }
        What::Landscape => arguments.map.landscape(trained, arguments, style)?,
        _ => Sheet::new(vec![trained.plot(arguments, &moment)?], style),
    };
    let names: Vec<String> = experiment.runs().map(|id| run_name(experiment, id)).collect();
    let is_of_all =
        matches!(arguments.what, What::Race | What::Nll | What::Kl | What::Fisher | What::Constant);
    sheet.caption = if is_of_all && names.len() > 1 {
        shared_caption(experiment, dataset, &names)
    } else {
        caption(experiment, dataset, moment.record.step)
    };
    Ok(sheet)
}

impl CanvasArguments {
    pub(super) fn has(&self, layer: CanvasLayer) -> bool {
        self.layers.contains(&layer)
    }

    /// How all canvases are looked at.
    pub(super) fn outlook(&self, bounds: Bounds, is_log: bool) -> Outlook {
        let has = |layer| self.has(layer);
        Outlook {
            shown: Shown {
                density: has(CanvasLayer::Density),
                // Beside the field of score errors, arrows are those errors.
                score: has(CanvasLayer::Score) && self.field != CanvasField::ScoreError,
                train: has(CanvasLayer::Data),
                validation: has(CanvasLayer::Validation),
                samples: has(CanvasLayer::Samples),
                components: has(CanvasLayer::Components),
                paths: has(CanvasLayer::Paths),
                streamlines: has(CanvasLayer::Streamlines),
                workings: has(CanvasLayer::Workings),
            },
            bounds,
            color_map: self.color_map,
            scale: if is_log { Scale::Logarithmic { decades: 4.0 } } else { Scale::Linear },
            sample_count: 500,
        }
    }
}
