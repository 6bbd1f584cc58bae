//! Frames of the two dialects, written and read.
//!
//! The simulator shares no code with what it tests: a mistake in the codec of the product cannot hide in a peer
//! that makes the same mistake. The tests of this crate read its frames with the product's codec.

/// Which partners speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wire {
    /// Terminal and acquirer: packed digits, 2-byte binary length before each frame.
    Pos,
    /// Acquirer and network: text, 4-digit length before each frame.
    Network,
}

#[derive(Clone, Copy)]
enum Class {
    /// Digits and `D`; packed at terminals, text at the network.
    Digits,
    /// Bytes as they are.
    Bytes,
}

#[derive(Clone, Copy)]
enum Size {
    Fixed(u16),
    /// A length of two digits.
    Ll,
    /// A length of three digits.
    Lll,
}

/// Side of the filler nibble of an odd number of packed digits.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Filler {
    First,
    Last,
}

#[derive(Clone, Copy)]
struct Spec(Class, Size, Filler);

/// Fields that the table does not name are LLL bytes.
const fn spec(number: u8) -> Spec {
    use Class::{Bytes, Digits};
    use Filler::{First, Last};
    use Size::{Fixed, Ll, Lll};
    match number {
        2 | 32 | 33 | 35 => Spec(Digits, Ll, Last),
        3 | 11 | 12 => Spec(Digits, Fixed(6), Last),
        4 => Spec(Digits, Fixed(12), Last),
        7 => Spec(Digits, Fixed(10), Last),
        13 | 14 | 15 | 18 => Spec(Digits, Fixed(4), Last),
        22 => Spec(Digits, Fixed(3), Last),
        23 | 70 => Spec(Digits, Fixed(3), First),
        25 | 26 => Spec(Digits, Fixed(2), Last),
        36 | 48 | 60 | 61 => Spec(Digits, Lll, Last),
        37 => Spec(Bytes, Fixed(12), Last),
        38 => Spec(Bytes, Fixed(6), Last),
        39 => Spec(Bytes, Fixed(2), Last),
        41 | 52 | 64 | 128 => Spec(Bytes, Fixed(8), Last),
        42 => Spec(Bytes, Fixed(15), Last),
        43 => Spec(Bytes, Fixed(40), Last),
        44 => Spec(Bytes, Ll, Last),
        49 => Spec(Bytes, Fixed(3), Last),
        53 => Spec(Digits, Fixed(16), Last),
        90 => Spec(Digits, Fixed(42), Last),
        _ => Spec(Bytes, Lll, Last),
    }
}

impl Wire {
    const fn prefix_len(self) -> usize {
        match self {
            Wire::Pos => 2,
            Wire::Network => 4,
        }
    }

    const fn header_len(self) -> usize {
        match self {
            Wire::Pos => 11,
            Wire::Network => 46,
        }
    }

    const fn mti_len(self) -> usize {
        match self {
            Wire::Pos => 2,
            Wire::Network => 4,
        }
    }

    const fn bitmap_len(self) -> usize {
        match self {
            Wire::Pos => 8,
            Wire::Network => 16,
        }
    }

    fn body_at(self) -> usize {
        self.header_len() + self.mti_len() + self.bitmap_len()
    }

    /// The first frame of `bytes` and how many bytes it takes with its prefix; nothing while it is incomplete.
    ///
    /// # Errors
    /// When the prefix cannot be one.
    pub fn split(self, bytes: &[u8]) -> Result<Option<(&[u8], usize)>, Unreadable> {
        let prefix_len = self.prefix_len();
        let Some(prefix) = bytes.get(..prefix_len) else { return Ok(None) };
        let len = match self {
            Wire::Pos => prefix.iter().fold(0, |len, byte| len << 8 | usize::from(*byte)),
            Wire::Network => ascii_number(prefix).and_then(|len| usize::try_from(len).ok()).ok_or(Unreadable)?,
        };
        if len > MAX_FRAME {
            return Err(Unreadable);
        }
        Ok(bytes.get(prefix_len..prefix_len + len).map(|frame| (frame, prefix_len + len)))
    }

