//! Captured ISO 8583 traffic: records of time, direction, link and frame; frames decoded by dialect.
//!
//! A record whose header makes no sense is skipped byte by byte until two records in a row make sense again; what was
//! skipped is one reject. Frames that do not decode are refused and their bytes zeroed in the kept copy, because
//! nobody can tell where a card number stands in them.

use onus_iso8583::{DecodeError, Dialect, DialectError, Digits, HeaderPart, Message, SubField};
use onus_model::{Code, Instant, MaskedPan, Span};
use onus_reconcile::{Direction, Frame, FrameFields};

use crate::row::{Reject, Row, RowError, Sink};

/// Bytes of a record before its frame.
const HEAD: usize = 13;
const SHORTEST_FRAME: usize = 20;
const LONGEST_FRAME: usize = 4096;
/// Two records of one capture are never farther apart than this; a jump means that the framing was lost.
const LARGEST_GAP_MICROS: u64 = 8 * 86_400 * 1_000_000;
/// 2000-01-01 and 2100-01-01 in microseconds: what a capture's clock can say.
const CLOCK: std::ops::Range<u64> = 946_684_800_000_000..4_102_444_800_000_000;

/// Decodes captured frames of both sides.
pub(crate) struct CaptureReader {
    terminal: &'static Dialect,
    network: &'static Dialect,
    batch: SubField,
    type_code: SubField,
    management: SubField,
    original_batch: SubField,
    original_trace: SubField,
    version: HeaderPart,
    reason: SubField,
    network_original_trace: SubField,
    network_original_time: SubField,
    last_at: Option<u64>,
}

#[derive(Clone, Copy)]
struct Head {
    at: u64,
    direction: Direction,
    link: u16,
    len: usize,
}

impl CaptureReader {
    pub(crate) fn new() -> Result<Self, DialectError> {
        let terminal = Dialect::builtin("unionpay-pos")?;
        let network = Dialect::builtin("unionpay-network")?;
        Ok(Self {
            batch: terminal.sub_field(60, "batch")?,
            type_code: terminal.sub_field(60, "type")?,
            management: terminal.sub_field(60, "network_code")?,
            original_batch: terminal.sub_field(61, "batch")?,
            original_trace: terminal.sub_field(61, "trace")?,
            version: terminal.header_part("software_version")?,
            reason: network.sub_field(60, "reason")?,
            network_original_trace: network.sub_field(90, "trace")?,
            network_original_time: network.sub_field(90, "transmitted")?,
            terminal,
            network,
            last_at: None,
        })
    }

    /// Reads a block of whole records (or the end of the file) and masks it.
    pub(crate) fn block(&mut self, base: u64, bytes: &mut [u8], file_seq: u32, sink: &mut dyn Sink) {
        let mut at = 0;
        while at < bytes.len() {
            let left = bytes.len() - at;
            let Some(head) = self.next_head(bytes.get(at..).unwrap_or_default()) else {
                at += self.skip(base, at, bytes, sink);
                continue;
            };
            let end = at + HEAD + head.len;
            let offset = base + at as u64;
            let fits = bytes.get(end..).is_none_or(|next| next.is_empty() || self::head(next, Some(head.at)).is_some());
            if end > bytes.len() && resumes(bytes.get(at..).unwrap_or_default(), Some(head.at)).is_some() {
                // Not the file was cut short: the length is wrong, for records go on after it.
                at += self.skip(base, at, bytes, sink);
                continue;
            }
            let Some(frame) = bytes.get_mut(at + HEAD..end) else {
                let detail = format!("expected a frame of {} bytes, the file ends after {}", head.len, left - HEAD);
                sink.reject(reject(offset, left, "record", "truncated", detail));
                bytes.get_mut(at + HEAD..).unwrap_or_default().fill(0);
                return;
            };
            self.last_at = Some(head.at);
            let span = Span { file_seq, offset, len: u32::try_from(HEAD + head.len).unwrap_or_default() };
            match self.frame(head, span, frame) {
                Ok(row) => sink.accept(row),
                // A wrong length must not swallow the records after it.
                Err(_) if !fits => {
                    at += self.skip(base, at, bytes, sink);
                    continue;
                }
                Err(error) => {
                    let detail = format!("{error}");
                    let field = error.field().map_or_else(|| "frame".to_owned(), |field| format!("F{field}"));
                    sink.reject(reject(offset, HEAD + head.len, &field, "frame", detail));
                    frame.fill(0);
                }
            }
            at = end;
        }
    }

