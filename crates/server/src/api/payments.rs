//! Payments as lists show them.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use onus_store::exceptions::ExceptionItem;
use onus_store::payments::{self, PaymentFilter, PaymentItem};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::actor::Actor;
use crate::api::diversions::{self, By};
use crate::api::query::{Asked, given, page_request, parts_of};
use crate::problem::Problem;
use crate::state::ServerState;

/// Which payments. All that is given must hold; kind, cause, outward and episode of one exception.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct PaymentQuery {
    /// `K1` to `K8`.
    kind: Option<String>,
    cause: Option<String>,
    /// Party that pays the user first.
    outward: Option<String>,
    /// Of this agent or one below it.
    agent: Option<String>,
    merchant: Option<String>,
    tid: Option<String>,
    city: Option<String>,
    episode: Option<String>,
    /// With `diverted`: the diverted payments of one group of `/diversions`.
    #[param(inline)]
    diverted_by: Option<By>,
    /// Key of that group.
    diverted: Option<String>,
    /// Local day, `YYYY-MM-DD`.
    date: Option<String>,
    /// Payment id, reference number, terminal, merchant code or part of its name, last four digits of the card.
    q: Option<String>,
    min_amount: Option<i64>,
    max_amount: Option<i64>,
    #[param(inline)]
    only: Option<Only>,
    cursor: Option<String>,
    /// At most 200.
    limit: Option<u32>,
}

/// All payments, or those with an exception.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Only {
    Exceptions,
    All,
}

/// One exception of a payment in a list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ExceptionRow {
    kind: String,
    cause: String,
    /// `confirmed`, `probable`, `possible` or `excluded`.
    status: String,
    /// Party that pays the user first; empty when nobody has to.
    outward: String,
    /// Who bears it in the end, in basis points.
    shares: BTreeMap<String, i64>,
    loss_minor: i64,
    episode_id: Option<String>,
    case_id: Option<String>,
}

/// A payment.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PaymentRow {
    pub(crate) id: String,
    pub(crate) started_at: String,
    pub(crate) tid: String,
    pub(crate) merchant_code: String,
    pub(crate) merchant_name: String,
    pub(crate) agent_code: String,
    pub(crate) city: String,
    pub(crate) amount_minor: i64,
    pub(crate) card_type: String,
    pub(crate) issuer: String,
    pub(crate) pan_masked: String,
    pub(crate) entry_mode: String,
    pub(crate) rrn: String,
    pub(crate) response_code: String,
    pub(crate) outcome: String,
    pub(crate) exceptions: Vec<ExceptionRow>,
}

/// Payments, latest first.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PaymentPage {
    items: Vec<PaymentRow>,
    next_cursor: Option<String>,
}

/// Payments, latest first.
#[utoipa::path(get, path = "/payments", tag = "payments", params(PaymentQuery), responses((status = 200, body = PaymentPage)))]
pub(crate) async fn list(
    State(state): State<ServerState>,
    actor: Actor,
    Asked(query): Asked<PaymentQuery>,
) -> Result<Json<PaymentPage>, Problem> {
    let scope = actor.scope();
    let request = page_request(query.cursor.clone(), query.limit);
    let wanted = filter(query, &actor)?;
    let page = state.read(move |tx| payments::list(tx, &scope, &wanted, &request)).await?;
    let (items, next_cursor) = parts_of(page, |item| payment_row(item, &actor));
    Ok(Json(PaymentPage { items, next_cursor }))
}

fn filter(query: PaymentQuery, actor: &Actor) -> Result<PaymentFilter, Problem> {
    let day = given(query.date).map(|date| actor.day(&date)).transpose()?;
    Ok(PaymentFilter {
        kind: given(query.kind),
        cause: given(query.cause),
        outward: given(query.outward),
        episode: given(query.episode),
        only_exceptions: query.only == Some(Only::Exceptions),
        agent: given(query.agent),
        merchant: given(query.merchant),
        tid: given(query.tid),
        city: given(query.city),
        started_from: day.map(|(from, _)| from),
        started_to: day.map(|(_, to)| to),
        min_amount: query.min_amount,
        max_amount: query.max_amount,
        diverted: query.diverted_by.zip(given(query.diverted)).map(|(by, key)| diversions::group(by, key)),
        q: given(query.q),
    })
}

pub(crate) fn payment_row(item: PaymentItem, actor: &Actor) -> PaymentRow {
    let it = item.payment;
    PaymentRow {
        started_at: actor.time(it.started_at),
        id: it.id,
        tid: it.tid,
        merchant_code: it.merchant_code,
        merchant_name: item.merchant_name,
        agent_code: it.agent_code,
        city: it.city,
        amount_minor: it.amount_minor,
        card_type: it.card_type,
        issuer: it.issuer,
        pan_masked: it.pan_masked,
        entry_mode: it.entry_mode,
        rrn: it.rrn,
        response_code: it.response_code,
        outcome: it.outcome,
        exceptions: item.exceptions.into_iter().map(exception_row).collect(),
    }
}

fn exception_row(item: ExceptionItem) -> ExceptionRow {
    let it = item.exception;
    ExceptionRow {
        shares: shares(&it.shares),
        episode_id: Some(it.episode_id).filter(|id| !id.is_empty()),
        kind: it.kind,
        cause: it.cause,
        status: it.status,
        outward: it.outward,
        loss_minor: it.loss_minor,
        case_id: item.case_id,
    }
}

/// The stored JSON of shares.
pub(crate) fn shares(json: &str) -> BTreeMap<String, i64> {
    serde_json::from_str(json).unwrap_or_default()
}
