//! Going back and forth in time, driven through the window's accessibility tree.

#![cfg(feature = "gui")]

mod support;

use std::time::{Duration, Instant};

use egui::{Key, Modifiers, Role, vec2};
use egui_kittest::kittest::Queryable;
use scorescope::app::{App, Position};
use scorescope::model::{Density, Mixture};
use scorescope::random::{Purpose, generator};
use scorescope::training::{Activity, Prepared, Run};
use support::window::{
    Window, app, click, drag, fill, mixture, press, settle, step, until, window,
};

/// The window after fifty steps, and the folder that its experiment lies in.
fn after_fifty_steps() -> (Window, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("fifty.toml");
    std::fs::write(&path, "[data]\ndataset = 'halfmoons'\n[algorithm]\nmax_iter = 50\n").unwrap();
    let mut window = window(Some(&path));
    until(&mut window, "the experiment", |app| {
        app.snapshot().is_some()
            && app.experiment().algorithm.integer(&scorescope::algorithms::MAX_ITER) == 50
    });
    press(&mut window, Modifiers::NONE, Key::End);
    until(&mut window, "the end", |app| {
        step(app) == 50 && matches!(app.snapshot().unwrap().activity, Activity::Finished(_))
    });
    (window, folder)
}

fn shown_step(app: &App) -> usize {
    app.shown().unwrap().record.step
}

fn shown_mixture(window: &Window) -> Mixture {
    (*app(window).shown().unwrap().mixture).clone()
}

fn position(window: &Window) -> Position {
    app(window).view().position
}

/// The mixture after so many steps of a run without a window.
fn fresh(window: &Window, step_count: usize) -> Mixture {
    let experiment = app(window).experiment();
    let mut run = Run::new(experiment, Prepared::new(experiment).unwrap()).unwrap();
    for _ in 0..step_count {
        run.step().unwrap();
    }
    run.mixture().clone()
}

fn go_to(window: &mut Window, wanted: usize) {
    window.get_by_role_and_label(Role::Slider, "Time").set_value_accesskit(wanted as f64);
    until(window, "that step", |app| shown_step(app) == wanted);
}

#[test]
fn an_old_step_is_the_one_that_a_fresh_run_reaches_to_the_bit() {
    let (mut window, _folder) = after_fifty_steps();
    assert_eq!(position(&window), Position::Newest);
    go_to(&mut window, 37);
    assert_eq!(shown_mixture(&window), fresh(&window, 37));
    assert!(window.query_by_label("step 37 of 50").is_some());
    press(&mut window, Modifiers::NONE, Key::ArrowLeft);
    assert_eq!(shown_step(app(&window)), 36);
    assert_eq!(shown_mixture(&window), fresh(&window, 36));
    // Nothing was trained meanwhile, and nothing lost.
    assert_eq!(mixture(&window), fresh(&window, 50));
    press(&mut window, Modifiers::NONE, Key::ArrowRight);
    assert_eq!((shown_step(app(&window)), step(app(&window))), (37, 50));
    press(&mut window, Modifiers::SHIFT, Key::End);
    assert_eq!(position(&window), Position::Newest);
    assert_eq!(shown_mixture(&window), fresh(&window, 50));
    // At the newest step there is a new one to train.
    press(&mut window, Modifiers::NONE, Key::ArrowRight);
    until(&mut window, "a new step", |app| step(app) == 51 && shown_step(app) == 51);
}

#[test]
fn the_slider_and_the_nll_plot_are_dragged_through_time() {
    let (mut window, _folder) = after_fifty_steps();
    let rail = window.get_by_role_and_label(Role::Slider, "Time").rect();
    let place = |share: f32| rail.lerp_inside(vec2(share, 0.5));
    drag(&mut window, &[place(0.9), place(0.7), place(0.5)]);
    let middle = shown_step(app(&window));
    assert!((22..=28).contains(&middle), "{middle}");
    assert_eq!(shown_mixture(&window), fresh(&window, middle));
    drag(&mut window, &[place(0.5), place(0.01)]);
    assert_eq!(shown_step(app(&window)), 0);
    // At its right end it follows what comes.
    drag(&mut window, &[place(0.5), place(0.99)]);
    assert_eq!(position(&window), Position::Newest);
    for label in ["Plot: Negative log-likelihood", "Plot: Objective"] {
        let plot = window.get_by_label_contains(label).rect();
        drag(&mut window, &[plot.center(), plot.lerp_inside(vec2(0.7, 0.5))]);
        let there = shown_step(app(&window));
        assert!((25..45).contains(&there), "{label}: {there}");
        assert_eq!(position(&window), Position::At(there), "{label}");
        press(&mut window, Modifiers::SHIFT, Key::End);
    }
}

#[test]
fn training_goes_on_behind_an_old_step_and_play_returns_to_the_newest() {
    let mut window = window(None);
    press(&mut window, Modifiers::NONE, Key::Space);
    until(&mut window, "ten steps", |app| step(app) >= 10);
    go_to(&mut window, 7);
    let then = step(app(&window));
    until(&mut window, "five more steps", |app| step(app) >= then + 5);
    assert_eq!((shown_step(app(&window)), position(&window)), (7, Position::At(7)));
    assert_eq!(shown_mixture(&window), fresh(&window, 7));
    press(&mut window, Modifiers::NONE, Key::Space);
    until(&mut window, "a pause", |app| app.snapshot().unwrap().activity == Activity::Paused);
    assert_eq!(shown_step(app(&window)), 7);
    let then = step(app(&window));
    press(&mut window, Modifiers::NONE, Key::Space);
    assert_eq!(position(&window), Position::Newest);
    until(&mut window, "more steps", |app| step(app) > then && shown_step(app) > then);
}

