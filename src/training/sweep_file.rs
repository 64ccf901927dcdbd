//! A sweep as it stands in a file: an experiment with `[sweep]`, `[quick]` and `[[figure]]` below it.

use std::fmt::Write as _;
use std::path::Path;

use serde::Deserialize;
use toml::Spanned;
use toml::de::{DeTable, DeValue, ValueDeserializer};

use super::figure_spec::FigureSpec;
use super::sweep::{ALGORITHM, Axis, DATASET, Sweep, is_seed};
use super::{Experiment, ExperimentError};
use crate::settings::Value;

/// A key with its place in the text, and its value.
type Entry<'a, 'i> = (&'a Spanned<std::borrow::Cow<'i, str>>, &'a Spanned<DeValue<'i>>);

/// The text that is read, and what errors call it.
pub(super) struct File<'a> {
    name: &'a str,
    text: &'a str,
}

impl Sweep {
    /// True if a text has what an experiment alone has not. A text that is no TOML has not.
    #[must_use]
    pub fn is_in(text: &str) -> bool {
        DeTable::parse(text).is_ok_and(|file| {
            ["sweep", "quick", "figure"].iter().any(|key| file.get_ref().contains_key(*key))
        })
    }

    /// Reads a sweep from text; `name` is what errors call it. A quick one takes over what `[quick]` says.
    ///
    /// # Errors
    /// [`ExperimentError::Malformed`] with the line of what is wrong.
    pub fn from_toml(name: &str, text: &str, is_quick: bool) -> Result<Sweep, ExperimentError> {
        Sweep::read(name, text, is_quick, false)
    }

    /// Reads what [`Sweep::to_toml`] wrote. It was checked before a command line narrowed it: what is left of it may have
    /// knobs that only those had that were left out.
    ///
    /// # Errors
    /// [`ExperimentError::Malformed`] with the line of what is wrong.
    pub fn from_plan(name: &str, text: &str) -> Result<Sweep, ExperimentError> {
        Sweep::read(name, text, false, true)
    }

    fn read(
        name: &str,
        text: &str,
        is_quick: bool,
        is_plan: bool,
    ) -> Result<Sweep, ExperimentError> {
        let file = File { name, text };
        let mut root = DeTable::parse(text).map_err(|error| file.toml_error(&error))?;
        let table = root.get_mut();
        let [sweep, quick, figure] = ["sweep", "quick", "figure"].map(|key| table.remove(key));
        if table.contains_key("branch") {
            return Err(file.wrong(0, "a sweep has no [[branch]]: give every algorithm in [sweep]"));
        }
        let (mut grids, mut select) = (Vec::new(), Vec::new());
        for grid in tables(sweep.as_ref()) {
            grids.push(file.grid(grid, Some(&mut select))?);
        }
        let written = root.clone();
        let base = file.base(root, &grids)?;
        if !is_plan {
            for grid in &grids {
                file.check(&base, grid, &[])?;
            }
            file.check_base(&written, &base, &grids)?;
            file.check_clashes(&base, &grids)?;
        }
        let mut sweep = Sweep { base, grids: Vec::new(), select: Vec::new(), figures: Vec::new() };
        for grid in &grids {
            sweep.grids.push(grid.iter().map(|(axis, _)| axis.clone()).collect());
        }
        if let Some(quick) = &quick {
            let grid = file.grid(quick, None)?;
            file.check(&sweep.base, &grid, &grids)?;
            for (axis, _) in grid.iter().filter(|_| is_quick) {
                sweep.replace(axis);
            }
        }
        for (key, place) in select {
            if !sweep.keys().contains(&key.as_str()) {
                let known = sweep.keys().join(", ");
                let what = format!("select has \"{key}\", which is not swept; these are: {known}");
                return Err(file.wrong(place, &what));
            }
            sweep.select.push(key);
        }
        for figure in tables(figure.as_ref()) {
            let spec = FigureSpec::deserialize(ValueDeserializer::from(figure.clone()))
                .map_err(|error| file.toml_error(&error))?;
            sweep.check_figure(&spec).map_err(|what| file.wrong(figure.span().start, &what))?;
            sweep.figures.push(spec);
        }
        Ok(sweep)
    }

