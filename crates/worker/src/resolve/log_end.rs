//! The end of the evidence log: one entry more, and the signed head.

use onus_evidence::{Frontier, Hash, SigningKey, canonical_json, leaf_hash};
use onus_model::Instant;
use onus_store::log::{self, CheckpointRow, LogEntryRow};
use onus_store::{Scope, StoreError, Tx};

/// Appends an entry after whatever is there; gives its index.
pub(crate) fn append(tx: &mut Tx<'_>, tenant: &str, body: &serde_json::Value) -> Result<i64, StoreError> {
    let body = canonical_json(body).map_err(StoreError::refuse)?;
    let idx = log::size(tx, &Scope::all(tenant))?;
    let entry = LogEntryRow { idx, leaf_hash: leaf_hash(&body).as_bytes().to_vec(), body };
    log::append(tx, tenant, [&entry])?;
    Ok(idx)
}

/// Signs the log as it stands.
pub(crate) fn sign(tx: &mut Tx<'_>, tenant: &str, key: &SigningKey, now: Instant) -> Result<(), StoreError> {
    let scope = Scope::all(tenant);
    let size = log::size(tx, &scope)?;
    let leaves = log::leaf_hashes(tx, &scope, 0, size)?;
    let hashes: Result<Vec<Hash>, _> = leaves.iter().map(|leaf| Hash::try_from(leaf.as_slice())).collect();
    let hashes = hashes
        .map_err(|error| StoreError::Damaged { what: "leaf hash of the evidence log", detail: error.to_string() })?;
    let log = Frontier::from_leaves(hashes);
    let checkpoint = CheckpointRow {
        size,
        root: log.root().as_bytes().to_vec(),
        note: key.sign_head(log.size(), log.root()),
        signed_at: now.0,
    };
    log::add_checkpoint(tx, tenant, &checkpoint)
}
