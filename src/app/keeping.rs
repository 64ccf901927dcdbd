//! Keeping: sessions as files, copies of them against a crash, the list of recent files, and how figures were exported.

mod order;
mod saving;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::anyhow;

use self::order::Order;
pub use self::saving::{Home, SavedSession, Stamp, Wanted};
use super::action::Action;
use super::autosave::{self, Den, Left};
use super::jobs::{Job, Outcome};
use super::printing::Printing;
use super::recent::{self, RecentFile};
use super::track::Track;
use super::view::{Position, View};
use super::{App, Notice, kept_view, theme};
use crate::export::keepsake::{self, Keepsake};
use crate::training::Experiment;

/// Records of a run that all go into a session; of more, those that its curves are drawn of.
const MOST_RECORDS: usize = 10_000;

/// What is kept, and where.
#[derive(Default)]
pub struct Keeping {
    /// The file that holds this session, if one does.
    home: Option<Home>,
    /// How often something was put on the table: what is saved of one thing says nothing of the next.
    table: u64,
    /// What was on the table before this session was opened.
    before: Option<Experiment>,
    /// Where the session is to be saved as soon as the worker has followed the document.
    wanted: Option<Wanted>,
    /// The job that saves it.
    saving: Option<Job>,
    /// True if the window is to close as soon as that is done.
    closes_later: bool,
    /// Where things are kept that nobody asked to save; `None` where nothing is.
    place: Option<Place>,
    /// The files that were opened or saved last.
    pub recent: Vec<RecentFile>,
    /// What a crash has left, until there is an answer.
    pub left: Option<Left>,
    /// True once there is a copy of what other data are about to take the place of.
    is_safe: bool,
}

/// The folder of this program among the user's data.
struct Place {
    folder: PathBuf,
    den: Den,
    /// From one copy to the next, where something changed.
    pause: Duration,
    /// When the last copy was begun, and what there was then.
    last: Instant,
    copied: Option<State>,
    /// True once somebody has been told that copies cannot be written.
    is_told: bool,
}

/// What tells whether something has changed.
#[derive(PartialEq)]
struct State {
    experiment: Experiment,
    view: View,
    steps: Vec<usize>,
}

impl Place {
    fn list(&self) -> PathBuf {
        self.folder.join("recent.json")
    }

    fn exports(&self) -> PathBuf {
        self.folder.join("exports.json")
    }

    fn dens(&self) -> PathBuf {
        self.folder.join("autosave")
    }
}

impl App {
    /// Keeps the list of recent files and the choices of exports in a folder, and a copy against a crash whenever
    /// something has changed and so much time has gone by; looks for what a crash has left. Else nothing is kept.
    pub fn keep_in(&mut self, folder: &Path, pause: Duration) {
        let den = Den::new(&folder.join("autosave"));
        let copied = Some(self.state());
        let (folder, last) = (folder.to_owned(), Instant::now());
        let place = Place { folder, den, pause, last, copied, is_told: false };
        let (dens, list, exports) = (place.dens(), place.list(), place.exports());
        self.keeping.place = Some(place);
        self.jobs.start_quietly(move || {
            let left = autosave::left_by_crashes(&dens);
            let printing = Printing::read(&exports).map(Box::new);
            Outcome::Kept { recent: recent::read(&list), left, printing }
        });
    }

    /// Takes the copies away, because the program ends as it should.
    pub fn end(&self) {
        if let Some(place) = &self.keeping.place {
            place.den.close();
        }
    }

    fn state(&self) -> State {
        let steps = self.session.tracks().iter().map(Track::last_step).collect();
        let experiment = self.document.experiment.clone();
        State { experiment, view: self.view.clone(), steps }
    }

    /// What a session of this experiment would hold now.
    fn order(&self, experiment: Experiment) -> Order {
        let tracks = self.session.tracks();
        let histories = tracks.iter().map(|track| {
            let history = track.history();
            let all = history.records();
            let few = if all.len() > MOST_RECORDS { history.curve() } else { all.to_vec() };
            (track.id(), few)
        });
        let mut steps: Vec<usize> = experiment.branches.iter().map(|branch| branch.step).collect();
        steps.extend(match self.view.position {
            Position::At(step) => Some(step),
            Position::Newest | Position::Best => None,
        });
        Order {
            histories: histories.collect(),
            account: self.session.recount(),
            steps,
            view: kept_view::to_value(&self.view, self.canvas.look(self.session.dataset())),
            experiment,
        }
    }

    /// Copies the session if something changed since the last copy; looks again when the pause is over.
    pub(super) fn copy_in_time(&mut self) {
        let Some(place) = &self.keeping.place else { return };
        let rest = place.pause.saturating_sub(place.last.elapsed());
        if !rest.is_zero() {
            self.jobs.ctx().request_repaint_after(rest);
            return;
        }
        if self.session.is_following(&self.document.experiment) && !self.canvas.is_dragging() {
            self.copy(self.document.experiment.clone());
        }
    }

