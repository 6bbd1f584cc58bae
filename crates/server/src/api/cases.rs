//! Cases.

use axum::Json;
use axum::extract::State;
use onus_store::cases::{self, CaseFilter, CaseItem};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::actor::Actor;
use crate::api::query::{Asked, given, page_request, parts_of};
use crate::problem::Problem;
use crate::state::ServerState;

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct CaseQuery {
    state: Option<String>,
    /// Of this agent or one below it.
    agent: Option<String>,
    /// Only late ones, or only those that are not late.
    overdue: Option<bool>,
    cursor: Option<String>,
    /// At most 200.
    limit: Option<u32>,
}

/// A case as lists show it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CaseRow {
    id: String,
    payment_id: String,
    kind: String,
    agent_code: String,
    state: String,
    opened_at: String,
    due_at: String,
    overdue: bool,
    outward: String,
    loss_minor: i64,
}

/// Cases, first due first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CasePage {
    items: Vec<CaseRow>,
    next_cursor: Option<String>,
}

/// Cases, first due first.
#[utoipa::path(get, path = "/cases", tag = "cases", params(CaseQuery), responses((status = 200, body = CasePage)))]
pub(crate) async fn list(
    State(state): State<ServerState>,
    actor: Actor,
    Asked(query): Asked<CaseQuery>,
) -> Result<Json<CasePage>, Problem> {
    let (scope, now) = (actor.scope(), state.now());
    let wanted = CaseFilter { state: given(query.state), agent: given(query.agent), overdue: query.overdue };
    let request = page_request(query.cursor, query.limit);
    let page = state.read(move |tx| cases::list(tx, &scope, &wanted, now, &request)).await?;
    let (items, next_cursor) = parts_of(page, |item| case_row(item, &actor));
    Ok(Json(CasePage { items, next_cursor }))
}

fn case_row(item: CaseItem, actor: &Actor) -> CaseRow {
    let case = item.case;
    CaseRow {
        opened_at: actor.time(case.opened_at),
        due_at: actor.time(case.due_at),
        id: case.id,
        payment_id: case.payment_id,
        kind: case.kind,
        agent_code: case.agent_code,
        state: case.state,
        overdue: item.overdue,
        outward: case.outward,
        loss_minor: case.loss_minor,
    }
}
