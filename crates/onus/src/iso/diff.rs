//! Two messages, field by field.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

use anyhow::{Context, Result};
use onus_iso8583::{Dialect, Message, Node};
use serde_json::json;

use super::Layout;
use super::frames::{self, Frames};
use super::framing::Framing;
use crate::{FINDINGS, OK};

/// What is shown of a value, and the bytes themselves.
type Leaf = (String, Vec<u8>);

pub(super) fn diff(dialect: &Dialect, left: &str, right: &str, format: Layout, out: &mut impl Write) -> Result<u8> {
    let (left, right) = (frame(dialect, left)?, frame(dialect, right)?);
    let (left, right) = (
        dialect.decode(&left).context("the left message could not be read")?,
        dialect.decode(&right).context("the right message could not be read")?,
    );
    let (before, after) = (leaves(&left), leaves(&right));
    let mut found = 0;
    let places = before.keys().chain(after.keys().filter(|place| !before.contains_key(*place)));
    let mut places: Vec<&String> = places.collect();
    places.sort_by_key(|place| sort_key(place));
    for place in places {
        let (one, other) = (before.get(place), after.get(place));
        if one.map(|leaf| &leaf.1) == other.map(|leaf| &leaf.1) {
            continue;
        }
        found += 1;
        let show = |leaf: Option<&Leaf>| leaf.map(|(text, _)| text.clone());
        let (one, other) = (show(one), show(other));
        if format == Layout::Json {
            let hidden = one == other;
            writeln!(out, "{}", json!({"place": place, "left": one, "right": other, "hidden": hidden}))?;
            continue;
        }
        let note = if one == other { "  (they differ in what is hidden)" } else { "" };
        let text = |value: Option<String>| value.unwrap_or_else(|| "-".into());
        writeln!(out, "{place}\n  < {}\n  > {}{note}", text(one), text(other))?;
    }
    Ok(if found > 0 { FINDINGS } else { OK })
}

/// A message's bytes: of a file, or given in hexadecimal.
fn frame(dialect: &Dialect, given: &str) -> Result<Vec<u8>> {
    if Path::new(given).is_file() {
        let content = frames::read_file(Path::new(given))?;
        let framing = dialect.stream().map(Framing::Dialect);
        let mut messages = Frames::of(&content, None, framing, false, dialect).frames.into_iter();
        let first = messages.find_map(|frame| frame.bytes.ok());
        return first.with_context(|| format!("{given} holds no message"));
    }
    frames::unhex(given).ok().filter(|bytes| !bytes.is_empty()).with_context(|| {
        let start: String = given.chars().take(8).collect();
        format!("{start:?}… is neither a file nor a message in hexadecimal")
    })
}

/// Numbers by their worth, names behind them.
fn sort_key(place: &str) -> (u8, Vec<(u32, String)>) {
    let class = match place {
        "mti" => 0,
        _ if place.starts_with("header.") => 1,
        _ => 2,
    };
    (class, place.split('.').map(|one| (one.parse().unwrap_or(u32::MAX), one.to_owned())).collect())
}

fn leaves(message: &Message<'_>) -> BTreeMap<String, Leaf> {
    let mti = format!("{:04X}", message.mti());
    let mut found = BTreeMap::from([("mti".to_owned(), (mti.clone(), mti.into_bytes()))]);
    for (name, value) in message.header_values() {
        let text = value.as_str().to_owned();
        found.insert(format!("header.{name}"), (text.clone(), text.into_bytes()));
    }
    for node in message.nodes() {
        add(&node, "", message.frame(), &mut found);
    }
    found
}

fn add(node: &Node, before: &str, frame: &[u8], found: &mut BTreeMap<String, Leaf>) {
    let place = format!("{before}{}", node.id);
    if !node.nodes.is_empty() {
        node.nodes.iter().for_each(|node| add(node, &format!("{place}."), frame, found));
        return;
    }
    let text = node.value.as_str().to_owned();
    let bytes = frame.get(node.range.clone()).filter(|bytes| !bytes.is_empty());
    let bytes = bytes.map_or_else(|| text.clone().into_bytes(), <[u8]>::to_vec);
    found.insert(place, (text, bytes));
}
