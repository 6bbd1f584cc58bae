//! Blocks of whole lines, handed out to several threads.

use std::io::{self, Read};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use super::columns::ReadColumns;

/// Bytes of a block; small enough to stay in the cache while it is read.
pub(crate) const BLOCK: usize = 256 * 1024;
/// The longest line that is read; a longer one is refused and costs no more memory.
pub const LINE_MAX: usize = 64 * 1024;
/// Read beyond a block at once, for the line that crosses its end.
const BEYOND: usize = 2 * 1024;

/// The most lines that room is made for before they are read.
const LINES_MAX: usize = 1 << 20;

/// A file that can be read at any place, by several threads at once.
pub trait ReadAt: Sync {
    /// Length in bytes.
    fn length(&self) -> u64;

    /// Reads up to `buffer.len()` bytes at `offset`; fewer only at the end.
    ///
    /// # Errors
    /// As the system says.
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize>;
}

/// A file that is all in memory.
impl ReadAt for &[u8] {
    fn length(&self) -> u64 {
        self.len() as u64
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let rest = usize::try_from(offset).ok().and_then(|from| self.get(from..)).unwrap_or_default();
        io::Read::read(&mut &*rest, buffer)
    }
}

/// A file of typed columns, given as text: fields between [`FIELD_END`] and a line end behind each row.
pub trait ReadRows: Sync {
    /// Names of its columns.
    fn names(&self) -> Vec<String>;

    /// Says which columns will be asked for; the others may be left empty.
    fn select(&self, columns: &[usize]);

    /// Puts the next rows into `text`, and the number of the first of them (from 0) into the answer.
    ///
    /// # Errors
    /// When the file does not read.
    fn next_rows(&self, text: &mut Vec<u8>) -> io::Result<Option<u64>>;
}

/// Stands between the fields that [`ReadRows`] gives.
pub const FIELD_END: u8 = 0x1F;

