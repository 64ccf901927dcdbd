//! A start that is given, component by component, and how a hand changes one.

use serde::{Deserialize, Serialize};

use crate::data::Scaling;
use crate::model::{
    Cholesky, CovarianceType, Ellipse, Mixture, MixtureError, Parameters, Point, Symmetric,
};

/// One component of a given start, in the units of the data's source.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(from = "Written", into = "Written")]
pub struct GivenComponent {
    /// Its share of the mixture.
    pub weight: f64,
    /// Its mean µ.
    pub mean: Point,
    /// Its covariance Σ.
    pub covariance: Symmetric,
}

/// A component as it stands in a file: the covariance as a full matrix.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    weight: f64,
    mean: Point,
    covariance: [Point; 2],
}

impl From<Written> for GivenComponent {
    fn from(Written { weight, mean, covariance: [[s11, s12], [s21, s22]] }: Written) -> Self {
        // A matrix that is not symmetric has no factor, and is refused as such.
        let s12 = if s12 == s21 { s12 } else { f64::NAN };
        GivenComponent { weight, mean, covariance: [s11, s12, s22] }
    }
}

impl From<GivenComponent> for Written {
    fn from(GivenComponent { weight, mean, covariance: [s11, s12, s22] }: GivenComponent) -> Self {
        Written { weight, mean, covariance: [[s11, s12], [s12, s22]] }
    }
}

/// No axis is drawn shorter than this share of the other, so that every covariance keeps its factor.
const LEAST_RATIO: f64 = 1e-4;

/// No weight is set below this, or above one less this, so that every component stays within reach.
const LEAST_WEIGHT: f64 = 1e-3;

impl GivenComponent {
    /// The component on the plane that training sees.
    #[must_use]
    pub fn scaled(&self, scaling: &Scaling) -> GivenComponent {
        let ([u1, u2], [s11, s12, s22]) = (scaling.unit, self.covariance);
        let covariance = [s11 / (u1 * u1), s12 / (u1 * u2), s22 / (u2 * u2)];
        GivenComponent { weight: self.weight, mean: scaling.apply(self.mean), covariance }
    }

    /// Undoes [`GivenComponent::scaled`].
    #[must_use]
    pub fn unscaled(&self, scaling: &Scaling) -> GivenComponent {
        let ([u1, u2], [s11, s12, s22]) = (scaling.unit, self.covariance);
        let covariance = [s11 * u1 * u1, s12 * u1 * u2, s22 * u2 * u2];
        GivenComponent { weight: self.weight, mean: scaling.undo(self.mean), covariance }
    }

    /// Standard deviations along both axes of the ellipse, the longer first, and the direction of the longer one.
    #[must_use]
    pub fn ellipse(&self) -> Ellipse {
        let none = Ellipse { semi_axes: [0.0; 2], angle: 0.0 };
        Cholesky::of(self.covariance).map_or(none, |factor| factor.ellipse(1.0))
    }
}

/// The covariance with these standard deviations along its axes, the first of them in the direction of `angle`:
/// Σ = R diag(a², b²) Rᵀ. Always positive definite: no axis is shorter than a ten-thousandth of the other.
#[must_use]
pub fn covariance(Ellipse { semi_axes: [a, b], angle }: Ellipse) -> Symmetric {
    let longer = a.abs().max(b.abs()).max(f64::MIN_POSITIVE.sqrt());
    let [aa, bb] = [a, b].map(|axis| axis.abs().max(LEAST_RATIO * longer).powi(2));
    let (sin, cos) = angle.sin_cos();
    // Written so that circles are exact.
    let difference = aa - bb;
    [bb + difference * cos * cos, difference * sin * cos, bb + difference * sin * sin]
}

/// The components of a mixture, as a start to give.
#[must_use]
pub fn components(mixture: &Mixture, scaling: &Scaling) -> Vec<GivenComponent> {
    let given = mixture.components().iter().map(|component| {
        let gaussian = component.gaussian;
        let covariance = gaussian.cholesky.covariance();
        let given = GivenComponent { weight: component.weight(), mean: gaussian.mean, covariance };
        given.unscaled(scaling)
    });
    given.collect()
}

/// Given components as a mixture over scaled points.
///
/// # Errors
/// [`MixtureError`] if weights are no shares, a mean is not finite, or a covariance is not positive definite.
pub fn mixture(given: &[GivenComponent], scaling: &Scaling) -> Result<Mixture, MixtureError> {
    let scaled: Vec<GivenComponent> = given.iter().map(|g| g.scaled(scaling)).collect();
    let weights: Vec<f64> = scaled.iter().map(|g| g.weight).collect();
    let means: Vec<Point> = scaled.iter().map(|g| g.mean).collect();
    let covariances: Vec<Symmetric> = scaled.iter().map(|g| g.covariance).collect();
    Mixture::new(&weights, &means, &covariances)
}

