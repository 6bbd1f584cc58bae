//! From the text form of a dialect to its compiled form, with every check a file needs.

use crate::bitmap::BitmapForm;
use crate::compile_field;
use crate::dialect::{
    Bitmap, CodeTable, Dialect, FieldInfo, Header, HeaderCheck, HeaderPart, HeaderPartInfo, MacPlace, Matching, Mti,
    Reversal, SubField,
};
use crate::dialect_file::{
    BitmapEntry, DialectFile, EmvEntry, Encoding, HeaderEntry, HeaderForm, KeyEntry, MacEntry, MandatoryEntry,
    MtiEntry, Sensitivity, StreamEntry, ThirdPlace,
};
use crate::ebcdic::Page;
use crate::error::DialectError;
use crate::message::FieldSet;
use crate::spec::{Form, Spec};
use crate::stream::Stream;
use crate::tlv::TagSet;

pub(crate) fn dialect(file: DialectFile) -> Result<Dialect, DialectError> {
    let page = file.encoding.page;
    let header = header(file.header, page)?;
    let bitmap = bitmap(&file.bitmap, page)?;
    let mut table = [Spec::ABSENT; 193];
    let mut fields: Vec<FieldInfo> = Vec::with_capacity(file.field.len());
    let mut sensitive = FieldSet::default();
    for entry in file.field {
        let (info, spec) = compile_field::field(entry, &file.encoding, &bitmap)?;
        let hides = info.sensitive != Sensitivity::None || info.when.iter().any(|(_, what)| *what != Sensitivity::None);
        if hides || info.structure.is_some() {
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
        zh: if file.dialect.zh.is_empty() { file.dialect.en.clone() } else { file.dialect.zh },
        id: file.dialect.id,
        en: file.dialect.en,
        revision: file.dialect.revision,
        header,
        mti: mti(&file.mti, page)?,
        bitmap,
        stream: file.stream.map(stream).transpose()?,
        table,
        sensitive,
        hidden_tags: hidden_tags(&file.emv)?,
        mandatory: mandatory(&file.mandatory, &fields)?,
        matching: matching(&file.matching, &fields, "match")?,
        reversal: Reversal {
            matching: matching(&file.reversal, &fields, "reversal")?,
            original: file
                .reversal
                .original
                .iter()
                .map(|path| sub_field(path, &fields, "reversal"))
                .collect::<Result<_, _>>()?,
            repeat: known(&file.reversal.repeat, &fields, "reversal")?,
        },
        mac: file.mac.as_ref().map(|entry| mac(entry, &fields)).transpose()?,
        codes: file.codes.map(|entry| CodeTable { id: entry.table, terminal_app: entry.terminal_app }),
        fields,
    })
}

pub(crate) fn wrong_field(number: u16, problem: impl Into<String>) -> DialectError {
    DialectError::Field { number, problem: problem.into() }
}

fn wrong(part: &'static str, problem: impl Into<String>) -> DialectError {
    DialectError::Part { part, problem: problem.into() }
}

fn mti(entry: &MtiEntry, page: Page) -> Result<Mti, DialectError> {
    if entry.versions.is_empty() || entry.versions.iter().any(|version| *version > 9) {
        return Err(wrong("mti", "versions must list first digits, each 0 to 9"));
    }
    let form = match entry.encoding {
        Encoding::Bcd => Form::Packed,
        Encoding::Ascii => Form::Bytes,
        Encoding::Ebcdic => Form::Ebcdic(page),
        Encoding::Hex => Form::Hex,
        _ => return Err(wrong("mti", "encoding must be bcd, ascii, ebcdic or hex")),
    };
    Ok(Mti { form, versions: entry.versions.iter().fold(0, |set, version| set | 1_u16 << version) })
}

/// How a bitmap is written.
pub(crate) fn bitmap_form(encoding: Encoding, page: Page) -> Option<BitmapForm> {
    match encoding {
        Encoding::Binary => Some(BitmapForm::Binary),
        Encoding::Hex => Some(BitmapForm::Hex(Form::Bytes)),
        Encoding::EbcdicHex => Some(BitmapForm::Hex(Form::Ebcdic(page))),
        _ => None,
    }
}

fn bitmap(entry: &BitmapEntry, page: Page) -> Result<Bitmap, DialectError> {
    let form = bitmap_form(entry.encoding, page)
        .ok_or_else(|| wrong("bitmap", "encoding must be binary, hex or ebcdic-hex"))?;
    let fixed_bytes = entry.fixed_bytes.unwrap_or(0);
    if !matches!(fixed_bytes, 0 | 8 | 16 | 24) {
        return Err(wrong("bitmap", "fixed_bytes must be 8, 16 or 24"));
    }
    Ok(Bitmap {
        form,
        secondary: entry.secondary || fixed_bytes >= 16,
        tertiary: entry.tertiary || fixed_bytes == 24,
        joined: entry.third == ThirdPlace::Joined && entry.tertiary,
        fixed_bytes,
    })
}

fn stream(entry: StreamEntry) -> Result<Stream, DialectError> {
    if !(1..=8).contains(&entry.bytes) {
        return Err(wrong("stream", "bytes must be 1 to 8"));
    }
    let prefix = compile_field::prefix(entry.length, entry.bytes)
        .ok_or_else(|| wrong("stream", "length must be binary, bcd, ascii, ebcdic or hex"))?;
    Ok(Stream { prefix, includes_itself: entry.includes_itself })
}

