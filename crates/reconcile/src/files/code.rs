//! Short codes (terminal, merchant, reference, account) as one number each, and the texts of the odd ones.

use std::cmp::Ordering;
use std::sync::{PoisonError, RwLock};

use rustc_hash::FxHashMap;

/// A short code as one number: equal codes are equal texts.
///
/// Up to 19 digits and up to 12 digits and capitals are numbered directly and can be written back; other texts are
/// numbered by [`Texts`] as they come. The empty text is [`Code::NONE`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Code(pub(crate) u64);

/// How many digit strings are shorter than the index: 0, 1, 11, 111, ...
const SHORTER_DIGITS: [u64; 20] = shorter(10);
/// The same for strings of digits and capitals.
const SHORTER_LETTERS: [u64; 13] = shorter(36);
/// First number of codes with capitals; all digit codes lie below.
const LETTERS: u64 = 11_200_000_000_000_000_000;
/// First number of other texts.
const TEXTS: u64 = 0xF000_0000_0000_0000;

const fn shorter<const N: usize>(symbols: u64) -> [u64; N] {
    let mut counts = [0; N];
    let mut length = 1;
    while length < N {
        counts[length] = counts[length - 1] * symbols + 1;
        length += 1;
    }
    counts
}

impl Code {
    /// No code.
    pub const NONE: Self = Self(0);

    /// Whether there is none.
    #[must_use]
    pub const fn is_none(self) -> bool {
        self.0 == 0
    }

    /// The code of `value` written with `length` digits (at most 19).
    #[inline]
    pub(crate) const fn of_digits(value: u64, length: usize) -> Self {
        Self(SHORTER_DIGITS[length] + value)
    }

    /// The code of a short text of digits and capitals.
    fn of_letters(text: &[u8]) -> Option<Self> {
        let shorter = SHORTER_LETTERS.get(text.len())?;
        let mut value = 0;
        for byte in text {
            let digit = match byte {
                b'0'..=b'9' => byte - b'0',
                b'A'..=b'Z' => byte - b'A' + 10,
                _ => return None,
            };
            value = value * 36 + u64::from(digit);
        }
        Some(Self(LETTERS + shorter + value))
    }
}

/// Texts that are too long or too odd for a direct number. Shared by all threads of a run.
#[derive(Debug, Default)]
pub struct Texts(RwLock<Table>);

#[derive(Debug, Default)]
struct Table {
    numbers: FxHashMap<Box<[u8]>, u32>,
    texts: Vec<Box<[u8]>>,
}

impl Texts {
    /// The code of a text.
    pub fn code(&self, text: &[u8]) -> Code {
        if text.is_empty() {
            return Code::NONE;
        }
        if text.len() <= 19 && text.iter().all(u8::is_ascii_digit) {
            let value = text.iter().fold(0_u64, |value, digit| value * 10 + u64::from(digit - b'0'));
            return Code::of_digits(value, text.len());
        }
        Code::of_letters(text).unwrap_or_else(|| self.number(text))
    }

    fn number(&self, text: &[u8]) -> Code {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner).numbers.get(text).copied();
        let number = known.unwrap_or_else(|| {
            let mut table = self.0.write().unwrap_or_else(PoisonError::into_inner);
            if let Some(known) = table.numbers.get(text) {
                return *known;
            }
            let number = u32::try_from(table.texts.len()).unwrap_or(u32::MAX);
            table.texts.push(text.into());
            table.numbers.insert(text.into(), number);
            number
        });
        Code(TEXTS + u64::from(number))
    }

    /// Appends the text of a code.
    pub fn write(&self, code: Code, out: &mut Vec<u8>) {
        if code.0 >= TEXTS {
            let table = self.0.read().unwrap_or_else(PoisonError::into_inner);
            let at = usize::try_from(code.0 - TEXTS).unwrap_or(usize::MAX);
            out.extend_from_slice(table.texts.get(at).map_or(&[][..], |text| text));
        } else if code.0 >= LETTERS {
            write_symbols::<36>(code.0 - LETTERS, &SHORTER_LETTERS, out);
        } else {
            write_symbols::<10>(code.0, &SHORTER_DIGITS, out);
        }
    }

    /// The text of a code.
    pub fn text(&self, code: Code) -> String {
        let mut out = Vec::new();
        self.write(code, &mut out);
        String::from_utf8_lossy(&out).into_owned()
    }

    /// An order that does not depend on which text came first.
    pub(crate) fn compare(&self, one: Code, other: Code) -> Ordering {
        if one.0 < TEXTS || other.0 < TEXTS || one == other {
            return one.cmp(&other);
        }
        self.text(one).cmp(&self.text(other))
    }
}

/// The count of symbols is known when this is compiled: dividing by it is a multiplication.
fn write_symbols<const SYMBOLS: u64>(number: u64, shorter: &[u64], out: &mut Vec<u8>) {
    let length = shorter.iter().rposition(|count| number >= *count).unwrap_or(0);
    let mut value = number - shorter[length];
    let from = out.len();
    out.resize(from + length, b'0');
    for place in out[from..].iter_mut().rev() {
        let digit = u8::try_from(value % SYMBOLS).unwrap_or(0);
        *place = if digit < 10 { b'0' + digit } else { b'A' + digit - 10 };
        value /= SYMBOLS;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_ranges_do_not_meet() {
        let all_nines = Texts::default().code(&[b'9'; 19]);
        assert!(all_nines.0 < LETTERS);
        assert!(Texts::default().code(&[b'Z'; 12]).0 < TEXTS);
        assert_eq!(Texts::default().code(b""), Code::NONE);
    }

    proptest! {
        #[test]
        fn every_text_comes_back(texts in prop::collection::vec("[0-9]{0,19}|[0-9A-Z]{1,13}|[ -~]{1,20}", 1..20)) {
            let table = Texts::default();
            let codes: Vec<Code> = texts.iter().map(|text| table.code(text.as_bytes())).collect();
            for (text, code) in texts.iter().zip(&codes) {
                prop_assert_eq!(&table.text(*code), text);
                prop_assert_eq!(table.code(text.as_bytes()), *code);
            }
            for (one, left) in texts.iter().zip(&codes) {
                for (other, right) in texts.iter().zip(&codes) {
                    prop_assert_eq!(one == other, left == right);
                }
            }
        }
    }
}
