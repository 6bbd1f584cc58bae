//! What terminals say about themselves: the A2 block of field 59 and the lists of field 62.
//!
//! Field 59 is a row of blocks, each a tag of two characters, a length of three digits and a value. Block `A2` holds
//! elements of the same form: 01 device type, 02 serial number, 03 factor (last six digits of the card), 04 serial and
//! factor enciphered under the serial's key (8 bytes), 05 program version (8 characters). Seen in several public
//! terminal programs. Field 62 of a status report is a row of two-digit codes, each with a value of a known width.

use crate::place::Place;
use crate::small_text::SmallText;

/// Serial number of a terminal.
pub type Serial = SmallText<50>;

/// The elements of a row of tag (2 characters), length (3 digits), value; it ends where the form does.
struct Elements<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Elements<'a> {
    type Item = ([u8; 2], &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let (tag, rest) = self.rest.split_first_chunk::<2>()?;
        let (length, rest) = rest.split_first_chunk::<3>()?;
        let length = digits(length)? as usize;
        let (value, rest) = rest.split_at_checked(length)?;
        self.rest = rest;
        Some((*tag, value))
    }
}

/// The number of up to nine ASCII digits.
fn digits(text: &[u8]) -> Option<u32> {
    if text.is_empty() || text.len() > 9 {
        return None;
    }
    text.iter().try_fold(0, |sum: u32, byte| byte.is_ascii_digit().then(|| sum * 10 + u32::from(byte - b'0')))
}

/// The A2 block of field 59.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct TerminalBlock<'a> {
    pub(crate) device: Option<u8>,
    pub(crate) serial: Option<Serial>,
    pub(crate) factor: Option<&'a [u8]>,
    pub(crate) cipher: Option<[u8; 8]>,
    pub(crate) app_version: Option<[u8; 8]>,
}

impl<'a> TerminalBlock<'a> {
    /// Reads the block out of field 59; none when it has none.
    pub(crate) fn read(field: &'a [u8]) -> Option<TerminalBlock<'a>> {
        let block = element(field, *b"A2")?;
        let mut found = TerminalBlock::default();
        for (tag, value) in (Elements { rest: block }) {
            match &tag {
                b"01" => found.device = digits(value).and_then(|device| u8::try_from(device).ok()),
                b"02" => found.serial = Serial::new(value),
                b"03" => found.factor = Some(value),
                b"04" => found.cipher = cipher(value),
                b"05" => found.app_version = <[u8; 8]>::try_from(value).ok(),
                _ => {}
            }
        }
        Some(found)
    }
}

/// The value of the first element with this tag.
fn element(row: &[u8], tag: [u8; 2]) -> Option<&[u8]> {
    Elements { rest: row }.find(|(found, _)| *found == tag).map(|(_, value)| value)
}

/// Eight bytes as they are, or as sixteen hexadecimal characters.
fn cipher(value: &[u8]) -> Option<[u8; 8]> {
    if let Ok(bytes) = <[u8; 8]>::try_from(value) {
        return Some(bytes);
    }
    if value.len() != 16 {
        return None;
    }
    let nibble = |at: usize| char::from(*value.get(at)?).to_digit(16);
    let mut bytes = [0; 8];
    for (index, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::try_from(nibble(2 * index)? << 4 | nibble(2 * index + 1)?).ok()?;
    }
    Some(bytes)
}

/// The position under `tag` of block `block` of field 59.
pub(crate) fn location(field: &[u8], block: [u8; 2], tag: [u8; 2]) -> Option<Place> {
    Place::parse(element(element(field, block)?, tag)?)
}

/// The serial number of a sign-in: field 62 is `Sequence No`, two digits of length (left out by some), the number.
pub(crate) fn sign_in_serial(field: &[u8]) -> Option<Serial> {
    const LEAD: &[u8] = b"Sequence No";
    let (lead, rest) = field.split_at_checked(LEAD.len())?;
    if !lead.eq_ignore_ascii_case(LEAD) {
        return None;
    }
    let counted = rest
        .split_first_chunk::<2>()
        .and_then(|(length, serial)| (digits(length)? as usize == serial.len()).then_some(serial));
    Serial::new(counted.unwrap_or(rest))
}

/// What a status report or a parameter download says that the gateway needs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TerminalStatus {
    /// Seconds that the terminal waits for a reply (code 12).
    pub timeout_s: Option<u8>,
    /// How often it repeats a reversal (code 13).
    pub retries: Option<u8>,
    /// Its parts that do not work (bit n: code n): 1 keyboard, 2 PIN pad, 3 reader, 4 printer, 5 display.
    pub broken: u8,
}

