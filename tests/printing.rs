//! The export dialog, driven through its controls, and the clipboard.

#![cfg(feature = "gui")]

#[allow(dead_code, reason = "every test program uses the parts that it needs")]
#[path = "support/pdf.rs"]
mod pdf;
mod support;

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use egui::{ColorImage, Key, Modifiers, OutputCommand};
use egui_kittest::kittest::Queryable;
use scorescope::app::App;
use support::window::{Window, app, click, fill, press, save_as, settle, until, window};

/// Chooses from a list of the dialog.
#[track_caller]
fn choose(window: &mut Window, list: &str, option: &str) {
    click(window, list);
    window.run_steps(3);
    pick(window, option);
}

/// Clicks on what has this name in the dialog; the window behind it may have the same word.
#[track_caller]
fn pick(window: &mut Window, label: &str) {
    let all = window.get_all_by_label(label);
    all.last().unwrap().click();
    window.run_steps(3);
}

/// Types a number into a field of the dialog.
fn type_number(window: &mut Window, label: &str, number: &str) {
    fill(window, label, number);
    press(window, Modifiers::NONE, Key::Tab);
}

/// What a list of the dialog shows as chosen.
fn chosen(window: &Window, list: &str) -> String {
    window.get_by_label(list).value().unwrap_or_default()
}

fn keep_in(window: &mut Window, folder: &Path) {
    let app = window.state_mut().as_mut().unwrap();
    app.keep_in(folder, Duration::from_hours(1));
}

