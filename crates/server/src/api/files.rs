//! Imported files, and the rows of them that were refused.

use axum::Json;
use axum::extract::State;
use onus_store::files;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::actor::Actor;
use crate::api::query::{Asked, given, page_request, parts_of};
use crate::problem::Problem;
use crate::state::ServerState;

/// An imported file.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FileRow {
    /// SHA-256 of the file as it came.
    id: String,
    name: String,
    kind: String,
    layout: String,
    size: i64,
    rows_total: i64,
    rows_accepted: i64,
    rows_rejected: i64,
    imported_at: String,
}

/// Files in the order they came.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FileList {
    items: Vec<FileRow>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct RejectQuery {
    /// Id of a file.
    file: Option<String>,
    cursor: Option<String>,
    /// At most 200.
    limit: Option<u32>,
}

/// A row that was refused.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RejectRow {
    file_id: String,
    file_name: String,
    line: Option<i64>,
    byte_offset: i64,
    length: i64,
    field: String,
    code: String,
    detail: String,
}

/// Refused rows in the order of files and rows.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RejectPage {
    items: Vec<RejectRow>,
    next_cursor: Option<String>,
}

/// Files in the order they came.
#[utoipa::path(get, path = "/files", tag = "files", responses((status = 200, body = FileList)))]
pub(crate) async fn list(State(state): State<ServerState>, actor: Actor) -> Result<Json<FileList>, Problem> {
    let scope = actor.scope();
    let files = state.read(move |tx| files::list(tx, &scope)).await?;
    let items = files.into_iter().map(|it| FileRow {
        imported_at: actor.time(it.imported_at),
        id: it.id,
        name: it.name,
        kind: it.kind,
        layout: it.layout,
        size: it.size,
        rows_total: it.rows_total,
        rows_accepted: it.rows_accepted,
        rows_rejected: it.rows_rejected,
    });
    Ok(Json(FileList { items: items.collect() }))
}

/// Refused rows.
#[utoipa::path(get, path = "/rejects", tag = "files", params(RejectQuery), responses((status = 200, body = RejectPage)))]
pub(crate) async fn list_rejects(
    State(state): State<ServerState>,
    actor: Actor,
    Asked(query): Asked<RejectQuery>,
) -> Result<Json<RejectPage>, Problem> {
    let (scope, file) = (actor.scope(), given(query.file));
    let request = page_request(query.cursor, query.limit);
    let page = state.read(move |tx| files::rejects(tx, &scope, file.as_deref(), &request)).await?;
    let (items, next_cursor) = parts_of(page, |it| RejectRow {
        file_id: it.reject.file_id,
        file_name: it.file_name,
        line: it.reject.line,
        byte_offset: it.reject.byte_offset,
        length: it.reject.length,
        field: it.reject.field,
        code: it.reject.code,
        detail: it.reject.detail,
    });
    Ok(Json(RejectPage { items, next_cursor }))
}
