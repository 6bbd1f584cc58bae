//! Differences between the records of a payment: by class, age and where their resolution stands.

use axum::Json;
use axum::extract::State;
use onus_casework::resolution::{AgeBand, ResolutionPack, ResolutionState};
use onus_model::{Date, Instant};
use onus_store::breaks::{self, BreakDay, BreakFilter, BreakItem};
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
    /// Band of age, such as `d2-3`.
    age: Option<String>,
    /// `unresolved`, `todo` (somebody has to propose something), or a state: `open`, `proposed`, `approved`, `acted`,
    /// `confirmed`, `rejected`, `withdrawn`, `failed`, `reopened`.
    state: Option<String>,
    /// Of this agent or one below it.
    agent: Option<String>,
    /// At stake at least this many minor units.
    min_amount: Option<i64>,
    /// At stake at most this many minor units.
    max_amount: Option<i64>,
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

/// A break as lists show it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct BreakListRow {
    /// Its lasting name: payment and class.
    pub(crate) id: String,
    #[serde(flatten)]
    pub(crate) row: BreakRow,
    pub(crate) agent_code: String,
    pub(crate) merchant_code: String,
    /// The difference, or the whole payment where the break is not about an amount.
    pub(crate) stake_minor: i64,
    /// Days since the day of the payment.
    pub(crate) age_days: i32,
    /// State of its resolution; `open` when nobody has touched it.
    pub(crate) state: String,
    /// Steps taken.
    pub(crate) version: i64,
    /// What is proposed, or empty.
    pub(crate) action: String,
}

/// Breaks that have something in common.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(crate) struct BreakSum {
    /// Band of age, or state.
    key: String,
    count: i64,
    stake_minor: i64,
}

/// All breaks of one class that the other filters let through.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct BreakSummary {
    class: String,
    coarse: String,
    count: i64,
    stake_minor: i64,
    difference_minor: i64,
    class_zh: String,
    class_en: String,
    /// By band of age.
    ages: Vec<BreakSum>,
}

/// A band of age.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AgeBandRow {
    code: String,
    zh: String,
    en: String,
}

/// Breaks by class and payment, with the sums of all classes and ages.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct BreakPage {
    /// Bands of age, youngest first.
    bands: Vec<AgeBandRow>,
    /// Sums by class and age, whatever class and age are asked for.
    summary: Vec<BreakSummary>,
    items: Vec<BreakListRow>,
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
    let (scope, today) = (actor.scope(), today(&state, &actor));
    let request = page_request(query.cursor, query.limit);
    let every_class = BreakFilter {
        states: states(given(query.state).as_deref())?,
        agent: given(query.agent),
        min_amount: query.min_amount,
        max_amount: query.max_amount,
        ..BreakFilter::default()
    };
    let (from_day, before_day) = days_of(state.resolutions(), given(query.age), today)?;
    let wanted = BreakFilter { class: given(query.class), from_day, before_day, ..every_class.clone() };
    let (days, page) = state
        .read(move |tx| Ok((breaks::days(tx, &scope, &every_class)?, breaks::list(tx, &scope, &wanted, &request)?)))
        .await?;
    let (items, next_cursor) = parts_of(page, |item| list_row(item, today));
    let pack = state.resolutions();
    let bands = pack.bands.iter().map(band_row).collect();
    Ok(Json(BreakPage { bands, summary: summary(pack, days, today), items, next_cursor }))
}

/// Business day.
pub(crate) fn today(state: &ServerState, actor: &Actor) -> Date {
    actor.zone().local(Instant(state.now())).0
}

pub(crate) fn list_row(item: BreakItem, today: Date) -> BreakListRow {
    BreakListRow {
        id: format!("{}.{}", item.row.payment_id, item.row.class),
        age_days: age_days(&item.row.payment_id, today),
        row: BreakRow::from(item.row),
        agent_code: item.agent_code,
        merchant_code: item.merchant_code,
        stake_minor: item.stake_minor,
        state: item.state,
        version: item.version,
        action: item.action,
    }
}

/// A payment's id, or a day, begins with the day.
fn age_days(from: &str, today: Date) -> i32 {
    let day = from.get(..10).and_then(|day| Date::parse(day.as_bytes()).ok());
    day.map_or(0, |day| today.days_since(day))
}

