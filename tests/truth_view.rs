//! The tab "Truth": distances from the known density, driven through the window.

#![cfg(feature = "gui")]

mod support;

use std::path::PathBuf;
use std::time::Duration;

use egui::{Key, Modifiers, Role};
use egui_kittest::kittest::{NodeT, Queryable};
use scorescope::algorithms::MAX_ITER;
use scorescope::app::{App, Plots};
use scorescope::data::generators;
use scorescope::model::Truth;
use scorescope::settings::Settings;
use scorescope::training::{BranchId, Source, Verdict};
use support::window::{Window, app, click, press, save_as, step, until, window};

/// The window with this experiment and the tab open.
fn on_truth(name: &str, text: &str) -> Window {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}.toml"));
    std::fs::write(&path, text).unwrap();
    let mut window = window(Some(&path));
    until(&mut window, "the experiment", |app| app.experiment().algorithm.integer(&MAX_ITER) == 40);
    click(&mut window, "Truth");
    window
}

fn is_judged(app: &App) -> bool {
    app.truth().is_some() && !app.is_judging()
}

fn verdicts(app: &App, id: BranchId) -> Vec<Verdict> {
    app.verdicts(id).map_or_else(Vec::new, |all| all.iter().copied().collect())
}

const RING: &str = "[data]\ndataset = 'ring'\nn_samples = 800\n[model]\nn_components = 8\n\
                    [algorithm]\nmax_iter = 40\ntol = 0.0\n";

#[test]
fn every_step_is_held_against_the_truth() {
    let mut window = on_truth("truth-ring", RING);
    press(&mut window, Modifiers::NONE, Key::End);
    until(&mut window, "the end", |app| step(app) == 40);
    until(&mut window, "all verdicts", is_judged);
    let all = verdicts(app(&window), BranchId::TRUNK);
    assert!(all.iter().map(|verdict| verdict.record.step).eq(0..=40));
    // The window's number is the library's: of the last step, on a truth of its own.
    let ring = generators::find("ring").unwrap();
    let truth = Truth::new(ring.density.unwrap()(&Settings::default()).unwrap());
    let snapshot = app(&window).snapshot().unwrap();
    assert_eq!(all[40].divergence, truth.compare(&*snapshot.mixture));
    assert_eq!(all[40].record, snapshot.record);
    // EM makes it better, and explicit minus implicit stays what it was.
    assert!(all[40].divergence.kl.value < 0.5 * all[0].divergence.kl.value);
    for verdict in &all {
        let constant = verdict.divergence.constant;
        let off = (constant.value - truth.information.value).abs();
        assert!(off <= constant.error + truth.information.error, "{verdict:?}");
    }
    assert!(window.query_by_label_contains("Flat at ½ E‖∇ log p‖²").is_some());
    // The step that is looked at has its own row.
    window.get_by_role_and_label(Role::Slider, "Time").set_value_accesskit(7.0);
    window.run_steps(5);
    assert!(window.query_by_label("step 7").is_some());
    let written = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("truth.csv");
    let _ = std::fs::remove_file(&written);
    press(&mut window, Modifiers::COMMAND, Key::E);
    click(&mut window, "What");
    click(&mut window, "truth: numbers");
    let table = String::from_utf8(save_as(&mut window, "CSV", &written)).unwrap();
    let mut lines = table.lines();
    assert!(lines.next().unwrap().starts_with("run,step,seconds,evaluations,kl,kl_error,fisher"));
    let rows: Vec<Vec<f64>> =
        lines.map(|line| line.split(',').map(|v| v.parse().unwrap()).collect()).collect();
    assert_eq!((rows.len(), rows[40][4]), (41, all[40].divergence.kl.value));
}

