//! Keepsake: a session as a file, which opens on another machine with everything that was on screen.
//!
//! # The format, version 1
//!
//! A `.scorescope` file is JSON in UTF-8, compressed by gzip, whose checksum tells damage from content. `zcat
//! lecture.scorescope` shows it; Python reads it with `json.load(gzip.open("lecture.scorescope"))`.
//!
//! | Field | What it holds |
//! | --- | --- |
//! | `format`, `version` | `"scorescope-session"` and 1; a program that reads up to version n refuses n + 1 by name. |
//! | `program` | The version of the program that wrote it. |
//! | `experiment` | The experiment file as `scorescope run` takes it (TOML), with strokes, given start, races and branches. |
//! | `is_blank` | True for an empty canvas, which no experiment file can express; its `dataset` then means nothing. |
//! | `points` | The content of a data file, if one had been read: `columns` (names), `chosen` (two of them, counted from 0), `notes`, `points`. |
//! | `runs` | What is known of each run: see below. |
//! | `view` | How things are looked at: layers, theme, panels, the canvas's rectangle. What is missing or unknown is as usual. |
//!
//! A run has `run` (its id, 0 for the trunk), `n_components` (K), `beginning` (its first `step`, the clocks there, and as
//! `lead` what it took over from the run that it leaves), `past` (settings, and how many steps were taken with them),
//! `start` (K × 6), `moments` (steps × (6 + 6K), thinned), `best` (one of them), `records` (steps × 6), `recent` (the
//! objectives that convergence is judged by), `guard`, `judging_secs` and `finish`. Lists of numbers are base64 of
//! little-endian f64. A record is step, seconds, objective, `train_nll`, `val_nll`, evaluations; a component is log
//! weight, both coordinates of the mean, and `l11`, `l21`, `l22` of the Cholesky factor, all on the plane that training
//! sees.
//!
//! # What goes on exactly
//!
//! A run that is opened shows the very numbers that were saved. EM goes on from them to the bit. Gradient descent also
//! remembers momentum and what was drawn: the program takes the same steps again, in the background, where they take at
//! most 20 seconds here in all, and goes on to the bit if they end at the very mixture that was saved; else its memory begins anew at
//! that mixture, and the program says so.

mod size;

use std::io::{BufRead, Write};
use std::sync::Arc;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use self::size::{MOST_BYTES, TooManyPoints};
use super::ExportError;
use crate::data::formats::Loaded;
use crate::data::memory;
use crate::training::numbers::Numbers;
use crate::training::{Experiment, ExperimentError, LoadedFile, Memoir, Source};

/// Everything on screen.
#[derive(Debug, Clone, PartialEq)]
pub struct Keepsake {
    /// What decides the runs. Of a data file the content, if it has been read.
    pub experiment: Experiment,
    /// The runs as far as they are trained.
    pub memoirs: Vec<Memoir>,
    /// How it is looked at, as the window puts it.
    pub view: Value,
}

/// Why a file is no session that can be opened.
#[derive(Debug, thiserror::Error)]
pub enum KeepsakeError {
    /// Bytes are missing or others than those that were written.
    #[error(
        "{name} is damaged ({reason}), so nothing of it was opened: open a copy, or an older one"
    )]
    Damaged {
        /// The file.
        name: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Written by a later version of the program.
    #[error(
        "{name} was saved by a newer ScoreScope (format {version}; this one reads up to {VERSION}): update to open it"
    )]
    Newer {
        /// The file.
        name: String,
        /// Its version.
        version: u64,
    },
    /// Something else.
    #[error("{name} is not a session of ScoreScope: {reason}")]
    Other {
        /// The file.
        name: String,
        /// What it has instead.
        reason: String,
    },
    /// The system does not give its bytes.
    #[error("{name} could not be read: {reason}")]
    Unreadable {
        /// The file.
        name: String,
        /// What the system says.
        reason: String,
    },
    /// More than memory holds.
    #[error("{name} holds more than the {} that can be opened here: close other programs, or open it on a larger machine",
        memory::in_words(*.most))]
    TooLarge {
        /// The file.
        name: String,
        /// Bytes that it may take.
        most: u64,
    },
    /// The experiment in it cannot be run.
    #[error("{name} cannot be opened here ({source}): it may be from a newer ScoreScope")]
    Experiment {
        /// The file.
        name: String,
        /// What is wrong with it.
        source: ExperimentError,
    },
}

const FORMAT: &str = "scorescope-session";
const VERSION: u64 = 1;

/// What gzip files begin with.
const MAGIC: [u8; 2] = [0x1f, 0x8b];

/// What is read first: whatever else is in a newer file, these two are there.
#[derive(Deserialize)]
struct Head {
    #[serde(default)]
    format: String,
    #[serde(default)]
    version: u64,
}

