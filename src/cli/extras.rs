//! Extras: what canvases of the command line show besides the usual layers, such as a field in the density's place.

use std::sync::{Arc, Mutex, PoisonError};

use anyhow::bail;
use clap::ValueEnum;

use super::figure::{CanvasArguments, CanvasLayer};
use crate::export::canvases::{Exhibit, Extra};
use crate::figures::fields::Quantity;
use crate::figures::substitute::{TrueField, Wish};
use crate::figures::{ColorMap, Theme};
use crate::model::{Bounds, Density};
use crate::training::{Experiment, Prepared};

/// A field in the density's place.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum CanvasField {
    /// The density itself
    Density,
    /// Its logarithm, in nats
    LogDensity,
    /// Half the squared length of the score
    Norm,
    /// The divergence of the score
    Trace,
    /// What a point there would add to the loss of exact score matching
    Term,
    /// How far the score is from that of the known density
    ScoreError,
}

impl CanvasField {
    /// The same for figures.
    pub(super) fn quantity(self) -> Quantity {
        match self {
            CanvasField::Density => Quantity::Density,
            CanvasField::LogDensity => Quantity::LogDensity,
            CanvasField::Norm => Quantity::Norm,
            CanvasField::Trace => Quantity::Trace,
            CanvasField::Term => Quantity::Term,
            CanvasField::ScoreError => Quantity::ScoreError,
        }
    }
}

impl CanvasArguments {
    /// Whether all that is asked for can be drawn of this experiment.
    ///
    /// # Errors
    /// A sentence that says what cannot, and what to try.
    pub(super) fn check(&self, experiment: &Experiment) -> anyhow::Result<()> {
        if self.field.quantity().needs_density() {
            experiment.knows_density()?;
        }
        if self.field != CanvasField::Density && !self.has(CanvasLayer::Density) {
            bail!("a field lies in the density's place: add density to --layers");
        }
        Ok(())
    }
}

/// What canvases of one experiment show besides the usual layers.
pub(super) struct Extras {
    quantity: Quantity,
    color_map: &'static ColorMap,
    theme: Theme,
    bounds: Bounds,
    /// True with the score's arrows, which are its errors beside the field of their sizes.
    has_arrows: bool,
    /// The known density, where it is asked for.
    density: Option<Arc<dyn Density>>,
    /// Its score on the cells of the last canvas: many canvases have the same ones.
    truth: Mutex<Option<Arc<TrueField>>>,
}

impl Extras {
    /// What is asked for, on these data and in this rectangle.
    ///
    /// # Errors
    /// If the known density is needed and nobody knows it.
    pub(super) fn new(
        canvas: &CanvasArguments,
        experiment: &Experiment,
        prepared: &Prepared,
        bounds: Bounds,
        theme: Theme,
    ) -> anyhow::Result<Extras> {
        let quantity = canvas.field.quantity();
        let scaling = &prepared.dataset.scaling;
        let needs_density = quantity.needs_density();
        let density = needs_density.then(|| experiment.known_density(scaling)).transpose()?;
        Ok(Extras {
            quantity,
            color_map: ColorMap::from_id(canvas.color_map.unwrap_or_default(), theme),
            theme,
            bounds,
            has_arrows: canvas.has(CanvasLayer::Score),
            density,
            truth: Mutex::default(),
        })
    }

    /// Those of one canvas, for the cells of a field.
    pub(super) fn of(&self, exhibit: &Exhibit, size: [usize; 2]) -> Extra {
        let Extras { quantity, color_map, theme, bounds, .. } = *self;
        let wish = Wish { quantity, bounds, size, coarseness: 1, color_map, theme };
        let mixture = &exhibit.moment.mixture;
        let truth = self.truth(&wish);
        let field = wish.layer(mixture, truth.as_deref(), None);
        let shades: Vec<_> = field.iter().map(|(_, shade)| (quantity, *shade)).collect();
        let truth = truth.filter(|_| self.has_arrows);
        let errors = truth.map(|truth| truth.errors(mixture, theme.palette()));
        let layers = field.map(|(layer, _)| layer).into_iter().chain(errors).collect();
        Extra::shaded(layers, &shades, color_map, theme)
    }

    /// The true score, where it is asked for.
    fn truth(&self, wish: &Wish) -> Option<Arc<TrueField>> {
        let density = self.density.as_ref()?;
        let mut last = self.truth.lock().unwrap_or_else(PoisonError::into_inner);
        if last.as_ref().is_none_or(|last| last.cells != wish.true_cells()) {
            *last = Some(Arc::new(wish.true_field(density.clone())));
        }
        last.clone()
    }
}
