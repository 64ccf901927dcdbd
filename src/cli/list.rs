//! `scorescope list`: what there is, made from the declarations.

use std::fmt::Write;

use super::experiments::BUILT_IN;
use super::{Listing, print};
use crate::algorithms::{ALGORITHMS, initial};
use crate::data::generators::{GENERATORS, N_SAMPLES};
use crate::sampling::SAMPLERS;
use crate::settings::Setting;
use crate::training::{DATA_SETTINGS, MODEL_SETTINGS};

/// Prints one listing, or all.
pub(super) fn list(what: Option<Listing>) -> anyhow::Result<()> {
    let is_wanted = |listing| what.is_none_or(|what| what == listing);
    let mut text = String::new();
    if is_wanted(Listing::Algorithms) {
        text.push_str("algorithms (--algorithm ID)\n\n");
        for info in &*ALGORITHMS {
            let help = format!("{}\n      minimizes {}", info.help, info.formula);
            entry(&mut text, info.id, info.label, &help, &info.settings);
        }
    }
    if is_wanted(Listing::Datasets) {
        text.push_str("data sets (--dataset ID)\n\n");
        for info in GENERATORS {
            entry(&mut text, info.id, info.label, info.help, info.settings);
        }
        text.push_str("  settings of every data set\n");
        settings(&mut text, &[&N_SAMPLES]);
        settings(&mut text, DATA_SETTINGS);
        text.push('\n');
    }
    if is_wanted(Listing::Model) {
        text.push_str("mixture\n");
        settings(&mut text, MODEL_SETTINGS);
        text.push('\n');
    }
    if is_wanted(Listing::Start) {
        text.push_str("start\n");
        settings(&mut text, initial::SETTINGS);
        text.push('\n');
    }
    if is_wanted(Listing::Experiments) {
        text.push_str("built-in experiments (scorescope run NAME --out DIR)\n");
        for built_in in BUILT_IN {
            let _ = writeln!(text, "  {}  {}", built_in.name, built_in.help());
        }
        text.push('\n');
    }
    if is_wanted(Listing::Samplers) {
        text.push_str("samplers, in the window's tab Sample\n\n");
        for info in SAMPLERS {
            // No run takes their settings: they are walks on what it has learned.
            entry(&mut text, info.id, info.label, info.help, &[]);
            knobs(&mut text, info.settings);
        }
    }
    print(&text)
}

fn knobs(text: &mut String, declared: &[&Setting]) {
    for setting in declared {
        let (key, default) = (setting.key, setting.default_value());
        let _ = writeln!(text, "      {key}={default}  {}; {}", setting.allowed(), setting.help);
    }
    text.push('\n');
}

fn entry(text: &mut String, id: &str, label: &str, help: &str, declared: &[&Setting]) {
    let _ = writeln!(text, "  {id}  {label}\n      {help}");
    settings(text, declared);
    text.push('\n');
}

fn settings(text: &mut String, declared: &[&Setting]) {
    for setting in declared {
        let (key, default) = (setting.key, setting.default_value());
        let _ =
            writeln!(text, "      --set {key}={default}  {}; {}", setting.allowed(), setting.help);
    }
}
