//! Fields within a field: by position, by tag, as BER-TLV, by a bitmap of their own, and nested.

use std::ops::Range;

use crate::bitmap::BitmapForm;
use crate::encode::put_field;
use crate::error::Problem;
use crate::show;
use crate::spec::{Content, Form, Prefix, Spec};
use crate::tlv;

/// Parts within parts that are followed.
const DEPTH: usize = 8;

/// How the content of a field is divided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Structure {
    pub(crate) by: By,
    /// Content that does not follow it is no error: it is just not divided.
    pub(crate) lenient: bool,
    pub(crate) keep_unknown: bool,
    pub(crate) parts: Vec<Part>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum By {
    Position,
    Tag(Tagged),
    Ber,
    Bitmap { form: BitmapForm, bytes: u8, extends: bool },
}

/// Values behind tags.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tagged {
    pub(crate) tag: TagForm,
    /// The length of values of unknown tags, and of parts that have none of their own.
    pub(crate) length: Option<LengthForm>,
    /// The length stands before the tag and counts it too.
    pub(crate) length_first: bool,
    /// Parts that stand before the first tag.
    pub(crate) leading: usize,
}

/// How a tag is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TagForm {
    /// So many characters in so many bytes; a filler nibble stands first.
    Text {
        form: Form,
        digits: u8,
    },
    /// Bytes, named in hexadecimal.
    Binary {
        bytes: u8,
    },
    Ber,
}

/// How the length of a tag's value is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LengthForm {
    Prefix(Prefix),
    Ber,
}

/// One part of a structure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Part {
    pub(crate) id: String,
    pub(crate) en: String,
    pub(crate) zh: String,
    pub(crate) spec: Spec,
    pub(crate) structure: Option<Structure>,
}

/// A part found in the bytes of a field.
#[derive(Debug)]
pub(crate) struct Item<'d> {
    pub(crate) id: String,
    /// What the dialect says of it; none for a tag that it does not name.
    pub(crate) part: Option<&'d Part>,
    /// Its value, within the field's value.
    pub(crate) range: Range<usize>,
    pub(crate) units: u16,
    /// Its id is a BER tag.
    pub(crate) ber: bool,
    pub(crate) items: Vec<Item<'d>>,
}

impl Item<'_> {
    pub(crate) fn spec(&self) -> &Spec {
        self.part.map_or(&Spec::UNKNOWN, |part| &part.spec)
    }
}

/// Why bytes do not follow a structure.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    /// Byte of the field's value.
    pub(crate) at: usize,
    /// Ids of the parts around it.
    pub(crate) path: Vec<String>,
    pub(crate) problem: Problem,
}

fn fault<T>(at: usize, id: &str, problem: Problem) -> Result<T, Fault> {
    let path = if id.is_empty() { Vec::new() } else { vec![id.to_owned()] };
    Err(Fault { at, path, problem })
}

impl Structure {
    pub(crate) fn part(&self, id: &str) -> Option<&Part> {
        self.parts.iter().find(|part| part.id == id)
    }

    /// The parts of `bytes`. A lenient structure gives none where the bytes do not follow it.
    pub(crate) fn split<'d>(&'d self, bytes: &[u8]) -> Result<Vec<Item<'d>>, Fault> {
        self.split_at(bytes, 0, 0)
    }

    fn split_at<'d>(&'d self, bytes: &[u8], base: usize, depth: usize) -> Result<Vec<Item<'d>>, Fault> {
        if depth > DEPTH {
            return fault(base, "", Problem::TooDeep { max: DEPTH });
        }
        let reader = Reader { structure: self, bytes, base, depth };
        let found = match self.by {
            By::Position => reader.by_position(),
            By::Tag(tagged) => reader.by_tag(tagged),
            By::Ber => reader.ber(),
            By::Bitmap { form, bytes, extends } => reader.by_bitmap(form, bytes.into(), extends),
        };
        match found {
            Err(_) if self.lenient => Ok(Vec::new()),
            other => other,
        }
    }
}

