//! What the gateway reads out of one frame: plain values of fixed size. No allocation, no card number.

use onus_iso8583::{Dialect, DialectError, Message, SubField};
use serde::{Deserialize, Serialize};

use crate::card_token::CardKey;
use crate::place::Place;
use crate::terminal_block::{self, Serial, TerminalBlock, TerminalStatus};

/// Terminal number (field 41), as it stands.
pub type Tid = [u8; 8];

/// What a message is for, by its type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// 01xx and 02xx: authorisations and payments.
    Payment,
    /// 022x: advices, which a terminal repeats until they are taken.
    Advice,
    /// 04xx: reversals.
    Reversal,
    /// 03xx and 05xx: batch upload and settlement.
    Settlement,
    /// 06xx and 08xx: sign-in, sign-out, echo, status, downloads.
    Management,
    /// Any other.
    Other,
}

/// One payment at a terminal: the numbers that the payment, its reply, its reversal and the reply to that share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PaymentRef {
    /// Terminal number (field 41).
    pub tid: Tid,
    /// Batch (field 60); none in hosts that leave it out.
    pub batch: Option<u32>,
    /// Trace number (field 11).
    pub trace: u32,
}

/// Identity of an exchange: a request and its reply have the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Key {
    /// Terminal number (field 41).
    pub tid: Tid,
    /// Trace number (field 11).
    pub trace: u32,
    /// Batch (field 60).
    pub batch: Option<u32>,
    /// Message type of the request: that of a reply, repeat or advice reply without what makes it one.
    pub mti_class: u16,
}

impl Key {
    /// The same exchange for a partner that leaves the batch out of its replies.
    #[must_use]
    pub fn without_batch(self) -> Key {
        Key { batch: None, ..self }
    }

    /// The payment that the exchange is about.
    #[must_use]
    pub fn payment(self) -> PaymentRef {
        PaymentRef { tid: self.tid, batch: self.batch, trace: self.trace }
    }
}

/// The original that a void or completion names (field 61).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Original {
    /// Its batch.
    pub batch: u32,
    /// Its trace number.
    pub trace: u32,
}

/// What the tap reads out of one frame.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Seen {
    /// Message type, one digit a nibble.
    pub mti: u16,
    /// Type of message (60.1).
    pub type_code: Option<u8>,
    /// Processing code (field 3).
    pub processing: Option<u32>,
    /// Amount (field 4).
    pub amount_minor: Option<u64>,
    /// Trace number (field 11); 0 when there is none.
    pub trace: u32,
    /// Batch (60.2).
    pub batch: Option<u32>,
    /// Terminal number (field 41); blanks when there is none.
    pub tid: Tid,
    /// Merchant code (field 42); blanks when there is none.
    pub merchant: [u8; 15],
    /// Acquiring institution (field 32).
    pub acquirer: Option<u64>,
    /// Reference number (field 37).
    pub rrn: Option<[u8; 12]>,
    /// Response code; in a reversal its reason (field 39).
    pub code: Option<[u8; 2]>,
    /// Entry mode (field 22), three digits.
    pub entry_mode: Option<u16>,
    /// A PIN block is there (field 52).
    pub pin: bool,
    /// Network management code (60.3).
    pub network_code: Option<u16>,
    /// What the terminal can read (60.4).
    pub capability: Option<u8>,
    /// Software version in the header.
    pub software: Option<u32>,
    /// Serial number: block A2 of field 59, or field 62 of a sign-in.
    pub serial: Option<Serial>,
    /// Device type of block A2.
    pub device: Option<u8>,
    /// Cipher of block A2.
    pub cipher: Option<[u8; 8]>,
    /// Whether the factor of block A2 is the end of this card's number; none when one of them is missing.
    pub factor_is_card: Option<bool>,
    /// Program version of block A2.
    pub app_version: Option<[u8; 8]>,
    /// Where the terminal says it is.
    pub place: Option<Place>,
    /// Keyed token of a payment's card number; none without a key, in replies and in other messages.
    pub card: Option<u64>,
    /// The first six digits of a payment's card number; none in replies and in other messages.
    pub bin: Option<u32>,
    /// The original that a void or completion names.
    pub original: Option<Original>,
    /// Status report (0820), or the parameters of a download.
    pub status: Option<TerminalStatus>,
}

