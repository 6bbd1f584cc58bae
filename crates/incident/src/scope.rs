//! What failures have in common: the set of values that describes them in the fewest bits.

use std::ops::RangeInclusive;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::{
    columns::Columns,
    evidence::{BIT, contrast, log2},
    found::Rate,
    policy::FamilyPolicy,
    sample::Dim,
};

/// State of a sample within one family.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mark {
    /// Did not fail in this family.
    Fine,
    /// Failed.
    Failed,
    /// Failed and already belongs to an episode.
    Taken,
}

/// A set of values of one dimension, or of each of two; all must match. Without parts it holds everything.
#[derive(Debug, Clone, Default)]
pub(crate) struct Scope {
    parts: Vec<(Dim, Vec<u32>)>,
}

impl Scope {
    /// A test of membership that costs one or two indexings a sample.
    pub(crate) fn test<'a>(&self, columns: &'a Columns) -> ScopeTest<'a> {
        let table = |(dim, values): &(Dim, Vec<u32>)| {
            let mut table = vec![false; columns.cardinality(*dim)];
            for value in values {
                if let Some(cell) = table.get_mut(*value as usize) {
                    *cell = true;
                }
            }
            (columns.of_dim(*dim), table)
        };
        ScopeTest { parts: self.parts.iter().map(table).collect() }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    pub(crate) fn has(&self, dim: Dim) -> bool {
        self.parts.iter().any(|(other, _)| *other == dim)
    }

    /// With the caller's symbols, in order.
    pub(crate) fn symbols(&self, columns: &Columns) -> Vec<(Dim, Vec<u32>)> {
        let part = |(dim, values): &(Dim, Vec<u32>)| {
            let mut symbols: Vec<u32> = values.iter().map(|value| columns.symbol(*dim, *value)).collect();
            symbols.sort_unstable();
            (*dim, symbols)
        };
        self.parts.iter().map(part).collect()
    }
}

/// See [`Scope::test`].
pub(crate) struct ScopeTest<'a> {
    parts: Vec<(&'a [u32], Vec<bool>)>,
}

impl ScopeTest<'_> {
    pub(crate) fn holds(&self, index: usize) -> bool {
        self.parts.iter().all(|(column, table)| {
            column.get(index).and_then(|value| table.get(*value as usize)).copied().unwrap_or(false)
        })
    }
}

/// A scope with what it is worth.
struct Candidate {
    scope: Scope,
    inside: Rate,
    /// Bits that it saves, values paid for.
    worth: i64,
}

/// Values with their counts.
type Cells = Vec<(u32, Rate)>;

/// Finds the scope of the failures in a range of samples.
pub(crate) struct Localiser<'a> {
    pub(crate) columns: &'a Columns,
    pub(crate) marks: &'a [Mark],
    pub(crate) policy: &'a FamilyPolicy,
}

