//! Experiment: everything that decides a run, and how it is written down.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::experiment_file::Written;
use super::{Branch, BranchId, ExperimentError, Sweep};
use crate::algorithms::given::{self, GivenComponent};
use crate::algorithms::initial::{self, INIT_PARAMS};
use crate::algorithms::{self, AlgorithmInfo};
use crate::data::generators::{self, Generator};
use crate::data::spray::{self, Stroke};
use crate::data::{Dataset, Scaling, formats, memory};
use crate::model::{COVARIANCE_TYPE, CovarianceType, N_COMPONENTS, Point, REG_COVAR};
use crate::random::{Purpose, generator};
use crate::settings::{Kind, Setting, Settings, Value};

/// Whether the data are scaled to unit variance.
pub static SCALE: Setting = Setting {
    key: "scale",
    label: "Scale to unit variance",
    help: "Shifts and stretches both coordinates to mean 0 and variance 1; switching it off undoes it.",
    kind: Kind::Switch { default: false },
    is_live: false,
};

/// How many of the points are kept for validation.
pub static VALIDATION_FRACTION: Setting = Setting {
    key: "validation_fraction",
    label: "Validation share",
    help: "This share of the points is never trained on; it tells whether the model has learned or memorized.",
    kind: Kind::Number { default: 0.5, min: 0.0, max: 0.9, is_logarithmic: false },
    is_live: false,
};

/// The knobs that all data have.
pub static DATA_SETTINGS: &[&Setting] = &[&SCALE, &VALIDATION_FRACTION, &generators::RANDOM_STATE];

/// The knobs of the mixture.
pub static MODEL_SETTINGS: &[&Setting] = &[&N_COMPONENTS, &COVARIANCE_TYPE, &REG_COVAR];

/// Where the points come from, before anything is drawn.
#[derive(Debug, Clone, PartialEq)]
pub enum Source {
    /// A generator, by its id.
    Generator(String),
    /// A file.
    File {
        /// Where it is.
        path: PathBuf,
        /// Which two of its columns, counted from 0; `None` for the first two with numbers.
        columns: Option<[usize; 2]>,
        /// What is in it, once it has been read.
        loaded: Option<LoadedFile>,
    },
    /// An empty canvas.
    Nothing,
}

/// A file that has been read. Two are equal if they are the same in memory.
#[derive(Debug, Clone)]
pub struct LoadedFile(pub Arc<formats::Loaded>);

impl PartialEq for LoadedFile {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

/// Everything that decides a run. Equal experiments give equal numbers, bit for bit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct Experiment {
    /// Where the points come from.
    pub source: Source,
    /// Strokes drawn over them, in order; in the units of the source.
    pub strokes: Vec<Stroke>,
    /// Knobs of the data: [`DATA_SETTINGS`] and those of the generator.
    pub data: Settings,
    /// Knobs of the mixture: [`MODEL_SETTINGS`].
    pub model: Settings,
    /// Knobs of the start: [`initial::SETTINGS`].
    pub start: Settings,
    /// The start, component by component, in the units of the source; empty where the knobs decide. Change it by
    /// [`Experiment::give_start`] and [`Experiment::name_start`].
    pub given: Vec<GivenComponent>,
    /// The algorithm, by its id.
    pub algorithm_id: String,
    /// Knobs of the algorithm.
    pub algorithm: Settings,
    /// Runs that leave this one, the trunk, or one another; each after the one that it leaves.
    pub branches: Vec<Branch>,
}

/// What has to happen when an experiment changed under a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// Both are the same.
    Nothing,
    /// Only live settings differ: the run goes on with them.
    Tune,
    /// The run starts again.
    Restart,
}

impl Default for Experiment {
    fn default() -> Experiment {
        Experiment {
            source: Source::Generator("halfmoons".to_owned()),
            strokes: Vec::new(),
            data: Settings::default(),
            model: Settings::default(),
            start: Settings::default(),
            given: Vec::new(),
            algorithm_id: "em".to_owned(),
            algorithm: Settings::default(),
            branches: Vec::new(),
        }
    }
}

