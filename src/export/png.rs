//! An SVG document as PNG, with the fonts of the window and no others.

use std::sync::{Arc, LazyLock};

use resvg::tiny_skia;
use resvg::usvg::{FontFamily, FontResolver, Options, Tree, fontdb};

use super::marks::{encode, straight};
use super::{ExportError, MAX_PIXELS};
use crate::figures::Picture;

/// Ubuntu Light, and Hack for the mathematical signs that it lacks.
static FONTS: LazyLock<Arc<fontdb::Database>> = LazyLock::new(|| {
    let mut fonts = fontdb::Database::new();
    for bytes in [epaint_default_fonts::UBUNTU_LIGHT, epaint_default_fonts::HACK_REGULAR] {
        fonts.load_font_source(fontdb::Source::Binary(Arc::new(bytes)));
    }
    Arc::new(fonts)
});

/// Reads a document the way all of ours are shown: Hack where it asks for that, else Ubuntu Light.
///
/// # Errors
/// [`ExportError::Encoding`] if it is not SVG.
pub(super) fn tree(svg: &str) -> Result<Tree, ExportError> {
    // Our own choice instead of usvg's: as soon as one sign of a text is missing in Ubuntu Light, that one would set
    // the whole text in Hack. The SVG says itself which signs Hack lends.
    let font_resolver = FontResolver {
        select_font: Box::new(|font, fonts| {
            let is_hack = |family: &FontFamily| family.to_string().trim_matches('"') == "Hack";
            let index = usize::from(font.families().first().is_some_and(is_hack));
            fonts.faces().nth(index).map(|face| face.id)
        }),
        select_fallback: Box::new(|_, _, _| None),
    };
    let options = Options { fontdb: FONTS.clone(), font_resolver, ..Options::default() };
    Tree::from_str(svg, &options).map_err(|error| encoding(&error))
}

/// The picture at `scale` pixels for each pixel of the document.
///
/// # Errors
/// [`ExportError::Size`] for no or too many pixels; [`ExportError::Encoding`] if it is not SVG.
pub fn png(svg: &str, scale: f32) -> Result<Vec<u8>, ExportError> {
    encode(&render(svg, scale)?).map_err(|error| encoding(&error))
}

/// The pixels at so many dots per inch.
///
/// # Errors
/// As [`png`].
pub(super) fn pixels_at(svg: &str, dpi: f64) -> Result<Picture, ExportError> {
    // A pixel of CSS is 1/96 inch.
    render(svg, (dpi / 96.0) as f32)
}

/// The picture at so many dots per inch, which are written into it.
///
/// # Errors
/// As [`png`].
pub(super) fn png_at(svg: &str, dpi: f64) -> Result<Vec<u8>, ExportError> {
    let picture = pixels_at(svg, dpi)?;
    let mut bytes = Vec::new();
    let (width, height) = (picture.width as u32, picture.height as u32);
    let mut encoder = ::png::Encoder::new(&mut bytes, width, height);
    encoder.set_color(::png::ColorType::Rgba);
    encoder.set_depth(::png::BitDepth::Eight);
    let per_meter = (dpi / 0.0254).round() as u32;
    let dots =
        ::png::PixelDimensions { xppu: per_meter, yppu: per_meter, unit: ::png::Unit::Meter };
    encoder.set_pixel_dims(Some(dots));
    let written = (encoder.write_header())
        .and_then(|mut writer| writer.write_image_data(&picture.rgba).and(writer.finish()));
    written.map_err(|error| encoding(&error))?;
    Ok(bytes)
}

fn render(svg: &str, scale: f32) -> Result<Picture, ExportError> {
    let tree = tree(svg)?;
    let [width, height] =
        [tree.size().width(), tree.size().height()].map(|side| f64::from(side * scale).round());
    let is_possible = |side: f64| (1.0..=MAX_PIXELS).contains(&side);
    let pixmap = if is_possible(width) && is_possible(height) {
        tiny_skia::Pixmap::new(width as u32, height as u32)
    } else {
        None
    };
    let mut pixmap = pixmap.ok_or(ExportError::Size { width, height })?;
    let transform = tiny_skia::Transform::from_scale(scale, scale);
    resvg::render(&tree, transform, &mut pixmap.as_mut());
    Ok(straight(&pixmap))
}

fn encoding(error: &dyn std::fmt::Display) -> ExportError {
    ExportError::Encoding { what: "picture", reason: error.to_string() }
}

#[cfg(test)]
mod tests {
    use super::super::text::spans;
    use super::*;

    #[test]
    fn impossible_sizes_are_refused() {
        let svg = "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"10\" height=\"20\"/>";
        for scale in [0.0, -1.0, 1e9, f32::NAN] {
            let error = png(svg, scale).unwrap_err();
            assert!(matches!(error, ExportError::Size { .. }), "{scale}: {error}");
        }
        let picture = image::load_from_memory(&png(svg, 1.5).unwrap()).unwrap();
        assert_eq!((picture.width(), picture.height()), (15, 30));
        assert!(png("<svg", 1.0).is_err());
    }

    #[test]
    fn every_sign_of_our_labels_has_a_glyph() {
        let picture = |sign: char| {
            let svg = format!(
                "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"40\" height=\"40\">\
                 <text x=\"5\" y=\"30\" font-size=\"30\">{}</text></svg>",
                spans(&sign.to_string(), 30.0)
            );
            png(&svg, 1.0).unwrap()
        };
        // The box that stands for a missing sign, from either font.
        let boxes = ['\u{500}', '\u{fffe0}'].map(picture);
        let signs = "xπₖᵢⱼₙₜ₁₂ₓ∇Σµμ·×−⁻⁰¹²³⁴⁵⁶⁷⁸⁹θσ‖½²→≤≥∞∂∫√±…–“”é";
        let lost: String = signs.chars().filter(|sign| boxes.contains(&picture(*sign))).collect();
        assert_eq!(lost, "");
    }
}