/// The mixture that training starts from: the given one, as far as θ can express it.
///
/// # Errors
/// As [`mixture`].
pub fn start(
    given: &[GivenComponent],
    scaling: &Scaling,
    covariance_type: CovarianceType,
    floor: f64,
) -> Result<Mixture, MixtureError> {
    Ok(Parameters::of(&mixture(given, scaling)?, covariance_type, floor).mixture())
}

/// Gives a component another covariance; of tied ones, all. What the type does not allow is left out.
pub fn set_covariance(
    given: &mut [GivenComponent],
    index: usize,
    covariance: Symmetric,
    covariance_type: CovarianceType,
) {
    let [s11, _, s22] = covariance;
    if covariance_type == CovarianceType::Tied {
        for component in given {
            component.covariance = covariance;
        }
    } else if let Some(component) = given.get_mut(index) {
        component.covariance = match covariance_type {
            CovarianceType::Diagonal => [s11, 0.0, s22],
            _ => covariance,
        };
    }
}

/// Gives a component another weight; the others share the rest as they did before.
pub fn set_weight(given: &mut [GivenComponent], index: usize, weight: f64) {
    if given.len() < 2 || index >= given.len() {
        return;
    }
    let weight = weight.clamp(LEAST_WEIGHT, 1.0 - LEAST_WEIGHT);
    given[index].weight = 0.0;
    share(given, 1.0 - weight);
    given[index].weight = weight;
}

/// Adds a component with a K-th of the weight. Its width is the typical one of those that are there.
pub fn add(given: &mut Vec<GivenComponent>, mean: Point) {
    let count = given.len() as f64;
    let covariance = if given.is_empty() {
        [1.0, 0.0, 1.0]
    } else {
        let mean_variance =
            |axis: usize| given.iter().map(|g| g.covariance[axis]).sum::<f64>() / count;
        [mean_variance(0), 0.0, mean_variance(2)]
    };
    share(given, count / (count + 1.0));
    given.push(GivenComponent { weight: 1.0 / (count + 1.0), mean, covariance });
}

/// Takes a component away; the others share its weight. The last one stays.
pub fn remove(given: &mut Vec<GivenComponent>, index: usize) {
    if given.len() > 1 && index < given.len() {
        given.remove(index);
        share(given, 1.0);
    }
}

/// Adds a copy beside a component, half a standard deviation away along its longer axis. Both share its weight.
pub fn copy(given: &mut Vec<GivenComponent>, index: usize) {
    let Some(component) = given.get_mut(index) else { return };
    component.weight /= 2.0;
    let Ellipse { semi_axes: [length, _], angle } = component.ellipse();
    let [x, y] = component.mean;
    let (sin, cos) = angle.sin_cos();
    let mean = [x + 0.5 * length * cos, y + 0.5 * length * sin];
    let copy = GivenComponent { mean, ..*component };
    given.push(copy);
}

/// Moves a component to the other side of the vertical line at `x1`, and turns it as a mirror would.
pub fn mirror(component: &mut GivenComponent, x1: f64) {
    component.mean[0] = 2.0 * x1 - component.mean[0];
    component.covariance[1] = -component.covariance[1];
}

/// Brings a component in line with the one whose row or column is nearest: equal x₂, or equal x₁, whichever takes the
/// shorter way. The last ones that are left need no line.
pub fn align(given: &mut [GivenComponent], index: usize) {
    let Some(own) = given.get(index).map(|component| component.mean) else { return };
    let others = given.iter().enumerate().filter(|(k, _)| *k != index).map(|(_, other)| other.mean);
    let lines = others.flat_map(|other| [(0, other[0]), (1, other[1])]);
    let way = |(axis, line): &(usize, f64)| (line - own[*axis]).abs();
    // Lines that it stands on already are not what is asked for.
    let nearest = lines.filter(|line| way(line) > 0.0).min_by(|a, b| way(a).total_cmp(&way(b)));
    if let Some((axis, line)) = nearest {
        given[index].mean[axis] = line;
    }
}

