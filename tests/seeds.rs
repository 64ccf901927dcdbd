//! Many seeds in the window, driven through its accessibility tree and the pointer.

#![cfg(feature = "gui")]

mod support;

use std::path::PathBuf;

use egui::{Key, Modifiers, PointerButton, Role, vec2};
use egui_kittest::kittest::Queryable;
use scorescope::algorithms::initial;
use scorescope::app::Plots;
use scorescope::training::Activity;
use scorescope::training::spread::{Likelihood, near_best};
use support::window::{Window, app, click, press, save_as, step, until, window};

/// The window on a small experiment, looking at ten seeds of it.
fn small(folder: &tempfile::TempDir, more: &str) -> Window {
    let path: PathBuf = folder.path().join("small.toml");
    let text = format!(
        "[data]\ndataset = 'ring'\nn_samples = 200\n[model]\nn_components = 6\n\
         [start]\ninit_params = 'random'\nrandom_state = 77\n[algorithm]\n{more}\n"
    );
    std::fs::write(&path, text).unwrap();
    let mut window = window(Some(&path));
    until(&mut window, "the experiment", |app| {
        app.snapshot().is_some_and(|s| s.mixture.components().len() == 6)
    });
    window.state_mut().as_mut().unwrap().view_mut().seeds.count = 10;
    click(&mut window, "Many seeds");
    window
}

fn run(window: &mut Window) {
    click(window, "Run many seeds");
    until(window, "ten runs", |app| !app.is_running_seeds());
    assert_eq!(app(window).seeds().len(), 10);
}

fn seed(window: &Window) -> usize {
    app(window).experiment().start.integer(&initial::RANDOM_STATE)
}

/// Trains what is on the canvas to its end, which has to be that of this seed.
fn ends_as_that_run(window: &mut Window, seed: usize) {
    until(window, "the start of that run", |app| {
        let start = &app.snapshot().unwrap().experiment.start;
        start.integer(&initial::RANDOM_STATE) == seed && step(app) == 0
    });
    press(window, Modifiers::NONE, Key::End);
    until(window, "its end", |app| {
        matches!(app.snapshot().unwrap().activity, Activity::Finished(_))
    });
    let (snapshot, member) = (app(window).snapshot().unwrap(), &app(window).seeds()[seed]);
    assert_eq!(snapshot.record.step, member.last().step);
    assert_eq!(*snapshot.mixture, member.mixture, "to the bit");
}

#[test]
fn ten_seeds_are_run_and_one_of_them_is_loaded_by_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let mut window = small(&folder, "max_iter = 60");
    window.get_by_role_and_label(Role::SpinButton, "Starts");
    run(&mut window);
    let seeds: Vec<u32> = app(&window).seeds().iter().map(|member| member.seed).collect();
    assert_eq!(seeds, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);

    let finals = Likelihood::Training.finals(app(&window).seeds());
    let near = near_best(&finals, 0.03);
    let share = format!("{near} of 10 ({} %)", 10 * near);
    assert!(window.query_by_label(&share).is_some(), "{share}");
    window.state_mut().as_mut().unwrap().view_mut().seeds.margin = 10.0;
    window.run_steps(3);
    assert!(window.query_by_label("10 of 10 (100 %)").is_some());

    let best = (0..10).min_by(|&a, &b| finals[a].total_cmp(&finals[b])).unwrap();
    click(&mut window, "Load a run");
    click(&mut window, &format!("seed {best} · {:.4}", finals[best]));
    assert_eq!(seed(&window), best);
    ends_as_that_run(&mut window, best);
    // The others are still there, and undo goes back to the start before.
    assert_eq!(app(&window).seeds().len(), 10);
    press(&mut window, Modifiers::COMMAND, Key::Z);
    assert_eq!(seed(&window), 77);
}

