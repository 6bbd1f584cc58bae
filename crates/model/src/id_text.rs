//! Short fixed-capacity codes (terminal, merchant, response code): `Copy`, no allocation, ordered as text.

use std::fmt;

/// A code did not fit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected 1 to {max} printable ASCII characters without spaces, found {found:?}")]
pub struct CodeError {
    max: usize,
    found: String,
}

/// Up to `N` printable ASCII characters, without blanks at either end.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Code<const N: usize>([u8; N]);

/// Terminal number (F41).
pub type TerminalId = Code<8>;
/// Merchant code (F42).
pub type MerchantCode = Code<15>;
/// Response code (F39) or a terminal's local code.
pub type ResponseCode = Code<2>;

impl<const N: usize> Code<N> {
    /// The code with no characters, for sources that leave it out.
    pub const EMPTY: Self = Self([0; N]);

    /// Reads a code; blanks at the ends are dropped.
    ///
    /// # Errors
    /// When it is empty, too long or holds anything but printable ASCII.
    pub fn new(bytes: &[u8]) -> Result<Self, CodeError> {
        let text = bytes.trim_ascii();
        if text.is_empty() || text.len() > N || !text.iter().all(u8::is_ascii_graphic) {
            let found = String::from_utf8_lossy(bytes.get(..N.saturating_mul(2)).unwrap_or(bytes)).into_owned();
            return Err(CodeError { max: N, found });
        }
        let mut code = [0; N];
        for (to, from) in code.iter_mut().zip(text) {
            *to = *from;
        }
        Ok(Self(code))
    }

    /// The code as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        let len = self.0.iter().position(|byte| *byte == 0).unwrap_or(N);
        // Only ASCII gets in, so this never falls back.
        std::str::from_utf8(self.0.get(..len).unwrap_or_default()).unwrap_or_default()
    }

    /// Whether the source left it out.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.first().is_none_or(|byte| *byte == 0)
    }
}

impl<const N: usize> fmt::Display for Code<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl<const N: usize> fmt::Debug for Code<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.as_str())
    }
}

impl<const N: usize> PartialEq<str> for Code<N> {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == other
    }
}

impl<const N: usize> Default for Code<N> {
    fn default() -> Self {
        Self::EMPTY
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trims_and_refuses() {
        assert_eq!(TerminalId::new(b" 55109415 ").unwrap().as_str(), "55109415");
        assert_eq!(ResponseCode::new(b"A7").unwrap().to_string(), "A7");
        assert!(TerminalId::new(b"123456789").is_err());
        assert!(TerminalId::new(b"  ").is_err());
        assert!(TerminalId::new("终端".as_bytes()).is_err());
        assert!(ResponseCode::EMPTY.is_empty());
    }

    proptest::proptest! {
        #[test]
        fn order_is_text_order(a in "[!-~]{1,8}", b in "[!-~]{1,8}") {
            let (left, right) = (TerminalId::new(a.as_bytes()).unwrap(), TerminalId::new(b.as_bytes()).unwrap());
            proptest::prop_assert_eq!(left.cmp(&right), a.cmp(&b));
        }
    }
}
