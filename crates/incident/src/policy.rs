//! When failures count as an episode: thresholds as data.

use onus_model::{Grade, Text};
use serde::Deserialize;

use crate::sample::{Dim, Family};

/// A policy did not read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// Not TOML of the expected form.
    #[error("episode policy: {0}")]
    Form(String),
    /// A family's numbers do not fit.
    #[error("episode policy, family {family}: {problem}")]
    Family {
        /// The family.
        family: &'static str,
        /// What is wrong and what was expected.
        problem: &'static str,
    },
}

/// Whether a fault has a beginning and an end or is looked at over all the time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shape {
    /// A stretch of time.
    Burst,
    /// All the time.
    Standing,
    /// Each failure is proven by records; they are put together by what they share, not by their rate.
    Grouped,
}

/// Thresholds of one family; the meaning of each is told at the head of `packs/episodes-1/policy.toml`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FamilyPolicy {
    /// The family.
    pub family: Family,
    /// Burst or standing.
    pub shape: Shape,
    /// Dimensions that can explain it, preferred first.
    pub dims: Vec<Dim>,
    /// Grouped only: failures with the same values here are one episode.
    #[serde(default)]
    pub group_by: Vec<Dim>,
    /// Grouped only: the dimension whose values the episode names.
    #[serde(default)]
    pub name_by: Option<Dim>,
    /// Not an incident that explains failures but harm that shows beside them: told apart and exported apart.
    #[serde(default)]
    pub pattern: bool,
    /// Whether to look for an amount that divides failures from successes.
    #[serde(default)]
    pub amount_cut: bool,
    /// Pairs of dimensions that can explain it.
    pub pairs: Vec<(Dim, Dim)>,
    /// Whether a burst or a standing fault without a scope is an episode.
    pub spread: bool,
    /// Innocent by its nature.
    pub benign: bool,
    /// Least failures.
    pub min_failures: u64,
    /// Least evidence in bits.
    pub min_evidence_bits: u32,
    /// Least rate against the rate elsewhere.
    pub min_ratio_ppm: u64,
    /// Least rate against the same value's rate at other times.
    pub min_own_ratio_ppm: u64,
    /// Least attempts for a comparison with a value's own other payments.
    pub compare_min_attempts: u64,
    /// Least ordinary rate.
    pub baseline_floor_ppm: u64,
    /// Longest silence within a burst; otherwise the silence after which it has recovered.
    pub closing_gap_seconds: u32,
    /// Least share of the failures that a scope must hold.
    pub min_recall_ppm: u64,
    /// Least rate of a further value against the scope's.
    pub min_value_share_ppm: u64,
    /// Price in bits of each value in a scope, on top of naming it.
    pub value_cost_bits: u32,
    /// Least gain of a pair over one dimension.
    pub pair_gain_ppm: u64,
    /// Evidence from which on it is confirmed.
    pub confirm_evidence_bits: u32,
    /// Share of the failures from which on it is confirmed.
    pub confirm_recall_ppm: u64,
    /// Rate against the rate elsewhere from which on it is confirmed.
    pub confirm_ratio_ppm: u64,
    /// Least share of the failures for a value to be named as one that only sits in the scope.
    pub exclude_share_ppm: u64,
    /// Most episodes in one run.
    pub max_episodes: u32,
    /// Where the numbers come from.
    pub source: String,
    /// How far they can be trusted.
    pub grade: Grade,
    /// What the family is.
    pub comment: Text,
}

/// Thresholds of what registers witness.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WitnessPolicy {
    /// Minutes after a change of board within which keys must be loaded.
    pub key_grace_minutes: i64,
    /// Where the numbers come from.
    pub source: String,
    /// How far they can be trusted.
    pub grade: Grade,
}

/// Thresholds of the life of an episode.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LifePolicy {
    /// Where the middle lies between the ordinary rate (0) and its own (1000000).
    pub mitigated_share_ppm: u64,
    /// Bits for the middle against its own rate from which on it is mitigated.
    pub eased_evidence_bits: u32,
    /// Bits for its own rate against the middle from which on it is no longer mitigated.
    pub worsened_evidence_bits: u32,
    /// Bits for the ordinary rate against the middle from which on it has recovered.
    pub recovered_evidence_bits: u32,
    /// Bits for its own rate against the ordinary one from which on it is back.
    pub reopened_evidence_bits: u32,
    /// Seconds for which a run that looks again and again must read a state before it counts.
    pub steady_seconds: u32,
    /// Closed when it has been recovered for so long.
    pub closed_after_seconds: u32,
    /// Where the numbers come from.
    pub source: String,
    /// How far they can be trusted.
    pub grade: Grade,
}

/// Thresholds of what is said about terminals that no record speaks against.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UnprovenPolicy {
    /// Least terminals that only their own payments gave away; with fewer nothing is said.
    pub min_given_away: u32,
    /// Least chance to be named.
    pub min_chance_ppm: u64,
    /// Where the numbers come from.
    pub source: String,
    /// How far they can be trusted.
    pub grade: Grade,
}