impl Localiser<'_> {
    /// The scope that describes the failures of the range best, if one holds most of them at a rate far above the rest.
    pub(crate) fn scope_of(&self, range: RangeInclusive<usize>) -> Option<Scope> {
        let all = self.total(range.clone());
        let mut best: Option<Candidate> = None;
        for dim in &self.policy.dims {
            let cells = self.cells(*dim, range.clone());
            if let Some(candidate) = self.one(*dim, &cells, all) {
                keep_better(&mut best, candidate, all, self.policy, 1_000_000);
            }
        }
        for pair in &self.policy.pairs {
            if let Some(candidate) = self.two(*pair, range.clone(), all) {
                keep_better(&mut best, candidate, all, self.policy, self.policy.pair_gain_ppm);
            }
        }
        best.map(|candidate| candidate.scope)
    }

    fn total(&self, range: RangeInclusive<usize>) -> Rate {
        let mut all = Rate::default();
        for mark in self.marks.get(range).unwrap_or_default() {
            if *mark != Mark::Taken {
                all.add(*mark == Mark::Failed);
            }
        }
        all
    }

    /// Counts by value of a dimension; samples without a value are left out.
    fn cells(&self, dim: Dim, range: RangeInclusive<usize>) -> Cells {
        let mut counts = vec![Rate::default(); self.columns.cardinality(dim)];
        let values = self.columns.of_dim(dim).get(range.clone()).unwrap_or_default();
        for (value, mark) in values.iter().zip(self.marks.get(range).unwrap_or_default()) {
            if *mark != Mark::Taken
                && let Some(rate) = counts.get_mut(*value as usize)
            {
                rate.add(*mark == Mark::Failed);
            }
        }
        (0u32..).zip(counts).skip(1).collect()
    }

    /// Bits to name one value of a dimension.
    fn price(&self, dim: Dim) -> i64 {
        log2(self.columns.cardinality(dim) as u64) + i64::from(self.policy.value_cost_bits) * BIT
    }

    fn one(&self, dim: Dim, cells: &Cells, all: Rate) -> Option<Candidate> {
        let (values, inside) = best_set(cells, all, self.price(dim), self.policy)?;
        let worth = contrast(inside, all) - self.price(dim) * count(&values);
        Some(Candidate { scope: Scope { parts: vec![(dim, values)] }, inside, worth })
    }

    /// The best values of two dimensions together, by turns: fix one side, choose the other, until both stand still.
    fn two(&self, (a, b): (Dim, Dim), range: RangeInclusive<usize>, all: Rate) -> Option<Candidate> {
        let mut cells: FxHashMap<(u32, u32), Rate> = FxHashMap::default();
        let (left, right) = (self.columns.of_dim(a), self.columns.of_dim(b));
        let values = left.iter().zip(right).zip(self.marks);
        for ((left, right), mark) in values.take(range.end() + 1).skip(*range.start()) {
            if *mark != Mark::Taken && *left != 0 && *right != 0 {
                cells.entry((*left, *right)).or_default().add(*mark == Mark::Failed);
            }
        }
        let from_left = self.by_turns((a, b), &cells, all, true);
        let from_right = self.by_turns((a, b), &cells, all, false);
        from_left.into_iter().chain(from_right).max_by_key(|candidate| candidate.worth)
    }

    fn by_turns(
        &self,
        (a, b): (Dim, Dim),
        cells: &FxHashMap<(u32, u32), Rate>,
        all: Rate,
        left_first: bool,
    ) -> Option<Candidate> {
        let (mut left, mut right): (Option<Vec<u32>>, Option<Vec<u32>>) = (None, None);
        let mut inside = Rate::default();
        // Each turn can only gain, so few suffice; four is two for each side.
        for turn in 0..4 {
            let on_left = (turn % 2 == 0) == left_first;
            let marginal = marginal(cells, if on_left { right.as_deref() } else { left.as_deref() }, on_left);
            let (values, rate) = best_set(&marginal, all, self.price(if on_left { a } else { b }), self.policy)?;
            inside = rate;
            *(if on_left { &mut left } else { &mut right }) = Some(values);
        }
        let (left, right) = (left?, right?);
        let worth = contrast(inside, all) - self.price(a) * count(&left) - self.price(b) * count(&right);
        Some(Candidate { scope: Scope { parts: vec![(a, left), (b, right)] }, inside, worth })
    }
}

/// Counts of one side of a pair, over the chosen values of the other side.
fn marginal(cells: &FxHashMap<(u32, u32), Rate>, other: Option<&[u32]>, on_left: bool) -> Cells {
    let other: Option<FxHashSet<u32>> = other.map(|values| values.iter().copied().collect());
    let mut sums: FxHashMap<u32, Rate> = FxHashMap::default();
    for ((left, right), rate) in cells {
        let (own, across) = if on_left { (*left, *right) } else { (*right, *left) };
        if other.as_ref().is_none_or(|values| values.contains(&across)) {
            let sum = sums.entry(own).or_default();
            *sum = sum.plus(*rate);
        }
    }
    sums.into_iter().collect()
}

/// The set of values worth most.
///
/// A value is looked at when it pays for itself against those left outside. Whoever is left outside is not known
/// before a set is chosen, so the choice is made against everybody first and then against the rest it leaves.
fn best_set(cells: &Cells, all: Rate, price: i64, policy: &FamilyPolicy) -> Option<(Vec<u32>, Rate)> {
    let mut chosen: Option<(Vec<u32>, Rate)> = None;
    for _ in 0..4 {
        let others = |value: u32, rate: Rate| match &chosen {
            None => all.minus(rate),
            Some((values, inside)) if values.contains(&value) => all.minus(*inside),
            Some((_, inside)) => all.minus(*inside).minus(rate),
        };
        let values = in_order_of_rate(cells, others, price);
        let next = best_beginning(values, all, price, policy)?;
        if chosen.as_ref() == Some(&next) {
            break;
        }
        chosen = Some(next);
    }
    chosen
}

