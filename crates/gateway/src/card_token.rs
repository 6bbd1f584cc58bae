//! Keyed tokens of card numbers: SipHash-2-4 over the digits. Equal cards have equal tokens under one key; without the
//! key a token says nothing, and the gateway never writes one down.

/// Key of the tokens. It lives in memory only; a new key at each start is right, for tokens are compared, never kept.
#[derive(Clone)]
pub struct CardKey {
    low: u64,
    high: u64,
}

impl CardKey {
    /// A key of 16 bytes.
    #[must_use]
    pub fn new(key: [u8; 16]) -> CardKey {
        let word = u128::from_le_bytes(key);
        #[allow(clippy::cast_possible_truncation, reason = "the two halves")]
        CardKey { low: word as u64, high: (word >> 64) as u64 }
    }

    /// The token of a card number's digits.
    #[must_use]
    pub fn token(&self, digits: impl Iterator<Item = u8>) -> u64 {
        let mut state = [
            self.low ^ 0x736f_6d65_7073_6575,
            self.high ^ 0x646f_7261_6e64_6f6d,
            self.low ^ 0x6c79_6765_6e65_7261,
            self.high ^ 0x7465_6462_7974_6573,
        ];
        let (mut word, mut count) = (0_u64, 0_u64);
        for byte in digits {
            word |= u64::from(byte) << (8 * (count % 8));
            count += 1;
            if count.is_multiple_of(8) {
                absorb(&mut state, word);
                word = 0;
            }
        }
        absorb(&mut state, word | (count << 56));
        state[2] ^= 0xFF;
        (0..4).for_each(|_| round(&mut state));
        state[0] ^ state[1] ^ state[2] ^ state[3]
    }
}

/// Shows nothing of the key.
impl std::fmt::Debug for CardKey {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("CardKey(..)")
    }
}

fn absorb(state: &mut [u64; 4], word: u64) {
    state[3] ^= word;
    round(state);
    round(state);
    state[0] ^= word;
}

fn round(state: &mut [u64; 4]) {
    let [a, b, c, d] = state;
    *a = a.wrapping_add(*b);
    *b = b.rotate_left(13) ^ *a;
    *a = a.rotate_left(32);
    *c = c.wrapping_add(*d);
    *d = d.rotate_left(16) ^ *c;
    *a = a.wrapping_add(*d);
    *d = d.rotate_left(21) ^ *a;
    *c = c.wrapping_add(*b);
    *b = b.rotate_left(17) ^ *c;
    *c = c.rotate_left(32);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_vectors() {
        let key = CardKey::new(std::array::from_fn(|index| index as u8));
        assert_eq!(key.token(0..0), 0x726f_db47_dd0e_0e31);
        assert_eq!(key.token(0..8), 0x93f5_f579_9a93_2462);
        assert_eq!(key.token(0..15), 0xa129_ca61_49be_45e5);
        assert_eq!(format!("{key:?}"), "CardKey(..)");
    }
}
