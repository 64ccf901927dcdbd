//! Whole training runs against PyTorch and scikit-learn: 100 steps of EM, Adam and plain gradient descent.
//!
//! Reads `tests/reference/trajectories.json` and the data beside it, or what `SCORESCOPE_TRAJECTORIES` (a file) and
//! `SCORESCOPE_TRAJECTORY_DATA` (a folder) name. Objective and NLL follow to 1e-6 relative at every step; looser only
//! where the file says that a start moved by 1e-12 makes a larger difference.

use std::path::PathBuf;
use std::sync::Arc;

use scorescope::algorithms::{self, Algorithm, Gradient, Prepare, Start};
use scorescope::data::formats;
use scorescope::model::{CovarianceType, Mixture, Point};
use scorescope::objectives::kernel::mean_log_likelihood;
use scorescope::objectives::{Objective, Sliced};
use scorescope::settings::{Settings, Value as Chosen};
use serde_json::Value;

fn data(name: &str) -> Vec<Point> {
    let folder = std::env::var_os("SCORESCOPE_TRAJECTORY_DATA").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/reference/data"),
        PathBuf::from,
    );
    formats::read(&folder.join(format!("{name}.npy")), None, &mut formats::unwatched)
        .unwrap()
        .points
}

fn close(what: &str, got: f64, reference: f64, tolerance: f64) {
    let allowed = tolerance * reference.abs().max(1.0);
    assert!((got - reference).abs() <= allowed, "{what}: {got}, not {reference} ± {allowed:e}");
}

#[test]
fn runs_follow_pytorch_and_scikit_learn() {
    let path = std::env::var("SCORESCOPE_TRAJECTORIES").unwrap_or_else(|_| {
        concat!(env!("CARGO_MANIFEST_DIR"), "/tests/reference/trajectories.json").to_owned()
    });
    let file: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let slices: Arc<dyn Objective> = {
        let v = data("ssm_v");
        Arc::new(Sliced::new(v.iter().map(std::slice::from_ref)))
    };
    for run in file["runs"].as_array().unwrap() {
        let (dataset, id) = (run["dataset"].as_str().unwrap(), run["alg"].as_str().unwrap());
        let component_count = run["K"].as_u64().unwrap() as usize;
        let what = format!("{dataset} {id} {} {}", run["opt"], run["reg"]);
        let train = data(&format!("{dataset}_train"));
        let validation = data(&format!("{dataset}_val"));
        let means = data(&format!("{dataset}_K{component_count}_means_kmeans"));
        let weights = vec![1.0 / component_count as f64; component_count];
        let start = Start {
            mixture: Mixture::new(&weights, &means, &vec![[1.0, 0.0, 1.0]; component_count])
                .unwrap(),
            points: train.into(),
            covariance_type: CovarianceType::Full,
            floor: run["reg"].as_f64().unwrap_or(0.0),
            true_scores: None,
        };
        let mut settings = Settings::default();
        if let Some(optimizer) = run["opt"].as_str() {
            let optimizer = if optimizer == "gd" { "sgd" } else { optimizer };
            settings.set("optimizer", Chosen::Choice(optimizer.to_owned()));
            settings.set("learning_rate", Chosen::Number(run["lr"].as_f64().unwrap()));
        }
        let id = if id == "gd" { "nll" } else { id };
        let mut algorithm: Box<dyn Algorithm> = if id == "ssm" {
            // The file's slices are the same at every step.
            let prepare = Prepare::Same(slices.clone());
            Box::new(Gradient::start(start, &settings, prepare).unwrap())
        } else {
            algorithms::find(id).unwrap().start(start, &settings).unwrap()
        };
        // How far validation NLL moves if the start does, by 1e-12, at three steps; it grows from zero.
        let shifts: Vec<f64> = run["val_nll_shift_if_means_move_1e-12"]
            .as_array()
            .map(|shifts| shifts.iter().filter_map(Value::as_f64).map(f64::abs).collect())
            .unwrap_or_default();
        let shift = shifts.iter().copied().fold(0.0, f64::max);
        for (step, want) in run["trace"].as_array().unwrap().iter().enumerate() {
            let want = |field: &str| {
                let fields = ["loss", "train_nll", "val_nll"];
                want[fields.iter().position(|f| *f == field).unwrap()].as_f64().unwrap()
            };
            let tolerance = if step <= 50 { 1e-6 } else { 1e-6_f64.max(100.0 * shift) };
            let at = |field: &str| format!("{what} step {step} {field}");
            close(&at("loss"), algorithm.objective(), want("loss"), tolerance);
            let train_nll = -algorithm.train_log_likelihood().unwrap();
            close(&at("train_nll"), train_nll, want("train_nll"), tolerance);
            let val_nll = -mean_log_likelihood(algorithm.mixture(), &validation);
            close(&at("val_nll"), val_nll, want("val_nll"), tolerance);
            algorithm.step(&settings).unwrap();
        }
    }
}
