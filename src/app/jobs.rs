//! Jobs: what reads and writes files, and waits for the system's dialogs, off the window's thread.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use anyhow::{Context as _, anyhow, bail};

use super::autosave::Left;
use super::keeping::{Home, SavedSession, Stamp, read_session};
use super::printing::Printing;
use super::recent::RecentFile;
use crate::algorithms::given::{self, GivenComponent};
use crate::data::Scaling;
use crate::data::formats::{self, Loaded, Watch};
use crate::export::keepsake::{Keepsake, is_session};
use crate::export::model;
use crate::model::{CovarianceType, N_COMPONENTS};
use crate::settings::Value;
use crate::training::checks::Check;
use crate::training::{Experiment, LoadedFile, Source};

/// What became of a job.
pub enum Outcome {
    /// A file was read, or could not be.
    Opened(anyhow::Result<Opened>),
    /// Something was saved, and what and where; or it was not.
    Saved(anyhow::Result<String>),
    /// A file holds this experiment now; says where.
    SavedExperiment(Box<Experiment>, String),
    /// A file holds this session now.
    SavedSession(Box<SavedSession>),
    /// A session was not saved, because somebody else has written its file.
    ChangedMeanwhile {
        /// Which of the things that were put on the table it was.
        table: u64,
        /// The file.
        path: PathBuf,
    },
    /// It was noted that somebody has been offered what a crash has left.
    Answered,
    /// The session was copied against a crash, or could not be.
    BackedUp(anyhow::Result<()>),
    /// What was found in the folder of this program.
    Kept {
        /// The files that were opened or saved last.
        recent: Vec<RecentFile>,
        /// What a crash has left.
        left: Option<Left>,
        /// How figures were exported last, where it was looked up.
        printing: Option<Box<Printing>>,
    },
    /// Something was noted for the next start; if it could not be, that is no reason to bother anybody.
    Noted,
    /// A film was made, and where it is; or it was not.
    Filmed(anyhow::Result<String>),
    /// Formulas were checked.
    Checked(Vec<Check>),
    /// A figure was drawn for the clipboard, and its name; or it was not.
    Copied(anyhow::Result<(&'static str, egui::ColorImage)>),
    /// A small picture of what would be exported, for one of our dialogs.
    Previewed {
        /// Which of our dialogs asked.
        dialog: u64,
        /// The picture, or why there is none.
        picture: anyhow::Result<egui::ColorImage>,
    },
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
    Experiment {
        /// From where.
        path: PathBuf,
        /// What was read.
        experiment: Box<Experiment>,
    },
    /// Everything that was on screen.
    Session {
        /// From where, and the file as it was then.
        home: Home,
        /// What was read.
        keepsake: Box<Keepsake>,
    },
}

impl Opened {
    /// Where it was.
    #[must_use]
    pub fn path(&self) -> &Path {
        match self {
            Opened::Points { path, .. }
            | Opened::Model { path, .. }
            | Opened::Experiment { path, .. } => path,
            Opened::Session { home, .. } => &home.path,
        }
    }
}

/// One of the jobs that were started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Job(usize);

/// The jobs under way.
pub struct Jobs {
    sender: Sender<(Job, Outcome)>,
    receiver: Receiver<(Job, Outcome)>,
    ctx: egui::Context,
    count: usize,
    /// Those whose outcome somebody waits for.
    running: Vec<Job>,
    /// Those of them that nobody has asked for.
    quiet: Vec<Job>,
}

impl Jobs {
    /// No jobs yet.
    #[must_use]
    pub fn new(ctx: egui::Context) -> Jobs {
        let (sender, receiver) = channel();
        Jobs { sender, receiver, ctx, count: 0, running: Vec::new(), quiet: Vec::new() }
    }

    /// Runs something on a thread of its own; what it returns comes out of [`Jobs::drain`].
    pub fn start(&mut self, work: impl FnOnce() -> Outcome + Send + 'static) -> Job {
        let job = Job(self.count);
        self.count += 1;
        self.running.push(job);
        let (sender, ctx) = (self.sender.clone(), self.ctx.clone());
        let spawned = std::thread::Builder::new().name("job".to_owned()).spawn(move || {
            let work = std::panic::AssertUnwindSafe(work);
            let outcome = std::panic::catch_unwind(work).unwrap_or_else(|_| {
                Outcome::Saved(Err(anyhow!("this did not work because of a bug in ScoreScope")))
            });
            // The window may have closed meanwhile.
            let _ = sender.send((job, outcome));
            ctx.request_repaint();
        });
        if let Err(error) = spawned {
            let error = anyhow!("no thread could be started: {error}");
            let _ = self.sender.send((job, Outcome::Saved(Err(error))));
        }
        job
    }

    /// The same, without a word on screen that something is under way.
    pub fn start_quietly(&mut self, work: impl FnOnce() -> Outcome + Send + 'static) {
        let job = self.start(work);
        self.quiet.push(job);
    }

    /// The window that waits for them.
    #[must_use]
    pub fn ctx(&self) -> &egui::Context {
        &self.ctx
    }

    /// Waits for a job no longer: it may end whenever it likes, a silent pipe perhaps never.
    pub fn abandon(&mut self, job: Job) {
        self.running.retain(|&running| running != job);
    }

    /// Waits for a job to end, but no longer than this: the window is closing.
    pub fn wait_for(&mut self, job: Job, most: Duration) {
        let until = Instant::now() + most;
        let rest = || until.saturating_duration_since(Instant::now());
        while let Ok((done, _)) = self.receiver.recv_timeout(rest()) {
            if done == job {
                return;
            }
        }
    }

    /// True until its outcome has been taken.
    #[must_use]
    pub fn is_running(&self, job: Job) -> bool {
        self.running.contains(&job)
    }

    /// What came out since the last frame, but for what nobody waits for any more.
    pub fn drain(&mut self) -> Vec<Outcome> {
        let mut outcomes = Vec::new();
        for (job, outcome) in self.receiver.try_iter() {
            if let Some(place) = self.running.iter().position(|&running| running == job) {
                self.running.remove(place);
                self.quiet.retain(|&quiet| quiet != job);
                outcomes.push(outcome);
            }
        }
        outcomes
    }

    /// The window that jobs wake.
    #[must_use]
    pub fn context(&self) -> &egui::Context {
        &self.ctx
    }

    /// True while somebody waits for a job.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        self.running.len() > self.quiet.len()
    }
}

/// Reads whatever a path holds: an experiment if it ends in .toml, a model if it ends in .json, a session if it ends in
/// .scorescope or begins as one, else points. `watch` may stop it.
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
        let experiment = Box::new(read_experiment(&path, watch)?);
        return Ok(Opened::Experiment { path, experiment });
    }
    if path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("json")) {
        return read_model(path);
    }
    if holds_session(&path) {
        // Looked at first: what is written while it is read is not what was read.
        let stamp = Stamp::of(&path);
        let keepsake = Box::new(read_session(&path)?);
        return Ok(Opened::Session { home: Home { path, stamp }, keepsake });
    }
    let loaded = formats::read(&path, columns, watch)?;
    Ok(Opened::Points { path, columns, loaded })
}

