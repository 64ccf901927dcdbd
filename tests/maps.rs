//! Maps in the window, driven through its accessibility tree and the pointer.

#![cfg(feature = "gui")]

mod support;

use std::path::PathBuf;

use egui::{Key, Modifiers, Pos2, Role, lerp};
use egui_kittest::kittest::Queryable;
use scorescope::app::{MapKind, MapsView, Over, Plots};
use scorescope::figures::Theme;
use scorescope::figures::basin::{ColorBy, entries};
use scorescope::model::Point;
use scorescope::training::survey::Cell;
use scorescope::training::{Activity, Experiment};
use support::window::{
    Window, app, canvas, click, click_at, on_screen, press, save_as, settle, step, until, window,
};

/// The window on a small experiment, looking at the maps.
fn small(folder: &tempfile::TempDir, more: &str) -> Window {
    let path: PathBuf = folder.path().join("small.toml");
    let text = format!(
        "[data]\ndataset = 'blobs'\nn_samples = 200\ncenters = 3\n[model]\nn_components = 2\n\
         [start]\ninit_params = 'random'\n[algorithm]\n{more}\n"
    );
    std::fs::write(&path, text).unwrap();
    let mut window = window(Some(&path));
    until(&mut window, "the experiment", |app| {
        app.snapshot().is_some_and(|s| s.mixture.components().len() == 2)
    });
    maps(&mut window).basin_detail = 32;
    maps(&mut window).landscape_detail = 32;
    click(&mut window, "Maps");
    settle(&mut window);
    window
}

fn maps(window: &mut Window) -> &mut MapsView {
    &mut window.state_mut().as_mut().unwrap().view_mut().maps
}

fn run_basin(window: &mut Window) {
    click(window, "Run basin map");
    until(window, "the basin map", |app| app.basin().is_some() && !app.is_mapping());
}

fn run_landscape(window: &mut Window) {
    press(window, Modifiers::SHIFT, Key::L);
    until(window, "the landscape", |app| app.landscape().is_some() && !app.is_mapping());
    window.run_steps(3);
}

fn train(window: &mut Window) {
    press(window, Modifiers::NONE, Key::End);
    until(window, "the end of training", |app| {
        matches!(app.snapshot().unwrap().activity, Activity::Finished(_))
    });
}

/// Where a place on the plane is on screen.
fn place_of(window: &Window, place: Point) -> Pos2 {
    on_screen(canvas(window), app(window).canvas_bounds(), place)
}

/// The experiment on the table, once its worker has taken it up.
fn taken_up(window: &mut Window) -> Experiment {
    until(window, "the start", |app| {
        app.snapshot().is_some_and(|s| *s.experiment == *app.experiment()) && step(app) == 0
    });
    app(window).experiment().clone()
}

#[test]
fn a_click_on_a_pixel_is_the_run_that_the_map_shows_and_undo_brings_the_old_start_back() {
    let folder = tempfile::tempdir().unwrap();
    let mut window = small(&folder, "max_iter = 60");
    let before = app(&window).experiment().clone();
    assert!(app(&window).basin().is_none());
    run_basin(&mut window);

    let (basin, ends) = app(&window).basin().unwrap();
    let (basin, ends) = (basin.clone(), ends.clone());
    assert_eq!(ends.cells.count(), 32 * 32);
    let entries = entries(&ends, Theme::Dark.palette());
    let sum: f64 = entries.iter().map(|entry| entry.share).sum();
    assert!((sum - 1.0).abs() < 1e-12, "{sum}");
    for entry in &entries {
        let label = entry.words();
        assert!(window.query_by_label(&label).is_some(), "{label}");
    }

    // Far from both means, so that no handle is in the way.
    let [min, max] = [basin.square.min, basin.square.max];
    let place = [lerp(min[0]..=max[0], 0.12), lerp(min[1]..=max[1], 0.15)];
    let (cell, outcome) = ends.cells.nearest(Cell::at(place, basin.square).unwrap()).unwrap();
    let at = place_of(&window, place);
    click_at(&mut window, at);
    let loaded = taken_up(&mut window);
    assert_eq!(loaded, basin.experiment_at(cell.place(basin.square)));
    assert_eq!(loaded.given[0].mean, cell.place(basin.square));
    // It is a start of the same map, and its run ends where the map says.
    assert_eq!(app(&window).basin().unwrap().1.cells.count(), 32 * 32);
    train(&mut window);
    let record = app(&window).snapshot().unwrap().record;
    assert_eq!(record.step, outcome.steps);
    assert_eq!(record.train_nll.to_bits(), outcome.train_nll.to_bits(), "to the bit");

    press(&mut window, Modifiers::COMMAND, Key::Z);
    assert_eq!(*app(&window).experiment(), before);
    // The same from the list, without a pointer.
    let worst = entries.iter().rfind(|entry| entry.optimum.is_some()).unwrap();
    click(&mut window, &worst.words());
    let first = ends.optima[worst.optimum.unwrap()].first;
    assert_eq!(*app(&window).experiment(), basin.experiment_at(first.place(basin.square)));
}

