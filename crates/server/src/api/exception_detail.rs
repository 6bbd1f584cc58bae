//! One exception with its whole decision.

use std::collections::BTreeMap;

use onus_store::cases;
use onus_store::episodes;
use onus_store::exceptions::ExceptionRow;
use onus_store::ledger::LedgerLineRow;
use serde::Serialize;
use utoipa::ToSchema;

use crate::actor::Actor;
use crate::api::episodes::{EpisodeRow, episode_row};
use crate::api::payments::shares;
use crate::language::Lang;
use crate::proofs::{Head, Proven};
use crate::verdict_body::{self, FactSource, Pack, TwoTexts, VerdictBody};

/// The decision on one exception of a payment.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ExceptionDetail {
    kind: String,
    cause: String,
    status: String,
    outward: String,
    shares: BTreeMap<String, i64>,
    loss_minor: i64,
    rule_id: String,
    rule_title_zh: String,
    rule_title_en: String,
    pack: Pack,
    decided_at: String,
    revision: i64,
    findings: Vec<Finding>,
    reasons: Vec<Reason>,
    would_change: Vec<WouldChange>,
    agent_answer: AgentAnswer,
    episode: Option<EpisodeRow>,
    case: Option<CaseDetail>,
    ledger: Vec<LedgerLine>,
    evidence: Evidence,
}

/// A cause that was looked at.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Finding {
    cause: String,
    status: String,
    facts: Vec<FindingFact>,
}

/// A fact for or against a cause.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FindingFact {
    name: String,
    value: String,
    source: Option<String>,
}

/// A reason: a rule and the facts it used.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Reason {
    rule_id: String,
    text_zh: String,
    text_en: String,
    ground: Ground,
    facts: Vec<ReasonFact>,
}

/// What a rule rests on, in the reader's language.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Ground {
    text: String,
    source: String,
    grade: String,
}

/// A fact that made a rule apply.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ReasonFact {
    name: String,
    value: String,
    zh: String,
    en: String,
    source: Option<FactSource>,
}

/// Evidence that would change the decision.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct WouldChange {
    fact: String,
    zh: String,
    en: String,
}

/// Why the agent bears a share, or that it does not.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AgentAnswer {
    /// `own_fault`, `contract`, `own_promise` or `none`.
    basis: String,
    zh: String,
    en: String,
}

/// A case with its obligations.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CaseDetail {
    id: String,
    state: String,
    opened_at: String,
    due_at: String,
    overdue: bool,
    obligations: Vec<Obligation>,
}

/// What somebody has to do, and by when.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Obligation {
    seq: i64,
    duty: String,
    duty_zh: String,
    duty_en: String,
    owner: String,
    due_at: String,
    amount_minor: i64,
    state: String,
    /// `manual`: software does nothing by itself, until the limit is verified where one is named.
    automation: String,
    /// Limit that has to be verified, or empty.
    limit_id: String,
}

/// A line of the double-entry ledger; debit is positive.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LedgerLine {
    journal_id: String,
    line: i64,
    account: String,
    party: String,
    amount_minor: i64,
    memo: String,
    booked_at: String,
}

/// Where the decision stands in the evidence log, and the proof of it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Evidence {
    entry_index: i64,
    leaf_hash: String,
    verdict_sha256: String,
    tree_size: u64,
    root: String,
    proof: Vec<String>,
    /// The signed note.
    checkpoint: String,
    /// Body, leaf, proof, root and signature all fit.
    verified: bool,
}

/// What the store has about one exception.
pub(crate) struct Parts {
    pub(crate) exception: ExceptionRow,
    pub(crate) body: VerdictBody,
    pub(crate) proven: Option<Proven>,
    pub(crate) case: Option<cases::CaseDetail>,
    pub(crate) ledger: Vec<LedgerLineRow>,
    pub(crate) episode: Option<episodes::EpisodeRow>,
}

