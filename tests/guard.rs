//! When training breaks, the window says why and offers what helps.

#![cfg(feature = "gui")]

mod support;

use egui::{Key, Modifiers};
use egui_kittest::kittest::Queryable;
use scorescope::app::{App, Guard};
use scorescope::model::REG_COVAR;
use scorescope::training::guard::Symptom;
use scorescope::training::{Activity, Finish};
use support::window::{Window, app, click, collapsing, press, step, until, window};

fn opened() -> (Window, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("collapse.toml");
    std::fs::write(&path, collapsing().to_toml().unwrap()).unwrap();
    let mut window = window(Some(&path));
    until(&mut window, "the experiment", |app| {
        app.snapshot().is_some_and(|s| s.mixture.components().len() == 3)
    });
    (window, folder)
}

fn symptom(app: &App) -> Option<Symptom> {
    match &app.snapshot()?.activity {
        Activity::Finished(Finish::Broken(symptom)) => Some(symptom.clone()),
        _ => None,
    }
}

fn play_until_it_breaks(window: &mut Window) -> usize {
    press(window, Modifiers::NONE, Key::End);
    until(window, "a collapse", |app| symptom(app).is_some());
    let broken = symptom(app(window)).unwrap();
    assert_eq!(broken.component(), Some(2), "{broken}");
    assert!(
        window
            .query_by_label_contains("Component 3 collapses onto a point or a line near")
            .is_some()
    );
    assert!(window.query_by_label_contains("lowers the loss like −2/(n r²)").is_some());
    step(app(window))
}

#[test]
fn a_collapse_is_explained_and_the_component_restarted() {
    let (mut window, _folder) = opened();
    let broken_at = play_until_it_breaks(&mut window);
    click(&mut window, "Restart this component");
    let fork = app(&window).experiment().branches[0].clone();
    assert_eq!((fork.step, fork.given.len()), (broken_at, 3));
    until(&mut window, "the fork", |app| app.snapshot_of(fork.id).is_some());
    let fresh = app(&window).snapshot_of(fork.id).unwrap().mixture.components()[2];
    let [longer, _] = fresh.gaussian.cholesky.ellipse(1.0).semi_axes;
    assert!(longer > 0.1 && fresh.weight() > 0.2, "{fresh:?}");
    assert!(window.query_by_label("Restart this component").is_none());
}

#[test]
fn a_floor_starts_again_and_nothing_collapses() {
    let (mut window, _folder) = opened();
    play_until_it_breaks(&mut window);
    click(&mut window, "Start again with a floor");
    assert_eq!(app(&window).experiment().model.number(&REG_COVAR), 1e-4);
    until(&mut window, "a new start", |app| step(app) == 0);
    press(&mut window, Modifiers::NONE, Key::End);
    until(&mut window, "the end", |app| {
        matches!(app.snapshot().unwrap().activity, Activity::Finished(_)) && step(app) > 0
    });
    assert_eq!(symptom(app(&window)), None);
}

#[test]
fn a_teacher_can_go_on_once_or_for_ever() {
    let (mut window, _folder) = opened();
    let broken_at = play_until_it_breaks(&mut window);
    click(&mut window, "Go on");
    until(&mut window, "more steps", |app| step(app) > broken_at + 3);
    press(&mut window, Modifiers::NONE, Key::Home);
    until(&mut window, "the start", |app| step(app) == 0);
    // Rewound, it is told again.
    play_until_it_breaks(&mut window);
    click(&mut window, "Never stop");
    assert_eq!(app(&window).view().guard, Guard::Off);
    until(&mut window, "more steps", |app| step(app) > broken_at + 3);
    press(&mut window, Modifiers::NONE, Key::Home);
    until(&mut window, "the start", |app| step(app) == 0);
    press(&mut window, Modifiers::NONE, Key::End);
    until(&mut window, "steps beyond the collapse", |app| step(app) > broken_at + 3);
}

#[test]
fn denoising_leaves_at_the_last_step() {
    let (mut window, _folder) = opened();
    let broken_at = play_until_it_breaks(&mut window);
    click(&mut window, "Fork with denoising");
    let fork = &app(&window).experiment().branches[0];
    assert_eq!((fork.step, fork.algorithm_id.as_str()), (broken_at, "dsm"));
}

#[test]
fn steps_that_are_too_long_are_halved() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("wild.toml");
    let text = "[data]\ndataset = 'halfmoons'\nn_samples = 400\n[model]\nn_components = 4\nreg_covar = 0.0\n\
                [algorithm]\nname = 'sm'\noptimizer = 'sgd'\nlearning_rate = 10.0\n";
    std::fs::write(&path, text).unwrap();
    let mut window = window(Some(&path));
    until(&mut window, "the experiment", |app| app.experiment().algorithm_id == "sm");
    press(&mut window, Modifiers::NONE, Key::End);
    until(&mut window, "trouble", |app| {
        let activity = app.snapshot().map(|snapshot| snapshot.activity.clone());
        matches!(activity, Some(Activity::Finished(Finish::Broken(_) | Finish::Failed(_))))
    });
    for _ in 0..20 {
        // What comes first depends on the start; going on, it is the steps in the end.
        if window.query_by_label("Halve the steps").is_some() {
            break;
        }
        click(&mut window, "Go on");
        window.run_steps(10);
        std::thread::sleep(std::time::Duration::from_millis(50));
        window.run_steps(5);
    }
    let rate = |window: &Window| {
        let experiment = app(window).experiment();
        experiment.algorithm.number(&scorescope::algorithms::LEARNING_RATE)
    };
    assert_eq!(rate(&window), 10.0);
    click(&mut window, "Halve the steps");
    assert_eq!(rate(&window), 5.0);
}
