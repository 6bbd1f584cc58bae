//! Field descriptions of jPOS's `GenericPackager`.

use roxmltree::{Document, Node, ParsingOptions};

use super::draft::{
    BitmapDraft, By, ByteCoding, Coding, Content, Draft, Item, LONGEST, Length, Parts, Place, Shape, Third, container,
};
use super::jpos_classes::{self, Leaf, PAGE, Said};
use super::{Format, ImportError, Remark, jpos_parts};

pub(super) fn read(text: &str, remarks: &mut Vec<Remark>) -> Result<Draft, ImportError> {
    let options = ParsingOptions { allow_dtd: true, ..ParsingOptions::default() };
    let document = Document::parse_with_options(text, options)
        .map_err(|error| ImportError::Syntax { language: "XML", problem: error.to_string() })?;
    let root = document.root_element();
    if root.tag_name().name() != "isopackager" {
        let problem = format!("its root is <{}>, not <isopackager>", root.tag_name().name());
        return Err(ImportError::NotOne { format: Format::JposXml.name(), problem });
    }
    if root.attribute("emitBitmap").is_some_and(|value| !value.eq_ignore_ascii_case("true")) {
        return Err(ImportError::part("isopackager", "messages without a bitmap cannot be read"));
    }
    let bitmap_field = number(root.attribute("bitmapField")).unwrap_or(1);
    let mut fields = Vec::new();
    let (mut mti, mut bitmap) = (None, None);
    for element in elements(root) {
        let id = id(element)?;
        match id {
            0 => mti = Some(mti_coding(element)?),
            _ if id == bitmap_field => bitmap = Some((bitmap_coding(element)?, length(element)?)),
            1 => {}
            _ if id > 192 => Place::field(&id.to_string(), remarks).remark("is beyond field 192; left out"),
            _ => fields.extend(item(element, &mut Place::field(&id.to_string(), remarks), true)?),
        }
    }
    let not_one = |problem: &str| ImportError::NotOne { format: Format::JposXml.name(), problem: problem.into() };
    let mti = mti.ok_or_else(|| not_one("it has no field 0, the message type"))?;
    let (coding, bytes) = bitmap.ok_or_else(|| not_one("it has no bitmap field"))?;
    fields.sort_by_key(Item::number);
    let bitmap = message_bitmap(root, coding, bytes, remarks);
    let name = root.attribute("name").unwrap_or("jPOS packager").into();
    Ok(Draft { name, header: header(root), mti, bitmap, fields })
}

pub(super) fn elements<'a, 'i>(parent: Node<'a, 'i>) -> impl Iterator<Item = Node<'a, 'i>> {
    parent.children().filter(|child| matches!(child.tag_name().name(), "isofield" | "isofieldpackager"))
}

pub(super) fn number(text: Option<&str>) -> Option<u16> {
    text?.trim().parse().ok()
}

pub(super) fn flag(element: Node<'_, '_>, name: &str) -> bool {
    element.attribute(name).is_some_and(|value| value.eq_ignore_ascii_case("true"))
}

pub(super) fn id(element: Node<'_, '_>) -> Result<u16, ImportError> {
    number(element.attribute("id"))
        .ok_or_else(|| ImportError::part(position(element), "the element needs a numeric id"))
}

pub(super) fn length(element: Node<'_, '_>) -> Result<u32, ImportError> {
    element
        .attribute("length")
        .and_then(|text| text.trim().parse().ok())
        .map(|length: u32| length.min(LONGEST))
        .ok_or_else(|| ImportError::part(position(element), "the element needs a numeric length"))
}

fn position(element: Node<'_, '_>) -> String {
    let at = element.document().text_pos_at(element.range().start);
    format!("line {} of the specification", at.row)
}

pub(super) fn class<'a>(element: Node<'a, '_>) -> &'a str {
    element.attribute("class").unwrap_or_default().trim()
}

pub(super) fn leaf(element: Node<'_, '_>, number: u16) -> Result<Option<Leaf>, ImportError> {
    let length = length(element)?;
    let said = Said { number, length, pad: flag(element, "pad") };
    Ok(jpos_classes::leaf(class(element), said))
}

