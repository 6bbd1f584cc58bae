//! Frames that decode, made from what a dialect itself accepts, and specifications to import.

use onus_iso8583::Dialect;

use crate::mutate::Random;

const TYPES: [u16; 9] = [0x0200, 0x0210, 0x0400, 0x0410, 0x0420, 0x0500, 0x0800, 0x0810, 0x0820];

/// Frames of a dialect that decode, the same for the same seed.
#[must_use]
pub fn frames(dialect: &Dialect, n_frames: usize, random: &mut Random) -> Vec<Vec<u8>> {
    let mut frames = Vec::new();
    for _ in 0..n_frames * 4 {
        if frames.len() == n_frames {
            break;
        }
        frames.extend(frame(dialect, random));
    }
    frames
}

fn frame(dialect: &Dialect, random: &mut Random) -> Option<Vec<u8>> {
    // The first digit is the version of the standard.
    let class = TYPES[random.below(TYPES.len())];
    let mti = [class, class | 0x1000].into_iter().find(|mti| dialect.encoder(*mti, &mut Vec::new()).is_ok())?;
    let share = 1 + random.below(8);
    let mut values = Vec::new();
    for info in dialect.fields() {
        let wanted = random.below(8) < share;
        values.extend(wanted.then(|| value(dialect, mti, info.number, random)).flatten().map(|it| (info.number, it)));
    }
    let mut out = Vec::new();
    let mut encoder = dialect.encoder(mti, &mut out).ok()?;
    for (number, value) in values {
        encoder.field(number, &value).ok()?;
    }
    encoder.finish().ok()?;
    dialect.decode(&out).is_ok().then_some(out)
}

/// A value that the dialect takes for a field, found by trying.
fn value(dialect: &Dialect, mti: u16, number: u8, random: &mut Random) -> Option<Vec<u8>> {
    const PAN: &[u8] = b"9999020347600321439";
    const TRACK: &[u8] = b"9999056837006697=30122011234567890";
    const CHIP: &[u8] = b"\x9F\x26\x08\x01\x02\x03\x04\x05\x06\x07\x08\x9F\x10\x02\xAB\xCD\x95\x05\0\0\0\0\0";
    let fits = |value: &[u8]| {
        let mut out = Vec::new();
        let mut encoder = dialect.encoder(mti, &mut out).ok()?;
        encoder.field(number, value).ok()?;
        Some(())
    };
    let known: Option<&[u8]> = match number {
        2 => Some(PAN),
        35 => Some(TRACK),
        55 => Some(CHIP),
        _ => None,
    };
    if let Some(known) = known.filter(|known| fits(known).is_some()) {
        return Some(known.to_vec());
    }
    (0..60).find_map(|_| {
        let length = [1, 2, 3, 4, 6, 8, 10, 11, 12, 14, 15, 16, 25, 40, 62, 120][random.below(16)];
        let alphabet: &[u8] = if random.below(2) == 0 { b"0123456789" } else { b"0123456789ABCDEF abc=" };
        let value: Vec<u8> = (0..length).map(|_| alphabet[random.below(alphabet.len())]).collect();
        fits(&value).map(|()| value)
    })
}

/// Specifications of each foreign format, in their order, with the byte that chooses the format in front.
#[must_use]
pub fn specifications() -> Vec<Vec<u8>> {
    let texts: [&str; 3] = [
        include_str!("../../crates/iso8583/tests/foreign/moov.json"),
        include_str!("../../crates/iso8583/tests/foreign/pyiso8583.json"),
        include_str!("../../crates/iso8583/tests/foreign/jpos.xml"),
    ];
    (0_u8..).zip(texts).map(|(choice, text)| [&[choice], text.as_bytes()].concat()).collect()
}
