//! Reads a file of any kind, block by block, row by row.

use std::io::{self, Read};

use csv::{ByteRecord, ReaderBuilder};
use onus_iso8583::DialectError;
use onus_model::{Instant, Span, Zone};

use crate::blocks::{Block, Blocks, whole_lines};
use crate::capture::CaptureReader;
use crate::clearing::{ClearingColumns, ZM_PAN_AT, zm_line_len, zm_row, zm_settle_date};
use crate::disputes::{DisputeColumns, NoticeColumns, SlipColumns};
use crate::file_kind::FileKind;
use crate::journal::JournalColumns;
use crate::mask::{SHORTEST, mask_card_numbers, mask_middle, next_card_number, without_long_numbers};
use crate::payout::PayoutColumns;
use crate::registry::{self, RegistryReader};
use crate::row::{Reject, Row, RowError, Sink, Tap};
use crate::segment::SegmentReader;
use crate::table::{Fields, Header};
use crate::{claims, row};

/// A file could not be read at all.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The bytes could not be had or kept.
    #[error("the file could not be read: {0}")]
    Io(#[from] io::Error),
    /// A built-in dialect is broken.
    #[error("the dialect of captured traffic does not load: {0}")]
    Dialect(#[from] DialectError),
}

/// How to read a file.
#[derive(Debug, Clone)]
pub struct ReadOptions {
    /// What it holds.
    pub kind: FileKind,
    /// Its short number, put into every span.
    pub file_seq: u32,
    /// Zone of local times in it.
    pub zone: Zone,
    /// Its name: a ZM file says its settlement day only there.
    pub name: String,
}

/// What reading a file came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ReadSummary {
    /// Bytes.
    pub size: u64,
    /// Rows accepted.
    pub accepted: u64,
    /// Rows refused.
    pub rejected: u64,
    /// Earliest and latest business time of its rows.
    pub times: Option<(Instant, Instant)>,
}

/// Reads a file: rows and rejects to the sink, bytes to the tap.
///
/// # Errors
/// Only when the bytes cannot be had or kept; whatever is wrong with rows is a reject.
pub fn read_file(
    options: &ReadOptions,
    source: impl Read,
    sink: &mut dyn Sink,
    tap: &mut dyn Tap,
) -> Result<ReadSummary, ReadError> {
    let mut format = match options.kind {
        FileKind::Switch => Format::Capture(Box::new(CaptureReader::new()?)),
        FileKind::Tap => Format::Segment(Box::default()),
        FileKind::ClearingZm => Format::Zm,
        FileKind::Claims => Format::Claims,
        _ => Format::Table(None),
    };
    let mut zone = options.zone.clone();
    let mut counted = Counted { sink, summary: ReadSummary::default() };
    let mut blocks = Blocks::new(source);
    let mut lines = 0;
    loop {
        let whole = |bytes: &[u8]| match &format {
            Format::Capture(capture) => capture.whole_records(bytes),
            Format::Segment(segment) => segment.whole_records(bytes),
            _ => whole_lines(bytes),
        };
        let Some(mut block) = blocks.next(whole)? else { break };
        counted.summary.size += block.bytes.len() as u64;
        tap.original(&block.bytes);
        let masked = match &mut format {
            Format::Capture(capture) => {
                capture.block(block.offset, &mut block.bytes, options.file_seq, &mut counted);
                true
            }
            Format::Segment(segment) => segment.block(block.offset, &mut block.bytes, options.file_seq, &mut counted),
            text => text_block(text, options, &mut block, &mut lines, &mut zone, &mut counted),
        };
        tap.kept(&block.bytes, masked)?;
    }
    Ok(counted.summary)
}

enum Format {
    Capture(Box<CaptureReader>),
    Segment(Box<SegmentReader>),
    Table(Option<Box<Table>>),
    Zm,
    Claims,
}

/// Counts rows on their way to the sink.
struct Counted<'a> {
    sink: &'a mut dyn Sink,
    summary: ReadSummary,
}

impl Sink for Counted<'_> {
    fn symbol(&mut self, text: &str) -> onus_reconcile::Symbol {
        self.sink.symbol(text)
    }

    fn accept(&mut self, row: Row) {
        self.summary.accepted += 1;
        if let Some(at) = row.at() {
            let (first, last) = self.summary.times.unwrap_or((at, at));
            self.summary.times = Some((first.min(at), last.max(at)));
        }
        self.sink.accept(row);
    }

    fn reject(&mut self, mut reject: Reject) {
        self.summary.rejected += 1;
        reject.error.detail = without_long_numbers(&reject.error.detail);
        self.sink.reject(reject);
    }
}

/// Reader of one kind of delimited file.
struct Table {
    width: usize,
    columns: Columns,
    pan: Option<usize>,
    /// Columns in which people write what they like.
    words: Vec<usize>,
}

/// Names of such columns.
const WORDS: [&[u8]; 5] = [b"text", b"remark", b"reason_text", b"note", b"finding"];

