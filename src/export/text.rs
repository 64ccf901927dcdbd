//! Text in figures: which font has which sign, how subscripts are set, and how wide it all is.

use std::fmt::Write;

use super::marks::number;

/// A text as XML, with spans around subscripts, superscripts and signs from the other font.
pub(super) fn spans(text: &str, size: f64) -> String {
    let styled: Vec<(char, Style)> = text.chars().map(style).collect();
    let mut xml = String::new();
    // How far below its baseline the line stands; `dy` shifts all that follows.
    let mut shift = 0.0;
    for run in styled.chunk_by(|a, b| a.1 == b.1) {
        let style = run[0].1;
        let target = size
            * match style {
                Style::Subscript => 0.18,
                Style::Superscript => -0.34,
                Style::Plain | Style::Lent => 0.0,
            };
        let mut attributes = String::new();
        if target != shift {
            let _ = write!(attributes, " dy=\"{}\"", number(target - shift));
        }
        if target != 0.0 {
            let _ = write!(attributes, " font-size=\"{}\"", number(0.7 * size));
        }
        if style == Style::Lent {
            attributes.push_str(" font-family=\"Hack, DejaVu Sans, sans-serif\"");
        }
        shift = target;
        let words = escaped(&run.iter().map(|(sign, _)| sign).collect::<String>());
        if attributes.is_empty() {
            xml.push_str(&words);
        } else {
            let _ = write!(xml, "<tspan{attributes}>{words}</tspan>");
        }
    }
    xml
}

/// How a sign is set.
#[derive(Clone, Copy, PartialEq)]
enum Style {
    Plain,
    /// From Hack, which has the mathematical signs that Ubuntu Light lacks.
    Lent,
    Subscript,
    Superscript,
}

/// The sign to draw and how. Small letters and digits are drawn small and shifted, because no font has all of them.
fn style(sign: char) -> (char, Style) {
    const SUBSCRIPTS: (&str, &str) = ("₀₁₂₃₄₅₆₇₈₉₋ₐₑᵢⱼₖₘₙₚₜₓ", "0123456789−aeijkmnptx");
    const SUPERSCRIPTS: (&str, &str) = ("⁰¹²³⁴⁵⁶⁷⁸⁹⁻ᵀ", "0123456789−T");
    for ((small, plain), style) in
        [(SUBSCRIPTS, Style::Subscript), (SUPERSCRIPTS, Style::Superscript)]
    {
        if let Some((_, plain)) = small.chars().zip(plain.chars()).find(|(s, _)| *s == sign) {
            return (plain, style);
        }
    }
    // What Ubuntu Light has, read from its character map.
    let is_ours = matches!(sign,
        ..'\u{2000}' | '–'..='—' | '‘'..='„' | '†'..='•' | '…' | '‰' | '€' | '∂' | '∆' | '∏'
        | '∑'..='−' | '∙'..='√' | '∞' | '∫' | '≈' | '≠' | '≤'..='≥');
    (sign, if is_ours { Style::Plain } else { Style::Lent })
}

/// Text that XML may contain: no markup, no control characters.
pub(super) fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => escaped.push(' '),
            c => escaped.push(c),
        }
    }
    escaped
}

/// How wide a text is in Ubuntu Light, in pixels; a good guess that rather errs to the wide side.
pub(super) fn text_width(text: &str, size: f64) -> f64 {
    let em: f64 = text
        .chars()
        .map(|c| match c {
            'i' | 'j' | 'l' | '.' | ',' | ':' | ';' | '\'' | '|' | '!' | 'I' => 0.26,
            ' ' | 'f' | 't' | 'r' | '(' | ')' | '[' | ']' => 0.35,
            '⁰'..='⁹' | '⁻' | '¹' | '²' | '³' | '₀'..='₉' | 'ₓ' | 'ₖ' => 0.4,
            'm' | 'w' | 'M' | 'W' | '%' | '@' => 0.88,
            'A'..='Z' => 0.68,
            '0'..='9' | '+' | '−' | '×' | '=' => 0.57,
            _ => 0.54,
        })
        .sum();
    em * size
}

/// A text in lines that are not wider than this, broken between words; a longer word has a line of its own.
pub(super) fn wrapped(text: &str, size: f64, width: f64) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if text_width(&format!("{line} {word}"), size) <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signs_are_set_in_the_font_that_has_them() {
        let check = |text, expected: &str| assert_eq!(spans(text, 10.0), expected);
        check("x < 1", "x &lt; 1");
        check("x₁", "x<tspan dy=\"1.8\" font-size=\"7\">1</tspan>");
        check(
            "10⁻⁶ m",
            "10<tspan dy=\"-3.4\" font-size=\"7\">−6</tspan><tspan dy=\"3.4\"> m</tspan>",
        );
        check("∇ p", "<tspan font-family=\"Hack, DejaVu Sans, sans-serif\">∇</tspan> p");
    }
}
