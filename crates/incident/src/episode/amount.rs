//! The amount that divides failures from successes, found from the payments themselves.

use onus_model::Instant;
use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use crate::{
    evidence::{BIT, contrast},
    found::{Found, Rate},
    grouped::{in_scope, value},
    policy::CutPolicy,
    sample::{Dim, Sample},
    scope::{higher, times},
};

/// An amount below (or from) which payments fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cut {
    /// The roundest amount of those that divide equally well, minor units.
    pub amount_minor: i64,
    /// The least and the greatest amount that divide equally well.
    pub between: (i64, i64),
    /// Payments fail below it; otherwise from it on.
    pub below: bool,
    /// Payments on the failing side.
    pub failing: Rate,
    /// Payments on the other side.
    pub other: Rate,
}

impl Cut {
    /// Whether an amount is on the failing side.
    #[must_use]
    pub const fn holds(&self, amount_minor: i64) -> bool {
        (amount_minor < self.amount_minor) == self.below
    }

    /// As a value of the dimension `amount` of a scope.
    #[must_use]
    pub fn scope_value(&self) -> String {
        let sign = if self.below { "<" } else { ">=" };
        format!("{sign} {}.{:02}", self.amount_minor / 100, self.amount_minor % 100)
    }
}

/// Payments of one kind: alike in city, entry mode and PIN to those of an episode's scope, in its time, whatever else
/// they have. In order of amount, and whether each failed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Alike {
    rows: Vec<(i64, bool)>,
}

impl Alike {
    /// Payments alike to those of an episode.
    #[must_use]
    pub fn of(samples: &[Sample], found: &Found, policy: &CutPolicy) -> Self {
        let until = found.ended_at.unwrap_or(Instant(i64::MAX));
        let in_time = || samples.iter().filter(|sample| (found.started_at..=until).contains(&sample.at));
        let like: Vec<(Dim, Vec<u32>)> = [Dim::City, Dim::EntryMode, Dim::Pin]
            .into_iter()
            .map(|dim| (dim, usual(in_time().filter(|sample| in_scope(sample, &found.scope)), dim, policy)))
            .collect();
        let alike = in_time().filter(|sample| in_scope(sample, &like));
        let mut rows: Vec<(i64, bool)> =
            alike.map(|sample| (sample.amount_minor, sample.fails_in(found.family))).collect();
        rows.sort_unstable();
        Self { rows }
    }

    /// Takes more payments in: the amount of each, and whether it failed.
    pub(crate) fn add(&mut self, payments: impl Iterator<Item = (i64, bool)>) {
        self.rows.extend(payments);
        self.rows.sort_unstable();
    }

    pub(crate) const fn len(&self) -> usize {
        self.rows.len()
    }

    /// Counts of `bins` ranges of amount, each as wide as the others, up to twice the cut or to nearly all amounts.
    #[must_use]
    pub fn bins(&self, cut: Option<&Cut>, bins: u32) -> Vec<(i64, i64, Rate)> {
        let most = self.rows.get(self.rows.len().saturating_mul(19) / 20).map_or(0, |row| row.0);
        let end = cut.map_or(most, |cut| cut.amount_minor.saturating_mul(2)).max(1);
        let bins = i64::from(bins.max(1));
        let bound = |number: i64| end.saturating_mul(number) / bins;
        let range = |number: i64| {
            let (from, to) = (bound(number), bound(number + 1));
            let rows = self.rows.iter().skip_while(|row| row.0 < from).take_while(|row| row.0 < to);
            (from, to, rate(rows))
        };
        (0..bins).map(range).collect()
    }

    /// The amount that divides failures from successes, when one does.
    #[must_use]
    pub fn cut(&self, policy: &CutPolicy) -> Option<Cut> {
        let all = rate(self.rows.iter());
        let mut below = Rate::default();
        // At each change of amount: the last amount below, the first above, and the counts below.
        let mut borders: Vec<(i64, i64, Rate)> = Vec::new();
        for pair in self.rows.windows(2) {
            let [(amount, failed), (next, _)] = pair else { continue };
            below.add(*failed);
            if amount != next {
                borders.push((*amount, *next, below));
            }
        }
        let worth: Vec<i64> = borders.iter().map(|border| contrast(border.2, all)).collect();
        let (best, most) = borders.iter().zip(&worth).max_by_key(|(_, worth)| **worth)?;
        let is_below = higher(best.2, all.minus(best.2));
        let (failing, other) = if is_below { (best.2, all.minus(best.2)) } else { (all.minus(best.2), best.2) };
        if !divides(failing, other, all, *most, policy) {
            return None;
        }
        let enough = most - i64::from(policy.slack_bits) * BIT;
        let mut as_good = borders.iter().zip(&worth).filter(|(_, worth)| **worth >= enough).map(|(border, _)| border);
        let first = as_good.next()?;
        let last = as_good.next_back().unwrap_or(first);
        Some(Cut {
            amount_minor: roundest(first.0, last.1),
            between: (first.0 + 1, last.1),
            below: is_below,
            failing,
            other,
        })
    }
}

