//! From the text form of a field, or a part of one, to its compiled form.

use std::collections::BTreeSet;

use crate::compile::{bitmap_form, message_type, wrong_field};
use crate::dialect::{Bitmap, FieldInfo, SubField, SubFieldInfo, THIRD_BITMAP};
use crate::dialect_file::{
    Counts, DividedBy, Encoding, Encodings, FieldEntry, Format, NumberEntry, Pad, PartsEntry, Sensitivity, SubEntry,
    TagOrder, UnknownTags,
};
use crate::ebcdic::Page;
use crate::error::DialectError;
use crate::spec::{Content, Form, Prefix, Spec};
use crate::structure::{By, LengthForm, Part, Structure, TagForm, Tagged};

/// Most bytes of a frame, and so of a field.
const LONGEST: u32 = 65_535;
/// Fewest units of a card number: shorter fields cannot hold one.
const SHORTEST_CARD: u16 = 13;

pub(crate) fn field(
    mut entry: FieldEntry,
    encodings: &Encodings,
    bitmap: &Bitmap,
) -> Result<(FieldInfo, Spec), DialectError> {
    let (second, third) = (bitmap.secondary, bitmap.tertiary);
    let last = if third { 192 } else { 64 + 64 * u16::from(second) };
    let said = entry.number.unwrap_or(0);
    let bitmap_bit = u16::from(THIRD_BITMAP);
    let number = match u8::try_from(said) {
        // Bit 65 is a field like any other where no third bitmap can follow, as some hosts use it.
        Ok(number) if (2..=last).contains(&said) && (said != bitmap_bit || !third) => number,
        _ => return Err(wrong_field(said, format!("must be 2 to {last}, and not 65 where a third bitmap may follow"))),
    };
    if entry.id.is_some() {
        return Err(wrong_field(said, "id is for parts"));
    }
    let spec = spec(said, &entry, encodings)?;
    let when = conditions(said, &entry)?;
    for sensitive in when.iter().map(|(_, sensitive)| *sensitive).chain([spec.sensitive]) {
        check_sensitivity(said, sensitive, &entry, &spec)?;
    }
    let structure = entry.parts.take().map(|parts| structure(said, parts, encodings, &spec)).transpose()?;
    let subs = sub_fields(number, entry.subs, spec.units(spec.units))?;
    let zh = if entry.zh.is_empty() { entry.en.clone() } else { entry.zh };
    Ok((FieldInfo { number, en: entry.en, zh, subs, structure, sensitive: spec.sensitive, when }, spec))
}

/// Where the characters of a value stand.
fn form_of(encoding: Encoding, page: Page) -> Option<Form> {
    match encoding {
        Encoding::Bcd => Some(Form::Packed),
        Encoding::Ascii => Some(Form::Bytes),
        Encoding::Ebcdic => Some(Form::Ebcdic(page)),
        Encoding::Hex => Some(Form::Hex),
        Encoding::Binary | Encoding::EbcdicHex | Encoding::Ber => None,
    }
}

/// The prefix of so many bytes.
pub(crate) fn prefix(encoding: Encoding, bytes: u8) -> Option<Prefix> {
    match encoding {
        Encoding::Bcd => Some(Prefix::Packed(bytes)),
        Encoding::Ascii => Some(Prefix::Ascii(bytes)),
        Encoding::Ebcdic => Some(Prefix::Ebcdic(bytes)),
        Encoding::Binary => Some(Prefix::Binary(bytes)),
        Encoding::Hex => Some(Prefix::Hex(bytes)),
        Encoding::EbcdicHex | Encoding::Ber => None,
    }
}

fn content_and_form(number: u16, entry: &FieldEntry, encodings: &Encodings) -> Result<(Content, Form), DialectError> {
    let page = entry.page.unwrap_or(encodings.page);
    let wrong = |problem: &str| wrong_field(number, problem);
    let text = |default: Encoding| match form_of(entry.encoding.unwrap_or(default), page) {
        Some(form) => Ok(form),
        None => Err(wrong("encoding of this format must be bcd, ascii, ebcdic or hex")),
    };
    match entry.format {
        Format::N => Ok((Content::Digits, text(encodings.numbers)?)),
        Format::Z => Ok((Content::Track, text(encodings.tracks)?)),
        Format::X => {
            let form = text(encodings.numbers)?;
            Ok((Content::Signed, if form == Form::Packed { Form::Signed } else { form }))
        }
        Format::An | Format::Ans => match text(encodings.texts)? {
            Form::Packed => Err(wrong("encoding is for the formats n, z and x when it is bcd")),
            form if entry.format == Format::An => Ok((Content::Printable, form)),
            form => Ok((Content::Text, form)),
        },
        Format::H => Ok((Content::Nibbles, Form::Packed)),
        Format::B => match entry.encoding.unwrap_or(Encoding::Binary) {
            Encoding::Binary => Ok((Content::Binary, Form::Bytes)),
            Encoding::Hex => Ok((Content::HexText, Form::Bytes)),
            Encoding::EbcdicHex => Ok((Content::HexText, Form::Ebcdic(page))),
            _ => Err(wrong("encoding of format b must be binary, hex or ebcdic-hex")),
        },
    }
}

