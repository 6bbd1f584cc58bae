//! Episodes: what failed together.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use onus_store::episodes;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::actor::Actor;
use crate::api::query::Named;
use crate::episode_portrait::{EpisodeStep, Portrait};
use crate::problem::Problem;
use crate::state::ServerState;
use crate::verdict_body::TwoTexts;

/// An episode as lists show it. For an agent it counts only the agent's own payments.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct EpisodeRow {
    id: String,
    cause: String,
    status: String,
    benign: bool,
    /// Harm that shows beside failures, not an incident that explains them.
    pattern: bool,
    /// Seen live; records are not there yet.
    live: bool,
    started_at: String,
    ended_at: Option<String>,
    scope: BTreeMap<String, Vec<String>>,
    payments: i64,
    amount_minor: i64,
    title_zh: String,
    title_en: String,
    /// `suspected`, `confirmed`, `mitigated`, `recovered`, `closed`, `merged` or `reopened`.
    state: String,
}

/// An episode with what speaks for it and whom it hit.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EpisodeDetail {
    #[serde(flatten)]
    episode: EpisodeRow,
    signals: Vec<TwoTexts>,
    excluded: Vec<TwoTexts>,
    exposure: Vec<Exposure>,
    /// As it was seen live, before records told it more exactly.
    seen_live: Vec<SeenLive>,
    /// Life, map of scope, amounts, hypotheses and notices; none for an agent, to whom they would name others.
    portrait: Option<Portrait>,
}

/// A live episode that is part of one found in records.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct SeenLive {
    id: String,
    steps: Vec<EpisodeStep>,
}

/// Payments of one agent in an episode.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Exposure {
    agent_code: String,
    payments: i64,
    amount_minor: i64,
}

/// Episodes, most payments first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EpisodeList {
    items: Vec<EpisodeRow>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Body {
    signals: Vec<TwoTexts>,
    excluded: Vec<TwoTexts>,
    seen_live: Vec<SeenLive>,
    exposure: BTreeMap<String, (i64, i64)>,
    #[serde(flatten)]
    portrait: Option<Portrait>,
}

/// State and kind in an episode's body; an agent does not get the body.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Standing {
    state: Option<String>,
    pattern: bool,
    origin: String,
}

/// Episodes, most payments first.
#[utoipa::path(get, path = "/episodes", tag = "episodes", responses((status = 200, body = EpisodeList)))]
pub(crate) async fn list(State(state): State<ServerState>, actor: Actor) -> Result<Json<EpisodeList>, Problem> {
    let scope = actor.scope();
    let rows = state.read(move |tx| episodes::list(tx, &scope)).await?;
    Ok(Json(EpisodeList { items: rows.into_iter().map(|row| episode_row(row, &actor)).collect() }))
}

/// One episode.
#[utoipa::path(get, path = "/episodes/{id}", tag = "episodes", params(("id" = String, Path)), responses((status = 200, body = EpisodeDetail)))]
pub(crate) async fn read(
    State(state): State<ServerState>,
    actor: Actor,
    Named(id): Named<String>,
) -> Result<Json<EpisodeDetail>, Problem> {
    let scope = actor.scope();
    let found = state
        .read(move |tx| {
            let Some(row) = episodes::by_id(tx, &scope, &id)? else {
                return Ok(None);
            };
            Ok(Some((row, episodes::exposure(tx, &scope, &id)?)))
        })
        .await?;
    let (row, hit) = found.ok_or_else(|| Problem::not_found("故障事件", "episode"))?;
    let body: Body = serde_json::from_str(&row.body)
        .map_err(|error| Problem::internal(&format!("body of episode {}: {error}", row.id)))?;
    let mut exposure: Vec<Exposure> = body
        .exposure
        .into_iter()
        .map(|(agent_code, (payments, amount_minor))| Exposure { agent_code, payments, amount_minor })
        .collect();
    exposure.sort_by(|a, b| b.payments.cmp(&a.payments).then_with(|| a.agent_code.cmp(&b.agent_code)));
    // An agent does not get the body, which names others; what hit it is counted from its own payments.
    if exposure.is_empty() {
        exposure = hit
            .into_iter()
            .map(|it| Exposure { agent_code: it.agent_code, payments: it.payments, amount_minor: it.amount_minor })
            .collect();
    }
    Ok(Json(EpisodeDetail {
        episode: episode_row(row, &actor),
        signals: body.signals,
        excluded: body.excluded,
        seen_live: body.seen_live,
        exposure,
        portrait: body.portrait,
    }))
}

pub(crate) fn episode_row(row: episodes::EpisodeRow, actor: &Actor) -> EpisodeRow {
    let standing: Standing = serde_json::from_str(&row.body).unwrap_or_default();
    let known = if row.ended_at.is_some() { "closed" } else { "confirmed" };
    EpisodeRow {
        pattern: standing.pattern,
        live: standing.origin == "live",
        state: standing.state.unwrap_or_else(|| known.to_owned()),
        started_at: actor.time(row.started_at),
        ended_at: actor.time_or_none(row.ended_at),
        scope: serde_json::from_str(&row.scope).unwrap_or_default(),
        benign: row.benign != 0,
        id: row.id,
        cause: row.cause,
        status: row.status,
        payments: row.payments,
        amount_minor: row.amount_minor,
        title_zh: row.title_zh,
        title_en: row.title_en,
    }
}
