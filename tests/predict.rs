//! Predict, then reveal: flags on the canvas and bets on runs, driven through the window.

#![cfg(feature = "gui")]

mod support;

use egui::{Key, Modifiers, vec2};
use egui_kittest::kittest::Queryable;
use scorescope::model::Point;
use scorescope::training::BranchId;
use support::window::{Window, app, canvas, click, drag, press, step, until, window};

/// Where a place of the plane is on screen; the canvas's frame lies within its rectangle.
fn drag_flag(window: &mut Window, by: egui::Vec2) -> [Point; 2] {
    let before = app(window).view().prediction.guesses[0].place;
    let bounds = app(window).canvas_bounds();
    let rect = canvas(window);
    let share = [0, 1].map(|i| (before[i] - bounds.min[i]) / bounds.size()[i]);
    let foot = rect.lerp_inside(vec2(share[0] as f32, 1.0 - share[1] as f32));
    let cloth = foot - vec2(0.0, 13.0);
    drag(window, &[cloth, cloth + by / 2.0, cloth + by]);
    [before, app(window).view().prediction.guesses[0].place]
}

#[test]
fn a_guess_is_dragged_and_the_distance_is_shown_once_the_run_has_played() {
    let mut window = window(None);
    // By keyboard and without a component it says what to do.
    press(&mut window, Modifiers::NONE, Key::Q);
    assert!(app(&window).notice().unwrap().text.starts_with("Click a component first"));
    window.state_mut().as_mut().unwrap().view_mut().selected = Some(3);
    press(&mut window, Modifiers::NONE, Key::Q);
    window.run_steps(3);
    let start = app(&window).shown().unwrap().mixture.components()[3].gaussian.mean;
    let bounds = app(&window).canvas_bounds();
    let [before, after] = drag_flag(&mut window, vec2(60.0, 30.0));
    assert!(before[0] > start[0] && after[0] > before[0] && after[1] < before[1]);
    // Neither the view nor the start has moved.
    assert_eq!(app(&window).canvas_bounds(), bounds);
    assert!(app(&window).experiment().given.is_empty());
    assert!(window.query_by_label_contains(" off").is_none());
    press(&mut window, Modifiers::NONE, Key::ArrowRight);
    until(&mut window, "a step", |app| step(app) == 1);
    let mean = app(&window).shown().unwrap().mixture.components()[3].gaussian.mean;
    let distance = (mean[0] - after[0]).hypot(mean[1] - after[1]);
    assert!(window.query_by_label(&format!("{distance:.3} off")).is_some(), "{distance}");
    click(&mut window, "Remove the guess for component 4");
    assert!(app(&window).view().prediction.guesses.is_empty());
}

#[test]
fn a_bet_on_a_run_is_ranked_among_all() {
    let mut window = window(None);
    press(&mut window, Modifiers::NONE, Key::R);
    until(&mut window, "four runs", |app| app.experiment().branches.len() == 3);
    press(&mut window, Modifiers::NONE, Key::PageDown);
    press(&mut window, Modifiers::NONE, Key::W);
    let nll = app(&window).experiment().branches[0].id;
    assert_eq!(app(&window).view().prediction.bet, Some(nll));
    assert!(window.query_by_label("bet").is_some());
    for wanted in 1..=5 {
        press(&mut window, Modifiers::NONE, Key::ArrowRight);
        until(&mut window, "a step of all", |app| {
            app.experiment().runs().all(|id| {
                app.snapshot_of(id).is_some_and(|snapshot| snapshot.record.step == wanted)
            })
        });
    }
    let values: Vec<(f64, BranchId)> = (app(&window).experiment().runs())
        .map(|id| (app(&window).shown_of(id).unwrap().record.train_nll, id))
        .collect();
    let own = values.iter().find(|(_, id)| *id == nll).unwrap().0;
    let place = 1 + values.iter().filter(|(value, _)| *value < own).count();
    let best = values.iter().map(|(value, _)| *value).fold(f64::INFINITY, f64::min);
    let words = match ["1st", "2nd", "3rd", "4th"][place - 1] {
        "1st" => "bet: 1st".to_owned(),
        ordinal => format!("bet: {ordinal} +{:.3}", own - best),
    };
    assert!(window.query_by_label(&words).is_some(), "{words}");
}
