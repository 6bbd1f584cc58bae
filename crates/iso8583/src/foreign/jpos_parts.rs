//! Fields of jPOS that have a packager of their own.

use std::collections::BTreeSet;

use roxmltree::Node;

use super::ImportError;
use super::draft::{
    By, ByteCoding, Coding, Content, Counts, Item, Length, LengthCoding, Parts, Place, Prefix, Tag, TagLength, Window,
    container,
};
use super::jpos::{self, elements, flag, id, number};
use super::jpos_classes::{Leaf, PAGE};

/// What a packager class does with the content.
enum Packager {
    /// Field 0 first, then by position or by bitmap.
    Message,
    /// By position or by bitmap.
    Fields,
    /// A bitmap in field 0, or by position.
    Base1,
    /// Field 0 first, then fields that write their own tag.
    OwnTags,
    /// Fields that write their own tag.
    Mapped,
    Ber,
    BerHex,
}

fn packager(name: &str) -> Option<Packager> {
    let name = name.rsplit('.').next().unwrap_or(name).trim();
    Some(match name {
        "GenericPackager" => Packager::Message,
        "GenericSubFieldPackager" | "GenericValidatingPackager" => Packager::Fields,
        "Base1SubFieldPackager" => Packager::Base1,
        "EuroSubFieldPackager" | "MasterCardEBCDICSubFieldPackager" | "GICCSubFieldPackager" => Packager::OwnTags,
        "GenericTaggedFieldsPackager" => Packager::Mapped,
        "BERTLVBinaryPackager" | "DefaultICCBERTLVPackager" | "ICCDataPackager" => Packager::Ber,
        "BERTLVAsciiHexPackager" | "BERTLVEbcdicHexPackager" => Packager::BerHex,
        _ => return None,
    })
}

/// Gives `item` the parts that its element describes, or remarks why it is read whole.
pub(super) fn divide(item: &mut Item, element: Node<'_, '_>, place: &mut Place<'_>) -> Result<(), ImportError> {
    let name = element.attribute("packager").unwrap_or_default();
    let parts = match packager(name) {
        None => {
            place.remark(format!("the packager {name:?} is not known; its content is read whole"));
            None
        }
        Some(Packager::Message) => fields(element, place, true, false)?,
        Some(Packager::Fields) => fields(element, place, false, false)?,
        Some(Packager::Base1) => fields(element, place, false, true)?,
        Some(Packager::OwnTags) => tagged(element, place, true)?,
        Some(Packager::Mapped) => mapped(element, place)?,
        Some(Packager::Ber) => Some(Parts { by: By::Ber, lenient: false, items: Vec::new() }),
        Some(Packager::BerHex) => {
            place.remark("chip data written in hexadecimal is read whole");
            None
        }
    };
    if let Some(parts) = parts {
        enclose(item, parts, place);
    }
    Ok(())
}

/// The library keeps the last of two elements with the same id.
fn last_of_each(items: &mut Vec<Item>) {
    let mut seen = BTreeSet::new();
    items.reverse();
    items.retain(|item| seen.insert(item.id.clone()));
    items.reverse();
}