    /// Whole records at the start of the bytes, and what stands between them, for cutting blocks.
    pub(crate) fn whole_records(&self, bytes: &[u8]) -> usize {
        let mut at = 0;
        let mut last_at = self.last_at;
        while let Some(rest) = bytes.get(at..) {
            let found = if last_at.is_some() { head(rest, last_at) } else { followed(rest) };
            if let Some(found) = found {
                let end = at + HEAD + found.len;
                if end > bytes.len() {
                    break;
                }
                last_at = Some(found.at);
                at = end;
            } else {
                // More bytes may have to come before it can be told where records go on.
                let Some(skipped) = resumes(rest, None) else { break };
                last_at = None;
                at += skipped;
            }
        }
        at
    }

    /// The record that stands here. The first one, and the first one after a gap, counts only if another one follows it,
    /// for its clock has nothing to be compared with.
    fn next_head(&self, bytes: &[u8]) -> Option<Head> {
        match self.last_at {
            Some(_) => head(bytes, self.last_at),
            None => followed(bytes).or_else(|| head(bytes, None).filter(|found| HEAD + found.len >= bytes.len())),
        }
    }

    /// Skips bytes that are no record; returns how many.
    fn skip(&mut self, base: u64, from: usize, bytes: &mut [u8], sink: &mut dyn Sink) -> usize {
        let rest = bytes.get_mut(from..).unwrap_or_default();
        let skipped = resumes(rest, self.last_at).unwrap_or(rest.len());
        let detail = "expected a record (time, direction 0 to 3, link, length); skipped to the next one".to_owned();
        sink.reject(reject(base + from as u64, skipped, "record", "framing", detail));
        rest.get_mut(..skipped).unwrap_or_default().fill(0);
        self.last_at = None;
        skipped
    }

    fn frame(&self, head: Head, span: Span, bytes: &mut [u8]) -> Result<Row, DecodeError> {
        let from_terminal_side = matches!(head.direction, Direction::FromTerminal | Direction::ToTerminal);
        let dialect = if from_terminal_side { self.terminal } else { self.network };
        let fields = {
            let message = dialect.decode(bytes)?;
            let mut fields = both_sides(&message);
            if from_terminal_side {
                self.terminal_fields(&message, &mut fields);
            } else {
                self.network_fields(&message, &mut fields);
            }
            fields
        };
        dialect.mask_in_place(bytes)?;
        let at = Instant(i64::try_from(head.at).unwrap_or_default());
        Ok(Row::Frame(Frame { span, at, direction: head.direction, link: head.link, fields }))
    }

    fn terminal_fields(&self, message: &Message<'_>, fields: &mut FrameFields) {
        let sub = |handle| message.sub(handle).and_then(|value| value.number());
        fields.batch = small(sub(self.batch));
        fields.type_code = small(sub(self.type_code));
        fields.management = small(sub(self.management));
        fields.original = (small(sub(self.original_batch)), small(sub(self.original_trace)));
        fields.header_version = small(message.header(self.version).and_then(|value| value.number()));
        if fields.mti == 820 {
            fields.bad_parts = bad_parts(message.raw(62).unwrap_or_default());
        }
        if fields.mti == 510 {
            fields.settle_flag = message
                .digits(48)
                .and_then(|mut digits| digits.nth(30))
                .map(|digit| digit.wrapping_sub(b'0'))
                .unwrap_or_default();
        }
    }

    fn network_fields(&self, message: &Message<'_>, fields: &mut FrameFields) {
        let sub = |handle| message.sub(handle).and_then(|value| value.number());
        fields.type_code = small(sub(self.reason));
        fields.management = small(message.number(70));
        fields.original = (small(sub(self.network_original_trace)), small(sub(self.network_original_time)));
        fields.transmission = small(message.number(7));
        fields.mcc = small(message.number(18));
        fields.issuer = small(message.number(100));
    }
}

