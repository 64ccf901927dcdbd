//! View: sampling: which density, which sampler, how the particles start, and how far they are from exact samples.

use egui::{RichText, ScrollArea, Slider, Ui, vec2};
use egui_material_icons::icons;

use super::maps::remark_ui;
use super::{heading_ui, log_switch_ui, small_plot_ui};
use crate::app::action::{Action, icon_button_ui, state_button_ui};
use crate::app::panels::{settings_ui, short};
use crate::app::particles::{ParticleStart, Particles, SamplingView, Story, Target};
use crate::app::plot::color32;
use crate::app::view::View;
use crate::figures::story::{self, Part, particle_color};
use crate::figures::{Palette, walks};
use crate::sampling::SAMPLERS;
use crate::settings::LARGEST_SEED;

/// Draws the view.
pub fn sample_ui(
    ui: &mut Ui,
    particles: &Particles,
    view: &mut View,
    can_walk: bool,
    actions: &mut Vec<Action>,
) {
    // Annealing has many knobs, a window few lines.
    ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
        let palette = view.theme.palette();
        let chosen = &mut view.sampling;
        target_ui(ui, particles, chosen);
        samplers_ui(ui, chosen);
        start_ui(ui, chosen);
        transport_ui(ui, particles, chosen, can_walk, actions);
        if let Some(problem) = particles.problem() {
            ui.colored_label(ui.visuals().warn_fg_color, problem);
            return;
        }
        ui.separator();
        let room = ui.available_height();
        match particles.story() {
            Some(story) => story_ui(ui, story, room, palette),
            None => results_ui(ui, particles, chosen, room, palette),
        }
    });
}

/// On which density the particles walk.
fn target_ui(ui: &mut Ui, particles: &Particles, chosen: &mut SamplingView) {
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 4.0;
        ui.label("Walk on");
        let reason = particles.why_not_data();
        if reason.is_some() {
            chosen.target = Target::Model;
        }
        ui.selectable_value(&mut chosen.target, Target::Model, "the model").on_hover_text(
            "The mixture at the step on the canvas; while it learns, the particles follow it.",
        );
        let button = egui::Button::selectable(chosen.target == Target::Data, "the true density");
        let response = ui.add_enabled(reason.is_none(), button);
        if response.clicked() {
            chosen.target = Target::Data;
        }
        let why = reason.map(|reason| format!("Not now: {reason}."));
        response
            .on_hover_text("The density that the data come from, which is known.")
            .on_disabled_hover_text(why.unwrap_or_default());
    });
}

/// Room between the buttons of the samplers.
const CHIP_GAP: f32 = 4.0;

/// The samplers, and the knobs of the chosen one.
fn samplers_ui(ui: &mut Ui, chosen: &mut SamplingView) {
    // In equal places, as the algorithms have them.
    let width = (ui.available_width() - 2.0 * CHIP_GAP) / 3.0;
    egui::Grid::new("samplers").spacing([CHIP_GAP; 2]).show(ui, |ui| {
        for (i, sampler) in SAMPLERS.iter().enumerate() {
            let is_chosen = chosen.sampler == sampler.id;
            let button = egui::Button::new(sampler.short).selected(is_chosen);
            let response = ui.add_sized([width, 24.0], button);
            response.widget_info(|| {
                let label = sampler.label;
                egui::WidgetInfo::selected(egui::Role::RadioButton, true, is_chosen, label)
            });
            let help = format!("{}: {}", sampler.label, sampler.help);
            if response.on_hover_text(help).clicked() {
                chosen.sampler = sampler.id;
            }
            if i % 3 == 2 {
                ui.end_row();
            }
        }
    });
    let sampler = chosen.sampler();
    settings_ui(ui, sampler.settings, chosen.knobs.entry(sampler.id).or_default());
}

