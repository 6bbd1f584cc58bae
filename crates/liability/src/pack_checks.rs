//! Checks that a pack must pass before it may decide anything.

use onus_model::{AgentBasis, Cause, Party};

use crate::condition::Condition;
use crate::pack::{Pack, PackError, Rule, VerifiedBy};
use crate::proofs::{Prover, Region};
use crate::value::{RawValue, Value};
use crate::vocabulary::{FactKind, fact_id};

pub(crate) fn check(pack: &Pack) -> Result<(), PackError> {
    for rule in &pack.rules {
        check_agent(rule)?;
        check_citations(pack, rule)?;
        check_duties(pack, rule)?;
    }
    check_burdens(pack)?;
    check_ids(pack)?;
    check_last_resort(pack)?;
    check_tables(pack)
}

fn fault(rule: &Rule, detail: impl Into<String>) -> PackError {
    PackError::row(rule.place, &rule.id, detail)
}

/// An agent pays only for its own fault, contract or promise, and never on an unknown cause.
fn check_agent(rule: &Rule) -> Result<(), PackError> {
    let charged = rule.may_charge(Party::Agent);
    if charged && rule.agent_basis == AgentBasis::None {
        return Err(fault(rule, "charges an agent without agent_basis; give own_fault, contract or own_promise"));
    }
    if !charged && rule.agent_basis != AgentBasis::None {
        return Err(fault(rule, "gives agent_basis but charges no agent"));
    }
    if rule.causes.contains(&Cause::Unknown) {
        if charged {
            return Err(fault(rule, "charges an agent on an unknown cause"));
        }
        if !rule.suspense || Party::ALL.iter().any(|party| rule.division.may_charge(*party)) {
            return Err(fault(rule, "an unknown cause goes to suspense, with no final shares"));
        }
    } else if rule.suspense {
        return Err(fault(rule, "only an unknown cause goes to suspense"));
    }
    Ok(())
}

/// A rule says what it rests on.
fn check_citations(pack: &Pack, rule: &Rule) -> Result<(), PackError> {
    if rule.ground.source.trim().is_empty() && rule.principles.is_empty() {
        return Err(fault(rule, "cites nothing; give ground.source, or principles of the pack"));
    }
    if let Some(missing) = rule.principles.iter().find(|number| !pack.principles.contains_key(*number)) {
        return Err(fault(rule, format!("principle {missing:?} is not in [principles]")));
    }
    for (number, principle) in &pack.principles {
        if principle.source.trim().is_empty() {
            return Err(fault(rule, format!("principle {number:?} of the pack has no source")));
        }
    }
    if !pack.agent_answers.contains_key(&rule.agent_basis) {
        return Err(fault(rule, format!("agent_answers has no text for {}", rule.agent_basis)));
    }
    Ok(())
}

fn check_duties(pack: &Pack, rule: &Rule) -> Result<(), PackError> {
    for obligation in &rule.obligations {
        if !pack.duties.contains_key(&obligation.duty) {
            return Err(fault(rule, format!("duty {:?} has no words in [duties]", obligation.duty)));
        }
        check_deadline(pack, &obligation.within).map_err(|detail| fault(rule, detail))?;
    }
    check_verified(rule.verified_by.as_ref()).map_err(|detail| fault(rule, detail))?;
    match rule.would_change.iter().find(|change| fact_id(&change.fact).is_none()) {
        Some(change) => Err(fault(rule, format!("would_change: {:?} is not in the fact vocabulary", change.fact))),
        None => Ok(()),
    }
}

/// Who compares a limit with its text does not confirm it.
fn check_verified(verified_by: Option<&VerifiedBy>) -> Result<(), String> {
    let Some(VerifiedBy { maker, checker, on }) = verified_by else { return Ok(()) };
    let day = RawValue::Text(on.clone());
    if !matches!(Value::read(FactKind::Date, &day), Ok(Some(Value::Date { from, to })) if from == to) {
        return Err(format!("verified_by.on: expected a day YYYY-MM-DD, found {on:?}"));
    }
    if maker.trim().is_empty() || checker.trim().is_empty() || maker.trim() == checker.trim() {
        return Err("verified_by needs two people: maker and checker".to_owned());
    }
    Ok(())
}

/// Working days mean nothing without the calendar that counts them.
fn check_deadline(pack: &Pack, within: &str) -> Result<(), String> {
    let number = |unit: &str| within.strip_suffix(unit).is_some_and(|number| number.parse::<u16>().is_ok());
    if number("wd") {
        return match &pack.calendar {
            Some(_) => Ok(()),
            None => Err(format!("deadline {within:?} counts working days, but the pack names no calendar")),
        };
    }
    if within == "now" || number("d") || number("h") || number("m") {
        return Ok(());
    }
    Err(format!("deadline {within:?} does not read; expected 2wd, 15d, 4h, 30m or now"))
}

