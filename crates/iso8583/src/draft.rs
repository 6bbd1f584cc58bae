//! A decoded message with changes: what is not changed keeps its bytes.

use std::collections::BTreeMap;

use crate::dialect::HeaderPart;
use crate::encode::{EncodeError, put_field, refuse};
use crate::error::Place;
use crate::message::Message;
use crate::spec::Content;

/// Changes on a message; see [`Message::edit`].
#[derive(Clone)]
pub struct Draft<'a> {
    message: Message<'a>,
    header: Vec<(HeaderPart, Vec<u8>)>,
    mti: Option<u16>,
    /// New bytes of a field with its length prefix; none when it was removed.
    fields: BTreeMap<u8, Option<Vec<u8>>>,
}

impl<'a> Message<'a> {
    /// A copy to change. Without changes it encodes to the bytes it was decoded from; with changes every field that was
    /// not set keeps its own.
    #[must_use]
    pub fn edit(&self) -> Draft<'a> {
        Draft { message: self.clone(), header: Vec::new(), mti: None, fields: BTreeMap::new() }
    }
}

impl Draft<'_> {
    /// Changes the message type.
    pub fn set_mti(&mut self, mti: u16) -> &mut Self {
        self.mti = Some(mti);
        self
    }

    /// Sets a field, present or not; the value is given as to [`crate::Encoder::field`].
    ///
    /// # Errors
    /// When the dialect has no such field or the value does not fit it.
    pub fn set(&mut self, number: u8, value: &[u8]) -> Result<&mut Self, EncodeError> {
        let spec = self.message.dialect().spec(number);
        if spec.content == Content::Absent {
            return refuse(Place::Field(number), "a field that the dialect has", "one that it does not have");
        }
        let mut bytes = Vec::with_capacity(value.len() + 8);
        put_field(spec, value, &mut bytes).map_err(|misfit| misfit.at(Place::Field(number)))?;
        self.fields.insert(number, Some(bytes));
        Ok(self)
    }

    /// Takes a field out, if it is there.
    pub fn remove(&mut self, number: u8) -> &mut Self {
        self.fields.insert(number, None);
        self
    }

    /// Takes out every field that `keep` refuses.
    pub fn retain(&mut self, keep: impl Fn(u8) -> bool) -> &mut Self {
        for number in self.message.fields().iter().filter(|number| !keep(*number)) {
            self.fields.insert(number, None);
        }
        self
    }

    /// Sets a part of the header; see [`crate::Encoder::header`].
    ///
    /// # Errors
    /// When the value does not fit the part.
    pub fn set_header(&mut self, part: HeaderPart, value: &[u8]) -> Result<&mut Self, EncodeError> {
        let mut header = self.message.dialect().header.template.clone();
        if !part.put(&mut header, value) {
            let place = self.message.dialect().header.place(usize::from(part.at));
            return refuse(place, format_args!("{} digits or characters", part.units), "others");
        }
        self.header.push((part, value.to_vec()));
        Ok(self)
    }

    /// Exchanges source and destination of the TPDU, as a reply does; without a TPDU nothing happens.
    ///
    /// # Errors
    /// Never for a dialect whose TPDU has five bytes.
    pub fn turn_around(&mut self) -> Result<&mut Self, EncodeError> {
        let part = self.message.dialect().header.tpdu;
        if let (Some(part), Some([id, to_high, to_low, from_high, from_low])) = (part, self.message.tpdu()) {
            let turned = [*id, *from_high, *from_low, *to_high, *to_low];
            self.set_header(part, &turned)?;
        }
        Ok(self)
    }

    /// Whether nothing was changed.
    #[must_use]
    pub fn is_untouched(&self) -> bool {
        self.header.is_empty() && self.mti.is_none() && self.fields.is_empty()
    }

    /// Appends the frame to `out`.
    ///
    /// # Errors
    /// When the message type cannot be, or the frame became too long; `out` is then as before.
    pub fn encode_into(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        if self.is_untouched() {
            out.extend_from_slice(self.message.frame());
            return Ok(());
        }
        let start = out.len();
        let done = self.encode_changed(out);
        if done.is_err() {
            out.truncate(start);
        }
        done
    }

    fn encode_changed(&self, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        let (message, dialect) = (&self.message, self.message.dialect());
        let mut encoder = dialect.encoder(self.mti.unwrap_or(message.mti()), out)?;
        encoder.copy_header(message.frame());
        for (part, value) in &self.header {
            encoder.header(*part, value)?;
        }
        let mut numbers = message.fields();
        for (number, bytes) in &self.fields {
            if bytes.is_some() { numbers.insert(*number) } else { numbers.remove(*number) }
        }
        for number in numbers.iter() {
            let kept = || message.wire_range(number).and_then(|range| message.frame().get(range));
            let bytes = self.fields.get(&number).and_then(Option::as_deref).or_else(kept);
            encoder.wire(number, bytes.unwrap_or_default())?;
        }
        // A second bitmap that no field needs stays: what was not changed keeps its bytes.
        let unneeded = numbers.second == 0 && self.fields.is_empty() && has_second_bitmap(message);
        encoder.keep_second_bitmap(unneeded).finish()?;
        Ok(())
    }
}

fn has_second_bitmap(message: &Message<'_>) -> bool {
    let dialect = message.dialect();
    let at = dialect.header.length + dialect.mti.form.bytes(4);
    let bitmap = message.frame().get(at..).unwrap_or_default();
    let length = dialect.bitmap.form.length(8);
    bitmap.get(..length).is_some_and(|bytes| dialect.bitmap.form.word(bytes).is_ok_and(|word| word >> 63 == 1))
}

impl std::fmt::Debug for Draft<'_> {
    /// Shows which fields changed, no content.
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Draft").field("message", &self.message).field("changed", &self.fields.keys()).finish()
    }
}