fn divides(failing: Rate, other: Rate, all: Rate, bits: i64, policy: &CutPolicy) -> bool {
    bits >= i64::from(policy.min_evidence_bits) * BIT
        && other.attempts >= policy.min_attempts
        && times(failing.failures, all.failures, policy.min_recall_ppm)
        && times(failing.ppm(), other.ppm().max(1), policy.min_ratio_ppm)
}

/// Values that a share of the samples has.
fn usual<'s>(samples: impl Iterator<Item = &'s Sample>, dim: Dim, policy: &CutPolicy) -> Vec<u32> {
    let mut counts: FxHashMap<u32, u64> = FxHashMap::default();
    let mut all = 0u64;
    for sample in samples {
        *counts.entry(value(&sample.dims, dim)).or_default() += 1;
        all += 1;
    }
    let mut values: Vec<u32> = counts
        .into_iter()
        .filter(|(_, count)| times(*count, all, policy.usual_share_ppm))
        .map(|(value, _)| value)
        .collect();
    values.sort_unstable();
    values
}

fn rate<'r>(rows: impl Iterator<Item = &'r (i64, bool)>) -> Rate {
    rows.fold(Rate::default(), |mut rate, (_, failed)| {
        rate.add(*failed);
        rate
    })
}

/// The roundest amount above `low` and up to `high`.
fn roundest(low: i64, high: i64) -> i64 {
    let mut step = 1_000_000_000_000i64;
    while step > 1 {
        for unit in [step, step / 2] {
            let amount = high.checked_div(unit).unwrap_or_default().saturating_mul(unit);
            if amount > low {
                return amount;
            }
        }
        step /= 10;
    }
    high
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        detect::detect,
        policy::Policy,
        sample::FailureClass,
        streams::{Rng, Stream, at},
    };

    /// A day in which link 211 carries what is below the limit and fails.
    fn day(seed: u64, payments: u64, limit: i64) -> Stream {
        let mut stream = Stream::quiet(seed, payments);
        let mut rng = Rng::new(seed);
        for sample in &mut stream.samples {
            sample.amount_minor = 100 + i64::try_from(rng.below(120_000)).unwrap();
            if [1, 2].contains(&sample.dims[2]) {
                sample.dims[0] = if sample.amount_minor < limit { 211 } else { 201 };
            }
        }
        stream.fail(|sample, rng| {
            let hit = sample.dims[0] == 211 && (at("10:20")..at("14:05")).contains(&sample.at);
            (hit && rng.chance(600_000)).then_some(FailureClass::NoAnswer)
        });
        stream
    }

    #[test]
    fn finds_the_amount_within_one_per_cent() {
        let policy = Policy::builtin().unwrap();
        for (seed, limit) in [(1, 50_000), (2, 50_000), (3, 30_000), (4, 100_000), (5, 50_000), (6, 20_000)] {
            let stream = day(seed, 40_000, limit);
            let found = detect(&stream.samples, &policy).remove(0);
            let cut = Alike::of(&stream.samples, &found, &policy.cut).cut(&policy.cut).unwrap();
            assert!(cut.amount_minor.abs_diff(limit) * 100 <= limit.unsigned_abs(), "seed {seed}: {cut:?}");
            assert!(cut.below && cut.holds(limit - 500) && !cut.holds(limit + 500), "{cut:?}");
            assert!(cut.failing.ppm() > 500_000 && cut.other.ppm() < 20_000, "{cut:?}");
        }
    }

    #[test]
    fn there_is_no_cut_where_amounts_do_not_matter() {
        let policy = Policy::builtin().unwrap();
        for seed in 0..5 {
            let mut stream = Stream::quiet(seed, 20_000);
            let mut rng = Rng::new(seed);
            for sample in &mut stream.samples {
                sample.amount_minor = 100 + i64::try_from(rng.below(120_000)).unwrap();
            }
            stream.fail(|sample, rng| {
                let hit = sample.dims[0] == 202 && (at("10:20")..at("11:05")).contains(&sample.at);
                (hit && rng.chance(600_000)).then_some(FailureClass::NoAnswer)
            });
            let found = detect(&stream.samples, &policy).remove(0);
            assert_eq!(Alike::of(&stream.samples, &found, &policy.cut).cut(&policy.cut), None);
        }
    }

    #[test]
    fn round_amounts_are_preferred() {
        let table = [((49_870, 50_110), 50_000), ((29_999, 30_000), 30_000), ((12_340, 12_349), 12_345), ((7, 8), 8)];
        for ((low, high), expected) in table {
            assert_eq!(roundest(low, high), expected);
        }
        let cut = Cut {
            amount_minor: 50_000,
            between: (49_871, 50_110),
            below: true,
            failing: Rate::default(),
            other: Rate::default(),
        };
        assert_eq!(cut.scope_value(), "< 500.00");
    }
}
