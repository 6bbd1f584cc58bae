//! JSON specifications of moov-io/iso8583.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::draft::{
    BitmapDraft, ByteCoding, Coding, Content, Draft, Item, LONGEST, Length, LengthCoding, Page, Place, Prefix, Shape,
    Side, Third,
};
use super::{Format, ImportError, Remark, known, moov_parts};

#[derive(Deserialize)]
struct File {
    #[serde(default)]
    name: String,
    #[serde(default)]
    fields: BTreeMap<String, Field>,
}

/// A field or sub-field as it stands in the file.
#[derive(Deserialize, Default)]
pub(super) struct Field {
    #[serde(default, rename = "type")]
    pub(super) kind: String,
    #[serde(default, deserialize_with = "length_said")]
    pub(super) length: u32,
    #[serde(default)]
    pub(super) description: String,
    #[serde(default)]
    pub(super) enc: String,
    #[serde(default)]
    pub(super) prefix: String,
    /// Digits of the prefix, in the oldest files.
    #[serde(default)]
    prefix_length: u8,
    pub(super) padding: Option<Padding>,
    pub(super) tag: Option<Tag>,
    #[serde(default)]
    pub(super) subfields: BTreeMap<String, Field>,
    pub(super) bitmap: Option<Box<Field>>,
    #[serde(default, rename = "disableautoexpand", alias = "disableAutoExpand")]
    pub(super) disable_auto_expand: bool,
}

fn length_said<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    u32::deserialize(deserializer).map(|length| length.min(LONGEST))
}

#[derive(Deserialize)]
pub(super) struct Padding {
    #[serde(rename = "type")]
    pub(super) side: String,
    #[serde(default)]
    pub(super) pad: Value,
}

impl Padding {
    /// The side and the character; the oldest files give its code.
    pub(super) fn read(&self) -> Option<(Side, char)> {
        let side = self.side.to_lowercase();
        let side = if side.contains("left") {
            Side::Left
        } else if side.contains("right") {
            Side::Right
        } else {
            return None;
        };
        let character = match &self.pad {
            Value::String(text) => text.chars().next(),
            Value::Number(code) => code.as_u64().and_then(|code| u8::try_from(code).ok()).map(char::from),
            _ => None,
        };
        Some((side, character?))
    }
}

#[derive(Deserialize)]
pub(super) struct Tag {
    #[serde(default, deserialize_with = "length_said")]
    pub(super) length: u32,
    #[serde(default)]
    pub(super) enc: String,
    pub(super) padding: Option<Padding>,
    #[serde(default)]
    pub(super) sort: String,
    #[serde(default, rename = "prefUnknownTLV", alias = "prefunknowntlv")]
    pub(super) unknown_prefix: String,
}

/// How the library's encoders write, by the names of its files (and of its oldest files).
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoder {
    Ascii,
    /// Filler in front.
    Bcd,
    /// Filler behind.
    LeftBcd,
    Ebcdic(Page),
    Binary,
    /// Bytes as hexadecimal text.
    HexText,
    /// Hexadecimal text as bytes.
    HexBytes,
    BerTag,
    TrackBcd,
}

pub(super) fn encoder(name: &str) -> Option<Encoder> {
    let short = name.strip_prefix("encoding.").unwrap_or(name);
    let short = short.strip_suffix("Encoder").unwrap_or(short).to_lowercase();
    Some(match short.as_str() {
        "ascii" | "lenientascii" | "asciilenient" => Encoder::Ascii,
        "bcd" => Encoder::Bcd,
        "lbcd" => Encoder::LeftBcd,
        "ebcdic" => Encoder::Ebcdic(Page::Cp500),
        "ebcdic1047" => Encoder::Ebcdic(Page::Cp1047),
        "binary" => Encoder::Binary,
        "hextoascii" | "bytestoasciihex" | "hex" => Encoder::HexText,
        "asciitohex" | "asciihextobytes" => Encoder::HexBytes,
        "bertlvtag" | "bertlv" => Encoder::BerTag,
        "track2bcd" | "bcdtrack2" => Encoder::TrackBcd,
        _ => return None,
    })
}

/// How the library writes a length.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Prefixer {
    Fixed,
    Variable(Prefix),
    Ber,
    /// All that is left.
    None,
}

pub(super) fn prefixer(field: &Field) -> Option<Prefixer> {
    prefixer_named(&field.prefix, field.prefix_length)
}

pub(super) fn prefixer_named(name: &str, old_digits: u8) -> Option<Prefixer> {
    if name.eq_ignore_ascii_case("BerTLV") {
        return Some(Prefixer::Ber);
    }
    if let Some(old) = name.strip_prefix("prefix.") {
        // prefix.asciiVarPrefixer with prefix_length 2
        let coding = old.split_once("Fixed").or_else(|| old.split_once("Var")).and_then(|(it, _)| length_coding(it))?;
        return Some(if old_digits == 0 {
            Prefixer::Fixed
        } else {
            Prefixer::Variable(Prefix::new(coding, old_digits))
        });
    }
    let (coding, style) = name.split_once('.')?;
    if coding.eq_ignore_ascii_case("none") {
        return Some(Prefixer::None);
    }
    let coding = length_coding(coding)?;
    if style.eq_ignore_ascii_case("fixed") {
        return Some(Prefixer::Fixed);
    }
    let digits = u8::try_from(style.len()).ok().filter(|digits| (1..=6).contains(digits))?;
    let all_l = style.bytes().all(|byte| byte.eq_ignore_ascii_case(&b'l'));
    all_l.then(|| Prefixer::Variable(Prefix::new(coding, digits)))
}

