//! Specifications of pyiso8583: a dictionary by field, dumped as JSON.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::draft::{
    BitmapDraft, ByteCoding, Coding, Content, Counts, Draft, Item, LONGEST, Length, LengthCoding, Page, Place, Prefix,
    Shape, Side, Third,
};
use super::{Format, ImportError, Remark, known};

/// Fields of which the library looks at nothing else.
#[derive(Deserialize)]
struct Entry {
    data_enc: String,
    #[serde(default)]
    len_enc: String,
    #[serde(default)]
    len_type: u32,
    #[serde(default)]
    max_len: u32,
    #[serde(default)]
    len_count: String,
    #[serde(default)]
    left_pad: String,
    #[serde(default)]
    right_pad: String,
    #[serde(default)]
    desc: String,
}

impl Entry {
    fn nibbles(&self) -> bool {
        self.len_count == "nibbles"
    }

    fn binary(&self) -> bool {
        self.data_enc == "b"
    }
}

pub(super) fn read(text: &str, remarks: &mut Vec<Remark>) -> Result<Draft, ImportError> {
    let syntax = |error: serde_json::Error| ImportError::Syntax { language: "JSON", problem: error.to_string() };
    let value: serde_json::Value = serde_json::from_str(text).map_err(syntax)?;
    let not_one = |problem: String| ImportError::NotOne { format: Format::Pyiso8583Json.name(), problem };
    let entries: BTreeMap<String, Entry> = serde_json::from_value(value)
        .map_err(|error| not_one(format!("an object of fields with data_enc, len_type and max_len: {error}")))?;
    let needed = |key: &str| entries.get(key).ok_or_else(|| not_one(format!("it has no {key:?}")));
    if let Some((key, _)) = entries.iter().find(|(_, entry)| entry.max_len > LONGEST) {
        return Err(ImportError::part(format!("field {key}"), format!("max_len is beyond {LONGEST}")));
    }
    let mti = mti(needed("t")?)?;
    let bitmap = bitmap(needed("p")?, entries.get("1"), remarks)?;
    let header = entries.get("h").filter(|entry| entry.max_len > 0).map(|entry| header(entry, remarks));
    let mut fields = Vec::new();
    for (key, entry) in &entries {
        match key.parse::<u16>() {
            Ok(number @ (2..=64 | 66..=192)) => {
                let mut place = Place::field(key, remarks);
                if let Some(shape) = shape(entry, number, &mut place) {
                    fields.push(Item::new(number.to_string(), entry.desc.as_str(), shape));
                }
            }
            Ok(1 | 65) => {}
            _ if matches!(key.as_str(), "h" | "t" | "p") => {}
            _ => Place::field(key, remarks).remark("is no field number of 2 to 192; left out"),
        }
    }
    fields.sort_by_key(Item::number);
    Ok(Draft { name: "pyiso8583 specification".into(), header, mti, bitmap, fields })
}

/// A Python text encoding; none when its characters are more than one byte each.
fn text_coding(name: &str) -> Option<(Coding, bool)> {
    let plain: String = name.to_lowercase().chars().filter(char::is_ascii_alphanumeric).collect();
    let number = plain.strip_prefix("cp").or_else(|| plain.strip_prefix("ibm")).unwrap_or(&plain);
    match number {
        "500" | "ebcdiccpbe" | "ebcdiccpch" => Some((Coding::Ebcdic(Page::Cp500), true)),
        "037" | "39" | "ebcdiccpus" | "ebcdiccpca" | "ebcdiccpwt" | "ebcdiccpnl" | "037us" => {
            Some((Coding::Ebcdic(Page::Cp037), true))
        }
        "1140" => Some((Coding::Ebcdic(Page::Cp037), true)),
        "1047" => Some((Coding::Ebcdic(Page::Cp1047), true)),
        "273" | "277" | "278" | "280" | "284" | "285" | "297" | "424" | "875" | "1026" | "1141" | "1148" => {
            Some((Coding::Ebcdic(Page::Cp500), false))
        }
        _ if plain.starts_with("utf16") || plain.starts_with("utf32") || plain == "utf7" || plain == "idna" => None,
        _ => Some((Coding::Ascii, true)),
    }
}

fn needed_coding(entry: &Entry, place: &str) -> Result<Coding, ImportError> {
    if entry.binary() {
        return Ok(Coding::Bcd);
    }
    text_coding(&entry.data_enc)
        .map(|(coding, _)| coding)
        .ok_or_else(|| ImportError::part(place, format!("data_enc {:?} has no dialect form", entry.data_enc)))
}

fn mti(entry: &Entry) -> Result<Coding, ImportError> {
    needed_coding(entry, "field t")
}

fn bitmap(first: &Entry, second: Option<&Entry>, remarks: &mut Vec<Remark>) -> Result<BitmapDraft, ImportError> {
    let byte_coding = |entry: &Entry, place: &str| {
        Ok(match needed_coding(entry, place)? {
            Coding::Bcd => ByteCoding::Binary,
            Coding::Ebcdic(_) => ByteCoding::EbcdicHex,
            Coding::Ascii | Coding::Hex => ByteCoding::Hex,
        })
    };
    let coding = byte_coding(first, "field p")?;
    if let Some(second) = second
        && byte_coding(second, "field 1")? != coding
    {
        let what = "is written otherwise than the first bitmap; it is read as the first is";
        Place::field("1", remarks).remark(what);
    }
    let third = if second.is_some() { Third::Joined } else { Third::None };
    Ok(BitmapDraft { coding, secondary: second.is_some(), third, fixed_bytes: None })
}

