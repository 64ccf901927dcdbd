//! The start set by hand: components dragged by the pointer, moved by keys, typed into the table, opened from files.

#![cfg(feature = "gui")]

mod support;

use std::path::{Path, PathBuf};

use egui::{Key, Modifiers, PointerButton, Pos2, Role, Vec2, vec2};
use egui_kittest::kittest::Queryable;
use scorescope::algorithms::given::GivenComponent;
use scorescope::data::Scaling;
use scorescope::model::{Cholesky, N_COMPONENTS, Point};
use scorescope::training::BranchId;
use support::window::{
    Window, app, canvas, click, drag, fill, mixture, press, sized, step, until, window,
};

/// Three components on half moons, far from each other; the first one lies along x₁.
const THREE: &str = "[data]\ndataset = 'halfmoons'\n
    [[start.component]]\nweight = 0.25\nmean = [-0.4, 0.6]\ncovariance = [[0.16, 0], [0, 0.04]]
    [[start.component]]\nweight = 0.25\nmean = [1.5, -0.3]\ncovariance = [[0.06, 0.01], [0.01, 0.04]]
    [[start.component]]\nweight = 0.5\nmean = [1.4, 1.0]\ncovariance = [[0.04, 0], [0, 0.04]]\n";

fn file(folder: &Path, text: &str) -> PathBuf {
    let path = folder.join("three.toml");
    std::fs::write(&path, text).unwrap();
    path
}

/// The window with three components.
fn three(text: &str) -> Window {
    let folder = tempfile::tempdir().unwrap();
    // High enough for the whole panel on the left.
    let mut window = sized(Some(&file(folder.path(), text)), [1280.0, 1100.0]);
    until(&mut window, "three components", |app| {
        app.snapshot().is_some_and(|s| s.mixture.components().len() == 3)
    });
    window.run_steps(5);
    window
}

fn given(window: &Window) -> &[GivenComponent] {
    &app(window).experiment().given
}

fn scaling(window: &Window) -> Scaling {
    app(window).snapshot().unwrap().prepared.dataset.scaling
}

/// Pixels of a unit on screen.
fn pixels(window: &Window) -> f32 {
    canvas(window).width() / app(window).canvas_bounds().size()[0] as f32
}

/// Where a place in the units of the source is on screen.
fn place(window: &Window, x: Point) -> Pos2 {
    let (area, bounds) = (canvas(window), app(window).canvas_bounds());
    let [x, y] = scaling(window).apply(x);
    let [width, height] = bounds.size();
    let share = vec2(((x - bounds.min[0]) / width) as f32, ((bounds.max[1] - y) / height) as f32);
    area.lerp_inside(share)
}

fn button(window: &mut Window, pos: Pos2, pressed: bool) {
    window.event(egui::Event::PointerButton {
        pos,
        button: PointerButton::Primary,
        pressed,
        modifiers: Modifiers::NONE,
    });
    window.step();
}

/// Presses and lets go two points further.
fn click_at(window: &mut Window, at: Pos2) {
    window.hover_at(at);
    window.step();
    button(window, at, true);
    window.hover_at(at + vec2(1.0, 1.5));
    window.step();
    button(window, at + vec2(1.0, 1.5), false);
    window.run_steps(3);
}

/// A straight way in eight movements.
fn way(from: Pos2, by: Vec2) -> Vec<Pos2> {
    (0..=8).map(|i| from + by * i as f32 / 8.0).collect()
}

/// Waits until the worker has taken the start up.
fn follow(window: &mut Window) {
    until(window, "the start", |app| {
        app.snapshot().unwrap().experiment.given == app.experiment().given
    });
}

#[track_caller]
fn near(a: f64, b: f64, tolerance: f64) {
    assert!((a - b).abs() <= tolerance, "{a} is not {b}");
}

fn weight_sum(window: &Window) -> f64 {
    given(window).iter().map(|component| component.weight).sum()
}

