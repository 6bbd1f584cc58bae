//! The compiled form of one field: what decoding needs to know, and the checks of its content.

use crate::checks;
use crate::dialect_file::Sensitivity;
use crate::ebcdic::{self, Page};
use crate::error::Problem;

/// How the units of a value lie in its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// Two units a byte.
    Packed,
    /// One unit a byte.
    Bytes,
    /// One EBCDIC character a byte.
    Ebcdic(Page),
    /// One character in two ASCII hexadecimal digits of its code.
    Hex,
    /// A letter in one byte, then packed digits.
    Signed,
}

/// Nibble `at` of `bytes`, the high one of a byte first.
#[inline]
pub(crate) fn nibble(bytes: &[u8], at: usize) -> u8 {
    let byte = bytes.get(at / 2).copied().unwrap_or(0);
    if at.is_multiple_of(2) { byte >> 4 } else { byte & 0xF }
}

impl Form {
    /// Bytes that hold so many units.
    #[inline]
    pub(crate) fn bytes(self, units: u16) -> usize {
        match self {
            Form::Packed => usize::from(units).div_ceil(2),
            Form::Bytes | Form::Ebcdic(_) => usize::from(units),
            Form::Hex => usize::from(units) * 2,
            Form::Signed => 1 + usize::from(units.saturating_sub(1)).div_ceil(2),
        }
    }

    /// Most units that so many bytes hold.
    pub(crate) fn capacity(self, bytes: usize) -> usize {
        match self {
            Form::Packed => bytes * 2,
            Form::Bytes | Form::Ebcdic(_) => bytes,
            Form::Hex => bytes / 2,
            Form::Signed => (bytes * 2).saturating_sub(1),
        }
    }

    /// Unit `at` of `bytes` as an ASCII character (packed nibbles above 9 as letters, other text as it is).
    #[inline]
    pub(crate) fn unit(self, bytes: &[u8], at: usize) -> u8 {
        match self {
            Form::Bytes => bytes.get(at).copied().unwrap_or(0),
            Form::Packed => checks::hex_character(nibble(bytes, at)),
            Form::Ebcdic(page) => page.to_latin(bytes.get(at).copied().unwrap_or(0)),
            Form::Hex => {
                let digit = |at: usize| bytes.get(at).and_then(|byte| char::from(*byte).to_digit(16));
                let code = digit(at * 2).zip(digit(at * 2 + 1)).map(|(high, low)| high << 4 | low);
                code.and_then(|code| u8::try_from(code).ok()).unwrap_or(0xFF)
            }
            Form::Signed if at == 0 => bytes.first().copied().unwrap_or(0),
            Form::Signed => checks::hex_character(nibble(bytes, at + 1)),
        }
    }
}

/// What the content of a field must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Content {
    /// The dialect has no such field.
    Absent,
    /// Digits.
    Digits,
    /// Digits and separators.
    Track,
    /// Any nibbles.
    Nibbles,
    /// Printable ASCII.
    Printable,
    /// Text in any 8-bit encoding.
    Text,
    Binary,
    /// Bytes written as hexadecimal characters.
    HexText,
    /// A letter C or D (or a sign), then digits.
    Signed,
}

/// Which check a value gets: content and form in one, for the hot path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Check {
    Absent,
    Any,
    Printable,
    AsciiDigits,
    AsciiTrack,
    PackedDigits,
    PackedTrack,
    /// Unit by unit.
    Units,
}

impl Check {
    pub(crate) const fn of(content: Content, form: Form) -> Check {
        match (content, form) {
            (Content::Absent, _) => Check::Absent,
            (Content::Text, Form::Hex) => Check::Units,
            (Content::Text | Content::Binary | Content::Nibbles, _) => Check::Any,
            (Content::Printable, Form::Bytes) => Check::Printable,
            (Content::Digits, Form::Bytes) => Check::AsciiDigits,
            (Content::Track, Form::Bytes) => Check::AsciiTrack,
            (Content::Digits, Form::Packed) => Check::PackedDigits,
            (Content::Track, Form::Packed) => Check::PackedTrack,
            _ => Check::Units,
        }
    }
}

/// The length prefix of a field, and its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Prefix {
    /// Fixed length.
    None,
    /// All bytes that are left.
    Rest,
    Packed(u8),
    Ascii(u8),
    Ebcdic(u8),
    /// Big-endian.
    Binary(u8),
    /// Big-endian, as ASCII hexadecimal characters.
    Hex(u8),
}

impl Prefix {
    /// Bytes of the prefix.
    #[inline]
    pub(crate) fn length(self) -> usize {
        match self {
            Prefix::None | Prefix::Rest => 0,
            Prefix::Packed(length)
            | Prefix::Ascii(length)
            | Prefix::Ebcdic(length)
            | Prefix::Binary(length)
            | Prefix::Hex(length) => length.into(),
        }
    }

