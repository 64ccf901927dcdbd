//! Forks and races, driven through the window's accessibility tree and its pointer.

#![cfg(feature = "gui")]

mod support;

use egui::{Key, Modifiers, Role, vec2};
use egui_kittest::kittest::Queryable;
use scorescope::app::{App, Position};
use scorescope::model::Mixture;
use scorescope::training::{Activity, BranchId, Experiment, Prepared, Run};
use support::window::{Window, app, click, drag, mixture, press, save_as, step, until, window};

const TRUNK: BranchId = BranchId::TRUNK;

/// The window on an experiment of few points, and the folder that it lies in.
fn opened(algorithm: &str, max_iter: usize) -> (Window, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("race.toml");
    let text = format!(
        "[data]\ndataset = 'halfmoons'\nn_samples = 600\n[model]\nn_components = 5\n\
         [algorithm]\nname = '{algorithm}'\nmax_iter = {max_iter}\ntol = 0.0\n"
    );
    std::fs::write(&path, text).unwrap();
    let mut window = window(Some(&path));
    until(&mut window, "the experiment", |app| {
        app.snapshot().is_some_and(|s| s.mixture.components().len() == 5)
    });
    (window, folder)
}

fn run_to_the_end(window: &mut Window) {
    press(window, Modifiers::NONE, Key::End);
    until(window, "the end", |app| {
        runs(app).into_iter().all(|id| {
            id != app.view().run && !app.view().race.is_on
                || app
                    .snapshot_of(id)
                    .is_some_and(|snapshot| matches!(snapshot.activity, Activity::Finished(_)))
        })
    });
}

fn runs(app: &App) -> Vec<BranchId> {
    app.experiment().runs().collect()
}

fn go_to(window: &mut Window, wanted: usize) {
    window.get_by_role_and_label(Role::Slider, "Time").set_value_accesskit(wanted as f64);
    until(window, "that step", |app| app.shown().unwrap().record.step == wanted);
}

fn shown_of(window: &Window, id: BranchId) -> Mixture {
    (*app(window).shown_of(id).unwrap().mixture).clone()
}

/// The mixture after so many steps of a run without a window.
fn fresh(experiment: &Experiment, step_count: usize) -> Mixture {
    let mut run = Run::new(experiment, Prepared::new(experiment).unwrap()).unwrap();
    for _ in 0..step_count {
        run.step().unwrap();
    }
    run.mixture().clone()
}

/// Forks at the step shown; gives the fork once it has begun.
fn fork(window: &mut Window) -> BranchId {
    let count = runs(app(window)).len();
    press(window, Modifiers::NONE, Key::K);
    let fork = *runs(app(window)).last().unwrap();
    assert_eq!((runs(app(window)).len(), app(window).view().run), (count + 1, fork));
    until(window, "the fork", |app| app.snapshot_of(fork).is_some());
    fork
}

#[test]
fn a_fork_at_step_37_has_its_parents_first_37_steps_to_the_bit() {
    let (mut window, _folder) = opened("nll", 60);
    run_to_the_end(&mut window);
    go_to(&mut window, 37);
    let fork = fork(&mut window);
    assert_eq!(step(app(&window)), 37);
    // Another algorithm goes on from there; the run that was left stays as it is.
    click(&mut window, "Expectation–maximization");
    until(&mut window, "the other algorithm", |app| {
        app.snapshot_of(fork).is_some_and(|s| s.experiment.algorithm_id == "em")
    });
    run_to_the_end(&mut window);
    assert_eq!((step(app(&window)), app(&window).experiment().algorithm_id.as_str()), (60, "nll"));
    let trunk = app(&window).experiment().alone(TRUNK);
    for wanted in (0..=37).rev() {
        go_to(&mut window, wanted);
        let [forked, parent] = [fork, TRUNK].map(|id| shown_of(&window, id));
        assert_eq!(forked, parent, "{wanted}");
        if wanted % 9 == 0 {
            assert_eq!(forked, fresh(&trunk, wanted), "{wanted}");
        }
    }
    go_to(&mut window, 45);
    assert_ne!(shown_of(&window, fork), shown_of(&window, TRUNK));
    // Rewound, it is where it left.
    press(&mut window, Modifiers::NONE, Key::Home);
    until(&mut window, "its beginning", |app| step(app) == 37);
    assert_eq!(app(&window).snapshot_of(TRUNK).unwrap().record.step, 60);
}

