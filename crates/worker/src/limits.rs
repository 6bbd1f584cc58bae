//! Limits of all packs with who verified them; what waited for one is done when two people verified it.

use onus_casework::Calendar;
use onus_casework::dual_control::{DecisionState, DecisionStep, Subject};
use onus_evidence::SigningKey;
use onus_liability::{Limit, Pack, Verified, decide};
use onus_model::{Automation, ExceptionKind, Zone};
use onus_store::approvals::{self, ApprovalRow};
use onus_store::cases::{self, CaseRow};
use onus_store::rejudgements;
use onus_store::tenants::TenantRow;
use onus_store::{Scope, StoreError, Tx};
use serde_json::json;

use crate::approval::{About, Author, NotDecided, take};
use crate::packs::{live_pack, pack_by_hash};
use crate::resolve::sign;
use crate::revision::{OnPayment, Reviser};
use crate::verdict_facts;

const LIMIT: &str = Subject::Limit.as_str();

/// A limit with who verified it and whether software acts on it.
#[derive(Debug, Clone)]
pub struct LimitStanding {
    /// The limit.
    pub limit: Limit,
    /// Where its verification stands, if somebody touched it.
    pub approval: Option<ApprovalRow>,
    /// It was proposed or verified for another value, which no longer holds.
    pub lapsed: bool,
    /// Whether software acts on it.
    pub automation: Automation,
    /// Open cases that wait for it.
    pub waiting: i64,
}

/// Limits that two people verified, by id and hash.
pub(crate) fn verified(tx: &mut Tx<'_>, tenant: &str) -> Result<Verified, StoreError> {
    let rows = approvals::of_subject(tx, &Scope::all(tenant), LIMIT)?;
    let approved = rows.into_iter().filter(|row| row.state == DecisionState::Approved.as_str());
    Ok(approved.map(|row| (row.id, row.content_sha256)).collect())
}

/// All limits of the pack in force, of the principles, and of the networks.
///
/// # Errors
/// When the store fails.
pub fn limits(tx: &mut Tx<'_>, scope: &Scope) -> Result<Vec<LimitStanding>, StoreError> {
    let all = all_limits(tx, &scope.tenant)?;
    let verified = verified(tx, &scope.tenant)?;
    let decisions = approvals::of_subject(tx, scope, LIMIT)?;
    let mut standings = Vec::with_capacity(all.len());
    for limit in all {
        let approval = decisions.iter().find(|row| row.id == limit.id).cloned();
        let waiting =
            if limit.waits() { cases::waiting_for(tx, &scope.tenant, &limit.id, &limit.sha256)?.len() } else { 0 };
        standings.push(LimitStanding {
            lapsed: approval.as_ref().is_some_and(|row| row.content_sha256 != limit.sha256),
            automation: limit.automation(&verified),
            waiting: i64::try_from(waiting).unwrap_or(i64::MAX),
            approval,
            limit,
        });
    }
    Ok(standings)
}

fn all_limits(tx: &mut Tx<'_>, tenant: &str) -> Result<Vec<Limit>, StoreError> {
    let mut all = live_pack(tx, tenant)?.limits();
    all.extend(Pack::builtin_intl().map_err(StoreError::refuse)?.limits());
    all.extend(onus_liability::network_limits());
    Ok(all)
}

/// Takes a step of verifying a limit, logs and signs it. When it is verified, the money that waited for it is booked.
///
/// # Errors
/// When the store fails. A step that is not allowed is no such error, and changes nothing.
pub fn verify_limit(
    tx: &mut Tx<'_>,
    author: &Author<'_>,
    key: &SigningKey,
    tenant: &TenantRow,
    id: &str,
    step: DecisionStep,
) -> Result<Result<ApprovalRow, NotDecided>, StoreError> {
    let Some(limit) = all_limits(tx, author.tenant)?.into_iter().find(|limit| limit.id == id && limit.waits()) else {
        return Ok(Err(NotDecided::Unknown { subject: Subject::Limit, id: id.to_owned() }));
    };
    let content = json!({"value": limit.value, "source": limit.source, "grade": limit.grade});
    let about = About { subject: Subject::Limit, id, content_sha256: &limit.sha256, content };
    let taken = take(tx, author, &about, step)?;
    if taken.is_ok() && step == DecisionStep::Approve {
        for case in cases::waiting_for(tx, author.tenant, &limit.id, &limit.sha256)? {
            book(tx, author, tenant, &case)?;
        }
    }
    sign(tx, author.tenant, key, author.now)?;
    Ok(taken)
}

/// Books the money of a case that waited, unless it is booked.
fn book(tx: &mut Tx<'_>, author: &Author<'_>, tenant: &TenantRow, case: &CaseRow) -> Result<(), StoreError> {
    let scope = Scope::all(author.tenant);
    let Some(row) = onus_store::exceptions::by_key(tx, &scope, &case.payment_id, &case.kind)? else { return Ok(()) };
    let journal = format!("{}.{}", case.id, row.revision);
    let booked = onus_store::ledger::of_case(tx, &scope, &case.id)?;
    if booked.iter().any(|line| line.journal_id == journal) {
        return Ok(());
    }
    let told = rejudgements::facts_of(tx, author.tenant, &row.payment_id, &row.kind, row.revision)?;
    let (Some(told), Some(kind)) = (told, ExceptionKind::parse(&row.kind)) else { return Ok(()) };
    let Some(pack) = pack_by_hash(tx, author.tenant, &told.pack_sha256)? else { return Ok(()) };
    let facts = verdict_facts::decode(&told.facts)?;
    let verdict = decide(&pack, kind, &facts, row.loss_minor).map_err(StoreError::refuse)?;
    let reviser = reviser_of(pack, verified(tx, author.tenant)?, tenant, author)?;
    let lines = reviser.lines(&OnPayment::of(&row, Vec::new()), &verdict, row.revision).map_err(StoreError::refuse)?;
    onus_store::ledger::insert(tx, author.tenant, &lines)?;
    Ok(())
}

/// Makes revisions by a pack for one author.
pub(crate) fn reviser_of(
    pack: Pack,
    verified: Verified,
    tenant: &TenantRow,
    author: &Author<'_>,
) -> Result<Reviser, StoreError> {
    let calendar = Calendar::builtin_cn().map_err(StoreError::refuse)?;
    let zone = Zone::named(&tenant.zone).map_err(StoreError::refuse)?;
    let currency = tenant.currency.parse().map_err(StoreError::refuse)?;
    Ok(Reviser::new(pack, verified, calendar, zone, author.now, currency))
}
