//! From values to bytes: a frame written field by field, in order.

use std::fmt;

use crate::checks;
use crate::dialect::{Dialect, HeaderCheck, HeaderPart};
use crate::error::Place;
use crate::message::FieldSet;
use crate::spec::{Check, Content, Form, Prefix, Spec};

/// Why a value cannot be written. No error shows a value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: expected {expected}, found {found}")]
pub struct EncodeError {
    /// The part of the frame.
    pub place: Place,
    /// What it takes.
    pub expected: String,
    /// What was given, without its content.
    pub found: String,
}

pub(crate) fn refuse<T>(place: Place, expected: impl fmt::Display, found: impl fmt::Display) -> Result<T, EncodeError> {
    Err(EncodeError { place, expected: expected.to_string(), found: found.to_string() })
}

/// Why a value does not fit its field.
pub(crate) struct Misfit {
    expected: String,
    found: String,
}

impl Misfit {
    #[cold]
    fn new<T>(expected: impl fmt::Display, found: impl fmt::Display) -> Result<T, Box<Misfit>> {
        Err(Box::new(Misfit { expected: expected.to_string(), found: found.to_string() }))
    }

    pub(crate) fn at(self, place: Place) -> EncodeError {
        EncodeError { place, expected: self.expected, found: self.found }
    }
}

/// Writes one frame into a buffer: header parts and ascending fields, then [`Encoder::finish`].
pub struct Encoder<'d, 'o> {
    dialect: &'d Dialect,
    out: &'o mut Vec<u8>,
    start: usize,
    bitmap_at: usize,
    /// Bitmaps that have room behind the message type.
    bitmaps: usize,
    /// Where the third bitmap goes, once fields above 64 began.
    third_at: Option<usize>,
    has_third: bool,
    fields: FieldSet,
    last: u8,
}

impl Dialect {
    /// Begins a frame of type `mti` (`0x0200`) at the end of `out`. Allocates nothing when `out` has room for 512 bytes more.
    ///
    /// # Errors
    /// When the dialect has no such message type.
    pub fn encoder<'d, 'o>(&'d self, mti: u16, out: &'o mut Vec<u8>) -> Result<Encoder<'d, 'o>, EncodeError> {
        let start = out.len();
        // Most frames fit: one check of the room instead of one for each field.
        out.reserve(512);
        out.extend_from_slice(&self.header.template);
        self.put_mti(mti, out)?;
        let bitmap_at = out.len();
        let bitmaps = usize::from(self.bitmap.fixed_bytes / 8).max(1);
        out.resize(bitmap_at + self.bitmap.form.length(8) * bitmaps, 0);
        Ok(Encoder {
            dialect: self,
            out,
            start,
            bitmap_at,
            bitmaps,
            third_at: None,
            has_third: false,
            fields: FieldSet::default(),
            last: 1,
        })
    }

    pub(crate) fn put_mti(&self, mti: u16, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        let digits = [mti >> 12, mti >> 8 & 0xF, mti >> 4 & 0xF, mti & 0xF];
        let known = self.mti.versions >> (mti >> 12) & 1 != 0 && (1..=8).contains(&(mti >> 8 & 0xF));
        if !known || digits.iter().any(|digit| *digit > 9) {
            return refuse(Place::Mti, "a message type of this dialect", format_args!("{mti:04X}"));
        }
        #[allow(clippy::cast_possible_truncation, reason = "nibbles")]
        let digits = digits.map(|digit| digit as u8);
        match self.mti.form {
            Form::Packed | Form::Signed => out.extend_from_slice(&mti.to_be_bytes()),
            Form::Bytes => out.extend(digits.map(|digit| digit + b'0')),
            Form::Ebcdic(_) => out.extend(digits.map(|digit| digit + 0xF0)),
            Form::Hex => out.extend(digits.iter().flat_map(|digit| [b'3', b'0' + digit])),
        }
        Ok(())
    }

