//! The README's pictures: drawn by the program itself, compared with those in `screenshots/`.
//!
//! After a change that is meant to be seen: `SCORESCOPE_WRITE_SCREENSHOTS=1 cargo test --test screenshots`, and look at
//! them.
#![cfg(feature = "gui")]

mod support;

use std::path::PathBuf;

use egui::{Key, Modifiers, Pos2, Role, vec2};
use egui_kittest::kittest::Queryable;
use scorescope::app::App;
use scorescope::figures::Theme;
use scorescope::training::Activity;
use support::window::{Window, canvas, click, collapsing, drag, press, settle, sized, until};

/// An experiment that stops after so many steps.
fn experiment(name: &str, text: &str) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}.toml"));
    std::fs::write(&path, text).unwrap();
    path
}

fn is_finished(app: &App) -> bool {
    app.snapshot().is_some_and(|s| matches!(s.activity, Activity::Finished(_)))
}

fn train(window: &mut Window) {
    press(window, Modifiers::NONE, Key::End);
    until(window, "the end of training", is_finished);
}

fn view(window: &mut Window) -> &mut scorescope::app::View {
    window.state_mut().as_mut().unwrap().view_mut()
}

fn picture(window: &mut Window, name: &str) {
    // Away from everything that a pointer would light up.
    window.remove_cursor();
    settle(window);
    support::compare(name, &window.render().unwrap());
}

#[test]
fn start() {
    let mut window = sized(None, [1280.0, 800.0]);
    picture(&mut window, "start-dark");
}

#[test]
fn trained() {
    let path = experiment("trained", "[data]\ndataset = 'halfmoons'\n[algorithm]\nmax_iter = 90\n");
    let mut window = sized(Some(&path), [1280.0, 800.0]);
    until(&mut window, "the experiment", |app| {
        app.experiment().algorithm.integer(&scorescope::algorithms::MAX_ITER) == 90
    });
    train(&mut window);
    picture(&mut window, "trained-dark");
}

#[test]
fn layers() {
    let text = "[data]\ndataset = 'spirals'\n[model]\nn_components = 24\n[start]\ninit_covariances = 'cluster'\n\
                [algorithm]\nname = 'sm'\nmax_iter = 150\nlearning_rate = 0.01\n";
    let path = experiment("layers", text);
    let mut window = sized(Some(&path), [1280.0, 800.0]);
    until(&mut window, "the experiment", |app| app.experiment().algorithm_id == "sm");
    click(&mut window, "Light or dark");
    let shown = &mut view(&mut window).shown;
    (shown.train, shown.samples, shown.score) = (false, true, true);
    assert_eq!(view(&mut window).theme, Theme::Light);
    train(&mut window);
    picture(&mut window, "layers-light");
}

#[test]
fn seeds() {
    let text = "[data]\ndataset = 'ring'\nn_samples = 1600\n[model]\nn_components = 8\n\
                [start]\ninit_params = 'random'\nrandom_state = 4\n[algorithm]\nmax_iter = 100\n";
    let path = experiment("seeds", text);
    let mut window = sized(Some(&path), [1280.0, 800.0]);
    until(&mut window, "the experiment", |app| {
        app.snapshot().is_some_and(|s| s.mixture.components().len() == 8)
    });
    click(&mut window, "Many seeds");
    click(&mut window, "Run many seeds");
    until(&mut window, "fifty runs", |app| app.seeds().len() == 50);
    train(&mut window);
    picture(&mut window, "many-seeds");
}

/// Half moons after some steps of score matching.
fn matched(name: &str) -> Window {
    let text = "[data]\ndataset = 'halfmoons'\nn_samples = 800\n[model]\nn_components = 7\n\
                [algorithm]\nname = 'sm'\nmax_iter = 250\nlearning_rate = 0.02\ntol = 0.0\n";
    let mut window = opened(name, text, 7, [1280.0, 800.0]);
    train(&mut window);
    window
}

#[test]
fn terms() {
    let mut window = matched("terms");
    press(&mut window, Modifiers::NONE, Key::E);
    until(&mut window, "the terms", |app| app.terms().is_some_and(|terms| terms.0 == 250));
    picture(&mut window, "terms");
}

