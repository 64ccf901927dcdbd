//! The objective taken apart on the plane: fields in the density's place, and every point by its own term.

use std::sync::Arc;

use egui::{Align2, FontId, Mesh, Rect, Stroke, pos2, vec2};

use super::App;
use super::action::Action;
use super::known::Known;
use super::painting::{Care, Request, is_same};
use super::plot::color32;
use super::theme;
use super::view::{Plots, View};
use crate::algorithms::{AlgorithmInfo, BATCH_SIZE};
use crate::data::Dataset;
use crate::export::canvases::Extra;
use crate::figures::fields::Quantity;
use crate::figures::shade::Shade;
use crate::figures::{ColorMap, Layer, terms};
use crate::model::{CovarianceType, Mixture, Parameters, Point};
use crate::objectives::{Expected, N_DRAWS, N_LEVELS, N_SLICES, Part, Term, Terms};
use crate::settings::Settings;
use crate::training::Snapshot;

/// The loss of exact score matching at one step, taken apart over the training points.
pub struct Breakdown {
    /// The model.
    pub mixture: Arc<Mixture>,
    /// The data.
    pub dataset: Arc<Dataset>,
    /// Which step it is of.
    pub step: usize,
    /// The running objective at that step.
    pub objective: f64,
    /// Its summands, if somebody asked for them.
    pub running: Option<Taken>,
    /// The term of every training point, and their means.
    pub terms: Terms,
    /// The points that weigh most, the largest first.
    pub largest: Vec<usize>,
    /// The colors of the terms.
    pub shade: Shade,
}

/// What came of taking the running objective apart.
pub enum Taken {
    /// Its summands.
    Apart(Running),
    /// It would take too long.
    TooMuch,
    /// Nobody knows which run took the step.
    Unknown,
}

/// Products of a point, its draws and a component that are looked at for the summands: some seconds.
const MOST_SUMMANDS: f64 = 2e7;

/// The running objective at one step, as its formula has it.
pub struct Running {
    /// What is run.
    pub info: &'static AlgorithmInfo,
    /// The summands.
    pub parts: Vec<Part>,
    /// How many points they are means over: all, or those of a mini-batch.
    pub point_count: usize,
    /// True if they add up to what the run saw: their draws are those of the step.
    pub is_of_step: bool,
    /// True if something is drawn at random: slices, noise, shifts or a mini-batch.
    pub has_draws: bool,
}

impl Taken {
    fn of(snapshot: Option<&Arc<Snapshot>>, moment: (usize, &Mixture, f64)) -> Taken {
        let of = |snapshot: &Arc<Snapshot>| {
            let settings = snapshot.course.settings_at(moment.0)?;
            let component_count = moment.1.components().len();
            if summand_count(snapshot, &settings, component_count) > MOST_SUMMANDS {
                return Some(Taken::TooMuch);
            }
            let (step, mixture, objective) = moment;
            Running::of(snapshot, step, mixture, objective).map(Taken::Apart)
        };
        snapshot.and_then(of).unwrap_or(Taken::Unknown)
    }
}

/// How many products of a point, its draws and a component there are.
fn summand_count(snapshot: &Snapshot, settings: &Settings, component_count: usize) -> f64 {
    let info = snapshot.experiment.algorithm_info();
    let point_count = snapshot.prepared.dataset.train.len();
    let seen = match settings.integer(&BATCH_SIZE) {
        size if (1..point_count).contains(&size) => size,
        _ => point_count,
    };
    let factors = [&N_DRAWS, &N_LEVELS, &N_SLICES].into_iter();
    let own = factors.filter(|factor| info.settings.iter().any(|own| own.key == factor.key));
    own.map(|factor| settings.integer(factor) as f64).product::<f64>()
        * (seen * component_count) as f64
}

impl Running {
    /// Draws again what the run drew at a step, and takes the objective apart.
    fn of(snapshot: &Snapshot, step: usize, mixture: &Mixture, objective: f64) -> Option<Running> {
        let look = snapshot.look(step)?;
        let points = &snapshot.prepared.dataset.train;
        let parameters = Parameters::of(mixture, CovarianceType::Full, 0.0);
        let parts = look.parts(&parameters, points);
        let sum: f64 = parts.iter().map(|part| part.value).sum();
        let size = parts.iter().fold(1.0, |size: f64, part| size.max(part.value.abs()));
        let info = snapshot.experiment.algorithm_info();
        Some(Running {
            info,
            point_count: look.batch(points).len(),
            is_of_step: (sum - objective).abs() <= 1e-9 * size,
            has_draws: !matches!(info.expected(), Expected::Itself) || look.indices.is_some(),
            parts,
        })
    }
}

