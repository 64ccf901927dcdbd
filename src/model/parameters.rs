//! The free vector θ = (logits, means, log-Cholesky factors) ↔ mixture.

use super::mixture::{Component, log_sum_exp};
use super::{Cholesky, Gaussian, Mixture, Point};
use crate::settings::{Kind, Setting};

/// How many Gaussians.
pub static N_COMPONENTS: Setting = Setting {
    key: "n_components",
    label: "Components K",
    help: "How many Gaussians the mixture has.",
    kind: Kind::Integer { default: 12, min: 1, max: 200 },
    is_live: false,
};

/// Which covariances the components may have.
pub static COVARIANCE_TYPE: Setting = Setting {
    key: "covariance_type",
    label: "Covariance",
    help: "Full: any ellipse. Diagonal: axis-parallel ellipses. Spherical: circles. Tied: one ellipse shared by all.",
    kind: Kind::Choice {
        default: "full",
        options: &[
            ("full", "full"),
            ("diag", "diagonal"),
            ("spherical", "spherical"),
            ("tied", "tied"),
        ],
    },
    is_live: false,
};

/// The covariance floor.
pub static REG_COVAR: Setting = Setting {
    key: "reg_covar",
    label: "Floor ÷ variance",
    help: "Covariance floor: this share of the data's variance is added to the diagonal of every covariance. \
           With 0 a component can collapse onto a single point, where every objective is unbounded.",
    kind: Kind::Number { default: 1e-4, min: 0.0, max: 0.1, is_logarithmic: true },
    is_live: false,
};

/// Which covariances the components may have; scikit-learn's four.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CovarianceType {
    /// Any ellipse.
    Full,
    /// Axis-parallel ellipses.
    Diagonal,
    /// Circles.
    Spherical,
    /// One ellipse shared by all.
    Tied,
}

impl CovarianceType {
    /// From the id that files and [`COVARIANCE_TYPE`] use.
    #[must_use]
    pub fn from_id(id: &str) -> CovarianceType {
        match id {
            "diag" => CovarianceType::Diagonal,
            "spherical" => CovarianceType::Spherical,
            "tied" => CovarianceType::Tied,
            _ => CovarianceType::Full,
        }
    }

    /// The id that files and [`COVARIANCE_TYPE`] use; scikit-learn's word.
    #[must_use]
    pub fn id(self) -> &'static str {
        match self {
            CovarianceType::Full => "full",
            CovarianceType::Diagonal => "diag",
            CovarianceType::Spherical => "spherical",
            CovarianceType::Tied => "tied",
        }
    }

    /// Rows and columns of θ's part for the factors of K components.
    ///
    /// Full and tied: [log L₁₁, L₂₁, log L₂₂]; diagonal: [log L₁₁, log L₂₂]; spherical: [log L₁₁].
    #[must_use]
    pub fn factor_shape(self, component_count: usize) -> [usize; 2] {
        match self {
            CovarianceType::Full => [component_count, 3],
            CovarianceType::Diagonal => [component_count, 2],
            CovarianceType::Spherical => [component_count, 1],
            CovarianceType::Tied => [1, 3],
        }
    }

    /// Number of free parameters of a mixture: K − 1 weights, 2K means and the factors.
    #[must_use]
    pub fn free_parameter_count(self, component_count: usize) -> usize {
        let [rows, columns] = self.factor_shape(component_count);
        component_count - 1 + 2 * component_count + rows * columns
    }
}

/// The free vector θ of a mixture, with Σₖ = LₖLₖᵀ + floor · I.
#[derive(Debug, Clone, PartialEq)]
pub struct Parameters {
    /// Which covariances the components may have.
    pub covariance_type: CovarianceType,
    /// Added to the diagonal of every covariance, in squared units of the data. 0 for none.
    pub floor: f64,
    /// Weights before softmax. Length K.
    pub logits: Vec<f64>,
    /// Means. Length K.
    pub means: Vec<Point>,
    /// Factors, row after row, in the shape of [`CovarianceType::factor_shape`].
    pub factors: Vec<f64>,
}

