//! Rows as streams of bytes: each row is a few numbers, stored as differences to the row before.
//!
//! A row takes 15 to 30 bytes instead of 80: what is not written need not be read again, or spilled.

/// Bytes that a number takes, by its three-bit mark.
const WIDTHS: [usize; 8] = [0, 1, 2, 3, 4, 5, 6, 8];
const MASKS: [u64; 8] =
    [0, 0xFF, 0xFFFF, 0xFF_FFFF, 0xFFFF_FFFF, 0xFF_FFFF_FFFF, 0xFFFF_FFFF_FFFF, 0xFFFF_FFFF_FFFF_FFFF];
/// Bytes of marks before the numbers of a row.
const fn marks_of(numbers: usize) -> usize {
    if numbers <= 10 { 4 } else { 8 }
}

/// The most bytes a row takes, with room for writing eight bytes at once.
pub(crate) const ROW_MAX: usize = 8 + 20 * 8 + 8;

/// Writes rows of `N` numbers (at most twenty).
#[derive(Debug)]
pub(crate) struct Packer<const N: usize> {
    before: [u64; N],
    used: usize,
    bytes: Vec<u8>,
}

impl<const N: usize> Packer<N> {
    pub(crate) const fn new() -> Self {
        Self { before: [0; N], used: 0, bytes: Vec::new() }
    }

    /// Whether another row of any kind fits.
    #[inline]
    pub(crate) fn has_room(&self) -> bool {
        self.used + ROW_MAX <= self.bytes.len()
    }

    /// Begins a new stream of `size` bytes and gives back the one written so far.
    pub(crate) fn renew(&mut self, size: usize) -> Vec<u8> {
        let mut full = std::mem::replace(&mut self.bytes, vec![0; size]);
        full.truncate(self.used);
        self.before = [0; N];
        self.used = 0;
        full
    }

    /// Gives back the stream written so far, cut to its size, and keeps none.
    pub(crate) fn finish(&mut self) -> Vec<u8> {
        let mut last = std::mem::take(&mut self.bytes);
        last.truncate(self.used);
        last.shrink_to_fit();
        self.before = [0; N];
        self.used = 0;
        last
    }

    /// Adds a row; the caller has made sure that it fits.
    #[inline]
    pub(crate) fn push(&mut self, row: &[u64; N]) {
        let Some(room) = self.bytes.get_mut(self.used..self.used + ROW_MAX) else { return };
        let Ok(room): Result<&mut [u8; ROW_MAX], _> = room.try_into() else { return };
        let mut marks = 0_u64;
        let mut at = marks_of(N);
        for (place, (value, before)) in row.iter().zip(&mut self.before).enumerate() {
            let difference = value.wrapping_sub(*before);
            *before = *value;
            // Small differences of either sign become small numbers.
            let folded = (difference << 1) ^ (((difference.cast_signed()) >> 63).cast_unsigned());
            let bytes = (71 - (folded | 1).leading_zeros()) / 8 * u32::from(folded != 0);
            let mark = bytes.min(7);
            marks |= u64::from(mark) << (3 * place);
            if let Some(eight) = room.get_mut(at..at + 8) {
                eight.copy_from_slice(&folded.to_le_bytes());
            }
            at += WIDTHS[(mark & 7) as usize];
        }
        room[..marks_of(N)].copy_from_slice(&marks.to_le_bytes()[..marks_of(N)]);
        self.used += at;
    }
}

/// Reads rows of `N` numbers back.
pub(crate) struct Unpacker<'a, const N: usize> {
    bytes: &'a [u8],
    at: usize,
    end: usize,
    before: [u64; N],
}

impl<'a, const N: usize> Unpacker<'a, N> {
    /// `bytes` holds a stream of `length` bytes and at least eight more.
    pub(crate) const fn new(bytes: &'a [u8], length: usize) -> Self {
        Self { bytes, at: 0, end: length, before: [0; N] }
    }
}

impl<const N: usize> Iterator for Unpacker<'_, N> {
    type Item = [u64; N];

    #[inline]
    fn next(&mut self) -> Option<[u64; N]> {
        if self.at >= self.end {
            return None;
        }
        // With four bytes of marks the other four belong to the numbers and are never looked at.
        let marks = u64::from_le_bytes(self.bytes.get(self.at..self.at + 8)?.try_into().ok()?);
        let mut at = self.at + marks_of(N);
        for (place, before) in self.before.iter_mut().enumerate() {
            let mark = ((marks >> (3 * place)) & 7) as usize;
            let folded = u64::from_le_bytes(self.bytes.get(at..at + 8)?.try_into().ok()?) & MASKS[mark];
            let difference = (folded >> 1) ^ (folded & 1).wrapping_neg();
            *before = before.wrapping_add(difference);
            at += WIDTHS[mark];
        }
        self.at = at;
        Some(self.before)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn wide_rows_come_back(rows in prop::collection::vec(prop::array::uniform20(prop_oneof![0_u64..300, any::<u64>()]), 0..30)) {
            let mut packer = Packer::<20>::new();
            packer.renew(rows.len() * ROW_MAX + ROW_MAX);
            rows.iter().for_each(|row| packer.push(row));
            let mut bytes = packer.finish();
            let length = bytes.len();
            bytes.resize(length + 8, 0);
            let back: Vec<[u64; 20]> = Unpacker::new(&bytes, length).collect();
            prop_assert_eq!(back, rows);
        }

        #[test]
        fn rows_come_back(rows in prop::collection::vec(prop::array::uniform10(prop_oneof![0_u64..300, any::<u64>()]), 0..60)) {
            let mut packer = Packer::<10>::new();
            packer.renew(rows.len() * ROW_MAX + ROW_MAX);
            for row in &rows {
                prop_assert!(packer.has_room());
                packer.push(row);
            }
            let mut bytes = packer.finish();
            let length = bytes.len();
            bytes.resize(length + 8, 0);
            let back: Vec<[u64; 10]> = Unpacker::new(&bytes, length).collect();
            prop_assert_eq!(back, rows);
        }
    }
}
