//! A draft as the text of a dialect file, laid out for people.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::draft::{
    By, Coding, Content, Counts, Draft, Item, Length, LengthCoding, Page, Parts, Prefix, Shape, Side, TagLength, Third,
};
use super::{Format, Remark, known};

/// Most units that a dialect lets a value have.
const LONGEST: u32 = 65_535;

/// What the fields say most often, so that they need not say it.
struct Defaults {
    numbers: Coding,
    tracks: Coding,
    texts: Coding,
    lengths: LengthCoding,
    page: Page,
}

pub(super) fn dialect(draft: &Draft, id: &str, format: Format, remarks: &[Remark]) -> String {
    let defaults = defaults(draft);
    let mut out = String::new();
    let _ = writeln!(out, "# {}", one_line(&draft.name));
    let _ = writeln!(out, "#\n# Imported from a {} specification.", format.name());
    for remark in remarks {
        let _ = writeln!(out, "# Not carried over as it was: {}", one_line(&remark.to_string()));
    }
    let _ = writeln!(out, "\n[dialect]\nid = {}\nen = {}\nrevision = 1", quoted(id), quoted(&draft.name));
    let _ = writeln!(out, "\n[encoding]\nnumbers = {}", quoted(defaults.numbers.name()));
    let _ = writeln!(out, "tracks = {}", quoted(defaults.tracks.name()));
    let _ = writeln!(out, "lengths = {}", quoted(defaults.lengths.name()));
    if defaults.texts != Coding::Ascii {
        let _ = writeln!(out, "texts = {}", quoted(defaults.texts.name()));
    }
    if defaults.page != Page::Cp500 {
        let _ = writeln!(out, "page = {}", quoted(defaults.page.name()));
    }
    if let Some(header) = &draft.header {
        header_part(&mut out, header);
    }
    let _ = writeln!(out, "\n[mti]\nencoding = {}", quoted(draft.mti.name()));
    out.push_str("versions = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]\n");
    bitmap(&mut out, draft);
    let tags: Vec<String> = known::HIDDEN_TAGS.iter().map(|tag| quoted(tag)).collect();
    out.push_str("\n# Values that carry a card number, a track, a name or an identity document.\n");
    let _ = writeln!(out, "[emv]\nhide = [{}]", tags.join(", "));
    for field in &draft.fields {
        item(&mut out, "field", field, &defaults);
    }
    out
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn quoted(text: &str) -> String {
    toml::Value::from(one_line(text)).to_string()
}

/// The most frequent of some values.
fn most<T: Ord + Copy>(counted: BTreeMap<T, usize>, otherwise: T) -> T {
    counted.into_iter().max_by_key(|(_, count)| *count).map_or(otherwise, |(value, _)| value)
}

fn defaults(draft: &Draft) -> Defaults {
    let mut numbers = BTreeMap::new();
    let mut tracks = BTreeMap::new();
    let mut texts = BTreeMap::new();
    let mut lengths = BTreeMap::new();
    let mut pages = BTreeMap::new();
    visit(&draft.fields, &mut |shape| {
        let coding = match shape.content {
            Content::Digits(coding) | Content::Amount(coding) => {
                *numbers.entry(coding).or_insert(0) += 1;
                Some(coding)
            }
            Content::Track(coding) => {
                *tracks.entry(coding).or_insert(0) += 1;
                Some(coding)
            }
            Content::Text(coding) => {
                *texts.entry(coding).or_insert(0) += 1;
                Some(coding)
            }
            Content::Nibbles | Content::Bytes(_) => None,
        };
        if let Some(Coding::Ebcdic(page)) = coding {
            *pages.entry(page).or_insert(0) += 1;
        }
        if let Length::Variable { prefix, .. } = shape.length {
            *lengths.entry(prefix.coding).or_insert(0) += 1;
        }
    });
    numbers.remove(&Coding::Hex);
    texts.remove(&Coding::Hex);
    texts.remove(&Coding::Bcd);
    let numbers = most(numbers, Coding::Ascii);
    Defaults {
        numbers,
        tracks: most(tracks, numbers),
        texts: most(texts, Coding::Ascii),
        lengths: most(lengths, LengthCoding::Ascii),
        page: most(pages, Page::Cp500),
    }
}

fn visit(items: &[Item], see: &mut impl FnMut(&Shape)) {
    for item in items {
        see(&item.shape);
        if let Some(parts) = &item.parts {
            visit(&parts.items, see);
        }
    }
}

fn header_part(out: &mut String, header: &Item) {
    let form = match header.shape.content {
        Content::Text(Coding::Ebcdic(_)) => "ebcdic",
        Content::Text(_) => "text",
        _ => "binary",
    };
    let _ = writeln!(out, "\n[[header]]\nname = \"header\"\nen = {}\nform = {}", quoted(&header.name), quoted(form));
    let _ = writeln!(out, "length = {}", header.shape.fixed_units());
}

fn bitmap(out: &mut String, draft: &Draft) {
    let bitmap = &draft.bitmap;
    let _ = writeln!(out, "\n[bitmap]\nencoding = {}", quoted(bitmap.coding.name()));
    let _ = writeln!(out, "secondary = {}", bitmap.secondary);
    if bitmap.third != Third::None {
        out.push_str("tertiary = true\n");
    }
    if bitmap.third == Third::Joined {
        out.push_str("third = \"joined\"\n");
    }
    if let Some(bytes) = bitmap.fixed_bytes {
        let _ = writeln!(out, "fixed_bytes = {bytes}");
    }
}

fn item(out: &mut String, table: &str, item: &Item, defaults: &Defaults) {
    let top = table == "field";
    let _ = writeln!(out, "\n[[{table}]]");
    if top {
        let _ = writeln!(out, "number = {}", item.number());
    } else {
        let _ = writeln!(out, "id = {}", quoted(&item.id));
    }
    let name = if item.name.trim().is_empty() { format!("Field {}", item.id) } else { item.name.clone() };
    let _ = writeln!(out, "en = {}", quoted(&name));
    if item.leading {
        out.push_str("leading = true\n");
    }
    shape(out, &item.shape, defaults);
    let sensitive = if top { known::of_field(item) } else { known::of_name(item) };
    if let Some(sensitive) = sensitive {
        let _ = writeln!(out, "sensitive = {}", quoted(sensitive));
    }
    if !item.windows.is_empty() {
        out.push_str("subs = [\n");
        for window in &item.windows {
            let (name, en) = (quoted(&window.id), quoted(&window.name));
            let _ = writeln!(out, "  {{ name = {name}, en = {en}, at = {}, length = {} }},", window.at, window.length);
        }
        out.push_str("]\n");
    }
    if let Some(parts) = &item.parts {
        structure(out, table, parts, defaults);
    }
}

fn structure(out: &mut String, table: &str, parts: &Parts, defaults: &Defaults) {
    let _ = writeln!(out, "\n[{table}.parts]");
    match parts.by {
        By::Position => out.push_str("by = \"position\"\n"),
        By::Ber => out.push_str("by = \"ber\"\n"),
        By::Bitmap { coding, bytes, extends } => {
            let extends = if extends { ", first_bit_extends = true" } else { "" };
            out.push_str("by = \"bitmap\"\n");
            let _ = writeln!(out, "bitmap = {{ encoding = {}, bytes = {bytes}{extends} }}", quoted(coding.name()));
        }
        By::Tag { tag, digits, length, length_first } => {
            out.push_str("by = \"tag\"\n");
            if length_first {
                out.push_str("order = \"length-tag\"\n");
            }
            let digits = if tag == super::draft::Tag::Ber { String::new() } else { format!(", digits = {digits}") };
            let _ = writeln!(out, "tag = {{ encoding = {}{digits} }}", quoted(tag.name()));
            match length {
                None => {}
                Some(TagLength::Ber) => out.push_str("length = { encoding = \"ber\" }\n"),
                Some(TagLength::Prefix(Prefix { coding, digits, .. })) => {
                    let _ = writeln!(out, "length = {{ encoding = {}, digits = {digits} }}", quoted(coding.name()));
                }
            }
        }
    }
    if parts.lenient {
        out.push_str("lenient = true\n");
    }
    for part in &parts.items {
        item(out, &format!("{table}.parts.part"), part, defaults);
    }
}

/// Lengths as a dialect may say them.
fn within_limits(shape: &Shape) -> Shape {
    // What counts twice must still fit into what a dialect can hold.
    let longest = if shape.packed() && shape.counts == Some(Counts::Bytes) { LONGEST / 2 } else { LONGEST };
    let length = match shape.length {
        Length::Fixed(units) => Length::Fixed(units.clamp(1, LONGEST)),
        Length::Rest(most) => Length::Rest(most.clamp(1, LONGEST)),
        Length::Variable { most, prefix } => {
            Length::Variable { most: most.min(prefix.capacity()).clamp(1, longest), prefix }
        }
    };
    Shape { length, ..shape.clone() }
}

fn shape(out: &mut String, shape: &Shape, defaults: &Defaults) {
    let shape = &within_limits(shape);
    content(out, shape.content, defaults);
    length(out, shape, defaults);
    let odd = match shape.length {
        Length::Fixed(units) => units % 2 == 1,
        Length::Variable { .. } => shape.counts != Some(Counts::Bytes),
        Length::Rest(_) => false,
    };
    let fixed_text = !shape.packed() && matches!(shape.length, Length::Fixed(_));
    let trailing_filler = shape.packed() && shape.counts == Some(Counts::Bytes) && shape.fill.is_some();
    let side = match (shape.packed() && odd, shape.pad) {
        (true, side) => Some(side.unwrap_or(Side::Right)),
        (false, side) if fixed_text || trailing_filler => side,
        _ => None,
    };
    if let Some(side) = side {
        out.push_str(if side == Side::Left { "pad = \"left\"\n" } else { "pad = \"right\"\n" });
        let can_fill = |fill: &char| if shape.packed() { fill.is_ascii_hexdigit() } else { fill.is_ascii() };
        if let Some(fill) = shape.fill.filter(can_fill) {
            let _ = writeln!(out, "fill = {}", toml::Value::from(fill.to_string()));
        }
    }
}

fn content(out: &mut String, content: Content, defaults: &Defaults) {
    let (format, coding) = match content {
        Content::Digits(coding) => ("n", Some((coding, defaults.numbers))),
        Content::Amount(coding) => ("x", Some((coding, defaults.numbers))),
        Content::Track(coding) => ("z", Some((coding, defaults.tracks))),
        Content::Text(coding) => ("ans", Some((coding, defaults.texts))),
        Content::Nibbles => ("h", None),
        Content::Bytes(coding) => {
            out.push_str("format = \"b\"\n");
            if coding != super::draft::ByteCoding::Binary {
                let _ = writeln!(out, "encoding = {}", quoted(coding.name()));
            }
            return;
        }
    };
    let _ = writeln!(out, "format = {}", quoted(format));
    if let Some((coding, default)) = coding {
        if coding.name() != default.name() {
            let _ = writeln!(out, "encoding = {}", quoted(coding.name()));
        }
        if let Coding::Ebcdic(page) = coding
            && page != defaults.page
        {
            let _ = writeln!(out, "page = {}", quoted(page.name()));
        }
    }
}

fn length(out: &mut String, shape: &Shape, defaults: &Defaults) {
    match shape.length {
        Length::Fixed(units) => {
            let _ = writeln!(out, "fixed = {units}");
        }
        Length::Rest(most) => {
            let _ = writeln!(out, "rest = {most}");
        }
        Length::Variable { most, prefix } => {
            let _ = writeln!(out, "{} = {most}", "l".repeat(prefix.digits.into()));
            if prefix.coding != defaults.lengths {
                let _ = writeln!(out, "lengths = {}", quoted(prefix.coding.name()));
            }
            if let Some(bytes) = prefix.bytes {
                let _ = writeln!(out, "prefix_bytes = {bytes}");
            }
        }
    }
    match shape.counts {
        Some(Counts::Nibbles) => out.push_str("counts = \"nibbles\"\n"),
        Some(Counts::Bytes) => out.push_str("counts = \"bytes\"\n"),
        None => {}
    }
}
