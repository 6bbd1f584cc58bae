//! What must still come for payments: a list, and the watch that lets time pass for it while the server runs.

use std::io::Write;
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::Args;
use onus_model::{Instant, Zone};
use onus_reconcile::online::{ExpectationRules, Leg};
use onus_store::expectations::{self, ExpectationFilter, ExpectationRow, ExpectationSum, Standing};
use onus_store::{PageRequest, Scope};
use onus_worker::Importer;
use serde_json::json;
use tracing::{error, info};

use crate::home::{self, Home};
use crate::{Format, Place};

/// How often the watch looks for what became due; nothing is read but an index when nothing did.
const LOOK_EVERY: Duration = Duration::from_secs(30);
const HOUR: i64 = 3_600_000_000;

/// Lists what is awaited, overdue or came late.
#[derive(Args)]
pub(crate) struct ExpectationsArgs {
    #[command(flatten)]
    place: Place,
    /// As of this time (RFC 3339) instead of now.
    #[arg(long)]
    as_of: Option<String>,
    /// Only of this leg: journal, switch, clearing, payout, reversal, acknowledgement or bank.
    #[arg(long)]
    leg: Option<String>,
    /// Only awaited, overdue or late ones.
    #[arg(long)]
    standing: Option<String>,
    /// Only of this agent and those below it.
    #[arg(long)]
    agent: Option<String>,
    /// How many to list, first due first; the sums count all.
    #[arg(long, default_value_t = 50)]
    limit: usize,
    /// How to print.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

/// Prints them.
pub(crate) fn list(args: &ExpectationsArgs) -> Result<()> {
    let filter = filter(args)?;
    let now = home::as_of(args.as_of.as_deref())?.unwrap_or_else(home::now);
    let home = Home::open(&args.place)?;
    let (zone, scope) = (home.zone()?, Scope::all(&home.tenant.id));
    let rules = ExpectationRules::builtin()?;
    let bounds: Vec<i64> = rules.age_hours.iter().map(|hours| i64::from(*hours) * HOUR).collect();
    let sums = home.store.read(|tx| expectations::summary(tx, &scope, now.0, &bounds))?;
    let rows = rows(&home, &scope, &filter, now, args.limit)?;
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    match args.format {
        Format::Table => table(&mut out, &sums, &rows, &rules, &zone, now)?,
        Format::Json => {
            let sums: Vec<_> = sums.iter().map(sum_json).collect();
            let rows: Vec<_> = rows.iter().map(|row| row_json(row, &zone, now)).collect();
            let page = json!({
                "as_of": zone.format(now), "bounds_hours": rules.age_hours, "summary": sums, "items": rows,
            });
            writeln!(out, "{page}")?;
        }
        Format::Jsonl => {
            for row in &rows {
                writeln!(out, "{}", row_json(row, &zone, now))?;
            }
        }
    }
    out.flush()?;
    Ok(())
}

fn filter(args: &ExpectationsArgs) -> Result<ExpectationFilter> {
    if let Some(leg) = args.leg.as_deref().filter(|leg| Leg::parse(leg).is_none()) {
        let known: Vec<&str> = Leg::ALL.into_iter().map(Leg::as_str).collect();
        bail!("--leg {leg}: expected one of {}", known.join(", "));
    }
    let standing = match args.standing.as_deref() {
        None => None,
        Some(text) => Some(
            Standing::parse(text).with_context(|| format!("--standing {text}: expected awaited, overdue or late"))?,
        ),
    };
    Ok(ExpectationFilter { leg: args.leg.clone(), standing, agent: args.agent.clone() })
}

fn rows(
    home: &Home,
    scope: &Scope,
    filter: &ExpectationFilter,
    now: Instant,
    limit: usize,
) -> Result<Vec<ExpectationRow>> {
    let mut request = PageRequest::first(200);
    let mut found = Vec::new();
    while found.len() < limit {
        let page = home.store.read(|tx| expectations::list(tx, scope, filter, now.0, &request))?;
        found.extend(page.items);
        request.cursor = page.next_cursor;
        if request.cursor.is_none() {
            break;
        }
    }
    found.truncate(limit);
    Ok(found)
}

fn table(
    out: &mut impl Write,
    sums: &[ExpectationSum],
    rows: &[ExpectationRow],
    rules: &ExpectationRules,
    zone: &Zone,
    now: Instant,
) -> Result<()> {
    if sums.is_empty() {
        writeln!(out, "nothing is awaited, overdue or late")?;
        return Ok(());
    }
    writeln!(out, "{:16} {:9} {:>12} {:>9} {:>16}", "awaited", "standing", "age", "payments", "amount")?;
    for sum in sums {
        let age = band(sum.band, &rules.age_hours);
        let (leg, standing) = (&sum.leg, sum.standing.as_str());
        writeln!(out, "{leg:16} {standing:9} {age:>12} {:>9} {:>16}", sum.count, yuan(sum.amount_minor))?;
    }
    writeln!(out)?;
    writeln!(
        out,
        "{:36} {:16} {:9} {:26} {:>14} {:16} rule",
        "payment", "awaited", "standing", "due", "amount", "class"
    )?;
    for row in rows {
        let standing = row.standing(now.0).as_str();
        let due = zone.format(Instant(row.due_at));
        let amount = yuan(row.amount_minor);
        writeln!(
            out,
            "{:36} {:16} {standing:9} {due:26} {amount:>14} {:16} {}",
            row.payment_id, row.leg, row.class, row.rule_id
        )?;
    }
    Ok(())
}

/// Between which hours an age lies.
fn band(reached: i64, hours: &[u32]) -> String {
    let reached = usize::try_from(reached).unwrap_or_default();
    match (reached.checked_sub(1).and_then(|last| hours.get(last)), hours.get(reached)) {
        (None, Some(to)) => format!("< {to} h"),
        (Some(from), Some(to)) => format!("{from} to {to} h"),
        (Some(from), None) => format!(">= {from} h"),
        (None, None) => String::new(),
    }
}

fn yuan(minor: i64) -> String {
    let sign = if minor < 0 { "-" } else { "" };
    format!("{sign}{}.{:02}", minor.unsigned_abs() / 100, minor.unsigned_abs() % 100)
}

fn sum_json(sum: &ExpectationSum) -> serde_json::Value {
    json!({
        "leg": sum.leg, "standing": sum.standing.as_str(), "band": sum.band, "count": sum.count,
        "amount_minor": sum.amount_minor,
    })
}

fn row_json(row: &ExpectationRow, zone: &Zone, now: Instant) -> serde_json::Value {
    let time = |at: i64| zone.format(Instant(at));
    json!({
        "payment_id": row.payment_id, "leg": row.leg, "standing": row.standing(now.0).as_str(), "rule_id": row.rule_id,
        "since_at": time(row.since_at), "due_at": time(row.due_at), "met_at": row.met_at.map(time), "class": row.class,
        "amount_minor": row.amount_minor, "tid": row.tid, "merchant_code": row.merchant_code,
        "agent_code": row.agent_code,
    })
}

/// Lets time pass for what is awaited, beside a server.
pub(crate) struct Watch {
    stop: Sender<()>,
    thread: JoinHandle<()>,
}

impl Watch {
    /// Starts it; with a fixed time, that time is all that passes.
    pub(crate) fn start(home: Arc<Home>, as_of: Option<Instant>) -> Result<Self> {
        let (stop, stopped) = channel::<()>();
        let watch = move || {
            loop {
                match turn(&home, as_of.unwrap_or_else(home::now)) {
                    Ok(true) => info!("what became due was judged again"),
                    Ok(false) => {}
                    Err(error) => error!("what became due could not be judged, and will be tried again: {error:#}"),
                }
                match stopped.recv_timeout(LOOK_EVERY) {
                    Err(RecvTimeoutError::Timeout) => {}
                    Ok(()) | Err(RecvTimeoutError::Disconnected) => return,
                }
            }
        };
        let thread = std::thread::Builder::new().name("expectations".to_owned()).spawn(watch);
        Ok(Self { stop, thread: thread.context("could not start a thread")? })
    }

    /// Stops it, after what it is just doing.
    pub(crate) fn stop(self) {
        drop(self.stop);
        if self.thread.join().is_err() {
            error!("the watch over what is awaited ended in a panic");
        }
    }
}

/// Looks once; whether payments were judged again. Only one process at a time judges an installation.
fn turn(home: &Home, now: Instant) -> Result<bool> {
    let due = home.store.read(|tx| expectations::due_legs(tx, &home.tenant.id, now.0))?;
    if due.is_empty() {
        return Ok(false);
    }
    let _lock = home.lock_imports()?;
    let importer = Importer::new(&home.store, &home.vault, &home.key, home.tenant.clone(), now)?;
    Ok(importer.judge_due(&())?.is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_named_by_their_bounds() {
        let hours = [1, 24, 72];
        let names: Vec<String> = (0..4).map(|reached| band(reached, &hours)).collect();
        assert_eq!(names, ["< 1 h", "1 to 24 h", "24 to 72 h", ">= 72 h"]);
        assert_eq!((yuan(-105), band(0, &[])), ("-1.05".to_owned(), String::new()));
    }
}
