//! Sheets: what is on screen as a sheet for print, at the sheet's own resolution and with its own fonts.

use anyhow::{Context as _, bail};

use super::exports::{MapMaterial, Material, What};
use super::painting::Request;
use super::seeds;
use super::taken_apart::figure_layers;
use crate::export::ExportError;
use crate::export::canvases::{Exhibit, Extra, Outlook, canvases};
use crate::export::caption::{caption, seeds_caption, shared_caption};
use crate::export::maps::{self, BasinMap};
use crate::export::sheet::Sheet;
use crate::figures::cloud::Pixels;
use crate::figures::fields::Quantity;
use crate::figures::shade::Shade;
use crate::figures::workings::{self, Frame};
use crate::figures::{self, Plot, bars, learning, race, terms, truth};
use crate::objectives::{Term, Terms};

/// The figure of something, as its style says.
///
/// # Errors
/// If there is nothing to draw, or if it does not fit on the sheet.
pub fn sheet(what: What, material: &Material) -> anyhow::Result<Sheet> {
    let mut sheet = match what {
        What::Canvas | What::Race => of_canvases(material, &material.exhibits)?,
        What::Basin => basin(material)?,
        What::Landscape => of_landscape(material)?,
        _ => Sheet::new(vec![plot(what, material)?], material.style.clone()),
    };
    sheet.caption = words(what, material);
    Ok(sheet)
}

/// Data, algorithm, settings, seeds and step.
fn words(what: What, material: &Material) -> String {
    let Material { snapshot, shown, .. } = material;
    let (experiment, dataset) = (&snapshot.experiment, &snapshot.prepared.dataset);
    match (&material.race, what) {
        (Some((racers, _)), What::Race | What::Nll | What::Distance(_)) => {
            let names: Vec<String> = racers.iter().map(|racer| racer.label.clone()).collect();
            shared_caption(experiment, dataset, &names)
        }
        (_, What::Seeds | What::Finals) => seeds_caption(experiment, dataset, &material.seeds),
        _ => caption(experiment, dataset, shown.record.step),
    }
}

/// Figures that have no plane.
fn plot(what: What, material: &Material) -> anyhow::Result<Plot> {
    let Material { snapshot, shown, history, view, .. } = material;
    let palette = view.theme.palette();
    let time = view.time_axis;
    let landmarks = view.landmarks(Some(snapshot.best.record), Some(shown.record));
    Ok(match what {
        What::Nll if let Some((racers, look)) = &material.race => race::race(racers, look, palette),
        What::Nll => {
            let spacings = [view.time_spacing, view.nll_spacing];
            learning::nll(history, &landmarks, time, spacings, palette)
        }
        What::Objective => {
            let experiment = &snapshot.experiment;
            let formula = experiment.algorithm_info().formula_with(&experiment.algorithm);
            let spacing = view.time_spacing;
            learning::objective(history, &landmarks, formula, time, spacing, palette)
        }
        What::Weights => bars::weights(&shown.mixture, palette),
        What::Seeds | What::Finals => {
            let figures = seeds::figures(&material.seeds, view.seeds, None, view.theme);
            let plot = if what == What::Seeds { figures.fan } else { figures.finals };
            (*plot).clone()
        }
        What::Distance(measure) => {
            let known = material.truth.as_ref().context("no density is known here")?;
            truth::distance(&known.0, measure, &known.1, palette)
        }
        What::Terms => {
            let terms = Terms::at(&*shown.mixture, &snapshot.prepared.dataset.train);
            let totals: Vec<f64> = terms.of_points.iter().map(Term::total).collect();
            let shade = Shade::of_terms(&totals).context("no term is finite here")?;
            terms::histogram(&terms, &shade, view.theme)
        }
        What::Redraws => {
            let estimates = material.estimates.as_ref().context("nothing was drawn again")?;
            figures::redraws::redraws(estimates, view.theme)
        }
        other => bail!("{} is no picture", other.label()),
    })
}

/// The canvases with the layers that are on.
///
/// # Errors
/// If they do not fit on the sheet.
pub fn of_canvases(material: &Material, exhibits: &[Exhibit]) -> Result<Sheet, ExportError> {
    let outlook = outlook(material);
    let extra = |exhibit: &Exhibit, size, pixels| extra(material, exhibit, size, pixels);
    canvases(exhibits, &outlook, &material.style, extra)
}

/// What a canvas shows besides the usual layers: fields, terms, workings, particles.
fn extra(material: &Material, exhibit: &Exhibit, size: [usize; 2], pixels: Pixels) -> Extra {
    let Exhibit { moment, dataset, id, .. } = exhibit;
    let (view, bounds) = (&material.view, material.bounds);
    let annex = material.annexes.get(id);
    let mut request = Request::new(Some(moment), Some(dataset), view, bounds, size, pixels);
    request.snapshot = annex.and_then(|annex| annex.snapshot.clone());
    // What particles walk on takes the density's place, and they lie above all else.
    let (ground, walk): (Vec<_>, Vec<_>) =
        material.walk.iter().cloned().partition(|layer| layer.id == "density");
    request.shown.density &= ground.is_empty();
    let mut extra = figure_layers(&request);
    extra.layers.extend(ground);
    let subject = annex.and_then(|annex| annex.workings.as_ref());
    let frame = Frame { bounds, width: pixels.width_in_marks() };
    let workings = subject.map(|subject| workings::layers(subject, frame, view.theme.palette()));
    extra.layers.extend(workings.into_iter().flatten());
    extra.legend.splice(0..0, walk);
    extra
}

fn outlook(material: &Material) -> Outlook {
    let view = &material.view;
    let mut shown = view.shown;
    // Beside the field of score errors, arrows are those errors.
    shown.score &= view.quantity != Quantity::ScoreError;
    Outlook {
        shown,
        bounds: material.bounds,
        color_map: view.color_map,
        scale: view.density_scale(),
        sample_count: view.sample_count,
    }
}

/// The map below data and components.
fn basin(material: &Material) -> anyhow::Result<Sheet> {
    let Some(MapMaterial::Basin { basin, ends }) = &material.map else {
        bail!("there is no map to save")
    };
    let color_by = material.view.maps.color_by;
    let start = basin.start_in(&material.snapshot.experiment);
    let map = BasinMap { basin, ends, color_by, start };
    Ok(maps::basin(map, &material.exhibits, &outlook(material), &material.style)?)
}

/// The objective over two directions.
fn of_landscape(material: &Material) -> anyhow::Result<Sheet> {
    let Some(MapMaterial::Landscape { ground, chart, trails }) = &material.map else {
        bail!("there is no map to save")
    };
    Ok(maps::landscape(ground, chart, trails, material.style.clone()))
}
