//! One pass over a frame: every length and every character checked, offsets kept.

use crate::checks::packed_digits;
use crate::dialect::{Dialect, HeaderCheck, HeaderPartInfo};
use crate::error::{DecodeError, Place, Problem};
use crate::message::{FieldSet, Message};
use crate::spec::{Content, Prefix, Spec};

/// Where the fields of one frame lie. Of fixed size, so that decoding allocates nothing.
#[derive(Clone)]
pub(crate) struct Layout {
    pub(crate) mti: u16,
    pub(crate) fields: FieldSet,
    /// First byte of the value of field n. How long it is, is read again where it is needed: a
    /// smaller layout is worth more than that.
    starts: [u16; 129],
    /// Bytes from the start of the frame that were understood.
    pub(crate) understood: usize,
}

/// A field's value: its first byte and its units.
#[derive(Clone, Copy)]
pub(crate) struct Slot {
    pub(crate) at: usize,
    pub(crate) units: u16,
}

impl Layout {
    #[inline]
    pub(crate) fn new() -> Layout {
        Layout { mti: 0, fields: FieldSet::default(), starts: [0; 129], understood: 0 }
    }
}

type Step<T> = Result<T, DecodeError>;

#[cold]
fn fail<T>(offset: usize, place: Place, problem: Problem) -> Step<T> {
    Err(DecodeError { offset, place, problem })
}

/// The `length` bytes at `at`, or the error that they are not there.
#[inline]
fn take(frame: &[u8], at: usize, length: usize, place: impl FnOnce() -> Place) -> Step<&[u8]> {
    match frame.get(at..at + length) {
        Some(bytes) => Ok(bytes),
        None => fail(at, place(), Problem::Truncated { needed: length, left: frame.len().saturating_sub(at) }),
    }
}

impl Dialect {
    /// Decodes a frame without copying it. Every length, digit and character is checked; bytes
    /// that belong to no field are an error.
    ///
    /// # Errors
    /// Says at which byte and in which part decoding stopped, what was expected and what found.
    #[inline]
    pub fn decode<'a>(&'a self, frame: &'a [u8]) -> Result<Message<'a>, DecodeError> {
        let mut layout = Layout::new();
        self.scan(frame, &mut layout)?;
        Ok(Message::new(self, frame, layout))
    }

    /// Fills `layout`; after an error it holds what was understood before it.
    pub(crate) fn scan(&self, frame: &[u8], layout: &mut Layout) -> Step<()> {
        if frame.len() > usize::from(u16::MAX) {
            return fail(usize::from(u16::MAX), Place::Frame, Problem::FrameTooLong { actual: frame.len() });
        }
        self.check_header(frame)?;
        let mut at = self.header.length;
        at += self.read_mti(frame, at, layout)?;
        let (fields, length) = self.read_bitmap(frame, at)?;
        at += length;
        layout.fields = fields;
        for number in fields.iter() {
            match self.read_field(frame, at, number, layout) {
                Ok(behind) => at = behind,
                Err(error) => {
                    layout.fields = fields.below(number);
                    layout.understood = at;
                    return Err(error);
                }
            }
        }
        layout.understood = at;
        if at != frame.len() {
            return fail(at, Place::End, Problem::Trailing { count: frame.len() - at });
        }
        Ok(())
    }

    fn check_header(&self, frame: &[u8]) -> Step<()> {
        if frame.len() < self.header.length {
            let offset = frame.len();
            let place = self.header.place(offset);
            return fail(offset, place, Problem::Truncated { needed: self.header.length - offset, left: 0 });
        }
        for check in &self.header.checks {
            match check {
                HeaderCheck::Digits { at, length } => {
                    let bytes = frame.get(*at..at + length).unwrap_or_default();
                    if !packed_digits(bytes) {
                        return self.header_digit_fault(bytes, *at);
                    }
                }
                HeaderCheck::StartsWith { at, any_of } => {
                    let rest = frame.get(*at..).unwrap_or_default();
                    if !any_of.iter().any(|start| starts_with(rest, start)) {
                        return self.header_mismatch(rest, *at, any_of);
                    }
                }
                HeaderCheck::FrameLength { at, length } => {
                    self.check_frame_length(frame, *at, *length)?;
                }
            }
        }
        Ok(())
    }

