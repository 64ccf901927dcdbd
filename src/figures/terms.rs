//! Terms: every data point in the color of what it adds to the loss, the largest circled; and their histogram.

use std::sync::Arc;

use super::cloud::{MOST_DOTS, Pixels};
use super::shade::Shade;
use super::{Axis, Color, Layer, Mark, Palette, Picture, Plot, Spacing, Theme};
use crate::model::{Bounds, Point};
use crate::objectives::{Term, Terms};

/// Colors that points have at most; more are not told apart.
const COLORS: usize = 33;

/// Points in the colors of their terms; the largest by their size above the others. Crowds are pictures, as wide as
/// `bounds`, in which a pixel has the color of the mean of its points. Shapes: `points` and `terms` have one length.
#[must_use]
pub fn layer(
    points: &[Point],
    terms: &Terms,
    shade: &Shade,
    (bounds, pixels): (Bounds, Pixels),
    theme: Theme,
) -> Layer {
    let palette = theme.palette();
    let marks = if points.len() > MOST_DOTS {
        let picture = Arc::new(picture(points, terms, shade, (bounds, pixels), theme));
        vec![Mark::Raster { bounds, picture }]
    } else {
        dots(points, terms, shade, theme)
    };
    let label = "Training data by tr ∇s(x) + ½‖s(x)‖²".to_owned();
    Layer { id: "terms", label, color: palette.train, marks }
}

/// Points as dots over a rim of the background, in few colors.
fn dots(points: &[Point], terms: &Terms, shade: &Shade, theme: Theme) -> Vec<Mark> {
    let radius = if points.len() > 3_000 { 1.4 } else { 2.6 };
    let mut by_color: Vec<Vec<Point>> = vec![Vec::new(); COLORS];
    for (&point, term) in points.iter().zip(&terms.of_points) {
        let color = shade.share(term.total()) * (COLORS - 1) as f64;
        by_color[(color.round() as usize).min(COLORS - 1)].push(point);
    }
    let mut colored: Vec<(f64, Vec<Point>)> = (by_color.into_iter().enumerate())
        .map(|(i, points)| (i as f64 / (COLORS - 1) as f64, points))
        .filter(|(_, points)| !points.is_empty())
        .collect();
    // What weighs most lies above the rest.
    colored.sort_by(|(a, _), (b, _)| (a - 0.5).abs().total_cmp(&(b - 0.5).abs()));
    let rim = theme.palette().plot_background.with_opacity(0.75);
    let dots = colored.into_iter().flat_map(|(share, points)| {
        let points: Arc<[Point]> = points.into();
        let color = shade.point_color(shade.value(share), theme);
        let dot = |radius, color| Mark::Points { points: points.clone(), radius, color };
        [dot(radius + 0.9, rim), dot(radius, color)]
    });
    dots.collect()
}

/// A crowd as pixels.
fn picture(
    points: &[Point],
    terms: &Terms,
    shade: &Shade,
    (bounds, pixels): (Bounds, Pixels),
    theme: Theme,
) -> Picture {
    let [width, height] = pixels.size.map(|side| side.max(1));
    let size = bounds.size();
    // Of every pixel the sum of the terms, and how many there are.
    let mut sums = vec![(0.0, 0_u32); width * height];
    for (point, term) in points.iter().zip(&terms.of_points) {
        let x = (point[0] - bounds.min[0]) / size[0] * width as f64;
        let y = (bounds.max[1] - point[1]) / size[1] * height as f64;
        // Written so that NaN fails. The pixels around it belong to the dot, too.
        if x >= 1.0 && y >= 1.0 && x < width as f64 - 1.0 && y < height as f64 - 1.0 {
            let (x, y) = (x as usize, y as usize);
            for at in [(x, y), (x - 1, y), (x + 1, y), (x, y - 1), (x, y + 1)] {
                let (sum, count) = &mut sums[at.1 * width + at.0];
                (*sum, *count) = (*sum + term.total(), *count + 1);
            }
        }
    }
    let rgba = sums.into_iter().flat_map(|(sum, count)| {
        if count == 0 {
            return [0; 4];
        }
        let Color { r, g, b, a } = shade.point_color(sum / f64::from(count), theme);
        [r, g, b, a]
    });
    Picture { width, height, rgba: rgba.collect() }
}

