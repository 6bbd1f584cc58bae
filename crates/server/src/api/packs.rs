//! Rule packs of the store: the one in force, drafts beside it, and what a draft would change.

use std::collections::BTreeMap;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use onus_liability::ShadowReport;
use onus_model::Instant;
use onus_store::{Scope, log};
use onus_worker::{Author, PackStanding};
use serde::Serialize;
use utoipa::ToSchema;

use crate::actor::Actor;
use crate::api::limits::{DecisionDoc, decision_doc, not_decided, note_of, wanted_step};
use crate::api::query::Named;
use crate::problem::Problem;
use crate::state::ServerState;

/// Verdicts shown one by one.
const EXAMPLES: usize = 50;
/// Threads of a shadow run.
const THREADS: usize = 2;

/// A pack of the store.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PackRow {
    sha256: String,
    id: String,
    version: String,
    /// It decides what comes now.
    live: bool,
    /// It came with the program.
    shipped: bool,
    added_at: Option<String>,
    added_by: String,
    /// Null for the shipped pack.
    decision: Option<DecisionDoc>,
}

/// The packs of the store, the shipped one first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PackPage {
    items: Vec<PackRow>,
}

/// Verdicts that would go from one rule to another.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct ShadowMove {
    live_rule: String,
    draft_rule: String,
    cases: u64,
    loss_minor: i64,
}

/// What a draft would change.
#[derive(Debug, Clone, Default, Serialize, ToSchema)]
pub(crate) struct ShadowSums {
    cases: u64,
    changed: u64,
    agents_newly_charged: u64,
    /// By rule that decides and rule that would, most cases first.
    by_rule: Vec<ShadowMove>,
    /// What each party would bear more, minor units.
    bears_more_minor: BTreeMap<String, i64>,
}

/// A verdict that would be another.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct ShadowExample {
    payment_id: String,
    kind: String,
    loss_minor: i64,
    live_rule: String,
    draft_rule: String,
    live_shares: BTreeMap<String, u32>,
    draft_shares: BTreeMap<String, u32>,
}

/// A draft beside the pack in force.
#[derive(Debug, Clone, Default, Serialize, ToSchema)]
pub(crate) struct ShadowDoc {
    sha256: String,
    /// Entries of the evidence log when it was computed.
    tree_size: i64,
    /// Over every verdict of the store.
    all: ShadowSums,
    /// Over what was decided since the draft was put beside.
    since: ShadowSums,
    /// Verdicts whose facts were not kept.
    without_facts: u64,
    examples: Vec<ShadowExample>,
}

/// The packs of the store.
#[utoipa::path(get, path = "/packs", tag = "packs", responses((status = 200, body = PackPage)))]
pub(crate) async fn list(State(state): State<ServerState>, actor: Actor) -> Result<Json<PackPage>, Problem> {
    let scope = actor.scope();
    let all = state.read(move |tx| onus_worker::packs(tx, &scope)).await?;
    Ok(Json(PackPage { items: all.into_iter().map(|one| pack_row(one, &actor)).collect() }))
}

/// Judges every verdict of the store by the pack in force and by a draft. Computed anew when something was decided since.
#[utoipa::path(get, path = "/packs/{id}/shadow", tag = "packs", params(("id" = String, Path, description = "hash of a pack, or `shipped`")), responses((status = 200, body = ShadowDoc)))]
pub(crate) async fn shadow(
    State(state): State<ServerState>,
    actor: Actor,
    Named(sha256): Named<String>,
) -> Result<Json<ShadowDoc>, Problem> {
    let tenant = actor.tenant.id.clone();
    state.blocking(move |state| shadow_of(state, &tenant, &sha256)).await.map(Json)
}

/// Takes a step towards putting a pack into force: propose, approve, reject, withdraw, or revoke. Verdicts that stand are
/// listed, not changed.
#[utoipa::path(
    post, path = "/packs/{id}/{step}", tag = "packs", params(("id" = String, Path), ("step" = String, Path)),
    request_body = super::limits::DecisionBody, responses((status = 200, body = DecisionDoc))
)]
pub(crate) async fn step(
    State(state): State<ServerState>,
    actor: Actor,
    Named((sha256, step)): Named<(String, String)>,
    body: Bytes,
) -> Result<Json<DecisionDoc>, Problem> {
    let (step, note) = (wanted_step(&step)?, note_of(&body)?);
    let (who, now, shared) = (actor.clone(), Instant(state.now()), state.clone());
    let taken = state
        .write(move |tx| {
            let author = Author { tenant: &who.tenant.id, by: &who.username, note: &note, now };
            onus_worker::decide_pack(tx, &author, &shared.config().signing_key, &sha256, step)
        })
        .await?;
    let row = taken.map_err(|why| not_decided(&why))?;
    let tenant = actor.tenant.id.clone();
    state
        .blocking(move |state| {
            onus_worker::rejudge(state.store(), &tenant, now).map_err(|error| Problem::internal(&error))
        })
        .await?;
    Ok(Json(decision_doc(Some(&row), &actor)))
}

