//! Input: the bytes of a file as they come, and whoever watches them come.

use std::io::Read;
use std::ops::ControlFlow;

use super::{FormatError, MOST_UNSIZED};
use crate::data::memory;

/// How many bytes are read and understood at a time.
const BLOCK: usize = 1 << 20;

/// How much of a file has been read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Bytes so far.
    pub bytes_read: u64,
    /// Bytes of the whole file; 0 where nobody knows, as in a pipe.
    pub bytes_in_all: u64,
}

impl Progress {
    /// From 0 to 1; 0 where nobody knows.
    #[must_use]
    pub fn share(&self) -> f64 {
        self.bytes_read.min(self.bytes_in_all) as f64 / self.bytes_in_all.max(1) as f64
    }
}

/// Is told after every block how far reading is, and stops it with `Break`.
pub type Watch<'a> = dyn FnMut(Progress) -> ControlFlow<()> + 'a;

/// A [`Watch`] that looks away.
pub fn unwatched(_: Progress) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

/// The bytes of a file, from the first to the last.
pub(super) struct Input<'a, 'w> {
    /// What messages call it.
    pub name: &'a str,
    /// How many bytes there are; 0 where nobody knows.
    pub size: u64,
    /// How many bytes of memory there are for what is in it.
    pub available: u64,
    /// How many bytes are read at a time.
    pub block: usize,
    /// How many bytes are kept at most where nobody knows how many there are.
    pub most_unsized: u64,
    source: &'a mut dyn Read,
    read: u64,
    watch: &'a mut Watch<'w>,
}

impl<'a, 'w> Input<'a, 'w> {
    /// Bytes from `source`, of which `size` count: what is appended to a file meanwhile does not.
    pub fn new(
        name: &'a str,
        source: &'a mut dyn Read,
        size: u64,
        available: u64,
        watch: &'a mut Watch<'w>,
    ) -> Input<'a, 'w> {
        Input {
            name,
            size,
            available,
            block: BLOCK,
            most_unsized: MOST_UNSIZED,
            source,
            read: 0,
            watch,
        }
    }

    /// Appends so many bytes to a buffer, or what is left of them. False once nothing is left.
    pub fn read(&mut self, count: usize, buffer: &mut Vec<u8>) -> Result<bool, FormatError> {
        let left = if self.size > 0 { self.size - self.read } else { u64::MAX };
        let mut left = left.min(count as u64);
        while left > 0 {
            let source = &mut *self.source;
            let got = (source.take(left.min(self.block as u64)).read_to_end(buffer))
                .map_err(|source| FormatError::Read { path: self.name.to_owned(), source })?;
            if got == 0 {
                return Ok(false);
            }
            self.read += got as u64;
            left -= got as u64;
            let progress = Progress { bytes_read: self.read, bytes_in_all: self.size };
            if (self.watch)(progress).is_break() {
                return Err(FormatError::Cancelled { name: self.name.to_owned() });
            }
        }
        Ok(self.has_more())
    }

    /// True if bytes are left.
    pub fn has_more(&self) -> bool {
        self.size == 0 || self.read < self.size
    }

    /// Appends all that is left to a buffer, as far as memory allows; else says what to try.
    pub fn read_all(
        &mut self,
        buffer: &mut Vec<u8>,
        advice: &'static str,
    ) -> Result<(), FormatError> {
        self.afford(self.size, || "all of it at once".to_owned(), advice)?;
        // At once, or the buffer would be copied into ever larger ones.
        buffer.reserve_exact(self.size.saturating_sub(self.read) as usize);
        while self.read(self.block, buffer)? {
            if self.size == 0 && buffer.len() as u64 > self.most_unsized {
                return Err(FormatError::LongPipe { name: self.name.to_owned() });
            }
            // A buffer that grows is there twice for a moment, the new one twice as large.
            let needed = if self.size == 0 { 3 * buffer.len() as u64 } else { self.size };
            self.afford(needed, || "what has come of it so far".to_owned(), advice)?;
        }
        Ok(())
    }

