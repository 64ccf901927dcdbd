//! Format: pictures, whose dark pixels become a cloud of points.

use std::io::Cursor;

use image::{
    DynamicImage, GrayAlphaImage, ImageDecoder, ImageError, ImageFormat, ImageReader, Limits,
};
use rand::RngExt;

use super::{FormatError, Input, Loaded};
use crate::data::memory;
use crate::model::Point;
use crate::random::{Purpose, generator};

/// How many points a picture becomes.
pub const PICTURE_POINTS: usize = 4000;

/// Most memory, in bytes, that a picture is given, however much there is: decoders of damaged files ask for a lot.
const MAX_MEMORY: u64 = 2 << 30;

/// What to try where a picture is too large.
const SMALLER: &str = "make the picture smaller";

/// The longer side of a picture spans [−2, 2].
const LONGER_SIDE: f64 = 4.0;

/// Ink of a black opaque pixel: darkness times opacity, both up to 255.
const FULL_INK: u32 = 255 * 255;

/// Points from a picture: 4000 of them, drawn with chances that grow with darkness, the same every time. `bytes` is what
/// has been read of it already.
pub(super) fn read(
    input: &mut Input<'_, '_>,
    mut bytes: Vec<u8>,
    format: ImageFormat,
) -> Result<Loaded, FormatError> {
    input.read_all(&mut bytes, SMALLER)?;
    let name = input.name;
    let image = decode(input, &bytes, format)?;
    drop(bytes);
    let points = sample(&image);
    if points.is_empty() {
        return Err(FormatError::NoInk { name: name.to_owned() });
    }
    let (width, height) = image.dimensions();
    let mut notes = vec![format!(
        "{name}: {width} × {height} pixels became {PICTURE_POINTS} points, more where it is darker"
    )];
    let total: u64 = image.pixels().map(|pixel| u64::from(ink(pixel.0))).sum();
    if total > u64::from(FULL_INK) * u64::from(width) * u64::from(height) / 2 {
        notes.push(format!("{name} is mostly dark: for its light parts, invert the picture first"));
    }
    Ok(Loaded { points, columns: Vec::new(), chosen: [0, 1], notes })
}

/// The picture as luminance and opacity, upright.
fn decode(
    input: &Input<'_, '_>,
    bytes: &[u8],
    format: ImageFormat,
) -> Result<GrayAlphaImage, FormatError> {
    let damaged = |error: ImageError| FormatError::Picture {
        name: input.name.to_owned(),
        // Some decoders explain themselves over several lines.
        problem: error.to_string().split_whitespace().collect::<Vec<_>>().join(" "),
    };
    // The file itself is in memory as well.
    let available = input.available.saturating_sub(bytes.len() as u64).min(MAX_MEMORY);
    let mut limits = Limits::default();
    limits.max_alloc = Some(available);
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(damaged)?;
    // The decoder limits its own memory; here are the finished picture, perhaps turned, and its ink.
    let (width, height) = decoder.dimensions();
    let ink = u64::from(width).saturating_mul(u64::from(height)).saturating_mul(2);
    let needed = decoder.total_bytes().saturating_mul(2).saturating_add(ink);
    memory::check(needed, available).map_err(|shortage| FormatError::TooLarge {
        name: input.name.to_owned(),
        what: format!("{width} × {height} pixels"),
        shortage,
        advice: SMALLER,
    })?;
    let orientation = decoder.orientation().map_err(damaged)?;
    let mut image = DynamicImage::from_decoder(decoder).map_err(damaged)?;
    // Photographs of drawings are often stored on their side.
    image.apply_orientation(orientation);
    Ok(image.into_luma_alpha8())
}

/// How much ink is on a pixel of this luminance and opacity; nearly white paper has none.
fn ink([luminance, opacity]: [u8; 2]) -> u32 {
    let ink = u32::from(255 - luminance) * u32::from(opacity);
    // 5 %: shadows on paper and the noise of JPEG.
    if ink * 20 >= FULL_INK { ink } else { 0 }
}

