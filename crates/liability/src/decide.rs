//! From facts to a verdict.

use base16ct::lower::encode_string as hex;
use onus_model::{AgentBasis, Cause, ExceptionKind, FactUsed, Finding, FindingStatus, Party, Reason, Shares, Verdict};
use sha2::{Digest, Sha256};

use crate::bearers::Asked;
use crate::condition::{Condition, Fit};
use crate::facts::{Facts, facts_sha256};
use crate::pack::{CauseRow, Pack, PackError, Place, Rule};
use crate::value::Value;
use crate::vocabulary::{fact_id, fact_of};

/// What was decided, without the words: the pack holds those.
#[derive(Debug, Clone)]
pub struct Outcome<'p> {
    /// Leading cause.
    pub cause: Cause,
    /// How sure it is.
    pub status: FindingStatus,
    /// Who bears it in the end.
    pub shares: Shares,
    /// Who pays the user first.
    pub outward: Option<Party>,
    /// Why the agent bears a share, or that it does not.
    pub agent_basis: AgentBasis,
    /// The rule that decided; none when the pack is silent.
    pub rule: Option<&'p Rule>,
    pub(crate) met: Option<&'p Condition>,
    pub(crate) leading: Option<&'p CauseRow>,
}

impl Outcome<'_> {
    /// Whether there is no answer: the pack is silent, or its rule leaves it to a person.
    #[must_use]
    pub fn abstains(&self) -> bool {
        self.rule.is_none_or(|rule| rule.abstain)
    }

    /// Id of the rule that decided.
    #[must_use]
    pub fn rule_id(&self) -> &str {
        self.rule.map_or("none", |rule| &rule.id)
    }
}

/// The kind of exception that facts name.
#[must_use]
pub fn kind_of(facts: &Facts) -> Option<ExceptionKind> {
    let fact = facts.get("kind")?;
    ExceptionKind::parse(&fact.value.text(fact_of(fact_id("kind")?)?.kind))
}

/// Decides from facts: tests the causes in order, takes the first that carries a decision, applies the first rule that
/// fits and that places the loss on somebody who is asked about.
#[must_use]
pub fn judge<'p>(pack: &'p Pack, kind: Option<ExceptionKind>, facts: &Facts) -> Outcome<'p> {
    let leading = kind.and_then(|kind| leading(pack, kind, facts));
    let (cause, status) = leading.map_or((Cause::Unknown, FindingStatus::Possible), |row| (row.cause, row.status));
    let silent = Outcome {
        cause,
        status,
        shares: Shares::none(),
        outward: None,
        agent_basis: AgentBasis::None,
        rule: None,
        met: None,
        leading,
    };
    if !in_force(pack, facts) {
        return silent;
    }
    let asked = Asked::of(facts);
    let answer = |rule: &'p Rule| {
        let met = rule.met_by(facts)?;
        let shares = if rule.abstain { Shares::none() } else { rule.division.shares(&asked, facts)? };
        Some((rule, met, shares))
    };
    let Some((rule, met, shares)) = pack.rules_for(cause, kind).find_map(answer) else { return silent };
    let outward = rule.outward_on(&asked, facts);
    let charged = shares.of(Party::Agent) > 0 || outward == Some(Party::Agent);
    let agent_basis = if charged { rule.agent_basis } else { AgentBasis::None };
    Outcome { shares, outward, agent_basis, rule: Some(rule), met: Some(met), ..silent }
}

/// Whether the event is not known to lie before the pack's days.
fn in_force(pack: &Pack, facts: &Facts) -> bool {
    let date = facts.get("event.date").map(|fact| &fact.value);
    !matches!(date, Some(Value::Date { to, .. }) if *to < pack.effective_from)
}

/// The first row that is met and carries a decision, of a cause that nothing rules out.
fn leading<'p>(pack: &'p Pack, kind: ExceptionKind, facts: &Facts) -> Option<&'p CauseRow> {
    let leads = |row: &&CauseRow| {
        row.status.carries_a_decision() && row.when.met(facts) && !is_excluded(pack, kind, row.cause, facts)
    };
    pack.cause_rows(kind).find(leads)
}

fn is_excluded(pack: &Pack, kind: ExceptionKind, cause: Cause, facts: &Facts) -> bool {
    let speaks = |row: &&crate::pack::Exclusion| row.kinds.contains(&kind) && row.causes.contains(&cause);
    pack.exclusions.iter().filter(speaks).any(|row| row.when.met(facts))
}

