//! Whether the keys and values of a sweep's file exist; what does not is told with its line.

use toml::Spanned;
use toml::de::DeTable;

use super::sweep::{ALGORITHM, Axis, DATASET};
use super::sweep_file::File;
use super::{Experiment, ExperimentError, MODEL_SETTINGS, Source};
use crate::algorithms::{self, initial};
use crate::settings::{Setting, Value};

impl File<'_> {
    /// Checks the settings of the experiment, which may be those of any data set and algorithm that is swept.
    pub(super) fn check_base(
        &self,
        root: &Spanned<DeTable<'_>>,
        base: &Experiment,
        grids: &[Vec<(Axis, usize)>],
    ) -> Result<(), ExperimentError> {
        let at = |section: &str, key: &str| {
            let table = root.get_ref().get(section).and_then(|value| value.get_ref().as_table());
            table.and_then(|table| table.get_key_value(key)).map_or(0, |(key, _)| key.span().start)
        };
        if let Source::Generator(id) = &base.source {
            find(base, DATASET, &Value::Choice(id.clone()))
                .map_err(|what| self.wrong(at("data", "dataset"), &what))?;
        }
        find(base, ALGORITHM, &Value::Choice(base.algorithm_id.clone()))
            .map_err(|what| self.wrong(at("algorithm", "name"), &what))?;
        let variants = variants(base, grids.iter().flatten().map(|(axis, _)| axis));
        let sections = [&base.data, &base.model, &base.start, &base.algorithm];
        for (section, settings) in ["data", "model", "start", "algorithm"].iter().zip(sections) {
            for (key, value) in settings.iter() {
                check_value(&variants, section, key, value)
                    .map_err(|what| self.wrong(at(section, key), &what))?;
            }
        }
        Ok(())
    }

    /// Checks that nothing is swept which the base says in another way: jobs would leave that out without a word.
    pub(super) fn check_clashes(
        &self,
        base: &Experiment,
        grids: &[Vec<(Axis, usize)>],
    ) -> Result<(), ExperimentError> {
        let is_plain = matches!(base.source, Source::Generator(_)) && base.strokes.is_empty();
        for (axis, place) in grids.iter().flatten() {
            let beside = match &*axis.key {
                DATASET if !is_plain => "a file or strokes in [data]",
                DATASET | "model.n_components" | "start.init_params" if !base.given.is_empty() => {
                    "a start that is given"
                }
                _ => continue,
            };
            let what = format!("{} cannot be swept beside {beside}", axis.key);
            return Err(self.wrong(*place, &what));
        }
        Ok(())
    }

    /// Checks every key and value of a grid, for the data sets and algorithms that it or the others name.
    pub(super) fn check(
        &self,
        base: &Experiment,
        grid: &[(Axis, usize)],
        others: &[Vec<(Axis, usize)>],
    ) -> Result<(), ExperimentError> {
        for (axis, place) in
            grid.iter().filter(|(axis, _)| [DATASET, ALGORITHM].contains(&&*axis.key))
        {
            for value in &axis.values {
                find(base, &axis.key, value).map_err(|what| self.wrong(*place, &what))?;
            }
        }
        let axes = grid.iter().chain(others.iter().flatten()).map(|(axis, _)| axis);
        let variants = variants(base, axes);
        for (axis, place) in
            grid.iter().filter(|(axis, _)| ![DATASET, ALGORITHM].contains(&&*axis.key))
        {
            let (section, key) = axis.key.split_once('.').unwrap_or(("", &axis.key));
            for value in &axis.values {
                check_value(&variants, section, key, value)
                    .map_err(|what| self.wrong(*place, &what))?;
            }
        }
        Ok(())
    }
}

/// Whether there is such a data set, or algorithm.
fn find(base: &Experiment, key: &str, id: &Value) -> Result<(), String> {
    let mut experiment = base.clone();
    if key == DATASET {
        experiment.source = Source::Generator(id.to_string());
        "em".clone_into(&mut experiment.algorithm_id);
    } else {
        experiment.source = Source::Nothing;
        experiment.algorithm_id = id.to_string();
    }
    experiment.check_ids().map_err(|error| error.to_string())
}

/// The knobs of a data set and an algorithm.
type Knobs = [(&'static str, Vec<&'static Setting>); 4];

/// The knobs of every data set and algorithm that the axes name, or of the base's own.
fn variants<'a>(base: &Experiment, axes: impl Iterator<Item = &'a Axis>) -> Vec<Knobs> {
    let axes: Vec<&Axis> = axes.collect();
    let values = |key: &str| -> Vec<String> {
        let of_key = axes.iter().filter(|axis| axis.key == key);
        of_key.flat_map(|axis| axis.values.iter().map(ToString::to_string)).collect()
    };
    let mut sources: Vec<Source> = values(DATASET).into_iter().map(Source::Generator).collect();
    if sources.is_empty() {
        sources.push(base.source.clone());
    }
    let mut ids = values(ALGORITHM);
    if ids.is_empty() {
        ids.push(base.algorithm_id.clone());
    }
    let mut variants = Vec::new();
    for source in &sources {
        let mut experiment = base.clone();
        experiment.source = source.clone();
        for id in &ids {
            let own = algorithms::find(id).map(|info| info.settings.clone()).unwrap_or_default();
            variants.push([
                ("data", experiment.data_settings()),
                ("model", MODEL_SETTINGS.to_vec()),
                ("start", initial::SETTINGS.to_vec()),
                ("algorithm", own),
            ]);
        }
    }
    variants
}

/// Whether a knob exists anywhere, and takes this value.
fn check_value(variants: &[Knobs], section: &str, key: &str, value: &Value) -> Result<(), String> {
    let sections = variants.iter().flatten().filter(|(name, _)| *name == section);
    let declared: Vec<_> = sections.flat_map(|(_, declared)| declared.iter()).collect();
    // Two data sets may have a knob of one name with other limits: all of them have to take the value.
    let mut of_that_key = declared.iter().filter(|setting| setting.key == key).peekable();
    if of_that_key.peek().is_some() {
        return of_that_key
            .try_for_each(|setting| setting.check(value).map(|_| ()))
            .map_err(|error| error.to_string());
    }
    let mut known: Vec<&str> = declared.iter().map(|setting| setting.key).collect();
    known.sort_unstable();
    known.dedup();
    let known = known.join(", ");
    Err(format!("there is no setting \"{section}.{key}\"; in [{section}] these exist: {known}"))
}
