//! The line under the canvas: a slider through every step of the training, and what plays it.

use egui::{Rangef, Rect, Sense, Stroke, pos2, vec2};
use egui_material_icons::{MaterialIcon, icons};

use crate::app::action::{Action, state_button_ui};
use crate::app::playback::{Direction, Playback};
use crate::app::session::Session;
use crate::app::view::{Position, View};
use crate::training::TIMELINE_BYTES;

/// Size of the icons.
const ICON: f32 = 17.0;

/// Height of the slider: enough for a finger, thin to look at.
const SLIDER_HEIGHT: f32 = 18.0;

/// Draws the line.
pub fn time_ui(ui: &mut egui::Ui, session: &Session, view: &mut View, actions: &mut Vec<Action>) {
    let fill = crate::app::plot::color32(view.theme.palette().plot_background);
    let frame = egui::Frame::new().fill(fill).inner_margin(egui::Margin {
        left: 8,
        right: 12,
        top: 2,
        bottom: 4,
    });
    egui::Panel::bottom("time").frame(frame).show_separator_line(false).show(ui, |ui| {
        ui.horizontal(|ui| {
            ui.spacing_mut().item_spacing.x = 2.0;
            ui.set_min_height(24.0);
            buttons_ui(ui, session, view, actions);
            ui.add_space(4.0);
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                let has_past = session.newest_step() > 0;
                let icon = icons::ICON_LAST_PAGE;
                let follow = Action::FollowNewest;
                toggle_ui(ui, follow, icon, view.position == Position::Newest, has_past, actions);
                ui.add_space(4.0);
                memory_ui(ui, session);
                slider_ui(ui, session, view);
            });
        });
    });
}

fn buttons_ui(ui: &mut egui::Ui, session: &Session, view: &View, actions: &mut Vec<Action>) {
    let playback = &view.playback;
    let can_go_back = session.step_at(view.position) > 0;
    let has_past = session.newest_step() > 0;
    state_button_ui(ui, Action::StepBack, Action::StepBack.info().icon, ICON, can_go_back, actions);
    for (action, direction, icon) in [
        (Action::PlayBackwards, Direction::Backwards, icons::ICON_ARROW_BACK_2),
        (Action::Replay, Direction::Forwards, icons::ICON_REPLAY),
    ] {
        let is_moving = playback.direction() == Some(direction);
        let icon = if is_moving { icons::ICON_PAUSE } else { icon };
        let is_enabled = has_past && (direction == Direction::Forwards || can_go_back || is_moving);
        state_button_ui(ui, action, icon, ICON, is_enabled, actions);
    }
    let is_on = playback.range().is_some();
    toggle_ui(ui, Action::ToggleLoop, icons::ICON_REPEAT, is_on, has_past, actions);
}

/// A button that is lit while something is on.
fn toggle_ui(
    ui: &mut egui::Ui,
    action: Action,
    icon: MaterialIcon,
    is_on: bool,
    is_enabled: bool,
    actions: &mut Vec<Action>,
) {
    let button = egui::Button::new(icon.rich_text().size(ICON)).selected(is_on && is_enabled);
    let response = ui.add_enabled(is_enabled, button.frame_when_inactive(is_on && is_enabled));
    let label = action.info().label;
    response
        .widget_info(|| egui::WidgetInfo::selected(egui::Role::Button, is_enabled, is_on, label));
    if response.on_hover_text(action.hint(ui.ctx())).clicked() {
        actions.push(action);
    }
}

/// What the memory of the steps takes.
fn memory_ui(ui: &mut egui::Ui, session: &Session) {
    let Some(memory) = session.memory().filter(|memory| memory.all > 1) else { return };
    let megabytes = |bytes: usize| bytes as f64 / 1e6;
    let (used, limit) = (megabytes(memory.bytes), megabytes(TIMELINE_BYTES));
    let (kept, all) = (grouped(memory.kept), grouped(memory.all));
    let text = if memory.kept < memory.all {
        format!("{kept} of {all} kept")
    } else {
        format!("{used:.1} MB")
    };
    let text = egui::RichText::new(text).small().color(ui.visuals().weak_text_color());
    ui.label(text).on_hover_text(format!(
        "{kept} of {all} steps are kept, in {used:.1} MB of {limit:.0}. When these are full, every second step is \
         dropped, but never the first and the last thousand."
    ));
    ui.add_space(4.0);
}

