//! BER-TLV as chip data use it: a walk that never reads beyond its bounds.

use std::ops::Range;

/// The data and the templates within templates that are followed.
const DEPTH: usize = 6;

/// The bytes are not BER-TLV.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Garbled;

/// A set of tags, quick to say no.
#[derive(Default)]
pub(crate) struct TagSet {
    tags: Vec<u32>,
    /// One bit for each of the 64 ways a tag can end.
    endings: u64,
}

impl TagSet {
    pub(crate) fn new(tags: Vec<u32>) -> TagSet {
        let endings = tags.iter().fold(0, |endings, tag| endings | 1 << (tag % 64));
        TagSet { tags, endings }
    }

    #[inline]
    pub(crate) fn contains(&self, tag: u32) -> bool {
        self.endings >> (tag % 64) & 1 != 0 && self.tags.contains(&tag)
    }
}

/// A walk over the primitive objects of chip data, those inside templates too. Zero bytes
/// between objects are filler.
///
/// The walk does not hold the data, so that a value may be overwritten before the next step.
pub(crate) struct Walk {
    at: usize,
    /// Ends of the open templates; the first is the end of the data.
    ends: [usize; DEPTH],
    open: usize,
}

impl Walk {
    pub(crate) fn new(data: &[u8]) -> Walk {
        let mut ends = [0; DEPTH];
        if let Some(end) = ends.first_mut() {
            *end = data.len();
        }
        Walk { at: 0, ends, open: 0 }
    }

    /// The tag and the range of the value of the next object of `data`.
    pub(crate) fn next(&mut self, data: &[u8]) -> Option<Result<(u32, Range<usize>), Garbled>> {
        loop {
            let end = *self.ends.get(self.open)?;
            if self.at == end {
                self.open = self.open.checked_sub(1)?;
            } else if data.get(self.at) == Some(&0) {
                self.at += 1;
            } else {
                match self.object(data.get(..end).unwrap_or_default()) {
                    Ok(None) => {}
                    Ok(Some(object)) => return Some(Ok(object)),
                    Err(garbled) => return Some(Err(garbled)),
                }
            }
        }
    }

    /// Reads the object here: a primitive one is given, a template is opened.
    #[inline]
    fn object(&mut self, data: &[u8]) -> Result<Option<(u32, Range<usize>)>, Garbled> {
        let object = object(data, self.at)?;
        if !object.template {
            self.at = object.value.end;
            return Ok(Some((object.tag, object.value)));
        }
        self.at = object.value.start;
        self.open += 1;
        *self.ends.get_mut(self.open).ok_or(Garbled)? = object.value.end;
        Ok(None)
    }
}

/// One object: its tag and where its value lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Object {
    pub(crate) tag: u32,
    /// It holds objects.
    pub(crate) template: bool,
    pub(crate) value: Range<usize>,
}

/// The object at `at`, whole within `data`.
#[inline]
pub(crate) fn object(data: &[u8], at: usize) -> Result<Object, Garbled> {
    let first = *data.get(at).ok_or(Garbled)?;
    let (tag, behind_tag) = tag(data, at)?;
    let (length, start) = length(data, behind_tag)?;
    let end = start.checked_add(length).filter(|end| *end <= data.len()).ok_or(Garbled)?;
    Ok(Object { tag, template: first & 0x20 != 0, value: start..end })
}

/// A tag in hexadecimal.
pub(crate) fn name(tag: u32) -> String {
    format!("{tag:02X}")
}

/// Appends an object; false when the tag is none or the value too long.
pub(crate) fn write(tag: &str, value: &[u8], out: &mut Vec<u8>) -> bool {
    let digits = (2..=8).contains(&tag.len()) && tag.len().is_multiple_of(2);
    let Some(number) = u32::from_str_radix(tag, 16).ok().filter(|_| digits) else {
        return false;
    };
    let bytes = number.to_be_bytes();
    out.extend_from_slice(bytes.get(4 - tag.len() / 2..).unwrap_or_default());
    let written = write_length(value.len(), out);
    out.extend_from_slice(value);
    written
}

/// Appends a length; false when it needs more than two bytes.
pub(crate) fn write_length(length: usize, out: &mut Vec<u8>) -> bool {
    let Ok(length) = u16::try_from(length) else {
        return false;
    };
    let [high, low] = length.to_be_bytes();
    match length {
        0..=0x7F => out.push(low),
        0x80..=0xFF => out.extend([0x81, low]),
        _ => out.extend([0x82, high, low]),
    }
    true
}

/// The objects of one field of chip data, found when its frame was decoded. Of fixed size.
#[derive(Clone, Copy)]
pub(crate) struct TlvIndex {
    /// Zero: no field of chip data.
    pub(crate) field: u8,
    /// The data are no BER-TLV, or have more objects than the index holds.
    pub(crate) partial: bool,
    pub(crate) garbled: bool,
    count: u8,
    tags: [u32; INDEXED],
    /// First byte and length of each value, within the field.
    places: [(u16, u16); INDEXED],
}

