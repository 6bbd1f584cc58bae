//! From the text form of a dialect to its compiled form, with every check a file needs.

use std::collections::BTreeSet;

use crate::dialect::{
    Dialect, FieldInfo, Header, HeaderCheck, HeaderPart, HeaderPartInfo, Mti, SubField, SubFieldInfo,
};
use crate::dialect_file::{
    Counts, DialectFile, EmvEntry, Encoding, Encodings, FieldEntry, Format, HeaderEntry, HeaderForm, MtiEntry, Pad,
    Sensitivity, SubEntry,
};
use crate::error::DialectError;
use crate::message::FieldSet;
use crate::spec::{Content, Form, Prefix, Spec};
use crate::tlv::TagSet;

pub(crate) fn dialect(file: DialectFile) -> Result<Dialect, DialectError> {
    let header = header(file.header)?;
    let mti = mti(&file.mti)?;
    let mut table = [Spec::ABSENT; 129];
    let mut fields: Vec<FieldInfo> = Vec::with_capacity(file.field.len());
    let mut sensitive = FieldSet::default();
    for entry in file.field {
        let (info, spec) = field(entry, &file.encoding, file.bitmap.secondary)?;
        if info.sensitive != Sensitivity::None || info.when.iter().any(|(_, what)| *what != Sensitivity::None) {
            sensitive.insert(info.number);
        }
        if let Some(row) = table.get_mut(usize::from(info.number)) {
            *row = spec;
        }
        fields.push(info);
    }
    fields.sort_by_key(|field| field.number);
    if let Some(twice) = fields.iter().zip(fields.iter().skip(1)).find(|(one, next)| one.number == next.number) {
        return Err(wrong_field(twice.0.number.into(), "is there twice; keep one"));
    }
    Ok(Dialect {
        id: file.dialect.id,
        en: file.dialect.en,
        zh: file.dialect.zh,
        revision: file.dialect.revision,
        header,
        mti,
        secondary: file.bitmap.secondary,
        table,
        fields,
        sensitive,
        hidden_tags: hidden_tags(&file.emv)?,
    })
}

fn wrong_field(number: u16, problem: impl Into<String>) -> DialectError {
    DialectError::Field { number, problem: problem.into() }
}

fn mti(entry: &MtiEntry) -> Result<Mti, DialectError> {
    if entry.versions.is_empty() || entry.versions.iter().any(|version| *version > 9) {
        let problem = "versions must list first digits, each 0 to 9".into();
        return Err(DialectError::Part { part: "mti", problem });
    }
    let versions = entry.versions.iter().fold(0, |set, version| set | 1_u16 << version);
    Ok(Mti { ascii: entry.encoding == Encoding::Ascii, versions })
}

fn hidden_tags(entry: &EmvEntry) -> Result<TagSet, DialectError> {
    let tag = |text: &String| {
        let good = (2..=8).contains(&text.len()) && text.len().is_multiple_of(2);
        let problem = || format!("{text:?} is no tag of 1 to 4 hexadecimal bytes");
        u32::from_str_radix(text, 16)
            .ok()
            .filter(|_| good)
            .ok_or_else(|| DialectError::Part { part: "emv", problem: problem() })
    };
    entry.hide.iter().map(tag).collect::<Result<_, _>>().map(TagSet::new)
}

fn header(entries: Vec<HeaderEntry>) -> Result<Header, DialectError> {
    let mut header =
        Header { length: 0, parts: Vec::new(), checks: Vec::new(), tpdu: None, version: None, software_version: None };
    let mut nibbles = 0;
    for entry in entries {
        nibbles = header_part(&mut header, entry, nibbles)?;
    }
    if nibbles % 2 != 0 {
        let problem = "the header must end on a whole byte".into();
        return Err(DialectError::Part { part: "header", problem });
    }
    header.length = usize::from(nibbles / 2);
    header.tpdu = header.find("tpdu");
    header.version = header.find("version");
    header.software_version = header.find("software_version");
    Ok(header)
}

