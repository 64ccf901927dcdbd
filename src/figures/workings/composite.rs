//! Workings of composite score matching: the marginal along an edge, and the conditional along a cut, against the points
//! near it.

use super::{Subject, number_words, share_words, with_rims};
use crate::figures::{Anchor, Color, Layer, Mark, Palette};
use crate::model::{Bounds, LineMixture, Point};

/// Half the width of the strip around the cut, as a share of what the points span.
const STRIP: f64 = 0.03;

/// Bars of the histogram over all that the points span.
const BARS: usize = 32;

/// Places at which a curve is computed.
const PLACES: usize = 320;

/// On each side of the mean of a thin Gaussian so many places, which reach so many of its standard deviations.
const AROUND: i32 = 12;
const THIN_REACH: f64 = 5.0;

/// How far the highest density reaches into the plane, as a share of its size.
const HEIGHT: f64 = 0.16;

/// More points than these are thinned before they are counted: every 2ⁿ-th of them.
const MOST_COUNTED: usize = 20_000;

/// The marginal of the coordinate that comes first, along the lower or the left edge; the cut, with the conditional of the
/// other coordinate along it, and with a histogram of the points within a strip around it, which is drawn as wide as it
/// is. Both have one scale: the area below each of them is one.
pub fn layers(subject: &Subject, bounds: Bounds, palette: &Palette) -> Vec<Layer> {
    let axis = subject.cut_axis();
    let cut = subject.cut[axis];
    let plane = Plane { axis, bounds };
    let strip = Strip::of(&subject.points, axis, cut);
    let marginal = subject.mixture.marginal(axis);
    let conditional = subject.mixture.conditional(axis, cut);
    let [of_marginal, of_conditional] = [palette.categorical[5], palette.categorical[2]];
    // What is drawn along the cut is as high as it is on the side where there is more room.
    let side = if cut > bounds.center()[axis] { -1.0 } else { 1.0 };
    let curve = sampled(&conditional, plane.range(1 - axis));
    let bars = strip.bars();
    let highest = curve.iter().map(|p| p[1]).chain(bars.iter().map(|bar| bar.density));
    let unit = side * plane.height(axis) / highest.fold(f64::MIN_POSITIVE, f64::max);
    let names = if axis == 0 { ["x₁", "x₂"] } else { ["x₂", "x₁"] };
    let given = format!("p({} | {} = {})", names[1], names[0], number_words(cut));
    let layer = |id, label: String, color, marks| Layer { id, label, color, marks };
    let mut within = format!(
        "cut ± {}: {} of {} points",
        number_words(strip.half_width),
        strip.values.len(),
        strip.all
    );
    if strip.every > 1 {
        within = format!("{within}, {} counted", share_words(strip.every));
    }
    let mut layers = vec![
        layer(
            "workings-strip",
            within,
            palette.weak_text,
            vec![plane.strip(cut, strip.half_width, palette.weak_text.with_opacity(0.22))],
        ),
        layer(
            "workings-histogram",
            "their histogram".to_owned(),
            palette.train,
            bars.iter().map(|bar| plane.bar(bar, cut, unit, palette)).collect(),
        ),
        layer(
            "workings-conditional",
            given,
            of_conditional,
            filled(&curve, 1 - axis, cut, unit, of_conditional),
        ),
        layer("workings-cut", String::new(), palette.text, vec![plane.line(cut, palette.text)]),
    ];
    let curve = sampled(&marginal, plane.range(axis));
    let highest = curve.iter().map(|p| p[1]).fold(f64::MIN_POSITIVE, f64::max);
    let (base, unit) = (bounds.min[1 - axis], plane.height(1 - axis) / highest);
    let mut marks = filled(&curve, axis, base, unit, of_marginal);
    marks.extend(plane.name(&curve, base, unit, format!("p({})", names[0]), of_marginal));
    layers.push(layer("workings-marginal", format!("p({})", names[0]), of_marginal, marks));
    // Without points near the cut there is no histogram.
    layers.retain(|layer| !layer.marks.is_empty());
    with_rims(layers, palette)
}

