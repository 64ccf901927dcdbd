//! What is kept: sessions, copies against a crash, recent files, and what other programs read.

#![cfg(feature = "gui")]

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use egui::{Key, Modifiers};
use egui_kittest::kittest::{NodeT, Queryable};
use rand::RngExt;
use scorescope::app::{App, Position};
use scorescope::export::keepsake::{self, Keepsake};
use scorescope::figures::Theme;
use scorescope::random::{Purpose, generator};
use scorescope::training::numbers::Numbers;
use scorescope::training::{BranchId, Experiment, Prepared, Source, Tree, Who};
use support::window::{
    Window, across, app, canvas, click, drag, fill, press, settle, step, until, window,
};

/// No copy is due within a test.
const LONG: Duration = Duration::from_hours(1);

fn is_told(app: &App, start: &str) -> bool {
    app.notice().is_some_and(|notice| notice.text.starts_with(start))
}

fn notice(window: &Window) -> String {
    app(window).notice().map_or_else(String::new, |notice| notice.text.clone())
}

fn app_mut(window: &mut Window) -> &mut App {
    window.state_mut().as_mut().unwrap()
}

/// Saves the session in a file that is chosen now.
fn save(window: &mut Window, path: &Path) {
    press(window, Modifiers::COMMAND.plus(Modifiers::SHIFT), Key::S);
    fill(window, "Path", &path.display().to_string());
    let verb = if path.exists() { "Replace" } else { "Save" };
    click(window, verb);
    until(window, "the session", |app| is_told(app, "Saved the session as "));
}

/// Opens a file as Ctrl+O does.
fn open(window: &mut Window, path: &Path) {
    press(window, Modifiers::COMMAND, Key::O);
    fill(window, "Path", &path.display().to_string());
    click(window, "Open");
}

fn trained_to(window: &mut Window, count: usize) {
    while step(app(window)) < count {
        let next = step(app(window)) + 1;
        press(window, Modifiers::NONE, Key::ArrowRight);
        until(window, "a step", |app| step(app) >= next);
    }
}

/// What the canvas shows, as pixels.
fn picture(window: &mut Window) -> image::RgbaImage {
    window.remove_cursor();
    settle(window);
    let area = canvas(window);
    let picture = window.render().unwrap();
    let [x, y] = [area.left(), area.top()].map(|v| v as u32);
    let [width, height] = [area.width(), area.height()].map(|v| v as u32);
    image::imageops::crop_imm(&picture, x, y, width, height).to_image()
}

/// The window as a lecture leaves it: drawn over, trained, forked, looked at from nearby, at an earlier step.
fn lecture() -> Window {
    let mut window = window(None);
    click(&mut window, "Light or dark");
    click(&mut window, "Brush");
    let path = across(&window);
    drag(&mut window, &path);
    click(&mut window, "Brush");
    until(&mut window, "the stroke", |app| {
        app.snapshot().is_some_and(|s| s.experiment.strokes.len() == 1)
    });
    trained_to(&mut window, 9);
    press(&mut window, Modifiers::NONE, Key::K);
    click(&mut window, "Gradient descent on the NLL");
    until(&mut window, "the fork", |app| {
        let fork = app.snapshot_of(app.view().run);
        fork.is_some_and(|s| s.experiment.algorithm_id == "nll" && s.record.step == 9)
    });
    trained_to(&mut window, 14);
    press(&mut window, Modifiers::NONE, Key::ArrowLeft);
    press(&mut window, Modifiers::NONE, Key::ArrowLeft);
    press(&mut window, Modifiers::NONE, Key::T);
    press(&mut window, Modifiers::NONE, Key::Plus);
    window.run_steps(3);
    window
}

