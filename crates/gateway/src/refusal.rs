//! Replies that the gateway writes itself.

use onus_iso8583::{EncodeError, Message};

/// Fields of a request that its reply repeats; cards, tracks, PINs, chip data and the MAC are not among them.
const REPEATED: [u8; 12] = [3, 4, 11, 12, 13, 25, 32, 41, 42, 49, 60, 61];

/// The reply to a request with a response code, in the request's dialect.
pub(crate) fn reply(request: &Message<'_>, code: [u8; 2]) -> Result<Vec<u8>, EncodeError> {
    let mut draft = request.edit();
    draft.set_mti(request.mti() | 0x0010).retain(|field| REPEATED.contains(&field)).turn_around()?;
    draft.set(39, &code)?;
    let mut frame = Vec::with_capacity(128);
    draft.encode_into(&mut frame)?;
    Ok(frame)
}
