//! APNG: as GIF, but with exact times, and better packed.

use std::io::{self, Write};

use png::{BitDepth, BlendOp, ColorType, Compression, DisposeOp, Encoder, EncodingError, Filter};

use super::colors::{ColorTable, UNCHANGED};
use super::delta::{Delta, Patch};
use super::reel::{LAST_FRAME_SECS, Reel};

/// Writes a film that begins again and again.
///
/// # Errors
/// What drawing, watching and writing give.
pub(super) fn write(
    out: &mut dyn Write,
    reel: &Reel<'_>,
    watch: &mut dyn FnMut(usize) -> bool,
) -> io::Result<()> {
    let samples = reel.samples()?;
    let Some(first) = samples.first() else { return Ok(()) };
    let mut encoder = Encoder::new(out, first.width as u32, first.height as u32);
    let mut delta = Delta::new(ColorTable::of(&samples));
    drop(samples);
    encoder.set_color(ColorType::Indexed);
    encoder.set_depth(BitDepth::Eight);
    let (colors, opaque) = (delta.table.bytes(), usize::from(UNCHANGED));
    // The index that stands for "unchanged" is the only transparent one; colors that are not used fill the table.
    encoder.set_palette([colors.as_slice(), &[0; 3 * 256][colors.len()..]].concat());
    encoder.set_trns([vec![255; opaque], vec![0]].concat());
    encoder.set_compression(Compression::Balanced);
    // After it, which chooses a filter too. Neighboring indices say nothing about one another.
    encoder.set_filter(Filter::NoFilter);
    encoder.set_animated(reel.count as u32, 0).map_err(failed)?;
    let mut writer = encoder.write_header().map_err(failed)?;
    let mut number = 0;
    reel.play(watch, &mut |picture| {
        let Patch { left, top, width, height, indices } = delta.next(&picture);
        if number > 0 {
            let [left, top, width, height] = [left, top, width, height].map(|side| side as u32);
            // Position before size: both are checked against the picture.
            writer.reset_frame_position().map_err(failed)?;
            writer.set_frame_dimension(width, height).map_err(failed)?;
            writer.set_frame_position(left, top).map_err(failed)?;
            writer.set_blend_op(BlendOp::Over).map_err(failed)?;
        }
        writer.set_dispose_op(DisposeOp::None).map_err(failed)?;
        number += 1;
        let (numerator, denominator) = if number == reel.count {
            ((1000.0 * LAST_FRAME_SECS) as u16, 1000)
        } else {
            (1, reel.per_second as u16)
        };
        writer.set_frame_delay(numerator, denominator).map_err(failed)?;
        writer.write_image_data(&indices).map_err(failed)
    })?;
    writer.finish().map_err(failed)
}

fn failed(error: EncodingError) -> io::Error {
    match error {
        EncodingError::IoError(error) => error,
        error => io::Error::other(error),
    }
}
