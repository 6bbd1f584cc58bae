//! A pack's own test cases, and what differs between two packs.

use std::collections::{BTreeMap, BTreeSet};

use onus_model::Party;

use crate::burden::{open_burdens, presume};
use crate::contract::with_clauses;
use crate::decide::{judge, kind_of};
use crate::pack::{Pack, PackCase, PackError, PackFiles};

/// What a test case of a pack came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseResult<'p> {
    /// The case.
    pub id: &'p str,
    /// The rule that decided.
    pub rule: String,
    /// What is other than expected; empty when all is as it should be.
    pub faults: Vec<String>,
}

/// Runs the test cases that a pack carries.
#[must_use]
pub fn run_cases(pack: &Pack) -> Vec<CaseResult<'_>> {
    pack.cases().iter().map(|case| run(pack, case)).collect()
}

fn run<'p>(pack: &Pack, case: &'p PackCase) -> CaseResult<'p> {
    let mut faults = Vec::new();
    let (facts, left_out) = match with_clauses(pack, &case.facts, &case.clauses, case.day) {
        Ok(read) => read,
        Err(error) => {
            return CaseResult { id: &case.id, rule: String::new(), faults: vec![error.to_string()] };
        }
    };
    let open: Vec<String> = open_burdens(pack, &facts).iter().map(|open| open.id.to_owned()).collect();
    let facts = if case.over { presume(pack, &facts, |_| true) } else { facts };
    let outcome = judge(pack, kind_of(&facts), &facts);
    let mut expect = |what: &str, expected: String, found: String| {
        if expected != found {
            faults.push(format!("{what}: expected {expected}, found {found}"));
        }
    };
    let void: BTreeMap<String, String> =
        left_out.iter().map(|left| (left.clause.clone(), left.row.unwrap_or("not in force").to_owned())).collect();
    expect("clauses that do not count", format!("{:?}", case.void), format!("{void:?}"));
    if let Some(expected) = &case.open {
        expect("open burdens", expected.join(", "), open.join(", "));
    }
    if let Some(rule) = &case.rule {
        expect("rule", rule.clone(), outcome.rule_id().to_owned());
    }
    if let Some(cause) = case.cause {
        expect("cause", cause.to_string(), outcome.cause.to_string());
    }
    expect("abstain", case.abstain.to_string(), outcome.abstains().to_string());
    let found: BTreeMap<Party, u16> = outcome.shares.parts().iter().copied().collect();
    expect("shares", format!("{:?}", case.shares), format!("{found:?}"));
    CaseResult { id: &case.id, rule: outcome.rule_id().to_owned(), faults }
}

/// One thing that differs between two packs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// File.
    pub file: &'static str,
    /// Row, `rule hw-batch`, or `head`.
    pub row: String,
    /// Field of the row.
    pub field: String,
    /// Before; none when it is new.
    pub was: Option<String>,
    /// After; none when it is gone.
    pub is: Option<String>,
}

type Rows = BTreeMap<String, BTreeMap<String, String>>;

/// What differs between the files of two packs, row by row and field by field.
///
/// # Errors
/// When a file is no TOML.
pub fn difference(one: &PackFiles<'_>, other: &PackFiles<'_>) -> Result<Vec<Difference>, PackError> {
    let files = [
        ("rules.toml", one.rules, other.rules),
        ("causes.toml", one.causes, other.causes),
        ("cases.toml", one.cases, other.cases),
    ];
    let mut all = Vec::new();
    for (file, before, after) in files {
        let (before, after) = (rows(file, before)?, rows(file, after)?);
        let empty = BTreeMap::new();
        for row in before.keys().chain(after.keys()).collect::<BTreeSet<_>>() {
            let (was, is) = (before.get(row).unwrap_or(&empty), after.get(row).unwrap_or(&empty));
            for field in was.keys().chain(is.keys()).collect::<BTreeSet<_>>() {
                if was.get(field) != is.get(field) {
                    let (was, is) = (was.get(field).cloned(), is.get(field).cloned());
                    all.push(Difference { file, row: row.clone(), field: field.clone(), was, is });
                }
            }
        }
    }
    Ok(all)
}

/// Rows of a file by kind and id, and the rest as the head.
fn rows(file: &'static str, text: &str) -> Result<Rows, PackError> {
    let table: toml::Table =
        toml::from_str(text).map_err(|error| PackError::Toml { file, detail: error.to_string() })?;
    let mut rows = Rows::new();
    for (name, value) in &table {
        match value {
            toml::Value::Array(listed) if listed.iter().all(toml::Value::is_table) => {
                for row in listed.iter().filter_map(toml::Value::as_table) {
                    let id = row.get("id").and_then(toml::Value::as_str).unwrap_or("?");
                    let fields = row.iter().map(|(field, value)| (field.clone(), value.to_string()));
                    rows.insert(format!("{name} {id}"), fields.collect());
                }
            }
            toml::Value::Table(section) => {
                let fields = section.iter().map(|(field, value)| (field.clone(), value.to_string()));
                rows.insert(name.clone(), fields.collect());
            }
            single => {
                rows.entry("head".to_owned()).or_default().insert(name.clone(), single.to_string());
            }
        }
    }
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pack_builtin::{NAMES, shipped};

    #[test]
    fn the_cases_of_the_shipped_packs_hold() {
        for name in NAMES {
            let pack = Pack::load(&shipped(name).unwrap()).unwrap();
            let results = run_cases(&pack);
            assert!(results.len() >= 10, "{name} carries {} test cases", results.len());
            let faults: Vec<_> = results.iter().filter(|result| !result.faults.is_empty()).collect();
            assert!(faults.is_empty(), "{name}: {faults:#?}");
        }
    }

    /// A row that no case exercises may say anything.
    #[test]
    fn every_burden_and_every_void_row_has_a_case() {
        for name in NAMES {
            let pack = Pack::load(&shipped(name).unwrap()).unwrap();
            for row in &pack.burdens {
                let cases = pack.cases().iter().filter(|case| case.open.iter().flatten().any(|id| *id == row.id));
                let over: BTreeSet<bool> = cases.map(|case| case.over).collect();
                assert_eq!(over, BTreeSet::from([false, true]), "{name}: burden {}: open, and over", row.id);
            }
            for row in &pack.void {
                let void = pack.cases().iter().any(|case| case.void.values().any(|id| *id == row.id));
                assert!(void, "{name}: no case for void row {}", row.id);
            }
        }
    }

    #[test]
    fn differences_name_row_and_field() {
        let files = shipped("cn-default-1").unwrap();
        let rules = files.rules.replace("agent = 7000, merchant = 3000", "agent = 5000, merchant = 5000");
        let changed = PackFiles { rules: &rules, ..files };
        let found = difference(&files, &changed).unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].row.as_str(), found[0].field.as_str()), ("rule outdated-refused", "shares"));
        assert!(difference(&files, &files).unwrap().is_empty());
    }
}
