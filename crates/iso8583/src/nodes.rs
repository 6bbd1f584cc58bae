//! A message as a tree of values that people may see, and back from such a tree to bytes.

use std::ops::Range;

use crate::dialect::{Dialect, FieldInfo};
use crate::dialect_file::Sensitivity;
use crate::encode::{EncodeError, put_field, refuse};
use crate::error::Place;
use crate::message::Message;
use crate::show::{self, Shown};
use crate::spec::{Content, Form, Prefix, Spec};
use crate::structure::{By, Item, Part, Structure, Tagged};
use crate::tlv;
use crate::value::Value;

/// One field or part, masked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Number of a field, name of a sub-field, tag or id of a part.
    pub id: String,
    /// Its name in English; empty for a tag that the dialect does not name.
    pub en: String,
    /// Its name in Chinese.
    pub zh: String,
    /// Its value as people may see it.
    pub value: Shown,
    /// Whether masking removes something of values in this place.
    pub masked: bool,
    /// Where its value lies in the frame; empty for sub-fields of packed digits.
    pub range: Range<usize>,
    /// Its parts.
    pub nodes: Vec<Node>,
}

/// One field or part to write; see [`Dialect::encode_inputs`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Input {
    /// As in [`Node`].
    pub id: String,
    /// Its value, unless it is made of parts.
    pub value: Option<Shown>,
    /// Its parts.
    pub parts: Vec<Input>,
}

impl Message<'_> {
    /// The fields as a tree, everything that masking removes shown as stars.
    #[must_use]
    pub fn nodes(&self) -> Vec<Node> {
        let mut frame = self.frame().to_vec();
        if self.dialect().mask_in_place(&mut frame).is_err() {
            return Vec::new();
        }
        let Ok(masked) = self.dialect().decode(&frame) else {
            return Vec::new();
        };
        let fields = masked.fields();
        fields.iter().filter_map(|number| node(&masked, self.dialect().field(number)?)).collect()
    }
}

fn node(masked: &Message<'_>, info: &FieldInfo) -> Option<Node> {
    let (value, range) = (masked.value(info.number)?, masked.range(info.number)?);
    let spec = masked.dialect().spec(info.number);
    let sensitivity = info.sensitivity(masked.mti());
    let nodes = match &info.structure {
        Some(structure) if matches!(sensitivity, Sensitivity::None | Sensitivity::Text) => {
            let raw = masked.raw(info.number)?;
            let items = structure.split(raw).unwrap_or_default();
            items.iter().map(|item| item_node(masked.dialect(), item, raw, range.start)).collect()
        }
        _ if sensitivity == Sensitivity::Emv => chip_nodes(masked, info.number, range.start),
        _ if matches!(sensitivity, Sensitivity::None | Sensitivity::Text) => sub_nodes(masked, info, &range),
        _ => Vec::new(),
    };
    Some(Node {
        id: info.number.to_string(),
        en: info.en.clone(),
        zh: info.zh.clone(),
        value: show::value(value, spec.content, sensitivity),
        masked: !matches!(sensitivity, Sensitivity::None | Sensitivity::Text),
        range,
        nodes,
    })
}

fn sub_nodes(masked: &Message<'_>, info: &FieldInfo, range: &Range<usize>) -> Vec<Node> {
    let spec = masked.dialect().spec(info.number);
    let node = |sub: &crate::dialect::SubFieldInfo| {
        let value = masked.sub(sub.handle)?;
        let at = range.start + usize::from(sub.handle.at);
        let range = if spec.form == Form::Packed { range.start..range.start } else { at..at + value.len() };
        Some(Node {
            id: sub.name.clone(),
            en: sub.en.clone(),
            zh: sub.zh.clone(),
            value: show::plain(value, spec.content),
            masked: false,
            range,
            nodes: Vec::new(),
        })
    };
    info.subs.iter().filter_map(node).collect()
}