#[test]
fn the_legend_names_the_map_and_switches_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut window = small(&folder, "max_iter = 20");
    assert!(window.query_by_label("density").is_some());
    run_basin(&mut window);
    assert!(window.query_by_label("density").is_none());
    let seen = |window: &mut Window| {
        settle(window);
        let corner = canvas(window).left_bottom() + egui::vec2(30.0, -30.0);
        *window.render().unwrap().get_pixel(corner.x as u32, corner.y as u32)
    };
    let with_map = seen(&mut window);
    click(&mut window, "map");
    assert_ne!(seen(&mut window), with_map);
    click(&mut window, "map");
    assert_eq!(seen(&mut window), with_map);
    click(&mut window, "This run");
    assert_ne!(seen(&mut window), with_map);
    assert!(window.query_by_label("density").is_some());
}

#[test]
fn a_component_that_is_gone_is_not_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let mut window = small(&folder, "max_iter = 10");
    window.state_mut().as_mut().unwrap().view_mut().plots = Plots::Run;
    maps(&mut window).component = 7;
    press(&mut window, Modifiers::SHIFT, Key::B);
    until(&mut window, "the basin map", |app| app.basin().is_some() && !app.is_mapping());
    assert_eq!(app(&window).basin().unwrap().0.component, 1);
}

#[test]
fn a_map_can_be_one_of_what_the_canvas_shows() {
    let folder = tempfile::tempdir().unwrap();
    let mut window = small(&folder, "max_iter = 20");
    run_basin(&mut window);
    let whole = app(&window).basin().unwrap().0.square;
    click(&mut window, "Of what the canvas shows");
    let middle = canvas(&window).center();
    window.hover_at(middle);
    for _ in 0..8 {
        window.event(egui::Event::Zoom(1.2));
        window.run_steps(4);
    }
    settle(&mut window);
    run_basin(&mut window);
    let (basin, ends) = app(&window).basin().unwrap();
    let (square, shown) = (basin.square, app(&window).canvas_bounds());
    let [width, height] = square.size();
    assert!((width / height - 1.0).abs() < 1e-9 && width < 0.8 * whole.size()[0], "{square:?}");
    assert!((0..2).all(|i| square.min[i] >= shown.min[i] && square.max[i] <= shown.max[i]));
    assert_eq!(ends.cells.count(), 32 * 32);
}

#[test]
fn a_double_click_on_the_map_adds_no_component_and_elsewhere_it_does() {
    let folder = tempfile::tempdir().unwrap();
    let mut window = small(&folder, "max_iter = 20");
    run_basin(&mut window);
    let square = app(&window).basin().unwrap().0.square;
    let [x, y] = [0, 1].map(|axis| lerp(square.min[axis]..=square.max[axis], 0.1));
    let at = place_of(&window, [x, y]);
    click_at(&mut window, at);
    click_at(&mut window, at);
    assert_eq!(app(&window).experiment().given.len(), 2);
    click(&mut window, "This run");
    settle(&mut window);
    // Another place, or it would be the third click of the same kind.
    let at = at + egui::vec2(40.0, -60.0);
    click_at(&mut window, at);
    click_at(&mut window, at);
    assert_eq!(app(&window).experiment().given.len(), 3);
}

#[test]
fn more_detail_keeps_what_is_known_and_a_map_can_be_cancelled() {
    let folder = tempfile::tempdir().unwrap();
    let mut window = small(&folder, "max_iter = 30");
    run_basin(&mut window);
    let coarse = app(&window).basin().unwrap().1.clone();
    maps(&mut window).basin_detail = 64;
    press(&mut window, Modifiers::SHIFT, Key::B);
    until(&mut window, "more detail", |app| !app.is_mapping());
    let fine = app(&window).basin().unwrap().1;
    assert_eq!(fine.cells.count(), 64 * 64);
    for (cell, outcome) in coarse.cells.known() {
        assert_eq!(fine.cells.get(cell), Some(outcome));
    }

    // Days of training.
    let mut window = small(&folder, "max_iter = 1000000\ntol = 0");
    press(&mut window, Modifiers::SHIFT, Key::B);
    assert!(app(&window).is_mapping());
    assert!(window.query_by_label("Map: 0 of 1024 pixels are done").is_some());
    click(&mut window, "Cancel map");
    assert!(!app(&window).is_mapping());
    press(&mut window, Modifiers::SHIFT, Key::B);
    assert!(app(&window).is_mapping());
    // Another experiment stops it too.
    click(&mut window, "Spirals");
    assert!(!app(&window).is_mapping());
}

