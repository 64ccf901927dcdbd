//! Running an experiment: what decides it, the loop without threads, and the thread that drives the loop.

pub mod basin;
mod branch;
pub mod checks;
mod command_line;
mod course;
mod crew;
pub mod ensemble;
mod experiment;
mod experiment_error;
mod experiment_file;
pub mod figure_spec;
pub mod guard;
mod history;
pub mod judge;
mod known;
pub mod landscape;
pub mod numbers;
pub mod optima;
mod principal;
pub mod redrawing;
pub mod redraws;
mod run;
mod snapshot;
pub mod spread;
pub mod survey;
pub mod sweep;
mod sweep_check;
mod sweep_file;
pub mod tally;
mod timeline;
mod tree;
mod verdict;
mod worker;
pub mod workload;

pub use branch::{Branch, BranchId, MAX_RUNS};
pub use command_line::{parse_columns, quoted};
pub use course::{Course, Stretch};
pub use crew::Crew;
pub use ensemble::{Ensemble, Member};
pub use experiment::{
    Change, DATA_SETTINGS, Experiment, LoadedFile, MODEL_SETTINGS, SCALE, Source,
    VALIDATION_FRACTION,
};
pub use experiment_error::ExperimentError;
pub use history::{Best, History, Record};
pub use known::NoDensity;
pub use run::{Finish, Memoir, MemoirError, Prepared, Run};
pub use snapshot::{Activity, Snapshot};
pub use sweep::{Job, Sweep};
pub use timeline::{KEPT_AT_ENDS, Moment, TIMELINE_BYTES, Timeline};
pub use tree::{News, SharedTimeline, Tree, Who};
pub use verdict::{Verdict, Verdicts};
pub use worker::{Account, Command, Event, Listener, Worker};
