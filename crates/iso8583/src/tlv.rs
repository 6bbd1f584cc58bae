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
    fn object(&mut self, data: &[u8]) -> Result<Option<(u32, Range<usize>)>, Garbled> {
        let first = *data.get(self.at).ok_or(Garbled)?;
        let (tag, behind_tag) = tag(data, self.at)?;
        let (length, start) = length(data, behind_tag)?;
        let end = start.checked_add(length).filter(|end| *end <= data.len()).ok_or(Garbled)?;
        if first & 0x20 == 0 {
            self.at = end;
            return Ok(Some((tag, start..end)));
        }
        self.at = start;
        self.open += 1;
        *self.ends.get_mut(self.open).ok_or(Garbled)? = end;
        Ok(None)
    }
}

fn tag(data: &[u8], at: usize) -> Result<(u32, usize), Garbled> {
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

fn length(data: &[u8], at: usize) -> Result<(usize, usize), Garbled> {
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
