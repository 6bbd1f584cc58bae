//! Inclusion proofs over the evidence logs, from trees that grow with the logs.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use onus_evidence::{Checkpoint, Hash, Tree, VerifyingKey, leaf_hash, verify_inclusion, verify_note};
use onus_store::log::{self, CheckpointRow, LogEntryRow};
use onus_store::{Scope, StoreError, Tx};

/// Leaf hashes read at a time.
const CHUNK: i64 = 65_536;

/// The trees of all tenants, built when first asked for.
#[derive(Debug, Default)]
pub(crate) struct Proofs {
    trees: Mutex<HashMap<String, Arc<Mutex<Tree>>>>,
}

/// The newest signed head of a log.
#[derive(Debug, Clone)]
pub(crate) struct Head {
    pub(crate) size: u64,
    pub(crate) root: Hash,
    pub(crate) note: String,
}

/// One entry with its proof.
#[derive(Debug, Clone)]
pub(crate) struct Proven {
    pub(crate) leaf: Hash,
    /// Empty when the head does not cover the entry yet.
    pub(crate) proof: Vec<Hash>,
    /// Body, leaf, proof, root and signature all fit.
    pub(crate) verified: bool,
}

/// The newest signed head of the tenant's log, if there is one.
pub(crate) fn head(tx: &mut Tx<'_>, scope: &Scope) -> Result<Option<Head>, StoreError> {
    let Some(CheckpointRow { size, root, note, .. }) = log::latest_checkpoint(tx, scope)? else {
        return Ok(None);
    };
    Ok(Some(Head { size: unsigned(size)?, root: hash(&root)?, note }))
}

impl Proofs {
    /// Proves an entry against a head, and checks the proof as a stranger would.
    pub(crate) fn prove(
        &self,
        tx: &mut Tx<'_>,
        scope: &Scope,
        entry: &LogEntryRow,
        head: Option<&Head>,
        key: &VerifyingKey,
    ) -> Result<Proven, StoreError> {
        let (leaf, index) = (hash(&entry.leaf_hash)?, unsigned(entry.idx)?);
        let Some(head) = head.filter(|head| index < head.size) else {
            return Ok(Proven { leaf, proof: Vec::new(), verified: false });
        };
        let tree = self.tree(&scope.tenant);
        let mut tree = tree.lock().unwrap_or_else(PoisonError::into_inner);
        grow(&mut tree, tx, scope, head.size)?;
        let proof = tree.inclusion_proof(index, head.size).unwrap_or_default();
        let signed = verify_note(&head.note, key);
        let verified = leaf_hash(&entry.body) == leaf
            && signed.is_ok_and(|Checkpoint { size, root, .. }| size == head.size && root == head.root)
            && verify_inclusion(leaf, index, head.size, head.root, &proof).is_ok();
        Ok(Proven { leaf, proof, verified })
    }

    fn tree(&self, tenant: &str) -> Arc<Mutex<Tree>> {
        let mut trees = self.trees.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(trees.entry(tenant.to_owned()).or_default())
    }
}

/// Reads the leaves that the tree does not have yet.
fn grow(tree: &mut Tree, tx: &mut Tx<'_>, scope: &Scope, size: u64) -> Result<(), StoreError> {
    while tree.size() < size {
        let start = signed(tree.size())?;
        let end = signed(size)?.min(start.saturating_add(CHUNK));
        let leaves = log::leaf_hashes(tx, scope, start, end)?;
        if leaves.is_empty() {
            return Err(damaged(format!("the log has {start} entries, its checkpoint {size}; run `onus verify`")));
        }
        for leaf in leaves {
            tree.append(hash(&leaf)?);
        }
    }
    Ok(())
}

fn hash(bytes: &[u8]) -> Result<Hash, StoreError> {
    Hash::try_from(bytes).map_err(|error| damaged(error.to_string()))
}

fn unsigned(int: i64) -> Result<u64, StoreError> {
    u64::try_from(int).map_err(|_| damaged(format!("{int} is no index")))
}

fn signed(int: u64) -> Result<i64, StoreError> {
    i64::try_from(int).map_err(|_| damaged(format!("{int} entries")))
}

fn damaged(detail: String) -> StoreError {
    StoreError::Damaged { what: "evidence log", detail }
}
