//! A decoded message: where each field lies in the frame, and how to read it.

use std::fmt;
use std::ops::Range;

use crate::decode::{Layout, Slot};
use crate::dialect::{Dialect, HeaderPart, SubField};
use crate::tlv;
use crate::value::{Digits, Value};

/// A set of field numbers, 1 to 192.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct FieldSet {
    /// Field 1 is the highest bit, as in a bitmap.
    pub(crate) first: u64,
    /// Field 65 is the highest bit.
    pub(crate) second: u64,
    /// Field 129 is the highest bit.
    pub(crate) third: u64,
}

impl FieldSet {
    #[inline]
    pub(crate) fn insert(&mut self, number: u8) {
        let bit = 1 << 63 >> (number.wrapping_sub(1) % 64);
        match number {
            1..=64 => self.first |= bit,
            65..=128 => self.second |= bit,
            129..=192 => self.third |= bit,
            _ => {}
        }
    }

    #[inline]
    pub(crate) fn remove(&mut self, number: u8) {
        let bit = 1 << 63 >> (number.wrapping_sub(1) % 64);
        match number {
            1..=64 => self.first &= !bit,
            65..=128 => self.second &= !bit,
            129..=192 => self.third &= !bit,
            _ => {}
        }
    }

    /// The bits of fields 1 to 64 (0), 65 to 128 (1) or 129 to 192 (2).
    #[inline]
    pub(crate) fn half(self, half: u8) -> u64 {
        match half {
            0 => self.first,
            1 => self.second,
            _ => self.third,
        }
    }

    /// The lowest number.
    #[inline]
    pub(crate) fn first(self) -> Option<u8> {
        self.iter().next()
    }

    /// The numbers of this set that are not in the other.
    pub(crate) fn without(self, other: FieldSet) -> FieldSet {
        FieldSet {
            first: self.first & !other.first,
            second: self.second & !other.second,
            third: self.third & !other.third,
        }
    }

    /// The numbers of this set that are smaller than `number`.
    pub(crate) fn below(self, number: u8) -> FieldSet {
        self.iter().take_while(|one| *one < number).fold(FieldSet::default(), |mut set, one| {
            set.insert(one);
            set
        })
    }

    #[inline]
    pub(crate) fn both(self, other: FieldSet) -> FieldSet {
        FieldSet {
            first: self.first & other.first,
            second: self.second & other.second,
            third: self.third & other.third,
        }
    }

    /// Whether `number` is in the set.
    #[inline]
    #[must_use]
    pub fn contains(self, number: u8) -> bool {
        let half = match number {
            1..=64 => self.first,
            65..=128 => self.second,
            129..=192 => self.third,
            _ => 0,
        };
        half << (number.wrapping_sub(1) % 64) >> 63 != 0
    }

    /// Whether the set has no numbers.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.first | self.second | self.third == 0
    }

    /// How many numbers the set has.
    #[must_use]
    pub fn len(self) -> usize {
        (self.first.count_ones() + self.second.count_ones() + self.third.count_ones()) as usize
    }

    /// The numbers, ascending.
    #[inline]
    pub fn iter(self) -> impl Iterator<Item = u8> {
        let FieldSet { mut first, mut second, mut third } = self;
        std::iter::from_fn(move || {
            let (half, before) = if first != 0 {
                (&mut first, 1)
            } else if second != 0 {
                (&mut second, 65)
            } else if third != 0 {
                (&mut third, 129)
            } else {
                return None;
            };
            let place = half.leading_zeros();
            *half &= !(1 << 63 >> place);
            #[allow(clippy::cast_possible_truncation, reason = "1 to 192")]
            Some(place as u8 + before)
        })
    }
}

impl fmt::Debug for FieldSet {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_set().entries(self.iter()).finish()
    }
}

/// A decoded frame. It borrows the frame and its dialect and owns only the places of the fields.
#[derive(Clone)]
pub struct Message<'a> {
    dialect: &'a Dialect,
    frame: &'a [u8],
    layout: Layout,
}

