//! How figures were exported last, as a file, from one start of the program to the next.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::{COLUMNS, Printing};
use crate::export::write_file;

/// Counts up with every change that would mislead a program that reads the file.
const VERSION: u32 = 1;

#[derive(Serialize, Deserialize)]
struct Written {
    version: u32,
    printing: Printing,
}

impl Printing {
    /// What a file says; `None` if there is none, or one that is damaged, newer, or asks for what is not possible.
    #[must_use]
    pub fn read(file: &Path) -> Option<Printing> {
        let written: Written = serde_json::from_slice(&std::fs::read(file).ok()?).ok()?;
        let is_known = written.version == VERSION;
        is_known.then_some(written.printing).filter(Printing::is_possible)
    }

    /// Writes what is to be remembered, in a folder that is made where it is missing.
    ///
    /// # Errors
    /// If the folder cannot be made, or the file cannot be written.
    pub fn write(&self, file: &Path) -> anyhow::Result<()> {
        if let Some(folder) = file.parent() {
            std::fs::create_dir_all(folder)?;
        }
        let written = Written { version: VERSION, printing: self.clone() };
        Ok(write_file(file, &serde_json::to_vec_pretty(&written)?)?)
    }

    /// Takes over what was remembered, unless something has been chosen since the program started.
    pub fn take_up(&mut self, remembered: Printing) {
        // These belong to what is on screen.
        let (sample_count, last_step) = (self.sample_count, self.film.last_step);
        let here = |mut printing: Printing| {
            (printing.sample_count, printing.film.last_step) = (sample_count, last_step);
            printing
        };
        if *self == here(Printing::default()) {
            *self = here(remembered);
        }
    }

    /// True if the dialog could have asked for it.
    fn is_possible(&self) -> bool {
        self.style.check().is_ok()
            && COLUMNS.contains(&self.style.columns)
            && self.film.is_possible()
            && self.what.formats().contains(&self.format)
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use serde_json::{Value, json};

    use super::*;
    use crate::app::App;
    use crate::app::exports::{Format, What};
    use crate::app::filming::Film;
    use crate::export::film::Length;
    use crate::export::style::{Background, Preset, Style, Unit};
    use crate::figures::truth::Measure;

    /// No copy is due within a test.
    const LONG: Duration = Duration::from_hours(1);

    /// Nothing in it is as usual, but for what belongs to the screen.
    fn unusual() -> Printing {
        let style = Style {
            width: 8.4 / 2.54,
            height: Some(5.0),
            unit: Unit::Centimeter,
            columns: 2,
            has_letters: false,
            has_legend: false,
            has_caption: true,
            ..Style::of(Preset::Poster)
        };
        Printing {
            what: What::Distance(Measure::Fisher),
            format: Format::Pdf,
            film: Film {
                pixels: [1920, 1080],
                font_size: 22.5,
                per_second: 25,
                length: Length::EveryNth(3),
                last_step: 0,
            },
            style,
            background: Some(Background::Transparent),
            ..Printing::default()
        }
    }

    fn program(folder: &Path) -> App {
        let mut app = App::new(&egui::Context::default(), None).unwrap();
        app.keep_in(folder, LONG);
        app
    }

    /// Lets a program receive until its jobs are done, all of which are quick.
    fn settle(app: &mut App, is_there: impl Fn(&App) -> bool) {
        let began = Instant::now();
        while !is_there(app) {
            assert!(began.elapsed() < Duration::from_secs(30), "it never comes");
            app.receive();
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    #[test]
    fn another_program_exports_as_the_one_before() {
        let data = tempfile::tempdir().unwrap();
        let file = data.path().join("exports.json");
        let mut before = program(data.path());
        before.printing = Printing { sample_count: Some(7), ..unusual() };
        before.remember_printing();
        settle(&mut before, |_| file.exists());
        let mut after = program(data.path());
        settle(&mut after, |app| app.printing != Printing::default());
        assert_eq!(after.printing, unusual());
        // What has been chosen meanwhile stays.
        let mut chosen = Printing { format: Format::Svg, ..Printing::default() };
        chosen.take_up(unusual());
        assert_eq!(chosen, Printing { format: Format::Svg, ..Printing::default() });
        let mut asked = Printing { sample_count: Some(500), ..Printing::default() };
        asked.take_up(unusual());
        assert_eq!(asked, Printing { sample_count: Some(500), ..unusual() });
    }

    #[test]
    fn without_a_folder_nothing_is_kept() {
        let mut app = App::new(&egui::Context::default(), None).unwrap();
        app.printing = unusual();
        app.remember_printing();
        assert!(!app.jobs.is_busy() && app.notice().is_none());
    }

    #[test]
    fn damaged_newer_and_impossible_files_are_as_none() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("new/exports.json");
        assert_eq!(Printing::read(&file), None);
        unusual().write(&file).unwrap();
        assert_eq!(Printing::read(&file), Some(unusual()));
        let bytes = std::fs::read(&file).unwrap();
        let good: Value = serde_json::from_slice(&bytes).unwrap();
        let check = |bytes: &[u8], expected: Option<Printing>| {
            std::fs::write(&file, bytes).unwrap();
            assert_eq!(Printing::read(&file), expected, "{}", String::from_utf8_lossy(bytes));
        };
        for end in (0..bytes.len() - 1).step_by(7) {
            check(&bytes[..end], None);
        }
        check(b"\xff\x00rubbish", None);
        check(b"[]", None);
        let changed = |pointer: &str, value: Value| {
            let mut changed = good.clone();
            *changed.pointer_mut(pointer).unwrap() = value;
            serde_json::to_vec(&changed).unwrap()
        };
        check(&changed("/version", json!(1)), Some(unusual()));
        for (pointer, wrong) in [
            ("/version", json!(2)),
            ("/printing/what", json!("Hologram")),
            ("/printing/format", json!("Gif")),
            ("/printing/background", json!("Mauve")),
            ("/printing/style/width", json!(1e300)),
            ("/printing/style/width", Value::Null),
            ("/printing/style/height", json!(0)),
            ("/printing/style/dpi", json!(-300)),
            ("/printing/style/font_size", json!(1)),
            ("/printing/style/columns", json!(0)),
            ("/printing/film/pixels", json!([800, 5])),
            ("/printing/film/pixels", json!([800])),
            ("/printing/film/font_size", json!(0.5)),
            ("/printing/film/per_second", json!(0)),
            ("/printing/film/length", json!({ "EveryNth": 0 })),
            ("/printing/film/length", json!({ "Seconds": 1e9 })),
        ] {
            check(&changed(pointer, wrong), None);
        }
        // An older program wrote less.
        check(br#"{ "version": 1, "printing": {} }"#, Some(Printing::default()));
    }
}
