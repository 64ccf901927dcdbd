//! Randomness: one generator type, always made from a seed, one stream for each purpose.
//!
//! ChaCha8 because its output is documented to stay the same across versions, which `StdRng` is not.

use rand::SeedableRng;

/// The one generator type of the program.
pub type Rng = rand::rngs::ChaCha8Rng;

/// What random numbers are for. Each purpose draws from its own stream, so that asking for more samples on
/// screen, say, never changes the training.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u64)]
pub enum Purpose {
    /// Making data sets.
    Data = 1,
    /// Splitting them into training and validation data.
    Split = 2,
    /// Starting mixtures.
    Start = 3,
    /// Random vectors of objectives: slices, noise, shifts.
    Slices = 4,
    /// Which points form a mini-batch.
    Batches = 5,
    /// Samples drawn from a model.
    Samples = 6,
    /// Points that a drawing tool sprays.
    Spray = 7,
    /// Particles that walk on a density.
    Walks = 8,
}

/// A generator for one purpose. Equal seeds and purposes give equal numbers, for ever.
#[must_use]
pub fn generator(seed: u64, purpose: Purpose) -> Rng {
    let mut rng = Rng::seed_from_u64(seed);
    rng.set_stream(purpose as u64);
    rng
}

/// A generator for one of many parts of a purpose, each with its own stream. Part 0 is not [`generator`]'s.
#[must_use]
pub fn generator_of_part(seed: u64, purpose: Purpose, part: u64) -> Rng {
    let mut rng = Rng::seed_from_u64(seed);
    // Purposes are less than 256.
    rng.set_stream(((part + 1) << 8) | purpose as u64);
    rng
}

#[cfg(test)]
mod tests {
    use rand::RngExt;

    use super::*;

    #[test]
    fn streams_differ_and_repeat() {
        let draw = |seed, purpose| generator(seed, purpose).random::<u64>();
        assert_eq!(draw(1, Purpose::Data), draw(1, Purpose::Data));
        assert_ne!(draw(1, Purpose::Data), draw(1, Purpose::Start));
        assert_ne!(draw(1, Purpose::Data), draw(2, Purpose::Data));
        let part = |i| generator_of_part(1, Purpose::Walks, i).random::<u64>();
        assert_eq!(part(3), part(3));
        assert_ne!(part(0), part(1));
        assert_ne!(part(0), draw(1, Purpose::Walks));
    }
}
