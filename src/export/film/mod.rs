//! Films: training as a moving picture, frame by frame, in a format that slides and browsers play.
//!
//! Frames are drawn on a few threads, put in order and encoded as they come, so that a film takes no more memory than a
//! handful of frames. GIF and APNG share a table of at most 255 colors and write only what changed since the last frame.

mod apng;
mod colors;
mod delta;
mod gif;
mod mp4;
mod numbered;
mod plan;
mod reel;

use std::io;
use std::path::Path;

pub use mp4::{command_line, has_encoder, without_encoder};
pub use plan::{Length, MAX_FRAMES, steps};
pub use reel::Reel;

use super::{ExportError, write_file_by};

/// How a film is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FilmFormat {
    /// What every program plays.
    Gif,
    /// The same with exact times.
    Apng,
    /// Made by `ffmpeg`, which has to be installed.
    Mp4,
    /// A folder of numbered pictures, in full color.
    Frames,
}

impl FilmFormat {
    /// All, the first proposed.
    pub const ALL: [FilmFormat; 4] =
        [FilmFormat::Gif, FilmFormat::Apng, FilmFormat::Mp4, FilmFormat::Frames];

    /// The ending of file names; empty for a folder.
    #[must_use]
    pub fn extension(self) -> &'static str {
        match self {
            FilmFormat::Gif => "gif",
            FilmFormat::Apng => "apng",
            FilmFormat::Mp4 => "mp4",
            FilmFormat::Frames => "",
        }
    }

    /// The format that a file's name asks for; a name without ending is a folder.
    #[must_use]
    pub fn of(path: &Path) -> Option<FilmFormat> {
        let ending = path.extension().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
        FilmFormat::ALL.into_iter().find(|format| format.extension() == ending)
    }
}

