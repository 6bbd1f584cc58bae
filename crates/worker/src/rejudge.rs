//! Judging again what stands: what would be another verdict is listed, and changes once two people say so.

use onus_casework::dual_control::{DecisionStep, Subject};
use onus_evidence::SigningKey;
use onus_liability::{decide, verdict_sha256};
use onus_model::{ExceptionKind, Instant};
use onus_store::approvals::ApprovalRow;
use onus_store::exceptions::ExceptionRow;
use onus_store::rejudgements::{self, RejudgementRow};
use onus_store::tenants::TenantRow;
use onus_store::{Scope, Store, StoreError, Tx, breaks, log, overview, payments};
use rustc_hash::FxHashMap;
use serde_json::json;

use crate::apply::{Rows, put_listed, take_back, write_rows};
use crate::approval::{About, Author, NotDecided, take};
use crate::entry::withdrawal_body;
use crate::error::WorkerError;
use crate::limits::{reviser_of, verified};
use crate::packs::live_pack;
use crate::resolve::sign;
use crate::revision::{OnPayment, Reviser, push_entry};
use crate::standing::{Change, Key, Standing};
use crate::summary::tally_of;
use crate::verdict_facts;

/// Rejudgements written in one transaction.
const BATCH: usize = 5_000;

/// What judging again came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Rejudged {
    /// Verdicts of other packs that were judged again.
    pub judged: u64,
    /// Those that would be others; each is listed, once.
    pub changed: u64,
    /// Verdicts of older programs, whose facts were not kept: importing judges them again.
    pub without_facts: u64,
}

/// Judges every verdict of another pack by the one in force, from the facts that it was decided from, and lists what
/// would change. No verdict changes.
///
/// # Errors
/// When the store fails.
pub fn rejudge(store: &Store, tenant: &str, now: Instant) -> Result<Rejudged, WorkerError> {
    let scope = Scope::all(tenant);
    let (mut done, mut listed) = (Rejudged::default(), Vec::new());
    let open = store.read(|tx| {
        let pack = live_pack(tx, tenant)?;
        rejudgements::for_each_verdict(tx, &scope, |row, pack_sha256, facts| {
            if pack_sha256 == pack.sha256 {
                return Ok(());
            }
            let Some(kind) = ExceptionKind::parse(&row.kind).filter(|_| !facts.is_empty()) else {
                done.without_facts += 1;
                return Ok(());
            };
            done.judged += 1;
            let told = verdict_facts::decode(facts)?;
            let verdict = decide(&pack, kind, &told, row.loss_minor).map_err(StoreError::refuse)?;
            let was = Standing::of(&row, false, true);
            if was.is_outcome_of(&verdict) {
                return Ok(());
            }
            done.changed += 1;
            let sha256 = verdict_sha256(&pack, &told, &verdict);
            let key = (row.payment_id.clone(), row.kind.clone());
            let new = Some((&verdict, sha256.as_str(), facts.to_owned()));
            let by = (pack.id.as_str(), pack.version.as_str(), pack.sha256.as_str());
            listed.push(Change { key: &key, was: &was, new, reason: "[]".to_owned(), pack: by, now }.row());
            Ok(())
        })?;
        rejudgements::open(tx, tenant)
    })?;
    let open: FxHashMap<Key, String> = open.into_iter().map(|(payment, kind, id)| ((payment, kind), id)).collect();
    for part in listed.chunks(BATCH) {
        store.write(|tx| {
            for row in part {
                let before = open.get(&(row.payment_id.clone(), row.kind.clone()));
                if let Some(id) = before.filter(|id| **id != row.id) {
                    onus_store::approvals::supersede(tx, tenant, Subject::Rejudgement.as_str(), id, now.0)?;
                }
            }
            put_listed(tx, tenant, part)
        })?;
    }
    Ok(done)
}

/// Takes a step for each of these rejudgements, logs and signs it. What is approved becomes the next revision.
///
/// # Errors
/// When the store fails. A step that is not allowed is no such error; it changes nothing, and the others are taken.
pub fn decide_rejudgements(
    tx: &mut Tx<'_>,
    author: &Author<'_>,
    key: &SigningKey,
    tenant: &TenantRow,
    ids: &[String],
    step: DecisionStep,
) -> Result<Vec<Result<ApprovalRow, NotDecided>>, StoreError> {
    let scope = Scope::all(author.tenant);
    let reviser = reviser_of(live_pack(tx, author.tenant)?, verified(tx, author.tenant)?, tenant, author)?;
    let mut answers = Vec::with_capacity(ids.len());
    for id in ids {
        let answer = match rejudgements::by_id(tx, &scope, id)? {
            None => Err(NotDecided::Unknown { subject: Subject::Rejudgement, id: id.clone() }),
            Some(row) => decide_one(tx, author, &reviser, &row, step)?,
        };
        answers.push(answer);
    }
    sign(tx, author.tenant, key, author.now)?;
    Ok(answers)
}