fn mti_coding(element: Node<'_, '_>) -> Result<Coding, ImportError> {
    match leaf(element, 0)? {
        Some(Leaf::Value(shape)) => match shape.content {
            Content::Digits(coding) | Content::Text(coding) | Content::Amount(coding) => Ok(coding),
            Content::Nibbles | Content::Track(_) | Content::Bytes(ByteCoding::Binary) => Ok(Coding::Bcd),
            Content::Bytes(ByteCoding::Hex) => Ok(Coding::Ascii),
            Content::Bytes(ByteCoding::EbcdicHex) => Ok(Coding::Ebcdic(PAGE)),
        },
        _ => Err(ImportError::part("field 0", format!("the message type's class {:?} is not known", class(element)))),
    }
}

fn bitmap_coding(element: Node<'_, '_>) -> Result<ByteCoding, ImportError> {
    match leaf(element, 0)? {
        Some(Leaf::Bitmap(coding)) => Ok(coding),
        _ => Err(ImportError::part("bitmap", format!("the class {:?} is no known bitmap", class(element)))),
    }
}

fn message_bitmap(root: Node<'_, '_>, coding: ByteCoding, bytes: u32, remarks: &mut Vec<Remark>) -> BitmapDraft {
    let third = match number(root.attribute("thirdBitmapField")) {
        Some(65) => Third::InField65,
        Some(other) => {
            let what = format!("a third bitmap in field {other} has no dialect form; fields above 128 are left out");
            Place::field(&other.to_string(), remarks).remark(what);
            Third::None
        }
        None if bytes > 16 => Third::Joined,
        None => Third::None,
    };
    BitmapDraft { coding, secondary: bytes > 8, third, fixed_bytes: None }
}

fn header(root: Node<'_, '_>) -> Option<Item> {
    let bytes = number(root.attribute("headerLength")).filter(|bytes| *bytes > 0)?;
    Some(Item::new("h", "Header", Shape::fixed(Content::Bytes(ByteCoding::Binary), bytes.into())))
}

/// A length, then always as many units as the field may have: two parts of fixed length.
fn filled(number: u16, name: &str, length: Shape, value: Shape, place: &mut Place<'_>) -> Item {
    place.remark("its value is read with the filler behind it; its first part says how much of it counts");
    let parts = vec![Item::new("length", "Length of the value", length), Item::new("value", name, value)];
    let units = parts.iter().map(|part| part.shape.fixed_units()).sum();
    let mut item = Item::new(number.to_string(), name, Shape::fixed(container(&parts), units));
    item.parts = Some(Parts { by: By::Position, lenient: false, items: parts });
    item
}

/// A field or part; none when it takes no bytes, or (with a remark) cannot be carried over.
pub(super) fn item(element: Node<'_, '_>, place: &mut Place<'_>, top: bool) -> Result<Option<Item>, ImportError> {
    if place.too_deep() {
        return Ok(None);
    }
    let number = id(element)?;
    let name = element.attribute("name").unwrap_or_default();
    let leaf = leaf(element, if top { number } else { 0 })?;
    // Specifications name unused fields by any class of length 0.
    let unused = match &leaf {
        Some(Leaf::Value(shape)) => shape.length == Length::Fixed(0),
        Some(Leaf::Tagged { .. }) => top && length(element)? == 0,
        Some(Leaf::Nothing) => true,
        _ => false,
    };
    if unused {
        return Ok(None);
    }
    if top && matches!(leaf, Some(Leaf::Tagged { .. })) {
        place.remark("its class writes a tag of its own, which only parts of a field may; left out");
        return Ok(None);
    }
    let shape = match leaf {
        Some(Leaf::Value(shape) | Leaf::Tagged { shape, .. }) => shape,
        Some(Leaf::Bitmap(coding)) => Shape::fixed(Content::Bytes(coding), length(element)?.max(1)),
        Some(Leaf::Filled { length, value }) => return Ok(Some(filled(number, name, length, value, place))),
        Some(Leaf::Nothing) => return Ok(None),
        Some(Leaf::Terminated) => {
            place.remark("text up to a character that ends it has no dialect form; left out");
            return Ok(None);
        }
        None => {
            place.remark(format!("the class {:?} is not known; left out", class(element)));
            return Ok(None);
        }
    };
    let mut item = Item::new(number.to_string(), name, shape);
    if element.tag_name().name() == "isofieldpackager" {
        jpos_parts::divide(&mut item, element, place)?;
    }
    Ok(Some(item))
}