/// Writes a film all at once: after an error, or when `watch` stops it, what was there before is still there. `watch`
/// hears how many frames are done, and gives false to stop. False if it was stopped.
///
/// # Errors
/// What a frame gives; [`ExportError::Write`] with the path and what to try; [`ExportError::Film`] without `ffmpeg`.
pub fn film(
    path: &Path,
    format: FilmFormat,
    reel: &Reel<'_>,
    watch: &mut dyn FnMut(usize) -> bool,
) -> Result<bool, ExportError> {
    let written = match format {
        FilmFormat::Gif => write_file_by(path, |file| gif::write(file, reel, watch)),
        FilmFormat::Apng => write_file_by(path, |file| apng::write(file, reel, watch)),
        FilmFormat::Mp4 => write_file_by(path, |file| mp4::write(file, reel, watch)),
        FilmFormat::Frames => numbered::write(path, reel, watch),
    };
    match written {
        Ok(()) => Ok(true),
        Err(ExportError::Write { source, .. }) if source.kind() == io::ErrorKind::Interrupted => {
            Ok(false)
        }
        Err(ExportError::Write { path, source, advice }) => {
            // A frame's own error says more than that the file could not be written.
            Err(match source.downcast::<ExportError>() {
                Ok(of_frame) => of_frame,
                Err(source) => ExportError::Write { path, source, advice },
            })
        }
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::PathBuf;

    use image::AnimationDecoder;

    use super::*;
    use crate::figures::Picture;

    const SIZE: [usize; 2] = [40, 30];

    /// A square that wanders over a colored ground.
    fn frame(i: usize) -> Picture {
        let [width, height] = SIZE;
        let pixel = |at: usize| {
            let (x, y) = (at % width, at / width);
            let is_inside = (i..i + 8).contains(&x) && (10..18).contains(&y);
            if is_inside { [250, 40, 10, 255] } else { [0, (x * 6) as u8, (y * 8) as u8, 255] }
        };
        let rgba = (0..width * height).flat_map(pixel).collect();
        Picture { width, height, rgba }
    }

    fn write(path: &Path, format: FilmFormat) -> Result<bool, ExportError> {
        let draw = |i| Ok(frame(i));
        film(path, format, &Reel { count: 12, per_second: 30, draw: &draw }, &mut |_| true)
    }

    fn read(path: &Path, format: FilmFormat) -> Vec<image::Frame> {
        let file = std::io::BufReader::new(fs::File::open(path).unwrap());
        let frames = if format == FilmFormat::Gif {
            image::codecs::gif::GifDecoder::new(file).unwrap().into_frames()
        } else {
            image::codecs::png::PngDecoder::new(file).unwrap().apng().unwrap().into_frames()
        };
        frames.collect_frames().unwrap()
    }

    #[test]
    fn every_frame_comes_back_as_it_was_drawn() {
        let folder = tempfile::tempdir().unwrap();
        for format in [FilmFormat::Gif, FilmFormat::Apng] {
            let path = folder.path().join(format!("film.{}", format.extension()));
            assert!(write(&path, format).unwrap());
            let frames = read(&path, format);
            assert_eq!(frames.len(), 12, "{format:?}");
            for (i, got) in frames.iter().enumerate() {
                let expected = frame(i).rgba;
                let pixels = got.buffer().as_raw().iter().zip(&expected);
                let squares: f64 = pixels.map(|(a, b)| f64::from(a.abs_diff(*b)).powi(2)).sum();
                let error = (squares / expected.len() as f64).sqrt();
                // 1200 colors were drawn, and 255 are in the table.
                assert!(error < 8.0, "{format:?} {i}: {error}");
            }
            let millis = |frame: &image::Frame| {
                let (numerator, denominator) = frame.delay().numer_denom_ms();
                f64::from(numerator) / f64::from(denominator)
            };
            let all: f64 = frames.iter().take(11).map(millis).sum();
            assert!((all - 11.0 * 1000.0 / 30.0).abs() <= 10.0, "{format:?} {all}");
            assert!(millis(&frames[11]) >= 1000.0, "the last frame stays");
            let first = fs::read(&path).unwrap();
            write(&path, format).unwrap();
            assert_eq!(
                fs::read(&path).unwrap(),
                first,
                "{format:?}: the same film, the same bytes"
            );
        }
    }

    #[test]
    fn numbered_pictures_are_exact_and_a_folder_in_use_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("frames of # 1 %");
        assert!(write(&path, FilmFormat::Frames).unwrap());
        for i in [0, 11] {
            let name = path.join(format!("frame-{:05}.png", i + 1));
            assert_eq!(*image::open(name).unwrap().to_rgba8().as_raw(), frame(i).rgba);
        }
        assert_eq!(fs::read_dir(&path).unwrap().count(), 12);
        let error = write(&path, FilmFormat::Frames).unwrap_err().to_string();
        assert!(error.contains("frames of # 1 %") && error.contains("another name"), "{error}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_film_that_is_stopped_or_breaks_leaves_what_was_there() {
        let folder = tempfile::tempdir().unwrap();
        for format in [FilmFormat::Gif, FilmFormat::Apng, FilmFormat::Frames] {
            let path = folder.path().join("film");
            if format != FilmFormat::Frames {
                fs::write(&path, "old").unwrap();
            }
            let draw = |i| if i < 5 { Ok(frame(i)) } else { Err(broken()) };
            let few = Reel { count: 5, per_second: 30, draw: &draw };
            assert!(!film(&path, format, &few, &mut |done| done < 3).unwrap());
            let all = Reel { count: 12, per_second: 30, draw: &draw };
            let error = film(&path, format, &all, &mut |_| true).unwrap_err();
            assert_eq!(error.to_string(), broken().to_string());
            let is_there = fs::read(&path).is_ok_and(|bytes| bytes == b"old");
            assert_eq!(is_there, format != FilmFormat::Frames);
            let _ = fs::remove_file(&path);
            assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "{format:?}");
        }
    }

    fn broken() -> ExportError {
        ExportError::Film("frame 6 does not exist".to_owned())
    }

    #[test]
    fn names_tell_formats() {
        let of = |name: &str| FilmFormat::of(&PathBuf::from(name));
        assert_eq!(of("a/b.GIF"), Some(FilmFormat::Gif));
        assert_eq!(of("frames"), Some(FilmFormat::Frames));
        assert_eq!(of("film.avi"), None);
        for format in FilmFormat::ALL {
            assert_eq!(of(&format!("x.{}", format.extension())), Some(format));
        }
    }
}
