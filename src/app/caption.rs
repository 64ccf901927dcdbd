//! Caption: the words on the canvas: which run a plot shows, and what to do where there is nothing to see yet.

use egui::{Align2, Color32, FontId, Pos2, Rect, Stroke as Pen, pos2, vec2};

use super::document::Document;
use super::plot::color32;
use super::session::Session;
use super::track::Track;
use super::view::View;
use super::{runs, theme};
use crate::figures::race::run_color;
use crate::training::{BranchId, Finish, Source};

/// Which run a plot shows, at which step and how good it is; the chosen one has a frame.
pub fn caption_ui(
    brush: &egui::Painter,
    id: BranchId,
    document: &Document,
    session: &Session,
    view: &View,
) {
    let palette = view.theme.palette();
    let color = color32(run_color(id, palette));
    let area = brush.clip_rect();
    if session.chosen() == id {
        brush.rect_stroke(area, 2.0, Pen::new(2.0, color), egui::StrokeKind::Inside);
    }
    let name = runs::name(&document.experiment, id);
    let track = session.track(id);
    let finish = track.and_then(Track::finish);
    let is_broken = matches!(finish, Some(Finish::Broken(_) | Finish::Failed(_)));
    let words = match track.and_then(Track::shown) {
        _ if track.is_some_and(|track| track.problem().is_some()) => {
            format!("{name}  cannot begin")
        }
        Some(shown) => format!(
            "{name}  step {}  NLL {:.4}{}",
            shown.record.step,
            view.race.likelihood.of(&shown.record),
            if is_broken { "  stopped: click for why" } else { "" }
        ),
        None => name,
    };
    let room = area.width() - 50.0;
    let text = color32(palette.text);
    let galley = brush.layout(words, FontId::proportional(14.5), text, room);
    let at: Pos2 = area.left_top() + vec2(30.0, 8.0);
    let card = Rect::from_min_max(
        area.left_top() + vec2(4.0, 4.0),
        pos2(at.x + galley.size().x + 8.0, at.y + galley.size().y + 4.0),
    );
    brush.rect_filled(card, 5.0, theme::panel_fill(view.theme).gamma_multiply(0.9));
    brush.rect_filled(
        Rect::from_min_size(area.left_top() + vec2(11.0, 12.0), vec2(12.0, 12.0)),
        3.0,
        color,
    );
    brush.galley(at, galley, text);
}

/// What to do, where there is nothing to see yet; what is wrong, where something is.
pub fn hint_ui(brush: &egui::Painter, document: &Document, session: &Session, view: &View) {
    let palette = view.theme.palette();
    let area = brush.clip_rect();
    let is_empty =
        document.experiment.source == Source::Nothing && document.experiment.strokes.is_empty();
    let (text, color) = if is_empty {
        ("Drag here to draw points; the tools are on the left.".to_owned(), palette.text)
    } else if let Some(problem) = session.problem() {
        (problem.to_owned(), palette.categorical[1])
    } else if session.snapshot().is_some_and(|snapshot| snapshot.record.step == 0)
        && !session.is_playing()
        && view.tool.is_none()
    {
        ("Press Space and watch the mixture learn.".to_owned(), palette.text)
    } else {
        return;
    };
    let galley = brush.layout(text, FontId::proportional(17.0), color32(color), area.width() * 0.8);
    let rect =
        Align2::CENTER_TOP.anchor_size(area.center_top() + egui::vec2(0.0, 18.0), galley.size());
    let card = rect.expand2(egui::vec2(14.0, 8.0));
    brush.rect(
        card,
        8.0,
        theme::panel_fill(view.theme).gamma_multiply(0.94),
        Pen::new(1.0, color32(palette.grid)),
        egui::StrokeKind::Inside,
    );
    brush.galley(rect.min, galley, Color32::PLACEHOLDER);
}
