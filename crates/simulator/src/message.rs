//! The messages between a terminal and its acquirer: what kinds there are, and how a terminal writes them.

use serde::{Deserialize, Serialize};

use crate::card::Card;
use crate::frame::{FrameView, FrameWriter, Wire};
use crate::keys::{MacKey, serial_cipher};
use crate::random::Random;

/// What a request (or its reply) is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Sale, 60.1 = 22.
    Sale,
    /// Void of a sale, 60.1 = 23.
    Void,
    /// Refund, 60.1 = 25.
    Refund,
    /// Reversal, 0400.
    Reversal,
    /// Sign-in, 0800.
    SignIn,
    /// Status upload, 0820 with 60.3 = 362.
    StatusUpload,
    /// Echo, 0820 with 60.3 = 301.
    Echo,
    /// Sign-out, 0820 with 60.3 = 002.
    SignOut,
    /// Settlement, 0500.
    Settlement,
    /// Anything else.
    Other,
}

impl Kind {
    /// The kind of a message or of the message that a reply answers.
    #[must_use]
    pub fn of(view: &FrameView<'_>) -> Kind {
        // A reply has the third digit of its request, plus one. The network has no types in field 60.
        let type_code = match (view.wire(), view.part(3, 0, 2)) {
            (Wire::Network, Some(0)) => Some(22),
            (Wire::Network, _) => Some(23),
            (Wire::Pos, _) => view.part(60, 0, 2),
        };
        match (view.mti() & 0xFFEF, type_code, view.part(60, 8, 11)) {
            (0x0200, Some(22), _) => Kind::Sale,
            (0x0200, Some(23), _) => Kind::Void,
            (0x0220, Some(25), _) => Kind::Refund,
            (0x0400 | 0x0420, ..) => Kind::Reversal,
            (0x0800, ..) => Kind::SignIn,
            (0x0820, _, Some(362)) => Kind::StatusUpload,
            (0x0820, _, Some(301)) => Kind::Echo,
            (0x0820, _, Some(2)) => Kind::SignOut,
            (0x0500, ..) => Kind::Settlement,
            _ => Kind::Other,
        }
    }

    /// Whether money moves.
    #[must_use]
    pub fn is_payment(self) -> bool {
        matches!(self, Kind::Sale | Kind::Void | Kind::Refund)
    }
}

/// What names a payment at its acquirer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Names {
    /// Field 42.
    pub merchant: [u8; 15],
    /// Field 41.
    pub tid: [u8; 8],
    /// 60.1.
    pub type_code: u8,
    /// 60.2.
    pub batch: u32,
    /// Field 11.
    pub trace: u32,
}

impl Names {
    /// The names in a frame; what is missing is 0.
    #[must_use]
    pub fn read(view: &FrameView<'_>) -> Names {
        Names {
            merchant: view.array(42).unwrap_or_default(),
            tid: view.array(41).unwrap_or_default(),
            type_code: view.part(60, 0, 2).and_then(|code| u8::try_from(code).ok()).unwrap_or_default(),
            batch: narrow(view.part(60, 2, 8)),
            trace: narrow(view.number(11)),
        }
    }
}

pub(crate) fn narrow(value: Option<u64>) -> u32 {
    value.and_then(|value| u32::try_from(value).ok()).unwrap_or_default()
}

/// Who a terminal is.
#[derive(Clone, Debug, Serialize)]
pub struct Identity {
    /// Field 41.
    #[serde(serialize_with = "as_text")]
    pub tid: [u8; 8],
    /// Field 42.
    #[serde(serialize_with = "as_text")]
    pub merchant: [u8; 15],
    /// Serial number of the device.
    pub serial: String,
    /// Entry certificate, five characters.
    pub licence: String,
    /// Version of the software, six digits of the header.
    pub software: String,
}

fn as_text<S: serde::Serializer, const N: usize>(bytes: &[u8; N], out: S) -> Result<S::Ok, S::Error> {
    out.serialize_str(&String::from_utf8_lossy(bytes))
}

impl Identity {
    /// Terminal `number` of a made-up fleet; every 4 terminals share a merchant.
    #[must_use]
    pub fn of(number: u32) -> Identity {
        let mut tid = [b'0'; 8];
        tid.copy_from_slice(&format!("{:08}", 90_000_000 + number % 10_000_000).as_bytes()[..8]);
        let mut merchant = [b'0'; 15];
        merchant.copy_from_slice(&format!("89952305411{:04}", number / 4 % 10_000).as_bytes()[..15]);
        Identity {
            tid,
            merchant,
            serial: format!("SIM{number:09}"),
            licence: "P3100".into(),
            software: "030102".into(),
        }
    }