#[test]
fn a_mean_is_dragged_the_view_stays_and_one_undo_brings_it_back_to_the_bit() {
    for text in [THREE.to_owned(), THREE.replace("'halfmoons'\n", "'halfmoons'\nscale = true\n")] {
        let mut window = three(&text);
        let (before, start) = (app(&window).experiment().clone(), mixture(&window));
        let bounds = app(&window).canvas_bounds();
        let (from, by) = (place(&window, before.given[0].mean), vec2(60.0, 40.0));
        let unit = scaling(&window).unit.map(|unit| unit / f64::from(pixels(&window)));
        // A hand that rests on its way still makes one change.
        let mut path = way(from, by / 2.0);
        path.extend([from + by / 2.0; 50]);
        path.extend(way(from + by / 2.0, by / 2.0));
        drag(&mut window, &path);
        let moved = given(&window)[0];
        near(moved.mean[0], before.given[0].mean[0] + 60.0 * unit[0], 0.01);
        near(moved.mean[1], before.given[0].mean[1] - 40.0 * unit[1], 0.01);
        assert_eq!(moved.covariance, before.given[0].covariance);
        assert_eq!(given(&window)[1..], before.given[1..]);
        assert_eq!(app(&window).canvas_bounds(), bounds);
        follow(&mut window);
        assert_eq!(app(&window).canvas_bounds(), bounds);
        let shown = mixture(&window).components()[0].gaussian.mean;
        let expected = scaling(&window).apply(moved.mean);
        near(shown[0], expected[0], 1e-12);
        press(&mut window, Modifiers::COMMAND, Key::Z);
        assert_eq!(app(&window).experiment(), &before);
        follow(&mut window);
        assert_eq!(mixture(&window), start);
        press(&mut window, Modifiers::COMMAND.plus(Modifiers::SHIFT), Key::Z);
        assert_eq!(given(&window)[0], moved);
    }
}

#[test]
fn rewinding_goes_back_to_the_start_that_a_hand_has_set() {
    let mut window = three(THREE);
    let from = place(&window, given(&window)[0].mean);
    drag(&mut window, &way(from, vec2(-30.0, 20.0)));
    follow(&mut window);
    let start = mixture(&window);
    for wanted in 1..=3 {
        click(&mut window, "One step");
        until(&mut window, "a step", |app| step(app) == wanted);
    }
    assert_ne!(mixture(&window), start);
    press(&mut window, Modifiers::NONE, Key::Home);
    until(&mut window, "the start", |app| step(app) == 0);
    assert_eq!(mixture(&window), start);
}

#[test]
fn axes_are_stretched_and_turned_by_their_handles() {
    let mut window = three(THREE);
    let before = given(&window).to_vec();
    let (mean, pixel) = (before[0].mean, 1.0 / f64::from(pixels(&window)));
    // The longer axis ends 0.4 to the right of the mean, the shorter one 0.2 above it.
    let from = place(&window, [mean[0] + 0.4, mean[1]]);
    drag(&mut window, &way(from, vec2(30.0, 17.0)));
    let wide = given(&window)[0];
    near(wide.covariance[0].sqrt(), 0.4 + 30.0 * pixel, 0.01);
    near(wide.covariance[2], 0.04, 1e-9);
    near(wide.covariance[1], 0.0, 1e-9);
    assert_eq!(wide.mean, mean);
    assert_eq!(given(&window)[1..], before[1..]);
    follow(&mut window);
    let from = place(&window, [mean[0], mean[1] + 0.2]);
    drag(&mut window, &way(from, vec2(5.0, -20.0)));
    near(given(&window)[0].covariance[2].sqrt(), 0.2 + 20.0 * pixel, 0.01);
    follow(&mut window);
    // Inwards beyond the mean, nothing vanishes.
    let long = given(&window)[0].covariance[0].sqrt();
    let from = place(&window, [mean[0] + long, mean[1]]);
    drag(&mut window, &way(from, vec2(-400.0, 0.0)));
    let thin = given(&window)[0].covariance;
    assert!(Cholesky::of(thin).is_some() && thin[0].sqrt() < 5.0 * pixel, "{thin:?}");
    press(&mut window, Modifiers::COMMAND, Key::Z);
    follow(&mut window);
    // The knob stands 24 points beyond the end of the longer axis: a quarter of a turn, upwards.
    let center = place(&window, mean);
    click_at(&mut window, center);
    let reach = long as f32 * pixels(&window) + 24.0;
    let arc: Vec<Pos2> = (0..=30)
        .map(|i| {
            let (sin, cos) = (f64::from(i) * 3.0_f64.to_radians()).sin_cos();
            center + reach * vec2(cos as f32, -sin as f32)
        })
        .collect();
    let [s11, _, s22] = given(&window)[0].covariance;
    drag(&mut window, &arc[..=15]);
    let [t11, t12, t22] = given(&window)[0].covariance;
    near(t12, (s11 - s22) / 2.0, 0.02 * s11);
    near(t11 + t22, s11 + s22, 1e-9);
    drag(&mut window, &arc[15..]);
    let [t11, t12, t22] = given(&window)[0].covariance;
    for (got, expected) in [(t11, s22), (t12, 0.0), (t22, s11)] {
        near(got, expected, 0.02 * s11);
    }
}