#[test]
fn redraws() {
    let text = "[data]\ndataset = 'blobs'\nn_samples = 800\n[model]\nn_components = 5\n\
                [algorithm]\nname = 'ssm'\ncontrol_variate = 0.5\nmax_iter = 120\ntol = 0.0\n";
    let mut window = opened("redraws", text, 5, [1280.0, 800.0]);
    train(&mut window);
    press(&mut window, Modifiers::NONE, Key::E);
    until(&mut window, "the redraws", |app| {
        app.estimates().is_some_and(|estimates| estimates.step == 120) && !app.is_redrawing()
    });
    picture(&mut window, "redraws");
}

#[test]
fn score_error() {
    let mut window = matched("score-error");
    press(&mut window, Modifiers::SHIFT, Key::F2);
    view(&mut window).shown.score = true;
    picture(&mut window, "score-error");
}

#[test]
fn fields() {
    let mut window = matched("fields");
    click(&mut window, "Light or dark");
    for _ in 0..4 {
        press(&mut window, Modifiers::NONE, Key::F2);
    }
    press(&mut window, Modifiers::NONE, Key::V);
    view(&mut window).shown.train = false;
    picture(&mut window, "fields");
}

#[test]
fn drawn() {
    let mut window = sized(None, [1280.0, 800.0]);
    click(&mut window, "Empty canvas");
    settle(&mut window);
    let area = canvas(&window);
    let stroke = |place: fn(f32) -> [f32; 2]| -> Vec<Pos2> {
        (0..=40)
            .map(|i| area.lerp_inside(vec2(place(i as f32 / 40.0)[0], place(i as f32 / 40.0)[1])))
            .collect()
    };
    drag(&mut window, &stroke(|t| [0.15 + 0.35 * t, 0.35 - 0.15 * (6.0 * t).sin()]));
    drag(&mut window, &stroke(|t| [0.6 + 0.25 * t, 0.2 + 0.3 * t * t]));
    click(&mut window, "Ellipse");
    drag(&mut window, &stroke(|t| [0.3 + 0.35 * t, 0.6 + 0.3 * t]));
    until(&mut window, "the drawn points", |app| {
        app.snapshot().is_some_and(|s| s.experiment.strokes.len() == 3)
    });
    train(&mut window);
    picture(&mut window, "drawn");
}

#[test]
fn scrubbed() {
    let path = experiment("time", "[data]\ndataset = 'rings'\n[algorithm]\nmax_iter = 120\n");
    let mut window = sized(Some(&path), [1280.0, 800.0]);
    until(&mut window, "the experiment", |app| {
        app.experiment().algorithm.integer(&scorescope::algorithms::MAX_ITER) == 120
    });
    train(&mut window);
    for (step, key) in [(20.0, Key::OpenBracket), (70.0, Key::CloseBracket), (37.0, Key::Escape)] {
        window.get_by_role_and_label(Role::Slider, "Time").set_value_accesskit(step);
        window.run_steps(5);
        press(&mut window, Modifiers::NONE, key);
    }
    click(&mut window, "Light or dark");
    picture(&mut window, "time-light");
}

#[test]
fn by_hand() {
    let text = "[data]\ndataset = 'halfmoons'\n
        [[start.component]]\nweight = 0.35\nmean = [-0.4, 0.7]\ncovariance = [[0.20, 0.1], [0.1, 0.12]]
        [[start.component]]\nweight = 0.25\nmean = [0.6, -0.2]\ncovariance = [[0.08, 0], [0, 0.05]]
        [[start.component]]\nweight = 0.4\nmean = [1.5, 0.2]\ncovariance = [[0.1, 0.04], [0.04, 0.12]]\n";
    let path = experiment("by-hand", text);
    let mut window = sized(Some(&path), [1280.0, 1060.0]);
    until(&mut window, "the experiment", |app| {
        app.snapshot().is_some_and(|s| s.mixture.components().len() == 3)
    });
    click(&mut window, "Set by hand");
    settle(&mut window);
    view(&mut window).selected = Some(0);
    picture(&mut window, "hand-dark");
}