    /// Checks what a figure asks for.
    fn check_figure(&self, spec: &FigureSpec) -> Result<(), String> {
        let keys = self.keys();
        let only = spec.restrictions().map(|(key, _)| key);
        for key in spec.rows.iter().chain(&spec.columns).cloned().chain(only) {
            if !keys.contains(&key.as_str()) {
                let known = keys.join(", ");
                return Err(format!(
                    "[[figure]] asks for \"{key}\", which is not swept; these are: {known}"
                ));
            }
        }
        if let Some(seed) = spec.rows.iter().chain(&spec.columns).find(|key| is_seed(key)) {
            return Err(format!("[[figure]] asks for \"{seed}\", but seeds are averaged over"));
        }
        let path = Path::new(&spec.file);
        let is_plain = path.file_name().is_some_and(|name| name == path.as_os_str());
        let ending = path.extension().map(|e| e.to_string_lossy().to_lowercase());
        if !is_plain || !["png", "svg", "pdf"].contains(&ending.as_deref().unwrap_or_default()) {
            return Err(format!(
                "[[figure]] file = {:?}: give the name of a file that ends in .png, .svg or .pdf",
                spec.file
            ));
        }
        Ok(())
    }

    /// The sweep as the text that [`Sweep::from_toml`] reads. The path of a data file becomes absolute.
    ///
    /// # Errors
    /// [`ExperimentError::Unwritable`] if it has no form as text.
    pub fn to_toml(&self) -> Result<String, ExperimentError> {
        let mut text = self.base.to_toml()?;
        let unwritable = |error: toml::ser::Error| ExperimentError::Unwritable(error.to_string());
        for (number, grid) in self.grids.iter().enumerate() {
            text.push_str("\n[[sweep]]\n");
            for axis in grid {
                let values = toml::Value::try_from(&axis.values).map_err(unwritable)?;
                let _ = writeln!(text, "{} = {values}", axis.key);
            }
            if number == 0 && !self.select.is_empty() {
                let select = toml::Value::try_from(&self.select).map_err(unwritable)?;
                let _ = writeln!(text, "select = {select}");
            }
        }
        for figure in &self.figures {
            let figure = toml::to_string(figure).map_err(unwritable)?;
            let _ = write!(text, "\n[[figure]]\n{}", figure.replace("[only.", "[figure.only."));
        }
        Ok(text)
    }
}

/// A table alone, or those of a list.
fn tables<'a, 'i>(
    value: Option<&'a Spanned<DeValue<'i>>>,
) -> impl Iterator<Item = &'a Spanned<DeValue<'i>>> {
    let list = value.and_then(|value| value.get_ref().as_array());
    let single = value.filter(|_| list.is_none());
    list.into_iter().flat_map(|list| list.iter()).chain(single)
}

