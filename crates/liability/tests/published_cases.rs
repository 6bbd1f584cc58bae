//! The pack `intl-principles-1` on published cases: how often the right party, on what share of the cases, and how it
//! holds when facts are missing. The cases are not part of the repository; without them nothing is scored, and the test
//! says so.
#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use std::collections::BTreeMap;

use onus_liability::{Facts, Pack, RawValue, VOCABULARY, fact_id, judge};
use onus_model::Party;
use serde::Deserialize;

#[derive(Deserialize, Clone)]
struct Case {
    id: String,
    asked: Vec<String>,
    facts: BTreeMap<String, RawValue>,
    outcome_shares: Option<BTreeMap<String, f64>>,
    outcome_parties: Vec<String>,
}

fn cases() -> Vec<Case> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/benchmarks/cases/open-coded.jsonl");
    let Ok(text) = std::fs::read_to_string(path) else {
        println!("../shared is not here: nothing is scored");
        return Vec::new();
    };
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn facts(case: &Case, keep: impl Fn(&str) -> bool) -> Facts {
    let mut facts = Facts::default();
    for (name, raw) in case.facts.iter().filter(|(name, _)| keep(name)) {
        facts.tell(name, raw, &case.id).unwrap();
    }
    let asked = case.asked.iter().cloned().map(RawValue::Text).collect();
    facts.tell("asked.parties", &RawValue::List(asked), &case.id).unwrap();
    facts
}

/// One company in two roles counts once.
fn fold(case: &Case, party: Party) -> Party {
    let same = match case.facts.get("party.same_entity") {
        Some(RawValue::List(same)) => same.clone(),
        _ => Vec::new(),
    };
    let same: Vec<Party> = same
        .iter()
        .filter_map(|raw| if let RawValue::Text(word) = raw { VOCABULARY.party_of(word) } else { None })
        .collect();
    if same.contains(&party) { same[0] } else { party }
}

/// Whether the largest share is on a right party; nothing when the pack abstains.
fn right(pack: &Pack, case: &Case, facts: &Facts) -> Option<bool> {
    let outcome = judge(pack, None, facts);
    if outcome.abstains() || outcome.shares.parts().is_empty() {
        return None;
    }
    let mut truth: BTreeMap<Party, f64> = BTreeMap::new();
    let stated = case.outcome_shares.clone();
    let stated = stated.unwrap_or_else(|| case.outcome_parties.iter().map(|party| (party.clone(), 1.0)).collect());
    for (word, share) in stated {
        *truth.entry(fold(case, VOCABULARY.party_of(&word).unwrap())).or_default() += share;
    }
    let largest = truth.values().copied().fold(0.0, f64::max);
    let top = outcome.shares.parts().iter().map(|(_, bp)| *bp).max()?;
    let best = outcome.shares.parts().iter().filter(|(_, bp)| *bp == top).map(|(party, _)| fold(case, *party));
    Some(best.into_iter().all(|party| truth.get(&party).is_some_and(|share| *share >= largest)))
}

struct Score {
    cases: usize,
    answered: usize,
    right: usize,
}

fn score(pack: &Pack, cases: &[Case], keep: impl Fn(&Case, &str) -> bool) -> Score {
    let answers = cases.iter().map(|case| right(pack, case, &facts(case, |name| keep(case, name))));
    let answers: Vec<_> = answers.collect();
    Score {
        cases: cases.len(),
        answered: answers.iter().flatten().count(),
        right: answers.iter().flatten().filter(|right| **right).count(),
    }
}

#[test]
fn most_published_cases_are_answered_and_answered_right() {
    let (pack, cases) = (Pack::builtin_intl().unwrap(), cases());
    for (name, with_cause) in [("with the cause", true), ("without the cause", false)] {
        let score = score(&pack, &cases, |_, fact| with_cause || !fact.starts_with("cause."));
        println!("{name}: {} of {} answered, {} right", score.answered, score.cases, score.right);
        assert!(score.answered * 100 >= score.cases * 90, "coverage below 90 % {name}");
        assert!(score.right * 100 >= score.answered * 85, "top party below 85 % {name}");
    }
}