/// How the content of a file is reached.
pub enum Content<'a> {
    /// At any place: plain files.
    At(&'a dyn ReadAt),
    /// From its beginning only: compressed files. Offsets count uncompressed bytes.
    Stream(Box<dyn Read + Send + 'a>),
    /// Row by row: workbooks and statements. Offsets count rows.
    Rows(&'a dyn ReadRows),
    /// Column by column: typed files. Offsets count rows.
    Columns(&'a dyn ReadColumns),
}

/// Hands out the blocks of one file.
pub(crate) enum Blocks<'a> {
    At { file: &'a dyn ReadAt, next: AtomicU64, size: usize },
    Stream(Mutex<Stream<'a>>),
    Rows(&'a dyn ReadRows),
    Columns(&'a dyn ReadColumns),
}

pub(crate) struct Stream<'a> {
    from: Box<dyn Read + Send + 'a>,
    /// Read, but not handed out: the beginning of the next block.
    rest: Vec<u8>,
    /// Offset of `rest`.
    offset: u64,
    ended: bool,
    size: usize,
}

/// A block: whole lines, all but perhaps the last of a file with their line ends.
#[derive(Default)]
pub(crate) struct Block {
    pub(crate) bytes: Vec<u8>,
    /// The lines are `bytes[from..to]`.
    pub(crate) from: usize,
    pub(crate) to: usize,
    /// Offset of `bytes[0]`, or number of the first row.
    pub(crate) offset: u64,
    /// Offsets count rows.
    pub(crate) by_row: bool,
    /// A line that begins at this offset is too long.
    pub(crate) too_long: Option<u64>,
}

impl<'a> Blocks<'a> {
    pub(crate) fn new(content: Content<'a>, size: usize) -> Self {
        match content {
            Content::At(file) => Self::At { file, next: AtomicU64::new(0), size },
            Content::Stream(from) => {
                Self::Stream(Mutex::new(Stream { from, rest: Vec::new(), offset: 0, ended: false, size }))
            }
            Content::Rows(rows) => Self::Rows(rows),
            Content::Columns(columns) => Self::Columns(columns),
        }
    }

    /// The beginning of the file: at least its first line, or as much of it as a line may have.
    pub(crate) fn peek(&self) -> io::Result<Vec<u8>> {
        match self {
            Self::At { file, .. } => {
                let mut start = vec![0; LINE_MAX];
                let read = file.read_at(0, &mut start)?;
                start.truncate(read);
                Ok(start)
            }
            Self::Stream(stream) => {
                let mut stream = stream.lock().unwrap_or_else(PoisonError::into_inner);
                stream.fill(LINE_MAX)?;
                Ok(stream.rest.clone())
            }
            Self::Rows(_) | Self::Columns(_) => Ok(Vec::new()),
        }
    }

    /// How many lines the file may have, if they are as long as those at its `start`; 0 when its length is not known.
    pub(crate) fn lines_about(&self, start: &[u8]) -> usize {
        let Self::At { file, .. } = self else { return 0 };
        let lines = memchr::memchr_iter(b'\n', start).count();
        let times = usize::try_from(file.length()).unwrap_or(usize::MAX) / start.len().max(1);
        // A few more: room that is short by one line is copied to a larger one.
        (lines * (times + 1) / 15 * 16).min(LINES_MAX)
    }

    /// Puts the next block into `block`; false when there is none. Columns do not come in blocks.
    pub(crate) fn next(&self, block: &mut Block) -> io::Result<bool> {
        block.too_long = None;
        match self {
            Self::At { file, next, size } => {
                let size_bytes = *size as u64;
                let start = next.fetch_add(1, Ordering::Relaxed) * size_bytes;
                if start >= file.length() {
                    return Ok(false);
                }
                at(*file, start, *size, block).map(|()| true)
            }
            Self::Stream(stream) => stream.lock().unwrap_or_else(PoisonError::into_inner).next(block),
            Self::Columns(_) => Ok(false),
            Self::Rows(rows) => {
                block.bytes.clear();
                let Some(first) = rows.next_rows(&mut block.bytes)? else { return Ok(false) };
                (block.from, block.to, block.offset, block.by_row) = (0, block.bytes.len(), first, true);
                Ok(true)
            }
        }
    }
}

/// The lines that begin in `start..start + size`.
fn at(file: &dyn ReadAt, start: u64, size: usize, block: &mut Block) -> io::Result<()> {
    // One byte more in front tells whether a line begins exactly at the start.
    let before = usize::from(start > 0);
    let base = start - before as u64;
    block.offset = base;
    let bytes = &mut block.bytes;
    let wanted = before + size + BEYOND;
    if bytes.len() != wanted {
        bytes.resize(wanted, 0);
    }
    let mut read = file.read_at(base, bytes)?;
    block.from = if before == 0 {
        0
    } else {
        memchr::memchr(b'\n', &bytes[..read.min(before + size)]).map_or(before + size, |end| end + 1)
    };
    let own_end = before + size;
    if block.from >= own_end {
        // No line begins here.
        (block.from, block.to) = (0, 0);
        return Ok(());
    }
    if read < own_end {
        block.to = read;
        return Ok(());
    }
    // The last line that begins here ends at the first line end from its last own byte on.
    loop {
        if let Some(end) = memchr::memchr(b'\n', &bytes[own_end - 1..read]) {
            block.to = own_end + end;
            return Ok(());
        }
        let ended = read < bytes.len();
        if ended {
            block.to = read;
            return Ok(());
        }
        if bytes.len() >= own_end + LINE_MAX {
            break;
        }
        let length = bytes.len();
        bytes.resize((own_end + LINE_MAX).min(length * 2), 0);
        read += file.read_at(base + read as u64, &mut bytes[read..])?;
    }
    block.to = memchr::memrchr(b'\n', &bytes[block.from..own_end - 1]).map_or(block.from, |end| block.from + end + 1);
    block.too_long = Some(base + block.to as u64);
    Ok(())
}

impl Stream<'_> {
    /// Reads until `size` bytes are there or the end is reached.
    fn fill(&mut self, size: usize) -> io::Result<()> {
        while self.rest.len() < size && !self.ended {
            let from = self.rest.len();
            self.rest.resize(size, 0);
            let read = self.from.read(&mut self.rest[from..]);
            self.rest.truncate(from + *read.as_ref().unwrap_or(&0));
            self.ended = read? == 0;
        }
        Ok(())
    }

    fn next(&mut self, block: &mut Block) -> io::Result<bool> {
        self.fill(self.size.max(LINE_MAX) + 1)?;
        if self.rest.is_empty() {
            return Ok(false);
        }
        (block.from, block.offset) = (0, self.offset);
        let end = if self.ended { Some(self.rest.len()) } else { memchr::memrchr(b'\n', &self.rest).map(|at| at + 1) };
        block.bytes.clear();
        match end {
            Some(end) => {
                block.bytes.extend_from_slice(&self.rest[..end]);
                self.rest.drain(..end);
                self.offset += end as u64;
            }
            None => {
                block.too_long = Some(self.offset);
                self.skip_line()?;
            }
        }
        block.to = block.bytes.len();
        Ok(true)
    }

    fn skip_line(&mut self) -> io::Result<()> {
        loop {
            if let Some(end) = memchr::memchr(b'\n', &self.rest) {
                self.rest.drain(..=end);
                self.offset += end as u64 + 1;
                return Ok(());
            }
            self.offset += self.rest.len() as u64;
            self.rest.clear();
            if self.ended {
                return Ok(());
            }
            self.fill(self.size)?;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Lines with their offsets, and offsets of lines that were too long.
    fn lines(content: Content<'_>, size: usize) -> (Vec<(u64, Vec<u8>)>, Vec<u64>) {
        let blocks = Blocks::new(content, size);
        let (mut found, mut long) = (Vec::new(), Vec::new());
        let mut block = Block::default();
        while blocks.next(&mut block).unwrap() {
            let mut at = block.from;
            for line in block.bytes[block.from..block.to].split_inclusive(|byte| *byte == b'\n') {
                found.push((block.offset + at as u64, line.to_vec()));
                at += line.len();
            }
            long.extend(block.too_long);
        }
        (found, long)
    }

    fn expected(text: &[u8]) -> (Vec<(u64, Vec<u8>)>, Vec<u64>) {
        let (mut found, mut long, mut at) = (Vec::new(), Vec::new(), 0);
        for line in text.split_inclusive(|byte| *byte == b'\n') {
            if line.len() > LINE_MAX {
                long.push(at);
            } else {
                found.push((at, line.to_vec()));
            }
            at += line.len() as u64;
        }
        (found, long)
    }

    proptest! {
        #[test]
        fn every_line_is_handed_out_once(text in "[a\n]{0,400}", size in 1_usize..64) {
            let text = text.as_bytes();
            prop_assert_eq!(lines(Content::At(&text), size), expected(text));
            prop_assert_eq!(lines(Content::Stream(Box::new(text)), size), expected(text));
        }
    }

    #[test]
    fn a_line_that_is_too_long_is_named_and_left() {
        let mut text = b"first\n".to_vec();
        text.extend(vec![b'x'; 3 * LINE_MAX]);
        text.extend_from_slice(b"\nlast\n");
        let text = text.as_slice();
        for size in [1_000, 100_000] {
            let (found, long) = lines(Content::At(&text), size);
            assert_eq!((found.len(), long), (2, vec![6]), "{size}");
        }
        let (found, long) = lines(Content::Stream(Box::new(text)), 100);
        assert_eq!((found.len(), long), (2, vec![6]));
    }
}
