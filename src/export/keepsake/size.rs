//! Size: sessions that would fill the memory are refused, when they are written and when they are read.

use std::io::{BufRead, ErrorKind, Read};

use flate2::bufread::GzDecoder;

use super::{KeepsakeError, is_session};
use crate::data::memory;

/// A session is never larger than this; a file that unpacks to more was made to fill the memory.
pub const MOST_BYTES: u64 = 2_000_000_000;

/// Why a session cannot be saved with the points of its file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "{points} points are too many for a session, which takes {} of memory to write: save the experiment instead, which \
     names their file", memory::in_words(*.bytes)
)]
pub struct TooManyPoints {
    /// How many there are.
    pub points: u64,
    /// Bytes that it takes to write them.
    pub bytes: u64,
}

/// Bytes that a point takes while it is written: as it is, as a number of the file, as bytes and as text, and packed.
const BYTES_TO_WRITE_A_POINT: u64 = 72;

/// Bytes of a point in the file before it is packed: base64 of 16.
const BYTES_OF_A_POINT: u64 = 22;

/// Bytes that a part of a list or object takes once it is read, whatever is in it: a JSON value and its place in a tree.
const BYTES_OF_A_PART: u64 = 100;

/// Refuses so many points of a file.
pub(super) fn check_points(points: u64, available: u64) -> Result<(), TooManyPoints> {
    let bytes = points.saturating_mul(BYTES_TO_WRITE_A_POINT);
    let is_too_much = bytes > available / 2 || points.saturating_mul(BYTES_OF_A_POINT) > MOST_BYTES;
    if is_too_much { Err(TooManyPoints { points, bytes }) } else { Ok(()) }
}

/// A source that counts what was taken of it.
struct Counted<R> {
    source: R,
    count: usize,
}

impl<R: BufRead> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.source.read(buffer)?;
        self.count += count;
        Ok(count)
    }
}

impl<R: BufRead> BufRead for Counted<R> {
    fn fill_buf(&mut self) -> std::io::Result<&[u8]> {
        self.source.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        self.count += amount;
        self.source.consume(amount);
    }
}

/// What was compressed, if nothing of it is missing and it takes at most so many bytes.
pub(super) fn unpacked(
    name: &str,
    source: impl BufRead,
    most: u64,
) -> Result<Vec<u8>, KeepsakeError> {
    let name = name.to_owned();
    let mut source = Counted { source, count: 0 };
    match source.fill_buf() {
        Err(error) => {
            let reason = error.to_string();
            return Err(KeepsakeError::Unreadable { name, reason });
        }
        Ok(head) if !is_session(head) => {
            let reason = "it does not begin as one".to_owned();
            return Err(KeepsakeError::Other { name, reason });
        }
        Ok(_) => {}
    }
    let mut text = Vec::new();
    let mut decoder = GzDecoder::new(source);
    let result = decoder.by_ref().take(most).read_to_end(&mut text);
    if let Err(error) = result {
        let count = decoder.get_ref().count;
        let reason = match error.kind() {
            ErrorKind::UnexpectedEof => {
                format!("it ends after {count} bytes, before its content does")
            }
            _ => format!("{error}, in its first {count} bytes"),
        };
        return Err(KeepsakeError::Damaged { name, reason });
    }
    // A few bytes of text may become many of memory.
    let parts = text.iter().filter(|byte| matches!(byte, b',' | b'[' | b'{' | b'\\')).count();
    if text.len() as u64 >= most || (parts as u64).saturating_mul(BYTES_OF_A_PART) > most {
        return Err(KeepsakeError::TooLarge { name, most });
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    #[test]
    fn what_would_fill_the_memory_is_refused_before_it_does() {
        let most = 1_000_000;
        let check = |text: &str, is_refused: bool| {
            let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
            encoder.write_all(text.as_bytes()).unwrap();
            let bytes = encoder.finish().unwrap();
            let result = unpacked("x", &bytes[..], most);
            assert_eq!(result.is_err(), is_refused, "{}", &text[..10]);
            if let Err(error) = result {
                let expected = "x holds more than the 1.0 MB that can be opened here";
                assert!(error.to_string().starts_with(expected), "{error}");
            }
        };
        check(&"a".repeat(900_000), false);
        check(&"a".repeat(1_000_001), true);
        // Each of these would become a list of its own.
        for part in ["[],", "{},", "7,"] {
            check(&part.repeat(4_000), false);
            check(&part.repeat(12_000), true);
        }
    }

    #[test]
    fn more_points_than_a_session_can_hold_are_refused_with_what_to_try() {
        let available = 64 << 30;
        assert_eq!(check_points(1_000_000, available), Ok(()));
        assert!(check_points(100_000_000, available).is_err(), "the file would be too large");
        let error = check_points(1_000_000, 100_000_000).unwrap_err().to_string();
        assert!(error.starts_with("1000000 points are too many for a session, which takes 72 MB"));
        assert!(error.contains("save the experiment instead"), "{error}");
    }
}