/// Facts drop out at random: answers get fewer and worse slowly, not at once.
#[test]
fn missing_facts_degrade_answers_slowly() {
    let (pack, cases) = (Pack::builtin_intl().unwrap(), cases());
    for (percent_lost, floor) in [(10_u64, 97), (25, 93), (40, 87)] {
        let (mut all, mut answered, mut correct) = (0, 0, 0);
        for seed in 0..40_u64 {
            let kept = |case: &Case, fact: &str| {
                let text = format!("{seed}{}{fact}", case.id);
                let mixed = text.bytes().fold(14_695_981_039_346_656_037_u64, |hash, byte| {
                    (hash ^ u64::from(byte)).wrapping_mul(1_099_511_628_211)
                });
                (mixed >> 17) % 100 >= percent_lost && !fact.starts_with("cause.")
            };
            let score = score(&pack, &cases, kept);
            all += score.cases;
            answered += score.answered;
            correct += score.right;
        }
        // Without the cases there is nothing to divide.
        let percent = |part: usize| (part * 100).checked_div(all).unwrap_or(100);
        println!("{percent_lost} % lost: {} % answered, {} % of all right", percent(answered), percent(correct));
        assert!(percent(correct) >= floor, "{percent_lost} % of facts lost");
    }
}

/// A rule that only one case uses is a rule for one case, unless it states a principle with a source.
#[test]
fn no_rule_is_made_for_one_case() {
    let (pack, cases) = (Pack::builtin_intl().unwrap(), cases());
    let mut uses: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for case in &cases {
        let known = facts(case, |_| true);
        uses.entry(judge(&pack, None, &known).rule_id().to_owned()).or_default().push(&case.id);
    }
    for rule in pack.rules() {
        let served = uses.get(&rule.id).map(Vec::len).unwrap_or_default();
        println!("{:4} {:28} {served} {}", rule.rank, rule.id, rule.principles.join(" "));
        if served == 1 {
            assert!(!rule.principles.is_empty(), "{} is used by one case and states no principle", rule.id);
        }
        for number in &rule.principles {
            assert!(!pack.principles[number].source.is_empty(), "{number}");
        }
    }
    // Principles, not rules, must carry the cases: nearly every case rests on one that serves several.
    let principle =
        |id: &String| pack.rules().iter().find(|rule| &rule.id == id).and_then(|rule| rule.principles.first());
    let mut carried: BTreeMap<Option<&String>, usize> = BTreeMap::new();
    for (rule, served) in &uses {
        *carried.entry(principle(rule)).or_default() += served.len();
    }
    let general: usize = carried.values().filter(|served| **served > 1).sum();
    println!("{general} of {} cases rest on a principle that serves several", cases.len());
    assert!(general * 100 >= cases.len() * 80, "{general} cases rest on a principle that serves several");
}

/// An agent is charged only where a fact names the agent.
#[test]
fn no_agent_is_charged_without_a_fact_that_names_it() {
    let pack = Pack::builtin_intl().unwrap();
    let names_agent = |facts: &Facts| {
        let parties = facts.iter().any(|(name, _)| {
            name.name != "asked.parties"
                && facts.parties(fact_id(name.name).unwrap()).is_some_and(|parties| parties.has(Party::Agent))
        });
        parties
            || facts.iter().any(|(name, fact)| {
                name.name.starts_with("agent.")
                    || fact.value.text(name.kind).contains("agent")
                    || fact.value.text(name.kind) == "TAMPER.AGENT"
                    || fact.value.text(name.kind).starts_with("commission")
                    || fact.value.text(name.kind).starts_with("MAINT")
            })
    };
    for case in &cases() {
        let known = facts(case, |_| true);
        let outcome = judge(&pack, None, &known);
        assert!(outcome.shares.of(Party::Agent) == 0 || names_agent(&known), "{}", case.id);
    }
}
