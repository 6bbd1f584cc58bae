//! Bitmaps: which fields are there.

use crate::checks;
use crate::error::Problem;
use crate::spec::Form;

/// How the bytes of a bitmap are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BitmapForm {
    Binary,
    /// Two hexadecimal characters a byte.
    Hex(Form),
}

impl BitmapForm {
    /// Bytes in a frame of so many bytes of bitmap.
    #[inline]
    pub(crate) fn length(self, bytes: usize) -> usize {
        match self {
            BitmapForm::Binary => bytes,
            BitmapForm::Hex(_) => bytes * 2,
        }
    }

    /// Byte `index` of a bitmap, or where and why it cannot be read.
    pub(crate) fn byte(self, written: &[u8], index: usize) -> Result<u8, (usize, Problem)> {
        let found = |at: usize| written.get(at).copied().unwrap_or(0);
        match self {
            BitmapForm::Binary => Ok(found(index)),
            BitmapForm::Hex(form) => (index * 2..index * 2 + 2).try_fold(0, |byte, at| {
                match char::from(form.unit(written, at)).to_digit(16).and_then(|digit| u8::try_from(digit).ok()) {
                    Some(digit) => Ok(byte << 4 | digit),
                    None => Err((at, Problem::NotHex { found: found(at) })),
                }
            }),
        }
    }

    /// The eight bytes at the start of `written`.
    #[inline]
    pub(crate) fn word(self, written: &[u8]) -> Result<u64, (usize, Problem)> {
        if self == BitmapForm::Binary
            && let Some(bytes) = written.first_chunk()
        {
            return Ok(u64::from_be_bytes(*bytes));
        }
        (0..8).try_fold(0, |word, index| Ok(word << 8 | u64::from(self.byte(written, index)?)))
    }

    /// Writes eight bytes of bitmap over their place.
    #[inline]
    pub(crate) fn put(self, word: u64, target: &mut [u8]) {
        self.put_bytes(&word.to_be_bytes(), target);
    }

    /// Writes the bytes of a bitmap over their place.
    pub(crate) fn put_bytes(self, bytes: &[u8], target: &mut [u8]) {
        let BitmapForm::Hex(form) = self else {
            target.iter_mut().zip(bytes).for_each(|(place, byte)| *place = *byte);
            return;
        };
        let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 0xF]);
        for (place, nibble) in target.iter_mut().zip(digits) {
            let character = checks::hex_character(nibble);
            *place = if let Form::Ebcdic(page) = form { page.of_latin(character) } else { character };
        }
    }
}
