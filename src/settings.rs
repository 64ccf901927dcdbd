//! Settings: every knob is declared once, as data, in the file that reads it.
//!
//! A [`Setting`] says what a knob is called, what it means and which values it takes; [`Settings`] holds
//! chosen values. Sliders, `--set`, saved experiments, `--help` and the tests are made from the same declaration.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// One knob: its name in files, its name on screen, what it does and which values it takes.
#[derive(Debug)]
pub struct Setting {
    /// Name in files and on the command line, in scikit-learn's words where it has one.
    pub key: &'static str,
    /// Name on screen, with the unit where there is one.
    pub label: &'static str,
    /// One sentence for the tooltip and for `scorescope list`.
    pub help: &'static str,
    /// Which values it takes, and the one it has until somebody chooses.
    pub kind: Kind,
    /// True if a running experiment can take a new value without starting again.
    pub is_live: bool,
}

/// The values a [`Setting`] takes.
#[derive(Debug)]
pub enum Kind {
    /// A whole number from `min` to `max`.
    Integer {
        /// Value until somebody chooses.
        default: i64,
        /// Smallest value.
        min: i64,
        /// Largest value.
        max: i64,
    },
    /// A whole number from 0 to [`LARGEST_SEED`] that random choices are drawn from, 0 until somebody chooses. Seeds
    /// have no order: no one is near another.
    Seed,
    /// A number from `min` to `max`.
    Number {
        /// Value until somebody chooses.
        default: f64,
        /// Smallest value.
        min: f64,
        /// Largest value.
        max: f64,
        /// True if a slider should move in factors rather than in differences.
        is_logarithmic: bool,
    },
    /// One of several named options.
    Choice {
        /// Id of the option until somebody chooses.
        default: &'static str,
        /// Id in files and label on screen of every option.
        options: &'static [(&'static str, &'static str)],
    },
    /// On or off.
    Switch {
        /// Value until somebody chooses.
        default: bool,
    },
}

/// The largest value of a [`Kind::Seed`], as in scikit-learn.
pub const LARGEST_SEED: i64 = u32::MAX as i64;

/// A chosen value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged, expecting = "a number, a word in quotes, true or false")]
pub enum Value {
    /// On or off.
    Switch(bool),
    /// A whole number.
    Integer(i64),
    /// A number.
    Number(f64),
    /// The id of an option.
    Choice(String),
}

/// Why a value was refused.
#[derive(Debug, thiserror::Error, PartialEq)]
pub enum SettingError {
    /// There is no such knob here.
    #[error("there is no setting \"{key}\" here; these exist: {known}")]
    Unknown {
        /// The name that was not found.
        key: String,
        /// The names that exist.
        known: String,
    },
    /// The knob exists and does not take this value.
    #[error("{key} = {value} is not possible: it takes {allowed}")]
    Refused {
        /// The knob.
        key: &'static str,
        /// The value as it was written.
        value: String,
        /// What it takes, in words.
        allowed: String,
    },
}

impl Setting {
    /// The value it has until somebody chooses.
    #[must_use]
    pub fn default_value(&self) -> Value {
        match self.kind {
            Kind::Integer { default, .. } => Value::Integer(default),
            Kind::Seed => Value::Integer(0),
            Kind::Number { default, .. } => Value::Number(default),
            Kind::Choice { default, .. } => Value::Choice(default.to_owned()),
            Kind::Switch { default } => Value::Switch(default),
        }
    }

    /// Which values it takes, in words: `a whole number from 1 to 200`.
    #[must_use]
    pub fn allowed(&self) -> String {
        match &self.kind {
            Kind::Integer { min, max, .. } => format!("a whole number from {min} to {max}"),
            Kind::Seed => format!("a whole number from 0 to {LARGEST_SEED}"),
            Kind::Number { min, max, .. } => format!("a number from {min} to {max}"),
            Kind::Choice { options, .. } => {
                let ids: Vec<_> = options.iter().map(|(id, _)| *id).collect();
                format!("one of {}", ids.join(", "))
            }
            Kind::Switch { .. } => "true or false".to_owned(),
        }
    }

    /// The value in this setting's own type, or why it cannot be one.
    ///
    /// # Errors
    /// [`SettingError::Refused`] if the value is of another type or out of range.
    pub fn check(&self, value: &Value) -> Result<Value, SettingError> {
        let [first, last] = match self.kind {
            Kind::Integer { min, max, .. } => [min, max],
            _ => [0, LARGEST_SEED],
        };
        let accepted = match (&self.kind, value) {
            (Kind::Integer { .. } | Kind::Seed, &Value::Integer(v))
                if (first..=last).contains(&v) =>
            {
                Some(Value::Integer(v))
            }
            (Kind::Integer { .. } | Kind::Seed, &Value::Number(v))
                if v.fract() == 0.0 && v >= first as f64 && v <= last as f64 =>
            {
                Some(Value::Integer(v as i64))
            }
            (Kind::Number { min, max, .. }, &Value::Number(v)) if (*min..=*max).contains(&v) => {
                Some(Value::Number(v))
            }
            (Kind::Number { min, max, .. }, &Value::Integer(v))
                if (*min..=*max).contains(&(v as f64)) =>
            {
                Some(Value::Number(v as f64))
            }
            (Kind::Choice { options, .. }, Value::Choice(id))
                if options.iter().any(|(known, _)| known == id) =>
            {
                Some(Value::Choice(id.clone()))
            }
            (Kind::Switch { .. }, &Value::Switch(v)) => Some(Value::Switch(v)),
            _ => None,
        };
        accepted.ok_or_else(|| SettingError::Refused {
            key: self.key,
            value: value.to_string(),
            allowed: self.allowed(),
        })
    }

