//! Masking of card numbers in text, in place and with the same length.

use std::ops::Range;

/// Fewest digits of a card number.
pub(crate) const SHORTEST: usize = 13;
const LONGEST: usize = 19;

/// The next run of `shortest` to 19 digits that passes the Luhn check, and so may be a card number.
pub(crate) fn next_card_number(text: &[u8], from: usize, shortest: usize) -> Option<Range<usize>> {
    let mut at = from;
    while at < text.len() {
        let run = text.get(at..)?.iter().take_while(|byte| byte.is_ascii_digit()).count();
        if (shortest..=LONGEST).contains(&run) && luhn(text.get(at..at + run)?) {
            return Some(at..at + run);
        }
        at += run.max(1);
    }
    None
}

/// Overwrites the middle of every card number of at least `shortest` digits. Says whether anything changed.
pub(crate) fn mask_card_numbers(text: &mut [u8], shortest: usize) -> bool {
    let mut changed = false;
    let mut at = 0;
    while let Some(found) = next_card_number(text, at, shortest) {
        at = found.end;
        changed |= mask_middle(text.get_mut(found).unwrap_or_default());
    }
    changed
}

/// The text without any number long enough to be a card number, whether or not it passes the Luhn check: for messages.
pub(crate) fn without_long_numbers(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(|c: char| c.is_ascii_digit()) {
        let (before, digits) = rest.split_at(start);
        let (number, after) = digits.split_at(digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len()));
        shown.push_str(before);
        if number.len() < SHORTEST - 1 {
            shown.push_str(number);
        } else {
            shown.push_str(&format!("({} digits)", number.len()));
        }
        rest = after;
    }
    shown + rest
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
        assert!(mask_card_numbers(&mut text, SHORTEST));
        assert_eq!(text, b"card 411111******1111 order 1234567890123");
        assert!(!mask_card_numbers(&mut text, SHORTEST));
    }

    #[test]
    fn messages_hold_no_long_numbers() {
        assert_eq!(
            without_long_numbers("found 9999051234567890, 金额 12 at 626406438169"),
            "found (16 digits), 金额 12 at (12 digits)"
        );
        assert_eq!(without_long_numbers("no number"), "no number");
    }

    proptest::proptest! {
        #[test]
        fn masking_twice_changes_nothing(text in proptest::collection::vec(proptest::num::u8::ANY, 0..200)) {
            let mut once = text;
            mask_card_numbers(&mut once, SHORTEST);
            let before = once.clone();
            proptest::prop_assert!(!mask_card_numbers(&mut once, SHORTEST));
            proptest::prop_assert_eq!(before, once);
        }
    }
}