#[test]
fn a_session_opens_as_it_was_and_trains_on_to_the_bit() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("my lecture #1, 50 %.scorescope");
    let mut first = lecture();
    save(&mut first, &path);
    let before = picture(&mut first);
    let mut second = window(Some(&path));
    until(&mut second, "the session", |app| is_told(app, "Opened the session"));
    until(&mut second, "the fork", |app| app.snapshot_of(app.view().run).is_some());
    assert_eq!(app(&second).experiment(), app(&first).experiment());
    assert_eq!(app(&second).view(), app(&first).view());
    assert_eq!(app(&second).view().theme, Theme::Light);
    assert_eq!(app(&second).view().position, Position::At(12));
    assert_eq!(app(&second).shown(), app(&first).shown());
    assert_eq!(app(&second).canvas_bounds(), app(&first).canvas_bounds());
    let after = picture(&mut second);
    assert!(before == after, "the canvas shows something else");
    let runs: Vec<BranchId> = app(&first).experiment().runs().collect();
    assert_eq!(runs.len(), 2);
    // Both go on alike, the fork with its momentum.
    for window in [&mut first, &mut second] {
        press(window, Modifiers::SHIFT, Key::End);
        let ends = app(window).snapshot().unwrap().record.step;
        assert_eq!(ends, 14);
        trained_to(window, 20);
        press(window, Modifiers::NONE, Key::PageUp);
        trained_to(window, 16);
    }
    for id in runs {
        let [a, b] = [&first, &second].map(|window| app(window).snapshot_of(id).unwrap().clone());
        assert_eq!((a.record.step, &a.mixture), (b.record.step, &b.mixture), "run {id}");
        assert_eq!(a.record.objective, b.record.objective, "run {id}");
        assert_eq!(a.best.mixture, b.best.mixture, "run {id}");
    }
    // Saved again without a question, where it was.
    let old = fs::read(&path).unwrap();
    press(&mut second, Modifiers::COMMAND, Key::S);
    until(&mut second, "the session", |app| is_told(app, "Saved the session as "));
    assert_ne!(fs::read(&path).unwrap(), old);
}

#[test]
fn the_points_of_a_file_go_along_to_a_machine_that_does_not_have_it() {
    let folder = tempfile::tempdir().unwrap();
    let (data, session) = (folder.path().join("moons.csv"), folder.path().join("x.scorescope"));
    let points = Experiment::default().dataset().unwrap().train;
    fs::write(&data, scorescope::export::points::csv(&points[..300])).unwrap();
    let mut first = window(Some(&data));
    until(&mut first, "the points", |app| {
        app.snapshot().is_some_and(|s| s.prepared.dataset.train.len() == 150)
    });
    trained_to(&mut first, 5);
    save(&mut first, &session);
    fs::remove_file(&data).unwrap();
    let mut second = window(Some(&session));
    until(&mut second, "the session", |app| step(app) == 5);
    assert_eq!(app(&second).shown(), app(&first).shown());
    for window in [&mut first, &mut second] {
        trained_to(window, 9);
    }
    let [a, b] = [&first, &second].map(|window| app(window).snapshot().unwrap().mixture.clone());
    assert_eq!(a, b);
}

/// A race after a few steps.
fn small() -> Keepsake {
    let mut experiment = Experiment::default();
    experiment.race(&["nll"]);
    for (key, value) in
        [("n_samples", "40"), ("n_components", "2"), ("max_iter", "6"), ("tol", "0")]
    {
        experiment.set(key, value).unwrap();
    }
    let mut tree = Tree::new(&experiment, Prepared::new(&experiment).unwrap()).unwrap();
    for _ in 0..6 {
        tree.turn(Who::All);
    }
    Keepsake { experiment, memoirs: tree.memoirs(), view: serde_json::json!({ "view": {} }) }
}

#[test]
fn every_beginning_of_a_session_and_every_flipped_bit_is_an_error_or_a_session() {
    let keepsake = small();
    let bytes = keepsake::write(&keepsake).unwrap();
    assert_eq!(keepsake::read("x", &bytes).unwrap(), keepsake);
    for length in 0..bytes.len() {
        let error = keepsake::read("some/where.scorescope", &bytes[..length]).unwrap_err();
        let error = error.to_string();
        assert!(error.starts_with("some/where.scorescope is "), "{length}: {error}");
    }
    let mut rng = generator(11, Purpose::Data);
    let mut opened = 0;
    for _ in 0..4_000 {
        let mut flipped = bytes.clone();
        let place = rng.random_range(0..flipped.len());
        flipped[place] ^= 1 << rng.random_range(0..8);
        match keepsake::read("x", &flipped) {
            // Of the first ten bytes some mean nothing, and so do some bits after the last word.
            Ok(session) => {
                assert_eq!(session, keepsake);
                opened += 1;
            }
            Err(error) => assert!(error.to_string().starts_with("x "), "{error}"),
        }
    }
    assert!(opened < 40, "{opened}");
}

