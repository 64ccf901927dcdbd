//! Order: what a session is made of, put together off the window's thread.

use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use anyhow::bail;

use crate::export::keepsake::Keepsake;
use crate::training::{Account, BranchId, Experiment, LoadedFile, Record, Source};

/// Bytes that the mixtures of all runs take in a session.
const HISTORY_BYTES: usize = 4_000_000;

/// For a step that is under way a job waits this long.
const PATIENCE: Duration = Duration::from_mins(2);

/// Points of a file that go into copies nobody asked for; of more the path has to do.
const MOST_COPIED_POINTS: usize = 1_000_000;

/// What a session is made of.
pub struct Order {
    /// What is run.
    pub experiment: Experiment,
    /// What the worker will tell of the runs; `None` where nothing runs.
    pub account: Option<Receiver<Account>>,
    /// What was recorded of each run.
    pub histories: Vec<(BranchId, Vec<Record>)>,
    /// Steps that must not be thinned away.
    pub steps: Vec<usize>,
    /// How things are looked at.
    pub view: serde_json::Value,
}

impl Order {
    /// Waits for the worker's account. A session without it would take the place of a better one.
    ///
    /// # Errors
    /// If there is no answer, or one about another experiment: one sentence that says what to try.
    pub fn fill(self) -> anyhow::Result<Keepsake> {
        let Order { experiment, account, histories, steps, view } = self;
        let account = account.map(|account| account.recv_timeout(PATIENCE)).transpose();
        let mut memoirs = match account {
            Ok(None) => Vec::new(),
            Ok(Some(account)) if account.experiment == experiment => account.memoirs,
            Ok(Some(_)) => {
                bail!("the experiment has changed meanwhile, so nothing was written: save again")
            }
            Err(RecvTimeoutError::Timeout) => {
                let minutes = PATIENCE.as_secs() / 60;
                bail!(
                    "training did not answer within {minutes} minutes, so nothing was written: pause and save again"
                )
            }
            Err(RecvTimeoutError::Disconnected) => {
                bail!("training ended meanwhile, so nothing was written: save again")
            }
        };
        let most_bytes = HISTORY_BYTES / memoirs.len().max(1);
        for memoir in &mut memoirs {
            let records = histories.iter().find(|(id, _)| *id == memoir.id());
            let records = records.map_or(&[][..], |(_, records)| records);
            *memoir = memoir.clone().thinned(most_bytes, &steps).with_records(records);
        }
        Ok(Keepsake { experiment, memoirs, view })
    }

    /// The same for a copy that nobody asked for: of a large file it names the path only.
    ///
    /// # Errors
    /// As [`Order::fill`].
    pub fn fill_copy(self) -> anyhow::Result<Keepsake> {
        let mut keepsake = self.fill()?;
        if let Source::File { loaded, .. } = &mut keepsake.experiment.source {
            let is_small = |file: &LoadedFile| file.0.points.len() <= MOST_COPIED_POINTS;
            *loaded = loaded.take().filter(is_small);
        }
        Ok(keepsake)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::mpsc::channel;

    use super::*;
    use crate::data::formats;

    fn order(experiment: &Experiment, account: Option<Receiver<Account>>) -> Order {
        let view = serde_json::Value::Null;
        let experiment = experiment.clone();
        Order { experiment, account, histories: Vec::new(), steps: Vec::new(), view }
    }

    #[test]
    fn without_the_workers_account_nothing_takes_the_place_of_a_session() {
        let experiment = Experiment::default();
        let (sender, account) = channel();
        drop(sender);
        let error = order(&experiment, Some(account)).fill().unwrap_err().to_string();
        assert!(error.contains("ended meanwhile, so nothing was written"), "{error}");
        let mut other = experiment.clone();
        other.set("n_components", "7").unwrap();
        let (sender, account) = channel();
        sender.send(Account { experiment: other, memoirs: Vec::new() }).unwrap();
        let error = order(&experiment, Some(account)).fill().unwrap_err().to_string();
        assert!(error.contains("has changed meanwhile, so nothing was written"), "{error}");
        // Where nothing can run there is nothing to tell.
        assert!(order(&experiment, None).fill().unwrap().memoirs.is_empty());
    }

    #[test]
    fn copies_name_large_files_and_hold_small_ones() {
        for (count, is_held) in [(MOST_COPIED_POINTS, true), (MOST_COPIED_POINTS + 1, false)] {
            let mut file = formats::parse("x.csv", b"1,2\n3,4\n5,7\n", None).unwrap();
            file.points = vec![[0.5, 0.25]; count];
            let mut experiment = Experiment::default();
            let loaded = Some(LoadedFile(Arc::new(file)));
            experiment.choose_source(Source::File { path: "x.csv".into(), columns: None, loaded });
            let copy = order(&experiment, None).fill_copy().unwrap();
            let Source::File { path, loaded, .. } = copy.experiment.source else { panic!() };
            assert_eq!((path.to_str(), loaded.is_some()), (Some("x.csv"), is_held));
            let saved = order(&experiment, None).fill().unwrap();
            assert_eq!(saved.experiment, experiment);
        }
    }
}
