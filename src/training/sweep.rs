//! Sweep: a grid of experiments as a list of jobs. Pure planning: nothing is trained or written here.

use std::collections::BTreeSet;

use super::figure_spec::FigureSpec;
use super::{Experiment, ExperimentError, Source};
use crate::settings::{Settings, Value};

/// Where the data set stands among the keys of a sweep.
pub const DATASET: &str = "data.dataset";
/// Where the algorithm stands among the keys of a sweep.
pub const ALGORITHM: &str = "algorithm.name";

/// The most jobs that one sweep may have.
pub const MAX_JOBS: usize = 100_000;

/// Experiments that differ in a few keys, and what is to be made of their results.
#[derive(Debug, Clone, PartialEq)]
pub struct Sweep {
    /// What all jobs have in common. Its settings may be those of several algorithms.
    pub base: Experiment,
    /// The jobs are those of all grids; without any, the base is the only one.
    pub grids: Vec<Grid>,
    /// Keys of which the best values on the validation data are chosen, as `section.key`.
    pub select: Vec<String>,
    /// What is drawn afterwards.
    pub figures: Vec<FigureSpec>,
}

/// A product of axes.
pub type Grid = Vec<Axis>;

/// One key and the values that it takes.
#[derive(Debug, Clone, PartialEq)]
pub struct Axis {
    /// The key as `section.key`; [`DATASET`] and [`ALGORITHM`] among them.
    pub key: String,
    /// Its values, at least one.
    pub values: Vec<Value>,
}

/// One experiment of a sweep.
#[derive(Debug, Clone, PartialEq)]
pub struct Job {
    /// The name of its folder: what it differs in, and its fingerprint. Equal settings give equal names.
    pub name: String,
    /// See [`Experiment::fingerprint`].
    pub fingerprint: String,
    /// What is to be trained.
    pub experiment: Experiment,
    /// The swept keys that it has, in the order of the file, and their values.
    pub place: Vec<(String, Value)>,
}

impl Job {
    /// Its value of a swept key; `None` where it has no such knob.
    #[must_use]
    pub fn at(&self, key: &str) -> Option<&Value> {
        self.place.iter().find(|(name, _)| name == key).map(|(_, value)| value)
    }
}

/// True for keys that runs are repeated over: seeds.
#[must_use]
pub fn is_seed(key: &str) -> bool {
    key.ends_with(".random_state")
}

impl Sweep {
    /// All swept keys, in the order of the file.
    #[must_use]
    pub fn keys(&self) -> Vec<&str> {
        let mut keys: Vec<&str> = Vec::new();
        for axis in self.grids.iter().flatten() {
            if !keys.contains(&axis.key.as_str()) {
                keys.push(&axis.key);
            }
        }
        keys
    }

    /// The jobs, each once: a knob that an algorithm does not have makes no difference to it.
    ///
    /// # Errors
    /// [`ExperimentError`] if one of them is not possible, or if they are too many.
    pub fn jobs(&self) -> Result<Vec<Job>, ExperimentError> {
        let count: usize = self.grids.iter().map(size).fold(0, usize::saturating_add);
        if count > MAX_JOBS {
            return Err(ExperimentError::TooManyJobs { count });
        }
        let keys = self.keys();
        let mut known = BTreeSet::new();
        let mut jobs = Vec::new();
        let single: [Grid; 1] = [Vec::new()];
        let grids = if self.grids.is_empty() { &single[..] } else { &self.grids };
        for grid in grids {
            for number in 0..size(grid) {
                let experiment = self.experiment(&combination(grid, number))?;
                let fingerprint = experiment.fingerprint()?;
                if known.insert(fingerprint.clone()) {
                    let place = place(&experiment, &keys);
                    let name = name(&experiment, &place, &fingerprint);
                    jobs.push(Job { name, fingerprint, experiment, place });
                }
            }
        }
        Ok(jobs)
    }

    /// The base with these choices; what it has no knob for is left out.
    fn experiment(&self, choices: &[(&str, &Value)]) -> Result<Experiment, ExperimentError> {
        let mut experiment = self.base.clone();
        let chosen = |wanted| choices.iter().find(|(key, _)| *key == wanted);
        if let Some((_, id)) = chosen(DATASET) {
            let source = Source::Generator(id.to_string());
            if experiment.source != source {
                experiment.choose_source(source);
            }
        }
        let algorithm =
            chosen(ALGORITHM).map_or(experiment.algorithm_id.clone(), |(_, id)| id.to_string());
        experiment.choose_algorithm(&algorithm);
        experiment.data = experiment.data.only(&experiment.data_settings());
        for (key, value) in choices {
            if value_of(&experiment, key).is_some() && ![DATASET, ALGORITHM].contains(key) {
                experiment.set(key, &value.to_string())?;
            }
        }
        experiment.check()?;
        Ok(experiment)
    }

