//! Captured ISO 8583 traffic: records of time, direction, link and frame; frames decoded by dialect.
//!
//! A record whose header makes no sense is skipped byte by byte until two records in a row make sense again; what was
//! skipped is one reject. Frames that do not decode are refused and their bytes zeroed in the kept copy, because
//! nobody can tell where a card number stands in them. Reading a kept copy gives the same rows: a gap of zeros ends
//! where the first reading ended it, although what that reading judged by may be zeros by now.

use onus_iso8583::{DecodeError, Dialect, DialectError, Message, SubField};
use onus_model::{Instant, Span};
use onus_reconcile::{Direction, Frame, FrameFields, Seen};

use crate::frame_fields::{TerminalSide, both_sides, small};
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
    terminal: TerminalSide,
    network: &'static Dialect,
    reason: SubField,
    network_original_trace: SubField,
    network_original_time: SubField,
    before: Before,
}

/// What stands before the place that is read, and with that how far a record there is to be trusted.
#[derive(Clone, Copy)]
enum Before {
    /// The start of the file, or nothing that tells: a record needs another one after it.
    Nothing,
    /// A gap that was skipped up to a record.
    Gap,
    /// A record of this time.
    Record(u64),
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
        let network = Dialect::builtin("unionpay-network")?;
        Ok(Self {
            terminal: TerminalSide::new(Dialect::builtin("unionpay-pos")?)?,
            reason: network.sub_field(60, "reason")?,
            network_original_trace: network.sub_field(90, "trace")?,
            network_original_time: network.sub_field(90, "transmitted")?,
            network,
            before: Before::Nothing,
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
            let fits = bytes.get(end..).is_none_or(|next| next.is_empty() || goes_on(next, head.at));
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
            self.before = Before::Record(head.at);
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

    /// Whole records at the start of the bytes, and what stands between them, for cutting blocks. It cuts between two
    /// records that follow each other, or before a gap that ends, so that a block tells by itself what it holds.
    pub(crate) fn whole_records(&self, bytes: &[u8]) -> usize {
        let (mut at, mut cut) = (0, 0);
        let mut before = self.before;
        while let Some(rest) = bytes.get(at..) {
            if let Some(found) = before.next_head(rest) {
                let end = at + HEAD + found.len;
                let Some(next) = bytes.get(end..) else { break };
                let gap_ends = || zeros(next).is_some_and(|zeros| zeros < next.len());
                if matches!(before, Before::Record(_)) && (head(next, Some(found.at)).is_some() || gap_ends()) {
                    cut = end;
                }
                before = Before::Record(found.at);
                at = end;
            } else {
                // More bytes may have to come before it can be told where records go on.
                let gap = zeros(rest).filter(|zeros| *zeros < rest.len()).or_else(|| resumes(rest, None));
                let Some(gap) = gap else { break };
                before = Before::Gap;
                at += gap;
            }
        }
        cut
    }

    /// The record that stands here. One that nothing vouches for counts at the end of the bytes, too.
    fn next_head(&self, bytes: &[u8]) -> Option<Head> {
        let last = || head(bytes, None).filter(|found| HEAD + found.len >= bytes.len());
        self.before.next_head(bytes).or_else(|| matches!(self.before, Before::Nothing).then(last).flatten())
    }

    /// Skips bytes that are no record; returns how many.
    fn skip(&mut self, base: u64, from: usize, bytes: &mut [u8], sink: &mut dyn Sink) -> usize {
        let rest = bytes.get_mut(from..).unwrap_or_default();
        let last_at = if let Before::Record(at) = self.before { Some(at) } else { None };
        let skipped = zeros(rest).or_else(|| resumes(rest, last_at)).unwrap_or(rest.len());
        let detail = "expected a record (time, direction 0 to 3, link, length); skipped to the next one".to_owned();
        sink.reject(reject(base + from as u64, skipped, "record", "framing", detail));
        self.before = if skipped < rest.len() { Before::Gap } else { Before::Nothing };
        rest.get_mut(..skipped).unwrap_or_default().fill(0);
        skipped
    }

    fn frame(&self, head: Head, span: Span, bytes: &mut [u8]) -> Result<Row, DecodeError> {
        let from_terminal_side = matches!(head.direction, Direction::FromTerminal | Direction::ToTerminal);
        let dialect = if from_terminal_side { self.terminal.dialect() } else { self.network };
        let fields = {
            let message = dialect.decode(bytes)?;
            if from_terminal_side {
                self.terminal.fields(&message)
            } else {
                let mut fields = both_sides(&message);
                self.network_fields(&message, &mut fields);
                fields
            }
        };
        dialect.mask_in_place(bytes)?;
        let at = Instant(i64::try_from(head.at).unwrap_or_default());
        let seen = Seen::Captured;
        Ok(Row::Frame(Frame { span, at, direction: head.direction, link: head.link, seen, fields }))
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

impl Before {
    /// The record that stands at the start of the bytes.
    fn next_head(self, bytes: &[u8]) -> Option<Head> {
        match self {
            Before::Record(at) => head(bytes, Some(at)),
            Before::Gap => head(bytes, None),
            Before::Nothing => followed(bytes),
        }
    }
}

/// The head of a record after which the capture goes on.
fn followed(bytes: &[u8]) -> Option<Head> {
    let found = head(bytes, None)?;
    goes_on(bytes.get(HEAD + found.len..)?, found.at).then_some(found)
}

/// Whether a record of about that time begins here, or a gap that an earlier reading made.
fn goes_on(bytes: &[u8], last_at: u64) -> bool {
    head(bytes, Some(last_at)).is_some() || zeros(bytes).is_some()
}

/// The length of a gap of zeros, as an earlier reading leaves it: up to a record, or to the end. The first byte of a
/// record's time is zero, too, and the second never is.
fn zeros(bytes: &[u8]) -> Option<usize> {
    match bytes.iter().position(|byte| *byte != 0) {
        None => (!bytes.is_empty()).then_some(bytes.len()),
        Some(place) => {
            let gap = place.checked_sub(1).filter(|gap| *gap > 0)?;
            head(bytes.get(gap..)?, None).map(|_| gap)
        }
    }
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