/// Widths of the values by code, as believed from public descriptions.
const WIDTHS: [(u32, usize); 19] = [
    (1, 1),
    (2, 1),
    (3, 1),
    (4, 1),
    (5, 1),
    (11, 2),
    (12, 2),
    (13, 1),
    (14, 14),
    (15, 14),
    (16, 14),
    (17, 14),
    (18, 1),
    (19, 2),
    (20, 1),
    (21, 1),
    (22, 40),
    (23, 1),
    (24, 1),
];

impl TerminalStatus {
    /// Reads field 62. The walk ends at a code of unknown width, for what follows it cannot be found.
    pub(crate) fn read(field: &[u8]) -> Option<TerminalStatus> {
        let mut status = TerminalStatus::default();
        let (mut rest, mut any) = (field, false);
        while let Some((code, behind)) = rest.split_first_chunk::<2>() {
            let Some(code) = digits(code) else { break };
            let Some((_, width)) = WIDTHS.iter().find(|(known, _)| *known == code) else { break };
            let Some((value, behind)) = behind.split_at_checked(*width) else { break };
            let number = digits(value).and_then(|number| u8::try_from(number).ok());
            match (code, number) {
                (1..=5, Some(0)) => status.broken |= 1 << code,
                (12, seconds) => status.timeout_s = seconds,
                (13, times) => status.retries = times,
                _ => {}
            }
            (rest, any) = (behind, true);
        }
        any.then_some(status)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_block_is_read_wherever_it_stands() {
        let block = TerminalBlock::read(b"A1004abcdA20160100204020090123").unwrap();
        assert_eq!(block.device, Some(4));
        assert_eq!(block.serial, None, "a serial that is cut off is not made up");

        let inner = b"0100202\
            02016000002021234567803006123456\
            04008\x00\xFFabcdef\
            05008320001  ";
        let mut field = format!("A2{:03}", inner.len()).into_bytes();
        field.extend(inner);
        let block = TerminalBlock::read(&field).unwrap();
        assert_eq!(block.device, Some(2));
        assert_eq!(block.serial.unwrap().as_str(), "0000020212345678");
        assert_eq!(block.factor, Some(&b"123456"[..]));
        assert_eq!(block.cipher, Some(*b"\x00\xFFabcdef"));
        assert_eq!(block.app_version, Some(*b"320001  "));
    }

    #[test]
    fn what_is_no_block_gives_nothing() {
        for field in [&b""[..], b"A2", b"A2xxx", b"A2010short", b"A1003abc", b"free text of a host"] {
            assert_eq!(TerminalBlock::read(field), None, "{field:?}");
        }
        assert_eq!(TerminalBlock::read(b"A2000"), Some(TerminalBlock::default()));
        assert_eq!(cipher(b"00ff616263646566"), Some(*b"\x00\xFFabcdef"));
        assert_eq!(cipher(b"0123456789"), None);
    }

    #[test]
    fn positions_and_serials_of_sign_in() {
        let place = Place { lat_e5: 3_123_000, lon_e5: 12_147_000 };
        assert_eq!(location(b"A201806013+31.23/121.47", *b"A2", *b"06"), Some(place));
        assert_eq!(location(b"A201806013+31.23/121.47", *b"A2", *b"07"), None);
        let serial = |field: &[u8]| sign_in_serial(field).map(|serial| serial.to_string());
        assert_eq!(serial(b"Sequence No16N900001234567890").as_deref(), Some("N900001234567890"));
        assert_eq!(serial(b"Sequence NoN900001234567890").as_deref(), Some("N900001234567890"));
        assert_eq!(serial(b"SEQUENCE NO081234ABCD").as_deref(), Some("1234ABCD"));
        assert_eq!(serial(b"012"), None);
    }

    #[test]
    fn status_lists() {
        let read = TerminalStatus::read;
        let all = read(b"011020031041051122513312").unwrap();
        assert_eq!(all, TerminalStatus { timeout_s: Some(25), retries: Some(3), broken: 1 << 2 });
        assert_eq!(read(b"1299"), Some(TerminalStatus { timeout_s: Some(99), retries: None, broken: 0 }));
        assert_eq!(read(b"99123"), None);
        assert_eq!(read(b""), None);
        assert_eq!(read(b"12"), None);
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_read_without_harm(
            bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..80),
            near in "A2[0-9]{3}(0[1-6]00[0-9][0-9A-F]{0,9}){0,6}",
        ) {
            for field in [&bytes, near.as_bytes()] {
                let block = TerminalBlock::read(field);
                let factor = block.and_then(|block| block.factor).unwrap_or_default();
                proptest::prop_assert!(factor.len() <= field.len());
                let _ = location(field, *b"A2", *b"06");
                let _ = sign_in_serial(field);
                let _ = TerminalStatus::read(field);
                let _ = Place::parse(field);
            }
        }
    }
}
