//! Many particles that walk on a density, each step by one kernel.

use rand::RngExt;
use rand_distr::{Distribution, StandardNormal};

use super::Kernel;
use crate::model::{Bounds, Point};
use crate::random::{Purpose, Rng, generator, generator_of_part};

/// Particles that share a generator: enough to be computed side by side.
const GROUP_SIZE: usize = 256;

/// Many particles and the kernel that moves them.
///
/// Every group of particles has its own stream of random numbers, so results depend on the seed and on a particle's
/// number only, not on how many there are nor on the threads that compute the groups.
pub struct Walk {
    kernel: Box<dyn Kernel>,
    groups: Vec<Group>,
    step: usize,
}

/// Particles that are moved together.
pub struct Group {
    points: Vec<Point>,
    /// Log density and score at the points, once a kernel has computed them.
    known: Vec<(f64, Point)>,
    rng: Rng,
    proposed: u64,
    accepted: u64,
    /// Sum of |energy error| over the proposals whose error was a number.
    energy_errors: f64,
}

/// One step of one particle, to be told slowly. Places in the units of the density.
#[derive(Debug, Clone, PartialEq)]
pub struct Told {
    /// Where it was.
    pub from: Point,
    /// Where the score alone would have brought it; `None` where a sampler does not use it.
    pub pushed: Option<Point>,
    /// Where it wanted to go.
    pub proposal: Point,
    /// The way there: both ends, and what lies between them.
    pub path: Vec<Point>,
    /// Total energy −log p + ½‖momentum‖² along the path, which exact motion would leave as it is; empty without
    /// momentum.
    pub energies: Vec<f64>,
    /// Logarithm of the acceptance ratio: at 0 and above it surely goes there; `None` if every proposal is accepted.
    pub log_acceptance: Option<f64>,
    /// True if it went there; else it stayed.
    pub is_accepted: bool,
    /// The component of the mixture that was drawn, counted from 0; `None` where none is.
    pub component: Option<usize>,
}

impl Told {
    /// A proposal that is always accepted.
    pub(super) fn moved(from: Point, proposal: Point) -> Told {
        Told {
            from,
            pushed: None,
            proposal,
            path: vec![from, proposal],
            energies: Vec::new(),
            log_acceptance: None,
            is_accepted: true,
            component: None,
        }
    }

    /// Where it is after the step.
    #[must_use]
    pub fn to(&self) -> Point {
        if self.is_accepted { self.proposal } else { self.from }
    }
}

impl Walk {
    /// Particles at these places.
    #[must_use]
    pub fn new(kernel: Box<dyn Kernel>, points: &[Point], seed: u64) -> Walk {
        let group = |(i, points): (usize, &[Point])| Group {
            points: points.to_vec(),
            known: Vec::new(),
            rng: generator_of_part(seed, Purpose::Walks, i as u64),
            proposed: 0,
            accepted: 0,
            energy_errors: 0.0,
        };
        let groups = points.chunks(GROUP_SIZE).enumerate().map(group).collect();
        Walk { kernel, groups, step: 0 }
    }

    /// Goes on with another kernel: other knobs, or another density. Steps are counted from 0 again.
    pub fn set_kernel(&mut self, kernel: Box<dyn Kernel>) {
        self.kernel = kernel;
        self.step = 0;
        for group in &mut self.groups {
            group.known.clear();
            (group.proposed, group.accepted, group.energy_errors) = (0, 0, 0.0);
        }
    }

    /// How many steps have been made.
    #[must_use]
    pub fn step_count(&self) -> usize {
        self.step
    }

    /// The noise of the density that the next step walks on; see [`Kernel::noise`].
    #[must_use]
    pub fn noise(&self) -> f64 {
        self.kernel.noise(self.step)
    }

    /// After how many steps the kernel is done; `None` if it goes on for ever.
    #[must_use]
    pub fn length(&self) -> Option<usize> {
        self.kernel.length()
    }