impl Seen {
    /// Whether the host wrote it.
    #[must_use]
    pub fn is_reply(&self) -> bool {
        self.mti & 0x0010 != 0
    }

    /// What it is for.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match (self.mti >> 8 & 0xF, self.mti >> 4 & 0xE) {
            (1 | 2, 2) => Kind::Advice,
            (1 | 2, _) => Kind::Payment,
            (4, _) => Kind::Reversal,
            (3 | 5, _) => Kind::Settlement,
            (6 | 8, _) => Kind::Management,
            _ => Kind::Other,
        }
    }

    /// Identity of the exchange it belongs to.
    #[must_use]
    pub fn key(&self) -> Key {
        Key { tid: self.tid, trace: self.trace, batch: self.batch, mti_class: self.mti & 0xFFE0 }
    }

    /// The payment it belongs to; a reversal repeats the numbers of its original.
    #[must_use]
    pub fn payment(&self) -> PaymentRef {
        self.key().payment()
    }

    /// Whether a terminal that gets no reply to this request must reverse it: payments, voids, pre-authorisations and
    /// completions do, balance questions and advices do not.
    #[must_use]
    pub fn leaves_reversal(&self) -> bool {
        if self.kind() != Kind::Payment || self.is_reply() {
            return false;
        }
        match self.type_code {
            Some(code) => matches!(code, 10 | 11 | 20..=23),
            None => self.processing.is_none_or(|processing| processing / 10_000 != 31),
        }
    }
}

/// The identity of the exchange that a request opens and its reply closes.
#[must_use]
pub fn reply_key(request: &Seen) -> Key {
    request.key()
}

/// Where in field 59 a terminal says where it is: the tag of an element in a block. The value is
/// `LATITUDE/LONGITUDE` in decimal degrees.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LocationTag {
    /// Block, such as `A2`.
    pub block: TagText,
    /// Element in the block, such as `06`.
    pub tag: TagText,
}

/// A tag of two characters.
pub type TagText = crate::small_text::SmallText<2>;

/// Reads what the gateway needs out of the messages of one dialect.
#[derive(Debug, Clone)]
pub struct SeenReader {
    batch: SubField,
    type_code: Option<SubField>,
    network_code: Option<SubField>,
    capability: Option<SubField>,
    original_batch: Option<SubField>,
    original_trace: Option<SubField>,
    card_key: Option<CardKey>,
    location: Option<([u8; 2], [u8; 2])>,
}

impl SeenReader {
    /// A reader for a dialect.
    ///
    /// # Errors
    /// When the dialect does not say where the batch stands (sub-field `batch` of field 60).
    pub fn new(dialect: &Dialect) -> Result<SeenReader, DialectError> {
        Ok(SeenReader {
            batch: dialect.sub_field(60, "batch")?,
            type_code: dialect.sub_field(60, "type").ok(),
            network_code: dialect.sub_field(60, "network_code").ok(),
            capability: dialect.sub_field(60, "capability").ok(),
            original_batch: dialect.sub_field(61, "batch").ok(),
            original_trace: dialect.sub_field(61, "trace").ok(),
            card_key: None,
            location: None,
        })
    }

    /// The same reader with a key for card tokens; without one, [`Seen::card`] stays empty.
    #[must_use]
    pub fn with_card_key(self, key: CardKey) -> SeenReader {
        SeenReader { card_key: Some(key), ..self }
    }