fn length_coding(name: &str) -> Option<LengthCoding> {
    Some(match name.to_lowercase().as_str() {
        "ascii" => LengthCoding::Ascii,
        "bcd" => LengthCoding::Bcd,
        "ebcdic" | "ebcdic1047" => LengthCoding::Ebcdic,
        "binary" => LengthCoding::Binary,
        "hex" => LengthCoding::Hex,
        _ => return None,
    })
}

/// What the whole file does, where a field alone does not tell.
#[derive(Clone, Copy)]
pub(super) struct Habits {
    /// Text is written in hexadecimal throughout.
    hex_texts: bool,
}

pub(super) fn read(text: &str, remarks: &mut Vec<Remark>) -> Result<Draft, ImportError> {
    let syntax = |error: serde_json::Error| ImportError::Syntax { language: "JSON", problem: error.to_string() };
    let value: Value = serde_json::from_str(text).map_err(syntax)?;
    let not_one = |problem: String| ImportError::NotOne { format: Format::MoovJson.name(), problem };
    let file: File = serde_json::from_value(value).map_err(|error| not_one(error.to_string()))?;
    let mut fields = BTreeMap::new();
    for (key, field) in file.fields {
        let number = key.strip_prefix("Field").unwrap_or(&key).parse::<u16>();
        let number = number.map_err(|_| not_one(format!("field {key:?} is not named by a number")))?;
        fields.insert(number, field);
    }
    let mti = fields.get(&0).ok_or_else(|| not_one("it has no field 0, the message type".into()))?;
    let bitmap = fields.get(&1).ok_or_else(|| not_one("it has no field 1, the bitmap".into()))?;
    let habits = habits(&fields);
    let mti = mti_coding(mti)?;
    let bitmap = message_bitmap(bitmap, remarks)?;
    let mut items = Vec::new();
    for (number, field) in fields.range(2..) {
        let id = number.to_string();
        let mut place = Place::field(&id, remarks);
        if field.kind.ends_with("Bitmap") && matches!(number, 65 | 129) {
            continue; // the library reads further bitmaps with the first
        }
        if *number > 192 {
            place.remark("is beyond field 192; left out");
        } else if let Some(item) = item(&id, field, habits, &mut place) {
            items.push(item);
        }
    }
    let name = if file.name.is_empty() { "moov specification".into() } else { file.name };
    Ok(Draft { name, header: None, mti, bitmap, fields: items })
}

fn habits(fields: &BTreeMap<u16, Field>) -> Habits {
    let texts = fields.iter().filter(|(number, field)| **number > 1 && field.subfields.is_empty());
    let (all, hex) = texts.fold((0, 0), |(all, hex), (_, field)| {
        (all + 1, hex + usize::from(encoder(&field.enc) == Some(Encoder::HexText)))
    });
    Habits { hex_texts: hex * 2 > all }
}

fn mti_coding(field: &Field) -> Result<Coding, ImportError> {
    match encoder(&field.enc) {
        Some(Encoder::Ascii | Encoder::Binary) => Ok(Coding::Ascii),
        Some(Encoder::Bcd | Encoder::LeftBcd | Encoder::HexBytes) => Ok(Coding::Bcd),
        Some(Encoder::Ebcdic(page)) => Ok(Coding::Ebcdic(page)),
        Some(Encoder::HexText) => Ok(Coding::Hex),
        _ => Err(ImportError::part("field 0", format!("the message type's encoding {:?} is not known", field.enc))),
    }
}

pub(super) fn bitmap_coding(field: &Field, place: &str) -> Result<ByteCoding, ImportError> {
    match encoder(&field.enc) {
        Some(Encoder::Binary | Encoder::HexBytes) => Ok(ByteCoding::Binary),
        Some(Encoder::HexText | Encoder::Ascii) => Ok(ByteCoding::Hex),
        Some(Encoder::Ebcdic(_)) => Ok(ByteCoding::EbcdicHex),
        _ => Err(ImportError::part(place, format!("the bitmap's encoding {:?} is not known", field.enc))),
    }
}