enum Columns {
    Journal(JournalColumns),
    Clearing(ClearingColumns),
    Payout(PayoutColumns),
    Dispute(DisputeColumns),
    Slip(SlipColumns),
    Notice(NoticeColumns),
    Registry(RegistryReader),
    /// The header did not do: every row has been refused already.
    Refused,
}

impl Table {
    fn open(kind: FileKind, record: &ByteRecord) -> (Self, Option<RowError>) {
        let header = Header::read(record);
        let found = match kind {
            FileKind::Journal => JournalColumns::find(&header).map(Columns::Journal),
            FileKind::ClearingCsv => ClearingColumns::find(&header).map(Columns::Clearing),
            FileKind::Payout => PayoutColumns::find(&header).map(Columns::Payout),
            FileKind::Disputes => DisputeColumns::find(&header).map(Columns::Dispute),
            FileKind::Slips => SlipColumns::find(&header).map(Columns::Slip),
            FileKind::Notices => NoticeColumns::find(&header).map(Columns::Notice),
            other => {
                registry::reader(other, &header).unwrap_or(Ok(Box::new(|_, _| Err(no_reader())))).map(Columns::Registry)
            }
        };
        let pan = record.iter().position(|name| name == b"pan_masked");
        let words =
            record.iter().enumerate().filter(|(_, name)| WORDS.contains(name)).map(|(index, _)| index).collect();
        let (columns, error) = match found {
            Ok(columns) => (columns, None),
            Err(error) => (Columns::Refused, Some(error)),
        };
        (Self { width: header.len(), columns, pan, words }, error)
    }

    fn row(&self, record: &ByteRecord, span: Span, zone: &mut Zone, sink: &mut dyn Sink) -> Result<Row, RowError> {
        if record.len() != self.width {
            let detail = format!("expected {} columns as in the header, found {}", self.width, record.len());
            return Err(RowError { field: "line".to_owned(), code: "columns", detail });
        }
        let fields = Fields(record);
        match &self.columns {
            Columns::Journal(columns) => columns.row(fields, span, zone, sink),
            Columns::Clearing(columns) => columns.row(fields, span),
            Columns::Payout(columns) => columns.row(fields, span),
            Columns::Dispute(columns) => columns.row(fields, span),
            Columns::Slip(columns) => columns.row(fields, span),
            Columns::Notice(columns) => columns.row(fields, span),
            Columns::Registry(read) => read(fields, span),
            Columns::Refused => {
                let detail = "not read, because the header of the file was refused".to_owned();
                Err(RowError { field: "line".to_owned(), code: "columns", detail })
            }
        }
    }

    /// Finds full card numbers in the columns that may hold one.
    fn card_numbers(&self, record: &ByteRecord, text: &[u8], from: usize, to: usize, masks: &mut Vec<Mask>) {
        let pan = self.pan.and_then(|column| record.get(column)).unwrap_or_default();
        if pan.len() >= 12 && pan.iter().all(u8::is_ascii_digit) {
            everywhere(pan, text, from, to, masks);
        }
        for words in self.words.iter().filter_map(|column| record.get(*column)).filter(|words| words.len() >= SHORTEST)
        {
            let mut at = 0;
            while let Some(found) = next_card_number(words, at, SHORTEST) {
                at = found.end;
                everywhere(words.get(found).unwrap_or_default(), text, from, to, masks);
            }
        }
    }
}

fn no_reader() -> RowError {
    RowError { field: "file".to_owned(), code: "columns", detail: "no reader for this kind of file".to_owned() }
}

/// Reads a block of lines and masks it; says whether anything was overwritten.
fn text_block(
    format: &mut Format,
    options: &ReadOptions,
    block: &mut Block,
    lines: &mut u64,
    zone: &mut Zone,
    sink: &mut dyn Sink,
) -> bool {
    // A file without a line end at its end was cut short: its last line cannot be trusted.
    let complete =
        if block.last && block.bytes.last() != Some(&b'\n') { whole_lines(&block.bytes) } else { block.bytes.len() };
    let mut masks = Vec::new();
    {
        let text = block.bytes.get(..complete).unwrap_or_default();
        let mut place = Place { base: block.offset, file_seq: options.file_seq, lines };
        match format {
            Format::Table(table) => table_block(table, options.kind, text, &mut place, zone, sink, &mut masks),
            Format::Zm => {
                let settled = zm_settle_date(&options.name);
                line_block(text, &mut place, sink, &mut masks, |line, span| zm_row(line, span, settled));
            }
            Format::Claims => line_block(text, &mut place, sink, &mut masks, claims::row),
            Format::Capture(_) | Format::Segment(_) => {}
        }
    }
    let cut = block.bytes.len() - complete;
    if cut > 0 {
        let detail = format!("the file ends inside a line ({cut} bytes without a line end): it was cut short");
        let error = RowError { field: "line".to_owned(), code: "truncated", detail };
        sink.reject(row::Reject {
            line: Some(*lines + 1),
            offset: block.offset + complete as u64,
            len: cut as u64,
            error,
        });
        masks.push(Mask::Search(complete, block.bytes.len(), SHORTEST));
    }
    masks.iter().fold(false, |masked, mask| masked | mask.apply(&mut block.bytes))
}

