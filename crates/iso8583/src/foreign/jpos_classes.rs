//! The field classes of jPOS: how each writes its length and its value.

use super::draft::{ByteCoding, Coding, Content, Counts, Length, LengthCoding, Page, Prefix, Shape, Side, Tag};
use super::known;

/// jPOS's EBCDIC.
pub(super) const PAGE: Page = Page::Cp1047;
const EBCDIC: Coding = Coding::Ebcdic(PAGE);

/// What a class reads.
pub(super) enum Leaf {
    Value(Shape),
    Bitmap(ByteCoding),
    /// Not one byte.
    Nothing,
    /// A length, then a value that always takes the same bytes.
    Filled {
        length: Shape,
        value: Shape,
    },
    /// Text up to a character.
    Terminated,
    /// A tag, then a length of its own and the value (or the length first).
    Tagged {
        tag: Tag,
        digits: u32,
        length_first: bool,
        shape: Shape,
    },
}

/// What an element says besides its class.
#[derive(Clone, Copy)]
pub(super) struct Said {
    /// The field's number; 0 for a part.
    pub(super) number: u16,
    pub(super) length: u32,
    pub(super) pad: bool,
}

/// What the class of that name reads; none when it is not known.
pub(super) fn leaf(class: &str, said: Said) -> Option<Leaf> {
    let name = class.rsplit('.').next().unwrap_or(class);
    odd(name, said).or_else(|| tagged(name, said)).or_else(|| regular(name, said).map(Leaf::Value))
}

/// Digits that the library does not check: digits where the field is known to hold them, otherwise text.
fn numbers(said: Said, coding: Coding) -> Content {
    match coding {
        Coding::Bcd if known::track(said.number) => Content::Track(Coding::Bcd),
        Coding::Bcd => Content::Digits(Coding::Bcd),
        _ if known::surely_numeric(said.number) => Content::Digits(coding),
        _ => Content::Text(coding),
    }
}

fn side(said: Said) -> Side {
    if said.pad { Side::Left } else { Side::Right }
}

fn variable(content: Content, most: u32, coding: LengthCoding, digits: u8) -> Shape {
    Shape::new(content, Length::Variable { most, prefix: Prefix::new(coding, digits) })
}

