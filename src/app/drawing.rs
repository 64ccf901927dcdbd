//! Drawing: turns the pointer into strokes.

use egui::{CursorIcon, PointerButton, Pos2, Shape, Stroke as Pen};
use egui_plot::PlotTransform;

use super::document::Document;
use super::plot::{self, color32};
use super::view::View;
use crate::data::Scaling;
use crate::data::spray::{self, Stroke, Tool};
use crate::figures::cloud::MOST_DOTS;
use crate::model::Point;

/// The stroke under the hand, where there is one.
#[derive(Default)]
pub struct Drawing {
    stroke: Option<Stroke>,
    /// Seconds that the button has been held.
    held_secs: f64,
}

/// Where the hand is, and with which tool.
pub struct Hand<'a> {
    /// The canvas's response.
    pub response: &'a egui::Response,
    /// From the screen to the canvas.
    pub transform: &'a PlotTransform,
    /// The tool.
    pub tool: Tool,
    /// The tool's radius in the units of the canvas.
    pub reach: f64,
    /// From the units of the canvas to those of the data's source.
    pub scaling: Scaling,
}

impl Hand<'_> {
    /// The place on the plane below a place on screen, in the units of the source.
    fn place(&self, at: Pos2) -> Point {
        let value = self.transform.value_from_position(at);
        self.scaling.undo([value.x, value.y])
    }

    /// Undoes [`Hand::place`].
    fn screen(&self, x: Point) -> Pos2 {
        let [x, y] = self.scaling.apply(x);
        self.transform.position_from_point(&egui_plot::PlotPoint::new(x, y))
    }
}

impl Drawing {
    /// Turns the pointer into strokes; a stroke that is done goes into the document.
    ///
    /// Every movement counts, not only the last one before a frame: a fast hand stays a curve, and a click shorter than
    /// a frame still leaves a dab.
    pub fn follow(&mut self, ui: &egui::Ui, hand: &Hand<'_>, document: &mut Document, view: &View) {
        let (events, time_step) =
            ui.input(|input| (input.events.clone(), f64::from(input.stable_dt).min(0.1)));
        let is_on_canvas = hand.response.contains_pointer();
        for event in events {
            match event {
                egui::Event::PointerButton {
                    pos,
                    button: PointerButton::Primary,
                    pressed: true,
                    ..
                } if is_on_canvas && hand.transform.frame().contains(pos) => {
                    // Typing ends where drawing begins, or the keys would go on to a field.
                    ui.memory_mut(egui::Memory::stop_text_input);
                    let unit = f64::midpoint(hand.scaling.unit[0], hand.scaling.unit[1]);
                    self.held_secs = 0.0;
                    self.stroke = Some(Stroke {
                        tool: hand.tool,
                        path: vec![hand.place(pos)],
                        radius: hand.reach * unit,
                        count: 0,
                        seed: document.experiment.strokes.len() as u64,
                    });
                }
                egui::Event::PointerMoved(pos) => {
                    if let Some(stroke) = &mut self.stroke {
                        extend(stroke, hand.place(pos));
                    }
                }
                egui::Event::PointerButton {
                    button: PointerButton::Primary,
                    pressed: false,
                    ..
                } => {
                    if let Some(mut stroke) = self.stroke.take() {
                        stroke.count = count(&stroke, view.tool_points, self.held_secs);
                        document.mark();
                        document.experiment.strokes.push(stroke);
                    }
                }
                _ => {}
            }
        }
        if let Some(stroke) = &mut self.stroke {
            self.held_secs += time_step;
            if hand.tool == Tool::Airbrush
                && let Some(&last) = stroke.path.last()
            {
                // Where it is held it sprays on, so time becomes points of the path.
                stroke.path.push(last);
            }
            stroke.count = count(stroke, view.tool_points, self.held_secs);
            ui.ctx().request_repaint();
        }
    }

    /// The stroke under the hand, and the tool's reach.
    pub fn show_ui(&self, ui: &egui::Ui, brush: &egui::Painter, hand: &Hand<'_>, view: &View) {
        let palette = view.theme.palette();
        let reach = (hand.reach * hand.transform.dpos_dvalue_x().abs()) as f32;
        if let Some(stroke) = &self.stroke {
            if hand.tool == Tool::Eraser {
                let path: Vec<Pos2> = stroke.path.iter().map(|&x| hand.screen(x)).collect();
                let cover = color32(palette.plot_background).gamma_multiply(0.8);
                for at in &path {
                    brush.circle_filled(*at, reach, cover);
                }
                brush.add(Shape::line(path, Pen::new(2.0 * reach, cover)));
            } else {
                let color = color32(palette.train);
                // The points stay where they are while a stroke grows, so the first of them are a fair preview.
                let preview = Stroke { count: stroke.count.min(MOST_DOTS), ..stroke.clone() };
                let points = spray::spray(&preview).into_iter().map(|x| hand.screen(x));
                brush.add(plot::dots(points, 1.4, color));
            }
        }
        if let Some(at) = hand.response.hover_pos() {
            ui.ctx().set_cursor_icon(CursorIcon::Crosshair);
            brush.circle_stroke(at, reach, Pen::new(1.5, color32(palette.accent)));
        }
    }
}

/// Leads a stroke on to a place. Keeps only what the tool needs, so that many strokes stay small.
fn extend(stroke: &mut Stroke, place: Point) {
    match stroke.tool {
        Tool::Line | Tool::Ellipse => stroke.path.truncate(1),
        Tool::Brush | Tool::Eraser => {
            // Closer than this, corners cannot be seen.
            let is_near =
                |last: &Point| (place[0] - last[0]).hypot(place[1] - last[1]) < 0.2 * stroke.radius;
            if stroke.path.last().is_some_and(is_near) {
                return;
            }
        }
        Tool::Airbrush => {}
    }
    stroke.path.push(place);
}

/// How many points a stroke has: for each ten radii of the brush's path, for each second of the airbrush, for a line
/// or an ellipse in all.
fn count(stroke: &Stroke, points: usize, held_secs: f64) -> usize {
    let share = match stroke.tool {
        Tool::Brush => {
            let length: f64 = stroke
                .path
                .windows(2)
                .map(|pair| (pair[1][0] - pair[0][0]).hypot(pair[1][1] - pair[0][1]))
                .sum();
            0.1 + length / (10.0 * stroke.radius.max(f64::MIN_POSITIVE))
        }
        Tool::Airbrush => held_secs.max(0.05),
        Tool::Line | Tool::Ellipse => 1.0,
        Tool::Eraser => return 0,
    };
    (points as f64 * share).ceil() as usize
}