/// Digits of the length prefix (0: fixed, none: all that is left) and the largest length.
fn length(number: u16, entry: &FieldEntry) -> Result<(Option<u8>, u32), DialectError> {
    let said = [
        (entry.fixed, Some(0), LONGEST),
        (entry.l, Some(1), LONGEST),
        (entry.ll, Some(2), LONGEST),
        (entry.lll, Some(3), LONGEST),
        (entry.llll, Some(4), LONGEST),
        (entry.lllll, Some(5), LONGEST),
        (entry.llllll, Some(6), 999_999),
        (entry.rest, None, LONGEST),
    ];
    let mut found = said.iter().filter_map(|(units, digits, most)| Some((units.as_ref()?, *digits, *most)));
    match (found.next(), found.next()) {
        (Some((units, digits, most)), None) if (1..=most).contains(units) => Ok((digits, (*units).min(LONGEST))),
        _ => Err(wrong_field(
            number,
            format!("needs one of fixed, l, ll, lll, llll, lllll, llllll and rest, each 1 to {LONGEST}"),
        )),
    }
}

fn length_prefix(
    number: u16,
    entry: &FieldEntry,
    encodings: &Encodings,
    digits: u8,
    most: u32,
) -> Result<Prefix, DialectError> {
    let encoding = entry.lengths.unwrap_or(encodings.lengths);
    let bytes = match (entry.prefix_bytes, encoding) {
        (Some(bytes), _) => bytes,
        (None, Encoding::Bcd) => digits.div_ceil(2),
        (None, Encoding::Hex) => digits * 2,
        (None, _) => digits,
    };
    let prefix = prefix(encoding, bytes).filter(|_| (1..=8).contains(&bytes));
    let prefix = prefix.ok_or_else(|| wrong_field(number, "the length needs an encoding and 1 to 8 bytes"))?;
    match prefix.write(most as usize, &mut Vec::new()) {
        Some(()) => Ok(prefix),
        None => Err(wrong_field(number, format!("a length of {most} does not fit into its prefix"))),
    }
}

fn spec(number: u16, entry: &FieldEntry, encodings: &Encodings) -> Result<Spec, DialectError> {
    let wrong = |problem: &str| wrong_field(number, problem);
    let (content, form) = content_and_form(number, entry, encodings)?;
    let (digits, most) = length(number, entry)?;
    let prefix = match digits {
        Some(0) => Prefix::None,
        None => Prefix::Rest,
        Some(digits) => length_prefix(number, entry, encodings, digits, most)?,
    };
    let variable = !matches!(prefix, Prefix::None | Prefix::Rest);
    let scale = scale(entry, content, form, variable).map_err(wrong)?;
    let units = u16::try_from(most).map_err(|_| wrong("is too long"))?;
    let odd_possible = form == Form::Packed && scale == 1 && (variable || units % 2 == 1) && prefix != Prefix::Rest;
    let may_pad = odd_possible || (prefix == Prefix::None && form != Form::Packed);
    let trims = form == Form::Packed && scale == 2 && entry.fill.as_deref() == Some("F");
    if (odd_possible && !variable && entry.pad.is_none()) || (entry.pad.is_some() && !may_pad && !trims) {
        let problem = "pad belongs to fixed text and to packed digits whose number can be odd; fixed ones need it";
        return Err(wrong(problem));
    }
    let fixed_hex = prefix == Prefix::None && scale == 2;
    let largest = u32::from(units) * u32::from(scale);
    if largest > LONGEST {
        return Err(wrong("is longer than a frame can be"));
    }
    let units = if fixed_hex { units * 2 } else { units };
    let default = if largest >= SHORTEST_CARD.into() { Sensitivity::Text } else { Sensitivity::None };
    Ok(Spec {
        content,
        form,
        prefix,
        pad_left: entry.pad.map_or(pads_left(content) && !variable, |pad| pad == Pad::Left),
        halves: variable && entry.counts == Some(Counts::Nibbles) && matches!(form, Form::Bytes | Form::Ebcdic(_)),
        trims,
        scale,
        fill: fill(number, entry, content, form)?,
        min: entry.min,
        units,
        sensitive: entry.sensitive.unwrap_or(default),
        sensitive_varies: !entry.when.is_empty(),
        structured: entry.parts.is_some(),
        ..Spec::ABSENT
    }
    .settled())
}

