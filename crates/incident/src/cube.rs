//! The cube: what was attempted in each of the last minutes and how it ended, by sixteen dimensions.
//!
//! Workers fill partial cubes ([`Cube::add`]) and somebody merges them ([`Cube::merge`]): in any order and any
//! grouping the sums are the same. A correction takes the old attempt back and adds the new one
//! ([`Cube::correct`]), in the minute where it belongs.
//!
//! A minute holds three things.
//! - *Leaves*: exact sums by all dimensions. When there are more than [`CubeLimits::most_leaves`], dimensions are
//!   folded into "other" one by one in the order of [`CubeLimits::fold`] until they fit; no count is lost.
//! - *Tally*: exact sums of every value of every dimension, never folded. Detection reads these.
//! - *Sample*: some attempts whole, failed ones and others apart, each standing for as many as were seen per one
//!   kept; never folded, with the exact amount. Where leaves were folded, localisation reads these.
//!
//! Memory is bounded by [`CubeLimits::bytes`].

mod kept;
mod leaf;
mod minute;
mod partial;
mod suspects;
mod symbols;
mod table;
mod tally;

use std::collections::VecDeque;

use rustc_hash::FxHashMap;
use serde::Deserialize;

pub use kept::Kept;
pub use leaf::{DIMENSIONS, Dimension, Event, Fold, Latency, Leaf, Outcome, amount_bin, amount_bounds};
pub use partial::Partial;
pub use suspects::{Question, Suspects};
pub use symbols::{Symbols, Translation};
pub use table::Sum;
pub use tally::Columns;

use minute::Minute;

/// How much a cube holds; read from `packs/detection-1`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CubeLimits {
    /// Minutes, counted back from the newest.
    pub minutes: u32,
    /// Most leaves of one minute.
    pub most_leaves: usize,
    /// Most attempts of one minute kept whole: so many failed ones and so many others.
    pub most_kept: usize,
    /// What is folded first when there are too many leaves.
    pub fold: Vec<Fold>,
}

impl CubeLimits {
    /// Leaf bits that are set after so many steps of folding.
    fn mask(&self, step: usize) -> u128 {
        self.fold.iter().take(step).fold(0, |mask, fold| mask | fold.mask())
    }

    /// Most bytes that a cube takes, but for the one table that is just being folded: the table of a minute is a
    /// power of two of 32 bytes and at most three quarters full, a tally has 64 bytes for each code.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let table = ((self.most_leaves + 1) * 4 / 3 + 1).next_power_of_two() * 32;
        let codes = |dimension: &Dimension| usize::from(dimension.other()) + 1;
        let tally = Dimension::ALL.iter().map(codes).sum::<usize>() * 64;
        let samples = 2 * (self.most_kept + 1).next_power_of_two() * size_of::<Kept>();
        (table + tally + samples) * self.minutes as usize
    }
}

/// One payment attempt as the cube sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attempt {
    /// Minutes since 1970 UTC.
    pub minute: u32,
    /// Where; its amount code is [`amount_bin`] of the amount.
    pub leaf: Leaf,
    /// How it ended.
    pub outcome: Outcome,
    /// How long the answer took.
    pub latency: Latency,
    /// Whether it was reversed.
    pub reversed: bool,
    /// Amount, minor units.
    pub amount_minor: u64,
    /// Identity: the same for the same attempt whoever reports it. It decides who is kept in the sample.
    pub id: u64,
}

/// Attempts and hits of one leaf over some minutes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LeafCount {
    /// Where, perhaps folded.
    pub leaf: Leaf,
    /// The denominator.
    pub attempts: u32,
    /// The numerator.
    pub hits: u32,
    /// Amount of the hits, minor units.
    pub hit_amount_minor: i64,
}

/// One attempt out of the sample.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sampled {
    /// Where, nothing folded.
    pub leaf: Leaf,
    /// Whether it counts in the numerator.
    pub hit: bool,
    /// Exact amount, minor units.
    pub amount_minor: u64,
    /// How many attempts it stands for.
    pub weight: f64,
}

/// What was attempted lately.
#[derive(Debug, Clone)]
pub struct Cube {
    limits: CubeLimits,
    /// Minute number of the front of the ring.
    first: u32,
    ring: VecDeque<Minute>,
    /// Attempts for minutes that were no longer held.
    too_old: u64,
}

