//! Differences between the records of a payment.

use axum::Json;
use axum::extract::State;
use onus_store::breaks;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::actor::Actor;
use crate::api::query::{Asked, given, page_request, parts_of};
use crate::problem::Problem;
use crate::state::ServerState;
use crate::texts;

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct BreakQuery {
    /// Fine class, such as `MERCHANT_SWAPPED`.
    class: Option<String>,
    cursor: Option<String>,
    /// At most 200.
    limit: Option<u32>,
}

/// A difference between two records of a payment.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct BreakRow {
    payment_id: String,
    class: String,
    coarse: String,
    expected: String,
    found: String,
    difference_minor: i64,
    first_party: String,
    class_zh: String,
    class_en: String,
}

/// All breaks of one class.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct BreakSummary {
    class: String,
    coarse: String,
    count: i64,
    difference_minor: i64,
    class_zh: String,
    class_en: String,
}

/// Breaks by class and payment, with the sums of all classes.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct BreakPage {
    summary: Vec<BreakSummary>,
    items: Vec<BreakRow>,
    next_cursor: Option<String>,
}

impl From<breaks::BreakRow> for BreakRow {
    fn from(row: breaks::BreakRow) -> Self {
        let (zh, en) = texts::break_class(&row.class);
        Self {
            payment_id: row.payment_id,
            class: row.class,
            coarse: row.coarse,
            expected: row.expected,
            found: row.found,
            difference_minor: row.difference_minor,
            first_party: row.first_party,
            class_zh: zh,
            class_en: en,
        }
    }
}

/// Breaks by class and payment.
#[utoipa::path(get, path = "/breaks", tag = "breaks", params(BreakQuery), responses((status = 200, body = BreakPage)))]
pub(crate) async fn list(
    State(state): State<ServerState>,
    actor: Actor,
    Asked(query): Asked<BreakQuery>,
) -> Result<Json<BreakPage>, Problem> {
    let (scope, class) = (actor.scope(), given(query.class));
    let request = page_request(query.cursor, query.limit);
    let (sums, page) = state
        .read(move |tx| {
            let sums = breaks::summary(tx, &scope)?;
            Ok((sums, breaks::list(tx, &scope, class.as_deref(), &request)?))
        })
        .await?;
    let (items, next_cursor) = parts_of(page, BreakRow::from);
    Ok(Json(BreakPage { summary: sums.into_iter().map(summary).collect(), items, next_cursor }))
}

fn summary(sum: breaks::BreakSum) -> BreakSummary {
    let (class_zh, class_en) = texts::break_class(&sum.class);
    BreakSummary {
        class: sum.class,
        coarse: sum.coarse,
        count: sum.count,
        difference_minor: sum.difference_minor,
        class_zh,
        class_en,
    }
}