impl Experiment {
    /// Reads an experiment file. Paths in it are relative to its folder.
    ///
    /// # Errors
    /// [`ExperimentError`] if the file cannot be read or does not describe an experiment.
    pub fn read(path: &Path) -> Result<Experiment, ExperimentError> {
        let name = path.display().to_string();
        let text = std::fs::read_to_string(path).map_err(|e| ExperimentError::Unreadable {
            path: name.clone(),
            reason: e.to_string(),
        })?;
        let mut experiment = Experiment::from_toml(&name, &text)?;
        if let Source::File { path: data, .. } = &mut experiment.source
            && let Some(folder) = path.parent()
        {
            *data = folder.join(&*data);
        }
        Ok(experiment)
    }

    /// Reads an experiment from text; `name` is what errors call it.
    ///
    /// # Errors
    /// [`ExperimentError`] if the text does not describe an experiment.
    pub fn from_toml(name: &str, text: &str) -> Result<Experiment, ExperimentError> {
        let experiment: Experiment =
            toml::from_str(text).map_err(|error| ExperimentError::Malformed {
                path: name.to_owned(),
                reason: if Sweep::is_in(text) {
                    "it is a sweep of many experiments: try `scorescope run` on it".to_owned()
                } else {
                    let line =
                        error.span().map_or(1, |span| text[..span.start].lines().count().max(1));
                    format!("line {line}: {}", error.message().replace('\n', "; "))
                },
            })?;
        experiment.check()?;
        Ok(experiment)
    }

    /// The experiment as the text that [`Experiment::from_toml`] reads. The path of a data file becomes absolute, so
    /// that the text means the same wherever it is saved.
    ///
    /// # Errors
    /// [`ExperimentError::Unwritable`] if the path has letters that text cannot hold.
    pub fn to_toml(&self) -> Result<String, ExperimentError> {
        let mut experiment = self.clone();
        if let Source::File { path, .. } = &mut experiment.source
            && let Ok(absolute) = std::path::absolute(&*path)
        {
            *path = absolute;
        }
        toml::to_string(&experiment).map_err(|error| ExperimentError::Unwritable(error.to_string()))
    }

    /// Checks every id and every setting.
    ///
    /// # Errors
    /// The first thing that is unknown or out of range.
    pub fn check(&self) -> Result<(), ExperimentError> {
        self.check_ids()?;
        for (section, settings, declared) in self.sections() {
            settings
                .check(&declared)
                .map_err(|error| ExperimentError::Setting { section, error })?;
        }
        if !self.given.is_empty() {
            let components = self.model.integer(&N_COMPONENTS);
            if components != self.given.len() {
                return Err(ExperimentError::GivenCount { components, given: self.given.len() });
            }
            given::mixture(&self.given, &Scaling::NONE)?;
        }
        self.check_branches()
    }

    /// Whether there are such a data set and such an algorithm.
    pub(super) fn check_ids(&self) -> Result<(), ExperimentError> {
        if let Source::Generator(id) = &self.source {
            find_generator(id)?;
        }
        find_algorithm(&self.algorithm_id)?;
        Ok(())
    }

    /// The four groups of settings: name, chosen values, declared knobs.
    #[must_use]
    pub fn sections(&self) -> [(&'static str, &Settings, Vec<&'static Setting>); 4] {
        [
            ("data", &self.data, self.data_settings()),
            ("model", &self.model, MODEL_SETTINGS.to_vec()),
            ("start", &self.start, initial::SETTINGS.to_vec()),
            ("algorithm", &self.algorithm, self.algorithm_info().settings.clone()),
        ]
    }

