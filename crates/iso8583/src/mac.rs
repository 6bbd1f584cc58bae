//! Message authentication codes: what stands in field 64 or 128, computed and checked.
//!
//! A [`MacProfile`] says how two partners compute it; with the bytes of a key it makes a [`MacKey`]. Keys never print,
//! and are overwritten when they are dropped. PIN blocks use other keys and are never touched here.
//!
//! The UnionPay algorithms fold the message by exclusive or before they encrypt. Two blocks that change places, or the
//! same bits changed in two blocks, give the same code: a code that fits is weak evidence that nobody changed the
//! message. A code that does not fit says that keys are out of step or bytes were changed, and not which.

use std::fmt;

use des::Des;
use des::cipher::consts::U16;
use des::cipher::{Array, BlockCipherDecrypt, BlockCipherEncrypt, KeyInit};
use serde::{Deserialize, Serialize};
use sm4::Sm4;
use subtle::ConstantTimeEq;
use zeroize::Zeroize;

/// How a code is computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum MacAlgorithm {
    /// UnionPay terminals: blocks of 8 bytes folded by exclusive or; the hexadecimal text of the result encrypted in
    /// two halves. DES with a key of 8 bytes, 3DES with one of 16.
    #[serde(rename = "unionpay-ecb")]
    UnionPayEcb,
    /// The same with SM4 and blocks of 16 bytes.
    #[serde(rename = "unionpay-ecb-sm4")]
    UnionPayEcbSm4,
    /// ANSI X9.9, ISO 9797-1 algorithm 1: DES in chained blocks, a key of 8 bytes.
    #[serde(rename = "x9.9")]
    X99,
    /// ANSI X9.19, ISO 9797-1 algorithm 3 ("retail MAC"): as X9.9, the last block with 3DES, a key of 16 bytes.
    #[serde(rename = "x9.19")]
    X919,
}

/// How a code is written into its field of 8 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MacForm {
    /// The first four bytes of the code as eight hexadecimal characters, upper case.
    AsciiHex,
    /// The first eight bytes of the code.
    #[default]
    Binary,
}

/// How the last block is filled, by the numbers of ISO 9797-1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MacPadding {
    /// Method 1: zeros up to a whole block.
    #[default]
    Zeros,
    /// Method 2: one bit 1, then zeros up to a whole block; a whole block gets one more. Not for the UnionPay
    /// algorithms.
    OneThenZeros,
}

/// How two partners compute and write the code of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct MacProfile {
    /// How it is computed.
    pub algorithm: MacAlgorithm,
    /// How it is written.
    #[serde(default)]
    pub form: MacForm,
    /// How the last block is filled.
    #[serde(default)]
    pub padding: MacPadding,
}

/// Why a key cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MacError {
    /// The key is too short or too long.
    #[error("{algorithm} takes a key of {expected} bytes, this one has {found}")]
    KeyLength {
        /// The algorithm of the profile.
        algorithm: MacAlgorithm,
        /// Lengths that it takes.
        expected: &'static str,
        /// Bytes of the key.
        found: usize,
    },
    /// The key is not written in hexadecimal.
    #[error("a key is written as pairs of hexadecimal digits; none stands at character {at}")]
    NotHex {
        /// Which character, from 0; the number of characters when the last pair is not complete.
        at: usize,
    },
    /// The algorithm fills with zeros alone.
    #[error("{algorithm} fills the last block with zeros alone; leave padding out")]
    Padding {
        /// The algorithm of the profile.
        algorithm: MacAlgorithm,
    },
}

impl fmt::Display for MacAlgorithm {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::UnionPayEcb => "unionpay-ecb",
            Self::UnionPayEcbSm4 => "unionpay-ecb-sm4",
            Self::X99 => "x9.9",
            Self::X919 => "x9.19",
        })
    }
}

impl MacProfile {
    /// What UnionPay terminals use: the fold, written as eight characters.
    pub const UNIONPAY: MacProfile =
        MacProfile { algorithm: MacAlgorithm::UnionPayEcb, form: MacForm::AsciiHex, padding: MacPadding::Zeros };

