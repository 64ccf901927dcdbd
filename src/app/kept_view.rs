//! The view as it stands in a session. What is missing there, or unknown, is as usual.

use serde_json::{Map, Value};

use super::particles::SamplingView;
use super::view::View;
use crate::figures::colors::COLOR_MAPS;
use crate::model::Bounds;
use crate::sampling;
use crate::settings::{LARGEST_SEED, Settings};

/// How things are looked at, and the rectangle that the canvas shows; `None` where that is all of the data.
#[must_use]
pub fn to_value(view: &View, canvas: Option<Bounds>) -> Value {
    let sampling = &view.sampling;
    serde_json::json!({
        "view": view,
        "canvas": canvas,
        "color_map": view.color_map,
        "sampler": sampling.sampler,
        "samplers": sampling.knobs,
    })
}

/// Undoes [`to_value`].
#[must_use]
pub fn of_value(value: &Value) -> (View, Option<Bounds>) {
    let mut view = view_of(value.get("view"));
    let word = |key: &str| value.get(key).and_then(Value::as_str);
    let map = word("color_map").and_then(|id| COLOR_MAPS.iter().find(|map| map.id == id));
    view.color_map = map.map(|map| map.id);
    if let Some(sampler) = word("sampler").and_then(sampling::find) {
        view.sampling.sampler = sampler.id;
    }
    let knobs = value.get("samplers").and_then(Value::as_object).into_iter().flatten();
    for (id, settings) in knobs {
        let settings = serde_json::from_value::<Settings>(settings.clone());
        if let (Some(sampler), Ok(settings)) = (sampling::find(id), settings) {
            view.sampling.knobs.insert(sampler.id, settings);
        }
    }
    let canvas = value.get("canvas").and_then(|canvas| serde_json::from_value(canvas.clone()).ok());
    let is_rectangle =
        |bounds: &Bounds| bounds.size().iter().all(|size| size.is_finite() && *size > 0.0);
    (within_reason(view), canvas.filter(is_rectangle))
}

/// The usual view with each part of this one that is known here. Each part is tried alone, as a file may have millions.
fn view_of(value: Option<&Value>) -> View {
    let is_known = |(key, part): &(&String, &Value)| {
        let alone = Map::from_iter([((*key).clone(), (*part).clone())]);
        serde_json::from_value::<View>(Value::Object(alone)).is_ok()
    };
    let parts = value.and_then(Value::as_object).into_iter().flatten().filter(is_known);
    let known = parts.map(|(key, part)| (key.clone(), part.clone())).collect();
    serde_json::from_value(Value::Object(known)).unwrap_or_default()
}

/// The view with every number where its slider could have put it.
fn within_reason(mut view: View) -> View {
    view.sample_count = view.sample_count.clamp(10, 10_000);
    view.tool_radius = view.tool_radius.clamp(0.005, 0.3);
    view.tool_points = view.tool_points.clamp(1, 5_000);
    view.speed = view.speed.clamp(0.0, View::FASTEST);
    view.seeds.count = view.seeds.count.clamp(10, 200);
    view.seeds.margin = view.seeds.margin.clamp(0.0, 10.0);
    for detail in [&mut view.maps.basin_detail, &mut view.maps.landscape_detail] {
        // Maps have powers of two.
        *detail = 1 << (*detail).clamp(32, 256).ilog2();
    }
    let SamplingView { count, scale, seed, speed, stretch, .. } = &mut view.sampling;
    *count = (*count).clamp(1, 10_000);
    *scale = scale.clamp(0.01, 100.0);
    *seed = (*seed).min(LARGEST_SEED as u64);
    *speed = speed.clamp(0.0, SamplingView::FASTEST);
    *stretch = (*stretch).clamp(1, 1_000_000);
    view
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::view::{Plots, Position};
    use crate::figures::{Spacing, Theme};

    #[test]
    fn a_view_comes_back_equal() {
        let mut view = View { theme: Theme::Light, color_map: Some("magma"), ..View::default() };
        view.shown.paths = true;
        (view.position, view.plots) = (Position::At(37), Plots::Truth);
        (view.nll_spacing, view.speed) = (Spacing::Logarithmic, 7.25);
        let sampler = sampling::SAMPLERS[2];
        view.sampling.sampler = sampler.id;
        let mut knobs = Settings::default();
        knobs.set(sampler.settings[0].key, sampler.settings[0].default_value());
        view.sampling.knobs.insert(sampler.id, knobs);
        assert!(view.playback_range().is_none());
        let canvas = Some(Bounds { min: [-1.0, 0.1], max: [2.0, 1.0 / 3.0] });
        assert_eq!(of_value(&to_value(&view, canvas)), (view, canvas));
    }

    #[test]
    fn what_is_unknown_or_beyond_reason_changes_nothing_else() {
        let mut value = to_value(&View { speed: 3.0, ..View::default() }, None);
        value["view"]["plots"] = "Hologram".into();
        value["view"]["theme"] = "Light".into();
        value["view"]["seeds"] = serde_json::json!({ "count": "many" });
        value["view"]["later"] = 7.into();
        value["view"]["tool_radius"] = 1e300.into();
        value["view"]["sampling"]["speed"] = (-1e300).into();
        value["color_map"] = "mauve".into();
        value["sampler"] = "telepathy".into();
        value["canvas"] = serde_json::json!({ "min": [1.0, 1.0], "max": [1.0, 2.0] });
        let (view, canvas) = of_value(&value);
        let mut expected =
            View { theme: Theme::Light, speed: 3.0, tool_radius: 0.3, ..View::default() };
        expected.sampling.speed = 0.0;
        assert_eq!((view, canvas), (expected, None));
        value["canvas"] = serde_json::json!({ "min": [-1e308, 0.0], "max": [1e308, 1.0] });
        assert_eq!(of_value(&value).1, None, "no number is as wide");
        assert_eq!(of_value(&Value::Null), (View::default(), None));
    }

    #[test]
    fn a_hundred_thousand_parts_that_nobody_knows_take_no_time() {
        let mut value = to_value(&View { speed: 3.0, ..View::default() }, None);
        for i in 0..100_000 {
            value["view"][format!("part {i}")] = i.into();
        }
        // Trying each with all before it took hours.
        assert_eq!(of_value(&value).0, View { speed: 3.0, ..View::default() });
    }
}