/// Corners of a circle.
const CORNERS: usize = 28;

/// Circles around points, the largest contributors; as large on screen as `pixels` of these bounds say.
#[must_use]
pub fn circles(points: &[Point], (bounds, pixels): (Bounds, Pixels), palette: &Palette) -> Layer {
    // As many times as large as a dot of a crowd.
    let radius = 6.2 * pixels.dot * bounds.size()[0] / pixels.size[0].max(1) as f64;
    let clear = palette.text.with_opacity(0.0);
    let circle = |&[x, y]: &Point, stroke_width: f32, stroke: Color| {
        let corner = |i: usize| {
            let angle = std::f64::consts::TAU * i as f64 / CORNERS as f64;
            [x + radius * angle.cos(), y + radius * angle.sin()]
        };
        let points = (0..CORNERS).map(corner).collect();
        Mark::Polygon { points, fill: clear, stroke_width, stroke }
    };
    let rims = points.iter().map(|at| circle(at, 4.2, palette.plot_background.with_opacity(0.8)));
    let rings = points.iter().map(|at| circle(at, 1.8, palette.text));
    let label = format!("The {} largest terms", points.len());
    Layer { id: "largest", label, color: palette.text, marks: rims.chain(rings).collect() }
}

/// Bins of the histogram.
const BINS: usize = 30;

