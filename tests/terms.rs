//! The objective taken apart, driven through the window.

#![cfg(feature = "gui")]

mod support;

use egui::{Key, Modifiers, Pos2, vec2};
use egui_kittest::kittest::{NodeT, Queryable};
use scorescope::app::{App, Plots};
use scorescope::figures::fields::Quantity;
use scorescope::figures::shade::alike;
use scorescope::model::{CovarianceType, Density, Parameters, Point};
use scorescope::training::Activity;
use scorescope::training::redraws::{Estimates, REDRAW_COUNT};
use support::window::{Window, app, canvas, click, drag, press, save_as, settle, until, window};

/// The window on two components and blobs, trained by an algorithm.
fn trained(folder: &tempfile::TempDir, algorithm: &str, step_count: usize) -> Window {
    trained_with(folder, algorithm, step_count, "")
}

/// The same with more settings of the algorithm.
fn trained_with(
    folder: &tempfile::TempDir,
    algorithm: &str,
    step_count: usize,
    settings: &str,
) -> Window {
    let path = folder.path().join("small.toml");
    let text = format!(
        "[data]\ndataset = 'blobs'\nn_samples = 300\ncenters = 3\n[model]\nn_components = 2\n\
         [algorithm]\nname = '{algorithm}'\nmax_iter = {step_count}\ntol = 0.0\n{settings}"
    );
    std::fs::write(&path, text).unwrap();
    let mut window = window(Some(&path));
    until(&mut window, "the experiment", |app| {
        app.snapshot().is_some_and(|s| s.mixture.components().len() == 2)
    });
    press(&mut window, Modifiers::NONE, Key::End);
    until(&mut window, "the end of training", |app| {
        matches!(app.snapshot().unwrap().activity, Activity::Finished(_))
    });
    window
}

/// Opens the tab and waits for the terms of the step shown.
fn open_terms(window: &mut Window) {
    press(window, Modifiers::NONE, Key::E);
    until_current(window);
}

fn until_current(window: &mut Window) {
    let is_current = |app: &App| app.terms().map(|terms| terms.0) == shown_step(app);
    until(window, "the terms of the step shown", is_current);
}

fn shown_step(app: &App) -> Option<usize> {
    app.shown().map(|moment| moment.record.step)
}

#[track_caller]
fn near(a: f64, b: f64) {
    assert!((a - b).abs() <= 1e-9 * (1.0 + b.abs()), "{a} is not {b}");
}

#[test]
fn both_bars_add_up_to_the_objective_of_every_step_that_is_shown() {
    let folder = tempfile::tempdir().unwrap();
    let mut window = trained(&folder, "sm", 30);
    assert!(app(&window).terms().is_none(), "nobody has asked for them");
    open_terms(&mut window);
    assert_eq!(app(&window).view().plots, Plots::Terms);
    for back in 0..3 {
        let moment = app(&window).shown().unwrap().clone();
        assert_eq!(moment.record.step, 30 - back);
        let mean = app(&window).terms().unwrap().1.mean;
        near(mean.total(), moment.record.objective);
        // By the formula, one point after the other.
        let points = app(&window).snapshot().unwrap().prepared.dataset.train.clone();
        let trace = |x: &Point| moment.mixture.hessian(*x)[0] + moment.mixture.hessian(*x)[2];
        near(mean.trace, points.iter().map(trace).sum::<f64>() / points.len() as f64);
        let numbers = alike(&[mean.trace, mean.norm, mean.total()]);
        let [trace, norm, sum] = &numbers[..] else { panic!("{numbers:?}") };
        for label in [
            format!("Bars: tr ∇s(x) {trace}, ½‖s(x)‖² {norm}, sum {sum}"),
            format!("(1/N) Σ tr ∇s(x): {trace}"),
            format!("(1/N) Σ ½‖s(x)‖²: {norm}"),
            format!("SM: {sum}"),
        ] {
            assert!(window.query_by_label(&label).is_some(), "{label}");
        }
        press(&mut window, Modifiers::NONE, Key::ArrowLeft);
        until_current(&mut window);
    }
    press(&mut window, Modifiers::NONE, Key::E);
    assert_eq!(app(&window).view().plots, Plots::Run);
}