#[test]
fn verdicts_begin_anew_with_the_run_and_with_the_data() {
    let mut window = on_truth("truth-anew", RING);
    press(&mut window, Modifiers::NONE, Key::End);
    until(&mut window, "the end", |app| step(app) == 40);
    until(&mut window, "all verdicts", is_judged);
    let before = verdicts(app(&window), BranchId::TRUNK);
    press(&mut window, Modifiers::NONE, Key::R);
    until(&mut window, "four runs", |app| app.experiment().branches.len() == 3);
    // The race looks at its curves; back to the tab.
    click(&mut window, "Truth");
    press(&mut window, Modifiers::NONE, Key::Home);
    until(&mut window, "the start", |app| {
        app.experiment().runs().all(|id| verdicts(app, id).len() == 1)
    });
    for id in app(&window).experiment().runs() {
        let all = verdicts(app(&window), id);
        assert_eq!(all[0].divergence, before[0].divergence, "{id}: all begin alike");
    }
    click(&mut window, "Two Gaussians");
    until(&mut window, "another truth", |app| {
        let is_other = |v: &Verdict| v.divergence.kl != before[0].divergence.kl;
        app.truth().is_some() && verdicts(app, BranchId::TRUNK).first().is_some_and(is_other)
    });
}

#[test]
fn the_line_of_a_square_is_not_flat_and_the_tab_says_why() {
    let mut window = on_truth("truth-square", &RING.replace("ring", "square"));
    press(&mut window, Modifiers::NONE, Key::End);
    until(&mut window, "the end", |app| step(app) == 40);
    until(&mut window, "all verdicts", is_judged);
    let all = verdicts(app(&window), BranchId::TRUNK);
    let constants = all.iter().map(|verdict| verdict.divergence.constant.value);
    let (low, high) = constants.fold((f64::MAX, f64::MIN), |(l, h), c| (l.min(c), h.max(c)));
    let error = all.iter().map(|v| v.divergence.constant.error).fold(0.0, f64::max);
    assert!(high - low > 0.05 && high - low > 10.0 * error, "{low} {high} ± {error}");
    assert!(window.query_by_label_contains("sharp edges").is_some());
}

#[test]
fn without_a_known_density_the_tab_says_what_to_choose() {
    let mut window = on_truth("truth-none", RING);
    for (name, words) in
        [("Pinwheel", "choose another data set"), ("Empty canvas", "n empty canvas has no density")]
    {
        click(&mut window, name);
        until(&mut window, "other data", |app| {
            app.experiment().source == Source::Nothing
                || app.experiment().generator().unwrap().id == "pinwheel"
        });
        until(&mut window, "no truth", |app| app.truth().is_none());
        let mut frames = 0;
        while window.query_by_label_contains(words).is_none() {
            assert!(frames < 1000, "{name}");
            window.step();
            std::thread::sleep(Duration::from_millis(2));
            frames += 1;
        }
        assert!(verdicts(app(&window), BranchId::TRUNK).is_empty());
    }
    assert_eq!(app(&window).view().plots, Plots::Truth);
}

#[test]
fn explicit_score_matching_exists_only_where_the_density_is_known() {
    let mut window = on_truth("truth-explicit", RING);
    click(&mut window, "Explicit score matching");
    until(&mut window, "the algorithm", |app| {
        app.snapshot().is_some_and(|s| s.experiment.algorithm_id == "esm")
    });
    press(&mut window, Modifiers::NONE, Key::ArrowRight);
    until(&mut window, "a step", |app| step(app) == 1);
    // On other data it says so, and offers the way out.
    click(&mut window, "Pinwheel");
    until(&mut window, "why not", |app| {
        app.problem().is_some_and(|p| p.starts_with("Explicit score matching needs the true score"))
    });
    let button = window.get_by_role_and_label(Role::RadioButton, "Explicit score matching");
    assert!(button.accesskit_node().is_disabled());
    click(&mut window, "Expectation–maximization");
    until(&mut window, "EM", |app| app.problem().is_none() && app.snapshot().is_some());
    click(&mut window, "Explicit score matching");
    assert_eq!(app(&window).experiment().algorithm_id, "em");
}