impl Cube {
    /// An empty cube.
    #[must_use]
    pub const fn new(limits: CubeLimits) -> Self {
        Self { limits, first: 0, ring: VecDeque::new(), too_old: 0 }
    }

    /// Counts an attempt. One that is older than all minutes held is only counted in [`Self::too_old`].
    pub fn add(&mut self, attempt: &Attempt) {
        self.count(attempt, 1);
    }

    /// Takes back an attempt that was added, here or in a partial cube that is merged later.
    pub fn retract(&mut self, attempt: &Attempt) {
        self.count(attempt, -1);
    }

    /// Replaces what was believed of an attempt by what is known now.
    pub fn correct(&mut self, before: &Attempt, now: &Attempt) {
        self.retract(before);
        self.add(now);
    }

    fn count(&mut self, attempt: &Attempt, sign: i32) {
        let Some(place) = self.place(attempt.minute) else {
            self.too_old += 1;
            return;
        };
        if let Some(minute) = self.ring.get_mut(place) {
            minute.add(attempt, sign, &self.limits);
        }
    }

    /// The place of a minute in the ring, which moves on if the minute is newer than all.
    fn place(&mut self, minute: u32) -> Option<usize> {
        let most = self.limits.minutes.max(1);
        let minute = minute.min(u32::MAX - 1);
        if self.ring.is_empty() {
            self.first = minute;
        }
        let end = self.first + self.ring.len() as u32;
        if minute >= end {
            if minute - end >= most {
                self.ring.clear();
                self.first = minute;
            }
            while self.first + (self.ring.len() as u32) <= minute {
                let next = Minute::after(self.ring.back());
                self.ring.push_back(next);
            }
            while self.ring.len() as u32 > most {
                self.ring.pop_front();
                self.first += 1;
            }
        } else if minute < self.first {
            if end - minute > most {
                return None;
            }
            for _ in minute..self.first {
                self.ring.push_front(Minute::default());
            }
            self.first = minute;
        }
        Some((minute - self.first) as usize)
    }

    /// Adds what another cube with the same limits and dictionary counted.
    pub fn merge(&mut self, other: &Self) {
        self.too_old += other.too_old;
        for (number, minute) in (other.first..).zip(&other.ring) {
            if let Some(place) = self.place(number)
                && let Some(into) = self.ring.get_mut(place)
            {
                into.merge(minute, &self.limits);
            }
        }
    }

    /// This cube in the codes of the dictionary that took in its own ([`Symbols::absorb`]).
    #[must_use]
    pub fn translated(&self, translation: &Translation) -> Self {
        let ring = self.ring.iter().map(|minute| minute.translated(translation, &self.limits)).collect();
        Self { limits: self.limits.clone(), first: self.first, ring, too_old: self.too_old }
    }

    /// Attempts that came for minutes that are no longer held.
    #[must_use]
    pub const fn too_old(&self) -> u64 {
        self.too_old
    }

    /// The minutes held: first and one past the last.
    #[must_use]
    pub fn span(&self) -> (u32, u32) {
        (self.first, self.first + self.ring.len() as u32)
    }