    /// Appends `frame` with its prefix.
    pub fn append(self, frame: &[u8], out: &mut Vec<u8>) {
        match self {
            // Frames of the simulator are far below 64 KiB.
            Wire::Pos => out.extend_from_slice(&u16::try_from(frame.len()).unwrap_or(u16::MAX).to_be_bytes()),
            Wire::Network => out.extend_from_slice(format!("{:04}", frame.len()).as_bytes()),
        }
        out.extend_from_slice(frame);
    }
}

/// Longer frames are taken for garbage.
const MAX_FRAME: usize = 4096;

/// Bytes that are no frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("bytes that are no frame of this dialect")]
pub struct Unreadable;

/// Writes one frame, field by field in ascending order.
#[derive(Clone, Debug)]
pub struct FrameWriter {
    wire: Wire,
    out: Vec<u8>,
}

impl FrameWriter {
    /// A frame with this header (11 bytes at terminals, 46 at the network) and message type (0200 is `0x0200`).
    #[must_use]
    pub fn new(wire: Wire, header: &[u8], mti: u16) -> FrameWriter {
        let mut out = Vec::with_capacity(320);
        out.extend_from_slice(header);
        match wire {
            Wire::Pos => out.extend_from_slice(&mti.to_be_bytes()),
            Wire::Network => out.extend_from_slice(format!("{mti:04X}").as_bytes()),
        }
        out.resize(wire.body_at(), 0);
        if let (Wire::Network, Some(first)) = (wire, out.get_mut(wire.header_len() + wire.mti_len())) {
            *first |= 0x80;
        }
        FrameWriter { wire, out }
    }

    /// Writes a field: digits as text (`D` in tracks), everything else as it is.
    #[must_use]
    pub fn field(mut self, number: u8, value: &[u8]) -> FrameWriter {
        self.mark(number);
        let Spec(class, size, filler) = spec(number);
        let digits = match size {
            Size::Fixed(_) => 0,
            Size::Ll => 2,
            Size::Lll => 3,
        };
        if digits > 0 {
            self.length(value.len(), digits);
        }
        match (class, self.wire) {
            (Class::Digits, Wire::Pos) => pack(value, filler, &mut self.out),
            _ => self.out.extend_from_slice(value),
        }
        self
    }

    /// Writes a field of digits with leading zeros.
    #[must_use]
    pub fn number(self, number: u8, value: u64) -> FrameWriter {
        let width = match spec(number).1 {
            Size::Fixed(width) => usize::from(width),
            Size::Ll | Size::Lll => 0,
        };
        self.field(number, format!("{value:0width$}").as_bytes())
    }

    /// Copies a field of another frame of the same dialect as it is there, if it is there.
    #[must_use]
    pub fn copy(mut self, number: u8, view: &FrameView<'_>) -> FrameWriter {
        let Some(raw) = view.raw(number) else { return self };
        self.mark(number);
        let units = view.places.get(usize::from(number)).map_or(0, |place| place.units);
        match spec(number).1 {
            Size::Fixed(_) => {}
            Size::Ll => self.length(units.into(), 2),
            Size::Lll => self.length(units.into(), 3),
        }
        self.out.extend_from_slice(raw);
        self
    }

    /// Writes a field when there is a value.
    #[must_use]
    pub fn maybe(self, number: u8, value: Option<&[u8]>) -> FrameWriter {
        match value {
            Some(value) => self.field(number, value),
            None => self,
        }
    }

    fn mark(&mut self, number: u8) {
        let bit = usize::from(number.saturating_sub(1));
        let at = self.wire.header_len() + self.wire.mti_len() + bit / 8;
        if let Some(byte) = self.out.get_mut(at) {
            *byte |= 0x80 >> (bit % 8);
        }
    }

    fn length(&mut self, units: usize, digits: usize) {
        let text = format!("{units:0digits$}");
        match self.wire {
            Wire::Pos => pack(text.as_bytes(), Filler::First, &mut self.out),
            Wire::Network => self.out.extend_from_slice(text.as_bytes()),
        }
    }

    /// What a MAC covers: message type to the last field.
    #[must_use]
    pub fn covered(&self) -> &[u8] {
        self.out.get(self.wire.header_len()..).unwrap_or_default()
    }

    /// Marks the MAC field as present, as it is when the MAC is computed, and writes what `mac` makes of the rest.
    #[must_use]
    pub fn sealed(mut self, mac: impl FnOnce(&[u8]) -> [u8; 8]) -> Vec<u8> {
        self.mark(64);
        let value = mac(self.covered());
        self.out.extend_from_slice(&value);
        self.finish()
    }