    /// A value written as text, as on the command line.
    ///
    /// # Errors
    /// [`SettingError::Refused`] if it is not a value of this setting.
    pub fn parse(&self, text: &str) -> Result<Value, SettingError> {
        self.check(&Value::guess(text))
    }
}

impl Value {
    /// What a text can only mean, whatever the setting: true, a whole number, a number, else the id of an option.
    #[must_use]
    pub fn guess(text: &str) -> Value {
        let text = text.trim();
        (text.parse().map(Value::Switch).ok())
            .or_else(|| text.parse().map(Value::Integer).ok())
            .or_else(|| text.parse().map(Value::Number).ok())
            .unwrap_or_else(|| Value::Choice(text.to_owned()))
    }
}

impl std::fmt::Display for Value {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Value::Switch(v) => write!(f, "{v}"),
            Value::Integer(v) => write!(f, "{v}"),
            Value::Number(v) => write!(f, "{v}"),
            Value::Choice(v) => write!(f, "{v}"),
        }
    }
}

/// Chosen values by key; what nobody chose has its default.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Settings(BTreeMap<String, Value>);

impl Settings {
    /// The value of a setting; its default if nobody chose, or if the value does not fit.
    #[must_use]
    pub fn value(&self, setting: &Setting) -> Value {
        self.0
            .get(setting.key)
            .and_then(|value| setting.check(value).ok())
            .unwrap_or_else(|| setting.default_value())
    }

    /// The value of an [`Kind::Integer`] or [`Kind::Seed`] setting.
    #[must_use]
    pub fn integer(&self, setting: &Setting) -> usize {
        let Value::Integer(value) = self.value(setting) else {
            unreachable!("{} is not an integer setting", setting.key)
        };
        usize::try_from(value).unwrap_or(0)
    }

    /// The value of a [`Kind::Number`] setting.
    #[must_use]
    pub fn number(&self, setting: &Setting) -> f64 {
        let Value::Number(value) = self.value(setting) else {
            unreachable!("{} is not a number setting", setting.key)
        };
        value
    }

    /// The id of the chosen option of a [`Kind::Choice`] setting.
    #[must_use]
    pub fn choice(&self, setting: &Setting) -> String {
        let Value::Choice(value) = self.value(setting) else {
            unreachable!("{} is not a choice setting", setting.key)
        };
        value
    }

    /// The value of a [`Kind::Switch`] setting.
    #[must_use]
    pub fn switch(&self, setting: &Setting) -> bool {
        let Value::Switch(value) = self.value(setting) else {
            unreachable!("{} is not a switch setting", setting.key)
        };
        value
    }

    /// Chooses a value; the caller has checked it.
    pub fn set(&mut self, key: &str, value: Value) {
        self.0.insert(key.to_owned(), value);
    }

    /// Chosen keys and values in alphabetical order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value))
    }

    /// Checks every chosen value against what is declared.
    ///
    /// # Errors
    /// The first key that does not exist, or value that does not fit.
    pub fn check(&self, declared: &[&'static Setting]) -> Result<(), SettingError> {
        for (key, value) in &self.0 {
            let Some(setting) = declared.iter().find(|setting| setting.key == key) else {
                let known: Vec<_> = declared.iter().map(|setting| setting.key).collect();
                return Err(SettingError::Unknown { key: key.clone(), known: known.join(", ") });
            };
            setting.check(value)?;
        }
        Ok(())
    }

    /// Only those choices that are declared here: what stays when, say, another data set is chosen.
    #[must_use]
    pub fn only(&self, declared: &[&'static Setting]) -> Settings {
        let fits = |key: &str, value: &Value| {
            declared.iter().any(|setting| setting.key == key && setting.check(value).is_ok())
        };
        Settings(
            self.0
                .iter()
                .filter(|(key, value)| fits(key, value))
                .map(|(key, value)| (key.clone(), value.clone()))
                .collect(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    static COUNT: Setting = Setting {
        key: "count",
        label: "Count",
        help: "",
        kind: Kind::Integer { default: 3, min: 1, max: 9 },
        is_live: false,
    };
    static RATE: Setting = Setting {
        key: "rate",
        label: "Rate",
        help: "",
        kind: Kind::Number { default: 0.5, min: 0.0, max: 1.0, is_logarithmic: false },
        is_live: true,
    };

    #[test]
    fn values_are_checked_and_defaults_fill_in() {
        let mut settings = Settings::default();
        assert_eq!(settings.integer(&COUNT), 3);
        settings.set("count", COUNT.parse("7").unwrap());
        assert_eq!(settings.integer(&COUNT), 7);
        assert_eq!(RATE.parse("1").unwrap(), Value::Number(1.0));
        assert_eq!(COUNT.parse("2.0").unwrap(), Value::Integer(2));
        let error = COUNT.parse("12").unwrap_err().to_string();
        assert_eq!(error, "count = 12 is not possible: it takes a whole number from 1 to 9");
        assert!(COUNT.parse("many").is_err());
        assert!(RATE.parse("NaN").is_err());
    }

    #[test]
    fn an_unknown_key_names_the_known_ones() {
        let mut settings = Settings::default();
        settings.set("cuont", Value::Integer(1));
        let error = settings.check(&[&COUNT, &RATE]).unwrap_err().to_string();
        assert_eq!(error, "there is no setting \"cuont\" here; these exist: count, rate");
        assert_eq!(settings.only(&[&COUNT]), Settings::default());
    }
}
