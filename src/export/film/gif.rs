//! GIF: what every program plays.

use std::borrow::Cow;
use std::io::{self, Write};

use gif::{DisposalMethod, Encoder, EncodingError, Frame, Repeat};

use super::colors::{ColorTable, UNCHANGED};
use super::delta::{Delta, Patch};
use super::reel::{LAST_FRAME_SECS, Reel};
use crate::figures::Picture;

/// The largest side that the format knows.
const MAX_SIDE: usize = u16::MAX as usize;

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
    let Some(Picture { width, height, .. }) = samples.first() else { return Ok(()) };
    let [width, height] = [*width, *height].map(|side| side.min(MAX_SIDE) as u16);
    let mut delta = Delta::new(ColorTable::of(&samples));
    drop(samples);
    // As long as the index that stands for "unchanged" needs it.
    let mut colors = delta.table.bytes();
    colors.resize(3 * (usize::from(UNCHANGED) + 1), 0);
    let mut encoder = Encoder::new(out, width, height, &colors).map_err(failed)?;
    encoder.set_repeat(Repeat::Infinite).map_err(failed)?;
    let mut number = 0;
    reel.play(watch, &mut |picture| {
        let Patch { left, top, width, height, indices } = delta.next(&picture);
        let [left, top, width, height] = [left, top, width, height].map(|side| side as u16);
        let frame = Frame {
            delay: delay(number, reel),
            dispose: DisposalMethod::Keep,
            transparent: (number > 0).then_some(UNCHANGED),
            left,
            top,
            width,
            height,
            buffer: Cow::Owned(indices),
            ..Frame::default()
        };
        number += 1;
        encoder.write_frame(&frame).map_err(failed)
    })
}

/// Hundredths of a second that a frame stays, such that rounding does not add up.
fn delay(number: usize, reel: &Reel<'_>) -> u16 {
    if number + 1 == reel.count {
        return (100.0 * LAST_FRAME_SECS) as u16;
    }
    let until = |frame: usize| (100.0 * frame as f64 / f64::from(reel.per_second)).round();
    (until(number + 1) - until(number)) as u16
}

fn failed(error: EncodingError) -> io::Error {
    match error {
        EncodingError::Io(error) => error,
        error => io::Error::other(error),
    }
}
