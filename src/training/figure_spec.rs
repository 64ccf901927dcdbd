//! What a `[[figure]]` of a sweep asks for.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::settings::Value;

/// A figure that is drawn when a sweep is done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FigureSpec {
    /// Its name in the sweep's folder. The ending says how it is written: png, svg or pdf.
    pub file: String,
    /// What its panels show.
    #[serde(default)]
    pub show: Show,
    /// The swept key that differs from row to row; one row if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows: Option<String>,
    /// The swept key that differs from column to column; one column if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub columns: Option<String>,
    /// Only runs with these values, by section and key.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub only: BTreeMap<String, BTreeMap<String, Value>>,
    /// What curves are drawn over.
    #[serde(default)]
    pub over: Over,
    /// Stands above all.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub title: String,
    /// Where the curves' vertical axis begins and ends, in nats per point; all there is if left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub range: Option<[f64; 2]>,
    /// In inches.
    #[serde(default = "usual_width")]
    pub width: f64,
    /// Pixels for each inch of a PNG.
    #[serde(default = "usual_dpi")]
    pub dpi: f64,
}

fn usual_width() -> f64 {
    6.9
}

fn usual_dpi() -> f64 {
    200.0
}

/// What the panels of a figure show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Show {
    /// The density of the best step.
    #[default]
    Density,
    /// Points drawn from it.
    Samples,
    /// Both, one row each.
    DensityAndSamples,
    /// Where the means begin, over the training points.
    Start,
    /// The validation NLL of every algorithm; mean and standard deviation where there are several seeds.
    Nll,
}

/// What curves are drawn over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Over {
    /// Steps.
    #[default]
    Steps,
    /// Seconds of the algorithm's own computing.
    Seconds,
}

impl FigureSpec {
    /// The keys and values that its runs are restricted to, as `section.key`.
    pub fn restrictions(&self) -> impl Iterator<Item = (String, &Value)> {
        self.only.iter().flat_map(|(section, keys)| {
            keys.iter().map(move |(key, value)| (format!("{section}.{key}"), value))
        })
    }
}