fn chip_nodes(masked: &Message<'_>, number: u8, base: usize) -> Vec<Node> {
    let data = masked.raw(number).unwrap_or_default();
    let mut walk = tlv::Walk::new(data);
    std::iter::from_fn(|| walk.next(data)?.ok())
        .map(|(tag, range)| {
            let hidden = masked.dialect().hidden_tags.contains(tag);
            let bytes = data.get(range.clone()).unwrap_or_default();
            Node {
                id: tlv::name(tag),
                en: String::new(),
                zh: String::new(),
                value: if hidden { Shown::Text(show::hidden(bytes.len())) } else { Shown::Hex(show::hex(bytes)) },
                masked: hidden,
                range: base + range.start..base + range.end,
                nodes: Vec::new(),
            }
        })
        .collect()
}

fn item_node(dialect: &Dialect, item: &Item<'_>, field: &[u8], base: usize) -> Node {
    let spec = item.spec();
    let hidden = item.ber && u32::from_str_radix(&item.id, 16).is_ok_and(|tag| dialect.hidden_tags.contains(tag));
    let sensitivity = if hidden { Sensitivity::Personal } else { spec.sensitive };
    let bytes = field.get(item.range.clone()).unwrap_or_default();
    let value = Value::new(bytes, spec.first_nibble(item.units), item.units.into(), spec.form);
    Node {
        id: item.id.clone(),
        en: item.part.map(|part| part.en.clone()).unwrap_or_default(),
        zh: item.part.map(|part| part.zh.clone()).unwrap_or_default(),
        value: value.map_or(Shown::Hex(String::new()), |value| show::value(value, spec.content, sensitivity)),
        masked: !matches!(sensitivity, Sensitivity::None | Sensitivity::Text),
        range: base + item.range.start..base + item.range.end,
        nodes: item.items.iter().map(|item| item_node(dialect, item, field, base)).collect(),
    }
}

impl Dialect {
    /// Writes a frame from a tree of values: `header` by the names of its parts, fields by number. A field with parts is
    /// put together from them; otherwise from its value. Values are as [`Message::nodes`] gives them, unmasked.
    ///
    /// # Errors
    /// When something is not in the dialect or does not fit; `out` is then as before.
    pub fn encode_inputs(
        &self,
        mti: u16,
        header: &[(String, Shown)],
        fields: &[Input],
        out: &mut Vec<u8>,
    ) -> Result<(), EncodeError> {
        let start = out.len();
        let done = self.try_encode_inputs(mti, header, fields, out);
        if done.is_err() {
            out.truncate(start);
        }
        done
    }

    fn try_encode_inputs(
        &self,
        mti: u16,
        header: &[(String, Shown)],
        fields: &[Input],
        out: &mut Vec<u8>,
    ) -> Result<(), EncodeError> {
        let mut encoder = self.encoder(mti, out)?;
        for (name, value) in header {
            let Some(part) = self.header.find(name) else {
                return refuse(Place::Header(name.as_str().into()), "a part of the header", "a name it does not have");
            };
            let content = if part.binary { Content::Binary } else { Content::Text };
            encoder.header(part, &show::bytes(value, content, Place::Header(name.as_str().into()))?)?;
        }
        let mut numbered = Vec::with_capacity(fields.len());
        for input in fields {
            let Some(number) = input.id.parse::<u8>().ok().filter(|number| *number > 1) else {
                return refuse(Place::Frame, "field numbers", format_args!("{:?}", input.id));
            };
            numbered.push((number, input));
        }
        numbered.sort_by_key(|(number, _)| *number);
        for (number, input) in numbered {
            match self.field_content(number, input)? {
                Filling::Value(value) => encoder.field(number, &value)?,
                Filling::Parts(bytes) => encoder.filled(number, &bytes)?,
            };
        }
        encoder.finish()
    }

