//! Alarms: rates that are raised, seen live or in records; suspicions to look at.

use axum::Json;
use axum::extract::State;
use onus_store::alarms::{self, AlarmFilter};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::actor::Actor;
use crate::problem::Problem;
use crate::state::ServerState;
use crate::verdict_body::TwoTexts;

/// Most alarms of one answer; those that stand come first.
const MOST: i64 = 200;

/// A rate that is raised in one cell.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Alarm {
    id: String,
    /// `live` or `records`.
    origin: String,
    /// What is raised.
    signal: String,
    /// Where: the kind of cell,
    layer: String,
    /// and which; empty for the total.
    cell: String,
    /// `raised`, `confirmed`, `recovered`, `accepted` or `withdrawn`.
    standing: String,
    /// When it seems to have begun.
    since_at: String,
    raised_at: String,
    confirmed_at: Option<String>,
    ended_at: Option<String>,
    attempts: i64,
    hits: i64,
    /// Hits that the ordinary rate, or matched peers, would have had, in thousandths.
    expected_milli: i64,
    /// Evidence, and how much of it was needed, in bits.
    evidence_bits: i64,
    needed_bits: i64,
    /// What the signal means.
    says: TwoTexts,
    /// The mirror test leans towards the ordinary rate.
    eased: bool,
    /// Expected are the hits of matched peers.
    against_peers: bool,
}

/// Alarms, those that stand first, the newest first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AlarmList {
    items: Vec<Alarm>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Body {
    says: Option<TwoTexts>,
    eased: bool,
    against_peers: bool,
}

/// Alarms, those that stand first, the newest first.
#[utoipa::path(get, path = "/alarms", tag = "episodes", responses((status = 200, body = AlarmList)))]
pub(crate) async fn list(State(state): State<ServerState>, actor: Actor) -> Result<Json<AlarmList>, Problem> {
    let scope = actor.scope();
    let rows = state.read(move |tx| alarms::list(tx, &scope, &AlarmFilter::default(), MOST)).await?;
    Ok(Json(AlarmList { items: rows.into_iter().map(|row| alarm(row, &actor)).collect() }))
}

fn alarm(row: alarms::AlarmRow, actor: &Actor) -> Alarm {
    let body: Body = serde_json::from_str(&row.body).unwrap_or_default();
    Alarm {
        since_at: actor.time(row.since_at),
        raised_at: actor.time(row.raised_at),
        confirmed_at: actor.time_or_none(row.confirmed_at),
        ended_at: actor.time_or_none(row.ended_at),
        says: body.says.unwrap_or_else(|| TwoTexts { zh: row.signal.clone(), en: row.signal.clone() }),
        eased: body.eased,
        against_peers: body.against_peers,
        id: row.id,
        origin: row.origin,
        signal: row.signal,
        layer: row.layer,
        cell: row.cell,
        standing: row.standing,
        attempts: row.attempts,
        hits: row.hits,
        expected_milli: row.expected_milli,
        evidence_bits: row.evidence_bits,
        needed_bits: row.needed_bits,
    }
}