/// By position or by bitmap, as `GenericPackager` and its kin decide.
fn fields(
    element: Node<'_, '_>,
    place: &mut Place<'_>,
    zero_first: bool,
    base1: bool,
) -> Result<Option<Parts>, ImportError> {
    let children: Vec<Node<'_, '_>> = elements(element).collect();
    let find = |wanted: u16| children.iter().find(|child| id(**child).is_ok_and(|found| found == wanted)).copied();
    let is_bitmap = |child: Option<Node<'_, '_>>| {
        child.is_some_and(|child| matches!(jpos::leaf(child, 0), Ok(Some(Leaf::Bitmap(_)))))
    };
    let bitmap_field = if base1 { 0 } else { number(element.attribute("bitmapField")).unwrap_or(1) };
    let emits = if base1 {
        is_bitmap(find(0))
    } else {
        element.attribute("emitBitmap").is_none() || flag(element, "emitBitmap")
    };
    let bitmap = if emits { find(bitmap_field).filter(|child| is_bitmap(Some(*child))) } else { None };
    let nested_zero = find(0).is_some_and(|zero| zero.tag_name().name() == "isofieldpackager");
    let more = children.iter().any(|child| id(*child).is_ok_and(|id| id > 0));
    let default = if nested_zero || !more {
        0
    } else if is_bitmap(find(1)) {
        2
    } else {
        1
    };
    let first = number(element.attribute("firstField")).unwrap_or(default);
    let mut items = Vec::new();
    if zero_first
        && !is_bitmap(find(0))
        && first > 0
        && let Some(zero) = find(0)
    {
        if bitmap.is_some() {
            place.remark("a field before the bitmap of a field has no dialect form; its content is read whole");
            return Ok(None);
        }
        items.push(zero);
    }
    items.extend(children.iter().filter(|child| id(**child).is_ok_and(|found| found >= first)).copied());
    if emits && bitmap.is_none() {
        place.remark("its packager reads a bitmap and names none; its content is read whole");
        return Ok(None);
    }
    let bitmap_id = bitmap.map(|child| id(child)).transpose()?;
    let mut parts = Vec::with_capacity(items.len());
    for child in items.into_iter().filter(|child| id(*child).ok() != bitmap_id || bitmap_id.is_none()) {
        let mut place = place.part(&id(child)?.to_string());
        let known = place.remarks.len();
        match jpos::item(child, &mut place, false)? {
            Some(part) => parts.push(part),
            None if place.remarks.len() > known => return Ok(None),
            None => {}
        }
    }
    last_of_each(&mut parts);
    parts.sort_by_key(Item::number);
    let Some(bitmap) = bitmap else {
        return Ok(Some(Parts { by: By::Position, lenient: true, items: parts }));
    };
    let Ok(Some(Leaf::Bitmap(coding))) = jpos::leaf(bitmap, 0) else {
        return Ok(None);
    };
    let length = jpos::length(bitmap)?;
    let by = By::Bitmap { coding, bytes: length.clamp(1, 8), extends: length > 8 };
    Ok(Some(Parts { by, lenient: true, items: parts }))
}

/// Parts whose classes write a tag: all the same one.
fn tagged(element: Node<'_, '_>, place: &mut Place<'_>, zero_leads: bool) -> Result<Option<Parts>, ImportError> {
    let mut kind = None;
    let mut lengths = Vec::new();
    let mut items = Vec::new();
    let mut leading = None;
    for child in elements(element) {
        let number = id(child)?;
        let mut place = place.part(&number.to_string());
        let mut part = match jpos::item(child, &mut place, false)? {
            Some(part) => part,
            None => continue,
        };
        match jpos::leaf(child, 0)? {
            Some(Leaf::Tagged { tag, digits, length_first, .. }) => {
                if kind.is_some_and(|kind| kind != (tag, digits, length_first)) {
                    place.remark("its tag is not written as those of the other parts; all are read whole");
                    return Ok(None);
                }
                kind = Some((tag, digits, length_first));
                part.id = format!("{number:0width$}", width = digits as usize);
                if let Length::Variable { prefix, .. } = part.shape.length {
                    lengths.push(prefix);
                }
                items.push(part);
            }
            _ if number == 0 && zero_leads => {
                part.id = "0".into();
                part.leading = true;
                leading = Some(part);
            }
            _ => {
                place.remark("its class writes no tag, those of the other parts do; all are read whole");
                return Ok(None);
            }
        }
    }
    let Some((tag, digits, length_first)) = kind else {
        place.remark("it has no parts that write a tag; its content is read whole");
        return Ok(None);
    };
    let same = lengths.first().copied().filter(|first| lengths.iter().all(|length| length == first));
    let length = same.map(TagLength::Prefix);
    if length_first && length.is_none() {
        place.remark("lengths of different forms before the tags have no dialect form; its content is read whole");
        return Ok(None);
    }
    if length.is_some() {
        for item in &mut items {
            if let Length::Variable { most, .. } = item.shape.length {
                item.shape.length = Length::Rest(most);
            }
        }
    }
    last_of_each(&mut items);
    items.sort_by(|one, other| one.id.cmp(&other.id));
    items.splice(0..0, leading);
    Ok(Some(Parts { by: By::Tag { tag, digits, length, length_first }, lenient: false, items }))
}