#[test]
fn numbers_that_a_hand_has_changed_are_an_error_or_a_session_that_trains_or_says_why_not() {
    let good = serde_json::to_value(small().memoirs).unwrap();
    let mut rng = generator(12, Purpose::Data);
    let mut refused = 0;
    for _ in 0..300 {
        // Three numbers in a row become others.
        let mut runs = good.clone();
        let field =
            ["moments", "start", "best", "records", "recent", "guard"][rng.random_range(0..6)];
        let number = [f64::NAN, f64::INFINITY, -1.0, 0.0, 1e300, 5e-324][rng.random_range(0..6)];
        let mut text = runs[0][field].as_str().unwrap().to_owned();
        let place = 32 * rng.random_range(0..text.len() / 32);
        text.replace_range(place..place + 32, &String::from(Numbers(vec![number; 3])));
        runs[0][field] = text.into();
        let Ok(memoirs) = serde_json::from_value(runs) else {
            refused += 1;
            continue;
        };
        let Keepsake { experiment, .. } = small();
        let prepared = Prepared::new(&experiment).unwrap();
        let memoirs: Vec<_> = memoirs;
        let mut tree = Tree::taken_up(&experiment, prepared, &memoirs).unwrap();
        tree.wake();
        tree.go_on(Who::All);
        tree.turn(Who::All);
    }
    assert!(refused > 20, "{refused}");
}

#[test]
fn one_action_opens_everything() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::write(at("points.csv"), "x,y\n1,2\n3,5\n2,2\n0,1\n4,4\n").unwrap();
    fs::write(at("rings.toml"), "[data]\ndataset = 'rings'\n").unwrap();
    let model = "{\"weights_\": [0.25, 0.75], \"means_\": [[0, 0], [1, 1]], \
                 \"covariances_\": [[[1, 0], [0, 1]], [[1, 0], [0, 1]]], \"converged_\": true, \
                 \"n_iter_\": 7, \"lower_bound_\": -2.5}";
    fs::write(at("model.json"), model).unwrap();
    image::RgbImage::from_fn(40, 40, |x, y| image::Rgb([if x > y { 0 } else { 255 }; 3]))
        .save(at("ink.png"))
        .unwrap();
    let points: Vec<[f64; 2]> = (0..30).map(|i| [f64::from(i), f64::from(i % 7)]).collect();
    fs::write(at("points.npy"), scorescope::export::points::npy(&points).unwrap()).unwrap();
    // The name tells nothing.
    fs::write(at("session"), keepsake::write(&small()).unwrap()).unwrap();
    let mut window = window(None);
    for name in ["points.csv", "points.npy", "ink.png"] {
        open(&mut window, &at(name));
        until(
            &mut window,
            name,
            |app| matches!(&app.experiment().source, Source::File { path, .. } if path.ends_with(name)),
        );
    }
    open(&mut window, &at("rings.toml"));
    until(&mut window, "rings", |app| app.experiment().source == Source::Generator("rings".into()));
    open(&mut window, &at("model.json"));
    until(&mut window, "the start", |app| app.experiment().given.len() == 2);
    open(&mut window, &at("session"));
    until(&mut window, "the session", |app| step(app) == 6);
    assert_eq!(app(&window).experiment(), &small().experiment);
}

