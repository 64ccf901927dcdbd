//! A reader of PDF that knows as much as it takes to select text: objects, flate streams, character maps (ISO 32000-1).

use std::collections::BTreeMap;
use std::io::Read;

/// One object: what is written before its stream, and the stream, inflated.
struct Object {
    words: String,
    stream: Option<Vec<u8>>,
}

/// What a reader would select on the page, in the order of drawing.
pub fn text(pdf: &[u8]) -> String {
    let objects = objects(pdf);
    let is_page = |object: &&Object| {
        let words: String = object.words.split_whitespace().collect();
        words.contains("/Type/Page/") || words.contains("/Type/Page>")
    };
    let page = objects.values().find(is_page);
    let page = &page.expect("no page").words;
    let fonts = fonts(&objects, page);
    let content = &objects[&reference(page, "/Contents")];
    let content = content.stream.as_ref().expect("a page without content");
    selected(content, &fonts)
}

/// Pictures on the page.
pub fn picture_count(pdf: &[u8]) -> usize {
    let of_colors = |object: &&Object| {
        let words = object.words.replace(' ', "");
        // Opacities are a picture of their own, which belongs to another.
        words.contains("/Subtype/Image") && !words.contains("/DeviceGray")
    };
    objects(pdf).values().filter(of_colors).count()
}

/// Names of the fonts whose programs are in the file.
pub fn embedded_fonts(pdf: &[u8]) -> Vec<String> {
    let objects = objects(pdf);
    let described = objects.values().filter(|object| object.words.contains("/FontFile"));
    let name = |object: &Object| {
        let words = &object.words;
        let from = words.find("/FontName").unwrap() + "/FontName".len();
        let name = words[from..].trim_start().trim_start_matches('/');
        name.split(|c: char| c.is_whitespace() || c == '/').next().unwrap().to_owned()
    };
    described.map(name).collect()
}

fn find(bytes: &[u8], what: &[u8], from: usize) -> Option<usize> {
    bytes.get(from..)?.windows(what.len()).position(|window| window == what).map(|at| from + at)
}

fn objects(pdf: &[u8]) -> BTreeMap<u32, Object> {
    let mut objects = BTreeMap::new();
    let mut from = 0;
    while let Some(at) = find(pdf, b" 0 obj", from) {
        let digits = pdf[..at].iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
        let number = std::str::from_utf8(&pdf[at - digits..at]).unwrap().parse().unwrap();
        let begin = at + b" 0 obj".len();
        let end = find(pdf, b"endobj", begin).unwrap();
        let (mut words_end, mut stream, mut next) = (end, None, end);
        if let Some(data) = find(pdf, b"stream", begin).filter(|data| *data < end) {
            words_end = data;
            let words = String::from_utf8_lossy(&pdf[begin..data]).into_owned();
            let length = words[words.find("/Length").unwrap() + 7..].trim_start();
            let length = length.split(|c: char| !c.is_ascii_digit()).next().unwrap();
            let length: usize = length.parse().unwrap();
            let first = data + b"stream".len();
            let first = first + if pdf[first] == b'\r' { 2 } else { 1 };
            let bytes = &pdf[first..first + length];
            stream =
                Some(if words.contains("/FlateDecode") { inflated(bytes) } else { bytes.to_vec() });
            next = first + length;
        }
        let words = String::from_utf8_lossy(&pdf[begin..words_end]).into_owned();
        objects.insert(number, Object { words, stream });
        from = next;
    }
    objects
}

fn inflated(bytes: &[u8]) -> Vec<u8> {
    let mut plain = Vec::new();
    flate2::read::ZlibDecoder::new(bytes).read_to_end(&mut plain).unwrap();
    plain
}

/// The number of the object that a key refers to.
fn reference(words: &str, key: &str) -> u32 {
    let from = words.find(key).unwrap_or_else(|| panic!("no {key} in {words}")) + key.len();
    let number = words[from..].trim_start().split(|c: char| !c.is_ascii_digit()).next();
    number.unwrap().parse().unwrap_or_else(|_| panic!("{key} in {words}"))
}

