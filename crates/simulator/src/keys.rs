//! Invented keys of terminals, and the MAC of field 64.

use des::Des;
use des::TdesEde2;
use des::cipher::{Block, BlockCipherDecrypt, BlockCipherEncrypt, KeyInit};

use crate::random::Random;

/// The MAC key of one terminal (double length).
#[derive(Clone)]
pub struct MacKey(TdesEde2);

impl MacKey {
    /// From 16 bytes.
    #[must_use]
    pub fn new(key: [u8; 16]) -> MacKey {
        MacKey(TdesEde2::new(&key.into()))
    }

    /// Field 64 over `covered`: the blocks folded by XOR, as hexadecimal, encrypted in two halves.
    #[must_use]
    pub fn mac(&self, covered: &[u8]) -> [u8; 8] {
        let mut folded = [0_u8; 8];
        for block in covered.chunks(8) {
            folded.iter_mut().zip(block).for_each(|(folded, byte)| *folded ^= byte);
        }
        let hex = upper_hex(&folded);
        let (mut block, mut half) = ([0_u8; 8], [0_u8; 8]);
        block.copy_from_slice(&hex[..8]);
        half.copy_from_slice(&hex[8..]);
        block = self.encrypt(block);
        block.iter_mut().zip(half).for_each(|(byte, other)| *byte ^= other);
        let mut mac = [0_u8; 8];
        mac.copy_from_slice(&upper_hex(&self.encrypt(block))[..8]);
        mac
    }

    fn encrypt(&self, block: [u8; 8]) -> [u8; 8] {
        let mut block: Block<TdesEde2> = block.into();
        self.0.encrypt_block(&mut block);
        block.into()
    }
}

impl std::fmt::Debug for MacKey {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("MacKey")
    }
}

fn upper_hex(bytes: &[u8; 8]) -> [u8; 16] {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let mut hex = [0; 16];
    for (pair, byte) in hex.chunks_mut(2).zip(bytes) {
        pair[0] = DIGITS[usize::from(byte >> 4)];
        pair[1] = DIGITS[usize::from(byte & 15)];
    }
    hex
}

/// All keys of one terminal, from the seed of the run and its number: host and terminal know the same.
#[derive(Clone, Copy)]
pub struct TerminalKeys {
    master: [u8; 16],
    pin: [u8; 16],
    mac: [u8; 16],
}

impl TerminalKeys {
    /// The keys of a terminal.
    #[must_use]
    pub fn of(seed: u64, tid: &[u8]) -> TerminalKeys {
        let key = |name: &[u8]| {
            let mut random = Random::of(seed, &[tid, name]);
            let mut key = [0; 16];
            key[..8].copy_from_slice(&random.bytes8());
            key[8..].copy_from_slice(&random.bytes8());
            key
        };
        TerminalKeys { master: key(b"master"), pin: key(b"pin"), mac: key(b"mac") }
    }

    /// The MAC key.
    #[must_use]
    pub fn mac_key(&self) -> MacKey {
        MacKey::new(self.mac)
    }

    /// The block of 40 bytes in field 62 of a sign-in reply: two keys under the master key, each with check value.
    #[must_use]
    pub fn key_block(&self) -> Vec<u8> {
        let master = TdesEde2::new(&self.master.into());
        let mut block = Vec::with_capacity(40);
        for key in [&self.pin, &self.mac] {
            for half in key.chunks(8) {
                let mut half: Block<TdesEde2> = to_block(half).into();
                master.encrypt_block(&mut half);
                block.extend_from_slice(&half);
            }
            block.extend_from_slice(&check_value(key)[..4]);
        }
        block
    }

    /// The MAC key that a terminal takes from the block; nothing when its check value is wrong.
    #[must_use]
    pub fn open_key_block(&self, block: &[u8]) -> Option<MacKey> {
        let part = block.get(20..40)?;
        let master = TdesEde2::new(&self.master.into());
        let mut key = [0; 16];
        for (place, half) in key.chunks_mut(8).zip(part.get(..16)?.chunks(8)) {
            let mut half: Block<TdesEde2> = to_block(half).into();
            master.decrypt_block(&mut half);
            place.copy_from_slice(&half);
        }
        (check_value(&key).get(..4) == part.get(16..)).then(|| MacKey::new(key))
    }
}

/// The cipher of field 59: eight bytes that a serial key makes of serial and factor (here any eight bytes do).
#[must_use]
pub fn serial_cipher(seed: u64, serial: &[u8], factor: &[u8]) -> [u8; 8] {
    let key = Random::of(seed, &[serial, b"serial key"]).bytes8();
    let mut block: Block<Des> = Random::of(0, &[serial, factor]).bytes8().into();
    Des::new(&key.into()).encrypt_block(&mut block);
    block.into()
}

fn check_value(key: &[u8; 16]) -> [u8; 8] {
    let mut zeros: Block<TdesEde2> = [0; 8].into();
    TdesEde2::new(&(*key).into()).encrypt_block(&mut zeros);
    zeros.into()
}

fn to_block(bytes: &[u8]) -> [u8; 8] {
    let mut block = [0; 8];
    block.iter_mut().zip(bytes).for_each(|(place, byte)| *place = *byte);
    block
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_opens_its_own_block_alone() {
        let keys = TerminalKeys::of(1, b"52300348");
        let block = keys.key_block();
        assert_eq!(block.len(), 40);
        let opened = keys.open_key_block(&block).unwrap();
        assert_eq!(opened.mac(b"message"), keys.mac_key().mac(b"message"));
        assert!(TerminalKeys::of(1, b"52300349").open_key_block(&block).is_none());
        assert!(keys.open_key_block(&block[..39]).is_none());
    }

    #[test]
    fn the_mac_is_the_folded_one() {
        // The values were computed with the plain DES of the city day generator.
        let half = 0x0123_4567_89AB_CDEF_u64.to_be_bytes();
        let other = 0xFEDC_BA98_7654_3210_u64.to_be_bytes();
        for (second, expected) in [(half, b"BA446D99"), (other, b"CA870C1A")] {
            let mut key = [0; 16];
            key[..8].copy_from_slice(&half);
            key[8..].copy_from_slice(&second);
            let product = onus_iso8583::mac::MacProfile::UNIONPAY.key(&key).unwrap();
            let key = MacKey::new(key);
            assert!(product.verify(b"0123456789", expected), "the product agrees");
            assert_eq!(&key.mac(b"0123456789"), expected);
            assert_ne!(key.mac(b"0123456788"), key.mac(b"0123456789"));
        }
    }
}