/// How many particles there are, and where they start.
fn start_ui(ui: &mut Ui, chosen: &mut SamplingView) {
    ui.horizontal(|ui| {
        ui.spacing_mut().interact_size.x = 50.0;
        let label = ui.label("Particles");
        let field = egui::DragValue::new(&mut chosen.count).range(1..=10_000).speed(5.0);
        ui.add(field).labelled_by(label.id).on_hover_text("How many walk: from 1 to 10,000.");
        let label = ui.label("Seed");
        let field = egui::DragValue::new(&mut chosen.seed).range(0..=LARGEST_SEED as u64);
        ui.add(field).labelled_by(label.id).on_hover_text(
            "Of start, steps and exact samples: equal seeds and knobs give equal walks, to the bit.",
        );
    });
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 4.0;
        ui.label("Start");
        for (start, word, help) in [
            (ParticleStart::Spread, "spread", "Evenly over what the canvas shows."),
            (ParticleStart::Cloud, "cloud", "From a Gaussian around the origin, N(0, s² I)."),
            (ParticleStart::Place, "place", "All at one place: click on the canvas."),
        ] {
            ui.selectable_value(&mut chosen.start, start, word).on_hover_text(help);
        }
        match chosen.start {
            ParticleStart::Spread => {}
            ParticleStart::Cloud => {
                let label = ui.label("s");
                let field = egui::DragValue::new(&mut chosen.scale).range(0.01..=100.0).speed(0.02);
                ui.add(field).labelled_by(label.id).on_hover_text("Standard deviation.");
            }
            ParticleStart::Place => {
                for (value, name) in chosen.place.iter_mut().zip(["Start x₁", "Start x₂"]) {
                    ui.spacing_mut().interact_size.x = 36.0;
                    let field = egui::DragValue::new(value).speed(0.02).fixed_decimals(1);
                    ui.add(field).widget_info(|| {
                        egui::WidgetInfo::labeled(egui::Role::SpinButton, true, name)
                    });
                }
            }
        }
    });
}

/// Walk, one step, tell, start again; how fast and how far.
fn transport_ui(
    ui: &mut Ui,
    particles: &Particles,
    chosen: &mut SamplingView,
    can_walk: bool,
    actions: &mut Vec<Action>,
) {
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 4.0;
        let is_playing = particles.is_playing();
        let icon = if is_playing { icons::ICON_PAUSE } else { icons::ICON_PLAY_ARROW };
        icon_button_ui(ui, Action::RestartWalk, 22.0, can_walk, actions);
        state_button_ui(ui, Action::Walk, icon, 26.0, can_walk, actions);
        icon_button_ui(ui, Action::WalkStep, 22.0, can_walk, actions);
        let tell = egui::Button::new(match particles.story() {
            Some(story) if !story.is_over() => "Go on (X)",
            _ => "Tell (X)",
        });
        let response = ui.add_enabled(can_walk, tell);
        response.widget_info(|| {
            let label = Action::TellStep.info().label;
            egui::WidgetInfo::labeled(egui::Role::Button, can_walk, label)
        });
        if response.on_hover_text(Action::TellStep.hint(ui.ctx())).clicked() {
            actions.push(Action::TellStep);
        }
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            let text = format!("step {}", particles.report().step);
            ui.label(RichText::new(text).size(17.0).strong());
        });
    });
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 5.0;
        (ui.spacing_mut().slider_width, ui.spacing_mut().interact_size.x) = (44.0, 46.0);
        let label = ui.label("Speed");
        let slider = Slider::new(&mut chosen.speed, 0.0..=SamplingView::FASTEST)
            .custom_formatter(|speed, _| match speed {
                s if s >= SamplingView::FASTEST => "fastest".to_owned(),
                s => format!("{:.0}/s", s.exp2()),
            })
            .custom_parser(|text| {
                let rate: f64 = text.trim_end_matches("/s").trim().parse().ok()?;
                Some(rate.max(1.0).log2())
            });
        ui.add(slider)
            .labelled_by(label.id)
            .on_hover_text("Steps a second; at the right end as many as can be computed.");
        let label = ui.label("pause at");
        let field = egui::DragValue::new(&mut chosen.stretch).range(1..=1_000_000).speed(10.0);
        ui.add(field).labelled_by(label.id).on_hover_text(
            "Steps: a walk pauses at multiples of this many, and walks on when asked to; annealing walks to its end \
             first.",
        );
    });
}

/// What is known of the walk in numbers and plots.
fn results_ui(
    ui: &mut Ui,
    particles: &Particles,
    chosen: &mut SamplingView,
    room: f32,
    palette: &Palette,
) {
    let report = particles.report();
    let before = ui.cursor().top();
    let words = state_words(particles);
    if !words.is_empty() {
        ui.label(words);
    }
    let has_shares = !report.shares.is_empty();
    let used = ui.cursor().top() - before;
    let headings = if has_shares { 76.0 } else { 36.0 };
    let plots = (room - used - headings).max(if has_shares { 190.0 } else { 120.0 });
    let title = report.curve.last().map(|last| {
        let (value, error) = (last.distance.value, last.distance.standard_error);
        format!("Energy distance {value:.3} ± {error:.3}").replace('-', "−")
    });
    heading_ui(ui, &title.unwrap_or_else(|| "Energy distance".to_owned()), |ui| {
        let help = "Logarithmic axis of the steps; the start, at step 0, is left out.";
        log_switch_ui(ui, "log x", help, &mut chosen.spacing);
    });
    if report.curve.is_empty() {
        remark_ui(ui, "Needs at least 20 particles.");
    } else {
        let share = if has_shares { 0.55 } else { 1.0 };
        let plot = walks::distance(&report.curve, chosen.spacing, palette);
        small_plot_ui(ui, &plot, share * plots, palette).1.on_hover_text(
            "To exact samples (dashed), squared: 2 E‖X − Y‖ − E‖X − X′‖ − E‖Y − Y′‖ with ± two standard errors; zero \
             only where particles X and exact samples Y have the same distribution.",
        );
    }
    if has_shares {
        shares_ui(ui, particles, 0.45 * plots, palette);
    }
}