    /// Makes a key of its bytes. The caller's copy stays the caller's to overwrite.
    ///
    /// # Errors
    /// When the algorithm takes no key of this length, or not the padding of the profile.
    pub fn key(self, bytes: &[u8]) -> Result<MacKey, MacError> {
        let folds = matches!(self.algorithm, MacAlgorithm::UnionPayEcb | MacAlgorithm::UnionPayEcbSm4);
        if folds && self.padding != MacPadding::Zeros {
            return Err(MacError::Padding { algorithm: self.algorithm });
        }
        let cipher = match (self.algorithm, bytes.len()) {
            (MacAlgorithm::UnionPayEcb | MacAlgorithm::X99, 8) => Cipher::single(bytes),
            (MacAlgorithm::UnionPayEcb | MacAlgorithm::X919, 16) => Cipher::double(bytes),
            (MacAlgorithm::UnionPayEcbSm4, 16) => Sm4::new_from_slice(bytes).ok().map(Cipher::Sm4),
            _ => None,
        };
        let cipher = cipher.ok_or(self.key_length(bytes.len()))?;
        Ok(MacKey { profile: self, cipher: Box::new(cipher) })
    }

    /// Makes a key of hexadecimal text. What is decoded on the way is overwritten.
    ///
    /// # Errors
    /// When the text is not hexadecimal, or as [`MacProfile::key`].
    pub fn key_from_hex(self, text: &str) -> Result<MacKey, MacError> {
        if let Some(at) = text.bytes().position(|digit| !digit.is_ascii_hexdigit()) {
            return Err(MacError::NotHex { at });
        }
        let (pairs, []) = text.as_bytes().as_chunks::<2>() else {
            return Err(MacError::NotHex { at: text.len() });
        };
        let mut bytes = [0_u8; 16];
        let decoded = bytes.get_mut(..pairs.len()).ok_or(self.key_length(pairs.len()))?;
        for (byte, [high, low]) in decoded.iter_mut().zip(pairs) {
            *byte = digit(*high) << 4 | digit(*low);
        }
        let key = self.key(decoded);
        bytes.zeroize();
        key
    }

    fn key_length(self, found: usize) -> MacError {
        let expected = match self.algorithm {
            MacAlgorithm::UnionPayEcb => "8 or 16",
            MacAlgorithm::X99 => "8",
            MacAlgorithm::X919 | MacAlgorithm::UnionPayEcbSm4 => "16",
        };
        MacError::KeyLength { algorithm: self.algorithm, expected, found }
    }
}

/// The value of a hexadecimal digit.
fn digit(character: u8) -> u8 {
    if character.is_ascii_digit() { character - b'0' } else { (character & 0xDF) - b'A' + 10 }
}

/// A key, ready to compute and check the codes of a profile. It never prints and is overwritten when dropped.
#[derive(Clone)]
pub struct MacKey {
    profile: MacProfile,
    /// Boxed so that a key that is handed on leaves no copies behind.
    cipher: Box<Cipher>,
}

/// The ciphers overwrite their key schedules when they are dropped.
#[derive(Clone)]
#[allow(clippy::large_enum_variant, reason = "always boxed")]
enum Cipher {
    Des { left: Des, right: Option<Des> },
    Sm4(Sm4),
}

impl fmt::Debug for MacKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "MacKey({})", self.profile.algorithm)
    }
}

impl MacKey {
    /// How codes are computed and written with it.
    #[must_use]
    pub fn profile(&self) -> MacProfile {
        self.profile
    }

    /// The key check value: the first bytes of a block of zeros, encrypted. UnionPay compares four bytes, others three.
    #[must_use]
    pub fn check_value(&self) -> [u8; 4] {
        match &*self.cipher {
            Cipher::Des { .. } => first(&self.cipher.block8([0; 8])),
            Cipher::Sm4(sm4) => first(&encrypt16(sm4, [0; 16])),
        }
    }

    /// The code over `mab`, as bytes: the whole block of the DES algorithms, the first half of it with SM4.
    ///
    /// `mab` is what the partners agreed to cover; for UnionPay terminals everything from the message type to the
    /// last byte before the code, as it stands in the frame.
    #[must_use]
    pub fn compute(&self, mab: &[u8]) -> [u8; 8] {
        match (&*self.cipher, self.profile.algorithm) {
            (Cipher::Sm4(sm4), _) => {
                let (front, back) = hex_halves(fold::<16>(mab));
                first(&encrypt16(sm4, xor(encrypt16(sm4, front), back)))
            }
            (cipher, MacAlgorithm::UnionPayEcb | MacAlgorithm::UnionPayEcbSm4) => {
                let (front, back) = hex_halves(fold::<8>(mab));
                cipher.block8(xor(cipher.block8(front), back))
            }
            (cipher, MacAlgorithm::X99 | MacAlgorithm::X919) => cipher.chained(mab, self.profile.padding),
        }
    }

