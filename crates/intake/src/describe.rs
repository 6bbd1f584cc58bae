//! A stored row as names and values, for showing it beside the others.

use csv::ReaderBuilder;
use onus_iso8583::Dialect;

use crate::clearing::zm_columns;
use crate::file_kind::FileKind;
use crate::tap::{GateAction, HEAD, MAGIC, Record, ReplyKind};

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
        Self::named(name, name, name, value)
    }

    fn named(name: &str, zh: &str, en: &str, value: &str) -> Self {
        Self { name: name.to_owned(), zh: zh.to_owned(), en: en.to_owned(), value: value.to_owned() }
    }
}

/// Names and values of one row as it stands in the kept copy. `header` is the first line of a delimited file, or the
/// first bytes of a gateway's segment.
#[must_use]
pub fn describe_row(kind: FileKind, header: &[u8], row: &[u8]) -> Vec<NamedValue> {
    match kind {
        FileKind::Switch => describe_frame(row),
        FileKind::Tap => describe_record(header, row),
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
    named.extend(describe_message(dialect, frame));
    named
}

/// Type and fields of a message, masked.
fn describe_message(dialect: &Dialect, frame: &[u8]) -> Vec<NamedValue> {
    let Ok(message) = dialect.decode(frame) else { return Vec::new() };
    let mut named = vec![NamedValue::named("MTI", "消息类型", "message type", &format!("{:04x}", message.mti()))];
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

/// A record of a gateway's journal.
fn describe_record(header: &[u8], row: &[u8]) -> Vec<NamedValue> {
    let Ok(record) = Record::read(row) else { return Vec::new() };
    let (zh, en) = event_words(&record);
    let mut named = vec![NamedValue {
        name: "event".to_owned(),
        zh: format!("网关：{zh}"),
        en: format!("gateway: {en}"),
        value: en.to_owned(),
    }];
    let mut say = |name: &str, zh: &str, en: &str, value: &str| {
        if !value.is_empty() {
            named.push(NamedValue::named(name, zh, en, value));
        }
    };
    match record {
        Record::Gate { rule, why, code, .. } => {
            say("rule", "规则", "rule", rule);
            say(
                "code",
                "网关应答码",
                "code of the gateway",
                std::str::from_utf8(&code).unwrap_or_default().trim_matches('\0'),
            );
            say("why", "原因", "why", why);
        }
        Record::State { state, attempt, why, .. } => {
            say("state", "跟踪状态", "state", state);
            say("attempt", "已发冲正次数", "reversals sent", &attempt.to_string());
            say("why", "原因", "why", why);
        }
        Record::Reversal { attempt, .. } => say("attempt", "第几次冲正", "attempt", &attempt.to_string()),
        Record::NoReply { why, .. } | Record::Undelivered { why, .. } | Record::Undecodable { why, .. } => {
            say("why", "原因", "why", why);
        }
        _ => {}
    }
    let frame = record.frame().unwrap_or_default();
    if let Ok(dialect) = segment_dialect(header) {
        // A state or an alarm has no frame, and an empty one is no message.
        named.extend(describe_message(dialect, frame));
    }
    named
}

/// The dialect that the head of a segment names.
fn segment_dialect(header: &[u8]) -> Result<&'static Dialect, onus_iso8583::DialectError> {
    let head = header.get(MAGIC.len()..).unwrap_or_default();
    let length = head.get(..4).and_then(|bytes| bytes.try_into().ok()).map_or(0, u32::from_be_bytes);
    let whole = HEAD.saturating_add(usize::try_from(length).unwrap_or(usize::MAX));
    match head.get(..whole).map(Record::read) {
        Some(Ok(Record::Segment { dialect, .. })) => Dialect::builtin(dialect),
        _ => Dialect::builtin("unionpay-pos"),
    }
}

/// What a record says, in Chinese and English.
fn event_words(record: &Record<'_>) -> (&'static str, &'static str) {
    match record {
        Record::Segment { .. } => ("日志段开始", "segment begun"),
        Record::Connected { .. } => ("终端连接", "connected"),
        Record::Closed { .. } => ("连接关闭", "connection closed"),
        Record::Request { .. } => ("终端请求", "request of the terminal"),
        Record::Reply { kind: ReplyKind::InTime, .. } => ("主机应答", "reply of the host"),
        Record::Reply { kind: ReplyKind::Late, .. } => ("主机迟到应答", "late reply of the host"),
        Record::Reply { kind: ReplyKind::Duplicate, .. } => ("主机重复应答", "duplicate reply of the host"),
        Record::Reply { kind: ReplyKind::Unmatched, .. } => ("主机应答无对应请求", "unmatched reply of the host"),
        Record::Reply { kind: ReplyKind::Reversal, .. } => {
            ("主机对网关冲正的应答", "host's answer to the gateway's reversal")
        }
        Record::Delivered { .. } => ("应答已送达", "reply delivered"),
        Record::Undelivered { .. } => ("应答未送达", "reply not delivered"),
        Record::Gate { action: GateAction::Refused, .. } => {
            ("网关拒绝并自行应答", "refused and answered by the gateway")
        }
        Record::Gate { action: GateAction::PassedOpen, .. } => ("无法核对，放行", "let pass although a rule spoke"),
        Record::Undecodable { .. } => ("无法解析的报文", "frame that does not decode"),
        Record::NoReply { .. } => ("主机超时未应答", "no reply of the host in time"),
        Record::State { .. } => ("跟踪状态变化", "step of the follower"),
        Record::Reversal { .. } => ("网关发出冲正", "reversal sent by the gateway"),
        Record::Link { .. } => ("主机连接变化", "connection to a host changed"),
        Record::Alarm { .. } => ("告警", "alarm"),
        Record::Stopped { .. } => ("网关停止", "gateway stopped"),
        Record::Repeated { .. } => ("终端重发请求", "request sent again"),
    }
}
