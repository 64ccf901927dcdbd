//! ScoreScope
pub mod data;
pub mod export;
pub mod figures;
pub mod model;
pub mod random;
pub mod settings;