    /// Bytes on the heap.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.ring.iter().map(Minute::bytes).sum()
    }

    fn minute(&self, minute: u32) -> Option<&Minute> {
        self.ring.get(minute.checked_sub(self.first)? as usize)
    }

    fn minutes(&self, from: u32, to: u32) -> impl Iterator<Item = &Minute> {
        let numbered = (self.first..).zip(&self.ring);
        numbered.filter(move |(number, _)| (from..to).contains(number)).map(|(_, minute)| minute)
    }

    /// The dimensions that are folded in some minute from `from` to before `to`.
    #[must_use]
    pub fn folded(&self, from: u32, to: u32) -> Vec<Fold> {
        let steps = self.minutes(from, to).map(|minute| minute.step).max().unwrap_or(0);
        self.limits.fold.iter().take(steps).copied().collect()
    }

    /// Denominator and numerator of a whole minute.
    #[must_use]
    pub fn total(&self, minute: u32, of: Columns, hits: Columns) -> (u32, u32) {
        self.minute(minute).map_or((0, 0), |minute| (minute.tally.total(of), minute.tally.total(hits)))
    }

    /// Code, denominator and numerator of every value of a dimension in a minute: exact, whatever was folded.
    pub fn values(
        &self,
        minute: u32,
        dimension: Dimension,
        of: Columns,
        hits: Columns,
    ) -> impl Iterator<Item = (u16, u32, u32)> {
        self.minute(minute).into_iter().flat_map(move |minute| minute.tally.values(dimension, of, hits))
    }

    /// Denominator and numerator of every pair of values of two dimensions in a minute, by pair. A dimension that is
    /// folded in this minute has only the value "other".
    #[must_use]
    pub fn pairs(&self, minute: u32, pair: (Dimension, Dimension), of: Columns, hits: Columns) -> PairCounts {
        let mut counts: FxHashMap<u32, (i32, i32)> = FxHashMap::default();
        for (event, sum) in self.minute(minute).iter().flat_map(|minute| minute.leaves.iter()) {
            let leaf = event.leaf();
            let pair = u32::from(leaf.code(pair.0)) << 16 | u32::from(leaf.code(pair.1));
            let count = counts.entry(pair).or_default();
            count.0 += i32::from(of.holds(event)) * sum.attempts;
            count.1 += i32::from(hits.holds(event)) * sum.attempts;
        }
        let whole = |count: i32| u32::try_from(count).unwrap_or(0);
        let counted = counts.into_iter().filter(|(_, count)| count.0 > 0);
        let mut sorted: PairCounts = counted
            .map(|(pair, (attempts, hits))| (((pair >> 16) as u16, pair as u16), whole(attempts), whole(hits)))
            .collect();
        sorted.sort_unstable();
        sorted
    }

    /// Leaves from minute `from` to before `to`, folded further by a mask (of [`Dimension::mask`]), in order.
    #[must_use]
    pub fn leaves(&self, from: u32, to: u32, of: Columns, hits: Columns, mask: u128) -> Vec<LeafCount> {
        let mut counts: FxHashMap<Leaf, (i64, i64, i64)> = FxHashMap::default();
        let steps = self.minutes(from, to).map(|minute| minute.step).max().unwrap_or(0);
        let mask = mask | self.limits.mask(steps);
        for (event, sum) in self.minutes(from, to).flat_map(|minute| minute.leaves.iter()) {
            let count = counts.entry(event.leaf().folded(mask)).or_default();
            count.0 += i64::from(of.holds(event)) * i64::from(sum.attempts);
            if hits.holds(event) {
                count.1 += i64::from(sum.attempts);
                count.2 = count.2.saturating_add(sum.amount_minor);
            }
        }
        let whole = |count: i64| u32::try_from(count).unwrap_or(0);
        let counted = counts.into_iter().map(|(leaf, (attempts, hits, hit_amount_minor))| LeafCount {
            leaf,
            attempts: whole(attempts),
            hits: whole(hits),
            hit_amount_minor,
        });
        let mut leaves: Vec<LeafCount> = counted.filter(|leaf| leaf.attempts > 0).collect();
        leaves.sort_unstable_by_key(|leaf| leaf.leaf);
        leaves
    }

    /// Attempts of the sample from minute `from` to before `to` that count in the denominator.
    #[must_use]
    pub fn sampled(&self, from: u32, to: u32, of: Columns, hits: Columns) -> Vec<Sampled> {
        self.thinned(from, to, of, hits, usize::MAX)
    }

    /// The same of a thinner sample: so many failed attempts a minute at most, and as many others.
    fn thinned(&self, from: u32, to: u32, of: Columns, hits: Columns, most: usize) -> Vec<Sampled> {
        let mut sampled = Vec::new();
        for minute in self.minutes(from, to) {
            for sample in [&minute.failed, &minute.well] {
                let (kept, weight) = sample.weighted(most);
                sampled.extend(kept.iter().filter(|kept| of.holds(kept.event)).map(|kept| Sampled {
                    leaf: kept.event.leaf(),
                    hit: hits.holds(kept.event),
                    amount_minor: kept.amount_minor,
                    weight,
                }));
            }
        }
        sampled
    }
}

/// Pair, denominator and numerator.
pub type PairCounts = Vec<((u16, u16), u32, u32)>;

#[cfg(test)]
mod tests;
