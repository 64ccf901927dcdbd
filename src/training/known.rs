//! The density that an experiment's points come from, where somebody knows it.

use std::sync::Arc;

use super::{Experiment, Source};
use crate::data::Scaling;
use crate::data::generators::{Generator, KnownDensity};
use crate::model::Density;

/// Why nobody knows the density of the points, and what to choose instead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoDensity {
    /// A hand drew or erased some.
    #[error(
        "nobody knows the density of points that a hand has drawn or erased: clear the drawing, or choose another \
         data set"
    )]
    Drawn,
    /// They were read.
    #[error(
        "nobody knows the density of points that come from a file: choose a data set that knows its own, such as \
         Ring of Gaussians"
    )]
    File,
    /// The canvas was empty.
    #[error(
        "an empty canvas has no density: choose a data set that knows its own, such as Ring of Gaussians"
    )]
    Nothing,
    /// The generator has no closed form.
    #[error("{0} has no density in closed form: choose another data set")]
    Generator(&'static str),
    /// Its points lie on a curve.
    #[error(
        "the points of {0} lie on a curve without noise and have no density there: raise the noise"
    )]
    Curve(&'static str),
}

impl Experiment {
    /// The density that the points come from, in the units that they are scaled to.
    ///
    /// # Errors
    /// [`NoDensity`] where nobody knows it.
    pub fn known_density(&self, scaling: &Scaling) -> Result<Arc<dyn Density>, NoDensity> {
        let (generator, density) = self.density_maker()?;
        let density = density(&self.data).ok_or(NoDensity::Curve(generator.label))?;
        Ok(scaling.apply_density(density))
    }

    /// Whether [`Experiment::known_density`] would give one. Takes no time: fit for every frame.
    ///
    /// # Errors
    /// [`NoDensity`] where nobody knows it.
    pub fn knows_density(&self) -> Result<(), NoDensity> {
        let (generator, density) = self.density_maker()?;
        let noise = generator.settings.iter().find(|setting| setting.key == "noise");
        // Only what has no noise may have no density; such a curve is not even made.
        let is_sharp = noise.is_some_and(|noise| self.data.number(noise) == 0.0);
        let is_unknown = is_sharp && density(&self.data).is_none();
        if is_unknown { Err(NoDensity::Curve(generator.label)) } else { Ok(()) }
    }

    /// What makes the density of the chosen generator.
    fn density_maker(&self) -> Result<(&'static Generator, KnownDensity), NoDensity> {
        if !self.strokes.is_empty() {
            return Err(NoDensity::Drawn);
        }
        let generator = match &self.source {
            Source::File { .. } => return Err(NoDensity::File),
            Source::Nothing => return Err(NoDensity::Nothing),
            Source::Generator(_) => self.generator().ok_or(NoDensity::Nothing)?,
        };
        let density = generator.density.ok_or(NoDensity::Generator(generator.label))?;
        Ok((generator, density))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::spray::{Stroke, Tool};

    #[track_caller]
    fn check(experiment: &Experiment, expected: &NoDensity) {
        let got = experiment.known_density(&Scaling::NONE).err();
        assert_eq!(got.as_ref(), Some(expected));
        let sentence = expected.to_string();
        assert!(sentence.contains(": "), "{sentence}");
    }

    #[test]
    fn it_says_why_a_density_is_unknown() {
        let mut experiment = Experiment::default();
        assert!(experiment.known_density(&Scaling::NONE).is_ok());
        experiment.set("noise", "0").unwrap();
        check(&experiment, &NoDensity::Curve("Half moons"));
        experiment.choose_source(Source::Generator("pinwheel".to_owned()));
        check(&experiment, &NoDensity::Generator("Pinwheel"));
        experiment.choose_source(Source::Nothing);
        check(&experiment, &NoDensity::Nothing);
        let path = std::path::PathBuf::from("points.csv");
        experiment.choose_source(Source::File { path, columns: None, loaded: None });
        check(&experiment, &NoDensity::File);
        experiment.choose_source(Source::Generator("ring".to_owned()));
        let (path, radius) = (vec![[0.5, 0.25]], 0.1);
        experiment.strokes.push(Stroke { tool: Tool::Brush, path, radius, count: 20, seed: 3 });
        check(&experiment, &NoDensity::Drawn);
    }

    #[test]
    fn both_ways_to_ask_give_the_same_answer() {
        for generator in crate::data::generators::GENERATORS {
            for noise in [None, Some("0"), Some("0.3")] {
                let mut experiment = Experiment::default();
                experiment.choose_source(Source::Generator(generator.id.to_owned()));
                if let Some(noise) =
                    noise.filter(|_| generator.settings.iter().any(|s| s.key == "noise"))
                {
                    experiment.set("noise", noise).unwrap();
                }
                let long = experiment.known_density(&Scaling::NONE).err();
                assert_eq!(experiment.knows_density().err(), long, "{} {noise:?}", generator.id);
            }
        }
    }

    /// p(z) = u₁u₂ p(x) for z = (x − o)/u.
    #[test]
    fn it_is_in_the_units_of_the_scaled_points() {
        let mut experiment = Experiment::default();
        experiment.choose_source(Source::Generator("donut".to_owned()));
        let scaling = Scaling { offset: [0.5, -1.0], unit: [2.0, 0.25] };
        let plain = experiment.known_density(&Scaling::NONE).unwrap();
        let scaled = experiment.known_density(&scaling).unwrap();
        let x = [0.3, -0.7];
        let difference = scaled.log_density(scaling.apply(x)) - plain.log_density(x);
        assert!((difference - 0.5_f64.ln()).abs() < 1e-12, "{difference}");
    }
}