    /// The frame without stream prefix.
    #[must_use]
    pub fn finish(mut self) -> Vec<u8> {
        if self.wire == Wire::Network {
            let total = format!("{:04}", self.out.len());
            if let Some(place) = self.out.get_mut(2..6) {
                place.copy_from_slice(total.as_bytes());
            }
        }
        self.out
    }
}

fn pack(digits: &[u8], filler: Filler, out: &mut Vec<u8>) {
    let nibble = |digit: u8| match digit {
        b'0'..=b'9' => digit - b'0',
        b'A'..=b'F' => digit - b'A' + 10,
        _ => 0,
    };
    let odd = digits.len() % 2 == 1;
    let mut rest = digits;
    if odd && filler == Filler::First {
        out.push(nibble(digits[0]));
        rest = &digits[1..];
    }
    for pair in rest.chunks(2) {
        let low = pair.get(1).map_or(0, |digit| nibble(*digit));
        out.push(nibble(pair[0]) << 4 | low);
    }
}

/// Where one field lies.
#[derive(Clone, Copy, Default)]
struct Place {
    at: u16,
    /// Digits or bytes; 0 with `at` 0 when the field is absent.
    units: u16,
}

/// A frame that was read.
#[derive(Clone)]
pub struct FrameView<'a> {
    wire: Wire,
    frame: &'a [u8],
    mti: u16,
    places: [Place; 129],
}

impl<'a> FrameView<'a> {
    /// Reads a frame without stream prefix.
    ///
    /// # Errors
    /// When a field does not fit or bytes are left over.
    pub fn read(wire: Wire, frame: &'a [u8]) -> Result<FrameView<'a>, Unreadable> {
        let mti = match wire {
            Wire::Pos => frame.get(11..13).and_then(|mti| mti.try_into().ok()).map(u16::from_be_bytes),
            Wire::Network => frame.get(46..50).and_then(|mti| {
                mti.iter().try_fold(0, |mti, digit| digit.is_ascii_digit().then(|| mti << 4 | u16::from(digit - b'0')))
            }),
        };
        let mut view = FrameView { wire, frame, mti: mti.ok_or(Unreadable)?, places: [Place::default(); 129] };
        let starts = wire.header_len() + wire.mti_len();
        let bitmap = frame.get(starts..wire.body_at()).ok_or(Unreadable)?;
        let mut at = wire.body_at();
        for (index, byte) in bitmap.iter().enumerate() {
            let mut left = *byte;
            while left != 0 {
                let bit = left.leading_zeros() as usize;
                left &= !(0x80 >> bit);
                let number = index * 8 + bit + 1;
                if number == 1 {
                    if wire == Wire::Pos {
                        return Err(Unreadable);
                    }
                    continue;
                }
                at = view.place(number, at)?;
            }
        }
        if at == frame.len() { Ok(view) } else { Err(Unreadable) }
    }

    /// Notes the place of a field that starts at `at` and returns where it ends.
    fn place(&mut self, number: usize, at: usize) -> Result<usize, Unreadable> {
        let Spec(class, size, _) = spec(u8::try_from(number).map_err(|_| Unreadable)?);
        let (units, at) = match size {
            Size::Fixed(units) => (usize::from(units), at),
            Size::Ll => self.length(at, 2)?,
            Size::Lll => self.length(at, 3)?,
        };
        let end = at + self.bytes(class, units);
        if end > self.frame.len() {
            return Err(Unreadable);
        }
        let narrow = |value: usize| u16::try_from(value).map_err(|_| Unreadable);
        self.places[number] = Place { at: narrow(at)?, units: narrow(units)? };
        Ok(end)
    }

    fn bytes(&self, class: Class, units: usize) -> usize {
        match (class, self.wire) {
            (Class::Digits, Wire::Pos) => units.div_ceil(2),
            _ => units,
        }
    }

    fn length(&self, at: usize, digits: usize) -> Result<(usize, usize), Unreadable> {
        let len = match self.wire {
            Wire::Pos => digits.div_ceil(2),
            Wire::Network => digits,
        };
        let text = self.frame.get(at..at + len).ok_or(Unreadable)?;
        let value = match self.wire {
            Wire::Pos => text.iter().try_fold(0, |value, byte| {
                (byte >> 4 < 10 && byte & 15 < 10)
                    .then(|| value * 100 + usize::from(byte >> 4) * 10 + usize::from(byte & 15))
            }),
            Wire::Network => ascii_number(text).and_then(|value| usize::try_from(value).ok()),
        };
        Ok((value.ok_or(Unreadable)?, at + len))
    }

    /// The message type: 0210 is `0x0210`.
    #[must_use]
    pub fn mti(&self) -> u16 {
        self.mti
    }

    /// Its dialect.
    #[must_use]
    pub fn wire(&self) -> Wire {
        self.wire
    }

    /// The whole frame.
    #[must_use]
    pub fn frame(&self) -> &'a [u8] {
        self.frame
    }

