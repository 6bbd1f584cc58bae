//! The evidence log: its signed head, and entries with their proofs.

use axum::Json;
use axum::extract::State;
use onus_store::log;
use serde::Serialize;
use utoipa::ToSchema;

use crate::actor::Actor;
use crate::api::query::Named;
use crate::problem::Problem;
use crate::proofs;
use crate::state::ServerState;

/// The newest signed head of the evidence log.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CheckpointDoc {
    size: i64,
    /// Root hash, hex.
    root: String,
    /// The signed note (C2SP tlog-checkpoint).
    note: String,
    signed_at: String,
    /// Who signs, as `name+id+base64`.
    public_key: String,
}

/// One entry with the proof that the newest signed head covers it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EvidenceEntry {
    index: i64,
    leaf_hash: String,
    body: serde_json::Value,
    /// Leaf's sibling first; empty when the head does not cover the entry yet.
    proof: Vec<String>,
    tree_size: u64,
    root: String,
}

/// The newest signed head.
#[utoipa::path(get, path = "/evidence/checkpoint", tag = "evidence", responses((status = 200, body = CheckpointDoc)))]
pub(crate) async fn checkpoint(State(state): State<ServerState>, actor: Actor) -> Result<Json<CheckpointDoc>, Problem> {
    let scope = actor.scope();
    let head = state.read(move |tx| log::latest_checkpoint(tx, &scope)).await?;
    let head = head.ok_or_else(|| Problem::not_found("检查点", "checkpoint yet"))?;
    Ok(Json(CheckpointDoc {
        size: head.size,
        root: base16ct::lower::encode_string(&head.root),
        note: head.note,
        signed_at: actor.time(head.signed_at),
        public_key: state.key().to_string(),
    }))
}

/// One entry with its proof.
#[utoipa::path(get, path = "/evidence/entries/{index}", tag = "evidence", params(("index" = i64, Path)), responses((status = 200, body = EvidenceEntry)))]
pub(crate) async fn entry(
    State(state): State<ServerState>,
    actor: Actor,
    Named(index): Named<i64>,
) -> Result<Json<EvidenceEntry>, Problem> {
    let scope = actor.scope();
    let found = state
        .blocking(move |state| {
            let read = state.store().read(|tx| {
                let Some(entry) = log::entry(tx, &scope, index)? else {
                    return Ok(None);
                };
                let head = proofs::head(tx, &scope)?;
                let proven = state.proofs().prove(tx, &scope, &entry, head.as_ref(), state.key())?;
                Ok(Some((entry, head, proven)))
            });
            Ok(read?)
        })
        .await?;
    let (entry, head, proven) = found.ok_or_else(|| Problem::not_found("证据条目", "evidence entry"))?;
    let body = serde_json::from_slice(&entry.body)
        .map_err(|error| Problem::internal(&format!("evidence entry {index}: {error}")))?;
    Ok(Json(EvidenceEntry {
        index,
        leaf_hash: proven.leaf.to_string(),
        body,
        proof: proven.proof.iter().map(ToString::to_string).collect(),
        tree_size: head.as_ref().map_or(0, |head| head.size),
        root: head.map(|head| head.root.to_string()).unwrap_or_default(),
    }))
}
