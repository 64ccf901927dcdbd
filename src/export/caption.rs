//! Caption: what a figure shows, in one sentence that is enough to make it again.

use std::sync::Arc;

use crate::algorithms::initial;
use crate::data::{Dataset, generators};
use crate::model::{COVARIANCE_TYPE, N_COMPONENTS};
use crate::settings::{Kind, Setting, Settings, Value};
use crate::training::{Experiment, Member, Source};

/// Data, mixture, start, algorithm, all settings that somebody chose, all seeds and the step of a run.
#[must_use]
pub fn caption(experiment: &Experiment, dataset: &Dataset, step: usize) -> String {
    let at = format!("step {step}");
    format!("{}, {at}.", parts(experiment, dataset).join(", "))
}

/// The same of several runs on the same data from the same start, which have their names above them.
#[must_use]
pub fn shared_caption(experiment: &Experiment, dataset: &Dataset, names: &[String]) -> String {
    let mut parts = parts(experiment, dataset);
    // Each panel names its own algorithm and step.
    parts.pop();
    format!("{}; {}.", parts.join(", "), names.join(", "))
}

/// The same of runs from many starts, which differ in their seeds.
#[must_use]
pub fn seeds_caption(
    experiment: &Experiment,
    dataset: &Dataset,
    members: &[Arc<Member>],
) -> String {
    let parts = parts(experiment, dataset).join(", ");
    let seeds = || members.iter().map(|member| member.seed);
    match (seeds().min(), seeds().max()) {
        (Some(least), Some(most)) if least < most => {
            format!("{parts}; {} starts with seeds from {least} to {most}.", members.len())
        }
        (Some(seed), _) => format!("{parts}; one start with seed {seed}."),
        _ => format!("{parts}."),
    }
}

/// Data, mixture, start and algorithm.
fn parts(experiment: &Experiment, dataset: &Dataset) -> Vec<String> {
    let [(_, data, of_data), _, (_, start, of_start), (_, algorithm, of_algorithm)] =
        experiment.sections();
    let mut about_data = vec![points(dataset)];
    // Their number is said already.
    about_data.extend(details(data, &of_data, &[generators::N_SAMPLES.key]));
    let mut parts = vec![with(source(experiment), &about_data), mixture(experiment)];
    if experiment.given.is_empty() {
        let way = option(start, &initial::INIT_PARAMS);
        let details = details(start, &of_start, &[initial::INIT_PARAMS.key]);
        parts.push(with(format!("start by {}", lowercase(&way)), &details));
    } else {
        parts.push("start set by hand".to_owned());
    }
    let label = experiment.algorithm_info().label.to_owned();
    parts.push(with(label, &details(algorithm, &of_algorithm, &[])));
    parts
}

/// What the points are called.
fn source(experiment: &Experiment) -> String {
    let name = match &experiment.source {
        Source::Generator(id) => {
            experiment.generator().map_or(id.clone(), |generator| generator.label.to_owned())
        }
        Source::File { path, .. } => {
            path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
        }
        Source::Nothing => "Drawn points".to_owned(),
    };
    let is_drawn_over = !experiment.strokes.is_empty() && experiment.source != Source::Nothing;
    if is_drawn_over { format!("{name} and drawn points") } else { name }
}

fn points(dataset: &Dataset) -> String {
    let train = grouped(dataset.train.len());
    match dataset.validation.len() {
        0 => format!("{train} points"),
        count => format!("{train} training and {} validation points", grouped(count)),
    }
}

fn mixture(experiment: &Experiment) -> String {
    let count = experiment.model.integer(&N_COMPONENTS);
    let kind = lowercase(&option(&experiment.model, &COVARIANCE_TYPE));
    let (_, model, declared) = &experiment.sections()[1];
    let covariances = format!("K = {count} with {kind} covariances");
    with(covariances, &details(model, declared, &[N_COMPONENTS.key, COVARIANCE_TYPE.key]))
}

/// What was chosen otherwise than it is by itself, and every seed.
fn details(settings: &Settings, declared: &[&'static Setting], known: &[&str]) -> Vec<String> {
    let is_told = |setting: &&&Setting| {
        let is_seed = matches!(setting.kind, Kind::Seed);
        !known.contains(&setting.key)
            && (is_seed || settings.value(setting) != setting.default_value())
    };
    let words = |setting: &&Setting| match (&setting.kind, settings.value(setting)) {
        (Kind::Seed, value) => format!("seed {value}"),
        (Kind::Choice { .. }, _) => {
            format!("{}: {}", lowercase(setting.label), lowercase(&option(settings, setting)))
        }
        (_, Value::Switch(true)) => lowercase(setting.label),
        (_, Value::Switch(false)) => format!("{}: no", lowercase(setting.label)),
        (_, value) => format!("{} {value}", lowercase(setting.label)).replace('-', "−"),
    };
    declared.iter().filter(is_told).map(words).collect()
}

/// The label of a chosen option.
fn option(settings: &Settings, setting: &Setting) -> String {
    let value = settings.value(setting).to_string();
    let Kind::Choice { options, .. } = &setting.kind else { return value };
    let label = options.iter().find(|(id, _)| *id == value).map(|(_, label)| *label);
    label.map_or(value, str::to_owned)
}

fn with(what: String, details: &[String]) -> String {
    if details.is_empty() { what } else { format!("{what} ({})", details.join(", ")) }
}

/// Small first letter, unless the word is an abbreviation or a symbol.
fn lowercase(text: &str) -> String {
    let mut signs = text.chars();
    match (signs.next(), signs.next()) {
        (Some(first), Some(second)) if second.is_lowercase() || second == ' ' => {
            first.to_lowercase().chain(text.chars().skip(1)).collect()
        }
        _ => text.to_owned(),
    }
}

/// A count with its thousands apart: 10,000.
fn grouped(count: usize) -> String {
    let digits = count.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_caption_tells_all_that_was_chosen_and_every_seed() {
        let mut experiment = Experiment::default();
        experiment.choose_algorithm("sm");
        for (key, value) in [
            ("n_samples", "400"),
            ("n_components", "7"),
            ("start.random_state", "3"),
            ("learning_rate", "0.02"),
        ] {
            experiment.set(key, value).unwrap();
        }
        let dataset = experiment.dataset().unwrap();
        let text = caption(&experiment, &dataset, 137);
        for part in [
            "Half moons (200 training and 200 validation points, ",
            "seed 0",
            "K = 7 with full covariances",
            "seed 3",
            "Exact score matching (",
            "learning rate 0.02",
            ", step 137.",
        ] {
            assert!(text.contains(part), "{part} in {text}");
        }
        assert_eq!(text.matches(". ").count(), 0, "one sentence: {text}");
        let shared = shared_caption(&experiment, &dataset, &["EM".to_owned(), "SM".to_owned()]);
        assert!(shared.ends_with("; EM, SM.") && !shared.contains("step"), "{shared}");
    }

    #[test]
    fn counts_have_their_thousands_apart() {
        for (count, expected) in [(0, "0"), (999, "999"), (1000, "1,000"), (1_234_567, "1,234,567")]
        {
            assert_eq!(grouped(count), expected);
        }
        assert_eq!(lowercase("NLL"), "NLL");
        assert_eq!(lowercase("K-means"), "K-means");
        assert_eq!(lowercase("Learning rate"), "learning rate");
    }
}