    /// The knobs of the data as they are chosen: the generator's own, then those of all data.
    #[must_use]
    pub fn data_settings(&self) -> Vec<&'static Setting> {
        let mut declared = Vec::new();
        if let Some(generator) = self.generator() {
            declared.push(&generators::N_SAMPLES);
            declared.extend(generator.settings);
        }
        declared.extend(DATA_SETTINGS);
        declared
    }

    /// The chosen generator, where there is one.
    #[must_use]
    pub fn generator(&self) -> Option<&'static Generator> {
        match &self.source {
            Source::Generator(id) => generators::find(id),
            Source::File { .. } | Source::Nothing => None,
        }
    }

    /// The chosen algorithm; EM if the id is unknown, which [`Experiment::check`] reports.
    #[must_use]
    pub fn algorithm_info(&self) -> &'static AlgorithmInfo {
        algorithms::find(&self.algorithm_id).unwrap_or(&algorithms::ALGORITHMS[0])
    }

    /// Which covariances the components may have.
    #[must_use]
    pub fn covariance_type(&self) -> CovarianceType {
        CovarianceType::from_id(&self.model.choice(&COVARIANCE_TYPE))
    }

    /// Sets `key` or `section.key` from text, as on the command line. A key that several sections have (a seed, say)
    /// is set in all of them. Another K and a named start put a given one aside.
    ///
    /// # Errors
    /// [`ExperimentError`] if no section has it, or if the value does not fit.
    pub fn set(&mut self, key: &str, text: &str) -> Result<(), ExperimentError> {
        let (wanted_section, bare_key) = match key.split_once('.') {
            Some((section, key)) => (Some(section), key),
            None => (None, key),
        };
        let mut chosen = Vec::new();
        for (section, _, declared) in self.sections() {
            if wanted_section.is_none_or(|wanted| wanted == section)
                && let Some(setting) = declared.iter().find(|s| s.key == bare_key)
            {
                let value = setting
                    .parse(text)
                    .map_err(|error| ExperimentError::Setting { section, error })?;
                chosen.push((section, setting.key, value));
            }
        }
        if chosen.is_empty() {
            let known: Vec<String> = self
                .sections()
                .iter()
                .flat_map(|(section, _, declared)| {
                    declared.iter().map(move |setting| format!("{section}.{}", setting.key))
                })
                .collect();
            return Err(ExperimentError::UnknownKey {
                key: key.to_owned(),
                known: known.join(", "),
            });
        }
        for (section, key, value) in chosen {
            let settings = match section {
                "data" => &mut self.data,
                "model" => &mut self.model,
                "start" => &mut self.start,
                _ => &mut self.algorithm,
            };
            settings.set(key, value);
            if [INIT_PARAMS.key, N_COMPONENTS.key].contains(&key) {
                self.name_start();
            }
        }
        Ok(())
    }

    /// Makes these components the start; K follows them.
    pub fn give_start(&mut self, components: Vec<GivenComponent>) {
        self.model.set(N_COMPONENTS.key, Value::Integer(components.len() as i64));
        self.given = components;
    }

    /// Lets the knobs decide the start again.
    pub fn name_start(&mut self) {
        self.given.clear();
    }

    /// Chooses a data source; settings that it has too are kept, drawn strokes and a given start are not. Of the branches
    /// racers stay; those that left a run later belong to other data.
    pub fn choose_source(&mut self, source: Source) {
        self.source = source;
        self.strokes.clear();
        self.given.clear();
        let mut known = BTreeSet::from([BranchId::TRUNK]);
        self.branches.retain(|branch| {
            let is_racer = branch.step == 0 && branch.given.is_empty();
            is_racer && known.contains(&branch.parent) && known.insert(branch.id)
        });
        self.data = self.data.only(&self.data_settings());
    }

    /// Chooses an algorithm; settings that it has too are kept.
    pub fn choose_algorithm(&mut self, id: &str) {
        id.clone_into(&mut self.algorithm_id);
        self.algorithm = self.algorithm.only(&self.algorithm_info().settings);
    }

    /// What has to happen to a run of `running` to become one of `self`.
    #[must_use]
    pub fn change_since(&self, running: &Experiment) -> Change {
        if self == running {
            return Change::Nothing;
        }
        let mut same_but_live = running.clone();
        for setting in self.algorithm_info().settings.iter().filter(|setting| setting.is_live) {
            same_but_live.algorithm.set(setting.key, self.algorithm.value(setting));
        }
        let mut explicit = self.clone();
        for setting in self.algorithm_info().settings.iter().filter(|setting| setting.is_live) {
            explicit.algorithm.set(setting.key, self.algorithm.value(setting));
        }
        if explicit == same_but_live { Change::Tune } else { Change::Restart }
    }

    /// True if both have equal points, split and scaled alike.
    #[must_use]
    pub fn has_same_data(&self, other: &Experiment) -> bool {
        self.source == other.source && self.strokes == other.strokes && self.data == other.data
    }

    /// All points: the source's, with every stroke applied.
    ///
    /// # Errors
    /// [`ExperimentError`] if the file cannot be read, the generator is unknown, or memory does not hold the points.
    pub fn points(&self) -> Result<Vec<Point>, ExperimentError> {
        self.afford(memory::available())?;
        let mut points = match &self.source {
            Source::Generator(id) => {
                let seed = self.data.integer(&generators::RANDOM_STATE) as u64;
                let count = self.data.integer(&generators::N_SAMPLES);
                let mut rng = generator(seed, Purpose::Data);
                (find_generator(id)?.generate)(&self.data, count, &mut rng)
            }
            Source::File { loaded: Some(LoadedFile(file)), .. } => file.points.clone(),
            Source::File { path, columns, loaded: None } => {
                formats::read(path, *columns, &mut formats::unwatched)?.points
            }
            Source::Nothing => Vec::new(),
        };
        spray::apply(&mut points, &self.strokes);
        Ok(points)
    }

    /// Refuses more points than so many bytes of memory hold, before the first one is made. A file that has not been
    /// read yet is judged when it is opened.
    fn afford(&self, available: u64) -> Result<(), ExperimentError> {
        let (source, is_there, advice) = match &self.source {
            Source::Generator(_) => {
                (self.data.integer(&generators::N_SAMPLES), 0, "lower n_samples")
            }
            Source::File { loaded: Some(LoadedFile(file)), .. } => {
                let count = file.points.len();
                (count, size_of_val(&*file.points), "open a part of the file")
            }
            Source::File { loaded: None, .. } | Source::Nothing => (0, 0, ""),
        };
        let drawn: usize = self.strokes.iter().map(spray::most_points).sum();
        let advice = if drawn > source { "draw fewer" } else { advice };
        let count = source as u64 + drawn as u64;
        let needed = memory::of_points(count).saturating_sub(is_there as u64);
        memory::check(needed, available).map_err(|shortage| ExperimentError::TooManyPoints {
            count,
            shortage,
            advice,
        })
    }

    /// The points, split and scaled.
    ///
    /// # Errors
    /// [`ExperimentError`] if there are none, they cannot be read, or memory does not hold them.
    pub fn dataset(&self) -> Result<Dataset, ExperimentError> {
        Ok(Dataset::new(
            self.points()?,
            self.data.number(&VALIDATION_FRACTION),
            self.data.switch(&SCALE),
            self.data.integer(&generators::RANDOM_STATE) as u64,
        )?)
    }

    /// The covariance floor for this data, in its squared units.
    #[must_use]
    pub fn floor(&self, dataset: &Dataset) -> f64 {
        // Points that are all equal have no variance to take a share of.
        let variance = if dataset.variance > 0.0 { dataset.variance } else { 1.0 };
        self.model.number(&REG_COVAR) * variance
    }
}

