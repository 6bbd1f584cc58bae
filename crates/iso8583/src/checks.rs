//! Checks of what bytes hold, eight bytes at a time.

const LOW_BITS: u64 = 0x0101_0101_0101_0101;
const NIBBLE_BITS: u64 = LOW_BITS * 0x11;

/// Whether `bad` is 0 for all bytes, handed to it in words of eight. A byte may be handed over
/// more than once, and their order in a word means nothing.
#[inline]
fn none(bytes: &[u8], bad: impl Fn(u64) -> u64) -> bool {
    if let Some(last) = bytes.last_chunk::<8>() {
        let (words, _) = bytes.as_chunks::<8>();
        let found =
            words.iter().fold(bad(u64::from_ne_bytes(*last)), |found, word| found | bad(u64::from_ne_bytes(*word)));
        return found == 0;
    }
    let word = match (bytes.first_chunk::<4>(), bytes.last_chunk::<4>(), bytes) {
        (Some(first), Some(last), _) => {
            u64::from(u32::from_ne_bytes(*first)) << 32 | u64::from(u32::from_ne_bytes(*last))
        }
        (_, _, [one]) => LOW_BITS * u64::from(*one),
        (_, _, [one, two]) => 0x0001_0001_0001_0001 * (u64::from(*one) << 8 | u64::from(*two)),
        (_, _, [one, two, three]) => u64::from_ne_bytes([*one, *two, *three, *one, *one, *one, *one, *one]),
        _ => return true,
    };
    bad(word) == 0
}

/// Two decimal digits a byte.
#[inline]
pub(crate) fn packed_digits(bytes: &[u8]) -> bool {
    // A nibble above 9 has its 8 set together with its 4 or its 2.
    none(bytes, |word| (word >> 3) & ((word >> 2) | (word >> 1)) & NIBBLE_BITS)
}

/// Two nibbles a byte, each a digit or the separator D.
#[inline]
pub(crate) fn packed_track(bytes: &[u8]) -> bool {
    // As above, but 8 and 4 may stand together when the 2 is not set and the 1 is.
    none(bytes, |word| (word >> 3) & ((word >> 1) | ((word >> 2) & !word)) & NIBBLE_BITS)
}

/// One decimal digit a byte.
#[inline]
pub(crate) fn ascii_digits(bytes: &[u8]) -> bool {
    none(bytes, |word| {
        let digits = word ^ (LOW_BITS * 0x30);
        // A carry out of a byte needs a high nibble, which is found anyway.
        (digits | digits.wrapping_add(LOW_BITS * 0x06)) & (LOW_BITS * 0xF0)
    })
}

/// Printable ASCII.
#[inline]
pub(crate) fn printable(bytes: &[u8]) -> bool {
    none(bytes, |word| {
        let high = word & (LOW_BITS * 0x80);
        let control = !(word | (word << 1)) & (LOW_BITS * 0x40);
        let delete = ((word & (LOW_BITS * 0x7F)) + LOW_BITS) & (LOW_BITS * 0x80);
        high | control | delete
    })
}

/// One digit or separator a byte.
#[inline]
pub(crate) fn ascii_track(bytes: &[u8]) -> bool {
    // One separator, if any: checked around it.
    match bytes.iter().position(|byte| is_separator(*byte)) {
        None => ascii_digits(bytes),
        Some(at) => {
            let (before, rest) = bytes.split_at(at);
            ascii_digits(before) && rest.iter().all(|byte| is_ascii_track(*byte))
        }
    }
}

/// The hexadecimal character of a nibble.
#[inline]
pub(crate) fn hex_character(nibble: u8) -> u8 {
    if nibble < 10 { b'0' + nibble } else { b'A' + (nibble - 10) }
}

#[inline]
fn is_separator(byte: u8) -> bool {
    byte == b'=' || byte == b'D'
}

#[inline]
pub(crate) fn is_ascii_track(byte: u8) -> bool {
    byte.is_ascii_digit() || is_separator(byte)
}

#[inline]
pub(crate) fn is_track_nibble(nibble: u8) -> bool {
    nibble < 10 || nibble == 0xD
}

/// The number that packed digits write.
#[inline]
pub(crate) fn packed_number(bytes: &[u8]) -> Option<u32> {
    let pair = |byte: u8| {
        let (tens, ones) = (byte >> 4, byte & 0xF);
        (tens < 10 && ones < 10).then(|| u32::from(tens) * 10 + u32::from(ones))
    };
    match bytes {
        [] => None,
        [one] => pair(*one),
        [one, two] => Some(pair(*one)? * 100 + pair(*two)?),
        _ => bytes.iter().try_fold(0_u32, |number, byte| number.checked_mul(100)?.checked_add(pair(*byte)?)),
    }
}

/// The number that at most nine ASCII digits write.
#[inline]
pub(crate) fn ascii_number(bytes: &[u8]) -> Option<u32> {
    let (number, good) = bytes.iter().fold((0_u32, bytes.len() <= 9), |(number, good), byte| {
        let digit = byte.wrapping_sub(b'0');
        (number.wrapping_mul(10).wrapping_add(digit.into()), good & (digit < 10))
    });
    good.then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each byte at each place of each length from 1 to 20, among bytes that are good.
    fn agrees(check: impl Fn(&[u8]) -> bool, good_byte: u8, good: impl Fn(u8) -> bool) {
        assert!(check(&[]));
        for length in 1..=20 {
            for at in 0..length {
                for byte in 0..=255 {
                    let mut bytes = vec![good_byte; length];
                    bytes[at] = byte;
                    assert_eq!(check(&bytes), good(byte), "{byte:02X} at {at} of {length}");
                }
            }
        }
    }

    #[test]
    fn words_and_bytes_agree() {
        let both = |byte: u8, good: fn(u8) -> bool| good(byte >> 4) && good(byte & 0xF);
        agrees(packed_digits, 0x98, |byte| both(byte, |nibble| nibble < 10));
        agrees(packed_track, 0x9D, |byte| both(byte, is_track_nibble));
        agrees(ascii_digits, b'9', |byte| byte.is_ascii_digit());
        agrees(printable, b'~', |byte| (0x20..0x7F).contains(&byte));
        agrees(ascii_track, b'9', is_ascii_track);
        agrees(ascii_track, b'=', is_ascii_track);
    }

    #[test]
    fn lengths() {
        let packed: &[(&[u8], Option<u32>)] =
            &[(&[0x19], Some(19)), (&[0x01, 0x45], Some(145)), (&[0x1A], None), (&[0xA1], None), (&[], None)];
        for (bytes, number) in packed {
            assert_eq!(packed_number(bytes), *number);
        }
        let ascii: &[(&[u8], Option<u32>)] =
            &[(b"19", Some(19)), (b"145", Some(145)), (b"1:", None), (b" 1", None), (b"000012", Some(12))];
        for (bytes, number) in ascii {
            assert_eq!(ascii_number(bytes), *number);
        }
    }
}
