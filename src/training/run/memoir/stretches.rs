//! Stretches of steps as they stand in a file: settings, and how many steps were taken with them.

use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::settings::Settings;
use crate::training::Stretch;

/// Writes them.
///
/// # Errors
/// What the format refuses.
#[expect(clippy::ptr_arg, reason = "serde hands over the field as it is")]
pub fn serialize<S: Serializer>(all: &Vec<Stretch>, serializer: S) -> Result<S::Ok, S::Error> {
    let plain: Vec<(&Settings, usize)> = all.iter().map(|(of, count)| (&**of, *count)).collect();
    plain.serialize(serializer)
}

/// Reads them.
///
/// # Errors
/// What the format refuses.
pub fn deserialize<'de, D: Deserializer<'de>>(source: D) -> Result<Vec<Stretch>, D::Error> {
    let plain = Vec::<(Settings, usize)>::deserialize(source)?;
    Ok(plain.into_iter().map(|(settings, count)| (Arc::new(settings), count)).collect())
}