#[test]
fn a_fork_that_changes_nothing_ends_where_its_parent_did() {
    let (mut window, _folder) = opened("ssm", 50);
    run_to_the_end(&mut window);
    let end = mixture(&window);
    go_to(&mut window, 20);
    let fork = fork(&mut window);
    run_to_the_end(&mut window);
    assert_eq!(mixture(&window), end);
    // By keyboard back to the run that it left, and away with the fork.
    press(&mut window, Modifiers::NONE, Key::PageUp);
    assert_eq!(app(&window).view().run, TRUNK);
    press(&mut window, Modifiers::NONE, Key::PageDown);
    assert_eq!(app(&window).view().run, fork);
    press(&mut window, Modifiers::SHIFT, Key::Delete);
    assert_eq!((runs(app(&window)), app(&window).view().run), (vec![TRUNK], TRUNK));
    press(&mut window, Modifiers::COMMAND, Key::Z);
    assert_eq!(runs(app(&window)), [TRUNK, fork]);
    // It needs what it left, which is still there.
    until(&mut window, "the fork again", |app| {
        app.snapshot_of(fork).is_some_and(|s| s.record.step == 20)
    });
}

#[test]
fn six_runs_are_the_most_and_it_says_so() {
    let (mut window, _folder) = opened("em", 20);
    run_to_the_end(&mut window);
    for _ in 0..5 {
        go_to(&mut window, 7);
        fork(&mut window);
        press(&mut window, Modifiers::NONE, Key::PageUp);
    }
    press(&mut window, Modifiers::NONE, Key::K);
    assert_eq!(runs(app(&window)).len(), 6);
    let notice = app(&window).notice().unwrap().text.clone();
    assert!(notice.starts_with("6 runs are the most"), "{notice}");
}

#[test]
fn one_click_makes_a_race_of_four_from_one_start() {
    let (mut window, _folder) = opened("em", 40);
    let start = mixture(&window);
    click(&mut window, "Race EM, NLL, SM and SSM-VR");
    until(&mut window, "four runs", |app| {
        runs(app).len() == 4 && runs(app).into_iter().all(|id| app.snapshot_of(id).is_some())
    });
    let ids = runs(app(&window));
    let algorithms: Vec<_> =
        ids.iter().map(|id| app(&window).experiment().algorithm_of(*id).id).collect();
    assert_eq!(algorithms, ["em", "nll", "sm", "ssm"]);
    for id in &ids {
        let same = shown_of(&window, *id);
        let pairs = same.components().iter().zip(start.components());
        for (a, b) in pairs {
            let [dx, dy] = [0, 1].map(|i| a.gaussian.mean[i] - b.gaussian.mean[i]);
            assert!(dx.hypot(dy) < 1e-12, "{id}");
        }
    }
    run_to_the_end(&mut window);
    for id in &ids {
        let snapshot = app(&window).snapshot_of(*id).unwrap();
        assert_eq!(snapshot.record.step, 40, "{id}");
        assert_eq!(*snapshot.mixture, fresh(&app(&window).experiment().alone(*id), 40), "{id}");
    }
    // They are scrubbed together.
    go_to(&mut window, 11);
    for id in &ids {
        assert_eq!(app(&window).shown_of(*id).unwrap().record.step, 11, "{id}");
    }
    // All look at the same points.
    let dataset = app(&window).snapshot().unwrap().prepared.dataset.clone();
    for id in &ids {
        let other = &app(&window).snapshot_of(*id).unwrap().prepared.dataset;
        assert!(std::sync::Arc::ptr_eq(&dataset, other));
    }
}