impl<'a> Message<'a> {
    #[inline]
    pub(crate) fn new(dialect: &'a Dialect, frame: &'a [u8], layout: Layout) -> Message<'a> {
        Message { dialect, frame, layout }
    }

    /// The message type, one digit a nibble: 0210 is `0x0210`.
    #[inline]
    #[must_use]
    pub fn mti(&self) -> u16 {
        self.layout.mti
    }

    /// The dialect it was decoded with.
    #[must_use]
    pub fn dialect(&self) -> &'a Dialect {
        self.dialect
    }

    /// The whole frame.
    #[must_use]
    pub fn frame(&self) -> &'a [u8] {
        self.frame
    }

    /// The fields that are present, without the bitmaps.
    #[inline]
    #[must_use]
    pub fn fields(&self) -> FieldSet {
        self.layout.fields
    }

    /// Whether field `number` is present.
    #[inline]
    #[must_use]
    pub fn has(&self, number: u8) -> bool {
        self.layout.fields.contains(number)
    }

    /// Where a field lies in the frame with its length prefix.
    pub(crate) fn wire_range(&self, number: u8) -> Option<Range<usize>> {
        let range = self.range(number)?;
        Some(range.start - self.dialect.spec(number).prefix.length()..range.end)
    }

    #[inline]
    fn place(&self, number: u8) -> Option<(Slot, Range<usize>)> {
        let slot = self.dialect.slot(self.frame, &self.layout, number)?;
        let end = slot.at + self.dialect.spec(number).bytes(slot.units);
        Some((slot, slot.at..end))
    }

    /// Where the value of a field lies in the frame, without its length prefix.
    #[inline]
    #[must_use]
    pub fn range(&self, number: u8) -> Option<Range<usize>> {
        self.place(number).map(|(_, range)| range)
    }

    /// The bytes of a field's value as they are in the frame, without its length prefix.
    #[inline]
    #[must_use]
    pub fn raw(&self, number: u8) -> Option<&'a [u8]> {
        self.frame.get(self.range(number)?)
    }

    /// The value of a field.
    #[inline]
    #[must_use]
    pub fn value(&self, number: u8) -> Option<Value<'a>> {
        let (slot, range) = self.place(number)?;
        let spec = self.dialect.spec(number);
        Value::new(self.frame.get(range)?, spec.first_nibble(slot.units), slot.units.into(), spec.form)
    }

    /// The digits of a field, written packed or in ASCII; see [`Value::digits`].
    #[inline]
    #[must_use]
    pub fn digits(&self, number: u8) -> Option<Digits<'a>> {
        self.value(number)?.digits()
    }

    /// The number that a field's digits write; see [`Value::number`].
    #[inline]
    #[must_use]
    pub fn number(&self, number: u8) -> Option<u64> {
        self.value(number)?.number()
    }

    /// The bytes of a field whose unit is the byte (text, binary, ASCII digits); none for packed
    /// digits.
    #[inline]
    #[must_use]
    pub fn text(&self, number: u8) -> Option<&'a [u8]> {
        self.value(number)?.text()
    }

    /// A sub-field; none when its field is absent or too short for it.
    #[inline]
    #[must_use]
    pub fn sub(&self, handle: SubField) -> Option<Value<'a>> {
        self.value(handle.field)?.part(handle.at.into(), handle.units.into())
    }

    /// The card number: field 2, else the part of track 2 before its separator.
    #[must_use]
    pub fn pan(&self) -> Option<Digits<'a>> {
        self.digits(2).or_else(|| Some(self.digits(35)?.before_separator()))
    }

    /// The value of a tag of the chip data, in the field that the dialect marks as such; those inside templates too.
    #[must_use]
    pub fn chip(&self, tag: u32) -> Option<&'a [u8]> {
        let index = &self.layout.tlv;
        let data = self.raw(index.field)?;
        if let Some(found) = index.find(tag) {
            return data.get(found);
        }
        if !index.partial {
            return None;
        }
        let mut walk = tlv::Walk::new(data);
        let found = std::iter::from_fn(|| walk.next(data)?.ok()).find(|(one, _)| *one == tag);
        data.get(found?.1)
    }

    /// Whether the chip data are there and are no BER-TLV.
    #[must_use]
    pub fn chip_is_garbled(&self) -> bool {
        self.layout.tlv.garbled
    }

    /// Appends what identifies the exchange this message belongs to (the dialect's `[match]`): a reply and its request
    /// give the same bytes. False when the dialect does not say, or a field is missing.
    pub fn match_key(&self, out: &mut Vec<u8>) -> bool {
        let matching = &self.dialect.matching;
        let mut values = matching.fields.iter().map(|number| self.value(*number));
        let mut subs = matching.subs.iter().map(|sub| self.sub(*sub));
        let mut add = |value: Option<Value<'_>>| {
            value.is_some_and(|value| {
                out.extend(value.characters());
                out.push(0);
                true
            })
        };
        !(matching.fields.is_empty() && matching.subs.is_empty()) && values.all(&mut add) && subs.all(add)
    }

    /// A part of the header.
    #[inline]
    #[must_use]
    pub fn header(&self, part: HeaderPart) -> Option<Value<'a>> {
        let header = self.frame.get(..self.dialect.header.length)?;
        Value::new(header, part.at.into(), part.units.into(), part.form)
    }

    /// The five bytes of the TPDU, if the dialect has one.
    #[must_use]
    pub fn tpdu(&self) -> Option<&'a [u8]> {
        self.header(self.dialect.header.tpdu?)?.text()
    }

    /// The version of the message layout in the header (22 or 31 at UnionPay terminals).
    #[must_use]
    pub fn layout_version(&self) -> Option<u64> {
        self.header(self.dialect.header.version?)?.number()
    }

    /// The version of the terminal's software in the header, if the dialect has one.
    #[must_use]
    pub fn software_version(&self) -> Option<Digits<'a>> {
        self.header(self.dialect.header.software_version?)?.digits()
    }
}

/// Shows the message type and the places of the fields, no content.
impl fmt::Debug for Message<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        struct Places<'m, 'a>(&'m Message<'a>);
        impl fmt::Debug for Places<'_, '_> {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                let places = self.0.fields().iter().filter_map(|number| Some((number, self.0.range(number)?)));
                out.debug_map().entries(places).finish()
            }
        }
        out.debug_struct("Message")
            .field("dialect", &self.dialect.id())
            .field("mti", &format_args!("{:04X}", self.mti()))
            .field("bytes", &self.frame.len())
            .field("fields", &Places(self))
            .finish()
    }
}
