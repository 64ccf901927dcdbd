//! A story: one step of one particle, part after part: where it is, its push, its proposal, and what became of it.

use std::sync::Arc;

use super::curves::{Series, curves};
use super::{Anchor, Axis, Color, Layer, Mark, Palette, Plot, Spacing};
use crate::model::Point;
use crate::sampling::Told;

/// What is told at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Where the particle is.
    Here,
    /// Where the score alone would bring it.
    Push,
    /// Where it wants to go, and on which way.
    Proposal,
    /// If it goes there.
    Verdict,
}

/// The parts of a story, in their order.
#[must_use]
pub fn parts(told: &Told) -> Vec<Part> {
    let push = told.pushed.map(|_| Part::Push);
    [Some(Part::Here), push, Some(Part::Proposal), Some(Part::Verdict)]
        .into_iter()
        .flatten()
        .collect()
}

/// One part in words. `number` is the particle's, counted from 1.
#[must_use]
pub fn words(told: &Told, part: Part, number: usize) -> String {
    let to = place_words(told.proposal);
    match part {
        Part::Here => format!("Particle {number} is at {}.", place_words(told.from)),
        Part::Push => {
            let pushed = told.pushed.map(place_words).unwrap_or_default();
            format!("Push: half a step along the score, to {pushed}.")
        }
        Part::Proposal if has_ride(told) => {
            let steps = told.path.len() - 1;
            format!("Ride: a random momentum, then {steps} leapfrog steps, to {to}.")
        }
        Part::Proposal => match (told.component, told.pushed, told.log_acceptance) {
            (Some(k), ..) => format!("Draw: {}, to {to}.", draw_words(told, k + 1)),
            (None, Some(_), None) => format!("Noise: a random step from there, to {to}."),
            (None, Some(_), Some(_)) => format!("Noise: from there a random step proposes {to}."),
            (None, None, _) => format!("Proposal: a random step, to {to}."),
        },
        Part::Verdict => verdict(told),
    }
}

/// What Gibbs sampling has drawn; `number` is the component's.
fn draw_words(told: &Told, number: usize) -> String {
    match [0, 1].map(|axis| told.from[axis] == told.proposal[axis]) {
        [true, false] => format!("x₂ anew while x₁ stays, by component {number}"),
        [false, true] => format!("x₁ anew while x₂ stays, by component {number}"),
        _ => format!("component {number}, then a place of it"),
    }
}

/// How it was decided.
fn verdict(told: &Told) -> String {
    let Some(log_ratio) = told.log_acceptance else {
        return "Every step is accepted ✓: it goes there.".to_owned();
    };
    let chance = 100.0 * log_ratio.exp().min(1.0);
    let energy = if told.energies.is_empty() {
        String::new()
    } else {
        format!("Energy error {}, so the ", number_words(-log_ratio))
    };
    let name = if energy.is_empty() { "Log" } else { "log" };
    let end =
        if told.is_accepted { "accepted ✓, it goes there" } else { "rejected ✗, it stays" };
    format!(
        "{energy}{name} acceptance is {}, a chance of {chance:.0} %: {end}.",
        number_words(log_ratio)
    )
}

fn has_ride(told: &Told) -> bool {
    !told.energies.is_empty()
}

/// A number with three decimals, or the first digit that counts of a smaller one.
fn number_words(value: f64) -> String {
    let is_small = value != 0.0 && value.abs() < 5e-4;
    let words = if is_small { format!("{value:.0e}") } else { format!("{value:.3}") };
    words.replace('-', "−")
}

fn place_words([x, y]: Point) -> String {
    format!("({x:.2}, {y:.2})").replace('-', "−")
}

