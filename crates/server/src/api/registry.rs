//! Terminals and agents.

use axum::Json;
use axum::extract::State;
use onus_store::registry::{self, AgentItem, TerminalFilter, TerminalItem};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::actor::Actor;
use crate::api::query::{Asked, given, page_request, parts_of};
use crate::problem::Problem;
use crate::state::ServerState;

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct TerminalQuery {
    /// Maintained by this agent or one below it.
    agent: Option<String>,
    /// Such as `active`, `suspect`, `quarantined`.
    state: Option<String>,
    /// Part of serial, terminal id, merchant code or merchant name.
    q: Option<String>,
    cursor: Option<String>,
    /// At most 200.
    limit: Option<u32>,
}

/// A terminal.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TerminalRow {
    serial: String,
    tid: String,
    merchant_code: String,
    merchant_name: String,
    agent_code: String,
    city: String,
    model: String,
    production_batch: String,
    app_version: String,
    state: String,
    state_since: Option<String>,
    reasons: Vec<StateReason>,
    payments: i64,
    exceptions: i64,
}

/// Why a terminal is in its state.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct StateReason {
    #[serde(default)]
    code: String,
    #[serde(default)]
    zh: String,
    #[serde(default)]
    en: String,
}

/// Terminals by serial number.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TerminalPage {
    items: Vec<TerminalRow>,
    next_cursor: Option<String>,
}

/// An agent with the sums of its own terminals and payments, without those of the agents below it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AgentRow {
    code: String,
    parent_code: Option<String>,
    level: i64,
    name: String,
    city: String,
    status: String,
    filing_no: String,
    filing_valid_to: String,
    deposit_minor: i64,
    deposit_floor_minor: i64,
    recourse_share_bp: i64,
    terminals: i64,
    payments: i64,
    exceptions: i64,
    loss_minor: i64,
    /// Part of the losses that agents bear by verdicts.
    borne_minor: i64,
}

/// Agents, parents before children.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AgentList {
    items: Vec<AgentRow>,
}

/// Terminals by serial number.
#[utoipa::path(get, path = "/terminals", tag = "registry", params(TerminalQuery), responses((status = 200, body = TerminalPage)))]
pub(crate) async fn list_terminals(
    State(state): State<ServerState>,
    actor: Actor,
    Asked(query): Asked<TerminalQuery>,
) -> Result<Json<TerminalPage>, Problem> {
    let scope = actor.scope();
    let wanted = TerminalFilter { agent: given(query.agent), state: given(query.state), q: given(query.q) };
    let request = page_request(query.cursor, query.limit);
    let page = state.read(move |tx| registry::terminals(tx, &scope, &wanted, &request)).await?;
    let (items, next_cursor) = parts_of(page, |item| terminal_row(item, &actor));
    Ok(Json(TerminalPage { items, next_cursor }))
}

/// Agents, parents before children.
#[utoipa::path(get, path = "/agents", tag = "registry", responses((status = 200, body = AgentList)))]
pub(crate) async fn list_agents(State(state): State<ServerState>, actor: Actor) -> Result<Json<AgentList>, Problem> {
    let scope = actor.scope();
    let agents = state.read(move |tx| registry::agents(tx, &scope)).await?;
    Ok(Json(AgentList { items: agents.into_iter().map(agent_row).collect() }))
}

fn terminal_row(item: TerminalItem, actor: &Actor) -> TerminalRow {
    let it = item.terminal;
    TerminalRow {
        state_since: actor.time_or_none(it.state_since),
        reasons: serde_json::from_str(&it.state_reason).unwrap_or_default(),
        serial: it.serial,
        tid: it.tid,
        merchant_code: it.merchant_code,
        merchant_name: item.merchant_name,
        agent_code: it.agent_code,
        city: it.city,
        model: it.model,
        production_batch: it.production_batch,
        app_version: it.app_version,
        state: it.state,
        payments: it.payments,
        exceptions: it.exceptions,
    }
}

fn agent_row(item: AgentItem) -> AgentRow {
    let it = item.agent;
    AgentRow {
        code: it.code,
        parent_code: it.parent_code,
        level: it.level,
        name: it.name,
        city: it.city,
        status: it.status,
        filing_no: it.filing_no,
        filing_valid_to: it.filing_valid_to,
        deposit_minor: it.deposit_minor,
        deposit_floor_minor: it.deposit_floor_minor,
        recourse_share_bp: it.recourse_share_bp,
        terminals: item.terminals,
        payments: item.payments,
        exceptions: item.exceptions,
        loss_minor: item.loss_minor,
        borne_minor: item.borne_minor,
    }
}
