//! Jobs: what reads and writes files, and waits for the system's dialogs, off the window's thread.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};

use anyhow::{Context as _, anyhow, bail};

use crate::algorithms::given::{self, GivenComponent};
use crate::data::Scaling;
use crate::data::formats::{self, Loaded, Watch};
use crate::export::model;
use crate::model::{CovarianceType, N_COMPONENTS};
use crate::settings::Value;
use crate::training::{Experiment, LoadedFile, Source};

/// What became of a job.
pub enum Outcome {
    /// A file was read, or could not be.
    Opened {
        /// Which of the files opened so far.
        number: usize,
        /// What is in it.
        opened: anyhow::Result<Opened>,
    },
    /// Something was saved, and what and where; or it was not.
    Saved(anyhow::Result<String>),
    /// A file holds this experiment now; says where.
    SavedExperiment(Box<Experiment>, String),
    /// The system's dialog gave a path.
    Chosen {
        /// Which of our dialogs asked.
        dialog: u64,
        /// `None` if it was cancelled or could not open.
        path: Option<PathBuf>,
    },
}

/// What was in a file.
pub enum Opened {
    /// Points.
    Points {
        /// From where.
        path: PathBuf,
        /// Which columns were asked for.
        columns: Option<[usize; 2]>,
        /// What was read.
        loaded: Loaded,
    },
    /// A mixture, to start from.
    Model {
        /// From where.
        path: PathBuf,
        /// Its components.
        components: Vec<GivenComponent>,
        /// What its covariances are restricted to.
        covariance_type: CovarianceType,
    },
    /// An experiment, and its data file with it.
    Experiment(Box<Experiment>),
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
                Outcome::Saved(Err(anyhow!("this did not work because of a bug in ScoreScope")))
            });
            // The window may have closed meanwhile.
            let _ = sender.send(outcome);
            ctx.request_repaint();
        });
        match spawned {
            Ok(_) => self.running += 1,
            Err(error) => {
                let error = anyhow!("no thread could be started: {error}");
                let _ = self.sender.send(Outcome::Saved(Err(error)));
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

/// Reads whatever a path holds: an experiment if it ends in .toml, a model if it ends in .json, else points. `watch` may stop it.
///
/// # Errors
/// One sentence: what is wrong, where, and what to try.
pub fn open(
    path: PathBuf,
    columns: Option<[usize; 2]>,
    watch: &mut Watch<'_>,
) -> anyhow::Result<Opened> {
    if path.to_str().is_none() {
        bail!(
            "{} has letters that no experiment can name: rename it and open it again",
            path.display()
        );
    }
    if path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("toml")) {
        return Ok(Opened::Experiment(Box::new(read_experiment(&path, watch)?)));
    }
    if path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("json")) {
        return read_model(path);
    }
    let loaded = formats::read(&path, columns, watch)?;
    Ok(Opened::Points { path, columns, loaded })
}

fn read_model(path: PathBuf) -> anyhow::Result<Opened> {
    let name = path.display().to_string();
    let text = std::fs::read_to_string(&path).with_context(|| format!("{name} cannot be read"))?;
    let (mixture, info) = model::read(&text).map_err(|error| anyhow!("{name}: {error}"))?;
    let components = given::components(&mixture, &Scaling::NONE);
    let count = Value::Integer(components.len() as i64);
    N_COMPONENTS.check(&count).map_err(|error| anyhow!("{name}: {error}"))?;
    Ok(Opened::Model { path, components, covariance_type: info.covariance_type })
}

fn read_experiment(path: &Path, watch: &mut Watch<'_>) -> anyhow::Result<Experiment> {
    let mut experiment = Experiment::read(path)?;
    if let Source::File { path, columns, loaded } = &mut experiment.source {
        *loaded = Some(LoadedFile(Arc::new(formats::read(path, *columns, watch)?)));
    }
    Ok(experiment)
}
