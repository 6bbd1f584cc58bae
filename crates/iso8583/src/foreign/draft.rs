//! What all foreign specifications are turned into before it is written down as a dialect.

use super::Remark;

/// Largest length that is taken as it is said; no frame holds more.
pub(super) const LONGEST: u32 = 999_999;
/// Parts within parts that are followed.
pub(super) const DEPTH: usize = 7;

/// A dialect to be.
pub(super) struct Draft {
    pub(super) name: String,
    pub(super) header: Option<Item>,
    pub(super) mti: Coding,
    pub(super) bitmap: BitmapDraft,
    /// In order of their numbers.
    pub(super) fields: Vec<Item>,
}

pub(super) struct BitmapDraft {
    pub(super) coding: ByteCoding,
    pub(super) secondary: bool,
    pub(super) third: Third,
    pub(super) fixed_bytes: Option<u32>,
}

/// Where a third bitmap stands.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Third {
    None,
    /// Right behind the second.
    Joined,
    /// In the place of field 65.
    InField65,
}

/// A field, or a part of one.
#[derive(Clone)]
pub(super) struct Item {
    /// The number of a field, the id of a part.
    pub(super) id: String,
    pub(super) name: String,
    pub(super) shape: Shape,
    pub(super) parts: Option<Parts>,
    pub(super) windows: Vec<Window>,
    /// Of a structure by tag: stands before the first tag.
    pub(super) leading: bool,
}

impl Item {
    pub(super) fn new(id: impl Into<String>, name: impl Into<String>, shape: Shape) -> Item {
        Item { id: id.into(), name: name.into(), shape, parts: None, windows: Vec::new(), leading: false }
    }

    pub(super) fn number(&self) -> u16 {
        self.id.parse().unwrap_or(0)
    }
}

/// A named window into a field of packed digits.
#[derive(Clone)]
pub(super) struct Window {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) at: u32,
    pub(super) length: u32,
}

/// How a value stands in a frame.
#[derive(Clone)]
pub(super) struct Shape {
    pub(super) content: Content,
    pub(super) length: Length,
    pub(super) counts: Option<Counts>,
    pub(super) pad: Option<Side>,
    pub(super) fill: Option<char>,
}

impl Shape {
    pub(super) fn new(content: Content, length: Length) -> Shape {
        Shape { content, length, counts: None, pad: None, fill: None }
    }

    pub(super) fn fixed(content: Content, units: u32) -> Shape {
        Shape::new(content, Length::Fixed(units))
    }

    pub(super) fn padded(self, side: Side) -> Shape {
        Shape { pad: Some(side), ..self }
    }

    pub(super) fn filled(self, fill: char) -> Shape {
        Shape { fill: Some(fill), ..self }
    }

    pub(super) fn counting(self, counts: Counts) -> Shape {
        Shape { counts: Some(counts), ..self }
    }

    /// Units of a fixed length; 0 for any other.
    pub(super) fn fixed_units(&self) -> u32 {
        if let Length::Fixed(units) = self.length { units } else { 0 }
    }

