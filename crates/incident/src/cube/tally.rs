//! Exact counts of every value of every dimension in one minute, whatever was folded in its leaves.

use serde::{Deserialize, Serialize};

use super::leaf::{DIMENSIONS, Dimension, Event, Latency, Leaf, Outcome};
use super::symbols::Translation;

/// Counts of one value: the outcomes, then reversed, then latency raised, slow and late.
pub(super) const COLUMNS: usize = 16;
const REVERSED: usize = 12;

/// Which columns of a tally a question is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Columns(u16);

impl Columns {
    /// All attempts, however they ended.
    #[must_use]
    pub const fn attempts() -> Self {
        Self((1 << REVERSED) - 1)
    }

    /// Attempts that ended so.
    #[must_use]
    pub const fn outcome(outcome: Outcome) -> Self {
        Self(1 << outcome as u16)
    }

    /// Attempts that were reversed.
    #[must_use]
    pub const fn reversed() -> Self {
        Self(1 << REVERSED)
    }

    /// Attempts answered in this time; [`Latency::Usual`] is not counted.
    #[must_use]
    pub const fn latency(latency: Latency) -> Self {
        match latency {
            Latency::Usual => Self(0),
            other => Self(1 << (REVERSED as u16 + other as u16)),
        }
    }

    /// Both.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether an event counts.
    #[must_use]
    pub const fn holds(self, event: Event) -> bool {
        self.0 & columns(event) != 0
    }

    /// All bits set where a column counts: a sum over a row then has no branches.
    fn mask(self) -> Row {
        std::array::from_fn(|column| if self.0 >> column & 1 == 1 { -1 } else { 0 })
    }
}

/// The columns in which an event counts, as bits.
const fn columns(event: Event) -> u16 {
    let bits = event.bits();
    let outcome = 1 << (bits >> 3 & 15);
    outcome | (event.reversed() as u16) << REVERSED | Columns::latency(event.latency()).0
}

type Row = [i32; COLUMNS];

fn sum(row: &Row, mask: &Row) -> u32 {
    let sum = row.iter().zip(mask).fold(0_i32, |sum, (count, mask)| sum.wrapping_add(count & mask));
    u32::try_from(sum).unwrap_or(0)
}

/// Makes room for so many codes: a power of two, which is never more than a dimension has.
fn grow(rows: &mut Vec<Row>, codes: usize) {
    if rows.len() < codes {
        let codes = codes.next_power_of_two();
        rows.reserve_exact(codes - rows.len());
        rows.resize(codes, [0; COLUMNS]);
    }
}

/// Counts by dimension and value.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Tally {
    values: [Vec<Row>; DIMENSIONS],
    all: Row,
}

impl Tally {
    /// A tally with room for as many values as another one has.
    pub(super) fn like(other: &Self) -> Self {
        let values = std::array::from_fn(|index| {
            let room = other.values.get(index).map_or(0, Vec::len);
            vec![[0; COLUMNS]; room]
        });
        Self { values, all: [0; COLUMNS] }
    }

    pub(super) fn add(&mut self, leaf: Leaf, event: Event, attempts: i32) {
        let columns = columns(event);
        // One column for nearly every attempt: reversed and slow ones are few.
        let first = columns.trailing_zeros() as usize % COLUMNS;
        let rest = columns & (columns - 1);
        self.all[first] += attempts;
        add_rest(&mut self.all, rest, attempts);
        for (dimension, rows) in Dimension::ALL.into_iter().zip(&mut self.values) {
            let code = usize::from(leaf.code(dimension));
            grow(rows, code + 1);
            if let Some(row) = rows.get_mut(code) {
                row[first] += attempts;
                if rest != 0 {
                    add_rest(row, rest, attempts);
                }
            }
        }
    }

    pub(super) fn add_all(&mut self, other: &Self) {
        add_row(&mut self.all, &other.all);
        for (rows, more) in self.values.iter_mut().zip(&other.values) {
            grow(rows, more.len());
            for (row, more) in rows.iter_mut().zip(more) {
                add_row(row, more);
            }
        }
    }

    /// This tally in other codes.
    pub(super) fn translated(&self, translation: &Translation) -> Self {
        let mut translated = Self { all: self.all, ..Self::default() };
        for ((dimension, rows), into) in Dimension::ALL.into_iter().zip(&self.values).zip(&mut translated.values) {
            for (code, row) in (0..u16::MAX).zip(rows) {
                let code = usize::from(translation.code(dimension, code));
                grow(into, code + 1);
                if let Some(into) = into.get_mut(code) {
                    add_row(into, row);
                }
            }
        }
        translated
    }

    /// The codes that were ever counted.
    pub(super) fn codes(&self, dimension: Dimension) -> impl Iterator<Item = u16> {
        let rows = self.values.get(dimension as usize).map_or(&[][..], Vec::as_slice);
        (0..u16::MAX).zip(rows).filter(|(_, row)| row.iter().any(|count| *count != 0)).map(|(code, _)| code)
    }

    pub(super) fn total(&self, columns: Columns) -> u32 {
        sum(&self.all, &columns.mask())
    }

    /// Code, denominator and numerator of every value of a dimension that has any.
    pub(super) fn values(
        &self,
        dimension: Dimension,
        of: Columns,
        hits: Columns,
    ) -> impl Iterator<Item = (u16, u32, u32)> {
        let rows = self.values.get(dimension as usize).map_or(&[][..], Vec::as_slice);
        let (of, hits) = (of.mask(), hits.mask());
        let counted = move |(code, row): (u16, &Row)| (code, sum(row, &of), sum(row, &hits));
        (0..u16::MAX).zip(rows).map(counted).filter(|(_, attempts, _)| *attempts > 0)
    }

    /// Bytes on the heap.
    pub(super) fn bytes(&self) -> usize {
        self.values.iter().map(|rows| rows.capacity() * size_of::<Row>()).sum()
    }
}

fn add_rest(row: &mut Row, mut columns: u16, attempts: i32) {
    while columns != 0 {
        row[columns.trailing_zeros() as usize % COLUMNS] += attempts;
        columns &= columns - 1;
    }
}

fn add_row(row: &mut Row, more: &Row) {
    for (count, more) in row.iter_mut().zip(more) {
        *count += more;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_each_value_by_what_is_asked() {
        let leaf = Leaf::default().with(Dimension::City, 7);
        let mut tally = Tally::default();
        for (outcome, latency, reversed, times) in [
            (Outcome::Approved, Latency::Usual, false, 90),
            (Outcome::NoAnswer, Latency::Usual, true, 6),
            (Outcome::Funds, Latency::Late, false, 4),
        ] {
            tally.add(leaf, Event::new(leaf, outcome, latency, reversed), times);
        }
        let table = [
            (Columns::attempts(), 100),
            (Columns::outcome(Outcome::NoAnswer), 6),
            (Columns::outcome(Outcome::NoAnswer).and(Columns::outcome(Outcome::Funds)), 10),
            (Columns::reversed(), 6),
            (Columns::latency(Latency::Late), 4),
            (Columns::latency(Latency::Usual), 0),
        ];
        for (columns, expected) in table {
            assert_eq!(tally.total(columns), expected);
            let of_city: Vec<_> = tally.values(Dimension::City, Columns::attempts(), columns).collect();
            assert_eq!(of_city, [(7, 100, expected)]);
        }
    }
}