    /// Refuses what would need more bytes of memory than there are: what that is, and what to try.
    pub fn afford(
        &self,
        needed: u64,
        what: impl FnOnce() -> String,
        advice: &'static str,
    ) -> Result<(), FormatError> {
        memory::check(needed, self.available).map_err(|shortage| FormatError::TooLarge {
            name: self.name.to_owned(),
            what: what(),
            shortage,
            advice,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::formats::{parse, points};

    /// What becomes of bytes under a watch, and what the watch was told.
    fn watched(
        name: &str,
        bytes: &[u8],
        block: usize,
        stop_after: usize,
    ) -> (Result<crate::data::formats::Loaded, FormatError>, Vec<Progress>) {
        let mut told = Vec::new();
        let mut watch = |progress| {
            told.push(progress);
            if told.len() == stop_after {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        };
        let mut source = bytes;
        let mut input = Input::new(name, &mut source, bytes.len() as u64, u64::MAX, &mut watch);
        input.block = block;
        let loaded = points(&mut input, None);
        (loaded, told)
    }

    /// The same hundred points in every format.
    fn files() -> [(&'static str, Vec<u8>); 4] {
        let rows = |i: u32| format!("{i},{}\n", i * i);
        let table: String = (0..100).map(rows).collect();
        let header = |order| {
            let text = format!("{{'descr': '<f8', 'fortran_order': {order}, 'shape': (100, 2)}}\n");
            [b"\x93NUMPY\x01\0", &(text.len() as u16).to_le_bytes()[..], text.as_bytes()].concat()
        };
        let number = |i: u32, axis: u32| f64::from(if axis == 0 { i } else { i * i }).to_le_bytes();
        let by_rows = (0..100).flat_map(|i| [number(i, 0), number(i, 1)]).flatten();
        let by_columns = (0..2).flat_map(|axis| (0..100).map(move |i| number(i, axis))).flatten();
        [
            ("x.txt", table.replace(',', "  ").into_bytes()),
            ("x.csv", table.into_bytes()),
            ("c.npy", header("False").into_iter().chain(by_rows).collect()),
            ("f.npy", header("True").into_iter().chain(by_columns).collect()),
        ]
    }

    #[test]
    fn progress_grows_from_block_to_block_and_ends_at_one() {
        for (name, bytes) in files() {
            let whole = parse(name, &bytes, None).unwrap();
            assert_eq!(whole.points[99], [99.0, 9801.0], "{name}");
            for block in [140, 333] {
                let (loaded, told) = watched(name, &bytes, block, usize::MAX);
                assert_eq!(loaded.unwrap(), whole, "{name} in blocks of {block}");
                assert!(told.len() >= bytes.len() / (2 * block), "{name}: {}", told.len());
                let steps = told.windows(2).map(|pair| pair[1].bytes_read - pair[0].bytes_read);
                assert!(steps.clone().all(|step| step > 0 && step <= block as u64), "{name}");
                assert_eq!(told.last().map(Progress::share), Some(1.0), "{name}");
            }
        }
    }

    #[test]
    fn who_watches_stops_it_at_any_block_and_no_further_one_is_read() {
        for (name, bytes) in files() {
            for stop_after in 1..=3 {
                let (loaded, told) = watched(name, &bytes, 140, stop_after);
                let error = loaded.unwrap_err().to_string();
                assert_eq!(
                    error,
                    format!("{name} was not read to its end, because that was cancelled")
                );
                assert_eq!(told.len(), stop_after, "{name}");
                assert_eq!(told.last().map(|p| p.bytes_read), Some(140 * stop_after as u64));
            }
        }
    }

    #[test]
    fn what_does_not_fit_into_memory_is_refused_before_it_is_read() {
        // A hundred points, said to be followed by as many again, ten thousand times over.
        let (_, table) = &files()[1];
        let mut source = &table[..];
        let mut told = Vec::new();
        let mut watch = |progress| {
            told.push(progress);
            ControlFlow::Continue(())
        };
        let size = 10_000 * table.len() as u64;
        let mut input = Input::new("x.csv", &mut source, size, 10_000_000, &mut watch);
        input.block = 400;
        let error = points(&mut input, None).unwrap_err().to_string();
        let expected =
            " rows would need 51 MB of memory, and only 10 MB can be had: save a part of the rows";
        assert!(error.starts_with("x.csv: about 1") && error.ends_with(expected), "{error}");
        assert_eq!(told.len(), 1, "no more than the first block is read");
    }

    #[test]
    fn a_pipe_is_read_as_far_as_memory_allows() {
        let mut endless = std::io::repeat(b'1');
        let mut watch = unwatched;
        let mut bytes = Vec::new();
        let advice = "save it as a file and open that";
        let mut pipe = Input::new("pipe", &mut endless, 0, 15_000_000, &mut watch);
        let error = pipe.read_all(&mut bytes, advice).unwrap_err().to_string();
        assert!(error.starts_with("pipe: what has come of it so far would need 1"), "{error}");
        assert!(error.ends_with(advice), "{error}");
        assert!(bytes.len() <= 5_000_000 + BLOCK, "{}", bytes.len());
    }

    #[test]
    fn a_pipe_that_never_ends_is_hung_up_whatever_there_is() {
        let mut endless = std::io::repeat(b'1');
        let mut watch = unwatched;
        let mut bytes = Vec::new();
        let mut pipe = Input::new("pipe", &mut endless, 0, u64::MAX, &mut watch);
        pipe.most_unsized = 3_000_000;
        let error = pipe.read_all(&mut bytes, "").unwrap_err().to_string();
        let expected = "pipe: a pipe may hold 1 GB at most: save it as a file and open that";
        assert_eq!(error, expected);
        assert!(bytes.len() <= 3_000_000 + BLOCK, "{}", bytes.len());
    }

    #[test]
    fn what_tells_its_size_gets_one_buffer_of_it() {
        let all = vec![7; 3_500_000];
        let (mut source, mut watch) = (&all[..], unwatched);
        let mut input = Input::new("x.png", &mut source, 3_500_000, u64::MAX, &mut watch);
        let mut bytes = Vec::new();
        input.read(input.block, &mut bytes).unwrap();
        input.read_all(&mut bytes, "").unwrap();
        assert_eq!((bytes.len(), bytes.capacity()), (3_500_000, 3_500_000));
    }
}