impl Parameters {
    /// θ of a mixture. Where a covariance is not of this type, its closest is taken: its diagonal, its mean
    /// variance, the weighted mean of all; where it is thinner than the floor, it is widened just above it.
    #[must_use]
    pub fn of(mixture: &Mixture, covariance_type: CovarianceType, floor: f64) -> Parameters {
        let components = mixture.components();
        let covariances = components.iter().map(|c| c.gaussian.cholesky.covariance());
        let factors = match covariance_type {
            CovarianceType::Full => covariances.flat_map(|s| log_factor(s, floor)).collect(),
            CovarianceType::Diagonal => covariances
                .flat_map(|[s11, _, s22]| {
                    let [a, _, b] = log_factor([s11, 0.0, s22], floor);
                    [a, b]
                })
                .collect(),
            CovarianceType::Spherical => covariances
                .map(|[s11, _, s22]| {
                    let variance = f64::midpoint(s11, s22);
                    log_factor([variance, 0.0, variance], floor)[0]
                })
                .collect(),
            CovarianceType::Tied => {
                let mut mean = [0.0; 3];
                for (component, covariance) in components.iter().zip(covariances) {
                    for (mean, entry) in mean.iter_mut().zip(covariance) {
                        *mean += component.weight() * entry;
                    }
                }
                log_factor(mean, floor).to_vec()
            }
        };
        Parameters {
            covariance_type,
            floor,
            logits: components.iter().map(|c| c.log_weight).collect(),
            means: components.iter().map(|c| c.gaussian.mean).collect(),
            factors,
        }
    }

    /// θ as one vector: logits, means, factors. Length: K + 2K + factors.
    #[must_use]
    pub fn to_vector(&self) -> Vec<f64> {
        let Parameters { logits, means, factors, .. } = self;
        [logits, means.as_flattened(), factors].concat()
    }

    /// θ of the same kind and size that has this vector; undoes [`Parameters::to_vector`].
    #[must_use]
    pub fn with_vector(&self, vector: &[f64]) -> Parameters {
        let (logits, rest) = vector.split_at(self.logits.len());
        let (means, factors) = rest.split_at(2 * self.means.len());
        let means = means.as_chunks().0.to_vec();
        Parameters { logits: logits.to_vec(), means, factors: factors.to_vec(), ..self.clone() }
    }

    /// The same θ as that of a mixture with full covariances, in which objectives are evaluated.
    #[must_use]
    pub fn with_full_covariances(&self) -> Parameters {
        let factors = match self.covariance_type {
            CovarianceType::Full => self.factors.clone(),
            CovarianceType::Tied => self.factors.repeat(self.means.len()),
            CovarianceType::Diagonal => {
                self.factors.as_chunks().0.iter().flat_map(|[a, b]| [*a, 0.0, *b]).collect()
            }
            CovarianceType::Spherical => self.factors.iter().flat_map(|&a| [a, 0.0, a]).collect(),
        };
        Parameters { covariance_type: CovarianceType::Full, factors, ..self.clone() }
    }

    /// The mixture that θ describes. Its numbers may be infinite or NaN where θ's are.
    #[must_use]
    pub fn mixture(&self) -> Mixture {
        let log_total = log_sum_exp(&self.logits);
        let components =
            self.logits.iter().zip(&self.means).enumerate().map(|(k, (logit, &mean))| {
                let row = |width: usize| &self.factors[k * width..(k + 1) * width];
                let log_factor = match self.covariance_type {
                    CovarianceType::Full => [row(3)[0], row(3)[1], row(3)[2]],
                    CovarianceType::Diagonal => [row(2)[0], 0.0, row(2)[1]],
                    CovarianceType::Spherical => [row(1)[0], 0.0, row(1)[0]],
                    CovarianceType::Tied => [self.factors[0], self.factors[1], self.factors[2]],
                };
                Component {
                    log_weight: logit - log_total,
                    gaussian: Gaussian { mean, cholesky: raised(log_factor, self.floor).0 },
                }
            });
        Mixture::from_components(components.collect())
    }
}

/// [log L₁₁, L₂₁, log L₂₂] of a covariance less the floor.
fn log_factor([s11, s12, s22]: [f64; 3], floor: f64) -> [f64; 3] {
    // Directions thinner than the floor keep a millionth of it, so that training can widen them again.
    let least = 1e-6 * floor;
    let raised = Cholesky::of([s11 - floor, s12, s22 - floor]);
    let factor = raised.filter(|l| l.l22 * l.l22 >= least).unwrap_or_else(|| {
        let v11 = (s11 - floor).max(least);
        let v22 = (s22 - floor).max(least);
        let limit = (0.999_999 * v11 * v22).sqrt();
        let (l11, v12) = (v11.sqrt(), s12.clamp(-limit, limit));
        Cholesky { l11, l21: v12 / l11, l22: (v22 - v12 * v12 / v11).sqrt() }
    });
    [factor.l11.ln(), factor.l21, factor.l22.ln()]
}