/// The window on an experiment of which something can be seen at once.
fn opened(name: &str, text: &str, component_count: usize, size: [f32; 2]) -> Window {
    let path = experiment(name, text);
    let mut window = sized(Some(&path), size);
    until(&mut window, "the experiment", |app| {
        app.snapshot().is_some_and(|s| s.mixture.components().len() == component_count)
    });
    window
}

#[test]
fn raced() {
    let text = "[data]\ndataset = 'halfmoons'\n[model]\nn_components = 7\n\
                [algorithm]\nmax_iter = 120\ntol = 0.0\n";
    let mut window = opened("race", text, 7, [1280.0, 800.0]);
    press(&mut window, Modifiers::NONE, Key::R);
    until(&mut window, "four runs", |app| app.experiment().branches.len() == 3);
    press(&mut window, Modifiers::NONE, Key::End);
    until(&mut window, "the end of the race", |app| {
        app.experiment().runs().all(|id| app.snapshot_of(id).is_some_and(|s| s.record.step == 120))
    });
    click(&mut window, "stopwatch");
    view(&mut window).shown.paths = true;
    picture(&mut window, "race-dark");
}

#[test]
fn forked() {
    let text = "[data]\ndataset = 'ring'\nn_samples = 1600\n[model]\nn_components = 8\n\
                [start]\ninit_params = 'random'\nrandom_state = 4\n\
                [algorithm]\nname = 'nll'\nmax_iter = 150\ntol = 0.0\n";
    let mut window = opened("fork", text, 8, [1280.0, 800.0]);
    train(&mut window);
    for (step, algorithm) in [(12.0, "Exact score matching"), (37.0, "Expectation–maximization")]
    {
        window.get_by_role_and_label(Role::Slider, "Time").set_value_accesskit(step);
        window.run_steps(5);
        press(&mut window, Modifiers::NONE, Key::K);
        window.run_steps(3);
        click(&mut window, algorithm);
        window.run_steps(3);
        settle(&mut window);
        press(&mut window, Modifiers::NONE, Key::End);
        until(&mut window, "the branch", |app| {
            app.snapshot_of(app.view().run).is_some_and(|s| s.record.step == 150)
        });
        press(&mut window, Modifiers::NONE, Key::PageUp);
    }
    press(&mut window, Modifiers::NONE, Key::PageDown);
    click(&mut window, "Light or dark");
    view(&mut window).shown.paths = true;
    picture(&mut window, "fork-light");
}

/// Six heaps and three components: which of them share one depends on the start.
const HEAPS: &str = "[data]\ndataset = 'blobs'\nn_samples = 800\n[model]\nn_components = 3\n\
                     [start]\ninit_params = 'random'\nrandom_state = 3\n";

#[test]
fn basin_map() {
    let path = experiment("basin", &format!("{HEAPS}[algorithm]\nmax_iter = 200\n"));
    let mut window = sized(Some(&path), [1280.0, 800.0]);
    until(&mut window, "the experiment", |app| {
        app.snapshot().is_some_and(|s| s.mixture.components().len() == 3)
    });
    view(&mut window).maps.basin_detail = 64;
    press(&mut window, Modifiers::SHIFT, Key::B);
    until(&mut window, "the map", |app| app.basin().is_some() && !app.is_mapping());
    picture(&mut window, "basin-map");
}

#[test]
fn landscape() {
    let path = experiment("landscape", &format!("{HEAPS}[algorithm]\nmax_iter = 60\n"));
    let mut window = sized(Some(&path), [1280.0, 800.0]);
    until(&mut window, "the experiment", |app| {
        app.snapshot().is_some_and(|s| s.mixture.components().len() == 3)
    });
    train(&mut window);
    press(&mut window, Modifiers::SHIFT, Key::L);
    until(&mut window, "the landscape", |app| app.landscape().is_some() && !app.is_mapping());
    picture(&mut window, "landscape");
}