/// Makes the weights sum to `total`, in the proportions that they have; equal ones where all are zero.
fn share(given: &mut [GivenComponent], total: f64) {
    let sum: f64 = given.iter().map(|g| g.weight).sum();
    let count = given.len() as f64;
    for component in given {
        component.weight = if sum > 0.0 { component.weight / sum * total } else { total / count };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn three() -> Vec<GivenComponent> {
        let component = |weight, mean, covariance| GivenComponent { weight, mean, covariance };
        vec![
            component(0.2, [0.0, 1.0], [1.0, 0.3, 0.5]),
            component(0.3, [-2.0, 0.5], [0.02, -0.001, 0.02]),
            component(0.5, [3.0, -4.0], [4.0, 0.0, 4.0]),
        ]
    }

    fn assert_sums_to_one(given: &[GivenComponent], what: &str) {
        let sum: f64 = given.iter().map(|g| g.weight).sum();
        assert!((sum - 1.0).abs() < 1e-12, "{what}: {sum}");
        assert!(given.iter().all(|g| g.weight > 0.0), "{what}");
    }

    #[test]
    fn axes_and_angle_become_a_covariance_and_come_back() {
        for (semi_axes, angle) in
            [([2.0, 0.5], 0.3), ([1.0, 0.999], -1.2), ([50.0, 0.01], 1.5), ([3.0, 1e-9], 0.7)]
        {
            let covariance = covariance(Ellipse { semi_axes, angle });
            let factor = Cholesky::of(covariance).expect("positive definite");
            let got = factor.ellipse(1.0);
            assert!((got.semi_axes[0] / semi_axes[0] - 1.0).abs() < 1e-9, "{semi_axes:?} {got:?}");
            let shorter = semi_axes[1].max(1e-4 * semi_axes[0]);
            assert!((got.semi_axes[1] / shorter - 1.0).abs() < 1e-5, "{semi_axes:?} {got:?}");
            assert!((got.angle - angle).abs() < 1e-9, "{angle} {got:?}");
        }
        // The axes may change places, and neither may vanish.
        let swapped = covariance(Ellipse { semi_axes: [0.5, 2.0], angle: 0.0 });
        assert_eq!(swapped, [0.25, 0.0, 4.0]);
        assert!(Cholesky::of(covariance(Ellipse { semi_axes: [0.0; 2], angle: 1.0 })).is_some());
        assert_eq!(covariance(Ellipse { semi_axes: [3.0; 2], angle: 0.4 }), [9.0, 0.0, 9.0]);
    }

    #[test]
    fn weights_sum_to_one_whatever_a_hand_does() {
        let mut given = three();
        set_weight(&mut given, 1, 0.6);
        assert_sums_to_one(&given, "set");
        assert_eq!(given[1].weight, 0.6);
        assert!((given[2].weight / given[0].weight - 2.5).abs() < 1e-12);
        for extreme in [0.0, 1.0, -3.0, 7.0] {
            set_weight(&mut given, 0, extreme);
            assert_sums_to_one(&given, "extreme");
        }
        add(&mut given, [1.0, 1.0]);
        assert_sums_to_one(&given, "add");
        assert_eq!(given[3].weight, 0.25);
        copy(&mut given, 3);
        assert_sums_to_one(&given, "copy");
        assert_eq!(given[3].weight, given[4].weight);
        while given.len() > 1 {
            remove(&mut given, 0);
            assert_sums_to_one(&given, "remove");
        }
        remove(&mut given, 0);
        set_weight(&mut given, 0, 0.5);
        assert_eq!((given.len(), given[0].weight), (1, 1.0));
    }

    #[test]
    fn scaling_is_undone_and_a_mixture_comes_back() {
        let scaling = Scaling { offset: [3.0, -20.0], unit: [0.5, 40.0] };
        let given = three();
        let back = components(&mixture(&given, &scaling).unwrap(), &scaling);
        for (a, b) in given.iter().zip(&back) {
            assert!((a.weight - b.weight).abs() < 1e-14);
            for axis in 0..2 {
                assert!((a.mean[axis] - b.mean[axis]).abs() < 1e-12);
            }
            for (a, b) in a.covariance.iter().zip(b.covariance) {
                assert!((a - b).abs() < 1e-12 * (1.0 + a.abs()), "{a} {b}");
            }
        }
    }

    #[test]
    fn mirrored_twice_is_where_it_was() {
        let mut component = three()[0];
        mirror(&mut component, 0.75);
        assert_eq!((component.mean, component.covariance[1]), ([1.5, 1.0], -0.3));
        mirror(&mut component, 0.75);
        assert_eq!(component, three()[0]);
    }

    #[test]
    fn aligned_components_stand_in_the_nearest_row_or_column() {
        let mut given = three();
        align(&mut given, 0);
        assert_eq!(given[0].mean, [0.0, 0.5]);
        align(&mut given, 0);
        assert_eq!(given[0].mean, [-2.0, 0.5]);
        let mut alone = vec![three()[0]];
        align(&mut alone, 0);
        assert_eq!(alone[0], three()[0]);
    }

    #[test]
    fn covariances_keep_to_their_type() {
        let mut given = three();
        set_covariance(&mut given, 0, [2.0, 0.5, 1.0], CovarianceType::Diagonal);
        assert_eq!(given[0].covariance, [2.0, 0.0, 1.0]);
        set_covariance(&mut given, 1, [2.0, 0.5, 1.0], CovarianceType::Tied);
        assert!(given.iter().all(|g| g.covariance == [2.0, 0.5, 1.0]));
    }
}
