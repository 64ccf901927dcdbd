//! The window in tests: driven through its accessibility tree, without graphics.

use std::path::Path;
use std::time::{Duration, Instant};

use egui::{Key, Modifiers, PointerButton, Pos2, Rect, vec2};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable;
use scorescope::algorithms::given::GivenComponent;
use scorescope::app::App;
use scorescope::model::{Bounds, Mixture, Point};
use scorescope::training::Experiment;

use super::renderer::Renderer;

/// The program, driven by a test.
pub type Window = Harness<'static, Option<App>>;

/// The program in a window of 1280 × 800 points that is not shown.
pub fn window(open: Option<&Path>) -> Window {
    sized(open, [1280.0, 800.0])
}

/// The program in a window that is not shown, as large as this.
pub fn sized(open: Option<&Path>, size: [f32; 2]) -> Window {
    let open = open.map(Path::to_owned);
    let draw = move |ui: &mut egui::Ui, app: &mut Option<App>| {
        let ctx = ui.ctx().clone();
        let app = app.get_or_insert_with(|| App::new(&ctx, open.clone()).unwrap());
        // As eframe does it: the whole window, cleared to the program's color.
        let whole = ctx.content_rect();
        ui.painter().with_clip_rect(whole).rect_filled(whole, 0.0, app.clear_color());
        app.receive();
        app.frame_ui(&mut ui.new_child(egui::UiBuilder::new().max_rect(whole)));
    };
    let mut window = Harness::builder()
        .with_size(size)
        .with_step_dt(0.02)
        .renderer(Renderer::default())
        .build_ui_state(draw, None);
    until(&mut window, "a mixture or a message", |app| {
        app.snapshot().is_some() || app.problem().is_some()
    });
    window
}

/// The program's state.
pub fn app(window: &Window) -> &App {
    window.state().as_ref().unwrap()
}

/// Draws frames until something is true.
#[track_caller]
pub fn until(window: &mut Window, what: &str, is_true: impl Fn(&App) -> bool) {
    let began = Instant::now();
    while !window.state().as_ref().is_some_and(&is_true) {
        assert!(began.elapsed() < Duration::from_secs(30), "still waiting for {what}");
        window.step();
        std::thread::sleep(Duration::from_millis(2));
    }
    window.run_steps(3);
}

/// How many steps have been shown.
pub fn step(app: &App) -> usize {
    app.snapshot().map_or(0, |snapshot| snapshot.record.step)
}

/// The mixture that is shown.
pub fn mixture(window: &Window) -> Mixture {
    (*app(window).snapshot().unwrap().mixture).clone()
}

/// Clicks on what has this name.
#[track_caller]
pub fn click(window: &mut Window, label: &str) {
    window.get_by_label(label).click();
    window.run_steps(3);
}

/// Presses a key.
pub fn press(window: &mut Window, modifiers: Modifiers, key: Key) {
    window.key_press_modifiers(modifiers, key);
    window.run_steps(3);
}

/// Presses the left button at the first place, moves through the others, and lets go at the last.
pub fn drag(window: &mut Window, path: &[Pos2]) {
    let button = |pos, pressed| egui::Event::PointerButton {
        pos,
        button: PointerButton::Primary,
        pressed,
        modifiers: Modifiers::NONE,
    };
    window.hover_at(path[0]);
    window.step();
    window.event(button(path[0], true));
    window.step();
    for &place in path {
        window.hover_at(place);
        window.step();
    }
    window.event(button(path[path.len() - 1], false));
    window.run_steps(3);
}

/// Where the canvas is.
pub fn canvas(window: &Window) -> Rect {
    window.get_by_label("Canvas").rect()
}

/// A path across the canvas.
pub fn across(window: &Window) -> Vec<Pos2> {
    let rect = canvas(window);
    (0..=20).map(|i| rect.lerp_inside(vec2(0.3 + 0.02 * i as f32, 0.5))).collect()
}

/// Types into a field over what is there.
pub fn fill(window: &mut Window, label: &str, text: &str) {
    window.get_by_label(label).focus();
    window.run_steps(2);
    window.key_press_modifiers(Modifiers::COMMAND, Key::A);
    window.run_steps(2);
    window.get_by_label(label).type_text(text);
    window.run_steps(3);
}

/// Draws frames until nothing moves any more: the worker waits, the painter is done.
pub fn settle(window: &mut Window) {
    let began = Instant::now();
    let mut quiet_frames = 0;
    while quiet_frames < 20 {
        let causes = window.ctx.repaint_causes();
        assert!(began.elapsed() < Duration::from_mins(1), "it never rests: {causes:?}");
        window.step();
        std::thread::sleep(Duration::from_millis(5));
        quiet_frames = if window.ctx.has_requested_repaint() { 0 } else { quiet_frames + 1 };
    }
}

/// Saves in the export dialog, as a format and to a path; gives what was written.
pub fn save_as(window: &mut Window, format: &str, path: &Path) -> Vec<u8> {
    click(window, format);
    fill(window, "Path", &path.display().to_string());
    click(window, "Save");
    let began = Instant::now();
    while !path.exists() {
        assert!(began.elapsed() < Duration::from_secs(30), "{}", path.display());
        window.step();
        std::thread::sleep(Duration::from_millis(5));
    }
    std::fs::read(path).unwrap()
}

/// Presses and lets go of the left button at a place.
pub fn click_at(window: &mut Window, place: Pos2) {
    window.hover_at(place);
    window.run_steps(2);
    for pressed in [true, false] {
        window.event(egui::Event::PointerButton {
            pos: place,
            button: PointerButton::Primary,
            pressed,
            modifiers: Modifiers::NONE,
        });
        window.step();
    }
    window.run_steps(3);
}

/// Where a place on the plane is on screen, if the canvas lies in `area` and shows `bounds`.
pub fn on_screen(area: Rect, bounds: Bounds, [x, y]: Point) -> Pos2 {
    let [[left, bottom], [right, top]] = [bounds.min, bounds.max].map(|p| p.map(|v| v as f32));
    Pos2::new(
        egui::remap(x as f32, left..=right, area.left()..=area.right()),
        egui::remap(y as f32, bottom..=top, area.bottom()..=area.top()),
    )
}

/// Exact score matching without a floor, with a light component on a training point, which it shrinks (demonstration
/// "Collapse").
pub fn collapsing() -> Experiment {
    let mut experiment = Experiment::default();
    experiment.choose_algorithm("sm");
    for (key, value) in [
        ("n_samples", "400"),
        ("reg_covar", "0"),
        ("tol", "0"),
        ("max_iter", "3000"),
        ("learning_rate", "0.0002"),
    ] {
        experiment.set(key, value).unwrap();
    }
    let point = experiment.dataset().unwrap().train[17];
    let component =
        |weight, mean, s: f64| GivenComponent { weight, mean, covariance: [s * s, 0.0, s * s] };
    experiment.give_start(vec![
        component(0.5, [0.0, 0.5], 0.7),
        component(0.49, [1.0, 0.0], 0.7),
        component(0.01, point, 0.004),
    ]);
    experiment
}
