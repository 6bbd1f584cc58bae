//! Rows as streams of bytes: each row is a few numbers, stored as differences to the row before.
//!
//! A row takes 15 to 30 bytes instead of 80: what is not written need not be read again, or spilled.

use super::ahead::{Lines, ask_for_next, lines};

/// Bytes that a number takes, by its three-bit mark.
const WIDTHS: [usize; 8] = [0, 1, 2, 3, 4, 5, 6, 8];
const MASKS: [u64; 8] =
    [0, 0xFF, 0xFFFF, 0xFF_FFFF, 0xFFFF_FFFF, 0xFF_FFFF_FFFF, 0xFFFF_FFFF_FFFF, 0xFFFF_FFFF_FFFF_FFFF];
/// The mark of a number, by its leading zeros.
const MARKS: [u8; 128] = {
    let mut marks = [0; 128];
    let mut zeros = 0;
    while zeros < 64 {
        let bytes = 8 - zeros / 8;
        marks[zeros] = if bytes < 7 { bytes as u8 } else { 7 };
        zeros += 1;
    }
    marks
};
/// Bytes of marks before the numbers of a row.
const fn marks_of(numbers: usize) -> usize {
    if numbers <= 10 { 4 } else { 8 }
}

/// The most bytes that a row of `numbers` (at most twenty) takes, with room for writing eight bytes at once.
pub(crate) const fn row_max(numbers: usize) -> usize {
    marks_of(numbers) + numbers * 8 + 8
}

/// Writes rows of `N` numbers (at most twenty) as differences to the row before.
#[derive(Debug)]
pub(crate) struct Differences<const N: usize>([u64; N]);

impl<const N: usize> Differences<N> {
    pub(crate) const fn new() -> Self {
        Self([0; N])
    }

    /// Writes a row to the front of `room`, which has at least [`row_max`] bytes; how many it took.
    #[inline(always)]
    pub(crate) fn write(&mut self, row: &[u64; N], room: &mut [u8]) -> usize {
        let mut marks = 0_u64;
        let mut at = marks_of(N);
        for (place, (value, before)) in row.iter().zip(&mut self.0).enumerate() {
            let difference = value.wrapping_sub(*before);
            *before = *value;
            // Small differences of either sign become small numbers.
            let folded = (difference << 1) ^ (((difference.cast_signed()) >> 63).cast_unsigned());
            let mark = MARKS[(folded.leading_zeros() & 127) as usize];
            marks |= u64::from(mark) << (3 * place);
            if let Some(eight) = room.get_mut(at..at + 8) {
                eight.copy_from_slice(&folded.to_le_bytes());
            }
            at += WIDTHS[(mark & 7) as usize];
        }
        if let Some(front) = room.get_mut(..marks_of(N)) {
            front.copy_from_slice(&marks.to_le_bytes()[..marks_of(N)]);
        }
        at
    }
}

/// Where in a stream reading stands, and the row before.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Position<const N: usize> {
    at: usize,
    end: usize,
    before: [u64; N],
}

impl<const N: usize> Position<N> {
    /// At the front of a stream of `length` bytes.
    pub(crate) const fn front(length: usize) -> Self {
        Self { at: 0, end: length, before: [0; N] }
    }

    /// Puts the next row into `row`, number by number; false when there is none. `bytes` holds the stream and at least
    /// eight bytes more.
    #[inline(always)]
    pub(crate) fn next(&mut self, bytes: &[u8], row: &mut [u64; N]) -> bool {
        if self.at >= self.end {
            return false;
        }
        let Some(marks) = eight_at(bytes, self.at) else { return false };
        let mut at = self.at + marks_of(N);
        for (place, (before, value)) in self.before.iter_mut().zip(row).enumerate() {
            // With four bytes of marks the other four belong to the numbers and are never looked at.
            let mark = ((marks >> (3 * place)) & 7) as usize;
            let Some(eight) = eight_at(bytes, at) else { return false };
            let folded = eight & MASKS[mark];
            let difference = (folded >> 1) ^ (folded & 1).wrapping_neg();
            *before = before.wrapping_add(difference);
            *value = *before;
            at += WIDTHS[mark];
        }
        self.at = at;
        true
    }
}

#[inline(always)]
fn eight_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(bytes.get(at..at + 8)?.try_into().ok()?))
}

/// Rows that are unpacked at once. A row that is copied whole right after its numbers were written waits for each of
/// them; by the time eight are written, the first have long arrived.
const AT_ONCE: usize = 8;

/// Reads rows of `N` numbers back.
pub(crate) struct Unpacker<'a, const N: usize> {
    bytes: &'a [u8],
    position: Position<N>,
    later: Lines<'a>,
    rows: [[u64; N]; AT_ONCE],
}

impl<'a, const N: usize> Unpacker<'a, N> {
    /// `bytes` holds a stream of `length` bytes and at least eight more. What is read `later` is asked for meanwhile.
    pub(crate) fn new(bytes: &'a [u8], length: usize, later: &'a [u8]) -> Self {
        Self { bytes, position: Position::front(length), later: lines(later), rows: [[0; N]; AT_ONCE] }
    }

    /// The next rows; none at the end.
    #[inline]
    pub(crate) fn next(&mut self) -> &[[u64; N]] {
        let mut count = 0;
        for row in &mut self.rows {
            ask_for_next(&mut self.later);
            if !self.position.next(self.bytes, row) {
                break;
            }
            count += 1;
        }
        self.rows.get(..count).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn there_and_back<const N: usize>(rows: &[[u64; N]]) -> Vec<[u64; N]> {
        let mut bytes = vec![0; (rows.len() + 1) * row_max(N)];
        let mut differences = Differences::new();
        let mut length = 0;
        for row in rows {
            length += differences.write(row, &mut bytes[length..]);
        }
        let mut unpacker = Unpacker::new(&bytes, length, &[]);
        let mut back = Vec::new();
        loop {
            let rows = unpacker.next();
            back.extend_from_slice(rows);
            if rows.is_empty() {
                return back;
            }
        }
    }

    fn number() -> impl Strategy<Value = u64> {
        prop_oneof![0_u64..300, any::<u64>()]
    }

    proptest! {
        #[test]
        fn rows_come_back(
            wide in prop::collection::vec(prop::array::uniform20(number()), 0..30),
            usual in prop::collection::vec(prop::array::uniform10(number()), 0..60),
            short in prop::collection::vec(prop::array::uniform5(number()), 0..60),
        ) {
            prop_assert_eq!(there_and_back(&wide), wide);
            prop_assert_eq!(there_and_back(&usual), usual);
            prop_assert_eq!(there_and_back(&short), short);
        }
    }
}