/// Adds one part that begins at nibble `start`; gives the nibble behind it.
fn header_part(header: &mut Header, entry: HeaderEntry, start: u16) -> Result<u16, DialectError> {
    let wrong = |problem: &str| DialectError::Header { name: entry.name.clone(), problem: problem.into() };
    if header.find(&entry.name).is_some() {
        return Err(wrong("is there twice; rename one"));
    }
    if entry.length == 0 || entry.length > 999 {
        return Err(wrong("length must be 1 to 999"));
    }
    let packed = entry.form == HeaderForm::Bcd;
    if !packed && !start.is_multiple_of(2) {
        return Err(wrong("must begin on a whole byte; the bcd parts before it have an odd number of digits"));
    }
    let nibbles = if packed { entry.length } else { entry.length * 2 };
    let at = usize::from(start / 2);
    if packed {
        add_digit_check(&mut header.checks, usize::from(start), usize::from(nibbles));
    }
    if !entry.starts_with.is_empty() {
        let any_of = entry.starts_with.iter().map(|text| header_value(text, entry.form)).collect::<Option<Vec<_>>>();
        let fits =
            |value: &Vec<u8>| start.is_multiple_of(2) && !value.is_empty() && value.len() * 2 <= usize::from(nibbles);
        match any_of.filter(|values| values.iter().all(fits)) {
            Some(any_of) => header.checks.push(HeaderCheck::StartsWith { at, any_of }),
            None => {
                return Err(wrong("starts_with must be whole bytes, and no longer than the part"));
            }
        }
    }
    if entry.frame_length {
        if entry.form != HeaderForm::Text || entry.length > 5 {
            return Err(wrong("frame_length needs a text part of at most 5 digits"));
        }
        header.checks.push(HeaderCheck::FrameLength { at, length: usize::from(entry.length) });
    }
    let at = if packed { start } else { start / 2 };
    header.parts.push(HeaderPartInfo {
        part: HeaderPart { at, units: entry.length, packed },
        binary: entry.form == HeaderForm::Binary,
        name: entry.name,
        en: entry.en,
        zh: entry.zh,
    });
    start
        .checked_add(nibbles)
        .filter(|end| *end < 4000)
        .ok_or(DialectError::Part { part: "header", problem: "is longer than 2000 bytes".into() })
}

/// Checks the digits of neighbours in one go; all packed parts together fill whole bytes.
fn add_digit_check(checks: &mut Vec<HeaderCheck>, start: usize, nibbles: usize) {
    let (from, to) = (start / 2, (start + nibbles).div_ceil(2));
    let last = checks.iter_mut().rev().find_map(|check| match check {
        HeaderCheck::Digits { at, length } => Some((at, length)),
        _ => None,
    });
    match last {
        Some((at, length)) if *at + *length >= from => *length = to - *at,
        _ => checks.push(HeaderCheck::Digits { at: from, length: to - from }),
    }
}

fn header_value(text: &str, form: HeaderForm) -> Option<Vec<u8>> {
    if form == HeaderForm::Text {
        return Some(text.as_bytes().to_vec());
    }
    if !text.len().is_multiple_of(2) || !text.is_ascii() {
        return None;
    }
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(text.get(at..at + 2)?, 16).ok()).collect()
}

fn field(entry: FieldEntry, encodings: &Encodings, secondary: bool) -> Result<(FieldInfo, Spec), DialectError> {
    let last = if secondary { 128 } else { 64 };
    let number = match u8::try_from(entry.number) {
        Ok(number) if (2..=last).contains(&number) && number != 65 => number,
        _ => {
            return Err(wrong_field(entry.number, format!("must be 2 to {last}, and not 65")));
        }
    };
    let spec = spec(&entry, encodings)?;
    let when = conditions(&entry)?;
    for sensitive in when.iter().map(|(_, sensitive)| *sensitive).chain([entry.sensitive]) {
        check_sensitivity(sensitive, &entry, &spec)?;
    }
    let subs = sub_fields(number, entry.subs, spec.units(spec.units))?;
    Ok((FieldInfo { number, en: entry.en, zh: entry.zh, subs, sensitive: entry.sensitive, when }, spec))
}

