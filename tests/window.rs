//! The window, driven through its accessibility tree, without graphics.

#![cfg(feature = "gui")]

mod support;

use std::io::Write;
use std::time::{Duration, Instant};

use egui::{Key, Modifiers, Role};
use egui_kittest::kittest::Queryable;
use scorescope::model::N_COMPONENTS;
use scorescope::training::{Activity, Source};
use support::window::{
    Window, across, app, click, drag, fill, mixture, press, save_as, step, until, window,
};

#[test]
fn it_opens_on_halfmoons_and_a_mixture() {
    let window = window(None);
    let snapshot = app(&window).snapshot().unwrap();
    assert_eq!(snapshot.record.step, 0);
    assert_eq!(snapshot.mixture.components().len(), 12);
    assert_eq!(app(&window).experiment().source, Source::Generator("halfmoons".into()));
}

#[test]
fn space_plays_and_pauses_home_rewinds_to_the_bit() {
    let mut window = window(None);
    let start = mixture(&window);
    press(&mut window, Modifiers::NONE, Key::Space);
    until(&mut window, "three steps", |app| step(app) >= 3);
    press(&mut window, Modifiers::NONE, Key::Space);
    until(&mut window, "a pause", |app| app.snapshot().unwrap().activity == Activity::Paused);
    let (paused_at, trained) = (step(app(&window)), mixture(&window));
    assert_ne!(trained, start);
    click(&mut window, "One step");
    until(&mut window, "one step", |app| step(app) == paused_at + 1);
    press(&mut window, Modifiers::NONE, Key::Home);
    until(&mut window, "the start", |app| step(app) == 0);
    assert_eq!(mixture(&window), start);
    for wanted in 1..=paused_at {
        click(&mut window, "One step");
        until(&mut window, "a step", |app| step(app) == wanted);
    }
    assert_eq!(mixture(&window), trained);
}

#[test]
fn a_new_start_is_another_one_and_can_be_undone() {
    let mut window = window(None);
    let start = mixture(&window);
    window.get_all_by_label("New start").next().unwrap().click();
    until(&mut window, "another start", |app| *app.snapshot().unwrap().mixture != start);
    press(&mut window, Modifiers::COMMAND, Key::Z);
    until(&mut window, "the first start", |app| *app.snapshot().unwrap().mixture == start);
}

#[test]
fn running_to_convergence_ends_and_says_why() {
    let mut window = window(None);
    press(&mut window, Modifiers::NONE, Key::End);
    until(&mut window, "the end", |app| {
        matches!(app.snapshot().unwrap().activity, Activity::Finished(_))
    });
    let text = &app(&window).notice().unwrap().text;
    assert!(text.starts_with("Stopped at step"), "{text}");
    // The best step is one click away.
    click(&mut window, "Best step");
}

#[test]
fn points_are_drawn_erased_undone_and_trained_on() {
    let mut window = window(None);
    click(&mut window, "Empty canvas");
    until(&mut window, "an empty canvas", |app| app.snapshot().is_none());
    for tool in ["Brush", "Airbrush", "Line", "Ellipse"] {
        click(&mut window, tool);
        let path = across(&window);
        drag(&mut window, &path);
    }
    assert_eq!(app(&window).experiment().strokes.len(), 4);
    until(&mut window, "drawn data", |app| app.snapshot().is_some());
    let count = |window: &Window| {
        let dataset = &app(window).snapshot().unwrap().prepared.dataset;
        dataset.train.len() + dataset.validation.len()
    };
    let before = count(&window);
    assert!(before > 400, "{before}");
    click(&mut window, "Eraser");
    let path = across(&window);
    drag(&mut window, &path[..8]);
    until(&mut window, "fewer points", |app| {
        let dataset = &app.snapshot().unwrap().prepared.dataset;
        dataset.train.len() + dataset.validation.len() < before
    });
    for strokes in (0..5).rev() {
        press(&mut window, Modifiers::COMMAND, Key::Z);
        assert_eq!(app(&window).experiment().strokes.len(), strokes);
    }
    for strokes in 1..=4 {
        press(&mut window, Modifiers::COMMAND.plus(Modifiers::SHIFT), Key::Z);
        assert_eq!(app(&window).experiment().strokes.len(), strokes);
    }
    until(&mut window, "drawn data again", |app| app.snapshot().is_some());
    press(&mut window, Modifiers::NONE, Key::Space);
    until(&mut window, "training on them", |app| step(app) >= 5);
}

