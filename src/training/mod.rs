//! Running an experiment: what decides it, the loop without threads, and the thread that drives the loop.

mod experiment;
mod experiment_file;
mod history;
mod run;
mod snapshot;
mod worker;

pub use experiment::{
    Change, DATA_SETTINGS, Experiment, ExperimentError, LoadedFile, MODEL_SETTINGS, SCALE, Source,
    VALIDATION_FRACTION, parse_columns,
};
pub use history::{Best, History, Record};
pub use run::{Finish, Prepared, Run};
pub use snapshot::{Activity, Snapshot};
pub use worker::{Command, Event, Worker};