#[test]
fn rewinding_forgets_the_steps() {
    let (mut window, _folder) = after_fifty_steps();
    go_to(&mut window, 20);
    press(&mut window, Modifiers::NONE, Key::O);
    press(&mut window, Modifiers::NONE, Key::Home);
    until(&mut window, "the start", |app| step(app) == 0 && shown_step(app) == 0);
    assert_eq!(position(&window), Position::Newest);
    assert_eq!(app(&window).view().playback_range(), None);
    assert_eq!(shown_mixture(&window), fresh(&window, 0));
    assert!(window.query_by_label("step 0").is_some());
    // There is no past to go back to.
    press(&mut window, Modifiers::NONE, Key::ArrowLeft);
    assert_eq!((shown_step(app(&window)), position(&window)), (0, Position::Newest));
}

#[test]
fn time_plays_backwards_and_forwards_and_stops_at_its_ends() {
    let (mut window, _folder) = after_fifty_steps();
    press(&mut window, Modifiers::SHIFT, Key::ArrowLeft);
    let mut steps = Vec::new();
    let began = Instant::now();
    while shown_step(app(&window)) > 0 {
        assert!(began.elapsed() < Duration::from_secs(30), "{steps:?}");
        steps.push(shown_step(app(&window)));
        window.step();
    }
    assert!(steps.is_sorted_by(|a, b| a >= b), "{steps:?}");
    assert!(steps.len() > 50, "{steps:?}");
    click(&mut window, "Play again");
    until(&mut window, "something in between", |app| shown_step(app) > 5);
    // Space stops it, and trains nothing.
    press(&mut window, Modifiers::NONE, Key::Space);
    let there = shown_step(app(&window));
    settle(&mut window);
    assert_eq!((shown_step(app(&window)), step(app(&window))), (there, 50));
    click(&mut window, "Play again");
    until(&mut window, "the newest step", |app| app.view().position == Position::Newest);
    settle(&mut window);
    assert_eq!(step(app(&window)), 50);
}

#[test]
fn a_range_is_looped() {
    let (mut window, _folder) = after_fifty_steps();
    go_to(&mut window, 10);
    press(&mut window, Modifiers::NONE, Key::OpenBracket);
    go_to(&mut window, 13);
    press(&mut window, Modifiers::NONE, Key::CloseBracket);
    assert_eq!(app(&window).view().playback_range(), Some([10, 13]));
    // Its ends can be moved, but not past each other.
    window.get_by_role_and_label(Role::Slider, "End of the loop").increment_accesskit();
    window.run_steps(3);
    assert_eq!(app(&window).view().playback_range(), Some([10, 14]));
    let start = window.get_by_role_and_label(Role::Slider, "Start of the loop").rect();
    let end = window.get_by_role_and_label(Role::Slider, "End of the loop").rect();
    drag(&mut window, &[start.center(), end.center()]);
    let [from, to] = app(&window).view().playback_range().unwrap();
    assert_eq!([from, to], [13, 14]);
    press(&mut window, Modifiers::SHIFT, Key::ArrowRight);
    let mut turns = 0;
    let mut last = shown_step(app(&window));
    let began = Instant::now();
    while turns < 3 {
        assert!(began.elapsed() < Duration::from_secs(30));
        window.step();
        let now = shown_step(app(&window));
        assert!((from..=to).contains(&now), "{now}");
        turns += usize::from(now < last);
        last = now;
    }
    click(&mut window, "Loop");
    assert_eq!(app(&window).view().playback_range(), None);
}

#[test]
fn what_is_exported_is_the_step_that_is_shown() {
    let (mut window, folder) = after_fifty_steps();
    go_to(&mut window, 12);
    let saved = |window: &mut Window, what: &str, format: &str| {
        press(window, Modifiers::COMMAND, Key::E);
        if what != "canvas" {
            click(window, "What");
            window.get_all_by_label(what).last().unwrap().click();
            window.run_steps(3);
        }
        click(window, format);
        let path = folder.path().join(format!("{what}.{}", format.to_lowercase()));
        fill(window, "Path", &path.display().to_string());
        click(window, "Save");
        let began = Instant::now();
        while !path.exists() {
            assert!(began.elapsed() < Duration::from_secs(30), "{what}");
            window.step();
            std::thread::sleep(Duration::from_millis(5));
        }
        std::fs::read_to_string(path).unwrap()
    };
    assert!(saved(&mut window, "canvas", "SVG").contains("K = 12, step 12"));
    let nll = saved(&mut window, "NLL plot", "SVG");
    let record = app(&window).shown().unwrap().record;
    assert!(nll.contains(&format!("training {:.4}", record.train_nll)));
    // Samples are drawn with the step's own seed.
    let samples = saved(&mut window, "samples", "CSV");
    let first: Vec<f64> =
        samples.lines().nth(1).unwrap().split(',').map(|number| number.parse().unwrap()).collect();
    let mut rng = generator(12, Purpose::Samples);
    assert_eq!(first, fresh(&window, 12).sample(1, &mut rng)[0]);
    let json = saved(&mut window, "model (step shown)", "JSON");
    let file: serde_json::Value = serde_json::from_str(&json).unwrap();
    let mean = fresh(&window, 12).components()[0].gaussian.mean;
    assert_eq!(file["means_"][0][0].as_f64(), Some(mean[0]));
    assert_eq!(file["converged_"], false);
}