    /// Writes the length of the frame that begins at `start` where its header states it.
    pub(crate) fn put_frame_length(&self, start: usize, out: &mut [u8]) -> Result<(), EncodeError> {
        let total = out.len() - start;
        if total > usize::from(u16::MAX) {
            return refuse(Place::Frame, format_args!("at most {} bytes", u16::MAX), total);
        }
        for check in &self.header.checks {
            let HeaderCheck::FrameLength { at, length } = check else {
                continue;
            };
            let mut rest = total;
            for byte in out.get_mut(start + at..start + at + length).unwrap_or_default().iter_mut().rev() {
                *byte = b'0' + u8::try_from(rest % 10).unwrap_or(0);
                rest /= 10;
            }
            if rest != 0 {
                return refuse(self.header.place(*at), format_args!("at most {length} digits of length"), total);
            }
        }
        Ok(())
    }
}

impl<'d> Encoder<'d, '_> {
    /// Sets a part of the header. Text and digits are given as ASCII, binary parts as bytes.
    ///
    /// # Errors
    /// When the value does not fit the part.
    pub fn header(&mut self, part: HeaderPart, value: &[u8]) -> Result<&mut Self, EncodeError> {
        let end = self.start + self.dialect.header.length;
        if part.put(self.out.get_mut(self.start..end).unwrap_or_default(), value) {
            return Ok(self);
        }
        let place = self.dialect.header.place(usize::from(part.at));
        refuse(place, format_args!("{} digits or characters", part.units), format_args!("{} others", value.len()))
    }

    /// Writes field `number`: digits, tracks and text as ASCII (text may be in any 8-bit encoding), binary fields as
    /// bytes. Fixed fields that are given short are filled. Fields come in ascending order.
    ///
    /// # Errors
    /// When the dialect has no such field, it is out of order, or the value does not fit it.
    #[inline]
    pub fn field(&mut self, number: u8, value: &[u8]) -> Result<&mut Self, EncodeError> {
        let spec = self.open(number)?;
        put_field(spec, value, self.out).map_err(|misfit| misfit.at(Place::Field(number)))?;
        Ok(self)
    }

    /// Writes field `number` from the bytes of its parts; only its length is added.
    pub(crate) fn filled(&mut self, number: u8, bytes: &[u8]) -> Result<&mut Self, EncodeError> {
        let spec = self.open(number)?.written();
        put_field(&spec, bytes, self.out).map_err(|misfit| misfit.at(Place::Field(number)))?;
        Ok(self)
    }

    /// Takes over the header of a frame of the same dialect.
    pub(crate) fn copy_header(&mut self, frame: &[u8]) {
        let length = self.dialect.header.length;
        let target = self.out.get_mut(self.start..self.start + length).unwrap_or_default();
        target.iter_mut().zip(frame).for_each(|(place, byte)| *place = *byte);
    }

    /// Writes a second bitmap even if no field needs it.
    pub(crate) fn keep_second_bitmap(mut self, keep: bool) -> Self {
        if keep && self.bitmaps == 1 {
            let length = self.dialect.bitmap.form.length(8);
            self.make_room(self.bitmap_at + length, length);
            self.bitmaps = 2;
        }
        self
    }

    /// Writes field `number` from the bytes it has in a frame, with its length prefix.
    pub(crate) fn wire(&mut self, number: u8, bytes: &[u8]) -> Result<&mut Self, EncodeError> {
        self.open(number)?;
        self.out.extend_from_slice(bytes);
        Ok(self)
    }

    #[inline]
    fn open(&mut self, number: u8) -> Result<&'d Spec, EncodeError> {
        let spec = self.dialect.spec(number);
        if number <= self.last || spec.content == Content::Absent {
            return self.refuse_field(number);
        }
        if number > 64 {
            self.open_bitmaps(number)?;
        }
        self.last = number;
        self.fields.insert(number);
        Ok(spec)
    }

    #[cold]
    fn refuse_field<T>(&self, number: u8) -> Result<T, EncodeError> {
        let place = Place::Field(number);
        if self.dialect.spec(number).content == Content::Absent {
            return refuse(place, "a field that the dialect has", "one that it does not have");
        }
        refuse(place, format_args!("a field above {}", self.last), number)
    }

    fn open_bitmaps(&mut self, number: u8) -> Result<(), EncodeError> {
        let length = self.dialect.bitmap.form.length(8);
        if self.bitmaps == 1 {
            if !self.dialect.bitmap.secondary {
                return refuse(Place::Field(number), "a field up to 64: there is one bitmap", number);
            }
            self.make_room(self.bitmap_at + length, length);
            self.bitmaps = 2;
        }
        if self.third_at.is_none() {
            let joined = self.bitmap_at + 2 * length;
            self.third_at = Some(if self.dialect.bitmap.joined { joined } else { self.out.len() });
        }
        if number > 128 && self.bitmaps == 2 && !self.has_third {
            self.make_room(self.third_at.unwrap_or(self.out.len()), length);
            self.has_third = true;
        }
        Ok(())
    }

    fn make_room(&mut self, at: usize, length: usize) {
        self.out.splice(at..at, std::iter::repeat_n(0, length));
    }

    /// Writes the bitmaps and the length in the header.
    ///
    /// # Errors
    /// When the frame is longer than a frame or its header's length can be.
    #[inline]
    pub fn finish(self) -> Result<(), EncodeError> {
        let form = self.dialect.bitmap.form;
        let length = form.length(8);
        let FieldSet { mut first, mut second, third } = self.fields;
        second |= u64::from(self.has_third) << 63;
        let second_follows = if self.dialect.bitmap.fixed_bytes == 0 { self.bitmaps > 1 } else { second | third != 0 };
        first |= u64::from(second_follows) << 63;
        put_word(form, first, self.bitmap_at, self.out);
        if self.bitmaps > 1 {
            put_word(form, second, self.bitmap_at + length, self.out);
        }
        if self.bitmaps > 2 {
            put_word(form, third, self.bitmap_at + 2 * length, self.out);
        }
        if let Some(at) = self.third_at.filter(|_| self.has_third) {
            put_word(form, third, at, self.out);
        }
        self.dialect.put_frame_length(self.start, self.out)
    }
}

