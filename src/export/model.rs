//! Mixtures as JSON, in scikit-learn's words.
//!
//! The covariances are always written as full matrices, whatever they were restricted to while learning. In
//! Python: `GaussianMixture(n_components, covariance_type="full")`, then set `weights_`, `means_` and
//! `covariances_` from the file. Files made there from any of scikit-learn's four covariance types can be read.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::ExportError;
use crate::data::Scaling;
use crate::model::{CovarianceType, Mixture, MixtureError, Point, Symmetric};
use crate::training::{Experiment, Record};

/// What a file says about a mixture beside its numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelInfo {
    /// What the covariances were restricted to.
    pub covariance_type: CovarianceType,
    /// True if training ended by itself.
    pub converged: Option<bool>,
    /// How many steps it took.
    pub n_iter: Option<u64>,
    /// The last mean log-likelihood, in nats per point.
    pub lower_bound: Option<f64>,
    /// Anything else worth keeping, under the program's own name.
    pub scorescope: Map<String, Value>,
}

/// The file as it is written.
#[derive(Serialize)]
struct Written<'a> {
    format: &'a str,
    version: u64,
    n_components: usize,
    covariance_type: &'a str,
    weights_: Vec<f64>,
    means_: Vec<Point>,
    covariances_: Vec<[Point; 2]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    converged_: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    n_iter_: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lower_bound_: Option<f64>,
    scorescope: &'a Map<String, Value>,
}

/// The mixture of a run's step in the units of the data's source, and what to say about it.
///
/// Training on scaled data happens in their units; a file is read by programs that know nothing of that.
#[must_use]
pub fn trained(
    experiment: &Experiment,
    scaling: &Scaling,
    mixture: &Mixture,
    record: &Record,
    has_converged: bool,
) -> (Mixture, ModelInfo) {
    let log_unit_area = scaling.log_unit_area();
    let mut scorescope = Map::new();
    scorescope.insert("algorithm".to_owned(), experiment.algorithm_id.clone().into());
    scorescope.insert("step".to_owned(), record.step.into());
    if record.val_nll.is_finite() {
        scorescope.insert("val_nll".to_owned(), (record.val_nll + log_unit_area).into());
    }
    scorescope.insert("train_nll".to_owned(), (record.train_nll + log_unit_area).into());
    let info = ModelInfo {
        covariance_type: experiment.covariance_type(),
        converged: Some(has_converged),
        n_iter: Some(record.step as u64),
        lower_bound: Some(-record.train_nll - log_unit_area),
        scorescope,
    };
    (scaling.undo_mixture(mixture), info)
}

const FORMAT: &str = "scorescope-model";
const VERSION: u64 = 1;

/// The mixture as JSON.
///
/// # Errors
/// [`ExportError::NotFinite`] if it contains numbers that JSON cannot express.
pub fn write(mixture: &Mixture, info: &ModelInfo) -> Result<String, ExportError> {
    let weights = mixture.weights();
    let means: Vec<Point> = mixture.components().iter().map(|c| c.gaussian.mean).collect();
    let covariances: Vec<[Point; 2]> = mixture
        .components()
        .iter()
        .map(|c| {
            let [s11, s12, s22] = c.gaussian.cholesky.covariance();
            [[s11, s12], [s12, s22]]
        })
        .collect();
    let fields = [
        ("weights_", &weights[..]),
        ("means_", means.as_flattened()),
        ("covariances_", covariances.as_flattened().as_flattened()),
        ("lower_bound_", info.lower_bound.as_slice()),
    ];
    for (field, numbers) in fields {
        if !numbers.iter().all(|v| v.is_finite()) {
            return Err(ExportError::NotFinite { field });
        }
    }
    let written = Written {
        format: FORMAT,
        version: VERSION,
        n_components: weights.len(),
        covariance_type: info.covariance_type.id(),
        weights_: weights,
        means_: means,
        covariances_: covariances,
        converged_: info.converged,
        n_iter_: info.n_iter,
        lower_bound_: info.lower_bound,
        scorescope: &info.scorescope,
    };
    serde_json::to_string_pretty(&written)
        .map(|text| text + "\n")
        .map_err(|error| ExportError::Encoding { what: "model file", reason: error.to_string() })
}

