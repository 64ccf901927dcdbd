//! Numbers against independent implementations: PyTorch, JAX, scikit-learn and 400-bit arithmetic.
//!
//! Reads `tests/reference/golden.json`, or the file of the same schema that `SCORESCOPE_GOLDEN` names. Its schema block
//! explains every field. Compared with |got − reference| ≤ 1e-9 |reference| + the file's tolerance.

use scorescope::algorithms::em::maximization;
use scorescope::model::{CovarianceType, Density, Mixture, Parameters, Point, Symmetric};
use scorescope::objectives::kernel::{Moments, expectation, mean_log_likelihood};
use scorescope::objectives::{
    Batch, Composite, Denoising, NegativeLogLikelihood, Objective, Order, ScoreMatching, Sliced,
};
use serde_json::Value;

fn golden() -> Value {
    let path = std::env::var("SCORESCOPE_GOLDEN").unwrap_or_else(|_| {
        concat!(env!("CARGO_MANIFEST_DIR"), "/tests/reference/golden.json").to_owned()
    });
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{path}: {e}"));
    serde_json::from_str(&text).unwrap()
}

/// All numbers in a (nested) array, in order; a null is NaN.
fn numbers(value: &Value) -> Vec<f64> {
    match value {
        Value::Array(items) => items.iter().flat_map(numbers).collect(),
        Value::Null => vec![f64::NAN],
        number => vec![number.as_f64().unwrap()],
    }
}

fn points(value: &Value) -> Vec<Point> {
    numbers(value).as_chunks().0.to_vec()
}

fn symmetric(value: &Value) -> Vec<Symmetric> {
    numbers(value).as_chunks().0.to_vec()
}

fn parameters(case: &Value) -> Parameters {
    Parameters {
        covariance_type: CovarianceType::Full,
        floor: 0.0,
        logits: numbers(&case["params"]["logits"]),
        means: points(&case["params"]["means"]),
        factors: numbers(&case["params"]["chol_raw"]),
    }
}

#[track_caller]
fn check(what: &str, got: &[f64], reference: &Value, tolerance: f64) {
    let reference = numbers(reference);
    assert_eq!(got.len(), reference.len(), "{what}: length");
    for (i, (got, want)) in got.iter().zip(reference).enumerate() {
        let allowed = 1e-9 * want.abs() + tolerance;
        assert!((got - want).abs() <= allowed, "{what}[{i}]: {got:e}, not {want:e} ± {allowed:e}");
    }
}

#[test]
fn densities_scores_hessians_and_responsibilities() {
    for case in golden()["cases"].as_array().unwrap() {
        let name = case["name"].as_str().unwrap();
        let mixture = parameters(case).mixture();
        let x = points(&case["x"]);
        let tolerance = |field: &str| case["tol"][field].as_f64().unwrap();
        let all = |field: &str, values: Vec<f64>| {
            check(&format!("{name} {field}"), &values, &case[field], tolerance(field));
        };
        all("logp", x.iter().map(|&x| mixture.log_density(x)).collect());
        all("score", x.iter().flat_map(|&x| mixture.score(x)).collect());
        all("hess", x.iter().flat_map(|&x| mixture.hessian(x)).collect());
        all("resp", x.iter().flat_map(|&x| mixture.responsibilities(x).0).collect());
    }
}

#[test]
fn losses_and_their_gradients() {
    for case in golden()["cases"].as_array().unwrap() {
        let name = case["name"].as_str().unwrap();
        let parameters = parameters(case);
        let x = points(&case["x"]);
        let v: Vec<[Point; 3]> = points(&case["v"]).as_chunks().0.to_vec();
        let z = points(&case["z"]);
        let plain = |count| Sliced::with_control_variate(v.iter().map(|v| &v[..count]), 0.0);
        let reduced = |count| Sliced::new(v.iter().map(|v| &v[..count]));
        let denoising = |sigma| Denoising::new(vec![z.clone()], vec![sigma]);
        let objectives: [(&str, Box<dyn Objective>); 9] = [
            ("nll", Box::new(NegativeLogLikelihood)),
            ("sm", Box::new(ScoreMatching)),
            ("ssm_m1", Box::new(plain(1))),
            ("ssm_m3", Box::new(plain(3))),
            ("ssmvr_m1", Box::new(reduced(1))),
            ("ssmvr_m3", Box::new(reduced(3))),
            ("dsm_s005", Box::new(denoising(0.05))),
            ("dsm_s030", Box::new(denoising(0.3))),
            ("csm", Box::new(Composite(Order::FirstThenSecond))),
        ];
        assert_eq!(case["loss"].as_object().unwrap().len(), objectives.len());
        for (loss, objective) in objectives {
            let evaluation = objective.evaluate(&parameters, Batch::all(&x));
            let tolerance = case["tol"]["loss"][loss].as_f64().unwrap();
            check(&format!("{name} {loss}"), &[evaluation.value], &case["loss"][loss], tolerance);
            let reference = &case["grad"][loss];
            let largest = ["logits", "means", "chol_raw"]
                .iter()
                .flat_map(|block| numbers(&reference[block]))
                .fold(0.0, |max: f64, v| max.max(v.abs()));
            let gradient = evaluation.gradient;
            for (block, got) in [
                ("logits", gradient.logits),
                ("means", gradient.means.into_flattened()),
                ("chol_raw", gradient.factors),
            ] {
                // A block that is zero up to underflow is compared with the largest entry of this loss's gradient.
                let zero = 1e-14 * largest;
                let is_zero = numbers(&reference[block]).iter().all(|v| v.abs() <= zero);
                let tolerance = case["tol"]["grad"][loss][block].as_f64().unwrap();
                let tolerance = if is_zero { zero } else { tolerance };
                check(&format!("{name} d{loss}/d{block}"), &got, &reference[block], tolerance);
            }
        }
    }
}

