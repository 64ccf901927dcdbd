//! Films: a training as a moving picture, from the command line and from the window.

#![cfg(feature = "gui")]

mod support;

use std::fs;
use std::io::BufReader;
use std::path::Path;
use std::process::Command;

use egui::{Key, Modifiers};
use egui_kittest::kittest::Queryable;
use image::AnimationDecoder;
use image::codecs::gif::GifDecoder;
use scorescope::app::App;
use support::window::{Window, app, click, fill, press, settle, until, window};

fn frames(path: &Path) -> Vec<image::Frame> {
    let file = BufReader::new(fs::File::open(path).unwrap());
    GifDecoder::new(file).unwrap().into_frames().collect_frames().unwrap()
}

/// Pixels that differ between two frames, as a share.
fn change(a: &image::Frame, b: &image::Frame) -> f64 {
    let pairs = a.buffer().pixels().zip(b.buffer().pixels());
    let all = pairs.clone().count();
    pairs.filter(|(a, b)| a != b).count() as f64 / all as f64
}

fn film(arguments: &[&str], out: &Path) -> Result<(), String> {
    let common = ["film", "--set", "n_samples=300", "--set", "n_components=3", "--size", "400x300"];
    let mut command = Command::new(env!("CARGO_BIN_EXE_scorescope"));
    let output = command.args(common).args(arguments).arg("--out").arg(out).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    if output.status.success() { Ok(()) } else { Err(errors) }
}

#[test]
fn a_film_shows_fields_and_workings_too() {
    let folder = tempfile::tempdir().unwrap();
    let ssm = ["--dataset", "ring", "--algorithm", "ssm", "--set", "max_iter=4", "--every", "4"];
    let look = |name: &str, more: &[&str]| {
        let path = folder.path().join(name);
        film(&[&ssm[..], more].concat(), &path).unwrap();
        frames(&path)
    };
    let plain = look("plain.gif", &[]);
    let field = look("field.gif", &["--field", "trace"]);
    let workings = look("workings.gif", &["--layers", "density,data,components,workings"]);
    assert_eq!([plain.len(), field.len(), workings.len()], [2; 3]);
    assert!(change(&plain[1], &field[1]) > 0.1, "{}", change(&plain[1], &field[1]));
    assert!(change(&plain[1], &workings[1]) > 0.005, "{}", change(&plain[1], &workings[1]));
    let path = folder.path().join("none.gif");
    let em = ["--dataset", "ring", "--layers", "workings"];
    assert!(film(&em, &path).unwrap_err().contains("EM has no workings to draw"));
}

#[test]
fn the_command_line_films_a_training() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a film, 100 %.gif");
    let em = ["--dataset", "halfmoons", "--set", "max_iter=20", "--set", "tol=0"];
    film(&[&em[..], &["--every", "5"]].concat(), &path).unwrap();
    let all = frames(&path);
    assert_eq!(all.len(), 5);
    assert!(all.iter().all(|frame| frame.buffer().dimensions() == (400, 300)));
    assert!(change(&all[0], &all[4]) > 0.01, "{}", change(&all[0], &all[4]));
    // What is there is left alone, unless that is wished; and so are names that say no format.
    let before = fs::read(&path).unwrap();
    let error = film(&em, &path).unwrap_err();
    assert!(error.contains("100 %.gif is there already"), "{error}");
    assert_eq!(fs::read(&path).unwrap(), before);
    film(&[&em[..], &["--every", "5", "--replace"]].concat(), &path).unwrap();
    assert_eq!(fs::read(&path).unwrap(), before, "the same film, the same bytes");
    let error = film(&em, &folder.path().join("film.avi")).unwrap_err();
    assert!(error.contains(".gif, .apng or .mp4"), "{error}");
    for wrong in [&["--seconds", "0"], &["--fps", "90"], &["--size", "800"], &["--every", "0"]] {
        let error = film(&[&em[..], &wrong[..]].concat(), &folder.path().join("b.gif"));
        assert!(error.unwrap_err().contains(wrong[0]), "{wrong:?}");
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

/// A program of this name that notes what it was asked for and what it was sent.
#[cfg(unix)]
#[test]
fn a_video_is_made_by_an_encoder_that_is_on_the_path() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let (programs, out) = (folder.path().join("bin"), folder.path().join("film.mp4"));
    fs::create_dir(&programs).unwrap();
    let film = |path: &Path| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_scorescope"));
        command.args(["film", "--dataset", "halfmoons", "--set", "n_samples=300"]);
        command.args(["--set", "n_components=2", "--set", "max_iter=4", "--size", "320x240"]);
        command.args(["--every", "2", "--out"]).arg(path).env("PATH", &programs);
        command.output().unwrap()
    };
    // Nowhere to be found: what to type is told.
    let errors = String::from_utf8(film(&out).stderr).unwrap();
    assert!(errors.contains("ffmpeg -framerate 30 -i frame-%05d.png"), "{errors}");
    assert!(!out.exists());
    let script = "#!/bin/sh\nfor last; do :; done\n/bin/cat > \"$last\"\n";
    let program = programs.join("ffmpeg");
    fs::write(&program, script).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    assert!(film(&out).status.success());
    // Every pixel of three frames.
    assert_eq!(fs::metadata(&out).unwrap().len(), 3 * 320 * 240 * 4);
    let script = "#!/bin/sh\necho 'no such codec' >&2\nexit 1\n";
    fs::write(&program, script).unwrap();
    let other = folder.path().join("other.mp4");
    let output = film(&other);
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && errors.contains("no such codec"), "{errors}");
    assert!(!other.exists());
}

fn ask_for_film(window: &mut Window, path: &Path) {
    press(window, Modifiers::COMMAND, Key::E);
    click(window, "What");
    window.run_steps(3);
    click(window, "film of the training");
    window.run_steps(3);
    click(window, "GIF");
    fill(window, "Path", &path.display().to_string());
}

#[test]
fn the_window_films_what_is_on_the_canvas_and_can_be_stopped() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("training.gif");
    let mut window = window(None);
    settle(&mut window);
    for _ in 0..6 {
        click(&mut window, "One step");
    }
    settle(&mut window);
    // Ten seconds of thirty frames: it is stopped long before it is done.
    ask_for_film(&mut window, &path);
    click(&mut window, "Save");
    until(&mut window, "filming", App::is_filming);
    press(&mut window, Modifiers::NONE, Key::Escape);
    until(&mut window, "the end of filming", |app| !app.is_filming());
    let text = &app(&window).notice().unwrap().text;
    assert_eq!(text, "Stopped filming training.gif: no file was changed");
    assert!(!path.exists());
    // A frame a step.
    ask_for_film(&mut window, &path);
    click(&mut window, "every nth step");
    window.run_steps(3);
    assert!(window.query_by_label("7 frames, 0.2 s").is_some());
    click(&mut window, "Save");
    until(&mut window, "the film", |app| !app.is_filming());
    let all = frames(&path);
    assert_eq!(all.len(), 7);
    assert_eq!(all[0].buffer().dimensions(), (800, 600));
    assert!(change(&all[0], &all[6]) > 0.01);
    assert!(app(&window).notice().unwrap().text.starts_with("Saved film of the training as "));
}
