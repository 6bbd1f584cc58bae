//! Blocks of whole records from a stream, without reading the file into memory.

use std::io::{self, Read};

/// How many bytes are asked for at a time.
pub(crate) const BLOCK: usize = 1 << 20;

/// Longest record that is waited for; past it the block is handed on as it is and will be refused.
const LONGEST_RECORD: usize = 8 << 20;

/// Cuts a stream into blocks that end where a record ends.
pub(crate) struct Blocks<R> {
    source: R,
    /// Bytes of a record whose end has not come yet.
    carry: Vec<u8>,
    /// Offset of `carry` in the file.
    offset: u64,
    ended: bool,
}

/// A block: where it starts, its bytes, and whether the stream ended with it.
pub(crate) struct Block {
    pub(crate) offset: u64,
    pub(crate) bytes: Vec<u8>,
    pub(crate) last: bool,
}

impl<R: Read> Blocks<R> {
    pub(crate) fn new(source: R) -> Self {
        Self { source, carry: Vec::new(), offset: 0, ended: false }
    }

    /// The next block. `whole` says how many of the bytes it is given are whole records.
    pub(crate) fn next(&mut self, whole: impl Fn(&[u8]) -> usize) -> io::Result<Option<Block>> {
        loop {
            if self.ended {
                return Ok((!self.carry.is_empty()).then(|| self.cut(self.carry.len(), true)));
            }
            self.fill()?;
            let cut = if self.ended { self.carry.len() } else { whole(&self.carry) };
            if cut > 0 || self.carry.len() > LONGEST_RECORD {
                let cut = if cut > 0 { cut } else { self.carry.len() };
                return Ok(Some(self.cut(cut, self.ended)));
            }
        }
    }

    fn fill(&mut self) -> io::Result<()> {
        let before = self.carry.len();
        let read = self.source.by_ref().take(BLOCK as u64).read_to_end(&mut self.carry)?;
        debug_assert_eq!(self.carry.len(), before + read, "read_to_end appends");
        self.ended = read < BLOCK;
        Ok(())
    }

    fn cut(&mut self, at: usize, last: bool) -> Block {
        let rest = self.carry.split_off(at);
        let bytes = std::mem::replace(&mut self.carry, rest);
        let offset = self.offset;
        self.offset += bytes.len() as u64;
        Block { offset, bytes, last }
    }
}

/// Whole lines: up to the last line end that is not inside quotes. Blocks start at a record, so quotes start even.
pub(crate) fn whole_lines(bytes: &[u8]) -> usize {
    let Some(last) = memchr::memrchr(b'\n', bytes) else { return 0 };
    let head = bytes.get(..=last).unwrap_or_default();
    if memchr::memchr(b'"', head).is_none() {
        return head.len();
    }
    let mut inside = false;
    let mut end = 0;
    for at in memchr::memchr2_iter(b'"', b'\n', head) {
        match head.get(at) {
            Some(b'"') => inside = !inside,
            _ if !inside => end = at + 1,
            _ => {}
        }
    }
    end
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_outside_quotes() {
        assert_eq!(whole_lines(b"a,b\nc"), 4);
        assert_eq!(whole_lines(b"a,\"x\ny\"\nb,\"z\n"), 8);
        assert_eq!(whole_lines(b"no end"), 0);
    }

    proptest::proptest! {
        #[test]
        fn blocks_are_the_stream(lines in proptest::collection::vec("[a-z,]{0,40}", 0..200)) {
            let text = lines.join("\n");
            let mut blocks = Blocks::new(text.as_bytes());
            let mut back = Vec::new();
            while let Some(block) = blocks.next(whole_lines).unwrap() {
                proptest::prop_assert_eq!(block.offset, back.len() as u64);
                back.extend_from_slice(&block.bytes);
            }
            proptest::prop_assert_eq!(back, text.as_bytes());
        }
    }
}
