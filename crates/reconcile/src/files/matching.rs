//! The records of one partition to payments: by terminal key, by terminal and reference, never by reference alone.

use std::collections::BTreeMap;

use super::layout::Source;
use super::packing::Unpacker;
use super::rows::{Attempt, Cleared, Mark, Paid, Shared};
use super::takers::Packed;
use super::totals::Sum;

pub(crate) const NONE: u32 = u32::MAX;

/// One payment: which rows belong to it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Unit {
    pub(crate) terminal: u32,
    pub(crate) switch: u32,
    /// The first clearing line by place, and so on.
    pub(crate) cleared: u32,
    pub(crate) paid: u32,
    pub(crate) shared: u32,
    pub(crate) clear_lines: u32,
    pub(crate) pay_lines: u32,
    pub(crate) share_lines: u32,
    pub(crate) clear_total: i64,
    pub(crate) pay_total: i64,
    pub(crate) share_total: i64,
    pub(crate) last_settled: u64,
    /// Rows of journal and switch that took this payment back, and their amounts.
    pub(crate) back_lines: [u32; 2],
    pub(crate) back_total: [i64; 2],
    pub(crate) key_twice: bool,
    /// A line that stands before it already.
    pub(crate) copy: bool,
    /// Joined another unit.
    pub(crate) gone: bool,
}

impl Unit {
    const EMPTY: Self = Self {
        terminal: NONE,
        switch: NONE,
        cleared: NONE,
        paid: NONE,
        shared: NONE,
        clear_lines: 0,
        pay_lines: 0,
        share_lines: 0,
        clear_total: 0,
        pay_total: 0,
        share_total: 0,
        last_settled: 0,
        back_lines: [0; 2],
        back_total: [0; 2],
        key_twice: false,
        copy: false,
        gone: false,
    };
}

/// Open addressing from keys to units. An entry is 32 bits of the hash and the number of the unit plus one.
#[derive(Default)]
struct Table {
    entries: Vec<u64>,
    mask: usize,
}

