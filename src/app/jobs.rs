//! Jobs: what reads and writes files, and waits for the system's dialogs, off the window's thread.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};

use crate::data::formats::{self, Loaded};
use crate::training::{Experiment, LoadedFile, Source};

/// What became of a job.
pub enum Outcome {
    /// Points were read.
    Points {
        /// From where.
        path: PathBuf,
        /// Which columns were asked for.
        columns: Option<[usize; 2]>,
        /// What was read.
        loaded: Loaded,
    },
    /// An experiment was read, and its data file with it.
    Experiment(Box<Experiment>),
    /// Something was saved; says what and where.
    Saved(String),
    /// The system's dialog gave a path; `None` if it was cancelled or could not open.
    Chosen(Option<PathBuf>),
    /// It did not work, and why.
    Failed(String),
}

/// The jobs under way.
pub struct Jobs {
    sender: Sender<Outcome>,
    receiver: Receiver<Outcome>,
    ctx: egui::Context,
    running: usize,
}

impl Jobs {
    /// No jobs yet.
    #[must_use]
    pub fn new(ctx: egui::Context) -> Jobs {
        let (sender, receiver) = channel();
        Jobs { sender, receiver, ctx, running: 0 }
    }

    /// Runs something on a thread of its own; what it returns comes out of [`Jobs::drain`].
    pub fn start(&mut self, work: impl FnOnce() -> Outcome + Send + 'static) {
        let (sender, ctx) = (self.sender.clone(), self.ctx.clone());
        let spawned = std::thread::Builder::new().name("job".to_owned()).spawn(move || {
            let work = std::panic::AssertUnwindSafe(work);
            let outcome = std::panic::catch_unwind(work).unwrap_or_else(|_| {
                let bug = "this did not work because of a bug in ScoreScope; nothing was changed";
                Outcome::Failed(bug.to_owned())
            });
            // The window may have closed meanwhile.
            let _ = sender.send(outcome);
            ctx.request_repaint();
        });
        match spawned {
            Ok(_) => self.running += 1,
            Err(error) => {
                let _ = self
                    .sender
                    .send(Outcome::Failed(format!("no thread could be started: {error}")));
                self.running += 1;
            }
        }
    }

    /// What came out since the last frame.
    pub fn drain(&mut self) -> Vec<Outcome> {
        let outcomes: Vec<_> = self.receiver.try_iter().collect();
        self.running -= outcomes.len();
        outcomes
    }

    /// True while a job runs.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        self.running > 0
    }
}

/// Reads whatever a path holds: an experiment if it ends in .toml, else points.
#[must_use]
pub fn open(path: PathBuf, columns: Option<[usize; 2]>) -> Outcome {
    if path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("toml")) {
        return match read_experiment(&path) {
            Ok(experiment) => Outcome::Experiment(Box::new(experiment)),
            Err(error) => Outcome::Failed(error.to_string()),
        };
    }
    match formats::read(&path, columns) {
        Ok(loaded) => Outcome::Points { path, columns, loaded },
        Err(error) => Outcome::Failed(error.to_string()),
    }
}

fn read_experiment(path: &std::path::Path) -> anyhow::Result<Experiment> {
    let mut experiment = Experiment::read(path)?;
    if let Source::File { path, columns, loaded } = &mut experiment.source {
        *loaded = Some(LoadedFile(Arc::new(formats::read(path, *columns)?)));
    }
    Ok(experiment)
}