    /// The code over `mab` as it stands in its field.
    #[must_use]
    pub fn field(&self, mab: &[u8]) -> [u8; 8] {
        let code = self.compute(mab);
        match self.profile.form {
            MacForm::Binary => code,
            MacForm::AsciiHex => hex_halves(code).0,
        }
    }

    /// Whether `field` is the code over `mab` as it stands in its field. Takes the same time wherever they differ.
    #[must_use]
    pub fn verify(&self, mab: &[u8], field: &[u8]) -> bool {
        self.field(mab).ct_eq(field).into()
    }
}

impl Cipher {
    fn single(key: &[u8]) -> Option<Cipher> {
        Some(Cipher::Des { left: Des::new_from_slice(key).ok()?, right: None })
    }

    fn double(key: &[u8]) -> Option<Cipher> {
        let (left, right) = key.split_at_checked(8)?;
        Some(Cipher::Des { left: Des::new_from_slice(left).ok()?, right: Some(Des::new_from_slice(right).ok()?) })
    }

    /// One block of 8 bytes with DES, or 3DES when the key is double.
    fn block8(&self, block: [u8; 8]) -> [u8; 8] {
        let Cipher::Des { left, right } = self else { return block };
        let mut block = Array::from(block);
        left.encrypt_block(&mut block);
        if let Some(right) = right {
            right.decrypt_block(&mut block);
            left.encrypt_block(&mut block);
        }
        block.into()
    }

    /// Chained blocks with DES; a double key works on the last block alone.
    fn chained(&self, mab: &[u8], padding: MacPadding) -> [u8; 8] {
        let Cipher::Des { left, right } = self else { return [0; 8] };
        let mut state = Array::from([0_u8; 8]);
        let mut step = |block: &[u8]| {
            state.iter_mut().zip(block).for_each(|(state, byte)| *state ^= byte);
            left.encrypt_block(&mut state);
        };
        let (whole, rest) = mab.as_chunks::<8>();
        whole.iter().for_each(|block| step(block));
        match padding {
            MacPadding::Zeros if rest.is_empty() && !whole.is_empty() => {}
            MacPadding::Zeros => step(rest),
            MacPadding::OneThenZeros => {
                let mut block = [0_u8; 8];
                block.iter_mut().zip(rest.iter().chain(&[0x80])).for_each(|(place, byte)| *place = *byte);
                step(&block);
            }
        }
        if let Some(right) = right {
            right.decrypt_block(&mut state);
            left.encrypt_block(&mut state);
        }
        state.into()
    }
}

fn encrypt16(sm4: &Sm4, block: [u8; 16]) -> [u8; 16] {
    let mut block: Array<u8, U16> = block.into();
    sm4.encrypt_block(&mut block);
    block.into()
}

/// All blocks by exclusive or; what is missing of the last one is zero.
fn fold<const N: usize>(mab: &[u8]) -> [u8; N] {
    let (whole, rest) = mab.as_chunks::<N>();
    let mut folded = whole.iter().fold([0; N], |folded, block| xor(folded, *block));
    folded.iter_mut().zip(rest).for_each(|(folded, byte)| *folded ^= byte);
    folded
}

fn xor<const N: usize>(mut one: [u8; N], other: [u8; N]) -> [u8; N] {
    one.iter_mut().zip(other).for_each(|(one, other)| *one ^= other);
    one
}

/// The hexadecimal text of a block, in two halves that are each as long as the block.
fn hex_halves<const N: usize>(block: [u8; N]) -> ([u8; N], [u8; N]) {
    let digit = |nibble: u8| if nibble < 10 { b'0' + nibble } else { b'A' + nibble - 10 };
    let mut text = block.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]);
    let mut half = || std::array::from_fn(|_| text.next().unwrap_or_default());
    (half(), half())
}

