//! ScoreScope
pub mod data;
pub mod figures;
pub mod model;
pub mod random;
pub mod settings;