/// How many points have which term, in the colors of the plane, with a dashed line at their mean, the loss. What the
/// colors do not reach is counted in the outermost bins.
#[must_use]
pub fn histogram(terms: &Terms, shade: &Shade, theme: Theme) -> Plot {
    let palette = theme.palette();
    let totals = terms.of_points.iter().map(Term::total).filter(|total| total.is_finite());
    let totals: Vec<f64> = totals.map(|total| total.clamp(shade.low, shade.high)).collect();
    let range = [f64::min, f64::max].map(|pick| totals.iter().copied().reduce(pick));
    let [low, high] = range.map(|end| end.unwrap_or(0.0));
    let width = ((high - low) / BINS as f64).max(1e-12);
    let mut counts = [0_usize; BINS];
    for total in &totals {
        counts[(((total - low) / width) as usize).min(BINS - 1)] += 1;
    }
    let most = counts.iter().copied().max().unwrap_or(0).max(1) as f64;
    let bar = |(i, &count): (usize, &usize)| {
        let [left, right] = [i as f64 + 0.04, i as f64 + 0.96].map(|edge| low + edge * width);
        let color = shade.point_color(low + (i as f64 + 0.5) * width, theme);
        let points =
            [[left, 0.0], [right, 0.0], [right, count as f64], [left, count as f64]].to_vec();
        Mark::Polygon { points, fill: color, stroke_width: 0.0, stroke: color }
    };
    let bars = counts.iter().enumerate().filter(|(_, count)| **count > 0).map(bar).collect();
    let loss = terms.mean.total();
    let line = Mark::Line {
        points: vec![[loss, 0.0], [loss, 1.1 * most]],
        width: 1.5,
        color: palette.text,
        is_dashed: true,
    };
    let layer = |id, label: &str, color, marks| Layer { id, label: label.to_owned(), color, marks };
    let mut x = Axis::new("tr ∇s(x) + ½‖s(x)‖² of a point", Spacing::Linear);
    // The loss may lie beyond all bars, where few points weigh more than the others together.
    let (left, right) = (low.min(loss.max(shade.low)), high.max(loss.min(shade.high)));
    let margin = (0.03 * (right - left)).max(1e-9);
    x.range = Some([left - margin, right + margin]);
    let mut y = Axis::new("points", Spacing::Whole);
    y.range = Some([0.0, 1.1 * most]);
    Plot {
        id: "terms",
        title: "Terms of the points".to_owned(),
        x,
        y,
        has_equal_aspect: false,
        layers: vec![
            layer("bars", "Points", palette.train, bars),
            layer("loss", "Their mean, the loss", palette.text, vec![line]),
        ],
        has_legend: true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::figures::cloud::pixels;
    use crate::model::{Density, Mixture};
    use crate::random::{Purpose, generator};

    const BOUNDS: Bounds = Bounds { min: [-4.0; 2], max: [4.0; 2] };

    fn sampled(count: usize) -> (Vec<Point>, Terms, Shade) {
        let covariances = [[0.3, 0.1, 0.2], [0.5, -0.3, 0.4]];
        let mixture = Mixture::new(&[0.6, 0.4], &[[0.0, 0.0], [1.5, -1.0]], &covariances).unwrap();
        let points = mixture.sample(count, &mut generator(3, Purpose::Samples));
        let terms = Terms::at(&mixture, &points);
        let totals: Vec<f64> = terms.of_points.iter().map(Term::total).collect();
        let shade = Shade::of_terms(&totals).unwrap();
        (points, terms, shade)
    }

    fn view() -> (Bounds, Pixels) {
        (BOUNDS, pixels(BOUNDS, [300.0, 300.0], 1.0))
    }

    #[test]
    fn every_point_is_drawn_once_in_its_color() {
        let (points, terms, shade) = sampled(400);
        for theme in [Theme::Light, Theme::Dark] {
            let layer = layer(&points, &terms, &shade, view(), theme);
            let mut seen = 0;
            for pair in layer.marks.chunks(2) {
                let Mark::Points { points: some, color, .. } = &pair[1] else { panic!("{pair:?}") };
                for at in some.iter() {
                    let i = points.iter().position(|point| point == at).unwrap();
                    let exact = shade.point_color(terms.of_points[i].total(), theme);
                    let off = [(color.r, exact.r), (color.b, exact.b)].map(|(a, b)| a.abs_diff(b));
                    assert!(off.iter().all(|off| *off < 40), "{color:?} {exact:?}");
                    seen += 1;
                }
            }
            assert_eq!(seen, points.len());
        }
    }

    #[test]
    fn crowds_are_pictures_of_the_same_colors() {
        let (points, terms, shade) = sampled(MOST_DOTS + 1000);
        let layer = layer(&points, &terms, &shade, view(), Theme::Dark);
        let Mark::Raster { picture, bounds } = &layer.marks[0] else { panic!("{}", layer.label) };
        assert_eq!((*bounds, picture.width), (BOUNDS, 300));
        let inked = picture.rgba.as_chunks::<4>().0.iter().filter(|pixel| pixel[3] > 0).count();
        assert!(inked > 5_000, "{inked}");
        // In the middle of the first component the density curves down: blue.
        let middle = picture.rgba.as_chunks::<4>().0[150 * 300 + 150];
        assert!(middle[2] > middle[0], "{middle:?}");
    }

    #[test]
    fn a_histogram_counts_all_points_and_points_out_the_loss() {
        let (points, terms, shade) = sampled(700);
        let plot = histogram(&terms, &shade, Theme::Light);
        let mut count = 0.0;
        for mark in &plot.layers[0].marks {
            let Mark::Polygon { points, .. } = mark else { panic!("{mark:?}") };
            count += points[2][1];
        }
        assert_eq!(count as usize, points.len());
        let Mark::Line { points, .. } = &plot.layers[1].marks[0] else { panic!("{plot:?}") };
        assert_eq!(points[0][0], terms.mean.total());
        let view = plot.view();
        assert!(view.min[0] < points[0][0] && points[0][0] < view.max[0]);
        let empty = histogram(&Terms::default(), &shade, Theme::Light);
        assert!(empty.layers[0].marks.is_empty());
    }

    #[test]
    fn circles_are_round_and_around_their_points() {
        let layer = circles(&[[1.0, 2.0]], view(), Theme::Dark.palette());
        assert_eq!(layer.marks.len(), 2);
        let Mark::Polygon { points, .. } = &layer.marks[1] else { panic!("{layer:?}") };
        for [x, y] in points {
            let pixels = (x - 1.0).hypot(y - 2.0) * 300.0 / 8.0;
            assert!((pixels - 6.2 * 1.3).abs() < 1e-5, "{pixels}");
        }
    }
}