    /// The terminal number as text.
    #[must_use]
    pub fn tid_text(&self) -> String {
        String::from_utf8_lossy(&self.tid).into_owned()
    }

    /// Version 31 header towards the acquirer.
    fn header(&self) -> [u8; 11] {
        let mut header = [0x60, 0x00, 0x12, 0x00, 0x00, 0x60, 0x31, 0x00, 0, 0, 0];
        for (place, pair) in header[8..].iter_mut().zip(self.software.as_bytes().chunks(2)) {
            *place = pair.iter().fold(0, |byte, digit| byte << 4 | digit.wrapping_sub(b'0') & 15);
        }
        header
    }

    fn frame(&self, mti: u16) -> FrameWriter {
        FrameWriter::new(Wire::Pos, &self.header(), mti)
    }
}

/// How a payment is made at the counter.
#[derive(Clone, Debug)]
pub struct Purchase {
    /// Amount in fen.
    pub amount_minor: u64,
    /// The card.
    pub card: Card,
    /// Read without contact.
    pub contactless: bool,
    /// A PIN was entered.
    pub pin: bool,
}

impl Purchase {
    /// A purchase as people make them: below the no-PIN limit most are contactless without PIN.
    #[must_use]
    pub fn random(random: &mut Random, no_pin_below_minor: u64) -> Purchase {
        let small = random.hits(0.7);
        let amount_minor = if small { random.between(100, 99_900) } else { random.between(100_000, 500_000) };
        let contactless = random.hits(0.8);
        let pin = !(contactless && amount_minor < no_pin_below_minor);
        Purchase { amount_minor, card: Card::random(random), contactless, pin }
    }

    fn entry_mode(&self) -> [u8; 3] {
        [b'0', if self.contactless { b'7' } else { b'5' }, if self.pin { b'1' } else { b'2' }]
    }
}

/// The original that a void names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Approved {
    /// Batch of the sale.
    pub batch: u32,
    /// Trace of the sale.
    pub trace: u32,
    /// Reference number that the host gave.
    pub reference: Vec<u8>,
    /// Authorisation code that the host gave.
    pub authorisation: Vec<u8>,
}

/// Field 60 of a payment: type, batch, network code 000, capability 6, condition 0.
fn condition(type_code: u8, batch: u32) -> Vec<u8> {
    format!("{type_code:02}{batch:06}00060").into_bytes()
}

/// Field 60 of a management message.
fn management(batch: u32, network_code: &str) -> Vec<u8> {
    format!("00{batch:06}{network_code}").into_bytes()
}

/// Chip data without card number.
fn chip(amount_minor: u64, trace: u32, random: &mut Random) -> Vec<u8> {
    let mut chip = b"\x9F\x26\x08".to_vec();
    chip.extend(random.bytes8());
    chip.extend(
        b"\x9F\x27\x01\x80\x9F\x10\x13\x07\x01\x01\x03\xA0\x20\x02\x01\x0A\x01\x00\x00\x00\x00\x00\xA1\xB2\xC3\xD4",
    );
    chip.extend(b"\x9F\x37\x04");
    chip.extend(&random.bytes8()[..4]);
    chip.extend(b"\x9F\x36\x02");
    chip.extend(&random.bytes8()[..2]);
    chip.extend(b"\x95\x05\x00\x00\x00\x00\x00\x9A\x03\x26\x09\x21\x9C\x01\x00\x9F\x02\x06");
    chip.extend(packed(amount_minor, 6));
    chip.extend(b"\x5F\x2A\x02\x01\x56\x82\x02\x7C\x00\x9F\x1A\x02\x01\x56\x9F\x33\x03\xE0\xF1\xC8");
    chip.extend(b"\x84\x08\xA0\x00\x00\x03\x33\x01\x01\x01\x9F\x41\x04");
    chip.extend(packed(trace.into(), 4));
    chip
}

fn packed(value: u64, bytes: usize) -> Vec<u8> {
    let digits = format!("{value:0width$}", width = bytes * 2);
    digits.as_bytes().chunks(2).map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | digit & 15)).collect()
}

/// Field 59: the A2 block with device type, serial, factor, cipher and application version.
fn terminal_data(identity: &Identity, card: &Card, seed: u64) -> Vec<u8> {
    let factor = card.last_six();
    let cipher = serial_cipher(seed, identity.serial.as_bytes(), factor.as_bytes());
    let cipher: String = cipher.iter().map(|byte| format!("{byte:02X}")).collect();
    let version = format!("{:<8}", identity.software);
    let parts = [("01", "04"), ("02", &identity.serial), ("03", &factor), ("04", &cipher), ("05", &version)];
    let inner: String = parts.iter().map(|(tag, value)| format!("{tag}{:03}{value}", value.len())).collect();
    format!("A2{:03}{inner}", inner.len()).into_bytes()
}