/// The states that a filter names.
fn states(wanted: Option<&str>) -> Result<Vec<String>, Problem> {
    use ResolutionState as S;
    let states: Vec<S> = match wanted {
        None => return Ok(Vec::new()),
        Some("unresolved") => S::ALL.iter().copied().filter(|state| *state != S::Confirmed).collect(),
        Some("todo") => S::ALL.iter().copied().filter(|state| !state.is_in_force()).collect(),
        Some(word) => match S::parse(word) {
            Some(state) => vec![state],
            None => return Err(Problem::bad_request(&format!("state: {word:?} is no state of a resolution"))),
        },
    };
    Ok(states.into_iter().map(|state| state.to_string()).collect())
}

/// First day of a band and the day after its last; the youngest band has no end, the oldest no beginning.
fn days_of(
    pack: &ResolutionPack,
    age: Option<String>,
    today: Date,
) -> Result<(Option<String>, Option<String>), Problem> {
    let Some(age) = age else { return Ok((None, None)) };
    let Some(at) = pack.bands.iter().position(|band| band.code == age) else {
        return Err(Problem::bad_request(&format!("age: {age:?} is no band of age")));
    };
    let from_days = |at: usize| pack.bands.get(at).map(|band| band.from_days);
    let first = from_days(at + 1).map(|older| today.plus_days(1 - older).to_string());
    let before = from_days(at).filter(|days| *days > 0).map(|days| today.plus_days(1 - days).to_string());
    Ok((first, before))
}

fn band_row(band: &AgeBand) -> AgeBandRow {
    AgeBandRow { code: band.code.clone(), zh: band.zh.clone(), en: band.en.clone() }
}

/// Days and states of each class added up; `days` comes by class.
fn summary(pack: &ResolutionPack, days: Vec<BreakDay>, today: Date) -> Vec<BreakSummary> {
    let mut rows: Vec<BreakSummary> = Vec::new();
    for day in days {
        if rows.last().is_none_or(|row| (&row.class, &row.coarse) != (&day.class, &day.coarse)) {
            rows.push(empty(pack, &day));
        }
        let Some(row) = rows.last_mut() else { continue };
        row.count += day.count;
        row.stake_minor += day.stake_minor;
        row.difference_minor += day.difference_minor;
        let band = pack.band(age_days(&day.day, today)).map(|band| band.code.as_str());
        if let Some(sum) = row.ages.iter_mut().find(|sum| Some(sum.key.as_str()) == band) {
            sum.count += day.count;
            sum.stake_minor += day.stake_minor;
        }
    }
    rows
}

fn empty(pack: &ResolutionPack, day: &BreakDay) -> BreakSummary {
    let (class_zh, class_en) = texts::break_class(&day.class);
    BreakSummary {
        class: day.class.clone(),
        coarse: day.coarse.clone(),
        count: 0,
        stake_minor: 0,
        difference_minor: 0,
        class_zh,
        class_en,
        ages: pack.bands.iter().map(|band| BreakSum { key: band.code.clone(), ..BreakSum::default() }).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(text: &str) -> Date {
        Date::parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn a_band_is_a_range_of_days() {
        let (pack, today) = (ResolutionPack::builtin().unwrap(), date("2026-10-10"));
        for band in &pack.bands {
            let (first, before) = days_of(&pack, Some(band.code.clone()), today).unwrap();
            for age in -2..200 {
                let day = today.plus_days(-age).to_string();
                let is_in = first.as_ref().is_none_or(|first| day >= *first)
                    && before.as_ref().is_none_or(|before| day < *before);
                let expected = pack.band(age).is_some_and(|found| found.code == band.code);
                assert_eq!(is_in, expected, "{} {day}", band.code);
                assert_eq!(age_days(&format!("{day}.T.1.1"), today), age);
            }
        }
        assert!(days_of(&pack, Some("old".to_owned()), today).is_err());
    }

    #[test]
    fn groups_of_states() {
        let found = |word: &str| states(Some(word)).map(|states| states.join(" ")).unwrap_or_default();
        assert_eq!(found("todo"), "open rejected withdrawn failed reopened");
        assert_eq!(found("unresolved"), "open proposed approved acted rejected withdrawn failed reopened");
        assert_eq!((found("acted").as_str(), found("tired").as_str()), ("acted", ""));
        assert_eq!(states(None).unwrap(), [""; 0]);
    }
}
