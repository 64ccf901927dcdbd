//! Delta: what changed from one frame to the next, as indices into a table of colors.

use super::colors::{ColorTable, UNCHANGED};
use crate::figures::Picture;

/// A channel may be off by so much before a pixel is written again: more in bright colors than in dark ones, where the
/// eye sees less. What is shown is compared, so errors do not add up.
fn tolerance([r, g, b]: [u8; 3]) -> u8 {
    3 + r.max(g).max(b) / 20
}

/// A rectangle of a frame, and what is new in it.
#[derive(Debug, PartialEq)]
pub(super) struct Patch {
    pub left: usize,
    pub top: usize,
    pub width: usize,
    pub height: usize,
    /// Row by row; [`UNCHANGED`] where the last frame stays.
    pub indices: Vec<u8>,
}

/// What a viewer sees after the frames so far.
pub(super) struct Delta {
    pub table: ColorTable,
    shown: Vec<u8>,
}

impl Delta {
    /// Nothing is seen yet.
    pub(super) fn new(table: ColorTable) -> Delta {
        Delta { table, shown: Vec::new() }
    }

    /// What has to be painted over the last frame to see this one; all of it at first.
    pub(super) fn next(&mut self, picture: &Picture) -> Patch {
        let Picture { width, height, rgba } = picture;
        let colors = rgba.as_chunks::<4>().0.iter().map(|&[r, g, b, _]| [r, g, b]);
        if self.shown.len() != width * height {
            self.shown = colors.map(|color| self.table.index(color)).collect();
            let indices = self.shown.clone();
            return Patch { left: 0, top: 0, width: *width, height: *height, indices };
        }
        let mut changes = vec![UNCHANGED; width * height];
        for ((color, shown), change) in colors.zip(&mut self.shown).zip(&mut changes) {
            let seen = self.table.color(*shown);
            if color.iter().zip(seen).all(|(a, b)| a.abs_diff(b) <= tolerance(seen)) {
                continue;
            }
            let index = self.table.index(color);
            if index != *shown {
                (*shown, *change) = (index, index);
            }
        }
        cropped(&changes, *width)
    }
}

/// The smallest rectangle around all changes; one unchanged pixel if there are none, for frames cannot be empty.
fn cropped(changes: &[u8], width: usize) -> Patch {
    let mut columns = width..0;
    let mut rows = changes.len() / width..0;
    for (y, row) in changes.chunks_exact(width).enumerate() {
        let is_change = |index: &u8| *index != UNCHANGED;
        let Some(first) = row.iter().position(is_change) else { continue };
        let last = row.iter().rposition(is_change).unwrap_or(first);
        columns = columns.start.min(first)..columns.end.max(last + 1);
        rows = rows.start.min(y)..y + 1;
    }
    if columns.is_empty() {
        return Patch { left: 0, top: 0, width: 1, height: 1, indices: vec![UNCHANGED] };
    }
    let line = |y: usize| &changes[y * width + columns.start..y * width + columns.end];
    let indices = rows.clone().flat_map(line).copied().collect();
    let (left, top) = (columns.start, rows.start);
    Patch { left, top, width: columns.len(), height: rows.len(), indices }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn picture(colors: [[u8; 3]; 6]) -> Picture {
        let rgba = colors.iter().flat_map(|&[r, g, b]| [r, g, b, 255]).collect();
        Picture { width: 3, height: 2, rgba }
    }

    #[test]
    fn only_what_can_be_seen_to_change_is_painted_again() {
        let (a, b, c) = ([10, 10, 10], [200, 0, 0], [13, 10, 10]);
        let first = picture([a, a, b, b, a, a]);
        let mut delta = Delta::new(ColorTable::of(std::slice::from_ref(&first)));
        assert_eq!(delta.next(&first).indices.len(), 6);
        let nothing = Patch { left: 0, top: 0, width: 1, height: 1, indices: vec![UNCHANGED] };
        assert_eq!(delta.next(&picture([a, c, b, b, a, a])), nothing);
        let [red, gray] = [b, a].map(|color| delta.table.index(color));
        let patch = delta.next(&picture([a, b, a, b, a, a]));
        let expected = Patch { left: 1, top: 0, width: 2, height: 1, indices: vec![red, gray] };
        assert_eq!(patch, expected);
    }

    #[test]
    fn small_changes_do_not_add_up() {
        let shades: Vec<Picture> = (0..120).map(|shade| picture([[shade, 0, 0]; 6])).collect();
        let mut delta = Delta::new(ColorTable::of(&shades));
        for (shade, picture) in shades.iter().enumerate() {
            delta.next(picture);
            let seen = delta.table.color(delta.shown[0])[0];
            let limit = usize::from(tolerance([seen, 0, 0]));
            assert!(usize::from(seen).abs_diff(shade) <= limit, "{shade} {seen}");
        }
    }
}