struct Reader<'d, 'b> {
    structure: &'d Structure,
    bytes: &'b [u8],
    /// Where `bytes` begin in the field's value.
    base: usize,
    depth: usize,
}

impl<'d> Reader<'d, '_> {
    fn take(&self, at: usize, length: usize, id: &str) -> Result<&[u8], Fault> {
        match self.bytes.get(at..at + length) {
            Some(bytes) => Ok(bytes),
            None => {
                let left = self.bytes.len().saturating_sub(at);
                fault(self.base + at, id, Problem::Truncated { needed: length, left })
            }
        }
    }

    fn by_position(&self) -> Result<Vec<Item<'d>>, Fault> {
        let mut at = 0;
        let mut items = Vec::with_capacity(self.structure.parts.len());
        for part in &self.structure.parts {
            if at == self.bytes.len() {
                break;
            }
            let (item, behind) = self.item(part, at)?;
            items.push(item);
            at = behind;
        }
        self.all_used(at)?;
        Ok(items)
    }

    fn all_used(&self, at: usize) -> Result<(), Fault> {
        match self.bytes.len() - at {
            0 => Ok(()),
            count => fault(self.base + at, "", Problem::Trailing { count }),
        }
    }

    fn by_bitmap(&self, form: BitmapForm, size: usize, extends: bool) -> Result<Vec<Item<'d>>, Fault> {
        let mut bits = self.bits(form, 0, size)?;
        let mut at = form.length(size);
        if extends && bits.first() == Some(&1) {
            bits.remove(0);
            bits.extend(self.bits(form, at, size)?.into_iter().map(|bit| bit + size * 8));
            at += form.length(size);
        }
        let mut items = Vec::with_capacity(bits.len());
        for bit in bits {
            let id = bit.to_string();
            let Some(part) = self.structure.part(&id) else {
                return fault(self.base, &id, Problem::NotInDialect);
            };
            let (item, behind) = self.item(part, at)?;
            items.push(item);
            at = behind;
        }
        self.all_used(at)?;
        Ok(items)
    }

    /// The numbers of the bits that are set.
    fn bits(&self, form: BitmapForm, at: usize, size: usize) -> Result<Vec<usize>, Fault> {
        let bytes = self.take(at, form.length(size), "bitmap")?;
        let mut bits = Vec::new();
        for index in 0..size {
            match form.byte(bytes, index) {
                Ok(byte) => bits.extend((0..8).filter(|bit| byte << bit & 0x80 != 0).map(|bit| index * 8 + bit + 1)),
                Err((place, problem)) => return fault(self.base + at + place, "bitmap", problem),
            }
        }
        Ok(bits)
    }

    fn by_tag(&self, tagged: Tagged) -> Result<Vec<Item<'d>>, Fault> {
        let mut items = Vec::new();
        let mut at = 0;
        for part in self.structure.parts.iter().take(tagged.leading) {
            if at == self.bytes.len() {
                break;
            }
            let (item, behind) = self.item(part, at)?;
            items.push(item);
            at = behind;
        }
        while at < self.bytes.len() {
            let (item, behind) =
                if tagged.length_first { self.length_then_tag(tagged, at)? } else { self.tag_then_length(tagged, at)? };
            items.push(item);
            at = behind;
        }
        Ok(items)
    }

    fn tag_then_length(&self, tagged: Tagged, at: usize) -> Result<(Item<'d>, usize), Fault> {
        let (id, at) = self.tag(tagged.tag, at)?;
        // A part with a length of its own needs none of the structure's.
        let own = self.structure.part(&id).filter(|part| part.spec.prefix != Prefix::Rest);
        match (own, tagged.length) {
            (Some(part), _) => self.item(part, at),
            (None, Some(length)) => {
                let (size, start) = self.length(length, at, &id)?;
                self.take(start, size, &id)?;
                Ok((self.tagged(id, start..start + size)?, start + size))
            }
            (None, None) => fault(self.base + at, &id, Problem::NotInDialect),
        }
    }

    fn length_then_tag(&self, tagged: Tagged, at: usize) -> Result<(Item<'d>, usize), Fault> {
        let length = tagged.length.unwrap_or(LengthForm::Ber);
        let (size, start) = self.length(length, at, "length")?;
        self.take(start, size, "length")?;
        let end = start + size;
        let (id, value) = self.tag(tagged.tag, start)?;
        if value > end {
            return fault(self.base + start, &id, Problem::Truncated { needed: value - start, left: size });
        }
        Ok((self.tagged(id, value..end)?, end))
    }

    /// The tag at `at` and the offset behind it.
    fn tag(&self, form: TagForm, at: usize) -> Result<(String, usize), Fault> {
        if form == TagForm::Ber {
            return match tlv::tag(self.bytes, at) {
                Ok((tag, behind)) => Ok((tlv::name(tag), behind)),
                Err(tlv::Garbled) => fault(self.base + at, "tag", Problem::NotTlv),
            };
        }
        let bytes = self.take(at, form.length(), "tag")?;
        Ok((form.read(bytes), at + bytes.len()))
    }

    /// The length at `at` and the offset behind it.
    fn length(&self, form: LengthForm, at: usize, id: &str) -> Result<(usize, usize), Fault> {
        let found = self.bytes.get(at).copied().unwrap_or(0);
        match form {
            LengthForm::Ber => match tlv::length(self.bytes, at) {
                Ok(length) => Ok(length),
                Err(tlv::Garbled) => fault(self.base + at, id, Problem::NotLength { found }),
            },
            LengthForm::Prefix(prefix) => match prefix.read(self.take(at, prefix.length(), id)?) {
                Some(size) => Ok((size as usize, at + prefix.length())),
                None => fault(self.base + at, id, Problem::NotLength { found }),
            },
        }
    }

    fn ber(&self) -> Result<Vec<Item<'d>>, Fault> {
        let mut items = Vec::new();
        let mut at = 0;
        while at < self.bytes.len() {
            if self.bytes.get(at) == Some(&0) {
                at += 1; // filler between objects
                continue;
            }
            let object = match tlv::object(self.bytes, at) {
                Ok(object) => object,
                Err(tlv::Garbled) => return fault(self.base + at, "", Problem::NotTlv),
            };
            let end = object.value.end;
            items.push(self.ber_object(&object)?);
            at = end;
        }
        Ok(items)
    }

    fn ber_object(&self, object: &tlv::Object) -> Result<Item<'d>, Fault> {
        let id = tlv::name(object.tag);
        let known = self.structure.part(&id).is_some();
        let mut item = self.tagged(id, object.value.clone())?;
        item.ber = true;
        if !known && object.template {
            let bytes = self.take(object.value.start, object.value.len(), &item.id)?;
            let base = self.base + object.value.start;
            item.items =
                self.structure.split_at(bytes, base, self.depth + 1).map_err(|fault| within(&item.id, fault))?;
        }
        Ok(item)
    }

    /// The part of a tag, whose value is `range` of the bytes.
    fn tagged(&self, id: String, range: Range<usize>) -> Result<Item<'d>, Fault> {
        let Some(part) = self.structure.part(&id) else {
            if !self.structure.keep_unknown {
                return fault(self.base + range.start, &id, Problem::NotInDialect);
            }
            let units = u16::try_from(range.len()).unwrap_or(u16::MAX);
            let range = self.base + range.start..self.base + range.end;
            return Ok(Item { id, part: None, range, units, ber: false, items: Vec::new() });
        };
        let inner = Reader {
            bytes: self.bytes.get(..range.end).unwrap_or_default(),
            structure: self.structure,
            base: self.base,
            depth: self.depth,
        };
        let (item, behind) = inner.item(part, range.start)?;
        if behind != range.end {
            return fault(self.base + behind, &item.id, Problem::Trailing { count: range.end - behind });
        }
        Ok(item)
    }

    /// Reads `part` at `at`; gives the offset behind it.
    fn item(&self, part: &'d Part, at: usize) -> Result<(Item<'d>, usize), Fault> {
        let (spec, id) = (&part.spec, part.id.as_str());
        let prefix = self.take(at, spec.prefix.length(), id)?;
        let start = at + prefix.len();
        let left = self.bytes.len() - start;
        let announced = match spec.prefix {
            Prefix::None => spec.units.into(),
            Prefix::Rest => u32::try_from(spec.form.capacity(left)).unwrap_or(u32::MAX),
            length => match length.read(prefix) {
                Some(announced) => announced,
                None => {
                    let found = prefix.first().copied().unwrap_or(0);
                    return fault(self.base + at, id, Problem::NotLength { found });
                }
            },
        };
        let announced = match u16::try_from(announced) {
            Ok(units) if (spec.min..=spec.units).contains(&units) => units,
            _ => return fault(self.base + at, id, Problem::length(spec, announced)),
        };
        let units = if matches!(spec.prefix, Prefix::None | Prefix::Rest) { announced } else { spec.units(announced) };
        let value = self.take(start, spec.bytes(units), id)?;
        if !spec.accepts(value, units) {
            let (index, problem) = spec.find_fault(value, units);
            return fault(self.base + start + index, id, problem);
        }
        let range = self.base + start..self.base + start + value.len();
        let items = match &part.structure {
            None => Vec::new(),
            Some(structure) => {
                structure.split_at(value, range.start, self.depth + 1).map_err(|fault| within(id, fault))?
            }
        };
        let behind = start + value.len();
        Ok((Item { id: part.id.clone(), part: Some(part), range, units, ber: false, items }, behind))
    }
}