#[test]
fn a_drawing_is_not_lost_by_closing_the_window() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("drawing.toml");
    let mut window = window(None);
    let close = |window: &mut Window| {
        let viewports = &mut window.input_mut().viewports;
        let root = viewports.entry(egui::ViewportId::ROOT).or_default();
        root.events.push(egui::ViewportEvent::Close);
        window.run_steps(3);
    };
    let is_asked = |window: &Window| window.query_by_label("Quit without saving").is_some();
    close(&mut window);
    assert!(!is_asked(&window), "nothing is drawn yet");
    click(&mut window, "Brush");
    let stroke = across(&window);
    drag(&mut window, &stroke);
    close(&mut window);
    assert!(is_asked(&window));
    click(&mut window, "Save first…");
    fill(&mut window, "Path", &path.display().to_string());
    click(&mut window, "Save");
    until(&mut window, "the file", |app| {
        app.notice().is_some_and(|notice| notice.text.starts_with("Saved"))
    });
    close(&mut window);
    assert!(!is_asked(&window), "it is saved");
}

#[test]
fn another_data_set_is_shown_whole() {
    let mut window = window(None);
    for label in ["Spirals", "Half moons"] {
        click(&mut window, label);
        until(&mut window, "the data set", |app| {
            app.snapshot().unwrap().experiment.source == app.experiment().source
        });
        window.run_steps(3);
        let data = app(&window).snapshot().unwrap().prepared.dataset.bounds;
        let shown = app(&window).canvas_bounds();
        for axis in 0..2 {
            assert!(shown.min[axis] < data.min[axis], "{label}");
            assert!(shown.max[axis] > data.max[axis], "{label}");
        }
        // And not from far away.
        assert!(shown.size()[1] < 2.0 * data.size()[0].max(data.size()[1]), "{label}");
    }
}

#[test]
fn data_that_are_no_longer_shown_are_let_go() {
    let mut window = window(None);
    let data = std::sync::Arc::downgrade(&app(&window).snapshot().unwrap().prepared.dataset);
    click(&mut window, "Empty canvas");
    until(&mut window, "the end of the data", |_| data.upgrade().is_none());
}

#[test]
fn the_hand_tool_moves_the_view_and_draws_nothing() {
    let mut window = window(None);
    window.run_steps(3);
    let before = app(&window).canvas_bounds();
    let path = across(&window);
    drag(&mut window, &path);
    assert!(app(&window).experiment().strokes.is_empty());
    let after = app(&window).canvas_bounds();
    assert!(after.min[0] < before.min[0] - 0.1, "{before:?} {after:?}");
    // It stays there until it is fitted again.
    window.run_steps(10);
    assert_eq!(app(&window).canvas_bounds(), after);
    press(&mut window, Modifiers::NONE, Key::F);
    window.run_steps(3);
    assert_eq!(app(&window).canvas_bounds(), before);
}

#[test]
fn files_are_opened_by_a_typed_path_and_bad_ones_change_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let good = folder.path().join("points.csv");
    std::fs::write(&good, "a,b,c\n".to_owned() + &"1,2,3\n2,3,5\n9,1,1\n4,4,0\n".repeat(10))
        .unwrap();
    let mut window = window(None);
    press(&mut window, Modifiers::COMMAND, Key::O);
    fill(&mut window, "Path", &good.display().to_string());
    click(&mut window, "Open");
    until(&mut window, "the file", |app| matches!(app.experiment().source, Source::File { .. }));
    until(&mut window, "its points", |app| {
        app.snapshot().is_some_and(|s| s.prepared.dataset.bounds.max[0] == 9.0)
    });
    let before = app(&window).experiment().clone();
    for bad in ["no such file.csv", "/", ""] {
        press(&mut window, Modifiers::COMMAND, Key::O);
        fill(&mut window, "Path", bad);
        if bad.is_empty() {
            click(&mut window, "Cancel");
            continue;
        }
        click(&mut window, "Open");
        until(&mut window, "a message", |app| app.notice().is_some_and(|n| n.is_problem));
        assert_eq!(app(&window).experiment(), &before, "{bad}");
    }
}

