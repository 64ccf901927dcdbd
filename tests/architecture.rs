//! The map in `src/lib.rs`, held to: who uses whom, and where egui, burn and threads may appear.

use std::fs;
use std::path::{Path, PathBuf};

/// Folders and files of `src/`, each allowed to use only itself and those before it.
const ORDER: [&str; 13] = [
    "settings",
    "random",
    "lanes",
    "model",
    "sampling",
    "data",
    "objectives",
    "algorithms",
    "training",
    "figures",
    "export",
    "cli",
    "app",
];

/// Every source file with its room, the first part of its path.
fn sources() -> Vec<(String, PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let inside = path.strip_prefix(&root).unwrap();
            let first = inside.components().next().unwrap().as_os_str().to_string_lossy();
            let room = first.trim_end_matches(".rs").to_owned();
            let code: Vec<String> = fs::read_to_string(&path)
                .unwrap()
                .lines()
                .filter(|line| !line.trim_start().starts_with("//"))
                .map(str::to_owned)
                .collect();
            files.push((room, inside.to_owned(), code.join("\n")));
        }
    }
    assert!(files.len() > 50, "{}", files.len());
    files
}

#[test]
fn every_room_uses_only_those_before_it() {
    for (room, path, code) in sources() {
        let Some(place) = ORDER.iter().position(|name| *name == room) else { continue };
        for later in &ORDER[place + 1..] {
            // The window opens from the command line's last word.
            if room == "cli" && *later == "app" {
                continue;
            }
            assert!(!code.contains(&format!("crate::{later}")), "{} uses {later}", path.display());
        }
    }
}

#[test]
fn each_library_stays_in_its_room() {
    let check = |word: &str, rooms: &[&str]| {
        for (room, path, code) in sources() {
            let is_there = code.contains(word);
            assert!(!is_there || rooms.contains(&room.as_str()), "{} in {}", word, path.display());
        }
    };
    check("egui", &["app", "lib"]);
    check("burn::", &["algorithms"]);
    check("clap::", &["cli"]);
    check("rfd::", &["app"]);
}

#[test]
fn rayon_computes_in_the_kernels_and_in_crews_only() {
    for (room, path, code) in sources() {
        // The command line and the window choose the number of threads.
        let may = ["objectives", "cli", "app"].contains(&room.as_str())
            || path == Path::new("training/crew.rs");
        assert!(!code.contains("rayon::") || may, "{}", path.display());
    }
}

#[test]
fn threads_start_in_few_places_only() {
    for (_, path, code) in sources() {
        let starts = code.contains("thread::Builder") || code.contains("thread::spawn");
        // A film's reel draws frames side by side.
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let may = ["worker.rs", "painter.rs", "jobs.rs", "reel.rs"].contains(&name.as_str());
        assert!(!starts || may, "{}", path.display());
    }
}

#[test]
fn nothing_unwraps_outside_tests() {
    for (_, path, code) in sources() {
        let before_tests = code.split("#[cfg(test)]\nmod tests").next().unwrap();
        for word in [".unwrap()", "todo!(", "unimplemented!(", "dbg!("] {
            assert!(!before_tests.contains(word), "{word} in {}", path.display());
        }
    }
}