    /// Puts values in a key's place, in all grids: those of an axis where there is one, else it becomes one.
    pub fn replace(&mut self, axis: &Axis) {
        if self.grids.is_empty() {
            self.grids.push(Vec::new());
        }
        for grid in &mut self.grids {
            match grid.iter_mut().find(|old| old.key == axis.key) {
                Some(old) => old.values.clone_from(&axis.values),
                None => grid.push(axis.clone()),
            }
        }
    }
}

/// How many combinations a grid has.
fn size(grid: &Grid) -> usize {
    grid.iter().map(|axis| axis.values.len()).fold(1, usize::saturating_mul)
}

/// A combination by its number; the last axis runs fastest.
fn combination(grid: &Grid, mut number: usize) -> Vec<(&str, &Value)> {
    let mut choices: Vec<(&str, &Value)> = Vec::with_capacity(grid.len());
    for axis in grid.iter().rev() {
        choices.push((&axis.key, &axis.values[number % axis.values.len()]));
        number /= axis.values.len();
    }
    choices.reverse();
    choices
}

/// The value of a key, where the experiment has it.
fn value_of(experiment: &Experiment, wanted: &str) -> Option<Value> {
    match (wanted, &experiment.source) {
        (DATASET, Source::Generator(id)) => return Some(Value::Choice(id.clone())),
        (DATASET, _) => return None,
        (ALGORITHM, _) => return Some(Value::Choice(experiment.algorithm_id.clone())),
        _ => {}
    }
    let (section, key) = wanted.split_once('.')?;
    let (_, settings, declared) =
        experiment.sections().into_iter().find(|(name, ..)| *name == section)?;
    declared.iter().find(|setting| setting.key == key).map(|setting| settings.value(setting))
}

fn place(experiment: &Experiment, keys: &[&str]) -> Vec<(String, Value)> {
    let value = |key: &&str| Some(((*key).to_owned(), value_of(experiment, key)?));
    keys.iter().filter_map(value).collect()
}

/// Longer names are cut off; the fingerprint tells them apart.
const MOST_LETTERS: usize = 120;

/// `halfmoons-nll-n_components=6-1f09ab34`: source, algorithm, swept values, and the fingerprint's first letters.
fn name(experiment: &Experiment, place: &[(String, Value)], fingerprint: &str) -> String {
    let source = match &experiment.source {
        Source::Generator(id) => id.clone(),
        Source::File { path, .. } => {
            path.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned())
        }
        Source::Nothing => "drawn".to_owned(),
    };
    let mut words = vec![source, experiment.algorithm_id.clone()];
    for (key, value) in place.iter().filter(|(key, _)| ![DATASET, ALGORITHM].contains(&&**key)) {
        // Seeds stand in three sections; all other keys say enough by themselves.
        let key = if is_seed(key) { key } else { key.split_once('.').map_or(&**key, |(_, k)| k) };
        words.push(format!("{key}={value}"));
    }
    // Letters that no file system and no shell minds.
    let plain = |c: char| if c.is_ascii_alphanumeric() || "._-=+".contains(c) { c } else { '_' };
    let words: String = words.join("-").chars().map(plain).take(MOST_LETTERS).collect();
    format!("{}-{}", words.trim_start_matches(['.', '-']), &fingerprint[..8])
}

impl Experiment {
    /// Sixteen hexadecimal digits that are the same for experiments with the same settings, chosen or by default, whatever
    /// the machine: the [`digest`] of the experiment as text.
    ///
    /// # Errors
    /// [`ExperimentError::Unwritable`] if its data file's path has letters that text cannot hold.
    pub fn fingerprint(&self) -> Result<String, ExperimentError> {
        let mut explicit = self.clone();
        let every = |chosen: &Settings, declared: &[&'static crate::settings::Setting]| {
            let mut every = Settings::default();
            for setting in declared {
                every.set(setting.key, chosen.value(setting));
            }
            every
        };
        for (section, chosen, declared) in self.sections() {
            let every = every(chosen, &declared);
            match section {
                "data" => explicit.data = every,
                "model" => explicit.model = every,
                "start" => explicit.start = every,
                _ => explicit.algorithm = every,
            }
        }
        Ok(digest(explicit.to_toml()?.bytes()))
    }
}