/// Where short values are filled when written: numbers in front.
fn pads_left(content: Content) -> bool {
    matches!(content, Content::Digits)
}

fn fill(number: u16, entry: &FieldEntry, content: Content, form: Form) -> Result<u8, DialectError> {
    let numeric = matches!(content, Content::Digits | Content::Signed);
    match (entry.fill.as_deref().map(str::as_bytes), form) {
        (None, Form::Packed) => Ok(0),
        (None, _) if numeric => Ok(b'0'),
        (None, _) => Ok(b' '),
        (Some([digit]), Form::Packed) => char::from(*digit)
            .to_digit(16)
            .and_then(|nibble| u8::try_from(nibble).ok())
            .ok_or_else(|| wrong_field(number, "fill must be one of 0 to 9, A to F")),
        (Some([character]), _) if character.is_ascii() => Ok(*character),
        (Some(_), _) => Err(wrong_field(number, "fill must be one ASCII character")),
    }
}

/// The units that one counted by the prefix stands for.
fn scale(entry: &FieldEntry, content: Content, form: Form, variable: bool) -> Result<u8, &'static str> {
    if content == Content::HexText {
        return match entry.counts {
            None | Some(Counts::Bytes) => Ok(2),
            Some(Counts::Characters) => Ok(1),
            Some(_) => Err("counts of bytes in hexadecimal must be bytes or characters"),
        };
    }
    match (entry.counts, entry.format) {
        (Some(_), _) if !variable => Err("counts is for fields with a length prefix"),
        (Some(Counts::Bytes), _) if form == Form::Signed => Err("counts = \"bytes\" is not for format x in bcd"),
        (Some(Counts::Bytes), _) => Ok(if form == Form::Packed { 2 } else { 1 }),
        (None | Some(Counts::Characters), _)
        | (Some(Counts::Digits), Format::N | Format::X | Format::H)
        | (Some(Counts::Nibbles), Format::Z | Format::H | Format::N | Format::An | Format::Ans | Format::B) => Ok(1),
        (Some(Counts::Digits), _) => Err("counts = \"digits\" is for the formats n, x and h"),
        (Some(Counts::Nibbles), _) => Err("counts = \"nibbles\" is not for format x"),
    }
}

fn conditions(number: u16, entry: &FieldEntry) -> Result<Vec<(u16, Sensitivity)>, DialectError> {
    let mut seen = BTreeSet::new();
    let mut rows = Vec::new();
    for when in &entry.when {
        for text in &when.mti {
            match message_type(text) {
                Some(mti) if seen.insert(mti) => rows.push((mti, when.sensitive)),
                _ => {
                    let problem = format!("when: {text:?} must be four digits, and be there once");
                    return Err(wrong_field(number, problem));
                }
            }
        }
    }
    Ok(rows)
}

fn check_sensitivity(number: u16, sensitive: Sensitivity, entry: &FieldEntry, spec: &Spec) -> Result<(), DialectError> {
    match sensitive {
        Sensitivity::Emv if spec.content != Content::Binary => {
            Err(wrong_field(number, "sensitive = \"emv\" is for format b"))
        }
        Sensitivity::Text if spec.form == Form::Packed && entry.sensitive.is_some() => {
            Err(wrong_field(number, "sensitive = \"text\" is for fields whose unit is the byte"))
        }
        Sensitivity::Pan | Sensitivity::Track if entry.format == Format::B => {
            Err(wrong_field(number, "sensitive = \"pan\" or \"track\" is not for format b"))
        }
        _ => Ok(()),
    }
}

fn structure(number: u16, entry: PartsEntry, encodings: &Encodings, outer: &Spec) -> Result<Structure, DialectError> {
    let wrong = |problem: &str| wrong_field(number, format!("parts: {problem}"));
    if !matches!(outer.content, Content::Text | Content::Printable | Content::Binary) {
        return Err(wrong("only fields of format an, ans and b (not in hexadecimal) can have parts"));
    }
    let by = match (entry.by, entry.tag, entry.length, entry.bitmap) {
        (DividedBy::Position, None, None, None) => By::Position,
        (DividedBy::Ber, None, None, None) => By::Ber,
        (DividedBy::Tag, Some(tag), length, None) => By::Tag(tagged(number, tag, length, &entry, encodings.page)?),
        (DividedBy::Bitmap, None, None, Some(bitmap)) => By::Bitmap {
            form: bitmap_form(bitmap.encoding, encodings.page)
                .filter(|_| (1..=32).contains(&bitmap.bytes))
                .ok_or_else(|| wrong("the bitmap needs binary, hex or ebcdic-hex, and 1 to 32 bytes"))?,
            bytes: bitmap.bytes,
            extends: bitmap.first_bit_extends,
        },
        _ => return Err(wrong("by = \"tag\" needs tag, by = \"bitmap\" needs bitmap, others need none")),
    };
    let mut ids = BTreeSet::new();
    let mut parts = Vec::with_capacity(entry.part.len());
    for part in entry.part {
        let part = self::part(number, part, encodings, entry.by == DividedBy::Tag)?;
        if !ids.insert(part.id.clone()) {
            return Err(wrong(&format!("{:?} is there twice; rename one", part.id)));
        }
        parts.push(part);
    }
    Ok(Structure { by, lenient: entry.lenient, keep_unknown: entry.unknown_tags == UnknownTags::Keep, parts })
}

