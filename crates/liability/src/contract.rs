//! Contracts as input: clauses with their days, and those that the law does not let count.

use std::collections::BTreeMap;

use onus_model::{Ground, Text};

use crate::condition::Condition;
use crate::facts::{FactError, Facts};
use crate::pack::{Pack, Place};
use crate::value::RawValue;

/// A row that voids clauses.
#[derive(Debug, Clone)]
pub(crate) struct VoidRow {
    pub(crate) id: String,
    pub(crate) place: Place,
    pub(crate) when: Condition,
    pub(crate) text: Text,
    pub(crate) ground: Ground,
}

/// A clause of an agreement.
#[derive(Debug, Clone, PartialEq, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Clause {
    /// Agreement and clause, such as `agent agreement 2025-03, 7.2`; it is the source of the facts.
    pub id: String,
    /// First day in force, YYYYMMDD.
    pub from: i64,
    /// Last day in force, YYYYMMDD.
    pub to: i64,
    /// What it says, as facts.
    pub says: BTreeMap<String, RawValue>,
    /// What is known about the clause itself (facts `clause.*`).
    #[serde(default)]
    pub about: BTreeMap<String, RawValue>,
}

/// A clause that does not count, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VoidClause<'p> {
    /// The clause.
    pub clause: String,
    /// Row of the pack, or none when the clause was not in force.
    pub row: Option<&'p str>,
    /// Why.
    pub text: Text,
    /// What that rests on.
    pub ground: Option<&'p Ground>,
}

/// Adds to the facts what the clauses in force on a day say. A clause that is void or not in force adds nothing and is
/// listed with the reason.
///
/// # Errors
/// When a clause says something that is no fact of the vocabulary.
pub fn with_clauses<'p>(
    pack: &'p Pack,
    facts: &Facts,
    clauses: &[Clause],
    day: i64,
) -> Result<(Facts, Vec<VoidClause<'p>>), FactError> {
    let mut all = facts.clone();
    let mut left_out = Vec::new();
    for clause in clauses {
        if day < clause.from || clause.to < day {
            let text = Text {
                zh: "事发当日该条款不在有效期内".to_owned(), en: "not in force on that day".to_owned()
            };
            left_out.push(VoidClause { clause: clause.id.clone(), row: None, text, ground: None });
            continue;
        }
        let mut about = facts.clone();
        for (name, raw) in clause.says.iter().chain(&clause.about) {
            about.tell(name, raw, &clause.id)?;
        }
        if let Some(row) = pack.void.iter().find(|row| row.when.met(&about)) {
            let (text, ground) = (row.text.clone(), Some(&row.ground));
            left_out.push(VoidClause { clause: clause.id.clone(), row: Some(&row.id), text, ground });
            continue;
        }
        for (name, raw) in &clause.says {
            all.tell(name, raw, &clause.id)?;
        }
    }
    Ok((all, left_out))
}
