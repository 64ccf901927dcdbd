//! Saving: a session goes into the file it belongs to, and into no other.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::super::action::Action;
use super::super::dialog::Dialog;
use super::super::jobs::Outcome;
use super::super::{App, Notice};
use super::Order;
use crate::export::{keepsake, write_file};
use crate::training::Experiment;

/// What tells whether somebody else has written a file: when it was written, and how long it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    written: SystemTime,
    length: u64,
}

impl Stamp {
    /// The stamp of a file; `None` where there is none, or where the system does not say.
    #[must_use]
    pub fn of(path: &Path) -> Option<Stamp> {
        let metadata = std::fs::metadata(path).ok()?;
        Some(Stamp { written: metadata.modified().ok()?, length: metadata.len() })
    }
}

/// A file that holds the session on the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Home {
    /// Where it is.
    pub path: PathBuf,
    /// As it was read or written here.
    pub stamp: Option<Stamp>,
}

impl Home {
    /// True if something else has been written there since.
    #[must_use]
    pub fn has_changed(&self) -> bool {
        // What is gone cannot be lost.
        Stamp::of(&self.path).is_some_and(|stamp| Some(stamp) != self.stamp)
    }
}

/// Where a session is to be saved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// Where it was read or saved before, if nobody else has written there since.
    Home(Home),
    /// In a place that somebody chose, whatever is there.
    Chosen(PathBuf),
}

impl Wanted {
    fn path(&self) -> &Path {
        match self {
            Wanted::Home(home) => &home.path,
            Wanted::Chosen(path) => path,
        }
    }
}

/// A session that a file holds now.
pub struct SavedSession {
    /// Which of the things that were put on the table it is.
    table: u64,
    experiment: Experiment,
    home: Home,
}

/// Writes a session where it is wanted.
fn write(order: Order, wanted: &Wanted, table: u64) -> anyhow::Result<Outcome> {
    if let Wanted::Home(home) = wanted
        && home.has_changed()
    {
        return Ok(Outcome::ChangedMeanwhile { table, path: home.path.clone() });
    }
    let path = wanted.path().to_owned();
    let keepsake = order.fill()?;
    write_file(&path, &keepsake::write(&keepsake)?)?;
    let home = Home { stamp: Stamp::of(&path), path };
    let experiment = keepsake.experiment;
    Ok(Outcome::SavedSession(Box::new(SavedSession { table, experiment, home })))
}

impl App {
    /// Opens or saves something, or asks for its path. A session is saved where it was saved before.
    pub(in crate::app) fn handle_file(&mut self, action: Action) {
        match (action, self.keeping.home.clone()) {
            (Action::Open, _) => self.dialog = Some(Dialog::open()),
            (Action::CancelReading, _) => self.cancel_reading(),
            (Action::SaveExperiment, _) => self.dialog = Some(Dialog::save_experiment()),
            (Action::SaveSession, Some(home)) => self.keeping.wanted = Some(Wanted::Home(home)),
            _ => self.ask_for_session(),
        }
    }

    /// Asks where the session is to be saved.
    pub(in crate::app) fn ask_for_session(&mut self) {
        let usual = Path::new("lecture.scorescope");
        let path = self.keeping.home.as_ref().map_or(usual, |home| &home.path);
        self.dialog = Some(Dialog::save_session(path));
    }

    /// Saves the session there as soon as the worker has followed the document.
    pub fn save_session_as(&mut self, path: PathBuf) {
        self.keeping.wanted = Some(Wanted::Chosen(path));
    }

    /// Saves what was to be saved, once the worker has followed the document; one thing at a time.
    pub(in crate::app) fn save_wanted(&mut self) {
        let is_ready = self.session.is_following(&self.document.experiment);
        if self.keeping.saving.is_some() || !is_ready {
            return;
        }
        let Some(wanted) = self.keeping.wanted.take() else { return };
        let order = self.order(self.document.experiment.clone());
        let table = self.keeping.table;
        let work = move || write(order, &wanted, table).unwrap_or_else(|e| Outcome::Saved(Err(e)));
        self.keeping.saving = Some(self.jobs.start(work));
    }