#[cfg(unix)]
#[test]
fn reading_a_large_file_shows_how_far_it_is_and_can_be_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("endless.csv");
    // A pipe whose writer waits: however fast the machine, the file is being read.
    let made = std::process::Command::new("mkfifo").arg(&path).status();
    assert!(made.unwrap().success());
    let mut writer = std::thread::spawn({
        let path = path.clone();
        move || std::fs::OpenOptions::new().write(true).open(path).unwrap()
    });
    let mut window = window(None);
    let before = (app(&window).experiment().clone(), mixture(&window));
    for stop in ["Cancel", "Escape"] {
        press(&mut window, Modifiers::COMMAND, Key::O);
        fill(&mut window, "Path", &path.display().to_string());
        click(&mut window, "Open");
        let mut pipe = writer.join().unwrap();
        let bar = |window: &Window| window.query_by_label("Cancel").is_some();
        let began = Instant::now();
        while !bar(&window) {
            assert!(began.elapsed() < Duration::from_secs(30), "{stop}");
            window.step();
            std::thread::sleep(Duration::from_millis(5));
        }
        // The window goes on meanwhile.
        let steps = step(app(&window));
        click(&mut window, "One step");
        until(&mut window, "a step", |app| step(app) == steps + 1);
        if stop == "Escape" {
            // Help closes first.
            press(&mut window, Modifiers::NONE, Key::F1);
            assert!(window.query_by_label("What am I seeing?").is_some());
            press(&mut window, Modifiers::NONE, Key::Escape);
            assert!(window.query_by_label("What am I seeing?").is_none());
            assert!(bar(&window), "Escape was for the help page");
            press(&mut window, Modifiers::NONE, Key::Escape);
        } else {
            click(&mut window, stop);
        }
        assert!(!bar(&window), "{stop}");
        // The pipe is silent, and its job waits for it; nobody else does.
        assert!(window.query_by_label("Working…").is_none(), "{stop}");
        let text = &app(&window).notice().unwrap().text;
        assert_eq!(text, "Stopped reading endless.csv: everything is as it was");
        // What still comes is not wanted: the job hangs up within a block, and nothing changes.
        let row = b"1,2\n".repeat(1 << 16);
        let most = 40;
        let written = (0..most).take_while(|_| pipe.write_all(&row).is_ok()).count();
        assert!(written < most, "{stop}: the job goes on reading");
        window.run_steps(20);
        assert_eq!(app(&window).experiment(), &before.0, "{stop}");
        writer = std::thread::spawn({
            let path = path.clone();
            move || std::fs::OpenOptions::new().write(true).open(path).unwrap()
        });
    }
    // So that the last writer finds a reader.
    drop(std::fs::File::open(&path));
    press(&mut window, Modifiers::NONE, Key::Home);
    until(&mut window, "the start", |app| step(app) == 0);
    assert_eq!(mixture(&window), before.1);
}

#[derive(Debug)]
struct Dropped(std::path::PathBuf);

impl egui::DroppedFile for Dropped {
    fn path(&self) -> &std::path::Path {
        &self.0
    }

    fn bytes(&self) -> Result<Vec<u8>, String> {
        Err("not asked for".to_owned())
    }
}

