//! A verdict as a proof tree, told from the templates that the pack holds.

use onus_model::{FactUsed, Ground, Party, Shares, Text};
use serde::Serialize;

use crate::decide::{Outcome, facts_of, kind_of};
use crate::diagnosis::{Hypothesis, diagnose};
use crate::facts::Facts;
use crate::pack::Pack;
use crate::vocabulary::{VOCABULARY, fact_id, fact_of};

/// A statement with what it rests on.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Proof {
    /// What the statement is: answer, rule, ground, principle, cause, agent, would_change, obligation.
    pub part: &'static str,
    /// In words.
    pub says: Text,
    /// Source and grade, of what has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// Facts that it rests on.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub facts: Vec<ShownFact>,
    /// Statements that it rests on.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub because: Vec<Proof>,
}

/// A fact as shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ShownFact {
    /// Name in the vocabulary.
    pub name: String,
    /// What it is called.
    pub called: Text,
    /// Its value.
    pub value: String,
    /// The record that proves it.
    pub source: String,
}

impl Pack {
    /// A template with its places filled. A pack without that template says nothing there.
    pub(crate) fn say(&self, template: &str, places: &[(&str, &Text)]) -> Text {
        let mut text = self.templates.get(template).cloned().unwrap_or_default();
        for (place, with) in places {
            let hole = format!("{{{place}}}");
            text = Text { zh: text.zh.replace(&hole, &with.zh), en: text.en.replace(&hole, &with.en) };
        }
        text
    }
}

/// Proves an outcome: the answer, the rule with its facts and grounds, the causes considered, why the agent bears it or
/// not, and what would change it.
#[must_use]
pub fn prove(pack: &Pack, outcome: &Outcome<'_>, facts: &Facts) -> Proof {
    let mut because = Vec::new();
    if let Some(rule) = outcome.rule {
        let principles = rule.principles.iter().filter_map(|number| Some((number, pack.principles.get(number)?)));
        let mut grounds = vec![ground(&rule.ground)];
        grounds.extend(principles.map(|(number, principle)| Proof {
            part: "principle",
            says: principle.text.clone(),
            source: Some(format!("{number}: {} [{}]", principle.source, principle.grade)),
            ..Proof::default()
        }));
        because.push(Proof {
            part: "rule",
            says: rule.text.clone(),
            source: Some(format!("{} {}, {}", pack.id, pack.version, rule.id)),
            facts: facts_of(outcome, facts).iter().map(shown).collect(),
            because: grounds,
        });
    }
    if let Some(kind) = kind_of(facts).filter(|_| pack.has_causes()) {
        because.extend(diagnose(pack, kind, facts).iter().map(cause));
    }
    because.push(Proof { part: "agent", says: pack.agent_answer(outcome.agent_basis), ..Proof::default() });
    if let Some(rule) = outcome.rule {
        because.extend(rule.would_change.iter().map(|change| Proof {
            part: "would_change",
            says: change.text.clone(),
            source: Some(change.fact.clone()),
            ..Proof::default()
        }));
        because.extend(rule.obligations.iter().map(|duty| Proof {
            part: "obligation",
            says: pack.duties.get(&duty.duty).cloned().unwrap_or_default(),
            source: Some(match duty.automation {
                onus_model::Automation::Automatic => format!("{} {}", duty.owner, duty.within),
                onus_model::Automation::Manual => format!("{} {} {}", duty.owner, duty.within, duty.automation),
            }),
            ..Proof::default()
        }));
    }
    Proof { part: "answer", says: answer(pack, outcome), because, ..Proof::default() }
}

fn ground(ground: &Ground) -> Proof {
    let source = Some(format!("{} [{}]", ground.source, ground.grade));
    Proof { part: "ground", says: ground.text.clone(), source, ..Proof::default() }
}

fn cause(found: &Hypothesis<'_>) -> Proof {
    let code = format!("{} {}", found.cause, found.status);
    let ask = found.ask.as_ref().map(|ask| Proof {
        part: "ask",
        says: ask.text.clone(),
        source: Some(ask.fact.to_owned()),
        ..Proof::default()
    });
    let used = found.supporting.iter().chain(&found.excluding);
    Proof {
        part: "cause",
        says: found.why_excluded.cloned().unwrap_or_else(|| Text { zh: code.clone(), en: code.clone() }),
        source: Some(code),
        facts: used.map(shown).collect(),
        because: ask.into_iter().collect(),
    }
}

fn shown(used: &FactUsed) -> ShownFact {
    let called = fact_id(&used.name)
        .and_then(fact_of)
        .map_or_else(Text::default, |fact| Text { zh: fact.zh.to_owned(), en: fact.en.to_owned() });
    ShownFact { name: used.name.clone(), called, value: used.value.to_string(), source: used.source.clone() }
}

