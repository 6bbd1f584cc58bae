//! Seeded randomness: the same seed gives the same run.

/// A small generator (SplitMix64): statistically good enough for faults and amounts, never for keys that matter.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// A generator that depends on the seed alone.
    #[must_use]
    pub fn new(seed: u64) -> Random {
        Random(seed)
    }

    /// A generator for one thing among many, so that what happens to it does not depend on the order of others.
    #[must_use]
    pub fn of(seed: u64, parts: &[&[u8]]) -> Random {
        let mixed = parts.iter().fold(seed ^ FNV_BASIS, |hash, part| fnv(hash, part));
        let mut random = Random(mixed);
        random.bits();
        random
    }

    /// The next 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number from 0 to `bound` - 1; 0 when `bound` is 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        // The high half of the product is even enough for bounds far below 2^64.
        ((u128::from(self.bits()) * u128::from(bound)) >> 64) as u64
    }

    /// A number from `low` to `high`, both included.
    pub fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high.saturating_sub(low).saturating_add(1))
    }

    /// A number from 0 up to, not including, 1.
    pub fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / 9_007_199_254_740_992.0
    }

    /// True in about `share` of all calls.
    pub fn hits(&mut self, share: f64) -> bool {
        self.unit() < share
    }

    /// Eight bytes.
    pub fn bytes8(&mut self) -> [u8; 8] {
        self.bits().to_be_bytes()
    }
}

const FNV_BASIS: u64 = 0xCBF2_9CE4_8422_2325;

/// FNV-1a: tells frames apart in accounts; not cryptographic.
pub(crate) fn digest(bytes: &[u8]) -> u64 {
    fnv(FNV_BASIS, bytes)
}

fn fnv(hash: u64, bytes: &[u8]) -> u64 {
    bytes.iter().fold(hash, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01B3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stays_in_bounds_and_repeats() {
        let (mut one, mut two) = (Random::of(7, &[b"a"]), Random::of(7, &[b"a"]));
        let mut hits = 0;
        for _ in 0..10_000 {
            let value = one.between(5, 9);
            assert!((5..=9).contains(&value));
            assert_eq!(value, two.between(5, 9));
            hits += u32::from(one.hits(0.1));
            two.unit();
        }
        assert!((800..1200).contains(&hits), "{hits}");
        assert_eq!(one.below(0), 0);
        assert_ne!(Random::of(7, &[b"a"]).bits(), Random::of(7, &[b"b"]).bits());
    }
}