#[test]
fn a_dropped_file_is_opened_once_and_its_columns_can_be_changed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("three.csv");
    std::fs::write(&path, "a,b,c\n".to_owned() + &"1,2,30\n2,3,50\n3,1,10\n4,4,0\n".repeat(10))
        .unwrap();
    let mut window = window(None);
    window.input_mut().dropped_files.push(std::sync::Arc::new(Dropped(path)));
    let widest = |app: &scorescope::app::App| {
        app.snapshot().map_or(0.0, |s| s.prepared.dataset.bounds.max[1])
    };
    until(&mut window, "columns a and b", |app| widest(app) == 4.0);
    click(&mut window, "Column of x₂");
    window.get_all_by_label("c").last().unwrap().click();
    until(&mut window, "columns a and c", |app| widest(app) == 50.0);
    click(&mut window, "Split, scale and seed");
    window.run_steps(20);
    click(&mut window, "Scale to unit variance");
    until(&mut window, "scaled data", |app| widest(app) < 3.0);
    click(&mut window, "Scale to unit variance");
    until(&mut window, "the data as they were", |app| widest(app) == 50.0);
}

#[test]
fn everything_on_screen_can_be_exported() {
    let folder = tempfile::tempdir().unwrap();
    let mut window = window(None);
    press(&mut window, Modifiers::NONE, Key::Space);
    until(&mut window, "some steps", |app| step(app) >= 3);
    press(&mut window, Modifiers::NONE, Key::Space);
    let wanted: [(&str, &[&str]); 9] = [
        ("canvas", &["PNG", "SVG"]),
        ("NLL plot", &["PNG", "SVG"]),
        ("objective plot", &["PNG", "SVG"]),
        ("weights plot", &["PNG", "SVG"]),
        ("curves as numbers", &["CSV"]),
        ("data", &["CSV", "NPY"]),
        ("samples", &["CSV", "NPY"]),
        ("model (best step)", &["JSON"]),
        ("model (step shown)", &["JSON"]),
    ];
    for (what, formats) in wanted {
        for format in formats {
            press(&mut window, Modifiers::COMMAND, Key::E);
            if what != "canvas" {
                click(&mut window, "What");
                // The data layer has the same name in the legend below the dialog.
                window.get_all_by_label(what).last().unwrap().click();
                window.run_steps(3);
            }
            let path = folder.path().join(format!("{what}.{}", format.to_lowercase()));
            let bytes = save_as(&mut window, format, &path);
            let begins = match *format {
                "PNG" => b"\x89PNG".as_slice(),
                "SVG" => b"<svg",
                "NPY" => b"\x93NUMPY",
                "JSON" => b"{",
                _ if what == "curves as numbers" => b"step,seconds",
                _ => b"x1,x2\n",
            };
            assert!(bytes.starts_with(begins), "{what} {format}");
            assert!(bytes.len() > 200, "{what} {format}: {} bytes", bytes.len());
        }
    }
}

#[test]
fn a_crowd_is_drawn_and_exported_as_a_picture() {
    let folder = tempfile::tempdir().unwrap();
    let text = "[data]\ndataset = 'halfmoons'\nn_samples = 50000\nvalidation_fraction = 0.1\n\
                [start]\ninit_params = 'random_from_data'\n";
    let experiment = folder.path().join("crowd.toml");
    std::fs::write(&experiment, text).unwrap();
    let mut window = window(Some(&experiment));
    until(&mut window, "many points", |app| {
        app.snapshot().is_some_and(|s| s.prepared.dataset.train.len() == 45_000)
    });
    let says_so =
        "Points: 45000 training, 5000 validation\nAll are drawn; zoom in for single points";
    assert!(window.query_by_label(says_so).is_some());
    let path = folder.path().join("canvas.svg");
    press(&mut window, Modifiers::COMMAND, Key::E);
    click(&mut window, "SVG");
    fill(&mut window, "Path", &path.display().to_string());
    click(&mut window, "Save");
    let began = Instant::now();
    while !path.exists() {
        assert!(began.elapsed() < Duration::from_secs(30));
        window.step();
        std::thread::sleep(Duration::from_millis(5));
    }
    let svg = std::fs::read_to_string(&path).unwrap();
    let layer = svg.split("class=\"plane-").find(|layer| layer.starts_with("train")).unwrap();
    assert!(layer.contains("<image"), "{}", &layer[..200.min(layer.len())]);
    assert!(!layer.contains("<circle"));
}

