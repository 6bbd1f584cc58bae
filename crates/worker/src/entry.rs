//! Bodies of evidence entries: a verdict with everything a stranger needs to follow it.

use onus_liability::Pack;
use onus_model::{FactUsed, FindingStatus, Text, Verdict};
use serde_json::{Value, json};

/// What a verdict's entry says beside the verdict.
pub(crate) struct About<'a> {
    pub(crate) payment: &'a str,
    pub(crate) revision: i64,
    pub(crate) decided_at: String,
    pub(crate) verdict_sha256: &'a str,
    pub(crate) breaks: Vec<&'a str>,
    pub(crate) episode: &'a str,
    pub(crate) case: Option<&'a str>,
}

/// The body of a verdict's entry as a JSON value.
pub(crate) fn verdict_body(pack: &Pack, verdict: &Verdict, about: &About<'_>) -> Value {
    let shares: serde_json::Map<String, Value> =
        verdict.shares.parts().iter().map(|(party, bp)| (party.to_string(), json!(bp))).collect();
    let findings: Vec<Value> = verdict.findings.iter().map(|finding| json!({
        "cause": finding.cause, "status": finding.status, "facts": finding.facts.iter().map(|used| finding_fact(finding.status, used)).collect::<Vec<_>>(),
    })).collect();
    let reasons: Vec<Value> = verdict.reasons.iter().map(|reason| json!({
        "rule_id": reason.rule_id, "text": text(&reason.text),
        "ground": {"text": text(&reason.ground.text), "source": reason.ground.source, "grade": reason.ground.grade},
        "facts": reason.facts.iter().map(named_fact).collect::<Vec<_>>(),
    })).collect();
    let would_change: Vec<Value> =
        verdict.would_change.iter().map(|change| json!({"fact": change.fact, "text": text(&change.text)})).collect();
    let obligations: Vec<Value> = verdict.obligations.iter().map(|duty| json!({
        "duty": duty.duty, "owner": duty.owner, "within": duty.within, "automation": duty.automation, "text": pack.duties.get(&duty.duty).map(text),
    })).collect();
    json!({
        "type": "verdict", "payment": about.payment, "kind": verdict.kind, "revision": about.revision, "decided_at": about.decided_at,
        "cause": verdict.cause, "status": verdict.status, "outward": verdict.outward, "shares": shares, "suspense": verdict.suspense,
        "loss_minor": verdict.loss_minor, "rule_id": verdict.rule_id, "rule_title": text(&verdict.rule_title),
        "pack": {"id": pack.id, "version": pack.version, "sha256": pack.sha256}, "verdict_sha256": about.verdict_sha256,
        "findings": findings, "reasons": reasons, "would_change": would_change,
        "agent": {"basis": verdict.agent_basis, "text": text(&verdict.agent_answer)}, "obligations": obligations,
        "breaks": about.breaks, "episode": about.episode, "case": about.case,
    })
}

/// The body of an entry that takes a verdict back.
pub(crate) fn withdrawal_body(payment: &str, kind: &str, revision: i64, decided_at: &str) -> Value {
    json!({"type": "withdrawal", "payment": payment, "kind": kind, "revision": revision, "decided_at": decided_at})
}

fn text(text: &Text) -> Value {
    json!({"zh": text.zh, "en": text.en})
}

/// Excluded causes are many: their facts go by name, value and source, which is all that a stranger needs to check them.
fn finding_fact(status: FindingStatus, used: &FactUsed) -> Value {
    match status {
        FindingStatus::Excluded => {
            json!({"name": used.name, "value": used.value.to_string(), "source": used.source})
        }
        _ => named_fact(used),
    }
}

fn named_fact(used: &FactUsed) -> Value {
    let known = onus_liability::VOCABULARY.iter().find(|known| known.name == used.name);
    let (zh, en) = known.map_or(("", ""), |known| (known.zh, known.en));
    json!({"name": used.name, "value": used.value.to_string(), "zh": zh, "en": en, "source": used.source})
}
