//! One pass over a frame: every length and every character checked, offsets kept.

use crate::bitmap::BitmapForm;
use crate::checks::packed_digits;
use crate::dialect::{Dialect, HeaderCheck, HeaderPartInfo, THIRD_BITMAP};
use crate::dialect_file::Sensitivity;
use crate::error::{DecodeError, Place, Problem};
use crate::message::{FieldSet, Message};
use crate::show;
use crate::spec::{Content, Form, Prefix, Spec};
use crate::structure::Fault;
use crate::tlv::TlvIndex;

/// Where the fields of one frame lie. Of fixed size, so that decoding allocates nothing.
#[derive(Clone)]
pub(crate) struct Layout {
    pub(crate) mti: u16,
    pub(crate) fields: FieldSet,
    /// First byte of the value of field n. How long it is, is read again where it is needed: a
    /// smaller layout is worth more than that.
    starts: [u16; 193],
    /// Bytes from the start of the frame that were understood.
    pub(crate) understood: usize,
    pub(crate) tlv: TlvIndex,
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
        Layout { mti: 0, fields: FieldSet::default(), starts: [0; 193], understood: 0, tlv: TlvIndex::NONE }
    }

    #[inline]
    fn keep(&mut self, number: u8, at: usize) {
        if let Some(start) = self.starts.get_mut(usize::from(number)) {
            #[allow(clippy::cast_possible_truncation, reason = "a frame has at most 65,535 bytes")]
            let at = at as u16;
            *start = at;
        }
    }

    /// A layout that is filled without an index of chip data, for who masks them anyway.
    pub(crate) fn without_index() -> Layout {
        let mut layout = Layout::new();
        layout.tlv.field = TlvIndex::NOT_WANTED;
        layout
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
        at = self.read_bitmap(frame, at, layout)?;
        at = self.read_fields(frame, at, layout)?;
        layout.understood = at;
        if at != frame.len() {
            return fail(at, Place::End, Problem::Trailing { count: frame.len() - at });
        }
        self.check_mandatory(layout)
    }

    /// Reads the fields of the bitmaps; gives the offset behind the last.
    #[inline]
    fn read_fields(&self, frame: &[u8], mut at: usize, layout: &mut Layout) -> Step<usize> {
        for half in 0..3_u8 {
            // Read anew for each: a third bitmap stands among the fields of the second.
            let mut left = layout.fields.half(half);
            while left != 0 {
                let place = left.leading_zeros();
                left &= !(1 << 63 >> place);
                #[allow(clippy::cast_possible_truncation, reason = "at most 63")]
                let number = half * 64 + place as u8 + 1;
                match self.read_field(frame, at, number, layout) {
                    Ok(behind) => at = behind,
                    Err(error) => {
                        layout.fields = layout.fields.below(number);
                        layout.understood = at;
                        return Err(error);
                    }
                }
            }
        }
        Ok(at)
    }

    fn check_mandatory(&self, layout: &Layout) -> Step<()> {
        let Some((_, needed)) = self.mandatory.iter().find(|(mti, _)| *mti == layout.mti) else {
            return Ok(());
        };
        match needed.without(layout.fields).first() {
            None => Ok(()),
            Some(number) => fail(layout.understood, Place::Field(number), Problem::Missing),
        }
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
        let expected = any_of.iter().map(|value| show::hex(value)).collect::<Vec<_>>().join(" or ").into();
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
        let (form, length) = (self.mti.form, self.mti.form.bytes(4));
        let bytes = take(frame, at, length, || Place::Mti)?;
        let mut mti = 0;
        for index in 0..4 {
            let digit = form.unit(bytes, index).wrapping_sub(b'0');
            if digit > 9 {
                return mti_fault(bytes, form, at, index);
            }
            mti = mti << 4 | u16::from(digit);
        }
        let (version, class) = (mti >> 12, mti >> 8 & 0xF);
        if self.mti.versions >> version & 1 == 0 || !(1..=8).contains(&class) {
            return fail(at, Place::Mti, Problem::UnknownMti { found: mti });
        }
        layout.mti = mti;
        Ok(length)
    }

    /// Reads which fields there are; gives the offset behind the bitmaps.
    #[inline]
    fn read_bitmap(&self, frame: &[u8], at: usize, layout: &mut Layout) -> Step<usize> {
        let form = self.bitmap.form;
        let length = form.length(8);
        let first = read_word(frame, at, form)?;
        layout.fields = FieldSet { first: first & !(1 << 63), second: 0, third: 0 };
        if self.bitmap.fixed_bytes == 0 {
            if first >> 63 == 0 {
                return Ok(at + length);
            }
            if !self.bitmap.secondary {
                return fail(at, Place::Field(1), Problem::NotInDialect);
            }
            layout.fields.second = read_word(frame, at + length, form)?;
            if self.bitmap.joined && layout.fields.contains(THIRD_BITMAP) {
                layout.fields.remove(THIRD_BITMAP);
                layout.fields.third = read_word(frame, at + 2 * length, form)?;
                return Ok(at + 3 * length);
            }
            return Ok(at + 2 * length);
        }
        if self.bitmap.fixed_bytes >= 16 {
            layout.fields.second = read_word(frame, at + length, form)?;
        }
        if self.bitmap.fixed_bytes >= 24 {
            layout.fields.second &= !(1 << 63);
            layout.fields.third = read_word(frame, at + 2 * length, form)?;
        }
        Ok(at + length * usize::from(self.bitmap.fixed_bytes) / 8)
    }

    /// Where a field lies in a frame that was scanned into `layout`.
    #[inline]
    pub(crate) fn slot(&self, frame: &[u8], layout: &Layout, number: u8) -> Option<Slot> {
        if !layout.fields.contains(number) {
            return None;
        }
        let at = usize::from(*layout.starts.get(usize::from(number))?);
        let spec = self.spec(number);
        let units = match spec.prefix {
            Prefix::None => spec.units,
            Prefix::Rest => u16::try_from(spec.form.capacity(frame.len().checked_sub(at)?)).ok()?,
            prefix => {
                let announced = prefix.read(frame.get(at.checked_sub(prefix.length())?..at)?)?;
                spec.units(u16::try_from(announced).ok()?)
            }
        };
        let units = if spec.trims { spec.trimmed(units, frame.get(at..at + spec.bytes(units))?) } else { units };
        Some(Slot { at, units })
    }

    /// Reads field `number` at `at`; gives the offset behind it.
    #[inline]
    fn read_field(&self, frame: &[u8], at: usize, number: u8, layout: &mut Layout) -> Step<usize> {
        let spec = self.spec(number);
        if !spec.plain {
            return self.read_special(frame, at, number, layout);
        }
        let (at, value) = read_value(frame, at, number, spec)?;
        layout.keep(number, at);
        Ok(at + value.len())
    }

    /// A field with chip data, parts or a length that does not count its units; or none that the dialect has.
    fn read_special(&self, frame: &[u8], at: usize, number: u8, layout: &mut Layout) -> Step<usize> {
        let spec = self.spec(number);
        if spec.content == Content::Absent {
            return self.absent(frame, at, number, layout);
        }
        let (at, value) = read_value(frame, at, number, spec)?;
        layout.keep(number, at);
        if spec.sensitive == Sensitivity::Emv && layout.tlv.field == 0 {
            layout.tlv.fill(number, value);
        }
        if spec.structured {
            self.check_parts(value, at, number)?;
        }
        Ok(at + value.len())
    }

    /// A field that the dialect does not have: the third bitmap, or an error.
    fn absent(&self, frame: &[u8], at: usize, number: u8, layout: &mut Layout) -> Step<usize> {
        if number == THIRD_BITMAP && self.bitmap.tertiary {
            layout.fields.remove(number);
            layout.fields.third = read_word(frame, at, self.bitmap.form)?;
            return Ok(at + self.bitmap.form.length(8));
        }
        let bitmap_at = self.header.length + self.mti.form.bytes(4);
        let place = self.bitmap.form.length(usize::from(number - 1) / 8);
        fail(bitmap_at + place, Place::Field(number), Problem::NotInDialect)
    }

    fn check_parts(&self, value: &[u8], at: usize, number: u8) -> Step<()> {
        let Some(structure) = self.field(number).and_then(|field| field.structure.as_ref()) else {
            return Ok(());
        };
        structure.split(value).map(drop).or_else(|Fault { at: within, path, problem }| {
            let place = if path.is_empty() { Place::Field(number) } else { Place::Part(number, path.join("/").into()) };
            fail(at + within, place, problem)
        })
    }
}

