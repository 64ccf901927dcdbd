//! An experiment as the words of a command line, and words read from one.

use super::{Experiment, Source};

impl Experiment {
    /// The command that repeats this experiment; `None` where drawn points, a given start or branches need a file.
    #[must_use]
    pub fn command_line(&self) -> Option<String> {
        let words: Vec<String> = self.command_words()?.iter().map(|word| quoted(word)).collect();
        Some(format!("scorescope run {} --out results", words.join(" ")))
    }

    /// The arguments of `scorescope run` that say what to train, each a word; `None` as for
    /// [`Experiment::command_line`].
    #[must_use]
    pub fn command_words(&self) -> Option<Vec<String>> {
        if !self.strokes.is_empty() || !self.given.is_empty() || !self.branches.is_empty() {
            return None;
        }
        let mut words = Vec::new();
        let mut say = |option: &str, value: String| words.extend([option.to_owned(), value]);
        match &self.source {
            Source::Generator(id) => say("--dataset", id.clone()),
            Source::File { path, columns, .. } => {
                say("--data", path.display().to_string());
                if let Some([first, second]) = columns {
                    say("--columns", format!("{},{}", first + 1, second + 1));
                }
            }
            Source::Nothing => return None,
        }
        say("--algorithm", self.algorithm_id.clone());
        for (section, settings, declared) in self.sections() {
            for setting in declared {
                let value = settings.value(setting);
                if value != setting.default_value() {
                    say("--set", format!("{section}.{}={value}", setting.key));
                }
            }
        }
        Some(words)
    }
}

/// Two columns as a person counts them, from 1: `2,5`. Nothing means the first two with numbers.
///
/// # Errors
/// A sentence that says how to write them.
pub fn parse_columns(text: &str) -> Result<Option<[usize; 2]>, String> {
    if text.trim().is_empty() {
        return Ok(None);
    }
    let words = text.split([',', ' ', ';']).filter(|word| !word.is_empty());
    let numbers: Option<Vec<usize>> =
        words.map(|word| word.parse::<usize>().ok()?.checked_sub(1)).collect();
    match numbers.as_deref() {
        Some(&[first, second]) => Ok(Some([first, second])),
        _ => Err("Columns are two numbers counted from 1, such as 1,2.".to_owned()),
    }
}

/// A word as a POSIX shell reads it.
#[must_use]
pub fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "/._-+=,:".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_counted_from_one() {
        assert_eq!(parse_columns("2, 5"), Ok(Some([1, 4])));
        assert_eq!(parse_columns(""), Ok(None));
        assert!(parse_columns("0,1").is_err());
        assert!(parse_columns("1,x,2").is_err());
        assert!(parse_columns("a").is_err());
    }
}
