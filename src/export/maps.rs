//! Maps: the basin map and the loss landscape as sheets.

use super::ExportError;
use super::canvases::{Exhibit, Extra, Outlook, canvases};
use super::sheet::Sheet;
use super::style::Style;
use crate::figures::basin::{self as field, ColorBy};
use crate::figures::canvas::Shown;
use crate::figures::color_bar::ColorBar;
use crate::figures::landscape::{self, Ground, Trail};
use crate::model::Point;
use crate::training::basin::Basin;
use crate::training::optima::Ends;
use crate::training::survey::Chart;

/// Where training ends from every start of one mean.
#[derive(Clone, Copy)]
pub struct BasinMap<'a> {
    /// What its cells share.
    pub basin: &'a Basin,
    /// Where they ended.
    pub ends: &'a Ends,
    /// What its colors say.
    pub color_by: ColorBy,
    /// Where the mean of the run itself starts, if it is one of these.
    pub start: Option<Point>,
}

/// The map below data and components: it takes the place of all that shows the model's density.
///
/// # Errors
/// [`ExportError::Style`] if nothing fits on the sheet.
pub fn basin(
    map: BasinMap<'_>,
    exhibits: &[Exhibit],
    outlook: &Outlook,
    style: &Style,
) -> Result<Sheet, ExportError> {
    let BasinMap { basin, ends, color_by, start } = map;
    let theme = style.background.theme();
    let palette = theme.palette();
    let no = false;
    let shown = Shown { density: no, score: no, streamlines: no, samples: no, ..outlook.shown };
    let extra = |_: &Exhibit, _, _| {
        let mut layers = vec![field::layer(ends, basin.square, color_by, theme)];
        // The colors are explained one by one.
        layers[0].label.clear();
        layers.extend(start.map(|at| field::place(at, basin.component, palette)));
        let legend = field::legend(ends, color_by, palette);
        Extra { layers, legend, bar: field::bar(ends, color_by) }
    };
    let mut sheet = canvases(exhibits, &Outlook { shown, ..*outlook }, style, extra)?;
    for plot in &mut sheet.panels {
        plot.id = "basin";
        plot.title = format!("Basin map: every pixel is a start of mean {}", basin.component + 1);
    }
    Ok(sheet)
}

/// The objective over two directions, with paths.
#[must_use]
pub fn landscape(ground: &Ground, chart: &Chart<f64>, trails: &[Trail], style: Style) -> Sheet {
    let theme = style.background.theme();
    let terrain = landscape::terrain(chart, ground.square, theme);
    let plot = landscape::landscape(ground, &terrain, trails, theme.palette());
    let plot = landscape::with_legend(plot, &terrain, "objective");
    let mut sheet = Sheet::new(vec![plot], style);
    sheet.color_bar = terrain.tone.map(|tone| ColorBar::of_tone("objective", &tone, 1.0));
    sheet
}
