//! Reading numbers, eight digits at a time.

const ZEROS: u64 = 0x3030_3030_3030_3030;

/// The values of four pairs of digits, 16 bits each, the first in the lowest.
#[inline(always)]
fn pairs(word: u64) -> Option<u64> {
    let digits = word ^ ZEROS;
    // A carry out of a byte needs a high nibble, which is found anyway.
    if (digits | digits.wrapping_add(0x0606_0606_0606_0606)) & 0xF0F0_F0F0_F0F0_F0F0 != 0 {
        return None;
    }
    Some((digits.wrapping_mul(10).wrapping_add(digits >> 8)) & 0x00FF_00FF_00FF_00FF)
}

/// The value of eight digits, the first in the lowest byte.
#[inline(always)]
fn eight(word: u64) -> Option<u64> {
    let pairs = pairs(word)?;
    let fours = (pairs.wrapping_mul(100).wrapping_add(pairs >> 16)) & 0x0000_FFFF_0000_FFFF;
    Some((fours.wrapping_mul(10_000).wrapping_add(fours >> 32)) & 0xFFFF_FFFF)
}

/// The eight bytes before `end`, of which the last `length` count; the others are taken for zeros.
#[inline(always)]
fn last(bytes: &[u8], end: usize, length: usize) -> Option<u64> {
    let word = match end.checked_sub(8).and_then(|from| bytes.get(from..end)) {
        Some(eight) => u64::from_le_bytes(eight.try_into().ok()?),
        None => return slowly(bytes.get(end.checked_sub(length)?..end)?),
    };
    if length == 8 {
        return eight(word);
    }
    let unused = (1_u64 << (8 * (8 - length))) - 1;
    eight((word & !unused) | (ZEROS & unused))
}

#[cold]
fn slowly(digits: &[u8]) -> Option<u64> {
    digits.iter().try_fold(0_u64, |value, digit| {
        digit.is_ascii_digit().then(|| value.checked_mul(10)?.checked_add(u64::from(digit - b'0')))?
    })
}

/// The number written in `bytes[start..end]`: 1 to 19 digits and nothing else. Inlined, because each column has its
/// own usual length, which the processor learns only where the column has its own code.
#[inline(always)]
pub(crate) fn number(bytes: &[u8], start: usize, end: usize) -> Option<u64> {
    match end.wrapping_sub(start) {
        length @ 1..=8 => last(bytes, end, length),
        length @ 9..=16 => Some(last(bytes, end - 8, length - 8)? * 100_000_000 + last(bytes, end, 8)?),
        17..=19 => slowly(bytes.get(start..end)?),
        _ => None,
    }
}

/// The three numbers of two digits each that end at `end`.
#[inline(always)]
pub(crate) fn three_pairs(bytes: &[u8], end: usize) -> Option<[u64; 3]> {
    let word = match end.checked_sub(8).and_then(|from| bytes.get(from..end)) {
        Some(eight) => u64::from_le_bytes(eight.try_into().ok()?),
        None => return three_pairs(&[b"00", bytes.get(end.checked_sub(6)?..end)?].concat(), 8),
    };
    let pairs = pairs((word & !0xFFFF) | (ZEROS & 0xFFFF))?;
    Some([pairs >> 16 & 0xFF, pairs >> 32 & 0xFF, pairs >> 48])
}

/// Two digits at `at`.
#[inline]
pub(crate) fn two(bytes: &[u8], at: usize) -> Option<u32> {
    match bytes.get(at..at + 2)? {
        [tens @ b'0'..=b'9', ones @ b'0'..=b'9'] => Some(u32::from(tens - b'0') * 10 + u32::from(ones - b'0')),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn numbers_are_what_the_standard_library_reads(
            before in "[ -~]{0,12}", text in "[0-9]{0,20}|[0-9]{0,8}[ -~][0-9]{0,8}", after in "[0-9]{0,3}"
        ) {
            let whole = format!("{before}{text}{after}");
            let found = number(whole.as_bytes(), before.len(), before.len() + text.len());
            let plain = text.bytes().all(|byte| byte.is_ascii_digit()) && (1..=19).contains(&text.len());
            let expected = if plain { text.parse().ok() } else { None };
            prop_assert_eq!(found, expected);
        }

        #[test]
        fn three_pairs_are_three_numbers(before in "[ -~]{0,12}", text in "[0-9]{6}|[0-9]{0,5}[ -~][0-9]{0,5}") {
            let whole = format!("{before}{text}");
            let plain = text.len() >= 6 && text.bytes().rev().take(6).all(|byte| byte.is_ascii_digit());
            let part = |at: usize| text[text.len() - at..text.len() - at + 2].parse::<u64>().unwrap();
            let expected = plain.then(|| [part(6), part(4), part(2)]);
            if text.len() >= 6 {
                prop_assert_eq!(three_pairs(whole.as_bytes(), whole.len()), expected);
            }
        }
    }
}
