//! Who is signed in, and signing out.

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use onus_store::sessions;
use serde::Serialize;
use utoipa::ToSchema;

use crate::actor::Actor;
use crate::problem::Problem;
use crate::sign_in::cookie;
use crate::state::ServerState;

/// Who is signed in, and for which acquirer.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Session {
    username: String,
    /// `administrator`, `operator`, `reviewer` or `agent`.
    role: String,
    agent_code: Option<String>,
    locale: String,
    tenant: Tenant,
    /// Business time.
    as_of: String,
}

/// An acquirer.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Tenant {
    id: String,
    name: String,
    currency: String,
    zone: String,
}

/// Who is signed in.
#[utoipa::path(get, path = "/session", tag = "session", responses((status = 200, body = Session)))]
pub(crate) async fn read(State(state): State<ServerState>, actor: Actor) -> Json<Session> {
    let as_of = actor.time(state.now());
    let tenant = actor.tenant;
    Json(Session {
        username: actor.username,
        role: actor.role.as_str().to_owned(),
        agent_code: actor.agent_code,
        locale: actor.locale,
        tenant: Tenant { id: tenant.id, name: tenant.name, currency: tenant.currency, zone: tenant.zone },
        as_of,
    })
}

/// Signs out.
#[utoipa::path(delete, path = "/session", tag = "session", responses((status = 204, description = "Signed out")))]
pub(crate) async fn sign_out(State(state): State<ServerState>, actor: Actor) -> Result<Response, Problem> {
    let hash = actor.token_sha256.clone();
    state.write(move |tx| sessions::remove(tx, &hash)).await?;
    state.audit(&actor.tenant.id, &actor.username, "sign-out", "/api/v1/session", "ok").await;
    let expired = cookie(&state, "", 0);
    Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, expired)]).into_response())
}
