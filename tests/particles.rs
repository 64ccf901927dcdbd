//! Sampling in the window, driven through its accessibility tree and the pointer.

#![cfg(feature = "gui")]

mod support;

use egui::{Key, Modifiers};
use egui_kittest::kittest::Queryable;
use scorescope::app::{App, ParticleStart, Plots, SamplingView, Target};
use scorescope::data::generators;
use scorescope::model::{Density, Point};
use scorescope::sampling::{SAMPLERS, Walk, cloud, find, spread};
use scorescope::settings::{Settings, Value};
use support::window::{
    Window, app, canvas, click, click_at, mixture, on_screen, press, save_as, settle, until, window,
};

/// The window on an experiment, with the tab open and particles at their start.
fn opened(text: &str) -> Window {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sample.toml");
    std::fs::write(&path, text).unwrap();
    let mut window = window(Some(&path));
    until(&mut window, "the experiment", |app| {
        app.experiment().data.iter().count() > 0
            && app.snapshot().is_some_and(|s| *s.experiment == *app.experiment())
    });
    click(&mut window, "Sample");
    settle(&mut window);
    window
}

const FAR: &str = "[data]\ndataset = 'two_gaussians'\nn_samples = 400\n[model]\nn_components = 2\n";

fn sampling(window: &mut Window) -> &mut SamplingView {
    &mut window.state_mut().as_mut().unwrap().view_mut().sampling
}

/// Changes what is asked for, and waits until the particles have followed.
fn choose(window: &mut Window, change: impl Fn(&mut SamplingView)) {
    change(sampling(window));
    settle(window);
}

fn walk_to(window: &mut Window, step: usize) {
    press(window, Modifiers::NONE, Key::S);
    until(window, "the end of the walk", |app| !app.is_walking() && app.walk().step == step);
}

/// Particles walked without a window.
fn expected(
    id: &str,
    settings: &Settings,
    density: std::sync::Arc<dyn Density>,
    start: &[Point],
    (seed, steps): (u64, usize),
) -> Vec<Point> {
    let kernel = (find(id).unwrap().kernel)(settings, density).unwrap();
    let mut walk = Walk::new(kernel, start, seed);
    (0..steps).for_each(|_| walk.step());
    walk.points()
}

#[test]
fn every_sampler_walks_as_it_does_without_a_window_and_again_from_the_same_seed() {
    let mut window = opened(FAR);
    for sampler in SAMPLERS {
        click(&mut window, sampler.label);
        choose(&mut window, |sampling| {
            (sampling.count, sampling.seed, sampling.stretch) = (300, 5, 40);
            sampling.speed = SamplingView::FASTEST;
            (sampling.start, sampling.scale) = (ParticleStart::Cloud, 2.0);
            let knobs = sampling.knobs.entry("annealed_langevin").or_default();
            knobs.set("steps_per_level", Value::Integer(4));
        });
        press(&mut window, Modifiers::SHIFT, Key::X);
        settle(&mut window);
        assert_eq!(app(&window).walk().step, 0, "{}", sampler.id);
        let start = cloud(2.0, 300, 5);
        assert_eq!(*app(&window).walk().points, start[..], "{}", sampler.id);
        walk_to(&mut window, 40);
        let settings = app(&window).view().sampling.settings();
        let density = std::sync::Arc::new(mixture(&window));
        let wanted = expected(sampler.id, &settings, density, &start, (5, 40));
        assert_eq!(*app(&window).walk().points, wanted[..], "{}", sampler.id);
        // Again, at another speed.
        press(&mut window, Modifiers::SHIFT, Key::X);
        choose(&mut window, |sampling| sampling.speed = 9.0);
        walk_to(&mut window, 40);
        assert_eq!(*app(&window).walk().points, wanted[..], "{}", sampler.id);
        assert_eq!(app(&window).walk().shares.len(), 2);
    }
}

