//! ScoreScope
pub mod data;
pub mod objectives;
pub mod algorithms;
pub mod training;
pub mod model;
pub mod random;
pub mod settings;
