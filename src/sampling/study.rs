//! A study: particles that walk on a density, beside as many exact samples of it, and how far they are apart over the
//! steps.

use std::sync::Arc;

use super::{EnergyDistance, Kernel, ModeShare, Walk, energy_distance, mode_shares};
use crate::model::{Density, Point};
use crate::random::{Purpose, generator};

/// Particles, exact samples, and what came of comparing them.
pub struct Study {
    /// The particles.
    pub walk: Walk,
    density: Arc<dyn Density>,
    exact: Arc<[Point]>,
    seed: u64,
    curve: Vec<Checkpoint>,
}

/// How far particles were from exact samples after a step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Checkpoint {
    /// After how many steps.
    pub step: usize,
    /// How far, in the unit of the points.
    pub distance: EnergyDistance,
}

impl Study {
    /// Particles at these places, and as many samples of the density. Equal seeds give equal studies.
    #[must_use]
    pub fn new(
        kernel: Box<dyn Kernel>,
        density: Arc<dyn Density>,
        start: &[Point],
        seed: u64,
    ) -> Study {
        let exact = samples(&*density, start.len(), seed);
        let walk = Walk::new(kernel, start, seed);
        let mut study = Study { walk, density, exact, seed, curve: Vec::new() };
        study.compare();
        study
    }

    /// Goes on from where the particles are with another kernel or density; steps are counted from 0 again.
    pub fn retune(&mut self, kernel: Box<dyn Kernel>, density: Arc<dyn Density>) {
        if !Arc::ptr_eq(&density, &self.density) {
            self.exact = samples(&*density, self.exact.len(), self.seed);
            self.density = density;
        }
        self.walk.set_kernel(kernel);
        self.curve.clear();
        self.compare();
    }

    /// Compares particles and exact samples, if they have not been after this step.
    pub fn compare(&mut self) {
        let step = self.walk.step_count();
        if self.curve.last().is_some_and(|last| last.step == step) {
            return;
        }
        let distance = energy_distance(&self.walk.points(), &self.exact);
        self.curve.extend(distance.map(|distance| Checkpoint { step, distance }));
    }

    /// How many steps there are until the next one that is compared.
    ///
    /// Every step up to 32, then every other one up to 64, and so on: 16 to 32 for each doubling, so that a curve over
    /// thousands of steps costs little and does not depend on how fast they were made.
    #[must_use]
    pub fn steps_until_compared(&self) -> usize {
        let step = self.walk.step_count();
        let stride = if step < 32 { 1 } else { 1 << (step.ilog2() - 4) };
        stride - step % stride
    }

    /// How far particles and exact samples were apart, by the steps. Empty for less than 20 particles.
    #[must_use]
    pub fn curve(&self) -> &[Checkpoint] {
        &self.curve
    }

    /// Exact samples of the density, as many as there are particles.
    #[must_use]
    pub fn exact(&self) -> &Arc<[Point]> {
        &self.exact
    }

    /// The density.
    #[must_use]
    pub fn density(&self) -> &Arc<dyn Density> {
        &self.density
    }

    /// How the particles are spread over the modes; empty where the density is no mixture.
    #[must_use]
    pub fn shares(&self) -> Vec<ModeShare> {
        let mixture = self.density.modes();
        mixture.map(|mixture| mode_shares(mixture, &self.walk.points())).unwrap_or_default()
    }
}

fn samples(density: &dyn Density, count: usize, seed: u64) -> Arc<[Point]> {
    density.sample(count, &mut generator(seed, Purpose::Samples)).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Bounds, Mixture};
    use crate::sampling::{find, spread};
    use crate::settings::Settings;

    fn density() -> Arc<dyn Density> {
        let means = [[-1.0, 0.0], [1.0, 0.5]];
        Arc::new(Mixture::new(&[0.3, 0.7], &means, &[[0.4, 0.1, 0.3]; 2]).unwrap())
    }

    fn kernel(id: &str, density: &Arc<dyn Density>) -> Box<dyn Kernel> {
        (find(id).unwrap().kernel)(&Settings::default(), density.clone()).unwrap()
    }

    fn study(density: &Arc<dyn Density>) -> Study {
        let start = spread(Bounds { min: [-8.0; 2], max: [8.0; 2] }, 400, 3);
        Study::new(kernel("gibbs", density), density.clone(), &start, 3)
    }

    #[test]
    fn comparisons_are_at_fixed_steps_and_say_how_far_the_particles_are() {
        let density = density();
        let mut study = study(&density);
        let mut compared = vec![0];
        while study.walk.step_count() < 300 {
            let next = study.walk.step_count() + study.steps_until_compared();
            while study.walk.step_count() < next {
                study.walk.step();
            }
            study.compare();
            study.compare();
            compared.push(next);
        }
        assert_eq!(compared[..34], (0..=32).chain([34]).collect::<Vec<_>>());
        assert_eq!(compared[compared.len() - 3..], [272, 288, 304]);
        let steps: Vec<usize> = study.curve().iter().map(|checkpoint| checkpoint.step).collect();
        assert_eq!(steps, compared);
        let [first, last] = [study.curve()[0], study.curve()[steps.len() - 1]];
        let expected = energy_distance(&study.walk.points(), study.exact()).unwrap();
        assert_eq!(last.distance, expected);
        assert!(first.distance.value > 1.0, "{first:?}");
        assert!(last.distance.value.abs() < 4.0 * last.distance.standard_error, "{last:?}");
        for share in study.shares() {
            assert!((share.share - share.weight).abs() < 4.0 * share.standard_error, "{share:?}");
        }
    }

    #[test]
    fn other_knobs_keep_the_particles_and_another_density_has_other_samples() {
        let density = density();
        let mut study = study(&density);
        study.walk.step();
        let (points, exact) = (study.walk.points(), study.exact().clone());
        study.retune(kernel("mala", &density), density.clone());
        assert_eq!((study.walk.points(), study.walk.step_count()), (points.clone(), 0));
        assert_eq!((study.curve().len(), study.exact()), (1, &exact));
        let other: Arc<dyn Density> =
            Arc::new(Mixture::new(&[1.0], &[[5.0, 5.0]], &[[1.0, 0.0, 1.0]]).unwrap());
        study.retune(kernel("mala", &other), other.clone());
        assert_eq!(study.walk.points(), points);
        assert_eq!(**study.exact(), samples(&*other, 400, 3)[..]);
    }
}