    /// The header before the message type.
    #[must_use]
    pub fn header(&self) -> &'a [u8] {
        self.frame.get(..self.wire.header_len()).unwrap_or_default()
    }

    /// Whether a field is there.
    #[must_use]
    pub fn has(&self, number: u8) -> bool {
        self.places.get(usize::from(number)).is_some_and(|place| place.at > 0)
    }

    /// Where the bytes of a field start.
    #[must_use]
    pub fn offset(&self, number: u8) -> Option<usize> {
        self.places.get(usize::from(number)).filter(|place| place.at > 0).map(|place| place.at.into())
    }

    /// The bytes of a field without its length.
    #[must_use]
    pub fn raw(&self, number: u8) -> Option<&'a [u8]> {
        let place = self.places.get(usize::from(number)).filter(|place| place.at > 0)?;
        let at = usize::from(place.at);
        self.frame.get(at..at + self.bytes(spec(number).0, place.units.into()))
    }

    /// The digit of a field at `index`; `D` of a track is 13.
    fn digit(&self, number: u8, index: usize) -> Option<u8> {
        let units = usize::from(self.places.get(usize::from(number))?.units);
        if index >= units {
            return None;
        }
        let raw = self.raw(number)?;
        if self.wire == Wire::Network {
            return raw.get(index).map(|digit| digit.wrapping_sub(b'0'));
        }
        let skipped = usize::from(units % 2 == 1 && spec(number).2 == Filler::First);
        let nibble = index + skipped;
        raw.get(nibble / 2).map(|byte| if nibble.is_multiple_of(2) { byte >> 4 } else { byte & 15 })
    }

    /// The number that digits `from` to `to` (not included) of a field write.
    #[must_use]
    pub fn part(&self, number: u8, from: usize, to: usize) -> Option<u64> {
        (from..to).try_fold(0_u64, |value, index| {
            let digit = self.digit(number, index).filter(|digit| *digit < 10)?;
            value.checked_mul(10)?.checked_add(digit.into())
        })
    }

    /// The number that a whole field of digits writes.
    #[must_use]
    pub fn number(&self, number: u8) -> Option<u64> {
        let units = self.places.get(usize::from(number)).filter(|place| place.at > 0)?.units;
        self.part(number, 0, units.into())
    }

    /// The digits of a field as text.
    #[must_use]
    pub fn digits(&self, number: u8) -> Option<Vec<u8>> {
        let units = self.places.get(usize::from(number)).filter(|place| place.at > 0)?.units;
        (0..units.into())
            .map(|index| {
                self.digit(number, index).map(|digit| if digit < 10 { b'0' + digit } else { b'A' + digit - 10 })
            })
            .collect()
    }

    /// A field of fixed length as an array.
    #[must_use]
    pub fn array<const N: usize>(&self, number: u8) -> Option<[u8; N]> {
        self.raw(number)?.try_into().ok()
    }

    /// What a MAC covers: message type to the field before the MAC.
    #[must_use]
    pub fn covered(&self) -> &'a [u8] {
        let end = if self.has(64) { self.frame.len().saturating_sub(8) } else { self.frame.len() };
        self.frame.get(self.wire.header_len()..end).unwrap_or_default()
    }
}