/// What a terminal knows when it writes a message.
pub struct Desk<'a> {
    /// Who it is.
    pub identity: &'a Identity,
    /// Its MAC key; without one messages carry no MAC.
    pub mac: Option<&'a MacKey>,
    /// Batch now open.
    pub batch: u32,
    /// Trace of this message.
    pub trace: u32,
    /// Seed of the run, for the serial cipher.
    pub seed: u64,
}

impl Desk<'_> {
    /// A sale.
    #[must_use]
    pub fn sale(&self, purchase: &Purchase, random: &mut Random) -> Vec<u8> {
        let pin = purchase.pin.then(|| random.bytes8());
        let frame = self.card_fields(0x0200, "000000", purchase, purchase.pin.then_some(b"06"));
        let frame = frame
            .field(35, purchase.card.track2().as_bytes())
            .field(41, &self.identity.tid)
            .field(42, &self.identity.merchant)
            .field(49, b"156")
            .maybe(52, pin.as_ref().map(|pin| &pin[..]))
            .maybe(53, pin.is_some().then_some(b"2600000000000000"))
            .field(55, &chip(purchase.amount_minor, self.trace, random))
            .field(59, &terminal_data(self.identity, &purchase.card, self.seed))
            .field(60, &condition(22, self.batch));
        self.seal(frame)
    }

    /// A void of an approved sale.
    #[must_use]
    pub fn void(&self, purchase: &Purchase, original: &Approved) -> Vec<u8> {
        let frame = self
            .card_fields(0x0200, "200000", purchase, None)
            .field(37, &original.reference)
            .field(38, &original.authorisation)
            .field(41, &self.identity.tid)
            .field(42, &self.identity.merchant)
            .field(49, b"156")
            .field(60, &condition(23, self.batch))
            .field(61, format!("{:06}{:06}", original.batch, original.trace).as_bytes());
        self.seal(frame)
    }

    /// The reversal of a sale or void: it repeats the trace of its original.
    #[must_use]
    pub fn reversal(&self, purchase: &Purchase, reason: &[u8; 2], of_void: Option<&Approved>) -> Vec<u8> {
        let processing = if of_void.is_some() { "200000" } else { "000000" };
        let original = of_void.map(|original| format!("{:06}{:06}", original.batch, original.trace));
        let frame = self
            .card_fields(0x0400, processing, purchase, None)
            .field(39, reason)
            .field(41, &self.identity.tid)
            .field(42, &self.identity.merchant)
            .field(49, b"156")
            .field(60, &condition(if of_void.is_some() { 23 } else { 22 }, self.batch))
            .maybe(61, original.as_ref().map(String::as_bytes));
        self.seal(frame)
    }

    fn card_fields(
        &self,
        mti: u16,
        processing: &str,
        purchase: &Purchase,
        pin_length: Option<&[u8; 2]>,
    ) -> FrameWriter {
        self.identity
            .frame(mti)
            .field(2, purchase.card.pan().as_bytes())
            .field(3, processing.as_bytes())
            .number(4, purchase.amount_minor)
            .number(11, self.trace.into())
            .field(14, purchase.card.expiry().as_bytes())
            .field(22, &purchase.entry_mode())
            .field(23, b"001")
            .field(25, b"00")
            .maybe(26, pin_length.map(|length| &length[..]))
    }

    fn seal(&self, frame: FrameWriter) -> Vec<u8> {
        match self.mac {
            Some(key) => frame.sealed(|covered| key.mac(covered)),
            None => frame.finish(),
        }
    }

    /// A sign-in with licence and serial.
    #[must_use]
    pub fn sign_in(&self) -> Vec<u8> {
        let device = format!("{}{}", self.identity.licence, self.identity.serial);
        let text = format!("Sequence No{:02}{device}", device.len());
        self.managed(0x0800, "003").field(62, text.as_bytes()).field(63, b"001").finish()
    }

    /// A status upload: all parts good, the terminal's timeout and retries.
    #[must_use]
    pub fn status_upload(&self, timeout_seconds: u64, retries: u32) -> Vec<u8> {
        let text = format!("01102103104105112{:02}13{}", timeout_seconds.min(99), retries.min(9));
        self.managed(0x0820, "362").field(62, text.as_bytes()).finish()
    }

    /// An echo.
    #[must_use]
    pub fn echo(&self) -> Vec<u8> {
        self.managed(0x0820, "301").finish()
    }

    fn managed(&self, mti: u16, network_code: &str) -> FrameWriter {
        self.identity
            .frame(mti)
            .number(11, self.trace.into())
            .field(41, &self.identity.tid)
            .field(42, &self.identity.merchant)
            .field(60, &management(self.batch, network_code))
    }

    /// A settlement with the totals of the terminal.
    #[must_use]
    pub fn settlement(&self, totals: &Totals) -> Vec<u8> {
        self.identity
            .frame(0x0500)
            .number(11, self.trace.into())
            .field(41, &self.identity.tid)
            .field(42, &self.identity.merchant)
            .field(48, totals.field_48(b'0').as_bytes())
            .field(49, b"156")
            .field(60, &management(self.batch, "201"))
            .field(63, b"001")
            .finish()
    }
}

