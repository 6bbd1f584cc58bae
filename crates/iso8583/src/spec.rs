//! The compiled form of one field: what decoding needs to know, and the checks of its content.

use crate::checks;
use crate::dialect_file::Sensitivity;
use crate::error::Problem;

/// How the units of a value lie in its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// Two units a byte.
    Packed,
    /// One unit a byte.
    Bytes,
}

/// Nibble `at` of `bytes`, the high one of a byte first.
#[inline]
pub(crate) fn nibble(bytes: &[u8], at: usize) -> u8 {
    let byte = bytes.get(at / 2).copied().unwrap_or(0);
    if at.is_multiple_of(2) { byte >> 4 } else { byte & 0xF }
}

/// What the content of a field must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Content {
    /// The dialect has no such field.
    Absent,
    PackedDigits,
    PackedTrack,
    AsciiDigits,
    AsciiTrack,
    Printable,
    /// Text in any 8-bit encoding.
    Text,
    Binary,
}

/// The length prefix of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Prefix {
    None,
    /// This many bytes of packed digits.
    Packed(u8),
    /// This many ASCII digits.
    Ascii(u8),
}

impl Prefix {
    /// Bytes of the prefix.
    #[inline]
    pub(crate) fn length(self) -> usize {
        match self {
            Prefix::None => 0,
            Prefix::Packed(length) | Prefix::Ascii(length) => length.into(),
        }
    }

    /// The number that the bytes of a prefix write.
    #[inline]
    pub(crate) fn read(self, bytes: &[u8]) -> Option<u16> {
        match self {
            Prefix::None => None,
            Prefix::Packed(_) => checks::packed_number(bytes),
            Prefix::Ascii(_) => checks::ascii_number(bytes),
        }
    }
}

/// One row of a dialect's flat table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Spec {
    pub(crate) content: Content,
    pub(crate) form: Form,
    pub(crate) prefix: Prefix,
    /// The filler of an odd number of packed units stands first.
    pub(crate) pad_left: bool,
    /// The prefix counts bytes although the units are nibbles.
    pub(crate) counts_bytes: bool,
    /// Units of a fixed field, most units (as the prefix counts them) of any other.
    pub(crate) units: u16,
    pub(crate) sensitive: Sensitivity,
    /// What it hides depends on the message type: see the field's conditions.
    pub(crate) sensitive_varies: bool,
}

impl Spec {
    pub(crate) const ABSENT: Spec = Spec {
        content: Content::Absent,
        form: Form::Bytes,
        prefix: Prefix::None,
        pad_left: false,
        counts_bytes: false,
        units: 0,
        sensitive: Sensitivity::None,
        sensitive_varies: false,
    };

    /// The units that a prefix announces with this number.
    #[inline]
    pub(crate) fn units(&self, announced: u16) -> u16 {
        if self.counts_bytes { announced * 2 } else { announced }
    }

    /// Bytes that hold so many units.
    #[inline]
    pub(crate) fn bytes(&self, units: u16) -> usize {
        match self.form {
            Form::Packed => usize::from(units).div_ceil(2),
            Form::Bytes => usize::from(units),
        }
    }

    /// The nibble at which an odd or even number of packed units begins.
    #[inline]
    pub(crate) fn first_nibble(&self, units: u16) -> usize {
        usize::from(self.form == Form::Packed && self.pad_left && units % 2 == 1)
    }

    /// Whether `value`, which holds `units` units, is what it must be.
    #[inline]
    pub(crate) fn accepts(&self, value: &[u8], units: u16) -> bool {
        match self.content {
            Content::Absent => false,
            Content::Text | Content::Binary => true,
            Content::Printable => checks::printable(value),
            Content::AsciiDigits => checks::ascii_digits(value),
            Content::AsciiTrack => checks::ascii_track(value),
            Content::PackedDigits => self.accepts_packed(value, units, checks::packed_digits, |nibble| nibble < 10),
            Content::PackedTrack => self.accepts_packed(value, units, checks::packed_track, checks::is_track_nibble),
        }
    }

    #[inline]
    fn accepts_packed(
        &self,
        value: &[u8],
        units: u16,
        pairs: impl Fn(&[u8]) -> bool,
        single: impl Fn(u8) -> bool,
    ) -> bool {
        if units.is_multiple_of(2) {
            return pairs(value);
        }
        let parts = if self.pad_left {
            value.split_first().map(|(byte, rest)| (byte >> 4, byte & 0xF, rest))
        } else {
            value.split_last().map(|(byte, rest)| (byte & 0xF, byte >> 4, rest))
        };
        parts.is_some_and(|(filler, nibble, rest)| matches!(filler, 0 | 0xF) && single(nibble) && pairs(rest))
    }

    /// What is wrong with a value that [`Spec::accepts`] refused, and at which of its bytes.
    #[cold]
    pub(crate) fn find_fault(&self, value: &[u8], units: u16) -> (usize, Problem) {
        let fault = match self.form {
            Form::Bytes => value.iter().enumerate().find_map(|(at, byte)| Some((at, self.byte_fault(*byte)?))),
            Form::Packed => self.nibble_fault(value, units),
        };
        fault.unwrap_or((0, Problem::NotInDialect))
    }

    fn byte_fault(&self, found: u8) -> Option<Problem> {
        match self.content {
            Content::Printable if !(0x20..0x7F).contains(&found) => Some(Problem::NotPrintable { found }),
            Content::AsciiDigits if !found.is_ascii_digit() => Some(Problem::NotDigit { found }),
            Content::AsciiTrack if !checks::is_ascii_track(found) => Some(Problem::NotTrack { found }),
            _ => None,
        }
    }

    fn nibble_fault(&self, value: &[u8], units: u16) -> Option<(usize, Problem)> {
        let first = self.first_nibble(units);
        let digits = first..first + usize::from(units);
        (0..value.len() * 2).find_map(|index| {
            let found = nibble(value, index);
            let problem = if !digits.contains(&index) {
                (found != 0 && found != 0xF).then_some(Problem::NotFiller { found })
            } else if self.content == Content::PackedTrack {
                (!checks::is_track_nibble(found)).then_some(Problem::NotTrack { found })
            } else {
                (found > 9).then_some(Problem::NotDigit { found })
            };
            Some((index / 2, problem?))
        })
    }
}