/// True for a file that is to be read as a session.
fn holds_session(path: &Path) -> bool {
    if path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("scorescope")) {
        return true;
    }
    // A pipe gives its first bytes once only.
    let mut head = [0; 2];
    std::fs::metadata(path).is_ok_and(|metadata| metadata.is_file())
        && std::fs::File::open(path).and_then(|mut file| file.read_exact(&mut head)).is_ok()
        && is_session(&head)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_waits_for_a_job_that_was_given_up() {
        let mut jobs = Jobs::new(egui::Context::default());
        let (sender, receiver) = channel::<()>();
        // Until the test says so, or for ever.
        let silent = jobs.start(move || {
            let _ = receiver.recv();
            Outcome::Saved(Ok("silent".to_owned()))
        });
        let quick = jobs.start(|| Outcome::Saved(Ok("quick".to_owned())));
        assert_ne!(silent, quick);
        jobs.abandon(silent);
        assert!(jobs.is_busy());
        let mut came = Vec::new();
        while jobs.is_busy() {
            came.extend(jobs.drain());
        }
        drop(sender);
        // It ends some time; nothing of it arrives.
        for _ in 0..100 {
            std::thread::sleep(std::time::Duration::from_millis(1));
            came.extend(jobs.drain());
        }
        assert!(matches!(&came[..], [Outcome::Saved(Ok(text))] if text == "quick"));
    }
}