/// The file as it is written.
#[derive(Serialize, Deserialize)]
struct Written {
    format: String,
    version: u64,
    program: String,
    experiment: String,
    #[serde(default)]
    is_blank: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    points: Option<WrittenPoints>,
    #[serde(default)]
    runs: Vec<Memoir>,
    #[serde(default)]
    view: Value,
}

/// The content of a data file.
#[derive(Serialize, Deserialize)]
struct WrittenPoints {
    columns: Vec<String>,
    chosen: [usize; 2],
    notes: Vec<String>,
    points: Numbers,
}

/// True for a file that may be a session: one that is compressed.
#[must_use]
pub fn is_session(head: &[u8]) -> bool {
    head.starts_with(&MAGIC)
}

/// A session as bytes.
///
/// # Errors
/// If the experiment has no form as text, a file has too many points, or the library refuses.
pub fn write(keepsake: &Keepsake) -> anyhow::Result<Vec<u8>> {
    let mut experiment = keepsake.experiment.clone();
    let is_blank = experiment.source == Source::Nothing && experiment.strokes.is_empty();
    if is_blank {
        experiment.source = Experiment::default().source;
    }
    if let Source::File { loaded: Some(LoadedFile(file)), .. } = &experiment.source {
        size::check_points(file.points.len() as u64, memory::available())?;
    }
    let points = match &experiment.source {
        Source::File { loaded: Some(LoadedFile(file)), .. } => Some(WrittenPoints {
            columns: file.columns.clone(),
            chosen: file.chosen,
            notes: file.notes.clone(),
            points: Numbers(file.points.as_flattened().to_vec()),
        }),
        _ => None,
    };
    let written = Written {
        format: FORMAT.to_owned(),
        version: VERSION,
        program: env!("CARGO_PKG_VERSION").to_owned(),
        experiment: experiment.to_toml()?,
        is_blank,
        points,
        runs: keepsake.memoirs.clone(),
        view: keepsake.view.clone(),
    };
    Ok(packed(&written)?)
}

fn packed(written: &impl Serialize) -> Result<Vec<u8>, ExportError> {
    let refused = |reason: String| ExportError::Encoding { what: "session", reason };
    // Numbers hardly become smaller, however long one tries.
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    serde_json::to_writer(&mut encoder, written).map_err(|error| refused(error.to_string()))?;
    encoder.flush().and_then(|()| encoder.finish()).map_err(|error| refused(error.to_string()))
}

/// A session from bytes; `name` is what messages call it.
///
/// # Errors
/// [`KeepsakeError`], one sentence that names the file; whatever the bytes are, there is no panic.
pub fn read(name: &str, bytes: &[u8]) -> Result<Keepsake, KeepsakeError> {
    read_from(name, bytes)
}

/// A session from a file that is read as it is unpacked.
///
/// # Errors
/// As [`read`].
pub fn read_from(name: &str, source: impl BufRead) -> Result<Keepsake, KeepsakeError> {
    let text = size::unpacked(name, source, MOST_BYTES.min(memory::available() / 4))?;
    let other =
        |reason: &str| KeepsakeError::Other { name: name.to_owned(), reason: reason.into() };
    let head: Head = serde_json::from_slice(&text)
        .map_err(|_| other("it is a compressed file with something else in it"))?;
    if head.format != FORMAT {
        return Err(other("it is a compressed file with something else in it"));
    }
    if head.version > VERSION {
        return Err(KeepsakeError::Newer { name: name.to_owned(), version: head.version });
    }
    let damaged = |reason: String| KeepsakeError::Damaged { name: name.to_owned(), reason };
    let written: Written =
        serde_json::from_slice(&text).map_err(|error| damaged(error.to_string()))?;
    let mut experiment = Experiment::from_toml(name, &written.experiment)
        .map_err(|source| KeepsakeError::Experiment { name: name.to_owned(), source })?;
    if written.is_blank {
        experiment.source = Source::Nothing;
    }
    if let Source::File { loaded, .. } = &mut experiment.source
        && let Some(file) = written.points
    {
        let file = loaded_file(file).ok_or_else(|| damaged("its points are none".to_owned()))?;
        *loaded = Some(LoadedFile(Arc::new(file)));
    }
    for memoir in &written.runs {
        let (id, first) = (memoir.id(), memoir.first_step());
        let is_there = experiment.runs().any(|run| run == id);
        if !is_there || first != experiment.first_step(id) {
            let reason = format!("its run {id}, from step {first} on, is none of its experiment");
            return Err(damaged(reason));
        }
    }
    let view = written.view;
    Ok(Keepsake { experiment, memoirs: written.runs, view })
}