fn spec(entry: &FieldEntry, encodings: &Encodings) -> Result<Spec, DialectError> {
    let wrong = |problem: &str| wrong_field(entry.number, problem);
    let packed = match entry.format {
        Format::N => entry.encoding.unwrap_or(encodings.numbers) == Encoding::Bcd,
        Format::Z => entry.encoding.unwrap_or(encodings.tracks) == Encoding::Bcd,
        Format::An | Format::Ans | Format::B if entry.encoding.is_some() => {
            return Err(wrong("encoding is for the formats n and z"));
        }
        Format::An | Format::Ans | Format::B => false,
    };
    let (digits, units) = match (entry.fixed, entry.ll, entry.lll) {
        (Some(units), None, None) if (1..=999).contains(&units) => (0, units),
        (None, Some(units), None) if (1..=99).contains(&units) => (2, units),
        (None, None, Some(units)) if (1..=999).contains(&units) => (3, units),
        _ => {
            return Err(wrong("needs one of fixed (1 to 999), ll (1 to 99), lll (1 to 999)"));
        }
    };
    let counts_bytes = counts_bytes(entry, packed, digits == 0).map_err(wrong)?;
    let odd_possible = packed && !counts_bytes && (digits > 0 || units % 2 == 1);
    if odd_possible != entry.pad.is_some() {
        return Err(wrong("pad belongs to packed digits whose number can be odd, and only to them"));
    }
    let prefix = match (digits, encodings.lengths) {
        (0, _) => Prefix::None,
        (_, Encoding::Bcd) => Prefix::Packed(digits / 2 + digits % 2),
        (_, Encoding::Ascii) => Prefix::Ascii(digits),
    };
    let content = match (entry.format, packed) {
        (Format::N, true) => Content::PackedDigits,
        (Format::N, false) => Content::AsciiDigits,
        (Format::Z, true) => Content::PackedTrack,
        (Format::Z, false) => Content::AsciiTrack,
        (Format::An, _) => Content::Printable,
        (Format::Ans, _) => Content::Text,
        (Format::B, _) => Content::Binary,
    };
    let form = if packed { Form::Packed } else { Form::Bytes };
    Ok(Spec {
        content,
        form,
        prefix,
        pad_left: entry.pad == Some(Pad::Left),
        counts_bytes,
        units,
        sensitive: entry.sensitive,
        sensitive_varies: !entry.when.is_empty(),
    })
}

/// Whether a prefix counts bytes where the units are nibbles.
fn counts_bytes(entry: &FieldEntry, packed: bool, fixed: bool) -> Result<bool, &'static str> {
    match (entry.counts, entry.format) {
        (Some(_), _) if fixed => Err("counts is for ll and lll"),
        (Some(Counts::Bytes), _) => Ok(packed),
        (None, _) | (Some(Counts::Digits), Format::N) | (Some(Counts::Nibbles), Format::Z) => Ok(false),
        (Some(Counts::Digits), _) => Err("counts = \"digits\" is for format n"),
        (Some(Counts::Nibbles), _) => Err("counts = \"nibbles\" is for format z"),
    }
}

fn conditions(entry: &FieldEntry) -> Result<Vec<(u16, Sensitivity)>, DialectError> {
    let mut seen = BTreeSet::new();
    let mut rows = Vec::new();
    for when in &entry.when {
        for text in &when.mti {
            let digits = text.len() == 4 && text.bytes().all(|byte| byte.is_ascii_digit());
            match u16::from_str_radix(text, 16) {
                Ok(mti) if digits && seen.insert(mti) => rows.push((mti, when.sensitive)),
                _ => {
                    let problem = format!("when: {text:?} must be four digits, and be there once");
                    return Err(wrong_field(entry.number, problem));
                }
            }
        }
    }
    Ok(rows)
}

fn check_sensitivity(sensitive: Sensitivity, entry: &FieldEntry, spec: &Spec) -> Result<(), DialectError> {
    match sensitive {
        Sensitivity::Emv if entry.format != Format::B => {
            Err(wrong_field(entry.number, "sensitive = \"emv\" is for format b"))
        }
        Sensitivity::Text if spec.form == Form::Packed => {
            Err(wrong_field(entry.number, "sensitive = \"text\" is for fields whose unit is the byte"))
        }
        Sensitivity::Pan | Sensitivity::Track if entry.format == Format::B => {
            Err(wrong_field(entry.number, "sensitive = \"pan\" or \"track\" is not for format b"))
        }
        _ => Ok(()),
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
