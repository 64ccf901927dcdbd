//! Terms: the loss of exact score matching, taken apart point by point.

use crate::model::{Density, Point, Symmetric, Values};

/// What a point adds to the loss of exact score matching, with s = ∇ₓ log p; Hyvärinen (2005), eq. 4. Both have the
/// unit of 1 / x².
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Term {
    /// tr ∇s(x), the Laplacian of log p: below zero where the density curves down.
    pub trace: f64,
    /// ½‖s(x)‖²: zero at a mode, large in the tails.
    pub norm: f64,
}

impl Term {
    /// From the score and the Hessian of log p at a point.
    #[must_use]
    pub fn of([s1, s2]: Point, [h11, _, h22]: Symmetric) -> Term {
        Term { trace: h11 + h22, norm: 0.5 * s1.mul_add(s1, s2 * s2) }
    }

    /// tr ∇s(x) + ½‖s(x)‖².
    #[must_use]
    pub fn total(&self) -> f64 {
        self.trace + self.norm
    }
}

/// The loss of exact score matching over points, taken apart.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Terms {
    /// The term of every point, in their order. Length N.
    pub of_points: Vec<Term>,
    /// Their mean; its total is the loss.
    pub mean: Term,
    /// Mean of log p(x) over the points, in nats per point.
    pub log_likelihood: f64,
}

impl Terms {
    /// The terms of a density at points; zero where there are none.
    #[must_use]
    pub fn at(density: &dyn Density, points: &[Point]) -> Terms {
        let Values { log_density, score, hessian } = density.values(points);
        let of_points: Vec<Term> = score
            .into_iter()
            .zip(hessian)
            .map(|(score, hessian)| Term::of(score, hessian))
            .collect();
        let count = points.len().max(1) as f64;
        let mean_of = |part: fn(&Term) -> f64| of_points.iter().map(part).sum::<f64>() / count;
        let mean = Term { trace: mean_of(|term| term.trace), norm: mean_of(|term| term.norm) };
        let log_likelihood = log_density.iter().sum::<f64>() / count;
        Terms { of_points, mean, log_likelihood }
    }

    /// The points whose terms are largest by their size, be they above or below zero, the largest first. Terms that are
    /// not finite are left out.
    #[must_use]
    pub fn largest(&self, count: usize) -> Vec<usize> {
        let size = |i: usize| self.of_points[i].total().abs();
        let mut order: Vec<usize> =
            (0..self.of_points.len()).filter(|&i| size(i).is_finite()).collect();
        // Equal ones in the order of the points, so that nothing flickers.
        let by_size = |a: &usize, b: &usize| size(*b).total_cmp(&size(*a)).then(a.cmp(b));
        if count < order.len() {
            order.select_nth_unstable_by(count, by_size);
            order.truncate(count);
        }
        order.sort_by(by_size);
        order
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{CovarianceType, Mixture, Parameters};
    use crate::objectives::{Batch, Objective, ScoreMatching};
    use crate::random::{Purpose, generator};

    fn mixture() -> Mixture {
        let means = [[0.0, 0.0], [1.5, -1.0], [-1.0, 1.2]];
        let covariances = [[0.3, 0.1, 0.2], [1.0, 0.9, 1.0], [0.5, -0.3, 0.4]];
        Mixture::new(&[0.5, 0.3, 0.2], &means, &covariances).unwrap()
    }

    fn points() -> Vec<Point> {
        mixture().sample(500, &mut generator(7, Purpose::Samples))
    }

    #[test]
    fn terms_are_central_differences_of_the_log_density() {
        let mixture = mixture();
        let terms = Terms::at(&mixture, &points());
        let h = 1e-4;
        for (&[x, y], term) in points().iter().zip(&terms.of_points) {
            let f = |x, y| mixture.log_density([x, y]);
            let middle = f(x, y);
            let [right, left, up, down] = [f(x + h, y), f(x - h, y), f(x, y + h), f(x, y - h)];
            let trace = (right + left + up + down - 4.0 * middle) / (h * h);
            let score = [(right - left) / (2.0 * h), (up - down) / (2.0 * h)];
            let norm = 0.5 * (score[0].powi(2) + score[1].powi(2));
            assert!((term.trace - trace).abs() < 1e-4 * (1.0 + trace.abs()), "{x} {y}: {trace}");
            assert!((term.norm - norm).abs() < 1e-5 * (1.0 + norm), "{x} {y}: {norm}");
            assert_eq!(term.total(), term.trace + term.norm);
        }
    }

    #[test]
    fn both_means_add_up_to_the_loss_that_is_trained() {
        let (mixture, points) = (mixture(), points());
        let terms = Terms::at(&mixture, &points);
        let parameters = Parameters::of(&mixture, CovarianceType::Full, 0.0);
        let trained = ScoreMatching.evaluate(&parameters, Batch::all(&points));
        let loss = terms.mean.total();
        assert!((loss - trained.value).abs() < 1e-10 * loss.abs(), "{loss} {}", trained.value);
        assert!((terms.log_likelihood - trained.log_likelihood).abs() < 1e-10);
        let sum: f64 = terms.of_points.iter().map(Term::total).sum();
        assert!((sum / points.len() as f64 - loss).abs() < 1e-10);
        assert_eq!(Terms::at(&mixture, &[]), Terms::default());
    }

    #[test]
    fn the_largest_are_those_that_weigh_most_whatever_their_sign() {
        let term = |trace| Term { trace, norm: 0.0 };
        let of_points = [1.0, -5.0, f64::NAN, 3.0, -3.0, 0.0].map(term).to_vec();
        let terms = Terms { of_points, ..Terms::default() };
        assert_eq!(terms.largest(3), [1, 3, 4]);
        assert_eq!(terms.largest(9), [1, 3, 4, 0, 5]);
        let terms = Terms::at(&mixture(), &points());
        let largest = terms.largest(10);
        let size = |i: usize| terms.of_points[i].total().abs();
        assert!(largest.windows(2).all(|pair| size(pair[0]) >= size(pair[1])));
        let rest = (0..500).filter(|i| !largest.contains(i)).map(size).fold(0.0, f64::max);
        assert!(largest.len() == 10 && rest <= size(largest[9]));
    }
}
