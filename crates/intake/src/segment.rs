//! Closed segments of a gateway's journal: each record is one row.
//!
//! Frames between terminal and host become the same rows as captured ones; every other record is an event. The gateway
//! masks before it writes, so nothing is changed here: a frame that masking would still change is refused. A record
//! whose checksum is wrong is one reject and reading goes on behind it; where the lengths are lost, it goes on at the
//! next record whose checksum is right. Of a refused record the body is zeroed in the kept copy, so that reading the
//! copy refuses it again.

use onus_iso8583::Dialect;
use onus_model::{Instant, ResponseCode, Span, TerminalId};
use onus_reconcile::{Direction, Following, Frame, FrameFields, GatewayEvent, GatewayFact, Seen};
use std::collections::HashMap;

use crate::frame_fields::TerminalSide;
use crate::mask::{SHORTEST, next_card_number};
use crate::row::{Reject, Row, RowError, Sink};
use crate::tap::{GateAction, HEAD, MAGIC, Record, ReplyKind, VERSION, whole_body};

/// Which payment an exchange number of the segment means.
#[derive(Debug, Clone, Copy)]
struct Payment {
    tid: TerminalId,
    batch: u32,
    stan: u32,
}

/// Reads one segment.
#[derive(Default)]
pub(crate) struct SegmentReader {
    /// The magic was seen and the version is known.
    begun: bool,
    /// It is no segment that this program reads: everything is refused.
    refused: Option<String>,
    side: Option<TerminalSide>,
    payments: HashMap<u64, Payment>,
    /// While only what was open is repeated at the start: when the segment was begun, and the exchange repeated last.
    repeating: Option<(i64, u64)>,
}

