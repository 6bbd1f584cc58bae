//! Messages from JSON.

use std::io::Write;

use anyhow::{Context, Result, bail};
use onus_iso8583::{Dialect, Input, Shown};

use super::Bytes;
use super::framing::Framing;
use super::json::Json;

/// Writes every message of a JSON text: objects one after another, or an array of them.
pub(super) fn encode(
    dialect: &Dialect,
    framing: Option<Framing>,
    output: Bytes,
    text: &[u8],
    out: &mut impl Write,
) -> Result<()> {
    let mut count = 0;
    for value in serde_json::Deserializer::from_slice(text).into_iter::<Json>() {
        let value = value.context("the input is no JSON as `onus iso decode` prints it")?;
        let messages = if let Json::Array(messages) = value { messages } else { vec![value] };
        for value in messages {
            let frame = message(dialect, &value).with_context(|| format!("message {count}"))?;
            let frame = framed(framing, frame)?;
            match output {
                Bytes::Hex => writeln!(out, "{}", frame.iter().map(|byte| format!("{byte:02X}")).collect::<String>())?,
                Bytes::Raw => out.write_all(&frame)?,
            }
            count += 1;
        }
    }
    anyhow::ensure!(
        count > 0,
        "there is no message in the input; give JSON such as {{\"mti\": \"0800\", \"fields\": {{}}}}"
    );
    Ok(())
}

/// A frame behind its length, where there is one.
pub(super) fn framed(framing: Option<Framing>, frame: Vec<u8>) -> Result<Vec<u8>> {
    let Some(framing) = framing else {
        return Ok(frame);
    };
    let mut out = Vec::with_capacity(frame.len() + framing.prefix_len());
    anyhow::ensure!(framing.write(frame.len(), &mut out), "a length of {} does not fit before the frame", frame.len());
    out.extend(frame);
    Ok(out)
}

/// The bytes of one message.
pub(super) fn message(dialect: &Dialect, value: &Json) -> Result<Vec<u8>> {
    anyhow::ensure!(value.get("error").is_none(), "it is a fault, not a message; take it out");
    let mti = value.get("mti").and_then(Json::text).context("mti is missing: four digits such as \"0200\"")?;
    let mti = u16::from_str_radix(mti, 16).ok().filter(|_| mti.len() == 4).context("mti must be four digits")?;
    let mut header = Vec::new();
    for (name, value) in entries(value.get("header"), "header")? {
        header.push((name.clone(), shown(value, &format!("header {name}"))?));
    }
    let fields = inputs(entries(value.get("fields"), "fields")?, "field ")?;
    let mut frame = Vec::new();
    dialect.encode_inputs(mti, &header, &fields, &mut frame)?;
    Ok(frame)
}

fn entries<'v>(value: Option<&'v Json>, place: &str) -> Result<&'v [(String, Json)]> {
    match value {
        None | Some(Json::Nothing) => Ok(&[]),
        Some(Json::Object(entries)) => Ok(entries),
        Some(_) => bail!("{place} must be an object"),
    }
}

fn inputs(entries: &[(String, Json)], place: &str) -> Result<Vec<Input>> {
    let input = |(key, value): &(String, Json)| {
        let at = format!("{place}{key}");
        // A tag that comes twice is printed as 9F10 and 9F10#2.
        let id = key.split('#').next().unwrap_or(key).to_owned();
        let parts = self::entries(value.get("sub"), &format!("{at}, sub"))?;
        let parts = inputs(parts, &format!("{at}."))?;
        let value = if parts.is_empty() { Some(shown(value, &at)?) } else { None };
        Ok(Input { id, value, parts })
    };
    entries.iter().map(input).collect()
}

/// A value: a text, or an object with one.
fn shown(value: &Json, place: &str) -> Result<Shown> {
    let text = value.text().or_else(|| value.get("value")?.text());
    let text = text.with_context(|| format!("{place}: give a text, or an object with value"))?.to_owned();
    let says = |key: &str| value.get(key) == Some(&Json::Flag(true));
    anyhow::ensure!(!says("masked") || !text.contains('*'), "{place} is masked; give its whole value, or leave it out");
    Ok(if says("hex") { Shown::Hex(text) } else { Shown::Text(text) })
}
