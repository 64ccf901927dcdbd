//! The line that offers what a crash has left.

use std::time::Duration;

use crate::app::autosave::Left;

/// Draws the line; gives the answer once there is one: true to open it.
pub fn left_ui(ui: &mut egui::Ui, left: &Left) -> Option<bool> {
    let mut answer = None;
    egui::Panel::bottom("left by a crash").frame(super::frame(ui)).show(ui, |ui| {
        ui.horizontal(|ui| {
            ui.label(format!(
                "ScoreScope did not end as it should. A copy of the session from {} ago is there.",
                in_words(left.age)
            ));
            let open = ui.button("Open").on_hover_text("Open the copy; save it where you like.");
            open.widget_info(|| {
                egui::WidgetInfo::labeled(egui::Role::Button, true, "Open the copy")
            });
            let later = ui
                .button("Not now")
                .on_hover_text("Leave the copy where it is; you will not be asked again.");
            answer = open.clicked().then_some(true).or(later.clicked().then_some(false));
        });
    });
    answer
}

/// A time that has gone by, in its largest unit.
fn in_words(age: Duration) -> String {
    let seconds = age.as_secs();
    let (count, unit) = match seconds {
        0..60 => (seconds, "second"),
        60..3_600 => (seconds / 60, "minute"),
        3_600..86_400 => (seconds / 3_600, "hour"),
        _ => (seconds / 86_400, "day"),
    };
    format!("{count} {unit}{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_one_unit() {
        let check = |seconds, expected: &str| {
            assert_eq!(in_words(Duration::from_secs(seconds)), expected);
        };
        check(1, "1 second");
        check(59, "59 seconds");
        check(150, "2 minutes");
        check(7_200, "2 hours");
        check(100_000, "1 day");
    }
}
