//! Experiment files: those of the disk, and the sections of the thesis, which are built in.

use std::fs;
use std::path::Path;

use anyhow::Context;

use super::{RunArguments, Subject, ThesisArguments, run};

/// An experiment that needs no file.
pub(super) struct BuiltIn {
    /// What it is run by.
    pub(super) name: &'static str,
    text: &'static str,
}

impl BuiltIn {
    /// What it is about: its file's first comment, as far as the first empty line.
    pub(super) fn help(&self) -> String {
        let lines = self.text.lines().map_while(|line| line.strip_prefix("# "));
        lines.collect::<Vec<_>>().join(" ")
    }
}

/// All built-in experiments: the thesis "Training Probabilistic Circuits via Score Matching", section by section.
pub(super) static BUILT_IN: &[BuiltIn] = &[
    BuiltIn {
        name: "thesis-4.1.1",
        text: include_str!("../../assets/experiments/thesis-4.1.1.toml"),
    },
    BuiltIn {
        name: "thesis-4.1.2",
        text: include_str!("../../assets/experiments/thesis-4.1.2.toml"),
    },
    BuiltIn { name: "thesis-A.1", text: include_str!("../../assets/experiments/thesis-A.1.toml") },
];

/// The name and the text of a file, or of a built-in experiment of which there is no file.
pub(super) fn read(path: &Path) -> anyhow::Result<(String, String)> {
    let name = path.display().to_string();
    if let Some(built_in) = BUILT_IN.iter().find(|built_in| built_in.name == name)
        // Results may lie in a folder of that name.
        && (!path.exists() || path.is_dir())
    {
        return Ok((name, built_in.text.to_owned()));
    }
    let text = fs::read_to_string(path).with_context(|| format!("{name} cannot be read"))?;
    Ok((name, text))
}

/// Runs all sections of the thesis, each into a folder of its own.
pub(super) fn thesis(arguments: &ThesisArguments) -> anyhow::Result<()> {
    if let Some(threads) = arguments.threads {
        rayon::ThreadPoolBuilder::new().num_threads(threads).build_global()?;
    }
    for built_in in BUILT_IN {
        eprintln!("{}: {}", built_in.name, built_in.help());
        run::run(&RunArguments {
            subject: Subject { experiment: Some(built_in.name.into()), ..Subject::default() },
            out: arguments.out.join(built_in.name),
            quick: arguments.quick,
            ..RunArguments::default()
        })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::training::Sweep;

    #[test]
    fn every_built_in_experiment_can_be_run_and_is_quick_if_asked() {
        let files = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/experiments");
        assert_eq!(fs::read_dir(files).unwrap().count(), BUILT_IN.len());
        for built_in in BUILT_IN {
            assert!(built_in.help().len() > 40, "{}", built_in.help());
            let (name, text) = read(Path::new(built_in.name)).unwrap();
            let steps = |is_quick| -> usize {
                let sweep = Sweep::from_toml(&name, &text, is_quick).unwrap();
                let jobs = sweep.jobs().unwrap();
                jobs.iter()
                    .map(|job| {
                        let points =
                            job.experiment.data.integer(&crate::data::generators::N_SAMPLES);
                        job.experiment.algorithm.integer(&crate::algorithms::MAX_ITER) * points
                    })
                    .sum()
            };
            assert!(steps(false) > 20 * steps(true), "{name}");
        }
    }

    #[test]
    fn the_main_experiment_is_that_of_the_thesis() {
        let (name, text) = read(Path::new("thesis-4.1.1")).unwrap();
        let jobs = Sweep::from_toml(&name, &text, false).unwrap().jobs().unwrap();
        // For each data set and K: EM, and three algorithms with four rates of Adam and three of plain descent.
        assert_eq!(jobs.len(), 9 * (1 + 3 * (4 + 3)));
    }
}