/// Draws frames until something is true of the world outside.
fn wait_for(window: &mut Window, what: &str, is_there: impl Fn() -> bool) {
    let began = Instant::now();
    while !is_there() {
        assert!(began.elapsed() < Duration::from_secs(30), "still waiting for {what}");
        window.step();
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Three runs, one step far.
fn race(folder: &Path) -> Window {
    let path = folder.join("race.toml");
    let text = "[data]\ndataset = 'halfmoons'\nn_samples = 300\n[model]\nn_components = 3\n\
                [[branch]]\nname = 'sm'\n[[branch]]\nname = 'nll'\n";
    fs::write(&path, text).unwrap();
    let mut window = window(Some(&path));
    until(&mut window, "three runs", |app| app.experiment().branches.len() == 2);
    settle(&mut window);
    window
}

/// Width and height of the only page, in points.
fn page_size(pdf: &[u8]) -> [f64; 2] {
    let text = String::from_utf8_lossy(pdf);
    let from = text.find("/MediaBox").unwrap();
    let words = text[from..].split(['[', ']']).nth(1).unwrap();
    let sides: Vec<f64> = words.split_whitespace().map(|word| word.parse().unwrap()).collect();
    [sides[2], sides[3]]
}

#[test]
fn a_figure_of_a_race_is_as_the_controls_say_also_at_the_next_start() {
    let (folder, data) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut first = race(folder.path());
    keep_in(&mut first, data.path());
    press(&mut first, Modifiers::COMMAND, Key::E);
    choose(&mut first, "What", "canvases of all runs");
    choose(&mut first, "Size", "one column, 3.3 in");
    assert_eq!(chosen(&first, "Size"), "one column, 3.3 in");
    pick(&mut first, "caption");
    let bytes = save_as(&mut first, "PDF", &folder.path().join("first.pdf"));
    let [width, _] = page_size(&bytes);
    assert!((width - 3.3 * 72.0).abs() < 0.01, "{width}");
    let text = pdf::text(&bytes);
    for words in ["(a) ", "(c) ", "Training data", "seed"] {
        assert!(text.contains(words), "{words} in {text}");
    }
    // The dialog begins with what was asked for last.
    press(&mut first, Modifiers::COMMAND, Key::E);
    assert_eq!(chosen(&first, "What"), "canvases of all runs");
    pick(&mut first, "cm");
    type_number(&mut first, "width", "12");
    assert_eq!(chosen(&first, "Size"), "own size");
    type_number(&mut first, "Panels", "1");
    for switch in ["caption", "legend", "letters (a), (b)", "transparent"] {
        pick(&mut first, switch);
    }
    let bytes = save_as(&mut first, "PDF", &folder.path().join("second.pdf"));
    let [width, height] = page_size(&bytes);
    assert!((width - 12.0 / 2.54 * 72.0).abs() < 0.01, "{width}");
    assert!(height > 1.5 * width, "three panels, one below the other: {width} × {height}");
    let text = pdf::text(&bytes);
    for words in ["(a) ", "(c) ", "Training data", "seed"] {
        assert!(!text.contains(words), "{words} in {text}");
    }
    // Another program begins where this one ended.
    let kept = data.path().join("exports.json");
    wait_for(&mut first, "the choices", || {
        fs::read_to_string(&kept).is_ok_and(|text| text.contains("Transparent"))
    });
    drop(first);
    let mut second = race(folder.path());
    keep_in(&mut second, data.path());
    let began = Instant::now();
    press(&mut second, Modifiers::COMMAND, Key::E);
    // The file is read by a job, of which there is no other sign.
    while chosen(&second, "What") != "canvases of all runs" {
        assert!(began.elapsed() < Duration::from_secs(30), "nothing was remembered");
        pick(&mut second, "Cancel");
        press(&mut second, Modifiers::COMMAND, Key::E);
    }
    assert_eq!(chosen(&second, "Size"), "own size");
    let bytes = save_as(&mut second, "SVG", &folder.path().join("third.svg"));
    let svg = String::from_utf8(bytes).unwrap();
    assert!(svg.contains("width=\"12cm\""), "{}", &svg[..300]);
    assert!(!svg.contains("<rect width"), "paper");
    assert!(!svg.contains("Training data") && !svg.contains(">(a) "));
}

/// Draws frames until a picture is on the clipboard.
fn copied(window: &mut Window) -> ColorImage {
    let began = Instant::now();
    loop {
        let commands = &window.output().platform_output.commands;
        let image = commands.iter().find_map(|command| match command {
            OutputCommand::CopyImage(image) => Some(image.clone()),
            _ => None,
        });
        if let Some(image) = image {
            return image;
        }
        assert!(began.elapsed() < Duration::from_secs(30), "nothing was copied");
        window.step();
        std::thread::sleep(Duration::from_millis(2));
    }
}

#[test]
fn figures_reach_the_clipboard_with_their_pixels() {
    let mut window = window(None);
    settle(&mut window);
    // Nothing was exported yet: the canvas in two columns, 6.9 inches of 300 pixels.
    window.key_press_modifiers(Modifiers::COMMAND.plus(Modifiers::SHIFT), Key::E);
    let image = copied(&mut window);
    assert_eq!(image.size[0], 2070);
    assert_eq!(image.pixels.len(), image.size[0] * image.size[1]);
    assert!(image.pixels.iter().any(|pixel| *pixel != image.pixels[0]), "it is empty");
    window.step();
    assert_eq!(app(&window).notice().unwrap().text, "Copied canvas as a picture");
    // What the dialog says, and from then on without it.
    press(&mut window, Modifiers::COMMAND, Key::E);
    choose(&mut window, "What", "NLL plot");
    choose(&mut window, "Size", "16:9 slide");
    until(&mut window, "the preview", App::has_preview);
    window.get_by_label("Copy").click();
    let from_dialog = copied(&mut window);
    assert_eq!(from_dialog.size, [1920, 1080]);
    pick(&mut window, "Cancel");
    window.key_press_modifiers(Modifiers::COMMAND.plus(Modifiers::SHIFT), Key::E);
    window.step();
    assert!(copied(&mut window) == from_dialog, "another picture");
    window.step();
    assert_eq!(app(&window).notice().unwrap().text, "Copied NLL plot as a picture");
}