fn odd(name: &str, said: Said) -> Option<Leaf> {
    let length = said.length;
    let bcd = numbers(said, Coding::Bcd);
    let ascii_numbers = numbers(said, Coding::Ascii);
    let bytes = Content::Bytes(ByteCoding::Binary);
    Some(Leaf::Value(match name {
        "IF_NOP" | "IF_UNUSED" => return Some(Leaf::Nothing),
        "IFB_BITMAP" => return Some(Leaf::Bitmap(ByteCoding::Binary)),
        "IFA_BITMAP" | "IFA_BITMAPStandalone" => return Some(Leaf::Bitmap(ByteCoding::Hex)),
        "IFE_BITMAP" => return Some(Leaf::Bitmap(ByteCoding::EbcdicHex)),
        "IF_CHAR" => Shape::fixed(Content::Text(Coding::Ascii), length).padded(Side::Right),
        "IF_ECHAR" => Shape::fixed(Content::Text(EBCDIC), length).padded(Side::Right),
        "IF_TCHAR" | "IF_FSTCHAR" | "IF_FSTBINARY" => return Some(Leaf::Terminated),
        "IFA_AMOUNT" => Shape::fixed(Content::Amount(Coding::Ascii), length),
        "IFE_AMOUNT" => Shape::fixed(Content::Amount(EBCDIC), length),
        "IFB_AMOUNT" => Shape::fixed(Content::Amount(Coding::Bcd), length),
        "IFA_AMOUNT2003" => Shape::fixed(ascii_numbers, length).padded(Side::Left).filled('0'),
        "IFB_AMOUNT2003" => Shape::fixed(bcd, length).padded(side(said)),
        "IFE_SIGNED_NUMERIC" => Shape::fixed(Content::Text(EBCDIC), length),
        "IFA_FLLCHAR" | "IFA_FLLNUM" => {
            let text = Shape::fixed(Content::Text(Coding::Ascii), length).padded(Side::Right);
            return Some(Leaf::Filled { length: Shape::fixed(Content::Digits(Coding::Ascii), 2), value: text });
        }
        "IFB_LLHFBINARY" => {
            return Some(Leaf::Filled { length: Shape::fixed(bytes, 1), value: Shape::fixed(bytes, length) });
        }
        "IFB_FLLNUM" => packed_f(variable(bcd, length, LengthCoding::Bcd, 2), said),
        "IFB_FLLLNUM" => packed_f(variable(bcd, length, LengthCoding::Bcd, 3), said),
        "IFB_FNUMERIC" => packed_f(Shape::fixed(bcd, length), said),
        "IFA_LLABINARY" => variable(Content::Bytes(ByteCoding::Hex), length, LengthCoding::Ascii, 2),
        "IFA_LLLABINARY" => variable(Content::Bytes(ByteCoding::Hex), length, LengthCoding::Ascii, 3),
        "IFA_LLBNUM" => variable(bcd, length.next_multiple_of(2), LengthCoding::Ascii, 2).padded(side(said)),
        "IFEB_LLNUM" | "IFEB_LLLNUM" => {
            let digits = if name == "IFEB_LLNUM" { 2 } else { 3 };
            variable(bcd, length.div_ceil(2), LengthCoding::Ebcdic, digits)
                .counting(Counts::Bytes)
                .padded(Side::Right)
                .filled('F')
        }
        "IFB_HEX" => Shape::fixed(Content::Nibbles, length).padded(side(said)),
        "IFB_LLHEX" => variable(Content::Nibbles, length * 2, LengthCoding::Bcd, 2).counting(Counts::Nibbles),
        "IFB_LLLHEX" => variable(Content::Nibbles, length * 2, LengthCoding::Bcd, 3).counting(Counts::Nibbles),
        "IFE_LLEBINARY" => variable(Content::Text(EBCDIC), length, LengthCoding::Ebcdic, 2),
        "IFE_LLLEBINARY" => variable(Content::Text(EBCDIC), length, LengthCoding::Ebcdic, 3),
        _ => return None,
    }))
}

/// Packed digits with the filler F (0 when it stands in front).
fn packed_f(shape: Shape, said: Said) -> Shape {
    if said.pad { shape.padded(Side::Left) } else { shape.padded(Side::Right).filled('F') }
}

/// Classes that read their own tag.
fn tagged(name: &str, said: Said) -> Option<Leaf> {
    use LengthCoding::{Ascii, Ebcdic};
    let text = Content::Text(Coding::Ascii);
    let ebcdic = Content::Text(EBCDIC);
    let bytes = Content::Bytes(ByteCoding::Binary);
    let (tag, digits, length_first, content, coding, length_digits) = match name {
        "IFMC_LLCHAR" => (Tag::Ascii, 2, false, text, Ascii, 2),
        "IFMC_LLBINARY" => (Tag::Ascii, 2, false, bytes, Ascii, 2),
        "IFEMC_LLCHAR" => (Tag::Ascii, 2, false, ebcdic, Ebcdic, 2),
        "IFEMC_LLLCHAR" => (Tag::Ebcdic, 4, false, ebcdic, Ebcdic, 3),
        "IFEPE_LLCHAR" => (Tag::Ebcdic, 2, false, ebcdic, Ebcdic, 2),
        "IFEPE_LLLCHAR" => (Tag::Ebcdic, 3, false, ebcdic, Ebcdic, 3),
        "IFEPE_LLBINARY" => (Tag::Ebcdic, 2, false, bytes, Ebcdic, 2),
        "IFIPM_LLLCHAR" => (Tag::Ascii, 4, false, text, Ascii, 3),
        "IFEP_LLCHAR" => (Tag::Ascii, 2, true, text, Ascii, 2),
        "IFEP_LLLCHAR" => (Tag::Ebcdic, 2, true, text, Ebcdic, 3),
        "IFELPE_LLLCHAR" => (Tag::Ebcdic, 2, true, ebcdic, Ebcdic, 3),
        _ => return tag_and_ascii(name, said),
    };
    let shape = variable(content, said.length, coding, length_digits);
    Some(Leaf::Tagged { tag, digits, length_first, shape })
}