fn check_burdens(pack: &Pack) -> Result<(), PackError> {
    for row in &pack.burdens {
        check_deadline(pack, &row.within).map_err(|detail| PackError::row(row.place, &row.id, detail))?;
        check_verified(row.verified_by.as_ref()).map_err(|detail| PackError::row(row.place, &row.id, detail))?;
        if row.ground.source.trim().is_empty() {
            return Err(PackError::row(row.place, &row.id, "cites nothing; give ground.source"));
        }
    }
    match pack.void.iter().find(|row| row.ground.source.trim().is_empty()) {
        Some(row) => Err(PackError::row(row.place, &row.id, "cites nothing; give ground.source")),
        None => Ok(()),
    }
}

fn check_ids(pack: &Pack) -> Result<(), PackError> {
    let mut seen = std::collections::BTreeSet::new();
    match pack.rules.iter().find(|rule| !seen.insert(rule.id.as_str())) {
        Some(twice) => Err(fault(twice, "stands twice; ids are cited in verdicts")),
        None => Ok(()),
    }
}

/// Every cause of the cause table, and UNKNOWN, must end in a row without conditions: no kind and no facts may fall through.
fn check_last_resort(pack: &Pack) -> Result<(), PackError> {
    if !pack.has_causes() && !pack.rules.iter().any(|rule| rule.causes.contains(&Cause::Unknown)) {
        return Ok(());
    }
    let prover = prover(pack);
    let regions: Vec<_> = pack.rules.iter().map(region).collect();
    let regions: Vec<_> = regions.iter().collect();
    let places = pack.causes.iter().map(|row| (row.cause, Some(row))).chain([(Cause::Unknown, None)]);
    for (cause, row) in places {
        let whole = [Condition::default()];
        let all = Region { causes: &[cause], kinds: &[], when: &whole, unless: &[] };
        if let Some(example) = prover.example(&[&all], &regions) {
            let detail =
                format!("gap: no rule for cause {cause} fits, for example, {example}; add a row of last resort");
            return Err(match (row, pack.rules.first()) {
                (Some(row), _) => PackError::row(row.place, &row.id, detail),
                (None, Some(rule)) => PackError::row(rule.place, cause.as_str(), detail),
                (None, None) => PackError::Toml { file: "rules.toml", detail },
            });
        }
    }
    Ok(())
}

/// No row that others always win over, no two of equal rank that fit the same facts and answer differently.
fn check_tables(pack: &Pack) -> Result<(), PackError> {
    let prover = prover(pack);
    let regions: Vec<_> = pack.rules.iter().map(region).collect();
    for (place, (rule, own)) in pack.rules.iter().zip(&regions).enumerate() {
        let before = pack.rules.iter().zip(&regions).take(place);
        for (other, theirs) in before.clone().filter(|(other, _)| other.rank == rule.rank) {
            if let Some(example) = prover.example(&[theirs, own], &[]).filter(|_| !answer_alike(other, rule)) {
                let detail = format!("overlaps {:?} of the same rank {}: both fit {example}", other.id, rule.rank);
                return Err(fault(rule, detail));
            }
        }
        let certain: Vec<_> = before.filter(|(other, _)| shuts_out(other, rule)).map(|(_, region)| region).collect();
        if prover.example(&[own], &certain).is_none() {
            return Err(fault(rule, format!("can never apply: {} first and fit whatever it fits", names(pack, place))));
        }
    }
    check_causes(pack, &prover)
}

fn check_causes(pack: &Pack, prover: &Prover) -> Result<(), PackError> {
    let regions: Vec<_> = pack
        .causes
        .iter()
        .map(|row| Region { causes: &[], kinds: &row.kinds, when: std::slice::from_ref(&row.when), unless: &[] })
        .collect();
    for (place, (row, own)) in pack.causes.iter().zip(&regions).enumerate() {
        let before: Vec<_> = regions.iter().take(place).collect();
        if prover.example(&[own], &before).is_none() {
            let detail = "can never apply: rows above it come first and fit whatever it fits";
            return Err(PackError::row(row.place, &row.id, detail));
        }
    }
    Ok(())
}

/// Ids of the rows above one that cover it alone, or a word for many.
fn names(pack: &Pack, place: usize) -> String {
    let prover = prover(pack);
    let Some(rule) = pack.rules.get(place) else { return String::new() };
    let alone = pack.rules.iter().take(place).filter(|other| shuts_out(other, rule));
    let alone =
        alone.filter(|other| prover.example(&[&region(rule)], &[&region(other)]).is_none()).map(|other| &other.id);
    match alone.collect::<Vec<_>>().as_slice() {
        [] => "rows above it come".to_owned(),
        ids => format!("{ids:?} comes"),
    }
}

