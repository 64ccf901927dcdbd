//! Optima: which ends of a basin map are the same.

use super::Finish;
use super::basin::End;
use super::survey::{Cell, Chart};
use crate::model::{Mixture, Point};

/// Two ends whose NLL differs by no more than this many nats per point may be the same optimum: EM slows down long
/// before it arrives, and stops where it is.
pub const SAME_NLL: f64 = 0.005;

/// Two means no further apart than this share of the data's standard deviation count as the same.
pub const SAME_PLACE: f64 = 0.1;

/// A component with less weight than this is nobody's: where its mean lies says nothing.
const LEAST_WEIGHT: f64 = 1e-3;

/// The end of one cell, without what its optimum already says.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// Mean negative log-likelihood of the training points, in nats per point; NaN if there is no first step.
    pub train_nll: f64,
    /// How many steps were taken.
    pub steps: usize,
    /// Why it stopped.
    pub finish: Finish,
    /// Which of [`Ends::optima`] it reached; `None` if there was no finite next step on the way.
    pub optimum: Option<usize>,
}

/// What several cells reached.
#[derive(Debug, Clone, PartialEq)]
pub struct Optimum {
    /// The first cell that reached it.
    pub first: Cell,
    /// What that one found.
    pub mixture: Mixture,
    /// The NLL there, in nats per point.
    pub train_nll: f64,
    /// How many cells reached it.
    pub count: usize,
}

/// The ends of a basin map, and the optima among them.
#[derive(Debug, Clone)]
pub struct Ends {
    /// Where training ended from each cell.
    pub cells: Chart<Outcome>,
    /// What was reached, in the order in which it was found.
    pub optima: Vec<Optimum>,
    /// How many cells reached none.
    pub lost_count: usize,
    /// The lowest and the highest NLL of those that reached one; infinite before any has.
    pub nll_range: [f64; 2],
    /// The fewest and the most steps of those that reached one; infinite before any has.
    pub step_range: [f64; 2],
    /// How far apart two means may lie that count as the same.
    pub(super) tolerance: f64,
}

impl Ends {
    /// Nothing known yet, of data with this standard deviation.
    #[must_use]
    pub fn of_data(deviation: f64) -> Ends {
        let tolerance = SAME_PLACE * deviation;
        let nothing = [f64::INFINITY, f64::NEG_INFINITY];
        Ends {
            cells: Chart::default(),
            optima: Vec::new(),
            lost_count: 0,
            nll_range: nothing,
            step_range: nothing,
            tolerance,
        }
    }

    /// Takes in the end of the next cell: at the first optimum that it is near, or at a new one.
    pub fn push(&mut self, cell: Cell, end: End) {
        let End { train_nll, steps, finish, mixture } = end;
        let is_lost = matches!(finish, Finish::Failed(_));
        let optimum = if is_lost {
            self.lost_count += 1;
            None
        } else if let Some(known) = self.find(train_nll, &mixture) {
            self.optima[known].count += 1;
            Some(known)
        } else {
            self.optima.push(Optimum { first: cell, mixture, train_nll, count: 1 });
            Some(self.optima.len() - 1)
        };
        if optimum.is_some() {
            for (range, value) in
                [(&mut self.nll_range, train_nll), (&mut self.step_range, steps as f64)]
            {
                *range = [range[0].min(value), range[1].max(value)];
            }
        }
        self.cells.push(cell, Outcome { train_nll, steps, finish, optimum });
    }

    fn find(&self, train_nll: f64, mixture: &Mixture) -> Option<usize> {
        self.optima.iter().position(|optimum| {
            (optimum.train_nll - train_nll).abs() <= SAME_NLL
                && are_same(&optimum.mixture, mixture, self.tolerance)
        })
    }

    /// The optima by their NLL, the best first.
    #[must_use]
    pub fn ranked(&self) -> Vec<usize> {
        let mut ranked: Vec<usize> = (0..self.optima.len()).collect();
        ranked.sort_by(|&a, &b| self.optima[a].train_nll.total_cmp(&self.optima[b].train_nll));
        ranked
    }