#[test]
fn other_objectives_have_their_own_formula_and_value() {
    let folder = tempfile::tempdir().unwrap();
    let mut window = trained(&folder, "em", 10);
    open_terms(&mut window);
    let record = app(&window).shown().unwrap().record;
    let label = format!("−(1/N) Σ log p(x): {}", alike(&[record.train_nll])[0]);
    assert!(window.query_by_label(&label).is_some(), "{label}");

    for (algorithm, count) in [("ssm_plain", 2), ("dsm", 3), ("csm", 4), ("nce", 2), ("esm", 3)] {
        let mut window = trained(&folder, algorithm, 10);
        open_terms(&mut window);
        for _ in 0..2 {
            let moment = app(&window).shown().unwrap().clone();
            let snapshot = app(&window).snapshot().unwrap().clone();
            let points = &snapshot.prepared.dataset.train;
            let parameters = Parameters::of(&moment.mixture, CovarianceType::Full, 0.0);
            let look = snapshot.look(moment.record.step).unwrap();
            let parts = look.parts(&parameters, points);
            assert_eq!(parts.len(), count, "{algorithm}");
            let objective = moment.record.objective;
            near(parts.iter().map(|part| part.value).sum(), objective);
            let values: Vec<f64> = parts.iter().map(|part| part.value).chain([objective]).collect();
            let short = app(&window).experiment().algorithm_info().short;
            let symbols = parts.iter().map(|part| &*part.symbol).chain([short]);
            for (symbol, number) in symbols.zip(alike(&values)) {
                let label = format!("{symbol}: {number}");
                assert!(window.query_by_label(&label).is_some(), "{algorithm}: {label}");
            }
            assert!(window.query_by_label_contains("with draws of its own").is_none());
            press(&mut window, Modifiers::NONE, Key::ArrowLeft);
            until_current(&mut window);
        }
    }
}

/// All redraws of the step shown.
fn redrawn(window: &mut Window) -> Estimates {
    let step = shown_step(app(window));
    until(window, "the redraws", |app| {
        let estimates = app.estimates();
        estimates.is_some_and(|e| Some(e.step) == step && e.values.len() == REDRAW_COUNT)
            && !app.is_redrawing()
    });
    app(window).estimates().unwrap().clone()
}

#[test]
fn a_step_at_rest_is_drawn_again_around_what_it_estimates() {
    let folder = tempfile::tempdir().unwrap();
    let mut window = trained(&folder, "ssm", 10);
    assert!(app(&window).estimates().is_none(), "nobody has asked for them");
    open_terms(&mut window);
    for _ in 0..2 {
        let estimates = redrawn(&mut window);
        let moment = app(&window).shown().unwrap();
        assert_eq!(estimates.own, moment.record.objective);
        // Exact score matching of the same mixture, as both bars above have it.
        let exact = app(&window).terms().unwrap().1.mean.total();
        near(estimates.expectation.unwrap().value(), exact);
        let [mean, deviation] = estimates.spread().unwrap();
        assert!((mean - exact).abs() < 4.5 * deviation / (REDRAW_COUNT as f64).sqrt());
        window.step();
        for words in ["200 redraws", "exact score matching: ", "standard deviation"] {
            assert!(window.query_by_label_contains(words).is_some(), "{words}");
        }
        press(&mut window, Modifiers::NONE, Key::ArrowLeft);
        until_current(&mut window);
    }
    press(&mut window, Modifiers::COMMAND, Key::E);
    click(&mut window, "What");
    click(&mut window, "objective with other draws");
    let path = folder.path().join("redraws.svg");
    let text = String::from_utf8(save_as(&mut window, "SVG", &path)).unwrap();
    for words in ["redraws-band", "redraws-expected", "redraws-own", "exact score matching"] {
        assert!(text.contains(words), "{words}");
    }
    // Nothing is drawn by exact score matching.
    let mut window = trained(&folder, "sm", 5);
    open_terms(&mut window);
    for _ in 0..60 {
        window.step();
    }
    assert!(app(&window).estimates().is_none() && !app(&window).is_redrawing());
    assert!(window.query_by_label_contains("redraws").is_none());
}

#[test]
fn a_mini_batch_has_its_own_parts_and_scatters_around_all_points() {
    let folder = tempfile::tempdir().unwrap();
    let mut window = trained_with(&folder, "nll", 10, "batch_size = 50\n");
    open_terms(&mut window);
    let moment = app(&window).shown().unwrap().clone();
    let label = format!("−(1/N) Σ log p(x): {}", alike(&[moment.record.objective])[0]);
    assert!(window.query_by_label(&label).is_some(), "{label}");
    assert!(window.query_by_label("mini-batch of 50").is_some());
    let estimates = redrawn(&mut window);
    near(estimates.expectation.unwrap().value(), moment.record.train_nll);
}

#[test]
fn the_score_error_is_there_where_the_density_is_known() {
    let folder = tempfile::tempdir().unwrap();
    let mut window = trained(&folder, "em", 10);
    press(&mut window, Modifiers::SHIFT, Key::F2);
    assert_eq!(app(&window).view().quantity, Quantity::ScoreError);
    window.state_mut().as_mut().unwrap().view_mut().shown.score = true;
    settle(&mut window);
    press(&mut window, Modifiers::COMMAND, Key::E);
    let path = folder.path().join("canvas.svg");
    let text = String::from_utf8(save_as(&mut window, "SVG", &path)).unwrap();
    // What the colors say stands beside it as a bar.
    for words in ["plane-density", "linearGradient", "Model score − true score"] {
        assert!(text.contains(words), "{words}");
    }
    // Other data, of which nobody knows the density: the field is gone, gray in the menu and skipped by its key.
    click(&mut window, "Pinwheel");
    until(&mut window, "the pinwheel", |app| app.experiment().knows_density().is_err());
    settle(&mut window);
    assert_eq!(app(&window).view().quantity, Quantity::Density);
    press(&mut window, Modifiers::SHIFT, Key::F2);
    assert_eq!(app(&window).view().quantity, Quantity::Term);
    click(&mut window, "field");
    let entry = window.get_by_label(Quantity::ScoreError.label());
    assert!(entry.accesskit_node().is_disabled());
}