impl Breakdown {
    /// The training points.
    #[must_use]
    pub fn points(&self) -> &[Point] {
        &self.dataset.train
    }
}

/// Points that are circled and listed.
pub const LARGEST_COUNT: usize = 10;

/// Takes the loss apart as a request asks for it, unless that was done for the last painting. `None` where nobody asks,
/// or where no term is finite.
#[must_use]
pub fn breakdown(request: &Request, last: Option<&Arc<Breakdown>>) -> Option<Arc<Breakdown>> {
    let Request { mixture, dataset, step, objective, .. } = request;
    let (Some(mixture), Some(dataset), true) = (mixture, dataset, request.has_terms) else {
        return None;
    };
    let is_current = |last: &&Arc<Breakdown>| {
        is_same(Some(&last.mixture), Some(mixture))
            && is_same(Some(&last.dataset), Some(dataset))
            && last.running.is_some() >= request.has_running
    };
    if let Some(last) = last.filter(is_current) {
        return Some(last.clone());
    }
    let terms = Terms::at(&**mixture, &dataset.train);
    let totals: Vec<f64> = terms.of_points.iter().map(Term::total).collect();
    let shade = Shade::of_terms(&totals)?;
    let largest = terms.largest(LARGEST_COUNT);
    let (mixture, dataset) = (mixture.clone(), dataset.clone());
    let (step, objective) = (*step, *objective);
    let taken = || Taken::of(request.snapshot.as_ref(), (step, &mixture, objective));
    let running = request.has_running.then(taken);
    Some(Arc::new(Breakdown { mixture, dataset, step, objective, running, terms, largest, shade }))
}

/// The field that is shown in the density's place and what its colors say; `None` if it is the density itself. Beside
/// points by their terms it has their colors.
#[must_use]
pub fn field_layer(
    request: &Request,
    breakdown: Option<&Breakdown>,
    known: Option<&Known>,
    care: Care,
) -> Option<(Layer, Shade)> {
    let mixture = request.mixture.as_ref().filter(|_| request.shown.density)?;
    let of_points = breakdown.map(|breakdown| breakdown.shade);
    request.wish(care).layer(mixture, known.map(|known| &known.field), of_points)
}

/// The model's score minus the true one as arrows, beside the field of its size.
#[must_use]
pub fn error_layer(request: &Request, known: Option<&Known>) -> Option<Layer> {
    let (known, mixture) = (known?, request.mixture.as_ref()?);
    request.shown.score.then(|| known.field.errors(mixture, request.theme.palette()))
}

/// Training points by their terms, and circles around those that weigh most.
#[must_use]
pub fn term_layers(request: &Request, breakdown: &Breakdown) -> Vec<Layer> {
    let Request { bounds, pixels, theme, .. } = *request;
    if !request.shown.train {
        return Vec::new();
    }
    let Breakdown { terms, largest, shade, .. } = breakdown;
    let points = breakdown.points();
    let circled: Vec<Point> = largest.iter().map(|&i| points[i]).collect();
    vec![
        terms::layer(points, terms, shade, (bounds, pixels), theme),
        terms::circles(&circled, (bounds, pixels), theme.palette()),
    ]
}

/// What an exported canvas shows of all this, and its legend.
#[must_use]
pub fn figure_layers(request: &Request) -> Extra {
    let breakdown = breakdown(request, None);
    let known = Known::of(request, Care::Full, None);
    let field = field_layer(request, breakdown.as_deref(), known.as_deref(), Care::Full);
    let errors = error_layer(request, known.as_deref());
    let of_field = field.as_ref().map(|field| (request.quantity, field.1));
    // Points and field of one quantity have one legend.
    let of_points = breakdown.as_ref().filter(|_| request.shown.train);
    let of_points = of_points.map(|breakdown| (Quantity::Term, breakdown.shade));
    let of_points = of_points.filter(|_| request.quantity != Quantity::Term || of_field.is_none());
    let shades: Vec<_> = of_field.into_iter().chain(of_points).collect();
    let of_terms = breakdown.iter().flat_map(|breakdown| term_layers(request, breakdown));
    let layers = field.map(|field| field.0).into_iter().chain(of_terms).chain(errors).collect();
    Extra::shaded(layers, &shades, request.color_map, request.theme)
}