/// Bars of the mode shares, and the first of them in words.
fn shares_ui(ui: &mut Ui, particles: &Particles, height: f32, palette: &Palette) {
    let shares = &particles.report().shares;
    heading_ui(ui, "Share of every mode", |ui| {
        for (word, color) in [("exact", palette.samples), ("particles", particle_color(palette))] {
            ui.label(RichText::new(word).small());
            let (rect, _) = ui.allocate_exact_size(vec2(12.0, 12.0), egui::Sense::hover());
            ui.painter().rect_filled(rect, 3.0, color32(color));
        }
    });
    let plot = walks::shares(shares, palette);
    let words: Vec<String> = shares
        .iter()
        .enumerate()
        .map(|(k, share)| {
            let (own, error, weight) = (share.share, share.standard_error, share.weight);
            format!("{}: {own:.3} ± {error:.3}, exact {weight:.3}", k + 1)
        })
        .take(12)
        .collect();
    let help = format!(
        "Share of the particles at every component ± standard error.\n{}",
        words.join("\n")
    );
    small_plot_ui(ui, &plot, height, palette).1.on_hover_text(help);
}

/// Acceptance, energy error and noise, as far as a sampler has them.
fn state_words(particles: &Particles) -> String {
    let report = particles.report();
    let mut words = Vec::new();
    words.extend(report.acceptance.map(|share| format!("accepted {:.1} %", 100.0 * share)));
    let error = report.energy_error;
    words.extend(error.map(|error| format!("mean |energy error| {} nats", short(error))));
    if report.noise > 0.0 {
        words.push(format!("density blurred by noise σ = {}", short(report.noise)));
    }
    words.join("  ·  ")
}

/// The parts of a story that were told, in words; for Hamiltonian Monte Carlo with the energy along the ride.
fn story_ui(ui: &mut Ui, story: &Story, room: f32, palette: &Palette) {
    heading_ui(ui, "One step, slowly", |ui| {
        let words = format!("{} of {}", story.shown, story.parts.len());
        ui.label(RichText::new(words).color(ui.visuals().weak_text_color()));
    });
    let top = ui.cursor().top();
    for part in &story.parts[..story.shown] {
        let words = story::words(&story.told, *part, story.particle + 1);
        let words = RichText::new(words);
        let is_verdict = *part == Part::Verdict;
        let color = color32(story::verdict_color(story.told.is_accepted, palette));
        ui.label(if is_verdict { words.color(color).strong() } else { words });
    }
    let has_ride = story.parts[..story.shown].contains(&Part::Proposal);
    if has_ride && !story.told.energies.is_empty() {
        let used = ui.cursor().top() - top;
        ui.add_space(6.0);
        heading_ui(ui, "Energy error along the ride (nats)", |_| {});
        let plot = story::energies(&story.told, palette);
        small_plot_ui(ui, &plot, (room - used - 112.0).clamp(100.0, 260.0), palette)
            .1
            .on_hover_text("Exact motion would keep −log p + ½‖momentum‖² as it is (dashed).");
    }
    ui.add_space(4.0);
    remark_ui(ui, "X tells on, S walks; click a particle to choose it.");
}

/// The part that is told now, on a card at the top of the canvas.
pub fn story_card_ui(painter: &egui::Painter, story: &Story, palette: &Palette) {
    let part = story.parts[story.shown - 1];
    let words = story::words(&story.told, part, story.particle + 1);
    let is_verdict = part == Part::Verdict;
    let color = if is_verdict {
        color32(story::verdict_color(story.told.is_accepted, palette))
    } else {
        color32(palette.text)
    };
    let area = painter.clip_rect();
    let galley = painter.layout(words, egui::FontId::proportional(18.0), color, area.width() * 0.8);
    let at = area.center_top() + vec2(0.0, 20.0);
    let rect = egui::Align2::CENTER_TOP.anchor_size(at, galley.size());
    let card = rect.expand2(vec2(14.0, 8.0));
    let rim = egui::Stroke::new(1.5, color);
    painter.rect(card, 8.0, color32(palette.background), rim, egui::StrokeKind::Inside);
    painter.galley(rect.min, galley, color);
}