fn decide_one(
    tx: &mut Tx<'_>,
    author: &Author<'_>,
    reviser: &Reviser,
    row: &RejudgementRow,
    step: DecisionStep,
) -> Result<Result<ApprovalRow, NotDecided>, StoreError> {
    let scope = Scope::all(author.tenant);
    let old = onus_store::exceptions::by_key(tx, &scope, &row.payment_id, &row.kind)?;
    let old = old.filter(|old| old.revision == row.from_revision);
    let out_of_date = |detail| Ok(Err(NotDecided::OutOfDate { id: row.id.clone(), detail }));
    let comes_true = matches!(step, DecisionStep::Propose | DecisionStep::Approve);
    let is_gone = row.verdict_sha256.is_empty();
    if comes_true && old.is_none() {
        return out_of_date("the verdict was judged again meanwhile");
    }
    if comes_true && !is_gone && row.pack_sha256 != reviser.pack.sha256 {
        return out_of_date("another pack is in force");
    }
    let content = if is_gone { &row.id } else { &row.verdict_sha256 };
    let about = About {
        subject: Subject::Rejudgement,
        id: &row.id,
        content_sha256: content,
        content: json!({
            "on": row.payment_id, "kind_of_exception": row.kind, "from_revision": row.from_revision, "why": row.why,
            "old": {"cause": row.old_cause, "outward": row.old_outward, "shares": row.old_shares, "loss_minor": row.old_loss_minor, "rule_id": row.old_rule_id},
            "new": {"cause": row.new_cause, "outward": row.new_outward, "shares": row.new_shares, "loss_minor": row.new_loss_minor, "rule_id": row.new_rule_id},
        }),
    };
    let taken = take(tx, author, &about, step)?;
    if let (Ok(_), DecisionStep::Approve, Some(old)) = (&taken, step, old) {
        if is_gone {
            withdraw(tx, author, reviser, &old)?;
        } else {
            revise(tx, author, reviser, &old, row)?;
        }
    }
    Ok(taken)
}

/// The next revision, decided anew from the facts that were listed.
fn revise(
    tx: &mut Tx<'_>,
    author: &Author<'_>,
    reviser: &Reviser,
    old: &ExceptionRow,
    row: &RejudgementRow,
) -> Result<(), StoreError> {
    let damaged = |detail: String| StoreError::Damaged { what: "rejudgement", detail };
    let facts = verdict_facts::decode(&row.facts)?;
    let kind = ExceptionKind::parse(&row.kind).ok_or_else(|| damaged(format!("{}: unknown kind", row.id)))?;
    let verdict = decide(&reviser.pack, kind, &facts, row.new_loss_minor).map_err(StoreError::refuse)?;
    let sha256 = verdict_sha256(&reviser.pack, &facts, &verdict);
    if sha256 != row.verdict_sha256 {
        return Err(damaged(format!("{}: its facts no longer give the verdict that was listed", row.id)));
    }
    let found = breaks::of_payment(tx, &Scope::all(author.tenant), &row.payment_id)?;
    let on = OnPayment::of(old, found.iter().map(|found| found.class.as_str()).collect());
    let mut rows = Rows::default();
    let first = log::size(tx, &Scope::all(author.tenant))?;
    reviser
        .add(&on, &verdict, &sha256, &facts, old.revision.saturating_add(1), first, &mut rows)
        .map_err(StoreError::refuse)?;
    let mut sums = vec![tally_of(&reviser.zone, old, -1)];
    sums.extend(rows.exceptions.iter().map(|new| tally_of(&reviser.zone, new, 1)));
    write_rows(tx, author.tenant, &rows, author.now.0)?;
    for row in &sums {
        overview::add_tallies(tx, author.tenant, [row])?;
    }
    Ok(())
}

/// Takes the verdict back.
fn withdraw(tx: &mut Tx<'_>, author: &Author<'_>, reviser: &Reviser, old: &ExceptionRow) -> Result<(), StoreError> {
    let mut rows = Rows::default();
    let first = log::size(tx, &Scope::all(author.tenant))?;
    let decided_at = reviser.zone.format(author.now);
    let body = withdrawal_body(&old.payment_id, &old.kind, old.revision.saturating_add(1), &decided_at);
    push_entry(&body, first, &mut rows).map_err(StoreError::refuse)?;
    rows.reversed.push(format!("{}.{}.{}", old.payment_id, old.kind, old.revision));
    write_rows(tx, author.tenant, &rows, author.now.0)?;
    take_back(tx, author.tenant, &old.payment_id, &old.kind)?;
    payments::set_kind(tx, author.tenant, &old.payment_id, &old.kind, false)?;
    overview::add_tallies(tx, author.tenant, [&tally_of(&reviser.zone, old, -1)])?;
    Ok(())
}

#[cfg(test)]
mod tests;