/// A message type of four digits.
pub(crate) fn message_type(text: &str) -> Option<u16> {
    let digits = text.len() == 4 && text.bytes().all(|byte| byte.is_ascii_digit());
    u16::from_str_radix(text, 16).ok().filter(|_| digits)
}

fn message_types(texts: &[String], part: &'static str) -> Result<Vec<u16>, DialectError> {
    let read = |text: &String| message_type(text).ok_or_else(|| wrong(part, format!("{text:?} must be four digits")));
    texts.iter().map(read).collect()
}

fn mandatory(entries: &[MandatoryEntry], fields: &[FieldInfo]) -> Result<Vec<(u16, FieldSet)>, DialectError> {
    let mut rows: Vec<(u16, FieldSet)> = Vec::new();
    for entry in entries {
        let needed = known(&entry.fields, fields, "mandatory")?;
        for mti in message_types(&entry.mti, "mandatory")? {
            if !rows.iter().any(|row| row.0 == mti) {
                rows.push((mti, FieldSet::default()));
            }
            let row = rows.iter_mut().find(|row| row.0 == mti);
            row.into_iter().for_each(|row| needed.iter().for_each(|number| row.1.insert(*number)));
        }
    }
    Ok(rows)
}

/// The numbers, when the dialect has them all.
fn known(numbers: &[u8], fields: &[FieldInfo], part: &'static str) -> Result<Vec<u8>, DialectError> {
    match numbers.iter().find(|number| !fields.iter().any(|field| field.number == **number)) {
        Some(number) => Err(wrong(part, format!("the dialect has no field {number}"))),
        None => Ok(numbers.to_vec()),
    }
}

fn matching(entry: &KeyEntry, fields: &[FieldInfo], part: &'static str) -> Result<Matching, DialectError> {
    Ok(Matching {
        fields: known(&entry.fields, fields, part)?,
        subs: entry.subs.iter().map(|path| sub_field(path, fields, part)).collect::<Result<_, _>>()?,
    })
}

/// A sub-field written as `60.batch`.
fn sub_field(path: &str, fields: &[FieldInfo], part: &'static str) -> Result<SubField, DialectError> {
    let found = path.split_once('.').and_then(|(number, name)| {
        let number: u8 = number.parse().ok()?;
        let field = fields.iter().find(|field| field.number == number)?;
        field.subs.iter().find(|sub| sub.name == name).map(|sub| sub.handle)
    });
    found.ok_or_else(|| wrong(part, format!("{path:?} is no sub-field of the dialect, such as \"60.batch\"")))
}

fn mac(entry: &MacEntry, fields: &[FieldInfo]) -> Result<MacPlace, DialectError> {
    Ok(MacPlace {
        profile: entry.profile,
        fields: known(&entry.field, fields, "mac")?,
        absent: message_types(&entry.absent, "mac")?,
    })
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

fn header(entries: Vec<HeaderEntry>, page: Page) -> Result<Header, DialectError> {
    let mut header = Header {
        length: 0,
        template: Vec::new(),
        parts: Vec::new(),
        checks: Vec::new(),
        tpdu: None,
        version: None,
        software_version: None,
    };
    let mut nibbles = 0;
    let mut values = Vec::new();
    for entry in entries {
        let value = entry.value.clone().or_else(|| entry.starts_with.first().cloned());
        values.push((entry.name.clone(), value));
        nibbles = header_part(&mut header, entry, nibbles, page)?;
    }
    if nibbles % 2 != 0 {
        let problem = "the header must end on a whole byte".into();
        return Err(DialectError::Part { part: "header", problem });
    }
    header.length = usize::from(nibbles / 2);
    header.tpdu = header.find("tpdu");
    header.version = header.find("version");
    header.software_version = header.find("software_version");
    header.template = vec![0; header.length];
    for (name, value) in values {
        fill_template(&mut header, &name, value.as_deref())?;
    }
    Ok(header)
}

/// Puts what a new frame gets into the template: what the file says, else zeros, or blanks in text.
fn fill_template(header: &mut Header, name: &str, value: Option<&str>) -> Result<(), DialectError> {
    let info = header.parts.iter().find(|info| info.name == name);
    let Some(part) = info.map(|info| info.part) else {
        return Ok(());
    };
    let value = value.unwrap_or_default();
    let content = match part.form {
        Form::Bytes if part.binary => header_value(value, HeaderForm::Binary),
        _ => Some(value.as_bytes().to_vec()),
    };
    let good = content.is_some_and(|content| part.put(&mut header.template, &content));
    if good { Ok(()) } else { Err(DialectError::Header { name: name.into(), problem: "value does not fit".into() }) }
}

/// Adds one part that begins at nibble `start`; gives the nibble behind it.
fn header_part(header: &mut Header, entry: HeaderEntry, start: u16, page: Page) -> Result<u16, DialectError> {
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
    let form = match entry.form {
        HeaderForm::Bcd => Form::Packed,
        HeaderForm::Ebcdic => Form::Ebcdic(page),
        HeaderForm::Binary | HeaderForm::Text => Form::Bytes,
    };
    header.parts.push(HeaderPartInfo {
        part: HeaderPart { at, units: entry.length, form, binary: entry.form == HeaderForm::Binary },
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
