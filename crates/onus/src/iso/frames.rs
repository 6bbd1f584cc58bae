//! Messages out of files: hex text or raw bytes, one or many.

use std::io::Read;
use std::path::Path;

use anyhow::{Context, Result};
use clap::ValueEnum;
use onus_iso8583::{DecodeError, Dialect};

use super::framing::Framing;

/// What the input is.
#[derive(Clone, Copy, ValueEnum, PartialEq, Eq)]
pub(crate) enum Input {
    /// Hexadecimal text, one message a line.
    Hex,
    /// The characters themselves, one message a line.
    Text,
    /// The bytes themselves.
    Raw,
}

impl Input {
    pub(super) fn name(self) -> &'static str {
        match self {
            Input::Hex => "hex",
            Input::Text => "text",
            Input::Raw => "raw",
        }
    }
}

/// Why there is no message where one should be.
#[derive(Debug, Clone)]
pub(super) enum Fault {
    /// The line is no hexadecimal text: column and what stands there.
    NotHex {
        column: usize,
        found: String,
    },
    /// The length before a frame says more than is there, or nothing.
    NotFramed {
        left: usize,
    },
    Decode(DecodeError),
}

impl std::fmt::Display for Fault {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Fault::NotHex { column, found } => {
                write!(out, "column {column}: expected pairs of hexadecimal digits, found {found}")
            }
            Fault::NotFramed { left } => {
                write!(out, "expected a length and as many bytes behind it, found {left} bytes that are no such frame")
            }
            Fault::Decode(error) => error.fmt(out),
        }
    }
}

impl From<DecodeError> for Fault {
    fn from(error: DecodeError) -> Fault {
        Fault::Decode(error)
    }
}

/// One frame, and where it was.
pub(super) struct Frame {
    pub(super) index: usize,
    /// Line of hex text, from 1.
    pub(super) line: Option<usize>,
    /// Offset of the frame, behind its length, in the bytes of its line or file.
    pub(super) offset: usize,
    /// Bytes of the length before it.
    pub(super) prefix: Vec<u8>,
    pub(super) bytes: Result<Vec<u8>, Fault>,
    /// Bytes that belong to no frame.
    pub(super) rest: Vec<u8>,
}

pub(super) struct Frames {
    pub(super) input: Input,
    pub(super) frames: Vec<Frame>,
}

/// A file's bytes, or those of standard input.
pub(super) fn read_file(path: &Path) -> Result<Vec<u8>> {
    if path == Path::new("-") {
        let mut content = Vec::new();
        std::io::stdin().read_to_end(&mut content).context("could not read standard input")?;
        return Ok(content);
    }
    std::fs::read(path).with_context(|| format!("could not read {}", path.display()))
}

/// A line's content without its comment.
fn uncommented(line: &str) -> &str {
    line.split_once('#').map_or(line, |(before, _)| before)
}

/// Whether most lines are hexadecimal; those that are not are reported then, each by itself.
fn looks_like_hex(content: &[u8]) -> bool {
    std::str::from_utf8(content).is_ok_and(|text| {
        let lines = text.lines().map(uncommented).filter(|line| !line.trim().is_empty());
        let (good, all) = lines.fold((0, 0), |(good, all), line| (good + usize::from(unhex(line).is_ok()), all + 1));
        good * 2 > all
    })
}

/// The bytes that hex text writes: spaces, and `0x` before a number, do not count.
pub(super) fn unhex(line: &str) -> Result<Vec<u8>, Fault> {
    let mut nibbles = Vec::with_capacity(line.len());
    let mut rest = line.char_indices().peekable();
    while let Some((at, character)) = rest.next() {
        match character.to_digit(16) {
            Some(0) if rest.next_if(|(_, next)| matches!(next, 'x' | 'X')).is_some() => {}
            Some(nibble) => nibbles.push(u8::try_from(nibble).unwrap_or(0)),
            None if character.is_whitespace() || matches!(character, ',' | ':' | '-') => {}
            None => return Err(Fault::NotHex { column: at + 1, found: character.to_string() }),
        }
    }
    let (pairs, odd) = nibbles.as_chunks::<2>();
    if !odd.is_empty() {
        return Err(Fault::NotHex { column: line.len(), found: "an odd number of digits".into() });
    }
    Ok(pairs.iter().map(|[high, low]| high << 4 | low).collect())
}

/// The bytes of each message as the input has them: a line of hex text, or all of it.
pub(super) fn unpacked(content: &[u8], input: Input) -> Vec<Vec<u8>> {
    pieces(content, input).into_iter().filter_map(|(_, bytes)| bytes.ok()).collect()
}

/// What the input may be, likeliest first: digits alone are hex text and ASCII messages alike.
pub(super) fn guesses(content: &[u8]) -> Vec<Input> {
    let mut guesses = Vec::new();
    if looks_like_hex(content) {
        guesses.push(Input::Hex);
    }
    guesses.push(Input::Raw);
    if content.contains(&b'\n') {
        guesses.push(Input::Text);
    }
    guesses
}

type Piece = (Option<usize>, Result<Vec<u8>, Fault>);