#[test]
fn what_cannot_be_opened_or_saved_names_the_path_and_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let good = keepsake::write(&small()).unwrap();
    let mut window = window(None);
    trained_to(&mut window, 3);
    let (experiment, shown) = (app(&window).experiment().clone(), app(&window).shown().cloned());
    for (name, bytes, expected) in [
        ("half a session.scorescope", &good[..good.len() / 2], "is damaged (it ends after"),
        ("no session.scorescope", &b"x,y\n1,2\n"[..], "is not a session of ScoreScope"),
        ("not there.scorescope", &b""[..], "could not be read"),
    ] {
        let path = folder.path().join(name);
        if !bytes.is_empty() {
            fs::write(&path, bytes).unwrap();
        }
        open(&mut window, &path);
        until(&mut window, name, |app| app.notice().is_some_and(|notice| notice.is_problem));
        let text = notice(&window);
        assert!(text.contains(&path.display().to_string()) && text.contains(expected), "{text}");
        assert_eq!(app(&window).experiment(), &experiment);
        assert_eq!(app(&window).shown(), shown.as_ref());
        click(&mut window, "Dismiss message");
    }
    // A folder that is not there, a file in the place of a folder.
    let file = folder.path().join("a file");
    fs::write(&file, "kept").unwrap();
    for place in [folder.path().join("no/../nowhere/x"), file.join("x.scorescope")] {
        press(&mut window, Modifiers::COMMAND, Key::S);
        fill(&mut window, "Path", &place.display().to_string());
        click(&mut window, "Save");
        until(&mut window, "a problem", |app| app.notice().is_some_and(|n| n.is_problem));
        let text = notice(&window);
        assert!(text.contains(&place.display().to_string()), "{text}");
        assert!(text.contains("was not written"), "{text}");
        click(&mut window, "Dismiss message");
    }
    assert_eq!(fs::read(&file).unwrap(), b"kept");
    // Odd names are names.
    for name in ["a%20b #1", "ä ö ü — 100 %", "../odd", "line\nbreak"] {
        let folder = folder.path().join("below");
        fs::create_dir_all(&folder).unwrap();
        let path = folder.join(name);
        app_mut(&mut window).save_session_as(path.clone());
        until(&mut window, name, |app| is_told(app, "Saved the session as "));
        assert!(keepsake::read("x", &fs::read(&path).unwrap()).is_ok(), "{name}");
        click(&mut window, "Dismiss message");
    }
    trained_to(&mut window, 4);
}

/// Draws frames until a folder holds something.
fn wait_for(window: &mut Window, what: &str, is_there: impl Fn() -> bool) {
    let began = Instant::now();
    while !is_there() {
        assert!(began.elapsed() < Duration::from_secs(30), "still waiting for {what}");
        window.step();
        std::thread::sleep(Duration::from_millis(5));
    }
    window.run_steps(3);
}