#[cold]
fn mti_fault<T>(bytes: &[u8], form: Form, at: usize, index: usize) -> Step<T> {
    let byte = if form == Form::Packed { index / 2 } else { index };
    let found = match form {
        Form::Packed => crate::spec::nibble(bytes, index),
        _ => bytes.get(byte).copied().unwrap_or(0),
    };
    fail(at + byte, Place::Mti, Problem::NotDigit { found })
}

/// Eight bytes of bitmap.
#[inline]
fn read_word(frame: &[u8], at: usize, form: BitmapForm) -> Step<u64> {
    let length = form.length(8);
    let Some(bytes) = frame.get(at..at + length) else {
        return fail(at, Place::Bitmap, Problem::Truncated { needed: length, left: frame.len().saturating_sub(at) });
    };
    form.word(bytes).or_else(|(index, problem)| fail(at + index, Place::Bitmap, problem))
}

/// Whether `bytes` begin with `start`. Mostly one byte is compared: the first one decides.
#[inline]
fn starts_with(bytes: &[u8], start: &[u8]) -> bool {
    match start {
        [first] => bytes.first() == Some(first),
        _ => bytes.starts_with(start),
    }
}

/// The offset of a field's value and its bytes, checked.
#[inline]
fn read_value<'f>(frame: &'f [u8], at: usize, number: u8, spec: &Spec) -> Step<(usize, &'f [u8])> {
    let (units, at) = read_length(frame, at, number, spec)?;
    let value = take(frame, at, spec.bytes(units), || Place::Field(number))?;
    let units = spec.trimmed(units, value);
    if !spec.accepts(value, units) {
        let (index, problem) = spec.find_fault(value, units);
        return fail(at + index, Place::Field(number), problem);
    }
    Ok((at, value))
}