/// Bytes of a block to mask.
enum Mask {
    /// A card number that should have come masked.
    Middle(usize, usize),
    /// Text in which a card number may stand, of so many digits at least.
    Search(usize, usize, usize),
}

impl Mask {
    fn apply(&self, bytes: &mut [u8]) -> bool {
        match *self {
            Self::Middle(from, to) => mask_middle(bytes.get_mut(from..to).unwrap_or_default()),
            Self::Search(from, to, shortest) => {
                mask_card_numbers(bytes.get_mut(from..to).unwrap_or_default(), shortest)
            }
        }
    }
}

struct Place<'a> {
    base: u64,
    file_seq: u32,
    lines: &'a mut u64,
}

impl Place<'_> {
    fn span(&self, from: usize, to: usize) -> Span {
        Span {
            file_seq: self.file_seq,
            len: u32::try_from(to - from).unwrap_or(u32::MAX),
            offset: self.base + from as u64,
        }
    }

    fn reject(&self, line: u64, from: usize, to: usize, error: RowError) -> Reject {
        Reject { line: Some(line), offset: self.base + from as u64, len: (to - from) as u64, error }
    }
}

fn table_block(
    table: &mut Option<Box<Table>>,
    kind: FileKind,
    text: &[u8],
    place: &mut Place<'_>,
    zone: &mut Zone,
    sink: &mut dyn Sink,
    masks: &mut Vec<Mask>,
) {
    let mut reader = ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text);
    let mut record = ByteRecord::new();
    let first_line = *place.lines;
    loop {
        let start = usize::try_from(reader.position().byte()).unwrap_or(usize::MAX);
        let start_line = first_line + reader.position().line();
        // Reading bytes from memory with flexible widths cannot fail; an error would be the end.
        let more = reader.read_byte_record(&mut record).unwrap_or(false);
        *place.lines = first_line + reader.position().line() - 1;
        if !more {
            break;
        }
        let end = usize::try_from(reader.position().byte()).unwrap_or(usize::MAX);
        let read = text.get(start..end).unwrap_or_default();
        // What was read begins with the rest of a CRLF and with blank lines, if there are any.
        let blank = read.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        let line = start_line + read.iter().take(blank).filter(|byte| **byte == b'\n').count() as u64;
        let from = start + blank;
        let to = from + read.get(blank..).unwrap_or_default().trim_ascii_end().len();
        let Some(open) = table else {
            let (opened, error) = Table::open(kind, &record);
            if let Some(error) = error {
                sink.reject(place.reject(line, from, to, error));
            }
            *table = Some(Box::new(opened));
            // A file without a header has a row of data here.
            masks.push(Mask::Search(from, to, SHORTEST));
            continue;
        };
        open.card_numbers(&record, text, from, to, masks);
        match open.row(&record, place.span(from, to), zone, sink) {
            Ok(row) => sink.accept(row),
            Err(error) => {
                sink.reject(place.reject(line, from, to, error));
                masks.push(Mask::Search(from, to, SHORTEST));
            }
        }
    }
}

/// Every place in the row where a value stands.
fn everywhere(value: &[u8], text: &[u8], from: usize, to: usize, masks: &mut Vec<Mask>) {
    let row = text.get(from..to).unwrap_or_default();
    masks.extend(memchr::memmem::find_iter(row, value).map(|at| Mask::Middle(from + at, from + at + value.len())));
}

fn line_block(
    text: &[u8],
    place: &mut Place<'_>,
    sink: &mut dyn Sink,
    masks: &mut Vec<Mask>,
    read: impl Fn(&[u8], Span) -> Result<Row, RowError>,
) {
    let mut from = 0;
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        *place.lines += 1;
        let content = line.strip_suffix(b"\n").unwrap_or(line);
        let content = content.strip_suffix(b"\r").unwrap_or(content);
        let to = from + content.len();
        if !content.is_empty() {
            match read(content, place.span(from, to)) {
                Ok(row) => {
                    mask_accepted(&row, content, from, masks);
                    sink.accept(row);
                }
                Err(error) => {
                    sink.reject(place.reject(*place.lines, from, to, error));
                    masks.push(Mask::Search(from, to, SHORTEST));
                }
            }
        }
        from += line.len();
    }
}

/// A ZM line holds its card number in a column of its own; a claim may hold one in its words, or anywhere: outside the
/// words only numbers longer than a merchant code (15 digits) are taken for one.
fn mask_accepted(row: &Row, content: &[u8], from: usize, masks: &mut Vec<Mask>) {
    let to = from + content.len();
    if matches!(row, Row::Clearing(_)) {
        debug_assert_eq!(content.len(), zm_line_len(), "only whole lines are accepted");
        masks.push(Mask::Search(from + ZM_PAN_AT, from + ZM_PAN_AT + 19, SHORTEST));
        return;
    }
    let words = memchr::memmem::find(content, b"\"text\"").unwrap_or_default();
    masks.push(Mask::Search(from, from + words, 16));
    masks.push(Mask::Search(from + words, to, SHORTEST));
}