/// Long enough for a job that looks through a folder.
fn look_around(window: &mut Window) {
    for _ in 0..100 {
        window.step();
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn copies(folder: &Path) -> Vec<PathBuf> {
    let dens = fs::read_dir(folder.join("autosave")).into_iter().flatten();
    let files = dens.flat_map(|den| fs::read_dir(den.unwrap().path()).unwrap());
    let mut paths: Vec<PathBuf> = files.map(|file| file.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "scorescope"));
    paths.sort();
    paths
}

#[test]
fn a_crash_loses_nothing_that_was_copied_and_is_told_of_until_there_is_an_answer() {
    let data = tempfile::tempdir().unwrap();
    let folder = data.path();
    let mut crashed = lecture();
    app_mut(&mut crashed).keep_in(folder, LONG);
    crashed.run_steps(3);
    assert_eq!(copies(folder), [] as [PathBuf; 0]);
    // Before other data take the place of these, they are copied.
    let experiment = app(&crashed).experiment().clone();
    press(&mut crashed, Modifiers::SHIFT, Key::End);
    trained_to(&mut crashed, 15);
    let shown = app(&crashed).shown().cloned();
    click(&mut crashed, "Spirals");
    wait_for(&mut crashed, "a copy", || copies(folder).len() == 1);
    // Another program that runs is none that has crashed, and neither takes the other's.
    let mut other = window(None);
    app_mut(&mut other).keep_in(folder, LONG);
    look_around(&mut other);
    assert!(other.query_by_label("Not now").is_none());
    app(&other).end();
    drop(crashed);
    // A program that ends before anybody has answered takes nothing away.
    let mut hasty = window(None);
    app_mut(&mut hasty).keep_in(folder, LONG);
    look_around(&mut hasty);
    assert!(hasty.query_by_label("Not now").is_some());
    app(&hasty).end();
    drop(hasty);
    let mut after = window(None);
    app_mut(&mut after).keep_in(folder, LONG);
    look_around(&mut after);
    click(&mut after, "Open the copy");
    until(&mut after, "the copy", |app| is_told(app, "Opened the copy"));
    until(&mut after, "its run", |app| app.shown().is_some_and(|m| m.record.step == 15));
    assert_eq!(app(&after).experiment(), &experiment);
    assert_eq!(app(&after).shown(), shown.as_ref());
    // Nobody is asked twice.
    let mut again = window(None);
    app_mut(&mut again).keep_in(folder, LONG);
    look_around(&mut again);
    assert!(again.query_by_label("Not now").is_none());
}

#[test]
fn what_changes_is_copied_after_a_while_and_what_does_not_is_not() {
    let data = tempfile::tempdir().unwrap();
    let mut window = window(None);
    app_mut(&mut window).keep_in(data.path(), Duration::from_millis(200));
    look_around(&mut window);
    assert_eq!(copies(data.path()), [] as [PathBuf; 0]);
    trained_to(&mut window, 2);
    wait_for(&mut window, "a copy", || !copies(data.path()).is_empty());
    // A slow machine may have copied the first step, too.
    look_around(&mut window);
    let before = copies(data.path());
    look_around(&mut window);
    assert_eq!(copies(data.path()), before);
    let copy = keepsake::read("x", &fs::read(&before[before.len() - 1]).unwrap()).unwrap();
    assert_eq!(copy.memoirs[0].moments().len(), 3);
    press(&mut window, Modifiers::NONE, Key::D);
    wait_for(&mut window, "another", || copies(data.path()).len() == before.len() + 1);
}

#[test]
fn samples_are_as_many_as_are_asked_for_and_a_file_that_came_meanwhile_is_asked_about() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.csv");
    let mut window = window(None);
    press(&mut window, Modifiers::COMMAND, Key::E);
    assert!(window.query_by_label("How many").is_none());
    click(&mut window, "What");
    let samples = window.get_all_by_label("samples").last().unwrap();
    samples.click();
    window.run_steps(3);
    fill(&mut window, "Path", &path.display().to_string());
    fill(&mut window, "How many", "1234");
    press(&mut window, Modifiers::NONE, Key::Tab);
    fs::write(&path, "somebody else's").unwrap();
    click(&mut window, "Save");
    assert_eq!(fs::read_to_string(&path).unwrap(), "somebody else's");
    click(&mut window, "Replace");
    until(&mut window, "the samples", |app| is_told(app, "Saved samples as "));
    let text = fs::read_to_string(&path).unwrap();
    assert_eq!(text.lines().count(), 1235);
    assert!(text.starts_with("x1,x2\n"), "{text}");
    // Read back, they are the same numbers.
    let loaded = scorescope::data::formats::parse("x.csv", text.as_bytes(), None).unwrap();
    assert_eq!(scorescope::export::points::csv(&loaded.points), text);
}

#[test]
fn programs_that_end_as_they_should_leave_no_copies() {
    let data = tempfile::tempdir().unwrap();
    let mut window = window(None);
    app_mut(&mut window).keep_in(data.path(), LONG);
    trained_to(&mut window, 2);
    for label in ["Spirals", "Checkerboard", "Rings", "Pinwheel", "Half moons"] {
        click(&mut window, label);
        until(&mut window, label, |app| {
            app.snapshot().is_some_and(|s| s.experiment.source == app.experiment().source)
        });
        trained_to(&mut window, 2);
    }
    wait_for(&mut window, "the copies", || copies(data.path()).len() == 3);
    app(&window).end();
    assert_eq!(fs::read_dir(data.path().join("autosave")).unwrap().count(), 0);
}