/// The Cholesky factor of LLᵀ + floor · I, and L itself, from L's entries with logarithmic diagonal.
#[must_use]
pub(crate) fn raised([log_l11, l21, log_l22]: [f64; 3], floor: f64) -> (Cholesky, Cholesky) {
    let factor = Cholesky { l11: log_l11.exp(), l21, l22: log_l22.exp() };
    if floor == 0.0 {
        return (factor, factor);
    }
    let l11 = (factor.l11 * factor.l11 + floor).sqrt();
    let raised_l21 = factor.l11 * l21 / l11;
    // l22² = l₂₁² + l₂₂² + floor − raised_l21², written without the difference of two large squares:
    // l₂₁² − raised_l21² = l₂₁² floor / (l₁₁² + floor).
    let l22 = (factor.l22 * factor.l22 + floor + l21 * l21 * floor / (l11 * l11)).sqrt();
    (Cholesky { l11, l21: raised_l21, l22 }, factor)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Symmetric;

    fn close(a: Symmetric, b: Symmetric) -> bool {
        a.iter().zip(b).all(|(a, b)| (a - b).abs() <= 1e-12 * (1.0 + b.abs()))
    }

    #[test]
    fn to_parameters_and_back_is_the_identity() {
        let (weights, means) = ([0.25, 0.75], [[1.0, 2.0], [-3.0, 0.5]]);
        let check = |covariance_type, covariances: [Symmetric; 2], floor| {
            let mixture = Mixture::new(&weights, &means, &covariances).unwrap();
            let parameters = Parameters::of(&mixture, covariance_type, floor);
            let [rows, columns] = covariance_type.factor_shape(2);
            assert_eq!(parameters.factors.len(), rows * columns);
            let back = parameters.mixture();
            for (a, b) in mixture.components().iter().zip(back.components()) {
                assert!((a.log_weight - b.log_weight).abs() < 1e-14);
                assert_eq!(a.gaussian.mean, b.gaussian.mean);
                let (a, b) = (a.gaussian.cholesky.covariance(), b.gaussian.cholesky.covariance());
                assert!(close(a, b), "{covariance_type:?} {a:?} {b:?}");
            }
            let vector = parameters.to_vector();
            assert_eq!(vector.len(), 6 + rows * columns);
            let zero = parameters.with_vector(&vec![0.0; vector.len()]);
            assert_eq!(zero.with_vector(&vector), parameters, "{covariance_type:?}");
            let full = parameters.with_full_covariances();
            assert_eq!((full.factors.len(), full.mixture()), (6, back), "{covariance_type:?}");
        };
        for floor in [0.0, 1e-4, 0.01] {
            check(CovarianceType::Full, [[1.0, 0.3, 0.5], [0.02, -0.001, 0.02]], floor);
            check(CovarianceType::Diagonal, [[1.0, 0.0, 0.5], [0.02, 0.0, 0.03]], floor);
            check(CovarianceType::Spherical, [[0.4, 0.0, 0.4], [0.02, 0.0, 0.02]], floor);
            check(CovarianceType::Tied, [[0.4, 0.1, 0.7]; 2], floor);
        }
    }

    #[test]
    fn no_covariance_is_thinner_than_the_floor() {
        let mixture = Mixture::new(&[1.0], &[[0.0, 0.0]], &[[1.0, 0.999_999, 1.0]]).unwrap();
        let floor = 0.01;
        let got = Parameters::of(&mixture, CovarianceType::Full, floor).mixture();
        let ellipse = got.components()[0].gaussian.cholesky.ellipse(1.0);
        assert!(ellipse.semi_axes[1] >= floor.sqrt() * 0.999_999);
    }

    #[test]
    fn seven_numbers_a_component_less_one() {
        // The thesis counts 7 numbers a component; its weights sum to one, which leaves one fewer, and a
        // symmetric covariance has 3.
        assert_eq!(CovarianceType::Full.free_parameter_count(100), 599);
        assert_eq!(CovarianceType::Spherical.free_parameter_count(1), 3);
    }
}
