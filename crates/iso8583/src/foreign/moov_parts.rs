//! Composite fields of moov-io/iso8583: by position, by tag, by bitmap, nested.

use super::draft::{
    By, ByteCoding, Content, Item, Length, LengthCoding, Parts, Place, Prefix, Shape, Tag, TagLength, container,
};
use super::moov::{self, Encoder, Field, Habits, Padding, Prefixer};

pub(super) fn composite(id: &str, field: &Field, habits: Habits, place: &mut Place<'_>) -> Option<Item> {
    let Some(prefixer) = moov::prefixer(field) else {
        place.remark(format!("the prefix {:?} is not known; left out", field.prefix));
        return None;
    };
    let parts = parts(field, habits, place);
    let content = match &parts {
        Some(Parts { by: By::Position, items, .. }) => container(items),
        Some(Parts { by: By::Tag { tag, .. }, items, .. }) => tagged_container(*tag, items),
        _ => Content::Bytes(ByteCoding::Binary),
    };
    let length = moov::length(prefixer, field, false);
    if length == Length::Fixed(0) {
        place.remark("has a fixed length of 0; left out");
        return None;
    }
    let mut item = Item::new(id, field.description.as_str(), Shape::new(content, length));
    item.parts = parts;
    Some(item)
}

/// Text only when tags and values are text of one kind.
fn tagged_container(tag: Tag, items: &[Item]) -> Content {
    let kind = container(items);
    match (tag, kind) {
        (Tag::Ascii, Content::Text(super::draft::Coding::Ascii))
        | (Tag::Ebcdic, Content::Text(super::draft::Coding::Ebcdic(_))) => kind,
        _ => Content::Bytes(ByteCoding::Binary),
    }
}

/// The structure; none (and a remark) where it cannot be said, so that the field is read whole.
fn parts(field: &Field, habits: Habits, place: &mut Place<'_>) -> Option<Parts> {
    if let Some(bitmap) = &field.bitmap {
        return by_bitmap(field, bitmap, habits, place);
    }
    let tag_encoder = field.tag.as_ref().map_or("", |tag| tag.enc.as_str());
    if tag_encoder.is_empty() {
        let items = subfields(field, habits, place, |_, key| key.to_owned())?;
        return Some(Parts { by: By::Position, lenient: false, items });
    }
    match moov::encoder(tag_encoder) {
        None => {
            place.remark(format!("the tag encoding {tag_encoder:?} is not known; its content is read whole"));
            None
        }
        Some(encoder) => by_tag(field, encoder, habits, place),
    }
}

fn by_bitmap(field: &Field, bitmap: &Field, habits: Habits, place: &mut Place<'_>) -> Option<Parts> {
    let coding = match moov::bitmap_coding(bitmap, &place.at) {
        Ok(coding) => coding,
        Err(error) => {
            place.remark(format!("{error}; its content is read whole"));
            return None;
        }
    };
    let bytes = if bitmap.length == 0 { 8 } else { bitmap.length };
    if bytes > 32 {
        place.remark(format!("a bitmap of {bytes} bytes has no dialect form; its content is read whole"));
        return None;
    }
    let items = subfields(field, habits, place, |_, key| key.to_owned())?;
    Some(Parts { by: By::Bitmap { coding, bytes, extends: !bitmap.disable_auto_expand }, lenient: false, items })
}

/// The sub-fields in the order of the wire. Where one cannot be carried over, all are read whole.
fn subfields(
    field: &Field,
    habits: Habits,
    place: &mut Place<'_>,
    id: impl Fn(&Field, &str) -> String,
) -> Option<Vec<Item>> {
    let mut keys: Vec<&String> = field.subfields.keys().collect();
    let by_hex = field.tag.as_ref().is_some_and(|tag| tag.sort == "StringsByHex");
    let radix = if by_hex { 16 } else { 10 };
    keys.sort_by_key(|key| (u64::from_str_radix(key, radix).unwrap_or(u64::MAX), key.as_str()));
    let mut items = Vec::with_capacity(keys.len());
    for key in keys {
        let sub = field.subfields.get(key)?;
        let mut place = place.part(key);
        let item = moov::item(&id(sub, key), sub, habits, &mut place)?;
        if items.iter().any(|other: &Item| other.id == item.id) {
            place.remark("is there twice; all parts are read whole");
            return None;
        }
        items.push(item);
    }
    Some(items)
}

