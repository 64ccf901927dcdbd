//! An SVG document as PDF: text stays text, with subsets of its fonts; nothing in it depends on the time or the machine.

use krilla::Document;
use krilla::geom::Size;
use krilla::metadata::Metadata;
use krilla::page::PageSettings;
use krilla_svg::{SurfaceExt, SvgSettings};

use super::ExportError;
use super::png::tree;

/// Points for each pixel of CSS, in which the sizes of SVG are measured.
const POINTS_PER_PIXEL: f32 = 0.75;

/// The document on one page of its size.
///
/// # Errors
/// [`ExportError::Encoding`] if it is not SVG, or if the library refuses.
pub(super) fn pdf(svg: &str) -> Result<Vec<u8>, ExportError> {
    let tree = tree(svg)?;
    let [width, height] =
        [tree.size().width(), tree.size().height()].map(|side| side * POINTS_PER_PIXEL);
    let refused = |reason: String| ExportError::Encoding { what: "PDF", reason };
    let size = Size::from_wh(width, height).ok_or_else(|| refused("it has no size".to_owned()))?;
    let settings =
        PageSettings::from_wh(width, height).ok_or_else(|| refused("it has no size".to_owned()))?;
    let mut document = Document::new();
    // No date, or the same figure would have other bytes tomorrow.
    document.set_metadata(Metadata::new().creator("ScoreScope".to_owned()));
    let mut page = document.start_page_with(settings);
    let mut surface = page.surface();
    let is_drawn = surface.draw_svg(&tree, size, SvgSettings::default());
    surface.finish();
    page.finish();
    is_drawn.ok_or_else(|| refused("it could not be drawn".to_owned()))?;
    document.finish().map_err(|error| refused(format!("{error:?}")))
}