    /// The number that the bytes of a prefix write.
    #[inline]
    pub(crate) fn read(self, bytes: &[u8]) -> Option<u32> {
        match self {
            Prefix::None | Prefix::Rest => None,
            Prefix::Packed(_) => checks::packed_number(bytes),
            Prefix::Ascii(_) => checks::ascii_number(bytes),
            Prefix::Ebcdic(_) => bytes
                .iter()
                .try_fold(0_u32, |number, byte| number.checked_mul(10)?.checked_add(ebcdic::digit(*byte)?.into())),
            Prefix::Binary(_) => {
                bytes.iter().try_fold(0_u32, |number, byte| number.checked_mul(256)?.checked_add((*byte).into()))
            }
            Prefix::Hex(_) => bytes
                .iter()
                .try_fold(0_u32, |number, byte| number.checked_mul(16)?.checked_add(char::from(*byte).to_digit(16)?)),
        }
    }

    /// Appends a number; none when it does not fit.
    pub(crate) fn write(self, number: usize, out: &mut Vec<u8>) -> Option<()> {
        let from = out.len();
        out.resize(from + self.length(), 0);
        self.put(number, out.get_mut(from..)?).then_some(())
    }

    /// Writes a number over bytes as many as the prefix has; false when it does not fit.
    #[inline]
    pub(crate) fn put(self, number: usize, target: &mut [u8]) -> bool {
        let mut rest = number;
        for place in target.iter_mut().rev() {
            let (byte, base) = match self {
                Prefix::None | Prefix::Rest => return false,
                Prefix::Packed(_) => (((rest % 100 / 10) << 4) | (rest % 10), 100),
                Prefix::Ascii(_) => (rest % 10 + 0x30, 10),
                Prefix::Ebcdic(_) => (rest % 10 + 0xF0, 10),
                Prefix::Binary(_) => (rest % 256, 256),
                Prefix::Hex(_) => (usize::from(b"0123456789ABCDEF".get(rest % 16).copied().unwrap_or(0)), 16),
            };
            #[allow(clippy::cast_possible_truncation, reason = "each is below 256")]
            let byte = byte as u8;
            *place = byte;
            rest /= base;
        }
        rest == 0
    }
}

/// One row of a dialect's flat table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Spec {
    pub(crate) content: Content,
    pub(crate) form: Form,
    /// Follows from content and form.
    pub(crate) check: Check,
    /// Nothing but the check is to be done when it is decoded.
    pub(crate) plain: bool,
    pub(crate) prefix: Prefix,
    /// The filler stands first: of an odd number of packed units when read, of short text when written.
    pub(crate) pad_left: bool,
    /// Units that one counted by the prefix stands for.
    pub(crate) scale: u8,
    /// What fills: a nibble or an ASCII character.
    pub(crate) fill: u8,
    /// The prefix counts two for each unit.
    pub(crate) halves: bool,
    /// A last nibble F is filler although the prefix, which counts bytes, counts it.
    pub(crate) trims: bool,
    /// Fewest units that the prefix may count.
    pub(crate) min: u16,
    /// Units of a fixed field, most units (as the prefix counts them) of any other.
    pub(crate) units: u16,
    pub(crate) sensitive: Sensitivity,
    /// What it hides depends on the message type: see the field's conditions.
    pub(crate) sensitive_varies: bool,
    /// It has parts: see the field.
    pub(crate) structured: bool,
}

impl Spec {
    pub(crate) const ABSENT: Spec = Spec {
        content: Content::Absent,
        form: Form::Bytes,
        check: Check::Absent,
        plain: false,
        prefix: Prefix::None,
        pad_left: false,
        scale: 1,
        fill: b' ',
        halves: false,
        trims: false,
        min: 0,
        units: 0,
        sensitive: Sensitivity::None,
        sensitive_varies: false,
        structured: false,
    };

    /// Bytes of which nothing is known.
    pub(crate) const UNKNOWN: Spec = Spec {
        content: Content::Binary,
        check: Check::Any,
        prefix: Prefix::Rest,
        units: u16::MAX,
        sensitive: Sensitivity::Text,
        ..Spec::ABSENT
    };

    /// The units that a prefix announces with this number.
    #[inline]
    pub(crate) fn units(&self, announced: u16) -> u16 {
        if self.halves { announced.div_ceil(2) } else { announced.saturating_mul(self.scale.into()) }
    }

    /// Bytes that hold so many units.
    #[inline]
    pub(crate) fn bytes(&self, units: u16) -> usize {
        self.form.bytes(units)
    }