    #[cold]
    fn header_digit_fault(&self, bytes: &[u8], at: usize) -> Step<()> {
        let index = bytes.iter().position(|byte| !packed_digits(&[*byte])).unwrap_or(0);
        let byte = bytes.get(index).copied().unwrap_or(0);
        let found = if byte >> 4 > 9 { byte >> 4 } else { byte & 0xF };
        fail(at + index, self.header.place(at + index), Problem::NotDigit { found })
    }

    #[cold]
    fn header_mismatch(&self, rest: &[u8], at: usize, any_of: &[Vec<u8>]) -> Step<()> {
        let hex = |value: &Vec<u8>| value.iter().map(|byte| format!("{byte:02X}")).collect::<String>();
        let expected = any_of.iter().map(hex).collect::<Vec<_>>().join(" or ").into();
        let found = rest.first().copied().unwrap_or(0);
        fail(at, self.header.place(at), Problem::HeaderMismatch { expected, found })
    }

    fn check_frame_length(&self, frame: &[u8], at: usize, length: usize) -> Step<()> {
        let bytes = frame.get(at..at + length).unwrap_or_default();
        if let Some(index) = bytes.iter().position(|byte| !byte.is_ascii_digit()) {
            let found = bytes.get(index).copied().unwrap_or(0);
            return fail(at + index, self.header.place(at), Problem::NotDigit { found });
        }
        let declared = bytes.iter().fold(0, |number, byte| number * 10 + usize::from(byte - b'0'));
        if declared != frame.len() {
            return fail(at, self.header.place(at), Problem::FrameLength { declared, actual: frame.len() });
        }
        Ok(())
    }

    fn read_mti(&self, frame: &[u8], at: usize, layout: &mut Layout) -> Step<usize> {
        let length = self.mti.length();
        let bytes = take(frame, at, length, || Place::Mti)?;
        let mti = if self.mti.ascii {
            if let Some(index) = bytes.iter().position(|byte| !byte.is_ascii_digit()) {
                let found = bytes.get(index).copied().unwrap_or(0);
                return fail(at + index, Place::Mti, Problem::NotDigit { found });
            }
            bytes.iter().fold(0_u16, |mti, byte| mti << 4 | u16::from(byte - b'0'))
        } else {
            if let Some(index) = bytes.iter().position(|byte| !packed_digits(&[*byte])) {
                let byte = bytes.get(index).copied().unwrap_or(0);
                let found = if byte >> 4 > 9 { byte >> 4 } else { byte & 0xF };
                return fail(at + index, Place::Mti, Problem::NotDigit { found });
            }
            bytes.iter().fold(0_u16, |mti, byte| mti << 8 | u16::from(*byte))
        };
        let (version, class) = (mti >> 12, mti >> 8 & 0xF);
        if self.mti.versions >> version & 1 == 0 || !(1..=8).contains(&class) {
            return fail(at, Place::Mti, Problem::UnknownMti { found: mti });
        }
        layout.mti = mti;
        Ok(length)
    }

    /// The fields that the bitmap names, and its length.
    #[inline]
    fn read_bitmap(&self, frame: &[u8], at: usize) -> Step<(FieldSet, usize)> {
        let half = |at: usize| -> Step<u64> {
            match frame.get(at..).and_then(|rest| rest.first_chunk()) {
                Some(bytes) => Ok(u64::from_be_bytes(*bytes)),
                None => fail(at, Place::Bitmap, Problem::Truncated { needed: 8, left: frame.len() - at }),
            }
        };
        let first = half(at)?;
        if first >> 63 == 0 {
            return Ok((FieldSet { first, second: 0 }, 8));
        }
        if !self.secondary {
            return fail(at, Place::Field(1), Problem::NotInDialect);
        }
        Ok((FieldSet { first: first & !(1 << 63), second: half(at + 8)? }, 16))
    }

