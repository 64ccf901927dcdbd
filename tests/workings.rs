//! The workings of an objective on the canvas: switched, cut, swapped, subtracted, undone and exported.
#![cfg(feature = "gui")]

mod support;

use egui::{Key, Modifiers, Pos2, Role};
use egui_kittest::kittest::{NodeT, Queryable};
use scorescope::app::App;
use scorescope::figures::{Layer, Mark};
use scorescope::model::Point;
use scorescope::objectives::{ORDER, SIGMA};
use scorescope::training::{Activity, BranchId};
use support::window::{
    Window, app, canvas, click, drag, on_screen, press, save_as, settle, until, window,
};

/// The window on two components, trained by an algorithm with these settings.
fn trained(folder: &tempfile::TempDir, algorithm: &str, settings: &str) -> Window {
    let path = folder.path().join("small.toml");
    let text = format!(
        "[data]\ndataset = 'two_gaussians'\nn_samples = 1200\nseparation = 2.5\n[model]\nn_components = 2\n\
         [algorithm]\nname = '{algorithm}'\nmax_iter = 25\ntol = 0.0\n{settings}"
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

fn layer<'a>(app: &'a App, id: &str) -> Option<&'a Layer> {
    app.workings()?.1.iter().find(|layer| layer.id == format!("workings-{id}"))
}

/// The filled curve of a layer.
fn band(app: &App, id: &str) -> Vec<[f64; 3]> {
    let of = |mark: &Mark| match mark {
        Mark::Band { points, .. } | Mark::SideBand { points, .. } => Some(points.clone()),
        _ => None,
    };
    layer(app, id).unwrap().marks.iter().find_map(of).unwrap()
}

/// Where a place on the plane is in the window.
fn place(window: &Window, at: Point) -> Pos2 {
    on_screen(canvas(window), app(window).canvas_bounds(), at)
}

#[test]
fn workings_are_off_until_somebody_asks_and_em_has_none() {
    let folder = tempfile::tempdir().unwrap();
    let mut window = trained(&folder, "em", "");
    assert!(window.query_by_label("workings").is_none(), "no word for nothing");
    press(&mut window, Modifiers::NONE, Key::Y);
    assert!(!app(&window).view().shown.workings);
    let notice = &app(&window).notice().unwrap().text;
    assert!(notice.starts_with("EM has no workings to draw"), "{notice}");
    click(&mut window, "View");
    let entry = window.get_by_label_contains("Workings");
    assert!(entry.accesskit_node().is_disabled());
}

#[test]
fn the_slices_are_those_of_the_step_that_is_shown() {
    use scorescope::model::Density;

    let folder = tempfile::tempdir().unwrap();
    let mut window = trained(&folder, "ssm_plain", "n_slices = 2\n");
    assert!(app(&window).workings().is_none());
    click(&mut window, "workings");
    settle(&mut window);
    for back in 0..3 {
        let moment = app(&window).shown().unwrap().clone();
        assert_eq!(moment.record.step, 25 - back);
        let (subject, _) = app(&window).workings().unwrap();
        assert_eq!(subject.step, 25 - back);
        // With the slices that are drawn, the objective is the one that the run recorded of this step.
        let places: Vec<usize> = (0..subject.points.len()).collect();
        let all = subject.look.as_ref().unwrap().objective.draws_at(&places);
        assert_eq!(all[0].len(), 2);
        let of_point = |(x, slices): (&Point, &Vec<Point>)| -> f64 {
            let (s, h) = (moment.mixture.score(*x), moment.mixture.hessian(*x));
            let term = |v: &Point| {
                let curvature = v[0] * v[0] * h[0] + 2.0 * v[0] * v[1] * h[1] + v[1] * v[1] * h[2];
                curvature + 0.5 * (v[0] * s[0] + v[1] * s[1]).powi(2)
            };
            slices.iter().map(term).sum::<f64>() / slices.len() as f64
        };
        let terms = subject.points.iter().zip(&all).map(of_point);
        let mean = terms.sum::<f64>() / subject.points.len() as f64;
        let recorded = moment.record.objective;
        assert!((mean - recorded).abs() < 1e-9 * (1.0 + recorded.abs()), "{mean} {recorded}");
        press(&mut window, Modifiers::NONE, Key::ArrowLeft);
        settle(&mut window);
    }
    press(&mut window, Modifiers::NONE, Key::Y);
    assert!(app(&window).workings().is_none());
}

