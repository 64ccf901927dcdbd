//! The form in which an experiment stands in a TOML file.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::branch::WrittenBranch;
use super::{Experiment, Source};
use crate::algorithms::given::GivenComponent;
use crate::data::spray::Stroke;
use crate::model::N_COMPONENTS;
use crate::settings::{Settings, Value};

/// An experiment as it stands in a file.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Written {
    data: WrittenData,
    model: Settings,
    start: WrittenStart,
    algorithm: WrittenAlgorithm,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    branch: Vec<WrittenBranch>,
}

#[derive(Clone, Default, Serialize, Deserialize)]
struct WrittenStart {
    #[serde(flatten)]
    settings: Settings,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    component: Vec<GivenComponent>,
}

#[derive(Clone, Default, Serialize, Deserialize)]
struct WrittenData {
    #[serde(skip_serializing_if = "Option::is_none")]
    dataset: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<PathBuf>,
    /// Counted from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    columns: Option<[usize; 2]>,
    #[serde(flatten)]
    settings: Settings,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    strokes: Vec<Stroke>,
}

#[derive(Clone, Default, Serialize, Deserialize)]
struct WrittenAlgorithm {
    name: Option<String>,
    #[serde(flatten)]
    settings: Settings,
}

impl TryFrom<Written> for Experiment {
    type Error = String;

    fn try_from(written: Written) -> Result<Experiment, String> {
        let WrittenData { dataset, file, columns, settings, strokes } = written.data;
        let columns = match columns {
            Some([0, _] | [_, 0]) => return Err("[data] columns are counted from 1".to_owned()),
            columns => columns.map(|columns| columns.map(|c| c - 1)),
        };
        let source = match (dataset, file) {
            (Some(_), Some(_)) => {
                return Err("[data] takes either a dataset or a file, not both".to_owned());
            }
            (Some(id), None) => Source::Generator(id),
            (None, Some(path)) => Source::File { path, columns, loaded: None },
            (None, None) => Source::Nothing,
        };
        if matches!(source, Source::Nothing) && strokes.is_empty() {
            return Err(
                "[data] needs a dataset, a file or strokes: try dataset = \"halfmoons\"".to_owned()
            );
        }
        if let Some(bad) = strokes.iter().position(|stroke| !is_finite(stroke)) {
            return Err(format!("[[data.strokes]] number {} is not finite", bad + 1));
        }
        let WrittenStart { settings: start, component: given } = written.start;
        let mut model = written.model;
        if !given.is_empty() && model.iter().all(|(key, _)| key != N_COMPONENTS.key) {
            model.set(N_COMPONENTS.key, Value::Integer(given.len() as i64));
        }
        Ok(Experiment {
            source,
            strokes,
            data: settings,
            model,
            start,
            given,
            algorithm_id: written.algorithm.name.unwrap_or_else(|| "em".to_owned()),
            algorithm: written.algorithm.settings,
            branches: WrittenBranch::read(written.branch),
        })
    }
}

fn is_finite(stroke: &Stroke) -> bool {
    stroke.radius.is_finite() && stroke.path.iter().flatten().all(|v| v.is_finite())
}

impl From<Experiment> for Written {
    fn from(experiment: Experiment) -> Written {
        let (dataset, file, columns) = match experiment.source {
            Source::Generator(id) => (Some(id), None, None),
            Source::File { path, columns, .. } => {
                (None, Some(path), columns.map(|columns| columns.map(|c| c + 1)))
            }
            Source::Nothing => (None, None, None),
        };
        Written {
            data: WrittenData {
                dataset,
                file,
                columns,
                settings: experiment.data,
                strokes: experiment.strokes,
            },
            model: experiment.model,
            start: WrittenStart { settings: experiment.start, component: experiment.given },
            algorithm: WrittenAlgorithm {
                name: Some(experiment.algorithm_id),
                settings: experiment.algorithm,
            },
            branch: experiment.branches.into_iter().map(WrittenBranch::from).collect(),
        }
    }
}