fn both_sides(message: &Message<'_>) -> FrameFields {
    FrameFields {
        mti: decimal_mti(message.mti()),
        tid: code(message.text(41)),
        merchant: code(message.text(42)),
        stan: small(message.number(11)),
        amount_minor: i64::try_from(message.number(4).unwrap_or_default()).unwrap_or_default(),
        pan: message.digits(2).and_then(masked_pan).unwrap_or_default(),
        rc: code(message.text(39)),
        rrn: message.number(37).unwrap_or_default(),
        entry_mode: small(message.number(22)),
        text_len: u16::try_from(message.raw(63).map_or(0, <[u8]>::len)).unwrap_or_default(),
        chip: message.has(55),
        ..FrameFields::default()
    }
}

/// The ends of a card number.
fn masked_pan(digits: Digits<'_>) -> Option<MaskedPan> {
    let mut text = [0u8; 19];
    let mut len = 0;
    for digit in digits {
        *text.get_mut(len)? = digit;
        len += 1;
    }
    MaskedPan::read(text.get(..len)?)
}

/// 0x0200 as 200.
fn decimal_mti(mti: u16) -> u16 {
    (mti >> 12) * 1000 + (mti >> 8 & 15) * 100 + (mti >> 4 & 15) * 10 + (mti & 15)
}

fn code<const N: usize>(text: Option<&[u8]>) -> Code<N> {
    text.and_then(|text| Code::new(text).ok()).unwrap_or_default()
}

fn small<T: TryFrom<u64> + Default>(number: Option<u64>) -> T {
    number.and_then(|number| T::try_from(number).ok()).unwrap_or_default()
}

/// Status report: two-digit codes, each with its value; 01 to 05 are parts (1 good, 0 bad), 12 has two digits, 13 one.
fn bad_parts(report: &[u8]) -> u8 {
    let mut bad = 0;
    let mut rest = report;
    while let [tens, ones, value, ..] = rest {
        let part = ones.wrapping_sub(b'0');
        let width = if (*tens, *ones) == (b'1', b'2') { 4 } else { 3 };
        if *tens == b'0' && (1..=5).contains(&part) && *value == b'0' {
            bad |= 1 << (part - 1);
        }
        rest = rest.get(width..).unwrap_or_default();
    }
    bad
}

/// The head of a record, if the bytes can be one and its time is near that of the record before.
fn head(bytes: &[u8], last_at: Option<u64>) -> Option<Head> {
    let at = u64::from_be_bytes(bytes.get(..8)?.try_into().ok()?);
    let direction = match bytes.get(8)? {
        0 => Direction::FromTerminal,
        1 => Direction::ToTerminal,
        2 => Direction::ToNetwork,
        3 => Direction::FromNetwork,
        _ => return None,
    };
    let link = u16::from_be_bytes(bytes.get(9..11)?.try_into().ok()?);
    let len = frame_len(bytes)?;
    let near = last_at.is_none_or(|last| last.abs_diff(at) < LARGEST_GAP_MICROS);
    (near && CLOCK.contains(&at) && (SHORTEST_FRAME..=LONGEST_FRAME).contains(&len)).then_some(Head {
        at,
        direction,
        link,
        len,
    })
}

/// The head of a record that another record of about the same time follows.
fn followed(bytes: &[u8]) -> Option<Head> {
    let found = head(bytes, None)?;
    head(bytes.get(HEAD + found.len..)?, Some(found.at)).map(|_| found)
}

/// How many bytes stand before the next record: one that another follows, or one that ends with the bytes.
fn resumes(bytes: &[u8], last_at: Option<u64>) -> Option<usize> {
    let last = |at: usize| {
        last_at.is_some()
            && bytes
                .get(at..)
                .and_then(|rest| head(rest, last_at))
                .is_some_and(|found| at + HEAD + found.len == bytes.len())
    };
    (1..bytes.len()).find(|at| bytes.get(*at..).and_then(followed).is_some() || last(*at))
}

fn frame_len(bytes: &[u8]) -> Option<usize> {
    Some(usize::from(u16::from_be_bytes(bytes.get(11..13)?.try_into().ok()?)))
}

fn reject(offset: u64, len: usize, field: &str, code: &'static str, detail: String) -> Reject {
    Reject { line: None, offset, len: len as u64, error: RowError { field: field.to_owned(), code, detail } }
}
