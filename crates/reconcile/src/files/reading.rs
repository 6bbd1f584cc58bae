//! Lines of a file to rows: the quick way where a block allows it, the careful way where it does not.

use std::io;

use super::blocks::{Block, Blocks, LINE_MAX};
use super::columns::{ColumnBatch, ReadColumns};
use super::layout::Plan;
use super::rows::{FieldFault, Fields, shown};
use super::tokens::{CutLine, Ends};

/// So many rejects of a file are kept; all are counted.
pub(crate) const REJECTS_KEPT: usize = 10_000;

/// A line that was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reject {
    /// Offset of its first byte.
    pub offset: u64,
    /// Number of the line, from 1.
    pub line: u64,
    /// Field, or `line` when the line as a whole is wrong.
    pub field: String,
    /// What was expected and what was found.
    pub reason: String,
}

/// What was found in a file.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) rejects: Vec<Reject>,
    pub(crate) rejected: u64,
    pub(crate) skipped: u64,
    /// Control lines as they stand.
    pub(crate) control: Vec<(u64, Vec<u8>)>,
    /// Offset of each block and how many lines begin in it.
    lines: Vec<(u64, u64)>,
}

impl Tally {
    /// Adds what another thread found in the same file.
    pub(crate) fn add(&mut self, other: Self) {
        self.rejects.extend(other.rejects);
        self.rejected += other.rejected;
        self.skipped += other.skipped;
        self.control.extend(other.control);
        self.lines.extend(other.lines);
    }

    /// Sorts, and gives each reject its line number. `header` lines stood before the first block.
    pub(crate) fn finish(&mut self, header: u64) {
        self.rejects.sort_by_key(|reject| (reject.offset, reject.field.clone()));
        self.rejects.truncate(REJECTS_KEPT);
        self.control.sort();
        self.lines.sort_unstable();
        let mut before = header;
        let mut starts = Vec::with_capacity(self.lines.len());
        for (offset, count) in &self.lines {
            starts.push((*offset, before));
            before += count;
        }
        for reject in &mut self.rejects {
            let block = starts.partition_point(|(offset, _)| *offset <= reject.offset).saturating_sub(1);
            reject.line += starts.get(block).map_or(0, |(_, before)| *before);
        }
    }

    /// Counts a row that was taken, left or refused.
    #[inline(always)]
    pub(crate) fn count(&mut self, taken: Result<bool, FieldFault>, offset: u64, line: u64) {
        match taken {
            Ok(true) => {}
            Ok(false) => self.skipped += 1,
            Err(fault) => self.reject(offset, line, fault.field, fault.reason),
        }
    }

    fn reject(&mut self, offset: u64, line: u64, field: String, reason: String) {
        self.rejected += 1;
        if self.rejects.len() < REJECTS_KEPT {
            self.rejects.push(Reject { offset, line, field, reason });
        }
    }
}

/// Takes the rows of a file, one by one.
pub(crate) trait Taker {
    /// Takes a row; false when it is about no payment.
    fn take(&mut self, fields: Fields<'_>, offset: u64) -> Result<bool, FieldFault>;

    /// Takes rows column by column; false when they must come as text.
    fn take_columns(&mut self, _batch: &ColumnBatch<'_>, _tally: &mut Tally) -> bool {
        false
    }
}

/// Reads blocks until there are none.
pub(crate) struct LineReader<'a> {
    plan: &'a Plan,
    /// Lines before this offset are the header.
    data_from: u64,
    ends: Ends,
    cut: CutLine,
    pub(crate) tally: Tally,
}

impl<'a> LineReader<'a> {
    pub(crate) fn new(plan: &'a Plan, data_from: u64) -> Self {
        Self { plan, data_from, ends: Ends::default(), cut: CutLine::default(), tally: Tally::default() }
    }

    pub(crate) fn read(
        &mut self,
        blocks: &Blocks<'_>,
        taker: &mut impl Taker,
        progress: &(dyn Fn(u64) + Sync),
    ) -> io::Result<()> {
        if let Blocks::Columns(columns) = blocks {
            return self.columns(*columns, taker, progress);
        }
        let mut block = Block::default();
        while blocks.next(&mut block)? {
            let lines = self.block(&block, taker);
            self.tally.lines.push((block.offset + block.from as u64, lines));
            progress((block.to - block.from) as u64);
        }
        Ok(())
    }

    fn columns(
        &mut self,
        columns: &dyn ReadColumns,
        taker: &mut impl Taker,
        progress: &(dyn Fn(u64) + Sync),
    ) -> io::Result<()> {
        let mut text = Block { by_row: true, ..Block::default() };
        let mut reader = columns.reader();
        while reader.next(&mut |batch| {
            let rows = batch.rows as u64;
            if !taker.take_columns(batch, &mut self.tally) {
                text.bytes.clear();
                batch.write_rows(&mut text.bytes);
                (text.to, text.offset) = (text.bytes.len(), batch.first);
                self.block(&text, taker);
            }
            self.tally.lines.push((batch.first, rows));
            progress(rows * columns.row_bytes());
        })? {}
        Ok(())
    }