fn part(number: u16, mut entry: FieldEntry, encodings: &Encodings, under_tags: bool) -> Result<Part, DialectError> {
    let id = entry.id.take().ok_or_else(|| wrong_field(number, "parts: each part needs an id"))?;
    let within = |error: DialectError| match error {
        DialectError::Field { number, problem } => {
            DialectError::Field { number, problem: format!("part {id:?} {problem}") }
        }
        other => other,
    };
    if entry.leading && !under_tags {
        return Err(within(wrong_field(number, "leading is for parts by tag")));
    }
    if entry.number.is_some() || !entry.when.is_empty() || !entry.subs.is_empty() {
        return Err(within(wrong_field(number, "number, when and subs are for fields")));
    }
    let spec = spec(number, &entry, encodings).map_err(within)?;
    check_sensitivity(number, spec.sensitive, &entry, &spec).map_err(within)?;
    let parts = entry.parts.take();
    let structure = parts.map(|parts| structure(number, parts, encodings, &spec)).transpose().map_err(within)?;
    let zh = if entry.zh.is_empty() { entry.en.clone() } else { entry.zh };
    Ok(Part { id, en: entry.en, zh, spec, structure })
}

/// How tags and lengths are written under `by = "tag"`.
fn tagged(
    number: u16,
    tag: NumberEntry,
    length: Option<NumberEntry>,
    entry: &PartsEntry,
    page: Page,
) -> Result<Tagged, DialectError> {
    let wrong = |problem: &str| wrong_field(number, format!("parts: {problem}"));
    let leading = entry.part.iter().take_while(|part| part.leading).count();
    if entry.part.iter().skip(leading).any(|part| part.leading) {
        return Err(wrong("leading parts must be listed first"));
    }
    let length = match length {
        None => None,
        Some(length) => Some(length_form(length).ok_or_else(|| wrong("the length needs 1 to 8 digits"))?),
    };
    let length_first = entry.order == TagOrder::LengthTag;
    if length_first && length.is_none() {
        return Err(wrong("order = \"length-tag\" needs length"));
    }
    let tag = tag_form(tag, page).ok_or_else(|| wrong("the tag needs 1 to 8 digits"))?;
    Ok(Tagged { tag, length, length_first, leading })
}

fn length_form(entry: NumberEntry) -> Option<LengthForm> {
    if entry.encoding == Encoding::Ber {
        return Some(LengthForm::Ber);
    }
    let bytes = if entry.encoding == Encoding::Bcd { entry.digits.div_ceil(2) } else { entry.digits };
    prefix(entry.encoding, bytes).filter(|_| (1..=8).contains(&bytes)).map(LengthForm::Prefix)
}

fn tag_form(entry: NumberEntry, page: Page) -> Option<TagForm> {
    if entry.encoding == Encoding::Ber {
        return Some(TagForm::Ber);
    }
    if !(1..=8).contains(&entry.digits) {
        return None;
    }
    match entry.encoding {
        Encoding::Binary => Some(TagForm::Binary { bytes: entry.digits }),
        other => Some(TagForm::Text { form: form_of(other, entry.page.unwrap_or(page))?, digits: entry.digits }),
    }
}

fn sub_fields(field: u8, entries: Vec<SubEntry>, max: u16) -> Result<Vec<SubFieldInfo>, DialectError> {
    let mut names = BTreeSet::new();
    let mut free = 0;
    let mut subs = Vec::with_capacity(entries.len());
    for sub in entries {
        let wrong = |problem: &str| wrong_field(field.into(), format!("sub-field {:?} {problem}", sub.name));
        if !names.insert(sub.name.clone()) {
            return Err(wrong("is there twice; rename one"));
        }
        if sub.at < free {
            return Err(wrong("begins before the one above it ends"));
        }
        free = match sub.length {
            Some(0) => return Err(wrong("must not be empty")),
            Some(length) => sub.at.saturating_add(length),
            None => sub.at.saturating_add(1).max(max),
        };
        if free > max {
            return Err(wrong("reaches beyond the field"));
        }
        let handle = SubField { field, at: sub.at, units: sub.length.unwrap_or(0) };
        subs.push(SubFieldInfo { name: sub.name, en: sub.en, zh: sub.zh, handle });
    }
    Ok(subs)
}