#[test]
fn broken() {
    use scorescope::training::Finish;

    let mut window = opened("broken", &collapsing().to_toml().unwrap(), 3, [1280.0, 800.0]);
    press(&mut window, Modifiers::NONE, Key::End);
    until(&mut window, "a collapse", |app| {
        app.snapshot().is_some_and(|s| matches!(s.activity, Activity::Finished(Finish::Broken(_))))
    });
    picture(&mut window, "guard-dark");
}

#[test]
fn checked() {
    let mut window = sized(None, [1280.0, 800.0]);
    press(&mut window, Modifiers::NONE, Key::F9);
    let began = std::time::Instant::now();
    while window.query_by_label_contains("agree.").is_none() {
        assert!(began.elapsed() < std::time::Duration::from_mins(1), "the checks never end");
        window.step();
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    picture(&mut window, "checks-dark");
}

/// How far EM and two of its rivals are from the known density.
#[test]
fn truth() {
    let text = "[data]\ndataset = 'halfmoons'\n[model]\nn_components = 8\n\
                [algorithm]\nmax_iter = 150\ntol = 0.0\n\
                [[branch]]\nname = 'sm'\nmax_iter = 150\ntol = 0.0\n";
    let mut window = opened("truth", text, 8, [1280.0, 800.0]);
    view(&mut window).race.is_on = true;
    click(&mut window, "Truth");
    press(&mut window, Modifiers::NONE, Key::End);
    until(&mut window, "the end of both", |app| {
        app.experiment().runs().all(|id| app.snapshot_of(id).is_some_and(|s| s.record.step == 150))
    });
    until(&mut window, "all verdicts", |app| !app.is_judging());
    picture(&mut window, "truth");
}

/// Two Gaussians far apart, and particles on their known density.
fn far_apart(name: &str, component_count: usize) -> Window {
    let text = format!(
        "[data]\ndataset = 'two_gaussians'\nn_samples = 2000\n[model]\n\
                n_components = {component_count}\n[algorithm]\nmax_iter = 60\n"
    );
    let mut window = opened(name, &text, component_count, [1280.0, 800.0]);
    train(&mut window);
    click(&mut window, "Sample");
    settle(&mut window);
    click(&mut window, "the true density");
    view(&mut window).sampling.speed = scorescope::app::SamplingView::FASTEST;
    window
}

fn walk(window: &mut Window) {
    press(window, Modifiers::NONE, Key::S);
    until(window, "the end of the walk", |app| !app.is_walking() && app.walk().step > 0);
}

#[test]
fn sampling() {
    let mut window = far_apart("sampling", 2);
    let sampling = &mut view(&mut window).sampling;
    // Not spread over the canvas, whose size depends on all that is around it.
    (sampling.start, sampling.scale) = (scorescope::app::ParticleStart::Cloud, 5.0);
    sampling.stretch = 400;
    settle(&mut window);
    walk(&mut window);
    picture(&mut window, "sampling");
    let shares: Vec<f64> =
        window.state().as_ref().unwrap().walk().shares.iter().map(|s| s.share).collect();
    // Plain Langevin hardly crosses the gap: it finds the modes, and not the shares of 0.8 and 0.2.
    assert!((0.4..0.6).contains(&shares[0]), "{shares:?}");
}

#[test]
fn sampling_told() {
    let text =
        "[data]\ndataset = 'halfmoons'\n[model]\nn_components = 7\n[algorithm]\nmax_iter = 80\n";
    let mut window = opened("sampling-told", text, 7, [1280.0, 800.0]);
    train(&mut window);
    click(&mut window, "Light or dark");
    press(&mut window, Modifiers::SHIFT, Key::X);
    click(&mut window, "Hamiltonian Monte Carlo");
    let sampling = &mut view(&mut window).sampling;
    (sampling.stretch, sampling.count, sampling.particle) = (50, 300, 6);
    sampling.start = scorescope::app::ParticleStart::Cloud;
    let knobs = sampling.knobs.entry("hmc").or_default();
    knobs.set("step_size", scorescope::settings::Value::Number(0.09));
    settle(&mut window);
    walk(&mut window);
    press(&mut window, Modifiers::NONE, Key::X);
    until(&mut window, "the story", |app| app.story().is_some());
    press(&mut window, Modifiers::NONE, Key::X);
    press(&mut window, Modifiers::NONE, Key::X);
    picture(&mut window, "sampling-told");
}

#[test]
fn kept() {
    let data = tempfile::tempdir().unwrap();
    let folder = data.path().join("autosave/1-1");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("lock"), "").unwrap();
    let copy = std::fs::File::create(folder.join("7.scorescope")).unwrap();
    let now = std::time::SystemTime::now();
    copy.set_modified(now - std::time::Duration::from_mins(3)).unwrap();
    let here = data.path().join("lecture 3.scorescope");
    std::fs::write(&here, "").unwrap();
    let recent = [here, "/gone/moons.csv".into(), "/gone/experiment.toml".into()];
    let recent = serde_json::to_vec::<[PathBuf; 3]>(&recent).unwrap();
    std::fs::write(data.path().join("recent.json"), recent).unwrap();
    let mut window = sized(None, [1280.0, 800.0]);
    settle(&mut window);
    let app = window.state_mut().as_mut().unwrap();
    app.keep_in(data.path(), std::time::Duration::from_hours(1));
    for _ in 0..100 {
        window.step();
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    click(&mut window, "File");
    click(&mut window, "Open recent");
    window.remove_cursor();
    window.run_steps(5);
    support::compare("kept", &window.render().unwrap());
}

/// The workings of an algorithm after its training, in a window as they are taught.
fn working(name: &str, text: &str, component_count: usize) -> Window {
    let mut window = opened(name, text, component_count, [1280.0, 800.0]);
    train(&mut window);
    press(&mut window, Modifiers::NONE, Key::Y);
    window
}

#[test]
fn workings_sliced() {
    let text = "[data]\ndataset = 'halfmoons'\nn_samples = 1600\n[model]\nn_components = 7\n\
                [algorithm]\nname = 'ssm'\nmax_iter = 200\nlearning_rate = 0.02\ntol = 0.0\n";
    let mut window = working("workings-sliced", text, 7);
    view(&mut window).shown.density = false;
    picture(&mut window, "workings-sliced");
}

#[test]
fn workings_denoising() {
    let text = "[data]\ndataset = 'two_gaussians'\nn_samples = 600\nseparation = 2.0\nweight = 0.5\n\
                [model]\nn_components = 2\n\
                [algorithm]\nname = 'dsm'\nsigma = 0.8\nmax_iter = 300\ntol = 0.0\n";
    let mut window = working("workings-denoising", text, 2);
    view(&mut window).shown.density = false;
    picture(&mut window, "workings-denoising");
}

#[test]
fn workings_composite() {
    let text = "[data]\ndataset = 'halfmoons'\n[model]\nn_components = 7\n\
                [algorithm]\nname = 'csm'\nmax_iter = 300\nlearning_rate = 0.02\ntol = 0.0\n";
    let mut window = working("workings-composite", text, 7);
    click(&mut window, "Light or dark");
    view(&mut window).cut = [Some(0.6), None];
    picture(&mut window, "workings-composite");
}

#[test]
fn the_export_dialog_shows_what_it_would_save() {
    let text = "[data]\ndataset = 'halfmoons'\n[model]\nn_components = 7\n[algorithm]\nmax_iter = 80\n\
                [[branch]]\nname = 'sm'\nmax_iter = 80\n[[branch]]\nname = 'nll'\nmax_iter = 80\n";
    let mut window = opened("exported", text, 7, [1280.0, 800.0]);
    train(&mut window);
    press(&mut window, Modifiers::COMMAND, Key::E);
    click(&mut window, "What");
    window.run_steps(3);
    click(&mut window, "canvases of all runs");
    export_picture(&mut window, "export-dark");
}

/// The export dialog with its preview, which a job draws, and without a cursor that blinks.
fn export_picture(window: &mut Window, name: &str) {
    until(window, "the preview", App::has_preview);
    window.ctx.memory_mut(|memory| {
        if let Some(field) = memory.focused() {
            memory.surrender_focus(field);
        }
    });
    picture(window, name);
}
