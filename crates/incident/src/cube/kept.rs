//! Attempts that are kept whole, with the exact amount: an even sample, the same whoever saw which attempt first.

use std::collections::BinaryHeap;

use serde::{Deserialize, Serialize};

use super::leaf::Event;

/// One attempt that was kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Kept {
    /// The place in the sample's order: a mix of the attempt's identity.
    rank: u64,
    /// Where and how, nothing folded.
    pub event: Event,
    /// Amount, minor units.
    pub amount_minor: u64,
}

impl Kept {
    pub(super) fn new(id: u64, event: Event, amount_minor: u64) -> Self {
        let mut rank = id.wrapping_add(0x9E37_79B9_7F4A_7C15);
        rank = (rank ^ (rank >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        rank = (rank ^ (rank >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        Self { rank: rank ^ (rank >> 31), event, amount_minor }
    }
}

/// The attempts with the lowest ranks, and how many there were.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Sample {
    lowest: BinaryHeap<Kept>,
    seen: i64,
}

impl Sample {
    pub(super) fn add(&mut self, kept: Kept, most: usize) {
        self.seen += 1;
        self.push(kept, most);
    }

    fn push(&mut self, kept: Kept, most: usize) {
        if self.lowest.len() < most {
            self.lowest.push(kept);
        } else if let Some(mut highest) = self.lowest.peek_mut()
            && kept < *highest
        {
            *highest = kept;
        }
    }

    /// Takes one attempt back. If it was kept, the sample is one smaller until others come.
    pub(super) fn retract(&mut self, kept: Kept) {
        self.seen -= 1;
        let mut found = false;
        self.lowest.retain(|other| {
            let same = !found && *other == kept;
            found |= same;
            !same
        });
    }

    pub(super) fn add_all(&mut self, other: &Self, most: usize) {
        self.seen += other.seen;
        for kept in &other.lowest {
            self.push(*kept, most);
        }
    }

    /// This sample with other events.
    pub(super) fn map(&self, event: impl Fn(Event) -> Event) -> Self {
        let lowest = self.lowest.iter().map(|kept| Kept { event: event(kept.event), ..*kept }).collect();
        Self { lowest, seen: self.seen }
    }

    /// Kept attempts by rank, so many at most, and how many attempts each stands for.
    pub(super) fn weighted(&self, most: usize) -> (Vec<Kept>, f64) {
        let mut kept = self.lowest.as_slice().to_vec();
        if most < kept.len() {
            kept.select_nth_unstable(most);
            kept.truncate(most);
        }
        kept.sort_unstable();
        let weight = if kept.is_empty() { 0.0 } else { self.seen.max(0) as f64 / kept.len() as f64 };
        (kept, weight.max(1.0))
    }

    pub(super) fn bytes(&self) -> usize {
        self.lowest.capacity() * size_of::<Kept>()
    }
}
