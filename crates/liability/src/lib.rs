//! Facts become findings, findings become a verdict.
//!
//! [`Pack`] holds two decision tables as data: causes (which facts make which cause how sure) and rules (who pays the
//! user first, who bears it in the end, on which ground). Rows test facts of a closed vocabulary; the first row that
//! matches decides; a fact that is unknown never matches. A pack that could charge an agent on an unknown cause does
//! not load.

mod decide;
mod facts;
mod pack;
mod pack_checks;
mod vocabulary;

pub use decide::{decide, facts_sha256, verdict_sha256};
pub use facts::{Fact, Facts};
pub use pack::{Condition, Pack, PackError, Rule};
pub use vocabulary::{FactKind, FactName, VOCABULARY};
