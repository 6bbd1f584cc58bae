//! From facts to a verdict.

use base16ct::lower::encode_string as hex;
use onus_model::{Cause, ExceptionKind, FactUsed, Finding, FindingStatus, Reason, Verdict};
use sha2::{Digest, Sha256};

use crate::facts::Facts;
use crate::pack::{Fit, Pack, PackError, Rule};

/// Decides one exception: tests all causes, takes the first that carries a decision, applies the first rule that fits.
///
/// # Errors
/// Never with a pack that loaded: the checks guarantee a rule of last resort.
pub fn decide(pack: &Pack, kind: ExceptionKind, facts: &Facts, loss_minor: i64) -> Result<Verdict, PackError> {
    let findings = findings(pack, kind, facts);
    let leading = findings.first().filter(|finding| finding.status.carries_a_decision());
    let (cause, status) =
        leading.map_or((Cause::Unknown, FindingStatus::Possible), |finding| (finding.cause, finding.status));
    let rule = rule_for(pack, cause, kind, facts)?;
    let used = |names: &mut dyn Iterator<Item = &str>| -> Vec<FactUsed> {
        names.filter_map(|name| facts.used(name)).collect()
    };
    let reason = Reason {
        rule_id: rule.id.clone(),
        text: rule.text.clone(),
        ground: rule.ground.clone(),
        facts: leading
            .map(|finding| finding.facts.clone())
            .into_iter()
            .flatten()
            .chain(used(&mut rule.when.names()))
            .fold(Vec::new(), |mut all, fact| {
                if !all.contains(&fact) {
                    all.push(fact);
                }
                all
            }),
    };
    Ok(Verdict {
        kind,
        cause,
        status,
        findings,
        rule_id: rule.id.clone(),
        rule_title: rule.title.clone(),
        outward: rule.outward,
        shares: rule.shares.clone(),
        suspense: rule.suspense,
        loss_minor,
        reasons: vec![reason],
        would_change: rule.would_change.clone(),
        agent_basis: rule.agent_basis,
        agent_answer: rule.agent_answer.clone(),
        obligations: rule.obligations.clone(),
    })
}

fn rule_for<'a>(pack: &'a Pack, cause: Cause, kind: ExceptionKind, facts: &Facts) -> Result<&'a Rule, PackError> {
    let fits = |rule: &&Rule| {
        rule.causes.contains(&cause)
            && (rule.kinds.is_empty() || rule.kinds.contains(&kind))
            && rule.when.fit(facts) == Fit::Met
    };
    pack.rules
        .iter()
        .find(fits)
        .ok_or_else(|| PackError::row(cause.as_str(), "no rule fits; a pack that loaded cannot come here"))
}

/// All causes that the table knows for a kind: the first row that is met leads; the others are possible or excluded.
fn findings(pack: &Pack, kind: ExceptionKind, facts: &Facts) -> Vec<Finding> {
    let mut findings: Vec<Finding> = Vec::new();
    let mut led = false;
    for row in pack.causes.iter().filter(|row| row.kinds.contains(&kind)) {
        let fact = |name: &str| facts.used(name);
        let (status, shown) = match row.when.fit(facts) {
            Fit::Met if !led => (row.status, row.when.names().filter_map(fact).collect()),
            // A second cause that fits is kept in view, but one leads.
            Fit::Met => (FindingStatus::Possible, row.when.names().filter_map(fact).collect()),
            Fit::Open(_) => (FindingStatus::Possible, Vec::new()),
            Fit::Contradicted(name) => (FindingStatus::Excluded, fact(name).into_iter().collect()),
        };
        let leads = status.carries_a_decision() && !led;
        led |= leads;
        match findings.iter_mut().find(|finding| finding.cause == row.cause) {
            // Of several rows for a cause the best result stands.
            Some(known) if known.status > status => *known = Finding { cause: row.cause, status, facts: shown },
            Some(_) => {}
            None => findings.push(Finding { cause: row.cause, status, facts: shown }),
        }
    }
    findings.sort_by_key(|finding| finding.status);
    findings
}

/// Hash of the facts, in the order of their names.
#[must_use]
pub fn facts_sha256(facts: &Facts) -> String {
    let mut hash = Sha256::new();
    for (name, fact) in facts.iter() {
        hash.update(format!("{name}={}@{}\n", fact.value, fact.source));
    }
    hex(&hash.finalize())
}

