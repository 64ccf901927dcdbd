//! Storage: where the program keeps what nobody asked it to save: copies against a crash, recent files, export choices.

use std::env;
use std::path::{Path, PathBuf};

/// The folder of this program among the user's data; `None` without a home, where nothing is kept.
///
/// Linux: `$XDG_DATA_HOME/scorescope`, else `~/.local/share/scorescope` (XDG Base Directory Specification 0.8); macOS:
/// `~/Library/Application Support/scorescope`; Windows: `%APPDATA%\scorescope`. Those are eframe's own places.
#[must_use]
pub fn folder() -> Option<PathBuf> {
    let home = env::home_dir();
    let variable = if cfg!(windows) { "APPDATA" } else { "XDG_DATA_HOME" };
    let data = env::var_os(variable).map(PathBuf::from);
    folder_in(home.as_deref(), data.as_deref())
}

/// The folder for a home and for what the system's variable says.
fn folder_in(home: Option<&Path>, data: Option<&Path>) -> Option<PathBuf> {
    let home = home.filter(|home| home.is_absolute());
    // The specification: a path that is not absolute is to be ignored.
    let data = data.filter(|data| data.is_absolute() && !cfg!(target_os = "macos"));
    let usual = if cfg!(target_os = "macos") {
        home.map(|home| home.join("Library").join("Application Support"))
    } else {
        home.map(|home| home.join(".local").join("share"))
    };
    let usual = if cfg!(windows) { None } else { usual };
    Some(data.map(Path::to_owned).or(usual)?.join("scorescope"))
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn without_a_home_nothing_is_kept() {
        let check = |home: Option<&str>, data: Option<&str>, expected: Option<&str>| {
            let folder = folder_in(home.map(Path::new), data.map(Path::new));
            assert_eq!(folder, expected.map(PathBuf::from));
        };
        check(Some("/home/ada"), None, Some("/home/ada/.local/share/scorescope"));
        check(Some("/home/ada"), Some("/data"), Some("/data/scorescope"));
        check(Some("/home/ada"), Some("data"), Some("/home/ada/.local/share/scorescope"));
        check(None, Some("/data"), Some("/data/scorescope"));
        check(None, None, None);
        check(Some(""), Some(""), None);
    }
}
