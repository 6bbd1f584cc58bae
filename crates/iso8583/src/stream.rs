//! How frames follow each other on a connection: a length before each.

use crate::error::{DecodeError, Place, Problem};
use crate::spec::Prefix;

/// The length prefix of a connection's frames.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stream {
    pub(crate) prefix: Prefix,
    pub(crate) includes_itself: bool,
}

/// A frame at the start of a connection's bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Framed {
    /// Bytes of the length prefix.
    pub prefix: usize,
    /// Bytes of the frame behind it; they need not all be there yet.
    pub frame: usize,
}

impl Stream {
    /// Bytes of the prefix.
    #[must_use]
    pub fn prefix_len(&self) -> usize {
        self.prefix.length()
    }

    /// What stands at the start of `bytes`; none when the prefix is not whole yet.
    ///
    /// # Errors
    /// When the prefix writes no length, or one shorter than itself.
    #[inline]
    pub fn read(&self, bytes: &[u8]) -> Result<Option<Framed>, DecodeError> {
        let prefix = self.prefix.length();
        let Some(written) = bytes.get(..prefix) else {
            return Ok(None);
        };
        let fault = |problem| DecodeError { offset: 0, place: Place::Frame, problem };
        let Some(length) = self.prefix.read(written) else {
            return Err(fault(Problem::NotLength { found: written.first().copied().unwrap_or(0) }));
        };
        let length = length as usize;
        let itself = if self.includes_itself { prefix } else { 0 };
        match length.checked_sub(itself) {
            Some(frame) => Ok(Some(Framed { prefix, frame })),
            None => Err(fault(Problem::Truncated { needed: itself, left: length })),
        }
    }

    /// Appends the prefix of a frame of `frame` bytes; false (and nothing appended) when it cannot write so many.
    #[must_use]
    pub fn write(&self, frame: usize, out: &mut Vec<u8>) -> bool {
        let from = out.len();
        let itself = if self.includes_itself { self.prefix.length() } else { 0 };
        let written = self.prefix.write(frame + itself, out).is_some();
        if !written {
            out.truncate(from);
        }
        written
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let cases: &[(Prefix, bool, usize, &[u8])] = &[
            (Prefix::Binary(2), false, 300, &[0x01, 0x2C]),
            (Prefix::Packed(2), false, 300, &[0x03, 0x00]),
            (Prefix::Ascii(4), false, 300, b"0300"),
            (Prefix::Ascii(4), true, 300, b"0304"),
            (Prefix::Ebcdic(4), false, 300, &[0xF0, 0xF3, 0xF0, 0xF0]),
            (Prefix::Hex(4), false, 300, b"012C"),
        ];
        for (prefix, includes_itself, frame, wire) in cases {
            let stream = Stream { prefix: *prefix, includes_itself: *includes_itself };
            let mut out = Vec::new();
            assert!(stream.write(*frame, &mut out) && out == *wire);
            assert_eq!(stream.read(&out), Ok(Some(Framed { prefix: wire.len(), frame: *frame })));
            assert_eq!(stream.read(&out[1..]), Ok(None));
        }
        let short = Stream { prefix: Prefix::Ascii(4), includes_itself: true };
        assert!(short.read(b"0003").is_err() && short.read(b"00x3").is_err());
        assert!(!short.write(9_999, &mut Vec::new()));
    }
}
