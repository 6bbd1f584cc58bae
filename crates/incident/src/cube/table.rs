//! A table from packed events to counts: open addressing, one cache line a look-up.

use serde::{Deserialize, Serialize};

use super::leaf::Event;

/// Attempts and their amount at one event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Sum {
    /// Attempts; below 0 in a partial cube that only took some back.
    pub attempts: i32,
    /// Their amount, minor units.
    pub amount_minor: i64,
}

#[derive(Debug, Clone, Copy, Default)]
struct Slot {
    key: u128,
    amount_minor: i64,
    attempts: i32,
    taken: bool,
}

/// Sums by event. An event stays once it was seen, even when its sum is taken back to nothing, so that the order of
/// additions does not matter for what is in the table.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(from = "Vec<(Event, Sum)>", into = "Vec<(Event, Sum)>")]
pub(super) struct Table {
    slots: Vec<Slot>,
    len: usize,
}

impl From<Vec<(Event, Sum)>> for Table {
    fn from(sums: Vec<(Event, Sum)>) -> Self {
        let mut table = Self::with_room(sums.len());
        for (event, sum) in sums {
            table.add(event, sum);
        }
        table
    }
}

impl From<Table> for Vec<(Event, Sum)> {
    fn from(table: Table) -> Self {
        let mut sums: Self = table.iter().collect();
        sums.sort_unstable_by_key(|(event, _)| *event);
        sums
    }
}

const LEAST_SLOTS: usize = 64;

fn hash(key: u128) -> usize {
    let (low, high) = (key as u64, (key >> 64) as u64);
    let mixed = (low ^ high.rotate_left(29).wrapping_mul(0x9E37_79B9_7F4A_7C15)).wrapping_mul(0xD6E8_FEB8_6659_FD93);
    ((mixed ^ (mixed >> 32)).wrapping_mul(0xD6E8_FEB8_6659_FD93) >> 20) as usize
}

impl Table {
    /// A table that takes so many events without growing.
    pub(super) fn with_room(events: usize) -> Self {
        let slots = (events + events / 2).next_power_of_two().max(LEAST_SLOTS);
        Self { slots: vec![Slot::default(); slots], len: 0 }
    }

    pub(super) const fn len(&self) -> usize {
        self.len
    }

    /// Bytes on the heap.
    pub(super) fn bytes(&self) -> usize {
        self.slots.capacity() * size_of::<Slot>()
    }

    pub(super) fn add(&mut self, event: Event, sum: Sum) {
        if self.len * 4 >= self.slots.len() * 3 {
            self.grow();
        }
        let key = event.bits();
        let end = self.slots.len() - 1;
        let mut place = hash(key) & end;
        while let Some(slot) = self.slots.get_mut(place) {
            if slot.taken && slot.key != key {
                place = (place + 1) & end;
                continue;
            }
            if !slot.taken {
                slot.key = key;
                slot.taken = true;
                self.len += 1;
            }
            slot.attempts += sum.attempts;
            slot.amount_minor = slot.amount_minor.saturating_add(sum.amount_minor);
            return;
        }
    }

    fn grow(&mut self) {
        let bigger = Self { slots: vec![Slot::default(); (self.slots.len() * 2).max(LEAST_SLOTS)], len: 0 };
        let old = std::mem::replace(self, bigger);
        self.add_all(&old, 0);
    }

    /// Adds another table, its events folded by a mask of leaf bits.
    pub(super) fn add_all(&mut self, other: &Self, mask: u128) {
        for (event, sum) in other.iter() {
            self.add(event.folded(mask), sum);
        }
    }

    /// This table with its events folded by a mask.
    pub(super) fn folded(&self, mask: u128) -> Self {
        let mut folded = Self::default();
        folded.add_all(self, mask);
        folded
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (Event, Sum)> {
        self.slots
            .iter()
            .filter(|slot| slot.taken)
            .map(|slot| (Event::from_bits(slot.key), Sum { attempts: slot.attempts, amount_minor: slot.amount_minor }))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn agrees_with_a_map(added in prop::collection::vec((0..300_u128, -3..4_i32), 0..2_000)) {
            let mut table = Table::default();
            let mut map = BTreeMap::new();
            for (key, attempts) in added {
                // Keys that differ only in high bits must not collide into one.
                let event = Event::from_bits(key << 90 | key);
                table.add(event, Sum { attempts, amount_minor: i64::from(attempts) * 7 });
                *map.entry(event).or_insert(0) += attempts;
            }
            let found: BTreeMap<Event, i32> = table.iter().map(|(event, sum)| (event, sum.attempts)).collect();
            prop_assert_eq!(table.len(), map.len());
            prop_assert_eq!(found, map);
        }
    }
}