/// The color of a pixel of the window.
fn pixel(window: &mut Window, at: Pos2) -> [u8; 4] {
    window.render().unwrap().get_pixel(at.x as u32, at.y as u32).0
}

#[test]
fn fields_take_the_place_of_the_density_by_key_and_by_menu() {
    let folder = tempfile::tempdir().unwrap();
    let mut window = trained(&folder, "em", 10);
    settle(&mut window);
    window.remove_cursor();
    let corner = canvas(&window).left_top() + vec2(30.0, 30.0);
    let empty = pixel(&mut window, corner);
    for quantity in [Quantity::LogDensity, Quantity::Norm, Quantity::Trace, Quantity::Term] {
        press(&mut window, Modifiers::NONE, Key::F2);
        settle(&mut window);
        assert_eq!(app(&window).view().quantity, quantity);
        assert!(window.query_by_label(quantity.name()).is_some(), "{quantity:?}");
        if quantity == Quantity::Term {
            // In the tails the norm rises without bound: orange.
            let [r, _, b, _] = pixel(&mut window, corner);
            assert!(r > b && [r, b] != [empty[0], empty[2]], "{r} {b} {empty:?}");
        }
    }
    press(&mut window, Modifiers::SHIFT, Key::F2);
    assert_eq!(app(&window).view().quantity, Quantity::Trace);
    click(&mut window, "field");
    click(&mut window, Quantity::Norm.label());
    assert_eq!(app(&window).view().quantity, Quantity::Norm);
    press(&mut window, Modifiers::SHIFT, Key::F2);
    press(&mut window, Modifiers::SHIFT, Key::F2);
    settle(&mut window);
    assert_eq!(pixel(&mut window, corner), empty);
}

/// Where a place on the plane is on screen.
fn on_screen(window: &Window, [x, y]: Point) -> Pos2 {
    let (area, bounds) = (canvas(window), app(window).canvas_bounds());
    let [width, height] = bounds.size();
    let share = vec2(((x - bounds.min[0]) / width) as f32, ((bounds.max[1] - y) / height) as f32);
    area.lerp_inside(share)
}

#[test]
fn a_card_tells_of_the_place_at_the_pointer_and_leaves_hands_alone() {
    let folder = tempfile::tempdir().unwrap();
    let mut window = trained(&folder, "em", 10);
    // Away from the data, where the card would stand beside the pointer.
    let at = canvas(&window).left_top() + vec2(60.0, 60.0);
    let card = at + vec2(30.0, 20.0);
    let has_card = |window: &mut Window| {
        window.remove_cursor();
        settle(window);
        let before = pixel(window, card);
        window.hover_at(at);
        settle(window);
        pixel(window, card) != before
    };
    assert!(!has_card(&mut window), "the density needs none");
    open_terms(&mut window);
    assert!(has_card(&mut window));
    press(&mut window, Modifiers::NONE, Key::E);
    assert!(!has_card(&mut window));
    press(&mut window, Modifiers::NONE, Key::F2);
    assert!(has_card(&mut window));

    // Components are dragged as before.
    open_terms(&mut window);
    let mean = app(&window).shown().unwrap().mixture.components()[0].gaussian.mean;
    let from = on_screen(&window, mean);
    let path: Vec<Pos2> = (0..=8).map(|i| from + vec2(5.0, -3.0) * i as f32).collect();
    drag(&mut window, &path);
    until(&mut window, "the fork", |app| app.experiment().branches.len() == 1);
    until_current(&mut window);
}

#[test]
fn a_canvas_is_exported_with_its_field_terms_and_streamlines() {
    let folder = tempfile::tempdir().unwrap();
    let mut window = trained(&folder, "em", 10);
    for _ in 0..3 {
        press(&mut window, Modifiers::NONE, Key::F2);
    }
    press(&mut window, Modifiers::NONE, Key::V);
    open_terms(&mut window);
    assert!(app(&window).view().shown.streamlines);
    press(&mut window, Modifiers::COMMAND, Key::E);
    assert_eq!(app(&window).view().plots, Plots::Terms, "Ctrl+E is another key");
    let path = folder.path().join("canvas.svg");
    let text = String::from_utf8(save_as(&mut window, "SVG", &path)).unwrap();
    for words in ["plane-streamlines", "plane-terms", "plane-largest", "plane-shade", "∇"] {
        assert!(text.contains(words), "{words}");
    }
    assert!(!text.contains("plane-train"), "each point once");
}