/// Thresholds of the search for an amount.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CutPolicy {
    /// Least evidence in bits.
    pub min_evidence_bits: u32,
    /// Amounts that divide worse by no more than so many bits are as good.
    pub slack_bits: u32,
    /// Least payments on the other side.
    pub min_attempts: u64,
    /// Least share of the failures on the failing side.
    pub min_recall_ppm: u64,
    /// Least rate of the failing side against the other.
    pub min_ratio_ppm: u64,
    /// A value that this share of the scope's payments has is usual there.
    pub usual_share_ppm: u64,
    /// Where the numbers come from.
    pub source: String,
    /// How far they can be trusted.
    pub grade: Grade,
}

/// Thresholds of all families; a family that is not listed is not looked for.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// Name and version.
    pub id: String,
    /// What counts as a register's witness.
    pub witness: WitnessPolicy,
    /// When an episode eases, recovers and closes.
    pub life: LifePolicy,
    /// When a terminal is named that no record speaks against.
    pub unproven: UnprovenPolicy,
    /// When an amount divides failures from successes.
    pub cut: CutPolicy,
    /// Families, in the order in which they are looked for.
    #[serde(rename = "family")]
    pub families: Vec<FamilyPolicy>,
}

impl Policy {
    /// Reads a policy (`packs/episodes-*/policy.toml`).
    ///
    /// # Errors
    /// Names the line, or the family and number, that is wrong.
    pub fn from_toml(text: &str) -> Result<Self, PolicyError> {
        let policy: Self = toml::from_str(text).map_err(|error| PolicyError::Form(error.to_string()))?;
        for (index, family) in policy.families.iter().enumerate() {
            let twice = policy.families.iter().skip(index + 1).any(|other| other.family == family.family);
            let problem = if twice { Some("stands twice; keep one") } else { family.problem() };
            if let Some(problem) = problem {
                return Err(PolicyError::Family { family: family.family.as_str(), problem });
            }
        }
        Ok(policy)
    }

    /// The policy in the repository (`packs/episodes-1`).
    ///
    /// # Errors
    /// When that file is broken, which the tests of this crate rule out.
    pub fn builtin() -> Result<Self, PolicyError> {
        Self::from_toml(include_str!("../../../packs/episodes-1/policy.toml"))
    }
}

impl FamilyPolicy {
    /// Whether silence and not a rate says when it is over: payments of proven and standing faults are unlike each
    /// other, and a quiet terminal among bad ones is no recovery.
    pub(crate) fn ends_by_silence(&self) -> bool {
        self.shape != Shape::Burst
    }

    fn problem(&self) -> Option<&'static str> {
        let pair_wrong = |(a, b): &(Dim, Dim)| a == b || a.is_individual() || b.is_individual();
        let grouped = self.shape == Shape::Grouped;
        if self.dims.is_empty() {
            Some("dims is empty; name at least one dimension")
        } else if self.pairs.iter().any(pair_wrong) {
            Some("a pair needs two different dimensions other than terminal and merchant")
        } else if grouped != self.name_by.is_some() || (!grouped && !self.group_by.is_empty()) {
            Some("name_by and group_by belong to shape grouped, which needs name_by")
        } else if self.min_failures == 0 || self.min_evidence_bits == 0 {
            Some("min_failures and min_evidence_bits must be above 0, or every payment is an episode")
        } else if self.min_ratio_ppm <= 1_000_000 || self.pair_gain_ppm < 1_000_000 {
            Some("min_ratio_ppm must be above 1000000 (once) and pair_gain_ppm at least that")
        } else if self.baseline_floor_ppm == 0 || self.baseline_floor_ppm > 500_000 {
            Some("baseline_floor_ppm must be from 1 to 500000")
        } else if self.min_recall_ppm > 1_000_000 || self.confirm_recall_ppm > 1_000_000 {
            Some("a share is at most 1000000 ppm")
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_builtin_policy_reads_and_names_its_sources() {
        let policy = Policy::builtin().unwrap();
        assert_eq!(policy.families.len(), 12);
        for family in &policy.families {
            assert!(!family.source.is_empty() && !family.comment.zh.is_empty() && !family.comment.en.is_empty());
        }
    }

    #[test]
    fn says_what_is_wrong() {
        let text = include_str!("../../../packs/episodes-1/policy.toml");
        let table = [
            ("min_failures = 12", "min_failures = 0", "above 0"),
            ("min_ratio_ppm = 5_000_000", "min_ratio_ppm = 5", "above 1000000"),
            ("family = \"acquirer_silent\"", "family = \"lost\"", "stands twice"),
            ("[\"network_link\", \"issuer\"],", "[\"issuer\", \"issuer\"],", "two different"),
            ("spread = true", "spred = true", "spred"),
        ];
        for (from, to, expected) in table {
            let said = Policy::from_toml(&text.replacen(from, to, 1)).unwrap_err().to_string();
            assert!(said.contains(expected), "{said}");
        }
    }
}
