//! One file per panel.

mod checks;
mod components;
mod controls;
mod help;
mod left;
mod menu;
mod plots;
mod settings;
mod status;
mod thumbnails;
mod time;
mod transport;

pub use checks::{Checks, checks_ui};
pub use controls::{Reopen, controls_ui};
pub use help::help_ui;
pub use left::left_ui;
pub use menu::menu_ui;
pub use plots::{Beside, plots_ui};
pub use settings::{settings_ui, short};
pub use status::{Busy, status_ui};
pub use thumbnails::Thumbnails;
pub use time::time_ui;
pub use transport::transport_ui;

/// The frame of all panels: margins and no fill, because the window is cleared to the panels' color.
fn frame(ui: &egui::Ui) -> egui::Frame {
    egui::Frame::side_top_panel(ui.style()).fill(egui::Color32::TRANSPARENT)
}
