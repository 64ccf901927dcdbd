//! `scorescope film`: trains one experiment and makes a moving picture of it.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::{Args, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};

use super::Subject;
use super::extras::Extras;
use super::figure::{CanvasArguments, background};
use super::trained::Trained;
use crate::export::canvases::{Exhibit, Outlook, canvases};
use crate::export::check_place;
use crate::export::film::{self, FilmFormat, Length, Reel};
use crate::export::style::{Background, Style};
use crate::training::{BranchId, Prepared};

/// What is trained, and how its film looks.
#[derive(Args)]
pub(super) struct FilmArguments {
    #[command(flatten)]
    subject: Subject,
    /// What is filmed
    #[arg(long, default_value = "canvas")]
    what: Scene,
    /// The file; its ending says how it is written: .gif, .apng or .mp4 (which needs ffmpeg). Without an ending, a new
    /// folder of numbered pictures
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Write it even if there is a file of that name already
    #[arg(long)]
    replace: bool,
    /// A frame every so many steps, instead of --seconds
    #[arg(long, value_name = "N", conflicts_with = "seconds", value_parser = clap::value_parser!(u32).range(1..))]
    every: Option<u32>,
    /// How long it plays, with steps spread evenly over it
    #[arg(long, default_value_t = 10.0, value_parser = seconds)]
    seconds: f64,
    /// Frames a second
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=50))]
    fps: u32,
    /// Pixels of a frame
    #[arg(long, default_value = "800x600", value_name = "WIDTHxHEIGHT", value_parser = pixels)]
    size: [u32; 2],
    /// Size of labels in pixels
    #[arg(long, default_value_t = 16.0, value_name = "PIXELS")]
    font_size: f64,
    /// light or dark
    #[arg(long, default_value = "dark", value_parser = background)]
    background: Background,
    /// Canvases side by side, where there are several
    #[arg(long, value_name = "N", default_value_t = 2)]
    panels: usize,
    #[command(flatten)]
    canvas: CanvasArguments,
    /// Color the density by its logarithm
    #[arg(long)]
    log: bool,
}

/// What is filmed.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Scene {
    /// The plane
    Canvas,
    /// The planes of all runs of a race, side by side
    Race,
}

fn seconds(text: &str) -> Result<f64, String> {
    let seconds = text.parse().map_err(|_| "this is no number of seconds".to_owned())?;
    if (0.1..=600.0).contains(&seconds) {
        Ok(seconds)
    } else {
        Err("a film takes 0.1 to 600 seconds".to_owned())
    }
}

fn pixels(text: &str) -> Result<[u32; 2], String> {
    let sides = text.split_once(['x', '×']).and_then(|(width, height)| {
        Some([width.trim().parse().ok()?, height.trim().parse().ok()?])
    });
    let is_possible = |sides: &[u32; 2]| sides.iter().all(|side| (64..=4096).contains(side));
    sides.filter(is_possible).ok_or_else(|| {
        "a size is written as 800x600, and both sides take 64 to 4096 pixels".to_owned()
    })
}

/// Trains and films.
pub(super) fn film(arguments: &FilmArguments) -> anyhow::Result<()> {
    let out = &arguments.out;
    let format = FilmFormat::of(out).with_context(|| {
        format!(
            "{}: the name of a film ends in .gif, .apng or .mp4, or has no ending",
            out.display()
        )
    })?;
    if out.exists() && !arguments.replace {
        bail!("{} is there already: choose another name, or add --replace", out.display());
    }
    // Before minutes of training.
    let folder = out.parent().filter(|folder| !folder.as_os_str().is_empty());
    if let Some(folder) = folder.filter(|folder| !folder.is_dir()) {
        bail!("{} is no folder: make it first", folder.display());
    }
    let is_taken = match format {
        FilmFormat::Frames => {
            out.is_file() || fs::read_dir(out).is_ok_and(|mut all| all.next().is_some())
        }
        _ => out.is_dir(),
    };
    if is_taken {
        bail!("{} cannot be replaced: choose another name", out.display());
    }
    if format == FilmFormat::Mp4 && !film::has_encoder() {
        bail!("{}", film::without_encoder(arguments.fps));
    }
    // Nothing lies below a film.
    let background = Background::from(arguments.background.theme());
    let style = Style {
        columns: arguments.panels.max(1),
        has_color_bar: false,
        ..Style::of_screen(arguments.size, arguments.font_size, background)
    };
    style.check()?;
    if format != FilmFormat::Frames {
        check_place(out)?;
    }
    let (canvas, theme) = (&arguments.canvas, arguments.background.theme());
    let experiment = arguments.subject.experiment()?;
    canvas.check(&experiment, arguments.what == Scene::Race)?;
    let prepared = Prepared::new(&experiment)?;
    let mut trained = Trained::new(experiment, prepared)?;
    trained.train();
    let prepared = trained.tree.prepared();
    let bounds = prepared.dataset.bounds.with_margin(0.08);
    let outlook = canvas.outlook(bounds, arguments.log);
    let extras = Extras::new(canvas, &trained.tree, bounds, theme)?;
    let frames = frames(arguments, &trained)?;
    let draw = |i: usize| picture(&frames[i], &outlook, &style, &extras);
    let reel = Reel { count: frames.len(), per_second: arguments.fps, draw: &draw };
    let bar = ProgressBar::new(frames.len() as u64);
    bar.set_style(
        ProgressStyle::with_template("{bar:30} frame {pos} of {len}  {eta} left")
            .unwrap_or_else(|_| ProgressStyle::default_bar()),
    );
    film::film(out, format, &reel, &mut |done| {
        bar.set_position(done as u64);
        true
    })?;
    bar.finish_and_clear();
    eprintln!("{} written: {} frames", out.display(), frames.len());
    Ok(())
}

fn picture(
    exhibits: &[Exhibit],
    outlook: &Outlook,
    style: &Style,
    extras: &Extras,
) -> Result<crate::figures::Picture, crate::export::ExportError> {
    canvases(exhibits, outlook, style, |exhibit, size, pixels| extras.of(exhibit, size, pixels))?
        .picture()
}

/// What is on every frame.
fn frames(arguments: &FilmArguments, trained: &Trained) -> anyhow::Result<Vec<Vec<Exhibit>>> {
    let is_race = arguments.what == Scene::Race;
    let runs = trained.experiment.runs().filter(|id| is_race || *id == BranchId::TRUNK);
    let steps = runs.filter_map(|id| trained.tree.newest(id)).map(|moment| moment.record.step);
    let last = steps.max().context("there is no run")?;
    let length = match arguments.every {
        Some(n) => Length::EveryNth(n as usize),
        None => Length::Seconds(arguments.seconds),
    };
    let steps = film::steps(0, last, length, arguments.fps);
    steps.into_iter().map(|step| trained.exhibits(is_race, &arguments.canvas, Some(step))).collect()
}