    /// Two units stand in a byte.
    pub(super) fn packed(&self) -> bool {
        matches!(self.content, Content::Nibbles | Content::Digits(Coding::Bcd) | Content::Track(Coding::Bcd))
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Content {
    Digits(Coding),
    Track(Coding),
    /// Packed hexadecimal nibbles.
    Nibbles,
    Text(Coding),
    Bytes(ByteCoding),
    /// A letter, then digits.
    Amount(Coding),
}

/// How characters are written.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Coding {
    Bcd,
    Ascii,
    Ebcdic(Page),
    /// ASCII codes as two hexadecimal characters each.
    Hex,
}

impl Coding {
    pub(super) fn name(self) -> &'static str {
        match self {
            Coding::Bcd => "bcd",
            Coding::Ascii => "ascii",
            Coding::Ebcdic(_) => "ebcdic",
            Coding::Hex => "hex",
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Page {
    Cp037,
    Cp500,
    Cp1047,
}

impl Page {
    pub(super) fn name(self) -> &'static str {
        match self {
            Page::Cp037 => "cp037",
            Page::Cp500 => "cp500",
            Page::Cp1047 => "cp1047",
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum ByteCoding {
    Binary,
    Hex,
    EbcdicHex,
}

impl ByteCoding {
    pub(super) fn name(self) -> &'static str {
        match self {
            ByteCoding::Binary => "binary",
            ByteCoding::Hex => "hex",
            ByteCoding::EbcdicHex => "ebcdic-hex",
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Length {
    Fixed(u32),
    Variable {
        most: u32,
        prefix: Prefix,
    },
    /// All that is left; at most so many.
    Rest(u32),
}

/// A length in front of a value.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Prefix {
    pub(super) coding: LengthCoding,
    /// Digits; bytes where it is binary or hexadecimal (two characters each).
    pub(super) digits: u8,
    /// Bytes, where they are not as the digits say.
    pub(super) bytes: Option<u8>,
}

impl Prefix {
    pub(super) fn new(coding: LengthCoding, digits: u8) -> Prefix {
        Prefix { coding, digits, bytes: None }
    }

    /// The largest number that fits.
    pub(super) fn capacity(self) -> u32 {
        let digits = match (self.coding, self.bytes) {
            (LengthCoding::Bcd, Some(bytes)) => u32::from(bytes) * 2,
            (LengthCoding::Bcd, None) => u32::from(self.digits),
            (LengthCoding::Ascii | LengthCoding::Ebcdic, bytes) => u32::from(bytes.unwrap_or(self.digits)),
            (LengthCoding::Binary, bytes) => {
                let bytes = u32::from(bytes.unwrap_or(self.digits));
                return 256_u32.checked_pow(bytes).map_or(u32::MAX, |most| most - 1);
            }
            (LengthCoding::Hex, bytes) => {
                let characters = u32::from(bytes.unwrap_or(self.digits * 2));
                return 16_u32.checked_pow(characters).map_or(u32::MAX, |most| most - 1);
            }
        };
        10_u32.checked_pow(digits).map_or(u32::MAX, |most| most - 1)
    }
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum LengthCoding {
    Bcd,
    Ascii,
    Ebcdic,
    Binary,
    Hex,
}

impl LengthCoding {
    pub(super) fn name(self) -> &'static str {
        match self {
            LengthCoding::Bcd => "bcd",
            LengthCoding::Ascii => "ascii",
            LengthCoding::Ebcdic => "ebcdic",
            LengthCoding::Binary => "binary",
            LengthCoding::Hex => "hex",
        }
    }
}

/// What a length counts, where it is not units.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Counts {
    Nibbles,
    Bytes,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Left,
    Right,
}

/// How the content of a field is divided.
#[derive(Clone)]
pub(super) struct Parts {
    pub(super) by: By,
    pub(super) lenient: bool,
    pub(super) items: Vec<Item>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum By {
    Position,
    Ber,
    Bitmap {
        coding: ByteCoding,
        bytes: u32,
        extends: bool,
    },
    Tag {
        tag: Tag,
        digits: u32,
        /// The same for all parts; none: each part has its own.
        length: Option<TagLength>,
        /// The length stands before the tag and counts it.
        length_first: bool,
    },
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Tag {
    Ascii,
    Ebcdic,
    Bcd,
    Binary,
    Ber,
}

impl Tag {
    pub(super) fn name(self) -> &'static str {
        match self {
            Tag::Ascii => "ascii",
            Tag::Ebcdic => "ebcdic",
            Tag::Bcd => "bcd",
            Tag::Binary => "binary",
            Tag::Ber => "ber",
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum TagLength {
    Ber,
    Prefix(Prefix),
}

/// Where the reader of a specification is, and what it has to remark.
pub(super) struct Place<'r> {
    pub(super) at: String,
    pub(super) remarks: &'r mut Vec<Remark>,
}

impl<'r> Place<'r> {
    pub(super) fn field(id: &str, remarks: &'r mut Vec<Remark>) -> Place<'r> {
        Place { at: format!("field {id}"), remarks }
    }

    /// Whether parts are nested deeper than is followed; that is remarked.
    pub(super) fn too_deep(&mut self) -> bool {
        let deep = self.at.matches('.').count() > DEPTH;
        if deep {
            self.remark(format!("parts are followed {DEPTH} deep; left out"));
        }
        deep
    }

    pub(super) fn remark(&mut self, what: impl Into<String>) {
        self.remarks.push(Remark { place: self.at.clone(), what: what.into() });
    }

    /// The place of a part of this one.
    pub(super) fn part(&mut self, id: &str) -> Place<'_> {
        Place { at: format!("{}.{id}", self.at), remarks: self.remarks }
    }
}

/// The container of parts: text when all of them are text of one kind, otherwise bytes.
pub(super) fn container(items: &[Item]) -> Content {
    let mut kinds = items.iter().map(|item| match (&item.parts, item.shape.content, item.shape.length) {
        (Some(parts), ..) => match (parts.by, container(&parts.items)) {
            (By::Position, kind) => kind,
            _ => Content::Bytes(ByteCoding::Binary),
        },
        (None, Content::Text(coding) | Content::Digits(coding) | Content::Track(coding), length) => {
            let fits = |prefix: Prefix| {
                matches!(
                    (prefix.coding, coding),
                    (LengthCoding::Ascii, Coding::Ascii) | (LengthCoding::Ebcdic, Coding::Ebcdic(_))
                )
            };
            match (coding, length) {
                (Coding::Bcd | Coding::Hex, _) => Content::Bytes(ByteCoding::Binary),
                (_, Length::Variable { prefix, .. }) if !fits(prefix) => Content::Bytes(ByteCoding::Binary),
                _ => Content::Text(coding),
            }
        }
        _ => Content::Bytes(ByteCoding::Binary),
    });
    let Some(first) = kinds.next() else {
        return Content::Bytes(ByteCoding::Binary);
    };
    if kinds.all(|kind| kind == first) { first } else { Content::Bytes(ByteCoding::Binary) }
}