/// Whether a row leaves nothing to a later one where both fit: it always answers, or they answer alike. A row that
/// places the loss on a role may leave it to the next, which has nothing to add when it says the same.
fn shuts_out(other: &Rule, later: &Rule) -> bool {
    other.abstain || matches!(other.division, crate::bearers::Division::Fixed(_)) || answer_alike(other, later)
}

fn answer_alike(one: &Rule, other: &Rule) -> bool {
    one.division == other.division && one.outward == other.outward && one.abstain == other.abstain
}

fn region(rule: &Rule) -> Region<'_> {
    Region { causes: &rule.causes, kinds: &rule.kinds, when: &rule.when, unless: &rule.unless }
}

fn prover(pack: &Pack) -> Prover {
    let rules = pack.rules.iter().flat_map(|rule| rule.when.iter().chain(&rule.unless));
    Prover::new(rules.chain(pack.causes.iter().map(|row| &row.when)))
}

#[cfg(test)]
mod tests {
    use crate::pack::{Pack, PackFiles};

    const HEAD: &str = r#"id = "t"
version = "1"
effective_from = "2026-01-01"
jurisdiction = "CN"
note = ""
ORDER
[duties]
fix = { zh = "修", en = "fix" }
[agent_answers]
none = { zh = "", en = "" }
own_fault = { zh = "", en = "" }
"#;
    const WORDS: &str = "title = { zh = '', en = '' }\ntext = { zh = '', en = '' }";
    const GROUND: &str = "ground = { text = { zh = '', en = '' }, source = 'Art. 1', grade = 'P' }";
    const UNKNOWN: &str = "[[rule]]\nid = 'u'\ncauses = ['UNKNOWN']\nsuspense = true\nWORDS\nGROUND\n";

    fn refusal(order: &str, rules: &str, causes: &str) -> String {
        let text = format!("{}{rules}", HEAD.replace("ORDER", order)).replace("WORDS", WORDS).replace("GROUND", GROUND);
        let files = PackFiles { rules: &text, causes, cases: "" };
        Pack::load(&files).map_or_else(|error| error.to_string(), |_| "loaded".to_owned())
    }

    fn row(id: &str, body: &str) -> String {
        format!("[[rule]]\nid = '{id}'\ncauses = ['NET.UP']\n{body}\nWORDS\nGROUND\n")
    }

    #[test]
    fn what_must_not_load_does_not() {
        let table = [
            (String::new(), "loaded"),
            ("[[rule]]\nid = 'a'\ncauses = ['UNKNOWN']\nshares = { agent = 10000 }\nagent_basis = 'own_fault'\nWORDS\nGROUND\n".to_owned(), "unknown cause"),
            (row("a", "shares = { agent = 10000 }"), "without agent_basis"),
            (row("a", "shares = { network = 9000 }"), "9000 basis points"),
            (row("a", "when = { 'no.such' = true }"), "not in the fact vocabulary"),
            (row("a", "when = { cleared = 'yes' }"), "true or false"),
            (row("a", "") + &row("b", "when = { cleared = true }"), "\"b\": can never apply: [\"a\"] comes first"),
            (row("a", "when = { cleared = true }") + &row("b", "when = { cleared = false }") + &row("c", "when = { cleared = { known = true } }"), "\"c\": can never apply"),
            (row("a", "obligations = [{ duty = 'fix', owner = 'acquirer', within = '2wd' }]"), "names no calendar"),
            (row("a", "obligations = [{ duty = 'fix', owner = 'acquirer', within = 'soon' }]"), "does not read"),
            (row("a", "obligations = [{ duty = 'sing', owner = 'acquirer', within = '2d' }]"), "no words in [duties]"),
            (row("a", "principles = ['R9']"), "not in [principles]"),
            (row("a", "bearer = '@nobody'"), "not in [roles]"),
            (row("a", "rank = 3"), "gives a rank"),
            (row("u", ""), "stands twice"),
            ("[[rule]]\nid = 'a'\ncauses = ['NET.UP']\nWORDS\n".to_owned(), "cites nothing"),
            ("[[rule]]\nid = 'a'\ncauses = ['NET.UP']\nWORDS\nground = { text = { zh = '', en = '' }, source = ' ', grade = 'P' }\n".to_owned(), "cites nothing"),
            ("[[rule]]\nid = 'a'\ncolour = 'red'\n".to_owned(), "rules.toml"),
        ];
        for (rules, expected) in table {
            let said = refusal("", &format!("{UNKNOWN}{rules}"), "");
            assert!(said.contains(expected), "{rules}\n{said}");
        }
    }

