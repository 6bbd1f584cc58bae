//! Values as people may see them, and back.

use crate::dialect_file::Sensitivity;
use crate::encode::{EncodeError, refuse};
use crate::error::Place;
use crate::spec::Content;
use crate::value::{Reveal, Value};

/// A value in words: text as it is read, or bytes in hexadecimal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shown {
    /// Digits, text; stars where something is hidden.
    Text(String),
    /// Bytes that are no text.
    Hex(String),
}

impl Shown {
    /// What is shown.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Shown::Text(text) | Shown::Hex(text) => text,
        }
    }

    fn map(self, change: impl Fn(&str) -> String) -> Shown {
        match self {
            Shown::Text(text) => Shown::Text(change(&text)),
            Shown::Hex(text) => Shown::Hex(change(&text)),
        }
    }
}

/// A value of a masked frame, with stars where masking put zeros.
pub(crate) fn value(value: Value<'_>, content: Content, sensitivity: Sensitivity) -> Shown {
    match sensitivity {
        Sensitivity::None | Sensitivity::Text | Sensitivity::Emv => plain(value, content),
        Sensitivity::Pan => plain(value, content).map(stars),
        Sensitivity::Track => plain(value, content).map(track_stars),
        Sensitivity::Pin | Sensitivity::Key | Sensitivity::Personal => Shown::Text(hidden(value.len())),
    }
}

pub(crate) fn hidden(units: usize) -> String {
    format!("*** ({units} hidden)")
}

/// Digits as digits, text as text (GBK is read), bytes that are neither in hexadecimal.
pub(crate) fn plain(value: Value<'_>, content: Content) -> Shown {
    let raw = value.raw();
    let characters = || value.characters().map(char::from).collect::<String>();
    match content {
        Content::Binary if raw.is_empty() => Shown::Hex(String::new()),
        Content::HexText => Shown::Hex(characters().to_ascii_uppercase()),
        Content::Digits | Content::Signed | Content::Nibbles => Shown::Text(characters()),
        Content::Track => Shown::Text(characters().replace('D', "=")),
        Content::Printable | Content::Text | Content::Binary | Content::Absent => {
            let text = match value.text() {
                Some(bytes) if bytes.is_ascii() => Some(characters()),
                Some(bytes) if content == Content::Text => {
                    encoding_rs::GBK.decode_without_bom_handling_and_without_replacement(bytes).map(Into::into)
                }
                Some(_) => None,
                None => Some(characters()),
            };
            let good = |text: &String| !text.chars().any(|one| one.is_control() || one == '\u{FFFD}');
            // Bytes are text only where all of them are: a short number looks like text by chance.
            let good = |text: &String| content != Content::Binary && good(text);
            text.filter(good).map_or_else(|| Shown::Hex(hex(raw)), Shown::Text)
        }
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02X}")).collect()
}

/// A card number with stars where masking put zeros.
fn stars(number: &str) -> String {
    let length = number.chars().count();
    let shown = Reveal::of(length);
    let star = |(index, digit)| {
        if shown.hides(index, length) { '*' } else { digit }
    };
    number.chars().enumerate().map(star).collect()
}

/// A track: its card number, then stars. Without a separator nothing but its first digits.
fn track_stars(track: &str) -> String {
    let Some((number, rest)) = track.split_once('=') else {
        let first = Reveal::of(track.len()).hidden(track.len()).start;
        return track.char_indices().map(|(at, digit)| if at < first { digit } else { '*' }).collect();
    };
    let rest = rest.chars().map(|digit| if digit == '=' { '=' } else { '*' });
    stars(number).chars().chain(['=']).chain(rest).collect()
}

/// The bytes to give to the encoder for a value in words.
pub(crate) fn bytes(value: &Shown, content: Content, place: Place) -> Result<Vec<u8>, EncodeError> {
    let text = match value {
        Shown::Hex(text) => return unhex(text, place),
        Shown::Text(text) => text,
    };
    if text.contains('*') && !matches!(content, Content::Printable | Content::Text) {
        return refuse(place, "a value that is not masked", "stars");
    }
    if matches!(content, Content::HexText | Content::Binary) {
        return unhex(text, place);
    }
    if text.is_ascii() {
        return Ok(text.clone().into_bytes());
    }
    let (bytes, _, unmappable) = encoding_rs::GBK.encode(text);
    if unmappable { refuse(place, "text that GBK can write", "other characters") } else { Ok(bytes.into_owned()) }
}

fn unhex(text: &str, place: Place) -> Result<Vec<u8>, EncodeError> {
    let digit = |character: &u8| char::from(*character).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let bytes = pairs.iter().map(|[high, low]| Some(digit(high)? << 4 | digit(low)?)).collect::<Option<Vec<_>>>();
    match bytes.filter(|_| rest.is_empty()) {
        Some(bytes) => Ok(bytes),
        None => refuse(place, "pairs of hexadecimal digits", "something else"),
    }
}
