//! Masking of card numbers in text, in place and with the same length.

/// Overwrites the middle of every run of 13 to 19 digits that passes the Luhn check. Says whether anything changed.
pub(crate) fn mask_card_numbers(text: &mut [u8]) -> bool {
    let mut changed = false;
    let mut at = 0;
    while at < text.len() {
        let run = text.get(at..).unwrap_or_default().iter().take_while(|byte| byte.is_ascii_digit()).count();
        if let Some(digits) = text.get_mut(at..at + run)
            && (13..=19).contains(&run)
            && luhn(digits)
        {
            mask_middle(digits);
            changed = true;
        }
        at += run.max(1);
    }
    changed
}

/// Overwrites all but the first six and last four characters with `*`. Says whether anything changed.
pub(crate) fn mask_middle(digits: &mut [u8]) -> bool {
    let end = digits.len().saturating_sub(4);
    let middle = digits.get_mut(6..end).unwrap_or_default();
    let changed = middle.iter().any(|byte| *byte != b'*');
    middle.fill(b'*');
    changed
}

fn luhn(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(index, byte)| {
            let digit = u32::from(byte - b'0');
            match index % 2 {
                0 => digit,
                _ if digit > 4 => digit * 2 - 9,
                _ => digit * 2,
            }
        })
        .sum();
    sum.is_multiple_of(10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn card_numbers_go_and_other_numbers_stay() {
        let mut text = b"card 4111111111111111 order 1234567890123".to_vec();
        assert!(mask_card_numbers(&mut text));
        assert_eq!(text, b"card 411111******1111 order 1234567890123");
        assert!(!mask_card_numbers(&mut text));
    }

    proptest::proptest! {
        #[test]
        fn masking_twice_changes_nothing(text in proptest::collection::vec(proptest::num::u8::ANY, 0..200)) {
            let mut once = text;
            mask_card_numbers(&mut once);
            let before = once.clone();
            proptest::prop_assert!(!mask_card_numbers(&mut once));
            proptest::prop_assert_eq!(before, once);
        }
    }
}