/// The M-step as weights, means and covariances.
fn maximized(
    moments: &[Moments],
    mixture: &Mixture,
    floor: f64,
) -> (Vec<f64>, Vec<Point>, Vec<Symmetric>) {
    maximization(moments, mixture, CovarianceType::Full, floor).collect()
}

#[test]
fn single_steps_of_em() {
    for case in golden()["cases"].as_array().unwrap() {
        let name = case["name"].as_str().unwrap();
        let mixture = parameters(case).mixture();
        let mut moments = Vec::new();
        expectation(&mixture, &points(&case["x"]), &mut moments);
        for (key, floor) in [("reg0", 0.0), ("reg1e-6", 1e-6)] {
            let (weights, means, covariances) = maximized(&moments, &mixture, floor);
            let reference = &case["em_step"][key];
            let scale = points(&case["x"]).iter().flatten().fold(1.0, |m: f64, v| m.max(v.abs()));
            let all = |field: &str, got: Vec<f64>, width: usize, tolerance: f64| {
                let want = reference[field].as_array().unwrap();
                for (i, (got, want)) in got.chunks(width).zip(want).enumerate() {
                    // Undefined where a component owns no point; there we keep what was, and it is finite.
                    assert!(got.iter().all(|v| v.is_finite()), "{name} {field} {i}");
                    if numbers(want).iter().all(|v| v.is_finite()) {
                        check(&format!("{name} {key} {field} {i}"), got, want, tolerance);
                    }
                }
            };
            all("weights", weights, 1, 1e-15);
            all("means", means.into_flattened(), 2, 1e-14 * scale);
            all("cov", covariances.into_flattened(), 3, 1e-14 * scale * scale);
        }
    }
}

#[test]
fn traces_of_em() {
    let golden = golden();
    let cases = golden["em_cases"].as_array().unwrap();
    for case in cases {
        let name = case["name"].as_str().unwrap();
        let holder = match case["same_x_and_init_as"].as_str() {
            Some(other) => cases.iter().find(|case| case["name"] == other).unwrap(),
            None => case,
        };
        let x = points(&holder["x"]);
        let init = &holder["init"];
        let mut mixture = Mixture::new(
            &numbers(&init["weights"]),
            &points(&init["means"]),
            &symmetric(&init["cov"]),
        )
        .unwrap();
        let floor = case["reg_covar"].as_f64().unwrap();
        let mut trace = vec![-mean_log_likelihood(&mixture, &x)];
        for step in 1..=20 {
            let mut moments = Vec::new();
            expectation(&mixture, &x, &mut moments);
            let (weights, means, covariances) = maximized(&moments, &mixture, floor);
            if let Some(reference) = case.get(format!("after_{step}")) {
                let what = |field: &str| format!("{name} after {step} {field}");
                check(&what("weights"), &weights, &reference["weights"], 1e-12);
                check(&what("means"), means.as_flattened(), &reference["means"], 1e-10);
                check(&what("cov"), covariances.as_flattened(), &reference["cov"], 1e-10);
            }
            mixture = Mixture::new(&weights, &means, &covariances).unwrap();
            trace.push(-mean_log_likelihood(&mixture, &x));
        }
        check(&format!("{name} trace"), &trace, &case["nll_trace"], 1e-12);
    }
}

#[test]
fn marginals_and_conditionals() {
    let golden = golden();
    for (i, case) in golden["marginals"].as_array().unwrap().iter().enumerate() {
        let weights = numbers(&case["weights"]);
        let mixture = Mixture::new(&weights, &points(&case["means"]), &symmetric(&case["cov"]));
        let mixture = mixture.unwrap();
        for (j, point) in case["points"].as_array().unwrap().iter().enumerate() {
            let [x1, x2] = points(&point["x"])[0];
            let given = mixture.conditional(0, x1);
            let shares: Vec<f64> = given.bells().iter().map(|b| b.log_weight.exp()).collect();
            let mean: f64 = given.bells().iter().zip(&shares).map(|(b, w)| w * b.mean).sum();
            for (field, got) in [
                ("p_x1", mixture.marginal(0).density(x1)),
                ("p_x2", mixture.marginal(1).density(x2)),
                ("p_x2_given_x1", given.density(x2)),
                ("p_x1_given_x2", mixture.conditional(1, x2).density(x1)),
                ("mean_x2_given_x1", mean),
            ] {
                // Means are by quadrature there; densities far out are compared by their size.
                let tolerance = if field.starts_with("mean") { 1e-8 } else { 1e-300 };
                check(&format!("{i} {j} {field}"), &[got], &point[field], tolerance);
            }
            check(&format!("{i} {j} shares"), &shares, &point["comp_weights_given_x1"], 1e-14);
        }
    }
}
