//! Sampler: Hamiltonian Monte Carlo with leapfrog.

use std::sync::Arc;

use super::langevin::moved;
use super::{Group, Kernel, Sampler, Told};
use crate::model::{Density, Point};
use crate::settings::{Kind, Setting};

/// Hamiltonian Monte Carlo.
pub static INFO: Sampler = Sampler {
    id: "hmc",
    label: "Hamiltonian Monte Carlo",
    short: "HMC",
    help: "A push in a random direction, then a ride over the landscape −log p without friction: far, and nearly \
           always accepted.",
    settings: &[&STEP_SIZE, &LEAPFROG_STEPS],
    kernel: |settings, density| {
        Ok(Box::new(Hmc {
            density,
            step_size: settings.number(&STEP_SIZE),
            leapfrog_steps: settings.integer(&LEAPFROG_STEPS),
        }))
    },
};

static STEP_SIZE: Setting = Setting {
    key: "step_size",
    label: "Step size",
    help: "Time of one leapfrog step; the energy error grows with its square, and beyond twice the smallest standard \
           deviation without bound.",
    kind: Kind::Number { default: 0.15, min: 0.001, max: 2.0, is_logarithmic: true },
    is_live: true,
};

static LEAPFROG_STEPS: Setting = Setting {
    key: "leapfrog_steps",
    label: "Leapfrog steps",
    help: "How many leapfrog steps make one proposal.",
    kind: Kind::Integer { default: 20, min: 1, max: 500 },
    is_live: true,
};

/// Duane et al. (1987); Neal (2011), figure 2: kinetic energy ½‖p‖², leapfrog, accept by the change of total energy.
struct Hmc {
    density: Arc<dyn Density>,
    step_size: f64,
    leapfrog_steps: usize,
}

/// Particles in motion.
struct Motion {
    positions: Vec<Point>,
    momenta: Vec<Point>,
    /// Log density and score at the positions.
    known: Vec<(f64, Point)>,
}

impl Motion {
    /// One leapfrog step: half a step of momentum, one of position, half a step of momentum (Neal 2011, eq. 2.28–30).
    fn leapfrog(&mut self, density: &dyn Density, step_size: f64) {
        self.kick(0.5 * step_size);
        for (x, &p) in self.positions.iter_mut().zip(&self.momenta) {
            *x = moved(*x, p, step_size);
        }
        self.known = density.scores(&self.positions);
        self.kick(0.5 * step_size);
    }

    fn kick(&mut self, time: f64) {
        for (p, &(_, score)) in self.momenta.iter_mut().zip(&self.known) {
            *p = moved(*p, score, time);
        }
    }

    /// −log p(x) + ½‖momentum‖².
    fn energy(&self, i: usize) -> f64 {
        let [a, b] = self.momenta[i];
        0.5 * (a * a + b * b) - self.known[i].0
    }
}

impl Kernel for Hmc {
    fn advance(&self, group: &mut Group, _step: usize, watched: Option<usize>) -> Option<Told> {
        let known = group.known(|points| self.density.scores(points)).to_vec();
        let momenta = group.noise();
        let mut motion = Motion { positions: group.points().to_vec(), momenta, known };
        let count = motion.positions.len();
        let before: Vec<f64> = (0..count).map(|i| motion.energy(i)).collect();
        let mut path: Vec<Point> = watched.map(|i| motion.positions[i]).into_iter().collect();
        let mut energies: Vec<f64> = watched.map(|i| before[i]).into_iter().collect();
        for _ in 0..self.leapfrog_steps {
            motion.leapfrog(&*self.density, self.step_size);
            path.extend(watched.map(|i| motion.positions[i]));
            energies.extend(watched.map(|i| motion.energy(i)));
        }
        let mut told = None;
        for (i, before) in before.into_iter().enumerate() {
            let (from, proposal) = (group.points()[i], motion.positions[i]);
            let log_ratio = before - motion.energy(i);
            group.note_energy_error(log_ratio);
            let is_accepted = group.decide(i, proposal, motion.known[i], log_ratio);
            if watched == Some(i) {
                told = Some(Told {
                    path: std::mem::take(&mut path),
                    energies: std::mem::take(&mut energies),
                    log_acceptance: Some(log_ratio),
                    is_accepted,
                    ..Told::moved(from, proposal)
                });
            }
        }
        told
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Mixture;
    use crate::model::known::Donut;
    use crate::random::{Purpose, generator};
    use crate::sampling::walk::normal;

    fn mixture() -> Mixture {
        let covariances = [[0.5, 0.2, 0.4], [0.3, -0.1, 0.6], [0.8, 0.0, 0.2]];
        let means = [[-0.8, 0.0], [1.0, 0.7], [0.3, -1.0]];
        Mixture::new(&[0.5, 0.3, 0.2], &means, &covariances).unwrap()
    }

    fn motion(density: &dyn Density) -> Motion {
        let rng = &mut generator(6, Purpose::Samples);
        let positions = density.sample(200, rng);
        let momenta = (0..200).map(|_| normal(rng)).collect();
        Motion { known: density.scores(&positions), positions, momenta }
    }

    #[test]
    fn leapfrog_is_reversible() {
        for density in [&mixture() as &dyn Density, &Donut::new(2.0, 0.3)] {
            let start = motion(density);
            let mut there = motion(density);
            for _ in 0..30 {
                there.leapfrog(density, 0.1);
            }
            let moved = |i: usize| (there.positions[i][0] - start.positions[i][0]).abs();
            assert!((0..200).map(moved).fold(0.0, f64::max) > 0.5);
            for p in &mut there.momenta {
                *p = p.map(|v| -v);
            }
            for _ in 0..30 {
                there.leapfrog(density, 0.1);
            }
            for i in 0..200 {
                for axis in 0..2 {
                    assert!((there.positions[i][axis] - start.positions[i][axis]).abs() < 1e-8);
                    assert!((there.momenta[i][axis] + start.momenta[i][axis]).abs() < 1e-8);
                }
            }
        }
    }

    /// Half the step, a quarter of the energy error, over the same time.
    #[test]
    fn the_energy_error_is_of_second_order() {
        let mixture = mixture();
        let error = |steps: usize| {
            let mut motion = motion(&mixture);
            let before: Vec<f64> = (0..200).map(|i| motion.energy(i)).collect();
            for _ in 0..steps {
                motion.leapfrog(&mixture, 2.0 / steps as f64);
            }
            let squares = before.iter().enumerate().map(|(i, e)| (motion.energy(i) - e).powi(2));
            (squares.sum::<f64>() / 200.0).sqrt()
        };
        let errors = [20, 40, 80, 160].map(error);
        for pair in errors.windows(2) {
            let quotient = pair[0] / pair[1];
            assert!((3.6..4.4).contains(&quotient), "{quotient}: {errors:?}");
        }
        assert!(errors[3] < 1e-3, "{errors:?}");
    }
}