    /// True while a session is to be saved, or is being written.
    pub(in crate::app) fn is_saving(&self) -> bool {
        self.keeping.wanted.is_some() || self.keeping.saving.is_some()
    }

    /// Takes note that a file now holds the session, if that is still the one on the table.
    pub(in crate::app) fn take_saved_session(&mut self, saved: SavedSession) {
        let SavedSession { table, experiment, home } = saved;
        let path = std::path::absolute(&home.path).unwrap_or_else(|_| home.path.clone());
        let is_here = table == self.keeping.table;
        let which = if is_here { "the session" } else { "the session from before" };
        self.notice = Some(Notice::info(format!("Saved {which} as {}", path.display())));
        self.remember_file(&home.path);
        if is_here {
            self.document.keep_saved(&experiment);
            self.keeping.home = Some(home);
        }
        if self.keeping.closes_later && self.keeping.wanted.is_none() {
            self.jobs.ctx().send_viewport_cmd(egui::ViewportCommand::Close);
        }
    }

    /// Asks before it replaces what somebody else has written into the session's file.
    pub(in crate::app) fn take_changed_meanwhile(&mut self, table: u64, path: &Path) {
        let text = format!(
            "{} was written by somebody else since it was opened or saved here: choose another name, or replace it",
            path.display()
        );
        self.notice = Some(Notice::problem(text));
        if table == self.keeping.table {
            self.dialog = Some(Dialog::save_session(path));
        }
    }

    /// Once the job that saves has ended: one that failed keeps the window open.
    pub(in crate::app) fn end_saving(&mut self) {
        let Some(job) = self.keeping.saving else { return };
        if !self.jobs.is_running(job) {
            self.keeping.saving = None;
            self.keeping.closes_later &= self.keeping.wanted.is_some();
        }
    }

    /// Keeps the window open until the session is saved; true if that is so. Who closes it twice does not wait.
    pub(in crate::app) fn waits_for_saving(&mut self) -> bool {
        let waits = self.is_saving() && !self.keeping.closes_later;
        if waits {
            self.keeping.closes_later = true;
            let text =
                "Saving; the window closes when that is done. Close it again to leave without";
            self.notice = Some(Notice::info(text));
        }
        waits
    }

    /// Something else than what the session's file holds comes on the table, so nothing is saved there without a
    /// question. Gives the path of what was to be saved and cannot be any more.
    pub(in crate::app) fn leave_home(&mut self) -> Option<PathBuf> {
        self.keeping.table += 1;
        (self.keeping.home, self.keeping.before) = (None, None);
        self.dialog.take_if(|dialog| dialog.is_about_document());
        self.keeping.closes_later &= self.keeping.saving.is_some();
        self.keeping.wanted.take().map(|wanted| wanted.path().to_owned())
    }

    /// Takes the last change back. The session that was on the table before another was opened has no file any more.
    pub(in crate::app) fn undo(&mut self) {
        self.document.undo();
        if self.keeping.before.as_ref() == Some(&self.document.experiment) {
            let unsaved = self.leave_home();
            self.tell_unsaved(unsaved);
        }
    }

    /// Adds to the message that something was not saved because another thing was opened.
    pub(in crate::app) fn tell_unsaved(&mut self, unsaved: Option<PathBuf>) {
        let Some(path) = unsaved else { return };
        let text = self.notice.take().map_or_else(String::new, |notice| notice.text + ". ");
        let text = format!(
            "{text}{} was not saved, because this came on the table before",
            path.display()
        );
        self.notice = Some(Notice::problem(text));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_somebody_else_has_written_is_seen() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.scorescope");
        let home = |stamp| Home { path: path.clone(), stamp };
        assert!(!home(None).has_changed(), "there is no file");
        std::fs::write(&path, "one").unwrap();
        assert!(home(None).has_changed());
        let known = home(Stamp::of(&path));
        assert!(!known.has_changed());
        std::fs::write(&path, "three").unwrap();
        assert!(known.has_changed());
        std::fs::remove_file(&path).unwrap();
        assert!(!known.has_changed());
    }
}
