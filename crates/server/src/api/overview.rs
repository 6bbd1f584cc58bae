//! The overview: sums, hours, and what to look at first.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use onus_model::Instant;
use onus_store::cases::CaseSums;
use onus_store::overview::{FileSums, HourSums, Overview as Sums};
use onus_store::{cases, episodes, log, overview};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::actor::Actor;
use crate::api::episodes::{EpisodeRow, episode_row};
use crate::api::query::{Asked, given};
use crate::problem::Problem;
use crate::state::ServerState;
use crate::stories::{Story, stories};

const HOUR: i64 = 3600 * 1_000_000;
const EPISODES_SHOWN: usize = 10;

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct OverviewQuery {
    /// Local day, `YYYY-MM-DD`; all days without it.
    date: Option<String>,
}

/// Sums of a day, or of all days.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Overview {
    /// Business time.
    as_of: String,
    /// Local days that have payments.
    dates: Vec<String>,
    payments: i64,
    amount_minor: i64,
    exceptions: i64,
    exceptions_amount_minor: i64,
    loss_minor: i64,
    by_kind: Vec<KindCount>,
    by_cause: Vec<CauseCount>,
    by_outward: Vec<OutwardCount>,
    by_hour: Vec<HourCount>,
    cases: CaseCount,
    files: FileCount,
    evidence: EvidenceCount,
    episodes: Vec<EpisodeRow>,
    /// What to look at first.
    stories: Vec<Story>,
}

/// Exceptions of one kind.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct KindCount {
    kind: String,
    count: i64,
    amount_minor: i64,
    loss_minor: i64,
}

/// Exceptions of one cause.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CauseCount {
    cause: String,
    count: i64,
    amount_minor: i64,
    loss_minor: i64,
}

/// Exceptions where one party pays the user first; empty when nobody has to.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OutwardCount {
    party: String,
    count: i64,
    loss_minor: i64,
}

/// One hour.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct HourCount {
    hour: String,
    payments: i64,
    exceptions: i64,
    by_kind: BTreeMap<String, i64>,
}

/// Cases with something left to do.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct CaseCount {
    open: i64,
    overdue: i64,
    amount_minor: i64,
}

/// Imported files.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FileCount {
    files: i64,
    rows: i64,
    rejected: i64,
}

/// The evidence log.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EvidenceCount {
    entries: i64,
    checkpoint_size: i64,
    root: String,
    signed_at: Option<String>,
}

struct Found {
    hours: Vec<i64>,
    sums: Sums,
    cases: CaseSums,
    files: FileSums,
    entries: i64,
    head: Option<log::CheckpointRow>,
    episodes: Vec<episodes::EpisodeRow>,
    stories: Vec<Story>,
}

/// Sums, hours, and what to look at first.
#[utoipa::path(get, path = "/overview", tag = "overview", params(OverviewQuery), responses((status = 200, body = Overview)))]
pub(crate) async fn read(
    State(state): State<ServerState>,
    actor: Actor,
    Asked(query): Asked<OverviewQuery>,
) -> Result<Json<Overview>, Problem> {
    let day = given(query.date).map(|date| actor.day(&date)).transpose()?;
    let (scope, now) = (actor.scope(), state.now());
    let found = state
        .blocking(move |state| {
            let read = state.store().read(|tx| {
                let hours = overview::hours(tx, &scope)?;
                let (from, to) = day.unwrap_or_else(|| span_of(&hours));
                let sums = overview::overview(tx, &scope, from, to)?;
                let episodes = episodes::list(tx, &scope)?;
                let entries = log::size(tx, &scope)?;
                let key = (scope.clone(), day, entries);
                let stories = state.stories().get_or_tell(&key, || stories(tx, &scope, day, &sums, &episodes))?;
                Ok(Found {
                    hours,
                    sums,
                    cases: cases::sums(tx, &scope, now)?,
                    files: overview::file_sums(tx, &scope)?,
                    entries,
                    head: log::latest_checkpoint(tx, &scope)?,
                    episodes,
                    stories,
                })
            });
            Ok(read?)
        })
        .await?;
    Ok(Json(answer(found, now, &actor)))
}

fn span_of(hours: &[i64]) -> (i64, i64) {
    let first = hours.first().copied().unwrap_or(0);
    let last = hours.last().copied().unwrap_or(0);
    (first, last.saturating_add(HOUR))
}

fn answer(found: Found, now: i64, actor: &Actor) -> Overview {
    let Found { sums, cases, files, head, .. } = found;
    let zone = actor.zone();
    let mut dates: Vec<String> = found.hours.iter().map(|at| zone.local(Instant(*at)).0.to_string()).collect();
    dates.dedup();
    Overview {
        as_of: actor.time(now),
        dates,
        payments: sums.payments.count,
        amount_minor: sums.payments.amount_minor,
        exceptions: sums.exceptions.count,
        exceptions_amount_minor: sums.exceptions.amount_minor,
        loss_minor: sums.exceptions.loss_minor,
        by_kind: sums
            .by_kind
            .into_iter()
            .map(|(kind, it)| KindCount {
                kind,
                count: it.count,
                amount_minor: it.amount_minor,
                loss_minor: it.loss_minor,
            })
            .collect(),
        by_cause: sums
            .by_cause
            .into_iter()
            .map(|(cause, it)| CauseCount {
                cause,
                count: it.count,
                amount_minor: it.amount_minor,
                loss_minor: it.loss_minor,
            })
            .collect(),
        by_outward: sums
            .by_outward
            .into_iter()
            .map(|(party, it)| OutwardCount { party, count: it.count, loss_minor: it.loss_minor })
            .collect(),
        by_hour: sums.by_hour.into_iter().map(|(at, it)| hour_count(at, it, actor)).collect(),
        cases: CaseCount { open: cases.open, overdue: cases.overdue, amount_minor: cases.amount_minor },
        files: FileCount { files: files.files, rows: files.rows, rejected: files.rejected },
        evidence: EvidenceCount {
            entries: found.entries,
            checkpoint_size: head.as_ref().map_or(0, |it| it.size),
            root: head.as_ref().map(|it| base16ct::lower::encode_string(&it.root)).unwrap_or_default(),
            signed_at: actor.time_or_none(head.map(|it| it.signed_at)),
        },
        episodes: found.episodes.into_iter().take(EPISODES_SHOWN).map(|it| episode_row(it, actor)).collect(),
        stories: found.stories,
    }
}

fn hour_count(at: i64, it: HourSums, actor: &Actor) -> HourCount {
    HourCount { hour: actor.time(at), payments: it.payments, exceptions: it.exceptions, by_kind: it.by_kind }
}