#[inline]
fn put_word(form: crate::bitmap::BitmapForm, word: u64, at: usize, out: &mut [u8]) {
    if let Some(target) = out.get_mut(at..at + form.length(8)) {
        form.put(word, target);
    }
}

/// Appends a value with its length prefix.
#[inline]
pub(crate) fn put_field(spec: &Spec, value: &[u8], out: &mut Vec<u8>) -> Result<(), Box<Misfit>> {
    let given = if spec.content == Content::HexText { value.len() * 2 } else { value.len() };
    let units = match spec.prefix {
        Prefix::None => usize::from(spec.units),
        Prefix::Rest => given,
        prefix => {
            put_length(spec, prefix, given, out)?;
            given
        }
    };
    let too_much = given > units || (spec.prefix == Prefix::Rest && given > spec.units.into());
    if too_much || (spec.prefix == Prefix::Rest && given < spec.min.into()) {
        return Misfit::new(format_args!("{} units", spec.units), given);
    }
    put_value(spec, value, units - given, out)
}

/// Appends the length prefix of so many units.
#[inline]
fn put_length(spec: &Spec, prefix: Prefix, units: usize, out: &mut Vec<u8>) -> Result<(), Box<Misfit>> {
    let counted = match (spec.scale, spec.halves) {
        (1, false) => units,
        (_, true) => units * 2,
        // A filler nibble that the prefix counts.
        (_, false) if spec.trims => units.div_ceil(2),
        (scale, false) if units.is_multiple_of(scale.into()) => units / usize::from(scale),
        _ => return Misfit::new("an even number of units", units),
    };
    if counted > spec.units.into() || counted < spec.min.into() {
        return Misfit::new(format_args!("{} to {} units", spec.min, spec.units), units);
    }
    // Two digits are by far the most common length.
    if let (Prefix::Ascii(2), 0..=99) = (prefix, counted) {
        #[allow(clippy::cast_possible_truncation, reason = "below 100")]
        let counted = counted as u8;
        out.extend_from_slice(&[b'0' + counted / 10, b'0' + counted % 10]);
        return Ok(());
    }
    match prefix.write(counted, out) {
        Some(()) => Ok(()),
        None => Misfit::new("a length that fits its prefix", counted),
    }
}

