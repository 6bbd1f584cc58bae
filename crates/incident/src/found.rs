//! What detection found.

use onus_model::{Instant, Text};
use serde::{Deserialize, Serialize};

use crate::sample::{Dim, FailureClass, Family, Sample};

/// Failures among attempts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Rate {
    /// Attempts.
    pub attempts: u64,
    /// Failures of the family among them.
    pub failures: u64,
}

impl Rate {
    /// Failures per million attempts; 0 when there are none.
    #[must_use]
    pub fn ppm(self) -> u64 {
        (self.failures.saturating_mul(1_000_000)).checked_div(self.attempts).unwrap_or(0)
    }

    pub(crate) fn add(&mut self, failed: bool) {
        self.attempts += 1;
        self.failures += u64::from(failed);
    }

    pub(crate) fn plus(self, other: Self) -> Self {
        Self { attempts: self.attempts + other.attempts, failures: self.failures + other.failures }
    }

    pub(crate) fn minus(self, other: Self) -> Self {
        Self {
            attempts: self.attempts.saturating_sub(other.attempts),
            failures: self.failures.saturating_sub(other.failures),
        }
    }
}

/// A value that fails often only because it sits in the scope: outside of the scope, at the same time, it does not,
/// and others inside of it do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Excluded {
    /// Dimension of the value.
    pub dim: Dim,
    /// The value.
    pub value: u32,
    /// Its payments inside of the scope.
    pub inside: Rate,
    /// Its payments outside of the scope in the same time.
    pub elsewhere: Rate,
}

impl Excluded {
    /// In words; `name` is what the value is called and `scope` what the scope is called.
    #[must_use]
    pub fn text(&self, name: &str, scope: &Text) -> Text {
        let title = self.dim.title();
        let (inside, elsewhere) = (self.inside, self.elsewhere);
        Text {
            zh: format!(
                "{}{name}的失败随范围（{}）而来：范围内{}笔失败{}笔，同一时段范围外{}笔失败{}笔，其本身并不失败。",
                title.zh, scope.zh, inside.attempts, inside.failures, elsewhere.attempts, elsewhere.failures,
            ),
            en: format!(
                "{} {name} fails only within {}: {} of {} payments there, {} of {} elsewhere in the same time; it does not fail by itself.",
                title.en, scope.en, inside.failures, inside.attempts, elsewhere.failures, elsewhere.attempts,
            ),
        }
    }
}

/// Payments that failed together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Family of their failures.
    pub family: Family,
    /// The most frequent class among them.
    pub class: FailureClass,
    /// Innocent by its nature: nobody below the acquirer is to blame (from the policy).
    pub benign: bool,
    /// What they have in common, at most two dimensions, values in order; empty when nothing.
    pub scope: Vec<(Dim, Vec<u32>)>,
    /// Earliest record that belongs to it: the first failure, or what the registers show before.
    pub since: Instant,
    /// First failure.
    pub started_at: Instant,
    /// Last failure; none while it may still be going on when the samples end.
    pub ended_at: Option<Instant>,
    /// Indexes of the failed samples, in order.
    pub members: Vec<u32>,
    /// Payments in scope from first to last failure.
    pub attempts: u64,
    /// Failures among them.
    pub failures: u64,
    /// Failures per million of everything else.
    pub baseline_ppm: u64,
    /// Failures per million in scope from first to last failure.
    pub rate_ppm: u64,
    /// The contrast is strong enough to act on (policy); otherwise it is a hypothesis.
    pub confirmed: bool,
    /// Values that only sit in the scope, most failures first.
    pub excluded: Vec<Excluded>,
}

/// The most frequent class of a family among the samples with these indexes.
pub(crate) fn leading_class(samples: &[Sample], members: &[u32], family: Family) -> FailureClass {
    let mut counts: Vec<(FailureClass, u32)> = Vec::new();
    for sample in members.iter().filter_map(|member| samples.get(*member as usize)) {
        let class = if sample.also.family() == Some(family) { sample.also } else { sample.class };
        match counts.iter_mut().find(|(known, _)| *known == class) {
            Some((_, count)) => *count += 1,
            None => counts.push((class, 1)),
        }
    }
    counts.into_iter().max_by_key(|(_, count)| *count).map_or(FailureClass::None, |(class, _)| class)
}