#[test]
fn recent_files_are_in_the_menu_and_those_that_are_gone_are_gray() {
    let data = tempfile::tempdir().unwrap();
    let at = |name: &str| data.path().join(name);
    let kept = at("data");
    let mut first = window(None);
    app_mut(&mut first).keep_in(&kept, LONG);
    for name in ["here.csv", "gone.csv"] {
        fs::write(at(name), "1,2\n3,4\n5,5\n").unwrap();
        open(&mut first, &at(name));
        until(&mut first, name, |app| is_told(app, &at(name).display().to_string()));
        let list = kept.join("recent.json");
        let is_listed = || fs::read_to_string(&list).is_ok_and(|text| text.contains(name));
        wait_for(&mut first, "the list", is_listed);
    }
    fs::remove_file(at("gone.csv")).unwrap();
    let mut second = window(None);
    app_mut(&mut second).keep_in(&kept, LONG);
    look_around(&mut second);
    click(&mut second, "File");
    click(&mut second, "Open recent");
    assert!(second.get_by_label("gone.csv").accesskit_node().is_disabled());
    click(&mut second, "here.csv");
    until(
        &mut second,
        "the points",
        |app| matches!(&app.experiment().source, Source::File { path, .. } if path.ends_with("here.csv")),
    );
}

/// Presses Ctrl+S; true if that asks where to save.
fn save_asks(window: &mut Window) -> bool {
    press(window, Modifiers::COMMAND, Key::S);
    let asks = window.query_by_label("Path").is_some();
    if asks {
        click(window, "Cancel");
    }
    asks
}

#[test]
fn no_session_is_saved_over_another_without_a_question() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let (first, second) = (at("first.scorescope"), at("second.scorescope"));
    fs::write(&first, keepsake::write(&small()).unwrap()).unwrap();
    let mut other = small();
    other.experiment.branches.clear();
    other.memoirs.truncate(1);
    fs::write(&second, keepsake::write(&other).unwrap()).unwrap();
    fs::write(at("rings.toml"), "[data]\ndataset = 'rings'\n").unwrap();
    fs::write(at("points.csv"), "x,y\n1,2\n3,5\n2,2\n0,1\n4,4\n").unwrap();
    let before = [&first, &second].map(|path| fs::read(path).unwrap());
    let mut window = window(None);
    // What is on the table is no session any more.
    for name in ["rings.toml", "points.csv"] {
        open(&mut window, &first);
        until(&mut window, "the session", |app| is_told(app, "Opened the session"));
        open(&mut window, &at(name));
        until(&mut window, name, |app| {
            app.experiment() != &small().experiment && !is_told(app, "Opening")
        });
        assert!(save_asks(&mut window), "{name}");
    }
    // It is the one from before again, but untrained.
    open(&mut window, &first);
    until(&mut window, "the first", |app| is_told(app, "Opened the session"));
    open(&mut window, &second);
    until(&mut window, "the second", |app| app.experiment() == &other.experiment);
    press(&mut window, Modifiers::COMMAND, Key::Z);
    assert_eq!(app(&window).experiment(), &small().experiment);
    assert!(save_asks(&mut window), "undone");
    look_around(&mut window);
    assert!(before == [&first, &second].map(|path| fs::read(path).unwrap()));
    // Another program has written the file.
    open(&mut window, &second);
    until(&mut window, "the second", |app| is_told(app, "Opened the session"));
    fs::write(&second, &before[0]).unwrap();
    press(&mut window, Modifiers::COMMAND, Key::S);
    until(&mut window, "the warning", |app| {
        app.notice().is_some_and(|notice| notice.text.contains("was written by somebody else"))
    });
    assert!(fs::read(&second).unwrap() == before[0]);
    click(&mut window, "Replace");
    until(&mut window, "the session", |app| is_told(app, "Saved the session as "));
    assert_eq!(
        keepsake::read("x", &fs::read(&second).unwrap()).unwrap().experiment,
        other.experiment
    );
    press(&mut window, Modifiers::COMMAND, Key::S);
    assert!(window.query_by_label("Path").is_none(), "this is what was written here");
}

#[derive(Debug)]
struct Dropped(PathBuf);

impl egui::DroppedFile for Dropped {
    fn path(&self) -> &Path {
        &self.0
    }

