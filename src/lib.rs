//! ScoreScope
pub mod algorithms;
#[cfg(feature = "gui")]
pub mod app;
pub mod cli;
pub mod data;
pub mod export;
pub mod figures;
pub mod model;
pub mod objectives;
pub mod random;
pub mod settings;
pub mod training;
