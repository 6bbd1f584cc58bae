//! What must still come for payments, what is overdue, what came late.

use std::sync::LazyLock;

use axum::Json;
use axum::extract::State;
use onus_reconcile::files::{Class, Classes};
use onus_reconcile::online::{ExpectationRules, Leg};
use onus_store::expectations::{self, ExpectationFilter, ExpectationSum, Standing};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::actor::Actor;
use crate::api::query::{Asked, given, page_request, parts_of};
use crate::problem::Problem;
use crate::state::ServerState;

const HOUR: i64 = 3_600_000_000;
const SECOND: i64 = 1_000_000;

/// Texts of rules and classes; codes alone stand in lists if a pack of the program were broken.
static RULES: LazyLock<Option<ExpectationRules>> = LazyLock::new(|| ExpectationRules::builtin().ok());
static CLASSES: LazyLock<Option<Classes>> = LazyLock::new(|| Classes::builtin().ok());

/// How an expectation stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Stands {
    /// It may still come in time.
    Awaited,
    /// It did not come in time.
    Overdue,
    /// It came late.
    Late,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct ExpectationQuery {
    /// What is awaited: journal, switch, clearing, payout, reversal, acknowledgement or bank.
    leg: Option<String>,
    #[param(inline)]
    standing: Option<Stands>,
    /// Of this agent or one below it.
    agent: Option<String>,
    cursor: Option<String>,
    /// At most 200.
    limit: Option<u32>,
}

/// Something that must follow a record of a payment.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ExpectationRow {
    payment_id: String,
    leg: String,
    standing: Stands,
    rule_id: String,
    rule_zh: String,
    rule_en: String,
    since_at: String,
    due_at: String,
    /// When it came, if that was late.
    met_at: Option<String>,
    /// Seconds until it is due, since it was due, or by which it came late.
    age_seconds: i64,
    /// Class of the break that its absence is; empty when it is none by itself.
    class: String,
    class_zh: String,
    class_en: String,
    amount_minor: i64,
    tid: String,
    merchant_code: String,
    agent_code: String,
}

/// Expectations of one leg, standing and age.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ExpectationSummary {
    leg: String,
    standing: Stands,
    /// How many of `bounds_hours` their age reaches.
    band: i64,
    count: i64,
    amount_minor: i64,
}

/// Expectations, first due first, with the sums of all of them.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ExpectationPage {
    /// Ages by which the summary is grouped.
    bounds_hours: Vec<u32>,
    summary: Vec<ExpectationSummary>,
    items: Vec<ExpectationRow>,
    next_cursor: Option<String>,
}

/// Expectations, first due first.
#[utoipa::path(get, path = "/expectations", tag = "breaks", params(ExpectationQuery), responses((status = 200, body = ExpectationPage)))]
pub(crate) async fn list(
    State(state): State<ServerState>,
    actor: Actor,
    Asked(query): Asked<ExpectationQuery>,
) -> Result<Json<ExpectationPage>, Problem> {
    let (scope, now) = (actor.scope(), state.now());
    let leg = given(query.leg);
    if let Some(unknown) = leg.as_deref().filter(|leg| Leg::parse(leg).is_none()) {
        return Err(Problem::bad_request(&format!("leg {unknown:?} is none that is awaited")));
    }
    let wanted = ExpectationFilter { leg, standing: query.standing.map(Standing::from), agent: given(query.agent) };
    let request = page_request(query.cursor, query.limit);
    let bounds_hours = RULES.as_ref().map(|rules| rules.age_hours.clone()).unwrap_or_default();
    let bounds: Vec<i64> = bounds_hours.iter().map(|hours| i64::from(*hours) * HOUR).collect();
    let (sums, page) = state
        .read(move |tx| {
            let sums = expectations::summary(tx, &scope, now, &bounds)?;
            Ok((sums, expectations::list(tx, &scope, &wanted, now, &request)?))
        })
        .await?;
    let (items, next_cursor) = parts_of(page, |item| row(item, &actor, now));
    let summary = sums.into_iter().map(summary).collect();
    Ok(Json(ExpectationPage { bounds_hours, summary, items, next_cursor }))
}

fn row(item: expectations::ExpectationRow, actor: &Actor, now: i64) -> ExpectationRow {
    let standing = item.standing(now);
    let age = match standing {
        Standing::Awaited => item.due_at - now,
        Standing::Overdue => now - item.due_at,
        Standing::Late => item.met_at.unwrap_or(now) - item.due_at,
    };
    let (rule_zh, rule_en) = rule_texts(&item.rule_id);
    let (class_zh, class_en) = class_texts(&item.class);
    ExpectationRow {
        since_at: actor.time(item.since_at),
        due_at: actor.time(item.due_at),
        met_at: item.met_at.map(|at| actor.time(at)),
        age_seconds: age / SECOND,
        standing: standing.into(),
        payment_id: item.payment_id,
        leg: item.leg,
        rule_id: item.rule_id,
        rule_zh,
        rule_en,
        class: item.class,
        class_zh,
        class_en,
        amount_minor: item.amount_minor,
        tid: item.tid,
        merchant_code: item.merchant_code,
        agent_code: item.agent_code,
    }
}

fn summary(sum: ExpectationSum) -> ExpectationSummary {
    ExpectationSummary {
        leg: sum.leg,
        standing: sum.standing.into(),
        band: sum.band,
        count: sum.count,
        amount_minor: sum.amount_minor,
    }
}

fn rule_texts(id: &str) -> (String, String) {
    let rule = RULES.as_ref().and_then(|rules| rules.by_id(id));
    rule.map_or_else(|| (id.to_owned(), id.to_owned()), |rule| (rule.zh.clone(), rule.en.clone()))
}

fn class_texts(code: &str) -> (String, String) {
    let class = Class::ALL.iter().find(|class| class.code() == code);
    let about = CLASSES.as_ref().zip(class).map(|(classes, class)| classes.about(*class));
    about.map_or_else(|| (code.to_owned(), code.to_owned()), |about| (about.zh.clone(), about.en.clone()))
}

impl From<Standing> for Stands {
    fn from(standing: Standing) -> Self {
        match standing {
            Standing::Awaited => Self::Awaited,
            Standing::Overdue => Self::Overdue,
            Standing::Late => Self::Late,
        }
    }
}

impl From<Stands> for Standing {
    fn from(stands: Stands) -> Self {
        match stands {
            Stands::Awaited => Self::Awaited,
            Stands::Overdue => Self::Overdue,
            Stands::Late => Self::Late,
        }
    }
}
