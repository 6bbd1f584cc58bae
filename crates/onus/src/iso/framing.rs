//! Lengths before frames: the dialect's, or one that the user names.

use std::fmt;
use std::str::FromStr;

use anyhow::{Result, bail};
use onus_iso8583::{Dialect, Stream};

/// How a length prefix is written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Coding {
    Binary,
    Ascii,
    Bcd,
    Hex,
    Ebcdic,
}

const CODINGS: [(&str, Coding); 5] = [
    ("binary", Coding::Binary),
    ("ascii", Coding::Ascii),
    ("bcd", Coding::Bcd),
    ("hex", Coding::Hex),
    ("ebcdic", Coding::Ebcdic),
];

/// A length prefix: `binary2`, `ascii4`, `ascii4+` (it counts itself).
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Prefix {
    coding: Coding,
    bytes: usize,
    includes_itself: bool,
}

/// What stands before each frame.
#[derive(Clone, Copy)]
pub(crate) enum Framing {
    Dialect(Stream),
    Named(Prefix),
}

impl FromStr for Framing {
    type Err = String;

    fn from_str(text: &str) -> Result<Framing, String> {
        let (name, includes_itself) = text.strip_suffix('+').map_or((text, false), |name| (name, true));
        let found = CODINGS.into_iter().find_map(|(coding, known)| Some((known, name.strip_prefix(coding)?)));
        match found.and_then(|(coding, bytes)| Some((coding, bytes.parse().ok()?))) {
            Some((coding, bytes @ 1..=8)) => Ok(Framing::Named(Prefix { coding, bytes, includes_itself })),
            _ => Err("give binary, ascii, bcd, hex or ebcdic with its bytes, such as binary2 or ascii4+".into()),
        }
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = CODINGS.into_iter().find(|(_, coding)| *coding == self.coding).map_or("", |(name, _)| name);
        write!(out, "{name}{}{}", self.bytes, if self.includes_itself { "+" } else { "" })
    }
}

impl Prefix {
    /// The usual ones.
    pub(super) fn usual() -> Vec<Prefix> {
        let kinds = [(Coding::Binary, 2), (Coding::Binary, 4), (Coding::Ascii, 4), (Coding::Bcd, 2), (Coding::Hex, 4)];
        let both = |(coding, bytes)| [false, true].map(|includes_itself| Prefix { coding, bytes, includes_itself });
        kinds.into_iter().chain([(Coding::Ebcdic, 4)]).flat_map(both).collect()
    }

    fn read(self, bytes: &[u8]) -> Option<usize> {
        let digit = |byte: u8, radix: u32| char::from(byte).to_digit(radix);
        let fold = |number: u64, base: u64, digit: u32| number.checked_mul(base)?.checked_add(digit.into());
        let written = bytes.get(..self.bytes)?;
        let number = written.iter().try_fold(0_u64, |number, byte| match self.coding {
            Coding::Binary => fold(number, 256, (*byte).into()),
            Coding::Ascii => fold(number, 10, digit(*byte, 10)?),
            Coding::Hex => fold(number, 16, digit(*byte, 16)?),
            Coding::Ebcdic => fold(number, 10, u32::from(byte.checked_sub(0xF0)?)).filter(|_| *byte <= 0xF9),
            Coding::Bcd if byte >> 4 < 10 && byte & 0xF < 10 => {
                fold(number, 100, u32::from(byte >> 4) * 10 + u32::from(byte & 0xF))
            }
            Coding::Bcd => None,
        })?;
        let itself = if self.includes_itself { self.bytes } else { 0 };
        usize::try_from(number).ok()?.checked_sub(itself)
    }

    fn write(self, frame: usize, out: &mut Vec<u8>) -> bool {
        let mut rest = if self.includes_itself { frame + self.bytes } else { frame };
        let mut written = vec![0; self.bytes];
        for place in written.iter_mut().rev() {
            let base = match self.coding {
                Coding::Binary => 256,
                Coding::Bcd => 100,
                Coding::Hex => 16,
                Coding::Ascii | Coding::Ebcdic => 10,
            };
            let digit = u8::try_from(rest % base).unwrap_or(0);
            *place = match self.coding {
                Coding::Binary => digit,
                Coding::Bcd => ((digit / 10) << 4) | (digit % 10),
                Coding::Hex if digit > 9 => digit - 10 + b'A',
                Coding::Hex | Coding::Ascii => digit + b'0',
                Coding::Ebcdic => digit + 0xF0,
            };
            rest /= base;
        }
        if rest == 0 {
            out.extend(written);
        }
        rest == 0
    }
}

impl Framing {
    /// Bytes of the prefix.
    pub(super) fn prefix_len(self) -> usize {
        match self {
            Framing::Dialect(stream) => stream.prefix_len(),
            Framing::Named(prefix) => prefix.bytes,
        }
    }

    /// Bytes of the frame behind the prefix at the start of `bytes`; none where no such prefix stands.
    pub(super) fn read(self, bytes: &[u8]) -> Option<usize> {
        match self {
            Framing::Dialect(stream) => stream.read(bytes).ok().flatten().map(|framed| framed.frame),
            Framing::Named(prefix) => prefix.read(bytes),
        }
    }

    /// Appends the prefix of a frame of so many bytes; false when it cannot write so many.
    pub(super) fn write(self, frame: usize, out: &mut Vec<u8>) -> bool {
        match self {
            Framing::Dialect(stream) => stream.write(frame, out),
            Framing::Named(prefix) => prefix.write(frame, out),
        }
    }
}

/// The framing that was named, else the dialect's. An error when one is needed and there is none.
pub(super) fn choose(named: Option<Framing>, dialect: &Dialect, needed: bool) -> Result<Option<Framing>> {
    match named.or_else(|| dialect.stream().map(Framing::Dialect)) {
        None if needed => bail!(
            "the dialect {} does not say how frames follow each other; give --framing, or add [stream] to its file",
            dialect.id()
        ),
        framing => Ok(framing),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_prefix_reads_what_it_wrote() {
        for prefix in Prefix::usual() {
            let named: Framing = prefix.to_string().parse().expect("its own name");
            for frame in [0, 1, 77, 255, 256, 1500, 9990] {
                let mut out = Vec::new();
                assert!(named.write(frame, &mut out), "{prefix} {frame}");
                assert_eq!(out.len(), named.prefix_len());
                assert_eq!(named.read(&out), Some(frame), "{prefix} {frame}: {out:02x?}");
                assert_eq!(named.read(&out[1..]), None);
            }
        }
        assert!("binary9".parse::<Framing>().is_err() && "morse2".parse::<Framing>().is_err());
        let four: Framing = "ascii4".parse().expect("a name");
        assert!(!four.write(10_000, &mut Vec::new()));
        assert_eq!(four.read(b"00x1"), None);
    }
}