    /// The same reader with the place of positions in field 59; without one, [`Seen::place`] stays empty.
    #[must_use]
    pub fn with_location(self, tag: &LocationTag) -> SeenReader {
        let location = <[u8; 2]>::try_from(tag.block.as_bytes()).ok().zip(tag.tag.as_bytes().try_into().ok());
        SeenReader { location, ..self }
    }

    /// Reads a message. A masked one has no card token worth comparing, and its free texts are blank.
    #[must_use]
    pub fn read(&self, message: &Message<'_>) -> Seen {
        let number = |handle: Option<SubField>| message.sub(handle?)?.number();
        let mut seen = Seen {
            mti: message.mti(),
            type_code: number(self.type_code).and_then(small),
            processing: message.number(3).and_then(small),
            amount_minor: message.number(4),
            trace: message.number(11).and_then(small).unwrap_or(0),
            batch: number(Some(self.batch)).and_then(small),
            tid: fixed(message, 41).unwrap_or([b' '; 8]),
            merchant: fixed(message, 42).unwrap_or([b' '; 15]),
            acquirer: message.number(32),
            rrn: fixed(message, 37),
            code: fixed(message, 39),
            entry_mode: message.number(22).and_then(small),
            pin: message.has(52),
            network_code: number(self.network_code).and_then(small),
            capability: number(self.capability).and_then(small),
            software: message.software_version().and_then(|digits| digits.number()).and_then(small),
            serial: None,
            device: None,
            cipher: None,
            factor_is_card: None,
            app_version: None,
            place: None,
            card: None,
            bin: None,
            original: number(self.original_batch)
                .and_then(small)
                .zip(number(self.original_trace).and_then(small))
                .map(|(batch, trace)| Original { batch, trace })
                .filter(|original| original.trace != 0),
            status: None,
        };
        self.read_card(message, &mut seen);
        self.read_terminal(message, &mut seen);
        read_lists(message, &mut seen);
        seen
    }

    fn read_card(&self, message: &Message<'_>, seen: &mut Seen) {
        // Only payments are compared by card, and a reply has the card of its request.
        if seen.kind() == Kind::Payment
            && !seen.is_reply()
            && let Some(digits) = message.pan()
        {
            let mut first = 0;
            digits.clone().take(6).for_each(|digit| first = first * 10 + u32::from(digit.wrapping_sub(b'0') % 10));
            seen.bin = Some(first);
            seen.card = self.card_key.as_ref().map(|key| key.token(digits));
        }
    }

    fn read_terminal(&self, message: &Message<'_>, seen: &mut Seen) {
        let Some(field) = message.text(59) else { return };
        if let Some(block) = TerminalBlock::read(field) {
            seen.serial = block.serial;
            seen.device = block.device;
            seen.cipher = block.cipher;
            seen.app_version = block.app_version;
            seen.factor_is_card = block.factor.zip(message.pan()).map(|(factor, digits)| {
                let before = digits.len().saturating_sub(factor.len());
                digits.skip(before).eq(factor.iter().copied())
            });
        }
        if let Some((block, tag)) = self.location {
            seen.place = terminal_block::location(field, block, tag);
        }
    }
}

/// Field 62: the serial number of a sign-in, a status report, the parameters of a download. Never the keys of a
/// sign-in's reply.
fn read_lists(message: &Message<'_>, seen: &mut Seen) {
    match (seen.mti, seen.network_code) {
        (0x0800, _) => {
            let sign_in = message.text(62).and_then(terminal_block::sign_in_serial);
            seen.serial = seen.serial.or(sign_in);
        }
        (0x0820, _) | (0x0810, Some(360..=364)) => seen.status = message.text(62).and_then(TerminalStatus::read),
        _ => {}
    }
}

fn small<T: TryFrom<u64>>(number: u64) -> Option<T> {
    T::try_from(number).ok()
}

fn fixed<const N: usize>(message: &Message<'_>, field: u8) -> Option<[u8; N]> {
    message.text(field)?.try_into().ok()
}

#[cfg(test)]
mod tests;