fn ascii_number(text: &[u8]) -> Option<u64> {
    text.iter().try_fold(0_u64, |value, digit| {
        digit.is_ascii_digit().then(|| value.checked_mul(10)?.checked_add(u64::from(digit - b'0')))?
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: [u8; 11] = [0x60, 0x00, 0x12, 0x00, 0x00, 0x60, 0x31, 0x00, 0x03, 0x01, 0x02];

    fn sale() -> Vec<u8> {
        FrameWriter::new(Wire::Pos, &HEADER, 0x0200)
            .field(2, b"9999020347600321439")
            .number(4, 6500)
            .number(11, 7)
            .field(22, b"071")
            .number(23, 1)
            .field(35, b"9999020347600321439D28062")
            .field(41, b"52300348")
            .field(60, b"2200066600060")
            .sealed(|covered| covered.len().to_be_bytes())
    }

    #[test]
    fn reads_what_it_writes() {
        let frame = sale();
        let view = FrameView::read(Wire::Pos, &frame).unwrap();
        assert_eq!((view.mti(), view.number(4), view.number(11)), (0x0200, Some(6500), Some(7)));
        assert_eq!((view.part(60, 0, 2), view.part(60, 2, 8), view.part(60, 8, 14)), (Some(22), Some(666), None));
        assert_eq!(view.raw(22), Some(&[0x07, 0x10][..]));
        assert_eq!(view.raw(23), Some(&[0x00, 0x01][..]));
        assert_eq!(view.digits(35).as_deref(), Some(&b"9999020347600321439D28062"[..]));
        assert_eq!(view.raw(64), Some(&view.covered().len().to_be_bytes()[..]));
        assert_eq!(view.number(3), None);

        let network =
            FrameWriter::new(Wire::Network, &[b'0'; 46], 0x0420).number(11, 7).field(90, &[b'1'; 42]).finish();
        let view = FrameView::read(Wire::Network, &network).unwrap();
        assert_eq!((view.mti(), view.number(11), view.part(90, 0, 4)), (0x0420, Some(7), Some(1111)));
        assert_eq!(&network[2..6], b"0114");
    }

    #[test]
    fn the_codec_of_the_product_reads_it_too() {
        let dialect = onus_iso8583::Dialect::builtin("unionpay-pos").unwrap();
        let frame = sale();
        let message = dialect.decode(&frame).unwrap();
        assert_eq!((message.mti(), message.number(4), message.text(41)), (0x0200, Some(6500), Some(&b"52300348"[..])));
    }

    proptest::proptest! {
        /// Whatever comes in, the reader says so or reads it; it never panics.
        #[test]
        fn any_bytes(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..200), cut in 0_usize..200) {
            let mut frame = sale();
            let at = cut.min(frame.len());
            frame.splice(at..(at + bytes.len()).min(frame.len()), bytes.iter().copied());
            for (wire, input) in [(Wire::Pos, &bytes), (Wire::Network, &bytes), (Wire::Pos, &frame)] {
                let _ = wire.split(input);
                if let Ok(view) = FrameView::read(wire, input) {
                    (0..=255).for_each(|number| drop((view.digits(number), view.number(number), view.raw(number))));
                    let _ = view.covered();
                }
            }
        }
    }

    #[test]
    fn damage_is_unreadable() {
        let frame = sale();
        for cut in 0..frame.len() {
            assert!(FrameView::read(Wire::Pos, &frame[..cut]).is_err(), "{cut}");
        }
        assert!(FrameView::read(Wire::Pos, &[&frame[..], &[0]].concat()).is_err());
    }

    #[test]
    fn splits_a_stream() {
        let mut stream = Vec::new();
        Wire::Pos.append(b"abc", &mut stream);
        Wire::Pos.append(b"", &mut stream);
        assert_eq!(Wire::Pos.split(&stream), Ok(Some((&b"abc"[..], 5))));
        assert_eq!(Wire::Pos.split(&stream[5..]), Ok(Some((&b""[..], 2))));
        assert_eq!(Wire::Pos.split(&stream[..4]), Ok(None));
        assert_eq!(Wire::Pos.split(&[0xFF, 0xFF]), Err(Unreadable));
        let mut stream = Vec::new();
        Wire::Network.append(b"abc", &mut stream);
        assert_eq!(Wire::Network.split(&stream), Ok(Some((&b"abc"[..], 7))));
        assert_eq!(Wire::Network.split(b"12x4"), Err(Unreadable));
    }
}
