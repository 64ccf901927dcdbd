//! A knob as a slider, a menu or a switch, made from its declaration.

use crate::settings::{Kind, LARGEST_SEED, Setting, Settings, Value};

/// Width of the labels, so that all controls stand in one column.
const LABEL_WIDTH: f32 = 122.0;

/// Rows for these knobs.
pub fn settings_ui(ui: &mut egui::Ui, declared: &[&'static Setting], settings: &mut Settings) {
    for setting in declared {
        setting_ui(ui, setting, settings);
    }
}

/// A row for one knob: its label, and what changes it.
pub fn setting_ui(ui: &mut egui::Ui, setting: &'static Setting, settings: &mut Settings) {
    let mut value = settings.value(setting);
    let before = value.clone();
    let response = if let (Kind::Switch { .. }, Value::Switch(is_on)) = (&setting.kind, &mut value)
    {
        ui.checkbox(is_on, setting.label)
    } else {
        row_ui(ui, setting.label, |ui| control_ui(ui, setting, &mut value))
    };
    let restart = if setting.is_live { "" } else { "\nChanging it starts training again." };
    response.on_hover_text(format!("{}{restart}", setting.help));
    if value != before {
        settings.set(setting.key, value);
    }
}

/// A label in its column, then a control that fills the rest of the row and is named by the label.
pub fn row_ui(
    ui: &mut egui::Ui,
    label: &str,
    control: impl FnOnce(&mut egui::Ui) -> egui::Response,
) -> egui::Response {
    ui.horizontal(|ui| {
        let height = ui.spacing().interact_size.y;
        let left = egui::Layout::left_to_right(egui::Align::Center);
        let label = ui
            .allocate_ui_with_layout(egui::vec2(LABEL_WIDTH, height), left, |ui| {
                ui.set_min_width(LABEL_WIDTH);
                ui.add(egui::Label::new(label).truncate())
            })
            .inner;
        control(ui).labelled_by(label.id)
    })
    .inner
}

fn control_ui(ui: &mut egui::Ui, setting: &'static Setting, value: &mut Value) -> egui::Response {
    match (&setting.kind, value) {
        // Seeds have no order to slide along.
        (Kind::Seed, Value::Integer(value)) => {
            ui.add(egui::DragValue::new(value).range(0..=LARGEST_SEED).speed(1.0))
        }
        (Kind::Integer { min, max, .. }, Value::Integer(value)) => {
            // Nobody aims at more than a million; what a setting takes beyond can be typed.
            let end = (*max).min(1_000_000);
            let slider = egui::Slider::new(value, *min..=end).logarithmic(max - min > 50);
            let response = ui.add(slider.clamping(egui::SliderClamping::Never));
            *value = (*value).clamp(*min, *max);
            response
        }
        (Kind::Number { min, max, is_logarithmic, .. }, Value::Number(value)) => {
            let slider = egui::Slider::new(value, *min..=*max)
                .logarithmic(*is_logarithmic)
                .smallest_positive(if *min > 0.0 { *min } else { (max * 1e-9).max(1e-9) })
                .custom_formatter(|value, _| short(value));
            ui.add(slider.clamping(egui::SliderClamping::Always))
        }
        (Kind::Choice { options, .. }, Value::Choice(chosen)) => {
            let label =
                |id: &str| options.iter().find(|(known, _)| *known == id).map_or("", |o| o.1);
            egui::ComboBox::from_id_salt((setting.key, setting.label))
                .selected_text(label(chosen))
                .width(ui.available_width())
                .show_ui(ui, |ui| {
                    for (id, label) in *options {
                        ui.selectable_value(chosen, (*id).to_owned(), *label);
                    }
                })
                .response
        }
        _ => unreachable!("the value of {} has its own kind", setting.key),
    }
}

/// A number with three digits that count.
#[must_use]
pub fn short(value: f64) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    let digits = value.abs().log10().floor();
    if !(-3.0..5.0).contains(&digits) {
        return format!("{value:.1e}");
    }
    let text = format!("{value:.*}", (2.0 - digits).max(0.0) as usize);
    if text.contains('.') {
        return text.trim_end_matches('0').trim_end_matches('.').to_owned();
    }
    text
}

#[cfg(test)]
mod tests {
    use egui_kittest::Harness;
    use egui_kittest::kittest::Queryable;

    use super::*;
    use crate::algorithms::{ALGORITHMS, initial};
    use crate::data::generators::GENERATORS;
    use crate::objectives::OBJECTIVES;
    use crate::training::{DATA_SETTINGS, MODEL_SETTINGS};

    #[test]
    fn numbers_have_sliders_but_seeds_have_none() {
        let mut declared = [initial::SETTINGS, DATA_SETTINGS, MODEL_SETTINGS].concat();
        declared.extend(GENERATORS.iter().flat_map(|info| info.settings));
        declared.extend(ALGORITHMS.iter().flat_map(|info| &info.settings));
        for setting in declared {
            let is_seed = setting.key == "random_state" || setting.key.ends_with("seed");
            assert_eq!(matches!(setting.kind, Kind::Seed), is_seed, "{}", setting.key);
            let mut settings = Settings::default();
            let draw = |ui: &mut egui::Ui| setting_ui(ui, setting, &mut settings);
            let window = Harness::new_ui(draw);
            let has = |role| window.query_all_by_role(role).next().is_some();
            let has_slider = has(egui::accesskit::Role::Slider);
            let is_number = matches!(setting.kind, Kind::Integer { .. } | Kind::Number { .. });
            assert_eq!(has_slider, is_number, "{}", setting.key);
            assert!(!is_seed || has(egui::accesskit::Role::SpinButton), "{}", setting.key);
        }
    }

    #[test]
    fn no_slider_of_an_objective_leaves_its_range() {
        let mut count = 0;
        for setting in OBJECTIVES.iter().flat_map(|info| info.settings) {
            if !matches!(setting.kind, Kind::Integer { .. } | Kind::Number { .. }) {
                continue;
            }
            for wished in [-5.0, 0.0, 1e6] {
                let draw = |ui: &mut egui::Ui, settings: &mut Settings| {
                    setting_ui(ui, setting, settings);
                };
                let mut window = Harness::new_ui_state(draw, Settings::default());
                window.get_by_role(egui::accesskit::Role::Slider).set_value_accesskit(wished);
                window.run();
                let chosen: Vec<_> = window.state().iter().collect();
                let text = format!("{} = {wished}: {chosen:?}", setting.key);
                assert!(chosen.iter().all(|(_, value)| setting.check(value).is_ok()), "{text}");
                count += chosen.len();
            }
        }
        // They did move.
        assert!(count > 15, "{count}");
    }

    #[test]
    fn numbers_are_short() {
        let check = |value: f64, expected: &str| assert_eq!(short(value), expected);
        check(0.0, "0");
        check(0.03, "0.03");
        check(0.5, "0.5");
        check(1e-4, "1.0e-4");
        check(123.4, "123");
        check(2.0, "2");
        check(1000.0, "1000");
    }
}
