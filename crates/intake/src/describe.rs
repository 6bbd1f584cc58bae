//! A stored row as names and values, for showing it beside the others.

use csv::ReaderBuilder;
use onus_iso8583::Dialect;

use crate::clearing::zm_columns;
use crate::file_kind::FileKind;

/// A named value of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedValue {
    /// Column, or field such as `F39`.
    pub name: String,
    /// Chinese name where it differs.
    pub zh: String,
    /// English name where it differs.
    pub en: String,
    /// The value, masked.
    pub value: String,
}

impl NamedValue {
    fn plain(name: &str, value: &str) -> Self {
        Self { name: name.to_owned(), zh: name.to_owned(), en: name.to_owned(), value: value.to_owned() }
    }
}

/// Names and values of one row as it stands in the kept copy. `header` is the first line of a delimited file.
#[must_use]
pub fn describe_row(kind: FileKind, header: &[u8], row: &[u8]) -> Vec<NamedValue> {
    match kind {
        FileKind::Switch => describe_frame(row),
        FileKind::ClearingZm => {
            let text = |value: &[u8]| encoding_rs::GBK.decode(value).0.trim().to_owned();
            zm_columns(row)
                .map(|(name, value)| NamedValue::plain(name, &text(value)))
                .filter(|named| !named.value.is_empty())
                .collect()
        }
        FileKind::Claims => describe_json(row),
        _ => describe_csv(header, row),
    }
}

fn describe_csv(header: &[u8], row: &[u8]) -> Vec<NamedValue> {
    let record = |line: &[u8]| {
        ReaderBuilder::new()
            .has_headers(false)
            .from_reader(line)
            .byte_records()
            .next()
            .and_then(Result::ok)
            .unwrap_or_default()
    };
    let (names, values) = (record(header), record(row));
    let text = |field: &[u8]| String::from_utf8_lossy(field).into_owned();
    names.iter().zip(values.iter()).map(|(name, value)| NamedValue::plain(&text(name), &text(value))).collect()
}

fn describe_json(row: &[u8]) -> Vec<NamedValue> {
    let object: serde_json::Map<String, serde_json::Value> = serde_json::from_slice(row).unwrap_or_default();
    let text = |value: &serde_json::Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    object.iter().map(|(name, value)| NamedValue::plain(name, &text(value))).collect()
}

fn describe_frame(record: &[u8]) -> Vec<NamedValue> {
    let (Some(direction), Some(frame)) = (record.get(8), record.get(13..)) else { return Vec::new() };
    let id = if *direction < 2 { "unionpay-pos" } else { "unionpay-network" };
    let Ok(dialect) = Dialect::builtin(id) else { return Vec::new() };
    let way = match direction {
        0 => ("终端 → 收单", "terminal → acquirer"),
        1 => ("收单 → 终端", "acquirer → terminal"),
        2 => ("收单 → 网络", "acquirer → network"),
        _ => ("网络 → 收单", "network → acquirer"),
    };
    let link = record
        .get(9..11)
        .map(|bytes| bytes.iter().fold(0u32, |sum, byte| sum * 256 + u32::from(*byte)))
        .unwrap_or_default();
    let mut named = vec![
        NamedValue {
            name: "direction".to_owned(),
            zh: format!("方向：{}", way.0),
            en: format!("direction: {}", way.1),
            value: way.1.to_owned(),
        },
        NamedValue { name: "link".to_owned(), zh: "链路".to_owned(), en: "link".to_owned(), value: link.to_string() },
    ];
    let Ok(message) = dialect.decode(frame) else { return named };
    named.push(NamedValue {
        name: "MTI".to_owned(),
        zh: "消息类型".to_owned(),
        en: "message type".to_owned(),
        value: format!("{:04x}", message.mti()),
    });
    for field in dialect.fields() {
        if let Some(value) = message.masked(field.number) {
            named.push(NamedValue {
                name: format!("F{}", field.number),
                zh: field.zh.clone(),
                en: field.en.clone(),
                value: value.to_string(),
            });
        }
    }
    named
}
