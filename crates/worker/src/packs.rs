//! Rule packs of a store: the one in force, and drafts beside it.

use onus_casework::Calendar;
use onus_casework::dual_control::{DecisionState, DecisionStep, Subject};
use onus_evidence::SigningKey;
use onus_liability::{Pack, PackFiles};
use onus_model::{Instant, Zone};
use onus_store::approvals::{self, ApprovalRow};
use onus_store::rejudgements::{self, PackRow};
use onus_store::tenants::TenantRow;
use onus_store::{Scope, Store, StoreError, Tx};
use serde_json::json;

use crate::approval::{About, Author, NotDecided, take};
use crate::error::WorkerError;
use crate::limits::verified;
use crate::resolve::sign;
use crate::revision::Reviser;

const PACK: &str = Subject::Pack.as_str();

/// A pack of a store with where it stands.
#[derive(Debug, Clone)]
pub struct PackStanding {
    /// Id.
    pub id: String,
    /// Version.
    pub version: String,
    /// Hash of its files.
    pub sha256: String,
    /// It decides what comes now.
    pub live: bool,
    /// It came with the program.
    pub shipped: bool,
    /// When it was added; zero for the shipped one.
    pub added_at: i64,
    /// By whom.
    pub added_by: String,
    /// Where the decision about it stands; none for the shipped one.
    pub approval: Option<ApprovalRow>,
}

/// All packs of a store, the shipped one first.
///
/// # Errors
/// When the store fails or a pack does not load.
pub fn packs(tx: &mut Tx<'_>, scope: &Scope) -> Result<Vec<PackStanding>, StoreError> {
    let shipped = Pack::builtin_cn().map_err(StoreError::refuse)?;
    let decisions = approvals::of_subject(tx, scope, PACK)?;
    let is_live = |row: &ApprovalRow| row.state == DecisionState::Approved.as_str();
    let mut all = vec![PackStanding {
        live: !decisions.iter().any(is_live),
        shipped: true,
        added_at: 0,
        added_by: String::new(),
        approval: None,
        id: shipped.id,
        version: shipped.version,
        sha256: shipped.sha256,
    }];
    all.extend(rejudgements::packs(tx, scope)?.into_iter().map(|row| {
        let approval = decisions.iter().find(|decision| decision.id == row.sha256).cloned();
        PackStanding {
            live: approval.as_ref().is_some_and(is_live),
            shipped: false,
            added_at: row.added_at,
            added_by: row.added_by,
            approval,
            id: row.id,
            version: row.version,
            sha256: row.sha256,
        }
    }));
    Ok(all)
}

/// The pack that decides what comes now: the approved one, else the shipped one.
///
/// # Errors
/// When the store fails or the pack does not load.
pub fn live_pack(tx: &mut Tx<'_>, tenant: &str) -> Result<Pack, StoreError> {
    let scope = Scope::all(tenant);
    let live = approvals::of_subject(tx, &scope, PACK)?
        .into_iter()
        .find(|decision| decision.state == DecisionState::Approved.as_str());
    match live {
        Some(decision) => pack_by_hash(tx, tenant, &decision.id)?.ok_or_else(|| StoreError::Damaged {
            what: "rule pack in force",
            detail: format!("{} is approved, and its texts are not there", decision.id),
        }),
        None => Pack::builtin_cn().map_err(StoreError::refuse),
    }
}

/// A pack of the store by its hash, the shipped one among them.
///
/// # Errors
/// When the store fails or the pack does not load.
pub fn pack_by_hash(tx: &mut Tx<'_>, tenant: &str, sha256: &str) -> Result<Option<Pack>, StoreError> {
    let shipped = Pack::builtin_cn().map_err(StoreError::refuse)?;
    if shipped.sha256 == sha256 {
        return Ok(Some(shipped));
    }
    let row = rejudgements::packs(tx, &Scope::all(tenant))?.into_iter().find(|row| row.sha256 == sha256);
    let load = |row: PackRow| Pack::load(&PackFiles { rules: &row.rules, causes: &row.causes, cases: &row.cases });
    row.map(load).transpose().map_err(StoreError::refuse)
}

/// Makes revisions by the pack in force.
pub(crate) fn reviser(
    store: &Store,
    tenant: &TenantRow,
    calendar: Calendar,
    zone: Zone,
    now: Instant,
) -> Result<Reviser, WorkerError> {
    let currency = tenant
        .currency
        .parse()
        .map_err(|_| WorkerError::Config(format!("tenant {} has unknown currency {}", tenant.id, tenant.currency)))?;
    let (pack, verified) = store.read(|tx| Ok((live_pack(tx, &tenant.id)?, verified(tx, &tenant.id)?)))?;
    Ok(Reviser::new(pack, verified, calendar, zone, now, currency))
}

/// Puts a pack beside the one in force, as a draft. Adding it again changes nothing.
///
/// # Errors
/// When the pack does not load, has no causes, or the store fails.
pub fn add_pack(tx: &mut Tx<'_>, author: &Author<'_>, files: &PackFiles<'_>) -> Result<PackRow, StoreError> {
    let pack = Pack::load(files).map_err(StoreError::refuse)?;
    if !pack.has_causes() {
        return Err(StoreError::refuse(std::io::Error::other(format!(
            "pack {} has no causes.toml; a store needs a pack that diagnoses",
            pack.id
        ))));
    }
    let row = PackRow {
        sha256: pack.sha256,
        id: pack.id,
        version: pack.version,
        rules: files.rules.to_owned(),
        causes: files.causes.to_owned(),
        cases: files.cases.to_owned(),
        added_at: author.now.0,
        added_by: author.by.to_owned(),
    };
    rejudgements::put_pack(tx, author.tenant, &row)?;
    let listed = ApprovalRow {
        subject: PACK.to_owned(),
        id: row.sha256.clone(),
        state: DecisionState::Listed.to_string(),
        updated_at: author.now.0,
        ..ApprovalRow::default()
    };
    approvals::list_new(tx, author.tenant, [&listed])?;
    Ok(row)
}

/// Takes a step towards putting a pack into force (or ending that), and signs the log. Verdicts that stand do not change;
/// [`crate::rejudge`] lists what would.
///
/// # Errors
/// When the store fails. A step that is not allowed is no such error, and changes nothing.
pub fn decide_pack(
    tx: &mut Tx<'_>,
    author: &Author<'_>,
    key: &SigningKey,
    sha256: &str,
    step: DecisionStep,
) -> Result<Result<ApprovalRow, NotDecided>, StoreError> {
    let scope = Scope::all(author.tenant);
    let Some(row) = rejudgements::packs(tx, &scope)?.into_iter().find(|row| row.sha256 == sha256) else {
        return Ok(Err(NotDecided::Unknown { subject: Subject::Pack, id: sha256.to_owned() }));
    };
    let content = json!({"id": row.id, "version": row.version, "sha256": row.sha256});
    let about = About { subject: Subject::Pack, id: sha256, content_sha256: sha256, content };
    let taken = take(tx, author, &about, step)?;
    if taken.is_ok() && step == DecisionStep::Approve {
        for other in approvals::of_subject(tx, &scope, PACK)? {
            if other.id != sha256 && other.state == DecisionState::Approved.as_str() {
                approvals::retire(tx, author.tenant, PACK, &other.id, author.now.0)?;
            }
        }
    }
    sign(tx, author.tenant, key, author.now)?;
    Ok(taken)
}