    /// The deadline of a duty under a ground of some grade, verified or not: who may act on it.
    #[test]
    fn a_limit_that_is_not_verified_drives_nothing() {
        let two = "verified_by = { maker = 'li', checker = 'wang', on = '2026-11-20' }";
        let alone = "verified_by = { maker = 'li', checker = 'li', on = '2026-11-20' }";
        let undated = "verified_by = { maker = 'li', checker = 'wang', on = 'soon' }";
        let table = [
            ("S", "", "", "automatic"),
            ("P", "", "", "automatic"),
            ("T", "", "", "manual"),
            ("B", "", "", "manual"),
            // A duty cannot call itself automatic against its ground.
            ("B", "", ", automation = 'automatic'", "manual"),
            ("S", "", ", automation = 'manual'", "manual"),
            ("T", two, "", "automatic"),
            ("B", two, "", "automatic"),
            ("T", alone, "", "two people"),
            ("T", undated, "", "YYYY-MM-DD"),
        ];
        for (grade, verified, said, expected) in table {
            let duty = format!("obligations = [{{ duty = 'fix', owner = 'acquirer', within = '2d'{said} }}]");
            let rule = row("a", &format!("shares = {{ network = 10000 }}\n{duty}\n{verified}"));
            let rule = rule.replace("GROUND", &GROUND.replace("'P'", &format!("'{grade}'")));
            let text = format!("{}{UNKNOWN}{rule}", HEAD.replace("ORDER", ""));
            let text = text.replace("WORDS", WORDS).replace("GROUND", GROUND);
            let causes = "[[cause]]\nid = 'n'\ncause = 'NET.UP'\nstatus = 'confirmed'\nkinds = ['K4']\nwhen = { cleared = true }\n";
            let answer = Pack::load(&PackFiles { rules: &text, causes, cases: "" }).map(|pack| {
                let mut facts = crate::Facts::default();
                facts.yes("cleared", true, "test");
                let verdict = crate::decide(&pack, onus_model::ExceptionKind::Reversed, &facts, 1).unwrap();
                verdict.obligations[0].automation.as_str()
            });
            match answer {
                Ok(automation) => assert_eq!(automation, expected, "{grade} {verified} {said}"),
                Err(error) => assert!(error.to_string().contains(expected), "{grade} {verified}: {error}"),
            }
        }
    }

    #[test]
    fn a_refusal_names_file_line_and_row() {
        let said = refusal("", &format!("{UNKNOWN}{}", row("late", "when = { cleared = 'yes' }")), "");
        assert!(said.starts_with("rules.toml:22: row \"late\": cleared: expected true or false"), "{said}");
    }

    #[test]
    fn a_row_that_says_once_more_what_stands_above_is_refused() {
        let faults = "fault = [{ party = 'issuer', weight = 60 }, { party = 'network', weight = 40 }]";
        let unknown = UNKNOWN.replace("suspense", "rank = 9\nsuspense");
        let ranked = |id: &str, when: &str| row(id, &format!("rank = 1\nwhen = {{ {when} }}\n{faults}"));
        let twice = ranked("a", "cleared = true") + &ranked("b", "cleared = true");
        let said = refusal("order = 'rank'", &format!("{unknown}{twice}"), "");
        assert!(said.contains("row \"b\": can never apply: [\"a\"] comes first"), "{said}");
        let wider = ranked("a", "cleared = true") + &ranked("b", "'wire.sent' = true");
        assert_eq!(refusal("order = 'rank'", &format!("{unknown}{wider}"), ""), "loaded");
    }

    #[test]
    fn overlaps_of_equal_rank_come_with_an_example() {
        let ranked = |rank: u32, body: &str, id: &str| row(id, &format!("rank = {rank}\n{body}"));
        let unknown = UNKNOWN.replace("suspense", "rank = 9\nsuspense");
        let rules = unknown.clone()
            + &ranked(1, "when = { cleared = true }\nshares = { network = 10000 }", "a")
            + &ranked(1, "when = { 'wire.sent' = true }\nshares = { issuer = 10000 }", "b");
        let said = refusal("order = 'rank'", &rules, "");
        assert!(said.contains("overlaps \"a\" of the same rank 1") && said.contains("wire.sent = true"), "{said}");
        let apart = unknown
            + &ranked(1, "when = { cleared = true }\nshares = { network = 10000 }", "a")
            + &ranked(1, "when = { cleared = false }\nshares = { issuer = 10000 }", "b");
        assert_eq!(refusal("order = 'rank'", &apart, ""), "loaded");
    }

    #[test]
    fn a_gap_comes_with_an_example() {
        let causes =
            "[[cause]]\nid = 'n'\ncause = 'NET.UP'\nstatus = 'confirmed'\nkinds = ['K4']\nwhen = { cleared = true }\n";
        let rules = format!("{UNKNOWN}{}", row("a", "when = { 'wire.sent' = true }"));
        let said = refusal("", &rules, causes);
        assert!(said.contains("gap: no rule for cause NET.UP") && said.contains("wire.sent = false"), "{said}");
    }
}
