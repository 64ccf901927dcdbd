//! The command line: the same engine without a window.

mod bench;
mod collect;
mod curve_files;
mod drawing;
mod evaluate;
mod experiments;
mod extras;
mod figure;
mod film;
mod jobs;
mod list;
mod maps;
mod reading;
mod results;
mod run;
mod sweep;
mod timing;
mod trained;

use std::io::{self, Write};
use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Watch densities being learned: Gaussian mixtures trained by likelihood and by score matching.
#[derive(Parser)]
#[command(name = "scorescope", version, about, args_conflicts_with_subcommands = true)]
struct Arguments {
    /// A session, an experiment (TOML), points (CSV, TSV, NPY, a picture) or a model (JSON) to open in the window
    file: Option<PathBuf>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Train without a window and write metrics, model, picture and manifest
    Run(RunArguments),
    /// Say what there is: algorithms, data sets, and their settings
    List {
        /// What to list; everything if left out
        what: Option<Listing>,
    },
    /// Log density, score and responsibilities of points under a model, as CSV
    Evaluate(EvaluateArguments),
    /// Merge what the jobs of a sweep wrote: tables of mean ± standard deviation, and figures
    Collect {
        /// The folder that `run --out` or `--list-jobs --out` named
        folder: PathBuf,
    },
    /// Run all sections of the thesis whose experiments are built in, and draw its figures
    Thesis(ThesisArguments),
    /// Measure on this machine: milliseconds a step of every algorithm, and of what it is made of
    Bench(BenchArguments),
    /// Train without a window and draw a figure for print or a slide
    Figure(figure::FigureArguments),
    /// Train without a window and make a film of it: GIF, APNG, MP4 or numbered pictures
    Film(film::FilmArguments),
}

/// What can be listed.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Listing {
    /// Algorithms and their settings
    Algorithms,
    /// Data sets and their settings
    Datasets,
    /// Settings of the mixture
    Model,
    /// Settings of the start
    Start,
    /// Built-in experiments, which `run` takes by their names
    Experiments,
    /// Samplers and their settings
    Samplers,
}

/// What is trained.
#[derive(Args, Default)]
struct Subject {
    /// An experiment file, as the window saves it, or one with [sweep] in it; or the name of a built-in one (see
    /// `scorescope list experiments`)
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
    /// Set a knob wherever it exists (a seed: of data, start and algorithm), or in one section as `section.key`. May be
    /// repeated
    #[arg(long = "set", value_name = "KEY=VALUE")]
    settings: Vec<String>,
}

/// What is to be trained, and where the results go.
#[derive(Args, Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a switch of its own on the command line"
)]
struct RunArguments {
    #[command(flatten)]
    subject: Subject,
    /// The folder for the results; made if it is not there
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Write the last step's model and picture instead of the best on the validation data
    #[arg(long)]
    last: bool,
    /// Also train from so many starts, with the seed of the start and those after it: where each ended goes to seeds.csv
    #[arg(long, value_name = "N")]
    seeds: Option<NonZeroUsize>,
    /// Threads to compute with; all cores if left out. Results do not depend on it
    #[arg(long, value_name = "N")]
    threads: Option<usize>,
    /// Of a sweep, print a command for each job, a line each, and train none of them
    #[arg(long)]
    list_jobs: bool,
    /// Of a sweep, do what its [quick] says: fewer points, steps or settings
    #[arg(long)]
    quick: bool,
    /// Train as a job of a sweep: on one thread, without a picture, and only if that has not been done
    #[arg(long, conflicts_with_all = ["last", "seeds", "threads"])]
    as_job: bool,
}

/// Where the results go, and how long it may take.
#[derive(Args)]
struct ThesisArguments {
    /// The folder for the results; made if it is not there. What is done there is not done again
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// With fewer points and steps, and one learning rate
    #[arg(long)]
    quick: bool,
    /// Threads to compute with; all cores if left out. Results do not depend on it
    #[arg(long, value_name = "N")]
    threads: Option<usize>,
}

/// Which model, and at which points.
#[derive(Args)]
struct EvaluateArguments {
    /// A model, as `scorescope run` or scikit-learn's names describe it
    #[arg(long)]
    model: PathBuf,
    /// A file of points
    #[arg(long)]
    points: PathBuf,
    /// Two columns of the file, counted from 1
    #[arg(long, value_name = "X,Y")]
    columns: Option<String>,
    /// Where the table goes; standard output if left out
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// What is to be measured. Everything, by default: a few minutes.
#[derive(Args)]
struct BenchArguments {
    /// Print one JSON object a row instead of a table
    #[arg(long)]
    json: bool,
    /// Only these algorithms (see `scorescope list algorithms`), separated by commas
    #[arg(long, value_name = "ID", value_delimiter = ',')]
    algorithm: Vec<String>,
    /// Numbers of components
    #[arg(long = "k", value_name = "K", value_delimiter = ',', default_values = ["10", "24", "100"])]
    component_counts: Vec<NonZeroUsize>,
    /// Numbers of points of the half moons
    #[arg(long = "n", value_name = "N", value_delimiter = ',', default_values = ["10000", "1000000"])]
    point_counts: Vec<NonZeroUsize>,
    /// Numbers of threads; 1 and all cores if left out
    #[arg(long, value_name = "N", value_delimiter = ',')]
    threads: Vec<NonZeroUsize>,
    /// Measure on the points of a file (CSV, TSV, NPY, a picture) instead of half moons
    #[arg(long, value_name = "FILE", conflicts_with = "point_counts")]
    data: Option<PathBuf>,
    /// Set a knob of the algorithms that have it. May be repeated
    #[arg(long = "set", value_name = "KEY=VALUE")]
    settings: Vec<String>,
}

/// Does what the arguments say.
///
/// # Errors
/// One sentence that says what is wrong and what to try.
pub fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    match arguments.command {
        Some(Command::Run(arguments)) => run::run(&arguments),
        Some(Command::List { what }) => list::list(what),
        Some(Command::Evaluate(arguments)) => evaluate::evaluate(&arguments),
        Some(Command::Collect { folder }) => collect::collect(&folder),
        Some(Command::Thesis(arguments)) => experiments::thesis(&arguments),
        Some(Command::Bench(arguments)) => bench::bench(&arguments),
        Some(Command::Figure(arguments)) => figure::figure(&arguments),
        Some(Command::Film(arguments)) => film::film(&arguments),
        None => open_window(arguments.file),
    }
}

#[cfg(feature = "gui")]
fn open_window(file: Option<PathBuf>) -> anyhow::Result<()> {
    crate::app::run(file)
}

#[cfg(not(feature = "gui"))]
fn open_window(_: Option<PathBuf>) -> anyhow::Result<()> {
    anyhow::bail!("this build has no window (feature `gui` is off): try `scorescope --help`")
}

/// Writes to standard output; a reader that has seen enough, such as `head`, is no error.
fn print(text: &str) -> anyhow::Result<()> {
    print_by(|out| out.write_all(text.as_bytes()))
}

/// The same, with what is written bit by bit.
fn print_by(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> anyhow::Result<()> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    match write(&mut out).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}
