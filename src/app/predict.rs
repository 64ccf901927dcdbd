//! Predict, then reveal: flags that say where a mean will go, dragged before the run plays, and a bet on the run that
//! wins.

use egui::{
    Align2, Color32, CursorIcon, FontId, Id, PointerButton, Pos2, Shape, Stroke as Pen, vec2,
};
use egui_plot::PlotTransform;

use serde::{Deserialize, Serialize};

use super::grip::{on_plane, on_screen};
use super::handles::hint_ui;
use super::plot::color32;
use super::session::Session;
use super::track::Track;
use super::view::View;
use crate::model::{Mixture, Point};
use crate::training::{BranchId, Moment};

/// What the audience expects.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Prediction {
    /// Where means will go.
    pub guesses: Vec<Guess>,
    /// The run that will have the lowest NLL.
    pub bet: Option<BranchId>,
}

/// Where a mean will go.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Guess {
    /// Of which component, counted from 0.
    pub component: usize,
    /// The place on the plane that training sees.
    pub place: Point,
    /// The step at which it was guessed.
    pub step: usize,
}

impl Guess {
    /// How far the mean is from the guess; `None` until the run has gone on since, and where there is no such
    /// component any more.
    #[must_use]
    pub fn distance(&self, moment: &Moment) -> Option<f64> {
        let component = moment.mixture.components().get(self.component)?;
        let [dx, dy] = [0, 1].map(|i| component.gaussian.mean[i] - self.place[i]);
        (moment.record.step > self.step).then(|| dx.hypot(dy))
    }
}

impl Prediction {
    /// Plants a flag beside the mean of a component, or takes it away where there is one.
    pub fn toggle(&mut self, component: usize, moment: &Moment, width: f64) {
        let count = self.guesses.len();
        self.guesses.retain(|guess| guess.component != component);
        let Some(of) = moment.mixture.components().get(component) else { return };
        if self.guesses.len() == count {
            let [x, y] = of.gaussian.mean;
            let place = [x + 0.06 * width, y + 0.06 * width];
            self.guesses.push(Guess { component, place, step: moment.record.step });
        }
    }

    /// Which place the run that was bet on has at the step shown, from 1, and how many nats it is behind the first;
    /// `None` until the runs have taken a step.
    #[must_use]
    pub fn rank(&self, session: &Session, view: &View) -> Option<(usize, f64)> {
        let value = |track: &Track| {
            let moment = track.shown().filter(|_| track.step_count() > 0)?;
            Some(view.race.likelihood.of(&moment.record)).filter(|value| value.is_finite())
        };
        let own = value(session.track(self.bet?)?)?;
        let all = || session.tracks().iter().filter_map(value);
        let place = 1 + all().filter(|other| *other < own).count();
        Some((place, own - all().fold(own, f64::min)))
    }
}

/// From the foot of a flag to its cloth, in points of the screen.
const POLE: f32 = 26.0;

/// Within this distance of its foot or its cloth a flag is grasped.
const GRASP: f32 = 13.0;

/// The flags on the canvas and the one that a hand holds.
#[derive(Default)]
pub struct Flags {
    /// Where the plot was in the last frame.
    plot: Option<(PlotTransform, Id)>,
    held: Option<usize>,
    /// True in the frame in which the button let go of one.
    has_let_go: bool,
    /// True once a hand has dragged one: it needs no more hints.
    is_known: bool,
}

impl Flags {
    /// True while a hand holds one, and in the frame in which it lets go.
    #[must_use]
    pub fn is_engaged(&self) -> bool {
        self.held.is_some() || self.has_let_go
    }

    /// Turns the pointer into guesses; true if nobody else must follow it. Call it before the plot.
    pub fn follow(&mut self, ui: &egui::Ui, session: &Session, view: &mut View) -> bool {
        self.has_let_go = false;
        let Some((transform, id)) = self.plot else { return false };
        let step = session.shown().map_or(0, |moment| moment.record.step);
        let is_over = ui.ctx().read_response(id).is_some_and(|r| r.contains_pointer());
        for event in ui.input(|input| input.events.clone()) {
            match event {
                egui::Event::PointerButton {
                    pos,
                    button: PointerButton::Primary,
                    pressed: true,
                    ..
                } if is_over && view.tool.is_none() => {
                    self.held = flag_at(pos, &transform, &view.prediction);
                }
                egui::Event::PointerMoved(pos) => {
                    let guess = self.held.and_then(|i| view.prediction.guesses.get_mut(i));
                    if let Some(guess) = guess {
                        self.is_known = true;
                        // Its foot is what it points to; a hand holds the cloth.
                        guess.place = on_plane(&transform, pos + vec2(0.0, POLE / 2.0));
                        guess.step = step;
                    }
                }
                egui::Event::PointerButton {
                    button: PointerButton::Primary,
                    pressed: false,
                    ..
                } => self.has_let_go |= self.held.take().is_some(),
                _ => {}
            }
        }
        self.is_engaged()
    }