fn first<const N: usize, const M: usize>(block: &[u8; N]) -> [u8; M] {
    std::array::from_fn(|at| block.get(at).copied().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use MacAlgorithm::{UnionPayEcb, UnionPayEcbSm4, X99, X919};
    use MacForm::{AsciiHex, Binary};
    use MacPadding::{OneThenZeros, Zeros};
    use proptest::prelude::*;

    const SINGLE: &str = "0123456789ABCDEF";
    const DOUBLE: &str = "0123456789ABCDEFFEDCBA9876543210";

    fn key(algorithm: MacAlgorithm, form: MacForm, padding: MacPadding, key: &str) -> MacKey {
        MacProfile { algorithm, form, padding }.key_from_hex(key).expect("a key of the right length")
    }

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02X}")).collect()
    }

    /// Appendix of FIPS 113 (X9.9), and the examples of ISO 9797-1 for algorithms 1 and 3 with DES.
    #[test]
    fn published_examples_of_the_chained_algorithms() {
        let (whole, part) = (&b"Now is the time for all "[..], &b"Now is the time for it"[..]);
        let cases = [
            (X99, SINGLE, Zeros, &b"7654321 Now is the time for "[..], "F1D30F6849312CA4"),
            (X99, SINGLE, Zeros, whole, "70A30640CC76DD8B"),
            (X99, SINGLE, Zeros, part, "E45B3AD2B7CC0856"),
            (X99, SINGLE, OneThenZeros, whole, "10E1F0F108341B6D"),
            (X99, SINGLE, OneThenZeros, part, "A924C721"),
            (X919, DOUBLE, Zeros, whole, "A1C72E74EA3FA9B6"),
            (X919, DOUBLE, Zeros, part, "2E2B1428CC78254F"),
            (X919, DOUBLE, OneThenZeros, whole, "E9086230CA3BE796"),
            (X919, DOUBLE, OneThenZeros, part, "5A692CE64F404145"),
        ];
        for (algorithm, text, padding, mab, expected) in cases {
            let code = hex(&key(algorithm, Binary, padding, text).compute(mab));
            assert!(code.starts_with(expected), "{algorithm} {padding:?}: {code}");
        }
        // The retail MAC of Bouncy Castle's own test.
        let other = key(X919, Binary, Zeros, "7CA110454A1A6E570131D9619DC1376E");
        assert_eq!(hex(&other.compute(b"Hello World !!!!")), "F09B856213BAB83B");
    }

    #[test]
    fn check_values() {
        let cases = [
            (UnionPayEcb, SINGLE, "D5D44FF7"),
            (UnionPayEcb, DOUBLE, "08D7B4FB"),
            (UnionPayEcb, "0123456789ABCDEF0123456789ABCDEF", "D5D44FF7"),
        ];
        for (algorithm, text, expected) in cases {
            assert_eq!(hex(&key(algorithm, AsciiHex, Zeros, text).check_value()), expected);
        }
    }

    /// The example of the SM4 standard (GB/T 32907): the key encrypts itself.
    #[test]
    fn the_example_of_the_sm4_standard() {
        let sm4 = Sm4::new_from_slice(&0x0123_4567_89AB_CDEF_FEDC_BA98_7654_3210_u128.to_be_bytes()).expect("16");
        let block = 0x0123_4567_89AB_CDEF_FEDC_BA98_7654_3210_u128.to_be_bytes();
        assert_eq!(hex(&encrypt16(&sm4, block)), "681EDF34D206965E86B3E94F536E4246");
    }

    #[test]
    fn the_fold() {
        // Computed with the plain DES of the city day generator.
        assert_eq!(&key(UnionPayEcb, AsciiHex, Zeros, SINGLE).field(b"0123456789"), b"BA446D99");
        assert_eq!(&key(UnionPayEcb, AsciiHex, Zeros, DOUBLE).field(b"0123456789"), b"CA870C1A");
        // The same key twice is the single key.
        let twice = key(UnionPayEcb, AsciiHex, Zeros, "0123456789ABCDEF0123456789ABCDEF");
        assert_eq!(&twice.field(b"0123456789"), b"BA446D99");
        assert!(hex(&twice.compute(b"0123456789")).starts_with("BA446D99"));
        // SM4, step by step: fold, hexadecimal text, encrypt the front, add the back, encrypt.
        let mab = b"0123456789abcdefXYZ";
        let sm4 = Sm4::new_from_slice(&0x0123_4567_89AB_CDEF_FEDC_BA98_7654_3210_u128.to_be_bytes()).expect("16");
        let text = hex(&[&[b'0' ^ b'X', b'1' ^ b'Y', b'2' ^ b'Z'], &b"3456789abcdef"[..]].concat());
        let (front, back) = text.as_bytes().split_at(16);
        let front = encrypt16(&sm4, front.try_into().expect("16"));
        let code = encrypt16(&sm4, xor(front, back.try_into().expect("16")));
        let sm4 = key(UnionPayEcbSm4, AsciiHex, Zeros, DOUBLE);
        assert_eq!(sm4.field(mab), hex(&code).as_bytes()[..8]);
        assert_eq!(sm4.compute(mab), code[..8]);
    }

    #[test]
    fn wrong_keys_are_refused_by_their_length() {
        let profile = |algorithm, padding| MacProfile { algorithm, form: Binary, padding };
        let cases = [
            (profile(UnionPayEcb, Zeros), "00", "unionpay-ecb takes a key of 8 or 16 bytes, this one has 1"),
            (profile(X99, Zeros), DOUBLE, "x9.9 takes a key of 8 bytes, this one has 16"),
            (profile(X919, Zeros), SINGLE, "x9.19 takes a key of 16 bytes, this one has 8"),
            (profile(UnionPayEcbSm4, Zeros), SINGLE, "unionpay-ecb-sm4 takes a key of 16 bytes, this one has 8"),
            (profile(UnionPayEcb, OneThenZeros), SINGLE, "unionpay-ecb fills the last block with zeros alone"),
            (profile(X99, Zeros), "0123456789ABCDE", "none stands at character 15"),
            (profile(X99, Zeros), "01234567_9ABCDEF", "none stands at character 8"),
            (profile(X919, Zeros), &[DOUBLE, "00"].concat(), "this one has 17"),
            (profile(X99, Zeros), "", "this one has 0"),
        ];
        for (profile, text, expected) in cases {
            let error = profile.key_from_hex(text).expect_err(expected).to_string();
            assert!(error.contains(expected), "{error}");
            assert!(text.is_empty() || text.len() < 6 || !error.contains(&text[..6]), "{error}");
        }
    }

    #[test]
    fn profiles_read_from_dialect_files() {
        let profile: MacProfile = toml::from_str("algorithm = \"unionpay-ecb\"\nform = \"ascii-hex\"").expect("reads");
        assert_eq!(profile, MacProfile::UNIONPAY);
        let profile: MacProfile = toml::from_str("algorithm = \"x9.19\"\npadding = \"one-then-zeros\"").expect("reads");
        assert_eq!((profile.algorithm, profile.form, profile.padding), (X919, Binary, OneThenZeros));
        for algorithm in [UnionPayEcb, UnionPayEcbSm4, X99, X919] {
            let profile: MacProfile = toml::from_str(&format!("algorithm = \"{algorithm}\"")).expect("reads");
            assert_eq!(profile.algorithm, algorithm);
        }
    }

    #[test]
    fn a_key_does_not_print() {
        let key = key(UnionPayEcb, AsciiHex, Zeros, DOUBLE);
        assert_eq!(format!("{key:?} {:?}", key.clone()), "MacKey(unionpay-ecb) MacKey(unionpay-ecb)");
    }

    proptest! {
        /// What the fold cannot see; decisions that rest on a good code must know it.
        #[test]
        fn blocks_that_change_places_are_not_noticed(blocks in proptest::collection::vec(any::<[u8; 16]>(), 2..9), one: prop::sample::Index, other: prop::sample::Index) {
            let keys = [key(UnionPayEcb, AsciiHex, Zeros, DOUBLE), key(UnionPayEcbSm4, AsciiHex, Zeros, DOUBLE)];
            let mut swapped = blocks.clone();
            swapped.swap(one.index(blocks.len()), other.index(blocks.len()));
            for key in keys {
                prop_assert!(key.verify(&swapped.concat(), &key.field(&blocks.concat())));
            }
        }

        #[test]
        fn the_same_bits_in_two_blocks_are_not_noticed(mut mab in proptest::collection::vec(any::<u8>(), 16..200), at in 0_usize..8, bits in 1_u8..) {
            let key = key(UnionPayEcb, AsciiHex, Zeros, DOUBLE);
            let code = key.field(&mab);
            mab[at] ^= bits;
            prop_assert!(!key.verify(&mab, &code));
            mab[at + 8] ^= bits;
            prop_assert!(key.verify(&mab, &code));
        }

        #[test]
        fn a_chained_code_notices_a_changed_byte(mut mab in proptest::collection::vec(any::<u8>(), 1..200), at: prop::sample::Index, bits in 1_u8..) {
            for key in [key(X99, Binary, OneThenZeros, SINGLE), key(X919, Binary, Zeros, DOUBLE)] {
                let code = key.field(&mab);
                prop_assert!(key.verify(&mab, &code) && !key.verify(&mab, &code[..7]));
                let at = at.index(mab.len());
                mab[at] ^= bits;
                prop_assert!(!key.verify(&mab, &code));
            }
        }
    }
}