/// The particle as a large dot, and the parts that were told, on the plane.
#[must_use]
pub fn layer(told: &Told, shown: &[Part], palette: &Palette) -> Layer {
    let color = particle_color(palette);
    let has = |part| shown.contains(&part);
    let mut marks = Vec::new();
    if has(Part::Proposal) && has_ride(told) {
        marks.extend(ride(told, palette));
    }
    if let Some(pushed) = told.pushed.filter(|_| has(Part::Push)) {
        marks.extend(arrow(told.from, pushed, palette.score, palette));
    }
    if has(Part::Proposal) && !has_ride(told) {
        marks.extend(arrow(told.pushed.unwrap_or(told.from), told.proposal, palette.text, palette));
    }
    let is_gone = has(Part::Verdict) && told.is_accepted;
    marks.extend(if is_gone {
        ring(told.from, RADIUS, color, palette)
    } else {
        dot(told.from, RADIUS, color, palette)
    });
    if has(Part::Verdict) {
        let color = verdict_color(told.is_accepted, palette);
        marks.extend(if told.is_accepted {
            dot(told.proposal, 1.4 * RADIUS, color, palette)
        } else {
            ring(told.proposal, 1.4 * RADIUS, color, palette)
        });
        marks.push(Mark::Text {
            at: told.proposal,
            offset: [0.0, 0.0],
            text: if told.is_accepted { "✓" } else { "✗" }.to_owned(),
            size: 16.0,
            color: if told.is_accepted { palette.plot_background } else { color },
            anchor: Anchor::Middle,
        });
    } else if has(Part::Proposal) {
        marks.extend(ring(told.proposal, RADIUS, palette.text, palette));
    }
    Layer { id: "story", label: String::new(), color, marks }
}

/// The color of particles, everywhere.
#[must_use]
pub fn particle_color(palette: &Palette) -> Color {
    palette.categorical[3]
}

/// The color of what was accepted, or rejected.
#[must_use]
pub fn verdict_color(is_accepted: bool, palette: &Palette) -> Color {
    palette.categorical[if is_accepted { 2 } else { 1 }]
}

/// Radius of the particle of a story, in pixels.
const RADIUS: f32 = 8.0;

fn points(at: Point, radius: f32, color: Color) -> Mark {
    Mark::Points { points: Arc::from([at]), radius, color }
}

/// A disc with a rim that keeps it apart from what lies below.
fn dot(at: Point, radius: f32, color: Color, palette: &Palette) -> [Mark; 2] {
    [points(at, radius + 2.0, palette.plot_background), points(at, radius, color)]
}

fn ring(at: Point, radius: f32, color: Color, palette: &Palette) -> [Mark; 2] {
    [points(at, radius, color), points(at, radius - 2.5, palette.plot_background)]
}

/// An arrow over a rim of the background.
fn arrow(from: Point, to: Point, color: Color, palette: &Palette) -> [Mark; 2] {
    [
        Mark::Line {
            points: vec![from, to],
            width: 6.0,
            color: palette.plot_background.with_opacity(0.6),
            is_dashed: false,
        },
        Mark::Arrow { from, to, width: 3.0, color },
    ]
}

/// The way of leapfrog, with a dot at every step.
fn ride(told: &Told, palette: &Palette) -> [Mark; 3] {
    let line =
        |width, color| Mark::Line { points: told.path.clone(), width, color, is_dashed: false };
    let steps = told.path[1..].into();
    [
        line(6.0, palette.plot_background.with_opacity(0.6)),
        line(2.5, palette.text),
        Mark::Points { points: steps, radius: 2.5, color: palette.score },
    ]
}

