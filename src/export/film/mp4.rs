//! MP4: made by `ffmpeg`, where it is installed.

use std::fs::File;
use std::io::{self, Write};
use std::process::{Child, Command, Stdio};

use super::super::ExportError;
use super::reel::Reel;
use crate::figures::Picture;

/// Video players want even sides, and colors at half the resolution.
const FOR_PLAYERS: [&str; 6] =
    ["-vf", "pad=ceil(iw/2)*2:ceil(ih/2)*2", "-pix_fmt", "yuv420p", "-movflags", "+faststart"];

/// True if there is `ffmpeg` on the path.
#[must_use]
pub fn has_encoder() -> bool {
    let name = format!("ffmpeg{}", std::env::consts::EXE_SUFFIX);
    let folders = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&folders).any(|folder| folder.join(&name).is_file())
}

/// What to do where there is none.
#[must_use]
pub fn without_encoder(per_second: u32) -> String {
    let command = command_line(per_second);
    format!(
        "MP4 needs ffmpeg, which is not on the path: install it, or save numbered pictures and type in their folder: \
         {command}"
    )
}

/// What to type in a folder of numbered pictures to make a film of them.
#[must_use]
pub fn command_line(per_second: u32) -> String {
    let options = FOR_PLAYERS
        .map(|word| if word.contains('(') { format!("\"{word}\"") } else { word.to_owned() });
    format!("ffmpeg -framerate {per_second} -i frame-%05d.png {} film.mp4", options.join(" "))
}

/// Writes a film by sending every frame to `ffmpeg`.
///
/// # Errors
/// [`ExportError::Film`] inside if there is no `ffmpeg`, or if it refuses; what drawing, watching and writing give.
pub(super) fn write(
    out: &mut dyn Write,
    reel: &Reel<'_>,
    watch: &mut dyn FnMut(usize) -> bool,
) -> io::Result<()> {
    let Some(Picture { width, height, .. }) = reel.samples()?.into_iter().next() else {
        return Ok(());
    };
    // It goes back in its file when it is done, so it needs one of its own.
    let folder = tempfile::tempdir()?;
    let (film, notes) = (folder.path().join("film.mp4"), folder.path().join("notes.txt"));
    let mut ffmpeg = Command::new("ffmpeg")
        .args(["-loglevel", "error", "-f", "rawvideo", "-pix_fmt", "rgba"])
        .args(["-s", &format!("{width}x{height}"), "-r", &reel.per_second.to_string(), "-i", "-"])
        .args(FOR_PLAYERS)
        .arg(&film)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(File::create(&notes)?)
        .spawn()
        .map_err(|_| refused(&without_encoder(reel.per_second)))?;
    let sent = send(&mut ffmpeg, reel, watch);
    if matches!(&sent, Err(error) if error.kind() != io::ErrorKind::BrokenPipe) {
        // Stopped, or a frame that cannot be drawn: half a film is of no use.
        let _ = ffmpeg.kill();
        let _ = ffmpeg.wait();
        return sent;
    }
    if !ffmpeg.wait()?.success() {
        let notes = std::fs::read_to_string(&notes).unwrap_or_default();
        let why = notes.lines().next().unwrap_or("it did not say why");
        return Err(refused(&format!("ffmpeg could not make the film: {why}")));
    }
    // It hung up before all frames were sent, and yet all is said to be well.
    sent?;
    io::copy(&mut File::open(&film)?, out)?;
    Ok(())
}

/// Sends all frames; the pipe closes behind the last one.
fn send(
    ffmpeg: &mut Child,
    reel: &Reel<'_>,
    watch: &mut dyn FnMut(usize) -> bool,
) -> io::Result<()> {
    let Some(mut pipe) = ffmpeg.stdin.take() else {
        return Err(io::ErrorKind::BrokenPipe.into());
    };
    reel.play(watch, &mut |picture| pipe.write_all(&picture.rgba))
}

fn refused(why: &str) -> io::Error {
    io::Error::other(ExportError::Film(why.to_owned()))
}
