//! Card numbers in what people write: no card data is kept.

/// Whether a text holds what can be a card number: 13 to 19 digits, alone or in groups, that begin as cards do and end
/// with the right check digit.
pub(crate) fn holds_one(text: &str) -> bool {
    let mut run: Vec<u32> = Vec::new();
    let (mut found, mut group) = (false, 0);
    for letter in text.chars().chain(std::iter::once('.')) {
        match letter.to_digit(10) {
            Some(digit) => {
                run.push(digit);
                group += 1;
            }
            // Groups of four or more are written with these between them; shorter ones are dates.
            None if matches!(letter, ' ' | '-') && group >= 4 => group = 0,
            None => {
                found |= is_card_number(&run);
                run.clear();
                group = 0;
            }
        }
    }
    found
}

fn is_card_number(digits: &[u32]) -> bool {
    (13..=19).contains(&digits.len()) && digits.first().is_some_and(|first| (2..=6).contains(first)) && fits(digits)
}

/// The check of Luhn.
fn fits(digits: &[u32]) -> bool {
    let weighted = digits.iter().rev().enumerate().map(|(place, digit)| match (place % 2, digit * 2) {
        (0, _) => *digit,
        (_, twice) if twice > 9 => twice - 9,
        (_, twice) => twice,
    });
    weighted.sum::<u32>() % 10 == 0
}