#[test]
fn annealing_finds_the_weights_of_far_modes_and_plain_langevin_does_not() {
    let mut window = opened(FAR);
    click(&mut window, "the true density");
    choose(&mut window, |sampling| sampling.speed = SamplingView::FASTEST);
    let share = |app: &App| app.walk().shares.iter().find(|s| s.weight > 0.5).unwrap().share;
    walk_to(&mut window, 1000);
    assert!((0.4..0.65).contains(&share(app(&window))), "{}", share(app(&window)));
    let plain = app(&window).walk().curve.last().unwrap().distance;
    assert!(plain.value > 5.0 * plain.standard_error, "{plain:?}");
    // What was chosen goes on from where the particles are.
    click(&mut window, "Annealed Langevin");
    settle(&mut window);
    walk_to(&mut window, 1000);
    assert!((0.72..0.88).contains(&share(app(&window))), "{}", share(app(&window)));
    let annealed = app(&window).walk().curve.last().unwrap().distance;
    assert!(annealed.value < 0.5 * plain.value, "{annealed:?} {plain:?}");
    assert_eq!(app(&window).walk().noise, 1.0);
}

#[test]
fn a_known_density_is_walked_on_where_there_is_one_and_else_it_says_why() {
    let mut window = opened("[data]\ndataset = 'donut'\nn_samples = 400\nscale = true\n");
    click(&mut window, "the true density");
    settle(&mut window);
    assert_eq!(app(&window).view().sampling.target, Target::Data);
    choose(&mut window, |sampling| {
        (sampling.count, sampling.stretch, sampling.start) = (100, 10, ParticleStart::Cloud);
    });
    walk_to(&mut window, 10);
    let snapshot = app(&window).snapshot().unwrap().clone();
    let donut = (generators::find("donut").unwrap().density.unwrap())(&snapshot.experiment.data);
    let density = snapshot.prepared.dataset.scaling.apply_density(donut.unwrap());
    let settings = Settings::default();
    let wanted = expected("langevin", &settings, density, &cloud(1.0, 100, 0), (0, 10));
    assert_eq!(*app(&window).walk().points, wanted[..]);
    assert!(app(&window).walk().shares.is_empty(), "a donut has no modes");
    assert!(app(&window).walk().picture.is_some(), "its density is on the canvas");
    click(&mut window, "Gibbs");
    settle(&mut window);
    let label =
        "Gibbs sampling needs a mixture of Gaussians, whose conditional distributions are known";
    assert!(window.query_by_label(label).is_some());
    click(&mut window, "Metropolis–Hastings");
    settle(&mut window);
    assert!(window.query_by_label(label).is_none());

    let mut window = opened("[data]\ndataset = 'pinwheel'\nn_samples = 400\n");
    click(&mut window, "the true density");
    settle(&mut window);
    assert_eq!(app(&window).view().sampling.target, Target::Model);
}

#[test]
fn a_story_is_told_part_by_part_and_ends_where_the_particle_is() {
    let mut window = opened(FAR);
    for (id, count) in [("langevin", 4), ("metropolis", 3), ("mala", 4), ("hmc", 3), ("gibbs", 3)] {
        click(&mut window, find(id).unwrap().label);
        choose(&mut window, |sampling| sampling.particle = 7);
        let before = app(&window).walk().points[7];
        for shown in 1..=count {
            press(&mut window, Modifiers::NONE, Key::X);
            until(&mut window, "the story", |app| app.story().is_some());
            assert_eq!(app(&window).story().unwrap().1, shown, "{id}");
        }
        let (told, _) = app(&window).story().unwrap();
        assert_eq!((told.from, told.to()), (before, app(&window).walk().points[7]), "{id}");
        assert_eq!(app(&window).walk().step, 1, "{id}");
        let first = told.clone();
        // The next one begins where this one ended.
        press(&mut window, Modifiers::NONE, Key::X);
        until(&mut window, "the next story", |app| {
            app.story().is_some_and(|(told, shown)| shown == 1 && *told != first)
        });
        assert_eq!(app(&window).story().unwrap().0.from, first.to(), "{id}");
        press(&mut window, Modifiers::SHIFT, Key::S);
        settle(&mut window);
        assert!(app(&window).story().is_none(), "{id}");
        assert_eq!(app(&window).walk().step, 3, "{id}");
    }
}

