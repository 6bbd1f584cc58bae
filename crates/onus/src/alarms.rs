//! `onus episodes --alarms`, and what live detection would have said of records (`--replay … --watch`).

use std::io::Write;

use anyhow::Result;
use onus_incident::episode::State;
use onus_model::{Instant, Zone};
use onus_store::Scope;
use onus_store::alarms::{self, AlarmFilter, AlarmRow};
use onus_worker::Watched;
use serde_json::{Value, json};

use crate::home::Home;
use crate::{Format, Language};

/// Most alarms that are listed.
const MOST: i64 = 10_000;

/// Lists alarms: those that stand first.
pub(crate) fn list(home: &Home, format: Format, lang: Language, out: &mut dyn Write) -> Result<()> {
    let scope = Scope::all(&home.tenant.id);
    let rows = home.store.read(|tx| alarms::list(tx, &scope, &AlarmFilter::default(), MOST))?;
    if rows.is_empty() && format == Format::Table {
        writeln!(out, "{}", if lang == Language::Zh { "没有告警" } else { "no alarms" })?;
    }
    print(&rows, &home.zone()?, format, lang, out)
}

fn print(rows: &[AlarmRow], zone: &Zone, format: Format, lang: Language, out: &mut dyn Write) -> Result<()> {
    for row in rows {
        if format == Format::Table {
            writeln!(out, "{}", line(row, zone, lang))?;
        } else {
            writeln!(out, "{}", row_json(row, zone))?;
        }
    }
    Ok(())
}

fn line(row: &AlarmRow, zone: &Zone, lang: Language) -> String {
    let body: Value = serde_json::from_str(&row.body).unwrap_or_default();
    let zh = lang == Language::Zh;
    let says = body["says"][if zh { "zh" } else { "en" }].as_str().unwrap_or_default().to_owned();
    let cell = if row.cell.is_empty() { row.layer.clone() } else { format!("{} {}", row.layer, row.cell) };
    let time = |at: i64| zone.format(Instant(at)).get(..16).unwrap_or_default().replace('T', " ");
    let end = row.ended_at.map_or_else(String::new, |at| format!(" – {}", time(at)));
    let ordinary = match (body["against_peers"].as_bool(), zh) {
        (Some(true), true) => "同类应有",
        (Some(true), false) => "peers",
        (_, true) => "平时",
        (_, false) => "ordinarily",
    };
    let expected = format!("{}.{}", row.expected_milli / 1_000, row.expected_milli % 1_000 / 100);
    format!(
        "{:9} {:24} {cell}  {}{end}  {}/{} ({ordinary} {expected})  {} bits  {says}",
        row.standing,
        row.signal,
        time(row.since_at),
        row.hits,
        row.attempts,
        row.evidence_bits
    )
}

fn row_json(row: &AlarmRow, zone: &Zone) -> Value {
    let body: Value = serde_json::from_str(&row.body).unwrap_or_default();
    let at = |at: i64| zone.format(Instant(at));
    json!({
        "id": row.id, "origin": row.origin, "signal": row.signal, "layer": row.layer, "cell": row.cell,
        "standing": row.standing, "since": at(row.since_at), "raised": at(row.raised_at),
        "confirmed": row.confirmed_at.map(at), "ended": row.ended_at.map(at), "attempts": row.attempts,
        "hits": row.hits, "expected_milli": row.expected_milli, "evidence_bits": row.evidence_bits,
        "needed_bits": row.needed_bits, "told": body,
    })
}

/// Prints what live detection would have said.
pub(crate) fn watched(
    watched: &Watched,
    zone: &Zone,
    format: Format,
    lang: Language,
    out: &mut dyn Write,
) -> Result<()> {
    let zh = lang == Language::Zh;
    for it in &watched.episodes {
        let delay = it.twentieth_at.map(|at| it.opened_at.seconds_since(at));
        let first = |state| it.states.iter().find(|(_, it)| *it == state).map(|(at, _)| zone.format(*at));
        if format == Format::Table {
            writeln!(out, "{}  {}", it.row.id, if zh { &it.row.title_zh } else { &it.row.title_en })?;
            for (at, state) in &it.states {
                let (at, title) = (zone.format(*at).get(..16).unwrap_or_default().replace('T', " "), state.title());
                writeln!(out, "  {at}  {}", if zh { title.zh } else { title.en })?;
            }
            continue;
        }
        let scope: Value = serde_json::from_str(&it.row.scope).unwrap_or_default();
        let states: Vec<Value> =
            it.states.iter().map(|(at, state)| json!({"at": zone.format(*at), "state": state.as_str()})).collect();
        let line = json!({
            "id": it.row.id, "cause": it.row.cause, "scope": scope, "payments": it.row.payments,
            "start": zone.format(Instant(it.row.started_at)), "end": it.row.ended_at.map(|at| zone.format(Instant(at))),
            "opened": zone.format(it.opened_at), "confirmed": first(State::Confirmed),
            "recovered": first(State::Recovered), "states": states,
            "twentieth_failure": it.twentieth_at.map(|at| zone.format(at)), "opened_after_twentieth_s": delay,
            "title": it.row.title_en,
        });
        writeln!(out, "{line}")?;
    }
    if format == Format::Table {
        print(&watched.alarms, zone, format, lang, out)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alarm_in_a_line() {
        let row = AlarmRow {
            signal: "agent_declines".into(),
            layer: "agent".into(),
            cell: "A02".into(),
            standing: "raised".into(),
            attempts: 400,
            hits: 90,
            expected_milli: 31_250,
            evidence_bits: 40,
            body: r#"{"says":{"zh":"多","en":"more"},"against_peers":true}"#.into(),
            ..AlarmRow::default()
        };
        let zone = Zone::named("Asia/Shanghai").unwrap();
        assert_eq!(
            line(&row, &zone, Language::En),
            "raised    agent_declines           agent A02  1970-01-01 08:00  90/400 (peers 31.2)  40 bits  more"
        );
    }
}