impl File<'_> {
    /// A sentence about a place in the text.
    pub(super) fn wrong(&self, place: usize, what: &str) -> ExperimentError {
        let before = self.text.get(..place).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        ExperimentError::Malformed {
            path: self.name.to_owned(),
            reason: format!("line {line}: {what}"),
        }
    }

    fn toml_error(&self, error: &toml::de::Error) -> ExperimentError {
        let place = error.span().map_or(0, |span| span.start);
        self.wrong(place, &error.message().replace('\n', "; "))
    }

    /// The axes of a table and where they stand; `select` takes what is to be selected.
    fn grid(
        &self,
        table: &Spanned<DeValue<'_>>,
        mut select: Option<&mut Vec<(String, usize)>>,
    ) -> Result<Vec<(Axis, usize)>, ExperimentError> {
        let mut grid: Vec<(Axis, usize)> = Vec::new();
        for (key, value) in self.entries(table)? {
            let place = key.span().start;
            match (key.get_ref().as_ref(), &mut select) {
                ("datasets", _) => grid.push((self.axis(DATASET, value)?, place)),
                ("algorithms", _) => grid.push((self.axis(ALGORITHM, value)?, place)),
                ("select", Some(select)) => {
                    for value in self.axis("select", value)?.values {
                        select.push((value.to_string(), place));
                    }
                }
                ("data" | "model" | "start" | "algorithm", _) => {
                    for (inner, value) in self.entries(value)? {
                        let name = format!("{}.{}", key.get_ref(), inner.get_ref());
                        grid.push((self.axis(&name, value)?, inner.span().start));
                    }
                }
                (other, _) => {
                    let what = format!(
                        "there is no \"{other}\" here; a sweep takes datasets, algorithms, select, and settings as \
                         section.key = [values], such as model.n_components = [6, 12]"
                    );
                    return Err(self.wrong(place, &what));
                }
            }
        }
        // In the order of the text: what stands last runs fastest.
        grid.sort_by_key(|(_, place)| *place);
        for (i, (axis, place)) in grid.iter().enumerate() {
            if grid[..i].iter().any(|(earlier, _)| earlier.key == axis.key) {
                return Err(self.wrong(*place, &format!("{} stands here twice", axis.key)));
            }
        }
        Ok(grid)
    }

    fn entries<'a, 'i>(
        &self,
        value: &'a Spanned<DeValue<'i>>,
    ) -> Result<Vec<Entry<'a, 'i>>, ExperimentError> {
        let table = value.get_ref().as_table().ok_or_else(|| {
            self.wrong(
                value.span().start,
                "settings are swept as section.key = [values], such as model.n_components = [6, 12]",
            )
        })?;
        Ok(table.iter().collect())
    }

    /// One value or a list of them.
    fn axis(&self, key: &str, value: &Spanned<DeValue<'_>>) -> Result<Axis, ExperimentError> {
        let mut values = Vec::new();
        let list = value.get_ref().as_array().map(|list| list.iter().collect());
        for value in list.unwrap_or_else(|| vec![value]) {
            let read = Value::deserialize(ValueDeserializer::from(value.clone()));
            values.push(read.map_err(|error| self.wrong(value.span().start, error.message()))?);
        }
        if values.is_empty() {
            return Err(self.wrong(value.span().start, &format!("{key} has no values")));
        }
        Ok(Axis { key: key.to_owned(), values })
    }

    /// The experiment; its data set may stand in the sweep alone.
    fn base(
        &self,
        mut root: Spanned<DeTable<'_>>,
        grids: &[Vec<(Axis, usize)>],
    ) -> Result<Experiment, ExperimentError> {
        let first = grids.iter().flatten().find(|(axis, _)| axis.key == DATASET);
        if let Some((axis, place)) = first {
            let at = *place..*place;
            let empty = || Spanned::new(at.clone(), DeValue::Table(DeTable::new()));
            let data = root.get_mut().entry(Spanned::new(at.clone(), "data".into()));
            let data = data.or_insert_with(empty);
            if let DeValue::Table(data) = data.get_mut()
                && ["dataset", "file", "strokes"].iter().all(|key| !data.contains_key(*key))
            {
                let id = DeValue::String(axis.values[0].to_string().into());
                let key = Spanned::new(at.clone(), "dataset".into());
                data.insert(key, Spanned::new(at, id));
            }
        }
        Experiment::deserialize(toml::Deserializer::from(root))
            .map_err(|error| self.toml_error(&error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FULL: &str = "[data]\nn_samples = 300\n[algorithm]\nmax_iter = 40\nn_slices = 2\n\n\
        [[sweep]]\ndatasets = ['board', 'ring']\nalgorithms = ['em', 'ssm']\nmodel.n_components = [3, 5]\n\
        algorithm.learning_rate = [0.01, 1]\nselect = ['algorithm.learning_rate']\n\
        [[sweep]]\nalgorithms = ['nll']\nalgorithm.optimizer = 'sgd'\n\
        [quick]\ndata.n_samples = 100\nmodel.n_components = 3\nalgorithm.n_slices = 1\n\
        [[figure]]\nfile = 'a.svg'\nrows = 'model.n_components'\ncolumns = 'algorithm.name'\n\
        only = { data.dataset = 'board' }\n[[figure]]\nfile = 'b.png'\nshow = 'nll'\nover = 'seconds'\n";

    #[test]
    fn a_sweep_survives_being_written_down() {
        for is_quick in [false, true] {
            let sweep = Sweep::from_toml("s.toml", FULL, is_quick).unwrap();
            let text = sweep.to_toml().unwrap();
            let back = Sweep::from_plan("t.toml", &text).unwrap();
            assert_eq!(back.jobs().unwrap(), sweep.jobs().unwrap(), "{text}");
            assert_eq!((&back.select, &back.figures), (&sweep.select, &sweep.figures), "{text}");
            // 2 data sets × (EM: 2 K, SSM: 2 K × 2 rates), and one of gradient descent; quick: K = 3 alone.
            let count = if is_quick { 2 * (1 + 2) + 1 } else { 2 * (2 + 4) + 1 };
            assert_eq!(sweep.jobs().unwrap().len(), count);
        }
    }

    #[test]
    fn what_is_no_sweep_is_not_taken_for_one() {
        assert!(Sweep::is_in(FULL));
        assert!(Sweep::is_in("[[figure]]\nfile = 'a.png'"));
        assert!(!Sweep::is_in("[data]\ndataset = 'board'"));
        assert!(!Sweep::is_in("[sweep\n"));
    }

    #[test]
    fn typos_are_told_with_their_line() {
        let check = |text: &str, expected: &str| {
            let error = Sweep::from_toml("s.toml", text, false).unwrap_err().to_string();
            let expected = format!("s.toml is not an experiment: {expected}");
            assert!(error.starts_with(&expected), "{text}\n{error}");
            assert!(!error.contains('\n'), "{error}");
        };
        let base = "[data]\ndataset = 'board'\n[sweep]\n";
        let in_sweep = |line: &str, expected: &str| check(&format!("{base}{line}"), expected);
        in_sweep("datsets = ['ring']", "line 4: there is no \"datsets\" here; a sweep takes");
        in_sweep("\ndatasets = ['rings', 'moons']", "line 5: there is no data set \"moons\"");
        check("[sweep]\ndatasets = ['moons']", "line 2: there is no data set \"moons\"");
        in_sweep("algorithms = ['em', 'adam']", "line 4: there is no algorithm \"adam\"");
        in_sweep(
            "model.n_component = [3]",
            "line 4: there is no setting \"model.n_component\"; in",
        );
        in_sweep(
            "model.n_components = [3, 0]",
            "line 4: n_components = 0 is not possible: it takes",
        );
        in_sweep("model.n_components = [3, [4]]", "line 4: ");
        in_sweep("model.n_components = []", "line 4: model.n_components has no values");
        in_sweep("model = [3]", "line 4: settings are swept as section.key = [values]");
        // EM is the algorithm, and has no learning rate.
        in_sweep(
            "algorithm.learning_rate = [1]",
            "line 4: there is no setting \"algorithm.learning_r",
        );
        in_sweep("select = ['model.n_components']", "line 4: select has \"model.n_components\"");
        in_sweep(
            "algorithms = ['em']\nalgorithm.name = ['nll']",
            "line 5: algorithm.name stands here twice",
        );
        in_sweep("[quick]\nselect = ['x']", "line 5: there is no \"select\" here");
        in_sweep(
            "[[figure]]\nfile = 'a.gif'",
            "line 4: [[figure]] file = \"a.gif\": give the name",
        );
        in_sweep(
            "[[figure]]\nfile = '../a.png'",
            "line 4: [[figure]] file = \"../a.png\": give the",
        );
        in_sweep("[[figure]]\nfile = 'a.png'\nrow = 'x'", "line 6: unknown field `row`");
        in_sweep(
            "[[figure]]\nfile = 'a.png'\nrows = 'x'",
            "line 4: [[figure]] asks for \"x\", which",
        );
        in_sweep("x = ", "line 4: ");
        in_sweep("[[branch]]\nname = 'em'", "line 1: a sweep has no [[branch]]");
        check("[sweep]\nalgorithms = ['em']", "line 1: [data] needs a dataset");
        check("[data]\ndataset = 'moon'\n[sweep]", "line 2: there is no data set \"moon\"");
        check(
            "[data]\ndataset = 'ring'\n[algorithm]\nname = 'x'\n[sweep]",
            "line 4: there is no alg",
        );
        check(
            "[data]\ndataset = 'ring'\n[algorithm]\nmax_ite = 5\n[sweep]",
            "line 4: there is no setting \"algorithm.max_ite\"",
        );
        check(
            "[data]\ndataset = 'ring'\nn_samples = 0\n[sweep]",
            "line 3: n_samples = 0 is not possib",
        );
        check("[dta]\n[sweep]", "line 1: unknown field `dta`");
    }
}
