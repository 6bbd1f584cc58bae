//! The MAC of a message in the place where its dialect has it.

use std::ops::Range;

use crate::dialect::Dialect;
use crate::encode::{EncodeError, refuse};
use crate::error::Place;
use crate::mac::MacKey;
use crate::message::Message;

impl Message<'_> {
    /// The field of the MAC in this message, and what the MAC covers: from the message type to the byte before it.
    fn mac_place(&self) -> Option<(u8, Range<usize>, Range<usize>)> {
        let place = self.dialect().mac()?;
        let number = place.fields.iter().copied().filter(|number| self.has(*number)).max()?;
        let value = self.range(number)?;
        Some((number, self.dialect().header.length..self.wire_range(number)?.start, value))
    }

    /// Whether the MAC fits the message; none when the message or its dialect has none.
    #[must_use]
    pub fn mac_fits(&self, key: &MacKey) -> Option<bool> {
        let (_, covered, value) = self.mac_place()?;
        Some(key.verify(self.frame().get(covered)?, self.frame().get(value)?))
    }
}

impl Dialect {
    /// Writes the MAC over the bytes that hold it in `frame`, which has the field already, with any content.
    /// Message types without a MAC are left alone.
    ///
    /// # Errors
    /// When the frame does not decode, or has no field for the MAC, or one of another size.
    pub fn seal(&self, key: &MacKey, frame: &mut [u8]) -> Result<(), EncodeError> {
        let (covered, value) = {
            let message = match self.decode(frame) {
                Ok(message) => message,
                Err(error) => return refuse(Place::Frame, "a frame of the dialect", error),
            };
            if self.mac().is_some_and(|mac| mac.absent.contains(&message.mti())) {
                return Ok(());
            }
            match message.mac_place() {
                Some((_, covered, value)) => (covered, value),
                None => return refuse(Place::Frame, "a field for the MAC", "none"),
            }
        };
        let code = key.field(frame.get(covered).unwrap_or_default());
        match frame.get_mut(value).and_then(|place| place.first_chunk_mut::<8>()) {
            Some(place) => *place = code,
            None => return refuse(Place::Frame, "8 bytes for the MAC", "fewer"),
        }
        Ok(())
    }
}