/// Hash of a verdict: pack, facts and what was decided. The same pack and facts give the same hash for ever.
#[must_use]
pub fn verdict_sha256(pack: &Pack, facts: &Facts, verdict: &Verdict) -> String {
    let outward = verdict.outward.map_or("none", onus_model::Party::as_str);
    let text = format!(
        "{}\n{}\n{} {} {} {} {} {} {}",
        pack.sha256,
        facts_sha256(facts),
        verdict.kind,
        verdict.cause,
        verdict.status,
        verdict.rule_id,
        outward,
        verdict.shares.to_json(),
        verdict.loss_minor
    );
    hex(&Sha256::digest(text))
}

#[cfg(test)]
mod tests {
    use onus_model::{AgentBasis, Party};

    use super::*;

    fn shiyan() -> Facts {
        let mut facts = Facts::default();
        facts.yes("wire.sent", true, "switch@1");
        facts.yes("wire.forwarded", true, "switch@1");
        facts.yes("wire.answered", false, "switch@1");
        facts.yes("episode.network_line", true, "measured:episode");
        facts
    }

    #[test]
    fn the_shipped_pack_loads() {
        let pack = Pack::builtin_cn().unwrap();
        assert_eq!(pack.id, "cn-default-1");
        assert_eq!(pack.sha256.len(), 64);
    }

    #[test]
    fn a_silent_network_line_is_the_networks() {
        let pack = Pack::builtin_cn().unwrap();
        let verdict = decide(&pack, ExceptionKind::Reversed, &shiyan(), 0).unwrap();
        assert_eq!((verdict.cause, verdict.status), (Cause::NetUp, FindingStatus::Confirmed));
        assert_eq!(verdict.shares.to_json(), r#"{"network":10000}"#);
        assert_eq!(verdict.agent_basis, AgentBasis::None);
        assert_eq!(verdict.outward, None);
        assert_eq!(verdict_sha256(&pack, &shiyan(), &verdict), verdict_sha256(&pack, &shiyan(), &verdict));
    }

    #[test]
    fn the_agent_who_reloaded_the_program_bears_it() {
        let pack = Pack::builtin_cn().unwrap();
        let mut facts = Facts::default();
        facts.yes("break.merchant_swapped", true, "measured:breaks");
        facts.word("terminal.program_visit", "agent", "custody@9");
        let verdict = decide(&pack, ExceptionKind::Diverted, &facts, 11_058).unwrap();
        assert_eq!(verdict.cause, Cause::TamperAgent);
        assert_eq!(verdict.shares.of(Party::Agent), 10_000);
        assert_eq!(verdict.agent_basis, AgentBasis::OwnFault);
        assert_eq!(verdict.outward, Some(Party::Acquirer));
    }

    #[test]
    fn without_facts_every_kind_goes_to_suspense() {
        let pack = Pack::builtin_cn().unwrap();
        for kind in ExceptionKind::ALL {
            let verdict = decide(&pack, *kind, &Facts::default(), 100).unwrap();
            assert_eq!(verdict.cause, Cause::Unknown, "{kind}");
            assert!(verdict.suspense);
            assert_eq!(verdict.shares.of(Party::Agent), 0);
        }
    }

    proptest::proptest! {
        /// Whatever subset of facts is known: an agent is charged only on a cause that carries a decision, with a basis.
        #[test]
        fn no_agent_is_charged_without_cause(picks in proptest::collection::vec((0..crate::VOCABULARY.len(), 0..4usize), 0..20), kind in 0..8usize) {
            let pack = Pack::builtin_cn().unwrap();
            let mut facts = Facts::default();
            for (index, value) in picks {
                let known = &crate::VOCABULARY[index];
                match known.kind {
                    crate::FactKind::Bool => facts.yes(known.name, value % 2 == 0, "test"),
                    crate::FactKind::Code => facts.word(known.name, ["96", "A0", "4515", "58"][value], "test"),
                    crate::FactKind::Word(words) => facts.word(known.name, words[value % words.len()], "test"),
                }
            }
            let verdict = decide(&pack, ExceptionKind::ALL[kind], &facts, 1).unwrap();
            if verdict.shares.of(Party::Agent) > 0 {
                proptest::prop_assert_ne!(verdict.cause, Cause::Unknown);
                proptest::prop_assert!(verdict.status.carries_a_decision());
                proptest::prop_assert_ne!(verdict.agent_basis, AgentBasis::None);
            }
        }
    }
}
