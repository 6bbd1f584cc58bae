//! One minute of the cube.

use serde::{Deserialize, Serialize};

use super::kept::{Kept, Sample};
use super::leaf::{Event, Leaf, Outcome};
use super::symbols::Translation;
use super::table::{Sum, Table};
use super::tally::Tally;
use super::{Attempt, CubeLimits};

/// What was attempted in one minute.
///
/// Leaves are folded together step by step when there are too many of them. The step that a minute is at is the
/// least at which all leaves it ever saw fit, so it does not depend on the order or on who counted what; the tally
/// and the sample are never folded.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Minute {
    pub(super) step: usize,
    pub(super) leaves: Table,
    pub(super) tally: Tally,
    pub(super) well: Sample,
    pub(super) failed: Sample,
}

impl Minute {
    /// A minute with room for what the one before needed.
    pub(super) fn after(before: Option<&Self>) -> Self {
        before.map_or_else(Self::default, |before| Self {
            leaves: Table::with_room(before.leaves.len()),
            tally: Tally::like(&before.tally),
            ..Self::default()
        })
    }

    pub(super) fn add(&mut self, attempt: &Attempt, sign: i32, limits: &CubeLimits) {
        let event = Event::new(attempt.leaf, attempt.outcome, attempt.latency, attempt.reversed);
        let amount_minor = i64::try_from(attempt.amount_minor).unwrap_or(i64::MAX);
        let sum = Sum { attempts: sign, amount_minor: amount_minor.saturating_mul(i64::from(sign)) };
        self.leaves.add(event.folded(limits.mask(self.step)), sum);
        self.tally.add(attempt.leaf, event, sign);
        let kept = Kept::new(attempt.id, event, attempt.amount_minor);
        let sample = if attempt.outcome == Outcome::Approved { &mut self.well } else { &mut self.failed };
        if sign > 0 {
            sample.add(kept, limits.most_kept);
        } else {
            sample.retract(kept);
        }
        self.fold(limits);
    }

    pub(super) fn merge(&mut self, other: &Self, limits: &CubeLimits) {
        if other.step > self.step {
            self.step = other.step;
            self.leaves = self.leaves.folded(limits.mask(self.step));
        }
        self.leaves.add_all(&other.leaves, limits.mask(self.step));
        self.tally.add_all(&other.tally);
        self.well.add_all(&other.well, limits.most_kept);
        self.failed.add_all(&other.failed, limits.most_kept);
        self.fold(limits);
    }

    fn fold(&mut self, limits: &CubeLimits) {
        while self.leaves.len() > limits.most_leaves && self.step < limits.fold.len() {
            self.step += 1;
            self.leaves = self.leaves.folded(limits.mask(self.step));
        }
    }

    pub(super) fn translated(&self, translation: &Translation, limits: &CubeLimits) -> Self {
        let event = |event: Event, leaf: Leaf| Event::new(leaf, event.outcome(), event.latency(), event.reversed());
        let mut translated = Self { step: self.step, ..Self::default() };
        for (old, sum) in self.leaves.iter() {
            translated.leaves.add(event(old, translation.leaf(old.leaf())).folded(limits.mask(self.step)), sum);
        }
        translated.tally = self.tally.translated(translation);
        translated.well = self.well.map(|old| event(old, translation.leaf(old.leaf())));
        translated.failed = self.failed.map(|old| event(old, translation.leaf(old.leaf())));
        translated
    }

    pub(super) fn bytes(&self) -> usize {
        self.leaves.bytes() + self.tally.bytes() + self.well.bytes() + self.failed.bytes()
    }
}