#[test]
fn the_ring_makes_a_component_heavier_and_weights_sum_to_one() {
    let mut window = three(THREE);
    let center = place(&window, given(&window)[0].mean);
    click_at(&mut window, center);
    // The arc ends where a quarter of the turn does; it is led on to three quarters, clockwise from the top.
    let on_ring = |share: f32| {
        let (sin, cos) = (share * std::f32::consts::TAU).sin_cos();
        center + 16.0 * vec2(sin, -cos)
    };
    let arc: Vec<Pos2> = (0..=20).map(|i| on_ring(0.25 + 0.025 * i as f32)).collect();
    drag(&mut window, &arc);
    near(given(&window)[0].weight, 0.75, 0.02);
    near(weight_sum(&window), 1.0, 1e-12);
    near(given(&window)[2].weight / given(&window)[1].weight, 2.0, 1e-9);
    follow(&mut window);
    near(mixture(&window).weights()[0], given(&window)[0].weight, 1e-12);
    // Straight across it follows; past the top it stays as heavy as can be.
    drag(&mut window, &[0.75, 0.2].map(on_ring));
    near(given(&window)[0].weight, 0.2, 0.02);
    follow(&mut window);
    drag(&mut window, &[0.2, 0.5, 0.95, 0.1].map(on_ring));
    near(given(&window)[0].weight, 0.999, 1e-12);
    near(weight_sum(&window), 1.0, 1e-12);
}

#[test]
fn a_click_selects_and_changes_nothing() {
    let mut window = three(THREE);
    let (before, bounds) = (app(&window).experiment().clone(), app(&window).canvas_bounds());
    for k in [1, 0] {
        let at = place(&window, before.given[k].mean);
        click_at(&mut window, at);
        assert_eq!(window.state_mut().as_mut().unwrap().view_mut().selected, Some(k));
        assert_eq!(app(&window).experiment(), &before);
        assert_eq!(app(&window).canvas_bounds(), bounds);
    }
    // Beside everything, it lets go.
    let at = place(&window, [-0.5, -0.6]);
    click_at(&mut window, at);
    assert_eq!(window.state_mut().as_mut().unwrap().view_mut().selected, None);
    assert_eq!(app(&window).experiment(), &before);
}

#[test]
fn components_are_added_copied_mirrored_and_deleted() {
    let mut window = three(THREE);
    let before = app(&window).experiment().clone();
    let wanted = [0.3, -0.5];
    let at = place(&window, wanted);
    window.hover_at(at);
    window.step();
    for _ in 0..2 {
        button(&mut window, at, true);
        button(&mut window, at, false);
    }
    window.run_steps(3);
    assert_eq!(given(&window).len(), 4);
    assert_eq!(app(&window).experiment().model.integer(&N_COMPONENTS), 4);
    let added = given(&window)[3];
    near(added.mean[0], wanted[0], 0.01);
    near(added.mean[1], wanted[1], 0.01);
    assert_eq!(added.weight, 0.25);
    near(weight_sum(&window), 1.0, 1e-12);
    follow(&mut window);
    // It is the selected one.
    press(&mut window, Modifiers::COMMAND, Key::D);
    assert_eq!(given(&window).len(), 5);
    assert_eq!(given(&window)[4].weight, 0.125);
    follow(&mut window);
    let middle = app(&window).snapshot().unwrap().prepared.dataset.bounds.center()[0];
    let copied = given(&window)[4].mean;
    press(&mut window, Modifiers::NONE, Key::M);
    near(given(&window)[4].mean[0], 2.0 * middle - copied[0], 1e-12);
    follow(&mut window);
    press(&mut window, Modifiers::NONE, Key::Delete);
    assert_eq!(given(&window).len(), 4);
    near(weight_sum(&window), 1.0, 1e-12);
    follow(&mut window);
    // Nothing is selected any more.
    press(&mut window, Modifiers::NONE, Key::Delete);
    assert_eq!(given(&window).len(), 4);
    for _ in 0..4 {
        press(&mut window, Modifiers::COMMAND, Key::Z);
    }
    assert_eq!(app(&window).experiment(), &before);
}