/// The units of a field and the offset of its value.
#[inline]
fn read_length(frame: &[u8], at: usize, number: u8, spec: &Spec) -> Step<(u16, usize)> {
    let announced = match spec.prefix {
        Prefix::None => return Ok((spec.units, at)),
        Prefix::Rest => return read_rest(frame, at, number, spec),
        prefix => prefix.read(take(frame, at, prefix.length(), || Place::Field(number))?),
    };
    let Some(announced) = announced else {
        return length_fault(frame, at, number, spec);
    };
    match u16::try_from(announced) {
        Ok(units) if units <= spec.units && units >= spec.min => Ok((spec.units(units), at + spec.prefix.length())),
        _ => fail(at, Place::Field(number), Problem::length(spec, announced)),
    }
}

fn read_rest(frame: &[u8], at: usize, number: u8, spec: &Spec) -> Step<(u16, usize)> {
    let units = spec.form.capacity(frame.len() - at);
    match u16::try_from(units) {
        Ok(units) if units <= spec.units && units >= spec.min => Ok((units, at)),
        _ => {
            let found = u32::try_from(units).unwrap_or(u32::MAX);
            fail(at, Place::Field(number), Problem::length(spec, found))
        }
    }
}

#[cold]
fn length_fault(frame: &[u8], at: usize, number: u8, spec: &Spec) -> Step<(u16, usize)> {
    let bytes = frame.get(at..at + spec.prefix.length()).unwrap_or_default();
    let index =
        (0..bytes.len()).find(|index| spec.prefix.read(bytes.get(*index..=*index).unwrap_or_default()).is_none());
    let byte = bytes.get(index.unwrap_or(0)).copied().unwrap_or(0);
    let problem = match spec.prefix {
        Prefix::Packed(_) => Problem::NotDigit { found: if byte >> 4 > 9 { byte >> 4 } else { byte & 0xF } },
        Prefix::Hex(_) => Problem::NotHex { found: byte },
        _ => Problem::NotDigit { found: byte },
    };
    fail(at + index.unwrap_or(0), Place::Field(number), problem)
}

impl crate::dialect::Header {
    /// The part that byte `offset` of the frame belongs to.
    #[cold]
    pub(crate) fn place(&self, offset: usize) -> Place {
        let covers = |info: &&HeaderPartInfo| {
            let part = info.part;
            let scale = if part.form == Form::Packed { 1 } else { 2 };
            let (from, to) = (usize::from(part.at) * scale, usize::from(part.at + part.units) * scale);
            (from..to).contains(&(offset * 2)) || (from..to).contains(&(offset * 2 + 1))
        };
        self.parts.iter().find(covers).map_or(Place::Frame, |info| Place::Header(info.name.as_str().into()))
    }
}