/// Places along the line and the density there: evenly chosen, and more of them around Gaussians that would pass between
/// them.
fn sampled(density: &LineMixture, [low, high]: [f64; 2]) -> Vec<Point> {
    let step = (high - low) / (PLACES - 1) as f64;
    let mut places: Vec<f64> = (0..PLACES).map(|i| low + step * i as f64).collect();
    let thin = density.bells().iter().filter(|bell| bell.deviation < 2.0 * step);
    let around = thin.flat_map(|bell| {
        let deviations = (-AROUND..=AROUND).map(|i| f64::from(i) / f64::from(AROUND));
        deviations.map(|share| bell.mean + THIN_REACH * bell.deviation * share)
    });
    places.extend(around.filter(|t| (low..=high).contains(t)));
    places.sort_by(f64::total_cmp);
    places.into_iter().map(|t| [t, density.density(t)]).filter(|p| p[1].is_finite()).collect()
}

/// The points near the cut, by their other coordinate.
struct Strip {
    half_width: f64,
    /// The other coordinate of every point within the strip.
    values: Vec<f64>,
    /// What all points span of that coordinate.
    span: [f64; 2],
    /// How many points were looked at.
    all: usize,
    /// Every how many-th point that is.
    every: usize,
}

/// A bar of the histogram.
struct Bar {
    from: f64,
    to: f64,
    /// Share of the points within the strip per unit of length.
    density: f64,
}

impl Strip {
    fn of(points: &[Point], axis: usize, cut: f64) -> Strip {
        let every = points.len().div_ceil(MOST_COUNTED).max(1).next_power_of_two();
        let counted: Vec<Point> = points.iter().step_by(every).copied().collect();
        let whole = Bounds::around(&counted).unwrap_or(Bounds { min: [0.0; 2], max: [1.0; 2] });
        let half_width = STRIP * whole.size()[axis];
        let near = counted.iter().filter(|point| (point[axis] - cut).abs() <= half_width);
        Strip {
            half_width,
            values: near.map(|point| point[1 - axis]).collect(),
            span: [whole.min[1 - axis], whole.max[1 - axis]],
            all: counted.len(),
            every,
        }
    }

    fn bars(&self) -> Vec<Bar> {
        let [low, high] = self.span;
        let width = (high - low) / BARS as f64;
        let mut counts = [0_usize; BARS];
        for value in &self.values {
            counts[(((value - low) / width) as usize).min(BARS - 1)] += 1;
        }
        let total = self.values.len() as f64 * width;
        let bar = |(i, count): (usize, usize)| Bar {
            from: low + width * i as f64,
            to: low + width * (i + 1) as f64,
            density: count as f64 / total,
        };
        let filled = counts.into_iter().enumerate().filter(|(_, count)| *count > 0 && width > 0.0);
        filled.map(bar).collect()
    }
}

/// The plane, cut across one of its axes.
struct Plane {
    axis: usize,
    bounds: Bounds,
}

impl Plane {
    /// What is seen of an axis.
    fn range(&self, axis: usize) -> [f64; 2] {
        [self.bounds.min[axis], self.bounds.max[axis]]
    }

    /// How far densities reach in the direction of an axis.
    fn height(&self, axis: usize) -> f64 {
        HEIGHT * self.bounds.size()[axis]
    }

    /// The place at a distance along the cut axis and another along the other one.
    fn place(&self, across: f64, along: f64) -> Point {
        if self.axis == 0 { [across, along] } else { [along, across] }
    }

    fn rectangle(&self, across: [f64; 2], along: [f64; 2]) -> Vec<Point> {
        let corners = [(0, 0), (1, 0), (1, 1), (0, 1)];
        corners.map(|(i, j)| self.place(across[i], along[j])).to_vec()
    }