pub(crate) fn exception_detail(parts: Parts, head: Option<&Head>, actor: &Actor) -> ExceptionDetail {
    let Parts { exception: it, body, proven, case, ledger, episode } = parts;
    let case = case.map(|case| case_detail(case, &body.obligations, actor));
    ExceptionDetail {
        shares: shares(&it.shares),
        decided_at: actor.time(it.decided_at),
        evidence: evidence(&it, proven, head),
        kind: it.kind,
        cause: it.cause,
        status: it.status,
        outward: it.outward,
        loss_minor: it.loss_minor,
        rule_id: it.rule_id,
        rule_title_zh: body.rule_title.zh,
        rule_title_en: body.rule_title.en,
        pack: body.pack,
        revision: it.revision,
        findings: body.findings.into_iter().map(finding).collect(),
        reasons: body.reasons.into_iter().map(|it| reason(it, actor.lang)).collect(),
        would_change: body
            .would_change
            .into_iter()
            .map(|it| WouldChange { fact: it.fact, zh: it.text.zh, en: it.text.en })
            .collect(),
        agent_answer: AgentAnswer { basis: body.agent.basis, zh: body.agent.text.zh, en: body.agent.text.en },
        episode: episode.map(|it| episode_row(it, actor)),
        case,
        ledger: ledger.into_iter().map(|it| ledger_line(it, actor)).collect(),
    }
}

fn evidence(it: &ExceptionRow, proven: Option<Proven>, head: Option<&Head>) -> Evidence {
    let leaf_hash = proven.as_ref().map(|it| it.leaf.to_string()).unwrap_or_default();
    let verified = proven.as_ref().is_some_and(|it| it.verified);
    Evidence {
        entry_index: it.entry_index,
        leaf_hash,
        verdict_sha256: it.verdict_sha256.clone(),
        tree_size: head.map_or(0, |head| head.size),
        root: head.map(|head| head.root.to_string()).unwrap_or_default(),
        proof: proven.into_iter().flat_map(|it| it.proof).map(|hash| hash.to_string()).collect(),
        checkpoint: head.map(|head| head.note.clone()).unwrap_or_default(),
        verified,
    }
}

fn finding(it: verdict_body::Finding) -> Finding {
    let facts =
        it.facts.into_iter().map(|fact| FindingFact { value: fact.value_text(), name: fact.name, source: fact.source });
    Finding { facts: facts.collect(), cause: it.cause, status: it.status }
}

fn reason(it: verdict_body::Reason, lang: Lang) -> Reason {
    let TwoTexts { zh, en } = &it.ground.text;
    let facts = it.facts.into_iter().map(|fact| {
        let TwoTexts { zh, en } = fact.names();
        ReasonFact { value: fact.value_text(), source: fact.place(), name: fact.name, zh, en }
    });
    Reason {
        rule_id: it.rule_id,
        text_zh: it.text.zh,
        text_en: it.text.en,
        ground: Ground { text: lang.pick(zh, en).to_owned(), source: it.ground.source, grade: it.ground.grade },
        facts: facts.collect(),
    }
}

fn case_detail(it: cases::CaseDetail, said: &[verdict_body::Obligation], actor: &Actor) -> CaseDetail {
    let obligations = it.obligations.into_iter().map(|row| {
        let text = said.iter().find(|said| said.duty == row.duty).and_then(|said| said.text.clone());
        let text = text.unwrap_or_else(|| TwoTexts { zh: row.duty.clone(), en: row.duty.clone() });
        Obligation {
            due_at: actor.time(row.due_at),
            seq: row.seq,
            duty: row.duty,
            duty_zh: text.zh,
            duty_en: text.en,
            owner: row.owner,
            amount_minor: row.amount_minor,
            state: row.state,
            automation: row.automation,
            limit_id: row.limit_id,
        }
    });
    CaseDetail {
        obligations: obligations.collect(),
        opened_at: actor.time(it.case.opened_at),
        due_at: actor.time(it.case.due_at),
        id: it.case.id,
        state: it.case.state,
        overdue: it.overdue,
    }
}

fn ledger_line(it: LedgerLineRow, actor: &Actor) -> LedgerLine {
    LedgerLine {
        booked_at: actor.time(it.booked_at),
        journal_id: it.journal_id,
        line: it.line,
        account: it.account,
        party: it.party,
        amount_minor: it.amount_minor,
        memo: it.memo,
    }
}
