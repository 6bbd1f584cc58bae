//! Test cards: numbers of a range that no one issues.

use crate::random::Random;

/// A card that does not exist. Its number starts with 9999 (industry 9, country 999: not assigned).
#[derive(Clone, PartialEq, Eq)]
pub struct Card {
    pan: String,
    expiry: String,
}

impl Card {
    /// Some card of 16 or 19 digits with a correct check digit.
    #[must_use]
    pub fn random(random: &mut Random) -> Card {
        let digits: usize = if random.hits(0.5) { 16 } else { 19 };
        let account = random.below(10_u64.pow(9));
        let mut pan = format!("9999{:02}{account:0width$}", random.below(20), width = digits - 7);
        pan.truncate(digits - 1);
        pan.push(check_digit(&pan));
        Card { pan, expiry: format!("{:02}{:02}", random.between(27, 33), random.between(1, 12)) }
    }

    /// The number, for tests that look for leaks.
    #[must_use]
    pub fn pan(&self) -> &str {
        &self.pan
    }

    pub(crate) fn expiry(&self) -> &str {
        &self.expiry
    }

    pub(crate) fn last_six(&self) -> String {
        self.pan.chars().skip(self.pan.len().saturating_sub(6)).collect()
    }

    /// At most 37 characters, `D` after the number.
    pub(crate) fn track2(&self) -> String {
        let mut track = format!("{}D{}2010000000000000", self.pan, self.expiry);
        track.truncate(37);
        track
    }
}

/// Shows the first six and the last four digits.
impl std::fmt::Debug for Card {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (first, last) =
            (self.pan.get(..6).unwrap_or_default(), self.pan.get(self.pan.len() - 4..).unwrap_or_default());
        write!(out, "{first}******{last}")
    }
}

/// Luhn.
fn check_digit(digits: &str) -> char {
    let sum: u32 = digits
        .bytes()
        .rev()
        .enumerate()
        .map(|(index, digit)| {
            let digit = u32::from(digit - b'0') * if index % 2 == 0 { 2 } else { 1 };
            digit / 10 + digit % 10
        })
        .sum();
    char::from_digit((10 - sum % 10) % 10, 10).unwrap_or('0')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_unassigned_and_pass_luhn() {
        assert_eq!(check_digit("7992739871"), '3');
        let mut random = Random::new(1);
        for _ in 0..1000 {
            let card = Card::random(&mut random);
            assert!(card.pan.starts_with("9999") && matches!(card.pan.len(), 16 | 19), "{card:?}");
            assert_eq!(card.pan.chars().last(), Some(check_digit(&card.pan[..card.pan.len() - 1])));
            assert!(card.track2().len() <= 37);
            assert!(!format!("{card:?}").contains(&card.pan));
        }
    }
}