/// A count with a comma at each thousand.
fn grouped(count: usize) -> String {
    let digits = count.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

fn slider_ui(ui: &mut egui::Ui, session: &Session, view: &mut View) {
    let newest = session.newest_step();
    let mut step = session.step_at(view.position);
    ui.spacing_mut().slider_width = ui.available_width();
    ui.spacing_mut().interact_size.y = SLIDER_HEIGHT;
    ui.spacing_mut().slider_rail_height = 4.0;
    let slider = egui::Slider::new(&mut step, 0..=newest.max(1))
        .show_value(false)
        .smart_aim(false)
        .step_by(1.0)
        .trailing_fill(true);
    let response = ui.add_enabled(newest > 0, slider);
    response.widget_info(|| egui::WidgetInfo::slider(newest > 0, step as f64, "Time"));
    if response.changed() {
        view.go_to(step, newest);
    }
    let rail = response.rect;
    let hint = "Drag through the training; at the right end the view follows the newest step.";
    response.on_hover_text(hint);
    if newest > 0 && view.playback.range().is_some() {
        range_ui(ui, rail, newest, &mut view.playback);
    }
}

/// The range that is looped, below the slider: a bar and its two ends, which can be dragged.
fn range_ui(ui: &mut egui::Ui, rail: Rect, newest: usize, playback: &mut Playback) {
    let Some(range) = playback.range() else { return };
    // As egui places its handle.
    let reach = rail.x_range().shrink(rail.height() / 2.5);
    let place = |step: usize| egui::lerp(reach.min..=reach.max, step as f32 / newest as f32);
    let color = ui.visuals().selection.stroke.color;
    let y = rail.bottom() + 1.0;
    let ends = range.map(place);
    ui.painter().hline(Rangef::new(ends[0], ends[1]), y, Stroke::new(3.0, color));
    for (i, label) in ["Start of the loop", "End of the loop"].into_iter().enumerate() {
        let rect = Rect::from_center_size(pos2(ends[i], y), vec2(12.0, 12.0));
        let id = ui.scope_id().with(label);
        let response = ui.interact(rect, id, Sense::drag());
        response.widget_info(|| egui::WidgetInfo::slider(true, range[i] as f64, label));
        let is_held = response.hovered() || response.dragged() || response.has_focus();
        let radius = if is_held { 5.5 } else { 4.0 };
        ui.painter().circle_filled(pos2(ends[i], y), radius, color);
        let mut moved = range;
        if let Some(pointer) = response.interact_pointer_pos() {
            let share = (pointer.x - reach.min) / reach.span();
            moved[i] = (share.clamp(0.0, 1.0) * newest as f32).round() as usize;
        }
        let wanted = moved[i].saturating_add_signed(pressed_steps(ui, &response));
        // The ends never meet.
        let [from, to] = range;
        moved[i] = if i == 0 { wanted.min(to - 1) } else { wanted.clamp(from + 1, newest) };
        if moved != range {
            playback.set_range(Some(moved));
        }
        response
            .on_hover_cursor(egui::CursorIcon::ResizeHorizontal)
            .on_hover_text(format!("{label}, at step {}: drag it.", range[i]));
    }
}

/// Steps that the arrow keys, or a screen reader, ask for.
fn pressed_steps(ui: &egui::Ui, response: &egui::Response) -> isize {
    use egui::accesskit::Action::{Decrement, Increment};

    let id = response.id;
    let asked = |action| ui.input(|input| input.num_accesskit_action_requests(id, action));
    let mut steps = asked(Increment) as isize - asked(Decrement) as isize;
    if response.has_focus() {
        let arrows = egui::EventFilter { horizontal_arrows: true, ..egui::EventFilter::default() };
        ui.memory_mut(|memory| memory.set_focus_lock_filter(id, arrows));
        let pressed = |key| ui.input(|input| input.num_presses(key)) as isize;
        steps += pressed(egui::Key::ArrowRight) - pressed(egui::Key::ArrowLeft);
    }
    steps
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_grouped() {
        for (count, text) in [(0, "0"), (999, "999"), (1_204, "1,204"), (1_000_000, "1,000,000")] {
            assert_eq!(grouped(count), text);
        }
    }
}