/// By name on the page: which code is which text.
fn fonts(objects: &BTreeMap<u32, Object>, page: &str) -> BTreeMap<String, BTreeMap<u16, String>> {
    let resources = if page.replace(' ', "").contains("/Resources<<") {
        page.to_owned()
    } else {
        objects[&reference(page, "/Resources")].words.clone()
    };
    let from = resources.find("/Font").expect("no fonts");
    let from = from + resources[from..].find("<<").unwrap() + 2;
    let list = &resources[from..from + resources[from..].find(">>").unwrap()];
    let list = list.replace('/', " /");
    let words: Vec<&str> = list.split_whitespace().collect();
    let font = |entry: &[&str]| {
        let font = &objects[&entry[1].parse().unwrap()].words;
        let map = objects[&reference(font, "/ToUnicode")].stream.as_ref().unwrap();
        (entry[0].trim_start_matches('/').to_owned(), character_map(&String::from_utf8_lossy(map)))
    };
    words.chunks(4).map(font).collect()
}

/// What is between `beginbfchar` and `endbfchar`: a code and its text in UTF-16, both in hexadecimal.
fn character_map(text: &str) -> BTreeMap<u16, String> {
    let mut map = BTreeMap::new();
    for block in text.split("beginbfchar").skip(1) {
        let block = block.split("endbfchar").next().unwrap();
        let hex: Vec<&str> =
            block.split(['<', '>']).map(str::trim).filter(|word| !word.is_empty()).collect();
        for pair in hex.chunks(2) {
            let units: Vec<u16> = (0..pair[1].len() / 4)
                .map(|i| u16::from_str_radix(&pair[1][4 * i..4 * i + 4], 16).unwrap())
                .collect();
            let code = u16::from_str_radix(pair[0], 16).unwrap();
            map.insert(code, String::from_utf16(&units).unwrap());
        }
    }
    map
}

/// The text that is shown, by the fonts that are set before.
fn selected(content: &[u8], fonts: &BTreeMap<String, BTreeMap<u16, String>>) -> String {
    let mut text = String::new();
    let mut font = None;
    let mut at = 0;
    while at < content.len() {
        match content[at] {
            b'/' => {
                let end = content[at..].iter().position(u8::is_ascii_whitespace).unwrap() + at;
                let name = String::from_utf8_lossy(&content[at + 1..end]).into_owned();
                font = fonts.get(&name).or(font);
                at = end;
            }
            b'(' => {
                let (bytes, end) = literal(content, at + 1);
                text.push_str(&decoded(&bytes, font));
                at = end;
            }
            b'<' if content.get(at + 1) != Some(&b'<') => {
                let end = find(content, b">", at).unwrap();
                let hex = std::str::from_utf8(&content[at + 1..end]).unwrap();
                let bytes: Vec<u8> = (0..hex.len() / 2)
                    .map(|i| u8::from_str_radix(&hex[2 * i..2 * i + 2], 16).unwrap())
                    .collect();
                text.push_str(&decoded(&bytes, font));
                at = end;
            }
            _ => {}
        }
        at += 1;
    }
    text
}

/// A string in parentheses, and the place of the one that closes it.
fn literal(content: &[u8], mut at: usize) -> (Vec<u8>, usize) {
    let (mut bytes, mut depth) = (Vec::new(), 1);
    loop {
        match content[at] {
            b'\\' => {
                at += 1;
                let digits =
                    content[at..].iter().take(3).take_while(|b| b.is_ascii_digit()).count();
                if digits > 0 {
                    let octal = std::str::from_utf8(&content[at..at + digits]).unwrap();
                    bytes.push(u8::from_str_radix(octal, 8).unwrap());
                    at += digits - 1;
                } else {
                    let escaped = content[at];
                    bytes.push(match escaped {
                        b'n' => b'\n',
                        b'r' => b'\r',
                        b't' => b'\t',
                        b'b' => 8,
                        b'f' => 12,
                        other => other,
                    });
                }
            }
            b'(' => {
                depth += 1;
                bytes.push(b'(');
            }
            b')' => {
                depth -= 1;
                if depth == 0 {
                    return (bytes, at);
                }
                bytes.push(b')');
            }
            other => bytes.push(other),
        }
        at += 1;
    }
}

fn decoded(bytes: &[u8], font: Option<&BTreeMap<u16, String>>) -> String {
    let Some(font) = font else { return String::new() };
    let codes = bytes.chunks(2).filter(|pair| pair.len() == 2);
    codes
        .map(|pair| font.get(&u16::from_be_bytes([pair[0], pair[1]])).map_or("�", String::as_str))
        .collect()
}
