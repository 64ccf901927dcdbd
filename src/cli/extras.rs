//! Extras: what canvases of the command line show besides the usual layers: a field in the density's place, workings.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::bail;
use clap::ValueEnum;

use super::figure::{CanvasArguments, CanvasLayer};
use crate::export::canvases::{Exhibit, Extra};
use crate::figures::cloud::Pixels;
use crate::figures::fields::Quantity;
use crate::figures::substitute::{TrueField, Wish};
use crate::figures::workings::{self, Family, Frame, Subject, true_mixture};
use crate::figures::{ColorMap, Layer, Palette, Theme};
use crate::model::{Bounds, Density, Mixture, Point};
use crate::training::{BranchId, Course, Experiment, Prepared, Tree};

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
    /// Whether all that is asked for can be drawn of this experiment: of its trunk, or of some run of a race.
    ///
    /// # Errors
    /// A sentence that says what cannot, and what to try.
    pub(super) fn check(&self, experiment: &Experiment, is_race: bool) -> anyhow::Result<()> {
        let has_workings = |id| Family::of(experiment.algorithm_of(id).id).is_ok();
        let has_some = is_race && experiment.runs().any(has_workings);
        if self.has(CanvasLayer::Workings) && !has_some {
            Family::of(experiment.algorithm_of(BranchId::TRUNK).id).map_err(anyhow::Error::msg)?;
        }
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
    workings: Option<Workings>,
}

/// What workings are drawn of besides what is on a canvas.
struct Workings {
    /// Every run as an experiment of its own, what it learns from, and how it took its steps.
    runs: BTreeMap<BranchId, (Arc<Experiment>, Prepared, Course)>,
    true_mixture: Option<Arc<Mixture>>,
    cut: Point,
}

impl Extras {
    /// What is asked for, on these data and in this rectangle.
    ///
    /// # Errors
    /// If the known density is needed and nobody knows it.
    pub(super) fn new(
        canvas: &CanvasArguments,
        tree: &Tree,
        bounds: Bounds,
        theme: Theme,
    ) -> anyhow::Result<Extras> {
        let (experiment, prepared) = (tree.experiment(), tree.prepared());
        let quantity = canvas.field.quantity();
        let scaling = &prepared.dataset.scaling;
        let needs_density = quantity.needs_density();
        let density = needs_density.then(|| experiment.known_density(scaling)).transpose()?;
        let dataset = &prepared.dataset;
        let workings = canvas.has(CanvasLayer::Workings).then(|| Workings {
            runs: tree
                .runs()
                .map(|(id, run)| {
                    (id, (run.experiment().clone(), run.prepared().clone(), run.course()))
                })
                .collect(),
            true_mixture: true_mixture(experiment, dataset),
            cut: canvas.cut.map_or(dataset.bounds.center(), |cut| [cut; 2]),
        });
        Ok(Extras {
            quantity,
            color_map: ColorMap::from_id(canvas.color_map.unwrap_or_default(), theme),
            theme,
            bounds,
            has_arrows: canvas.has(CanvasLayer::Score),
            density,
            truth: Mutex::default(),
            workings,
        })
    }

    /// Those of one canvas, for the cells of a field and the pixels of a picture of points.
    pub(super) fn of(&self, exhibit: &Exhibit, size: [usize; 2], pixels: Pixels) -> Extra {
        let Extras { quantity, color_map, theme, bounds, .. } = *self;
        let wish = Wish { quantity, bounds, size, coarseness: 1, color_map, theme };
        let mixture = &exhibit.moment.mixture;
        let truth = self.truth(&wish);
        let field = wish.layer(mixture, truth.as_deref(), None);
        let shades: Vec<_> = field.iter().map(|(_, shade)| (quantity, *shade)).collect();
        let truth = truth.filter(|_| self.has_arrows);
        let errors = truth.map(|truth| truth.errors(mixture, theme.palette()));
        let workings = self.workings.iter().flat_map(|workings| {
            let frame = Frame { bounds, width: pixels.width_in_marks() };
            workings.layers(exhibit, frame, theme.palette())
        });
        let layers = field.map(|(layer, _)| layer).into_iter().chain(errors).chain(workings);
        let layers = layers.collect();
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

impl Workings {
    /// Of one run at one step; none where its algorithm has none.
    fn layers(&self, exhibit: &Exhibit, frame: Frame, palette: &Palette) -> Vec<Layer> {
        let Workings { runs, true_mixture, cut } = self;
        let Exhibit { id, moment, dataset, .. } = exhibit;
        let Some((experiment, prepared, course)) = runs.get(id) else { return Vec::new() };
        let truth = || true_mixture.clone();
        let subject = Subject::of((experiment, course), moment, dataset, truth, *cut);
        let Ok(Some(mut subject)) = subject else { return Vec::new() };
        if subject.has_draws() {
            subject.look = course.look(experiment, prepared, subject.step);
        }
        workings::layers(&subject, frame, palette)
    }
}