    /// How many lines began in the block.
    fn block(&mut self, block: &Block, taker: &mut impl Taker) -> u64 {
        let header = if block.by_row { 0 } else { self.data_from.saturating_sub(block.offset) };
        let from = block.from.max(usize::try_from(header).unwrap_or(usize::MAX)).min(block.to);
        let bytes = &block.bytes[..block.to];
        let quoted = || self.plan.cutting.quote.is_some_and(|quote| memchr::memchr(quote, &bytes[from..]).is_some());
        let whole = bytes.last() == Some(&b'\n');
        let plain = self.plan.cutting.is_plain() && self.plan.control.is_empty() && whole && !quoted();
        let mut lines =
            if plain { self.plain(bytes, from, block, taker) } else { self.careful(bytes, from, block, 0, taker) };
        if let Some(offset) = block.too_long {
            lines += 1;
            self.tally.reject(offset, lines, "line".to_owned(), too_long());
        }
        lines
    }

    /// Lines without quotes: all ends at once, then line by line.
    fn plain(&mut self, bytes: &[u8], from: usize, block: &Block, taker: &mut impl Taker) -> u64 {
        let columns = self.plan.columns;
        let delimiter = self.plan.cutting.delimiter;
        // Positions count from the block's first byte, so that fields may be read with what stands before them.
        let found = self.ends.find(bytes, delimiter);
        let mut at = found.partition_point(|end| (*end as usize) < from);
        let mut start = from;
        let mut lines = 0;
        let mut odd: Vec<(usize, usize, u64)> = Vec::new();
        while let Some(rest) = found.get(at..)
            && !rest.is_empty()
        {
            lines += 1;
            let expected = rest.get(..columns).filter(|ends| {
                let (last, inner) = ends.split_last().unwrap_or((&0, &[]));
                bytes.get(*last as usize) == Some(&b'\n')
                    && inner.iter().all(|end| bytes.get(*end as usize) == Some(&delimiter))
            });
            let Some(ends) = expected else {
                let length = memchr::memchr(b'\n', &bytes[start..]).unwrap_or(bytes.len() - start);
                odd.push((start, start + length, lines));
                start += length + 1;
                at += rest.partition_point(|end| (*end as usize) < start);
                continue;
            };
            let end = ends[columns - 1] as usize;
            let offset = if block.by_row { block.offset + lines - 1 } else { block.offset + start as u64 };
            if bytes.get(end.wrapping_sub(1)) == Some(&b'\r') || end - start > LINE_MAX {
                odd.push((start, end, lines));
            } else {
                self.tally.count(taker.take(Fields { bytes, start, ends }, offset), offset, lines);
            }
            start = end + 1;
            at += columns;
        }
        for (start, end, line) in odd {
            self.line(&bytes[start..end], block, start, line, taker);
        }
        lines
    }

    fn careful(&mut self, bytes: &[u8], from: usize, block: &Block, before: u64, taker: &mut impl Taker) -> u64 {
        let mut lines = before;
        let mut start = from;
        while start < bytes.len() {
            lines += 1;
            let Some(length) = memchr::memchr(b'\n', &bytes[start..]) else {
                let reason = "the file ends inside this line; ask for the whole file".to_owned();
                self.tally.reject(block.offset + start as u64, lines, "line".to_owned(), reason);
                break;
            };
            self.line(&bytes[start..start + length], block, start, lines, taker);
            start += length + 1;
        }
        lines
    }

    /// One line without its line end.
    fn line(&mut self, line: &[u8], block: &Block, start: usize, number: u64, taker: &mut impl Taker) {
        let offset = if block.by_row { block.offset + number - 1 } else { block.offset + start as u64 };
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.is_empty() {
            self.tally.skipped += 1;
            return;
        }
        if line.len() > LINE_MAX {
            self.tally.reject(offset, number, "line".to_owned(), too_long());
            return;
        }
        if self.plan.control.iter().any(|control| line.starts_with(control.starts.as_bytes())) {
            self.tally.control.push((offset, line.to_vec()));
            return;
        }
        if let Err(reason) = self.cut.cut(line, &self.plan.cutting) {
            self.tally.reject(offset, number, "line".to_owned(), reason);
            return;
        }
        let found = self.cut.ends.len();
        if found != self.plan.columns {
            let reason = format!("expected {} columns, found {found}: {}", self.plan.columns, shown(line));
            self.tally.reject(offset, number, "line".to_owned(), reason);
            return;
        }
        let fields = Fields { bytes: &self.cut.bytes, start: 0, ends: &self.cut.ends };
        self.tally.count(taker.take(fields, offset), offset, number);
    }
}

fn too_long() -> String {
    format!("the line is longer than {LINE_MAX} bytes")
}