fn find_generator(id: &str) -> Result<&'static Generator, ExperimentError> {
    generators::find(id).ok_or_else(|| {
        let known: Vec<_> = generators::GENERATORS.iter().map(|info| info.id).collect();
        ExperimentError::UnknownDataset { id: id.to_owned(), known: known.join(", ") }
    })
}

pub(super) fn find_algorithm(id: &str) -> Result<&'static AlgorithmInfo, ExperimentError> {
    algorithms::find(id).ok_or_else(|| {
        let known: Vec<_> = algorithms::ALGORITHMS.iter().map(|info| info.id).collect();
        ExperimentError::UnknownAlgorithm { id: id.to_owned(), known: known.join(", ") }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::spray::Tool;

    #[test]
    fn an_experiment_survives_being_written_down() {
        let mut experiment = Experiment::default();
        experiment.choose_algorithm("ssm");
        experiment.set("n_components", "7").unwrap();
        experiment.set("learning_rate", "0.015").unwrap();
        experiment.set("start.random_state", "5").unwrap();
        experiment.strokes.push(Stroke {
            tool: Tool::Brush,
            path: vec![[0.5, 0.25], [1.0, 1.0]],
            radius: 0.1,
            count: 20,
            seed: 3,
        });
        let text = experiment.to_toml().unwrap();
        assert_eq!(Experiment::from_toml("test", &text).unwrap(), experiment, "{text}");
        assert_eq!(experiment.command_line(), None);
        experiment.strokes.clear();
        assert_eq!(
            experiment.command_line().unwrap(),
            "scorescope run --dataset halfmoons --algorithm ssm --set model.n_components=7 \
             --set start.random_state=5 --set algorithm.learning_rate=0.015 --out results"
        );
    }

    #[test]
    fn more_points_than_memory_holds_are_refused_before_the_first_is_made() {
        let mut experiment = Experiment::default();
        experiment.set("n_samples", "1000000").unwrap();
        assert!(experiment.afford(48_000_000).is_ok());
        let refused =
            |experiment: &Experiment| experiment.afford(47_000_000).unwrap_err().to_string();
        assert_eq!(
            refused(&experiment),
            "1000000 points would need 48 MB of memory, and only 47 MB can be had: lower n_samples"
        );
        // What has been read needs a second copy and a third, and nothing more for the first.
        let loaded = formats::parse("x.csv", "1,2\n".repeat(1000).as_bytes(), None).unwrap();
        let loaded = Some(LoadedFile(Arc::new(loaded)));
        experiment.choose_source(Source::File { path: "x.csv".into(), columns: None, loaded });
        assert!(experiment.afford(32_000).is_ok());
        let error = experiment.afford(31_999).unwrap_err().to_string();
        assert!(error.ends_with(": open a part of the file"), "{error}");
        // A slip in a file that was written by hand.
        experiment.choose_source(Source::Nothing);
        let stroke =
            |tool| Stroke { tool, path: vec![[0.0; 2]], radius: 1.0, count: usize::MAX, seed: 0 };
        experiment.strokes = vec![stroke(Tool::Eraser); 10];
        assert!(experiment.afford(0).is_ok());
        experiment.strokes.extend(vec![stroke(Tool::Brush); 50_000]);
        assert_eq!(
            refused(&experiment),
            "50000000000 points would need 2.4 TB of memory, and only 47 MB can be had: draw fewer"
        );
        experiment.choose_source(Source::Generator("halfmoons".to_owned()));
        experiment.set("n_samples", "1000000000").unwrap();
        assert!(refused(&experiment).starts_with("1000000000 points would need 48 GB of memory"));
    }

    #[test]
    fn a_shared_key_is_set_everywhere_and_a_named_section_alone() {
        let mut experiment = Experiment::default();
        experiment.choose_algorithm("sm");
        experiment.set("random_state", "4").unwrap();
        assert_eq!(experiment.data.integer(&generators::RANDOM_STATE), 4);
        assert_eq!(experiment.start.integer(&initial::RANDOM_STATE), 4);
        experiment.set("data.random_state", "9").unwrap();
        assert_eq!(experiment.start.integer(&initial::RANDOM_STATE), 4);
    }

    #[test]
    fn a_given_start_survives_being_written_down_and_is_where_training_begins() {
        let component = |weight, mean, covariance| GivenComponent { weight, mean, covariance };
        let mut experiment = Experiment::default();
        experiment.give_start(vec![
            component(0.1 + 0.2, [1.0 / 3.0, -0.0], [0.1, 0.03, 0.7]),
            component(0.7, [1e-7, 12.5], [1.0 / 7.0, 0.0, 2.0]),
        ]);
        let text = experiment.to_toml().unwrap();
        let read = Experiment::from_toml("test", &text).unwrap();
        assert_eq!(read, experiment, "{text}");
        assert_eq!(read.model.integer(&N_COMPONENTS), 2);
        let start =
            |experiment: &Experiment| crate::training::Prepared::new(experiment).unwrap().start;
        assert_eq!(start(&read), start(&experiment));
        let means: Vec<Point> = start(&read).components().iter().map(|c| c.gaussian.mean).collect();
        assert_eq!(means, [[1.0 / 3.0, 0.0], [1e-7, 12.5]]);
        // K of a file that was written by hand, and words of a command line.
        let short = text.replace("n_components = 2\n", "");
        assert_eq!(Experiment::from_toml("test", &short).unwrap(), experiment, "{short}");
        assert_eq!(experiment.command_line(), None);
        for (key, value) in [("n_components", "3"), ("init_params", "ring")] {
            let mut other = experiment.clone();
            other.set(key, value).unwrap();
            assert!(other.given.is_empty(), "{key}");
        }
        // Another scale, the same place in the units of the source.
        let mut scaled = experiment.clone();
        scaled.set("scale", "true").unwrap();
        let prepared = crate::training::Prepared::new(&scaled).unwrap();
        let back = prepared.dataset.scaling.undo_mixture(&prepared.start);
        for (a, b) in back.components().iter().zip(&experiment.given) {
            let [dx, dy] = [0, 1].map(|axis| a.gaussian.mean[axis] - b.mean[axis]);
            assert!(dx.hypot(dy) < 1e-12);
            for (a, b) in a.gaussian.cholesky.covariance().iter().zip(b.covariance) {
                assert!((a - b).abs() < 1e-9);
            }
        }
    }

    #[test]
    fn what_is_wrong_is_said() {
        let check = |text: &str, expected: &str| {
            let error = Experiment::from_toml("x.toml", text).unwrap_err().to_string();
            assert!(error.contains(expected), "{text}: {error}");
        };
        check("", "[data] needs a dataset");
        check(
            "[data]\ndataset = 'moons'",
            "there is no data set \"moons\"; these exist: halfmoons",
        );
        check("[data]\ndataset='board'\n[algorithm]\nname='gd'", "there is no algorithm \"gd\"");
        check(
            "[data]\ndataset='board'\n[model]\nn_components=0",
            "[model] n_components = 0 is not possible",
        );
        check("[data]\ndataset='board'\nn_sample=5", "there is no setting \"n_sample\"");
        check("[data]\ndataset='board'\nfile='a.csv'", "either a dataset or a file");
        let start =
            "[data]\ndataset='board'\n[[start.component]]\nweight=0.5\nmean=[0,0]\ncovariance=";
        check(
            &format!("{start}[[1,0],[0,1]]"),
            "start.component: the weights must be at least 0 and sum to 1",
        );
        let start = start.replace("0.5", "1");
        check(
            &format!("{start}[[1,2],[2,1]]"),
            "covariance of component 1 is not positive definite",
        );
        check(
            &format!("{start}[[1,0.5],[0,1]]"),
            "covariance of component 1 is not positive definite",
        );
        check(
            &format!("{start}[[1,0],[0,1]]\n[model]\nn_components=4"),
            "n_components = 4, but there is 1 [[start.component]]",
        );
        check("[data", "x.toml is not an experiment");
        check("[dta]\n", "unknown field `dta`");
        check("[data]\ndataset='board'\n[sweep]\nmodel.n_components=[3]", "it is a sweep of many");
    }

    #[test]
    fn live_settings_tune_and_others_restart() {
        let mut running = Experiment::default();
        running.choose_algorithm("nll");
        let changed = |key: &str, value: &str| {
            let mut experiment = running.clone();
            experiment.set(key, value).unwrap();
            experiment.change_since(&running)
        };
        assert_eq!(running.change_since(&running), Change::Nothing);
        assert_eq!(changed("learning_rate", "0.5"), Change::Tune);
        assert_eq!(changed("optimizer", "sgd"), Change::Restart);
        assert_eq!(changed("n_components", "3"), Change::Restart);
        assert_eq!(changed("n_samples", "300"), Change::Restart);
    }
}