/// Appends a value without its prefix, filled with so many units.
#[inline]
fn put_value(spec: &Spec, value: &[u8], short: usize, out: &mut Vec<u8>) -> Result<(), Box<Misfit>> {
    if short > 0 && matches!(spec.content, Content::Binary | Content::HexText | Content::Track | Content::Nibbles) {
        return Misfit::new(format_args!("{} units", spec.units), value.len());
    }
    match spec.check {
        Check::PackedDigits | Check::PackedTrack => put_packed(spec, value, short, out),
        Check::Printable | Check::AsciiDigits | Check::AsciiTrack => put_text(spec, value, short, out),
        Check::Any if spec.form == Form::Bytes => put_text(spec, value, short, out),
        _ if spec.form == Form::Packed => put_packed(spec, value, short, out),
        _ => put_translated(spec, value, short, out),
    }
}

/// Appends a value whose bytes stand for themselves. It is checked before it is written: what fills needs no check.
#[inline]
fn put_text(spec: &Spec, value: &[u8], short: usize, out: &mut Vec<u8>) -> Result<(), Box<Misfit>> {
    let units = u16::try_from(value.len()).unwrap_or(u16::MAX);
    if !spec.accepts(value, units) {
        return Misfit::new(spec.find_fault(value, units).1.expected(), "another character");
    }
    if short == 0 {
        out.extend_from_slice(value);
        return Ok(());
    }
    let (left, right) = if spec.pad_left { (short, 0) } else { (0, short) };
    out.extend(std::iter::repeat_n(spec.fill, left));
    out.extend_from_slice(value);
    out.extend(std::iter::repeat_n(spec.fill, right));
    Ok(())
}

/// Appends a value of a form that is translated, and checks what was written.
fn put_translated(spec: &Spec, value: &[u8], short: usize, out: &mut Vec<u8>) -> Result<(), Box<Misfit>> {
    let from = out.len();
    let hex = spec.content == Content::HexText;
    let (left, right) = if spec.pad_left { (short, 0) } else { (0, short) };
    // Zeros go between a sign and its digits.
    let (sign, value) = value.split_at(usize::from(spec.content == Content::Signed && !value.is_empty()));
    let (left, right) = if sign.is_empty() { (left, right) } else { (short, 0) };
    let fill = |count: usize| std::iter::repeat_n(&spec.fill, count);
    let filled = || sign.iter().chain(fill(left)).chain(value).chain(fill(right));
    match spec.form {
        Form::Signed => put_signed(sign, value, short, out)?,
        Form::Hex => out.extend(filled().flat_map(|byte| hex_digits(*byte))),
        Form::Ebcdic(page) if hex => {
            out.extend(value.iter().flat_map(|byte| hex_digits(*byte)).map(|digit| page.of_latin(digit)));
        }
        Form::Ebcdic(page) => out.extend(filled().map(|character| page.of_latin(*character))),
        Form::Packed | Form::Bytes if hex => out.extend(value.iter().flat_map(|byte| hex_digits(*byte))),
        Form::Packed | Form::Bytes => out.extend(filled()),
    }
    let written = out.get(from..).unwrap_or_default();
    let units = u16::try_from(spec.form.capacity(written.len())).unwrap_or(u16::MAX);
    if spec.accepts(written, units) {
        return Ok(());
    }
    Misfit::new(spec.find_fault(written, units).1.expected(), "another character")
}

fn hex_digits(byte: u8) -> [u8; 2] {
    [checks::hex_character(byte >> 4), checks::hex_character(byte & 0xF)]
}

/// The nibble that a character writes: a digit, a letter A to F, or the separator of a track.
#[inline]
fn nibble_of(character: u8) -> Option<u8> {
    match character {
        b'0'..=b'9' => Some(character - b'0'),
        b'=' => Some(0xD),
        b'A'..=b'F' => Some(character - b'A' + 10),
        b'a'..=b'f' => Some(character - b'a' + 10),
        _ => None,
    }
}

