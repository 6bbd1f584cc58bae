//! Messages as JSON and in words, masked.

use std::io::Write;

use onus_iso8583::{Message, Node, Place, Shown};
use serde_json::{Value, json};

use super::frames::{Fault, Frame};
use crate::Language;

/// An object that keeps the order of its keys: fields go by number, not by letter.
pub(super) struct Ordered(Vec<(String, String)>);

impl Ordered {
    pub(super) fn new() -> Ordered {
        Ordered(Vec::new())
    }

    /// Adds a key. A key that is there already (a tag that comes twice) gets `#2`, `#3`.
    pub(super) fn put(&mut self, key: &str, value: impl std::fmt::Display) {
        let times = self.0.iter().filter(|(other, _)| other.split('#').next() == Some(key)).count();
        let key = if times == 0 { key.to_owned() } else { format!("{key}#{}", times + 1) };
        self.0.push((key, value.to_string()));
    }

    pub(super) fn text(&mut self, key: &str, value: &str) {
        self.put(key, Value::from(value));
    }
}

impl std::fmt::Display for Ordered {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("{")?;
        for (index, (key, value)) in self.0.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            write!(out, "{comma}{}:{value}", Value::from(key.as_str()))?;
        }
        out.write_str("}")
    }
}

fn position(frame: &Frame) -> Ordered {
    let mut object = Ordered::new();
    object.put("index", frame.index);
    if let Some(line) = frame.line {
        object.put("line", line);
    }
    object.put("offset", frame.offset);
    object
}

/// A message as one JSON object.
pub(super) fn message(frame: &Frame, message: &Message<'_>) -> Ordered {
    let mut object = position(frame);
    object.put("length", message.frame().len());
    content(&mut object, message);
    object
}

/// Message type, header and fields.
pub(super) fn content(object: &mut Ordered, message: &Message<'_>) {
    object.text("dialect", message.dialect().id());
    object.text("mti", &format!("{:04X}", message.mti()));
    let mut header = Ordered::new();
    for (name, value) in message.header_values() {
        let mut part = Ordered::new();
        put_value(&mut part, &value);
        header.put(&name, part);
    }
    object.put("header", header);
    let mut fields = Ordered::new();
    for node in message.nodes() {
        fields.put(&node.id, field(&node));
    }
    object.put("fields", fields);
}

fn put_value(object: &mut Ordered, value: &Shown) {
    object.text("value", value.as_str());
    if matches!(value, Shown::Hex(_)) {
        object.put("hex", true);
    }
}

fn field(node: &Node) -> Ordered {
    let mut object = Ordered::new();
    if !node.en.is_empty() {
        object.text("name_en", &node.en);
        object.text("name_zh", &node.zh);
    }
    put_value(&mut object, &node.value);
    if node.masked {
        object.put("masked", true);
    }
    if !node.nodes.is_empty() {
        let mut sub = Ordered::new();
        for node in &node.nodes {
            sub.put(&node.id, field(node));
        }
        object.put("sub", sub);
    }
    object
}

/// Why a frame was not read, as one JSON object.
pub(super) fn fault(frame: &Frame, fault: &Fault) -> Ordered {
    let mut object = position(frame);
    let error = match fault {
        Fault::NotHex { column, found } => json!({
            "offset": column, "place": "line", "code": "not-hex-text", "expected": "pairs of hexadecimal digits",
            "found": found,
        }),
        Fault::NotFramed { left } => json!({
            "offset": 0, "place": "length before the frame", "code": "not-framed",
            "expected": "a length and as many bytes behind it", "found": format!("{left} bytes that are no such frame"),
        }),
        Fault::Decode(error) => {
            let place = match &error.place {
                Place::Frame => "frame".to_owned(),
                other => other.to_string(),
            };
            json!({
                "offset": error.offset, "place": place, "field": error.field(), "code": error.problem.code(),
                "expected": error.problem.expected(), "found": error.problem.found(),
            })
        }
    };
    object.put("error", error);
    object
}

/// A message for people: one line a field.
pub(super) fn words(frame: &Frame, message: &Message<'_>, lang: Language, out: &mut dyn Write) -> std::io::Result<()> {
    let zh = lang == Language::Zh;
    let dialect = message.dialect();
    let (name, bytes) = if zh { (dialect.zh(), "字节") } else { (dialect.en(), "bytes") };
    writeln!(out, "#{} {:04X}  {name}, {} {bytes}", frame.index, message.mti(), message.frame().len())?;
    for (name, value) in message.header_values() {
        writeln!(out, "  {:>7}  {name}: {}", "", value.as_str())?;
    }
    message.nodes().iter().try_for_each(|node| line(node, zh, 0, out))
}

fn line(node: &Node, zh: bool, depth: usize, out: &mut dyn Write) -> std::io::Result<()> {
    let name = if zh { &node.zh } else { &node.en };
    let indent = "  ".repeat(depth + 1);
    let stop = if name.is_empty() { "" } else { ": " };
    writeln!(out, "{indent}{:>7}  {name}{stop}{}", node.id, node.value.as_str())?;
    node.nodes.iter().try_for_each(|node| line(node, zh, depth + 1, out))
}
