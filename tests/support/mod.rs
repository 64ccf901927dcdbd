//! Pictures of the window for tests: drawn on the CPU, compared with those in `screenshots/`.

#![allow(dead_code, reason = "every test program uses the parts that it needs")]

pub mod renderer;
pub mod window;

use std::path::Path;

use image::RgbaImage;

/// How far pictures may differ on average, per channel of 0 to 255.
const MEAN_TOLERANCE: f64 = 2.0;

/// How far a channel of a pixel may be off before the pixel counts as different.
const PIXEL_TOLERANCE: u8 = 48;

/// Which share of the pixels may be different.
const SHARE_TOLERANCE: f64 = 0.01;

/// Compares a picture with `screenshots/NAME.png`.
///
/// Writes it there instead if there is none yet, or if the environment variable `SCORESCOPE_WRITE_SCREENSHOTS` is set.
///
/// # Panics
/// If the pictures differ; the new one then lies in `target/screenshots/NAME.png`.
#[track_caller]
pub fn compare(name: &str, picture: &RgbaImage) {
    let stored = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("screenshots/{name}.png"));
    let other = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("../screenshots/{name}.png"));
    let is_wanted = std::env::var_os("SCORESCOPE_WRITE_SCREENSHOTS").is_some();
    if is_wanted || !stored.exists() {
        write(&stored, picture);
    } else if let Err(message) = check(&stored, &other, picture) {
        panic!("{message}");
    }
}

/// Compares a picture with a stored one; where they differ, writes the new one elsewhere and says how.
///
/// # Errors
/// What is different, and where both pictures lie.
pub fn check(stored: &Path, other: &Path, picture: &RgbaImage) -> Result<(), String> {
    let expected = image::open(stored)
        .unwrap_or_else(|error| panic!("{} is not a picture: {error}", stored.display()))
        .into_rgba8();
    let difference = if expected.dimensions() == picture.dimensions() {
        let difference = Difference::between(&expected, picture);
        if difference.is_tolerable() {
            return Ok(());
        }
        format!(
            "channels are off by {:.2} of 255 on average and {:.2}% of the pixels by more than {PIXEL_TOLERANCE}",
            difference.mean,
            100.0 * difference.share
        )
    } else {
        format!("the sizes are {:?} and {:?}", expected.dimensions(), picture.dimensions())
    };
    write(other, picture);
    Err(format!(
        "{} differs from the new {}: {difference}. If the new one is right, run again with \
         SCORESCOPE_WRITE_SCREENSHOTS=1",
        stored.display(),
        other.display()
    ))
}

/// How far two pictures of one size are apart.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Difference {
    /// Mean absolute difference per channel, from 0 to 255.
    pub mean: f64,
    /// Share of the pixels that are clearly different.
    pub share: f64,
}

impl Difference {
    /// The difference of two pictures of one size.
    pub fn between(a: &RgbaImage, b: &RgbaImage) -> Difference {
        let (mut sum, mut different) = (0_u64, 0_u64);
        for (a, b) in a.pixels().zip(b.pixels()) {
            let channels = a.0.into_iter().zip(b.0).map(|(a, b)| a.abs_diff(b));
            sum += channels.clone().map(u64::from).sum::<u64>();
            different += u64::from(channels.max() > Some(PIXEL_TOLERANCE));
        }
        let count = (a.width() * a.height()).max(1);
        Difference {
            mean: sum as f64 / f64::from(4 * count),
            share: different as f64 / f64::from(count),
        }
    }

    fn is_tolerable(self) -> bool {
        self.mean <= MEAN_TOLERANCE && self.share <= SHARE_TOLERANCE
    }
}

fn write(path: &Path, picture: &RgbaImage) {
    let folder = path.parent().expect("a picture lies in a folder");
    std::fs::create_dir_all(folder)
        .and_then(|()| picture.save(path).map_err(std::io::Error::other))
        .unwrap_or_else(|error| panic!("{} cannot be written: {error}", path.display()));
}
