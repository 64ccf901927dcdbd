//! `scorescope evaluate`: what a model says about points.

use std::fs;
use std::io::Write;

use anyhow::Context;

use super::{EvaluateArguments, print_by, reading};
use crate::export::{model, table, write_file_by};
use crate::model::{Density, Point};
use crate::training::parse_columns;

/// Writes a row a point: x1, x2, log density, score, responsibilities.
pub(super) fn evaluate(arguments: &EvaluateArguments) -> anyhow::Result<()> {
    let EvaluateArguments { model: path, points, columns, out } = arguments;
    let text =
        fs::read_to_string(path).with_context(|| format!("{} cannot be read", path.display()))?;
    let (mixture, _) = model::read(&text).with_context(|| path.display().to_string())?;
    let columns =
        parse_columns(columns.as_deref().unwrap_or_default()).map_err(anyhow::Error::msg)?;
    let loaded = reading::read(points, columns)?;
    let names = ["x1", "x2", "log_density", "score1", "score2"].map(str::to_owned);
    let component_count = mixture.components().len();
    let header: Vec<String> =
        names.into_iter().chain((1..=component_count).map(|k| format!("r{k}"))).collect();
    let row = |&x: &Point| -> Vec<f64> {
        let (responsibilities, log_density) = mixture.responsibilities(x);
        let [s1, s2] = mixture.score(x);
        [x[0], x[1], log_density, s1, s2].into_iter().chain(responsibilities).collect()
    };
    let header: Vec<&str> = header.iter().map(String::as_str).collect();
    // Row by row: a million points and a hundred components are two gigabytes.
    let write = |out: &mut dyn Write| table::write(out, &header, loaded.points.iter().map(row));
    match out {
        Some(out) => Ok(write_file_by(out, write)?),
        None => print_by(write),
    }
}
