//! Masking in place: the same length, the same offsets, nothing left that may not be kept.

use std::ops::Range;

use crate::decode::Layout;
use crate::dialect::Dialect;
use crate::dialect_file::Sensitivity;
use crate::error::DecodeError;
use crate::message::FieldSet;
use crate::spec::{Content, Form, Spec};
use crate::structure::Item;
use crate::tlv::{self, TagSet};
use crate::value::Reveal;

/// What masking a frame did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MaskReport {
    /// Fields whose bytes changed.
    pub fields: FieldSet,
    /// Where the part begins that was overwritten whole because it could not be decoded.
    pub wiped_from: Option<usize>,
}

impl MaskReport {
    /// Whether any byte changed or was overwritten unread.
    #[must_use]
    pub fn changed(&self) -> bool {
        !self.fields.is_empty() || self.wiped_from.is_some()
    }
}

impl Dialect {
    /// Overwrites with zeros what a frame must not keep, so that it has the same length and
    /// decodes to the same fields at the same offsets. Masking a masked frame changes nothing.
    ///
    /// Of a card number the first 6 and last 4 digits stay, of a track the same digits of its
    /// card number and the separators. PIN blocks, keys and data about a person go whole, chip
    /// data lose the values of the dialect's hidden tags (all of them when they are no BER-TLV),
    /// and in free text runs of 13 to 19 digits that pass the Luhn check, and of 20 and more,
    /// are treated as card numbers.
    ///
    /// # Errors
    /// When the frame does not decode; it is then unchanged, and [`Dialect::mask_undecodable`]
    /// can make it safe to keep.
    pub fn mask_in_place(&self, frame: &mut [u8]) -> Result<MaskReport, DecodeError> {
        let mut layout = Layout::without_index();
        self.scan(frame, &mut layout)?;
        Ok(self.mask_layout(frame, &layout))
    }

    /// Makes a frame that does not decode safe to keep: the fields before the fault are masked,
    /// everything from the fault's field on becomes zero bytes. A frame that decodes is masked
    /// as by [`Dialect::mask_in_place`].
    pub fn mask_undecodable(&self, frame: &mut [u8]) -> MaskReport {
        let mut layout = Layout::without_index();
        let outcome = self.scan(frame, &mut layout);
        let mut report = self.mask_layout(frame, &layout);
        if outcome.is_err()
            && let Some(rest) = frame.get_mut(layout.understood..)
        {
            rest.fill(0);
            report.wiped_from = Some(layout.understood);
        }
        report
    }

    #[inline]
    fn sensitivity(&self, number: u8, spec: &Spec, mti: u16) -> Sensitivity {
        if !spec.sensitive_varies {
            return spec.sensitive;
        }
        self.field(number).map_or(spec.sensitive, |info| info.sensitivity(mti))
    }

    fn mask_layout(&self, frame: &mut [u8], layout: &Layout) -> MaskReport {
        let mut report = MaskReport::default();
        for number in layout.fields.both(self.sensitive).iter() {
            let Some(slot) = self.slot(frame, layout, number) else {
                continue;
            };
            let spec = self.spec(number);
            let Some(bytes) = frame.get_mut(slot.at..slot.at + spec.bytes(slot.units)) else {
                continue;
            };
            let sensitivity = self.sensitivity(number, spec, layout.mti);
            let structure =
                if spec.structured { self.field(number).and_then(|field| field.structure.as_ref()) } else { None };
            let changed = match structure {
                // Where the bytes do not follow their structure they are masked as one.
                Some(structure) if matches!(sensitivity, Sensitivity::None | Sensitivity::Text) => {
                    match structure.split(bytes) {
                        Ok(items) if !items.is_empty() => self.mask_items(bytes, &items, sensitivity),
                        _ => self.mask_value(bytes, spec, slot.units, Sensitivity::Text),
                    }
                }
                _ => self.mask_value(bytes, spec, slot.units, sensitivity),
            };
            if changed {
                report.fields.insert(number);
            }
        }
        report
    }

