//! Diverted payments by what they have in common: where to look first for money that went elsewhere.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use onus_model::BreakClass;
use onus_reconcile::diversion::{self, CLASSES, DiversionGroup, DiversionOrder, DivertedBreak};
use onus_store::diversions::{self, DivertedBy, DivertedGroup, DivertedRow};
use onus_store::{Page, PageRequest, Scope, StoreError, Tx};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::actor::Actor;
use crate::api::query::{Asked, page_request, parts_of};
use crate::problem::Problem;
use crate::state::ServerState;
use crate::texts;

const DAY_MICROS: i64 = 86_400_000_000;

/// What payments are grouped by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum By {
    Terminal,
    /// Agent of the merchant.
    Agent,
    /// Version of the terminal's payment application.
    AppVersion,
    /// Agent that maintains the terminal.
    Maintainer,
    /// Account that diverted payouts went to.
    Account,
    Merchant,
}

/// What comes first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Sort {
    #[default]
    Money,
    Surprise,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct DiversionQuery {
    #[param(inline)]
    by: Option<By>,
    #[param(inline)]
    sort: Option<Sort>,
    cursor: Option<String>,
    /// At most 200.
    limit: Option<u32>,
}

/// Payments of one class in a group.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DiversionClass {
    class: String,
    payments: u64,
    class_zh: String,
    class_en: String,
}

/// Diverted payments that have something in common.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DiversionRow {
    /// What they have in common.
    key: String,
    /// Name of the agent or merchant; empty for other groups and where it is not known.
    name: String,
    /// Diverted payments.
    payments: u64,
    /// The larger of what the breaks of each payment put at stake, added up.
    stake_minor: i64,
    merchants: u64,
    terminals: u64,
    agents: u64,
    /// All payments of the group; null where nobody can know, as for accounts. Then the next three are null too.
    payments_total: Option<u64>,
    /// Share of all payments of the group that was diverted.
    share_bp: Option<i64>,
    /// The same share in all other groups.
    expected_bp: Option<i64>,
    /// Thousandths of -log10 of the binomial chance of so many, were the group like its peers; 0 when it is not above
    /// them, at most 300000.
    surprise_milli: Option<i64>,
    /// By class; a payment of two classes counts in both.
    classes: Vec<DiversionClass>,
    /// `ONE_ACCOUNT_MANY_MERCHANTS`: money of several merchants went to one account. `ACCOUNT_JUST_CHANGED`: the
    /// account was brought in within days of the payment.
    flags: Vec<String>,
}

/// Groups of diverted payments, by money or by surprise.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DiversionPage {
    items: Vec<DiversionRow>,
    next_cursor: Option<String>,
}

/// Groups of diverted payments; by agent and money unless something else is asked for.
#[utoipa::path(get, path = "/diversions", tag = "breaks", params(DiversionQuery), responses((status = 200, body = DiversionPage)))]
pub(crate) async fn list(
    State(state): State<ServerState>,
    actor: Actor,
    Asked(query): Asked<DiversionQuery>,
) -> Result<Json<DiversionPage>, Problem> {
    let scope = actor.scope();
    let (by, sort) = (query.by.unwrap_or(By::Agent), query.sort.unwrap_or_default());
    let request = page_request(query.cursor, query.limit);
    let (page, names) = state.read(move |tx| ranked(tx, &scope, by, sort, &request)).await?;
    let (items, next_cursor) = parts_of(page, |group| row(group, &names));
    Ok(Json(DiversionPage { items, next_cursor }))
}

/// The payments of one group, for the list of payments.
pub(crate) fn group(by: By, key: String) -> DivertedGroup {
    DivertedGroup { by: by.into(), key, classes: class_names() }
}

type Ranked = (Page<DiversionGroup>, BTreeMap<String, String>);

fn ranked(tx: &mut Tx<'_>, scope: &Scope, by: By, sort: Sort, request: &PageRequest) -> Result<Ranked, StoreError> {
    let order = DiversionOrder::from(sort);
    let rows = diversions::breaks(tx, scope, by.into(), &class_names())?;
    let totals = diversions::totals(tx, scope, by.into())?;
    let breaks: Vec<_> = rows.iter().filter_map(diverted_break).collect();
    let groups = diversion::groups(&breaks, totals.as_ref(), order, just_changed_days()?)
        .map_err(|error| StoreError::Damaged { what: "breaks", detail: error.to_string() })?;
    let page = request.page_of_ranked(&format!("diversions {by:?} {sort:?}"), groups, |group| {
        let (first, second, key) = diversion::rank(group, order);
        (-first.0, -second.0, key)
    })?;
    let keys: Vec<&str> = page.items.iter().map(|group| group.key.as_str()).collect();
    let names = diversions::names(tx, scope, by.into(), &keys)?;
    Ok((page, names))
}

/// The tolerance of the classes of breaks.
fn just_changed_days() -> Result<i64, StoreError> {
    let classes = onus_reconcile::files::Classes::builtin();
    let classes = classes.map_err(|error| StoreError::Damaged { what: "packs/breaks-1", detail: error.to_string() })?;
    Ok(i64::from(classes.tolerances().account_change_days))
}

fn class_names() -> Vec<&'static str> {
    CLASSES.iter().map(|class| class.as_str()).collect()
}

fn diverted_break(row: &DivertedRow) -> Option<DivertedBreak<'_>> {
    Some(DivertedBreak {
        class: BreakClass::parse(&row.class)?,
        payment: &row.payment_id,
        group: &row.group,
        tid: &row.tid,
        merchant: &row.merchant_code,
        agent: &row.agent_code,
        account: &row.account,
        amount_minor: row.amount_minor,
        difference_minor: row.difference_minor,
        account_changed_days: row.account_changed_at.map(|at| (row.started_at - at).div_euclid(DAY_MICROS)),
    })
}

fn row(group: DiversionGroup, names: &BTreeMap<String, String>) -> DiversionRow {
    DiversionRow {
        name: names.get(&group.key).cloned().unwrap_or_default(),
        key: group.key,
        payments: group.payments,
        stake_minor: group.stake_minor,
        merchants: group.merchants,
        terminals: group.terminals,
        agents: group.agents,
        payments_total: group.peers.map(|peers| peers.payments),
        share_bp: group.peers.map(|peers| peers.share_bp),
        expected_bp: group.peers.map(|peers| peers.expected_bp),
        surprise_milli: group.peers.map(|peers| peers.surprise_milli),
        classes: group.classes.into_iter().map(|(class, payments)| class_row(class, payments)).collect(),
        flags: group.flags.into_iter().map(|flag| flag.as_str().to_owned()).collect(),
    }
}

fn class_row(class: BreakClass, payments: u64) -> DiversionClass {
    let (class_zh, class_en) = texts::break_class(class.as_str());
    DiversionClass { class: class.as_str().to_owned(), payments, class_zh, class_en }
}

impl From<By> for DivertedBy {
    fn from(by: By) -> Self {
        match by {
            By::Terminal => Self::Terminal,
            By::Agent => Self::Agent,
            By::AppVersion => Self::AppVersion,
            By::Maintainer => Self::Maintainer,
            By::Account => Self::Account,
            By::Merchant => Self::Merchant,
        }
    }
}

impl From<Sort> for DiversionOrder {
    fn from(sort: Sort) -> Self {
        match sort {
            Sort::Money => Self::Money,
            Sort::Surprise => Self::Surprise,
        }
    }
}
