//! Why an experiment cannot be read or run.

use crate::algorithms::{self, initial};
use crate::data::formats;
use crate::data::memory::Shortage;
use crate::model::MixtureError;
use crate::settings::SettingError;

/// Why an experiment cannot be read or run.
#[derive(Debug, thiserror::Error)]
pub enum ExperimentError {
    /// The file is not there, or cannot be read.
    #[error("{path} cannot be read: {reason}")]
    Unreadable {
        /// The file.
        path: String,
        /// What the system says.
        reason: String,
    },
    /// The file is not an experiment.
    #[error("{path} is not an experiment: {reason}")]
    Malformed {
        /// The file.
        path: String,
        /// What is wrong, and where.
        reason: String,
    },
    /// The experiment has no form as text.
    #[error(
        "the experiment cannot be written ({0}): rename its data file with plain letters and open it again"
    )]
    Unwritable(String),
    /// No generator of this name.
    #[error("there is no data set \"{id}\"; these exist: {known}")]
    UnknownDataset {
        /// What was asked for.
        id: String,
        /// What there is.
        known: String,
    },
    /// No algorithm of this name.
    #[error("there is no algorithm \"{id}\"; these exist: {known}")]
    UnknownAlgorithm {
        /// What was asked for.
        id: String,
        /// What there is.
        known: String,
    },
    /// A setting is unknown or out of range.
    #[error("[{section}] {error}")]
    Setting {
        /// Which part of the experiment.
        section: &'static str,
        /// What is wrong with it.
        error: SettingError,
    },
    /// A key that no section has.
    #[error("there is no setting \"{key}\"; these exist: {known}")]
    UnknownKey {
        /// What was asked for.
        key: String,
        /// What there is.
        known: String,
    },
    /// The points cannot be read.
    #[error(transparent)]
    Format(#[from] formats::FormatError),
    /// More points than memory holds. None of them was made.
    #[error("{count} points {shortage}: {advice}")]
    TooManyPoints {
        /// How many there would be.
        count: u64,
        /// How much they would need, and how much there is.
        shortage: Shortage,
        /// What to try.
        advice: &'static str,
    },
    /// The points are no data set.
    #[error(transparent)]
    Dataset(#[from] crate::data::DatasetError),
    /// There is no start.
    #[error(transparent)]
    Start(#[from] initial::StartError),
    /// K and the components of a given start do not belong together.
    #[error("n_components = {components}, but there {}: leave n_components out, or correct it", counted(*.given))]
    GivenCount {
        /// K.
        components: usize,
        /// How many components are given.
        given: usize,
    },
    /// The components that are given are no mixture.
    #[error("start.component: {0}")]
    Given(#[from] MixtureError),
    /// More runs than can be shown side by side.
    #[error(
        "{count} runs are too many: an experiment has up to {} with its branches",
        super::MAX_RUNS
    )]
    TooManyRuns {
        /// How many there would be, with the trunk.
        count: usize,
    },
    /// More jobs than a sweep may have.
    #[error("{count} jobs are too many: a sweep has up to {}", super::sweep::MAX_JOBS)]
    TooManyJobs {
        /// How many there would be.
        count: usize,
    },
    /// A branch leaves nothing.
    #[error(
        "[[branch]] {branch} leaves no run: parent must be 0 or the id of a branch above it, and step one of that \
         run's own"
    )]
    LooseBranch {
        /// Its id.
        branch: usize,
    },
    /// Ids that do not grow.
    #[error("[[branch]] {branch} comes too late: ids must grow from one branch to the next")]
    BranchOrder {
        /// Its id.
        branch: usize,
    },
    /// The algorithm needs a density that nobody knows.
    #[error("{algorithm} needs the true score of the data, and {absence}")]
    NoDensity {
        /// Its label.
        algorithm: &'static str,
        /// Why nobody knows it, and what to choose.
        absence: super::NoDensity,
    },
    /// The objective is not finite at the start.
    #[error("{0}")]
    FirstStep(#[from] algorithms::StepError),
}

fn counted(given: usize) -> String {
    if given == 1 { "is 1 [[start.component]]".to_owned() } else { format!("are {given}") }
}