#[test]
fn a_knob_that_is_turned_while_paused_leaves_the_draws_of_the_step() {
    for (id, source, knob) in [
        ("dsm", "sigma = 0.4\n", "Noise σ"),
        ("nce", "shift = 0.3\n", "Shift ε"),
        ("ssm", "n_slices = 2\n", "Slices per point"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let mut window = trained(&folder, id, source);
        press(&mut window, Modifiers::NONE, Key::Y);
        settle(&mut window);
        let drawn = |window: &Window| {
            let layers = app(window).workings().unwrap().1;
            layers.iter().map(|layer| format!("{layer:?}")).collect::<Vec<_>>()
        };
        let before = drawn(&window);
        let settings = app(&window).experiment().algorithm.clone();
        window.get_by_role_and_label(Role::Slider, knob).increment_accesskit();
        settle(&mut window);
        assert!(app(&window).experiment().algorithm != settings, "{knob} was not turned");
        assert!(drawn(&window) == before, "{id} {knob}");
    }
}

#[test]
fn a_cut_is_dragged_moved_by_keys_and_swapped_and_the_swap_undone() {
    let folder = tempfile::tempdir().unwrap();
    let mut window = trained(&folder, "csm", "");
    press(&mut window, Modifiers::NONE, Key::Y);
    settle(&mut window);
    let cut = |window: &Window| app(window).workings().unwrap().0.cut;
    let before = cut(&window);
    let bounds = app(&window).canvas_bounds();
    // By its knob at the upper edge, then by the line, far from all components.
    let knob = Pos2::new(place(&window, before).x, canvas(&window).top() + 16.0);
    let to = place(&window, [1.5, 0.0]);
    let path: Vec<Pos2> =
        (0..=8).map(|i| Pos2::new(egui::lerp(knob.x..=to.x, i as f32 / 8.0), knob.y)).collect();
    drag(&mut window, &path);
    assert!((cut(&window)[0] - 1.5).abs() < 0.02, "{:?}", cut(&window));
    assert_eq!(app(&window).canvas_bounds(), bounds, "the view stays");
    let line = place(&window, [cut(&window)[0], bounds.min[1] + 0.3 * bounds.size()[1]]);
    drag(&mut window, &[line, line + egui::vec2(-20.0, 5.0), line + egui::vec2(-40.0, 0.0)]);
    let pixel = bounds.size()[0] / f64::from(canvas(&window).width());
    assert!((cut(&window)[0] - (1.5 - 40.0 * pixel)).abs() < 0.03, "{:?}", cut(&window));
    assert_eq!(app(&window).experiment().branches.len(), 0, "no component was dragged");

    let held = cut(&window)[0];
    press(&mut window, Modifiers::NONE, Key::Period);
    press(&mut window, Modifiers::NONE, Key::Period);
    press(&mut window, Modifiers::NONE, Key::Comma);
    assert!((cut(&window)[0] - held - 0.01 * bounds.size()[0]).abs() < 1e-9);
    assert_eq!(cut(&window)[1], before[1]);
    // The conditional is drawn from where the cut is.
    let from: Vec<f64> = band(app(&window), "conditional").iter().map(|p| p[1]).collect();
    assert!(from.iter().all(|v| *v == cut(&window)[0]));

    click(&mut window, "Swap the order");
    settle(&mut window);
    let order = |window: &Window| app(window).experiment().algorithm.choice(&ORDER);
    assert_eq!(order(&window), "x2_x1");
    let from = band(app(&window), "conditional")[0][1];
    assert_eq!(from, cut(&window)[1]);
    assert!(window.query_by_label("p(x₂)").is_some());
    press(&mut window, Modifiers::COMMAND, Key::Z);
    settle(&mut window);
    assert_eq!(order(&window), "x1_x2");
    assert!(window.query_by_label("p(x₁)").is_some());
    press(&mut window, Modifiers::SHIFT, Key::Y);
    assert_eq!(order(&window), "x2_x1");
}

#[test]
fn the_noise_is_subtracted_in_a_fork_and_undone() {
    let folder = tempfile::tempdir().unwrap();
    let mut window = trained(&folder, "dsm", "sigma = 0.4\n");
    press(&mut window, Modifiers::NONE, Key::Y);
    settle(&mut window);
    assert_eq!(layer(app(&window), "optimum").unwrap().label, "population optimum: data's Σ + σ²I");
    let before = app(&window).shown().unwrap().mixture.clone();
    click(&mut window, "Subtract σ²I");
    until(&mut window, "the fork", |app| {
        app.experiment().branches.len() == 1 && app.snapshot_of(app.view().run).is_some()
    });
    let run = app(&window).view().run;
    assert_ne!(run, BranchId::TRUNK);
    let notice = &app(&window).notice().unwrap().text;
    assert_eq!(notice, "Run 2 begins with σ²I subtracted, σ = 0.4; undo takes it back");
    let snapshot = app(&window).snapshot_of(run).unwrap().clone();
    assert_eq!((snapshot.record.step, snapshot.experiment.algorithm_id.as_str()), (25, "dsm"));
    for (after, before) in snapshot.mixture.components().iter().zip(before.components()) {
        let [after, before] = [after, before].map(|c| c.gaussian.cholesky.covariance());
        for (i, noise) in [0.16, 0.0, 0.16].into_iter().enumerate() {
            assert!((after[i] - (before[i] - noise)).abs() < 1e-9, "{after:?} {before:?}");
        }
    }
    press(&mut window, Modifiers::COMMAND, Key::Z);
    until(&mut window, "one run", |app| app.experiment().branches.is_empty());

    // With more noise than a component is wide it cannot be subtracted.
    let mut window = trained(&folder, "dsm", "sigma = 4.0\n");
    press(&mut window, Modifiers::NONE, Key::Y);
    settle(&mut window);
    assert_eq!(app(&window).experiment().algorithm.number(&SIGMA), 4.0);
    assert!(window.get_by_label("Subtract σ²I").accesskit_node().is_disabled());
}

fn app_mut(window: &mut Window) -> &mut App {
    window.state_mut().as_mut().unwrap()
}

#[test]
fn a_canvas_is_exported_with_its_workings() {
    let folder = tempfile::tempdir().unwrap();
    let wanted: [(&str, &[&str]); 4] = [
        ("ssm", &["plane-workings-slices", "plane-workings-part", "slices v of this step"]),
        ("dsm", &["plane-workings-target", "plane-workings-ellipses", "model score s(y)"]),
        ("csm", &["plane-workings-marginal", "plane-workings-histogram"]),
        ("nce", &["plane-workings-shift", "noise x + v"]),
    ];
    for (algorithm, words) in wanted {
        let mut window = trained(&folder, algorithm, "");
        press(&mut window, Modifiers::NONE, Key::Y);
        settle(&mut window);
        press(&mut window, Modifiers::COMMAND, Key::E);
        let path = folder.path().join(format!("{algorithm}.svg"));
        let text = String::from_utf8(save_as(&mut window, "SVG", &path)).unwrap();
        for words in words {
            assert!(text.contains(words), "{algorithm}: {words}");
        }
    }
}

#[test]
fn racers_each_show_their_own() {
    let folder = tempfile::tempdir().unwrap();
    let mut window = trained(&folder, "em", "[[branch]]\nname = 'csm'\n[[branch]]\nname = 'dsm'\n");
    app_mut(&mut window).view_mut().race.is_on = true;
    settle(&mut window);
    press(&mut window, Modifiers::NONE, Key::Y);
    settle(&mut window);
    assert!(window.query_by_label("workings").is_some());
    assert!(app(&window).workings().is_none(), "EM has none");
    let ids: Vec<BranchId> = app(&window).experiment().runs().collect();
    let first = |app: &App, id| app.workings_of(id).map(|(_, layers)| layers[1].id);
    assert_eq!(first(app(&window), ids[1]), Some("workings-strip"));
    assert_eq!(first(app(&window), ids[2]), Some("workings-noise"));
}