/// The content of a data file, if it is one.
fn loaded_file(written: WrittenPoints) -> Option<Loaded> {
    let WrittenPoints { columns, chosen, notes, points: Numbers(numbers) } = written;
    let (points, []) = numbers.as_chunks::<2>() else { return None };
    let has_columns = columns.is_empty() || chosen.iter().all(|column| *column < columns.len());
    let are_points = !points.is_empty() && numbers.iter().all(|number| number.is_finite());
    (has_columns && are_points).then(|| Loaded { points: points.to_vec(), columns, chosen, notes })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::formats;
    use crate::training::{Prepared, Tree, Who};

    fn trained(mut experiment: Experiment) -> Keepsake {
        for (key, value) in [("n_components", "3"), ("max_iter", "9"), ("tol", "0")] {
            experiment.set(key, value).unwrap();
        }
        let prepared = Prepared::new(&experiment).unwrap();
        let mut tree = Tree::new(&experiment, prepared).unwrap();
        while tree.can_turn(Who::All) {
            tree.turn(Who::All);
        }
        let view = serde_json::json!({ "theme": "Light", "unheard": [1, 2] });
        Keepsake { experiment, memoirs: tree.memoirs(), view }
    }

    fn small() -> Keepsake {
        let mut experiment = Experiment::default();
        experiment.set("n_samples", "50").unwrap();
        experiment.race(&["nll"]);
        trained(experiment)
    }

    #[test]
    fn a_session_comes_back_equal() {
        let keepsake = small();
        let bytes = write(&keepsake).unwrap();
        assert_eq!(read("x.scorescope", &bytes).unwrap(), keepsake);
        // The same session gives the same bytes.
        assert_eq!(write(&keepsake).unwrap(), bytes);
        assert_eq!(keepsake.memoirs.len(), 2);
    }

    #[test]
    fn the_points_of_a_file_go_along_and_an_empty_canvas_stays_empty() {
        let text = "a,b,c\n1,2,3\n4,5,6\n7,8,10\n2,2,2\n5,1,0\n9,9,8\n1,0.1,3\n";
        let loaded = formats::parse("x.csv", text.as_bytes(), Some([0, 2])).unwrap();
        let mut experiment = Experiment::default();
        experiment.choose_source(Source::File {
            path: "/nowhere/x.csv".into(),
            columns: Some([0, 2]),
            loaded: Some(LoadedFile(Arc::new(loaded.clone()))),
        });
        let keepsake = trained(experiment);
        let back = read("x", &write(&keepsake).unwrap()).unwrap();
        let Source::File { path, columns, loaded: Some(LoadedFile(file)) } =
            &back.experiment.source
        else {
            panic!("{:?}", back.experiment.source)
        };
        assert_eq!((&**file, *columns), (&loaded, Some([0, 2])));
        assert!(path.ends_with("nowhere/x.csv"));
        assert_eq!(back.memoirs, keepsake.memoirs);
        let mut blank = Experiment::default();
        blank.choose_source(Source::Nothing);
        let blank = Keepsake { experiment: blank, memoirs: Vec::new(), view: Value::Null };
        assert_eq!(read("x", &write(&blank).unwrap()).unwrap(), blank);
    }

    #[test]
    fn what_cannot_be_opened_says_why() {
        let check = |bytes: &[u8], expected: &str| {
            let error = read("x.scorescope", bytes).unwrap_err().to_string();
            assert!(error.starts_with("x.scorescope ") && error.contains(expected), "{error}");
        };
        let pack = |text: Value| packed(&text).unwrap();
        check(b"", "is not a session of ScoreScope: it does not begin as one");
        check(b"x1,x2\n", "is not a session of ScoreScope");
        check(&pack(serde_json::json!([1, 2])), "with something else in it");
        check(&pack(serde_json::json!({ "format": "else" })), "with something else in it");
        let newer = serde_json::json!({ "format": FORMAT, "version": 2, "experiment": 7 });
        check(&pack(newer), "was saved by a newer ScoreScope (format 2; this one reads up to 1)");
        let short = serde_json::json!({ "format": FORMAT, "version": 1 });
        check(&pack(short), "is damaged (missing field");
        let bad = serde_json::json!({
            "format": FORMAT, "version": 1, "program": "", "experiment": "[data]\ndataset='moons'"
        });
        let error = read("x.scorescope", &pack(bad)).unwrap_err().to_string();
        assert!(error.contains("there is no data set \"moons\""), "{error}");
        let whole = write(&small()).unwrap();
        check(&whole[..whole.len() - 1], "is damaged (it ends after");
        let mut flipped = whole.clone();
        let middle = flipped.len() / 2;
        flipped[middle] ^= 8;
        check(&flipped, "is damaged (");
    }

    #[test]
    fn runs_of_another_experiment_are_refused() {
        let good = small();
        for key in ["race", "fork"] {
            let mut experiment = Experiment::default();
            if key == "fork" {
                // The same run, from another step on.
                experiment.fork(crate::training::BranchId::TRUNK, 3).unwrap();
            }
            let bytes = write(&Keepsake { experiment, ..good.clone() }).unwrap();
            let error = read("x.scorescope", &bytes).unwrap_err().to_string();
            assert!(error.contains("is none of its experiment"), "{key}: {error}");
        }
    }
}