    fn bytes(&self) -> Result<Vec<u8>, String> {
        Err("not asked for".to_owned())
    }
}

#[test]
fn what_comes_on_the_table_is_not_saved_in_the_place_of_what_was_there() {
    let folder = tempfile::tempdir().unwrap();
    let (coming, place) = (folder.path().join("b.scorescope"), folder.path().join("a.scorescope"));
    fs::write(&coming, keepsake::write(&small()).unwrap()).unwrap();
    let mut window = window(None);
    trained_to(&mut window, 2);
    // It has been read, and is taken in by the next frame.
    app_mut(&mut window).open(coming.clone(), None);
    std::thread::sleep(Duration::from_secs(1));
    app_mut(&mut window).save_session_as(place.clone());
    until(&mut window, "the session", |app| app.experiment() == &small().experiment);
    let text = notice(&window);
    assert!(text.contains(&format!("{} was not saved", place.display())), "{text}");
    look_around(&mut window);
    assert!(!place.exists());
    // While a dialog asks about the session, no other takes its place.
    press(&mut window, Modifiers::COMMAND.plus(Modifiers::SHIFT), Key::S);
    let rings = folder.path().join("rings.toml");
    fs::write(&rings, "[data]\ndataset = 'rings'\n").unwrap();
    window.input_mut().dropped_files.push(std::sync::Arc::new(Dropped(rings)));
    look_around(&mut window);
    assert_eq!(app(&window).experiment(), &small().experiment);
    assert!(notice(&window).contains("close the dialog first"), "{}", notice(&window));
}

#[test]
fn a_window_that_is_closed_while_it_saves_closes_when_that_is_done() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.scorescope");
    let mut window = window(None);
    trained_to(&mut window, 3);
    app_mut(&mut window).save_session_as(path.clone());
    let viewports = &mut window.input_mut().viewports;
    let root = viewports.entry(egui::ViewportId::ROOT).or_default();
    root.events.push(egui::ViewportEvent::Close);
    let began = Instant::now();
    let mut commands = Vec::new();
    while !commands.contains(&egui::ViewportCommand::Close) {
        assert!(began.elapsed() < Duration::from_secs(30), "still open after {commands:?}");
        assert!(commands.is_empty() || !path.exists() || is_told(app(&window), "Sav"));
        window.step();
        let outputs = &window.output().viewport_output;
        commands.extend(outputs.values().flat_map(|output| output.commands.clone()));
        std::thread::sleep(Duration::from_millis(5));
    }
    assert!(commands.contains(&egui::ViewportCommand::CancelClose), "{commands:?}");
    let saved = keepsake::read("x", &fs::read(&path).unwrap()).unwrap();
    assert_eq!(saved.memoirs[0].moments().len(), 4);
    // One that cannot be saved keeps the window open.
    app_mut(&mut window).save_session_as(folder.path().join("no/where.scorescope"));
    let viewports = &mut window.input_mut().viewports;
    let root = viewports.entry(egui::ViewportId::ROOT).or_default();
    root.events.push(egui::ViewportEvent::Close);
    window.step();
    until(&mut window, "a problem", |app| app.notice().is_some_and(|notice| notice.is_problem));
    for _ in 0..20 {
        window.step();
        let outputs = &window.output().viewport_output;
        let mut commands = outputs.values().flat_map(|output| &output.commands);
        assert!(!commands.any(|command| *command == egui::ViewportCommand::Close));
    }
}

#[test]
fn what_a_run_has_come_to_is_copied_also_where_a_fresh_one_is_chosen() {
    let data = tempfile::tempdir().unwrap();
    let mut window = window(None);
    app_mut(&mut window).keep_in(data.path(), LONG);
    trained_to(&mut window, 3);
    press(&mut window, Modifiers::NONE, Key::K);
    click(&mut window, "Gradient descent on the NLL");
    until(&mut window, "the fork", |app| {
        app.view().run != BranchId::TRUNK && app.snapshot_of(app.view().run).is_some()
    });
    click(&mut window, "Spirals");
    wait_for(&mut window, "a copy", || copies(data.path()).len() == 1);
    let copy = keepsake::read("x", &fs::read(&copies(data.path())[0]).unwrap()).unwrap();
    assert_eq!(copy.memoirs[0].moments().len(), 4);
}