#[test]
fn a_click_on_the_canvas_is_where_all_particles_start_or_chooses_one() {
    let mut window = opened(FAR);
    // The legend has grown since, and the canvas shows another rectangle.
    press(&mut window, Modifiers::SHIFT, Key::X);
    settle(&mut window);
    let bounds = app(&window).canvas_bounds();
    assert!(*app(&window).walk().points == spread(bounds, 1000, 0)[..]);
    let area = canvas(&window);
    let at = app(&window).walk().points[42];
    click_at(&mut window, on_screen(area, bounds, at));
    settle(&mut window);
    let chosen = app(&window).walk().points[app(&window).view().sampling.particle];
    assert!((chosen[0] - at[0]).hypot(chosen[1] - at[1]) < 0.02, "{chosen:?} {at:?}");

    click(&mut window, "place");
    settle(&mut window);
    assert_eq!(app(&window).view().sampling.start, ParticleStart::Place);
    assert!(app(&window).walk().points.iter().all(|point| *point == [0.0; 2]));
    click_at(&mut window, on_screen(area, bounds, [-1.0, 3.0]));
    settle(&mut window);
    let points = &app(&window).walk().points;
    let [dx, dy] = [points[0][0] + 1.0, points[0][1] - 3.0];
    assert!(dx.hypot(dy) < 0.05, "{:?}", points[0]);
    assert!(points.iter().all(|point| *point == points[0]));
}

#[test]
fn a_model_that_learns_is_followed_and_a_closed_tab_rests() {
    let mut window = opened(FAR);
    choose(&mut window, |sampling| sampling.stretch = 1_000_000);
    assert!(!app(&window).view().shown.train, "the data step aside");
    assert!(window.query_by_label("exact samples").is_some());
    let exact = app(&window).walk().exact.clone();
    press(&mut window, Modifiers::NONE, Key::S);
    until(&mut window, "some steps", |app| app.walk().step > 5);
    press(&mut window, Modifiers::NONE, Key::ArrowRight);
    until(&mut window, "samples of the next step", |app| {
        app.walk().exact != exact && app.walk().step > 2
    });
    assert!(app(&window).is_walking());
    click(&mut window, "This run");
    settle(&mut window);
    assert!(!app(&window).is_walking() && app(&window).view().shown.train);
    assert!(window.query_by_label("exact samples").is_none());
    let step = app(&window).walk().step;
    std::thread::sleep(std::time::Duration::from_millis(60));
    window.run_steps(5);
    assert_eq!(app(&window).walk().step, step);
    // Its key opens the tab again, and goes on.
    press(&mut window, Modifiers::NONE, Key::S);
    until(&mut window, "more steps", |app| app.walk().step > step);
    assert_eq!(app(&window).view().plots, Plots::Sample);
}

#[test]
fn particles_are_saved_in_the_units_of_the_data() {
    let mut window = opened("[data]\ndataset = 'donut'\nn_samples = 400\nscale = true\n");
    choose(&mut window, |sampling| sampling.count = 30);
    press(&mut window, Modifiers::COMMAND, Key::E);
    click(&mut window, "What");
    click(&mut window, "walking particles");
    let folder = tempfile::tempdir().unwrap();
    let bytes = save_as(&mut window, "CSV", &folder.path().join("particles.csv"));
    let scaling = app(&window).snapshot().unwrap().prepared.dataset.scaling;
    let text = String::from_utf8(bytes).unwrap();
    let rows: Vec<Vec<f64>> = text
        .lines()
        .skip(1)
        .map(|line| line.split(',').map(|value| value.parse().unwrap()).collect())
        .collect();
    assert_eq!(rows.len(), 30, "{text}");
    for (row, &point) in rows.iter().zip(&*app(&window).walk().points) {
        let [x, y] = scaling.undo(point);
        assert!((row[0] - x).abs() + (row[1] - y).abs() < 1e-9, "{row:?}");
    }
}

#[test]
fn an_exported_canvas_shows_the_particles_while_the_canvas_does() {
    let folder = tempfile::tempdir().unwrap();
    let mut window = opened(FAR);
    choose(&mut window, |sampling| sampling.count = 40);
    let exported = |window: &mut Window, name: &str| {
        press(window, Modifiers::COMMAND, Key::E);
        let path = folder.path().join(name);
        String::from_utf8(save_as(window, "SVG", &path)).unwrap()
    };
    let text = exported(&mut window, "open.svg");
    for words in ["plane-particles", "plane-exact", "Exact samples", "plane-density"] {
        assert!(text.contains(words), "{words}");
    }
    sampling(&mut window).has_exact = false;
    settle(&mut window);
    let text = exported(&mut window, "fewer.svg");
    assert!(text.contains("plane-particles") && !text.contains("plane-exact"));
    click(&mut window, "This run");
    settle(&mut window);
    let text = exported(&mut window, "closed.svg");
    assert!(!text.contains("plane-particles") && text.contains("plane-train"));
}