/// The change of the total energy along the way of leapfrog.
#[must_use]
pub fn energies(told: &Told, palette: &Palette) -> Plot {
    let first = told.energies.first().copied().unwrap_or(0.0);
    let change = told.energies.iter().enumerate().map(|(i, energy)| [i as f64, energy - first]);
    let series = |label: &str, color, is_dashed, points| Series {
        label: label.to_owned(),
        color,
        is_dashed,
        points,
    };
    let last = told.energies.len().saturating_sub(1) as f64;
    curves(
        "energies",
        "Energy along the ride",
        Axis::new("leapfrog step", Spacing::Whole),
        // The heading says what it is; the axis is too short for it.
        Axis::new("", Spacing::Linear),
        &[
            series("exact motion", palette.weak_text, true, vec![[0.0, 0.0], [last, 0.0]]),
            series("leapfrog", palette.score, false, change.collect()),
        ],
        &[],
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::Theme;
    use crate::model::{Density, Mixture};
    use crate::sampling::{SAMPLERS, Walk};
    use crate::settings::Settings;

    fn told(id: &str) -> Told {
        let means = [[-1.0, 0.0], [1.0, 0.5]];
        let density: Arc<dyn Density> =
            Arc::new(Mixture::new(&[0.3, 0.7], &means, &[[0.4, 0.1, 0.3]; 2]).unwrap());
        let kernel = (crate::sampling::find(id).unwrap().kernel)(&Settings::default(), density);
        Walk::new(kernel.unwrap(), &[[0.5, -0.25]; 3], 7).tell(1).unwrap()
    }

    #[test]
    fn every_sampler_has_a_story_of_its_own() {
        for sampler in SAMPLERS {
            let told = told(sampler.id);
            let parts = parts(&told);
            let has_push = ["langevin", "annealed_langevin", "mala"].contains(&sampler.id);
            assert_eq!(parts.contains(&Part::Push), has_push, "{}", sampler.id);
            let words: Vec<String> = parts.iter().map(|part| words(&told, *part, 2)).collect();
            assert_eq!(words[0], "Particle 2 is at (0.50, −0.25).");
            let kind = match sampler.id {
                "hmc" => "Ride:",
                "gibbs" => "Draw:",
                "metropolis" => "Proposal:",
                _ => "Noise:",
            };
            let proposal = &words[words.len() - 2];
            assert!(proposal.starts_with(kind), "{proposal}");
            assert!(proposal.contains(&place_words(told.proposal)), "{proposal}");
            // Every part adds something to see.
            let mut before = Vec::new();
            for end in 1..=parts.len() {
                let now = layer(&told, &parts[..end], Theme::Dark.palette()).marks;
                assert_ne!(now, before, "{} {end}", sampler.id);
                before = now;
            }
        }
    }

    #[test]
    fn a_draw_says_which_coordinate_stays() {
        let told = told("gibbs");
        let [is_first, is_second] = [0, 1].map(|axis| told.from[axis] == told.proposal[axis]);
        assert!(is_first != is_second);
        let words = words(&told, Part::Proposal, 1);
        assert!(words.contains(if is_first { "x₁ stays" } else { "x₂ stays" }), "{words}");
        let jump = Told { proposal: [9.0, 8.0], ..told };
        assert!(draw_words(&jump, 2).starts_with("component 2, then"));
    }

    #[test]
    fn a_verdict_says_what_was_decided_and_by_which_chance() {
        let mut told = told("metropolis");
        (told.log_acceptance, told.is_accepted) = (Some(0.5_f64.ln()), false);
        let expected = "Log acceptance is −0.693, a chance of 50 %: rejected ✗, it stays.";
        assert_eq!(verdict(&told), expected);
        (told.log_acceptance, told.is_accepted) = (Some(3.0), true);
        told.energies = vec![4.0, 1.0];
        let expected = "Energy error −3.000, so the log acceptance is 3.000, a chance of 100 %: accepted ✓, it goes \
                        there.";
        assert_eq!(verdict(&told), expected);
        let is_accepted = |mark: &&Mark| matches!(mark, Mark::Text { text, .. } if text == "✓");
        let all = layer(&told, &parts(&told), Theme::Light.palette());
        assert_eq!(all.marks.iter().filter(is_accepted).count(), 1);
    }

    #[test]
    fn the_energy_error_begins_at_zero_and_ends_at_minus_the_log_acceptance() {
        let told = told("hmc");
        let plot = energies(&told, Theme::Dark.palette());
        let Mark::Line { points, .. } = &plot.layers[1].marks[0] else { panic!("no line") };
        assert_eq!((points[0], points.len()), ([0.0, 0.0], 21));
        assert!((points[20][1] + told.log_acceptance.unwrap()).abs() < 1e-12);
    }
}
