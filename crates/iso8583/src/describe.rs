//! A message in words, masked: the only text of a message that this crate makes.

use std::fmt;

use crate::dialect_file::Sensitivity;
use crate::message::Message;
use crate::nodes::Node;
use crate::show::{self, Shown};
use crate::spec::Content;

/// A message in words; see [`Message::describe`].
pub struct Description<'m, 'a> {
    message: &'m Message<'a>,
}

impl<'a> Message<'a> {
    /// The message in words, one line a field: number, names, value; sub-fields, parts and chip data
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
        let node = self.nodes().into_iter().find(|node| node.id == number.to_string())?;
        if info.sensitivity(self.mti()) != Sensitivity::Emv {
            return Some(readable(&node.value));
        }
        let objects: Vec<String> = node.nodes.iter().map(|one| format!("{}: {}", one.id, one.value.as_str())).collect();
        Some(if objects.is_empty() { show::hidden(self.value(number)?.len()) } else { objects.join(", ") })
    }

    /// The parts of the header, by name, as people may see them.
    #[must_use]
    pub fn header_values(&self) -> Vec<(String, Shown)> {
        let parts = self.dialect().header.parts.iter();
        parts
            .filter_map(|info| {
                let content = if info.part.binary { Content::Binary } else { Content::Text };
                Some((info.name.clone(), show::plain(self.header(info.part)?, content)))
            })
            .collect()
    }
}

impl fmt::Display for Description<'_, '_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (message, dialect) = (self.message, self.message.dialect());
        writeln!(out, "{} {:04X}, {} bytes", dialect.id(), message.mti(), message.frame().len())?;
        for (info, (name, value)) in dialect.header.parts.iter().zip(message.header_values()) {
            writeln!(out, "  {name} {} {}: {}", info.en, info.zh, value.as_str())?;
        }
        message.nodes().iter().try_for_each(|node| field(out, message, node))
    }
}

impl fmt::Debug for Description<'_, '_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}

fn field(out: &mut fmt::Formatter<'_>, message: &Message<'_>, node: &Node) -> fmt::Result {
    write!(out, "  F{} {} {}: ", node.id, node.en, node.zh)?;
    let number = node.id.parse().unwrap_or(0);
    let info = message.dialect().field(number);
    if info.is_some_and(|info| info.sensitivity(message.mti()) == Sensitivity::Emv) {
        writeln!(out, "{} bytes", node.range.len())?;
    } else {
        writeln!(out, "{}", readable(&node.value))?;
    }
    node.nodes.iter().try_for_each(|part| self::part(out, part, 3))
}

fn part(out: &mut fmt::Formatter<'_>, node: &Node, depth: usize) -> fmt::Result {
    let names = [&node.id, &node.en, &node.zh];
    let names: Vec<&str> = names.into_iter().map(String::as_str).filter(|name| !name.is_empty()).collect();
    writeln!(out, "{:indent$}{}: {}", "", names.join(" "), node.value.as_str(), indent = depth * 2)?;
    node.nodes.iter().try_for_each(|node| part(out, node, depth + 1))
}

/// Bytes that happen to be ASCII text are shown as text.
fn readable(value: &Shown) -> String {
    let Shown::Hex(hex) = value else {
        return value.as_str().to_owned();
    };
    let (pairs, _) = hex.as_bytes().as_chunks::<2>();
    let text: Option<String> = pairs
        .iter()
        .map(|pair| {
            let byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
            (0x20..0x7F).contains(&byte).then_some(char::from(byte))
        })
        .collect();
    text.filter(|text| !text.is_empty()).unwrap_or_else(|| hex.clone())
}