#[inline]
fn put_packed(spec: &Spec, value: &[u8], short: usize, out: &mut Vec<u8>) -> Result<(), Box<Misfit>> {
    let good = match spec.content {
        Content::Digits => checks::ascii_digits(value),
        Content::Track => value.iter().all(|one| checks::is_ascii_track(*one)),
        _ => value.iter().all(u8::is_ascii_hexdigit),
    };
    if !good {
        return Misfit::new("digits", "another character");
    }
    // What was checked has nibbles.
    let nibble = |character: u8| if character < 0x3A { character & 0xF } else { nibble_of(character).unwrap_or(0) };
    if short > 0 {
        return put_packed_short(spec, value, short, out);
    }
    let value = match value.split_first() {
        Some((first, rest)) if value.len() % 2 == 1 && spec.pad_left => {
            out.push(spec.fill << 4 | nibble(*first));
            rest
        }
        _ => value,
    };
    let (pairs, last) = value.as_chunks::<2>();
    out.extend(pairs.iter().map(|[high, low]| nibble(*high) << 4 | nibble(*low)));
    out.extend(last.iter().map(|last| nibble(*last) << 4 | spec.fill));
    Ok(())
}

/// Digits that are fewer than their field: zeros before or behind them, then the filler of an odd number.
fn put_packed_short(spec: &Spec, value: &[u8], short: usize, out: &mut Vec<u8>) -> Result<(), Box<Misfit>> {
    let (left, right) = if spec.pad_left { (short, 0) } else { (0, short) };
    let odd = usize::from((value.len() + short) % 2 == 1);
    let (before, behind) = if spec.pad_left { (odd, 0) } else { (0, odd) };
    let nibbles: Vec<u8> = std::iter::repeat_n(spec.fill, before)
        .chain(std::iter::repeat_n(0, left))
        .chain(value.iter().map(|one| nibble_of(*one).unwrap_or(0)))
        .chain(std::iter::repeat_n(0, right))
        .chain(std::iter::repeat_n(spec.fill, behind))
        .collect();
    out.extend(nibbles.chunks(2).map(|pair| pair.iter().fold(0, |byte, nibble| byte << 4 | nibble)));
    Ok(())
}

/// A sign, then its digits packed with zeros in front.
fn put_signed(sign: &[u8], digits: &[u8], short: usize, out: &mut Vec<u8>) -> Result<(), Box<Misfit>> {
    if sign.is_empty() {
        return Misfit::new("a letter C or D and digits", "nothing");
    }
    out.extend_from_slice(sign);
    let zeros = short + (short + digits.len()) % 2;
    let zeros = std::iter::repeat_n(&b'0', zeros);
    let nibbles: Option<Vec<u8>> = zeros.chain(digits).map(|digit| nibble_of(*digit)).collect();
    let Some(nibbles) = nibbles else {
        return Misfit::new("digits", "another character");
    };
    out.extend(nibbles.chunks(2).map(|pair| pair.iter().fold(0, |byte, nibble| byte << 4 | nibble)));
    Ok(())
}

impl HeaderPart {
    /// Writes a value into the part; shorter text is filled with blanks, shorter digits with zeros. False (and nothing
    /// written) when it does not fit.
    pub(crate) fn put(self, header: &mut [u8], value: &[u8]) -> bool {
        let (at, units) = (usize::from(self.at), usize::from(self.units));
        if value.len() > units {
            return false;
        }
        match self.form {
            Form::Packed | Form::Signed => {
                if !value.iter().all(u8::is_ascii_digit) {
                    return false;
                }
                let digits = value.iter().map(|digit| digit - b'0').chain(std::iter::repeat(0));
                for (index, digit) in (at..at + units).zip(digits) {
                    if let Some(byte) = header.get_mut(index / 2) {
                        let high = index.is_multiple_of(2);
                        *byte = if high { *byte & 0x0F | digit << 4 } else { *byte & 0xF0 | digit };
                    }
                }
                true
            }
            form => header.get_mut(at..at + units).is_some_and(|target| {
                let given = value.iter().copied().map(Some).chain(std::iter::repeat(None));
                for (byte, character) in target.iter_mut().zip(given) {
                    *byte = match (form, character) {
                        (Form::Ebcdic(page), character) => page.of_latin(character.unwrap_or(b' ')),
                        (_, Some(character)) => character,
                        (_, None) if self.binary => 0,
                        (_, None) => b' ',
                    };
                }
                true
            }),
        }
    }
}
