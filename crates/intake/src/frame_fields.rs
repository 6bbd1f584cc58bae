//! The fields of a message that pairing needs.

use onus_iso8583::{Dialect, DialectError, Digits, HeaderPart, Message, SubField};
use onus_model::{Code, MaskedPan};
use onus_reconcile::FrameFields;

/// Reads messages between terminal and host.
pub(crate) struct TerminalSide {
    dialect: &'static Dialect,
    batch: SubField,
    type_code: SubField,
    management: SubField,
    original_batch: SubField,
    original_trace: SubField,
    version: HeaderPart,
}

impl TerminalSide {
    pub(crate) fn new(dialect: &'static Dialect) -> Result<TerminalSide, DialectError> {
        Ok(TerminalSide {
            batch: dialect.sub_field(60, "batch")?,
            type_code: dialect.sub_field(60, "type")?,
            management: dialect.sub_field(60, "network_code")?,
            original_batch: dialect.sub_field(61, "batch")?,
            original_trace: dialect.sub_field(61, "trace")?,
            version: dialect.header_part("software_version")?,
            dialect,
        })
    }

    pub(crate) fn dialect(&self) -> &'static Dialect {
        self.dialect
    }

    pub(crate) fn fields(&self, message: &Message<'_>) -> FrameFields {
        let mut fields = both_sides(message);
        let sub = |handle| message.sub(handle).and_then(|value| value.number());
        fields.batch = small(sub(self.batch));
        fields.type_code = small(sub(self.type_code));
        fields.management = small(sub(self.management));
        fields.original = (small(sub(self.original_batch)), small(sub(self.original_trace)));
        fields.header_version = small(message.header(self.version).and_then(|value| value.number()));
        if fields.mti == 820 {
            fields.bad_parts = bad_parts(message.raw(62).unwrap_or_default());
        }
        if fields.mti == 510 {
            fields.settle_flag = message
                .digits(48)
                .and_then(|mut digits| digits.nth(30))
                .map(|digit| digit.wrapping_sub(b'0'))
                .unwrap_or_default();
        }
        fields
    }
}

/// The fields that messages of both sides have.
pub(crate) fn both_sides(message: &Message<'_>) -> FrameFields {
    FrameFields {
        mti: decimal_mti(message.mti()),
        tid: code(message.text(41)),
        merchant: code(message.text(42)),
        stan: small(message.number(11)),
        amount_minor: i64::try_from(message.number(4).unwrap_or_default()).unwrap_or_default(),
        pan: message.digits(2).and_then(masked_pan).unwrap_or_default(),
        rc: code(message.text(39)),
        rrn: message.number(37).unwrap_or_default(),
        entry_mode: small(message.number(22)),
        text_len: u16::try_from(message.raw(63).map_or(0, <[u8]>::len)).unwrap_or_default(),
        chip: message.has(55),
        ..FrameFields::default()
    }
}

/// The ends of a card number.
fn masked_pan(digits: Digits<'_>) -> Option<MaskedPan> {
    let mut text = [0u8; 19];
    let mut len = 0;
    for digit in digits {
        *text.get_mut(len)? = digit;
        len += 1;
    }
    MaskedPan::read(text.get(..len)?)
}

/// 0x0200 as 200.
fn decimal_mti(mti: u16) -> u16 {
    (mti >> 12) * 1000 + (mti >> 8 & 15) * 100 + (mti >> 4 & 15) * 10 + (mti & 15)
}

/// A code, or none when the text is not one.
pub(crate) fn code<const N: usize>(text: Option<&[u8]>) -> Code<N> {
    text.and_then(|text| Code::new(text).ok()).unwrap_or_default()
}

/// A number, or zero when it does not fit.
pub(crate) fn small<T: TryFrom<u64> + Default>(number: Option<u64>) -> T {
    number.and_then(|number| T::try_from(number).ok()).unwrap_or_default()
}

/// Status report: two-digit codes, each with its value; 01 to 05 are parts (1 good, 0 bad), 12 has two digits, 13 one.
fn bad_parts(report: &[u8]) -> u8 {
    let mut bad = 0;
    let mut rest = report;
    while let [tens, ones, value, ..] = rest {
        let part = ones.wrapping_sub(b'0');
        let width = if (*tens, *ones) == (b'1', b'2') { 4 } else { 3 };
        if *tens == b'0' && (1..=5).contains(&part) && *value == b'0' {
            bad |= 1 << (part - 1);
        }
        rest = rest.get(width..).unwrap_or_default();
    }
    bad
}