/// `IFA_TTLLCHAR` and its like: tag digits, length digits, content.
fn tag_and_ascii(name: &str, said: Said) -> Option<Leaf> {
    let rest = name.strip_prefix("IFA_")?;
    let (digits, rest) = run(rest, 'T');
    let (length_digits, kind) = run(rest, 'L');
    if digits < 2 || length_digits == 0 {
        return None;
    }
    let content = match kind {
        "CHAR" => Content::Text(Coding::Ascii),
        "NUM" => numbers(said, Coding::Ascii),
        "BINARY" => Content::Bytes(ByteCoding::Binary),
        _ => return None,
    };
    let shape = variable(content, said.length, LengthCoding::Ascii, length_digits);
    Some(Leaf::Tagged { tag: Tag::Ascii, digits: digits.into(), length_first: false, shape })
}

/// How often `text` begins with a letter, and what is behind.
fn run(text: &str, letter: char) -> (u8, &str) {
    let rest = text.trim_start_matches(letter);
    (u8::try_from(text.len() - rest.len()).unwrap_or(0), rest)
}

/// Classes whose name says it all: family, length digits, kind.
fn regular(name: &str, said: Said) -> Option<Shape> {
    let (family, rest) = name.split_once('_')?;
    let (digits, kind) = run(rest, 'L');
    if digits > 6 {
        return None;
    }
    let (text, lengths, bytes) = match family {
        "IFA" => (Coding::Ascii, LengthCoding::Ascii, ByteCoding::Hex),
        "IFE" => (EBCDIC, LengthCoding::Ebcdic, ByteCoding::EbcdicHex),
        "IFAE" => (EBCDIC, LengthCoding::Ascii, ByteCoding::Binary),
        "IFEA" => (Coding::Ascii, LengthCoding::Ebcdic, ByteCoding::Binary),
        "IFB" => return packed_family(digits, kind, said),
        _ => return None,
    };
    let fixed = |content| Shape::fixed(content, said.length);
    Some(match (digits, kind) {
        (0, "NUMERIC") => fixed(numbers(said, text)).padded(Side::Left).filled('0'),
        (0, "CHAR") => fixed(Content::Text(text)).padded(Side::Right),
        (0, "BINARY") => fixed(Content::Bytes(bytes)),
        (1.., "NUM") => variable(numbers(said, text), said.length, lengths, digits),
        (1.., "CHAR") => variable(Content::Text(text), said.length, lengths, digits),
        // With a length in front the bytes stand as they are.
        (1.., "BINARY") => variable(Content::Bytes(ByteCoding::Binary), said.length, lengths, digits),
        _ => return None,
    })
}

/// Packed digits; lengths packed, or (H) in binary of one byte up to LL and of two above.
fn packed_family(digits: u8, kind: &str, said: Said) -> Option<Shape> {
    let bytes = Content::Bytes(ByteCoding::Binary);
    let text = Content::Text(Coding::Ascii);
    let numbers = numbers(said, Coding::Bcd);
    let packed = |content| variable(content, said.length, LengthCoding::Bcd, digits);
    let binary = |content| variable(content, said.length, LengthCoding::Binary, if digits > 2 { 2 } else { 1 });
    Some(match (digits, kind) {
        (0, "NUMERIC") => Shape::fixed(numbers, said.length).padded(side(said)),
        (0, "CHAR") => Shape::fixed(text, said.length).padded(Side::Right),
        (0, "BINARY") => Shape::fixed(bytes, said.length),
        (1.., "NUM") => packed(numbers).padded(side(said)),
        (1.., "CHAR") => packed(text),
        (1.., "BINARY") => packed(bytes),
        (1.., "HNUM") => binary(numbers).padded(side(said)),
        (1.., "HCHAR") => binary(text),
        (1.., "HECHAR") => binary(Content::Text(EBCDIC)),
        (1.., "HBINARY") => binary(bytes),
        _ => return None,
    })
}
