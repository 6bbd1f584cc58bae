//! The value of a field, sub-field or header part: a window on the frame's bytes.

use std::fmt;
use std::iter::FusedIterator;

use crate::checks;
use crate::spec::Form;

/// A value as it lies in the frame, in units of its own: digits, nibbles or bytes.
#[derive(Clone, Copy)]
pub struct Value<'a> {
    bytes: &'a [u8],
    /// First unit, in `bytes`.
    start: usize,
    units: usize,
    form: Form,
}

impl<'a> Value<'a> {
    /// `units` units of `bytes` from unit `start` on; none when they are not all there.
    #[inline]
    pub(crate) fn new(bytes: &'a [u8], start: usize, units: usize, form: Form) -> Option<Value<'a>> {
        (start + units <= form.capacity(bytes.len())).then_some(Value { bytes, start, units, form })
    }

    /// The part from unit `at` on, `units` long (zero: up to the end).
    #[inline]
    pub(crate) fn part(&self, at: usize, units: usize) -> Option<Value<'a>> {
        let left = self.units.checked_sub(at)?;
        let units = if units == 0 { left } else { units };
        (units <= left).then_some(Value { start: self.start + at, units, ..*self })
    }

    /// Units of the value: digits, nibbles or bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.units
    }

    /// Whether the value has no units.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.units == 0
    }

    /// The bytes of a value whose unit is the byte; none for packed digits and EBCDIC (see [`Value::characters`]).
    #[inline]
    #[must_use]
    pub fn text(&self) -> Option<&'a [u8]> {
        if self.form != Form::Bytes {
            return None;
        }
        self.bytes.get(self.start..self.start + self.units)
    }

    /// The bytes that hold the value.
    pub(crate) fn raw(&self) -> &'a [u8] {
        let (from, to) = match self.form {
            Form::Packed => (self.start / 2, (self.start + self.units).div_ceil(2)),
            Form::Bytes | Form::Ebcdic(_) => (self.start, self.start + self.units),
            Form::Hex => (self.start * 2, (self.start + self.units) * 2),
            Form::Signed => (0, self.bytes.len()),
        };
        self.bytes.get(from..to).unwrap_or_default()
    }

    /// The value as characters, whatever it is written in: packed digits and EBCDIC as ASCII (Latin-1), bytes as they are.
    pub fn characters(&self) -> impl Iterator<Item = u8> + 'a {
        let Value { bytes, start, units, form } = *self;
        (start..start + units).map(move |at| form.unit(bytes, at))
    }

    /// The digits, packed or not; a track's separators are given as `=`. None when a byte of
    /// the value is neither.
    #[inline]
    #[must_use]
    pub fn digits(&self) -> Option<Digits<'a>> {
        let good = match self.form {
            // Packed values were checked when the frame was decoded.
            Form::Packed => true,
            Form::Bytes => self.text().is_some_and(checks::ascii_track),
            Form::Ebcdic(_) | Form::Hex => self.characters().all(checks::is_ascii_track),
            Form::Signed => false,
        };
        good.then_some(Digits { value: *self })
    }

    /// The number that the digits write; none when there are no digits, others than digits, or
    /// too many for 64 bits.
    #[inline]
    #[must_use]
    pub fn number(&self) -> Option<u64> {
        match self.units {
            0 => None,
            // So many nines fit, and zeros before them do not count.
            1..=19 => self.fold(0, |number: u64, digit| Some(number * 10 + u64::from(digit))),
            _ => self.fold(0, |number: u64, digit| number.checked_mul(10)?.checked_add(digit.into())),
        }
    }

    #[inline]
    fn fold(&self, start: u64, mut add: impl FnMut(u64, u8) -> Option<u64>) -> Option<u64> {
        (0..self.units).try_fold(start, |number, index| {
            let digit = self.unit(index).wrapping_sub(b'0');
            if digit < 10 { add(number, digit) } else { None }
        })
    }

    /// Unit `index` as a character.
    #[inline]
    fn unit(&self, index: usize) -> u8 {
        self.form.unit(self.bytes, self.start + index)
    }
}

/// Shows the length only: a value may be anything.
impl fmt::Debug for Value<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Value({} units)", self.units)
    }
}

/// The digits of a value, as ASCII characters; a track's separators are given as `=`.
///
/// `Display` writes them in full: use [`Digits::masked`] for what people see. `Debug` shows the
/// length only.
#[derive(Clone)]
pub struct Digits<'a> {
    value: Value<'a>,
}

impl<'a> Digits<'a> {
    /// The number that they write; see [`Value::number`].
    #[must_use]
    pub fn number(&self) -> Option<u64> {
        self.value.number()
    }

    /// The same digits as a card number that may be shown: the middle ones are stars.
    #[must_use]
    pub fn masked(&self) -> Masked<'a> {
        Masked { digits: self.clone() }
    }

    /// The digits before the first separator of a track.
    #[must_use]
    pub fn before_separator(&self) -> Digits<'a> {
        let units = self.clone().take_while(|digit| *digit != b'=').count();
        Digits { value: Value { units, ..self.value } }
    }
}

impl Iterator for Digits<'_> {
    type Item = u8;

    #[inline]
    fn next(&mut self) -> Option<u8> {
        if self.value.units == 0 {
            return None;
        }
        let digit = self.value.unit(0);
        self.value.start += 1;
        self.value.units -= 1;
        Some(if digit == b'D' { b'=' } else { digit })
    }

    #[inline]
    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.value.units, Some(self.value.units))
    }
}

impl ExactSizeIterator for Digits<'_> {}
impl FusedIterator for Digits<'_> {}

impl PartialEq<str> for Digits<'_> {
    fn eq(&self, other: &str) -> bool {
        self.clone().eq(other.bytes())
    }
}

impl PartialEq<&str> for Digits<'_> {
    fn eq(&self, other: &&str) -> bool {
        *self == **other
    }
}

impl fmt::Display for Digits<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.clone().try_for_each(|digit| fmt::Write::write_char(out, char::from(digit)))
    }
}

impl fmt::Debug for Digits<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Digits({})", self.value.units)
    }
}

/// A card number with its middle digits as stars.
#[derive(Debug, Clone)]
pub struct Masked<'a> {
    digits: Digits<'a>,
}

impl fmt::Display for Masked<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let length = self.digits.len();
        let shown = Reveal::of(length);
        self.digits.clone().enumerate().try_for_each(|(index, digit)| {
            let digit = if shown.hides(index, length) { '*' } else { char::from(digit) };
            fmt::Write::write_char(out, digit)
        })
    }
}

/// How much of a card number may be seen.
#[derive(Clone, Copy)]
pub(crate) struct Reveal {
    first: usize,
    last: usize,
}

impl Reveal {
    /// First 6 and last 4 of a full card number; of anything shorter less, for it would be most
    /// of it.
    #[inline]
    pub(crate) fn of(length: usize) -> Reveal {
        match length {
            13.. => Reveal { first: 6, last: 4 },
            9..=12 => Reveal { first: 0, last: 4 },
            _ => Reveal { first: 0, last: 0 },
        }
    }

    #[inline]
    pub(crate) fn hides(self, index: usize, length: usize) -> bool {
        index >= self.first && index + self.last < length
    }

    /// The hidden positions of a number of this length.
    #[inline]
    pub(crate) fn hidden(self, length: usize) -> std::ops::Range<usize> {
        self.first..length.saturating_sub(self.last)
    }
}