    /// Draws the flags, and how far the means are from them.
    pub fn show_ui(
        &mut self,
        brush: &egui::Painter,
        transform: &PlotTransform,
        response: &egui::Response,
        moment: Option<&Moment>,
        view: &View,
    ) {
        self.plot = Some((*transform, response.id));
        for guess in &view.prediction.guesses {
            draw(brush, transform, guess, moment, view);
        }
        let hovered = response.hover_pos().filter(|_| view.tool.is_none());
        let is_over = |at: &Pos2| flag_at(*at, transform, &view.prediction).is_some();
        if let Some(at) = hovered.filter(is_over) {
            if !self.is_known && self.held.is_none() {
                hint_ui(brush, at, "Drag it to where the mean will go, then play", view);
            }
            let icon = if self.held.is_some() { CursorIcon::Grabbing } else { CursorIcon::Grab };
            response.ctx.set_cursor_icon(icon);
        }
    }
}

fn flag_at(at: Pos2, transform: &PlotTransform, prediction: &Prediction) -> Option<usize> {
    let distance = |guess: &Guess| {
        let foot = on_screen(transform, guess.place);
        let cloth = foot + vec2(8.0, -POLE + 6.0);
        foot.distance(at).min(cloth.distance(at)).min((foot - vec2(0.0, POLE / 2.0)).distance(at))
    };
    let near = prediction.guesses.iter().enumerate().map(|(i, guess)| (i, distance(guess)));
    let near = near.filter(|(_, distance)| *distance <= GRASP);
    near.min_by(|a, b| a.1.total_cmp(&b.1)).map(|(i, _)| i)
}

fn draw(
    brush: &egui::Painter,
    transform: &PlotTransform,
    guess: &Guess,
    moment: Option<&Moment>,
    view: &View,
) {
    let palette = view.theme.palette();
    let (text, back) = (color32(palette.text), color32(palette.plot_background));
    let color = color32(palette.categorical[4]);
    let foot = on_screen(transform, guess.place);
    let top = foot - vec2(0.0, POLE);
    let mean = |mixture: &Mixture| {
        let component = mixture.components().get(guess.component)?;
        Some(on_screen(transform, component.gaussian.mean))
    };
    if let Some(mean) = moment.and_then(|moment| mean(&moment.mixture)) {
        brush.extend(Shape::dashed_line(&[foot, mean], Pen::new(1.5, color), 5.0, 4.0));
    }
    brush.line_segment([foot, top], Pen::new(5.0, back.gamma_multiply(0.7)));
    brush.line_segment([foot, top], Pen::new(2.0, color));
    let cloth = vec![top, top + vec2(18.0, 6.0), top + vec2(0.0, 12.0)];
    brush.add(Shape::convex_polygon(cloth, color, Pen::new(1.0, back)));
    brush.circle(foot, 3.0, color, Pen::new(1.0, back));
    let distance = moment.and_then(|moment| guess.distance(moment));
    let words = match distance {
        None => format!("where will {} go?", guess.component + 1),
        Some(distance) => format!("{} is {distance:.3} away", guess.component + 1),
    };
    let galley = brush.layout_no_wrap(words, FontId::proportional(15.0), text);
    let mut rect = Align2::LEFT_CENTER.anchor_size(top + vec2(22.0, 4.0), galley.size());
    if rect.right() > brush.clip_rect().right() - 4.0 {
        // On the other side of the pole, where there is room.
        rect = Align2::RIGHT_CENTER.anchor_size(top + vec2(-8.0, 4.0), galley.size());
    }
    brush.rect_filled(rect.expand2(vec2(4.0, 1.0)), 3.0, back.gamma_multiply(0.8));
    brush.galley(rect.min, galley, Color32::PLACEHOLDER);
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::training::Record;

    fn moment(step: usize, mean: Point) -> Moment {
        let mixture = Mixture::new(&[1.0], &[mean], &[[1.0, 0.0, 1.0]]).unwrap();
        let value = 0.0;
        let record = Record {
            step,
            seconds: value,
            evaluations: value,
            objective: value,
            train_nll: value,
            val_nll: value,
        };
        Moment { record, mixture: Arc::new(mixture) }
    }

    #[test]
    fn a_guess_is_judged_once_the_run_has_gone_on() {
        let mut prediction = Prediction::default();
        prediction.toggle(0, &moment(5, [1.0, 2.0]), 10.0);
        let guess = Guess { place: [4.0, 6.0], ..prediction.guesses[0] };
        assert_eq!(guess.distance(&moment(5, [1.0, 2.0])), None);
        assert_eq!(guess.distance(&moment(6, [1.0, 2.0])), Some(5.0));
        prediction.toggle(3, &moment(5, [1.0, 2.0]), 10.0);
        assert_eq!(prediction.guesses.len(), 1);
        prediction.toggle(0, &moment(9, [1.0, 2.0]), 10.0);
        assert!(prediction.guesses.is_empty());
    }
}
