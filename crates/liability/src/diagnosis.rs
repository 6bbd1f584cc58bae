//! Causes as hypotheses: what speaks for and against each, and the cheapest missing fact that would settle it.

use onus_model::{Cause, ExceptionKind, FactUsed, FindingStatus, Party, Text};

use crate::condition::Fit;
use crate::decide::judge;
use crate::facts::Facts;
use crate::pack::{CauseRow, Pack, Rule};
use crate::vocabulary::{FactId, VOCABULARY, fact_of};

/// A fact worth asking for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    /// The fact.
    pub fact: &'static str,
    /// Who can supply it.
    pub of: Party,
    /// What asking costs.
    pub cost: u32,
    /// In words: "ask the network for …".
    pub text: Text,
}

/// What is known about one cause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hypothesis<'p> {
    /// The cause.
    pub cause: Cause,
    /// How sure it is.
    pub status: FindingStatus,
    /// Whether it leads.
    pub leads: bool,
    /// Facts that support it.
    pub supporting: Vec<FactUsed>,
    /// Facts that exclude it.
    pub excluding: Vec<FactUsed>,
    /// Why they exclude it, when the pack says so.
    pub why_excluded: Option<&'p Text>,
    /// Facts that would decide it: those of its decisive row.
    pub decisive: Vec<&'static str>,
    /// The cheapest of them that is missing.
    pub ask: Option<Ask>,
}

/// Tests every cause that the pack knows for a kind of exception, the surest first.
#[must_use]
pub fn diagnose<'p>(pack: &'p Pack, kind: ExceptionKind, facts: &Facts) -> Vec<Hypothesis<'p>> {
    let leading = judge(pack, Some(kind), facts).leading;
    let mut all: Vec<Hypothesis<'p>> = Vec::new();
    for row in pack.cause_rows(kind) {
        if !all.iter().any(|known| known.cause == row.cause) {
            all.push(hypothesis(pack, kind, row.cause, leading, facts));
        }
    }
    all.sort_by_key(|found| (!found.leads, found.status));
    all
}

fn hypothesis<'p>(
    pack: &'p Pack,
    kind: ExceptionKind,
    cause: Cause,
    leading: Option<&CauseRow>,
    facts: &Facts,
) -> Hypothesis<'p> {
    let rows: Vec<&CauseRow> = pack.cause_rows(kind).filter(|row| row.cause == cause).collect();
    let excluded = pack
        .exclusions
        .iter()
        .find(|row| row.kinds.contains(&kind) && row.causes.contains(&cause) && row.when.met(facts));
    let leads = leading.is_some_and(|leading| leading.cause == cause);
    let fits: Vec<Fit> = rows.iter().map(|row| row.when.fit(facts)).collect();
    let contradicted = fits.iter().filter_map(|fit| if let Fit::Contradicted(id) = fit { Some(*id) } else { None });
    let mut excluding: Vec<FactId> = contradicted.collect();
    let status = match leading.filter(|_| leads) {
        Some(row) => row.status,
        None if excluded.is_some() || excluding.len() == rows.len() => FindingStatus::Excluded,
        None => FindingStatus::Possible,
    };
    if let Some(row) = excluded {
        excluding = row.when.facts().collect();
    } else if status != FindingStatus::Excluded {
        excluding.clear();
    }
    let decisive = decisive_row(&rows, facts);
    let ask = decisive.filter(|_| status != FindingStatus::Excluded && status != FindingStatus::Confirmed);
    Hypothesis {
        cause,
        status,
        leads,
        supporting: used(rows.iter().filter(|row| row.when.fit(facts) != Fit::Open || leads), facts, status),
        excluding: unique(excluding.into_iter(), facts),
        why_excluded: excluded.map(|row| &row.text),
        decisive: decisive
            .into_iter()
            .flat_map(|row| row.when.facts())
            .filter_map(fact_of)
            .map(|fact| fact.name)
            .collect(),
        ask: ask.and_then(|row| cheapest(pack, row.when.missing(facts))),
    }
}

/// Of the rows that nothing contradicts, the one that costs least to decide; surer rows first.
fn decisive_row<'r>(rows: &[&'r CauseRow], facts: &Facts) -> Option<&'r CauseRow> {
    let open = rows.iter().filter(|row| !matches!(row.when.fit(facts), Fit::Contradicted(_)));
    open.min_by_key(|row| (row.status, cost(&row.when.missing(facts)))).copied()
}

