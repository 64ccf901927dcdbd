//! Theme: one accent color, two considered sets of grays, type that reads from the last row.

use egui::epaint::text::{FontInsert, FontPriority, InsertFontFamily};
use egui::{Color32, CornerRadius, FontData, FontFamily, FontId, Stroke, TextStyle, Visuals, vec2};

use super::plot::color32;
use crate::figures::{Palette, Theme};

/// Fonts and spacing, once.
pub fn install(ctx: &egui::Context) {
    egui_material_icons::initialize(ctx);
    // egui's own fonts lack ∇, ‖ and small letters such as ₙ.
    let mathematics = [FontFamily::Proportional, FontFamily::Monospace]
        .map(|family| InsertFontFamily { family, priority: FontPriority::Lowest });
    ctx.add_font(FontInsert::new(
        "DejaVu Sans",
        FontData::from_static(dejavu::sans::regular()),
        mathematics.to_vec(),
    ));
    ctx.all_styles_mut(|style| {
        style.text_styles = [
            (TextStyle::Heading, 17.0, FontFamily::Proportional),
            (TextStyle::Body, 14.5, FontFamily::Proportional),
            (TextStyle::Button, 14.5, FontFamily::Proportional),
            (TextStyle::Small, 12.5, FontFamily::Proportional),
            (TextStyle::Monospace, 13.5, FontFamily::Monospace),
        ]
        .map(|(style, size, family)| (style, FontId::new(size, family)))
        .into();
        style.spacing.item_spacing = vec2(8.0, 6.0);
        style.spacing.button_padding = vec2(8.0, 4.0);
        // Wide enough for most numbers, so that the fields beside sliders end in one line.
        style.spacing.interact_size = vec2(58.0, 24.0);
        style.spacing.scroll = egui::style::ScrollStyle::thin();
        style.spacing.slider_width = 96.0;
        style.spacing.combo_width = 60.0;
        style.spacing.menu_margin = egui::Margin::same(8);
        style.interaction.tooltip_delay = 0.4;
        style.interaction.selectable_labels = false;
    });
    for theme in [Theme::Light, Theme::Dark] {
        ctx.set_visuals_of(egui_theme(theme), visuals(theme));
    }
}

/// Larger type in larger windows, so that a projector shows it to the last row. Ctrl and + or − still change it.
pub fn fit_zoom(ctx: &egui::Context, last_size: &mut egui::Vec2) {
    let size = ctx.content_rect().size() * ctx.zoom_factor();
    if (size - *last_size).length() > 1.0 {
        *last_size = size;
        ctx.set_zoom_factor((size.x / 1400.0).min(size.y / 860.0).clamp(1.0, 2.0));
    }
}

/// Switches to a theme.
pub fn apply(ctx: &egui::Context, theme: Theme) {
    ctx.set_theme(egui_theme(theme));
}

fn egui_theme(theme: Theme) -> egui::Theme {
    match theme {
        Theme::Light => egui::Theme::Light,
        Theme::Dark => egui::Theme::Dark,
    }
}

/// The background of the panels around the plots.
#[must_use]
pub fn panel_fill(theme: Theme) -> Color32 {
    match theme {
        Theme::Light => {
            mix(color32(theme.palette().background), color32(theme.palette().grid), 0.45)
        }
        Theme::Dark => color32(theme.palette().background),
    }
}

fn visuals(theme: Theme) -> Visuals {
    let palette: &Palette = theme.palette();
    let (text, weak) = (color32(palette.text), color32(palette.weak_text));
    let accent = color32(palette.accent);
    let panel = panel_fill(theme);
    let mut visuals = match theme {
        Theme::Light => Visuals::light(),
        Theme::Dark => Visuals::dark(),
    };
    let corner = CornerRadius::same(6);
    let line = mix(panel, text, 0.14);
    visuals.panel_fill = panel;
    visuals.window_fill = panel;
    visuals.extreme_bg_color = color32(palette.plot_background);
    visuals.faint_bg_color = mix(panel, text, 0.03);
    visuals.window_corner_radius = CornerRadius::same(10);
    visuals.menu_corner_radius = CornerRadius::same(8);
    visuals.window_stroke = Stroke::new(1.0, line);
    visuals.hyperlink_color = accent;
    visuals.weak_text_color = Some(weak);
    visuals.slider_trailing_fill = true;
    visuals.handle_shape = egui::style::HandleShape::Circle;
    visuals.selection.bg_fill = mix(panel, accent, if theme == Theme::Dark { 0.45 } else { 0.22 });
    visuals.selection.stroke = Stroke::new(1.0, if theme == Theme::Dark { text } else { accent });
    let widgets = &mut visuals.widgets;
    for (widget, fill) in [
        (&mut widgets.noninteractive, 0.0),
        (&mut widgets.inactive, 0.09),
        (&mut widgets.hovered, 0.16),
        (&mut widgets.active, 0.22),
        (&mut widgets.open, 0.12),
    ] {
        widget.bg_fill = mix(panel, text, fill);
        widget.weak_bg_fill = mix(panel, text, fill);
        widget.bg_stroke = Stroke::NONE;
        widget.fg_stroke = Stroke::new(1.2, text);
        widget.corner_radius = corner;
        widget.expansion = 0.0;
    }
    widgets.noninteractive.bg_stroke = Stroke::new(1.0, line);
    widgets.hovered.bg_stroke = Stroke::new(1.0, mix(panel, text, 0.3));
    // Handles and marks have to stand out from the tracks behind them.
    widgets.inactive.bg_fill = mix(panel, text, 0.16);
    visuals
}

/// The color between two, at a share of the way.
#[must_use]
pub fn mix(from: Color32, to: Color32, share: f32) -> Color32 {
    from.lerp_to_gamma(to, share)
}