    /// Copies the session before other data take its place, once for each time that they do.
    pub(super) fn copy_before_other_data(&mut self) {
        let is_other = self.session.running().source != self.document.experiment.source;
        if is_other && !std::mem::replace(&mut self.keeping.is_safe, is_other) {
            self.copy_before_risk();
        }
        self.keeping.is_safe &= is_other;
    }

    /// Copies the session before an action that may lose a part of it.
    pub(super) fn copy_before(&mut self, action: Action) {
        if matches!(action, Action::ClearDrawing | Action::RemoveRun) {
            self.copy_before_risk();
        }
    }

    /// Copies the session before something that may lose a part of it.
    pub(super) fn copy_before_risk(&mut self) {
        self.keeping.is_safe = true;
        let running = self.session.running().clone();
        // The chosen run may be fresh while others are trained.
        let is_trained = self.session.tracks().iter().any(|track| track.step_count() > 0);
        let is_by_hand = running.runs().any(|id| !running.given_of(id).is_empty());
        if is_trained || is_by_hand || !running.strokes.is_empty() {
            self.copy(running);
        }
    }

    /// Copies the session against a crash, if anything is new since the last copy.
    fn copy(&mut self, experiment: Experiment) {
        let state = State { experiment: experiment.clone(), ..self.state() };
        let Some(place) = &mut self.keeping.place else { return };
        place.last = Instant::now();
        // What is just being taken up is in a file, and the worker cannot tell of it yet.
        if self.session.is_taking_up() || place.copied.as_ref() == Some(&state) {
            return;
        }
        place.copied = Some(state);
        let den = place.den.clone();
        let order = self.order(experiment);
        self.jobs.start_quietly(move || {
            let copy = order.fill_copy().and_then(|copy| keepsake::write(&copy));
            Outcome::BackedUp(copy.and_then(|bytes| den.write(&bytes)))
        });
    }

    /// Takes note of what became of a copy; that there can be none is told once.
    pub(super) fn take_copied(&mut self, copied: anyhow::Result<()>) {
        let Some(place) = &mut self.keeping.place else { return };
        let Err(error) = copied else { return };
        // To be tried again.
        place.copied = None;
        if !std::mem::replace(&mut place.is_told, true) {
            let text = format!("This was not copied against a crash: {error}");
            self.notice = Some(Notice::problem(text));
        }
    }

    /// Puts a file at the top of the recent ones.
    pub(super) fn remember_file(&mut self, path: &Path) {
        let Some(place) = &self.keeping.place else { return };
        if path.starts_with(place.dens()) {
            return;
        }
        let (list, path) = (place.list(), path.to_owned());
        self.jobs.start_quietly(move || {
            // A list that cannot be written is no reason to bother anybody.
            let recent = recent::add(&list, &path).unwrap_or_else(|_| recent::read(&list));
            Outcome::Kept { recent, left: None, printing: None }
        });
    }

    /// Notes for the next start how figures are exported.
    pub(super) fn remember_printing(&mut self) {
        let Some(place) = &self.keeping.place else { return };
        let (file, printing) = (place.exports(), self.printing.clone());
        self.jobs.start_quietly(move || {
            if let Err(error) = printing.write(&file) {
                log::info!("{error:#}");
            }
            Outcome::Noted
        });
    }

    /// Shows a session as it was.
    pub(super) fn put_session_on_table(&mut self, home: Home, keepsake: Keepsake) {
        let Keepsake { experiment, memoirs, view } = keepsake;
        let (place, path) = (self.keeping.place.as_ref(), &home.path);
        let is_copy = place.is_some_and(|place| path.starts_with(place.dens()));
        self.keeping.before = Some(self.document.experiment.clone());
        if is_copy {
            // Nobody has saved this yet.
            self.document.mark();
            self.document.experiment = experiment;
        } else {
            self.document.open(experiment);
        }
        let (view, canvas) = kept_view::of_value(&view);
        self.view = View { has_help: self.view.has_help, ..view };
        theme::apply(self.jobs.ctx(), self.view.theme);
        self.canvas.look_again(canvas);
        self.session.take_up(&self.document.experiment, memoirs);
        let text = if is_copy {
            "Opened the copy from before the crash; Ctrl+S saves it".to_owned()
        } else {
            format!("Opened the session {}; Space trains on", path.display())
        };
        self.notice = Some(Notice::info(text));
        self.keeping.home = (!is_copy).then_some(home);
    }

    /// Does what was answered to the offer of what a crash has left.
    pub(super) fn answer_left(&mut self, wants_it: bool) {
        let Some(left) = self.keeping.left.take() else { return };
        if wants_it {
            self.open(left.path.clone(), None);
        } else {
            let text = format!("It stays in {}", left.path.display());
            self.notice = Some(Notice::info(text));
        }
        self.jobs.start_quietly(move || {
            autosave::keep_answered(&left);
            Outcome::Answered
        });
    }
}

/// Reads a session.
///
/// # Errors
/// One sentence: what is wrong, where, and what to try.
pub fn read_session(path: &Path) -> anyhow::Result<Keepsake> {
    let name = path.display().to_string();
    let file =
        std::fs::File::open(path).map_err(|error| anyhow!("{name} could not be read: {error}"))?;
    Ok(keepsake::read_from(&name, std::io::BufReader::new(file))?)
}
