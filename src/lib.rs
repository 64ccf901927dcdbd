//! ScoreScope
pub mod algorithms;
pub mod data;
pub mod model;
pub mod objectives;
pub mod random;
pub mod settings;
pub mod training;
