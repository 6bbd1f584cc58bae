//! The routes of `/api/v1`, one module for each thing that is asked for.

pub(crate) mod alarms;
pub(crate) mod audit;
pub(crate) mod break_detail;
pub(crate) mod breaks;
pub(crate) mod cases;
pub(crate) mod diversions;
pub(crate) mod episodes;
pub(crate) mod evidence;
pub(crate) mod exception_detail;
pub(crate) mod expectations;
pub(crate) mod files;
pub(crate) mod gateways;
pub(crate) mod limits;
mod monitoring;
pub(crate) mod overview;
pub(crate) mod packs;
pub(crate) mod payment_detail;
pub(crate) mod payments;
pub(crate) mod query;
pub(crate) mod registry;
pub(crate) mod rejudgements;
pub(crate) mod session;

use axum::http::header;
use axum::response::{IntoResponse, Response};
use utoipa::OpenApi as _;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::openapi::{Head, openapi_json};
use crate::state::ServerState;

/// All routes with their description.
pub(crate) fn routes() -> OpenApiRouter<ServerState> {
    let v1 = OpenApiRouter::new()
        .routes(routes!(session::read, session::sign_out))
        .routes(routes!(overview::read))
        .routes(routes!(payments::list))
        .routes(routes!(payment_detail::read))
        .routes(routes!(registry::list_terminals))
        .routes(routes!(registry::list_agents))
        .routes(routes!(episodes::list))
        .routes(routes!(episodes::read))
        .routes(routes!(alarms::list))
        .routes(routes!(cases::list))
        .routes(routes!(breaks::list))
        .routes(routes!(break_detail::read))
        .routes(routes!(break_detail::step))
        .routes(routes!(diversions::list))
        .routes(routes!(expectations::list))
        .routes(routes!(limits::list))
        .routes(routes!(limits::history))
        .routes(routes!(limits::step))
        .routes(routes!(monitoring::read))
        .routes(routes!(rejudgements::list))
        .routes(routes!(rejudgements::step))
        .routes(routes!(packs::list))
        .routes(routes!(packs::shadow))
        .routes(routes!(packs::step))
        .routes(routes!(files::list))
        .routes(routes!(files::list_rejects))
        .routes(routes!(gateways::list))
        .routes(routes!(evidence::checkpoint))
        .routes(routes!(evidence::entry))
        .routes(routes!(audit::list))
        .routes(routes!(document));
    OpenApiRouter::with_openapi(Head::openapi()).nest("/api/v1", v1)
}

/// This document.
#[utoipa::path(get, path = "/openapi.json", tag = "about", responses((status = 200, description = "OpenAPI 3.1", content_type = "application/json", body = serde_json::Value)))]
async fn document() -> Response {
    ([(header::CONTENT_TYPE, "application/json")], openapi_json()).into_response()
}