/// Tags that a class of the user's own program maps to numbers can only be guessed, except decimal ones.
fn mapped(element: Node<'_, '_>, place: &mut Place<'_>) -> Result<Option<Parts>, ImportError> {
    let mapper = element.attribute("tagMapper").unwrap_or_default();
    let short = mapper.rsplit('.').next().unwrap_or(mapper);
    if !matches!(short, "TTDecimalTagMapper" | "TTTDecimalTagMapper" | "DecimalTagMapper") {
        place.remark(format!("the tags of {mapper:?} are in its program, not here; its content is read whole"));
        return Ok(None);
    }
    tagged(element, place, false)
}

/// Puts parts into their field: in the coding that the field's class gives its content.
fn enclose(item: &mut Item, mut parts: Parts, place: &mut Place<'_>) {
    match item.shape.content {
        Content::Text(Coding::Ebcdic(_)) | Content::Digits(Coding::Ebcdic(_)) => {
            if !parts.items.iter_mut().all(to_ebcdic) || parts.by == By::Ber {
                place.remark("bytes within text that is converted to EBCDIC have no dialect form; it is read whole");
                return;
            }
            if let By::Tag { tag: tag @ Tag::Ascii, length, .. } = &mut parts.by {
                *tag = Tag::Ebcdic;
                if let Some(TagLength::Prefix(prefix)) = length {
                    prefix.coding = LengthCoding::Ebcdic;
                }
            }
            item.shape.content = Content::Text(Coding::Ebcdic(PAGE));
        }
        Content::Digits(Coding::Bcd) | Content::Nibbles | Content::Track(_) | Content::Amount(Coding::Bcd) => {
            if item.shape.counts.is_none() && parts.by == By::Position && windows(item, &parts.items) {
                return;
            }
            place.remark("parts within packed digits that are not of fixed length are read whole");
            return;
        }
        Content::Bytes(ByteCoding::Hex | ByteCoding::EbcdicHex) => {
            place.remark("parts within bytes that are written in hexadecimal are read whole");
            return;
        }
        _ => {
            let all_text = matches!(parts.by, By::Position | By::Tag { tag: Tag::Ascii, .. });
            let content = if all_text { container(&parts.items) } else { Content::Bytes(ByteCoding::Binary) };
            item.shape.content = match content {
                Content::Text(Coding::Ascii) => content,
                _ => Content::Bytes(ByteCoding::Binary),
            };
            item.shape.fill = None;
            item.shape.pad = None;
        }
    }
    item.parts = Some(parts);
}

/// Text of a part as it stands when the whole field is converted to EBCDIC; whether that can be said.
fn to_ebcdic(item: &mut Item) -> bool {
    let ebcdic = Coding::Ebcdic(PAGE);
    item.shape.content = match item.shape.content {
        Content::Text(Coding::Ascii | Coding::Ebcdic(_)) => Content::Text(ebcdic),
        Content::Digits(Coding::Ascii | Coding::Ebcdic(_)) => Content::Digits(ebcdic),
        Content::Amount(Coding::Ascii | Coding::Ebcdic(_)) => Content::Amount(ebcdic),
        Content::Bytes(ByteCoding::Hex | ByteCoding::EbcdicHex) => Content::Bytes(ByteCoding::EbcdicHex),
        _ => return false,
    };
    if let Length::Variable { prefix: Prefix { coding, .. }, .. } = &mut item.shape.length {
        match coding {
            LengthCoding::Ascii => *coding = LengthCoding::Ebcdic,
            LengthCoding::Ebcdic => {}
            _ => return false,
        }
    }
    item.parts.as_mut().is_none_or(|parts| parts.items.iter_mut().all(to_ebcdic))
}

/// Parts of fixed length as windows into packed digits; whether all of them are.
fn windows(item: &mut Item, parts: &[Item]) -> bool {
    let mut at = 0;
    let mut windows = Vec::with_capacity(parts.len());
    for part in parts {
        let text = matches!(part.shape.content, Content::Text(Coding::Ascii) | Content::Digits(Coding::Ascii));
        let Length::Fixed(length) = part.shape.length else {
            return false;
        };
        if !text || part.parts.is_some() || part.shape.counts == Some(Counts::Bytes) {
            return false;
        }
        windows.push(Window { id: part.id.clone(), name: part.name.clone(), at, length });
        at += length;
    }
    let most = match item.shape.length {
        Length::Fixed(units) => units,
        Length::Variable { most, .. } => most,
        Length::Rest(_) => return false,
    };
    if at > most {
        return false;
    }
    item.windows = windows;
    true
}