fn within(id: &str, mut fault: Fault) -> Fault {
    fault.path.insert(0, id.to_owned());
    fault
}

impl TagForm {
    /// Bytes of a tag of fixed length.
    fn length(self) -> usize {
        match self {
            TagForm::Text { form, digits } => form.bytes(digits.into()),
            TagForm::Binary { bytes } => bytes.into(),
            TagForm::Ber => 0,
        }
    }

    fn read(self, bytes: &[u8]) -> String {
        match self {
            TagForm::Text { form, digits } => {
                let units = form.capacity(bytes.len());
                let first = units.saturating_sub(digits.into());
                (first..units).map(|at| char::from(form.unit(bytes, at))).collect()
            }
            TagForm::Binary { .. } | TagForm::Ber => show::hex(bytes),
        }
    }

    /// Appends a tag; false when it has not as many bytes.
    pub(crate) fn write(self, id: &str, out: &mut Vec<u8>) -> bool {
        let spec = match self {
            TagForm::Text { form, .. } => Spec { content: Content::Printable, form, pad_left: true, ..Spec::UNKNOWN },
            TagForm::Binary { .. } | TagForm::Ber => {
                Spec { content: Content::Nibbles, form: Form::Packed, ..Spec::UNKNOWN }
            }
        };
        let spec = Spec { fill: if spec.form == Form::Packed { 0 } else { b' ' }, ..spec }.settled();
        let from = out.len();
        let written = put_field(&spec, id.as_bytes(), out).is_ok();
        let bytes = out.get(from..).unwrap_or_default();
        match self {
            TagForm::Ber => written && tlv::tag(bytes, 0).is_ok_and(|(_, behind)| behind == bytes.len()),
            TagForm::Text { digits, .. } => written && id.len() == usize::from(digits),
            TagForm::Binary { .. } => written && bytes.len() == self.length(),
        }
    }
}

impl LengthForm {
    /// Appends a length; false when it does not fit.
    pub(crate) fn write(self, length: usize, out: &mut Vec<u8>) -> bool {
        match self {
            LengthForm::Prefix(prefix) => prefix.write(length, out).is_some(),
            LengthForm::Ber => tlv::write_length(length, out),
        }
    }
}
