//! Seeded changes of bytes, for fuzzing without libFuzzer.

/// SplitMix64: small, seeded, good enough to choose bytes.
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    /// A stream of numbers for a seed.
    #[must_use]
    pub fn new(seed: u64) -> Random {
        Random(seed)
    }

    /// The next number.
    pub fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`; 0 when `end` is 0.
    pub fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.number() % u64::try_from(end.max(1)).expect("a length")).expect("below a length")
    }

    /// A byte.
    pub fn byte(&mut self) -> u8 {
        self.number().to_le_bytes()[0]
    }
}

/// Bytes at which readers change their mind.
const EDGES: [u8; 12] = [0, 1, 0x0F, 0x10, 0x7F, 0x80, 0x99, 0xFF, b'0', b'9', b'=', b'D'];
const LONGEST: usize = 4096;

/// Changes `bytes` in one to eight places; `other` gives pieces to put in.
pub fn mutate(bytes: &mut Vec<u8>, other: &[u8], random: &mut Random) {
    for _ in 0..=random.below(8) {
        let at = random.below(bytes.len());
        match random.below(9) {
            0 | 1 => set(bytes, at, |byte| byte ^ 1 << (at % 8)),
            2 => set(bytes, at, |_| EDGES[at % EDGES.len()]),
            3 => {
                let value = random.byte();
                set(bytes, at, |_| value);
            }
            4 => bytes.insert(at, random.byte()),
            5 => drop(bytes.drain(at..bytes.len().min(at + 1 + random.below(8)))),
            6 => bytes.truncate(at),
            7 => {
                let from = random.below(other.len());
                let piece = &other[from..other.len().min(from + 1 + random.below(40))];
                drop(bytes.splice(at..at, piece.iter().copied()));
            }
            _ => {
                let from = random.below(other.len());
                let piece = &other[from..];
                bytes.truncate(at);
                bytes.extend_from_slice(piece);
            }
        }
        bytes.truncate(LONGEST);
    }
}

fn set(bytes: &mut [u8], at: usize, change: impl Fn(u8) -> u8) {
    if let Some(byte) = bytes.get_mut(at) {
        *byte = change(*byte);
    }
}
