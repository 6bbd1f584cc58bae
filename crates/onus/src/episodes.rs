//! `onus episodes`: what failed together, as the store has it or as a live run would have seen it.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::Args;
use onus_incident::episode::State;
use onus_model::{Instant, Zone};
use onus_store::Scope;
use onus_store::episodes::EpisodeRow;
use onus_worker::{Replayed, replay_folder, replay_store, watch_folder, watch_store};
use serde_json::{Value, json};

use crate::home::{self, Home};
use crate::{Format, Language, Place};

/// What to list.
#[derive(Args)]
pub(crate) struct EpisodesArgs {
    #[command(flatten)]
    place: Place,
    /// Run the detection over this folder of files with a clock that is stepped; "store" takes the files of the store.
    #[arg(long, value_name = "FOLDER")]
    replay: Option<PathBuf>,
    /// With --replay: by the minute-by-minute detection that runs in `onus serve`, instead of the search over records.
    #[arg(long, requires = "replay")]
    watch: bool,
    /// List alarms instead: rates that are raised, live or in records, as suspicions to look at.
    #[arg(long, conflicts_with = "replay")]
    alarms: bool,
    /// Step of the clock: 30s, 1m, 5m, 1h.
    #[arg(long, default_value = "1m")]
    step: String,
    /// Judge payouts as of this time (RFC 3339) instead of now.
    #[arg(long)]
    as_of: Option<String>,
    /// Language.
    #[arg(long, value_enum, default_value_t = Language::Zh)]
    lang: Language,
    /// How to print.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

/// Lists episodes.
pub(crate) fn episodes(args: &EpisodesArgs) -> Result<()> {
    let step = seconds(&args.step)?;
    let now = home::as_of(args.as_of.as_deref())?.unwrap_or_else(home::now);
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    match &args.replay {
        None if args.alarms => crate::alarms::list(&Home::open(&args.place)?, args.format, args.lang, &mut out)?,
        None => list(&Home::open(&args.place)?, args, &mut out)?,
        Some(folder) if folder == Path::new("store") => {
            let home = Home::open(&args.place)?;
            let zone = home.zone()?;
            if args.watch {
                let watched = watch_store(&home.store, &home.vault, &home.tenant, &zone, now)?;
                crate::alarms::watched(&watched, &zone, args.format, args.lang, &mut out)?;
                out.flush()?;
                return Ok(());
            }
            let replayed = replay_store(&home.store, &home.vault, &home.tenant, &zone, now, step)?;
            print(&replayed, &zone, args, &mut out)?;
        }
        Some(folder) => {
            if !folder.is_dir() {
                bail!("--replay: {} is no folder; give a folder of files, or the word store", folder.display());
            }
            let zone = Zone::named("Asia/Shanghai").context("the zone of card payments in China")?;
            if args.watch {
                let watched = watch_folder(folder, &zone, now)?;
                crate::alarms::watched(&watched, &zone, args.format, args.lang, &mut out)?;
                out.flush()?;
                return Ok(());
            }
            print(&replay_folder(folder, &zone, now, step)?, &zone, args, &mut out)?;
        }
    }
    out.flush()?;
    Ok(())
}

/// A length of time such as 90s, 1m or 2h.
fn seconds(text: &str) -> Result<i64> {
    let unit = |suffix, seconds: i64| {
        let number = text.strip_suffix(suffix)?.parse::<i64>().ok()?;
        number.checked_mul(seconds).filter(|step| (1..=86_400).contains(step))
    };
    unit("s", 1)
        .or_else(|| unit("m", 60))
        .or_else(|| unit("h", 3_600))
        .with_context(|| format!("--step: expected a time of a second to a day such as 30s, 1m or 1h, got {text:?}"))
}

fn list(home: &Home, args: &EpisodesArgs, out: &mut dyn Write) -> Result<()> {
    let scope = Scope::all(&home.tenant.id);
    let zone = home.zone()?;
    let mut rows = home.store.read(|tx| onus_store::episodes::list(tx, &scope))?;
    rows.sort_by(|a, b| (a.started_at, &a.id).cmp(&(b.started_at, &b.id)));
    for row in rows {
        let body: Value = serde_json::from_str(&row.body).unwrap_or_default();
        if args.format == Format::Table {
            tell(&row, &body, &zone, args.lang, out)?;
        } else {
            let scope: Value = serde_json::from_str(&row.scope).unwrap_or_default();
            let at = |at: i64| zone.format(Instant(at));
            let line = json!({
                "id": row.id, "cause": row.cause, "status": row.status, "benign": row.benign != 0,
                "start": at(row.started_at), "end": row.ended_at.map(at), "scope": scope, "payments": row.payments,
                "amount_minor": row.amount_minor, "title": {"zh": row.title_zh, "en": row.title_en}, "told": body,
            });
            writeln!(out, "{line}")?;
        }
    }
    Ok(())
}

/// One episode in words.
fn tell(row: &EpisodeRow, body: &Value, zone: &Zone, lang: Language, out: &mut dyn Write) -> Result<()> {
    let (zh, key) = (lang == Language::Zh, if lang == Language::Zh { "zh" } else { "en" });
    let word = |zh_word: &'static str, en_word: &'static str| if zh { zh_word } else { en_word };
    let empty = Vec::new();
    writeln!(out, "{}  {}", row.id, if zh { &row.title_zh } else { &row.title_en })?;
    let end = row.ended_at.map_or_else(|| word("持续中", "going on").to_owned(), |at| short(zone, Instant(at)));
    writeln!(
        out,
        "  {} {} – {end}  {} {}{}{}",
        word("时间", "time"),
        short(zone, Instant(row.started_at)),
        row.payments,
        word("笔", "payments"),
        if row.benign == 0 { "" } else { word("  良性", "  benign") },
        if body["pattern"] == true { word("  持续现象", "  pattern") } else { "" },
    )?;
    for step in body["steps"].as_array().unwrap_or(&empty) {
        let at = step["at"].as_str().unwrap_or_default().get(..16).unwrap_or_default().replace('T', " ");
        let state = step["state"].as_str().unwrap_or_default();
        writeln!(out, "  {at}  {}", state_name(state, zh))?;
    }
    // The first signal is the rate, which the steps show already.
    for it in body["signals"].as_array().unwrap_or(&empty).iter().skip(1) {
        writeln!(out, "  {}", it[key].as_str().unwrap_or_default())?;
    }
    for it in body["hypotheses"].as_array().unwrap_or(&empty) {
        let mark = match it["verdict"].as_str() {
            Some("supports") => "+",
            Some("excludes") => "-",
            _ => "?",
        };
        let text = |field: &str| it[field][key].as_str().unwrap_or_default().to_owned();
        writeln!(out, "  {mark} {}: {}", text("says"), text("finding"))?;
    }
    Ok(())
}

fn state_name(state: &str, zh: bool) -> String {
    State::ALL.into_iter().find(|it| it.as_str() == state).map_or_else(String::new, |it| {
        let title = it.title();
        if zh { title.zh } else { title.en }
    })
}

fn print(replayed: &[Replayed], zone: &Zone, args: &EpisodesArgs, out: &mut dyn Write) -> Result<()> {
    let mut ordered: Vec<&Replayed> = replayed.iter().collect();
    ordered.sort_by_key(|it| (it.watched.opened_at, &it.episode.id));
    for it in ordered {
        let delay = it.twentieth_at.map(|at| it.watched.opened_at.seconds_since(at));
        if args.format == Format::Table {
            let zh = args.lang == Language::Zh;
            writeln!(out, "{}", if zh { &it.episode.title.zh } else { &it.episode.title.en })?;
            for (at, state) in &it.watched.states {
                writeln!(out, "  {}  {}", short(zone, *at), state_name(state.as_str(), zh))?;
            }
            let text = match (delay, zh) {
                (None, true) => "不足20笔失败".to_owned(),
                (None, false) => "fewer than 20 failures".to_owned(),
                (Some(delay), true) => format!("第20笔失败之后 {delay} 秒发现（负数为之前）"),
                (Some(delay), false) => format!("opened {delay} s after its 20th failure (negative: before)"),
            };
            writeln!(out, "  {text}")?;
        } else {
            let at = |at: Instant| zone.format(at);
            let states: Vec<Value> = it
                .watched
                .states
                .iter()
                .map(|(when, state)| json!({"at": at(*when), "state": state.as_str()}))
                .collect();
            let line = json!({
                "id": it.episode.id, "family": it.watched.family.as_str(), "cause": it.episode.cause.to_string(),
                "benign": it.episode.benign, "scope": it.episode.scope, "payments": it.episode.payments,
                "start": at(it.episode.started_at), "end": it.episode.ended_at.map(at),
                "opened": at(it.watched.opened_at), "confirmed": it.watched.first_in(State::Confirmed).map(at),
                "recovered": it.watched.first_in(State::Recovered).map(at), "states": states,
                "twentieth_failure": it.twentieth_at.map(at), "opened_after_twentieth_s": delay,
                "title": it.episode.title.en,
            });
            writeln!(out, "{line}")?;
        }
    }
    Ok(())
}

fn short(zone: &Zone, at: Instant) -> String {
    zone.format(at).get(..19).unwrap_or_default().replace('T', " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_times_with_a_unit() {
        for (text, expected) in [("30s", Some(30)), ("1m", Some(60)), ("2h", Some(7_200))] {
            assert_eq!(seconds(text).ok(), expected);
        }
        for text in ["", "5", "0s", "-1m", "25h", "1d"] {
            let said = seconds(text).unwrap_err().to_string();
            assert!(said.contains("30s, 1m or 1h"), "{said}");
        }
    }
}
