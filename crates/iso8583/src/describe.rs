//! A message in words, masked: the only text of a message that this crate makes.

use std::fmt;

use crate::dialect::{Dialect, FieldInfo};
use crate::dialect_file::Sensitivity;
use crate::message::Message;
use crate::spec::Content;
use crate::tlv;
use crate::value::{Shown, Value};

/// A message in words; see [`Message::describe`].
pub struct Description<'m, 'a> {
    message: &'m Message<'a>,
}

impl<'a> Message<'a> {
    /// The message in words, one line a field: number, names, value; sub-fields and chip data
    /// below it. Everything that masking removes is shown as stars.
    #[must_use]
    pub fn describe(&self) -> Description<'_, 'a> {
        Description { message: self }
    }

    /// The value of a field as people may see it: digits, text (GBK is read), or bytes in
    /// hexadecimal; everything that masking removes is shown as stars.
    #[must_use]
    pub fn masked(&self, number: u8) -> Option<String> {
        let info = self.dialect().field(number).filter(|_| self.has(number))?;
        let mut frame = self.frame().to_vec();
        self.dialect().mask_in_place(&mut frame).ok()?;
        let masked = self.dialect().decode(&frame).ok()?;
        Some(shown(&masked, info, masked.value(number)?))
    }
}

impl fmt::Display for Description<'_, '_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let dialect = self.message.dialect();
        // What is written comes from a masked copy, so that a slip here cannot show more.
        let mut frame = self.message.frame().to_vec();
        dialect.mask_in_place(&mut frame).map_err(|_| fmt::Error)?;
        let masked = dialect.decode(&frame).map_err(|_| fmt::Error)?;
        writeln!(out, "{} {:04X}, {} bytes", dialect.id(), masked.mti(), frame.len())?;
        for part in &dialect.header.parts {
            if let Some(value) = masked.header(part.part) {
                let content = if part.binary { Content::Binary } else { Content::Text };
                let text = if part.binary { hex(value.text().unwrap_or_default()) } else { plain(value, content) };
                writeln!(out, "  {} {} {}: {text}", part.name, part.en, part.zh)?;
            }
        }
        for number in masked.fields().iter() {
            if let (Some(info), Some(value)) = (dialect.field(number), masked.value(number)) {
                field(out, &masked, info, value)?;
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Description<'_, '_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}

fn field(out: &mut fmt::Formatter<'_>, masked: &Message<'_>, info: &FieldInfo, value: Value<'_>) -> fmt::Result {
    write!(out, "  F{} {} {}: ", info.number, info.en, info.zh)?;
    let sensitivity = info.sensitivity(masked.mti());
    if sensitivity == Sensitivity::Emv {
        writeln!(out, "{} bytes", value.len())?;
        let objects = chip_objects(masked.dialect(), value.text().unwrap_or_default());
        return objects.iter().try_for_each(|object| writeln!(out, "      {object}"));
    }
    writeln!(out, "{}", shown(masked, info, value))?;
    if !matches!(sensitivity, Sensitivity::None | Sensitivity::Text) {
        return Ok(());
    }
    let content = masked.dialect().spec(info.number).content;
    for sub in &info.subs {
        if let Some(part) = masked.sub(sub.handle) {
            writeln!(out, "      {} {} {}: {}", sub.name, sub.en, sub.zh, plain(part, content))?;
        }
    }
    Ok(())
}

/// A value of a masked message in one line.
fn shown(masked: &Message<'_>, info: &FieldInfo, value: Value<'_>) -> String {
    let content = masked.dialect().spec(info.number).content;
    match info.sensitivity(masked.mti()) {
        Sensitivity::None | Sensitivity::Text => plain(value, content),
        Sensitivity::Pan => stars(&plain(value, content)),
        Sensitivity::Track => track_stars(&plain(value, content)),
        Sensitivity::Pin | Sensitivity::Key | Sensitivity::Personal => hidden(value.len()),
        Sensitivity::Emv => match chip_objects(masked.dialect(), value.text().unwrap_or_default()) {
            objects if objects.is_empty() => hidden(value.len()),
            objects => objects.join(", "),
        },
    }
}

fn hidden(units: usize) -> String {
    format!("*** ({units} hidden)")
}

/// The objects of chip data that are masked already.
fn chip_objects(dialect: &Dialect, masked: &[u8]) -> Vec<String> {
    let mut walk = tlv::Walk::new(masked);
    std::iter::from_fn(|| walk.next(masked)?.ok())
        .map(|(tag, value)| match masked.get(value).unwrap_or_default() {
            value if dialect.hidden_tags.contains(tag) => {
                format!("{tag:02X}: {}", hidden(value.len()))
            }
            value => format!("{tag:02X}: {}", hex(value)),
        })
        .collect()
}

/// Digits as digits, text as text, bytes that are neither in hexadecimal.
fn plain(value: Value<'_>, content: Content) -> String {
    let Some(bytes) = value.text() else {
        return value.digits().map(|digits| digits.to_string()).unwrap_or_default();
    };
    let printable = |text: &str| !text.chars().any(|character| character.is_control() || character == '\u{FFFD}');
    let text = match std::str::from_utf8(bytes) {
        Ok(text) if bytes.is_ascii() => Some(text.into()),
        _ if content == Content::Text => encoding_rs::GBK.decode_without_bom_handling_and_without_replacement(bytes),
        _ => None,
    };
    text.filter(|text| printable(text)).map_or_else(|| hex(bytes), Into::into)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02X}")).collect()
}

/// A card number with stars where masking put zeros.
fn stars(number: &str) -> String {
    let length = number.chars().count();
    let shown = Shown::of(length);
    let star = |(index, digit)| {
        if shown.hides(index, length) { '*' } else { digit }
    };
    number.chars().enumerate().map(star).collect()
}

/// A track: its card number, then stars. Without a separator nothing but its first digits.
fn track_stars(track: &str) -> String {
    let Some((number, rest)) = track.split_once('=') else {
        let first = Shown::of(track.len()).hidden(track.len()).start;
        return track.char_indices().map(|(at, digit)| if at < first { digit } else { '*' }).collect();
    };
    let rest = rest.chars().map(|digit| if digit == '=' { '=' } else { '*' });
    stars(number).chars().chain(['=']).chain(rest).collect()
}
