//! Sampler: Gibbs sampling of a mixture of Gaussians.

use rand::RngExt;

use super::walk::normal;
use super::{Group, Kernel, Sampler, SamplerError, Told};
use crate::model::{Mixture, Point};
use crate::random::Rng;
use crate::settings::{Kind, Setting};

/// Gibbs sampling.
pub static INFO: Sampler = Sampler {
    id: "gibbs",
    label: "Gibbs",
    short: "Gibbs",
    help: "Draws one coordinate anew with the other one fixed, or the component with the point fixed, then the point: \
           every step is accepted.",
    settings: &[&SCHEME],
    kernel: |settings, density| {
        let mixture = density.modes().ok_or(SamplerError::NotMixture)?.clone();
        let kernel: Box<dyn Kernel> = if settings.choice(&SCHEME) == "component" {
            Box::new(ByComponent { mixture })
        } else {
            Box::new(ByCoordinate { mixture })
        };
        Ok(kernel)
    },
};

static SCHEME: Setting = Setting {
    key: "scheme",
    label: "What is drawn",
    help: "One coordinate with the other one fixed, as the cut through a density shows it; or the component of a point \
           and then a new point of it, as EM sees a mixture.",
    kind: Kind::Choice {
        default: "coordinate",
        options: &[("coordinate", "A coordinate"), ("component", "A component, then a point")],
    },
    is_live: true,
};

/// One coordinate, chosen at random, from p(x₁ | x₂) or p(x₂ | x₁) (Geman and Geman 1984).
///
/// By coordinates because a step is then a move along a cut that can be drawn. At random, not in turn, because only so
/// a step is the same forwards and backwards.
struct ByCoordinate {
    mixture: Mixture,
}

/// The component from its responsibilities, then the point from the component (Tanner and Wong 1987): the E-step of EM
/// with a draw in place of the mean.
struct ByComponent {
    mixture: Mixture,
}

impl Kernel for ByCoordinate {
    fn advance(&self, group: &mut Group, _step: usize, watched: Option<usize>) -> Option<Told> {
        advance(group, watched, |from, rng| {
            let axis = usize::from(rng.random::<bool>());
            let (k, value) = draw_coordinate(&self.mixture, axis, from[1 - axis], rng);
            let mut to = from;
            to[axis] = value;
            (k, to)
        })
    }
}

impl Kernel for ByComponent {
    fn advance(&self, group: &mut Group, _step: usize, watched: Option<usize>) -> Option<Told> {
        advance(group, watched, |from, rng| {
            let (responsibilities, _) = self.mixture.responsibilities(from);
            let k = draw(&responsibilities, rng);
            let gaussian = self.mixture.components()[k].gaussian;
            let [dx, dy] = gaussian.cholesky.color(normal(rng));
            (k, [gaussian.mean[0] + dx, gaussian.mean[1] + dy])
        })
    }
}

/// Moves every particle to where a draw says, which also tells the component.
fn advance(
    group: &mut Group,
    watched: Option<usize>,
    draw: impl Fn(Point, &mut Rng) -> (usize, Point),
) -> Option<Told> {
    let mut told = None;
    for i in 0..group.points().len() {
        let from = group.points()[i];
        let (component, to) = draw(from, group.rng());
        if watched == Some(i) {
            told = Some(Told { component: Some(component), ..Told::moved(from, to) });
        }
        group.go(i, to);
    }
    told
}

/// A component and a value of coordinate `axis` where the other coordinate is fixed.
///
/// p(x₁ | x₂) = Σₖ rₖ N(µ₁ + Σ₁₂/Σ₂₂ (x₂ − µ₂), Σ₁₁ − Σ₁₂²/Σ₂₂) with rₖ ∝ πₖ N(x₂ | µ₂, Σ₂₂); likewise for x₂.
fn draw_coordinate(mixture: &Mixture, axis: usize, fixed: f64, rng: &mut Rng) -> (usize, f64) {
    let split = |k: usize| {
        let gaussian = mixture.components()[k].gaussian;
        let [s11, s12, s22] = gaussian.cholesky.covariance();
        let (own, other) = if axis == 0 { (s11, s22) } else { (s22, s11) };
        (gaussian.mean, own, s12, other)
    };
    let count = mixture.components().len();
    let log_joint = |k: usize| {
        let (mean, _, _, other) = split(k);
        let d = fixed - mean[1 - axis];
        mixture.components()[k].log_weight - 0.5 * (d * d / other + other.ln())
    };
    let mut shares: Vec<f64> = (0..count).map(log_joint).collect();
    let largest = shares.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    for share in &mut shares {
        *share = (*share - largest).exp();
    }
    let k = draw(&shares, rng);
    let (mean, own, cross, other) = split(k);
    let center = mean[axis] + cross / other * (fixed - mean[1 - axis]);
    let deviation = (own - cross * cross / other).max(0.0).sqrt();
    (k, center + deviation * normal(rng)[0])
}

/// A place in a list, with probability proportional to its number.
fn draw(shares: &[f64], rng: &mut Rng) -> usize {
    let mut left = rng.random::<f64>() * shares.iter().sum::<f64>();
    for (k, share) in shares.iter().enumerate() {
        if left < *share {
            return k;
        }
        left -= share;
    }
    // Rounding: the last one that is possible at all.
    shares.iter().rposition(|share| *share > 0.0).unwrap_or(0)
}
