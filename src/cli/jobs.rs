//! One job of a sweep: trained on one thread, into a folder of its own.

use std::fs;
use std::path::Path;

use anyhow::Context;
use serde_json::{Value, json};

use super::results::{Known, Results, Trouble, VERSION, write};
use crate::training::guard::{Guard, Symptom};
use crate::training::tally::Outcome;
use crate::training::{Experiment, Finish, Prepared, Record, Run};

/// The manifest of a folder, if there is one that can be read.
pub(super) fn manifest(folder: &Path) -> Option<Value> {
    serde_json::from_slice(&fs::read(folder.join("manifest.json")).ok()?).ok()
}

/// True if this version has trained this experiment on these data to its end: the manifest is written last.
pub(super) fn is_done(folder: &Path, fingerprint: &str, data_hash: Option<&str>) -> bool {
    manifest(folder).is_some_and(|manifest| {
        manifest["version"] == VERSION
            && manifest["fingerprint"] == fingerprint
            && manifest["data_hash"] == json!(data_hash)
    })
}

/// Trains to the end and writes what came out. Training that breaks down is a result. `None` once nobody wants it any
/// more; `watch` is given the record of every step.
///
/// # Errors
/// If it cannot begin, or cannot be written: [`Refusal`] says which.
pub(super) fn work(
    experiment: &Experiment,
    prepared: Prepared,
    out: &Path,
    known: &Known<'_>,
    is_wanted: &dyn Fn() -> bool,
    watch: &mut dyn FnMut(&Record),
) -> Result<Option<()>, Refusal> {
    let mut run = Run::new(experiment, prepared).map_err(|error| Refusal::Start(error.into()))?;
    let mut history = vec![run.record()];
    let (mut guard, mut trouble) = (Guard::default(), None);
    let finish = loop {
        if !is_wanted() {
            return Ok(None);
        }
        match run.step() {
            Err(error) => break Finish::Failed(error),
            Ok(record) => {
                watch(&record);
                history.push(record);
            }
        }
        if let Some(Finish::Broken(symptom)) = guard.look(&run) {
            note(&mut trouble, run.record().step, symptom);
        }
        if run.has_converged() {
            break Finish::Converged;
        }
        if run.record().step >= run.max_iter() {
            break Finish::MaxIter;
        }
    };
    if let Some(symptom) = Symptom::of(&finish, run.mixture()) {
        note(&mut trouble, run.record().step, symptom);
    }
    let results = Results {
        file: experiment,
        run: &run,
        history: &history,
        finish: &finish,
        trouble: trouble.as_ref(),
        known,
        is_last: false,
        has_picture: false,
    };
    make_folder(out).and_then(|()| write(out, &results)).map_err(Refusal::Write)?;
    Ok(Some(()))
}

/// Keeps the first thing that goes wrong; a component that dies gives way to anything else, because training goes on
/// without it.
fn note(trouble: &mut Option<Trouble>, step: usize, symptom: Symptom) {
    let is_minor = |trouble: &Trouble| matches!(trouble.symptom, Symptom::DeadWeight { .. });
    if trouble
        .as_ref()
        .is_none_or(|known| is_minor(known) && !matches!(symptom, Symptom::DeadWeight { .. }))
    {
        *trouble = Some(Trouble { step, symptom });
    }
}

/// Why there are no results of a job.
pub(super) enum Refusal {
    /// It cannot begin; others may.
    Start(anyhow::Error),
    /// The disk takes nothing.
    Write(anyhow::Error),
}

/// Makes a job's folder, or frees it from files that an interrupted run did not finish.
fn make_folder(folder: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(folder)
        .with_context(|| format!("the folder {} cannot be made", folder.display()))?;
    // From here on nothing in the folder counts, until the manifest is there again.
    match fs::remove_file(folder.join("manifest.json")) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(error).with_context(|| format!("{} cannot be freed", folder.display()));
        }
        _ => {}
    }
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with(".tmp") {
            // What cannot be removed only takes up room.
            let _ = fs::remove_file(entry.path());
        }
    }
    Ok(())
}

/// What a manifest says of the best step; `None` if it is of another kind.
pub(super) fn outcome(manifest: &Value) -> Option<Outcome> {
    let model = &manifest["model"];
    Some(Outcome {
        step: model["step"].as_u64()? as usize,
        train_nll: model["train_nll"].as_f64()?,
        val_nll: model["val_nll"].as_f64().unwrap_or(f64::NAN),
        trouble: manifest["trouble"]["kind"].as_str().map(str::to_owned),
    })
}
