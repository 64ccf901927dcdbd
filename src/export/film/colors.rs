//! Colors: the table of at most 255 colors that a film is told in.

use std::collections::HashMap;

use color_quant::NeuQuant;

use crate::figures::Picture;

/// Stands for a pixel that did not change.
pub(super) const UNCHANGED: u8 = 255;
/// Colors of a table.
const COUNT: usize = 255;
/// The most frequent colors, which the table has exactly: grounds, letters, flat lines.
const EXACT_COUNT: usize = 48;
/// One in so many pixels trains the network that finds the others.
const SPEED: i32 = 5;

/// A table of colors, and the nearest of them for every color.
pub(super) struct ColorTable {
    colors: Vec<[u8; 3]>,
    /// Index of the nearest, by red, green and blue; [`UNCHANGED`] where nobody asked yet.
    nearest: Vec<u8>,
}

impl ColorTable {
    /// A table for pictures like these.
    pub(super) fn of(samples: &[Picture]) -> ColorTable {
        let mut counts: HashMap<[u8; 3], usize> = HashMap::new();
        for [r, g, b, _] in samples.iter().flat_map(|picture| picture.rgba.as_chunks::<4>().0) {
            *counts.entry([*r, *g, *b]).or_default() += 1;
        }
        let mut by_count: Vec<([u8; 3], usize)> = counts.into_iter().collect();
        // Equal counts in the order of their colors, so that equal films have equal bytes.
        by_count.sort_unstable_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(&b.0)));
        let exact = if by_count.len() <= COUNT { COUNT } else { EXACT_COUNT };
        let rest = by_count.split_off(exact.min(by_count.len()));
        let mut colors: Vec<[u8; 3]> = by_count.into_iter().map(|(color, _)| color).collect();
        if !rest.is_empty() {
            colors.extend(learned(&rest, COUNT - colors.len()));
        }
        ColorTable { colors, nearest: vec![UNCHANGED; 1 << 24] }
    }

    /// Red, green and blue of all, one after the other.
    pub(super) fn bytes(&self) -> Vec<u8> {
        self.colors.concat()
    }

    /// A color of the table.
    pub(super) fn color(&self, index: u8) -> [u8; 3] {
        self.colors[usize::from(index)]
    }

    /// The nearest color's index.
    pub(super) fn index(&mut self, color: [u8; 3]) -> u8 {
        let [r, g, b] = color.map(usize::from);
        let at = (r << 16) | (g << 8) | b;
        if self.nearest[at] == UNCHANGED {
            let distance = |other: &[u8; 3]| -> u32 {
                other.iter().zip(color).map(|(a, b)| u32::from(a.abs_diff(b)).pow(2)).sum()
            };
            let all = self.colors.iter().enumerate();
            let nearest = all.min_by_key(|(_, other)| distance(other)).map_or(0, |(i, _)| i);
            self.nearest[at] = nearest as u8;
        }
        self.nearest[at]
    }
}

/// Colors that stand for these, found by a self-organizing network; Dekker (1994), "Kohonen neural networks for optimal
/// colour quantization".
fn learned(colors: &[([u8; 3], usize)], count: usize) -> Vec<[u8; 3]> {
    // A color as often as the root of its pixels: large areas must not take all the table from small ones.
    let often = |pixels: usize| (pixels as f64).sqrt().ceil() as usize;
    let pixels: Vec<u8> = colors
        .iter()
        .flat_map(|&([r, g, b], pixels)| std::iter::repeat_n([r, g, b, 255], often(pixels)))
        .flatten()
        .collect();
    let network = NeuQuant::new(SPEED, count, &pixels);
    network.color_map_rgb().as_chunks::<3>().0.to_vec()
}
