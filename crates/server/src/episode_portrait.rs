//! What is told about an episode, as judging wrote it into its body.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::verdict_body::TwoTexts;

/// Failures among payments.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct FailureRate {
    attempts: i64,
    failures: i64,
}

/// The episode came into a state.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct EpisodeStep {
    at: String,
    state: String,
    /// Payments of the scope up to then.
    seen: FailureRate,
}

/// The amount that divides failures from successes.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct AmountCut {
    amount_minor: i64,
    /// Amounts from here ...
    low_minor: i64,
    /// ... to here divide equally well.
    high_minor: i64,
    /// Payments below it fail; otherwise those from it on.
    below: bool,
    failing: FailureRate,
    other: FailureRate,
}

/// Payments of a range of amounts, alike to those of the scope.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct AmountBin {
    from_minor: i64,
    to_minor: i64,
    rate: FailureRate,
}

/// A dimension of the map of scope.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct MapRow {
    dim: String,
    /// The scope names values of it.
    scoped: bool,
    cells: Vec<MapCell>,
}

/// Payments of one value, in scope and elsewhere in the same time.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct MapCell {
    value: String,
    inside: FailureRate,
    elsewhere: FailureRate,
}

/// The matched comparison of an agent.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct MatchedAgent {
    code: String,
    inside: FailureRate,
    elsewhere: FailureRate,
    amount_minor: i64,
    /// `cleared`: its payments elsewhere succeed; `in_scope`: the scope names it; `open`: too few to tell.
    standing: String,
}

/// Counts of a stretch of time.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct TimelineMoment {
    at: String,
    inside: FailureRate,
    elsewhere: FailureRate,
}

/// A hypothesis for the cause, or a look-alike, and what its comparison says.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct WeighedHypothesis {
    id: String,
    /// A look-alike: nobody would be to blame.
    innocent: bool,
    /// `supports`, `excludes` or `unknown`.
    verdict: String,
    says: TwoTexts,
    looks_at: TwoTexts,
    finding: TwoTexts,
    source: String,
    grade: String,
    a: FailureRate,
    b: FailureRate,
}

/// What is told about an episode beside its row.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct Portrait {
    steps: Vec<EpisodeStep>,
    /// When its twentieth failure could be known.
    twentieth_at: Option<String>,
    first_failure_at: String,
    rate: FailureRate,
    baseline_ppm: i64,
    cut: Option<AmountCut>,
    amounts: Vec<AmountBin>,
    map: Vec<MapRow>,
    agents: Vec<MatchedAgent>,
    timeline: Vec<TimelineMoment>,
    hypotheses: Vec<WeighedHypothesis>,
    notice: TwoTexts,
    notice_agent: TwoTexts,
}