/// Points drawn in proportion to ink, uniform within their pixel; none if there is no ink.
fn sample(image: &GrayAlphaImage) -> Vec<Point> {
    let (width, height) = (f64::from(image.width()), f64::from(image.height()));
    let unit = LONGER_SIDE / width.max(height);
    let row_ink = |y: u32| (0..image.width()).map(move |x| u64::from(ink(image.get_pixel(x, y).0)));
    // Sums by rows only: by pixels they would need more memory than the picture.
    let mut total = 0;
    let ends: Vec<u64> = (0..image.height())
        .map(|y| {
            total += row_ink(y).sum::<u64>();
            total
        })
        .collect();
    if total == 0 {
        return Vec::new();
    }
    let rng = &mut generator(0, Purpose::Data);
    (0..PICTURE_POINTS)
        .map(|_| {
            let wanted = rng.random_range(0..total);
            let y = ends.partition_point(|&end| end <= wanted);
            let mut sum = if y == 0 { 0 } else { ends[y - 1] };
            let x = row_ink(y as u32).take_while(|ink| {
                sum += ink;
                sum <= wanted
            });
            let x = x.count() as f64 + rng.random::<f64>();
            let y = y as f64 + rng.random::<f64>();
            [(x - width / 2.0) * unit, (height / 2.0 - y) * unit]
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use image::{LumaA, Rgba, RgbaImage};

    use super::*;
    use crate::data::formats;

    const FORMATS: [ImageFormat; 5] = [
        ImageFormat::Png,
        ImageFormat::Jpeg,
        ImageFormat::Bmp,
        ImageFormat::Gif,
        ImageFormat::WebP,
    ];

    fn encoded(image: &RgbaImage, format: ImageFormat) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        let image = DynamicImage::from(image.clone());
        let image = if format == ImageFormat::Jpeg { image.into_rgb8().into() } else { image };
        image.write_to(&mut bytes, format).unwrap();
        bytes.into_inner()
    }

    /// White paper, 40 × 20, with a black square at the upper left and a gray one at the lower right.
    fn two_squares() -> RgbaImage {
        RgbaImage::from_fn(40, 20, |x, y| match (x, y) {
            (..8, ..8) => Rgba([0, 0, 0, 255]),
            (32.., 12..) => Rgba([128, 128, 128, 255]),
            _ => Rgba([255; 4]),
        })
    }

    #[test]
    fn points_lie_where_the_ink_is_in_every_format() {
        for format in FORMATS {
            let bytes = encoded(&two_squares(), format);
            let loaded = formats::parse("two", &bytes, None).unwrap();
            assert_eq!(loaded.points.len(), PICTURE_POINTS, "{format:?}");
            assert!(loaded.columns.is_empty());
            assert_eq!(
                loaded.notes,
                ["two: 40 × 20 pixels became 4000 points, more where it is darker"]
            );
            // One pixel is 0.1 wide.
            let upper = loaded.points.iter().filter(|p| p[0] <= -1.2 && p[1] >= 0.2).count();
            let lower = loaded.points.iter().filter(|p| p[0] >= 1.2 && p[1] <= -0.2).count();
            assert_eq!(upper + lower, PICTURE_POINTS, "{format:?}");
            // 255 : 127, four standard errors of 30.
            assert!((2550..2790).contains(&upper), "{format:?}: {upper}");
            let is_inside = |p: &Point| p[0].abs() <= 2.0 && p[1].abs() <= 1.0;
            assert!(loaded.points.iter().all(is_inside), "{format:?}");
            assert_eq!(loaded, formats::parse("two", &bytes, None).unwrap());
        }
    }

    #[test]
    fn ink_is_darkness_times_opacity() {
        let check = |pixel, expected| assert_eq!(ink(pixel), expected, "{pixel:?}");
        check([0, 255], FULL_INK);
        check([255, 255], 0);
        check([0, 0], 0);
        check([0, 10], 0);
        check([245, 255], 0);
        check([55, 100], 20_000);
        let dot = GrayAlphaImage::from_pixel(1, 1, LumaA([0, 255]));
        assert!(sample(&dot).iter().flatten().all(|v| v.abs() <= 2.0));
    }

    #[test]
    fn pictures_without_ink_or_of_mostly_ink_say_so() {
        let parse =
            |image: &RgbaImage| formats::parse("x.png", &encoded(image, ImageFormat::Png), None);
        for pixel in [[255; 4], [0; 4], [250, 250, 250, 255]] {
            let error = parse(&RgbaImage::from_pixel(5, 5, Rgba(pixel))).unwrap_err().to_string();
            let expected = "x.png has no dark pixels: points come from dark ink on a light or transparent ground";
            assert_eq!(error, expected);
        }
        let black = parse(&RgbaImage::from_pixel(5, 5, Rgba([0, 0, 0, 255]))).unwrap();
        let expected = "x.png is mostly dark: for its light parts, invert the picture first";
        assert_eq!(black.notes[1], expected);
    }

    #[test]
    fn damaged_pictures_never_panic() {
        for format in FORMATS {
            let bytes = encoded(&two_squares(), format);
            for end in 0..bytes.len() {
                let _ = formats::parse("x.png", &bytes[..end], None);
                let _ = formats::parse("x.csv", &bytes[..end], None);
            }
        }
        let png = encoded(&two_squares(), ImageFormat::Png);
        let error = formats::parse("x.png", &png[..40], None).unwrap_err().to_string();
        assert!(error.starts_with("x.png could not be read as a picture: "), "{error}");
        assert!(!error.contains('\n') && error.ends_with("; try to save it again as PNG"));
    }

    #[test]
    fn a_picture_that_is_too_large_is_refused() {
        let mut png = encoded(&two_squares(), ImageFormat::Bmp);
        // Width and height of a bitmap are at bytes 18 and 22.
        png[18..22].copy_from_slice(&60_000_i32.to_le_bytes());
        png[22..26].copy_from_slice(&60_000_i32.to_le_bytes());
        let error = formats::parse("x.bmp", &png, None).unwrap_err().to_string();
        assert!(error.starts_with("x.bmp: 60000 × 60000 pixels would need "), "{error}");
        assert!(error.ends_with(": make the picture smaller"), "{error}");
    }

    #[test]
    fn the_file_of_a_picture_counts_and_is_never_told_to_become_a_table() {
        let bytes = encoded(&two_squares(), ImageFormat::Bmp);
        // 40 × 20 pixels of four bytes, twice, and two bytes of ink each.
        let pixels = 40 * 20 * 10;
        let read = |available: u64| {
            let (mut source, size) = (&bytes[..], bytes.len() as u64);
            let watch = &mut formats::unwatched;
            let mut input = Input::new("x.bmp", &mut source, size, available, watch);
            formats::points(&mut input, None)
        };
        assert!(read(pixels + bytes.len() as u64).is_ok());
        for available in [pixels, 100] {
            let error = read(available).unwrap_err().to_string();
            assert!(error.ends_with(": make the picture smaller"), "{error}");
        }
    }
}