    fn field_content(&self, number: u8, input: &Input) -> Result<Filling, EncodeError> {
        let place = Place::Field(number);
        let spec = self.spec(number);
        let Some(info) = self.field(number) else {
            return refuse(place, "a field that the dialect has", "one that it does not have");
        };
        match (&info.structure, &input.value) {
            (Some(structure), _) if !input.parts.is_empty() => {
                build(structure, &input.parts, number, "").map(Filling::Parts)
            }
            (None, _) if spec.sensitive == Sensitivity::Emv && !input.parts.is_empty() => {
                build(&Structure::BER, &input.parts, number, "").map(Filling::Parts)
            }
            (_, Some(value)) => show::bytes(value, spec.content, place).map(Filling::Value),
            (_, None) => windows(info, spec, input).map(Filling::Value),
        }
    }
}

/// What a field is filled with.
enum Filling {
    /// A value, which the field's encoding writes.
    Value(Vec<u8>),
    /// Parts, written already.
    Parts(Vec<u8>),
}

impl Structure {
    /// Chip data: any tags.
    const BER: Structure = Structure { by: By::Ber, lenient: false, keep_unknown: true, parts: Vec::new() };
}

/// A value put together from sub-fields by position; what none of them covers is filled.
fn windows(info: &FieldInfo, spec: &Spec, input: &Input) -> Result<Vec<u8>, EncodeError> {
    let place = Place::Field(info.number);
    if input.parts.is_empty() {
        return refuse(place, "a value or parts", "neither");
    }
    let blank = if spec.content == Content::Digits { b'0' } else { b' ' };
    let mut content = Vec::new();
    for part in &input.parts {
        let sub = info.subs.iter().find(|sub| sub.name == part.id);
        let (Some(sub), Some(value)) = (sub, &part.value) else {
            return refuse(place, "sub-fields of the dialect, each with a value", format_args!("{:?}", part.id));
        };
        let value = show::bytes(value, spec.content, place.clone())?;
        let at = usize::from(sub.handle.at);
        if sub.handle.units > 0 && value.len() != usize::from(sub.handle.units) {
            return refuse(place, format_args!("{} units in {:?}", sub.handle.units, sub.name), value.len());
        }
        if content.len() < at + value.len() {
            content.resize(at + value.len(), blank);
        }
        content.splice(at..at + value.len(), value);
    }
    Ok(content)
}

/// The bytes of parts under a structure.
fn build(structure: &Structure, parts: &[Input], number: u8, path: &str) -> Result<Vec<u8>, EncodeError> {
    let mut out = Vec::new();
    match structure.by {
        By::Position => {
            for (index, input) in parts.iter().enumerate() {
                let place = part_place(number, path, &input.id);
                match structure.parts.get(index).filter(|part| part.id == input.id) {
                    Some(part) => put_part(part, input, place, &mut out)?,
                    None => return refuse(place, "the parts in their order, none left out before another", "others"),
                }
            }
        }
        By::Bitmap { form, bytes, extends } => {
            let rows = by_bit(structure, parts, number, path)?;
            let size = usize::from(bytes);
            let two = extends && rows.iter().any(|(bit, ..)| *bit > size * 8);
            let mut bits = vec![0_u8; if two { size * 2 } else { size }];
            for bit in rows.iter().map(|(bit, ..)| *bit).chain(two.then_some(1)) {
                if let Some(byte) = bits.get_mut((bit - 1) / 8) {
                    *byte |= 0x80 >> ((bit - 1) % 8);
                }
            }
            out.resize(form.length(bits.len()), 0);
            form.put_bytes(&bits, &mut out);
            for (_, part, input) in rows {
                put_part(part, input, part_place(number, path, &input.id), &mut out)?;
            }
        }
        By::Tag(tagged) => put_tagged(structure, tagged, parts, number, path, &mut out)?,
        By::Ber => {
            for input in parts {
                let place = part_place(number, path, &input.id);
                let value = tagged_value(structure, input, number, path)?;
                if !tlv::write(&input.id, &value, &mut out) {
                    return refuse(place, "a tag in hexadecimal and at most 65,535 bytes", "others");
                }
            }
        }
    }
    Ok(out)
}