fn pieces(content: &[u8], input: Input) -> Vec<Piece> {
    match input {
        Input::Raw if content.is_empty() => Vec::new(),
        Input::Raw => vec![(None, Ok(content.to_vec()))],
        Input::Text => content
            .split(|byte| *byte == b'\n')
            .enumerate()
            .map(|(index, line)| (index + 1, line.strip_suffix(b"\r").unwrap_or(line)))
            .filter(|(_, line)| !line.is_empty())
            .map(|(number, line)| (Some(number), Ok(line.to_vec())))
            .collect(),
        Input::Hex => String::from_utf8_lossy(content)
            .lines()
            .enumerate()
            .map(|(index, line)| (index + 1, uncommented(line)))
            .filter(|(_, line)| !line.trim().is_empty())
            .map(|(number, line)| (Some(number), unhex(line)))
            .collect(),
    }
}

impl Frames {
    /// The frames of an input; where it is not said what it is, the first guess with a readable message.
    pub(super) fn of(
        content: &[u8],
        input: Option<Input>,
        framing: Option<Framing>,
        stream: bool,
        dialect: &Dialect,
    ) -> Frames {
        if let Some(input) = input {
            return Frames::taken_as(input, content, framing, stream, dialect);
        }
        let readable = |frames: &Frames| {
            let mut bytes = frames.frames.iter().filter_map(|frame| frame.bytes.as_ref().ok());
            bytes.any(|bytes| dialect.decode(bytes).is_ok())
        };
        let guesses = guesses(content).into_iter();
        let mut taken =
            guesses.map(|input| Frames::taken_as(input, content, framing, stream, dialect)).collect::<Vec<_>>();
        let best = taken.iter().position(readable).unwrap_or(0);
        taken.swap_remove(best)
    }

    /// Without `stream`, a piece that is no message whole is taken apart only where lengths before
    /// frames fill it exactly.
    fn taken_as(input: Input, content: &[u8], framing: Option<Framing>, stream: bool, dialect: &Dialect) -> Frames {
        let mut frames = Frames { input, frames: Vec::new() };
        for (line, bytes) in pieces(content, input) {
            match (bytes, framing) {
                (Ok(bytes), Some(framing)) if stream => frames.split(line, &bytes, framing),
                (Ok(bytes), Some(framing)) if dialect.decode(&bytes).is_err() && fills(&bytes, framing) => {
                    frames.split(line, &bytes, framing);
                }
                (bytes, _) => {
                    let bytes = bytes.map(|bytes| without_line_end(bytes, input, dialect));
                    frames.push(line, 0, &[], bytes);
                }
            }
        }
        frames
    }

    fn push(&mut self, line: Option<usize>, offset: usize, prefix: &[u8], bytes: Result<Vec<u8>, Fault>) {
        let (index, prefix) = (self.frames.len(), prefix.to_vec());
        self.frames.push(Frame { index, line, offset, prefix, bytes, rest: Vec::new() });
    }

    fn split(&mut self, line: Option<usize>, bytes: &[u8], framing: Framing) {
        let mut at = 0;
        while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
            let prefix = framing.prefix_len();
            let whole = framing.read(rest).and_then(|frame| rest.get(..prefix + frame));
            let Some((written, frame)) = whole.map(|whole| whole.split_at(prefix)) else {
                self.push(line, at, &[], Err(Fault::NotFramed { left: rest.len() }));
                if let Some(last) = self.frames.last_mut() {
                    last.rest = rest.to_vec();
                }
                return;
            };
            self.push(line, at + prefix, written, Ok(frame.to_vec()));
            at += prefix + frame.len();
        }
    }
}

/// A message that an editor ended with a line end, without it.
fn without_line_end(mut bytes: Vec<u8>, input: Input, dialect: &Dialect) -> Vec<u8> {
    let kept = bytes.iter().rposition(|byte| !matches!(byte, b'\r' | b'\n')).map_or(0, |last| last + 1);
    let cut = input == Input::Raw && dialect.decode(&bytes).is_err();
    if cut && bytes.get(..kept).is_some_and(|message| dialect.decode(message).is_ok()) {
        bytes.truncate(kept);
    }
    bytes
}

/// Whether lengths before frames fill `bytes` exactly.
pub(super) fn fills(bytes: &[u8], framing: Framing) -> bool {
    let mut rest = bytes;
    while !rest.is_empty() {
        let next =
            framing.read(rest).filter(|frame| *frame > 0).and_then(|frame| rest.get(framing.prefix_len() + frame..));
        match next {
            Some(next) => rest = next,
            None => return false,
        }
    }
    !bytes.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hex_text_is_read_as_people_write_it() {
        let table: [(&str, Option<&[u8]>); 6] = [
            ("0200 1a2B", Some(&[2, 0, 0x1A, 0x2B])),
            ("0x02 0x00, 0X1a", Some(&[2, 0, 0x1A])),
            ("02:00-01", Some(&[2, 0, 1])),
            ("00", Some(&[0])),
            ("020", None),
            ("02 zz", None),
        ];
        for (text, bytes) in table {
            assert_eq!(unhex(text).ok().as_deref(), bytes, "{text}");
        }
        assert!(looks_like_hex(b"# a comment\n0200 00 # another\n\n0x01\nzz\n"));
        assert!(!looks_like_hex(b"# only a comment\n") && !looks_like_hex(b"ISO0200") && !looks_like_hex(&[2, 0xFF]));
    }
}
