//! Who did what.

use axum::Json;
use axum::extract::State;
use onus_store::audit;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::actor::Actor;
use crate::api::query::{Asked, page_request, parts_of};
use crate::problem::Problem;
use crate::state::ServerState;

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct AuditQuery {
    cursor: Option<String>,
    /// At most 200.
    limit: Option<u32>,
}

/// One act.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AuditRow {
    at: String,
    actor: String,
    action: String,
    resource: String,
    outcome: String,
}

/// Acts, latest first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AuditPage {
    items: Vec<AuditRow>,
    next_cursor: Option<String>,
}

/// Acts, latest first.
#[utoipa::path(get, path = "/audit", tag = "audit", params(AuditQuery), responses((status = 200, body = AuditPage)))]
pub(crate) async fn list(
    State(state): State<ServerState>,
    actor: Actor,
    Asked(query): Asked<AuditQuery>,
) -> Result<Json<AuditPage>, Problem> {
    let (scope, request) = (actor.scope(), page_request(query.cursor, query.limit));
    let page = state.read(move |tx| audit::list(tx, &scope, &request)).await?;
    let (items, next_cursor) = parts_of(page, |it| AuditRow {
        at: actor.time(it.at),
        actor: it.actor,
        action: it.action,
        resource: it.resource,
        outcome: it.outcome,
    });
    Ok(Json(AuditPage { items, next_cursor }))
}
