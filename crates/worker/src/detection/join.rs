//! What was seen live and what the search over records finds are one episode.
//!
//! **The rule.** A live episode is part of one found in records when the causes agree (a silent host may turn out to be
//! the acquirer's line or the network's), their times overlap (with `slack_minutes`), and their scopes do not contradict
//! each other: no dimension of which they name different values only. Of several it is the one with most payments.
//! Each judgement looks anew, so what records no longer support stands alone again.

use std::collections::BTreeMap;

use onus_store::episodes::{self, EpisodeRow};
use onus_store::{Store, StoreError};
use serde_json::{Map, Value, json};

use super::rows::causes;
use crate::error::WorkerError;

/// Puts the live episodes of a tenant together with those that were found in records.
pub(crate) fn join(store: &Store, tenant: &str) -> Result<(), WorkerError> {
    let slack = i64::from(super::settings()?.live.slack_minutes) * 60_000_000;
    store.write(|tx| {
        let live = episodes::of_origin(tx, tenant, "live")?;
        if live.is_empty() {
            return Ok(());
        }
        let mut found: Vec<EpisodeRow> =
            episodes::of_origin(tx, tenant, "records")?.into_iter().map(|(row, _)| row).collect();
        found.sort_by(|a, b| b.payments.cmp(&a.payments).then_with(|| a.id.cmp(&b.id)));
        let mut seen_live: BTreeMap<usize, Vec<Value>> = BTreeMap::new();
        for (row, merged) in &live {
            let place = found.iter().position(|record| are_one(row, record, slack));
            let into = place.and_then(|place| found.get(place)).map_or("", |record| record.id.as_str());
            if into != merged {
                episodes::set_merged(tx, tenant, &row.id, into)?;
            }
            if let Some(place) = place {
                seen_live.entry(place).or_default().push(told(row));
            }
        }
        for (place, live) in seen_live {
            let Some(record) = found.get(place) else { continue };
            let mut body = object(&record.body);
            body.insert("seen_live".to_owned(), Value::Array(live));
            let told = EpisodeRow { body: Value::Object(body).to_string(), ..record.clone() };
            episodes::put(tx, tenant, [&told])?;
        }
        Ok::<(), StoreError>(())
    })?;
    Ok(())
}

/// What the episode of the records says about having been seen live.
fn told(live: &EpisodeRow) -> Value {
    let body = object(&live.body);
    let scope: Value = serde_json::from_str(&live.scope).unwrap_or_default();
    json!({"id": live.id, "scope": scope, "steps": body.get("steps"), "signals": body.get("signals")})
}

fn object(text: &str) -> Map<String, Value> {
    serde_json::from_str(text).unwrap_or_default()
}

/// Whether a live episode and one of the records are about the same trouble.
fn are_one(live: &EpisodeRow, record: &EpisodeRow, slack: i64) -> bool {
    let body = object(&live.body);
    let family = body.get("family").and_then(Value::as_str).unwrap_or_default();
    let same_cause = causes(family).iter().any(|cause| cause.to_string() == record.cause);
    let end = |row: &EpisodeRow| row.ended_at.unwrap_or(i64::MAX - slack);
    let overlap = live.started_at - slack <= end(record) && record.started_at - slack <= end(live);
    same_cause && overlap && agree(&live.scope, &record.scope)
}

/// Whether no dimension has different values only. Amounts are not compared: a live cut is not exact.
fn agree(one: &str, other: &str) -> bool {
    let (one, other) = (object(one), object(other));
    let values = |scope: &Map<String, Value>, key: &str| -> Option<Vec<String>> {
        let list = scope.get(key)?.as_array()?;
        Some(list.iter().filter_map(Value::as_str).map(str::to_owned).collect())
    };
    one.keys().filter(|key| key.as_str() != "amount").all(|key| {
        let (Some(ours), Some(theirs)) = (values(&one, key), values(&other, key)) else { return true };
        ours.iter().any(|value| theirs.contains(value))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(id: &str, cause: &str, scope: &str, time: (i64, Option<i64>), body: &str) -> EpisodeRow {
        EpisodeRow {
            id: id.into(),
            cause: cause.into(),
            scope: scope.into(),
            started_at: time.0 * 60_000_000,
            ended_at: time.1.map(|at| at * 60_000_000),
            body: body.into(),
            ..EpisodeRow::default()
        }
    }

    #[test]
    fn one_trouble_is_one_episode() {
        const LOST: &str = r#"{"family":"lost"}"#;
        let live = |scope, time| row("L1", "NET.ACQ", scope, time, LOST);
        let record = |cause, scope, time| row("E1", cause, scope, time, "{}");
        let link = r#"{"network_link":["211"],"amount":["< 500.00"]}"#;
        // Live scope and time, cause, scope and time of the records, whether they are one.
        let table = [
            (r#"{"network_link":["211"]}"#, (100, None), "NET.UP", link, (90, Some(200)), true),
            (r#"{"network_link":["212"]}"#, (100, None), "NET.UP", link, (90, Some(200)), false),
            (r#"{"acquirer_link":["posp"]}"#, (100, None), "NET.UP", link, (90, Some(200)), true),
            (r#"{"city":["十堰"]}"#, (100, Some(150)), "NET.ACQ", "{}", (160, None), true),
            (r#"{"city":["十堰"]}"#, (100, Some(150)), "NET.ACQ", "{}", (170, None), false),
            (r#"{"network_link":["211"]}"#, (100, None), "CARD.FUNDS", link, (90, Some(200)), false),
        ];
        for (scope, time, cause, found, when, expected) in table {
            assert_eq!(
                are_one(&live(scope, time), &record(cause, found, when), 15 * 60_000_000),
                expected,
                "{scope} {time:?} {cause} {found} {when:?}"
            );
        }
    }
}