impl SegmentReader {
    /// Whole records at the start of the bytes: up to the end of the last one whose checksum is right.
    pub(crate) fn whole_records(&self, bytes: &[u8]) -> usize {
        if self.refused.is_some() || (!self.begun && !bytes.starts_with(&MAGIC)) {
            return bytes.len();
        }
        let mut at = if self.begun { 0 } else { MAGIC.len() };
        let mut whole = 0;
        while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
            match whole_body(rest) {
                Ok(body) => {
                    at += HEAD + body.len();
                    whole = at;
                }
                Err(_) => match resumes(rest) {
                    Some(gap) => at += gap,
                    None => break,
                },
            }
        }
        whole
    }

    /// Reads a block of whole records, or the end of the file. Says whether anything was overwritten.
    pub(crate) fn block(&mut self, base: u64, bytes: &mut [u8], file_seq: u32, sink: &mut dyn Sink) -> bool {
        let mut masked = false;
        let mut at = 0;
        if !self.begun && self.refused.is_none() {
            if bytes.starts_with(&MAGIC) {
                (self.begun, at) = (true, MAGIC.len());
            } else {
                self.refused = Some("expected a segment that begins with ONUSTAP1".to_owned());
            }
        }
        while at < bytes.len() {
            let (taken, fault) = self.record(base + at as u64, bytes.get(at..).unwrap_or_default(), file_seq, sink);
            if let Some(error) = fault {
                sink.reject(Reject { line: None, offset: base + at as u64, len: taken as u64, error });
                // The head stays: with it, the zeros behind it are refused as one record again.
                let body = bytes.get_mut(at..at + taken).unwrap_or_default();
                let head = if self.refused.is_some() { 0 } else { HEAD.min(body.len()) };
                body.get_mut(head..).unwrap_or_default().fill(0);
                masked = true;
            }
            at += taken;
        }
        masked
    }

    /// Takes what stands at the start of the bytes: how many bytes that is, and what is wrong with them.
    fn record(&mut self, offset: u64, rest: &[u8], file_seq: u32, sink: &mut dyn Sink) -> (usize, Option<RowError>) {
        if let Some(why) = &self.refused {
            return (rest.len(), Some(fault("segment", "framing", why.clone())));
        }
        let body = match whole_body(rest) {
            Ok(body) => body,
            Err(error) => {
                let gap = resumes(rest);
                let code = if gap.is_some() { "framing" } else { "truncated" };
                return (gap.unwrap_or(rest.len()), Some(fault("record", code, error.to_string())));
            }
        };
        let taken = HEAD + body.len();
        let span = Span { file_seq, offset, len: u32::try_from(taken).unwrap_or(u32::MAX) };
        let read = Record::decode(body)
            .map_err(|error| fault("record", "value", error.to_string()))
            .and_then(|record| self.row(&record, span));
        match read {
            Ok(row) => {
                sink.accept(row);
                (taken, None)
            }
            // A segment of another version: what follows has other forms.
            Err(error) if self.refused.is_some() => (rest.len(), Some(error)),
            Err(error) => (taken, Some(error)),
        }
    }

    /// Whether it repeats what an earlier segment has: an open request, the reply that it had by then, and what was kept
    /// of it.
    fn repeats(&mut self, record: &Record<'_>) -> bool {
        let Some((begun_at, last)) = self.repeating else { return false };
        match *record {
            Record::Request { carried: true, exchange, .. } => {
                self.repeating = Some((begun_at, exchange));
                true
            }
            Record::Reply { exchange, received_at, .. } if exchange == last && received_at <= begun_at => true,
            Record::State { state: "", .. } => true,
            _ => {
                self.repeating = None;
                false
            }
        }
    }

    fn row(&mut self, record: &Record<'_>, span: Span) -> Result<Row, RowError> {
        check_words(record)?;
        let repeats = self.repeats(record);
        let event = |at: i64, exchange: u64, fact: GatewayFact| self.event(span, at, exchange, fact);
        Ok(match *record {
            Record::Segment { version, dialect, at, .. } => {
                self.begin(version, dialect)?;
                self.repeating = Some((at, 0));
                plain(span, at)
            }
            Record::Request { exchange, received_at, link, carried, frame, .. } => {
                let fields = self.frame(frame)?;
                let payment = Payment { tid: fields.tid, batch: fields.batch, stan: fields.stan };
                self.payments.insert(exchange, payment);
                if carried || repeats {
                    return Ok(plain(span, received_at));
                }
                Row::Frame(Frame {
                    span,
                    at: Instant(received_at),
                    direction: Direction::FromTerminal,
                    link,
                    seen: Seen::Tapped,
                    fields,
                })
            }
            Record::Reply { exchange, kind, link, received_at, frame, .. } => {
                let fields = self.frame(frame)?;
                let fact = match kind {
                    _ if repeats => GatewayFact::Other,
                    ReplyKind::InTime => {
                        return Ok(Row::Frame(Frame {
                            span,
                            at: Instant(received_at),
                            direction: Direction::ToTerminal,
                            link,
                            seen: Seen::Tapped,
                            fields,
                        }));
                    }
                    ReplyKind::Late => GatewayFact::LateReply(fields.rc),
                    ReplyKind::Duplicate => GatewayFact::Note,
                    ReplyKind::Unmatched => GatewayFact::Other,
                    ReplyKind::Reversal => GatewayFact::Reversal,
                };
                self.event(span, received_at, exchange, fact)
            }
            Record::Gate { action: GateAction::Refused, exchange, at, code, frame, .. } => {
                let fields = if frame.is_empty() { self.own_reply(exchange, code) } else { self.frame(frame)? };
                Row::Frame(Frame {
                    span,
                    at: Instant(at),
                    direction: Direction::ToTerminal,
                    link: 0,
                    seen: Seen::Gate,
                    fields,
                })
            }
            Record::Reversal { exchange, at, frame, .. } => {
                self.frame(frame)?;
                self.event(span, at, exchange, GatewayFact::Reversal)
            }
            Record::Undecodable { at, frame, .. } => {
                self.check_masked(frame)?;
                plain(span, at)
            }
            Record::Gate { exchange, at, .. } | Record::Repeated { exchange, at, .. } => {
                event(at, exchange, GatewayFact::Note)
            }
            Record::NoReply { exchange, at, .. } => event(at, exchange, GatewayFact::NoReply),
            Record::Undelivered { exchange, at, .. } => event(at, exchange, GatewayFact::Undelivered),
            // What is repeated at the start of a segment has no state.
            Record::State { state: "", at, .. }
            | Record::Connected { at, .. }
            | Record::Closed { at, .. }
            | Record::Delivered { at, .. }
            | Record::Link { at, .. }
            | Record::Alarm { at, .. }
            | Record::Stopped { at, .. } => plain(span, at),
            Record::State { exchange, at, state, .. } => event(at, exchange, GatewayFact::Step(following(state))),
        })
    }

    fn begin(&mut self, version: u16, dialect: &str) -> Result<(), RowError> {
        if version != VERSION {
            let why = format!("expected version {VERSION} of the tap format, found {version}");
            self.refused = Some(why.clone());
            return Err(fault("version", "framing", why));
        }
        let found = Dialect::builtin(dialect).and_then(TerminalSide::new);
        self.side = Some(found.map_err(|error| fault("dialect", "value", error.to_string()))?);
        Ok(())
    }

    /// The fields of a frame, which must be masked.
    fn frame(&self, frame: &[u8]) -> Result<FrameFields, RowError> {
        self.check_masked(frame)?;
        let side = self.side()?;
        let message = side.dialect().decode(frame).map_err(|error| {
            let field = error.field().map_or_else(|| "frame".to_owned(), |field| format!("F{field}"));
            fault(&field, "frame", error.to_string())
        })?;
        Ok(side.fields(&message))
    }

    fn check_masked(&self, frame: &[u8]) -> Result<(), RowError> {
        let dialect = self.side()?.dialect();
        let mut again = frame.to_vec();
        if dialect.mask_in_place(&mut again).is_err() {
            dialect.mask_undecodable(&mut again);
        }
        if again == frame {
            return Ok(());
        }
        let what = "expected a masked frame, found card data in it; is the file a journal of a gateway?";
        Err(fault("frame", "unmasked", what.to_owned()))
    }

    fn side(&self) -> Result<&TerminalSide, RowError> {
        let missing = || "expected the head of the segment, which names the dialect, before any frame".to_owned();
        self.side.as_ref().ok_or_else(|| fault("dialect", "framing", missing()))
    }

    /// The gateway's own reply when it could not write a frame for it.
    fn own_reply(&self, exchange: u64, code: [u8; 2]) -> FrameFields {
        let payment = self.payments.get(&exchange);
        FrameFields {
            mti: 210,
            tid: payment.map(|payment| payment.tid).unwrap_or_default(),
            stan: payment.map(|payment| payment.stan).unwrap_or_default(),
            rc: ResponseCode::new(&code).unwrap_or_default(),
            ..FrameFields::default()
        }
    }

    fn event(&self, span: Span, at: i64, exchange: u64, fact: GatewayFact) -> Row {
        let at = Instant(at);
        match self.payments.get(&exchange) {
            Some(Payment { tid, batch, stan }) => {
                Row::Gateway(GatewayEvent { span, at, tid: *tid, batch: *batch, stan: *stan, fact })
            }
            // Its request stands in an earlier segment and was settled there.
            None => plain(span, at.0),
        }
    }
}