    fn strip(&self, cut: f64, half_width: f64, fill: Color) -> Mark {
        let across = [cut - half_width, cut + half_width];
        let points = self.rectangle(across, self.range(1 - self.axis));
        Mark::Polygon { points, fill, stroke_width: 0.0, stroke: fill }
    }

    fn line(&self, cut: f64, color: Color) -> Mark {
        let points = self.range(1 - self.axis).map(|along| self.place(cut, along)).to_vec();
        Mark::Line { points, width: 2.0, color, is_dashed: false }
    }

    fn bar(&self, bar: &Bar, cut: f64, unit: f64, palette: &Palette) -> Mark {
        let Bar { from, to, density } = bar;
        let (fill, stroke) = (palette.train.with_opacity(0.4), palette.train.with_opacity(0.75));
        let reached = cut + unit * density;
        // A little apart from the next one.
        let gap = 0.06 * (to - from);
        let points = self.rectangle([cut, reached], [from + gap, to - gap]);
        Mark::Polygon { points, fill, stroke_width: 1.0, stroke }
    }

    /// The marginal's name above its highest place.
    fn name(
        &self,
        curve: &[Point],
        base: f64,
        unit: f64,
        text: String,
        color: Color,
    ) -> Option<Mark> {
        let highest = curve.iter().max_by(|a, b| a[1].total_cmp(&b[1]))?;
        let reached = base + unit * highest[1];
        let (at, offset, anchor) = if self.axis == 0 {
            ([highest[0], reached], [0.0, -12.0], Anchor::Middle)
        } else {
            ([reached, highest[0]], [8.0, 0.0], Anchor::Start)
        };
        Some(Mark::Text { at, offset, text, size: 15.0, color, anchor })
    }
}

/// A density over one of the axes: filled from a base, `unit` for each unit of the density, with its outline.
fn filled(curve: &[Point], over: usize, base: f64, unit: f64, color: Color) -> Vec<Mark> {
    let edges = curve.iter().map(|&[t, p]| [t, base, base + unit * p]).collect();
    let fill = color.with_opacity(0.35);
    let band = if over == 0 {
        Mark::Band { points: edges, color: fill }
    } else {
        Mark::SideBand { points: edges, color: fill }
    };
    let place = |&[t, p]: &Point| {
        let reached = base + unit * p;
        if over == 0 { [t, reached] } else { [reached, t] }
    };
    let points = curve.iter().map(place).collect();
    vec![band, Mark::Line { points, width: 2.4, color, is_dashed: false }]
}

#[cfg(test)]
mod tests {
    use super::super::tests::{VIEW, layer, set, subject};
    use super::*;
    use crate::figures::Theme;
    use crate::model::{Density, Mixture};
    use crate::objectives::ORDER;
    use crate::settings::Value;

    fn swapped(mut subject: Subject) -> Subject {
        set(&mut subject, &ORDER, Value::Choice("x2_x1".to_owned()));
        subject
    }

    /// A filled curve: place, base and reach.
    fn band(layer: &Layer) -> &[[f64; 3]] {
        let of = |mark: &'_ Mark| matches!(mark, Mark::Band { .. } | Mark::SideBand { .. });
        match layer.marks.iter().find(|mark| of(mark)).unwrap() {
            Mark::Band { points, .. } | Mark::SideBand { points, .. } => points,
            _ => unreachable!(),
        }
    }