/// Decides one exception and tells it in words.
///
/// # Errors
/// Never with a pack that loaded and has causes: the checks guarantee a rule of last resort.
pub fn decide(pack: &Pack, kind: ExceptionKind, facts: &Facts, loss_minor: i64) -> Result<Verdict, PackError> {
    let outcome = judge(pack, Some(kind), facts);
    let silent = || {
        let place = Place { file: "rules.toml", line: 1 };
        PackError::row(place, outcome.cause.as_str(), "no rule fits; a pack with causes that loaded cannot come here")
    };
    let rule = outcome.rule.ok_or_else(silent)?;
    let findings = findings(pack, kind, facts, outcome.leading);
    let reason = Reason {
        rule_id: rule.id.clone(),
        text: rule.text.clone(),
        ground: rule.ground.clone(),
        facts: facts_of(&outcome, facts),
    };
    Ok(Verdict {
        kind,
        cause: outcome.cause,
        status: outcome.status,
        findings,
        rule_id: rule.id.clone(),
        rule_title: rule.title.clone(),
        outward: outcome.outward,
        shares: outcome.shares,
        suspense: rule.suspense,
        loss_minor,
        reasons: vec![reason],
        would_change: rule.would_change.clone(),
        agent_basis: outcome.agent_basis,
        agent_answer: pack.agent_answer(outcome.agent_basis),
        obligations: rule.obligations.clone(),
    })
}

/// The facts that an outcome rests on, those of the cause first.
pub(crate) fn facts_of(outcome: &Outcome<'_>, facts: &Facts) -> Vec<FactUsed> {
    let of_cause = outcome.leading.into_iter().flat_map(|row| row.when.facts());
    let of_rule = outcome.met.into_iter().flat_map(Condition::facts);
    let mut all = Vec::new();
    for fact in of_cause.chain(of_rule).filter_map(|id| facts.used(id)) {
        if !all.contains(&fact) {
            all.push(fact);
        }
    }
    all
}

/// All causes that the table knows for a kind: the first row that is met leads; the others are possible or excluded.
fn findings(pack: &Pack, kind: ExceptionKind, facts: &Facts, leading: Option<&CauseRow>) -> Vec<Finding> {
    let mut findings: Vec<Finding> = Vec::new();
    let used = |when: &Condition| -> Vec<FactUsed> { when.facts().filter_map(|id| facts.used(id)).collect() };
    for row in pack.cause_rows(kind) {
        let (status, shown) = match row.when.fit(facts) {
            Fit::Met if leading.is_some_and(|leading| std::ptr::eq(leading, row)) => (row.status, used(&row.when)),
            // A second cause that fits is kept in view, but one leads.
            Fit::Met => (FindingStatus::Possible, used(&row.when)),
            Fit::Open => (FindingStatus::Possible, Vec::new()),
            Fit::Contradicted(id) => (FindingStatus::Excluded, facts.used(id).into_iter().collect()),
        };
        match findings.iter_mut().find(|finding| finding.cause == row.cause) {
            // Of several rows for a cause the best result stands.
            Some(known) if known.status > status => *known = Finding { cause: row.cause, status, facts: shown },
            Some(_) => {}
            None => findings.push(Finding { cause: row.cause, status, facts: shown }),
        }
    }
    for row in pack.exclusions.iter().filter(|row| row.kinds.contains(&kind) && row.when.met(facts)) {
        for finding in findings.iter_mut().filter(|finding| row.causes.contains(&finding.cause)) {
            *finding = Finding { cause: finding.cause, status: FindingStatus::Excluded, facts: used(&row.when) };
        }
    }
    findings.sort_by_key(|finding| finding.status);
    findings
}

/// Hash of a verdict: pack, facts and what was decided. The same pack and facts give the same hash for ever.
#[must_use]
pub fn verdict_sha256(pack: &Pack, facts: &Facts, verdict: &Verdict) -> String {
    let outward = verdict.outward.map_or("none", Party::as_str);
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

/// Hash of an outcome, for packs that decide from facts alone.
#[must_use]
pub fn outcome_sha256(pack: &Pack, facts: &Facts, outcome: &Outcome<'_>) -> String {
    let outward = outcome.outward.map_or("none", Party::as_str);
    let (facts, shares) = (facts_sha256(facts), outcome.shares.to_json());
    let decided = format!("{} {} {} {outward} {shares}", outcome.cause, outcome.status, outcome.rule_id());
    hex(&Sha256::digest(format!("{}\n{facts}\n{decided}", pack.sha256)))
}

#[cfg(test)]
mod tests {
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
    fn the_shipped_packs_load() {
        assert_eq!(Pack::builtin_cn().unwrap().id, "cn-default-1");
        assert_eq!(Pack::builtin_intl().unwrap_or_else(|error| panic!("{error}")).id, "intl-principles-1");
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
        let intl = Pack::builtin_intl().unwrap();
        assert!(judge(&intl, None, &Facts::default()).abstains());
    }
}
