//! The checks page, driven through the window.

#![cfg(feature = "gui")]

mod support;

use egui::{Key, Modifiers};
use egui_kittest::kittest::Queryable;
use support::window::{press, step, until, window};

#[test]
fn all_formulas_are_right_on_the_mixture_that_is_shown() {
    let mut window = window(None);
    for wanted in 1..=3 {
        press(&mut window, Modifiers::NONE, Key::ArrowRight);
        until(&mut window, "a step", |app| step(app) == wanted);
    }
    press(&mut window, Modifiers::NONE, Key::F9);
    let began = std::time::Instant::now();
    while window.query_by_label_contains("agree.").is_none() {
        assert!(began.elapsed() < std::time::Duration::from_secs(30));
        window.step();
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    let verdict = window.query_by_label_contains("All 13 agree.");
    assert!(verdict.is_some());
    assert!(window.query_by_label_contains("the mixture of step 3").is_some());
    assert!(window.query_by_label("gradient of CSM").is_some());
    press(&mut window, Modifiers::NONE, Key::Escape);
    assert!(window.query_by_label_contains("agree.").is_none());
}