/// The header, in whole bytes. One of variable length is taken as its longest.
fn header(entry: &Entry, remarks: &mut Vec<Remark>) -> Item {
    let name = if entry.desc.is_empty() { "Header" } else { &entry.desc };
    let bytes = if entry.nibbles() { entry.max_len.div_ceil(2) } else { entry.max_len };
    let content = match text_coding(&entry.data_enc) {
        Some((coding, _)) if !entry.binary() && entry.len_type == 0 => Content::Text(coding),
        _ => Content::Bytes(ByteCoding::Binary),
    };
    if entry.len_type > 0 {
        let what = "a header of variable length is read as always having its largest length, with its length in front";
        Place::field("h", remarks).remark(what);
    }
    Item::new("h", name, Shape::fixed(content, bytes + entry.len_type.min(8)))
}

fn shape(entry: &Entry, number: u16, place: &mut Place<'_>) -> Option<Shape> {
    if entry.max_len == 0 {
        place.remark("is empty (max_len 0); left out");
        return None;
    }
    let prefix = prefix(entry, place)?;
    if entry.binary() {
        return Some(binary(entry, number, prefix));
    }
    let Some((coding, exact)) = text_coding(&entry.data_enc) else {
        place.remark(format!("data_enc {:?} has no dialect form; its value is read as bytes", entry.data_enc));
        return Some(sized(entry, Content::Bytes(ByteCoding::Binary), prefix));
    };
    if !exact {
        place.remark(format!("EBCDIC page {:?} is read as cp500; digits and letters are the same", entry.data_enc));
    }
    Some(sized(entry, Content::Text(coding), prefix))
}

/// A value that counts bytes, or two nibbles for each of its bytes.
fn sized(entry: &Entry, content: Content, prefix: Option<Prefix>) -> Shape {
    match (prefix, entry.nibbles()) {
        (None, false) => Shape::fixed(content, entry.max_len),
        (None, true) => Shape::fixed(content, entry.max_len.div_ceil(2)),
        (Some(prefix), false) => Shape::new(content, Length::Variable { most: entry.max_len, prefix }),
        (Some(prefix), true) => {
            Shape::new(content, Length::Variable { most: entry.max_len, prefix }).counting(Counts::Nibbles)
        }
    }
}

fn binary(entry: &Entry, number: u16, prefix: Option<Prefix>) -> Shape {
    // What counts bytes is bytes, unless the field is known to hold digits.
    if !entry.nibbles() {
        if !known::numeric(number) && !known::track(number) {
            return sized(entry, Content::Bytes(ByteCoding::Binary), prefix);
        }
        return match prefix {
            None => Shape::fixed(Content::Nibbles, entry.max_len * 2),
            Some(prefix) => {
                Shape::new(Content::Nibbles, Length::Variable { most: entry.max_len, prefix }).counting(Counts::Bytes)
            }
        };
    }
    let shape = match prefix {
        None => Shape::fixed(Content::Nibbles, entry.max_len),
        Some(prefix) => Shape::new(Content::Nibbles, Length::Variable { most: entry.max_len, prefix }),
    };
    match (entry.left_pad.chars().next(), entry.right_pad.chars().next()) {
        (Some(fill), _) => shape.padded(Side::Left).filled(fill.to_ascii_uppercase()),
        (None, Some(fill)) => shape.padded(Side::Right).filled(fill.to_ascii_uppercase()),
        (None, None) => shape,
    }
}

/// The length in front of a value: none for a fixed one, nothing where it cannot be carried over.
#[expect(clippy::option_option, reason = "a fixed length is not the same as one that cannot be said")]
fn prefix(entry: &Entry, place: &mut Place<'_>) -> Option<Option<Prefix>> {
    let bytes = match u8::try_from(entry.len_type) {
        Ok(0) => return Some(None),
        Ok(bytes @ 1..=8) => bytes,
        _ => {
            place.remark(format!("a length of {} bytes has no dialect form; left out", entry.len_type));
            return None;
        }
    };
    let plain = |coding| match bytes {
        1..=6 => Prefix::new(coding, bytes),
        _ => Prefix { coding, digits: 6, bytes: Some(bytes) },
    };
    Some(Some(match entry.len_enc.as_str() {
        "b" => plain(LengthCoding::Binary),
        "bcd" if bytes <= 3 => Prefix::new(LengthCoding::Bcd, bytes * 2),
        "bcd" => Prefix { coding: LengthCoding::Bcd, digits: 6, bytes: Some(bytes) },
        other => match text_coding(other) {
            Some((Coding::Ebcdic(_), _)) => plain(LengthCoding::Ebcdic),
            Some(_) => plain(LengthCoding::Ascii),
            None => {
                place.remark(format!("len_enc {other:?} has no dialect form; left out"));
                return None;
            }
        },
    }))
}