#[test]
fn arrow_keys_move_what_is_selected_and_train_otherwise() {
    let mut window = three(THREE);
    let before = given(&window)[0].mean;
    let pixel = 1.0 / f64::from(pixels(&window));
    let at = place(&window, before);
    click_at(&mut window, at);
    press(&mut window, Modifiers::NONE, Key::ArrowRight);
    near(given(&window)[0].mean[0], before[0] + pixel, 0.01 * pixel);
    press(&mut window, Modifiers::SHIFT, Key::ArrowUp);
    near(given(&window)[0].mean[1], before[1] + 10.0 * pixel, 0.01 * pixel);
    follow(&mut window);
    assert_eq!(step(app(&window)), 0);
    let moved = given(&window)[0].mean;
    press(&mut window, Modifiers::NONE, Key::Escape);
    press(&mut window, Modifiers::NONE, Key::ArrowRight);
    until(&mut window, "a step", |app| step(app) == 1);
    assert_eq!(given(&window)[0].mean, moved);
}

#[test]
fn a_change_in_mid_training_is_a_fork_and_says_so() {
    let mut window = window(None);
    let before = app(&window).experiment().clone();
    for wanted in 1..=3 {
        click(&mut window, "One step");
        until(&mut window, "a step", |app| step(app) == wanted);
    }
    let trained = mixture(&window);
    let mean = trained.components()[0].gaussian.mean;
    let from = place(&window, mean);
    drag(&mut window, &way(from, vec2(0.0, -25.0)));
    let text = app(&window).notice().unwrap().text.clone();
    assert!(text.starts_with("Run 2 leaves run 1 at step 3"), "{text}");
    let fork = app(&window).experiment().branches[0].clone();
    assert_eq!((fork.step, fork.given.len(), app(&window).view().run), (3, 12, fork.id));
    until(&mut window, "the fork", |app| {
        app.snapshot_of(fork.id).is_some_and(|s| s.branch.as_ref() == Some(&fork))
    });
    // The run that it left is as it was, and the fork begins with what the hand made.
    assert_eq!(step(app(&window)), 3);
    let trunk = app(&window).snapshot_of(BranchId::TRUNK).unwrap();
    assert_eq!((trunk.record.step, &*trunk.mixture), (3, &trained));
    let start = mixture(&window);
    let changed: Vec<usize> = (0..12)
        .filter(|&k| start.components()[k].gaussian.mean != trained.components()[k].gaussian.mean)
        .collect();
    assert_eq!(changed.len(), 1, "{changed:?}");
    // Changed again before it has taken a step, it stays one fork.
    let from = place(&window, start.components()[changed[0]].gaussian.mean);
    drag(&mut window, &way(from, vec2(10.0, 0.0)));
    assert_eq!(app(&window).experiment().branches.len(), 1);
    press(&mut window, Modifiers::COMMAND, Key::Z);
    press(&mut window, Modifiers::COMMAND, Key::Z);
    assert_eq!(app(&window).view().run, BranchId::TRUNK);
    assert_eq!(app(&window).experiment(), &before);
    assert_eq!(mixture(&window), trained);
    press(&mut window, Modifiers::NONE, Key::Home);
    // A fit as a start changes nothing but where training begins.
    until(&mut window, "the start", |app| step(app) == 0);
    click(&mut window, "One step");
    until(&mut window, "a step", |app| step(app) == 1);
    let fit = mixture(&window);
    click(&mut window, "Edit");
    click(&mut window, "Start from this fit");
    follow(&mut window);
    assert_eq!((step(app(&window)), given(&window).len()), (0, 12));
    for (a, b) in mixture(&window).components().iter().zip(fit.components()) {
        assert_eq!(a.gaussian.mean, b.gaussian.mean);
        let [a, b] = [a, b].map(|c| c.gaussian.cholesky.covariance());
        assert!(a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-12), "{a:?} {b:?}");
    }
    // A named start is one click away.
    press(&mut window, Modifiers::NONE, Key::N);
    assert!(given(&window).is_empty());
}

#[test]
fn exact_numbers_are_typed_into_the_table() {
    let mut window = three(THREE);
    click(&mut window, "Set by hand");
    window.run_steps(20);
    let type_in = |window: &mut Window, label: &str, text: &str| {
        fill(window, label, text);
        press(window, Modifiers::NONE, Key::Enter);
        window.run_steps(3);
    };
    let before = given(&window).to_vec();
    type_in(&mut window, "x₁ of component 2", "1.23456789");
    assert_eq!(given(&window)[1].mean, [1.234_567_89, -0.3]);
    type_in(&mut window, "% of component 1", "40");
    assert_eq!(given(&window)[0].weight, 0.4);
    near(weight_sum(&window), 1.0, 1e-12);
    type_in(&mut window, "σ₁ of component 3", "0.5");
    near(given(&window)[2].covariance[0], 0.25, 1e-12);
    near(given(&window)[2].covariance[2], 0.04, 1e-12);
    type_in(&mut window, "∠° of component 3", "90");
    near(given(&window)[2].covariance[2], 0.25, 1e-12);
    near(given(&window)[2].covariance[0], 0.04, 1e-12);
    // A field that is entered and left changes nothing, however few digits it shows.
    let typed = app(&window).experiment().clone();
    let field = "x₁ of component 2";
    window.get_by_role_and_label(Role::SpinButton, field).focus();
    window.run_steps(3);
    press(&mut window, Modifiers::NONE, Key::Enter);
    assert_eq!(app(&window).experiment(), &typed);
    assert!(window.query_by_label("Weights sum to 1").is_some());
    follow(&mut window);
    // What was typed quickly may count as one change.
    for _ in 0..4 {
        if given(&window) == before {
            break;
        }
        press(&mut window, Modifiers::COMMAND, Key::Z);
    }
    assert_eq!(given(&window), before);
}