/// How many pieces a color bar is made of.
const PIECES: u16 = 48;

/// A color bar in the lower right corner of a canvas: what the colors of its field say.
pub fn shade_ui(brush: &egui::Painter, shade: &Shade, view: &View) {
    let palette = view.theme.palette();
    let map = ColorMap::from_id(view.color_map.unwrap_or_default(), view.theme);
    let area = brush.clip_rect();
    // Smaller where canvases stand side by side.
    let (width, margin) = (188.0_f32.min(0.44 * area.width()), 8.0);
    let size = vec2(width + 2.0 * margin, 54.0);
    let card = Align2::RIGHT_BOTTOM.anchor_size(area.right_bottom() - vec2(8.0, 8.0), size);
    brush.rect_filled(card, 5.0, theme::panel_fill(view.theme).gamma_multiply(0.93));
    let (text, font) = (color32(palette.text), FontId::proportional(12.5));
    let at = card.left_top() + vec2(margin, 4.0);
    brush.text(at, Align2::LEFT_TOP, view.quantity.label(), font.clone(), text);
    let bar = Rect::from_min_size(card.left_top() + vec2(margin, 21.0), vec2(width, 10.0));
    brush.rect_filled(bar, 0.0, color32(palette.plot_background));
    bar_ui(brush, bar, |share| color32(shade.color_at(share, map, view.theme)));
    for (share, text) in shade.marks() {
        let x = bar.left() + share as f32 * bar.width();
        let tick = x.clamp(bar.left() + 0.5, bar.right() - 0.5);
        let weak = color32(palette.weak_text);
        brush.vline(tick, bar.bottom()..=bar.bottom() + 3.0, Stroke::new(1.0, weak));
        let anchor = match share {
            0.0 => Align2::LEFT_TOP,
            1.0 => Align2::RIGHT_TOP,
            _ => Align2::CENTER_TOP,
        };
        brush.text(pos2(x, bar.bottom() + 4.0), anchor, text, font.clone(), weak);
    }
}

/// Colors side by side, by the share of the way from left to right.
pub fn bar_ui(brush: &egui::Painter, bar: Rect, color: impl Fn(f64) -> egui::Color32) {
    let mut mesh = Mesh::default();
    for i in 0..PIECES {
        let [from, to] =
            [i, i + 1].map(|i| bar.left() + bar.width() * f32::from(i) / f32::from(PIECES));
        let piece = Rect::from_x_y_ranges(from..=to, bar.y_range());
        mesh.add_colored_rect(piece, color((f64::from(i) + 0.5) / f64::from(PIECES)));
    }
    brush.add(mesh);
}

impl App {
    /// Shows the density in the place of a field that there is no longer, because the data are others.
    pub(super) fn keep_field(&mut self) {
        let needs_density = self.view.quantity.needs_density();
        if needs_density && self.document.experiment.knows_density().is_err() {
            self.view.quantity = Quantity::Density;
        }
    }

    /// Shows another field, streamlines, or the terms.
    pub(super) fn take_apart(&mut self, action: Action) {
        let view = &mut self.view;
        match action {
            Action::NextField | Action::PreviousField => {
                let knows_density = self.document.experiment.knows_density().is_ok();
                view.quantity = view.quantity.next(action == Action::NextField, knows_density);
                view.shown.density = true;
            }
            Action::ToggleStreamlines => view.shown.streamlines = !view.shown.streamlines,
            _ => {
                let is_open = view.plots == Plots::Terms && view.has_panels;
                view.plots = if is_open { Plots::Run } else { Plots::Terms };
                view.has_panels = true;
            }
        }
    }

    /// The loss of exact score matching taken apart over the training points of the run on the canvas, and of which
    /// step; `None` until it is painted.
    #[must_use]
    pub fn terms(&self) -> Option<(usize, Terms)> {
        let breakdown = self.canvas.breakdown(self.session.chosen())?;
        Some((breakdown.step, breakdown.terms.clone()))
    }
}
