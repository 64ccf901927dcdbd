//! Walks: how particles are spread over the modes, and how far they are from exact samples.

use super::story::particle_color;
use super::{Axis, Color, Layer, Mark, Palette, Plot, Spacing};
use crate::sampling::{Checkpoint, ModeShare};

/// The share of the particles at every mode, ± one standard error, beside what it should be.
#[must_use]
pub fn shares(shares: &[ModeShare], palette: &Palette) -> Plot {
    let (walk, exact) = (particle_color(palette), palette.samples);
    let (mut walked, mut wanted) = (Vec::new(), Vec::new());
    let mut largest = 0.0_f64;
    for (i, share) in shares.iter().enumerate() {
        let k = i as f64 + 1.0;
        walked.push(bar([k - 0.36, k - 0.02], share.share, walk));
        wanted.push(bar([k + 0.02, k + 0.36], share.weight, exact));
        let [low, high] = [-1.0, 1.0].map(|sign| share.share + sign * share.standard_error);
        walked.push(Mark::Line {
            points: vec![[k - 0.19, low.max(0.0)], [k - 0.19, high]],
            width: 2.0,
            color: palette.text,
            is_dashed: false,
        });
        largest = largest.max(share.weight).max(high);
    }
    let axis = |label: &str, spacing, range| Axis { label: label.to_owned(), spacing, range };
    let layer = |id, label: &str, color, marks| Layer { id, label: label.to_owned(), color, marks };
    Plot {
        id: "shares",
        title: "Share of the particles at every mode".to_owned(),
        x: axis("component k", Spacing::Whole, Some([0.4, shares.len() as f64 + 0.6])),
        y: axis("share", Spacing::Linear, Some([0.0, 1.08 * largest.max(0.05)])),
        has_equal_aspect: false,
        layers: vec![
            layer("walked", "Particles ± standard error", walk, walked),
            layer("wanted", "Exact", exact, wanted),
        ],
        has_legend: true,
    }
}

/// An upright bar from zero.
fn bar([left, right]: [f64; 2], height: f64, color: Color) -> Mark {
    Mark::Polygon {
        points: vec![[left, 0.0], [left, height], [right, height], [right, 0.0]],
        fill: color,
        stroke_width: 0.0,
        stroke: color,
    }
}

/// The energy distance to exact samples over the steps, ± two standard errors, and zero, where it should end.
#[must_use]
pub fn distance(curve: &[Checkpoint], spacing: Spacing, palette: &Palette) -> Plot {
    let color = particle_color(palette);
    let x = match spacing {
        Spacing::Logarithmic => Axis::new("step", Spacing::Logarithmic),
        _ => Axis::new("step", Spacing::Whole),
    };
    let shown = curve.iter().filter(|checkpoint| x.position(checkpoint.step as f64).is_finite());
    let shown: Vec<&Checkpoint> = shown.collect();
    let place = |checkpoint: &&Checkpoint| [checkpoint.step as f64, checkpoint.distance.value];
    let edges = shown.iter().map(|checkpoint| {
        let (value, error) = (checkpoint.distance.value, checkpoint.distance.standard_error);
        [checkpoint.step as f64, value - 2.0 * error, value + 2.0 * error]
    });
    let ends = [shown.first(), shown.last()].map(|end| end.map_or(1.0, |c| c.step as f64));
    let mut marks = vec![
        Mark::Band { points: edges.collect(), color: color.with_opacity(0.35) },
        Mark::Line {
            points: shown.iter().map(place).collect(),
            width: 2.5,
            color,
            is_dashed: false,
        },
    ];
    if let [only] = shown[..] {
        // A line of one point would be invisible.
        marks.push(Mark::Points { points: [place(&only)].into(), radius: 4.0, color });
    }
    let zero = Mark::Line {
        points: vec![[ends[0], 0.0], [ends[1], 0.0]],
        width: 1.5,
        color: palette.samples,
        is_dashed: true,
    };
    let layer = |id, label: &str, color, marks| Layer { id, label: label.to_owned(), color, marks };
    Plot {
        id: "energy-distance",
        title: "Energy distance to exact samples".to_owned(),
        x,
        // The heading says what it is; the axis is too short for it.
        y: Axis::new("", Spacing::Linear),
        has_equal_aspect: false,
        layers: vec![
            layer("zero", "Exact", palette.samples, vec![zero]),
            layer("distance", "Particles ± two standard errors", color, marks),
        ],
        has_legend: true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::Theme;
    use crate::sampling::EnergyDistance;

    #[test]
    fn bars_are_as_high_as_the_shares_and_errors_reach_as_far() {
        let share = |share, weight| ModeShare { share, standard_error: 0.02, weight };
        let plot = shares(&[share(0.49, 0.8), share(0.51, 0.2)], Theme::Dark.palette());
        let heights = |layer: usize| -> Vec<f64> {
            let of = |mark: &Mark| match mark {
                Mark::Polygon { points, .. } => Some(points[1][1]),
                _ => None,
            };
            plot.layers[layer].marks.iter().filter_map(of).collect()
        };
        assert_eq!((heights(0), heights(1)), (vec![0.49, 0.51], vec![0.8, 0.2]));
        let Mark::Line { points, .. } = &plot.layers[0].marks[1] else { panic!("no error") };
        assert!((points[1][1] - points[0][1] - 0.04).abs() < 1e-12);
        assert!(plot.view().max[1] > 0.8);
        assert!(shares(&[], Theme::Dark.palette()).view().max[1] > 0.0);
    }

    #[test]
    fn a_curve_begins_at_step_0_or_on_a_logarithmic_axis_at_1() {
        let checkpoint = |step| Checkpoint {
            step,
            distance: EnergyDistance { value: 1.0 / (step as f64 + 1.0), standard_error: 0.1 },
        };
        let curve: Vec<Checkpoint> = [0, 1, 2, 4].map(checkpoint).to_vec();
        for (spacing, first) in [(Spacing::Linear, 0.0), (Spacing::Logarithmic, 1.0)] {
            let plot = distance(&curve, spacing, Theme::Light.palette());
            let [Mark::Band { points: band, .. }, Mark::Line { points, .. }] =
                &plot.layers[1].marks[..]
            else {
                panic!("{:?}", plot.layers[1].marks)
            };
            assert_eq!((points[0][0], band[0][0]), (first, first));
            assert!((band[0][2] - band[0][1] - 0.4).abs() < 1e-12);
        }
        let only = distance(&curve[..1], Spacing::Linear, Theme::Light.palette());
        assert!(only.layers[1].marks.iter().any(|mark| matches!(mark, Mark::Points { .. })));
    }
}