#[test]
fn a_saved_experiment_opens_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mine.toml");
    let mut first = window(None);
    click(&mut first, "SSM with reduced variance");
    click(&mut first, "Brush");
    let stroke = across(&first);
    drag(&mut first, &stroke);
    click(&mut first, "File");
    click(&mut first, "Save experiment as TOML…");
    fill(&mut first, "Path", &path.display().to_string());
    click(&mut first, "Save");
    let began = Instant::now();
    while !path.exists() {
        assert!(began.elapsed() < Duration::from_secs(30));
        first.step();
    }
    let mut second = window(Some(&path));
    until(&mut second, "the experiment", |app| app.experiment().algorithm_id == "ssm");
    assert_eq!(app(&second).experiment(), app(&first).experiment());
}

#[test]
fn changing_k_starts_again_and_says_so_changing_the_learning_rate_does_not() {
    let mut window = window(None);
    click(&mut window, "Gradient descent on the NLL");
    until(&mut window, "the other algorithm", |app| {
        app.snapshot().unwrap().experiment.algorithm_id == "nll"
    });
    press(&mut window, Modifiers::NONE, Key::Space);
    until(&mut window, "some steps", |app| step(app) >= 5);
    let before = step(app(&window));
    window.get_by_role_and_label(Role::Slider, "Learning rate").increment_accesskit();
    window.run_steps(5);
    assert!(step(app(&window)) >= before);
    assert!(app(&window).notice().is_none());
    window.get_by_role_and_label(Role::Slider, "Components K").increment_accesskit();
    until(&mut window, "another K", |app| {
        app.snapshot().unwrap().mixture.components().len()
            == app.experiment().model.integer(&N_COMPONENTS)
            && app.experiment().model.integer(&N_COMPONENTS) != 12
    });
    let text = &app(&window).notice().unwrap().text;
    assert!(text.contains("started again"), "{text}");
}

#[test]
fn too_many_components_are_explained() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("few.csv");
    std::fs::write(&path, "1,2\n3,4\n5,6\n").unwrap();
    let mut window = window(Some(&path));
    until(&mut window, "a refusal", |app| {
        app.problem().is_some_and(|text| text.contains("12 components need at least 12"))
    });
    assert!(matches!(app(&window).experiment().source, Source::File { .. }));
    // Three points, two of them to train on: K = 1 can.
    press(&mut window, Modifiers::COMMAND, Key::Z);
    until(&mut window, "halfmoons again", |app| app.snapshot().is_some());
}

#[test]
fn nothing_is_drawn_or_asked_for_while_idle() {
    let mut window = window(None);
    // Whatever the first frames set off has to end.
    let began = Instant::now();
    while window.ctx.has_requested_repaint() {
        assert!(began.elapsed() < Duration::from_secs(20), "it never comes to rest");
        window.step();
        std::thread::sleep(Duration::from_millis(2));
    }
}

#[test]
fn the_view_is_zoomed_and_moved_by_keys() {
    let mut window = window(None);
    window.run_steps(3);
    let size = |window: &Window| app(window).canvas_bounds().size();
    let before = app(&window).canvas_bounds();
    press(&mut window, Modifiers::NONE, Key::Plus);
    window.run_steps(3);
    assert!((size(&window)[0] / before.size()[0] - 0.8).abs() < 0.01, "{:?}", size(&window));
    press(&mut window, Modifiers::NONE, Key::Minus);
    window.run_steps(3);
    let again = app(&window).canvas_bounds();
    assert!((again.size()[0] / before.size()[0] - 1.0).abs() < 0.01);
    press(&mut window, Modifiers::COMMAND, Key::ArrowRight);
    window.run_steps(3);
    let moved = app(&window).canvas_bounds();
    let way = (moved.min[0] - again.min[0]) / again.size()[0];
    assert!((way - 0.1).abs() < 0.01, "{way}");
    // Nothing was trained.
    assert_eq!(step(app(&window)), 0);
}