    /// True if the kernel has come to its end.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.kernel.length().is_some_and(|length| self.step >= length)
    }

    /// Where the particles are, in their order.
    #[must_use]
    pub fn points(&self) -> Vec<Point> {
        self.groups.iter().flat_map(|group| &group.points).copied().collect()
    }

    /// Share of the proposals that were accepted; `None` before the first one, and for kernels that accept all.
    #[must_use]
    pub fn acceptance(&self) -> Option<f64> {
        let sum = |f: fn(&Group) -> u64| self.groups.iter().map(f).sum::<u64>() as f64;
        let proposed = sum(|group| group.proposed);
        (proposed > 0.0).then(|| sum(|group| group.accepted) / proposed)
    }

    /// Mean |change of the total energy| over all proposals, in nats; `None` before the first one, and for kernels
    /// without momentum.
    #[must_use]
    pub fn energy_error(&self) -> Option<f64> {
        let proposed = self.groups.iter().map(|group| group.proposed).sum::<u64>() as f64;
        let sum = self.groups.iter().map(|group| group.energy_errors).sum::<f64>();
        (proposed > 0.0 && sum > 0.0).then(|| sum / proposed)
    }

    /// Moves every particle by one step.
    pub fn step(&mut self) {
        for group in &mut self.groups {
            self.kernel.advance(group, self.step, None);
        }
        self.step += 1;
    }

    /// Moves every particle by one step, and tells the story of one; `None` if there is no such particle.
    pub fn tell(&mut self, particle: usize) -> Option<Told> {
        let mut told = None;
        for (i, group) in self.groups.iter_mut().enumerate() {
            let watched = (i == particle / GROUP_SIZE
                && particle % GROUP_SIZE < group.points.len())
            .then_some(particle % GROUP_SIZE);
            told = told.or(self.kernel.advance(group, self.step, watched));
        }
        self.step += 1;
        told
    }

    /// The groups and the kernel, for callers that move groups on several threads: afterwards [`Walk::count_steps`].
    pub fn parts(&mut self) -> (&mut [Group], &dyn Kernel, usize) {
        (&mut self.groups, &*self.kernel, self.step)
    }

    /// Counts steps that were made through [`Walk::parts`].
    pub fn count_steps(&mut self, count: usize) {
        self.step += count;
    }
}

impl Group {
    /// Where the particles are.
    #[must_use]
    pub fn points(&self) -> &[Point] {
        &self.points
    }

    /// Log densities and scores at the points, computed where they are not known yet.
    pub(super) fn known(
        &mut self,
        compute: impl Fn(&[Point]) -> Vec<(f64, Point)>,
    ) -> &[(f64, Point)] {
        if self.known.len() != self.points.len() {
            self.known = compute(&self.points);
        }
        &self.known
    }

    /// The generator of the group.
    pub(super) fn rng(&mut self) -> &mut Rng {
        &mut self.rng
    }

    /// A standard normal vector for every particle.
    pub(super) fn noise(&mut self) -> Vec<Point> {
        (0..self.points.len()).map(|_| normal(&mut self.rng)).collect()
    }

    /// Moves a particle for sure. A place that is no point of the plane is not gone to: a step was far too large.
    pub(super) fn go(&mut self, i: usize, to: Point) {
        if to.iter().all(|v| v.is_finite()) {
            self.points[i] = to;
        }
    }

    /// Moves a particle with probability min(1, exp(log ratio)) (Metropolis et al. 1953); NaN stays.
    pub(super) fn decide(
        &mut self,
        i: usize,
        proposal: Point,
        known_there: (f64, Point),
        log_ratio: f64,
    ) -> bool {
        let is_accepted = self.rng.random::<f64>().ln() < log_ratio;
        self.proposed += 1;
        if is_accepted {
            self.accepted += 1;
            self.points[i] = proposal;
            self.known[i] = known_there;
        }
        is_accepted
    }

    /// Takes note of by how much a proposal has changed the total energy.
    pub(super) fn note_energy_error(&mut self, error: f64) {
        self.energy_errors += if error.is_finite() { error.abs() } else { 0.0 };
    }
}

/// A standard normal vector.
pub(super) fn normal(rng: &mut Rng) -> Point {
    [StandardNormal.sample(rng), StandardNormal.sample(rng)]
}

/// Points spread evenly over a rectangle: a start that knows nothing of the density.
#[must_use]
pub fn spread(bounds: Bounds, count: usize, seed: u64) -> Vec<Point> {
    let rng = &mut generator(seed, Purpose::Walks);
    let size = bounds.size();
    let place = |axis: usize, u: f64| bounds.min[axis] + size[axis] * u;
    (0..count).map(|_| [place(0, rng.random()), place(1, rng.random())]).collect()
}

/// Points from N(0, scale² I).
#[must_use]
pub fn cloud(scale: f64, count: usize, seed: u64) -> Vec<Point> {
    let rng = &mut generator(seed, Purpose::Walks);
    (0..count).map(|_| normal(rng).map(|v| scale * v)).collect()
}