#[test]
fn a_model_file_is_a_start() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.json");
    let mut window = window(None);
    click(&mut window, "One step");
    until(&mut window, "a step", |app| step(app) == 1);
    let fit = mixture(&window);
    press(&mut window, Modifiers::COMMAND, Key::E);
    click(&mut window, "What");
    window.get_all_by_label("model (step shown)").last().unwrap().click();
    window.run_steps(3);
    fill(&mut window, "Path", &path.display().to_string());
    click(&mut window, "Save");
    until(&mut window, "the file", |app| {
        app.notice().is_some_and(|notice| notice.text.starts_with("Saved"))
    });
    press(&mut window, Modifiers::COMMAND, Key::O);
    fill(&mut window, "Path", &path.display().to_string());
    click(&mut window, "Open");
    until(&mut window, "the start", |app| app.experiment().given.len() == 12 && step(app) == 0);
    follow(&mut window);
    for (a, b) in mixture(&window).components().iter().zip(fit.components()) {
        assert_eq!(a.gaussian.mean, b.gaussian.mean);
    }
    // What is no model is refused, and changes nothing.
    std::fs::write(&path, "{\"weights_\": [1]}").unwrap();
    let before = app(&window).experiment().clone();
    press(&mut window, Modifiers::COMMAND, Key::O);
    fill(&mut window, "Path", &path.display().to_string());
    click(&mut window, "Open");
    until(&mut window, "a message", |app| app.notice().is_some_and(|n| n.is_problem));
    assert_eq!(app(&window).experiment(), &before);
}

#[test]
fn another_k_or_way_puts_the_start_aside() {
    let mut window = three(THREE);
    window.get_by_role_and_label(Role::Slider, "Components K").increment_accesskit();
    until(&mut window, "another K", |app| {
        app.experiment().given.is_empty() && app.snapshot().unwrap().mixture.components().len() > 3
    });
    press(&mut window, Modifiers::COMMAND, Key::Z);
    follow(&mut window);
    assert_eq!(given(&window).len(), 3);
    click(&mut window, "Means");
    click(&mut window, "on a ring");
    assert!(given(&window).is_empty());
    until(&mut window, "a ring", |app| app.snapshot().unwrap().experiment.given.is_empty());
    assert_eq!(mixture(&window).components().len(), 3);
}

#[test]
fn covariances_keep_to_their_type_under_the_hand() {
    for (id, others_follow) in [("spherical", false), ("diag", false), ("tied", true)] {
        let mut window = three(&format!("{THREE}\n[model]\ncovariance_type = '{id}'\n"));
        let shown = mixture(&window).components()[1].gaussian;
        let ellipse = shown.cholesky.ellipse(1.0);
        let (sin, cos) = ellipse.angle.sin_cos();
        let length = ellipse.semi_axes[0];
        let end = place(&window, [shown.mean[0] + length * cos, shown.mean[1] + length * sin]);
        let outwards = 25.0 * vec2(cos as f32, -sin as f32);
        let before = given(&window).to_vec();
        drag(&mut window, &way(end, outwards));
        follow(&mut window);
        let wider = length + 25.0 / f64::from(pixels(&window));
        let covariances: Vec<_> =
            mixture(&window).components().iter().map(|c| c.gaussian.cholesky).collect();
        near(covariances[1].ellipse(1.0).semi_axes[0], wider, 0.01);
        let [s11, s12, s22] = covariances[1].covariance();
        if id == "spherical" {
            near(s11, s22, 1e-12);
        }
        assert_eq!(s12.abs() > 1e-12, id == "tied", "{id}");
        for k in [0, 2] {
            assert_eq!(given(&window)[k].mean, before[k].mean, "{id}");
            assert_eq!(covariances[k] == covariances[1], others_follow, "{id}");
        }
    }
}