    /// Where a field lies in a frame that was scanned into `layout`.
    #[inline]
    pub(crate) fn slot(&self, frame: &[u8], layout: &Layout, number: u8) -> Option<Slot> {
        if !layout.fields.contains(number) {
            return None;
        }
        let at = usize::from(*layout.starts.get(usize::from(number))?);
        let spec = self.spec(number);
        let prefix = spec.prefix.length();
        let units = match prefix {
            0 => spec.units,
            _ => spec.units(spec.prefix.read(frame.get(at.checked_sub(prefix)?..at)?)?),
        };
        Some(Slot { at, units })
    }

    /// Reads field `number` at `at`; gives the offset behind it.
    #[inline]
    fn read_field(&self, frame: &[u8], at: usize, number: u8, layout: &mut Layout) -> Step<usize> {
        let spec = self.spec(number);
        if spec.content == Content::Absent {
            let bitmap_at = self.header.length + self.mti.length();
            return fail(bitmap_at + usize::from(number - 1) / 8, Place::Field(number), Problem::NotInDialect);
        }
        let (units, at) = read_length(frame, at, number, spec)?;
        let value = take(frame, at, spec.bytes(units), || Place::Field(number))?;
        if !spec.accepts(value, units) {
            let (index, problem) = spec.find_fault(value, units);
            return fail(at + index, Place::Field(number), problem);
        }
        if let Some(start) = layout.starts.get_mut(usize::from(number)) {
            #[allow(clippy::cast_possible_truncation, reason = "a frame has at most 65,535 bytes")]
            let at = at as u16;
            *start = at;
        }
        Ok(at + value.len())
    }
}

/// Whether `bytes` begin with `start`. Mostly one byte is compared: the first one decides.
#[inline]
fn starts_with(bytes: &[u8], start: &[u8]) -> bool {
    match start {
        [first] => bytes.first() == Some(first),
        _ => bytes.starts_with(start),
    }
}

/// The units of a field and the offset of its value.
#[inline]
fn read_length(frame: &[u8], at: usize, number: u8, spec: &Spec) -> Step<(u16, usize)> {
    let length = spec.prefix.length();
    if length == 0 {
        return Ok((spec.units, at));
    }
    let prefix = take(frame, at, length, || Place::Field(number))?;
    let Some(found) = spec.prefix.read(prefix) else {
        return length_fault(frame, at, number, spec);
    };
    if found > spec.units {
        return fail(at, Place::Field(number), Problem::TooLong { max: spec.units, found });
    }
    Ok((spec.units(found), at + length))
}

#[cold]
fn length_fault(frame: &[u8], at: usize, number: u8, spec: &Spec) -> Step<(u16, usize)> {
    let rest = frame.get(at..).unwrap_or_default();
    let ascii = matches!(spec.prefix, Prefix::Ascii(_));
    let good = |byte: &u8| {
        if ascii { byte.is_ascii_digit() } else { packed_digits(&[*byte]) }
    };
    let index = rest.iter().position(|byte| !good(byte)).unwrap_or(0);
    let byte = rest.get(index).copied().unwrap_or(0);
    let found = match (ascii, byte >> 4 > 9) {
        (true, _) => byte,
        (false, true) => byte >> 4,
        (false, false) => byte & 0xF,
    };
    fail(at + index, Place::Field(number), Problem::NotDigit { found })
}

impl crate::dialect::Header {
    /// The part that byte `offset` of the frame belongs to.
    #[cold]
    pub(crate) fn place(&self, offset: usize) -> Place {
        let covers = |info: &&HeaderPartInfo| {
            let part = info.part;
            let scale = if part.packed { 1 } else { 2 };
            let (from, to) = (usize::from(part.at) * scale, usize::from(part.at + part.units) * scale);
            (from..to).contains(&(offset * 2)) || (from..to).contains(&(offset * 2 + 1))
        };
        self.parts.iter().find(covers).map_or(Place::Frame, |info| Place::Header(info.name.as_str().into()))
    }
}