    /// The units of a value without the filler that its prefix counts.
    #[inline]
    pub(crate) fn trimmed(&self, units: u16, value: &[u8]) -> u16 {
        let filled = self.trims && units > 0 && value.last().is_some_and(|byte| byte & 0xF == 0xF);
        units - u16::from(filled)
    }

    /// The nibble at which an odd or even number of packed units begins.
    #[inline]
    pub(crate) fn first_nibble(&self, units: u16) -> usize {
        usize::from(self.form == Form::Packed && self.pad_left && units % 2 == 1)
    }

    /// Whether `value`, which holds `units` units, is what it must be.
    #[inline]
    pub(crate) fn accepts(&self, value: &[u8], units: u16) -> bool {
        match self.check {
            Check::Absent => false,
            Check::Any => true,
            Check::Printable => checks::printable(value),
            Check::AsciiDigits => checks::ascii_digits(value),
            Check::AsciiTrack => checks::ascii_track(value),
            Check::PackedDigits => self.accepts_packed(value, units, checks::packed_digits, |nibble| nibble < 10),
            Check::PackedTrack => self.accepts_packed(value, units, checks::packed_track, checks::is_track_nibble),
            Check::Units => self.find_unit(value, units).is_none(),
        }
    }

    /// The same for content that is in its final bytes.
    pub(crate) fn written(self) -> Spec {
        Spec { content: Content::Binary, form: Form::Bytes, ..self }.settled()
    }

    /// The same with the fields set that follow from others.
    pub(crate) fn settled(self) -> Spec {
        let plain = self.scale == 1
            && !self.halves
            && !self.trims
            && !self.structured
            && self.sensitive != Sensitivity::Emv
            && self.prefix != Prefix::Rest;
        Spec { check: Check::of(self.content, self.form), plain, ..self }
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
        parts.is_some_and(|(filler, nibble, rest)| {
            (matches!(filler, 0 | 0xF) || filler == self.fill) && single(nibble) && pairs(rest)
        })
    }

    /// The first unit that cannot be, as the byte it stands in and what is wrong.
    fn find_unit(&self, value: &[u8], units: u16) -> Option<(usize, Problem)> {
        let byte_of = |at: usize| match self.form {
            Form::Bytes | Form::Ebcdic(_) => at,
            Form::Packed => at / 2,
            Form::Hex => at * 2,
            Form::Signed => at.div_ceil(2),
        };
        let hex = |byte: &u8| !byte.is_ascii_hexdigit();
        if let Some(index) = value.iter().position(hex).filter(|_| self.form == Form::Hex) {
            return Some((index, Problem::NotHex { found: value.get(index).copied().unwrap_or(0) }));
        }
        (0..usize::from(units)).find_map(|at| {
            let unit = self.form.unit(value, at);
            let index = byte_of(at);
            let found = value.get(index).copied().unwrap_or(0);
            let problem = match self.content {
                Content::Printable => (!(0x20..0x7F).contains(&unit)).then_some(Problem::NotPrintable { found }),
                Content::Track => (!checks::is_ascii_track(unit)).then_some(Problem::NotTrack { found }),
                Content::HexText => (!unit.is_ascii_hexdigit()).then_some(Problem::NotHex { found }),
                Content::Signed if at == 0 => (!matches!(unit, b'C' | b'D' | b'c' | b'd' | b'+' | b'-' | b' ' | b'0'))
                    .then_some(Problem::NotSign { found }),
                Content::Digits | Content::Signed => (!unit.is_ascii_digit()).then_some(Problem::NotDigit { found }),
                Content::Absent | Content::Nibbles | Content::Text | Content::Binary => None,
            };
            Some((index, problem?))
        })
    }

    /// What is wrong with a value that [`Spec::accepts`] refused, and at which of its bytes.
    #[cold]
    pub(crate) fn find_fault(&self, value: &[u8], units: u16) -> (usize, Problem) {
        let fault = match self.form {
            Form::Packed => self.nibble_fault(value, units),
            _ => self.find_unit(value, units),
        };
        fault.unwrap_or((0, Problem::NotInDialect))
    }

    fn nibble_fault(&self, value: &[u8], units: u16) -> Option<(usize, Problem)> {
        let first = self.first_nibble(units);
        let digits = first..first + usize::from(units);
        (0..value.len() * 2).find_map(|index| {
            let found = nibble(value, index);
            let problem = if !digits.contains(&index) {
                (found != 0 && found != 0xF && found != self.fill).then_some(Problem::NotFiller { found })
            } else if self.content == Content::Track {
                (!checks::is_track_nibble(found)).then_some(Problem::NotTrack { found })
            } else {
                (found > 9).then_some(Problem::NotDigit { found })
            };
            Some((index / 2, problem?))
        })
    }
}