#[test]
fn linked_canvases_move_together_and_a_click_chooses() {
    let (mut window, _folder) = opened("em", 5);
    press(&mut window, Modifiers::NONE, Key::R);
    until(&mut window, "four runs", |app| {
        runs(app).len() == 4 && runs(app).into_iter().all(|id| app.snapshot_of(id).is_some())
    });
    window.run_steps(5);
    let other =
        |window: &Window| window.get_by_role_and_label(Role::Canvas, "Canvas of run 2: NLL").rect();
    let before = app(&window).canvas_bounds();
    // A drag on one of the others moves the chosen one's view as well.
    let place = other(&window).lerp_inside(vec2(0.5, 0.8));
    drag(&mut window, &[place, place + vec2(10.0, 0.0), place + vec2(40.0, -20.0)]);
    window.run_steps(5);
    let after = app(&window).canvas_bounds();
    let width = before.max[0] - before.min[0];
    assert!(after.min[0] < before.min[0] - 0.05 * width, "{before:?} {after:?}");
    assert!((after.max[0] - after.min[0] - width).abs() < 1e-6 * width);
    assert_eq!(app(&window).view().run, TRUNK);
    // A click chooses; the algorithm on the left is then that one's.
    let place = other(&window).lerp_inside(vec2(0.5, 0.8));
    drag(&mut window, &[place]);
    let nll = runs(app(&window))[1];
    assert_eq!(app(&window).view().run, nll);
    window.run_steps(5);
    assert!(window.query_by_role_and_label(Role::Canvas, "Canvas of run 1: EM").is_some());
    assert_eq!(app(&window).canvas_bounds().min[0], after.min[0]);
    press(&mut window, Modifiers::SHIFT, Key::R);
    assert!(!app(&window).view().race.is_on);
    window.run_steps(5);
    assert!((app(&window).canvas_bounds().max[0] - after.max[0]).abs() < 2.0 * width);
}

#[test]
fn the_stopwatch_is_dragged_and_tells_who_was_first() {
    let (mut window, folder) = opened("em", 60);
    press(&mut window, Modifiers::NONE, Key::R);
    until(&mut window, "four runs", |app| runs(app).len() == 4);
    run_to_the_end(&mut window);
    click(&mut window, "stopwatch");
    let target = |window: &Window| app(window).view().race.target;
    let before = target(&window).unwrap();
    let field = window.get_by_role_and_label(Role::SpinButton, "Stopwatch");
    assert!(field.rect().is_positive());
    // The line lies at 0.3 of the plot's height; a bit of the frame belongs to the axis below.
    let plot = window.get_by_label("Plot: Race").rect();
    let at = (0..100)
        .map(|i| plot.lerp_inside(vec2(0.6, 0.02 + 0.0098 * i as f32)))
        .find(|at| {
            window.hover_at(*at);
            window.run_steps(2);
            window.output().platform_output.cursor_icon == egui::CursorIcon::ResizeVertical
        })
        .unwrap();
    drag(&mut window, &[at, at + vec2(0.0, -6.0), at + vec2(0.0, -25.0)]);
    assert!(target(&window).unwrap() > before, "{:?}", target(&window));
    // The line was moved, not the time.
    assert_eq!(app(&window).view().position, Position::Newest);
    let wanted = target(&window).unwrap();
    press(&mut window, Modifiers::COMMAND, Key::E);
    click(&mut window, "What");
    window.get_all_by_label("curves as numbers").last().unwrap().click();
    window.run_steps(3);
    let table = save_as(&mut window, "CSV", &folder.path().join("race.csv"));
    let table = String::from_utf8(table).unwrap();
    assert!(table.starts_with("run,step,seconds,objective,train_nll,val_nll,evaluations"));
    assert_eq!(table.lines().count(), 1 + 4 * 61);
    let first_step = |run: &str| {
        let rows = table.lines().skip(1).map(|line| line.split(',').collect::<Vec<_>>());
        let reached = |row: &Vec<&str>| row[0] == run && row[4].parse::<f64>().unwrap() <= wanted;
        rows.into_iter().find(reached).map(|row| row[1].to_owned())
    };
    let first = first_step("1").unwrap();
    assert!(window.query_all_by_label_contains(&format!("step {first}")).count() > 0, "{first}");
}