fn plain(span: Span, at: i64) -> Row {
    let (tid, at) = (TerminalId::EMPTY, Instant(at));
    Row::Gateway(GatewayEvent { span, at, tid, batch: 0, stan: 0, fact: GatewayFact::Other })
}

/// A state of the gateway's follower by its fixed text form.
fn following(state: &str) -> Following {
    match state {
        "SENT" | "RELEASING" | "NO_RESPONSE" | "LATE_RESPONSE" | "REVERSAL_PENDING" => Following::Open,
        "REVERSED" => Following::Reversed,
        "ACQUIRER_REVERSED" | "CENTRE_REVERSED" | "REPLY_FAILED" => Following::ReversedBehind,
        "APPROVED" => Following::Approved,
        "DECLINED" => Following::Declined,
        "REVERSAL_UNCONFIRMED" => Following::Unconfirmed,
        "ONE_SIDED" => Following::OneSided,
        _ => Following::Settled,
    }
}

/// Words that came from outside must hold no card number.
fn check_words(record: &Record<'_>) -> Result<(), RowError> {
    let words: [&str; 3] = match *record {
        Record::Segment { dialect, gateway, .. } => [dialect, gateway, ""],
        Record::Connected { peer, .. } => [peer, "", ""],
        Record::Gate { rule, why, .. } => [rule, why, ""],
        Record::State { state, why, .. } => [state, why, ""],
        Record::Alarm { terminal, zh, en, .. } => [terminal, zh, en],
        Record::Closed { why, .. }
        | Record::Undelivered { why, .. }
        | Record::Undecodable { why, .. }
        | Record::NoReply { why, .. }
        | Record::Link { why, .. } => [why, "", ""],
        Record::Request { .. }
        | Record::Reply { .. }
        | Record::Delivered { .. }
        | Record::Reversal { .. }
        | Record::Stopped { .. }
        | Record::Repeated { .. } => return Ok(()),
    };
    if words.iter().any(|text| next_card_number(text.as_bytes(), 0, SHORTEST).is_some()) {
        return Err(fault("text", "unmasked", "expected words, found what may be a card number".to_owned()));
    }
    Ok(())
}

/// How many bytes stand before the next record whose checksum is right. A wrong length is not believed: it could lead
/// past good records.
fn resumes(bytes: &[u8]) -> Option<usize> {
    let good = |at: &usize| bytes.get(*at..).is_some_and(|rest| whole_body(rest).is_ok());
    let length = bytes.get(..4).and_then(|head| head.try_into().ok()).map_or(0, u32::from_be_bytes);
    let told = HEAD.saturating_add(usize::try_from(length).unwrap_or(usize::MAX));
    // The last record of the bytes is whole, and its checksum is wrong.
    (1..bytes.len()).find(good).or((length > 0 && told == bytes.len()).then_some(told))
}

fn fault(field: &str, code: &'static str, detail: String) -> RowError {
    RowError { field: field.to_owned(), code, detail }
}