fn answer(pack: &Pack, outcome: &Outcome<'_>) -> Text {
    if outcome.abstains() {
        return pack.say("abstain", &[]);
    }
    if outcome.rule.is_some_and(|rule| rule.suspense) {
        return pack.say("suspense", &[]);
    }
    let last = if outcome.shares.parts().is_empty() {
        pack.say("nobody", &[])
    } else {
        pack.say("answer", &[("shares", &share_words(&outcome.shares))])
    };
    match outcome.outward {
        Some(party) => {
            let first = pack.say("outward", &[("outward", &VOCABULARY.party(party))]);
            Text { zh: first.zh + &last.zh, en: format!("{} {}", first.en, last.en) }
        }
        None => last,
    }
}

fn share_words(shares: &Shares) -> Text {
    let percent = |bp: u16| match (bp / 100, bp % 100) {
        (whole, 0) => whole.to_string(),
        (whole, rest) => format!("{whole}.{rest:02}"),
    };
    let words = |name: &dyn Fn(Party) -> String, between: &str| {
        let parts = shares.parts().iter().map(|(party, bp)| format!("{} {} %", name(*party), percent(*bp)));
        parts.collect::<Vec<_>>().join(between)
    };
    Text { zh: words(&|party| VOCABULARY.party(party).zh, "、"), en: words(&|party| VOCABULARY.party(party).en, ", ") }
}

impl Proof {
    /// The answer and the reason in one line, with the rule and the facts behind it.
    #[must_use]
    pub fn summary(&self) -> Text {
        let rule = self.because.iter().find(|part| part.part == "rule");
        let Some(rule) = rule else { return self.says.clone() };
        let facts =
            rule.facts.iter().map(|fact| format!("{} = {}", fact.name, fact.value)).collect::<Vec<_>>().join(", ");
        let ground = rule.because.first().and_then(|ground| ground.source.clone()).unwrap_or_default();
        let id = rule.source.clone().unwrap_or_default();
        Text {
            zh: format!("{}{}（{id}；{facts}；{ground}）", self.says.zh, rule.says.zh),
            en: format!("{} {} ({id}; {facts}; {ground})", self.says.en, rule.says.en),
        }
    }

    /// The tree as indented lines.
    #[must_use]
    pub fn lines(&self, zh: bool) -> Vec<String> {
        let mut lines = Vec::new();
        self.write(zh, 0, &mut lines);
        lines
    }

    fn write(&self, zh: bool, depth: usize, lines: &mut Vec<String>) {
        let say = |text: &Text| if zh { text.zh.clone() } else { text.en.clone() };
        let indent = "  ".repeat(depth);
        let source = self.source.as_ref().map_or_else(String::new, |source| format!("  [{source}]"));
        lines.push(format!("{indent}{}{source}", say(&self.says)));
        for fact in &self.facts {
            lines.push(format!("{indent}  - {}: {}  [{}]", say(&fact.called), fact.value, fact.source));
        }
        for part in &self.because {
            part.write(zh, depth.saturating_add(1), lines);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decide::judge;
    use onus_model::ExceptionKind;

    #[test]
    fn why_the_agent_bears_it_has_exactly_one_answer() {
        let pack = Pack::builtin_cn().unwrap();
        let mut facts = Facts::default();
        facts.word("kind", "K6", "measured:four legs");
        facts.yes("break.merchant_swapped", true, "measured:breaks");
        facts.word("terminal.program_visit", "agent", "custody@9");
        let outcome = judge(&pack, Some(ExceptionKind::Diverted), &facts);
        let proof = prove(&pack, &outcome, &facts);
        let answers: Vec<_> = proof.because.iter().filter(|part| part.part == "agent").collect();
        assert_eq!(answers.len(), 1);
        assert!(answers[0].says.en.contains("own fault"), "{:?}", answers[0].says);
        let zh = proof.lines(true).join("\n");
        assert!(zh.contains("代理商 100 %") && zh.contains("custody@9"), "{zh}");
        assert!(proof.summary().en.contains("tamper-agent"));
    }

    #[test]
    fn every_answer_of_both_packs_has_words_in_both_languages() {
        for pack in [Pack::builtin_cn().unwrap(), Pack::builtin_intl().unwrap()] {
            for template in ["answer", "outward", "nobody", "abstain", "suspense", "ask"] {
                let text = pack.say(template, &[]);
                assert!(!text.zh.is_empty() && !text.en.is_empty(), "{} {template}", pack.id);
            }
            for rule in pack.rules() {
                for text in [&rule.title, &rule.text, &rule.ground.text] {
                    assert!(!text.zh.is_empty() && !text.en.is_empty(), "{} {}", pack.id, rule.id);
                }
            }
        }
    }
}