#[test]
fn a_click_on_a_line_loads_that_very_run() {
    let folder = tempfile::tempdir().unwrap();
    let mut window = small(&folder, "max_iter = 60");
    run(&mut window);
    let plot = window.get_by_label("Plot: Many seeds: 10 starts").rect();
    // Up along the right side, where all lines are level, until one is met.
    let mut places = (1..80).map(|i| plot.lerp_inside(vec2(0.9, 0.99 - 0.012 * i as f32)));
    while seed(&window) == 77 {
        let place = places.next().expect("there are ten lines");
        window.hover_at(place);
        window.step();
        for pressed in [true, false] {
            window.event(egui::Event::PointerButton {
                pos: place,
                button: PointerButton::Primary,
                pressed,
                modifiers: Modifiers::NONE,
            });
            window.step();
        }
        window.run_steps(2);
    }
    let loaded = seed(&window);
    assert!(loaded < 10, "{loaded}");
    ends_as_that_run(&mut window, loaded);
}

#[test]
fn another_experiment_marks_them_as_former_and_undo_makes_them_current() {
    let folder = tempfile::tempdir().unwrap();
    let mut window = small(&folder, "max_iter = 20");
    run(&mut window);
    let is_former = |window: &Window| {
        let text = "Of the experiment before it was changed: undo the change, or run them again.";
        window.query_by_label(text).is_some()
    };
    assert!(!is_former(&window));
    press(&mut window, Modifiers::NONE, Key::N);
    assert!(!is_former(&window), "another seed is the same experiment");
    click(&mut window, "Spirals");
    assert!(is_former(&window));
    assert_eq!(app(&window).seeds().len(), 10);
    press(&mut window, Modifiers::COMMAND, Key::Z);
    assert!(!is_former(&window));
}

#[test]
fn they_can_be_cancelled_and_another_experiment_stops_them() {
    let folder = tempfile::tempdir().unwrap();
    // Days of training.
    let mut window = small(&folder, "max_iter = 1000000\ntol = 0");
    window.state_mut().as_mut().unwrap().view_mut().plots = Plots::Run;
    // From the keyboard, wherever one is.
    press(&mut window, Modifiers::SHIFT, Key::N);
    assert!(app(&window).is_running_seeds());
    let bar = "Many seeds: 0 of 10 starts are done";
    assert!(window.query_by_label(bar).is_some());
    click(&mut window, "Cancel many seeds");
    assert!(!app(&window).is_running_seeds());
    click(&mut window, "Run many seeds");
    assert!(app(&window).is_running_seeds());
    click(&mut window, "Spirals");
    assert!(!app(&window).is_running_seeds());
}

#[test]
fn they_can_be_exported() {
    let folder = tempfile::tempdir().unwrap();
    let mut window = small(&folder, "max_iter = 20");
    press(&mut window, Modifiers::COMMAND, Key::E);
    click(&mut window, "What");
    assert!(window.query_by_label("many seeds: curves").is_none(), "there are none yet");
    press(&mut window, Modifiers::NONE, Key::Escape);
    press(&mut window, Modifiers::NONE, Key::Escape);
    run(&mut window);
    for (what, format) in [
        ("many seeds: curves", "SVG"),
        ("many seeds: final values", "PNG"),
        ("many seeds as numbers", "CSV"),
    ] {
        press(&mut window, Modifiers::COMMAND, Key::E);
        click(&mut window, "What");
        click(&mut window, what);
        let path = folder.path().join(format!("{what}.{}", format.to_lowercase()));
        let bytes = save_as(&mut window, format, &path);
        match format {
            "CSV" => {
                let text = String::from_utf8(bytes).unwrap();
                assert_eq!(text.lines().count(), 11);
                assert!(text.starts_with("seed,steps,converged,objective,train_nll,val_nll\n0,20"));
            }
            "SVG" => assert!(String::from_utf8(bytes).unwrap().contains("standard deviation")),
            _ => assert!(bytes.starts_with(b"\x89PNG")),
        }
    }
}