fn pack_row(one: PackStanding, actor: &Actor) -> PackRow {
    PackRow {
        added_at: (!one.shipped).then(|| actor.time(one.added_at)),
        decision: (!one.shipped).then(|| decision_doc(one.approval.as_ref(), actor)),
        sha256: one.sha256,
        id: one.id,
        version: one.version,
        live: one.live,
        shipped: one.shipped,
        added_by: one.added_by,
    }
}

fn shadow_of(state: &ServerState, tenant: &str, sha256: &str) -> Result<ShadowDoc, Problem> {
    let scope = Scope::all(tenant);
    let found = state.store().read(|tx| {
        let is_meant = |one: &PackStanding| {
            if one.shipped { [one.sha256.as_str(), "shipped"].contains(&sha256) } else { one.sha256 == sha256 }
        };
        let Some(one) = onus_worker::packs(tx, &scope)?.into_iter().find(is_meant) else { return Ok(None) };
        let draft = onus_worker::pack_by_hash(tx, tenant, &one.sha256)?;
        Ok(draft.map(|draft| (one, draft)).zip(Some(log::size(tx, &scope)?)))
    })?;
    let Some(((one, draft), tree_size)) = found else { return Err(Problem::not_found("规则包", "pack")) };
    let key = (tenant.to_owned(), sha256.to_owned());
    if let Some(known) = state.shadows().get(&key).filter(|known| known.tree_size == tree_size) {
        return Ok(known);
    }
    let since = Some(Instant(one.added_at));
    let done = onus_worker::shadow(state.store(), tenant, &draft, since, EXAMPLES, THREADS)
        .map_err(|error| Problem::internal(&error))?;
    let doc = ShadowDoc {
        sha256: sha256.to_owned(),
        tree_size,
        all: sums(&done.all),
        since: sums(&done.since),
        without_facts: done.without_facts,
        examples: done.examples.into_iter().map(example).collect(),
    };
    state.shadows().put(key, doc.clone());
    Ok(doc)
}

fn sums(report: &ShadowReport) -> ShadowSums {
    let mut by_rule: Vec<ShadowMove> = report
        .by_rule
        .iter()
        .map(|((live, draft), moved)| ShadowMove {
            live_rule: live.clone(),
            draft_rule: draft.clone(),
            cases: moved.cases,
            loss_minor: moved.loss_minor,
        })
        .collect();
    by_rule.sort_by_key(|one| std::cmp::Reverse(one.cases));
    ShadowSums {
        cases: report.cases,
        changed: report.changed,
        agents_newly_charged: report.agents_newly_charged,
        by_rule,
        bears_more_minor: report.by_party.iter().map(|(party, minor)| (party.to_string(), *minor)).collect(),
    }
}

fn example((payment_id, kind, loss_minor, changed): (String, String, i64, onus_liability::Changed)) -> ShadowExample {
    let shares = |side: &onus_liability::Decided| {
        side.shares.parts().iter().map(|(party, bp)| (party.to_string(), u32::from(*bp))).collect()
    };
    ShadowExample {
        payment_id,
        kind,
        loss_minor,
        live_shares: shares(&changed.live),
        draft_shares: shares(&changed.draft),
        live_rule: changed.live.rule,
        draft_rule: changed.draft.rule,
    }
}

/// Shadow runs that were computed, by tenant and draft.
#[derive(Debug, Default)]
pub(crate) struct Shadows(std::sync::Mutex<BTreeMap<(String, String), ShadowDoc>>);

impl Shadows {
    fn get(&self, key: &(String, String)) -> Option<ShadowDoc> {
        self.0.lock().ok()?.get(key).cloned()
    }

    fn put(&self, key: (String, String), doc: ShadowDoc) {
        if let Ok(mut known) = self.0.lock() {
            known.insert(key, doc);
        }
    }
}