/// Totals of a batch: money from cards (debit) and back to cards (credit).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Sum of sales in fen.
    pub debit_minor: u64,
    /// Number of sales.
    pub debits: u64,
    /// Sum of voids and refunds in fen.
    pub credit_minor: u64,
    /// Number of voids and refunds.
    pub credits: u64,
}

impl Totals {
    /// Field 48 with this flag; no foreign cards.
    pub(crate) fn field_48(&self, flag: u8) -> String {
        let flag = char::from(flag);
        let foreign = if flag == '0' { '0' } else { '1' };
        format!(
            "{:012}{:03}{:012}{:03}{flag}{:030}{foreign}",
            self.debit_minor, self.debits, self.credit_minor, self.credits, 0
        )
    }

    /// The totals and the flag in field 48.
    pub(crate) fn read(view: &FrameView<'_>) -> Option<(Totals, u64)> {
        let totals = Totals {
            debit_minor: view.part(48, 0, 12)?,
            debits: view.part(48, 12, 15)?,
            credit_minor: view.part(48, 15, 27)?,
            credits: view.part(48, 27, 30)?,
        };
        Some((totals, view.part(48, 30, 31)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::TerminalKeys;

    #[test]
    fn the_codec_of_the_product_reads_every_message() {
        let dialect = onus_iso8583::Dialect::builtin("unionpay-pos").unwrap();
        let identity = Identity::of(17);
        let key = TerminalKeys::of(1, &identity.tid).mac_key();
        let mut random = Random::new(3);
        for round in 0..200 {
            let desk = Desk { identity: &identity, mac: Some(&key), batch: 7, trace: round + 1, seed: 1 };
            let purchase = Purchase::random(&mut random, 100_000);
            let original =
                Approved { batch: 7, trace: 3, reference: b"626422812567".to_vec(), authorisation: b"123456".to_vec() };
            let table = [
                (desk.sale(&purchase, &mut random), 0x0200, Kind::Sale),
                (desk.void(&purchase, &original), 0x0200, Kind::Void),
                (desk.reversal(&purchase, b"98", None), 0x0400, Kind::Reversal),
                (desk.reversal(&purchase, b"98", Some(&original)), 0x0400, Kind::Reversal),
                (desk.sign_in(), 0x0800, Kind::SignIn),
                (desk.status_upload(60, 3), 0x0820, Kind::StatusUpload),
                (desk.echo(), 0x0820, Kind::Echo),
                (desk.settlement(&Totals { debit_minor: 5, debits: 1, ..Totals::default() }), 0x0500, Kind::Settlement),
            ];
            for (frame, mti, kind) in &table {
                let message = dialect.decode(frame).unwrap_or_else(|error| panic!("{kind:?}: {error}"));
                let view = FrameView::read(Wire::Pos, frame).unwrap();
                assert_eq!((message.mti(), Kind::of(&view), view.mti()), (*mti, *kind, *mti));
                assert_eq!(message.number(11), Some(u64::from(round) + 1));
                assert_eq!(message.text(41), Some(&identity.tid[..]));
                assert_eq!(Names::read(&view).batch, 7);
                if let Some(mac) = view.raw(64) {
                    assert_eq!(mac, key.mac(view.covered()));
                }
            }
            let sale = dialect.decode(&table[0].0).unwrap();
            assert_eq!(sale.number(4), Some(purchase.amount_minor));
            assert_eq!(sale.has(52), purchase.pin);
        }
    }

    #[test]
    fn status_codes_are_two_digits_each() {
        let identity = Identity::of(1);
        let frame = Desk { identity: &identity, mac: None, batch: 1, trace: 1, seed: 0 }.status_upload(60, 3);
        let view = FrameView::read(Wire::Pos, &frame).unwrap();
        assert_eq!(view.raw(62), Some(&b"0110210310410511260133"[..]));
    }

    #[test]
    fn totals_read_back() {
        let identity = Identity::of(1);
        let totals = Totals { debit_minor: 12_345, debits: 2, credit_minor: 45, credits: 1 };
        let frame = Desk { identity: &identity, mac: None, batch: 1, trace: 1, seed: 0 }.settlement(&totals);
        let view = FrameView::read(Wire::Pos, &frame).unwrap();
        assert_eq!(Totals::read(&view), Some((totals, 0)));
    }
}
