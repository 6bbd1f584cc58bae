//! Facts become findings, findings become a verdict.
//!
//! [`Pack`] holds decision tables as data: causes (which facts make which cause how sure) and rules (who pays the user
//! first, who bears it in the end, on which ground). Rows test facts of a closed vocabulary; the first row that fits
//! decides; a fact that is unknown never meets a test. A pack is proven when it loads: no gap, no overlap of equal rank,
//! no row that can never apply, no agent charged without a basis or on an unknown cause.

mod bearers;
mod burden;
mod condition;
mod contract;
mod decide;
mod diagnosis;
mod explain;
mod facts;
mod limits;
mod monitoring;
mod pack;
mod pack_builtin;
mod pack_cases;
mod pack_checks;
mod pack_file;
mod proofs;
mod reasons;
mod shadow;
mod value;
mod vocabulary;

pub use bearers::split_minor;
pub use burden::{OpenBurden, open_burdens, presume};
pub use contract::{Clause, VoidClause, with_clauses};
pub use decide::{Outcome, decide, judge, kind_of, outcome_sha256, verdict_sha256};
pub use diagnosis::{Ask, Hypothesis, asks, diagnose};
pub use explain::{Proof, ShownFact, prove};
pub use facts::{Fact, FactError, Facts, facts_sha256};
pub use limits::{Limit, LimitOf, Verified, network_limits};
pub use monitoring::{Counted, Forecast, MonthCounts, Programme, SalesOf, Standing, programmes};
pub use pack::{Pack, PackCase, PackError, PackFiles, Place, Principle, Rule, VerifiedBy};
pub use pack_builtin::{NAMES as PACK_NAMES, shipped};
pub use pack_cases::{CaseResult, Difference, difference, run_cases};
pub use reasons::{MustProve, ReasonCode, ReasonTimes, reason_code, reason_of, reasons, tell_reason};
pub use shadow::{Changed, Decided, Moved, ShadowReport, compare};
pub use value::{PartySet, RawValue, Value};
pub use vocabulary::{Establishing, FactId, FactKind, FactName, VOCABULARY, Vocabulary, fact_id, fact_of};