fn message_bitmap(field: &Field, remarks: &mut Vec<Remark>) -> Result<BitmapDraft, ImportError> {
    let coding = bitmap_coding(field, "field 1")?;
    // The oldest files state characters, and the library did not look at them.
    let old = field.enc == "Hex" || field.enc.starts_with("encoding.");
    let bytes = if old || field.length == 0 { 8 } else { field.length };
    let draft = |secondary, third, fixed_bytes| BitmapDraft { coding, secondary, third, fixed_bytes };
    match (bytes, field.disable_auto_expand) {
        (8, false) => Ok(draft(true, Third::Joined, None)),
        (8, true) => Ok(draft(false, Third::None, None)),
        (16, false) if coding == ByteCoding::Hex => {
            // Files from when the library did not look at it; today's versions read 16 bytes.
            let what = "length 16 is taken as the 16 characters of one bitmap, a further one announced by its first bit; \
                        where both are always sent, write fixed_bytes = 16";
            Place::field("1", remarks).remark(what);
            Ok(draft(true, Third::Joined, None))
        }
        (16, _) => Ok(draft(true, Third::None, Some(16))),
        (24, _) => Ok(draft(true, Third::Joined, Some(24))),
        _ => {
            let what =
                format!("a bitmap of {bytes} bytes is read as bitmaps of 8, the next announced by the first bit");
            Place::field("1", remarks).remark(what);
            Ok(draft(true, Third::Joined, None))
        }
    }
}

/// A field or part; none (and a remark) where it cannot be carried over.
pub(super) fn item(id: &str, field: &Field, habits: Habits, place: &mut Place<'_>) -> Option<Item> {
    if place.too_deep() {
        return None;
    }
    if !field.subfields.is_empty() {
        return moov_parts::composite(id, field, habits, place);
    }
    let Some(prefixer) = prefixer(field) else {
        place.remark(format!("the prefix {:?} is not known; left out", field.prefix));
        return None;
    };
    let Some(encoder) = encoder(&field.enc) else {
        place.remark(format!("the encoding {:?} is not known; left out", field.enc));
        return None;
    };
    let within_ber = prefixer == Prefixer::Ber;
    // The id of a part says nothing about what it holds, unlike the number of a field.
    let number = if place.at.contains('.') { 0 } else { id.parse().unwrap_or(0) };
    let mut shape = content_shape(number, field, encoder, habits, within_ber);
    if within_ber && matches!(encoder, Encoder::Bcd | Encoder::LeftBcd | Encoder::HexText) {
        place.remark("its BER length is read as bytes, although the library counts characters before encoding");
    }
    shape.length = length(prefixer, field, shape.packed());
    if shape.length == Length::Fixed(0) {
        place.remark("has a fixed length of 0; left out");
        return None;
    }
    Some(Item::new(id, field.description.as_str(), shape))
}

pub(super) fn length(prefixer: Prefixer, field: &Field, packed: bool) -> Length {
    let all_bytes = if packed { 1998 } else { 999 };
    match prefixer {
        Prefixer::Fixed => Length::Fixed(field.length),
        Prefixer::Variable(prefix) => Length::Variable { most: field.length, prefix },
        Prefixer::Ber => Length::Rest(all_bytes),
        Prefixer::None => Length::Rest(if field.length == 0 { all_bytes } else { field.length }),
    }
}

fn content_shape(number: u16, field: &Field, encoder: Encoder, habits: Habits, within_ber: bool) -> Shape {
    let padding = field.padding.as_ref().and_then(Padding::read);
    let digits_pad = padding.is_none_or(|(_, fill)| fill.is_ascii_digit());
    let numeric = field.kind.ends_with("Numeric") && digits_pad;
    let bytes_kind = field.kind.ends_with("Binary") || field.kind.ends_with("Hex") || field.kind.ends_with("Bitmap");
    let text = |coding| if numeric { Content::Digits(coding) } else { Content::Text(coding) };
    let (content, pad) = match encoder {
        Encoder::Ascii if bytes_kind => (Content::Bytes(ByteCoding::Binary), None),
        Encoder::Ascii => (text(Coding::Ascii), None),
        Encoder::Ebcdic(page) => (text(Coding::Ebcdic(page)), None),
        Encoder::Bcd => (packed(number), Some(Side::Left)),
        Encoder::LeftBcd => (packed(number), Some(Side::Right)),
        Encoder::TrackBcd => (Content::Track(Coding::Bcd), Some(Side::Right)),
        Encoder::Binary if numeric => (Content::Digits(Coding::Ascii), None),
        Encoder::HexText if !bytes_kind && !within_ber && (numeric || hex_is_text(number, habits)) => {
            (text(Coding::Hex), None)
        }
        Encoder::HexText => (Content::Bytes(ByteCoding::Hex), None),
        Encoder::Binary | Encoder::HexBytes | Encoder::BerTag => (Content::Bytes(ByteCoding::Binary), None),
    };
    let mut shape = Shape::fixed(content, field.length);
    shape.pad = pad;
    if let (None, Some((side, fill))) = (pad, padding)
        && fill.is_ascii()
    {
        shape.pad = Some(side);
        shape.fill = Some(fill);
    }
    shape
}

fn packed(number: u16) -> Content {
    if known::track(number) { Content::Track(Coding::Bcd) } else { Content::Digits(Coding::Bcd) }
}

/// Whether hexadecimal text stands for text, and not for the bytes of a PIN block, a MAC or chip data.
fn hex_is_text(number: u16, habits: Habits) -> bool {
    habits.hex_texts && !matches!(number, 52 | 55 | 64 | 65 | 96 | 128)
}