    #[test]
    fn curves_are_the_marginal_and_the_conditional_up_to_one_factor() {
        for subject in [subject("csm"), swapped(subject("csm"))] {
            let axis = subject.cut_axis();
            let layers = layers(&subject, VIEW, Theme::Dark.palette());
            let cut = subject.cut[axis];
            let place = |a: f64, b: f64| if axis == 0 { [a, b] } else { [b, a] };
            // By the midpoint rule over the other coordinate.
            let marginal = |a: f64| -> f64 {
                let at = |i: i32| subject.mixture.log_density(place(a, f64::from(i) * 0.01)).exp();
                (-800..800).map(|i| 0.01 * at(i)).sum()
            };
            let conditional =
                |b: f64| subject.mixture.log_density(place(cut, b)).exp() / marginal(cut);
            let check = |id: &str, base: f64, density: &dyn Fn(f64) -> f64| {
                let points = band(layer(&layers, id));
                let factor = (points[PLACES / 2][2] - base) / density(points[PLACES / 2][0]);
                for &[t, from, to] in points.iter().step_by(9) {
                    assert_eq!(from, base);
                    let expected = factor * density(t);
                    assert!((to - from - expected).abs() < 1e-9, "{id} {t}: {expected}");
                }
            };
            check("marginal", VIEW.min[1 - axis], &marginal);
            check("conditional", cut, &conditional);
        }
    }

    #[test]
    fn the_strip_is_as_wide_as_it_says_and_holds_the_points_of_the_histogram() {
        for subject in [subject("csm"), swapped(subject("csm"))] {
            let axis = subject.cut_axis();
            let layers = layers(&subject, VIEW, Theme::Light.palette());
            let Mark::Polygon { points, .. } = &layer(&layers, "strip").marks[0] else {
                panic!("no strip")
            };
            let strip = Bounds::around(points).unwrap();
            let [low, high] = [strip.min[axis], strip.max[axis]];
            let inside = |x: &&Point| x[axis] >= low && x[axis] <= high;
            let count = subject.points.iter().filter(inside).count();
            assert!(count > 20, "{count}");
            let label = &layer(&layers, "strip").label;
            assert!(label.ends_with(&format!(": {count} of 1000 points")), "{label}");
            // Bars and curve have one scale: the bars' area is that of the curve, which is one.
            let cut = subject.cut[axis];
            let curve = band(layer(&layers, "conditional"));
            let step = curve[1][0] - curve[0][0];
            let below_curve: f64 = curve.iter().map(|p| step * (p[2] - p[1]).abs()).sum();
            let bar = |mark: &Mark| {
                let Mark::Polygon { points, .. } = mark else { panic!("{mark:?}") };
                let bounds = Bounds::around(points).unwrap();
                assert!(bounds.min[axis] == cut || bounds.max[axis] == cut);
                // Twelve hundredths are left between bars.
                bounds.size()[0] * bounds.size()[1] / 0.88
            };
            let below_bars: f64 = layer(&layers, "histogram").marks.iter().map(bar).sum();
            assert!((below_bars / below_curve - 1.0).abs() < 1e-3, "{below_bars} {below_curve}");
        }
    }

    #[test]
    fn a_thin_component_is_not_passed_by() {
        let covariances = [[0.4, 0.1, 0.3], [0.3, 0.0, 1e-8]];
        let mixture = Mixture::new(&[0.5, 0.5], &[[0.0; 2], [0.5, 1.2345]], &covariances).unwrap();
        let curve = sampled(&mixture.conditional(0, 0.5), [-3.0, 3.0]);
        assert!(curve.windows(2).all(|pair| pair[0][0] <= pair[1][0]));
        // By the trapezoidal rule.
        let of = |pair: &[Point]| 0.5 * (pair[1][0] - pair[0][0]) * (pair[0][1] + pair[1][1]);
        let area: f64 = curve.windows(2).map(of).sum();
        assert!((area - 1.0).abs() < 1e-3, "{area}");
    }

    #[test]
    fn a_cut_where_there_are_no_points_has_no_histogram() {
        let subject = Subject { cut: [3.9, 0.0], ..subject("csm") };
        let layers = layers(&subject, VIEW, Theme::Dark.palette());
        assert!(layers.iter().all(|layer| layer.id != "workings-histogram"));
        assert!(layer(&layers, "strip").label.contains(": 0 of 1000 points"));
        // It is drawn to the left, where there is room.
        assert!(band(layer(&layers, "conditional")).iter().all(|p| p[2] <= p[1]));
    }
}
