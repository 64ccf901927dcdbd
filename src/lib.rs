//! ScoreScope
pub mod data;
pub mod model;
pub mod random;
pub mod settings;