/// Values that pay for themselves against the others, the highest rate first.
fn in_order_of_rate(cells: &Cells, others: impl Fn(u32, Rate) -> Rate, price: i64) -> Cells {
    let pays = |value: u32, rate: Rate| {
        let others = others(value, rate);
        higher(rate, others) && contrast(rate, others.plus(rate)) > price
    };
    let kept = cells.iter().copied().filter(|(value, rate)| pays(*value, *rate));
    let mut values: Cells = kept.collect();
    // Cross products compare rates exactly; the rest makes the order total.
    let weight = |a: Rate, b: Rate| u128::from(a.failures) * u128::from(b.attempts);
    values
        .sort_by(|(v, a), (w, b)| weight(*b, *a).cmp(&weight(*a, *b)).then(b.failures.cmp(&a.failures)).then(v.cmp(w)));
    values
}

/// With values in order of rate the best set is a beginning of that order, so one pass finds it. One that holds
/// enough of the failures goes before one that is worth more but does not.
fn best_beginning(values: Cells, all: Rate, price: i64, policy: &FamilyPolicy) -> Option<(Vec<u32>, Rate)> {
    let (mut sum, mut best, mut taken) = (Rate::default(), ((false, 0), Rate::default()), 0usize);
    for (index, (_, rate)) in values.iter().enumerate() {
        if !times(rate.ppm(), sum.ppm(), policy.min_value_share_ppm) {
            break;
        }
        sum = sum.plus(*rate);
        let worth = contrast(sum, all) - price * i64::try_from(index + 1).unwrap_or(i64::MAX);
        let merit = (recalls(sum, all, policy), worth);
        if worth > 0 && merit > best.0 {
            (best, taken) = ((merit, sum), index + 1);
        }
    }
    (taken > 0).then(|| (values.into_iter().take(taken).map(|(value, _)| value).collect(), best.1))
}

fn keep_better(best: &mut Option<Candidate>, candidate: Candidate, all: Rate, policy: &FamilyPolicy, gain_ppm: u64) {
    let scaled = |candidate: &Candidate, ppm: u64| i128::from(candidate.worth) * i128::from(ppm);
    let better = best.as_ref().is_none_or(|best| scaled(&candidate, 1_000_000) > scaled(best, gain_ppm));
    if better && acceptable(candidate.inside, all, policy) {
        *best = Some(candidate);
    }
}

fn acceptable(inside: Rate, all: Rate, policy: &FamilyPolicy) -> bool {
    let recall = inside.failures.saturating_mul(1_000_000) >= all.failures.saturating_mul(policy.min_recall_ppm);
    let evidence = contrast(inside, all) >= i64::from(policy.min_evidence_bits) * BIT;
    let ordinary = all.minus(inside).ppm().max(policy.baseline_floor_ppm);
    recall && evidence && inside.failures >= policy.min_failures && times(inside.ppm(), ordinary, policy.min_ratio_ppm)
}

/// Whether enough of the failures are inside.
fn recalls(inside: Rate, all: Rate, policy: &FamilyPolicy) -> bool {
    times(inside.failures, all.failures, policy.min_recall_ppm)
}

/// Whether a rate is at least `ratio_ppm` times another.
pub(crate) fn times(rate_ppm: u64, other_ppm: u64, ratio_ppm: u64) -> bool {
    u128::from(rate_ppm) * 1_000_000 >= u128::from(other_ppm) * u128::from(ratio_ppm)
}

/// Whether the first rate is above the second.
pub(crate) fn higher(a: Rate, b: Rate) -> bool {
    u128::from(a.failures) * u128::from(b.attempts) > u128::from(b.failures) * u128::from(a.attempts)
}

fn count(values: &[u32]) -> i64 {
    i64::try_from(values.len()).unwrap_or(i64::MAX)
}