fn cost(missing: &[FactId]) -> u32 {
    missing.iter().filter_map(|id| fact_of(*id)).map(|fact| fact.cost).sum()
}

/// The facts of rows that are met.
fn used<'r>(rows: impl Iterator<Item = &'r &'r CauseRow>, facts: &Facts, status: FindingStatus) -> Vec<FactUsed> {
    if status == FindingStatus::Excluded {
        return Vec::new();
    }
    unique(rows.filter(|row| row.when.met(facts)).flat_map(|row| row.when.facts()), facts)
}

fn unique(ids: impl Iterator<Item = FactId>, facts: &Facts) -> Vec<FactUsed> {
    let mut all = Vec::new();
    for fact in ids.filter_map(|id| facts.used(id)) {
        if !all.contains(&fact) {
            all.push(fact);
        }
    }
    all
}

fn cheapest(pack: &Pack, missing: Vec<FactId>) -> Option<Ask> {
    let facts = missing.into_iter().filter_map(fact_of);
    facts.min_by_key(|fact| (fact.cost, fact.name)).map(|fact| {
        let party = VOCABULARY.party(fact.ask);
        Ask {
            fact: fact.name,
            of: fact.ask,
            cost: fact.cost,
            text: pack
                .say("ask", &[("party", &party), ("fact", &Text { zh: fact.zh.to_owned(), en: fact.en.to_owned() })]),
        }
    })
}

/// What to ask for when a pack without causes is silent: for the first rules that nothing contradicts, the cheapest
/// missing fact of each.
#[must_use]
pub fn asks(pack: &Pack, facts: &Facts) -> Vec<Ask> {
    /// More questions at once help nobody.
    const MOST: usize = 3;
    let open = |rule: &&Rule| !rule.abstain && !rule.unless.iter().any(|unless| unless.met(facts));
    let mut all: Vec<(u32, Ask)> = Vec::new();
    for rule in pack.rules().iter().filter(open) {
        let ways = rule.when.iter().filter(|when| when.fit(facts) == Fit::Open).map(|when| when.missing(facts));
        let Some(way) = ways.min_by_key(|missing| cost(missing)) else { continue };
        let whole = cost(&way);
        if let Some(ask) = cheapest(pack, way).filter(|ask| all.iter().all(|(_, known)| known.fact != ask.fact)) {
            all.push((whole, ask));
        }
    }
    all.sort_by_key(|(whole, _)| *whole);
    all.into_iter().map(|(_, ask)| ask).take(MOST).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(text: &str) -> Facts {
        Facts::read(&toml::from_str(text).unwrap(), "test").unwrap()
    }

    #[test]
    fn a_probable_cause_names_the_fact_that_would_confirm_it() {
        let pack = Pack::builtin_cn().unwrap();
        let known = facts("'code.value' = '96'\n'code.written_by' = 'network_side'");
        let found = diagnose(&pack, ExceptionKind::Declined, &known);
        let first = &found[0];
        assert_eq!((first.cause, first.status, first.leads), (Cause::NetUp, FindingStatus::Probable, true));
        assert_eq!(first.ask.as_ref().unwrap().fact, "episode.network_line");
        assert!(first.ask.as_ref().unwrap().text.zh.contains("线路"));
        let funds = found.iter().find(|other| other.cause == Cause::CardFunds).unwrap();
        assert_eq!(funds.status, FindingStatus::Excluded);
        assert_eq!(funds.excluding[0].name, "code.value");
        assert!(funds.ask.is_none());
    }

    #[test]
    fn nothing_known_leaves_everything_possible_with_a_question_each() {
        let pack = Pack::builtin_cn().unwrap();
        for kind in ExceptionKind::ALL {
            for found in diagnose(&pack, *kind, &Facts::default()) {
                assert_eq!(found.status, FindingStatus::Possible, "{kind} {}", found.cause);
                assert!(found.ask.is_some() && !found.decisive.is_empty(), "{kind} {}", found.cause);
            }
        }
    }

    #[test]
    fn a_silent_pack_says_what_to_ask() {
        let pack = Pack::builtin_intl().unwrap();
        let questions = asks(&pack, &Facts::default());
        assert_eq!(questions.len(), 3);
        assert!(questions.iter().all(|ask| ask.cost <= 4 && !ask.text.en.is_empty()));
    }
}