    /// The share of the known cells that reached an optimum.
    #[must_use]
    pub fn share(&self, optimum: usize) -> f64 {
        self.optima[optimum].count as f64 / self.cells.count().max(1) as f64
    }
}

/// True if both have the same means, whatever their order: each mean of one has a partner in the other that lies no
/// further away than `tolerance`. Components without weight are left out.
#[must_use]
pub fn are_same(a: &Mixture, b: &Mixture, tolerance: f64) -> bool {
    let means = |mixture: &Mixture| -> Vec<Point> {
        let heavy = mixture.components().iter().filter(|c| c.weight() >= LEAST_WEIGHT);
        heavy.map(|c| c.gaussian.mean).collect()
    };
    let (a, b) = (means(a), means(b));
    if a.len() != b.len() {
        return false;
    }
    let near = |x: Point, y: Point| (x[0] - y[0]).hypot(x[1] - y[1]) <= tolerance;
    let mut choices: Vec<Vec<usize>> = Vec::with_capacity(a.len());
    for &x in &a {
        let partners: Vec<usize> = (0..b.len()).filter(|&j| near(x, b[j])).collect();
        // Most that differ do so at once.
        if partners.is_empty() {
            return false;
        }
        choices.push(partners);
    }
    let mut partners = vec![None; b.len()];
    (0..a.len()).all(|i| find_partner(i, &choices, &mut partners, &mut vec![false; b.len()]))
}

/// Finds a partner for `i`, moving others to other partners where that helps: an augmenting path of a bipartite matching
/// (Kuhn 1955).
fn find_partner(
    i: usize,
    choices: &[Vec<usize>],
    partners: &mut [Option<usize>],
    is_asked: &mut [bool],
) -> bool {
    for &j in &choices[i] {
        if std::mem::replace(&mut is_asked[j], true) {
            continue;
        }
        let is_free = match partners[j] {
            None => true,
            Some(other) => find_partner(other, choices, partners, is_asked),
        };
        if is_free {
            partners[j] = Some(i);
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn means_are_matched_whatever_their_order_and_however_crowded() {
        let mixture = |means: &[Point]| {
            let share = 1.0 / means.len() as f64;
            Mixture::new(&vec![share; means.len()], means, &vec![[1.0, 0.0, 1.0]; means.len()])
                .unwrap()
        };
        let check = |a: &[Point], b: &[Point], expected: bool| {
            assert_eq!(are_same(&mixture(a), &mixture(b), 1.0), expected, "{a:?} {b:?}");
            assert_eq!(are_same(&mixture(b), &mixture(a), 1.0), expected, "{b:?} {a:?}");
        };
        check(&[[0.0, 0.0], [5.0, 0.0]], &[[5.0, 0.5], [0.0, -0.5]], true);
        check(&[[0.0, 0.0], [5.0, 0.0]], &[[5.0, 0.5], [5.0, -0.5]], false);
        // The first one has to give way: taking what is nearest would leave the second without a partner.
        check(&[[0.0, 0.0], [0.9, 0.0]], &[[0.3, 0.0], [-0.8, 0.0]], true);
        check(&[[0.0, 0.0]], &[[0.0, 0.0], [0.0, 0.0]], false);
        let light = |weight: f64, mean| {
            let (weights, means) = ([1.0 - weight, weight], [[0.0; 2], mean]);
            Mixture::new(&weights, &means, &[[1.0, 0.0, 1.0]; 2]).unwrap()
        };
        assert!(are_same(&light(1e-6, [9.0, 9.0]), &light(1e-5, [-9.0, 0.0]), 1.0));
        assert!(!are_same(&light(0.1, [9.0, 9.0]), &light(0.1, [-9.0, 0.0]), 1.0));
    }
}
