//! Monitoring programmes of the networks: where the acquirer and its merchants stand, and where the month will end.

use axum::Json;
use axum::extract::State;
use onus_liability::Standing;
use onus_model::Instant;
use onus_worker::{Month, ProgrammeStanding};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::actor::Actor;
use crate::api::query::{Asked, given};
use crate::problem::Problem;
use crate::state::ServerState;

/// Merchants shown for each programme, those with most disputes first.
const MERCHANTS: usize = 50;

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct MonitoringQuery {
    /// Month, `YYYY-MM`; the one that runs without it.
    month: Option<String>,
}

/// Standings of a month.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MonitoringPage {
    /// `YYYY-MM`
    month: String,
    /// Days of the month that have begun.
    day: u64,
    days: u64,
    items: Vec<MonitoringRow>,
}

/// One subject in one programme.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct MonitoringRow {
    programme: String,
    network: String,
    title_zh: String,
    title_en: String,
    /// `acquirer` or `merchant`
    subject: String,
    /// Empty for the acquirer.
    merchant_code: String,
    sales: u64,
    now: Option<StandingDoc>,
    /// At the end of the month, when the rest of it is like what has passed.
    end: Option<StandingDoc>,
    /// Cases that may still come before the limits are reached; none where the programme publishes no limit.
    cases_left: Option<u64>,
    /// Counted by the programme and not by this store, so that the true ratio may be higher: `fraud_reports`.
    not_counted: Vec<String>,
    /// Ratio of the limit in basis points, where there is one.
    limit_bp: Option<u64>,
    limit_cases: Option<u64>,
    source: String,
    grade: String,
}

/// Cases, their ratio, and whether all limits are reached.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct StandingDoc {
    cases: u64,
    /// Missing when there are no sales to divide by.
    ratio_bp: Option<u64>,
    /// Missing when the programme has no limit.
    reached: Option<bool>,
}

/// Standings in the monitoring programmes of the networks, with forecasts.
#[utoipa::path(get, path = "/monitoring", tag = "limits", params(MonitoringQuery), responses((status = 200, body = MonitoringPage)))]
pub(crate) async fn read(
    State(state): State<ServerState>,
    actor: Actor,
    Asked(query): Asked<MonitoringQuery>,
) -> Result<Json<MonitoringPage>, Problem> {
    let asked = given(query.month);
    let month = Month::at(&actor.zone(), Instant(state.now()), asked.as_deref())
        .ok_or_else(|| Problem::bad_request("month: a month that has begun, YYYY-MM"))?;
    let (scope, counted) = (actor.scope(), month.clone());
    let standings = state.read(move |tx| onus_worker::monitoring(tx, &scope, &counted, MERCHANTS)).await?;
    let items = standings.iter().map(row).collect();
    Ok(Json(MonitoringPage { month: month.name, day: month.day, days: month.days, items }))
}

fn row(standing: &ProgrammeStanding) -> MonitoringRow {
    let (programme, forecast) = (standing.programme, standing.forecast);
    MonitoringRow {
        programme: programme.id.clone(),
        network: programme.network.clone(),
        title_zh: programme.title.zh.clone(),
        title_en: programme.title.en.clone(),
        subject: programme.subject.to_string(),
        merchant_code: standing.merchant_code.clone(),
        sales: standing.counts.sales,
        now: forecast.map(|forecast| standing_doc(forecast.now)),
        end: forecast.map(|forecast| standing_doc(forecast.end)),
        cases_left: forecast.and_then(|forecast| forecast.cases_left),
        not_counted: standing.not_counted().map(|counted| counted.as_str().to_owned()).collect(),
        limit_bp: programme.at_least_bp.or(programme.above_bp),
        limit_cases: programme.at_least_cases,
        source: programme.source.clone(),
        grade: programme.grade.to_string(),
    }
}

fn standing_doc(standing: Standing) -> StandingDoc {
    StandingDoc { cases: standing.cases, ratio_bp: standing.ratio_bp, reached: standing.reached }
}