const fn hash(one: u64, other: u64) -> u64 {
    let mixed = (one ^ other.rotate_left(32)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    (mixed ^ mixed >> 29).wrapping_mul(0xBF58_476D_1CE4_E5B9)
}

impl Table {
    fn renew(&mut self, rows: usize) {
        // Most rows meet an entry that is there; were there none, one place in nine would still be free.
        let size = (rows + rows / 8).next_power_of_two().max(16);
        self.entries.clear();
        self.entries.resize(size, 0);
        self.mask = size - 1;
    }

    /// The entry of a key: that of the unit for which `is` holds, or a free one.
    #[inline]
    fn entry(&self, hash: u64, is: impl Fn(u32) -> bool) -> (usize, Option<u32>) {
        let tag = hash >> 32;
        let mut at = hash as u32 as usize & self.mask;
        loop {
            let entry = self.entries[at];
            if entry == 0 {
                return (at, None);
            }
            let unit = (entry as u32) - 1;
            if entry >> 32 == tag && is(unit) {
                return (at, Some(unit));
            }
            at = (at + 1) & self.mask;
        }
    }

    #[inline]
    fn set(&mut self, at: usize, hash: u64, unit: u32) {
        self.entries[at] = hash >> 32 << 32 | u64::from(unit + 1);
    }
}

/// The rows of one partition and the payments they make. Used again for each partition.
#[derive(Default)]
pub(crate) struct Matching {
    pub(crate) terminal: Vec<Attempt>,
    pub(crate) switch: Vec<Attempt>,
    pub(crate) cleared: Vec<Cleared>,
    pub(crate) paid: Vec<Paid>,
    pub(crate) shared: Vec<Shared>,
    pub(crate) units: Vec<Unit>,
    by_key: Table,
    by_rrn: Table,
    /// Terminal and reference of each unit, for the second table.
    names: Vec<(u64, u64)>,
}

#[expect(clippy::cast_possible_truncation, reason = "a partition has far fewer than 2^32 rows; checked in `load`")]
const fn number(length: usize) -> u32 {
    length as u32
}

/// Adds rows; how many they are and what they add up to.
fn add<R: Packed<N>, const N: usize>(rows: &mut Vec<R>, mut packed: Unpacker<'_, N>) -> Sum {
    let mut sum = Sum::default();
    loop {
        let next = packed.next();
        if next.is_empty() {
            return sum;
        }
        next.iter().for_each(|numbers| sum.add(1, numbers[R::MONEY].cast_signed()));
        rows.extend(next.iter().map(|numbers| R::from(*numbers)));
    }
}

impl Matching {
    pub(crate) fn clear(&mut self) {
        self.terminal.clear();
        self.switch.clear();
        self.cleared.clear();
        self.paid.clear();
        self.shared.clear();
        self.units.clear();
        self.names.clear();
    }

    /// Adds the rows of a bundle; how many they are and what they add up to. Asks for the bytes that are read `later`.
    pub(crate) fn load(&mut self, source: Source, bytes: &[u8], length: usize, later: &[u8]) -> Sum {
        match source {
            Source::Terminal => add(&mut self.terminal, Unpacker::new(bytes, length, later)),
            Source::Switch => add(&mut self.switch, Unpacker::new(bytes, length, later)),
            Source::Clearing => add(&mut self.cleared, Unpacker::new(bytes, length, later)),
            Source::Payout => add(&mut self.paid, Unpacker::new(bytes, length, later)),
            Source::Share => add(&mut self.shared, Unpacker::new(bytes, length, later)),
            Source::Batch | Source::Bank | Source::Merchant => Sum::default(),
        }
    }

    /// Matches all rows.
    pub(crate) fn match_rows(&mut self) {
        self.match_keys();
        self.take_back();
        self.match_references();
        self.fold_cleared();
        self.fold_paid();
        self.fold_shared();
    }

    /// Journal and switch by terminal, batch and trace.
    fn match_keys(&mut self) {
        let Self { terminal, switch, units, by_key, .. } = self;
        by_key.renew(terminal.len() + switch.len());
        let mut crowds: BTreeMap<u32, (Vec<u32>, Vec<u32>)> = BTreeMap::new();
        units.reserve(switch.len() + 64);
        for (row_number, row) in switch.iter().enumerate() {
            let row_number = number(row_number);
            if Mark(row.mark).takes_back() {
                continue;
            }
            let mut at = None;
            if row.key != 0 {
                let hashed = hash(row.terminal, row.key);
                let (entry, found) = by_key.entry(hashed, |unit| {
                    let other = &switch[units[unit as usize].switch as usize];
                    other.key == row.key && other.terminal == row.terminal
                });
                if let Some(unit) = found {
                    crowds.entry(unit).or_default().1.push(row_number);
                    continue;
                }
                at = Some((entry, hashed));
            }
            let unit = number(units.len());
            units.push(Unit { switch: row_number, ..Unit::EMPTY });
            if let Some((entry, hashed)) = at {
                by_key.set(entry, hashed, unit);
            }
        }
        for (row_number, row) in terminal.iter().enumerate() {
            let row_number = number(row_number);
            if Mark(row.mark).takes_back() {
                continue;
            }
            let mut at = None;
            if row.key != 0 {
                let hashed = hash(row.terminal, row.key);
                let (entry, found) = by_key.entry(hashed, |unit| {
                    let unit = &units[unit as usize];
                    let other = match unit.switch {
                        NONE => &terminal[unit.terminal as usize],
                        found => &switch[found as usize],
                    };
                    other.key == row.key && other.terminal == row.terminal
                });
                if let Some(unit) = found {
                    if units[unit as usize].terminal == NONE {
                        units[unit as usize].terminal = row_number;
                    } else {
                        crowds.entry(unit).or_default().0.push(row_number);
                    }
                    continue;
                }
                at = Some((entry, hashed));
            }
            let unit = number(units.len());
            units.push(Unit { terminal: row_number, ..Unit::EMPTY });
            if let Some((entry, hashed)) = at {
                by_key.set(entry, hashed, unit);
            }
        }
        for (unit, (journal, switched)) in crowds {
            self.part_crowd(unit, journal, switched);
        }
    }

    /// Several rows have one key: those with the same reference belong together, the others in order of place.
    fn part_crowd(&mut self, unit: u32, mut journal: Vec<u32>, mut switched: Vec<u32>) {
        let first = &self.units[unit as usize];
        journal.extend((first.terminal != NONE).then_some(first.terminal));
        switched.extend((first.switch != NONE).then_some(first.switch));
        journal.sort_unstable_by_key(|row| self.terminal[*row as usize].place);
        switched.sort_unstable_by_key(|row| self.switch[*row as usize].place);
        let mut copies = take_copies(&mut journal, &self.terminal).map(|line| (line, NONE)).collect::<Vec<_>>();
        copies.extend(take_copies(&mut switched, &self.switch).map(|row| (NONE, row)));
        let mut pairs: Vec<(u32, u32)> = Vec::new();
        journal.retain(|line| {
            let rrn = self.terminal[*line as usize].rrn;
            let same = switched.iter().position(|row| rrn != 0 && self.switch[*row as usize].rrn == rrn);
            if let Some(at) = same {
                pairs.push((*line, switched.remove(at)));
            }
            same.is_none()
        });
        let both = journal.len().min(switched.len());
        pairs.extend(journal.drain(..both).zip(switched.drain(..both)));
        pairs.extend(journal.into_iter().map(|line| (line, NONE)));
        pairs.extend(switched.into_iter().map(|row| (NONE, row)));
        let last = pairs.len();
        pairs.extend(copies);
        for (count, (terminal, switch)) in pairs.into_iter().enumerate() {
            let made = Unit { terminal, switch, key_twice: true, copy: count >= last, ..Unit::EMPTY };
            if count == 0 {
                self.units[unit as usize] = made;
            } else {
                self.units.push(made);
            }
        }
    }

    /// Reversals and voids join the payment they take back; those without one stand alone.
    fn take_back(&mut self) {
        for side in [0, 1] {
            let rows = if side == 0 { &self.terminal } else { &self.switch };
            for (row_number, row) in rows.iter().enumerate() {
                if !Mark(row.mark).takes_back() {
                    continue;
                }
                let found = self.taken_back(row);
                if let Some(unit) = found.and_then(|unit| self.units.get_mut(unit as usize)) {
                    unit.back_lines[side] += 1;
                    unit.back_total[side] = unit.back_total[side].saturating_add(row.amount.cast_signed());
                } else {
                    let row_number = number(row_number);
                    let (terminal, switch) = if side == 0 { (row_number, NONE) } else { (NONE, row_number) };
                    self.units.push(Unit { terminal, switch, ..Unit::EMPTY });
                }
            }
        }
    }

    fn taken_back(&self, row: &Attempt) -> Option<u32> {
        if row.key == 0 {
            // Rare: such files name the original by its reference alone, on the same terminal.
            let same = |unit: &Unit| {
                let original = self.switch.get(unit.switch as usize).or(self.terminal.get(unit.terminal as usize));
                original.is_some_and(|original| {
                    original.terminal == row.terminal
                        && original.rrn == row.rrn
                        && row.rrn != 0
                        && !Mark(original.mark).takes_back()
                })
            };
            return self.units.iter().position(same).map(number);
        }
        let (_, found) = self.by_key.entry(hash(row.terminal, row.key), |unit| {
            let unit = &self.units[unit as usize];
            let original = self.switch.get(unit.switch as usize).or(self.terminal.get(unit.terminal as usize));
            original.is_some_and(|original| original.key == row.key && original.terminal == row.terminal)
        });
        found
    }

    /// Gives each unit its terminal and reference; a journal line joins a switch row with the same.
    fn match_references(&mut self) {
        let Self { terminal, switch, cleared, paid, shared, units, by_rrn, names, .. } = self;
        by_rrn.renew(units.len() + cleared.len() + paid.len() + shared.len());
        names.reserve(units.len() + 64);
        let mut alone: Vec<u32> = Vec::new();
        for (unit_number, unit) in units.iter().enumerate() {
            let unit_number = number(unit_number);
            let line = terminal.get(unit.terminal as usize);
            let row = switch.get(unit.switch as usize);
            let named = row.filter(|row| row.rrn != 0).or(line).or(row);
            names.push(named.map_or((0, 0), |row| (row.terminal, row.rrn)));
            if unit.copy {
                continue;
            }
            if row.is_none() {
                alone.push(unit_number);
                continue;
            }
            insert(by_rrn, names, unit_number, |other| {
                let other = &units[other as usize];
                let place = switch.get(other.switch as usize).map_or(u64::MAX, |row| row.place);
                row.map_or(u64::MAX, |row| row.place) < place
            });
        }
        alone.sort_unstable_by_key(|unit| terminal[units[*unit as usize].terminal as usize].place);
        for unit in alone {
            let name = names[unit as usize];
            if name.1 == 0 {
                continue;
            }
            let hashed = hash(name.0, name.1);
            let (at, found) = by_rrn.entry(hashed, |other| names[other as usize] == name);
            match found {
                Some(other) if units[other as usize].terminal == NONE => {
                    units[other as usize].terminal = units[unit as usize].terminal;
                    units[other as usize].key_twice |= units[unit as usize].key_twice;
                    units[other as usize].back_lines[0] += units[unit as usize].back_lines[0];
                    let total = units[other as usize].back_total[0].saturating_add(units[unit as usize].back_total[0]);
                    units[other as usize].back_total[0] = total;
                    units[unit as usize].gone = true;
                }
                Some(_) => {}
                None => by_rrn.set(at, hashed, unit),
            }
        }
    }

    /// The unit with this terminal and reference, made when there is none.
    #[inline]
    fn unit_of(&mut self, terminal: u64, rrn: u64) -> usize {
        let name = (terminal, rrn);
        let mut unit = NONE;
        let mut free = None;
        if rrn != 0 && terminal != 0 {
            let hashed = hash(terminal, rrn);
            let (at, found) = self.by_rrn.entry(hashed, |other| self.names[other as usize] == name);
            match found {
                Some(found) => unit = found,
                None => free = Some((at, hashed)),
            }
        }
        if unit == NONE {
            unit = number(self.units.len());
            self.units.push(Unit::EMPTY);
            self.names.push(name);
            if let Some((at, hashed)) = free {
                self.by_rrn.set(at, hashed, unit);
            }
        }
        unit as usize
    }

    /// Sums saturate: one that does not fit makes the control totals fail, as it should.
    fn fold_cleared(&mut self) {
        for row_number in 0..self.cleared.len() {
            let row = self.cleared[row_number];
            let unit = self.unit_of(row.terminal, row.rrn);
            let unit = &mut self.units[unit];
            if self.cleared.get(unit.cleared as usize).is_none_or(|known| row.place < known.place) {
                unit.cleared = number(row_number);
            }
            unit.clear_lines += 1;
            unit.clear_total = unit.clear_total.saturating_add(row.amount.cast_signed());
            unit.last_settled = unit.last_settled.max(row.settled);
        }
    }

    fn fold_paid(&mut self) {
        for row_number in 0..self.paid.len() {
            let row = self.paid[row_number];
            let unit = self.unit_of(row.terminal, row.rrn);
            let unit = &mut self.units[unit];
            if self.paid.get(unit.paid as usize).is_none_or(|known| row.place < known.place) {
                unit.paid = number(row_number);
            }
            unit.pay_lines += 1;
            unit.pay_total = unit.pay_total.saturating_add(row.net.cast_signed());
        }
    }

    fn fold_shared(&mut self) {
        for row_number in 0..self.shared.len() {
            let row = self.shared[row_number];
            let unit = self.unit_of(row.terminal, row.rrn);
            let unit = &mut self.units[unit];
            if self.shared.get(unit.shared as usize).is_none_or(|known| row.place < known.place) {
                unit.shared = number(row_number);
            }
            unit.share_lines += 1;
            unit.share_total = unit.share_total.saturating_add(row.share.cast_signed());
        }
    }
}

/// Enters a unit by terminal and reference; of two with the same, the one that `goes_before`.
#[inline]
fn insert(table: &mut Table, names: &[(u64, u64)], unit: u32, goes_before: impl Fn(u32) -> bool) {
    let name = names[unit as usize];
    if name.1 == 0 {
        return;
    }
    let hashed = hash(name.0, name.1);
    let (at, found) = table.entry(hashed, |other| names[other as usize] == name);
    if found.is_none_or(goes_before) {
        table.set(at, hashed, unit);
    }
}
/// Takes out the rows, in order of place, that say what an earlier one says.
fn take_copies(rows: &mut Vec<u32>, all: &[Attempt]) -> impl Iterator<Item = u32> + use<> {
    let mut seen: Vec<Attempt> = Vec::new();
    let mut copies = Vec::new();
    rows.retain(|row| {
        let bare = Attempt { place: 0, ..all[*row as usize] };
        let copy = seen.contains(&bare);
        if copy {
            copies.push(*row);
        } else {
            seen.push(bare);
        }
        !copy
    });
    copies.into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_of_payments_that_nobody_knows_stand_alone() {
        let mut rows = Matching::default();
        rows.shared.extend((1..=1_000).map(|rrn| Shared { terminal: 7, rrn, agent: 1, share: 5, place: rrn }));
        rows.match_rows();
        assert_eq!(rows.units.len(), 1_000);
    }
}