/// Objects that an index holds; a payment has about 20.
const INDEXED: usize = 32;

impl TlvIndex {
    /// Stands for a field that has been indexed already, so that none is.
    pub(crate) const NOT_WANTED: u8 = u8::MAX;

    pub(crate) const NONE: TlvIndex =
        TlvIndex { field: 0, partial: false, garbled: false, count: 0, tags: [0; INDEXED], places: [(0, 0); INDEXED] };

    /// Fills the index from the value of field `number`.
    #[inline]
    pub(crate) fn fill(&mut self, number: u8, data: &[u8]) {
        self.field = number;
        let mut walk = Walk::new(data);
        let mut count = 0;
        while let Some(object) = walk.next(data) {
            let Ok((tag, value)) = object else {
                self.garbled = true;
                break;
            };
            let (Some(slot), Some(place)) = (self.tags.get_mut(count), self.places.get_mut(count)) else {
                self.partial = true;
                break;
            };
            *slot = tag;
            #[allow(clippy::cast_possible_truncation, reason = "a frame has at most 65,535 bytes")]
            let found = (value.start as u16, value.len() as u16);
            *place = found;
            count += 1;
        }
        #[allow(clippy::cast_possible_truncation, reason = "at most INDEXED")]
        let count = count as u8;
        self.count = count;
    }

    /// Where the value of a tag lies in the field; none when the index does not have it.
    pub(crate) fn find(&self, tag: u32) -> Option<Range<usize>> {
        let count = usize::from(self.count);
        let at = self.tags.get(..count)?.iter().position(|one| *one == tag)?;
        let (start, length) = *self.places.get(at)?;
        Some(start.into()..usize::from(start) + usize::from(length))
    }
}

/// The tag at `at` and the offset behind it.
pub(crate) fn tag(data: &[u8], at: usize) -> Result<(u32, usize), Garbled> {
    let first = *data.get(at).ok_or(Garbled)?;
    let mut tag = u32::from(first);
    if first & 0x1F != 0x1F {
        return Ok((tag, at + 1));
    }
    for index in at + 1..at + 4 {
        let byte = *data.get(index).ok_or(Garbled)?;
        tag = tag << 8 | u32::from(byte);
        if byte & 0x80 == 0 {
            return Ok((tag, index + 1));
        }
    }
    Err(Garbled)
}

/// The length at `at` and the offset behind it.
pub(crate) fn length(data: &[u8], at: usize) -> Result<(usize, usize), Garbled> {
    let byte = |index: usize| data.get(index).map(|byte| usize::from(*byte)).ok_or(Garbled);
    match byte(at)? {
        short @ 0..=0x7F => Ok((short, at + 1)),
        0x81 => Ok((byte(at + 1)?, at + 2)),
        0x82 => Ok((byte(at + 1)? << 8 | byte(at + 2)?, at + 3)),
        _ => Err(Garbled),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tags(data: &[u8]) -> Result<Vec<(u32, Range<usize>)>, Garbled> {
        let mut walk = Walk::new(data);
        std::iter::from_fn(|| walk.next(data)).collect()
    }

    #[test]
    fn objects_templates_and_filler_are_walked() {
        let data = b"\x00\x5A\x02\x12\x34\x70\x07\x9F\x1F\x01\xAA\x00\x57\x00\x9F\x26\x81\x01\xBB\x00";
        assert_eq!(tags(data), Ok(vec![(0x5A, 3..5), (0x9F1F, 10..11), (0x57, 14..14), (0x9F26, 18..19)]));
        assert_eq!(tags(b""), Ok(vec![]));
        assert_eq!(tags(&[0; 9]), Ok(vec![]));
    }

    #[test]
    fn garbled_data_are_refused() {
        let cases: &[&[u8]] = &[
            b"\x5A",                                                                     // no length
            b"\x5A\x03\x12\x34",                                                         // value cut off
            b"\x9F",                                                                     // tag cut off
            b"\x9F\x81\x81\x81\x01\x00",                                                 // tag of five bytes
            b"\x5A\x80\x12\x00\x00",                                                     // indefinite length
            b"\x5A\x83\x00\x00\x01\x12",                                                 // length of three bytes
            b"\x70\x02\x5A\x05\x12\x12\x12\x12\x12",                                     // value beyond its template
            b"\x70\x10\x70\x0E\x70\x0C\x70\x0A\x70\x08\x70\x06\x70\x04\x5A\x02\x12\x34", // too deep
        ];
        for data in cases {
            assert_eq!(tags(data), Err(Garbled), "{data:02X?}");
        }
    }
}