/// Sixteen hexadecimal digits for some bytes, the same on every machine: FNV-1a, 64 bits
/// (<http://www.isthe.com/chongo/tech/comp/fnv/>).
#[must_use]
pub fn digest(bytes: impl Iterator<Item = u8>) -> String {
    let hash = |hash: u64, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    format!("{:016x}", bytes.fold(0xcbf2_9ce4_8422_2325, hash))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sweep(text: &str) -> Sweep {
        Sweep::from_toml("s.toml", text, false).unwrap()
    }

    fn names(text: &str) -> Vec<String> {
        sweep(text).jobs().unwrap().into_iter().map(|job| job.name).collect()
    }

    #[test]
    fn a_grid_is_a_product_and_knobs_that_an_algorithm_has_not_are_skipped() {
        let names = names(
            "[sweep]\ndatasets=['board','ring']\nalgorithms=['em','nll']\nmodel.n_components=[3,5]\n\
             algorithm.learning_rate=[0.01,0.1,1]",
        );
        // One run of EM and three of gradient descent for each data set and K.
        assert_eq!(names.len(), 2 * 2 * (1 + 3));
        assert!(names[0].starts_with("board-em-n_components=3-"), "{names:?}");
        assert!(names[3].starts_with("board-nll-n_components=3-learning_rate=0.1-"), "{names:?}");
        let mut distinct = names.clone();
        distinct.sort();
        distinct.dedup();
        assert_eq!(distinct.len(), names.len());
    }

    #[test]
    fn a_name_depends_on_the_settings_and_on_nothing_else() {
        let grid = "[sweep]\nalgorithms=['nll']\nmodel.n_components=[3,5]";
        let base = "[data]\ndataset='board'\n";
        let plain = names(&format!("{base}{grid}"));
        // Defaults, written or not; the order of a list; a comment.
        let explicit = format!("{base}n_samples=4000\n{grid}").replace("[3,5]", "[5,3] # both");
        let mut explicit = names(&explicit);
        explicit.reverse();
        assert_eq!(plain, explicit);
        assert_ne!(plain, names(&format!("{base}n_samples=4001\n{grid}")));
        // Test vectors of <http://www.isthe.com/chongo/src/fnv/test_fnv.c>.
        assert_eq!(digest("".bytes()), "cbf29ce484222325");
        assert_eq!(digest("foobar".bytes()), "85944171f73967e8");
        let fingerprint = |id: &str| {
            let mut experiment = Experiment::default();
            experiment.choose_algorithm(id);
            experiment.fingerprint().unwrap()
        };
        assert_eq!(fingerprint("em").len(), 16);
        assert_ne!(fingerprint("em"), fingerprint("nll"));
        assert_eq!(fingerprint("em"), fingerprint("em"));
    }

    #[test]
    fn several_grids_are_united_and_no_experiment_is_trained_twice() {
        let text = "[[sweep]]\ndatasets=['board']\nmodel.n_components=[3,5]\n\
                    [[sweep]]\ndatasets=['board','ring']\nmodel.n_components=[5,7]";
        let names = names(text);
        assert_eq!(names.len(), 5, "{names:?}");
        assert_eq!(sweep(text).keys(), [DATASET, "model.n_components"]);
        assert_eq!(
            sweep("[data]\ndataset='board'\n[[figure]]\nfile='a.png'").jobs().unwrap().len(),
            1
        );
    }

    #[test]
    fn each_job_is_the_experiment_that_the_command_line_makes() {
        let jobs = sweep(
            "[data]\nn_samples=500\n[algorithm]\nn_slices=2\nlearning_rate=0.5\n[sweep]\n\
             datasets=['blobs']\nalgorithms=['em','ssm']\nalgorithm.optimizer=['sgd']",
        );
        let jobs = jobs.jobs().unwrap();
        let [em, ssm] = &jobs[..] else { panic!("{}", jobs.len()) };
        let mut expected = Experiment::default();
        expected.choose_source(Source::Generator("blobs".to_owned()));
        expected.set("n_samples", "500").unwrap();
        assert_eq!(em.experiment, expected);
        expected.choose_algorithm("ssm");
        for (key, value) in [("n_slices", "2"), ("learning_rate", "0.5"), ("optimizer", "sgd")] {
            expected.set(key, value).unwrap();
        }
        assert_eq!(ssm.experiment, expected);
        assert_eq!(em.at("algorithm.optimizer"), None);
        assert_eq!(ssm.at("algorithm.optimizer"), Some(&Value::Choice("sgd".to_owned())));
    }

    #[test]
    fn too_many_jobs_are_refused_before_the_first_is_made() {
        let many: Vec<String> = (0..400).map(|i| i.to_string()).collect();
        let many = many.join(",");
        let text = format!(
            "[data]\ndataset='board'\n[sweep]\nstart.random_state=[{many}]\ndata.random_state=[{many}]"
        );
        let error = sweep(&text).jobs().unwrap_err().to_string();
        assert!(error.contains("160000 jobs are too many"), "{error}");
    }
}