/// A mixture from JSON: our own files, and scikit-learn's attributes written to one.
///
/// # Errors
/// [`ExportError::Model`] names the first field that is missing or wrong, and says what is wrong with it.
pub fn read(text: &str) -> Result<(Mixture, ModelInfo), ExportError> {
    let file: Map<String, Value> = serde_json::from_str(text)
        .map_err(|error| wrong("the file", format!("is not a JSON object: {error}")))?;
    if !file.contains_key("weights_") && !file.contains_key("means_") {
        let problem = "is not a model: it has no weights_, means_ and covariances_".to_owned();
        return Err(wrong("the file", problem));
    }
    if file.get("format").is_some_and(|format| format != FORMAT) {
        return Err(wrong("format", format!("must be \"{FORMAT}\" if it is there")));
    }
    let version: u64 = optional(&file, "version", "a whole number")?.unwrap_or(VERSION);
    if version > VERSION {
        return Err(wrong(
            "version",
            format!("is {version}, but this program reads up to {VERSION}: it needs an update"),
        ));
    }
    let weights: Vec<f64> = required(&file, "weights_", "a list of numbers")?;
    let means: Vec<Point> =
        required(&file, "means_", "a list of points in two dimensions, [[x1, x2], …]")?;
    let count: Option<usize> = optional(&file, "n_components", "a whole number")?;
    if let Some(count) = count.filter(|count| *count != weights.len()) {
        return Err(wrong(
            "n_components",
            format!("is {count}, but weights_ has {}", weights.len()),
        ));
    }
    if means.len() != weights.len() {
        let problem = format!("has {} points, but weights_ has {}", means.len(), weights.len());
        return Err(wrong("means_", problem));
    }
    let (covariance_type, covariances) = covariances(&file, weights.len())?;
    let mixture = Mixture::new(&weights, &means, &covariances).map_err(|error| {
        let field = match error {
            MixtureError::Mean { .. } => "means_",
            MixtureError::Covariance { .. } => "covariances_",
            _ => "weights_",
        };
        wrong(field, error.to_string())
    })?;
    let info = ModelInfo {
        covariance_type,
        converged: optional(&file, "converged_", "true or false")?,
        n_iter: optional(&file, "n_iter_", "a whole number")?,
        lower_bound: optional(&file, "lower_bound_", "a number")?,
        scorescope: optional(&file, "scorescope", "an object")?.unwrap_or_default(),
    };
    Ok((mixture, info))
}

/// Full matrices from any of the four shapes. Three levels of lists are full matrices whatever the type says,
/// as in our own files.
fn covariances(
    file: &Map<String, Value>,
    count: usize,
) -> Result<(CovarianceType, Vec<Symmetric>), ExportError> {
    const FIELD: &str = "covariances_";
    let id: String =
        optional(file, "covariance_type", "a word")?.unwrap_or_else(|| "full".to_owned());
    let covariance_type = CovarianceType::from_id(&id);
    if covariance_type.id() != id {
        let problem = format!("is \"{id}\", but must be full, tied, diag or spherical");
        return Err(wrong("covariance_type", problem));
    }
    let has_matrices = file.get(FIELD).is_some_and(|value| value[0][0].is_array());
    let covariances: Vec<Symmetric> = match covariance_type {
        _ if has_matrices => {
            let expected = "a list of 2×2 matrices, [[[s11, s12], [s21, s22]], …]";
            let matrices: Vec<[Point; 2]> = required(file, FIELD, expected)?;
            matrices
                .into_iter()
                .enumerate()
                .map(|(i, matrix)| symmetric(matrix, &format!("matrix {}", i + 1)))
                .collect::<Result<_, _>>()?
        }
        CovarianceType::Tied => {
            let matrix = required(file, FIELD, "one 2×2 matrix, [[s11, s12], [s21, s22]]")?;
            vec![symmetric(matrix, "the matrix")?; count]
        }
        CovarianceType::Diagonal => {
            let expected = "a list of two variances for each component, [[s11, s22], …]";
            let variances: Vec<[f64; 2]> = required(file, FIELD, expected)?;
            variances.into_iter().map(|[s11, s22]| [s11, 0.0, s22]).collect()
        }
        CovarianceType::Spherical => {
            let variances: Vec<f64> =
                required(file, FIELD, "a list with one variance for each component")?;
            variances.into_iter().map(|s| [s, 0.0, s]).collect()
        }
        CovarianceType::Full => {
            let expected = "a list of 2×2 matrices, [[[s11, s12], [s21, s22]], …]";
            let _: Vec<[Point; 2]> = required(file, FIELD, expected)?;
            Vec::new()
        }
    };
    if covariances.len() != count {
        let problem = format!("has {} entries, but weights_ has {count}", covariances.len());
        return Err(wrong(FIELD, problem));
    }
    Ok((covariance_type, covariances))
}