    /// Masks one value; gives whether anything changed.
    #[inline]
    fn mask_value(&self, bytes: &mut [u8], spec: &Spec, units: u16, sensitivity: Sensitivity) -> bool {
        let first = spec.first_nibble(units);
        let mut value = Writable { bytes, first, units: units.into(), form: spec.form, guessed: false, changed: false };
        match sensitivity {
            Sensitivity::None => {}
            Sensitivity::Pan => value.mask_number(0..value.units),
            Sensitivity::Track => value.mask_track(),
            Sensitivity::Pin | Sensitivity::Key | Sensitivity::Personal => value.wipe(spec),
            Sensitivity::Emv => value.mask_chip_data(&self.hidden_tags),
            Sensitivity::Text => value.mask_text(),
        }
        value.changed
    }

    /// Masks the parts of a field. A part that hides nothing of its own is at least searched for card numbers, as its
    /// field is; its tags and lengths are left alone, or it could not be read again.
    fn mask_items(&self, bytes: &mut [u8], items: &[Item<'_>], field: Sensitivity) -> bool {
        items.iter().fold(false, |changed, item| {
            let spec = item.spec();
            let own = if spec.sensitive == Sensitivity::None { field } else { spec.sensitive };
            let hidden_tag =
                item.ber && u32::from_str_radix(&item.id, 16).is_ok_and(|tag| self.hidden_tags.contains(tag));
            let now = if item.items.is_empty() || !matches!(own, Sensitivity::None | Sensitivity::Text) {
                let own = if hidden_tag { Sensitivity::Personal } else { own };
                let value = bytes.get_mut(item.range.clone()).unwrap_or_default();
                self.mask_value(value, spec, item.units, own)
            } else {
                self.mask_items(bytes, &item.items, own)
            };
            changed | now
        })
    }
}

/// Overwrites all bytes; gives whether any changed.
fn fill(bytes: &mut [u8], with: u8) -> bool {
    let changed = bytes.iter().any(|byte| *byte != with);
    bytes.fill(with);
    changed
}

/// A field's value under the eraser.
struct Writable<'a> {
    bytes: &'a mut [u8],
    first: usize,
    units: usize,
    form: Form,
    /// The bytes may be something else than this form says.
    guessed: bool,
    changed: bool,
}

