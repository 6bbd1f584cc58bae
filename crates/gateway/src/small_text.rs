//! Short text of fixed capacity: `Copy`, no allocation.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Up to `N` bytes of printable ASCII text.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SmallText<const N: usize> {
    bytes: [u8; N],
    length: u8,
}

impl<const N: usize> SmallText<N> {
    /// Takes a text without the blanks and zeros at its ends; none when nothing is left, when it is too long, or when
    /// it holds anything but printable ASCII.
    #[must_use]
    pub fn new(text: &[u8]) -> Option<SmallText<N>> {
        let text = trim(text);
        if text.is_empty() || !text.iter().all(|byte| (0x20..0x7F).contains(byte)) {
            return None;
        }
        let mut bytes = [0; N];
        bytes.get_mut(..text.len())?.copy_from_slice(text);
        Some(SmallText { bytes, length: u8::try_from(text.len()).ok()? })
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // Only ASCII gets in, so this never falls back.
        std::str::from_utf8(self.as_bytes()).unwrap_or_default()
    }

    /// The bytes of the text.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.length)).unwrap_or_default()
    }
}

fn trim(text: &[u8]) -> &[u8] {
    let blank = |byte: &u8| matches!(*byte, b' ' | 0);
    let Some(first) = text.iter().position(|byte| !blank(byte)) else { return &[] };
    let last = text.iter().rposition(|byte| !blank(byte)).unwrap_or(first);
    text.get(first..=last).unwrap_or_default()
}

impl<const N: usize> fmt::Display for SmallText<N> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(self.as_str())
    }
}

impl<const N: usize> fmt::Debug for SmallText<N> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:?}", self.as_str())
    }
}

impl<const N: usize> Serialize for SmallText<N> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de, const N: usize> Deserialize<'de> for SmallText<N> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        SmallText::new(text.as_bytes())
            .ok_or_else(|| serde::de::Error::custom(format_args!("expected 1 to {N} printable ASCII characters")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_go_and_what_does_not_fit_is_refused() {
        let read = |text: &[u8]| SmallText::<8>::new(text).map(|text| text.to_string());
        assert_eq!(read(b"00012345").as_deref(), Some("00012345"));
        assert_eq!(read(b"  AB C\0 ").as_deref(), Some("AB C"));
        assert_eq!(read(b""), None);
        assert_eq!(read(b"  \0"), None);
        assert_eq!(read(b"123456789"), None);
        assert_eq!(read("终端".as_bytes()), None);
        assert_eq!(format!("{:?}", SmallText::<8>::new(b"A1").unwrap()), "\"A1\"");
    }
}