fn by_tag(field: &Field, encoder: Encoder, habits: Habits, place: &mut Place<'_>) -> Option<Parts> {
    let tag = field.tag.as_ref()?;
    let kind = match encoder {
        Encoder::Ascii | Encoder::Binary => Tag::Ascii,
        Encoder::Ebcdic(_) => Tag::Ebcdic,
        Encoder::Bcd | Encoder::LeftBcd => Tag::Bcd,
        Encoder::HexBytes => Tag::Binary,
        Encoder::BerTag => Tag::Ber,
        Encoder::HexText | Encoder::TrackBcd => {
            place.remark(format!("tags written as {:?} have no dialect form; its content is read whole", tag.enc));
            return None;
        }
    };
    if kind != Tag::Ber && !(1..=8).contains(&tag.length) {
        place.remark(format!("a tag of length {} has no dialect form; its content is read whole", tag.length));
        return None;
    }
    let padding = tag.padding.as_ref().and_then(Padding::read);
    let width = tag.length as usize;
    let wire_tag = |_: &Field, key: &str| match (kind, padding) {
        (Tag::Binary | Tag::Ber, _) => key.to_uppercase(),
        (_, Some((side, fill))) => {
            let missing: String = std::iter::repeat_n(fill, width.saturating_sub(key.chars().count())).collect();
            if side == super::draft::Side::Left { format!("{missing}{key}") } else { format!("{key}{missing}") }
        }
        (_, None) => key.to_owned(),
    };
    let mut items = subfields(field, habits, place, wire_tag)?;
    let ber_lengths = field.subfields.values().all(|sub| moov::prefixer(sub) == Some(Prefixer::Ber));
    if kind == Tag::Ber && ber_lengths {
        return Some(Parts { by: By::Ber, lenient: false, items });
    }
    let unknown = moov::prefixer_named(&tag.unknown_prefix, 0);
    let length = match (common_length(&items), unknown) {
        (Some(prefix), _) => {
            share(&mut items);
            Some(TagLength::Prefix(prefix))
        }
        (None, _) if ber_lengths => Some(TagLength::Ber),
        (None, Some(Prefixer::Variable(prefix))) => Some(TagLength::Prefix(prefix)),
        (None, Some(Prefixer::Ber)) => Some(TagLength::Ber),
        (None, _) => None,
    };
    Some(Parts { by: By::Tag { tag: kind, digits: tag.length, length, length_first: false }, lenient: false, items })
}

/// The length that all parts have in front, where it counts the bytes of all of them.
fn common_length(items: &[Item]) -> Option<Prefix> {
    let mut common = None;
    for item in items {
        let Length::Variable { prefix, .. } = item.shape.length else {
            return None;
        };
        let counts_bytes = !item.shape.packed()
            && item.shape.counts.is_none()
            && matches!(
                item.shape.content,
                Content::Text(coding) | Content::Digits(coding) if coding != super::draft::Coding::Hex
            )
            || item.shape.content == Content::Bytes(ByteCoding::Binary);
        if !counts_bytes || common.is_some_and(|common| common != prefix) || prefix.coding == LengthCoding::Hex {
            return None;
        }
        common = Some(prefix);
    }
    common
}

/// Parts that leave their length to the structure.
fn share(items: &mut [Item]) {
    for item in items {
        if let Length::Variable { most, .. } = item.shape.length {
            item.shape.length = Length::Rest(most);
        }
    }
}