impl Writable<'_> {
    /// Unit `index` as a character.
    #[inline]
    fn unit(&self, index: usize) -> u8 {
        self.form.unit(self.bytes, self.first + index)
    }

    #[inline]
    fn is_digit(&self, index: usize) -> bool {
        self.unit(index).is_ascii_digit()
    }

    /// The first unit from `from` on that is no digit.
    fn separator(&self, from: usize) -> Option<usize> {
        (from..self.units).find(|index| !self.is_digit(*index))
    }

    /// Makes the units of `range` zero.
    #[inline]
    fn zero(&mut self, range: Range<usize>) {
        let (from, to) = (self.first + range.start, self.first + range.end);
        match self.form {
            Form::Packed => self.zero_nibbles(from, to),
            Form::Signed => self.zero_nibbles(from.max(1) + 1, to + 1),
            Form::Bytes => self.fill(from, to, b'0'),
            Form::Ebcdic(_) => self.fill(from, to, 0xF0),
            Form::Hex => self.zero_hex(from..to),
        }
    }

    /// Zeros, each in two hexadecimal characters.
    fn zero_hex(&mut self, range: Range<usize>) {
        for (at, digit) in range.flat_map(|unit| [(unit * 2, b'3'), (unit * 2 + 1, b'0')]) {
            self.fill(at, at + 1, digit);
        }
    }

    #[inline]
    fn zero_nibbles(&mut self, mut from: usize, mut to: usize) {
        if from >= to {
            return;
        }
        if !from.is_multiple_of(2) {
            self.keep_nibble(from / 2, 0xF0);
            from += 1;
        }
        if !to.is_multiple_of(2) {
            to -= 1;
            self.keep_nibble(to / 2, 0x0F);
        }
        self.fill(from / 2, to / 2, 0);
    }

    #[inline]
    fn fill(&mut self, from: usize, to: usize, with: u8) {
        let bytes = self.bytes.get_mut(from..to);
        self.changed |= bytes.is_some_and(|bytes| fill(bytes, with));
    }

    #[inline]
    fn keep_nibble(&mut self, at: usize, keep: u8) {
        if let Some(byte) = self.bytes.get_mut(at) {
            self.changed |= *byte & !keep != 0;
            *byte &= keep;
        }
    }

    /// Masks units `range` as one card number.
    fn mask_number(&mut self, range: Range<usize>) {
        let hidden = Reveal::of(range.len()).hidden(range.len());
        self.zero(range.start + hidden.start..range.start + hidden.end);
    }

    fn mask_track(&mut self) {
        let Some(mut at) = self.separator(0) else {
            // Nothing says where the card number ends: its last digits go too.
            self.zero(Reveal::of(self.units).hidden(self.units).start..self.units);
            return;
        };
        self.mask_number(0..at);
        while at < self.units {
            let next = self.separator(at + 1).unwrap_or(self.units);
            self.zero(at + 1..next);
            at = next;
        }
    }

    fn wipe(&mut self, spec: &Spec) {
        let zero = match (spec.form, spec.content) {
            (Form::Packed | Form::Signed, _) | (_, Content::Binary | Content::Absent) => 0,
            (Form::Bytes, _) => b'0',
            (Form::Ebcdic(_), _) => 0xF0,
            (Form::Hex, _) => return self.zero_hex(0..self.units),
        };
        let from = usize::from(spec.form == Form::Signed);
        self.fill(from, self.bytes.len(), zero);
    }

    fn mask_chip_data(&mut self, hidden: &TagSet) {
        let mut walk = tlv::Walk::new(self.bytes);
        while let Some(object) = walk.next(self.bytes) {
            let wipe = match object {
                Ok((tag, value)) if hidden.contains(tag) => self.bytes.get_mut(value),
                Ok(_) => None,
                Err(tlv::Garbled) => {
                    self.changed |= fill(self.bytes, 0);
                    return;
                }
            };
            self.changed |= wipe.is_some_and(|value| fill(value, 0));
        }
    }

    fn mask_text(&mut self) {
        self.mask_runs();
        // Among bytes that are no text a number may be packed.
        if self.form == Form::Bytes && !self.bytes.iter().all(is_text) {
            let mut packed = Writable {
                units: self.bytes.len() * 2,
                bytes: self.bytes,
                first: 0,
                form: Form::Packed,
                guessed: true,
                changed: false,
            };
            packed.mask_runs();
            self.changed |= packed.changed;
        }
    }

    /// Whether packed digits are in truth digits of a text.
    fn is_text_digits(&self, at: usize, digits: usize) -> bool {
        let bytes = self.bytes.get(at.div_ceil(2)..(at + digits) / 2).unwrap_or_default();
        self.guessed && bytes.iter().all(is_text)
    }

    /// Masks every run of digits that may be a card number.
    fn mask_runs(&mut self) {
        let mut at = 0;
        while at < self.units {
            let digits = (at..self.units).take_while(|index| self.is_digit(*index)).count();
            // Zeros before a number change neither it nor its check digit; no card number begins with one.
            let zeros = (at..at + digits).take_while(|index| self.unit(*index) == b'0').count();
            if self.looks_like_a_card(at + zeros, digits - zeros) {
                self.mask_number(at + zeros..at + digits);
            }
            at += digits + 1;
        }
    }

    fn looks_like_a_card(&self, at: usize, digits: usize) -> bool {
        match digits {
            0..=12 => false,
            _ if self.is_text_digits(at, digits) => false,
            13..=19 => luhn((at..at + digits).rev().map(|index| self.unit(index) & 0xF)),
            // More than one number without a gap: no check digit tells which part is a card.
            _ => true,
        }
    }
}

fn is_text(byte: &u8) -> bool {
    (0x20..0x7F).contains(byte)
}

/// Whether digits, given from the last to the first, pass the Luhn check.
fn luhn(digits: impl Iterator<Item = u8>) -> bool {
    let sum: u32 = digits
        .enumerate()
        .map(|(index, digit)| match (index % 2, u32::from(digit)) {
            (0, digit) => digit,
            (_, digit) => digit * 2 / 10 + digit * 2 % 10,
        })
        .sum();
    sum.is_multiple_of(10)
}