/// The three numbers of a matrix that must be symmetric, up to rounding.
fn symmetric([[s11, s12], [s21, s22]]: [Point; 2], name: &str) -> Result<Symmetric, ExportError> {
    if (s12 - s21).abs() > 1e-8 * (s11.abs() + s22.abs()) {
        return Err(wrong("covariances_", format!("{name} is not symmetric: {s12} and {s21}")));
    }
    Ok([s11, f64::midpoint(s12, s21), s22])
}

/// A field that must be there.
fn required<'a, T: Deserialize<'a>>(
    file: &'a Map<String, Value>,
    field: &'static str,
    expected: &str,
) -> Result<T, ExportError> {
    optional(file, field, expected)?
        .ok_or_else(|| wrong(field, format!("is missing; it must be {expected}")))
}

/// A field that may be missing or null.
fn optional<'a, T: Deserialize<'a>>(
    file: &'a Map<String, Value>,
    field: &'static str,
    expected: &str,
) -> Result<Option<T>, ExportError> {
    let value = file.get(field).filter(|value| !value.is_null());
    value
        .map(|value| {
            T::deserialize(value)
                .map_err(|error| wrong(field, format!("must be {expected} ({error})")))
        })
        .transpose()
}

fn wrong(field: &'static str, problem: String) -> ExportError {
    ExportError::Model { field, problem }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn info(covariance_type: CovarianceType) -> ModelInfo {
        let mut scorescope = Map::new();
        scorescope.insert("seed".to_owned(), 7.into());
        ModelInfo {
            covariance_type,
            converged: Some(true),
            n_iter: Some(42),
            lower_bound: Some(-1.25),
            scorescope,
        }
    }

    fn mixture() -> Mixture {
        let covariances = [[1.0 / 3.0, 0.1, 0.7], [1e-6, -2e-7, 3e-6], [2.0, 0.0, 2.0]];
        Mixture::new(&[0.2, 0.5, 0.3], &[[0.1, -3.0], [1e-9, 4.0], [7.0, 1e5]], &covariances)
            .unwrap()
    }

    #[test]
    fn models_come_back() {
        use CovarianceType::{Diagonal, Full, Spherical, Tied};
        for covariance_type in [Full, Tied, Diagonal, Spherical] {
            let (mixture, info) = (mixture(), info(covariance_type));
            let text = write(&mixture, &info).unwrap();
            let (back, back_info) = read(&text).unwrap();
            assert_eq!(back_info, info);
            for (a, b) in mixture.components().iter().zip(back.components()) {
                assert!((a.log_weight - b.log_weight).abs() < 1e-14);
                assert_eq!(a.gaussian.mean, b.gaussian.mean);
                let [a, b] = [a, b].map(|c| c.gaussian.cholesky.covariance());
                assert!(
                    a.iter().zip(b).all(|(a, b)| (a - b).abs() <= 1e-14 * a.abs()),
                    "{a:?} {b:?}"
                );
            }
        }
    }

    #[test]
    fn what_json_cannot_express_is_refused() {
        let info = ModelInfo { lower_bound: Some(f64::NAN), ..info(CovarianceType::Full) };
        let error = write(&mixture(), &info).unwrap_err().to_string();
        assert!(error.starts_with("lower_bound_ contains a number that is not finite"), "{error}");
        let huge = Mixture::new(&[1.0], &[[0.0; 2]], &[[1e308, 0.0, 1.0]]).unwrap();
        assert!(write(&huge, &self::info(CovarianceType::Full)).is_ok());
    }

    #[test]
    fn all_four_shapes_of_scikit_learn_are_read() {
        let check = |covariance_type: &str, covariances: &str, expected: [Symmetric; 2]| {
            let text = format!(
                "{{\"covariance_type\": \"{covariance_type}\", \"weights_\": [0.5, 0.5], \
                 \"means_\": [[0, 0], [1, 1]], \"covariances_\": {covariances}}}"
            );
            let (mixture, info) = read(&text).unwrap();
            assert_eq!(info.covariance_type.id(), covariance_type);
            for (component, expected) in mixture.components().iter().zip(expected) {
                let got = component.gaussian.cholesky.covariance();
                assert!(got.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-12), "{got:?}");
            }
        };
        check("full", "[[[2, 1], [1, 3]], [[1, 0], [0, 1]]]", [[2.0, 1.0, 3.0], [1.0, 0.0, 1.0]]);
        check("tied", "[[2, 1], [1, 3]]", [[2.0, 1.0, 3.0]; 2]);
        check("diag", "[[2, 1], [1, 3]]", [[2.0, 0.0, 1.0], [1.0, 0.0, 3.0]]);
        check("spherical", "[2, 1]", [[2.0, 0.0, 2.0], [1.0, 0.0, 1.0]]);
    }

    #[test]
    fn problems_name_the_field() {
        let good = write(&mixture(), &info(CovarianceType::Full)).unwrap();
        let check = |field: &str, value: &str, expected: &str| {
            let mut file: Map<String, Value> = serde_json::from_str(&good).unwrap();
            if value.is_empty() {
                file.remove(field);
            } else {
                file.insert(field.to_owned(), serde_json::from_str(value).unwrap());
            }
            let text = serde_json::to_string(&file).unwrap();
            let error = read(&text).unwrap_err().to_string();
            assert!(error.starts_with(expected), "{error}");
        };
        let error = read("{\"version\": \"0.1\"}").unwrap_err().to_string();
        assert_eq!(error, "the file: is not a model: it has no weights_, means_ and covariances_");
        check("format", "\"other\"", "format: must be \"scorescope-model\"");
        check("version", "2", "version: is 2, but this program reads up to 1");
        check("weights_", "", "weights_: is missing; it must be a list of numbers");
        check("weights_", "[0.5, 0.5, \"a\"]", "weights_: must be a list of numbers (");
        check(
            "weights_",
            "[0.5, 0.5, 0.5]",
            "weights_: the weights must be at least 0 and sum to 1",
        );
        check("n_components", "4", "n_components: is 4, but weights_ has 3");
        check("means_", "[[0, 0], [1, 1]]", "means_: has 2 points, but weights_ has 3");
        check("means_", "[[0, 0, 0]]", "means_: must be a list of points in two dimensions");
        check("covariance_type", "\"round\"", "covariance_type: is \"round\", but must be full");
        check("covariances_", "[1, 2, 3]", "covariances_: must be a list of 2×2 matrices");
        check("covariances_", "[]", "covariances_: has 0 entries, but weights_ has 3");
        check(
            "covariances_",
            "[[[1, 0], [0, 1]]]",
            "covariances_: has 1 entries, but weights_ has 3",
        );
        let uneven = "[[[1, 0], [0, 1]], [[1, 0.5], [0, 1]], [[1, 0], [0, 1]]]";
        check("covariances_", uneven, "covariances_: matrix 2 is not symmetric: 0.5 and 0");
        let flat = "[[[1, 1], [1, 1]], [[1, 0], [0, 1]], [[1, 0], [0, 1]]]";
        check("covariances_", flat, "covariances_: the covariance of component 1 is not positive");
        check("n_iter_", "1.5", "n_iter_: must be a whole number");
        assert!(read("[1]").unwrap_err().to_string().starts_with("the file: is not a JSON object"));
        assert!(read("{").is_err());
    }
}