fn put_tagged(
    structure: &Structure,
    tagged: Tagged,
    parts: &[Input],
    number: u8,
    path: &str,
    out: &mut Vec<u8>,
) -> Result<(), EncodeError> {
    for (index, input) in parts.iter().enumerate() {
        let place = part_place(number, path, &input.id);
        let part = structure.part(&input.id);
        if let Some(part) = structure.parts.get(index).filter(|part| index < tagged.leading && part.id == input.id) {
            put_part(part, input, place, out)?;
            continue;
        }
        let mut tag = Vec::new();
        if !tagged.tag.write(&input.id, &mut tag) {
            return refuse(place, "a tag as the dialect writes them", "another");
        }
        let own = part.filter(|part| part.spec.prefix != Prefix::Rest && !tagged.length_first);
        match (own, tagged.length) {
            (Some(part), _) => {
                out.extend(tag);
                put_part(part, input, place, out)?;
            }
            (None, None) => return refuse(place, "a tag of the dialect", "another"),
            (None, Some(length)) => {
                let value = tagged_value(structure, input, number, path)?;
                let counted = if tagged.length_first { tag.len() + value.len() } else { value.len() };
                let mut prefix = Vec::new();
                if !length.write(counted, &mut prefix) {
                    return refuse(place, "a value that its length can count", value.len());
                }
                let order = if tagged.length_first { [prefix, tag, value] } else { [tag, prefix, value] };
                out.extend(order.concat());
            }
        }
    }
    Ok(())
}

fn part_place(number: u8, path: &str, id: &str) -> Place {
    Place::Part(number, if path.is_empty() { id.into() } else { format!("{path}/{id}").into() })
}

/// Bit, part and value of each part, by bit.
fn by_bit<'s, 'i>(
    structure: &'s Structure,
    parts: &'i [Input],
    number: u8,
    path: &str,
) -> Result<Vec<(usize, &'s Part, &'i Input)>, EncodeError> {
    let mut rows = Vec::with_capacity(parts.len());
    for input in parts {
        let bit = input.id.parse::<usize>().ok().filter(|bit| *bit > 0);
        let (Some(part), Some(bit)) = (structure.part(&input.id), bit) else {
            return refuse(part_place(number, path, &input.id), "a bit of the dialect", "another");
        };
        rows.push((bit, part, input));
    }
    rows.sort_by_key(|(bit, ..)| *bit);
    Ok(rows)
}

/// The value of a tag, without its length.
fn tagged_value(structure: &Structure, input: &Input, number: u8, path: &str) -> Result<Vec<u8>, EncodeError> {
    let place = part_place(number, path, &input.id);
    let mut out = Vec::new();
    if let Some(part) = structure.part(&input.id) {
        put_part(part, input, place, &mut out)?;
        return Ok(out);
    }
    match &input.value {
        _ if !input.parts.is_empty() => {
            let path = if path.is_empty() { input.id.clone() } else { format!("{path}/{}", input.id) };
            build(structure, &input.parts, number, &path)
        }
        Some(value) => show::bytes(value, Content::Binary, place),
        None => refuse(place, "a value or parts", "neither"),
    }
}

fn put_part(part: &Part, input: &Input, place: Place, out: &mut Vec<u8>) -> Result<(), EncodeError> {
    match (&part.structure, &input.value) {
        (Some(structure), _) if !input.parts.is_empty() => {
            let (number, path) = match &place {
                Place::Part(number, path) => (*number, path.to_string()),
                _ => (0, String::new()),
            };
            let content = build(structure, &input.parts, number, &path)?;
            put_field(&part.spec.written(), &content, out).map_err(|misfit| misfit.at(place))
        }
        (_, Some(value)) => {
            let content = show::bytes(value, part.spec.content, place.clone())?;
            put_field(&part.spec, &content, out).map_err(|misfit| misfit.at(place))
        }
        (_, None) => refuse(place, "a value or parts", "neither"),
    }
}