#[test]
fn the_landscape_passes_through_the_step_shown_and_has_its_objective_there() {
    for id in ["em", "sm", "ssm"] {
        let folder = tempfile::tempdir().unwrap();
        let mut window = small(&folder, &format!("name = '{id}'\nmax_iter = 25"));
        train(&mut window);
        for over in [Over::Mean, Over::Pair, Over::Path] {
            maps(&mut window).over = over;
            run_landscape(&mut window);
            let record = app(&window).shown().unwrap().record;
            let (slice, chart) = app(&window).landscape().unwrap();
            assert_eq!(chart.count(), 32 * 32);
            let difference = (slice.value - record.objective).abs();
            assert!(difference < 1e-9 * (1.0 + record.objective.abs()), "{id} {over:?}");
            let short = app(&window).experiment().algorithm_info().short;
            let words =
                format!("Objective of {short} at step {}: {:.6}", record.step, record.objective);
            assert!(window.query_by_label(&words).is_some(), "{words}");
        }
        // Another step is not what it passes through; it says so, and follows when asked.
        press(&mut window, Modifiers::NONE, Key::ArrowLeft);
        settle(&mut window);
        let step = app(&window).shown().unwrap().record.step;
        let words = format!(
            "The large dot is step {step}: run the landscape again to see it through that step."
        );
        assert!(window.query_by_label(&words).is_some(), "{words}");
        click(&mut window, "Run loss landscape");
        until(&mut window, "the landscape", |app| !app.is_mapping());
        window.run_steps(3);
        assert!(window.query_by_label(&words).is_none());
    }
}

#[test]
fn another_choice_is_another_landscape_and_a_path_needs_steps() {
    let folder = tempfile::tempdir().unwrap();
    let mut window = small(&folder, "max_iter = 10");
    maps(&mut window).kind = MapKind::Landscape;
    window.run_steps(3);
    assert_eq!(app(&window).view().plots, Plots::Maps);
    run_landscape(&mut window);
    let label = |window: &Window| app(window).landscape().map(|(slice, _)| slice.labels[0].clone());
    assert_eq!(label(&window).as_deref(), Some("x₁ of mean 1"));
    window.get_by_role_and_label(Role::ComboBox, "Mean").click();
    window.run_steps(3);
    click(&mut window, "2");
    until(&mut window, "the other mean", |app| !app.is_mapping() && app.landscape().is_some());
    assert_eq!(label(&window).as_deref(), Some("x₁ of mean 2"));

    window.get_by_role_and_label(Role::ComboBox, "Over").click();
    window.run_steps(3);
    click(&mut window, "main directions of the path");
    let words = "the path has no two main directions yet: train some steps first, or choose a mean";
    until(&mut window, "an answer", |app| !app.is_mapping());
    assert!(window.query_by_label(words).is_some());
    train(&mut window);
    run_landscape(&mut window);
    assert!(label(&window).unwrap().contains("of the variance"), "{:?}", label(&window));
    assert!(window.query_by_label(words).is_none());
}

#[test]
fn another_experiment_marks_both_as_former_and_undo_makes_them_current() {
    let folder = tempfile::tempdir().unwrap();
    let mut window = small(&folder, "max_iter = 20");
    run_basin(&mut window);
    run_landscape(&mut window);
    let text = "Of the experiment before it was changed: undo the change, or run it again.";
    for kind in [MapKind::Basin, MapKind::Landscape] {
        maps(&mut window).kind = kind;
        window.run_steps(3);
        assert!(window.query_by_label(text).is_none(), "{kind:?}");
        click(&mut window, "Spirals");
        settle(&mut window);
        assert!(window.query_by_label(text).is_some(), "{kind:?}");
        press(&mut window, Modifiers::COMMAND, Key::Z);
        settle(&mut window);
        assert!(window.query_by_label(text).is_none(), "{kind:?}");
    }
}

#[test]
fn both_can_be_exported() {
    let folder = tempfile::tempdir().unwrap();
    let mut window = small(&folder, "max_iter = 20");
    press(&mut window, Modifiers::COMMAND, Key::E);
    click(&mut window, "What");
    assert!(window.query_by_label("basin map").is_none(), "there is none yet");
    press(&mut window, Modifiers::NONE, Key::Escape);
    press(&mut window, Modifiers::NONE, Key::Escape);
    run_basin(&mut window);
    train(&mut window);
    run_landscape(&mut window);
    for (what, color_by, format, words) in [
        ("basin map", ColorBy::Optimum, "SVG", "optimum 1: NLL"),
        ("basin map", ColorBy::Steps, "SVG", "steps until it stopped"),
        ("basin map", ColorBy::Nll, "PNG", ""),
        ("loss landscape", ColorBy::Nll, "SVG", "Path of EM"),
        ("loss landscape", ColorBy::Nll, "PNG", ""),
    ] {
        maps(&mut window).color_by = color_by;
        press(&mut window, Modifiers::COMMAND, Key::E);
        click(&mut window, "What");
        click(&mut window, what);
        let path = folder.path().join(format!("{what} {color_by:?}.{}", format.to_lowercase()));
        let bytes = save_as(&mut window, format, &path);
        if format == "SVG" {
            let text = String::from_utf8(bytes).unwrap();
            assert!(text.contains(words), "{what}: {words}");
        } else {
            assert!(bytes.starts_with(b"\x89PNG"), "{what}");
            let kept = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{what}.png"));
            std::fs::write(kept, bytes).unwrap();
        }
    }
}