/// Runs a Python program with arguments; `None`, and a line that says so, where it cannot be run.
fn python(program: &str, arguments: &[&Path], needs: &str) -> Option<String> {
    let has = Command::new("python3").args(["-c", &format!("import {needs}")]).output();
    if !has.is_ok_and(|output| output.status.success()) {
        println!("skipped: there is no python3 with {needs} on the path");
        return None;
    }
    let output = Command::new("python3").arg("-c").arg(program).args(arguments).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    Some(String::from_utf8(output.stdout).unwrap())
}

/// The five lines that the model's documentation gives.
const FIVE_LINES: &str = include_str!("../assets/read_model.py");

/// The same in plain Python, for machines without `NumPy`; and a session.
const PLAIN: &str = r#"
import base64, csv, gzip, json, math, struct, sys
model = json.load(open(sys.argv[1]))
rows = [[float(v) for v in row] for row in list(csv.reader(open(sys.argv[2])))[1:]]
def density(x, y):
    total = 0.0
    for w, (a, b), ((p, q), (r, s)) in zip(model["weights_"], model["means_"], model["covariances_"]):
        d, u, v = p * s - q * r, x - a, y - b
        total += w * math.exp(-(s * u * u - (q + r) * u * v + p * v * v) / d / 2) / math.tau / math.sqrt(d)
    return total
print(sum(math.log(density(*row)) for row in rows) / len(rows), model["lower_bound_"])
session = json.load(gzip.open(sys.argv[3]))
run = session["runs"][0]
numbers = base64.b64decode(run["records"])
numbers = struct.unpack(f"<{len(numbers) // 8}d", numbers)
print(session["format"], session["version"], run["n_components"], numbers[-6], numbers[-3])
"#;

#[test]
fn python_reads_models_points_and_sessions() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let keepsake = small();
    let prepared = Prepared::new(&keepsake.experiment).unwrap();
    let scaling = prepared.dataset.scaling;
    let newest = keepsake.memoirs[0].moments().last().unwrap().clone();
    let (mixture, info) = scorescope::export::model::trained(
        &keepsake.experiment,
        &scaling,
        &newest.mixture,
        &newest.record,
        true,
    );
    let text = scorescope::export::model::write(&mixture, &info).unwrap();
    let file: serde_json::Value = serde_json::from_str(&text).unwrap();
    for name in ["weights_", "means_", "covariances_", "converged_", "n_iter_", "lower_bound_"] {
        assert!(file.get(name).is_some(), "{name}");
    }
    fs::write(at("model.json"), text).unwrap();
    let points = &prepared.dataset.train;
    fs::write(at("points.csv"), scorescope::export::points::csv(points)).unwrap();
    fs::write(at("points.npy"), scorescope::export::points::npy(points).unwrap()).unwrap();
    fs::write(at("x.scorescope"), keepsake::write(&keepsake).unwrap()).unwrap();
    let numbers = |line: &str| -> Vec<f64> {
        line.split_whitespace().filter_map(|word| word.parse().ok()).collect()
    };
    let files = ["model.json", "points.csv", "x.scorescope"].map(at);
    if let Some(said) = python(PLAIN, &files.each_ref().map(|path| &**path), "json") {
        let mut lines = said.lines();
        let [mean, bound] = numbers(lines.next().unwrap())[..] else { panic!("{said}") };
        assert!((mean - bound).abs() < 1e-12, "{said}");
        assert_eq!(bound, -newest.record.train_nll);
        let session = lines.next().unwrap();
        assert!(session.starts_with("scorescope-session 1 2 6.0 "), "{session}");
        assert_eq!(numbers(session).last(), Some(&newest.record.train_nll));
    }
    let files = ["model.json", "points.npy"].map(at);
    if let Some(said) = python(FIVE_LINES, &files.each_ref().map(|path| &**path), "numpy") {
        let [mean, bound] = numbers(&said)[..] else { panic!("{said}") };
        assert!((mean - bound).abs() < 1e-12, "{said}");
    }
}
