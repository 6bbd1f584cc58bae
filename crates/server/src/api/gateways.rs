//! The gateways between terminals and hosts, and how they stand.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use onus_iso8583::{CodeBook, CodeQuery};
use onus_store::gateway_status::{self, GatewayStatusRow};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::actor::Actor;
use crate::problem::Problem;
use crate::state::{ServerState, wall_clock};

/// A gateway says every second how it stands; after this it is silent.
const STALE_AFTER_MICROS: i64 = 5_000_000;

/// A gateway.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct GatewayRow {
    instance: String,
    /// When it said this.
    at: String,
    /// It has said nothing for some seconds.
    stale: bool,
    /// What the response codes in its status mean.
    codes: BTreeMap<String, CodeMeaning>,
    /// As the gateway says it: counts, latencies, codes, refusals, open payments, connections, journal, alarms.
    status: Value,
}

/// What a response code means.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CodeMeaning {
    zh: String,
    en: String,
}

/// Gateways by name.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct GatewayList {
    items: Vec<GatewayRow>,
}

/// Gateways by name, each as it stood last.
#[utoipa::path(get, path = "/gateways", tag = "gateway", responses((status = 200, body = GatewayList)))]
pub(crate) async fn list(State(state): State<ServerState>, actor: Actor) -> Result<Json<GatewayList>, Problem> {
    let scope = actor.scope();
    let rows = state.read(move |tx| gateway_status::list(tx, &scope)).await?;
    let now = wall_clock();
    Ok(Json(GatewayList { items: rows.into_iter().map(|row| gateway_row(row, &actor, now)).collect() }))
}

fn gateway_row(row: GatewayStatusRow, actor: &Actor, now: i64) -> GatewayRow {
    let status: Value = serde_json::from_str(&row.status).unwrap_or_default();
    GatewayRow {
        at: actor.time(row.at),
        stale: now.saturating_sub(row.at) > STALE_AFTER_MICROS,
        codes: meanings(&status["stats"]),
        instance: row.instance,
        status,
    }
}

fn meanings(stats: &Value) -> BTreeMap<String, CodeMeaning> {
    let Ok(book) = CodeBook::builtin() else { return BTreeMap::new() };
    let codes = ["host_codes", "gateway_codes"].into_iter().filter_map(|name| stats[name].as_object());
    codes
        .flat_map(|codes| codes.keys())
        .filter_map(|code| {
            let row = book.lookup(&CodeQuery::reply(code))?.row;
            Some((code.clone(), CodeMeaning { zh: row.zh.clone(), en: row.en.clone() }))
        })
        .collect()
}
